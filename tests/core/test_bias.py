"""Causes of a difference: the split is exact, the planted cause is named first, nothing else is."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import study

from sdq_core.characteristics.attributes import attributes
from sdq_core.characteristics.bias import Naming
from sdq_core.characteristics.comparison import compare_scalars
from sdq_core.characteristics.explainability import Explainability
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.description import Description, DescriptionTable, Item
from sdq_core.documents.details import read_details
from sdq_core.documents.figures import figures
from sdq_core.errors import UsageError
from sdq_core.statistics import maximum_mean_discrepancy
from sdq_core.statistics.cut_points import cut_points
from sdq_core.statistics.decomposition import (
    Atoms,
    difference,
    inside_part,
    mix_part,
    mix_shift,
    special_part,
)

NAMES = tuple(f"{family}.{k}" for family in ("texture", "wave") for k in range(4))


# --- the split ------------------------------------------------------------------------------------


def drawn(seed, n=60, levels=3, per_subject=1):
    """Atoms of random rows with two attributes, and both sides' weights."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 3)).round(1)
    told = rng.integers(0, levels, (n, 2))
    side = np.arange(n) >= n // 2
    groups = np.arange(n) // per_subject
    cuts = cut_points(values, [0, 1, 2])
    atoms = Atoms.of(cuts.apply(values), cuts.feature, told, groups, side)
    weights = rng.integers(0, 3, (4, n // per_subject + 1))[:, groups].astype(float)
    return atoms, atoms.sides(weights * ~side + ~side, weights * side + side)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5), st.sampled_from([1, 3]))
def test_mix_and_inside_sum_to_the_whole(seed, levels, per_subject):
    atoms, sides = drawn(seed, levels=levels, per_subject=per_subject)
    whole = difference(sides, atoms.size)
    cell = atoms.levels[:, 0]
    parts = [p(sides, atoms.size, cell) for p in (mix_part, inside_part)]
    assert np.allclose(parts[0] + parts[1], whole, atol=1e-12)
    shares = sum(atoms.products(p, whole, (0,)) for p in parts)
    assert np.allclose(shares, atoms.lengths(whole, (0,)), atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_special_and_common_part_sum_to_the_inside(seed):
    atoms, sides = drawn(seed, n=90)
    cell = atoms.levels[:, 0]
    level = cell == 1
    nothing = np.zeros_like(level)
    special, others = special_part(sides, atoms.size, cell, level, ~level, nothing)
    assert np.allclose(special + others, inside_part(sides, atoms.size, cell), atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_the_order_of_rows_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    n = 40
    values, told = rng.normal(size=(n, 2)), rng.integers(0, 2, (n, 1))
    side, groups = np.arange(n) % 2 == 0, rng.integers(0, 25, n)
    cuts = cut_points(values, [0, 1])
    found = []
    for order in (np.arange(n), rng.permutation(n)):
        atoms = Atoms.of(
            cuts.apply(values[order]), cuts.feature, told[order], groups[order], side[order]
        )
        sides = atoms.sides(1.0 * ~side[order][None], 1.0 * side[order][None])
        part = mix_part(sides, atoms.size, atoms.levels[:, 0])
        found.append((atoms.lengths(difference(sides, atoms.size)), atoms.lengths(part, (0,))))
    assert np.allclose(found[0], found[1], atol=1e-12)


def test_identical_samples_do_not_differ():
    values = np.random.default_rng(0).normal(size=(30, 2))
    both, told = np.concatenate([values, values]), np.tile(np.arange(30) % 3, 2)[:, None]
    side = np.arange(60) >= 30
    cuts = cut_points(values, [0, 1])
    atoms = Atoms.of(cuts.apply(both), cuts.feature, told, np.arange(60), side)
    sides = atoms.sides(1.0 * ~side[None], 1.0 * side[None])
    for part in (mix_part, inside_part):
        assert np.abs(atoms.vectors(part(sides, atoms.size, atoms.levels[:, 0]))).max() < 1e-12
    assert (atoms.lengths(difference(sides, atoms.size)) <= 0).all()
    assert mix_shift(sides, atoms.size, np.zeros(60, int), atoms.levels[:, 0])[0] < 1e-12


def test_the_length_of_the_whole_is_the_unbiased_discrepancy():
    rng = np.random.default_rng(1)
    values, side = rng.normal(size=(50, 3)), np.arange(50) >= 25
    cuts = cut_points(values, [0, 1, 2])
    shown = cuts.apply(values)
    atoms = Atoms.of(shown, cuts.feature, np.zeros((50, 1)), None, side)
    sides = atoms.sides(1.0 * ~side[None], 1.0 * side[None])
    expected = maximum_mean_discrepancy(shown[~side], shown[side], kernel="linear")
    found = atoms.lengths(difference(sides, atoms.size)).sum()
    assert found == pytest.approx(expected, abs=1e-12)


def test_textbook_numbers_of_kitagawa():
    # Half of a and three quarters of b are in group 1, whose indicator is 1; that of group 0
    # moves from 0 to 0.5.
    rows = [(0, 0, 0)] * 4 + [(0, 1, 1)] * 4 + [(1, 0, 0), (1, 0, 1)] + [(1, 1, 1)] * 6
    side, group, value = np.array(rows).T
    atoms = Atoms.of(value[:, None] * 1.0, np.array([0]), group[:, None], None, side)
    sides = atoms.sides(1.0 * (side == 0)[None], 1.0 * (side == 1)[None])
    cell = atoms.levels[:, 0]
    mix = atoms.vectors(mix_part(sides, atoms.size, cell))
    inside = atoms.vectors(inside_part(sides, atoms.size, cell))
    assert mix[0, 0] == pytest.approx(-0.25 * 0.25 + 0.25 * 1)
    assert inside[0, 0] == pytest.approx((0.5 + 0.25) / 2 * 0.5)


def test_a_subgroup_that_one_side_lacks_counts_as_mix():
    side, group = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 0, 0])
    atoms = Atoms.of(group[:, None] * 1.0, np.array([0]), group[:, None], None, side)
    sides = atoms.sides(1.0 * (side == 0)[None], 1.0 * (side == 1)[None])
    assert atoms.vectors(mix_part(sides, atoms.size, atoms.levels[:, 0]))[0, 0] == -0.5
    assert not atoms.vectors(inside_part(sides, atoms.size, atoms.levels[:, 0])).any()


