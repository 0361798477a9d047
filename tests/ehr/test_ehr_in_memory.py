"""Frames in memory: the same numbers as from files, by the same schema."""

from collections import Counter

import pyarrow as pa
import pytest
from ehr_cohorts import COHORT_SCHEMA, TABLE_SCHEMA, simulated, write

import sdq_core
from sdq_core.errors import UsageError
from sdq_core.in_memory.data import InMemory
from sdq_core.manifest import cohort_digest
from sdq_ehr.reading import list_items
from sdq_ehr.schema import Schema
from sdq_ehr.settings import EhrSettings
from sdq_ehr.staging import stage

SCHEMA = {"schema": TABLE_SCHEMA}


class Frame:
    """What any library of frames gives: an Arrow stream, and nothing else."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


@pytest.fixture(scope="module")
def tables():
    return simulated("table", 36, 1)


def test_the_engine_judges_the_patients_that_files_hold(tables, tmp_path):
    frames = {role: found["stays"] for role, found in tables.items()}
    result = sdq_core.evaluate(
        modality="ehr", **frames, settings={"schema": Schema.of(TABLE_SCHEMA)}, engine="serial"
    )
    for role, found in tables.items():
        folder = write(tmp_path / role, found, "parquet")
        items = list_items(folder, EhrSettings.of(SCHEMA)).items
        # Equal digests and attributes are all that the engine sees of a cohort.
        assert result.cohorts[role].digest == cohort_digest(i.digest for i in items)
        assert result.cohorts[role].classes == dict(Counter(i.attributes["class"] for i in items))
    assert result.study["settings"]["schema"]["tables"].keys() == TABLE_SCHEMA["tables"].keys()
    assert any(m.value is not None for m in result.measurements if m.characteristic == "fidelity")


def listed(frames, folder, schema=TABLE_SCHEMA):
    folder.mkdir()
    settings = {"schema": schema}
    stage(InMemory("train", frames), folder, settings)
    return [i.digest for i in list_items(folder, EhrSettings.of(settings)).items]


def test_frames_of_any_library_are_the_same_patients(tables, tmp_path):
    table = tables["train"]["stays"]
    expected = listed(table, tmp_path / "arrow")
    assert len(expected) == 36
    assert listed({"stays": Frame(table)}, tmp_path / "exported") == expected
    pandas = pytest.importorskip("pandas")
    frame = table.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    found = listed(frame, tmp_path / "pandas")
    assert len(found) == 36
    polars = pytest.importorskip("polars")
    assert listed(polars.from_arrow(table), tmp_path / "polars") == expected


def test_tables_are_given_by_their_names(tmp_path):
    made = simulated("cohort", 15, 1)["train"]
    assert len(listed(made, tmp_path / "all", COHORT_SCHEMA)) == 15
    with pytest.raises(UsageError, match=r"train: is one frame, and the schema has 3 tables"):
        listed(made["labs"], tmp_path / "one", COHORT_SCHEMA)


@pytest.mark.parametrize(
    ("frames", "given", "said"),
    [
        ([1, 2], {}, "train: is a list; give a frame"),
        ({}, {}, "train: holds no table"),
        ({"../stays": pa.table({"a": [1]})}, {}, "'../stays' cannot name a table"),
        ({"labels": pa.table({"a": [1]})}, {}, "'labels' cannot name a table"),
        ({"stays": pa.table({"a": pa.array([], pa.int64())})}, {}, "table stays: has no rows"),
        ({"stays": 7}, {}, "exports no Arrow table"),
        (pa.table({"a": [1]}), {"labels": [1]}, "columns that the schema names"),
    ],
)
def test_what_is_no_table_is_refused(frames, given, said, tmp_path):
    with pytest.raises(UsageError) as caught:
        stage(InMemory("train", frames, **given), tmp_path, SCHEMA)
    assert said in str(caught.value)
    assert "train" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_schema_that_nobody_read_is_warned_of(tables, tmp_path):
    with pytest.warns(UserWarning, match="ehr: no schema is given"):
        stage(InMemory("train", tables["train"]["stays"]), tmp_path, {})
