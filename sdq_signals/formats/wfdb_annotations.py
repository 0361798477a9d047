"""Annotations of WFDB records in the MIT format, after annot(5)."""

import re
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_signals.formats.wfdb_header import DEFAULT_RATE, parse
from sdq_signals.rules import unreadable

__all__ = ["SYMBOLS", "annotations"]

SYMBOLS: Final = ' NLRaVFJASEj/Q~\0|\0sT*D"=pB^t+u?![]en@xf()r' + "\0" * 8
"""Symbol of each annotation code 0 to 49 (ecgcodes.h of the WFDB library); NUL where unused."""
SKIP, NUM, SUB, CHN, AUX = 59, 60, 61, 62, 63
NOTE: Final = 22
MOST_BYTES: Final = 2**28
_RESOLUTION = re.compile(rb"## time resolution: (\d{1,9}(?:\.\d{1,9})?)")


def annotations(path: Path, extension: str) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Read the annotations of a record.

    Parameters
    ----------
    path : Path
        The record's header.
    extension : str
        Suffix of the annotation file without its dot: ``"atr"``.

    Returns
    -------
    samples : ndarray, shape (n,), int64
        Sample numbers at `Recording.rate`.
    symbols : ndarray, shape (n,), str
        One character each: ``"N"``, ``"V"``, ``"+"``; ``"?"`` for a code of no meaning.

    Raises
    ------
    UnreadableItem
        Rule ``annotation_missing``: there is no such file, or it is no annotation file.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", extension):
        raise unreadable("annotation_missing")
    try:
        with path.with_suffix(f".{extension}").open("rb") as file:
            data = file.read(MOST_BYTES)
    except OSError as error:
        raise unreadable("annotation_missing") from error
    times, codes, resolution = _decoded(data)
    header = parse(path)
    rate = header.rate or DEFAULT_RATE
    highest = rate * max((s.per_frame for s in header.signals), default=1)
    ticks = resolution or rate
    found = times if ticks == highest else np.round(times * (highest / ticks)).astype(np.int64)
    symbols = [SYMBOLS[c] if c < len(SYMBOLS) and SYMBOLS[c] != "\0" else "?" for c in codes]
    return found, np.array(symbols, dtype="<U1")


def _decoded(data: bytes) -> tuple[NDArray[np.int64], list[int], float | None]:
    """Return times in the file's own ticks, codes, and ticks a second where the file says so."""
    words = np.frombuffer(data[: len(data) // 2 * 2], "<u2").tolist()
    times: list[int] = []
    codes: list[int] = []
    now, k, resolution = 0, 0, None
    while k < len(words):
        code, value = words[k] >> 10, words[k] & 1023
        k += 1
        if code == SKIP:
            if k + 2 > len(words):
                break
            jump = (words[k] << 16) + words[k + 1]  # the high half comes first
            now += jump - 2**32 if jump >= 2**31 else jump
            k += 2
        elif code == AUX:
            text = data[2 * k : 2 * k + value]
            k += (value + 1) // 2
            # A note at the very beginning tells about the file; it marks nothing in the signal.
            if codes and codes[-1] == NOTE and times[-1] == 0:
                found = _RESOLUTION.match(text)
                resolution = float(found[1]) if found else resolution
                times.pop()
                codes.pop()
        elif code in (NUM, SUB, CHN):
            continue
        elif code == 0 and value == 0:
            break
        else:
            now += value
            if code:  # code 0 with an interval only moves the time on
                times.append(now)
                codes.append(code)
    return np.array(times, dtype=np.int64), codes, resolution
