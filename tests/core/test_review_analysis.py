"""From answers to measurements in the result, judged by plan and profile."""

import json

import numpy as np
import pytest
from review_made import close_all, make, read_all
from sample_result import sample_result
from typer.testing import CliRunner

from sdq_core.documents.parts import Source
from sdq_core.documents.quality_assessment_report import quality_assessment_report
from sdq_core.documents.report import write_report
from sdq_core.errors import ReviewError
from sdq_core.measurement import Interval, Measurement
from sdq_core.profiles import Criterion, Profile
from sdq_core.result import load_result, save_result
from sdq_core.review.adding import add_to_result, criterion_of
from sdq_core.review.closing import close_review
from sdq_core.review.readings import readings_of
from sdq_core.vocabulary import Verdict

RATING = [{"id": "anatomy", "en": "The anatomy is plausible", "zh": "解剖结构合理",
           "needs_label": False},
          {"id": "texture", "en": "Texture", "zh": "纹理", "needs_label": False}]  # fmt: skip


@pytest.fixture(autouse=True)
def _closed():
    yield
    close_all()


@pytest.fixture
def result(tmp_path):
    path = tmp_path / "out" / "result.json"
    path.parent.mkdir()
    save_result(sample_result(path.parent), path)
    return path


def guess(seed, skill=0.0):
    """Answers of readers who see through `skill` of the cases."""
    rng = np.random.default_rng(seed)

    def confidence(made, slot):
        if rng.random() < skill:
            return 6 if made.truth(slot.case) else 1
        return int(rng.integers(1, 7))

    return confidence


def finished(tmp_path, answer, **values):
    made = make(tmp_path, **values)
    read_all(made, lambda reader, slot: answer(made, slot))
    close_review(made.store, made.key_path)
    return made


def test_guessing_readers_are_judged_by_the_margin_of_the_plan(tmp_path, result):
    choose = guess(1)
    made = finished(
        tmp_path,
        lambda m, s: {"confidence": choose(m, s), "comment": "x" * (s.number == 5)},
        number=48, readers=("r1", "r2", "r3", "r4"), margin=0.7, training=4, repeats=0.2,
    )  # fmt: skip
    lines = add_to_result(made.store, result)
    found = load_result(result)
    auc = found.measurement("imaging.fidelity.review_auc")
    assert auc.verdict is Verdict.PASS
    assert auc.interval.low < 0.5 < auc.interval.high
    assert (auc.criterion.low, auc.criterion.high) == (0.3, 0.7)
    assert not auc.criterion.mandatory
    assert auc.n == {"synthetic": 24, "real": 24}
    assert auc.method.parameters["readers"] == 4
    review = auc.details["review"]
    assert review["equivalent"] is True
    assert review["seal"] == made.key.seal
    assert review["comments"] == 4
    assert review["readings"] == review["asked"] == 192
    rows = auc.details["table"]["rows"]
    assert [r[0] for r in rows] == ["r1", "r2", "r3", "r4"]
    assert abs(np.mean([r[4] for r in rows])) < 0.5  # d'
    agreement = found.measurement("imaging.completeness.review_agreement")
    assert agreement.interval.low < 0 < agreement.interval.high
    assert len(agreement.details["table"]["columns"]) == 5
    assert abs(agreement.details["coefficients"]["gwet_ac1"][0]) < 0.3
    repeats = found.measurement("imaging.completeness.review_repeatability")
    assert repeats.n["cases"] >= 10
    assert 0.3 < repeats.value < 0.7
    assert any("review_auc = 0." in line and "pass" in line for line in lines)
    # The verdicts of the rest are as they were, and the log lies beside the result.
    assert found.verdicts == sample_result(result.parent).verdicts
    log = next(result.parent.glob("review-*.jsonl")).read_text().splitlines()
    assert json.loads(log[0])["content"]["seal"] == made.key.seal
    assert json.loads(log[-1])["kind"] == "closed"
    # The quality assessment report tells protocol and records, in both languages.
    for language, said in (("en", "Reviewers judged items"), ("zh", "审查者在不知何者为合成")):
        report = repr(quality_assessment_report(Source(found, language, ())))
        assert said in report
        assert made.key.seal in report


