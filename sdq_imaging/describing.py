"""Step 2 for images: one item becomes named scalars, embeddings, a signature and findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.acceleration import chosen_device
from sdq_core.description import Description, Item
from sdq_core.errors import UnreadableItem
from sdq_core.finding import Finding
from sdq_core.hashing import array_digest
from sdq_imaging import visible
from sdq_imaging.embeddings.asked import Asked
from sdq_imaging.embeddings.networks import NetworkEmbedder
from sdq_imaging.embeddings.registry import Embedder, facts_of, make
from sdq_imaging.embeddings.whole import Whole
from sdq_imaging.features import filters, intensity, regions, spectrum, texture, volume
from sdq_imaging.grey import normalise, slices
from sdq_imaging.image import Image
from sdq_imaging.masks import mask_findings, read_mask
from sdq_imaging.reading import read_image
from sdq_imaging.rules import finding, finding_for, text_findings
from sdq_imaging.settings import ImagingSettings
from sdq_imaging.signature import signature

__all__ = ["ImagingDescriber", "named_features"]

Values = NDArray[np.float32]

MOST_FINDINGS = 50
"""Most findings of one item; an object that breaks everything says so with these."""

TOGETHER = 16
"""Items whose slices wait in memory for one batch."""


@dataclass(frozen=True)
class ImagingDescriber:
    """Describes images and volumes. Picklable; networks are made where they are used.

    Parameters
    ----------
    settings : mapping
        JSON-ready: what descriptions depend on, the embeddings' versions and hashes among it.
    asked : mapping of str to Asked
        Where the files of embeddings are; their hashes stand in `settings`.
    masks : Path or None
        Folder of region masks; their content is part of the items' digests.
    """

    settings: Mapping[str, Any]
    name: str = "imaging"
    version: str = "4"
    asked: Mapping[str, Asked] = field(default_factory=dict, repr=False)
    masks: Path | None = None
    _made: dict[str, Embedder] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, settings: ImagingSettings) -> ImagingDescriber:
        """Return the describer for validated settings, with every embedder whose file is there."""
        asked = {a.called: a for a in settings.embeddings if not a.lacking}
        stated = settings.model_dump(mode="json", exclude={"embeddings", "masks"})
        device = chosen_device(settings.device)
        kind = cls if device == "cpu" else BatchImagingDescriber
        return kind(
            {
                **stated,
                "device": device,  # which descriptions depend on, whatever "auto" means elsewhere
                "masks": settings.masks is not None,
                "embeddings": {name: facts_of(a) for name, a in asked.items()},
            },
            asked=asked,
            masks=None if settings.masks is None else Path(settings.masks),
        )

    def __call__(self, item: Item) -> Description:
        """Describe one item; a broken one gives ``readable=False`` and a finding."""
        seen = self._seen(item)
        if isinstance(seen, Description):
            return seen
        vectors = {}
        for name in self.settings["embeddings"]:
            try:
                vectors[name] = self._embedder(name)(seen.planes, seen.scalars, seen.whole)
            except Exception:
                if not name_of(self.asked.get(name)).startswith("python:"):
                    raise
                # The user's own function: the item is described without it.
                seen.findings.append(finding("embedding_failed", where=name))
        return seen.described(vectors)

    def _seen(self, item: Item) -> _Seen | Description:
        """Read an item and compute everything but the embeddings."""
        limit = int(self.settings["max_pixels"])
        try:
            image = read_image(item, max_pixels=limit)
        except UnreadableItem as error:
            return Description(readable=False, findings=(finding_for(error),))
        found = list(image.findings)
        mask = image.mask
        if self.masks is not None:
            mask, mask_problems = read_mask(item, image, self.masks, max_pixels=limit)
            found.extend(mask_problems)
        grey, rule = normalise(image)
        planes = slices(grey)
        scalars = {**geometry(image), **native_intensity(image), **named_features(planes)}
        scalars |= colour_features(image) | volume.features(grey, image.spacing)
        if mask is not None:
            declared = self.settings.get("regions") or {}
            scalars |= {
                f"region.{name}": value
                for name, value in regions.region_features(grey, mask, image.spacing).items()
            }
            found.extend(mask_findings(image, mask, scalars, declared))
        metadata = {**image.metadata, "kind": image.kind, "unit": image.unit, "normalisation": rule}
        metadata["content:sha256"] = array_digest(image.pixels)
        if image.dataset is not None:
            facts_found, problems = _dicom(item, image)
            metadata |= facts_found
            found.extend(problems)
        else:
            found.extend(_text_identifiers(image))
        found.extend(visible.findings(image, grey))
        return _Seen(planes, Whole(grey, image.colour), scalars, image, metadata, found)

    def __getstate__(self) -> dict[str, Any]:
        """Travel without the networks: each worker makes its own."""
        return {
            "settings": dict(self.settings),
            "name": self.name,
            "version": self.version,
            "asked": dict(self.asked),
            "masks": self.masks,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        for key, value in {**state, "_made": {}}.items():
            object.__setattr__(self, key, value)

    def _embedder(self, name: str) -> Embedder:
        if name not in self._made:
            asked = self.asked.get(name) or Asked(name=name)
            self._made[name] = make(asked, str(self.settings["device"]))
        return self._made[name]


class BatchImagingDescriber(ImagingDescriber):
    """Puts the slices of several items through a network together: what a CUDA device is fast at.

    Batches are filled up to one size, so that the network computes each row alike.
    """

    def describe_many(self, items: Sequence[Item]) -> Sequence[Description]:
        """Describe some items, a few at a time."""
        found: list[Description] = []
        for start in range(0, len(items), TOGETHER):
            found += self._together(items[start : start + TOGETHER])
        return found

    def _together(self, items: Sequence[Item]) -> list[Description]:
        everything = [self._seen(item) for item in items]
        seen = [s for s in everything if isinstance(s, _Seen)]
        vectors: list[dict[str, Any]] = [{} for _ in seen]
        for name in self.settings["embeddings"]:
            made = self._embedder(name)
            if not isinstance(made, NetworkEmbedder):
                for s, row in zip(seen, vectors, strict=True):
                    row[name] = made(s.planes, s.scalars, s.whole)
                continue
            inputs = [made.prepare(s.planes, s.whole) for s in seen]
            for row, vector in zip(vectors, made.together(inputs), strict=True):
                row[name] = vector
        described = iter([s.described(v) for s, v in zip(seen, vectors, strict=True)])
        return [next(described) if isinstance(s, _Seen) else s for s in everything]


@dataclass(frozen=True)
class _Seen:
    """What was computed of one item before its embeddings."""

    planes: Values
    whole: Whole
    scalars: dict[str, float]
    image: Image
    metadata: dict[str, str]
    findings: list[Finding]

    def described(self, vectors: Mapping[str, Values | None]) -> Description:
        return Description(
            scalars={k: v for k, v in self.scalars.items() if np.isfinite(v)},
            embeddings={k: v for k, v in vectors.items() if v is not None and np.isfinite(v).all()},
            signature=signature(self.image.pixels),
            metadata=dict(sorted(self.metadata.items())),
            findings=tuple(dict.fromkeys(self.findings))[:MOST_FINDINGS],
        )


def name_of(asked: Asked | None) -> str:
    """Return the name of an embedder, empty for none."""
    return "" if asked is None else asked.name


def geometry(image: Image) -> dict[str, float]:
    """Return size and spacing."""
    names = ("slices", "rows", "columns")[-image.pixels.ndim :]
    found = {f"geometry.{n}": float(s) for n, s in zip(names, image.pixels.shape, strict=True)}
    if image.spacing is not None:
        found |= {
            f"geometry.spacing_{n}": float(s) for n, s in zip(names, image.spacing, strict=True)
        }
    return found


def native_intensity(image: Image) -> dict[str, float]:
    """Return first-order statistics in the image's own unit: they see shifts and wrong units."""
    return {f"intensity.{k}": v for k, v in intensity.first_order(image.pixels).items()}


