"""Step 4, judge: measurements meet criteria. No number is computed from data here."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sdq_core.measurement import Measurement
from sdq_core.profiles import Criterion, Profile
from sdq_core.vocabulary import Characteristic, Verdict, worst

__all__ = [
    "FOUND",
    "Code",
    "Judgement",
    "Missed",
    "characteristic_verdicts",
    "exit_code",
    "judge",
    "judge_all",
    "unproven",
]

FOUND = 0.95
"""Share of runs in which a grave defect must be found before a pass is believed."""


class Code(StrEnum):
    """Why a verdict is what it is; documents turn the code into words."""

    INSIDE = "interval_inside"
    OUTSIDE = "interval_outside"
    STRADDLES = "interval_straddles"
    TOO_FEW = "too_few_items"
    NO_VALUE = "no_value"
    NO_FLOOR = "no_noise_floor"
    NO_CRITERION = "no_criterion"
    NOT_PRODUCED = "not_produced"
    NOT_APPLICABLE = "not_applicable"
    DEFECT_MISSED = "defect_missed"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a criterion says of a measurement.

    Parameters
    ----------
    measurement : Measurement or None
        None: the profile asks for a measure that was not produced.
    criterion : Criterion or None
        None: the number is informative only.
    verdict : Verdict or None
        None exactly where there is no criterion.
    code : Code
    low, high : float or None
        The acceptable range that was applied; None is open.
    needed_factor : float or None
        For a straddling interval: about how many times the sample would settle it.
    """

    measurement: Measurement | None
    criterion: Criterion | None
    verdict: Verdict | None
    code: Code
    low: float | None = None
    high: float | None = None
    needed_factor: float | None = None


def judge(measurement: Measurement, criterion: Criterion | None) -> Judgement:
    """Judge one measurement by one criterion.

    Parameters
    ----------
    measurement : Measurement
    criterion : Criterion or None

    Returns
    -------
    Judgement
        ``pass`` when the interval lies inside the acceptable range, ``fail`` when it lies outside,
        ``inconclusive`` when it straddles a limit (equivalence by confidence interval: Schuirmann
        1987, doi:10.1007/BF01068419). A number without interval is taken as exact. With fewer items
        than the criterion's ``minimum_n`` nothing passes, and only what is grossly wrong fails: its
        interval, stretched about the value by ``sqrt(minimum_n / n)``, still lies outside.

    Examples
    --------
    >>> from sdq_core.measurement import Interval
    >>> rule = Criterion(id="imaging.fidelity.mmd", at_most=0.1, reason="", source="")
    >>> m = Measurement("imaging.fidelity.mmd", 0.05, interval=Interval(0.02, 0.15, "bootstrap"))
    >>> judge(m, rule).verdict.value
    'inconclusive'
    """
    if criterion is None:
        return Judgement(measurement, None, None, Code.NO_CRITERION)
    if not measurement.applicable:
        # The criterion asks nothing of this kind of data, so it counts neither way.
        return Judgement(measurement, None, None, Code.NOT_APPLICABLE)
    if measurement.value is None:
        return Judgement(measurement, criterion, Verdict.NOT_ASSESSED, Code.NO_VALUE)
    limits = _limits(measurement, criterion)
    if limits is None:
        return Judgement(measurement, criterion, Verdict.NOT_ASSESSED, Code.NO_FLOOR)
    low, high = limits
    bound_low, bound_high = (None if math.isinf(b) else b for b in limits)
    interval = measurement.interval
    fewest = min(measurement.n.values(), default=criterion.minimum_n)
    if fewest < criterion.minimum_n:
        gross = interval is not None and fewest > 0
        if gross and _far_outside(measurement, criterion.minimum_n / fewest, low, high):
            return Judgement(
                measurement, criterion, Verdict.FAIL, Code.OUTSIDE, bound_low, bound_high
            )
        return Judgement(
            measurement, criterion, Verdict.INCONCLUSIVE, Code.TOO_FEW, bound_low, bound_high
        )
    first, last = (
        (measurement.value, measurement.value)
        if interval is None
        else (interval.low, interval.high)
    )
    if low <= first and last <= high:
        return Judgement(measurement, criterion, Verdict.PASS, Code.INSIDE, bound_low, bound_high)
    if last < low or first > high:
        return Judgement(measurement, criterion, Verdict.FAIL, Code.OUTSIDE, bound_low, bound_high)
    return Judgement(
        measurement,
        criterion,
        Verdict.INCONCLUSIVE,
        Code.STRADDLES,
        bound_low,
        bound_high,
        _needed(measurement.value, first, last, low, high),
    )


def _far_outside(measurement: Measurement, shortage: float, low: float, high: float) -> bool:
    """Whether an interval lies outside even when it is stretched.

    Errors shrink with the root of n, so this holds an interval of few items to what an interval
    of `minimum_n` would have to deviate; where a bootstrap of few items is too narrow, it is safe.
    """
    interval, value = measurement.interval, measurement.value
    assert interval is not None
    assert value is not None
    stretch = math.sqrt(shortage)
    return (
        value + stretch * (interval.high - value) < low
        or value - stretch * (value - interval.low) > high
    )


