"""The signal measures of fidelity: what each sees, what it leaves alone, and reasons."""

from dataclasses import replace

import numpy as np
import pytest
from cohorts_made import RATE, cohort, cohorts, study_of, write
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.distance import cdist

from sdq_core.characteristics.comparison import Comparison, compare_scalars, real_scalars
from sdq_core.cohort import Cohorts
from sdq_core.judging import judge_all
from sdq_core.measurement import Measurement
from sdq_core.modality import load_modality
from sdq_core.profiles import load_profile
from sdq_core.statistics import gram, weighted_discrepancy
from sdq_core.vocabulary import Verdict
from sdq_signals.atypical import _residuals, atypical_beats
from sdq_signals.fidelity import APART, SignalsFidelity
from sdq_signals.simulated_ecg import simulate

FIDELITY = SignalsFidelity("signals")
DECIDING = ("spectrum", "morphology", "rhythm", "coherence", "energy")


def values(made, *names):
    """Measurements of some parts, by id and variant."""
    found = {}
    for name in names or DECIDING:
        for output in getattr(FIDELITY, name)(made):
            assert isinstance(output, Measurement)
            key = output.id.rpartition(".")[2]
            found[key if output.variant is None else f"{key}[{output.variant}]"] = output
    return found


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    return cohorts(tmp_path_factory.mktemp("clean"))


def test_parts_are_the_promised_measures():
    assert " ".join(m for part in FIDELITY.parts() for m in part.measures) == (
        "marginal_share_consistent spectrum_distance morphology_distance rhythm_distance "
        "coherence_distance energy_distance frechet_distance kernel_distance precision recall "
        "density coverage c2st_auc conditional_excess"
    )


def test_another_sample_lies_inside_its_noise_floor(clean):
    for name, found in values(clean).items():
        assert found.value is not None, name
        assert found.interval.low <= found.value <= found.interval.high
        width = found.noise_floor.high - found.noise_floor.centre
        assert found.value < found.noise_floor.centre + 3 * width, name


def rebuilt(**options):
    return lambda samples: simulate(len(samples), rate=RATE, seed=99, **options).samples


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (rebuilt(heart_rate=100), ("rhythm_distance[rate]", "rhythm_distance[rate-shift]")),
        (rebuilt(heart_rate_sd=1.0), ("rhythm_distance[rate-spread]",)),
        (rebuilt(hrv=0.0), ("rhythm_distance[variability]",)),
        (
            rebuilt(qrs_extra_ms=40),
            (
                "morphology_distance[interval-shift]",
                "morphology_distance[mean-beat]",
                "morphology_distance[intervals]",
                "energy_distance[named-features]",
            ),
        ),
        (lambda x: 1.5 * x, ("morphology_distance[shift]",)),
        (
            rebuilt(without_p=1.0),
            (
                "morphology_distance[p-waves]",
                "morphology_distance[regular-without-p]",
            ),
        ),
        (lambda x: x + np.random.default_rng(0).normal(0, 0.02, x.shape), ("spectrum_distance",)),
        (lambda x: x[:, np.random.default_rng(0).permutation(12)], ("coherence_distance",)),
        (
            lambda x: x[:, [0, 1, 2, 3, 4, 5, 8, 7, 6, 9, 10, 11]],
            (
                "morphology_distance[atypical-leads]",
                "morphology_distance[wiring]",
            ),
        ),
        (lambda x: -x, ("morphology_distance[wiring]",)),
        (lambda x: gaussian_filter1d(x, 1.0, axis=2), ("spectrum_distance[shift]",)),
    ],
    ids=lambda v: v[0] if isinstance(v, tuple) else "",
)
def test_each_defect_stands_out_where_it_should(change, seen, tmp_path):
    measured = values(cohorts(tmp_path, change=change))
    for found in (measured[name] for name in seen):
        floor = found.noise_floor
        assert found.interval.low > floor.centre + 2 * (floor.high - floor.centre)
        assert found.details.get("p", 0.001) <= 0.001


