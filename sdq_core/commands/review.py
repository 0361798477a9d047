"""``sdq review``: the blinded manual review on the command line."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sdq_core.errors import ReviewError, UsageError

if TYPE_CHECKING:
    from sdq_core.review.folder import Folder
    from sdq_core.review.leak import Leak
    from sdq_core.review.store import Store

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""Let experts judge items without knowing which are real.

`sdq review plan study.yaml -o review.yaml`, edit it; `sdq review open review.yaml -o review --key
owner/key.json`; `sdq review serve review`; then `close`, `analyse` and `export`.

Needs `pip install 'sdq[review]'`. See docs/review.md.
""",
)

REMEDY: Final = "the manual review needs packages that are missing; pip install 'sdq[review]'"


class Type(StrEnum):
    """Type of study."""

    real_or_synthetic = "real_or_synthetic"
    pairs = "pairs"
    rating = "rating"
    completeness = "completeness"


class Format(StrEnum):
    """What is exported."""

    csv = "csv"
    imrmc = "imrmc"
    jsonl = "jsonl"


FolderArgument = Annotated[Path, typer.Argument(help="The folder that 'open' made.")]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        help="URL of a PostgreSQL database (postgresql+pg8000://USER@HOST/NAME); else that of the "
        "environment variable SDQ_REVIEW_DATABASE, else of the folder.",
        show_default=False,
    ),
]
KeyOption = Annotated[Path, typer.Option(help="The answer key that 'open' wrote.")]


@app.command()
def plan(
    study: Annotated[Path, typer.Argument(help="The study file.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The plan, beside or above the study file.")
    ] = Path("review.yaml"),
    type_: Annotated[Type, typer.Option("--type", help="Type of study.")] = Type.real_or_synthetic,
    readers: Annotated[int, typer.Option(help="Number of readers.", min=1, max=200)] = 6,
    cases: Annotated[
        int, typer.Option(help="Cases, half of them synthetic; pairs for --type pairs.", min=2)
    ] = 100,
    margin: Annotated[
        float, typer.Option(help="The readers' AUC must lie in [1 - margin, margin].")
    ] = 0.6,
    repeats: Annotated[float, typer.Option(help="Share of cases that are read twice.")] = 0.1,
    sessions: Annotated[int, typer.Option(help="Parts with a pause between them.", min=1)] = 1,
    washout: Annotated[float, typer.Option(help="Days between two sessions.", min=0)] = 0,
    training: Annotated[int, typer.Option(help="Training cases with feedback.", min=0)] = 6,
    seed: Annotated[int, typer.Option(help="Seed of draw, orders and simulation.", min=0)] = 0,
    simulations: Annotated[
        int, typer.Option(help="Simulated studies for the power.", min=20, max=20_000)
    ] = 200,
) -> None:
    """Write a plan, with the power that simulation gives it and the sizes that the margin needs."""
    import os

    from sdq_core.files import atomic_write
    from sdq_core.review.plan import Power, ReviewPlan, plan_text
    from sdq_core.statistics.reader_power import RatingModel, needed_cases, simulate_study
    from sdq_core.study import load_study
    from sdq_core.vocabulary import Role

    if output.exists():
        raise UsageError(f"{output}: exists already; remove it or choose another name")
    loaded = load_study(study)
    paired = type_ is Type.pairs
    synthetic = cases if paired else cases // 2
    real = cases if paired else cases - synthetic
    model = RatingModel()
    written = ReviewPlan.model_validate(
        {
            "name": f"{loaded.name}: review",
            "study": os.path.relpath(study, output.parent),
            "type": type_.value,
            "readers": [f"r{k}" for k in range(1, readers + 1)],
            "cases": {"real": real, "synthetic": synthetic, "training": training},
            "real": "holdout" if Role.HOLDOUT in loaded.cohorts else "train",
            "repeats": repeats, "sessions": sessions, "washout_days": washout, "margin": margin,
            "seed": seed,
        }
    )  # fmt: skip

    def simulate(auc: float) -> float:
        return simulate_study(
            readers, real, synthetic, margin, auc=auc, model=model, paired=paired,
            repeats=simulations, seed=seed,
        ).equivalent  # fmt: skip

    power = Power(
        power=simulate(0.5), error=simulate(margin), repeats=simulations, seed=seed,
        model={"cases": model.cases, "readers": model.readers, "lean": model.lean},
    )  # fmt: skip
    written = written.model_copy(update={"power": power})
    atomic_write(output, plan_text(written).encode())
    typer.echo(
        f"with {readers} readers and {cases} {'pairs' if paired else 'cases'}: power "
        f"{power.power:.0%} to show equivalence within [{1 - margin:.2f}, {margin:.2f}] when "
        f"nobody can tell; {power.error:.0%} when readers can, at the margin"
    )
    typer.echo("cases for a power of 80 % (simulated; x: no number of cases is enough):")
    for number in sorted({4, 6, 8, 12, 20, readers}):
        found = needed_cases(number, margin, paired=paired, repeats=60, seed=seed)
        typer.echo(f"  {number:3d} readers: {'x' if found is None else found}")
    if readers < 4:
        typer.echo(
            "warning: with fewer than four readers the intervals are somewhat too narrow "
            "(simulated errors of 6 to 8 % instead of 5 %); ask more readers",
            err=True,
        )
    typer.echo(f"wrote {output}; edit it, then: sdq review open {output} -o FOLDER --key KEY")


