"""What an attacker who has the synthetic patients alone makes of an agreement with one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.statistics.coding import mid_ranks
from sdq_core.statistics.mixed_rows import MixedRows

__all__ = ["Evidence"]

STEPS: Final = 64
"""Steps of a number's rank."""
CAP: Final = float(np.log(30))
"""Most that one column can count, in nats: values are rounded, and rare ones are only known to be
rare within the size of the synthetic set."""
_TABLE: Final = 512  # levels; with more, comparing codes is cheaper than a table

Evidences = NDArray[np.float32]
Codes = NDArray[np.intp]


class Evidence:
    """Evidence of every column that two rows belong to one patient, by synthetic frequencies.

    Parameters
    ----------
    synthetic : MixedRows
        All that the attacker has.
    levels : sequence of int
        Levels of each category.

    Notes
    -----
    Agreement on a level counts minus the logarithm of its share among synthetic rows, agreement of
    two numbers that of the share within the same distance in ranks, at most `CAP`; disagreement
    counts nothing. Sums are log-likelihood ratios: Fellegi & Sunter, JASA 64, 1969,
    doi:10.1080/01621459.1969.10501049.

    Examples
    --------
    >>> rows = MixedRows(np.empty((4, 0)), np.array([[0], [0], [0], [1]]))
    >>> found = Evidence(rows, [2]).matrix(rows.take(np.array([0, 3])), [0])
    >>> found.astype(float).round(2).tolist()
    [[0.25, 0.25, 0.25, 0.0], [0.0, 0.0, 0.0, 1.1]]
    """

    def __init__(self, synthetic: MixedRows, levels: Sequence[int]) -> None:
        self.synthetic = synthetic
        n = len(synthetic)
        self._numbers = synthetic.numbers.shape[1]
        self._tables: list[NDArray[np.float32]] = []
        self._codes = self.codes(synthetic)
        for j in range(self._numbers):
            self._tables.append(_number_table(self._codes[j], n))
        for j, count in enumerate(levels):
            share = (np.bincount(synthetic.categories[:, j], minlength=count) + 0.5) / (n + 0.5)
            self._tables.append(np.clip(-np.log(share), 0, CAP).astype(np.float32))

    @property
    def width(self) -> int:
        """Number of columns, numbers first."""
        return len(self._tables)

    def worth(self) -> NDArray[np.float64]:
        """Return the mean evidence of agreeing with oneself, by column: how much each tells."""
        found = []
        for code, table in zip(self._codes, self._tables, strict=True):
            found.append(table[code, code].mean() if table.ndim == 2 else table[code].mean())
        return np.array(found, np.float64)

    def codes(self, rows: MixedRows) -> list[Codes]:
        """Return the levels, or steps of ranks among the synthetic rows, by column."""
        found = []
        for pool, x in zip(self.synthetic.numbers.T, rows.numbers.T, strict=True):
            ranks = mid_ranks(pool, x)
            step = np.full(len(x), STEPS, np.intp)
            known = ~np.isnan(ranks)
            step[known] = np.minimum((ranks[known] * STEPS).astype(np.intp), STEPS - 1)
            found.append(step)
        return found + [c.astype(np.intp) for c in rows.categories.T]

    def matrix(self, rows: MixedRows, columns: Sequence[int]) -> Evidences:
        """Return the evidence of each row beside each synthetic row, over some columns.

        Parameters
        ----------
        rows : MixedRows
        columns : sequence of int
            Numbers of the columns, those of numbers first.

        Returns
        -------
        ndarray, shape (rows, synthetic), float32
        """
        total = np.zeros((len(rows), len(self.synthetic)), np.float32)
        codes = self.codes(rows)
        for j in columns:
            total += self._beside(j, codes[j])
        return total

    def each(self, rows: MixedRows, columns: Sequence[int]) -> Iterator[Evidences]:
        """Yield what each column adds to `matrix`, one at a time."""
        codes = self.codes(rows)
        for j in columns:
            yield self._beside(j, codes[j])

    def _beside(self, column: int, code: Codes) -> Evidences:
        table, own = self._tables[column], self._codes[column]
        if table.ndim == 2:
            return np.asarray(table[:, own][code])
        if len(table) <= _TABLE:
            lines = np.zeros((len(table), len(own)), np.float32)
            lines[own, np.arange(len(own))] = table[own]
            return lines[code]
        same: Any = code[:, None] == own
        return np.asarray(same * table[own], np.float32)


def _number_table(steps: Codes, n: int) -> NDArray[np.float32]:
    """Evidence of every two steps; the last step is missing."""
    count = np.bincount(steps, minlength=STEPS + 1)
    below = np.concatenate([[0], np.cumsum(count[:STEPS])])
    i, j = np.indices((STEPS, STEPS))
    reach = np.abs(i - j)
    inside = below[np.minimum(i + reach + 1, STEPS)] - below[np.maximum(i - reach, 0)]
    table = np.zeros((STEPS + 1, STEPS + 1), np.float32)
    table[:STEPS, :STEPS] = -np.log((np.maximum(inside, inside.T) + 0.5) / (n + 0.5))
    table[STEPS, STEPS] = -np.log((count[STEPS] + 0.5) / (n + 0.5))
    return np.clip(table, 0, CAP)
