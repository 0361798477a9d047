"""YAML files that people write: read safely, and every problem said with its key and line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from sdq_core.errors import StudyError

__all__ = ["YamlFile", "problems", "read_yaml"]

MOST_BYTES: Final = 2**20
MOST_NODES: Final = 50_000
"""Nodes of a file, counted once for each alias: a small file may unfold into a huge one."""


class _Loader(yaml.SafeLoader):
    """Leaves dates as texts: one that does not exist is then said with its key."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

Lines = Mapping[tuple[str, ...], int]


@dataclass(frozen=True)
class YamlFile:
    """What a file holds.

    Parameters
    ----------
    name : str
        For messages.
    data : dict
    lines : mapping of tuple of str to int
        Key path -> line, counted from 1.
    """

    name: str
    data: dict[str, Any]
    lines: Lines


def read_yaml(path: Path, what: str, example: str) -> YamlFile:
    """Read a file that must hold a mapping.

    Parameters
    ----------
    path : Path
    what : str
        What the file is, for messages: ``"study file"``.
    example : str
        Command that prints an example of such a file.

    Returns
    -------
    YamlFile

    Raises
    ------
    StudyError
        The file cannot be read, is no YAML, holds no mapping, or a key twice.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise StudyError(f"{path}: is larger than a {what} may be ({MOST_BYTES} bytes)")
        text = raw.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(
            f"{path}: cannot be read ({error}); give a UTF-8 {what}, see: {example}"
        ) from error
    try:
        lines = _lines(yaml.compose(text, Loader=yaml.SafeLoader))
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - derives from SafeLoader
    except (yaml.YAMLError, ValueError) as error:
        raise StudyError(f"{path}: is not valid YAML: {error}") from error
    except RecursionError as error:
        raise StudyError(f"{path}: is nested too deeply; write a plain {what}") from error
    if not isinstance(data, dict):
        raise StudyError(f"{path}: must hold a mapping of keys, see: {example}")
    return YamlFile(str(path), data, lines)


def problems(
    error: ValidationError,
    file: YamlFile,
    whole: str,
    say: Callable[[Mapping[str, Any]], str],
    about: Callable[[str], str] = lambda key: "",
) -> str:
    """Return the problems of a file that breaks its schema, one a line.

    Parameters
    ----------
    error : ValidationError
    file : YamlFile
    whole : str
        What is named where a problem has no key.
    say : callable
        Problem -> its words.
    about : callable
        Dotted key -> a remark behind the key; empty for none.

    Returns
    -------
    str
    """
    found = []
    for problem in error.errors():
        where = _keys(problem["loc"], file.data)
        known = [where[:k] for k in range(len(where), -1, -1) if where[:k] in file.lines]
        line = f", line {file.lines[known[0]]}" if known else ""
        key = ".".join(where)
        found.append(f"{file.name}{line}: {key or whole}{about(key)}: {say(problem)}")
    return "\n".join(dict.fromkeys(found))


def _keys(place: tuple[int | str, ...], data: Any) -> tuple[str, ...]:
    """Return the keys of a place; the names of a union's branches, which no file holds, are not."""
    found: list[str] = []
    for number, part in enumerate(place):
        if part == "[key]":
            continue
        if isinstance(data, Mapping):
            match = next((k for k in data if k == part or str(k) == str(part)), None)
            if match is None and number < len(place) - 1:
                continue
            data = None if match is None else data[match]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        elif data is not None and not isinstance(data, list):
            continue
        found.append(str(part))
    return tuple(found)


def _lines(
    node: yaml.Node | None, path: tuple[str, ...] = (), seen: list[int] | None = None
) -> dict[tuple[str, ...], int]:
    """Map each key path of a YAML tree to its line, and refuse doubled keys."""
    found: dict[tuple[str, ...], int] = {}
    if node is None:
        return found
    seen = [] if seen is None else seen
    seen.append(1)
    if len(seen) > MOST_NODES:
        raise yaml.YAMLError("holds too many values; aliases (&, *) unfold here")
    found[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            where = (*path, str(key.value))
            if where in found:
                raise yaml.YAMLError(
                    f"line {key.start_mark.line + 1}: the key {'.'.join(where)} stands twice "
                    f"(first in line {found[where]})"
                )
            found |= _lines(value, where, seen)
            found[where] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            found |= _lines(value, (*path, str(index)), seen)
    return found
