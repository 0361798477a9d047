"""The interface of one characteristic: named parts, none of which takes the others down."""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sdq_core.cohort import Cohorts
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement
from sdq_core.reasons import why
from sdq_core.vocabulary import Characteristic

__all__ = ["CharacteristicEvaluation", "Part"]


@dataclass(frozen=True)
class Part:
    """Measures that are computed together.

    Parameters
    ----------
    measures : tuple of str
        Last part of the ids that the function gives, e.g. ``("mmd", "kernel_distance")``.
    function : callable
        Gives the measurements, and findings where it has any.
    """

    measures: tuple[str, ...]
    function: Callable[[Cohorts], Iterable[Measurement | Finding]]


class CharacteristicEvaluation(ABC):
    """The measures of one characteristic for one modality.

    Parameters
    ----------
    modality : str
        First part of the measurement ids.
    """

    characteristic: ClassVar[Characteristic]

    def __init__(self, modality: str) -> None:
        self.modality = modality

    @abstractmethod
    def parts(self) -> Sequence[Part]:
        """Return the parts, in the order of the report."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of all measures, in order."""
        return tuple(self.id(m) for part in self.parts() for m in part.measures)

    def id(self, measure: str) -> str:
        """Return the full id of a measure.

        Examples
        --------
        >>> from sdq_core.characteristics.balance import Balance
        >>> Balance("imaging").id("items")
        'imaging.balance.items'
        """
        return f"{self.modality}.{self.characteristic}.{measure}"

    def measure(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Compute every part; a part that breaks gives reasons instead, and the rest goes on.

        Parameters
        ----------
        cohorts : Cohorts

        Yields
        ------
        Measurement or Finding
        """
        for part in self.parts():
            done: set[str] = set()
            try:
                for output in part.function(cohorts):
                    if isinstance(output, Measurement):
                        done.add(output.id)
                    yield output
            except Exception as error:  # what was computed must not be lost
                # The message of an unexpected error may quote data, so only its type and place.
                last = traceback.extract_tb(error.__traceback__)[-1]
                place = f"{Path(last.filename).name}:{last.lineno}"
                for measure in part.measures:
                    if self.id(measure) not in done:
                        yield Measurement(
                            self.id(measure),
                            **why("failed", error=type(error).__name__, where=place),
                        )
