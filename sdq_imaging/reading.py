"""Step 1 for images: list the items of a folder, open one lazily.

Side-car files (`SIDECARS`) and hidden files are no items. A file of an unknown kind that is no
image becomes an item that cannot be read, so that nothing is passed over in silence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from sdq_core.description import Item
from sdq_core.errors import UnreadableItem
from sdq_core.finding import Finding
from sdq_core.hashing import hash_files
from sdq_core.listing import natural, relative, walk
from sdq_core.modality import Listing
from sdq_imaging.formats import array, dicom, nifti, picture
from sdq_imaging.image import Image
from sdq_imaging.rules import finding

__all__ = ["SIDECARS", "list_items", "read_image", "with_masks"]

SIDECARS = (
    ".csv", ".tsv", ".json", ".txt", ".yaml", ".yml", ".md", ".parquet", ".toml", ".xml", ".html",
    ".bval", ".bvec", ".log", ".py", ".pdf",
)  # fmt: skip
NO_ITEMS = ("dicomdir",)
"""Names of files that list images and are none, in lower case."""
MOST_PIXELS = 2**28
LEAST_SLICES = 3
"""Fewest files of one series that form a volume."""


def list_items(
    source: Path,
    *,
    max_pixels: int = MOST_PIXELS,
    dimensions: Literal["auto", "2d"] = "auto",
) -> Listing:
    """List the images and volumes of a folder or file.

    Parameters
    ----------
    source : Path
        Folder, walked in order of names, or one file.
    max_pixels : int
        Most pixels that one item may declare.
    dimensions : {"auto", "2d"}
        ``auto`` makes one item of the files of a DICOM series that share size and orientation and
        lie at different depths; ``2d`` makes every file one item.

    Returns
    -------
    Listing
        Items in ascending order of their ids, with digests; findings about links and permissions.
    """
    root, files, findings = walk(
        source, lambda name: not _is_no_item(name), lambda rule, path: finding(rule, item=path)
    )
    stacks = [f for f in files if f.suffix.lower() in array.SUFFIXES]
    singles = [f for f in files if f.suffix.lower() not in array.SUFFIXES]
    items: list[Item] = []
    for path in stacks:
        identifier = path.relative_to(root).as_posix()
        try:
            items += array.items(path, identifier, max_pixels)
        except (UnreadableItem, OSError, MemoryError):
            # Listed all the same: describing meets the error again and makes the finding.
            items.append(Item(identifier, (path,)))
    groups = _series(singles, root, findings) if dimensions == "auto" else {}
    grouped = {path for paths in groups.values() for path in paths}
    alone = [f for f in singles if f not in grouped]
    hashed = [*alone, *(p for paths in groups.values() for p in paths)]
    digests = dict(zip(hashed, hash_files(hashed), strict=True))
    for path in alone:
        identifier = path.relative_to(root).as_posix()
        items.append(Item(identifier, (path,), digest=digests[path]))
    for identifier, paths in groups.items():
        known = [digests[p] for p in paths]
        digest = hashlib.sha256("".join(known).encode()).hexdigest() if all(known) else ""
        items.append(Item(identifier, tuple(paths), "series", digest))
    return Listing(tuple(sorted(items, key=lambda i: natural(i.id))), tuple(findings), digests)


def read_image(item: Item, *, max_pixels: int = MOST_PIXELS) -> Image:
    """Open one item.

    Parameters
    ----------
    item : Item
    max_pixels : int

    Returns
    -------
    Image

    Raises
    ------
    UnreadableItem
        The item cannot be read; the rule says why.
    """
    path = item.paths[0]
    name = path.name.lower()
    try:
        if name.endswith(array.SUFFIXES):
            return array.read(item, max_pixels)
        if name.endswith(nifti.SUFFIXES):
            return nifti.read(path, max_pixels)
        if name.endswith(dicom.SUFFIXES) or dicom.is_dicom(path):
            return dicom.read(item.paths, max_pixels)
        return picture.read(path, max_pixels)
    except MemoryError as error:
        raise UnreadableItem(
            "imaging.structure.decompression_bomb",
            "needs more memory than there is; lower settings.max_pixels or split it",
        ) from error
    except OSError as error:
        raise UnreadableItem(
            "imaging.structure.unreadable_folder",
            f"the file cannot be opened ({type(error).__name__}); check that it is still there",
        ) from error


def with_masks(listing: Listing, masks: Path) -> Listing:
    """Return a listing whose digests hold the masks' content too.

    A description depends on image and mask: one that is kept must not outlive a changed mask.

    Parameters
    ----------
    listing : Listing
    masks : Path
        See `sdq_imaging.masks.mask_files`.
    """
    from sdq_imaging.masks import mask_files

    found = [mask_files(item, masks) if item.digest else () for item in listing.items]
    digests = iter(hash_files([path for paths in found for path in paths]))
    items = []
    for item, paths in zip(listing.items, found, strict=True):
        own = [next(digests) for _ in paths]
        together = hashlib.sha256("".join([item.digest, *own]).encode()).hexdigest()
        # A mask that cannot be read leaves the item without a digest: it is described each time.
        items.append(replace(item, digest=together if all(own) else "") if own else item)
    return replace(listing, items=tuple(items))


def _is_no_item(name: str) -> bool:
    return name.endswith(SIDECARS) or name in NO_ITEMS


def _series(files: Sequence[Path], root: Path, findings: list[Finding]) -> dict[str, list[Path]]:
    """Group the single-frame DICOM files of a folder that form a volume, in slice order."""
    candidates: dict[tuple[Path, str], list[tuple[dicom.SliceFacts, Path]]] = {}
    for path in files:
        name = path.name.lower()
        known = name.endswith((*picture.SUFFIXES, *nifti.SUFFIXES))
        if known or not dicom.is_dicom(path):
            continue
        facts = dicom.slice_facts(path)
        if facts is not None and facts.series and facts.frames == 1 and facts.depth is not None:
            candidates.setdefault((path.parent, facts.series), []).append((facts, path))
    found: dict[str, list[Path]] = {}
    for (folder, series), slices in candidates.items():
        if len(slices) < LEAST_SLICES:
            continue
        if not _is_volume([f for f, _ in slices]):
            findings.append(finding("geometry", item=relative(folder, root)))
            continue
        ordered = sorted(slices, key=lambda s: (s[0].depth, s[1].name))
        prefix = relative(folder, root)
        short = hashlib.sha256(series.encode()).hexdigest()[:8]
        found[f"{prefix}#series-{short}" if prefix != "." else f"series-{short}"] = [
            path for _, path in ordered
        ]
    return found


def _is_volume(slices: Sequence[dicom.SliceFacts]) -> bool:
    """Whether slices share size and orientation and lie at different depths."""
    first = slices[0]
    if len({s.size for s in slices}) > 1 or first.orientation is None:
        return False
    if any(
        s.orientation is None or np.abs(s.orientation - first.orientation).max() > 1e-3
        for s in slices
    ):
        return False
    depths = np.sort([s.depth for s in slices if s.depth is not None])
    steps = np.diff(depths)
    return bool(len(depths) == len(slices) and steps.min() > 1e-3)