def named_features(planes: Values) -> dict[str, float]:
    """Return the features of the normalised grey values, the mean over slices.

    Parameters
    ----------
    planes : ndarray, shape (s, y, x), 0..1

    Returns
    -------
    dict of str to float
        A feature that does not exist for one of the slices is the mean over the others, and is
        left out where it exists for none.
    """
    collected: dict[str, list[float]] = {}
    for plane in planes:
        levels = texture.discretise(plane)
        groups = {
            "grey": intensity.first_order(plane) | intensity.histogram(levels, texture.LEVELS),
            "texture": texture.co_occurrence_features(texture.co_occurrence(levels)),
            "sharpness": filters.sharpness(plane),
            "noise": filters.noise(plane),
            "blobs": filters.blobs(plane),
            "spectrum": spectrum.radial_power(plane),
        }
        for group, values in groups.items():
            for name, value in values.items():
                collected.setdefault(f"{group}.{name}", []).append(value)
    return {name: float(np.mean(values)) for name, values in collected.items()}


def colour_features(image: Image) -> dict[str, float]:
    """Return mean and deviation of each channel and the mean saturation, where there is colour."""
    if image.colour is None:
        return {}
    channels = image.colour.reshape(-1, 3).astype(np.float64)
    found = {}
    for k, name in enumerate(("red", "green", "blue")):
        found[f"colour.{name}_mean"] = float(channels[:, k].mean())
        found[f"colour.{name}_deviation"] = float(channels[:, k].std())
    highest = channels.max(axis=1)
    spread = highest - channels.min(axis=1)
    found["colour.saturation"] = float((spread / np.maximum(highest, 1)).mean())
    return found


def _dicom(item: Item, image: Image) -> tuple[dict[str, str], list[Finding]]:
    """Return what every file of the item says of its synthesis, and breaks of the rules."""
    from sdq_imaging.dicom.item import judge_item

    assert image.dataset is not None, "checked by the caller"
    length = image.metadata.get("PixelDataLength")
    ends = image.metadata.get("StoredPixelRange", "").split("\\")
    facts_found, found = judge_item(
        image.dataset,
        item.paths[1:],
        pixel_bytes=None if length is None else int(length),
        pixel_range=(float(ends[0]), float(ends[1])) if len(ends) == 2 else None,
    )
    return dict(facts_found), list(found)


def _text_identifiers(image: Image) -> list[Finding]:
    """Find identifiers in the texts that a picture keeps in clear."""
    return [
        found
        for key, value in image.metadata.items()
        if key.startswith("text:")
        for found in text_findings(value, key)
    ]
