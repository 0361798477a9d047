"""Direct identifiers: planted ones are found, codes, values, times and hashes are not."""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from clinics_made import clinic_columns, dataset_of, one_table
from hypothesis import given
from hypothesis import strategies as st

from sdq_core.vocabulary import Severity
from sdq_ehr.codes.check_digits import digit_matrix, verhoeff
from sdq_ehr.dataset import Dataset
from sdq_ehr.identifier_columns import role_of
from sdq_ehr.identifier_patterns import kinds_in_text
from sdq_ehr.identifiers import IDENTIFIER_RULES, find_identifiers
from sdq_ehr.national_numbers import CHECKED, is_resident_identity_number
from sdq_ehr.schema import Schema


def kinds(dataset):
    """Return ``table.column`` -> {kind: rows}."""
    out: dict[str, dict[str, list[int]]] = {}
    for f in find_identifiers(dataset).row_findings:
        out.setdefault(f.where, {})[f.rule.removeprefix("ehr.identifier.")] = f.rows.tolist()
    return out


def column(values, name="x", **definition):
    return kinds(one_table({name: ({"type": "text"} | definition, values)})).get(f"t.{name}", {})


@pytest.mark.parametrize(
    "value", ["x@clinic.org", "ｘ＠clinic.org", "see www.my-page.org/me", "HTTPS://my-page.org/me"]
)
def test_addresses_of_the_network_are_found_among_codes(value):
    found = column(["V0001234567", "2011-06-04-123", value], type="code")
    assert set(found) & {"email", "url"}
    assert all(rows == [2] for rows in found.values())


def identity_number(rng, province="110105"):
    """Make a resident identity number by the rule of GB 11643, written out again."""
    body = f"{province}19{rng.integers(30, 99)}{rng.integers(1, 13):02d}{rng.integers(1, 28):02d}"
    body += f"{rng.integers(0, 1000):03d}"
    # ISO 7064 MOD 11-2 by its recursion, not by the weights of the code.
    rest = 0
    for digit in body:
        rest = (rest + int(digit)) * 2 % 11
    return body + "10X98765432"[rest]


# -- texts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("患者姓名: 张伟, 发热三天", "name"),
        ("seen with Mr. Henderson today", "name"),
        ("李女士诉头痛", "name"),
        ("referred by Dr. Alvarez", "staff_name"),
        ("王建国主任医师查房", "staff_name"),
        ("手机 13800138000", "mobile_number"),
        ("call +86 138-0013-8000", "mobile_number"),
        ("电话 010-62345678", "telephone"),
        ("电话 (010)62345678", "telephone"),
        ("phone (617) 555-0123", "telephone"),
        ("phone 617-555-0123 after six", "telephone"),
        ("reach at +14155550123", "telephone"),
        ("write to jane.doe@example.org", "email"),
        ("住在北京市海淀区学院路37号", "address"),
        ("浙江省杭州市西湖区文三路478号3单元", "address"),
        ("lives at 123 Main Street, Springfield", "address"),
        ("home: 42 Old Mill Rd.", "address"),
        ("mail to P.O. Box 1234", "address"),
        ("身份证 11010519491231002X", "resident_identity_number"),
        ("SSN 123-45-6789", "social_security_number"),
        ("NHS 943 476 5919", "national_number"),
        ("MRN 00123456", "record_number"),
        ("住院号：00123456", "record_number"),
        ("医保号: 1234567890", "insurance_number"),
        ("see https://clinic-smith.example.com/p/17", "url"),
        ("from 192.168.214.77", "ip_address"),
        ("pacemaker S/N: AB12345678", "device"),
        ("序列号 SN20231234", "device"),
        ("at 39.90421, 116.40739", "location"),
        ("车牌京A12345", "licence_plate"),
        ("DOB: 03/14/1962", "birth_date"),
        ("出生于1962年3月14日", "birth_date"),
        ("born on March 14, 1962", "birth_date"),
        ("a 93 year old woman", "age_over_89"),
        ("患者92岁", "age_over_89"),
    ],
)
def test_texts_with_identifiers(text, kind):
    assert kind in kinds_in_text(text)
    assert kind in column([text, "stable", None])
    # Far inside a long note, and at every border of the windows.
    for shift in (0, 650, 690, 790, 5000):
        assert kind in kinds_in_text("." * shift + " " + text + " " + "." * 1000)


