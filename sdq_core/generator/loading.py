"""The generator's description from its file, and from a result; what the data say against it."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from sdq_core.errors import StoreError, StudyError
from sdq_core.generator.facts import definitions
from sdq_core.generator.model import Fact, Generator, fact_of
from sdq_core.vocabulary import Role
from sdq_core.yaml_file import YamlFile, problems, read_yaml

if TYPE_CHECKING:
    from sdq_core.result import Result

__all__ = [
    "about_key",
    "contradictions",
    "facts_of",
    "generator_of",
    "load_generator",
    "refuse_impossible",
]

SCHEMA: Final = "sdq.generator/1"
EXAMPLE: Final = "sdq init generator"


def load_generator(path: Path, *, today: dt.date | None = None) -> Generator:
    """Read and validate a generator's description.

    Parameters
    ----------
    path : Path
        A ``generator.yaml``.
    today : datetime.date, optional
        No date in the file may come after it; by default the latest date anywhere on Earth now.

    Returns
    -------
    Generator

    Raises
    ------
    StudyError
        The file cannot be read or breaks the schema; each message names the key, the line, and the
        requirement with the document that asks for it.
    """
    file = read_yaml(path, "generator's description", EXAMPLE)
    try:
        generator = Generator.model_validate(file.data)
    except ValidationError as error:
        raise StudyError(problems(error, file, "generator", _say, about_key)) from error
    refuse_impossible(generator, file, today=today)
    return generator


def refuse_impossible(
    generator: Generator,
    file: YamlFile,
    prefix: tuple[str, ...] = (),
    *,
    today: dt.date | None = None,
) -> None:
    """Refuse what only the moment or another table tells to be wrong.

    Apart from the model's own rules, so that a result that was written stays readable: whether a
    date lies in the future is asked when a file is loaded, never again.

    Parameters
    ----------
    generator : Generator
    file : YamlFile
        Where it was read.
    prefix : tuple of str
        Key of the description inside the file.
    today : datetime.date, optional

    Raises
    ------
    StudyError
        Dates in the future; answers to questions that the checklist does not have.
    """
    latest = today or dt.datetime.now(dt.timezone(dt.timedelta(hours=14))).date()
    wrong = [
        (key, f"{date} lies in the future; correct the date")
        for key, date in _dates(generator)
        if date > latest.isoformat()
    ]
    from sdq_core.requirements import questions

    known = questions()
    for id_ in generator.compliance:
        if id_ not in known:
            close = difflib.get_close_matches(id_.upper(), known, 1)
            hint = f"; is {close[0]} meant?" if close else f" (allowed keys: {EXAMPLE})"
            wrong.append((f"compliance.{id_}", f"is no question of the privacy checklist{hint}"))
    if wrong:
        raise StudyError("\n".join(_located(file, prefix, key, said) for key, said in wrong))


def generator_of(result: Result) -> Generator | None:
    """Return the generator's description that stands in a result.

    Raises
    ------
    StoreError
        It is of another schema.
    """
    stated = result.study.get("generator")
    if stated is None:
        return None
    try:
        return Generator.model_validate(stated)
    except ValidationError as error:
        places = sorted({".".join(str(p) for p in e["loc"]) for e in error.errors()})
        raise StoreError(
            f"result: the generator's description does not have the schema {SCHEMA} (at "
            f"{', '.join(places[:5])}); evaluate again, or use the version of sdq that wrote it"
        ) from error


def contradictions(
    generator: Generator | None, digests: Mapping[Role, str]
) -> dict[str, tuple[str, str]]:
    """Return the facts that the data contradict: key -> why, in English and Chinese.

    Parameters
    ----------
    generator : Generator or None
    digests : mapping of Role to str
        Digest of each cohort, as in ``result.json``.

    Examples
    --------
    >>> made = Generator.model_validate({"training_data": {"digest": "ab" * 32}})
    >>> list(contradictions(made, {Role.TRAIN: "cd" * 32}))
    ['training_data.digest']
    """
    if generator is None:
        return {}
    stated, found = generator.training_data.digest, digests.get(Role.TRAIN, "")
    if not stated or not found or stated == found:
        return {}
    return {
        "training_data.digest": (
            f"the training cohort that was evaluated has the digest {found}",
            f"实际评价的训练集摘要为 {found}",
        )
    }


def facts_of(result: Result) -> tuple[Fact, ...]:
    """Return every fact that is asked for, with what contradicts it in the data of the result.

    Raises
    ------
    StoreError
        The result holds a generator's description of another schema.
    """
    generator = generator_of(result)
    against = contradictions(generator, {r: c.digest for r, c in result.cohorts.items()})
    return tuple(fact_of(d.key, generator, against.get(d.key, ("", ""))) for d in definitions())


def about_key(key: str) -> str:
    """Return, in brackets, the requirement behind a key and the document that asks for it.

    Examples
    --------
    >>> about_key("algorithm.weights_sha256")
    ' (R-DES-03; Part 6 proposal, synthesis description: algorithm principle, key parameters)'
    >>> about_key("algorithn")
    ''
    """
    from sdq_core.requirements import citations

    known = [d for d in definitions() if key == d.key or key.startswith(f"{d.key}.")]
    if not known:
        return ""
    requirement = known[0].requirement
    return f" ({requirement}; {citations(requirement)[0].short()})"


def _dates(generator: Generator) -> Iterator[tuple[str, str]]:
    yield "dataset.date", generator.dataset.date
    yield "responsible.date", generator.responsible.date
    for number, change in enumerate(generator.changes):
        yield f"changes.{number}.date", change.date


def _located(file: YamlFile, prefix: tuple[str, ...], key: str, said: str) -> str:
    where = (*prefix, *key.split("."))
    known = [where[:k] for k in range(len(where), 0, -1) if where[:k] in file.lines]
    place = f", line {file.lines[known[0]]}" if known else ""
    return f"{file.name}{place}: {'.'.join(where)}{about_key(key)}: {said}"


def _say(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        return f"unknown key; remove it or correct its spelling (allowed keys: {EXAMPLE})"
    if problem["type"] == "missing":
        return "is missing here"
    return str(problem["msg"]).removeprefix("Value error, ")
