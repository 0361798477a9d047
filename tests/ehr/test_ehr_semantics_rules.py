"""Each rule finds what is planted, where it is planted, and nothing on a clean clinic."""

from __future__ import annotations

import calendar
import os
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from clinics_made import DAY, SCHEMA, clinic_columns, dataset_of, one_table
from hypothesis import given
from hypothesis import strategies as st

from sdq_core.vocabulary import Severity
from sdq_ehr.codes.facts import range_of_code, units_of_code
from sdq_ehr.schema import Schema
from sdq_ehr.semantics import evaluate_rules, load_rules
from sdq_ehr.semantics.analytes import built_in_analytes, plain_unit
from sdq_ehr.semantics.codesets import CodeSet
from sdq_ehr.semantics.columns import later, years_between
from sdq_ehr.semantics.context import Context
from sdq_ehr.semantics.kinds.years import real_years

RULES = load_rules()
SEMANTIC = [r for r in RULES if ".semantics." in r.id]
YEARS = real_years([dataset_of(clinic_columns(60, seed)) for seed in (98, 99)])


def found(dataset, rules=RULES, **options):
    """Return rule -> {(table, column): rows}, without the name of the area."""
    outcome = evaluate_rules(dataset, rules, **options)
    out: dict[str, dict[tuple[str, str], list[int]]] = {}
    for f in outcome.row_findings:
        out.setdefault(f.rule.rsplit(".", 1)[-1], {})[f.table, f.column] = f.rows.tolist()
    return out, outcome


def test_a_clean_clinic_is_quiet_and_nearly_every_rule_applies():
    for seed in range(5):
        rules, outcome = found(dataset_of(clinic_columns(60, seed)), SEMANTIC,
                               extraction=date(2022, 1, 1), years=YEARS)  # fmt: skip
        assert rules == {}
        assert all(violations == 0 for violations, _ in outcome.counts.values())
    assert set(outcome.applicable) | set(outcome.not_applicable) == {r.id for r in SEMANTIC}
    assert not outcome.not_applicable
    judged = {rule for rule, (_, n) in outcome.counts.items() if n}
    assert len(judged) > 18


def _set(tables, table, column, row, value):
    tables[table][column][row] = value


def _time(tables, table, column, row):
    return tables[table][column][row]


def _patient_of(tables, sex):
    return next(i for i, s in enumerate(tables["patients"]["sex"]) if s == sex)


def _birth_after_admission(t):
    t["patients"]["born"][3] = np.datetime64("2020-06-01")
    return "birth_before_events", ("stays", "entered"), [6, 7]


def _death_before_birth(t):
    t["patients"]["died"][4] = np.datetime64("1960-01-01")
    return "birth_before_death", ("patients", "died"), [4]


def _discharge_first(t):
    t["stays"]["left"][9] = t["stays"]["entered"][9] - DAY
    return "admission_before_discharge", ("stays", "entered, left"), [9]


def _drug_ends_first(t):
    t["drugs"]["ended"][5] = t["drugs"]["begun"][5] - DAY
    return "start_before_end", ("drugs", "begun, ended"), [5]


def _admitted_dead(t):
    t["patients"]["died"][7] = np.datetime64("2010-01-01")
    return "admission_before_death", ("stays", "entered"), [14, 15]


def _treated_dead(t):
    t["patients"]["died"][7] = np.datetime64("2010-01-01")
    return "events_after_death", ("drugs", "begun"), [14, 15]


def _just_dead(t):
    t["patients"]["died"][7] = t["drugs"]["begun"][15] - 5 * DAY
    return "events_soon_after_death", ("drugs", "begun"), [15]


def _long_before_visit(t):
    t["procedures"]["done"][3] -= 30 * DAY
    return "events_within_visit", ("procedures", "done"), [3]


def _long_after_visit(t):
    t["procedures"]["done"][3] += 30 * DAY
    return "events_after_visit", ("procedures", "done"), [3]


