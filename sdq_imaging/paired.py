"""Paired synthesis: each synthetic image beside the real one that it stands for.

MR to CT, denoising, missing sequences: image and counterpart show one patient, so that they are
compared voxel by voxel, in physical units.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.cohort import Cohort, Cohorts
from sdq_core.description import Item
from sdq_core.errors import UnreadableItem
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import why
from sdq_core.statistics import bootstrap
from sdq_imaging.grey import resize, slices
from sdq_imaging.image import Image
from sdq_imaging.rules import finding
from sdq_imaging.settings import ImagingSettings
from sdq_imaging.structural_similarity import TAPS, ms_ssim, ssim_maps

__all__ = ["MEASURES", "paired"]

MEASURES: Final = ("ssim_paired", "ms_ssim_paired", "psnr_paired", "mae_paired")
ASPECT: Final = "joint_consistency"
SIDE: Final = 256
"""Pixels that a pair of pictures of different size is stretched to."""
RANGE_ITEMS: Final = 50
"""Real counterparts that the grey range is taken from, where no format prescribes one."""
SSIM: Final = "Wang et al. 2004, doi:10.1109/TIP.2003.819861"
HORE: Final = "Hore & Ziou 2010, doi:10.1109/ICPR.2010.579"
WILLMOTT: Final = "Willmott & Matsuura 2005, doi:10.3354/cr030079"
MS_SSIM: Final = "Wang et al. 2003, doi:10.1109/ACSSC.2003.1292216"

Values = NDArray[np.float32]


@dataclass(frozen=True)
class _Pair:
    synthetic: Item
    real: Item
    subject: str


@dataclass(frozen=True)
class _Opened:
    a: Values
    b: Values
    unit: str
    mask: NDArray[np.bool_] | None
    stretched: bool


def paired(modality: str, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
    """Measure SSIM, MS-SSIM, PSNR and mean absolute error of declared pairs.

    The column ``pair`` of the synthetic label table holds the real item's path in its cohort; a
    path that both real cohorts have is told apart by ``train:`` or ``holdout:`` before it.

    Parameters
    ----------
    modality : str
    cohorts : Cohorts
        Masks, where the study has them, are those of the real counterparts.

    Yields
    ------
    Measurement or Finding
        Of each measure the mean over patients, a patient being the mean of its pairs; with masks
        also of the pixels inside them (variant ``mask``).
    """
    ids = {m: f"{modality}.fidelity.{m}" for m in MEASURES}
    declared = cohorts.synthetic.attributes.get("pair")
    if declared is None or not (declared != "").any():
        for id_ in ids.values():
            yield Measurement(id_, aspect=ASPECT, **why("no_pairs"))
        return
    pairs = _pairs(cohorts, declared)
    settings = ImagingSettings.of(cohorts.study.settings)
    low, high = _grey_range(pairs, settings.max_pixels)
    found: dict[tuple[str, str | None], list[float]] = {}
    subjects: dict[tuple[str, str | None], list[str]] = {}
    units: set[str] = set()
    stretched = 0
    for pair in pairs:
        opened = _open(pair, settings)
        if opened is None:
            yield finding_of(pair)
            continue
        stretched += opened.stretched
        units.add(opened.unit)
        for variant, values in _measured(opened, low, high):
            for measure, value in values.items():
                found.setdefault((measure, variant), []).append(value)
                subjects.setdefault((measure, variant), []).append(pair.subject)
    unit = units.pop() if len(units) == 1 else "grey values"
    counts = {"declared": int((declared != "").sum()), "stretched": stretched}
    for variant in (None, "mask"):
        if variant is not None and ("mae_paired", variant) not in found:
            continue
        for measure, id_ in ids.items():
            numbers = np.array(found.get((measure, variant), []))
            if measure == "ms_ssim_paired" and variant is not None:
                continue
            yield _summary(
                id_,
                cohorts,
                variant,
                numbers,
                subjects.get((measure, variant), []),
                unit,
                (low, high),
                counts,
            )


def finding_of(pair: _Pair) -> Finding:
    """Say that a pair cannot be compared."""
    made = finding("semantics.pair", item=pair.synthetic.id)
    return Finding(
        made.rule, made.severity, made.message, made.message_zh, made.where, made.item, "synthetic"
    )


def _summary(
    id_: str,
    cohorts: Cohorts,
    variant: str | None,
    values: NDArray[np.float64],
    subjects: list[str],
    unit: str,
    grey: tuple[float, float],
    counts: dict[str, int],
) -> Measurement:
    if len(values) < 2:
        few = why("too_few", needed=2, what="pairs that can be read", found=len(values))
        return Measurement(id_, variant=variant, aspect=ASPECT, **few)
    names, place = np.unique(np.array(subjects), return_inverse=True)
    patients = np.bincount(place, values) / np.bincount(place)
    measure = id_.rpartition(".")[2]
    name, source, own_unit, better = {
        "ssim_paired": ("mean SSIM", SSIM, "1", "higher"),
        "ms_ssim_paired": ("mean MS-SSIM", MS_SSIM, "1", "higher"),
        "psnr_paired": (
            "mean peak signal-to-noise ratio",
            "Hore & Ziou 2010, doi:10.1109/ICPR.2010.579",
            "dB",
            "higher",
        ),
        "mae_paired": (
            "mean absolute error",
            "Willmott & Matsuura 2005, doi:10.3354/cr030079",
            unit,
            "lower",
        ),
    }[measure]
    return Measurement(
        id_,
        value=float(patients.mean()),
        better="lower" if better == "lower" else "higher",
        unit=own_unit,
        variant=variant,
        aspect=ASPECT,
        interval=bootstrap(
            lambda v: float(np.mean(v)), patients, groups=(names,), seed=cohorts.seed(id_)
        )
        if len(patients) > 1
        else None,
        n={"pairs": len(values), "patients": len(patients), "declared": counts["declared"]},
        method=Method(
            f"{name} of declared pairs, mean over patients",
            source,
            {"grey_range": [grey[0], grey[1]], "stretched_pairs": counts["stretched"]},
            cohorts.seed(id_),
        ),
    )


def _pairs(cohorts: Cohorts, declared: NDArray[np.str_]) -> list[_Pair]:
    known: list[tuple[Cohort, int, str]] = [
        (c, r, str(i)) for c in cohorts.real for r, i in enumerate(c.table.ids)
    ]
    times = Counter(name for _, _, name in known)
    where = {f"{c.role}:{name}": (c, r) for c, r, name in known}
    where |= {name: (c, r) for c, r, name in known if times[name] == 1}
    found = []
    for row, name in enumerate(declared.tolist()):
        other = where.get(name)
        if other is not None:
            cohort, place = other
            found.append(
                _Pair(
                    cohorts.synthetic.table.items[row],
                    cohort.table.items[place],
                    str(cohort.groups[place]),
                )
            )
    return found


def _read(item: Item, max_pixels: int) -> Image | None:
    from sdq_imaging.reading import read_image

    try:
        return read_image(item, max_pixels=max_pixels)
    except UnreadableItem:
        return None


def _open(pair: _Pair, settings: ImagingSettings) -> _Opened | None:
    """Open a pair; None where one is unreadable, or volumes have different voxels."""
    from sdq_imaging.masks import read_mask

    a, b = (_read(i, settings.max_pixels) for i in (pair.synthetic, pair.real))
    if a is None or b is None or a.pixels.ndim != b.pixels.ndim:
        return None
    mask = b.mask
    if settings.masks is not None:
        mask, _ = read_mask(pair.real, b, Path(settings.masks), max_pixels=settings.max_pixels)
    inside = None if mask is None or not mask.any() else mask > 0
    unit = "HU" if a.unit == b.unit == "HU" else "grey values"
    if a.pixels.shape == b.pixels.shape:
        return _Opened(a.pixels, b.pixels, unit, inside, False)
    if a.pixels.ndim == 3:
        return None
    shape = (SIDE, SIDE)
    one, two = (resize(x.pixels, shape) for x in (a, b))
    if inside is not None:
        inside = resize(inside.astype(np.float32), shape) > 0.5
    return _Opened(one, two, unit, inside, True)


def _grey_range(pairs: list[_Pair], max_pixels: int) -> tuple[float, float]:
    """Return one range for all pairs: SSIM and PSNR by each pair's own do not compare."""
    lows, highs = [], []
    chosen = sorted({p.real.digest: p.real for p in pairs}.items())[:RANGE_ITEMS]
    for _, item in chosen:
        image = _read(item, max_pixels)
        if image is None:
            continue
        if image.nominal_range is not None:
            low, high = image.nominal_range
        else:
            low, high = (float(v) for v in np.percentile(image.pixels, (0.5, 99.5)))
        lows.append(low)
        highs.append(high)
    low, high = (min(lows, default=0.0), max(highs, default=1.0))
    return (low, high) if high > low else (low, low + 1.0)


