"""Planted defects: what is planted is seen, in every format, and clean items trigger nothing."""

import re
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from ehr_cohorts import COHORT_SCHEMA, simulated, study_of, write
from planted_made import ROLES, clinic_study, members_of, write_tables

import sdq_core.characteristics
import sdq_ehr
from sdq_core.calibration.defect import Member
from sdq_core.evaluate import read_and_describe
from sdq_core.finding import Finding
from sdq_core.labels import read_labels
from sdq_core.measurement import Measurement
from sdq_core.modality import load_modality
from sdq_core.study import CohortSource, Study
from sdq_core.vocabulary import Role
from sdq_ehr.balance import EhrBalance
from sdq_ehr.code_columns import CODE_RULES, code_findings
from sdq_ehr.completeness import EhrCompleteness
from sdq_ehr.identifier_rules import IDENTIFIER_RULES
from sdq_ehr.judged import codes_of, identifiers_of, semantics_of
from sdq_ehr.metadata import EhrMetadata
from sdq_ehr.modality import Ehr
from sdq_ehr.planting.catalogue import CATALOGUE, UNPLANTED, recipe_of, strokes_of
from sdq_ehr.planting.page import catalogue_table
from sdq_ehr.planting.plot import CannotPlant
from sdq_ehr.reading import open_dataset
from sdq_ehr.rules import RULES, rule_id
from sdq_ehr.semantics.loading import built_in_rules
from sdq_ehr.settings import EhrSettings

DEFECTS = {d.id: d for d in CATALOGUE}
MODELS = ("csv", "omop", "ndjson")
BESIDE = ("ehr.structure.duplicate",)
"""Rules that only an evaluation gives: found among several patients."""


def emitted():
    """Return the ids of all rules that the modality can give."""
    found = {rule_id(r) for r in RULES} | {f"ehr.{r}" for r in (*CODE_RULES, *IDENTIFIER_RULES)}
    found |= {r.id for r in built_in_rules()}
    for package in (sdq_ehr, sdq_core.characteristics):
        for file in Path(package.__file__).parent.rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            found |= set(re.findall(r'Finding\(\s*"(ehr\.[a-z]+\.[a-z_]+)"', text))
            own = re.findall(r'Finding\(\s*f"\{self\.modality\}\.([a-z]+\.[a-z_]+)"', text)
            found |= {f"ehr.{rule}" for rule in own}
    return found


def broken(path, study):
    """Count the violations of each rule that reading and judging a cohort gives."""
    settings = EhrSettings.of(study.settings)
    data = open_dataset(path, settings)
    semantics, identifiers = semantics_of(data, settings), identifiers_of(data)
    found = Counter(f.rule for f in (*data.findings, *semantics.findings, *identifiers.findings))
    rows = [*data.row_findings, *semantics.row_findings, *identifiers.row_findings]
    rows += [f for column in codes_of(data, settings) for f in code_findings(column)]
    for one in rows:
        found[one.rule] += len(one.rows)
    return found


class Clinic:
    """A clinic of one model, its planter, and what its clean copy breaks."""

    def __init__(self, folder, model, n=24):
        self.model, self.folder = model, folder
        self.study = clinic_study(folder, model, n)
        self.planter = load_modality("ehr").planter(self.study)
        self.fresh, self.train = (members_of(self.study, r) for r in ("holdout", "train"))
        self.clean_source = self.planter.write(self.fresh, folder / "clean", synthetic=True)
        self.clean = broken(self.clean_source.path, self.study)
        self.count = 0

    def plant(self, name, severity=None, seed=0):
        self.count += 1
        defect = DEFECTS[name]
        return self.planter.plant(
            defect, severity or defect.unacceptable, self.fresh, self.train,
            np.random.default_rng(seed), self.folder / f"planted{self.count}",
        )  # fmt: skip


