"""The nearest references of each query after registration, and how a modality searches for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sdq_core.statistics.remembered import Remembered, content

__all__ = ["CopySearch", "Matcher", "Matches"]


@dataclass(frozen=True, eq=False)
class Matches:
    """The nearest references of every query, best first.

    Parameters
    ----------
    scores : ndarray, shape (n, k), float64, in [-1, 1]
        Correlation with the k nearest after registration, in descending order; k is what was asked
        for, or the number of references (of subjects, where they are known) if that is smaller.
    indices : ndarray, shape (n, k), intp
        Rows of the reference; -1 (and a score of -1) where an exclusion left fewer than k.
    transforms : tuple of object or None
        How each query was moved to meet its best match, in words as text; None when nothing was
        left to match.
    """

    scores: NDArray[np.float64]
    indices: NDArray[np.intp]
    transforms: tuple[object | None, ...]

    @property
    def score(self) -> NDArray[np.float64]:
        """Correlation with the best match, shape (n,)."""
        return self.scores[:, 0]

    @property
    def second(self) -> NDArray[np.float64]:
        """Correlation with the second best match, shape (n,); -1 where there is none."""
        if self.scores.shape[1] < 2:
            return np.full(len(self.scores), -1.0)
        return self.scores[:, 1]

    @property
    def index(self) -> NDArray[np.intp]:
        """Row of the best match in the reference, shape (n,)."""
        return self.indices[:, 0]

    def __len__(self) -> int:
        return len(self.scores)


class Matcher(Protocol):
    """Finds the references that are most like each query, whatever disguises it undoes."""

    def __call__(
        self,
        query: NDArray[np.floating[Any]],
        reference: NDArray[np.floating[Any]],
        *,
        top: int = 20,
        query_groups: NDArray[np.generic] | None = None,
        reference_groups: NDArray[np.generic] | None = None,
    ) -> Matches:
        """Return the `top` best references of every query.

        Parameters
        ----------
        query, reference : ndarray, shape (n, ...) and (m, ...)
            Signatures.
        top : int
        reference_groups : ndarray, shape (m,), optional
            Subjects of the references: each is listed once, by its best item.
        query_groups : ndarray, shape (n,), optional
            Subjects of the queries; pairs of one subject are left out.
        """
        ...


@dataclass(frozen=True)
class CopySearch:
    """How one modality looks for copies among signatures.

    Parameters
    ----------
    matches : Matcher
    planted : callable
        Signatures, a number n and a generator -> n disguised copies, and the rows of their
        originals: to learn how many copies the search would notice.
    floor : float
        Squared distance ``2 (1 - correlation)`` below which two signatures are the same:
        interpolation and rounding.
    remembered : bool
        Whether a search that was made before in this process is not made again; for matchers that
        depend on their arguments alone.
    """

    matches: Matcher
    planted: Callable[
        [NDArray[np.floating[Any]], int, np.random.Generator],
        tuple[NDArray[np.float32], NDArray[np.intp]],
    ]
    floor: float
    remembered: bool = False

    def find(
        self,
        query: NDArray[np.floating[Any]],
        reference: NDArray[np.floating[Any]],
        *,
        top: int,
        query_groups: NDArray[np.generic] | None = None,
        reference_groups: NDArray[np.generic] | None = None,
    ) -> Matches:
        """Return the `top` best references of every query, see `Matcher`."""

        def search() -> Matches:
            return self.matches(
                query,
                reference,
                top=top,
                query_groups=query_groups,
                reference_groups=reference_groups,
            )

        if not self.remembered:
            return search()
        named = content(query, reference, query_groups, reference_groups)
        return _FOUND.get((self.matches, top, named), search)


_FOUND: Remembered[Matches] = Remembered(
    64 * 2**20, lambda m: m.scores.nbytes + m.indices.nbytes + 300 * len(m)
)
"""Of each query also a few hundred bytes for its transform."""
