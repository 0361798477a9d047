"""Completeness of health records: structure, the ladder of codes and units, semantic rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.completeness import Completeness
from sdq_core.characteristics.evaluation import Part
from sdq_core.characteristics.rates import rate
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement
from sdq_core.reasons import why
from sdq_core.vocabulary import Role
from sdq_ehr.code_columns import CodedColumn, reasons
from sdq_ehr.codes import RUNGS, code_system
from sdq_ehr.codes.verdict import FAILED, NOT_ASKED, PASSED
from sdq_ehr.judged import across_patients, codes_of, rules_of, semantics_of
from sdq_ehr.records import dataset_of, item_ids
from sdq_ehr.settings import EhrSettings

__all__ = ["EhrCompleteness"]

KAHN = "Kahn et al. 2016, doi:10.13063/2327-9214.1244 (conformance)"

Flags = NDArray[np.bool_]


class EhrCompleteness(Completeness):
    """Structural integrity, validity of codes and units, semantic accuracy; counted by patient."""

    def parts(self) -> Sequence[Part]:
        """Return the shared shares, and those of codes and units."""
        readable, structure, semantics, duplicates = super().parts()
        return (
            readable,
            structure,
            Part(("code_valid_share",), self.codes),
            Part(("unit_valid_share",), self.units),
            semantics,
            duplicates,
        )

    def in_context(self, area: str, cohort: Cohort, cohorts: Cohorts) -> Iterator[Finding]:
        """Find keys that stand twice and references that lead nowhere."""
        if area != "structure":
            return
        for item, found in across_patients(dataset_of(cohorts, cohort.role)):
            yield replace(found, item=item)

    def structure(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the share of sound patients, and of patients that the patient table knows."""
        yield from super().structure(cohorts)
        known = {c.role: _known_patients(cohorts, c.role) for c in cohorts.all}
        if all(v is None for v in known.values()):
            yield Measurement(
                self.id("structure_share"),
                variant="patients-known",
                aspect="structural_integrity",
                applicable=False,
                **why(
                    "not_applicable",
                    why="no other table names the patients of the patient table",
                    why_zh="没有其他表引用患者表中的患者",
                ),
            )
            return
        real = [v for c in cohorts.real if (v := known[c.role]) is not None]
        synthetic = known[Role.SYNTHETIC]
        yield replace(
            rate(
                self.id("structure_share"),
                np.zeros(0, bool) if synthetic is None else synthetic,
                real=np.concatenate(real) if real else None,
                aspect="structural_integrity",
                name="share of the patients named in any table that stand in the patient table",
                source=f"{KAHN}; referential integrity: Codd 1979, doi:10.1145/320107.320109",
            ),
            variant="patients-known",
        )

    def semantics(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the share of patients without a contradiction, and list the rules broken."""
        for output in super().semantics(cohorts):
            if isinstance(output, Measurement) and output.value is not None:
                yield replace(output, details={**output.details, **_rules(cohorts)})
            else:
                yield output

    def codes(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure, for each code system, the share of patients without a refused code."""
        yield from self._coded(cohorts, "code_valid_share", units=False)

    def units(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the share of patients without a refused unit."""
        yield from self._coded(cohorts, "unit_valid_share", units=True)

    def _coded(self, cohorts: Cohorts, measure: str, *, units: bool) -> Iterator[Measurement]:
        found = {c.role: _by_system(cohorts, c.role, units) for c in cohorts.all}
        systems = sorted({s for columns in found.values() for s in columns})
        if not systems:
            what, what_zh = ("unit", "单位") if units else ("code system", "编码系统")
            yield Measurement(
                self.id(measure),
                aspect="semantic_accuracy",
                applicable=False,
                **why(
                    "not_applicable",
                    why=f"the schema names no column with a {what} that is known",
                    why_zh=f"模式中没有列声明已知的{what_zh}",
                ),
            )
            return
        for system in systems:
            flags = {c.role: self._sound(cohorts, c, found[c.role].get(system, []))
                     for c in cohorts.all}  # fmt: skip
            synthetic = found[Role.SYNTHETIC].get(system, [])
            lists = _lists(cohorts, system)
            yield replace(
                rate(
                    self.id(measure),
                    flags[Role.SYNTHETIC],
                    real=np.concatenate([flags[c.role] for c in cohorts.real]),
                    aspect="semantic_accuracy",
                    name=f"share of patients without a refused {'unit' if units else 'code'} of "
                    f"{system}, of those that have any; existence decided by: {lists}",
                    source=f"{KAHN}; docs/codes.md",
                    details=_ladder(synthetic),
                ),
                variant=system,
            )

    @staticmethod
    def _sound(cohorts: Cohorts, cohort: Cohort, columns: Sequence[CodedColumn]) -> Flags:
        """Whether each readable patient that has a code has no refused one."""
        dataset = dataset_of(cohorts, cohort.role)
        owners = dataset.patients().rows
        n = len(dataset.patients())
        has, wrong = np.zeros(n, bool), np.zeros(n, bool)
        for column in columns:
            owner = owners[column.table][column.rows]
            has[owner[owner >= 0]] = True
            refused = column.verdicts.refused[column.codes]
            wrong[owner[refused & (owner >= 0)]] = True
        place = {i: k for k, i in enumerate(item_ids(dataset))}
        ids = cohort.table.ids[cohort.table.readable].tolist()
        rows = [place[i] for i in ids if i in place]
        return np.asarray(~wrong[rows][has[rows]])


def _rules(cohorts: Cohorts) -> dict[str, Any]:
    """Table of the rules that any cohort breaks, and those that could judge nothing."""
    settings = EhrSettings.of(cohorts.study.settings)
    outcomes = {c.role: semantics_of(dataset_of(cohorts, c.role), settings) for c in cohorts.all}
    synthetic = outcomes[Role.SYNTHETIC]
    rows = []
    for rule in sorted({r for o in outcomes.values() for r in o.counts}):
        real = [outcomes[c.role].counts.get(rule, (0, 0)) for c in cohorts.real]
        broken, judged = synthetic.counts.get(rule, (0, 0))
        wrong, among = (sum(n) for n in zip(*real, strict=True))
        if broken or wrong:
            rows.append([rule.removeprefix("ehr."), broken, judged, wrong, among])
    rows.sort(key=lambda r: (-r[1], r[0]))
    found: dict[str, Any] = {
        "rules_applied": len(synthetic.applicable),
        "rules_not_applicable": {
            rule: {"en": why_not.reason, "zh": why_not.reason_zh}
            for rule, why_not in sorted(synthetic.not_applicable.items())
        },
    }
    if rows:
        found["table"] = {
            "columns": _heads(
                ("rule", "规则"),
                ("broken: synthetic", "违反: 合成"),
                ("judged", "已判定"),
                ("broken: real", "违反: 真实"),
                ("judged", "已判定"),
            ),
            "rows": rows[:30],
        }
    unread = {r.id.removeprefix("ehr.") for r in rules_of(settings.rules) if not r.verified}
    if doubtful := sorted(unread & {str(r[0]) for r in rows[:30]}):
        names = ", ".join(doubtful)
        found["notes"] = [
            {
                "en": f"The source of these rules was not read when they were written: {names}.",
                "zh": f"以下规则编写时未查阅其来源原文: {names}。",
            }
        ]
    return found


def _known_patients(cohorts: Cohorts, role: Role) -> Flags | None:
    """Whether each patient that other tables name stands in the patient table."""
    dataset = dataset_of(cohorts, role)
    schema = dataset.schema
    if not schema.home or not schema.patient_key:
        return None
    known: set[str] = set(dataset.patients().keys.tolist()) - {""}
    named: set[str] = set()
    nobody = 0
    for name, table in dataset.tables.items():
        column = schema.patient_column(name)
        if column and name != schema.home:
            named |= {str(v) for v in table[column].unique().to_pylist() if v is not None}
            nobody += table[column].null_count
    everyone = sorted(known | named)
    # A row that names no patient stands for one that is not known.
    return np.array([k in known for k in everyone] + [False] * nobody, bool)


def _by_system(cohorts: Cohorts, role: Role, units: bool) -> dict[str, list[CodedColumn]]:
    found: dict[str, list[CodedColumn]] = defaultdict(list)
    dataset = dataset_of(cohorts, role)
    for column in codes_of(dataset, EhrSettings.of(cohorts.study.settings)):
        if column.is_unit == units and not dataset.schema.is_dictionary(column.table):
            found[column.system].append(column)
    return dict(found)


def _lists(cohorts: Cohorts, system: str) -> str:
    """Name and version of the lists that decide, or what is missing."""
    from pathlib import Path

    given = EhrSettings.of(cohorts.study.settings).code_lists
    lists = code_system(system, {k: Path(v) for k, v in given.items()}).lists
    return "; ".join(map(str, lists)) or "none (form and check digit only)"


def _ladder(columns: Sequence[CodedColumn]) -> dict[str, Any]:
    """Table of the rungs: distinct values and cells that pass, fail, cannot be decided."""
    if not columns:
        return {}
    rows = []
    for k, rung in enumerate(RUNGS):
        counts = np.zeros((3, 2), np.int64)
        for column in columns:
            state = column.verdicts.ladder[:, k]
            cells = np.bincount(column.codes, minlength=len(column.distinct))
            for n, wanted in enumerate((PASSED, FAILED)):
                counts[n] += [int((state == wanted).sum()), int(cells[state == wanted].sum())]
            rest = ~np.isin(state, (PASSED, FAILED, NOT_ASKED))
            counts[2] += [int(rest.sum()), int(cells[rest].sum())]
        if counts.any():
            rows.append([str(rung), *(int(c) for c in counts.ravel())])
    found: dict[str, Any] = {
        "table": {
            "columns": _heads(
                ("rung", "级别"), ("pass: values", "通过: 取值数"), ("cells", "单元格数"),
                ("fail: values", "不通过: 取值数"), ("cells", "单元格数"),
                ("undecided: values", "无法判定: 取值数"), ("cells", "单元格数"),
            ),
            "rows": rows,
        }
    }  # fmt: skip
    found["as_written"] = _as_written(columns)
    why_not = [r for column in columns for r in reasons(column)]
    if why_not:
        found["reasons"] = [
            {"en": en, "zh": zh, "cells": n} for en, zh, n in sorted(why_not, key=lambda r: -r[2])
        ][:12]
        found["notes"] = [
            {"en": f"{r['cells']} cells: {r['en']}", "zh": f"{r['cells']} 个单元格: {r['zh']}"}
            for r in found["reasons"]
        ]
    if otherwise := found["as_written"]["accepted_after_normalising"]:
        found.setdefault("notes", []).append(
            {
                "en": f"{otherwise} cells are codes only after blanks, width or case were put "
                "right; as written no list has them.",
                "zh": f"{otherwise} 个单元格须更正空格、全角或大小写后方为有效代码; "
                "原样不在任何代码表中。",
            }
        )
    return found


def _as_written(columns: Sequence[CodedColumn]) -> dict[str, int]:
    """Count cells that are accepted raw, and those that are only after normalising."""
    raw = put_right = 0
    for column in columns:
        cells = np.bincount(column.codes, minlength=len(column.distinct))
        verdicts = column.verdicts
        raw += int(cells[verdicts.as_written & ~verdicts.refused].sum())
        put_right += int(cells[~verdicts.as_written & ~verdicts.refused].sum())
    return {"not_refused": raw, "accepted_after_normalising": put_right}


def _heads(*words: tuple[str, str]) -> list[dict[str, str]]:
    """Heads of a table in both languages."""
    return [{"en": english, "zh": chinese} for english, chinese in words]
