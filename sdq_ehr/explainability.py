"""Explainability of records: sources of bias among the coordinates of the patients' rows."""

from __future__ import annotations

from sdq_core.characteristics.bias import Naming
from sdq_core.characteristics.comparison import Comparison, compare_rows
from sdq_core.characteristics.explainability import Explainability
from sdq_core.cohort import Cohort, Cohorts
from sdq_ehr.describing import EMBEDDING, EhrDescriber

__all__ = ["EhrExplainability"]


class EhrExplainability(Explainability):
    """Traceability and sources of bias."""

    def features(self, cohorts: Cohorts, seed: int) -> Comparison | None:
        """Put the coordinates of the patients' rows side by side, under their names."""
        names = EhrDescriber.of(cohorts.study).layout.coordinates

        def get(cohort: Cohort):  # type: ignore[no-untyped-def]
            values, rows = cohort.table.embedding(EMBEDDING)
            return values.astype("float64"), rows

        found = {len(v[0]) for c in cohorts.all if (v := get(c)[0]).size}
        comparison = compare_rows(cohorts, get, seed, names if found == {len(names)} else ())
        # Where nothing varies there is nothing that could drive a difference.
        return comparison if comparison is not None and comparison.values.shape[1] else None

    def naming(self, cohorts: Cohorts) -> Naming:
        """Put the coordinates of one column together; a column is its own family."""
        columns = EhrDescriber.of(cohorts.study).layout.columns
        categories = {c.name for c in columns if c.is_category}

        def feature(name: str) -> str:
            column = name.partition(" = ")[0]
            return column if column in categories else name

        return Naming(feature, family=lambda feature: "")
