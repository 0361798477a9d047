"""Data volume and balance 数据量与均衡性: amount, Gini coefficient, Shannon entropy, diversity."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.comparison import (
    compare_embedding,
    fresh_sample_floor,
    spread,
)
from sdq_core.characteristics.evaluation import CharacteristicEvaluation, Part
from sdq_core.characteristics.learning import LOGISTIC, Learner, learning_curve, task
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.measurement import Better, Interval, Measurement, Method
from sdq_core.rare_values import nameable, named_bars
from sdq_core.reasons import why
from sdq_core.statistics import (
    central_interval,
    gini_coefficient,
    gram,
    median_bandwidth,
    shannon_entropy,
    vendi_score,
)
from sdq_core.vocabulary import Characteristic

__all__ = ["Balance", "class_counts"]

Counts = NDArray[np.int64]

FLOOR_REPEATS = 1000
MOST_DIVERSITY = 400
"""Most items of which the eigenvalues of all similarities are computed."""


def class_counts(values: NDArray[np.str_], classes: Sequence[str]) -> Counts:
    """Count items over the declared class list; an absent class counts zero.

    Examples
    --------
    >>> class_counts(np.array(["a", "b", "a", ""]), ["a", "b", "c"]).tolist()
    [2, 1, 0]
    """
    return np.array([(values == c).sum() for c in classes], dtype=np.int64)


class Balance(CharacteristicEvaluation):
    """Amount for the purpose, and balance over classes and attributes."""

    characteristic = Characteristic.BALANCE
    learner: ClassVar[Learner] = LOGISTIC

    def parts(self) -> Sequence[Part]:
        """Return the measures that all modalities share."""
        return (
            Part(("items", "subjects"), self.amount),
            Part(("class_gini", "class_entropy", "class_imbalance_ratio"), self.classes),
            Part(("attribute_entropy",), self.attributes),
            Part(("vendi_score",), self.diversity),
            Part(("volume_adequacy",), self.adequacy),
        )

    def amount(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Count readable items and subjects."""
        cohort = cohorts.synthetic
        items = int(cohort.table.readable.sum())
        purpose = cohorts.study.purpose
        yield Measurement(
            self.id("items"),
            value=float(items),
            better="higher",
            unit="items",
            n={"synthetic": items},
            target=None if purpose.minimum_items is None else float(purpose.minimum_items),
            method=Method("count of readable items", "ISO/IEC 5259-2:2024"),
        )
        if cohort.subjects is None:
            yield Measurement(
                self.id("subjects"),
                unit="subjects",
                **why(
                    "not_applicable",
                    why="the synthetic cohort declares no subjects: each item counts as its own",
                    why_zh="合成数据集未声明受试者, 每个样本视为独立",
                ),
            )
        else:
            subjects = np.unique(cohort.subjects[cohort.table.readable])
            yield Measurement(
                self.id("subjects"),
                value=float(len(subjects)),
                better="higher",
                unit="subjects",
                n={"synthetic": items},
                method=Method("count of distinct subjects", "ISO/IEC 5259-2:2024"),
            )

    def classes(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure how evenly the declared classes are filled, beside the intended distribution."""
        measures = ("class_gini", "class_entropy", "class_imbalance_ratio")
        if cohorts.synthetic.classes is None:
            for measure in measures:
                yield Measurement(self.id(measure), **why("no_labels", cohorts="synthetic"))
            return
        declared = _declared_classes(cohorts)
        if len(declared) < 2:
            for measure in measures:
                yield Measurement(self.id(measure), **why("no_variation", what="the class list"))
            return
        counts = class_counts(_readable(cohorts.synthetic, cohorts.synthetic.classes), declared)
        null, how = self._class_null(cohorts, declared, int(counts.sum()))
        bars = self._bars(cohorts, declared, counts)
        seed = cohorts.seed(self.id("class_entropy"))
        drawn = _redrawn(counts, seed)
        plans: tuple[tuple[str, Callable[[Counts], float], Better, str, str], ...] = (
            (
                "class_gini",
                gini_coefficient,
                "lower",
                "gini_coefficient",
                "Gini coefficient of the class counts over the declared list, scaled to 0..1",
            ),
            (
                "class_entropy",
                _normalised_entropy,
                "higher",
                "shannon_entropy",
                "Shannon entropy of the class shares over the declared list, H / ln k",
            ),
        )
        for measure, function, better, aspect, name in plans:
            yield Measurement(
                self.id(measure),
                value=function(counts) if counts.sum() else 0.0,
                better=better,
                aspect=aspect,
                interval=_interval(function, counts, drawn),
                noise_floor=_floor([function(c) for c in null], how),
                n={"synthetic": int(counts.sum())},
                method=Method(
                    name,
                    "Part 6 proposal; Gini 1912; Shannon 1948",
                    {"classes": declared},
                    seed,
                ),
                details={"bars": bars} if measure == "class_gini" else {},
            )
        if counts.min() == 0:
            yield Measurement(
                self.id("class_imbalance_ratio"),
                **why("class_absent", count=int((counts == 0).sum())),
            )
            return
        ratios = [_imbalance(c) for c in null if c.min() > 0]
        yield Measurement(
            self.id("class_imbalance_ratio"),
            value=_imbalance(counts),
            better="lower",
            interval=_interval(_imbalance, counts, [c for c in drawn if c.min() > 0]),
            noise_floor=_floor(ratios, how) if ratios else None,
            n={"synthetic": int(counts.sum())},
            method=Method(
                "largest class over smallest class",
                "He & Garcia 2009, doi:10.1109/TKDE.2008.239",
                seed=seed,
            ),
        )

    def attributes(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the entropy of each attribute that both sides declare, beside the real one's."""
        names = [
            a for a in cohorts.synthetic.attributes if all(a in c.attributes for c in cohorts.real)
        ]
        found = False
        for name in names:
            real = np.concatenate([_readable(c, c.attributes[name]) for c in cohorts.real])
            synthetic = _readable(cohorts.synthetic, cohorts.synthetic.attributes[name])
            values = sorted((set(real.tolist()) | set(synthetic.tolist())) - {""})
            if not 2 <= len(values) <= 50:
                continue  # a constant has no entropy; a free text or a number is no attribute class
            named = nameable(cohorts, name)
            if len(named & set(values)) < 2:
                continue  # a column of names or keys
            found = True
            counts = class_counts(synthetic, values)
            null = _bootstrap_counts(cohorts, _attribute(name), values, int(counts.sum()))
            seed = cohorts.seed(self.id(f"attribute_entropy/{name}"))
            yield Measurement(
                self.id("attribute_entropy"),
                value=_normalised_entropy(counts) if counts.sum() else 0.0,
                better="higher",
                variant=name,
                aspect="shannon_entropy",
                interval=_interval(_normalised_entropy, counts, _redrawn(counts, seed)),
                noise_floor=_floor(
                    [_normalised_entropy(c) for c in null],
                    "bootstrap of real subjects at the synthetic cohort's size",
                ),
                n={"synthetic": int(counts.sum())},
                method=Method(
                    "Shannon entropy of the attribute's shares, H / ln k over its values",
                    "Part 6 proposal; Shannon 1948",
                    {"values": len(values)},
                    seed,
                ),
                details=named_bars(
                    values,
                    counts / max(counts.sum(), 1),
                    class_counts(real, values) / max(len(real), 1),
                    named,
                ),
            )
        if not found:
            yield Measurement(
                self.id("attribute_entropy"),
                applicable=False,
                **why(
                    "not_applicable",
                    why="no attribute with 2 to 50 values is there in every cohort",
                    why_zh="没有任何属性在每个数据集中都具有 2 至 50 个取值",
                ),
            )

    def diversity(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the effective number of different items, beside real samples of the same size."""
        names = cohorts.synthetic.table.embedding_names
        if not names:
            yield Measurement(self.id("vendi_score"), **why("no_embedding", cohorts="synthetic"))
        for name in names:
            comparison = compare_embedding(cohorts, name)
            if comparison is None:
                yield Measurement(
                    self.id("vendi_score"),
                    variant=name,
                    **why("no_embedding", cohorts="one of the cohorts"),
                )
                continue
            # At the scale of the real data: a cosine about the real centre would take a cohort
            # that is merely shifted for a collapsed one.
            width = median_bandwidth(comparison.values[comparison.pool])

            def score(
                rows: NDArray[np.intp],
                z: NDArray[np.float64] = comparison.values,
                width: float = width,
            ) -> float:
                return vendi_score(z[rows], gram(z[rows], "rbf", width))

            rows = comparison.synthetic[:MOST_DIVERSITY]
            parts = [_thinned(j, len(rows)) for _, j in comparison.splits]
            halves = [j[j <= rows[-1]] for _, j in comparison.halves]
            value = score(rows)
            yield Measurement(
                self.id("vendi_score"),
                value=value,
                better="higher",
                unit="effective items",
                variant=name,
                interval=spread(value, np.array([score(j) for j in halves]), 1.0, np.inf),
                noise_floor=fresh_sample_floor(
                    np.array([score(j) for j in parts]),
                    len(rows),
                    len(comparison.pool),
                    comparison.floor_method,
                ),
                n={"synthetic": len(rows), "real": len(comparison.pool)},
                method=Method(
                    "Vendi score, RBF kernels around the median distance of the real pool",
                    "Friedman & Dieng 2023, arXiv:2210.02410",
                    {"embedding": name, "bandwidth": width},
                    comparison.seed,
                ),
            )

    def adequacy(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure how much the declared task would still gain from twice the synthetic items."""
        id_ = self.id("volume_adequacy")
        prepared = task(cohorts, self.learner)
        if isinstance(prepared, dict):
            yield Measurement(id_, **prepared)
            return
        curve = learning_curve(prepared, cohorts.seed(id_))
        target = cohorts.study.purpose.target_auc
        yield Measurement(
            id_,
            value=curve.gain,
            better="lower",
            unit="AUC",
            interval=curve.interval,
            noise_floor=curve.real,
            n={"synthetic": len(prepared.synthetic_y), "real": len(prepared.test_y)},
            method=Method(
                "gain in AUC on real data expected from doubling the synthetic items, from an "
                "inverse power law fitted to the learning curve",
                "Figueroa et al. 2012, doi:10.1186/1472-6947-12-8",
                {"declared_target_auc": target},
                cohorts.seed(id_),
            ),
            details={
                "curve": {
                    "x": curve.sizes,
                    "x_label": "synthetic training items",
                    "y_label": "AUC on real items",
                    "bands": "Blue: from the lowest to the highest of repeated draws.",
                    "synthetic": curve.auc,
                    "synthetic_low": curve.low,
                    "synthetic_high": curve.high,
                    "real": [curve.real_auc] * len(curve.sizes),
                },
                "reaches_target": None if target is None else curve.auc[-1] >= target,
            },
        )

    def _class_null(
        self, cohorts: Cohorts, declared: Sequence[str], n: int
    ) -> tuple[list[Counts], str]:
        """Class counts that a cohort of this size would have by the intended or real shares."""
        intended = cohorts.study.purpose.intended_distribution
        if intended is not None:
            rng = np.random.default_rng(cohorts.seed(self.id("class_gini")))
            shares = np.array([intended[c] for c in declared])
            draws = rng.multinomial(n, shares / shares.sum(), FLOOR_REPEATS)
            return list(draws), "multinomial draws of the intended distribution"
        if any(c.classes is None for c in cohorts.real):
            return [], ""
        null = _bootstrap_counts(
            cohorts, lambda c: c.classes if c.classes is not None else c.table.ids, declared, n
        )
        return null, "bootstrap of real subjects at the synthetic cohort's size"

    def _bars(
        self, cohorts: Cohorts, declared: Sequence[str], counts: Counts
    ) -> list[dict[str, Any]]:
        real = np.zeros(len(declared))
        for cohort in cohorts.real:
            if cohort.classes is not None:
                real += class_counts(_readable(cohort, cohort.classes), declared)
        intended = cohorts.study.purpose.intended_distribution
        return [
            {
                "label": c,
                "synthetic": float(s),
                "real": float(r),
                **({} if intended is None else {"intended": float(intended[c])}),
            }
            for c, s, r in zip(
                declared, counts / max(counts.sum(), 1), real / max(real.sum(), 1), strict=True
            )
        ]


def _declared_classes(cohorts: Cohorts) -> list[str]:
    """Return the declared class list, or the classes that occur where none is declared."""
    if cohorts.study.classes:
        return list(cohorts.study.classes)
    return sorted({c for k in cohorts.all if k.classes is not None for c in k.classes} - {""})


def _attribute(name: str) -> Callable[[Cohort], NDArray[np.str_]]:
    return lambda cohort: cohort.attributes[name]


def _readable(cohort: Cohort, values: NDArray[np.str_]) -> NDArray[np.str_]:
    return values[cohort.table.readable]


def _bootstrap_counts(
    cohorts: Cohorts,
    values: Callable[[Cohort], NDArray[np.str_]],
    declared: Sequence[str],
    n: int,
) -> list[Counts]:
    """Count classes of n real items drawn by whole subjects with replacement."""
    column = np.concatenate([_readable(c, values(c)) for c in cohorts.real])
    groups = np.concatenate([_readable(c, c.groups) for c in cohorts.real])
    _, code = np.unique(groups, return_inverse=True)
    table = np.zeros((code.max() + 1, len(declared)), dtype=np.int64)
    for k, name in enumerate(declared):
        np.add.at(table[:, k], code, (column == name).astype(np.int64))
    sizes = table.sum(axis=1)
    if n == 0 or sizes.sum() == 0:
        return []
    rng = np.random.default_rng(cohorts.seed("balance/bootstrap"))
    draws = max(1, round(n / sizes.mean()))
    drawn = (table[rng.integers(len(table), size=draws)].sum(axis=0) for _ in range(FLOOR_REPEATS))
    return [counts for counts in drawn if counts.sum()]  # few labels: a draw may hold none


def _normalised_entropy(counts: Counts) -> float:
    return shannon_entropy(counts, normalised=True)


def _imbalance(counts: Counts) -> float:
    return float(counts.max() / counts.min())


def _redrawn(counts: Counts, seed: int) -> list[Counts]:
    """Draw the counts of other cohorts of this size: a bootstrap of items."""
    n = int(counts.sum())
    if n == 0:
        return []
    return list(np.random.default_rng(seed).multinomial(n, counts / n, FLOOR_REPEATS))


def _interval(
    function: Callable[[Counts], float], counts: Counts, drawn: Sequence[Counts]
) -> Interval | None:
    """Bootstrap interval of a function of counts; contains its value."""
    if not drawn:
        return None
    value = function(counts)
    low, high = np.quantile([function(c) for c in drawn], [0.025, 0.975])
    return Interval(float(min(low, value)), float(max(high, value)), "bootstrap of items")


def _thinned(rows: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """Take evenly spaced rows: the first ones would all be of one cohort."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.intp)]


def _floor(values: Sequence[float], method: str) -> Interval | None:
    if not values:
        return None
    return central_interval(values, method)
