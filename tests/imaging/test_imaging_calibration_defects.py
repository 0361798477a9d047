"""Planting a defect makes its rules fire; writing the same items without one does not."""

import ast
import hashlib
import importlib.util
import shutil
from collections import Counter
from functools import cache
from pathlib import Path

import calibration_made as made
import numpy as np
import pytest
from made_files import one_of_each

from sdq_core import lineage
from sdq_core.calibration.defect import Defect
from sdq_core.errors import UsageError
from sdq_core.identifiers import KIND_WORDS
from sdq_core.study import CohortSource
from sdq_core.vocabulary import Characteristic
from sdq_imaging import rules as structural
from sdq_imaging.planting.catalogue import DEFECTS, NOT_PLANTED
from sdq_imaging.planting.planter import PLANS, ImagingPlanter

CATALOGUE = {d.id: d for d in DEFECTS}
AREAS = (
    "structure", "semantics", "metadata", "conformity", "identifier", "lineage", "labels", "roles",
    "privacy",
)  # fmt: skip
SEEDS = (0, 1)
SOURCES = (
    *(made.ROOT / "sdq_imaging").rglob("*.py"),
    *(made.ROOT / "sdq_core/characteristics").glob("*.py"),
    *(made.ROOT / "sdq_core/dicom").glob("*.py"),
    made.ROOT / "sdq_core/labels.py",
)
NOT_RULES = {"imaging.privacy.memorised_share", "imaging.privacy.membership_auc"}
"""What looks like a rule in the source and is none."""


# ----- the catalogue


@cache
def all_rules():
    """Return every rule that the modality can emit: its books, and what stands in the source."""
    found = {structural._BOOK.id(name) for name in structural.RULES}
    found |= {f"imaging.identifier.{kind}" for kind in KIND_WORDS}
    found |= {f"imaging.lineage.{name}" for name in lineage.RULES}
    for path in SOURCES:
        if "calibration" in path.parts or path.name in ("signals.py",):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                found |= set(rules_named(node))
    return {r for r in found if r not in NOT_RULES and not r.endswith("_share")}


