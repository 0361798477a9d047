"""Takes items of real cohorts as records that can be changed and written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sdq_core.calibration.defect import Member
from sdq_core.errors import UnreadableItem, UsageError
from sdq_core.study import CohortSource
from sdq_ehr.dataset import Dataset
from sdq_ehr.defects import Sample
from sdq_ehr.formats import arrow, delimited
from sdq_ehr.formats.delimited_layout import Layout
from sdq_ehr.formats.fhir_elements import as_list, as_map, as_text, reference_key
from sdq_ehr.parsing import match_columns
from sdq_ehr.planting.identities import TAG, classes_of
from sdq_ehr.planting.plot import ROW, Index, Origin, Plot
from sdq_ehr.reading import open_dataset
from sdq_ehr.records import item_ids
from sdq_ehr.schema import Schema
from sdq_ehr.settings import EhrSettings
from sdq_ehr.sources import Source, read_raw

__all__ = ["Part", "joined", "plot_of"]


class Part:
    """One real cohort, read once: its tables, cells and resources.

    Parameters
    ----------
    source : CohortSource
    settings : EhrSettings
        With the schema in it.

    Raises
    ------
    InputError, StudyError
        As `open_dataset`.
    """

    def __init__(self, source: CohortSource, settings: EhrSettings) -> None:
        self.dataset: Dataset = open_dataset(source.path, settings)
        self.schema: Schema = self.dataset.schema
        self.single = not source.path.is_dir()
        self.place = {i: k for k, i in enumerate(item_ids(self.dataset))}
        root = source.path.parent if self.single else source.path
        self.cells: dict[str, pa.Table] = {}
        self.sources: dict[str, dict[str, str]] = {}
        self.layouts: dict[str, Layout] = {}
        self.resources: dict[str, list[dict[str, Any]]] = {}
        self.others: list[dict[str, Any]] = []
        if self.dataset.places:
            self._take_resources(source.path)
            return
        for name, file in self.dataset.files.items():
            path = root / file
            raw = read_raw(path, file, settings.encoding, settings.delimiter)
            self.cells[name] = raw.table
            self.sources[name] = match_columns(name, raw.table.column_names, self.schema)[0]
            if not path.name.lower().endswith(arrow.SUFFIXES):
                self.layouts[name] = delimited.layout(
                    path, file, settings.encoding, settings.delimiter
                )

    def _take_resources(self, path: Path) -> None:
        known: dict[str, dict[str, Any]] = {}
        for place, resource in _resources(path):
            known.setdefault(place, resource)
        used: set[str] = set()
        for name, places in self.dataset.places.items():
            texts = places.to_pylist()
            self.resources[name] = [known[p] for p in texts]
            used.update(texts)
        self.others = [r for p, r in known.items() if p not in used]


def plot_of(
    members: Sequence[Member],
    parts: Mapping[Path, Part],
    taken: Mapping[str, frozenset[str]],
    years: Mapping[str, tuple[int, int]],
    mark: str = "",
) -> Plot:
    """Return the records of some items, in the order of their files.

    Parameters
    ----------
    members : sequence of Member
        At least one.
    parts : mapping of Path to Part
        Path of each cohort that items come from -> the cohort.
    taken, years
        As in `Origin` and `Plot`.
    mark : str
        Put before the numbers of all these items, where others shall be joined.

    Raises
    ------
    UsageError
        No item is given, or one is not in its cohort.
    """
    if not members:
        raise UsageError("planting: no patient was given; give at least one")
    paths = list(dict.fromkeys(m.source.path for m in members))
    first = parts[paths[0]]
    plots = []
    for k, path in enumerate(paths):
        own = [(j, m) for j, m in enumerate(members) if m.source.path == path]
        tag = f"{mark}{k}{TAG}" if mark or k else ""
        plots.append(_taken_out(parts[path], first, own, tuple(members), tag))
    plot = plots[0]
    for other in plots[1:]:
        plot = joined(plot, other)
    origin = plot.origin
    return Plot(
        plot.sample,
        Origin(
            origin.typed, origin.cells, origin.sources, first.dataset.files, first.layouts,
            origin.resources, origin.others, origin.member, tuple(members), first.single, taken,
        ),
        years=years,
    )  # fmt: skip


def _taken_out(
    part: Part,
    first: Part,
    own: Sequence[tuple[int, Member]],
    members: tuple[Member, ...],
    tag: str,
) -> Plot:
    """Return the rows of some patients of one cohort."""
    patients = part.dataset.patients()
    of = np.full(len(patients), -1, np.intp)
    for k, member in own:
        if member.item.id not in part.place:
            raise UsageError(
                f"planting: {member.item.id} is no patient of {member.source.path.name}; list the "
                "items of the cohort anew"
            )
        of[part.place[member.item.id]] = k
    schema, classes = part.schema, classes_of(part.schema)
    typed: dict[str, pa.Table] = {}
    cells: dict[str, pa.Table] = {}
    member_of: dict[str, Index] = {}
    resources: dict[str, list[dict[str, Any]]] = {}
    for name, table in part.dataset.tables.items():
        owner = patients.rows[name]
        mine = np.append(of, -1)[owner]
        everyone = schema.is_dictionary(name)
        rows = np.arange(len(mine)) if everyone else np.flatnonzero(mine >= 0)
        if everyone and part is not first:
            rows = rows[:0]
        taken = table.take(pa.array(rows))
        for column in taken.column_names:
            if (name, column) in classes:
                at = taken.column_names.index(column)
                taken = taken.set_column(at, column, _marked(taken[column], tag))
        typed[name] = taken.append_column(ROW, pa.array(np.arange(len(rows)), pa.int64()))
        member_of[name] = mine[rows]
        if name in part.cells:
            cells[name] = part.cells[name].take(pa.array(rows))
        if name in part.resources:
            resources[name] = [part.resources[name][r] for r in rows.tolist()]
    origin = Origin(
        typed, cells, part.sources, part.dataset.files, part.layouts, resources, part.others,
        member_of, members, part.single,
    )  # fmt: skip
    return Plot(Sample(typed, schema), origin)


def _marked(values: pa.ChunkedArray, tag: str) -> pa.Array:
    texts = values.cast(pa.string()).to_pylist()
    return pa.array([None if v is None else f"{tag}{v}" for v in texts], pa.string())


def joined(one: Plot, other: Plot) -> Plot:
    """Return the records of both, rows of the first one before those of the other."""
    a, b = one.origin, other.origin
    typed, cells, resources, member, tables = {}, {}, {}, {}, {}
    for name, table in a.typed.items():
        count = table.num_rows
        more = _moved(b.typed[name], count)
        typed[name] = pa.concat_tables([table, more.cast(table.schema)])
        tables[name] = pa.concat_tables(
            [one.sample.tables[name], _moved(other.sample.tables[name], count).cast(table.schema)]
        )
        offset = len(a.members) if a.members != b.members else 0
        theirs = np.where(b.member[name] >= 0, b.member[name] + offset, -1)
        member[name] = np.concatenate([a.member[name], theirs])
        if name in a.cells and name in b.cells:
            cells[name] = _concatenated(a.cells[name], b.cells[name], a.sources[name],
                                        b.sources[name])  # fmt: skip
        if name in a.resources:
            resources[name] = [*a.resources[name], *b.resources[name]]
    members = a.members if a.members == b.members else (*a.members, *b.members)
    origin = Origin(
        typed, cells, a.sources, a.files, a.layouts, resources, a.others, member, members,
        a.single, a.taken,
    )  # fmt: skip
    return Plot(Sample(tables, one.schema), origin, years=one.years)


def _moved(table: pa.Table, offset: int) -> pa.Table:
    rows = table[ROW].to_numpy() + offset
    return table.set_column(table.column_names.index(ROW), ROW, pa.array(rows, pa.int64()))


def _concatenated(
    one: pa.Table, other: pa.Table, mine: Mapping[str, str], theirs: Mapping[str, str]
) -> pa.Table:
    """Put rows of another file below, by the schema's columns; what only it has is left out."""
    back = {column: theirs[name] for name, column in mine.items() if name in theirs}
    columns = {}
    for column in one.column_names:
        above = one[column]
        found = back.get(column, column)
        below = (
            other[found] if found in other.column_names
            else pa.chunked_array([pa.nulls(other.num_rows, above.type)])
        )  # fmt: skip
        if below.type != above.type:
            above, below = above.cast(pa.string()), below.cast(pa.string())
        columns[column] = pa.chunked_array([*above.chunks, *below.chunks], above.type)
    return pa.table(columns)


