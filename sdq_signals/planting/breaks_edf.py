"""What can be broken in an EDF, EDF+ or BDF file, and which rules must see it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from sdq_signals.planting.breaks import Alternative, Family, identifying_lines
from sdq_signals.planting.write_edf import EdfParts, parts_of

__all__ = ["ANNOTATIONS", "FIELDS", "IDENTIFYING", "LENGTH", "MISSING", "SIGNALS", "UNREADABLE"]

FORMATS: Final = ("edf", "bdf")


def _with(*edits: Callable[[EdfParts], None]) -> Callable[[Path], Path]:
    """Return what takes a file apart, edits it and writes it anew."""

    def apply(path: Path) -> Path:
        parts = parts_of(path)
        for edit in edits:
            edit(parts)
        path.write_bytes(parts.encoded())
        return path

    return apply


def _fields(p: EdfParts) -> None:
    p.fixed |= {
        "version": b"1", "starttime": b"25.00.00", "startdate": b"31.02.00",
        "header_bytes": b"many",
    }  # fmt: skip
    p.signals[p.of("other")]["transducer"] = b" gel \xe9lectrode"


def _reserved(p: EdfParts) -> None:
    p.fixed["reserved"] = b"EDF-X"


def _subfields(p: EdfParts) -> None:
    p.fixed["patient"] = b"X Z 31-FEB-1990"
    p.fixed["recording"] = b"Startdate 01-jan-2000 X " + _said(p)


def _other_date(p: EdfParts) -> None:
    p.fixed["recording"] = b"Startdate 02-JAN-2000 X X " + _said(p)


def _said(p: EdfParts) -> bytes:
    return p.fixed["recording"].split(b" ")[-1]


def _ranges(p: EdfParts) -> None:
    signal = p.signals[p.of("other")]
    signal["digital_maximum"] = b"99999999"


def _no_range(p: EdfParts) -> None:
    signal = p.signals[p.of("other")]
    signal["physical_maximum"] = signal["physical_minimum"]


def _narrow(p: EdfParts) -> None:
    """Declare a digital range of twenty steps, and the physical one that belongs to it."""
    signal = p.signals[p.of("other")]
    low, high = (float(signal[f"physical_{end}"]) for end in ("minimum", "maximum"))
    least, most = (int(signal[f"digital_{end}"]) for end in ("minimum", "maximum"))
    step = (high - low) / (most - least)
    middle = low - least * step
    for end, value in (("minimum", -10), ("maximum", 10)):
        signal[f"digital_{end}"] = str(value).encode()
        signal[f"physical_{end}"] = f"{middle + value * step:.6g}"[:8].encode()


def _texts(p: EdfParts) -> None:
    signal = p.signals[p.of("other")]
    signal["label"] = signal["label"].removeprefix(b"ECG ").removeprefix(b"EEG ")
    signal["dimension"] = {b"uV": b"microV", b"mV": b"mv"}.get(signal["dimension"], b"NU.")


def _empty_signal(p: EdfParts) -> None:
    k = p.of("other")
    p.signals.insert(k + 1, {**p.signals[k], "label": b"ECG spare", "samples": b"0"})
    for record in p.records:
        record.insert(k + 1, b"")
    p.fixed["signals"] = str(len(p.signals)).encode()
    p.fixed["header_bytes"] = str(256 * (len(p.signals) + 1)).encode()


def _count(p: EdfParts) -> None:
    p.fixed["records"] = b"-1"


def _short(p: EdfParts) -> None:
    p.records = p.records[: max(1, len(p.records) // 2)]
    if len(p.records) == int(p.fixed["records"]):
        p.fixed["records"] = str(len(p.records) + 1).encode()


def _long(p: EdfParts) -> None:
    p.tail = bytes(4096)


def _large_record(p: EdfParts) -> None:
    """Make room for so many annotations that a record exceeds what is recommended."""
    k = p.of("annotations")
    width = len(p.records[0][k]) // int(p.signals[k]["samples"])
    more = 62000 // width
    p.signals[k]["samples"] = str(int(p.signals[k]["samples"]) + more).encode()
    for record in p.records:
        record[k] += bytes(more * width)


def _without_annotations(p: EdfParts) -> None:
    k = p.of("annotations")
    del p.signals[k]
    for record in p.records:
        del record[k]
    p.fixed["signals"] = str(len(p.signals)).encode()
    p.fixed["header_bytes"] = str(256 * (len(p.signals) + 1)).encode()


def _called_plain(p: EdfParts) -> None:
    p.fixed["reserved"] = b""


def _called_broken(p: EdfParts) -> None:
    p.fixed["reserved"] = p.fixed["reserved"].replace(b"+C", b"+D")


def _annotation_fields(p: EdfParts) -> None:
    p.signals[p.of("annotations")]["dimension"] = b"uV"


def _damaged_lists(p: EdfParts) -> None:
    """Shift the first time, lose a later one, and write what is no text and no list."""
    k = p.of("annotations")
    size = len(p.records[0][k])
    first = p.records[0][k]
    p.records[0][k] = first.replace(b"+0\x14", b"+5\x14", 1)
    for record in p.records[1:]:
        time = record[k].split(b"\x14")[0]
        later = f"+{float(time) + 5:.10g}".encode()
        record[k] = (later + record[k][len(time) :])[:size].ljust(size, b"\0")
    text = p.records[-1][k].rstrip(b"\0") + b"\0+1\x14\xff\xfe\x14\0+2\x15x\x14"
    p.records[-1][k] = text[:size].ljust(size, b"\0")
    if len(p.records) > 2:
        p.records[1][k] = bytes(size)


def _identifiers(p: EdfParts) -> None:
    p.fixed["patient"] = b"MRN00123456 F 02-MAY-1905 Jane_Doe nothing_else"
    p.fixed["recording"] = b"Startdate 12-MAR-2019 S-12 Adam_Smith " + _said(p)
    p.fixed["startdate"] = b"12.03.19"
    if any(s["label"].endswith(b"Annotations") for s in p.signals):
        k = p.of("annotations")
        size = len(p.records[0][k])
        text = "; ".join(identifying_lines().values())
        note = p.records[0][k].rstrip(b"\0") + b"\0+0\x14" + text.encode() + b"\x14\0"
        more = -(-max(0, len(note) - size) // 6) * 6
        width = size // int(p.signals[k]["samples"])
        p.signals[k]["samples"] = str((size + more) // width).encode()
        for record in p.records:
            record[k] = record[k].ljust(size + more, b"\0")
        p.records[0][k] = note.ljust(size + more, b"\0")


def _spoken_tail(p: EdfParts) -> None:
    p.tail = b"Adams told Baker that all went well"


def _without_names(p: EdfParts) -> None:
    p.signals[p.of("other")]["label"] = b""


def _same_names(p: EdfParts) -> None:
    others = [s for s in p.signals if not s["label"].endswith(b"Annotations")]
    others[1]["label"] = others[0]["label"]


def _without_unit(p: EdfParts) -> None:
    p.signals[p.of("other")]["dimension"] = b""


def _odd_unit(p: EdfParts) -> None:
    p.signals[p.of("other")]["dimension"] = b"furlong"


def _empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def _half_a_header(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:300])
    return path


def _no_number(p: EdfParts) -> None:
    p.signals[p.of("other")]["samples"] = b"many"


def _no_duration(p: EdfParts) -> None:
    p.fixed["record_duration"] = b"0"


def _no_header(p: EdfParts) -> None:
    p.fixed["signals"] = b"few"


def _all(*alternatives: Alternative) -> Family:
    return dict.fromkeys(FORMATS, alternatives)


def _ids(area: str, *names: str) -> tuple[str, ...]:
    return tuple(f"signals.{area}.{name}" for name in names)


FIELDS: Final = _all(
    Alternative(
        _ids("conformity", "edf_version", "edf_starttime", "edf_startdate", "edf_header_bytes",
             "edf_number", "edf_left_justified", "edf_ascii"),
        _with(_fields),
    ),
    Alternative(_ids("conformity", "edf_reserved"), _with(_reserved)),
    Alternative(
        (*_ids("conformity", "edf_records"), *_ids("metadata", "sample_count_missing")),
        _with(_count),
    ),
)  # fmt: skip

SIGNALS: Final = _all(
    Alternative(_ids("conformity", "edf_digital_range"), _with(_ranges)),
    Alternative(
        (*_ids("conformity", "edf_physical_range"), *_ids("metadata", "gain_missing")),
        _with(_no_range),
    ),
    Alternative(_ids("conformity", "edf_sample_range", "edf_label", "edf_dimension"),
                _with(_narrow, _texts)),
    Alternative(
        (*_ids("conformity", "edf_samples"), *_ids("structure", "no_samples")),
        _with(_empty_signal),
    ),
)  # fmt: skip

ANNOTATIONS: Final = _all(
    Alternative(
        _ids("conformity", "edf_patient_subfields", "edf_patient_sex", "edf_birthdate",
             "edf_recording_subfields", "edf_recording_startdate", "edf_annotation_fields"),
        _with(_subfields, _annotation_fields),
    ),
    Alternative(
        _ids("conformity", "edf_startdate_differs", "edf_no_annotations"),
        _with(_other_date, _without_annotations),
    ),
    Alternative(
        _ids("conformity", "edf_timekeeping", "edf_record_times", "edf_annotation_list",
             "edf_annotation_utf8"),
        _with(_damaged_lists),
    ),
    Alternative(
        _ids("conformity", "edf_annotations_in_plain", "edf_annotation_fields"),
        _with(_called_plain, _annotation_fields),
    ),
    Alternative(
        _ids("conformity", "edf_not_discontinuous", "edf_record_size", "edf_annotation_fields"),
        _with(_called_broken, _large_record, _annotation_fields),
    ),
)  # fmt: skip
"""Of EDF+ and BDF+ only."""

MISSING: Final = _all(
    Alternative(_ids("metadata", "channel_name_missing"), _with(_without_names)),
    Alternative((*_ids("metadata", "unit_missing"), *_ids("structure", "unit_missing")),
                _with(_without_unit)),
    Alternative((*_ids("metadata", "unit_unknown"), *_ids("structure", "unit_unknown")),
                _with(_odd_unit)),
    Alternative((*_ids("metadata", "gain_missing"), *_ids("conformity", "edf_physical_range")),
                _with(_no_range)),
    Alternative((*_ids("metadata", "channel_name_repeated"),
                 *_ids("structure", "duplicate_channels")), _with(_same_names), 2),
)  # fmt: skip

IDENTIFYING: Final = _all(
    Alternative(
        _ids("identifier", "record_number", "birth_date", "age_over_89", "name", "staff_name",
             "code", "date",
             "free_text"),
        _with(_identifiers),
    ),
    Alternative(
        _ids("identifier", "record_number", "birth_date", "age_over_89", "name", "staff_name",
             "code", "date",
             "free_text", "trailing_bytes"),
        _with(_identifiers, _spoken_tail),
    ),
)  # fmt: skip

LENGTH: Final = _all(
    Alternative((*_ids("structure", "truncated"), *_ids("conformity", "edf_file_size")),
                _with(_short)),
    Alternative((*_ids("structure", "longer_than_declared"), *_ids("conformity", "edf_file_size")),
                _with(_long)),
)  # fmt: skip

UNREADABLE: Final = _all(
    Alternative(_ids("structure", "empty_file"), _empty),
    Alternative(_ids("structure", "truncated"), _half_a_header),
    Alternative(_ids("structure", "header_invalid"), _with(_no_number)),
    Alternative(_ids("structure", "sampling_rate_invalid"), _with(_no_duration)),
    Alternative(_ids("structure", "not_a_recording"), _with(_no_header)),
)  # fmt: skip
