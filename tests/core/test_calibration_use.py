"""A calibration held against a study: what it changes, when it is refused, what documents say."""

import json
from types import SimpleNamespace

import pytest
from calibrating_toy import NAME, PROFILE, install, make_study
from sample_result import sample_result
from typer.testing import CliRunner

from sdq_core.calibration.applying import apply_calibration
from sdq_core.calibration.calibrating import Options, calibrate
from sdq_core.calibration.file import json_schema as calibration_schema
from sdq_core.calibration.file import load_calibration, save_calibration
from sdq_core.calibration.summary import rate
from sdq_core.cli import app
from sdq_core.commands.calibrate import seconds
from sdq_core.documents.calibration_blocks import calibration_document
from sdq_core.documents.page import write_html
from sdq_core.documents.parts import Source
from sdq_core.documents.report import render_report
from sdq_core.documents.validation_report import validation_report
from sdq_core.errors import StoreError, StudyError, UsageError
from sdq_core.evaluate import evaluate
from sdq_core.judging import Code, Missed, exit_code, unproven
from sdq_core.profiles import load_profile
from sdq_core.result import load_result
from sdq_core.study import load_study
from sdq_core.vocabulary import Characteristic, Role, Verdict

FIDELITY = Characteristic.FIDELITY


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    """A study, and its calibration with the profile's own severity: 1.2 is missed, 4 is found."""
    root = tmp_path_factory.mktemp("calibrated")
    with pytest.MonkeyPatch.context() as patch:
        install(root / "toycal", patch)
        patch.setenv("TOYCAL_DEFECTS", "shifted,copied,impossible")
        profile = root / "profile.yaml"
        profile.write_text(PROFILE + "unacceptable: {shifted: 1.2}\n")
        study = make_study(root / "data", profile=str(profile), name="Toy <study>")
        calibrate(study, root / "out", Options(seeds=2, engine="serial"))
        path = root / "out/calibration.json"
        judged = evaluate(study, root / "plain", engine="serial")
        held = evaluate(
            study.model_copy(update={"calibration": path}), root / "held", engine="serial"
        )
        yield SimpleNamespace(root=root, study=study, path=path, plain=judged, held=held)


def test_a_pass_that_a_missed_defect_leaves_open_is_inconclusive(calibrated):
    plain, held = calibrated.plain, calibrated.held
    assert plain.verdicts[FIDELITY] is Verdict.PASS
    assert (plain.exit_code, plain.calibration) == (0, None)
    assert held.verdicts[FIDELITY] is Verdict.INCONCLUSIVE
    assert held.exit_code == 3
    assert held.calibration.refused == ()
    assert held.calibration.same_data
    (change,) = held.calibration.changed
    assert (change.judged, change.defect, change.severity) == (Verdict.PASS, "shifted", 1.2)
    assert change.code == Code.DEFECT_MISSED
    assert (change.found.count, change.found.n) == (0, 2)
    assert "shifted numbers" in change.reason.en
    assert "0 of 2 runs" in change.reason.en
    # What calibration found in every run keeps its pass, and no measurement changes.
    assert held.verdicts[Characteristic.PRIVACY] is Verdict.PASS
    assert held.measurements == plain.measurements


def test_the_result_with_its_calibration_is_read_again(calibrated):
    assert load_result(calibrated.root / "held/result.json") == calibrated.held
    assert calibrated.held.calibration.calibration.environment == {}


def applied(calibrated, path=None, **changes):
    profile = load_profile(calibrated.study.profile, calibrated.root / "toycal", NAME, "")
    given = {
        "modality": NAME,
        "describer_version": "1",
        "profile": profile,
        "sizes": dict.fromkeys(Role, 60),
        "digests": {},
        "sdq": calibrated.held.calibration.calibration.sdq,
        "verdicts": {FIDELITY: Verdict.PASS},
        **changes,
    }
    return apply_calibration(path or calibrated.path, **given)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"modality": "other"}, "modality toycal, this study has other"),
        ({"describer_version": "2"}, "version 1 of the describer"),
        ({"sdq": "9.9"}, "this study with 9.9"),
        ({"sizes": dict.fromkeys(Role, 33)}, "40 against 33"),
        ({"sizes": {Role.TRAIN: 60, Role.SYNTHETIC: 60}}, "40 against 0"),
    ],
)
def test_a_calibration_of_something_else_is_refused_and_changes_nothing(calibrated, changes, said):
    use = applied(calibrated, **changes)
    assert any(said in w.en for w in use.refused)
    assert all(w.zh for w in use.refused)
    assert use.changed == ()