def rules_named(call):
    """Yield the rules that a call names: Finding(...), finding(...), _error(...) and their kin."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    if not any(word in name.lower() for word in ("finding", "error", "review", "unreadable")):
        return
    for argument in call.args[:2]:
        text = ""
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            text = argument.value
        elif isinstance(argument, ast.JoinedStr):
            text = "".join(
                part.value if isinstance(part, ast.Constant) else "\0" for part in argument.values
            )
            text = text.replace("\0.", "imaging.", 1)
        if "\0" in text or " " in text:
            continue
        first, _, rest = text.partition(".")
        if first in ("imaging", "core") and rest.partition(".")[0] in AREAS and "." in rest:
            yield text
        elif first in AREAS and rest and "." not in rest:
            yield f"imaging.{text}"


def test_every_rule_and_every_measure_is_seen_by_a_defect_or_there_is_a_reason():
    seen = {s for d in DEFECTS for s in d.sees}
    known = all_rules() | set(made.MODALITY.measures())
    assert len(all_rules()) > 100  # the search finds them
    assert known - seen - set(NOT_PLANTED) == set()
    # Rules that are made from tables are not found by the search; what is not seen would be dead.
    tables = ("imaging.metadata.", "imaging.identifier.", "imaging.semantics.", "core.", "imaging.")
    assert all(s.startswith(tables) for s in seen)


def test_what_is_not_planted_exists_and_is_planted_nowhere():
    seen = {s for d in DEFECTS for s in d.sees}
    known = all_rules() | set(made.MODALITY.measures())
    assert set(NOT_PLANTED) & seen == set()
    assert set(NOT_PLANTED) - known == set()
    assert len(NOT_PLANTED) < 15
    assert all(english and chinese for english, chinese in NOT_PLANTED.values())


def test_every_defect_has_a_plan_a_source_and_both_languages():
    assert set(PLANS) == set(CATALOGUE)
    assert len(CATALOGUE) == len(DEFECTS)
    for defect in DEFECTS:
        assert all((*defect.title, *defect.unit, defect.source))
        assert set(defect.needs) <= {"classes", "subjects", "holdout", "subgroup"}
        assert defect.estimated_by.partition("[")[0] in ("", *made.MODALITY.measures())
        assert any("." in s for s in defect.sees)


def test_defects_come_in_the_order_of_the_characteristics():
    order = [list(Characteristic).index(d.targets[0]) for d in DEFECTS]
    assert order == sorted(order)
    with pytest.raises(UsageError, match="severities must ascend"):
        Defect("x", ("x", "x"), (Characteristic.UTILITY,), (2.0, 1.0), 1.0, ("", ""), ("y",), "z")


def test_the_page_of_the_catalogue_is_up_to_date():
    path = made.ROOT / "tools" / "defects_imaging.py"
    spec = importlib.util.spec_from_file_location("defects_imaging_page", path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), f"run: python {path.name}"


# ----- clean copies


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Descriptions of the real cohorts are the same in every test."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Real cohorts by name, with their studies."""
    top = tmp_path_factory.mktemp("real")
    one_of_each(top / "mixed")
    cxr = top / "cxr"
    cxr.mkdir()
    train = made.FIXTURES / "cxr" / "train"
    for name in [f"cxr_{k:04d}.png" for k in range(1, 17)]:
        shutil.copyfile(train / name, cxr / name)
    lines = (train / "labels.csv").read_text().splitlines()
    (cxr / "labels.csv").write_text("\n".join(lines[:17]) + "\n")
    images, masks = made.volumes(top / "volumes")
    stack = top / "stack.npz"
    rng = np.random.default_rng(3)
    np.savez(stack, images=rng.random((24, 64, 64)), labels=np.array(["a", "b"] * 12),
             name=np.array([f"patient {k}" for k in range(24)]))  # fmt: skip
    sources = {
        "mixed": CohortSource(path=top / "mixed"),
        "cxr": CohortSource(path=cxr, labels=cxr / "labels.csv"),
        "phantoms": made.phantoms(top / "phantoms"),
        "enhanced": made.enhanced(top / "enhanced"),
        "moments": made.moments(top / "moments"),
        "volumes": images,
        "stack": CohortSource(path=stack),
    }
    told = {
        "cxr": {"classes": ("no_finding", "pneumonia")},
        "phantoms": {"classes": ("no_finding", "nodule")},
        "stack": {"classes": ("a", "b")},
        "volumes": {
            "settings": {
                "masks": str(masks),
                "regions": {1: {"name": "ball", "size": [20, 5000]}},
            }
        },
    }
    return {
        name: (source, made.study_of(source, **told.get(name, {})))
        for name, source in sources.items()
    }


@pytest.mark.parametrize(
    "name", ["mixed", "cxr", "phantoms", "enhanced", "moments", "volumes", "stack"]
)
def test_clean_copies_hold_the_same_and_break_nothing(name, places, store, tmp_path):
    source, study = places[name]
    planter = ImagingPlanter(study)
    items = made.members(source, study, 24)
    before, table = made.described(source, study, store)
    if len(items) < len(table):
        table = table.take(np.arange(len(items)))
    real = planter.write(items, tmp_path / "real", synthetic=False)
    clean = planter.write(items, tmp_path / "clean", synthetic=True)
    again, copied = made.described(real, study, store)
    after, declared = made.described(clean, study, store)
    assert made.contents(copied) == made.contents(table) == made.contents(declared)
    if len(items) == len(copied) == sum(1 for _ in table.ids):
        assert after - before == Counter()
    values, rules = made.measured(study, real, clean, store)
    assert values["imaging.metadata.declared_synthetic_share", None] == 1
    assert values["imaging.explainability.item_lineage_share", None] == 1
    assert values["imaging.privacy.identifier_share", None] == 0
    # Real flaws may be there still; nothing is added by writing.
    assert set(rules) - set(before) <= {"imaging.structure.duplicate", "imaging.privacy.exact_copy"}
    assert again["imaging.structure.truncated"] == before["imaging.structure.truncated"]


