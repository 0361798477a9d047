"""What pytest loads: options, the marker, the collector of study files, and the fixtures.

Nothing of sdq is imported here, so that a run that does not use it pays next to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from sdq_core.result import Result
    from sdq_core.study import Study
    from sdq_pytest.baseline import Baseline
    from sdq_pytest.check import Check
    from sdq_pytest.study_file import StudyFile

SETTLED: Final = ("fail", "skip", "pass-with-warning")
"""What an inconclusive mandatory criterion may do to its test."""

_FIXTURES: Final = frozenset(
    ("sdq_study", "sdq_result", "sdq_evaluate", "sdq_check", "sdq_baseline")
)
_FIRST_KEY: Final = re.compile(r"""(["']?)schema\1\s*:\s*["']?sdq\.study/""")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the command line and of the configuration file."""
    group = parser.getgroup("sdq", "evaluation of synthetic medical data")
    group.addoption(
        "--sdq-study",
        metavar="FILE",
        help="Study of the fixtures sdq_study and sdq_result; before the ini option sdq_study.",
    )
    group.addoption(
        "--sdq-profile",
        metavar="NAME",
        help="Profile in place of the studies' own: a shipped name, or the path of a file.",
    )
    group.addoption(
        "--sdq-output",
        metavar="DIR",
        help="Keep results and reports of the studies that are evaluated, in one folder each.",
    )
    group.addoption(
        "--sdq-update-baseline",
        action="store_true",
        help="Write the stored results that sdq_baseline compares with, and fail those tests, so "
        "that a baseline never changes unnoticed.",
    )
    group.addoption(
        "--sdq-accept-baseline",
        action="store_true",
        help="Write the stored results that sdq_baseline compares with, and pass those tests.",
    )
    parser.addini("sdq_study", "Study file of sdq_study, beside this file.", default="study.yaml")
    parser.addini(
        "sdq_studies",
        "Names of the files that are collected as studies without being given on the command line.",
        type="args",
        default=["study.yaml", "*.study.yaml"],
    )
    parser.addini("sdq_profile", "Profile in place of the studies' own.", default="")
    parser.addini("sdq_output", "Folder in which results and reports are kept.", default="")
    parser.addini(
        "sdq_baseline_dir", "Folder of the stored results of sdq_baseline.", default="sdq_baseline"
    )
    parser.addini(
        "sdq_inconclusive",
        f"What a mandatory criterion that is inconclusive or not assessed does: "
        f"{', '.join(SETTLED)}.",
        default="fail",
    )
    parser.addini(
        "sdq_engine",
        "Where items are described: processes, serial; auto is serial in a worker of pytest-xdist "
        "and processes elsewhere.",
        default="auto",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and refuse options that contradict each other."""
    config.addinivalue_line(
        "markers",
        "sdq: a criterion of a study file, or a test that uses a fixture of sdq; set by the plugin",
    )
    settled = config.getini("sdq_inconclusive")
    if settled not in SETTLED:
        raise pytest.UsageError(
            f"sdq_inconclusive = {settled!r}: write one of {', '.join(SETTLED)}"
        )
    engine = config.getini("sdq_engine")
    if engine not in ("auto", "processes", "serial"):
        raise pytest.UsageError(f"sdq_engine = {engine!r}: write one of auto, processes, serial")
    if config.getoption("--sdq-update-baseline") and config.getoption("--sdq-accept-baseline"):
        raise pytest.UsageError("give one of --sdq-update-baseline and --sdq-accept-baseline")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> StudyFile | None:
    """Collect study files that were given, or that bear one of the names in ``sdq_studies``."""
    if file_path.suffix not in (".yaml", ".yml"):
        return None
    given = parent.session.isinitpath(file_path)
    named = any(file_path.match(pattern) for pattern in parent.config.getini("sdq_studies"))
    # A file that is given by a study's name is one, whatever it holds: what is wrong in it is said.
    if not ((given and named) or ((given or named) and _declares_itself(file_path))):
        return None
    from sdq_pytest.study_file import StudyFile

    found: StudyFile = StudyFile.from_parent(parent, path=file_path)
    return found


def _declares_itself(path: Path) -> bool:
    """Whether the first key of a YAML file says that it is a study."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            for line in file:
                if line.strip() and not line.startswith(("#", "---", "%")):
                    return _FIRST_KEY.match(line) is not None
    except OSError:
        pass
    return False


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use a fixture of sdq, so that ``-m sdq`` finds them."""
    for item in items:
        if not _FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("sdq")


@pytest.fixture(scope="session")
def sdq_study(pytestconfig: pytest.Config) -> Study:
    """Read the study of --sdq-study or of the ini option; override it to change its cohorts."""
    from sdq_pytest.evaluating import default_study, plainly

    with plainly():
        return default_study(pytestconfig)


@pytest.fixture(scope="session")
def sdq_result(
    sdq_study: Study, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Result:
    """Evaluate sdq_study and return its result: once in a run, also under pytest-xdist."""
    from sdq_pytest.evaluating import evaluated, plainly

    with plainly():
        return evaluated(pytestconfig, tmp_path_factory, sdq_study)


@pytest.fixture(scope="session")
def sdq_evaluate(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Result]:
    """Evaluate cohorts given as arrays, tables or paths; arguments of sdq_core.evaluate.

    What was learned of the real cohorts is kept in pytest's cache folder for the next run.
    """
    from sdq_pytest.evaluating import evaluate_given, plainly

    def evaluate(modality: str | None = None, **given: Any) -> Result:
        __tracebackhide__ = True
        with plainly():
            return evaluate_given(pytestconfig, tmp_path_factory, {"modality": modality, **given})

    return evaluate


@pytest.fixture(scope="session")
def sdq_once(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, Callable[[Path], object]], Path]:
    """Fill a folder once in a run, by whichever worker of pytest-xdist comes first.

    ``sdq_once("generated", write)`` calls ``write(folder)`` and returns the folder.
    """
    from sdq_pytest.evaluating import shared_folder
    from sdq_pytest.once import once

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        return once(shared_folder(pytestconfig, tmp_path_factory), f"made-{name}", fill)

    return make


@pytest.fixture
def sdq_check(request: pytest.FixtureRequest) -> Check:
    """Check one measure of a result by its interval: sdq_check(id, at_most=0.05)."""
    from sdq_pytest.check import Check

    return Check(request)


@pytest.fixture
def sdq_baseline(request: pytest.FixtureRequest) -> Baseline:
    """Compare a result with the stored one, within its interval: sdq_baseline()."""
    from sdq_pytest.baseline import Baseline

    return Baseline(request)
