"""Code systems of health records behind one interface; a verdict is a ladder, not a yes or no.

>>> from sdq_ehr.codes import code_system
>>> verdicts = code_system("loinc").check(["2160-0", "2160-1", "E11.9", None])
>>> verdicts.valid
(None, False, False, False)
>>> [verdict.reason for verdict in verdicts]
['list_needed', 'check_digit', 'other_system', 'missing']
"""

from sdq_ehr.codes.facts import (
    age_range_of_code,
    range_of_code,
    sex_of_code,
    units_of_code,
    validity_of_code,
)
from sdq_ehr.codes.fhir import fhir_binding, fhir_value_sets
from sdq_ehr.codes.forms import recognise
from sdq_ehr.codes.reasons import REASONS, sentence
from sdq_ehr.codes.registry import SYSTEMS, URLS, code_system, system_of_url
from sdq_ehr.codes.system import CodeSystem
from sdq_ehr.codes.verdict import RUNGS, Alteration, CodeVerdict, CodeVerdicts, ListUsed, Rung

__all__ = [
    "REASONS",
    "RUNGS",
    "SYSTEMS",
    "URLS",
    "Alteration",
    "CodeSystem",
    "CodeVerdict",
    "CodeVerdicts",
    "ListUsed",
    "Rung",
    "age_range_of_code",
    "code_system",
    "fhir_binding",
    "fhir_value_sets",
    "range_of_code",
    "recognise",
    "sentence",
    "sex_of_code",
    "system_of_url",
    "units_of_code",
    "validity_of_code",
]
