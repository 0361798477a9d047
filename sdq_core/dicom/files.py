"""Telling DICOM files from others by their first bytes."""

from __future__ import annotations

from pathlib import Path

__all__ = ["is_dicom"]


def is_dicom(path: Path) -> bool:
    """Return whether a file has the DICOM preamble, or begins as a bare data set does.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool
        False too where the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            head = file.read(140)
    except OSError:
        return False
    if head[128:132] == b"DICM":
        return True
    # Without preamble a data set starts with group 0002 or 0008, little endian, a known VR or a
    # short implicit length.
    group = head[:4]
    return group in (b"\x08\x00\x05\x00", b"\x08\x00\x08\x00", b"\x08\x00\x16\x00") or group == (
        b"\x02\x00\x00\x00"
    )