@given(st.integers(0, 10**6))
def test_units_and_scales_do_not_matter(seed):
    values = np.random.default_rng(seed).normal(size=(50, 1)).round(1)
    plain, other = (cut_points(v, [0]).apply(v) for v in (values, np.exp(values / 2) * 88.4))
    assert (plain == other).all()


def test_a_constant_column_is_cut_on_both_sides():
    cuts = cut_points(np.full((5, 1), 3.0), [0])
    assert cuts.apply([[2.0], [3.0], [4.0]]).round(3).tolist() == [[0, 0], [0.707, 0], [0.707] * 2]


def test_features_are_numbered_without_gaps():
    with pytest.raises(UsageError, match="without gaps"):
        cut_points(np.zeros((3, 2)), [0, 2])


# --- planted causes -------------------------------------------------------------------------------


def cohort(role, n, seed, *, women=0.5, site_b=None, alike=False, every=0.0, ignore_sex=False, **_):
    """Items with sex (which moves three features) and site (which moves none)."""
    rng = np.random.default_rng(seed)
    sex = np.where(rng.random(n) < women, "F", "M")
    site = np.array(["A", "B", "C"])[rng.integers(3, size=n)]
    x = rng.normal(size=(n, len(NAMES)))
    if ignore_sex:
        x[:, :3] += 0.8 * (rng.random(n) < 0.5)[:, None] * 1.5
    else:
        x[:, :3] += 0.8 * (sex == "M")[:, None] * 1.5
    if site_b is not None:
        x[site == "B", 4:7] += site_b
    x += every
    items = [Item(f"{role}/{k}", (Path("x"),), digest=f"{seed:06d}{k:06d}") for k in range(n)]
    made = [Description(scalars=dict(zip(NAMES, row.tolist(), strict=True))) for row in x]
    attributes = {"sex": sex, "site": site}
    if alike:
        attributes["scanner"] = np.where(site == "B", "X", np.where(site == "A", "Y", "Z"))
        attributes["group"] = np.where(sex == "F", "one", "two")
    return Cohort(
        role, DescriptionTable(items, made, role), np.array([f"{role}-{k}" for k in range(n)]),
        None, attributes,
    )  # fmt: skip


