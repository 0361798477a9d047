"""An embedding by fixed random convolutions: any length, any montage, no weights file.

After ROCKET (Dempster, Petitjean & Webb 2020, Data Min Knowl Discov 34:1454-1495,
doi:10.1007/s10618-020-00701-z): random dilated kernels, of each response the maximum and the
proportion of positive values.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import PluginError
from sdq_signals.features.amplitude import quantiles
from sdq_signals.features.resampling import band_limited
from sdq_signals.recording import Kind

__all__ = [
    "BLOCK_S",
    "DIMENSION",
    "NAME",
    "SHA256",
    "VERSION",
    "channel_weights",
    "embed",
    "facts",
    "kernels",
]

NAME: Final = "random-convolutions"
VERSION: Final = "1"
DIMENSION: Final = 512
SHA256: Final = "56ae2a3666746a9a01fd80be94bc44db60141b2c81a5e1130f7497188d7b0520"
"""Hash of the kernels; checked before they are used."""

RATE: Final = 100.0
BAND: Final = (0.5, 40.0)
BLOCK_S: Final = 10.0
"""Seconds over which a maximum and a proportion are taken; a long recording has their mean."""
SCALE: Final[dict[Kind, float]] = {"ecg": 0.2, "eeg": 20.0}
"""Amplitude that becomes 1, in mV and uV: a gain error stays visible. Other kinds have no common
unit and are divided by their own robust deviation."""

_SEED: Final = 20_200_713
_KERNELS: Final = 256
_TAPS: Final = 9
_MIXTURES: Final = 64
_LARGEST_DILATION: Final = 90.0
_ROWS: Final = 24  # at once: they stay in the processor's cache


def facts() -> dict[str, Any]:
    """Return name, version, hash and dimension.

    Examples
    --------
    >>> facts()["dimension"]
    512
    """
    return {"name": NAME, "version": VERSION, "sha256": SHA256, "dimension": DIMENSION}


@lru_cache(maxsize=1)
def kernels() -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """Return the kernels, drawn from raw words of PCG64, whose stream numpy guarantees.

    Returns
    -------
    weights : ndarray, shape (256, 9), float32
        Near-normal (the sum of twelve uniforms less 6), each kernel's mean removed.
    dilations : ndarray, shape (256,)
        From 1 to 90 samples, evenly spread on a logarithmic axis: a kernel spans 0.08 to 7.2 s.
    biases : ndarray, shape (256,), float32
        Threshold of the proportion, uniform in -1..1.

    Raises
    ------
    PluginError
        The kernels do not have the pinned hash.
    """
    words = np.random.PCG64(_SEED).random_raw(_KERNELS * (12 * _TAPS + 2))
    # 43 bits, so that the sums below are exact in any order of the additions.
    uniform = (words >> np.uint64(21)).astype(np.float64) * 2.0**-43
    uniform = uniform.reshape(_KERNELS, 12 * _TAPS + 2)
    normal = uniform[:, : 12 * _TAPS].reshape(_KERNELS, _TAPS, 12).sum(axis=2) - 6
    weights = (normal - normal.mean(axis=1, keepdims=True)).astype(np.float32)
    dilations = np.floor(_LARGEST_DILATION ** uniform[:, -2]).astype(np.int64)
    biases = (2 * uniform[:, -1] - 1).astype(np.float32)
    digest = hashlib.sha256(
        weights.astype("<f4").tobytes()
        + dilations.astype("<i8").tobytes()
        + biases.astype("<f4").tobytes()
    ).hexdigest()
    if digest != SHA256:
        raise PluginError(
            f"embedder {NAME}: the kernels have SHA-256 {digest}, not the pinned {SHA256}; this "
            f"numpy draws other numbers than the tested one, install the tested versions"
        )
    return weights, dilations, biases


def channel_weights(labels: Sequence[str]) -> NDArray[np.float32]:
    """Return how much of each channel every mixture takes, known from the channel's name alone.

    Parameters
    ----------
    labels : sequence of str
        Standard names. A name that occurs again counts as another channel, ``"EEG#2"``.

    Returns
    -------
    ndarray, shape (64, c), float32
        Magnitude 0.5 to 1.5 and sign from the SHA-256 of name and number of the mixture, over the
        square root of the number of channels. Kernels 4 m to 4 m + 3 read mixture m.

    Examples
    --------
    >>> one, two = channel_weights(("I", "II")), channel_weights(("II", "I"))
    >>> bool((one == two[:, ::-1]).all())
    True
    """
    seen: dict[str, int] = {}
    columns = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        name = label if seen[label] == 1 else f"{label}#{seen[label]}"
        columns.append(_column(name))
    return np.stack(columns, axis=1) / np.float32(np.sqrt(len(labels)))


def embed(
    x: NDArray[np.float32], rate: float, kind: Kind, labels: Sequence[str]
) -> NDArray[np.float32]:
    """Embed a batch of recordings.

    Parameters
    ----------
    x : ndarray, shape (n, c, t), float32
        mV for ECG, uV for EEG; NaN where a sample is missing. Of a long recording pieces of a
        multiple of 10 s can be embedded one after the other and averaged.
    rate : float
        Samples a second; the samples are brought to 100 a second and 0.5 to 40 Hz.
    kind : {"ecg", "eeg", "ppg", "other"}
        ``other`` for an ECG or EEG whose unit is unknown.
    labels : sequence of str
        Standard names of the channels; their order does not matter.

    Returns
    -------
    ndarray, shape (n, 512), float32
        Maxima of the 256 responses, then their proportions above the bias, 0..1; each is the mean
        over blocks of about 10 s. NaN for a recording without samples. A row does not depend on
        the other rows.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((2, 2, 1000), dtype=np.float32)
    >>> one, two = embed(x, 100.0, "ecg", ("I", "II")), embed(x[:, ::-1], 100.0, "ecg", ("II", "I"))
    >>> one.shape, bool((one == two).all())
    ((2, 512), True)
    """
    # In the order of the names, so that sums over channels are the same to the last bit.
    order = sorted(range(len(labels)), key=lambda k: labels[k])
    mixing = channel_weights([labels[k] for k in order])
    silent = ~np.isfinite(x).any(axis=(1, 2))
    y = band_limited(x[:, order], rate, RATE, BAND)
    scale = SCALE.get(kind)
    if scale is not None:
        y *= np.float32(1 / scale)
    else:
        y /= _deviation(y)[:, None, None]
    n, _, t = y.shape
    blocks = max(1, round(t / (BLOCK_S * RATE)))
    cuts = [t * k // blocks for k in range(blocks + 1)]
    total = np.zeros((n, DIMENSION), np.float32)
    for row in range(0, n, _ROWS):
        for first, last in itertools.pairwise(cuts):
            total[row : row + _ROWS] += _respond(y[row : row + _ROWS, :, first:last], mixing)
    total /= np.float32(blocks)
    total[silent] = np.nan
    return total


def _respond(y: NDArray[np.float32], mixing: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return maxima and proportions of one block of a few records."""
    weights, dilations, biases = kernels()
    n, channels, t = y.shape
    by_channel = np.ascontiguousarray(y.transpose(1, 0, 2))
    # All rows in one line with zeros between them, so that a shift is one pass over memory.
    gap = (_TAPS // 2) * int(dilations.max())
    line = np.zeros(gap + n * (t + gap) + gap, np.float32)
    size = n * (t + gap) - gap
    rows = line[gap : gap + n * (t + gap)].reshape(n, t + gap)[:, :t]
    response, part = np.empty((n, t + gap), np.float32), np.empty(size, np.float32)
    flat, valid = response.reshape(-1)[:size], response[:, :t]
    mixed, scaled = np.empty((n, t), np.float32), np.empty((n, t), np.float32)
    found = np.empty((n, DIMENSION), np.float32)
    for k in range(_KERNELS):
        mixture, new = divmod(k, _KERNELS // _MIXTURES)
        if new == 0:
            np.multiply(by_channel[0], mixing[mixture, 0], out=mixed)
            for c in range(1, channels):
                np.multiply(by_channel[c], mixing[mixture, c], out=scaled)
                mixed += scaled
            rows[:] = mixed
        for tap in range(_TAPS):
            first = gap + (tap - _TAPS // 2) * int(dilations[k])
            piece = line[first : first + size]
            if tap == 0:
                np.multiply(piece, weights[k, tap], out=flat)
            else:
                np.multiply(piece, weights[k, tap], out=part)
                flat += part
        found[:, k] = valid.max(axis=1)
        above = np.greater(valid, biases[k]).view(np.uint8)
        found[:, _KERNELS + k] = above.sum(axis=1, dtype=np.uint32) / np.float32(t)
    return found


def _column(name: str) -> NDArray[np.float32]:
    words = np.array(
        [
            int.from_bytes(hashlib.sha256(f"{name}:{m}".encode()).digest()[:4], "little")
            for m in range(_MIXTURES)
        ],
        np.int64,
    )
    magnitude = 0.5 + (words >> 1) * 2.0**-31
    column: NDArray[np.float32] = np.where(words & 1, magnitude, -magnitude).astype(np.float32)
    return column


def _deviation(y: NDArray[np.float32]) -> NDArray[np.float32]:
    """Half the span of the middle 68 % of all samples of a recording; 1 where that is zero."""
    low, high = quantiles(y.reshape(len(y), -1), (0.16, 0.84))
    half: NDArray[np.float32] = ((high - low) / 2).astype(np.float32)
    half[half <= 0] = 1
    return half
