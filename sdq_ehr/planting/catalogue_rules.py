"""Entries of the catalogue whose patients or files each break a rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sdq_core.calibration.defect import Defect
from sdq_core.vocabulary import Characteristic
from sdq_ehr.planting.catalogue_words import (
    BALANCE,
    COMPLETENESS,
    EXPLAINABILITY,
    FIDELITY,
    HIPAA,
    KAHN,
    METADATA,
    PRIVACY,
    SHARES,
    UTILITY,
    completeness,
    metadata,
    privacy,
)  # fmt: skip
from sdq_ehr.planting.strokes import Stroke
from sdq_ehr.planting.strokes_codes import code_rule_strokes, validity_strokes
from sdq_ehr.planting.strokes_fhir import fhir_strokes
from sdq_ehr.planting.strokes_files import column_strokes, line_strokes
from sdq_ehr.planting.strokes_identifiers import identifier_strokes
from sdq_ehr.planting.strokes_structure import cell_strokes, key_strokes
from sdq_ehr.planting.strokes_time import time_strokes
from sdq_ehr.planting.strokes_values import value_strokes
from sdq_ehr.semantics.loading import built_in_rules

__all__ = ["GROUPS", "STROKES", "file_defects", "rule_defects"]

SHARE_FILES: Final = ("share of files, at least one", "文件占比 (至少一个)")
SHARE_OF_RULES: Final = ("share of patients, at least one a rule", "患者占比 (每条规则至少一名)")
_RULES = {r.id: r for r in built_in_rules()}
STROKES: Final[Mapping[str, Stroke]] = {
    **time_strokes(_RULES), **code_rule_strokes(_RULES), **value_strokes(_RULES),
    **validity_strokes(), **key_strokes(), **cell_strokes(), **column_strokes(), **line_strokes(),
    **fhir_strokes(), **identifier_strokes(),
}  # fmt: skip
"""Rule -> how it is broken."""


def _semantic(*names: str) -> tuple[str, ...]:
    return tuple(f"ehr.semantics.{n}" for n in names)


def _conformity(*names: str) -> tuple[str, ...]:
    return tuple(f"ehr.conformity.{n}" for n in names)


def _structure(*names: str) -> tuple[str, ...]:
    return tuple(f"ehr.structure.{n}" for n in names)


def _kinds(*names: str) -> tuple[str, ...]:
    return tuple(f"ehr.identifier.{n}" for n in names)


GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "invalid-codes": ("ehr.codes.not_valid", "ehr.codes.altered", "ehr.codes.not_billable"),
    "invalid-units": ("ehr.codes.unit_not_valid", "ehr.codes.suspect"),
    "wrong-system": _semantic("code_of_another_system"),
    "sex-contradicted": _semantic(
        "female_only_diagnosis", "male_only_diagnosis", "female_only_procedure",
        "male_only_procedure", "diabetes_type_1_and_2", "delivery_without_outcome",
        "hysterectomy_and_later_pregnancy", "drug_against_allergy",
    ),
    "age-contradicted": _semantic(
        "age_range", "age_contradicts_birth", "maternity_age", "newborn_diagnosis",
        "paediatric_encounter", "adult_diagnosis", "codeine_in_young_children",
    ),
    "dates-out-of-order": _semantic(
        "birth_before_events", "birth_before_death", "admission_before_discharge",
        "start_before_end", "admission_before_death", "events_after_death", "overlapping_stays",
        "events_soon_after_death", "events_within_visit", "events_after_visit",
    ),
    "dates-impossible": _semantic(
        "date_before_1900", "date_after_extraction", "wrong_century", "date_before_records",
        "date_after_records",
    ),
    "units-mixed-up": _semantic("unit_mixed_up", "value_implausible", "unit_not_of_analyte"),
    "orphan-keys": _structure("patient_orphan", "patient_missing", "orphan", "other_patient"),
    "keys-broken": _structure(
        "key_duplicate", "key_missing", "required", "too_few_rows", "too_many_rows"
    ),
    "cells-misread": _structure(
        "type", "fraction", "value_unknown", "full_width", "padded", "float_code", "thousands",
        "decimal_comma", "decimal_unclear", "date_forms", "partial_date", "time_of_day_dropped",
        "date_order_found", "date_order_unclear", "zone_dropped", "zones_mixed",
    ),
    "lines-broken": _structure(
        "ragged_row", "encoding_unknown", "ragged_rows", "quote_open", "encoding_guessed",
        "delimiter_guessed", "row_names",
    ),
    "dictionary-broken": _conformity("value_not_in_dictionary", "number_out_of_declared_range"),
    "columns-broken": (
        *_structure("missing_column", "extra_column", "duplicate_column", "empty_column",
                    "constant_column"),
        *_conformity("field_missing", "field_unknown"),
    ),
    "omop-fields": _conformity(
        "omop_required", "omop_type", "omop_standard_concept", "omop_domain", "omop_concept_zero",
        "omop_observation_period",
    ),
    "fhir-json": (
        *_conformity("fhir_json_type", "fhir_date_form", "fhir_form", "fhir_cardinality",
                     "fhir_choice", "fhir_element_missing", "fhir_element_unknown"),
        *_structure("broken_resource", "not_a_resource", "resource_passed_over"),
    ),
    "fhir-elements": _conformity("fhir_required", "fhir_binding", "fhir_reference"),
    "names": _kinds("name", "staff_name", "address", "place", "postcode", "location"),
    "telephones": _kinds("mobile_number", "telephone", "email", "url", "ip_address"),
    "identity-numbers": _kinds(
        "resident_identity_number", "social_security_number", "national_number",
        "insurance_number", "record_number", "number_of_its_own", "licence_plate", "device",
    ),
    "births-and-ages": _kinds("birth_date", "age_over_89", "birth_date_column"),
    "identity-keys": _kinds("key_is_identity"),
}  # fmt: skip
"""Defect -> rules whose violations it plants; each gets its part of the patients."""


def rule_defects() -> Iterator[Defect]:
    """Yield the defects of which each patient that carries one breaks a rule."""
    code, semantics, structure = "code_valid_share", "semantics_share", "structure_share"
    share = completeness
    meta = (*metadata("conformity_share"),)
    rows: Sequence[tuple[str, tuple[str, str], tuple[Characteristic, ...], tuple[str, ...], str,
                         tuple[Characteristic, ...]]] = (
        ("invalid-codes", ("codes that are none", "无效编码"), (COMPLETENESS,), share(code), KAHN,
         (FIDELITY, BALANCE)),
        ("invalid-units", ("units that are none", "无效单位"), (COMPLETENESS,),
         share("unit_valid_share"), "UCUM, ucum.org; Kahn et al. 2016", (FIDELITY,)),
        ("wrong-system", ("right code in the wrong system", "编码系统错误"), (COMPLETENESS,),
         share(code, semantics), KAHN, (FIDELITY, BALANCE, METADATA)),
        ("sex-contradicted", ("codes that contradict the sex, or one another",
                              "与性别或彼此矛盾的编码"),
         (COMPLETENESS,), share(semantics),
         "US Medicare Code Editor, sex conflict; ICD-10-CM guidelines, excludes",
         (FIDELITY, BALANCE)),
        ("age-contradicted",
         ("codes and ages that contradict the birth", "与出生日期矛盾的编码或年龄"),
         (COMPLETENESS,), share(semantics), "US Medicare Code Editor, age conflict",
         (FIDELITY, BALANCE, METADATA)),
        ("dates-out-of-order", ("dates out of order", "日期次序颠倒"), (COMPLETENESS,),
         share(semantics), "OHDSI Data Quality Dashboard, temporal plausibility", (FIDELITY,)),
        ("dates-impossible", ("dates out of all bounds", "日期超出界限"), (COMPLETENESS,),
         share(semantics), "OHDSI Data Quality Dashboard, plausibleValueLow/High", (FIDELITY,)),
        ("units-mixed-up", ("units mixed up", "单位混淆"), (COMPLETENESS,), share(semantics),
         "OHDSI Data Quality Dashboard, plausibleUnitConceptIds", (FIDELITY, METADATA)),
        ("orphan-keys", ("keys that lead nowhere", "孤立键"), (COMPLETENESS,), share(structure),
         "Codd 1979, doi:10.1145/320107.320109 (referential integrity)", (FIDELITY, METADATA)),
        ("keys-broken", ("keys missing or twice, rows too few or too many", "主键缺失或重复"),
         (COMPLETENESS,), share(structure),
         "Codd 1979, doi:10.1145/320107.320109 (entity integrity)", (FIDELITY, METADATA)),
        ("cells-misread", ("cells that are none of their type", "单元格类型错误"),
         (COMPLETENESS,), share(structure), f"{KAHN} (value conformance)",
         (FIDELITY, METADATA, BALANCE)),
        ("lines-broken", ("broken lines and signs in files", "文件中的行或字符损坏"),
         (COMPLETENESS,), share("readable_share", structure), "RFC 4180; RFC 3629",
         (FIDELITY, METADATA, BALANCE)),
        ("dictionary-broken", ("values that the dictionary does not have", "超出数据字典的取值"),
         (METADATA,), meta, f"{KAHN} (value conformance)", (COMPLETENESS, FIDELITY, BALANCE)),
        ("columns-broken", ("columns missing, unknown or empty", "列缺失、未知或为空"),
         (METADATA,), (*meta, *metadata("required_attribute_share")),
         "Part 6 proposal, metadata sufficiency and conformity", (FIDELITY, COMPLETENESS)),
        ("omop-fields", ("OMOP fields against the model", "不符合 OMOP 模型的字段"), (METADATA,),
         meta, "OMOP CDM 5.4; OHDSI Data Quality Dashboard",
         (COMPLETENESS, FIDELITY, BALANCE)),
        ("fhir-json", ("FHIR resources against their definition", "不符合定义的 FHIR 资源"),
         (METADATA,), meta, "HL7 FHIR R4, JSON and data types", (COMPLETENESS, FIDELITY, BALANCE)),
        ("fhir-elements", ("FHIR elements without value, or with one that may not be",
                           "FHIR 元素缺失或取值不允许"),
         (METADATA,), meta, "HL7 FHIR R4, cardinality and required bindings",
         (COMPLETENESS, FIDELITY, BALANCE)),
        ("names", ("names and addresses", "姓名与住址"), (PRIVACY,), (), f"{HIPAA}(A), (B)",
         (FIDELITY, COMPLETENESS, BALANCE)),
        ("telephones", ("telephones and addresses of the network", "电话与网络地址"), (PRIVACY,),
         (),
         f"{HIPAA}(D), (F), (N), (O)", (FIDELITY, COMPLETENESS, BALANCE)),
        ("identity-numbers",
         ("identity numbers with a valid check digit", "校验位有效的身份证件号"),
         (PRIVACY,), (), f"{HIPAA}(G) to (R); GB 11643-1999", (FIDELITY, COMPLETENESS, BALANCE)),
        ("births-and-ages", ("dates of birth in texts, ages over 89", "文本中的出生日期与高龄"),
         (PRIVACY,), (), f"{HIPAA}(C)", (FIDELITY, COMPLETENESS, BALANCE)),
        ("identity-keys", ("identity numbers as keys", "以身份证件号为主键"), (PRIVACY,), (),
         f"{HIPAA}(R); GB 11643-1999", ()),
    )  # fmt: skip
    for name, title, targets, sees, source, sides in rows:
        measures = sees or privacy("identifier_share")
        yield Defect(
            name, title, targets, SHARES, 0.1, SHARE_OF_RULES, (*measures, *GROUPS[name]), source,
            tuple(dict.fromkeys((*sides, UTILITY, EXPLAINABILITY))),
        )  # fmt: skip


def file_defects() -> Iterator[Defect]:
    """Yield the defects of files as a whole."""
    source = "Part 6 proposal, structural integrity and conformity of metadata"
    titles = {
        "missing_table": ("a table without its file", "缺少表文件"),
        "empty_file": ("a file without bytes", "空文件"),
        "not_a_table": ("a file that is no table", "无法读取的文件"),
        "header_only": ("a table without rows", "只有表头的表"),
    }
    for name, title in titles.items():
        yield Defect(
            f"file-{name.replace('_', '-')}", title, (METADATA, COMPLETENESS, FIDELITY),
            (0.01, 1.0), 0.01, SHARE_FILES,
            (*metadata("required_attribute_share"), *completeness("structure_share"),
             *_structure(name)),
            source, (BALANCE, PRIVACY, UTILITY, EXPLAINABILITY),
        )  # fmt: skip
    yield Defect(
        "file-strangers",
        ("files and links that the schema does not name", "模式未列出的文件与链接"),
        (METADATA,), (0.01, 1.0), 0.01, SHARE_FILES,
        (*metadata("conformity_share"),
         *_structure("file_passed_over", "file_twice", "link_outside", "link_loop")),
        source,
    )  # fmt: skip
