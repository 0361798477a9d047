"""Cohorts: which file is which table, patients as items, digests, streaming, bad input."""

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdq_core.errors import InputError, UsageError
from sdq_ehr.dataset import Dataset
from sdq_ehr.digests import patient_digests
from sdq_ehr.reading import dataset_from_frames, iter_blocks, list_items, open_dataset, read_dataset
from sdq_ehr.schema import Schema
from sdq_ehr.settings import EhrSettings

SCHEMA = Schema.from_yaml("""
patient_table: patients
tables:
  patients:
    key: id
    patient: id
    columns:
      id: {type: identifier}
      born: {type: date, meaning: birth}
      outcome: {type: category, meaning: class}
  labs:
    key: n
    patient: patient
    time: taken
    columns:
      n: {type: identifier}
      patient: {type: identifier}
      taken: {type: datetime}
      value: {type: number}
""")
PATIENTS = "id,born,outcome\nB,1950-01-02,ill\nA,1960-03-04,well\nC,1970-05-06,\n"
LABS = "n,patient,taken,value\n1,A,2020-01-01 10:00,1.5\n2,B,2020-01-02,2\n3,A,2020-01-03,x\n"


def folder(path, **files):
    texts = {"patients": PATIENTS, "labs": LABS, **files}
    for name, text in texts.items():
        if text is not None:
            (path / f"{name}.csv").write_text(text, encoding="utf-8")
    return path


def rules(data):
    return {(f.rule.split(".")[-1], f.where or f.item) for f in data.findings}


def row_rules(data):
    return {(f.rule.split(".")[-1], f.where, tuple(f.rows.tolist())) for f in data.row_findings}


def test_tables_patients_and_a_cell_that_is_no_number(tmp_path) -> None:
    data = read_dataset(folder(tmp_path), SCHEMA)
    patients = data.patients()
    assert patients.keys.tolist() == ["B", "A", "C"]
    assert patients.rows["labs"].tolist() == [1, 0, 1]
    assert patients.rows["patients"].tolist() == [0, 1, 2]
    assert data.tables["labs"]["value"].to_pylist() == [1.5, 2.0, None]
    assert row_rules(data) == {("type", "labs.value", (2,))}
    assert data.place("labs", 2) == "labs.csv, row 3"


def test_items_name_no_patient(tmp_path) -> None:
    settings = EhrSettings.of({"schema": SCHEMA.model_dump(mode="json")})
    items = list_items(folder(tmp_path), settings).items
    assert [i.id for i in items] == ["patients.csv#1", "patients.csv#2", "patients.csv#3"]
    assert [i.part for i in items] == ["1", "2", "3"]
    assert [i.attributes.get("class") for i in items] == ["ill", "well", None]
    assert items[1].attributes["subject"] == hashlib.sha256(b"A").hexdigest()
    assert len({i.digest for i in items}) == 3
    assert items[0].paths == (tmp_path,)
    assert open_dataset(tmp_path, settings) is open_dataset(tmp_path, settings)


def frame_dataset(patients, labs):
    return dataset_from_frames({"patients": patients, "labs": labs}, SCHEMA)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_digests_do_not_depend_on_the_order_of_rows(seed) -> None:
    rng = np.random.default_rng(seed)
    patients = pa.table({"id": list("abcd"), "born": ["2000-01-01"] * 4, "outcome": ["1"] * 4})
    labs = pa.table(
        {"n": list("123456"), "patient": list("aabbcc"), "taken": [None] * 6,
         "value": rng.integers(0, 3, 6).astype(float)}
    )  # fmt: skip
    before = frame_dataset(patients, labs)
    known = dict(zip(before.patients().keys, patient_digests(before), strict=True))
    after = frame_dataset(patients.take(rng.permutation(4)), labs.take(rng.permutation(6)))
    assert dict(zip(after.patients().keys, patient_digests(after), strict=True)) == known
    # One cell of one patient changes that patient's alone; another patient's rows do not matter.
    values = labs["value"].to_numpy().copy()
    values[0] += 10
    changed = frame_dataset(patients, labs.set_column(3, "value", pa.array(values)).slice(0, 4))
    new = dict(zip(changed.patients().keys, patient_digests(changed), strict=True))
    assert [k for k in "abcd" if new[k] != known[k]] == ["a", "c"]


