"""The plugin interface, and the discovery of plugins through entry points."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from sdq_core.description import Description, Item
from sdq_core.errors import PluginError, UsageError
from sdq_core.finding import Finding

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sdq_core.calibration.defect import Planter
    from sdq_core.characteristics import CharacteristicEvaluation
    from sdq_core.in_memory.data import InMemory
    from sdq_core.result import MeasureText
    from sdq_core.review.display import Displayer
    from sdq_core.study import CohortSource, Study

__all__ = [
    "GROUP",
    "BatchDescriber",
    "Describer",
    "Discovery",
    "Listing",
    "Modality",
    "SharingDescriber",
    "discover",
    "load_modality",
]

GROUP = "sdq.modalities"
"""Entry-point group in which a distribution registers a modality."""


class Describer(Protocol):
    """Turns one item into its description: a pure, picklable function of the item's content."""

    @property
    def name(self) -> str:
        """Name of the describer, e.g. ``"imaging"``."""
        ...

    @property
    def version(self) -> str:
        """Version; changes whenever the same input would give another description."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """JSON-ready settings that the description depends on."""
        ...

    def __call__(self, item: Item) -> Description:
        """Describe one item; a broken one gives ``readable=False`` and a finding, no error."""
        ...


@runtime_checkable
class BatchDescriber(Describer, Protocol):
    """A describer that is faster with several items at a time.

    The description of an item must not depend on the others, to the last bit. A describer that
    has much to do before the first item may say how many it should get at a time: an attribute
    ``together`` (64 by default).
    """

    def describe_many(self, items: Sequence[Item]) -> Sequence[Description]:
        """Describe some items; one description for each, in their order."""
        ...


@runtime_checkable
class SharingDescriber(Describer, Protocol):
    """A describer with much to do before the first item, which worker processes may share."""

    def shared(self, items: Sequence[Item]) -> AbstractContextManager[Describer]:
        """Return the same describer with what it knows laid out for other processes.

        Its descriptions are the same to the last bit: workers that do not see what was laid out
        do it themselves. `sdq_core.mapped` helps.
        """
        ...


@dataclass(frozen=True)
class Listing:
    """What a modality found in a cohort's folder.

    Parameters
    ----------
    items : tuple of Item
        In ascending order of their ids.
    findings : tuple of Finding
        About what is not an item: a loop of links, a folder that cannot be read.
    hashes : mapping of Path to str
        SHA-256 of files whose bytes were read for the digests anyway, so that the list of files
        need not read them again; of a single file also those beside it that belong to it.
    """

    items: tuple[Item, ...]
    findings: tuple[Finding, ...] = ()
    hashes: Mapping[Path, str] = field(default_factory=dict)


class Modality(ABC):
    """One kind of medical data. A plugin derives from this and registers the class."""

    name: ClassVar[str]
    default_profile: ClassVar[str]

    @classmethod
    def check_requirements(cls) -> str | None:
        """Return None when the modality can work here, else what is missing and how to get it."""
        return None

    def prepared(self, study: Study) -> Study:
        """Return the study with what the modality must know before it reads any cohort.

        The default changes nothing. What is put into the settings stands in the result.
        """
        return study

    @abstractmethod
    def items(self, source: Path, settings: Mapping[str, Any]) -> Listing:
        """List the items of a cohort's folder or file without describing them."""

    def stage(self, data: InMemory, folder: Path, settings: Mapping[str, Any]) -> CohortSource:
        """Write a cohort that lies in memory into an empty folder, for `items` to list.

        `sdq_core.in_memory` has what this needs. The default refuses.

        Raises
        ------
        UsageError
            The modality cannot take such data; the message names ``data.argument``.
        """
        raise UsageError(
            f"{data.argument}: modality {self.name!r} takes no data from memory; write files and "
            "give their path"
        )

    @abstractmethod
    def describer(self, study: Study) -> Describer:
        """Return the describer for a study."""

    @abstractmethod
    def characteristics(self, study: Study) -> Sequence[CharacteristicEvaluation]:
        """Return the evaluations, in the standard's order."""

    @abstractmethod
    def profile_folder(self) -> Path:
        """Return the folder that holds the modality's profiles."""

    @abstractmethod
    def study_template(self) -> str:
        """Return a commented study file for ``sdq init``."""

    def proposal(self, data: Path) -> str | None:
        """Return a commented file that describes a cohort's data, for a person to correct.

        None when the modality needs no such file.
        """
        return None

    @abstractmethod
    def measures(self) -> dict[str, MeasureText]:
        """Return title and plain explanation of each measure, zh and en."""

    def settings_schema(self) -> Mapping[str, Any]:
        """Return allowed modality settings with their defaults; unknown keys are errors."""
        return {}

    def thumbnail(self, item: Item, settings: Mapping[str, Any]) -> bytes | None:
        """Return a small PNG of one item for the report's gallery, or None."""
        return None

    def planter(self, study: Study) -> Planter | None:
        """Return what plants defects in the study's real data for ``sdq calibrate``.

        None, the default: the modality cannot be calibrated.
        """
        return None

    def displayer(self, study: Study) -> Displayer | None:
        """Return what draws items for the readers of a manual review.

        None, the default: they get a neutral table of the description.
        """
        return None


