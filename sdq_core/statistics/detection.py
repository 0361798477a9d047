"""Signal detection: how well a reader tells two kinds apart, and which way the reader leans."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Detection", "detection"]


@dataclass(frozen=True, slots=True)
class Detection:
    """What a reader's yes and no say.

    Parameters
    ----------
    hits, signals : int
        Signals that were called so, of how many.
    false_alarms, noises : int
        Others that were called signals, of how many.
    sensitivity, specificity : float
    d_prime : float
        Distance of the two kinds in standard deviations; 0 by guessing.
    criterion : float
        Lean: above 0 the reader hesitates to say "signal", below 0 says it readily. A lean is no
        skill, and shares of right answers mix the two.
    """

    hits: int
    signals: int
    false_alarms: int
    noises: int
    sensitivity: float
    specificity: float
    d_prime: float
    criterion: float


def detection(said: ArrayLike, is_signal: ArrayLike) -> Detection | None:
    """Return sensitivity, specificity, d' and criterion of yes-no answers.

    Parameters
    ----------
    said, is_signal : array_like of bool, shape (n,)

    Returns
    -------
    Detection or None
        None where one kind is absent. Rates that enter d' and criterion have half an answer added
        to each side (Hautus 1995, doi:10.3758/BF03203619), so that a perfect reader has a finite
        number. Macmillan & Creelman 2005, Detection Theory, 2nd ed., chapters 1 and 2.

    Examples
    --------
    >>> found = detection([True, True, False, False], [True, True, True, False])
    >>> round(found.d_prime, 3), round(found.criterion, 3), found.specificity
    (0.993, 0.178, 1.0)
    """
    from scipy.special import ndtri

    yes, signal = np.asarray(said, bool), np.asarray(is_signal, bool)
    signals, noises = int(signal.sum()), int((~signal).sum())
    if not signals or not noises:
        return None
    hits, false_alarms = int((yes & signal).sum()), int((yes & ~signal).sum())
    rates = ((hits, signals), (false_alarms, noises))
    hit, alarm = (float(ndtri((k + 0.5) / (n + 1))) for k, n in rates)
    return Detection(
        hits,
        signals,
        false_alarms,
        noises,
        hits / signals,
        1 - false_alarms / noises,
        hit - alarm,
        -(hit + alarm) / 2,
    )
