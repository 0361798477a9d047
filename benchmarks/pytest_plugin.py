"""Time that the pytest plugin adds to a run that does not use it.

Two fresh environments with pytest, one of them with sdq (from this checkout, without its
dependencies: the plugin must not need them), run one empty test in turn.
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]


def environment(folder, *packages):
    """Make an environment and return its interpreter."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "pytest"], check=True)
    for package in packages:
        subprocess.run([*install, "--no-deps", str(package)], check=True)
    return python


def seconds(python, folder):
    """Return wall and processor time of one run."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, used


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=30)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "run").mkdir()
        (folder / "run" / "test_nothing.py").write_text("def test_nothing(): pass\n")
        # A build leaves files in its folder.
        apart = shutil.ignore_patterns(".*", "fixtures", "tests", "build", "*.egg-info")
        shutil.copytree(ROOT, folder / "sdq", ignore=apart)
        pair = environment(folder / "with", folder / "sdq"), environment(folder / "without")
        for python in pair:  # compile what is compiled once
            seconds(python, folder / "run")
        times = [[seconds(python, folder / "run") for python in pair] for _ in range(runs)]
    for place, name in enumerate(("wall", "processor")):
        added = statistics.median(a[place] - b[place] for a, b in times)
        usual = statistics.median(b[place] for _, b in times)
        print(f"{name}: {usual * 1e3:.0f} ms without, {added * 1e3:+.1f} ms with the plugin")


if __name__ == "__main__":
    sys.exit(main())
