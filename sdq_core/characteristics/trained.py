"""Scores of learners that were trained before, so that each training is done once a process.

Most trainings of the supplementary experiment see real items alone: noise floors, and learning
curves of the real cohort. They are the same for every generator, and every planted defect, that is
held against the same real data. A learner has no randomness of its own, so equal arrays give equal
scores.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Trained", "content"]

Values = NDArray[np.float64]

MOST_BYTES: Final = 32 * 2**20


def content(*arrays: NDArray[Any]) -> bytes:
    """Return a digest of arrays with their shapes and types.

    Examples
    --------
    >>> content(np.zeros((2, 3))) == content(np.zeros((3, 2)))
    False
    """
    digest = hashlib.blake2b(digest_size=20)
    for array in arrays:
        # The order in memory decides how sums are rounded.
        order = array.flags.c_contiguous
        digest.update(f"{array.dtype.str}{array.shape}{order}".encode())
        digest.update(np.ascontiguousarray(array).view(np.uint8).data)
    return digest.digest()


class Trained:
    """Scores by what they were computed from; the oldest are forgotten first.

    Parameters
    ----------
    most_bytes : int
        Room for scores.

    Examples
    --------
    >>> trained = Trained()
    >>> calls = []
    >>> def train():
    ...     calls.append(1)
    ...     return np.ones(2)
    >>> _, found = trained.get("key", train), trained.get("key", train)
    >>> found.tolist(), len(calls)
    ([1.0, 1.0], 1)
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._held = 0
        self._scores: OrderedDict[Hashable, Values] = OrderedDict()

    def get(self, key: Hashable, train: Callable[[], Values]) -> Values:
        """Return the scores of a key, computed where they are not there yet.

        Parameters
        ----------
        key : hashable
            Names everything that `train` depends on.
        train : callable

        Returns
        -------
        ndarray
            Not to be written to.
        """
        found = self._scores.get(key)
        if found is not None:
            self._scores.move_to_end(key)
            return found
        found = train()
        found.flags.writeable = False
        self._scores[key] = found
        self._held += found.nbytes
        while self._held > self._most:
            self._held -= self._scores.popitem(last=False)[1].nbytes
        return found
