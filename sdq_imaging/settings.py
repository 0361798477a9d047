"""The settings of an imaging study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from sdq_core.acceleration import DEVICES
from sdq_core.errors import StudyError
from sdq_imaging.embeddings.asked import DEFAULT, Asked

__all__ = ["ImagingSettings", "Region"]


class Region(BaseModel):
    """What a label value of the masks stands for.

    Parameters
    ----------
    name : str
    size : tuple of float, optional
        Lowest and highest plausible size, in millimetres to the power of the dimension, or in
        pixels where images state no spacing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="", max_length=60)
    size: tuple[float, float] | None = None

    @field_validator("size")
    @classmethod
    def _ascending(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and not 0 <= value[0] < value[1]:
            raise ValueError("size: give the lowest and the highest plausible size")
        return value


class ImagingSettings(BaseModel):
    """Options in the section ``settings`` of an imaging study.

    Parameters
    ----------
    max_pixels : int
        Most pixels that one item may declare; more is taken for a decompression bomb.
    dimensions : {"auto", "2d"}
        ``auto`` joins the slices of a DICOM series to a volume; ``2d`` takes each slice alone.
    masks : str, optional
        Folder of region masks: the image's path below its cohort's folder, inside a folder that is
        named like the cohort's or directly; see `sdq_imaging.masks.mask_files`.
    regions : mapping of int to Region
        The label values that masks may hold, with what is plausible of each.
    device : str
        Where embeddings, neighbours and MS-SSIM are computed: ``auto``, ``cpu``, ``cuda`` or
        ``cuda:N``; see `sdq_core.acceleration`.
    embeddings : list of str or Asked
        Embeddings by name, or with the file that they need; by default those that need none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_pixels: int = Field(default=2**28, ge=1)
    dimensions: Literal["auto", "2d"] = "auto"
    masks: str | None = None
    regions: dict[Annotated[int, Field(ge=1, le=255)], Region] = Field(default_factory=dict)
    device: str = Field(default="cpu", pattern=DEVICES)
    embeddings: tuple[Asked, ...] = Field(
        default=tuple(Asked(name=n) for n in DEFAULT), min_length=1
    )

    @field_validator("embeddings", mode="before")
    @classmethod
    def _by_name(cls, value: object) -> object:
        if not isinstance(value, list | tuple):
            return value
        return tuple({"name": v} if isinstance(v, str) else v for v in value)

    @field_validator("embeddings")
    @classmethod
    def _once(cls, value: tuple[Asked, ...]) -> tuple[Asked, ...]:
        called = [a.called for a in value]
        twice = sorted({c for c in called if called.count(c) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands twice; give one of them another label")
        return value

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> ImagingSettings:
        """Validate the study's settings.

        Raises
        ------
        StudyError
            An unknown key or a wrong value.

        Examples
        --------
        >>> ImagingSettings.of({"dimensions": "2d"}).dimensions
        '2d'
        """
        try:
            return cls.model_validate(dict(settings))
        except ValidationError as error:
            problems = "; ".join(
                f"settings.{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()
            )
            allowed = ", ".join(cls.model_fields)
            raise StudyError(f"study: {problems} (allowed settings: {allowed})") from error
