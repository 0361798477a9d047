"""Free texts: copies are seen, word for word and nearly; templates that recur accuse nobody."""

import numpy as np
import pyarrow as pa
import pytest
from ehr_cohorts import ROLES, cohorts_of
from notes_made import DID, TEMPLATES, WHO, notes, reworded

from sdq_core.finding import Finding
from sdq_core.judging import judge_all
from sdq_core.measurement import Measurement
from sdq_core.profiles import load_profile
from sdq_core.vocabulary import Verdict
from sdq_ehr.attacks.note_copies import Texts, copied_texts
from sdq_ehr.attacks.shingles import Notes, shingled
from sdq_ehr.modality import Ehr
from sdq_ehr.privacy import EhrPrivacy
from sdq_ehr.text_copies import copied_in_part, verbatim

SCHEMA = {
    "tables": {
        "visits": {
            "columns": {
                "age": {"type": "number"},
                "note": {"type": "text"},
                "home": {"type": "text", "meaning": "address"},
            }
        }
    }
}


def of(texts):
    return Notes.of(pa.array(texts, pa.large_string()), np.arange(len(texts)))


def copied(sides, seed=0):
    return copied_texts(Texts(*map(of, sides), tuple(map(len, sides))), seed=seed)


def fresh(n, seed):
    return [notes(n, 10 * seed + k) for k in range(3)]


def planted(n, seed, share, how):
    sides = fresh(n, seed)
    rng = np.random.default_rng(seed)
    for k in range(round(share * n)):
        sides[2][k] = how(sides[0][k], rng)
    return sides


def test_words_are_the_same_in_any_case_width_and_punctuation():
    one = of(["Fever (39 °C), since Monday; seen by the nurse"])
    other = of(["  fever ３９ °c since monday,\tSEEN by the nurse. "])
    assert one.words.tolist() == other.words.tolist()
    assert one.counts.tolist() == [9]
    assert of(["患者发热3天"]).counts.tolist() == [6]
    assert of(["", "—  !"]).counts.tolist() == [0, 0]


def test_shingles_are_those_of_sets_of_words():
    texts = ["a b c d e f g", "a b c d e", "b c d e f", "x y", "a a a a a a a"]
    runs, text = shingled(of(texts))
    named = {}
    for k, words in enumerate(t.split() for t in texts):
        for i in range(len(words) - 4):
            named.setdefault(tuple(words[i : i + 5]), set()).add(k)
    found = {}
    for run, k in zip(runs.tolist(), text.tolist(), strict=True):
        found.setdefault(run, set()).add(k)
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, named.values()))


@pytest.mark.parametrize("seed", range(5))
def test_fresh_notes_between_templates_are_left_in_peace(seed):
    found = copied(fresh(300, seed))
    assert found.interval.low == 0
    assert found.interval.high <= 0.01
    assert found.p_value > 0.05


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("how", [lambda t, _: t, reworded], ids=["verbatim", "reworded"])
def test_copies_of_five_in_a_hundred_are_seen_and_named(seed, how):
    found = copied(planted(400, seed, 0.05, how), seed)
    assert found.interval.low > 0.01
    assert found.p_value < 0.05
    marked = np.flatnonzero(found.flagged)
    copies = marked[marked < 20]
    assert len(copies) >= 14
    assert len(marked) - len(copies) <= 2
    assert found.originals[copies].tolist() == copies.tolist()


def test_twins_on_both_sides_hide_nothing_and_accuse_nobody():
    # A third of the texts have a near twin somewhere: an extreme difference says nothing of them.
    texts = notes(1000, 5)
    texts += [f"{t} Reviewed." for t in texts[:200]]
    sides = np.array(texts)[np.random.default_rng(0).permutation(1200)].reshape(3, 400).tolist()
    quiet = copied(sides)
    assert quiet.interval.low == 0
    assert quiet.flagged.sum() > 20
    rng = np.random.default_rng(1)
    sides[2][:60] = [reworded(t, rng, 0.03) for t in sides[0][:60]]
    assert copied(sides).interval.low > 0.01


