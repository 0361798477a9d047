"""What the peers find, for `benchmarks/ehr_agreement.py`; needs the peer's package, not sdq.

    PYTHON benchmarks/ehr_agreement_peers.py {sdmetrics,syntheval} FOLDER

FOLDER holds ``jobs.json``, a list of jobs, and the tables that they name as CSV files in which
an empty cell is missing. One JSON object on the last line of the output: the versions, and the
result of each job, or the name of its error.
"""

from __future__ import annotations

import json
import sys
import warnings
from contextlib import redirect_stdout
from importlib import metadata
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

KINDS = {
    "number": {"sdtype": "numerical"},
    "category": {"sdtype": "categorical"},
    "date": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"},
    "key": {"sdtype": "id"},
}
ORIGIN = pd.Timestamp("2015-01-01")
Frame = Any
Kinds = dict[str, str]


def read(path: Path, kinds: Kinds) -> Frame:
    """Read a table; categories and keys as text."""
    types = {c: "float64" if k == "number" else "object" for c, k in kinds.items()}
    found = pd.read_csv(path, dtype=types, keep_default_na=False, na_values=[""])[list(kinds)]
    for column in (c for c, k in kinds.items() if k == "date"):
        found[column] = pd.to_datetime(found[column], format="%Y-%m-%d")
    return found


def number(value: Any) -> float | None:
    """A number that JSON can hold."""
    return float(value) if np.isfinite(value) else None


def described(kinds: Kinds) -> dict[str, Any]:
    return {"columns": {c: KINDS[k] for c, k in kinds.items()}}


# --- SDMetrics ------------------------------------------------------------------------------------


