"""Items written as stacks of arrays with a label table beside them, a part at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import StoreError
from sdq_core.in_memory.data import Element
from sdq_core.study import CohortSource

__all__ = ["LABELS", "write_stacks"]

LABELS: Final = "labels.parquet"
_BYTES: Final = 2**26
"""Of a stack: what is held in memory at a time."""

Array = NDArray[Any]


def write_stacks(
    found: Iterable[Element],
    folder: Path,
    shaped: Callable[[int, Element], Array],
    *,
    size: int = _BYTES,
) -> CohortSource:
    """Write items into a folder.

    Parameters
    ----------
    found : iterable of Element
    folder : Path
        Exists and is empty. Item ``k`` becomes ``from-<first>.npy#<k - first>``: neighbours of one
        shape and type share a file, which is named by the number of its first item.
    shaped : callable
        ``shaped(number, element)`` returns the array as the modality's files hold it, or raises
        `UsageError`.
    size : int
        Most bytes of a file, one item aside.

    Returns
    -------
    CohortSource
        With a label table where anything is known of the items.
    """
    rows: list[dict[str, str]] = []
    waiting: list[Array] = []
    first = number = 0

    def write() -> None:
        if waiting:
            try:
                np.save(folder / _name(first), np.stack(waiting), allow_pickle=False)
            except OSError as error:
                raise StoreError(
                    f"cannot write the items to {folder} ({error.strerror or error}); free space "
                    "there, or name another folder for temporary files in TMPDIR"
                ) from error
            waiting.clear()

    for number, element in enumerate(found):
        values = shaped(number, element)
        if waiting:
            same = values.shape == waiting[0].shape and values.dtype == waiting[0].dtype
            if not same or (len(waiting) + 1) * values.nbytes > size:
                write()
        if not waiting:
            first = number
        # A copy: generators may use one buffer for all items.
        waiting.append(np.array(values, order="C"))
        rows.append({"item": f"{_name(first)}#{number - first}", **element.stated})
    write()
    if not any(len(row) > 1 for row in rows):
        return CohortSource(path=folder)
    return CohortSource(path=folder, labels=_write_labels(rows, folder / LABELS))


def _name(first: int) -> str:
    return f"from-{first:07d}.npy"


def _write_labels(rows: list[dict[str, str]], path: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: pa.array([row.get(name, "") for row in rows], pa.string()) for name in names}
    pq.write_table(pa.table(columns), path)
    return path
