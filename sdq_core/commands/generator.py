"""``sdq init generator`` and ``sdq check``: the generator's description on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sdq_core.vocabulary import Language, term

if TYPE_CHECKING:
    from sdq_core.generator import Generator

__all__ = ["CHECK_HELP", "check", "missing"]

CHECK_HELP: Final = """Check a generator's description: what is missing, by requirement.

Each requirement stands with the documents that ask for it; those in brackets were not read and are
informative. Exit codes: 0 complete; 1 something is missing; 2 the description is invalid.

`sdq init generator -o generator.yaml`, fill in, then `sdq check generator.yaml`
"""

WORDS: Final = {
    "complete": ("complete: all {total} facts are stated", "完整：{total} 项均已说明"),
    "missing": (
        "{count} of {total} facts are not provided:",
        "{total} 项中有 {count} 项未提供：",
    ),
    "open": (
        "the privacy checklist has {count} of {total} questions without an answer of the provider; "
        "measures may answer some of them",
        "隐私合规性核查表 {total} 个问题中有 {count} 个无提供方回答；其中部分可由测量回答",
    ),
}
"""What the command says, in English and Chinese."""


def check(
    file: Annotated[Path, typer.Argument(help="The generator's description.")],
    language: Annotated[Language, typer.Option(help="Language of the list.")] = Language.EN,
) -> None:
    """List what a generator's description does not state."""
    from sdq_core.generator import definitions, load_generator
    from sdq_core.requirements import questions

    generator = load_generator(file)
    own = 1 if language is Language.ZH else 0
    lines = missing(generator, language)
    total = len(definitions())
    if lines:
        absent = sum(fact.value is None for fact in generator.facts())
        typer.echo(f"{file}: " + WORDS["missing"][own].format(count=absent, total=total))
        for line in lines:
            typer.echo(line)
    else:
        typer.echo(f"{file}: " + WORDS["complete"][own].format(total=total))
    answered = sum(entry.answer is not None for entry in generator.compliance.values())
    if answered < len(questions()):
        left = len(questions()) - answered
        typer.echo(WORDS["open"][own].format(count=left, total=len(questions())))
    raise typer.Exit(1 if lines else 0)


def missing(generator: Generator, language: Language = Language.EN) -> list[str]:
    """Return what is not stated, by requirement.

    Parameters
    ----------
    generator : Generator
    language : Language

    Returns
    -------
    list of str
        For each requirement that lacks something its id, what it asks for and who asks for it, then
        a line for each fact: its key, its name and what is wanted.

    Examples
    --------
    >>> from sdq_core.generator import Generator
    >>> lines = missing(Generator())
    >>> lines[0].split()[0], lines[2].split()[0]
    ('R-MET-03', 'marking')
    """
    from sdq_core.generator import definition
    from sdq_core.requirements import citations, requirements

    own = 1 if language is Language.ZH else 0
    absent = [definition(fact.key) for fact in generator.facts() if fact.value is None]
    lines: list[str] = []
    for requirement in requirements():
        asked = [d for d in absent if d.requirement == requirement.id]
        if not asked:
            continue
        named = [c.short(language) for c in citations(requirement.id) if c.verified]
        others = [c.short(language) for c in citations(requirement.id) if not c.verified]
        places = "; ".join([*named, *(f"[{place}]" for place in others)])
        documents = ", ".join(term(d, language) for d in requirement.documents)
        said = requirement.zh if own else requirement.en
        lines += ["", f"{requirement.id}  {said}", f"    {places} -> {documents}"]
        lines += [f"  {d.key}  {d.label[own]}: {d.wanted[own]}" for d in asked]
    return lines[1:]
