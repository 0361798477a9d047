"""Profiles that take over another one's criteria, and the profile of marked content."""

import pytest

from sdq_core.errors import StudyError
from sdq_core.judging import judge_all
from sdq_core.measurement import Measurement
from sdq_core.modality import load_modality
from sdq_core.profiles import load_profile
from sdq_core.vocabulary import Verdict

HEAD = "schema: sdq.profile/1\nname: {name}\nversion: '2'\nmodality: {modality}\n"
RULE = (
    "  - {{id: toy.balance.{measure}, at_least: {low}, mandatory: true, reason: r, "
    "source: s{more}}}\n"
)


def write(folder, name, *rules, extends="", modality="toy"):
    text = HEAD.format(name=name, modality=modality)
    text += f"extends: {extends}\n" if extends else ""
    text += "criteria:\n" + "".join(rules) if rules else "criteria: []\n"
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def rule(measure, low, more=""):
    return RULE.format(measure=measure, low=low, more=more)


def load(folder, name):
    return load_profile(name, folder, "toy", "base")


def test_criteria_are_taken_over_replaced_and_added(tmp_path):
    write(tmp_path, "base", rule("items", 1), rule("subjects", 2))
    write(tmp_path, "own", rule("subjects", 9), rule("class_gini", 3), extends="default")
    found = load(tmp_path, "own")
    assert [(c.id, c.at_least) for c in found.criteria] == [
        ("toy.balance.items", 1), ("toy.balance.subjects", 9), ("toy.balance.class_gini", 3)
    ]  # fmt: skip
    assert (found.name, found.extends) == ("own", "base 2")
    assert load(tmp_path, "default").extends == ""


def test_a_chain_is_followed_and_a_file_beside_the_file_is_found(tmp_path):
    (tmp_path / "shipped").mkdir()
    write(tmp_path / "shipped", "base", rule("items", 1))
    write(tmp_path, "mine", rule("subjects", 2), extends="default")
    write(tmp_path, "ours", extends="mine.yaml")
    found = load_profile(str(tmp_path / "ours.yaml"), tmp_path / "shipped", "toy", "base")
    assert [c.id for c in found.criteria] == ["toy.balance.items", "toy.balance.subjects"]


@pytest.mark.parametrize(
    ("extends", "words"), [("own", "circle"), ("none", "no shipped profile"), ("other", "modality")]
)
def test_what_cannot_be_extended_is_refused(tmp_path, extends, words):
    (tmp_path / "other.yaml").write_text(
        HEAD.format(name="other", modality="sound") + "criteria: []\n", encoding="utf-8"
    )
    write(tmp_path, "own", extends=extends)
    with pytest.raises(StudyError, match=words):
        load(tmp_path, "own")


def test_a_circle_of_two_is_refused(tmp_path):
    write(tmp_path, "a", extends="b")
    write(tmp_path, "b", extends="a")
    with pytest.raises(StudyError, match="circle"):
        load(tmp_path, "a")


def test_a_criterion_leaves_the_variants_alone_that_it_excepts(tmp_path):
    write(tmp_path, "base", rule("items", 1, ", except_variants: [own]"))
    profile = load(tmp_path, "base")
    values = [Measurement("toy.balance.items", 0.0, variant=v) for v in (None, "own", "other")]
    verdicts = [j.verdict for j in judge_all(values, profile)]
    assert verdicts == [Verdict.FAIL, None, Verdict.FAIL]
    write(tmp_path, "strict", rule("items", 1, ", variant: own"), extends="default")
    verdicts = [j.verdict for j in judge_all(values, load(tmp_path, "strict"))]
    assert verdicts == [Verdict.FAIL] * 3


@pytest.mark.parametrize("name", ["imaging", "signals", "ehr"])
def test_the_profile_of_marked_content_is_the_default_and_one_criterion(name):
    modality = load_modality(name, check_requirements=False)
    folder = modality.profile_folder()
    usual, marked = (
        load_profile(p, folder, name, modality.default_profile)
        for p in ("default", f"{name}-gb45438")
    )
    own = [c for c in marked.criteria if c not in usual.criteria]
    assert [c for c in marked.criteria if c in usual.criteria] == list(usual.criteria)
    assert [(c.id, c.variant, c.mandatory, c.at_least) for c in own] == [
        (f"{name}.metadata.declared_synthetic_share", "aigc", True, 1.0)
    ]
    id_ = own[0].id
    for share, verdict in ((1.0, Verdict.PASS), (299 / 300, Verdict.FAIL)):
        values = [Measurement(id_, 1.0), Measurement(id_, share, variant="aigc", unit="share")]
        judged = {j.measurement.variant: j for j in judge_all(values, marked) if j.measurement}
        assert judged["aigc"].verdict is verdict
        judged = {j.measurement.variant: j for j in judge_all(values, usual) if j.measurement}
        assert judged["aigc"].verdict is None, "informative where the profile does not ask"
        assert judged[None].verdict is Verdict.PASS
