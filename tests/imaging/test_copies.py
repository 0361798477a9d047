"""Copies under disguise are found in real radiographs; clean real radiographs are left alone."""

from __future__ import annotations

import csv
import hashlib
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage, stats

from sdq_core.errors import UsageError
from sdq_core.hashing import array_digest
from sdq_core.statistics import attack_curve, copies, nearest_reference
from sdq_core.statistics.matches import Matches
from sdq_core.statistics.null_tail import NullTail
from sdq_imaging.copies import REGISTRATION
from sdq_imaging.registration import best_matches
from sdq_imaging.signature import signature

copy_scores = partial(copies.copy_scores, floor=REGISTRATION.floor)
membership_scores = partial(copies.membership_scores, search=REGISTRATION)
memorised = partial(copies.memorised, search=REGISTRATION)
nearest_is_train = partial(nearest_reference.nearest_is_train, search=REGISTRATION)

CXR = Path(__file__).parents[2] / "fixtures/cxr"


def signatures(images: np.ndarray) -> np.ndarray:
    return np.stack([signature(x) for x in images.astype(np.float32)]).astype(np.float32)


@cache
def radiographs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All real radiographs of the fixture, their signatures, and their subjects."""
    from PIL import Image

    images, subjects = [], []
    for role in ("train", "holdout"):
        with (CXR / role / "labels.csv").open() as file:
            for row in csv.DictReader(file):
                images.append(np.asarray(Image.open(CXR / role / row["item"]).convert("L")))
                subjects.append(row["subject"])
    stack = np.stack(images).astype(np.float32)
    return stack, signatures(stack), np.array(subjects)


def split(seed: int, sizes: tuple[int, ...]) -> list[np.ndarray]:
    """Rows of disjoint parts; a subject is in one part only."""
    _, _, subjects = radiographs()
    rng = np.random.default_rng(seed)
    parts: list[list[int]] = [[] for _ in sizes]
    for subject in rng.permutation(np.unique(subjects)):
        open_parts = [p for p, size in zip(parts, sizes, strict=True) if len(p) < size]
        if not open_parts:
            break
        open_parts[0].extend(np.flatnonzero(subjects == subject).tolist())
    return [np.array(p) for p in parts]


def shift(x, rng):
    return ndimage.shift(x, rng.uniform(-0.08, 0.08, 2) * len(x), order=1)


def rotate(x, rng):
    return ndimage.rotate(x, rng.choice([-1, 1]) * rng.uniform(3, 5), reshape=False, order=1)


def gamma_blur_noise_flip(x, rng):
    x = 255 * (x[:, ::-1] / 255) ** rng.choice([0.6, 1.7])
    return np.clip(ndimage.gaussian_filter(x, 1.5) + rng.normal(0, 8, x.shape), 0, 255)


def judge(seed, disguise=None, copies=0, sizes=(120, 70, 60)):
    """Run `memorised` on a fresh real sample, some of it replaced by disguised training images."""
    images, real, subjects = radiographs()
    train, holdout, fresh = split(seed, sizes)
    synthetic, source = real[fresh].copy(), {}
    if copies:
        rng = np.random.default_rng(seed)
        rows = rng.choice(len(fresh), copies, replace=False)
        which = rng.choice(len(train), copies, replace=False)
        disguised = np.stack([disguise(images[train[w]], rng) for w in which])
        synthetic[rows] = signatures(disguised)
        source = dict(zip(rows.tolist(), which.tolist(), strict=True))
    result = memorised(
        synthetic,
        real[train],
        real[holdout],
        train_subjects=subjects[train],
        holdout_subjects=subjects[holdout],
        repeats=200,
    )
    return result, source


@pytest.mark.parametrize("disguise", [shift, rotate, gamma_blur_noise_flip])
def test_planted_copies_are_counted_and_named(disguise):
    for seed in range(2):
        result, source = judge(seed, disguise, copies=8)
        planted = len(source) / len(result.scores)
        right = [s for s in result.suspects if source.get(s.row) == s.train_row]
        assert len(right) >= 7
        assert abs(result.share - planted) < 0.04
        assert result.interval.low > 0.02
        assert result.interval.low <= planted <= result.interval.high
        assert result.p_value < 1e-4
        assert result.control_flagged <= 3


def test_a_single_plain_copy_is_noticed():
    for seed in range(2):
        result, source = judge(seed, lambda x, _: x, copies=1)
        assert result.p_value < 0.01
        assert source.get(result.suspects[0].row) == result.suspects[0].train_row
        assert str(result.suspects[0].transform) == "none"


def test_clean_real_data_are_left_alone():
    results = [judge(seed)[0] for seed in range(5)]
    assert all(r.interval.low == 0 for r in results)
    assert np.mean([r.share for r in results]) < 0.01
    assert sum(r.p_value < 0.05 for r in results) <= 1
    assert sum(r.flagged for r in results) <= 3 * sum(r.expected for r in results) + 2


def test_the_estimate_is_the_same_every_time():
    a, b = (judge(1, shift, 3, (60, 30, 20))[0] for _ in range(2))
    assert (a.share, a.interval, a.p_value, a.suspects) == (
        b.share,
        b.interval,
        b.p_value,
        b.suspects,
    )


def test_without_a_holdout_there_are_candidates_and_a_reason():
    _, real, _ = radiographs()
    result = memorised(real[[3, 100, 101]], real[:40], candidates=2)
    assert (result.share, result.interval, result.p_value, result.flagged) == (None,) * 4
    assert "holdout" in result.reason
    assert (len(result.suspects), result.suspects[0].train_row) == (2, 3)
    assert result.suspects[0].p_value is None
    few = memorised(real[50:80], real[:40], real[80:90])
    assert few.share is None
    assert "20" in few.reason


def test_shared_subjects_do_not_make_the_null():
    """The holdout here repeats training images; with subjects known, the threshold stands."""
    _, real, subjects = radiographs()
    train, holdout, fresh = split(0, (120, 60, 60))
    leaking = np.concatenate([holdout, train[:20]])
    known = memorised(
        real[fresh],
        real[train],
        real[leaking],
        train_subjects=subjects[train],
        holdout_subjects=subjects[leaking],
        repeats=100,
    )
    unknown = memorised(real[fresh], real[train], real[leaking], repeats=100)
    assert known.null_scores.max() < unknown.null_scores.max() - 0.5
    assert known.threshold < unknown.threshold


def test_copy_score_by_hand():
    matches = Matches(np.array([[0.9, 0.6, 0.4, -1.0]]), np.array([[0, 1, 2, -1]]), (None,))
    d = [np.sqrt(2 * (1 - c) + 0.02) for c in (0.9, 0.6, 0.4)]
    assert copy_scores(matches)[0] == pytest.approx(np.log((d[1] + d[2]) / 2 / d[0]))
    with pytest.raises(UsageError, match="three"):
        copy_scores(Matches(np.array([[0.9, 0.6]]), np.array([[0, 1]]), (None,)))


def test_featureless_images_do_not_look_like_copies():
    """Everything resembles everything: near, but no nearer than the neighbourhood."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:64, :64] - 31.5
    blob = np.exp(-(x**2 + y**2) / 300)
    x = signatures(np.kron(blob + 0.003 * rng.standard_normal((120, 64, 64)), np.ones((1, 2, 2))))
    result = memorised(x[:40], x[40:80], x[80:], repeats=100)
    assert result.flagged <= 2
    assert result.interval.low == 0