def test_a_fifth_more_items_are_tolerated(calibrated):
    assert applied(calibrated, sizes=dict.fromkeys(Role, 34)).refused == ()


def test_a_calibration_for_another_profile_is_refused(calibrated, tmp_path):
    def profile(text):
        (tmp_path / "p.yaml").write_text(text)
        return load_profile(str(tmp_path / "p.yaml"), tmp_path, NAME, "")

    own = PROFILE + "unacceptable: {shifted: 1.2}\n"
    assert applied(calibrated, profile=profile(own)).refused == ()
    for text, said in (
        (own.replace('version: "1"', 'version: "2"'), "version 2"),
        (own.replace("at_most: 0.1", "at_most: 0.2"), "criteria of the profile"),
        (own.replace("1.2}", "4.0}"), "criteria of the profile"),
    ):
        (refused,) = applied(calibrated, profile=profile(text)).refused
        assert said in refused.en


def test_nineteen_of_twenty_are_enough_and_eighteen_are_not():
    def missed(found):
        return unproven({FIDELITY: Verdict.PASS}, [Missed("blur", 1.0, found, 20, (FIDELITY,))])

    assert missed(19) == {}
    assert missed(18)[FIDELITY].found == 18
    worse = Missed("noise", 2.0, 3, 20, (FIDELITY, Characteristic.BALANCE))
    blur = Missed("blur", 1.0, 18, 20, (FIDELITY,))
    found = unproven({FIDELITY: Verdict.PASS, Characteristic.BALANCE: Verdict.FAIL}, [blur, worse])
    assert found == {FIDELITY: worse}
    assert (exit_code([], found), exit_code([])) == (3, 0)


def test_the_report_says_what_was_found_and_what_was_missed(calibrated):
    for language, said in (
        ("en", ("0 of 2 runs", "shifted numbers", "could not have seen", "was not tested")),
        ("zh", ("2 次运行的 0 次", "数值偏移", "无法发现什么", "未测试")),
    ):
        page = render_report(calibrated.held, calibrated.root / "held", language=language)
        assert all(words in page for words in said)
        assert 'id="calibration"' in page
        document = write_html(validation_report(Source(calibrated.held, language, ()))).decode()
        assert all(words in document for words in said[:2])
        assert {"en": "Validation of the test methods", "zh": "试验方法的验证"}[
            language
        ] in document


def test_a_study_without_calibration_is_told_how_to_get_one(tmp_path):
    page = render_report(sample_result(tmp_path), tmp_path)
    assert "This study was not calibrated" in page
    assert "sdq calibrate STUDY" in page


def test_a_refused_calibration_is_not_silent(calibrated):
    use = applied(calibrated, sdq="9.9")
    result = calibrated.plain.model_copy(update={"calibration": use})
    for language, said in (("en", "says nothing of this study"), ("zh", "不适用于本评价任务")):
        page = render_report(result, calibrated.root / "plain", language=language)
        assert said in page
        assert "9.9" in page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_of_a_calibration_is_whole_and_escapes_names(calibrated, language):
    calibration = load_calibration(calibrated.path)
    page = write_html(calibration_document(calibration, language)).decode()
    assert "Toy &lt;study&gt;" in page
    assert "<script" not in page
    assert page.count("<svg") >= 3
    assert {"en": "Gap of means", "zh": "均值之差"}[language] in page
    assert "patient" not in page


