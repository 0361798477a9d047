"""Bringing objects into a local folder, once: what is there and unchanged is not fetched again."""

from __future__ import annotations

import json
import os
import random
import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sdq_core.errors import InputError, PluginError
from sdq_core.files import atomic_write
from sdq_core.finding import Finding
from sdq_core.hashing import canonical_json
from sdq_core.remote.archive import inside
from sdq_core.remote.rules import left_out
from sdq_core.remote.url import Address

__all__ = ["fetch"]

_AT_A_TIME: Final = 8
_TRIES: Final = 4
_TAGS: Final = (
    "ETag", "etag", "md5", "checksum", "VersionId", "LastModified", "last_modified", "modified",
    "mtime", "updated", "created",
)  # fmt: skip
"""What file systems call that which changes with an object."""
_LASTING: Final = (FileNotFoundError, PermissionError, NotImplementedError)
_MANIFEST: Final = "manifest.json"

Progress = Callable[[int, int], None]


def fetch(
    address: Address, folder: Path, progress: Progress | None = None
) -> tuple[Path, tuple[Finding, ...]]:
    """Fetch an object, or all objects below a prefix.

    Parameters
    ----------
    address : Address
        With a URL that fsspec reads; credentials come from it, from fsspec's configuration, or
        from the environment of the store's own client.
    folder : Path
        Of this address alone; what an earlier run fetched is used where it is unchanged.
    progress : callable, optional
        Called with the bytes that are here and the total.

    Returns
    -------
    place : Path
        The file, or the folder that mirrors the prefix.
    findings : tuple of Finding
        One for each object that was left out.

    Raises
    ------
    InputError
        The store cannot be reached, or there is nothing at this address.
    PluginError
        The package that reads this kind of URL is missing.
    """
    system, root = _system(address)
    objects, single = _asked(address, lambda: _listed(system, root))
    if not objects:
        raise InputError(f"{address.shown}: nothing is there; check the address")
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    known = _manifest(folder)
    findings: list[Finding] = []
    wanted: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for name, (path, info) in objects.items():
        if (target := inside(data, name)) is None:
            findings.append(left_out("member_outside", name))
        elif not _here(target, known.get(name), info):
            wanted[name] = (path, info)
    total = sum(int(info.get("size") or 0) for _, info in objects.values())
    done = total - sum(int(info.get("size") or 0) for _, info in wanted.values())
    if progress is not None:
        progress(done, total)
    lost: dict[str, str] = {}
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        waiting = {
            pool.submit(_fetched, system, path, data / name, info): name
            for name, (path, info) in wanted.items()
        }
        try:
            for future in as_completed(waiting):
                name = waiting[future]
                rule, entry = future.result()
                if entry is None:
                    lost[name] = rule
                    known.pop(name, None)
                else:
                    known[name] = entry
                    done += entry["size"]
                    if progress is not None:
                        progress(done, total)
        finally:
            pool.shutdown(cancel_futures=True)
            # What has come stays known, whatever stopped the rest.
            atomic_write(folder / _MANIFEST, canonical_json(known))
    if len(lost) == len(objects):
        raise InputError(
            f"{address.shown}: not one of {len(objects)} objects can be fetched; "
            f"check that you may read them"
        )
    findings += [left_out(rule, name) for name, rule in sorted(lost.items())]
    _remove_others(data, set(objects) - set(lost))
    return (data / next(iter(objects)) if single else data), tuple(findings)


def _system(address: Address) -> tuple[Any, str]:
    try:
        import fsspec
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise PluginError(
            f"{address.shown}: reading a URL needs fsspec; install with: pip install 'sdq[remote]'"
        ) from error
    scheme = address.location.partition("://")[0]
    try:
        if scheme not in fsspec.available_protocols():
            raise InputError(
                f"{address.shown}: fsspec knows no {scheme}://; write e.g. s3:// or a local path"
            )
        system, root = url_to_fs(address.location)
    except ImportError as error:
        raise PluginError(
            f"{address.shown}: reading {scheme}:// needs a package that is not here "
            f"(for s3: pip install 'sdq[remote]'; for others see fsspec's list of file systems)"
        ) from error
    except InputError:
        raise
    except Exception as error:  # any client may refuse its arguments in its own way
        raise InputError(
            f"{address.shown}: cannot be opened ({type(error).__name__}); check the address and "
            f"the credentials of its client"
        ) from None  # the cause may quote credentials
    return system, root