def test_energy_distance_equals_its_definition(clean):
    found = values(clean, "energy")["energy_distance[named-features]"]
    names = real_scalars(clean, without=APART)
    comparison = compare_scalars(clean, names, clean.seed("comparison/named-features"))
    x, y = (comparison.values[r] for r in (comparison.reference, comparison.synthetic))
    n, m = len(x), len(y)
    expected = (
        2 * cdist(x, y).mean()
        - cdist(x, x).sum() / (n * (n - 1))
        - cdist(y, y).sum() / (m * (m - 1))
    )
    assert found.value == pytest.approx(expected, rel=1e-6)
    k = gram(comparison.values, "energy")
    np.testing.assert_allclose(k, -cdist(comparison.values, comparison.values), atol=1e-5)
    assert weighted_discrepancy(k, *comparison.observed_weights, comparison.groups)[
        0
    ] == pytest.approx(expected, rel=1e-6)


def test_spectrum_and_coherence_are_differences_of_means(clean):
    found = values(clean, "spectrum", "coherence")
    tables = {c.role: c.table for c in clean.all}
    for name, prefix, factor in (
        ("spectrum_distance", "spectrum.band_", 10 / np.log(10)),
        ("coherence_distance", "coherence.", 1.0),
    ):
        names = [n for n in tables["synthetic"].scalar_names if n.startswith(prefix)]
        means = [
            np.array([tables[r].scalar(n).mean() for n in names]) for r in ("holdout", "synthetic")
        ]
        expected = factor * np.sqrt(np.mean((means[0] - means[1]) ** 2))
        assert found[name].value == pytest.approx(expected, rel=1e-6)


def test_pictures_hold_no_single_real_recording(clean):
    details = values(clean, "morphology")["morphology_distance[mean-beat]"].details
    panels = details["curves"]["panels"]
    assert [p["title"] for p in panels][:3] == ["I", "II", "III"]
    lead = panels[1]
    assert len(lead["x"]) == len(lead["real"]) == len(lead["synthetic_high"]) == 80
    assert np.all(np.array(lead["real_low"]) <= np.array(lead["real_high"]))


def test_signals_without_beats_get_reasons(tmp_path):
    study = study_of(tmp_path)
    rng = np.random.default_rng(0)
    made = {}
    for role in ("train", "holdout", "synthetic"):
        noise = rng.normal(0, 20, (12, 2, 2500))
        path = write(tmp_path / f"{role}.npz", noise, channels=("Fp1", "O2"), units="uV")
        made[role] = cohort(path, role, study)
    eeg = Cohorts(study, made["train"], made["synthetic"], made["holdout"])
    found = values(eeg)
    for name in ("morphology_distance", "rhythm_distance"):
        assert found[name].value is None
        assert "heart beats" in found[name].reason
    assert found["coherence_distance"].value is not None
    assert found["spectrum_distance"].value is not None


def test_a_synthetic_cohort_without_beats_is_no_excuse(tmp_path):
    """Only the real cohorts decide what is applicable."""
    noise = np.random.default_rng(1).normal(0, 0.2, (40, 12, 2500)).astype(np.float32)
    made = cohorts(tmp_path, change=lambda x: noise)
    found = values(made)
    for name in ("morphology_distance[intervals]", "morphology_distance[mean-beat]",
                 "rhythm_distance[rate]", "energy_distance[named-features]"):  # fmt: skip
        floor = found[name].noise_floor
        assert found[name].interval.low > floor.centre + 3 * (floor.high - floor.centre), name


def test_a_defect_of_a_part_shows_in_that_part(tmp_path):
    change = rebuilt(qrs_extra_ms=60, qrs_extra_share=0.3)
    made = cohorts(tmp_path, n=(100, 100, 100), change=change)
    found = values(made, "morphology")
    for variant in ("atypical", "atypical-beats"):
        measured = found[f"morphology_distance[{variant}]"]
        floor = measured.noise_floor
        assert measured.interval.low > floor.centre + 2 * (floor.high - floor.centre), variant


def beats_made(n, rng, off=0.0):
    """Mixtures of five shapes over 60 samples, of any amplitude; and a part outside of them."""
    shapes = np.eye(60)[:5]
    mixed = rng.uniform(0.5, 2, (n, 1)) * (rng.uniform(0.5, 1.5, (n, 5)) @ shapes)
    norm = np.linalg.norm(mixed, axis=1, keepdims=True)
    return mixed + off * norm * np.eye(60)[59]


