"""Volume and balance of records: the shared measures, and how many of the rare codes there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.balance import Balance
from sdq_core.characteristics.comparison import compare_rows
from sdq_core.characteristics.evaluation import Part
from sdq_core.characteristics.learning import Learner
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import why
from sdq_ehr.boosting import BOOSTING
from sdq_ehr.records import Records, records_of

__all__ = ["EhrBalance", "presence"]

RARE: Final = 0.05
"""A code is rare when at most this share of the real patients have it."""
LEAST_CODES: Final = 5

Index = NDArray[np.intp]


class EhrBalance(Balance):
    """Amount in patients, balance over classes and attributes, coverage of rare codes."""

    learner: ClassVar[Learner] = BOOSTING

    def parts(self) -> Sequence[Part]:
        """Return the shared measures but diversity, which `coverage` tells, and rare codes."""
        _, classes, attributes, _, adequacy = super().parts()
        return (
            Part(("items",), self.patients),
            classes,
            attributes,
            Part(("rare_code_coverage",), self.rare_codes),
            adequacy,
        )

    def patients(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Count readable patients."""
        yield from (m for m in self.amount(cohorts) if m.id == self.id("items"))

    def rare_codes(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure which share of the rare codes of real patients the synthetic ones have."""
        id_ = self.id("rare_code_coverage")
        records = records_of(cohorts)
        held, names = presence(records)

        def get(cohort: Cohort) -> tuple[NDArray[np.float64], Index]:
            rows = np.flatnonzero(cohort.table.readable)
            return held[records.starts[cohort.role] + rows].astype(np.float64), rows

        places = tuple(map(str, range(len(names))))
        comparison = compare_rows(cohorts, get, cohorts.seed(id_), places) if names else None
        wanted = 0 if comparison is None else _rare(comparison.raw[comparison.reference]).sum()
        if comparison is None or wanted < LEAST_CODES:
            yield Measurement(
                id_,
                applicable=False,
                **why(
                    "not_applicable",
                    why=f"there are fewer than {LEAST_CODES} codes that at least two and at most "
                    f"{RARE:.0%} of the real patients have",
                    why_zh=f"由至少两名、至多 {RARE:.0%} 的真实患者共有的编码不足 {LEAST_CODES} 个",
                ),
            )
            return
        raw = comparison.raw

        # Which codes are rare is told by one side alone, for re-splits as for the cohorts: chosen
        # over all real patients, codes would be commoner in their parts than in a fresh sample.
        def coverage(i: Index, j: Index) -> float:
            rare = _rare(raw[i])
            return float((raw[j].max(axis=0) > 0)[rare].mean()) if rare.any() else 1.0

        value, interval, floor = comparison.measure(coverage, lower=0.0, upper=1.0)
        missing = _rare(raw[comparison.reference]) & ~(raw[comparison.synthetic].max(axis=0) > 0)
        absent = [names[int(comparison.names[k])] for k in np.flatnonzero(missing)]
        yield Measurement(
            id_,
            value=value,
            better="higher",
            unit="share",
            interval=interval,
            noise_floor=floor,
            n=comparison.n,
            method=Method(
                f"of the codes that at least two and at most {RARE:.0%} of the patients of the "
                "reference have, the share that occurs in the synthetic cohort too",
                "coverage of support: Naeem et al. 2020, arXiv:2002.09797; rare categories: Yan et "
                "al. 2022, doi:10.1038/s41467-022-35295-1",
                {"rare_codes": int(wanted)},
                comparison.seed,
            ),
            details={
                "absent": absent[:50],
                "absent_count": len(absent),
                "table": {
                    "columns": [{"en": "code that is missing", "zh": "缺失的编码"}],
                    "rows": [[name] for name in absent[:50]],
                },
            },
        )


def _rare(held: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each code is had by at least two patients and by few."""
    count = held.sum(axis=0)
    return np.asarray((count >= 2) & (count <= max(RARE * len(held), 2)))


def presence(records: Records) -> tuple[NDArray[np.bool_], list[str]]:
    """Return which patient has which code.

    Parameters
    ----------
    records : Records

    Returns
    -------
    held : ndarray of bool, shape (patients, codes)
    names : list of str
        ``table.column code`` of each; only columns of codes, in their order.
    """
    blocks, names = [], []
    for table in records.tables.values():
        for column, codes in table.codes.items():
            if table.columns[column].type != "code":
                continue
            levels = table.levels[column]
            found = np.zeros((records.count, len(levels)), bool)
            found[table.owner, codes] = True
            blocks.append(found[:, :-1])
            names += [f"{table.name}.{column} {v}" for v in levels[:-1]]
    if not blocks:
        return np.zeros((records.count, 0), bool), []
    return np.hstack(blocks), names
