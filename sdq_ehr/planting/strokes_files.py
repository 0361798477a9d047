"""Strokes against the rules about columns and files."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from sdq_ehr.formats import arrow
from sdq_ehr.formats.delimited_layout import Layout
from sdq_ehr.formats.omop import omop_fields
from sdq_ehr.planting.plot import CannotPlant, Index, Plot, Rng
from sdq_ehr.planting.strokes import Planting, Recipe, Stroke, chosen, first_rows, no_place

__all__ = ["column_strokes", "file_recipes", "line_strokes"]


# -- columns -------------------------------------------------------------------------------------


def column_strokes() -> dict[str, Stroke]:
    """Return the strokes against the rules about columns, of tables and of OMOP."""
    found: dict[str, Planting] = {
        "ehr.structure.missing_column": _without_column,
        "ehr.structure.extra_column": partial(_with_column, False),
        "ehr.structure.duplicate_column": partial(_with_column, True),
        "ehr.structure.empty_column": partial(_uniform, True),
        "ehr.structure.constant_column": partial(_uniform, False),
        "ehr.conformity.field_missing": _without_field,
        "ehr.conformity.field_unknown": _with_field,
    }
    minor = ("empty_column", "constant_column")
    return {r: Stroke(r, p, minor=r.endswith(minor)) for r, p in found.items()}


def _tables_only(plot: Plot, omop: bool = False) -> None:
    if plot.is_fhir or (plot.schema.model == "omop") != omop:
        raise no_place("table of OMOP" if omop else "table whose columns the schema names",
                       "OMOP 表" if omop else "由模式列出各列的表")  # fmt: skip


def _droppable(plot: Plot) -> list[tuple[str, str]]:
    return [
        (t, c) for t, c in plot.places()
        if plot.about(t, c).meaning not in ("class", "sex", "birth")
        and c != plot.definition(t).time and (t, c) not in plot.columns_gone
        and (t, c) not in plot.texts
    ]  # fmt: skip


def _without_column(plot: Plot, patients: Index, rng: Rng) -> Plot:
    _tables_only(plot)
    places = _droppable(plot)
    if len(places) < 2:
        raise no_place("column that could be left out", "可去除的列")
    gone = places[int(rng.integers(len(places)))]
    return replace(plot, columns_gone=plot.columns_gone | {gone})


def _with_column(twice: bool, plot: Plot, patients: Index, rng: Rng) -> Plot:
    _tables_only(plot)
    table = next(iter(plot.origin.files))
    file = plot.origin.files[table].lower()
    if twice and file.endswith(arrow.SUFFIXES):
        raise no_place("delimited file, in which two columns can have one name", "分隔文本文件")
    count = plot.sample.tables[table].num_rows
    more = {**plot.columns_more.get(table, {})}
    if not twice:
        more["not in the schema"] = [str(int(v)) for v in rng.integers(0, 9, count)]
        return replace(plot, columns_more={**plot.columns_more, table: more})
    # Arrow allows one name only once: the header is written anew in the file itself.
    gone = {plot.origin.sources[t][c] for t, c in plot.columns_gone if t == table}
    name = next(c for c in plot.origin.cells[table].column_names if c not in gone)
    more["\0again"] = [str(k) for k in range(count)]
    plot = replace(plot, columns_more={**plot.columns_more, table: more})
    return plot.with_file_edit(partial(_edit_text, plot.origin.files[table],
                                       partial(_header_twice, name)))  # fmt: skip


def _header_twice(name: str, text: str) -> str:
    return text.replace("\0again", name, 1)


def _uniform(empty: bool, plot: Plot, patients: Index, rng: Rng) -> Plot:
    _tables_only(plot)
    for table, column in reversed(_droppable(plot)):
        about = plot.about(table, column)
        values = plot.values(table, column)
        if about.required or about.type == "code" or (empty and about.meaning == "value"):
            continue
        known = next((v for v in values if v is not None), None)
        new = None if empty else known
        if len(values) > 1 and len(set(values)) > 1:
            return plot.with_cells(table, column, dict.fromkeys(range(len(values)), new))
    raise no_place("column whose values differ", "取值不一的列")


def _without_field(plot: Plot, patients: Index, rng: Rng) -> Plot:
    _tables_only(plot, omop=True)
    for table in plot.origin.files:
        for name, field in omop_fields().get(table, {}).items():
            there = name in plot.origin.sources.get(table, {})
            if field.required and there and name not in plot.keys(table) and field.type != "date":
                return replace(plot, columns_gone=plot.columns_gone | {(table, name)})
    raise no_place("required field", "必填字段")


def _with_field(plot: Plot, patients: Index, rng: Rng) -> Plot:
    _tables_only(plot, omop=True)
    table = plot.schema.home
    count = plot.sample.tables[table].num_rows
    more = {**plot.columns_more.get(table, {}), "shoe_size": ["42"] * count}
    return replace(plot, columns_more={**plot.columns_more, table: more})


# -- files ---------------------------------------------------------------------------------------


def _edit_text(
    file: str, change: Callable[[str], str], folder: Path, encoding: str = "utf-8"
) -> None:
    _edit_bytes(file, lambda data: change(data.decode(encoding)).encode(encoding), folder)


def _edit_bytes(file: str, change: Callable[[bytes], bytes], folder: Path) -> None:
    path = folder / file
    data = path.read_bytes()
    packed = path.name.lower().endswith(".gz")
    new = change(gzip.decompress(data) if packed else data)
    path.write_bytes(gzip.compress(new, mtime=0) if packed else new)


def line_strokes() -> dict[str, Stroke]:
    """Return the strokes against the rules about the lines and signs of delimited files.

    What can stand in one file together is planted in one: lines and bytes in the first, quotation
    marks and delimiters in the second, another encoding in the third.
    """
    found: dict[str, tuple[int, Change]] = {
        "ragged_row": (0, _ragged), "ragged_rows": (0, _very_ragged),
        "encoding_unknown": (0, _no_text), "quote_open": (1, _unclosed),
        "delimiter_guessed": (1, _other_sign), "row_names": (2, _row_names),
        "encoding_guessed": (2, _other_encoding),
    }  # fmt: skip
    minor = ("encoding_guessed", "delimiter_guessed", "row_names")
    return {
        f"ehr.structure.{r}": Stroke(
            f"ehr.structure.{r}", partial(_changed_file, change, place), minor=r in minor
        )
        for r, (place, change) in found.items()
    }  # fmt: skip


Change = Callable[[bytes, Layout, int], bytes]


def _changed_file(change: Change, place: int, plot: Plot, patients: Index, rng: Rng) -> Plot:
    """Change one of the delimited files; that of the patients only where it is the only one."""
    places = sorted(
        (
            (t, f)
            for t, f in plot.origin.files.items()
            if t in plot.origin.layouts and not plot.schema.is_dictionary(t)
        ),
        key=lambda p: (p[0] == plot.schema.home, -plot.sample.tables[p[0]].num_rows),
    )
    if place >= len(places):
        raise no_place("further delimited file", "其他分隔文本文件")
    table, file = places[place]
    layout = plot.origin.layouts[table]
    if layout.encoding not in ("utf-8", "utf-8-sig"):
        raise no_place("delimited file in UTF-8", "UTF-8 编码的分隔文本文件")
    count = max(1, len(first_rows(plot, table, patients)))

    def edit(data: bytes) -> bytes:
        return change(data, layout, count)

    return plot.with_file_edit(partial(_edit_named, file=file, edit=edit))


def _edit_named(folder: Path, *, file: str, edit: Callable[[bytes], bytes]) -> None:
    _edit_bytes(file, edit, folder)


def _spread(lines: Sequence[bytes], count: int) -> list[int]:
    """Return places of some lines behind the header, evenly over the file."""
    last = len(lines) - 1
    return sorted({1 + int(k * max(1, last - 1) / count) for k in range(count)} & set(range(last)))


def _ragged(data: bytes, layout: Layout, count: int, most: int = 19) -> bytes:
    lines = data.split(b"\r\n")
    for k in _spread(lines, min(count, most)):
        lines[k] += layout.delimiter.encode() + b"one cell more"
    return b"\r\n".join(lines)


def _very_ragged(data: bytes, layout: Layout, count: int) -> bytes:
    return _ragged(data, layout, max(count, 25), 10**9)


def _no_text(data: bytes, layout: Layout, count: int) -> bytes:
    lines = data.split(b"\r\n")
    for k in _spread(lines, min(count, 10**9)):
        lines[k] = lines[k][:-1] + b"\xff\xfe"
    return b"\r\n".join(lines)


def _unclosed(data: bytes, layout: Layout, count: int) -> bytes:
    lines = data.split(b"\r\n")
    place = max(1, len(lines) - 3)
    cells = lines[place].split(layout.delimiter.encode())
    cells[-1] = b'"' + cells[-1]
    lines[place] = layout.delimiter.encode().join(cells)
    return b"\r\n".join(lines)


def _other_encoding(data: bytes, layout: Layout, count: int) -> bytes:
    text = data.decode(layout.encoding)
    first, _, rest = text.partition("\r\n")
    lines = rest.split("\r\n")
    cells = lines[0].split(layout.delimiter)
    cells[-1] = "合成数据"
    lines[0] = layout.delimiter.join(cells)
    return "\r\n".join([first, *lines]).encode("gb18030")


def _other_sign(data: bytes, layout: Layout, count: int) -> bytes:
    return data.replace(layout.delimiter.encode(), b"|")


def _row_names(data: bytes, layout: Layout, count: int) -> bytes:
    head, *lines = data.split(b"\r\n")
    sign = layout.delimiter.encode()
    return b"\r\n".join([head, *(str(k).encode() + sign + line if line else line
                                for k, line in enumerate(lines))])  # fmt: skip


# -- whole files ---------------------------------------------------------------------------------


def file_recipes() -> dict[str, Recipe]:
    """Return how files as a whole are planted with defects: defect -> recipe.

    The severity is the share of the files; at least one.
    """
    return {
        "file-missing-table": partial(_files, _removed),
        "file-empty-file": partial(_files, _emptied),
        "file-not-a-table": partial(_files, _garbled),
        "file-header-only": _rows_lost,
        "file-strangers": _strangers,
    }


def _files(
    change: Callable[[Path], None], plot: Plot, train: Plot, severity: float, rng: Rng
) -> Plot:
    files = [f for t, f in plot.origin.files.items() if t != plot.schema.home]
    if not files:
        raise no_place("file beside that of the patients", "患者表以外的文件")
    for k in chosen(len(files), severity, rng).tolist():
        plot = plot.with_file_edit(partial(_apply, file=files[k], change=change))
    return plot


def _strangers(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Put files beside those of the schema: strange ones, twins, and links that lead away."""
    files = list(plot.origin.files.values())
    if not files or plot.origin.single:
        raise no_place("folder of tables", "表格文件夹")
    for k in chosen(len(files), severity, rng).tolist():
        for change in (_stranger, _twin, partial(_linked, True), partial(_linked, False)):
            plot = plot.with_file_edit(partial(_apply, file=files[k], change=change))
    return plot


