"""Best registered correlation of small band-passed signatures, all pairs at once.

A copy may hide behind a flip, a quarter turn, a shift, a small rotation or a rescaling, none of
which a distance between embeddings or pixels survives. The search has two stages, both on spectra:

1. coarse: every query, under every flip and quarter turn, three angles and a grid of small shifts,
   against every reference, on the few lowest frequencies, as matrix products;
2. fine: the `top` candidates of each query, in the flip and quarter turn that the coarse stage met
   them in, by cross-correlation over a grid of shifts, of angles about the coarse one and of
   scales; then on a finer grid about the highest places, and between its points.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.matches import Matches
from sdq_imaging.coarse_stage import COARSE_ANGLES, COARSE_BAND, coarse_stage, columns
from sdq_imaging.spectra import (
    POSES,
    centred,
    correlation,
    cropped,
    half_spectrum,
    halved,
    posed,
    spectrum,
    unit,
    warped,
)

__all__ = ["Transform", "best_matches"]

_ANGLES: Final = {2: (-7.5, -5.0, -2.5, 0.0, 2.5, 5.0, 7.5), 3: (-5.0, 0.0, 5.0)}  # degrees
_SCALES: Final = {2: (0.95, 1.0, 1.05), 3: (1.0,)}
_CONTRAST_WIDTH: Final = 5 / 64  # of the side; local contrast is evened out on this scale
_CONTRAST_FLOOR: Final = 0.3  # of the root mean square: what is flatter stays flat
_FADE: Final = 0.15  # of the side, at each border
_FINE_BAND: Final = 15  # of the fine stage: a band-pass leaves next to nothing above it
_REACH: Final = 0.2  # of the side: largest shift of the fine stage
_OF_ONE_SUBJECT: Final = 3  # items that the coarse stage hands on
_REFINED: Final = 3  # angles and scales of each candidate that a finer grid is laid on


@dataclass(frozen=True, slots=True)
class Transform:
    """How a query was moved to meet its best match, in this order; as text, in words.

    Parameters
    ----------
    angle : float
        Degrees in the plane of the last two axes.
    scale : float
        Magnification in that plane.
    transposed : bool
        The last two axes were exchanged; with one flip this is a quarter turn.
    flipped : tuple of int
        Axes that were reversed.
    shift : tuple of float
        Cyclic shift along each axis, as a share of the side.

    Examples
    --------
    >>> str(Transform(2.5, 1.0, False, (1,), (0.0, 0.03)))
    'rotate 2.5 deg, flip x, shift (0.000, 0.030)'
    """

    angle: float
    scale: float
    transposed: bool
    flipped: tuple[int, ...]
    shift: tuple[float, ...]

    def __str__(self) -> str:
        names = "zyx"[3 - len(self.shift) :]
        parts = [f"rotate {self.angle:g} deg"] if self.angle else []
        parts += [f"scale {self.scale:g}"] if self.scale != 1 else []
        parts += ["transpose"] if self.transposed else []
        parts += ["flip " + "".join(names[a] for a in self.flipped)] if self.flipped else []
        if any(abs(s) >= 0.005 for s in self.shift):
            parts.append(
                "shift (" + ", ".join(f"{round(s, 3) + 0.0:.3f}" for s in self.shift) + ")"
            )
        return ", ".join(parts) or "none"


def best_matches(
    query: NDArray[np.floating],
    reference: NDArray[np.floating],
    *,
    top: int = 20,
    block: int = 64,
    query_groups: NDArray[np.generic] | None = None,
    reference_groups: NDArray[np.generic] | None = None,
) -> Matches:
    """Find the references that correlate best with each query after registration.

    Parameters
    ----------
    query : ndarray, shape (n, s, s) or (n, s, s, s)
        Signatures: band-passed thumbnails. Mean and norm are taken out here.
    reference : ndarray, shape (m, s, s) or (m, s, s, s)
    top : int
        Candidates that the coarse stage hands to the fine one, and neighbours returned.
    block : int
        Queries handled at a time; it changes the memory in use and no result.
    reference_groups : ndarray, shape (m,), optional
        Subjects of the references. Each is listed once, by its best item: slices of one patient
        are no neighbours of each other.
    query_groups : ndarray, shape (n,), optional
        Subjects of the queries; pairs of one subject are left out. Needs `reference_groups`.

    Returns
    -------
    Matches

    Raises
    ------
    UsageError
        Shapes do not fit, there is no reference, a value is not finite, a signature is constant.

    Notes
    -----
    The score is ``max over T of <T q, r> / (|T q| |r|)``, T running over flips and quarter turns
    (of square images; flips alone for volumes), rotations of up to 7.5 degrees (5 for volumes),
    scales of 0.95 to 1.05 (1 for volumes) and cyclic shifts of up to a fifth of the side: the
    normalised cross-correlation of Lewis, "Fast normalized cross-correlation", Vision Interface
    1995, evaluated on Fourier coefficients. Ties go to the lower row.

    Time is linear in n m (coarse stage) plus linear in n ``top`` (fine stage). Memory is that of
    the inputs, of one block and of ``block x m`` scores.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> reference = rng.standard_normal((30, 64, 64))
    >>> query = np.roll(reference[7:8, :, ::-1], 3, axis=1)
    >>> found = best_matches(query, reference)
    >>> int(found.index[0]), bool(found.score[0] > 0.9), str(found.transforms[0])
    (7, True, 'flip x, shift (-0.047, 0.000)')
    """
    query, reference = _checked("query", query), _checked("reference", reference)
    if query.shape[1:] != reference.shape[1:]:
        raise UsageError(
            f"reference: signatures must have the shape of the queries {query.shape[1:]}, "
            f"found {reference.shape[1:]}; make both with the same settings"
        )
    if top < 1 or block < 1:
        raise UsageError(f"top and block must be at least 1, found {top} and {block}")
    if query_groups is not None and reference_groups is None:
        raise UsageError("query_groups: give reference_groups too")
    subjects = None
    if reference_groups is not None:
        names, subjects = np.unique(np.asarray(reference_groups), return_inverse=True)
        subjects = None if len(names) == len(reference) else subjects  # each is its own subject
    query, reference = _normalised(query), _normalised(reference)
    ndim, side = query.ndim - 1, query.shape[1]
    top = min(top, len(reference) if subjects is None else int(subjects.max()) + 1)
    fine = min(_FINE_BAND, (side - 1) // 2)
    coarse = min(COARSE_BAND[ndim], fine)
    spectra = spectrum(reference, fine)
    lowest = centred(unit(cropped(spectra, coarse, ndim), ndim), side, ndim)
    low = {False: columns(lowest, ndim)}
    if ndim == 2:
        low[True] = columns(np.swapaxes(lowest, -1, -2), ndim)
    scores = np.empty((len(query), top))
    indices = np.empty((len(query), top), np.intp)
    transforms: list[Transform | None] = []
    for start in range(0, len(query), block):
        rows = slice(start, start + block)
        banks = _banks(query[rows], fine)
        similarity, poses = coarse_stage(banks[:, _coarse_rows(ndim)], low, coarse, side)
        if query_groups is not None and reference_groups is not None:
            same = np.asarray(query_groups)[rows, None] == np.asarray(reference_groups)[None, :]
            similarity[same] = -np.inf
        np.conj(banks, out=banks)
        order = np.argsort(-similarity, axis=1, kind="stable")
        for i, ranked in enumerate(order):
            candidates = ranked[:top] if subjects is None else _spread(ranked, subjects, top)
            possible = candidates[np.isfinite(similarity[i, candidates])]
            if not len(possible):
                scores[start + i], indices[start + i] = -1.0, -1
                transforms.append(None)
                continue
            found, which, places = _fine(banks[i], spectra[possible], poses[i, possible])
            # Rows ascending within equal scores, so that the answer does not depend on `top`.
            rank = np.lexsort((possible, -found))
            if subjects is not None:  # the first of each subject, in the order of the ranks
                rank = rank[np.sort(np.unique(subjects[possible[rank]], return_index=True)[1])]
            n, first = len(rank), rank[0]
            scores[start + i] = np.r_[found[rank], np.full(top - n, -1.0)]
            indices[start + i] = np.r_[possible[rank], np.full(top - n, -1)]
            pose = POSES[ndim][poses[i, possible[first]] // len(COARSE_ANGLES)]
            transforms.append(_transform(pose, int(which[first]), places[first], side))
    return Matches(scores, indices, tuple(transforms))


def _checked(name: str, values: NDArray[np.floating]) -> NDArray[np.float32]:
    values = np.asarray(values, np.float32)
    if values.ndim not in (3, 4) or len(values) == 0 or len(set(values.shape[1:])) != 1:
        raise UsageError(
            f"{name}: needs at least one square (or cubic) signature, shape (n, s, s) or "
            f"(n, s, s, s), found shape {values.shape}"
        )
    if values.shape[1] < 16:
        raise UsageError(f"{name}: signatures need a side of at least 16, found {values.shape[1]}")
    if not np.isfinite(values).all():
        raise UsageError(f"{name}: signatures must be finite; leave out items without one")
    axes = tuple(range(1, values.ndim))
    centred = values - values.mean(axes, keepdims=True)
    norms = np.sqrt((centred.astype(np.float64) ** 2).sum(axes, keepdims=True))
    if (norms <= 1e-6 * np.abs(values).max(axes, keepdims=True)).any():
        raise UsageError(f"{name}: a constant signature has no correlation; leave it out")
    result: NDArray[np.float32] = (centred / norms).astype(np.float32)
    return result


def _spread(ranked: NDArray[np.intp], subjects: NDArray[np.intp], top: int) -> NDArray[np.intp]:
    """Take the best items of the `top` best subjects, a few of each, in the order given."""
    subject = subjects[ranked]
    by_subject = np.argsort(subject, kind="stable")  # and within a subject by rank
    sizes = np.bincount(subject)
    starts = (np.cumsum(sizes) - sizes)[subject[by_subject]]
    nth = np.empty(len(ranked), np.intp)
    nth[by_subject] = np.arange(len(ranked)) - starts
    last = np.flatnonzero(nth == 0)[:top][-1]  # where the last of these subjects comes in
    within = np.isin(subject, subject[: last + 1])
    return ranked[within & (nth < _OF_ONE_SUBJECT)]


def _banks(query: NDArray[np.float32], band: int) -> NDArray[np.complex64]:
    """Half spectra of the queries at every angle and scale, shape (n, angles x scales, ...)."""
    ndim = query.ndim - 1
    moved = warped(query, _ANGLES[ndim], _SCALES[ndim])
    flat = half_spectrum(moved.reshape(-1, *query.shape[1:]), band)
    return flat.reshape(*moved.shape[:2], *flat.shape[1:])


def _coarse_rows(ndim: int) -> list[int]:
    """Return where the coarse angles stand among all angles and scales."""
    scales, unscaled = len(_SCALES[ndim]), _SCALES[ndim].index(1.0)
    return [_ANGLES[ndim].index(a) * scales + unscaled for a in COARSE_ANGLES]


def _fine(
    bank: NDArray[np.complex64], candidates: NDArray[np.complex64], poses: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]]:
    """Correlation of one query with each of its candidates, at which angle and scale, and where.

    ``bank``: the conjugate half spectra of the query at every angle and scale; ``poses``: as the
    coarse stage numbers them. The candidate is brought into the pose of the query, which is one
    spectrum instead of one for each angle and scale; places are turned back at the end.
    """
    ndim = candidates.ndim - 1
    c, length, scales = len(candidates), candidates.shape[-1], len(_SCALES[ndim])
    pose, angle = np.divmod(poses, len(COARSE_ANGLES))
    middle = np.array([_ANGLES[ndim].index(a) for a in COARSE_ANGLES])[angle]
    first = np.clip(middle - 1, 0, len(_ANGLES[ndim]) - 3) * scales
    warps = first[:, None] + np.arange(3 * scales)
    back = np.take_along_axis(
        candidates.reshape(c, -1), _permutations(length, ndim)[pose], axis=1
    ).reshape(c, 1, *(length,) * (ndim - 1), -1)
    joint = bank[warps]
    joint *= back

    grid = length + 1
    reach = int(_REACH * grid)
    surface = correlation(joint, np.arange(-reach, reach + 1) / grid, ndim)
    surface = surface.reshape(c, warps.shape[1], -1)
    likely = np.argsort(-surface.max(2), axis=1, kind="stable")[:, :_REFINED]
    rows = np.arange(c)[:, None]
    at = np.unravel_index(surface[rows, likely].argmax(2), (2 * reach + 1,) * ndim)
    centres = (np.stack(at, axis=-1) - reach) / grid

    steps = np.arange(-2, 3) / (2 * grid)
    patches = correlation(joint[rows, likely], steps, ndim, centres)
    chosen = patches.reshape(c, likely.shape[1], -1).max(2).argmax(1)
    each = np.arange(c)
    heights, offsets = _peaks(patches[each, chosen])
    places = centres[each, chosen] + offsets / (2 * grid)
    for place, number in zip(places, pose, strict=True):
        transposed, flipped = POSES[ndim][number]
        if transposed:
            place[-2:] = place[-2:][::-1].copy()
        place[list(flipped)] *= -1
    return heights, warps[each, likely[each, chosen]], places


@lru_cache
def _permutations(length: int, ndim: int) -> NDArray[np.intp]:
    """For each pose, where the entries of a half spectrum that is brought back come from."""
    places: Any = np.arange(length**ndim).reshape((length,) * ndim)
    # `posed` only moves entries: its inverse says where each came from.
    inverse: list[Any] = [np.argsort(posed(places, pose, ndim), axis=None) for pose in POSES[ndim]]
    return np.stack([halved(i.reshape(places.shape)).ravel() for i in inverse])


def _peaks(patches: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Heights of the highest points of small patches, and their places from the middle, in steps.

    Between grid points by a parabola along each axis.
    """
    n, width, ndim = len(patches), patches.shape[1], patches.ndim - 1
    flat = patches.reshape(n, -1).astype(np.float64)
    top = flat.argmax(1)
    centre = flat[np.arange(n), top]
    heights, places = centre.copy(), np.empty((n, ndim))
    for axis, at in enumerate(np.unravel_index(top, patches.shape[1:])):
        stride = width ** (ndim - 1 - axis)
        inner = (at > 0) & (at < width - 1)
        step = np.where(inner, stride, 0)
        before, after = flat[np.arange(n), top - step], flat[np.arange(n), top + step]
        # Three equal points are a plateau, or the border of the patch: the peak is where it is.
        bend = before - 2 * centre + after
        offset = np.divide(0.5 * (before - after), bend, out=np.zeros(n), where=bend < 0)
        heights -= 0.25 * (before - after) * offset
        places[:, axis] = at - width // 2 + offset
    return np.minimum(heights, 1.0), places


