"""Side-car files: what tables and arrays cannot say themselves, in YAML or JSON beside them.

``<name>.yaml`` or ``.json`` belongs to the recording of that name, ``recording.yaml`` or ``.json``
to all of the folder; the first one goes before the second, and both before the study's settings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sdq_signals.formats.texts import kept
from sdq_signals.rules import unreadable
from sdq_signals.settings import SignalsSettings

__all__ = ["Facts", "SideCar", "facts", "paths"]

SUFFIXES: Final = (".yaml", ".yml", ".json")
FOLDER_WIDE: Final = "recording"
MOST_BYTES: Final = 2**20

Scale = Annotated[float, Field(allow_inf_nan=False)]


class SideCar(BaseModel):
    """The keys of a side-car file; others are passed over.

    Parameters
    ----------
    sampling_rate : float
        Samples a second.
    units : str, list or mapping
        One unit, one for each channel in order, or channel -> unit.
    channels : list of str
        Names in order; of a table that has those columns: which of them are channels.
    scale : float or list
        Physical units for one stored unit.
    time_unit : {"s", "ms", "us", "ns"}
        Of a table's time column.
    synthetic, generator, seed, version, condition : str, number or bool
        Declaration and origin.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    sampling_rate: float | None = Field(default=None, gt=0, le=1e8)
    units: str | list[str] | dict[str, str] | None = None
    channels: list[str] | None = None
    scale: Scale | list[Scale] | None = None
    time_unit: Literal["s", "ms", "us", "ns"] | None = None


@dataclass(frozen=True)
class Facts:
    """What is known about a table or an array besides its values.

    Parameters
    ----------
    rate : float or None
    units : str, sequence, mapping or None
    channels : tuple of str or None
    scale : float, sequence or None
    time_unit : str or None
    metadata : mapping of str to str
        Declaration and origin, see `sdq_signals.formats.texts`.
    """

    rate: float | None = None
    units: str | Sequence[str] | Mapping[str, str] | None = None
    channels: tuple[str, ...] | None = None
    scale: float | Sequence[float] | None = None
    time_unit: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def unit(self, names: Sequence[str]) -> list[str]:
        """Return the unit of each channel; empty where none is known.

        Raises
        ------
        UnreadableItem
            A list of units of another length.

        Examples
        --------
        >>> Facts(units={"II": "mV"}).unit(["I", "II"])
        ['', 'mV']
        """
        if self.units is None:
            return [""] * len(names)
        if isinstance(self.units, Mapping):
            return [str(self.units.get(n, "")) for n in names]
        return _each(self.units, len(names))

    def scales(self, count: int) -> list[float]:
        """Return the scale of each channel, 1 where none is known."""
        return _each(1.0 if self.scale is None else self.scale, count)


def paths(recording: Path) -> list[Path]:
    """Return the side-car files of a recording that are there, its own first.

    Parameters
    ----------
    recording : Path

    Returns
    -------
    list of Path
    """
    stem = recording.name
    for suffix in (
        ".gz",
        recording.with_suffix("").suffix if stem.endswith(".gz") else "",
        recording.suffix,
    ):
        stem = stem.removesuffix(suffix)
    found = []
    for name in dict.fromkeys((stem, FOLDER_WIDE)):
        own = [recording.with_name(name + suffix) for suffix in SUFFIXES]
        found += [p for p in own if p.is_file()][:1]
    return found


def facts(recording: Path, settings: SignalsSettings | None = None) -> Facts:
    """Return what side-car files and settings say about a recording.

    Parameters
    ----------
    recording : Path
    settings : SignalsSettings, optional

    Returns
    -------
    Facts

    Raises
    ------
    UnreadableItem
        Rules ``side_car_invalid``, ``sampling_rate_invalid``.
    """
    raw: dict[str, Any] = {}
    for path in reversed(paths(recording)):
        raw |= {k: v for k, v in _content(path).items() if v is not None}
    try:
        found = SideCar.model_validate(raw)
    except ValidationError as error:
        keys = sorted({str(e["loc"][0]) for e in error.errors()})
        if keys == ["sampling_rate"]:
            raise unreadable("sampling_rate_invalid") from error
        raise unreadable(
            "side_car_invalid",
            f"the side-car file has a wrong value for {', '.join(keys)}; correct it",
        ) from error
    asked = settings or SignalsSettings()
    return Facts(
        asked.sampling_rate if found.sampling_rate is None else found.sampling_rate,
        asked.units if found.units is None else found.units,
        asked.channels if found.channels is None else tuple(found.channels),
        found.scale,
        found.time_unit,
        kept(raw),
    )


def _content(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        text = data.decode("utf-8-sig")
        found = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise unreadable("side_car_invalid") from error
    if len(data) > MOST_BYTES or not isinstance(found, dict):
        raise unreadable("side_car_invalid")
    return {str(key): value for key, value in found.items()}


def _each(values: Any, count: int) -> list[Any]:
    """Repeat one value, or make sure that there is one for each channel."""
    if isinstance(values, str | int | float):
        return [values] * count
    if len(values) != count:
        raise unreadable("channel_names")
    return list(values)
