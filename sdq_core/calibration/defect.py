"""What a modality gives to calibration: its catalogue of defects, and the hand that plants them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sdq_core.description import Item
from sdq_core.errors import UsageError
from sdq_core.vocabulary import Characteristic

if TYPE_CHECKING:
    import numpy as np

    from sdq_core.reasons import Why
    from sdq_core.study import CohortSource

__all__ = ["Defect", "Member", "Planter"]


@dataclass(frozen=True, slots=True)
class Defect:
    """One kind of defect that can be planted at several severities.

    Parameters
    ----------
    id : str
        Stable, e.g. ``"blur"``; lower case with hyphens, unique inside a modality.
    title : tuple of str
        What a person calls it, in English and in Chinese.
    targets : tuple of Characteristic
        Of which at least one must fail because of it.
    severities : tuple of float
        Ascending, from hardly visible to gross, in `unit`.
    unacceptable : float
        One of `severities`: from here on a study must not pass. Profiles may state another.
    unit : tuple of str
        Of the severity, in English and in Chinese.
    sees : tuple of str
        Ids of the measures and of the rules that are there to see it.
    source : str
        Its clinical or technical sense: paper, standard and clause.
    side_effects : tuple of Characteristic
        That may fail as well, and rightly: lost modes are lost balance too. Every other
        characteristic must not fail because of it.
    estimated_by : str
        Id of the measure that estimates the severity itself, e.g. the share of memorised items,
        severities being shares from 0 to 1; ``id[variant]`` where one of its variants does; empty
        where there is none.
    needs : tuple of str
        What a study must have for it: ``"classes"`` (two or more), ``"subjects"``, ``"holdout"``,
        ``"subgroup"``.

    Raises
    ------
    UsageError
        The severities are not ascending, or `unacceptable` is none of them.

    Examples
    --------
    >>> blur = Defect("blur", ("blurred images", "图像模糊"), (Characteristic.FIDELITY,),
    ...               (0.3, 0.6, 1.0, 2.0), 1.0, ("pixels", "像素"),
    ...               ("imaging.fidelity.spectrum_distance",), "Heusel et al. 2017, section A1")
    >>> blur.grave(2.0), blur.grave(0.6)
    (True, False)
    """

    id: str
    title: tuple[str, str]
    targets: tuple[Characteristic, ...]
    severities: tuple[float, ...]
    unacceptable: float
    unit: tuple[str, str]
    sees: tuple[str, ...]
    source: str
    side_effects: tuple[Characteristic, ...] = ()
    estimated_by: str = ""
    needs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.targets or not self.sees:
            raise UsageError(f"defect {self.id}: names no target, or nothing that should see it")
        if list(self.severities) != sorted(set(self.severities)):
            raise UsageError(f"defect {self.id}: severities must ascend, got {self.severities}")
        if self.unacceptable not in self.severities:
            raise UsageError(
                f"defect {self.id}: unacceptable is {self.unacceptable:g}, which is none of its "
                f"severities {self.severities}"
            )

    def grave(self, severity: float) -> bool:
        """Return whether a study must not pass at this severity."""
        return severity >= self.unacceptable


@dataclass(frozen=True, slots=True)
class Member:
    """One real item that is dealt out again.

    Parameters
    ----------
    item : Item
    source : CohortSource
        The study's cohort that it comes from.
    subject : str
        Unit of dealing: items of one subject stay together.
    row : mapping of str to str
        What the label table and the container say of it: ``class``, ``subject``, attributes.
    """

    item: Item
    source: CohortSource
    subject: str
    row: Mapping[str, str] = field(default_factory=dict)


class Planter(ABC):
    """Writes parts of the real data as cohorts, as they are or with a planted defect.

    Cohorts are written to files and then evaluated like any others, so that calibration measures
    the whole way from the file to the verdict. A modality derives from this; made for one study.
    """

    @property
    @abstractmethod
    def defects(self) -> Sequence[Defect]:
        """The catalogue, in the order of the characteristics."""

    @abstractmethod
    def unavailable(self, defect: Defect, members: Sequence[Member]) -> Why | None:
        """Return why a defect cannot be planted in these items, None when it can.

        E.g. pictures have no DICOM attributes to lose. What `Defect.needs` says is asked by the
        caller.
        """

    @abstractmethod
    def write(self, members: Sequence[Member], folder: Path, *, synthetic: bool) -> CohortSource:
        """Write items as a cohort.

        Parameters
        ----------
        members : sequence of Member
        folder : Path
            Does not exist yet.
        synthetic : bool
            Whether they stand in for a generator's output: then the cohort says of itself that
            it is synthetic, in the way of its format, and shares no number that names a real item.

        Returns
        -------
        CohortSource
            With a label table where the members have labels.
        """

    @abstractmethod
    def plant(
        self,
        defect: Defect,
        severity: float,
        fresh: Sequence[Member],
        train: Sequence[Member],
        rng: np.random.Generator,
        folder: Path,
    ) -> CohortSource:
        """Write the fresh items as a synthetic cohort that carries a defect.

        Apart from the defect the cohort is what `write` makes of the same items.

        Parameters
        ----------
        defect : Defect
            Of `defects`, and available.
        severity : float
            Of its severities.
        fresh, train : sequence of Member
            Copies are taken from `train`.
        rng : numpy.random.Generator
        folder : Path
            Does not exist yet.
        """
