"""Frames in memory, as the Parquet files that the modality reads."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from sdq_core.errors import StoreError, UsageError
from sdq_core.in_memory.data import InMemory, is_frame
from sdq_core.study import CohortSource
from sdq_ehr.formats import arrow
from sdq_ehr.settings import EhrSettings

__all__ = ["stage"]

ALONE: Final = "table"
"""Name of a single frame for which no schema has a name."""


def stage(data: InMemory, folder: Path, settings: Mapping[str, Any]) -> CohortSource:
    """Write the tables of a cohort into a folder.

    Parameters
    ----------
    data : InMemory
        A frame that exports Arrow (pandas, polars, pyarrow), or a mapping of the schema's table
        names to such frames.
    folder : Path
    settings : mapping
        Of the study.

    Raises
    ------
    UsageError
        It is neither, a frame has no rows, or classes are given beside the tables.

    Warns
    -----
    UserWarning
        There is no schema: one is proposed from the training cohort, which a person must read
        before numbers mean anything.
    """
    where = data.argument
    if data.labels is not None or data.subjects is not None or data.attributes:
        raise UsageError(
            f"{where}: classes, patients and attributes of records are columns that the schema "
            "names (meaning: class; patient); leave out labels, subjects and attributes"
        )
    schema = EhrSettings.of(settings).schema_of()
    if schema is None:
        warnings.warn(
            "ehr: no schema is given, so one is proposed from the training cohort, good for a "
            "first look only; read it (sdq_ehr.proposing.propose), correct it, and give it: "
            "settings={'schema': ...}",
            UserWarning,
            stacklevel=5,  # the line that called sdq_core.evaluate
        )
    frames = data.data
    if is_frame(frames):
        names = [ALONE] if schema is None else list(schema.tables)
        if len(names) > 1:
            raise UsageError(
                f"{where}: is one frame, and the schema has {len(names)} tables; give them by "
                f"name: {where}={{{names[0]!r}: ..., {names[1]!r}: ...}}"
            )
        frames = {names[0]: frames}
    if not isinstance(frames, Mapping):
        raise UsageError(
            f"{where}: is a {type(frames).__name__}; give a frame of pandas, polars or pyarrow, or "
            "a mapping of table names to frames"
        )
    if not frames:
        raise UsageError(f"{where}: holds no table; give at least one")
    for name, frame in frames.items():
        _write(frame, str(name), folder, where)
    return CohortSource(path=folder)


def _write(frame: object, name: str, folder: Path, where: str) -> None:
    if not name or PurePath(name).name != name or "\\" in name or name.startswith((".", "labels")):
        raise UsageError(
            f"{where}: {name!r} cannot name a table; give the names that the schema has"
        )
    if hasattr(frame, "collect") and not hasattr(frame, "__arrow_c_stream__"):
        raise UsageError(f"{where}, table {name}: is not computed yet; give frame.collect()")
    table = arrow.from_frame(frame, f"{name} of {where}").table
    if not table.num_rows:
        raise UsageError(f"{where}, table {name}: has no rows; give at least one")
    try:
        pq.write_table(table, folder / f"{name}.parquet")
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise UsageError(
            f"{where}, table {name}: has a column that cannot be written as Parquet "
            f"({type(error).__name__}); give columns of texts, numbers and times"
        ) from error
    except OSError as error:
        raise StoreError(
            f"cannot write the tables to {folder} ({error.strerror or error}); free space there, "
            "or name another folder for temporary files in TMPDIR"
        ) from error