def test_digests_tell_cells_apart() -> None:
    schema = Schema.of(
        {"tables": {"t": {"columns": {"a": {"type": "text"}, "b": {"type": "text"}}}}}
    )
    rows = [
        ("x\x1fy", "z"),
        ("x", "y\x1fz"),
        ("x", None),
        ("x", "\x00"),
        (None, "x"),
        ("x\x1b", "c"),
    ]
    table = pa.table({"a": [r[0] for r in rows], "b": [r[1] for r in rows]})
    assert len(set(patient_digests(Dataset(schema, {"t": table})))) == len(rows)


def test_without_a_patient_table_the_keys_are_the_patients(tmp_path) -> None:
    schema = SCHEMA.model_copy(update={"patient_table": ""})
    data = read_dataset(folder(tmp_path, labs=LABS + "4,D,2020-01-01,1\n5,,2020-01-01,1\n"), schema)
    patients = data.patients()
    assert patients.keys.tolist() == ["B", "A", "C", "D"]
    assert patients.tables.tolist() == ["patients"] * 3 + ["labs"]
    assert patients.firsts.tolist() == [0, 1, 2, 3]
    assert patients.rows["labs"].tolist() == [1, 0, 1, 3, -1]
    settings = EhrSettings.of({"schema": schema.model_dump(mode="json")})
    assert [i.id for i in list_items(tmp_path, settings).items] == [
        "labs.csv#4", "patients.csv#1", "patients.csv#2", "patients.csv#3",
    ]  # fmt: skip


def test_a_single_table_of_any_name(tmp_path) -> None:
    schema = Schema.of({"tables": {"records": {"columns": {"x": {"type": "integer"}}}}})
    for name in ("train.csv", "synthetic.csv"):
        (tmp_path / name).write_text("x\n1\n2\n1\n")
        data = read_dataset(tmp_path / name, schema)
        assert len(data.patients()) == 3
        items = list_items(tmp_path / name).items
        assert [i.id for i in items] == [f"{name}#{k}" for k in (1, 2, 3)]
        assert items[0].digest == items[2].digest != items[1].digest
        assert "subject" not in items[0].attributes


def test_structure(tmp_path) -> None:
    source = folder(
        tmp_path,
        patients=PATIENTS + "A,1961-03-04,well\n,1980-01-01,ill\n",
        labs=LABS + "3,Z,2020-01-01,1\n,,2020-01-01,1\n",
    )
    data = read_dataset(source, SCHEMA)
    assert row_rules(data) == {
        ("type", "labs.value", (2,)),
        ("key_duplicate", "patients.id", (3,)),
        ("key_missing", "patients.id", (4,)),
        ("key_duplicate", "labs.n", (3,)),
        ("key_missing", "labs.n", (4,)),
        ("patient_orphan", "labs.patient", (3,)),
        ("patient_missing", "labs.patient", (4,)),
    }
    patients = data.patients()
    assert patients.rows["patients"].tolist() == [0, 1, 2, 1, 3]  # a row without a key is one more
    assert patients.keys.tolist() == ["B", "A", "C", ""]
    assert patients.rows["labs"].tolist() == [1, 0, 1, -1, -1]
    assert not read_dataset(source, SCHEMA, structure=False).row_findings[1:]


def test_references_required_values_and_rows_a_patient() -> None:
    schema = Schema.from_yaml("""
patient_table: p
tables:
  p:
    key: id
    patient: id
    columns: {id: {type: identifier}, sex: {values: [F, M], required: true}}
  v:
    key: [id, part]
    patient: p
    rows_minimum: 1
    rows_maximum: 2
    columns: {id: {type: identifier}, part: {type: integer}, p: {type: identifier}}
  e:
    patient: p
    references: {v: v.id}
    columns: {p: {type: identifier}, v: {type: identifier}}
""")
    data = dataset_from_frames(
        {
            "p": pa.table({"id": ["a", "b"], "sex": ["F", "X"]}),
            "v": pa.table({"id": list("1123"), "part": [1, 2, 1, 1], "p": ["a", "a", "a", "a"]}),
            "e": pa.table({"p": ["a", "b", "a", None], "v": ["1", "1", "9", None]}),
        },
        schema,
    )
    assert row_rules(data) == {
        ("value_unknown", "p.sex", (1,)),
        ("too_few_rows", "p.v", (1,)),
        ("too_many_rows", "v", (2, 3)),
        ("orphan", "e.v", (2,)),
        ("other_patient", "e.v", (1,)),
        ("patient_missing", "e.p", (3,)),
    }


