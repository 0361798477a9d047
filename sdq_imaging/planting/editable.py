"""One item opened for writing it anew: its stored values, and what it says of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.description import Item

__all__ = ["GENERATOR", "VERSION", "Declaration", "Editable", "Stored", "in_range"]

GENERATOR: Final = "sdq-calibration"
VERSION: Final = "1"
"""What stands in for a generator in calibration."""

Stored = NDArray[Any]
"""Shape (y, x), (z, y, x), or (3, y, x) for colours: planes are always the last two axes."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What an item that stands in for a synthetic one says of itself.

    Parameters
    ----------
    number : int
        Of the item in its cohort, from 1; also its seed.
    subject : str
        A key of its own, that no real cohort has.
    stated : bool
        Whether it says that it is synthetic; new identifiers it has in any case.
    labelled : bool
        Whether it carries the label AIGC.
    generator, version : str
        As the study's description of the generator states them, so that nothing contradicts it.
    """

    number: int
    subject: str
    stated: bool = True
    labelled: bool = True
    generator: str = GENERATOR
    version: str = VERSION

    @property
    def label(self) -> str:
        """The label AIGC as JSON; empty where there is none.

        Examples
        --------
        >>> Declaration(7, "S1").label
        '{"Label":"1","ContentProducer":"sdq-calibration","ProduceID":"7"}'
        """
        if not (self.stated and self.labelled):
            return ""
        return f'{{"Label":"1","ContentProducer":"{GENERATOR}","ProduceID":"{self.number}"}}'

    @property
    def columns(self) -> dict[str, str]:
        """What the label table says of it."""
        if not self.stated:
            return {}
        return {
            "synthetic": "yes",
            "generator": self.generator,
            "generator_version": self.version,
            "seed": str(self.number),
        }


class Editable(ABC):
    """One item, opened. Change `values` or the header, then save.

    Attributes
    ----------
    item : Item
    values : ndarray or None
        Stored values; None where they cannot be changed (indices of a palette, single bits).
    limits : tuple of float or None
        Least and greatest value that can be stored; None for floating point.
    """

    item: Item
    values: Stored | None = None
    limits: tuple[float, float] | None = None

    @abstractmethod
    def declare(self, declaration: Declaration) -> None:
        """Give the item new identifiers, and have it say that it is synthetic."""

    @abstractmethod
    def save(self, folder: Path, stem: str) -> Path:
        """Write the item below a folder.

        Parameters
        ----------
        folder : Path
        stem : str
            Path below the folder, without suffix.

        Returns
        -------
        Path
            The file, or the folder of a series.
        """

    def put(self, values: NDArray[Any]) -> None:
        """Take other values, rounded and clipped to what can be stored."""
        assert self.values is not None, "asked before"
        self.values = in_range(values, self.values.dtype, self.limits)


def in_range(
    values: NDArray[Any], dtype: np.dtype[Any], limits: tuple[float, float] | None
) -> Stored:
    """Round and clip values to what a type, and the bits in use, can hold.

    Examples
    --------
    >>> in_range(np.array([-3.0, 1.6, 300.0]), np.dtype(np.uint8), (0, 255)).tolist()
    [0, 2, 255]
    """
    if dtype.kind in "iu":
        ends = np.iinfo(dtype)
        low, high = (ends.min, ends.max) if limits is None else limits
        low, high = max(low, int(ends.min)), min(high, int(ends.max))
        values = np.clip(np.rint(values), low, high)
    elif dtype.kind == "b":
        values = values > 0.5
    return np.ascontiguousarray(values).astype(dtype)
