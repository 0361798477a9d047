"""The CTGAN table of Anonymeter's example beside the figures that its authors published.

The rows from which the generator learned are not stored here, so no risk of theirs can be measured
again. What is left: the rate of the control attack, and risks where both sides are controls.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ehr_agreement_ours import Table, rows_of
from numpy.typing import NDArray

from sdq_core.statistics.mixed_rows import MixedRows, MixedSpace
from sdq_core.statistics.nearest_mixed import nearest_rows
from sdq_ehr.attacks.inference import inference
from sdq_ehr.attacks.linkability import linkability
from sdq_ehr.attacks.risk import share_of
from sdq_ehr.attacks.sides import Sides
from sdq_ehr.attacks.singling_out import singling_out

PUBLISHED = Path(__file__).parent / "peer_figures" / "anonymeter.csv"
HALVES = (
    ("type_employer", "education", "hr_per_week", "capital_loss", "capital_gain"),
    ("race", "sex", "fnlwgt", "age", "country"),
)
"""What the attacker of the example knows from either source."""
NEAREST = 10
ATTEMPTS = 2000
WHOLE = 39_000
"""About as many rows has the example's synthetic table, by its size; 5,000 are stored."""


def triple(control: Table, synthetic: Table) -> Iterator[str]:
    """Lines of the tables."""
    yield "### Anonymeter, as published"
    yield ""
    yield "| run of its example notebook | attack | figure | value, low, high | attempts |"
    yield "|---" * 5 + "|"
    with PUBLISHED.open(newline="", encoding="utf-8") as file:
        published = list(csv.DictReader(file))
    for row in published:
        run = row["source"].split(";")[0].removeprefix("example notebook ")
        low, high = (float(row[k]) for k in ("low", "high"))
        yield (
            f"| {run} | {row['attack']} | {row['figure']} | {float(row['value']):.4f}, {low:.4f}, "
            f"{high:.4f} | {row['attempts']} |"
        )
    yield ""
    yield "### Here: people of whom the generator saw nobody"
    yield ""
    yield "| what | value, low, high | attempts |"
    yield "|---" * 3 + "|"
    hits = linked(control, synthetic)
    found = share_of(hits, ATTEMPTS)
    chance = NEAREST**2 / len(synthetic)
    yield (
        f"| control linked, {NEAREST} nearest of {len(synthetic):,} (chance: {chance:.4f}) | "
        f"{hits / ATTEMPTS:.4f}, {found.low:.4f}, {found.high:.4f} | {ATTEMPTS} |"
    )
    yield (
        f"| the same over chance | {hits / ATTEMPTS / chance:.2f}, {found.low / chance:.2f}, "
        f"{found.high / chance:.2f} | |"
    )
    for row in published:
        if (row["attack"], row["figure"]) == ("linkability", "control"):
            rates = [float(row[k]) * WHOLE / NEAREST**2 for k in ("value", "low", "high")]
            yield (
                f"| published control over chance, {NEAREST} nearest of {WHOLE:,}, run "
                f"{row['run']} | {rates[0]:.2f}, {rates[1]:.2f}, {rates[2]:.2f} | "
                f"{row['attempts']} |"
            )
    (people, made), levels = rows_of(control, synthetic)
    order = np.random.default_rng(0).permutation(len(people))
    one, two = (people.take(r) for r in np.array_split(order, 2))
    sides = Sides(one, two, made, levels)
    for attack in (singling_out, linkability, inference):
        result = attack(sides)
        if result is None:
            continue
        of = getattr(result, "worst", result)
        low, high = of.risk.interval.low, of.risk.interval.high
        yield (
            f"| sdq {attack.__name__.replace('_', ' ')}, half of the control against the other | "
            f"{of.risk.value:.4f}, {low:.4f}, {high:.4f} | {len(one)} |"
        )
    yield ""


def linked(control: Table, synthetic: Table) -> int:
    """Count control rows whose two halves have a synthetic row among the nearest in common."""
    near: list[NDArray[np.intp]] = []
    for half in HALVES:
        (people, made), levels = rows_of(*(part(t, half) for t in (control, synthetic)))
        space = MixedSpace(made, levels)
        some = MixedRows(people.numbers[:ATTEMPTS], people.categories[:ATTEMPTS])
        near.append(nearest_rows(space.encode(some), space.encode(made), NEAREST)[1])
    return sum(bool(np.intersect1d(a, b).size) for a, b in zip(*near, strict=True))


def part(table: Table, columns: tuple[str, ...]) -> Table:
    """Return some columns."""
    return Table(
        {c: k for c, k in table.kinds.items() if c in columns},
        {c: v for c, v in table.numbers.items() if c in columns},
        {c: v for c, v in table.texts.items() if c in columns},
    )
