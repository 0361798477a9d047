"""NumPy arrays: one recording in ``.npy``, one or a stack of them with labels in ``.npz``."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core import stacks
from sdq_core.description import Item
from sdq_signals.formats import side_car
from sdq_signals.formats.checks import channel, channel_findings
from sdq_signals.recording import Recording
from sdq_signals.rules import finding, unreadable
from sdq_signals.settings import SignalsSettings

__all__ = ["SUFFIXES", "items", "read"]

SUFFIXES = stacks.SUFFIXES

ONE: Final = "signal"
NAMES: Final = ("signals", ONE, "ecg", "eeg", "ppg", "beats", "x", "X", "data")
"""Names of the array of samples in an archive, in order of preference."""
RATES: Final = ("sampling_rate", "rate", "fs")
MOST_CHANNELS: Final = 1024
MOST_IN_MEMORY: Final = 2**30
"""Most values of an archive, which is read whole."""

ATTRIBUTES: Final = {
    **stacks.ATTRIBUTES,
    "subject_id": "subject", "patient_id": "subject", "record": "subject",
    "age": "age", "sex": "sex", "condition": "condition", "device": "device",
}  # fmt: skip


def _choose(shapes: stacks.Shapes) -> str:
    named = [n for n in NAMES if n in shapes]
    large = [n for n, (shape, dtype) in shapes.items() if len(shape) >= 2 and dtype.kind in "iuf"]
    if named:
        return named[0]
    if len(large) != 1:
        raise unreadable(
            "not_a_recording",
            f"the archive holds {len(large)} arrays that could be the samples; name one 'signals', "
            "shape (n, channels, time), or 'signal' for one recording",
        )
    return large[0]


KIND: Final = stacks.StackKind(
    "signals.structure", _choose, ATTRIBUTES, (*RATES, "units", "channels", "scale")
)


def items(path: Path, identifier: str, settings: SignalsSettings | None = None) -> list[Item]:
    """List the recordings of an array file.

    Parameters
    ----------
    path : Path
    identifier : str
        Id of the file; recordings of a stack get ``"#<index>"`` behind it.
    settings : SignalsSettings, optional

    Returns
    -------
    list of Item
        With digests of samples, of the small arrays beside them and of side-car files.

    Raises
    ------
    UnreadableItem
        The file holds no recording.
    """
    stack = _load(path)
    if 0 in stack.values.shape:
        raise unreadable("no_samples")
    found = stacks.items(path, identifier, stack, one=_is_one(stack))
    context = hashlib.sha256()
    for name, values in sorted(stack.facts.items()):
        context.update(f"{name} {stacks.digest(values)} ".encode())
    beside = side_car.paths(path)
    for file in beside:
        context.update(file.read_bytes())
    told = context.hexdigest()
    return [
        replace(
            item,
            paths=(path, *beside),
            digest=hashlib.sha256(f"{item.digest} {told}".encode()).hexdigest(),
        )
        for item in found
    ]


def read(path: Path, part: str = "", settings: SignalsSettings | None = None) -> Recording:
    """Open one recording of an array file.

    Parameters
    ----------
    path : Path
        ``.npy`` of shape (time,), (channels, time) or, a stack, (n, channels, time); ``.npz`` with
        ``signals`` of shape (n, time) or (n, channels, time), or ``signal`` of one recording.
        Beside it may stand ``rate``, ``sampling_rate`` or ``fs``, ``units``, ``channels`` and
        ``scale``: physical units for one stored unit.
    part : str
        Index into a stack.
    settings : SignalsSettings, optional
        Rate, unit and names where neither the file nor a side-car file states them.

    Returns
    -------
    Recording

    Raises
    ------
    UnreadableItem
    """
    stack = _load(path)
    values = stack.values
    if values.size == 0:
        raise unreadable("no_samples")
    if not _is_one(stack):
        if not part.isdecimal() or int(part) >= len(values):
            raise unreadable(
                "truncated", "the stack has fewer recordings than were listed; write it again"
            )
        values = values[int(part)]
    if values.ndim == 1:
        values = values[None]
    known = _facts(stack, part, side_car.facts(path, settings))
    if known.rate is None:
        raise unreadable("sampling_rate_missing")
    if not (math.isfinite(known.rate) and known.rate > 0):
        raise unreadable("sampling_rate_invalid")
    count, length = values.shape
    names = known.channels or tuple(f"channel {k + 1}" for k in range(count))
    if len(names) != count:
        raise unreadable("channel_names")
    scales = known.scales(count)
    channels = []
    for name, unit, scale in zip(names, known.unit(names), scales, strict=True):
        ends = _ends(values.dtype, scale)
        channels.append(
            channel(name, unit, known.rate, lowest=ends[0], highest=ends[1], resolution=ends[2])
        )
    weights = np.array([(c.factor or 1.0) * s for c, s in zip(channels, scales, strict=True)])
    found = channel_findings(channels)
    if known.channels is None:
        found.append(finding("names_missing"))

    def block(first: int, last: int) -> NDArray[np.float32]:
        with np.errstate(over="ignore"):  # what float32 does not hold counts as infinite
            piece = values[:, first:last].astype(np.float64) * weights[:, None]
            return np.ascontiguousarray(piece, np.float32)

    return Recording(
        tuple(channels), known.rate, length, "array", block, known.metadata, tuple(found)
    )


def _load(path: Path) -> stacks.Stack:
    mapped = path.suffix.lower() == ".npy"
    return stacks.load(path, KIND, lambda shape, dtype: _check(shape, dtype, mapped))


def _check(shape: tuple[int, ...], dtype: np.dtype[Any], mapped: bool) -> None:
    """Refuse what is no recording or stack, and a bomb, by the header alone."""
    if dtype.hasobject or dtype.kind not in "iuf":
        raise unreadable(
            "not_a_recording", f"the array holds {dtype} values; give integers or floating-point"
        )
    if not 1 <= len(shape) <= 3:
        raise unreadable(
            "not_a_recording",
            f"the array has {len(shape)} axes; give (time,), (channels, time) or "
            "(n, channels, time)",
        )
    if len(shape) == 3 and shape[1] > MOST_CHANNELS:
        raise _transposed()
    if not mapped and math.prod(shape) > MOST_IN_MEMORY:
        raise unreadable("too_many_samples")


def _transposed() -> Exception:
    return unreadable(
        "too_many_samples",
        f"the array has more than {MOST_CHANNELS} channels; channels come before time: "
        "(channels, time)",
    )


def _is_one(stack: stacks.Stack) -> bool:
    """Whether all values are one recording."""
    values = stack.values
    one = values.ndim == 1 or (values.ndim == 2 and stack.name in ("", ONE))
    if one and values.ndim == 2 and len(values) > MOST_CHANNELS:
        raise _transposed()
    return one


def _facts(stack: stacks.Stack, part: str, known: side_car.Facts) -> side_car.Facts:
    """Return what is known, the file's own arrays before all else."""
    own = stack.facts
    for name in RATES:
        if name in own and own[name].dtype.kind in "iuf" and own[name].size:
            rates = own[name].reshape(-1)
            k = int(part) if part and len(rates) == len(stack.values) > 1 else 0
            known = replace(known, rate=float(rates[k]))
            break
    for name in ("units", "channels"):
        if name in own:
            texts = [str(v) for v in own[name].reshape(-1)]
            one = name == "units" and own[name].size == 1
            known = replace(known, **{name: texts[0] if one else tuple(texts)})  # type: ignore[arg-type]
    if "scale" in own and own["scale"].dtype.kind in "iuf":
        numbers = [float(v) for v in own["scale"].reshape(-1)]
        known = replace(known, scale=numbers[0] if len(numbers) == 1 else numbers)
    return known


def _ends(dtype: np.dtype[Any], scale: float) -> tuple[float | None, float | None, float | None]:
    """Return the range and the resolution that integers of a type can hold."""
    if dtype.kind == "f":
        return None, None, None
    info = np.iinfo(dtype)
    return info.min * scale, info.max * scale, scale
