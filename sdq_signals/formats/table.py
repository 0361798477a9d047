"""Tables: one row a sample, one column a channel, in CSV, TSV (plain or gzip) or Parquet.

A table is read once from front to back in batches; what is larger than `IN_MEMORY` values lies in a
temporary file without a name, so that memory stays bounded.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UnreadableItem
from sdq_core.finding import Finding
from sdq_signals.formats import side_car
from sdq_signals.formats.checks import channel, channel_findings
from sdq_signals.recording import Recording
from sdq_signals.rules import finding, unreadable
from sdq_signals.settings import SignalsSettings

__all__ = ["SUFFIXES", "column_names", "read"]

SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet")

IN_MEMORY: Final = 2**24
"""Values that are kept in memory rather than in a temporary file (64 MiB)."""
MOST_VALUES: Final = 2**30
BATCH: Final = 2**16
"""Rows in memory at a time."""
HEAD: Final = 2**18
"""Bytes in which the first line of a table ends."""
TOLERANCE: Final = 0.01
"""Greatest relative difference of the stated rate from that of the time column."""

_TIME = re.compile(
    r"(?:time|timestamp|t)(?:[ _(\[]+(s|sec|seconds|ms|us|ns)[)\]]?)?", re.IGNORECASE
)
_SECONDS: Final = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


@dataclass(frozen=True)
class _Layout:
    """Which columns are what."""

    names: list[str]
    columns: list[int]
    time: int | None
    seconds: float
    ignored: list[int]


@dataclass
class _Clock:
    """Follows the time column: first and last value, least and greatest step."""

    count: int = 0
    first: float = np.nan
    last: float = np.nan
    least: float = np.inf
    most: float = -np.inf
    typical: float = np.nan

    def add(self, times: NDArray[np.float64]) -> None:
        if not len(times):
            return
        before = [self.last] if self.count else []
        steps = np.diff(np.concatenate([before, times]))
        if not self.count:
            self.first = float(times[0])
        if len(steps):
            # A missing time makes both NaN, which no test below lets pass.
            self.least = float(np.minimum(self.least, steps.min()))
            self.most = float(np.maximum(self.most, steps.max()))
            if np.isnan(self.typical):
                known = steps[~np.isnan(steps)]
                self.typical = float(np.median(known)) if len(known) else np.nan
        self.count += len(times)
        self.last = float(times[-1])

    @property
    def step(self) -> float:
        return (self.last - self.first) / (self.count - 1) if self.count > 1 else float("nan")

    @property
    def regular(self) -> bool:
        return self.count < 2 or bool(
            self.step > 0 and self.least > 0.5 * self.step and self.most < 1.5 * self.step
        )


@dataclass
class _Spool:
    """Rows of float32 in memory, and from some size on in a file without a name."""

    width: int
    rows: int = 0
    parts: list[NDArray[np.float32]] = field(default_factory=list)
    file: IO[bytes] | None = None

    def add(self, values: NDArray[np.float32]) -> None:
        self.rows += len(values)
        if self.rows * self.width > MOST_VALUES:
            raise unreadable("too_many_samples")
        self.parts.append(values)
        if self.file is not None or self.rows * self.width > IN_MEMORY:
            if self.file is None:
                self.file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
            for part in self.parts:
                self.file.write(np.ascontiguousarray(part).tobytes())
            self.parts.clear()

    def finish(self) -> NDArray[np.float32]:
        if self.file is None:
            return np.concatenate(self.parts) if self.parts else np.empty((0, self.width), "f4")
        self.file.flush()
        # The map outlives the file.
        return np.memmap(self.file, np.float32, "r", shape=(self.rows, self.width))

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


def read(path: Path, settings: SignalsSettings | None = None) -> Recording:
    """Open a table of samples.

    Parameters
    ----------
    path : Path
        ``.csv``, ``.tsv``, either of them ``.gz``, or ``.parquet``.
    settings : SignalsSettings, optional
        Rate, unit and names where no side-car file states them.

    Returns
    -------
    Recording
        A column ``time``, ``timestamp`` or ``t`` (with its unit behind it: ``time_ms``) is no
        channel. Empty cells are NaN.

    Raises
    ------
    UnreadableItem
        No table, no numbers, no rate, or names that do not fit the columns.
    """
    known = side_car.facts(path, settings)
    names, numeric, texts = _columns(path)
    layout = _layout(names, numeric, texts, known)
    units, scales = known.unit(layout.names), known.scales(len(layout.columns))
    channels = [channel(n, u, 1.0) for n, u in zip(layout.names, units, strict=True)]
    weights = np.array([(c.factor or 1.0) * s for c, s in zip(channels, scales, strict=True)])
    spool, clock = _Spool(len(channels)), _Clock()
    wanted = layout.columns if layout.time is None else [*layout.columns, layout.time]
    try:
        for batch in _batches(path, numeric, wanted):
            with np.errstate(over="ignore"):  # what float32 does not hold counts as infinite
                spool.add((batch[:, : len(channels)] * weights).astype(np.float32))
            if layout.time is not None:
                clock.add(batch[:, -1] * layout.seconds)
        values = spool.finish()
    finally:
        spool.close()
    if not len(values):
        raise unreadable("no_samples")
    rate, found = _rate(known.rate, clock)
    whole = tuple(replace(c, rate=rate) for c in channels)
    found += channel_findings(whole)
    found += [finding("column_ignored", f"column {k + 1}") for k in layout.ignored]

    def block(first: int, last: int) -> NDArray[np.float32]:
        return np.ascontiguousarray(values[first:last].T)

    return Recording(whole, rate, len(values), "table", block, known.metadata, tuple(found))


def column_names(path: Path) -> list[str]:
    """Return the names in the first row of a table; empty where it holds numbers or is broken.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list of str
    """
    try:
        if path.suffix.lower() == ".parquet":
            import pyarrow.parquet as pq

            return list(pq.read_schema(path).names)
        cells = _first_row(path)[0]
    except Exception:  # listing goes on; opening the table will say what is wrong
        return []
    return cells if _is_header(cells) else []


def _rate(stated: float | None, clock: _Clock) -> tuple[float, list[Finding]]:
    """Return the rate that is stated, else that of the time column, and what contradicts."""
    found = []
    if not clock.regular:
        found.append(finding("time_irregular"))
    step = clock.step if clock.regular else clock.typical
    if stated is not None:
        if clock.count > 1 and abs(step * stated - 1) > TOLERANCE:
            found.append(finding("sampling_rate_invalid"))
        return stated, found
    if clock.count < 2:
        raise unreadable("sampling_rate_missing")
    if not (np.isfinite(step) and step > 0):
        raise unreadable("time_irregular")
    return float(f"{1 / step:.9g}"), found  # without the rounding of printed times


def _layout(
    names: list[str], numeric: list[bool], texts: list[bool], known: side_car.Facts
) -> _Layout:
    """Decide which columns are channels and which one is the time."""
    asked = list(known.channels or ())
    if asked and set(asked) <= set(names):
        columns = [names.index(n) for n in asked]
        if not all(numeric[k] for k in columns):
            raise unreadable(
                "not_a_recording", "a channel's column holds no numbers; choose other channels"
            )
    else:
        columns = []
    clocks = [k for k, n in enumerate(names) if _TIME.fullmatch(n.strip()) and k not in columns]
    time = clocks[0] if clocks and (numeric[clocks[0]] or texts[clocks[0]]) else None
    ignored: list[int] = []
    if not columns:
        columns = [k for k in range(len(names)) if numeric[k] and k != time]
        ignored = [k for k in range(len(names)) if not numeric[k] and k != time]
        if not columns:
            raise unreadable("not_a_recording", "the table has no column of numbers; give one")
        if asked and len(asked) != len(columns):
            raise unreadable("channel_names")
    shown = asked or [names[k] for k in columns]
    seconds = 1.0
    if time is not None and numeric[time]:
        match = _TIME.fullmatch(names[time].strip())
        unit = known.time_unit or (match[1] if match else None) or "s"
        seconds = _SECONDS[unit.lower()]
    return _Layout(shown, columns, time, seconds, ignored)


def _first_row(path: Path) -> tuple[list[str], str]:
    """Return the cells of the first line and the delimiter."""
    import pyarrow as pa

    with pa.input_stream(str(path), compression="detect") as stream:
        data = stream.read(HEAD)
    if not data.strip():
        raise unreadable("empty_file" if not data else "no_samples")
    line = data.decode("utf-8-sig", "replace").splitlines()[0]
    if "\0" in line or (len(data) == HEAD and len(line) >= HEAD // 2):
        raise unreadable("not_a_recording")
    tab = path.name.lower().removesuffix(".gz").endswith(".tsv")
    mark = "\t" if tab else (";" if ";" in line and "," not in line else ",")
    return [cell.strip() for cell in next(csv.reader([line], delimiter=mark))], mark


def _is_header(cells: list[str]) -> bool:
    def number(text: str) -> bool:
        try:
            float(text or "nan")
        except ValueError:
            return False
        return True

    return not all(number(c) for c in cells)


def _columns(path: Path) -> tuple[list[str], list[bool], list[bool]]:
    """Return names, which columns are numbers, and which are moments in time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with _complaints():
        if path.suffix.lower() == ".parquet":
            schema = pq.read_schema(path)
            names = list(schema.names)
        else:
            cells, _ = _first_row(path)
            header = _is_header(cells)
            names = cells if header else [f"channel {k + 1}" for k in range(len(cells))]
            with _csv(path, {}, None) as reader:
                schema = reader.schema
        types = [schema.field(k).type for k in range(len(schema))]
    numeric = [
        pa.types.is_integer(t) or pa.types.is_floating(t) or pa.types.is_null(t)
        or pa.types.is_decimal(t)
        for t in types
    ]  # fmt: skip
    moments = [pa.types.is_timestamp(t) for t in types]
    if len(names) != len(types):
        raise unreadable("not_a_recording", "the rows of the table differ in length; correct them")
    return names, numeric, moments


