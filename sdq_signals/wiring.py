"""Recordings whose channels are exchanged or upside down, told by their mean beats.

A lead's course follows from the others', as one heart made them all. So a recording with two
leads exchanged is unlikely among real ones, and becomes likely when they are exchanged back. Asked
is not how odd a recording is, which disease decides as well, but whether another wiring explains
it better.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.comparison import Comparison
from sdq_core.measurement import Measurement
from sdq_core.reasons import why
from sdq_signals.atypical import FOLDS, folds, share_beyond
from sdq_signals.channels import LEADS

__all__ = ["VARIANT", "miswired", "wirings"]

VARIANT: Final = "wiring"
COMPONENTS: Final = 20
"""Components of the real mean beats; of a small pool, a tenth of its beats. Few, so that a wrong
wiring which is rare among real recordings gets no component of its own."""
LEAST_GAIN: Final = 1.0
"""Of the log likelihood; with less, both wirings are about as likely."""
LEAST_VARIANCE: Final = 1e-6
"""Of a beat at unit norm, beside the components: less is the rounding of the file."""

Values = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Wiring:
    """Another way in which the channels could have been connected.

    Parameters
    ----------
    order : ndarray of int, shape (channels,)
        Channel that stands in each one's place.
    sign : ndarray, shape (channels, 1), float64
        1, or -1 where it is upside down.
    """

    order: Index
    sign: Values


def wirings(slots: Index) -> Iterator[Wiring]:
    """Return every exchange of two channels, all upside down, and the arms exchanged.

    Parameters
    ----------
    slots : ndarray of int, shape (channels,)
        Row of the signature of each channel.

    Examples
    --------
    >>> len(list(wirings(np.arange(12))))
    68
    """
    count = len(slots)
    same, upright = np.arange(count), np.ones((count, 1))
    for a, b in combinations(range(count), 2):
        order = same.copy()
        order[[a, b]] = b, a
        yield Wiring(order, upright)
    yield Wiring(same, -upright)
    place = {LEADS[s]: k for k, s in enumerate(slots.tolist()) if s < len(LEADS)}
    if {"I", "II", "III"} <= set(place):  # Heden et al. 1996, doi:10.1016/S0022-0736(96)80057-6
        order, sign = same.copy(), upright.copy()
        sign[place["I"]] = -1
        for one, other in (("II", "III"), ("aVR", "aVL")):
            if one in place and other in place:
                order[[place[one], place[other]]] = place[other], place[one]
        yield Wiring(order, sign)


def miswired(
    comparison: Comparison, beats: Values, slots: Index, id_: str, far: float
) -> Measurement:
    """Measure how many more recordings another wiring explains better than real ones.

    Parameters
    ----------
    comparison : Comparison
        Of mean beats.
    beats : ndarray, shape (N, channels, w)
        Mean beats of its rows, of the channels that nearly all real recordings have; zeros where a
        recording has none.
    slots : ndarray of int, shape (channels,)
        Row of the signature of each channel.
    id_ : str
        Of the measurement.
    far : float
        Share of the real recordings that lie beyond the limit, above 0 and below 1.

    """
    if len(slots) < 2:
        return Measurement(
            id_,
            variant=VARIANT,
            aspect="joint_consistency",
            applicable=False,
            **why(
                "not_applicable",
                why="nearly all real recordings would need two leads in common",
                why_zh="需要绝大多数真实记录有两个共同的导联",
            ),
        )
    gain, components = _gains(comparison, beats, slots)
    method = (
        f"difference between the shares of recordings that another wiring of the channels (two "
        f"exchanged, all upside down, arms exchanged) explains better by more than {far:.0%} of "
        f"the real ones; a beat is never seen by the model that judges it",
        "likelihood by probabilistic principal components: Tipping & Bishop 1999, "
        "doi:10.1111/1467-9868.00196; fit of exchanged leads: Kors & van Herpen 2001, American "
        "Journal of Cardiology 88:396-399",
    )
    parameters = {
        "components": components, "folds": FOLDS, "wirings": len(list(wirings(slots))),
    }  # fmt: skip
    return share_beyond(
        comparison, id_, VARIANT, gain, far, method, parameters, LEAST_GAIN, rare=True
    )


@dataclass(frozen=True, slots=True)
class Model:
    """Beats as a Gaussian: a few components, and the same variance in all other directions.

    Parameters
    ----------
    centre : ndarray, shape (d,)
    components : ndarray, shape (k, d)
        Orthonormal.
    variances : ndarray, shape (k,)
    rest : float
        Variance in each other direction; the maximum likelihood estimate.
    """

    centre: Values
    components: Values
    variances: Values
    rest: float

    @classmethod
    def of(cls, rows: Values, count: int) -> Model:
        """Fit the model with some components to rows, shape (n, d)."""
        centre = rows.mean(axis=0)
        _, singular, basis = np.linalg.svd(rows - centre, full_matrices=False)
        variances = singular**2 / len(rows)
        rest = float(variances[count:].sum() / max(rows.shape[1] - count, 1))
        # Beats without any noise, of a simulation, would make every residual infinitely unlikely.
        rest = max(rest, LEAST_VARIANCE / rows.shape[1])
        return cls(centre, basis[:count], np.maximum(variances[:count], rest), rest)

    def misfit(self, rows: Values) -> Values:
        """Return the squared Mahalanobis distance of rows, shape (n, d)."""
        off = rows - self.centre
        scores = off @ self.components.T
        beside = np.einsum("nd,nd->n", off, off) - np.einsum("nk,nk->n", scores, scores)
        return np.asarray(scores**2 @ (1 / self.variances) + np.maximum(beside, 0) / self.rest)


def _gains(comparison: Comparison, beats: Values, slots: Index) -> tuple[Values, int]:
    """Largest gain in log likelihood that another wiring brings to each recording."""
    norm = np.sqrt(np.einsum("ncw,ncw->n", beats, beats))
    unit = beats / np.maximum(norm, 1e-12)[:, None, None]
    of = folds(comparison)
    pooled = np.zeros(len(unit), bool)
    pooled[comparison.pool] = True
    pooled &= norm > 0  # recordings without beats are no model of any
    smallest = min(int((pooled & (of != k)).sum()) for k in range(FOLDS))
    components = max(1, min(COMPONENTS, smallest // 10))
    gain = np.zeros(len(unit))
    for k in range(FOLDS):
        seen = unit[pooled & (of != k)]
        if not len(seen):
            continue
        model = Model.of(seen.reshape(len(seen), -1), components)
        mine = np.flatnonzero((of == k) & (norm > 0))
        unseen = unit[mine]
        best = np.full(len(mine), np.inf)
        for wiring in wirings(slots):
            other = unseen[:, wiring.order] * wiring.sign
            np.minimum(best, model.misfit(other.reshape(len(mine), -1)), out=best)
        gain[mine] = (model.misfit(unseen.reshape(len(mine), -1)) - best) / 2
    return gain, components
