"""A study whose cohorts lie elsewhere becomes one whose cohorts lie here."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sdq_core.errors import InputError
from sdq_core.files import atomic_write
from sdq_core.finding import Finding
from sdq_core.hashing import canonical_json, hash_file
from sdq_core.remote.archive import inside, unpack
from sdq_core.remote.rules import RULES, left_out
from sdq_core.remote.transfer import fetch
from sdq_core.remote.url import Address, address_of, is_archive

if TYPE_CHECKING:
    from sdq_core.study import Study

__all__ = ["Staged", "elsewhere", "stage"]

Progress = Callable[[str, int, int], None]
Place = tuple[Path, tuple[Finding, ...]]
"""Where something lies on this machine, and what was left out on the way."""


@dataclass(frozen=True)
class Staged:
    """A study that can be read on this machine.

    Parameters
    ----------
    study : Study
    findings : tuple of Finding
        What was left out on the way, by the role of its cohort.
    """

    study: Study
    findings: tuple[Finding, ...] = field(default=())


def elsewhere(study: Study) -> bool:
    """Return whether any path of a study is a URL or an archive."""
    return any(_address(path) for path in _paths(study))


def stage(study: Study, cache: Path, progress: Progress | None = None) -> Staged:
    """Bring all cohorts, label and lineage tables of a study into a local folder.

    Parameters
    ----------
    study : Study
        Its paths may be URLs of fsspec, archives, or places inside archives.
    cache : Path
        Folder for the copies, readable by its owner alone; it holds real data. What it holds from
        earlier runs is used where it is unchanged.
    progress : callable, optional
        Called with ``"fetch: role"``, the bytes done and the total.

    Returns
    -------
    Staged
        The same study where nothing lies elsewhere.

    Raises
    ------
    InputError
        An address cannot be reached or read.
    PluginError
        The package that reads it is missing.
    """
    if not elsewhere(study):
        return Staged(study)
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    places: dict[Path, Place] = {}
    fetched: dict[str, Place] = {}
    unpacked: dict[Path, Place] = {}

    def local(path: Path, what: str) -> Path:
        address = _address(path)
        if address is None:
            return path
        if path not in places:
            told = None if progress is None else lambda done, n: progress(f"fetch: {what}", done, n)
            places[path] = _staged(address, cache, fetched, unpacked, told)
        return places[path][0]

    sources = {}
    findings: list[Finding] = []
    for role, source in study.cohorts.items():
        place = local(source.path, str(role))
        findings += [
            Finding(f.rule, f.severity, f.message, f.message_zh, f.where, f.item, str(role))
            for f in places.get(source.path, (place, ()))[1]
        ]
        tables = {
            name: None if path is None else local(path, f"{role} {name}")
            for name, path in (("labels", source.labels), ("lineage", source.lineage))
        }
        sources[role] = source.model_copy(update={"path": place, **tables})
    settings = {
        key: str(local(Path(value), key)) if key in _FOLDERS and isinstance(value, str) else value
        for key, value in study.settings.items()
    }
    found = study.model_copy(update={"cohorts": sources, "settings": settings})
    return Staged(found, tuple(findings))


_FOLDERS = ("masks", "schema", "rules")
"""Settings of modalities that may name one place elsewhere."""


def _paths(study: Study) -> list[Path]:
    cohorts = [p for s in study.cohorts.values() for p in (s.path, s.labels, s.lineage) if p]
    named = (study.settings.get(key) for key in _FOLDERS)
    return [*cohorts, *(Path(value) for value in named if isinstance(value, str))]


def _address(path: Path) -> Address | None:
    """Return the address that a path stands for; a folder may be called like an archive."""
    return None if path.is_dir() else address_of(path)


def _staged(
    address: Address,
    cache: Path,
    fetched: dict[str, Place],
    unpacked: dict[Path, Place],
    progress: Callable[[int, int], None] | None,
) -> Place:
    """Return the local place of an address.

    What was fetched and unpacked for another path of the study is in the two mappings, and is not
    asked for, hashed or unpacked again: a label table often lies in the archive of its items.
    """
    findings: tuple[Finding, ...] = ()
    if address.remote:
        if address.location not in fetched:
            # Named by the address without its credentials, which may change from day to day.
            plain = Address(address.location)
            key = hashlib.sha256(plain.shown.encode()).hexdigest()[:24]
            fetched[address.location] = fetch(plain, cache / key, progress)
        place, findings = fetched[address.location]
    else:
        place = Path(address.location)
        if not place.is_file():
            raise InputError(f"{place}: there is no such archive; check the path")
    inner = address.inner
    if not inner and is_archive(place.name) and place.is_file():
        inner = ("",)
    for part in inner:
        if not place.is_file() or not is_archive(place.name):
            raise InputError(
                f"{address.shown}: {place.name} is no archive that can be unpacked "
                f"(.zip, .tar, .tar.gz, .tar.bz2, .tar.xz)"
            )
        if place not in unpacked:
            unpacked[place] = _unpacked(place, cache, address.shown, progress)
        folder, more = unpacked[place]
        findings = (*findings, *more)
        within = folder if not part else inside(folder, part)
        if within is None or not within.exists():
            raise InputError(f"{address.shown}: the archive holds no {part}; check the place in it")
        place = within
    return place, findings


def _unpacked(
    archive: Path, cache: Path, shown: str, progress: Callable[[int, int], None] | None
) -> Place:
    """Return the folder that holds what is in an archive; unpacked once for each content."""
    folder = cache / hash_file(archive)[:24]
    done = folder / "findings.json"
    data = folder / "data"
    if done.is_file() and (known := _read(done)) is not None:
        return data, known
    shutil.rmtree(folder, ignore_errors=True)
    data.mkdir(mode=0o700, parents=True)
    findings = unpack(archive, data, shown, progress)
    atomic_write(done, canonical_json([_as_json(f) for f in findings]))
    return data, findings


def _as_json(finding: Finding) -> Mapping[str, str]:
    return {"rule": finding.rule.rpartition(".")[2], "item": finding.item}


def _read(path: Path) -> tuple[Finding, ...] | None:
    try:
        known = json.loads(path.read_bytes())
        return tuple(left_out(k["rule"], k["item"]) for k in known if k["rule"] in RULES)
    except (OSError, ValueError, TypeError, KeyError):
        return None
