"""Cohorts side by side: what a synthetic object has taken over from a real one's header."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sdq_core.dicom.fingerprints import INSTANCES, MOMENTS, UIDS
from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity

if TYPE_CHECKING:
    from sdq_core.cohort import Cohort, Cohorts

__all__ = ["incoherent", "shared_with_real"]

ENOUGH = 2
"""Moments to the second that one item must share; a single one may be chance."""

STUDY, SERIES, PATIENT = (
    f"sha256:{key}" for key in ("StudyInstanceUID", "SeriesInstanceUID", "PatientID")
)


def shared_with_real(cohorts: Cohorts) -> Iterator[Finding]:
    """Find synthetic items that carry a UID or the moments of a real one.

    Parameters
    ----------
    cohorts : Cohorts

    Yields
    ------
    Finding
        ``imaging.identifier.uid_of_real_object`` (error): a study, series, instance, frame of
        reference or other UID that also stands in a real cohort, references to source images among
        them. ``imaging.identifier.time_of_real_object`` (warning): at least two moments, date and
        time to the second, are those of real ones, or the only one that the item has.
    """
    real_uids = _all(cohorts, UIDS)
    real_moments = _all(cohorts, MOMENTS)
    cohort = cohorts.synthetic
    for row, name in enumerate(cohort.table.ids.tolist()):
        metadata = cohort.table.metadata(row)
        if real_uids.intersection(metadata.get(UIDS, "").split()):
            yield Finding(
                "imaging.identifier.uid_of_real_object",
                Severity.ERROR,
                "carries a UID that also stands in a real object (PS3.15 Basic Profile: U); give "
                "the synthetic object UIDs of its own, references included",
                "含有真实数据对象中也出现的 UID（PS3.15 基本规则：U）；请为合成对象（包括其引用）"
                "分配新的 UID",
                item=name,
                role=str(cohort.role),
            )
        moments = metadata.get(MOMENTS, "").split()
        shared = real_moments.intersection(moments)
        if len(shared) >= min(ENOUGH, len(moments)) and shared:
            yield Finding(
                "imaging.identifier.time_of_real_object",
                Severity.WARNING,
                "carries dates and times that, to the second, are those of real objects; write "
                "those of the synthesis, or shifted ones",
                "所含日期与时间（精确到秒）与真实数据对象相同；请写合成时间或经平移的时间",
                item=name,
                role=str(cohort.role),
            )


def _all(cohorts: Cohorts, key: str) -> frozenset[str]:
    return frozenset(
        value
        for cohort in cohorts.real
        for row in range(len(cohort))
        for value in cohort.table.metadata(row).get(key, "").split()
    )


def incoherent(cohort: Cohort) -> Iterator[Finding]:
    """Find items of one cohort that contradict each other in their UIDs.

    Parameters
    ----------
    cohort : Cohort

    Yields
    ------
    Finding
        Errors ``imaging.semantics.uid_not_unique`` (a SOP Instance UID in several items of
        different content), ``imaging.semantics.study_of_several_patients`` and
        ``imaging.semantics.series_of_several_studies``.
    """
    rows = [cohort.table.metadata(row) for row in range(len(cohort))]
    contents: dict[str, set[str]] = {}
    for metadata in rows:
        for uid in metadata.get(INSTANCES, "").split():
            contents.setdefault(uid, set()).add(metadata.get("content:sha256", ""))
    several = {uid for uid, found in contents.items() if len(found) > 1}
    patients = _conflicts(rows, STUDY, PATIENT)
    studies = _conflicts(rows, SERIES, STUDY)
    for name, metadata in zip(cohort.table.ids.tolist(), rows, strict=True):
        if several.intersection(metadata.get(INSTANCES, "").split()):
            yield _error(
                name,
                "uid_not_unique",
                "SOPInstanceUID (0008,0018) also stands in an item of another content (PS3.5 "
                "section 9); give each object its own",
                "SOPInstanceUID (0008,0018) 也出现在内容不同的样本中（PS3.5 第 9 章）；"
                "请为每个对象分配唯一的 UID",
            )
        if metadata.get(STUDY) in patients:
            yield _error(
                name,
                "study_of_several_patients",
                "StudyInstanceUID (0020,000D) stands with more than one PatientID (0010,0020); a "
                "study is of one patient (PS3.3 A.1.2); correct one of the two",
                "同一 StudyInstanceUID (0020,000D) 对应多个 PatientID (0010,0020)；"
                "一次检查只属于一名患者（PS3.3 A.1.2）；请更正其一",
            )
        if metadata.get(SERIES) in studies:
            yield _error(
                name,
                "series_of_several_studies",
                "SeriesInstanceUID (0020,000E) stands in more than one study (PS3.3 A.1.2); give "
                "each series its own",
                "同一 SeriesInstanceUID (0020,000E) 出现在多次检查中（PS3.3 A.1.2）；"
                "请为每个序列分配唯一的 UID",
            )


def _conflicts(rows: Sequence[Mapping[str, str]], key: str, other: str) -> frozenset[str]:
    """Return the values of one key that stand with several values of another."""
    pairs = {(m[key], m[other]) for m in rows if key in m and other in m}
    return frozenset(k for k, n in Counter(k for k, _ in pairs).items() if n > 1)


def _error(item: str, rule: str, english: str, chinese: str) -> Finding:
    return Finding(f"imaging.semantics.{rule}", Severity.ERROR, english, chinese, item=item)
