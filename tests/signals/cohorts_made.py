"""Small signal studies: arrays written to files, listed, described and joined."""

from pathlib import Path

import numpy as np

from sdq_core.cohort import Cohort, Cohorts
from sdq_core.describe import describe
from sdq_core.description import DescriptionTable
from sdq_core.labels import join
from sdq_core.modality import load_modality
from sdq_core.study import Study
from sdq_core.vocabulary import Role
from sdq_signals.channels import LEADS
from sdq_signals.simulated_ecg import simulate

RATE = 250.0


def write(path: Path, samples: np.ndarray, rate: float = RATE, channels=LEADS, units="mV", **more):
    """Write a stack of recordings with what the reader has to know."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, signals=samples, rate=rate, units=units, channels=np.array(channels), **more)
    return path


def study_of(folder: Path, **keys) -> Study:
    cohorts = {role: {"path": folder} for role in ("train", "holdout", "synthetic")}
    return Study.model_validate({"modality": "signals", "cohorts": cohorts, **keys})


def cohort(path: Path, role: str, study: Study, store: Path | None = None) -> Cohort:
    """Describe one file or folder."""
    modality = load_modality("signals")
    items = modality.items(path, study.settings).items
    report = describe(items, modality.describer(study), store, engine="serial")
    table = DescriptionTable(items, report.descriptions, role=role)
    return join(table, Role(role), path if path.is_dir() else path.parent, None)[0]


def cohorts(folder: Path, *, n=(40, 40, 40), change=None, store=None, **keys) -> Cohorts:
    """Three cohorts of simulated electrocardiograms; `change` works on the synthetic samples."""
    study = study_of(folder, **keys)
    made = {}
    for k, (role, size) in enumerate(zip(("train", "holdout", "synthetic"), n, strict=True)):
        samples = simulate(size, rate=RATE, seed=10 + k).samples
        if role == "synthetic" and change is not None:
            samples = change(samples)
        subjects = {} if role == "synthetic" else {
            "subject": np.array([f"{role}{i}" for i in range(size)])
        }  # fmt: skip
        path = write(folder / f"{role}.npz", samples, **subjects)
        made[role] = cohort(path, role, study, store)
    return Cohorts(study, made["train"], made["synthetic"], made["holdout"])