def sdmetrics_pair(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Columns, pairs and both scores of one table: default, and without thresholds."""
    from sdmetrics.column_pairs import CorrelationSimilarity
    from sdmetrics.reports.single_table import QualityReport

    kinds = job["kinds"]
    real, synthetic = (read(folder / job[s], kinds) for s in ("real", "synthetic"))
    reports = {}
    for name in ("default", "all"):
        reports[name] = QualityReport()
        if name == "all":
            reports[name].real_correlation_threshold = 0
            reports[name].real_association_threshold = 0
        reports[name].generate(real, synthetic, described(kinds), verbose=False)
    shapes = reports["all"].get_details("Column Shapes")
    trends = reports["all"].get_details("Column Pair Trends")
    default = reports["default"].get_details("Column Pair Trends")
    scored = default["Meets Threshold?"].fillna(False).astype(bool)
    names = list(zip(trends["Column 1"], trends["Column 2"], strict=True))
    found: dict[str, Any] = {
        "scores": {k: number(r.get_score()) for k, r in reports.items()},
        "trends": {
            k: number(r.get_properties().set_index("Property")["Score"]["Column Pair Trends"])
            for k, r in reports.items()
        },
        "shapes": {c: number(s) for c, s in zip(shapes["Column"], shapes["Score"], strict=True)},
        "pairs": [
            [*p, m, number(s)]
            for p, m, s in zip(names, trends["Metric"], trends["Score"], strict=True)
        ],
        "scored": [list(p) for p, s in zip(names, scored, strict=True) if s],
    }
    if job.get("spearman"):
        numbers = [c for c, k in kinds.items() if k == "number"]
        found["spearman"] = []
        for one, two in combinations(numbers, 2):
            columns = [one, two]
            score = CorrelationSimilarity.compute(
                real[columns], synthetic[columns], coefficient="Spearman"
            )
            found["spearman"].append([one, two, number(score)])
    return found


def sdmetrics_tables(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Both reports of several tables."""
    from sdmetrics.reports.multi_table import DiagnosticReport, QualityReport

    sides = [
        {t: read(folder / job[s] / f"{t}.csv", k) for t, k in job["tables"].items()}
        for s in ("real", "synthetic")
    ]
    about = {
        "tables": {
            t: {**described(k), "primary_key": job["keys"][t]} for t, k in job["tables"].items()
        },
        "relationships": [
            {
                "parent_table_name": parent,
                "child_table_name": child,
                "parent_primary_key": job["keys"][parent],
                "child_foreign_key": job["keys"][parent],
            }
            for parent, child in job["relationships"]
        ],
    }
    quality, diagnostic = QualityReport(), DiagnosticReport()
    for report in (quality, diagnostic):
        report.generate(*sides, about, verbose=False)
    properties = quality.get_properties().set_index("Property")["Score"]
    return {
        "quality": number(quality.get_score()),
        "diagnostic": number(diagnostic.get_score()),
        "properties": {k: number(v) for k, v in properties.items()},
    }


# --- SynthEval ------------------------------------------------------------------------------------


def syntheval_pair(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Metrics that take no model; without holdout, so that ranges are those of both tables."""
    from syntheval import SynthEval
    from syntheval.metrics.privacy.metric_distance_closest_record import (
        MedianDistanceToClosestRecord,
    )
    from syntheval.metrics.privacy.metric_nn_adversarial_accuracy import (
        NearestNeighbourAdversarialAccuracy,
    )
    from syntheval.metrics.utility.metric_hellinger_distance import HellingerDistance
    from syntheval.metrics.utility.metric_kolmogorov_smirnov import KolmogorovSmirnovTest
    from syntheval.metrics.utility.metric_mixed_correlation import MixedCorrelation
    from syntheval.utils.preprocessing import consistent_label_encoding

    kinds = job["kinds"]
    real, synthetic = (read(folder / job[s], kinds) for s in ("real", "synthetic"))
    for frame in (real, synthetic):
        for c in (c for c, k in kinds.items() if k == "date"):
            frame[c] = (frame[c] - ORIGIN).dt.days.astype(float)
    cats = [c for c, k in kinds.items() if k == "category"]
    nums = [c for c, k in kinds.items() if k != "category"]
    for frame in (real, synthetic):  # says itself what it refuses
        SynthEval(frame, cat_cols=cats, verbose=False, console="off", enable_plots=False)
    encoder = consistent_label_encoding(real, synthetic, cats, nums)

    def metric(kind: Any, **options: Any) -> dict[str, Any]:
        made = kind(
            encoder.encode(real), encoder.encode(synthetic), None, cats, nums, "gower",
            do_preprocessing=False, verbose=False, plot_figures=False,
        )  # fmt: skip
        return dict(made.evaluate(**options))

    shapes = metric(KolmogorovSmirnovTest, n_perms=1)
    mixed = metric(MixedCorrelation, return_mats=True)
    return {
        "ks": number(shapes["avg ks"]),
        "tvd": number(shapes["avg tvd"]),
        "hellinger": number(metric(HellingerDistance)["avg"]),
        "correlation": number(metric(MixedCorrelation, mixed_corr=False)["corr_mat_diff"]),
        "mixed": number(mixed["corr_mat_diff"]),
        "nnaa": number(metric(NearestNeighbourAdversarialAccuracy)["avg"]),
        "dcr": number(metric(MedianDistanceToClosestRecord)["mDCR"]),
    }


JOBS = {
    ("sdmetrics", "pair"): sdmetrics_pair,
    ("sdmetrics", "tables"): sdmetrics_tables,
    ("syntheval", "pair"): syntheval_pair,
}


def main() -> None:
    warnings.simplefilter("ignore")
    peer, folder = sys.argv[1], Path(sys.argv[2])
    results = []
    with redirect_stdout(sys.stderr):
        for job in json.loads((folder / "jobs.json").read_text(encoding="utf-8")):
            try:
                results.append(JOBS[peer, job["what"]](folder, job))
            except Exception as error:
                results.append({"error": f"{type(error).__name__}: {error}"[:200]})
    versions = {p: metadata.version(p) for p in (peer, "numpy", "pandas", "scipy")}
    print(json.dumps({"versions": versions, "results": results}))


if __name__ == "__main__":
    main()
