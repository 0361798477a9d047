"""Rule files: those of the package are sound, users' own are read with errors that help."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from clinics_made import one_table

from sdq_core.errors import StudyError
from sdq_ehr.codes.check_digits import digit_matrix, luhn, verhoeff
from sdq_ehr.semantics import built_in_rules, evaluate_rules, load_rules
from sdq_ehr.semantics.analytes import built_in_analytes
from sdq_ehr.semantics.kinds import KINDS
from sdq_ehr.semantics.kinds.drug_allergy import built_in_classes
from sdq_ehr.semantics.page import BEGIN, END, rules_markdown

PAGE = Path(__file__).parents[2] / "docs/semantic_rules.md"
GOOD = """version: sdq.ehr-rules/1
rules:
  - id: ehr.semantics.own
    kind: expression
    severity: warning
    message: a is larger than b; correct one
    source: own
    parameters: {check: a <= b}
"""


def load(tmp_path, text, **options):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return load_rules([path], **options)


def test_own_rules_join_those_of_the_package(tmp_path):
    rules = load(tmp_path, GOOD)
    assert len(rules) == len(built_in_rules()) + 1
    data = one_table({"a": ({"type": "number"}, [1.0, 3.0]), "b": ({"type": "number"}, [2.0, 2.0])})
    outcome = evaluate_rules(data, load(tmp_path, GOOD, built_in=False))
    assert outcome.counts == {"ehr.semantics.own": (1, 2)}
    assert outcome.applicable == {"ehr.semantics.own": ("t.a, b",)}


def test_an_own_rule_takes_the_place_of_one_with_its_id(tmp_path):
    text = GOOD.replace("ehr.semantics.own", "ehr.semantics.age_range")
    rules = load(tmp_path, text)
    assert len(rules) == len(built_in_rules())
    assert next(r for r in rules if r.id == "ehr.semantics.age_range").kind == "expression"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("kind: expression", "kind: expresion", ["ehr.semantics.own", "kind", "use order"]),
        ("severity: warning", "severity: bad", ["ehr.semantics.own", "severity", "error"]),
        ("id: ehr.semantics.own", "id: own", ["own", "id", "rename"]),
        ("    source: own\n", "", ["ehr.semantics.own", "source", "write it"]),
        ("message:", "mesage:", ["ehr.semantics.own", "mesage", "use some of"]),
        ("check: a <= b", "check: a <=", ["parameters.check", "at character", "the end"]),
        ("check: a <= b", "chek: a <= b", ["parameters", "check"]),
        ("{check: a <= b}", "[1]", ["parameters", "mapping"]),
        ("version: sdq.ehr-rules/1", "version: 2", ["version must be"]),
        ("rules:\n", "rule:\n", ["version and rules"]),
        ("    source: own", "    source: own\n    source: twice", ["line", "twice"]),
        ("parameters: {check: a <= b}", "parameters: {check: a <= b", ["line", "correct it"]),
        ("    source: own", "    source: own\n    models: [omopp]", ["models", "omop"]),
    ],
)
def test_errors_name_file_rule_key_and_remedy(tmp_path, old, new, words):
    assert old in GOOD
    with pytest.raises(StudyError) as error:
        load(tmp_path, GOOD.replace(old, new))
    for word in ["mine.yaml", *words]:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("kind", "parameters", "word"),
    [
        ("sex", "{only: both, codes: {icd10: [C61]}}", "only"),
        ("sex", "{only: male, codes: {icd11: [C61]}}", "code system"),
        ("age", "{maximum: 3}", "codes"),
        ("range", "{analytes: [{name: x}]}", "analytes.0"),
        ("future", "{bound: never, meanings: [birth]}", "bound"),
        ("omop", "{check: everything}", "check"),
    ],
)
def test_parameters_are_checked_by_kind(tmp_path, kind, parameters, word):
    text = GOOD.replace("expression", kind).replace("{check: a <= b}", parameters)
    with pytest.raises(StudyError, match=word):
        load(tmp_path, text)


def test_unreadable_files_are_errors(tmp_path):
    with pytest.raises(StudyError, match=r"none\.yaml: cannot be read"):
        load_rules([tmp_path / "none.yaml"])
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(StudyError, match=r"binary\.yaml"):
        load_rules([path])


def test_codes_keep_their_zeros(tmp_path):
    text = GOOD.replace("expression", "sex").replace(
        "{check: a <= b}", "{only: male, codes: {icd9proc: [0123, 60-64], local: [yes]}}"
    )
    rule = load(tmp_path, text, built_in=False)[0]
    assert rule.parameters.codes["icd9proc"][0] == "0123"
    assert rule.parameters.codes["local"] == ("yes",)


# -- the package's own data ------------------------------------------------------------------------


def _codes(plain, system):
    if isinstance(plain, dict):
        for key, value in plain.items():
            if key == system:
                yield from value
            else:
                yield from _codes(value, system)
    elif isinstance(plain, list | tuple):
        for value in plain:
            yield from _codes(value, system)


def _all(system):
    sources = [r.parameters.model_dump() for r in built_in_rules()]
    sources += [c.model_dump() for c in built_in_classes()]
    sources += [{a.name: a.model_dump()} for a in built_in_analytes()]
    return sorted(set(_codes(sources, system)))


def test_check_digits_of_all_codes_in_the_data_hold():
    loinc = _all("loinc")
    assert len(loinc) > 100
    assert all(re.fullmatch(r"\d{1,5}-\d", c) for c in loinc)
    assert luhn(digit_matrix([c.replace("-", "") for c in loinc], 8)[0]).all()
    snomed = _all("snomed")
    assert len(snomed) > 20
    assert verhoeff(*digit_matrix(snomed, 18)).all()
    assert all(c[-3:-1] == "00" for c in snomed)
    assert all(c.isdigit() for c in _all("rxnorm"))


def test_no_code_means_two_analytes_and_no_word_either():
    codes = [c for a in built_in_analytes() for c in a.loinc]
    words = [w for a in built_in_analytes() for w in a.words]
    assert len(codes) == len(set(codes))
    assert len(words) == len(set(words))


def test_factors_of_molar_units_follow_from_molar_masses():
    mass = {"glucose": 180.16, "cholesterol": 386.65, "creatinine": 113.12, "uric acid": 168.11,
            "bilirubin, total": 584.66, "urea nitrogen": 28.01, "calcium": 40.08,
            "phosphorus": 30.974, "triglycerides": 885.4, "lactate": 90.08}  # fmt: skip
    for analyte in built_in_analytes():
        for molar, scale in (("mmol/L", 0.1), ("umol/L", 1e-4)):
            if analyte.name in mass and molar in analyte.units and "mg/dL" in analyte.units:
                ratio = analyte.units[molar].factor / analyte.units["mg/dL"].factor
                assert ratio == pytest.approx(mass[analyte.name] * scale, rel=1e-3), analyte.name


def test_limits_leave_room_for_the_usual():
    for a in built_in_analytes():
        assert a.limits[0] <= a.usual[0] < a.usual[1] <= a.limits[1]
        assert np.isfinite([*a.limits, *a.usual]).all()
        assert a.source


def test_every_kind_has_words_in_both_languages_and_most_are_used():
    used = {r.kind for r in built_in_rules()}
    assert set(KINDS) - used == {"expression"}
    for kind in KINDS.values():
        assert kind.does
        assert re.search("[\u4e00-\u9fff]", kind.does_zh)
        assert kind.parameters.__doc__


def test_ids_are_unique_over_all_files():
    ids = [r.id for r in built_in_rules()]
    assert len(ids) == len(set(ids))


def test_the_page_lists_the_rules_as_they_are():
    text = PAGE.read_text(encoding="utf-8")
    shown = text.split(BEGIN)[1].split(END)[0].strip()
    assert shown == rules_markdown().strip(), "put sdq_ehr.semantics.page.rules_markdown() there"


def test_the_example_of_the_page_is_a_rule_file(tmp_path):
    text = PAGE.read_text(encoding="utf-8").split("<!-- example: begin -->")[1]
    rules = load(tmp_path, text.split("```yaml")[1].split("```")[0], built_in=False)
    data = one_table(
        {
            "Reginol Node Positive": ({"type": "integer"}, [1, 9]),
            "Regional Node Examined": ({"type": "integer"}, [3, 3]),
            "item": ({"type": "code", "system": "local", "meaning": "code"}, ["50924", "50924"]),
            "result": ({"type": "number", "meaning": "value", "code": "item"}, [30.0, -1.0]),
        }
    )
    outcome = evaluate_rules(data, rules)
    assert [(f.rule, f.rows.tolist()) for f in outcome.row_findings] == [
        ("ehr.semantics.positive_nodes", [1]),
        ("ehr.semantics.own_ferritin", [1]),
    ]