@pytest.fixture(scope="module", params=MODELS)
def clinic(request, tmp_path_factory):
    return Clinic(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return Clinic(tmp_path_factory.mktemp("tables"), "csv")


# -- the catalogue -------------------------------------------------------------------------------


def test_every_measure_and_rule_is_seen_by_a_defect_or_says_why_not():
    known = emitted() | set(Ehr().measures())
    named = {seen for d in CATALOGUE for seen in d.sees}
    assert named <= known
    assert known - named == {u for u in UNPLANTED if "*" not in u}
    assert {u for u in UNPLANTED if "*" in u} == {"ehr.lineage.*"}
    assert not any(fnmatch(n, u) for n in named for u in UNPLANTED)


def test_entries_are_whole_and_in_the_order_of_the_characteristics():
    assert len(DEFECTS) == len(CATALOGUE) >= 45
    order = [d.targets[0] for d in CATALOGUE]
    assert [t for k, t in enumerate(order) if t not in order[:k]] == sorted(
        set(order), key=order.index
    )
    for defect in CATALOGUE:
        assert defect.source
        assert all(defect.title)
        assert not set(defect.targets) & set(defect.side_effects)
        recipe_of(defect.id)
        # What is planted by rules names just these rules.
        strokes = {s.rule for s in strokes_of(defect.id)}
        assert strokes <= set(defect.sees)
        assert not strokes or any(not s.minor for s in strokes_of(defect.id))


def test_the_page_holds_the_catalogue():
    page = Path(__file__).parents[2] / "docs" / "defects_ehr.md"
    text = page.read_text(encoding="utf-8")
    begin, end = text.index("<!-- catalogue: begin -->"), text.index("<!-- catalogue: end -->")
    assert text[begin:end].partition("\n")[2].strip() == catalogue_table().strip()


# -- clean copies --------------------------------------------------------------------------------


def test_clean_copies_of_clean_items_break_no_rule(clinic):
    real = broken(clinic.study.cohorts[Role.HOLDOUT].path, clinic.study)
    # That all of them name one generator makes a column constant, of which a rule tells.
    assert {r for r, n in clinic.clean.items() if n > real[r]} <= {"ehr.structure.constant_column"}
    names = set(open_dataset(clinic.clean_source.path, EhrSettings.of(clinic.study.settings))
                .patients().keys)  # fmt: skip
    settings = EhrSettings.of(clinic.study.settings)
    for role in ROLES:
        path = clinic.study.cohorts[Role(role)].path
        assert not names & set(open_dataset(path, settings).patients().keys)


@pytest.mark.parametrize("model", ["csv", "parquet", "omop", "ndjson", "bundle"])
def test_real_items_are_written_as_they_are(model, tmp_path):
    study = clinic_study(tmp_path, model, n=12)
    members = members_of(study, "train")[2:9]
    source = load_modality("ehr").planter(study).write(members, tmp_path / "out", synthetic=False)
    settings = EhrSettings.of(study.settings)
    before = open_dataset(study.cohorts[Role.TRAIN].path, settings)
    after = open_dataset(source.path, settings)
    assert len(after.patients()) == len(members)
    owners = before.patients().rows
    for name, table in before.tables.items():
        kept = (owners[name] >= 2) & (owners[name] < 9) | before.schema.is_dictionary(name)
        assert after.tables[name].equals(table.filter(pa.array(kept))), name
    digests = {i.digest for i in load_modality("ehr").items(source.path, study.settings).items}
    assert digests == {m.item.digest for m in members}


def test_two_cohorts_with_the_same_numbers_are_kept_apart(tmp_path):
    study = clinic_study(tmp_path, "omop", n=8)
    again = tmp_path / "again"
    again.mkdir()
    for file in study.cohorts[Role.TRAIN].path.iterdir():
        (again / file.name).write_bytes(file.read_bytes())
    cohorts = {**study.cohorts, Role.HOLDOUT: CohortSource(path=again)}
    other = study.model_copy(update={"cohorts": cohorts})
    members = [*members_of(other, "train"), *members_of(other, "holdout")]
    for synthetic in (False, True):
        source = (
            load_modality("ehr")
            .planter(other)
            .write(members, tmp_path / f"both{synthetic}", synthetic=synthetic)
        )
        data = open_dataset(source.path, EhrSettings.of(study.settings))
        assert len(data.patients()) == 16
        assert not {"ehr.structure.key_duplicate", "ehr.structure.patient_orphan"} & set(
            broken(source.path, other)
        )


def test_labels_go_along_and_say_that_items_are_synthetic(tmp_path):
    study = clinic_study(tmp_path, "omop", n=8)
    labels = tmp_path / "train" / "labels.csv"
    members = members_of(study, "train")
    labels.write_text("item,class,note\n" + "".join(
        f"{m.item.id},c{k % 2},n{k}\n" for k, m in enumerate(members)))  # fmt: skip
    source = CohortSource(path=study.cohorts[Role.TRAIN].path, labels=labels)
    members = [Member(m.item, source, m.subject, {**m.row, "class": f"c{k % 2}", "note": f"n{k}"})
               for k, m in enumerate(members)]  # fmt: skip
    planter = load_modality("ehr").planter(study)
    for synthetic in (False, True):
        made = planter.write(members[2:], tmp_path / f"l{synthetic}", synthetic=synthetic)
        rows = read_labels(made.labels).rows
        assert len(rows) == 6
        assert [r["note"] for r in rows.values()] == [f"n{k}" for k in range(2, 8)]
        assert all((r.get("synthetic") == "yes") == synthetic for r in rows.values())
    planted = planter.plant(DEFECTS["label-noise"], 0.5, members, members,
                            np.random.default_rng(0), tmp_path / "noisy")  # fmt: skip
    classes = [r["class"] for r in read_labels(planted.labels).rows.values()]
    assert sum(c != f"c{k % 2}" for k, c in enumerate(classes)) == 4


# -- what is planted is seen ---------------------------------------------------------------------


RULED = [d.id for d in CATALOGUE if strokes_of(d.id) or d.id.startswith("file-")]


OF_MODEL = {
    "omop": ("omop-fields", "columns-broken", "sex-contradicted", "age-contradicted",
             "dates-impossible", "keys-broken", "orphan-keys", "invalid-codes"),
    "ndjson": ("fhir-json", "fhir-elements", "names", "identity-numbers", "dates-out-of-order",
               "units-mixed-up", "wrong-system", "sex-contradicted", "invalid-codes"),
}  # fmt: skip
"""The rest of them is planted in tables of any model as in those of CSV files."""


def test_each_rule_that_is_planted_fires(clinic):
    missed, places = {}, Counter()
    for name in OF_MODEL.get(clinic.model, RULED):
        defect = DEFECTS[name]
        try:
            wanted = clinic.planter.planted_rules(defect, clinic.fresh)
            found = broken(clinic.plant(name).path, clinic.study)
        except CannotPlant:
            continue
        silent = sorted(r for r in wanted if found[r] < max(1, clinic.clean[r]))
        if silent:
            missed[name] = silent
        places[name] = len(wanted)
    assert missed == {}
    assert sum(places.values()) >= {"csv": 85, "omop": 20, "ndjson": 35}[clinic.model]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", ["sex-contradicted", "dates-out-of-order", "identity-numbers"])
def test_rules_fire_with_every_seed(name, seed, tables):
    found = broken(tables.plant(name, seed=seed).path, tables.study)
    wanted = tables.planter.planted_rules(DEFECTS[name], tables.fresh)
    assert [r for r in wanted if found[r] <= tables.clean[r]] == []


def test_all_rules_have_a_place_in_one_of_the_models(tmp_path):
    planted = set()
    for model in MODELS:
        study = clinic_study(tmp_path / model, model, n=24)
        planter = load_modality("ehr").planter(study)
        planted |= {s for d in planter.defects for s in d.sees}
        # Of rules without a place none is blamed.
        assert all(set(d.sees) <= set(DEFECTS[d.id].sees) for d in planter.defects)
    strokes = {s.rule for d in CATALOGUE for s in strokes_of(d.id)}
    assert strokes <= planted


# -- the hand ------------------------------------------------------------------------------------


def cells(path):
    return {f.name: f.read_bytes() for f in sorted(path.rglob("*")) if f.is_file()}


@pytest.mark.parametrize("name", [d.id for d in CATALOGUE if not strokes_of(d.id)])
def test_a_defect_is_seeded_and_changes_the_files(name, tables):
    if tables.planter.unavailable(DEFECTS[name], tables.fresh) is not None:
        pytest.skip("not available in these tables")
    one, two = (cells(tables.plant(name, seed=3).path) for _ in range(2))
    assert one == two
    assert one != cells(tables.clean_source.path)


def test_only_the_defect_differs_from_the_clean_copy(tables):
    before, after = cells(tables.clean_source.path), cells(tables.plant("marginal-shift").path)
    changed = [name for name in before if before[name] != after[name]]
    assert changed == ["patients.csv"]
    rows = [[line.split(",") for line in side["patients.csv"].decode().splitlines()]
            for side in (before, after)]  # fmt: skip
    differing = {rows[0][0][k] for a, b in zip(*rows, strict=True)
                 for k, (x, y) in enumerate(zip(a, b, strict=True)) if x != y}  # fmt: skip
    assert len(differing) == 1


def test_unavailable_says_why_in_both_languages(tables):
    why = tables.planter.unavailable(DEFECTS["omop-fields"], tables.fresh)
    assert "omop" in why["reason"]
    assert re.search("[\u4e00-\u9fff]", why["reason_zh"])
    with pytest.raises(CannotPlant):
        tables.plant("fhir-json")


def test_copies_are_training_patients_under_new_numbers(tables):
    settings = EhrSettings.of(tables.study.settings)
    own = ("patients", "weight")
    train = open_dataset(tables.study.cohorts[Role.TRAIN].path, settings).tables[own[0]]
    made = open_dataset(tables.plant("exact-copies", 0.2).path, settings)
    notes = set(train["note"].to_pylist())
    copied = [n in notes for n in made.tables["patients"]["note"].to_pylist()]
    assert sum(copied) == 5
    owner = made.patients().rows
    for table in ("stays", "labs", "drugs"):
        assert set(np.flatnonzero(copied)) <= set(owner[table])
    near = open_dataset(tables.plant("near-copies", 0.2).path, settings)
    weights = set(train["weight"].to_pylist())
    same = [w in weights for w in made.tables["patients"]["weight"].to_pylist()]
    moved = [w in weights for w in near.tables["patients"]["weight"].to_pylist()]
    assert sum(moved) < sum(same)


def test_parquet_keeps_its_types(tmp_path):
    study = clinic_study(tmp_path, "parquet", n=20)
    members = members_of(study, "train")
    source = (
        load_modality("ehr")
        .planter(study)
        .plant(
            DEFECTS["marginal-shift"],
            1.0,
            members,
            members,
            np.random.default_rng(0),
            tmp_path / "p",
        )
    )
    assert (
        sorted(f.suffix for f in source.path.iterdir() if "labels" not in f.name)
        == [".parquet"] * 7
    )


def test_a_single_file_stays_one(tmp_path):
    cells_ = {"rows": {"age": [str(30 + k) for k in range(20)], "sex": ["F", "M"] * 10,
                       "outcome": ["a", "b", "b", "a"] * 5}}  # fmt: skip
    for name in ("train", "holdout"):
        write_tables(tmp_path / name, cells_)
    study = load_modality("ehr").prepared(Study.model_validate({
        "modality": "ehr", "cohorts": {r: {"path": tmp_path / r / "rows.csv"}
                                       for r in (*ROLES, "synthetic")
                                       if (tmp_path / r).exists()}
        | {"synthetic": {"path": tmp_path / "train" / "rows.csv"}},
    }))  # fmt: skip
    source = (
        load_modality("ehr")
        .planter(study)
        .write(members_of(study, "train")[5:], tmp_path / "out", synthetic=True)
    )
    assert source.path == tmp_path / "out" / "rows.csv"
    items = load_modality("ehr").items(source.path, study.settings).items
    labels = read_labels(source.labels).rows
    assert [i.id for i in items] == list(labels)
    assert {r["synthetic"] for r in labels.values()} == {"yes"}


# -- measures ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def simulated_study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    schema = {**COHORT_SCHEMA, "tables": {**COHORT_SCHEMA["tables"]}}
    home = schema["tables"]["patients"]
    schema["tables"]["patients"] = {**home, "columns": {
        **home["columns"], "insurance": {"meaning": "class"}}}  # fmt: skip
    for role, made in simulated("cohort", 80, 4).items():
        write(folder / role, made)
    return load_modality("ehr").prepared(study_of(folder, schema))


def measured(study, source, *evaluations):
    cohorts = {**study.cohorts, Role.SYNTHETIC: source}
    described = read_and_describe(
        study.model_copy(update={"cohorts": cohorts}), None, engine="serial"
    )
    outputs = [o for e in evaluations for part in e("ehr").parts()
               if "volume_adequacy" not in part.measures
               for o in part.function(described.cohorts)]  # fmt: skip
    values = {(m.id.removeprefix("ehr."), m.variant or ""): m
              for m in outputs if isinstance(m, Measurement)}  # fmt: skip
    return values, {o.rule for o in outputs if isinstance(o, Finding) and o.role == "synthetic"}


def test_measures_of_balance_completeness_and_metadata_move(simulated_study, tmp_path):
    planter = load_modality("ehr").planter(simulated_study)
    fresh, train = (members_of(simulated_study, r) for r in ("synthetic", "train"))
    three = (EhrBalance, EhrCompleteness, EhrMetadata)
    clean, quiet = measured(simulated_study, planter.write(fresh, tmp_path / "c", synthetic=True),
                            *three)  # fmt: skip
    assert clean["metadata.declared_synthetic_share", ""].value == 1
    assert clean["completeness.duplicate_share", ""].value == 0
    expected = {
        "class-imbalance": (EhrBalance, "balance.class_entropy", "", -0.05),
        "rare-codes-dropped": (EhrBalance, "balance.rare_code_coverage", "", -0.02),
        "duplicated-patients": (EhrCompleteness, "completeness.duplicate_share", "", 0.09),
        "invalid-codes": (EhrCompleteness, "completeness.code_valid_share", "icd10cm", -0.03),
        "orphan-keys": (EhrCompleteness, "completeness.structure_share", "patients-known", -0.02),
        "columns-broken": (EhrMetadata, "metadata.required_attribute_share", "columns", -0.01),
        "undeclared": (EhrMetadata, "metadata.declared_synthetic_share", "", -0.09),
    }
    for name, (evaluation, measure, variant, move) in expected.items():
        source = planter.plant(DEFECTS[name], DEFECTS[name].unacceptable, fresh, train,
                               np.random.default_rng(2), tmp_path / name)  # fmt: skip
        values, rules = measured(simulated_study, source, evaluation)
        moved = values[measure, variant].value - clean[measure, variant].value
        assert moved / move >= 1, (name, moved)
        beside = {r for r in DEFECTS[name].sees if r in BESIDE or r.startswith("ehr.metadata.not")}
        assert beside <= rules - quiet
