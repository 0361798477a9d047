"""How a recording says that it is synthetic, and by what it was made.

EDF and BDF: the word in the recording field or in an annotation. WFDB: info strings such as
``# synthetic: yes`` and ``# generator: ...``. DICOM: Synthetic Data (0008,001C). Details are
``key=value`` or ``key: value``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sdq_core.identifiers import identifiers_in_text
from sdq_core.synthetic_words import stated_synthetic

__all__ = ["KEYS", "synthesis"]

KEYS = ("generator", "version", "seed", "condition", "run")
"""Details that are kept."""

_DETAIL = re.compile(
    r"\b(generator|version|seed|condition|run)[ _]?(?:id)?[ _]*[=:][ _]*([^;,\n\r=]{1,64})",
    re.IGNORECASE,
)
_OF_SIGNALS = re.compile(
    r"\bsynthetic[ _-]+(?:\w+[ _-]+)?(?:ecg|eeg|ppg|signals?|recordings?|records?|waveforms?)\b"
    r"|合成(?:信号|心电|脑电|脉搏|记录)",
    re.IGNORECASE,
)
_WORD = re.compile(r"(?<![a-z])synthetic(?![a-z])|合成", re.IGNORECASE)
_NEGATED = re.compile(
    r"\b(?:no|not|non)[ _-]+(?:an? )?synthetic|synthetic[ _]*[=:][ _]*(?:no|false|0)\b|非合成",
    re.IGNORECASE,
)


def synthesis(texts: Iterable[str], *, word: bool = False) -> dict[str, str]:
    """Return what the texts of a header say about synthesis.

    Parameters
    ----------
    texts : iterable of str
        One for each statement: an info string, a subfield, an annotation.
    word : bool
        Whether the bare word "synthetic" is enough; else it must be said of data or signals, by
        ``synthetic: yes`` or by naming a ``generator``.

    Returns
    -------
    dict of str to str
        ``synthetic``: ``"yes"`` or ``"no"``; with ``"yes"`` also those of `KEYS` that are stated
        and hold no identifier. Empty where nothing is said.

    Examples
    --------
    >>> synthesis(["synthetic: yes", "generator: vae", "seed: 7"])
    {'synthetic': 'yes', 'generator': 'vae', 'seed': '7'}
    >>> synthesis(["takes a synthetic opioid"])
    {}
    """
    answers: set[bool] = set()
    details: dict[str, str] = {}
    for text in texts:
        if _NEGATED.search(text):
            answers.add(False)
        elif stated_synthetic(text) or _OF_SIGNALS.search(text) or (word and _WORD.search(text)):
            answers.add(True)
        for key, value in _DETAIL.findall(text):
            if not identifiers_in_text(value):
                details.setdefault(key.lower(), value.strip(" _"))
    if "generator" in details:
        answers.add(True)
    if True in answers:
        return {"synthetic": "yes"} | {key: details[key] for key in KEYS if key in details}
    return {"synthetic": "no"} if answers else {}