@dataclass(frozen=True)
class Discovery:
    """What discovery found.

    Parameters
    ----------
    available : mapping of str to EntryPoint
    unavailable : mapping of str to str
        Name -> reason: claimed twice, fails to import, a requirement is missing.
    """

    available: Mapping[str, EntryPoint] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)


def discover(points: Sequence[EntryPoint] | None = None) -> Discovery:
    """Find the modalities that are installed, without importing them.

    Parameters
    ----------
    points : sequence of EntryPoint, optional
        Entry points to look at; those of the environment by default. ``SDQ_NO_PLUGINS=1`` in the
        environment makes the default empty.

    Returns
    -------
    Discovery
        A name claimed by two distributions is unavailable, and the reason names both.
    """
    if points is None:
        disabled = os.environ.get("SDQ_NO_PLUGINS") == "1"
        points = () if disabled else tuple(entry_points(group=GROUP))
    claims: dict[str, list[EntryPoint]] = {}
    for point in points:
        same = claims.setdefault(point.name, [])
        # One distribution seen through two path entries is one claim, not two.
        if not any(p.value == point.value and _owner(p) == _owner(point) for p in same):
            same.append(point)
    available: dict[str, EntryPoint] = {}
    unavailable: dict[str, str] = {}
    for name, found in sorted(claims.items()):
        if len(found) == 1:
            available[name] = found[0]
        else:
            owners = " and ".join(f"{_owner(p)} ({p.value})" for p in found)
            unavailable[name] = (
                f"modality {name!r} is claimed by {owners}; uninstall one of the two distributions"
            )
    return Discovery(available, unavailable)


def load_modality(
    name: str, discovery: Discovery | None = None, *, check_requirements: bool = True
) -> Modality:
    """Import one modality and make sure that it can work here.

    Parameters
    ----------
    name : str
        Name in the entry-point group, e.g. ``"imaging"``.
    discovery : Discovery, optional
        Result of `discover`; found anew by default.
    check_requirements : bool
        Whether a missing requirement is an error; its study template can be had without.

    Returns
    -------
    Modality

    Raises
    ------
    PluginError
        Not installed, claimed twice, fails to import, or a requirement is missing.
    """
    discovery = discovery if discovery is not None else discover()
    if name in discovery.unavailable:
        raise PluginError(discovery.unavailable[name])
    if name not in discovery.available:
        known = ", ".join(discovery.available) or "none"
        raise PluginError(
            f"modality {name!r} is not installed (installed: {known}); "
            f"install the distribution that provides it, e.g. pip install 'sdq[{name}]'"
        )
    point = discovery.available[name]
    try:
        cls = point.load()
    except Exception as error:  # a plugin may fail in any way; it must not take the others down
        raise PluginError(
            f"modality {name!r} ({point.value} of {_owner(point)}) fails to import: "
            f"{type(error).__name__}: {error}"
        ) from error
    if not (isinstance(cls, type) and issubclass(cls, Modality)):
        raise PluginError(
            f"modality {name!r}: {point.value} is not a subclass of sdq_core.modality.Modality"
        )
    missing = cls.check_requirements() if check_requirements else None
    if missing is not None:
        raise PluginError(f"modality {name!r}: {missing}")
    return cls()


def _owner(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "an unknown distribution"
