"""Text as it may stand in a document: nothing invisible from data, Chinese marks in Chinese."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["chinese", "visible"]

# Controls (tab and line feed aside), lone surrogates, and marks that turn the reading direction:
# a name from data must not be able to hide or reorder what stands beside it.
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_CJK: Final = "\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef"
_MARKS: Final = {",": "，", ":": "：", ";": "；"}
_MARK: Final = re.compile(f"(?<=[{_CJK}])([,:;])(?: |$|(?=[{_CJK}]))")
_BRACKETS: Final = re.compile(rf"(?<=[{_CJK}]) ?\(([^()]*)\) ?|\(([^()]*[{_CJK}][^()]*)\)")


def visible(words: str) -> str:
    r"""Return a text with its invisible characters written out.

    Parameters
    ----------
    words : str
        Anything, also a name from data.

    Returns
    -------
    str
        Control characters, lone surrogates (undecodable bytes of a file name) and direction marks
        as backslash escapes; encodable as UTF-8. The marks are those of Unicode Technical
        Report 36, section 2.5.

    Examples
    --------
    >>> visible("scan\u202egnp.exe\x07")
    'scan\\u202egnp.exe\\x07'
    """
    return _HIDDEN.sub(lambda m: m[0].encode("unicode_escape").decode(), words)


def chinese(words: str) -> str:
    """Return a Chinese text of the program with full-width marks.

    Never for texts that quote data: a name must stay as it is.

    Parameters
    ----------
    words : str

    Returns
    -------
    str
        Comma, colon, semicolon and brackets beside Chinese characters are full-width
        (GB/T 15834-2011, section 4).

    Examples
    --------
    >>> chinese("功率谱之差 (分贝); 能发现模糊"), chinese("Vendi 评分, 0.5")
    ('功率谱之差（分贝）；能发现模糊', 'Vendi 评分，0.5')
    """
    bracketed = _BRACKETS.sub(lambda m: f"（{m[1] if m[1] is not None else m[2]}）", words)
    return _MARK.sub(lambda m: _MARKS[m[1]], bracketed)
