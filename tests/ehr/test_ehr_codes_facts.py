"""Sex, age, units and ranges that codes imply; and that the tables name codes that exist."""

from __future__ import annotations

import numpy as np
import pytest

from sdq_core.errors import StudyError
from sdq_ehr.codes import age_range_of_code, code_system, range_of_code, sex_of_code, units_of_code
from sdq_ehr.codes.facts import _measured, _yaml

BOTH = 2


@pytest.mark.parametrize(
    ("system", "female", "male", "either"),
    [
        ("icd10", ["O80.9", "C53.9", "N83.2", "Z34.9", "R87.6", "M80.0"],
         ["C61", "N40", "Q53.1", "B26.0", "Z12.5"], ["E11.9", "C50.9", "N39.0", "Z38.0", "N60"]),
        ("icd10cm", ["O80", "C50.911", "C50011", "Z3A.20", "Z90.710", "O9A.111"],
         ["C50.921", "N40.0", "N53.11", "Z85.46", "C62.90"], ["M80.051D", "M81.0", "C50", "E11.9"]),
        ("icd10cn", ["O80.900x001", "D25.900"], ["N40.x00", "C61.x00x003"],
         ["I10.x00", "A01.000x005+J17.0*"]),
        ("icd9cm", ["650", "V22.1", "V221", "174.9", "614.9"], ["185", "600.00", "175.9"],
         ["250.00", "E812.0", "V30.00", "173.3"]),
        ("icd9proc", ["74.1", "741", "68.4"], ["60.5", "63.73"], ["36.06", "59.0", "76.0"]),
        ("icd9cn", ["74.1100", "68.4100x005"], ["60.5000"], ["51.2300", "74.11"]),
        ("icd10pcs", ["0UT90ZZ", "10D00Z1", "BU4"], ["0VT00ZZ"], ["0016070"]),
        ("loinc", [], [], ["2160-0"]),
    ],
)  # fmt: skip
def test_sex(system, female, male, either):
    assert set(sex_of_code(system, female).tolist()) <= {"F"}
    assert set(sex_of_code(system, male).tolist()) <= {"M"}
    assert set(sex_of_code(system, either).tolist()) == {""}


def test_age():
    found = age_range_of_code("icd10cm", ["O80", "Z38.00", "H25.9", "Z00.129", "P07.30"])
    assert found.tolist() == [[9, 65], [0, 1], [15, 125], [0, 18], [-np.inf, np.inf]]
    assert age_range_of_code("icd9cm", ["V30.00", "650"]).tolist() == [[0, 1], [9, 65]]
    assert age_range_of_code("icd10", []).shape == (0, BOTH)


@pytest.mark.parametrize("system", ["icd10", "icd10cm", "icd9cm", "icd9proc", "icd10pcs"])
def test_entries_begin_codes_that_exist(system):
    """An entry, or an end of a range, that begins no listed code would be a slip of the table."""
    codes = [code.replace(".", "") for code in code_system(system).list.texts()]
    known = {code[:length] for code in codes for length in range(1, 8)}
    tables = [_yaml("icd_facts.yaml")[table].get(system, {}) for table in ("sex", "ages")]
    entries = [str(e) for table in tables for listed in table.values() for e in listed]
    ends = {end for entry in entries for end in entry.split("-")}
    assert sorted(end for end in ends if end not in known) == []
    assert len(ends) >= 4


@pytest.mark.parametrize(
    ("system", "codes", "sexes"),
    [
        # What the Medicare Code Editor lists beside the chapters that come to mind, and what it
        # does not list.
        ("icd10cm", ["A18.14", "A60.04", "G43.829", "N99.110", "S30.202A", "T21.07XD", "Z98.52",
                     "Z64.0", "R97.20", "Q98.5", "Z32.2", "Z79.890"], "MFFMFFMFM"),
        ("icd9cm", ["016.42", "098.16", "346.40", "758.7", "V25.02", "257.2"], "MFFM"),
        ("icd9proc", ["87.81", "99.96", "87.91", "99.98"], "FMMF"),
        ("icd10pcs", ["0W0N07Z", "0W0M07Z", "3E0P7LZ", "30273H1", "3E0N304"], "FMFFM"),
    ],
)  # fmt: skip
def test_sex_is_that_of_the_medicare_code_editor(system, codes, sexes):
    sexes = [*sexes, *[""] * (len(codes) - len(sexes))]
    assert sex_of_code(system, codes).tolist() == sexes


