"""What a NIfTI header says of itself, and where it contradicts itself."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.finding import Finding
from sdq_imaging.rules import finding

__all__ = ["header_findings", "raw_header", "unit"]

UNITS: Final = {1: ("meter", 1000.0), 2: ("mm", 1.0), 3: ("micron", 0.001)}
"""Code of the unit of length -> its name, and its factor to millimetres."""
KNOWN_CODES: Final = range(6)
APART: Final = 0.5
"""Of the smallest voxel side: forms that differ by less place every corner alike."""
SMALLEST, LARGEST = 0.001, 100.0


def raw_header(loaded: Any) -> Any:
    """Return the header of a NIfTI image as it stands in the file: nibabel mends what it loads."""
    with loaded.file_map["image"].get_prepare_fileobj("rb") as file:
        return type(loaded.header).from_fileobj(file, check=False)


def unit(header: Any) -> tuple[str, float]:
    """Return the unit of length and its factor to millimetres; millimetres where it is unknown.

    Three bits hold its code; the others hold the unit of time.
    """
    return UNITS.get(int(header["xyzt_units"]) & 7, ("unknown", 1.0))


def header_findings(header: Any) -> list[Finding]:
    """Return what is wrong with the geometry of a header.

    Parameters
    ----------
    header : nibabel.Nifti1Header
        As it stands in the file, see `raw_header`.

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
    name, factor = unit(header)
    if name == "unknown":
        found.append(finding("conformity.nifti_units"))
    sizes = np.abs(np.asarray(header["pixdim"], np.float64)[1:4])
    used = sizes[: min(int(header["dim"][0]), 3)]
    if sform > 0:
        affine = np.asarray(header.get_sform(), np.float64)
        found += _of_sform(affine, sizes, header, qform)
        used = np.sqrt((affine[:3, : len(used)] ** 2).sum(axis=0))
    used = used * factor
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
