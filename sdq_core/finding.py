"""One defect at one place of one item."""

from __future__ import annotations

from dataclasses import dataclass

from sdq_core.vocabulary import Severity

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect at one place of one item.

    Parameters
    ----------
    rule : str
        Stable id ``<modality>.<area>.<rule>``; the area is ``structure``, ``semantics``,
        ``codes``, ``metadata``, ``conformity``, ``identifier``, ``lineage``, ``labels`` or
        ``roles``.
    severity : Severity
    message : str
        What is wrong and what to do, in English. Names attributes, never quotes their content.
    message_zh : str
        The same in Chinese; empty falls back to English.
    where : str
        Place inside the item (attribute path, frame); empty for the whole item.
    item : str
        Item id; filled in when the description joins its cohort. Empty for the whole cohort.
    role : str
        Role of the cohort; filled in likewise.

    Examples
    --------
    >>> Finding("imaging.structure.constant", Severity.ERROR, "all pixels are equal").rule
    'imaging.structure.constant'
    """

    rule: str
    severity: Severity
    message: str
    message_zh: str = ""
    where: str = ""
    item: str = ""
    role: str = ""

    @property
    def area(self) -> str:
        """Second part of the rule id."""
        return self.rule.split(".")[1]
