"""Real radiographs are not failed, and each planted defect is failed where it should be.

Copies are in test_copies.py; whole evaluations over five seeds in benchmarks/validity.py.
"""

import csv
import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from sdq_core.characteristics.balance import Balance
from sdq_core.characteristics.completeness import Completeness
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.describe import describe
from sdq_core.description import DescriptionTable
from sdq_core.judging import characteristic_verdicts, judge_all
from sdq_core.measurement import Measurement
from sdq_core.modality import load_modality
from sdq_core.profiles import load_profile
from sdq_core.study import Study
from sdq_core.vocabulary import Characteristic, Role, Verdict
from sdq_imaging.defects import Sample, blur, drop_class, mode_collapse
from sdq_imaging.fidelity import ImagingFidelity
from sdq_imaging.file_defects import remove_tags
from sdq_imaging.metadata import ImagingMetadata

FIXTURES = Path(__file__).parents[2] / "fixtures"
SEEDS = range(3)
SKIPPED = {"frechet_distance", "c2st_auc", "ms_ssim_diversity", "ssim_paired", "volume_adequacy"}
"""Measures without a criterion, which would only take time."""

FIDELITY, BALANCE = Characteristic.FIDELITY, Characteristic.BALANCE
CLASSES = ("no_finding", "pneumonia")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@cache
def real(role):
    with (FIXTURES / "cxr" / role / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    images = [np.asarray(Picture.open(FIXTURES / "cxr" / role / r["item"])) for r in rows]
    sample = Sample(np.stack(images), np.array([r["class"] for r in rows]))
    return sample, np.array([r["subject"] for r in rows])


def dealt(seed):
    """Deal the holdout's patients out to a holdout and a fresh sample, half of the images each."""
    sample, subjects = real("holdout")
    order = np.random.default_rng(seed).permutation(np.unique(subjects))
    rows = np.concatenate([np.flatnonzero(subjects == s) for s in order])
    half = len(rows) // 2
    # No patient on both sides.
    while subjects[rows[half]] == subjects[rows[half - 1]]:
        half += 1
    held, fresh = rows[:half], rows[half:]
    return (sample.take(held), subjects[held]), sample.take(fresh)


def described(sample, subjects, role, folder, store):
    path = folder / f"{role}.npz"
    np.savez(path, images=sample.images)
    modality = load_modality("imaging")
    items = modality.items(path, {}).items
    study = study_of(folder)
    report = describe(items, modality.describer(study), store, engine="serial")
    table = DescriptionTable(items, report.descriptions, role=role)
    return Cohort(Role(role), table, subjects, sample.classes)


def study_of(folder, classes=CLASSES):
    cohorts = {role: {"path": folder} for role in ("train", "holdout", "synthetic")}
    return Study.model_validate({"modality": "imaging", "cohorts": cohorts, "classes": classes})


def verdicts(cohorts, *evaluations):
    modality = load_modality("imaging")
    profile = load_profile(
        "default", modality.profile_folder(), "imaging", modality.default_profile
    )
    found = [
        output
        for evaluation in evaluations
        for part in evaluation("imaging").parts()
        if not SKIPPED & {*part.measures}
        for output in part.function(cohorts)
        if isinstance(output, Measurement)
    ]
    return characteristic_verdicts(judge_all(found, profile))


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_radiographs_pass_and_their_defects_fail(seed, tmp_path, store):
    (held, subjects), fresh = dealt(seed)
    train = described(*real("train"), "train", tmp_path, store)
    holdout = described(held, subjects, "holdout", tmp_path, store)

    def judged(sample):
        synthetic = described(sample, None, "synthetic", tmp_path, store)
        cohorts = Cohorts(study_of(tmp_path), train, synthetic, holdout)
        return verdicts(cohorts, ImagingFidelity, Balance)

    clean = judged(fresh)
    assert clean[FIDELITY] in (Verdict.PASS, Verdict.INCONCLUSIVE)
    assert clean[BALANCE] is Verdict.PASS
    rng = np.random.default_rng(seed)
    assert judged(Sample(blur(fresh.images, 1.0), fresh.classes))[FIDELITY] is Verdict.FAIL
    assert judged(mode_collapse(fresh, len(fresh) // 10, rng))[FIDELITY] is Verdict.FAIL
    assert judged(drop_class(fresh, "pneumonia", rng))[BALANCE] is Verdict.FAIL


@pytest.mark.parametrize("seed", SEEDS)
def test_missing_attributes_fail_metadata_and_whole_headers_pass(seed, tmp_path):
    path = FIXTURES / "dicom/make_dicom.py"
    spec = importlib.util.spec_from_file_location("make_dicom_for_defects", path)
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    for k, role in enumerate(("train", "holdout", "whole")):
        n = 80 if role == "whole" else 20  # the bound needs 72 items without a fault
        maker.write_cohort(tmp_path / role, n=n, seed=3 * seed + k, declared=role == "whole")
    remove_tags(tmp_path / "whole", tmp_path / "stripped", 0.2, np.random.default_rng(seed))
    modality = load_modality("imaging")
    study = study_of(tmp_path, ())
    describer = modality.describer(study)

    def cohort(role, folder):
        items = modality.items(tmp_path / folder, {}).items
        report = describe(items, describer, None, engine="serial")
        return Cohort(Role(role), DescriptionTable(items, report.descriptions, role=role))

    train, holdout = cohort("train", "train"), cohort("holdout", "holdout")
    for folder, expected in (("whole", Verdict.PASS), ("stripped", Verdict.FAIL)):
        cohorts = Cohorts(study, train, cohort("synthetic", folder), holdout)
        found = verdicts(cohorts, ImagingMetadata, Completeness)
        assert found[Characteristic.METADATA] is expected
        assert found[Characteristic.COMPLETENESS] is Verdict.PASS
