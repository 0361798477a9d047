"""The fixtures of the pytest plugin: checks, baselines, one evaluation for all workers."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from gated import evaluations, repository, warm_up, write

from sdq_core.comparing.comparable import Entry
from sdq_core.result import FindingsModel, IntervalModel, MeasurementModel, Result, load_result
from sdq_pytest.baseline import worse
from sdq_pytest.evaluating import _digests
from sdq_pytest.lines import line, worst_items
from sdq_pytest.once import AlreadyFailed, once

HERE = Path(__file__).parent
PRODUCT = HERE.parents[1] / "fixtures" / "product_repo"


@pytest.fixture(scope="module", autouse=True)
def _warm(tmp_path_factory):
    warm_up(tmp_path_factory.mktemp("warm"))


@pytest.fixture
def repo(pytester, monkeypatch):
    return repository(pytester, monkeypatch)


def write_test(repo, body, fixtures="sdq_check"):
    repo.makepyfile(
        test_it=f"def test_it({fixtures}):\n{textwrap.indent(textwrap.dedent(body), '    ')}"
    )


# ------------------------------------------------------------------ sdq_check


CHECKS = {
    "'gate.fidelity.distance', at_most=1.0": ("passed", ""),
    # The value is below the limit, its interval is not.
    "'gate.fidelity.distance', at_most=0.65": (
        "failed",
        "gate.fidelity.distance[raw] = 0.60 (0.50 to 0.70); required: at most 0.65; inconclusive",
    ),
    "'gate.fidelity.distance', at_least=0.9": ("failed", "[raw] = 0.60 (0.50 to 0.70); requ"),
    "'gate.fidelity.distance', variant='scaled', at_most=0.45": ("passed", ""),
    "'gate.fidelity.distance'": ("passed", ""),
    "'gate.fidelity.distance', verdict='fail'": ("failed", "; pass; asked: fail"),
    "'gate.completeness.readable_share', verdict='inconclusive'": ("passed", ""),
    "'gate.fidelity.other', at_most=1": ("skipped", ""),
    "'gate.fidelity.other'": ("failed", "asked: pass, and it does not apply"),
    "'gate.completeness.structure_share'": ("failed", "no criterion for it: give at_most"),
    "'gate.privacy.memorized_share'": ("failed", "near it: gate.privacy.memorised_share"),
    "'gate.fidelity.distance', variant='x'": ("failed", "no variant 'x' in this result; it has r"),
    "'gate.balance.items', at_least=float('nan')": ("failed", "at_least=nan is not a number"),
}


def test_a_check_judges_by_the_interval(repo):
    write(repo.path, shift=0.6)
    tests = (f"def test_{k}(sdq_check): sdq_check({call})" for k, call in enumerate(CHECKS))
    repo.makepyfile(test_it="\n".join(tests))
    result = repo.runpytest("test_it.py", "--junitxml=j.xml")
    said = result.stdout.str()
    for case, (call, (outcome, words)) in zip(
        ET.parse(repo.path / "j.xml").iter("testcase"), CHECKS.items(), strict=True
    ):
        ended = {"failure": "failed", "skipped": "skipped"}
        found = [ended[child.tag] for child in case if child.tag in ended] or ["passed"]
        assert found == [outcome], call
        assert words in said, call
    assert "sdq_pytest/" not in said.partition("short test summary")[0]
    assert "Traceback" not in said
    assert evaluations(repo) == 1


def test_a_check_takes_a_result_and_speaks_in_junit(repo):
    study = write(repo.path, copies=40)
    write_test(
        repo,
        f"""
        result = sdq_evaluate("gate", study={str(study)!r}, seed=1)
        sdq_check("gate.privacy.memorised_share", at_most=0.6, result=result)
        """,
        "sdq_evaluate, sdq_check",
    )
    repo.runpytest("test_it.py", "--junitxml=j.xml").assert_outcomes(passed=1)
    assert 'name="sdq.gate.privacy.memorised_share.value" value="0.4"' in (
        repo.path / "j.xml"
    ).read_text("utf-8")


def test_without_a_study_the_fixture_says_what_to_do(repo):
    write_test(repo, "pass", "sdq_result")
    result = repo.runpytest("test_it.py")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no study file *study.yaml; write one (sdq init*"])


def test_study_and_profile_are_taken_from_options(repo):
    write(repo.path / "one", copies=40)
    write_test(repo, "assert sdq_result.profile['name'] == 'gate-strict'", "sdq_result")
    arguments = ("--sdq-study", "one/study.yaml", "--sdq-profile", "gate-strict")
    repo.runpytest("test_it.py", *arguments).assert_outcomes(passed=1)


def test_results_and_reports_are_kept_where_asked(repo):
    write(repo.path)
    repo.runpytest("study.yaml", "--sdq-output", "quality")
    kept = {p.name for p in (repo.path / "quality" / "a-gate").iterdir()}
    assert {"result.json", "report.html", "findings.csv"} <= kept
    assert "store" not in kept


# ------------------------------------------------------------------ sdq_baseline


def test_a_missing_baseline_is_written_on_request_and_then_compared(repo):
    write(repo.path, shift=0.4)
    write_test(repo, "sdq_baseline()", "sdq_baseline")
    stored = repo.path / "sdq_baseline" / "baseline.json"

    result = repo.runpytest("test_it.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*no stored result sdq_baseline/baseline.json*--sdq-accept-base*"])
    assert not stored.exists()

    result = repo.runpytest("test_it.py", "--sdq-update-baseline")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*was written; look at its difference*"])
    first = stored.read_bytes()

    stored.unlink()
    repo.runpytest("test_it.py", "--sdq-accept-baseline").assert_outcomes(passed=1)
    assert stored.read_bytes() == first
    assert "SECRET" not in first.decode()
    assert json.loads(first)["environment"].keys() == {"packages"}
    repo.runpytest("test_it.py").assert_outcomes(passed=1)

    # Inside both intervals, to the worse and to the better, then beyond to the worse.
    for shift, outcome in ((0.5, "passed"), (0.0, "passed"), (0.9, "failed")):
        write(repo.path, shift=shift)
        result = repo.runpytest("test_it.py")
        result.assert_outcomes(**{outcome: 1})
    result.stdout.fnmatch_lines(
        ["sdq_baseline: worse than *gate.fidelity.distance?raw? = 0.40 (*now 0.901 (*"]
    )


def test_a_baseline_of_other_data_or_criteria_is_no_baseline(repo):
    write(repo.path)
    write_test(repo, "sdq_baseline(name='release')", "sdq_baseline")
    repo.runpytest("test_it.py", "--sdq-accept-baseline").assert_outcomes(passed=1)
    result = repo.runpytest("test_it.py", "--sdq-profile", "gate-strict")
    result.stdout.fnmatch_lines(["*profile: gate-default 1 there, gate-strict 1 here*"])
    (repo.path / "train" / "000.txt").write_text("17.25")
    repo.runpytest("test_it.py").stdout.fnmatch_lines(["*real cohort train: 100 items*there*"])
    (repo.path / "sdq_baseline" / "release.json").write_text("{")
    repo.runpytest("test_it.py").stdout.fnmatch_lines(
        ["*release.json: cannot be read as a result*"]
    )


def test_a_baseline_stays_in_its_folder(repo):
    write(repo.path)
    write_test(repo, "sdq_baseline(name='../elsewhere')", "sdq_baseline")
    result = repo.runpytest("test_it.py", "--sdq-accept-baseline")
    result.assert_outcomes(failed=1)
    assert not list(repo.path.rglob("elsewhere*"))


def measured(value, half=None, better="lower"):
    interval = None
    if half is not None:
        interval = IntervalModel(low=value - half, high=value + half, level=0.95, method="m")
    return MeasurementModel(
        id="a.fidelity.b", characteristic="fidelity", value=value, interval=interval,
        reason="gone" if value is None else None, better=better, code="no_criterion",
    )  # fmt: skip


def result_of(*measurements):
    return Result(
        study={}, profile={"name": "p", "version": "1"}, modality={"name": "a"}, cohorts={},
        measurements=measurements, verdicts={}, findings=FindingsModel(total=0), exit_code=0,
        environment={},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "now", "is_worse"),
    [
        (measured(1.0, 0.3), measured(1.45, 0.4), False),  # hypot(0.3, 0.4) = 0.5
        (measured(1.0, 0.3), measured(1.55, 0.4), True),
        (measured(1.0, 0.3), measured(0.1, 0.1), False),
        (measured(1.0, 0.3, "higher"), measured(0.1, 0.1, "higher"), True),
        (measured(1.0), measured(1.001), True),
        (measured(0.5, 0.1, None), measured(5.0, 0.1, None), False),
        (measured(0.5, 0.1), measured(None), True),
        (measured(0.5, 0.1, None), measured(None), False),
        (measured(None), measured(0.5, 0.1), False),
        (measured(0.5, 0.1), measured(0.5, 0.1, "higher"), True),
    ],
)
def test_worse_is_what_both_intervals_do_not_allow_or_what_is_gone(before, now, is_worse):
    found = worse(Entry("then", result_of(before)), Entry("now", result_of(now)))
    assert bool(found) is is_worse


def test_what_is_not_measured_any_more_is_worse():
    assert worse(Entry("then", result_of(measured(1.0, 0.1))), Entry("now", result_of()))


# ------------------------------------------------------------------ once


def test_a_folder_is_filled_once_and_a_failure_of_the_filler_is_not_kept(tmp_path):
    calls = []

    def fill(folder):
        calls.append(folder)
        (folder / "a").write_text("x")
        if len(calls) == 1:
            raise KeyError("a fault of the test")

    with pytest.raises(KeyError):
        once(tmp_path, "data", fill)
    assert once(tmp_path, "data", fill) == once(tmp_path, "data", fill)
    assert len(calls) == 2


def test_an_error_of_sdq_is_told_to_all_who_come_later(tmp_path):
    from sdq_core.errors import InputError

    def fill(folder):
        raise InputError("cohort train: is empty")

    with pytest.raises(InputError):
        once(tmp_path, "data", fill)
    with pytest.raises(AlreadyFailed, match="cohort train: is empty"):
        once(tmp_path, "data", fill)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", ".x"])
def test_names_that_leave_the_folder_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="names a folder"):
        once(tmp_path, name, lambda folder: None)


WORKERS = """
import pytest

