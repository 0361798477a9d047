"""Step 2 for signals: a recording becomes named scalars, an embedding, a signature and findings.

Recordings of one form (channels, rate, length) are described together; what is found for one does
not depend on the others. A recording of more than a minute is read and described minute by minute:
memory is bounded, and its features are medians over the minutes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.description import Description, Item
from sdq_core.errors import UnreadableItem
from sdq_core.finding import Finding
from sdq_core.hashing import array_digest
from sdq_signals.channels import kind_of
from sdq_signals.embeddings import random_convolutions
from sdq_signals.features.batch import Batch, features
from sdq_signals.features.structure import StructureAccumulator, defects
from sdq_signals.linting import lint
from sdq_signals.plausibility import contradictions, implausible_unit
from sdq_signals.reading import open_recording
from sdq_signals.recording import Channel, Kind, Recording
from sdq_signals.rules import finding, finding_for
from sdq_signals.settings import SignalsSettings

__all__ = ["SignalsDescriber"]

BLOCK_S: Final = 60.0
"""Seconds that are read and described at a time."""
BATCH_SAMPLES: Final = 8_000_000
"""Samples of all channels that are described together: 32 MB in float32."""
MOST_FINDINGS: Final = 50
"""Most findings of one item; a file that breaks everything says so with these."""

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class _Opened:
    """One recording, opened, with the channels that its kind is described by."""

    recording: Recording
    kind: Kind
    used: tuple[int, ...]

    @property
    def channels(self) -> tuple[Channel, ...]:
        return tuple(self.recording.channels[k] for k in self.used)

    @property
    def calibrated(self) -> bool:
        return all(c.factor is not None for c in self.channels)

    @property
    def form(self) -> tuple[object, ...]:
        """What recordings that are described together have in common."""
        labels = tuple(c.label for c in self.recording.channels)
        r = self.recording
        return labels, self.used, self.kind, self.calibrated, r.rate, r.length

    @property
    def blocks(self) -> list[tuple[int, int]]:
        """First and last sample of each block; a short rest belongs to the last one."""
        length, size = self.recording.length, max(1, round(BLOCK_S * self.recording.rate))
        count = max(1, length // size)
        return [(k * size, length if k == count - 1 else (k + 1) * size) for k in range(count)]


@dataclass(frozen=True)
class SignalsDescriber:
    """Describes recordings, many of one form at a time.

    Parameters
    ----------
    settings : mapping
        JSON-ready: what descriptions depend on, the embedding's version and hash among it.
    """

    settings: Mapping[str, Any]
    name: str = "signals"
    version: str = "3"

    @classmethod
    def of(cls, settings: SignalsSettings) -> SignalsDescriber:
        """Return the describer for validated settings."""
        facts = {random_convolutions.NAME: random_convolutions.facts()}
        return cls({**settings.model_dump(mode="json"), "embeddings": facts})

    def __call__(self, item: Item) -> Description:
        """Describe one recording; a broken one gives ``readable=False`` and a finding."""
        return self.describe_many([item])[0]

    def describe_many(self, items: Sequence[Item]) -> list[Description]:
        """Describe some recordings, together where they have one form."""
        options = SignalsSettings.of({k: v for k, v in self.settings.items() if k != "embeddings"})
        found: dict[int, Description] = {}
        groups: dict[tuple[object, ...], list[tuple[int, _Opened]]] = {}
        for number, item in enumerate(items):
            try:
                opened = _open(item, options)
                if len(opened.blocks) > 1:
                    found[number] = self._describe([opened], [item], options)[0]
                else:
                    groups.setdefault(opened.form, []).append((number, opened))
            except UnreadableItem as error:
                found[number] = Description(readable=False, findings=(finding_for(error),))
        for group in groups.values():
            first = group[0][1].recording
            size = max(1, BATCH_SAMPLES // max(1, first.length * len(first.channels)))
            for start in range(0, len(group), size):
                part = group[start : start + size]
                try:
                    together = self._describe(
                        [o for _, o in part], [items[n] for n, _ in part], options
                    )
                    found |= {n: d for (n, _), d in zip(part, together, strict=True)}
                except UnreadableItem:  # one of them, met while reading: each by itself
                    found |= {n: self._alone(o, items[n], options) for n, o in part}
        return [found[number] for number in range(len(items))]

    def _alone(self, opened: _Opened, item: Item, options: SignalsSettings) -> Description:
        try:
            return self._describe([opened], [item], options)[0]
        except UnreadableItem as error:
            return Description(readable=False, findings=(finding_for(error),))

    def _describe(
        self, opened: Sequence[_Opened], items: Sequence[Item], options: SignalsSettings
    ) -> list[Description]:
        """Describe recordings of one form."""
        first = opened[0]
        recording = first.recording
        structure = StructureAccumulator(len(opened), len(recording.channels), recording.rate)
        batches: list[Batch] = []
        digests: list[list[str]] = [[] for _ in opened]
        for start, stop in first.blocks:
            samples = np.stack([o.recording.read(start, stop) for o in opened])
            structure.update(samples)
            for k, sample in enumerate(samples):
                digests[k].append(array_digest(_quantised(sample)))
            batches.append(
                features(
                    samples[:, first.used],
                    recording.rate,
                    tuple(c.label for c in first.channels),
                    first.kind,
                    calibrated=first.calibrated,
                    mains_hz=options.mains_hz,
                )
            )
        merged = Batch.merged(batches)
        faults = structure.result()
        return [
            _description(
                one,
                item,
                merged,
                k,
                [
                    finding(rule, where)
                    for rule, where in defects(faults, one.recording.channels, k)
                ],
                _joined(digests[k]),
            )
            for k, (one, item) in enumerate(zip(opened, items, strict=True))
        ]


def _open(item: Item, options: SignalsSettings) -> _Opened:
    recording = open_recording(item, options)
    kind = kind_of([c.name for c in recording.channels]) if options.kind == "auto" else options.kind
    used = tuple(k for k, c in enumerate(recording.channels) if c.kind == kind)
    return _Opened(recording, kind, used or tuple(range(len(recording.channels))))


def _description(
    opened: _Opened,
    item: Item,
    batch: Batch,
    row: int,
    faults: Sequence[Finding],
    digest: str,
) -> Description:
    """Put together what was found of one recording."""
    recording = opened.recording
    scalars = {
        "recording.duration_s": recording.duration,
        "recording.rate_hz": recording.rate,
        "recording.channels": float(len(recording.channels)),
        **batch.scalars_of(row),
    }
    resolutions = [c.resolution for c in opened.channels if c.resolution is not None]
    found: list[Finding] = [
        *recording.findings,
        *faults,
        *contradictions(scalars, opened.kind, max(resolutions, default=0.0)),
        *lint(item.paths[0], recording.format),
    ]
    if opened.calibrated:
        found += implausible_unit(scalars, opened.kind, found)
    embedding = batch.embeddings[row]
    signature = batch.signatures[row]
    return Description(
        scalars=scalars,
        embeddings={random_convolutions.NAME: embedding} if np.isfinite(embedding).all() else {},
        signature=signature if np.isfinite(signature).all() and np.ptp(signature) > 0 else None,
        metadata=dict(
            sorted(
                {
                    **recording.metadata,
                    "kind": opened.kind,
                    "format": recording.format,
                    "channels": "|".join(recording.labels),
                    "rate": f"{recording.rate:g}",
                    "content:sha256": digest,
                }.items()
            )
        ),
        findings=tuple(dict.fromkeys(found))[:MOST_FINDINGS],
    )


def _quantised(samples: Samples) -> Samples:
    """Round samples to steps of a millionth of the power of ten of their range.

    Files hold one signal in different forms; their last bits must not hide a copy. Missing ones
    become 1e30.
    """
    largest = float(np.nanmax(np.abs(samples), initial=0.0)) if np.isfinite(samples).any() else 0.0
    if largest == 0:
        return np.where(np.isfinite(samples), samples, np.float32(1e30))
    step = 10.0 ** (np.floor(np.log10(largest)) - 5)
    steps = np.rint(samples.astype(np.float64) / step)
    return np.where(np.isfinite(samples), steps, 1e30).astype(np.float32)


def _joined(digests: Sequence[str]) -> str:
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()