def _two_beds(t):
    t["stays"]["left"][4] = t["stays"]["entered"][5] + 3 * DAY
    return "overlapping_stays", ("stays", "entered, left"), [5]


def _old_date(t):
    t["labs"]["taken"][2] = np.datetime64("1899-12-31")
    return "date_before_1900", ("labs", "taken"), [2]


def _future(t):
    t["labs"]["taken"][2] = np.datetime64("2031-01-01")
    return "date_after_extraction", ("labs", "taken"), [2]


def _two_digit_year(t):
    t["patients"]["born"][2] += 36525 * DAY  # 1980 becomes 2080
    return "wrong_century", ("patients", "born"), [2]


def _before_records(t):
    t["labs"]["taken"][2] = np.datetime64("1985-01-01")
    return "date_before_records", ("labs", "taken"), [2]


def _after_records(t):
    t["labs"]["taken"][2] = np.datetime64("2041-01-01")
    return "date_after_records", ("labs", "taken"), [2]


def _pregnant_man(t):
    pid = t["patients"]["pid"][_patient_of(t, "M")]
    row = t["diagnoses"]["pid"].index(pid)
    t["diagnoses"]["code"][row] = "o80 "
    return "female_only_diagnosis", ("diagnoses", "code"), [row]


def _prostate_of_a_woman(t):
    pid = t["patients"]["pid"][_patient_of(t, "F")]
    row = t["diagnoses"]["pid"].index(pid)
    t["diagnoses"]["code"][row] = "C61"
    return "male_only_diagnosis", ("diagnoses", "code"), [row]


def _caesarean_of_a_man(t):
    pid = t["patients"]["pid"][_patient_of(t, "M")]
    row = t["procedures"]["pid"].index(pid)
    t["procedures"]["code"][row] = "74.1"
    return "female_only_procedure", ("procedures", "code"), [row]


def _prostatectomy_of_a_woman(t):
    pid = t["patients"]["pid"][_patient_of(t, "F")]
    row = t["procedures"]["pid"].index(pid)
    t["procedures"]["code"][row] = "60.5"
    return "male_only_procedure", ("procedures", "code"), [row]


def _methuselah(t):
    t["stays"]["age"][8] = 300
    return "age_range", ("stays", "age"), [8]


def _other_age(t):
    t["stays"]["age"][8] -= 5
    return "age_contradicts_birth", ("stays", "age"), [8]


def _old_newborn(t):
    t["diagnoses"]["code"][0] = "Z38.00"
    return "newborn_diagnosis", ("diagnoses", "code"), [0]


def _adult_child(t):
    t["diagnoses"]["code"][0] = "Z00.121"
    return "paediatric_encounter", ("diagnoses", "code"), [0]


def _old_mother(t):
    i = _patient_of(t, "F")
    t["patients"]["born"][i] = np.datetime64("1935-01-01")
    rows = [r for r, p in enumerate(t["diagnoses"]["pid"]) if p == f"p{i}"]
    for r in rows:
        t["diagnoses"]["code"][r] = "O80"
    return "maternity_age", ("diagnoses", "code"), rows


def _child_with_dementia(t):
    t["patients"]["born"][6] = np.datetime64("2010-01-01")
    for row in [i for i, p in enumerate(t["diagnoses"]["pid"]) if p == "p6"]:
        t["diagnoses"]["code"][row] = "I10"
    row = t["diagnoses"]["pid"].index("p6")
    t["diagnoses"]["code"][row] = "F03.90"
    return "adult_diagnosis", ("diagnoses", "code"), [row]


def _codeine(t):
    t["patients"]["born"][6] = np.datetime64("2010-01-01")
    t["drugs"]["atc"][12] = "R05DA04"
    return "codeine_in_young_children", ("drugs", "atc"), [12]


def _impossible_value(t):
    row = t["labs"]["loinc"].index("2951-2")
    t["labs"]["value"][row] = 900.0
    return "value_implausible", ("labs", "value"), [row]


