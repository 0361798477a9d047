"""Mean beats of a cohort, their picture, and shifts and spreads of single features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.comparison import Comparison, compare_scalars
from sdq_core.characteristics.drawings import rounded
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import why
from sdq_signals.channels import LEADS
from sdq_signals.signature import BEFORE, RATE, SHAPE

__all__ = [
    "beat_panels",
    "beats_of",
    "common_slots",
    "largest_shift",
    "mean_beats",
    "rate_spread",
]

STEP: Final = 2
"""Samples of a signature to one of the comparison: the place of an R peak is known to 20 ms."""
COMMON: Final = 0.95
"""Share of the real recordings that have a lead which all are expected to have."""
LEAST_DRAWN: Final = 0.5
"""A lead is drawn when at least this share of the real recordings has it."""

Values = NDArray[np.float64]
Index = NDArray[np.intp]


def mean_beats(cohort: Cohort) -> tuple[Values, Index]:
    """Return the mean beats of all readable recordings; zeros where no beat was found.

    Returns
    -------
    values : ndarray, shape (m, d), float64
        mV, 50 samples a second, all leads one after the other.
    rows : ndarray, shape (m,)
        Of the cohort's table.
    """
    rows = np.flatnonzero(cohort.table.readable)
    return _beats(cohort)[rows, :, ::STEP].reshape(len(rows), -1), rows


def beat_panels(cohorts: Cohorts, comparison: Comparison) -> dict[str, Any]:
    """Draw one panel a lead: the synthetic mean beat over the real one, each with its middle 90 %.

    Parameters
    ----------
    cohorts : Cohorts
    comparison : Comparison
        Of their mean beats.

    Returns
    -------
    dict
        Details of a measurement; no beat of a single real recording.
    """
    beats = beats_of(cohorts, comparison)
    sides = {"real": beats[comparison.reference], "synthetic": beats[comparison.synthetic]}
    time = [round(1000 * (k / RATE - BEFORE)) for k in range(SHAPE[1])]
    panels = []
    for slot in range(SHAPE[0]):
        found = {name: b[np.ptp(b[:, slot], axis=1) > 0, slot] for name, b in sides.items()}
        enough = len(found["real"]) >= LEAST_DRAWN * len(sides["real"])
        if not enough or not len(found["synthetic"]):
            continue
        panel: dict[str, Any] = {
            "title": LEADS[slot] if slot < len(LEADS) else f"channel {slot - len(LEADS) + 1}",
            "x": time,
        }
        for name, values in found.items():
            low, high = np.quantile(values, [0.05, 0.95], axis=0)
            panel |= {
                name: rounded(values.mean(axis=0)),
                f"{name}_low": rounded(low),
                f"{name}_high": rounded(high),
            }
        panels.append(panel)
    if not panels:
        return {}
    first = cohorts.train.table.metadata(int(np.flatnonzero(cohorts.train.table.readable)[0]))
    pulse = first.get("kind") == "ppg"
    return {
        "curves": {
            "panels": panels,
            "shared_y": False,  # limb leads would be lines beside chest leads
            "x_label": f"time from the {'systolic' if pulse else 'R'} peak [ms]",
            "y_label": "mean pulse [height]" if pulse else "mean beat [mV]",
            "bands": "Grey: the middle 90 % of real items; thin lines: of synthetic items.",
        }
    }


def beats_of(cohorts: Cohorts, comparison: Comparison) -> Values:
    """Return the mean beats of all rows of a comparison, shape (N, slots, samples), in mV."""
    beats = {str(c.role): _beats(c) for c in cohorts.all}
    return np.stack(
        [beats[role][row] for role, row in zip(comparison.roles, comparison.rows, strict=True)]
    )


def common_slots(beats: Values, comparison: Comparison) -> Index:
    """Return the slots that nearly all real recordings with beats have.

    Parameters
    ----------
    beats : ndarray, shape (N, slots, samples)
        See `beats_of`.
    comparison : Comparison
    """
    there = np.ptp(beats[comparison.pool], axis=2) > 0
    there = there[there.any(axis=1)]
    return np.flatnonzero(there.mean(axis=0) >= COMMON) if len(there) else np.empty(0, np.intp)


def _beats(cohort: Cohort) -> Values:
    """Mean beats of all recordings, shape (n, slots, samples); zeros where there is none."""
    found, where = cohort.table.signatures()
    full = np.zeros((len(cohort), *SHAPE))
    if len(where):
        full[where] = found
    return full


def largest_shift(cohorts: Cohorts, names: Sequence[str], id_: str, variant: str) -> Measurement:
    """Measure the largest shift of a mean among features, in real spreads.

    Parameters
    ----------
    cohorts : Cohorts
    names : sequence of str
        Scalars of one kind; none where this kind of signal has none.
    id_ : str
        Of the measurement.
    variant : str
    """
    comparison = compare_scalars(cohorts, names, cohorts.seed(f"{id_}/{variant}"))
    if comparison is None:
        return Measurement(
            id_,
            variant=variant,
            aspect="joint_consistency",
            applicable=False,
            **why(
                "not_applicable",
                why="the real recordings have no such features",
                why_zh="真实记录无此类特征",
            ),
        )
    value, interval, floor = comparison.mean_difference(comparison.values, largest=True)
    means = [comparison.values[r].mean(axis=0) for r in (comparison.reference,
                                                        comparison.synthetic)]  # fmt: skip
    shift = means[1] - means[0]
    order = np.argsort(-np.abs(shift), kind="stable")[:12]
    return Measurement(
        id_,
        value=value,
        better="lower",
        variant=variant,
        aspect="joint_consistency",
        interval=interval,
        noise_floor=floor,
        n=comparison.n,
        method=Method(
            "largest difference of means among the features, in robust deviations of the real ones",
            "Cohen 1988, Statistical Power Analysis, chapter 2 (standardised mean difference)",
            {"features": list(comparison.names)},
            comparison.seed,
        ),
        details={
            "ranking": [
                {
                    "feature": comparison.names[k],
                    "value": float(abs(shift[k])),
                    "direction": "higher" if shift[k] > 0 else "lower",
                }
                for k in order
            ]
        },
    )


def rate_spread(comparison: Comparison, id_: str, source: str) -> Measurement:
    """Measure the difference between the spreads of heart rate: a distance of laws sees it late.

    Parameters
    ----------
    comparison : Comparison
        Of heart rates alone.
    id_, source : str
        Of the measurement.
    """
    rate = comparison.values[:, 0]

    def ratio(i: Index, j: Index) -> float:
        a, b = (max(float(rate[k].std()), 1e-6) for k in (i, j))
        return abs(float(np.log(b / a)))

    value, interval, floor = comparison.measure(ratio, lower=0.0, upper=np.inf)
    return Measurement(
        id_,
        value=value,
        better="lower",
        variant="rate-spread",
        aspect="joint_consistency",
        interval=interval,
        noise_floor=floor,
        n=comparison.n,
        method=Method(
            "absolute logarithm of the ratio of the standard deviations of heart rate, clipped at "
            "8 robust deviations",
            source,
            {},
            comparison.seed,
        ),
    )
