"""What of an object must not be the same in another cohort: UIDs and moments, as hashes.

A synthetic object that carries a UID, or the very second, of a real one was made from its header.
Only hashes leave the object; they are good for comparing and for nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sdq_core.dicom.confidentiality import profile
from sdq_core.dicom.elements import parse_date
from sdq_core.dicom.levels import Level

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["INSTANCES", "MOMENTS", "UIDS", "fingerprints"]

UIDS, MOMENTS, INSTANCES = "sha256:uids", "sha256:moments", "sha256:instances"
"""Keys of ``Description.metadata``; values are hashes apart by blanks."""

SOP_INSTANCE_UID = 0x00080018
DATE_AND_TIME = (
    (0x00080020, 0x00080030),
    (0x00080021, 0x00080031),
    (0x00080022, 0x00080032),
    (0x00080023, 0x00080033),
    (0x00080012, 0x00080013),
)
"""Study, series, acquisition, content, instance creation."""
DATE_TIMES = (0x0008002A, 0x0018_9074)
"""Acquisition and frame acquisition date and time."""

STANDARD_ROOT = "1.2.840.10008."
"""UIDs that the standard gives out: the same for everybody."""

LENGTH = 16
"""Hexadecimal digits kept: 64 bits tell millions of UIDs apart."""


def fingerprints(levels: Iterable[Level]) -> Mapping[str, str]:
    """Return hashes of the UIDs and moments of an item.

    Parameters
    ----------
    levels : iterable of Level
        One for each file.

    Returns
    -------
    mapping of str to str
        `UIDS`: of every UID that PS3.15 has replaced, at any depth. `INSTANCES`: of the SOP
        Instance UIDs. `MOMENTS`: of each full date with a time other than midnight. Sorted, each
        once; a key without any is left out.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> from sdq_core.dicom.levels import level_of
    >>> header = Dataset()
    >>> header.StudyInstanceUID, header.StudyDate, header.StudyTime = "2.25.7", "20240203", "101500"
    >>> sorted(fingerprints([level_of(header)]))
    ['sha256:moments', 'sha256:uids']
    """
    uids: set[str] = set()
    moments: set[str] = set()
    instances: set[str] = set()
    for level in levels:
        uids |= set(_uids(level))
        moments |= set(_moments(level))
        instances |= {uid for uid in level.texts(SOP_INSTANCE_UID) if uid}
    found = {UIDS: uids, MOMENTS: moments, INSTANCES: instances}
    return {key: " ".join(sorted(map(_hash, values))) for key, values in found.items() if values}


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:LENGTH]


def _uids(root: Level) -> Iterator[str]:
    table = profile()
    for level, tag, _ in root.walk():
        entry = table.get(tag)
        if entry is not None and entry.action == "U":
            for uid in level.texts(tag):
                # Too short for a UID of anybody's: a placeholder.
                if len(uid) > 4 and not uid.startswith(STANDARD_ROOT):
                    yield uid


def _moments(root: Level) -> Iterator[str]:
    pairs = [root.text(date) + root.text(time) for date, time in DATE_AND_TIME]
    for moment in (*pairs, *(root.text(tag) for tag in DATE_TIMES)):
        date, time = moment[:8], moment[8:].partition("+")[0]
        # The first of January is how a date is written of which only the year is kept.
        if parse_date(date) is None or date[4:] == "0101":
            continue
        digits = time.replace(".", "").rstrip("0")
        if len(digits) > 2:
            yield date + digits
