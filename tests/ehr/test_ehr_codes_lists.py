"""The user's lists: every form of file, what decides, and what is wrong with a file."""

from __future__ import annotations

import gzip
import hashlib
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sdq_core.errors import InputError
from sdq_ehr.codes import Rung, code_system, lists, units_of_code, validity_of_code
from sdq_ehr.codes.lists import CodeList


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def test_loinc_table(tmp_path):
    path = write(
        tmp_path / "Loinc_2.77.csv",
        '"LOINC_NUM","COMPONENT","STATUS","EXAMPLE_UCUM_UNITS","VersionLastChanged"\n'
        '"2160-0","a, ""b""","ACTIVE","mg/dL; umol/L","2.9"\n"718-7","x","TRIAL","g/dL","2.70"\n'
        '"1006-6","y\nz","DEPRECATED","","2.73"\n',
    )
    loinc = code_system("loinc", {"loinc": path})
    found = loinc.check(["2160-0", "718-7", "1006-6", "2345-7", "LA6724-4", "2160-1"])
    assert found.valid == (True, True, True, False, None, False)
    assert [v.failed for v in found][2:4] == [Rung.ACTIVE, Rung.LISTED]
    assert found[2].reason == "inactive"
    assert found[0].decided_by == "Loinc_2.77.csv 2.77"
    assert loinc.lists[0].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "umol/L" in units_of_code(loinc, ["2160-0"])[0]
    assert units_of_code("loinc", ["1006-6"], {"loinc": path}) == [frozenset()]


def test_version_from_content_is_the_newest_number(tmp_path):
    path = write(tmp_path / "Loinc.csv", "LOINC_NUM,VersionLastChanged\n2160-0,2.9\n718-7,2.73\n")
    assert code_system("loinc", {"loinc": path}).version == "2.73"


@pytest.mark.parametrize("packed", [False, True])
def test_snomed_rf2_snapshot(tmp_path, packed):
    text = (
        "id\teffectiveTime\tactive\tmoduleId\tdefinitionStatusId\r\n"
        "73211009\t20020131\t1\t900000000000207008\t900000000000074008\r\n"
        "15777000\t20240131\t0\t900000000000207008\t900000000000074008\r\n"
    )
    path = tmp_path / ("sct2_Concept_Snapshot_INT_20240201.txt" + (".gz" if packed else ""))
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    snomed = code_system("snomed", {"snomed": path})
    found = snomed.check([73211009, "15777000", "44054006"])
    assert found.valid == (True, True, False)
    assert found.rung(Rung.ACTIVE).tolist() == [1, 0, -2]
    assert snomed.version == "20240201"


def test_rxnorm_rrf(tmp_path):
    def row(cui, sab, suppress):
        return "|".join([cui, "ENG", *["x"] * 9, sab, "SCD", "c", 'a "b', "0", suppress, "", ""])

    rows = [row("316049", "RXNORM", "O"), row("316049", "RXNORM", "N"), row("999", "MTHSPL", "N"),
            row("748962", "RXNORM", "O")]  # fmt: skip
    path = write(tmp_path / "RXNCONSO.RRF", "\n".join(rows) + "\n")
    found = code_system("rxnorm", {"rxnorm": path}).check(["316049", "748962", "999"])
    assert found.valid == (True, True, False)
    assert found.rung(Rung.ACTIVE).tolist() == [1, 0, -2]


ATHENA = (
    "concept_id\tconcept_name\tdomain_id\tvocabulary_id\tconcept_class_id\tstandard_concept\t"
    "concept_code\tvalid_start_date\tvalid_end_date\tinvalid_reason\n"
    '201826\tType "2\tCondition\tSNOMED\tClinical Finding\tS\t44054006\t20020131\t20991231\t\n'
    "3016723\tCreatinine\tMeasurement\tLOINC\tLab Test\tS\t2160-0\t19700101\t20991231\t\n"
    "40316773\tPre\tCondition\tSNOMED\tClinical Finding\t\t15777000\t19700101\t20020131\tU\n"
)