@pytest.mark.parametrize("seed", range(3))
def test_beats_outside_the_span_of_real_ones_are_counted_and_mixtures_are_not(seed):
    rng = np.random.default_rng(seed)
    n = 100

    def compared(synthetic):
        values = np.concatenate([beats_made(2 * n, rng), synthetic])
        rows = np.arange(3 * n)
        return Comparison(
            values=values, raw=values, groups=rows.astype(str), pool=rows[: 2 * n],
            reference=rows[n : 2 * n], synthetic=rows[2 * n :], names=(), seed=seed,
            roles=np.repeat(["train", "holdout", "synthetic"], n), rows=rows % n, floor_method="",
        )  # fmt: skip

    odd = np.concatenate([beats_made(n - 20, rng), beats_made(20, rng, off=0.5)])
    comparison = compared(odd)
    residual, components = _residuals(comparison)
    assert components == 40
    # A unit beat with half its norm outside: 0.5 / sqrt(1.25) of it cannot be explained.
    np.testing.assert_allclose(residual[-20:], 0.5 / np.sqrt(1.25), rtol=1e-6)
    assert residual[:-20].max() < 1e-6
    assert atypical_beats(comparison, "signals.fidelity.morphology_distance", 0.02).value > 0.15
    scaled = replace(comparison, raw=comparison.raw * rng.uniform(0.1, 10, (3 * n, 1)))
    np.testing.assert_allclose(_residuals(scaled)[0], residual, atol=1e-9)


def test_no_component_has_seen_the_beat_that_it_explains():
    rng = np.random.default_rng(0)
    values = np.abs(rng.standard_normal((90, 60)))
    values[:10] = values[0]  # one person with ten beats of his own
    rows = np.arange(90)
    groups = np.where(rows < 10, "one", rows.astype(str))
    comparison = Comparison(
        values=values, raw=values, groups=groups, pool=rows[:60], reference=rows[30:60],
        synthetic=rows[60:], names=(), roles=np.full(90, ""), rows=rows, seed=1, floor_method="",
    )  # fmt: skip
    residual = _residuals(comparison)[0]
    # Noise is not explained by other noise, although the ten span a component by themselves.
    assert np.abs(residual[:60].mean() - residual[60:].mean()) < 0.1
    assert residual[:10].min() > 0.3


@pytest.mark.parametrize("persons", [3, 20])
def test_one_lead_and_few_persons_get_reasons_and_no_error(persons, tmp_path):
    study = study_of(tmp_path)
    made = {}
    for k, role in enumerate(("train", "holdout", "synthetic")):
        samples = simulate(persons, rate=RATE, seconds=40, seed=k).samples[:, 1:2]
        path = tmp_path / f"{role}.npz"
        windows = (
            samples.reshape(persons, 1, 4, -1).transpose(0, 2, 1, 3).reshape(persons * 4, 1, -1)
        )
        subject = np.repeat([f"{role}{n}" for n in range(persons)], 4)
        write(path, windows, channels=("II",), subject=subject)
        made[role] = cohort(path, role, study)
    single = Cohorts(study, made["train"], made["synthetic"], made["holdout"])
    found = [m for m in FIDELITY.measure(single) if isinstance(m, Measurement)]
    assert not [m.reason for m in found if m.reason and "stopped" in m.reason]
    by_variant = {(m.id.rpartition(".")[2], m.variant): m for m in found}
    assert not by_variant["morphology_distance", "atypical-leads"].applicable
    rate = by_variant["rhythm_distance", "rate"]
    if persons < 6:
        assert "subjects a side" in rate.reason
        return
    signals = load_modality("signals")
    profile = load_profile("default", signals.profile_folder(), "signals", signals.default_profile)
    fidelity = [
        j for j in judge_all(found, profile) if j.criterion and ".fidelity." in j.criterion.id
    ]
    assert Verdict.NOT_ASSESSED not in [j.verdict for j in fidelity]
