"""Real and synthetic rows side by side, with the re-splits and resamples that every measure uses.

The null hypothesis is "the synthetic cohort is another real sample". So the synthetic cohort is
compared with a *reference* of real items, and the noise floor is the same comparison with a random
part of the real pool, of the same size, in the place of the synthetic cohort:

- with a holdout, the reference is the holdout (the generator never saw it, so copies of training
  items earn nothing) and the pool is train and holdout together, re-split by subject;
- without one, the reference is one random half of train by subject, and the pool is train.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sdq_core.cohort import Cohort, Cohorts
from sdq_core.measurement import Interval
from sdq_core.statistics import (
    central_interval,
    half_sample_weights,
    random_splits,
    safe_scale,
    split_indices,
    split_weights,
)
from sdq_core.statistics.resampling import bootstrap_blocks
from sdq_core.vocabulary import Role

__all__ = [
    "Comparison",
    "compare_embedding",
    "compare_rows",
    "compare_scalars",
    "fresh_sample_floor",
    "principal_components",
    "principal_map",
    "real_scalars",
    "shared_scalars",
    "spread",
]

LARGEST = 2000
"""Most items of a cohort that are compared, where the profile does not ask for more."""
WHOLE = 6000
"""Rows up to which weights are kept as numbers of 8 bytes; beyond, as small integers."""
FLOOR_REPEATS = 200
INTERVAL_REPEATS = 200

Index = NDArray[np.intp]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """Pooled rows: first the real pool, then the synthetic sample.

    Parameters
    ----------
    values : ndarray, shape (N, d), float64
        Scaled by the real items that are not in the reference.
    raw : ndarray, shape (N, d), float64
        Unscaled.
    groups : ndarray of str, shape (N,)
        Unit of resampling of each row.
    pool, reference, synthetic : ndarray of int
        Row numbers; `reference` is a part of `pool`, the rest of which is `basis`.
    names : tuple of str
        Column names; empty for an embedding.
    roles : ndarray of str, shape (N,)
        Cohort of each row.
    rows : ndarray of int, shape (N,)
        Row of each pooled row in its own cohort's table.
    seed : int
    floor_method : str
        Which real parts gave the noise floor.
    absent : ndarray of bool, shape (N, d), or None
        Where an item has no such feature; its values stand beyond the real range there.
    """

    values: Values
    raw: Values
    groups: NDArray[np.str_]
    pool: Index
    reference: Index
    synthetic: Index
    names: tuple[str, ...]
    roles: NDArray[np.str_]
    rows: Index
    seed: int
    floor_method: str
    absent: NDArray[np.bool_] | None = None

    @cached_property
    def basis(self) -> Index:
        """Real rows that are not in the reference: what limits and scales are taken from."""
        return np.setdiff1d(self.pool, self.reference)

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of reference and of synthetic rows."""
        return len(self.reference), len(self.synthetic)

    @property
    def n(self) -> dict[str, int]:
        """Sample sizes for `Measurement.n`."""
        return {"real": len(self.reference), "synthetic": len(self.synthetic)}

    def column(
        self, cohorts: Cohorts, get: Callable[[Cohort], NDArray[np.str_]]
    ) -> NDArray[np.str_]:
        """Return one attribute of every pooled row, shape (N,)."""
        columns = {str(c.role): get(c) for c in cohorts.all}
        return np.array(
            [columns[role][row] for role, row in zip(self.roles, self.rows, strict=True)],
            dtype=np.str_,
        )

    @cached_property
    def splits(self) -> tuple[tuple[Index, Index], ...]:
        """Random re-splits of the pool by group, of the sizes in use."""
        rng = np.random.default_rng([self.seed, 1])
        drawn = random_splits(self.groups[self.pool], self.sizes, FLOOR_REPEATS, rng)
        return tuple((self.pool[a], self.pool[b]) for a, b in drawn)

    @cached_property
    def halves(self) -> tuple[tuple[Index, Index], ...]:
        """Half samples of whole groups of the reference and of the synthetic rows."""
        a = half_sample_weights(self.groups[self.reference], INTERVAL_REPEATS, self.seed + 2)
        b = half_sample_weights(self.groups[self.synthetic], INTERVAL_REPEATS, self.seed + 3)
        return tuple(
            (self.reference[x > 0], self.synthetic[y > 0]) for x, y in zip(a, b, strict=True)
        )

    def weights(self, pairs: Sequence[tuple[Index, Index]]) -> tuple[Values, Values]:
        """Turn index pairs into 0/1 weights over all rows, each shape (R, N)."""
        a, b = self._no_weights(len(pairs))
        for r, (i, j) in enumerate(pairs):
            a[r, i] = 1
            b[r, j] = 1
        return a, b

    def _no_weights(self, repeats: int) -> tuple[Values, Values]:
        """Return zeros, shape (R, N), twice: counts are small, and many rows are much memory."""
        shape = (repeats, len(self.values))
        kind: DTypeLike = np.float64 if len(self.values) <= WHOLE else np.uint16
        return np.zeros(shape, kind), np.zeros(shape, kind)

    @cached_property
    def observed_weights(self) -> tuple[Values, Values]:
        """Weights of the observed comparison, each shape (1, N)."""
        return self.weights([(self.reference, self.synthetic)])

    @cached_property
    def split_weights(self) -> tuple[Values, Values]:
        """Weights of the noise floor's re-splits."""
        return self.weights(self.splits)

    @cached_property
    def bootstrap_weights(self) -> tuple[Values, Values]:
        """Bootstrap weights of whole groups, both sides resampled."""
        a, b = self._no_weights(INTERVAL_REPEATS * 2)
        for side, weights, rows in ((4, a, self.reference), (5, b, self.synthetic)):
            start = 0
            for drawn in bootstrap_blocks(self.groups[rows], len(a), self.seed + side, 50):
                weights[start : start + len(drawn), rows] = drawn
                start += len(drawn)
        return a, b

    @cached_property
    def permutation_weights(self) -> tuple[Values, Values]:
        """Label permutations of reference and synthetic rows, whole groups moved."""
        both = np.concatenate([self.reference, self.synthetic])
        a, b = self._no_weights(999)
        a[:, both], b[:, both] = split_weights(
            self.groups[both], self.sizes, len(a), self.seed + 6, a.dtype
        )
        return a, b

    def floor(self, null: Values) -> Interval:
        """Turn the re-splits' values into the noise floor."""
        return central_interval(null, self.floor_method)

    def mean_difference(
        self, columns: Values, *, largest: bool = False
    ) -> tuple[float, Interval, Interval]:
        """Return value, interval and noise floor of the distance between two mean rows.

        Parameters
        ----------
        columns : ndarray, shape (N, d)
            In one unit.
        largest : bool
            Take the largest of the absolute differences, not their root mean square.

        Returns
        -------
        value, interval, noise_floor
            Root mean square over columns of the difference of the means.
        """

        def distances(pair: tuple[Values, Values]) -> Values:
            a, b = (w / w.sum(axis=1, keepdims=True) for w in pair)
            difference = np.abs((a - b) @ columns)
            if largest:
                return np.asarray(difference.max(axis=1))
            return np.asarray(np.sqrt((difference**2).mean(axis=1)))

        value = float(distances(self.observed_weights)[0])
        halves = distances(self.weights(self.halves))
        return (
            value,
            spread(value, halves, 0.0, np.inf),
            self.floor(distances(self.split_weights)),
        )

    def measure(
        self, statistic: Callable[[Index, Index], float], *, lower: float, upper: float
    ) -> tuple[float, Interval, Interval]:
        """Return value, interval and noise floor of a statistic of two sets of rows.

        Parameters
        ----------
        statistic : callable
            Takes reference rows and synthetic rows.
        lower, upper : float
            Range of the statistic; the interval is cut to it.

        Returns
        -------
        value, interval, noise_floor
        """
        value = statistic(self.reference, self.synthetic)
        halves = np.array([statistic(i, j) for i, j in self.halves])
        null = np.array([statistic(i, j) for i, j in self.splits])
        return value, spread(value, halves, lower, upper), self.floor(null)


