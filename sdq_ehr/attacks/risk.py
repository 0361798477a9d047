"""Risk of an attack: its success on training patients beyond that on patients it cannot know."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sdq_core.errors import UsageError
from sdq_core.measurement import Interval
from sdq_core.statistics.attack import binomial_interval

__all__ = ["METHOD", "Risk", "control_adjusted", "share_of"]

METHOD = "Clopper-Pearson of attack and control (MOVER)"


@dataclass(frozen=True, slots=True)
class Risk:
    """Success of an attack beyond that of the control.

    Parameters
    ----------
    value : float
        In [0, 1].
    interval : Interval
    attack, control : Interval
        Success rates (`centre`) with their limits.
    """

    value: float
    interval: Interval
    attack: Interval
    control: Interval


def control_adjusted(
    hits: int,
    attempts: int,
    control_hits: int,
    control_attempts: int,
    *,
    scale: float = 1.0,
    level: float = 0.95,
) -> Risk:
    """Return the risk that remains when what the attack achieves anyhow is taken off.

    Parameters
    ----------
    hits, attempts : int
        On training patients.
    control_hits, control_attempts : int
        On holdout patients, of whom nothing can have been memorised.
    scale : float
        At least 1: by how much the control's rate is raised where it had fewer patients to meet.
    level : float

    Returns
    -------
    Risk
        ``(r - c) / (1 - c)``, at least 0: the share of attacks that succeed where they would not
        have without the training data. Limits by MOVER from those of the two rates: Zou & Donner,
        Stat. Med. 27, 2008, doi:10.1002/sim.3095.

    Raises
    ------
    UsageError
        No attempts, or a scale below 1.

    Examples
    --------
    >>> found = control_adjusted(60, 100, 20, 100)
    >>> round(found.value, 3), round(found.interval.low, 3), round(found.interval.high, 3)
    (0.5, 0.328, 0.652)
    """
    if scale < 1:
        raise UsageError(f"scale: must be at least 1, found {scale}")
    attack = share_of(hits, attempts, level)
    control = share_of(control_hits, control_attempts, level)
    r, c = hits / attempts, min(1.0, scale * control_hits / control_attempts)
    c_low, c_high = (min(1.0, scale * v) for v in (control.low, control.high))
    if c >= 1:
        # Who always succeeds anyhow learns nothing from the training data.
        return Risk(0.0, Interval(0.0, 1.0, METHOD, level), attack, control)
    low = r - c - float(np.hypot(r - attack.low, c_high - c))
    # A control that was lucky is no proof: the upper limit starts at equal success.
    high = max(r - c, 0.0) + float(np.hypot(attack.high - r, c - c_low))
    value, low, high = (float(np.clip(v / (1 - c), 0, 1)) for v in (r - c, low, high))
    return Risk(value, Interval(low, high, METHOD, level), attack, control)


def share_of(hits: int, attempts: int, level: float = 0.95) -> Interval:
    """Return the exact limits of a share, with the share as centre."""
    return replace(binomial_interval(hits, attempts, level), centre=hits / attempts)