def _csv(path: Path, types: dict[str, Any], wanted: list[str] | None) -> Any:
    import pyarrow.csv as pacsv

    cells, mark = _first_row(path)
    options = pacsv.ConvertOptions(
        column_types=types,
        include_columns=wanted,
        null_values=["", "NA", "N/A", "null", "NaN", "nan"],
        strings_can_be_null=False,
    )
    return pacsv.open_csv(
        str(path),
        pacsv.ReadOptions(
            column_names=[str(k) for k in range(len(cells))],
            skip_rows=int(_is_header(cells)),
            block_size=2**21,
            use_threads=False,
        ),
        pacsv.ParseOptions(delimiter=mark),
        options,
    )


def _batches(path: Path, numeric: list[bool], wanted: list[int]) -> Iterator[NDArray[np.float64]]:
    """Read some columns as float64, a batch of rows at a time; moments become seconds."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    origin: list[int] = []
    with _complaints():
        if path.suffix.lower() == ".parquet":
            with pq.ParquetFile(path) as file:
                leaves = file.schema_arrow.names
                names = [leaves[k] for k in wanted]
                for batch in file.iter_batches(BATCH, columns=names):
                    yield np.stack([_floats(batch.column(n), origin) for n in names], axis=1)
        else:
            types = {str(k): pa.float64() for k in wanted if numeric[k]}
            with _csv(path, types, [str(k) for k in wanted]) as reader:
                for batch in reader:
                    if batch.num_rows:
                        yield np.stack([_floats(c, origin) for c in batch.columns], axis=1)


def _floats(column: Any, origin: list[int]) -> NDArray[np.float64]:
    """Return numbers; moments as seconds after the first one, which stays in `origin`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    seconds = 1.0
    if pa.types.is_timestamp(column.type):
        seconds = _SECONDS[column.type.unit]
        column = column.cast(pa.int64())
        if not origin:
            origin.extend(column.drop_null()[:1].to_pylist())
        # Nanoseconds since 1970 do not fit a double, those since the start of a recording do.
        column = pc.subtract(column, origin[0] if origin else 0)
    values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.asarray(values, np.float64) * seconds


@contextmanager
def _complaints() -> Iterator[None]:
    """Turn whatever a broken table raises into an unreadable item."""
    import pyarrow as pa

    try:
        yield
    except (UnreadableItem, PermissionError, FileNotFoundError):
        raise
    except (pa.ArrowException, ValueError, OSError, KeyError, csv.Error) as error:
        raise unreadable(
            "not_a_recording",
            f"the table cannot be read ({type(error).__name__}): rows of one length and "
            "numbers are needed; write it again",
        ) from error