def _measured(
    pair: _Opened, low: float, high: float
) -> Iterator[tuple[str | None, dict[str, float]]]:
    """Give the measures of the whole image, and of what its mask marks."""
    width = high - low
    error = pair.a.astype(np.float64) - pair.b
    found = _of_errors(error, width)
    one, two = (slices(np.clip((x - low) / width, 0, 1)) for x in (pair.a, pair.b))
    large = min(one.shape[1:]) >= TAPS
    if large:
        maps = ssim_maps(one, two, 1.0)
        found["ssim_paired"] = float(maps.mean(dtype=np.float64))
        found["ms_ssim_paired"] = float(ms_ssim(one, two, 1.0).mean())
    yield None, found
    if pair.mask is None:
        return
    found = _of_errors(error[pair.mask], width)
    if large:
        edge = TAPS // 2
        inside = slices(pair.mask.astype(np.float32))[:, edge:-edge, edge:-edge] > 0
        if inside.any():
            found["ssim_paired"] = float(maps[inside].mean(dtype=np.float64))
    yield "mask", found


def _of_errors(error: NDArray[np.float64], width: float) -> dict[str, float]:
    square = float((error**2).mean())
    # Equal to the last bit of a 16-bit image is as near as pixels are stored.
    least = (width / 2**16) ** 2 / 12
    return {
        "mae_paired": float(np.abs(error).mean()),
        "psnr_paired": float(10 * np.log10(width**2 / max(square, least))),
    }