@pytest.mark.parametrize(
    "text",
    [
        "", "stable", "BP 120/80 mmHg, HR 72", "2011-06-04T07:38:43+00:00", "2020-01-02 10:11:12",
        "E11.9", "8302-2", "A01.000x005", "1.2.840.113619.2.55.3.604688119.13800138000.5",
        "v5.0 09-APR-22", "0.9% NaCl 500 mL", "Gestation 39 weeks", "aged 45 years", "98 % SpO2",
        "http://snomed.info/sct", "http://loinc.org",
        "https://www.nlm.nih.gov/research/umls/rxnorm",
        "12 Lead ECG", "24 Hour urine", "28 Day Pack", "5 mg Tab", "Hydrochlorothiazide 25 MG",
        "300 mg/mL (Way of giving: oral)", "Contraceptive 1 Day Course", "ratio 1.1.2.3",
        "00006-4943-00",
        "0006-4943-00", "value 12345678", "1-(2-3)", "Dr.", "Mr", "MS (multiple sclerosis)",
        "患者一般情况可", "出生后3天", "女士内衣", "2 号病床", "10 年病史", "体温 36.5 ℃",
        "d41d8cd98f00b204e9800998ecf8427e", "13800138-0000-4000-8000-138001380000",
        "13800138000abcdef138001380001380", "+1.5 D sphere", "T 37.2, P 88, R 18",
        "ICD O80, Z37.0; LOINC 2345-7", "90 or older", "category 90 and over",
        "score 2-3-4567", "3 Days Course", "SNOMED 1121000119107",
    ],
)  # fmt: skip
def test_texts_without_identifiers(text):
    assert kinds_in_text(text) == frozenset()
    assert column([text, text + " "]) == {}


@given(st.text(max_size=200))
def test_any_text_is_taken(text):
    kinds_in_text(text)


