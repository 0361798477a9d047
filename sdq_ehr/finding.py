"""Findings about rows of tables, many rows at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["RowFinding"]


@dataclass(frozen=True, slots=True, eq=False)
class RowFinding:
    """One rule that some rows of one table break.

    Parameters
    ----------
    table : str
    rows : ndarray, shape (k,), intp
        Rows of the table, counted from 0, in ascending order.
    rule : str
        Rule id ``ehr.<area>.<rule>``.
    column : str
        Column, or columns joined by ``", "``; empty for the whole row.

    Examples
    --------
    >>> found = RowFinding("labs", np.array([3, 7]), "ehr.structure.type", "value")
    >>> len(found), found.area
    (2, 'structure')
    """

    table: str
    rows: NDArray[np.intp]
    rule: str
    column: str = ""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def area(self) -> str:
        """Second part of the rule id."""
        return self.rule.split(".")[1]

    @property
    def where(self) -> str:
        """Table and column, for messages."""
        return f"{self.table}.{self.column}" if self.column else self.table
