"""The causes of a difference as one picture and one table, in words for clinicians."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sdq_core.documents.details import (
    Decomposition,
    Named,
    NamedCause,
    Part,
    Shown,
    Words,
    pick,
)
from sdq_core.documents.naming import sentence
from sdq_core.documents.numbers import notation, round_notation
from sdq_core.documents.svg import Canvas, scale, ticks
from sdq_core.documents.texts import text
from sdq_core.vocabulary import Language

__all__ = ["FAMILIES", "cause_columns", "cause_notes", "cause_rows", "draw_causes", "in_words"]

# prefix of a feature's name -> (English, Chinese); others are printed as they are
FAMILIES: Final[dict[str, tuple[str, str]]] = {
    "texture": ("texture", "纹理"),
    "grey": ("grey values", "灰度值"),
    "intensity": ("intensities in their unit", "带单位的强度值"),
    "geometry": ("image size", "图像尺寸"),
    "sharpness": ("sharpness", "锐度"),
    "noise": ("noise", "噪声"),
    "blobs": ("spots and edges", "斑点与边缘"),
    "spectrum": ("frequencies", "频率成分"),
    "recording": ("form of the recording", "记录格式"),
    "amplitude": ("amplitudes", "幅度"),
    "rhythm": ("rhythm", "节律"),
    "interval": ("intervals", "间期"),
    "wave": ("waves", "波形"),
    "leads": ("relations between leads", "导联间关系"),
    "quality": ("signal quality", "信号质量"),
    "pulse": ("pulse", "脉搏"),
    "eeg": ("EEG rhythms", "脑电节律"),
}

_KINDS: Final = {
    "mix": "cause_mix",
    "inside": "cause_inside",
    "opposite": "cause_opposite",
    "everywhere": "cause_everywhere",
}
_DIRECTIONS: Final = {
    "higher": "cause_higher",
    "lower": "cause_lower",
    "reshaped": "cause_reshaped",
}

_WIDTH, _LEFT, _RIGHT = 640.0, 8.0, 560.0
_ROW, _TOP = 44.0, 6.0
_LONGEST: Final = 84
"""Characters of a cause's name in the picture; the table has all of it."""


def in_words(cause: Named, language: str) -> str:
    """Return what a cause is.

    Parameters
    ----------
    cause : Named
    language : {"en", "zh"}

    Examples
    --------
    >>> in_words(Named(kind="mix", attribute="sex"), "en")
    'another mix of sex'
    >>> in_words(Named(kind="inside", attribute="site", level="B"), "zh")
    '“site”为“B”的样本所特有'
    """
    return text(
        _KINDS[cause.kind],
        language,
        attribute=_as_given(cause.attribute, language),
        level=_as_given(cause.level, language),
    )


def draw_causes(found: Decomposition, language: str) -> str:
    """Return the parts of the difference as bars, with intervals and noise floors.

    Parameters
    ----------
    found : Decomposition
    language : {"en", "zh"}

    Returns
    -------
    str
        Empty where the difference is too small to be divided, or there is none.
    """
    rows: list[tuple[str, Part]] = [
        (in_words(c, language), c) for c in found.causes if c.share is not None
    ]
    if found.rest is not None and found.rest.share is not None:
        rows.append((text("cause_rest", language), found.rest))
    if not rows:
        return ""
    ends = [v for _, p in rows for v in (p.low, p.high, p.floor_low, p.floor_high) if v is not None]
    low, high = max(min(0.0, *ends), -1.0), min(max(1.0, *ends), 2.0)
    bottom = _TOP + _ROW * len(rows) + 4
    canvas = Canvas(_WIDTH, bottom + 22, text("causes_alt", language, count=len(rows)))
    found_ticks = ticks(low, high, 6)
    style = round_notation(found_ticks, "share", language)
    for tick in found_ticks:
        x = scale(low, high, _LEFT, _RIGHT, tick)
        canvas.line([(x, _TOP), (x, bottom)], "axis" if tick == 0 else "grid")
        canvas.label(x, bottom + 15, style.write(tick), "t", "middle")
    digits = notation([p.share for _, p in rows if p.share is not None], "share", language)
    for k, (words, part) in enumerate(rows):
        _draw_row(canvas, (low, high), _TOP + k * _ROW, words, part)
        y = _TOP + k * _ROW + 31
        canvas.label(_RIGHT + 8, y, digits.write(part.share or 0.0), "t strong")
    return canvas.svg()


