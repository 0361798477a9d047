"""Which privacy statistic of tables sees planted copies, and how often does it cry wolf?

    python benchmarks/ehr_validity.py [--n 2000] [--seeds 20] [--nulls 400] [--markdown PAGE]

Train, holdout and synthetic are draws of a simulated hospital table of 20 mixed columns, the
synthetic one of a slightly different population; then a share of its rows is replaced by copies of
training rows. Power is the share of seeds in which a test at 5 % rejects; what all four tests
together find, after Holm, is in the last column but two. Attacks on members that were
copied follow. Every figure is a function of the seeds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markdown import printed, replace_measured

from sdq_core.statistics import attack_curve, holm, single_thread_blas
from sdq_core.statistics.density_ratio import density_coordinates, log_density_ratio
from sdq_core.statistics.mixed_rows import MixedRows, MixedSpace, rarity_gains
from sdq_core.statistics.nearest_mixed import nearest_rows
from sdq_core.statistics.surprisal import AgreementSpace
from sdq_core.statistics.tail_excess import (
    TailExcess,
    closeness,
    difference_excess,
    standing_out,
    tail_excess,
)
from sdq_ehr.simulated_table import mixed_rows, plant_copies, simulate_table

DRIFT = 0.3
HALF_AS_FAR = float(np.log(2))
TESTS = ("distance tail", "distance ratio tail", "half as far", "surprisal tail")
ATTACKS = ("distance", "distance, reference, rarity", "surprisal", "density ratio")


@dataclass(frozen=True)
class Plant:
    """What is planted."""

    name: str
    share: float
    noise: float = 0.0
    part: float = 1.0
    aim: bool = True
    """Whether some test has to find it in 95 of 100 seeds."""


PLANTS = (
    Plant("exact, 1 %", 0.01),
    Plant("noise 10 %, 1 %", 0.01, noise=0.1),
    Plant("noise 30 %, 1 %", 0.01, noise=0.3),
    Plant("half of the columns, 1 %", 0.01, part=0.5, aim=False),
    Plant("half of the columns, 5 %", 0.05, part=0.5),
)


def sets(n: int, seed: int, plant: Plant | None) -> tuple[list[MixedRows], tuple[int, ...], object]:
    """Return train, holdout, reference and synthetic, levels, and the rows that were copied."""
    train, holdout, other = (simulate_table(n, 10 * seed + k) for k in range(3))
    synthetic = simulate_table(n, 10 * seed + 3, DRIFT)
    sources = np.empty(0, np.intp)
    if plant:
        synthetic, _, sources = plant_copies(
            synthetic, train, plant.share, noise=plant.noise, part=plant.part, seed=10 * seed + 4
        )
    rows, levels = mixed_rows(train, holdout, other, synthetic)
    return list(rows), levels, sources


def joined(one: MixedRows, two: MixedRows) -> MixedRows:
    """Return the rows of both."""
    return MixedRows(
        np.concatenate([one.numbers, two.numbers]),
        np.concatenate([one.categories, two.categories]),
    )


def tests(rows: list[MixedRows], levels: tuple[int, ...]) -> dict[str, TailExcess]:
    """Test whether the synthetic rows are nearer to train than to the holdout."""
    train, holdout, _, synthetic = rows
    real = joined(train, holdout)
    space = MixedSpace(real, levels)
    query = space.encode(synthetic)
    near = [nearest_rows(query, space.encode(r))[0] for r in (train, holdout)]
    agreement = AgreementSpace(real, levels)
    agreed = [agreement.nearest(synthetic, r, k=1).best for r in (train, holdout)]
    close = [closeness(d[:, 0]) for d in near]
    return {
        "distance tail": tail_excess(*close),
        "distance ratio tail": tail_excess(*(standing_out(d) for d in near)),
        "half as far": difference_excess(*close, HALF_AS_FAR),
        "surprisal tail": tail_excess(*agreed),
    }


def attacks(rows: list[MixedRows], levels: tuple[int, ...]) -> dict[str, list[np.ndarray]]:
    """Score members and non-members by each attack."""
    train, holdout, other, synthetic = rows
    space = MixedSpace(other, levels)
    encoded = [space.encode(r) for r in rows]
    gains = rarity_gains(other.categories, levels)
    agreement = AgreementSpace(other, levels)
    points = [density_coordinates(other, r, levels) for r in rows]
    found: dict[str, list[np.ndarray]] = {name: [] for name in ATTACKS}
    for side, raw in ((0, train), (1, holdout)):
        near = [
            closeness(nearest_rows(encoded[side], encoded[to], 1, gains=g)[0][:, 0])
            for to, g in ((3, None), (3, gains), (2, gains))
        ]
        found["distance"].append(near[0])
        found["distance, reference, rarity"].append(near[1] - near[2])
        found["surprisal"].append(agreement.nearest(raw, synthetic, k=1).best)
        found["density ratio"].append(log_density_ratio(points[side], points[3], points[2]))
    return found


def rejected(found: dict[str, TailExcess]) -> list[bool]:
    """Return what each test says at 5 %, and all together."""
    p = [found[name].p_value for name in TESTS]
    return [*(v <= 0.05 for v in p), bool(min(holm(p)) <= 0.05)]


def measured(n: int, seeds: int, nulls: int, wrong: list[str]) -> Iterator[str]:
    """Yield the tables."""
    yield f"### Copies planted among {n:,} rows: share of seeds in which a test at 5 % rejects"
    yield ""
    yield f"| planted | seeds | {' | '.join(TESTS)} | all four, Holm | aim | reached |"
    yield "| --- " * (len(TESTS) + 5) + "|"
    curves: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for plant in (None, *PLANTS):
        count = seeds if plant else nulls
        verdicts = []
        for seed in range(count):
            rows, levels, sources = sets(n, 1000 + seed if plant else 5000 + seed, plant)
            verdicts.append(rejected(tests(rows, levels)))
            if plant and seed < 5:
                for name, (members, others) in attacks(rows, levels).items():
                    curve = attack_curve(members[np.asarray(sources)], others)
                    curves.setdefault(plant.name, {}).setdefault(name, []).append(
                        (curve.auc, curve.tpr[0.01])
                    )
        share = np.mean(verdicts, axis=0)
        together = share[-1]
        aim, met = ("at most 0.05", together <= 0.05) if not plant else ("0.95", together >= 0.95)
        if plant and not plant.aim:
            aim, met = "-", True
        name = plant.name if plant else "nothing"
        if not met:
            wrong.append(f"{name}: {together:.2f}, aim {aim}")
        yield (
            f"| {name} | {count} | {' | '.join(f'{s:.2f}' for s in share)} | {aim} "
            f"| {'-' if aim == '-' else 'yes' if met else '**no**'} |"
        )
    yield ""
    yield "### Attacks: AUC / true positives at 1 % false positives, of members that were copied"
    yield ""
    yield f"| planted | {' | '.join(ATTACKS)} |"
    yield "| --- " * (len(ATTACKS) + 1) + "|"
    for name, found in curves.items():
        cells = [" / ".join(f"{v:.2f}" for v in np.mean(found[a], axis=0)) for a in ATTACKS]
        yield f"| {name} | {' | '.join(cells)} |"
    yield ""


def main() -> None:
    """Run, print, and put the tables into a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--nulls", type=int, default=400)
    parser.add_argument("--markdown", type=Path, help="page whose part is replaced")
    args = parser.parse_args()
    wrong: list[str] = []
    with single_thread_blas():
        lines = printed(measured(args.n, args.seeds, args.nulls, wrong))
    if args.markdown:
        replace_measured(args.markdown, lines, "ehr validity")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