def test_athena_concepts(tmp_path):
    path = write(tmp_path / "CONCEPT.csv", ATHENA)
    omop = code_system("omop", {"omop": path})
    ids = [201826, "3016723", 40316773, 0, 2_000_000_001, 77]
    found = omop.check(ids, domain="condition")
    assert found.valid == (True, False, True, True, None, False)
    assert [v.reason for v in found] == [
        "", "wrong_domain", "inactive", "unmapped", "local_concept", "not_listed",
    ]  # fmt: skip
    assert found.suspect.tolist() == [False, False, False, True, False, False]
    assert omop.standard_of(["201826", "40316773", "5"]).tolist() == ["S", "", ""]
    days = validity_of_code(omop, ["40316773", "5"])
    assert days[0].tolist() == [np.datetime64("1970-01-01"), np.datetime64("2002-01-31")]
    assert np.isnat(days[1]).all()
    assert np.isnat(validity_of_code(code_system("loinc"), ["2160-0"])).all()
    # The same file stands in for the list of a vocabulary.
    snomed = code_system("snomed", {"snomed": path}).check(["44054006", "73211009"])
    assert snomed.valid == (True, False)
    with pytest.raises(InputError, match="no code of rxnorm"):
        code_system("rxnorm", {"rxnorm": path})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_national_list(tmp_path, encoding):
    path = write(
        tmp_path / "国家临床版2.0.csv",
        "序号,主要编码,附加编码,疾病名称\n1,A01.000x005+,J17.0*,伤寒并发肺炎\n2,I10.x00,,高血压\n"
        "3,J17.0*,,肺炎\n",
        encoding,
    )
    cn = code_system("icd10cn", {"icd10cn": path})
    found = cn.check(["I10.x00", "I10.X00", "A01.000x005+J17.0*", "E11.900", "A01.000x005+J99.8*"])
    assert found.valid == (True, True, True, False, False)
    assert cn.version == "2.0"


def test_encoding_that_shows_late(tmp_path):
    rows = "".join(f"I10.x{n % 90 + 10},plain\n" for n in range(20_000))
    path = tmp_path / "late.csv"
    path.write_bytes(("code,name\n" + rows + "I10.x00,高血压\n").encode("gb18030"))
    cn = code_system("icd10cn", {"icd10cn": path})
    assert cn.check(["I10.x00", "E11.900"]).valid == (True, False)


def test_parquet_and_own_lists(tmp_path):
    path = tmp_path / "drugs.parquet"
    pq.write_table(pa.table({"code": ["A1", "B2", None], "billable": ["1", "0", "1"]}), path)
    local = code_system("local", {"local": path})
    found = local.check(["A1", "B2", "C3", "a1"])
    assert found.valid == (True, True, False, False)
    assert found.rung(Rung.BILLABLE).tolist() == [1, 0, -2, -2]
    assert found[3].suggestion == "A1"
    numbers = tmp_path / "numbers.parquet"
    pq.write_table(pa.table({"rxcui": pa.array([316049.0, 748962.0])}), numbers)
    assert code_system("rxnorm", {"rxnorm": numbers}).check(["316049"]).valid == (True,)


def test_lists_are_written_as_codes_are_normalised(tmp_path):
    ndc = write(tmp_path / "package.txt", "PRODUCTID\tNDCPACKAGECODE\nx\t0006-4943-00\n")
    found = code_system("ndc", {"ndc": ndc}).check(["00006494300", "0006-4943-00", "00006494301"])
    assert found.valid == (True, True, False)
    icd = write(tmp_path / "icd.csv", "code\nE119\ni10\n")
    assert code_system("icd10", {"icd10": icd}).check(["E11.9", "I10", "A00"]).valid == (
        True, True, False,
    )  # fmt: skip
    cvx = write(tmp_path / "cvx.csv", "CVXCode,active\n8,1\n140,0\n")
    found = code_system("cvx", {"cvx": cvx}).check(["08", "8", "140", "21"])
    assert found.valid == (True, True, True, False)
    units = write(tmp_path / "units.csv", "code\nmg/dL\nK/uL\n")
    found = code_system("ucum", {"ucum": units}).check(["mg/dL", "g/L", "K/uL"])
    assert (found.valid, found.suspect.tolist()) == ((True, False, True), [False, False, True])


