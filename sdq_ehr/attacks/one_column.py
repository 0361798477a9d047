"""Singling out by one column: values that stand once in the synthetic set, and its extremes.

The other attack on singling out looks at all columns at once; it does not see a generator that
takes single cells over, each of which may name a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.measurement import Interval
from sdq_core.statistics.mixed_rows import MixedRows
from sdq_ehr.attacks.risk import METHOD, Risk, share_of
from sdq_ehr.attacks.sides import Sides

__all__ = ["OneColumn", "Predicates", "one_column", "predicates"]

LEAST_CLAIMS: Final = 50
"""Fewest claims of which a rate can be read."""

Values = NDArray[np.float64]
Counts = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Predicates:
    """Descriptions by one column that fit exactly one row of some set.

    Parameters
    ----------
    equal : ndarray
        Values that occur once; NaN among them where one value is missing.
    low, high : float or None
        Smallest and largest value where one row has it: "at most this", "at least this". None of
        categories, and where several rows have it.
    """

    equal: Values
    low: float | None
    high: float | None

    def __len__(self) -> int:
        return len(self.equal) + (self.low is not None) + (self.high is not None)

    def counts(self, column: Values) -> Counts:
        """Return how many values of a column fit each description.

        Parameters
        ----------
        column : ndarray, shape (n,)
            NaN is missing.
        """
        known = np.sort(column[~np.isnan(column)])
        found = np.searchsorted(known, self.equal, "right")
        found = found - np.searchsorted(known, self.equal, "left")
        found[np.isnan(self.equal)] = len(column) - len(known)
        ends = []
        if self.low is not None:
            ends.append(np.searchsorted(known, self.low, "right"))
        if self.high is not None:
            ends.append(len(known) - np.searchsorted(known, self.high, "left"))
        return np.concatenate([found, np.array(ends, np.intp)]).astype(np.intp)


def predicates(column: Values, *, ordered: bool) -> Predicates:
    """Return the descriptions by one column that fit exactly one of its rows.

    Parameters
    ----------
    column : ndarray, shape (n,)
        NaN is missing.
    ordered : bool
        Whether values are numbers, of which the extremes describe too.

    Examples
    --------
    >>> found = predicates(np.array([3.0, 1.0, 3.0, 2.0]), ordered=True)
    >>> found.equal.tolist(), found.low, found.high
    ([1.0, 2.0], 1.0, None)
    """
    values, count = np.unique(column, return_counts=True)
    equal = values[count == 1]
    known = ~np.isnan(values)
    if not ordered or not known.any():
        return Predicates(equal, None, None)
    ends = np.flatnonzero(known)[[0, -1]]
    low, high = (float(values[k]) if count[k] == 1 else None for k in ends)
    return Predicates(equal, low, high)


@dataclass(frozen=True, eq=False)
class OneColumn:
    """A risk, how the attack fares on training patients themselves, and which columns give them.

    Parameters
    ----------
    risk : Risk
    planted : Interval
        Share of claims made from training patients that single one of them out.
    claims : int
    success, control_success : float
        Share of claims that fit exactly one training patient, and exactly one holdout patient,
        whomever else of the other side they fit.
    columns : tuple of (str, int, int, int)
        Name, claims, those that single out a training patient, a holdout patient; from the column
        with most of the first beyond the second.
    """

    risk: Risk
    planted: Interval
    claims: int
    success: float
    control_success: float
    columns: tuple[tuple[str, int, int, int], ...]

    @property
    def sees_copies(self) -> bool:
        """Whether values taken from training patients single them out far oftener than chance."""
        return self.planted.low > self.risk.control.high + 0.1


def one_column(sides: Sides, *, level: float = 0.95, seed: int = 0) -> OneColumn | None:
    """Measure how often a description by one column isolates one training patient.

    Parameters
    ----------
    sides : Sides
    level : float
    seed : int
        Of the training patients who are described themselves, for control.

    Returns
    -------
    OneColumn or None
        Of all descriptions that fit exactly one synthetic patient: a value that one patient has,
        a value that one patient lacks, an extreme of a number. None where there are fewer than
        50. A person is singled out who alone of all real patients is described. Where nothing was
        memorised that is a training patient as often as the sizes say: the risk is the share of
        descriptions that single out training patients, less that of holdout patients times the
        ratio of the sizes.

    Notes
    -----
    The univariate attack of Giomi et al., PoPETs 2023(2), doi:10.56553/popets-2023-0055, with all
    descriptions in place of a sample, and with a baseline that does not depend on how much smaller
    the holdout is; WP216, opinion 05/2014, singling out. Limits by MOVER: Zou & Donner, Stat. Med.
    27, 2008, doi:10.1002/sim.3095.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b = (MixedRows(rng.normal(size=(80, 2)), np.empty((80, 0), int)) for _ in range(2))
    >>> round(one_column(Sides(a, b, a, ())).risk.value, 2)  # the holdout has values beyond a's
    0.98
    """
    rng = np.random.default_rng(seed)
    n = min(len(sides.train), len(sides.synthetic))
    sample = sides.train.take(np.sort(rng.permutation(len(sides.train))[:n]))
    rows: list[tuple[str, int, int, int]] = []
    planted = tried = 0
    once = np.zeros(2)
    sets = (sides.synthetic, sample, sides.train, sides.holdout)
    for j, (ordered, (made, own, train, holdout)) in enumerate(_columns(*sets)):
        claims = predicates(made, ordered=ordered)
        inside, outside = claims.counts(train), claims.counts(holdout)
        alone = inside + outside == 1
        rows.append((
            sides.names[j] if sides.names else str(j), len(claims),
            int((alone & (inside == 1)).sum()), int((alone & (outside == 1)).sum()),
        ))  # fmt: skip
        once += (inside == 1).sum(), (outside == 1).sum()
        copied = predicates(own, ordered=ordered)
        tried += len(copied)
        planted += int((copied.counts(train) + copied.counts(holdout) == 1).sum())
    total = sum(r[1] for r in rows)
    if total < LEAST_CLAIMS or not tried:
        return None
    ratio = len(sides.train) / len(sides.holdout)
    rows.sort(key=lambda r: ratio * r[3] - r[2])
    hits, control = sum(r[2] for r in rows), sum(r[3] for r in rows)
    risk = _beyond(share_of(hits, total, level), share_of(control, total, level), ratio)
    success, other = (float(v) / total for v in once)
    return OneColumn(risk, share_of(planted, tried, level), total, success, other, tuple(rows))


def _beyond(attack: Interval, control: Interval, ratio: float) -> Risk:
    """Return how much oftener the attack succeeds than the control at equal numbers."""
    a, c = attack.centre or 0.0, ratio * (control.centre or 0.0)
    low = a - c - float(np.hypot(a - attack.low, ratio * control.high - c))
    high = max(a - c, 0.0) + float(np.hypot(attack.high - a, c - ratio * control.low))
    value, low, high = (float(np.clip(v, 0, 1)) for v in (a - c, low, high))
    return Risk(value, Interval(low, high, METHOD, attack.level), attack, control)


def _columns(*sets: MixedRows) -> Iterator[tuple[bool, tuple[Values, ...]]]:
    """Yield each column of all sets, and whether it holds numbers."""
    for j in range(sets[0].numbers.shape[1]):
        yield True, tuple(s.numbers[:, j] for s in sets)
    for j in range(sets[0].categories.shape[1]):
        yield False, tuple(s.categories[:, j].astype(np.float64) for s in sets)
