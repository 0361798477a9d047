"""Explainability 可解释性: key steps of the generation traceable, sources of bias explained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.bias import Naming, causes
from sdq_core.characteristics.comparison import (
    Comparison,
    compare_embedding,
    compare_scalars,
    shared_scalars,
)
from sdq_core.characteristics.evaluation import CharacteristicEvaluation, Part
from sdq_core.characteristics.marginals import marginal_consistency
from sdq_core.characteristics.replicates import discrepancies
from sdq_core.characteristics.traceability import described, traced
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.finding import Finding
from sdq_core.measurement import Interval, Measurement, Method
from sdq_core.reasons import why
from sdq_core.vocabulary import Characteristic

__all__ = ["Explainability"]

LEAST_PER_SUBGROUP = 20
GENERATOR = ("generator", "algorithm", "algorithmname")
"""Keys that name what made an item, in lower case and without the prefix ``text:``."""
REPRODUCES = ("seed", "condition", "run", "generatorversion", "algorithmversion")
"""Keys of which one must stand beside the generator."""
BIAS = "Part 6 proposal, explainability: sources of bias explained"


class Explainability(CharacteristicEvaluation):
    """Traceability of the process and of each item, and where the differences come from."""

    characteristic = Characteristic.EXPLAINABILITY

    def scalar_names(self, cohorts: Cohorts) -> Sequence[str]:
        """Return the scalars among which the sources of bias are sought: all that are shared."""
        return shared_scalars(cohorts)

    def features(self, cohorts: Cohorts, seed: int) -> Comparison | None:
        """Put the features among which the sources of bias are sought side by side."""
        return compare_scalars(cohorts, self.scalar_names(cohorts), seed)

    def naming(self, cohorts: Cohorts) -> Naming:
        """Return what the features are called, and what belongs together."""
        return Naming()

    def lineage(self, metadata: Mapping[str, str], attributes: Mapping[str, str]) -> bool:
        """Return whether one item names its generator and a seed, condition, version or run.

        Parameters
        ----------
        metadata : mapping of str to str
            Of the description.
        attributes : mapping of str to str
            Of the container and the label table.

        Examples
        --------
        >>> Explainability("imaging").lineage({"text:Generator": "vae"}, {"seed": "7"})
        True
        """
        known = {
            key.removeprefix("text:").replace("_", "").lower()
            for key, value in {**metadata, **attributes}.items()
            if value
        }
        return any(k in known for k in GENERATOR) and any(k in known for k in REPRODUCES)

    def parts(self) -> Sequence[Part]:
        """Return the measures that all modalities share."""
        return (
            Part(("process_traceability",), self.process),
            Part(("item_lineage_share",), self.items),
            Part(("subgroup_fidelity_gap",), self.subgroups),
            Part(("bias_sources",), self.sources),
        )

    def process(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the share of the facts about the generation that are stated and not refuted."""
        return described(self.id("process_traceability"), cohorts)

    def items(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the share of synthetic items whose own origin can be traced."""
        return traced(self.id("item_lineage_share"), cohorts, self.lineage)

    def subgroups(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure how differently well the subgroups are imitated."""
        id_ = self.id("subgroup_fidelity_gap")
        attribute = cohorts.study.subgroup or "class"
        if any(_attribute(c, attribute) is None for c in cohorts.all):
            yield Measurement(
                id_,
                aspect="bias_explained",
                **why("no_attribute", what=f"the subgroup attribute {attribute!r} in every cohort"),
            )
            return
        for name in cohorts.synthetic.table.embedding_names:
            comparison = compare_embedding(cohorts, name)
            if comparison is None:
                yield Measurement(
                    id_, variant=name, **why("no_embedding", cohorts="one of the cohorts")
                )
                continue
            column = comparison.column(cohorts, lambda c: _required(c, attribute))
            members = {
                value: column == value
                for value in sorted(set(column.tolist()) - {""})
                if min(
                    (column[comparison.reference] == value).sum(),
                    (column[comparison.synthetic] == value).sum(),
                )
                >= LEAST_PER_SUBGROUP
            }
            if len(members) < 2:
                yield Measurement(
                    id_,
                    variant=name,
                    aspect="bias_explained",
                    **why(
                        "too_few",
                        needed=2,
                        what=f"subgroups with {LEAST_PER_SUBGROUP} items on both sides",
                        found=len(members),
                    ),
                )
                continue
            sides = (
                comparison.observed_weights,
                comparison.bootstrap_weights,
                comparison.split_weights,
            )
            # One at a time: weights of many subgroups together are much memory.
            inside = ((a * rows, b * rows) for a, b in sides for rows in members.values())
            found = discrepancies(comparison, "rbf", inside)
            by_side = [
                np.stack(found[k : k + len(members)]) for k in range(0, len(found), len(members))
            ]

            def gap(values: NDArray[np.float64]) -> NDArray[np.float64]:
                return np.asarray(values.max(axis=0) - values.min(axis=0))

            observed, resampled = by_side[0][:, 0], by_side[1]
            value = float(gap(observed[:, None])[0])
            low, high = np.nanquantile(gap(resampled), [0.025, 0.975])
            yield Measurement(
                id_,
                value=value,
                better="lower",
                variant=name,
                aspect="bias_explained",
                interval=Interval(
                    float(min(low, value)), float(max(high, value)), "bootstrap of subjects"
                ),
                noise_floor=comparison.floor(gap(by_side[2])),
                n=comparison.n,
                method=Method(
                    "largest minus smallest unbiased MMD^2 (RBF) between synthetic and real items "
                    "of the same subgroup",
                    f"{BIAS}; Gretton et al. 2012, JMLR 13:723",
                    {"subgroup": attribute, "embedding": name},
                    comparison.seed,
                ),
                details={
                    "table": {
                        "columns": [attribute, "MMD^2", "95 % low", "95 % high"],
                        "rows": [
                            [
                                label,
                                float(observed[k]),
                                *(float(q) for q in np.quantile(resampled[k], [0.025, 0.975])),
                            ]
                            for k, label in enumerate(members)
                        ],
                    }
                },
            )

    def sources(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Rank the features that drive the difference, and count those beyond their margin."""
        id_ = self.id("bias_sources")
        comparison = self.features(cohorts, cohorts.seed(id_))
        if comparison is None or not comparison.names:
            yield Measurement(
                id_, aspect="bias_explained", **why("no_embedding", cohorts="one of the cohorts")
            )
            return
        # Before the ranking is given: what breaks here must not be lost behind it.
        split = list(causes(id_, cohorts, comparison, self.naming(cohorts)))
        share = marginal_consistency(comparison)
        medians = np.median(comparison.raw[comparison.synthetic], axis=0) - np.median(
            comparison.raw[comparison.reference], axis=0
        )
        order = np.argsort(-share.distance / np.maximum(share.margin, 1e-12), kind="stable")
        yield Measurement(
            id_,
            value=float((~share.consistent).sum()),
            unit="features",
            aspect="bias_explained",
            n=comparison.n,
            method=Method(
                "count of features whose Wasserstein-1 distance exceeds its real-against-real "
                "margin, ranked by distance over margin",
                f"{BIAS}; Ramdas et al. 2017, doi:10.3390/e19020047",
                {"features": len(comparison.names)},
                comparison.seed,
            ),
            details={
                "ranking": [
                    {
                        "feature": comparison.names[c],
                        "value": float(share.distance[c] / max(share.margin[c], 1e-12)),
                        "direction": "higher" if medians[c] > 0 else "lower",
                    }
                    for c in order[:15]
                ],
                "ranking_unit": "distance over margin (1 = as far as real from real)",
            },
        )
        yield from split


def _attribute(cohort: Cohort, name: str) -> NDArray[np.str_] | None:
    return cohort.classes if name == "class" else cohort.attributes.get(name)


def _required(cohort: Cohort, name: str) -> NDArray[np.str_]:
    found = _attribute(cohort, name)
    assert found is not None, "checked by the caller for every cohort"
    return found
