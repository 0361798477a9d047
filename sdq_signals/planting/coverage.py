"""All rules that signals can emit, and those that no defect of the catalogue plants, with why."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from sdq_core.dicom.identifier_attributes import ATTRIBUTES
from sdq_core.identifiers import IDENTIFIER_KINDS
from sdq_core.lineage import RULES as LINEAGE
from sdq_signals.conformity.rules import RULES as HEADERS
from sdq_signals.rules import RULES as READING

__all__ = ["UNPLANTED", "UNPLANTED_MEASURES", "all_rules", "named_in_code"]

REFUSED: Final = (
    "the reader refuses such a file before the rule is asked; what it says instead is planted"
)
OF_THE_STUDY: Final = "it is about the generator's description, which is no part of a cohort"

UNPLANTED: Final[dict[str, str]] = {
    "signals.conformity.wfdb_header": REFUSED,
    "signals.conformity.wfdb_file_name": REFUSED,
    "signals.conformity.wfdb_file_missing": REFUSED,
    "signals.conformity.edf_header": REFUSED,
    "signals.conformity.edf_record_duration": REFUSED,
    "signals.metadata.sampling_rate_unusual": "it needs rates that a caller of the linter declares",
    "signals.structure.annotation_missing": "it is said only where annotations are asked for",
    "signals.structure.unreadable_file": "it needs files without permission, which no test can "
    "count on: an administrator may read all",
    "signals.structure.unreadable_folder": "it needs folders without permission, as above",
    "signals.structure.unreadable_sequence": "the reader converts all elements while it opens a "
    "file, and pydicom then makes items of whatever bytes it meets",
    "signals.lineage.other_version": OF_THE_STUDY,
    "signals.lineage.table_not_read": OF_THE_STUDY,
    "signals.lineage.training_digest": OF_THE_STUDY,
}
"""Rule -> why it cannot be planted in a cohort."""

UNPLANTED_MEASURES: Final[dict[str, str]] = {
    "signals.explainability.process_traceability": OF_THE_STUDY,
    "signals.utility.trtr_auc": "it is measured on the real cohorts alone",
}
"""Measure -> why no synthetic cohort can move it."""

_IN_CONTEXT: Final = (
    "conformity.class_unknown", "metadata.label_missing", "metadata.not_declared_synthetic",
    "metadata.aigc_label", "structure.duplicate", "identifier.file_name", "privacy.exact_copy",
    "privacy.near_copy", "lineage.training_digest", "conformity.value_representation",
    "conformity.character_set", "conformity.private_creator", "structure.unreadable_sequence",
    "structure.nested_too_deep", "identifier.date", "identifier.age_over_89",
    "identifier.private_attributes", "identifier.burned_in_annotation", "identifier.overlay",
)  # fmt: skip
"""Rules that the core gives under the modality's name."""
_NAMED = re.compile(r"\"(signals\.(?:structure|semantics|conformity|metadata|identifier)\.\w+)\"")


@lru_cache(maxsize=1)
def all_rules() -> tuple[str, ...]:
    """Return the ids of all rules, in alphabetical order.

    Examples
    --------
    >>> "signals.semantics.lead_law" in all_rules()
    True
    """
    found = {f"signals.{rule}" for rule in HEADERS}
    found |= {f"signals.{r}" if "." in r else f"signals.structure.{r}" for r in READING}
    found |= {f"signals.identifier.{kind}" for kind in IDENTIFIER_KINDS}
    found |= {f"signals.identifier.{attribute.kind}" for attribute in ATTRIBUTES}
    found |= {f"signals.lineage.{rule}" for rule in LINEAGE}
    found |= {f"signals.{rule}" for rule in _IN_CONTEXT}
    return tuple(sorted(found | named_in_code()))


def named_in_code() -> set[str]:
    """Return the ids that the modality's own source names outside of its books."""
    root = Path(__file__).parents[1]
    return {
        rule
        for file in sorted(root.rglob("*.py"))
        if "planting" not in file.parts
        for rule in _NAMED.findall(file.read_text(encoding="utf-8"))
    }