def test_readers_who_see_through_it_fail_the_study(tmp_path, result):
    choose = guess(2, skill=0.8)
    made = finished(tmp_path, lambda m, s: {"confidence": choose(m, s)}, number=36,
                    readers=("r1", "r2", "r3"), mandatory=True, training=0)  # fmt: skip
    add_to_result(made.store, result)
    found = load_result(result)
    auc = found.measurement("imaging.fidelity.review_auc")
    assert auc.value > 0.8
    assert auc.verdict is Verdict.FAIL
    assert auc.criterion.mandatory
    assert found.exit_code == 1
    assert auc.details["p"] < 0.01
    assert auc.details["review"]["d_prime"] > 1
    agreement = found.measurement("imaging.completeness.review_agreement")
    assert agreement.interval.low > 0.2


def test_analysing_twice_gives_the_same_result(tmp_path, result):
    choose = guess(3)
    made = finished(tmp_path, lambda m, s: {"confidence": choose(m, s)}, number=20)
    add_to_result(made.store, result)
    first = result.read_bytes()
    add_to_result(made.store, result)
    assert result.read_bytes() == first


def test_pairs_are_read_from_the_side_on_which_they_stood(tmp_path, result):
    def right(made, slot):
        on_left = made.truth(slot.case, "b" if slot.flipped else "a")
        return {"choice": 1 if on_left else 2}

    made = finished(tmp_path, right, number=40, type="pairs", training=0)
    add_to_result(made.store, result)
    auc = load_result(result).measurement("imaging.fidelity.review_auc")
    assert auc.value == 1
    assert auc.interval.low > 0.8
    assert auc.n == {"pairs": 20}
    assert auc.verdict is Verdict.FAIL
    slots = made.store.slots()["r1"]
    assert {s.flipped for s in slots} == {True, False}


def test_ratings_are_compared_as_ordinal(tmp_path, result):
    rng = np.random.default_rng(4)

    def rate(made, slot):
        worse = made.truth(slot.case)
        return {"anatomy": int(rng.integers(1, 4) if worse else rng.integers(3, 6)),
                "texture": int(rng.integers(1, 6))}  # fmt: skip

    made = finished(tmp_path, rate, number=36, type="rating", items=RATING, margin=0.7,
                    readers=("r1", "r2", "r3"), training=0)  # fmt: skip
    add_to_result(made.store, result)
    found = load_result(result)
    anatomy = found.measurement("imaging.completeness.review_rating", "anatomy")
    texture = found.measurement("imaging.completeness.review_rating", "texture")
    assert anatomy.value < 0.2
    assert anatomy.verdict is Verdict.FAIL
    assert texture.interval.low < 0.5 < texture.interval.high
    assert texture.verdict is Verdict.PASS
    assert anatomy.details["table"]["rows"][-1] == [5, 1.0, 1.0, 0.0]
    assert anatomy.details["review"]["median_real"] == 4
    variants = {m.variant for m in found.measurements if m.id.endswith("review_agreement")}
    assert variants == {"anatomy", "texture"}


def test_the_checklist_counts_cases_without_a_fault_beside_real_ones(tmp_path, result):
    def check(made, slot):
        odd = int(slot.case, 16) % 5
        fault = made.truth(slot.case) and odd == 0
        return {"parts": 2 if fault else 1, "meaning": 3 if odd == 1 else 1}

    made = finished(tmp_path, check, number=36, type="completeness", least_accuracy=0.5,
                    readers=("r1", "r2"), training=0)  # fmt: skip
    add_to_result(made.store, result)
    found = load_result(result).measurement("imaging.completeness.review_accuracy")
    faults = np.mean([int(c, 16) % 5 == 0 for c in made.key.cases if made.truth(c)])
    assert found.value == pytest.approx(1 - faults)
    assert found.noise_floor.centre == 1
    assert found.verdict is Verdict.PASS
    assert found.details["table"]["rows"][0][0] == "parts"
    assert found.details["table"]["rows"][0][1] == 0


def test_too_few_readings_give_a_reason_and_no_value(tmp_path, result):
    made = make(tmp_path, number=8, training=0)
    desk = made.desk()
    desk.begin("r1", 1, "", "yes")
    desk.show("r1", 1, 0)
    desk.answer("r1", 1, 0, {"confidence": "2"})
    close_review(made.store, made.key_path)
    lines = add_to_result(made.store, result)
    found = load_result(result)
    auc = found.measurement("imaging.fidelity.review_auc")
    assert auc.value is None
    assert "too few readings" in auc.reason
    assert "阅读数不足" in auc.reason_zh
    assert auc.verdict is Verdict.NOT_ASSESSED
    assert "too few readings" in lines[0]


