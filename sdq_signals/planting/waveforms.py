"""Changes to the samples of one draft, each by a severity.

What a real fault would do before the limb leads are derived is done to I and II, and III, aVR, aVL
and aVF follow from them (Einthoven 1912; Goldberger 1942, doi:10.1016/S0002-8703(42)90821-4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_signals.planting import beats
from sdq_signals.planting.draft import Draft, Samples

__all__ = ["Change", "limb_leads", "span"]

Change = Callable[[Draft, float, np.random.Generator], Draft]
"""``change(draft, severity, rng) -> draft``."""

_DERIVED: Final = {"III": (-1.0, 1.0), "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}
"""Lead -> its parts of I and of II."""
LIMBS: Final = ("I", "II", "III", "aVR", "aVL", "aVF")


def span(samples: Samples) -> float:
    """Return the peak to peak of the middle 98 % of a channel, median over channels.

    Examples
    --------
    >>> round(span(np.linspace(0, 1, 1001)[None]), 2)
    0.98
    """
    low, high = np.nanquantile(samples, [0.01, 0.99], axis=1)
    return float(np.nanmedian(high - low))


def limb_leads(labels: list[str]) -> bool:
    """Return whether I and II are there with a lead that follows from them."""
    return {"I", "II"} <= set(labels) and bool(set(_DERIVED) & set(labels))


def _labels(draft: Draft) -> list[str]:
    return [draft.channels[k].label for k in draft.of_kind]


def _added(draft: Draft, more: NDArray[np.floating]) -> Draft:
    """Add a course to each channel of the kind, shape (channels of the kind, t)."""
    labels = _labels(draft)
    added = np.array(more, np.float64)
    if limb_leads(labels):
        one, two = added[labels.index("I")], added[labels.index("II")]
        for name, (a, b) in _DERIVED.items():
            if name in labels:
                added[labels.index(name)] = a * one + b * two
    y = draft.samples.copy()
    y[draft.of_kind] += added.astype(np.float32)
    return draft.changed(y)


def _of_kind(draft: Draft, samples: Samples) -> Draft:
    y = draft.samples.copy()
    y[draft.of_kind] = samples
    return draft.changed(y)


def _heart(draft: Draft) -> tuple[Samples, beats.Marked]:
    x = draft.samples[draft.of_kind]
    return x, beats.marked(x, draft.recording.rate)


def slower(draft: Draft, by: float, rng: np.random.Generator) -> Draft:
    """Lower heart or pulse rate by some beats a minute."""
    rate = draft.recording.rate
    if draft.kind == "ecg":
        return draft.changed(beats.slower(draft.samples, rate, _heart(draft)[1], by))
    from sdq_signals.features import pulse

    found = pulse.describe(draft.samples[None, draft.of_kind[:1]], rate)[0]
    usual = float(found["pulse.rate_bpm"][0])
    if not np.isfinite(usual) or usual - by < beats.SLOWEST:
        return draft
    return draft.changed(beats.stretched(draft.samples, usual / (usual - by)))


def has_p(draft: Draft) -> bool:
    """Return whether the recording has P waves."""
    from sdq_signals.features import ecg

    x = draft.samples[None, draft.of_kind]
    found = ecg.describe(x, draft.recording.rate, tuple(_labels(draft))).scalars
    return bool(found["wave.p_present"][0] > 0)


def without_p(draft: Draft, share: float, rng: np.random.Generator) -> Draft:
    """Cut all P waves out."""
    x, found = _heart(draft)
    return _of_kind(draft, beats.without_p(x, draft.recording.rate, found))


def wider(draft: Draft, by: float, rng: np.random.Generator) -> Draft:
    """Widen QRS by some milliseconds."""
    x, found = _heart(draft)
    return _of_kind(draft, beats.wider(x, draft.recording.rate, found, by / 1000))


def with_st(draft: Draft, by: float, rng: np.random.Generator) -> Draft:
    """Raise ST by some millivolts in I, II and the chest leads."""
    x, found = _heart(draft)
    none = np.zeros_like(x)
    bump = beats.with_st(none, draft.recording.rate, found, np.full(len(x), by))
    return _added(draft, bump)


def hum(hz: float) -> Change:
    """Return the change that adds the hum of the power grid, in microvolts."""

    def change(draft: Draft, by: float, rng: np.random.Generator) -> Draft:
        time = np.arange(draft.samples.shape[1]) / draft.recording.rate
        amplitude = by / 1000 if draft.kind == "ecg" else by
        wave = amplitude * np.sin(2 * np.pi * hz * time + rng.uniform(0, 2 * np.pi))
        return _added(draft, np.tile(wave, (len(draft.of_kind), 1)))

    return change


def wander(draft: Draft, by: float, rng: np.random.Generator) -> Draft:
    """Add a drift of 0.1 to 0.4 Hz, as a multiple of the recording's span."""
    count = len(draft.of_kind)
    time = np.arange(draft.samples.shape[1]) / draft.recording.rate
    size = by * span(draft.samples[draft.of_kind]) / 2 * rng.uniform(0.5, 1.0, (count, 1))
    phase = rng.uniform(0, 2 * np.pi, (count, 1))
    return _added(draft, size * np.sin(2 * np.pi * rng.uniform(0.1, 0.4) * time + phase))