def spread(value: float, halves: Values, lower: float, upper: float) -> Interval:
    """Put the centred spread of half-sample values around the full-sample value.

    The variance of half samples drawn without replacement equals that of the full-sample
    estimate (delete-half jackknife: Shao & Wu 1989, doi:10.1214/aos/1176347263), without the
    repeated items of a bootstrap, which neighbour and diversity measures take for mode collapse.

    Parameters
    ----------
    value : float
    halves : ndarray, shape (R,)
    lower, upper : float
        Range of the statistic.

    Returns
    -------
    Interval
        Contains `value`.
    """
    low, high = value + np.quantile(halves, [0.025, 0.975]) - np.mean(halves)
    return Interval(
        float(np.clip(min(low, value), lower, upper)),
        float(np.clip(max(high, value), lower, upper)),
        "half-sampling of subjects",
    )


def fresh_sample_floor(parts: Values, size: int, pool: int, method: str) -> Interval:
    """Turn a statistic of single random parts of the real pool into its noise floor.

    Parameters
    ----------
    parts : ndarray, shape (R,)
        The statistic of parts of the pool drawn without replacement.
    size, pool : int
        Items in a part and in the pool, ``0 < size < pool``.
    method : str
        What the parts are.

    Returns
    -------
    Interval
        Around the median. Parts of a finite pool overlap, with variance ``s^2 (1/n - 1/N)``; a
        fresh sample differs from the pool by ``s^2 (1/n + 1/N)`` (Cochran, Sampling Techniques,
        1977, section 2.6), so the deviations are stretched by ``sqrt((N + n) / (N - n))``.

    Examples
    --------
    >>> floor = fresh_sample_floor(np.array([-1.0, 0.0, 1.0]), 60, 100, "parts")
    >>> floor.centre, round(floor.high, 2)
    (0.0, 1.9)
    """
    low, centre, high = np.quantile(parts, [0.025, 0.5, 0.975])
    stretch = float(np.sqrt((pool + size) / (pool - size)))
    return Interval(
        float(centre + stretch * (low - centre)),
        float(centre + stretch * (high - centre)),
        f"{method}, stretched to the spread of fresh samples",
        centre=float(centre),
    )


