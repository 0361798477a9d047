"""Exchanged and inverted leads, and lost P waves, in real electrocardiograms of 100 Hz."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from sdq_core.characteristics.comparison import Comparison
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.description import Description, DescriptionTable, Item
from sdq_core.judging import judge_all
from sdq_core.modality import load_modality
from sdq_core.profiles import load_profile
from sdq_core.study import Study
from sdq_core.vocabulary import Role, Verdict
from sdq_signals.channels import LEADS
from sdq_signals.features.batch import _resampled
from sdq_signals.features.ecg import describe
from sdq_signals.p_waves import regular_without_p
from sdq_signals.planting import beats
from sdq_signals.wiring import Model, miswired, wirings

ECG = Path(__file__).parents[2] / "fixtures/ecg"
N, RATE = 100, 100.0
ID = "signals.fidelity.morphology_distance"
SLOTS = np.arange(12)


def features(x):
    """Mean beats, heights of P and irregularities."""
    found = describe(x, RATE, LEADS)
    mean = _resampled(found.templates, found.template_rate, found.r)[:, :, ::2].astype(float)
    names = ("wave.p_present", "wave.p_prominence_mv", "rhythm.irregularity")
    return mean, [{n: float(found.scalars[n][k]) for n in names} for k in range(len(x))]


@pytest.fixture(scope="module")
def real():
    parts = [np.load(ECG / f"{name}.npz")["signals"] for name in ("train", "holdout")]
    x = np.concatenate(parts)[: 3 * N].astype(np.float32) / 1000
    return x, *features(x)


def dealt(seed):
    return np.split(np.random.default_rng(seed).permutation(3 * N), 3)


def verdict(measurement):
    signals = load_modality("signals")
    profile = load_profile("default", signals.profile_folder(), "signals", signals.default_profile)
    return next(j.verdict for j in judge_all([measurement], profile) if j.measurement is not None)


def wired(real, seed, change=lambda y: y, share=0.2):
    """The measure where `change` was made to the leads of a share of fresh recordings."""
    rows = np.concatenate(dealt(seed))
    mean = real[1][rows]
    chosen = 2 * N + np.arange(round(share * N))
    mean[chosen] = change(mean[chosen])
    flat = mean.reshape(3 * N, -1)
    at = np.arange(3 * N)
    comparison = Comparison(
        values=flat, raw=flat, groups=at.astype(str), pool=at[: 2 * N], reference=at[N : 2 * N],
        synthetic=at[2 * N :], names=(), roles=np.repeat(["train", "holdout", "synthetic"], N),
        rows=at % N, seed=seed, floor_method="",
    )  # fmt: skip
    return miswired(comparison, mean, SLOTS, ID, 0.01)


def exchanged(y):
    return y[:, [0, 1, 2, 3, 4, 5, 8, 7, 6, 9, 10, 11]]


@pytest.mark.parametrize("seed", range(4))
def test_v1_and_v3_exchanged_in_a_fifth_of_real_records_fail_and_clean_ones_do_not(seed, real):
    found = wired(real, seed, exchanged)
    assert verdict(found) is not Verdict.PASS
    assert 0.13 < found.value <= 0.2
    assert wired(real, seed, lambda y: -y).value > 0.15
    clean = wired(real, seed)
    assert verdict(clean) is not Verdict.FAIL
    assert clean.value < 0.05


def test_an_exchange_in_half_of_the_records_fails(real):
    assert verdict(wired(real, 0, exchanged, 0.5)) is Verdict.FAIL


def test_the_misfit_is_the_gaussian_of_probabilistic_components():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((200, 6)) @ np.diag([5, 3, 1, 1, 1, 1]) + rng.standard_normal(6)
    model = Model.of(rows, 2)
    eigen = np.sort(np.linalg.eigvalsh(np.cov(rows.T, bias=True)))
    # Tipping & Bishop 1999: the rest of the variance, evenly over the rest of the directions.
    assert model.rest == pytest.approx(eigen[:4].mean())
    covariance = model.rest * np.eye(6)
    for v, s in zip(model.components, model.variances, strict=True):
        covariance += (s - model.rest) * np.outer(v, v)
    other = rng.standard_normal((20, 6)) * 3
    log = multivariate_normal(rows.mean(axis=0), covariance).logpdf(other)
    got = -model.misfit(other) / 2
    np.testing.assert_allclose(got - got[0], log - log[0], rtol=1e-9)


def test_every_wiring_undoes_itself():
    x = np.random.default_rng(0).standard_normal((1, 12, 5))
    found = list(wirings(SLOTS))
    assert len(found) == 66 + 2
    for w in found:
        once = x[:, w.order] * w.sign
        np.testing.assert_array_equal(once[:, w.order] * w.sign, x)
        assert not np.array_equal(once, x)
    # Arms exchanged: I upside down, II with III, aVR with aVL (Goldberger 1942).
    arms = found[-1]
    limb = np.array([1.0, 3.0, 2.0, -2.0, -0.5, 2.5, 7, 8, 9, 10, 11, 12])[:, None]
    swapped = (limb[arms.order] * arms.sign)[:6, 0]
    assert swapped.tolist() == [-1.0, 2.0, 3.0, -0.5, -2.0, 2.5]


def test_one_lead_has_no_wiring(real):
    found = wired(real, 0)
    rows = np.arange(3 * N)
    comparison = Comparison(
        values=real[1][:, 0], raw=real[1][:, 0], groups=rows.astype(str), pool=rows[: 2 * N],
        reference=rows[N : 2 * N], synthetic=rows[2 * N :], names=(),
        roles=np.full(3 * N, ""), rows=rows, seed=0, floor_method="",
    )  # fmt: skip
    alone = miswired(comparison, real[1][:, :1], SLOTS[:1], ID, 0.01)
    assert not alone.applicable
    assert alone.value is None
    assert found.applicable


# --- P waves -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bare(real):
    """The same records, P cut out of those of 60 of each deal that have one."""
    x, _, scalars = real
    wanted = [k for k, s in enumerate(scalars) if s["wave.p_present"] > 0]
    cut = np.stack([beats.without_p(x[k], RATE, beats.marked(x[k], RATE)) for k in wanted])
    return dict(zip(wanted, features(cut)[1], strict=True))


def cohorts(real, seed, bare=None, share=0.2):
    study = Study.model_validate({
        "modality": "signals", "seed": seed,
        "cohorts": {r: {"path": r} for r in ("train", "holdout", "synthetic")},
    })  # fmt: skip
    made = {}
    for role, rows in zip(("train", "holdout", "synthetic"), dealt(seed), strict=True):
        lost = [k for k in rows.tolist() if bare and k in bare][: round(share * N)]
        scalars = [
            bare[k] if bare and role == "synthetic" and k in lost else real[2][k]
            for k in rows.tolist()
        ]
        items = [Item(f"{role}{k}", (), digest=f"{k:04d}") for k in rows.tolist()]
        told = [Description(scalars={n: v for n, v in s.items() if v == v}) for s in scalars]
        made[role] = Cohort(Role(role), DescriptionTable(items, told, role=role))
    return Cohorts(study, made["train"], made["synthetic"], made["holdout"])


@pytest.mark.parametrize("seed", range(4))
def test_p_waves_lost_where_half_fibrillate_are_seen(seed, real, bare):
    found = regular_without_p(cohorts(real, seed, bare), ID)
    assert found.value > 0.08
    assert verdict(found) is not Verdict.PASS
    assert verdict(regular_without_p(cohorts(real, seed, bare, 0.4), ID)) is Verdict.FAIL
    clean = regular_without_p(cohorts(real, seed), ID)
    assert verdict(clean) is not Verdict.FAIL
    assert clean.value < 0.05


def test_the_share_is_a_count(real, bare):
    made = cohorts(real, 1, bare)

    def share(cohort):
        height = cohort.table.scalar("wave.p_prominence_mv")
        return np.mean((cohort.table.scalar("rhythm.irregularity") < 0.1) & ~(height >= 0.015))

    expected = abs(share(made.synthetic) - share(made.holdout))
    assert regular_without_p(made, ID).value == pytest.approx(expected)
