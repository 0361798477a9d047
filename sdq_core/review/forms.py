"""What readers are asked: the forms of the four types of study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

__all__ = ["COMMENT", "GENERAL", "ReviewItem", "StudyType", "answers_of", "form"]

StudyType = Literal["real_or_synthetic", "pairs", "rating", "completeness"]
Kind = Literal["confidence", "choice", "scale", "check"]

COMMENT: Final = 2000
"""Most characters of a free comment."""


@dataclass(frozen=True, slots=True)
class Option:
    """One possible answer."""

    value: int
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One question about a case.

    Parameters
    ----------
    id : str
        Letters, digits and underscores.
    en, zh : str
        The question.
    needs_label : bool
        Whether it is about the declared class, which is then shown.
    """

    id: str
    en: str
    zh: str
    needs_label: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its possible answers.

    Parameters
    ----------
    id, kind, en, zh
    options : tuple of Option
        In order; the n-th is chosen by the key n.
    """

    id: str
    kind: Kind
    en: str
    zh: str
    options: tuple[Option, ...]


GENERAL: Final[dict[str, tuple[ReviewItem, ...]]] = {
    "rating": (
        ReviewItem("plausible", "The whole is plausible", "整体合理可信"),
        ReviewItem("artefact", "Free of artefacts of generation", "无生成伪影"),
    ),
    "completeness": (
        ReviewItem("parts", "Everything that belongs to it is there", "应有内容齐全"),
        ReviewItem("meaning", "What it says is right in itself", "内容自身无语义错误"),
    ),
}
"""Questions for a modality that has none of its own."""

_CONFIDENCE: Final = (
    Option(1, "surely real", "肯定真实"),
    Option(2, "probably real", "很可能真实"),
    Option(3, "rather real", "偏向真实"),
    Option(4, "rather synthetic", "偏向合成"),
    Option(5, "probably synthetic", "很可能合成"),
    Option(6, "surely synthetic", "肯定合成"),
)
_CHOICE: Final = (Option(1, "the left one", "左侧"), Option(2, "the right one", "右侧"))
_SCALE: Final = (
    Option(1, "not at all", "完全不符"),
    Option(2, "hardly", "大多不符"),
    Option(3, "partly", "部分符合"),
    Option(4, "largely", "大体符合"),
    Option(5, "fully", "完全符合"),
)
_CHECK: Final = (
    Option(1, "yes", "是"),
    Option(2, "no", "否"),
    Option(3, "cannot be judged", "无法判断"),
)


def form(study_type: StudyType, items: Sequence[ReviewItem] = ()) -> tuple[Question, ...]:
    """Return the questions of a type of study.

    Parameters
    ----------
    study_type : {"real_or_synthetic", "pairs", "rating", "completeness"}
    items : sequence of ReviewItem
        What is rated or checked; the general ones by default.

    Examples
    --------
    >>> [len(q.options) for q in form("real_or_synthetic")], [q.id for q in form("completeness")]
    ([6], ['parts', 'meaning'])
    """
    if study_type == "real_or_synthetic":
        said = ("Is this case real or synthetic?", "该样本是真实的还是合成的？")
        return (Question("confidence", "confidence", *said, _CONFIDENCE),)
    if study_type == "pairs":
        said = ("Which of the two is synthetic?", "两者中哪一个是合成的？")
        return (Question("choice", "choice", *said, _CHOICE),)
    kind: Kind = "scale" if study_type == "rating" else "check"
    options = _SCALE if study_type == "rating" else _CHECK
    return tuple(Question(i.id, kind, i.en, i.zh, options) for i in (items or GENERAL[study_type]))


def answers_of(questions: Sequence[Question], given: Mapping[str, Any]) -> dict[str, int] | None:
    """Return the answers to all questions, or None where one is missing or none of its options.

    Examples
    --------
    >>> answers_of(form("real_or_synthetic"), {"confidence": "4"})
    {'confidence': 4}
    >>> answers_of(form("real_or_synthetic"), {"confidence": "7"}) is None
    True
    """
    found: dict[str, int] = {}
    for question in questions:
        text = str(given.get(question.id, ""))
        allowed = {str(o.value): o.value for o in question.options}
        if text not in allowed:
            return None
        found[question.id] = allowed[text]
    return found
