"""``sdq calibrate``: how often the measures find planted defects, and cry over clean data."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sdq_core.errors import UsageError
from sdq_core.vocabulary import Language

if TYPE_CHECKING:
    from rich.table import Table

    from sdq_core.calibration.model import Calibration

__all__ = ["CALIBRATE_HELP", "calibrate", "seconds"]

CALIBRATE_HELP: Final = """Calibrate a study: which defects would its measures find?

The study's real items are dealt out anew, by subject. A *fresh* part stands in for a perfect
generator: what fails there is a false alarm. Then each defect of the modality's catalogue is
planted in it, at each severity, and the whole way from files to verdict is run again; all of it
with several seeds. Copies of real items lie in a private folder in OUTPUT while they are needed,
and are removed whatever happens.

Writes calibration.json and calibration.html. A run that was ended, or whose budget was used up,
goes on with the same command: finished cases are kept in OUTPUT/records.

Example, a first look and then the whole:

`sdq calibrate study.yaml -o calibration --budget 10min --severities unacceptable`

`sdq calibrate study.yaml -o calibration`

`sdq evaluate study.yaml --calibration calibration/calibration.json`

The last command turns a *pass* into *inconclusive* where a grave defect was found in less than 95 %
of runs. Exit codes: 0 calibrated, as far as the budget went; 2 unusable input or usage.
"""

_BUDGET: Final = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)min)?(?:(\d+(?:\.\d+)?)s)?")


class Severities(StrEnum):
    """Which severities are planted."""

    all = "all"
    unacceptable = "unacceptable"


def calibrate(
    study: Annotated[Path, typer.Argument(help="The study file.")],
    budget: Annotated[
        str | None,
        typer.Option(help="Time for all of it: 90s, 10min, 2h, 1h30min. What is left out is said."),
    ] = None,
    runs: Annotated[int, typer.Option(help="Seeds of each case.", min=1)] = 20,
    severities: Annotated[
        Severities, typer.Option(help="All, or the one from which on a study must not pass.")
    ] = Severities.all,
    only: Annotated[
        list[str] | None, typer.Option(help="Plant this defect only. Repeatable.", metavar="DEFECT")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Profile by name, or a YAML file.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes.", min=1)] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the outputs.")] = Path(
        "sdq-calibration"
    ),
    store: Annotated[
        Path | None, typer.Option(help="Folder of the descriptions (default: OUTPUT/store).")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="Where networks compute: auto, cpu, cuda or cuda:N.")
    ] = None,
    language: Annotated[Language, typer.Option(help="Of calibration.html.")] = Language.EN,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Plant defects in a study's real data and see what its measures say; see `CALIBRATE_HELP`."""
    from rich.console import Console

    from sdq_core.calibration.calibrating import Options
    from sdq_core.calibration.calibrating import calibrate as run
    from sdq_core.commands.progress import Progress
    from sdq_core.documents.calibration_blocks import calibration_document
    from sdq_core.documents.page import write_html
    from sdq_core.files import atomic_write
    from sdq_core.study import load_study

    options = Options(
        seeds=runs,
        all_severities=severities is Severities.all,
        only=tuple(only or ()),
        budget=None if budget is None else seconds(budget),
        workers=workers,
    )
    loaded = load_study(study)
    if profile is not None:
        loaded = loaded.model_copy(update={"profile": profile})
    if device is not None:
        settings = {**loaded.settings, "device": device}
        loaded = loaded.model_copy(update={"settings": settings})
    with Progress(quiet) as progress:
        found = run(loaded, output, options, store=store, progress=progress)
    page = output / "calibration.html"
    atomic_write(page, write_html(calibration_document(found, language.value)))
    Console().print(_table(found, language.value))
    for line in _lines(found, language.value):
        typer.echo(line)
    typer.echo(f"calibration: {output / 'calibration.json'}, {page}")


def seconds(budget: str) -> float:
    """Return a budget in seconds.

    Parameters
    ----------
    budget : str
        Hours, minutes and seconds in this order, each with its unit.

    Raises
    ------
    UsageError
        It has another form, or is nothing.

    Examples
    --------
    >>> seconds("10min"), seconds("1h30min"), seconds("90s")
    (600.0, 5400.0, 90.0)
    """
    found = _BUDGET.fullmatch(budget.strip().lower())
    total = sum(
        float(part) * factor
        for part, factor in zip(found.groups() if found else (), (3600, 60, 1), strict=False)
        if part
    )
    if not total:
        raise UsageError(
            f"--budget {budget}: is no length of time; write hours, minutes or seconds with their "
            f"unit: 90s, 10min, 2h or 1h30min"
        )
    return total


def _table(calibration: Calibration, language: str) -> Table:
    """Return the defects with how often each was found."""
    from rich.table import Table
    from rich.text import Text

    from sdq_core.documents.calibration_figures import calibration_figures
    from sdq_core.documents.typography import visible

    figure = next((f for f in calibration_figures(calibration, language) if f.columns), None)
    table = Table(title=visible(str(calibration.study.get("name", ""))), title_justify="left")
    if figure is None or figure.kind != "detection":
        return table
    kept = (0, 1, 3, 4)  # without the drawings
    for k in kept:
        table.add_column(figure.columns[k], overflow="fold")
    for row in figure.rows:
        table.add_row(*(Text(visible(str(row[k]))) for k in kept))
    return table


def _lines(calibration: Calibration, language: str) -> list[str]:
    """Return false alarms, what the budget left out and what failed, by name."""
    from sdq_core.documents.calibration_figures import in_language

    own = 1 if language == Language.ZH else 0
    lines = []
    if calibration.clean.study is not None:
        said = calibration.clean.study.in_words()
        lines.append(f"{_WORDS['clean'][own]}{(said.zh if own else said.en).strip()}")
    lines += [
        f"{_WORDS['untested'][own]}{one.defect}: {in_language(one.reason, language)}"
        for one in calibration.untested
    ]
    for case in calibration.left_out:
        at = "" if case.severity is None else f" {case.severity:g}"
        name = case.defect or "fresh"
        runs = _WORDS["runs"][own].format(count=case.seeds, seeds=calibration.seeds)
        lines.append(f"{_WORDS['left_out'][own]}{name}{at}: {runs}")
    for bad in calibration.failed:
        at = "" if bad.severity is None else f" {bad.severity:g}"
        name = bad.defect or "fresh"
        lines.append(f"{_WORDS['failed'][own]}{name}{at}, seed {bad.seed}: {bad.reason}")
    return lines


_WORDS: Final = {
    "clean": ("false alarms of clean data: ", "干净数据的误报："),
    "untested": ("not tested: ", "未测试："),
    "left_out": ("left out by the budget: ", "因时间预算未测试："),
    "runs": ("{count} of {seeds} runs", "{seeds} 次运行中的 {count} 次"),
    "failed": ("failed: ", "失败："),
}
"""What the command says, in English and Chinese."""