def _mixed_units(t):
    rows = [i for i, c in enumerate(t["labs"]["loinc"]) if c == "2345-7"][:4]
    for row in rows:
        t["labs"]["unit"][row] = "mmol/L"
    return "unit_mixed_up", ("labs", "value"), rows


def _wrong_unit(t):
    row = t["labs"]["loinc"].index("718-7")
    t["labs"]["unit"][row] = "mm[Hg]"
    return "unit_not_of_analyte", ("labs", "unit"), [row]


def _allergic(t):
    for name, value in (("pid", "p20"), ("noted", np.datetime64("2014-05-05")),
                        ("substance", "PENICILLIN V (hives)")):  # fmt: skip
        t["allergies"][name].append(value)
    return "drug_against_allergy", ("drugs", "atc, name"), [40, 41]


def _both_types(t):
    rows = [i for i, p in enumerate(t["diagnoses"]["pid"]) if p == "p11"][:2]
    t["diagnoses"]["code"][rows[0]], t["diagnoses"]["code"][rows[1]] = "E10.9", "E11.9"
    others = [i for i, c in enumerate(t["diagnoses"]["code"]) if c == "E11.9"
              and t["diagnoses"]["pid"][i] == "p11"]  # fmt: skip
    return "diabetes_type_1_and_2", ("diagnoses", "code"), others


def _no_outcome(t):
    row = t["diagnoses"]["code"].index("O80")
    pid = t["diagnoses"]["pid"][row]
    mine = [i for i, p in enumerate(t["diagnoses"]["pid"]) if p == pid]
    for i in mine:
        if t["diagnoses"]["code"][i].startswith("Z37"):
            t["diagnoses"]["code"][i] = "I10"
    return (
        "delivery_without_outcome",
        ("diagnoses", "code"),
        [i for i in mine if t["diagnoses"]["code"][i] == "O80"],
    )


def _pregnant_without_uterus(t):
    row = t["diagnoses"]["code"].index("O80")
    pid = t["diagnoses"]["pid"][row]
    for name, value in (("pid", pid), ("sid", None), ("code", "Z90.710")):
        t["diagnoses"][name].append(value)
    rows = [i for i, p in enumerate(t["diagnoses"]["pid"])
            if p == pid and t["diagnoses"]["code"][i] == "O80"]  # fmt: skip
    return "hysterectomy_and_later_pregnancy", ("diagnoses", "code"), rows


def _loinc_among_diagnoses(t):
    t["diagnoses"]["code"][2] = "2345-7"
    return "code_of_another_system", ("diagnoses", "code"), [2]


PLANTS = (
    _birth_after_admission, _death_before_birth, _discharge_first, _drug_ends_first,
    _admitted_dead, _treated_dead, _just_dead, _long_before_visit, _long_after_visit, _two_beds,
    _old_date, _future, _two_digit_year, _before_records, _after_records,
    _pregnant_man, _prostate_of_a_woman, _caesarean_of_a_man,
    _prostatectomy_of_a_woman, _methuselah, _other_age, _old_newborn, _adult_child, _old_mother,
    _child_with_dementia, _codeine, _impossible_value, _mixed_units, _wrong_unit, _allergic,
    _both_types, _no_outcome, _pregnant_without_uterus, _loinc_among_diagnoses,
)  # fmt: skip


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("seed", range(2))
def test_a_planted_violation_is_found_where_it_is(plant, seed):
    tables = clinic_columns(60, seed)
    rule, place, rows = plant(tables)
    rules, outcome = found(dataset_of(tables), extraction=date(2022, 1, 1), years=YEARS)
    assert rules[rule][place] == rows
    violations, checked = outcome.counts[f"ehr.semantics.{rule}"]
    assert len(rows) <= violations <= checked