def test_no_name_or_number_of_a_real_item_is_left(places, tmp_path):
    for name in ("cxr", "phantoms", "stack", "moments"):
        source, study = places[name]
        items = made.members(source, study)
        clean = ImagingPlanter(study).write(items, tmp_path / name, synthetic=True)
        together = b"".join(p.read_bytes() for p in sorted(clean.path.rglob("*")) if p.is_file())
        for member in items:
            assert member.item.paths[0].stem.encode() not in together or name in (
                "stack",
                "moments",
            )
            if "subject" in member.row:
                assert f",{member.row['subject']},".encode() not in together
        assert b"patient 3" not in together
        assert b"PHANTOM-" not in together
        assert b"20240305" not in together


@pytest.mark.parametrize("name", ["cxr", "phantoms", "volumes", "stack"])
def test_the_same_seed_gives_the_same_bytes_and_nothing_of_the_user_changes(name, places, tmp_path):
    source, study = places[name]
    planter = ImagingPlanter(study)
    items = made.members(source, study, 12)
    own = {p for m in items for p in m.item.paths} | {source.path}
    before = {p: p.read_bytes() for p in own if p.is_file()}
    for id_ in ("noise", "masks-broken", "copies-mixed"):
        defect = CATALOGUE[id_]
        if planter.unavailable(defect, items) is not None:
            continue
        one, two = (
            plant(planter, defect, items, tmp_path / f"{id_}-{k}", severity=defect.severities[-1])
            for k in (0, 1)
        )
        assert digests(one.path) == digests(two.path)
    assert {p: p.read_bytes() for p in before} == before


def digests(folder: Path):
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def plant(planter, defect, items, folder, *, severity=None, seed=0, train=None):
    severity = defect.unacceptable if severity is None else severity
    rng = np.random.default_rng(seed)
    return planter.plant(defect, severity, items, train or items, rng, folder)


# ----- rules


FAMILIES = [
    ("phantoms", "attributes-missing", ()),
    ("phantoms", "wrong-form", ("functional_group_place",)),
    ("phantoms", "structure-broken", ("frame_items",)),
    ("phantoms", "contradictions", ()),
    ("phantoms", "identities-mixed", ()),
    ("phantoms", "wrong-geometry", ("frame_distance",)),
    ("phantoms", "series-broken", ()),
    ("phantoms", "identifiers-in-tags", ()),
    ("phantoms", "unreadable", ("alpha_dropped", "link_outside", "link_loop", "unknown_item")),
    ("moments", "undeclared", ()),
    ("moments", "header-of-real", ()),
    ("cxr", "unreadable", ("no_pixel_data",)),
    ("cxr", "constant-images", ()),
    ("cxr", "duplicates", ()),
    ("cxr", "burned-in-text", ()),
    ("cxr", "identifiers-in-texts", ()),
    ("cxr", "identifiers-in-paths", ()),
    ("cxr", "labels-missing", ()),
    ("cxr", "unknown-class", ()),
    ("cxr", "label-table-broken", ()),
    ("cxr", "lineage-broken", ("other_version",)),
    ("cxr", "copies-exact", ("near_copy",)),
    ("stack", "not-finite", ()),
    ("volumes", "nifti-header", ()),
    ("volumes", "masks-broken", ()),
    ("volumes", "regions-lost", ()),
]
"""Where a defect is planted, and which of its rules that kind of data cannot break."""


WITH_OTHERS = {
    "unreadable", "nifti-header", "masks-broken", "lineage-broken", "label-table-broken",
    "undeclared", "copies-exact",
}  # fmt: skip
"""Defects of which a part of the items must be free: rules that tell them from the others."""


