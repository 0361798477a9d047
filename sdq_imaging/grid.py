"""Where the voxels of a volume lie in the patient, and one volume put onto another's voxels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["dicom_grid", "onto"]

Grid = NDArray[np.float64]
"""Shape (4, 4): index (column, row, slice, 1) -> right, anterior, superior in millimetres."""

NEAR = 0.5
"""Of a voxel: grids that differ by less, at every corner, are one."""


def onto(
    values: NDArray[np.float32], grid: Grid, other: Grid, shape: tuple[int, ...]
) -> NDArray[np.float32] | None:
    """Turn a volume to the axes of another; None where their voxels do not coincide.

    Parameters
    ----------
    values : ndarray, shape (z, y, x)
    grid, other : ndarray, shape (4, 4)
        Of `values`, and of the volume that they are put onto.
    shape : tuple of int
        Of that volume.

    Returns
    -------
    ndarray of `shape`, or None
        No value is interpolated: axes are exchanged and reversed only.

    Examples
    --------
    >>> turned = np.diag([-1.0, 1.0, 1.0, 1.0])
    >>> turned[0, 3] = 2
    >>> values = np.arange(3, dtype=np.float32).reshape(1, 1, 3)
    >>> onto(values, np.eye(4), turned, (1, 1, 3)).tolist()
    [[[2.0, 1.0, 0.0]]]
    """
    between = np.linalg.solve(other, grid)
    axes = np.abs(between[:3, :3]).argmax(axis=0)
    if sorted(axes.tolist()) != [0, 1, 2]:
        return None
    signs = np.sign(between[axes, np.arange(3)])
    exact = np.zeros((4, 4))
    exact[axes, np.arange(3)] = signs
    sizes = np.array(values.shape[::-1])
    # A reversed axis ends where the other one begins.
    exact[axes, 3] = np.where(signs < 0, sizes - 1, 0)
    exact[3, 3] = 1
    corners = np.array([[a, b, c, 1.0] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    corners[:, :3] *= sizes - 1
    if np.abs(corners @ (between - exact).T)[:, :3].max() > NEAR:
        return None
    found = np.flip(values.T, tuple(np.flatnonzero(signs < 0).tolist()))
    found = np.transpose(found, np.argsort(axes)).T
    return np.ascontiguousarray(found) if found.shape == shape else None


def dicom_grid(
    first: Dataset | None, spacing: tuple[float, ...] | None, shape: tuple[int, ...]
) -> Grid | None:
    """Return the grid of a volume made of DICOM slices; None where the header does not say.

    Parameters
    ----------
    first : Dataset or None
        Header of the lowest slice.
    spacing : tuple of float or None
        Of slices, rows and columns.
    shape : tuple of int
    """
    if first is None or spacing is None or len(spacing) != 3 or len(shape) != 3:
        return None
    position = _numbers(first.get("ImagePositionPatient"), 3)
    orientation = _numbers(first.get("ImageOrientationPatient"), 6)
    if position is None or orientation is None:
        return None
    along, down = orientation[:3], orientation[3:]
    found = np.eye(4)
    steps = zip((along, down, np.cross(along, down)), spacing[::-1], strict=True)
    found[:3, :3] = np.column_stack([d * s for d, s in steps])
    found[:3, 3] = position
    if not np.isfinite(found).all() or abs(np.linalg.det(found)) < 1e-9:
        return None
    # DICOM counts towards left and posterior.
    return np.asarray(np.diag([-1.0, -1.0, 1.0, 1.0]) @ found)


def _numbers(values: Any, count: int) -> NDArray[np.float64] | None:
    try:
        found = np.array([float(v) for v in values], dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return found if len(found) == count and np.isfinite(found).all() else None
