"""Reads rules from YAML: those of the package, and users' own files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from sdq_core.errors import StudyError
from sdq_core.vocabulary import Severity
from sdq_ehr.semantics.kinds import KINDS
from sdq_ehr.semantics.rule import Rule

__all__ = ["VERSION", "built_in_rules", "load_rules"]

VERSION: Final = "sdq.ehr-rules/1"
MODELS: Final = ("table", "omop", "fhir")
_KEYS: Final = (
    "id", "kind", "severity", "message", "message_zh", "source", "verified", "models", "parameters",
)  # fmt: skip
_REQUIRED: Final = ("id", "kind", "severity", "message", "source")
_ID = re.compile(r"ehr\.(?:semantics|conformity)\.[a-z0-9_]+(?:\.[a-z0-9_]+)?")


class _Loader(yaml.BaseLoader):
    """Reads every scalar as text: codes keep their zeros. Refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


@lru_cache(maxsize=1)
def built_in_rules() -> tuple[Rule, ...]:
    """Return the rules that come with the package, in the order of their files.

    Examples
    --------
    >>> sorted({r.kind for r in built_in_rules()})[:3]
    ['age', 'dictionary', 'drug_allergy']
    """
    folder = resources.files("sdq_ehr.semantics").joinpath("rules")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return tuple(rule for f in files for rule in _rules(f.read_text("utf-8"), f.name))


def load_rules(paths: Iterable[str | Path] = (), built_in: bool = True) -> tuple[Rule, ...]:
    """Return the package's rules and those of users' files.

    A rule of a later file takes the place of an earlier one with the same id, so that users change
    severity or limits of a rule of the package.

    Parameters
    ----------
    paths : iterable of path
        YAML files with ``version: sdq.ehr-rules/1`` and a list ``rules``.
    built_in : bool
        Whether to begin with the rules of the package.

    Returns
    -------
    tuple of Rule

    Raises
    ------
    StudyError
        A file cannot be read or a rule breaks the form: names file, rule, key and remedy.

    Examples
    --------
    >>> len(load_rules()) == len(built_in_rules())
    True
    """
    rules = {rule.id: rule for rule in built_in_rules()} if built_in else {}
    for path in map(Path, paths):
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise StudyError(
                f"rules {path.name}: cannot be read ({type(error).__name__}); give a YAML file in "
                "UTF-8"
            ) from error
        rules |= {rule.id: rule for rule in _rules(text, path.name)}
    return tuple(rules.values())


def _rules(text: str, file: str) -> Iterator[Rule]:
    try:
        plain = yaml.load(text, Loader=_Loader)  # noqa: S506 (makes texts only)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "is no valid YAML"
        raise StudyError(f"rules {file}{line}: {problem}; correct it") from error
    if not isinstance(plain, Mapping) or not isinstance(plain.get("rules"), list):
        raise StudyError(
            f"rules {file}: must be a mapping with the keys version and rules, rules being a list"
        )
    if plain.get("version") != VERSION:
        raise StudyError(f"rules {file}: version must be {VERSION}; write it at the top")
    if extra := sorted(map(str, set(plain) - {"version", "rules"})):
        raise StudyError(f"rules {file}: unknown key {extra[0]!r}; use version and rules")
    seen: set[str] = set()
    for number, entry in enumerate(plain["rules"], 1):
        rule = _rule(entry, file, number)
        if rule.id in seen:
            raise StudyError(f"rules {file}: {rule.id}: id stands twice; give each rule its own")
        seen.add(rule.id)
        yield rule


def _rule(entry: object, file: str, number: int) -> Rule:
    where = f"rules {file}: rule {number}"
    if not isinstance(entry, Mapping):
        raise StudyError(f"{where}: must be a mapping with {', '.join(_REQUIRED)}")
    identity = entry.get("id")
    if isinstance(identity, str):
        where = f"rules {file}: {identity}"
    for key in entry:
        if key not in _KEYS:
            raise StudyError(f"{where}: unknown key {key!r}; use some of {', '.join(_KEYS)}")
    for key in _REQUIRED:
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise StudyError(f"{where}: {key}: must be a text; write it")
    if not _ID.fullmatch(entry["id"]):
        raise StudyError(
            f"{where}: id: must be ehr.semantics.<name> or ehr.conformity.<name> in small letters, "
            "digits and _; rename it"
        )
    if entry["kind"] not in KINDS:
        raise StudyError(f"{where}: kind: there is no {entry['kind']!r}; use {', '.join(KINDS)}")
    try:
        severity = Severity(entry["severity"])
    except ValueError:
        known = ", ".join(s.value for s in Severity)
        raise StudyError(f"{where}: severity: must be one of {known}; correct it") from None
    models = entry.get("models") or []
    if not isinstance(models, list) or any(m not in MODELS for m in models):
        raise StudyError(f"{where}: models: must be a list of some of {', '.join(MODELS)}")
    chinese = entry.get("message_zh", "")
    if not isinstance(chinese, str):
        raise StudyError(f"{where}: message_zh: must be a text; correct it")
    verified = entry.get("verified", "true")
    if verified not in ("true", "false"):
        raise StudyError(f"{where}: verified: must be true or false; correct it")
    plain = entry.get("parameters") or {}
    if not isinstance(plain, Mapping):
        raise StudyError(f"{where}: parameters: must be a mapping; correct it")
    return Rule(
        id=entry["id"],
        kind=entry["kind"],
        severity=severity,
        message=_one_line(entry["message"]),
        message_zh=_one_line(chinese),
        source=_one_line(entry["source"]),
        parameters=_parameters(entry["kind"], plain, where),
        models=tuple(models),
        file=file,
        verified=verified == "true",
    )


def _parameters(kind: str, plain: Mapping[Any, Any], where: str) -> Any:
    try:
        return KINDS[kind].parameters.model_validate(plain)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(["parameters", *map(str, problem["loc"])])
        known = ", ".join(KINDS[kind].parameters.model_fields)
        text = problem["msg"].removeprefix("Value error, ")
        raise StudyError(
            f"{where}: {place}: {text}; keys of the kind {kind!r}: {known or 'none'}"
        ) from error


def _one_line(text: str) -> str:
    return re.sub(r"\s*\n\s*", " ", text.strip())
