"""Texts of a header that are kept: how the recording was made and what it shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

from sdq_core.aigc import label_in_text
from sdq_core.identifiers import identifiers_in_text
from sdq_signals.formats.declaration import synthesis

__all__ = ["KEPT", "from_comments", "kept", "label"]

KEPT: Final = (
    "synthetic", "generator", "generator_version", "algorithm", "algorithm_version", "version",
    "seed", "run", "condition", "label", "labels", "class", "rhythm", "dx",
)  # fmt: skip
"""Keys whose values are kept, in lower case with underscores; every other is left out."""
LONGEST: Final = 64
_PAIR = re.compile(r"<?([A-Za-z][A-Za-z0-9 _-]{0,40})>?\s*[:=]\s*(.+)")


def kept(texts: Mapping[str, object]) -> dict[str, str]:
    """Return the texts of allowed keys as metadata.

    Parameters
    ----------
    texts : mapping of str to object

    Returns
    -------
    dict of str to str
        Values of at most 64 characters that hold nothing that looks like an identifier.

    Examples
    --------
    >>> kept({"Generator Version": "2", "Patient": "...", "synthetic": True})
    {'generator_version': '2', 'synthetic': 'yes'}
    """
    found = {}
    for key, value in texts.items():
        name = re.sub(r"[ -]+", "_", key.strip().lower())
        if name in KEPT and isinstance(value, str | int | float):
            text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
            text = text.strip()[:LONGEST]
            if text and not identifiers_in_text(text):
                found[name] = text
        elif name == "aigc":
            object_ = value if isinstance(value, str) else json.dumps(value, default=str)
            found |= label([f"AIGC: {object_}"])
    return dict(sorted(found.items()))


def from_comments(comments: Iterable[str]) -> dict[str, str]:
    """Return what info strings say: ``key: value`` with an allowed key, and a declaration.

    Examples
    --------
    >>> from_comments(["seed: 7", "Name: ...", "synthetic: yes"])
    {'seed': '7', 'synthetic': 'yes'}
    """
    lines = list(comments)
    pairs = [found for found in map(_PAIR.fullmatch, lines) if found]
    return {**kept({found[1]: found[2] for found in pairs}), **synthesis(lines), **label(lines)}


def label(texts: Iterable[str]) -> dict[str, str]:
    """Return the label AIGC (GB 45438-2025) of the first text that carries one.

    Examples
    --------
    >>> label(["seed: 7", 'AIGC: {"Label": "1", "ProduceID": "42"}'])
    {'aigc': '{"Label":"1","ProduceID":"42"}'}
    """
    found = next((found for text in texts if (found := label_in_text(text))), "")
    return {"aigc": found} if found and not identifiers_in_text(found) else {}
