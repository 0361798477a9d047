"""Semantic rules over health records: rules as data, evaluated on whole tables."""

from __future__ import annotations

from sdq_ehr.semantics.evaluating import SemanticsOutcome, evaluate_rules
from sdq_ehr.semantics.loading import built_in_rules, load_rules
from sdq_ehr.semantics.rule import Reason, Rule

__all__ = ["Reason", "Rule", "SemanticsOutcome", "built_in_rules", "evaluate_rules", "load_rules"]
