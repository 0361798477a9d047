"""The list of rules as Markdown, for the documentation; a test compares it with the page."""

from __future__ import annotations

from collections.abc import Iterator

from sdq_ehr.semantics.kinds import KINDS
from sdq_ehr.semantics.loading import built_in_rules
from sdq_ehr.semantics.rule import Rule

__all__ = ["BEGIN", "END", "rules_markdown"]

BEGIN, END = "<!-- rules: begin -->", "<!-- rules: end -->"


def rules_markdown() -> str:
    """Return tables of kinds and of rules, from the code and the YAML files.

    Examples
    --------
    >>> rules_markdown().count("| `ehr.semantics.unit_mixed_up` |")
    1
    """
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "### Kinds\n"
    yield "| kind | what it finds | 含义 | parameters | rules |"
    yield "| --- | --- | --- | --- | --- |"
    rules = built_in_rules()
    for kind in KINDS.values():
        names = ", ".join(f"`{n}`" for n in kind.parameters.model_fields) or "none"
        count = sum(rule.kind == kind.name for rule in rules)
        yield f"| `{kind.name}` | {kind.does} | {kind.does_zh} | {names} | {count} |"
    for file in dict.fromkeys(rule.file for rule in rules):
        yield f"\n### {file}\n"
        yield "| rule | kind | severity | message | 说明 | source |"
        yield "| --- | --- | --- | --- | --- | --- |"
        for rule in rules:
            if rule.file == file:
                cells = (
                    f"`{rule.id}`", f"`{rule.kind}`", rule.severity.value,
                    rule.message, rule.message_zh, _source(rule),
                )  # fmt: skip
                yield "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"


def _source(rule: Rule) -> str:
    return rule.source if rule.verified else f"{rule.source} (not verified)"
