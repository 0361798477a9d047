"""The blinding leak test: nothing but the pictures may tell real from synthetic.

A simple classifier looks at what a curious reader could see without looking at a case: lengths,
times, headers, names, places in the order. It must do no better than chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

__all__ = ["ALARM", "Leak", "leak_test", "name_facts"]

ALARM: Final = 0.01
"""Level of the test. A true leak (a length, a header) has p near 0 at every size."""
LEAST: Final = 8
"""Fewest cases of the smaller kind with which the test can say something."""


@dataclass(frozen=True)
class Leak:
    """What the test found.

    Parameters
    ----------
    auc : float
        Of the classifier; 0.5 is chance.
    p_value : float
        By permutation of whole cases.
    facts : tuple of str
        What it saw.
    telling : tuple of str
        Facts that tell by themselves, strongest first.
    tested : bool
        False with too few cases: then nothing is known.
    """

    auc: float
    p_value: float
    facts: tuple[str, ...]
    telling: tuple[str, ...]
    tested: bool

    @property
    def found(self) -> bool:
        """Whether the blinding leaks: all facts together tell, or one by itself.

        With few cases the noise of many facts can hide from the classifier what one tells.
        """
        return self.tested and (self.p_value < ALARM or bool(self.telling))


def leak_test(
    facts: Mapping[str, Mapping[str, float]],
    synthetic: Mapping[str, bool],
    seed: int = 0,
    permutations: int = 999,
) -> Leak:
    """Test whether facts about the cases tell which are synthetic.

    Parameters
    ----------
    facts : mapping of str to mapping of str to float
        Case -> fact -> number; the same facts for every case.
    synthetic : mapping of str to bool
        Case -> whether it is.
    seed, permutations : int

    Returns
    -------
    Leak

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> cases = {f"c{k}": {"bytes": 100.0 + k % 2, "ms": float(rng.normal())} for k in range(40)}
    >>> found = leak_test(cases, {f"c{k}": k % 2 == 1 for k in range(40)})
    >>> found.found, found.telling
    (True, ('bytes',))
    >>> leak_test(cases, {f"c{k}": k % 4 < 2 for k in range(40)}).found
    False
    """
    from sdq_core.statistics import classifier_two_sample_test

    names = tuple(sorted({name for one in facts.values() for name in one}))
    cases = sorted(facts)
    table = np.array([[facts[c].get(n, 0.0) for n in names] for c in cases], float)
    table = table.reshape(len(cases), len(names))
    said = np.array([synthetic[c] for c in cases], bool)
    varies = np.ptp(table, axis=0) > 0 if len(cases) else np.zeros(len(names), bool)
    if not varies.any():
        return Leak(0.5, 1.0, names, (), True)
    if min(int(said.sum()), int((~said).sum())) < LEAST:
        return Leak(0.5, 1.0, names, (), False)
    # Ranks: one slow reply must not hide the rest.
    ranks = _ranks(table[:, varies])
    result = classifier_two_sample_test(
        ranks[said], ranks[~said], seed=seed, permutations=permutations
    )
    alone = []
    for name, column in zip(np.array(names)[varies], ranks.T, strict=True):
        found = _auc(column[said], column[~said])
        spread = np.sqrt((len(said) + 1) / (12 * said.sum() * (~said).sum()))
        if abs(found - 0.5) > 3.5 * spread:
            alone.append((-abs(found - 0.5), str(name)))
    return Leak(
        float(result.auc), float(result.p_value), names, tuple(n for _, n in sorted(alone)), True
    )


def name_facts(name: str) -> dict[str, float]:
    """Return a name as numbers: its length and characters.

    Examples
    --------
    >>> name_facts("ab")["length"], name_facts("ab")["sum"]
    (2.0, 195.0)
    """
    codes = [ord(c) for c in name]
    return {
        "length": float(len(codes)),
        "sum": float(sum(codes)),
        "first": float(codes[0] if codes else 0),
        "last": float(codes[-1] if codes else 0),
    }


def _ranks(table: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata

    ranks: np.ndarray = rankdata(table, axis=0) / len(table)
    return ranks


def _auc(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean(np.sign(a[:, None] - b[None, :])) / 2 + 0.5)


def strongest(names: Sequence[str], most: int = 5) -> str:
    """Return names as words, the first few of them."""
    return ", ".join(names[:most]) or "no single fact"
