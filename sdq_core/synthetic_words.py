"""Words by which a text says that the data beside it are synthetic. Knows no format."""

from __future__ import annotations

import re

__all__ = ["stated_synthetic"]

_DECLARATION = re.compile(
    r"synthetic[ _-]?(?:data)?\s*[=:]\s*(?P<value>yes|true|1|no|false|0)\b", re.IGNORECASE
)
_PLAIN_WORDS = re.compile(r"\bAIGC\b|\bsynthetic data\b|合成数据|人工智能生成", re.IGNORECASE)
_NEGATED = re.compile(
    r"\b(?:no|not|non)[ -]+(?:an? )?(?:AIGC|synthetic data)\b|非合成数据", re.IGNORECASE
)


def stated_synthetic(text: str) -> bool | None:
    """Return what a text says about being synthetic.

    Parameters
    ----------
    text : str

    Returns
    -------
    bool or None
        True and False for ``synthetic: yes`` and ``synthetic: no`` and for plain words ("synthetic
        data", "not synthetic data", 合成数据); None when the text says nothing.

    Examples
    --------
    >>> stated_synthetic("synthetic=yes"), stated_synthetic("not synthetic data")
    (True, False)
    >>> stated_synthetic("recorded at rest") is None
    True
    """
    stated = _DECLARATION.search(text)
    if stated is not None:
        return stated["value"].lower() in ("yes", "true", "1")
    if _NEGATED.search(text):
        return False
    return True if _PLAIN_WORDS.search(text) else None
