"""Write docs/result_schema.md: the keys of result.json, from the pydantic models.

    python tools/result_schema_page.py [--check]

``--check`` writes nothing; the exit code is 1 where the page is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sdq_core.result import json_schema

PAGE = Path(__file__).parents[1] / "docs/result_schema.md"
HEAD = """# The result schema `sdq.result/1`

Written by `tools/result_schema_page.py` from the models in `sdq_core/result.py`; `sdq schema`
prints the JSON Schema (draft 2020-12) itself.

`result.json` holds everything that an evaluation found. Report, documents and bundle are rendered
from it, and nothing is computed there. It is written deterministically: the same inputs and seed
give the same bytes, but for `environment`.

    >>> from sdq_core.result import json_schema
    >>> schema = json_schema()
    >>> schema["$id"], schema["additionalProperties"]
    ('sdq.result/1', False)

Some rules that a schema cannot say:

- A measurement has a `value` or a `reason`, never both and never neither. NaN and infinity do not
  occur.
- `measurements[].id` is `<modality>.<characteristic>.<measure>`; with `variant` it is unique.
- `code` says why a verdict is what it is ([list](criteria.md#how-a-criterion-decides)); `verdict`
  is null where no criterion asks.
- `details` holds what figures and tables are drawn from. Its keys belong to the measure and may
  grow.
- Names of real items occur only where an item may have been copied. Content of real items never
  does.

Read it with `sdq_core.result.load_result`, which refuses other schemas and broken files, or with
any JSON reader.
"""

ABOUT = {
    "study": "the study as it was understood, defaults included; of paths only names",
    "profile": "name and version; each criterion stands beside its measurement",
    "modality": "name, describer and its version",
    "cohorts": "facts about each cohort, by role",
    "measurements": "every number, judged",
    "verdicts": "of each characteristic: the worst of its mandatory measures",
    "findings": "how often each rule was broken",
    "measures": "names and explanations of the measures, by id",
    "gallery": "pictures of conspicuous items, files beside the result",
    "limits": "what the assessment could not see, gravest first",
    "exit_code": "0 passes, 1 a criterion is not met, 3 inconclusive or not assessed",
    "environment": "time, machine, versions; the only key that differs between equal runs",
}
"""Keys of the top level in words, where the model has none."""


def page() -> str:
    """Return the whole page."""
    schema = json_schema()
    lines = [HEAD, *_model("The top level", schema, ABOUT)]
    for name, model in sorted(schema["$defs"].items()):
        lines += _model(f"`{name}`", model)
    return "\n".join(lines).rstrip() + "\n"


def _model(
    title: str, model: dict[str, Any], about: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Yield one section: a table of keys, or the list of an enumeration's words."""
    yield f"## {title}\n"
    if said := model.get("description"):
        yield f"{_summary(said)}\n"
    if "enum" in model:
        yield "One of " + ", ".join(f"`{word}`" for word in model["enum"]) + ".\n"
        return
    yield "| key | type | needed | what it is |"
    yield "| --- | --- | --- | --- |"
    needed = model.get("required", ())
    for key, value in model.get("properties", {}).items():
        words = value.get("description", (about or {}).get(key, ""))
        if "const" in value:
            words = f"`{value['const']}`"
        cells = (f"`{key}`", _type(value), "yes" if key in needed else "", words)
        yield "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"
    yield ""


def _summary(description: str) -> str:
    """Return the first paragraph, on one line."""
    return " ".join(description.split("\n\n")[0].split()).replace("``", "`")


def _type(value: dict[str, Any]) -> str:
    """Return a type in words, with links to the models."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "allOf"):
        if several in value:
            return " or ".join(_type(v) for v in value[several])
    if "enum" in value:
        return " or ".join(f"`{word}`" for word in value["enum"])
    kind = value.get("type", "any")
    if kind == "array":
        return f"list of {_type(value.get('items', {}))}"
    if kind == "object" and isinstance(value.get("additionalProperties"), dict):
        return f"mapping to {_type(value['additionalProperties'])}"
    return str({"object": "mapping", "string": "text"}.get(kind, kind))


def main() -> int:
    """Write or check the page."""
    text = page()
    if "--check" in sys.argv[1:]:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
