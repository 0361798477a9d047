"""Fidelity of masks and of what they mark: whole images are blind to small lesions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.comparison import (
    Comparison,
    compare_rows,
    compare_scalars,
    spread,
)
from sdq_core.characteristics.marginals import marginal_consistency
from sdq_core.characteristics.replicates import by_kernel
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import why
from sdq_core.statistics import ecdf_distances, holm, two_sample_tests
from sdq_imaging.settings import ImagingSettings

__all__ = ["agreement", "counts", "regions"]

ASPECT: Final = "joint_consistency"
LEAST: Final = 20
LEAST_SUBJECTS: Final = 6
LOWEST: Final = 0.05
"""Share of real masks that fit their image worse than the limit of agreement."""
GRETTON: Final = "Gretton et al. 2012, JMLR 13:723"
SHARED: Final = "Zwanenburg et al. 2020 (IBSI), doi:10.1148/radiol.2020191145"

Values = NDArray[np.float64]


def regions(id_: str, cohorts: Cohorts) -> Iterator[Measurement]:
    """Compare size, place, shape and grey values of each region where it is present.

    Parameters
    ----------
    id_ : str
        Of the measurement.
    cohorts : Cohorts

    Yields
    ------
    Measurement
        One for each label: the unbiased discrepancy of the region's features.
    """
    sides: list[tuple[str, Comparison]] = []
    for label in _labels(cohorts):
        present = _with(cohorts, f"region.{label}.size")
        name = _called(cohorts, label)
        fewest = min(_subjects(c) for c in present.all)
        if fewest < LEAST_SUBJECTS or min(len(c) for c in present.all) < LEAST:
            yield _few(id_, name, min(len(c) for c in present.all))
            continue
        prefix = f"region.{label}."
        names = [n for n in present.real[0].table.scalar_names if n.startswith(prefix)]
        comparison = compare_scalars(present, names, cohorts.seed(f"{id_}/{label}"))
        if comparison is None:
            yield Measurement(
                id_, variant=name, aspect=ASPECT, **why("no_variation", what="the region")
            )
            continue
        sides.append((name, comparison))
    found = [by_kernel(c, "rbf", permuted=True) for _, c in sides]
    adjusted = holm(np.array([f.p for f in found])) if found else ()
    for (name, comparison), reading, p in zip(sides, found, adjusted, strict=True):
        yield Measurement(
            id_,
            value=reading.value,
            better="lower",
            variant=name,
            interval=reading.interval(),
            noise_floor=comparison.floor(reading.null),
            n=comparison.n,
            aspect=ASPECT,
            method=Method(
                "unbiased MMD^2 of the region's features, RBF kernels; items that hold the region; "
                "p by permutation of subjects, Holm over the labels",
                f"{GRETTON}; {SHARED}",
                {"features": list(comparison.names)},
                comparison.seed,
            ),
            details={"p": reading.p, "p_holm": float(p), "table": _features(comparison)},
        )
    if not sides and not _labels(cohorts):
        yield _no_masks(id_, cohorts)


def counts(id_: str, cohorts: Cohorts) -> Iterator[Measurement]:
    """Compare how many connected parts of each label an item holds, none included.

    Yields
    ------
    Measurement
        Wasserstein-1 distance of the numbers, in parts an item.
    """
    masked = _with(cohorts, "region.labels")
    labels = _labels(cohorts)
    if not labels:
        yield _no_masks(id_, cohorts)
    for label in labels:
        name = _called(cohorts, label)
        if min(len(c) for c in masked.all) < LEAST:
            yield _few(id_, name, min(len(c) for c in masked.all))
            continue
        comparison = _rows(masked, cohorts.seed(f"{id_}/{label}"))
        number = _column(masked, comparison, f"region.{label}.pieces", absent=0.0)

        def distances(pair: tuple[Values, Values], of: Values = number) -> Values:
            a, b = (w / w.sum(axis=1, keepdims=True) for w in pair)
            found = ecdf_distances(of[:, None], a - b)[1][:, 0]
            return np.round(found, 12)  # equal distributions have a distance of 0, not of 1e-16

        yield _measured(
            id_,
            comparison,
            float(distances(comparison.observed_weights)[0]),
            distances(comparison.weights(comparison.halves)),
            distances(comparison.split_weights),
            name=name,
            better="lower",
            unit="parts",
            upper=np.inf,
            method=Method(
                "Wasserstein-1 distance of the number of connected parts of a label in an item",
                "Ramdas et al. 2017, doi:10.3390/e19020047",
                {"label": int(label)},
                comparison.seed,
            ),
            details={
                "mean_real": float(number[comparison.reference].mean()),
                "mean_synthetic": float(number[comparison.synthetic].mean()),
                "present_real": float((number[comparison.reference] > 0).mean()),
                "present_synthetic": float((number[comparison.synthetic] > 0).mean()),
            },
        )


def agreement(id_: str, cohorts: Cohorts) -> Iterator[Measurement]:
    """Compare how well masks fit their images: the borders of regions follow edges.

    Yields
    ------
    Measurement
        Share of synthetic masks that fit as well as all but 5 % of the real ones.
    """
    labels = _labels(cohorts)
    if not labels:
        yield _no_masks(id_, cohorts)
    for label in labels:
        name, feature = _called(cohorts, label), f"region.{label}.edge"
        present = _with(cohorts, feature)
        if min(len(c) for c in present.all) < LEAST:
            yield _few(id_, name, min(len(c) for c in present.all))
            continue
        comparison = _rows(present, cohorts.seed(f"{id_}/{label}"))
        edge = _column(present, comparison, feature, absent=-np.inf)

        def fits(i: NDArray[np.intp], j: NDArray[np.intp], of: Values = edge) -> float:
            return float((of[j] >= np.quantile(of[i], LOWEST)).mean())

        value, interval, floor = comparison.measure(fits, lower=0.0, upper=1.0)
        yield Measurement(
            id_,
            value=value,
            better="higher",
            unit="share",
            variant=name,
            interval=interval,
            noise_floor=floor,
            n=comparison.n,
            aspect=ASPECT,
            method=Method(
                "share of masks whose border follows edges of the image as closely as all but 5 % "
                "of real masks: mean slope on the border over that within 3 pixels of it",
                "Design rule: mask and image belong together",
                {"label": int(label)},
                comparison.seed,
            ),
        )


def _measured(
    id_: str,
    comparison: Comparison,
    value: float,
    halves: Values,
    null: Values,
    *,
    name: str,
    better: Any,
    unit: str,
    upper: float,
    method: Method,
    details: dict[str, Any],
) -> Measurement:
    return Measurement(
        id_,
        value=value,
        better=better,
        unit=unit,
        variant=name,
        interval=spread(value, halves, 0.0, upper),
        noise_floor=comparison.floor(null),
        n=comparison.n,
        aspect=ASPECT,
        method=method,
        details=details,
    )


def _labels(cohorts: Cohorts) -> list[str]:
    """Return the labels that some real item holds, in ascending order."""
    names = {n for c in cohorts.real for n in c.table.scalar_names}
    found = {n.split(".")[1] for n in names if n.startswith("region.") and n.endswith(".size")}
    return sorted(found, key=int)


def _called(cohorts: Cohorts, label: str) -> str:
    declared = ImagingSettings.of(cohorts.study.settings).regions.get(int(label))
    return declared.name if declared is not None and declared.name else f"label {label}"


def _with(cohorts: Cohorts, scalar: str) -> Cohorts:
    """Return the cohorts with the items alone that have a scalar."""

    def only(cohort: Cohort) -> Cohort:
        rows = np.flatnonzero(np.isfinite(cohort.table.scalar(scalar)))
        return replace(
            cohort,
            table=cohort.table.take(rows),
            subjects=None if cohort.subjects is None else cohort.subjects[rows],
            classes=None if cohort.classes is None else cohort.classes[rows],
            attributes={k: v[rows] for k, v in cohort.attributes.items()},
            lineage=None,
        )

    holdout = None if cohorts.holdout is None else only(cohorts.holdout)
    return replace(
        cohorts, train=only(cohorts.train), synthetic=only(cohorts.synthetic), holdout=holdout
    )


def _rows(cohorts: Cohorts, seed: int) -> Comparison:
    """Put the items side by side without any feature of theirs."""

    def get(cohort: Cohort) -> tuple[Values, NDArray[np.intp]]:
        rows = np.arange(len(cohort))
        # Whatever varies: a feature that is constant in the real cohorts must not be left out.
        return rows[:, None].astype(np.float64), rows

    found = compare_rows(cohorts, get, seed, ("row",))
    assert found is not None, "checked by the caller: enough items on every side"
    return found


def _column(cohorts: Cohorts, comparison: Comparison, name: str, *, absent: float) -> Values:
    columns = {str(c.role): c.table.scalar(name) for c in cohorts.all}
    found = np.array(
        [columns[role][row] for role, row in zip(comparison.roles, comparison.rows, strict=True)]
    )
    return np.where(np.isfinite(found), found, absent)


def _subjects(cohort: Cohort) -> int:
    return len(np.unique(cohort.groups))


def _features(comparison: Comparison) -> dict[str, Any]:
    """Return every feature of the region with its distance and its test."""
    share = marginal_consistency(comparison)
    both = np.concatenate([comparison.reference, comparison.synthetic])
    tests = two_sample_tests(
        comparison.raw[comparison.reference],
        comparison.raw[comparison.synthetic],
        comparison.names,
        comparison.groups[both],
        seed=comparison.seed,
    )
    rows: list[list[Any]] = [
        [
            t.name.split(".", 2)[2],
            float(np.median(comparison.raw[comparison.reference, k])),
            float(np.median(comparison.raw[comparison.synthetic, k])),
            t.wasserstein,
            t.p_holm,
            bool(share.consistent[k]),
        ]
        for k, t in enumerate(tests)
    ]
    return {
        "columns": [
            {"en": "feature", "zh": "特征"},
            {"en": "median, real", "zh": "真实中位数"},
            {"en": "median, synthetic", "zh": "合成中位数"},
            {"en": "distance (real IQR)", "zh": "距离 (以真实四分位距为单位)"},
            {"en": "p, adjusted", "zh": "校正后 p"},
            {"en": "consistent", "zh": "一致"},
        ],
        "rows": rows,
    }


def _no_masks(id_: str, cohorts: Cohorts) -> Measurement:
    """Say that the real data have no masks: then nothing is asked of the synthetic ones."""
    reason = why(
        "not_applicable",
        why="the real images have no region masks (settings.masks)",
        why_zh="真实图像没有区域掩膜 (settings.masks)",
    )
    return Measurement(id_, aspect=ASPECT, applicable=False, **reason)


def _few(id_: str, name: str, found: int) -> Measurement:
    reason = why("too_few", needed=LEAST, what="items with the region in each cohort", found=found)
    return Measurement(id_, variant=name, aspect=ASPECT, **reason)
