"""``sdq describe``: all contents of a study, or one machine's share of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from sdq_core.commands.progress import Progress
    from sdq_core.sharding import Part
    from sdq_core.study import Study

__all__ = ["describe_all", "describe_share"]


def describe_all(
    study: Study, store: Path, engine: str, workers: int | None, progress: Progress
) -> list[str]:
    """Describe a study and return what to print.

    Raises
    ------
    SdqError
        As in `sdq_core.evaluate.read_and_describe`.
    """
    from sdq_core.evaluate import read_and_describe

    found = read_and_describe(study, store, engine=engine, workers=workers, progress=progress)
    _say(found.report.discarded, found.report.notes)
    lines = []
    for cohort in found.cohorts.all:
        readable = int(cohort.table.readable.sum())
        lines.append(f"{cohort.role}: {len(cohort)} items, {readable} readable")
    return [
        *lines,
        f"described {found.report.described}, reused {found.report.reused}; store: {store}",
    ]


def describe_share(
    study: Study, part: Part, store: Path, engine: str, workers: int | None, progress: Progress
) -> list[str]:
    """Describe one share of a study and return what to print.

    Raises
    ------
    SdqError
        As in `sdq_core.describe_part.describe_part`.
    """
    from sdq_core.describe_part import describe_part

    found = describe_part(study, part, store, engine=engine, workers=workers, progress=progress)
    _say(found.discarded, found.notes)
    lines = [f"shard {part}: {found.contents} of {found.total} contents"]
    if found.without:
        lines.append(
            f"{found.without} items cannot be read to hash them and are in no shard; "
            "`sdq evaluate` says why"
        )
    failed = f", failed {found.failed}" if found.failed else ""
    return [*lines, f"described {found.described}{failed}, reused {found.reused}; store: {store}"]


def _say(discarded: tuple[str, ...], notes: tuple[str, ...]) -> None:
    for message in discarded:
        typer.echo(f"discarded: {message}", err=True)
    for message in notes:
        typer.echo(f"note: {message}", err=True)