SYSTEM = {
    "resourceType": "CodeSystem", "name": "Wards", "version": "3", "content": "complete",
    "concept": [
        {"code": "in", "concept": [{"code": "icu"}, {"code": "old", "property": [
            {"code": "status", "valueCode": "retired"}]}]},
        {"code": "out"},
    ],
}  # fmt: skip


def test_fhir_code_system(tmp_path):
    path = write(tmp_path / "cs.json", json.dumps(SYSTEM))
    wards = code_system("fhir:wards", {"fhir:wards": path})
    found = wards.check(["in", "icu", "old", "banana"])
    assert found.valid == (True, True, True, False)
    assert found.rung(Rung.BILLABLE).tolist() == [0, 1, 1, -2]
    assert found.rung(Rung.ACTIVE).tolist() == [1, 1, 0, -2]
    assert found[0].decided_by == "Wards 3"
    fragment = write(tmp_path / "f.json", json.dumps({**SYSTEM, "content": "fragment"}))
    found = code_system("local", {"local": fragment}).check(["icu", "banana"])
    assert (found.valid, found[1].reason) == ((True, None), "list_incomplete")


def test_fhir_value_sets(tmp_path):
    composed = {
        "resourceType": "ValueSet", "id": "vs", "compose": {
            "include": [{"system": "s", "concept": [{"code": "a"}, {"code": "b"}]}],
            "exclude": [{"system": "s", "concept": [{"code": "b"}]}],
        },
    }  # fmt: skip
    path = write(tmp_path / "vs.json", json.dumps(composed))
    assert code_system("local", {"local": path}).check(["a", "b"]).valid == (True, False)
    composed["compose"]["include"].append({"system": "s2", "filter": [{"property": "x"}]})
    path = write(tmp_path / "open.json", json.dumps(composed))
    assert code_system("local", {"local": path}).check(["a", "zz"]).valid == (True, None)
    expanded = {"resourceType": "ValueSet", "expansion": {"total": 3, "contains": [
        {"code": "x", "abstract": True,
         "contains": [{"code": "y"}, {"code": "z", "inactive": True}]},
    ]}}  # fmt: skip
    path = write(tmp_path / "ex.json", json.dumps(expanded))
    found = code_system("local", {"local": path}).check(["x", "y", "z"])
    assert found.valid == (False, True, True)
    assert found.rung(Rung.ACTIVE).tolist() == [-2, 1, 0]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"foo,bar\n1,2\n", "no column of codes"),
        ("b.csv", b"", "no column of codes"),
        ("c.csv", b"code\n", "holds no code"),
        ("d.parquet", b"PAR1nonsense", "cannot be parsed"),
        ("e.json", b"[1, 2", "no FHIR resource"),
        ("f.json", b'{"resourceType": "Patient"}', "has no codes"),
        ("g.json", b"[" * 100_000, "no FHIR resource"),
        ("h.csv", b"code,x\nA,1\nB,2,3,4\n", "cannot be parsed"),
        ("i.csv", bytes(range(128, 256)) * 20, "cannot be parsed|no column of codes"),
    ],
)
def test_files_that_are_no_list(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=says) as error:
        code_system("loinc", {"loinc": path})
    assert name in str(error.value)
    assert str(tmp_path) not in str(error.value)


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="cannot be opened"):
        code_system("loinc", {"loinc": tmp_path / "none.csv"})


def test_a_changed_file_is_read_again(tmp_path):
    path = write(tmp_path / "l.csv", "code\nA\n")
    assert code_system("local", {"local": path}).check(["AB"]).valid == (False,)
    write(path, "code\nAB\n")
    assert code_system("local", {"local": path}).check(["AB"]).valid == (True,)


def test_large_lists_are_searched_alike(monkeypatch):
    texts = ["A", "B", "A", "C"]
    asked = ["C", "A", "x", "B"]
    small = CodeList("mine", "1", tuple(texts)).find(asked)
    monkeypatch.setattr(lists, "_MOST_IN_DICT", 2)
    assert CodeList("mine", "1", pa.array(texts)).find(asked).tolist() == small.tolist()
    assert small.tolist() == [3, 0, -1, 1]
