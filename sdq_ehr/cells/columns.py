"""One column: survey how it is written, then read all its cells in that one way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sdq_ehr.cells.dates import Calendar, DateSurvey, parse_dates
from sdq_ehr.cells.numbers import NumberSurvey, Style, parse_numbers
from sdq_ehr.cells.texts import Cleaned, Mask, clean, distinct, mask
from sdq_ehr.dataset import ARROW_TYPES
from sdq_ehr.schema import MISSING, Column

__all__ = [
    "BOOLEANS", "Cells", "Manner", "Parsed", "Survey", "parse_cells", "parse_column", "prepare",
]  # fmt: skip

BOOLEANS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "1.0", "是", "有", "真"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "0.0", "否", "无", "假"), False),
}
"""Text in small letters -> truth."""

_INTEGER: Final = r"^[+-]?\d{1,18}$"
_ZERO_FRACTION: Final = r"^-?\d+\.0+$"
_NAMES: Final = ("identifier", "code", "category")
"""Types of which 250.0 in a column of floats is 250."""


@dataclass(frozen=True)
class Manner:
    """How the cells of a column are read.

    Parameters
    ----------
    style : Style
        Of numbers.
    calendar : Calendar
        Of dates.
    float_code : bool
        Whether a zero fraction is taken off all codes (250.0).
    """

    style: Style = field(default_factory=Style)
    calendar: Calendar = field(default_factory=Calendar)
    float_code: bool = False

    @property
    def rules(self) -> tuple[str, ...]:
        """Rules that the column as a whole breaks."""
        own = ("float_code",) if self.float_code else ()
        return (*self.style.rules, *self.calendar.rules, *own)


@dataclass(frozen=True)
class Parsed:
    """A column after reading.

    Parameters
    ----------
    values : pyarrow.Array
        In the type of `ARROW_TYPES`; null where missing or unreadable.
    rows : mapping of str to ndarray of bool
        Rule -> rows that break it.
    padded : bool
        Whether blanks were taken off.
    several : bool
        Whether the cells hold different texts; not known (true) of native values.
    """

    values: pa.Array
    rows: Mapping[str, Mask]
    padded: bool = False
    several: bool = True


class Survey:
    """Looks at the cells of a column, block by block, and decides how to read them.

    Parameters
    ----------
    column : Column
    missing : sequence of str
    date_order, decimal : str
        Those of the schema; the column's own come first.

    Examples
    --------
    >>> survey = Survey(Column(type="code"))
    >>> survey.add(pa.array(["250.0", "401.0"]))
    >>> survey.conclude().float_code
    True
    """

    def __init__(
        self,
        column: Column,
        missing: Sequence[str] = MISSING,
        date_order: str = "auto",
        decimal: str = "auto",
    ) -> None:
        self._column = column
        self._missing = tuple(missing)
        self._order = column.date_order or date_order
        self._decimal = column.decimal or decimal
        self._numbers = NumberSurvey()
        self._dates = DateSurvey()
        self._zero = self._other = 0

    def add(self, values: pa.ChunkedArray | pa.Array) -> None:
        """Count the forms of some cells."""
        self.look(prepare(values, self._column, self._missing))

    def look(self, cells: Cells | Parsed) -> None:
        """Count the forms of some cells that are prepared already."""
        if isinstance(cells, Parsed):
            return
        kind, texts = self._column.type, cells.cleaned.values
        if kind in ("number", "integer"):
            self._numbers.add(texts)
        elif kind in ("date", "datetime"):
            self._dates.add(texts)
        elif kind in _NAMES:
            zero = mask(pc.match_substring_regex(texts, _ZERO_FRACTION))
            self._zero += int(zero.sum())
            self._other += int((mask(pc.is_valid(texts)) & ~zero).sum())

    def conclude(self) -> Manner:
        """Decide on the column."""
        kind = self._column.type
        if kind in ("number", "integer"):
            return Manner(style=self._numbers.conclude(self._decimal))
        if kind in ("date", "datetime"):
            return Manner(calendar=self._dates.conclude(self._order, date_only=kind == "date"))
        return Manner(float_code=self._zero > 0 and not self._other)


@dataclass(frozen=True)
class Cells:
    """Cells of a column by their distinct texts.

    Parameters
    ----------
    cleaned : Cleaned
    index : ndarray, shape (n,), intp
        Which text each cell holds; -1 for none.
    lost : ndarray, shape (n,), bool
        Native values that have no text.
    """

    cleaned: Cleaned
    index: NDArray[np.intp]
    lost: Mask


def prepare(
    values: pa.ChunkedArray | pa.Array, column: Column, missing: Sequence[str] = MISSING
) -> Cells | Parsed:
    """Reduce cells to their distinct texts; what has the wanted type already is read at once.

    Parameters
    ----------
    values : pyarrow array, length n
        Texts, or values of a type of their own (Parquet, frames).
    column : Column
    missing : sequence of str
    """
    kind = column.type
    lost = np.zeros(len(values), bool)
    if not _is_text(values.type):
        native = _native(values, kind)
        if native is not None:
            return native
        values, lost = _as_text(values, kind)
    texts, index = distinct(values)
    return Cells(clean(texts, kind, missing), index, lost)


def parse_column(
    values: pa.ChunkedArray | pa.Array,
    column: Column,
    manner: Manner,
    missing: Sequence[str] = MISSING,
) -> Parsed:
    """Read the cells of a column.

    Parameters
    ----------
    values, column, missing
        As in `prepare`.
    manner : Manner

    Examples
    --------
    >>> parsed = parse_column(pa.array(["7", "x", "."]), Column(type="integer"), Manner())
    >>> parsed.values.to_pylist(), parsed.rows["type"].tolist()
    ([7, None, None], [False, True, False])
    """
    return parse_cells(prepare(values, column, missing), column, manner)


def parse_cells(cells: Cells | Parsed, column: Column, manner: Manner) -> Parsed:
    """Read cells that are prepared already.

    Parameters
    ----------
    cells : Cells or Parsed
        Of `prepare`.
    column : Column
    manner : Manner
    """
    if isinstance(cells, Parsed):
        return cells
    rows: dict[str, Mask] = {"type": cells.lost} if cells.lost.any() else {}
    cleaned, index = cells.cleaned, cells.index
    made, bad = _read(cleaned.values, column.type, manner)
    if cleaned.full_width.any():
        rows["full_width"] = _spread(cleaned.full_width, index)
    for rule, marked in bad.items():
        if marked.any():
            rows[rule] = rows.get(rule, False) | _spread(marked, index)
    absent = index < 0
    at = pa.array(index, mask=absent) if absent.any() else pa.array(index)
    return Parsed(made.take(at), rows, bool(cleaned.padded.any()), len(made) > 1)


def _read(texts: pa.Array, kind: str, manner: Manner) -> tuple[pa.Array, dict[str, Mask]]:
    """Read distinct cleaned texts; return values and the texts that break a rule."""
    if kind == "number":
        values, bad = parse_numbers(texts, manner.style)
        return values, {"type": bad}
    if kind == "integer":
        return _integers(texts, manner.style)
    if kind in ("date", "datetime"):
        values, bad = parse_dates(texts, manner.calendar)
        if kind == "date":
            days = pc.floor_temporal(values, unit="day")
            return days.cast(pa.date32()), {"type": bad}
        return values, {"type": bad}
    if kind == "boolean":
        low = pc.utf8_lower(texts)
        at = pc.index_in(low, value_set=pa.array(list(BOOLEANS), pa.string()), skip_nulls=True)
        values = pa.array(list(BOOLEANS.values()), pa.bool_()).take(at)
        return values, {"type": mask(pc.is_valid(texts)) & ~mask(pc.is_valid(values))}
    if manner.float_code:
        texts = pc.replace_substring_regex(texts, r"\.0+$", "")
    return texts, {}


def _integers(texts: pa.Array, style: Style) -> tuple[pa.Array, dict[str, Mask]]:
    whole = mask(pc.match_substring_regex(texts, _INTEGER))
    exact = pc.if_else(pa.array(whole), pc.utf8_ltrim(texts, "+"), pa.scalar(None, pa.string()))
    values = exact.cast(pa.int64())
    if whole.sum() == mask(pc.is_valid(texts)).sum():
        return values, {}
    numbers, bad = parse_numbers(texts, style)
    near = np.asarray(pc.fill_null(numbers, 0.5).to_numpy(zero_copy_only=False))
    large = ~whole & ~bad & (np.abs(near) >= 2.0**53)
    fraction = ~whole & ~bad & ~large & mask(pc.is_valid(texts)) & (near != np.round(near))
    # A fraction is a fault of the number's form: missing it is not, so the nearest number stands.
    rounded = pa.array(np.where(whole | large | bad, 0, np.round(near)).astype(np.int64))
    usable = ~whole & ~bad & ~large & mask(pc.is_valid(texts))
    values = pc.if_else(pa.array(usable), rounded, values)
    return values, {"type": (bad & ~whole) | large, "fraction": fraction}


def _native(values: pa.ChunkedArray | pa.Array, kind: str) -> Parsed | None:
    """Read values that already have the type which the column asks for, or a near one."""
    made, source = None, values.type
    if kind == "number" and (pa.types.is_floating(source) or pa.types.is_integer(source)):
        made = pc.cast(values, pa.float64(), safe=False)
        finite = pc.is_finite(made)
        lost = mask(_whole(pc.invert(pc.or_(finite, pc.is_nan(made)))))
        made = pc.if_else(finite, made, pa.scalar(None, pa.float64()))
        return Parsed(_whole(made), {"type": lost} if lost.any() else {})
    if kind == "number" and pa.types.is_decimal(source):
        made = values.cast(pa.float64())
    elif kind == "integer" and pa.types.is_integer(source) and source != pa.uint64():
        made = values.cast(pa.int64())
    elif kind == "boolean" and pa.types.is_boolean(source):
        made = values
    elif kind in ("date", "datetime") and pa.types.is_date(source):
        made = values.cast(ARROW_TYPES[kind])
    elif kind in ("date", "datetime") and pa.types.is_timestamp(source):
        local = pc.local_timestamp(values) if source.tz else values
        made = pc.cast(local, pa.timestamp("us"), safe=False)
        if kind == "date":
            made = pc.floor_temporal(made, unit="day").cast(pa.date32())
    return None if made is None else Parsed(_whole(made), {})


def _as_text(values: pa.ChunkedArray | pa.Array, kind: str) -> tuple[pa.Array, Mask]:
    """Write native values as the texts that a CSV file would hold, and mark those without one."""
    array, source = _whole(values), values.type
    none = np.zeros(len(array), bool)
    if pa.types.is_dictionary(source):
        array = array.cast(source.value_type)
        return (array.cast(pa.string()), none) if _is_text(array.type) else _as_text(array, kind)
    if pa.types.is_floating(source):
        # Arrow writes 250.0 as "250"; a float column of codes must be seen as one.
        plain = np.asarray(array.cast(pa.float64()).to_numpy(zero_copy_only=False))
        seen, index = np.unique(plain, return_inverse=True)
        texts = ["" if np.isnan(v) else repr(float(v)) for v in seen]
        if kind in _NAMES:
            texts = [
                f"{int(v)}.0" if np.isfinite(v) and v == int(v) and abs(v) < 2**63 else t
                for v, t in zip(seen, texts, strict=True)
            ]
        return pa.array(texts, pa.string()).take(pa.array(index.ravel())), none
    try:
        return array.cast(pa.string()), none
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):  # lists, structures, raw bytes
        return pa.nulls(len(array), pa.string()), mask(pc.is_valid(array))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind))


def _whole(values: pa.ChunkedArray | pa.Array) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _spread(marked: Mask, index: NDArray[np.intp]) -> Mask:
    """Bring marks of distinct texts to the cells."""
    return np.append(marked, False)[index]