def _asked(
    address: Address, ask: Callable[[], tuple[dict[str, tuple[str, Mapping[str, Any]]], bool]]
) -> tuple[dict[str, tuple[str, Mapping[str, Any]]], bool]:
    for attempt in range(_TRIES):
        try:
            return ask()
        except FileNotFoundError:
            raise InputError(f"{address.shown}: nothing is there; check the address") from None
        except PermissionError:
            raise InputError(
                f"{address.shown}: access denied; check the credentials of its client"
            ) from None
        except Exception as error:  # any client fails in its own way
            if attempt + 1 == _TRIES:
                raise InputError(
                    f"{address.shown}: cannot be reached after {_TRIES} tries "
                    f"({type(error).__name__}); check address, network and credentials"
                ) from None
        _wait(attempt)
    raise AssertionError("the last try returns or raises")


def _listed(system: Any, root: str) -> tuple[dict[str, tuple[str, Mapping[str, Any]]], bool]:
    """Return name -> (path in the store, what it says of it), and whether it is one object."""
    system.invalidate_cache()
    if system.isfile(root):
        return {root.rstrip("/").rpartition("/")[2]: (root, system.info(root))}, True
    found = system.find(root, detail=True)
    base = root.rstrip("/") + "/"
    return {
        path.removeprefix(base): (path, info)
        for path, info in sorted(found.items())
        if path.startswith(base) and info.get("type", "file") == "file"
    }, False


def _fetched(
    system: Any, path: str, target: Path, info: Mapping[str, Any]
) -> tuple[str, dict[str, Any] | None]:
    """Fetch one object; return the rule that it breaks, or its entry in the manifest."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f".sdq-{secrets.token_hex(8)}.tmp"
    rule = "object_unreadable"
    try:
        for attempt in range(_TRIES):
            try:
                system.get_file(path, os.fspath(temporary))
                now = system.info(path)
            except _LASTING:
                return "object_unreadable", None
            except Exception:  # any client fails in its own way; the last failure becomes a finding
                _wait(attempt)
                continue
            size = temporary.stat().st_size
            before, after = _tags(info), _tags(now)
            if _same(before, after) and size == now.get("size", size):
                temporary.replace(target)
                stamp = target.stat().st_mtime_ns
                return "", {"size": size, "tags": before | after, "mtime": stamp}
            rule, info = "object_changed", now
        return rule, None
    finally:
        temporary.unlink(missing_ok=True)


def _tags(info: Mapping[str, Any]) -> dict[str, str]:
    """Return what changes when the object does: the store's own tags beside the size."""
    return {key: _said(info[key]) for key in ("size", *_TAGS) if info.get(key) is not None}


def _said(value: Any) -> str:
    """Return a tag as text: some stores tell a time now as a date, now as seconds."""
    if isinstance(value, datetime):
        value = value.timestamp()
    return f"{value:.6f}" if isinstance(value, float) else str(value)


def _same(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether nothing that was said both times changed: a listing may say less than a question."""
    return all(before[key] == after[key] for key in before.keys() & after.keys())


def _here(target: Path, entry: Mapping[str, Any] | None, info: Mapping[str, Any]) -> bool:
    try:
        if entry is None or not _same(entry["tags"], _tags(info)):
            return False
        found = target.stat()
        return bool(found.st_size == entry["size"] and found.st_mtime_ns == entry["mtime"])
    except (OSError, KeyError, TypeError, AttributeError):  # gone, or a manifest of another form
        return False


def _manifest(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        known = json.loads((folder / _MANIFEST).read_bytes())
    except (OSError, ValueError):
        return {}  # everything is fetched again
    return known if isinstance(known, dict) else {}


def _remove_others(data: Path, names: set[str]) -> None:
    """Remove what is no longer in the store: the folder mirrors it."""
    keep = {inside(data, name) for name in names}
    for path in sorted(data.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in keep:
            path.unlink()


def _wait(attempt: int) -> None:
    # Not a part of any result: many clients shall not come back at the same moment.
    time.sleep(0.25 * 2**attempt * (1 + random.random()))  # noqa: S311