def test_every_semantic_rule_has_a_plant():
    planted = {plant(clinic_columns(60, 0))[0] for plant in PLANTS}
    assert planted == {r.id.rsplit(".", 1)[-1] for r in SEMANTIC}


def test_messages_hold_no_value_and_both_languages():
    for rule in RULES:
        assert rule.message_zh
        assert any("\u4e00" <= c <= "\u9fff" for c in rule.message_zh)
        assert ";" in rule.message
        assert rule.source
        assert rule.severity in set(Severity)


# -- order and overlap against brute force --------------------------------------------------------

moments = st.datetimes(datetime(2000, 1, 1), datetime(2000, 3, 1)).map(
    lambda t: t.replace(microsecond=0)
)


@given(st.lists(st.tuples(st.integers(0, 3), moments, st.integers(0, 20 * 86400)), max_size=25))
def test_overlaps_equal_those_of_brute_force(stays):
    tables = {
        "p": {"pid": [str(i) for i in range(4)]},
        "s": {
            "pid": [str(p) for p, _, _ in stays],
            "a": [np.datetime64(a) for _, a, _ in stays],
            "b": [np.datetime64(a + timedelta(seconds=d)) for _, a, d in stays],
        },
    }
    schema = Schema.of({"patient_table": "p", "tables": {
        "p": {"key": "pid", "columns": {"pid": {"type": "identifier"}}},
        "s": {"patient": "pid", "columns": {
            "pid": {"type": "identifier"},
            "a": {"type": "datetime", "meaning": "admission"},
            "b": {"type": "datetime", "meaning": "discharge"}}}}})  # fmt: skip
    rules, _ = found(dataset_of(tables, schema))
    got = set(rules.get("overlapping_stays", {}).get(("s", "a, b"), []))
    ends = [a + timedelta(seconds=d) for _, a, d in stays]
    rank = sorted(range(len(stays)), key=lambda i: (stays[i][1], ends[i], i))
    expected = set()
    for k, i in enumerate(rank):
        earlier = [ends[j] for j in rank[:k] if stays[j][0] == stays[i][0]]
        if earlier and max(earlier) - stays[i][1] > timedelta(days=1):
            expected.add(i)
    # Midnights stand for their day; brute force knows none, and hypothesis seldom makes any.
    if not any(t.time() == datetime.min.time() for t in [*ends, *(s[1] for s in stays)]):
        assert got == expected


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_years_are_those_of_the_calendar(a, b):
    expected = b.year - a.year - ((b.month, b.day) < (a.month, a.day))
    got = years_between(np.array([np.datetime64(a)]), np.array([np.datetime64(b)]))
    assert got.tolist() == [expected]


@given(moments, moments)
def test_later_is_antisymmetric_and_days_count_at_midnight(a, b):
    x, y = (np.array([np.datetime64(t)]).astype("datetime64[us]") for t in (a, b))
    assert not (later(x, y)[0] and later(y, x)[0])
    day = x.astype("datetime64[D]").astype("datetime64[us]")
    assert not later(x, day)[0]
    assert not later(day, x)[0]


def test_a_leap_day_has_its_birthday_on_the_first_of_march():
    assert calendar.isleap(2000)
    a = np.array(["2000-02-29"], "datetime64[us]")
    assert years_between(a, np.array(["2001-02-28"], "datetime64[us]"))[0] == 0
    assert years_between(a, np.array(["2001-03-01"], "datetime64[us]"))[0] == 1


# -- codes ----------------------------------------------------------------------------------------


def _of_sex(codes, sex, system="icd10"):
    """Return the codes that contradict a sex."""
    data = one_table({"sex": ({"meaning": "sex"}, [sex] * len(codes)),
                      "dx": ({"type": "code", "system": system}, list(codes))})  # fmt: skip
    rules, _ = found(data)
    rows = [r for name, places in rules.items() if "only" in name for r in places["t", "dx"]]
    return {codes[r] for r in rows}