def test_files_and_columns_that_do_not_fit_the_schema(tmp_path) -> None:
    source = folder(
        tmp_path,
        labs="n,patient,value,value,extra\n1,A,,,x\n2,B,,,y\n",
        notes="a\n1\n",
    )
    data = read_dataset(source, SCHEMA)
    assert rules(data) == {
        ("duplicate_column", "labs.csv, column 4"),
        ("missing_column", "labs.taken"),
        ("extra_column", "labs.extra"),
        ("extra_column", "labs.value.2"),
        ("empty_column", "labs.value"),
        ("file_passed_over", "notes.csv"),
    }
    assert data.tables["labs"]["taken"].null_count == 2
    (tmp_path / "labs.csv").unlink()
    data = read_dataset(source, SCHEMA)
    assert ("missing_table", "labs") in rules(data)
    assert data.tables["labs"].num_rows == 0
    assert data.tables["labs"].column_names == ["n", "patient", "taken", "value"]


@pytest.mark.parametrize("name", ["../patients.csv", "/etc/passwd", "a/../../x.csv", "C:\\x.csv"])
def test_files_outside_the_folder_are_never_opened(tmp_path, name) -> None:
    tables = {t: d.model_dump() for t, d in SCHEMA.tables.items()}
    tables["labs"]["file"] = name
    schema = Schema.of({"patient_table": "patients", "tables": tables})
    inside = tmp_path / "in"
    inside.mkdir()
    data = read_dataset(folder(inside, labs=None), schema)
    assert {("path_outside", "labs"), ("missing_table", "labs")} <= rules(data)


