"""Registration against direct computation, and its laws."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from sdq_core.errors import UsageError
from sdq_imaging.coarse_stage import (
    COARSE_ANGLES,
    COARSE_SHIFTS,
    coarse_stage,
    columns,
    parities,
)
from sdq_imaging.registration import _banks, _coarse_rows, best_matches
from sdq_imaging.spectra import (
    POSES,
    centred,
    completed,
    correlation,
    cropped,
    halved,
    posed,
    shifted,
    spectrum,
    unit,
    warped,
)


def textures(n: int, seed: int, shape: tuple[int, ...] = (64, 64)) -> np.ndarray:
    """Band-passed noise: as rich as a signature gets, and unlike any other."""
    x = np.random.default_rng(seed).standard_normal((n, *shape))
    smooth = [ndimage.gaussian_filter(x, (0, *(w,) * len(shape))) for w in (0.9, 2.5)]
    return (smooth[0] - smooth[1]).astype(np.float32)


def test_correlation_equals_the_sum_over_pixels():
    q, r = textures(2, 0, (16, 16))
    query, reference = (halved(spectrum(x[None], 7)) for x in (q, r))
    surface = correlation(reference * np.conj(query), np.arange(16) / 16, 2)[0]

    def banded(x):  # the same band, by masking the full spectrum
        f = np.fft.fftfreq(16, 1 / 16)
        keep = (np.abs(f)[:, None] <= 7) & (np.abs(f)[None] <= 7)
        full = np.fft.fft2(x) * keep
        full[0, 0] = 0
        y = np.fft.ifft2(full).real
        return y / np.linalg.norm(y)

    a, b = banded(q), banded(r)
    for t in ((0, 0), (3, 0), (0, 5), (15, 9)):
        assert surface[t] == pytest.approx((np.roll(a, t, (0, 1)) * b).sum(), abs=1e-5)


@pytest.mark.parametrize("ndim", [2, 3])
def test_parities_give_the_correlation_under_every_flip(ndim):
    x = textures(3, 1, (16,) * ndim)
    s = centred(spectrum(x, 5), 16, ndim)
    parts = parities(s, ndim)
    assert sum(p.shape[-1] for p in parts) == 11**ndim
    for flips in product((False, True), repeat=ndim):
        axes = [a + 1 for a in range(ndim) if flips[a]]
        y = centred(spectrum(np.flip(x, axes), 5), 16, ndim)
        direct = (y.reshape(3, -1) @ np.conj(s.reshape(3, -1)).T).real
        odd = product((False, True), repeat=ndim)  # in the order of the parts
        signs = [(-1) ** sum(f and o for f, o in zip(flips, of, strict=True)) for of in odd]
        summed = sum(sign * (p @ p.T) for sign, p in zip(signs, parts, strict=True))
        np.testing.assert_allclose(summed, direct, atol=1e-5)


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_coarse_stage_is_the_search_over_every_pose_and_shift(ndim):
    side, band = 16, 3
    query, reference = textures(2, 3, (side,) * ndim), textures(3, 4, (side,) * ndim)
    banks = _banks(query, 7)
    lowest = centred(unit(cropped(spectrum(reference, 7), band, ndim), ndim), side, ndim)
    low = {False: columns(lowest, ndim)}
    if ndim == 2:
        low[True] = columns(np.swapaxes(lowest, -1, -2), ndim)
    found, where = coarse_stage(banks[:, _coarse_rows(ndim)], low, band, side)
    # One by one, on whole spectra about the middle: pose, then shift.
    whole = completed(banks, ndim)
    rows = [4, 10, 16] if ndim == 2 else [0, 1, 2]  # angles -5, 0 and 5 at scale 1
    bank = centred(unit(cropped(whole[:, rows], band, ndim), ndim), side, ndim)
    every = []
    for pose in POSES[ndim]:
        turned = posed(bank, pose, ndim)
        shifts = [
            (shifted(turned, s).reshape(2 * 3, -1) @ np.conj(lowest.reshape(3, -1)).T).real
            for s in product(COARSE_SHIFTS[ndim], repeat=ndim)
        ]
        every.append(np.max(shifts, axis=0).reshape(2, len(COARSE_ANGLES), 3))
    flat = np.stack(every).transpose(1, 3, 0, 2).reshape(2, 3, -1)
    np.testing.assert_allclose(found, flat.max(-1), atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(flat, where[..., None], -1)[..., 0], found,
                               atol=1e-5)  # fmt: skip


@pytest.mark.parametrize("ndim", [2, 3])
def test_poses_are_the_flips_and_quarter_turns_of_pixels(ndim):
    x = textures(1, 2, (16,) * ndim)
    seen = set()
    for transposed, flipped in POSES[ndim]:
        y = np.swapaxes(x, -1, -2) if transposed else x
        for axis in flipped:
            y = np.roll(np.flip(y, axis + 1), 1, axis + 1)
        np.testing.assert_allclose(
            posed(spectrum(x, 5), (transposed, flipped), ndim), spectrum(y, 5), atol=1e-6
        )
        seen.add(y.tobytes())
    assert len(seen) == 8


def test_warp_turns_as_scipy_does():
    x = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((1, 64, 64)), (0, 3, 3))
    x = x.astype(np.float32)
    ours = warped(x, (5.0,), (1.0,))[0, 0][8:-8, 8:-8]
    theirs = ndimage.rotate(x[0], 5.0, reshape=False, order=3)[8:-8, 8:-8]
    assert np.abs(ours - theirs).max() < 0.02 * np.abs(x).max()
    bigger = warped(x, (0.0,), (1.05,))[0, 0][8:-8, 8:-8]
    centre = 31.5
    theirs = ndimage.affine_transform(x[0], [1 / 1.05] * 2, offset=centre - centre / 1.05, order=3)
    assert np.abs(bigger - theirs[8:-8, 8:-8]).max() < 0.02 * np.abs(x).max()


@settings(max_examples=12, deadline=None)
@given(
    pose=st.sampled_from(POSES[2]),
    angle=st.floats(-6, 6),
    move=st.tuples(st.floats(-0.08, 0.08), st.floats(-0.08, 0.08)),
)
def test_a_moved_copy_is_found_and_its_move_reported(pose, angle, move):
    reference = textures(12, 3)
    copy = ndimage.rotate(reference[5], angle, reshape=False, order=3)
    copy = np.swapaxes(copy, 0, 1) if pose[0] else copy
    copy = np.flip(copy, pose[1]) if pose[1] else copy
    copy = ndimage.shift(copy, np.array(move) * 64, order=3)
    found = best_matches(copy[None], reference)
    assert found.index[0] == 5
    assert found.score[0] > found.second[0] + 0.2
    how = found.transforms[0]
    # The move that brings the copy back. A transposition may be undone by either flip.
    assert how.transposed == pose[0]
    assert len(how.flipped) == len(pose[1])
    assert abs(abs(how.angle) - abs(angle)) <= 2.0


def test_the_shift_reported_is_the_shift_made():
    reference = textures(8, 4)
    for flipped in (False, True):
        copy = np.roll(reference[2], (4, -3), (0, 1))
        copy = copy[:, ::-1] if flipped else copy
        how = best_matches(copy[None], reference).transforms[0]
        assert how.flipped == ((1,) if flipped else ())
        np.testing.assert_allclose(how.shift, (-4 / 64, 3 / 64), atol=0.25 / 64)


def test_volumes_are_registered():
    reference = textures(10, 5, (24, 24, 24))
    copy = np.roll(reference[3][:, ::-1, :], (1, -1, 2), (0, 1, 2))
    found = best_matches(copy[None], reference)
    assert (found.index[0], found.transforms[0].flipped) == (3, (1,))
    assert found.score[0] > 0.8 > found.second[0] + 0.2


def test_the_result_depends_on_neither_block_nor_order_of_references():
    query, reference = textures(7, 6), textures(30, 7)
    query[:3] = reference[[4, 9, 20]]
    a = best_matches(query, reference, block=64)
    b = best_matches(query, reference, block=2)
    np.testing.assert_array_equal(a.indices, b.indices)
    np.testing.assert_allclose(a.scores, b.scores, atol=1e-6)
    order = np.random.default_rng(0).permutation(30)
    c = best_matches(query, reference[order])
    np.testing.assert_array_equal(order[c.index], a.index)
    np.testing.assert_allclose(c.score, a.score, atol=1e-6)


def test_brightness_and_contrast_do_not_count():
    query, reference = textures(3, 8), textures(10, 9)
    a, b = best_matches(query, reference), best_matches(7 * query + 100, 0.01 * reference - 3)
    np.testing.assert_array_equal(a.index, b.index)
    np.testing.assert_allclose(a.score, b.score, atol=1e-3)


def test_pairs_of_one_subject_are_left_out_and_each_subject_is_listed_once():
    x = textures(9, 10)
    groups = np.repeat(["a", "b", "c"], 3)
    found = best_matches(x, x, query_groups=groups, reference_groups=groups)
    assert found.indices.shape == (9, 3)
    assert (found.indices[:, 2] == -1).all()
    plain = best_matches(x, x)
    for row in range(9):
        ranked = [r for r in plain.indices[row] if groups[r] != groups[row]]
        firsts = [next(r for r in ranked if groups[r] == g) for g in set(groups[ranked])]
        assert found.indices[row, :2].tolist() == sorted(firsts, key=ranked.index)


def test_slices_of_one_patient_do_not_crowd_out_the_others():
    x = textures(45, 12)
    patient = np.r_[np.zeros(15, int), np.arange(1, 31)]
    x[1:15] = x[0] + 0.3 * x[1:15]
    copy = np.roll(x[7:8], 2, axis=1)
    found = best_matches(copy, x, top=10, reference_groups=patient)
    assert found.index[0] == 7
    assert len(set(patient[found.indices[0]])) == 10
    assert found.score[0] > found.second[0] + 0.4


def test_nobody_left_is_said_plainly():
    x = textures(2, 11)
    found = best_matches(x, x, query_groups=np.zeros(2), reference_groups=np.zeros(2))
    assert found.transforms == (None, None)
    assert (found.index == -1).all()
    assert (found.score == -1).all()


@pytest.mark.parametrize(
    ("query", "reference", "word"),
    [
        (np.zeros((1, 64, 64)), textures(2, 0), "constant"),
        (textures(1, 0), textures(2, 0, (32, 32)), "shape"),
        (np.full((1, 64, 64), np.nan), textures(2, 0), "finite"),
        (textures(1, 0), np.empty((0, 64, 64)), "at least one"),
        (textures(1, 0, (8, 8)), textures(1, 0, (8, 8)), "16"),
    ],
)
def test_what_cannot_be_compared_is_refused(query, reference, word):
    with pytest.raises(UsageError, match=word):
        best_matches(query, reference)
