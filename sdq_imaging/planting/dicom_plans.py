"""Plans that break DICOM objects, alone, in a series, and beside the real ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sdq_imaging.planting import dicom_faults as faults
from sdq_imaging.planting.cohort_file import Edit
from sdq_imaging.planting.dicom_identifiers import in_tags, in_text
from sdq_imaging.planting.dicom_item import DicomItem, quiet
from sdq_imaging.planting.dicom_synthetic import new_uid
from sdq_imaging.planting.drafting import Plan, Planting
from sdq_imaging.planting.opening import Facts

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["PLANS"]

DICOM: Final = ("DICOM objects", "DICOM 对象")
KNOWN: Final = ("DICOM objects of a known image class", "已知图像类的 DICOM 对象")
SERIES: Final = ("DICOM series of four slices or more", "不少于四个切片的 DICOM 序列")
SLICES: Final = 4

Fault = Callable[["Dataset"], None]
MOMENTS: Final = (
    "StudyDate", "StudyTime", "SeriesDate", "SeriesTime", "AcquisitionDate", "AcquisitionTime",
    "ContentDate", "ContentTime", "InstanceCreationDate", "InstanceCreationTime",
    "AcquisitionDateTime",
)  # fmt: skip
UIDS: Final = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")


def _dicom(facts: Facts) -> bool:
    return facts.kind == "dicom" and facts.readable


def _known(facts: Facts) -> bool:
    return _dicom(facts) and bool(facts.iod)


def _series(facts: Facts) -> bool:
    return _dicom(facts) and facts.files >= SLICES


def each(*made: Fault) -> Edit:
    """Return an edit that makes faults in every object of an item; one that cannot be is left."""

    def edit(opened: Any) -> None:
        if not isinstance(opened, DicomItem):
            return
        opened.keep()
        with quiet():
            for dataset in opened.objects:
                for fault in made:
                    fault(dataset)

    return edit


Way = tuple[Callable[[Facts], bool], Edit]


def _ways(p: Planting, ways: Sequence[Way], eligible: Callable[[Facts], bool]) -> None:
    """Break a share of the items, each in one way: in turn, among those that it allows."""
    turn = 0
    for entry in p.chosen(eligible):
        able = [edit for allows, edit in ways if allows(p.facts(entry.member))]
        if able:
            entry.edits.append(able[turn % len(able)])
            turn += 1


def _single(facts: Facts) -> bool:
    return _known(facts) and facts.files == 1 and not facts.frames and facts.slices == 1


def _frames(facts: Facts) -> bool:
    return _dicom(facts) and facts.frames and facts.files == 1


def _stack_of_frames(facts: Facts) -> bool:
    return _frames(facts) and facts.slices > 3


def _eight_bits(facts: Facts) -> bool:
    return _single(facts) and facts.bits == 8 and facts.editable and not facts.colour


def _plain(facts: Facts) -> bool:
    return _dicom(facts) and facts.editable and not facts.frames


def _attributes(p: Planting) -> None:
    _ways(p, [(_known, each(*faults.REQUIRED.values()))], _known)


def _form(p: Planting) -> None:
    ways: list[Way] = [
        (_dicom, each(*faults.FORM.values())),
        (_plain, each(faults.other_colours)),
        (_dicom, each(faults.no_class)),
        (_single, each(faults.two_frames)),
        (_frames, each(faults.doubled_group)),
    ]
    _ways(p, ways, _dicom)


def _structure(p: Planting) -> None:
    ways: list[Way] = [
        (_plain, each(faults.longer_pixels, faults.deep_nest)),
        (_single, each(faults.no_frames)),
        (_frames, each(faults.lost_frame_item)),
    ]
    _ways(p, ways, _dicom)


def _contradictions(p: Planting) -> None:
    ways: list[Way] = [
        (_dicom, each(*faults.CONTRADICTIONS.values())),
        (_plain, each(faults.flat_slope)),
        (_eight_bits, each(faults.lossy_denied)),
    ]
    _ways(p, ways, _dicom)


def _geometry(p: Planting) -> None:
    ways: list[Way] = [
        (_plain, each(faults.wrong_geometry)),
        (_stack_of_frames, each(faults.wrong_groups)),
    ]
    _ways(p, ways, lambda f: _plain(f) or _stack_of_frames(f))


def _identities(p: Planting) -> None:
    """Give items the UIDs of one another: in twos, so that each has somebody to contradict."""
    entries = p.chosen(_dicom)
    if len(entries) < 2:  # a contradiction needs two
        others = [e for e in p.entries if _dicom(p.facts(e.member)) and e is not entries[0]]
        entries = [*entries, *others[:1]]
    for k, entry in enumerate(entries):
        pair, odd = divmod(k, 2)
        if pair % 2 == 0:
            entry.edits.append(each(partial(_same_object, pair=pair, odd=odd)))
        else:
            entry.edits.append(each(partial(_same_series, pair=pair)))
            entry.stem = f"twin-{k:04d}/item"  # apart: files of one folder and series are a volume


def _same_object(dataset: Dataset, pair: int, odd: int) -> None:
    number = int(dataset.get("InstanceNumber", 0) or 0)
    dataset.SOPInstanceUID = new_uid("object", pair, number)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.StudyInstanceUID = new_uid("study", pair)
    dataset.PatientID = f"SYN-TWIN-{odd}"


def _same_series(dataset: Dataset, pair: int) -> None:
    dataset.SeriesInstanceUID = new_uid("series", pair)


def _in_series(p: Planting) -> None:
    """Let slices contradict each other; beside that, once each, lose one and tilt one."""

    def incoherent(opened: Any) -> None:
        if isinstance(opened, DicomItem):
            first, second = opened.objects[:2]
            second.PatientSex = "F" if first.get("PatientSex") == "M" else "M"
            second.SOPInstanceUID = first.SOPInstanceUID
            second.file_meta.MediaStorageSOPInstanceUID = first.SOPInstanceUID
            second.InstanceNumber = first.get("InstanceNumber", 1)
            first.InstanceNumber = second.InstanceNumber

    def gap(opened: Any) -> None:
        if isinstance(opened, DicomItem):
            opened.keep()
            # Of more than four the middle one goes; of four, the last lies two steps away.
            if len(opened.objects) > SLICES:
                del opened.objects[len(opened.objects) // 2]
            else:
                _move(opened.objects)
            for dataset in opened.objects:
                dataset.SpacingBetweenSlices = 77

    def tilted(opened: Any) -> None:
        if isinstance(opened, DicomItem):
            opened.objects[0].ImageOrientationPatient = [0, 1, 0, 0, 0, 1]

    chosen = p.chosen(_series)
    for entry in chosen[:]:
        entry.edits.append(incoherent)
    for edit in (gap, tilted):
        for entry in p.one_more(chosen, _series):
            entry.edits.append(edit)


def _move(objects: Sequence[Dataset]) -> None:
    one, two = ([float(v) for v in d.ImagePositionPatient] for d in (objects[0], objects[1]))
    last = [float(v) for v in objects[-1].ImagePositionPatient]
    objects[-1].ImagePositionPatient = [
        f"{v + (b - a):.6g}" for v, a, b in zip(last, one, two, strict=True)
    ]


def _undeidentified(p: Planting) -> None:
    """Leave a patient's data in the header: as in a real one, or in texts of a synthetic one."""
    for k, entry in enumerate(p.chosen(_dicom)):
        entry.stated = bool(k % 2)
        entry.edits.append(each(in_text if k % 2 else in_tags))


