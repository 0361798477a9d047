"""Patients whom an attack endangers most: with rare codes, or in small groups."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_ehr.records import Records

__all__ = ["MOST_SHARE", "in_small_groups", "rarest", "with_rare_codes"]

MOST_SHARE: Final = 0.2
"""Largest share of the real patients that counts as rare."""
GROUPING: Final = ("sex", "race", "ethnicity", "region", "postcode")
"""Meanings of columns whose crossing makes groups, beside declared quasi-identifiers."""

Counts = NDArray[np.intp]
Flags = NDArray[np.bool_]


def rarest(counts: Counts, share: float = MOST_SHARE) -> Flags:
    """Mark the patients of the smallest counts, as many as fit into a share.

    Parameters
    ----------
    counts : ndarray of int, shape (n,)
        How many patients have what each patient has.
    share : float

    Returns
    -------
    ndarray of bool, shape (n,)
        All or none of equal counts.

    Examples
    --------
    >>> rarest(np.array([1, 9, 9, 9, 9, 9, 9, 9, 9, 9])).sum()
    np.int64(1)
    """
    order = np.sort(counts)
    allowed = int(share * len(order))
    if allowed < 1 or len(order) <= allowed:
        return np.zeros(len(counts), bool)
    found: Flags = counts < order[allowed]
    return found


def with_rare_codes(records: Records, patients: Counts) -> Flags:
    """Mark the real patients who have the rarest codes.

    Parameters
    ----------
    records : Records
    patients : ndarray of int
        Real patients, those that are compared.

    Returns
    -------
    ndarray of bool, shape (patients,)
        By the rarest of each patient's codes, in all columns of type ``code``, or of categories
        where no column holds codes; missing is no code.
    """
    kept = np.zeros(records.count, bool)
    kept[patients] = True
    columns = [
        (table, name)
        for table in records.tables.values()
        for name, about in table.columns.items()
        if name in table.codes and about.type == "code"
    ] or [(table, name) for table in records.tables.values() for name in table.codes]
    fewest = np.full(records.count, len(patients) + 1, np.intp)
    for table, name in columns:
        codes, missing = table.codes[name], len(table.levels[name]) - 1
        rows = kept[table.owner] & (codes != missing)
        if not rows.any():
            continue
        owner, code = np.unique(np.stack([table.owner[rows], codes[rows]]), axis=1)
        count = np.bincount(code, minlength=missing + 1)
        np.minimum.at(fewest, owner, count[code])
    return rarest(fewest[patients])


def in_small_groups(records: Records, patients: Counts) -> Flags | None:
    """Mark the real patients in the smallest groups.

    Parameters
    ----------
    records : Records
    patients : ndarray of int
        Real patients, those that are compared.

    Returns
    -------
    ndarray of bool, shape (patients,), or None
        By the crossing of declared quasi-identifiers and of sex, race, ethnicity, region and
        postcode, as far as they are categories of the patient table. None where there are none.
    """
    home = records.home
    if home is None:
        return None
    names = [
        c
        for c, about in home.columns.items()
        if c in home.codes and (about.quasi_identifier or about.meaning in GROUPING)
    ]
    if not names:
        return None
    group = np.zeros(records.count, np.intp)
    for name in names:
        code = np.full(records.count, len(home.levels[name]) - 1, np.intp)
        code[home.owner] = home.codes[name]
        _, group = np.unique(group * len(home.levels[name]) + code, return_inverse=True)
    size = np.bincount(group[patients], minlength=int(group.max()) + 1)
    return rarest(size[group[patients]])
