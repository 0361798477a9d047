"""Comparisons as plain data, ``sdq.comparison/1``: for programs."""

from __future__ import annotations

import json
from typing import Any, Final

from sdq_core.comparing.changes import ALPHA, Change, Comparison, FailOn
from sdq_core.comparing.comparable import Entry, Mismatch
from sdq_core.comparing.ranking import RankedMeasure, SideBySide
from sdq_core.result import MeasurementModel
from sdq_core.statistics.interval_differences import RANK_SOURCE, SOURCES
from sdq_core.vocabulary import Role

__all__ = ["SCHEMA", "as_json"]

SCHEMA: Final = "sdq.comparison/1"


def as_json(found: Comparison | SideBySide, fail_on: FailOn = FailOn.INTERVAL) -> str:
    """Return a comparison as JSON.

    Parameters
    ----------
    found : Comparison or SideBySide
    fail_on : FailOn
        For the exit code of a comparison of two.

    Returns
    -------
    str
        The same for the same results. Of two results ``changes``, of several ``measures`` with
        the best and the worst rank of each generator.
    """
    data = _of_two(found, fail_on) if isinstance(found, Comparison) else _of_several(found)
    return (
        json.dumps({"schema": SCHEMA, **data}, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    )


def _of_two(found: Comparison, fail_on: FailOn) -> dict[str, Any]:
    return {
        "results": [_entry(e) for e in (found.before, found.after)],
        "differs": [_mismatch(m) for m in found.mismatches],
        "rule": _rule(found.tested, list(SOURCES)),
        "verdicts": {c: [str(v) for v in verdicts] for c, verdicts in found.verdicts.items()},
        "changes": [_change(c) for c in found.changes],
        "worse_verdicts": list(found.worse_verdicts),
        "fail_on": str(fail_on),
        "exit_code": found.exit_code(fail_on),
    }


def _of_several(found: SideBySide) -> dict[str, Any]:
    return {
        "results": [_entry(e) for e in found.entries],
        "differs": [_mismatch(m) for m in found.mismatches],
        "rule": _rule(found.pairs, [*SOURCES, RANK_SOURCE]),
        "verdicts": {c: [str(v) for v in verdicts] for c, verdicts in found.verdicts.items()},
        "measures": [_measure(m) for m in found.measures],
        "exit_code": 0,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    result = entry.result
    cohort = result.cohorts.get(Role.SYNTHETIC)
    return {
        "name": entry.name,
        "made": result.environment.get("timestamp"),
        "synthetic": None if cohort is None else {"items": cohort.items, "digest": cohort.digest},
    }


def _mismatch(found: Mismatch) -> dict[str, Any]:
    return {
        "what": found.key,
        "result": found.name,
        "first": found.first,
        "other": found.other,
        "blocks": found.blocks,
    }


def _rule(tested: int, sources: list[str]) -> dict[str, Any]:
    return {
        "name": "intervals of differences by variance recovery, Holm over all",
        "alpha": ALPHA,
        "tested": tested,
        "sources": sources,
    }


def _change(change: Change) -> dict[str, Any]:
    measure, moved = change.either, change.difference
    return {
        **_named(measure),
        "before": _estimate(change.before),
        "after": _estimate(change.after),
        "difference": None
        if moved is None
        else {
            "value": moved.value,
            "low": moved.low,
            "high": moved.high,
            "p": moved.p,
            "p_holm": change.p_holm,
        },
        "outcome": str(change.outcome),
        "reason": None if change.missing is None else str(change.missing),
        "verdict": str(change.verdict),
        "verdict_counts": change.counts,
    }


def _measure(measure: RankedMeasure) -> dict[str, Any]:
    return {
        **_named(measure.first),
        "told_apart": measure.told_apart,
        "generators": [
            {
                **(_estimate(m) or {"value": None, "reason": "not in this result"}),
                "rank": None if rank is None else list(rank),
            }
            for m, rank in zip(measure.measurements, measure.ranks, strict=True)
        ],
    }


def _named(measure: MeasurementModel) -> dict[str, Any]:
    return {
        "id": measure.id,
        "variant": measure.variant,
        "characteristic": str(measure.characteristic),
        "better": measure.better,
        "unit": measure.unit,
    }


def _estimate(measure: MeasurementModel | None) -> dict[str, Any] | None:
    if measure is None:
        return None
    interval = measure.interval
    return {
        "value": measure.value,
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
        "reason": measure.reason,
        "verdict": None if measure.verdict is None else str(measure.verdict),
    }
