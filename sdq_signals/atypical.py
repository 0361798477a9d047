"""Shares of recordings that are unlike the real ones, however few they are.

A defect of a part of the recordings moves means and joint laws little and late; it moves its own
recordings far. Each measure here gives every recording one number, how far it lies out, and counts
those beyond a limit that few real recordings reach.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.comparison import Comparison
from sdq_core.measurement import Interval, Measurement, Method
from sdq_core.statistics import binomial_interval

__all__ = [
    "FOLDS",
    "atypical_beats",
    "atypical_share",
    "folds",
    "share_beyond",
    "share_of_marked",
    "with_rare",
]

COMPONENTS: Final = 40
"""Components of the real mean beats; of a small pool, a quarter of its beats."""
FOLDS: Final = 5
LEAST_RESIDUAL: Final = 1e-3
"""Of a beat's norm: less is the rounding of the file."""

Values = NDArray[np.float64]


def atypical_share(comparison: Comparison, id_: str, variant: str, far: float) -> Measurement:
    """Measure how many more recordings lie far out in some feature than real ones do.

    Parameters
    ----------
    comparison : Comparison
        Of waves and intervals, or of relations between leads.
    id_, variant : str
        Of the measurement.
    far : float
        Share of the real recordings that lie beyond the limit, above 0 and below 1.
    """
    farthest = _tail_depth(comparison.raw, comparison.raw[comparison.basis]).max(axis=1)
    method = (
        f"difference between the shares of recordings that lie farther out, in any of the "
        f"features, than {far:.0%} of the real ones do",
        "largest depth in a tail over features, in units of that tail (95 % to 99 % quantile); "
        "after Rousseeuw & Hubert 2011, doi:10.1002/widm.2",
    )
    return share_beyond(
        comparison, id_, variant, farthest, far, method, {"features": len(comparison.names)}
    )


def atypical_beats(comparison: Comparison, id_: str, far: float) -> Measurement:
    """Measure how many more mean beats are no mixture of real ones than real beats are.

    Parameters
    ----------
    comparison : Comparison
        Of mean beats, in mV.
    id_ : str
        Of the measurement.
    far : float
        Share of the real recordings that lie beyond the limit, above 0 and below 1.
    """
    residual, components = _residuals(comparison)
    method = (
        f"difference between the shares of recordings whose mean beat, at unit norm, lies farther "
        f"from the span of the principal components of real beats than {far:.0%} of the real ones "
        f"do; a beat is never seen by the components that it is compared with",
        "squared prediction error: Jackson & Mudholkar 1979, doi:10.1080/00401706.1979.10489779",
    )
    return share_beyond(
        comparison, id_, "atypical-beats", residual, far, method,
        {"components": components, "folds": FOLDS}, LEAST_RESIDUAL,
    )  # fmt: skip


def share_beyond(
    comparison: Comparison,
    id_: str,
    variant: str,
    depth: Values,
    far: float,
    method: tuple[str, str],
    parameters: Mapping[str, float],
    least: float = -np.inf,
    *,
    rare: bool = False,
) -> Measurement:
    """Compare the shares of recordings beyond the depth that few real ones reach.

    Parameters
    ----------
    comparison : Comparison
    id_, variant : str
        Of the measurement.
    depth : ndarray, shape (N,)
        How far each recording lies out.
    far : float
        Share of the real recordings, outside of the reference, that lie beyond the limit.
    method : (str, str)
        Name and source.
    parameters : mapping
    least : float
        Lowest limit.
    rare : bool
        Whether perhaps no real recording lies beyond the limit, see `with_rare`.
    """
    limit = max(float(np.quantile(depth[comparison.basis], 1 - far)), least)
    beyond = (depth > limit).astype(np.float64)
    text, source = method
    return share_of_marked(
        comparison, id_, variant, beyond,
        Method(text, source, {"limit": limit, **parameters}), f"> {limit:.2g}", rare=rare,
    )  # fmt: skip