@lru_cache(maxsize=8)
def compare_embedding(cohorts: Cohorts, name: str) -> Comparison | None:
    """Put one embedding of all cohorts side by side; None when one side has none.

    Kept for the measures that share it.
    """
    return _side_by_side(
        cohorts,
        lambda cohort: cohort.table.embedded(name),
        lambda cohort, rows: cohort.table.embeddings(name, rows),
        cohorts.seed(f"comparison/{name}"),
    )


def compare_scalars(
    cohorts: Cohorts, names: Sequence[str], seed: int, *, least_present: float = 0.95
) -> Comparison | None:
    """Put named scalars side by side.

    Parameters
    ----------
    names : sequence of str
        Columns; one that fewer than `least_present` of the readable items of a real cohort have
        is left out.

    Returns
    -------
    Comparison or None
        Of all readable items. One that lacks a feature, such as the duration of waves that were
        not found, is placed beyond the real range of it: as far below the 1 % quantile as that
        lies from the 99 % quantile. To leave such items out would let a generator pass by them.
        None when no row is left on one side, or no column in which items differ.
    """
    kept: dict[str, float] = {}
    for name in names:
        real = [c.table.scalar(name)[c.table.readable] for c in cohorts.real]
        if not real or min(np.isfinite(v).mean() if len(v) else 0.0 for v in real) < least_present:
            continue
        pooled = np.concatenate(real)
        low, high = np.quantile(pooled[np.isfinite(pooled)], [0.01, 0.99])
        kept[name] = float(low - (high - low if high > low else 1.0))
    if not kept:
        return None
    places = np.array(list(kept.values()))

    def get(cohort: Cohort, rows: Index) -> Values:
        values = np.column_stack([cohort.table.scalar(n)[rows] for n in kept])
        return np.where(np.isfinite(values), values, places)

    found = _side_by_side(
        cohorts, lambda c: np.flatnonzero(c.table.readable), get, seed, tuple(kept)
    )
    if found is None or not found.names:
        return None
    where = np.array([list(kept).index(n) for n in found.names], np.intp)
    return replace(found, absent=found.raw == places[where])


