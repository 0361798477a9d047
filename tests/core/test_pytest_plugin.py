"""The pytest plugin: a study as tests, and what its verdicts do to them."""

import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest
from gated import evaluations, repository, warm_up, write

from sdq_core.evaluate import measurement_model
from sdq_core.judging import judge_all
from sdq_core.measurement import Measurement
from sdq_core.profiles import Criterion, Profile
from sdq_pytest.study_file import judged_by

NAMES = (
    "gate.fidelity.distance",
    "gate.fidelity.other",
    "gate.balance.items",
    "gate.completeness.readable_share",
    "gate.privacy.memorised_share",
)


@pytest.fixture(scope="module", autouse=True)
def _warm(tmp_path_factory):
    warm_up(tmp_path_factory.mktemp("warm"))


@pytest.fixture
def repo(pytester, monkeypatch):
    return repository(pytester, monkeypatch)


def names(result):
    return [line.partition("::")[2] for line in result.outlines if line.startswith("study.yaml::")]


# ------------------------------------------------------------------ which files, which tests


def test_a_study_is_one_test_for_each_criterion_and_collecting_evaluates_nothing(repo):
    write(repo.path)
    result = repo.runpytest("study.yaml", "--collect-only", "-q")
    assert names(result) == list(NAMES)
    assert evaluations(repo) == 0


def test_a_criterion_of_one_variant_has_it_in_its_name(repo):
    write(repo.path, profile="gate-strict")
    result = repo.runpytest("study.yaml", "--collect-only", "-q")
    assert "gate.fidelity.distance[raw]" in names(result)
    assert "gate.fidelity.distance" in names(result)


@pytest.mark.parametrize(
    ("arguments", "outcomes"),
    [
        (["-k", "privacy"], {"passed": 1, "deselected": 6}),
        (["-k", "fidelity and not other"], {"passed": 1, "deselected": 6}),
        (["-m", "sdq"], {"passed": 4, "skipped": 2, "deselected": 1}),
        (["-m", "not sdq"], {"passed": 1, "deselected": 6}),
        (["study.yaml::gate.balance.items"], {"passed": 1}),
    ],
)
def test_tests_are_chosen_as_others_are(repo, arguments, outcomes):
    write(repo.path)
    repo.makepyfile("def test_plain(): pass\ndef test_gate(sdq_check): pass")
    repo.runpytest("--strict-markers", *arguments).assert_outcomes(**outcomes)


def test_studies_are_collected_by_name_or_when_they_are_given(repo):
    study = write(repo.path)
    for name in ("night.study.yaml", "other.yaml"):
        (repo.path / name).write_text(study.read_text())
    (repo.path / "compose.yaml").write_text("services: {}\n")
    found = repo.runpytest("--collect-only", "-q").outlines
    assert sum("::" in line for line in found) == 10
    assert not any("other.yaml" in line for line in found)
    assert repo.runpytest("--collect-only", "other.yaml").ret == 0
    repo.runpytest("compose.yaml").stderr.fnmatch_lines("*not found: *compose.yaml*")
    found = repo.runpytest("--collect-only", "-q", "-o", "sdq_studies=oth*.yaml").outlines
    assert sum(line.startswith("other.yaml::") for line in found) == 5
    assert not any(line.startswith(("study.yaml", "night")) for line in found)


def test_another_programs_study_is_left_alone_unless_it_is_given(repo):
    (repo.path / "study.yaml").write_text("experiment: 1\n")
    assert repo.runpytest().ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result = repo.runpytest("study.yaml")
    result.stdout.fnmatch_lines(["*study.yaml, line 1: experiment: unknown key*"])
    assert result.ret == pytest.ExitCode.INTERRUPTED


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("modality: gate", "modality: olfactory", "*'olfactory' is not installed*pip install*"),
        ("profile: default", "profile: lenient", "*no shipped profile of that name*"),
        ("name: a gate", "name: [", "*study.yaml*"),
        ("seed", "seed", None),
    ],
)
def test_a_study_that_cannot_be_used_is_an_error_of_collection_without_a_traceback(
    repo, old, new, said
):
    study = write(repo.path)
    study.write_text(study.read_text().replace(old, new))
    result = repo.runpytest("study.yaml")
    if said is None:
        assert result.ret != pytest.ExitCode.INTERRUPTED
        return
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([said])
    assert "Traceback" not in result.stdout.str()
    assert "sdq_core/" not in result.stdout.str()


