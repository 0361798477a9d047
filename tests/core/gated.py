"""A product repository of the modality `gate_modality`, for tests of the pytest plugin."""

from __future__ import annotations

import os
import shutil
from functools import cache
from pathlib import Path

import pytest

import sdq_pytest.baseline
import sdq_pytest.check
import sdq_pytest.study_file
from sdq_core.environment import all_distributions
from sdq_core.evaluate import evaluate
from sdq_core.study import load_study
from sdq_pytest.lines import line

assert sdq_pytest

CORE = Path(__file__).parent
STUDY = """\
# a comment may stand before the first key
schema: sdq.study/1
name: a gate
modality: gate
profile: {profile}
cohorts:
  train: {{path: train}}
  holdout: {{path: holdout}}
  synthetic: {{path: synthetic}}
settings: {{half: {half}}}
"""


def install(folder, monkeypatch):
    """Register the modality as a distribution does, here and in worker processes."""
    own = folder / "installed" / "gate-1.dist-info"
    own.mkdir(parents=True)
    (own / "METADATA").write_text("Metadata-Version: 2.1\nName: gate\nVersion: 1\n")
    (own / "entry_points.txt").write_text("[sdq.modalities]\ngate = gate_modality:Gate\n")
    monkeypatch.syspath_prepend(own.parent)
    monkeypatch.setenv("PYTHONPATH", f"{own.parent}{os.pathsep}{CORE}")
    monkeypatch.setenv("GATE_LOG", str(folder / "log"))


@cache
def distributions():
    """Return the distributions that a result names: they are read once for all runs here."""
    return all_distributions()


def warm_up(folder):
    """Load what runs in this process need, so that they do not load and drop it each time."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        install(folder, monkeypatch)
        path = write(folder, copies=40, n=20)
        result = evaluate(load_study(path), folder / "out", engine="serial")
        found = line(result.measurement("gate.privacy.memorised_share"), folder / "out")
        assert "worst items" in found


def write(folder, shift=0.0, copies=0, n=100, half=0.1, profile="default"):
    """Write a study: the first `copies` synthetic values are training values."""
    for k, role in enumerate(("train", "holdout", "synthetic")):
        shutil.rmtree(folder / role, ignore_errors=True)
        (folder / role).mkdir(parents=True)
        for i in range(n):
            moved = k == 2 and i >= copies
            value = i + 0.25 * k * (k < 2) + (shift + 0.001 if moved else 0)
            (folder / role / f"{i:03d}.txt").write_text(repr(value))
    path = folder / "study.yaml"
    path.write_text(STUDY.format(half=half, profile=profile))
    return path


def repository(pytester, monkeypatch):
    """Return an empty repository in which the modality is known."""
    install(pytester.path, monkeypatch)
    monkeypatch.setattr("sdq_core.environment.all_distributions", distributions)
    pytester.makeini("[pytest]\nsdq_engine = serial\n")
    return pytester


def evaluations(pytester):
    """Return how often an evaluation was begun."""
    log = pytester.path / "log"
    return log.read_text().count("\n") if log.exists() else 0
