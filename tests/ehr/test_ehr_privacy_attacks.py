"""Each attack sees what was planted for it, keeps quiet on fresh patients, and counts rightly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdq_core.errors import StudyError, UsageError
from sdq_core.measurement import Interval
from sdq_core.statistics.mixed_rows import MixedRows
from sdq_ehr.attacks.chance import beyond_chance, most_copies, reverse_threshold
from sdq_ehr.attacks.evidence import Evidence
from sdq_ehr.attacks.inference import inference
from sdq_ehr.attacks.linkability import halves, linkability
from sdq_ehr.attacks.membership import ATTACKS, membership_scores, worst_attack
from sdq_ehr.attacks.memorisation import memorised
from sdq_ehr.attacks.planting import disguised_copies, partial_copies
from sdq_ehr.attacks.relabelling import NearestReal, neighbours_needed, relabelled_p
from sdq_ehr.attacks.risk import control_adjusted
from sdq_ehr.attacks.shadow import load_generator, shadow_attack
from sdq_ehr.attacks.sides import Sides
from sdq_ehr.attacks.singling_out import singling_out
from sdq_ehr.attacks.subgroups import rarest
from sdq_ehr.attacks.uniqueness import uniqueness
from sdq_ehr.simulated_table import mixed_rows, plant_copies, simulate_table


def sides_of_tables(seed, n=1000, drift=0.3, **plant):
    tables = [simulate_table(n, 10 * seed + k, drift=drift * (k == 2)) for k in range(3)]
    if plant:
        tables[2], _, _ = plant_copies(tables[2], tables[0], seed=seed, **plant)
    rows, levels = mixed_rows(*tables)
    return Sides(*rows, levels=levels)


# --- copies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "plant",
    [
        {"share": 0.02},
        {"share": 0.02, "noise": 0.1},
        {"share": 0.02, "noise": 0.3},
        {"share": 0.08, "part": 0.5},
    ],
)
def test_planted_copies_are_seen_and_counted(plant):
    for seed in range(2):
        whole, partial = memorised(sides_of_tables(seed, **plant))
        assert whole.p_value < 0.05
        assert 0 < whole.interval.low <= whole.share <= whole.interval.high
        if "part" not in plant:
            assert whole.interval.low <= plant["share"] <= whole.interval.high
        assert partial.interval.low > 0
        # About half of such copies are noticed, which the upper limit allows for.
        assert partial.interval.high >= plant["share"]


def test_fresh_patients_are_no_copies():
    found = [memorised(sides_of_tables(s, 400), planted=50) for s in range(200, 212)]
    assert sum(whole.p_value < 0.05 for whole, _ in found) <= 2
    assert all(whole.interval.low == 0 for whole, _ in found if whole.p_value >= 0.05)
    assert np.mean([whole.share for whole, _ in found]) < 0.005


def test_the_flagged_rows_are_the_planted_ones():
    tables = [simulate_table(800, 70 + k) for k in range(3)]
    tables[2], rows, sources = plant_copies(tables[2], tables[0], 0.03, seed=3)
    (train, holdout, made), levels = mixed_rows(*tables)
    whole, _ = memorised(Sides(train, holdout, made, levels))
    assert whole.flagged[rows].all()
    assert (whole.originals[rows] == sources).all()
    assert whole.flagged.sum() <= len(rows) + 12


def test_copies_of_the_holdout_are_not_memorised():
    sides = sides_of_tables(4, share=0.05)
    swapped = Sides(sides.holdout, sides.train, sides.synthetic, sides.levels)
    whole, _ = memorised(swapped)
    assert whole.share == 0
    assert whole.interval.low == 0


def test_one_lucky_row_that_is_repeated_accuses_nobody_of_many_copies():
    tables = [simulate_table(300, 90 + k) for k in range(3)]
    tables[2], _, _ = plant_copies(tables[2], tables[0], 1 / 300, noise=0.3, seed=0)
    (train, holdout, made), levels = mixed_rows(*tables)
    lucky = memorised(Sides(train, holdout, made, levels))[0].flagged
    rows = np.arange(300)
    rows[:30] = np.flatnonzero(lucky)[0]
    whole, _ = memorised(Sides(train, holdout, made.take(rows), levels))
    assert whole.p_value > 0.05
    assert whole.interval.low == 0


@given(st.integers(1, 200), st.floats(0.05, 0.95), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_limits_agree_with_sums_of_the_negative_binomial(a, chance, b):
    from math import comb

    difference = np.r_[np.full(a, 1.0), np.full(b, -1.0), np.zeros(10)]
    found = beyond_chance(difference, 0.5, chance)

    def reached(x, failures):  # P(at least x successes before that many failures)
        below = sum(comb(k + failures - 1, k) * chance**k for k in range(x))
        return 1 - below * (1 - chance) ** failures

    assert found.p_value == pytest.approx(reached(a, b + 1), abs=1e-9)
    q = a - found.least
    if found.least:
        assert reached(q, b + 1) > 0.025 - 1e-9
        assert reached(q + 1, b + 1) <= 0.025 + 1e-9
    else:
        assert reached(a, b + 1) > 0.025 - 1e-9
    assert (found.least > 0) == (found.p_value <= 0.025)


def test_relabelling_is_exact_where_train_is_larger_and_rows_cluster():
    rng = np.random.default_rng(0)
    small = 0
    train = np.arange(200) < 150
    for _ in range(100):
        real, made = rng.random((200, 3)), np.repeat(rng.random((40, 3)), 3, axis=0)
        gaps = np.linalg.norm(made[:, None] - real, axis=2)
        order = gaps.argsort(axis=1)[:, : neighbours_needed(150, 50)]
        near = NearestReal(-np.log(np.take_along_axis(gaps, order, 1)), order)
        small += relabelled_p(near, train, 0.1, repeats=99) <= 0.05
    assert small <= 10


def test_overlooked_copies_widen_the_upper_limit():
    sharp, blunt = Interval(0.9, 1, "x"), Interval(0.2, 0.4, "x")
    assert most_copies(3, 1000, sharp) < most_copies(3, 1000, blunt) < 60
    assert most_copies(3, 1000, Interval(0.0, 0.1, "x")) == 1000
    with pytest.raises(UsageError, match="least"):
        reverse_threshold(np.zeros(3), 0.0)


# --- membership -----------------------------------------------------------------------------------


def attacked(sides, **keys):
    member = np.arange(len(sides.real)) < len(sides.train)
    return worst_attack(membership_scores(sides), member, permutations=100, **keys)


def test_attacks_beat_chance_where_a_fifth_was_copied():
    found = attacked(sides_of_tables(1, 600, share=0.2, noise=0.1))
    assert found.p_value < 0.02
    assert found.auc_interval.low > 0.5
    assert found.tpr_interval.low > 0.05
    assert found.auc == max(a.curve.auc for a in found.attacks)


def test_agreement_sees_half_copies_better_than_distance():
    tables = [simulate_table(800, 30 + k) for k in range(3)]
    tables[2], _, sources = plant_copies(tables[2], tables[0], 0.1, part=0.5, seed=1)
    rows, levels = mixed_rows(*tables)
    sides = Sides(*rows, levels=levels)
    scores = membership_scores(sides)
    copied = np.zeros(len(sides.real), bool)
    copied[sources] = True
    kept = copied | (np.arange(len(sides.real)) >= 800)
    found = worst_attack({k: v[kept] for k, v in scores.items()}, copied[kept], permutations=20)
    auc = {a.name: a.curve.auc for a in found.attacks}
    tpr = {a.name: a.curve.tpr[0.01] for a in found.attacks}
    assert auc["agreement"] > 0.9 > 0.8 > auc["distance"]
    assert max(tpr["agreement"], tpr["calibrated agreement"]) >= 0.5


def test_the_worst_of_several_attacks_has_a_null_of_its_own():
    rng = np.random.default_rng(0)
    member = np.arange(300) < 150
    small = covered = 0
    for _ in range(20):
        scores = {str(k): rng.normal(size=300) for k in range(5)}
        found = worst_attack(scores, member, permutations=99)
        small += found.p_value <= 0.05
        covered += found.auc_interval.low <= 0.5 <= found.auc_interval.high
    assert small <= 4
    assert covered >= 17
    one = worst_attack({"a": scores["0"]}, member, permutations=99)
    assert found.auc_null.centre > one.auc_null.centre + 0.01


def test_a_constant_column_changes_no_attack():  # fact 4 of the data notes
    sides = sides_of_tables(2, 200)

    def constant(rows, value=1.0):
        n = len(rows)
        return MixedRows(
            np.column_stack([rows.numbers, np.full(n, value)]),
            np.column_stack([rows.categories, np.zeros(n, int)]),
        )

    more = Sides(
        *(constant(r) for r in (sides.train, sides.holdout, sides.synthetic)),
        levels=(*sides.levels, 1),
    ).varying()
    one, two = membership_scores(sides), membership_scores(more)
    for name in ATTACKS:
        assert np.allclose(one[name], two[name], atol=1e-6), name


# --- the three risks ------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", [singling_out, linkability, inference])
def test_risks_are_about_the_share_of_copies_and_zero_for_fresh_patients(attack):
    def risk(sides):
        found = attack(sides)
        return found if attack is not inference else found.worst

    for seed in range(2):
        leaky = risk(sides_of_tables(seed, 600, share=0.25, noise=0.1))
        assert leaky.risk.interval.low > 0.05
        assert leaky.risk.value == pytest.approx(0.22, abs=0.12)
        fresh = risk(sides_of_tables(seed + 50, 600))
        assert fresh.risk.interval.low == 0
        assert fresh.risk.value < 0.08
        assert fresh.sees_copies
        assert leaky.sees_copies


@pytest.mark.parametrize("attack", [singling_out, linkability])
def test_where_planted_copies_are_not_seen_a_low_risk_means_nothing(attack):
    rng = np.random.default_rng(0)
    rows = [MixedRows(np.empty((300, 0)), rng.integers(0, 2, (300, 4))) for _ in range(3)]
    assert not attack(Sides(*rows, levels=(2, 2, 2, 2))).sees_copies


def test_too_few_columns_cannot_be_linked_or_inferred():
    rng = np.random.default_rng(0)
    rows = [MixedRows(rng.normal(size=(50, 2)), np.empty((50, 0), int)) for _ in range(3)]
    assert linkability(Sides(*rows, levels=())) is None
    assert inference(Sides(*rows, levels=())) is None


def test_a_declared_secret_is_the_one_that_is_guessed():
    found = inference(sides_of_tables(3, 300), secrets=[12])
    assert list(found.each) == [12]
    assert found.column == 12


def test_risk_is_the_control_adjusted_success_rate():
    found = control_adjusted(30, 100, 10, 100)
    assert found.value == pytest.approx((0.3 - 0.1) / 0.9)
    assert control_adjusted(5, 100, 10, 100).value == 0
    assert control_adjusted(5, 100, 10, 100).interval.high > 0
    assert control_adjusted(9, 100, 100, 100).value == 0
    raised = control_adjusted(30, 100, 10, 100, scale=2.0)
    assert raised.value == pytest.approx(0.1 / 0.8)
    assert raised.interval.low < found.interval.low
    with pytest.raises(UsageError, match="scale"):
        control_adjusted(1, 2, 1, 2, scale=0.5)


@given(st.integers(0, 400), st.integers(0, 400))
@settings(max_examples=80, deadline=None)
def test_a_risk_lies_in_its_interval(hits, control):
    found = control_adjusted(hits, 400, control, 400)
    assert 0 <= found.interval.low <= found.value <= found.interval.high <= 1


def test_risk_intervals_cover():
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(300):
        a, c = rng.binomial(500, 0.15), rng.binomial(500, 0.1)
        found = control_adjusted(a, 500, c, 500)
        inside += found.interval.low <= 0.05 / 0.9 <= found.interval.high
    assert inside >= 282


def test_evidence_matches_a_plain_count():
    rng = np.random.default_rng(0)
    made = MixedRows(np.empty((200, 0)), rng.integers(0, 4, (200, 3)))
    one = made.take(np.arange(5))
    found = Evidence(made, [4, 4, 4]).matrix(one, [0, 1, 2])
    for i in range(5):
        for k in range(0, 200, 17):
            expected = 0.0
            for j in range(3):
                v = one.categories[i, j]
                if v == made.categories[k, j]:
                    expected -= np.log(((made.categories[:, j] == v).sum() + 0.5) / 200.5)
            assert found[i, k] == pytest.approx(expected, abs=1e-5)
    many = MixedRows(np.empty((50, 0)), np.arange(50)[:, None] + 600)
    table = Evidence(many, [700]).matrix(many, [0])
    assert (table > 0).sum() == 50
    assert (np.diag(table) > 3).all()


def test_halves_tell_about_equally_much():
    (rows, *_), levels = mixed_rows(*(simulate_table(200, k) for k in range(3)))
    evidence = Evidence(rows, levels)
    one, two = halves(evidence)
    assert sorted([*one, *two]) == list(range(20))
    worth = evidence.worth()
    assert abs(worth[one].sum() - worth[two].sum()) < worth.max()


def test_half_copies_keep_half_of_the_columns():
    rows = MixedRows(np.zeros((40, 5)), np.zeros((40, 5), int))
    donors = MixedRows(np.ones((7, 5)), np.ones((7, 5), int))
    found = partial_copies(rows, np.arange(40), donors, np.random.default_rng(0))
    assert (found.numbers.sum(axis=1) + found.categories.sum(axis=1) == 5).all()
    with pytest.raises(UsageError, match="part"):
        partial_copies(rows, np.arange(3), donors, np.random.default_rng(0), 0.0)
    assert (disguised_copies(donors, np.arange(7), np.random.default_rng(0)).numbers == 1).all()


# --- groups and quasi-identifiers -----------------------------------------------------------------


def test_the_rarest_are_marked_and_equal_counts_are_treated_alike():
    counts = np.repeat([3, 8, 89], [3, 8, 89])
    assert rarest(counts, 0.2).sum() == 11
    assert rarest(counts, 0.05).sum() == 3
    assert not rarest(np.full(10, 10)).any()


def test_unique_patients_match_unique_training_patients():
    rng = np.random.default_rng(0)
    train, holdout = (rng.integers(0, 12, (300, 3)) for _ in range(2))
    leaky, fresh = train.copy(), rng.integers(0, 12, (300, 3))
    found = uniqueness(leaky, train, holdout)
    assert found.matches.value > 0.9
    assert found.synthetic.smallest == 1
    found = uniqueness(fresh, train, holdout)
    assert found.matches.interval.low == 0
    assert uniqueness(np.zeros((9, 1), int), train[:, :1], holdout[:, :1]).matches is None
    assert uniqueness(fresh, train, None).matches is None


# --- shadow models --------------------------------------------------------------------------------

POINTS = np.random.default_rng(5).normal(size=(300, 3))


def nearness(made):
    gaps = np.linalg.norm(POINTS[:, None] - made, axis=2)
    return {"distance": -np.log(gaps.min(axis=1) + 1e-3)}


def test_a_memorising_generator_is_told_from_one_that_only_fits():
    rng = np.random.default_rng(0)

    def resampled(part, n):
        return part[rng.integers(0, len(part), n)] + 0.1 * rng.normal(size=(n, 3))

    def fitted(part, n):
        return rng.multivariate_normal(part.mean(axis=0), np.cov(part.T), n)

    verbatim = shadow_attack(lambda r: POINTS[r], lambda part, n: part, nearness, 300)
    assert verbatim.auc > 0.95
    assert verbatim.tpr > 0.5
    noisy = shadow_attack(lambda r: POINTS[r], resampled, nearness, 300)
    assert noisy.auc_interval.low > 0.5
    innocent = shadow_attack(lambda r: POINTS[r], fitted, nearness, 300)
    assert innocent.auc_interval.low < 0.5 < innocent.auc_interval.high


def test_shadow_attacks_refuse_what_they_cannot_read():
    with pytest.raises(UsageError, match="runs"):
        shadow_attack(lambda r: r, lambda m, n: m, nearness, 300, runs=3)
    with pytest.raises(UsageError, match="finite"):
        shadow_attack(lambda r: r, lambda m, n: m, lambda m: {"a": np.full(300, np.nan)}, 300)


@pytest.mark.parametrize("name", ["nomodule", "no_such_module:made", "math:sqrt", "math:pi"])
def test_generators_that_cannot_be_used_are_refused(name):
    with pytest.raises(StudyError, match="generator"):
        load_generator(name)
