"""Associations under many weightings: each as the association of that weighting alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdq_core.errors import UsageError
from sdq_core.statistics.association import associations
from sdq_core.statistics.resampled_associations import resampled_associations


def made(seed, n=60, gaps=True):
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(n, 3)).round(1)
    numbers[:, 1] += numbers[:, 0]
    if gaps:
        numbers[rng.random((n, 3)) < 0.2] = np.nan
    codes = np.column_stack([rng.integers(0, 4, n), rng.integers(0, 30, n), rng.integers(0, 2, n)])
    codes[:, 2] |= codes[:, 0] > 2
    return numbers, codes, [5, 31, 2], rng


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.sampled_from(["subsets", "counts", "floats"]))
def test_each_weighting_is_as_computed_alone(seed, gaps, kind):
    numbers, codes, levels, rng = made(seed, gaps=gaps)
    weights = {
        "subsets": rng.integers(0, 2, (4, 60)),
        "counts": rng.integers(0, 4, (4, 60)),
        "floats": rng.random((4, 60)),
    }[kind]
    found = resampled_associations(numbers, codes, levels, weights)
    for w, values in zip(weights, found, strict=True):
        alone = associations(numbers, codes, levels, w)
        np.testing.assert_allclose(values, alone.values, atol=1e-9)


@given(st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_a_weight_of_two_is_the_row_twice(seed):
    numbers, codes, levels, rng = made(seed)
    weights = rng.integers(0, 3, 60)
    rows = np.repeat(np.arange(60), weights)
    one = resampled_associations(numbers, codes, levels, weights[None])[0]
    two = resampled_associations(numbers[rows], codes[rows], levels, np.ones((1, len(rows))))[0]
    np.testing.assert_allclose(one, two, atol=1e-9)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_few_rows_tell_nothing(n):
    found = resampled_associations(np.ones((n, 2)), np.zeros((n, 1), int), [1], np.ones((2, n)))
    assert np.array_equal(found, np.broadcast_to(np.eye(3), (2, 3, 3)))


def test_constant_columns_and_weightings_of_nothing_are_unknown():
    numbers = np.column_stack([np.full(20, 7.0), np.arange(20.0)])
    codes = (np.arange(20) % 2)[:, None]
    weights = np.stack([np.ones(20), np.zeros(20)])
    found = resampled_associations(numbers, codes, [2], weights)
    assert found[0, 0, 1] == found[0, 0, 2] == 0
    assert np.array_equal(found[1], np.eye(3))


@pytest.mark.parametrize(
    "change",
    [
        {"weights": np.ones((1, 9))},
        {"weights": -np.ones((1, 10))},
        {"categories": np.full((10, 1), 2)},
        {"categories": np.zeros((9, 1), int)},
        {"numbers": np.ones(10)},
    ],
)
def test_refuses_what_does_not_belong_together(change):
    given_ = {
        "numbers": np.ones((10, 1)), "categories": np.zeros((10, 1), int), "levels": [2],
        "weights": np.ones((1, 10)), **change,
    }  # fmt: skip
    with pytest.raises(UsageError):
        resampled_associations(**given_)