def test_codes_of_one_sex_against_lists_written_out():
    women = {"A34", "C53.9", "O99.8", "O00.1", "N80.1", "N98.9", "Q52.4", "R87.6", "D25", "Z34.0"}
    men = {"C61", "N40", "N50.1", "Q53.1", "D29.1", "B26.0", "Z12.5", "N46"}
    both = {"N60.1", "N64.4", "B26.9", "N39.0", "P07.0", "Q56.0", "A33", "C64", "N99.4", "I10"}
    every = sorted(women | men | both)
    for system in ("icd10", "icd10cm", "icd10cn"):
        assert _of_sex(every, "male", system) == women
        assert _of_sex(every, "female", system) == men
        assert _of_sex(every, "unknown", system) == set()
    assert _of_sex(["O80.000x001", "Ｏ80"], "male", "icd10cn") >= {"O80.000x001"}
    nine = ["650", "64241", "610.1", "250.00", "600.00", "V22.1", "V10.46", "185"]
    assert _of_sex(nine, "male", "icd9cm") == {"650", "64241", "V22.1"}
    assert _of_sex(nine, "female", "icd9cm") == {"600.00", "V10.46", "185"}
    # ICD-10-CM gave the number of the WHO's "postmenopausal osteoporosis" to that of old age.
    assert _of_sex(["M81.0"], "male", "icd10") == {"M81.0"}
    assert _of_sex(["M81.0"], "male", "icd10cm") == set()


@given(st.text(max_size=12))
def test_code_sets_take_any_text(text):
    codes = CodeSet({"icd10": ["O00-O99"], "loinc": ["2345-7"]})
    for system in ("icd10", "loinc", "", "nonsense"):
        codes.holds(text, system)


def test_codes_per_row_follow_the_system_column():
    data = one_table(
        {
            "sex": ({"meaning": "sex"}, ["male", "male", "男"]),
            "system": ({}, ["http://hl7.org/fhir/sid/icd-10", "http://loinc.org", "ICD10CM"]),
            "code": ({"type": "code", "system_column": "system"}, ["O80", "O80", "O80"]),
        }
    )
    rules, _ = found(data)
    assert rules["female_only_diagnosis"] == {("t", "code"): [0, 2]}


def test_bare_numbers_of_sex_mean_nothing_without_a_mapping():
    columns = {"sex": ({"meaning": "sex"}, ["1", "2"]),
               "dx": ({"type": "code", "system": "icd10"}, ["O80", "O80"])}  # fmt: skip
    _, outcome = found(one_table(columns))
    assert "female and male" in str(outcome.not_applicable["ehr.semantics.female_only_diagnosis"])
    mapped = columns | {
        "sex": ({"meaning": "sex", "values": {"1": "male", "2": "female"}}, ["1", "2"])
    }
    assert found(one_table(mapped))[0]["female_only_diagnosis"] == {("t", "dx"): [0]}


def test_a_patient_with_two_sexes_contradicts_nothing():
    tables = clinic_columns(4)
    tables["patients"] = {k: [*v, v[0]] for k, v in tables["patients"].items()}
    tables["patients"]["sex"][0], tables["patients"]["sex"][-1] = "F", "M"
    assert Context(dataset_of(tables)).sex[0] == 0


# -- values and units -----------------------------------------------------------------------------


