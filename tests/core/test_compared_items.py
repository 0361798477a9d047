"""How many items are compared, as the profile asks; all of them exactly, in blocks."""

from dataclasses import replace

import numpy as np
import pytest
import yaml
from toy import cohorts

from sdq_core.characteristics import comparison, learning, replicates
from sdq_core.errors import StudyError, UsageError
from sdq_core.profiles import load_profile
from sdq_core.statistics import (
    bootstrap_weights,
    classifier,
    gram,
    prdc_from_distances,
    split_weights,
    weighted_discrepancy,
)
from sdq_core.statistics.kernel_blocks import discrepancies_of_rows
from sdq_core.statistics.neighbour_lists import NeighbourLists

# -- what the profile asks for -------------------------------------------------------------------


def profile(folder, name, **keys):
    text = {"schema": "sdq.profile/1", "name": name, "version": "1", "modality": "toy",
            "criteria": [], **keys}  # fmt: skip
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(text), encoding="utf-8")
    return load_profile(str(folder / f"{name}.yaml"), folder, "toy", "base")


def test_a_profile_says_how_many_and_hands_it_on(tmp_path):
    base = profile(tmp_path, "base", compared="all")
    assert base.compared == "all"
    assert profile(tmp_path, "own", extends="default").compared == "all"
    assert profile(tmp_path, "fewer", extends="default", compared=500).compared == 500
    plain = profile(tmp_path, "base")
    assert plain.compared is None
    assert len({plain.digest, base.digest, profile(tmp_path, "base", compared=500).digest}) == 3


@pytest.mark.parametrize("wrong", [0, 99, "some", -1, 2.5])
def test_what_is_no_number_of_items_is_refused(tmp_path, wrong):
    with pytest.raises(StudyError, match="compared"):
        profile(tmp_path, "base", compared=wrong)


@pytest.mark.parametrize(("asked", "wanted"), [(None, 120), (100, 100), ("all", 150)])
def test_the_number_reaches_the_comparisons(monkeypatch, asked, wanted):
    monkeypatch.setattr(comparison, "LARGEST", 120)
    made = replace(cohorts(), compared=asked)
    for found in (
        comparison.compare_embedding.__wrapped__(made, "toy"),
        comparison.compare_scalars(made, ["feature_1"], 0),
    ):
        assert len(found.reference) == wanted


@pytest.mark.parametrize(("asked", "wanted"), [(None, 130), (100, 130), (140, 140), ("all", 150)])
def test_a_learner_sees_more_when_asked_to(monkeypatch, asked, wanted):
    monkeypatch.setattr(learning, "MOST_ITEMS", 130)
    task = learning.task(replace(cohorts(), compared=asked), learning.LOGISTIC)
    assert len(task.test_y) == wanted


# -- exactly, in blocks --------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", ["rbf", "cubic", "linear", "energy"])
@pytest.mark.parametrize("groups", [None, 90])
def test_blocks_give_what_the_gram_matrix_gives(kernel, groups, monkeypatch):
    monkeypatch.setattr("sdq_core.statistics.kernel_blocks._ROWS", 32)
    monkeypatch.setattr("sdq_core.statistics.kernel_blocks._WEIGHTINGS", 7)
    monkeypatch.setattr("sdq_core.statistics.kernel_blocks.rows_per_block", lambda _: 1)
    rng = np.random.default_rng(3)
    z = rng.normal(size=(300, 4))
    code = None if groups is None else rng.integers(groups, size=300)
    plain = np.arange(300) if code is None else code
    one = split_weights(plain, (100, 120), 20, 1)
    two = (bootstrap_weights(plain, 9, 2), bootstrap_weights(plain, 9, 3))
    matrix = gram(z, kernel)
    small = [tuple(w.astype(np.uint16) for w in side) for side in (one, two)]
    for found, side in zip(discrepancies_of_rows(z, kernel, small, code), (one, two), strict=True):
        np.testing.assert_allclose(found, weighted_discrepancy(matrix, *side, code), atol=1e-9)


def test_a_side_without_pairs_has_no_discrepancy():
    z, one = np.random.default_rng(0).normal(size=(20, 2)), np.zeros((2, 20))
    one[0, 0], one[1, :5] = 1, 1
    two = np.ones((2, 20)) - one
    (found,) = discrepancies_of_rows(z, "rbf", [(one, two)])
    assert np.isnan(found).tolist() == [True, False]


def test_weightings_of_another_shape_are_refused():
    with pytest.raises(UsageError, match="weightings"):
        discrepancies_of_rows(np.zeros((5, 2)), "rbf", [(np.ones((1, 5)), np.ones((1, 4)))])


