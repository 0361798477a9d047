"""What is found of each patient: structure, codes, semantic rules, identifiers.

A data set is judged as a whole, each distinct value once, and kept; the describer then takes the
patients that it was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.finding import Finding
from sdq_core.rule_book import RuleBook
from sdq_core.vocabulary import Severity
from sdq_ehr.code_columns import CODE_RULES, CodedColumn, code_findings, coded_columns
from sdq_ehr.dataset import Dataset
from sdq_ehr.finding import RowFinding
from sdq_ehr.identifiers import IDENTIFIER_RULES, IdentifierOutcome, find_identifiers
from sdq_ehr.reading import open_dataset
from sdq_ehr.records import item_ids
from sdq_ehr.rules import RULES
from sdq_ehr.semantics.evaluating import SemanticsOutcome, evaluate_rules
from sdq_ehr.semantics.loading import load_rules
from sdq_ehr.semantics.rule import Rule
from sdq_ehr.settings import EhrSettings

__all__ = [
    "ACROSS",
    "Judged",
    "across_patients",
    "codes_of",
    "erroneous",
    "identifiers_of",
    "judged",
    "rules_of",
    "semantics_of",
]

ACROSS: Final = frozenset(
    f"ehr.structure.{name}"
    for name in ("key_duplicate", "orphan", "other_patient", "patient_orphan", "patient_missing")
)
"""Rules that a patient breaks only beside others: no part of the patient's own description."""
MOST_FINDINGS: Final = 50
_BOOK = RuleBook("ehr", {**RULES, **CODE_RULES, **IDENTIFIER_RULES})
KEPT: Final = 3
_NO_ROWS: Final = np.empty(0, np.intp)

