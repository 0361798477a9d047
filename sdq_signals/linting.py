"""The linter of a recording's format, once for each file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from sdq_core.finding import Finding
from sdq_signals.recording import Format

__all__ = ["lint"]

MOST_REMEMBERED = 64
"""Files whose findings are kept: the windows of one file are described one after the other."""


def lint(path: Path, format_: Format) -> tuple[Finding, ...]:
    """Return every violation of the format's rules, and what identifies a person.

    Parameters
    ----------
    path : Path
        Main file of the recording.
    format_ : {"wfdb", "edf", "bdf", "dicom", "table", "array"}
        Tables and arrays have no header to judge.

    Returns
    -------
    tuple of Finding
    """
    if format_ in ("table", "array"):
        return ()
    state = path.stat()
    return _lint(path, format_, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=MOST_REMEMBERED)
def _lint(path: Path, format_: Format, changed: int, size: int) -> tuple[Finding, ...]:
    if format_ == "wfdb":
        from sdq_signals.conformity.wfdb import check
    elif format_ == "dicom":
        from sdq_signals.conformity.dicom import check
    else:
        from sdq_signals.conformity.edf import check
    return check(path)