def test_a_profile_beside_the_study_is_found_from_any_folder(repo, monkeypatch):
    folder = repo.path / "studies"
    study = write(folder)
    study.write_text(study.read_text().replace("profile: default", "profile: own.yaml"))
    (folder / "own.yaml").write_text(
        "schema: sdq.profile/1\nname: own\nversion: '1'\nmodality: gate\ncriteria:\n"
        "  - {id: gate.balance.items, at_least: 5, mandatory: true, reason: r, source: s}\n"
    )
    repo.runpytest("studies/study.yaml").assert_outcomes(passed=1)


# ------------------------------------------------------------------ what verdicts do


def test_a_good_generator_passes_and_is_evaluated_once(repo):
    write(repo.path)
    result = repo.runpytest("study.yaml", "-rs")
    result.assert_outcomes(passed=3, skipped=2)
    result.stdout.fnmatch_lines(
        ["*gate.fidelity.other: does not apply*", "*readable_share = 100.0 %*inconclusive*"]
    )
    assert evaluations(repo) == 1


def test_a_failure_is_one_line_with_value_interval_criterion_and_worst_items(repo):
    write(repo.path, copies=40)
    result = repo.runpytest("study.yaml", "-k", "privacy")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "gate.privacy.memorised_share = 40 % (30 % to 50 %); required: at most 10 %; fail; "
            "worst items: 000.txt, 001.txt, 002.txt, 003.txt, 004.txt and 35 more"
        ]
    )
    said = result.stdout.str()
    assert "SECRET" not in said
    assert "Traceback" not in said
    assert "traceback" not in said
    assert "sdq_pytest" not in said


def test_each_variant_of_a_failed_criterion_has_its_line(repo):
    write(repo.path, shift=1.6)
    result = repo.runpytest("study.yaml", "-k", "distance")
    result.stdout.fnmatch_lines(["gate.fidelity.distance?raw? = 1.60 (1.50 to 1.70)*fail"])
    assert "distance[scaled] =" not in result.stdout.str()


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        ("fail", {"failed": 1}),
        ("skip", {"skipped": 1}),
        ("pass-with-warning", {"passed": 1, "warnings": 1}),
    ],
)
def test_what_an_inconclusive_criterion_does_is_configured(repo, mode, outcome):
    write(repo.path, shift=0.95)
    # This suite makes warnings errors, and a run in this process takes that over.
    mode_of = f"sdq_inconclusive={mode}"
    result = repo.runpytest("study.yaml", "-k", "distance", "-o", mode_of, "-W", "default")
    result.assert_outcomes(**outcome)
    if mode != "skip":
        result.stdout.fnmatch_lines(["*= 0.95 (0.85 to 1.05)*inconclusive*straddles*"])


def test_what_is_not_assessed_fails_with_its_reason(repo):
    write(repo.path, profile="gate-strict")
    result = repo.runpytest("study.yaml", "-k", "utility")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["gate.utility.gain has no value: *not produce*; not assessed"])


def test_an_evaluation_that_fails_says_so_in_one_line(repo):
    write(repo.path)
    for path in (repo.path / "synthetic").iterdir():
        path.unlink()
    result = repo.runpytest("study.yaml")
    result.assert_outcomes(failed=5)
    result.stdout.fnmatch_lines(["cohort synthetic: *holds no item*"])
    assert "Traceback" not in result.stdout.str()


