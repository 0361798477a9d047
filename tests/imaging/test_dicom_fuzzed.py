"""Broken DICOM: every file ends in a finding or a description, and soon.

A short campaign of ``tools/fuzz_dicom.py``; ``make fuzz`` runs a long one.
"""

from __future__ import annotations

import importlib.util
import io
import os
import signal
import sys
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from dicom_objects import valid
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from sdq_core.description import Item
from sdq_core.dicom.elements import MAX_DEPTH
from sdq_core.errors import UnreadableItem
from sdq_imaging.dicom.item import judge_item
from sdq_imaging.dicom_rules import check, identifiers, level_of
from sdq_imaging.formats.dicom import header
from sdq_imaging.reading import list_items, read_image


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    path = Path(__file__).parents[2] / "tools" / "fuzz_dicom.py"
    spec = importlib.util.spec_from_file_location("fuzz_dicom", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def image(**values: object) -> Dataset:
    """Return a CT with pixels that can be written."""
    dataset = valid("CT")
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = np.arange(16, dtype="<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset


def written(dataset: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> Path:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = np.arange(16, dtype=">u2").tobytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(path, enforce_file_format=True)
    return path


def told(path: Path) -> set[tuple[str, str]]:
    return {(f.rule, f.where) for f in check(level_of(header(path)))}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process for each mutant")
def test_a_short_campaign(fuzz, capfd):
    sources = [p for p in fuzz.sources([]) if p.stat().st_size < 50_000]
    outcomes, faults = fuzz.campaign(sources, 50, 15, 1, None)
    assert faults == []
    assert outcomes.total() >= 30
    assert len(outcomes) >= 3  # not all end alike: the mutants get into the rules
    assert any(outcome.startswith("described") for outcome in outcomes)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process for each mutant")
def test_the_campaign_sees_faults(fuzz, monkeypatch, tmp_path):
    def raises(path: Path) -> str:
        raise ZeroDivisionError

    def hangs(path: Path) -> str:
        while True:
            pass

    path = tmp_path / "a.dcm"
    monkeypatch.setattr(fuzz, "judge", raises)
    assert "ZeroDivisionError" in fuzz.isolated(path)
    monkeypatch.setattr(fuzz, "judge", hangs)
    monkeypatch.setattr(fuzz, "TIMEOUT", 1)
    assert fuzz.isolated(path) == "fault: timed out"
    monkeypatch.setattr(fuzz, "judge", lambda path: str(len(bytearray(2**40))))
    assert "MemoryError" in fuzz.isolated(path)
    monkeypatch.setattr(fuzz, "judge", lambda path: os.kill(os.getpid(), signal.SIGKILL))
    assert fuzz.isolated(path) == "fault: signal 9"


def test_mutants_are_the_same_for_the_same_seed(fuzz, tmp_path):
    path = written(image(), tmp_path / "a.dcm")

    def first(seed: int) -> list[tuple[str, bytes]]:
        made = fuzz.mutants([path], seed)
        return [next(made) for _ in range(25)]

    assert first(3) == first(3)
    assert first(3) != first(4)


@pytest.mark.parametrize("defined", [True, False])
@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 2, 1000])
def test_sequences_in_each_other(fuzz, tmp_path, depth, defined):
    path = tmp_path / "deep.dcm"
    path.write_bytes(fuzz.nested(depth, defined=defined))
    if depth == 1000 and not defined:  # pydicom reads these at once, and gives up
        with pytest.raises(UnreadableItem):
            header(path)
        return
    rules = {rule for rule, _ in told(path)}
    assert ("imaging.structure.nested_too_deep" in rules) == (depth > MAX_DEPTH)
    assert sys.getrecursionlimit() <= 3000  # not lifted for the sake of such files


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_other_encodings_say_the_same(tmp_path, syntax):
    dataset = image(PatientName="Doe^Jane", BodyPartExamined="KNEE", WindowWidth=-1, WindowCenter=1)
    del dataset.PatientID
    plain = written(dataset, tmp_path / "plain.dcm")
    other = written(dataset, tmp_path / "other.dcm", syntax)
    assert told(plain) == told(other)
    assert len(told(plain)) == 2
    first, second = (read_image(Item(p.name, (p,))).pixels.tolist() for p in (plain, other))
    assert first == second
    assert {f.rule for f in identifiers(header(other))} == {"imaging.identifier.name"}


def test_the_wrong_transfer_syntax_is_a_finding(tmp_path):
    path = written(image(), tmp_path / "a.dcm")
    data = path.read_bytes()
    uid = b"1.2.840.10008.1.2.1\0"
    for wrong in (b"1.2.840.10008.1.2.2\0", b"1.2.840.10008.1.2.5\0"):
        path.write_bytes(data.replace(uid, wrong, 1))
        with pytest.raises(UnreadableItem):
            read_image(Item("a.dcm", (path,)))


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("GB18030", "王^小东"),
        ("GBK", "王^小东"),
        (["", "ISO 2022 IR 58"], "Wang^XiaoDong=王^小东"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("ISO_IR 192", "王^小东"),
    ],
)
def test_character_sets(tmp_path, charset, name):
    dataset = image(SpecificCharacterSet=charset, PatientName=name)
    path = written(dataset, tmp_path / "a.dcm")
    assert told(path) == set()
    assert {f.rule for f in identifiers(header(path))} == {"imaging.identifier.name"}
    undeclared = dcmread(path)
    del undeclared.SpecificCharacterSet
    assert {f.rule for f in check(undeclared)} == {"imaging.conformity.character_set"}


