"""The documents say what the code does: the table of measures, and the examples that they show."""

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_table_of_measures_is_up_to_date():
    command = [sys.executable, str(ROOT / "tools/measures_table.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run: python tools/measures_table.py\n{done.stderr}"


@pytest.mark.parametrize(
    "page",
    ["signals.md", "ehr.md", "codes.md", "generator.md", "in_memory.md", "compare.md"],
)
def test_examples_of_a_page_run(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    found = doctest.testfile(str(ROOT / "docs" / page), module_relative=False)
    assert found.attempted > 0
    assert found.failed == 0