@pytest.mark.parametrize("n", range(4))
def test_result(sdq_result, n):
    assert sdq_result.exit_code == 0

@pytest.mark.parametrize("n", range(4))
def test_made(sdq_once, n):
    def fill(folder):
        (folder / "made").write_text("x")
        with open("made.log", "a") as log:
            log.write("x")
    assert (sdq_once("made", fill) / "made").read_text() == "x"
"""


def test_workers_of_xdist_share_one_evaluation(repo):
    write(repo.path)
    repo.makepyfile(test_it=WORKERS)
    result = repo.runpytest_subprocess("-n", "2", "study.yaml", "test_it.py")
    result.assert_outcomes(passed=11, skipped=2)
    assert evaluations(repo) == 1
    assert (repo.path / "made.log").read_text() == "x"


def test_a_worker_that_dies_leaves_no_other_waiting(repo, monkeypatch):
    write(repo.path)
    monkeypatch.setenv("GATE_DIE", "once")
    chosen = "distance or items or privacy"
    result = repo.runpytest_subprocess("-n", "2", "study.yaml", "-k", chosen, timeout=300)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*worker*crashed while running*"])
    assert evaluations(repo) == 2


def test_an_evaluation_that_always_kills_its_worker_is_given_up(repo, monkeypatch):
    write(repo.path)
    monkeypatch.setenv("GATE_DIE", "always")
    result = repo.runpytest_subprocess("-n", "2", "study.yaml", timeout=300)
    result.assert_outcomes(failed=5)
    result.stdout.fnmatch_lines(["*2 worker processes ended while they made it*"])
    assert evaluations(repo) == 2


def test_equal_data_in_other_folders_are_not_evaluated_again(repo):
    for name in ("one", "two"):
        write(repo.path / name)
    write(repo.path / "three", shift=0.2)
    repo.runpytest("one/study.yaml", "two/study.yaml").assert_outcomes(passed=6, skipped=4)
    assert evaluations(repo) == 1
    repo.runpytest("one/study.yaml", "three/study.yaml").assert_outcomes(passed=6, skipped=4)
    assert evaluations(repo) == 3


def test_an_archive_is_known_by_its_bytes_and_a_place_elsewhere_by_its_address(tmp_path):
    archive = tmp_path / "train.zip"
    archive.write_bytes(b"one")
    first = _digests(Path(f"inner::{archive}"))
    archive.write_bytes(b"two")
    assert _digests(Path(f"inner::{archive}")) != first
    assert _digests(Path("s3://a/b")) != _digests(Path("s3://a/c"))


# ------------------------------------------------------------------ the real side


def test_real_items_are_described_once_and_generated_ones_are_not_kept(repo):
    write_test(
        repo,
        """
        from pathlib import Path
        Path("store.txt").write_text(str(sdq_result.environment["store"]))
        """,
        "sdq_result",
    )
    kept = []
    for shift in (0.0, 0.1, 0.2):
        write(repo.path, shift=shift)
        repo.runpytest("test_it.py").assert_outcomes(passed=1)
        shards = sorted((repo.path / ".pytest_cache" / "d" / "sdq").rglob("*.arrow"))
        kept.append([p.name for p in shards])
        seen = (repo.path / "store.txt").read_text()
        assert f"'reused': {200 if shift else 0}" in seen
    assert kept[0] == kept[1] == kept[2]
    assert kept[0]
    # A damaged shard is described again, and replaced.
    shards[0].write_bytes(shards[0].read_bytes()[:-9])
    repo.runpytest("test_it.py").assert_outcomes(passed=1)
    assert "set aside" in (repo.path / "store.txt").read_text()
    repo.runpytest("test_it.py").assert_outcomes(passed=1)
    assert "'discarded': []" in (repo.path / "store.txt").read_text()
    repo.runpytest("test_it.py", "-p", "no:cacheprovider").assert_outcomes(passed=1)
    assert "'reused': 0" in (repo.path / "store.txt").read_text()


# ------------------------------------------------------------------ lines


def test_items_behind_a_share_are_those_that_it_counts(tmp_path):
    from sdq_core.finding import Finding
    from sdq_core.findings_file import write_findings
    from sdq_core.vocabulary import Severity

    rows = [
        ("a.structure.truncated", "error", "synthetic", "cut.png"),
        ("a.structure.duplicate", "warning", "synthetic", "twice.png"),
        ("a.structure.truncated", "error", "train", "real.png"),
        ("a.identifier.file_name", "error", "synthetic", "John_Smith.png"),
        ("a.identifier.text", "error", "synthetic", "\x1b[2Jsteering.png"),
        ("a.metadata.not_declared_synthetic", "error", "synthetic", "plain.png"),
        ("a.metadata.aigc_label", "warning", "synthetic", "aigc.png"),
    ]
    write_findings(
        [Finding(r, Severity(s), "m", "消息", "", i, role) for r, s, role, i in rows], tmp_path
    )

    def behind(id_, variant=None):
        model = MeasurementModel(
            id=id_, characteristic=id_.split(".")[1], variant=variant, value=0.5, code="x",
            unit="share",
        )  # fmt: skip
        return list(worst_items(model, tmp_path)), line(model, tmp_path)

    assert behind("a.completeness.structure_share")[0] == ["cut.png"]
    assert behind("a.completeness.duplicate_share")[0] == ["twice.png"]
    assert behind("a.metadata.declared_synthetic_share")[0] == ["plain.png"]
    assert behind("a.metadata.declared_synthetic_share", "aigc")[0] == ["aigc.png"]
    assert behind("a.metadata.required_attribute_share")[0] == []
    assert behind("a.fidelity.mmd")[0] == []
    found, said = behind("a.privacy.identifier_share")
    assert found == ["\x1b[2Jsteering.png"]
    assert "worst items: ?[2Jsteering.png" in said


# ------------------------------------------------------------------ a product repository


@pytest.mark.slow
def test_a_product_repository_passes_and_fails_with_the_right_line(tmp_path):
    """As its own CI does: the good generator, then the memorising one, in two worker processes."""
    from shutil import copytree, ignore_patterns

    copytree(PRODUCT, tmp_path / "repo", ignore=ignore_patterns("data", "generated", "quality"))

    def run(model, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=tmp_path / "repo", env={**os.environ, "GENERATOR": model, "COLUMNS": "200"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    good = run("spectral", "--sdq-output", "quality")
    assert good.returncode == 0, good.stdout
    assert load_result(tmp_path / "repo/quality/texturegen/result.json").exit_code == 0

    bad = run("memorising", "study.yaml", "tests", "-k", "privacy or memorised or last_release")
    assert bad.returncode == 1, bad.stdout
    lines = bad.stdout.splitlines()
    found = [x for x in lines if x.startswith("imaging.privacy.memorised_share = 100.0 %")]
    assert any("required: at most 5 %; fail; worst items: patch-" in x for x in found)
    assert any(x.startswith("sdq_baseline: worse than baseline/baseline.json") for x in lines)
    assert "FAILED study.yaml::imaging.privacy.identifier_share" not in bad.stdout
