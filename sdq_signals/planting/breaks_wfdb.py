"""What can be broken in a WFDB record, and which rules must see it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from sdq_signals.planting.breaks import Alternative, Family, identifying_lines

__all__ = ["IDENTIFYING", "LENGTH", "MISSING", "RECORD", "SIGNALS", "UNREADABLE"]

Fields = list[str]


def _edited(
    path: Path,
    record: Callable[[Fields], Fields] | None = None,
    signal: Callable[[int, Fields], Fields] | None = None,
    comments: tuple[str, ...] = (),
) -> Path:
    """Write a header anew with other fields."""
    lines = path.read_text(encoding="utf-8").splitlines()
    first, body = lines[0].split(), [x for x in lines[1:] if not x.startswith("#")]
    said = [x for x in lines[1:] if x.startswith("#")]
    if record is not None:
        first = record(first)
    rows = [x.split(None, 8) for x in body]
    if signal is not None:
        rows = [signal(k, row) for k, row in enumerate(rows)]
    text = "\n".join([" ".join(first), *(" ".join(r) for r in rows), *said, *comments]) + "\n"
    path.write_text(text, encoding="utf-8")
    return path


def _record_line(path: Path) -> Path:
    def record(fields: Fields) -> Fields:
        name, count, rate, length = fields[:4]
        return [f"{name}-x", count, f"{rate}/0", f"{length}x", "25:61:00", "31/02/2020", "more"]

    long = "# " + "x" * 260
    return _edited(path, record, comments=(long, "# \u00e9lectrode"))


def _numbers(path: Path) -> Path:
    def signal(k: int, f: Fields) -> Fields:
        if k:
            return f
        return [f[0], f[1], f[2], "40", f[4], str(int(f[5]) + 7), "99999", "-1", *f[8:]]

    return _edited(path, signal=signal)


def _format_and_gain(path: Path) -> Path:
    wide = str.maketrans(
        "0123456789", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19"
    )

    def signal(k: int, f: Fields) -> Fields:
        return f if k else [f[0], f[1].translate(wide), f"-{f[2]}", *f[3:]]

    return _edited(path, signal=signal)


def _one_line_more(path: Path) -> Path:
    lines = path.read_text(encoding="utf-8").splitlines()
    count = int(lines[0].split()[1])
    lines.insert(count + 1, lines[count])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _files_apart(path: Path) -> Path:
    """Put the second channel into a data file of its own, between those of the first."""
    import numpy as np

    lines = path.read_text(encoding="utf-8").splitlines()
    count = int(lines[0].split()[1])
    number = int(lines[1].split()[1])
    data = path.with_suffix(".dat")
    table = np.frombuffer(data.read_bytes(), f"<i{number // 8}").reshape(-1, count)
    other = path.with_name(f"{path.stem}b.dat")
    other.write_bytes(np.ascontiguousarray(table[:, 1]).tobytes())
    rest = [k for k in range(count) if k != 1]
    data.write_bytes(np.ascontiguousarray(table[:, rest]).tobytes())

    def signal(k: int, f: Fields) -> Fields:
        return [other.name, *f[1:]] if k == 1 else f

    return _edited(path, signal=signal)


def _segments(path: Path) -> Path:
    """Make the record one of two segments of which only one is there."""
    lines = path.read_text(encoding="utf-8").splitlines()
    name, count, rate, length = lines[0].split()[:4]
    inner = path.with_name(f"{name}_1.hea")
    body = [x for x in lines[1:] if not x.startswith("#")]
    inner.write_text("\n".join([f"{name}_1 {count} {rate} {length}", *body]) + "\n")
    more = int(length) + 5
    said = [x for x in lines[1:] if x.startswith("#")]
    whole = [f"{name}/1 {count} {rate} {more}", f"{name}_1 {length}", *said]
    path.write_text("\n".join(whole) + "\n")
    return path


def _without_rate(path: Path) -> Path:
    return _edited(path, lambda f: f[:2])


def _without_gain(path: Path) -> Path:
    def signal(k: int, f: Fields) -> Fields:
        return f if k else [*f[:2], "0/" + f[2].partition("/")[2], *f[3:8]]

    return _edited(path, signal=signal)


def _without_unit(path: Path) -> Path:
    def signal(k: int, f: Fields) -> Fields:
        return f if k else [*f[:2], f[2].partition("/")[0], *f[3:]]

    return _edited(path, signal=signal)


def _odd_unit(path: Path) -> Path:
    def signal(k: int, f: Fields) -> Fields:
        return f if k else [*f[:2], f[2].partition("/")[0] + "/furlong", *f[3:]]

    return _edited(path, signal=signal)


def _same_names(path: Path) -> Path:
    lines = path.read_text(encoding="utf-8").splitlines()
    name = lines[1].split(None, 8)[8]

    def signal(k: int, f: Fields) -> Fields:
        return [*f[:8], name] if k == 1 else f

    return _edited(path, signal=signal)


def _identifiers(path: Path) -> Path:
    said = [f"# {text}" for text in identifying_lines().values()]
    said += ["# Physician: Adam Smith", "# MRN: S-12", "# age: 95", "# seen on 12/03/2019"]
    return _edited(path, comments=tuple(said))


def _cut(path: Path) -> Path:
    data = path.with_suffix(".dat")
    whole = data.read_bytes()
    data.write_bytes(whole[: len(whole) // 2])
    return path


def _longer(path: Path) -> Path:
    with path.with_suffix(".dat").open("ab") as file:
        file.write(b"\0" * 4096)
    return path


def _empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def _garbled(path: Path) -> Path:
    return _edited(path, signal=lambda k, f: [f[0], f[1], "gain?", *f[3:]])


def _without_data(path: Path) -> Path:
    path.with_suffix(".dat").unlink()
    return path


def _outside(path: Path) -> Path:
    return _edited(path, signal=lambda k, f: [f"../{f[0]}", *f[1:]])


def _no_samples(path: Path) -> Path:
    path.with_suffix(".dat").write_bytes(b"")
    return path


def _no_frequency(path: Path) -> Path:
    return _edited(path, lambda f: [*f[:2], "0", *f[3:]])


def _too_many(path: Path) -> Path:
    return _edited(path, lambda f: [f[0], "5000", *f[2:]])


def _conformity(*names: str) -> tuple[str, ...]:
    return tuple(f"signals.conformity.{name}" for name in names)


def _structure(*names: str) -> tuple[str, ...]:
    return tuple(f"signals.structure.{name}" for name in names)


def _metadata(*names: str) -> tuple[str, ...]:
    return tuple(f"signals.metadata.{name}" for name in names)


RECORD: Final[Family] = {
    "wfdb": (
        Alternative(
            _conformity(
                "wfdb_record_name", "wfdb_record_name_differs", "wfdb_sampling_frequency",
                "wfdb_sample_count", "wfdb_base_time", "wfdb_base_date", "wfdb_record_line",
                "wfdb_line_length", "wfdb_characters",
            ),
            _record_line,
        ),
        Alternative((*_conformity("wfdb_segments"), *_structure("header_invalid")), _segments),
    )
}  # fmt: skip

SIGNALS: Final[Family] = {
    "wfdb": (
        Alternative(
            (*_conformity("wfdb_number", "wfdb_resolution", "wfdb_initial_value", "wfdb_checksum",
                          "wfdb_checksum_range"), *_structure("checksum")),
            _numbers,
        ),
        Alternative(_conformity("wfdb_format", "wfdb_gain"), _format_and_gain),
        Alternative(_conformity("wfdb_signal_count"), _one_line_more),
        Alternative(_conformity("wfdb_format_differs"), _files_apart, 3),
    )
}  # fmt: skip

MISSING: Final[Family] = {
    "wfdb": (
        Alternative(
            (*_metadata("sampling_rate_missing", "sample_count_missing"),
             *_structure("sampling_rate_default")),
            _without_rate,
        ),
        Alternative(
            (*_metadata("gain_missing", "channel_name_missing"), *_structure("gain_zero")),
            _without_gain,
        ),
        Alternative((*_metadata("unit_missing"), *_structure("unit_missing")), _without_unit),
        Alternative((*_metadata("unit_unknown"), *_structure("unit_unknown")), _odd_unit),
        Alternative(
            (*_metadata("channel_name_repeated"), *_structure("duplicate_channels")),
            _same_names, 2,
        ),
    )
}  # fmt: skip

IDENTIFYING: Final[Family] = {
    "wfdb": (
        Alternative(
            tuple(f"signals.identifier.{kind}" for kind in (
                *identifying_lines(), "staff_name", "code", "age_over_89", "date")),
            _identifiers,
        ),
    )
}  # fmt: skip

LENGTH: Final[Family] = {
    "wfdb": (
        Alternative(_structure("truncated"), _cut),
        Alternative(_structure("longer_than_declared"), _longer),
    )
}

UNREADABLE: Final[Family] = {
    "wfdb": (
        Alternative(_structure("empty_file"), _empty),
        Alternative(_structure("header_invalid"), _garbled),
        Alternative(_structure("data_file_missing"), _without_data),
        Alternative(_structure("path_outside"), _outside),
        Alternative(_structure("no_samples"), _no_samples),
        Alternative(_structure("sampling_rate_invalid"), _no_frequency),
        Alternative(_structure("too_many_samples"), _too_many),
    )
}
