"""Tables: columns and names, the time column, side-car files, bounded memory, broken files."""

import gzip
import json
import tracemalloc

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdq_core.errors import UnreadableItem
from sdq_core.vocabulary import Severity
from sdq_signals.formats import side_car, table
from sdq_signals.rules import RULES
from sdq_signals.settings import SignalsSettings

VALUES = np.round(np.random.default_rng(0).normal(0, 1, (50, 2)), 3)
KNOWN = SignalsSettings(sampling_rate=100.0, units="mV")


def text(values=VALUES, header="II,V1", mark=","):
    rows = [mark.join(f"{v:g}" for v in row) for row in values]
    return "\n".join(([header] if header else []) + rows) + "\n"


def written(path, content, **side):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    if side:
        path.with_name(path.name.partition(".")[0] + ".yaml").write_text(json.dumps(side))
    return path


def whole(recording):
    return recording.read(0, recording.length)


def refused(path, settings=KNOWN):
    with pytest.raises(UnreadableItem) as error:
        table.read(path, settings)
    return error.value.rule.removeprefix("signals.structure.")


def rules(found):
    return sorted(f.rule.removeprefix("signals.structure.") for f in found.findings)


def every_kind(folder):
    arrow = pa.table({"II": VALUES[:, 0], "V1": VALUES[:, 1]})
    pq.write_table(arrow, folder / "p.parquet")
    return [
        written(folder / "a.csv", text()),
        written(folder / "b.tsv", text(header="II\tV1", mark="\t")),
        written(folder / "c.csv.gz", gzip.compress(text().encode())),
        written(folder / "d.csv", "\ufeff" + text(header="II;V1", mark=";")),
        written(folder / "e.csv", text().replace("\n", "\r\n")),
        folder / "p.parquet",
    ]


def test_every_kind_of_table_gives_the_same(tmp_path):
    for path in every_kind(tmp_path):
        found = table.read(path, KNOWN)
        assert (found.rate, found.length, found.labels) == (100.0, 50, ("II", "V1"))
        assert found.findings == ()
        np.testing.assert_array_equal(whole(found), VALUES.T.astype(np.float32))
        np.testing.assert_array_equal(found.read(7, 20), VALUES[7:20].T.astype(np.float32))


def test_numbers_in_the_first_row_are_samples(tmp_path):
    found = table.read(written(tmp_path / "a.csv", "530\n518\n506\n"), KNOWN)
    np.testing.assert_array_equal(whole(found), [[530, 518, 506]])
    assert found.labels == ("channel 1",)
    named = KNOWN.model_copy(update={"channels": ("PLETH",)})
    assert table.read(tmp_path / "a.csv", named).labels == ("PLETH",)


def test_names_choose_columns_or_rename_them(tmp_path):
    path = written(tmp_path / "a.csv", "a,II,note\n1,2,x\n3,4,y\n")
    found = table.read(path, KNOWN)
    assert found.labels == ("a", "II")
    assert [(f.rule.rpartition(".")[2], f.where) for f in found.findings] == [
        ("column_ignored", "column 3")
    ]
    chosen = table.read(path, KNOWN.model_copy(update={"channels": ("II",)}))
    np.testing.assert_array_equal(whole(chosen), [[2, 4]])
    assert chosen.findings == ()
    renamed = table.read(path, KNOWN.model_copy(update={"channels": ("V1", "V2")}))
    assert renamed.labels == ("V1", "V2")
    assert refused(path, KNOWN.model_copy(update={"channels": ("V1",)})) == "channel_names"
    assert refused(path, KNOWN.model_copy(update={"channels": ("note",)})) == "not_a_recording"


def test_columns_of_one_name(tmp_path):
    found = table.read(written(tmp_path / "a.csv", "II,II\n1,2\n3,4\n"), KNOWN)
    np.testing.assert_array_equal(whole(found), [[1, 3], [2, 4]])
    assert rules(found) == ["duplicate_channels"]


def test_empty_cells_are_missing_samples(tmp_path):
    found = table.read(written(tmp_path / "a.csv", "II,V1\n1,\n,NaN\n3,inf\n"), KNOWN)
    np.testing.assert_array_equal(whole(found), [[1, np.nan, 3], [np.nan, np.nan, np.inf]])


