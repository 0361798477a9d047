"""Where columns keep their numbers: in memory while small, in a mapped temporary file when large.

A mapped file costs disk, not memory: the system drops its pages when it needs the room, and reads
them again. The file has no name (or loses it when it is closed), so that a run that was killed
leaves nothing behind.
"""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import IO, Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import StoreError

__all__ = ["MAPPED", "Rows", "Runs"]

MAPPED: Final = 2**26
"""Bytes from which a column lies in a file."""

Index = NDArray[np.intp]
T = TypeVar("T", bound=Hashable)


class Rows:
    """Arrays of one shape, one for each row; a row that was not written holds zeros.

    Parameters
    ----------
    n : int
        Rows.
    shape : tuple of int
    folder : Path or None
        Where a file may be made; None keeps everything in memory.
    """

    def __init__(self, n: int, shape: tuple[int, ...], folder: Path | None) -> None:
        self._shape = (n, *shape)
        self._file: IO[bytes] | None = None
        self._array: NDArray[np.float32] | None = None
        self._bytes = 4 * int(np.prod(shape, dtype=np.int64))
        if folder is None or n * self._bytes < MAPPED:
            self._array = np.zeros(self._shape, np.float32)
            return
        try:
            self._file = _unnamed(folder)
            self._file.truncate(n * self._bytes)
        except OSError as error:
            raise _unwritable(folder, error) from error
        self._folder = folder

    def write(self, rows: Index, values: NDArray[np.floating[Any]]) -> None:
        """Write some rows.

        Parameters
        ----------
        rows : ndarray of int, shape (m,)
        values : ndarray, shape (m, ...)

        Raises
        ------
        StoreError
            The disk is full.
        """
        if self._array is not None:
            self._array[rows] = values
            return
        assert self._file is not None, "either of the two is there"
        order = np.argsort(rows, kind="stable")
        rows, values = rows[order], np.ascontiguousarray(values[order], np.float32)
        ends = [*(np.flatnonzero(np.diff(rows) != 1) + 1).tolist(), len(rows)]
        try:
            # Not through the mapping: there a full disk would end the process.
            for first, last in zip([0, *ends], ends, strict=False):
                self._file.seek(int(rows[first]) * self._bytes)
                self._file.write(values[first:last].view(np.uint8).data)
        except OSError as error:
            raise _unwritable(self._folder, error) from error

    def copy(self, sources: Index, targets: Index) -> None:
        """Write rows again at other places."""
        step = max(1, MAPPED // max(1, self._bytes))
        whole = self.finished()
        for start in range(0, len(sources), step):
            part = slice(start, start + step)
            self.write(targets[part], whole[sources[part]])

    def finished(self) -> NDArray[np.float32]:
        """Return all rows, shape (n, ...), not to be written to; mapped where they lie in a file.

        Raises
        ------
        StoreError
            The disk is full.
        """
        if self._array is None:
            assert self._file is not None, "either of the two is there"
            try:
                self._file.flush()
            except OSError as error:
                raise _unwritable(self._folder, error) from error
            found: NDArray[np.float32] = np.memmap(self._file, np.float32, "r", shape=self._shape)
            # A plain array: what is computed from a memmap would else call itself one.
            return found.view(np.ndarray)
        view = self._array.view()
        view.setflags(write=False)
        return view

    def close(self) -> None:
        """Close the file; what was mapped stays."""
        if self._file is not None:
            self._file.close()


class Runs(Generic[T]):
    """A short run of values for each row; equal values are kept once.

    Parameters
    ----------
    n : int
    """

    def __init__(self, n: int) -> None:
        self.start = np.zeros(n, np.int64)
        self.length = np.zeros(n, np.int32)
        self.pool: list[T] = []
        self._numbers: dict[T, int] = {}
        self._codes = array("i")

    def code(self, value: T) -> int:
        """Return the number of a value."""
        found = self._numbers.setdefault(value, len(self.pool))
        if found == len(self.pool):
            self.pool.append(value)
        return found

    def add(self, rows: Index, ends: Index, codes: NDArray[np.integer[Any]]) -> None:
        """Add the runs of some rows.

        Parameters
        ----------
        rows : ndarray of int, shape (m,)
        ends : ndarray of int, shape (m + 1,)
            Where each run begins in `codes`, and where the last ends.
        codes : ndarray of int
            See `code`.
        """
        self.start[rows] = len(self._codes) + ends[:-1]
        self.length[rows] = np.diff(ends)
        self._codes.frombytes(np.ascontiguousarray(codes, np.intc).tobytes())

    def copy(self, sources: Index, targets: Index) -> None:
        """Give rows the runs of others; nothing is written twice."""
        self.start[targets] = self.start[sources]
        self.length[targets] = self.length[sources]

    def finish(self) -> None:
        """Forget what was needed to add."""
        self._numbers = {}

    @property
    def codes(self) -> NDArray[np.intc]:
        """All runs, in the order in which they were added."""
        return np.frombuffer(self._codes, np.intc) if self._codes else np.empty(0, np.intc)

    def run(self, row: int) -> Sequence[T]:
        """Return the values of one row."""
        start = int(self.start[row])
        return [self.pool[k] for k in self._codes[start : start + int(self.length[row])]]

    def any(self, flags: NDArray[np.bool_], rows: Index | slice) -> NDArray[np.bool_]:
        """Mark the rows with a marked value.

        Parameters
        ----------
        flags : ndarray of bool, shape (len(pool),)
        rows : ndarray of int or slice

        Returns
        -------
        ndarray of bool, shape (m,)
        """
        before = np.zeros(len(self._codes) + 1, np.int64)
        np.cumsum(flags[self.codes] if len(flags) else [], out=before[1:])
        start = self.start[rows]
        found: NDArray[np.bool_] = before[start + self.length[rows]] > before[start]
        return found


def _unnamed(folder: Path) -> IO[bytes]:
    """Open a file that is gone when it is closed: in the folder, or where temporary files go."""
    if folder.is_dir() and os.access(folder, os.W_OK):
        return tempfile.TemporaryFile(dir=folder)
    return tempfile.TemporaryFile()


def _unwritable(folder: Path, error: OSError) -> StoreError:
    return StoreError(
        f"cannot write a column file in {folder} or the system's temporary folder: "
        f"{error.strerror or error}; free space, or put the store on another disk"
    )
