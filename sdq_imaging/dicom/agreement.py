"""How far two lists of missing and empty attributes agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sdq_core.finding import Finding
from sdq_imaging.dicom.second_opinion import Fault

__all__ = ["Agreement", "for_review", "ours"]

KINDS = {
    "type1_missing": ("missing", "1"),
    "type2_missing": ("missing", "2"),
    "type1c_missing": ("missing", "1C"),
    "type2c_missing": ("missing", "2C"),
    "type1_empty": ("empty", "1"),
    "type1c_empty": ("empty", "1C"),
}


def ours(findings: Iterable[Finding]) -> tuple[Fault, ...]:
    """Return the findings about missing and empty attributes in the form of a second opinion.

    Examples
    --------
    >>> from sdq_imaging.dicom.required_attributes import missing_attributes
    >>> from pydicom import Dataset
    >>> ours(missing_attributes(Dataset()))
    (Fault(where='SOPClassUID', kind='missing', type='1'),)
    """
    found = []
    for finding in findings:
        kind = KINDS.get(finding.rule.rpartition(".")[2])
        if kind is not None:
            found.append(Fault(finding.where, *kind))
    return tuple(sorted(found))


def for_review(findings: Iterable[Finding]) -> frozenset[str]:
    """Return the places of conditional attributes that are left to a person."""
    return frozenset(f.where for f in findings if f.rule.endswith(".conditional_review"))


@dataclass
class Agreement:
    """Counts over many files; a fault is the same when place and kind are.

    A fault of type 1 or 2 that the other side reports as conditional is not a disagreement: the two
    sides may find it through different modules.
    """

    files: int = 0
    equal_files: int = 0
    both: int = 0
    only_ours: Counter[tuple[str, str]] = field(default_factory=Counter)
    only_theirs: Counter[tuple[str, str]] = field(default_factory=Counter)
    conditional_both: int = 0
    conditional_review: int = 0
    conditional_ours: Counter[tuple[str, str]] = field(default_factory=Counter)
    conditional_theirs: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(
        self,
        mine: Iterable[Fault],
        theirs: Iterable[Fault],
        review: frozenset[str] = frozenset(),
    ) -> bool:
        """Count one file; return whether both say the same of types 1 and 2."""
        a = {(f.where, f.kind): f.type for f in mine}
        b = {(f.where, f.kind): f.type for f in theirs}
        here = Counter(k for k, t in a.items() if t in "12" and k not in b)
        there = Counter(k for k, t in b.items() if t in "12" and k not in a)
        self.files += 1
        self.equal_files += not here and not there
        self.both += sum(t in "12" and k in b for k, t in a.items())
        self.only_ours += here
        self.only_theirs += there
        conditional = {k for k, t in b.items() if "C" in t}
        self.conditional_both += sum(k in a for k in conditional)
        undecided = {k for k in conditional if k not in a and k[0] in review}
        self.conditional_review += len(undecided)
        self.conditional_theirs += Counter(
            k for k in conditional if k not in a and k not in undecided
        )
        self.conditional_ours += Counter(k for k, t in a.items() if "C" in t and k not in b)
        return not here and not there

    @property
    def precision(self) -> float | None:
        """Share of our faults of type 1 and 2 that the other side has; None without any."""
        total = self.both + self.only_ours.total()
        return self.both / total if total else None

    @property
    def recall(self) -> float | None:
        """Share of the other side's faults of type 1 and 2 that we have; None without any."""
        total = self.both + self.only_theirs.total()
        return self.both / total if total else None

    @property
    def coverage(self) -> float | None:
        """Share of the other side's conditional faults that we report or give to a person."""
        seen = self.conditional_both + self.conditional_review
        total = seen + self.conditional_theirs.total()
        return seen / total if total else None