def test_membership_of_copied_images_shows_and_of_others_does_not():
    images, real, subjects = radiographs()
    clean, leaky = [], []
    for seed in range(3):
        train, holdout, fresh = split(seed, (60, 60, 40))
        rng = np.random.default_rng(seed)
        copies = signatures(np.stack([shift(images[i], rng) for i in train[:30]]))
        for synthetic, out in ((real[fresh], clean), (np.r_[real[fresh], copies], leaky)):
            out.append(
                attack_curve(
                    membership_scores(real[train], synthetic),
                    membership_scores(real[holdout], synthetic),
                    groups_member=subjects[train],
                    groups_nonmember=subjects[holdout],
                )
            )
    assert abs(np.mean([c.auc for c in clean]) - 0.5) < 0.08
    assert sum(c.auc_interval.low <= 0.5 <= c.auc_interval.high for c in clean) >= 2
    assert all(c.auc_interval.low > 0.52 for c in leaky)
    # Half the members were copied: the attack should know nearly all of those.
    assert all(0.65 < c.auc < 0.85 for c in leaky)


def test_an_image_copied_many_times_is_still_a_member():
    _, real, _ = radiographs()
    rng = np.random.default_rng(0)
    train, holdout, fresh = split(5, (30, 30, 40))
    many = signatures(np.stack([shift(radiographs()[0][train[0]], rng) for _ in range(25)]))
    synthetic = np.concatenate([real[fresh], many])
    members = membership_scores(real[train], synthetic)
    assert members[0] > membership_scores(real[holdout], synthetic).max()


