"""The settings of an imaging study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sdq_core.errors import StudyError

__all__ = ["ImagingSettings"]


class ImagingSettings(BaseModel):
    """Options in the section ``settings`` of an imaging study.

    Parameters
    ----------
    max_pixels : int
        Most pixels that one item may declare; more is taken for a decompression bomb.
    dimensions : {"auto", "2d"}
        ``auto`` joins the slices of a DICOM series to a volume; ``2d`` takes each slice alone.
    masks : str, optional
        Folder of region masks: same relative path and name as the image.
    device : {"auto", "cpu", "cuda"}
        Where embeddings are computed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_pixels: int = Field(default=2**28, ge=1)
    dimensions: Literal["auto", "2d"] = "auto"
    masks: str | None = None
    device: Literal["auto", "cpu", "cuda"] = "cpu"

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