PIECES = ["a", "1", "a@", "1 ", "1-", "1.", "中", "b.", "1 Ab ", "路1", "f0", "aa:", "北京市",
          "+1 2", "姓名:", " ", "A ", "市a路", "(010)", "www.a", "http://", "年1月", "Mr. ",
          "S/N:", "京A"]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_no_pattern_backtracks_beyond_measure(piece):
    for end in ("", "@号"):
        text = (piece * (100_000 // len(piece) + 1))[:100_000] + end
        start = time.process_time()
        kinds_in_text(text)
        assert time.process_time() - start < 5


# -- numbers of states ---------------------------------------------------------------------------


def test_resident_identity_numbers_and_their_near_misses():
    rng = np.random.default_rng(0)
    good = [identity_number(rng) for _ in range(200)]
    assert all(map(is_resident_identity_number, good))
    wrong_check = [n[:-1] + ("0" if n[-1] != "0" else "1") for n in good]
    wrong_date = [n[:10] + "13" + n[12:] for n in good]
    wrong_province = ["99" + n[2:] for n in good]
    for bad in (wrong_check, wrong_date, wrong_province):
        assert not any(map(is_resident_identity_number, bad))
    # In full width, in small letters, among other text and as a number of its own.
    assert column(["号码" + good[0].translate({48 + i: 0xFF10 + i for i in range(10)})])
    assert "resident_identity_number" in column([good[0].lower(), "stable"])


def test_random_numbers_and_snomed_ids_are_no_identity_numbers():
    rng = np.random.default_rng(1)
    numbers = ["".join(map(str, rng.integers(0, 10, 18))) for _ in range(20000)]
    # 32 of 90 provinces, 1 of 11 check characters, 1 of 350 eight digits are such a date.
    assert sum(map(is_resident_identity_number, numbers)) <= 8
    stems = [f"{item * 7919 % 89999 + 10000}1000119010"[:15].ljust(15, "0") + "10"
             for item in range(1, 4000)]  # fmt: skip
    candidates = [stem + check for stem in stems for check in "0123456789"]
    right = verhoeff(*digit_matrix(candidates, 18))
    long_ids = [c for c, r in zip(candidates, right, strict=True) if r]
    assert len(long_ids) > 3000
    assert not any(map(is_resident_identity_number, long_ids))
    assert column(long_ids[:2000], type="code", system="snomed") == {}
    assert column(long_ids[:2000]) == {}


@pytest.mark.parametrize("name", sorted(CHECKED))
def test_check_digits_refuse_most_numbers(name):
    rng = np.random.default_rng(2)
    length = {"nhs": 10, "cpf": 11, "korea": 13, "nir": 15, "aadhaar": 12}.get(name)
    if length is None:
        # Exactly one of the ten or eleven check characters is right.
        body, checks = (
            ("A123456", "0123456789A") if name == "hong_kong" else ("A12345678", "0123456789")
        )
        assert sum(CHECKED[name](body + c) for c in checks) == 1
        return
    texts = ["".join(map(str, rng.integers(0, 10, length))) for _ in range(5000)]
    assert sum(map(CHECKED[name], texts)) < 0.12 * 5000


def test_a_column_of_register_numbers_is_seen_by_its_check_digits():
    rng = np.random.default_rng(3)
    numbers = []
    while len(numbers) < 50:
        text = "".join(map(str, rng.integers(0, 10, 10)))
        if CHECKED["nhs"](text):
            numbers.append(text)
    assert column(numbers) == {"national_number": list(range(50))}
    mixed = ["".join(map(str, rng.integers(1, 10, 10))) for _ in range(50)]
    assert "national_number" not in column(mixed)


# -- columns -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("patient_name", ["Jane Doe", "Ömer O'Neil", "DOE^JOHN"], "name"),
        ("姓名", ["张三", "欧阳娜娜", "买买提·艾力"], "name"),
        ("lastName", ["Smith", "Jones", "Li"], "name"),
        ("physician_name", ["Ann Lee", "Bo Chen", "Cy Twombly"], "staff_name"),
        ("phone", ["6175550123", "(617) 555-0199", "8765432"], "telephone"),
        ("联系电话", ["13912345678", "15812345678", "18612345678"], "mobile_number"),
        ("mobile", ["13912345678", "15812345678", "18612345678"], "mobile_number"),
        ("address", ["12 Elm", "Rosenweg 5a", "解放路12号"], "address"),
        ("ssn", ["123-45-6789", "219 09 9998", "078051120"], "social_security_number"),
        ("身份证号", ["11010519491231002X"] * 3, "resident_identity_number"),
        ("passport_no", ["E12345678", "G87654321", "P1234567"], "national_number"),
        ("mrn", ["00123456", "MR-8812345", "7712345"], "record_number"),
        ("住院号", ["00123456", "00123457", "00123458"], "record_number"),
        ("insurance_number", ["A123456789", "B987654321", "C555123777"], "insurance_number"),
        ("zip", ["02139", "10001-1234", "94110"], "postcode"),
        ("city", ["Boston", "杭州", "Lyon"], "place"),
        ("device_serial_number", ["AB-12345", "ZX-99812", "QQ-11223"], "device"),
        ("licence_plate", ["B-MW 1234", "7ABC123", "京A12345"], "licence_plate"),
    ],
)
def test_columns_that_say_what_they_hold(name, values, kind):
    assert column(values, name)[kind] == [0, 1, 2]
    dummies = ["ANONYMOUS", "REMOVED", "000000", "脱敏", None, ""]
    assert column(dummies, name) == {}


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("labs", "name"), ("labs", "test_name"), ("drugs", "drug_name"), ("drugs", "generic_name"),
        ("c", "concept_name"), ("t", "hostname"), ("t", "unit_name"), ("t", "lapse"),
        ("t", "percentage"), ("t", "emailed"), ("t", "micro"), ("t", "capacity"),
    ],
)  # fmt: skip
def test_names_of_things_are_no_roles(table, name):
    schema = Schema.of({"patient_table": "p", "tables": {
        "p": {"key": "k", "columns": {"k": {"type": "identifier"}}},
        table: {"patient": "k", "columns": {"k": {"type": "identifier"}, name: {}}}}})  # fmt: skip
    assert role_of(schema, table, name) == ""


