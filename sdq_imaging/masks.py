"""Region masks: found beside their image, put onto its voxels, and judged with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.description import Item
from sdq_core.errors import UnreadableItem
from sdq_core.finding import Finding
from sdq_imaging.formats import dicom
from sdq_imaging.grid import dicom_grid, onto
from sdq_imaging.image import Image
from sdq_imaging.rules import finding

__all__ = ["mask_files", "mask_findings", "read_mask"]

Labels = NDArray[np.uint8]

SUFFIXES: Final = (".nii.gz", ".nii", ".png", ".tif", ".tiff", ".bmp", ".dcm")
"""Kinds of file that a mask of another kind of image may be, the likeliest first."""
HIGHEST: Final = 255
HIDDEN: Final = ".masks"
"""Folder in a cohort's folder whose masks come before those of the study: cohorts that are written
for calibration bring their own."""


def mask_files(item: Item, masks: Path) -> tuple[Path, ...]:
    """Find the file, or the files of the series, that hold an image's mask.

    Parameters
    ----------
    item : Item
    masks : Path
        Folder of masks. The folder `HIDDEN` of the cohort comes first, then a folder in it that is
        named like the cohort's folder.

    Returns
    -------
    tuple of Path
        Empty where there is none. The mask of ``sub/1.dcm`` is ``sub/1.dcm``, or a file of that
        name and another kind; that of the series ``sub#series-1a2b3c4d`` is
        ``sub#series-1a2b3c4d.nii.gz``, ``sub.nii.gz`` or the DICOM files of the folder ``sub``.
    """
    relative, _, part = item.id.partition("#")
    series = item.part == "series"
    if series and not part and relative.startswith("series-"):
        relative, part = "", relative
    names = [n for n in (f"{relative}#{part}" if relative and part else part, relative) if n]
    if not series:
        names = [relative]
    root = _root(item, relative, series)
    for base in (root / HIDDEN, masks / root.name, masks):
        for name in names:
            found = _inside(base, name, series=series)
            if found:
                return found
    return ()


def read_mask(
    item: Item, image: Image, masks: Path, *, max_pixels: int
) -> tuple[Labels | None, tuple[Finding, ...]]:
    """Open the region mask of an image.

    Parameters
    ----------
    item : Item
    image : Image
    masks : Path
        See `mask_files`.
    max_pixels : int

    Returns
    -------
    labels : ndarray of the shape of ``image.pixels``, uint8, or None
        None where there is no mask or it does not fit.
    findings : tuple of Finding
    """
    from sdq_imaging.reading import read_image

    paths = mask_files(item, masks)
    if not paths:
        return None, (finding("mask_missing"),)
    try:
        mask = read_image(
            Item(item.id, paths, item.part if len(paths) > 1 else ""), max_pixels=max_pixels
        )
    except UnreadableItem:
        return None, (finding("mask_unreadable"),)
    values = mask.pixels
    own = _grid(mask)
    other = _grid(image)
    if own is not None and other is not None and values.ndim == image.pixels.ndim == 3:
        turned = onto(values, own, other, image.pixels.shape)
        if turned is None:
            rule = "mask_geometry" if values.shape == image.pixels.shape else "mask_size"
            return None, (finding(rule),)
        values = turned
    elif values.shape != image.pixels.shape:
        return None, (finding("mask_size"),)
    elif not _same_spacing(mask.spacing, image.spacing):
        return None, (finding("mask_geometry"),)
    labels = np.round(values)
    if labels.min() < 0 or labels.max() > HIGHEST or np.abs(labels - values).max() > 1e-3:
        return None, (finding("mask_values"),)
    return labels.astype(np.uint8), ()


def mask_findings(
    image: Image,
    labels: Labels,
    scalars: Mapping[str, float],
    declared: Mapping[str, Mapping[str, Any]],
) -> list[Finding]:
    """Judge one mask with its image.

    Parameters
    ----------
    image : Image
    labels : ndarray of uint8
    scalars : mapping of str to float
        Holds the features of the regions, ``region.<label>.<feature>``.
    declared : mapping of str to mapping
        Label -> ``name`` and ``size``, the lowest and highest plausible one, as the study declares
        them; empty where it declares none.

    Returns
    -------
    list of Finding
    """
    present = [str(int(k)) for k in np.unique(labels) if k]
    if not present:
        return [finding("mask_empty")]
    found = [
        finding("semantics.mask_label", where=f"label {k}")
        for k in present
        if declared and k not in declared
    ]
    for k in present:
        size = (declared.get(k) or {}).get("size")
        if size and not size[0] <= scalars[f"region.{k}.size"] <= size[1]:
            found.append(finding("semantics.region_size", where=f"label {k}"))
        inside = image.pixels[labels == int(k)]
        # A region of one value, and the same value around it: the mask marks nothing.
        near = scalars.get(f"region.{k}.contrast_near")
        if inside.size > 1 and inside.min() == inside.max() and near == 0:
            found.append(finding("semantics.mask_on_nothing", where=f"label {k}"))
    return found


def _root(item: Item, relative: str, series: bool) -> Path:
    """Return the folder that the item's id is relative to."""
    depth = len(Path(relative).parts) if relative else 0
    parents = item.paths[0].parents
    place = depth if series else depth - 1
    return parents[place] if 0 <= place < len(parents) else parents[0]


def _inside(base: Path, name: str, *, series: bool) -> tuple[Path, ...]:
    path = base / name
    if not path.resolve().is_relative_to(base.resolve()):
        return ()
    if path.is_file():
        return (path,)
    if series and path.is_dir():
        return _series(path)
    stem = name
    if not series:
        lower = name.lower()
        suffix = next((s for s in SUFFIXES if lower.endswith(s)), Path(name).suffix)
        stem = name[: len(name) - len(suffix)] if suffix else name
    for suffix in SUFFIXES:
        other = base / f"{stem}{suffix}"
        if other.is_file():
            return (other,)
    return ()


def _series(folder: Path) -> tuple[Path, ...]:
    """Return the slices of a mask that is a DICOM series of its own, in their order."""
    slices = []
    for path in sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")):
        facts = dicom.slice_facts(path) if dicom.is_dicom(path) else None
        if facts is not None and facts.depth is not None:
            slices.append((facts.depth, path.name, path))
    return tuple(path for _, _, path in sorted(slices))


def _grid(image: Image) -> NDArray[np.float64] | None:
    if image.grid is not None:
        return image.grid
    return dicom_grid(image.dataset, image.spacing, image.pixels.shape)


def _same_spacing(one: Sequence[float] | None, two: Sequence[float] | None) -> bool:
    """Whether pixels have one size; a picture that states none has any."""
    if one is None or two is None or len(one) != len(two):
        return True
    return bool(np.allclose(one, two, rtol=0.01))
