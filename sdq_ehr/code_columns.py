"""Which cells of a data set are coded in which system, and what the ladder says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sdq_core.vocabulary import Severity
from sdq_ehr.codes import CodeSystem, CodeVerdicts, code_system, sentence, system_of_url
from sdq_ehr.dataset import Dataset
from sdq_ehr.finding import RowFinding

__all__ = ["CODE_RULES", "CodedColumn", "code_findings", "coded_columns"]

CODE_RULES: Final[dict[str, tuple[Severity, str, str]]] = {
    "codes.not_valid": (
        Severity.ERROR,
        "the code is none of its system; see the ladder of the system in the report, and correct "
        "the code or the system that the schema names",
        "该编码不属于所声明的编码系统; 请参阅报告中该系统的逐级核验, 并更正编码或模式中的系统",
    ),
    "codes.unit_not_valid": (
        Severity.ERROR,
        "the unit is none of UCUM; write it as UCUM does, such as mm[Hg] or 10*9/L",
        "该单位不符合 UCUM; 请按 UCUM 书写, 例如 mm[Hg] 或 10*9/L",
    ),
    "codes.suspect": (
        Severity.WARNING,
        "the code or unit is one, but probably not the one meant (K/uL is kelvin); check it",
        "该编码或单位有效, 但很可能并非本意(K/uL 表示开尔文), 请核对",
    ),
    "codes.altered": (
        Severity.INFO,
        "the code is valid only after its case, width or blanks are put right; write it as its "
        "system does",
        "该编码须更正大小写、全半角或空格后才有效, 请按编码系统的规范书写",
    ),
    "codes.not_billable": (
        Severity.INFO,
        "the code is a heading with finer codes below it; give the finer code where it is known",
        "该编码为类目, 其下有更细的编码; 如已知请使用更细的编码",
    ),
    "codes.not_active": (
        Severity.WARNING,
        "the code is in the list, but no longer in use; give its successor",
        "该编码在列表中但已停用, 请使用替代编码",
    ),
}
"""Rule, without ``ehr.`` -> severity and sentence in both languages."""

Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class CodedColumn:
    """The cells of one column that are coded in one system.

    Parameters
    ----------
    table, column, system : str
    rows : ndarray, shape (k,), intp
        Rows of the table with a value.
    codes : ndarray, shape (k,), intp
        Place of each one's value in `distinct`.
    distinct : tuple of str
    verdicts : CodeVerdicts
        On `distinct`.
    """

    table: str
    column: str
    system: str
    rows: Index
    codes: Index
    distinct: tuple[str, ...]
    verdicts: CodeVerdicts

    @property
    def is_unit(self) -> bool:
        """Whether the column holds units."""
        return self.system == "ucum"


def coded_columns(dataset: Dataset, lists: Mapping[str, str]) -> Iterator[CodedColumn]:
    """Yield the verdicts on every coded column; each distinct value is judged once.

    Parameters
    ----------
    dataset : Dataset
    lists : mapping of str to str
        The user's lists: system -> path.

    Raises
    ------
    InputError
        A list cannot be used.
    """
    given = tuple(sorted(lists.items()))
    for name, column, about in dataset.schema.columns():
        if about.type not in ("code", "unit") or name not in dataset.tables:
            continue
        table = dataset.tables[name]
        if about.type == "unit":
            parts = {"ucum": np.arange(table.num_rows)}
        elif about.system_column:
            parts = _by_system(table[about.system_column], about.system)
        elif about.system:
            parts = {about.system: np.arange(table.num_rows)}
        else:
            continue
        encoded = pc.dictionary_encode(table[column]).combine_chunks()
        values = [str(v) for v in encoded.dictionary.to_pylist()]
        place = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.intp)
        for system, among in sorted(parts.items()):
            rows = among[place[among] >= 0]
            if not len(rows):
                continue
            used, codes = np.unique(place[rows], return_inverse=True)
            distinct = tuple(values[k] for k in used)
            judge = _system(system, given)
            yield CodedColumn(
                name, column, system, rows, codes.astype(np.intp), distinct, judge.check(distinct)
            )


def code_findings(column: CodedColumn) -> Iterator[RowFinding]:
    """Yield what is wrong with the cells of a coded column.

    Parameters
    ----------
    column : CodedColumn
    """
    from sdq_ehr.codes.verdict import FAILED, Rung

    verdicts = column.verdicts
    refused = verdicts.refused
    wrong = "unit_not_valid" if column.is_unit else "not_valid"
    flags = {
        wrong: refused,
        "suspect": verdicts.suspect & ~refused,
        "altered": ~verdicts.as_written & ~refused,
        "not_billable": (verdicts.rung(Rung.BILLABLE) == FAILED) & ~refused,
        "not_active": (verdicts.rung(Rung.ACTIVE) == FAILED) & ~refused,
    }
    for rule, marked in flags.items():
        rows = column.rows[marked[column.codes]]
        if len(rows):
            yield RowFinding(column.table, rows, f"ehr.codes.{rule}", column.column)


def reasons(column: CodedColumn, most: int = 8) -> list[tuple[str, str, int]]:
    """Return the commonest reasons against codes: English, Chinese, and how many cells.

    Parameters
    ----------
    column : CodedColumn
    most : int
        Reasons at most.
    """
    count = np.bincount(column.codes, minlength=len(column.distinct))
    found: dict[str, int] = {}
    for k in np.flatnonzero(column.verdicts.refused):
        reason = str(column.verdicts.reason[k])
        found[reason] = found.get(reason, 0) + int(count[k])
    order = sorted(found.items(), key=lambda r: (-r[1], r[0]))[:most]
    return [(sentence(r, "en"), sentence(r, "zh"), n) for r, n in order]


def _by_system(names: pa.ChunkedArray, otherwise: str) -> dict[str, Index]:
    """Rows of each code system that a column of names or addresses tells."""
    encoded = pc.dictionary_encode(names).combine_chunks()
    known = [str(v) for v in encoded.dictionary.to_pylist()]
    place = pc.fill_null(encoded.indices, len(known)).to_numpy(zero_copy_only=False)
    systems = np.array([*(_named(v) for v in known), otherwise], dtype=object)
    of = systems[place.astype(np.intp)]
    return {s: np.flatnonzero(of == s) for s in {str(v) for v in of.tolist()} - {""}}


def _named(text: str) -> str:
    from sdq_ehr.schema import CODE_SYSTEMS

    plain = text.strip().lower().replace("-", "").replace("_", "").replace(" ", "")
    return plain if plain in CODE_SYSTEMS else system_of_url(text)


@lru_cache(maxsize=64)
def _system(name: str, lists: tuple[tuple[str, str], ...]) -> CodeSystem:
    return code_system(name, {k: Path(v) for k, v in lists})
