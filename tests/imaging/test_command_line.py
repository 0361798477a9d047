"""The command line from end to end on a small study, and everything that can be wrong with it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from pictures import draw, study, write

from sdq_core.cli import main

IDS = """
fidelity: marginal_share_consistent mmd kernel_distance frechet_distance precision recall density
  coverage c2st_auc conditional_excess spectrum_distance ms_ssim_diversity region_mmd
  region_count_distance region_agreement ssim_paired ms_ssim_paired psnr_paired mae_paired
balance: items subjects class_gini class_entropy class_imbalance_ratio attribute_entropy vendi_score
  volume_adequacy
completeness: readable_share structure_share semantics_share duplicate_share
metadata: required_attribute_share conformity_share declared_synthetic_share
privacy: identifier_share burned_in_text_share exact_copy_share memorised_share membership_auc
  membership_tpr_at_1pct_fpr nearest_is_train_share
explainability: process_traceability item_lineage_share subgroup_fidelity_gap bias_sources
utility: tstr_auc trtr_auc tstr_ratio trts_auc augmentation_gain
"""


def promised_ids():
    ids, current = [], ""
    for word in IDS.split():
        if word.endswith(":"):
            current = word[:-1]
        else:
            ids.append(f"imaging.{current}.{word}")
    return ids


def sdq(*arguments, monkeypatch, capsys):
    """Run the command line in this process; return exit code, stdout, stderr."""
    monkeypatch.setattr(sys, "argv", ["sdq", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    captured = capsys.readouterr()
    return stopped.value.code or 0, captured.out, captured.err


@pytest.fixture
def run(monkeypatch, capsys):
    return lambda *a: sdq(*a, monkeypatch=monkeypatch, capsys=capsys)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """One evaluated study, shared by the tests that only look at its output."""
    folder = tmp_path_factory.mktemp("study")
    file = study(folder)
    command = [sys.executable, "-m", "sdq_core.cli", "evaluate", file, "-o", folder / "out"]
    finished = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    return folder, finished


def test_the_main_job_ends_with_verdicts_and_a_report(done):
    folder, finished = done
    assert finished.returncode in (0, 3), finished.stderr
    assert "report.html" in finished.stdout
    for name in ("result.json", "report.html", "findings.parquet", "findings.csv"):
        assert (folder / "out" / name).stat().st_size > 0


def test_the_result_follows_the_published_schema(done, run):
    code, text, _ = run("schema")
    assert code == 0
    schema = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    result = json.loads((done[0] / "out/result.json").read_text())
    jsonschema.validate(result, schema)
    assert result["schema"] == "sdq.result/1"


def test_every_promised_measure_is_there_with_a_value_or_a_reason(done):
    result = json.loads((done[0] / "out/result.json").read_text())
    assert {m["id"] for m in result["measurements"]} == set(promised_ids())
    for m in result["measurements"]:
        assert (m["value"] is None) != (m["reason"] is None), m["id"]
        assert not str(m["reason"]).startswith("the computation stopped"), m
        if m["value"] is not None and m["better"] is not None:
            assert (
                m["interval"] or m["noise_floor"] or m["unit"] in ("items", "subjects", "share")
            ), m
    assert "NaN" not in (done[0] / "out/result.json").read_text()
    assert set(promised_ids()) == set(result["measures"])


def test_a_second_run_describes_nothing_and_gives_the_same_bytes(done, run):
    folder, _ = done
    code, _, _ = run(
        "evaluate",
        folder / "study.yaml",
        "-o",
        folder / "again",
        "--store",
        folder / "out/store",
        "--workers",
        "1",
        "-q",
    )
    assert code in (0, 3)
    one, two = (json.loads((folder / d / "result.json").read_text()) for d in ("out", "again"))
    assert two["environment"]["store"]["described"] == 0
    assert two["environment"]["store"]["reused"] == 180
    one.pop("environment"), two.pop("environment")
    assert one == two
    lines = [
        [
            x
            for x in (folder / d / "result.json").read_bytes().splitlines()
            if not x.startswith(b' "environment"')
        ]
        for d in ("out", "again")
    ]
    assert lines[0] == lines[1]
    for name in ("findings.csv", "findings.parquet"):
        assert (folder / "out" / name).read_bytes() == (folder / "again" / name).read_bytes()


def test_the_report_can_be_rendered_again_in_chinese(done, run):
    folder, _ = done
    code, out, _ = run("report", folder / "out", "--language", "zh", "-o", folder / "zh.html")
    assert code == 0
    assert "zh.html" in out
    text = (folder / "zh.html").read_text(encoding="utf-8")
    assert "特征分布真实性" in text
    assert "<script" not in text


def test_describe_then_evaluate_reuses_everything(tmp_path, run):
    file = study(tmp_path, n=(20, 20, 20))
    code, out, _ = run("describe", file, "--store", tmp_path / "store", "--engine", "serial", "-q")
    assert code == 0
    assert "described 60" in out
    run("evaluate", file, "--store", tmp_path / "store", "-o", tmp_path / "out", "-q")
    result = json.loads((tmp_path / "out/result.json").read_text())
    assert result["environment"]["store"] == {
        "described": 0,
        "reused": 60,
        "discarded": [],
        "notes": [],
    }


def test_init_writes_a_study_that_loads(tmp_path, run):
    code, _, _ = run("init", "imaging", "-o", tmp_path / "study.yaml")
    assert code == 0
    from sdq_core.study import load_study

    assert load_study(tmp_path / "study.yaml").modality == "imaging"
    code, _, err = run("init", "imaging", "-o", tmp_path / "study.yaml")
    assert code == 2
    assert "exists already" in err


def test_doctor_names_versions_and_plugins(run):
    code, out, _ = run("doctor")
    assert code == 0
    assert "imaging              available" in out
    assert "numpy" in out


def test_without_the_extra_the_command_line_says_what_to_install(tmp_path, run, monkeypatch):
    import sdq_ehr.modality
    import sdq_imaging.modality
    import sdq_signals.modality

    for modality in (sdq_imaging.modality, sdq_signals.modality, sdq_ehr.modality):
        monkeypatch.setitem(modality.REQUIREMENTS, "no_such_module", "no-such-distribution")
    code, out, _ = run("doctor")
    assert code == 2
    assert "no-such-distribution" in out
    code, _, err = run("evaluate", study(tmp_path, n=(4, 4, 4)), "-o", tmp_path / "out")
    assert code == 2
    assert "pip install 'sdq[imaging]'" in err
    code, out, _ = run("init", "imaging")
    assert code == 0, "a study can be written before the extra is there"


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate"],
        ["evaluate", "none.yaml"],
        ["evaluate", "--modality", "imaging", "--train", "x"],
        ["evaluate", "--modality", "olfactory", "--train", "x", "--synthetic", "y"],
        ["evaluate", "--modality", "imaging", "--train", "none", "--synthetic", "none"],
        ["report", "none"],
        ["frobnicate"],
    ],
)
def test_unusable_input_is_exit_code_2_with_one_clear_message(
    arguments, run, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(*arguments)
    assert code == 2
    assert "Traceback" not in err
    assert err.strip()


# --- bad input: each with a clear message, and the rest goes on ---


def evaluate(run, file, folder, *more):
    code, out, err = run("evaluate", file, "-o", folder / "out", "--engine", "serial", "-q", *more)
    result = json.loads((folder / "out/result.json").read_text()) if code != 2 else None
    return code, out, err, result


def value(result, identifier):
    return next(m["value"] for m in result["measurements"] if m["id"] == identifier)


def rules(result):
    return {(r["rule"], r["role"]): r["items"] for r in result["findings"]["by_rule"]}


def test_broken_files_cost_one_finding_each(tmp_path, run):
    file = study(tmp_path, n=(30, 30, 30))
    bad = tmp_path / "synthetic"
    (bad / "0000.png").write_bytes(b"")
    whole = (bad / "0001.png").read_bytes()
    (bad / "0001.png").write_bytes(whole[: len(whole) // 2])
    (bad / "0002.png").write_text("this is no image")
    code, _, err, result = evaluate(run, file, tmp_path)
    assert code in (1, 3)
    assert value(result, "imaging.completeness.readable_share") == pytest.approx(0.9)
    assert "3 of 30 items could not be read" in err
    found = [
        k for k in rules(result) if k[1] == "synthetic" and k[0].startswith("imaging.structure")
    ]
    assert sum(rules(result)[k] for k in found) == 3


def test_mixed_sizes_depths_and_colours_are_compared(tmp_path, run):
    from PIL import Image as Picture

    file = study(tmp_path, n=(30, 30, 30))
    rng = np.random.default_rng(0)
    Picture.fromarray(rng.integers(0, 255, (70, 50, 3), np.uint8)).save(
        tmp_path / "synthetic/0000.png"
    )
    deep = rng.integers(0, 65535, (64, 64)).astype(np.uint16)
    Picture.fromarray(deep).save(tmp_path / "synthetic/0001.png")
    Picture.fromarray(np.full((32, 32), 7, np.uint8)).save(tmp_path / "synthetic/0002.png")
    code, _, _, result = evaluate(run, file, tmp_path)
    assert code in (1, 3)
    assert value(result, "imaging.completeness.readable_share") == 1.0
    assert value(result, "imaging.completeness.structure_share") < 1.0, "the constant image"
    assert not any("computation stopped" in str(m["reason"]) for m in result["measurements"])


def test_one_item_only_is_never_a_pass(tmp_path, run):
    file = study(tmp_path, n=(30, 30, 1))
    code, _, _, result = evaluate(run, file, tmp_path)
    assert code in (1, 3)
    assert result["verdicts"]["fidelity"] == "not_assessed"
    assert not any("computation stopped" in str(m["reason"]) for m in result["measurements"])


def test_an_empty_cohort_is_unusable_and_named(tmp_path, run):
    file = study(tmp_path, n=(10, 10, 0))
    code, _, err, _ = evaluate(run, file, tmp_path)
    assert code == 2
    assert "synthetic" in err
    assert "holds no item" in err


def test_a_missing_class_fails_balance(tmp_path, run):
    file = study(tmp_path, n=(60, 60, 60))
    table = tmp_path / "synthetic/labels.csv"
    table.write_text(table.read_text().replace(",b\n", ",a\n"))
    code, _, _, result = evaluate(run, file, tmp_path)
    assert code == 1
    assert result["verdicts"]["balance"] == "fail"


def test_training_files_among_the_synthetic_ones_fail_privacy(tmp_path, run):
    file = study(tmp_path, n=(60, 60, 60))
    for k in range(12):
        shutil.copy(tmp_path / f"train/{k:04d}.png", tmp_path / f"synthetic/{k:04d}.png")
    code, _, _, result = evaluate(run, file, tmp_path)
    assert code == 1
    assert value(result, "imaging.privacy.exact_copy_share") == pytest.approx(0.2)
    assert result["verdicts"]["privacy"] == "fail"


def test_subjects_in_train_and_holdout_void_the_privacy_verdict(tmp_path, run):
    file = study(tmp_path, n=(30, 30, 30))
    table = tmp_path / "holdout/labels.csv"
    table.write_text(table.read_text().replace("holdout-1,", "train-1,"))
    _, _, _, result = evaluate(run, file, tmp_path)
    assert result["verdicts"]["privacy"] in ("not_assessed", "fail")
    reasons = [m["reason"] for m in result["measurements"] if m["id"].endswith("membership_auc")]
    assert "both train and holdout" in reasons[0]


def test_without_a_holdout_privacy_is_not_assessed(tmp_path, run):
    study(tmp_path, n=(60, 60, 30))
    code, _, _, result = evaluate_options(run, tmp_path)
    assert code in (1, 3)
    assert result["verdicts"]["privacy"] == "not_assessed"
    assert any("no holdout" in limit["en"] for limit in result["limits"])
    assert any("no subject ids" in limit["en"] for limit in result["limits"])


def evaluate_options(run, folder):
    code, out, err = run(
        "evaluate",
        "--modality",
        "imaging",
        "--train",
        folder / "train",
        "--synthetic",
        folder / "synthetic",
        "-o",
        folder / "out",
        "--engine",
        "serial",
        "-q",
    )
    return code, out, err, json.loads((folder / "out/result.json").read_text())


def test_labels_for_unknown_items_and_items_without_labels_are_findings(tmp_path, run):
    file = study(tmp_path, n=(30, 30, 30))
    table = tmp_path / "synthetic/labels.csv"
    table.write_text(table.read_text().replace("0003.png", "ghost.png"))
    _, _, _, result = evaluate(run, file, tmp_path)
    assert rules(result)[("core.labels.unknown_item", "synthetic")] == 1
    assert rules(result)[("core.labels.missing", "synthetic")] == 1


def test_a_loop_of_links_and_a_link_outside_do_not_stop_the_run(tmp_path, run):
    file = study(tmp_path, n=(12, 12, 12))
    (tmp_path / "synthetic/loop").symlink_to(tmp_path / "synthetic")
    (tmp_path / "synthetic/outside.png").symlink_to(tmp_path / "train/0000.png")
    code, _, _, result = evaluate(run, file, tmp_path)
    assert code in (1, 3)
    assert result["cohorts"]["synthetic"]["items"] == 12
    assert any(rule.startswith("imaging.structure.link") for rule, _ in rules(result))


def test_a_decompression_bomb_is_one_finding(tmp_path, run):
    file = study(tmp_path, n=(12, 12, 12))
    file.write_text(file.read_text() + "settings: {max_pixels: 4000}\n")
    write(tmp_path / "extra", draw(1, 0, side=120))
    shutil.copy(tmp_path / "extra/0000.png", tmp_path / "synthetic/bomb.png")
    _, _, _, result = evaluate(run, file, tmp_path)
    assert rules(result)[("imaging.structure.decompression_bomb", "synthetic")] == 1


def test_a_wrong_setting_is_named(tmp_path, run):
    file = study(tmp_path, n=(4, 4, 4))
    file.write_text(file.read_text() + "settings: {max_pixel: 4000}\n")
    code, _, err, _ = evaluate(run, file, tmp_path)
    assert code == 2
    assert "max_pixel" in err
    assert "allowed settings" in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission_to_write_is_a_clear_error(tmp_path, run):
    file = study(tmp_path, n=(4, 4, 4))
    (tmp_path / "out").mkdir(mode=0o500)
    code, _, err, _ = evaluate(run, file, tmp_path)
    assert code == 2
    assert str(tmp_path / "out") in err


def test_an_output_folder_that_is_a_file_is_a_clear_error(tmp_path, run):
    file = study(tmp_path, n=(4, 4, 4))
    (tmp_path / "out").write_text("")
    code, _, err = run("evaluate", file, "-o", tmp_path / "out", "--engine", "serial", "-q")
    assert code == 2
    assert "Traceback" not in err


def test_a_full_disk_is_a_clear_error_and_keeps_what_was_stored(tmp_path, run, monkeypatch):
    import errno

    import sdq_core.files as files

    file = study(tmp_path, n=(12, 12, 12))
    evaluate(run, file, tmp_path)
    real_replace = os.replace

    def full(source, target):
        if Path(target).name == "result.json":
            raise OSError(errno.ENOSPC, "No space left on device")
        real_replace(source, target)

    (tmp_path / "out/result.json").unlink()
    monkeypatch.setattr(files.os, "replace", full)
    code, _, err = run("evaluate", file, "-o", tmp_path / "out", "--engine", "serial", "-q")
    assert code == 2
    assert "result.json" in err
    assert not list((tmp_path / "out").glob("*.tmp*"))
    monkeypatch.setattr(files.os, "replace", real_replace)
    evaluate(run, file, tmp_path)
    result = json.loads((tmp_path / "out/result.json").read_text())
    assert result["environment"]["store"]["described"] == 0


def test_no_real_picture_is_in_the_gallery_unless_asked_for(tmp_path, run):
    file = study(tmp_path, n=(40, 40, 40))
    for k in range(10):
        shutil.copy(tmp_path / f"train/{k:04d}.png", tmp_path / f"synthetic/{k:04d}.png")
    _, _, _, result = evaluate(run, file, tmp_path)
    shown = {(g["role"], g["item"]) for g in result["gallery"]}
    assert shown
    # A copy among the synthetic items is a real record too.
    assert not shown & {("synthetic", f"{k:04d}.png") for k in range(10)}
    assert {role for role, _ in shown} == {"synthetic"}
    _, _, _, asked = evaluate(run, file, tmp_path, "--show-real")
    assert "train" in {g["role"] for g in asked["gallery"]}
