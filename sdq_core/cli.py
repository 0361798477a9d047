"""The command line. Heavy modules are imported inside the commands that use them."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sdq_core.commands.calibrate import CALIBRATE_HELP, calibrate
from sdq_core.commands.compare import COMPARE_HELP, compare
from sdq_core.commands.document import document
from sdq_core.commands.generator import CHECK_HELP, check
from sdq_core.commands.progress import Progress
from sdq_core.commands.review import app as review
from sdq_core.commands.seal import SEAL_HELP, VERIFY_HELP, seal, verify
from sdq_core.engines.memory import keep_freed_memory
from sdq_core.errors import SdqError, UsageError

if TYPE_CHECKING:
    from sdq_core.result import Result
    from sdq_core.study import Study

__all__ = ["app", "main"]

app = typer.Typer(
    name="sdq",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="""Judge synthetic medical data beside real data, with numbers that hold.

The way is always the same: *read* two or three cohorts, *describe* each item once, *compare* the
cohorts, *judge* the measurements by a profile, *document* the result.

Start with `sdq init imaging > study.yaml`, edit it, then `sdq evaluate study.yaml`.

Exit codes: 0 everything mandatory passes; 1 a criterion is not met; 2 unusable input or usage;
3 only inconclusive or missing mandatory measures.
""",
)


class Language(StrEnum):
    """Language of the report."""

    en = "en"
    zh = "zh"


StudyFile = Annotated[
    Path | None,
    typer.Argument(
        help="The study file; or give the cohorts by options instead.", show_default=False
    ),
]
ModalityOption = Annotated[str | None, typer.Option(help="Modality plugin, e.g. imaging.")]
TrainOption = Annotated[
    Path | None, typer.Option(help="Real items that the generator learned from.")
]
HoldoutOption = Annotated[Path | None, typer.Option(help="Real items that it never saw.")]
SyntheticOption = Annotated[Path | None, typer.Option(help="The items under test.")]
LabelsOption = Annotated[
    list[str] | None,
    typer.Option(
        help="Label table with the columns item, subject, class, ...; as ROLE=FILE for one "
        "cohort, or FILE for all. Repeatable.",
        metavar="[ROLE=]FILE",
    ),
]
SubgroupOption = Annotated[str | None, typer.Option(help="Attribute that defines subgroups.")]
ProfileOption = Annotated[str | None, typer.Option(help="Profile by name, or a YAML file.")]
SeedOption = Annotated[int | None, typer.Option(help="Seed of every random part.", min=0)]
OutOption = Annotated[Path, typer.Option("--output", "-o", help="Folder for the outputs.")]
StoreOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the descriptions (default: OUTPUT/store). Share it between studies: the "
        "real side is then described once."
    ),
]
CacheOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder for copies of cohorts that lie in object stores and archives (default: "
        "OUTPUT/cache). It holds real data; share it between studies, remove it at the end."
    ),
]
EngineOption = Annotated[
    str,
    typer.Option(
        help="Where to describe: processes or serial; dask, a cluster on this machine; "
        "dask://HOST:PORT or dask+tls://HOST:PORT, the scheduler of a cluster.",
        metavar="ENGINE",
    ),
]
WorkersOption = Annotated[int | None, typer.Option(help="Worker processes.", min=1)]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        help="Where networks, neighbours and MS-SSIM are computed, of modalities that have a "
        "choice: auto, cpu, cuda or cuda:N."
    ),
]
LanguageOption = Annotated[Language, typer.Option(help="Language of the report.")]
CalibrationOption = Annotated[
    Path | None,
    typer.Option(help="A calibration.json of sdq calibrate, against which passes are held."),
]
ShowRealOption = Annotated[
    bool, typer.Option("--show-real", help="Allow pictures of real items in the report.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")]


@app.command()
def evaluate(
    study: StudyFile = None,
    modality: ModalityOption = None,
    train: TrainOption = None,
    holdout: HoldoutOption = None,
    synthetic: SyntheticOption = None,
    labels: LabelsOption = None,
    subgroup: SubgroupOption = None,
    profile: ProfileOption = None,
    seed: SeedOption = None,
    output: OutOption = Path("sdq-out"),
    store: StoreOption = None,
    cache: CacheOption = None,
    engine: EngineOption = "processes",
    workers: WorkersOption = None,
    no_describe: Annotated[
        bool,
        typer.Option(
            "--no-describe",
            help="Use what `sdq describe` has left in the store; when something is missing, stop "
            "and say which shards.",
        ),
    ] = False,
    device: DeviceOption = None,
    calibration: CalibrationOption = None,
    language: LanguageOption = Language.en,
    show_real: ShowRealOption = False,
    quiet: QuietOption = False,
) -> None:
    """Evaluate a study: cohorts in, verdicts and a report out.

    Writes result.json, findings.parquet, findings.csv, items.csv, files.csv and report.html into
    the output folder.

    Example: `sdq evaluate --modality imaging --train real/train --holdout real/holdout
    --synthetic generated -o out`
    """
    from rich.console import Console

    from sdq_core.documents.console import verdict_table
    from sdq_core.documents.report import write_report
    from sdq_core.evaluate import evaluate as run

    loaded = _study(study, modality, train, holdout, synthetic, labels, subgroup, profile, seed)
    loaded = _on_device(loaded, device)
    if calibration is not None:
        loaded = loaded.model_copy(update={"calibration": calibration})
    with Progress(quiet) as progress:
        result = run(
            loaded,
            output,
            store=store,
            cache=cache,
            engine=engine,
            workers=workers,
            missing=not no_describe,
            progress=progress,
            show_real=show_real,
        )
        progress("document", 0, 1)
        report = output / "report.html"
        write_report(result, output, report, language=language.value, show_real=show_real)
        progress("document", 1, 1)
    console = Console()
    console.print(verdict_table(result, language.value))
    _say_unreadable(result)
    for note in result.environment["store"]["notes"]:
        typer.echo(f"note: {note}", err=True)
    typer.echo(f"report: {report}")
    raise typer.Exit(result.exit_code)


@app.command()
def describe(
    study: StudyFile = None,
    modality: ModalityOption = None,
    train: TrainOption = None,
    holdout: HoldoutOption = None,
    synthetic: SyntheticOption = None,
    output: OutOption = Path("sdq-out"),
    store: StoreOption = None,
    cache: CacheOption = None,
    engine: EngineOption = "processes",
    workers: WorkersOption = None,
    shard: Annotated[
        str | None,
        typer.Option(
            help="Describe the i-th of n shares of the contents only, e.g. 3/8: one on each of n "
            "machines that share the store's folder.",
            metavar="I/N",
        ),
    ] = None,
    device: DeviceOption = None,
    quiet: QuietOption = False,
) -> None:
    """Describe the items of a study and keep the descriptions, without judging.

    `sdq evaluate` on the same store then starts where this ended.

    On a cluster without an engine: `sdq describe study.yaml --shard 3/8 --store DIR`, for each of
    8 shares on any machine, then `sdq evaluate study.yaml --store DIR --no-describe`
    """
    from sdq_core.commands.describe import describe_all, describe_share
    from sdq_core.remote.staging import stage
    from sdq_core.sharding import Part

    part = None if shard is None else Part.parse(shard)
    loaded = _study(study, modality, train, holdout, synthetic, None, None, None, None)
    loaded = _on_device(loaded, device)
    folder = store or output / "store"
    with Progress(quiet) as progress:
        loaded = stage(loaded, cache or output / "cache", progress).study
        if part is None:
            lines = describe_all(loaded, folder, engine, workers, progress)
        else:
            lines = describe_share(loaded, part, folder, engine, workers, progress)
    for line in lines:
        typer.echo(line)


@app.command()
def report(
    result: Annotated[Path, typer.Argument(help="A result.json, or the folder that holds it.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write (default: beside it).")
    ] = None,
    language: LanguageOption = Language.en,
    show_real: ShowRealOption = False,
) -> None:
    """Render report.html again from a result; nothing is computed."""
    from sdq_core.documents.report import write_report
    from sdq_core.result import load_result

    path = result / "result.json" if result.is_dir() else result
    target = output or path.with_name("report.html")
    write_report(
        load_result(path), path.parent, target, language=language.value, show_real=show_real
    )
    typer.echo(f"report: {target}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of result.json."""
    from sdq_core.result import json_schema

    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@app.command()