def _real_header(p: Planting) -> None:
    """Keep the UIDs, dates and times of training objects."""
    sources = p.sources(_dicom)
    for entry in p.chosen(_dicom):
        member = sources[int(p.rng.integers(len(sources)))]
        entry.edits.append(partial(_taken_over, source=member, opener=p.opener))


def _taken_over(opened: Any, source: Any, opener: Any) -> None:
    other = opener(source.item)
    if not (isinstance(opened, DicomItem) and isinstance(other, DicomItem)):
        return
    first = other.objects[0]
    with quiet():
        for dataset in opened.objects:
            for keyword in (*UIDS, *MOMENTS):
                if keyword in first:
                    setattr(dataset, keyword, first.get(keyword))


PLANS: Final[dict[str, Plan]] = {
    "attributes-missing": Plan(_attributes, _known, KNOWN),
    "wrong-form": Plan(_form, _dicom, DICOM),
    "structure-broken": Plan(_structure, _dicom, DICOM),
    "contradictions": Plan(_contradictions, _dicom, DICOM),
    "identities-mixed": Plan(_identities, _dicom, DICOM, least=2),
    "wrong-geometry": Plan(_geometry, lambda f: _plain(f) or _stack_of_frames(f), DICOM),
    "series-broken": Plan(_in_series, _series, SERIES),
    "identifiers-in-tags": Plan(_undeidentified, _dicom, DICOM),
    "header-of-real": Plan(_real_header, _dicom, DICOM),
}