@pytest.mark.parametrize("analyte", built_in_analytes(), ids=lambda a: a.name)
def test_every_unit_of_every_analyte_is_converted_right(analyte):
    """A usual value written in each unit is quiet; beyond the limits it is found in each."""
    loinc, unit_rows, expected = [], [], []
    values = []
    middle = (analyte.usual[0] * analyte.usual[1]) ** 0.5 or analyte.usual[1] / 2
    for word, unit in analyte.units.items():
        for value, bad in ((middle, False), (analyte.limits[1] * 1.5 + 1, True)):
            values.append((value - unit.offset) / unit.factor)
            loinc.append(analyte.loinc[0])
            unit_rows.append(word)
            expected.append(bad)
    schema = {"loinc": ({"type": "code", "system": "loinc", "meaning": "code"}, loinc),
              "value": ({"type": "number", "meaning": "value", "code": "loinc",
                         "unit_column": "unit"}, values),
              "unit": ({"type": "unit", "meaning": "unit"}, unit_rows)}  # fmt: skip
    rules, outcome = found(one_table(schema))
    rows = {
        r for name in ("value_implausible", "unit_mixed_up")
        for r in rules.get(name, {}).get(("t", "value"), [])
    }  # fmt: skip
    assert rows == {i for i, bad in enumerate(expected) if bad}
    assert outcome.counts["ehr.semantics.unit_not_of_analyte"] == (0, len(values))


@pytest.mark.parametrize(
    ("loinc", "value", "unit"),
    [
        ("2345-7", 95.0, "mmol/L"),
        ("2345-7", 5.3, "mg/dL"),
        ("2160-0", 88.0, "mg/dL"),
        ("718-7", 135.0, "g/dL"),
        ("8310-5", 98.6, "Cel"),
        ("8310-5", 36.6, "[degF]"),
        ("8302-2", 1.78, "cm"),
        ("8302-2", 178.0, "m"),
        ("2885-2", 70.0, "g/dL"),
        ("6690-2", 6500.0, "10*3/uL"),
        ("2093-3", 190.0, "mmol/L"),
    ],
)
def test_known_mix_ups_are_found(loinc, value, unit):
    data = one_table(
        {
            "loinc": ({"type": "code", "system": "loinc", "meaning": "code"}, [loinc]),
            "value": ({"type": "number", "meaning": "value"}, [value]),
            "unit": ({"type": "unit", "meaning": "unit"}, [unit]),
        }
    )
    rules, _ = found(data)
    assert rules["unit_mixed_up"] == {("t", "value"): [0]}
    assert "value_implausible" not in rules


def test_both_tables_of_units_agree():
    """The rung of codes and the rule of values must not contradict each other."""
    shared = 0
    for analyte in built_in_analytes():
        mine = {plain_unit(u): unit for u, unit in analyte.units.items()}
        for code in analyte.loinc:
            for word in units_of_code("loinc", [code])[0]:
                low, high = range_of_code("loinc", [code], [word])[0]
                unit = mine[plain_unit(word)]
                ends = [(e - unit.offset) / unit.factor for e in analyte.limits]
                assert min(ends[1], high) > 0.6 * max(ends[1], high), (analyte.name, word)
                assert abs(ends[0] - low) <= 0.1 * high, (analyte.name, word)
                shared += 1
    assert shared > 60


def test_loinc_codes_known_only_to_the_facts_are_judged_too():
    data = one_table({"loinc": ({"type": "code", "system": "loinc", "meaning": "code"},
                                ["786-4", "786-4", "786-4"]),
                      "value": ({"type": "number", "meaning": "value"}, [33.0, 900.0, 33.0]),
                      "unit": ({"type": "unit", "meaning": "unit"},
                               ["g/dL", "g/dL", "kg"])})  # fmt: skip
    rules, _ = found(data)
    assert rules["value_implausible"] == {("t", "value"): [1]}
    assert rules["unit_not_of_analyte"] == {("t", "unit"): [2]}


def test_wide_tables_are_read_by_the_names_of_their_columns():
    data = one_table(
        {
            "Glucose": ({"type": "number"}, [95.0, 5.2, 0.0, None]),
            "height": ({"type": "number", "unit": "cm"}, [1.7, 170.0, 500.0, None]),
            "ward": ({}, ["a", "b", None, "d"]),
        }
    )
    rules, _ = found(data)
    # Without a unit both 95 and 5.2 can be a glucose; zero can be none.
    assert rules["value_implausible"] == {("t", "Glucose"): [2], ("t", "height"): [2]}
    assert rules["unit_mixed_up"] == {("t", "height"): [0]}


