"""From the records of cases to rates: what was found, what clean data set off, what was missed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Final

from sdq_core.calibration.defect import Defect
from sdq_core.calibration.model import (
    CaseRecord,
    Clean,
    DefectSummary,
    Estimated,
    Rate,
    Reading,
    SeveritySummary,
    Tally,
    Words,
)
from sdq_core.vocabulary import Characteristic, Role, Verdict

__all__ = ["NEAR", "POWER", "clean_summary", "defect_summary", "rate"]

POWER: Final = 0.8
"""Share of runs from which a severity counts as found; Cohen 1988, ISBN 978-0-8058-0283-2."""
NEAR: Final = 0.02
"""How far an estimated share may lie from the planted one."""


def rate(count: int, n: int) -> Rate:
    """Return a share with its exact 95 % interval.

    Parameters
    ----------
    count, n : int
        ``0 <= count <= n``, n at least 1.

    Returns
    -------
    Rate
        Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> found = rate(20, 20)
    >>> found.share, round(found.low, 3), found.high
    (1.0, 0.832, 1.0)
    """
    from sdq_core.statistics import binomial_interval

    interval = binomial_interval(count, n)
    return Rate(count=count, n=n, low=interval.low, high=interval.high)


def clean_summary(records: Sequence[CaseRecord], defects: Sequence[Defect]) -> Clean:
    """Return what the fresh real sample set off.

    Parameters
    ----------
    records : sequence of CaseRecord
        Of the fresh sample.
    defects : sequence of Defect
        Whose estimating measures are read as well.
    """
    if not records:
        return Clean(runs=0)
    alarms = sum(
        any(m.mandatory and m.verdict is Verdict.FAIL for m in r.measurements) for r in records
    )
    estimators = dict.fromkeys(d.estimated_by for d in defects if d.estimated_by)
    return Clean(
        runs=len(records),
        study=rate(alarms, len(records)),
        characteristics=_characteristics(records),
        measures=_measures(records, lambda tally: True),
        estimated=tuple(_estimated(records, measure, 0.0) for measure in estimators),
    )


def defect_summary(
    defect: Defect, records: Sequence[CaseRecord], fresh: Sequence[CaseRecord]
) -> DefectSummary:
    """Return how often a defect was found.

    Parameters
    ----------
    defect : Defect
    records : sequence of CaseRecord
        Of this defect.
    fresh : sequence of CaseRecord
        Of the fresh sample: rules are read beside the run of the same seed.
    """
    unplanted = {r.seed: r for r in fresh}
    severities = [
        _severity(defect, severity, own, unplanted)
        for severity in defect.severities
        if (own := [r for r in records if r.severity == severity])
    ]
    by_measure = {
        seen: _smallest(
            (s.severity, _share(s, seen)) for s in severities if _share(s, seen) is not None
        )
        for seen in defect.sees
    }
    return DefectSummary(
        id=defect.id,
        title=Words(en=defect.title[0], zh=defect.title[1]),
        unit=Words(en=defect.unit[0], zh=defect.unit[1]),
        targets=defect.targets,
        side_effects=defect.side_effects,
        sees=defect.sees,
        source=defect.source,
        unacceptable=defect.unacceptable,
        severities=tuple(severities),
        smallest_found=_smallest((s.severity, s.found.share) for s in severities),
        smallest_by_measure=by_measure,
    )


def _severity(
    defect: Defect,
    severity: float,
    records: Sequence[CaseRecord],
    unplanted: Mapping[int, CaseRecord],
) -> SeveritySummary:
    found = sum(any(r.verdicts.get(t) is Verdict.FAIL for t in defect.targets) for r in records)
    measured = {m.id for r in records for m in r.measurements}
    measures = _measures(records, lambda tally: tally.fail.count > 0, also=defect.sees)
    paired = [(r, unplanted[r.seed]) for r in records if r.seed in unplanted]
    rules: dict[str, Rate] = {}
    if paired:
        named = {rule for r, _ in paired for rule in r.rules}
        for rule in sorted(named | {s for s in defect.sees if s not in measured}):
            risen = sum(_rule_share(own, rule) > _rule_share(base, rule) for own, base in paired)
            if risen or rule in defect.sees:
                rules[rule] = rate(risen, len(paired))
    return SeveritySummary(
        severity=severity,
        grave=defect.grave(severity),
        found=rate(found, len(records)),
        characteristics=_characteristics(records),
        measures=measures,
        rules=rules,
        estimated=_estimated(records, defect.estimated_by, severity)
        if defect.estimated_by
        else None,
    )


def _rule_share(record: CaseRecord, rule: str) -> float:
    return record.rules.get(rule, 0) / max(record.items[Role.SYNTHETIC], 1)


def _share(summary: SeveritySummary, seen: str) -> float | None:
    """Return in what share of runs a measure or a rule saw the defect; None where it was absent."""
    if seen in summary.measures:
        return summary.measures[seen].fail.share
    return summary.rules[seen].share if seen in summary.rules else None


def _smallest(shares: Iterable[tuple[float, float | None]]) -> float | None:
    """Return the smallest severity from which on all shares reach the power; None without one."""
    smallest = None
    for severity, share in sorted(shares, reverse=True):
        if share is None or share < POWER:
            break
        smallest = severity
    return smallest


def _characteristics(records: Sequence[CaseRecord]) -> dict[Characteristic, Tally]:
    return {
        c: _tally([r.verdicts.get(c, Verdict.NOT_ASSESSED) for r in records])
        for c in Characteristic
    }


def _measures(
    records: Sequence[CaseRecord],
    wanted: Callable[[Tally], bool],
    also: Sequence[str] = (),
) -> dict[str, Tally]:
    """Return the tallies of the judged measures; a measure fails where one of its variants does."""
    verdicts: dict[str, list[Verdict]] = {}
    for record in records:
        readings: dict[str, list[Verdict]] = {}
        for reading in record.measurements:
            if reading.verdict is not None:
                readings.setdefault(reading.id, []).append(reading.verdict)
        for name, found in readings.items():
            verdicts.setdefault(name, []).append(_worst(found))
    tallies = {name: _tally(found) for name, found in sorted(verdicts.items())}
    return {name: t for name, t in tallies.items() if name in also or wanted(t)}


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the worst of the variants; one that could not be assessed hides no other."""
    order = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS, Verdict.NOT_ASSESSED)
    return next(v for v in order if v in verdicts)


