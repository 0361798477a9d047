"""Plan, orders, forms, pictures, the draw of cases and the leak test."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from review_made import Browser, close_all, make

from sdq_core.description import Item
from sdq_core.errors import ReviewError, StudyError
from sdq_core.review.chain import Entry, broken_at
from sdq_core.review.display import Layout, NeutralDisplayer, Preset, fitted, picture
from sdq_core.review.drawing import Pool, draw
from sdq_core.review.forms import answers_of, form
from sdq_core.review.leak import leak_test, name_facts
from sdq_core.review.order import APART, reading_order
from sdq_core.review.plan import ReviewPlan, load_plan, plan_text
from sdq_core.review.refusal import REFUSALS
from sdq_core.review.words import WORDS
from sdq_core.vocabulary import Role


@pytest.fixture(autouse=True)
def _closed():
    yield
    close_all()


def plan(**values):
    cases = {"real": 10, "synthetic": 10, "training": 0, **values.pop("cases", {})}
    return ReviewPlan(study="s.yaml", readers=("r1",), cases=cases, **values)


# --- plan ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"margin": 0.4}, "greater than 0.5"),
        ({"readers": ["r1", "r1"]}, "named twice"),
        ({"readers": ["Dr. A. Smith"]}, "no reader's code"),
        ({"readers": []}, "at least 1 item"),
        ({"washout_days": 28}, "at least two sessions"),
        ({"type": "pairs", "cases": {"real": 3, "synthetic": 4}}, "as many real as synthetic"),
        ({"type": "guess"}, "real_or_synthetic"),
        ({"marign": 0.6}, "unknown key"),
        ({"study": None}, "should be a valid string"),
    ],
)
def test_a_wrong_plan_is_said_with_its_key(tmp_path, values, message):
    data = {"schema": "sdq.review-plan/1", "study": "s.yaml", "readers": ["r1"],
            "cases": {"real": 5, "synthetic": 5}, **values}  # fmt: skip
    path = tmp_path / "review.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(StudyError, match=message):
        load_plan(path)


def test_a_plan_is_read_as_it_was_written(tmp_path):
    written = plan(margin=0.65, hypothesis="分不出: 真与假", least_accuracy=0.9)
    (tmp_path / "review.yaml").write_text(plan_text(written))
    assert load_plan(tmp_path / "review.yaml") == written
    assert plan(margin=0.65).digest != plan(margin=0.66).digest


# --- orders --------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 60), st.integers(0, 6), st.integers(1, 4), st.floats(0, 1), st.integers(0, 99)
)
def test_every_reader_meets_every_case_once_and_the_repeats_twice(n, training, parts, share, seed):
    cases = [f"c{k}" for k in range(n)]
    taught = [f"t{k}" for k in range(training)]
    repeated = round(share * n)
    again = {"repeated": repeated, "sessions": parts, "seed": seed, "reader": "r1"}
    slots = reading_order(cases, taught, **again)
    assert slots == reading_order(cases[::-1], taught[::-1], **again)
    assert [s.number for s in slots] == list(range(1, len(slots) + 1))
    assert sorted(s.case for s in slots if s.purpose == "reading") == sorted(cases)
    assert sorted(s.case for s in slots if s.purpose == "training") == sorted(taught)
    twice = [s.case for s in slots if s.purpose == "repeat"]
    assert len(twice) == len(set(twice)) <= repeated
    first = {s.case: s.number for s in slots if s.purpose == "reading"}
    assert all(s.number > first[s.case] for s in slots if s.purpose == "repeat")
    assert [s.session for s in slots] == sorted(s.session for s in slots)
    if parts > 1:
        assert all(s.session == parts for s in slots if s.purpose == "repeat")


def test_orders_differ_between_readers_and_repeats_keep_their_distance():
    cases = [f"c{k}" for k in range(60)]
    orders = [
        reading_order(cases, [], repeated=6, sessions=1, seed=3, reader=f"r{k}") for k in range(8)
    ]
    assert len({tuple(s.case for s in o) for o in orders}) == 8
    for order in orders:
        first = {s.case: s.number for s in order if s.purpose == "reading"}
        assert all(s.number - first[s.case] > APART for s in order if s.purpose == "repeat")


# --- forms and words -----------------------------------------------------------------------------


def test_answers_are_whole_or_not_taken():
    questions = form("completeness")
    assert answers_of(questions, {"parts": "1", "meaning": "3", "extra": "9"}) == {
        "parts": 1, "meaning": 3,
    }  # fmt: skip
    for wrong in ({"parts": "1"}, {"parts": "1", "meaning": "4"}, {"parts": "1", "meaning": " 1"}):
        assert answers_of(questions, wrong) is None


def test_every_word_has_its_chinese():
    for english, chinese in WORDS.values():
        assert chinese
        assert "{" not in english or set(_names(english)) == set(_names(chinese))
    for _, english, chinese in REFUSALS.values():
        assert any("一" <= c <= "鿿" for c in chinese)
        assert english.endswith(".")
    for kind in ("real_or_synthetic", "pairs", "rating", "completeness"):
        for question in form(kind):
            assert question.zh
            assert all(o.zh for o in question.options)


def _names(text):
    import string

    return [name for _, name, _, _ in string.Formatter().parse(text) if name]


# --- pictures ------------------------------------------------------------------------------------


def test_pictures_are_read_back_and_have_one_length():
    from io import BytesIO

    from PIL import Image

    rng = np.random.default_rng(0)
    layout = Layout(31, 17, presets=(Preset("a", "a"), Preset("b", "b", 0.25, 0.75)),
                    palette=((0, 0, 0), (255, 0, 0), (9, 8, 7)))  # fmt: skip
    grey = rng.integers(0, 65536, (17, 31)).astype(np.uint16)
    shown = np.asarray(Image.open(BytesIO(picture(grey, layout, 0))))
    assert np.abs(shown - grey / 257).max() <= 0.5
    dark = np.asarray(Image.open(BytesIO(picture(grey, layout, 1))))
    assert (dark[grey < 0.25 * 65535] == 0).all()
    assert (dark[grey > 0.75 * 65535] == 255).all()
    places = rng.integers(0, 3, (17, 31)).astype(np.uint8)
    inked = Image.open(BytesIO(picture(places, layout, 0)))
    assert np.array_equal(np.asarray(inked), places)
    assert inked.convert("RGB").getpixel((0, 0)) == layout.palette[places[0, 0]]
    colour = rng.integers(0, 256, (17, 31, 3)).astype(np.uint8)
    assert np.array_equal(np.asarray(Image.open(BytesIO(picture(colour, layout, 0)))), colour)
    assert len(picture(grey, layout, 0)) == len(picture(0 * grey, layout, 1))
    assert not set(inked.info) - {"transparency"}
    assert fitted(grey[None], layout)
    assert not fitted(grey.T[None], layout)
    assert not fitted(np.full((1, 17, 31), 3, np.uint8), layout)


def test_a_modality_without_display_gets_a_table():
    from types import SimpleNamespace

    displayer = NeutralDisplayer(
        lambda item: SimpleNamespace(readable=item.id != "x", scalars={"mean": 0.5, "b": 1e-9})
    )
    assert displayer.facts(Item("x", ())) is None
    layout = displayer.layout([displayer.facts(Item("a", ()))])
    frames = displayer.frames(Item("a", ()), layout)
    assert fitted(frames, layout)
    assert len(np.unique(frames)) > 3


# --- drawing -------------------------------------------------------------------------------------


def pool(role, n, classes="ab", per_subject=1):
    items = [Item(f"{role}{k}", (Path("x"),)) for k in range(n)]
    return Pool(Role(role), items, [classes[k % len(classes)] for k in range(n)],
                [f"s{k // per_subject}" for k in range(n)], "d")  # fmt: skip


def test_both_sides_have_the_same_classes_and_each_subject_once():
    real, synthetic = pool("holdout", 90, "aab", per_subject=3), pool("synthetic", 60, "abbbbb")
    chosen, made = draw(plan(cases={"real": 12, "synthetic": 24}), real, synthetic, lambda i: {})
    counts = [[sum(d.label == c for d in side) for c in "ab"] for side in (chosen, made)]
    assert counts == [[2, 10], [4, 20]]
    subjects = [real.subjects[real.items.index(d.item)] for d in chosen]
    assert len(set(subjects)) == 12
    again = draw(plan(cases={"real": 12, "synthetic": 24}), real, synthetic, lambda i: {})
    assert again == (chosen, made)


def test_unreadable_items_are_passed_over_and_too_few_are_said():
    real, synthetic = pool("holdout", 30), pool("synthetic", 30)

    def facts(item):
        return None if item.id.endswith("3") else {}

    chosen, _ = draw(plan(), real, synthetic, facts)
    assert not any(d.item.id.endswith("3") for d in chosen)
    with pytest.raises(ReviewError, match="has 9 readable items, the plan needs 10"):
        draw(plan(), pool("holdout", 10), synthetic, facts)


# --- the leak test -------------------------------------------------------------------------------


def facts_of(rng, synthetic, **shift):
    return {
        f"c{k}": {
            "bytes": 1000.0 + shift.get("bytes", 0.0) * s,
            "milliseconds": float(rng.gamma(5, 1) + shift.get("milliseconds", 0.0) * s),
            "place": float(rng.permutation(50)[0]),
            **name_facts(f"{rng.integers(2**40):010x}"),
        }
        for k, s in enumerate(synthetic)
    }


def test_the_leak_test_is_quiet_at_chance_and_finds_planted_leaks():
    truth = [k % 2 == 1 for k in range(60)]
    said = {f"c{k}": s for k, s in enumerate(truth)}
    quiet = [
        leak_test(facts_of(np.random.default_rng(s), truth), said, permutations=199).p_value
        for s in range(20)
    ]
    assert sum(p < 0.05 for p in quiet) <= 4  # binomial: 5 or more of 20 has p = 0.003
    for name, size in (("bytes", 1.0), ("milliseconds", 6.0)):
        found = leak_test(facts_of(np.random.default_rng(9), truth, **{name: size}), said)
        assert found.found
        assert found.telling[0] == name
    few = {c: said[c] for c in list(said)[:6]}
    assert not leak_test({c: {"x": float(s)} for c, s in few.items()}, few).tested


def test_replies_of_the_server_tell_nothing(tmp_path):
    """Everything but the pixels of forty cases, as HTTP gives it, against the truth."""
    import time

    made = make(tmp_path, number=40, training=0, readers=("r1",))
    browser = Browser(made)
    browser.get(f"/enter/{made.tokens['r1']}")
    browser.post("/begin", {"session": "1"})
    facts, truth = {}, {}
    order = made.store.slots()["r1"]
    for slot in order:
        page = browser.get("/read")
        start = time.perf_counter()
        reply = browser.get(f"/frame/{slot.number}/0/0/0")
        taken = time.perf_counter() - start
        browser.post("/answer", {"number": str(slot.number), "revision": "0", "confidence": "3"})
        facts[slot.case] = {
            "picture bytes": float(len(reply.content)),
            "page bytes": float(len(page.content)),
            "headers": float(sum(len(k) + len(v) for k, v in reply.headers.items())),
            "milliseconds": 1000 * taken,
            "number": float(slot.number),
            **name_facts(slot.case),
        }
        truth[slot.case] = made.truth(slot.case)
    found = leak_test(facts, truth)
    assert found.tested
    assert found.p_value > 0.002  # the times of replies are new in every run
    assert len({f["picture bytes"] for f in facts.values()}) == 1


def test_a_chain_with_a_gap_is_broken():
    assert broken_at([]) is None
    assert broken_at([Entry(2, "t", "k", "", 0, {}, "0" * 64, "x")]) == 1