@app.command("open")
def open_(
    plan: Annotated[Path, typer.Argument(help="The plan.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to make.")],
    key: Annotated[
        Path,
        typer.Option(help="File for the answer key, outside the folder; give it to the owner."),
    ],
    database: DatabaseOption = None,
    allow_leak: Annotated[
        bool,
        typer.Option("--allow-leak", help="Open although the blinding leaks; the result says so."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Draw the cases, test the blinding, seal the answer key, fix each reader's order."""
    try:
        from sdq_core.review.opening import open_review
    except ImportError as error:
        raise ReviewError(f"{REMEDY} ({error.name})") from error
    from sdq_core.commands.progress import Progress

    with Progress(quiet) as progress:
        opened = open_review(
            plan, output, key, database=database, allow_leak=allow_leak, progress=progress
        )
    typer.echo(f"opened: {output}")
    typer.echo(f"seal:   {opened.seal}")
    typer.echo(f"key:    {opened.key} (give it to the owner of the study; not to whoever serves)")
    typer.echo(f"access: {opened.tokens} (one code a reader)")
    _say_leak("blinding", opened.leak)
    if opened.visible.found:
        typer.echo(
            f"warning: size, count or length of what is shown tells real from synthetic "
            f"(AUC {opened.visible.auc:.2f}: {', '.join(opened.visible.telling)}); if that is no "
            f"property of the data, bring both cohorts to one form",
            err=True,
        )
    typer.echo(f"next:   sdq review serve {output}")


def _say_leak(name: str, leak: Leak) -> None:
    if not leak.tested:
        typer.echo(f"{name}: not tested, too few cases")
    elif leak.found:
        typer.echo(
            f"warning: {name} leaks by {', '.join(leak.telling) or 'several facts together'} "
            f"(AUC {leak.auc:.2f}); it stands in the log",
            err=True,
        )
    else:
        typer.echo(f"{name}: no leak found (AUC {leak.auc:.2f}, p = {leak.p_value:.2f})")


@app.command()
def serve(
    folder: FolderArgument,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port.", min=1, max=65535)] = 8765,
    certificate: Annotated[
        Path | None, typer.Option(help="TLS certificate (PEM).", show_default=False)
    ] = None,
    private_key: Annotated[
        Path | None, typer.Option(help="Its private key (PEM).", show_default=False)
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Serve the readers' pages, until stopped with Ctrl-C. Answers are safe at any time."""
    try:
        from sdq_core.review.serving import LOCAL
        from sdq_core.review.serving import serve as run
    except ImportError as error:
        raise ReviewError(f"{REMEDY} ({error.name})") from error
    where, store = _opened(folder, database)
    scheme = "http" if certificate is None else "https"
    if host not in LOCAL and certificate is None:
        typer.echo(
            "warning: without TLS, access codes and answers can be read and changed on the way; "
            "give --certificate and --private-key, or serve behind a proxy that has them",
            err=True,
        )
    shown = f"[{host}]" if ":" in host else host
    typer.echo(f"serving {scheme}://{shown}:{port}/enter/CODE (codes: {folder / 'readers.csv'})")
    try:
        run(where, store, host=host, port=port, certificate=certificate, private_key=private_key)
    finally:
        store.close()


@app.command()
def status(folder: FolderArgument, database: DatabaseOption = None) -> None:
    """Say who has read how much, and whether the log is whole; nothing of the answers."""
    from sdq_core.review.closing import status as run

    _, store = _opened(folder, database)
    found = run(store)
    typer.echo(f"{found.plan.name}: {'closed' if found.closed else 'open'}")
    for reader, (done, total) in found.done.items():
        typer.echo(f"  {reader}: {done} of {total}")
    typer.echo(f"log: {found.entries} entries, the chain is whole; seal {found.seal[:16]}…")
    for code, count in found.refused.items():
        typer.echo(f"  refused {count} times: {code}")


@app.command()
def close(folder: FolderArgument, key: KeyOption, database: DatabaseOption = None) -> None:
    """End the reading; reveal the key and check it against its seal."""
    from sdq_core.review.closing import close_review

    _, store = _opened(folder, database)
    found = close_review(store, key)
    typer.echo(f"closed; the key matches the seal {found.seal[:16]}… of the opening")
    typer.echo(f"next: sdq review analyse {folder} --result OUT")


@app.command()
def analyse(
    folder: FolderArgument,
    result: Annotated[
        Path, typer.Option(help="A result.json, or the folder that holds it; it is rewritten.")
    ],
    database: DatabaseOption = None,
) -> None:
    """Add the readers' judgement to a result, and judge it by the plan and the profile.

    Writes review-<plan>.jsonl, the whole log, beside the result.
    """
    from sdq_core.review.adding import add_to_result

    _, store = _opened(folder, database)
    path = result / "result.json" if result.is_dir() else result
    for line in add_to_result(store, path):
        typer.echo(line)


@app.command()
def export(
    folder: FolderArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    format_: Annotated[
        Format,
        typer.Option("--format", help="csv: every answer; imrmc: input of iMRMC; jsonl: the log."),
    ] = Format.csv,
    database: DatabaseOption = None,
) -> None:
    """Write the answers or the log; before closing, without what is true."""
    from sdq_core.files import atomic_write
    from sdq_core.review import exporting

    _, store = _opened(folder, database)
    data = {
        Format.csv: exporting.to_csv,
        Format.imrmc: exporting.to_imrmc,
        Format.jsonl: exporting.to_jsonl,
    }[format_](store)
    atomic_write(output, data)
    typer.echo(f"wrote {output}")


def _opened(folder: Path, database: str | None) -> tuple[Folder, Store]:
    try:
        from sdq_core.review.folder import Folder

        found = Folder(folder)
        return found, found.store(database)
    except ImportError as error:
        raise ReviewError(f"{REMEDY} ({error.name})") from error