def test_texts_of_templates_alone_cannot_tell():
    rng = np.random.default_rng(0)
    sides = [[" ".join(rng.permutation(TEMPLATES)[:3]) for _ in range(100)] for _ in range(3)]
    assert copied(sides) is None


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(3)
    made = {}
    for k, role in enumerate(ROLES):
        texts = notes(300, 70 + k)
        made[role] = {
            "age": rng.integers(20, 90, 300).astype(float),
            "note": [t if i % 3 else TEMPLATES[i % 5] for i, t in enumerate(texts)],
            "home": ["17 Long Lane behind the old town mill"] * 300,
        }
    return made


def measured(folder, made, schema=SCHEMA):
    cohorts = cohorts_of(folder, {r: {"visits": pa.table(t)} for r, t in made.items()}, schema)
    privacy = EhrPrivacy("ehr")
    outputs = [
        *verbatim(cohorts, "ehr.privacy.exact_copy_share", spoilt=False),
        *copied_in_part(cohorts, "ehr.privacy.memorised_share", privacy.void(cohorts)),
    ]
    profile = load_profile("default", Ehr().profile_folder(), "ehr", Ehr.default_profile)
    named = {"ehr.privacy.exact_copy_share", "ehr.privacy.memorised_share"}
    chosen = tuple(c for c in profile.criteria if c.id in named and c.variant == "text")
    assert len(chosen) == 2
    measurements = [m for m in outputs if isinstance(m, Measurement)]
    judged = judge_all(measurements, profile.model_copy(update={"criteria": chosen}))
    verdicts = {j.measurement.id.split(".")[-1]: j.verdict for j in judged if j.measurement}
    return (
        verdicts,
        {m.id.split(".")[-1]: m for m in measurements},
        [f for f in outputs if isinstance(f, Finding)],
    )


def test_a_fresh_study_with_recurring_templates_passes(tmp_path, tables):
    verdicts, found, findings = measured(tmp_path, tables)
    assert set(verdicts.values()) == {Verdict.PASS}
    assert not findings
    assert found["exact_copy_share"].value == 0


def test_copied_notes_of_a_study_fail_and_are_named_without_a_word_of_them(tmp_path, tables):
    made = {role: dict(t) for role, t in tables.items()}
    rng = np.random.default_rng(0)
    texts = list(made["synthetic"]["note"])
    sources = [k for k in range(300) if k % 3][:30]
    for k in sources[:15]:
        texts[k] = made["train"]["note"][k].upper()
    for k in sources[15:]:
        texts[k] = reworded(made["train"]["note"][k], rng)
    made["synthetic"]["note"] = texts
    verdicts, found, findings = measured(tmp_path, made)
    assert set(verdicts.values()) == {Verdict.FAIL}
    assert found["exact_copy_share"].value == 15 / 300
    named = {int(f.item.split("#")[1]) - 1 for f in findings if f.rule.endswith(".text_copy")}
    assert named == set(sources[:15])
    near = [f for f in findings if f.rule.endswith("near_text_copy")]
    assert len(near) >= 25
    assert all(f.message.split("patient ")[1].split(";")[0] == f.item for f in near)
    assert not any(w in f.message.split() for f in findings for w in (*WHO, *DID))


def test_without_free_text_nothing_is_asked(tmp_path, tables):
    made = {r: {"age": t["age"], "home": t["home"]} for r, t in tables.items()}
    schema = {"tables": {"visits": {"columns": dict(SCHEMA["tables"]["visits"]["columns"])}}}
    del schema["tables"]["visits"]["columns"]["note"]
    _, found, findings = measured(tmp_path, made, schema)
    assert not findings
    for m in found.values():
        assert m.value is None
        assert not m.applicable
        assert m.reason
        assert m.reason_zh


def test_a_generator_without_notes_copies_none(tmp_path, tables):
    made = {**tables, "synthetic": {**tables["synthetic"], "note": [None] * 299 + ["short"]}}
    verdicts, found, _ = measured(tmp_path, made)
    assert found["exact_copy_share"].value == 0
    assert verdicts["memorised_share"] is Verdict.PASS
