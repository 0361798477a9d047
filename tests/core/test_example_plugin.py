"""The example of a third-party plugin: small, installable, conforming, and as its page says."""

import doctest
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sdq_core.testing import CHECKS

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "docs" / "example_plugin"
PAGE = ROOT / "docs" / "plugins.md"


def run(*command, cwd, path=()):
    """Run Python in a subprocess with folders in front of its path."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A copy of the plugin's own folder, and a folder into which it was installed, offline."""
    folder = tmp_path_factory.mktemp("plugin")
    built = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")
    copy = shutil.copytree(PLUGIN, folder / "sdq-raman", ignore=built)
    target = folder / "site"
    done = run("-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
               "--disable-pip-version-check", "--target", target, copy, cwd=folder)  # fmt: skip
    assert done.returncode == 0, done.stderr
    shutil.rmtree(copy / "sdq_raman")  # what is tested is what was installed
    return copy, target


def test_the_example_is_small():
    lines = [
        line
        for path in sorted((PLUGIN / "sdq_raman").glob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    assert len(lines) < 200


def test_its_tests_pass_in_its_own_folder(installed):
    copy, target = installed
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=copy, path=[target])
    assert done.returncode == 0, done.stdout[-3000:]
    assert "passed" in done.stdout
    assert "3 skipped" in done.stdout  # it plants no defects


def test_the_whole_way_from_init_to_verdicts(installed, tmp_path):
    copy, target = installed
    path = [target, copy / "tests"]
    made = run("-c", MAKE, cwd=tmp_path, path=path)
    assert made.returncode == 0, made.stderr
    written = run("-m", "sdq_core.cli", "init", "raman", cwd=tmp_path, path=path)
    assert written.returncode == 0, written.stderr
    # The made spectra have no classes.
    study = written.stdout.replace("classes: [healthy, lesion]", "classes: []")
    assert study != written.stdout
    (tmp_path / "study.yaml").write_text(study, encoding="utf-8")
    done = run("-m", "sdq_core.cli", "evaluate", "study.yaml", "--engine", "serial", "--quiet",
               "--output", "out", cwd=tmp_path, path=path)  # fmt: skip
    assert done.returncode in (0, 3), done.stdout + done.stderr
    result = json.loads((tmp_path / "out/result.json").read_text(encoding="utf-8"))
    assert result["modality"]["name"] == "raman"
    assert result["verdicts"]["fidelity"] == result["verdicts"]["completeness"] == "pass"
    own = next(m for m in result["measurements"] if m["id"].endswith("mean_spectrum_distance"))
    assert own["interval"]["low"] <= own["value"] <= own["interval"]["high"]
    report = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "Distance of mean spectra" in report


MAKE = """
from pathlib import Path
from spectra_made import SpectraExample
for seed, role in enumerate(("train", "holdout", "synthetic"), start=11):
    Path(role).mkdir()
    SpectraExample().make(Path(role), seed, 60, synthetic=role == "synthetic", severity=0.0)
"""


def test_without_the_plugin_its_name_is_unknown(tmp_path):
    done = run("-m", "sdq_core.cli", "init", "raman", cwd=tmp_path)
    assert done.returncode == 2
    assert "raman" in done.stderr


def test_the_page_shows_every_check_as_the_code_states_it():
    text = PAGE.read_text(encoding="utf-8")
    for name, check in CHECKS.items():
        first = (check.__doc__ or "").splitlines()[0]
        says = first.removeprefix("Check that ").rstrip(".").replace("``", "`")
        assert first.startswith("Check that ")
        assert f"| `{name}` | {says} |" in text


def test_the_examples_of_the_page_run(monkeypatch):
    monkeypatch.syspath_prepend(PLUGIN / "tests")
    monkeypatch.syspath_prepend(PLUGIN)
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 10
    assert found.failed == 0