def test_nearest_is_train_is_half_without_memorisation_and_above_with():
    _, real, subjects = radiographs()
    shares, p = [], []
    for seed in range(3):
        train, holdout, fresh = split(10 + seed, (60, 60, 40))
        groups = {"train_subjects": subjects[train], "holdout_subjects": subjects[holdout]}
        clean = nearest_is_train(real[fresh], real[train], real[holdout], **groups)
        shares.append(clean.share)
        p.append(clean.p_value)
        assert clean.null.low < 0.5 < clean.null.high
        leaky = nearest_is_train(real[train][:30], real[train], real[holdout], **groups)
        assert leaky.share > 0.85
        assert leaky.interval.low > 0.5
        assert leaky.p_value < 0.02
    assert abs(np.mean(shares) - 0.5) < 0.15
    assert min(p) > 0.01


def test_nearest_is_train_by_brute_force():
    rng = np.random.default_rng(0)
    train, holdout, synthetic = rng.standard_normal((3, 10, 32, 32)).astype(np.float32)
    real = np.concatenate([train, holdout])
    expected = (best_matches(synthetic, real, top=20).index < 10).mean()
    assert nearest_is_train(synthetic, train, holdout, repeats=20).share == pytest.approx(expected)


@pytest.mark.parametrize("law", ["exponential", "pareto"])
def test_the_tail_extrapolates_within_its_law(law):
    """Averaged over samples, the claimed probability is met, also by a heavy tail."""
    truth = stats.expon() if law == "exponential" else stats.genpareto(0.25)
    level = 0.005
    met = [
        float(truth.sf(NullTail.fit(truth.rvs(200, random_state=s), repeats=60).quantile(level)))
        for s in range(40)
    ]
    assert 0.5 * level < np.mean(met) < 1.7 * level


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(20, 150))
def test_the_tail_is_a_survival_function(seed, n):
    scores = np.random.default_rng(seed).normal(size=n)
    tail = NullTail.fit(scores, repeats=10)
    s = [tail.survival(x) for x in np.linspace(scores.min() - 1, scores.max() + 5, 60)]
    assert s[0] == 1
    assert 0 < s[-1] < 0.05
    assert all(a >= b for a, b in pairwise(s))


def test_equal_null_scores_do_not_make_the_rest_impossible():
    tail = NullTail.fit(np.zeros(50), repeats=10)
    assert 0 < tail.survival(0.001) < 1
    with pytest.raises(UsageError, match="20"):
        NullTail.fit(np.zeros(5))


@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.int16, np.float64]),
        hnp.array_shapes(min_dims=2, max_dims=3, max_side=5),
        elements=st.integers(0, 100),
    )
)
def test_array_digest_depends_on_values_and_shape_only(pixels):
    digest = array_digest(pixels)
    assert digest == array_digest(np.asfortranarray(pixels).astype(np.float32))
    assert digest == array_digest(pixels.astype(">f8"))
    assert digest != array_digest(pixels[None])
    other = pixels.copy()
    other.flat[0] += 1
    assert digest != array_digest(other)
    assert len(digest) == len(hashlib.sha256().hexdigest())
