"""Whether a bundle is what was sealed: every difference by name, nothing trusted unchecked.

The container does not count: a bundle that was packed again with the same files verifies, because
the seal is over the files' bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sdq_core.audit.archive import Archive
from sdq_core.audit.bundle import RESULT, SEAL
from sdq_core.audit.envelope import read_envelope
from sdq_core.audit.keys import key_id
from sdq_core.audit.statement import Predicate, Statement, read_statement
from sdq_core.errors import BundleError, StoreError
from sdq_core.manifest import FILES, ITEMS, FileRow, cohort_digest, read_files, read_items

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = ["Problem", "Verification", "verify"]

MOST_SEAL: Final = 2**24
MOST_TABLE: Final = 2**32


@dataclass(frozen=True)
class Problem:
    """One reason why a bundle is not verified.

    Parameters
    ----------
    file : str
        Name in the bundle.
    what : {"signature", "changed", "removed", "added", "contradiction"}
    message : str
        What was found, and what to do.
    """

    file: str
    what: str
    message: str


@dataclass(frozen=True)
class Verification:
    """What was found.

    Parameters
    ----------
    problems : tuple of Problem
        Empty when the bundle is verified.
    key_id : str
        Of the key that it was checked with.
    predicate : Predicate or None
        Which evaluation the seal is about; only as good as the signature.
    files : int
        Files that are as they were sealed.
    data : tuple of FileRow
        The judged files, by the bundle's ``files.csv``; empty when that cannot be relied on.
    """

    problems: tuple[Problem, ...]
    key_id: str
    predicate: Predicate | None
    files: int
    data: tuple[FileRow, ...]

    @property
    def verified(self) -> bool:
        """Whether the bundle is what was sealed with the key."""
        return not self.problems


def verify(path: Path, key: Ed25519PublicKey) -> Verification:
    """Check a bundle with a public key; nothing else is needed, and nothing is unpacked to disk.

    Parameters
    ----------
    path : Path
    key : Ed25519PublicKey

    Raises
    ------
    BundleError
        The file is no zip, only a part of one, or one that could harm; or a newer sdq sealed it.
    """
    with Archive(path) as archive:
        names = set(archive.names)
        wanted = key_id(key)
        data = archive.read(SEAL, MOST_SEAL) if SEAL in names else None
        if data is None:
            what, said = (
                ("removed", "is missing") if SEAL not in names else ("changed", "is damaged")
            )
            message = f"the seal {said}: nothing in the bundle can be verified; ask for it again"
            return Verification((Problem(SEAL, what, message),), wanted, None, 0, ())
        try:
            envelope = read_envelope(data)
        except BundleError as error:
            return Verification((Problem(SEAL, "changed", str(error)),), wanted, None, 0, ())
        problems = []
        if not envelope.signed_by(key):
            claimed = [name for name, _ in envelope.signatures]
            problems.append(Problem(SEAL, "signature", _wrong_signature(claimed, wanted)))
        try:
            statement = read_statement(envelope.payload_type, envelope.payload)
        except BundleError as error:
            if problems:  # forged or damaged: its form is no news
                return Verification(tuple(problems), wanted, None, 0, ())
            raise BundleError(f"{path}: {error}") from error
        problems += _differences(archive, names - {SEAL}, statement)
        good = len(statement.files.keys() & names) - sum(p.what == "changed" for p in problems)
        rows: tuple[FileRow, ...] = ()
        if not problems:
            tables = {name: archive.read(name, MOST_TABLE) or b"" for name in (ITEMS, FILES)}
            problems += _contradictions(tables[ITEMS], statement)
            try:
                rows = tuple(read_files(tables[FILES]))
            except StoreError as error:
                problems.append(Problem(FILES, "contradiction", str(error)))
        return Verification(tuple(problems), wanted, statement.predicate, good, rows)


def _wrong_signature(claimed: list[str], wanted: str) -> str:
    if wanted in claimed:
        return (
            "the seal names your key, but the signature is not of it: the list of files was "
            "changed after it was signed, or another key signed it; do not rely on the bundle"
        )
    names = ", ".join(ascii(name[:64]) for name in claimed[:3])
    return (
        f"the seal was not signed with your key {wanted} (it names {names}): you have the public "
        f"key of somebody else, or somebody else sealed; ask the laboratory for its key id"
    )


def _differences(archive: Archive, names: set[str], statement: Statement) -> Iterator[Problem]:
    """Compare the files that are there with those that were sealed."""
    sealed = statement.files
    for name in sorted(names | sealed.keys()):
        if name not in names:
            message = f"{_shown(name)} was sealed and is not there any more"
            yield Problem(name, "removed", message)
        elif name not in sealed:
            message = f"{_shown(name)} is there and was not sealed"
            yield Problem(name, "added", message)
        elif (found := archive.digest(name)) != sealed[name]:
            why = "its bytes are damaged" if found is None else "its bytes are not those sealed"
            yield Problem(name, "changed", f"{_shown(name)} was changed: {why}")
    # A signed list without the result or the lists of data is none that sdq makes.
    for name in (RESULT, ITEMS, FILES):
        if name not in sealed:
            yield Problem(name, "removed", f"{name} is not in the seal; sdq always seals it")


def _contradictions(items: bytes, statement: Statement) -> Iterator[Problem]:
    """Compare the list of items with the cohorts' digests in the signed statement."""
    digests: dict[str, list[str]] = {role: [] for role in statement.predicate.cohorts}
    try:
        for role, _, digest in read_items(items):
            digests.setdefault(role, []).append(digest)
    except StoreError as error:
        yield Problem(ITEMS, "contradiction", str(error))
        return
    expected: Mapping[str, str] = {r: c.digest for r, c in statement.predicate.cohorts.items()}
    for role, found in digests.items():
        if expected.get(role) != cohort_digest(found):
            message = f"{ITEMS} and the seal differ in the cohort {role!a}"
            yield Problem(ITEMS, "contradiction", message)


def _shown(name: str) -> str:
    """Return a name such that it cannot act on a terminal."""
    return name if name.isascii() and name.isprintable() else ascii(name)
