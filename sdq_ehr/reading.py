"""Step 1 for health records: a cohort's files as one data set, and its patients as items."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pyarrow as pa

from sdq_core.description import Item
from sdq_core.errors import InputError, UnreadableItem, UsageError
from sdq_core.finding import Finding
from sdq_core.listing import natural
from sdq_core.modality import Listing
from sdq_ehr.cells.columns import parse_column
from sdq_ehr.dataset import BLOCK, Dataset
from sdq_ehr.digests import patient_attributes, patient_classes, patient_digests, subject_hash
from sdq_ehr.finding import RowFinding
from sdq_ehr.formats import arrow, delimited, fhir
from sdq_ehr.formats.raw import RawTable
from sdq_ehr.parsing import empty_table, match_columns, parse_table, survey_blocks
from sdq_ehr.rules import finding, finding_for, rule_id
from sdq_ehr.schema import Schema
from sdq_ehr.settings import EhrSettings
from sdq_ehr.sources import Source, frames, read_raw
from sdq_ehr.structure import check_structure

__all__ = ["dataset_from_frames", "iter_blocks", "list_items", "open_dataset", "read_dataset"]

KEPT: Final = 3
"""Data sets that `open_dataset` keeps: train, holdout, synthetic."""
MOST_FILES: Final = 20
"""Files passed over that are named one by one."""


def read_dataset(
    source: Path,
    schema: Schema | None = None,
    settings: EhrSettings | None = None,
    *,
    structure: bool = True,
) -> Dataset:
    """Read a cohort.

    Parameters
    ----------
    source : Path
        Folder of tables (CSV, TSV, Parquet, Arrow, Feather), of OMOP tables, of FHIR bundles or
        NDJSON; or one such file.
    schema : Schema, optional
        That of the settings by default, else one proposed from the data.
    settings : EhrSettings, optional
    structure : bool
        Whether `check_structure` is run and its row findings are among those of the data set.

    Returns
    -------
    Dataset
        Whatever can be read; what cannot is a finding.

    Raises
    ------
    InputError
        There is no such source, no table of it can be read, or the patient table cannot.
    StudyError
        The settings' schema is wrong.
    """
    settings = settings or EhrSettings()
    found = Source.of(source)
    schema = schema or settings.schema_of()
    if schema is None:
        from sdq_ehr.proposing import propose

        schema = propose(source).schema
    schema = settings.applied(schema)
    if schema.model == "fhir" and not any(t.file for t in schema.tables.values()):
        if not found.resources:
            raise InputError(
                f"{source.name}: the schema is one of FHIR resources, but there is no JSON or "
                "NDJSON file; give one or the schema of the tables"
            )
        raws, findings = fhir.read(found.resources)
        return _build(schema, raws, [*found.findings, *findings], structure)
    files, findings = _assign(found, schema)
    raws = {}
    for table, (path, name) in files.items():
        try:
            raws[table] = read_raw(path, name, settings.encoding, settings.delimiter)
        except UnreadableItem as error:
            if table == schema.home:
                raise
            findings.append(finding_for(error))
    if not raws:
        raise InputError(
            f"{source.name}: none of the schema's tables was found ("
            f"{', '.join(list(schema.tables)[:8])}); name their files in the schema"
        )
    if schema.home and schema.home not in raws:
        raise InputError(
            f"{source.name}: the patient table {schema.home} was not found; name its file in the "
            "schema"
        )
    return _build(schema, raws, [*found.findings, *findings], structure)


def dataset_from_frames(
    tables: Mapping[str, Any], schema: Schema | None = None, *, structure: bool = True
) -> Dataset:
    """Make a data set of frames in memory: pandas, polars, Arrow.

    Parameters
    ----------
    tables : mapping of str to frame
        By the names of the schema's tables; anything with ``__arrow_c_stream__``.
    schema : Schema, optional
        Proposed from the frames by default.
    structure : bool
        As in `read_dataset`.

    Raises
    ------
    UsageError
        An object is no frame, or none belongs to a table of the schema.

    Examples
    --------
    >>> data = dataset_from_frames({"t": pa.table({"sex": ["F", "M"], "age": [40, None]})})
    >>> len(data.patients()), data.schema.tables["t"].columns["age"].type
    (2, 'integer')
    """
    raws = frames(tables)
    if schema is None:
        from sdq_ehr.proposing import propose

        schema = propose(tables).schema
        if len(raws) == 1:
            raws = {next(iter(schema.tables)): next(iter(raws.values()))}
    unknown = [t for t in raws if t not in schema.tables]
    if len(unknown) == len(raws):
        raise UsageError(
            f"no frame belongs to a table of the schema ({', '.join(list(schema.tables)[:8])}); "
            "give them by these names"
        )
    findings = [finding("file_passed_over", t) for t in unknown]
    findings += [finding("missing_table", t) for t in schema.tables if t not in raws]
    known = {t: r for t, r in raws.items() if t in schema.tables}
    return _build(schema, known, findings, structure)


def list_items(source: Path, settings: EhrSettings | None = None) -> Listing:
    """List the patients of a cohort.

    Parameters
    ----------
    source : Path
    settings : EhrSettings, optional

    Returns
    -------
    Listing
        One item a patient: id ``file#row`` (counted from 1) of the row in which the patient first
        stands, never the patient's own key; the digest is over all cells of the patient in all
        tables; attributes ``subject`` (hash of the key) and ``class``, where there are such, and
        the categories of the patient table with at most 50 values. A line that is no row, since it
        has too few or too many cells, is an item of its own, ``file#line n``, that cannot be read.

    Raises
    ------
    InputError, StudyError
        As `read_dataset`.
    """
    settings = settings or EhrSettings()
    dataset = open_dataset(source, settings)
    patients = dataset.patients()
    digests = patient_digests(dataset)
    classes = patient_classes(dataset)
    attributes_of = patient_attributes(dataset)
    items = []
    for k in range(len(patients)):
        table, row = str(patients.tables[k]), int(patients.firsts[k]) + 1
        attributes = {name: str(values[k]) for name, values in attributes_of.items()}
        if key := str(patients.keys[k]):
            attributes["subject"] = subject_hash(key)
        if classes[k]:
            attributes["class"] = str(classes[k])
        name = dataset.files.get(table) or table
        items.append(Item(f"{name}#{row}", (source,), str(row), digests[k], attributes))
    if not dataset.schema.home:
        items.sort(key=lambda i: natural(i.id))
    items += [Item(name, (source,), "", digest) for name, digest in dataset.broken.items()]
    # Of a ragged line the item tells; said again of the file it would count twice.
    findings = tuple(f for f in dataset.findings if f.rule != rule_id("ragged_row"))
    return Listing(tuple(items), findings)


READING: Final = {"schema_", "encoding", "delimiter", "date_order", "decimal"}
"""Settings on which the tables depend."""

_open: OrderedDict[tuple[object, ...], Dataset] = OrderedDict()


def open_dataset(source: Path, settings: EhrSettings | None = None) -> Dataset:
    """Read a cohort once: the last few data sets are kept while their files do not change.

    Parameters
    ----------
    source : Path
    settings : EhrSettings, optional

    Raises
    ------
    InputError, StudyError
        As `read_dataset`.
    """
    settings = settings or EhrSettings()
    stats = []
    schema = [Path(settings.schema_)] if isinstance(settings.schema_, str) else []
    for path in (*Source.of(source).paths(), *schema):
        try:
            stat = path.stat()
        except OSError:
            continue
        stats.append((path, stat.st_size, stat.st_mtime_ns))
    key = (source.resolve(), settings.model_dump_json(include=READING), tuple(stats))
    if key not in _open:
        _open[key] = read_dataset(source, None, settings)
        while len(_open) > KEPT:
            _open.popitem(last=False)
    _open.move_to_end(key)
    return _open[key]


def iter_blocks(
    source: Path,
    schema: Schema,
    table: str,
    columns: Sequence[str],
    rows: int = BLOCK,
    settings: EhrSettings | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield some typed columns of a table block by block, without holding the table.

    A file is read twice: how its numbers and dates are written is a matter of whole columns. The
    cells are those of `read_dataset`; findings are not made here.

    Parameters
    ----------
    source : Path
    schema : Schema
    table : str
    columns : sequence of str
    rows : int
        Most rows of a block.
    settings : EhrSettings, optional

    Raises
    ------
    InputError
        The table cannot be read.
    UsageError
        The schema has no such table or column.
    """
    settings = settings or EhrSettings()
    schema = settings.applied(schema)
    if table not in schema.tables or set(columns) - set(schema.tables[table].columns):
        raise UsageError(f"the schema has no table {table!r} with these columns; see its tables")
    files, _ = _assign(Source.of(source), schema)
    if table not in files:
        raise InputError(f"{source.name}: the file of table {table} was not found")
    path, name = files[table]
    blocks: Callable[[], Iterator[pa.RecordBatch]]
    text = path.name.lower().endswith(delimited.SUFFIXES)
    if text:
        found = delimited.layout(path, name, settings.encoding, settings.delimiter)
        names: Sequence[str] = found.names
        blocks = partial(delimited.iter_batches, found)
    else:
        names = arrow.column_names(path)
    matched, _ = match_columns(table, list(names), schema)
    known = {c: matched[c] for c in columns if c in matched}
    if not text:
        blocks = partial(arrow.iter_batches, path, list(known.values()), rows)
    manners = survey_blocks(table, blocks(), schema, known)
    definitions = schema.tables[table].columns
    kinds = empty_table(table, schema).schema
    for block in blocks():
        made = [
            parse_column(block.column(known[c]), definitions[c], manners[c], schema.missing).values
            if c in known
            else pa.nulls(len(block), kinds.field(c).type)
            for c in columns
        ]
        typed = pa.table(made, names=list(columns))
        yield from (b for b in typed.to_batches(max_chunksize=rows) if len(b))


