"""Planted defects of files: headers that lack attributes, files that end too early.

Both write a damaged copy of a cohort's folder; the source is never changed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from sdq_core.errors import InputError, UsageError
from sdq_core.vocabulary import Characteristic

__all__ = ["FILE_DEFECTS", "FileDefect", "remove_tags", "truncate_file", "truncate_files"]

REMOVED: Final = (
    "StudyInstanceUID",
    "Manufacturer",
    "SyntheticData",
    "DerivationDescription",
)
"""Type 1 and type 2 attributes of most IODs, and what declares an object synthetic."""

TABLES: Final = frozenset({".csv", ".parquet", ".yaml", ".yml", ".json", ".txt", ".md"})
"""Tables and texts beside the items: copied, never damaged."""


def truncate_file(source: Path, target: Path, keep: float) -> None:
    """Write the first part of a file: an interrupted transfer.

    Parameters
    ----------
    source, target : Path
        Must differ.
    keep : float
        Share of the bytes that is kept, 0 <= keep < 1; rounded down.

    Raises
    ------
    UsageError
        The share is out of range, or both paths are one file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     whole, part = Path(folder, "whole"), Path(folder, "part")
    ...     _ = whole.write_bytes(bytes(10))
    ...     truncate_file(whole, part, 0.75)
    ...     part.stat().st_size
    7
    """
    if not 0 <= keep < 1:
        raise UsageError(f"truncate_file: keep must be at least 0 and below 1, got {keep}")
    if source.resolve() == target.resolve():
        raise UsageError(f"truncate_file: {source} would be overwritten; give another target")
    content = source.read_bytes()
    target.write_bytes(content[: int(keep * len(content))])


def truncate_files(
    source: Path, target: Path, share: float, rng: np.random.Generator, *, keep: float = 0.6
) -> tuple[Path, ...]:
    """Copy a cohort and truncate a share of its files.

    Parameters
    ----------
    source : Path
        Folder; tables and texts in it (label tables) are copied whole.
    target : Path
        Folder that does not exist yet.
    share : float
        Share of the files, 0..1; at least one where it is above 0.
    rng : numpy.random.Generator
    keep : float
        Share of the bytes that is kept.

    Returns
    -------
    tuple of Path
        The damaged files, relative to the folder, ascending.

    Raises
    ------
    InputError
        The source holds no files.
    UsageError
        A share is out of range, or the target exists.

    References
    ----------
    DICOM PS3.5 section 7.1.1: the value length fixes how many bytes must follow.
    """
    files = [p for p in _files(source) if p.suffix.lower() not in TABLES]
    chosen = _chosen(files, share, rng, source)
    return _damaged_copy(source, target, chosen, partial(truncate_file, keep=keep))


def remove_tags(
    source: Path,
    target: Path,
    share: float,
    rng: np.random.Generator,
    *,
    keywords: Sequence[str] = REMOVED,
) -> tuple[Path, ...]:
    """Copy a cohort and remove attributes from a share of its DICOM files.

    Parameters
    ----------
    source : Path
        Folder with DICOM files (PS3.10: ``DICM`` after 128 bytes); others are copied as they are.
    target : Path
        Folder that does not exist yet.
    share : float
        Share of the DICOM files, 0..1; at least one where it is above 0.
    rng : numpy.random.Generator
    keywords : sequence of str
        Attributes at the top level; one that a file does not have is passed over.

    Returns
    -------
    tuple of Path
        The damaged files, relative to the folder, ascending.

    Raises
    ------
    InputError
        The source holds no DICOM files.
    UsageError
        A keyword is not in the data dictionary, the share is out of range, the target exists.

    References
    ----------
    DICOM PS3.5 section 7.4: type 1 attributes must be there with a value, type 2 must be there.
    """
    from pydicom.datadict import tag_for_keyword

    unknown = [k for k in keywords if tag_for_keyword(k) is None]
    if unknown:
        raise UsageError(
            f"remove_tags: {', '.join(unknown)} is in no data dictionary; "
            f"give keywords of DICOM PS3.6, such as StudyInstanceUID"
        )
    files = [p for p in _files(source) if _is_dicom(source / p)]
    chosen = _chosen(files, share, rng, source)
    return _damaged_copy(source, target, chosen, partial(_without, keywords=keywords))


def _without(source: Path, target: Path, *, keywords: Sequence[str]) -> None:
    import pydicom

    dataset = pydicom.dcmread(source)
    for keyword in keywords:
        if keyword in dataset:
            delattr(dataset, keyword)
    dataset.save_as(target)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder}: is no folder; give the folder of a cohort")
    return sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _chosen(
    files: list[Path], share: float, rng: np.random.Generator, source: Path
) -> frozenset[Path]:
    if not 0 <= share <= 1:
        raise UsageError(f"planting a defect: share must be in 0..1, got {share}")
    if not files:
        raise InputError(
            f"{source}: holds no file in which the defect could be planted; "
            f"give the folder of a cohort of images"
        )
    count = max(1, round(share * len(files))) if share > 0 else 0
    return frozenset(files[i] for i in rng.choice(len(files), count, replace=False))


def _damaged_copy(
    source: Path, target: Path, chosen: frozenset[Path], damage: Callable[[Path, Path], None]
) -> tuple[Path, ...]:
    if target.exists():
        raise UsageError(f"{target}: exists already; give a folder that does not exist")
    if target.resolve().is_relative_to(source.resolve()):
        raise UsageError(f"{target}: lies inside the source folder; give one outside")
    for path in _files(source):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        if path in chosen:
            damage(source / path, target / path)
        else:
            shutil.copyfile(source / path, target / path)
    return tuple(sorted(chosen))


@dataclass(frozen=True, slots=True)
class FileDefect:
    """One kind of defect of files; the severity is the share of files that have it.

    Parameters
    ----------
    name : str
    target : Characteristic
        The characteristic whose measures must see it.
    severity_range : tuple of float
        From rare to common.
    source : str
        Clause that the defect breaks.
    apply : callable
        ``apply(source, target, share, rng)``: writes a damaged copy of a folder and returns the
        damaged files.

    Examples
    --------
    >>> [d.name for d in FILE_DEFECTS]
    ['remove_tags', 'truncate_files']
    """

    name: str
    target: Characteristic
    severity_range: tuple[float, float]
    source: str
    apply: Callable[[Path, Path, float, np.random.Generator], tuple[Path, ...]]


FILE_DEFECTS: Final[tuple[FileDefect, ...]] = (
    FileDefect("remove_tags", Characteristic.METADATA, (0.01, 1.0),
               "DICOM PS3.5 section 7.4", remove_tags),
    FileDefect("truncate_files", Characteristic.COMPLETENESS, (0.01, 0.5),
               "DICOM PS3.5 section 7.1.1", truncate_files),
)  # fmt: skip
"""All defects of files."""