def init(
    modality: Annotated[
        str, typer.Argument(help="Modality plugin, e.g. imaging; or generator.", metavar="WHAT")
    ],
    data: Annotated[
        Path | None,
        typer.Argument(
            help="Data of a real cohort: propose what describes them (ehr: schema.yaml)."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write (default: print it).")
    ] = None,
    language: Annotated[
        Language | None, typer.Option(help="Language of the comments (generator only).")
    ] = None,
) -> None:
    """Write a commented study file to start from, or propose the description of DATA.

    sdq init ehr -o study.yaml; sdq init ehr train -o schema.yaml; sdq init generator --language zh
    """
    then = f"sdq evaluate {output}" if data is None else "name it in settings.schema of the study"
    if modality == "generator":
        from sdq_core.generator import template as description

        if data is not None:
            raise UsageError("generator: its description is not proposed from data; leave out DATA")
        template: str | None = description((language or Language.en).value)
        then = f"sdq check {output}"
    elif language is not None:
        raise UsageError(f"--language {language}: study files have English comments; leave it out")
    else:
        from sdq_core.modality import load_modality

        plugin = load_modality(modality, check_requirements=data is not None)
        template = plugin.study_template() if data is None else plugin.proposal(data)
    if template is None:
        raise UsageError(f"modality {modality!r} proposes nothing from data; leave out DATA")
    if output is None:
        typer.echo(template, nl=False)
        return
    if output.exists():
        raise UsageError(f"{output}: exists already; remove it or choose another name")
    from sdq_core.files import atomic_write

    atomic_write(output, template.encode())
    typer.echo(f"wrote {output}; edit it, then: {then}")


@app.command()
def doctor() -> None:
    """Print versions, plugins with the reason when one cannot work, and fonts.

    Exit code 0 when at least one modality works, else 2.
    """
    from sdq_core.doctor import diagnose

    lines, healthy = diagnose()
    for line in lines:
        typer.echo(line)
    raise typer.Exit(0 if healthy else 2)


app.command()(document)
app.command(help=CALIBRATE_HELP)(calibrate)
app.command(help=CHECK_HELP)(check)
app.command(help=COMPARE_HELP)(compare)
app.command(help=SEAL_HELP)(seal)
app.command(help=VERIFY_HELP)(verify)
app.add_typer(review, name="review")


def main() -> None:
    """Run the command line; errors of sdq become one message on stderr and exit code 2."""
    keep_freed_memory()
    try:
        app(standalone_mode=True)
    except SdqError as error:
        typer.echo(f"sdq: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo(
            "sdq: stopped; what was described is kept, the same command goes on from there",
            err=True,
        )
        sys.exit(130)


def _study(
    path: Path | None,
    modality: str | None,
    train: Path | None,
    holdout: Path | None,
    synthetic: Path | None,
    labels: list[str] | None,
    subgroup: str | None,
    profile: str | None,
    seed: int | None,
) -> Study:
    """Make the study from a file, from options, or from a file with options on top."""
    from sdq_core.study import load_study, study_from_options

    options: dict[str, Any] = {
        "modality": modality,
        "subgroup": subgroup,
        "profile": profile,
        "seed": seed,
    }
    given = {k: v for k, v in options.items() if v is not None}
    sources = {
        role: source
        for role, source in (("train", train), ("holdout", holdout), ("synthetic", synthetic))
        if source is not None
    }
    base = None if path is None else load_study(path)
    return study_from_options(base, given, sources, labels or [])


def _on_device(study: Study, device: str | None) -> Study:
    """Put the option above the study's own setting; the modality says which it knows."""
    if device is None:
        return study
    if device != "auto":  # which needs no check, and torch takes long to load
        from sdq_core.acceleration import chosen_device

        chosen_device(device)
    return study.model_copy(update={"settings": {**study.settings, "device": device}})


def _say_unreadable(result: Result) -> None:
    for role, cohort in result.cohorts.items():
        if cohort.readable < cohort.items:
            typer.echo(
                f"{role}: {cohort.items - cohort.readable} of {cohort.items} items could not be "
                f"read, see findings.csv",
                err=True,
            )


if __name__ == "__main__":
    main()