def judge_all(measurements: Sequence[Measurement], profile: Profile) -> tuple[Judgement, ...]:
    """Judge all measurements of a study, and name the criteria that found none.

    Returns
    -------
    tuple of Judgement
        One for each measurement in their order, then one for each criterion without measurement.
    """
    exact = {(c.id, c.variant): c for c in profile.criteria}
    used: set[tuple[str, str | None]] = set()
    judgements = []
    for measurement in measurements:
        keys = ((measurement.id, measurement.variant), (measurement.id, None))
        key = next((k for k in keys if k in exact and _asks(exact[k], measurement)), None)
        if key is not None:
            used.add(key)
        if not measurement.applicable and measurement.variant is None:  # nor are its variants
            used.update(k for k in exact if k[0] == measurement.id)
        judgements.append(judge(measurement, None if key is None else exact[key]))
    for key, criterion in exact.items():
        if key not in used:
            judgements.append(Judgement(None, criterion, Verdict.NOT_ASSESSED, Code.NOT_PRODUCED))
    return tuple(judgements)


def _asks(criterion: Criterion, measurement: Measurement) -> bool:
    return measurement.variant is None or measurement.variant not in criterion.except_variants


def characteristic_verdicts(judgements: Sequence[Judgement]) -> dict[Characteristic, Verdict]:
    """Return each characteristic's verdict: the worst of its mandatory measures.

    Returns
    -------
    dict
        All seven in the standard's order; one without a mandatory criterion is ``not_assessed``.
    """
    collected: dict[Characteristic, list[Verdict]] = {c: [] for c in Characteristic}
    for judgement in judgements:
        criterion = judgement.criterion
        if criterion is not None and criterion.mandatory and judgement.verdict is not None:
            collected[Characteristic(criterion.id.split(".")[1])].append(judgement.verdict)
    return {c: worst(v) for c, v in collected.items()}


@dataclass(frozen=True, slots=True)
class Missed:
    """How often calibration found a grave defect.

    Parameters
    ----------
    defect : str
    severity : float
    found, runs : int
    targets : tuple of Characteristic
        That are there to see it.
    """

    defect: str
    severity: float
    found: int
    runs: int
    targets: tuple[Characteristic, ...]


def unproven(
    verdicts: Mapping[Characteristic, Verdict], grave: Sequence[Missed]
) -> dict[Characteristic, Missed]:
    """Return the passes that calibration does not bear: they are ``inconclusive``.

    Parameters
    ----------
    verdicts : mapping of Characteristic to Verdict
        By the measures alone.
    grave : sequence of Missed
        Every grave defect at each severity that was tested.

    Returns
    -------
    dict of Characteristic to Missed
        For each pass the grave defect of its own that was found least often, where that is in less
        than 95 % of runs: what a measure would not have seen, its pass does not exclude.

    Examples
    --------
    >>> fidelity = Characteristic.FIDELITY
    >>> blur = Missed("blur", 2.0, 12, 20, (fidelity,))
    >>> list(unproven({fidelity: Verdict.PASS}, [blur])), unproven({fidelity: Verdict.FAIL}, [blur])
    ([<Characteristic.FIDELITY: 'fidelity'>], {})
    """
    found = {}
    for characteristic, verdict in verdicts.items():
        own = [m for m in grave if characteristic in m.targets and m.found < FOUND * m.runs]
        if verdict is Verdict.PASS and own:
            found[characteristic] = min(own, key=lambda m: m.found / m.runs)
    return found


def exit_code(judgements: Sequence[Judgement], changed: Collection[Characteristic] = ()) -> int:
    """Return the exit code of a judged study.

    Parameters
    ----------
    judgements : sequence of Judgement
    changed : collection of Characteristic
        Whose pass became inconclusive, see `unproven`.

    Returns
    -------
    int
        1 when any criterion is not met; else 3 when a mandatory measure is inconclusive or not
        assessed, or a pass became inconclusive; else 0.
    """
    if any(j.verdict is Verdict.FAIL for j in judgements):
        return 1
    mandatory = [j for j in judgements if j.criterion is not None and j.criterion.mandatory]
    return 3 if changed or any(j.verdict is not Verdict.PASS for j in mandatory) else 0


def _limits(measurement: Measurement, criterion: Criterion) -> tuple[float, float] | None:
    """Return the acceptable range, or None when the criterion needs a missing noise floor."""
    low, high = -math.inf, math.inf
    if criterion.at_least is not None:
        low = criterion.at_least
    if criterion.at_most is not None:
        high = criterion.at_most
    if measurement.target is not None and criterion.declared_target is not None:
        if criterion.declared_target == "at_least":
            return measurement.target, math.inf
        return -math.inf, measurement.target
    if criterion.within_noise_floor is None:
        return low, high
    absolute = criterion.at_least is not None or criterion.at_most is not None
    floor = measurement.noise_floor
    if floor is None:
        return (low, high) if absolute else None
    centre = floor.centre if floor.centre is not None else (floor.low + floor.high) / 2
    factor = criterion.within_noise_floor
    below = centre - factor * (centre - floor.low) - criterion.slack
    above = centre + factor * (floor.high - centre) + criterion.slack
    if measurement.better == "lower":
        below = -math.inf
    elif measurement.better == "higher":
        above = math.inf
    if not absolute:
        return below, above
    # An absolute limit overrides the margin, unless the real data's own rate is more lenient.
    return (min(low, below), max(high, above)) if criterion.relative_to_real else (low, high)


def _needed(value: float, first: float, last: float, low: float, high: float) -> float | None:
    """Factor on the sample size after which the interval no longer straddles its nearest limit.

    Interval widths shrink with the square root of the sample size.
    """
    factors = []
    for limit in (low, high):
        if first <= limit <= last:
            distance = abs(value - limit)
            half = value - first if value > limit else last - value
            # Beyond a thousand times the sample the estimate helps nobody.
            factors.append((half / distance) ** 2 if half < 31 * distance else math.inf)
    needed = max(factors, default=math.inf)
    return needed if math.isfinite(needed) else None
