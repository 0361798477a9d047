"""Rules of a modality with their sentences, and the findings that they give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sdq_core.errors import UnreadableItem
from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity

__all__ = ["RuleBook", "Sentences"]

Sentences = Mapping[str, tuple[Severity, str, str]]
"""Rule -> severity, English, Chinese. A name without a dot belongs to the area ``structure``."""


@dataclass(frozen=True)
class RuleBook:
    """The rules of a modality.

    Parameters
    ----------
    modality : str
        First part of the rules' ids.
    rules : mapping

    Examples
    --------
    >>> book = RuleBook("ehr", {"empty_file": (Severity.ERROR, "write it again", "文件为空")})
    >>> book.finding("empty_file", "labs").rule, book.id("conformity.field")
    ('ehr.structure.empty_file', 'ehr.conformity.field')
    """

    modality: str
    rules: Sentences

    def id(self, rule: str) -> str:
        """Return the full id of a rule; a full one stays as it is."""
        if rule.startswith(f"{self.modality}."):
            return rule
        return f"{self.modality}.{rule}" if "." in rule else f"{self.modality}.structure.{rule}"

    def finding(self, rule: str, where: str = "", item: str = "") -> Finding:
        """Return the finding of a rule.

        Parameters
        ----------
        rule : str
            Key of `rules`, or a full id.
        where : str
            Place inside the item.
        item : str
            Path, for a finding about what is no item.
        """
        severity, english, chinese = self.rules[self._key(rule)]
        return Finding(self.id(rule), severity, english, chinese, where, item)

    def finding_for(self, error: UnreadableItem) -> Finding:
        """Return the finding that something unreadable becomes, in both languages.

        Parameters
        ----------
        error : UnreadableItem
            Of any rule; one that the book does not hold is an error without Chinese.
        """
        known = self.rules.get(self._key(error.rule))
        severity, chinese = (known[0], known[2]) if known else (Severity.ERROR, "")
        return Finding(error.rule, severity, str(error), chinese)

    def unreadable(self, rule: str, message: str = "") -> UnreadableItem:
        """Return the error for what a rule makes unreadable, with the rule's own sentence.

        Parameters
        ----------
        rule : str
            Key of `rules`, or a full id.
        message : str
            A more exact sentence than the book's.
        """
        return UnreadableItem(self.id(rule), message or self.rules[self._key(rule)][1])

    def _key(self, rule: str) -> str:
        return rule.removeprefix(f"{self.modality}.").removeprefix("structure.")
