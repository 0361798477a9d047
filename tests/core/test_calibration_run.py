"""The whole run on a toy modality: found, quiet, cut off, killed, crashed; the same every time."""

import json
import os
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
from calibrating_toy import NAME, PROFILE, ToyPlanter, install, logged, make_study

from sdq_core.calibration import calibrating, recording, summary
from sdq_core.calibration.calibrating import Options, calibrate
from sdq_core.calibration.cases import Case
from sdq_core.calibration.file import load_calibration
from sdq_core.calibration.model import CaseRecord, Reading
from sdq_core.errors import InputError, PluginError, StoreError, StudyError, UsageError
from sdq_core.vocabulary import Characteristic, Role

SERIAL = Options(seeds=4, engine="serial")


@pytest.fixture(autouse=True)
def _toy(tmp_path, monkeypatch):
    install(tmp_path / "toycal", monkeypatch)


def planted(monkeypatch, *defects):
    monkeypatch.setenv("TOYCAL_DEFECTS", ",".join(defects))


def content(out):
    data = json.loads((out / "calibration.json").read_bytes())
    data.pop("environment")
    return data


def left_behind(root):
    """Folders of dealt cohorts, and copies of real items outside the study's own data."""
    copies = [
        p for p in root.rglob("*.txt") if p.relative_to(root).parts[0] in ("out", "one", "two")
    ]
    return [*root.rglob(".sdq-calibration-*"), *copies]


def test_planted_defects_are_found_and_clean_data_are_quiet(tmp_path):
    study = make_study(tmp_path / "data")
    found = calibrate(study, tmp_path / "out", SERIAL)
    assert found == load_calibration(tmp_path / "out/calibration.json")
    assert (found.clean.runs, found.clean.study.count) == (4, 0)
    assert found.clean.characteristics[Characteristic.FIDELITY].fail.count == 0
    by_id = {d.id: d for d in found.defects}
    shifted = by_id["shifted"]
    assert [s.found.count for s in shifted.severities] == [0, 0, 4]
    assert [s.grave for s in shifted.severities] == [False, False, True]
    assert shifted.smallest_found == shifted.smallest_by_measure[f"{NAME}.fidelity.mean_gap"] == 4.0
    assert shifted.severities[0].measures[f"{NAME}.fidelity.mean_gap"].fail.count == 0
    # What is no target stays quiet: no confusion.
    assert shifted.severities[2].characteristics[Characteristic.PRIVACY].fail.count == 0
    assert shifted.severities[2].characteristics[Characteristic.BALANCE].not_assessed == 4
    # A rule sees what the measure does not yet fail.
    marked = by_id["marked"].severities[0]
    assert (marked.found.count, marked.rules[f"{NAME}.structure.marked"].count) == (0, 4)
    assert found.sizes == {Role.TRAIN: 40, Role.HOLDOUT: 40, Role.SYNTHETIC: 40}
    assert any("shifted numbers" in w.en and "数值偏移" in w.zh for w in found.unseen)
    assert left_behind(tmp_path) == []


def test_planted_shares_are_estimated_at_nought_too(tmp_path):
    options = Options(seeds=4, engine="serial", only=("copied",))
    found = calibrate(make_study(tmp_path / "data"), tmp_path / "out", options)
    assert any("not asked for: shifted numbers, marked items" in w.en for w in found.notes)
    assert [e.planted for e in found.clean.estimated] == [0.0]
    assert (found.clean.estimated[0].near.count, found.clean.estimated[0].alarms.count) == (4, 0)
    grave = found.defects[0].severities[-1].estimated
    assert (grave.planted, grave.mean, grave.near.count) == (0.5, 0.5, 4)


def test_clean_data_that_fail_are_said_first(tmp_path, monkeypatch):
    planted(monkeypatch, "shifted")
    profile = tmp_path / "strict.yaml"
    profile.write_text(PROFILE.replace("at_least: -1.0", "at_least: 0.9"))
    study = make_study(tmp_path / "data", profile=str(profile))
    found = calibrate(study, tmp_path / "out", Options(seeds=2, engine="serial"))
    assert found.clean.study.count == 2
    assert found.unseen[0].en.startswith("Clean real data fail")
    assert "Feature distribution fidelity" in found.unseen[0].en


