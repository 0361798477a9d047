"""Do our figures of tables agree with those of the peers, and where they differ, what do they see?

    python benchmarks/ehr_agreement.py --data DIR [--sdmetrics PYTHON] [--syntheval PYTHON]
                                       [--only PART] [--save FOLDER] [--markdown PAGE]

DIR holds real tables with the outputs of generators (``diabetes_pima/train.csv`` and so on). Each
peer lives in an environment of its own: ``python -m venv ENV && ENV/bin/pip install
sdmetrics==0.32.0``, or ``syntheval==1.7.3``. ``--save`` keeps what they find on a small simulated
table, for the tests. The exit code is 1 where a figure of the same definition differs.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from ehr_agreement_blindness import blindness
from ehr_agreement_ours import Table, by_syntheval, joint, read_tables, rows_of, table_of, trends
from ehr_agreement_triple import triple
from markdown import printed, replace_measured

from sdq_core.statistics import single_thread_blas
from sdq_ehr.attacks.memorisation import memorised
from sdq_ehr.attacks.sides import Sides
from sdq_ehr.simulated_table import simulate_table

PARTS = ("sdmetrics", "syntheval", "triple", "blindness")
THREE = {g: f"{g}.csv" for g in ("ctgan", "datasynthesizer", "synthpop")}
MODES = {m: f"{m}_mode.csv" for m in ("random", "independent", "correlated")}
SETS: dict[str, tuple[str, str | None, dict[str, str], tuple[str, ...]]] = {
    "diabetes_pima": ("train.csv", "test.csv", THREE, ()),
    "cervical_cancer": ("train.csv", "test.csv", THREE, ()),
    "dermatology": ("train.csv", "test.csv", THREE, ()),
    "seer_breast": ("train.csv", "test.csv", {"synthpop": "synthpop.csv"}, ()),
    "adult_datasynthesizer": ("real.csv", None, MODES, ("ssn",)),
    "adult_anonymeter": ("control_3000.csv", None, {"ctgan": "ctgan_5000.csv"}, ()),
}
SAME = {"sdmetrics": 1e-6, "syntheval": 1e-4}
"""Largest difference by the same definition. SDMetrics adds a millionth of a row for a category
that the real table lacks; SynthEval rounds total variations to four digits."""
SMALL = 300
GAPS = ("bmi", "hba1c")
"""Simulated columns with missing values."""
FIGURES = ("ks", "tvd", "correlation", "mixed", "nnaa", "dcr")
REPEATS = 5


class Peers:
    """Runs the peers, and remembers what went wrong and which versions answered."""

    def __init__(self, pythons: dict[str, str | None]) -> None:
        self.pythons = pythons
        self.wrong: list[str] = []
        self.versions: dict[str, str] = {}

    def ask(
        self, peer: str, jobs: list[dict[str, Any]], tables: dict[str, Any]
    ) -> list[dict[str, Any]] | None:
        """Return the results of jobs, None where the peer is not there."""
        python = self.pythons[peer]
        if python is None:
            return None
        script = Path(__file__).with_name("ehr_agreement_peers.py")
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            for name, table in tables.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                table.write(path)
            (folder / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
            command = [python, str(script), peer, str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{peer}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
        found = json.loads(done.stdout.splitlines()[-1])
        self.versions[peer] = f"{peer} {found['versions'][peer]} (" + ", ".join(
            f"{k} {v}" for k, v in found["versions"].items() if k != peer
        ) + ")"  # fmt: skip
        results: list[dict[str, Any]] = found["results"]
        return results

    def compare(self, peer: str, what: str, gap: float) -> str:
        """A cell with the largest difference."""
        if gap > SAME[peer]:
            self.wrong.append(f"{peer}, {what}: differs by {gap:.1e}")
        return f"{gap:.0e}" if gap > 1e-12 else "0"


class Agreement:
    """The tables, and what is printed of them."""

    def __init__(self, data: Path, peers: Peers) -> None:
        self.data = data
        self.peers = peers

    @cached_property
    def sets(self) -> dict[tuple[str, str], tuple[Table, Table | None, Table]]:
        """Real, holdout and synthetic tables."""
        found = {}
        for name, (real, holdout, made, drop) in SETS.items():
            files = [real, *([holdout] if holdout else []), *made.values()]
            tables = read_tables([self.data / name / f for f in files], drop)
            rest = tables[1] if holdout else None
            for generator, table in zip(made, tables[-len(made) :], strict=True):
                found[name, generator] = (tables[0], rest, table)
        return found

    def asked(self, peer: str) -> list[dict[str, Any]] | None:
        jobs: list[dict[str, Any]] = []
        tables = {}
        for k, (real, _, synthetic) in enumerate(self.sets.values()):
            tables |= {f"{k}/real.csv": real, f"{k}/synthetic.csv": synthetic}
            jobs.append(job_of(real, f"{k}/real.csv", f"{k}/synthetic.csv", spearman=True))
        return self.peers.ask(peer, jobs, tables)

    def sdmetrics(self) -> Iterator[str]:
        """Columns and pairs beside SDMetrics."""
        results = self.asked("sdmetrics")
        if results is None:
            yield "SDMetrics was not run: give an interpreter by `--sdmetrics PYTHON`."
            return
        yield "### The same definition: largest difference from SDMetrics"
        yield ""
        yield (
            "| real table, generator | columns (KS, TV) | pairs of numbers, Pearson | Spearman | "
            "pairs of categories | number with category, each side in bins of its own range | "
            "pairs that the peer cannot score |"
        )
        yield "|---" * 7 + "|"
        ours = {key: trends(real, made) for key, (real, _, made) in self.sets.items()}
        for (key, found), theirs in zip(ours.items(), results, strict=True):
            if "error" in theirs:
                raise SystemExit(f"sdmetrics, {', '.join(key)}: {theirs['error']}")
            cells, unscored = same_as_sdmetrics(found, theirs)
            name = ", ".join(key)
            text = [
                f"{self.peers.compare('sdmetrics', name, gap)} ({n})" if n else "-"
                for gap, n in cells
            ]
            yield f"| {name} | {' | '.join(text)} | {unscored} |"
        yield ""
        yield "In brackets: how many figures were compared."
        yield ""
        yield "### Where the definition differs"
        yield ""
        yield (
            "| real table, generator | SDMetrics score | pairs it scored | score, all pairs | "
            "number with category: TV in own bins | in common bins | sdq: TV of all pairs | "
            "of the holdout | sdq: association lost / invented | of the holdout |"
        )
        yield "|---" * 10 + "|"
        for (key, (real, holdout, made)), theirs in zip(self.sets.items(), results, strict=True):
            found = ours[key]
            rest, fresh = ("-", "-"), joint(real, made)
            if holdout is not None:
                floor = joint(real, holdout)
                rows = np.random.default_rng(0)
                some = [
                    joint(real, made.take(rows.permutation(len(made))[: len(holdout)]))
                    for _ in range(REPEATS)
                ]
                fresh = tuple(np.mean(some, axis=0))
                rest = f"{floor[0]:.3f}", f"{floor[2]:.3f} / {floor[3]:.3f}"
            own, common = (np.mean([*v.values()] or [np.nan]) for v in (found.mixed, found.shared))
            yield (
                f"| {', '.join(key)} | {theirs['scores']['default']:.3f} | "
                f"{len(theirs['scored'])} of {len(theirs['pairs'])} | "
                f"{theirs['scores']['all']:.3f} | {own:.3f} | {common:.3f} | {fresh[0]:.3f} | "
                f"{rest[0]} | {fresh[2]:.3f} / {fresh[3]:.3f} | {rest[1]} |"
            )
        yield ""
        yield (
            "The figures of sdq beside a holdout are means of "
            f"{REPEATS} random parts of the synthetic table as large as the holdout: a distance of "
            "shares depends on the number of rows."
        )
        yield ""

    def syntheval(self) -> Iterator[str]:
        """Averages, correlations and nearest rows beside SynthEval."""
        results = self.asked("syntheval")
        if results is None:
            yield "SynthEval was not run: give an interpreter by `--syntheval PYTHON`."
            return
        yield "### SynthEval / the same from its formula"
        yield ""
        titles = (
            "mean KS", "mean TV", "correlation matrix, numbers", "mixed matrix",
            "adversarial accuracy", "median DCR", "largest difference",
        )  # fmt: skip
        yield f"| real table, generator | {' | '.join(titles)} |"
        yield "|---" * (len(titles) + 1) + "|"
        rest = []
        for (key, (real, holdout, made)), theirs in zip(self.sets.items(), results, strict=True):
            name = ", ".join(key)
            if "error" in theirs:
                refused = "Missing values" in theirs["error"]
                if not refused:
                    self.peers.wrong.append(f"syntheval, {name}: {theirs['error']}")
                why = "missing values are refused" if refused else "failed"
                yield f"| {name} | {why} |" + " |" * 6
                continue
            ours = by_syntheval(real, made)
            cells, gap = [], 0.0
            for figure in FIGURES:
                a, b = theirs[figure], ours[figure]
                if a is None or b is None:
                    cells.append("-" if a is b else f"{shown(a)} / {shown(b)}")
                    continue
                # Of equal distances the peer's rounding decides which is greater.
                tied = (ours["ties"] or 0.0) if figure == "nnaa" else 0.0
                gap = max(gap, abs(a - b - np.clip(a - b, 0, tied)))
                cells.append(f"{a:.4f} / {b:.4f}")
            yield f"| {name} | {' | '.join(cells)} | {self.peers.compare('syntheval', name, gap)} |"
            rest.append((name, real, holdout, made, theirs, ours))
        yield ""
        yield "### What sdq reports instead"
        yield ""
        yield (
            "| real table, generator | SynthEval: mean Hellinger | Hellinger of the categories, "
            "levels kept apart | SynthEval: adversarial accuracy, median DCR | sdq: copied beyond "
            "the holdout, low, high | p |"
        )
        yield "|---" * 6 + "|"
        for name, real, holdout, made, theirs, ours in rest:
            told = "no holdout | -"
            if holdout is not None:
                rows, levels = rows_of(real, holdout, made)
                copied = memorised(Sides(*rows, levels=levels))[0]
                low, high = copied.interval.low, copied.interval.high
                told = f"{copied.share:.3f}, {low:.3f}, {high:.3f} | {copied.p_value:.2g}"
            yield (
                f"| {name} | {theirs['hellinger']:.3f} | {shown(ours['hellinger'])} | "
                f"{theirs['nnaa']:.3f}, {theirs['dcr']:.3f} | {told} |"
            )
        yield ""

    def triple(self) -> Iterator[str]:
        """Beside the published figures of Anonymeter."""
        yield from triple(*(self.sets["adult_anonymeter", "ctgan"][k] for k in (0, 2)))

    def blindness(self) -> Iterator[str]:
        """What a default report cannot see."""
        yield from blindness(self.peers.ask)


def shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def job_of(table: Table, real: str, synthetic: str, spearman: bool = False) -> dict[str, Any]:
    files = {"real": real, "synthetic": synthetic}
    return {"what": "pair", "kinds": dict(table.kinds), "spearman": spearman, **files}


def same_as_sdmetrics(ours: Any, theirs: dict[str, Any]) -> tuple[list[tuple[float, int]], int]:
    """Largest difference and number of figures of each kind; pairs that the peer cannot score."""
    pairs = {frozenset(p[:2]): p[3] for p in theirs["pairs"]}
    spearman = {frozenset(p[:2]): p[2] for p in theirs["spearman"]}
    kinds = (
        (ours.shapes, {k: v for k, v in theirs["shapes"].items() if v is not None}),
        (ours.numbers, pairs),
        (ours.spearman, spearman),
        (ours.categories, pairs),
        (ours.mixed, pairs),
    )
    cells = []
    for mine, yours in kinds:
        gaps = []
        for key, value in mine.items():
            other = yours.get(key if isinstance(key, str) else frozenset(key))
            if other is not None:
                gaps.append(abs(1 - other - value))
        cells.append((max(gaps, default=0.0), len(gaps)))
    return cells, sum(v is None for v in pairs.values())


def save(folder: Path, peers: Peers) -> None:
    """Keep the figures of the peers on a small simulated table, which the tests make anew."""
    sides = [table_of(simulate_table(SMALL, 1)), table_of(simulate_table(SMALL, 2, 0.3))]
    for peer in ("sdmetrics", "syntheval"):
        job = job_of(sides[0], "real.csv", "synthetic.csv", spearman=False)
        if peer == "syntheval":  # it refuses missing values
            job["kinds"] = {c: k for c, k in job["kinds"].items() if c not in GAPS}
        found = peers.ask(peer, [job], {"real.csv": sides[0], "synthetic.csv": sides[1]})
        if found is None:
            continue
        (one,) = found
        if "error" in one:
            peers.wrong.append(f"{peer}, simulated table: {one['error']}")
            continue
        rows: list[list[Any]] = []
        if peer == "sdmetrics":
            rows += [["column", c, "", v] for c, v in one["shapes"].items()]
            rows += [[metric, a, b, v] for a, b, metric, v in one["pairs"]]
        else:
            rows += [[k, "", "", v] for k, v in one.items()]
        version = peers.versions[peer].split()[1]
        source = f"{peer} {version} on simulate_table({SMALL}, 1) and ({SMALL}, 2, 0.3)"
        with (folder / f"{peer}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["figure", "column", "other_column", "value", "source"])
            writer.writerows([*r, source] for r in rows)


def main() -> None:
    """Run the parts, print their tables and put them into a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the real tables")
    parser.add_argument("--sdmetrics", metavar="PYTHON", help="interpreter with SDMetrics")
    parser.add_argument("--syntheval", metavar="PYTHON", help="interpreter with SynthEval")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--save", type=Path, help="folder for the peers' figures")
    parser.add_argument("--markdown", type=Path, help="page whose measured part is replaced")
    args = parser.parse_args()
    peers = Peers({"sdmetrics": args.sdmetrics, "syntheval": args.syntheval})
    if args.markdown and (len(args.only) < len(PARTS) or None in peers.pythons.values()):
        parser.error("--markdown: needs the whole run and both peers")
    agreement = Agreement(args.data, peers)
    lines: list[str] = []
    with single_thread_blas():
        for part in args.only:
            lines += printed(getattr(agreement, part)())
        if args.save:
            save(args.save, peers)
    lines += printed(["Measured with " + "; ".join(peers.versions.values()) + "."])
    if peers.wrong:
        sys.exit("\n".join(peers.wrong))
    if args.markdown:
        replace_measured(args.markdown, lines, "ehr agreement")


if __name__ == "__main__":
    main()
