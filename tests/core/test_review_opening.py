"""Opening a review of a toy modality: what is drawn, sealed, tested and refused."""

from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from sdq_core.description import Item
from sdq_core.errors import ReviewError
from sdq_core.review import opening
from sdq_core.review.closing import checked, close_review
from sdq_core.review.display import Layout
from sdq_core.review.forms import ReviewItem
from sdq_core.review.opening import open_review
from sdq_core.review.plan import ReviewPlan, plan_text


class ToyDisplayer:
    rating_items = (
        ReviewItem("look", "Looks right", "外观合理"),
        ReviewItem("label", "Fits the class", "与类别相符", needs_label=True),
    )
    check_items = ()

    def facts(self, item):
        number = int(item.id[1:])
        return None if number == 3 else {"slices": float(1 + (item.id[0] == "s"))}

    def layout(self, facts):
        return Layout(16, 12)

    def frames(self, item, layout):
        count = 1 + (item.id[0] == "s")
        return np.full((count, 12, 16), 7 * int(item.id[1:]), np.uint16)


class Toy:
    name = "toy"
    displays = ToyDisplayer()

    def prepared(self, study):
        return study

    def items(self, source, settings):
        first = source.name[0]
        names = {"h": "aab", "s": self.classes}[first]
        return SimpleNamespace(items=tuple(
            Item(f"{first}{k}", (source,), digest=f"{k:064x}",
                 attributes={"class": names[k % 3], "subject": f"{first}{k}"})
            for k in range(40)))  # fmt: skip

    def displayer(self, study):
        return self.displays

    classes = "aab"


@pytest.fixture
def toy(monkeypatch):
    modality = Toy()
    monkeypatch.setattr(opening, "load_modality", lambda name: modality)
    return modality


def planned(tmp_path, **values):
    for name in ("train", "holdout", "synthetic"):
        (tmp_path / name).mkdir(exist_ok=True)
    study = {"schema": "sdq.study/1", "modality": "toy",
             "cohorts": {n: {"path": n} for n in ("train", "holdout", "synthetic")}}  # fmt: skip
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    plan = ReviewPlan(
        study="study.yaml", readers=("r1", "r2"), repeats=0.0,
        cases={"real": 12, "synthetic": 12, "training": 4}, **values,
    )  # fmt: skip
    path = tmp_path / "review.yaml"
    path.write_text(plan_text(plan))
    return path


def opened(tmp_path, folder="review", key="key.json", plan=None, **options):
    path = plan or planned(tmp_path)
    return open_review(path, tmp_path / folder, tmp_path / key, **options)


def test_a_toy_study_is_opened_and_closed(tmp_path, toy):
    found = opened(tmp_path)
    store = found.folder.store()
    content = store.content()
    assert content["seal"] == found.seal == store.entries()[0].content["seal"]
    assert len(content["training"]) == 4
    assert not found.leak.found
    assert found.visible.found  # synthetic cases have two pictures, real ones have one
    assert found.visible.telling == ("slices",)
    key = close_review(store, found.key)
    roles = [s["a"].synthetic for s in key.cases.values()]
    assert sum(roles) == 14
    assert not any(s["a"].item in ("h3", "s3") for s in key.cases.values())
    assert found.tokens.stat().st_mode & 0o077 == 0
    checked(store)
    store.close()


def test_two_openings_have_other_names_and_the_same_cases(tmp_path, toy):
    first, second = opened(tmp_path), opened(tmp_path, "again", "other.json")
    stores = [f.folder.store() for f in (first, second)]
    keys = [close_review(s, f.key) for s, f in zip(stores, (first, second), strict=True)]
    drawn = [sorted(t["a"].item for t in k.cases.values()) for k in keys]
    assert drawn[0] == drawn[1]
    assert not set(keys[0].cases) & set(keys[1].cases)
    assert first.seal != second.seal
    for store in stores:
        store.close()


def test_a_label_that_tells_is_a_leak_and_nothing_is_left_behind(tmp_path, toy):
    toy.classes = "xyz"
    plan = planned(tmp_path, type="rating")
    with pytest.raises(ReviewError, match=r"blinding: .*label"):
        opened(tmp_path, plan=plan)
    assert not (tmp_path / "review").exists()
    assert not (tmp_path / "key.json").exists()
    found = opened(tmp_path, plan=plan, allow_leak=True)
    assert found.leak.found
    store = found.folder.store()
    assert store.entries()[0].content["allow_leak"] is True
    assert "label" in store.entries()[0].content["leak"]["telling"]
    store.close()
    plan = planned(tmp_path, type="rating", questions=("look",))  # the label is not shown then
    assert not opened(tmp_path, "third", "third.json", plan=plan).leak.found


def test_what_cannot_be_opened_is_said(tmp_path, toy):
    with pytest.raises(ReviewError, match="whoever serves it could read it"):
        opened(tmp_path, key="review/key.json")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").write_text("")
    with pytest.raises(ReviewError, match="exists and is not empty"):
        opened(tmp_path, "full")
    assert (tmp_path / "full/x").exists()
    (tmp_path / "key.json").write_text("{}")
    with pytest.raises(ReviewError, match="a key is never overwritten"):
        opened(tmp_path)
    plan = planned(tmp_path, type="rating", questions=("look", "smell"))
    with pytest.raises(ReviewError, match="smell cannot be asked; use some of look, label"):
        opened(tmp_path, "other", "other.json", plan=plan)
    assert not (tmp_path / "other").exists()