def test_numbers_may_become_fractions_after_any_number_of_rows(tmp_path):
    rows = 500_000
    path = written(tmp_path / "a.csv", "II\n" + "12345\n" * rows + "0.5\n")
    found = table.read(path, KNOWN)
    assert found.length == rows + 1
    np.testing.assert_array_equal(found.read(rows - 1, rows + 1), [[12345, 0.5]])


# --- rates, units, side-cars ---


@pytest.mark.parametrize(
    ("name", "step", "side"),
    [
        ("time", 0.004, {}),
        ("Timestamp_ms", 4, {}),
        ("t (us)", 4000, {}),
        ("t", 4, {"time_unit": "ms"}),
    ],
)
def test_the_time_column_gives_the_rate_and_is_no_channel(tmp_path, name, step, side):
    times = np.arange(50) * step + 7
    content = text(np.column_stack([times, VALUES]), f"{name},II,V1")
    found = table.read(written(tmp_path / "a.csv", content, units="mV", **side))
    assert found.rate == pytest.approx(250, rel=1e-8)
    assert (found.labels, found.findings) == (("II", "V1"), ())


def test_moments_give_the_rate(tmp_path):
    moments = np.datetime64("2020-01-01T00:00:00.000") + np.arange(9) * np.timedelta64(8, "ms")
    arrow = pa.table({"time": moments, "II": np.arange(9.0)})
    pq.write_table(arrow, tmp_path / "a.parquet")
    pacsv.write_csv(arrow, tmp_path / "a.csv")
    for name in ("a.parquet", "a.csv"):
        found = table.read(tmp_path / name, SignalsSettings(units="mV"))
        assert (found.rate, found.findings) == (125.0, ())


@pytest.mark.parametrize("fault", ["gap", "back", "twice", "missing"])
def test_a_time_column_that_is_uneven_is_told(tmp_path, fault):
    times = np.arange(50) / 100
    times[30:] += {"gap": 0.5, "back": -0.1, "twice": -0.01, "missing": 0}[fault]
    if fault == "missing":
        times[30] = np.nan
    path = written(tmp_path / "a.csv", text(np.column_stack([times, VALUES]), "time,II,V1"))
    assert rules(table.read(path, KNOWN)) == ["time_irregular"]
    found = table.read(path, SignalsSettings(units="mV"))
    assert found.rate == pytest.approx(100)


def test_a_rate_that_the_time_column_contradicts_is_told(tmp_path):
    times = np.arange(50) / 250
    path = written(tmp_path / "a.csv", text(np.column_stack([times, VALUES]), "time,II,V1"))
    found = table.read(path, KNOWN)
    assert (found.rate, rules(found)) == (100.0, ["sampling_rate_invalid"])


def test_without_a_rate_the_remedy_is_named(tmp_path):
    path = written(tmp_path / "a.csv", text())
    with pytest.raises(UnreadableItem, match=r"settings\.sampling_rate") as error:
        table.read(path)
    assert error.value.rule == "signals.structure.sampling_rate_missing"


def test_a_missing_unit_is_told_and_the_channel_not_calibrated(tmp_path):
    found = table.read(written(tmp_path / "a.csv", text(), sampling_rate=100))
    assert [c.factor for c in found.channels] == [None, None]
    assert [(f.severity, f.where) for f in found.findings] == [(Severity.WARNING, "channels 1-2")]
    assert rules(found) == ["unit_missing"]
    np.testing.assert_array_equal(whole(found), VALUES.T.astype(np.float32))


@pytest.mark.parametrize(
    ("units", "factors"),
    [("uV", [0.001, 0.001]), (["mV", "uV"], [1, 0.001]), ({"V1": "uV"}, [None, 0.001])],
)
def test_units_of_all_or_each_channel(tmp_path, units, factors):
    found = table.read(written(tmp_path / "a.csv", text(), sampling_rate=100, units=units))
    assert [c.factor for c in found.channels] == factors
    scales = np.array([f or 1 for f in factors])
    np.testing.assert_array_equal(whole(found), (VALUES * scales).T.astype(np.float32))


def test_a_scale_turns_stored_values_into_units(tmp_path):
    side = {"sampling_rate": 100, "units": "uV", "scale": [2.5, -1]}
    found = table.read(written(tmp_path / "a.csv", "II,V1\n4,5\n", **side))
    np.testing.assert_allclose(whole(found), [[0.01], [-0.005]])


