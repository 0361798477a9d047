"""Marginal consistency: each named feature's distribution against real-against-real re-splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.comparison import Comparison, spread
from sdq_core.characteristics.drawings import histogram
from sdq_core.measurement import Interval
from sdq_core.statistics import MarginalTest, ecdf_distances

__all__ = ["MarginalConsistency", "histograms", "marginal_consistency"]

MARGIN = 1.5
"""A feature is consistent up to this multiple of the 97.5 % quantile of real against real."""


@dataclass(frozen=True)
class MarginalConsistency:
    """Share of consistent features, and the distances behind it.

    Parameters
    ----------
    value : float
    interval, noise_floor : Interval
    consistent : ndarray of bool, shape (F,)
    distance, margin : ndarray, shape (F,)
        Wasserstein-1 in units of the scaled feature (real median and spread), and its margin.
    halves, null : ndarray, shape (R,)
        Shares of half samples, and of real parts against each other.
    """

    value: float
    interval: Interval
    noise_floor: Interval
    consistent: NDArray[np.bool_]
    distance: NDArray[np.float64]
    margin: NDArray[np.float64]
    halves: NDArray[np.float64]
    null: NDArray[np.float64]


def marginal_consistency(comparison: Comparison) -> MarginalConsistency:
    """Measure the share of features whose marginal is as close as real is to real.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    MarginalConsistency
        The margin of each feature is ``1.5 q``, with q the 97.5 % quantile of its Wasserstein-1
        distance between real parts of the sizes in use. Half samples have noise sqrt(2) as large,
        and so have their margins.
    """

    def distances(weights: tuple[NDArray[np.float64], NDArray[np.float64]]) -> NDArray[np.float64]:
        a, b = weights
        signed = a / a.sum(axis=1, keepdims=True) - b / b.sum(axis=1, keepdims=True)
        return ecdf_distances(comparison.values, signed)[1]

    null = distances(comparison.split_weights)
    margin = MARGIN * np.quantile(null, 0.975, axis=0)
    distance = distances(comparison.observed_weights)[0]
    consistent = distance <= margin
    halves = distances(comparison.weights(comparison.halves)) <= np.sqrt(2) * margin
    value = float(consistent.mean())
    shares = (null <= margin).mean(axis=1)
    return MarginalConsistency(
        value=value,
        interval=spread(value, halves.mean(axis=1), 0.0, 1.0),
        noise_floor=comparison.floor(shares),
        consistent=consistent,
        distance=distance,
        margin=margin,
        halves=halves.mean(axis=1),
        null=shares,
    )


def histograms(
    comparison: Comparison,
    share: MarginalConsistency,
    tests: Sequence[MarginalTest],
    *,
    most: int = 12,
    bins: int = 24,
) -> list[dict[str, Any]]:
    """Return histograms of the features that differ most, for the report.

    Returns
    -------
    list of dict
        Keys feature, edges, real, synthetic (densities), distance, distance_unit, consistent;
        ordered by distance over margin.
    """
    order = np.argsort(-share.distance / np.maximum(share.margin, 1e-12), kind="stable")[:most]
    found = []
    for column in order:
        drawn = histogram(comparison, int(column), bins)
        if drawn is not None:
            found.append(
                {
                    **drawn,
                    "distance": tests[column].wasserstein,
                    "distance_unit": "real IQR",
                    "consistent": bool(share.consistent[column]),
                }
            )
    return found
