"""The command line on a small signal study: every promised measure, the same on every engine."""

import json
import sys

import numpy as np
import pytest
from cohorts_made import RATE, write

from sdq_core.cli import main
from sdq_core.modality import load_modality
from sdq_core.profiles import load_profile
from sdq_signals.simulated_ecg import simulate

IDS = """
fidelity: marginal_share_consistent spectrum_distance morphology_distance rhythm_distance
  coherence_distance energy_distance frechet_distance kernel_distance precision recall density
  coverage c2st_auc conditional_excess
balance: items subjects class_gini class_entropy class_imbalance_ratio attribute_entropy vendi_score
  duration_total volume_adequacy
completeness: readable_share structure_share semantics_share duplicate_share usable_signal_share
metadata: required_attribute_share conformity_share declared_synthetic_share
privacy: identifier_share exact_copy_share memorised_share membership_auc membership_tpr_at_1pct_fpr
  nearest_is_train_share
explainability: process_traceability item_lineage_share subgroup_fidelity_gap bias_sources
utility: tstr_auc trtr_auc tstr_ratio trts_auc augmentation_gain
"""


def promised_ids():
    ids, current = set(), ""
    for word in IDS.split():
        if word.endswith(":"):
            current = word[:-1]
        else:
            ids.add(f"signals.{current}.{word}")
    return ids


def sdq(*arguments, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["sdq", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    captured = capsys.readouterr()
    return stopped.value.code or 0, captured.out, captured.err


@pytest.fixture
def run(monkeypatch, capsys):
    return lambda *a: sdq(*a, monkeypatch=monkeypatch, capsys=capsys)


def study(folder, n=30):
    """Half of the recordings in atrial fibrillation; the synthetic cohort has a few flaws."""
    for k, role in enumerate(("train", "holdout", "synthetic")):
        sick = simulate(n // 2, rate=RATE, seed=2 * k, fibrillation=1.0).samples
        well = simulate(n - n // 2, rate=RATE, seed=2 * k + 1).samples
        labels = np.array(["afib"] * len(sick) + ["sinus"] * len(well))
        sex = np.array(["f", "m"] * n)[:n]
        more = {"class": labels, "sex": sex}
        samples = np.concatenate([sick, well])
        if role == "synthetic":
            samples[0, 4] = 0
            samples[1] *= 1000
            more |= {"synthetic": np.array(["yes"] * n), "generator": np.array(["sim"] * n),
                     "seed": np.arange(n).astype(str)}  # fmt: skip
        else:
            more |= {"subject": np.array([f"{role}{i}" for i in range(n)])}
        write(folder / f"{role}.npz", samples, **more)
    (folder / "study.yaml").write_text(
        "schema: sdq.study/1\nname: waves\nmodality: signals\nclasses: [afib, sinus]\n"
        "subgroup: sex\ncohorts:\n"
        + "".join(f"  {r}: {{path: {r}.npz}}\n" for r in ("train", "holdout", "synthetic"))
        + "generator: {algorithm: {name: dipole, version: '1'}}\n"
    )
    return folder / "study.yaml"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return study(tmp_path_factory.mktemp("study"))


def test_every_promised_measure_is_there_with_value_or_reason(made, tmp_path, run):
    code, printed, _ = run("evaluate", made, "-o", tmp_path / "out")
    assert code == 1
    assert "waves" in printed
    result = json.loads((tmp_path / "out/result.json").read_text())
    assert {m["id"] for m in result["measurements"]} == promised_ids()
    for measurement in result["measurements"]:
        assert (measurement["value"] is None) != (measurement["reason"] is None)
        assert measurement["id"] in result["measures"]
    rules = {f["rule"] for f in result["findings"]["by_rule"]}
    assert {"signals.structure.zero_channel", "signals.conformity.unit_implausible"} <= rules
    page = (tmp_path / "out/report.html").read_text()
    assert "<svg" in page
    assert "data:image/png" in page
    assert "Distance of morphology" in page
    run("report", tmp_path / "out", "--language", "zh", "-o", tmp_path / "zh.html")
    assert "波形形态距离" in (tmp_path / "zh.html").read_text()


def test_the_engines_agree_to_the_last_byte(made, tmp_path, run):
    texts = []
    for k, options in enumerate((["--engine", "serial"], ["--engine", "processes"])):
        run("evaluate", made, "-o", tmp_path / str(k), *options)
        result = json.loads((tmp_path / str(k) / "result.json").read_text())
        del result["environment"]
        texts.append(json.dumps(result))
        assert (tmp_path / str(k) / "findings.csv").exists()
    assert texts[0] == texts[1]
    first, second = ((tmp_path / str(k) / "findings.csv").read_bytes() for k in (0, 1))
    assert first == second


def test_labels_of_unknown_recordings_are_findings(made, tmp_path, run):
    labels = tmp_path / "labels.csv"
    labels.write_text("item,class\ntrain.npz#0,afib\nnobody.hea,afib\n")
    run("evaluate", made, "-o", tmp_path / "out", "--labels", f"synthetic={labels}")
    findings = (tmp_path / "out/findings.csv").read_text()
    assert findings.count("core.labels.unknown_item") == 2
    assert "core.labels.missing" in findings


def test_the_template_is_a_study_and_the_profile_knows_its_measures(tmp_path, run):
    code, _, _ = run("init", "signals", "-o", tmp_path / "study.yaml")
    assert code == 0
    assert "window_s" in (tmp_path / "study.yaml").read_text()
    signals = load_modality("signals")
    profile = load_profile("default", signals.profile_folder(), "signals", signals.default_profile)
    assert {c.id for c in profile.criteria} <= promised_ids()
    assert promised_ids() <= set(signals.measures())
    for criterion in profile.criteria:
        assert any("\u4e00" <= c <= "\u9fff" for c in criterion.reason_zh), criterion.id


@pytest.mark.parametrize(
    ("key", "value"), [("kind", "mri"), ("window_s", 0), ("mains_hz", 55), ("masks", "x")]
)
def test_a_wrong_setting_is_named(key, value, made, tmp_path, run):
    text = made.read_text() + f"settings: {{{key}: {value}}}\n"
    file = made.parent / f"wrong_{key}.yaml"
    file.write_text(text)
    code, _, error = run("evaluate", file, "-o", tmp_path / "out")
    assert code == 2
    assert f"settings.{key}" in error