def share_of_marked(
    comparison: Comparison,
    id_: str,
    variant: str,
    marked: Values,
    method: Method,
    label: str,
    *,
    rare: bool,
) -> Measurement:
    """Compare the shares of marked recordings.

    Parameters
    ----------
    comparison : Comparison
    id_, variant : str
        Of the measurement.
    marked : ndarray, shape (N,)
        1 for the recordings that are counted, else 0.
    method : Method
        Without its seed.
    label : str
        Of the bars.
    rare : bool
        Whether perhaps no real recording is marked, or all of them are, see `with_rare`.
    """
    value, interval, floor = comparison.mean_difference(marked[:, None])
    if rare:
        floor = with_rare(floor, marked, comparison)
    return Measurement(
        id_,
        value=value,
        better="lower",
        variant=variant,
        aspect="joint_consistency",
        interval=interval,
        noise_floor=floor,
        n=comparison.n,
        method=replace(method, seed=comparison.seed),
        details={
            "bars": [
                {
                    "label": label,
                    "synthetic": float(marked[comparison.synthetic].mean()),
                    "real": float(marked[comparison.reference].mean()),
                }
            ]
        },
    )


def folds(comparison: Comparison) -> NDArray[np.intp]:
    """Deal the rows into folds, the pool by whole subjects and the synthetic rows in turn.

    A copy is dealt as its original, which the model that judges it then has not seen either.
    """
    groups, of = np.unique(comparison.groups[comparison.pool], return_inverse=True)
    order = np.random.default_rng([comparison.seed, 7]).permutation(len(groups))
    fold = np.empty(len(comparison.raw), np.intp)
    fold[comparison.pool] = order[of] % FOLDS
    fold[comparison.synthetic] = np.arange(len(comparison.synthetic)) % FOLDS
    original = {comparison.raw[k].tobytes(): k for k in comparison.pool[::-1].tolist()}
    for k in comparison.synthetic.tolist():
        fold[k] = fold[original.get(comparison.raw[k].tobytes(), k)]
    return fold


def with_rare(floor: Interval, marked: Values, comparison: Comparison) -> Interval:
    """Widen the noise floor of a share to what another sample may hold of the rarer kind.

    Where all real recordings are alike, their own parts never differ.

    Parameters
    ----------
    floor : Interval
    marked : ndarray, shape (N,)
        1 for the recordings that are counted, else 0.
    comparison : Comparison
    """
    share = float(marked[comparison.pool].mean())
    rare, n = min(share, 1 - share), len(comparison.reference)
    least = binomial_interval(round(rare * n), n).high - rare
    return replace(floor, high=max(floor.high, float(least)))


def _residuals(comparison: Comparison) -> tuple[Values, int]:
    """Distance of each beat of unit norm from the span of components that did not see it.

    The pool is dealt into folds of whole subjects. A fold's beats, and an equal part of the
    synthetic ones, are compared with the components of the rest of the pool: of synthetic beats
    and of fresh real ones alike, components know nothing.
    """
    norm = np.linalg.norm(comparison.raw, axis=1, keepdims=True)
    beats = comparison.raw / np.maximum(norm, 1e-12)
    fold = folds(comparison)
    pooled = np.zeros(len(beats), bool)
    pooled[comparison.pool] = True
    smallest = min(int((pooled & (fold != k)).sum()) for k in range(FOLDS))
    components = max(1, min(COMPONENTS, smallest // 4))
    found = np.empty(len(beats))
    for k in range(FOLDS):
        seen = beats[pooled & (fold != k)]
        if not len(seen):
            continue
        centre = seen.mean(axis=0)
        basis = np.linalg.svd(seen - centre, full_matrices=False)[2][:components]
        unseen = beats[fold == k] - centre
        found[fold == k] = np.linalg.norm(unseen - (unseen @ basis.T) @ basis, axis=1)
    return found, components


def _tail_depth(values: Values, basis: Values) -> Values:
    """How far values lie in the tails of the basis, in units of each tail's own length.

    0 at the 95 % (or 5 %) quantile, 1 at the 99 % (1 %) quantile: features with long tails do not
    hide those with short ones.
    """
    first, lower, upper, last = np.quantile(basis, [0.01, 0.05, 0.95, 0.99], axis=0)
    width = np.maximum(np.ptp(basis, axis=0), 1e-12)
    above = (values - upper) / np.maximum(last - upper, 1e-3 * width)
    below = (lower - values) / np.maximum(lower - first, 1e-3 * width)
    return np.asarray(np.maximum(above, below))
