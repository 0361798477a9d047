"""Findings as files, ``findings.parquet`` and ``findings.csv``, and their counts by rule."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from sdq_core.files import atomic_write
from sdq_core.finding import Finding
from sdq_core.result import RuleCount

__all__ = ["COLUMNS", "count_by_rule", "write_findings"]

COLUMNS = ("role", "item", "rule", "severity", "where", "message", "message_zh")


def count_by_rule(findings: Sequence[Finding]) -> tuple[RuleCount, ...]:
    """Count findings by rule and cohort, errors first.

    Parameters
    ----------
    findings : sequence of Finding

    Returns
    -------
    tuple of RuleCount
    """
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((str(finding.severity), finding.rule, finding.role), []).append(finding)
    order = {"error": 0, "warning": 1, "info": 2}
    return tuple(
        RuleCount(
            rule=rule,
            severity=severity,
            role=role,
            items=len({f.item for f in found}),
            findings=len(found),
            message=found[0].message,
            message_zh=found[0].message_zh or found[0].message,
        )
        for (severity, rule, role), found in sorted(
            groups.items(), key=lambda g: (order[g[0][0]], g[0][1], g[0][2])
        )
    )


def write_findings(findings: Sequence[Finding], folder: Path) -> None:
    """Write all findings, in a fixed order, as Parquet and as CSV.

    Parameters
    ----------
    findings : sequence of Finding
    folder : Path
        Is made when it does not exist.

    Raises
    ------
    StoreError
        A file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = sorted(tuple(str(getattr(f, c)) for c in COLUMNS) for f in findings)
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(COLUMNS)
    table = pa.table({c: pa.array(v, pa.string()) for c, v in zip(COLUMNS, columns, strict=True)})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    atomic_write(folder / "findings.parquet", sink.getvalue().to_pybytes())
    data = io.BytesIO()
    # The byte-order mark makes spreadsheet programs read the Chinese text as UTF-8. Encoded as it
    # is written: as text, a million findings would take several times the room.
    text = io.TextIOWrapper(data, "utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([_inert(v) for v in row] for row in rows)
    text.flush()
    atomic_write(folder / "findings.csv", data.getvalue())


def _inert(value: str) -> str:
    """Keep spreadsheet programs from taking a value of the data for a formula (CWE-1236)."""
    return f"'{value}" if value[:1] in "=+-@\t\r" and value else value