def test_unreadable_sources(tmp_path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_dataset(tmp_path / "none", SCHEMA)
    with pytest.raises(InputError, match="none of the schema's tables"):
        read_dataset(tmp_path, SCHEMA)
    with pytest.raises(InputError, match="no table was found"):
        read_dataset(tmp_path)
    with pytest.raises(InputError, match="patient table patients was not found"):
        read_dataset(folder(tmp_path, patients=None), SCHEMA)
    with pytest.raises(InputError, match=r"patients\.csv: the file has no bytes"):
        read_dataset(folder(tmp_path, patients=""), SCHEMA)
    data = read_dataset(folder(tmp_path, labs=""), SCHEMA)
    assert any(r == "empty_file" for r, _ in rules(data))
    for error in (f.message for f in data.findings):
        assert str(tmp_path) not in error


def test_header_only_constant_and_one_column(tmp_path) -> None:
    data = read_dataset(folder(tmp_path, patients="id,born,outcome\n", labs=None), SCHEMA)
    assert len(data.patients()) == 0
    assert ("header_only", "patients.csv") in rules(data)
    (tmp_path / "one.csv").write_text("x\n5\n5\n")
    data = read_dataset(tmp_path / "one.csv")
    assert ("constant_column", "records.x") in rules(data)


def test_columns_named_like_words_of_yaml(tmp_path) -> None:
    (tmp_path / "t.csv").write_text("type,null,yes,no,1e5\na,1,2,3,4\nb,5,6,7,8\n")
    data = read_dataset(tmp_path / "t.csv")
    assert data.tables["records"].column_names == ["type", "null", "yes", "no", "1e5"]
    again = Schema.from_yaml(data.schema.to_yaml())
    assert read_dataset(tmp_path / "t.csv", again).tables["records"].equals(data.tables["records"])


def test_ten_thousand_columns(tmp_path) -> None:
    names = [f"c{k}" for k in range(10_000)]
    (tmp_path / "t.csv").write_text("\n".join([",".join(names), *[",".join("12" * 5000)] * 3]))
    schema = Schema.of({"tables": {"t": {"columns": {n: {"type": "category"} for n in names}}}})
    data = read_dataset(tmp_path / "t.csv", schema)
    assert data.tables["t"].num_columns == 10_000
    assert len(set(patient_digests(data))) == 1


def test_streaming_gives_the_same_cells(tmp_path, monkeypatch) -> None:
    from sdq_ehr.formats import delimited

    monkeypatch.setattr(delimited, "BLOCK", 200)
    rng = np.random.default_rng(0)
    lines = [
        f"{k},{'AB'[k % 2]},{rng.integers(1, 29):02d}/{rng.integers(1, 13):02d}/2020,"
        f"\"{rng.integers(1000, 9999):,}\"" for k in range(500)
    ]  # fmt: skip
    lines[400] = lines[400].replace('"', "").rpartition(",")[0] + ",250.5"
    lines[250] = "ragged"
    source = folder(tmp_path, labs="n,patient,taken,value\n" + "\n".join(lines) + "\n")
    whole = read_dataset(source, SCHEMA).tables["labs"].select(["taken", "value"])
    blocks = list(iter_blocks(source, SCHEMA, "labs", ["taken", "value"], rows=7))
    assert max(len(b) for b in blocks) <= 7
    assert pa.Table.from_batches(blocks).to_pylist() == whole.to_pylist()
    assert whole["value"].null_count <= 1
    with pytest.raises(UsageError, match="no table"):
        next(iter_blocks(source, SCHEMA, "labs", ["none"]))


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "stream.arrow"])
def test_files_of_columns_stream_too(suffix, tmp_path, monkeypatch) -> None:
    import pyarrow.parquet

    from sdq_ehr.formats import arrow

    n = 1000
    table = pa.table(
        {
            "n": list(range(n)),
            "patient": [f"P{k % 9}" for k in range(n)],
            "taken": [f"{k % 28 + 1:02d}/{k % 12 + 1:02d}/2020" for k in range(n)],
            "value": pa.array([k / 4 if k % 5 else None for k in range(n)]),
        }
    )
    path = tmp_path / f"labs.{suffix}"
    if suffix == "parquet":
        pyarrow.parquet.write_table(table, path, row_group_size=300)
    elif suffix == "arrow":
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=100)
    else:
        path = tmp_path / "labs.arrow"
        with pa.ipc.new_stream(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=100)
    schema = Schema(tables={"labs": SCHEMA.tables["labs"]})
    whole = read_dataset(tmp_path, schema).tables["labs"].select(["taken", "value"])
    monkeypatch.setattr(arrow, "_table", None)  # nothing is read whole
    if suffix != "parquet":
        names = tuple(table.column_names)
        monkeypatch.setattr(arrow, "column_names", lambda path: names)
    blocks = list(iter_blocks(tmp_path, schema, "labs", ["taken", "value"], rows=70))
    assert max(len(b) for b in blocks) <= 70
    assert pa.Table.from_batches(blocks).to_pylist() == whole.to_pylist()


def test_a_study_s_decimal_sign_and_order_of_dates(tmp_path) -> None:
    source = folder(tmp_path, labs='n,patient,taken,value\n1,A,03/04/2020,"1,234"\n')
    auto = read_dataset(source, SCHEMA)
    assert {("date_order_unclear", "labs.taken"), ("decimal_unclear", "labs.value")} <= rules(auto)
    told = read_dataset(source, SCHEMA, EhrSettings.of({"date_order": "mdy", "decimal": ","}))
    assert not {r for r, _ in rules(told)} & {"date_order_unclear", "decimal_unclear"}
    assert told.tables["labs"]["value"].to_pylist() == [1.234]
    assert told.tables["labs"]["taken"].to_pylist()[0].month == 3


def test_nothing_heavy_is_imported() -> None:
    import subprocess
    import sys

    code = (
        "import sys, sdq_ehr.reading, sdq_ehr.proposing;"
        "print([m for m in ('pandas', 'sklearn', 'torch', 'scipy.stats') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert run.stdout.strip() == "[]"