@pytest.mark.parametrize("length", [3, 10, 128, 10_000])
@pytest.mark.parametrize("sides", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_lists_give_what_all_distances_give(length, sides, seed):
    """Also where rows stand several times, where a list is too short, and where ties abound."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(260, 3)) if seed % 2 else rng.integers(0, 3, (260, 5)).astype(float)
    z[200:] = z[:60]
    z[10:16] = z[10]
    if sides:
        z[130:] *= 0.3  # a generator of too little variance lies in the midst of the real rows
    lists = NeighbourLists(z, np.arange(260) >= 130 if sides else None, length)
    # Directly: of equal rows the distances must be equal to the last bit.
    distances = np.sqrt(((z[:, None] - z) ** 2).sum(axis=2))
    for _ in range(5):
        order = rng.permutation(130)
        i, j = order[:60], (130 + rng.permutation(130)[:100] if sides else order[60:])
        exact = prdc_from_distances(
            distances[np.ix_(i, i)], distances[np.ix_(j, j)], distances[np.ix_(i, j)], k=5
        )
        assert tuple(lists.prdc(i, j, 5)) == pytest.approx(tuple(exact), abs=1e-12)


def test_a_part_of_both_sides_is_refused():
    lists = NeighbourLists(np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) < 10)
    with pytest.raises(UsageError, match="one side"):
        lists.prdc(np.arange(5, 15), np.arange(20, 30), 3)


def test_a_radius_needs_neighbours():
    lists = NeighbourLists(np.random.default_rng(0).normal(size=(12, 2)))
    with pytest.raises(UsageError, match="k: must be 1 to 4"):
        lists.prdc(np.arange(5), np.arange(5, 12), 5)


def test_labels_in_blocks_give_the_same_test(monkeypatch):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(80, 5)), rng.normal(size=(90, 5)) + 0.3
    groups = np.repeat(np.arange(85), 2)
    whole = classifier.classifier_two_sample_test(x, y, groups, permutations=150)
    monkeypatch.setattr(classifier, "BLOCK", 1)
    parts = classifier.classifier_two_sample_test(x, y, groups, permutations=150)
    assert parts.auc == pytest.approx(whole.auc, abs=1e-12)
    assert parts.p_value == whole.p_value
    assert (parts.null_low, parts.null_high) == pytest.approx((whole.null_low, whole.null_high))
    np.testing.assert_allclose(parts.scores, whole.scores, atol=1e-12)


@pytest.mark.parametrize("per_subject", [1, 3])
def test_all_measures_of_blocks_equal_those_of_the_whole(monkeypatch, per_subject):
    made = cohorts(synthetic={"shift": 0.4}, per_subject=per_subject)

    def measured():
        found = comparison.compare_embedding.__wrapped__(made, "toy")
        return [
            *(replicates.by_kernel(found, k, permuted=True) for k in ("rbf", "cubic", "energy")),
            *replicates.neighbours(found),
            replicates.separability(found),
        ]

    whole = measured()
    monkeypatch.setattr(comparison, "WHOLE", 10)
    monkeypatch.setattr(replicates, "WHOLE", 10)
    monkeypatch.setattr(replicates, "rows_per_block", lambda _: 7)
    for one, other in zip(measured(), whole, strict=True):
        assert one.value == pytest.approx(other.value, abs=1e-9)
        assert one.p == other.p
        np.testing.assert_allclose(one.draws, other.draws, atol=1e-9)
        np.testing.assert_allclose(one.null, other.null, atol=1e-9)


# -- where real parts hardly differ --------------------------------------------------------------


def test_no_value_lies_farther_than_a_thousand_floors():
    found = replicates.Replicates(5.0, np.array([5.0, 6.0]), np.zeros(50), "lower")
    assert found.excess(np.array([5.0, -5.0, 0.0])).tolist() == [1000.0, -1000.0, 0.0]


def test_a_feature_in_which_no_real_part_differs_overflows_nothing():
    found = comparison.compare_scalars(cohorts(), ["feature_1", "feature_2"], 0)
    values = found.values.copy()
    values[:, 0] = 0.0
    values[found.synthetic, 0] = 1e3
    with np.errstate(all="raise"):
        measured = replicates.marginals(replace(found, values=values))
        interval = measured.interval()
    assert measured.value == pytest.approx(500, abs=5)
    assert np.isfinite([interval.low, interval.high]).all()


# -- subjects of several items -------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_a_subject_between_the_parts_ends_no_measure(seed):
    """A re-split leaves out who would be on both sides: its parts are smaller than the cohorts."""
    made = cohorts(seed, n=(60, 90, 150), per_subject=7)
    found = comparison.compare_embedding.__wrapped__(made, "toy")
    assert any(len(i) + len(j) < sum(found.sizes) for i, j in found.splits)
    short = replace(found)
    short.__dict__["splits"] = tuple(sorted(found.splits, key=lambda p: len(p[0]) + len(p[1])))
    measured = replicates.separability(short)
    assert 0 <= measured.value <= 1
    assert np.isfinite(measured.null).all()
