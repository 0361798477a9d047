"""What the peers say of one case, for `benchmarks/counterparts.py`; needs the peer, not sdq.

    PYTHON benchmarks/counterparts_asked.py {sdmetrics,syntheval,anonymeter,neurokit} FOLDER

FOLDER holds ``job.json`` and for each side ``train``, ``holdout``, ``synthetic`` a CSV file in
which an empty cell is missing, or an array file of one lead. One JSON object on the last line of
the output: version and figures. A figure that the peer cannot give is the text of its error.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

Figures = dict[str, Any]
ATTACKS = 200
"""Guesses of each attack of Anonymeter, at most."""


def tried(function: Callable[[], Any]) -> Any:
    """Return a figure, or what is wrong."""
    try:
        found = function()
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0][:160]
    if isinstance(found, list):
        return [float(v) for v in found]
    return float(found) if np.isfinite(found) else "not a number"


def tables(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    from ehr_agreement_peers import read

    return {s: read(folder / f"{s}.csv", job["kinds"]) for s in job["sides"]}


# --- SDMetrics ------------------------------------------------------------------------------------


def sdmetrics(folder: Path, job: dict[str, Any]) -> Figures:
    """Quality by its report, new rows and both distances to the closest record."""
    from ehr_agreement_peers import described
    from sdmetrics.reports.single_table import QualityReport
    from sdmetrics.single_table import (
        DCRBaselineProtection,
        DCROverfittingProtection,
        NewRowSynthesis,
    )

    sides = tables(folder, job)
    about = described(job["kinds"])
    train, synthetic = sides["train"], sides["synthetic"]

    def quality(of: Any, worst: bool = False) -> float:
        report = QualityReport()
        report.generate(train, of, about, verbose=False)
        return report.get_details("Column Shapes")["Score"].min() if worst else report.get_score()

    def overfitting(of: Any) -> float:
        return DCROverfittingProtection.compute_breakdown(
            real_training_data=train, synthetic_data=of,
            real_validation_data=sides["holdout"], metadata=about, table_name=None,
        )["score"]  # fmt: skip

    found = {
        "quality": tried(lambda: quality(synthetic)),
        "worst_column": tried(lambda: quality(synthetic, worst=True)),
        "new_rows": tried(lambda: NewRowSynthesis.compute(train, synthetic, about)),
        "dcr_baseline": tried(lambda: DCRBaselineProtection.compute(train, synthetic, about, None)),
    }
    if "holdout" in sides:
        found["quality_of_holdout"] = tried(lambda: quality(sides["holdout"]))
        found["dcr_overfitting"] = tried(lambda: overfitting(synthetic))
    return found


# --- SynthEval ------------------------------------------------------------------------------------


def syntheval(folder: Path, job: dict[str, Any]) -> Figures:
    """Adversarial accuracy, rows at risk, and the membership attack; each beside the holdout."""
    from syntheval import SynthEval
    from syntheval.metrics.privacy.metric_epsilon_identifiability import EpsilonIdentifiability
    from syntheval.metrics.privacy.metric_MIA_classification import MIAClassifier
    from syntheval.metrics.privacy.metric_nn_adversarial_accuracy import (
        NearestNeighbourAdversarialAccuracy,
    )
    from syntheval.utils.preprocessing import consistent_label_encoding

    sides = tables(folder, job)
    train, synthetic, holdout = (sides.get(s) for s in ("train", "synthetic", "holdout"))
    cats = [c for c, k in job["kinds"].items() if k == "category"]
    nums = [c for c in job["kinds"] if c not in cats]

    def results() -> dict[str, Any]:
        for frame in sides.values():  # says itself what it refuses
            SynthEval(frame, cat_cols=cats, verbose=False, console="off", enable_plots=False)
        encoder = consistent_label_encoding(train, synthetic, cats, nums, holdout)
        encoded = [None if f is None else encoder.encode(f) for f in (train, synthetic, holdout)]
        found: dict[str, Any] = {}
        for kind in (NearestNeighbourAdversarialAccuracy, EpsilonIdentifiability, MIAClassifier):
            if holdout is None and kind is MIAClassifier:
                continue
            made = kind(
                *encoded, cats, nums, "gower", do_preprocessing=False, verbose=False,
                plot_figures=False,
            )  # fmt: skip
            found |= {f"{kind.name()} {k}": v for k, v in dict(made.evaluate()).items()}
        return found

    try:
        found = results()
    except Exception as error:
        why = f"{type(error).__name__}: {error}".splitlines()[0][:160]
        return dict.fromkeys(("nnaa avg", "eps_risk eps_risk", "mia MIA precision"), why)
    return {k: float(v) for k, v in found.items() if np.isscalar(v) and np.isfinite(v)}


# --- Anonymeter -----------------------------------------------------------------------------------


def anonymeter(folder: Path, job: dict[str, Any]) -> Figures:
    """The three risks, with the holdout as control: value, low, high."""
    from anonymeter.evaluators import (
        InferenceEvaluator,
        LinkabilityEvaluator,
        SinglingOutEvaluator,
    )

    sides = tables(folder, job)
    if "holdout" not in sides:
        return dict.fromkeys(("single", "combined", "link", "infer"), "no holdout as control")
    train, synthetic, control = sides["train"], sides["synthetic"], sides["holdout"]
    names, secret = list(job["kinds"]), job["outcome"]
    guesses = min(ATTACKS, len(control))

    def risk(made: Any, **options: Any) -> list[float]:
        made.evaluate(**options)
        value = made.risk()
        return [value.value, *value.ci]

    def uni() -> list[float]:
        made = SinglingOutEvaluator(train, synthetic, guesses, control=control, seed=0)
        return risk(made, mode="univariate")

    def multi() -> list[float]:
        made = SinglingOutEvaluator(
            train, synthetic, guesses, n_cols=min(4, len(names)), control=control,
            max_attempts=100_000, seed=0,
        )  # fmt: skip
        return risk(made, mode="multivariate")

    def link() -> list[float]:
        made = LinkabilityEvaluator(
            train, synthetic, (names[::2], names[1::2]), guesses, 10, control
        )
        return risk(made, n_jobs=1)

    def infer() -> list[float]:
        aux = [c for c in names if c != secret]
        made = InferenceEvaluator(train, synthetic, aux, secret, False, guesses, control)
        return risk(made, n_jobs=1)

    attacks = {"single": uni, "combined": multi, "link": link, "infer": infer}
    return {name: tried(attack) for name, attack in attacks.items()}


# --- NeuroKit2 ------------------------------------------------------------------------------------


def neurokit(folder: Path, job: dict[str, Any]) -> Figures:
    """Median rate, RMSSD and quality of one lead on each side, one recording after another."""
    import neurokit2 as nk

    found: Figures = {}
    for side in job["sides"]:
        rates, beats, goods = [], [], []
        for lead in np.load(folder / f"{side}.npy").astype(float):
            try:
                clean = nk.ecg_clean(lead, sampling_rate=job["rate"])
                _, info = nk.ecg_peaks(clean, sampling_rate=job["rate"])
                peaks = info["ECG_R_Peaks"]
                gaps = np.diff(peaks) / job["rate"] * 1000
                rates.append(60_000 / gaps.mean())
                beats.append(nk.hrv_time(peaks, sampling_rate=job["rate"])["HRV_RMSSD"].item())
                word = nk.ecg_quality(
                    clean, rpeaks=peaks, sampling_rate=job["rate"], method="zhao2018"
                )
                goods.append(word == "Excellent")
            except Exception:
                goods.append(False)
        parts = {"rate": rates, "rmssd": beats}
        for name, values in parts.items():
            known = np.array(values)[np.isfinite(values)]
            found[f"{name} {side}"] = (
                [float(q) for q in np.quantile(known, [0.5, 0.25, 0.75])]
                if len(known)
                else "no recording in which enough beats were found"
            )
        found[f"excellent {side}"] = float(np.mean(goods))
    return found


def main() -> None:
    warnings.simplefilter("ignore")
    peer, folder = sys.argv[1], Path(sys.argv[2])
    with redirect_stdout(sys.stderr):
        job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        asked = {f.__name__: f for f in (sdmetrics, syntheval, anonymeter, neurokit)}
        np.random.seed(0)  # noqa: NPY002 - what the peers draw from
        figures = asked[peer](folder, job)
    package = {"neurokit": "neurokit2"}.get(peer, peer)
    print(json.dumps({"version": f"{package} {metadata.version(package)}", "figures": figures}))


if __name__ == "__main__":
    main()
