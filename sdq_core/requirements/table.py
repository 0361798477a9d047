"""The tables of requirements and of the clauses that they come from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

from sdq_core.vocabulary import Characteristic

__all__ = [
    "Citation",
    "DocumentKind",
    "Requirement",
    "citations",
    "documents",
    "requirements",
    "table",
]

DocumentKind = Literal["synthesis_description", "validation_report", "quality_assessment_report"]


@dataclass(frozen=True)
class Requirement:
    """One thing that is asked for.

    Parameters
    ----------
    id : str
        Stable: it never names anything else.
    characteristic : Characteristic or None
        None: it is asked of a document.
    en, zh : str
        What is asked for.
    method_en, method_zh : str
        How it is assessed.
    measures : tuple of str
        Patterns of measures without the modality: ``"fidelity.mmd"``, ``"fidelity.*"``,
        ``"privacy.k_anonymity[unique-match]"``.
    facts : tuple of str
        Keys of the generator's description that must be filled in.
    documents : tuple of str
        Where it is answered.
    checked_by : {"", "people"}
        ``"people"``: no tool decides it.
    """

    id: str
    characteristic: Characteristic | None
    en: str
    zh: str
    method_en: str
    method_zh: str
    measures: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    documents: tuple[DocumentKind, ...] = ()
    checked_by: Literal["", "people"] = ""


@dataclass(frozen=True)
class Citation:
    """A place that asks for a requirement.

    Parameters
    ----------
    document : str
        Short name.
    clause : str
        Number of the clause, only where it is known; else empty.
    en, zh : str
        The whole citation in words, with the document's title.
    verified : bool
        Whether the place was read. Another one is printed as informative.
    """

    document: str
    clause: str
    en: str
    zh: str
    verified: bool

    def short(self, language: str = "en") -> str:
        """Return the citation as it stands in messages.

        Examples
        --------
        >>> citations("R-FID-01")[0].short()
        'Part 6 proposal, feature distribution fidelity: marginal consistency'
        """
        return self.zh if language == "zh" else self.en


@cache
def requirements() -> tuple[Requirement, ...]:
    """Return all requirements, in the order of the characteristics, then of the documents.

    Examples
    --------
    >>> [r.id for r in requirements()][:2]
    ['R-FID-01', 'R-FID-02']
    """
    found = []
    for row in table("requirements")["requirements"]:
        characteristic = row.get("characteristic")
        found.append(
            Requirement(
                row["id"],
                None if characteristic is None else Characteristic(characteristic),
                row["en"],
                row["zh"],
                row["method_en"],
                row["method_zh"],
                tuple(row.get("measures", ())),
                tuple(row.get("facts", ())),
                tuple(row["documents"]),
                row.get("checked_by", ""),
            )
        )
    return tuple(found)


@cache
def citations(requirement: str) -> tuple[Citation, ...]:
    """Return the places that ask for a requirement; the first one leads.

    Parameters
    ----------
    requirement : str
        Its id.

    Raises
    ------
    KeyError
        There is no such requirement.
    """
    clauses = table("clauses")
    found = []
    for row in clauses["citations"][requirement]:
        document = clauses["documents"][row["document"]]
        clause = str(row.get("clause", ""))
        found.append(
            Citation(
                document["name"],
                clause,
                f"{document['name']} {clause}".strip() + f", {row['en']}",
                f"{document.get('name_zh', document['name'])} {clause}".strip() + f"，{row['zh']}",
                bool(row["verified"]),
            )
        )
    return tuple(found)


@cache
def documents() -> tuple[tuple[str, str, str], ...]:
    """Return the documents that are cited: short name, English title, Chinese title."""
    found = table("clauses")["documents"].values()
    return tuple((d["name"], d["en"], d["zh"]) for d in found)


@cache
def table(name: str) -> dict[str, Any]:
    """Return one of the package's YAML files."""
    text = (files("sdq_core.requirements") / f"{name}.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded
