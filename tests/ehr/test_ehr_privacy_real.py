"""Tables with known truth: the ladder of ACTG 175, and facts of the data notes."""

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest
from ehr_cohorts import cohorts_of

from sdq_core.finding import Finding
from sdq_core.judging import judge_all
from sdq_core.measurement import Measurement
from sdq_core.profiles import load_profile
from sdq_core.statistics import attack_curve
from sdq_core.statistics.coding import ks_distance
from sdq_core.statistics.nearest_mixed import nearest_rows
from sdq_core.vocabulary import Verdict
from sdq_ehr.attacks.memorisation import memorised
from sdq_ehr.attacks.sides import Sides, joined, sides_of
from sdq_ehr.modality import Ehr
from sdq_ehr.privacy import EhrPrivacy

DATA = Path(__file__).parents[3] / "shared/data/ehr"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="needs the shared data")
LADDER = DATA / "actg175_avatar"
GENERATORS = ("ctgan", "synthpop", "avatar")
PRIVACY = EhrPrivacy("ehr")


@cache
def table_of(path: Path) -> pa.Table:
    return pa.csv.read_csv(path)


def schema_of(*tables: pa.Table):
    """Say what the columns are: numbers where there are more than 12 different real values."""
    columns = {}
    for name in tables[0].column_names:
        values = pa.chunked_array([c.cast(pa.string()) for t in tables for c in t[name].chunks])
        number = all(t[name].type not in (pa.string(), pa.bool_()) for t in tables)
        many = pc.count_distinct(values).as_py() > 12
        columns[name] = {"type": "number"} if number and many else {}
    return {"patient_table": "patients", "tables": {"patients": {"columns": columns}}}


def plain(table: pa.Table, schema) -> pa.Table:
    """Write a category that one file holds as 1 and another as 1.0 in one way."""
    columns = schema["tables"]["patients"]["columns"]
    made = {}
    for name in table.column_names:
        column = table[name]
        if not columns[name] and pa.types.is_integer(column.type):
            column = column.cast(pa.float64())
        made[name] = column
    return pa.table(made)


def cohorts(folder, train, holdout, synthetic):
    schema = schema_of(train, holdout)
    made = dict(zip(("train", "holdout", "synthetic"), (train, holdout, synthetic), strict=True))
    made = {role: {"patients": plain(t, schema)} for role, t in made.items()}
    return cohorts_of(folder, made, schema, full=False)


def ladder(folder, number, generator, *, swapped=False):
    names = ("nonmembers", "members") if swapped else ("members", "nonmembers")
    tables = (table_of(LADDER / f"round{number}/{n}.csv") for n in (*names, generator))
    return cohorts(folder, *tables)


def aucs(sides: Sides):
    """AUC of the distance and of the agreement attack, with their intervals."""
    train, holdout, synthetic = sides.encoded
    distance = -nearest_rows(joined(train, holdout), synthetic, 1)[0][:, 0]
    agreement = sides.agreement_space.nearest(sides.real, sides.synthetic, 1).best
    n = len(train)
    return [attack_curve(s[:n], s[n:]) for s in (distance, agreement)]


def judged(outputs):
    profile = load_profile("default", Ehr().profile_folder(), "ehr", Ehr.default_profile)
    measures = [m for m in outputs if isinstance(m, Measurement)]
    return {
        j.measurement.key.removeprefix("ehr.privacy."): j.verdict
        for j in judge_all(measures, profile)
        if j.measurement is not None
    }


def test_attacks_rank_avatar_over_synthpop_over_ctgan_in_five_rounds(tmp_path):
    found = {g: [] for g in GENERATORS}
    for number in range(5):
        for generator in GENERATORS:
            folder = tmp_path / f"{generator}{number}"
            sides = sides_of(ladder(folder, number, generator)).sides
            found[generator].append(aucs(sides))
    for number in range(5):
        _, ctgan = found["ctgan"][number]
        _, synthpop = found["synthpop"][number]
        distance, avatar = found["avatar"][number]
        assert avatar.auc_interval.low > synthpop.auc_interval.high
        assert synthpop.auc_interval.low > ctgan.auc
        assert synthpop.auc_interval.low > 0.5
        assert ctgan.auc_interval.low < 0.53
        assert distance.auc_interval.low > 0.6
    means = {
        g: np.mean([[c.auc for c in r] for r in rounds], axis=0) for g, rounds in found.items()
    }
    assert means["avatar"][0] > 0.65 > 0.6 > means["synthpop"][0] > 0.53 > means["ctgan"][0]
    assert means["avatar"][1] > means["synthpop"][1] + 0.05 > means["ctgan"][1] + 0.1
    assert means["ctgan"] == pytest.approx(0.51, abs=0.02)


def test_the_plain_distance_attack_has_the_published_figures():
    def standardised(number, generator):
        parts = []
        for name in ("members", "nonmembers", generator):
            table = table_of(LADDER / f"round{number}/{name}.csv")
            parts.append(
                np.column_stack(
                    [table[c].cast(pa.float64()).to_numpy() for c in table.column_names]
                )
            )
        real = np.concatenate(parts[:2])
        centre, spread = np.nanmean(real, axis=0), np.nanstd(real, axis=0)
        kept = spread > 0  # fact 4: a constant column would swamp all others
        scaled = [np.nan_to_num((p[:, kept] - centre[kept]) / spread[kept]) for p in parts]
        near = []
        for rows in scaled[:2]:
            square = (rows**2).sum(1)[:, None] + (scaled[2] ** 2).sum(1) - 2 * rows @ scaled[2].T
            near.append(-square.min(axis=1))
        return attack_curve(*near).auc

    expected = {"ctgan": 0.50, "synthpop": 0.53, "avatar": 0.65}
    for generator, value in expected.items():
        mean = np.mean([standardised(number, generator) for number in range(5)])
        assert mean == pytest.approx(value, abs=0.015), generator


