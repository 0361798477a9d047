"""Which planted leaks of health records are seen, and how often is a fresh sample accused?

    python benchmarks/ehr_privacy.py [--data DIR] [--seeds 20] [--only PART ...] [--markdown PAGE]

Simulated hospital tables of 2,000 + 2,000 + 2,000 patients and 20 columns, of which the synthetic
one drifts; copies of training patients are planted in it. DIR holds `actg175_avatar`: five rounds
of members and non-members with three generators whose order of leaking is known.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from markdown import printed, replace_measured
from numpy.typing import NDArray

from sdq_core.judging import judge
from sdq_core.measurement import Measurement
from sdq_core.profiles import Criterion, load_profile
from sdq_core.statistics import single_thread_blas
from sdq_core.statistics.mixed_rows import MixedRows
from sdq_ehr.attacks.inference import inference
from sdq_ehr.attacks.linkability import linkability
from sdq_ehr.attacks.membership import membership_scores, worst_attack
from sdq_ehr.attacks.memorisation import memorised
from sdq_ehr.attacks.shadow import shadow_attack
from sdq_ehr.attacks.sides import Sides
from sdq_ehr.attacks.singling_out import AttackRisk, singling_out
from sdq_ehr.modality import Ehr
from sdq_ehr.simulated_table import mixed_rows, plant_copies, simulate_table

N = 2000
DRIFT = 0.3
PLANTS: Mapping[str, dict[str, float]] = {
    "none": {},
    "1 % exact": {"share": 0.01},
    "1 %, noise 10 %": {"share": 0.01, "noise": 0.1},
    "1 %, noise 30 %": {"share": 0.01, "noise": 0.3},
    "1 %, half of the columns": {"share": 0.01, "part": 0.5},
    "5 %, half of the columns": {"share": 0.05, "part": 0.5},
}
LEAKS: Mapping[str, dict[str, float]] = {
    "none": {},
    "1 % exact": {"share": 0.01},
    "5 %, noise 10 %": {"share": 0.05, "noise": 0.1},
    "20 %, noise 10 %": {"share": 0.2, "noise": 0.1},
    "20 %, half of the columns": {"share": 0.2, "part": 0.5},
}
GENERATORS = ("ctgan", "synthpop", "avatar")


def simulated(seed: int, plant: Mapping[str, float], n: int = N, drift: float = DRIFT) -> Sides:
    """Three tables of one population, the synthetic one drifted and planted with copies."""
    tables = [simulate_table(n, 10 * seed + k, drift=drift if k == 2 else 0.0) for k in range(3)]
    if plant:
        tables[2], _, _ = plant_copies(tables[2], tables[0], seed=seed, **plant)
    rows, levels = mixed_rows(*tables)
    return Sides(*rows, levels=levels)


def criteria() -> dict[tuple[str, str | None], Criterion]:
    profile = load_profile("default", Ehr().profile_folder(), "ehr", Ehr.default_profile)
    return {(c.id, c.variant): c for c in profile.criteria}


def verdict(
    rules: Mapping[tuple[str, str | None], Criterion],
    measure: str,
    value: float,
    interval: Any,
    variant: str | None = None,
) -> str:
    """What the default profile says of a number."""
    id_ = f"ehr.privacy.{measure}"
    rule = rules.get((id_, variant)) or rules[(id_, None)]
    m = Measurement(id_, value, better="lower", interval=interval, variant=variant, n={"n": N})
    return judge(m, rule).verdict.value


def tally(words: list[str]) -> str:
    count = Counter(words)
    return " / ".join(str(count[w]) for w in ("pass", "inconclusive", "fail"))


def copies(seeds: int) -> Iterator[str]:
    yield "### Planted copies (n = 2,000, 20 columns)"
    yield ""
    yield (
        f"{seeds} seeds. Seen: runs in which either screen rejects at p < 0.05. Share and limits: "
        "means. Verdicts of `memorised_share`: runs with pass / inconclusive / fail."
    )
    yield ""
    yield (
        "| planted | seen | whole: share, low, high | verdict | partial: share, low, high "
        "| verdict |"
    )
    yield "|---|---|---|---|---|---|"
    rules = criteria()
    for name, plant in PLANTS.items():
        seen, numbers, words = 0, [], ([], [])
        for seed in range(seeds):
            found = memorised(simulated(seed + (0 if plant else 500), plant), seed=seed)
            seen += found[0].p_value < 0.05
            numbers.append([v for m in found for v in (m.share, m.interval.low, m.interval.high)])
            for m, variant, kept in zip(found, (None, "partial"), words, strict=True):
                kept.append(verdict(rules, "memorised_share", m.share, m.interval, variant))
        mean = [f"{v:.4f}" for v in np.mean(numbers, axis=0)]
        yield (
            f"| {name} | {seen / seeds:.2f} | {', '.join(mean[:3])} | {tally(words[0])} | "
            f"{', '.join(mean[3:])} | {tally(words[1])} |"
        )


def risks(seeds: int) -> Iterator[str]:
    yield "### The three risks of WP216"
    yield ""
    yield (
        f"{seeds} seeds: mean risk and limits; planted: share of the control's planted copies that "
        "the attack sees; verdicts with pass / inconclusive / fail."
    )
    yield ""
    yield "| planted | attack | risk, low, high | planted | verdict |"
    yield "|---|---|---|---|---|"
    rules = criteria()
    for name, plant in LEAKS.items():
        for attack in (singling_out, linkability, inference):
            numbers, words = [], []
            for seed in range(seeds):
                found: Any = attack(simulated(seed + (0 if plant else 500), plant), seed=seed)
                one: AttackRisk = found if isinstance(found, AttackRisk) else found.worst
                r = one.risk
                numbers.append([r.value, r.interval.low, r.interval.high, one.planted.centre])
                words.append(verdict(rules, f"{attack.__name__}_risk", r.value, r.interval))
            mean = [f"{v:.3f}" for v in np.mean(numbers, axis=0)]
            yield (
                f"| {name} | {attack.__name__} | {', '.join(mean[:3])} | {mean[3]} | "
                f"{tally(words)} |"
            )


def membership(seeds: int) -> Iterator[str]:
    yield "### Membership: the worst of five attacks"
    yield ""
    yield (
        f"{seeds} seeds: mean AUC with its limits, mean hits at 1 % false alarms; p < 0.05: runs "
        "in which the worst attack exceeds what the worst reaches by chance."
    )
    yield ""
    yield "| planted | AUC, low, high | hits | p < 0.05 | AUC verdict | hits verdict |"
    yield "|---|---|---|---|---|---|"
    rules = criteria()
    for name, plant in LEAKS.items():
        numbers, small, words, hits = [], 0, [], []
        for seed in range(seeds):
            sides = simulated(seed + (0 if plant else 500), plant)
            member = np.arange(len(sides.real)) < len(sides.train)
            found = worst_attack(membership_scores(sides, seed=seed), member, seed=seed)
            interval = found.auc_interval
            numbers.append([found.auc, interval.low, interval.high, found.tpr])
            small += found.p_value < 0.05
            words.append(verdict(rules, "membership_auc", found.auc, interval))
            hits.append(verdict(rules, "membership_tpr_at_1pct_fpr", found.tpr, found.tpr_interval))
        mean = [f"{v:.3f}" for v in np.mean(numbers, axis=0)]
        yield (
            f"| {name} | {', '.join(mean[:3])} | {mean[3]} | {small}/{seeds} | {tally(words)} | "
            f"{tally(hits)} |"
        )


def read_rows(*paths: Path, most_levels: int = 12) -> tuple[list[MixedRows], tuple[int, ...]]:
    """Tables as numbers and codes; a column of few different values is a category."""
    raw = []
    for path in paths:
        with path.open(newline="", encoding="utf-8") as file:
            raw.append(list(csv.reader(file)))
    width, rows = len(raw[0][0]), [r for table in raw for r in table[1:]]
    numbers, categories, levels = [], [], []
    for j in range(width):
        texts = [r[j].strip() for r in rows]
        try:
            values = np.array([float(t) if t not in ("", "NA") else np.nan for t in texts])
        except ValueError:
            values = None
        if values is not None and len(np.unique(values)) > most_levels:
            numbers.append(values)
        else:
            known, code = np.unique(texts if values is None else values, return_inverse=True)
            categories.append(code)
            levels.append(len(known))
    x = np.column_stack(numbers) if numbers else np.empty((len(rows), 0))
    c = np.column_stack(categories) if categories else np.empty((len(rows), 0))
    ends = np.cumsum([0, *(len(t) - 1 for t in raw)])
    cuts: list[NDArray[Any]] = [np.arange(a, b) for a, b in pairwise(ends)]
    return [MixedRows(x[r], c[r].astype(np.int32)) for r in cuts], tuple(levels)


def ladder(data: Path) -> Iterator[str]:
    yield "### ACTG 175: three generators, five rounds"
    yield ""
    yield (
        "Means over rounds, standard deviation of the worst AUC in brackets. The distance attack "
        "of the data's notes (standardised columns) has 0.500, 0.528 and 0.646."
    )
    yield ""
    names = (
        "distance",
        "calibrated distance",
        "agreement",
        "calibrated agreement",
        "density ratio",
    )
    yield (
        f"| generator | {' | '.join(names)} | worst, low, high | hits at 1 % | memorised, low, "
        "high | AUC verdict | memorised verdict |"
    )
    yield "|---" * (len(names) + 6) + "|"
    rules = criteria()
    for generator in GENERATORS:
        single, worst, share, words = [], [], [], ([], [])
        for k in range(5):
            folder = data / "actg175_avatar" / f"round{k}"
            files = (folder / f"{n}.csv" for n in ("members", "nonmembers", generator))
            rows, levels = read_rows(*files)
            sides = Sides(*rows, levels=levels).varying()
            member = np.arange(len(sides.real)) < len(sides.train)
            found = worst_attack(membership_scores(sides, seed=k), member, seed=k)
            copied = memorised(sides, seed=k)[0]
            single.append([a.curve.auc for a in found.attacks])
            interval = found.auc_interval
            worst.append([found.auc, interval.low, interval.high, found.tpr])
            share.append([copied.share, copied.interval.low, copied.interval.high])
            words[0].append(verdict(rules, "membership_auc", found.auc, interval))
            words[1].append(verdict(rules, "memorised_share", copied.share, copied.interval))
        mean = np.mean(worst, axis=0)
        yield (
            f"| {generator} | {' | '.join(f'{v:.3f}' for v in np.mean(single, axis=0))} | "
            f"{mean[0]:.3f} ({np.std([w[0] for w in worst], ddof=1):.3f}), {mean[1]:.3f}, "
            f"{mean[2]:.3f} | {mean[3]:.3f} | "
            f"{', '.join(f'{v:.3f}' for v in np.mean(share, axis=0))} | {tally(words[0])} | "
            f"{tally(words[1])} |"
        )


def shadows() -> Iterator[str]:
    yield "### Shadow models (400 patients, 3 numbers, 8 models)"
    yield ""
    yield "| generator | AUC, low, high | hits at 1 % |"
    yield "|---|---|---|"
    rng = np.random.default_rng(0)
    data = rng.normal(size=(400, 3))

    def nearness(made: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        gaps = np.linalg.norm(data[:, None] - made, axis=2)
        return {"distance": -np.log(gaps.min(axis=1) + 1e-3)}

    makers = {
        "verbatim": lambda part, n: part[rng.integers(0, len(part), n)],
        "noise of 0.2 deviations": lambda part, n: (
            part[rng.integers(0, len(part), n)] + 0.2 * rng.normal(size=(n, 3))
        ),
        "normal law, fitted": lambda part, n: rng.multivariate_normal(
            part.mean(axis=0), np.cov(part.T), n
        ),
    }
    for name, sample in makers.items():
        found = shadow_attack(lambda rows: data[rows], sample, nearness, len(data))
        low, high = found.auc_interval.low, found.auc_interval.high
        yield f"| {name} | {found.auc:.3f}, {low:.3f}, {high:.3f} | {found.tpr:.3f} |"


def speed() -> Iterator[str]:
    yield "### Cost, CPU seconds (2,000 patients a cohort, 20 columns, one core)"
    yield ""
    yield "| step | seconds |"
    yield "|---|---|"
    sides = simulated(0, {})
    member = np.arange(len(sides.real)) < len(sides.train)
    steps = {
        "memorised": lambda: memorised(sides),
        "membership": lambda: worst_attack(membership_scores(sides), member),
        "singling out": lambda: singling_out(sides),
        "linkability": lambda: linkability(sides),
        "inference": lambda: inference(sides),
    }
    for name, step in steps.items():
        start = time.process_time()
        step()
        yield f"| {name} | {time.process_time() - start:.1f} |"


def main() -> None:
    """Run the parts, print their tables and put them into a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the real tables, for the ladder")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--markdown", type=Path, help="page whose measured part is replaced")
    names = ["copies", "risks", "membership", "ladder", "shadows", "speed"]
    parser.add_argument("--only", choices=names, nargs="+", default=names)
    args = parser.parse_args()
    if "ladder" in args.only and args.data is None:
        parser.error("the ladder needs --data")
    parts = {
        "copies": lambda: copies(args.seeds),
        "risks": lambda: risks(args.seeds),
        "membership": lambda: membership(args.seeds),
        "ladder": lambda: ladder(args.data),
        "shadows": shadows,
        "speed": speed,
    }
    lines: list[str] = []
    with single_thread_blas():
        for name in args.only:
            lines += [*printed(parts[name]()), ""]
    if args.markdown:
        replace_measured(args.markdown, lines, "ehr privacy")


if __name__ == "__main__":
    main()
