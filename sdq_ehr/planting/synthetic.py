"""What makes real items stand in for a generator's: declared, and without direct identifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pyarrow as pa

from sdq_core.calibration.defect import Member
from sdq_core.vocabulary import Severity
from sdq_ehr.identifier_rules import KINDS
from sdq_ehr.identifiers import find_identifiers
from sdq_ehr.metadata import DECLARING, TAGS, YES
from sdq_ehr.planting.plot import ROW, Plot

__all__ = ["MAKER", "as_synthetic", "declaring_columns", "labels_of"]

MAKER: Final = {"synthetic": "yes", "generator": "sdq calibration", "seed": "0"}
"""What the label table says of items that stand in for a generator's."""
_STATED: Final = {
    "generator": MAKER["generator"], "generatorversion": "1", "seed": "0", "run": "1",
    "condition": "none",
}  # fmt: skip
ANONYMOUS: Final = "ANON"


def as_synthetic(plot: Plot) -> Plot:
    """Return the records declared as synthetic, without identifiers and unknown columns.

    A perfect generator would give no name and no telephone number: the cells that hold one say
    ``ANON``, so that what fails later fails because of the defect.

    Parameters
    ----------
    plot : Plot
    """
    return _declared(_anonymous(replace(plot, known_only=True)))


def declaring_columns(plot: Plot) -> list[tuple[str, str]]:
    """Return the columns in which records say that they are synthetic."""
    return [
        (table, column)
        for table, column, about in plot.schema.columns()
        if about.meaning == "provenance"
        and column.replace("_", "").lower() in DECLARING
        and column.lower() != "aigc"
        and _written(plot, table, column)
    ]


def _written(plot: Plot, table: str, column: str) -> bool:
    if plot.is_fhir:
        return column == TAGS
    return column in plot.origin.sources.get(table, {})


def _declared(plot: Plot) -> Plot:
    for table, column, about in plot.schema.columns():
        word = column.replace("_", "").lower()
        if about.meaning != "provenance" or not _written(plot, table, column):
            continue
        if (table, column) in declaring_columns(plot):
            plot = _all(plot, table, column, _yes(about.values, about.type == "boolean"))
        elif word in _STATED and about.type in ("category", "text", "identifier"):
            plot = _all(plot, table, column, _STATED[word])
    return plot


def _yes(allowed: Any, boolean: bool) -> Any:
    if boolean:
        return True
    return next((str(v) for v in allowed if str(v).strip().lower() in YES),
                MAKER["synthetic"] if not allowed else next(iter(allowed)))  # fmt: skip


def _all(plot: Plot, table: str, column: str, value: Any) -> Plot:
    count = plot.sample.tables[table].num_rows
    return plot.with_cells(table, column, dict.fromkeys(range(count), value))


def _anonymous(plot: Plot) -> Plot:
    for found in find_identifiers(plot.dataset, plot.context).row_findings:
        severity, _ = KINDS[found.rule.rpartition(".")[2]]
        if severity is not Severity.ERROR or found.column in plot.keys(found.table):
            continue
        text = pa.types.is_string(plot.sample.tables[found.table][found.column].type)
        cells = dict.fromkeys(found.rows.tolist(), ANONYMOUS if text else None)
        plot = plot.with_cells(found.table, found.column, cells)
    return plot


def labels_of(plot: Plot, *, synthetic: bool) -> Sequence[Mapping[str, str]] | None:
    """Return the label table's row of each patient; None where no table is needed.

    Parameters
    ----------
    plot : Plot
    synthetic : bool
    """
    members = plot.origin.members
    given = any(m.source.labels is not None for m in members)
    patients = plot.patients
    columns = {
        c.lower()
        for t, c, about in plot.schema.columns()
        if about.meaning == "provenance" and t == plot.schema.home and _written(plot, t, c)
    }
    stated = bool(declaring_columns(plot)) and {"generator", "seed"} <= columns
    if not given and (not synthetic or (stated and not plot.labels)):
        return None
    found = []
    for k in range(len(patients)):
        table = str(patients.tables[k])
        row = plot.sample.tables[table][ROW][int(patients.firsts[k])].as_py()
        owner = int(plot.origin.member[table][row]) if row >= 0 else -1
        own = _own_labels(members[owner], synthetic) if owner >= 0 else {}
        made = {**own, **MAKER} if synthetic else own
        found.append({**made, **plot.labels.get(k, {})})
    return found


def _own_labels(member: Member, synthetic: bool) -> dict[str, str]:
    """Return what the label table says, and the container does not."""
    if member.source.labels is None:
        return {}
    hidden = ("item", "subject") if synthetic else ("item",)
    return {
        k: v for k, v in member.row.items()
        if k not in hidden and member.item.attributes.get(k) != v
    }  # fmt: skip
