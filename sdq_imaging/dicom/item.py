"""All that the headers of one item say: facts for comparison, and findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sdq_core.dicom.confidentiality import profile_deviations
from sdq_core.dicom.fingerprints import fingerprints
from sdq_core.dicom.levels import level_of
from sdq_core.dicom.synthetic_declaration import synthesis_metadata
from sdq_core.vocabulary import Severity
from sdq_imaging.dicom.required_attributes import QUESTIONS_RULE
from sdq_imaging.dicom.series import by_slice, series_faults
from sdq_imaging.dicom.synthetic_declaration import EQUIPMENT, equipment_stated
from sdq_imaging.dicom_rules import check, identifiers
from sdq_imaging.formats.dicom import header

if TYPE_CHECKING:
    from pydicom import Dataset

    from sdq_core.finding import Finding

__all__ = ["judge_item"]

ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def judge_item(
    first: Dataset,
    others: Sequence[Path] = (),
    *,
    pixel_bytes: int | None = None,
    pixel_range: tuple[float, float] | None = None,
) -> tuple[Mapping[str, str], tuple[Finding, ...]]:
    """Judge the files of one item, alone and side by side.

    Parameters
    ----------
    first : pydicom.Dataset
        Header of the first file.
    others : sequence of Path
        The other files of a series, in slice order.
    pixel_bytes, pixel_range
        Of the first file, as `sdq_imaging.dicom_rules.check` takes them.

    Returns
    -------
    facts : mapping of str to str
        For ``Description.metadata``.
    findings : tuple of Finding
        Errors first, then warnings, then notes: a description keeps so many only.

    Raises
    ------
    UnreadableItem
        One of the other files cannot be read.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> facts, found = judge_item(Dataset())
    >>> facts["SyntheticData"], found[0].where
    ('absent', 'SOPClassUID')
    """
    levels = [level_of(first), *(level_of(header(path)) for path in others)]
    by_file = []
    for number, level in enumerate(levels):
        conformity = check(
            level,
            has_pixels=True,
            pixel_bytes=None if number else pixel_bytes,
            pixel_range=None if number else pixel_range,
            questions=not number,
        )
        by_file.append((*conformity, *identifiers(level), *profile_deviations(level, "imaging")))
    # Only the first file was asked, for all of them.
    questions = tuple(f for f in by_file[0] if f.rule == QUESTIONS_RULE)
    by_file[0] = tuple(f for f in by_file[0] if f.rule != QUESTIONS_RULE)
    found = (*by_slice(by_file), *series_faults(levels), *questions)
    facts = {**synthesis_metadata(levels[0]), **fingerprints(levels)}
    facts[EQUIPMENT] = equipment_stated(levels[0])
    return facts, tuple(sorted(found, key=lambda f: ORDER[f.severity]))
