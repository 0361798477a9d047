"""Checks of measuring: numbers that can be defended, and that see what they should."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, NamedTuple

from sdq_core.describe import DescribeReport
from sdq_core.evaluate import Described, document
from sdq_core.hashing import canonical_json
from sdq_core.judging import Judgement
from sdq_core.measurement import Interval, Measurement
from sdq_core.result import load_result
from sdq_core.testing.conforming import few, is_chinese, require
from sdq_core.testing.trial import Run, Trial
from sdq_core.vocabulary import TERMS, Verdict

__all__ = [
    "check_corruption_is_seen",
    "check_fresh_sample_does_not_fail",
    "check_identical_cohorts_are_ideal",
    "check_measurements_can_be_defended",
    "check_no_real_names",
    "check_result_is_whole",
]

_RANDOM: Final = re.compile("bootstrap|sampling|permut|re-split|random", re.IGNORECASE)
"""Words of an interval's method that speak of chance, which needs a seed."""
_ABOUT: Final = 0.25
"""How far towards the worse end of its noise floor a measure of identical cohorts may lie: ideals
such as the density's 1 lie in the middle of what real parts give."""
_SHORTEST: Final = 4
"""Characters from which on the name of a real item or subject is searched for."""


def check_measurements_can_be_defended(trial: Trial) -> None:
    """Check that each number has method, source, sizes, an interval around it, and its seed.

    Without one of them a person who asks where the number comes from gets no answer. A missing
    number has its reason in both languages.
    """
    for m in trial.run("fresh").measurements:
        if m.value is None:
            require(
                m.reason and not is_chinese(m.reason) and is_chinese(m.reason_zh),
                f"{m.key} has no value, and no reason in both languages; use sdq_core.reasons.why",
            )
            continue
        require(
            m.method.name.strip() and m.method.source.strip(),
            f"{m.key} names no method or no source; give a paper or a clause of a standard",
        )
        require(m.unit.strip(), f"{m.key} has no unit; write '1' for a pure number")
        require(
            m.aspect is None or m.aspect in TERMS,
            f"the aspect {m.aspect!r} of {m.key} is no key of sdq_core.vocabulary.TERMS",
        )
        if m.interval is None and m.noise_floor is None:
            continue
        require(
            m.n and all(n > 0 for n in m.n.values()),
            f"{m.key} has an interval and no sample sizes; fill n",
        )
        if m.interval is not None:
            slack = 1e-9 * max(1.0, abs(m.value))
            require(
                m.interval.low - slack <= m.value <= m.interval.high + slack,
                f"the value of {m.key}, {m.value:g}, lies outside of its interval "
                f"[{m.interval.low:g}, {m.interval.high:g}]",
            )
        for interval in (m.interval, m.noise_floor):
            require(
                interval is None
                or not _RANDOM.search(interval.method)
                or m.method.seed is not None,
                f"{m.key} is partly random and states no seed; put it into Method.seed",
            )


def check_fresh_sample_does_not_fail(trial: Trial) -> None:
    """Check that another real sample of the same law fails no criterion.

    The first thing that a laboratory tries. How often a fresh sample fails over many samples is
    measured by calibration, not here.
    """
    failed = _failed(trial.run("fresh"))
    require(
        not failed,
        f"a fresh sample of the same law fails {few((_reading(j) for j in failed), 3)}; widen the "
        "criterion with a reason, or correct the measure",
    )


def check_identical_cohorts_are_ideal(trial: Trial) -> None:
    """Check that the holdout's own items lie at the ideal of every measure of fidelity.

    Each lies about the centre of its noise floor or on the better side of it: at most a quarter
    of the way to the floor's worse end. A measure with an ideal between two sides may say "too
    close", and is left out.
    """
    run = trial.run("identical", trial.fidelity_ids)
    values = 0
    for judgement in run.judgements:
        m = judgement.measurement
        if m is None or m.value is None or m.better in (None, "closer"):
            continue
        values += 1
        require(
            judgement.verdict is not Verdict.FAIL,
            f"identical cohorts fail {_reading(judgement)}; is the direction `better` right?",
        )
        if m.noise_floor is not None:
            centre = _centre(m.noise_floor)
            worse = m.noise_floor.high if m.better == "lower" else m.noise_floor.low
            last = centre + _ABOUT * (worse - centre)
            slack = 1e-9 * max(1.0, abs(centre))
            require(
                m.value <= last + slack if m.better == "lower" else m.value >= last - slack,
                f"{m.key} of identical cohorts is {m.value:g}, on the bad side of {centre:g}, the "
                "centre of its noise floor",
            )
    require(values, "no measure of fidelity has a value and a direction: nothing can be ideal")


