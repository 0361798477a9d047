"""Small cohorts of simulated electrocardiograms in every format that is read."""

from __future__ import annotations

from pathlib import Path

import dicom_waveforms
import edf_files
import numpy as np
import records
import yaml

from sdq_core.calibration.defect import Member
from sdq_core.cohort import Cohort
from sdq_core.describe import describe
from sdq_core.description import DescriptionTable
from sdq_core.labels import join, read_labels
from sdq_core.modality import load_modality
from sdq_core.study import CohortSource, Study
from sdq_core.vocabulary import Role
from sdq_signals.channels import LEADS, MDC_LEADS
from sdq_signals.simulated_ecg import simulate

RATE = 250.0
FORMATS = ("wfdb", "edf", "edf-plain", "bdf", "dicom", "array", "table")


def study(**keys) -> Study:
    cohorts = {role: {"path": role} for role in ("train", "holdout", "synthetic")}
    return Study.model_validate({"modality": "signals", "cohorts": cohorts, **keys})


def microvolts(n: int, seed: int, seconds: float = 10.0) -> np.ndarray:
    return np.rint(1000 * simulate(n, RATE, seconds, seed=seed).samples).astype(np.int64)


def written(folder: Path, form: str, samples: np.ndarray) -> Path:
    """Write microvolts, shape (n, 12, t), in one format."""
    folder.mkdir(parents=True)
    if form == "array":
        np.savez(folder / "all.npz", signals=samples.astype("i2"), rate=RATE, units="uV",
                 channels=np.array(LEADS))  # fmt: skip
        return folder
    for k, one in enumerate(samples):
        name = f"r{k}"
        if form == "wfdb":
            records.record(folder, one.T, 16, name=name, rate=f"{RATE:g}", gain="1000(0)/mV",
                           names=LEADS)  # fmt: skip
            text = (folder / f"{name}.hea").read_text().replace(" 12 0 ", " 16 0 ")
            (folder / f"{name}.hea").write_text(text)
        elif form == "dicom":
            codes = {lead: f"2:{MDC_LEADS[lead]}" for lead in LEADS}
            group = dicom_waveforms.group(one.T.astype("<i2"), codes, f"{RATE:g}")
            for channel in group.ChannelDefinitionSequence:
                channel.ChannelSensitivity = "1"
            header = dicom_waveforms.waveform(group)
            header.SOPInstanceUID = f"2.25.77{k}"
            dicom_waveforms.save(header, folder / f"{name}.dcm")
        elif form == "table":
            lines = [",".join(LEADS), *(",".join(map(str, row)) for row in one.T.tolist())]
            (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
            facts = {"sampling_rate": RATE, "units": "uV"}
            (folder / f"{name}.yaml").write_text(yaml.safe_dump(facts))
        else:
            width = 3 if form == "bdf" else 2
            rows = {
                f"ECG {lead}": (edf_files.SCALE[width] * x).reshape(-1, round(RATE))
                for lead, x in zip(LEADS, one, strict=True)
            }
            plain = {"reserved": ""} if form == "edf-plain" else {}
            suffix = "bdf" if form == "bdf" else "edf"
            (folder / f"{name}.{suffix}").write_bytes(edf_files.write(rows, width=width, **plain))
    return folder


def members(path: Path, of: Study, rows=None) -> list[Member]:
    """List the members of a cohort; `rows` are added to what the container says."""
    items = load_modality("signals").items(path, of.settings).items
    source = CohortSource(path=path)
    found = []
    for k, item in enumerate(items):
        row = {**item.attributes, **({} if rows is None else rows[k])}
        found.append(Member(item, source, row.get("subject") or item.id, row))
    return found


def described(source: CohortSource, role: str, of: Study) -> tuple[Cohort, list]:
    """Describe a cohort, and return it with the findings of its listing."""
    modality = load_modality("signals")
    listing = modality.items(source.path, of.settings)
    report = describe(listing.items, modality.describer(of), None, engine="serial")
    table = DescriptionTable(listing.items, report.descriptions, role=role)
    labels = None if source.labels is None else read_labels(source.labels)
    cohort, _ = join(table, Role(role), source.path, labels)
    return cohort, list(listing.findings)


def rules_of(cohort: Cohort, findings: list) -> set[str]:
    """Rules that fire in a cohort, item by item and in its listing."""
    return {f.rule for d in cohort.table._descriptions for f in d.findings} | {
        f.rule for f in findings
    }