def test_private_elements_without_their_creator():
    dataset = valid("CT")
    block = dataset.private_block(0x0011, "sdq test", create=True)
    block.add_new(0x01, "LO", "x")
    block.add_new(0x02, "LO", "y")
    assert check(dataset) == ()
    del dataset[0x00110010]
    (finding,) = check(dataset)
    assert finding.rule == "imaging.conformity.private_creator"
    assert finding.where == "(0011,1001)"


def test_reports_and_plans_among_images(tmp_path):
    """What has no pixels is no image, and says so; the images beside it are read."""
    written(image(), tmp_path / "ct.dcm")
    for name, uid in (
        ("report.dcm", "1.2.840.10008.5.1.4.1.1.88.33"),
        ("plan.dcm", "1.2.840.10008.5.1.4.1.1.481.5"),
    ):
        other = Dataset()
        other.SOPClassUID, other.SOPInstanceUID = uid, "2.25.5"
        other.ContentSequence = Sequence([Dataset()])
        written_bare(other, tmp_path / name)
    outcomes = {}
    for item in list_items(tmp_path).items:
        try:
            outcomes[item.id] = read_image(item).kind
        except UnreadableItem as error:
            outcomes[item.id] = error.rule
        assert check(level_of(header(item.paths[0]))) or item.id == "ct.dcm"
    assert outcomes == {
        "ct.dcm": "dicom",
        "plan.dcm": "imaging.structure.not_an_image",
        "report.dcm": "imaging.structure.not_an_image",
    }


def written_bare(dataset: Dataset, path: Path) -> None:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    path.write_bytes(buffer.getvalue())


def slices(folder: Path, depths: list[float]) -> list[Item]:
    for k, depth in enumerate(depths):
        dataset = image(SOPInstanceUID=f"2.25.3{k:03d}", InstanceNumber=k + 1)
        dataset.ImagePositionPatient = [0, 0, depth]
        written(dataset, folder / f"{k}.dcm")
    return list(list_items(folder).items)


def test_series_with_missing_and_doubled_slices(tmp_path):
    whole, gap, twice = (tmp_path / name for name in ("whole", "gap", "twice"))
    for folder in (whole, gap, twice):
        folder.mkdir()

    def series_rules(items: list[Item]) -> set[str]:
        (item,) = items
        made = read_image(item)
        _, found = judge_item(made.dataset, item.paths[1:])
        return {f.rule.split(".")[-1] for f in (*found, *made.findings)}

    assert "missing_slices" not in series_rules(slices(whole, [0, 2, 4, 6]))
    assert {"missing_slices", "uneven_slices"} <= series_rules(slices(gap, [0, 2, 6, 8]))
    # Two slices at one place are no volume: each is an item, and the folder has a finding.
    assert len(slices(twice, [0, 2, 2, 4])) == 4
    assert [f.rule for f in list_items(twice).findings] == ["imaging.structure.geometry"]
