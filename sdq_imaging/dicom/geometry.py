"""Spacing, orientation and position, at the top and in functional groups."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from sdq_core.dicom.elements import attribute_name
from sdq_core.dicom.levels import Level, level_of
from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["geometry_faults", "slice_normal"]

SPACINGS = (0x00280030, 0x00181164, 0x00182010, 0x00280034)
THICKNESS, GAP = 0x00180050, 0x00180088
ORIENTATION, POSITION = 0x00200037, 0x00200032
MODALITY = 0x00080060
PER_FRAME = 0x52009230
TOLERANCE = 1e-3
"""Greatest deviation of a length from 1 and of a product from 0: DS has 16 characters, writers use
fewer."""

UNEVEN = 0.1
"""Greatest deviation of a frame's distance from the median one, relative to it."""


def geometry_faults(source: Dataset | Level) -> tuple[Finding, ...]:
    """Find spacings that are not positive, orientations that are none, and uneven frames.

    Parameters
    ----------
    source : pydicom.Dataset or Level

    Returns
    -------
    tuple of Finding
        Errors ``imaging.semantics.{spacing, orientation}``, at every depth; warning
        ``imaging.semantics.frame_distance`` for an enhanced volume whose frames do not lie at even
        distances.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset()
    >>> header.ImageOrientationPatient = [1, 0, 0, 1, 0, 0]
    >>> [f.rule for f in geometry_faults(header)]
    ['imaging.semantics.orientation']
    """
    root = level_of(source)
    return (*_spacings(root), *_orientations(root), *_frame_distances(root))


def slice_normal(cosines: Sequence[float]) -> tuple[float, float, float] | None:
    """Return the unit normal of a plane, or None where the cosines span none.

    Examples
    --------
    >>> slice_normal([1, 0, 0, 0, 1, 0])
    (0.0, 0.0, 1.0)
    """
    if len(cosines) != 6:
        return None
    (a, b, c), (d, e, f) = cosines[:3], cosines[3:]
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    length = math.hypot(*normal)
    if not length > TOLERANCE:
        return None
    return (normal[0] / length, normal[1] / length, normal[2] / length)


def _holders(root: Level, tags: Sequence[int]) -> Iterator[tuple[Level, int]]:
    """Find attributes at the top and inside functional groups, where geometry stands."""
    for tag in tags:
        if tag in root:
            yield root, tag
    for group in (0x52009229, PER_FRAME):
        for item in root.items.get(group) or ():
            for inner in item.items.values():
                for place in inner or ():
                    for tag in tags:
                        if tag in place:
                            yield place, tag


def _spacings(root: Level) -> Iterator[Finding]:
    # Nuclear medicine counts slices in either direction (PS3.3 C.8.4.8).
    signed = root.text(MODALITY) == "NM"
    for level, tag in _holders(root, (*SPACINGS, THICKNESS, GAP)):
        values = level.numbers(tag)
        if tag in SPACINGS:
            wrong = any(v <= 0 for v in values)
        else:
            # Zero is written where a device does not know.
            wrong = any(v < 0 for v in values) and not (tag == GAP and signed)
        if wrong:
            name = attribute_name(tag)
            yield Finding(
                "imaging.semantics.spacing",
                Severity.ERROR,
                f"{name} must be positive; correct it",
                f"{name} 必须为正；请更正",
                level.where(tag),
            )


def _orientations(root: Level) -> Iterator[Finding]:
    for level, tag in _holders(root, (ORIENTATION, 0x00480102)):
        cosines = level.numbers(tag)
        if len(cosines) != 6:
            continue
        row, column = cosines[:3], cosines[3:]
        product = sum(a * b for a, b in zip(row, column, strict=True))
        lengths = (math.hypot(*row), math.hypot(*column))
        if abs(product) > TOLERANCE or any(abs(length - 1) > TOLERANCE for length in lengths):
            name = attribute_name(tag)
            yield Finding(
                "imaging.semantics.orientation",
                Severity.ERROR,
                f"{name} must be two orthogonal unit vectors (PS3.3 C.7.6.2.1.1); correct it",
                f"{name} 必须为两个正交单位向量（PS3.3 C.7.6.2.1.1）；请更正",
                level.where(tag),
            )


def _frame_distances(root: Level) -> Iterator[Finding]:
    """Judge the frames of one stack: all parallel, all at different depths."""
    frames = root.items.get(PER_FRAME) or ()
    shared = (root.items.get(0x52009229) or (None,))[0]
    depths = []
    normals = set()
    for frame in frames:
        position = _inside(frame, 0x00209113, POSITION)
        cosines = _inside(frame, 0x00209116, ORIENTATION)
        if not cosines and shared is not None:
            cosines = _inside(shared, 0x00209116, ORIENTATION)
        normal = slice_normal(cosines)
        if normal is None or len(position) != 3:
            return
        normals.add(tuple(round(n, 3) for n in normal))
        depths.append(sum(n * p for n, p in zip(normal, position, strict=True)))
    ordered = sorted(depths)
    steps = [b - a for a, b in pairwise(ordered)]
    # Frames at one place are time points or echoes, and several directions are several stacks.
    if len(steps) < 2 or len(normals) > 1 or min(steps) < TOLERANCE:
        return
    middle = sorted(steps)[len(steps) // 2]
    if max(abs(step - middle) for step in steps) > UNEVEN * middle:
        yield Finding(
            "imaging.semantics.frame_distance",
            Severity.WARNING,
            "the frames do not lie at even distances along their normal, so one may be missing; "
            "check PlanePositionSequence (0020,9113)",
            "各帧沿法线方向的间距不均匀，可能缺少帧；请核对 PlanePositionSequence (0020,9113)",
            "PerFrameFunctionalGroupsSequence",
        )


def _inside(level: Level, sequence: int, tag: int) -> tuple[float, ...]:
    items = level.items.get(sequence) or ()
    return items[0].numbers(tag) if items else ()