def test_a_run_goes_on_where_it_was(tmp_path, monkeypatch):
    planted(monkeypatch, "copied")
    study = make_study(tmp_path / "data")
    calibrate(study, tmp_path / "out", Options(seeds=2, engine="serial"))
    first = len(logged("planted"))
    whole = calibrate(study, tmp_path / "out", Options(seeds=3, engine="serial"))
    assert (first, len(logged("planted"))) == (2 * 2, 3 * 2)
    assert whole.environment["store"] == {"carried_out": 3, "reused": 6}
    calibrate(study, tmp_path / "other", Options(seeds=3, engine="serial"))
    assert content(tmp_path / "out") == content(tmp_path / "other")


def test_other_data_and_other_criteria_are_carried_out_anew(tmp_path, monkeypatch):
    planted(monkeypatch, "shifted")
    options = Options(seeds=1, engine="serial")
    study = make_study(tmp_path / "data")
    calibrate(study, tmp_path / "out", options)
    profile = tmp_path / "p.yaml"
    profile.write_text(PROFILE.replace("at_most: 1.0", "at_most: 1.5"))
    changed = study.model_copy(update={"profile": str(profile)})
    calibrate(changed, tmp_path / "out", options)
    assert len(logged("planted")) == 6
    file = tmp_path / "data/train/patient000.txt"
    file.write_text(file.read_text() + " 1.0")
    calibrate(study, tmp_path / "out", options)
    assert len(logged("planted")) == 9


def test_a_damaged_record_is_carried_out_again(tmp_path, monkeypatch):
    planted(monkeypatch, "shifted")
    study = make_study(tmp_path / "data")
    calibrate(study, tmp_path / "out", Options(seeds=1, engine="serial"))
    before = content(tmp_path / "out")
    for path in (tmp_path / "out/records").iterdir():
        path.write_bytes(b"{")
    calibrate(study, tmp_path / "out", Options(seeds=1, engine="serial"))
    assert content(tmp_path / "out") == before
    assert len(logged("planted")) == 6


def test_workers_do_not_change_a_byte_and_deaths_are_recorded(tmp_path, monkeypatch):
    planted(monkeypatch, "copied", "dies")
    study = make_study(tmp_path / "data")
    one = Options(seeds=2, engine="serial", only=("copied",))
    calibrate(study, tmp_path / "one", one, store=tmp_path / "store")
    two = Options(seeds=1, workers=2)
    found = calibrate(study, tmp_path / "two", two, store=tmp_path / "store")
    assert [(f.defect, f.reason) for f in found.failed] == [
        ("dies", "ended the process that carried it out")
    ]
    # Another number of workers, another seed and another defect beside: the same records.
    names = {p.name for p in (tmp_path / "two/records").iterdir()}
    assert len(names) == 3
    for name in names:
        records = [
            json.loads((tmp_path / folder / "records" / name).read_bytes())
            for folder in ("one", "two")
        ]
        assert all(record.pop("seconds") > 0 for record in records)
        assert records[0] == records[1]
    assert left_behind(tmp_path) == []


def test_a_case_that_fails_is_recorded_without_naming_an_item(tmp_path, monkeypatch):
    planted(monkeypatch, "breaks", "shifted")
    found = calibrate(make_study(tmp_path / "data"), tmp_path / "out", SERIAL)
    assert [f.seed for f in found.failed] == [0, 1, 2, 3]
    assert found.failed[0].reason.startswith("ValueError at calibrating_toy.py:")
    assert found.defects[0].severities[-1].found.count == 4
    assert any("“breaks” was not tested at a severity" in w.en for w in found.unseen)
    text = (tmp_path / "out/calibration.json").read_text()
    assert "secret" not in text
    assert "patient" not in text
    for path in (tmp_path / "out/records").iterdir():
        assert "patient" not in path.read_text()


