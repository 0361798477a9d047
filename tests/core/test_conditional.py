"""Fidelity inside classes and subgroups: a part that differs shows, real samples do not."""

import dataclasses

import numpy as np
import pytest
import toy

from sdq_core.characteristics.comparison import compare_embedding, compare_scalars
from sdq_core.characteristics.conditional import inside
from sdq_core.characteristics.fidelity import Fidelity
from sdq_core.characteristics.replicates import (
    Replicates,
    by_kernel,
    frechet,
    neighbours,
    separability,
)
from sdq_core.description import Description, DescriptionTable
from sdq_core.measurement import Measurement
from sdq_core.statistics import classifier_two_sample_test

SIZES = (90, 70, 70)


class ToyFidelity(Fidelity):
    def embedding_facts(self, cohorts):
        return {"toy": {"version": "1"}}


FIDELITY = ToyFidelity("imaging")


def one(cohorts):
    (found,) = FIDELITY.conditional(cohorts)
    assert isinstance(found, Measurement)
    return found


def changed(cohorts, change, where):
    """Change the features of some synthetic items."""
    old = cohorts.synthetic.table
    descriptions = [
        Description(scalars=change(d.scalars), embeddings=d.embeddings) if flag else d
        for d, flag in zip(old._descriptions, where, strict=True)
    ]
    table = DescriptionTable(old.items, descriptions, "synthetic")
    return dataclasses.replace(
        cohorts, synthetic=dataclasses.replace(cohorts.synthetic, table=table)
    )


@pytest.fixture(scope="module")
def clean():
    return [toy.cohorts(seed, n=SIZES) for seed in range(4)]


@pytest.fixture(scope="module")
def clean_values(clean):
    return [one(c) for c in clean]


def limit(found, factor=5.0):
    """The limit of the default profile."""
    floor = found.noise_floor
    return floor.centre + factor * (floor.high - floor.centre)


def test_real_samples_lie_within_the_limit(clean_values):
    for found in clean_values:
        assert found.value < limit(found)
        assert found.interval.low <= found.value <= found.interval.high
        assert found.noise_floor.low <= found.noise_floor.centre <= found.noise_floor.high
    assert np.median([f.value for f in clean_values]) < clean_values[0].noise_floor.high


def test_every_measure_of_every_class_is_in_the_table(clean_values):
    table = clean_values[0].details["table"]
    rows = {(row[0], row[1]) for row in table["rows"]}
    measures = (
        "mmd", "kernel_distance", "precision", "recall", "density", "coverage", "c2st_auc",
    )  # fmt: skip
    expected = {"marginal_distance", *(f"{m} [toy]" for m in measures)}
    for k in ("a", "b"):
        assert {m for s, m in rows if s == f"class = {k}"} == expected
    assert all(len(row) == len(table["columns"]) for row in table["rows"])
    assert [row[9] for row in table["rows"]] == sorted(row[9] for row in table["rows"])


def test_one_class_that_differs_shows_and_is_named(clean):
    for cohorts in clean[:2]:
        where = cohorts.synthetic.classes == "b"
        shifted = changed(cohorts, lambda s: {k: v + 1.0 for k, v in s.items()}, where)
        found = one(shifted)
        assert found.value > limit(found)
        flagged = [row for row in found.details["table"]["rows"] if not row[-1]]
        assert ("class = b", "marginal_distance") in {(row[0], row[1]) for row in flagged}
        assert ("class = a", "marginal_distance") not in {(row[0], row[1]) for row in flagged}
        assert flagged[0][9] < 0.05


def test_opposite_shifts_of_two_classes_show_although_the_whole_agrees(clean):
    cohorts = clean[0]
    where = cohorts.synthetic.classes == "b"
    moved = changed(cohorts, lambda s: {k: v + 0.6 for k, v in s.items()}, where)
    moved = changed(moved, lambda s: {k: v - 0.6 for k, v in s.items()}, ~where)
    found = one(moved)
    assert found.value > limit(found)
    assert {row[0] for row in found.details["table"]["rows"] if not row[-1]} == {
        "class = a", "class = b",
    }  # fmt: skip


def test_the_subgroup_of_the_study_is_looked_at_too():
    rng = np.random.default_rng(0)
    cohorts = toy.cohorts(0, n=SIZES, study_values={"subgroup": "sex"})
    parts = {
        str(c.role): dataclasses.replace(
            c, attributes={"sex": rng.choice(["f", "m"], len(c)), "site": np.full(len(c), "x")}
        )
        for c in cohorts.all
    }
    found = one(dataclasses.replace(cohorts, **parts))
    assert {row[0] for row in found.details["table"]["rows"]} == {
        "class = a", "class = b", "sex = f", "sex = m",
    }  # fmt: skip


def test_too_few_items_are_a_reason():
    found = one(toy.cohorts(0, n=(30, 24, 24)))
    assert found.value is None
    assert not found.applicable, "the real classes are too small: nothing can be asked"
    assert "20 items" in found.reason
    assert "20" in found.reason_zh


