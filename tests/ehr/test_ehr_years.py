"""Dates a century off, before and after the years of the real records, after the extraction."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from clinics_made import one_table
from ehr_cohorts import COHORT_SCHEMA, cohorts_of, simulated

from sdq_core.measurement import Measurement
from sdq_ehr.completeness import EhrCompleteness
from sdq_ehr.dataset import Dataset
from sdq_ehr.schema import Schema
from sdq_ehr.semantics import evaluate_rules, load_rules
from sdq_ehr.semantics.kinds.years import real_years

RULES = load_rules()
CENTURY = np.timedelta64(36525, "D")


def at(days, **more):
    return one_table({"at": ({"type": "date", "meaning": "time"}, days)}, **more)


def broken(dataset, **options):
    outcome = evaluate_rules(dataset, RULES, **options)
    return {
        f.rule.rsplit(".", 1)[-1]: f.rows.tolist()
        for f in outcome.row_findings
        if f.rule != "ehr.conformity.column_not_described"
    }


@pytest.mark.parametrize(
    ("day", "rule"),
    [
        ("2115-04-01", "wrong_century"),
        ("1915-04-01", "wrong_century"),
        ("2005-04-01", "date_before_records"),
        ("1930-04-01", "date_before_records"),
        ("2031-04-01", "date_after_records"),
        ("2300-04-01", "date_after_records"),
        ("2009-04-01", None),
        ("2021-12-31", None),
    ],
)
def test_a_date_is_held_against_the_years_of_the_real_records(day, rule):
    found = broken(at(["2015-06-01", day]), years={"t.at": (2010, 2020)})
    assert found == ({rule: [1]} if rule else {})


def test_without_real_records_the_rules_say_that_they_judge_nothing():
    outcome = evaluate_rules(at(["2115-04-01"]), RULES)
    for name in ("wrong_century", "date_before_records", "date_after_records"):
        assert "no real cohort" in outcome.not_applicable[f"ehr.semantics.{name}"].reason


def test_a_few_slips_of_real_records_do_not_stretch_their_years():
    days = [f"{2010 + k % 11}-05-05" for k in range(990)] + ["2999-12-31"] * 4 + ["1890-01-01"] * 4
    assert real_years([at(days)]) == {"t.at": (2010, 2020)}
    # Where many real patients have such dates, they are how these records are written.
    days = [f"{2010 + k % 11}-05-05" for k in range(900)] + ["2999-12-31"] * 100
    assert real_years([at(days[:500]), at(days[500:])]) == {"t.at": (2010, 2999)}
    assert real_years([at([None, None])]) == {}


def test_the_day_of_extraction_is_the_schemas():
    data = at(["2021-06-01", "2022-06-01"], extraction="2022-01-31")
    assert data.schema.extraction == date(2022, 1, 31)
    assert broken(data) == {"date_after_extraction": [1]}
    assert broken(at(["2022-01-31"], extraction="2022-01-31")) == {}
    assert Schema.from_yaml(data.schema.to_yaml()).extraction == date(2022, 1, 31)
    outcome = evaluate_rules(at(["2022-01-31"]), RULES)
    reason = outcome.not_applicable["ehr.semantics.date_after_extraction"]
    assert "extraction" in reason.reason


def omop(**tables):
    columns = {
        "person": {"person_id": {"type": "identifier"}, "year_of_birth": {"type": "integer"}},
        "observation_period": {
            "person_id": {"type": "identifier"},
            "observation_period_end_date": {"type": "date", "meaning": "end"},
        },
        "measurement": {
            "person_id": {"type": "identifier"},
            "measurement_date": {"type": "date", "meaning": "time"},
        },
    }
    schema = Schema.of(
        {
            "model": "omop",
            "patient_table": "person",
            "tables": {
                n: {"patient": "person_id", "columns": c} for n, c in columns.items() if n in tables
            },
        }
    )
    kinds = {"date": pa.date32(), "integer": pa.int64(), "identifier": pa.string()}
    made = {
        n: pa.table({c: pa.array(v, kinds[columns[n][c]["type"]]) for c, v in t.items()})
        for n, t in tables.items()
    }
    return Dataset(schema, made)


def test_observation_periods_tell_when_the_data_were_taken():
    data = omop(
        person={"person_id": ["1"], "year_of_birth": [1960]},
        observation_period={
            "person_id": ["1"], "observation_period_end_date": [date(2019, 5, 1)]
        },
        measurement={
            "person_id": ["1", "1"], "measurement_date": [date(2019, 4, 1), date(2019, 6, 1)]
        },
    )  # fmt: skip
    assert broken(data)["date_after_extraction"] == [1]


def test_years_of_birth_of_omop_are_dates_too():
    years = [1900 + k for k in range(20, 100)]
    real = omop(person={"person_id": [str(k) for k in years], "year_of_birth": years})
    assert real_years([real]) == {"person.year_of_birth": (1920, 1999)}
    made = omop(person={"person_id": ["1", "2", "3"], "year_of_birth": [1950, 2055, 1850]})
    assert broken(made, years=real_years([real]))["wrong_century"] == [1, 2]


@pytest.fixture(scope="module")
def real():
    return simulated("cohort", 50, 5)


def measured(cohorts):
    found = EhrCompleteness("ehr").measure(cohorts)
    return {m.id.split(".")[-1]: m for m in found if isinstance(m, Measurement)}


def test_a_share_of_visits_a_century_later_is_found_and_a_fresh_sample_is_not(real, tmp_path):
    clean = cohorts_of(tmp_path / "clean", real, COHORT_SCHEMA)
    years = clean.study.settings["real_years"]
    assert set(years) >= {"patients.birth_date", "visits.admitted", "labs.taken"}
    table = real["synthetic"]["visits"]
    moved = table
    for column in ("admitted", "discharged"):
        days = np.array(table[column].to_pylist(), "datetime64[D]")
        days[::20] += CENTURY
        place = table.column_names.index(column)
        moved = moved.set_column(place, column, pa.array(days.tolist(), pa.date32()))
    tables = {**real["synthetic"], "visits": moved}
    late = cohorts_of(tmp_path / "late", {**real, "synthetic": tables}, COHORT_SCHEMA)
    before, after = measured(clean)["semantics_share"], measured(late)["semantics_share"]
    rules = {row[0]: row for row in after.details["table"]["rows"]}
    assert rules["semantics.wrong_century"][1] == 2 * len(range(0, table.num_rows, 20))
    assert rules["semantics.wrong_century"][3] == 0
    assert after.interval.high < before.value
    quiet = before.details.get("table", {"rows": []})["rows"]
    assert not [r for r in quiet if "century" in r[0]]
    # The oldest of a fresh sample may be older than all others: one row in 500 at most, a warning.
    assert all(r[1] <= r[2] / 500 for r in quiet if "_records" in r[0])
