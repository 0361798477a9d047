"""What was computed before from equal arrays, so that the real side is computed once a process.

Much of the work sees real items alone: noise floors of the supplementary experiment, learning
curves of the real cohort, the search for holdout items among training items. It is the same for
every generator, and every planted defect, that is held against the same real data.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Remembered", "content"]

Found = TypeVar("Found")


def content(*arrays: NDArray[Any] | None) -> bytes:
    """Return a digest of arrays with their shapes, types and order in memory.

    Parameters
    ----------
    arrays : ndarray or None

    Returns
    -------
    bytes

    Examples
    --------
    >>> content(np.zeros((2, 3))) == content(np.zeros((3, 2)))
    False
    """
    digest = hashlib.blake2b(digest_size=20)
    for array in arrays:
        if array is None:
            digest.update(b"none")
            continue
        # The order in memory decides how sums are rounded.
        order = array.flags.c_contiguous
        digest.update(f"{array.dtype.str}{array.shape}{order}".encode())
        digest.update(np.ascontiguousarray(array).view(np.uint8).data)
    return digest.digest()


class Remembered(Generic[Found]):
    """Results by what they were computed from; the oldest are forgotten first.

    Parameters
    ----------
    most_bytes : int
        Room for results.
    size : callable
        Bytes that a result takes.

    Examples
    --------
    >>> remembered = Remembered(1000, len)
    >>> calls = []
    >>> def compute():
    ...     calls.append(1)
    ...     return "result"
    >>> remembered.get("key", compute), remembered.get("key", compute), len(calls)
    ('result', 'result', 1)
    """

    def __init__(self, most_bytes: int, size: Callable[[Found], int]) -> None:
        self._most = most_bytes
        self._size = size
        self._held = 0
        self._found: OrderedDict[Hashable, Found] = OrderedDict()

    def get(self, key: Hashable, compute: Callable[[], Found]) -> Found:
        """Return the result of a key, computed where it is not there yet.

        Parameters
        ----------
        key : hashable
            Names everything that `compute` depends on.
        compute : callable
            Without randomness of its own.

        Returns
        -------
        object
            Not to be written to.
        """
        if key in self._found:
            self._found.move_to_end(key)
            return self._found[key]
        found = compute()
        self._found[key] = found
        self._held += self._size(found)
        while self._held > self._most:
            self._held -= self._size(self._found.popitem(last=False)[1])
        return found
