"""Requirements, clauses, trace table and checklist: complete, and honest in both ways."""

import json
import re
from pathlib import Path

import pytest
import yaml
from described import complete

from sdq_core.generator import Generator, definitions
from sdq_core.modality import load_modality
from sdq_core.profiles import load_profile
from sdq_core.requirements import (
    STATUS_RULE,
    Status,
    checklist,
    citations,
    matches,
    questions,
    requirements,
    trace,
)
from sdq_core.requirements.table import documents, table
from sdq_core.result import MeasurementModel, Result
from sdq_core.study import Study
from sdq_core.vocabulary import TERMS, Characteristic

MODALITIES = ("imaging", "signals", "ehr")
CHINESE = re.compile("[\u4e00-\u9fff]")


def measurement(name, verdict=None, *, value=1.0, mandatory=True, variant=None, applicable=True):
    rule = {"mandatory": mandatory, "rule": {}, "reason": "", "source": ""}
    return MeasurementModel.model_validate(
        {
            "id": f"imaging.{name}",
            "variant": variant,
            "characteristic": name.split(".")[0],
            "value": None if verdict == "not_assessed" or not applicable else value,
            "reason": "missing" if verdict == "not_assessed" or not applicable else None,
            "criterion": None if verdict is None else rule,
            "verdict": verdict,
            "code": "interval_inside",
        }
    )


def result(measurements=(), **stated):
    generator = Generator.model_validate(complete(**stated))
    return Result.model_validate(
        {
            "schema": "sdq.result/1",
            "study": {"generator": generator.model_dump(mode="json")},
            "profile": {},
            "modality": {},
            "cohorts": {"train": {"items": 1, "readable": 1, "subjects": 1, "digest": "cd" * 32}},
            "measurements": [json.loads(m.model_dump_json()) for m in measurements],
            "verdicts": {},
            "findings": {"total": 0},
            "exit_code": 3,
            "environment": {},
        }
    )


def measures_of(name):
    modality = load_modality(name, check_requirements=False)
    study = Study.model_validate(
        {"modality": name, "cohorts": {"train": {"path": "."}, "synthetic": {"path": "."}}}
    )
    return [id_ for e in modality.characteristics(study) for id_ in e.ids]


def named(id_, variant=None):
    return MeasurementModel(
        id=id_, variant=variant, characteristic=id_.split(".")[1], value=1.0, code="no_criterion"
    )


def answers(measured):
    own = [r for r in requirements() if r.characteristic is not None]
    return [r.id for r in own if any(matches(p, measured) for p in r.measures)]


# --- complete -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODALITIES)
def test_every_measure_of_every_profile_answers_a_requirement(name):
    """Of a characteristic: the documents' own requirements would take in anything."""
    for id_ in measures_of(name):
        found = answers(named(id_))
        assert found, id_
        characteristics = {r.characteristic for r in requirements() if r.id in found}
        assert characteristics == {Characteristic(id_.split(".")[1])}
    modality = load_modality(name, check_requirements=False)
    for path in sorted(modality.profile_folder().glob("*.yaml")):
        profile = load_profile(path.stem, path.parent, name, modality.default_profile)
        for criterion in profile.criteria:
            assert answers(named(criterion.id, criterion.variant)), criterion.id


def test_every_pattern_names_a_measure_of_some_modality():
    known = [named(id_) for name in MODALITIES for id_ in measures_of(name)]
    variants = [named("ehr.privacy.k_anonymity", "unique-match")]
    variants += [named("imaging.metadata.declared_synthetic_share", "aigc")]
    # These come from the manual review, not from the modality.
    variants += [named("ehr.completeness.review_ratings"), named("ehr.fidelity.review_auc")]
    used = [p for r in requirements() for p in r.measures]
    used += [p for item in table("compliance")["items"] for p in item.get("measures", ())]
    for pattern in used:
        assert any(matches(pattern, m) for m in (*known, *variants)), pattern


def test_the_six_characteristics_the_experiment_and_the_documents_are_there():
    found = [r.characteristic for r in requirements()]
    assert set(found) == {*Characteristic, None}
    assert {d for r in requirements() for d in r.documents} == {
        "synthesis_description", "validation_report", "quality_assessment_report"
    }  # fmt: skip
    assert all(r.documents for r in requirements())


