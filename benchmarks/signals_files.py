"""Records as files for `benchmarks/signals.py`: WFDB in format 16, EDF+, a whole study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_signals.channels import LEADS
from sdq_signals.simulated_ecg import simulate

RATE = 500
SECONDS = 10.0
COHORTS = {"train": (800, 1), "holdout": (600, 2), "synthetic": (600, 3)}
"""Records and seed of each; a study of fewer has the same proportions."""
FIBRILLATION = 0.3
STUDY = """\
schema: sdq.study/1
name: benchmark
description: Three cohorts of one simulator.
modality: signals
seed: 0
profile: default
cohorts:
  train: {path: train, labels: train/labels.csv}
  holdout: {path: holdout, labels: holdout/labels.csv}
  synthetic: {path: synthetic, labels: synthetic/labels.csv}
classes: [sinus, afib]
purpose:
  description: Measuring time and memory.
  intended_distribution: {sinus: 0.7, afib: 0.3}
"""

Samples = NDArray[np.float32]


def microvolts(x: Samples) -> NDArray[np.int16]:
    """Simulated records are in steps of 1 uV."""
    return np.rint(x * 1000).astype("<i2")


def write_wfdb(folder: Path, samples: Samples, comment: str = "") -> list[Path]:
    """Write records with their checksums and return their headers."""
    folder.mkdir(parents=True)
    found = []
    for k, record in enumerate(microvolts(samples)):
        name = f"r{k:04}"
        record.T.tofile(folder / f"{name}.dat")
        sums = record.sum(axis=1, dtype=np.int64).astype(np.int16)
        lines = [f"{name} {len(record)} {RATE} {record.shape[1]}"]
        lines += [
            f"{name}.dat 16 1000/mV 16 0 {lead[0]} {total} 0 {label}"
            for lead, total, label in zip(record, sums, LEADS, strict=True)
        ]
        lines += [f"# {comment}"] if comment else []
        found.append(folder / f"{name}.hea")
        found[-1].write_text("\n".join(lines) + "\n", encoding="ascii")
    return found


def write_edf(folder: Path, samples: Samples) -> list[Path]:
    """Write the same records as EDF, one data record a second."""
    import edfio

    folder.mkdir(parents=True)
    found = []
    for k, record in enumerate(microvolts(samples)):
        signals = [
            edfio.EdfSignal(
                lead.astype(float),
                RATE,
                label=f"ECG {label}",
                physical_dimension="uV",
                physical_range=(-32768, 32767),
            )
            for lead, label in zip(record, LEADS, strict=True)
        ]
        found.append(folder / f"r{k:04}.edf")
        edfio.Edf(signals).write(found[-1])
    return found


def write_study(folder: Path, share: float = 1.0) -> tuple[Path, int]:
    """Write three cohorts with labels and the study; return it and the number of records."""
    total = 0
    for role, (most, seed) in COHORTS.items():
        n = round(most * share)
        ecg = simulate(n, RATE, SECONDS, seed, fibrillation=FIBRILLATION)
        headers = write_wfdb(
            folder / role, ecg.samples, "Synthetic data" if role == "synthetic" else ""
        )
        rows = ["item,subject,class"]
        rows += [
            f"{path.name},{role}-{k},{'afib' if fibrillates else 'sinus'}"
            for k, (path, fibrillates) in enumerate(
                zip(headers, ecg.truth["fibrillation"], strict=True)
            )
        ]
        (folder / role / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        total += n
    study = folder / "study.yaml"
    study.write_text(STUDY, encoding="utf-8")
    return study, total


def windows(
    folder: Path, seconds: float = SECONDS
) -> tuple[dict[str, Any], list[NDArray[np.float64]]]:
    """Cut annotated WFDB records of one rate into windows.

    Returns the arrays for contestants, and the samples of the true beats of each window.
    """
    from sdq_signals.formats.wfdb import annotations, read

    found, true, rates = [], [], set()
    for header in sorted(folder.glob("*.hea")):
        recording = read(header)
        samples = recording.read(0, recording.length)[:2]
        at, symbols = annotations(header, "atr")
        beats = at[np.isin(symbols, list("NLRBAaJSVrFejnE/fQ?"))]
        rates.add(recording.rate)
        size = round(seconds * recording.rate)
        for first in range(0, recording.length - size + 1, size):
            inside = (beats >= first) & (beats < first + size)
            if inside.any():
                found.append(samples[:, first : first + size])
                true.append((beats[inside] - first).astype(np.float64))
    if len(rates) != 1:
        raise ValueError(f"--data: needs annotated WFDB records of one rate, found {len(rates)}")
    return {"x": np.stack(found), "rate": np.array(rates.pop())}, true
