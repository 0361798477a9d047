"""The label of generated content in recordings: headers, annotations, side-cars, stacks."""

import json

import edf_files as made
import numpy as np
import pytest
import yaml
from records import record

from sdq_core.aigc import label_state
from sdq_signals.formats import edf, table, wfdb
from sdq_signals.formats.dicom import _LINEAGE
from sdq_signals.formats.texts import from_comments
from sdq_signals.metadata import SignalsMetadata
from sdq_signals.reading import list_items

LABEL = {"Label": "1", "ContentProducer": "a house", "ProduceID": "42"}
TEXT = json.dumps(LABEL)
WAVE = np.arange(40, dtype=np.int64).reshape(20, 2)


def test_a_wfdb_comment_carries_the_label(tmp_path):
    path = record(tmp_path, WAVE, 16)
    assert "aigc" not in wfdb.read(path).metadata
    path.write_text(path.read_text() + f"# AIGC: {TEXT}\n# seed: 7\n")
    found = wfdb.read(path).metadata
    assert (label_state(found["aigc"]), found["seed"]) == ("valid", "7")


@pytest.mark.parametrize("place", ["annotation", "recording field"])
def test_edf_carries_the_label(tmp_path, place):
    short = '{"Label":"1","ContentProducer":"a","ProduceID":"7"}'
    note = f"+1\x14AIGC={short}\x14\x00".encode() if place == "annotation" else b""
    data = made.write({"II": np.zeros((4, 60), np.int64)}, notes={0: note} if note else None)
    field = f"Startdate X X X AIGC={short}" if place != "annotation" else "Startdate X X X X"
    (tmp_path / "a.edf").write_bytes(made.fixed(data, recording=field))
    assert label_state(edf.read(tmp_path / "a.edf").metadata.get("aigc")) == "valid"


@pytest.mark.parametrize("value", [LABEL, TEXT])
def test_a_side_car_carries_the_label_as_object_or_as_text(tmp_path, value):
    (tmp_path / "a.csv").write_text("I,II\n" + "0.1,0.2\n" * 20)
    (tmp_path / "a.yaml").write_text(
        yaml.safe_dump({"sampling_rate": 100, "units": "mV", "AIGC": value})
    )
    found = table.read(tmp_path / "a.csv").metadata
    assert label_state(found["aigc"]) == "valid"
    assert SignalsMetadata("signals").declares_synthetic(found, {})


def test_a_stack_carries_the_label_of_each_recording(tmp_path):
    values = np.zeros((2, 1, 50))
    np.savez(
        tmp_path / "s.npz", signals=values, rate=100, units=["mV"], channels=["II"],
        AIGC=np.array([TEXT, "no"]),
    )  # fmt: skip
    items = list_items(tmp_path / "s.npz").items
    assert [label_state(i.attributes["AIGC"]) for i in items] == ["valid", "no_object"]


def test_a_label_that_names_a_person_is_left_out():
    named = json.dumps({**LABEL, "ContentProducer": "patient name: Jane Roe"})
    assert "aigc" not in from_comments([f"AIGC: {named}"])
    assert _LINEAGE["AIGC"] == "aigc", "DICOM headers give it the same name"
