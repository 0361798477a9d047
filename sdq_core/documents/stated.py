"""What the provider states, as text in one language; what is missing says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sdq_core.documents.model import Inline, lines, words
from sdq_core.documents.naming import one_of, plain, word
from sdq_core.documents.texts import text
from sdq_core.generator import definition
from sdq_core.vocabulary import Language

if TYPE_CHECKING:
    from sdq_core.generator import Fact

__all__ = ["label", "stated"]

_NONE = "none"
"""What a provider writes where something does not exist."""


def label(fact: Fact, language: str) -> str:
    """Return what a fact is called."""
    return one_of(fact.label, fact.label_zh, language)


def stated(fact: Fact, language: str) -> Inline:
    """Return what is stated, or visibly that nothing is.

    Parameters
    ----------
    fact : Fact
    language : {"en", "zh"}

    Returns
    -------
    Inline
        Lists and histories one entry a line; what the data contradict stands below.

    Examples
    --------
    >>> from sdq_core.generator import Generator
    >>> facts = {f.key: f for f in Generator().facts()}
    >>> stated(facts["algorithm.name"], "zh")
    (Span(text='未提供', style='missing', to=''),)
    """
    if fact.value is None:
        return words(word("not_provided", language), "missing")
    choices = definition(fact.key).choices
    entries = fact.value if isinstance(fact.value, list | tuple) else (fact.value,)
    said = lines(words(_said(entry, choices, language)) for entry in entries)
    against = one_of(fact.contradicted, fact.contradicted_zh, language)
    return lines((said, words(against, "missing")))


def _said(value: Any, choices: Mapping[str, Sequence[str]], language: str) -> str:
    zh = Language(language) is Language.ZH
    if isinstance(value, str):
        if value in choices:
            return choices[value][zh]
        return text("none", language) if value == _NONE else value
    if isinstance(value, Mapping):
        if value and set(value) <= {"en", "zh"}:
            order = ("zh", "en") if zh else ("en", "zh")
            return next((str(value[key]) for key in order if value.get(key)), "–")
        if value and set(value) <= {"version", "date", "what"}:
            # An entry of the history reads without the names of its parts.
            parts = (_said(value[key], choices, language) for key in ("date", "version", "what")
                     if value.get(key))  # fmt: skip
            return text("comma", language).join(parts)
        parts = (
            f"{key}{text('colon', language)}{_said(inner, choices, language)}"
            for key, inner in value.items()
            if inner not in (None, "", [], {})
        )
        return text("semicolon", language).join(parts)
    if isinstance(value, list | tuple):
        return text("list", language).join(_said(inner, choices, language) for inner in value)
    if isinstance(value, bool):
        return text("yes" if value else "no", language)
    return plain(value)
