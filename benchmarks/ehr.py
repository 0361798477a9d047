"""How fast and how lean are the statistics of tables, beside the peers?

    python benchmarks/ehr.py [--quick] [--only PART] [--sdmetrics PYTHON] [--markdown PAGE]

On simulated hospital tables of 20 mixed columns: all columns and all 190 pairs beside SDMetrics'
quality report; the nearest rows beside scikit-learn's search by matrix products; resampling. The
exit code is 1 where values disagree or a contestant fails, never because of a time or a missed aim.
SDMetrics lives in an environment of its own: ``python -m venv ENV && ENV/bin/pip install
sdmetrics==0.32.0``, then ``--sdmetrics ENV/bin/python``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from contest import ContestError, Run, difference, machine, run, save, versions
from markdown import printed, replace_measured
from numpy.typing import NDArray

from sdq_core.statistics.coding import cut, cut_points
from sdq_core.statistics.mixed_rows import MixedRows
from sdq_ehr.simulated_table import mixed_rows, simulate_table

MODULE = "ehr_contestants"
PARTS = ("pairs", "nearest", "resampling", "codes")
PACKAGES = ("numpy", "scipy", "pyarrow", "scikit-learn", "sdmetrics", "pandas")
DRIFT = 0.3
AIMS = {1_000_000: 5, 100_000: 15}
MEMORY_AIM = 0.2
SAME = 1e-4
"""Largest difference of a share or correlation: some of them are summed in float32."""
BOOTSTRAP_AIM_S = 10.0


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    pairs: tuple[int, ...]
    nearest: int
    surprisal: int
    resampling: int
    codes: int
    rounds: int


FULL = Sizes((10_000, 100_000, 1_000_000), 100_000, 2000, 5000, 1_000_000, 2)
QUICK = Sizes((2000,), 2000, 500, 300, 5000, 1)
CODES_AIM = 1e6
DISTINCT = 5000
INVALID = 0.02


def frame(n: int, seed: int, drift: float, side: str) -> dict[str, Any]:
    """Return a simulated table as arrays that need no pickle."""
    table = simulate_table(n, seed, drift)
    found = {}
    for name in table.column_names:
        column = table[name].to_numpy()
        found[f"{side}_{name}"] = column.astype(str) if column.dtype == object else column
    return found


class Benchmark:
    """One run; remembers what went wrong."""

    def __init__(self, sizes: Sizes, sdmetrics: str | None) -> None:
        self.sizes = sizes
        self.sdmetrics = sdmetrics or (sys.executable if find_spec("sdmetrics") else None)
        self.wrong: list[str] = []
        self.versions = versions()

    def turns(self, functions: Sequence[str], folder: Path) -> dict[str, Run]:
        """Run contestants in turns, so that a busy hour meets all of them; without the failed."""
        runs: dict[str, list[Run]] = {}
        failed: set[str] = set()
        for _ in range(self.sizes.rounds):
            for function in functions:
                python = self.sdmetrics if "sdmetrics" in function else sys.executable
                # The peer samples at random, and takes long: once.
                again = function in runs and "sdmetrics" in function
                if function in failed or python is None or again:
                    continue
                try:
                    found = run(f"{MODULE}:{function}", folder, 0.0, python)
                except ContestError as error:
                    failed.add(function)
                    self.wrong.append(str(error))
                    continue
                self.versions |= found.versions
                runs.setdefault(function, []).append(found)
        return {k: Run.joined(v) for k, v in runs.items() if k not in failed}

    def pairs(self, folder: Path) -> Iterator[str]:
        """Columns and pairs of columns."""
        yield "### Marginals and all 190 pairs of 20 columns, real beside synthetic"
        yield ""
        yield (
            "| rows a side | what runs | CPU s | ours is times faster | memory beyond the data, "
            "MiB | of the data | largest difference of a value | aim | reached |"
        )
        yield "| --- " * 9 + "|"
        titles = {
            "pairs_sdq": "**sdq**, every row",
            "pairs_sdmetrics_default": "SDMetrics, default: weak pairs are not scored",
            "pairs_sdmetrics": "SDMetrics, all pairs (of 50,000 rows at most)",
            "pairs_sdmetrics_exact": "SDMetrics, all pairs, every row",
        }
        for n in self.sizes.pairs:
            save({**frame(n, 1, 0.0, "real"), **frame(n, 2, DRIFT, "synthetic")}, folder)
            small = n <= 100_000
            functions = [f for f in titles if small or f != "pairs_sdmetrics_exact"]
            runs = self.turns([*functions, "data_sdq"], folder)
            if not {"pairs_sdq", "data_sdq"} <= runs.keys():
                return
            ours, data = runs["pairs_sdq"], float(runs["data_sdq"].values[0])
            lean = self._reached(n >= 1_000_000, ours.memory <= MEMORY_AIM * data, "data + 20 %")
            yield (
                f"| {n:,} | {titles['pairs_sdq']} | {ours.best:.2f} | - | {ours.memory:.0f} "
                f"| {ours.memory / data:.0%} of {data:.0f} MiB | - | {lean} |"
            )
            for name in functions[1:]:
                if name not in runs:
                    yield f"| {n:,} | {titles[name]} | {self._why_not(name)} |"
                    continue
                theirs = runs[name]
                ratio, gap = theirs.best / ours.best, "-"
                if name == "pairs_sdmetrics_exact" or (name == "pairs_sdmetrics" and n <= 50_000):
                    largest = float(np.abs(theirs.values - ours.values).max())
                    gap = f"{largest:.0e}"
                    if not largest <= SAME:
                        self.wrong.append(f"{titles[name]}, {n} rows: a value differs by {gap}")
                aim = AIMS.get(n) if name == "pairs_sdmetrics" else None
                met = self._reached(aim is not None, ratio >= (aim or 0), f"{aim} times faster")
                yield (
                    f"| {n:,} | {titles[name]} | {theirs.best:.2f} | {ratio:.3g} "
                    f"| {theirs.memory:.0f} | - | {gap} | {met} |"
                )
        yield ""

    def nearest(self, folder: Path) -> Iterator[str]:
        """Nearest rows."""
        n = self.sizes.nearest
        rng = np.random.default_rng(0)
        tables = simulate_table(n, 1), simulate_table(n, 2, DRIFT)
        (reference, query), levels = mixed_rows(*tables)
        save(
            {
                **_mixed(query, reference, levels),
                "x": rng.random((n, 20), np.float32),
                "y": rng.random((n, 20), np.float32),
                **frame(2 * 1000, 1, 0.0, "real"),
                **frame(2 * 1000, 2, DRIFT, "synthetic"),
            },
            folder,
        )
        rows = {
            "nearest_sdq": ("**sdq**, 12 numbers and 8 categories", n * n),
            "nearest_sdq_numbers": ("sdq, 20 numbers", n * n),
            "nearest_sklearn": ("scikit-learn brute force, 20 numbers", n * n),
            "surprisal_sdq": ("sdq, agreement surprisal, 20 mixed columns", n * n),
            "nearest_sdmetrics": ("SDMetrics DCR, 20 mixed columns, 1,000 rows", 2 * 1000**2),
        }
        runs = self.turns(list(rows), folder)
        yield f"### The two nearest of {n:,} rows for each of {n:,} rows, exact"
        yield ""
        yield (
            "| what runs | CPU s | million pairs a second | memory, MiB | largest relative "
            "difference | aim | reached |"
        )
        yield "| --- " * 7 + "|"
        theirs = runs.get("nearest_sklearn")
        for name, (title, pairs) in rows.items():
            if name not in runs:
                yield f"| {title} | {self._why_not(name)} |"
                continue
            found = runs[name]
            gap, met = "-", "- | -"
            if theirs and name == "nearest_sdq_numbers":
                largest = difference(found.values, theirs.values)
                gap = f"{largest:.0e}"
                if not largest <= SAME:
                    self.wrong.append(f"nearest rows: a distance differs by {gap}")
            if theirs and name == "nearest_sdq":
                met = self._reached(True, found.best <= theirs.best, "scikit-learn's rate")
            yield (
                f"| {title} | {found.best:.2f} | {pairs / found.best / 1e6:.3g} "
                f"| {found.memory:.0f} | {gap} | {met} |"
            )
        yield ""

    def resampling(self, folder: Path) -> Iterator[str]:
        """Intervals and small sets."""
        n = self.sizes.resampling
        tables = simulate_table(n, 1), simulate_table(n, 2, DRIFT)
        (reference, query), levels = mixed_rows(*tables)
        both = np.concatenate([reference.numbers, query.numbers])
        points = [cut_points(x) for x in reference.numbers.T]
        bins = np.stack([cut(x, p) for x, p in zip(both.T, points, strict=True)], 1)
        codes = np.concatenate([np.concatenate([reference.categories, query.categories]), bins], 1)
        every = [*levels, *(len(p) + 2 for p in points)]
        yield f"### Resampling and associations, {n:,} rows a side"
        yield ""
        yield "| what runs | CPU s | memory, MiB | aim | reached |"
        yield "| --- " * 5 + "|"
        arrays = {
            "referenceCodes": codes[:n].astype(np.int32),
            "queryCodes": codes[n:].astype(np.int32),
            "levels": np.array(every),
        }
        save(arrays, folder)
        for one in self.turns(["bootstrap_sdq"], folder).values():
            met = self._reached(True, one.best <= BOOTSTRAP_AIM_S, f"{BOOTSTRAP_AIM_S:.0f} s")
            title = "all 190 pairs, 200 bootstrap samples"
            yield f"| {title} | {one.best:.2f} | {one.memory:.0f} | {met} |"
        save(_mixed(query, reference, levels), folder)
        for one in self.turns(["association_sdq"], folder).values():
            title = "associations of 190 pairs, both sides"
            yield f"| {title} | {one.best:.2f} | {one.memory:.0f} | - | - |"
        few = np.arange(min(n, self.sizes.surprisal))
        save(_mixed(query.take(few), reference.take(few), levels), folder)
        for one in self.turns(["surprisal_sdq"], folder).values():
            title = f"agreement surprisal, {len(few):,} x {len(few):,}"
            yield f"| {title} | {one.best:.3f} | {one.memory:.0f} | - | - |"
        yield ""

    def codes(self, folder: Path) -> Iterator[str]:
        """Verdicts on codes."""
        n = self.sizes.codes
        yield f"### Verdicts on {n:,} codes of {DISTINCT:,} distinct ones, 2 % of them invalid"
        yield ""
        yield "| code system | CPU s | million codes a second | aim | reached |"
        yield "| --- " * 5 + "|"
        for system, good in made_codes().items():
            rng = np.random.default_rng(3)
            values = np.array(good)[rng.integers(0, len(good), n)].astype("U24")
            wrong = rng.random(n) < INVALID
            values[wrong] = np.char.add(values[wrong], "?")
            save({"codes": values, "system": np.array(system)}, folder)
            for one in self.turns(["codes_sdq"], folder).values():
                rate = n / max(one.best, 1e-9)
                if one.values.tolist() != [n, int(wrong.sum())]:
                    self.wrong.append(f"codes of {system}: other cells are refused than planted")
                met = self._reached(True, rate >= CODES_AIM, "1 million a second")
                yield f"| {system} | {one.best:.2f} | {rate / 1e6:.3g} | {met} |"
        numbers, wrong_ones = distinct_concepts(n)
        save({"codes": numbers, "system": np.array("snomed")}, folder)
        for one in self.turns(["distinct_codes_sdq"], folder).values():
            rate = n / max(one.best, 1e-9)
            if one.values.tolist() != [n, wrong_ones]:
                self.wrong.append("distinct codes of snomed: other values are refused than planted")
            met = self._reached(True, rate >= CODES_AIM, "1 million a second")
            title = "snomed, int64, all distinct"
            yield f"| {title} | {one.best:.2f} | {rate / 1e6:.3g} | {met} |"
        yield ""

    def _reached(self, asked: bool, met: bool, aim: str) -> str:
        """Two cells."""
        if self.sizes is QUICK or not asked:
            return "- | -"
        return f"{aim} | {'yes' if met else '**no**'}"

    def _why_not(self, function: str) -> str:
        if any(function in text for text in self.wrong):
            return "failed"
        return "not run: give an interpreter that has SDMetrics by `--sdmetrics PYTHON`"


def made_codes() -> dict[str, list[str]]:
    """Return good codes of three systems: a list's, and such with a right check digit."""
    import simple_icd_10_cm as cm

    from sdq_ehr.codes import code_system

    every = cm.get_all_codes(with_dots=True)
    leaves = [c for c in every if cm.is_leaf(c) and "-" not in c]  # no blocks
    numbers = [f"{k}-{d}" for k in range(10_000, 10_000 + DISTINCT) for d in range(10)]
    loinc = np.array(numbers)[~code_system("loinc").check(numbers).refused]
    concepts = [f"{k}00{d}" for k in range(100_000, 100_000 + DISTINCT) for d in range(10)]
    snomed = np.array(concepts)[~code_system("snomed").check(concepts).refused]
    return {
        "icd10cm": leaves[:: max(1, len(leaves) // DISTINCT)][:DISTINCT],
        "loinc": loinc[:DISTINCT].tolist(),
        "snomed": snomed[:DISTINCT].tolist(),
    }


def distinct_concepts(n: int) -> tuple[NDArray[np.int64], int]:
    """Return distinct numbers of the form of concepts, 2 % with a wrong digit, and how many."""
    from sdq_ehr.codes.check_digits import digit_matrix, verhoeff

    stems = np.arange(100_000, 100_000 + n, dtype=np.int64) * 1000
    numbers = np.empty(n, np.int64)
    for digit in range(10):
        tried = stems + digit
        right = verhoeff(*digit_matrix([str(v) for v in tried.tolist()], 18))
        numbers[right] = tried[right]
    wrong = np.random.default_rng(4).random(n) < INVALID
    numbers[wrong] += np.where(numbers[wrong] % 10 == 9, -1, 1)
    return numbers, int(wrong.sum())


def _mixed(query: MixedRows, reference: MixedRows, levels: Sequence[int]) -> dict[str, Any]:
    return {
        "queryNumbers": query.numbers,
        "queryCodes": query.categories,
        "referenceNumbers": reference.numbers,
        "referenceCodes": reference.categories,
        "levels": np.array(levels),
    }


def measured(benchmark: Benchmark, only: str | None) -> Iterator[str]:
    """Lines of the measured part."""
    for part in PARTS:
        if only in (None, part):
            with tempfile.TemporaryDirectory() as temporary:
                yield from getattr(benchmark, part)(Path(temporary))
    yield machine(benchmark.versions, PACKAGES) + "."


def main() -> None:
    """Run, print, and put the tables into a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rows, once: does it run?")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--sdmetrics", metavar="PYTHON", help="interpreter with SDMetrics")
    parser.add_argument("--markdown", type=Path, help="page whose part on tables is replaced")
    args = parser.parse_args()
    if args.markdown and (args.quick or args.only):
        parser.error("--markdown: needs the whole run; leave out --quick and --only")
    benchmark = Benchmark(QUICK if args.quick else FULL, args.sdmetrics)
    lines = printed(measured(benchmark, args.only))
    if benchmark.wrong:
        sys.exit("\n".join(dict.fromkeys(benchmark.wrong)))
    if args.markdown:
        replace_measured(args.markdown, lines, "ehr")


if __name__ == "__main__":
    main()
