"""One recording on its way into a planted cohort: decoded, changed, not yet written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.calibration.defect import Member
from sdq_signals.channels import kind_of
from sdq_signals.formats.texts import KEPT
from sdq_signals.reading import open_recording
from sdq_signals.recording import Channel, Kind, Recording
from sdq_signals.settings import SignalsSettings

__all__ = ["GENERATOR", "Draft", "Samples", "opened", "window_of"]

GENERATOR: Final = "sdq-planter"
"""Name under which planted cohorts give their generator."""

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A recording that is about to be written in the format in which it was read.

    Parameters
    ----------
    recording : Recording
        As it was opened: its channels' names, units and ranges.
    samples : ndarray, shape (channels kept, time), float32
        In the unit of each channel's kind, as stored where that is not known; NaN where missing.
    path : Path
        File that it was read from.
    part : str
        Part of that file, without the window.
    number : int
        Place in the cohort, from 1; names the new file.
    kind : {"ecg", "eeg", "ppg", "other"}
        Of the recording.
    row : mapping of str to str
        What its line of the label table will say.
    kept : tuple of int
        Channels of the recording that are written.
    rate : float
        Samples a second that the header will state.
    units : mapping of int to str
        Channel -> unit that is stated in place of its own.
    declared, traced : bool
        Whether it says that it is synthetic, and what made it.
    full_scale : float
        Largest absolute value that the integers of the file can hold, as a multiple of the
        recording's own largest: what lies beyond is cut off. 0: as large as it takes.
    divisor : int
        All channels but the first keep every so manieth sample only.
    folder : str
        Below the cohort's folder, for recordings whose path says too much.
    apart : int
        Recordings of a stack that differ in it are written into stacks of their own.
    """

    recording: Recording
    samples: Samples
    path: Path
    part: str
    number: int
    kind: Kind
    row: Mapping[str, str]
    kept: tuple[int, ...]
    rate: float
    units: Mapping[int, str] = field(default_factory=dict)
    declared: bool = True
    traced: bool = True
    full_scale: float = 0.0
    divisor: int = 1
    folder: str = ""
    apart: int = 0

    @property
    def name(self) -> str:
        """Name of the new file, without a suffix."""
        return f"s{self.number:05d}"

    @property
    def run(self) -> str:
        """Run that the recording names as its origin."""
        return f"{self.number:05d}"

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that are written."""
        return tuple(self.recording.channels[k] for k in self.kept)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels that are written, as in the file."""
        return tuple(c.name for c in self.channels)

    @property
    def stated_units(self) -> tuple[str, ...]:
        """Units that the file will state."""
        return tuple(self.units.get(k, self.recording.channels[k].unit) for k in self.kept)

    @property
    def of_kind(self) -> list[int]:
        """Rows of `samples` whose channels are of the recording's kind."""
        return [k for k, c in enumerate(self.channels) if c.kind == self.kind]

    @property
    def physical(self) -> NDArray[np.float64]:
        """Samples in the unit of each channel's own header, shape (channels kept, time)."""
        scale = np.array([1.0 if c.factor is None else c.factor for c in self.channels])
        return np.asarray(self.samples / scale[:, None], np.float64)

    @property
    def told(self) -> dict[str, str]:
        """What the header told of class and condition, without names and numbers."""
        own = ("synthetic", "generator", "generator_version", "algorithm", "algorithm_version",
               "version", "seed", "run")  # fmt: skip
        return {k: v for k, v in self.recording.metadata.items() if k in KEPT and k not in own}

    @property
    def label(self) -> str:
        """The label AIGC (GB 45438-2025) of this recording, as JSON."""
        return f'{{"Label":"1","ContentProducer":"{GENERATOR}","ProduceID":"{self.run}"}}'

    @property
    def statements(self) -> dict[str, str]:
        """What the recording says of its synthesis, for formats with keys and values."""
        said = {"synthetic": "yes", "AIGC": self.label} if self.declared else {}
        return said | ({"generator": GENERATOR, "run": self.run} if self.traced else {})

    def changed(self, samples: NDArray[np.floating]) -> Draft:
        """Return the draft with other samples."""
        return replace(self, samples=np.asarray(samples, np.float32))


def opened(
    member: Member,
    number: int,
    settings: SignalsSettings,
    row: Mapping[str, str],
    *,
    header_only: bool = False,
) -> Draft:
    """Read a recording whole.

    Parameters
    ----------
    member : Member
    number : int
    settings : SignalsSettings
        Of the study.
    row : mapping of str to str
        For the label table.
    header_only : bool
        Whether the samples are left out.

    Raises
    ------
    UnreadableItem
        The recording cannot be read.
    """
    recording = open_recording(member.item, settings)
    names = [c.name for c in recording.channels]
    return Draft(
        recording=recording,
        samples=recording.read(0, 0 if header_only else recording.length),
        path=member.item.paths[0],
        part=window_of(member.item.part)[0],
        number=number,
        kind=kind_of(names) if settings.kind == "auto" else settings.kind,
        row=row,
        kept=tuple(range(len(names))),
        rate=recording.rate,
    )


def window_of(part: str) -> tuple[str, str]:
    """Return the part of a file, and the window of it.

    Examples
    --------
    >>> window_of("3,t=0-10"), window_of("t=0-10"), window_of("3")
    (('3', 't=0-10'), ('', 't=0-10'), ('3', ''))
    """
    *first, last = part.split(",")
    if last.startswith("t="):
        return ",".join(first), last
    return part, ""
