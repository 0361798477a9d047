"""The WFDB linter: silent on valid records, and each planted violation found at its field."""
# ruff: noqa: E501 - tables with one violation a line

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdq_core.vocabulary import Severity
from sdq_signals.conformity.wfdb import check
from sdq_signals.conformity.wfdb_identifiers import notes

TIME = np.arange(2000) / 500
SAMPLES = np.round(
    np.stack([a * np.sin(2 * np.pi * 1.1 * TIME + k) for k, a in enumerate((900, 700, 1200))], 1)
).astype("<i2")
DATA = SAMPLES.tobytes()
RECORD = "syn1 3 500 2000"


def line(k: int, name: str, **other: str) -> str:
    column = SAMPLES[:, k].astype(int)
    fields = {
        "file": "syn1.dat", "format": "16", "gain": "1000.0(0)/mV", "bits": "16", "zero": "0",
        "initial": str(column[0]), "checksum": str(int(column.sum()) & 0xFFFF), "block": "0",
        "name": name,
    } | other  # fmt: skip
    return " ".join(v for v in fields.values() if v)


LINES = [line(0, "I"), line(1, "II"), line(2, "V1")]


def header(record: str = RECORD, first: str = LINES[0], *rest: str) -> str:
    return "\n".join([record, first, *LINES[1:], *rest]) + "\n"


CLEAN = header()


@pytest.fixture
def found(tmp_path):
    def at(text: str = CLEAN, data: bytes = DATA, name: str = "syn1", **options):
        (tmp_path / f"{name}.hea").write_bytes(text.encode("latin-1"))
        (tmp_path / "syn1.dat").write_bytes(data)
        return check(tmp_path / f"{name}.hea", **options)

    return at


def pairs(findings) -> list[tuple[str, str]]:
    return [(f.rule.removeprefix("signals."), f.where) for f in findings]


@pytest.mark.parametrize(
    "text",
    [
        CLEAN,
        header("syn1 3 500/1000(0) 2000"),
        header("syn1 3 500 2000 10:00:00.250 01/01/2024"),
        header("syn1 3 500 2000 0:30"),
        header(RECORD, line(0, "I", gain="1.0e3/mV")),
        header(
            RECORD,
            line(
                0, "I", checksum=str((int(SAMPLES[:, 0].astype(int).sum()) + 32768) % 65536 - 32768)
            ),
        ),
        header(RECORD, line(0, "I", bits="0")),
        header(
            RECORD,
            LINES[0],
            "# synthetic: yes",
            "#age: 63  sex: M",
            "# <age>: 88 <sex>: F",
            "# Diagnose: none",
        ),
        header(RECORD, LINES[0], "# seed: 7", "# model name: vae"),
        CLEAN.replace("\n", "\r\n"),
        "# before\n\n" + CLEAN,
        header(RECORD, line(0, "lead I of the chest")).replace("lead I of the chest", "ECG lead I"),
    ],
)
def test_valid_records_are_silent(found, text):
    assert found(text) == ()


