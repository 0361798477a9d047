"""Feature distribution fidelity 特征分布真实性: marginal and joint consistency."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.comparison import (
    Comparison,
    compare_embedding,
    compare_scalars,
    principal_map,
    shared_scalars,
)
from sdq_core.characteristics.conditional import Aspect, conditional_fidelity
from sdq_core.characteristics.evaluation import CharacteristicEvaluation, Part
from sdq_core.characteristics.marginals import histograms, marginal_consistency
from sdq_core.characteristics.replicates import (
    NEIGHBOURS,
    Kernel,
    Replicates,
    by_kernel,
    frechet,
    marginals,
    neighbours,
    separability,
)
from sdq_core.cohort import Cohorts
from sdq_core.finding import Finding
from sdq_core.measurement import Interval, Measurement, Method
from sdq_core.reasons import why
from sdq_core.statistics import (
    attack_curve,
    classifier_two_sample_test,
    holm,
    two_sample_tests,
)
from sdq_core.vocabulary import Characteristic, Severity

__all__ = ["Fidelity"]

Values = NDArray[np.float64]

GRETTON = "Gretton et al. 2012, JMLR 13:723"
KID = "Binkowski et al. 2018, arXiv:1801.01401"
HEUSEL = "Heusel et al. 2017, arXiv:1706.08500"
PRECISION = "Kynkaanniemi et al. 2019, arXiv:1904.06991"
DENSITY = "Naeem et al. 2020, arXiv:2002.09797"
C2ST = "Lopez-Paz & Oquab 2017, arXiv:1610.06545"
SZEKELY = "Szekely & Rizzo 2013, doi:10.1016/j.jspi.2013.03.018"

KERNELS: Final[dict[str, tuple[Kernel, str, str]]] = {
    "mmd": ("rbf", "unbiased MMD^2, RBF kernels around the median distance", GRETTON),
    "kernel_distance": ("cubic", "unbiased MMD^2, cubic kernel, whole set", KID),
    "energy_distance": ("energy", "unbiased energy distance of robustly scaled features", SZEKELY),
}
"""Measure -> kernel, method and source."""

FRECHET_ITEMS: Final = 50
"""Fewest items a side of which a Frechet distance is readable."""

LEAST_GROUPS: Final = 6
"""Fewest subjects a side of which pairs are compared."""


class Fidelity(CharacteristicEvaluation):
    """Marginal consistency over named scalars, joint consistency over embeddings."""

    characteristic = Characteristic.FIDELITY

    def scalar_names(self, cohorts: Cohorts) -> Sequence[str]:
        """Return the scalars whose marginals are compared: all that both sides have."""
        return shared_scalars(cohorts)

    @abstractmethod
    def embedding_facts(self, cohorts: Cohorts) -> dict[str, dict[str, Any]]:
        """Return the embeddings in use -> version, hash and dimension."""

    def parts(self) -> Sequence[Part]:
        """Return the measures that all modalities share."""
        return (
            Part(("marginal_share_consistent",), self.marginals),
            Part(("mmd", "kernel_distance"), self.kernels),
            Part(("frechet_distance",), self.frechet),
            Part(("precision", "recall", "density", "coverage"), self.neighbours),
            Part(("c2st_auc",), self.classifier),
            Part(("conditional_excess",), self.conditional),
        )

    def marginals(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the share of named features whose marginal distribution is consistent."""
        id_ = self.id("marginal_share_consistent")
        comparison = compare_scalars(cohorts, self.scalar_names(cohorts), cohorts.seed(id_))
        if comparison is None:
            yield Measurement(
                id_,
                aspect="marginal_consistency",
                **why("no_embedding", cohorts="one of the cohorts"),
            )
            return
        share = marginal_consistency(comparison)
        tests = two_sample_tests(
            comparison.raw[comparison.reference],
            comparison.raw[comparison.synthetic],
            comparison.names,
            comparison.groups[np.concatenate([comparison.reference, comparison.synthetic])],
            seed=comparison.seed,
        )
        yield Measurement(
            id_,
            value=share.value,
            better="higher",
            unit="share",
            interval=share.interval,
            noise_floor=share.noise_floor,
            n=comparison.n,
            aspect="marginal_consistency",
            method=Method(
                "share of features whose Wasserstein-1 distance to the reference stays within "
                "1.5 times the 97.5 % quantile of real-against-real re-splits",
                "Ramdas et al. 2017, doi:10.3390/e19020047; Kolmogorov-Smirnov tests by "
                "permutation of subjects beside it, Holm 1979, Benjamini & Hochberg 1995",
                {"features": len(comparison.names)},
                comparison.seed,
            ),
            details={
                "histograms": histograms(comparison, share, tests),
                "features": [
                    {
                        "feature": t.name,
                        "ks": t.ks,
                        "p": t.p_value,
                        "p_holm": t.p_holm,
                        "p_bh": t.p_bh,
                        "wasserstein_in_real_iqr": t.wasserstein,
                        "total_variation": t.total_variation,
                        "consistent": bool(c),
                    }
                    for t, c in zip(tests, share.consistent, strict=True)
                ],
                "share_ks_rejected_holm": float(np.mean([t.p_holm < 0.05 for t in tests])),
                "share_ks_rejected_bh": float(np.mean([t.p_bh < 0.05 for t in tests])),
            },
        )

    def kernels(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the maximum mean discrepancy (RBF) and the kernel distance (cubic)."""
        for measure in ("mmd", "kernel_distance"):
            yield from self.discrepancies(measure, list(self._each(cohorts)))

    def discrepancies(
        self, measure: str, sides: Sequence[tuple[str, dict[str, Any], Comparison | None]]
    ) -> Iterator[Measurement]:
        """Measure one kernel's discrepancy for several ways to look at the items.

        Parameters
        ----------
        measure : str
            Key of `KERNELS`.
        sides : sequence of (variant, facts, Comparison or None)
            None where one cohort cannot be looked at in this way. The p-values are adjusted over
            all of them.
        """
        kernel, name, source = KERNELS[measure]
        known = [(e, f, c) for e, f, c in sides if c is not None and _enough(c)]
        readings = [by_kernel(c, kernel, permuted=True) for _, _, c in known]
        adjusted = holm(np.array([r.p for r in readings])) if readings else np.empty(0)
        for (embedding, facts, comparison), reading, p_holm in zip(
            known, readings, adjusted, strict=True
        ):
            details: dict[str, Any] = {"p": reading.p, "p_holm": float(p_holm)}
            if measure == "mmd":
                details["map"] = principal_map(comparison)
            yield Measurement(
                self.id(measure),
                value=reading.value,
                better="lower",
                variant=embedding,
                aspect="joint_consistency",
                interval=reading.interval(),
                noise_floor=comparison.floor(reading.null),
                n=comparison.n,
                method=Method(
                    f"{name}; p by permutation of subjects, Holm over the embeddings",
                    source,
                    {"embedding": facts},
                    comparison.seed,
                ),
                details=details,
            )
        for embedding, facts, side in sides:
            if side is None:
                yield self._no_embedding(measure, embedding, facts)
            elif not _enough(side):
                yield Measurement(
                    self.id(measure),
                    variant=embedding,
                    aspect="joint_consistency",
                    **why(
                        "too_few",
                        needed=LEAST_GROUPS,
                        what="subjects a side",
                        found=_fewest(side),
                    ),
                )

    def frechet(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the Frechet distance in a dimension that this n can carry."""
        for embedding, facts, comparison in self._each(cohorts):
            if comparison is None:
                yield self._no_embedding("frechet_distance", embedding, facts)
                continue
            smallest = min(comparison.sizes)
            dimension = min(smallest // 5, comparison.values.shape[1])
            if smallest < FRECHET_ITEMS:
                yield Measurement(
                    self.id("frechet_distance"),
                    variant=embedding,
                    aspect="joint_consistency",
                    **why(
                        "too_few", needed=FRECHET_ITEMS, what="items in each cohort", found=smallest
                    ),
                )
                continue
            found = frechet(comparison, dimension)
            yield Measurement(
                self.id("frechet_distance"),
                value=found.value,
                better="lower",
                variant=embedding,
                aspect="joint_consistency",
                interval=found.interval(),
                noise_floor=comparison.floor(found.null),
                n=comparison.n,
                method=Method(
                    "Frechet distance in principal components of the real pool (n/5 at most)",
                    f"{HEUSEL}; bias at small n: Chong & Forsyth 2020, arXiv:1911.07023",
                    {"embedding": facts, "dimension": dimension},
                    comparison.seed,
                ),
            )

    def neighbours(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure precision, recall, density and coverage."""
        measures = NEIGHBOURS
        for embedding, facts, comparison in self._each(cohorts):
            if comparison is None:
                for measure in measures:
                    yield self._no_embedding(measure, embedding, facts)
                continue
            if min(comparison.sizes) < 20:
                for measure in measures:
                    yield Measurement(
                        self.id(measure),
                        variant=embedding,
                        aspect="joint_consistency",
                        **why(
                            "too_few",
                            needed=20,
                            what="items in each cohort",
                            found=min(comparison.sizes),
                        ),
                    )
                continue
            for measure, found in zip(measures, neighbours(comparison), strict=True):
                yield Measurement(
                    self.id(measure),
                    value=found.value,
                    better="higher",
                    unit="1" if measure == "density" else "share",
                    variant=embedding,
                    aspect="joint_consistency",
                    interval=found.interval(),
                    noise_floor=comparison.floor(found.null),
                    n=comparison.n,
                    method=Method(
                        f"{measure} with 5 nearest neighbours",
                        PRECISION if measure in ("precision", "recall") else DENSITY,
                        {"embedding": facts, "k": 5},
                        comparison.seed,
                    ),
                )

    def classifier(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure how well a linear classifier tells synthetic from real.

        Scores that are worse than chance are a warning: each synthetic item lies so near a real
        one that the classifier, trained without it, takes it for real.
        """
        for embedding, facts, comparison in self._each(cohorts):
            if comparison is None:
                yield self._no_embedding("c2st_auc", embedding, facts)
                continue
            both = np.concatenate([comparison.reference, comparison.synthetic])
            groups = comparison.groups[both]
            test = classifier_two_sample_test(
                comparison.values[comparison.reference],
                comparison.values[comparison.synthetic],
                groups,
                seed=comparison.seed,
            )
            n_real = len(comparison.reference)
            interval = attack_curve(
                test.scores[:n_real],
                test.scores[n_real:],
                groups_member=groups[:n_real],
                groups_nonmember=groups[n_real:],
                seed=comparison.seed,
            ).auc_interval
            yield Measurement(
                self.id("c2st_auc"),
                value=test.auc,
                better="closer",
                variant=embedding,
                aspect="joint_consistency",
                interval=interval,
                noise_floor=Interval(
                    test.null_low,
                    test.null_high,
                    "label permutations of whole subjects",
                    centre=(test.null_low + test.null_high) / 2,
                ),
                n=comparison.n,
                method=Method(
                    "AUC of leave-one-out ridge scores; clearly below 0.5 is closeness to single "
                    "real items, not fidelity",
                    C2ST,
                    {"embedding": facts},
                    comparison.seed,
                ),
                details={"p": test.p_value},
            )
            if interval.high < min(0.5, test.null_low):
                yield Finding(
                    f"{self.modality}.privacy.closer_than_chance",
                    Severity.WARNING,
                    "synthetic items lie nearer to single real items than real items do: look for "
                    "copies",
                    "合成样本与个别真实样本的接近程度超过真实样本之间: 请检查是否存在拷贝",
                    embedding,
                    role="synthetic",
                )

    def conditional(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure how far the worst class or subgroup lies from real data."""
        id_ = self.id("conditional_excess")
        return conditional_fidelity(id_, cohorts, list(self.aspects(cohorts)))

    def aspects(self, cohorts: Cohorts) -> Iterator[Aspect]:
        """Return the ways in which each subgroup is compared: those of this modality's measures."""
        own = {m for part in self.parts() for m in part.measures}
        scalars = compare_scalars(
            cohorts, self.scalar_names(cohorts), cohorts.seed("conditional/scalars")
        )
        if scalars is not None and "marginal_share_consistent" in own:
            yield Aspect(("marginal_distance",), None, scalars, _marginals)
        for embedding, _, comparison in self._each(cohorts):
            if comparison is None:
                continue
            for measure in ("mmd", "kernel_distance"):
                if measure in own:
                    read = partial(_by_kernel, kernel=KERNELS[measure][0])
                    yield Aspect((measure,), embedding, comparison, read)
            yield Aspect(("frechet_distance",), embedding, comparison, _frechet, FRECHET_ITEMS)
            yield Aspect(NEIGHBOURS, embedding, comparison, neighbours)
            if "c2st_auc" in own:
                yield Aspect(("c2st_auc",), embedding, comparison, _separability)

    def _each(self, cohorts: Cohorts) -> Iterator[tuple[str, dict[str, Any], Comparison | None]]:
        for name, facts in self.embedding_facts(cohorts).items():
            yield name, {"name": name, **facts}, compare_embedding(cohorts, name)

    def _no_embedding(self, measure: str, embedding: str, facts: Mapping[str, Any]) -> Measurement:
        lacking = facts.get("lacking")
        reason = (
            why("no_weights", what=str(lacking))
            if lacking
            else why("no_embedding", cohorts="one of the cohorts")
        )
        return Measurement(
            self.id(measure), variant=embedding, aspect="joint_consistency", **reason
        )


def _fewest(comparison: Comparison) -> int:
    """Subjects of the side that has fewer of them."""
    sides = (comparison.reference, comparison.synthetic)
    return min(len(np.unique(comparison.groups[rows])) for rows in sides)


def _enough(comparison: Comparison) -> bool:
    """Whether resamples of whole subjects nearly always hold two of them on each side."""
    return _fewest(comparison) >= LEAST_GROUPS


def _by_kernel(comparison: Comparison, kernel: Kernel) -> Sequence[Replicates]:
    return (by_kernel(comparison, kernel),)


def _frechet(comparison: Comparison) -> Sequence[Replicates]:
    return (frechet(comparison, min(min(comparison.sizes) // 5, comparison.values.shape[1])),)


def _separability(comparison: Comparison) -> Sequence[Replicates]:
    return (separability(comparison),)


def _marginals(comparison: Comparison) -> Sequence[Replicates]:
    return (marginals(comparison),)
