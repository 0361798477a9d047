"""What the provider states about the generator, as texts for the bundle's metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdq_core.result import Result

__all__ = ["stated"]


def stated(result: Result, key: str) -> str:
    """Return a fact that the provider stated, or an empty text.

    Parameters
    ----------
    result : Result
    key : str
        Dotted key of the generator's description.

    Returns
    -------
    str
        In English and Chinese where the provider wrote both.

    Examples
    --------
    >>> result = Result(study={"generator": {"dataset": {"name": {"en": "A", "zh": "甲"}}}},
    ...                 profile={}, modality={}, cohorts={}, measurements=(), verdicts={},
    ...                 findings={"total": 0}, exit_code=3, environment={})
    >>> stated(result, "dataset.name"), stated(result, "dataset.version")
    ('A / 甲', '')
    """
    value: Any = result.study.get("generator")
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, Mapping) and value and not value.keys() - {"en", "zh"}:
        return " / ".join(t for t in (_text(value.get("en")), _text(value.get("zh"))) if t)
    if isinstance(value, Mapping):
        parts = ((k, _text(v)) for k, v in sorted(value.items()))
        return "; ".join(f"{k}: {t}" for k, t in parts if t)
    if isinstance(value, list | tuple):
        return "; ".join(t for t in map(_text, value) if t)
    return "" if value is None else " ".join(str(value).split())
