"""Parquet, Arrow and Feather files, and frames through the Arrow interface."""

import datetime as dt

import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from sdq_core.errors import UnreadableItem, UsageError
from sdq_ehr.formats import arrow
from sdq_ehr.reading import dataset_from_frames, read_dataset
from sdq_ehr.schema import Schema

TABLE = pa.table(
    {
        "id": ["p1", "p2"],
        "born": [dt.date(1950, 1, 2), None],
        "code": pa.array(["I10", "E11"]).dictionary_encode(),
        "value": [1.5, float("nan")],
        "text": pa.array(["x", None], pa.large_string()),
    }
)
SCHEMA = Schema.of(
    {
        "tables": {
            "t": {
                "patient": "id",
                "columns": {
                    "id": {"type": "identifier"},
                    "born": {"type": "date"},
                    "code": {"type": "code"},
                    "value": {"type": "number"},
                    "text": {"type": "text"},
                },
            }
        }
    }
)
ROWS = [
    {"id": "p1", "born": dt.date(1950, 1, 2), "code": "I10", "value": 1.5, "text": "x"},
    {"id": "p2", "born": None, "code": "E11", "value": None, "text": None},
]


def write(folder, suffix):
    path = folder / f"t{suffix}"
    if suffix == ".parquet":
        pq.write_table(TABLE, path)
    elif suffix == ".feather":
        feather.write_feather(TABLE, path)
    else:
        maker = pa.ipc.new_file if suffix == ".arrow" else pa.ipc.new_stream
        with pa.OSFile(str(path), "wb") as sink, maker(sink, TABLE.schema) as writer:
            writer.write_table(TABLE)
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".feather", ".arrow", ".ipc"])
def test_files(tmp_path, suffix) -> None:
    path = write(tmp_path, suffix)
    assert read_dataset(tmp_path, SCHEMA).tables["t"].to_pylist() == ROWS
    assert arrow.column_names(path) == tuple(TABLE.column_names)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableItem) as caught:
        arrow.read(path)
    assert caught.value.rule == "ehr.structure.not_a_table"
    path.write_bytes(b"")
    with pytest.raises(UnreadableItem) as caught:
        arrow.read(path)
    assert caught.value.rule == "ehr.structure.empty_file"


def test_frames_of_arrow_and_pandas() -> None:
    assert dataset_from_frames({"t": TABLE}, SCHEMA).tables["t"].to_pylist() == ROWS
    frame = TABLE.to_pandas().set_index(pd.Index([5, 9]))
    assert dataset_from_frames({"t": frame}, SCHEMA).tables["t"].to_pylist() == ROWS
    assert dataset_from_frames({"t": TABLE.to_batches()[0]}, SCHEMA).tables["t"].num_rows == 2


def test_frames_of_polars() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"id": ["p1"], "value": [1.5]})
    data = dataset_from_frames({"t": frame})
    assert data.tables[data.schema.home].num_rows == 1


def test_an_object_that_only_speaks_the_protocol() -> None:
    class Foreign:
        def __arrow_c_stream__(self, requested_schema=None):
            return TABLE.__arrow_c_stream__(requested_schema)

    assert dataset_from_frames({"t": Foreign()}, SCHEMA).tables["t"].to_pylist() == ROWS


def test_what_is_no_frame() -> None:
    with pytest.raises(UsageError, match="exports no Arrow table"):
        dataset_from_frames({"t": [1, 2]}, SCHEMA)
    with pytest.raises(UsageError, match="one type"):
        dataset_from_frames({"t": pd.DataFrame({"secret": ["a", 1]})}, SCHEMA)
    with pytest.raises(UsageError, match="no frame belongs"):
        dataset_from_frames({"other": TABLE}, SCHEMA)


def test_pandas_numbers_where_codes_belong() -> None:
    frame = pd.DataFrame({"id": ["a", "b"], "code": [250.0, None]})
    schema = Schema.of(
        {"tables": {"t": {"columns": {"id": {"type": "identifier"}, "code": {"type": "code"}}}}}
    )
    data = dataset_from_frames({"t": frame}, schema)
    assert data.tables["t"]["code"].to_pylist() == ["250", None]
    assert "ehr.structure.float_code" in [f.rule for f in data.findings]


def test_duplicate_names_of_a_frame() -> None:
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    raw = arrow.from_frame(table, "t")
    assert raw.table.column_names == ["a", "a.2"]
    assert raw.findings[0].rule == "ehr.structure.duplicate_column"