def smoother(draft: Draft, width: float, rng: np.random.Generator) -> Draft:
    """Smooth by a Gaussian of so many milliseconds (standard deviation).

    By its transfer function, exp(-2 pi^2 f^2 s^2): a Gaussian narrower than a sample, taken at the
    samples, would lose most of its effect (4 ms at 100 Hz and 40 Hz: 1.4 in place of 4.4 dB).
    """
    x = draft.samples[draft.of_kind].astype(np.float64)
    missing = np.isnan(x)
    sigma = width / 1000 * draft.recording.rate
    edge = min(x.shape[1] - 1, int(np.ceil(6 * sigma)) + 1)
    padded = np.pad(np.nan_to_num(x), [(0, 0), (edge, edge)], mode="reflect")
    frequency = np.fft.rfftfreq(padded.shape[1])
    passed = np.fft.rfft(padded, axis=1) * np.exp(-2 * (np.pi * frequency * sigma) ** 2)
    soft = np.fft.irfft(passed, padded.shape[1], axis=1)[:, edge : edge + x.shape[1]]
    return _of_kind(draft, np.where(missing, np.nan, soft).astype(np.float32))


def lead_noise(draft: Draft, by: float, rng: np.random.Generator) -> Draft:
    """Add noise to each lead by itself, in microvolts."""
    y = draft.samples.copy()
    rows = draft.of_kind
    y[rows] += (by / 1000 * rng.standard_normal((len(rows), y.shape[1]))).astype(np.float32)
    return draft.changed(y)


def gain(draft: Draft, factor: float, rng: np.random.Generator) -> Draft:
    """Multiply all samples of the kind."""
    return _of_kind(draft, draft.samples[draft.of_kind] * np.float32(factor))


def clipped(draft: Draft, lost: float, rng: np.random.Generator) -> Draft:
    """Cut the outer part of each channel's amplitude off, 0..1."""
    x = draft.samples[draft.of_kind]
    middle = np.nanmedian(x, axis=1, keepdims=True)
    limit = (1 - lost) * np.nanmax(np.abs(x - middle), axis=1, keepdims=True)
    return _of_kind(draft, np.clip(x, middle - limit, middle + limit))


def saturated(draft: Draft, lost: float, rng: np.random.Generator) -> Draft:
    """Let the integers of the file end below the outer part of the amplitude, 0..1."""
    return replace(draft, full_scale=1 - lost)


def overdriven(draft: Draft, share: float, rng: np.random.Generator) -> Draft:
    """Shift all channels by 8 mV to a rail that cuts their peaks off."""
    x = draft.samples[draft.of_kind]
    rail = 8.0 + 0.25 * np.nanmax(np.abs(x), axis=1, keepdims=True)
    return _of_kind(draft, np.minimum(x + 8.0, rail).astype(np.float32))


def flat(draft: Draft, share: float, rng: np.random.Generator) -> Draft:
    """Silence one channel: zero, constant, or flat for half of the recording, in turn."""
    y = draft.samples.copy()
    row = draft.of_kind[int(rng.integers(len(draft.of_kind)))]
    half = y.shape[1] // 2
    turn = draft.number % 3
    if turn == 0:
        y[row] = 0
    elif turn == 1:
        y[row] = np.nanmax(y[row])
    else:
        y[row, :half] = np.nan_to_num(y[row, half])
    return draft.changed(y)


