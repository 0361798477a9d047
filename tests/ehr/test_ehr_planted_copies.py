"""Planted copies are seen and fresh rows are not: a light version of benchmarks/ehr_validity.py."""

import numpy as np
import pytest

from sdq_core.statistics.mixed_rows import MixedRows, MixedSpace
from sdq_core.statistics.nearest_mixed import nearest_rows
from sdq_core.statistics.surprisal import AgreementSpace
from sdq_core.statistics.tail_excess import closeness, difference_excess, tail_excess
from sdq_ehr.simulated_table import mixed_rows, plant_copies, simulate_table


def judged(seed, **plant):
    train, holdout, synthetic = (simulate_table(1000, 10 * seed + k) for k in range(3))
    if plant:
        synthetic, _, _ = plant_copies(synthetic, train, seed=seed, **plant)
    (train, holdout, synthetic), levels = mixed_rows(train, holdout, synthetic)
    real = MixedRows(
        np.concatenate([train.numbers, holdout.numbers]),
        np.concatenate([train.categories, holdout.categories]),
    )
    space, agreement = MixedSpace(real, levels), AgreementSpace(real, levels)
    query = space.encode(synthetic)
    close = [closeness(nearest_rows(query, space.encode(r), 1)[0][:, 0]) for r in (train, holdout)]
    agreed = [agreement.nearest(synthetic, r, 1).best for r in (train, holdout)]
    return difference_excess(*close, np.log(2)).p_value, tail_excess(*agreed).p_value


SEEDS = range(5)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.3])
def test_copied_rows_at_two_percent_of_a_thousand_are_seen(noise):
    found = np.array([judged(s, share=0.02, noise=noise) for s in SEEDS])
    assert (found < 0.025).any(axis=1).all()


def test_rows_of_which_half_was_copied_are_seen_by_surprisal_alone():
    found = np.array([judged(s, share=0.06, part=0.5) for s in SEEDS])
    assert (found[:, 1] < 0.025).all()
    assert (found[:, 0] > 0.025).all()


def test_fresh_rows_are_left_in_peace():
    found = np.array([judged(s) for s in range(100, 110)])
    assert (found < 0.025).any(axis=1).sum() <= 2
