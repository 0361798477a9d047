"""What a patient's record is known by: digest, hash of the key, class, provenance."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sdq_ehr.cells.texts import mask
from sdq_ehr.dataset import Dataset

__all__ = [
    "patient_attributes",
    "patient_classes",
    "patient_digests",
    "patient_provenance",
    "subject_hash",
]

_CELL, _ROW, _NULL, _ESCAPE = "\x1f", "\x1e", "\x00", "\x1b"


def patient_digests(dataset: Dataset, *, keys: bool = True) -> list[str]:
    """Return a digest of each patient's cells in all tables.

    Neither the order of the patients nor that of the rows of one matters: rows enter in the order
    of their content.

    Parameters
    ----------
    dataset : Dataset
    keys : bool
        Whether keys, identifiers and columns of provenance enter. Without them the digest is that
        of what the record says: a copy under another number has the same.

    Returns
    -------
    list of str
        SHA-256 (hex, FIPS 180-4) over the names of tables and the canonical texts of the cells,
        one a patient in the order of `Dataset.patients`.

    Examples
    --------
    >>> from sdq_ehr.schema import Schema
    >>> schema = Schema(tables={"t": {"columns": {"x": {"type": "integer"}}}})
    >>> a, b = (Dataset(schema, {"t": pa.table({"x": x})}) for x in ([1, 2], [2, 1]))
    >>> patient_digests(a) == patient_digests(b)[::-1]
    True
    """
    patients = dataset.patients()
    hashes = [hashlib.sha256() for _ in range(len(patients))]
    for name in sorted(dataset.tables):
        table, owner = dataset.tables[name], patients.rows[name]
        kept = np.flatnonzero(owner >= 0)
        if not len(kept) or not table.num_columns:
            continue
        used = [c for c in sorted(table.column_names) if keys or _says(dataset, name, c)]
        texts = _row_texts(table.select(used), name)
        texts = texts.take(pa.array(kept)) if len(kept) < len(texts) else texts
        _update(hashes, texts, owner[kept])
    return [h.hexdigest() for h in hashes]


def _says(dataset: Dataset, table: str, column: str) -> bool:
    """Whether a column says something of the patient, and does not only name or connect rows."""
    schema = dataset.schema
    definition = schema.tables[table]
    about = definition.columns[column]
    only_names = {*definition.key, *definition.references, schema.patient_column(table)}
    return about.type != "identifier" and about.meaning != "provenance" and column not in only_names


def subject_hash(key: str) -> str:
    """Return the hash under which a patient is known: the key itself is an identifier.

    Parameters
    ----------
    key : str

    Examples
    --------
    >>> subject_hash("")
    ''
    >>> len(subject_hash("12345"))
    64
    """
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest() if key else ""


def patient_classes(dataset: Dataset) -> NDArray[np.str_]:
    """Return the class of each patient: the column of that meaning, in the first row that has it.

    Parameters
    ----------
    dataset : Dataset

    Returns
    -------
    ndarray, shape (n,), str
        Empty where there is none.
    """
    patients = dataset.patients()
    found = np.full(len(patients), "", dtype=object)
    home = dataset.schema.home
    order = sorted(dataset.schema.tables, key=lambda t: t != home)
    for name in order:
        column = dataset.schema.tables[name].with_meaning("class")
        if column is None or name not in dataset.tables:
            continue
        values = _whole(dataset.tables[name][column]).cast(pa.string())
        known = np.flatnonzero((patients.rows[name] >= 0) & mask(pc.is_valid(values)))
        owners, first = np.unique(patients.rows[name][known], return_index=True)
        chosen = values.take(pa.array(known[first])).to_numpy(zero_copy_only=False)
        found[owners] = chosen
        break
    return found.astype(np.str_)


def patient_attributes(dataset: Dataset, most: int = 50) -> dict[str, NDArray[np.object_]]:
    """Return the categories of the patient table, by which balance and subgroups are looked at.

    Parameters
    ----------
    dataset : Dataset
    most : int
        Columns with more values are left out.

    Returns
    -------
    dict of str to ndarray, shape (n,), object
        Column -> text of each patient, empty where missing. Without the class and provenance.
    """
    home = dataset.schema.home
    if not home or home not in dataset.tables:
        return {}
    patients = dataset.patients()
    found = {}
    for column, about in dataset.schema.tables[home].columns.items():
        named = about.meaning in ("class", "provenance") or column in ("class", "subject", "item")
        if about.type not in ("category", "boolean") or named:
            continue
        values = _whole(dataset.tables[home][column]).cast(pa.string())
        if not 1 <= pc.count_distinct(values).as_py() <= most:
            continue
        texts = pc.fill_null(values, "").to_numpy(zero_copy_only=False)
        # The first row in which a patient stands speaks for all of them.
        found[column] = texts[patients.firsts]
    return found


def patient_provenance(dataset: Dataset) -> tuple[Mapping[str, str], ...]:
    """Return what the records of each patient say of where they come from.

    Parameters
    ----------
    dataset : Dataset
    """
    patients = dataset.patients()
    found: list[dict[str, str]] = [{} for _ in range(len(patients))]
    for name, column, about in dataset.schema.columns():
        if about.meaning != "provenance" or name not in dataset.tables:
            continue
        owner = patients.rows[name]
        values = dataset.tables[name][column].cast("string").to_pylist()
        for patient, value in zip(owner.tolist(), values, strict=True):
            if patient >= 0 and value is not None:
                found[patient].setdefault(column.lower(), value)
    return tuple(found)


def _whole(values: pa.ChunkedArray | pa.Array) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _row_texts(table: pa.Table, name: str) -> pa.Array:
    """Return one text a row that no other row of cells has."""
    columns = [_cell_texts(_whole(c)) for c in table.columns]
    if not columns:  # only keys: that there is a row is what it says
        return pa.array([_CELL.join((name, "", _ROW))] * table.num_rows, pa.large_string())
    head = pa.scalar(_CELL.join((name, *table.column_names)), pa.large_string())
    return pc.binary_join_element_wise(
        head, *columns, pa.scalar(_ROW, pa.large_string()), pa.scalar(_CELL, pa.large_string()),
        null_handling="replace", null_replacement=_NULL,
    )  # fmt: skip


def _cell_texts(values: pa.Array) -> pa.Array:
    texts = values.cast(pa.string()).cast(pa.large_string())
    if (
        pa.types.is_string(values.type)
        and pc.any(pc.match_substring_regex(texts, r"[\x00\x1b\x1e\x1f]")).as_py()
    ):
        for sign, letter in ((_ESCAPE, "e"), (_NULL, "0"), (_ROW, "r"), (_CELL, "c")):
            texts = pc.replace_substring(texts, sign, _ESCAPE + letter)
    return texts


def _update(hashes: list[hashlib._Hash], texts: pa.Array, owner: NDArray[np.intp]) -> None:
    """Hash the rows of each patient, in the order of their texts."""
    if len(np.unique(owner)) == len(owner):
        order = np.argsort(owner, kind="stable")
    else:
        ranked = pa.table({"owner": pa.array(owner), "text": texts})
        keys = [("owner", "ascending"), ("text", "ascending")]
        order = pc.sort_indices(ranked, sort_keys=keys).to_numpy()
    ordered = texts.take(pa.array(order))
    owner = owner[order]
    _, offsets, data = ordered.buffers()
    bounds = np.frombuffer(offsets, np.int64, len(ordered) + 1, ordered.offset * 8)
    starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    ends = np.r_[starts[1:], len(owner)]
    view = memoryview(data)
    first, last = bounds[starts].tolist(), bounds[ends].tolist()
    for patient, a, b in zip(owner[starts].tolist(), first, last, strict=True):
        hashes[patient].update(view[a:b])
