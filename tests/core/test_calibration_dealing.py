"""The real items as a pool: dealt out by subject, and what a poor study allows."""

from collections import Counter

import pytest
from calibrating_toy import COPIES, LABELS, install, make_study

from sdq_core.calibration.cases import cases_of, chosen
from sdq_core.calibration.dealing import deal, read_pool
from sdq_core.calibration.unseen import missing_need, notes
from sdq_core.errors import InputError, UsageError
from sdq_core.modality import load_modality
from sdq_core.study import Purpose
from sdq_core.vocabulary import Role


@pytest.fixture(autouse=True)
def _toy(tmp_path, monkeypatch):
    install(tmp_path / "toycal", monkeypatch)


def pool_of(tmp_path, n=(60, 40, 30), **values):
    study = make_study(tmp_path / "data", n, **values)
    pool = read_pool(study, load_modality(study.modality), tmp_path / "store", engine="serial")
    return study, pool


def said(study, pool):
    dealt = deal(pool, 0)
    sizes = {Role.TRAIN: len(dealt.train), Role.SYNTHETIC: len(dealt.fresh)}
    if dealt.holdout:
        sizes[Role.HOLDOUT] = len(dealt.holdout)
    return notes(study, pool, sizes)


def test_no_subject_is_dealt_to_two_parts_and_nothing_is_lost(tmp_path):
    _, pool = pool_of(tmp_path)
    for seed in range(5):
        dealt = deal(pool, seed)
        parts = (dealt.train, dealt.holdout, dealt.fresh)
        subjects = [{m.subject for m in part} for part in parts]
        assert not subjects[0] & subjects[1]
        assert not subjects[2] & (subjects[0] | subjects[1])
        assert Counter(m for p in parts for m in (x.item.digest for x in p)) == Counter(
            m.item.digest for m in pool.members
        )
        # 60 : 40 : 30 of 100 items.
        assert [len(p) for p in parts] == [46, 30, 24]


def test_deals_differ_by_seed_and_are_repeatable(tmp_path):
    _, pool = pool_of(tmp_path)
    assert deal(pool, 1) == deal(pool, 1)
    assert deal(pool, 1).fresh != deal(pool, 2).fresh
    # Train and holdout are one pool: the fresh part holds items of both.
    assert {m.source.path.name for m in deal(pool, 1).fresh} == {"train", "holdout"}


def test_rows_hold_what_labels_say(tmp_path):
    _, pool = pool_of(tmp_path)
    assert pool.members[0].row == {"class": "a", "subject": "holdout-0"} or pool.members[0].row == {
        "class": "a",
        "subject": "train-0",
    }
    assert pool.classes == {"a", "b"}
    assert pool.subjects == 50


def test_without_holdout_two_parts_are_dealt_and_it_is_said(tmp_path):
    study, pool = pool_of(tmp_path, (60, 0, 60))
    dealt = deal(pool, 0)
    assert (len(dealt.train), len(dealt.holdout), len(dealt.fresh)) == (30, 0, 30)
    assert "holdout" in missing_need(COPIES, study, pool)["reason"]
    assert any("no holdout" in w.en and "没有留出集" in w.zh for w in said(study, pool))


def test_twenty_items_are_dealt_and_it_is_said_that_little_can_be_seen(tmp_path):
    study, pool = pool_of(tmp_path, (20, 20, 20))
    dealt = deal(pool, 3)
    assert min(len({m.subject for m in p}) for p in (dealt.train, dealt.holdout, dealt.fresh)) >= 2
    assert any("gross defects alone" in w.en for w in said(study, pool))


def test_too_few_subjects_are_an_error_that_says_how_many(tmp_path):
    with pytest.raises(InputError, match=r"at least 12 subjects .* found 10"):
        pool_of(tmp_path, (10, 10, 10))


def test_one_class_has_no_defects_of_classes(tmp_path):
    study, pool = pool_of(tmp_path, row=lambda _, said: {**said, "class": "a"}, subgroup="class")
    assert "two classes" in missing_need(LABELS, study, pool)["reason"]
    assert any("one class" in w.en for w in said(study, pool))


def test_labels_missing_for_half_are_counted(tmp_path):
    def row(k, said):
        return said if k % 2 else {"subject": said["subject"]}

    study, pool = pool_of(tmp_path, row=row)
    assert any("50 of 100 real items have no class" in w.en for w in said(study, pool))
    assert missing_need(LABELS, study, pool)["reason"].startswith("needs a subgroup")


def test_without_subjects_items_are_dealt_one_by_one(tmp_path):
    study, pool = pool_of(tmp_path, row=lambda _, said: {"class": said["class"]})
    assert not pool.subjects_known
    assert pool.subjects == 100
    assert any("no subject ids" in w.en for w in said(study, pool))
    assert "subject" in missing_need(LABELS, study, pool)["reason"]


def test_without_labels_there_are_no_classes(tmp_path):
    study, pool = pool_of(tmp_path, row=lambda *_: {})
    assert any("no class labels" in w.en for w in said(study, pool))
    assert "label table" in missing_need(LABELS, study, pool)["reason"]


def test_what_cannot_be_read_is_left_aside(tmp_path):
    study = make_study(tmp_path / "data", (60, 40, 30))
    (tmp_path / "data/train/patient004.txt").write_text("broken")
    modality = load_modality(study.modality)
    pool = read_pool(study, modality, tmp_path / "store", engine="serial")
    assert (pool.unreadable, len(pool.members)) == (1, 99)
    assert any("1 real items could not be read" in w.en for w in said(study, pool))


def test_demands_of_the_purpose_are_not_asked_of_real_items(tmp_path):
    study, pool = pool_of(tmp_path, purpose=Purpose(minimum_items=10**6))
    assert any("declares of its purpose" in w.en for w in said(study, pool))


def test_grave_defects_come_first_and_evenly():
    cases = cases_of([COPIES, LABELS], 3)
    assert [(c.defect, c.severity, c.seed) for c in cases[:5]] == [
        (None, None, 0), ("copied", 0.5, 0), ("relabelled", 1.0, 0),
        (None, None, 1), ("copied", 0.5, 1),
    ]  # fmt: skip
    # Wherever it is cut, no defect is more than one seed ahead.
    for cut in range(3, len(cases)):
        seen = Counter(c.defect for c in cases[:cut] if c.severity in (None, 0.5, 1.0))
        assert max(seen.values()) - min(seen.values()) <= 1
    assert len(cases) == len(set(cases)) == 3 * 4
    assert {c.severity for c in cases_of([COPIES], 2, all_severities=False)} == {None, 0.5}


def test_an_unknown_defect_names_those_that_there_are():
    with pytest.raises(UsageError, match=r"blur.*copied"):
        chosen([COPIES], ["blur"])
