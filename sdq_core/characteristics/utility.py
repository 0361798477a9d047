"""Utility for the application 应用有效性: the supplementary experiment, judged on real subjects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.evaluation import CharacteristicEvaluation, Part
from sdq_core.characteristics.learning import LOGISTIC, Learner, Task, auc, bootstrap_auc, task
from sdq_core.cohort import Cohorts
from sdq_core.measurement import Interval, Measurement, Method
from sdq_core.statistics import central_interval, random_splits
from sdq_core.vocabulary import Characteristic

__all__ = ["Utility"]

MEASURES = ("tstr_auc", "trtr_auc", "tstr_ratio", "trts_auc", "augmentation_gain")
SOURCE = "Part 6 proposal, supplementary experiment; Esteban et al. 2017, arXiv:1706.02633"


class Utility(CharacteristicEvaluation):
    """Train on synthetic, test on real; beside it train on real, test on real."""

    characteristic = Characteristic.UTILITY
    learner: ClassVar[Learner] = LOGISTIC

    def parts(self) -> Sequence[Part]:
        """Return the one experiment."""
        return (Part(MEASURES, self.experiment),)

    def experiment(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Run the experiment: one test cohort, three training cohorts, paired resampling.

        And the other way round: what real data teach is tested on the synthetic cohort. A label
        that does not belong to its item costs a model that learns from it little, as long as most
        are right; a model that knows real items sees each of them.
        """
        prepared = task(cohorts, self.learner)
        if isinstance(prepared, dict):
            for name in MEASURES:
                yield Measurement(self.id(name), **prepared)
            return
        seed = cohorts.seed(self.id("tstr_auc"))
        trained = {
            "synthetic": (prepared.synthetic, prepared.synthetic_y),
            "real": (prepared.train, prepared.train_y),
            "both": (
                np.concatenate([prepared.train, prepared.synthetic]),
                np.concatenate([prepared.train_y, prepared.synthetic_y]),
            ),
        }
        score = {name: prepared.score(x, y) for name, (x, y) in trained.items()}
        value = {name: float(auc(s, prepared.test_y)[0]) for name, s in score.items()}
        # The same resamples for all three: differences and ratios are paired.
        draws = {
            name: bootstrap_auc(s, prepared.test_y, prepared.test_groups, seed)
            for name, s in score.items()
        }
        whole = len(prepared.train_y)
        size = min(len(prepared.synthetic_y), whole)
        floors = self._floors(prepared, (size, whole), seed)
        floor = floors[size]
        relative = None if floor is None else _divided(floor, max(value["real"], 1e-12))
        n = {"synthetic": len(prepared.synthetic_y), "holdout": len(prepared.test_y)}
        facts = {"classes": list(prepared.classes), "model": self.learner.name}

        def give(
            measure: str,
            number: float,
            spread: np.ndarray,
            name: str,
            unit: str,
            noise: Interval | None,
        ) -> Measurement:
            low, high = np.quantile(spread, [0.025, 0.975])
            return Measurement(
                self.id(measure),
                value=number,
                better="higher",
                unit=unit,
                interval=Interval(
                    float(min(low, number)), float(max(high, number)), "bootstrap of test subjects"
                ),
                noise_floor=noise,
                n=n,
                target=cohorts.study.purpose.target_auc if measure == "tstr_auc" else None,
                method=Method(name, SOURCE, facts, seed),
            )

        yield give(
            "tstr_auc",
            value["synthetic"],
            draws["synthetic"],
            "macro AUC on holdout after training on the synthetic cohort; noise floor: after "
            "training on real parts of the same size",
            "AUC",
            floor,
        )
        yield give(
            "trtr_auc",
            value["real"],
            draws["real"],
            "macro AUC on holdout after training on the real training cohort",
            "AUC",
            floors[whole],
        )
        yield give(
            "tstr_ratio",
            value["synthetic"] / max(value["real"], 1e-12),
            draws["synthetic"] / np.maximum(draws["real"], 1e-12),
            "tstr_auc over trtr_auc, paired bootstrap",
            "1",
            relative,
        )
        yield self._tested_on_synthetic(prepared, facts, seed)
        yield give(
            "augmentation_gain",
            value["both"] - value["real"],
            draws["both"] - draws["real"],
            "gain in AUC when the synthetic cohort is added to the real training cohort",
            "AUC",
            self._real_gain(prepared, seed),
        )

    def _tested_on_synthetic(self, prepared: Task, facts: dict[str, Any], seed: int) -> Measurement:
        score = self.learner.scores(
            prepared.train, prepared.train_y, prepared.synthetic, len(prepared.classes)
        )
        value = float(auc(score, prepared.synthetic_y)[0])
        drawn = bootstrap_auc(score, prepared.synthetic_y, prepared.synthetic_groups, seed)
        low, high = np.quantile(drawn, [0.025, 0.975])
        return Measurement(
            self.id("trts_auc"),
            value=value,
            better="higher",
            unit="AUC",
            interval=Interval(
                float(min(low, value)), float(max(high, value)), "bootstrap of synthetic subjects"
            ),
            noise_floor=self._real_on_real(prepared, seed),
            n={"train": len(prepared.train_y), "synthetic": len(prepared.synthetic_y)},
            method=Method(
                "macro AUC on the synthetic cohort, of its labels, after training on the real "
                "training cohort; noise floor: train and holdout pooled and re-split by subject",
                SOURCE,
                facts,
                seed,
            ),
        )

    def _real_on_real(self, prepared: Task, seed: int) -> Interval | None:
        """AUC of real parts as large as the synthetic cohort, after training on the other part."""
        k, (x, y, groups) = len(prepared.classes), prepared.real
        size = min(len(prepared.synthetic_y), len(prepared.test_y))
        rng = np.random.default_rng([seed, 11])
        sizes = (min(len(prepared.train_y), len(y) - size), size)
        found = []
        for rows, others in random_splits(groups, sizes, self.learner.repeats, rng):
            if len(np.unique(y[rows])) == k == len(np.unique(y[others])):
                score = prepared.score(x[rows], y[rows], x[others])
                found.append(float(auc(score, y[others])[0]))
        if len(found) < self.learner.repeats // 2:
            return None
        # Parts of a finite pool vary by 1/size - 1/N, a fresh cohort beside it by 1/n + 1/N
        # (Cochran 1977, section 2.6). So few parts have no quantile of 2.5 %: their standard
        # deviation has to do.
        fresh = 1 / len(prepared.synthetic_y) + 1 / len(y)
        stretch = float(np.sqrt(fresh / (1 / size - 1 / len(y))))
        centre, half = float(np.median(found)), float(1.96 * np.std(found, ddof=1) * stretch)
        return Interval(
            max(centre - half, 0.0),
            min(centre + half, 1.0),
            f"{size} real items after training on {sizes[0]} others, 1.96 standard deviations, "
            "at the spread of fresh samples",
            centre=centre,
        )

    def _floors(
        self, prepared: Task, sizes: Sequence[int], seed: int
    ) -> dict[int, Interval | None]:
        """AUC after training on so many real items, with the spread of fresh training samples.

        Half samples vary as fresh samples of the whole size do (Shao & Wu 1989); parts of nearly
        all training items would hardly vary at all.
        """
        n = len(prepared.train_y)
        found: dict[int, Interval | None] = {}
        halves: NDArray[np.float64] | None = None
        for size in dict.fromkeys(sizes):
            rng = np.random.default_rng([seed, 9])
            same = self._trained_on_parts(prepared, min(size, n - 2), rng)
            if halves is None:
                halves = self._trained_on_parts(prepared, n // 2, rng)
            if min(len(same), len(halves)) < self.learner.repeats // 2:
                found[size] = None
                continue
            centre = float(np.median(same))
            low, high = np.quantile(halves - halves.mean(), [0.025, 0.975]) * np.sqrt(n / size)
            found[size] = Interval(
                float(max(centre + low, 0.0)),
                float(min(centre + high, 1.0)),
                f"trained on {size} real items, spread of half samples of subjects",
                centre=centre,
            )
        return found

    def _real_gain(self, prepared: Task, seed: int) -> Interval | None:
        """Gain in AUC when real items are added to half of the real training items."""
        k, n = len(prepared.classes), len(prepared.train_y)
        added = min(len(prepared.synthetic_y), n - n // 2)
        rng = np.random.default_rng([seed, 10])
        gains = []
        sizes = (n // 2, added)
        drawn = random_splits(prepared.train_groups, sizes, self.learner.repeats, rng)
        for base, more in drawn:
            if len(np.unique(prepared.train_y[base])) < k:
                continue
            before, after = (
                prepared.tested(prepared.train[rows], prepared.train_y[rows])
                for rows in (base, np.concatenate([base, more]))
            )
            gains.append(after - before)
        if len(gains) < self.learner.repeats // 2:
            return None
        return central_interval(
            gains, f"{added} real items added to half of the real training items"
        )

    def _trained_on_parts(
        self, prepared: Task, size: int, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        k, n = len(prepared.classes), len(prepared.train_y)
        found = []
        sizes = (size, n - size)
        for rows, _ in random_splits(prepared.train_groups, sizes, self.learner.repeats, rng):
            if len(np.unique(prepared.train_y[rows])) == k:
                x, y = prepared.train[rows], prepared.train_y[rows]
                found.append(prepared.tested(x, y))
        return np.array(found)


def _divided(floor: Interval, by: float) -> Interval:
    assert floor.centre is not None, "every noise floor of this module has one"
    return Interval(floor.low / by, floor.high / by, floor.method, centre=floor.centre / by)
