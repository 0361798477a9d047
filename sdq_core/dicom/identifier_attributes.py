"""The attributes that identify people: a compact list, kept by hand.

Actions are those of the Basic Application Level Confidentiality Profile (DICOM PS3.15 table E.1-1,
edition 2026c): X remove, Z empty or dummy, D dummy. Categories are the letters of the HIPAA Safe
Harbor list, 45 CFR 164.514(b)(2)(i): A names, B places, C dates, D telephone, H record numbers, I
health plan, J account, M devices, R any other identifying number or characteristic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ATTRIBUTES", "DATES", "IdentifierAttribute"]

Kind = Literal[
    "name", "record_number", "birth_date", "contact", "insurance_number", "staff_name",
    "order_number", "institution", "device", "demographic",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class IdentifierAttribute:
    """One attribute that PS3.15 has removed or replaced.

    Parameters
    ----------
    keyword : str
    action : str
        PS3.15 Basic Profile: ``"X"``, ``"Z"``, ``"D"`` or a choice such as ``"X/Z/D"``.
    category : str
        Letter of 45 CFR 164.514(b)(2)(i).
    kind : str
        Last part of the rule that a finding gets.
    direct : bool
        Whether the value alone points to a person; otherwise it does so together with others.
    """

    keyword: str
    action: str
    category: str
    kind: Kind
    direct: bool

    @property
    def tag(self) -> int:
        """The attribute's tag."""
        from pydicom.datadict import tag_for_keyword

        tag = tag_for_keyword(self.keyword)
        if tag is None:
            raise KeyError(f"{self.keyword} is not a DICOM keyword")
        return tag


_ROWS: tuple[tuple[Kind, str, bool, dict[str, str]], ...] = (
    ("name", "A", True, {
        "X": "OtherPatientNames PatientBirthName PatientMotherBirthName ResponsiblePerson",
        "Z": "PatientName",
    }),
    ("record_number", "H", True, {
        "X": "OtherPatientIDs MedicalRecordLocator AdmissionID ServiceEpisodeID",
        "Z/D": "PatientID",
    }),
    ("birth_date", "C", True, {"Z": "PatientBirthDate"}),
    ("contact", "B", True, {
        "X": "PatientAddress PatientTelephoneNumbers PatientTelecomInformation PersonAddress "
             "PersonTelephoneNumbers PersonTelecomInformation OrderCallbackPhoneNumber "
             "OrderCallbackTelecomInformation ReferringPhysicianAddress "
             "ReferringPhysicianTelephoneNumbers DistributionAddress",
    }),
    ("insurance_number", "I", True, {"X": "InsurancePlanIdentification"}),
    ("staff_name", "A", True, {
        "X": "PhysiciansOfRecord PerformingPhysicianName NameOfPhysiciansReadingStudy "
             "RequestingPhysician HumanPerformerName OrderEnteredBy "
             "ScheduledPerformingPhysicianName "
             "NamesOfIntendedRecipientsOfResults InterpretationAuthor InterpretationRecorder "
             "InterpretationTranscriber PhysicianApprovingInterpretation DistributionName",
        "Z": "ReferringPhysicianName ConsultingPhysicianName ROIInterpreter",
        "D": "VerifyingObserverName PersonName",
        "X/Z": "ReviewerName",
        "Z/D": "ContentCreatorName",
        "X/Z/D": "OperatorsName",
    }),
    ("order_number", "J", False, {
        "X": "RequestedProcedureID ScheduledProcedureStepID PerformedProcedureStepID "
             "SpecimenAccessionNumber",
        "Z": "AccessionNumber StudyID PlacerOrderNumberImagingServiceRequest "
             "FillerOrderNumberImagingServiceRequest",
    }),
    ("institution", "B", False, {
        "X": "InstitutionAddress InstitutionalDepartmentName ResponsibleOrganization "
             "PatientInstitutionResidence CurrentPatientLocation IssuerOfPatientID",
        "X/Z/D": "InstitutionName",
    }),
    ("device", "M", False, {
        "X": "GantryID PlateID CassetteID PerformedStationName PerformedStationAETitle",
        "X/D": "DetectorID",
        "X/Z/D": "StationName DeviceSerialNumber",
    }),
    ("demographic", "R", False, {
        "X": "EthnicGroup Occupation PatientReligiousPreference MilitaryRank RegionOfResidence "
             "CountryOfResidence PatientComments AdditionalPatientHistory",
    }),
)  # fmt: skip

ATTRIBUTES: tuple[IdentifierAttribute, ...] = tuple(
    IdentifierAttribute(keyword, action, category, kind, direct)
    for kind, category, direct, by_action in _ROWS
    for action, keywords in by_action.items()
    for keyword in keywords.split()
)
"""All attributes but the dates of events."""

DATES: tuple[tuple[str, str], ...] = (
    ("StudyDate", "Z"),
    ("SeriesDate", "X/D"),
    ("AcquisitionDate", "X/Z"),
    ("ContentDate", "Z/D"),
    ("InstanceCreationDate", "X/D"),
    ("AcquisitionDateTime", "X/Z/D"),
    ("PerformedProcedureStepStartDate", "X"),
    ("PerformedProcedureStepEndDate", "X"),
    ("AdmittingDate", "X"),
    ("ScheduledAdmissionDate", "X"),
    ("LastMenstrualDate", "X"),
    ("DateOfSecondaryCapture", "X"),
    ("IssueDateOfImagingServiceRequest", "X"),
)
"""Dates of events with their PS3.15 action; category C, together one quasi-identifier."""
