"""How far is each hot path from what the machine could do at best, and what lies between?

    python benchmarks/bounds.py [--quick] [--markdown docs/performance.md]

A bound is the work that the result needs at least, at a rate that is measured here on one thread:
matrix products, transforms of numpy's kind, or bytes copied. Ours is the best of three runs in
processor time. The cause of the distance is written beside it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from imaging_contestants import features, pictures
from markdown import printed, replace_measured
from scipy import fft
from threadpoolctl import threadpool_limits

from sdq_core.statistics import frechet_distance
from sdq_core.statistics.contingency import PairCounts
from sdq_core.statistics.mixed_rows import MixedRows
from sdq_core.statistics.nearest_mixed import nearest_rows
from sdq_core.statistics.neighbours import precision_recall_density_coverage
from sdq_imaging.structural_similarity import SCALE_WEIGHTS, TAPS, pairwise_ms_ssim
from sdq_signals.features.spectrum import SEGMENT_S, welch

Work = Callable[[], Any]


@dataclass(frozen=True)
class HotPath:
    """One hot path.

    Parameters
    ----------
    name : str
    work : callable
        What is timed.
    least : float
        Seconds at the machine's rate.
    bound, cause : str
        What that is of, and what lies between.
    """

    name: str
    work: Work
    least: float
    bound: str
    cause: str


def best(work: Work, repeats: int = 3) -> float:
    """Least processor time of some runs; short work is repeated for a tenth of a second."""
    taken = []
    for _ in range(repeats):
        began, count = time.process_time(), 0
        while count == 0 or time.process_time() - began < 0.1:
            work()
            count += 1
        taken.append((time.process_time() - began) / count)
    return min(taken)


@dataclass(frozen=True)
class Rates:
    """What one thread does: products in flop a second, and bytes copied a second."""

    single: float
    double: float
    copied: float

    @classmethod
    def measured(cls, n: int) -> Rates:
        rng = np.random.default_rng(0)
        found = []
        for kind in (np.float32, np.float64):
            a = rng.random((n, n)).astype(kind)
            found.append(2 * n**3 / best(lambda a=a: a @ a))
        block = np.ones(2**25, np.float64)
        target = np.empty_like(block)
        return cls(*found, 2 * block.nbytes / best(lambda: np.copyto(target, block)))


def paths(rates: Rates, quick: bool) -> Iterator[HotPath]:
    """Yield what is measured, one at a time, since the arrays are large."""
    small = 10 if quick else 1
    yield _similarity(rates, 20 if quick else 200)
    n = 10_000 // small
    x, y = features(n, 2048).values()
    yield HotPath(
        f"precision, recall, density, coverage, {n:,} x 2,048",
        lambda: precision_recall_density_coverage(x, y, 5),
        2 * 2 * n * n * 2048 / rates.single,
        "products: each real with each synthetic, and half of the pairs within each side",
        "both sides' own distances are computed whole, as a row must be whole to find its k-th "
        "nearest; then the choice of the nearest, and what float32 cannot tell once more in "
        "float64",
    )
    n = 2000 // small
    a, b = features(n, 2048).values()
    yield HotPath(
        f"Frechet distance, {n:,} x 2,048",
        lambda: frechet_distance(a, b),
        (2 * n * n * 2048 * 2 + 4 / 3 * n**3) / rates.double,
        "two products of n x n x d and the eigenvalues of one n x n matrix, float64",
        "half of the eigenvalue solver's work is products of a matrix with a vector, which memory "
        "bounds",
    )
    yield _nearest(rates, 40_000 // small)
    yield _pairs(rates, 200_000 // small)
    yield _spectrum(200 // small)


def _similarity(rates: Rates, pairs: int) -> HotPath:
    arrays = pictures(32, 256, pairs)
    pixels = 256 * 256 * sum(0.25**k for k in range(len(SCALE_WEIGHTS)))
    # One mixed moment a pair and two moments an image, filtered along both axes; about 12
    # operations a pixel turn moments into contrasts.
    flop = pixels * (pairs * (2 * TAPS * 2 + 12) + 32 * 2 * 2 * TAPS * 2)
    return HotPath(
        f"MS-SSIM, {pairs} pairs among 32 images of 256 x 256",
        lambda: pairwise_ms_ssim(arrays["a"], arrays["pairs"], 1.0),
        flop / rates.single,
        "11 taps along each axis of one product image a pair, at the rate of float32 products",
        "the window is applied by products with its band, three quarters of which are zeros; then "
        "a dozen passes over the moments, which a compiled kernel would keep in registers",
    )


def _nearest(rates: Rates, n: int) -> HotPath:
    rng = np.random.default_rng(0)
    sides = [MixedRows(rng.random((n, 20)), np.empty((n, 0), np.int32)) for _ in range(2)]
    return HotPath(
        f"two nearest of {n:,} rows of 20 numbers for each of as many",
        lambda: nearest_rows(*sides, 2)[0],
        max(2 * n * n * 20 / rates.single, 4 * n * n / rates.copied),
        "a product of 20 numbers a pair, or one distance a pair written, whichever takes longer",
        "the least of each row of a block is looked for in a pass of its own; the products are "
        "thin (20 numbers), which BLAS does at a fraction of its rate",
    )


def _pairs(rates: Rates, n: int) -> HotPath:
    rng = np.random.default_rng(0)
    levels = [12] * 18 + [300] * 2
    codes = [rng.integers(0, k, n).astype(np.int16) for k in levels]
    joint = codes[0].astype(np.intp) * 12 + codes[1]
    one = best(lambda: np.bincount(joint, minlength=144))
    return HotPath(
        f"counts of all 190 pairs of 20 columns, {n:,} rows",
        lambda: PairCounts(levels).update(codes),
        190 * one,
        "one increment a row and pair, as numpy.bincount does them",
        "below 1: groups of columns are counted together, and the pairs summed from their cells",
    )


def _spectrum(n: int) -> HotPath:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 12, 5000), np.float32)
    size = round(500 * SEGMENT_S)
    frames = 2 * x.shape[-1] // size - 1
    segments = rng.standard_normal((n * 12 * frames, size), np.float32)
    return HotPath(
        f"spectra of {n} records of 12 leads, 10 s at 500 Hz",
        lambda: welch(x, 500.0),
        best(lambda: fft.rfft(segments, axis=-1)),
        "the transforms of all frames, as scipy does them",
        "means, window and gaps of each frame, and squares: passes over the same arrays. Bands, "
        "edges, mains and coherence read these frames, so there is one transform for all of them",
    )


def lines(quick: bool) -> Iterator[str]:
    """Yield the page's lines."""
    rates = Rates.measured(256 if quick else 2048)
    yield "| path | ours | bound | times the bound | the bound is | between them |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for one in paths(rates, quick):
        ours = best(one.work, 1 if quick else 3)
        yield (
            f"| {one.name} | {ours:.3g} s | {one.least:.3g} s | {ours / one.least:.2g} "
            f"| {one.bound} | {one.cause} |"
        )
    yield ""
    yield (
        f"One thread: {rates.single / 1e9:.0f} (float32) and {rates.double / 1e9:.0f} (float64) "
        f"GFLOP/s of products, {rates.copied / 1e9:.0f} GB/s read and written. "
        f"{os.uname().machine}; Python {sys.version.split()[0]}, numpy {np.__version__}, "
        f"scipy {scipy.__version__}."
    )


def main() -> None:
    """Measure, print, and put the table into a page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small arrays, once: does it run?")
    parser.add_argument("--markdown", type=Path, help="page whose measured part is replaced")
    args = parser.parse_args()
    if args.markdown and args.quick:
        parser.error("--markdown: needs the whole run; leave out --quick")
    with threadpool_limits(limits=1):
        found = printed(lines(args.quick))
    if args.markdown:
        replace_measured(args.markdown, found, "bounds")


if __name__ == "__main__":
    main()