def gap(draft: Draft, share: float, rng: np.random.Generator) -> Draft:
    """Lose a fifth of the recording, at most 2 s, in all channels."""
    y = draft.samples.copy()
    rate, t = draft.recording.rate, y.shape[1]
    width = min(round(2 * rate), t // 5)
    # On tenths of a second, so that data records can end there.
    step = max(1, round(rate / 10))
    start = int(rng.integers(1, max(2, (t - width) // step - 1))) * step
    y[:, start : start + width // step * step] = np.nan
    return draft.changed(y)


def lost_channel(draft: Draft, share: float, rng: np.random.Generator) -> Draft:
    """Lose all samples of one channel."""
    y = draft.samples.copy()
    y[draft.of_kind[int(rng.integers(len(draft.of_kind)))]] = np.nan
    return draft.changed(y)


def left_out(draft: Draft, share: float, rng: np.random.Generator) -> Draft:
    """Leave one channel out of the file."""
    gone = draft.of_kind[int(rng.integers(len(draft.of_kind)))]
    rows = [k for k in range(len(draft.kept)) if k != gone]
    return replace(draft, samples=draft.samples[rows], kept=tuple(draft.kept[k] for k in rows))


def arms_swapped(draft: Draft, share: float, rng: np.random.Generator) -> Draft:
    """Exchange the cables of the arms."""
    x, labels = draft.samples, [c.label for c in draft.channels]
    rows = {name: labels.index(name) for name in LIMBS if name in labels}
    y = x.copy()
    y[rows["I"]] = -x[rows["I"]]
    for one, other in (("II", "III"), ("aVR", "aVL")):
        if one in rows and other in rows:
            y[rows[one]], y[rows[other]] = x[rows[other]], x[rows[one]]
    if "III" not in rows:
        y[rows["II"]] = x[rows["II"]] - x[rows["I"]]
    return draft.changed(y)


def exchanged(draft: Draft, share: float, rng: np.random.Generator) -> Draft:
    """Exchange two channels: V1 and V3 where they are there, else any two of the kind."""
    labels = {draft.channels[k].label: k for k in draft.of_kind}
    rows = [labels[n] for n in ("V1", "V3") if n in labels]
    if len(rows) < 2:
        rows = sorted(rng.choice(draft.of_kind, 2, replace=False).tolist())
    y = draft.samples.copy()
    y[rows] = draft.samples[rows[::-1]]
    return draft.changed(y)


def inverted(draft: Draft, share: float, rng: np.random.Generator) -> Draft:
    """Turn all channels of the kind upside down."""
    return _of_kind(draft, -draft.samples[draft.of_kind])


def mislabelled(draft: Draft, more: float, rng: np.random.Generator) -> Draft:
    """State a rate that is higher by a share than that of the samples."""
    rate = draft.rate * (1 + more)
    return replace(draft, rate=float(round(rate)) if rate >= 20 else rate)


def wrong_unit(draft: Draft, share: float, rng: np.random.Generator) -> Draft:
    """State millivolts in place of microvolts, and the other way round."""
    other = {}
    for k in draft.kept:
        head = draft.recording.channels[k]
        if head.kind == draft.kind:
            other[k] = "uV" if _millivolts(head.unit) else "mV"
    return replace(draft, units=other)


def _millivolts(unit: str) -> bool:
    from sdq_signals.units import factor

    return not unit.strip() or factor(unit, "ecg") == 1.0


def impossible(draft: Draft, share: float, rng: np.random.Generator) -> Draft:
    """Give what no body gives: a rhythm four times too slow, or none, in turn."""
    if draft.number % 2:
        x = draft.samples[draft.of_kind]
        drift = np.tile(np.linspace(0.0, 1.0, x.shape[1]) * span(x), (len(x), 1))
        return _added(_of_kind(draft, np.zeros_like(x)), drift)
    return replace(draft, rate=draft.rate / 4)


def drowned(draft: Draft, share: float, rng: np.random.Generator) -> Draft:
    """Drown the signal in noise of three times its span."""
    x = draft.samples[draft.of_kind]
    noise = rng.standard_normal(x.shape) * 3 * span(x)
    return _added(draft, noise)


def coarser(draft: Draft, factor: float, rng: np.random.Generator) -> Draft:
    """Store all channels but the first at a fraction of the rate."""
    return replace(draft, divisor=round(factor))


def noised(draft: Draft, share: float, rng: np.random.Generator) -> Draft:
    """Add noise of a hundredth of the recording's span."""
    x = draft.samples[draft.of_kind]
    return _added(draft, rng.standard_normal(x.shape) * 0.01 * span(x))


def shifted(draft: Draft, share: float, rng: np.random.Generator) -> Draft:
    """Begin up to half a recording later; what fell off stands at the end."""
    t = draft.samples.shape[1]
    return draft.changed(np.roll(draft.samples, -int(rng.integers(t // 10, t // 2 + 1)), axis=1))


def scaled(draft: Draft, share: float, rng: np.random.Generator) -> Draft:
    """Amplify by 0.7 to 1.4."""
    return gain(draft, float(rng.uniform(0.7, 1.4)), rng)


def undeclared(draft: Draft, share: float, rng: np.random.Generator) -> Draft:
    """Do not say that it is synthetic."""
    return replace(draft, declared=False, traced=False)


def untraced(draft: Draft, share: float, rng: np.random.Generator) -> Draft:
    """Do not say what made it."""
    return replace(draft, traced=False)


def in_named_folder(draft: Draft, share: float, rng: np.random.Generator) -> Draft:
    """Lie in a folder that is named after a record number."""
    return replace(draft, folder="MRN 00123456")
