"""The evidence bundle: which files of an evaluation go into it, and how it is sealed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from sdq_core.audit.archive import packed
from sdq_core.audit.croissant import croissant
from sdq_core.audit.envelope import sign
from sdq_core.audit.lock import environment_lock
from sdq_core.audit.meaning import meaning
from sdq_core.audit.rendered import made_from, unpacked
from sdq_core.audit.ro_crate import ro_crate
from sdq_core.audit.statement import PAYLOAD_TYPE, statement_of
from sdq_core.documents.pictures import withheld
from sdq_core.errors import BundleError
from sdq_core.files import atomic_write
from sdq_core.manifest import FILES, ITEMS, cohort_digest, read_items
from sdq_core.result import Result, load_result

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["BUNDLE", "DOCUMENTS", "SEAL", "Sealed", "seal"]

BUNDLE: Final = "evidence.zip"
SEAL: Final = "seal.dsse.json"
RESULT: Final = "result.json"
REPORT: Final = "report.html"
DOCUMENTS: Final = (
    *(
        f"{document}.{language}.{format_}"
        for document in ("synthesis-description", "validation-report", "quality-assessment-report")
        for language in ("zh", "en")
        for format_ in ("html", "docx", "pdf")
    ),
)
"""The three documents, which go into the bundle where they are there; so does the report."""


@dataclass(frozen=True)
class Sealed:
    """What was sealed.

    Parameters
    ----------
    path : Path
        The bundle.
    key_id : str
    names : tuple of str
        Its files.
    missing : tuple of str
        Documents that are not there.
    old_report : bool
        Whether the file of the report is older than that of the result: it may say what another
        result said.
    """

    path: Path
    key_id: str
    names: tuple[str, ...]
    missing: tuple[str, ...]
    old_report: bool


def seal(folder: Path, key: Ed25519PrivateKey, output: Path | None = None) -> Sealed:
    """Put an evaluation into a bundle and sign the list of its files.

    Parameters
    ----------
    folder : Path
        What ``sdq evaluate`` and ``sdq document`` wrote.
    key : Ed25519PrivateKey
    output : Path, optional
        The bundle; ``folder / "evidence.zip"`` by default. Same files and key, same bytes.

    Raises
    ------
    BundleError
        A file is missing, lies elsewhere, shows a real item, or belongs to another evaluation.
    StoreError
        The result cannot be read, or the bundle not be written.
    """
    result = load_result(folder / RESULT)
    hidden = withheld(result, show_real=False)
    gallery = () if hidden else tuple(dict.fromkeys(i.file for i in result.gallery))
    files = {
        name: _bytes(folder, name)
        for name in (RESULT, result.findings.file, result.findings.csv, ITEMS, FILES)
    }
    logs = _review_logs(result)
    there = [n for n in (REPORT, *DOCUMENTS, *gallery, *logs) if (folder / n).exists()]
    files |= {name: _bytes(folder, name) for name in there}
    _check_belongs(result, files[ITEMS])
    for name, digest in logs.items():
        if name not in files or _sha256(files[name]) != digest:
            raise BundleError(
                f"seal: {name} is not the log of the manual review that the result names; put it "
                f"back beside {RESULT}, or write it again: sdq review analyse"
            )
    for name in DOCUMENTS:
        if name in files and not made_from(files[RESULT], name, files[name]):
            raise BundleError(
                f"seal: {name} was not made from this {RESULT}; write it again: sdq document "
                f"{folder.name}, or remove it"
            )
    if hidden:
        _check_shows_nothing_real(result, folder, files)
    files |= _made(result, files)
    statement = statement_of(result, {n: _sha256(data) for n, data in files.items()})
    envelope = sign(PAYLOAD_TYPE, statement.to_json(), key)
    files[SEAL] = envelope.to_json()
    target = output or folder / BUNDLE
    atomic_write(target, packed(files))
    made = (folder / RESULT).stat().st_mtime
    return Sealed(
        target,
        envelope.signatures[0][0],
        tuple(sorted(files)),
        tuple(n for n in DOCUMENTS if n not in there),
        REPORT in there and (folder / REPORT).stat().st_mtime < made,
    )


def _made(result: Result, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files that are written for the bundle: all of them from the result."""
    made = {
        "README.txt": _readme(),
        "environment.lock": environment_lock(result),
        "study.yaml": _yaml({k: v for k, v in result.study.items() if k != "generator"}),
    }
    if result.study.get("generator") is not None:
        made["generator.yaml"] = _yaml(result.study["generator"])
    made["croissant.json"] = croissant(result, {**files, **made})
    made["ro-crate-metadata.json"] = ro_crate(result, {**files, **made}, SEAL)
    return made


