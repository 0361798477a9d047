"""The kinds of semantic rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sdq_ehr.semantics.kinds.dictionary import DICTIONARY
from sdq_ehr.semantics.kinds.drug_allergy import DRUG_ALLERGY
from sdq_ehr.semantics.kinds.expression import EXPRESSION
from sdq_ehr.semantics.kinds.fhir import FHIR
from sdq_ehr.semantics.kinds.omop import OMOP
from sdq_ehr.semantics.kinds.order import BOUNDS, ORDER, OVERLAP
from sdq_ehr.semantics.kinds.sets import AGE, EXCLUDES, REQUIRES, SEX, SYSTEM
from sdq_ehr.semantics.kinds.values import RANGE, UNIT
from sdq_ehr.semantics.kinds.years import YEARS
from sdq_ehr.semantics.rule import Kind

__all__ = ["KINDS"]

KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        ORDER, OVERLAP, BOUNDS, YEARS, SEX, AGE, RANGE, UNIT, EXCLUDES, REQUIRES, DRUG_ALLERGY,
        SYSTEM, EXPRESSION, OMOP, FHIR, DICTIONARY,
    )
}  # fmt: skip
"""Kind's name -> kind."""
