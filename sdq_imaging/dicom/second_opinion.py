"""A second opinion on required attributes: dciodvfy of dicom3tools, where it is installed.

Never required: the rules here judge by themselves. dciodvfy (David Clunie, BSD) is the reference
checker of DICOM objects; Debian and Ubuntu have it in the package ``dicom3tools``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sdq_core.dicom.elements import place_text

__all__ = ["Fault", "parse", "second_opinion", "unknown_object"]

PROGRAM = "dciodvfy"
TIMEOUT = 60.0

_LINE = re.compile(
    r"Error - <(/[^>]*)> - (Missing attribute|Empty attribute \(no value\)) for Type (1C?|2C?) "
)
_STEP = re.compile(r"[^/(]*\(([0-9a-fA-F]{4}),([0-9a-fA-F]{4})\)(?:\[(\d+)\])?")


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """An attribute that is absent or empty against the standard.

    Parameters
    ----------
    where : str
        Path in keywords, items counted from 0.
    kind : {"missing", "empty"}
    type : {"1", "1C", "2", "2C"}
    """

    where: str
    kind: str
    type: str


def parse(lines: Iterable[str]) -> tuple[Fault, ...]:
    """Return the missing and empty attributes that dciodvfy reports.

    Parameters
    ----------
    lines : iterable of str
        Of ``dciodvfy -new``.

    Returns
    -------
    tuple of Fault
        Sorted, each once.

    Examples
    --------
    >>> parse(["Error - </PatientID(0010,0020)> - Missing attribute for Type 2 Required - "
    ...        "Module=<Patient>"])
    (Fault(where='PatientID', kind='missing', type='2'),)
    """
    found = set()
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            continue
        steps = [(int(g + e, 16), int(n or 1) - 1) for g, e, n in _STEP.findall(match[1])]
        if not steps:
            continue
        where = place_text(tuple(steps[:-1]), steps[-1][0])
        found.add(Fault(where, "missing" if match[2][0] == "M" else "empty", match[3]))
    return tuple(sorted(found))


def unknown_object(lines: Iterable[str]) -> bool:
    """Return whether dciodvfy does not know the object's class, and so judged nothing.

    Examples
    --------
    >>> unknown_object(["Error - Information Object Not found"])
    True
    """
    return any("Information Object Not found" in line for line in lines)


def lines_of(path: Path) -> tuple[str, ...] | None:
    """Return what dciodvfy writes about a file; None where it is not installed or does not finish.

    An abort in the middle (it has assertions) leaves no judgement of the whole file.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, the path as one argument
            [program, "-new", str(path.resolve())],
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode < 0:  # ended by a signal
        return None
    return tuple((done.stderr + done.stdout).decode("latin-1").splitlines())


def second_opinion(path: Path) -> tuple[Fault, ...] | None:
    """Ask dciodvfy about one file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    tuple of Fault or None
        None where dciodvfy is not installed, does not finish, or does not know the object.
    """
    lines = lines_of(path)
    return None if lines is None or unknown_object(lines) else parse(lines)