def cohorts(seed, n=240, **planted):
    alike = {"alike": planted.get("alike", False)}
    return Cohorts(
        study(classes=()),
        cohort("train", n, 10 * seed + 1, **alike),
        cohort("synthetic", n, 10 * seed + 2, **planted),
        cohort("holdout", n, 10 * seed + 3, **alike),
    )


def measured(made):
    found = list(Explainability("imaging").sources(made))
    assert [m.variant for m in found] == [None, "causes"]
    return found[1]


def told(measurement):
    return measurement.details["decomposition"]["causes"]


def label(cause):
    level = f" = {cause['level']}" if "level" in cause else ""
    return f"{cause['kind']} {cause.get('attribute', '')}{level}".strip()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("planted", "first"),
    [
        ({"women": 0.85}, "mix sex"),
        ({"site_b": 1.5}, "inside site = B"),
        ({"every": 0.6}, "everywhere"),
    ],
)
def test_the_planted_cause_is_named_first_and_alone(seed, planted, first):
    m = measured(cohorts(seed, **planted))
    assert [label(c) for c in told(m)] == [first]
    assert m.value == 1
    cause = told(m)[0]
    assert cause["share"] > 0.6
    assert cause["low"] <= cause["share"] <= cause["high"]
    assert cause["floor_high"] < cause["share"]


@pytest.mark.parametrize("seed", range(2))
def test_of_two_causes_the_larger_comes_first(seed):
    large = [label(c) for c in told(measured(cohorts(seed, women=0.85, site_b=2.0)))]
    assert large[0] == "mix sex"
    assert "inside site = B" in large
    small = [label(c) for c in told(measured(cohorts(seed, women=0.68, site_b=4.0)))]
    assert small[:2] == ["inside site = B", "mix sex"]


@pytest.mark.parametrize("seed", range(5))
def test_no_cause_is_named_where_nothing_is_planted(seed):
    m = measured(cohorts(seed))
    assert m.value == 0
    assert told(m) == []
    assert not m.details["decomposition"]["differs"]


def test_shares_sum_to_one_and_the_features_are_those_that_moved():
    found = measured(cohorts(1, women=0.85, site_b=2.0)).details["decomposition"]
    rest = [found["rest"]] if "rest" in found else []
    assert sum(c["share"] for c in (*found["causes"], *rest)) == pytest.approx(1, abs=1e-9)
    by_label = {label(c): c for c in found["causes"]}
    inside = by_label["inside site = B"]
    assert {f["feature"] for f in inside["features"]} <= {"wave.0", "wave.1", "wave.2"}
    assert all(f["direction"] == "higher" for f in inside["features"])
    assert inside["families"][0]["family"] == "wave"
    mix = by_label["mix sex"]
    assert mix["features"][0]["feature"].startswith("sex = ")
    assert mix["levels"][0]["synthetic"] != mix["levels"][0]["real"]


def test_explanations_that_cannot_be_told_apart_are_said_together():
    mix = told(measured(cohorts(0, women=0.9, alike=True)))[0]
    assert {mix["attribute"], *(c["attribute"] for c in mix["alike"])} == {"sex", "group"}
    site = told(measured(cohorts(0, site_b=1.5, alike=True)))[0]
    assert (site["attribute"], site["level"]) in {("site", "B"), ("scanner", "X")}
    assert {c["attribute"] for c in site["alike"]} | {site["attribute"]} == {"site", "scanner"}


def test_differences_that_cancel_out_in_the_whole_are_found():
    causes = told(measured(cohorts(2, ignore_sex=True)))
    assert [c["attribute"] for c in causes if c["kind"] == "opposite"] == ["sex"]


def test_the_same_inputs_give_the_same_result():
    one, two = (measured(cohorts(4, site_b=1.5)).details for _ in range(2))
    assert json.dumps(one) == json.dumps(two)


def test_without_attributes_there_is_a_reason_and_the_ranking_stays():
    made = cohorts(0)
    bare = [
        Cohort(c.role, c.table, c.subjects, None, {"seed": np.arange(len(c)).astype(str)})
        for c in (made.train, made.synthetic, made.holdout)
    ]
    ranking, causes = Explainability("imaging").sources(Cohorts(study(classes=()), *bare))
    assert ranking.details["ranking"]
    assert causes.value is None
    assert "attribute" in causes.reason
    assert "属性" in causes.reason_zh


