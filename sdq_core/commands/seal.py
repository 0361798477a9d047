"""``sdq seal`` and ``sdq verify``: the evidence bundle on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sdq_core.audit.meaning import DOES_NOT_SHOW, SHOWS, meaning
from sdq_core.errors import UsageError
from sdq_core.vocabulary import Language

if TYPE_CHECKING:
    from sdq_core.audit.data import DataCheck
    from sdq_core.audit.verification import Verification

__all__ = ["SEAL_HELP", "VERIFY_HELP", "seal", "verify"]

_NAMED: Final = 20
"""Files that are named one by one; of more, their number."""

_MEANING: Final = "\n\n".join(
    f"{head}\n\n" + "\n".join(f"* {english}" for english, _ in points)
    for head, points in (
        ("A verified bundle shows:", SHOWS),
        ("It does not show:", DOES_NOT_SHOW),
    )
)
SEAL_HELP: Final = f"""Seal the outputs of an evaluation into a bundle that anybody can verify.

The bundle is a zip of the result, findings, lists of the judged items and files, documents, study,
generator, environment and metadata, with a signed list of all of them. Same files and key, same
bytes.

`sdq seal --new-key lab.pem`, once; then `sdq seal out --key lab.pem`

{_MEANING}
"""

VERIFY_HELP: Final = f"""Verify a bundle with the public key of the laboratory that sealed it.

Names every file that was changed, removed or added. Exit codes: 0 verified; 1 not verified;
2 unusable: no bundle, only a part of one, one that could harm, no key.

`sdq verify evidence.zip --key lab.pem.pub --data synthetic=generated`

{_MEANING}
"""

LanguageOption = Annotated[
    Language, typer.Option(help="Language of what the seal shows and does not show.")
]


def seal(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="OUT", help="The folder that sdq evaluate wrote.", show_default=False
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(help="Private ed25519 key (PEM) to seal with.", show_default=False),
    ] = None,
    new_key: Annotated[
        Path | None,
        typer.Option(
            help="Make a key: the private one in this file, readable by you alone, the public one "
            "beside it with .pub at its name.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The bundle (default: OUT/evidence.zip)."),
    ] = None,
    language: LanguageOption = Language.EN,
) -> None:
    """Seal an evaluation, or make a key."""
    from sdq_core.audit.keys import new_key as make_key
    from sdq_core.audit.keys import read_private_key

    if new_key is not None:
        if folder is not None or key is not None or output is not None:
            raise UsageError("--new-key stands alone: make the key first, then seal with it")
        public, identifier = make_key(new_key)
        typer.echo(f"private key: {new_key} (keep it; nobody else may read it)")
        typer.echo(f"public key:  {public} (give it to whoever verifies)")
        typer.echo(f"key id:      {identifier}")
        return
    if folder is None or key is None:
        raise UsageError("give the folder OUT and --key KEY, or --new-key KEY to make one")
    from sdq_core.audit.bundle import seal as run

    sealed = run(folder, read_private_key(key), output)
    typer.echo(f"sealed: {sealed.path} ({len(sealed.names)} files)")
    typer.echo(f"key id: {sealed.key_id}")
    if sealed.missing:
        typer.echo(
            f"without {len(sealed.missing)} documents that are not there; "
            f"sdq document {folder} writes them"
        )
    if sealed.old_report:
        typer.echo(
            f"warning: report.html is older than result.json; if the evaluation was repeated "
            f"since, write it again (sdq report {folder}) and seal again",
            err=True,
        )
    typer.echo(meaning(language.value))


def verify(
    bundle: Annotated[Path, typer.Argument(help="The bundle of sdq seal.")],
    key: Annotated[Path, typer.Option(help="Public key (PEM) of the laboratory that sealed.")],
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=DIR",
            help="Check that the data of a role (train, holdout, synthetic, train/labels ...) are "
            "those that were judged. Repeatable.",
            show_default=False,
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Verify a bundle."""
    from sdq_core.audit.keys import read_public_key
    from sdq_core.audit.verification import verify as run

    wanted = [_role_and_folder(text) for text in data or ()]
    found = run(bundle, read_public_key(key))
    _say_bundle(bundle, found)
    checks: list[DataCheck] = []
    if wanted and not found.verified:
        typer.echo("the data were not looked at: the list of them cannot be relied on")
    elif wanted:
        checks = _check(found, wanted, quiet)
        for check in checks:
            _say_data(check)
    if found.verified and not wanted:
        typer.echo("the data were not looked at; name them with --data ROLE=DIR")
    typer.echo(meaning(language.value))
    raise typer.Exit(0 if found.verified and all(c.verified for c in checks) else 1)


def _role_and_folder(text: str) -> tuple[str, Path]:
    role, equals, folder = text.partition("=")
    if not (role and equals and folder):
        raise UsageError(f"--data {text}: write ROLE=DIR, e.g. synthetic=generated")
    return role, Path(folder)


def _check(found: Verification, wanted: Sequence[tuple[str, Path]], quiet: bool) -> list[DataCheck]:
    from sdq_core.audit.data import check_data
    from sdq_core.commands.progress import Progress

    with Progress(quiet) as progress:
        return [
            check_data(
                found.data,
                role,
                folder,
                lambda _, done, total, role=role: progress(f"hash {role}", done, total),  # type: ignore[misc]
            )
            for role, folder in wanted
        ]


def _say_bundle(bundle: Path, found: Verification) -> None:
    state = "verified" if found.verified else "NOT VERIFIED"
    typer.echo(f"{state}: {bundle}")
    for problem in found.problems[:_NAMED]:
        typer.echo(f"  {problem.what}: {problem.message}")
    if len(found.problems) > _NAMED:
        typer.echo(f"  and {len(found.problems) - _NAMED} more")
    typer.echo(f"  {found.files} files are as they were sealed")
    typer.echo(f"  checked with the key {found.key_id}")
    if found.predicate is not None and found.verified:
        said = found.predicate
        typer.echo(
            f"  study {said.study!a}, modality {said.modality}, profile {said.profile}, "
            f"sdq {said.sdq}, evaluated {said.evaluated} by that machine's clock"
        )


def _say_data(check: DataCheck) -> None:
    state = "verified" if check.verified else "NOT VERIFIED"
    typer.echo(f"{state}: data of {check.role}, {check.same} files as they were judged")
    for what, names in (
        ("changed", check.changed),
        ("missing", check.missing),
        ("added", check.added),
        ("could not be read when judged", check.unreadable),
    ):
        for name in names[:_NAMED]:
            typer.echo(f"  {what}: {name!a}")
        if len(names) > _NAMED:
            typer.echo(f"  {what}: and {len(names) - _NAMED} more")
