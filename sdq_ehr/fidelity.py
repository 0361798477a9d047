"""Fidelity of health records: columns, dependences, codes, time, and patients as points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sdq_core.characteristics.comparison import Comparison
from sdq_core.characteristics.evaluation import Part
from sdq_core.cohort import Cohorts
from sdq_core.measurement import Measurement, Method
from sdq_ehr import fidelity_texts as texts
from sdq_ehr.associations import association_views, heat_map, pair_table
from sdq_ehr.code_profiles import code_frequencies, cooccurrence
from sdq_ehr.code_trees import code_tree
from sdq_ehr.describing import EMBEDDING, EhrDescriber
from sdq_ehr.fidelity_columns import ColumnFidelity, seen
from sdq_ehr.fidelity_texts import missing, table_of
from sdq_ehr.joint_tables import missing_rates, three_way
from sdq_ehr.points_compared import compared_points
from sdq_ehr.preparing import layout_of
from sdq_ehr.resampled import resampled
from sdq_ehr.settings import EhrSettings
from sdq_ehr.tables_compared import compared_tables

__all__ = ["EhrFidelity"]


class EhrFidelity(ColumnFidelity):
    """Marginal and joint consistency of records; the unit is the patient."""

    def embedding_facts(self, cohorts: Cohorts) -> dict[str, dict[str, Any]]:
        """Return name, version and hash of the embedding in use."""
        layout = layout_of(cohorts.study, EhrSettings.of(cohorts.study.settings))
        return {
            EMBEDDING: {
                "version": EhrDescriber.version,
                "sha256": layout.sha256,
                "dimension": len(layout.coordinates),
            }
        }

    def parts(self) -> Sequence[Part]:
        """Return the measures in the order of the report."""
        return (
            Part(("marginal_share_consistent",), self.columns),
            Part(("association_distance",), self.associations),
            Part(("three_way_distance",), self.three_way),
            Part(("missingness_distance",), self.missingness),
            Part(("code_frequency_distance",), self.code_frequency),
            Part(("code_cooccurrence_distance",), self.code_cooccurrence),
            Part(("trajectory_distance",), self.trajectories),
            Part(("frechet_distance",), self.frechet),
            Part(("kernel_distance",), self.kernels),
            Part(("precision", "recall", "density", "coverage"), self.neighbours),
            Part(("c2st_auc",), self.classifier),
        )

    def associations(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure what became of the dependence of every two columns."""
        id_ = self.id("association_distance")
        side = resampled(cohorts)
        views = [] if side is None else list(association_views(side, compared_tables(side)))
        distances = np.concatenate([v.distances for v in views], axis=1) if views else None
        if side is None or distances is None or not distances.shape[1]:
            yield missing(id_, side, cohorts, "joint_consistency", texts.NO_PAIRS)
            return
        scale = side.noise(distances, texts.LEAST_ASSOCIATION)
        scales = np.split(scale, np.cumsum([v.distances.shape[1] for v in views])[:-1])
        lost, invented = (pair_table(views, scales, kind) for kind in ("lost", "invented"))
        head = ["association, real", "association, synthetic", "difference"]
        facts = {
            "columns": sum(len(v.columns) for v in views),
            "pairs": sum(len(v.columns) * (len(v.columns) - 1) // 2 for v in views),
            "columns_left_out": sum(v.left_out for v in views),
        }
        name = (
            "of the associations of all pairs of columns, of the patients' rows and within each "
            "table (Spearman; Cramer's V and correlation ratio of ranks, corrected for bias; "
            "categories in their 20 commonest real levels and the others together)"
        )
        value, interval, floor = side.reading(np.sqrt((distances**2).mean(axis=1)))
        yield Measurement(
            id_,
            value=value,
            better="lower",
            variant="all-pairs",
            aspect="joint_consistency",
            interval=interval,
            noise_floor=floor,
            n=side.comparison.n,
            method=Method(
                f"root mean square difference {name}", texts.BERGSMA, facts, side.comparison.seed
            ),
            details={
                "heat": heat_map(views[0], scales[0]),
                "table": table_of(["columns: dependence lost", *head], lost),
            },
        )
        yield self._largest(
            id_, "largest", side, distances, scale, f"largest difference {name}",
            texts.BERGSMA, facts,
            {
                "lost": lost,
                "invented": invented,
                "table": table_of(["columns: dependence invented", *head], invented),
            },
        )  # fmt: skip

    def three_way(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the distance of the joint distributions of three columns at a time."""
        id_ = self.id("three_way_distance")
        side, found = seen(cohorts, three_way)
        if side is None or found is None:
            yield missing(id_, side, cohorts, "joint_consistency", texts.NO_TRIPLES)
            return
        value, interval, floor = side.reading(found.distances.mean(axis=1), upper=1.0)
        ratio = found.distances[0] / side.noise(found.distances, texts.LEAST_SHARE)
        worst = np.argsort(-ratio, kind="stable")[: texts.MOST_ROWS]
        yield Measurement(
            id_,
            value=value,
            better="lower",
            aspect="joint_consistency",
            interval=interval,
            noise_floor=floor,
            n=side.comparison.n,
            method=Method(
                "mean total variation of sets of three columns; numbers in quarters of the real "
                "pool, categories in their 8 commonest real levels and the others together",
                texts.K_MARGINAL,
                {"sets": len(found.names), "possible": found.possible},
                side.comparison.seed,
            ),
            details={
                "table": table_of(
                    ["columns", "distance", "distance over real noise"],
                    [
                        [found.names[k], float(found.distances[0, k]), float(ratio[k])]
                        for k in worst
                    ],
                )
            },
        )

    def missingness(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the differences of the rates at which cells are missing, alone and together."""
        id_ = self.id("missingness_distance")
        side = resampled(cohorts)
        if side is None:
            yield missing(id_, side, cohorts, "joint_consistency", texts.NO_COLUMNS)
            return
        found = missing_rates(side, compared_tables(side))
        distances = found.distances
        if not found.names:  # nothing is missing anywhere, in which both sides agree
            distances = np.zeros((len(side.sides[0][0]), 1))
        scale = side.noise(distances, texts.LEAST_MISSING)
        worst = np.argsort(-distances[0] / scale, kind="stable")[: texts.MOST_ROWS]
        yield self._largest(
            id_, None, side, distances, scale,
            "largest difference of the rates at which a column, or two columns together, are "
            "missing",
            texts.RUBIN, {"columns_and_pairs": len(found.names)},
            {
                "table": table_of(
                    ["column", "real", "synthetic"],
                    [
                        [found.names[k], float(found.real[k]), float(found.synthetic[k])]
                        for k in worst
                        if found.names
                    ],
                )
            },
        )  # fmt: skip

    def code_frequency(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure how the frequencies of codes differ, of all and of rare ones."""
        id_ = self.id("code_frequency_distance")
        side, found = seen(cohorts, code_frequencies)
        if side is None or found is None:
            yield missing(id_, side, cohorts, "joint_consistency", texts.NO_CODES)
            return
        tree = code_tree(side, compared_tables(side))
        yield self._largest(
            id_, "all-codes", side, found.distances, side.noise(found.distances, texts.LEAST_SHARE),
            "largest total variation, over code columns, of the shares of rows with each code",
            texts.CHOI, {"columns": list(found.names)},
            {
                "table": table_of(
                    ["code", "real", "synthetic"], [list(c) for c in found.codes[:texts.MOST_ROWS]]
                ),
                **({} if tree is None else {"tree": tree}),
            },
        )  # fmt: skip
        yield self._largest(
            id_, "rare-codes", side, found.rare, side.noise(found.rare, texts.LEAST_SHARE),
            "largest difference, over code columns, of the shares of patients with a code that "
            "fewer than 1 % of the real patients have",
            texts.CHOI, {"columns": list(found.names)},
            {
                "table": table_of(
                    ["column", "real", "synthetic"],
                    [
                        [n, float(a), float(b)]
                        for n, a, b in zip(
                            found.names, found.rare_real, found.rare_synthetic, strict=True
                        )
                    ],
                )
            },
        )  # fmt: skip

    def code_cooccurrence(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure which codes patients have together."""
        id_ = self.id("code_cooccurrence_distance")
        side, found = seen(cohorts, cooccurrence)
        if side is None or found is None:
            yield missing(id_, side, cohorts, "joint_consistency", texts.NO_CODE_PAIRS)
            return
        difference = found.real - found.synthetic
        value, interval, floor = side.reading(np.sqrt((difference**2).mean(axis=1)))
        worst = np.argsort(-np.abs(difference[0]), kind="stable")[: texts.MOST_ROWS]
        yield Measurement(
            id_,
            value=value,
            better="lower",
            aspect="joint_consistency",
            interval=interval,
            noise_floor=floor,
            n=side.comparison.n,
            method=Method(
                "root mean square difference of the phi coefficients of all pairs of the codes "
                "that at least 2 % of the real patients have",
                texts.CHOI,
                {"pairs": len(found.pairs)},
                side.comparison.seed,
            ),
            details={
                "table": table_of(
                    ["codes", "association, real", "association, synthetic"],
                    [
                        [found.pairs[k], float(found.real[0, k]), float(found.synthetic[0, k])]
                        for k in worst
                    ],
                )
            },
        )

    def trajectories(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure how the courses of patients over time differ."""
        id_ = self.id("trajectory_distance")
        side = resampled(cohorts)
        tables = () if side is None else compared_tables(side)
        courses = [(c, None if side is None else c[1](side, tables)) for c in texts.COURSES]
        if side is None or all(found is None for _, found in courses):
            yield missing(id_, side, cohorts, "joint_consistency", texts.NO_TIME)
            return
        for (variant, _, least, name, source), found in courses:
            if found is None:
                none = missing(id_, side, cohorts, "joint_consistency", texts.NO_TIME)
                yield replace(none, variant=variant)
                continue
            scale = side.noise(found.distances, least)
            worst = np.argsort(-found.distances[0] / scale, kind="stable")[: texts.MOST_ROWS]
            yield self._largest(
                id_, variant, side, found.distances, scale, f"largest {name}", source,
                {"compared": len(found.names)},
                {
                    "table": table_of(
                        ["table or column", "real", "synthetic", "distance"],
                        [
                            [
                                found.names[k], found.real[k], found.synthetic[k],
                                float(found.distances[0, k]),
                            ]
                            for k in worst
                        ],
                    )
                },
            )  # fmt: skip

    def kernels(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the kernel distance (cubic)."""
        yield from self.discrepancies("kernel_distance", list(self._each(cohorts)))

    def _each(self, cohorts: Cohorts) -> Iterator[tuple[str, dict[str, Any], Comparison | None]]:
        for name, facts in self.embedding_facts(cohorts).items():
            yield name, {"name": name, **facts}, compared_points(cohorts, name)