def _tally(verdicts: Sequence[Verdict]) -> Tally:
    return Tally(
        fail=rate(sum(v is Verdict.FAIL for v in verdicts), len(verdicts)),
        inconclusive=sum(v is Verdict.INCONCLUSIVE for v in verdicts),
        not_assessed=sum(v is Verdict.NOT_ASSESSED for v in verdicts),
    )


def _estimated(records: Sequence[CaseRecord], measure: str, planted: float) -> Estimated:
    readings: list[Reading] = []
    for record in records:
        found = [m for m in record.measurements if m.value is not None and _is(m, measure)]
        readings += found[:1]  # where none is named, the first is the modality's own choice
    if not readings:
        return Estimated(measure=measure, planted=planted, runs=0)
    values = [r.value for r in readings if r.value is not None]
    near = sum(_near(r, planted) for r in readings)
    return Estimated(
        measure=measure,
        planted=planted,
        runs=len(readings),
        mean=fmean(values),
        largest_difference=max(abs(v - planted) for v in values),
        near=rate(near, len(readings)),
        alarms=rate(sum(r.verdict is Verdict.FAIL for r in readings), len(readings)),
    )


def _is(reading: Reading, measure: str) -> bool:
    return measure in (reading.id, f"{reading.id}[{reading.variant}]")


def _near(reading: Reading, planted: float) -> bool:
    assert reading.value is not None, "asked of readings with a value only"
    inside = (
        reading.low is not None and reading.high is not None
        and reading.low <= planted <= reading.high
    )  # fmt: skip
    # A difference of exactly two points is near, whatever its binary form.
    return inside or abs(reading.value - planted) <= NEAR + 1e-12
