"""What all readers share: one channel from its header, and what headers leave out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sdq_core.finding import Finding
from sdq_signals.channels import canonical
from sdq_signals.recording import Channel, Kind, Recording
from sdq_signals.rules import finding
from sdq_signals.units import factor

__all__ = ["as_kind", "channel", "channel_findings", "places"]


def channel(
    name: str,
    unit: str,
    rate: float,
    *,
    lowest: float | None = None,
    highest: float | None = None,
    resolution: float | None = None,
    assumed: str = "",
    calibrated: bool = True,
) -> Channel:
    """Return a channel with its standard name, kind and factor.

    Parameters
    ----------
    name, unit : str
        As written in the file.
    rate : float
        Samples a second in the file.
    lowest, highest, resolution : float, optional
        Range and least significant bit in the file's unit.
    assumed : str
        Unit that the format prescribes where the file states none.
    calibrated : bool
        Whether the file says how stored values become values in its unit.

    Returns
    -------
    Channel

    Examples
    --------
    >>> found = channel("AVR", "uV", 500.0, lowest=-32768.0, highest=32767.0, resolution=1.0)
    >>> found.label, found.kind, found.factor, found.resolution
    ('aVR', 'ecg', 0.001, 0.001)
    """
    label, kind = canonical(name)
    known = factor(unit or assumed, kind) if calibrated else None
    scale = 1.0 if known is None else known
    ends = [v * scale for v in (lowest, highest) if v is not None]
    return Channel(
        name,
        label,
        kind,
        unit,
        known,
        rate,
        min(ends) if len(ends) == 2 else None,
        max(ends) if len(ends) == 2 else None,
        None if resolution is None else abs(resolution * scale),
    )


def places(numbers: Iterable[int]) -> str:
    """Name channels by their numbers from 1: names may say what must not be quoted.

    Examples
    --------
    >>> places([0, 1, 2, 5]), places([3])
    ('channels 1-3, 6', 'channel 4')
    """
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1]:
            runs[-1][1] = number + 1
        else:
            runs.append([number, number + 1])
    texts = [str(a + 1) if b == a + 1 else f"{a + 1}-{b}" for a, b in runs]
    several = len(runs) > 1 or (bool(runs) and runs[0][1] - runs[0][0] > 1)
    return f"channel{'s' if several else ''} {', '.join(texts)}"


def channel_findings(channels: Sequence[Channel]) -> list[Finding]:
    """Return findings about names, units and rates, one for each rule that is broken.

    Parameters
    ----------
    channels : sequence of Channel

    Returns
    -------
    list of Finding
        ``duplicate_channels``, ``unit_missing``, ``unit_unknown``, ``mixed_rates_in_recording``.

    Examples
    --------
    >>> [f.rule for f in channel_findings([channel("II", "mV", 1.0), channel("II", "", 1.0)])]
    ['signals.structure.duplicate_channels', 'signals.structure.unit_missing']
    """
    names = [c.name.strip().lower() for c in channels]
    broken = {
        "duplicate_channels": [k for k, n in enumerate(names) if names.count(n) > 1],
        "unit_missing": [k for k, c in enumerate(channels) if not c.unit.strip()],
        "unit_unknown": [
            k for k, c in enumerate(channels) if c.unit.strip() and factor(c.unit, c.kind) is None
        ],
    }
    found = [finding(rule, places(numbers)) for rule, numbers in broken.items() if numbers]
    if len({c.rate for c in channels}) > 1:
        found.append(finding("mixed_rates_in_recording"))
    return found


def as_kind(recording: Recording, kind: Kind) -> Recording:
    """Take the channels of no known kind for channels of one kind, in its unit.

    Parameters
    ----------
    recording : Recording
    kind : {"ecg", "eeg", "ppg", "other"}

    Returns
    -------
    Recording
        A channel whose unit cannot be the kind's (mmHg in an ECG) stays as it is.
    """
    import numpy as np

    channels, scales = [], []
    for c in recording.channels:
        # A factor without a unit is that of the unit which WFDB prescribes.
        wanted = factor(c.unit or ("mV" if c.factor else ""), kind)
        if c.kind != "other" or kind == "other" or c.factor is None or wanted is None:
            channels.append(c)
            scales.append(1.0)
            continue
        scale = wanted / c.factor
        scaled = [None if v is None else v * scale for v in (c.lowest, c.highest, c.resolution)]
        channels.append(
            replace(
                c,
                kind=kind,
                factor=wanted,
                lowest=scaled[0],
                highest=scaled[1],
                resolution=scaled[2],
            )
        )
        scales.append(scale)
    if all(s == 1.0 for s in scales):
        return replace(recording, channels=tuple(channels))
    column = np.array(scales)[:, None]
    read = recording.read
    return replace(
        recording,
        channels=tuple(channels),
        read=lambda first, last: (read(first, last) * column).astype(np.float32),
    )
