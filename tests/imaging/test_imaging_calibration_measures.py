"""Each defect moves the measures that are there to see it, beyond what the clean copy gives."""

from functools import cache

import calibration_made as made
import numpy as np
import pytest

from sdq_core.calibration.defect import Member
from sdq_core.characteristics.balance import Balance
from sdq_core.characteristics.explainability import Explainability
from sdq_core.evaluate import read_and_describe
from sdq_core.measurement import Measurement
from sdq_core.study import CohortSource
from sdq_core.vocabulary import Role
from sdq_imaging import region_fidelity
from sdq_imaging.fidelity import ImagingFidelity
from sdq_imaging.paired import paired
from sdq_imaging.planting.catalogue import DEFECTS
from sdq_imaging.planting.planter import ImagingPlanter
from sdq_imaging.privacy import ImagingPrivacy
from sdq_imaging.reading import read_image

CATALOGUE = {d.id: d for d in DEFECTS}
CLASSES = ("no_finding", "pneumonia")
N = 40
FIDELITY, BALANCE = ImagingFidelity("imaging"), Balance("imaging")
PRIVACY, EXPLAINS = ImagingPrivacy("imaging"), Explainability("imaging")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@cache
def radiographs():
    """Deal real radiographs by patient: train, holdout, fresh."""
    train = made.FIXTURES / "cxr" / "train"
    source = CohortSource(path=train, labels=train / "labels.csv")
    study = made.study_of(source, holdout=source, classes=CLASSES)
    by_subject: dict[str, list[Member]] = {}
    for member in made.members(source, study):
        member.row["side"] = "left" if member.row["class"] == CLASSES[0] else "right"
        by_subject.setdefault(member.subject, []).append(member)
    order = np.random.default_rng(5).permutation(sorted(by_subject))
    parts, taken = [], iter(order)
    for _ in range(3):
        part: list[Member] = []
        # As many of each class, so that both can be compared by themselves.
        while min(sum(m.row["class"] == c for m in part) for c in CLASSES) < N // 2:
            part += by_subject[next(taken)]
        kept = [[m for m in part if m.row["class"] == c][: N // 2] for c in CLASSES]
        parts.append((*kept[0], *kept[1]))
    return study, parts


@pytest.fixture(scope="module")
def dealt(tmp_path_factory):
    """The parts written as cohorts, clean; planted ones come beside them."""
    top = tmp_path_factory.mktemp("dealt")
    study, (train, holdout, fresh) = radiographs()
    planter = ImagingPlanter(study)
    return {
        Role.TRAIN: planter.write(train, top / "train", synthetic=False),
        Role.HOLDOUT: planter.write(holdout, top / "holdout", synthetic=False),
        Role.SYNTHETIC: planter.write(fresh, top / "synthetic", synthetic=True),
    }


@pytest.fixture(scope="module")
def clean(dealt, store):
    """What a measure gives for the clean copy; once for each."""
    study, _ = radiographs()
    beside = cohorts(study.model_copy(update={"subgroup": "side"}), dealt, store)
    return cache(lambda part: values(PARTS[part](beside)))


def cohorts(study, sources, store, synthetic=None):
    if synthetic is not None:
        sources = {**sources, Role.SYNTHETIC: synthetic}
    changed = study.model_copy(update={"cohorts": sources})
    return read_and_describe(changed, store, engine="serial").cohorts


def values(outputs):
    """Return measurements by the last part of their id: the first variant of each."""
    found = {}
    for output in outputs:
        if isinstance(output, Measurement):
            found.setdefault(output.id.rpartition(".")[2], output)
    return found


def worse(planted, clean):
    """Whether a measure lies on the bad side of its own noise floor, and of the clean copy's."""
    floor = planted.noise_floor
    if planted.better == "higher":
        return planted.value < min(clean.value, floor.low)
    return planted.value > max(clean.value, floor.high)


PARTS = {
    "spectrum": FIDELITY.spectrum,
    "marginal": FIDELITY.marginals,
    "neighbours": FIDELITY.neighbours,
    "vendi": BALANCE.diversity,
    "classes": BALANCE.classes,
    "attributes": BALANCE.attributes,
    "amount": BALANCE.amount,
    "conditional": FIDELITY.conditional,
    "gap": EXPLAINS.subgroups,
    "burned": PRIVACY.burned_in,
    "memorised": PRIVACY.memorised,
    "attack": PRIVACY.attack,
    "nearest": PRIVACY.nearest,
}
SEEN = [
    ("blur", "spectrum", "spectrum_distance"),
    ("noise", "spectrum", "spectrum_distance"),
    ("checkerboard", "spectrum", "spectrum_distance"),
    ("upsampling-grid", "spectrum", "spectrum_distance"),
    ("intensity-shift", "marginal", "marginal_share_consistent"),
    ("windowing", "marginal", "marginal_share_consistent"),
    ("implausible-anatomy", "neighbours", "precision"),
    ("mode-collapse", "neighbours", "coverage"),
    ("mode-collapse", "vendi", "vendi_score"),
    ("class-blurred", "conditional", "conditional_excess"),
    ("class-dropped", "classes", "class_gini"),
    ("class-imbalance", "classes", "class_entropy"),
    ("subgroup-dropped", "attributes", "attribute_entropy"),
    ("overfitted", "attack", "membership_auc"),
    ("overfitted", "nearest", "nearest_is_train_share"),
    ("burned-in-text", "burned", "burned_in_text_share"),
]


@pytest.mark.parametrize(("id_", "part", "name"), SEEN)
def test_a_defect_moves_its_measure(id_, part, name, dealt, clean, store, tmp_path):
    study, (train, _, fresh) = radiographs()
    study = study.model_copy(update={"subgroup": "side"})
    planter, defect = ImagingPlanter(study), CATALOGUE[id_]
    assert any(s.endswith(f".{name}") for s in defect.sees)
    planted = planter.plant(
        defect, defect.unacceptable, fresh, train, np.random.default_rng(1), tmp_path / "planted"
    )
    found = values(PARTS[part](cohorts(study, dealt, store, planted)))
    assert worse(found[name], clean(part)[name])


# ----- copies: the share that was planted is estimated


@pytest.mark.parametrize("id_", ["copies-mixed"])
def test_planted_copies_are_counted(id_, dealt, clean, store, tmp_path):
    study, (train, _, fresh) = radiographs()
    defect = CATALOGUE[id_]
    planted = ImagingPlanter(study).plant(
        defect, 0.2, fresh, train, np.random.default_rng(2), tmp_path / "planted"
    )
    found = values(PRIVACY.memorised(cohorts(study, dealt, store, planted)))["memorised_share"]
    assert clean("memorised")["memorised_share"].value < 0.05 < found.value
    assert found.interval.low <= 0.2 <= found.interval.high


# ----- what changes, pixel by pixel


@pytest.mark.parametrize("seed", [0, 1])
def test_only_the_defect_differs_from_the_clean_copy(seed, dealt, tmp_path):
    study, (train, _, fresh) = radiographs()
    planter = ImagingPlanter(study)
    before = pictures(dealt[Role.SYNTHETIC], study)
    for id_, severity in (
        ("intensity-shift", 0.05),
        ("burned-in-text", 0.1),
        ("copies-exact", 0.2),
    ):
        rng = np.random.default_rng(seed)
        planted = planter.plant(
            CATALOGUE[id_], severity, fresh, train, rng, tmp_path / f"{id_}-{seed}"
        )
        after = pictures(planted, study)
        differs = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
        if id_ == "intensity-shift":
            inside = (before[0] > 20) & (before[0] < 200)
            assert np.unique(after[0][inside] - before[0][inside]).size == 1
        else:
            assert sum(differs) == round(severity * len(fresh))


def pictures(source, study):
    items = made.MODALITY.items(source.path, study.settings).items
    return [read_image(i).pixels.astype(int) for i in items]


def test_hounsfield_units_are_shifted_by_as_many_as_asked(tmp_path):
    real = made.phantoms(tmp_path / "real", 8, 3)
    study = made.study_of(real)
    planter = ImagingPlanter(study)
    items = [m for m in made.members(real, study) if m.item.part == "series"]
    defect = CATALOGUE["hu-shift"]
    assert planter.unavailable(defect, items) is None
    clean = planter.write(items, tmp_path / "clean", synthetic=True)
    planted = planter.plant(
        defect, 50.0, items, items, np.random.default_rng(0), tmp_path / "planted"
    )
    one, two = pictures(clean, study), pictures(planted, study)
    for a, b in zip(one, two, strict=True):
        inside = a > a.min()
        assert np.unique(b[inside] - a[inside]).tolist() == [50]
    mixed = planter.unavailable(defect, made.members(real, study))
    assert "4 of 8 items are CT images" in mixed["reason"]
    assert mixed["reason_zh"].endswith("CT 图像")


# ----- masks and pairs


def test_displaced_masks_and_lost_regions_are_seen(store, tmp_path):
    images, masks = made.volumes(tmp_path / "volumes", 60)
    study = made.study_of(images, holdout=images, settings={"masks": str(masks)})
    planter, items = ImagingPlanter(study), made.members(images, study)
    train, holdout, fresh = items[:20], items[20:40], items[40:]
    sources = {
        Role.TRAIN: planter.write(train, tmp_path / "train", synthetic=False),
        Role.HOLDOUT: planter.write(holdout, tmp_path / "holdout", synthetic=False),
        Role.SYNTHETIC: planter.write(fresh, tmp_path / "synthetic", synthetic=True),
    }
    beside = cohorts(study, sources, store)
    clean = values(region_measures(beside))
    for id_, names in (
        ("mask-displaced", ("region_agreement", "region_mmd")),
        ("regions-lost", ("region_count_distance",)),
    ):
        defect = CATALOGUE[id_]
        planted = planter.plant(
            defect, defect.unacceptable, fresh, train, np.random.default_rng(0), tmp_path / id_
        )
        found = values(region_measures(cohorts(study, sources, store, planted)))
        for name in names:
            assert worse(found[name], clean[name]), name


def region_measures(beside):
    yield from region_fidelity.agreement("imaging.fidelity.region_agreement", beside)
    yield from region_fidelity.regions("imaging.fidelity.region_mmd", beside)
    yield from region_fidelity.counts("imaging.fidelity.region_count_distance", beside)


def test_pairs_are_planted_where_a_study_has_them_and_noise_shows_in_every_measure(
    dealt, store, tmp_path
):
    study, (train, _, fresh) = radiographs()
    defect = CATALOGUE["pairs-noised"]
    assert "no pairs" in ImagingPlanter(study).unavailable(defect, fresh)["reason"]
    labels = tmp_path / "pairs.csv"
    labels.write_text("item,pair\nx.png,y.png\n")
    sources = {**study.cohorts, Role.SYNTHETIC: CohortSource(path=tmp_path, labels=labels)}
    planter = ImagingPlanter(study.model_copy(update={"cohorts": sources}))
    assert planter.unavailable(defect, fresh) is None
    found = []
    for severity in (defect.severities[0], defect.unacceptable):
        planted = planter.plant(
            defect, severity, fresh[:20], train, np.random.default_rng(0), tmp_path / f"{severity}"
        )
        outputs = list(paired("imaging", cohorts(study, dealt, store, planted)))
        found.append(values(outputs))
        assert [f.rule for f in outputs if not isinstance(f, Measurement)] == [
            "imaging.semantics.pair"
        ]
    mild, grave = found
    for name, better in (("ssim_paired", 1), ("ms_ssim_paired", 1), ("psnr_paired", 1),
                         ("mae_paired", -1)):  # fmt: skip
        assert better * mild[name].value > better * grave[name].value
        assert mild[name].n["pairs"] == 19


# ----- why not


def test_what_cannot_be_planted_says_why_in_both_languages():
    study, (_, _, fresh) = radiographs()
    planter = ImagingPlanter(study)
    reasons = {d.id: planter.unavailable(d, fresh) for d in DEFECTS}
    missing = {id_ for id_, reason in reasons.items() if reason is not None}
    assert missing == {
        "hu-shift", "mask-displaced", "regions-lost", "masks-broken", "pairs-noised", "not-finite",
        "structure-broken", "contradictions", "identities-mixed", "wrong-geometry", "nifti-header",
        "series-broken", "attributes-missing", "wrong-form", "identifiers-in-tags",
        "header-of-real",
    }  # fmt: skip
    for id_ in missing:
        assert reasons[id_]["reason"]
        assert reasons[id_]["reason_zh"] != reasons[id_]["reason"]
    alone = planter.unavailable(CATALOGUE["mode-collapse"], fresh[:1])
    assert "needs at least 2" in alone["reason"]
    no_labels = ImagingPlanter(study.model_copy(update={"classes": (), "subgroup": None}))
    assert no_labels.unavailable(CATALOGUE["labels-missing"], fresh) is not None