def real_scalars(cohorts: Cohorts, without: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the scalars that some real items have, in their order.

    Parameters
    ----------
    without : sequence of str
        Prefixes of names that are left out.
    """
    names = dict.fromkeys(n for c in cohorts.real for n in c.table.scalar_names)
    return tuple(n for n in names if not n.startswith(tuple(without)))


def shared_scalars(cohorts: Cohorts) -> tuple[str, ...]:
    """Return the scalars that some real and some synthetic items have, in the real ones' order."""
    synthetic = set(cohorts.synthetic.table.scalar_names)
    return tuple(n for n in real_scalars(cohorts) if n in synthetic)


def principal_components(comparison: Comparison, dimension: int) -> tuple[Values, Values]:
    """Project all rows on the leading principal components of the real pool.

    Parameters
    ----------
    comparison : Comparison
    dimension : int

    Returns
    -------
    scores : ndarray, shape (N, dimension)
    explained : ndarray, shape (dimension,)
        Share of the real pool's variance.
    """
    pool = comparison.values[comparison.pool]
    centre = pool.mean(axis=0)
    _, singular, basis = np.linalg.svd(pool - centre, full_matrices=False)
    # The sign of a singular vector is arbitrary: fix it, so that pictures agree between machines.
    signs = np.sign(basis[np.arange(len(basis)), np.abs(basis).argmax(axis=1)])
    basis = basis[:dimension] * signs[:dimension, None]
    power = singular**2
    # Where nothing varies nothing is explained.
    whole = float(power.sum()) or 1.0
    return (comparison.values - centre) @ basis.T, power[:dimension] / whole


def principal_map(comparison: Comparison, most: int = 400) -> dict[str, Any]:
    """Return a two-dimensional map of real reference and synthetic items for the report."""
    scores, explained = principal_components(comparison, 2)
    points = np.round(scores, 3)
    return {
        "x_label": "PC 1",
        "y_label": "PC 2",
        "explained": [round(float(e), 4) for e in explained],
        "real": points[comparison.reference[:most]].tolist(),
        "synthetic": points[comparison.synthetic[:most]].tolist(),
    }


def compare_rows(
    cohorts: Cohorts,
    get: Callable[[Cohort], tuple[Values, Index]],
    seed: int,
    names: tuple[str, ...] = (),
) -> Comparison | None:
    """Put rows of numbers of all cohorts side by side.

    Parameters
    ----------
    get : callable
        Gives the values of a cohort, shape (m, d), and the row of each in the cohort's table.
    seed : int
    names : tuple of str
        Of the columns.

    Returns
    -------
    Comparison or None
        None when a cohort has fewer than four rows.
    """
    parts: Mapping[Role, tuple[Values, Index]] = {c.role: get(c) for c in cohorts.all}

    def chosen(cohort: Cohort, rows: Index) -> Values:
        values, own = parts[cohort.role]
        place = np.empty(len(cohort), np.intp)
        place[own] = np.arange(len(own))
        return values[place[rows]]

    return _side_by_side(cohorts, lambda c: parts[c.role][1], chosen, seed, names)


def _side_by_side(
    cohorts: Cohorts,
    rows_of: Callable[[Cohort], Index],
    values_of: Callable[[Cohort, Index], NDArray[np.floating[Any]]],
    seed: int,
    names: tuple[str, ...] = (),
) -> Comparison | None:
    """As `compare_rows`, with the values of the chosen rows alone: the others are never touched."""
    cohort_of = {str(c.role): c for c in cohorts.all}
    most = cohorts.most(LARGEST)
    chosen = {role: _smallest_digests(c, rows_of(c), most) for role, c in cohort_of.items()}
    if any(len(c) < 4 for c in chosen.values()):
        return None
    reals = [str(c.role) for c in cohorts.real]
    order = [*reals, "synthetic"]
    raw = np.concatenate(
        [np.asarray(values_of(cohort_of[r], chosen[r]), np.float64) for r in order]
    )
    rows = np.concatenate([chosen[r] for r in order])
    groups = np.concatenate([cohort_of[r].groups[chosen[r]] for r in order])
    lengths = [len(chosen[r]) for r in order]
    roles = np.repeat(np.array(order, dtype=np.str_), lengths)
    pool = np.arange(sum(lengths[:-1]))
    synthetic = np.arange(sum(lengths[:-1]), sum(lengths))
    if cohorts.holdout is not None:
        reference = pool[lengths[0] :]
        method = "train and holdout pooled, re-split by subject"
    else:
        rng = np.random.default_rng([seed, 0])
        half, _ = split_indices(groups[pool], (len(pool) // 2, len(pool) - len(pool) // 2), rng)
        reference = np.sort(pool[half])
        method = "disjoint parts of train by subject (no holdout)"
    if not cohorts.subjects_known:
        method += "; items taken as independent (no subject ids)"
    # The floor needs a real part of the synthetic sample's size beside the reference.
    room = len(pool) - len(reference)
    synthetic = synthetic[:room]
    # By items on neither side: scaled by one side, the other would look the wider one, and
    # permutations of whole subjects would not be exchangeable where these are few.
    basis = np.setdiff1d(pool, reference)
    (_, scaled_pool, scaled), kept = safe_scale(raw[basis], raw[pool], raw[synthetic])
    used = np.concatenate([pool, synthetic])
    return Comparison(
        values=np.concatenate([scaled_pool, scaled]).astype(np.float64),
        raw=raw[used][:, kept],
        groups=groups[used],
        pool=pool,
        reference=reference,
        synthetic=np.arange(len(pool), len(used)),
        names=tuple(np.array(names)[kept].tolist()) if names else (),
        roles=roles[used],
        rows=rows[used],
        seed=seed,
        floor_method=method,
    )


def _smallest_digests(cohort: Cohort, rows: Index, most: int | None) -> Index:
    """Choose at most so many of some rows by the order of their content digests.

    A uniform sample that does not depend on names, order or number of processes (bottom-k).
    """
    wanted = np.zeros(len(cohort), bool)
    wanted[rows] = True
    order = cohort.table.digest_order
    return order[wanted[order]][:most]