PLANTED = {
    "gain 0": (header(RECORD, line(0, "I", gain="0")), "metadata.gain_missing", "signal 1.gain"),
    "gain missing": (header(RECORD, "syn1.dat 16"), "metadata.gain_missing", "signal 1.gain"),
    "gain is a word": (header(RECORD, line(0, "I", gain="high/mV")), "conformity.wfdb_gain", "signal 1.gain"),
    "negative gain": (header(RECORD, line(0, "I", gain="-200/mV")), "conformity.wfdb_gain", "signal 1.gain"),
    "baseline 0.5": (header(RECORD, line(0, "I", gain="1000(0.5)/mV")), "conformity.wfdb_gain", "signal 1.gain"),
    "unit missing": (header(RECORD, line(0, "I", gain="1000.0(0)")), "metadata.unit_missing", "signal 1.units"),
    "uV for mV": (header(RECORD, line(0, "I", gain="1000.0(0)/uV")), "conformity.unit_implausible", "signal 1.units"),
    "gain of a thousandth": (header(RECORD, line(0, "I", gain="1.0(0)/mV")), "conformity.unit_implausible", "signal 1.units"),
    "unknown unit": (header(RECORD, line(0, "I", gain="1000.0(0)/furlong")), "metadata.unit_unknown", "signal 1.units"),
    "unit of another kind": (header(RECORD, line(0, "I", gain="1000.0(0)/mmHg")), "metadata.unit_unknown", "signal 1.units"),
    "rate missing": (header("syn1 3"), "metadata.sampling_rate_missing", "sampling frequency"),
    "rate 0": (header("syn1 3 0 2000"), "conformity.wfdb_sampling_frequency", "sampling frequency"),
    "negative rate": (header("syn1 3 -500 2000"), "conformity.wfdb_sampling_frequency", "sampling frequency"),
    "rate with its unit": (header("syn1 3 500Hz 2000"), "conformity.wfdb_sampling_frequency", "sampling frequency"),
    "counter frequency 0": (header("syn1 3 500/0 2000"), "conformity.wfdb_sampling_frequency", "sampling frequency"),
    "length missing": (header("syn1 3 500"), "metadata.sample_count_missing", "number of samples"),
    "length 0": (header("syn1 3 500 0"), "metadata.sample_count_missing", "number of samples"),
    "length with a point": (header("syn1 3 500 2000.0"), "conformity.wfdb_sample_count", "number of samples"),
    "four signals": (header("syn1 4 500 2000"), "conformity.wfdb_signal_count", "number of signals"),
    "two signals": (header("syn1 2 500 2000"), "conformity.wfdb_signal_count", "number of signals"),
    "signals in words": (header("syn1 three 500 2000"), "conformity.wfdb_signal_count", "number of signals"),
    "too long": (header("syn1 3 500 3000"), "conformity.wfdb_sample_count", "number of samples"),
    "too short": (header("syn1 3 500 1000"), "conformity.wfdb_sample_count", "number of samples"),
    "checksum": (header(RECORD, line(0, "I", checksum="1")), "conformity.wfdb_checksum", "signal 1.checksum"),
    "checksum of 20 bits": (header(RECORD, line(0, "I", checksum="999999")), "conformity.wfdb_checksum_range", "signal 1.checksum"),
    "checksum in words": (header(RECORD, line(0, "I", checksum="none")), "conformity.wfdb_number", "signal 1.checksum"),
    "initial value": (header(RECORD, line(0, "I", initial="77")), "conformity.wfdb_initial_value", "signal 1.initial value"),
    "name repeated": (header(RECORD, line(0, "II")), "metadata.channel_name_repeated", "signal 1.description, signal 2.description"),
    "name missing": (header(RECORD, line(0, "")), "metadata.channel_name_missing", "signal 1.description"),
    "date with dashes": (header(RECORD + " 10:00:00 02-03-2024"), "conformity.wfdb_base_date", "base date"),
    "31 February": (header(RECORD + " 10:00:00 31/02/2024"), "conformity.wfdb_base_date", "base date"),
    "year of two digits": (header(RECORD + " 10:00:00 01/01/24"), "conformity.wfdb_base_date", "base date"),
    "date before time": (header(RECORD + " 02/03/2024 10:00:00"), "conformity.wfdb_base_time", "base time"),
    "hour 25": (header(RECORD + " 25:00:00"), "conformity.wfdb_base_time", "base time"),
    "one field too many": (header(RECORD + " 10:00:00 01/01/2024 x"), "conformity.wfdb_record_line", "record line"),
    "format of another": (header(RECORD, line(0, "I", format="212", bits="12")), "conformity.wfdb_format_differs", "signal 1.format"),
    "format 17": (header(RECORD, line(0, "I", format="17")), "conformity.wfdb_format", "signal 1.format"),
    "no samples a frame": (header(RECORD, line(0, "I", format="16x0")), "conformity.wfdb_format", "signal 1.format"),
    "resolution of 24 bits": (header(RECORD, line(0, "I", bits="24")), "conformity.wfdb_resolution", "signal 1.resolution"),
    "samples beyond 8 bits": (header(RECORD, line(0, "I", bits="8")), "conformity.wfdb_resolution", "signal 1.resolution"),
    "resolution 16.0": (header(RECORD, line(0, "I", bits="16.0")), "conformity.wfdb_number", "signal 1.resolution"),
    "negative block size": (header(RECORD, line(0, "I", block="-1")), "conformity.wfdb_number", "signal 1.block size"),
    "file missing": (header(RECORD, line(0, "I", file="syn2.dat")), "conformity.wfdb_file_missing", "signal 1.file"),
    "file elsewhere": (header(RECORD, line(0, "I", file="../syn1.dat")), "conformity.wfdb_file_name", "signal 1.file"),
    "absolute path": (header(RECORD, line(0, "I", file="/x/syn1.dat")), "conformity.wfdb_file_name", "signal 1.file"),
    "dash in the name": (header("syn-1 3 500 2000"), "conformity.wfdb_record_name", "record name"),
    "name of another": (header("syn2 3 500 2000"), "conformity.wfdb_record_name_differs", "record name"),
    "long line": (header(RECORD, LINES[0], "# " + "x" * 260), "conformity.wfdb_line_length", "line 5"),
    "not ASCII": (header(RECORD, LINES[0], "# M\xfcller"), "conformity.wfdb_characters", "line 5"),
    "only a name": ("syn1\n", "conformity.wfdb_header", "record line"),
    "empty": ("\n", "conformity.wfdb_header", "record line"),
    "segments in words": (header("syn1/two 3 500 2000"), "conformity.wfdb_segments", "number of segments"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_each_planted_violation_is_found_at_its_field(found, name):
    text, rule, where = PLANTED[name]
    assert (rule, where) in pairs(found(text))


def test_changed_and_missing_bytes(found):
    changed = DATA[:1000] + b"\x55\x55" + DATA[1002:]
    assert pairs(found(data=changed)) == [("conformity.wfdb_checksum", "signal 3.checksum")]
    assert ("conformity.wfdb_sample_count", "number of samples") in pairs(found(data=DATA[:-7]))
    assert pairs(found(data=DATA + b"\0" * 6)) == [
        ("conformity.wfdb_sample_count", "number of samples")
    ]


def test_a_rate_that_the_data_set_does_not_declare(found):
    assert found(rates=(500.0,)) == ()
    text = header("syn1 3 360 2000")
    assert found(text) == ()
    assert pairs(found(text, rates=(500.0,))) == [
        ("metadata.sampling_rate_unusual", "sampling frequency")
    ]


def test_all_violations_of_one_header_are_listed(found):
    text = header(
        "syn-1 4 0 9 9:99 1/1/1", line(0, "", gain="0", bits="99", checksum="1"), "# Name: Jane Doe"
    )
    assert {rule for rule, _ in pairs(found(text))} >= {
        "conformity.wfdb_record_name", "conformity.wfdb_record_name_differs",
        "conformity.wfdb_signal_count", "conformity.wfdb_sampling_frequency",
        "conformity.wfdb_base_time", "conformity.wfdb_base_date", "metadata.gain_missing",
        "conformity.wfdb_resolution", "metadata.channel_name_missing",
        "metadata.sampling_rate_missing", "conformity.wfdb_sample_count", "identifier.name",
    }  # fmt: skip


def test_records_of_several_segments(tmp_path):
    (tmp_path / "syn1.dat").write_bytes(DATA)
    (tmp_path / "syn1.hea").write_text(CLEAN)
    whole = tmp_path / "all.hea"
    whole.write_text("all/2 3 500 4000\nsyn1 2000\nsyn1 2000\n")
    assert check(whole) == ()
    whole.write_text("all/2 3 500 4000\nsyn1 2000\n~ 500\nsyn3 1500\n")
    assert pairs(check(whole)) == [
        ("conformity.wfdb_segments", "segment 3"),
        ("conformity.wfdb_segments", "number of segments"),
    ]
    (tmp_path / "syn1.hea").write_text(CLEAN.replace("1000.0(0)/mV", "0"))
    whole.write_text("all/1 3 500 9\nsyn1 2000\n")
    assert pairs(check(whole)) == [
        ("metadata.gain_missing", "segment 1, signals 1-3: gain"),
        ("metadata.unit_missing", "segment 1, signals 1-3: units"),
        ("conformity.wfdb_segments", "number of samples"),
    ]


@pytest.mark.parametrize(
    ("comment", "rule", "severity"),
    [
        ("# Name: Jane Doe, 53 y", "name", "error"),
        ("# <patient>: Doe Jane", "name", "error"),
        ("# Physician: Gregory House", "staff_name", "error"),
        ("# MRN: 00123456", "record_number", "error"),
        ("# DOB: 1970-05-02", "birth_date", "error"),
        ("# Address: 1 Main Street", "address", "error"),
        ("# jane.doe@example.org", "email", "error"),
        ("# ECG date: 01/10/1990", "date", "warning"),
        ("# Infarction date: 29-Sep-90", "date", "warning"),
        ("# age: 94 sex: M", "age_over_89", "warning"),
    ],
)
def test_each_identifier_in_an_info_string_is_found_and_never_quoted(
    found, comment, rule, severity
):
    findings = found(header(RECORD, LINES[0], "# nothing here", comment))
    wanted = [f for f in findings if f.rule == f"signals.identifier.{rule}"]
    assert [(f.where, f.severity) for f in wanted] == [("comment 2", Severity(severity))]
    assert all("Doe" not in f.message + f.where and "1970" not in f.message for f in findings)


@pytest.mark.parametrize(
    "comment",
    ["# Name: anonymous", "# Patient: X", "# 69 M 1085 1629 x1", "# Aldomet, Inderal", "# Age: 47",
     "# Produced by xform from record 041/04100001, beginning at s74000", "# birth date: 01-01-1950"],
)  # fmt: skip
def test_harmless_info_strings_pass(found, comment):
    left = [f for f in found(header(RECORD, LINES[0], comment)) if f.severity is Severity.ERROR]
    if "birth" not in comment:
        assert left == []


def test_the_date_of_the_record(found):
    assert pairs(found(header(RECORD + " 10:00:00 26/10/1994"))) == [
        ("identifier.date", "base date")
    ]


def annotation(text: bytes) -> bytes:
    """Return an annotation file: a beat, a rhythm note with a text, the end."""
    size = len(text)
    return bytes([18, 1 << 2, 0, 28 << 2, size, 63 << 2]) + text + b"\0" * (size % 2) + b"\0\0"


def test_identifiers_in_annotations(tmp_path, found):
    (tmp_path / "syn1.atr").write_bytes(annotation(b"(AFIB"))
    assert found() == ()
    (tmp_path / "syn1.rev").write_bytes(annotation(b"checked, Patient name: Jane Doe"))
    assert pairs(found()) == [("identifier.name", "annotations .rev")]
    assert notes(tmp_path / "syn1.atr") == ["(AFIB"]


@pytest.mark.filterwarnings("ignore")  # of its own dependencies
def test_against_another_library(tmp_path):
    wfdb = pytest.importorskip("wfdb")
    physical = SAMPLES / 1000.0
    for storage in ("16", "212", "24", "32", "80"):
        scale = {"212": 1000.0, "80": 50.0}.get(storage, 2000.0)
        wfdb.wrsamp(
            f"r{storage}", 500, ["mV"] * 3, ["I", "II", "V1"], p_signal=physical, fmt=[storage] * 3,
            adc_gain=[scale] * 3, baseline=[0] * 3, write_dir=str(tmp_path), comments=["synthetic: yes"],
        )  # fmt: skip
        assert check(tmp_path / f"r{storage}.hea") == ()
    wfdb.wrann(
        "r16",
        "atr",
        np.array([10, 500]),
        ["N", "+"],
        aux_note=["", "(AFIB"],
        write_dir=str(tmp_path),
    )
    assert check(tmp_path / "r16.hea") == ()
    assert notes(tmp_path / "r16.atr") == ["(AFIB"]


def test_a_large_file_is_judged_by_a_part_of_it(tmp_path):
    count = 400_000
    data = np.tile(SAMPLES, (200, 1))
    (tmp_path / "syn1.dat").write_bytes(data.tobytes())
    path = tmp_path / "syn1.hea"
    path.write_text(header(f"syn1 3 500 {count}", line(0, "I", checksum="1")))
    assert check(path) == ()  # the reader sums a file of this size
    path.write_text(header(f"syn1 3 500 {count}", line(0, "I", gain="1000/uV")))
    assert pairs(check(path)) == [("conformity.unit_implausible", "signal 1.units")]


@given(st.text(max_size=200))
def test_no_text_makes_the_linter_fail(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("wfdb")
    (folder / "syn1.dat").write_bytes(DATA)
    (folder / "syn1.hea").write_bytes(text.encode("utf-8", "replace"))
    check(folder / "syn1.hea")
    (folder / "syn1.hea").write_bytes((CLEAN[:40] + text + CLEAN[40:]).encode("utf-8", "replace"))
    check(folder / "syn1.hea")


def test_a_record_of_ten_seconds_takes_less_than_five_milliseconds(tmp_path):
    (tmp_path / "syn1.dat").write_bytes(DATA)
    (tmp_path / "syn1.hea").write_text(CLEAN)
    spans = []
    for _ in range(10):
        start = time.perf_counter()
        check(tmp_path / "syn1.hea")
        spans.append(time.perf_counter() - start)
    assert min(spans) < 0.02  # four times the aim: machines of tests are slow and busy