def test_ctgan_is_not_failed_for_privacy_and_avatar_is(tmp_path):
    innocent = list(PRIVACY.measure(ladder(tmp_path / "a", 0, "ctgan")))
    verdicts = judged(innocent)
    assert Verdict.FAIL not in verdicts.values(), verdicts
    assert verdicts["membership_auc"] is Verdict.PASS
    assert not [f for f in innocent if isinstance(f, Finding)]
    leaky = [*PRIVACY.memorised(ladder(tmp_path / "b", 0, "avatar"))]
    leaky += PRIVACY.attack(ladder(tmp_path / "b", 0, "avatar"))
    verdicts = judged(leaky)
    for name in ("memorised_share", "membership_auc", "membership_tpr_at_1pct_fpr"):
        assert verdicts[name] is Verdict.FAIL, name


def test_swapped_member_files_are_noticed(tmp_path):  # fact 5
    def rules(folder, swapped):
        outputs = PRIVACY.attack(ladder(folder, 0, "avatar", swapped=swapped))
        return [f.rule for f in outputs if isinstance(f, Finding)]

    assert rules(tmp_path / "wrong", True) == ["core.roles.swapped"]
    assert rules(tmp_path / "right", False) == []


def numbers_of(name, part):
    table = table_of(DATA / name / f"{part}.csv")
    return {
        c: table[c].cast(pa.float64()).to_numpy()
        for c in table.column_names
        if table[c].type != pa.string()
    }


def mean_ks(name, part):
    real, other = numbers_of(name, "train"), numbers_of(name, part)
    return np.mean([ks_distance(real[c], other[c]) for c in real if c in other])


def test_the_zero_depends_on_n_and_resampled_values_fall_below_it():  # fact 1
    floor = {n: mean_ks(n, "test") for n in ("seer_breast", "diabetes_pima", "dermatology")}
    assert floor["seer_breast"] < 0.03 < floor["dermatology"]
    for name, real in floor.items():
        assert mean_ks(name, "synthpop") < real


def test_neighbours_of_the_other_label_warn_of_closeness_to_train(tmp_path):  # fact 2
    parts = ("train", "synthpop", "test")
    table, made, held = (table_of(DATA / f"diabetes_pima/{p}.csv") for p in parts)
    sides = sides_of(cohorts(tmp_path, table, held, made)).sides
    train, holdout, synthetic = sides.encoded

    def own_label(real, rng):
        size = min(len(real), len(synthetic))
        one, two = (r.take(rng.permutation(len(r))[:size]) for r in (real, synthetic))
        both, self = joined(one, two), np.arange(2 * size)
        nearest = nearest_rows(both, both, 1, groups=(self, self))[1][:, 0]
        return np.mean((nearest < size) == (self < size))

    rng = np.random.default_rng(0)
    near_train = own_label(train, rng)
    unseen = np.mean([own_label(holdout, rng) for _ in range(20)])
    assert near_train < 0.47
    assert unseen > 0.5


def test_real_tables_with_duplicates_are_not_accused(tmp_path):  # fact 12
    whole = table_of(DATA / "cervical_cancer/train.csv")
    held = table_of(DATA / "cervical_cancer/test.csv")
    rows = np.random.default_rng(0).permutation(whole.num_rows)
    train, fresh = (whole.take(pa.array(rows[k::2])) for k in (0, 1))
    made = cohorts(tmp_path, train, held, fresh)
    outputs = list(PRIVACY.exact_copies(made))
    copies = next(m for m in outputs if isinstance(m, Measurement) and m.variant is None)
    assert copies.value > 0  # real patients equal each other
    assert copies.noise_floor.centre > 0
    assert judged(outputs)["exact_copy_share"] is not Verdict.FAIL
    found, _ = memorised(sides_of(made).sides)
    assert found.p_value > 0.05
    assert found.interval.low == 0


def test_a_real_sample_of_some_size_passes(tmp_path):
    whole = table_of(DATA / "seer_breast/train.csv")
    rows = np.random.default_rng(1).permutation(whole.num_rows)
    train, fresh = (whole.take(pa.array(rows[k::2])) for k in (0, 1))
    made = cohorts(tmp_path, train, table_of(DATA / "seer_breast/test.csv"), fresh)
    verdicts = judged([*PRIVACY.exact_copies(made), *PRIVACY.singling_out(made)])
    assert verdicts["exact_copy_share"] is Verdict.PASS
    assert verdicts["singling_out_risk"] in (Verdict.PASS, Verdict.NOT_ASSESSED)
    whole_copies, partial = memorised(sides_of(made).sides)
    assert whole_copies.interval.low == partial.interval.low == 0
    assert max(c.auc_interval.low for c in aucs(sides_of(made).sides)) < 0.5
