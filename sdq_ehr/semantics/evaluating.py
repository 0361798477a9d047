"""Applies rules to a data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity
from sdq_ehr.dataset import Dataset
from sdq_ehr.finding import RowFinding
from sdq_ehr.semantics.context import Context
from sdq_ehr.semantics.kinds import KINDS
from sdq_ehr.semantics.rule import Check, NotApplicable, Reason, Rule

__all__ = ["SemanticsOutcome", "evaluate_rules"]


@dataclass(frozen=True, slots=True)
class SemanticsOutcome:
    """What the rules found.

    Parameters
    ----------
    row_findings : tuple of RowFinding
        One a rule, table and column with at least one violation.
    findings : tuple of Finding
        Violations of columns as such, without rows (a data dictionary's missing descriptions).
    applicable : dict of str to tuple of str
        Rule -> places ``table.column`` that it judged, in order.
    not_applicable : dict of str to Reason
        Rule -> why it could judge nothing.
    counts : dict of str to (int, int)
        Rule -> violations, and how many rows (or columns) were judged.
    """

    row_findings: tuple[RowFinding, ...] = ()
    findings: tuple[Finding, ...] = ()
    applicable: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    not_applicable: Mapping[str, Reason] = field(default_factory=dict)
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def evaluate_rules(
    dataset: Dataset,
    rules: Iterable[Rule],
    codes: object = None,
    extraction: date | None = None,
    years: Mapping[str, tuple[int, int]] | None = None,
) -> SemanticsOutcome:
    """Apply rules to a data set.

    Parameters
    ----------
    dataset : Dataset
    rules : iterable of Rule
        Of `load_rules`.
    codes : optional
        Reserved for code systems of the caller; rules need none.
    extraction : datetime.date, optional
        Day on which the data were taken, for dates in the future; the schema and OMOP tell it too.
    years : mapping of str to (int, int), optional
        ``table.column`` -> first and last year of the real records
        (`sdq_ehr.semantics.kinds.years.real_years`).

    Returns
    -------
    SemanticsOutcome
        Every rule is in `applicable` or in `not_applicable`. Nothing raises for what the data are:
        a rule that fails is not applicable, with the error's kind as reason.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from sdq_ehr.schema import Schema
    >>> from sdq_ehr.semantics.loading import load_rules
    >>> schema = Schema(tables={"t": {"columns": {"sex": {"meaning": "sex"},
    ...     "dx": {"type": "code", "system": "icd10"}}}})
    >>> data = Dataset(schema, {"t": pa.table({"sex": ["male", "female"], "dx": ["O80", "O80"]})})
    >>> found = evaluate_rules(data, load_rules())
    >>> [(f.rule, f.rows.tolist()) for f in found.row_findings]
    [('ehr.semantics.female_only_diagnosis', [0])]
    """
    context = Context(dataset, extraction, years)
    rows: list[RowFinding] = []
    whole: list[Finding] = []
    applicable: dict[str, tuple[str, ...]] = {}
    not_applicable: dict[str, Reason] = {}
    counts: dict[str, tuple[int, int]] = {}
    for rule in rules:
        if rule.models and dataset.schema.model not in rule.models:
            not_applicable[rule.id] = Reason(
                f"only for data of the model {'/'.join(rule.models)}",
                f"仅适用于 {'/'.join(rule.models)} 模型的数据",
            )
            continue
        try:
            checks = list(KINDS[rule.kind].evaluate(rule.parameters, context))
        except NotApplicable as reason:
            not_applicable[rule.id] = reason.why
            continue
        except Exception as error:
            # Data of a form that nobody foresaw must not end the run; the reason tells of it.
            not_applicable[rule.id] = Reason(
                f"the evaluation stopped with {type(error).__name__}; please report this",
                f"计算因 {type(error).__name__} 中止, 请反馈此问题",
            )
            continue
        applicable[rule.id] = tuple(dict.fromkeys(map(_where, checks)))
        counts[rule.id] = (
            sum(len(c.rows) + c.whole for c in checks),
            sum(c.checked for c in checks),
        )
        rows += [
            RowFinding(c.table, c.rows.astype(np.intp), rule.id, c.column)
            for c in checks
            if len(c.rows)
        ]
        whole += [_finding(rule, c) for c in checks if c.whole]
    return SemanticsOutcome(tuple(rows), tuple(whole), applicable, not_applicable, counts)


def _where(check: Check) -> str:
    return f"{check.table}.{check.column}" if check.column else check.table


def _finding(rule: Rule, check: Check) -> Finding:
    return Finding(rule.id, Severity(rule.severity), rule.message, rule.message_zh, _where(check))
