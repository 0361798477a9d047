"""The kind of rule that sees a drug given against a recorded allergy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib import resources

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import Field, field_validator

from sdq_ehr.semantics.codesets import CodeSet
from sdq_ehr.semantics.columns import later
from sdq_ehr.semantics.context import Context, Place, missing
from sdq_ehr.semantics.kinds.sets import Codes, known_systems
from sdq_ehr.semantics.rule import Check, Kind, Parameters

__all__ = ["DRUG_ALLERGY", "DrugClass", "built_in_classes"]

LONGEST = 2000
"""Characters of a text in which names are searched; allergies and drugs are named in few words."""

_NEGATED = re.compile(
    r"\b(?:no|not|denies|denied|negative|nkda|nka|without|refuted)\b|否认|阴性|无|未见|未发现|没有",
    re.IGNORECASE,
)


class DrugClass(Parameters):
    """Drugs, and the allergies that speak against them."""

    name: str
    name_zh: str
    drugs: Codes = Field(default_factory=dict)
    drug_words: tuple[str, ...] = ()
    allergies: Codes = Field(default_factory=dict)
    allergy_words: tuple[str, ...] = ()

    _check = field_validator("drugs", "allergies")(known_systems)


class DrugAllergyParameters(Parameters):
    """A drug of a class must not be given to a patient with a recorded allergy to that class.

    `classes`: of the rule itself; empty: those of the package. Where both are dated, only drugs on
    or after the day of the record count.
    """

    classes: tuple[DrugClass, ...] = ()


@lru_cache(maxsize=1)
def built_in_classes() -> tuple[DrugClass, ...]:
    """Return the classes that come with the package.

    Examples
    --------
    >>> [c.name for c in built_in_classes()][:2]
    ['penicillins', 'cephalosporins']
    """
    file = resources.files("sdq_ehr.semantics").joinpath("data/drug_classes.yaml")
    return tuple(
        DrugClass.model_validate(c) for c in yaml.safe_load(file.read_text("utf-8"))["classes"]
    )


def _drug_allergy(p: DrugAllergyParameters, context: Context) -> Iterator[Check]:
    of_patients = [
        [x for x in context.places(m) if not context.schema.is_dictionary(x.table)]
        for m in ("allergy", "drug")
    ]
    allergies, drugs = of_patients
    if not allergies:
        raise missing("allergies of the patients", "患者过敏列")
    if not drugs:
        raise missing("drugs of the patients", "患者用药列")
    classes = p.classes or built_in_classes()
    bad = {d.table: np.zeros(context.rows(d.table), bool) for d in drugs}
    known = {d.table: np.zeros(context.rows(d.table), bool) for d in drugs}
    columns: dict[str, list[str]] = {}
    for drug in drugs:
        columns.setdefault(drug.table, []).append(drug.column)
    for one in classes:
        since = _allergic_since(one, allergies, context)
        for drug in drugs:
            given = _rows(drug, one.drugs, one.drug_words, context)
            known[drug.table] |= given
            if since is None:
                continue
            owner = context.owner(drug.table)
            allergic = np.append(~np.isnat(since), False)[owner]
            times = context.event_times(drug.table)
            if times is not None:
                first = np.append(since, np.datetime64("NaT", "us"))[owner]
                allergic &= ~later(first, times)
            bad[drug.table] |= given & allergic
    for table, names in columns.items():
        yield Check.of(table, ", ".join(names), bad[table], known[table])


_LONG_AGO = np.datetime64("0001-01-01", "us")


def _allergic_since(
    one: DrugClass, allergies: list[Place], context: Context
) -> NDArray[np.datetime64] | None:
    """Return for each patient the first record of an allergy; NaT where there is none."""
    since = np.full(context.patients, np.datetime64("NaT", "us"))
    for place in allergies:
        has = _rows(place, one.allergies, one.allergy_words, context, negations=True)
        has &= ~_refuted(place.table, context)
        rows = np.flatnonzero(has & (context.owner(place.table) >= 0))
        if not len(rows):
            continue
        times = context.event_times(place.table)
        when = np.full(len(rows), _LONG_AGO) if times is None else times[rows]
        when = np.where(np.isnat(when), _LONG_AGO, when)
        latest_first = np.argsort(when)[::-1]
        owner = context.owner(place.table)[rows][latest_first]
        fresh = since.copy()
        fresh[owner] = when[latest_first]
        since = np.where(np.isnat(since) | (fresh < since), fresh, since)
    return None if np.isnat(since).all() else since


def _refuted(table: str, context: Context) -> NDArray[np.bool_]:
    """Return which rows say of themselves that there is no such allergy (FHIR)."""
    texts = context.texts(table, "verification_status")
    if texts is None:
        return np.zeros(context.rows(table), bool)
    words = ("refuted", "entered-in-error")
    return texts.spread(np.array([v.strip().lower() in words for v in texts.values], bool))


def _rows(
    place: Place,
    codes: Codes,
    words: Sequence[str],
    context: Context,
    negations: bool = False,
) -> NDArray[np.bool_]:
    out = np.zeros(context.rows(place.table), bool)
    coded = next((c for c in context.coded() if c.place == place), None)
    if coded is not None:
        out |= CodeSet(codes).of(coded)
    texts = context.texts(place.table, place.column)
    if texts is not None and words:
        pattern = _word_pattern(tuple(words))
        out |= texts.spread(
            np.array(
                [
                    pattern.search(v, 0, LONGEST) is not None
                    and not (negations and _NEGATED.search(v, 0, LONGEST))
                    for v in texts.values
                ],
                bool,
            )
        )
    return out


@lru_cache(maxsize=256)
def _word_pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    latin = [re.escape(w) for w in words if w.isascii()]
    others = [re.escape(w) for w in words if not w.isascii()]
    parts = [rf"(?<![a-z])(?:{'|'.join(latin)})(?![a-z])"] if latin else []
    return re.compile("|".join([*parts, *others]), re.IGNORECASE)


DRUG_ALLERGY = Kind("drug_allergy", DrugAllergyParameters, _drug_allergy,
                    "drugs given against a recorded allergy",
                    "与过敏记录相抵触的用药")  # fmt: skip
