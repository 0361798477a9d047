"""Readings as arrays: reader by case, with the truth beside them, once the key is revealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdq_core.review.forms import Question, ReviewItem, form
from sdq_core.review.key import Key
from sdq_core.review.order import Slot
from sdq_core.review.plan import ReviewPlan
from sdq_core.review.store import Store

__all__ = ["Readings", "readings_of"]

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Readings:
    """The answers of a study, the latest of each case.

    Parameters
    ----------
    plan : ReviewPlan
    questions : tuple of Question
    readers, cases : tuple of str
        Training cases are not among them.
    synthetic : ndarray of bool, shape (n,)
        Of pairs: whether side b is.
    first, second : mapping of str to ndarray, shape (r, n)
        Question -> answers at the first reading and at the repeat; NaN where there is none. Of
        pairs 1 where the synthetic item was chosen, 0 else.
    revised : int
        Answers that were changed.
    comments : int
    seconds : float
        Median time for a case.
    asked : int
        Readings that the plan asks for.
    """

    plan: ReviewPlan
    questions: tuple[Question, ...]
    readers: tuple[str, ...]
    cases: tuple[str, ...]
    synthetic: NDArray[np.bool_]
    first: Mapping[str, Values]
    second: Mapping[str, Values]
    revised: int
    comments: int
    seconds: float
    asked: int

    @property
    def read(self) -> int:
        """First readings that were made."""
        return int(np.isfinite(next(iter(self.first.values()))).sum())


def readings_of(store: Store, key: Key) -> Readings:
    """Return the readings of a closed study."""
    content = store.content()
    plan = ReviewPlan.model_validate(content["plan"])
    questions = form(plan.type, [ReviewItem(**item) for item in content["items"]])
    training = set(content["training"])
    cases = tuple(sorted(c for c in key.cases if c not in training))
    place = {case: k for k, case in enumerate(cases)}
    orders: Mapping[str, Sequence[Slot]] = store.slots()
    readers = tuple(sorted(orders))
    shape = (len(readers), len(cases))
    first = {q.id: np.full(shape, np.nan) for q in questions}
    second = {q.id: np.full(shape, np.nan) for q in questions}
    latest: dict[tuple[str, int], dict[str, object]] = {}
    revised = 0
    for answer in store.answers():
        revised += answer["revision"] > 0
        latest[answer["reader"], answer["number"]] = answer
    seconds: list[float] = []
    comments = 0
    pair = plan.type == "pairs"
    side = "b" if pair else "a"
    synthetic = np.array([key.cases[c][side].synthetic for c in cases], bool)
    for (reader, number), answer in latest.items():
        slot = orders[reader][number - 1]
        if slot.case not in place:
            continue
        table = second if slot.purpose == "repeat" else first
        at = readers.index(reader), place[slot.case]
        given = answer["answers"]
        assert isinstance(given, Mapping), "answers are by question"
        for name, value in given.items():
            table[name][at] = value
            if pair:  # 1 is left; side b stands there when the slot is flipped
                chose_b = (value == 1) == slot.flipped
                table[name][at] = float(chose_b == bool(synthetic[at[1]]))
        comments += bool(answer["comment"])
        if slot.purpose == "reading":
            seconds.append(float(str(answer["seconds"])))
    return Readings(
        plan, questions, readers, cases, synthetic, first, second, revised, comments,
        float(np.median(seconds)) if seconds else 0.0,
        len(readers) * len(cases),
    )  # fmt: skip
