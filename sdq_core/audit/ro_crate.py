"""The bundle as a Research Object: ``ro-crate-metadata.json`` (RO-Crate 1.1)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sdq_core.audit.provider import stated
from sdq_core.result import Result
from sdq_core.vocabulary import Role

__all__ = ["media_type", "ro_crate"]

_SPECIFICATION: Final = "https://w3id.org/ro/crate/1.1"
_UNSTATED: Final = "#licence"
_MEDIA: Final = {
    "csv": "text/csv",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "html": "text/html",
    "json": "application/json",
    "lock": "text/plain",
    "parquet": "application/vnd.apache.parquet",
    "pdf": "application/pdf",
    "png": "image/png",
    "txt": "text/plain",
    "yaml": "application/yaml",
}
_SAYS: Final = {
    "result.json": "The judged evaluation as plain data, schema sdq.result/1",
    "findings.csv": "Every finding about an item, as a table",
    "findings.parquet": "Every finding about an item, as Parquet",
    "items.csv": "What was judged as one: role, item, SHA-256 of its content",
    "files.csv": "Files of the cohorts: role, path, bytes, SHA-256",
    "study.yaml": "The study as it was evaluated",
    "generator.yaml": "What the provider states about the generator",
    "environment.lock": "Packages, system, hardware and seed of the evaluation",
    "croissant.json": "The synthetic data set as Croissant metadata",
    "README.txt": "How to verify the bundle, and what that shows",
    "report.html": "The report for people",
}


def media_type(name: str) -> str:
    """Return the media type of a file of the bundle.

    Examples
    --------
    >>> media_type("gallery/01.png"), media_type("environment.lock")
    ('image/png', 'text/plain')
    """
    return _MEDIA.get(name.rpartition(".")[2].lower(), "application/octet-stream")


def ro_crate(result: Result, files: Mapping[str, bytes], seal: str) -> bytes:
    """Return the metadata file: same result, same bytes.

    Parameters
    ----------
    result : Result
    files : mapping of str to bytes
        The bundle's other files by name.
    seal : str
        Name of the seal, which is made afterwards and covers this file.
    """
    graph = list(_entities(result, files, seal))
    data = {"@context": f"{_SPECIFICATION}/context", "@graph": graph}
    return (json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode(
        "utf-8", "backslashreplace"
    )


def _entities(result: Result, files: Mapping[str, bytes], seal: str) -> Iterator[dict[str, Any]]:
    name = str(result.study.get("name") or "study")
    licence = stated(result, "dataset.licence")
    verdicts = ", ".join(f"{c} {v}" for c, v in result.verdicts.items())
    yield {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": _SPECIFICATION},
    }
    # The clock of the machine that evaluated; no other time is known.
    made = result.environment.get("timestamp")
    yield {
        "@id": "./",
        "@type": "Dataset",
        **({"datePublished": str(made)} if made else {}),
        "name": f"Evidence of an evaluation of synthetic data: {name}",
        "description": (
            f"Result, findings, documents and lists of the judged files of the study {name!r} "
            f"(modality {result.modality.get('name', '')}, profile "
            f"{result.profile.get('name', '')} {result.profile.get('version', '')}). "
            f"Verdicts by quality characteristic: {verdicts or 'none'}. The data themselves are "
            f"not in the bundle."
        ),
        "license": {"@id": licence if _is_url(licence) else _UNSTATED},
        "hasPart": [{"@id": n} for n in sorted((*files, seal))],
        "mentions": [
            {"@id": "#evaluation"},
            *({"@id": f"#cohort-{role}"} for role in Role if role in result.cohorts),
        ],
    }
    yield _licence(licence)
    for file in sorted(files):
        yield {
            "@id": file,
            "@type": "File",
            "name": file,
            "description": _SAYS.get(file, _kind(file)),
            "contentSize": str(len(files[file])),
            "encodingFormat": media_type(file),
        }
    yield {
        "@id": seal,
        "@type": "File",
        "name": seal,
        "description": (
            "DSSE envelope with an in-toto Statement v1: the SHA-256 of every other file, signed "
            "with ed25519"
        ),
        "encodingFormat": "application/json",
    }
    yield from _evaluation(result)


def _evaluation(result: Result) -> Iterator[dict[str, Any]]:
    cohorts = [role for role in Role if role in result.cohorts]
    version = (result.environment.get("packages") or {}).get("sdq")
    action = {
        "@id": "#evaluation",
        "@type": "CreateAction",
        "name": "Evaluation of the synthetic cohort beside the real ones",
        "instrument": {"@id": "#sdq"},
        "object": [{"@id": f"#cohort-{role}"} for role in cohorts],
        "result": {"@id": "result.json"},
    }
    if "timestamp" in result.environment:
        action["endTime"] = str(result.environment["timestamp"])
    yield action
    software = {"@id": "#sdq", "@type": "SoftwareApplication", "name": "sdq"}
    yield software | ({"softwareVersion": str(version)} if version else {})
    for role in cohorts:
        cohort = result.cohorts[role]
        yield {
            "@id": f"#cohort-{role}",
            "@type": "CreativeWork",
            "name": f"{role} cohort",
            "description": (
                f"{cohort.items} items, {cohort.readable} readable; not part of the bundle"
            ),
            "identifier": f"sha256:{cohort.digest}",
        }


def _licence(licence: str) -> dict[str, Any]:
    if _is_url(licence):
        return {"@id": licence, "@type": "CreativeWork", "name": licence, "url": licence}
    said = licence or "The provider stated no licence; ask before use. / 提供方未声明许可。"
    return {"@id": _UNSTATED, "@type": "CreativeWork", "name": "Licence", "description": said}


def _is_url(text: str) -> bool:
    return text.startswith(("https://", "http://")) and not any(c in text for c in ' "<>\\^`{|}')


def _kind(file: str) -> str:
    if file.startswith("gallery/"):
        return "Picture of a synthetic item"
    return "Document rendered from result.json"
