"""``sdq document``: the three documents of a result."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from sdq_core.errors import UsageError

__all__ = ["document"]


class Languages(StrEnum):
    """Languages of the documents."""

    zh = "zh"
    en = "en"
    both = "both"


def document(
    result: Annotated[Path, typer.Argument(help="A result.json, or the folder that holds it.")],
    language: Annotated[Languages, typer.Option(help="Of the documents.")] = Languages.both,
    formats: Annotated[
        str, typer.Option("--format", help="html, docx, pdf, separated by commas.")
    ] = "html,docx,pdf",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder (default: beside the result).")
    ] = None,
    font_path: Annotated[
        Path | None,
        typer.Option(help="Folder with font files, beside the fonts of the system."),
    ] = None,
) -> None:
    """Write synthesis description, validation report and quality assessment report.

    Nothing is computed: all of it comes from the result. PDF is PDF/A-3 with result.json attached.
    Files: synthesis-description.zh.pdf, validation-report.en.docx and so on. None is written
    before all of them could be made.
    """
    from sdq_core.documents.typesetting import Typesetter
    from sdq_core.documents.writing import (
        evidence_beside,
        make_documents,
        write_documents,
    )
    from sdq_core.result import load_result

    wanted = _formats(formats)
    path = result / "result.json" if result.is_dir() else result
    loaded = load_result(path)
    both = language is Languages.both
    made = make_documents(
        loaded,
        path.read_bytes(),
        languages=("zh", "en") if both else (language.value,),
        formats=wanted,
        evidence=evidence_beside(path),
        typesetter=partial(Typesetter.for_language, font_path=font_path),
    )
    for written in write_documents(made, output or path.parent):
        typer.echo(f"document: {written}")


def _formats(given: str) -> tuple[str, ...]:
    from sdq_core.documents.writing import FORMATS

    wanted = tuple(dict.fromkeys(part.strip().lower() for part in given.split(",") if part.strip()))
    unknown = [kind for kind in wanted if kind not in FORMATS]
    if unknown or not wanted:
        raise UsageError(
            f"--format: {', '.join(unknown) or 'nothing'} is no format of documents; use one or "
            f"more of {', '.join(FORMATS)}, separated by commas"
        )
    return wanted
