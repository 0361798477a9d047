"""Images composed of halves of two training images are found; real radiographs are left alone."""

from __future__ import annotations

import numpy as np
import pytest
from test_copies import radiographs, signatures, split

from sdq_core.statistics.copies import copy_scores, memorised
from sdq_imaging.half_copies import FLOOR, HALVES, REACH, half_matches
from sdq_imaging.planting.content import composed


def judged(seed, copies):
    images, prints, subjects = radiographs()
    train, holdout, fresh = split(seed, (150, 90, 110))
    rng = np.random.default_rng(seed)
    synthetic = prints[fresh].copy()
    if copies:
        pairs = [rng.choice(train, 2, replace=False) for _ in range(copies)]
        made = np.stack([composed(images[a], images[b], rng) for a, b in pairs])
        synthetic[:copies] = signatures(made)
    return memorised(
        synthetic,
        prints[train],
        prints[holdout],
        search=HALVES,
        train_subjects=subjects[train],
        holdout_subjects=subjects[holdout],
        repeats=100,
        seed=seed,
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_composed_images_are_found_and_clean_ones_are_not(seed):
    found = judged(seed, copies=22)
    assert found.interval.low > 0.05
    assert found.interval.low <= 0.2 <= found.interval.high
    assert len({s.row for s in found.suspects} & set(range(22))) >= 21
    clean = judged(seed, copies=0)
    assert clean.interval.low == 0
    assert clean.p_value > 0.01
    assert clean.flagged <= 3
    assert clean.sensitivity.centre > 0.95


def test_correlations_are_those_of_pearson_over_all_moves_and_halves():
    rng = np.random.default_rng(0)
    query, reference = rng.standard_normal((4, 16, 16)), rng.standard_normal((6, 16, 16))
    inner = slice(REACH, 16 - REACH)
    windows = [(inner, slice(REACH, 8)), (inner, slice(8, 16 - REACH))]
    windows += [(columns, rows) for rows, columns in windows]
    found = half_matches(query, reference, top=6)
    for k, x in enumerate(query):
        lists = []
        for window in windows:
            best = [
                max(
                    np.corrcoef(
                        np.roll(x, (-down, -right), (0, 1))[window].ravel(), r[window].ravel()
                    )[0, 1]
                    for down in range(-REACH, REACH + 1)
                    for right in range(-REACH, REACH + 1)
                )
                for r in reference
            ]
            distance = np.sort(np.sqrt(2 * (1 - np.array(best)) + FLOOR))
            lists.append((np.log(distance[1:].mean() / distance[0]), np.sort(best)[::-1]))
        _, expected = max(lists, key=lambda pair: pair[0])
        np.testing.assert_allclose(found.scores[k], expected, atol=1e-5)


def test_each_subject_is_listed_once_and_never_matched_with_itself():
    x = np.random.default_rng(1).standard_normal((12, 20, 20))
    groups = np.repeat(np.arange(6), 2)
    found = half_matches(x[:4], x, top=6, query_groups=groups[:4], reference_groups=groups)
    for k, row in enumerate(found.indices):
        assert row[-1] == -1  # its own subject
        named = groups[row[:-1]]
        assert len(set(named.tolist())) == 5
        assert groups[k] not in named
    alone = half_matches(x[:1], x[1:2], query_groups=groups[:1], reference_groups=groups[1:2])
    assert (alone.indices.tolist(), alone.transforms) == ([[-1]], (None,))
    assert (copy_scores(half_matches(x, x), FLOOR) > 1).all()