def check_corruption_is_seen(trial: Trial) -> None:
    """Check that the named measures get worse with the severity, and one of them fails.

    From severity 0 to 1 each gets worse beyond its interval; on the way none gets better beyond
    its interval.
    """
    wanted = set(trial.example.worsens)
    require(wanted, "the example names no measure in `worsens`: nothing sees its corruption")
    steps = [{m.key: m for m in r.measurements if m.id in wanted} for r in trial.corruption]
    lost = wanted - {m.id for m in steps[-1].values() if m.value is not None}
    require(not lost, f"{few(sorted(lost))} has no value under the corruption")
    for key, last in steps[-1].items():
        found = [step.get(key) for step in steps]
        if any(m is None or m.value is None for m in found):
            continue
        bad = [_badness(m) for m in found if m is not None]
        readings = ", ".join(f"{b.value:.4g}" for b in bad)
        require(
            bad[2].low > bad[0].high,
            f"{key} does not see the corruption: badness {readings} at severities 0, 0.5 and 1, "
            "the first and the last interval overlap",
        )
        for before, after in ((bad[0], bad[1]), (bad[1], bad[2])):
            require(
                after.high >= before.low,
                f"{last.key} gets better while the corruption grows: badness {readings} at "
                "severities 0, 0.5 and 1",
            )
    failed = {j.measurement.id for j in _failed(trial.corruption[-1]) if j.measurement}
    require(
        failed & wanted,
        f"the gross corruption fails none of {few(sorted(wanted))}; has the profile criteria for "
        "them, and the example enough items for their minimum_n?",
    )


def check_no_real_names(trial: Trial) -> None:
    """Check that no measurement holds the path, the id or the subject of a real item.

    Left out are pairs of suspected copies (``details["suspects"]``), which name what they
    resemble.
    """
    run = trial.run("fresh")
    cohorts = run.cohorts
    synthetic = {str(i) for i in cohorts.synthetic.table.ids} | {
        str(s) for s in cohorts.synthetic.groups
    }
    real = {
        name
        for cohort in cohorts.real
        for name in (*map(str, cohort.table.ids), *map(str, cohort.groups))
        if len(name) >= _SHORTEST and name not in synthetic
    }
    for m in run.measurements:
        data = asdict(m)
        data["details"] = {k: v for k, v in m.details.items() if k != "suspects"}
        texts = set(_texts(json.loads(canonical_json(data))))
        named = sorted(real & texts) + [t for t in sorted(texts) if str(trial.folder) in t]
        require(not named, f"{m.key} holds {few(named, 2)}: outputs must not name what is real")


def check_result_is_whole(trial: Trial) -> None:
    """Check that the fresh sample's ``result.json`` can be written and read back.

    With its findings, manifests and pictures, and the same bytes the second time.
    """
    results = []
    for number in (1, 2):
        out = trial.empty_folder(f"out-{number}")
        _write(trial, trial.run("fresh"), out)
        result = load_result(out / "result.json")
        results.append(result.model_dump(exclude={"environment"}))
        require(
            len(result.measurements) >= len(trial.run("fresh").measurements),
            "result.json lost measurements",
        )
    require(results[0] == results[1], "the same evaluation gives another result.json")


def _write(trial: Trial, run: Run, out: Path) -> None:
    cohorts = run.cohorts
    described = Described(
        cohorts.study, trial.modality, cohorts, (), DescribeReport((), len(run.prints), 0)
    )
    document(described, trial.profile, run.judgements, run.findings, out, {}, show_real=False)


def _failed(run: Run) -> list[Judgement]:
    return [j for j in run.judgements if j.verdict is Verdict.FAIL and j.measurement is not None]


def _reading(judgement: Judgement) -> str:
    m = judgement.measurement
    assert m is not None, "asked of measurements only"
    around = "" if m.interval is None else f" [{m.interval.low:.4g}, {m.interval.high:.4g}]"
    value = "none" if m.value is None else f"{m.value:.4g}"
    low, high = ("open" if b is None else f"{b:.4g}" for b in (judgement.low, judgement.high))
    return f"{m.key} = {value}{around}, acceptable {low} to {high}"


def _centre(interval: Interval) -> float:
    return interval.centre if interval.centre is not None else (interval.low + interval.high) / 2


class _Badness(NamedTuple):
    """How bad a measurement is, whatever its direction."""

    value: float
    low: float
    high: float


def _badness(m: Measurement) -> _Badness:
    assert m.value is not None, "asked of values only"
    low, high = (m.value, m.value) if m.interval is None else (m.interval.low, m.interval.high)
    if m.better == "higher":
        return _Badness(-m.value, -high, -low)
    if m.better == "closer" and m.noise_floor is not None:
        centre = _centre(m.noise_floor)
        inside = 0.0 if low <= centre <= high else min(abs(low - centre), abs(high - centre))
        outer = max(abs(low - centre), abs(high - centre))
        return _Badness(abs(m.value - centre), inside, outer)
    return _Badness(m.value, low, high)


def _texts(value: Any) -> Iterator[str]:
    """Return every text in JSON-ready data, keys among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