def test_ids_are_stable_and_unique():
    ids = [r.id for r in requirements()]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"R-[A-Z]{3}-\d\d", i) for i in ids)
    # What was published with an id keeps it: a change here breaks documents that cite it.
    assert ids == [
        "R-FID-01", "R-FID-02", "R-BAL-01", "R-BAL-02", "R-BAL-03", "R-COM-01", "R-COM-02",
        "R-COM-03", "R-MET-01", "R-MET-02", "R-MET-03", "R-PRI-01", "R-PRI-02", "R-PRI-03",
        "R-PRI-04", "R-EXP-01", "R-EXP-02", "R-EXP-03", "R-UTI-01", "R-UTI-02", "R-DES-01",
        "R-DES-02", "R-DES-03", "R-DES-04", "R-DES-05", "R-DES-06", "R-DES-07", "R-DES-08",
        "R-VAL-01", "R-VAL-02", "R-REP-01", "R-REP-02", "R-REP-03",
    ]  # fmt: skip


def test_facts_and_requirements_name_each_other():
    keys = {d.key for d in definitions()}
    by_id = {r.id: r for r in requirements()}
    assert {key for r in requirements() for key in r.facts} == keys
    for fact in definitions():
        assert fact.key in by_id[fact.requirement].facts


def test_everything_is_said_in_both_languages():
    said = [(r.en, r.zh) for r in requirements()]
    said += [(r.method_en, r.method_zh) for r in requirements()]
    said += [(c.en, c.zh) for r in requirements() for c in citations(r.id)]
    said += [*questions().values(), STATUS_RULE, *((d[1], d[2]) for d in documents())]
    said += [pair for d in definitions() for pair in (d.label, d.wanted, d.section)]
    said += [pair for d in definitions() for pair in d.choices.values()]
    said += [TERMS[d] for r in requirements() for d in r.documents]
    for english, chinese in said:
        assert english
        assert not CHINESE.search(english), english
        assert CHINESE.search(chinese), chinese
    for rows in (table("compliance")["items"],):
        assert all(CHINESE.search(row["source_zh"]) for row in rows if "HIPAA" not in row["id"])


def test_the_words_of_the_standard_are_not_mixed_up():
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted(Path("sdq_core").rglob("*.yaml"))
        if path.parent.name in ("requirements", "generator")
    )
    assert "基尼不纯度" not in text
    assert "验证集" not in text, "the tuning set is 调优集"
    assert not re.search("conforms? to", text)


# --- citations ------------------------------------------------------------------------------------


def test_every_requirement_leads_back_to_the_proposal_without_a_clause_number():
    assert set(table("clauses")["citations"]) == {r.id for r in requirements()}
    for requirement in requirements():
        lead = citations(requirement.id)[0]
        assert (lead.document, lead.clause) == ("Part 6 proposal", "")
        assert lead.verified
        assert lead.en.startswith("Part 6 proposal, ")


def test_what_was_not_read_is_not_verified():
    unread = ("WP216", "CMDE guideline No. 8 of 2022", "ISO/IEC 5259-2:2024")
    for requirement in requirements():
        for citation in citations(requirement.id):
            assert citation.verified is (citation.document not in unread)
    for row in table("compliance")["items"]:
        if re.match("PIPL|HIPAA|WP216|GBT35273|CN-", row["id"]):
            assert row["verified"] is False, row["id"]


# --- status ---------------------------------------------------------------------------------------

ONE = "explainability.item_lineage_share"
NONE = "not_assessed"


@pytest.mark.parametrize(
    ("measured", "stated", "status"),
    [
        ([], {}, "met"),
        ([], {"lineage": None}, "not_provided"),
        ([(ONE, "pass")], {}, "met"),
        ([(ONE, "pass")], {"lineage": None}, "not_provided"),
        ([(ONE, "fail")], {}, "not_met"),
        ([(ONE, "fail")], {"lineage": None}, "not_met"),
        ([(ONE, "inconclusive")], {}, "inconclusive"),
        ([(ONE, "inconclusive")], {"lineage": None}, "not_provided"),
        ([(ONE, "not_assessed")], {"lineage": None}, "not_assessed"),
        ([(ONE, None)], {}, "met"),
    ],
)
def test_status_of_a_requirement_with_a_measure_and_a_fact(measured, stated, status):
    found = {
        r.requirement.id: r for r in trace(result([measurement(*m) for m in measured], **stated))
    }
    row = found["R-EXP-02"]
    assert row.status == status
    assert len(row.measurements) == len(measured)
    assert [f.key for f in row.facts] == ["lineage"]


