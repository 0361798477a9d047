"""A picture of one patient's record for the report's gallery: a lane a table, a mark a row."""

from __future__ import annotations

import io
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sdq_core.description import Item
from sdq_core.errors import SdqError
from sdq_ehr.dataset import Dataset
from sdq_ehr.judged import erroneous
from sdq_ehr.reading import open_dataset
from sdq_ehr.records import days, item_ids
from sdq_ehr.settings import EhrSettings

__all__ = ["timeline"]

WIDTH, LEFT, RIGHT, HEAD, LANE, FOOT = 860, 130, 20, 44, 54, 30
MOST_LANES: Final = 10
MOST_FACTS: Final = 8
INK, GREY, GRID, GOOD, BAD = (
    (33, 37, 41), (108, 117, 125), (222, 226, 230), (0, 95, 170), (200, 30, 40),
)  # fmt: skip


def timeline(item: Item, settings: EhrSettings) -> bytes | None:
    """Return a picture of a patient's record along time; None when it cannot be read.

    Parameters
    ----------
    item : Item
    settings : EhrSettings

    Returns
    -------
    bytes or None
        PNG. The first line holds the patient's own categories; rows with an error are red crosses,
        others blue bars, codes stand below where there is room. Rows without a time stand at the
        left edge, before the line.

    Notes
    -----
    It shows the record itself: the gallery draws synthetic patients only, unless a person asks for
    real ones.
    """
    try:
        dataset = open_dataset(item.paths[0], settings)
        patient = item_ids(dataset).index(item.id)
        wrong = erroneous(dataset, settings)
    except (SdqError, ValueError):
        return None
    lanes = []
    for name, owner in dataset.patients().rows.items():
        rows = np.flatnonzero(owner == patient)
        if name != dataset.schema.home and len(rows):
            table = dataset.tables[name].take(pa.array(rows))
            lanes.append((name, _times(dataset, name, table), _codes(dataset, name, table),
                          wrong[name][rows]))  # fmt: skip
    return _drawn(_facts(dataset, patient), lanes[:MOST_LANES], len(lanes))


Lane = tuple[str, NDArray[np.float64], list[str], NDArray[np.bool_]]


def _times(dataset: Dataset, name: str, table: pa.Table) -> NDArray[np.float64]:
    time = dataset.schema.tables[name].time
    return days(table[time]) if time else np.full(table.num_rows, np.nan)


def _codes(dataset: Dataset, name: str, table: pa.Table) -> list[str]:
    columns = dataset.schema.tables[name].columns
    code = next((c for c, about in columns.items() if about.type == "code"), None)
    if code is None:
        return [""] * table.num_rows
    return [_plain(v) for v in table[code].to_pylist()]


def _facts(dataset: Dataset, patient: int) -> str:
    """Categories of the patient's own row."""
    home = dataset.schema.home
    if not home:
        return ""
    rows = np.flatnonzero(dataset.patients().rows[home] == patient)[:1]
    row = dataset.tables[home].take(pa.array(rows)).to_pylist()
    columns = dataset.schema.tables[home].columns
    shown = [
        f"{_plain(c)} {_plain(v)}"
        for c, v in (row[0].items() if row else ())
        if v is not None and columns[c].type not in ("identifier", "text")
        and columns[c].meaning != "provenance"
    ]  # fmt: skip
    return "   ".join(shown[:MOST_FACTS])


def _plain(value: Any) -> str:
    """Text that the built-in font can draw, cut to what a label has room for."""
    text = "" if value is None else str(value)
    return "".join(c if " " <= c <= "~" else "?" for c in text)[:24]


def _drawn(facts: str, lanes: list[Lane], count: int) -> bytes:
    from PIL import Image, ImageDraw, ImageFont

    height = HEAD + LANE * max(len(lanes), 1) + FOOT
    image = Image.new("RGB", (WIDTH, height), (255, 255, 255))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(12)
    draw.text((10, 12), facts[:120], INK, font)
    known = np.concatenate([t[np.isfinite(t)] for _, t, _, _ in lanes] or [np.empty(0)])
    low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    wide = (WIDTH - LEFT - RIGHT) / max(high - low, 1.0)
    for k, (name, times, codes, wrong) in enumerate(lanes):
        top = HEAD + LANE * k
        draw.text((10, top + 8), f"{_plain(name)} ({len(times)})", GREY, font)
        draw.line([(LEFT, top + 16), (WIDTH - RIGHT, top + 16)], GRID, 1)
        free = -np.inf
        order = np.argsort(np.where(np.isfinite(times), times, -np.inf), kind="stable")
        for row in order.tolist():
            x = LEFT + (times[row] - low) * wide if np.isfinite(times[row]) else LEFT - 12
            if wrong[row]:
                draw.line([(x - 4, top + 12), (x + 4, top + 20)], BAD, 2)
                draw.line([(x - 4, top + 20), (x + 4, top + 12)], BAD, 2)
            else:
                draw.line([(x, top + 10), (x, top + 22)], GOOD, 2)
            length = draw.textlength(codes[row], font)
            if codes[row] and x - length / 2 > free and x + length / 2 < WIDTH:
                draw.text((x - length / 2, top + 26), codes[row], BAD if wrong[row] else INK, font)
                free = x + length / 2 + 6
    if len(known):
        start, end = (str(np.datetime64(int(d), "D")) for d in (np.floor(low), np.floor(high)))
        draw.text((LEFT, height - 22), start, GREY, font)
        draw.text((WIDTH - RIGHT - draw.textlength(end, font), height - 22), end, GREY, font)
    if count > len(lanes):
        draw.text((10, height - 22), f"{count - len(lanes)} more tables", GREY, font)
    buffer = io.BytesIO()
    image.quantize(16).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
