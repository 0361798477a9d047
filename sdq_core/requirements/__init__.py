"""Requirements with stable ids, the documents that ask for them, and what answers them."""

from sdq_core.requirements.compliance import ChecklistRow, checklist, questions
from sdq_core.requirements.table import Citation, Requirement, citations, requirements
from sdq_core.requirements.tracing import STATUS_RULE, Status, TraceRow, matches, trace

__all__ = [
    "STATUS_RULE",
    "ChecklistRow",
    "Citation",
    "Requirement",
    "Status",
    "TraceRow",
    "checklist",
    "citations",
    "matches",
    "questions",
    "requirements",
    "trace",
]