# -- allergies ------------------------------------------------------------------------------------


def _allergy(texts, drugs, when=None, begun=None):
    n = len(drugs)
    schema = Schema.of({"patient_table": "p", "tables": {
        "p": {"key": "k", "columns": {"k": {"type": "identifier"}}},
        "a": {"patient": "k", "columns": {"k": {"type": "identifier"},
              "what": {"type": "text", "meaning": "allergy"},
              "at": {"type": "date", "meaning": "time"}}},
        "d": {"patient": "k", "columns": {"k": {"type": "identifier"},
              "drug": {"type": "text", "meaning": "drug"},
              "at": {"type": "date", "meaning": "start"}}}}})  # fmt: skip
    tables = {
        "p": {"k": ["1", "2"]},
        "a": {"k": ["1"] * len(texts), "what": texts, "at": when or [None] * len(texts)},
        "d": {"k": ["1"] * n, "drug": drugs, "at": begun or [None] * n},
    }
    return found(dataset_of(tables, schema))[0].get("drug_against_allergy", {}).get(("d", "drug"))


@pytest.mark.parametrize(
    ("allergy", "drug", "hit"),
    [
        ("Penicillin", "Amoxicillin 250 MG", True),
        ("青霉素过敏", "阿莫西林胶囊", True),
        ("否认青霉素过敏", "阿莫西林胶囊", False),
        ("No known drug allergies to penicillin", "amoxicillin", False),
        ("sulfa drugs", "Bactrim DS", True),
        ("sulfate", "Bactrim DS", False),
        ("aspirin", "ibuprofen", False),
        ("Cephalosporin", "amoxicillin", False),
    ],
)
def test_allergies_in_words(allergy, drug, hit):
    assert _allergy([allergy], [drug]) == ([0] if hit else None)


def test_only_drugs_after_the_record_count():
    begun = ["2019-12-31", "2020-01-01", "2021-01-01", None]
    rows = _allergy(["penicillin"], ["amoxicillin"] * 4, ["2020-01-01"], begun)
    assert rows == [1, 2, 3]


# -- real data, where they are ----------------------------------------------------------------

REAL = Path(os.environ.get("SDQ_EHR_DATA", "")) if os.environ.get("SDQ_EHR_DATA") else None


@pytest.mark.skipif(REAL is None, reason="SDQ_EHR_DATA names no folder of public records")
@pytest.mark.parametrize(
    ("folder", "rates"),
    [
        ("mimic3_demo", {"start_before_end": 39, "date_before_1900": 8,
                         "events_soon_after_death": 2, "events_within_visit": 1,
                         "events_after_visit": 3}),
        ("synthea_fhir_r4", {"unit_mixed_up": 337, "events_after_death": 23,
                             "events_soon_after_death": 77}),
        ("synthea_omop54", {"unit_mixed_up": 20, "omop_observation_period": 9,
                            "omop_concept_zero": 2}),
        ("fhir_us_core_examples", {"birth_before_events": 7, "events_within_visit": 1,
                                   "events_after_visit": 4}),
        ("actg175_avatar/original.csv", {}),
        ("seer_breast/train.csv", {}),
    ],
)  # fmt: skip
def test_rates_on_public_data_are_those_written_down(folder, rates):
    from sdq_ehr.reading import read_dataset

    outcome = evaluate_rules(read_dataset(REAL / folder), RULES)
    got = {
        rule.rsplit(".", 1)[-1]: violations
        for rule, (violations, _) in outcome.counts.items()
        if violations
    }
    # Ages of 300 years are MIMIC's own, on thousands of rows; descriptions are the user's.
    got.pop("age_range", None)
    got.pop("column_not_described", None)
    assert got == rates
    assert not [r for r in outcome.not_applicable.values() if "stopped" in str(r)]


def test_the_schema_of_the_clinic_is_the_one_tested():
    assert set(SCHEMA.tables) == set(clinic_columns(2))
