"""How much faster are two worker processes than one in the describe step of each modality?

    python benchmarks/workers.py [--quick] [--rounds 3] [--markdown docs/performance.md]

Radiographs of `fixtures/cxr`, simulated 12-lead electrocardiograms as WFDB files, and simulated
patients in tables. Wall times: of the whole step with starting the processes, and of what comes
after the first shards, when all of them work. One and two take turns. Other work on the machine
makes the ratio smaller, so that free cores are needed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.csv as pq_csv
from markdown import printed, replace_measured
from signals_files import write_study

from sdq_core.describe import describe
from sdq_core.description import Item
from sdq_core.evaluate import list_cohort
from sdq_core.modality import Describer, load_modality
from sdq_core.study import Study, load_study
from sdq_ehr.simulated_cohort import simulate_cohort

AIM = 1.8
FIXTURES = Path(__file__).parents[1] / "fixtures"
MAY_LIE_BEHIND = 0.2
"""Share of the items that are described before the second clock starts."""

Marks = list[tuple[float, int]]


def radiographs(folder: Path, quick: bool) -> Study:
    return load_study(FIXTURES / "cxr/study.yaml")


def recordings(folder: Path, quick: bool) -> Study:
    return load_study(write_study(folder / "records", 0.05 if quick else 1.0)[0])


def patients(folder: Path, quick: bool) -> Study:
    """Ten thousand patients a cohort beside the schema of `fixtures/ehr`."""
    study = load_study(FIXTURES / "ehr/study.yaml")
    cohorts = dict(study.cohorts)
    for seed, role in enumerate(cohorts):
        path = folder / str(role)
        path.mkdir()
        for name, table in simulate_cohort(200 if quick else 10_000, seed).items():
            pq_csv.write_csv(table, path / f"{name}.csv")
        cohorts[role] = cohorts[role].model_copy(update={"path": path})
    return study.model_copy(update={"cohorts": cohorts})


STUDIES = {"radiographs": radiographs, "electrocardiograms": recordings, "patients": patients}


def work(study: Study, quick: bool) -> tuple[list[Item], Describer]:
    """Return the items of all cohorts, once each, and their describer."""
    modality = load_modality(study.modality)
    study = modality.prepared(study)
    items = [item for role in study.cohorts for item in list_cohort(modality, study, role).items]
    return (items[:60] if quick else items), modality.describer(study)


def marks(items: list[Item], describer: Describer, workers: int) -> Marks:
    """Describe, and note when how many were done."""
    found: Marks = [(time.perf_counter(), 0)]

    def progress(done: int, _: int) -> None:
        found.append((time.perf_counter(), done))

    with tempfile.TemporaryDirectory() as store:
        describe(items, describer, Path(store), workers=workers, progress=progress)
    found.append((time.perf_counter(), found[-1][1]))
    return found


def after_start(found: Marks) -> float:
    """Seconds an item once the processes have started."""
    done = found[-1][1]
    begun, behind = next(m for m in found if m[1] >= MAY_LIE_BEHIND * done)
    end, _ = next(m for m in found if m[1] == done)
    return (end - begun) / max(done - behind, 1)


def lines(quick: bool, rounds: int) -> Iterator[str]:
    """Yield the page's lines."""
    yield (
        "| items | one worker, s | two workers, s | whole step, times faster | "
        f"after starting, times faster | at least {AIM} |"
    )
    yield "| --- | --- | --- | --- | --- | --- |"
    for name, make in STUDIES.items():
        with tempfile.TemporaryDirectory() as folder:
            items, describer = work(make(Path(folder), quick), quick)
            taken: dict[int, list[Marks]] = {1: [], 2: []}
            for _ in range(rounds):
                for workers, kept in taken.items():
                    kept.append(marks(items, describer, workers))
            whole = {k: min(m[-1][0] - m[0][0] for m in v) for k, v in taken.items()}
            later = {k: min(map(after_start, v)) for k, v in taken.items()}
        ratio = later[1] / later[2]
        yield (
            f"| {len(items):,} {name} | {whole[1]:.1f} | {whole[2]:.1f} "
            f"| {whole[1] / whole[2]:.2f} | {ratio:.2f} | {'yes' if ratio >= AIM else '**no**'} |"
        )
    yield ""
    yield (
        f"Best of {rounds} rounds, {os.cpu_count()} {os.uname().machine} cores; Python "
        f"{sys.version.split()[0]}, numpy {np.__version__}."
    )


def main() -> None:
    """Measure, print, and put the table into a page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few items, once: does it run?")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--markdown", type=Path, help="page whose measured part is replaced")
    args = parser.parse_args()
    if args.markdown and args.quick:
        parser.error("--markdown: needs the whole run; leave out --quick")
    found = printed(lines(args.quick, 1 if args.quick else args.rounds))
    if args.markdown:
        replace_measured(args.markdown, found, "workers")


if __name__ == "__main__":
    main()
