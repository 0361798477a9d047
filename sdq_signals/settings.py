"""The settings of a signals study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sdq_core.errors import StudyError

__all__ = ["SignalsSettings"]


class SignalsSettings(BaseModel):
    """Options in the section ``settings`` of a signals study.

    Parameters
    ----------
    kind : {"auto", "ecg", "eeg", "ppg", "other"}
        ``auto`` decides for each recording by the names of its channels.
    window_s : float, optional
        Seconds: a recording at least twice as long is cut into windows of this length, each an
        item of the recording's subject. Without it a recording is one item, whatever its length.
    mains_hz : {50, 60}
        Frequency of the power grid where the real data were recorded.
    sampling_rate : float, optional
        Samples a second of tables and arrays that state none themselves or in a side-car.
    units : str, optional
        Unit of their samples.
    channels : tuple of str, optional
        Names of their channels, in order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["auto", "ecg", "eeg", "ppg", "other"] = "auto"
    window_s: float | None = Field(default=None, gt=0, le=3600)
    mains_hz: Literal[50, 60] = 50
    sampling_rate: float | None = Field(default=None, gt=0, le=1e6)
    units: str | None = None
    channels: tuple[str, ...] | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> SignalsSettings:
        """Validate the study's settings.

        Raises
        ------
        StudyError
            An unknown key or a wrong value.

        Examples
        --------
        >>> SignalsSettings.of({"window_s": 10}).window_s
        10.0
        """
        try:
            return cls.model_validate(dict(settings))
        except ValidationError as error:
            problems = "; ".join(
                f"settings.{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()
            )
            allowed = ", ".join(cls.model_fields)
            raise StudyError(f"study: {problems} (allowed settings: {allowed})") from error
