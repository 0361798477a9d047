"""The table of the facts that a generator's description is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

from sdq_core.vocabulary import TERMS

__all__ = ["FactDefinition", "definition", "definitions"]

Both = tuple[str, str]
"""English and Chinese."""


@dataclass(frozen=True)
class FactDefinition:
    """One fact that is asked for.

    Parameters
    ----------
    key : str
        Dotted key of the description.
    section : tuple of str
        Title of the section, English and Chinese.
    requirement : str
        Id of the requirement that leads to it.
    label, wanted : tuple of str
        What it is called and what is wanted, English and Chinese.
    form : {"text", "number", "mapping", "list"}
    choices : dict of str to tuple of str
        Allowed words -> what they mean; empty: any text.
    """

    key: str
    section: Both
    requirement: str
    label: Both
    wanted: Both
    form: Literal["text", "number", "mapping", "list"] = "text"
    choices: dict[str, Both] = field(default_factory=dict)


@cache
def definitions() -> tuple[FactDefinition, ...]:
    """Return all facts in the order in which a reader wants them.

    Examples
    --------
    >>> definitions()[0].key, definitions()[0].label
    ('dataset.name', ('Name', '名称'))
    """
    text = (files("sdq_core.generator") / "facts.yaml").read_text(encoding="utf-8")
    found = []
    for section in yaml.safe_load(text)["sections"]:
        for row in section["facts"]:
            choices = {
                word: TERMS[said] if isinstance(said, str) else _both(said)
                for word, said in row.get("choices", {}).items()
            }
            found.append(
                FactDefinition(
                    row["key"],
                    _both(section["title"]),
                    row["requirement"],
                    _both(row["label"]),
                    _both(row["wanted"]),
                    row.get("form", "text"),
                    choices,
                )
            )
    return tuple(found)


def definition(key: str) -> FactDefinition:
    """Return one fact.

    Raises
    ------
    KeyError
        There is no such fact.
    """
    for found in definitions():
        if found.key == key:
            return found
    raise KeyError(f"the generator's description has no fact {key!r}")


def _both(words: list[Any]) -> Both:
    english, chinese = words
    return english, chinese