def fired(name, id_, places, store, folder, seed, severity):
    source, study = places[name]
    planter = ImagingPlanter(study)
    defect, items = CATALOGUE[id_], made.members(source, study)
    assert planter.unavailable(defect, items) is None
    planted = plant(planter, defect, items, folder / "planted", severity=severity, seed=seed)
    real = planter.write(items, folder / "real", synthetic=False)
    return made.measured(study, real, planted, store)


@pytest.mark.parametrize(("name", "id_", "not_here"), FAMILIES)
def test_planting_makes_the_rules_fire_that_are_there_to_see_it(
    name, id_, not_here, places, store, tmp_path
):
    defect = CATALOGUE[id_]
    measures = set(made.MODALITY.measures())
    wanted = {s for s in defect.sees if s not in measures and s.rpartition(".")[2] not in not_here}
    # Many, so that each of the ways to break an item comes up in a small cohort; some defects
    # come with single items that are broken in milder ways.
    share = {"series-broken": 0.25}.get(
        id_, 0.5 if id_ in WITH_OTHERS and name != "phantoms" else 1.0
    )
    seed = SEEDS[len(id_) % len(SEEDS)]
    values, rules = fired(name, id_, places, store, tmp_path, seed, share)
    assert wanted - set(rules) == set()
    shares = {v for s in defect.sees for v in (values.get((s, None)),) if v is not None}
    if any(s.endswith("_share") and s in measures for s in defect.sees) and shares:
        assert min(shares) < 1 or max(shares) > 0


def test_enhanced_objects_are_broken_frame_by_frame(places, store, tmp_path):
    source, study = places["enhanced"]
    planter, items = ImagingPlanter(study), made.members(source, study)
    found = set()
    for id_ in ("wrong-form", "structure-broken", "wrong-geometry"):
        planted = plant(planter, CATALOGUE[id_], items, tmp_path / id_, severity=1.0)
        found |= set(made.described(planted, study, store)[0])
    assert found >= {
        "imaging.conformity.functional_group_place",
        "imaging.structure.frame_items",
        "imaging.semantics.frame_distance",
    }


def test_a_version_that_the_study_does_not_state_contradicts_it(places, store, tmp_path):
    source, _ = places["cxr"]
    generator = {"algorithm": {"name": "vae", "version": "3.1"}}
    stated = made.study_of(source, generator=generator)
    planter, items = ImagingPlanter(stated), made.members(source, stated)
    real = planter.write(items, tmp_path / "real", synthetic=False)
    clean = planter.write(items, tmp_path / "clean", synthetic=True)
    _, rules = made.measured(stated, real, clean, store)
    assert not [r for r in rules if ".lineage." in r]
    broken = plant(planter, CATALOGUE["lineage-broken"], items, tmp_path / "broken", severity=1.0)
    assert made.measured(stated, real, broken, store)[1]["imaging.lineage.other_version"] > 0


def test_the_label_of_generated_content_is_in_every_file_but_the_undeclared_ones(
    places, store, tmp_path
):
    for name in ("moments", "volumes", "stack"):
        source, study = places[name]
        planter, items = ImagingPlanter(study), made.members(source, study, 8)
        real = planter.write(items, tmp_path / f"{name}-real", synthetic=False)
        clean = planter.write(items, tmp_path / f"{name}-clean", synthetic=True)
        silent = plant(
            planter, CATALOGUE["undeclared"], items, tmp_path / f"{name}-silent", severity=0.5
        )
        values, _ = made.measured(study, real, clean, store)
        assert values["imaging.metadata.declared_synthetic_share", "aigc"] == 1
        values, rules = made.measured(study, real, silent, store)
        assert values["imaging.metadata.declared_synthetic_share", "aigc"] == 0.5
        assert values["imaging.metadata.declared_synthetic_share", None] == 0.5
        assert rules["imaging.metadata.aigc_label"] == len(items) // 2
