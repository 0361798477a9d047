"""The catalogue of signals and its planter: each defect is there, nothing else is, all is told."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from planted_cohorts import (
    FORMATS,
    LEADS,
    RATE,
    described,
    members,
    microvolts,
    rules_of,
    study,
    written,
)

from sdq_core.calibration.defect import Planter
from sdq_core.cohort import Cohorts
from sdq_core.errors import UnreadableItem, UsageError
from sdq_core.measurement import Measurement
from sdq_core.modality import load_modality
from sdq_core.statistics import single_thread_blas
from sdq_signals.balance import SignalsBalance
from sdq_signals.completeness import SignalsCompleteness
from sdq_signals.explainability import SignalsExplainability
from sdq_signals.features.batch import features
from sdq_signals.linting import lint
from sdq_signals.metadata import SignalsMetadata
from sdq_signals.modality import Signals
from sdq_signals.planting import beats, plans, waveforms
from sdq_signals.planting.catalogue import catalogue
from sdq_signals.planting.coverage import (
    UNPLANTED,
    UNPLANTED_MEASURES,
    all_rules,
    named_in_code,
)
from sdq_signals.planting.draft import opened
from sdq_signals.planting.page import refreshed
from sdq_signals.planting.plans import Slot, Task
from sdq_signals.privacy import SignalsPrivacy
from sdq_signals.reading import open_recording

ROOT = Path(__file__).parents[2]
AREAS = ("structure", "semantics", "conformity", "metadata", "identifier", "privacy", "lineage")
IN_CONTEXT = {"mixed_rates", "channel_absent", "duplicate", "gap"}
"""Rules that need the other cohorts, or a format that can keep a gap."""


def planter(**keys) -> Planter:
    return load_modality("signals").planter(study(**keys))


def of(name: str):
    return next(p for p in catalogue() if p.defect.id == name)


# --- the catalogue -----------------------------------------------------------------------------


def test_every_measure_and_every_rule_has_a_defect_or_a_reason():
    seen = {s for p in catalogue() for s in p.defect.sees}
    measures = set(Signals().measures())
    assert measures - seen == set(UNPLANTED_MEASURES)
    assert set(all_rules()) - seen == set(UNPLANTED)
    assert seen <= measures | set(all_rules())
    assert len(UNPLANTED) <= 16


def test_the_list_of_rules_holds_all_that_the_source_names():
    assert named_in_code() >= {"signals.semantics.lead_law", "signals.structure.mains_hum"}
    text = "".join(
        p.read_text(encoding="utf-8")
        for p in sorted((ROOT / "sdq_signals").rglob("*.py"))
        if "planting" not in p.parts
    )
    for rule in re.findall(r"(?:finding|unreadable)\(\s*\"(\w+)\"", text):
        assert f"signals.structure.{rule}" in all_rules(), rule
    for rule in re.findall(r"violation\(\s*\"([a-z_.0-9]+)\"", text):
        assert f"signals.{rule}" in all_rules(), rule


def test_defects_are_told_in_both_languages_and_bear_their_unacceptable_severity():
    ids = [p.defect.id for p in catalogue()]
    assert len(set(ids)) == len(ids)
    for p in catalogue():
        d = p.defect
        assert re.fullmatch("[a-z][a-z0-9]*(-[a-z0-9]+)*", d.id)
        assert all(re.search(r"[\u4e00-\u9fff]", zh) for zh in (d.title[1], d.unit[1])), d.id
        assert d.grave(d.severities[-1])
        assert len(d.severities) > 2, d.id
        assert not set(d.targets) & set(d.side_effects), d.id


def test_the_page_holds_the_catalogue_of_today():
    page = (ROOT / "docs/defects_signals.md").read_text(encoding="utf-8")
    assert page == refreshed(page)


# --- clean copies ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def few():
    return microvolts(4, 1, 4.0)


def samples(source_items) -> list[np.ndarray]:
    opened = [open_recording(i) for i in source_items]
    return [r.read(0, r.length) for r in opened]


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        found.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return found.hexdigest()


@pytest.mark.parametrize("form", FORMATS)
def test_clean_copies_hold_the_same_samples_and_nothing_to_find(form, few, tmp_path):
    of_study = study(classes=["a", "b"])
    rows = [{"class": "ab"[k % 2], "subject": f"p{k // 2}", "code": f"{k}"} for k in range(4)]
    real = members(written(tmp_path / "data", form, few), of_study, rows)
    hand = load_modality("signals").planter(of_study)
    for synthetic in (False, True):
        source = hand.write(real, tmp_path / f"copy{synthetic}", synthetic=synthetic)
        cohort, listed = described(source, "synthetic", of_study)
        assert rules_of(cohort, listed) == set()
        copies = samples(cohort.table.items)
        for one, other in zip(samples([m.item for m in real]), copies, strict=True):
            np.testing.assert_array_equal(one, other)
        assert cohort.classes.tolist() == ["a", "b", "a", "b"]
        told = [(cohort.table.metadata(k), cohort.stated(k)) for k in range(4)]
        declares = SignalsMetadata("signals").declares_synthetic
        assert all(declares(*t) == synthetic for t in told)
        lineage = SignalsExplainability("signals").lineage
        assert all(lineage(*t) == synthetic for t in told)
        assert (cohort.subjects[0] == "p0") != synthetic
        assert cohort.subjects[0] == cohort.subjects[1] != cohort.subjects[2]
        assert ("code" in cohort.attributes) != synthetic
    again = hand.write(real, tmp_path / "again", synthetic=True)
    assert digest(again.path) == digest(tmp_path / "copyTrue")


def test_a_synthetic_copy_shares_no_name_and_no_number(tmp_path, few):
    folder = written(tmp_path / "data", "wfdb", few)
    header = folder / "r0.hea"
    header.write_text(header.read_text() + "# Name: Jane Doe\n# MRN 00123456\n# class: a\n")
    written(tmp_path / "dicom", "dicom", few)
    from pydicom import dcmread

    hand = planter()
    made = hand.write(members(folder, study()), tmp_path / "w", synthetic=True)
    text = (made.path / "s00001.hea").read_text()
    assert "class: a" in text
    assert "Doe" not in text
    assert "00123456" not in text
    assert "r0" not in text
    made = hand.write(members(tmp_path / "dicom", study()), tmp_path / "d", synthetic=True)
    uids = {"SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"}
    old = {str(dcmread(p)[u].value) for p in (tmp_path / "dicom").iterdir() for u in uids}
    new = [str(dcmread(p)[u].value) for p in made.path.glob("*.dcm") for u in uids]
    assert not old & set(new)
    assert len(set(new)) == len(new)


def test_cohorts_of_two_sources_and_windows_keep_their_labels(tmp_path, few):
    of_study = study(settings={"window_s": 2.0})
    one = members(written(tmp_path / "a", "wfdb", few), of_study)
    two = members(written(tmp_path / "b", "wfdb", few[::-1]), of_study)
    chosen = [one[0], one[1], two[1]]
    source = planter(settings={"window_s": 2.0}).write(chosen, tmp_path / "c", synthetic=False)
    cohort, _ = described(source, "train", of_study)
    got = samples(cohort.table.items)
    want = [open_recording(m.item, _settings(of_study)).read(0, 500) for m in chosen]
    assert len(got) == 3
    assert all(x.shape[1] == 500 for x in got)
    for x in want:
        assert any(np.array_equal(x, y) for y in got)
    assert cohort.subjects is not None
    assert len(set(cohort.subjects.tolist())) == 2


def _settings(of_study):
    from sdq_signals.settings import SignalsSettings

    return SignalsSettings.of(of_study.settings)


# --- form: every rule of every alternative fires -------------------------------------------------

FORM = [(form, p.defect.id) for form in FORMATS for p in catalogue() if p.families]


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    folder = tmp_path_factory.mktemp("short")
    x = microvolts(8, 2, 4.0)
    return {form: members(written(folder / form, form, x), study()) for form in FORMATS}


def said_of_form(source) -> set[str]:
    """What reading and linting say of a cohort, without describing it."""
    listing = load_modality("signals").items(source.path, {})
    found = {f.rule for f in listing.findings}
    for item in listing.items:
        try:
            recording = open_recording(item)
        except UnreadableItem as error:
            found.add(error.rule)
        else:
            found |= {f.rule for f in recording.findings}
            found |= {f.rule for f in lint(item.paths[0], recording.format)}
    return found


@pytest.mark.parametrize(("form", "name"), FORM)
def test_every_way_to_break_a_file_is_found(form, name, short, tmp_path):
    hand, real = planter(), short[form]
    planted = of(name)
    why = hand.unavailable(planted.defect, real)
    if why is not None:
        assert re.search(r"[\u4e00-\u9fff]", why["reason_zh"])
        return
    fmt = open_recording(real[0].item).format
    wanted = {r for a in planted.alternatives(fmt, len(LEADS)) for r in a.rules}
    assert wanted
    rng = np.random.default_rng(0)
    source = hand.plant(planted.defect, 1.0, real, (), rng, tmp_path / "p")
    assert wanted <= said_of_form(source)


def test_broken_files_are_as_many_as_the_severity_says(short, tmp_path):
    hand = planter()
    defect = of("wfdb-record-line").defect
    source = hand.plant(defect, 0.3, short["wfdb"], (), np.random.default_rng(0), tmp_path / "some")
    items = load_modality("signals").items(source.path, {}).items
    broken = [bool(lint(i.paths[0], "wfdb")) for i in items]
    assert sum(broken) == round(0.3 * 8)
    assert len(items) == 8


# --- samples: the waveform changes, and what is there to see it sees it ---------------------------


@pytest.fixture(scope="module")
def hearts(tmp_path_factory):
    rows = [{"class": "ab"[k % 2], "sex": "FM"[k % 2]} for k in range(10)]
    folder = tmp_path_factory.mktemp("hearts")
    return members(written(folder / "w", "wfdb", microvolts(10, 3)), study(), rows)


@pytest.fixture(scope="module")
def clean(hearts, tmp_path_factory):
    source = planter().write(hearts, tmp_path_factory.mktemp("clean") / "c", synthetic=True)
    return described(source, "synthetic", study())[0]


MOVES = {
    "heart-rate": ("rhythm.heart_rate", -10.0, 3.0),
    "qrs-widened": ("interval.qrs_ms", 40.0, 14.0),
    "st-shifted": ("wave.st_II_mv", 0.1, 0.035),
    "wrong-gain": ("wave.R_V5_mv", 0.1, 0.09),
    "smoothed": ("amplitude.sample_roughness", -0.05, 0.04),
    "baseline-wander": ("quality.baseline", -0.5, 0.45),
    "lead-noise": ("leads.einthoven_mv", 0.017, 0.004),
    "channels-exchanged": ("leads.corr_V3_V4", -0.4, 0.4),
    "polarity-inverted": ("wave.R_V5_mv", -1.0, 1.0),
    "rate-mislabelled": ("rhythm.heart_rate", 7.0, 3.0),
    "channels-coarse": ("leads.einthoven_mv", 0.1, 0.1),
}
"""Defect -> feature, by how much its median moves at the unacceptable severity, and within what."""


def planted_rules(name, real, folder, seed=0, severity=None):
    p = of(name)
    hand = planter(classes=["a", "b"], subgroup="sex")
    assert hand.unavailable(p.defect, real) is None
    # What is the matter of a share is planted in all of them here: few recordings have no tenth.
    whole = p.defect.unit[0] == "share of the recordings"
    severity = (1.0 if whole else p.defect.unacceptable) if severity is None else severity
    source = hand.plant(p.defect, severity, real, real, np.random.default_rng(seed), folder)
    return described(source, "synthetic", study())


@pytest.mark.parametrize("name", MOVES)
def test_a_changed_waveform_measures_as_it_was_changed(name, hearts, clean, tmp_path):
    scalar, by, within = MOVES[name]
    cohort, _ = planted_rules(name, hearts, tmp_path / "p")
    moved = np.nanmedian(cohort.table.scalar(scalar)) - np.nanmedian(clean.table.scalar(scalar))
    assert abs(moved - by) < within, moved
    assert moved * by > 0, moved


RULED = [
    p.defect.id
    for p in catalogue()
    if not p.families and not p.lineage
    and any(s.split(".")[1] in ("structure", "semantics") for s in p.defect.sees)
    and p.defect.id not in ("duplicates", "channel-absent", "label-noise", "rate-mislabelled",
                            "mains-hum")
]  # fmt: skip


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", [*RULED, "mains-hum", "unit-confused"])
def test_a_rule_sees_the_recordings_that_bear_its_defect(name, seed, hearts, clean, tmp_path):
    cohort, listed = planted_rules(name, hearts[seed :: 2 if seed else 1], tmp_path / "p", seed)
    wanted = {
        s for s in of(name).defect.sees
        if s.split(".")[1] in ("structure", "semantics", "conformity")
        and s.split(".")[2] not in IN_CONTEXT
    }  # fmt: skip
    assert rules_of(clean, []) == set()
    assert wanted <= rules_of(cohort, listed)


def test_smoothing_has_the_transfer_function_of_its_gaussian_below_a_sample(hearts):
    draft = opened(hearts[0], 1, _settings(study()), {})
    rate, t = 100.0, np.arange(1000) / 100
    tones = np.stack([np.sin(2 * np.pi * f * t) for f in (5.0, 20.0, 40.0)] * 4)
    draft = replace(
        draft.changed(tones), recording=replace(draft.recording, rate=rate, length=1000)
    )
    soft = waveforms.smoother(draft, 4.0, np.random.default_rng(0)).samples
    inner = slice(100, 900)
    passed = (soft[:3, inner] * tones[:3, inner]).sum(axis=1) / (tones[:3, inner] ** 2).sum(axis=1)
    expected = np.exp(-2 * (np.pi * np.array([5.0, 20.0, 40.0]) * 0.004) ** 2)
    np.testing.assert_allclose(passed, expected, atol=2e-3)


@pytest.mark.parametrize("severity", [0.2, 0.4, 1.0])
def test_p_waves_are_taken_from_those_that_have_them(severity):
    slots = [Slot(None, {"p": str(k % 2)}) for k in range(20)]  # half have none
    plan = plans.some_with(lambda slot: slot.row["p"] == "1", waveforms.without_p)
    task = Task(severity, slots, (), np.random.default_rng(3), read=lambda slot: slot)
    changed = [k for k, s in enumerate(plan(task)) if s.change is not None]
    assert len(changed) == min(round(severity * 20), 10)
    assert all(k % 2 for k in changed)
    none = plans.some_with(lambda slot: False, waveforms.without_p)(task)
    assert sum(s.change is not None for s in none) == round(severity * 20)


def test_the_tenth_that_bears_a_defect_is_the_tenth_that_changed(hearts, clean, tmp_path):
    cohort, _ = planted_rules("flat-lead", hearts, tmp_path / "p", severity=0.2)
    bear = cohort.table.rows_with("structure")
    same = [
        a.metadata(k)["content:sha256"] == b.metadata(k)["content:sha256"]
        for a, b in [(clean.table, cohort.table)]
        for k in range(len(hearts))
    ]
    assert bear.sum() == 2
    assert np.array_equal(bear, ~np.array(same))


def test_real_beats_lose_their_p_and_gain_forty_milliseconds():
    with np.load(ROOT / "fixtures/ecg/holdout.npz") as held:
        other = held["class"] == "other"
        x = (held["signals"][other][:32] / 1000).astype(np.float32)
    before = features(x, 100.0, LEADS, "ecg")
    marks = [beats.marked(one, 100.0) for one in x]
    cut = np.stack([beats.without_p(one, 100.0, m) for one, m in zip(x, marks, strict=True)])
    wide = np.stack([beats.wider(one, 100.0, m, 0.04) for one, m in zip(x, marks, strict=True)])
    slow = np.stack([beats.slower(one, 100.0, m, 10.0) for one, m in zip(x, marks, strict=True)])
    with_p = before.scalars["wave.p_present"] == 1
    assert with_p.sum() > 16
    assert features(cut, 100.0, LEADS, "ecg").scalars["wave.p_present"][with_p].mean() < 0.25
    more = features(wide, 100.0, LEADS, "ecg").scalars["interval.qrs_ms"]
    assert 25 < np.nanmedian(more - before.scalars["interval.qrs_ms"]) < 55
    after = features(slow, 100.0, LEADS, "ecg").scalars
    assert -13 < np.nanmedian(after["rhythm.heart_rate"] - before.scalars["rhythm.heart_rate"]) < -7
    # The waves themselves stay as they are.
    assert abs(np.nanmedian(after["interval.qrs_ms"] - before.scalars["interval.qrs_ms"])) < 4


# --- in context: labels, declarations, lineage, copies --------------------------------------------


def measured(cohorts, evaluation, *names):
    found = {}
    rules = set()
    with single_thread_blas():
        for part in evaluation("signals").parts():
            if set(names) & set(part.measures):
                for output in part.function(cohorts):
                    if isinstance(output, Measurement):
                        found.setdefault(output.id.rpartition(".")[2], output.value)
                    else:
                        rules.add(output.rule)
    return found, rules


@pytest.fixture(scope="module")
def classed(tmp_path_factory):
    """Thirty short recordings: ten train, ten holdout, ten fresh, and how they describe."""
    folder = tmp_path_factory.mktemp("classed")
    with np.load(ROOT / "fixtures/ecg/holdout.npz") as held:
        x = held["signals"][:72].astype(np.int64)
    classes = ["afib", "other"]
    of_study = study(classes=classes, subgroup="sex")
    np.savez(folder / "all.npz", signals=x.astype("i2"), rate=100.0, units="uV",
             channels=np.array(LEADS))  # fmt: skip
    rows = [
        {"class": classes[k % 2], "sex": "FM"[k // 2 % 2], "subject": f"p{k}"} for k in range(72)
    ]
    real = members(folder, of_study, rows)
    hand = load_modality("signals").planter(of_study)
    parts = {"train": real[:24], "holdout": real[24:48]}
    cohorts = {
        role: described(hand.write(part, folder / role, synthetic=False), role, of_study)[0]
        for role, part in parts.items()
    }
    return of_study, hand, real, cohorts


def beside(classed, source):
    of_study, _, _, real = classed
    synthetic = described(source, "synthetic", of_study)[0]
    if source.lineage is not None:
        from sdq_core.lineage import join_lineage, read_lineage

        joined = join_lineage(synthetic.table.items, source.path, read_lineage(source.lineage))
        synthetic = replace(synthetic, lineage=joined)
    return Cohorts(of_study, real["train"], synthetic, real["holdout"])


def planted(classed, name, folder, severity=None, seed=0):
    _, hand, real, _ = classed
    defect = of(name).defect
    severity = defect.unacceptable if severity is None else severity
    source = hand.plant(defect, severity, real[48:], real[:24], np.random.default_rng(seed), folder)
    return beside(classed, source)


@pytest.fixture(scope="module")
def undisturbed(classed, tmp_path_factory):
    _, hand, real, _ = classed
    folder = tmp_path_factory.mktemp("undisturbed") / "c"
    return beside(classed, hand.write(real[48:], folder, synthetic=True))


CONTEXT = {
    "labels-missing": (SignalsMetadata, "required_attribute_share", -1, {"metadata.label_missing"}),
    "classes-unknown": (SignalsMetadata, "conformity_share", -1, {"conformity.class_unknown"}),
    "not-declared": (
        SignalsMetadata, "declared_synthetic_share", -1,
        {"metadata.not_declared_synthetic", "metadata.aigc_label"},
    ),
    "not-traced": (SignalsExplainability, "item_lineage_share", -1, set()),
    "identifiers-in-paths": (SignalsPrivacy, "identifier_share", 1, {"identifier.file_name"}),
    "copies-exact": (SignalsPrivacy, "exact_copy_share", 1, {"privacy.exact_copy"}),
    "duplicates": (SignalsCompleteness, "duplicate_share", 1, {"structure.duplicate"}),
    "channel-absent": (SignalsCompleteness, "structure_share", -1, {"structure.channel_absent"}),
    "rate-mislabelled": (SignalsCompleteness, "structure_share", 0, {"structure.mixed_rates"}),
    "too-few": (SignalsBalance, "items", -1, set()),
    "class-dropped": (SignalsBalance, "class_gini", 1, set()),
    "class-imbalance": (SignalsBalance, "class_imbalance_ratio", 1, set()),
    "subgroup-dropped": (SignalsBalance, "attribute_entropy", -1, set()),
    "lineage-table-wrong": (
        SignalsExplainability, "item_lineage_share", -1,
        {f"lineage.{r}" for r in
         ("no_row", "no_item", "item_twice", "no_origin", "contradicts_item")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTEXT)
def test_what_only_the_cohort_shows_is_seen(name, classed, undisturbed, tmp_path):
    evaluation, measure, direction, rules = CONTEXT[name]
    before, quiet = measured(undisturbed, evaluation, measure)
    cohorts = planted(classed, name, tmp_path / "p")
    after, found = measured(cohorts, evaluation, measure)
    wanted = {f"signals.{r}" for r in rules}
    assert not wanted & quiet
    assert wanted <= found
    assert np.sign(round(after[measure] - before[measure], 9)) == direction
    if direction:
        assert f"signals.{evaluation.characteristic}.{measure}" in of(name).defect.sees


@pytest.mark.parametrize("name", ["copies-exact", "copies-shifted", "copies-scaled",
                                  "copies-noised"])  # fmt: skip
def test_copies_of_training_recordings_are_estimated_at_their_share(name, classed, tmp_path):
    cohorts = planted(classed, name, tmp_path / "p", severity=0.2)
    found, rules = measured(cohorts, SignalsPrivacy, "memorised_share", "nearest_is_train_share")
    assert abs(found["memorised_share"] - 5 / 24) < 0.09
    assert "signals.privacy.near_copy" in rules


def test_a_fresh_sample_looks_like_no_copy(undisturbed):
    found, rules = measured(undisturbed, SignalsPrivacy, "memorised_share")
    assert found["memorised_share"] < 0.05
    assert "signals.privacy.near_copy" not in rules


def test_lost_modes_are_lost_diversity(classed, undisturbed, tmp_path):
    before, _ = measured(undisturbed, SignalsBalance, "vendi_score")
    after, _ = measured(planted(classed, "modes-lost", tmp_path / "p"), SignalsBalance,
                        "vendi_score")  # fmt: skip
    assert after["vendi_score"] < 0.8 * before["vendi_score"]


def test_wrong_labels_contradict_the_rhythm(classed, tmp_path):
    cohorts = planted(classed, "label-noise", tmp_path / "p", severity=0.4)
    with np.load(ROOT / "fixtures/ecg/holdout.npz") as held:
        real = held["class"][48:72]
    written_classes = cohorts.synthetic.classes
    kept = np.array(["afib", "other"] * 12)
    assert (written_classes != kept).sum() == round(0.4 * 24)
    _, rules = measured(cohorts, SignalsCompleteness, "semantics_share")
    # The rows here are labelled in turn, so that some sinus rhythms are called fibrillation.
    assert (real == "other").any()
    assert "signals.semantics.label_against_signal" in rules


def test_a_worse_subgroup_is_worse_and_no_other(classed, undisturbed, tmp_path):
    cohort = planted(classed, "subgroup-worse", tmp_path / "p").synthetic
    rough = "amplitude.sample_roughness"
    change = cohort.table.scalar(rough) / undisturbed.synthetic.table.scalar(rough)
    sex = cohort.attributes["sex"]
    worse = min(("F", "M"), key=lambda s: (np.sum(sex == s), s))
    assert (change[sex == worse] < 0.9).all()
    assert np.allclose(change[sex != worse], 1.0)


# --- other kinds, other forms -------------------------------------------------------------------


def eeg(folder: Path) -> Path:
    import edf_files

    rng = np.random.default_rng(0)
    folder.mkdir()
    for k in range(4):
        rows = {
            f"EEG {site}": np.round(300 * np.cumsum(rng.standard_normal((8, 100)), axis=1) / 5)
            for site in ("Fp1", "Cz", "O1")
        }
        (folder / f"{k}.edf").write_bytes(edf_files.write(rows))
    return folder


def ppg(folder: Path) -> Path:
    time = np.arange(1500) / 100
    folder.mkdir()
    for k in range(4):
        beat = (time * (1 + 0.05 * k)) % 0.85
        wave = np.exp(-(((beat - 0.15) / 0.08) ** 2)) + 0.3 * np.exp(-(((beat - 0.4) / 0.1) ** 2))
        wave += 0.02 * np.random.default_rng(k).standard_normal(len(time))
        (folder / f"{k}.csv").write_text("PLETH\n" + "\n".join(f"{v:.5f}" for v in wave) + "\n")
        (folder / f"{k}.yaml").write_text(yaml.safe_dump({"sampling_rate": 100, "units": "NU"}))
    return folder


HEARTS_ONLY = {"p-waves-missing", "qrs-widened", "st-shifted", "polarity-inverted", "lead-noise",
               "arm-leads-swapped", "overdriven", "impossible"}  # fmt: skip


def test_a_defect_without_sense_says_why(tmp_path):
    hand = planter()
    brains, pulses = (
        members(eeg(tmp_path / "eeg"), study()),
        members(ppg(tmp_path / "ppg"), study()),
    )
    refused = {
        name: {d.id for d in hand.defects if hand.unavailable(d, real) is not None}
        for name, real in (("eeg", brains), ("ppg", pulses))
    }
    assert refused["eeg"] >= HEARTS_ONLY | {"heart-rate", "mains-hum", "wfdb-record-line"}
    assert refused["ppg"] >= HEARTS_ONLY | {"unit-confused", "wrong-gain", "channel-absent"}
    assert "heart-rate" not in refused["ppg"]
    assert "smoothed" not in refused["eeg"]
    why = hand.unavailable(of("qrs-widened").defect, brains)
    assert why == {
        "reason": "it has a sense in electrocardiograms only",
        "reason_zh": "仅对心电图有意义",
    }
    assert hand.unavailable(of("flat-lead").defect, []) is not None


@pytest.mark.parametrize("kind", ["eeg", "ppg"])
def test_other_kinds_bear_defects_too(kind, tmp_path):
    real = members({"eeg": eeg, "ppg": ppg}[kind](tmp_path / kind), study())
    hand = planter()
    clean, listed = described(
        hand.write(real, tmp_path / "c", synthetic=True), "synthetic", study()
    )
    assert rules_of(clean, listed) == set()
    # Gaps end with data records, so that the file itself says that it is not continuous.
    wanted = {
        "eeg": {"samples-missing": "gap", "flat-lead": "zero_channel", "saturated": "saturated"},
        "ppg": {"channel-lost": "missing_channel", "flat-lead": "flat"},
    }[kind]
    for name, rule in wanted.items():
        d = of(name).defect
        severity = 1.0 if d.unit[0].startswith("share of the rec") else d.unacceptable
        source = hand.plant(d, severity, real, real, np.random.default_rng(0), tmp_path / name)
        assert f"signals.structure.{rule}" in rules_of(*described(source, "synthetic", study()))
    if kind == "ppg":
        d = of("heart-rate").defect
        source = hand.plant(d, 10.0, real, real, np.random.default_rng(0), tmp_path / "slow")
        slow = described(source, "synthetic", study())[0].table.scalar("pulse.rate_bpm")
        assert np.allclose(clean.table.scalar("pulse.rate_bpm") - slow, 10.0, atol=2.5)


def test_the_same_random_numbers_give_the_same_bytes(hearts, tmp_path):
    hand = planter(classes=["a", "b"], subgroup="sex")
    for name in ("baseline-wander", "copies-shifted", "label-noise", "header-fields-missing"):
        d = of(name).defect
        made = [
            hand.plant(d, d.unacceptable, hearts[:5], hearts[5:], np.random.default_rng(s),
                       tmp_path / f"{name}{k}")
            for k, s in enumerate((1, 1, 2))
        ]  # fmt: skip
        same = [digest(m.path) for m in made]
        assert same[0] == same[1], name
        if name != "header-fields-missing":
            assert same[0] != same[2], name


def test_a_defect_of_another_catalogue_is_refused(hearts, tmp_path):
    foreign = replace(of("heart-rate").defect, id="blur")
    with pytest.raises(UsageError, match=r"blur.*not in the catalogue of signals"):
        planter().plant(foreign, 10.0, hearts, (), np.random.default_rng(0), tmp_path / "x")


def test_values_beyond_the_file_widen_it(tmp_path, few):
    """Ten times the amplitude fits neither 16 bits nor the range of an EDF header."""
    for form in ("wfdb", "edf", "dicom", "array"):
        real = members(written(tmp_path / form, form, 40 * few), study())
        hand = planter()
        source = hand.plant(
            of("wrong-gain").defect,
            1.5,
            real,
            real,
            np.random.default_rng(0),
            tmp_path / f"{form}g",
        )
        items = load_modality("signals").items(source.path, {}).items
        for one, other in zip(samples([m.item for m in real]), samples(items), strict=True):
            step = np.abs(one).max() / 20000
            np.testing.assert_allclose(other, 1.5 * one, atol=step, rtol=1e-4)
    assert RATE == 250.0


def test_labels_of_one_kind_leave_nothing_to_plant(hearts):
    one = [replace(m, row={**m.row, "class": "a"}) for m in hearts]
    hand = planter(subgroup="sex")
    assert hand.unavailable(of("label-noise").defect, hearts) is None
    assert "two classes" in hand.unavailable(of("label-noise").defect, one)["reason"]
    why = planter().unavailable(of("subgroup-worse").defect, hearts)
    assert why["reason_zh"] == "这些记录不足两个亚组"
