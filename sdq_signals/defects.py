"""Planted defects in arrays, to learn whether the instrument sees what it should.

What `sdq calibrate` plants in a user's own files is the catalogue of `sdq_signals.planting`.

A defect is planted in good recordings that stand in for synthetic ones; whatever a measure then
says more than before is due to the defect. `DEFECTS` change arrays of samples, real or simulated;
`SIMULATED` are made by the generator, since no array can be given another heart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_core.vocabulary import Characteristic
from sdq_signals import degradations
from sdq_signals.degradations import Samples

__all__ = [
    "DEFECTS",
    "SIMULATED",
    "Defect",
    "Disguise",
    "Sample",
    "SimulatedDefect",
    "defect",
    "disguised",
    "memorised_copies",
    "mode_collapse",
]

Disguise = Literal["exact", "shifted", "scaled", "offset", "noised", "resampled", "mixed"]
"""What is done to a copy so that no comparison of files finds it; ``mixed`` draws one of them."""

_SCALES = (0.7, 1.4)
_OFFSET_MV = 0.2
_NOISE_MV = 0.005


@dataclass(frozen=True, eq=False)
class Sample:
    """Twelve-lead electrocardiograms, and which of them carry a planted defect.

    Parameters
    ----------
    samples : ndarray, shape (n, 12, t), float32
        mV, in the order of `sdq_signals.channels.LEADS`.
    rate : float
        Samples a second.
    planted : ndarray of bool, shape (n,), or None
        None: none of them.

    Raises
    ------
    UsageError
        There are no recordings, or the lengths differ.

    Examples
    --------
    >>> sample = Sample(np.zeros((4, 12, 100), np.float32), 100.0)
    >>> len(sample), sample.truth.tolist()
    (4, [False, False, False, False])
    """

    samples: Samples
    rate: float
    planted: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        if self.samples.ndim != 3 or 0 in self.samples.shape:
            raise UsageError(
                f"Sample: needs at least one recording in an array (n, 12, t), found the shape "
                f"{self.samples.shape}; give a batch"
            )
        if self.planted is not None and len(self.planted) != len(self.samples):
            raise UsageError(
                f"Sample: {len(self.samples)} recordings but {len(self.planted)} marks; "
                f"give one for each recording"
            )

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def truth(self) -> NDArray[np.bool_]:
        """Which recordings carry a planted defect, shape (n,)."""
        return np.zeros(len(self), dtype=bool) if self.planted is None else self.planted

    def take(self, rows: NDArray[np.intp]) -> Sample:
        """Return the recordings of some rows, in their order."""
        return Sample(self.samples[rows], self.rate, self.truth[rows])


def disguised(x: Samples, rate: float, disguise: Disguise, rng: np.random.Generator) -> Samples:
    """Return copies of recordings that no comparison of files finds.

    Parameters
    ----------
    x : ndarray, shape (n, 12, t)
    rate : float
        Samples a second.
    disguise : str
        ``exact``: none. ``shifted``: begins up to half a recording later, what fell off stands at
        the end. ``scaled``: amplified by 0.7 to 1.4. ``offset``: each lead by up to 0.2 mV.
        ``noised``: noise of 5 uV. ``resampled``: brought to half the rate and back.
    rng : numpy.random.Generator

    Examples
    --------
    >>> x = np.arange(24, dtype=np.float32).reshape(1, 12, 2)
    >>> bool((disguised(x, 100.0, "exact", np.random.default_rng(0)) == x).all())
    True
    """
    if disguise not in get_args(Disguise):
        raise UsageError(
            f"disguised: unknown disguise; choose from {', '.join(get_args(Disguise))}"
        )
    if disguise == "mixed":
        kinds = [d for d in get_args(Disguise) if d not in ("exact", "mixed")]
        y = x.copy()
        for row, kind in enumerate(rng.choice(kinds, len(x))):
            y[row : row + 1] = disguised(x[row : row + 1], rate, kind, rng)
        return y
    n, _, t = x.shape
    if disguise == "shifted":
        starts = rng.integers(t // 10, t // 2 + 1, n)
        return np.stack([np.roll(r, -s, axis=1) for r, s in zip(x, starts, strict=True)])
    if disguise == "scaled":
        return np.asarray(x * rng.uniform(*_SCALES, (n, 1, 1)), np.float32)
    if disguise == "offset":
        offsets = rng.uniform(-_OFFSET_MV, _OFFSET_MV, (n, x.shape[1], 1)).astype(np.float32)
        return degradations.derived(x + offsets)
    if disguise == "noised":
        return degradations.white_noise(x, _NOISE_MV, rng)
    if disguise == "resampled":
        return degradations.rate_restored(x, rate, rate / 2)
    return x.copy()


def mode_collapse(sample: Sample, k: int, rng: np.random.Generator) -> Sample:
    """Replace all recordings by k of them, each with its own noise of 5 uV.

    Parameters
    ----------
    sample : Sample
    k : int
        Recordings that are kept as modes, 1..n.
    rng : numpy.random.Generator

    Returns
    -------
    Sample
        Of the same size.

    References
    ----------
    Srivastava et al., VEEGAN, NeurIPS 2017 (counting lost modes).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> sample = Sample(rng.standard_normal((10, 12, 50)).astype(np.float32), 100.0)
    >>> bool(mode_collapse(sample, 2, rng).truth.all())
    True
    """
    n = len(sample)
    if not 1 <= k <= n:
        raise UsageError(f"mode_collapse: k must be in 1..{n}, the number of items; got {k}")
    modes = rng.choice(n, k, replace=False)
    # Every mode occurs: k is exact, not just an upper bound.
    rows = rng.permutation(np.concatenate((modes, rng.choice(modes, n - k))))
    samples = degradations.white_noise(sample.samples[rows], _NOISE_MV, rng)
    return Sample(samples, sample.rate, np.ones(n, dtype=bool))


def memorised_copies(
    sample: Sample, train: Sample, share: float, disguise: Disguise, rng: np.random.Generator
) -> Sample:
    """Replace recordings by copies of training recordings, disguised.

    Parameters
    ----------
    sample : Sample
    train : Sample
        What the generator learned from; of the same length and rate as `sample`.
    share : float
        Share that is replaced, 0..1; at least one recording where it is above 0.
    disguise : str
        See `disguised`.
    rng : numpy.random.Generator

    Returns
    -------
    Sample
        With the copies marked.

    References
    ----------
    Carlini et al., Extracting training data from diffusion models, USENIX Security 2023.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((30, 12, 50)).astype(np.float32)
    >>> planted = memorised_copies(Sample(x[:10], 100.0), Sample(x[10:], 100.0), 0.2, "exact", rng)
    >>> int(planted.truth.sum())
    2
    """
    if (sample.samples.shape[1:], sample.rate) != (train.samples.shape[1:], train.rate):
        raise UsageError(
            f"memorised_copies: recordings have the shape {sample.samples.shape[1:]} at "
            f"{sample.rate:g} Hz, training recordings {train.samples.shape[1:]} at "
            f"{train.rate:g} Hz; bring them to one"
        )
    places = _places(len(sample), share, rng)
    originals = rng.choice(len(train), len(places), replace=len(places) > len(train))
    samples, truth = sample.samples.copy(), sample.truth.copy()
    samples[places] = disguised(train.samples[originals], sample.rate, disguise, rng)
    truth[places] = True
    return Sample(samples, sample.rate, truth)


Change = Callable[[Sample, float, np.random.Generator], Samples]


@dataclass(frozen=True, slots=True)
class Defect:
    """One kind of defect, to be planted at any severity in any share of the recordings.

    Parameters
    ----------
    name : str
    targets : tuple of Characteristic
        Whose measures must see it; one of them must fail where it is in every recording.
    spared : tuple of Characteristic
        Must not fail because of it.
    severity_range : tuple of float
        From hardly visible to gross, in `unit`.
    unit : str
    source : str
        Why it matters: paper or clause.
    change : callable
        ``change(sample, severity, rng) -> samples`` of the same number of recordings; a shorter
        result cuts all others.
    """

    name: str
    targets: tuple[Characteristic, ...]
    spared: tuple[Characteristic, ...]
    severity_range: tuple[float, float]
    unit: str
    source: str
    change: Change

    def plant(
        self, sample: Sample, severity: float, rng: np.random.Generator, *, share: float = 1.0
    ) -> Sample:
        """Plant the defect; the sample itself is not changed.

        Parameters
        ----------
        sample : Sample
        severity : float
            In `unit`.
        rng : numpy.random.Generator
        share : float
            Share of the recordings, 0..1; at least one where it is above 0.

        Examples
        --------
        >>> sample = Sample(np.ones((10, 12, 50), np.float32), 100.0)
        >>> planted = defect("gain").plant(sample, 1.1, np.random.default_rng(0), share=0.2)
        >>> int(planted.truth.sum()), int((planted.samples[:, 0, 0] > 1).sum())
        (2, 2)
        """
        places = _places(len(sample), share, rng)
        if len(places) == 0:
            return sample
        changed = self.change(sample.take(places), severity, rng)
        samples = sample.samples[:, :, : changed.shape[2]].copy()
        samples[places] = changed
        truth = sample.truth.copy()
        truth[places] = True
        return replace(sample, samples=samples, planted=truth)


@dataclass(frozen=True, slots=True)
class SimulatedDefect:
    """A defect that the generator makes.

    Parameters
    ----------
    name : str
    targets, spared : tuple of Characteristic
        See `Defect`.
    options : mapping of str to float
        Arguments of `sdq_signals.simulated_ecg.simulate`.
    source : str
    """

    name: str
    targets: tuple[Characteristic, ...]
    spared: tuple[Characteristic, ...]
    options: Mapping[str, float]
    source: str


def defect(name: str) -> Defect:
    """Return a defect of `DEFECTS` by its name.

    Examples
    --------
    >>> defect("clipping").unit
    'mV'
    """
    return next(d for d in DEFECTS if d.name == name)


def _places(n: int, share: float, rng: np.random.Generator) -> NDArray[np.intp]:
    """Rows to change, in their order."""
    if not 0 <= share <= 1:
        raise UsageError(f"share must be in 0..1, got {share}")
    count = min(n, max(1, round(share * n))) if share > 0 else 0
    return np.sort(rng.choice(n, count, replace=False))


def _plain(change: Callable[[Samples], Samples]) -> Change:
    return lambda s, severity, rng: change(s.samples)


def _scaled(change: Callable[[Samples, float], Samples]) -> Change:
    return lambda s, severity, rng: change(s.samples, severity)


def _timed(change: Callable[[Samples, float, float], Samples]) -> Change:
    return lambda s, severity, rng: change(s.samples, s.rate, severity)


def _random(change: Callable[[Samples, float, np.random.Generator], Samples]) -> Change:
    return lambda s, severity, rng: change(s.samples, severity, rng)


def _timed_random(
    change: Callable[[Samples, float, float, np.random.Generator], Samples],
) -> Change:
    return lambda s, severity, rng: change(s.samples, s.rate, severity, rng)


def _mislabelled(sample: Sample, severity: float, rng: np.random.Generator) -> Samples:
    return degradations.mislabelled_rate(sample.samples, severity * sample.rate, sample.rate)


FIDELITY, COMPLETENESS, METADATA, PRIVACY = (
    Characteristic.FIDELITY,
    Characteristic.COMPLETENESS,
    Characteristic.METADATA,
    Characteristic.PRIVACY,
)
_OTHERS = (COMPLETENESS, METADATA, PRIVACY)
_FORM = (METADATA, PRIVACY)

DEFECTS: Final[tuple[Defect, ...]] = (
    Defect("mains hum", (COMPLETENESS, FIDELITY), _FORM, (0.005, 0.2), "mV",
           "Huhta & Webster 1973, doi:10.1109/TBME.1973.324169", _timed(degradations.mains_hum)),
    Defect("lead noise", (COMPLETENESS,), _FORM, (0.003, 0.1), "mV",
           "Einthoven 1912; NeuroKit2's simulator breaks the law by 0.37 mV",
           _random(degradations.lead_noise)),
    Defect("clipping", (COMPLETENESS, FIDELITY), _FORM, (0.3, 3.0), "mV",
           "IEC 60601-2-25:2011 (range of inputs)", _scaled(degradations.clipped)),
    Defect("low-pass", (FIDELITY,), _FORM, (15.0, 100.0), "Hz",
           "Kligfield et al. 2007, doi:10.1161/CIRCULATIONAHA.106.180200",
           _timed(degradations.low_pass)),
    Defect("wrong unit", (METADATA, FIDELITY), (PRIVACY,), (1000.0, 1000.0), "factor",
           "Unit of measurement: EDF+ (Kemp & Olivan 2003), header(5)",
           _plain(degradations.wrong_unit)),
    Defect("arm leads swapped", (COMPLETENESS, FIDELITY), _FORM, (1.0, 1.0), "swap",
           "Heden et al. 1996, doi:10.1016/S0022-0736(96)80057-6",
           _plain(degradations.arms_swapped)),
    Defect("V1 and V3 swapped", (FIDELITY,), _FORM, (1.0, 1.0), "swap",
           "Kors & van Herpen 2001, American Journal of Cardiology 88:396",
           _plain(degradations.precordials_swapped)),
    Defect("wrong rate", (FIDELITY,), _FORM, (0.5, 0.99), "true rate over labelled rate",
           "Header that states a rate the samples do not have", _mislabelled),
    Defect("gain", (FIDELITY,), _FORM, (1.05, 2.0), "factor",
           "IEC 60601-2-25:2011 (accuracy of gain)", _scaled(degradations.gain)),
    Defect("baseline wander", (FIDELITY,), _FORM, (0.1, 2.0), "mV",
           "Sornmo & Laguna 2005, chapter 7", _timed_random(degradations.wander)),
    Defect("flat lead", (COMPLETENESS,), _FORM, (1.0, 1.0), "lead",
           "Clifford et al. 2012, doi:10.1088/0967-3334/33/9/1419",
           _plain(degradations.flat_lead)),
    Defect("inverted", (FIDELITY, COMPLETENESS), _FORM, (1.0, 1.0), "sign",
           "Polarity of the electrodes", _plain(degradations.inverted)),
    Defect("gap", (COMPLETENESS,), _FORM, (0.5, 5.0), "s",
           "Part 6 proposal, data completeness", _timed_random(degradations.missing_samples)),
)  # fmt: skip
"""Defects of samples. Copies and lost modes, which need more than a batch, are functions."""

SIMULATED: Final[tuple[SimulatedDefect, ...]] = (
    SimulatedDefect("heart rate + 10", (FIDELITY,), _OTHERS, {"heart_rate": 80.0},
                    "Task Force 1996, doi:10.1161/01.CIR.93.5.1043"),
    SimulatedDefect("heart rate spread halved", (FIDELITY,), _OTHERS, {"heart_rate_sd": 6.0},
                    "Task Force 1996, doi:10.1161/01.CIR.93.5.1043"),
    SimulatedDefect("no beat-to-beat variability", (FIDELITY,), _OTHERS, {"hrv": 0.0},
                    "Task Force 1996, doi:10.1161/01.CIR.93.5.1043"),
    SimulatedDefect("no P wave", (FIDELITY,), _OTHERS, {"without_p": 1.0}, "NeuroKit2 issue 1032"),
    SimulatedDefect("no P wave in 20 %", (FIDELITY,), _OTHERS, {"without_p": 0.2},
                    "NeuroKit2 issue 1032"),
    SimulatedDefect("QRS + 40 ms", (FIDELITY,), _OTHERS, {"qrs_extra_ms": 40.0},
                    "Surawicz et al. 2009, doi:10.1161/CIRCULATIONAHA.108.191095"),
    SimulatedDefect("QRS + 40 ms in 20 %", (FIDELITY,), _OTHERS,
                    {"qrs_extra_ms": 40.0, "qrs_extra_share": 0.2},
                    "Surawicz et al. 2009, doi:10.1161/CIRCULATIONAHA.108.191095"),
    SimulatedDefect("QRS + 10 ms", (FIDELITY,), _OTHERS, {"qrs_extra_ms": 10.0},
                    "Surawicz et al. 2009, doi:10.1161/CIRCULATIONAHA.108.191095"),
    SimulatedDefect("fibrillation in 20 %", (FIDELITY,), _OTHERS, {"fibrillation": 0.2},
                    "Hindricks et al. 2020, doi:10.1093/eurheartj/ehaa612"),
)  # fmt: skip