def test_what_is_not_looked_at_is_said():
    made = cohorts(0)
    rng = np.random.default_rng(0)
    for c in made.all:
        n = len(c)
        c.attributes["rare"] = np.array(["often"] * (n - 20) + ["now and then"] * 20)
        c.attributes["rare"][:3] = ["once", "twice", "thrice"]
        c.attributes["text"] = np.array([f"note {k}" for k in range(n)])
        c.attributes["one"] = np.full(n, "same")
        c.attributes["age"] = rng.normal(60, 10, n).round(1).astype(str)
        c.attributes["number"] = np.arange(n).astype(str)
    del made.synthetic.attributes["one"]
    comparison = compare_scalars(made, NAMES, 1)
    found = attributes(made, comparison)
    by_name = {a.name: a for a in found.usable}
    assert {"sex", "site", "rare", "age"} == set(by_name)
    assert len(by_name["age"].levels) == 4
    assert [str(v)[:1] for v in by_name["age"].levels] == ["≤", "5", "5", ">"]
    assert by_name["rare"].small == 3
    english = " ".join(note["en"] for note in found.notes)
    assert re.search(r"not every cohort.*: one\.", english)
    assert re.search(r"50 different values: text, number\.", english)
    assert "rare (3)" in english


def test_a_column_that_is_the_attribute_is_no_second_feature():
    assert Naming(str, lambda f: "").family("x.y") == ""
    found = measured(cohorts(0, women=0.85)).details["decomposition"]["causes"][0]
    assert sum(f["feature"].startswith("sex") for f in found["features"]) == 1


# --- the picture ----------------------------------------------------------------------------------

DECOMPOSITION = {
    "differs": True, "gap": 0.06, "gap_low": 0.05, "gap_high": 0.08, "gap_floor": 0.02,
    "causes": [
        {"kind": "mix", "attribute": {"en": "class", "zh": "类别"}, "share": 0.6, "low": 0.5,
         "high": 0.7, "floor_low": -0.02, "floor_high": 0.05,
         "levels": [{"label": "<b>real</b>", "real": 0.5, "synthetic": 0.8}],
         "features": [{"feature": "texture.<i>", "gap": 0.12, "direction": "higher"}],
         "families": [{"family": "texture", "share": 0.9}],
         "alike": [{"kind": "mix", "attribute": "sex"}]},
        {"kind": "opposite", "attribute": "sex", "level": "none", "real": 80, "synthetic": 75},
    ],
    "rest": {"share": 0.4, "low": 0.3, "high": 0.5, "floor_low": 0.0, "floor_high": 0.6},
}  # fmt: skip


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            ["Another mix of class", "60", "instead of", "Mostly texture", "cannot tell it from"],
        ),
        ("zh", ["“类别”的构成不同", "60%", "真实为", "主要为纹理", "无法与下列原因区分"]),
    ],
)
def test_picture_and_table_are_in_the_language_and_escaped(language, words):
    (figure,), broken = figures({"decomposition": DECOMPOSITION}, language)
    assert not broken
    assert len(figure.panels) == 1
    assert "<b>" not in figure.panels[0].svg
    said = " ".join(str(cell) for row in figure.rows for cell in row)
    assert len(figure.rows) == 3
    for word in words:
        assert word in said
    # A name from data is no phrase of ours.
    assert "none" in said
    assert "<b>real</b>" in said
    assert len(figure.notes) == 3


def test_without_a_difference_there_is_a_sentence_and_no_picture():
    nothing = {**DECOMPOSITION, "differs": False, "causes": [], "rest": None}
    (figure,), _ = figures({"decomposition": nothing}, "en")
    assert not figure.panels
    assert not figure.rows
    assert "no difference to split" in figure.notes[0]


@pytest.mark.parametrize(
    "changed", [{"gap": -1}, {"causes": [{"kind": "else"}]}, {"rest": {"share": float("nan")}}]
)
def test_another_form_is_named_and_not_drawn(changed):
    found, broken = read_details({"decomposition": {**DECOMPOSITION, **changed}})
    assert "decomposition" not in found
    assert "decomposition" in broken
