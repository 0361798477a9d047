"""Data completeness 数据完备性: structural integrity and semantic accuracy, counted by item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.evaluation import CharacteristicEvaluation, Part
from sdq_core.characteristics.rates import rate
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement
from sdq_core.vocabulary import Characteristic, Severity

__all__ = ["Completeness", "content_key", "repeated"]

SOURCE = "Part 6 proposal, data completeness; ISO/IEC 25012 completeness"


def content_key(cohort: Cohort) -> NDArray[np.str_]:
    """Return what makes two items the same content, shape (n,).

    The digest of the decoded values where the modality gives one (metadata key
    ``"content:sha256"``), so that re-encoding hides nothing; else the digest of the bytes.
    """
    decoded = cohort.table.metadata_column("content:sha256")
    return np.array(
        [
            item.digest if key is None else key
            for item, key in zip(cohort.table.items, decoded, strict=True)
        ],
        dtype=np.str_,
    )


def repeated(keys: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Mark what has an equal earlier in its cohort.

    Examples
    --------
    >>> repeated(np.array(["a", "b", "a"])).tolist()
    [False, False, True]
    """
    flags = np.ones(len(keys), bool)
    flags[np.unique(keys, return_index=True)[1]] = False
    return flags


class Completeness(CharacteristicEvaluation):
    """Structural integrity and semantic accuracy from the findings of the describe step."""

    characteristic = Characteristic.COMPLETENESS

    def parts(self) -> Sequence[Part]:
        """Return the four shares."""
        return (
            Part(("readable_share",), self.readable),
            Part(("structure_share",), self.structure),
            Part(("semantics_share",), self.semantics),
            Part(("duplicate_share",), self.duplicates),
        )

    def readable(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the share of items that can be read."""
        yield rate(
            self.id("readable_share"),
            cohorts.synthetic.table.readable,
            real=np.concatenate([c.table.readable for c in cohorts.real]),
            aspect="structural_integrity",
            name="share of items that can be read",
            source=SOURCE,
        )

    def in_context(self, area: str, cohort: Cohort, cohorts: Cohorts) -> Iterator[Finding]:
        """Find what only the labels or the other items show: a contradiction, a missing channel.

        Parameters
        ----------
        area : {"structure", "semantics"}
        cohort : Cohort
        cohorts : Cohorts

        Yields
        ------
        Finding
            Of that area, with the item's id. None unless a modality knows better.
        """
        yield from ()

    def structure(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the share of readable items without a structural defect."""
        yield from self._without(cohorts, "structure", "structural_integrity")

    def semantics(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the share of readable items without a semantic contradiction."""
        yield from self._without(cohorts, "semantics", "semantic_accuracy")

    def duplicates(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the share of items whose content stands earlier in the same cohort."""
        cohort = cohorts.synthetic
        readable = cohort.table.readable
        keys = content_key(cohort)
        flags = repeated(keys)
        first = {k: i for i, k in reversed(list(enumerate(keys.tolist())))}
        yield rate(
            self.id("duplicate_share"),
            flags[readable],
            real=np.concatenate([repeated(content_key(c))[c.table.readable] for c in cohorts.real]),
            better="lower",
            aspect="structural_integrity",
            name="share of items whose decoded content equals an earlier item's",
            source="Part 6 proposal, data completeness; ISO/IEC 25012 uniqueness",
        )
        for row in np.flatnonzero(flags & readable):
            original = cohort.table.ids[first[keys[row]]]
            yield Finding(
                f"{self.modality}.structure.duplicate",
                Severity.WARNING,
                f"has the same content as {original}; keep one of them",
                f"与 {original} 内容相同, 请只保留一个",
                item=str(cohort.table.ids[row]),
                role=str(cohort.role),
            )

    def _without(self, cohorts: Cohorts, area: str, aspect: str) -> Iterator[Measurement | Finding]:
        clean = {}
        for cohort in cohorts.all:
            found = tuple(self.in_context(area, cohort, cohorts))
            yield from (replace(f, role=str(cohort.role)) for f in found)
            wrong = {f.item for f in found if f.severity is Severity.ERROR}
            flags = ~cohort.table.rows_with(area) & ~np.isin(cohort.table.ids, sorted(wrong))
            # An unreadable item counts once, in readable_share.
            clean[cohort.role] = flags[cohort.table.readable]
        yield rate(
            self.id(f"{area}_share"),
            clean[cohorts.synthetic.role],
            real=np.concatenate([clean[c.role] for c in cohorts.real]),
            aspect=aspect,
            name=f"share of readable items without an error finding of the area {area!r}",
            source=SOURCE,
        )
