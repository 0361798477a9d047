"""Each reader's order of cases: a function of the recorded seed and the reader's code."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

__all__ = ["Slot", "reading_order"]

APART: Final = 10
"""Fewest readings between a case and its repeat, where there are enough cases."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in a reader's order.

    Parameters
    ----------
    number : int
        From 1.
    session : int
        From 1.
    case : str
    purpose : {"training", "reading", "repeat"}
    flipped : bool
        For pairs: whether side b stands on the left.
    """

    number: int
    session: int
    case: str
    purpose: Literal["training", "reading", "repeat"]
    flipped: bool = False


def reading_order(
    cases: Sequence[str],
    training: Sequence[str],
    *,
    repeated: int,
    sessions: int,
    seed: int,
    reader: str,
) -> tuple[Slot, ...]:
    """Return the order in which a reader meets the cases.

    Parameters
    ----------
    cases, training : sequence of str
        Names that say nothing of what the cases are.
    repeated : int
        How many cases come twice.
    sessions : int
        Parts of nearly equal size. With several, repeats are of cases of earlier sessions and come
        in the last; with one, they come in its second half, at least `APART` readings later.
    seed : int
    reader : str

    Returns
    -------
    tuple of Slot
        The same for the same arguments, on every machine.

    Examples
    --------
    >>> slots = reading_order(["a", "b", "c", "d"], ["t"], repeated=1, sessions=1, seed=1,
    ...                       reader="r1")
    >>> [s.purpose for s in slots].count("reading"), slots[0].case, slots[-1].number
    (4, 't', 6)
    """
    # Not for secrets: the seed is recorded so that the order can be checked.
    rng = random.Random(f"{seed}/{reader}")  # noqa: S311
    names, first = sorted(cases), sorted(training)
    rng.shuffle(names)
    rng.shuffle(first)
    cuts = [round(k * len(names) / sessions) for k in range(sessions + 1)]
    parts = [names[a:b] for a, b in pairwise(cuts)]
    if sessions > 1:
        early = [name for part in parts[:-1] for name in part]
        again = rng.sample(early, min(repeated, len(early)))
        mixed = [(name, False) for name in parts[-1]] + [(name, True) for name in again]
        rng.shuffle(mixed)
        rows = [[(name, False) for name in part] for part in parts[:-1]] + [mixed]
    else:
        rows = [_with_repeats(names, repeated, rng)]
    slots = [Slot(k, 1, name, "training", rng.random() < 0.5) for k, name in enumerate(first, 1)]
    for session, row in enumerate(rows, 1):
        for name, repeat in row:
            purpose: Literal["reading", "repeat"] = "repeat" if repeat else "reading"
            slots.append(Slot(len(slots) + 1, session, name, purpose, rng.random() < 0.5))
    return tuple(slots)


def _with_repeats(names: list[str], repeated: int, rng: random.Random) -> list[tuple[str, bool]]:
    """Mix repeats of cases of the first half into the second."""
    half = len(names) // 2
    if repeated > half:  # a second round of readings
        again = rng.sample(names, min(repeated, len(names)))
        return [(name, False) for name in names] + [(name, True) for name in again]
    again = rng.sample(names[:half], repeated)
    apart = min(APART, half)
    head = [(name, False) for name in names[:half]]
    tail = [(name, False) for name in names[half:]] + [(name, True) for name in again]
    for _ in range(200):
        rng.shuffle(tail)
        row = head + tail
        if all(
            place - names.index(name) > apart for place, (name, twice) in enumerate(row) if twice
        ):
            return row
    return head + sorted(tail, key=lambda entry: (entry[1], names.index(entry[0])))
