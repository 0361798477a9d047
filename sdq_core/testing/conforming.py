"""How a check says that a plugin does not conform, and the few things that many checks ask."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from sdq_core.errors import PluginError

__all__ = ["NotConforming", "few", "in_both_languages", "is_chinese", "require"]

_CHINESE: Final = re.compile("[\u4e00-\u9fff]")


class NotConforming(PluginError):
    """A modality plugin breaks a rule of the conformance kit."""


def require(condition: object, message: str) -> None:
    """Go on where a condition holds.

    Parameters
    ----------
    condition : object
        Its truth counts.
    message : str
        The object, what was found, and the remedy.

    Raises
    ------
    NotConforming
        It does not hold.
    """
    __tracebackhide__ = True
    if not condition:
        raise NotConforming(message)


def few(names: Iterable[object], most: int = 5) -> str:
    """Return the first of some names for a message.

    Examples
    --------
    >>> few(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    texts: Sequence[str] = [str(name) for name in names]
    rest = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {rest} more" if rest > 0 else "")


def is_chinese(text: str) -> bool:
    """Return whether a text holds a Chinese character.

    Examples
    --------
    >>> is_chinese("文件为空"), is_chinese("empty")
    (True, False)
    """
    return _CHINESE.search(text) is not None


def in_both_languages(english: str, chinese: str) -> bool:
    """Return whether a sentence exists in English, without Chinese, and in Chinese.

    Examples
    --------
    >>> in_both_languages("the file is empty", "文件为空"), in_both_languages("empty", "empty")
    (True, False)
    """
    return bool(english.strip()) and not is_chinese(english) and is_chinese(chinese)
