"""Synthetic patients whose free texts were copied from a training patient's, wholly or in part.

Phrases that many write say nothing: a shingle weighs what the fewest real patients share, and what
recurs is left out. Templates that are left resemble holdout texts as much as training texts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sdq_ehr.attacks.memorisation import PLANTED
from sdq_ehr.attacks.relabelling import MOST, NearestReal
from sdq_ehr.attacks.screening import Memorisation, Screen, noticed_share, read_screens
from sdq_ehr.attacks.shingles import Hashes, Notes, shingled

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Texts", "copied_texts"]

COMMON: Final = 20
"""Real patients with a shingle from whom on it counts as a phrase."""
OWN_NATS: Final = 60.0
"""Evidence beyond that of all others which makes a text tell: about a dozen words of its own."""
MOST_TRIED: Final = 5000
LEAST_OWN: Final = 10
"""Fewest such texts of train."""
PRIOR: Final = 40.0
"""Nats that are added below the share of a text: agreement of three words is no agreement."""
NEAR: Final = 0.2
"""Margin between the shares of a text that stand with a training and with a holdout patient."""
LEAST_NATS: Final = 40.0
"""Smallest margin of the evidence."""
EXCHANGED: Final = 0.1
"""Words of planted copies that are exchanged."""
BLOCK: Final = 2000
"""Texts that are searched for at once."""

Values = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts of train, holdout and synthetic patients; owners count from 0 in each.

    Parameters
    ----------
    train, holdout, synthetic : Notes
    sizes : tuple of int
        Patients of each.
    """

    train: Notes
    holdout: Notes
    synthetic: Notes
    sizes: tuple[int, int, int]


def copied_texts(
    texts: Texts, *, level: float = 0.95, planted: int = PLANTED, seed: int = 0
) -> Memorisation | None:
    """Estimate which share of the synthetic patients has a text copied from a training patient.

    Parameters
    ----------
    texts : Texts
        Each synthetic patient has at least one text.
    level : float
    planted : int
        Copies that are planted for control: distinctive texts of train, a tenth of their words
        exchanged, each beside the texts of a synthetic stand-in.
    seed : int

    Returns
    -------
    Memorisation or None
        Rows are synthetic patients. None when hardly any training text differs from those of all
        other real patients.

    Notes
    -----
    Shingles (Broder 1997, doi:10.1109/SEQUEN.1997.666900) weigh ``log(N / d)``, d of N real
    patients having them. Two screens, both calibrated by the holdout: how many more texts stand for
    the greater part in a training patient's record than in a holdout patient's, whatever templates
    both have; and the evidence itself by its tail as in `memorisation`, which sees passages.
    """
    space = _Space(texts)
    rng = np.random.default_rng(seed)
    own = _distinctive(texts, space, rng)
    if len(own) < LEAST_OWN:
        return None
    train = np.arange(sum(texts.sizes[:2])) < texts.sizes[0]
    chosen = rng.choice(own, min(planted, len(own)), replace=False)
    copies = _planted(texts, chosen, rng)
    made = texts.synthetic, texts.sizes[2]
    screens = [
        Screen.of(made, space.search(by), train, least, seed, fixed=by == "share")
        for by, least in (("share", NEAR), ("evidence", LEAST_NATS))
    ]
    both = (1 + level) / 2
    seen = np.logical_or.reduce([s.flags((copies, len(chosen))) for s in screens])
    return read_screens(
        [s.excess(both) for s in screens],
        screens[1],
        min(1.0, 2 * min(s.p_value for s in screens)),
        noticed_share(seen, level),
        level,
    )


def _distinctive(texts: Texts, space: _Space, rng: np.random.Generator) -> Index:
    """Return the training texts to which no other real patient's record comes near.

    Of more than `MOST_TRIED` texts a random part is looked at.
    """
    tried = np.sort(rng.permutation(len(texts.train))[:MOST_TRIED])
    author = texts.train.owner[tried]
    near = space.search("evidence")((texts.train.take(tried, np.arange(len(tried))), len(tried)))
    others = np.where(near.indices == author[:, None], -1.0, near.nearness).max(axis=1, initial=0)
    margin = near.nearness.max(axis=1, initial=0) - others
    found: Index = tried[margin >= OWN_NATS]
    return found


