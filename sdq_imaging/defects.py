"""Planted defects of known severity, to learn whether the instrument sees what it should.

A defect is planted in real images that stand in for synthetic ones; whatever a measure then says
more than before is due to the defect. Here in arrays in memory, for tests and benchmarks; defects
of images are in `DEFECTS`, those of files in `sdq_imaging.file_defects.FILE_DEFECTS`. What ``sdq
calibrate`` plants in a study's own files is in `sdq_imaging.planting`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_core.vocabulary import Characteristic
from sdq_imaging.degradations import (
    Images,
    blur,
    checkerboard,
    in_type_of,
    intensity_shift,
    noise,
    shifted,
    spread,
)
from sdq_imaging.disguises import Disguise, disguised

__all__ = [
    "DEFECTS",
    "Defect",
    "Disguise",
    "Sample",
    "blur",
    "checkerboard",
    "disguised",
    "drop_class",
    "intensity_shift",
    "memorised_copies",
    "mode_collapse",
    "noise",
]


@dataclass(frozen=True, eq=False)
class Sample:
    """Images, their classes, and which of them carry a planted defect.

    Parameters
    ----------
    images : ndarray, shape (n, ..., y, x)
        Pictures (n, y, x) or volumes (n, z, y, x), integer or float.
    classes : ndarray of str, shape (n,), or None
    planted : ndarray of bool, shape (n,), or None
        None: none of them.

    Raises
    ------
    UsageError
        The lengths differ, or there are no images.

    Examples
    --------
    >>> sample = Sample(np.zeros((4, 8, 8), np.uint8))
    >>> len(sample), sample.truth.tolist()
    (4, [False, False, False, False])
    """

    images: Images
    classes: NDArray[np.str_] | None = None
    planted: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        if self.images.ndim < 3 or len(self.images) == 0:
            raise UsageError(
                f"Sample: needs at least one image in an array (n, y, x) or (n, z, y, x), "
                f"found the shape {self.images.shape}; give a stack"
            )
        for name, values in (("classes", self.classes), ("planted", self.planted)):
            if values is not None and len(values) != len(self.images):
                raise UsageError(
                    f"Sample: {len(self.images)} images but {len(values)} {name}; "
                    f"give one for each image"
                )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def truth(self) -> NDArray[np.bool_]:
        """Which images carry a planted defect, shape (n,)."""
        return np.zeros(len(self), dtype=bool) if self.planted is None else self.planted

    def take(self, rows: NDArray[np.intp]) -> Sample:
        """Return the images of some rows, in their order."""
        classes = None if self.classes is None else self.classes[rows]
        return Sample(self.images[rows], classes, self.truth[rows])


def mode_collapse(sample: Sample, k: int, rng: np.random.Generator) -> Sample:
    """Replace all images by slight variations of k of them.

    A variation is shifted by at most one pixel and gets noise of 1 % of the `spread`, so that no
    comparison of files finds it.

    Parameters
    ----------
    sample : Sample
    k : int
        Images that are kept as modes, 1..n.
    rng : numpy.random.Generator

    Returns
    -------
    Sample
        Of the same size; an image has the class of its mode.

    References
    ----------
    Srivastava et al., VEEGAN, NeurIPS 2017 (counting lost modes).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> collapsed = mode_collapse(Sample(rng.random((10, 8, 8))), 2, rng)
    >>> len(collapsed), bool(collapsed.truth.all())
    (10, True)
    """
    n = len(sample)
    if not 1 <= k <= n:
        raise UsageError(f"mode_collapse: k must be in 1..{n}, the number of images; got {k}")
    modes = rng.choice(n, k, replace=False)
    # Every mode occurs: k is exact, not just an upper bound.
    rows = rng.permutation(np.concatenate((modes, rng.choice(modes, n - k))))
    made = sample.take(rows)
    moved = np.stack([shifted(i, *rng.integers(-1, 2, 2)) for i in made.images])
    images = noise(moved, 0.01, rng)
    return replace(made, images=images, planted=np.ones(n, dtype=bool))


def drop_class(
    sample: Sample, name: str, rng: np.random.Generator, *, share: float = 1.0
) -> Sample:
    """Leave out images of one class; nothing takes their place.

    Parameters
    ----------
    sample : Sample
        With classes.
    name : str
        Class to drop.
    rng : numpy.random.Generator
    share : float
        Share of the class that is left out, 0..1.

    Returns
    -------
    Sample
        Smaller; nothing in it is marked as planted, as the defect is in what is not there.

    References
    ----------
    Sajjadi et al., NeurIPS 2018 (recall against dropped classes).

    Examples
    --------
    >>> sample = Sample(np.zeros((4, 8, 8)), np.array(["a", "b", "a", "b"]))
    >>> drop_class(sample, "b", np.random.default_rng(0)).classes.tolist()
    ['a', 'a']
    """
    _share("drop_class", share)
    if sample.classes is None or name not in sample.classes:
        raise UsageError("drop_class: no image has the class to drop; name a class of the sample")
    members = np.flatnonzero(sample.classes == name)
    lost = rng.choice(members, round(share * len(members)), replace=False)
    kept = np.setdiff1d(np.arange(len(sample)), lost)
    if len(kept) == 0:
        raise UsageError(
            "drop_class: all images are of the class to drop, none would be left; "
            "give a sample of two classes or a smaller share"
        )
    return sample.take(kept)


def memorised_copies(
    sample: Sample, train: Sample, share: float, disguise: Disguise, rng: np.random.Generator
) -> Sample:
    """Replace images by copies of training images, disguised.

    Parameters
    ----------
    sample : Sample
    train : Sample
        The images that the generator learned from; of the same shape as those of `sample`.
    share : float
        Share that is replaced, 0..1; at least one image where it is above 0.
    disguise : str
        See `disguised`.
    rng : numpy.random.Generator

    Returns
    -------
    Sample
        With the copies marked; a copy has the class of its original.

    References
    ----------
    Carlini et al., Extracting training data from diffusion models, USENIX Security 2023.
    Dar et al., Nature Biomedical Engineering 2025 (copies in medical latent diffusion sets,
    disguised by flips, rotations and contrast).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> train, new = Sample(rng.random((20, 8, 8))), Sample(rng.random((10, 8, 8)))
    >>> planted = memorised_copies(new, train, 0.2, "exact", rng)
    >>> int(planted.truth.sum())
    2
    """
    _share("memorised_copies", share)
    if sample.images.shape[1:] != train.images.shape[1:]:
        raise UsageError(
            f"memorised_copies: images have the shape {sample.images.shape[1:]}, training images "
            f"{train.images.shape[1:]}; bring them to one shape"
        )
    n = len(sample)
    count = min(n, max(1, round(share * n))) if share > 0 else 0
    places = rng.choice(n, count, replace=False)
    originals = rng.choice(len(train), count, replace=count > len(train))
    images, truth = sample.images.copy(), sample.truth.copy()
    width = spread(train.images)
    for place, original in zip(places, originals, strict=True):
        copy = disguised(train.images[original], disguise, rng, width=width)
        images[place] = in_type_of(images, copy)
    truth[places] = True
    classes = sample.classes
    if classes is not None and train.classes is not None:
        names = classes.tolist()
        for place, original in zip(places, originals, strict=True):
            names[place] = str(train.classes[original])
        classes = np.array(names, dtype=np.str_)
    return Sample(images, classes, truth)


def _share(name: str, share: float) -> None:
    if not 0 <= share <= 1:
        raise UsageError(f"{name}: share must be in 0..1, got {share}")


Apply = Callable[[Sample, Sample, float, np.random.Generator], Sample]


@dataclass(frozen=True, slots=True)
class Defect:
    """One kind of defect, to be planted at any severity.

    Parameters
    ----------
    name : str
    target : Characteristic
        The characteristic whose measures must see it.
    severity_range : tuple of float
        From hardly visible to gross, in `unit`.
    unit : str
        What the severity is: a share, pixels.
    source : str
        Why it matters: paper or clause.
    apply : callable
        ``apply(sample, train, severity, rng) -> Sample``; `train` is used where copies are
        planted. Pure: neither sample is changed.

    Examples
    --------
    >>> by_name = {d.name: d for d in DEFECTS}
    >>> by_name["blur"].target.value, by_name["blur"].severity_range
    ('fidelity', (0.3, 2.0))
    """

    name: str
    target: Characteristic
    severity_range: tuple[float, float]
    unit: str
    source: str
    apply: Apply


def _fixed(
    change: Callable[[Images, float], Images],
    sample: Sample,
    train: Sample,
    severity: float,
    rng: np.random.Generator,
) -> Sample:
    everywhere = np.ones(len(sample), dtype=bool)
    return replace(sample, images=change(sample.images, severity), planted=everywhere)


def _random(
    change: Callable[[Images, float, np.random.Generator], Images],
    sample: Sample,
    train: Sample,
    severity: float,
    rng: np.random.Generator,
) -> Sample:
    everywhere = np.ones(len(sample), dtype=bool)
    return replace(sample, images=change(sample.images, severity, rng), planted=everywhere)


def _collapse(sample: Sample, train: Sample, severity: float, rng: np.random.Generator) -> Sample:
    return mode_collapse(sample, max(1, round((1 - severity) * len(sample))), rng)


def _drop(sample: Sample, train: Sample, severity: float, rng: np.random.Generator) -> Sample:
    if sample.classes is None:
        raise UsageError("drop_class: the sample has no classes; give it their labels")
    return drop_class(sample, str(max(sample.classes)), rng, share=severity)


def _copies(
    disguise: Disguise, sample: Sample, train: Sample, severity: float, rng: np.random.Generator
) -> Sample:
    return memorised_copies(sample, train, severity, disguise, rng)


_HEUSEL = "Heusel et al., NeurIPS 2017, section A1"
_COPIES = "Carlini et al., USENIX Security 2023; Dar et al., Nature Biomedical Engineering 2025"

DEFECTS: Final[tuple[Defect, ...]] = (
    Defect("blur", Characteristic.FIDELITY, (0.3, 2.0), "pixels", _HEUSEL, partial(_fixed, blur)),
    Defect("noise", Characteristic.FIDELITY, (0.005, 0.1), "share of the spread", _HEUSEL,
           partial(_random, noise)),
    Defect("checkerboard", Characteristic.FIDELITY, (0.005, 0.05), "share of the spread",
           "Odena et al. 2016, doi:10.23915/distill.00003; Durall et al., CVPR 2020",
           partial(_fixed, checkerboard)),
    Defect("intensity_shift", Characteristic.FIDELITY, (0.02, 0.25), "share of the spread",
           "Nyul, Udupa and Zhang 2000, doi:10.1109/42.836373", partial(_fixed, intensity_shift)),
    Defect("mode_collapse", Characteristic.FIDELITY, (0.5, 0.98), "share of modes lost",
           "Srivastava et al., VEEGAN, NeurIPS 2017", _collapse),
    Defect("drop_class", Characteristic.BALANCE, (0.3, 1.0), "share of the class lost",
           "Sajjadi et al., NeurIPS 2018", _drop),
    *(Defect(f"memorised_copies_{disguise}", Characteristic.PRIVACY, (0.01, 0.3),
             "share of copies", _COPIES, partial(_copies, disguise))
      for disguise in get_args(Disguise)),
)  # fmt: skip
"""All defects of images; `mode_collapse` loses a share of the modes, `drop_class` drops the last
class in alphabetical order, copies are planted in each disguise."""
