"""Shares of items: exact binomial intervals, beside the real cohort's own rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.measurement import Better, Interval, Measurement, Method
from sdq_core.reasons import why
from sdq_core.statistics import binomial_interval

__all__ = ["rate", "real_rate"]

CLOPPER_PEARSON = "Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404"


def real_rate(flags: NDArray[np.bool_]) -> Interval:
    """Return the rate of a real cohort as a noise floor.

    Parameters
    ----------
    flags : ndarray of bool, shape (n,), n >= 1

    Returns
    -------
    Interval
        Clopper-Pearson, with the observed rate as centre.

    Examples
    --------
    >>> real_rate(np.ones(100, bool)).centre
    1.0
    """
    found = binomial_interval(int(flags.sum()), len(flags))
    return Interval(
        found.low,
        found.high,
        "Clopper-Pearson of the real cohorts' own rate",
        centre=float(flags.mean()),
    )


def rate(
    id_: str,
    flags: NDArray[np.bool_],
    *,
    real: NDArray[np.bool_] | None = None,
    better: Better = "higher",
    aspect: str | None = None,
    name: str,
    source: str,
    details: Mapping[str, Any] | None = None,
) -> Measurement:
    """Measure the share of synthetic items that have a property.

    Parameters
    ----------
    id_ : str
        Measurement id.
    flags : ndarray of bool, shape (n,)
        Which synthetic items have it.
    real : ndarray of bool, optional
        Which real items have it; gives the noise floor.
    better, aspect, details
        As in `Measurement`.
    name, source : str
        Method and the clause or paper that asks for it.

    Returns
    -------
    Measurement
        Unit ``"share"``, with the exact binomial 95 % interval of Clopper and Pearson (1934).

    Examples
    --------
    >>> rate("imaging.completeness.readable_share", np.array([True] * 9 + [False]),
    ...      name="share of readable items", source="example").value
    0.9
    """
    n = {"synthetic": len(flags)}
    if len(flags) == 0:
        return Measurement(
            id_, aspect=aspect, n=n, **why("too_few", needed=1, what="synthetic item", found=0)
        )
    if real is not None and len(real):
        n["real"] = len(real)
    return Measurement(
        id_,
        value=float(flags.mean()),
        better=better,
        unit="share",
        aspect=aspect,
        interval=binomial_interval(int(flags.sum()), len(flags)),
        noise_floor=real_rate(real) if real is not None and len(real) else None,
        n=n,
        method=Method(name, f"{source}; interval: {CLOPPER_PEARSON}"),
        details=details or {},
    )
