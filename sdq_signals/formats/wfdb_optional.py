"""WFDB records of rare storage formats, by the package ``wfdb``."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_signals.formats.texts import from_comments
from sdq_signals.formats.wfdb_header import Header
from sdq_signals.recording import Recording
from sdq_signals.rules import finding, unreadable

__all__ = ["read"]

DIFFERENCES = "8"
"""Format of differences: a sample is known only when all before it were read."""


def read(path: Path, header: Header, files: Sequence[Path]) -> Recording:
    """Open a record with the package ``wfdb``; checksums are not compared.

    Parameters
    ----------
    path : Path
        Its header.
    header : Header
        Whose file names have been checked.
    files : sequence of Path
        Its data files.

    Returns
    -------
    Recording

    Raises
    ------
    UnreadableItem
        Rule ``unsupported`` where the package is not installed.
    """
    from sdq_signals.formats.wfdb import limit, signal_channel, signal_findings, straight

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import wfdb  # noqa: F401
    except ImportError as error:
        raise unreadable(
            "unsupported",
            "the record has a rare storage format, for which an optional library is needed; "
            "pip install 'sdq[wfdb]' or convert the record to format 16",
        ) from error
    if not all(p.is_file() for p in files):
        raise unreadable("data_file_missing")
    one = _part(path, 0, 1)
    if not one.n_sig or not one.sig_len:
        raise unreadable("no_samples")
    length = _length(path, header)
    per_frame = [s.per_frame for s in header.signals]
    most = max(per_frame)
    rate = float(one.fs)
    signals = header.signals
    limit(length, signals, files)
    channels = tuple(
        signal_channel(s, k, rate * n)
        for k, (s, n) in enumerate(zip(signals, per_frame, strict=True))
    )
    found = signal_findings(signals, channels)
    if header.rate is None:
        found.append(finding("sampling_rate_default"))
    from_start = DIFFERENCES in {str(f) for f in one.fmt}

    def block(first: int, last: int) -> NDArray[np.float32]:
        values = np.empty((len(channels), max(last - first, 0)), np.float32)
        if last <= first:
            return values
        start, stop = first // most, min(-(-last // most) + 1, length)
        begin = 0 if from_start else start
        record = _part(path, begin, stop)
        for k, (head, own) in enumerate(zip(channels, record.e_p_signal, strict=True)):
            skip = (start - begin) * per_frame[k]
            scaled = np.asarray(own, np.float64)[skip:] * (head.factor or 1.0)
            if signals[k].gain is None:  # as stored, like everywhere
                scaled = scaled * record.adc_gain[k] + record.baseline[k]
            values[k] = straight(scaled, start * per_frame[k], per_frame[k], most, first, last)
        return values

    formats = " ".join(sorted({str(f) for f in one.fmt}))
    metadata = {"storage": formats, **from_comments(header.comments)}
    return Recording(channels, rate * most, length * most, "wfdb", block, metadata, tuple(found))


def _part(path: Path, first: int, last: int) -> Any:
    """Read some frames; whatever the package stumbles over makes the record unreadable."""
    import wfdb

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return wfdb.rdrecord(
                str(path.resolve().with_suffix("")),
                sampfrom=first,
                sampto=last,
                physical=True,
                smooth_frames=False,
            )
    except (MemoryError, PermissionError):
        raise
    except Exception as error:
        raise unreadable(
            "not_a_recording",
            f"the record cannot be read ({type(error).__name__}); write it again",
        ) from error


def _length(path: Path, header: Header) -> int:
    if header.length is not None:
        return header.length
    return int(_part(path, 0, None).sig_len)  # type: ignore[arg-type]