def _apply(folder: Path, *, file: str, change: Callable[[Path], None]) -> None:
    change(folder / file)


def _removed(path: Path) -> None:
    path.unlink()


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _garbled(path: Path) -> None:
    data = b"\x00\x01PK not a table \x00" * 40
    path.write_bytes(gzip.compress(data, mtime=0) if path.name.endswith(".gz") else data)


def _stranger(path: Path) -> None:
    stem = path.name.partition(".")[0]
    (path.parent / f"more of {stem}.csv").write_text("a,b\r\n1,2\r\n", encoding="utf-8")


def _twin(path: Path) -> None:
    stem = path.name.partition(".")[0]
    (path.parent / f"{stem}.{'tsv' if '.csv' in path.name else 'csv'}").write_bytes(
        path.read_bytes() if ".csv" in path.name else b"a,b\r\n1,2\r\n"
    )


def _linked(outside: bool, path: Path) -> None:
    stem = path.name.partition(".")[0]
    try:
        if outside:
            (path.parent / f"{stem}-elsewhere.csv").symlink_to(os.devnull)
        else:
            (path.parent / f"{stem}-again").symlink_to(".", target_is_directory=True)
    except OSError as error:
        raise CannotPlant(
            f"the file system makes no links ({type(error).__name__})",
            f"文件系统不支持链接 ({type(error).__name__})",
        ) from error


def _rows_lost(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    tables = [t for t in plot.events() if t != plot.schema.home and t in plot.origin.files]
    if not tables:
        raise no_place("table beside that of the patients", "患者表以外的表")
    for k in chosen(len(tables), severity, rng).tolist():
        count = plot.sample.tables[tables[k]].num_rows
        plot = plot.without_rows(tables[k], list(range(count)))
    return plot