def test_what_the_budget_leaves_out_is_named(tmp_path, monkeypatch):
    ticks = count()  # a second for each look at the clock
    clock = SimpleNamespace(time=lambda: float(next(ticks)), monotonic=lambda: 0.0)
    monkeypatch.setattr(calibrating, "time", clock)
    monkeypatch.setattr(recording, "time", clock)
    options = Options(seeds=3, engine="serial", budget=6.0)
    found = calibrate(make_study(tmp_path / "data"), tmp_path / "out", options)
    # Six cases: all that is grave with one seed, then a second look at clean data and one defect.
    assert found.clean.runs == 2
    assert [[s.found.n for s in d.severities] for d in found.defects] == [[2], [1], [1]]
    left = {(case.defect, case.severity): case.seeds for case in found.left_out}
    assert left[(None, None)] == left[("shifted", 4.0)] == 1
    assert left[("marked", 0.9)] == 2
    assert left[("shifted", 0.02)] == 3
    monkeypatch.undo()


def test_a_budget_is_not_overdrawn_by_a_case_like_the_last(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "time", SimpleNamespace(time=lambda: 10.0, monotonic=None))
    late = recording.CarryOut(None, None, None, (), tmp_path, tmp_path, deadline=15.0)  # type: ignore[arg-type]
    late._typical = 6.0
    assert late([Case(None, None, 0)]) == [recording.Outcome(Case(None, None, 0))]


def test_a_budget_that_lasts_for_nothing_says_so(tmp_path):
    options = Options(seeds=2, engine="serial", budget=1e-9)
    found = calibrate(make_study(tmp_path / "data"), tmp_path / "out", options)
    assert found.clean.runs == 0
    assert "not known" in found.unseen[0].en
    assert sum(case.seeds for case in found.left_out) == 2 * 8


def test_defects_that_a_study_cannot_have_are_named_with_the_reason(tmp_path, monkeypatch):
    planted(monkeypatch, "shifted", "impossible", "relabelled", "copied")
    study = make_study(tmp_path / "data", (60, 0, 60))
    found = calibrate(study, tmp_path / "out", Options(seeds=1, engine="serial"))
    reasons = {u.defect: u.reason.en for u in found.untested}
    assert set(reasons) == {"impossible", "relabelled", "copied"}
    assert reasons["impossible"] == "these items have none"
    assert "holdout" in reasons["copied"]
    assert [d.id for d in found.defects] == ["shifted"]
    assert found.clean.characteristics[Characteristic.PRIVACY].not_assessed == 1
    assert Role.HOLDOUT not in found.sizes


@pytest.mark.parametrize("n", [(20, 20, 20), (12, 12, 12)])
def test_few_items_are_calibrated_all_the_same(tmp_path, monkeypatch, n):
    planted(monkeypatch, "shifted")
    options = Options(seeds=2, engine="serial")
    found = calibrate(make_study(tmp_path / "data", n), tmp_path / "out", options)
    assert found.clean.runs == 2
    assert found.defects[0].severities[-1].found.n == 2


def test_unusable_input_is_a_clear_error(tmp_path, monkeypatch):
    study = make_study(tmp_path / "data")
    with pytest.raises(InputError, match="at least 12"):
        calibrate(make_study(tmp_path / "few", (8, 8, 8)), tmp_path / "out", SERIAL)
    with pytest.raises(UsageError, match=r"nothing-like-it.*shifted"):
        calibrate(study, tmp_path / "out", Options(only=("nothing-like-it",), engine="serial"))
    with pytest.raises(UsageError, match="needs at least 1"):
        calibrate(study, tmp_path / "out", Options(seeds=0, engine="serial"))
    planted(monkeypatch, "none")
    with pytest.raises(PluginError, match="plants no defects"):
        calibrate(study, tmp_path / "out", SERIAL)
    (tmp_path / "file").write_text("")
    planted(monkeypatch, "shifted")
    with pytest.raises(StoreError, match="cannot"):
        calibrate(study, tmp_path / "file", SERIAL)


