"""Key steps of the generation traceable: what the provider states, and the origin of each item."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

import numpy as np

from sdq_core.characteristics.rates import rate
from sdq_core.cohort import Cohorts
from sdq_core.finding import Finding
from sdq_core.generator import Fact, contradictions
from sdq_core.lineage import finding as lineage_finding
from sdq_core.lineage import problems_of, version_texts
from sdq_core.manifest import cohort_digest
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import why
from sdq_core.vocabulary import Role, Severity

__all__ = ["described", "own_lineage", "traced"]

TRACEABILITY: Final = "Part 6 proposal, explainability: key steps traceable"

Says: TypeAlias = Callable[[Mapping[str, str], Mapping[str, str]], bool]


def described(id_: str, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
    """Measure the share of the facts about the generation that are stated and not refuted.

    Parameters
    ----------
    id_ : str
        Measurement id.
    cohorts : Cohorts

    Yields
    ------
    Measurement or Finding
    """
    generator = cohorts.study.generator
    if generator is None:
        yield Measurement(
            id_,
            aspect="process_traceability",
            **why("no_generator"),
        )
        return
    digest = cohort_digest(item.digest for item in cohorts.train.table.items)
    refuted = contradictions(generator, {Role.TRAIN: digest})
    for key, (english, chinese) in refuted.items():
        yield Finding(
            f"{id_.partition('.')[0]}.lineage.training_digest",
            Severity.ERROR,
            f"{english}, which is not what the generator's description states; correct the "
            "description, or give the cohort from which the generator learned",
            f"{chinese}，与生成器说明不一致；请更正说明，或提供生成器实际学习的数据集",
            f"generator.{key}",
            role=str(Role.TRAIN),
        )
    facts = generator.facts()
    missing = [f for f in facts if f.value is None]
    by_requirement: dict[str, list[Fact]] = {}
    for fact in missing:
        by_requirement.setdefault(fact.requirement, []).append(fact)
    yield Measurement(
        id_,
        value=1 - (len(missing) + len(refuted)) / len(facts),
        better="higher",
        unit="share",
        aspect="process_traceability",
        method=Method(
            "share of the facts of the generator's description that are stated and that the "
            "data do not contradict",
            TRACEABILITY,
            {"facts": len(facts)},
        ),
        details={
            "missing": {r: [f.key for f in found] for r, found in by_requirement.items()},
            "refuted": sorted(refuted),
            "notes": [
                {
                    "en": f"{requirement}, not provided: {', '.join(f.label for f in found)}.",
                    "zh": f"{requirement} 未提供：{'、'.join(f.label_zh for f in found)}。",
                }
                for requirement, found in sorted(by_requirement.items())
            ],
        },
    )


def traced(id_: str, cohorts: Cohorts, says: Says) -> Iterator[Measurement | Finding]:
    """Measure the share of synthetic items whose own origin can be traced.

    By the lineage table where the generator's description names one, and by what the item says of
    itself; an item about which the table is wrong cannot be traced.

    Parameters
    ----------
    id_ : str
        Measurement id.
    cohorts : Cohorts
    says : callable
        Metadata and attributes of an item -> whether they name generator and origin.

    Yields
    ------
    Measurement or Finding
    """
    modality = id_.partition(".")[0]
    cohort, generator = cohorts.synthetic, cohorts.study.generator

    # One item at a time: the statements of all would be another copy of the cohort.
    def stated(row: int) -> tuple[Mapping[str, str], dict[str, str]]:
        return cohort.table.metadata(row), cohort.stated(row)

    themselves = np.array([says(*stated(row)) for row in range(len(cohort))], dtype=bool)
    table = cohort.lineage
    flags, wrong = themselves, 0
    if table is not None:
        named = generator is not None and bool(generator.algorithm.name)
        versions = [] if generator is None else version_texts(generator.algorithm.version)
        broken = [
            problems_of(item.id, table, versions, own_lineage(*stated(row)))
            for row, item in enumerate(cohort.table.items)
        ]
        yield from table.findings(modality)
        for item, rules in zip(cohort.table.ids.tolist(), broken, strict=True):
            yield from (lineage_finding(modality, r, item=item) for r in rules)
        wrong = sum(bool(rules) and rules != ["no_row"] for rules in broken)
        flags = np.array(
            [
                (not rules and (named or itself)) or (rules == ["no_row"] and itself)
                for rules, itself in zip(broken, themselves.tolist(), strict=True)
            ],
            dtype=bool,
        )
    elif generator is not None and generator.lineage not in (None, "none"):
        yield lineage_finding(modality, "table_not_read", where="generator.lineage")
    rows = 0 if table is None else len(table.rows)
    counts = {"themselves": int(themselves.sum()), "table": rows, "wrong": wrong}
    yield rate(
        id_,
        flags[cohort.table.readable],
        aspect="process_traceability",
        name="share of readable items that name their generator, and a seed, condition or run, "
        "in the lineage table or themselves",
        source=TRACEABILITY,
        details={
            "traced": counts,
            "notes": [
                {
                    "en": f"Items that say it themselves: {counts['themselves']}; with a row "
                    f"in the lineage table: {rows}; with a row that is wrong: {wrong}.",
                    "zh": f"样本自身声明：{counts['themselves']}；溯源表中有对应行：{rows}；"
                    f"其中有误：{wrong}。",
                }
            ],
        },
    )


def own_lineage(metadata: Mapping[str, str], attributes: Mapping[str, str]) -> dict[str, str]:
    """Return what an item says of its origin, under the names of the lineage table's columns.

    Examples
    --------
    >>> own_lineage({"text:Seed": "7", "AlgorithmVersion": "1.2"}, {"run": ""})
    {'seed': '7', 'generator_version': '1.2'}
    """
    known = {
        key.removeprefix("text:").replace("_", "").lower(): value
        for key, value in {**metadata, **attributes}.items()
        if value
    }
    names = {
        "seed": ("seed",),
        "condition": ("condition",),
        "run": ("run",),
        "generator_version": ("generatorversion", "algorithmversion"),
    }
    return {
        column: next(known[key] for key in keys if key in known)
        for column, keys in names.items()
        if any(key in known for key in keys)
    }
