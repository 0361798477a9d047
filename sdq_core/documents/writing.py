"""The three documents of a result, in every language and format that is wanted, as files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sdq_core.documents.model import Document
from sdq_core.documents.parts import Evidence, Source
from sdq_core.documents.quality_assessment_report import quality_assessment_report
from sdq_core.documents.synthesis_description import synthesis_description
from sdq_core.documents.validation_report import validation_report
from sdq_core.errors import StoreError
from sdq_core.files import atomic_write
from sdq_core.result import Result

if TYPE_CHECKING:
    from sdq_core.documents.typesetting import Typesetter

__all__ = ["DOCUMENTS", "FORMATS", "evidence_beside", "make_documents", "write_documents"]

DOCUMENTS: Final[tuple[Callable[[Source], Document], ...]] = (
    synthesis_description,
    validation_report,
    quality_assessment_report,
)
FORMATS: Final = ("html", "docx", "pdf")
EVIDENCE: Final = (
    "result.json", "findings.csv", "findings.parquet", "items.csv", "files.csv", "report.html",
)  # fmt: skip
"""What `sdq evaluate` writes beside the documents, in the order in which it is listed."""


def evidence_beside(result: Path) -> tuple[Evidence, ...]:
    """Return the files beside a result, with their hashes.

    Parameters
    ----------
    result : Path
        The ``result.json``, which is listed first.

    Raises
    ------
    StoreError
        One of them cannot be read.
    """
    found: list[Evidence] = []
    paths = [result, *(result.with_name(name) for name in EVIDENCE[1:])]
    for path in paths:
        if path != result and not path.is_file():
            continue
        try:
            content = path.read_bytes()
        except OSError as error:
            raise StoreError(
                f"{path}: cannot be read ({error.strerror or error}); check that it is a file "
                f"that you may read"
            ) from error
        name = EVIDENCE[0] if path == result else path.name
        digest = hashlib.sha256(content).hexdigest()
        found.append(Evidence(f"E{len(found) + 1}", name, digest, len(content)))
    return tuple(found)


def make_documents(
    result: Result,
    content: bytes,
    *,
    languages: Sequence[str] = ("zh", "en"),
    formats: Sequence[str] = FORMATS,
    evidence: tuple[Evidence, ...] = (),
    typesetter: Callable[[str], Typesetter] | None = None,
) -> dict[str, bytes]:
    """Make the documents of a result.

    Parameters
    ----------
    result : Result
    content : bytes
        Of ``result.json``, which is attached to each PDF.
    languages : sequence of {"en", "zh"}
    formats : sequence of {"html", "docx", "pdf"}
    evidence : tuple of Evidence
        Files that the documents point to.
    typesetter : callable, optional
        Gives the fonts of a language; by default those of this machine.

    Returns
    -------
    dict of str to bytes
        By file name, e.g. ``validation-report.zh.pdf``.

    Raises
    ------
    FontError
        A font for Chinese, or for a letter in a name from the data, is missing.
    UsageError
        A package that a format needs is missing.
    """
    fonts: Callable[[str], Typesetter]
    if typesetter is None:
        from sdq_core.documents.typesetting import Typesetter

        fonts = Typesetter.for_language
    else:
        fonts = typesetter
    # What needs fonts comes first: their lack is said before time is spent.
    setters = {
        language: fonts(language) for language in languages if {"docx", "pdf"} & set(formats)
    }
    made: dict[str, bytes] = {}
    for language in languages:
        source = Source(result, language, evidence)
        for build in DOCUMENTS:
            document = build(source)
            for kind in formats:
                name = f"{document.id}.{language}.{kind}"
                made[name] = _write(document, kind, content, setters.get(language))
    return made


def _write(document: Document, kind: str, content: bytes, setter: Typesetter | None) -> bytes:
    if kind == "html":
        from sdq_core.documents.page import write_html

        return write_html(document)
    assert setter is not None, "made for these formats"
    if kind == "docx":
        from sdq_core.documents.word_file import write_docx

        return write_docx(document, setter)
    from sdq_core.documents.pdf import write_pdf

    return write_pdf(document, setter, content)


def write_documents(made: dict[str, bytes], folder: Path) -> list[Path]:
    """Put documents in place, after all of them were made.

    Raises
    ------
    StoreError
        One of them cannot be written.
    """
    paths = []
    for name, content in made.items():
        path = folder / name
        atomic_write(path, content)
        paths.append(path)
    return paths
