"""Mean beats of a cohort, their picture, and the presence of P waves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.comparison import Comparison, compare_scalars
from sdq_core.characteristics.drawings import rounded
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import why
from sdq_core.statistics import binomial_interval
from sdq_signals.channels import LEADS
from sdq_signals.signature import BEFORE, RATE, SHAPE

__all__ = [
    "PRESENCE",
    "beat_panels",
    "largest_shift",
    "mean_beats",
    "p_wave_presence",
]

PRESENCE: Final = "wave.p_present"
PRESENCE_SOURCE: Final = (
    "presence by prominence over both sides of the mean beat's P; Martinez et al. 2004, "
    "doi:10.1109/TBME.2003.821031"
)
STEP: Final = 2
"""Samples of a signature to one of the comparison: the place of an R peak is known to 20 ms."""
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
    beats = {str(c.role): _beats(c) for c in cohorts.all}
    sides = {
        name: np.stack(
            [
                beats[role][row]
                for role, row in zip(comparison.roles[rows], comparison.rows[rows], strict=True)
            ]
        )
        for name, rows in (("real", comparison.reference), ("synthetic", comparison.synthetic))
    }
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


def p_wave_presence(cohorts: Cohorts, id_: str) -> Measurement:
    """Measure the difference between the shares of recordings with a P wave.

    Parameters
    ----------
    cohorts : Cohorts
    id_ : str
        Of the measurement.
    """
    comparison = compare_scalars(cohorts, [PRESENCE], cohorts.seed(f"{id_}/p-waves"))
    if comparison is None:  # all of them have one, or none has
        return _agreed(cohorts, id_)
    present = np.clip(comparison.raw, 0, 1)
    value, interval, floor = comparison.mean_difference(present)
    # Where all real recordings have one, their own parts never differ, yet another sample may.
    rare = min(present[comparison.pool].mean(), 1 - present[comparison.pool].mean())
    n = len(comparison.reference)
    least = binomial_interval(round(rare * n), n).high - rare
    floor = replace(floor, high=max(floor.high, float(least)))
    return Measurement(
        id_,
        value=value,
        better="lower",
        variant="p-waves",
        aspect="joint_consistency",
        interval=interval,
        noise_floor=floor,
        n=comparison.n,
        method=Method(
            "difference between the shares of recordings with a P wave",
            PRESENCE_SOURCE,
            {},
            comparison.seed,
        ),
        details={
            "bars": [
                {
                    "label": "P",
                    "synthetic": float(present[comparison.synthetic].mean()),
                    "real": float(present[comparison.reference].mean()),
                }
            ]
        },
    )


def _agreed(cohorts: Cohorts, id_: str) -> Measurement:
    """P waves in all recordings, or in none: no difference, up to what their number can tell."""
    reference = cohorts.holdout or cohorts.train
    sizes = {
        "real": int(reference.table.readable.sum()),
        "synthetic": int(cohorts.synthetic.table.readable.sum()),
    }
    limits = {role: binomial_interval(0, n) for role, n in sizes.items()}
    return Measurement(
        id_,
        value=0.0,
        better="lower",
        variant="p-waves",
        aspect="joint_consistency",
        interval=limits["synthetic"],
        noise_floor=replace(limits["real"], centre=0.0),
        n=sizes,
        method=Method("difference between the shares of recordings with a P wave", PRESENCE_SOURCE),
    )