def test_the_own_side_car_goes_before_that_of_the_folder_and_both_before_settings(tmp_path):
    path = written(tmp_path / "a.csv.gz", gzip.compress(text().encode()), sampling_rate=500)
    (tmp_path / "recording.json").write_text('{"sampling_rate": 250, "units": "uV", "seed": 7}')
    found = table.read(path, KNOWN)
    assert (found.rate, found.channels[0].unit) == (500.0, "uV")
    assert found.metadata == {"seed": "7"}
    assert [p.name for p in side_car.paths(path)] == ["a.yaml", "recording.json"]
    assert side_car.paths(tmp_path / "b.csv") == [tmp_path / "recording.json"]


def test_only_texts_that_do_not_identify_are_kept(tmp_path):
    side = {"sampling_rate": 100, "synthetic": True, "generator": "vae", "patient": "Jane Roe"}
    found = table.read(written(tmp_path / "a.csv", text(), **side))
    assert found.metadata == {"synthetic": "yes", "generator": "vae"}


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("sampling_rate: fast", "sampling_rate_invalid"),
        ("sampling_rate: 0", "sampling_rate_invalid"),
        ("sampling_rate: .nan", "sampling_rate_invalid"),
        ("units: {II: 3}", "side_car_invalid"),
        ("units: [mV]", "channel_names"),
        ("time_unit: fortnights", "side_car_invalid"),
        ("scale: .inf", "side_car_invalid"),
        ("- a list", "side_car_invalid"),
        ("{", "side_car_invalid"),
        ("!!python/object/apply:os.getcwd []", "side_car_invalid"),
        ("[" * 5000, "side_car_invalid"),
        (b"\xff\xfe\x00", "side_car_invalid"),
        ("# " + "x" * 2**20, "side_car_invalid"),
    ],
)
def test_side_cars_that_are_wrong(tmp_path, content, rule):
    path = written(tmp_path / "a.csv", text())
    written(tmp_path / "a.yaml", content)
    assert refused(path) == rule


# --- size and damage ---


def test_memory_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "IN_MEMORY", 2**16)
    rows = 10**6
    values = np.arange(2 * rows, dtype=np.float32).reshape(rows, 2)
    pq.write_table(pa.table({"II": values[:, 0], "V1": values[:, 1]}), tmp_path / "a.parquet")
    table.read(written(tmp_path / "b.csv", text()), KNOWN)  # imports
    tracemalloc.start()
    try:
        found = table.read(tmp_path / "a.parquet", KNOWN)
        last = found.read(rows - 5, rows)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(last, values[-5:].T)
    assert peak < 6e6  # the samples have 8 MB


def test_a_table_that_never_ends_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "MOST_VALUES", 99)
    assert refused(written(tmp_path / "a.csv", text())) == "too_many_samples"


BROKEN = {
    "": "empty_file",
    "\n \n": "no_samples",
    "II,V1\n": "no_samples",
    "II,V1\n1,2\n3\n": "not_a_recording",
    "note,other\na,b\n": "not_a_recording",
    "II\n" + "1\n" * 600_000 + "secret\n": "not_a_recording",
    "\0\0\0": "not_a_recording",
}


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_broken_tables(tmp_path, content):
    path = written(tmp_path / "a.csv", content)
    assert refused(path) == BROKEN[content]


def test_messages_quote_no_values(tmp_path):
    path = written(tmp_path / "a.csv", "II\n" + "1\n" * 600_000 + "secret\n")
    with pytest.raises(UnreadableItem) as error:
        table.read(path, KNOWN)
    assert "secret" not in str(error.value)


def test_broken_archives_and_containers(tmp_path):
    packed = gzip.compress(text().encode())
    assert refused(written(tmp_path / "a.csv.gz", packed[:-20])) == "not_a_recording"
    assert refused(written(tmp_path / "b.csv.gz", b"no gzip")) == "not_a_recording"
    assert refused(written(tmp_path / "c.parquet", b"no parquet")) == "not_a_recording"
    assert refused(written(tmp_path / "d.parquet", b"")) in ("not_a_recording", "empty_file")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("t")
    for name in ("a.csv", "a.tsv", "a.csv.gz"):
        path = written(folder / name, data)
        try:
            found = table.read(path, KNOWN)
        except UnreadableItem as refusal:
            known = refusal.rule.removeprefix("signals.structure.") in RULES
            assert known
        else:
            assert whole(found).shape == (len(found.channels), found.length)
