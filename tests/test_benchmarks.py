import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[1] / "benchmarks/imaging.py"


@pytest.mark.slow
def test_the_imaging_benchmark_runs_and_values_agree():
    """Agreement only: the exit code is 1 where values differ, and no time is looked at."""
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), "--quick"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    for name in ("frechet", "frechet-few", "prdc", "ssim", "ms-ssim", "diversity", "glcm"):
        assert any(row.startswith(f"| {name}, small arrays |") for row in rows), name
    assert any("whole describer" in row for row in rows)
