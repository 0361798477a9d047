"""Ask the peers about the cases of `benchmarks/counterparts.py`, and keep what they answer."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stdout
from importlib import metadata
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from counterparts_cases import TABLES, Case
from ehr_agreement_ours import read_tables, rows_of

from sdq_core.cohort import Cohorts

PEERS = {
    "ehr": ("forest", "sdmetrics", "syntheval", "anonymeter"),
    "signals": ("features", "neurokit"),
    "imaging": ("features",),
}
"""``features`` are MONAI and prdc, which are in the test environment of sdq and take the embedding
of sdq: there are no weights of their own. ``forest`` of scikit-learn tells synthetic rows
from the holdout's."""
EMBEDDINGS = {"imaging": "random-resnet18", "signals": "random-convolutions"}
LEAD = 1
MOST = 60
"""Recordings a side that NeuroKit2 reads."""
K = 5

Figures = dict[str, Any]


class Answers:
    """What the peers say; each answer is a file of the folder."""

    def __init__(self, pythons: Mapping[str, Any], folder: Path, off: bool = False) -> None:
        self.pythons, self.folder, self.off = pythons, folder, off
        self.versions: set[str] = set()

    def ask(self, peer: str, case: Case) -> Figures | None:
        """Return the figures of a peer; None where it was not run."""
        kept = self.folder / case.key / f"{peer}.json"
        if not kept.exists():
            if self.off or peer == "features":
                return None
            if peer == "forest":
                answer = {"version": versions("scikit-learn"), "figures": told_apart(case)}
                kept.write_text(json.dumps(answer), encoding="utf-8")
                return answer["figures"]
            if not self.pythons.get(peer):
                return None
            with tempfile.TemporaryDirectory() as temporary:
                job = written(case, Path(temporary))
                if job is None:
                    return {}
                kept.write_text(self._answer(peer, Path(temporary)), encoding="utf-8")
        found = json.loads(kept.read_text(encoding="utf-8"))
        self.versions.add(found["version"])
        figures: Figures = found["figures"]
        return figures

    def _answer(self, peer: str, folder: Path) -> str:
        script = Path(__file__).with_name("counterparts_asked.py")
        command = [self.pythons[peer], str(script), peer, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{peer}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
        return done.stdout.splitlines()[-1]

    def of_features(self, case: Case, cohorts: Cohorts) -> None:
        """Let MONAI and prdc judge the embedding of sdq, and keep it."""
        answer = {"version": versions("monai", "prdc"), "figures": judged(case.modality, cohorts)}
        kept = self.folder / case.key / "features.json"
        kept.write_text(json.dumps(answer), encoding="utf-8")


def versions(*packages: str) -> str:
    return ", ".join(f"{p} {metadata.version(p)}" for p in packages)


def written(case: Case, folder: Path) -> dict[str, Any] | None:
    """Write a case for a peer; None where the peer has nothing to say of such data."""
    job: dict[str, Any] = {"sides": list(case.cohorts)}
    if case.modality == "ehr":
        tables = read_tables(list(case.cohorts.values()), drop=("ssn",))
        for side, table in zip(case.cohorts, tables, strict=True):
            table.write(folder / f"{side}.csv")
        outcome = next(t[3] for t in TABLES if t[0] == case.data)
        job |= {"kinds": dict(tables[0].kinds), "outcome": outcome}
    else:
        if len(case.recorded["channels"]) < 2:  # one beat has no rhythm
            return None
        for side, signals in case.cohorts.items():
            np.save(folder / f"{side}.npy", signals[:MOST, LEAD])
        job["rate"] = int(case.recorded["rate"])
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    return job


def judged(modality: str, cohorts: Cohorts) -> Figures:
    """Frechet distance by MONAI and neighbours by prdc, beside train; of the holdout too."""
    import torch
    from monai.metrics import FIDMetric
    from prdc import compute_prdc

    name = EMBEDDINGS[modality]
    sides = {"synthetic": cohorts.synthetic, "holdout": cohorts.holdout}
    real = cohorts.train.table.embedding(name)[0].astype(np.float64)
    found: Figures = {}
    for side, cohort in sides.items():
        if cohort is not None:
            made = cohort.table.embedding(name)[0].astype(np.float64)
            distance = FIDMetric()(torch.from_numpy(made), torch.from_numpy(real))
            with redirect_stdout(StringIO()):  # it prints the numbers of rows
                near = compute_prdc(real, made, nearest_k=K)
            found[side] = {"frechet": float(distance), **{k: float(v) for k, v in near.items()}}
    return found


def told_apart(case: Case) -> Figures:
    """AUC of a forest on synthetic rows and the holdout's, and on train's and the holdout's.

    Five folds, as many rows of either side. Without a holdout the halves of train take its place.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rows, _ = rows_of(*read_tables(list(case.cohorts.values()), drop=("ssn",)))
    sides = {
        role: np.column_stack([np.nan_to_num(r.numbers, nan=-1e6), r.categories])
        for role, r in zip(case.cohorts, rows, strict=True)
    }
    if "holdout" not in sides:
        order = np.random.default_rng(0).permutation(len(sides["train"]))
        one, two = np.array_split(order, 2)
        sides = {**sides, "train": sides["train"][one], "holdout": sides["train"][two]}
    found: Figures = {}
    for role in ("synthetic", "train"):
        pair = sides[role], sides["holdout"]
        n = min(map(len, pair))
        some = [x[np.random.default_rng(0).permutation(len(x))[:n]] for x in pair]
        is_other = np.repeat([1, 0], n)
        said = cross_val_predict(
            RandomForestClassifier(100, random_state=0), np.concatenate(some), is_other,
            cv=StratifiedKFold(5, shuffle=True, random_state=0), method="predict_proba",
        )  # fmt: skip
        found[role] = float(roc_auc_score(is_other, said[:, 1]))
    return found
