"""Fidelity of single columns: the share that is consistent, the worst one, and what chance says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.fidelity import Fidelity
from sdq_core.cohort import Cohorts
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement, Method
from sdq_ehr import fidelity_texts as texts
from sdq_ehr.fidelity_texts import both, missing, table_of
from sdq_ehr.marginal_columns import RELEVANT, bars, column_marginals, histograms
from sdq_ehr.resampled import PERMUTATIONS, Resampled, resampled
from sdq_ehr.tables_compared import Compared, compared_tables

__all__ = ["ColumnFidelity", "seen"]

Values = NDArray[np.float64]
Found = TypeVar("Found")


class ColumnFidelity(Fidelity):
    """Marginal consistency of records."""

    def columns(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the share of columns whose distribution is consistent."""
        id_ = self.id("marginal_share_consistent")
        side, found = seen(cohorts, column_marginals)
        if side is None or found is None:
            yield missing(id_, side, cohorts, "marginal_consistency", texts.NO_COLUMNS)
            return
        rows = [
            [
                found.columns[k].name,
                float(found.distance[k]),
                float(found.margin[k]),
                float(found.p_holm[k]),
                bool(found.consistent[k]),
            ]
            for k in found.order
        ]
        yield Measurement(
            id_,
            value=found.value,
            better="higher",
            unit="share",
            interval=found.interval,
            noise_floor=found.noise_floor,
            n=side.comparison.n,
            aspect="marginal_consistency",
            method=Method(
                "share of columns whose distance to the reference stays within 1.5 times the "
                "97.5 % quantile of real-against-real re-splits; total variation of categories, "
                "Wasserstein-1 distance in ranks of the real pool and difference of the missing "
                "shares of numbers, and beside it the total variation of the values that at least "
                "5 % of the real rows hold",
                f"{texts.RAMDAS}; p by permutation of patients beside it, Holm 1979, Benjamini & "
                "Hochberg 1995",
                {"columns": found.count},
                side.comparison.seed,
            ),
            details={
                "histograms": [
                    {**h, "distance_unit": both(h["distance_unit"])}
                    for h in histograms(found, side)
                ],
                "bars": bars(found, side),
                "table": table_of(
                    ["column", "distance", "margin", "p after Holm", "consistent"], rows[:40]
                ),
                "features": [
                    {
                        "feature": c.name,
                        "distance": float(found.distance[k]),
                        "margin": float(found.margin[k]),
                        "p": float(found.p[k]),
                        "p_holm": float(found.p_holm[k]),
                        "p_bh": float(found.p_bh[k]),
                        "p_family": float(found.p_family[k]),
                        "consistent": bool(found.consistent[k]),
                    }
                    for k, c in enumerate(found.columns)
                ],
                "share_rejected_holm": float((found.p_holm < 0.05).mean()),
                "share_rejected_bh": float((found.p_bh < 0.05).mean()),
            },
        )
        scale = side.noise(found.distances, texts.LEAST_SHARE)
        yield self._largest(
            id_, "worst-column", side, found.distances, scale,
            "largest distance of a column, of the same kind", texts.RAMDAS,
            {"columns": found.count}, {}, "marginal_consistency",
        )  # fmt: skip
        far, p = found.shown
        yield Measurement(
            id_,
            value=p,
            better="higher",
            variant="chance",
            aspect="marginal_consistency",
            n={**side.comparison.n, "real": len(side.comparison.pool)},
            method=Method(
                "smallest family-wise p, by permutation of patients, of the columns whose distance "
                f"from all real patients is at least {RELEVANT:.0%}; 1 where there is none; each "
                "distance over its own 97.5 % quantile, the largest of all columns under each "
                "permutation",
                "Westfall & Young 1993, Resampling-Based Multiple Testing, section 2.3",
                {"columns": found.count, "permutations": PERMUTATIONS},
                side.comparison.seed,
            ),
            details={} if far is None else {
                "table": table_of(
                    ["column", "distance"], [[found.columns[far].name, float(found.apart[far])]]
                )
            },
        )  # fmt: skip

    def _largest(
        self,
        id_: str,
        variant: str | None,
        side: Resampled,
        distances: Values,
        scale: Values,
        name: str,
        source: str,
        facts: dict[str, Any],
        details: dict[str, Any],
        aspect: str = "joint_consistency",
    ) -> Measurement:
        """Measure the largest of several distances, each over its own noise."""
        value, interval, floor = side.reading((distances / scale).max(axis=1))
        return Measurement(
            id_,
            value=value,
            better="lower",
            variant=variant,
            aspect=aspect,
            interval=interval,
            noise_floor=floor,
            n=side.comparison.n,
            method=Method(name + texts.NOISE_NOTE, source, facts, side.comparison.seed),
            details=details,
        )


def seen(
    cohorts: Cohorts, property_of: Callable[[Resampled, Sequence[Compared]], Found | None]
) -> tuple[Resampled | None, Found | None]:
    """Return the patients side by side and a property of their tables; None where there is none."""
    side = resampled(cohorts)
    return side, None if side is None else property_of(side, compared_tables(side))