def _build(
    schema: Schema, raws: Mapping[str, RawTable], findings: list[Finding], structure: bool
) -> Dataset:
    tables: dict[str, pa.Table] = {}
    row_findings: list[RowFinding] = []
    for name in schema.tables:
        if name not in raws:
            tables[name] = empty_table(name, schema)
            continue
        parsed = parse_table(name, raws[name], schema)
        tables[name] = parsed.table
        own = parsed.findings
        if schema.model != "table":
            # Every table has all fields of the model: that some are empty or equal tells nothing.
            quiet = ("ehr.structure.empty_column", "ehr.structure.constant_column")
            own = tuple(f for f in own if f.rule not in quiet)
        findings += [*raws[name].findings, *own]
        row_findings += [*parsed.row_findings, *raws[name].row_findings]
    dataset = Dataset(
        schema,
        tables,
        tuple(findings),
        tuple(row_findings),
        {n: r.places for n, r in raws.items() if r.places is not None},
        {n: r.file for n, r in raws.items() if r.file},
        {f"{r.file}#line {n}": digest for r in raws.values() for n, digest in r.broken},
    )
    if not structure:
        return dataset
    checked = (*row_findings, *check_structure(dataset))
    return replace(dataset, row_findings=checked)


def _assign(source: Source, schema: Schema) -> tuple[dict[str, tuple[Path, str]], list[Finding]]:
    """Find the file of each table of the schema."""
    findings: list[Finding] = []
    files: dict[str, tuple[Path, str]] = {}
    if len(schema.tables) == 1 and len(source.tables) == 1:
        table = next(iter(schema.tables))
        if source.single or not schema.tables[table].file:
            return {table: next(iter(source.tables.values()))}, []
    by_name = {t.lower(): entry for t, entry in reversed(list(source.tables.items()))}
    by_name |= source.tables
    omop = schema.model == "omop"
    for table, definition in schema.tables.items():
        entry = None
        if definition.file and not source.single:
            entry, rule = _declared(source, definition.file)
            if rule:
                findings.append(finding(rule, table))
        if entry is None:
            entry = by_name.get(table) or (by_name.get(table.lower()) if omop else None)
        if entry is None:
            findings.append(finding("missing_table", table))
        else:
            files[table] = entry
    used = {name for _, name in files.values()}
    rest = [n for _, n in (*source.tables.values(), *source.resources) if n not in used]
    findings += [finding("file_passed_over", item=n) for n in rest[:MOST_FILES]]
    if len(rest) > MOST_FILES:
        findings.append(finding("file_passed_over", f"{len(rest) - MOST_FILES} further files"))
    return files, findings


def _declared(source: Source, file: str) -> tuple[tuple[Path, str] | None, str]:
    """Return the file that a schema names, or the rule that keeps it from being opened."""
    pure = PurePosixPath(file.replace("\\", "/"))
    if pure.is_absolute() or ".." in pure.parts or ":" in pure.parts[0]:
        return None, "path_outside"
    path = source.root / pure
    try:
        if not path.resolve().is_relative_to(source.root.resolve()):
            return None, "path_outside"
        return ((path, str(pure)), "") if path.is_file() else (None, "")
    except (OSError, ValueError, RuntimeError):
        return None, ""
