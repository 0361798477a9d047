"""What a NIfTI header says of itself, and where it contradicts itself."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.finding import Finding
from sdq_imaging.rules import finding

__all__ = ["MILLIMETRES", "header_findings"]

MILLIMETRES: Final = {"meter": 1000.0, "micron": 0.001}
"""Factor to millimetres of each unit that is not one."""

KNOWN_CODES: Final = range(6)
UNITS: Final = {1, 2, 3}
APART: Final = 0.5
"""Of the smallest voxel side: forms that differ by less place every corner alike."""
SMALLEST, LARGEST = 0.001, 100.0


def header_findings(header: Any) -> list[Finding]:
    """Return what is wrong with the geometry of a header.

    Parameters
    ----------
    header : nibabel.Nifti1Header

    Returns
    -------
    list of Finding
        By the NIfTI-1 standard (Cox et al. 2004) and its commentary on sform and qform.
    """
    sform, qform = int(header["sform_code"]), int(header["qform_code"])
    found = []
    if sform not in KNOWN_CODES or qform not in KNOWN_CODES:
        found.append(finding("conformity.nifti_code"))
    if sform <= 0 and qform <= 0:
        found.append(finding("conformity.nifti_orientation"))
    # Three bits; the others hold the unit of time.
    if int(header["xyzt_units"]) & 7 not in UNITS:
        found.append(finding("conformity.nifti_units"))
    sizes = np.abs(np.asarray(header["pixdim"], np.float64)[1:4])
    used = sizes[: min(int(header["dim"][0]), 3)]
    if sform > 0:
        affine = np.asarray(header.get_sform(), np.float64)
        found += _of_sform(affine, sizes, header, qform)
        used = np.sqrt((affine[:3, : len(used)] ** 2).sum(axis=0))
    unit = str(header.get_xyzt_units()[0])
    used = used * MILLIMETRES.get(unit, 1.0)
    if np.isfinite(used).all() and ((used < SMALLEST) | (used > LARGEST)).any():
        found.append(finding("semantics.spacing"))
    return found


def _of_sform(
    affine: NDArray[np.float64], sizes: NDArray[np.float64], header: Any, qform: int
) -> list[Finding]:
    columns = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    found = []
    if not np.allclose(columns, sizes, rtol=0.01, atol=1e-3 * max(float(sizes.max()), 1e-9)):
        found.append(finding("conformity.nifti_spacing"))
    if qform > 0:
        try:
            other = np.asarray(header.get_qform(), np.float64)
        except (ValueError, ArithmeticError):
            return [*found, finding("conformity.nifti_forms")]
        dim = np.asarray(header["dim"], np.float64)
        count = int(header["dim"][0])
        ends = np.array([max(dim[k + 1] - 1, 0) if k < count else 0 for k in range(3)])
        corners = np.array([[a, b, c, 1.0] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
        corners[:, :3] *= ends
        apart = np.sqrt((((corners @ (affine - other).T)[:, :3]) ** 2).sum(axis=1)).max()
        if not apart <= APART * float(columns.min()):
            found.append(finding("conformity.nifti_forms"))
    return found
