"""How large the samples are, how they are spread, and how rough their course is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sdq_signals.features.spectrum import ratio

__all__ = ["describe", "quantiles"]


def quantiles(x: NDArray[np.float32], shares: tuple[float, ...]) -> NDArray[np.float64]:
    """Return quantiles along the last axis of the samples that are there.

    Parameters
    ----------
    x : ndarray, shape (..., t)
        NaN where a sample is missing.
    shares : tuple of float, 0..1

    Returns
    -------
    ndarray, shape (len(shares), ...), float64
        Linear between the neighbouring samples; NaN where there is none.

    Examples
    --------
    >>> quantiles(np.array([4, np.nan, 1, 2, 3], np.float32), (0.0, 0.5))
    array([1. , 2.5])
    """
    there = np.isfinite(x)
    last = there.sum(axis=-1) - 1
    if there.all() and x.shape[-1] > 0:
        end = x.shape[-1] - 1
        wanted = {int(share * end) for share in shares}
        ordered = np.partition(x, sorted(wanted | {min(k + 1, end) for k in wanted}), axis=-1)
    else:
        ordered = np.sort(x, axis=-1)  # NaN comes last
    found = np.empty((len(shares), *x.shape[:-1]))
    for k, share in enumerate(shares):
        place = share * np.maximum(last, 0)
        low = place.astype(np.intp)
        high = np.minimum(low + 1, np.maximum(last, 0))
        below = np.take_along_axis(ordered, low[..., None], -1)[..., 0].astype(np.float64)
        above = np.take_along_axis(ordered, high[..., None], -1)[..., 0].astype(np.float64)
        found[k] = below + (above - below) * (place - low)
    return found


def describe(x: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    """Return the named amplitude features of a batch.

    Parameters
    ----------
    x : ndarray, shape (n, c, t), float32
        In the unit of the kind; NaN where a sample is missing.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        ``span``: peak to peak of the middle 99 % of a channel's samples, median over channels,
        with ``span_lowest`` and ``span_highest`` over channels; ``rms`` about the mean, likewise;
        ``skewness`` and ``kurtosis`` (excess), median over channels; ``kurtosis_highest``;
        ``largest``: greatest distance of a sample from its channel's median;
        ``sample_roughness``: rms of the second difference over `rms`, median and lowest over
        channels. White noise has 2.45, a smooth curve near 0: generators that over-smooth lie
        below the real records of the same rate. NaN where no channel has the feature.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal((1, 1, 10_000), dtype=np.float32)
    >>> round(float(describe(noise)["amplitude.sample_roughness"][0]), 1)
    2.5
    """
    low, middle, high = quantiles(x, (0.005, 0.5, 0.995))
    span = high - low
    there = np.isfinite(x)
    count = there.sum(axis=2)
    gaps = not there.all()
    about = x - middle.astype(np.float32)[:, :, None]
    if gaps:
        about[~there] = 0
    largest = np.maximum(about.max(axis=2), -about.min(axis=2)).astype(np.float64)
    largest[count == 0] = np.nan
    mean = ratio(about.sum(axis=2, dtype=np.float64), count)
    z = about
    z -= mean.astype(np.float32)[:, :, None]
    if gaps:
        z[~there] = 0
    square = z * z
    variance = ratio(square.sum(axis=2, dtype=np.float64), count)
    third = ratio((square * z).sum(axis=2, dtype=np.float64), count)
    fourth = ratio((square * square).sum(axis=2, dtype=np.float64), count)
    skewness = ratio(third, variance**1.5)
    kurtosis = ratio(fourth, variance**2) - 3
    rms = np.sqrt(variance)
    found = {
        "span": _median(span),
        "span_lowest": _lowest(span),
        "span_highest": -_lowest(-span),
        "rms": _median(rms),
        "rms_lowest": _lowest(rms),
        "rms_highest": -_lowest(-rms),
        "skewness": _median(skewness),
        "kurtosis": _median(kurtosis),
        "kurtosis_highest": -_lowest(-kurtosis),
        "largest": -_lowest(-largest),
    }
    rough = ratio(_bend(x), rms)
    found["sample_roughness"] = _median(rough)
    found["sample_roughness_lowest"] = _lowest(rough)
    return {f"amplitude.{name}": values for name, values in found.items()}


def _bend(x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Root mean square of the second difference of each channel; NaN below three samples."""
    if x.shape[2] < 3:
        return np.full(x.shape[:2], np.nan)
    bend = np.diff(x, 2, axis=2)
    there = np.isfinite(bend)
    bend = np.where(there, bend, 0)
    return np.sqrt(ratio((bend * bend).sum(axis=2, dtype=np.float64), there.sum(axis=2)))


def _median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median over the channels that have a value."""
    ordered = np.sort(values, axis=1)
    last = np.maximum(np.isfinite(values).sum(axis=1) - 1, 0)
    row = np.arange(len(values))
    middle: NDArray[np.float64] = (ordered[row, last // 2] + ordered[row, (last + 1) // 2]) / 2
    return middle


def _lowest(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lowest over the channels that have a value."""
    lowest: NDArray[np.float64] = np.fmin.reduce(values, axis=1)
    return lowest
