"""Quasi-identifiers: how small the classes are, and whom unique synthetic patients match."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdq_core.statistics.anonymity import Anonymity, k_anonymity
from sdq_ehr.attacks.risk import Risk, control_adjusted
from sdq_ehr.records import Records

__all__ = ["Uniqueness", "quasi_identifiers", "uniqueness"]

Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Uniqueness:
    """Classes by quasi-identifiers.

    Parameters
    ----------
    synthetic, train : Anonymity
    matches : Risk or None
        Share of the unique synthetic patients who match a unique training patient, beyond that of
        the holdout. None where there is no unique synthetic patient, or no holdout.
    unique : int
        Synthetic patients alone in their class.
    """

    synthetic: Anonymity
    train: Anonymity
    matches: Risk | None
    unique: int


def uniqueness(
    synthetic: Codes, train: Codes, holdout: Codes | None, *, level: float = 0.95, seed: int = 0
) -> Uniqueness:
    """Count classes of equal quasi-identifiers, and what unique synthetic patients match.

    Parameters
    ----------
    synthetic, train, holdout : ndarray of int, shape (n, q)
        In one coding.
    level : float
    seed : int
        Of the part of the larger real set that is left out: who is unique depends on the number.

    Returns
    -------
    Uniqueness

    Notes
    -----
    k-anonymity: Sweeney, Int. J. Uncertain. Fuzz. 10(5), 2002, doi:10.1142/S0218488502001648. In
    synthetic data a small class is no leak by itself; one that meets a unique real patient more
    often than a unique patient of the holdout is.

    Examples
    --------
    >>> made, real = np.array([[0], [1], [1]]), np.array([[0], [2], [2]])
    >>> found = uniqueness(made, real, np.array([[3], [2], [2]]))
    >>> found.synthetic.smallest, found.unique, found.matches.value
    (1, 1, 1.0)
    """
    made, real = k_anonymity(synthetic), k_anonymity(train)
    alone = made.sizes == 1
    if holdout is None or not alone.any():
        return Uniqueness(made, real, None, int(alone.sum()))
    rng = np.random.default_rng(seed)
    size = min(len(train), len(holdout))
    sides = [r[np.sort(rng.permutation(len(r))[:size])] for r in (train, holdout)]
    everyone = np.concatenate([synthetic[alone], *sides])
    _, number = np.unique(everyone, axis=0, return_inverse=True)
    number = number.ravel()
    n = int(alone.sum())
    wanted, one, two = number[:n], number[n : n + size], number[n + size :]
    counts = [np.bincount(c, minlength=int(number.max()) + 1) for c in (one, two)]
    hits, control = (int((c[wanted] == 1).sum()) for c in counts)
    matches = control_adjusted(hits, n, control, n, level=level)
    return Uniqueness(made, real, matches, n)


def quasi_identifiers(records: Records) -> tuple[Codes, tuple[str, ...]] | None:
    """Return the declared quasi-identifiers of all patients as codes.

    Parameters
    ----------
    records : Records

    Returns
    -------
    codes : ndarray of int, shape (patients, q)
        Exact values, missing being one.
    names : tuple of str
        None instead of both where no column of a table with one row a patient is declared.
    """
    found: list[Codes] = []
    names: list[str] = []
    for table in records.tables.values():
        if not table.single or not len(table):
            continue
        for column, about in table.columns.items():
            if not about.quasi_identifier:
                continue
            if column in table.numbers:
                values = np.full(records.count, np.nan)
                values[table.owner] = table.numbers[column]
                _, code = np.unique(values, return_inverse=True)
            elif column in table.codes:
                code = np.full(records.count, len(table.levels[column]) - 1, np.intp)
                code[table.owner] = table.codes[column]
            else:
                continue
            found.append(code.astype(np.intp))
            names.append(f"{table.name}.{column}")
    return (np.stack(found, axis=1), tuple(names)) if found else None
