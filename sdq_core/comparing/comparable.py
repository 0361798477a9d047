"""What two results must share for their numbers to mean the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sdq_core.errors import UsageError
from sdq_core.result import MeasurementModel, Result, load_result
from sdq_core.vocabulary import Role

__all__ = ["Entry", "Mismatch", "entries", "mismatches"]

_STUDY: Final = ("settings", "classes", "subgroup", "purpose")
MOST: Final = 8
"""Results that a page can show side by side."""


@dataclass(frozen=True)
class Entry:
    """One result under a name of its own.

    Parameters
    ----------
    name : str
    result : Result
    """

    name: str
    result: Result


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that differs between the first result and another.

    Parameters
    ----------
    key : str
        ``"real cohorts"``, ``"profile"``, ``"settings"`` ...
    name : str
        Of the other result.
    first, other : str
        What each has.
    blocks : bool
        Whether numbers or verdicts of the two mean different things.
    """

    key: str
    name: str
    first: str
    other: str
    blocks: bool


def entries(paths: Sequence[Path]) -> tuple[Entry, ...]:
    """Load results and give them names that tell them apart.

    Parameters
    ----------
    paths : sequence of Path
        Files ``result.json``, or folders that hold one.

    Returns
    -------
    tuple of Entry
        Named by their studies; where those are alike by their folders, by their files, or by
        numbers.

    Raises
    ------
    UsageError
        Fewer than two, or too many.
    StoreError
        One cannot be read.
    """
    if not 2 <= len(paths) <= MOST:
        raise UsageError(
            f"compare: {len(paths)} results are given; give at least two and at most {MOST}"
        )
    files = [p / "result.json" if p.is_dir() else p for p in paths]
    results = [load_result(file) for file in files]
    choices = (
        [str(r.study.get("name", "")) for r in results],
        [file.resolve().parent.name for file in files],
        [file.name.removesuffix(".json") for file in files],
        [str(k + 1) for k in range(len(files))],
    )
    names = next(c for c in choices if all(c) and len(set(c)) == len(c))
    return tuple(Entry(name, result) for name, result in zip(names, results, strict=True))


def mismatches(first: Entry, other: Entry) -> tuple[Mismatch, ...]:
    """Return what differs between two results besides the synthetic data.

    Parameters
    ----------
    first, other : Entry

    Returns
    -------
    tuple of Mismatch
        Those that block first.
    """
    found = [
        Mismatch(key, other.name, one, two, blocks)
        for key, one, two, blocks in _facts(first.result, other.result)
        if one != two
    ]
    return tuple(sorted(found, key=lambda m: not m.blocks))


def _facts(one: Result, two: Result) -> Iterator[tuple[str, str, str, bool]]:
    yield "modality", _text(one.modality.get("name")), _text(two.modality.get("name")), True
    for role in (Role.TRAIN, Role.HOLDOUT):
        yield f"real cohort {role}", _digest(one, role), _digest(two, role), True
    for key in ("describer_version", "describer"):
        yield key.replace("_", " "), *_differing(one.modality.get(key), two.modality.get(key)), True
    yield "profile", _profile(one), _profile(two), True
    rules = _rules(one), _rules(two)
    changed = sorted(k for k in rules[0].keys() & rules[1].keys() if rules[0][k] != rules[1][k])
    if changed:
        yield "criteria", ", ".join(changed), "other rules for the same measures", True
    for key in _STUDY:
        yield f"study: {key}", *_differing(one.study.get(key), two.study.get(key)), True
    yield "study: seed", _text(one.study.get("seed")), _text(two.study.get("seed")), False
    yield "sdq", _version(one), _version(two), False


def _digest(result: Result, role: Role) -> str:
    cohort = result.cohorts.get(role)
    return "none" if cohort is None else f"{cohort.items} items, sha256 {cohort.digest[:12]}"


def _profile(result: Result) -> str:
    return " ".join(result.profile[k] for k in ("name", "version") if k in result.profile)


def _version(result: Result) -> str:
    return _text((result.environment.get("packages") or {}).get("sdq"))


def _rules(result: Result) -> dict[str, str]:
    return {
        _key(m): _text({"mandatory": m.criterion.mandatory, **m.criterion.rule})
        for m in result.measurements
        if m.criterion is not None
    }


def _key(measurement: MeasurementModel) -> str:
    variant = measurement.variant
    return measurement.id if variant is None else f"{measurement.id}[{variant}]"


def _differing(one: Any, two: Any) -> tuple[str, str]:
    """Return two values as text: of mappings only the keys that differ."""
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        keys = [k for k in {**one, **two} if one.get(k) != two.get(k)]
        return tuple(_text({k: v.get(k) for k in keys}) for v in (one, two))  # type: ignore[return-value]
    return _text(one), _text(two)


def _text(value: Any) -> str:
    words = (
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    )
    return words if len(words) <= 300 else f"{words[:300]} ..."
