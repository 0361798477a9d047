"""Which values of an attribute may be named: one that few real subjects have could name a person.

Attributes come from label tables and containers, and a column of them may hold names or numbers of
patients, or the ward of a single one. Outputs count such values, they do not spell them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.cohort import Cohorts

__all__ = ["NOTE", "RARE", "nameable", "named_bars", "pooled"]

LEAST: Final = 3
"""Real subjects that must share a value before it is spelled out; the threshold rule of statistical
disclosure control (Hundepool et al. 2012, doi:10.1002/9781118348239)."""
RARE: Final = "…"
"""What stands for all rarer values together."""
NOTE: Final = {
    "en": f"{RARE} stands for values that fewer than {LEAST} real subjects have; "
    "they could name a person and are counted only.",
    "zh": f"“{RARE}”代表真实受试者不足 {LEAST} 人的取值; 此类取值可能指向个人, 仅计数, 不列出。",
}
"""Explains `RARE` beside a figure."""


def nameable(cohorts: Cohorts, name: str) -> frozenset[str]:
    """Return the values of an attribute that may be spelled out.

    Parameters
    ----------
    cohorts : Cohorts
    name : str
        The attribute.

    Returns
    -------
    frozenset of str
        Those that at least `LEAST` real subjects have, and those that no real item has. A value
        of a few real subjects stays unnamed where the synthetic cohort has it too: then it may
        have been copied.
    """
    holders: dict[str, set[str]] = {}
    for cohort in cohorts.real:
        if name in cohort.attributes:
            groups = cohort.groups.tolist()
            for value, group in zip(cohort.attributes[name].tolist(), groups, strict=True):
                holders.setdefault(value, set()).add(group)
    made = cohorts.synthetic.attributes.get(name)
    new = set() if made is None else set(made.tolist()) - holders.keys()
    return frozenset({v for v, found in holders.items() if len(found) >= LEAST} | new)


def pooled(counts: Mapping[str, int], named: frozenset[str]) -> dict[str, int]:
    """Return counts by value with those that may not be named put together.

    Examples
    --------
    >>> pooled({"north": 12, "room 7 only": 1, "Mrs Smith": 1}, frozenset({"north"}))
    {'north': 12, '…': 2}
    """
    found: Counter[str] = Counter()
    for value, count in counts.items():
        found[value if value in named or not value else RARE] += count
    return dict(found)


def named_bars(
    values: Sequence[str],
    synthetic: NDArray[np.float64],
    real: NDArray[np.float64],
    named: frozenset[str],
) -> dict[str, Any]:
    """Return the shares of an attribute's values as details of a measurement.

    Parameters
    ----------
    values : sequence of str
    synthetic, real : ndarray
        Share of each value.
    named : frozenset of str
        As `nameable` gives them; the others are put together.

    Examples
    --------
    >>> share = np.array([0.5, 0.25, 0.25])
    >>> found = named_bars(["a", "Mrs Smith", "room 7 only"], share, share, frozenset({"a"}))
    >>> found["bars"]
    [{'label': 'a', 'synthetic': 0.5, 'real': 0.5}, {'label': '…', 'synthetic': 0.5, 'real': 0.5}]
    """
    known = np.array([value in named for value in values], dtype=bool)
    bars = [
        {"label": value, "synthetic": float(s), "real": float(r)}
        for value, s, r, shown in zip(values, synthetic, real, known, strict=True)
        if shown
    ]
    if known.all():
        return {"bars": bars}
    rest = {
        "label": RARE,
        "synthetic": float(synthetic[~known].sum()),
        "real": float(real[~known].sum()),
    }
    return {"bars": [*bars, rest], "notes": [NOTE]}
