"""Subgroups that differ one way while the rest differs the other way: the whole hides both.

A generator that ignores sex makes women too much like men and men too much like women, and yet the
mean over both may be right.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sdq_core.statistics.causes import Cause, Search, State, level_of
from sdq_core.statistics.decomposition import Sides, difference
from sdq_core.statistics.yardstick import beyond_real

__all__ = ["opposites"]

Values = NDArray[np.float64]
TINY = 1e-9
"""Length that is rounding."""


def opposites(search: Search, state: State) -> list[Cause]:
    """Return subgroups that differ the other way than the rest, strongest first.

    Parameters
    ----------
    search : Search
    state : State
        What is named already: mixes are taken into account, attributes with a special subgroup are
        left out.

    Returns
    -------
    list of Cause
        One for each attribute at most: the level inside which more differs.
    """
    known = {a for a, _ in state.special}
    found = [c for c in search.candidates if c.level is not None and c.attribute not in known]
    found = [c for c in found if search.has_others(state, c)]
    if not found:
        return []
    seen = [
        [_against(search, state, c, sides) for c in found]
        for sides in (search.observed, search.splits)
    ]
    observed = np.concatenate([f for f, _ in seen[0]])
    features = beyond_real(observed, np.stack([f for f, _ in seen[1]]))
    whole = beyond_real(np.concatenate([w for _, w in seen[0]]), np.stack([w for _, w in seen[1]]))[
        :, 0
    ]
    strength = np.where(whole, observed.clip(0).sum(axis=1), (observed * features).sum(axis=1))
    named: dict[int, Cause] = {}
    for k in np.argsort(-strength, kind="stable"):
        cause = found[k]
        if not (whole[k] or features[k].any()) or cause.attribute in named:
            continue
        drawn, all_drawn = _against(search, state, cause, search.draws)
        sure = all_drawn[:, 0] if whole[k] else drawn[:, features[k]].sum(axis=1)
        if np.quantile(sure, 0.025) > 0:
            named[cause.attribute] = replace(_stronger(search, cause), opposite=True)
    return list(named.values())


def _against(search: Search, state: State, cause: Cause, sides: Sides) -> tuple[Values, Values]:
    """How far the smaller of two parts goes against the larger: by feature, and over all.

    The product over the longer of the two: where only one differs, its length must not turn the
    noise of the other into something.
    """
    special, other = search.special(state, (cause.attribute, level_of(cause)), sides)
    atoms = search.atoms
    both = sides.a + sides.b
    rows = atoms.levels[:, cause.attribute] == cause.level
    share = ((both @ (atoms.size * rows)) / (both @ atoms.size))[:, None]
    known = (*state.mixed, cause.attribute)
    # On the level's own rows the special part is what differs inside it, times its share.
    own, rest = np.where(rows, special, 0.0), (1 - share) * other
    product = -atoms.products(own, rest, known)
    squares = [atoms.lengths(x, known) + atoms.noises(x, x, known) for x in (own, rest)]
    sums = [s.sum(axis=1, keepdims=True) for s in squares]
    longer = [np.sqrt(np.maximum(*pair).clip(0)) for pair in (squares, sums)]
    return _divided(product, longer[0]), _divided(product.sum(axis=1, keepdims=True), longer[1])


def _divided(product: Values, length: Values) -> Values:
    return np.asarray(np.divide(product, length, out=np.zeros_like(product), where=length > TINY))


def _stronger(search: Search, cause: Cause) -> Cause:
    """Of the levels of an attribute, the one inside which most differs."""
    own = [c for c in search.candidates if c.attribute == cause.attribute and c.level is not None]

    def inside(c: Cause) -> float:
        rows = search.atoms.levels[:, c.attribute] == c.level
        kept = search.observed.without(~rows)
        return float(search.atoms.lengths(difference(kept, search.atoms.size)).sum())

    return max(own, key=inside)