@pytest.mark.parametrize(
    ("measured", "status"),
    [
        ([], "not_assessed"),
        ([("privacy.linkability_risk", None)], "informative"),
        ([("privacy.linkability_risk", "pass"), ("privacy.inference_risk", "fail")], "not_met"),
        ([("privacy.linkability_risk", "pass"), ("privacy.inference_risk", "pass")], "met"),
        (
            [("privacy.linkability_risk", "inconclusive"), ("privacy.inference_risk", NONE)],
            NONE,
        ),
    ],
)  # fmt: skip
def test_status_of_a_requirement_that_is_measured_only(measured, status):
    found = {r.requirement.id: r.status for r in trace(result([measurement(*m) for m in measured]))}
    assert found["R-PRI-04"] == status


def test_mandatory_measures_decide_and_others_only_where_there_is_none():
    passes = measurement("privacy.linkability_risk", "pass")
    fails = measurement("privacy.inference_risk", "fail", mandatory=False)
    found = {r.requirement.id: r.status for r in trace(result([passes, fails]))}
    assert found["R-PRI-04"] is Status.MET
    found = {r.requirement.id: r.status for r in trace(result([fails]))}
    assert found["R-PRI-04"] is Status.NOT_MET


def test_a_fact_that_the_data_contradict_is_not_met():
    found = {r.requirement.id: r.status for r in trace(result(training_data__digest="00" * 32))}
    assert found["R-DES-04"] is found["R-EXP-01"] is Status.NOT_MET
    assert found["R-DES-03"] is Status.MET


def test_what_only_people_can_check_is_not_assessed_without_a_review():
    patterns = {p for r in requirements() for p in r.measures if "*" not in p}
    tools = [measurement(p, "pass") for p in patterns if "review" not in p]
    found = {r.requirement.id: r.status for r in trace(result(tools))}
    for requirement in requirements():
        wanted = Status.NOT_ASSESSED if requirement.checked_by == "people" else Status.MET
        assert found[requirement.id] is wanted, requirement.id
    reviewed = trace(result([*tools, measurement("fidelity.review_auc", "pass")]))
    assert all(row.status is Status.MET for row in reviewed)


def test_a_result_without_a_generator_provides_nothing():
    empty = result().model_copy(update={"study": {}})
    found = {r.requirement.id: r.status for r in trace(empty)}
    assert found["R-DES-01"] is Status.NOT_PROVIDED
    assert all(row.answered_by == "open" for row in checklist(empty))


# --- the checklist --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "mandatory", "said", "answered_by", "answer"),
    [
        (None, True, None, "open", None),
        ("fail", True, "yes", "measured", "no"),
        ("fail", True, "not_applicable", "measured", "no"),
        ("fail", False, "yes", "measured", "no"),
        ("pass", True, None, "measured", "yes"),
        ("pass", True, "yes", "measured", "yes"),
        ("pass", True, "no", "provider", "no"),
        ("inconclusive", True, None, "open", None),
        ("inconclusive", True, "yes", "provider", "yes"),
        ("not_assessed", True, "no", "provider", "no"),
        (None, True, "yes", "provider", "yes"),
    ],
)
def test_a_measured_failure_is_never_talked_away(verdict, mandatory, said, answered_by, answer):
    measured = [measurement("privacy.identifier_share", verdict, mandatory=mandatory)]
    stated = complete()
    if said is not None:
        stated["compliance"] = {"GBT37964-DIRECT": {"answer": said, "evidence": "report 7"}}
    generator = Generator.model_validate(stated).model_dump(mode="json")
    found = result(measured).model_copy(update={"study": {"generator": generator}})
    row = next(r for r in checklist(found) if r.id == "GBT37964-DIRECT")
    assert (row.answered_by, row.answer) == (answered_by, answer)
    assert len(row.measurements) == 1
    assert row.evidence == (None if said is None else "report 7")


def test_the_checklist_covers_the_laws_and_standards():
    ids = list(questions())
    assert len(set(ids)) == len(ids)
    for prefix in ("PIPL", "GBT35273", "GBT37964", "GBT42460", "GBT39725", "HIPAA", "WP216"):
        assert any(i.startswith(prefix) for i in ids)


def test_the_tables_are_plain_yaml():
    folder = Path("sdq_core/requirements")
    for path in sorted(folder.glob("*.yaml")):
        assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)
