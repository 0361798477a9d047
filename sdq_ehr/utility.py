"""Utility of records: boosted trees predict the class, and declared numbers, of real patients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.evaluation import Part
from sdq_core.characteristics.learning import Learner
from sdq_core.characteristics.utility import Utility
from sdq_core.cohort import Cohorts
from sdq_core.measurement import Interval, Measurement, Method
from sdq_core.reasons import Why, why
from sdq_core.statistics import bootstrap_weights, central_interval, split_indices
from sdq_core.vocabulary import Role
from sdq_ehr.boosting import BOOSTING, boosted_values
from sdq_ehr.describing import EhrDescriber
from sdq_ehr.records import records_of
from sdq_ehr.settings import EhrSettings

__all__ = ["EhrUtility", "explained"]

LEAST: Final = 40
"""Patients of each cohort whose number is known."""
DRAWS: Final = 400
SOURCE = "Part 6 proposal, supplementary experiment; Esteban et al. 2017, arXiv:1706.02633"

Values = NDArray[np.float64]


class EhrUtility(Utility):
    """Train on synthetic, test on real patients: classification, and regression by R2."""

    learner: ClassVar[Learner] = BOOSTING

    def parts(self) -> Sequence[Part]:
        """Return the shared experiment with that of regression behind it."""
        (shared,) = super().parts()
        return (Part(shared.measures, self.both),)

    def both(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Run the experiment for the class, and for each declared number."""
        yield from self.experiment(cohorts)
        for target in EhrSettings.of(cohorts.study.settings).regression_targets:
            yield from self._regression(cohorts, target)

    def _regression(self, cohorts: Cohorts, target: str) -> Iterator[Measurement]:
        measures = ("tstr_auc", "trtr_auc", "tstr_ratio", "augmentation_gain")
        variant = f"R2 of {target}"
        prepared = _task(cohorts, target)
        if isinstance(prepared, dict):
            for measure in measures:
                yield Measurement(self.id(measure), variant=variant, **prepared)
            return
        seed = cohorts.seed(self.id(f"tstr_auc/{target}"))
        x, y, groups = prepared
        test, truth = x[Role.HOLDOUT], y[Role.HOLDOUT]
        both = (np.concatenate([x[r] for r in (Role.TRAIN, Role.SYNTHETIC)]),
                np.concatenate([y[r] for r in (Role.TRAIN, Role.SYNTHETIC)]))  # fmt: skip
        guesses = {
            "synthetic": boosted_values(x[Role.SYNTHETIC], y[Role.SYNTHETIC], test),
            "real": boosted_values(x[Role.TRAIN], y[Role.TRAIN], test),
            "both": boosted_values(*both, test),
        }
        weights = bootstrap_weights(groups[Role.HOLDOUT], DRAWS, seed)
        value = {n: float(explained(truth, g)[0]) for n, g in guesses.items()}
        draws = {n: explained(truth, g, weights) for n, g in guesses.items()}
        size = min(len(y[Role.SYNTHETIC]), len(y[Role.TRAIN]) // 2)
        parts = []
        rng = np.random.default_rng([seed, 9])
        for _ in range(self.learner.repeats):
            rows, _rest = split_indices(groups[Role.TRAIN], (size, len(y[Role.TRAIN]) - size), rng)
            guess = boosted_values(x[Role.TRAIN][rows], y[Role.TRAIN][rows], test)
            parts.append(float(explained(truth, guess)[0]))
        floor = central_interval(np.array(parts), f"trained on {size} real items")
        unit = max(value["real"], 1e-12)
        n = {"synthetic": len(y[Role.SYNTHETIC]), "holdout": len(truth)}
        model = {"target": target, "model": self.learner.name.split(",")[0]}
        name = {
            "tstr_auc": "R2 on holdout after training on the synthetic cohort",
            "trtr_auc": "R2 on holdout after training on the real training cohort",
            "tstr_ratio": "R2 after training on synthetic over R2 after training on real patients",
            "augmentation_gain": "gain in R2 when the synthetic cohort is added to the real one",
        }
        if value["real"] < 0.05:
            reason = why(
                "not_applicable",
                why="real patients do not predict this number either (R2 below 0.05)",
                why_zh="用真实患者训练也无法预测该数值(R2 低于 0.05)",
            )
            for measure in measures:
                yield Measurement(self.id(measure), variant=variant, applicable=False, **reason)
            return
        found = {
            "tstr_auc": (value["synthetic"], draws["synthetic"], floor),
            "trtr_auc": (value["real"], draws["real"], floor),
            "tstr_ratio": (
                value["synthetic"] / unit,
                draws["synthetic"] / np.maximum(draws["real"], 1e-12),
                Interval(floor.low / unit, floor.high / unit, floor.method,
                         centre=(floor.centre or 0.0) / unit),
            ),
            "augmentation_gain": (
                value["both"] - value["real"], draws["both"] - draws["real"], None,
            ),
        }  # fmt: skip
        for measure, (number, spread, noise) in found.items():
            low, high = np.quantile(spread, [0.025, 0.975])
            yield Measurement(
                self.id(measure),
                value=float(number),
                better="higher",
                unit="1" if measure == "tstr_ratio" else "R2",
                variant=variant,
                interval=Interval(
                    float(min(low, number)), float(max(high, number)), "bootstrap of test subjects"
                ),
                noise_floor=noise,
                n=n,
                method=Method(name[measure], SOURCE, model, seed),
            )


def explained(truth: Values, guess: Values, weights: Values | None = None) -> Values:
    """Return R2, once for each row of weights.

    Parameters
    ----------
    truth, guess : ndarray, shape (n,)
    weights : ndarray, shape (R, n), optional
        Bootstrap weights; equal weights by default.

    Returns
    -------
    ndarray, shape (R,)
        ``1 - sum w (y - g)^2 / sum w (y - mean)^2``; may be negative.

    Examples
    --------
    >>> explained(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0])).tolist()
    [0.5]
    """
    w = np.ones((1, len(truth))) if weights is None else np.asarray(weights, np.float64)
    total = np.maximum(w.sum(axis=1), 1e-300)
    mean = (w @ truth) / total
    spread = w @ truth**2 - total * mean**2
    found: Values = 1 - (w @ (truth - guess) ** 2) / np.maximum(spread, 1e-300)
    return found


def _task(
    cohorts: Cohorts, target: str
) -> tuple[dict[Role, Values], dict[Role, Values], dict[Role, NDArray[np.str_]]] | Why:
    """Return features without the target, its values, and subjects of each cohort; or why not."""
    if cohorts.holdout is None:
        return why("no_holdout")
    if cohorts.shared_subjects:
        return why("shared_subjects", count=len(cohorts.shared_subjects))
    layout = EhrDescriber.of(cohorts.study).layout
    wanted = next((c for c in layout.columns if c.name == target and not c.is_category), None)
    if wanted is None:
        return why("no_attribute", what=f"a number {target!r} in the patients' rows")
    records = records_of(cohorts)
    made = layout.rows(records)
    values = made.rows.numbers[:, [c.name for c in made.numbers].index(target)]
    points = layout.points(records).astype(np.float64)
    names = layout.coordinates
    # What the same column says in another way would be the answer itself.
    kept = [k for k, n in enumerate(names) if n.split(" (")[0] != target]
    x, y, groups = {}, {}, {}
    for cohort in cohorts.all:
        rows = np.flatnonzero(cohort.table.readable)
        place = records.starts[cohort.role] + rows
        known = np.isfinite(values[place])
        x[cohort.role], y[cohort.role] = points[place[known]][:, kept], values[place[known]]
        groups[cohort.role] = cohort.groups[rows[known]]
    fewest = min(len(v) for v in y.values())
    if fewest < LEAST:
        return why("too_few", needed=LEAST, what="items in each cohort", found=fewest)
    return x, y, groups
