"""A table as it was found, read by its schema into typed columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sdq_core.finding import Finding
from sdq_ehr.cells.columns import Manner, Parsed, Survey, parse_cells, prepare
from sdq_ehr.cells.texts import mask
from sdq_ehr.dataset import ARROW_TYPES
from sdq_ehr.finding import RowFinding
from sdq_ehr.formats.raw import RawTable
from sdq_ehr.rules import finding, row_finding, rule_id
from sdq_ehr.schema import Schema

__all__ = ["ParsedTable", "empty_table", "match_columns", "parse_table", "survey_blocks"]


@dataclass(frozen=True)
class ParsedTable:
    """A table with exactly the columns of its schema.

    Parameters
    ----------
    table : pyarrow.Table
    findings : tuple of Finding
    row_findings : tuple of RowFinding
    """

    table: pa.Table
    findings: tuple[Finding, ...]
    row_findings: tuple[RowFinding, ...]


def parse_table(name: str, raw: RawTable, schema: Schema) -> ParsedTable:
    """Read a table by its schema.

    Parameters
    ----------
    name : str
        Of the table in the schema.
    raw : RawTable
    schema : Schema

    Examples
    --------
    >>> schema = Schema(tables={"t": {"columns": {"x": {"type": "number"}}}})
    >>> parse_table("t", RawTable(pa.table({"x": ["1.5", "-"]})), schema).table["x"].to_pylist()
    [1.5, None]
    """
    source, findings = match_columns(name, raw.table.column_names, schema)
    row_findings: list[RowFinding] = []
    columns: dict[str, pa.Array] = {}
    count = raw.table.num_rows
    for column, definition in schema.tables[name].columns.items():
        if column not in source:
            columns[column] = pa.nulls(count, ARROW_TYPES[definition.type])
            continue
        values = raw.table[source[column]]
        survey = Survey(definition, schema.missing, schema.date_order, schema.decimal)
        cells = prepare(values, definition, schema.missing)
        survey.look(cells)
        manner = survey.conclude()
        parsed = parse_cells(cells, definition, manner)
        columns[column] = parsed.values
        findings += _column_findings(name, column, manner, parsed)
        row_findings += [
            row_finding(name, rows, rule, column) for rule, rows in parsed.rows.items()
        ]
    if any(f.rule == rule_id("encoding_unknown") for f in raw.findings):
        row_findings += _replaced(name, source, raw)
    # A table without columns would lose its number of rows.
    return ParsedTable(pa.table(columns), tuple(findings), tuple(row_findings))


def survey_blocks(
    name: str, blocks: Iterator[pa.RecordBatch], schema: Schema, columns: dict[str, str]
) -> dict[str, Manner]:
    """Decide how to read each column of a table that is only seen block by block.

    Parameters
    ----------
    name : str
    blocks : iterator of pyarrow.RecordBatch
    schema : Schema
    columns : dict of str to str
        Column of the schema -> column of the blocks.
    """
    definitions = schema.tables[name].columns
    surveys = {
        c: Survey(definitions[c], schema.missing, schema.date_order, schema.decimal)
        for c in columns
    }
    for block in blocks:
        for column, survey in surveys.items():
            survey.add(block.column(columns[column]))
    return {column: survey.conclude() for column, survey in surveys.items()}


def empty_table(name: str, schema: Schema) -> pa.Table:
    """Return a table of a schema without rows."""
    columns = schema.tables[name].columns
    return pa.table({c: pa.array([], ARROW_TYPES[d.type]) for c, d in columns.items()})


def match_columns(
    name: str, found: list[str], schema: Schema
) -> tuple[dict[str, str], list[Finding]]:
    """Match the columns of a schema with those of a file.

    Returns
    -------
    source : dict of str to str
        Column of the schema -> column of the file; what is missing is left out.
    findings : list of Finding
    """
    columns = schema.tables[name].columns
    omop = schema.model == "omop"
    # In OMOP capitals carry no meaning (conventions of the CDM).
    known = {(c.strip().lower() if omop else c): c for c in reversed(found)}
    source = {c: known[key] for c in columns if (key := c.lower() if omop else c) in known}
    findings = []
    for column, definition in columns.items():
        if column in source:
            continue
        if not omop:
            findings.append(finding("missing_column", f"{name}.{column}"))
        elif definition.required:
            findings.append(finding("conformity.field_missing", f"{name}.{column}"))
    used = set(source.values())
    extra = "conformity.field_unknown" if omop else "extra_column"
    findings += [finding(extra, f"{name}.{c}") for c in found if c not in used]
    return source, findings


def _replaced(name: str, source: dict[str, str], raw: RawTable) -> Iterator[RowFinding]:
    """Yield the rows in which bytes were no text.

    A sign stands for such bytes; where there is none, the file was read in a code of one byte a
    sign, and all beyond ASCII is a guess.
    """
    columns = {c: raw.table[own] for c, own in source.items()}
    texts = {c: v for c, v in columns.items() if pa.types.is_string(v.type)}
    for pattern in ("\ufffd", r"[^\x00-\x7f]"):
        wrong = {c: mask(pc.match_substring_regex(v, pattern)) for c, v in texts.items()}
        if any(w.any() for w in wrong.values()):
            yield from (
                row_finding(name, w, "encoding_unknown", c) for c, w in wrong.items() if w.any()
            )
            return


def _column_findings(name: str, column: str, manner: Manner, parsed: Parsed) -> list[Finding]:
    where = f"{name}.{column}"
    rules = [*manner.rules, *(["padded"] if parsed.padded else [])]
    count = len(parsed.values)
    if count and parsed.values.null_count == count:
        rules.append("empty_column")
    elif count > 1 and not parsed.values.null_count and _constant(parsed):
        rules.append("constant_column")
    return [finding(rule, where) for rule in rules]


def _constant(parsed: Parsed) -> bool:
    if not parsed.several:
        return True
    values = parsed.values
    if not pc.equal(values[0], values[len(values) - 1]).as_py():
        return False
    return bool(np.asarray(pc.all(pc.equal(values, values[0])).as_py()))