def test_a_file_that_is_no_calibration_is_a_clear_error(calibrated, tmp_path):
    wrong = tmp_path / "c.json"
    for content, said in (
        (None, "cannot be read"), ("{", "cannot be read"), ("[]", "has schema None"),
        ('{"schema": "sdq.result/1"}', "has schema"),
        ('{"schema": "sdq.calibration/1"}', "breaks the schema"),
    ):  # fmt: skip
        if content is not None:
            wrong.write_text(content)
        with pytest.raises(StoreError, match=said):
            load_calibration(wrong)
    study = calibrated.study.model_copy(update={"calibration": wrong})
    with pytest.raises(StoreError, match="breaks the schema"):
        evaluate(study, tmp_path / "out", engine="serial")
    assert not (tmp_path / "out").exists()  # said before the long step


def test_bytes_do_not_depend_on_the_reading(calibrated, tmp_path):
    save_calibration(load_calibration(calibrated.path), tmp_path / "c.json")
    assert (tmp_path / "c.json").read_bytes() == calibrated.path.read_bytes()
    import jsonschema

    jsonschema.validate(json.loads(calibrated.path.read_bytes()), calibration_schema())


def test_the_study_file_may_name_its_calibration(tmp_path):
    cohorts = "cohorts: {{train: {{path: a}}, synthetic: {{path: b}}}}"
    text = f"modality: imaging\ncalibration: {{}}\n{cohorts}\n"
    (tmp_path / "study.yaml").write_text(text.format("cal/calibration.json"))
    study = load_study(tmp_path / "study.yaml")
    assert study.calibration == tmp_path / "cal/calibration.json"
    # Where it lies is no part of what the study asks.
    assert "calibration" not in study.without_folders()
    (tmp_path / "study.yaml").write_text(text.format("../elsewhere.json"))
    with pytest.raises(StudyError, match="leaves the study folder"):
        load_study(tmp_path / "study.yaml")


def test_an_extended_profile_hands_down_what_must_not_pass(tmp_path):
    (tmp_path / "base.yaml").write_text(PROFILE + "unacceptable: {shifted: 1.2, copied: 0.5}\n")
    own = PROFILE.split("criteria:")[0] + "extends: base.yaml\ncriteria: []\n"
    (tmp_path / "own.yaml").write_text(own + "unacceptable: {copied: 0.05}\n")
    profile = load_profile(str(tmp_path / "own.yaml"), tmp_path / "none", NAME, "")
    assert profile.unacceptable == {"shifted": 1.2, "copied": 0.05}


def test_lengths_of_time_are_read_with_their_unit():
    assert [seconds(t) for t in ("90s", "10min", "2h", "1h30min", "1.5h")] == [
        90, 600, 7200, 5400, 5400,
    ]  # fmt: skip
    for wrong in ("10", "", "0s", "10 minutes", "min", "-5s", "1e9h"):
        with pytest.raises(UsageError, match="--budget"):
            seconds(wrong)


def test_the_interval_of_a_rate_is_exact():
    # Clopper & Pearson for 0 of 20: 1 - (0.025)^(1/20).
    assert rate(0, 20).high == pytest.approx(1 - 0.025 ** (1 / 20))
    assert rate(0, 20).low == 0.0


def test_the_command_calibrates_and_names_what_it_left_out(calibrated, monkeypatch, tmp_path):
    install(tmp_path / "toycal", monkeypatch)
    monkeypatch.setenv("TOYCAL_DEFECTS", "shifted")
    cohorts = {
        str(role): {"path": str(s.path), "labels": str(s.labels)}
        for role, s in calibrated.study.cohorts.items()
    }
    file = tmp_path / "study.yaml"
    file.write_text(json.dumps({"modality": NAME, "cohorts": cohorts}))
    command = ["calibrate", str(file), "-o", str(tmp_path / "out"), "-q", "--workers", "1"]
    done = CliRunner().invoke(app, [*command, "--budget", "0.001s", "--language", "zh"])
    assert done.exit_code == 0, done.output
    assert "因时间预算未测试：shifted 4: 20 次运行中的 20 次" in done.output
    assert "测量方法的校准" in (tmp_path / "out/calibration.html").read_text()
    assert CliRunner().invoke(app, ["calibrate", "--help"]).output.count("sdq calibrate study") == 2
