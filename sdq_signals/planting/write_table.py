"""Writes tables of samples with their side-car file: CSV, TSV (plain or gzip), Parquet."""

from __future__ import annotations

import gzip
import re
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from sdq_core.files import atomic_write
from sdq_signals.formats.table import column_names
from sdq_signals.planting.draft import Draft

__all__ = ["stem_of", "write"]

_TIME: Final = re.compile(
    r"(?:time|timestamp|t)(?:[ _(\[]+(s|sec|seconds|ms|us|ns)[)\]]?)?", re.IGNORECASE
)
_A_SECOND: Final = {"ms": 1e3, "us": 1e6, "ns": 1e9}


def write(draft: Draft, folder: Path) -> Path:
    """Write a table with a column for each channel, and a time column where there was one.

    Times begin with 0; other columns are left out. The side-car states rate, units and names.

    Parameters
    ----------
    draft : Draft
    folder : Path
        Is there.

    Returns
    -------
    Path
        The table.
    """
    import pyarrow as pa

    columns: dict[str, Any] = {}
    clock = next((n for n in column_names(draft.path) if _TIME.fullmatch(n.strip())), None)
    if clock is not None and clock not in draft.names:
        match = _TIME.fullmatch(clock.strip())
        unit = (match[1] or "s").lower() if match is not None else "s"
        columns[clock] = np.arange(draft.samples.shape[1]) / draft.rate * _A_SECOND.get(unit, 1.0)
    values = draft.physical.astype(np.float32)
    for k, name in enumerate(draft.names):
        # Two channels of one name stay two columns.
        columns[name if name not in columns else f"{name} {k + 1}"] = values[k]
    # Not a number is written as such: an empty line of a table of one column would be no row.
    table = pa.table({n: pa.array(v) for n, v in columns.items()})
    suffixes = "".join(draft.path.suffixes[-2:] if draft.path.suffix == ".gz" else
                       draft.path.suffixes[-1:]).lower()  # fmt: skip
    path = folder / f"{draft.name}{suffixes}"
    atomic_write(path, _encoded(table, suffixes))
    facts: dict[str, Any] = {
        "sampling_rate": draft.rate,
        "channels": [n for n in columns if n != clock or clock in draft.names],
        **draft.told,
        **draft.statements,
    }
    if any(draft.stated_units):
        facts["units"] = list(draft.stated_units)
    text = yaml.safe_dump(facts, sort_keys=True, allow_unicode=True)
    atomic_write(folder / f"{draft.name}.yaml", text.encode())
    return path


def stem_of(path: Path) -> str:
    """Return the name of a table without its suffixes.

    Examples
    --------
    >>> stem_of(Path("s1.csv.gz"))
    's1'
    """
    return path.name.removesuffix(".gz").rpartition(".")[0]


def _encoded(table: Any, suffixes: str) -> bytes:
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    buffer = BytesIO()
    if suffixes == ".parquet":
        pq.write_table(table, buffer)
        return buffer.getvalue()
    mark = "\t" if suffixes.startswith(".tsv") else ","
    pacsv.write_csv(table, buffer, pacsv.WriteOptions(delimiter=mark, quoting_style="needed"))
    data = buffer.getvalue()
    return gzip.compress(data, mtime=0) if suffixes.endswith(".gz") else data