# -- FHIR ----------------------------------------------------------------------------------------


def _resources(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield place and resource, as `sdq_ehr.formats.fhir` names places; references resolved."""
    for file, name in Source.of(path).resources:
        if file.suffix.lower() in (".ndjson", ".jsonl"):
            with file.open("rb") as lines:
                for number, line in enumerate(lines, start=1):
                    if line.strip():
                        yield from _of_text(line, f"{name}, line {number}")
        else:
            try:
                yield from _of_text(file.read_bytes(), name)
            except (OSError, UnreadableItem):
                continue


def _of_text(text: bytes, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(found, dict):
        yield from _inside(found, place)


def _inside(found: dict[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if found.get("resourceType") != "Bundle":
        yield place, found
        return
    entries = [(as_map(e), k) for k, e in enumerate(as_list(found.get("entry")), start=1)]
    names: dict[str, str] = {}
    for entry, _ in entries:
        url, inner = as_text(entry.get("fullUrl")), as_map(entry.get("resource"))
        own = as_text(inner.get("id")) or reference_key(url)
        if url and own:
            names[reference_key(url)] = f"{as_text(inner.get('resourceType'))}/{own}"
    for entry, k in entries:
        inner = as_map(entry.get("resource"))
        if inner.get("resourceType") == "Bundle":
            yield from _inside(inner, f"{place}, entry {k}")
        elif inner:
            own = as_text(inner.get("id")) or reference_key(as_text(entry.get("fullUrl")))
            whole = {**inner, "id": own} if own else inner
            yield f"{place}, entry {k}", _resolved(whole, names)


def _resolved(value: Any, names: Mapping[str, str]) -> Any:
    """Return JSON whose references name what they point at by type and id."""
    if isinstance(value, dict):
        return {
            k: names.get(reference_key(v), v)
            if k == "reference" and isinstance(v, str)
            else _resolved(v, names)
            for k, v in value.items()
        }
    return [_resolved(v, names) for v in value] if isinstance(value, list) else value