def test_age_is_that_of_the_medicare_code_editor():
    codes = ["Z05.1", "A33", "G93.7", "T74.12XA", "I25.10", "Z68.35", "F53.0", "P59.9", "C61"]
    young = [[0, 1]] * 2 + [[0, 18]] * 2 + [[15, 125]] * 2 + [[9, 65]]
    assert age_range_of_code("icd10cm", codes)[:7].tolist() == young
    assert np.isinf(age_range_of_code("icd10cm", codes)[7:]).all()


def test_counts_of_leukocytes_are_no_shares():
    units = units_of_code("loinc", ["731-0", "742-7", "711-2", "704-7", "736-9"])
    assert all("%" not in u and "10*3/uL" in u for u in units[:4])
    assert units[4] == {"%"}


def test_units_and_ranges():
    assert units_of_code("loinc", ["2160-0", "nothing", None]) == [
        {"mg/dL", "umol/L"}, frozenset(), frozenset(),
    ]  # fmt: skip
    assert units_of_code("snomed", ["73211009"]) == [frozenset()]
    found = range_of_code("loinc", ["2160-0", "2160-0", "x", None], ["mg/dL", "g/L", "mg/dL", 3])
    assert found[0].tolist() == [0.02, 60]
    assert np.isinf(found[1:]).all()
    with pytest.raises(StudyError, match="one unit a code"):
        range_of_code("loinc", ["2160-0"], [])


def test_own_units_are_units():
    units = {unit for measured in _measured().values() for unit in measured}
    found = code_system("ucum").check(sorted(units))
    assert found.accepted.all()
    assert not found.suspect.any()
    for measured in _measured().values():
        assert measured
        assert all(low < high for low, high in measured.values())


# Conversion factors from the molar masses and the definitions of the units.
FACTORS = {
    ("2345-7", "mg/dL", "mmol/L"): 1 / 18.016, ("2160-0", "mg/dL", "umol/L"): 88.4,
    ("3094-0", "mg/dL", "mmol/L"): 1 / 2.801, ("2000-8", "mg/dL", "mmol/L"): 1 / 4.008,
    ("2777-1", "mg/dL", "mmol/L"): 1 / 3.097, ("1975-2", "mg/dL", "umol/L"): 17.1,
    ("2093-3", "mg/dL", "mmol/L"): 1 / 38.67, ("2571-8", "mg/dL", "mmol/L"): 1 / 88.57,
    ("2601-3", "mmol/L", "mg/dL"): 2.4305, ("3084-1", "mg/dL", "umol/L"): 59.48,
    ("32693-4", "mmol/L", "mg/dL"): 9.008, ("718-7", "g/dL", "g/L"): 10,
    ("8302-2", "cm", "[in_i]"): 1 / 2.54, ("29463-7", "kg", "[lb_av]"): 1 / 0.45359,
    ("11556-8", "mm[Hg]", "kPa"): 0.13332, ("8480-6", "mm[Hg]", "kPa"): 0.13332,
    ("1994-3", "mmol/L", "mg/dL"): 4.008, ("2085-9", "mg/dL", "mmol/L"): 1 / 38.67,
}  # fmt: skip


@pytest.mark.parametrize(("code", "first", "second"), list(FACTORS))
def test_ranges_agree_between_units(code, first, second):
    (low, high), (other_low, other_high) = (_measured()[code][unit] for unit in (first, second))
    factor = FACTORS[code, first, second]
    assert high * factor == pytest.approx(other_high, rel=0.05)
    assert low * factor == pytest.approx(other_low, rel=0.3, abs=0.05)


def test_bad_input_says_nothing():
    bad = [None, 5, float("nan"), b"O80", [], "", "x" * 10000, "\ud800"]
    for system in ("icd10", "icd10cm", "icd10cn", "icd9cm", "loinc", "local"):
        assert set(sex_of_code(system, bad).tolist()) == {""}
        assert np.isinf(age_range_of_code(system, bad)).all()
