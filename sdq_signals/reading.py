"""Step 1 for signals: list the recordings of a folder, open one lazily.

What is an item: a WFDB header that is no segment of another, an EDF or BDF file, a DICOM file, an
array file or each recording of a stack, and a table that has a side-car file or for which the
settings give a sampling rate. Tables whose names start with ``labels`` or which have a column
``item`` are label tables. Side-car files, data and annotation files of a WFDB record and hidden
files are no items. Any other file becomes an item that cannot be read, so that nothing is passed
over in silence. A link in the place of a recording is not followed where it leads out of the folder
or nowhere: it counts as a recording that cannot be read, and has no path that could be opened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path

from sdq_core.description import Item
from sdq_core.errors import UnreadableItem
from sdq_core.finding import Finding
from sdq_core.hashing import hash_files
from sdq_core.listing import natural, relative, walk
from sdq_core.modality import Listing
from sdq_signals.formats import array, side_car, table, wfdb
from sdq_signals.formats.checks import as_kind
from sdq_signals.recording import Recording
from sdq_signals.rules import finding, unreadable
from sdq_signals.settings import SignalsSettings

__all__ = ["list_items", "open_recording"]

NO_ITEMS = (
    ".json", ".yaml", ".yml", ".txt", ".md", ".toml", ".xml", ".html", ".log", ".py", ".pdf",
)  # fmt: skip
"""Suffixes of files that describe."""
NO_NAMES = ("records", "annotators", "dbs", "license", "readme", "dicomdir")
"""Names of files that list or describe recordings, in lower case."""
_BAD_LINKS = ("link_outside", "link_loop")
_TOLD = (*array.SUFFIXES, *table.SUFFIXES)
LABELS = "labels"
"""Start of the name of a label table."""


def list_items(source: Path, settings: SignalsSettings | None = None) -> Listing:
    """List the recordings of a folder or file, or their windows.

    Parameters
    ----------
    source : Path
        Folder, walked in order of names, or one file.
    settings : SignalsSettings, optional
        With ``window_s``, a recording at least twice as long becomes whole windows: items
        ``rec.hea#t=0-10``, ``rec.hea#t=10-20``, whose attribute ``subject`` is the recording.

    Returns
    -------
    Listing
        Items in ascending order of their ids, with digests over all files of each recording;
        findings about links, permissions and tables that were passed over.
    """
    settings = settings or SignalsSettings()
    root, files, found = walk(source, _is_listed, lambda rule, path: finding(rule, item=path))
    headers = [f for f in files if f.suffix.lower() in wfdb.SUFFIXES]
    records, owned = _records(headers)
    stems = {h.with_suffix("") for h in headers}
    items, findings = _links(found, root, stems, settings)
    to_hash: dict[str, list[Path]] = {}
    for path in files:
        name = path.name.lower()
        identifier = relative(path, root)
        if path in records:
            to_hash[identifier] = records[path]
        elif path in owned or (
            path.with_suffix("") in stems and not name.endswith((*_own_suffixes(), ".hea"))
        ):
            continue
        elif name.endswith(array.SUFFIXES):
            items += _arrays(path, identifier, settings)
        elif name.endswith(table.SUFFIXES) and source.is_dir():
            if _is_labels(path):
                continue
            beside = _beside(path)
            if beside or settings.sampling_rate is not None:
                to_hash[identifier] = [path, *beside]
            else:
                findings.append(finding("table_passed_over", item=identifier))
        else:
            to_hash[identifier] = [path, *_beside(path)]
    hashes = _hashes(to_hash)
    items += _hashed(to_hash, hashes)
    if settings.window_s is not None:
        items = [w for item in items for w in _windows(item, settings, settings.window_s)]
    return Listing(tuple(sorted(items, key=lambda i: natural(i.id))), tuple(findings), hashes)


def open_recording(item: Item, settings: SignalsSettings | None = None) -> Recording:
    """Open one item.

    Parameters
    ----------
    item : Item
    settings : SignalsSettings, optional
        The same that listed it.

    Returns
    -------
    Recording
        Of a window only its samples: `Recording.read` counts from the window's start.

    Raises
    ------
    UnreadableItem
        The item cannot be read; the rule says why.
    """
    settings = settings or SignalsSettings()
    if item.part in _BAD_LINKS:
        raise unreadable(item.part)
    *part, last = item.part.split(",")
    window = last.removeprefix("t=") if last.startswith("t=") else ""
    if not window:
        part.append(last)
    whole = _whole(item.paths[0], ",".join(part), settings)
    if not window or settings.window_s is None:
        return whole
    # The text is rounded; the number of the window is not.
    number = round(float(window.partition("-")[0]) / settings.window_s)
    first, stop = _bounds(number, settings.window_s, whole.rate)
    if stop > whole.length:
        raise unreadable("truncated")
    return replace(whole, length=stop - first, read=lambda a, b: whole.read(first + a, first + b))


_last: tuple[tuple[object, ...], Recording] | None = None


def _whole(path: Path, part: str, settings: SignalsSettings, *, verify: bool = True) -> Recording:
    """Open a whole recording; the last one is kept, for its next window."""
    global _last
    try:
        stats = [p.stat() for p in (path, *_beside(path))]
        key = (path, part, settings, verify, *((s.st_size, s.st_mtime_ns) for s in stats))
        if _last is None or _last[0] != key:
            found = _read(path, part, settings, verify)
            if settings.kind != "auto":
                found = as_kind(found, settings.kind)
            _last = (key, found)
        return _last[1]
    except MemoryError as error:
        raise unreadable("too_many_samples") from error
    except OSError as error:
        raise unreadable("unreadable_file") from error


def _read(path: Path, part: str, settings: SignalsSettings, verify: bool) -> Recording:
    from sdq_signals.formats import dicom, edf

    name = path.name.lower()
    if name.endswith(wfdb.SUFFIXES):
        return wfdb.read(path, verify=verify)
    if name.endswith(array.SUFFIXES):
        return array.read(path, part, settings)
    if name.endswith(table.SUFFIXES):
        return table.read(path, settings)
    if path.stat().st_size == 0:
        raise unreadable("empty_file")
    if name.endswith(edf.SUFFIXES):
        return edf.read(path)
    if name.endswith(dicom.SUFFIXES) or dicom.is_dicom(path):
        return dicom.read(path)
    raise unreadable("not_a_recording")


def _beside(path: Path) -> list[Path]:
    """Return the side-car files of a table or an array."""
    return side_car.paths(path) if path.name.lower().endswith(_TOLD) else []


def _own_suffixes() -> tuple[str, ...]:
    """Suffixes of files that are recordings even beside a WFDB header of the same name."""
    from sdq_signals.formats import dicom, edf

    return (*array.SUFFIXES, *table.SUFFIXES, *edf.SUFFIXES, *dicom.SUFFIXES)


def _is_listed(name: str) -> bool:
    stem = name.partition(".")[0]
    return not name.endswith(NO_ITEMS) and name not in NO_NAMES and stem != "sha256sums"


def _is_labels(path: Path) -> bool:
    return path.name.lower().startswith(LABELS) or "item" in table.column_names(path)


def _records(headers: Sequence[Path]) -> tuple[dict[Path, list[Path]], set[Path]]:
    """Return the files of each WFDB record, and all files that belong to one."""
    records: dict[Path, list[Path]] = {}
    owned: set[Path] = set()
    segments: set[Path] = set()
    for header in headers:
        try:
            data, parts = wfdb.files(header)
        except (UnreadableItem, OSError):  # opening it will say so
            records[header] = [header]
            continue
        records[header] = [header, *(p for p in data if p.is_file())]
        owned.update(data)
        segments.update(p for p in parts if p != header)
    return {h: paths for h, paths in records.items() if h not in segments}, owned


def _arrays(path: Path, identifier: str, settings: SignalsSettings) -> list[Item]:
    try:
        return array.items(path, identifier, settings)
    except (UnreadableItem, OSError, MemoryError):
        # Listed all the same: describing meets the error again and makes the finding.
        return [Item(identifier, (path,))]


def _links(
    found: Sequence[Finding], root: Path, stems: AbstractSet[Path], settings: SignalsSettings
) -> tuple[list[Item], list[Finding]]:
    """Return an item for each link that stands in the place of a recording, and the other findings.

    Judged by its name: of a folder's link nobody knows what it would hold, and data files of a WFDB
    record are that record's matter.
    """
    items, others = [], []
    for one in found:
        path, rule = root / one.item, one.rule.rpartition(".")[2]
        name = path.name.lower()
        listed = rule in _BAD_LINKS and _is_listed(name)
        if name.endswith(table.SUFFIXES):
            told = settings.sampling_rate is not None or bool(_beside(path))
            listed &= told and not name.startswith(LABELS)
        elif not name.endswith((*_own_suffixes(), *wfdb.SUFFIXES)):
            listed &= path.with_suffix("") not in stems and not path.is_dir()
        if listed:
            # Nothing of what the link leads to is read, not even for a digest.
            digest = hashlib.sha256(f"{rule} {one.item}".encode()).hexdigest()
            items.append(Item(one.item, (), rule, digest))
        else:
            others.append(one)
    return items, others


def _hashes(to_hash: dict[str, list[Path]]) -> dict[Path, str]:
    wanted = list(dict.fromkeys(p for paths in to_hash.values() for p in paths))
    return dict(zip(wanted, hash_files(wanted), strict=True))


def _hashed(to_hash: dict[str, list[Path]], digests: Mapping[Path, str]) -> Iterator[Item]:
    """Items of one file or several, with one digest over all."""
    for identifier, paths in to_hash.items():
        known = [digests[p] for p in paths]
        if not all(known):
            digest = ""
        elif len(known) == 1:
            digest = known[0]
        else:
            digest = hashlib.sha256("".join(known).encode()).hexdigest()
        yield Item(identifier, tuple(paths), digest=digest)


def _windows(item: Item, settings: SignalsSettings, seconds: float) -> list[Item]:
    """Cut a recording into whole windows, if it is at least twice as long."""
    if not item.paths:
        return [item]
    try:
        whole = _whole(item.paths[0], item.part, settings, verify=False)
    except UnreadableItem:  # opening it will say so
        return [item]
    count = int(whole.duration / seconds + 1e-9)
    while count and _bounds(count - 1, seconds, whole.rate)[1] > whole.length:
        count -= 1
    if count < 2 or _bounds(0, seconds, whole.rate)[1] < 1:
        return [item]
    # Records of different cohorts may have one name; the digest tells them apart.
    subject = item.attributes.get("subject") or f"{item.id}@{item.digest[:8]}"
    found = []
    for k in range(count):
        part = f"t={_text(k * seconds)}-{_text((k + 1) * seconds)}"
        digest = hashlib.sha256(f"{item.digest} {part}".encode()).hexdigest()
        found.append(
            Item(
                f"{item.id},{part}" if item.part else f"{item.id}#{part}",
                item.paths,
                f"{item.part},{part}" if item.part else part,
                digest if item.digest else "",
                {**item.attributes, "subject": subject},
            )
        )
    return found


def _bounds(number: int, seconds: float, rate: float) -> tuple[int, int]:
    """Return first and last sample of a window; all windows have the same length."""
    first = round(number * seconds * rate)
    return first, first + round(seconds * rate)


def _text(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")