def test_bare_numbers_count_where_nearly_all_are_such():
    mobiles = [f"1{p}{i:08d}" for i, p in enumerate(["39", "58", "86", "37"] * 10, 12345678)]
    assert column(mobiles) == {"mobile_number": list(range(40))}
    assert column([int(m) for m in mobiles], type="integer") == {"mobile_number": list(range(40))}
    # Eleven digits of a drug code, a sample number, a running key: some begin like a mobile number.
    rng = np.random.default_rng(4)
    codes = [f"{n:011d}" for n in rng.integers(0, 10**11, 500)]
    assert column(codes) == {} or set(column(codes)) <= {"number_of_its_own"}
    assert column(codes, type="code", system="ndc") == {}
    assert column(mobiles, type="code", system="ndc") == {}
    running = [str(13_900_000_000 + i) for i in range(100)]
    assert "mobile_number" not in column(running, type="identifier")


def test_ages_places_and_births():
    ages = [25, 89, 90, 93, 300, None]
    assert column(ages, "age", type="integer") == {"age_over_89": [2, 3]}
    assert column([25, 89, 90, 90], "age", type="integer") == {}
    data = one_table({"lat": ({"type": "number"}, [39.90421, 31.2]),
                      "lon": ({"type": "number"}, [116.40739, 121.5])})  # fmt: skip
    assert kinds(data) == {"t.lat": {"location": [0]}, "t.lon": {"location": [0]}}
    born = one_table({"dob": ({"type": "date"}, ["1962-03-14"])})
    assert [f.rule for f in find_identifiers(born).findings] == ["ehr.identifier.birth_date_column"]
    year = one_table({"dob": ({"type": "date"}, ["1962-01-01"])})
    assert find_identifiers(year).findings == ()


def test_a_number_of_its_own_for_each_patient():
    rng = np.random.default_rng(5)
    numbers = [f"H{n:08d}" for n in rng.choice(10**8, 100, replace=False)]
    data = one_table({"code": ({"type": "text"}, numbers)})
    assert kinds(data) == {"t.code": {"number_of_its_own": list(range(100))}}
    assert column([f"H{n:08d}" for n in range(5000, 5100)]) == {}
    assert column([*numbers[:50], *numbers[:50]]) == {}


# -- keys ----------------------------------------------------------------------------------------


def keyed(keys):
    schema = Schema.of({"patient_table": "p", "tables": {"p": {"key": "k", "columns": {
        "k": {"type": "identifier"}}}}})  # fmt: skip
    return find_identifiers(dataset_of({"p": {"k": keys}}, schema))


@pytest.mark.parametrize(
    "keys",
    [
        [str(i) for i in range(30)],
        [str(uuid.UUID(int=i * 7**40)) for i in range(1, 30)],
        [hashlib.sha256(str(i).encode()).hexdigest() for i in range(30)],
        [str(10_000_000_000 + 17 * i) for i in range(30)],
    ],
)
def test_pseudonymous_keys_are_information(keys):
    outcome = keyed(keys)
    assert outcome.row_findings == ()
    assert [(f.rule, f.severity) for f in outcome.findings] == [
        ("ehr.identifier.key_pseudonymous", Severity.INFO)
    ]


