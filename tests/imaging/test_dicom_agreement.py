"""Agreement with dciodvfy, on its recorded answers; on itself where it is installed.

The recorded answers are on files that pydicom carries (MIT) and on mutants of some of them; made by
``benchmarks/dicom_agreement.py --record``.
"""

from __future__ import annotations

import copy
import gzip
import importlib.util
import io
import json
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pydicom.data
import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file

from sdq_imaging.dicom.__main__ import main
from sdq_imaging.dicom.agreement import Agreement, ours
from sdq_imaging.dicom.second_opinion import Fault, parse, second_opinion, unknown_object
from sdq_imaging.dicom_rules import check

HERE = Path(__file__).parent
DATA = Path(pydicom.data.__file__).parent


@pytest.fixture(scope="module")
def recorded() -> dict:
    return json.loads(gzip.decompress((HERE / "dciodvfy_recorded.json.gz").read_bytes()))


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    path = HERE.parents[1] / "benchmarks" / "dicom_agreement.py"
    spec = importlib.util.spec_from_file_location("dicom_agreement", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of what is wrong in its files on purpose
        yield


def faults(rows: list) -> list[Fault]:
    return [Fault(*row) for row in rows]


def test_agreement_on_the_files_of_pydicom(recorded, benchmark):
    whole = Agreement()
    for name, rows in recorded["files"].items():
        dataset = benchmark.opened(DATA / name)
        if dataset is None:
            continue  # another pydicom may carry other files
        mine, review = benchmark.judged(dataset)
        whole.add(mine, faults(rows), review)
    assert whole.files > 150
    assert whole.both > 1000
    assert whole.recall >= 0.99
    assert whole.precision >= 0.99
    assert whole.coverage >= 0.90
    assert not whole.conditional_ours


@pytest.mark.parametrize("name", ["CT_small.dcm", "SC_rgb_small_odd.dcm"])
def test_agreement_on_mutants(recorded, benchmark, name):
    """Each element deleted and emptied in turn: the same faults come up on both sides."""
    dataset = dcmread(get_testdata_file(name, download=False))
    before = {(f.where, f.kind) for f in benchmark.judged(dataset)[0]}
    answers = recorded["mutants"][name]
    same = total = alarming = 0
    for label, mutant in benchmark.mutants(dataset):
        if label not in answers:
            continue
        buffer = io.BytesIO()
        mutant.save_as(buffer, enforce_file_format=False)
        mine = benchmark.judged(dcmread(io.BytesIO(buffer.getvalue())))[0]
        mine = {f for f in mine if (f.where, f.kind) not in before}
        theirs = set(faults(answers[label]))
        same += benchmark.verdict(mine, theirs) == "same"
        alarming += bool(theirs)
        total += 1
    assert total > 60
    assert alarming > 10
    assert same == total


def test_a_forgotten_rule_would_be_noticed(recorded, benchmark):
    """Without the type 2 faults the comparison fails: it can."""
    whole = Agreement()
    for name, rows in list(recorded["files"].items())[:40]:
        mine, _ = benchmark.judged(benchmark.opened(DATA / name))
        whole.add([f for f in mine if f.type != "2"], faults(rows))
    assert whole.recall < 0.9


def test_counts():
    agreement = Agreement()
    a, b, c = (Fault(w, "missing", "1") for w in "ABC")
    assert agreement.add([a, b], [a, b]) is True
    assert agreement.add([a, b], [a, c]) is False
    # The same place as conditional on the other side is no disagreement.
    assert agreement.add([Fault("D", "missing", "2C")], [Fault("D", "missing", "2")]) is True
    assert (agreement.files, agreement.equal_files, agreement.both) == (3, 2, 3)
    assert agreement.precision == 3 / 4
    assert agreement.recall == 3 / 4
    agreement.add([], [Fault("E", "missing", "2C"), Fault("F", "missing", "1C")], frozenset("E"))
    assert agreement.coverage == 1 / 2
    assert Agreement().precision is None


def test_reading_what_dciodvfy_writes():
    lines = [
        "Error - </SharedFunctionalGroupsSequence(5200,9229)[1]/PixelMeasuresSequence(0028,9110)> "
        "- Missing attribute for Type 1 Required - Module=<PixelMeasuresMacro>",
        "Error - </StudyID(0020,0010)> - Empty attribute (no value) for Type 1C Conditional - "
        "Module=<X>",
        "Warning - </StudyID(0020,0010)> - Missing attribute or value that would be needed",
        "CTImage",
    ]
    assert parse(lines) == (
        Fault("SharedFunctionalGroupsSequence[0].PixelMeasuresSequence", "missing", "1"),
        Fault("StudyID", "empty", "1C"),
    )
    assert not unknown_object(lines)


def test_the_second_opinion_is_never_required(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    assert second_opinion(DATA / "test_files" / "CT_small.dcm") is None


def test_an_aborted_run_is_no_opinion(monkeypatch, tmp_path):
    """dciodvfy ends some files with a failed assertion: its silence says nothing of them."""
    program = tmp_path / "dciodvfy"
    program.write_text(
        '#!/bin/sh\necho "CTImage"\n[ "$(basename "$2")" = bad ] && kill -ABRT $$\nexit 1\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    assert second_opinion(tmp_path / "good") == ()
    assert second_opinion(tmp_path / "bad") is None


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not installed")
@pytest.mark.parametrize("name", ["CT_small.dcm", "693_J2KI.dcm", "examples_palette.dcm"])
def test_the_recorded_answers_are_those_of_dciodvfy(recorded, name):
    path = DATA / "test_files" / name
    known = {k.rpartition("/")[2]: v for k, v in recorded["files"].items()}
    assert list(second_opinion(path)) == faults(known[name])


def test_our_findings_in_the_same_form():
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    kinds = {(f.kind, f.type) for f in ours(check(copy.deepcopy(dataset)))}
    assert kinds == {("missing", "1"), ("missing", "2"), ("missing", "2C")}


def test_the_command(tmp_path, capsys):
    path = DATA / "test_files" / "CT_small.dcm"
    assert main([str(path)]) == 1
    english = capsys.readouterr().out
    assert "imaging.identifier.name PatientName" in english
    assert "only sdq" not in english
    assert "only dciodvfy" not in english
    assert main(["--zh", str(path)]) == 1
    assert "疑似" in capsys.readouterr().out
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(b"no DICOM")
    assert main([str(broken)]) == 1
    assert "imaging.structure" in capsys.readouterr().out
