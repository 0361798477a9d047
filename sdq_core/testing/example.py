"""What a plugin's author gives to the conformance kit: a tiny cohort, and how to spoil it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from sdq_core.modality import Modality
from sdq_core.rule_book import RuleBook

__all__ = ["Example"]


class Example(ABC):
    """A modality with made cohorts on which the kit tries it.

    A subclass states the class attributes and writes `make`; the other methods have defaults that
    suit a cohort of one file an item.

    Attributes
    ----------
    modality : type of Modality
        The plugin, importable by module and name.
    worsens : tuple of str
        Ids of the measures that see the corruption which `make` makes; at least one.
    settings : mapping
        The study's settings.
    classes : tuple of str
        The declared classes of the label table.
    items : int
        Items in each cohort; not fewer than the profile asks of fidelity. Few are quick.
    seed : int
        Of the first cohort; the others take the next ones.
    rule_books : tuple of RuleBook
        The plugin's rules with their sentences.
    expected_failures : mapping of str to str
        Name of a check -> why the plugin does not pass it. One that passes all the same is an
        error: the entry is out of date.
    """

    modality: ClassVar[type[Modality]]
    worsens: ClassVar[tuple[str, ...]]
    settings: ClassVar[Mapping[str, Any]] = {}
    classes: ClassVar[tuple[str, ...]] = ()
    items: ClassVar[int] = 60
    seed: ClassVar[int] = 1
    rule_books: ClassVar[tuple[RuleBook, ...]] = ()
    expected_failures: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def make(
        self, folder: Path, seed: int, items: int, *, synthetic: bool, severity: float
    ) -> None:
        """Write a cohort of one law into an empty folder.

        A file ``labels.csv`` in it is taken for the label table.

        Parameters
        ----------
        folder : Path
            Exists and is empty.
        seed : int
            Another seed gives other items, of other subjects, of the same law.
        items : int
        synthetic : bool
            Whether the cohort stands for a generator's output: then it says so of itself, in the
            way of its format. The content of the items is the same.
        severity : float
            From 0, nothing is corrupted, to 1, grossly. Corrupts the content of every item.
        """

    def break_item(self, folder: Path) -> None:
        """Break one item of a cohort so that it cannot be read; half of its file by default."""
        path = self.first_file(folder)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])

    def put_not_a_number(self, folder: Path) -> bool:
        """Put a value that is no number (NaN, or what the format has for it) into one item.

        Returns
        -------
        bool
            False, the default: the format cannot hold such a value.
        """
        return False

    def first_file(self, folder: Path) -> Path:
        """Return a file of the first item of a cohort: the one that is emptied and broken."""
        listing = self.modality().items(folder, self.settings)
        path = listing.items[0].paths[0]
        return min(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else path
