"""What can be broken in arrays and tables, and around the files of any format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from sdq_signals.planting.breaks import Alternative, Family
from sdq_signals.planting.write_array import archive
from sdq_signals.planting.write_table import stem_of

__all__ = ["AROUND", "COLUMNS", "LINKS", "MISSING", "SIDE_CARS", "UNREADABLE"]

EVERY: Final = ("wfdb", "edf", "bdf", "dicom", "table", "array")


def _beside(path: Path) -> Path:
    """Return the side-car file of a table or an array."""
    return path.with_name(f"{stem_of(path)}.yaml")


def _facts(edit: Callable[[dict[str, Any]], None]) -> Callable[[Path], Path]:
    """Return what edits the facts of an array or a table, where they stand."""

    def apply(path: Path) -> Path:
        if path.suffix == ".npz":
            with np.load(path) as held:
                arrays: dict[str, Any] = dict(held)
            edit(arrays)
            path.write_bytes(archive(arrays))
            return path
        car = _beside(path)
        facts = yaml.safe_load(car.read_text(encoding="utf-8")) if car.is_file() else {}
        edit(facts)
        car.write_text(yaml.safe_dump(facts, sort_keys=True), encoding="utf-8")
        return path

    return apply


def _dropped(*names: str) -> Callable[[dict[str, Any]], None]:
    def edit(facts: dict[str, Any]) -> None:
        for name in names:
            facts.pop(name, None)

    return edit


def _put(**more: Any) -> Callable[[dict[str, Any]], None]:
    def edit(facts: dict[str, Any]) -> None:
        facts.update(more)

    return edit


def _one_name_more(facts: dict[str, Any]) -> None:
    facts["channels"] = [*(str(n) for n in facts["channels"]), "one more"]


def _same_names(facts: dict[str, Any]) -> None:
    names = [str(n) for n in facts["channels"]]
    facts["channels"] = [names[0], names[0], *names[2:]]


def _odd_units(facts: dict[str, Any]) -> None:
    facts["units"] = ["furlong"] * len(facts["channels"])


def _pickled(path: Path) -> Path:
    with np.load(path) as held:
        arrays: dict[str, Any] = dict(held)
    from io import BytesIO

    buffer = BytesIO()
    count = len(next(iter(arrays.values())))
    np.savez(buffer, **arrays, label=np.array([{"a": 1}] * count, dtype=object))
    path.write_bytes(buffer.getvalue())
    return path


def _encrypted(path: Path) -> Path:
    """Mark all members of an archive as encrypted, as a zip program with a password does."""
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + place] |= 1
            at = data.find(mark, at + 4)
    path.write_bytes(bytes(data))
    return path


def _cut(path: Path) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def _empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def _no_car(path: Path) -> None:
    _beside(path).unlink()


def _broken_car(path: Path) -> Path:
    _beside(path).write_text("sampling_rate: [", encoding="utf-8")
    return path


def _table(path: Path, edit: Callable[[list[str]], list[str]]) -> Path:
    """Edit the lines of a table in plain CSV or TSV."""
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(edit(lines)) + "\n", encoding="utf-8")
    return path


def _uneven(path: Path) -> Path:
    """Let the clock stand still and jump, and add a column of notes."""
    mark = "\t" if path.suffix == ".tsv" else ","

    def edit(lines: list[str]) -> list[str]:
        clock = lines[0].split(mark, 1)[0].lower().startswith("t")
        rows = [x.split(mark, 1)[1] for x in lines] if clock else lines
        return [
            f"time{mark}{rows[0]}{mark}note",
            *(f"{k // 2 * 7 / 100:g}{mark}{rest}{mark}ok" for k, rest in enumerate(rows[1:])),
        ]

    return _facts(_dropped("channels"))(_table(path, edit))


def _stray(path: Path) -> Path:
    """Put a file of another program in the recording's place."""
    for beside in path.parent.glob(f"{stem_of(path) or path.stem}*"):
        if beside != path:
            beside.unlink()
    other = path.with_name(f"{path.name.split('.')[0]}.bin")
    path.unlink()
    other.write_bytes(b"\x00\x01 no recording")
    return other


def _leads_out(path: Path) -> Path:
    """Put a link in the recording's place that leads out of the cohort's folder."""
    _removed(path)
    path.symlink_to(path.parent.parent)
    return path


def _leads_nowhere(path: Path) -> Path:
    """Put a link in the recording's place that leads to itself."""
    _removed(path)
    path.symlink_to(path)
    return path


def _removed(path: Path) -> None:
    """Take a recording away; a table's side-car stays, which says that it was one."""
    kept = _beside(path) if stem_of(path) else None
    for beside in path.parent.glob(f"{path.name.split('.')[0]}.*"):
        if beside != kept:
            beside.unlink()


def _ids(*names: str) -> tuple[str, ...]:
    return tuple(f"signals.structure.{name}" for name in names)


AROUND: Final[Family] = {name: (Alternative(_ids("not_a_recording"), _stray),) for name in EVERY}

LINKS: Final[Family] = {
    name: (
        Alternative(_ids("link_outside"), _leads_out),
        Alternative(_ids("link_loop"), _leads_nowhere),
    )
    for name in EVERY
}

SIDE_CARS: Final[Family] = {
    "table": (
        Alternative(_ids("side_car_invalid"), _broken_car),
        Alternative(_ids("channel_names"), _facts(_one_name_more)),
        Alternative(_ids("sampling_rate_missing"), _facts(_dropped("sampling_rate"))),
    ),
    "array": (
        Alternative(_ids("channel_names"), _facts(_one_name_more)),
        Alternative(_ids("sampling_rate_missing"), _facts(_dropped("sampling_rate"))),
        Alternative(_ids("sampling_rate_invalid"), _facts(_put(sampling_rate=-1.0))),
    ),
}

MISSING: Final[Family] = {
    "table": (
        Alternative(_ids("unit_missing"), _facts(_dropped("units"))),
        Alternative(_ids("unit_unknown"), _facts(_odd_units)),
    ),
    "array": (
        Alternative(_ids("unit_missing"), _facts(_dropped("units"))),
        Alternative(_ids("unit_unknown"), _facts(_odd_units)),
        Alternative(_ids("names_missing"), _facts(_dropped("channels"))),
        Alternative(_ids("duplicate_channels"), _facts(_same_names), 2),
    ),
}

COLUMNS: Final[Family] = {
    "table": (Alternative(_ids("time_irregular", "column_ignored"), _uneven),)
}

UNREADABLE: Final[Family] = {
    "array": (
        Alternative(_ids("empty_file"), _empty),
        Alternative(_ids("truncated"), _cut),
        Alternative(_ids("encrypted"), _encrypted),
        Alternative(_ids("unsupported"), _pickled),
    ),
    "table": (
        Alternative(_ids("empty_file"), _empty),
        Alternative(_ids("table_passed_over"), _no_car),
    ),
}