Lists = tuple[tuple[str, str], ...]
"""The user's code lists: system and path."""
Years = tuple[tuple[str, tuple[int, int]], ...]
"""Columns and the years in which their real dates lie."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What is known of a data set before one of its patients is described.

    Parameters
    ----------
    dataset : Dataset
    sentences : tuple of Finding
        Those that occur, once each.
    which : ndarray, shape (m,), int32
        Places in `sentences`, patient after patient; without the rules of `ACROSS`.
    starts : ndarray, shape (n + 1,), intp
        Where each patient's begin in `which`.
    broken : mapping of str to Finding
        Item id of each line that is no row, and what is wrong with it.
    """

    dataset: Dataset
    sentences: tuple[Finding, ...]
    which: NDArray[np.int32]
    starts: NDArray[np.intp]
    broken: Mapping[str, Finding]

    def findings(self, patient: int) -> tuple[Finding, ...]:
        """Return what is wrong with a patient's records."""
        own = self.which[self.starts[patient] : self.starts[patient + 1]]
        return tuple(self.sentences[k] for k in own.tolist())

    def patients(self, ids: Sequence[str]) -> list[int]:
        """Return the patients of items, -1 where there is none."""
        found = []
        for name, _, row in (i.rpartition("#") for i in ids):
            firsts, patients = self._places.get(name, (_NO_ROWS, _NO_ROWS))
            wanted = int(row) - 1 if row.isdecimal() and len(row) < 19 else -1
            at = int(np.searchsorted(firsts, wanted))
            there = at < len(firsts) and firsts[at] == wanted
            found.append(int(patients[at]) if there else -1)
        return found

    @cached_property
    def _places(self) -> Mapping[str, tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """File of each table -> rows in which patients first stand, ascending, and the patients."""
        known = self.dataset.patients()
        found: dict[str, list[tuple[NDArray[np.intp], NDArray[np.intp]]]] = {}
        for table in np.unique(known.tables).tolist():
            own = np.flatnonzero(known.tables == table)
            order = np.argsort(known.firsts[own])
            name = self.dataset.files.get(table) or table
            found.setdefault(name, []).append((known.firsts[own][order], own[order]))
        return {name: _merged(parts) for name, parts in found.items()}

    def for_workers(self) -> Judged:
        """Return what describing patients needs, and no more."""
        dataset = self.dataset
        lean = Dataset(
            dataset.schema, dataset.tables, files=dataset.files, known=dataset.patients()
        )
        lean.index()
        return replace(self, dataset=lean)


def _merged(
    parts: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Put the rows and patients of tables of one file together; of one row the last table's."""
    rows, patients = (np.concatenate(side) for side in zip(*parts, strict=True))
    last = len(rows) - 1 - np.unique(rows[::-1], return_index=True)[1]
    return rows[last], patients[last]


def judged(source: Path, settings: EhrSettings) -> Judged:
    """Judge a data set once; the last few are kept.

    Parameters
    ----------
    source : Path
    settings : EhrSettings
        With the schema in it.

    Raises
    ------
    InputError, StudyError
        As `open_dataset`; a code list or rule file cannot be used.
    """
    return _judged(
        open_dataset(source, settings), settings.rules, _years(settings), _lists(settings)
    )


# Data sets compare by identity, and `open_dataset` gives the same one while its files are the same.
# What is found of one is kept for the measures, the report and the pictures that ask again.


def semantics_of(dataset: Dataset, settings: EhrSettings) -> SemanticsOutcome:
    """Apply the built-in and the user's semantic rules, once.

    Parameters
    ----------
    dataset : Dataset
    settings : EhrSettings
    """
    return _semantics(dataset, settings.rules, _years(settings))


@lru_cache(maxsize=KEPT)
def _semantics(dataset: Dataset, rules: tuple[str, ...], years: Years) -> SemanticsOutcome:
    return evaluate_rules(dataset, rules_of(rules), years=dict(years))


@lru_cache(maxsize=KEPT)
def identifiers_of(dataset: Dataset) -> IdentifierOutcome:
    """Search a data set for direct identifiers, once.

    Parameters
    ----------
    dataset : Dataset
    """
    return find_identifiers(dataset)


def codes_of(dataset: Dataset, settings: EhrSettings) -> tuple[CodedColumn, ...]:
    """Judge the codes of a data set, once.

    Parameters
    ----------
    dataset : Dataset
    settings : EhrSettings
    """
    return _codes(dataset, _lists(settings))


@lru_cache(maxsize=KEPT)
def _codes(dataset: Dataset, lists: Lists) -> tuple[CodedColumn, ...]:
    return tuple(coded_columns(dataset, dict(lists)))


def _years(settings: EhrSettings) -> Years:
    return tuple(sorted((settings.real_years or {}).items()))


def _lists(settings: EhrSettings) -> Lists:
    return tuple(sorted(settings.code_lists.items()))


@lru_cache(maxsize=4)
def rules_of(paths: tuple[str, ...]) -> tuple[Rule, ...]:
    """Return the built-in semantic rules and those of the user's files."""
    return load_rules(paths)


def across_patients(dataset: Dataset) -> Iterator[tuple[str, Finding]]:
    """Yield what patients break only beside others: item id and finding.

    Parameters
    ----------
    dataset : Dataset
    """
    ids = item_ids(dataset)
    found = [f for f in dataset.row_findings if f.rule in ACROSS]
    for patient, findings in _by_patient(dataset, found, {}).items():
        yield from ((ids[patient], f) for f in findings)


@lru_cache(maxsize=KEPT)
def _row_findings(
    dataset: Dataset, rules: tuple[str, ...], years: Years, lists: Lists
) -> tuple[RowFinding, ...]:
    """Return all that is wrong with the rows of a data set."""
    return (
        *dataset.row_findings,
        *_semantics(dataset, rules, years).row_findings,
        *identifiers_of(dataset).row_findings,
        *(found for column in _codes(dataset, lists) for found in code_findings(column)),
    )


def erroneous(dataset: Dataset, settings: EhrSettings) -> dict[str, NDArray[np.bool_]]:
    """Return which rows of each table have an error.

    Parameters
    ----------
    dataset : Dataset
    settings : EhrSettings
    """
    rules = {r.id: r for r in rules_of(settings.rules)}
    found = {name: np.zeros(t.num_rows, bool) for name, t in dataset.tables.items()}
    known = _row_findings(dataset, settings.rules, _years(settings), _lists(settings))
    for rows in known:
        if _sentence(rows.rule, rows.where, rules).severity is Severity.ERROR:
            found[rows.table][rows.rows] = True
    return found


@lru_cache(maxsize=KEPT)
def _judged(dataset: Dataset, rules: tuple[str, ...], years: Years, lists: Lists) -> Judged:
    rows = [f for f in _row_findings(dataset, rules, years, lists) if f.rule not in ACROSS]
    by_patient = _by_patient(dataset, rows, {r.id: r for r in rules_of(rules)})
    n = len(dataset.patients())
    sentences: dict[Finding, int] = {}
    which: list[int] = []
    counts = np.zeros(n + 1, np.intp)
    for patient in sorted(by_patient):
        own = _shortened(by_patient[patient])
        which += [sentences.setdefault(f, len(sentences)) for f in own]
        counts[patient + 1] = len(own)
    return Judged(
        dataset,
        tuple(sentences),
        np.array(which, np.int32),
        np.cumsum(counts),
        dict.fromkeys(dataset.broken, _BOOK.finding("ragged_row")),
    )


def _shortened(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Keep one finding of every rule, and as many more as there is room for."""
    first: dict[str, Finding] = {}
    for finding in findings:
        first.setdefault(finding.rule, finding)
    chosen = set(map(id, first.values()))
    more = [f for f in findings if id(f) not in chosen]
    return (*first.values(), *more[: max(0, MOST_FINDINGS - len(first))])


def _by_patient(
    dataset: Dataset, found: Iterable[RowFinding], rules: Mapping[str, Rule]
) -> dict[int, list[Finding]]:
    """Turn findings about rows into findings of patients; a row of no patient has none."""
    owners = dataset.patients().rows
    by_patient: dict[int, list[Finding]] = {}
    for rows in found:
        made = _sentence(rows.rule, rows.where, rules)
        of = owners[rows.table][rows.rows]
        for patient in np.unique(of[of >= 0]).tolist():
            by_patient.setdefault(patient, []).append(made)
    for findings in by_patient.values():
        findings.sort(key=lambda f: (f.severity is not Severity.ERROR, f.rule, f.where))
    return by_patient


def _sentence(rule: str, where: str, rules: Mapping[str, Rule]) -> Finding:
    if rule in rules:
        known = rules[rule]
        return Finding(rule, Severity(known.severity), known.message, known.message_zh, where)
    return _BOOK.finding(rule, where)