def test_keys_that_are_identities_are_errors():
    rng = np.random.default_rng(6)
    for keys in (
        [identity_number(rng) for _ in range(30)],
        [f"user{i}@example.org" for i in range(30)],
        [f"1{p}{n:08d}" for p, n in zip(["39", "58", "86"] * 10,
                                        rng.integers(0, 10**8, 30), strict=True)],
    ):  # fmt: skip
        outcome = keyed(keys)
        assert len(outcome.row_findings[0]) == 30
        assert ("ehr.identifier.key_is_identity", Severity.ERROR) in [
            (f.rule, f.severity) for f in outcome.findings
        ]


# -- whole data sets -----------------------------------------------------------------------------


def test_a_clean_clinic_holds_no_identifier_and_planted_ones_are_found_in_their_rows():
    for seed in range(5):
        tables = clinic_columns(40, seed)
        assert kinds(dataset_of(tables)) == {}
        rng = np.random.default_rng(seed)
        rows = sorted(rng.choice(len(tables["drugs"]["name"]), 3, replace=False).tolist())
        for row, text in zip(rows, [identity_number(rng), "tel 13800138000", "x@y.org"],
                             strict=True):  # fmt: skip
            tables["drugs"]["name"][row] = f"amoxicillin for {text}"
        found = kinds(dataset_of(tables))["drugs.name"]
        assert found == {"resident_identity_number": [rows[0]], "mobile_number": [rows[1]],
                         "email": [rows[2]]}  # fmt: skip


def test_rules_have_both_languages_and_quote_nothing():
    for kind, (severity, english, chinese) in IDENTIFIER_RULES.items():
        assert kind.startswith("identifier.")
        assert isinstance(severity, Severity)
        assert english
        assert any("\u4e00" <= c <= "\u9fff" for c in chinese)
    found = find_identifiers(one_table({"note": ({"type": "text"}, ["MRN 00123456"])}))
    for f in found.row_findings:
        assert f.rule.removeprefix("ehr.") in IDENTIFIER_RULES
        assert "00123456" not in repr(f)


def test_a_hundred_thousand_notes_take_seconds():
    notes = [f"day {i}: glucose {i % 300} mg/dL, seen 2020-01-{i % 28 + 1:02d} 10:00:00, "
             f"code E11.{i % 9}" for i in range(100_000)]  # fmt: skip
    codes = [f"{i % 700}.{i % 10}" for i in range(100_000)]
    schema = Schema.of({"tables": {"t": {"columns": {"n": {"type": "text"}, "c": {}}}}})
    dataset = Dataset(schema, {"t": pa.table({"n": notes, "c": codes})})
    start = time.process_time()
    assert find_identifiers(dataset).row_findings == ()
    assert time.process_time() - start < 5  # measured 0.2


REAL = Path(os.environ.get("SDQ_EHR_DATA", "")) if os.environ.get("SDQ_EHR_DATA") else None


@pytest.mark.skipif(REAL is None, reason="SDQ_EHR_DATA names no folder of public records")
@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("mimic3_demo", set()),
        ("synthea_fhir_r4", set()),
        ("actg175_avatar/original.csv", set()),
        ("seer_breast/train.csv", set()),
        ("cervical_cancer/train.csv", set()),
        ("dermatology/train.csv", set()),
        ("diabetes_pima/train.csv", set()),
        ("synthea_omop54", {"staff_name"}),
        ("adult_datasynthesizer/real.csv", {"social_security_number"}),
        ("synthea_fhir_r4/bundles", {"name", "address", "telephone", "place", "postcode"}),
        ("fhir_us_core_examples", {"name", "address", "telephone", "place", "postcode", "email",
                                   "record_number"}),
    ],
)  # fmt: skip
def test_public_data_hold_what_is_written_down(folder, expected):
    from sdq_ehr.reading import read_dataset

    got = {f.rule.removeprefix("ehr.identifier.")
           for f in find_identifiers(read_dataset(REAL / folder)).row_findings}  # fmt: skip
    assert got == expected
