"""The files of one series side by side: what must be equal, what must differ, and what is missing.

PS3.3 A.1.2: a series belongs to one study of one patient, comes from one modality and one device,
and shares one frame of reference. PS3.3 C.7.6.2 gives each slice of a volume its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from sdq_core.dicom.elements import attribute_name
from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity
from sdq_imaging.dicom.geometry import slice_normal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sdq_core.dicom.levels import Level

__all__ = ["by_slice", "series_faults"]

SAME = (
    0x0020000D, 0x00100020, 0x00100010, 0x00100030, 0x00100040, 0x00080020, 0x00080060, 0x00080070,
    0x00200052, 0x00200011, 0x00080016,
)  # fmt: skip
"""Study UID, patient's ID, name, birth date and sex, study date, modality, manufacturer, frame of
reference, series number, SOP class: of the series, its study or its patient."""

SAME_VOLUME = (0x00280030, 0x00281054, 0x00280004)
"""Pixel spacing, rescale type and photometric interpretation: of one volume."""

INSTANCE_UID, INSTANCE_NUMBER = 0x00080018, 0x00200013
ORIENTATION, POSITION, GAP, MODALITY = 0x00200037, 0x00200032, 0x00180088, 0x00080060

MISSING = 1.5
"""A step of more than so many usual steps has room for a slice."""


def series_faults(levels: Sequence[Level]) -> tuple[Finding, ...]:
    """Find what the files of one series contradict each other in.

    Parameters
    ----------
    levels : sequence of Level
        One for each file, in slice order.

    Returns
    -------
    tuple of Finding
        Errors ``imaging.conformity.series_coherence`` and ``imaging.conformity.uid_not_unique``;
        warnings ``imaging.conformity.instance_number``, ``imaging.structure.missing_slices`` and
        ``imaging.semantics.slice_distance``. Nothing for a single file.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> from sdq_core.dicom.levels import level_of
    >>> one, other = Dataset(), Dataset()
    >>> one.PatientSex, other.PatientSex = "F", "M"
    >>> [f.where for f in series_faults([level_of(one), level_of(other)])]
    ['PatientSex']
    """
    if len(levels) < 2:
        return ()
    return (*_same(levels), *_different(levels), *_distances(levels))


def by_slice(found: Sequence[Sequence[Finding]]) -> tuple[Finding, ...]:
    """Join the findings of the files of a series: each once, with the files that it holds for.

    Parameters
    ----------
    found : sequence of sequence of Finding
        One sequence for each file, in slice order.

    Returns
    -------
    tuple of Finding
        What holds for all files keeps its place; else the place begins with the numbers of the
        files in the series, counted from 1: ``"slices 2-4, 7: PatientID"``.

    Examples
    --------
    >>> fault = Finding("imaging.semantics.window", Severity.ERROR, "m", "m", "WindowWidth")
    >>> [f.where for f in by_slice([[fault], [], [fault]])]
    ['slices 1, 3: WindowWidth']
    """
    from dataclasses import replace

    places: dict[Finding, list[int]] = {}
    for number, findings in enumerate(found, 1):
        for finding in findings:
            numbers = places.setdefault(finding, [])
            if not numbers or numbers[-1] != number:
                numbers.append(number)
    return tuple(
        finding
        if len(numbers) == len(found)
        else replace(finding, where=f"slices {_ranges(numbers)}: {finding.where}".rstrip(": "))
        for finding, numbers in places.items()
    )


def _ranges(numbers: list[int]) -> str:
    parts = []
    start = previous = numbers[0]
    for number in [*numbers[1:], numbers[-1] + 2]:
        if number != previous + 1:
            parts.append(str(start) if start == previous else f"{start}-{previous}")
            start = number
        previous = number
    return ", ".join(parts)


def _same(levels: Sequence[Level]) -> Iterator[Finding]:
    for tag in (*SAME, *SAME_VOLUME):
        values = {tuple(v.strip() for v in level.texts(tag)) for level in levels}
        numeric = {level.numbers(tag) for level in levels}
        # "0.50" and "0.5" are the same spacing.
        if len(values) > 1 and (len(numeric) > 1 or numeric == {()}):
            name = attribute_name(tag)
            whose = "one volume" if tag in SAME_VOLUME else "one series"
            whose_zh = "同一体数据" if tag in SAME_VOLUME else "同一序列"
            yield Finding(
                "imaging.conformity.series_coherence",
                Severity.ERROR,
                f"{name} differs between the files of {whose} (PS3.3 A.1.2); make it equal, or "
                "give the files different series",
                f"{name} 在{whose_zh}的文件之间不一致（PS3.3 A.1.2）；请统一，或将文件分入不同序列",
                levels[0].where(tag),
            )


def _different(levels: Sequence[Level]) -> Iterator[Finding]:
    uids = [level.text(INSTANCE_UID) for level in levels if level.text(INSTANCE_UID)]
    if len(set(uids)) < len(uids):
        yield Finding(
            "imaging.conformity.uid_not_unique",
            Severity.ERROR,
            "SOPInstanceUID (0008,0018) stands in more than one file of the series (PS3.5 section "
            "9); give each object its own",
            "序列中多个文件的 SOPInstanceUID (0008,0018) 相同（PS3.5 第 9 章）；请为每个对象分配"
            "唯一的 UID",
            "SOPInstanceUID",
        )
    numbers = [level.text(INSTANCE_NUMBER) for level in levels if level.text(INSTANCE_NUMBER)]
    if len(set(numbers)) < len(numbers):
        yield Finding(
            "imaging.conformity.instance_number",
            Severity.WARNING,
            "InstanceNumber (0020,0013) stands in more than one file of the series; number the "
            "slices",
            "序列中多个文件的 InstanceNumber (0020,0013) 相同；请逐一编号",
            "InstanceNumber",
        )


def _distances(levels: Sequence[Level]) -> Iterator[Finding]:
    normal = slice_normal(levels[0].numbers(ORIENTATION))
    positions = [level.numbers(POSITION) for level in levels]
    if normal is None or any(len(position) != 3 for position in positions):
        return
    depths = sorted(
        sum(n * p for n, p in zip(normal, position, strict=True)) for position in positions
    )
    steps = [b - a for a, b in pairwise(depths)]
    usual = sorted(steps)[len(steps) // 2]
    if usual <= 0:
        return
    lost = sum(round(step / usual) - 1 for step in steps if step > MISSING * usual)
    if lost:
        yield Finding(
            "imaging.structure.missing_slices",
            Severity.WARNING,
            f"the positions of the slices leave room for {lost} more; complete the series",
            f"按切片位置推算可能缺少 {lost} 个切片；请补全序列",
            "ImagePositionPatient",
        )
    declared = levels[0].numbers(GAP)
    signed = levels[0].text(MODALITY) == "NM"
    if declared and (declared[0] > 0 or signed):
        gap = abs(declared[0])
        if abs(gap - usual) > 0.05 * usual + 1e-3:
            yield Finding(
                "imaging.semantics.slice_distance",
                Severity.WARNING,
                "SpacingBetweenSlices (0018,0088) is not the distance of the slices' positions "
                "(PS3.3 C.7.6.2.1.1); correct one of the two",
                "SpacingBetweenSlices (0018,0088) 与切片位置的实际间距不符（PS3.3 "
                "C.7.6.2.1.1）；请更正其一",
                "SpacingBetweenSlices",
            )