def _draw_row(
    canvas: Canvas, ends: tuple[float, float], top: float, words: str, part: Part
) -> None:
    def x(value: float) -> float:
        return scale(*ends, _LEFT, _RIGHT, value)

    assert part.share is not None, "the caller draws parts that have a share"
    zero = x(0.0)
    shown = words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
    canvas.label(zero + 4, top + 14, shown, "t strong halo")
    if part.floor_low is not None and part.floor_high is not None:
        first = x(part.floor_low)
        canvas.rect(first, top + 19, x(part.floor_high) - first, 18, "floor")
    first, last = sorted((zero, x(part.share)))
    canvas.rect(first, top + 22, last - first, 12, "synthetic-bar")
    if part.low is not None and part.high is not None:
        canvas.line([(x(part.low), top + 28), (x(part.high), top + 28)], "whisker")
        for end in (part.low, part.high):
            canvas.line([(x(end), top + 23), (x(end), top + 33)], "whisker")


def cause_columns(language: str) -> tuple[str, ...]:
    """Return the head of the table."""
    keys = ("cause", "cause_part", "cause_shows", "cause_remark")
    return tuple(text(k, language) for k in keys)


def cause_rows(found: Decomposition, language: str) -> tuple[tuple[str, ...], ...]:
    """Return the table: cause, part of the difference, what it shows in, what else to know."""
    rows = [
        (
            _capital(in_words(cause, language)),
            _part(cause, language),
            _shows(cause, language),
            _sentences(_remarks(cause, language), language),
        )
        for cause in found.causes
    ]
    if found.rest is not None:
        rows.append((_capital(text("cause_rest", language)), _part(found.rest, language), "", ""))
    return tuple(rows)


def cause_notes(found: Decomposition, language: str) -> tuple[str, ...]:
    """Return what the picture and the table mean."""
    size = text(
        "causes_size",
        language,
        gap=_points(found.gap),
        low=_points(found.gap_low),
        high=_points(found.gap_high),
        floor=_points(found.gap_floor),
    )
    if not found.differs:
        return text("causes_none", language), size
    notes = [size]
    if any(c.share is not None for c in found.causes):
        notes.append(text("causes_note", language))
    else:
        notes.append(text("causes_small", language))
    if any(c.features for c in found.causes):
        notes.append(text("causes_points", language))
    return tuple(notes)


def _part(part: Part, language: str) -> str:
    if part.share is None:
        return "–"
    values = [v for v in (part.share, part.low, part.high) if v is not None]
    style = notation(values, "share", language)
    if part.low is None or part.high is None:
        return style.write(part.share)
    inside = text("to", language, low=style.write(part.low), high=style.write(part.high))
    return text("aside", language, words=style.write(part.share), remark=inside)


def _shows(cause: NamedCause, language: str) -> str:
    said = []
    if cause.families:
        style = notation([f.share for f in cause.families], "share", language)
        parts = [
            text("aside", language, words=_family(f.family, language), remark=style.write(f.share))
            for f in cause.families
        ]
        mostly = text("cause_mostly", language, families=text("list", language).join(parts))
        said.append(sentence(mostly, language))
    if cause.features:
        # No sentence: a name from data keeps its first letter.
        shown = [_feature(f, language) for f in cause.features]
        said.append(text("semicolon", language).join(shown))
    return text("stop", language).join(said)


def _feature(shown: Shown, language: str) -> str:
    return text(
        "cause_feature",
        language,
        feature=shown.feature,
        direction=text(_DIRECTIONS[shown.direction], language),
        points=_points(shown.gap),
    )


def _remarks(cause: NamedCause, language: str) -> Iterator[str]:
    if cause.levels:
        values = [v for level in cause.levels for v in (level.real, level.synthetic)]
        style = notation(values, "share", language)
        parts = [
            text(
                "cause_level",
                language,
                level=_as_given(level.label, language),
                synthetic=style.write(level.synthetic),
                real=style.write(level.real),
            )
            for level in cause.levels
        ]
        yield text("semicolon", language).join(parts)
    if cause.real is not None and cause.synthetic is not None:
        yield text("cause_items", language, real=cause.real, synthetic=cause.synthetic)
    if cause.alike:
        names = text("semicolon", language).join(_all(cause.alike, language))
        yield text("cause_alike", language, causes=names)


def _all(causes: Sequence[Named], language: str) -> list[str]:
    return [in_words(cause, language) for cause in causes]


def _points(gap: float) -> str:
    """Return a difference of shares in percentage points, without the sign."""
    return f"{100 * gap:.0f}" if gap >= 0.0095 else f"{100 * gap:.1f}"


def _family(name: str, language: str) -> str:
    if name not in FAMILIES:
        return name
    return FAMILIES[name][Language(language) is Language.ZH]


def _sentences(said: Iterable[str], language: str) -> str:
    return text("stop", language).join(sentence(words, language) for words in said)


def _as_given(words: Words, language: str) -> str:
    """Return a name from data as it is: it is no phrase of ours, even where it reads like one."""
    return words if isinstance(words, str) else pick(words, language)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