def test_changed_answers_count_as_changed_and_training_does_not_count(tmp_path):
    made = make(tmp_path, number=4, training=2, readers=("r1",))
    desk = read_all(made, lambda r, s: {"confidence": 6})
    last = desk.standing("r1", back=True)
    desk.show("r1", last.slot.number, 1)
    desk.answer("r1", last.slot.number, 1, {"confidence": "1"})
    key = close_review(made.store, made.key_path)
    readings = readings_of(made.store, key)
    assert readings.revised == 1
    assert len(readings.cases) == 4
    values = readings.first["confidence"][0]
    assert sorted(values.tolist()) == [1, 6, 6, 6]
    assert values[readings.cases.index(last.slot.case)] == 1


def test_an_open_study_or_another_result_is_refused(tmp_path, result):
    made = make(tmp_path, number=8, training=0)
    with pytest.raises(ReviewError, match="close it first"):
        add_to_result(made.store, result)
    close_review(made.store, made.key_path)
    data = json.loads(result.read_text())
    data["cohorts"]["synthetic"]["digest"] = "0" * 64
    result.write_text(json.dumps(data))
    with pytest.raises(ReviewError, match="its cohort synthetic is not the one"):
        add_to_result(made.store, result)
    data["modality"]["name"] = "signals"
    result.write_text(json.dumps(data))
    with pytest.raises(ReviewError, match="is of modality 'signals'"):
        add_to_result(made.store, result)


def test_a_criterion_of_the_profile_comes_before_the_plan():
    from sdq_core.review.plan import ReviewPlan

    plan = ReviewPlan(study="s.yaml", readers=("r1",), cases={"real": 9, "synthetic": 9})
    own = Criterion(id="imaging.fidelity.review_auc", at_least=0.45, at_most=0.55, mandatory=True,
                    reason="ours", source="SOP 7")  # fmt: skip
    profile = Profile(schema="sdq.profile/1", name="lab", version="1", modality="imaging",
                      criteria=(own,))  # fmt: skip
    auc = Measurement("imaging.fidelity.review_auc", 0.5, interval=Interval(0.46, 0.54, "x"))
    assert criterion_of(auc, plan, profile) is own
    agreement = Measurement("imaging.completeness.review_agreement", 0.1)
    assert criterion_of(agreement, plan, profile) is None


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_shows_the_review(tmp_path, result, language):
    choose = guess(5)
    made = finished(tmp_path, lambda m, s: {"confidence": choose(m, s)}, number=20, repeats=0.3)
    add_to_result(made.store, result)
    target = result.parent / "report.html"
    write_report(load_result(result), result.parent, target, language=language)
    text = target.read_text()
    title = {"en": "Readers’ AUC", "zh": "阅片者区分真实与合成的 AUC"}[language]
    assert title in text.replace("'", "’").replace("&#39;", "’")
    if language == "zh":
        for english in ("U-statistic over", "jackknife over", "mean of pairs of readers"):
            assert english not in text


def test_the_commands_of_the_coordinator(tmp_path, result):
    from sdq_core.cli import app

    choose = guess(6)
    made = make(tmp_path, number=20, repeats=0.3)
    runner = CliRunner()
    folder = str(made.folder.path)
    told = runner.invoke(app, ["review", "status", folder])
    assert told.exit_code == 0
    assert "r1: 0 of 28" in told.output
    read_all(made, lambda r, s: {"confidence": choose(made, s)})
    assert "r1: 28 of 28" in runner.invoke(app, ["review", "status", folder]).output
    early = runner.invoke(app, ["review", "analyse", folder, "--result", str(result)])
    assert isinstance(early.exception, ReviewError)
    told = runner.invoke(app, ["review", "close", folder, "--key", str(made.key_path)])
    assert told.exit_code == 0, told.output
    told = runner.invoke(app, ["review", "analyse", folder, "--result", str(result.parent)])
    assert told.exit_code == 0, told.output
    assert "imaging.fidelity.review_auc = " in told.output
    for kind in ("csv", "imrmc", "jsonl"):
        target = tmp_path / f"x.{kind}"
        told = runner.invoke(app, ["review", "export", folder, "-o", str(target), "--format", kind])
        assert told.exit_code == 0, told.output
        assert target.stat().st_size > 500
