"""Plans that change what images look like, and plans that copy training images."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from sdq_core.calibration.defect import Member
from sdq_imaging.disguises import Disguise, disguised
from sdq_imaging.planting import content
from sdq_imaging.planting.cohort_file import Entry
from sdq_imaging.planting.drafting import Plan, Planting, changed
from sdq_imaging.planting.editable import Editable
from sdq_imaging.planting.opening import Facts

__all__ = ["PLANS", "editable", "originals"]

Values = NDArray[Any]
PIXELS: Final = ("pixels that can be changed and written back", "可修改并写回的像素")
HOUNSFIELD: Final = ("CT images in Hounsfield units", "以 HU 为单位的 CT 图像")
SPARE: Final = 0.05
"""Height of a line of text, over the shorter side."""
LEAST_TEXT: Final = 64
"""Pixels a side that a line of text needs."""
DISGUISES: Final[dict[str, Disguise]] = {
    "copies-exact": "exact",
    "copies-flipped": "flip",
    "copies-shifted": "shift",
    "copies-rescaled": "zoom",
    "copies-rewindowed": "window",
    "copies-noised": "noise",
    "copies-mixed": "mixed",
}
"""Defect -> disguise; see `sdq_imaging.disguises`."""
assert set(DISGUISES.values()) <= set(get_args(Disguise))


def editable(facts: Facts) -> bool:
    """Whether the values can be changed."""
    return facts.editable


def _hu(facts: Facts) -> bool:
    return facts.editable and facts.hu


def _can_hold_text(facts: Facts) -> bool:
    return facts.editable and facts.side >= LEAST_TEXT


def _everywhere(change: Callable[[Planting], Callable[[Values], Values]], p: Planting) -> None:
    for entry in p.entries:
        entry.edits.append(changed(change(p)))


def _blur(p: Planting) -> Callable[[Values], Values]:
    return partial(content.blurred, sigma=p.severity)


def _noise(p: Planting) -> Callable[[Values], Values]:
    return partial(content.with_noise, deviation=p.severity, width=p.width, rng=p.spawn())


def _pattern(p: Planting) -> Callable[[Values], Values]:
    return partial(content.pattern, amplitude=p.severity, width=p.width)


def _grid(p: Planting) -> Callable[[Values], Values]:
    return partial(content.grid, amplitude=p.severity, width=p.width)


def _raise(p: Planting) -> Callable[[Values], Values]:
    return partial(content.raised, offset=p.severity * p.width)


def _window(p: Planting) -> Callable[[Values], Values]:
    low, high = p.range
    return partial(content.clipped, share=p.severity, low=low, high=high)


def _hounsfield(p: Planting) -> None:
    """Shift by Hounsfield units, whatever the slope of the stored values is."""

    def edit(opened: Editable) -> None:
        slope = 1.0
        for dataset in getattr(opened, "objects", ())[:1]:
            slope = float(dataset.get("RescaleSlope", 1) or 1)
            for group in dataset.get("SharedFunctionalGroupsSequence") or ():
                for step in group.get("PixelValueTransformationSequence", ()):
                    slope = float(step.get("RescaleSlope", 1) or 1)
        changed(partial(content.raised, offset=p.severity / slope))(opened)

    for entry in p.entries:
        if p.facts(entry.member).hu:
            entry.edits.append(edit)


def _share(change: Callable[[Planting], Callable[[Values], Values]], p: Planting) -> None:
    for entry in p.chosen(editable):
        entry.edits.append(changed(change(p)))


def _shuffled(p: Planting) -> Callable[[Values], Values]:
    return partial(content.shuffled, rng=p.spawn())


def _constant(p: Planting) -> Callable[[Values], Values]:
    return lambda values: np.full(values.shape, float(p.range[0]))


def _text(p: Planting) -> None:
    low, high = p.range
    for entry in p.chosen(_can_hold_text):
        entry.edits.append(changed(partial(content.text, low=low, high=high, size=SPARE)))


def _not_finite(p: Planting) -> None:
    def edit(values: Values) -> Values:
        found = values.copy()
        found.reshape(-1)[: max(1, found.size // 100)] = np.nan
        return found

    for entry in p.chosen(_floating):
        entry.edits.append(changed(edit))


def _floating(facts: Facts) -> bool:
    return facts.editable and facts.floating


def _in_one_class(p: Planting) -> None:
    """Blur the rarest subgroup alone, or the rarest class where the study names no subgroup."""
    name = p.study.subgroup or "class"
    values = sorted({e.row.get(name, "") for e in p.entries} - {""})
    if not values:
        return
    rarest = min(values, key=lambda v: sum(e.row.get(name) == v for e in p.entries))
    for entry in p.entries:
        if entry.row.get(name) == rarest:
            entry.edits.append(changed(_blur(p)))


def _collapse(p: Planting) -> None:
    n = len(p.entries)
    modes = max(1, round((1 - p.severity) * n))
    kept = p.rng.choice(n, modes, replace=False)
    rows = p.rng.permutation(np.concatenate((kept, p.rng.choice(kept, n - modes))))
    p.draft.entries[:] = [
        Entry(
            p.entries[int(k)].member,
            dict(p.entries[int(k)].row),
            [changed(partial(content.varied, width=p.width, rng=p.spawn()))],
        )
        for k in rows
    ]


def _repeat(p: Planting) -> None:
    """Write some items a second time, bit for bit, in the place of others."""
    repeated = p.chosen(editable, min(p.severity, 0.5))
    taken = {id(e) for e in repeated}
    others = [k for k, e in enumerate(p.entries) if id(e) not in taken]
    originals = p.rng.choice(others, len(repeated), replace=len(repeated) > len(others))
    for entry, k in zip(repeated, originals, strict=True):
        original = p.entries[int(k)]
        entry.member, entry.row = original.member, dict(original.row)


def originals(p: Planting, count: int) -> list[Member]:
    """Draw training items, each once as long as there are enough."""
    able = p.sources(editable)
    return [able[int(k)] for k in p.rng.choice(len(able), count, replace=count > len(able))]


def _become(entry: Entry, member: Member) -> None:
    entry.member, entry.row, entry.edits = member, dict(member.row), []


def _copies(disguise: Disguise, p: Planting) -> None:
    places = p.chosen(editable)
    for entry, original in zip(places, originals(p, len(places)), strict=True):
        _become(entry, original)
        if disguise != "exact":
            entry.edits.append(
                changed(partial(_disguise, disguise=disguise, rng=p.spawn(), width=p.width))
            )


def _disguise(values: Values, disguise: Disguise, rng: np.random.Generator, width: float) -> Values:
    # Plane by plane the same: the disguise knows only the last two axes.
    return disguised(values.astype(np.float64), disguise, rng, width=width)


def _with(other: Member, p: Planting, blend: Callable[[Values, Values], Values]) -> Any:
    """Return an edit that blends an item with another one."""

    def edit(opened: Editable) -> None:
        second = p.opener(other.item)
        if opened.values is None or second is None or second.values is None:
            return
        opened.put(blend(opened.values.astype(np.float64), _fitted(second.values, opened.values)))

    return edit


def _fitted(values: Values, like: Values) -> Values:
    """Bring values to the shape of others, by the nearest pixel."""
    if values.ndim != like.ndim:
        values = values.mean(axis=0) if values.ndim > like.ndim else values[None]
    index = [
        np.minimum((np.arange(n) * m) // n, m - 1)
        for n, m in zip(like.shape, values.shape, strict=True)
    ]
    found: Values = values[np.ix_(*index)].astype(np.float64)
    return found


def _composed(p: Planting) -> None:
    places = p.chosen(editable)
    for entry in places:
        first = originals(p, 1)[0]
        second = _another(p, first)
        _become(entry, first)
        entry.edits.append(_with(second, p, partial(content.composed, rng=p.spawn())))


def _another(p: Planting, first: Member) -> Member:
    """Return an item of another patient, of the same class where there is one."""
    able = [m for m in p.sources(editable) if m.subject != first.subject]
    alike = [m for m in able if m.row.get("class") == first.row.get("class")]
    pool = alike or able or [first]
    return pool[int(p.rng.integers(len(pool)))]


def _overfitted(p: Planting) -> None:
    """Items that are for the most part training items: each of another one, as far as they go."""
    places = p.chosen(editable)
    for entry, original in zip(places, originals(p, len(places)), strict=True):
        own = entry.member
        _become(entry, original)
        entry.edits.append(_with(own, p, partial(content.ghosted, share=0.8)))


def _everything(change: Callable[[Planting], Callable[[Values], Values]]) -> Plan:
    return Plan(partial(_everywhere, change), editable, PIXELS, whole=True)


PLANS: Final[dict[str, Plan]] = {
    "blur": _everything(_blur),
    "noise": _everything(_noise),
    "checkerboard": _everything(_pattern),
    "upsampling-grid": _everything(_grid),
    "intensity-shift": _everything(_raise),
    "hu-shift": Plan(_hounsfield, _hu, HOUNSFIELD, whole=True),
    "windowing": _everything(_window),
    "class-blurred": Plan(_in_one_class, editable, PIXELS, whole=True),
    "implausible-anatomy": Plan(partial(_share, _shuffled), editable, PIXELS),
    "mode-collapse": Plan(_collapse, editable, PIXELS, whole=True, least=2),
    "duplicates": Plan(_repeat, editable, PIXELS, least=2),
    "constant-images": Plan(partial(_share, _constant), editable, PIXELS),
    "not-finite": Plan(_not_finite, _floating, ("values in floating point", "浮点型像素值")),
    "burned-in-text": Plan(
        _text,
        _can_hold_text,
        (f"images of {LEAST_TEXT} pixels a side or more", f"边长不少于 {LEAST_TEXT} 像素的图像"),
    ),
    **{id_: Plan(partial(_copies, d), editable, PIXELS) for id_, d in DISGUISES.items()},
    "copies-composed": Plan(_composed, editable, PIXELS),
    "overfitted": Plan(_overfitted, editable, PIXELS),
}
