"""Singling out by one column: against counting by hand, leaky and innocent generators."""

from collections import Counter

import numpy as np
import pytest
from test_ehr_privacy_attacks import sides_of_tables

from sdq_core.statistics.mixed_rows import MixedRows
from sdq_ehr.attacks.one_column import one_column, predicates
from sdq_ehr.attacks.sides import Sides


def made(seed, n=60, levels=40):
    rng = np.random.default_rng(seed)
    numbers = np.round(rng.normal(size=(n, 2)) * 3, 1)
    numbers[rng.random((n, 2)) < 0.03] = np.nan
    return MixedRows(numbers, rng.integers(0, levels, (n, 1)))


def by_hand(column, ordered):
    """The univariate predicates of Giomi et al. 2023 that single out a row, as functions."""
    known = [v for v in column if v == v]
    found = [lambda x, v=v: x == v for v, k in Counter(known).items() if k == 1]
    if len(column) - len(known) == 1:
        found.append(lambda x: x != x)
    if ordered and known:
        low, high = min(known), max(known)
        ends = (lambda x: x <= low), (lambda x: x >= high)
        found += [p for p in ends if sum(map(p, known)) == 1]
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("holdout", [60, 25])
def test_counts_are_those_of_the_descriptions_one_by_one(seed, holdout):
    train, other, synthetic = made(seed), made(seed + 10, holdout), made(seed + 20)
    sides = Sides(train, other, synthetic, (40,))
    claims = b = c = once = 0
    for j in range(3):
        columns = [
            (r.numbers[:, j] if j < 2 else r.categories[:, 0].astype(float)).tolist()
            for r in (synthetic, train, other)
        ]
        for fits in by_hand(columns[0], j < 2):
            claims += 1
            inside, outside = (sum(map(fits, column)) for column in columns[1:])
            b += inside == 1 and outside == 0
            c += inside == 0 and outside == 1
            once += inside == 1
    found = one_column(sides)
    assert found.claims == claims
    assert found.risk.attack.centre == pytest.approx(b / claims)
    assert found.risk.control.centre == pytest.approx(c / claims)
    assert found.success == pytest.approx(once / claims)
    assert found.risk.value == pytest.approx(max(0.0, b / claims - 60 / holdout * c / claims))
    assert found.risk.interval.low <= found.risk.value <= found.risk.interval.high
    assert sum(r[1] for r in found.columns) == claims


def test_cells_taken_over_one_by_one_are_seen_and_fresh_ones_are_not():
    """A generator that resamples every column by itself copies no patient, and names many."""
    for seed in range(3):
        sides = sides_of_tables(seed, 300)
        rng = np.random.default_rng(seed)
        t = sides.train
        mixed = MixedRows(
            np.column_stack([x[rng.permutation(len(t))] for x in t.numbers.T]),
            np.column_stack([x[rng.permutation(len(t))] for x in t.categories.T]),
        )
        leaky = one_column(Sides(t, sides.holdout, mixed, sides.levels))
        assert leaky.risk.interval.low > 0.3
    low = []
    for seed in range(20):
        s = sides_of_tables(seed + 50, 300)
        part = s.holdout.take(np.arange(100 if seed % 2 else 300))
        fresh = one_column(Sides(s.train, part, s.synthetic, s.levels))
        assert fresh.sees_copies
        low.append(fresh.risk.interval.low)
    assert sum(v > 0.05 for v in low) == 0
    assert sum(v > 0 for v in low) <= 2


def test_a_table_without_rare_values_has_nothing_to_claim():
    rng = np.random.default_rng(0)
    rows = [MixedRows(np.empty((300, 0)), rng.integers(0, 3, (300, 4))) for _ in range(3)]
    assert one_column(Sides(*rows, (3, 3, 3, 3))) is None


def test_extremes_that_several_have_describe_nobody():
    found = predicates(np.array([1.0, 1.0, 2.0, 3.0, 3.0, np.nan]), ordered=True)
    assert (found.low, found.high) == (None, None)
    assert found.counts(np.array([2.0, np.nan, np.nan])).tolist() == [1, 2]
    assert not len(predicates(np.array([1.0, 1.0]), ordered=False))
