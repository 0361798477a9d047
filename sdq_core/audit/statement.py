"""What is signed: an in-toto Statement v1 that names every file of the bundle with its hash.

https://github.com/in-toto/attestation, ``spec/v1/statement.md``. The predicate is sdq's own: which
evaluation this is, of which data, by which version, so that one signed list cannot be shown for
another evaluation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sdq_core.errors import BundleError
from sdq_core.hashing import canonical_json
from sdq_core.result import Result

__all__ = [
    "PAYLOAD_TYPE",
    "PREDICATE_TYPE",
    "Predicate",
    "Statement",
    "read_statement",
    "statement_of",
]

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:x-sdq:evidence:1"
SCHEMA: Final = "sdq.evidence/1"

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Model(BaseModel):
    # Readers of in-toto ignore fields that they do not know: a later version may add some.
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class JudgedCohort(_Model):
    """One cohort as it was judged; the digest is that of ``result.json``."""

    items: int
    digest: Sha256


class Predicate(_Model):
    """Which evaluation the bundle holds."""

    schema_: Literal["sdq.evidence/1"] = Field(default=SCHEMA, alias="schema")
    study: str
    modality: str
    profile: str
    schemas: dict[str, str]
    sdq: str | None
    evaluated: str | None = Field(description="what the evaluating machine's clock said")
    cohorts: dict[str, JudgedCohort]
    verdicts: dict[str, str]


class _Digest(_Model):
    sha256: Sha256


class _Subject(_Model):
    name: str
    digest: _Digest


class Statement(_Model):
    """An in-toto Statement v1 with our predicate."""

    type_: Literal["https://in-toto.io/Statement/v1"] = Field(
        default="https://in-toto.io/Statement/v1", alias="_type"
    )
    subject: tuple[_Subject, ...] = Field(min_length=1)
    predicate_type: Literal["urn:x-sdq:evidence:1"] = Field(
        default="urn:x-sdq:evidence:1", alias="predicateType"
    )
    predicate: Predicate

    @model_validator(mode="after")
    def _named_once(self) -> Statement:
        if len({s.name for s in self.subject}) != len(self.subject):
            raise ValueError("a file is named twice")
        return self

    @property
    def files(self) -> dict[str, str]:
        """Name of each file of the bundle -> its SHA-256."""
        return {s.name: s.digest.sha256 for s in self.subject}

    def to_json(self) -> bytes:
        """Return the bytes that are signed: same statement, same bytes."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))


def statement_of(result: Result, files: Mapping[str, str]) -> Statement:
    """Return the statement about a bundle.

    Parameters
    ----------
    result : Result
    files : mapping of str to str
        Name in the bundle -> SHA-256.
    """
    generator = result.study.get("generator")
    schemas = {
        "result": result.schema_,
        "study": str(result.study.get("schema", "")),
        "generator": str(generator.get("schema", "")) if isinstance(generator, Mapping) else "",
    }
    environment = result.environment
    return Statement(
        subject=tuple(
            _Subject(name=name, digest=_Digest(sha256=digest))
            for name, digest in sorted(files.items())
        ),
        predicate=Predicate(
            study=str(result.study.get("name", "")),
            modality=str(result.modality.get("name", "")),
            profile=" ".join(result.profile.get(k, "") for k in ("name", "version")).strip(),
            schemas={name: version for name, version in schemas.items() if version},
            sdq=(environment.get("packages") or {}).get("sdq"),
            evaluated=environment.get("timestamp"),
            cohorts={
                str(role): JudgedCohort(items=cohort.items, digest=cohort.digest)
                for role, cohort in result.cohorts.items()
            },
            verdicts={str(c): str(v) for c, v in result.verdicts.items()},
        ),
    )


def read_statement(payload_type: str, payload: bytes) -> Statement:
    """Read the payload of an envelope.

    Raises
    ------
    BundleError
        It is no statement of the type that this version reads.
    """
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise BundleError("the seal holds no JSON; ask for the bundle again") from error
    if not isinstance(found, dict):
        raise BundleError("the seal holds no statement; ask for the bundle again")
    _check_version(payload_type, found)
    try:
        return Statement.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "statement"
        raise BundleError(
            f"the seal's statement breaks its schema at {where}: {first['msg']}; "
            f"ask for the bundle again"
        ) from error


def _check_version(payload_type: str, found: Mapping[str, Any]) -> None:
    """Raise where a newer sdq, or another program, made the statement."""
    if payload_type != PAYLOAD_TYPE or found.get("_type") != STATEMENT_TYPE:
        raise BundleError(
            "the seal holds no in-toto Statement v1; another program, or a newer sdq, made it"
        )
    if found.get("predicateType") != PREDICATE_TYPE:
        raise BundleError(
            f"the seal is of another type than {PREDICATE_TYPE!r}, which this version of sdq "
            f"reads; verify it with the version that sealed"
        )
