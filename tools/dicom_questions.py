"""Conditions of PS3.3 that ask what a file need not hold, by the words that they are asked in.

"Required if the image has been calibrated" cannot be turned into a comparison of attributes. Such
clauses fall into families; each has a name here and its question, and what may answer it all the
same, in `sdq_imaging.dicom.condition_questions`.
"""

from __future__ import annotations

import re

__all__ = ["QUESTIONS"]

_PATTERNS: tuple[tuple[str, str], ...] = (
    ("procedure_step",
     r"(?:a|the) (?:Modality )?Performed Procedure Step SOP Class(?:, or General Purpose Performed "
     r"Procedure Step SOP Class)? (?:was involved in the creation of this Series|is supported)|"
     r"(?:this Instance|the series) has been created as a result of a (?:single )?procedure step "
     r"request"),
    ("scheduled", r"procedure was scheduled"),
    ("protocol", r"a Protocol is controlling the creation of this Series"),
    ("contributing",
     r"present and (?:consistent|have an equal value) in the contributing SOP Instances"),
    ("made_from_dicom",
     r"(?:the reconstruction|this SOP Instance) is created from (?:other )?DICOM SOP Instances"),
    ("lossy_before",
     r"present in the source images or this IOD instance has been compressed"),
    ("lossy_known",
     r"it is known whether or not Lossy Compression has been performed on the Images"),
    ("lossy", r"Lossy Compression has been performed on the [Ii]mage"),
    ("calibrated", r"the image has been calibrated"),
    ("precision", r"Numeric Value \(0040,A30A\) has insufficient precision to represent "
     r"(?:the|a rational) value as a string"),
    ("segments", r"the Referenced SOP Instance is a Segmentation(?: or Surface Segmentation)? and "
     r"the reference does not apply to all segments"),
    ("frames", r"the Referenced SOP Instance is a multi-frame image and the reference does not "
     r"apply to all frames"),
    ("animal", r"the Patient is an animal(?: and the anatomical Frame of Reference is not "
     r"bipedal)?|Patient is an animal|the patient is an animal"),
    ("temporal", r"(?:the )?[Ii]mage is part of a Series in which the images are temporally "
     r"related"),
    ("orientation", r"needed to fully specify the (?:View|orientation of the [Pp]atient with "
     r"respect to gravity)"),
    ("capable", r"the system is capable of calculating [\w ]+ \(0018,918[12]\)"),
    ("law", r"required by law or regulations"),
    ("movable", r"(?:the )?(?:X-Ray source|detector) can be moved in the [\w ]+"),
    ("positioner", r"secondary positioner was used during acquisition"),
    ("binning", r"detector binning was applied to the projection images"),
    ("staged", r"image was acquired in a Staged protocol"),
    ("catheter", r"rotational catheter is used"),
    ("interpretation", r"this differs from the natural interpretation"),
    ("rating", r"a quality rating value exists for the corneal topography map"),
    ("normative", r"a normative data base was used"),
    ("specimens", r"multiple specimens present in the image"),
    ("group_pointer", r"the value of Dimension Index Pointer \(0020,9165\) is the Data Element Tag "
     r"of an Attribute that is contained within a Functional Group Sequence"),
    ("waveforms", r"waveforms are acquired in conjunction with image acquisition"),
    ("trigger_waveform", r"synchronization channel or trigger is encoded in a waveform in this SOP "
     r"Instance"),
    ("converted", r"this instance was created by conversion from a DICOM source(?:, and Conversion "
     r"Source Attributes Sequence \(0020,9172\) is not present in an Item of .*)?"),
    ("retrieved_view", r"the instance has ever been converted from its source form as the result "
     r"of a C-MOVE operation with a specific view"),
    ("encrypted", r"application level confidentiality is needed and certain recipients are allowed "
     r"to decrypt all or portions of the Encrypted Attributes Data Set"),
    ("this_study", r"this Instance references Instances in this Study"),
    ("other_studies", r"this Instance references Instances in other Studies"),
    ("hl7", r"unencapsulated HL7 Structured Documents are referenced within the Instance"),
    ("unassigned", r"any unassigned (?:shared|per-frame) Attributes are present(?: for this "
     r"frame)?"),
    ("excluded", r"one or more intervals was excluded"),
    ("padded_lines", r"the FOR PROCESSING image contains padded A-lines"),
    ("biopsy", r"one or more biopsy targets are present for this frame"),
    ("frame_retrieve", r"object extraction is based on a Frame Level Retrieve using (?:the )?"
     r"[\w ]+ \(0008,116[1-3]\)(?: Attribute)?"),
    ("framing", r"type of framing is not time forward from trigger|the value is not TIME"),
    ("padding_range", r"pixel padding is to be defined as a range rather than a single value"),
    ("component_calibration", r"pixel component calibration exists for this region"),
    ("jpip", r"the image is to be transferred in one of the following presentation contexts "
     r"identified by Transfer Syntax UID: .*"),
    ("audio", r"the Transfer Syntax used to encode the multi-frame image contains multiplexed .*"),
    ("coding_registered", r"coding scheme is (?:registered|identified by an ISO 8824 object "
     r"identifier compatible with the UI VR)"),
    ("volumetric", r"this SOP Instance is suitable for OCT volumetric processing"),
    ("reference_image", r"Ophthalmic Photography Reference Image available"),
    ("attenuation_series", r"another Series was used to perform attenuation correction"),
    ("contrast", r"contrast media was applied"),
    ("presentation_state", r"Presentation State is generated during acquisition(?:, shall not be "
     r"present otherwise)?"),
    ("transducer", r"the transducer position and/or orientation relative to the volume is not "
     r"constant"),
    ("whole_record", r"the dose does not apply to the complete RT Beams Treatment Record "
     r"referenced in the Referenced Treatment Record Sequence \(3008,0030\)"),
    ("segmented_absent", r"segmented data is NOT used in an Image IOD or Color Palette IOD, or if "
     r"the IOD is a Presentation State IOD"),
    ("segmented", r"segmented data is used in an Image IOD or Color Palette IOD; shall not be "
     r"present in a Presentation State IOD(?: See Section .*)?"),
    ("concatenation", r"a group of multi-frame image SOP Instances within a Series are part of a "
     r"Concatenation"),
    ("any_frame", r"for any frame, there are Per-Frame Functional Groups that are not empty"),
)  # fmt: skip

QUESTIONS = tuple((name, re.compile(pattern)) for name, pattern in _PATTERNS)
"""Name of the question -> the clauses that ask it; the first that fits counts."""
