"""Presence of P waves: among all recordings, and where the rhythm is regular.

Where half of the real recordings fibrillate, and so have no P wave, a generator that loses it in a
tenth of all moves their share from a half to four tenths, which chance does as well. Hardly a
recording has a regular rhythm and no P wave: there the same loss is plain.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from sdq_core.characteristics.comparison import compare_scalars
from sdq_core.cohort import Cohorts
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import why
from sdq_core.statistics import binomial_interval
from sdq_signals.atypical import share_of_marked

__all__ = ["PRESENCE", "p_wave_presence", "regular_without_p"]

PRESENCE: Final = "wave.p_present"
IRREGULARITY: Final = "rhythm.irregularity"
REGULAR: Final = 0.1
"""Irregularity below which a rhythm counts as regular: of 200 electrocardiograms of PTB-XL with
atrial fibrillation 1.5 % lie below, of 200 others 80 %."""
PROMINENCE: Final = "wave.p_prominence_mv"
FLAT_MV: Final = 0.015
"""Height of P below which it is not there. Of 163 such recordings of a regular rhythm (PTB-XL, 100
Hz) 4 % lie below, and 94 % of the same with P cut out; by `PRESENCE` 6 % and 91 % have none."""
VARIANT: Final = "regular-without-p"
OF_ALL: Final = "difference between the shares of recordings with a P wave"
OF_REGULAR: Final = (
    "difference between the shares of recordings that have a regular rhythm and no P wave"
)
MARTINEZ: Final = (
    "presence by prominence over both sides of the mean beat's P; Martinez et al. 2004, "
    "doi:10.1109/TBME.2003.821031"
)
DASH: Final = (
    "regular by RMSSD over the mean interval, as Dash et al. 2009, doi:10.1007/s10439-009-9740-z"
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
    method = Method(OF_ALL, MARTINEZ)
    if comparison is None:  # all of them have one, or none has
        return _agreed(cohorts, id_, "p-waves", method)
    present = np.clip(comparison.raw[:, 0], 0, 1)
    return share_of_marked(comparison, id_, "p-waves", present, method, "P", rare=True)


def regular_without_p(cohorts: Cohorts, id_: str) -> Measurement:
    """Measure the difference between the shares of recordings of a regular rhythm without P.

    Of all recordings, not of the regular ones: so it is as exact as their number allows, and a
    cohort without regular recordings has a share too.

    Parameters
    ----------
    cohorts : Cohorts
    id_ : str
        Of the measurement.
    """
    method = Method(
        OF_REGULAR, f"{MARTINEZ}; {DASH}", {"regular_below": REGULAR, "p_below_mv": FLAT_MV}
    )
    names = [PROMINENCE, IRREGULARITY]
    comparison = compare_scalars(cohorts, names, cohorts.seed(f"{id_}/{VARIANT}"))
    if comparison is None or len(comparison.names) < len(names):
        return Measurement(
            id_,
            variant=VARIANT,
            aspect="joint_consistency",
            applicable=False,
            **why(
                "not_applicable",
                why="nearly all real recordings would need three heart beats, in millivolts",
                why_zh="需要绝大多数真实记录至少有三次心搏, 且以毫伏定标",
            ),
        )
    height, irregular = comparison.raw.T
    assert comparison.absent is not None
    regular = (irregular < REGULAR) & ~comparison.absent[:, 1]
    # A recording of which no height is known stands below all real ones: it has no P wave.
    bare = (regular & (height < FLAT_MV)).astype(np.float64)
    return share_of_marked(comparison, id_, VARIANT, bare, method, "no P", rare=True)


def _agreed(cohorts: Cohorts, id_: str, variant: str, method: Method) -> Measurement:
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
        variant=variant,
        aspect="joint_consistency",
        interval=limits["synthetic"],
        noise_floor=replace(limits["real"], centre=0.0),
        n=sizes,
        method=method,
    )