def test_a_profile_states_what_must_not_pass(tmp_path, monkeypatch):
    planted(monkeypatch, "shifted")
    profile = tmp_path / "p.yaml"
    profile.write_text(PROFILE + "unacceptable: {shifted: 1.2}\n")
    study = make_study(tmp_path / "data", profile=str(profile))
    options = Options(seeds=1, engine="serial", all_severities=False)
    found = calibrate(study, tmp_path / "out", options)
    assert [(s.severity, s.grave) for s in found.defects[0].severities] == [(1.2, True)]
    assert any("at one severity only" in w.en for w in found.notes)
    assert found.unseen[0].en.startswith("“shifted numbers” at 1.2 units, which must not pass")
    for wrong, said in (("nothing: 1.0", "nothing.*shifted"), ("shifted: 7", "7, .*0.02, 1.2, 4")):
        profile.write_text(PROFILE + f"unacceptable: {{{wrong}}}\n")
        with pytest.raises(StudyError, match=said):
            calibrate(study, tmp_path / "out", options)


@pytest.mark.parametrize("how", ["interrupt", "terminate"])
def test_an_end_from_outside_removes_the_copies(tmp_path, monkeypatch, how):
    def stop(*_):
        assert left_behind(tmp_path) != []
        if how == "interrupt":
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(ToyPlanter, "plant", stop)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt if how == "interrupt" else SystemExit):
        calibrate(make_study(tmp_path / "data"), tmp_path / "out", SERIAL)
    assert left_behind(tmp_path) == []
    assert signal.getsignal(signal.SIGTERM) is before
    assert len(list((tmp_path / "out/records").iterdir())) == 1


SCRIPT = """
import signal
import sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
from sdq_core.calibration.calibrating import Options, calibrate
from calibrating_toy import NAME
from sdq_core.study import Study
root = Path(sys.argv[1])
if __name__ == "__main__":
    cohorts = {r: {"path": root / "data" / r, "labels": root / "data" / r / "labels.csv"}
               for r in ("train", "holdout", "synthetic")}
    calibrate(Study(modality=NAME, cohorts=cohorts), root / "out", Options(seeds=50, workers=1))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_no_copy_behind_and_goes_on(tmp_path, monkeypatch, number):
    monkeypatch.setenv("TOYCAL_DELAY", "0.05")
    study = make_study(tmp_path / "data")
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)
    paths = [str(tmp_path / "toycal"), str(Path(__file__).parent), str(Path.cwd())]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)], env=environment, stderr=subprocess.PIPE
    )
    records = tmp_path / "out/records"
    until = time.monotonic() + 60
    while len(list(records.glob("*.json"))) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    folders = list((tmp_path / "out").glob(".sdq-calibration-*"))
    assert [oct(f.stat().st_mode & 0o777) for f in folders] == ["0o700"]
    process.send_signal(number)
    process.communicate(timeout=120)
    assert process.returncode != 0
    if number != signal.SIGKILL:
        assert left_behind(tmp_path) == []
    kept = len(list(records.glob("*.json")))
    monkeypatch.setenv("TOYCAL_DELAY", "0")
    options = Options(seeds=1, engine="serial", all_severities=False)
    found = calibrate(study, tmp_path / "out", options)
    assert found.environment["store"]["reused"] >= min(kept, 3)
    assert left_behind(tmp_path) == []


def test_a_variant_may_estimate_the_planted_share():
    """Images composed of two patients are counted by halves, not by the whole search."""

    def reading(variant, value):
        return Reading(
            id="toy.privacy.copied_share", variant=variant, characteristic="privacy", value=value,
            low=value - 0.01, high=value + 0.01, verdict="fail", code="interval_outside",
            mandatory=True,
        )  # fmt: skip

    record = CaseRecord(
        defect="copies", severity=0.1, seed=0, items={}, subjects={}, verdicts={}, rules={},
        measurements=(reading(None, 0.02), reading("halves", 0.095)),
    )  # fmt: skip
    whole = summary._estimated([record], "toy.privacy.copied_share", 0.1)
    halves = summary._estimated([record], "toy.privacy.copied_share[halves]", 0.1)
    assert (whole.mean, whole.near.count) == (0.02, 0)
    assert (halves.mean, halves.near.count) == (0.095, 1)
    assert summary._estimated([record], "toy.privacy.copied_share[other]", 0.1).runs == 0