def _normalised(signatures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Even out local contrast, take out straight borders, and fade to zero at the edge.

    Collimator blades, table edges and black fill are long straight lines that many images of one
    device share; without this they outweigh the anatomy, in false matches as in missed ones.
    """
    from scipy.ndimage import gaussian_filter

    ndim, side = signatures.ndim - 1, signatures.shape[1]
    axes = tuple(range(1, ndim + 1))
    rms = np.sqrt((signatures**2).mean(axes, keepdims=True))
    width = (0.0, *(_CONTRAST_WIDTH * side,) * ndim)
    energy = gaussian_filter(signatures**2, width, mode="nearest")
    even = signatures / (np.sqrt(energy) + _CONTRAST_FLOOR * rms)
    for axis in axes:  # what is constant along an axis
        even = even - even.mean(axis, keepdims=True)
    edge = np.minimum(np.arange(side), np.arange(side)[::-1]) + 0.5
    fade = 0.5 - 0.5 * np.cos(np.pi * np.clip(edge / (_FADE * side), 0, 1))
    for axis in axes:
        even = even * fade.reshape([-1 if a == axis else 1 for a in range(ndim + 1)])
    result: NDArray[np.float32] = even.astype(np.float32)
    return result


def _transform(
    pose: tuple[bool, tuple[int, ...]], which: int, place: NDArray[np.float64], side: int
) -> Transform:
    ndim = len(place)
    angle, scale = divmod(which, len(_SCALES[ndim]))
    # Spectra are reversed about the first pixel, images about the middle: one pixel of difference.
    shift = tuple(float(p) + (1 / side if a in pose[1] else 0) for a, p in enumerate(place))
    return Transform(_ANGLES[ndim][angle], _SCALES[ndim][scale], *pose, shift)
