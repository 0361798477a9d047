"""The documents say what the code does: their tables, and the examples that they show."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMAND = re.compile(r"^(?:\$ |      --).*?(?=\s+#|$)", re.MULTILINE)
ELSEWHERE = {
    "plugins.md": "tests/core/test_example_plugin.py",
    "tutorial_imaging.md": "tests/test_tutorials.py",
    "tutorial_signals.md": "tests/test_tutorials.py",
    "tutorial_ehr.md": "tests/test_tutorials.py",
}
"""Pages whose examples need something that another test makes."""


@pytest.mark.parametrize("tool", ["measures_table.py", "result_schema_page.py"])
def test_a_page_that_is_made_from_the_code_is_up_to_date(tool):
    command = [sys.executable, str(ROOT / "tools" / tool), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run: python tools/{tool}\n{done.stderr}"


def with_examples() -> list[str]:
    pages = sorted((ROOT / "docs").rglob("*.md"))
    shown = [
        p for p in pages if re.search(r"^\s*>>> ", p.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    return [p.relative_to(ROOT / "docs").as_posix() for p in shown]


@pytest.mark.parametrize("page", [p for p in with_examples() if p not in ELSEWHERE])
def test_examples_of_a_page_run(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    found = doctest.testfile(
        str(ROOT / "docs" / page), module_relative=False, optionflags=doctest.ELLIPSIS
    )
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.parametrize(("page", "test"), ELSEWHERE.items())
def test_examples_that_need_more_are_run_by_their_own_test(page, test):
    assert page in with_examples()
    assert page in (ROOT / test).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", with_examples())
def test_examples_are_code_and_no_quotations(page):
    """A prompt at the start of a line is a quotation in Markdown; it must be fenced or indented."""
    fenced = False
    for line in (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines():
        fenced ^= line.startswith("```")
        assert fenced or not line.startswith(">>> "), line


def test_both_readmes_show_the_same_commands():
    english, chinese = (
        COMMAND.findall((ROOT / name).read_text(encoding="utf-8"))
        for name in ("README.md", "README.zh-CN.md")
    )
    assert english == chinese
    assert {"$ make demo", "$ make test"} <= set(english)


def test_both_readmes_link_to_the_same_pages():
    english, chinese = (
        set(re.findall(r"\]\(([^)]+)\)", (ROOT / name).read_text(encoding="utf-8")))
        for name in ("README.md", "README.zh-CN.md")
    )
    other = {"README.md", "README.zh-CN.md", "docs/images/report.png", "docs/images/report_zh.png"}
    assert english - other == chinese - other
    assert all((ROOT / link).exists() for link in english | chinese)
