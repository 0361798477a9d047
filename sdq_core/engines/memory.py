"""Keep freed memory in the process: to give it back and ask again costs page faults."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

__all__ = ["keep_freed_memory"]

# mallopt(3) of the GNU C library.
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_TRIM: Final = 2**28
_MMAP: Final = 2**25  # the largest that the library takes


def keep_freed_memory() -> bool:
    """Let arrays reuse the memory of freed arrays, for good, where the C library can do that.

    By default the GNU C library gives freed memory back to the system and takes it anew, page by
    page: for arrays of a few megabytes that come and go, as spectra of a batch, this took half of
    the processor time (measured, ``docs/performance.md``). At most 256 MiB of free memory is kept.

    Returns
    -------
    bool
        Whether the C library took the setting; elsewhere nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library, e.g. musl
        return False
    return bool(mallopt(_TRIM_THRESHOLD, _TRIM)) and bool(mallopt(_MMAP_THRESHOLD, _MMAP))
