"""How fast, how lean and how right are the measures of signals, beside the peers?

    python benchmarks/signals.py [--quick] [--only PART] [--neurokit PYTHON] [--data DIR]
                                 [--markdown PAGE]

On simulated 12-lead electrocardiograms of 10 s at 500 Hz, whose intervals are known: processor
time and errors of features, time of reading files, and time and memory of the report on 2,000
records. On annotated WFDB records (``--data``): R peaks in windows of 10 s. The exit code is 1
where values disagree or a contestant fails, never because of a time or a missed aim.
`docs/performance.md` says how it is measured.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from contest import ContestError, Run, machine, run, save, versions
from markdown import printed, replace_measured
from numpy.typing import NDArray
from processes import Taken, watched
from signals_contestants import DELINEATORS, DETECTORS, FEW, MARKS
from signals_files import RATE, windows, write_edf, write_study, write_wfdb

from sdq_signals.simulated_ecg import SimulatedEcg, simulate

MODULE = "signals_contestants"
PACKAGES = ("numpy", "scipy", "neurokit2", "wfdb", "edfio", "pyedflib")
PARTS = ("features", "reading", "peaks", "describe", "report")
PROCESS_AIM, BLOCKS_AIM = 100, 15
REPORT_AIM_S = 60.0
SAME_RATE = 0.01
"""Largest relative difference of the median heart rate of two ways to it."""
SAME_SAMPLES = 1e-6
"""Largest difference of samples of two readers, of the largest sample: float32."""
TOLERANCE_S = 0.15
"""Of an R peak: ANSI/AAMI EC57."""
WITHOUT_P = 0.25
STAGES = {
    "list": "list the folder and hash the files",
    "read": "read the WFDB record, compare checksums",
    "structure": "structure: gaps, clipping, flat lines",
    "lint": "conformity of the header, identifiers",
    "spectrum": "spectra, coherence, amplitudes",
    "ecg": "rhythm, intervals, waves, leads, quality",
    "embedding": "embedding",
    "whole": "**whole describer** (without listing)",
}
HELP = "give an interpreter that has it by `--neurokit PYTHON`"


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    records: int
    files: int
    rounds: int
    budget: float
    study: float
    """Share of 2,000 records."""


FULL, QUICK = Sizes(96, 60, 3, 1.5, 1.0), Sizes(8, 4, 1, 0.0, 0.05)


class Benchmark:
    """One run; remembers what went wrong."""

    def __init__(self, sizes: Sizes, neurokit: str | None, data: Path | None) -> None:
        self.sizes, self.data = sizes, data
        self.neurokit = neurokit or (sys.executable if find_spec("neurokit2") else None)
        self.wrong: list[str] = []
        self.versions = versions()

    def turns(self, functions: Sequence[str], folder: Path) -> dict[str, Run]:
        """Run contestants in turns, so that a busy hour meets all of them; without the failed."""
        runs: dict[str, list[Run]] = {}
        failed: set[str] = set()
        for _ in range(self.sizes.rounds):
            for function in functions:
                peer = "neurokit" in function
                if function in failed or (peer and not self.neurokit):
                    continue
                # What takes seconds is not repeated within a round.
                budget = 0.0 if peer else self.sizes.budget
                python = self.neurokit if peer and self.neurokit else sys.executable
                try:
                    found = run(f"{MODULE}:{function}", folder, budget, python)
                except ContestError as error:
                    self.wrong.append(str(error))
                    failed.add(function)
                    continue
                runs.setdefault(function, []).append(found)
                self.versions = {**found.versions, **self.versions}
        return {name: Run.joined(found) for name, found in runs.items()}

    # --- features and intervals -------------------------------------------------------------------

    def features(self, folder: Path) -> Iterator[str]:
        """Rates of the features, and errors of the intervals."""
        n = self.sizes.records
        ecg = simulate(n, RATE, seed=11, without_p=WITHOUT_P)
        save({"x": ecg.samples}, folder)
        blocks = [f"blocks_neurokit_{method}" for method in DELINEATORS]
        runs = self.turns(
            [
                "features_sdq",
                "features_sdq_single",
                "blocks_sdq",
                "ecg_sdq",
                "ecg_sdq_one_lead",
                "process_neurokit",
                *blocks,
            ],
            folder,
        )
        ours, alike, alone = (runs[f"{name}_sdq"] for name in ("features", "blocks", "ecg"))
        marks = {
            name: found.values.reshape(n, len(MARKS))
            for name, found in runs.items()
            if name != "process_neurokit"
        }
        if not np.array_equal(marks["features_sdq"], marks["features_sdq_single"], equal_nan=True):
            self.wrong.append("features: a record's values depend on the others in its batch")
        yield "### Features of a record of 12 leads"
        yield ""
        yield (
            "| what is computed | CPU ms a record | our whole set is times faster: best (median) "
            "| our PSD and ECG features | our ECG features | heart rate differs by | aim "
            "| reached |"
        )
        yield "| --- " * 8 + "|"
        for name, title in (
            ("features_sdq", f"**sdq**, whole set with embedding, {n} records together"),
            ("features_sdq_single", "sdq, whole set, one record at a time"),
            ("blocks_sdq", "sdq, PSD of 12 leads and ECG features"),
            ("ecg_sdq", "sdq, ECG features"),
        ):
            yield f"| {title} | {runs[name].best / n * 1000:.2f} | - | - | - | - | - | - |"
        # Each peer is met by what computes the same: blocks by blocks, the whole by the whole.
        aims = {
            "process_neurokit": (FEW, PROCESS_AIM, "whole set", ours),
            **dict.fromkeys(blocks, (n, BLOCKS_AIM, "PSD and ECG features", alike)),
        }
        for name, (count, aim, what, judged) in aims.items():
            title = _peer_title(name)
            if name not in runs:
                yield f"| {title} | {self._why_not(name)} |"
                continue
            theirs = runs[name]
            best = theirs.best / count / (ours.best / n)
            middle = theirs.middle / count / (ours.middle / n)
            rates = theirs.values if name not in marks else marks[name][:, 0]
            gap = _rate_gap(marks["features_sdq"][: len(rates), 0], rates)
            if not gap <= SAME_RATE:
                self.wrong.append(f"{title}: median heart rate differs by {gap:.1%}")
            yield (
                f"| {title} | {theirs.best / count * 1000:.0f} | {best:.3g} ({middle:.3g}) "
                f"| {theirs.best / count / (alike.best / n):.3g} "
                f"| {theirs.best / count / (alone.best / n):.3g} | {gap:.0e} "
                f"| {self._aim(what, aim, theirs.best / count / (judged.best / n))} |"
            )
        yield ""
        yield from self._intervals(ecg, marks)

    def _intervals(self, ecg: SimulatedEcg, marks: dict[str, NDArray[np.float64]]) -> Iterator[str]:
        truth = np.column_stack([ecg.truth[name] for name in MARKS[1:4]])
        with_p = ecg.truth["p_present"] > 0
        yield (
            f"### Intervals of these {len(truth)} records against the simulator's "
            f"({(~with_p).sum()} of them without P)"
        )
        yield ""
        yield (
            "| method | QRS: mean absolute error ms (records) | PR | QT | beats with a P, of those "
            "with one | beats with an invented P | our QRS and PR errors are lower |"
        )
        yield "| --- " * 7 + "|"
        rows = {
            "features_sdq": "**sdq**, 12 leads",
            "ecg_sdq_one_lead": "sdq, lead II alone",
            **{f"blocks_neurokit_{m}": f"NeuroKit2 {m}, lead II" for m in DELINEATORS},
        }
        errors = {k: np.abs(v[:, 1:4] - truth) for k, v in marks.items()}
        ours = np.nanmean(errors["features_sdq"], axis=0)
        for name, title in rows.items():
            if name not in marks:
                yield f"| {title} | {self._why_not(name)} |"
                continue
            cells, means = [], []
            for error in errors[name].T:
                held = error[np.isfinite(error)]
                means.append(held.mean() if held.size else np.inf)
                cells.append(f"{means[-1]:.1f} ({held.size})" if held.size else "gives none")
            beats, p = marks[name][:, 4], marks[name][:, 5]
            shares = [
                f"{100 * p[of].sum() / beats[of].sum():.0f} %" if beats[of].sum() else "-"
                for of in (with_p, ~with_p)
            ]
            reached = "yes" if ours[0] < means[0] and ours[1] < means[1] else "**no**"
            if "sdq" in name or not np.isfinite(means[:2]).any():
                reached = "-"
            yield f"| {title} | {' | '.join([*cells, *shares])} | {reached} |"
        yield ""

    # --- reading ----------------------------------------------------------------------------------

    def reading(self, folder: Path) -> Iterator[str]:
        """Readers of files."""
        n = self.sizes.files
        ecg = simulate(n, RATE, seed=12)
        yield f"### Reading {n} records of 12 leads"
        yield ""
        yield (
            "| format | reader | CPU ms a record | ours is times faster: best (median) "
            "| largest difference, of the largest sample |"
        )
        yield "| --- " * 5 + "|"
        for title, write, ours, peers in (
            ("WFDB, format 16", write_wfdb, "read_wfdb_sdq", {"read_wfdb_wfdb": "wfdb.rdrecord"}),
            (
                "EDF",
                write_edf,
                "read_edf_sdq",
                {"read_edf_edfio": "edfio", "read_edf_pyedflib": "pyedflib"},
            ),
        ):
            missing = {f: p for f, p in peers.items() if not find_spec(f.rpartition("_")[2])}
            if title == "EDF" and not find_spec("edfio"):
                yield f"| {title} | not run: edfio is not installed |"
                continue
            paths = write(folder / title.partition(",")[0].lower(), ecg.samples)
            save({"files": np.array([str(path) for path in paths])}, folder)
            runs = self.turns([ours, *(p for p in peers if p not in missing)], folder)
            mine = runs[ours]
            checked = ", checksums compared" if "wfdb" in ours else ""
            yield f"| {title} | **sdq**{checked} | {mine.best / n * 1000:.2f} | - | - |"
            for peer, name in peers.items():
                if peer not in runs:
                    yield f"| {title} | {name} | {self._why_not(peer)} |"
                    continue
                theirs = runs[peer]
                gap = _samples_gap(mine.values, theirs.values)
                if not gap <= SAME_SAMPLES:
                    self.wrong.append(f"{title}, {name}: samples differ by {gap:.1e}")
                yield (
                    f"| {title} | {name} | {theirs.best / n * 1000:.2f} "
                    f"| {theirs.best / mine.best:.3g} ({theirs.middle / mine.middle:.3g}) "
                    f"| {gap:.0e} |"
                )
        yield ""

    # --- R peaks ----------------------------------------------------------------------------------

    def peaks(self, folder: Path) -> Iterator[str]:
        """Detectors of R peaks on annotated records."""
        if self.data is None:
            yield "### R peaks: not run; give annotated WFDB records by `--data DIR`"
            yield ""
            return
        arrays, true = windows(self.data)
        save(arrays, folder)
        rows = {
            "peaks_sdq_two_leads": "**sdq**, both leads",
            "peaks_sdq": "**sdq**, first lead",
            **{f"peaks_neurokit_{m}": f"NeuroKit2 {m}" for m in DETECTORS},
            "peaks_xqrs": "wfdb XQRS",
        }
        missing = [] if find_spec("wfdb") else ["peaks_xqrs"]
        runs = self.turns([name for name in rows if name not in missing], folder)
        beats = sum(map(len, true))
        yield f"### R peaks within 150 ms, {len(true)} windows of 10 s, {beats} annotated beats"
        yield ""
        yield (
            "| detector | sensitivity % | precision % | F1 % | median offset ms "
            "| windows without a beat found | CPU ms a window |"
        )
        yield "| --- " * 7 + "|"
        for name, title in rows.items():
            if name not in runs:
                yield f"| {title} | {self._why_not(name)} |"
                continue
            pairs = runs[name].values.reshape(-1, 2)
            found = [pairs[pairs[:, 0] == k, 1] for k in range(len(true))]
            reach = TOLERANCE_S * float(arrays["rate"])
            offsets = np.concatenate(
                [_matched(*pair, reach) for pair in zip(true, found, strict=True)]
            )
            hits = len(offsets)
            yield (
                f"| {title} | {100 * hits / beats:.2f} | {100 * hits / max(len(pairs), 1):.2f} "
                f"| {200 * hits / (beats + len(pairs)):.2f} "
                f"| {round(1000 * np.median(offsets) / float(arrays['rate']))} "
                f"| {sum(not len(f) for f in found)} "
                f"| {runs[name].best / len(true) * 1000:.2f} |"
            )
        yield ""

    # --- describing and the report ----------------------------------------------------------------

    def describe(self, folder: Path) -> Iterator[str]:
        """Processor time of describing, by stage."""
        n = self.sizes.files
        write_wfdb(folder / "stages", simulate(n, RATE, seed=13).samples)
        save({"folder": np.array(str(folder / "stages"))}, folder)
        runs = self.turns([f"stage_{name}" for name in STAGES], folder)
        yield f"### Describing, {n} WFDB records of 12 leads"
        yield ""
        yield "| stage | CPU ms a record |"
        yield "| --- | --- |"
        for stage, says in STAGES.items():
            if f"stage_{stage}" in runs:
                yield f"| {says} | {runs[f'stage_{stage}'].best / n * 1000:.2f} |"
        yield ""

    def report(self, folder: Path) -> Iterator[str]:
        """The whole of `sdq evaluate` as a process."""
        study, total = write_study(folder / "study", self.sizes.study)
        yield f"### The whole report on {total:,} records, 2 workers"
        yield ""
        yield (
            "| records: train, holdout, synthetic | what runs | wall s | CPU s, all processes "
            "| peak MiB: all processes together, the largest | aim | reached |"
        )
        yield "| --- " * 7 + "|"
        sizes = ", ".join(
            f"{sum(1 for _ in (study.parent / role).glob('*.hea')):,}"
            for role in ("train", "holdout", "synthetic")
        )
        taken: list[Taken] = []
        for again in (False, True):
            command = [sys.executable, "-m", "sdq_core.cli", "evaluate", str(study)]
            command += ["--output", str(study.parent / "out"), "--workers", "2", "--quiet"]
            try:
                taken.append(watched(command, expected=(0, 1, 3)))  # verdicts, not errors
            except ContestError as error:
                self.wrong.append(str(error))
                return
            one = taken[-1]
            title = "again: descriptions are kept" if again else "**from the files to the report**"
            aim = self._reached(f"at most {REPORT_AIM_S:.0f} s", one.wall <= REPORT_AIM_S)
            yield (
                f"| {sizes} | {title} | {one.wall:.1f} | {one.cpu:.1f} "
                f"| {', '.join(f'{m:.0f}' for m in one.peaks) or 'not known here'} "
                f"| {'- | -' if again else aim} |"
            )
        yield ""
        if all(one.others is not None for one in taken):
            others = " and ".join(f"{one.others:.1f}" for one in taken)
            yield (
                f"Meanwhile other processes kept {others} of the {os.cpu_count()} cores busy; on a "
                f"free machine the wall time is shorter."
            )
            yield ""

    def _aim(self, what: str, aim: int, ratio: float) -> str:
        return self._reached(f"{what} {aim} times faster", ratio >= aim)

    def _reached(self, aim: str, met: bool) -> str:
        """Two cells."""
        if self.sizes is QUICK:
            return "- | -"
        return f"{aim} | {'yes' if met else '**no**'}"

    def _why_not(self, function: str) -> str:
        if any(function in text for text in self.wrong):
            return "failed"
        if "neurokit" in function:
            return f"not run: NeuroKit2 is not installed; {HELP}"
        return "not run: its package is not installed; install the extras `test` and `wfdb`"


def _peer_title(function: str) -> str:
    if function == "process_neurokit":
        return "NeuroKit2 `ecg_process`, 12 leads"
    method = function.rpartition("_")[2]
    return f"NeuroKit2: PSD of 12 leads; clean, peaks, quality, delineate ({method}) of lead II"


def _rate_gap(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """Median relative difference of heart rates; infinite where there are none to compare."""
    ours = ours[: len(theirs)]
    both = np.isfinite(ours) & np.isfinite(theirs)
    if not both.any():
        return float("inf")
    return float(np.median(np.abs(ours[both] / theirs[both] - 1)))


def _samples_gap(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    if ours.shape != theirs.shape:
        return float("inf")
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def _matched(
    true: NDArray[np.float64], found: NDArray[np.float64], tolerance: float
) -> NDArray[np.float64]:
    """Offsets of found beats from true ones, nearest pairs first, each beat once."""
    gaps = found[None] - true[:, None]
    offsets = []
    free_true, free_found = np.ones(len(true), bool), np.ones(len(found), bool)
    rows, columns = np.nonzero(np.abs(gaps) <= tolerance)
    for k in np.argsort(np.abs(gaps[rows, columns]), kind="stable"):
        i, j = rows[k], columns[k]
        if free_true[i] and free_found[j]:
            free_true[i] = free_found[j] = False
            offsets.append(gaps[i, j])
    return np.array(offsets)


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
    parser.add_argument("--quick", action="store_true", help="few records, once: does it run?")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--neurokit", metavar="PYTHON", help="interpreter with NeuroKit2")
    parser.add_argument("--data", type=Path, help="folder of annotated WFDB records of one rate")
    parser.add_argument("--markdown", type=Path, help="page whose part on signals is replaced")
    args = parser.parse_args()
    if args.markdown and (args.quick or args.only):
        parser.error("--markdown: needs the whole run; leave out --quick and --only")
    benchmark = Benchmark(QUICK if args.quick else FULL, args.neurokit, args.data)
    lines = printed(measured(benchmark, args.only))
    if benchmark.wrong:
        sys.exit("\n".join(dict.fromkeys(benchmark.wrong)))
    if args.markdown:
        replace_measured(args.markdown, lines, "signals")


if __name__ == "__main__":
    main()
