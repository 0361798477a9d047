"""Small real cohorts of every format, and what of a planted cohort the rules and measures say."""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path

import numpy as np
from made_files import ORIENTATION, dicom, nifti, pixels
from pydicom import Dataset

from sdq_core.calibration.defect import Member
from sdq_core.characteristics.balance import Balance
from sdq_core.characteristics.explainability import Explainability
from sdq_core.describe import describe
from sdq_core.description import DescriptionTable
from sdq_core.evaluate import read_and_describe
from sdq_core.finding import Finding
from sdq_core.labels import matching_rows, read_labels
from sdq_core.measurement import Measurement
from sdq_core.modality import load_modality
from sdq_core.study import CohortSource, Study
from sdq_core.vocabulary import Role
from sdq_imaging.completeness import ImagingCompleteness
from sdq_imaging.metadata import ImagingMetadata
from sdq_imaging.privacy import ImagingPrivacy

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"
QUICK = {"embeddings": ["radiomic"]}
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
MODALITY = load_modality("imaging")


def study_of(source, *, holdout=None, **values) -> Study:
    """Return a study of one real cohort; `holdout` and what is under test are put in later."""
    cohorts = {"train": source, "synthetic": source}
    if holdout is not None:
        cohorts["holdout"] = holdout
    settings = {**QUICK, **values.pop("settings", {})}
    return Study.model_validate(
        {"modality": "imaging", "cohorts": cohorts, "settings": settings, **values}
    )


def members(source, study, count=None) -> list[Member]:
    """Return the items of a cohort with their labels, as calibration deals them out."""
    root = source.path if source.path.is_dir() else source.path.parent
    items = MODALITY.items(source.path, study.settings).items[:count]
    rows = {}
    if source.labels is not None:
        table = read_labels(source.labels)
        known = matching_rows(items, root, source.labels, table.rows)
        rows = {item: table.rows[key] for item, key in known.items()}
    told = [{**i.attributes, **rows.get(i.id, {})} for i in items]
    return [
        Member(i, source, row.get("subject") or i.id, {k: v for k, v in row.items() if v})
        for i, row in zip(items, told, strict=True)
    ]


def described(source, study, store):
    """Return what listing and describing find in a cohort: rules and descriptions."""
    listing = MODALITY.items(source.path, study.settings)
    found = describe(listing.items, MODALITY.describer(study), store, engine="serial").descriptions
    table = DescriptionTable(listing.items, found, "synthetic")
    rules = Counter(f.rule for f in (*table.findings, *listing.findings))
    return rules, table


def contents(table) -> list[str]:
    """Return what the items of a cohort hold, whatever they are called."""
    return sorted(table.metadata(k).get("content:sha256", "") for k in range(len(table)))


def measured(study, real, source, store):
    """Measure by counting alone: values by id, and all rules about the synthetic cohort."""
    cohorts = {Role.TRAIN: real, Role.SYNTHETIC: source}
    found = read_and_describe(study.model_copy(update={"cohorts": cohorts}), store, engine="serial")
    outputs = [
        *ImagingCompleteness("imaging").measure(found.cohorts),
        *ImagingMetadata("imaging").measure(found.cohorts),
        *ImagingPrivacy("imaging").identifiers(found.cohorts),
        *ImagingPrivacy("imaging").exact_copies(found.cohorts),
        *Explainability("imaging").items(found.cohorts),
        *Balance("imaging").amount(found.cohorts),
    ]
    if study.classes:
        outputs += [
            *Balance("imaging").classes(found.cohorts),
            *Balance("imaging").attributes(found.cohorts),
        ]
    values = {(m.id, m.variant): m.value for m in outputs if isinstance(m, Measurement)}
    findings = [
        *found.findings,
        *found.cohorts.synthetic.table.findings,
        *(f for f in outputs if isinstance(f, Finding)),
    ]
    return values, Counter(f.rule for f in findings if f.role in ("synthetic", ""))


def phantoms(folder: Path, n=8, slices=4) -> CohortSource:
    """Write real DICOM objects: secondary captures, and CT series."""
    file = FIXTURES / "dicom" / "make_dicom.py"
    spec = importlib.util.spec_from_file_location("made_phantoms", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.write_cohort(folder, n, 0, False, slices)
    lines = ["item,subject,class"]
    for k, item in enumerate(MODALITY.items(folder, {}).items):
        lines.append(f"{item.id},d{k:03d},{('no_finding', 'nodule')[k % 2]}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return CohortSource(path=folder, labels=folder / "labels.csv")


def enhanced(folder: Path, n=4) -> CohortSource:
    """Write multi-frame objects whose frames are described one by one."""
    folder.mkdir(parents=True)
    for k in range(n):
        frames = [group(PlanePositionSequence=[group(ImagePositionPatient=[0, 0, 2.0 * z])],
                        FrameContentSequence=[group(FrameAcquisitionNumber=1)])
                  for z in range(5)]  # fmt: skip
        shared = group(
            PlaneOrientationSequence=[group(ImageOrientationPatient=ORIENTATION)],
            PixelMeasuresSequence=[group(PixelSpacing=[0.5, 0.8], SliceThickness=2)],
        )
        dicom(
            folder / f"{k}.dcm",
            pixels((5, 16, 16), seed=k, high=1000, dtype=np.uint16),
            modality="CT",
            SOPClassUID=ENHANCED_CT,
            SharedFunctionalGroupsSequence=[shared],
            PerFrameFunctionalGroupsSequence=frames,
        )
    return CohortSource(path=folder)


def group(**values) -> Dataset:
    found = Dataset()
    for name, value in values.items():
        setattr(found, name, value)
    return found


def moments(folder: Path, n=4) -> CohortSource:
    """Write DICOM objects that say to the second when they were made."""
    folder.mkdir(parents=True)
    for k in range(n):
        dicom(
            folder / f"{k}.dcm", pixels((16, 16), seed=k, high=4096, dtype=np.uint16),
            series=f"1.2.3.{k}", StudyInstanceUID=f"1.2.4.{k}", StudyDate="20240305",
            StudyTime=f"10151{k}", ContentDate="20240305", ContentTime=f"10161{k}",
        )  # fmt: skip
    return CohortSource(path=folder)


def volumes(folder: Path, n=12) -> tuple[CohortSource, Path]:
    """Write NIfTI volumes with a bright ball, in floating point, and masks of it."""
    rng = np.random.default_rng(7)
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    z, y, x = np.mgrid[:16, :20, :24]
    for k in range(n):
        centre = rng.uniform(6, 10, 3)
        inside = (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 < 14
        values = rng.normal(100, 5, inside.shape) + 60 * inside
        for name, stored in (("images", values.astype(np.float32)), ("masks", inside)):
            nifti(folder / name / f"{k:02d}.nii.gz", stored.astype(np.float32), sform_code=1,
                  qform_code=1, xyzt_units=2)  # fmt: skip
    return CohortSource(path=folder / "images"), folder / "masks"
