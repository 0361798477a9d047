"""Check digits of identifiers, over arrays of digits.

Luhn's is the mod-10 digit of LOINC (LOINC Users' Guide, appendix on the check digit); Verhoeff's
dihedral one ends an identifier of SNOMED CT (SNOMED CT Release File Specification, 5.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["digit_matrix", "luhn", "verhoeff"]


def _dihedral() -> NDArray[np.uint8]:
    """Return the multiplication table of the dihedral group D5 as Verhoeff numbers its elements."""
    table = np.empty((10, 10), np.uint8)
    for a in range(10):
        for b in range(10):
            turn = (a % 5 + (b % 5 if a < 5 else -b % 5)) % 5
            table[a, b] = turn + 5 * ((a >= 5) ^ (b >= 5))
    return table


def _permutations() -> NDArray[np.uint8]:
    """Return Verhoeff's permutation and its powers 0 to 7."""
    step = np.array([1, 5, 7, 6, 2, 8, 3, 0, 9, 4])
    powers = [np.arange(10)]
    for _ in range(7):
        powers.append(step[powers[-1]])
    return np.stack(powers).astype(np.uint8)


_D5: Final = _dihedral()
_PERMUTED: Final = _permutations()
_DOUBLED: Final = np.array([0, 2, 4, 6, 8, 1, 3, 5, 7, 9], np.uint8)


def digit_matrix(texts: Sequence[str], width: int) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Return the digits of texts, the last digit first.

    Parameters
    ----------
    texts : sequence of str
        ASCII digits only, at most `width` of them; the caller has checked.
    width : int

    Returns
    -------
    digits : array of uint8, shape (width, n)
        Row i holds the digits at place i from the right; 0 where a text is shorter.
    lengths : array of intp, shape (n,)

    Examples
    --------
    >>> digit_matrix(["12", "7"], 3)[0].tolist()
    [[2, 7], [1, 0], [0, 0]]
    """
    lengths = np.fromiter(map(len, texts), np.intp, len(texts))
    flat = np.frombuffer("".join(texts).encode("ascii"), np.uint8) - np.uint8(48)
    ends = np.cumsum(lengths) - 1
    shortest = int(lengths.min(initial=width))
    digits = np.zeros((width, len(texts)), np.uint8)
    for place in range(int(lengths.max(initial=0))):
        if place < shortest:
            digits[place] = flat[ends - place]
        else:
            longer = place < lengths
            digits[place, longer] = flat[ends[longer] - place]
    return digits, lengths


def luhn(digits: NDArray[np.uint8], prefix: NDArray[np.int64] | int = 0) -> NDArray[np.bool_]:
    """Tell whether the last digit is right by Luhn's rule (mod 10, every second digit doubled).

    Leading zeros change nothing, so that texts of several lengths go together.

    Parameters
    ----------
    digits : array of uint8, shape (width, n)
        As of :func:`digit_matrix`: the check digit is row 0.
    prefix : array of int, shape (n,), optional
        What letters before the digits add to the sum.

    Returns
    -------
    array of bool, shape (n,)

    Examples
    --------
    >>> luhn(digit_matrix(["21600", "21601"], 5)[0]).tolist()
    [True, False]
    """
    total = digits[0::2].sum(axis=0, dtype=np.int64)
    total += _DOUBLED[digits[1::2]].sum(axis=0, dtype=np.int64) + prefix
    return np.asarray(total % 10 == 0)


def verhoeff(digits: NDArray[np.uint8], lengths: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Tell whether the last digit is right by Verhoeff's rule.

    It finds every wrong digit and every exchange of neighbours (Verhoeff 1969, Error detecting
    decimal codes).

    Parameters
    ----------
    digits : array of uint8, shape (width, n)
        As of :func:`digit_matrix`: the check digit is row 0.
    lengths : array of intp, shape (n,)
        Leading zeros count in this rule: places beyond a text's length are left out.

    Returns
    -------
    array of bool, shape (n,)

    Examples
    --------
    >>> verhoeff(*digit_matrix(["73211009", "73211008"], 8)).tolist()
    [True, False]
    """
    state = np.zeros(digits.shape[1], np.uint8)
    shortest = int(lengths.min(initial=len(digits)))
    for place, row in enumerate(digits):
        moved = _D5[state, _PERMUTED[place % 8][row]]
        state = moved if place < shortest else np.where(place < lengths, moved, state)
    return np.asarray(state == 0)