def _yaml(value: Any) -> bytes:
    text = yaml.safe_dump(
        value, allow_unicode=True, default_flow_style=False, sort_keys=True, width=100
    )
    return text.encode()


def _readme() -> bytes:
    english = (
        "Evidence bundle of an evaluation by sdq.\n\n"
        "Verify it with the public key of the laboratory that sealed it:\n"
        "    sdq verify evidence.zip --key lab.pem.pub --data synthetic=FOLDER\n"
        f"{SEAL} is a DSSE envelope with an in-toto statement that names every other file with\n"
        "its SHA-256; any program that reads these two formats can check it too.\n"
        "files.csv names the data files that were read, items.csv what was judged as one. The\n"
        "names of real items stand in them as the laboratory gave them; the bundle holds no\n"
        "content of a real item.\n\n"
    )
    chinese = (
        "sdq 评价的证据包。\n\n"
        "用封存实验室的公钥核验:\n"
        "    sdq verify evidence.zip --key lab.pem.pub --data synthetic=FOLDER\n"
        f"{SEAL} 是 DSSE 信封, 内含 in-toto 声明, 列出其他每个文件及其 SHA-256;\n"
        "能读取这两种格式的任何程序均可核验。\n"
        "files.csv 列出所读取的数据文件, items.csv 列出所评价的样本。\n"
        "其中真实样本的名称按实验室所给原样列出; 证据包不含任何真实样本的内容。\n\n"
    )
    return f"{english}{meaning('en')}\n\n\n{chinese}{meaning('zh')}\n".encode()


def _bytes(folder: Path, name: str) -> bytes:
    """Read a file that the result names; it must lie in the folder."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BundleError(
            f"seal: {name!r} lies outside of {folder}; a result may name files beside it only: "
            f"evaluate again"
        )
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise BundleError(
            f"seal: {path} is missing; it is written by sdq evaluate: evaluate again"
        ) from error
    except OSError as error:
        raise BundleError(
            f"seal: {path} cannot be read ({error.strerror or type(error).__name__}); "
            f"check that it is a file that you may read"
        ) from error


def _check_belongs(result: Result, items: bytes) -> None:
    """Raise where the list of items is not the one of this result."""
    digests: dict[str, list[str]] = {str(role): [] for role in result.cohorts}
    for role, _, digest in read_items(items):
        digests.setdefault(role, []).append(digest)
    for role, cohort in result.cohorts.items():
        if cohort_digest(digests[str(role)]) != cohort.digest:
            raise BundleError(
                f"seal: {ITEMS} and {RESULT} differ in the cohort {role}: they come from two "
                f"evaluations, or one was changed; evaluate again"
            )


def _check_shows_nothing_real(result: Result, folder: Path, files: Mapping[str, bytes]) -> None:
    """Raise where a document holds a picture of a gallery that was made with --show-real."""
    shown = [_bytes(folder, i.file) for i in result.gallery if (folder / i.file).exists()]
    for name, data in files.items():
        parts = unpacked(name, data)
        for picture in shown:
            if base64.b64encode(picture) in data or picture in parts:
                raise BundleError(
                    f"seal: {name} shows real items or copies of them, and a bundle holds none; "
                    f"write it again without --show-real (sdq report {folder.name})"
                )


def _review_logs(result: Result) -> dict[str, str]:
    """Return the logs of manual reviews that the result names, with their SHA-256."""
    found = (m.details.get("review") for m in result.measurements)
    return {
        str(review["log_file"]): str(review["log_sha256"])
        for review in found
        if isinstance(review, Mapping) and {"log_file", "log_sha256"} <= review.keys()
    }


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