def test_junit_has_value_interval_criterion_and_verdict(repo):
    write(repo.path, copies=40)
    repo.runpytest("study.yaml", "--junitxml=junit.xml")
    cases = {c.get("name"): c for c in ET.parse(repo.path / "junit.xml").iter("testcase")}
    found = {p.get("name"): p.get("value") for p in cases[NAMES[4]].iter("property")}
    name = "sdq.gate.privacy.memorised_share"
    assert found[f"{name}.value"] == "0.4"
    assert found[f"{name}.criterion"] == "[, 0.1]"
    assert found[f"{name}.verdict"] == "fail"
    low, high = (float(x) for x in found[f"{name}.interval"].strip("[]").split(","))
    assert 0.3 < low < 0.4 < high < 0.51
    variants = {p.get("name") for p in cases[NAMES[0]].iter("property")}
    assert {f"sdq.{NAMES[0]}[{v}].value" for v in ("raw", "scaled")} <= variants


def test_criteria_are_dealt_as_the_core_deals_them():
    def criterion(variant=None, apart=()):
        return Criterion(
            id="gate.fidelity.d", variant=variant, except_variants=apart, at_most=1.0,
            reason="r", source="s",
        )  # fmt: skip

    def measurement(variant):
        return Measurement("gate.fidelity.d", 0.5, variant=variant)

    variants = (None, "a", "b", "c")
    measurements = [measurement(v) for v in variants]
    for criteria in (
        (criterion(),),
        (criterion(apart=("a",)),),
        (criterion(apart=("a", "b")), criterion("a")),
        (criterion("c"),),
        (criterion("z"), criterion()),
    ):
        profile = Profile(
            schema="sdq.profile/1", name="p", version="1", modality="gate", criteria=criteria
        )
        judged = judge_all(measurements, profile)
        models = [measurement_model(j) for j in judged]
        result = type("Result", (), {"measurements": models})
        for one in criteria:
            wanted = [
                j.measurement.variant if j.measurement else one.variant
                for j in judged
                if j.criterion is one
            ]
            assert [m.variant for m in judged_by(one, profile, result)] == wanted


# ------------------------------------------------------------------ the plugin itself


def test_the_plugin_can_be_left_out(repo):
    write(repo.path)
    repo.makeini("[pytest]\n")
    repo.makepyfile("def test_plain(): pass")
    repo.runpytest("-p", "no:sdq").assert_outcomes(passed=1)
    result = repo.runpytest("-p", "no:sdq", "--sdq-profile", "x")
    result.stderr.fnmatch_lines(["*unrecognized arguments: --sdq-profile*"])


def test_help_names_options_fixtures_and_marker(repo):
    said = repo.runpytest("--help").stdout.str()
    for option in ("study FILE", "profile NAME", "output DIR", "update-baseline"):
        assert f"--sdq-{option}" in said.replace("=", " ")
    for ini in ("sdq_study ", "sdq_studies ", "sdq_inconclusive ", "sdq_baseline_dir "):
        assert ini in said
    assert "@pytest.mark.sdq" in repo.runpytest("--markers").stdout.str()
    said = repo.runpytest("--fixtures").stdout.str()
    for fixture in ("study", "result", "evaluate", "once", "check", "baseline"):
        assert f"\nsdq_{fixture}" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-o", "sdq_inconclusive=maybe"), "*'maybe': write one of fail, skip*"),
        (("-o", "sdq_engine=dask"), "*'dask': write one of auto*"),
        (("--sdq-update-baseline", "--sdq-accept-baseline"), "*give one of*"),
    ],
)
def test_options_that_cannot_be_used_are_refused(repo, arguments, said):
    result = repo.runpytest(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([said])


LOADED = """\
import sys
import pytest

class Look:
    def pytest_sessionfinish(self):
        heavy = ("sdq_core", "sdq_imaging", "numpy", "torch", "pydantic", "filelock")
        found = sorted(m for m in sys.modules if m.startswith("sdq"))
        print("LOADED", [m for m in heavy if m in sys.modules], found)

sys.exit(pytest.main(["-q", "-s", "-p", "no:hypothesispytest", *sys.argv[1:]], plugins=[Look()]))
"""


def test_a_run_without_sdq_loads_nothing_of_it(pytester):
    pytester.makepyfile("def test_plain(): pass")
    pytester.makefile(".yaml", compose="services: {}\n")
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "."], cwd=pytester.path, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert "1 passed" in done.stdout
    assert "LOADED [] ['sdq_pytest', 'sdq_pytest.plugin']" in done.stdout
