"""Step 2 for images: one item becomes named scalars, embeddings, a signature and findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.description import Description, Item
from sdq_core.errors import UnreadableItem
from sdq_core.finding import Finding
from sdq_core.hashing import array_digest
from sdq_imaging.embeddings.registry import EMBEDDERS, Embedder, embedder, facts
from sdq_imaging.features import filters, intensity, regions, spectrum, texture
from sdq_imaging.grey import normalise, slices
from sdq_imaging.image import Image
from sdq_imaging.reading import read_image, read_mask
from sdq_imaging.rules import finding_for
from sdq_imaging.settings import ImagingSettings
from sdq_imaging.signature import signature

__all__ = ["ImagingDescriber", "named_features"]

Values = NDArray[np.float32]

MOST_FINDINGS = 50
"""Most findings of one item; an object that breaks everything says so with these."""


@dataclass(frozen=True)
class ImagingDescriber:
    """Describes images and volumes. Picklable; networks are made where they are used.

    Parameters
    ----------
    settings : mapping
        JSON-ready: what descriptions depend on, the embeddings' versions and hashes among it.
    """

    settings: Mapping[str, Any]
    name: str = "imaging"
    version: str = "1"
    _made: dict[str, Embedder] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, settings: ImagingSettings) -> ImagingDescriber:
        """Return the describer for validated settings, with every embedder that needs no file."""
        return cls({**settings.model_dump(), "embeddings": {n: facts(n) for n in EMBEDDERS}})

    def __call__(self, item: Item) -> Description:
        """Describe one item; a broken one gives ``readable=False`` and a finding."""
        limit = int(self.settings["max_pixels"])
        try:
            image = read_image(item, max_pixels=limit)
        except UnreadableItem as error:
            return Description(readable=False, findings=(finding_for(error),))
        found = list(image.findings)
        mask = image.mask
        if self.settings.get("masks"):
            mask, mask_problems = read_mask(
                item, image, Path(str(self.settings["masks"])), max_pixels=limit
            )
            found.extend(mask_problems)
        grey, rule = normalise(image)
        planes = slices(grey)
        scalars = {**geometry(image), **native_intensity(image), **named_features(planes)}
        scalars |= colour_features(image)
        if mask is not None:
            scalars |= {
                f"region.{name}": value
                for name, value in regions.region_features(grey, mask, image.spacing).items()
            }
        metadata = {**image.metadata, "kind": image.kind, "unit": image.unit, "normalisation": rule}
        metadata["content:sha256"] = array_digest(image.pixels)
        if image.dataset is not None:
            facts_found, problems = _dicom(item, image)
            metadata |= facts_found
            found.extend(problems)
        else:
            found.extend(_text_identifiers(image))
        embeddings = {}
        for name in self.settings["embeddings"]:
            vector = self._embedder(name)(planes, scalars)
            if vector is not None and np.isfinite(vector).all():
                embeddings[name] = vector
        return Description(
            scalars={k: v for k, v in scalars.items() if np.isfinite(v)},
            embeddings=embeddings,
            signature=signature(image.pixels),
            metadata=dict(sorted(metadata.items())),
            findings=tuple(dict.fromkeys(found))[:MOST_FINDINGS],
        )

    def __getstate__(self) -> dict[str, Any]:
        """Travel without the networks: each worker makes its own."""
        return {"settings": dict(self.settings), "name": self.name, "version": self.version}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for key, value in {**state, "_made": {}}.items():
            object.__setattr__(self, key, value)

    def _embedder(self, name: str) -> Embedder:
        if name not in self._made:
            self._made[name] = embedder(name, str(self.settings["device"]))
        return self._made[name]


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
    from sdq_imaging import dicom_rules
    from sdq_imaging.formats.dicom import header

    assert image.dataset is not None, "checked by the caller"
    length = image.metadata.get("PixelDataLength")
    found = list(
        dicom_rules.check(image.dataset, pixel_bytes=None if length is None else int(length))
    )
    found += dicom_rules.identifiers(image.dataset)
    for path in item.paths[1:]:
        dataset = header(path)
        found += dicom_rules.check(dataset)
        found += dicom_rules.identifiers(dataset)
    return dicom_rules.synthesis_metadata(image.dataset), found


def _text_identifiers(image: Image) -> list[Finding]:
    """Find identifiers in the texts that a picture keeps in clear."""
    from sdq_core.identifiers import identifiers_in_text
    from sdq_core.vocabulary import Severity

    return [
        Finding(
            f"imaging.identifier.{kind}",
            Severity.ERROR,
            "a text inside the file holds what looks like a direct identifier; remove it",
            "文件内的文本疑似包含直接标识符, 请删除",
            key,
        )
        for key, value in image.metadata.items()
        if key.startswith("text:")
        for kind in identifiers_in_text(value)
    ]
