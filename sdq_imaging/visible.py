"""What pixels may give away of a person: written text, and a face. Candidates for manual review.

No rule here is an error: a person has to look. The findings carry the place, never the content.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.finding import Finding
from sdq_imaging.image import Image
from sdq_imaging.rules import finding
from sdq_imaging.text_lines import text_lines

__all__ = ["findings"]

SEARCHED_SLICES: Final = 3
MOST_LINES: Final = 5
HEAD_PARTS: Final = ("HEAD", "BRAIN", "SKULL", "FACE", "HEADNECK", "ORBIT", "SINUS", "JAW", "NECK")
HEAD_SIZE: Final = (120.0, 350.0)
"""Millimetres: a field that holds a whole head, along each axis, and not much more."""
FINE: Final = 3.0
"""Millimetres: in thicker slices a face is not recognised."""
CROSS_SECTIONAL: Final = ("CT", "MR", "PT", "PET", "")


def findings(image: Image, grey: NDArray[np.float32]) -> list[Finding]:
    """Return what a person should look at.

    Parameters
    ----------
    image : Image
    grey : ndarray of the shape of ``image.pixels``, 0..1
    """
    return [*_text(grey), *_face(image)]


def _text(grey: NDArray[np.float32]) -> list[Finding]:
    found = []
    for number, plane in _searched(grey):
        for line in text_lines(plane, MOST_LINES):
            place = f"x {line.left}-{line.right}, y {line.top}-{line.bottom}"
            where = place if number is None else f"slice {number}, {place}"
            found.append(finding("identifier.burned_in_text", where=where))
    return found[:MOST_LINES]


def _searched(grey: NDArray[np.float32]) -> list[tuple[int | None, NDArray[np.float32]]]:
    """Return the image, or the first, middle and last slice of a volume."""
    if grey.ndim == 2:
        return [(None, grey)]
    numbers = np.unique(np.linspace(0, len(grey) - 1, SEARCHED_SLICES).astype(int))
    return [(int(k), grey[k]) for k in numbers]


def _face(image: Image) -> list[Finding]:
    """Flag volumes that hold a whole head in slices fine enough, by body part and field."""
    if image.pixels.ndim != 3 or image.spacing is None or len(image.spacing) != 3:
        return []
    if image.metadata.get("Modality", "") not in CROSS_SECTIONAL:
        return []
    extent = [n * s for n, s in zip(image.pixels.shape, image.spacing, strict=True)]
    whole = all(HEAD_SIZE[0] <= e <= HEAD_SIZE[1] for e in extent)
    if not whole or max(image.spacing) > FINE:
        return []
    stated = "" if image.dataset is None else image.dataset.get("RecognizableVisualFeatures", "")
    if str(stated) == "NO":
        return []
    part = image.metadata.get("BodyPartExamined", "").upper().replace(" ", "").replace("_", "")
    if not part:
        return [finding("identifier.face_possible")]
    return [finding("identifier.face")] if part.startswith(HEAD_PARTS) else []
