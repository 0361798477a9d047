"""From a measurement's details to figures: drawings, captions and tables for the template."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from markupsafe import Markup

from sdq_core.documents import plots
from sdq_core.documents.branches import draw_tree
from sdq_core.documents.causes import cause_columns, cause_notes, cause_rows, draw_causes
from sdq_core.documents.details import (
    Bar,
    Bilingual,
    Curve,
    Curves,
    Decomposition,
    Heat,
    Histogram,
    Kind,
    PointMap,
    Ranked,
    Roc,
    Suspect,
    Table,
    Tree,
    pick,
    read_details,
)
from sdq_core.documents.naming import sentence
from sdq_core.documents.numbers import Notation, count, notation, number
from sdq_core.documents.texts import text

__all__ = ["Figure", "Panel", "figures"]

MOST_HISTOGRAMS: Final = 12
MOST_PANELS: Final = 24
MOST_ROWS: Final = 40
MOST_HEAT: Final = 30

Cell = str | Markup

_BAR_MARKS: Final = {"synthetic": "bar", "real": "area", "intended": "mark"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One drawing with its caption."""

    svg: Markup
    caption: str = ""
    remark: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a measurement: a title over drawings or a table.

    Parameters
    ----------
    kind : str
        Key of the details.
    title : str
    panels : tuple of Panel
    columns : tuple of str
        Header of the table; empty without a table.
    rows : tuple of tuple
        Cells; the first of each row heads it.
    numeric : frozenset of int
        Columns that hold numbers.
    notes : tuple of str
    legend : tuple of (str, str)
        What marks stand for: shape and key of the word.
    """

    kind: str
    title: str
    panels: tuple[Panel, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    numeric: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()
    legend: tuple[tuple[str, str], ...] = ()


def figures(details: Mapping[str, Any], language: str) -> tuple[tuple[Figure, ...], list[str]]:
    """Return the figures that a measurement's details give.

    Parameters
    ----------
    details : mapping
    language : {"en", "zh"}

    Returns
    -------
    figures : tuple of Figure
    broken : list of str
        A sentence for each part that does not have the agreed form.
    """
    found, wrong = read_details(details)
    drawn = tuple(
        _DRAW[kind](data, language)
        for kind, data in found.items()
        if kind != "ranking" and not (isinstance(data, Table) and not data.rows)
    )
    if "ranking" in found:
        unit = details.get("ranking_unit")
        notes = (sentence(pick(unit, language), language),) if isinstance(unit, str) else ()
        drawn = (*drawn, _ranking(found["ranking"], language, notes))
    broken = [
        text("broken_figure", language, kind=text(kind, language), place=place)
        for kind, place in wrong.items()
    ]
    return drawn, broken


def _histograms(found: Sequence[Histogram], language: str) -> Figure:
    panels = []
    for histogram in found[:MOST_HISTOGRAMS]:
        remark = mark = ""
        if histogram.distance is not None:
            value = number(histogram.distance, "1", language)
            unit = pick(histogram.distance_unit, language)
            remark = text("distance", language, distance=f"{value} {unit}".strip())
        if histogram.consistent is not None:
            mark = text("consistent" if histogram.consistent else "differs", language)
        panels.append(
            Panel(
                Markup(plots.draw_histogram(histogram, language)),  # noqa: S704 - Canvas escapes
                histogram.feature if histogram.title is None else pick(histogram.title, language),
                remark,
                mark,
            )
        )
    return Figure(
        "histograms",
        text("histograms", language),
        tuple(panels),
        notes=(text("histograms_note", language), *_rest(len(found), MOST_HISTOGRAMS, language)),
        legend=(("area", "real"), ("line", "synthetic")),
    )


def _map(found: PointMap, language: str) -> Figure:
    notes = [text("map_note", language)]
    if max(len(found.real), len(found.synthetic)) > plots.MOST_POINTS:
        notes.append(text("map_first", language, count=plots.MOST_POINTS))
    beyond = plots.outside(found)
    if beyond:
        notes.append(text("map_border", language, count=count(beyond)))
    drawing = Markup(plots.draw_map(found, language))  # noqa: S704 - Canvas escapes
    return Figure(
        "map",
        text("map", language),
        (Panel(drawing),),
        notes=tuple(notes),
        legend=(("dot", "real"), ("cross", "synthetic")),
    )


def _curve(found: Curve, language: str) -> Figure:
    bands = pick(found.bands, language)
    legend = [("line", "synthetic")]
    if found.real is not None:
        legend.insert(0, ("dashes", "real"))
    return Figure(
        "curve",
        _over(found, "curve", language),
        (Panel(Markup(plots.draw_curve(found, language))),),  # noqa: S704 - Canvas escapes
        notes=(bands,) if bands else (),
        legend=tuple(legend),
    )


def _curves(found: Curves, language: str) -> Figure:
    bands, panels = pick(found.bands, language), found.panels
    edged = any(p.synthetic_low is not None and p.synthetic_high is not None for p in panels)
    banded = any(p.real_low is not None and p.real_high is not None for p in panels)
    legend = [("edges" if edged else "line", "synthetic")]
    if banded or any(p.real is not None for p in panels):
        legend.insert(0, ("band" if banded else "dashes", "real"))
    drawings = plots.draw_panels(found, language, MOST_PANELS)
    return Figure(
        "curves",
        _over(found, "curves", language),
        tuple(
            Panel(Markup(svg), pick(panel.title, language))  # noqa: S704 - Canvas escapes
            for svg, panel in zip(drawings, panels, strict=False)
        ),
        notes=(*((bands,) if bands else ()), *_rest(len(panels), MOST_PANELS, language)),
        legend=tuple(legend),
    )


def _over(found: Curve | Curves, key: str, language: str) -> str:
    """Return the title: what is drawn over what, where both are named."""
    if not (found.x_label and found.y_label):
        return text(key, language)
    labels = {"x": pick(found.x_label, language), "y": pick(found.y_label, language)}
    title = text("curve_of", language, **labels)
    return title[:1].upper() + title[1:]


def _heat(found: Heat, language: str) -> Figure:
    shown = found.labels[:MOST_HEAT]
    panels = tuple(
        Panel(
            Markup(plots.draw_heat(found, kind, MOST_HEAT, language)),  # noqa: S704 - Canvas escapes
            text(key, language),
        )
        for kind, key in plots.HEATS.items()
    )
    return Figure(
        "heat",
        text("heat", language),
        panels,
        columns=(text("heat_number", language), text("heat_column", language)),
        rows=tuple((str(k), label) for k, label in enumerate(shown, 1)),
        notes=(text("heat_note", language), *_rest(len(found.labels), MOST_HEAT, language)),
    )


def _tree(found: Tree, language: str) -> Figure:
    drawing = Panel(Markup(draw_tree(found, language)), found.column)  # noqa: S704 - Canvas escapes
    rest = (text("more", language, count=count(found.left_out)),) if found.left_out else ()
    return Figure(
        "tree", text("tree", language), (drawing,), notes=(text("tree_note", language), *rest)
    )


def _bars(found: Sequence[Bar], language: str) -> Figure:
    sides = [
        side
        for side in ("synthetic", "real", "intended")
        if any(getattr(bar, side) is not None for bar in found)
    ]
    values = [v for bar in found for s in sides if (v := getattr(bar, s)) is not None]
    top = max(values)
    unit = "share" if top <= 1 else "1"
    style = notation(values, unit, language)
    rows = []
    for bar in found[:MOST_ROWS]:
        cells = [getattr(bar, side) for side in sides]
        svg = plots.draw_bar(bar, top or 1.0, text("bar_alt", language, label=bar.label))
        rows.append(
            (
                bar.label,
                Markup(svg),  # noqa: S704 - Canvas escapes
                *("–" if v is None else style.write(v) for v in cells),
            )
        )
    return Figure(
        "bars",
        text("bars", language),
        columns=(
            text("label", language),
            text("drawing", language),
            *(text(side, language) for side in sides),
        ),
        rows=tuple(rows),
        numeric=frozenset(range(2, 2 + len(sides))),
        notes=_rest(len(found), MOST_ROWS, language),
        legend=tuple((_BAR_MARKS[side], side) for side in sides),
    )


def _decomposition(found: Decomposition, language: str) -> Figure:
    drawing = draw_causes(found, language)
    rows = cause_rows(found, language)
    return Figure(
        "decomposition",
        text("decomposition", language),
        (Panel(Markup(drawing)),) if drawing else (),  # noqa: S704 - Canvas escapes
        columns=cause_columns(language) if rows else (),
        rows=rows,
        notes=cause_notes(found, language),
    )


def _ranking(found: Sequence[Ranked], language: str, notes: tuple[str, ...]) -> Figure:
    shown = found[:MOST_ROWS]
    values = [v for r in shown for v in (r.value, r.low, r.high) if v is not None]
    low, high = min(0.0, *values), max(0.0, *values)
    style = notation([r.value for r in shown], "1", language)
    rows = []
    for ranked in shown:
        value = style.write(ranked.value)
        if ranked.low is not None and ranked.high is not None:
            inside = text(
                "to", language, low=style.write(ranked.low), high=style.write(ranked.high)
            )
            value = text("aside", language, words=value, remark=inside)
        svg = plots.draw_rank(ranked, low, high, text("bar_alt", language, label=ranked.feature))
        direction = ranked.direction
        if direction in ("higher", "lower"):
            direction = text(str(direction), language)
        rows.append(
            (
                ranked.feature,
                Markup(svg),  # noqa: S704 - Canvas escapes
                value,
                pick(direction, language),
            )
        )
    return Figure(
        "ranking",
        text("ranking", language),
        columns=tuple(text(k, language) for k in ("feature", "drawing", "value", "direction")),
        rows=tuple(rows),
        numeric=frozenset((2,)),
        notes=(*notes, *_rest(len(found), MOST_ROWS, language)),
    )


def _table(found: Table, language: str) -> Figure:
    numeric = frozenset(
        k
        for k in range(len(found.columns))
        if any(_is_number(row[k]) for row in found.rows)
        and all(row[k] is None or _is_number(row[k]) for row in found.rows)
    )
    shown = found.rows[:MOST_ROWS]
    # One notation a column, so that the eye can compare.
    styles = {
        k: notation([float(v) for row in shown if _is_number(v := row[k])], "1", language)
        for k in numeric
        if any(_is_number(row[k]) for row in shown)
    }
    return Figure(
        "table",
        text("table", language),
        columns=tuple(pick(c, language) for c in found.columns),
        rows=tuple(
            tuple(_cell(c, styles.get(k), language) for k, c in enumerate(row)) for row in shown
        ),
        numeric=numeric,
        notes=_rest(len(found.rows), MOST_ROWS, language),
    )


def _roc(found: Roc, language: str) -> Figure:
    return Figure(
        "roc",
        text("roc", language),
        (Panel(Markup(plots.draw_roc(found, language))),),  # noqa: S704 - Canvas escapes
        notes=(text("roc_note", language),),
    )


def _suspects(found: Sequence[Suspect], language: str) -> Figure:
    keys = ("suspect_synthetic", "suspect_real", "score", "transform")
    return Figure(
        "suspects",
        text("suspects", language),
        columns=tuple(text(k, language) for k in keys),
        rows=tuple(
            (
                s.synthetic,
                "–" if s.real is None else s.real,
                "–" if s.score is None else number(s.score, "1", language),
                pick(s.transform, language) or "–",
            )
            for s in found[:MOST_ROWS]
        ),
        numeric=frozenset((2,)),
        notes=(text("suspects_note", language), *_rest(len(found), MOST_ROWS, language)),
    )


def _notes(found: Sequence[Bilingual], language: str) -> Figure:
    return Figure(
        "notes", text("notes", language), notes=tuple(pick(note, language) for note in found)
    )


_DRAW: Final[dict[Kind, Callable[[Any, str], Figure]]] = {
    "histograms": _histograms,
    "map": _map,
    "curve": _curve,
    "curves": _curves,
    "heat": _heat,
    "tree": _tree,
    "bars": _bars,
    "decomposition": _decomposition,
    "table": _table,
    "roc": _roc,
    "suspects": _suspects,
    "notes": _notes,
}


def _rest(total: int, shown: int, language: str) -> tuple[str, ...]:
    return (text("more", language, count=count(total - shown)),) if total > shown else ()


def _is_number(cell: object) -> TypeGuard[float]:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _cell(
    cell: bool | float | str | Bilingual | None, style: Notation | None, language: str
) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, bool):
        return text("yes" if cell else "no", language)
    if isinstance(cell, int | float):
        return number(cell, "1", language) if style is None else style.write(cell)
    return cell if isinstance(cell, str) else pick(cell, language)
