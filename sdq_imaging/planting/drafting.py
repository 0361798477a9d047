"""The synthetic cohort before it is written, and what plans do to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.calibration.defect import Member
from sdq_core.errors import UsageError
from sdq_core.study import Study
from sdq_imaging.planting.cohort_file import Draft, Edit, Entry
from sdq_imaging.planting.editable import Editable
from sdq_imaging.planting.opening import Facts, Opener

__all__ = ["Plan", "Planting", "changed", "damage"]

SAMPLED: Final = 48
"""Items of which the range of grey values is taken."""
PIXELS: Final = 8192
CENTILES: Final = (1.0, 99.0)


@dataclass
class Planting:
    """One defect being planted.

    Parameters
    ----------
    study : Study
    draft : Draft
        Of the fresh items; plans change it.
    train : sequence of Member
    severity : float
    rng : numpy.random.Generator
    opener : Opener
    facts : callable
        ``facts(member) -> Facts``.
    roles : mapping of Path to str
        Path of a real cohort -> name of its folder where its items are written.
    """

    study: Study
    draft: Draft
    train: Sequence[Member]
    severity: float
    rng: np.random.Generator
    opener: Opener
    facts: Callable[[Member], Facts]
    roles: Mapping[Path, str] = field(default_factory=dict)

    @property
    def entries(self) -> list[Entry]:
        """The items."""
        return self.draft.entries

    def chosen(self, eligible: Callable[[Facts], bool], share: float | None = None) -> list[Entry]:
        """Return a random share of the items, among those in which a defect can be.

        Parameters
        ----------
        eligible : callable
        share : float, optional
            Of all items; the severity by default. At least one item.
        """
        wanted = self.severity if share is None else share
        able = [k for k, e in enumerate(self.entries) if eligible(self.facts(e.member))]
        if not able:
            return []
        count = min(len(able), max(1, round(wanted * len(self.entries))))
        return [self.entries[k] for k in sorted(self.rng.choice(able, count, replace=False))]

    def one_more(self, taken: list[Entry], eligible: Callable[[Facts], bool]) -> Iterator[Entry]:
        """Yield one further item, where there is one, and count it as taken.

        For faults that a rule only warns of: they come beside the share of items that the severity
        tells, so that this share is what the measures have to see.
        """
        ids = {id(e) for e in taken}
        free = [e for e in self.entries if id(e) not in ids and eligible(self.facts(e.member))]
        if free:
            entry = free[int(self.rng.integers(len(free)))]
            taken.append(entry)
            yield entry

    def sources(self, eligible: Callable[[Facts], bool]) -> list[Member]:
        """Return the training items from which something can be taken.

        Raises
        ------
        UsageError
            There are none.
        """
        found = [m for m in self.train if eligible(self.facts(m))]
        if not found:
            raise UsageError(
                f"planting a defect: none of the {len(self.train)} training items can be copied "
                f"from; ask the planter what is unavailable in these items first"
            )
        return found

    def spawn(self) -> np.random.Generator:
        """Return a generator for one edit, which is made when the item is opened."""
        return np.random.default_rng(int(self.rng.integers(2**63)))

    @cached_property
    def range(self) -> tuple[float, float]:
        """Where most stored values of the cohort are: from its 1st to its 99th centile."""
        step = max(1, len(self.entries) // SAMPLED)
        pools: list[NDArray[Any]] = []
        for entry in self.entries[::step]:
            opened = self.opener(entry.member.item)
            if opened is not None and opened.values is not None:
                flat = opened.values.reshape(-1)
                pools.append(flat[:: max(1, len(flat) // PIXELS)].astype(np.float64))
        together = np.concatenate(pools) if pools else np.zeros(1)
        low, high = np.percentile(together[np.isfinite(together)], CENTILES)
        return float(low), float(high)

    @property
    def width(self) -> float:
        """Width of `range`."""
        return self.range[1] - self.range[0]


@dataclass(frozen=True)
class Plan:
    """How a defect is planted, and in what.

    Parameters
    ----------
    apply : callable
    eligible : callable
        ``eligible(facts) -> bool``: whether one item can carry it.
    lacking : tuple of str
        What the items lack where none can, in English and in Chinese.
    whole : bool
        Whether all items must be able to carry it.
    study : callable
        ``study(study) -> (en, zh)`` why the study does not allow it, or None.
    least : int
        Fewest items.
    """

    apply: Callable[[Planting], None]
    eligible: Callable[[Facts], bool]
    lacking: tuple[str, str]
    whole: bool = False
    study: Callable[[Study], tuple[str, str] | None] = field(default=lambda study: None)
    least: int = 1


def changed(change: Callable[[NDArray[Any]], NDArray[Any]]) -> Edit:
    """Return an edit that changes the values; an item without any stays as it is."""

    def edit(opened: Editable) -> None:
        if opened.values is not None:
            opened.put(change(opened.values))

    return edit


def damage(content: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Return what rewrites a file, or each file of a series."""

    def apply(path: Path) -> None:
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            old = file.read_bytes()
            file.unlink()  # it may be a second name of somebody else's file
            file.write_bytes(content(old))

    return apply
