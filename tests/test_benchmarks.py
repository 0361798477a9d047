import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

# Values beside the peers' stand in the tests of each measure too; these runs take minutes.
on_demand = pytest.mark.skipif(
    "SDQ_BENCHMARKS" not in os.environ, reason="set SDQ_BENCHMARKS=1 to run the benchmarks briefly"
)


def rows_of(benchmark: str, *options: str) -> list[str]:
    """Agreement only: the exit code is 1 where values differ, and no time is looked at."""
    command = [sys.executable, str(BENCHMARKS / benchmark), "--quick", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("| ")]


@on_demand
@pytest.mark.slow
def test_the_imaging_benchmark_runs_and_values_agree():
    rows = rows_of("imaging.py")
    for name in ("frechet", "frechet-few", "prdc", "ssim", "ms-ssim", "diversity", "glcm"):
        assert any(row.startswith(f"| {name}, small arrays |") for row in rows), name
    assert any("whole describer" in row for row in rows)


@on_demand
@pytest.mark.slow
def test_the_signals_benchmark_runs_and_values_agree():
    rows = rows_of("signals.py")
    for name in ("**sdq**, whole set", "wfdb.rdrecord", "edfio", "pyedflib", "whole describer"):
        assert any(name in row for row in rows), name
    assert any("from the files to the report" in row for row in rows)


@on_demand
@pytest.mark.slow
def test_the_benchmark_of_records_runs_and_values_agree():
    rows = rows_of("ehr.py", "--only", "nearest")
    for name in ("12 numbers and 8 categories", "scikit-learn brute force", "surprisal"):
        assert any(name in row for row in rows), name


def test_distances_to_the_bounds_are_measured():
    rows = rows_of("bounds.py")
    for name in ("MS-SSIM", "coverage", "Frechet", "nearest", "190 pairs", "spectra"):
        assert any(name in row for row in rows), name


@pytest.mark.slow
def test_planted_defects_are_found_in_parts_of_the_shipped_data():
    """The short form of `make validity`; the exit code is 1 where one is not found."""
    rows = rows_of("calibration.py", "--workers", "2", "--only", "signals")
    assert any("peaks clipped" in row for row in rows)
