"""What a semantic rule is, and what its evaluation gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from sdq_core.vocabulary import Severity

if TYPE_CHECKING:
    from sdq_ehr.semantics.context import Context

__all__ = ["Check", "Kind", "NotApplicable", "Parameters", "Reason", "Rule"]


class Parameters(BaseModel):
    """Base of the parameters of a kind of rule: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Parameters
    ----------
    id : str
        ``ehr.semantics.<name>`` or ``ehr.conformity.<name>``.
    kind : str
        Key of `sdq_ehr.semantics.kinds.KINDS`.
    severity : Severity
    message, message_zh : str
        What is wrong and what to do; names no value of the data.
    source : str
        Guideline, standard or paper.
    parameters : Parameters
    models : tuple of str
        Schema models to which it applies; empty: all.
    file : str
        Name of the file that defines it, for messages.
    verified : bool
        Whether the text of the source was read when the rule was written; False where not.
    """

    id: str
    kind: str
    severity: Severity
    message: str
    message_zh: str
    source: str
    parameters: Any
    models: tuple[str, ...] = ()
    file: str = ""
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rule cannot be applied, in both languages.

    Examples
    --------
    >>> str(Reason("no column", "没有列"))
    'no column'
    """

    reason: str
    reason_zh: str

    def __str__(self) -> str:
        return self.reason


class NotApplicable(Exception):
    """A rule finds nothing that it could judge.

    Parameters
    ----------
    reason, reason_zh : str
        What the schema or the data lack.
    """

    def __init__(self, reason: str, reason_zh: str) -> None:
        super().__init__(reason)
        self.why = Reason(reason, reason_zh)


@dataclass(frozen=True, slots=True)
class Check:
    """What a rule says of one column, or of several columns together, of one table.

    Parameters
    ----------
    table : str
    column : str
        Column, or columns joined by ``", "``.
    rows : ndarray of intp
        Rows that break the rule, ascending.
    checked : int
        Rows that the rule could judge.
    whole : bool
        The column as such breaks the rule: one violation without rows.
    """

    table: str
    column: str
    rows: NDArray[np.intp]
    checked: int
    whole: bool = False

    @classmethod
    def of(cls, table: str, column: str, bad: NDArray[np.bool_], known: NDArray[np.bool_]) -> Check:
        """Build a check from row masks: broken, and judged at all."""
        return cls(table, column, np.flatnonzero(bad & known), int(np.count_nonzero(known)))


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of rule.

    Parameters
    ----------
    name : str
    parameters : type of Parameters
    evaluate : callable
        ``(parameters, context) -> iterable of Check``; raises `NotApplicable`.
    does, does_zh : str
        One line for the documentation.
    """

    name: str
    parameters: type[Parameters]
    evaluate: Callable[[Any, Context], Iterable[Check]]
    does: str
    does_zh: str
