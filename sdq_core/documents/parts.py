"""The parts that the documents share: cohorts, readings, figures, references, as blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sdq_core.documents.model import (
    Badge,
    Block,
    Bullets,
    Column,
    Document,
    Inline,
    Labels,
    Span,
    Table,
    linked,
    numbered,
    words,
)
from sdq_core.documents.naming import word
from sdq_core.documents.numbers import count
from sdq_core.documents.provenance import audit, limits, made, references
from sdq_core.documents.texts import text
from sdq_core.result import Result
from sdq_core.translation import translator
from sdq_core.vocabulary import Language, Role, Verdict

__all__ = [
    "Evidence",
    "Source",
    "badge",
    "cohort_blocks",
    "document",
    "either",
    "facts_table",
    "limit_blocks",
    "reference_blocks",
    "run_blocks",
]

MOST_CLASSES: Final = 16


@dataclass(frozen=True, slots=True)
class Evidence:
    """One file that a document points to.

    Parameters
    ----------
    mark : str
        Short name in the documents: ``E1``.
    file : str
        Name beside the result.
    sha256 : str
    size : int
        Bytes.
    """

    mark: str
    file: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Source:
    """What the documents are made from: one result, in one language.

    Parameters
    ----------
    result : Result
    language : {"en", "zh"}
    evidence : tuple of Evidence
        The first one is ``result.json``.
    """

    result: Result
    language: str
    evidence: tuple[Evidence, ...]


def document(source: Source, key: str, blocks: Iterable[Block]) -> Document:
    """Put a title, the facts of the head and the numbers to the blocks of a document.

    Parameters
    ----------
    source : Source
    key : str
        The document's term in the vocabulary.
    blocks : iterable of Block
    """
    result, language = source.result, source.language
    # A Chinese title would make an English PDF depend on a Chinese font.
    other = word(key, Language.EN) if Language(language) is Language.ZH else ""
    _ = translator(language).gettext
    return Document(
        id=key.replace("_", "-"),
        language=language,
        title=word(key, language),
        other_title=other,
        subject=str(result.study.get("name", "")),
        facts=tuple((label, words(said)) for label, said in _head(source) if said),
        blocks=linked(numbered(tuple(blocks))),
        made=str(result.environment.get("timestamp", "")),
        digest=source.evidence[0].sha256 if source.evidence else "",
        labels=Labels(
            contents=_("Contents"),
            table=_("Table"),
            figure=_("Figure"),
            result=_("The result from which this document was made"),
        ),
    )


def _head(source: Source) -> Iterator[tuple[str, str]]:
    result, language = source.result, source.language
    _ = translator(language).gettext
    dataset = (result.study.get("generator") or {}).get("dataset") or {}
    if isinstance(dataset, Mapping):
        for key, label in (
            ("name", _("Data set")),
            ("identifier", _("Unique identifier")),
            ("version", _("Version")),
            ("provider", _("Provider")),
        ):
            yield label, either(dataset.get(key), language)
    if "name" in result.modality:
        yield text("modality", language), str(result.modality["name"])
    if result.profile:
        named = {k: result.profile.get(k, "") for k in ("name", "version")}
        yield word("profile", language), text("versioned", language, **named)
    yield text("made", language), made(result, language)
    yield (
        _("Structure"),
        _(
            "Structured after the Part 6 proposal “synthetic data”; no statement of conformity to "
            "a standard."
        ),
    )


def either(value: Any, language: str) -> str:
    """Return a text that may be given in both languages; the other one where one is missing."""
    if isinstance(value, Mapping):
        order = ("zh", "en") if Language(language) is Language.ZH else ("en", "zh")
        value = next((value[key] for key in order if value.get(key)), "")
    return "" if value is None else str(value)


def badge(verdict: Verdict | str, language: str) -> Inline:
    """Return a verdict as shape and word."""
    kind = Verdict(verdict)
    return (Badge(kind.value, word(kind, language)),)


def facts_table(rows: Iterable[tuple[str, Inline]], caption: str = "") -> Table:
    """Return labelled facts, one a row."""
    return Table(
        (Column("", 1.0), Column("", 3.0)),
        tuple((words(label), said) for label, said in rows if said),
        caption,
        "facts",
    )


def cohort_blocks(source: Source) -> list[Block]:
    """Return what was compared: cohorts with their sizes, classes and digests."""
    result, language = source.result, source.language
    _ = translator(language).gettext
    rows, digests = [], []
    for role in (role for role in Role if role in result.cohorts):
        cohort = result.cohorts[role]
        subjects = cohort.subjects
        classes = () if cohort.classes is None else sorted(cohort.classes.items())
        named = [
            text("class_count", language, name=name, count=count(size))
            for name, size in classes[:MOST_CLASSES]
        ]
        if len(classes) > MOST_CLASSES:
            named.append(text("more", language, count=count(len(classes) - MOST_CLASSES)))
        rows.append(
            (
                words(word(role, language), "strong"),
                words(count(cohort.items)),
                words(count(cohort.readable)),
                words(text("not_given", language) if subjects is None else count(subjects)),
                words(text("list", language).join(named) or text("not_given", language)),
            )
        )
        digests.append((word(role, language), words(cohort.digest, "mono")))
    columns = (
        Column(word("cohort", language), 1.5),
        Column(text("items", language), 0.8, numeric=True),
        Column(text("readable", language), 0.8, numeric=True),
        Column(text("subjects", language), 0.8, numeric=True),
        Column(text("classes", language), 3.2),
    )
    return [
        Table(columns, tuple(rows), _("Cohorts that were compared")),
        facts_table(digests, text("digest", language)),
    ]


def limit_blocks(source: Source, *further: str) -> list[Block]:
    """Return the limits of the assessment.

    Parameters
    ----------
    source : Source
    *further : str
        Limits of this document.
    """
    said = [*limits(source.result, source.language), *further]
    return [Bullets(tuple(words(limit) for limit in said))]


def run_blocks(source: Source) -> list[Block]:
    """Return software, versions and seed, so that the evaluation can be repeated."""
    result, language = source.result, source.language
    rows = [(label, words(said)) for label, said in audit(result, language)]
    if "seed" in result.study:
        rows.insert(0, (text("seed", language), words(str(result.study["seed"]))))
    return [facts_table(rows)]


def reference_blocks(source: Source) -> list[Block]:
    """Return every source that a method or a criterion names."""
    found = references(source.result, source.language)
    return [
        Bullets(
            tuple((Span(reference), Span(f" {used}", "soft")) for reference, used in found),
            ordered=True,
        )
    ]
