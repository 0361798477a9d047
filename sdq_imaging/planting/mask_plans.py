"""Plans that spoil region masks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.study import Study
from sdq_imaging.masks import mask_files
from sdq_imaging.planting.cohort_file import Edit, Entry
from sdq_imaging.planting.drafting import Plan, Planting, changed, damage
from sdq_imaging.planting.nifti_item import NiftiItem
from sdq_imaging.planting.opening import Facts

__all__ = ["PLANS"]

Values = NDArray[Any]
Way = tuple[Edit | None, Callable[[Path], None] | None, Edit | None]
"""What is done to the mask before writing, to its file after, and to the image."""
NO_MASKS: Final = ("the study has no masks (settings.masks)", "评价任务没有掩膜 (settings.masks)")
OWN_FILE: Final = ("items that are files of their own", "各自为独立文件的样本")
UNDECLARED: Final = 250
"""A label that no study declares."""


def _whole(facts: Facts) -> bool:
    return facts.whole and facts.readable


def _changeable(facts: Facts) -> bool:
    return facts.whole and facts.editable


def _masks(study: Study) -> tuple[str, str] | None:
    return None if study.settings.get("masks") else NO_MASKS


def _masked(p: Planting) -> list[Entry]:
    """Return the items that have a mask; all where none is found, so that something is planted."""
    base = Path(str(p.study.settings["masks"]))
    return [e for e in p.entries if mask_files(e.member.item, base)]


def _some(p: Planting, entries: list[Entry]) -> list[Entry]:
    count = min(len(entries), max(1, round(p.severity * len(entries))))
    return [entries[int(k)] for k in sorted(p.rng.choice(len(entries), count, replace=False))]


def _displaced(p: Planting) -> None:
    """Shift masks to one side by a share of the image, in a direction that is drawn for each."""
    for entry in _masked(p):
        sign = int(p.rng.choice((-1, 1)))
        entry.mask_edits.append(changed(partial(_shifted, share=sign * p.severity)))


def _shifted(values: Values, share: float) -> Values:
    """Shift along the last axis; nothing comes in from outside."""
    width = values.shape[-1]
    by = int(np.sign(share)) * min(width, max(1, round(abs(share) * width)))
    found = np.zeros_like(values)
    if by > 0:
        found[..., by:] = values[..., :-by]
    else:
        found[..., :by] = values[..., -by:]
    return found


def _lost(p: Planting) -> None:
    for entry in _some(p, _masked(p)):
        entry.mask_edits.append(changed(np.zeros_like))


def _smaller(opened: Any) -> None:
    """Cut the mask to half of its last axis."""
    if opened.values is not None:
        _resized(opened, opened.values[..., : max(1, opened.values.shape[-1] // 2)])


def _resized(opened: Any, values: Values) -> None:
    opened.values = np.ascontiguousarray(values)
    if isinstance(opened, NiftiItem):
        opened.shape = values.T.shape
        opened.header["dim"][1 : 1 + values.ndim] = values.T.shape
    for dataset in getattr(opened, "objects", ()):
        dataset.Columns = values.shape[-1]


def _elsewhere(opened: Any) -> None:
    """Move the mask in space, or state pixels of another size."""
    if isinstance(opened, NiftiItem):
        header = opened.header
        for name in ("srow_x", "qoffset_x"):
            if name == "srow_x":
                header[name][3] += 500.0
            else:
                header[name] = float(header[name]) + 500.0
    for dataset in getattr(opened, "objects", ()):
        position = dataset.get("ImagePositionPatient")
        if position is not None:
            dataset.ImagePositionPatient = [float(position[0]) + 500.0, *position[1:]]
        if "PixelSpacing" in dataset:
            dataset.PixelSpacing = [3 * float(v) for v in dataset.PixelSpacing]


def _no_labels(opened: Any) -> None:
    """Write values that are no labels: broken ones, or ones above the highest."""
    if opened.values is None:
        return
    if opened.values.dtype.kind == "f":
        opened.values = np.where(opened.values > 0, 0.5, 0.25).astype(opened.values.dtype)
        return
    if opened.values.dtype.itemsize == 1:
        opened.values = opened.values.astype(np.uint16)
        if isinstance(opened, NiftiItem):
            opened.header.set_data_dtype(np.uint16)
        opened.limits = (0, 65535)
    opened.values = np.where(opened.values > 0, 999, 0).astype(opened.values.dtype)


def _undeclared(values: Values) -> Values:
    return np.where(values > 0, UNDECLARED, 0)


def _tiny(values: Values) -> Values:
    """Leave one pixel of each label."""
    found = np.zeros_like(values)
    flat, old = found.reshape(-1), values.reshape(-1)
    for label in np.unique(old[old > 0]):
        flat[int(np.flatnonzero(old == label)[0])] = label
    return found


def _middle(values: Values, part: int) -> tuple[slice, ...]:
    """Return the middle part of each axis: the same voxels whichever way the axes run."""
    axes = values.shape[-3:] if values.ndim == 3 else values.shape
    found = []
    for n in axes:
        half = max(1, n // part) // 2 if n > 2 else n
        found.append(slice(max(0, n // 2 - half), min(n, (n + 1) // 2 + half)))
    return tuple(found)


def _blank(values: Values) -> Values:
    found = values.copy()
    found[_middle(values, 2)] = values.min()
    return found


def _on_blank(values: Values) -> Values:
    found = np.zeros_like(values)
    found[_middle(values, 6)] = int(values.max()) or 1
    return found


def _broken(p: Planting) -> None:
    """Break masks so that none is left; beside that, once each, make one that cannot be true."""
    ways: list[Way] = [
        (_smaller, None, None),
        (None, damage(lambda old: old[: len(old) // 4]), None),
        (_elsewhere, None, None),
        (_no_labels, None, None),
    ]
    extra: list[Way] = [
        (None, _removed, None),
        (changed(_on_blank), None, changed(_blank)),
    ]
    if p.study.settings.get("regions"):
        extra += [(changed(_undeclared), None, None), (changed(_tiny), None, None)]
    masked = _masked(p)
    chosen = _some(p, masked)
    for k, entry in enumerate(chosen[:]):
        _spoil(entry, ways[k % len(ways)])
    ids = {id(e) for e in chosen}
    for entry, way in zip((e for e in masked if id(e) not in ids), extra, strict=False):
        _spoil(entry, way)


def _spoil(entry: Entry, way: Way) -> None:
    mask_edit, mask_damage, edit = way
    if mask_edit is not None:
        entry.mask_edits.append(mask_edit)
    if mask_damage is not None:
        entry.mask_damages.append(mask_damage)
    if edit is not None:
        entry.edits.append(edit)


def _removed(path: Path) -> None:
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        file.unlink()
    if path.is_dir():
        path.rmdir()


PLANS: Final[dict[str, Plan]] = {
    "mask-displaced": Plan(_displaced, _whole, OWN_FILE, study=_masks),
    "regions-lost": Plan(_lost, _whole, OWN_FILE, study=_masks),
    "masks-broken": Plan(_broken, _changeable, OWN_FILE, study=_masks),
}