def test_labels_that_synthetic_data_lack_are_asked_for(clean):
    cohorts = clean[0]
    unlabelled = dataclasses.replace(cohorts.synthetic, classes=None)
    found = one(dataclasses.replace(cohorts, synthetic=unlabelled))
    assert found.value is None
    assert found.applicable
    none = [dataclasses.replace(c, classes=None) for c in (cohorts.train, cohorts.holdout)]
    found = one(dataclasses.replace(cohorts, train=none[0], holdout=none[1]))
    assert not found.applicable


def test_a_part_is_compared_with_the_same_part_of_the_real_data(clean):
    cohorts = clean[0]
    whole = compare_scalars(cohorts, toy.NAMES, 3)
    rows = whole.column(cohorts, lambda c: c.classes) == "a"
    part = inside(whole, rows, 5)
    assert part.seed == 5
    np.testing.assert_array_equal(
        part.raw[part.reference], whole.raw[whole.reference[rows[whole.reference]]]
    )
    assert len(part.synthetic) <= len(part.basis)
    assert set(part.roles[part.synthetic]) == {"synthetic"}
    assert (part.column(cohorts, lambda c: c.classes) == "a").all()
    for a, b in part.splits[:3]:
        assert not set(a.tolist()) & set(b.tolist())
        assert max(a.max(), b.max()) < len(part.pool)
    assert inside(whole, np.zeros(len(rows), bool), 5) is None


def test_replicates_agree_with_the_measures_of_the_whole(clean):
    comparison = compare_embedding(clean[0], "toy")
    by_id = {m.id.rpartition(".")[2]: m for m in FIDELITY.neighbours(clean[0])}
    for name, found in zip(
        ("precision", "recall", "density", "coverage"), neighbours(comparison), strict=True
    ):
        assert found.value == by_id[name].value
        assert found.interval() == by_id[name].interval
    (mmd, _) = FIDELITY.kernels(clean[0])
    assert by_kernel(comparison, "rbf", permuted=True).p == mmd.details["p"]
    assert frechet(comparison, 10).value > 0


def test_excess_is_in_units_of_the_tail_and_on_the_bad_side():
    null = np.linspace(10, 20, 401)
    low = Replicates(12.0, np.array([11.0, 13.0]), null, "lower")
    high = Replicates(12.0, np.array([11.0, 13.0]), null, "higher")
    np.testing.assert_allclose(
        low.excess(np.array([15.0, 19.75, 5.25])), [0, 1, -9.75 / 4.75], atol=1e-6
    )
    np.testing.assert_allclose(high.excess(np.array([15.0, 10.25])), [0, 1], atol=1e-6)
    np.testing.assert_allclose(low.scattered(), [11, 13])
    constant = Replicates(0.0, null, np.ones(50), "higher", grain=0.1)
    np.testing.assert_allclose(constant.excess(np.array([1.0, 0.8])), [0, 2])


# The classifier ----------------------------------------------------------------------------------


def c2st_cells(found):
    """Excess rank of each class's classifier: adjusted p and whether it agrees, by subgroup."""
    rows = found.details["table"]["rows"]
    return {row[0]: (row[9], row[10]) for row in rows if row[1] == "c2st_auc [toy]"}


def embedded(cohorts, change, where):
    """Change the embeddings of some synthetic items."""
    old = cohorts.synthetic.table
    descriptions = [
        Description(
            scalars=d.scalars,
            embeddings={k: change(np.asarray(v)) if flag else v for k, v in d.embeddings.items()},
        )
        for d, flag in zip(old._descriptions, where, strict=True)
    ]
    table = DescriptionTable(old.items, descriptions, "synthetic")
    return dataclasses.replace(
        cohorts, synthetic=dataclasses.replace(cohorts.synthetic, table=table)
    )


def test_the_classifier_is_quiet_on_real_classes(clean_values):
    assert all(agrees for f in clean_values for _, agrees in c2st_cells(f).values())
    assert set(c2st_cells(clean_values[0])) == {"class = a", "class = b"}


def test_the_classifier_sees_a_class_that_moved_a_little_everywhere(clean):
    for cohorts in clean[:2]:
        where = cohorts.synthetic.classes == "b"
        cells = c2st_cells(one(embedded(cohorts, lambda v: v + 0.8, where)))
        assert not cells["class = b"][1]
        assert cells["class = b"][0] < 0.05
        assert cells["class = a"][1]


def test_the_classifier_of_a_part_is_that_of_the_two_sample_test(clean):
    comparison = compare_embedding(clean[0], "toy")
    both = np.concatenate([comparison.reference, comparison.synthetic])
    expected = classifier_two_sample_test(
        comparison.values[comparison.reference],
        comparison.values[comparison.synthetic],
        comparison.groups[both],
        permutations=1,
    )
    found = separability(comparison)
    assert found.value == pytest.approx(expected.auc, abs=1e-12)
    interval = found.interval()
    assert interval.low <= found.value <= interval.high
    assert len(found.null) == len(comparison.splits)
    # Its floor is that of refitted real parts: the same centre and the same tails.
    refitted = [
        classifier_two_sample_test(
            comparison.values[a],
            comparison.values[b],
            comparison.groups[np.concatenate([a, b])],
            permutations=1,
        ).auc
        for a, b in comparison.splits
    ]
    tails = [0.1, 0.5, 0.9]
    np.testing.assert_allclose(
        np.quantile(found.null, tails), np.quantile(refitted, tails), atol=0.06
    )
