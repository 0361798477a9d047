"""What all modalities share in each characteristic: both sides of every detector."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from toy import NAMES, by_key, cohort, cohorts

from sdq_core.characteristics.balance import Balance
from sdq_core.characteristics.comparison import compare_embedding, compare_scalars
from sdq_core.characteristics.completeness import Completeness
from sdq_core.characteristics.evaluation import CharacteristicEvaluation, Part
from sdq_core.characteristics.explainability import Explainability
from sdq_core.characteristics.fidelity import Fidelity
from sdq_core.characteristics.marginals import marginal_consistency
from sdq_core.characteristics.privacy import Privacy
from sdq_core.characteristics.utility import Utility
from sdq_core.cohort import Cohorts
from sdq_core.description import Description, DescriptionTable
from sdq_core.finding import Finding
from sdq_core.judging import judge
from sdq_core.measurement import Measurement, Method
from sdq_core.profiles import Criterion, load_profile
from sdq_core.vocabulary import Characteristic, Severity, Verdict

ROOT = Path(__file__).parents[2]


class ToyFidelity(Fidelity):
    def scalar_names(self, cohorts):
        return NAMES

    def embedding_facts(self, cohorts):
        return {"toy": {"version": "1"}}


class ToyExplainability(Explainability):
    def scalar_names(self, cohorts):
        return NAMES

    def lineage(self, metadata, attributes):
        return bool(attributes.get("seed"))


def rule(id_, **values):
    return Criterion(id=id_, reason="r", source="s", **values)


FIDELITY_RULES = {
    "imaging.fidelity.marginal_share_consistent": {"within_noise_floor": 1.0, "slack": 0.1},
    "imaging.fidelity.mmd[toy]": {"within_noise_floor": 3.0},
    "imaging.fidelity.coverage[toy]": {"within_noise_floor": 2.0, "slack": 0.05},
    "imaging.fidelity.c2st_auc[toy]": {"within_noise_floor": 3.0},
}


def fidelity_verdicts(made):
    found = by_key(ToyFidelity("imaging").measure(made))
    return {
        key: judge(found[key], rule(key.split("[")[0], **values)).verdict
        for key, values in FIDELITY_RULES.items()
    }


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("per_subject", [1, 5])
def test_a_fresh_real_sample_is_never_failed(seed, per_subject):
    verdicts = fidelity_verdicts(cohorts(seed, per_subject=per_subject))
    assert Verdict.FAIL not in verdicts.values()
    assert verdicts["imaging.fidelity.mmd[toy]"] is Verdict.PASS


@pytest.mark.parametrize("seed", range(5))
def test_a_shifted_law_fails_marginals_and_mmd(seed):
    verdicts = fidelity_verdicts(cohorts(seed, synthetic={"shift": 1.0}))
    assert verdicts["imaging.fidelity.marginal_share_consistent"] is Verdict.FAIL
    assert verdicts["imaging.fidelity.mmd[toy]"] is Verdict.FAIL
    assert verdicts["imaging.fidelity.c2st_auc[toy]"] is Verdict.FAIL


@pytest.mark.parametrize("seed", range(5))
def test_lost_modes_fail_coverage(seed):
    made = cohorts(seed)
    few = np.resize(np.arange(10), 150)
    made = dataclasses.replace(made, synthetic=cohort("synthetic", 150, 3000 + seed, rows=few))
    assert fidelity_verdicts(made)["imaging.fidelity.coverage[toy]"] is Verdict.FAIL


def test_every_promised_id_is_given_once_per_embedding():
    evaluation = ToyFidelity("imaging")
    found = [m for m in evaluation.measure(cohorts()) if isinstance(m, Measurement)]
    assert {m.id for m in found} == set(evaluation.ids)
    assert len({m.key for m in found}) == len(found)


def test_every_directed_fidelity_measure_has_interval_and_floor():
    for m in by_key(ToyFidelity("imaging").measure(cohorts())).values():
        assert m.value is not None
        assert m.interval is not None, m.key
        assert m.noise_floor is not None, m.key
        assert m.interval.low <= m.value <= m.interval.high, m.key
        assert m.method.source, m.key


def test_same_inputs_and_seed_give_the_same_numbers():
    one = by_key(ToyFidelity("imaging").measure(cohorts(3)))
    two = by_key(ToyFidelity("imaging").measure(cohorts(3)))
    assert one == two


def test_small_cohorts_say_that_frechet_is_not_readable():
    found = by_key(ToyFidelity("imaging").measure(cohorts(n=(40, 30, 30))))
    m = found["imaging.fidelity.frechet_distance[toy]"]
    assert m.value is None
    assert "not readable at this n" in m.reason


# --- comparison -----------------------------------------------------------------------------------


def test_no_subject_stands_on_both_sides_of_a_split():
    comparison = compare_embedding(cohorts(per_subject=5), "toy")
    for i, j in comparison.splits[:50]:
        assert not set(comparison.groups[i]) & set(comparison.groups[j])
        assert (len(i), len(j)) == comparison.sizes


def test_the_reference_is_the_holdout_or_half_of_train():
    made = cohorts()
    comparison = compare_embedding(made, "toy")
    assert set(comparison.roles[comparison.reference]) == {"holdout"}
    made = cohorts(holdout=False)
    comparison = compare_embedding(made, "toy")
    assert len(comparison.reference) == pytest.approx(100, abs=1)
    assert "no holdout" in comparison.floor_method


def test_the_synthetic_sample_is_cut_to_what_the_floor_can_match():
    comparison = compare_embedding(cohorts(n=(60, 100, 150)), "toy")
    assert comparison.sizes == (100, 60)


def lacking(cohort, rows):
    """The same cohort, the feature NAMES[3] taken from its first rows."""
    table = cohort.table
    cut = [
        dataclasses.replace(d, scalars={k: v for k, v in d.scalars.items() if k != NAMES[3]})
        for d in table._descriptions[:rows]
    ]
    whole = [*cut, *table._descriptions[rows:]]
    return dataclasses.replace(cohort, table=DescriptionTable(table.items, whole, str(cohort.role)))


def test_a_feature_that_many_real_items_lack_is_left_out():
    made = cohorts()
    made = dataclasses.replace(made, holdout=lacking(made.holdout, 60))
    assert NAMES[3] not in compare_scalars(made, NAMES, 0).names


def test_synthetic_items_that_lack_a_feature_stay_and_count_as_different():
    made = cohorts()
    whole = compare_scalars(made, NAMES, 0)
    comparison = compare_scalars(
        dataclasses.replace(made, synthetic=lacking(made.synthetic, 30)), NAMES, 0
    )
    assert comparison.names == whole.names
    assert comparison.sizes == whole.sizes
    column = comparison.names.index(NAMES[3])
    absent = comparison.absent[comparison.synthetic, column]
    assert 0 < absent.sum() <= 30
    values = comparison.raw[:, column]
    assert values[comparison.synthetic][absent].max() < values[comparison.pool].min()
    assert not comparison.absent[comparison.pool].any()
    assert not marginal_consistency(comparison).consistent[column]


@pytest.mark.parametrize("seed", range(3))
def test_a_classifier_below_chance_warns_of_copies(seed):
    made = cohorts(seed)

    def warned(cohorts_):
        found = ToyFidelity("toy").classifier(cohorts_)
        return [f.rule for f in found if isinstance(f, Finding)]

    assert not warned(made)
    # Copies of the reference: whoever is given out of the fit has its double on the other side.
    n = len(made.synthetic)
    copied = DescriptionTable(
        made.synthetic.table.items, made.holdout.table._descriptions[:n], "synthetic"
    )
    synthetic = dataclasses.replace(made.synthetic, table=copied)
    leaky = dataclasses.replace(made, synthetic=synthetic)
    assert warned(leaky) == ["toy.privacy.closer_than_chance"]


# --- balance --------------------------------------------------------------------------------------


def class_verdicts(made):
    found = by_key(Balance("imaging").classes(made))
    return [
        judge(found[f"imaging.balance.{m}"], rule(f"imaging.balance.{m}", **v)).verdict
        for m, v in (
            ("class_gini", {"within_noise_floor": 1.5, "slack": 0.1}),
            ("class_entropy", {"within_noise_floor": 1.5, "slack": 0.05}),
        )
    ]


@pytest.mark.parametrize("seed", range(5))
def test_balance_passes_what_is_as_balanced_as_the_real_data(seed):
    assert class_verdicts(cohorts(seed)) == [Verdict.PASS] * 2


@pytest.mark.parametrize("seed", range(5))
def test_a_dropped_class_fails_balance(seed):
    made = cohorts(seed)
    only = np.flatnonzero(made.synthetic.classes == "a")
    made = dataclasses.replace(made, synthetic=cohort("synthetic", 150, 3000 + seed, rows=only))
    assert class_verdicts(made) == [Verdict.FAIL] * 2
    ratio = by_key(Balance("imaging").classes(made))["imaging.balance.class_imbalance_ratio"]
    assert ratio.value is None
    assert "infinite" in ratio.reason


def test_an_intended_distribution_takes_the_place_of_the_real_one():
    intended = {"purpose": {"intended_distribution": {"a": 0.9, "b": 0.1}}}
    # Half and half is more even than intended: evenness is one-sided, so it passes.
    assert class_verdicts(cohorts(study_values=intended)) == [Verdict.PASS] * 2
    bars = by_key(Balance("imaging").classes(cohorts(study_values=intended)))[
        "imaging.balance.class_gini"
    ].details["bars"]
    assert [b["intended"] for b in bars] == [0.9, 0.1]


def test_balance_without_labels_says_what_is_missing():
    made = cohorts()
    made = dataclasses.replace(made, synthetic=dataclasses.replace(made.synthetic, classes=None))
    for m in by_key(Balance("imaging").classes(made)).values():
        assert m.value is None
        assert "label table" in m.reason


def test_attribute_entropy_is_given_for_each_shared_attribute():
    made = cohorts()
    made = Cohorts(
        made.study,
        *(
            dataclasses.replace(c, attributes={"sex": np.resize(["F", "M"], len(c))})
            for c in (made.train, made.synthetic, made.holdout)
        ),
    )
    found = by_key(Balance("imaging").attributes(made))
    assert found["imaging.balance.attribute_entropy[sex]"].value == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("modality", ["imaging", "signals", "ehr"])
def test_shipped_profiles_fail_a_dropped_subgroup_and_pass_fresh_samples(modality):
    name, folder = f"{modality}-default", ROOT / f"sdq_{modality}/profiles"
    criteria = {c.id: c for c in load_profile("default", folder, modality, name).criteria}
    criterion = criteria[f"{modality}.balance.attribute_entropy"]

    made = cohorts()

    def verdict(seed, values, shares):
        rng = np.random.default_rng(seed)
        drawn = [rng.choice(["F", "M"], len(c), p=[0.6, 0.4]) for c in (made.train, made.holdout)]
        drawn.insert(1, rng.choice(values, len(made.synthetic), p=shares))
        parts = (made.train, made.synthetic, made.holdout)
        named = [
            dataclasses.replace(c, attributes={"sex": a}) for c, a in zip(parts, drawn, strict=True)
        ]
        (m,) = Balance(modality).attributes(Cohorts(made.study, *named))
        return judge(m, criterion).verdict

    for seed in range(5):
        assert verdict(seed, ["F", "M"], [0.6, 0.4]) is Verdict.PASS
        assert verdict(seed, ["F", "M"], [0.5, 0.5]) is Verdict.PASS
        assert verdict(seed, ["F"], [1.0]) is Verdict.FAIL
        assert verdict(seed, ["F", "M"], [0.9, 0.1]) is Verdict.FAIL


def test_attributes_that_no_cohort_has_are_not_asked_for():
    (m,) = Balance("imaging").attributes(cohorts())
    assert not m.applicable
    assert m.value is None


def test_classes_of_a_few_labelled_items_have_a_noise_floor():
    made = cohorts()
    known = np.arange(len(made.train)) < 2
    train = dataclasses.replace(made.train, classes=np.where(known, made.train.classes, ""))
    holdout = dataclasses.replace(made.holdout, classes=np.full(len(made.holdout), "", dtype="U1"))
    few = np.where(np.arange(len(made.synthetic)) < 2, made.synthetic.classes, "")
    synthetic = dataclasses.replace(made.synthetic, classes=few)
    found = by_key(Balance("imaging").classes(Cohorts(made.study, train, synthetic, holdout)))
    assert found["imaging.balance.class_gini"].noise_floor is not None


@pytest.mark.parametrize("seed", range(3))
def test_vendi_score_sees_collapse_and_passes_real(seed):
    criterion = rule("imaging.balance.vendi_score", within_noise_floor=3.0)
    made = cohorts(seed)
    clean = by_key(Balance("imaging").diversity(made))["imaging.balance.vendi_score[toy]"]
    assert judge(clean, criterion).verdict is Verdict.PASS
    few = np.resize(np.arange(5), 150)
    made = dataclasses.replace(made, synthetic=cohort("synthetic", 150, 3000 + seed, rows=few))
    narrow = by_key(Balance("imaging").diversity(made))["imaging.balance.vendi_score[toy]"]
    assert judge(narrow, criterion).verdict is Verdict.FAIL


# --- completeness ---------------------------------------------------------------------------------


def broken(made, share, area):
    """The synthetic cohort with an error finding of an area in a share of its items."""
    table = made.synthetic.table
    finding = Finding(f"imaging.{area}.planted", Severity.ERROR, "planted")
    descriptions = [
        dataclasses.replace(d, findings=(finding,)) if i < share * len(table) else d
        for i, d in enumerate(table._descriptions)
    ]
    return dataclasses.replace(
        made,
        synthetic=dataclasses.replace(
            made.synthetic, table=DescriptionTable(table.items, descriptions, "synthetic")
        ),
    )


@pytest.mark.parametrize("area", ["structure", "semantics"])
def test_shares_count_items_with_errors(area):
    criterion = rule(
        f"imaging.completeness.{area}_share",
        at_least=0.95,
        within_noise_floor=1.0,
        relative_to_real=True,
    )
    key = f"imaging.completeness.{area}_share"
    clean = by_key(Completeness("imaging").measure(cohorts()))[key]
    assert clean.value == 1.0
    assert judge(clean, criterion).verdict is Verdict.PASS
    found = by_key(Completeness("imaging").measure(broken(cohorts(), 0.12, area)))[key]
    assert found.value == pytest.approx(0.88)
    assert judge(found, criterion).verdict is Verdict.FAIL


def test_unreadable_items_count_once():
    made = cohorts()
    table = made.synthetic.table
    finding = Finding("imaging.structure.truncated", Severity.ERROR, "planted")
    descriptions = [Description(readable=False, findings=(finding,)), *table._descriptions[1:]]
    made = dataclasses.replace(
        made,
        synthetic=dataclasses.replace(
            made.synthetic, table=DescriptionTable(table.items, descriptions, "synthetic")
        ),
    )
    found = by_key(Completeness("imaging").measure(made))
    assert found["imaging.completeness.readable_share"].value == pytest.approx(149 / 150)
    assert found["imaging.completeness.structure_share"].value == 1.0


def test_duplicates_are_counted_and_named():
    made = cohorts()
    table = made.synthetic.table
    items = [*table.items[:-2], *(dataclasses.replace(i, digest="same") for i in table.items[-2:])]
    made = dataclasses.replace(
        made,
        synthetic=dataclasses.replace(
            made.synthetic, table=DescriptionTable(items, table._descriptions, "synthetic")
        ),
    )
    outputs = list(Completeness("imaging").measure(made))
    assert by_key(outputs)["imaging.completeness.duplicate_share"].value == pytest.approx(1 / 150)
    (finding,) = [f for f in outputs if isinstance(f, Finding)]
    assert finding.item == "synthetic/0149"


# --- privacy, explainability, utility -------------------------------------------------------------


class ToyPrivacy(Privacy):
    def parts(self):
        return (Part(("exact_copy_share",), self.exact_copies),)


def test_exact_copies_of_training_items_are_found_and_named():
    made = cohorts()
    clean = by_key(ToyPrivacy("imaging").measure(made))["imaging.privacy.exact_copy_share"]
    assert clean.value == 0.0
    table = made.synthetic.table
    items = list(table.items)
    for k in range(15):
        items[k] = dataclasses.replace(items[k], digest=made.train.table.items[k].digest)
    made = dataclasses.replace(
        made,
        synthetic=dataclasses.replace(
            made.synthetic, table=DescriptionTable(items, table._descriptions, "synthetic")
        ),
    )
    outputs = list(ToyPrivacy("imaging").measure(made))
    found = by_key(outputs)["imaging.privacy.exact_copy_share"]
    assert found.value == pytest.approx(0.1)
    criterion = rule(found.id, at_most=0.02, within_noise_floor=1.0, relative_to_real=True)
    assert judge(clean, criterion).verdict is not Verdict.FAIL
    assert judge(found, criterion).verdict is Verdict.FAIL
    assert sum(isinstance(o, Finding) for o in outputs) == 15


def test_shared_subjects_void_every_attack():
    made = cohorts()
    holdout = dataclasses.replace(made.holdout, subjects=made.train.subjects[: len(made.holdout)])
    made = dataclasses.replace(made, holdout=holdout)
    assert len(made.shared_subjects) == 150
    assert "both train and holdout" in ToyPrivacy("imaging").void(made)["reason"]
    assert "holdout" in ToyPrivacy("imaging").void(cohorts(holdout=False))["reason"]
    assert ToyPrivacy("imaging").void(cohorts()) is None


def test_membership_reads_the_attack_both_ways():
    made = cohorts()
    rng = np.random.default_rng(0)
    privacy = ToyPrivacy("imaging")
    same = by_key(
        privacy.membership(
            made,
            rng.normal(size=200),
            rng.normal(size=150),
            made.train.groups,
            made.holdout.groups,
            Method("toy", "toy", seed=0),
        )
    )
    leak = by_key(
        privacy.membership(
            made,
            rng.normal(size=200) + 2,
            rng.normal(size=150),
            made.train.groups,
            made.holdout.groups,
            Method("toy", "toy", seed=0),
        )
    )
    criterion = rule("imaging.privacy.membership_auc", at_most=0.6)
    assert judge(same["imaging.privacy.membership_auc"], criterion).verdict is not Verdict.FAIL
    assert judge(leak["imaging.privacy.membership_auc"], criterion).verdict is Verdict.FAIL
    assert leak["imaging.privacy.membership_tpr_at_1pct_fpr"].value > 0.2


def test_process_traceability_counts_what_is_stated():
    stated = {"algorithm": {"name": "x"}, "responsible": {"date": "2026-01-01"}}
    made = cohorts(study_values={"generator": stated})
    found = by_key(ToyExplainability("imaging").process(made))
    m = found["imaging.explainability.process_traceability"]
    assert m.value == pytest.approx(2 / 48)
    assert "algorithm.principle" in m.details["missing"]["R-DES-03"]
    nothing = by_key(ToyExplainability("imaging").process(cohorts()))
    assert nothing["imaging.explainability.process_traceability"].value is None


@pytest.mark.parametrize("seed", range(3))
def test_the_shifted_feature_is_named_first(seed):
    made = cohorts(seed)
    table = made.synthetic.table
    moved = [
        dataclasses.replace(d, scalars={**d.scalars, NAMES[7]: d.scalars[NAMES[7]] + 2})
        for d in table._descriptions
    ]
    made = dataclasses.replace(
        made,
        synthetic=dataclasses.replace(
            made.synthetic, table=DescriptionTable(table.items, moved, "synthetic")
        ),
    )
    m = by_key(ToyExplainability("imaging").sources(made))["imaging.explainability.bias_sources"]
    assert m.details["ranking"][0]["feature"] == NAMES[7]
    assert m.details["ranking"][0]["direction"] == "higher"
    assert m.value >= 1


@pytest.mark.parametrize("seed", range(3))
def test_utility_is_near_real_for_real_and_lost_for_noise(seed):
    made = cohorts(seed, effect=3.0)
    criterion = rule("imaging.utility.tstr_auc", within_noise_floor=2.0, slack=0.05)
    found = by_key(Utility("imaging").measure(made))
    assert found["imaging.utility.trtr_auc"].value > 0.9
    assert judge(found["imaging.utility.tstr_auc"], criterion).verdict is not Verdict.FAIL
    assert found["imaging.utility.tstr_ratio"].value == pytest.approx(1.0, abs=0.1)
    made = cohorts(seed, effect=3.0, synthetic={"effect": 0.0})
    lost = by_key(Utility("imaging").measure(made))["imaging.utility.tstr_auc"]
    assert judge(lost, criterion).verdict is Verdict.FAIL


def test_volume_adequacy_has_a_curve_and_a_gain():
    m = by_key(Balance("imaging").adequacy(cohorts(effect=2.0)))["imaging.balance.volume_adequacy"]
    assert 0 <= m.value < 0.2
    assert m.interval.low <= m.value <= m.interval.high
    assert len(m.details["curve"]["x"]) == len(m.details["curve"]["synthetic"])


# --- the rest goes on -----------------------------------------------------------------------------


class Breaking(CharacteristicEvaluation):
    characteristic = Characteristic.UTILITY

    def parts(self):
        return (
            Part(("one", "two"), self.breaks),
            Part(("three",), self.works),
        )

    def breaks(self, cohorts):
        yield Measurement(self.id("one"), 1.0)
        raise ZeroDivisionError("a value from the data")

    def works(self, cohorts):
        yield Measurement(self.id("three"), 3.0)


def test_a_part_that_breaks_gives_a_reason_and_the_rest_goes_on():
    found = by_key(Breaking("imaging").measure(cohorts()))
    assert found["imaging.utility.one"].value == 1.0
    assert found["imaging.utility.three"].value == 3.0
    reason = found["imaging.utility.two"].reason
    assert "ZeroDivisionError" in reason
    assert "a value from the data" not in reason
