"""Kinds of rules about codes: sex, age, combinations, and codes in the wrong column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from sdq_ehr.codes.facts import age_range_of_code, sex_of_code
from sdq_ehr.semantics.codesets import FAMILIES, CodeSet
from sdq_ehr.semantics.columns import years_between
from sdq_ehr.semantics.context import Coded, Context, missing
from sdq_ehr.semantics.forms import belongs_elsewhere
from sdq_ehr.semantics.rule import Check, Kind, NotApplicable, Parameters
from sdq_ehr.semantics.words import FEMALE, MALE

__all__ = ["AGE", "EXCLUDES", "REQUIRES", "SEX", "SYSTEM"]

Codes = Mapping[str, tuple[str, ...]]


def known_systems(codes: Codes) -> Codes:
    """Check the keys of a code set."""
    unknown = set(codes) - set(FAMILIES)
    if unknown:
        raise ValueError(f"no code system {sorted(unknown)}; use some of {', '.join(FAMILIES)}")
    return codes


Facts = Callable[[str, list[str]], NDArray[np.bool_]]
"""System and distinct codes -> whether each is of the set."""


def columns(
    codes: Codes, context: Context, systems: tuple[str, ...] = (), facts: Facts | None = None
) -> Iterator[tuple[Coded, NDArray[np.bool_]]]:
    """Yield the columns of the systems of a code set that belong to patients, with membership."""
    wanted = CodeSet(codes)
    for column in context.coded():
        if context.schema.is_dictionary(column.place.table):
            continue
        here = set(column.systems or [column.place.definition.system])
        if here & {*wanted.systems, *systems}:
            member = wanted.of(column)
            if facts is not None:
                member |= _of_facts(column, systems, facts)
            yield column, member


def _of_facts(column: Coded, systems: tuple[str, ...], facts: Facts) -> NDArray[np.bool_]:
    distinct = np.zeros(len(column.values), bool)
    for system in systems:
        at = [i for i, s in enumerate(column.systems) if s == system]
        if at:
            distinct[at] = facts(system, [column.values[i] for i in at])
    return column.spread(distinct)


def no_codes(codes: Codes, systems: tuple[str, ...] = ()) -> NotApplicable:
    """Return the reason that no column holds codes of these systems."""
    names = "/".join(dict.fromkeys([*systems, *codes]))
    return missing(
        f"column with codes of {names} that belongs to patients",
        f"属于患者的 {names} 编码列",
    )


class SexParameters(Parameters):
    """Codes that only one sex can have: `codes`, and what `sdq_ehr.codes.facts` says.

    `facts`: the systems of which the latter is asked.
    """

    only: Literal["female", "male"]
    codes: Codes = Field(default_factory=dict)
    facts: tuple[str, ...] = ()

    _check = field_validator("codes")(known_systems)

    @model_validator(mode="after")
    def _some_codes(self) -> SexParameters:
        if not (self.codes or self.facts):
            raise ValueError("codes: give some, or name systems in facts")
        return self


def _sex(p: SexParameters, context: Context) -> Iterator[Check]:
    if not any(context.places("sex")):
        raise missing("sex of the patients", "患者性别列")
    if not context.sex.any():
        raise NotApplicable(
            "no sex of any patient is understood; map its values to female and male in schema.yaml",
            "患者性别的取值均无法识别; 请在 schema.yaml 中将其取值映射为 female 与 male",
        )
    wrong = MALE if p.only == "female" else FEMALE
    seen = False
    letter = "F" if p.only == "female" else "M"

    def facts(system: str, codes: list[str]) -> NDArray[np.bool_]:
        return np.asarray(sex_of_code(system, codes) == letter)

    for column, member in columns(p.codes, context, p.facts, facts):
        seen = True
        sex = context.of_patient(column.place.table, context.sex, 0)
        yield Check.of(column.place.table, column.place.column, sex == wrong, member & (sex > 0))
    if not seen:
        raise no_codes(p.codes, p.facts)


class AgeParameters(Parameters):
    """Codes that only some ages can have (completed years, both ends included); or stated ages.

    `check`: ``codes``, given by `codes` and by the age group of `sdq_ehr.codes.facts` with just
    these ages, of the systems in `facts`; ``range``: every age column and every age implied by
    birth and event lies in the range; ``stated``: the stated age agrees with birth and event.
    """

    check: Literal["codes", "range", "stated"] = "codes"
    minimum: float = 0.0
    maximum: float = 120.0
    tolerance_years: float = 1.0
    codes: Codes = Field(default_factory=dict)
    facts: tuple[str, ...] = ()

    _check = field_validator("codes")(known_systems)

    @model_validator(mode="after")
    def _codes_where_needed(self) -> AgeParameters:
        if (self.check == "codes") != bool(self.codes or self.facts):
            raise ValueError("codes: needed (or facts) with check: codes, and only there")
        return self


def _age(p: AgeParameters, context: Context) -> Iterator[Check]:
    checks = {"codes": _age_codes, "range": _age_range, "stated": _age_stated}[p.check]
    seen = False
    for check in checks(p, context):
        seen = True
        yield check
    if not seen:
        if p.check == "codes":
            raise no_codes(p.codes, p.facts)
        raise missing("age, or birth with the time of events", "年龄列, 或出生日期及事件时间")


def _age_codes(p: AgeParameters, context: Context) -> Iterator[Check]:
    if not any(context.places("birth", "age")) and np.isnat(context.birth).all():
        raise missing("birth or age of the patients", "患者出生日期或年龄列")

    def facts(system: str, codes: list[str]) -> NDArray[np.bool_]:
        ages = age_range_of_code(system, codes)
        return np.asarray((ages[:, 0] == p.minimum) & (ages[:, 1] == p.maximum + 1))

    for column, member in columns(p.codes, context, p.facts, facts):
        age = context.ages(column.place.table)
        known = member & ~np.isnan(age)
        bad = (age < p.minimum) | (age > p.maximum)
        yield Check.of(column.place.table, column.place.column, bad, known)


def _age_range(p: AgeParameters, context: Context) -> Iterator[Check]:
    for place in context.places("age"):
        values = context.numbers(place.table, place.column)
        if values is not None and not context.schema.is_dictionary(place.table):
            with np.errstate(invalid="ignore"):
                bad = (values < p.minimum) | (values > p.maximum)
            yield Check.of(place.table, place.column, bad, ~np.isnan(values))
    for table in context.tables():
        if context.schema.is_dictionary(table) or np.isnat(context.birth).all():
            continue
        times = context.event_times(table)
        if times is None:
            continue
        birth = context.of_patient(table, context.birth, np.datetime64("NaT", "us"))
        age = years_between(birth, times)
        # Events before birth are another rule's.
        yield Check.of(table, "", age > p.maximum, ~np.isnan(age))


def _age_stated(p: AgeParameters, context: Context) -> Iterator[Check]:
    for place in context.places("age"):
        values = context.numbers(place.table, place.column)
        times = context.event_times(place.table)
        if values is None or times is None or context.schema.is_dictionary(place.table):
            continue
        birth = context.of_patient(place.table, context.birth, np.datetime64("NaT", "us"))
        implied = years_between(birth, times)
        with np.errstate(invalid="ignore"):
            bad = np.abs(np.floor(values) - implied) > p.tolerance_years
        known = ~(np.isnan(values) | np.isnan(implied))
        yield Check.of(place.table, place.column, bad, known)


class PairParameters(Parameters):
    """Two sets of codes of one patient."""

    first: Codes
    second: Codes

    _check = field_validator("first", "second")(known_systems)


def _having(
    codes: Codes, context: Context
) -> tuple[NDArray[np.bool_], list[tuple[Coded, NDArray[np.bool_]]]]:
    """Return which patients have a code of the set, and the columns."""
    having = np.zeros(context.patients + 1, bool)
    found = list(columns(codes, context))
    for column, member in found:
        having[context.owner(column.place.table)[member]] = True
    having[-1] = False
    return having, found


def _excludes(p: PairParameters, context: Context) -> Iterator[Check]:
    having, _ = _having(p.first, context)
    _, found = _having(p.second, context)
    if not found:
        raise no_codes(p.second)
    for column, member in found:
        bad = having[context.owner(column.place.table)]
        yield Check.of(column.place.table, column.place.column, bad, member)


def _requires(p: PairParameters, context: Context) -> Iterator[Check]:
    _, found = _having(p.first, context)
    having, others = _having(p.second, context)
    if not found or not others:
        raise no_codes(p.first if not found else p.second)
    for column, member in found:
        owner = context.owner(column.place.table)
        yield Check.of(
            column.place.table, column.place.column, ~having[owner], member & (owner >= 0)
        )


class SystemParameters(Parameters):
    """Codes must not have the form of another system, and of that only."""


def _system(p: SystemParameters, context: Context) -> Iterator[Check]:
    seen = False
    for column in context.coded():
        systems = set(column.systems)
        if not systems - {"", "local", "ucum"} or column.place.definition.type == "unit":
            continue
        seen = True
        wrong = [
            belongs_elsewhere(code, system)
            for code, system in zip(column.values, column.systems, strict=True)
        ]
        judged = np.array([s not in ("", "local", "ucum") for s in column.systems], bool)
        yield Check.of(column.place.table, column.place.column,
                       column.spread(np.array(wrong, bool)), column.spread(judged))  # fmt: skip
    if not seen:
        raise missing("column with codes of a known system", "已知编码系统的编码列")


SEX = Kind(
    "sex",
    SexParameters,
    _sex,
    "codes that contradict the patient's sex",
    "与患者性别矛盾的编码",
)
AGE = Kind(
    "age",
    AgeParameters,
    _age,
    "codes that contradict the patient's age; ages out of range or contradicting birth",
    "与患者年龄矛盾的编码; 年龄超出范围或与出生日期不符",
)
EXCLUDES = Kind(
    "excludes",
    PairParameters,
    _excludes,
    "two sets of codes that one patient cannot have together",
    "同一患者不应同时具有的两组编码",
)
REQUIRES = Kind(
    "requires",
    PairParameters,
    _requires,
    "codes that ask for another code of the same patient",
    "要求同一患者具有另一编码的编码",
)
SYSTEM = Kind(
    "system",
    SystemParameters,
    _system,
    "codes whose form belongs to another system",
    "形式属于其他编码系统的编码",
)
