"""Functional groups: an enhanced MR object and a segmentation, written by hand, then broken."""

from __future__ import annotations

import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence

from sdq_imaging.dicom.functional_groups import functional_group_faults
from sdq_imaging.dicom.geometry import geometry_faults, slice_normal

SHARED = "SharedFunctionalGroupsSequence"
FRAMES = "PerFrameFunctionalGroupsSequence"


def item(**values: object) -> Sequence:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return Sequence([dataset])


def enhanced(frames: int = 3, image_type: str = "DERIVED") -> Dataset:
    """Return an enhanced MR object with the mandatory macros of PS3.3 table A.36-2."""
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1"
    dataset.ImageType = [image_type, "PRIMARY", "VOLUME", "NONE"]
    dataset.NumberOfFrames = frames
    shared = Dataset()
    shared.PixelMeasuresSequence = item(PixelSpacing=[1, 1], SliceThickness=2)
    shared.PlaneOrientationSequence = item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    shared.FrameAnatomySequence = item(FrameLaterality="U")
    shared.MRImageFrameTypeSequence = item(FrameType=[image_type, "PRIMARY", "VOLUME", "NONE"])
    setattr(dataset, SHARED, Sequence([shared]))
    setattr(dataset, FRAMES, Sequence())
    for k in range(frames):
        frame = Dataset()
        frame.FrameContentSequence = item(DimensionIndexValues=[k + 1])
        frame.PlanePositionSequence = item(ImagePositionPatient=[0, 0, 2.5 * k])
        dataset[FRAMES].value.append(frame)
    return dataset


def found(dataset: Dataset) -> list[tuple[str, str]]:
    return [(f.rule.split(".")[-1], f.where) for f in functional_group_faults(dataset)]


def test_a_sound_object_is_silent():
    assert found(enhanced()) == []
    assert geometry_faults(enhanced()) == ()


@pytest.mark.parametrize(
    "macro",
    ["PixelMeasuresSequence", "PlaneOrientationSequence", "FrameAnatomySequence",
     "MRImageFrameTypeSequence"],
)  # fmt: skip
def test_a_mandatory_macro_may_stand_in_either_place_but_must_stand_in_one(macro):
    dataset = enhanced()
    moved = dataset[SHARED].value[0][macro].value
    delattr(dataset[SHARED].value[0], macro)
    assert found(dataset) == [("type1_missing", f"{SHARED}[0].{macro}")]
    for frame in dataset[FRAMES].value:
        setattr(frame, macro, moved)
    assert found(dataset) == []
    delattr(dataset[FRAMES].value[1], macro)
    assert found(dataset) == [("type1_missing", f"{FRAMES}[1].{macro}")]


def test_a_macro_in_both_places_and_in_the_wrong_one():
    dataset = enhanced()
    dataset[FRAMES].value[0].PixelMeasuresSequence = item(SliceThickness=2)
    where = f"{SHARED}[0].PixelMeasuresSequence"
    assert found(dataset) == [("functional_group_place", where)]
    dataset = enhanced()
    dataset[SHARED].value[0].FrameContentSequence = item(FrameAcquisitionNumber=1)
    for frame in dataset[FRAMES].value:
        del frame.FrameContentSequence
    assert found(dataset) == [("functional_group_place", f"{SHARED}[0].FrameContentSequence")]


def test_conditions_of_macros():
    """Images straight from the scanner must tell how they were acquired, derived ones need not."""
    missed = {w.split(".")[-1] for _, w in found(enhanced(image_type="ORIGINAL"))}
    assert {"MREchoSequence", "MRAveragesSequence", "MRReceiveCoilSequence"} <= missed
    dataset = enhanced()
    dataset.ContrastBolusAgentSequence = item(ContrastBolusAgentNumber=1)
    assert found(dataset) == [("type1_missing", f"{SHARED}[0].ContrastBolusUsageSequence")]


def test_one_item_a_frame_and_one_shared_item():
    dataset = enhanced()
    dataset.NumberOfFrames = 4
    assert found(dataset) == [("frame_items", FRAMES)]
    dataset = enhanced()
    dataset[SHARED].value.append(Dataset())
    assert found(dataset) == [("frame_items", SHARED)]


def segmentation(kind: str) -> Dataset:
    dataset = Dataset()
    label_map = kind == "LABELMAP"
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.66." + ("7" if label_map else "4")
    dataset.SegmentationType, dataset.NumberOfFrames = kind, 1
    setattr(dataset, SHARED, Sequence([Dataset()]))
    frame = Dataset()
    frame.FrameContentSequence = item(DimensionIndexValues=[1])
    setattr(dataset, FRAMES, Sequence([frame]))
    return dataset


def test_segments_are_identified_but_in_label_maps():
    where = f"{SHARED}[0].SegmentIdentificationSequence"
    assert found(segmentation("BINARY")) == [("type1_missing", where)]
    assert found(segmentation("LABELMAP")) == []


def test_frames_on_a_full_grid_need_no_items():
    dataset = segmentation("BINARY")
    del dataset[FRAMES]
    assert found(dataset)
    dataset.DimensionOrganizationType = "TILED_FULL"
    assert found(dataset) == []


def test_geometry_inside_groups():
    dataset = enhanced()
    dataset[SHARED].value[0].PlaneOrientationSequence = item(
        ImageOrientationPatient=[1, 0, 0, 0, 0.5, 0]
    )
    (finding,) = geometry_faults(dataset)
    where = f"{SHARED}[0].PlaneOrientationSequence[0].ImageOrientationPatient"
    assert (finding.rule, finding.where) == ("imaging.semantics.orientation", where)
    dataset = enhanced()
    dataset[SHARED].value[0].PixelMeasuresSequence = item(PixelSpacing=[1, -1])
    assert [f.rule for f in geometry_faults(dataset)] == ["imaging.semantics.spacing"]


@pytest.mark.parametrize(
    ("depths", "quiet"),
    [
        ([0, 2, 4, 6], True),
        ([6, 2, 0, 4], True),  # any order
        ([0, 2, 6, 8], False),
        ([0, 0, 2, 2], True),  # two time points
        ([0, 2], True),
    ],
)
def test_frames_lie_at_even_distances(depths, quiet):
    dataset = enhanced(len(depths))
    for frame, depth in zip(dataset[FRAMES].value, depths, strict=True):
        frame.PlanePositionSequence = item(ImagePositionPatient=[5, 5, depth])
    rules = [f.rule for f in geometry_faults(dataset)]
    assert rules == ([] if quiet else ["imaging.semantics.frame_distance"])


def test_the_normal():
    assert slice_normal([0, 1, 0, 0, 0, -1]) == (-1.0, 0.0, 0.0)
    assert slice_normal([1, 0, 0, 2, 0, 0]) is None
    assert slice_normal([1, 0, 0]) is None
