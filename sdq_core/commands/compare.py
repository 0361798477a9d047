"""``sdq compare``: results beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sdq_core.errors import UsageError
from sdq_core.vocabulary import Language

if TYPE_CHECKING:
    from sdq_core.comparing.changes import Comparison, FailOn
    from sdq_core.comparing.comparable import Entry

__all__ = ["COMPARE_HELP", "compare"]

COMPARE_HELP: Final = """Compare results: what changed beyond its interval; generators side by side.

Two results: the first is the earlier one. Exit codes: 0 nothing got worse; 1 a measure got worse
beyond its interval, or a verdict worsened (`--fail-on`); 2 the results cannot be used or compared.

More than two: side by side, each measure ranked as far as its intervals allow; exit code 0.

`sdq compare main/result.json branch/result.json --markdown`; `sdq compare a b c -o compare.html`
"""
_FAIL_ON: Final = ("interval", "verdict", "never")


def compare(
    results: Annotated[
        list[Path], typer.Argument(help="Files result.json, or the folders that hold them.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Page (HTML) to write: generators side by side."),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON (sdq.comparison/1).")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, for a pull request (two results).")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Print measures without a difference too.")
    ] = False,
    fail_on: Annotated[
        str,
        typer.Option(
            help="interval: a measure got worse beyond its interval, or a verdict worsened; "
            "verdict: a verdict worsened; never.",
            metavar="interval|verdict|never",
        ),
    ] = "interval",
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway", help="Compare also results that differ in more than the synthetic data."
        ),
    ] = False,
    language: Annotated[Language, typer.Option(help="Of tables and page.")] = Language.EN,
) -> None:
    """Compare two results, or set several side by side."""
    from sdq_core.comparing.changes import FailOn, compare_two
    from sdq_core.comparing.comparable import entries

    if fail_on not in _FAIL_ON:
        raise UsageError(f"--fail-on {fail_on}: is none of {', '.join(_FAIL_ON)}")
    if json_ and markdown:
        raise UsageError("--json and --markdown: give one of them")
    given = entries(results)
    if len(given) > 2:
        if markdown:
            raise UsageError("--markdown: compares two results; several need -o PAGE or --json")
        _several(given, output, as_json=json_, anyway=anyway, language=language)
        return
    found = compare_two(*given, anyway=anyway)
    if output is not None:
        _write_page(given, output, anyway=anyway, language=language, quiet=json_ or markdown)
    _print(found, FailOn(fail_on), language, json_=json_, markdown=markdown, everything=everything)
    raise typer.Exit(found.exit_code(FailOn(fail_on)))


def _print(
    found: Comparison,
    fail_on: FailOn,
    language: Language,
    *,
    json_: bool,
    markdown: bool,
    everything: bool,
) -> None:
    if json_:
        from sdq_core.comparing.machine import as_json

        typer.echo(as_json(found, fail_on), nl=False)
        return
    if markdown:
        from sdq_core.comparing.markdown import markdown as in_markdown

        typer.echo(in_markdown(found, language, everything=everything), nl=False)
        return
    from rich.console import Console

    from sdq_core.comparing.table import change_table, verdict_change_table
    from sdq_core.comparing.words import mismatch_words, summary_words

    console = Console()
    for mismatch in found.mismatches:
        typer.echo(mismatch_words(mismatch, found.before.name, language), err=True)
    console.print(verdict_change_table(found, language))
    if everything or any(c.notable for c in found.changes):
        console.print(change_table(found, language, everything=everything))
    typer.echo(summary_words(found, language))


def _several(
    given: tuple[Entry, ...],
    output: Path | None,
    *,
    as_json: bool,
    anyway: bool,
    language: Language,
) -> None:
    from sdq_core.comparing.ranking import side_by_side

    if output is None and not as_json:
        raise UsageError(
            f"{len(given)} results are set side by side on a page: give -o compare.html, or --json"
        )
    if output is not None:
        _write_page(given, output, anyway=anyway, language=language, quiet=as_json)
    if as_json:
        from sdq_core.comparing.machine import as_json as in_json

        typer.echo(in_json(side_by_side(given, anyway=anyway)), nl=False)


def _write_page(
    given: tuple[Entry, ...], output: Path, *, anyway: bool, language: Language, quiet: bool
) -> None:
    from sdq_core.comparing.page import comparison_page
    from sdq_core.comparing.ranking import side_by_side
    from sdq_core.documents.page import write_html
    from sdq_core.files import atomic_write

    found = side_by_side(given, anyway=anyway)
    atomic_write(output, write_html(comparison_page(found, language)))
    if not quiet:
        typer.echo(f"page: {output}")
