"""Write docs/measures.md: every measure of every modality, from the code and its profiles.

    python tools/measures_table.py [--check]

``--check`` writes nothing; the exit code is 1 where the page is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import yaml

from sdq_core.modality import load_modality
from sdq_core.profiles import Criterion, load_profile
from sdq_core.study import Study
from sdq_core.vocabulary import TERMS, Characteristic

PAGE = Path(__file__).parents[1] / "docs/measures.md"
MODALITIES = ("imaging", "signals", "ehr")
REVIEW = """
## The manual review

Measures of every modality that a [blinded review](review.md) adds to a result when it is analysed.
They are judged by the profile if it names them, else by what the review's plan stated before the
first reading.

| id | what it says | criterion of the plan |
| --- | --- | --- |
"""
PLANNED = {
    "fidelity.review_auc": "between 1 - `margin` and `margin`",
    "completeness.review_rating": "at least 1 - `margin`",
    "completeness.review_accuracy": "at least `least_accuracy`, or as real cases",
}
"""Measure of the review -> what `sdq_core.review.adding.criterion_of` takes from the plan."""
HEAD = """# Measures

Written by `tools/measures_table.py` from the code: what each modality measures, what it says, and
the criterion of its default profile. Every result also carries the interval, the noise floor, the
sample sizes and the source of the method.
"""


def table(name: str) -> Iterator[str]:
    """Yield the lines of one modality."""
    modality = load_modality(name, check_requirements=False)
    study = Study.model_validate(
        {"modality": name, "cohorts": {"train": {"path": "."}, "synthetic": {"path": "."}}}
    )
    texts = modality.measures()
    profile = load_profile("default", modality.profile_folder(), name, modality.default_profile)
    criteria: dict[str, list[Criterion]] = {}
    for criterion in profile.criteria:
        criteria.setdefault(criterion.id, []).append(criterion)
    yield f"\n## {name}\n"
    for evaluation in modality.characteristics(study):
        english, chinese = TERMS[str(Characteristic(evaluation.characteristic))]
        yield f"### {english} {chinese}\n"
        yield "| id | what it says | default criterion | its source |"
        yield "| --- | --- | --- | --- |"
        for id_ in evaluation.ids:
            own = criteria.get(id_, [])
            rule = "; ".join(_named(c) for c in own) or "informative"
            source = "; ".join(dict.fromkeys(c.source for c in own))
            says = f"**{texts[id_].title}** {texts[id_].title_zh}. {texts[id_].says}"
            cells = (f"`{id_}`", says, rule, source)
            yield "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"
        yield ""


def review() -> Iterator[str]:
    """Yield the lines of the manual review."""
    texts = yaml.safe_load((files("sdq_core.review") / "measures.yaml").read_text("utf-8"))
    yield REVIEW.rstrip()
    for id_, (title, title_zh, says, *_) in texts.items():
        rule = PLANNED.get(id_, "informative")
        yield f"| `<modality>.{id_}` | **{title}** {title_zh}. {says} | {rule} |"


def _named(criterion: Criterion) -> str:
    """Return a rule with the variant that it is for."""
    rule = _rule(criterion)
    return rule if criterion.variant is None else f"`{criterion.variant}`: {rule}"


def _rule(criterion: Criterion) -> str:
    parts = []
    if criterion.at_least is not None:
        parts.append(f"at least {criterion.at_least:g}")
    if criterion.at_most is not None:
        parts.append(f"at most {criterion.at_most:g}")
    if criterion.within_noise_floor is not None:
        slack = f" + {criterion.slack:g}" if criterion.slack else ""
        parts.append(f"within {criterion.within_noise_floor:g} noise floors{slack}")
    if criterion.relative_to_real:
        parts.append("the more lenient of the two")
    if criterion.declared_target is not None:
        parts.append("or the study's declared target")
    return ", ".join(parts)


def page() -> str:
    """Return the whole page."""
    lines = [*(line for name in MODALITIES for line in table(name)), *review()]
    return HEAD + "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write or check the page."""
    text = page()
    if "--check" in sys.argv[1:]:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
