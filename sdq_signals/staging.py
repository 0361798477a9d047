"""Recordings that lie in memory, as the array files that the modality reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_core.in_memory.data import Element, InMemory, elements
from sdq_core.in_memory.stacks import write_stacks
from sdq_core.study import CohortSource
from sdq_signals.formats.array import MOST_CHANNELS
from sdq_signals.settings import SignalsSettings

__all__ = ["stage"]

NAMES: Final = ("signal", "signals", "ecg", "eeg", "ppg", "x", "data")
"""Keys under which items that are mappings hold their samples."""
_EXAMPLE: Final = "settings={'sampling_rate': 500, 'channels': ['I', 'II'], 'units': 'mV'}"


def stage(data: InMemory, folder: Path, settings: Mapping[str, Any]) -> CohortSource:
    """Write the recordings of a cohort into a folder.

    Parameters
    ----------
    data : InMemory
        Items of shape (channels, time), or (time,) of one channel.
    folder : Path
    settings : mapping
        Of the study; an array says neither rate nor unit nor channels, so these must.

    Raises
    ------
    UsageError
        An item has another shape, or the settings lack what arrays cannot say.
    """
    asked = SignalsSettings.of(settings)
    lacking = [n for n in ("sampling_rate", "channels", "units") if getattr(asked, n) is None]
    if lacking:
        raise UsageError(
            f"{data.argument}: an array does not say its {', '.join(lacking)}; write {_EXAMPLE}"
        )
    channels = asked.channels or ()

    def shaped(number: int, element: Element) -> NDArray[Any]:
        return _recording(element.values, len(channels), f"{data.argument}, item {number}")

    return write_stacks(elements(data, NAMES), folder, shaped)


def _recording(values: NDArray[Any], channels: int, place: str) -> NDArray[Any]:
    shape = values.shape
    if values.dtype.kind == "b":
        raise UsageError(f"{place}: holds truth values; give the samples as numbers")
    if values.ndim == 1:
        values = values[None]
    if values.ndim != 2:
        raise UsageError(
            f"{place}: has shape {shape}; a recording is (channels, time) or (time,), so a cohort "
            "is (n, channels, time); one recording alone is array[None]"
        )
    if len(values) != channels:
        turned = "; channels come before time, so turn it" if shape[-1] == channels else ""
        raise UsageError(
            f"{place}: has shape {shape}, and settings.channels names {channels} channels{turned}"
        )
    if channels > MOST_CHANNELS:
        raise UsageError(f"{place}: has {channels} channels; {MOST_CHANNELS} is the most")
    return values