def _planted(texts: Texts, chosen: Index, rng: np.random.Generator) -> Notes:
    """Give each of some synthetic patients one more text: a disguised one of train."""
    number = len(chosen)
    copies = texts.train.take(chosen, np.arange(number)).disguised(rng, EXCHANGED)
    stand_in = rng.integers(0, texts.sizes[2], number)
    order = np.argsort(texts.synthetic.owner, kind="stable")
    bounds = np.searchsorted(texts.synthetic.owner[order], np.arange(texts.sizes[2] + 1))
    counts = np.diff(bounds)[stand_in]
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = order[np.repeat(bounds[stand_in], counts) + within]
    return copies.and_also(texts.synthetic.take(rows, np.repeat(np.arange(number), counts)))


class _Space:
    """Shingles of real patients: who has them and what they weigh."""

    def __init__(self, texts: Texts) -> None:
        from scipy.sparse import csr_array

        self.count = sum(texts.sizes[:2])
        real = texts.train.and_also(
            Notes(texts.holdout.owner + texts.sizes[0], texts.holdout.words, texts.holdout.counts)
        )
        runs, of = shingled(real)
        self.known, place = np.unique(runs, return_inverse=True)
        pairs = np.unique(place.ravel() * np.int64(self.count) + real.owner[of])
        place, owner = pairs // self.count, pairs % self.count
        self.patients = np.bincount(place, minlength=len(self.known) + 1)
        rare = (self.patients > 0) & (self.patients <= COMMON)
        self.weights: Values = np.where(
            rare, np.log(self.count / np.maximum(self.patients, 1)), 0.0
        )
        self.weights[-1] = np.log(max(2, self.count))  # a shingle of no real patient
        use = rare[place]
        self.owners: csr_array = csr_array(
            (np.ones(int(use.sum()), np.float32), (place[use], owner[use])),
            shape=(len(self.known) + 1, self.count),
        )

    def places(self, runs: Hashes) -> Index:
        """Return where shingles stand among the known ones; the last place is for all others."""
        if not len(self.known):
            return np.zeros(len(runs), np.intp)
        at = np.minimum(np.searchsorted(self.known, runs), len(self.known) - 1)
        found: Index = np.where(self.known[at] == runs, at, len(self.known))
        return found

    def search(self, by: str) -> Callable[[tuple[Notes, int]], NearestReal]:
        """Return the search for the real patients in whose record most of a text stands.

        It takes texts and the number of their patients.
        """

        def search(patients: tuple[Notes, int]) -> NearestReal:
            from scipy.sparse import csr_array

            notes, count = patients
            runs, of = shingled(notes)
            place = self.places(runs)
            weight = self.weights[place]
            whole = np.bincount(of, weights=weight, minlength=len(notes)) + PRIOR
            rows = csr_array((weight, (of, place)), shape=(len(notes), len(self.known) + 1))
            found = []
            for start in range(0, len(notes), BLOCK):
                product = (rows[start : start + BLOCK] @ self.owners).tocoo()
                text = product.row + start
                near = product.data / whole[text] if by == "share" else product.data
                found.append(_best(notes.owner[text], product.col, near))
            return self._listed(count, found)

        return search

    def _listed(self, count: int, found: list[tuple[Index, Index, Values]]) -> NearestReal:
        """Bring the nearest real patients of each owner into rows, filled up with nearness 0."""
        if not found:
            return NearestReal(np.zeros((count, 1)), np.zeros((count, 1), np.intp))
        owner, real, near = (np.concatenate(p) for p in zip(*found, strict=True))
        owner, real, near = _best(owner, real, near)
        rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
        width = int(min(MOST, rank.max(initial=-1) + 2))
        kept = rank < width
        nearness, indices = np.zeros((count, width)), np.zeros((count, width), np.intp)
        nearness[owner[kept], rank[kept]] = near[kept]
        indices[owner[kept], rank[kept]] = real[kept]
        return NearestReal(nearness, indices)


def _best(owner: Index, real: Index, near: Values) -> tuple[Index, Index, Values]:
    """Keep the nearest text of each pair of patients; by owner, nearest first."""
    order = np.lexsort((-near, real, owner))
    owner, real, near = owner[order], real[order], near[order]
    first = np.ones(len(owner), bool)
    first[1:] = (owner[1:] != owner[:-1]) | (real[1:] != real[:-1])
    owner, real, near = owner[first], real[first], near[first]
    order = np.lexsort((real, -near, owner))
    return owner[order], real[order], near[order]
