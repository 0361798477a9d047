"""Growth curves: time and memory of listing, gathering, comparing and writing against items.

    python benchmarks/growth.py                             # 1,000 to 100,000 items; 20 minutes
    python benchmarks/growth.py --items 1000 4000           # does it run?
    python benchmarks/growth.py --markdown docs/performance.md --work FOLDER   # 1.5 GB of disk

Items are files of 64 bytes with descriptions as large as a radiograph's, of which the store is
filled beforehand: what is measured is all of ``sdq evaluate`` but describing, on one thread. Of the
items 40 % are train, 20 % holdout, 40 % synthetic.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
from growth_modality import Growth, contents
from markdown import printed, replace_measured

from sdq_core.cohort import Cohorts
from sdq_core.evaluate import Described, compare, describe_cohorts, document
from sdq_core.judging import judge_all
from sdq_core.profiles import Profile
from sdq_core.study import Study
from sdq_core.vocabulary import Role

ITEMS = (1_000, 4_000, 10_000, 40_000, 100_000)
SHARES = {Role.TRAIN: 0.4, Role.HOLDOUT: 0.2, Role.SYNTHETIC: 0.4}
SUBSAMPLED = ("fidelity", "balance", "explainability")
"""Characteristics of which the kernel, neighbour and classifier measures take a subsample."""
AIM_MIB = 3 * 1024
ON_PAPER = 10_000_000
DISK = 2e9  # bytes a second of one solid-state disk
GFLOPS = 50  # float64 products on one core, as measured further up


class Timed(Growth):
    """Says when listing is over; measures what it is told to."""

    without: tuple[str, ...] = ()

    def characteristics(self, study):
        found = super().characteristics(study)
        return tuple(c for c in found if str(c.characteristic) not in self.without)

    def describer(self, study):
        stage("gather")
        return super().describer(study)


def stage(name: str) -> None:
    print(f"stage {name} {time.process_time():.3f}", flush=True)


def make(folder: Path, n: int) -> None:
    """Write the files, and a store with their descriptions."""
    for k, (role, share) in enumerate(SHARES.items()):
        (folder / role).mkdir(parents=True)
        for i, content in enumerate(contents(round(n * share), k)):
            (folder / role / f"{i:06d}.g").write_bytes(content)
    study = study_of(folder)
    describe_cohorts(study, Growth(), list(SHARES), folder / "store", engine="serial")


def study_of(folder: Path) -> Study:
    return Study(
        modality="growth",
        cohorts={str(role): {"path": folder / role} for role in SHARES},
        classes=("a", "b"),
    )


def run(folder: Path, without: tuple[str, ...]) -> None:
    """Do what is measured; the process that watches reads the stages."""
    study, modality = study_of(folder), Timed()
    modality.without = without
    stage("list")
    found = describe_cohorts(study, modality, list(SHARES), folder / "store", engine="serial")
    cohorts = found.cohorts
    described = Described(
        study,
        modality,
        Cohorts(study, cohorts[Role.TRAIN], cohorts[Role.SYNTHETIC], cohorts[Role.HOLDOUT]),
        found.findings,
        found.report,
        found.hashes,
    )
    measurements, findings = compare(described, lambda name, *_: stage(name))
    profile = Profile(
        schema="sdq.profile/1", name="growth", version="1", modality="growth", criteria=()
    )
    modality.describer = lambda study: Growth().describer(study)
    stage("write")
    document(described, profile, judge_all(measurements, profile), findings, folder / "out", {})
    stage("end")
    values = {m.key: [m.value, m.reason] for m in measurements}
    (folder / "values.json").write_text(json.dumps(values, indent=1), encoding="utf-8")


def watched(folder: Path, without: tuple[str, ...]) -> list[dict]:
    """Run in a process of its own; processor time and peaks of each stage."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, __file__, "--run", str(folder), "--without", *without],
        stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    stages: list[dict] = []

    def read() -> None:
        for line in process.stdout:
            if line.startswith("stage "):
                _, *name, cpu = line.split()
                stages.append({"name": " ".join(name), "cpu": float(cpu), "rss": 0, "own": 0})

    reader = threading.Thread(target=read)
    reader.start()
    while process.poll() is None:
        with suppress(OSError, IndexError, KeyError):
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            told = {k: v.split()[0] for k, _, v in (x.partition(":") for x in lines) if "kB" in v}
            for key, name in (("rss", "VmRSS"), ("own", "RssAnon")):
                stages[-1][key] = max(stages[-1][key], int(told[name]) / 1024)
        time.sleep(0.01)
    reader.join()
    if process.returncode:
        raise SystemExit(f"growth: the run of {folder} ended with {process.returncode}")
    for one, after in pairwise(stages):
        one["cpu"] = after["cpu"] - one["cpu"]
    return stages[:-1]


def measured(folder: Path, n: int, without: tuple[str, ...]) -> dict:
    """Time and memory of one size; the store is filled first where it is not there."""
    if not (folder / "store").exists():
        make(folder, n)
    stages = watched(folder, without)

    def cpu(*names: str) -> float:
        return sum(one["cpu"] for one in stages if one["name"].removeprefix("compare: ") in names)

    own = {one["name"]: one["own"] for one in stages}
    return {
        "n": n,
        "list": cpu("list"),
        "gather": cpu("gather"),
        "subsampled": cpu(*SUBSAMPLED),
        "privacy": cpu("privacy"),
        "rules": cpu("completeness", "metadata", "compare"),
        "write": cpu("write"),
        "listed": own["list"],
        "gathered": own["gather"],
        "own": max(own.values()),
        "where": max(own, key=own.get).removeprefix("compare: "),
        "rss": max(one["rss"] for one in stages),
        "stored": sum(f.stat().st_size for f in (folder / "store").rglob("*.arrow")),
    }


def table(rows: list[dict]) -> list[str]:
    """The page's tables."""
    lines = [
        "| items | list and hash | gather from the store | measures of a subsample | rules | "
        "privacy, exact | write | own memory at its peak (where) | with mapped pages |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for r in rows:
        times = (r[k] for k in ("list", "gather", "subsampled", "rules", "privacy", "write"))
        lines.append(
            f"| {r['n']:,} | {' | '.join(f'{t:.1f} s' for t in times)} | "
            f"{r['own']:,.0f} MiB ({r['where']}) | {r['rss']:,.0f} MiB |"
        )
    if len(rows) < 2:
        return lines
    a, b = rows[-2:]
    items = b["n"] - a["n"]

    def slope(key: str) -> float:
        return (b[key] - a[key]) / items

    bytes_ = {k: slope(k) * 2**20 for k in ("listed", "gathered", "own", "rss")}
    scale = ON_PAPER / b["n"]
    stored = b["stored"] / b["n"] * ON_PAPER
    pairs = privacy_pairs(ON_PAPER)
    subsampled = b["subsampled"] + max(slope("subsampled"), 0) * (ON_PAPER - b["n"])
    reached = "yes" if max(b["own"], b["rss"]) < AIM_MIB else "**no**"
    lines += [
        "",
        f"From {a['n']:,} to {b['n']:,} items an item more costs {bytes_['listed']:,.0f} bytes of "
        f"own memory while listing, {bytes_['gathered']:,.0f} when it is gathered, "
        f"{bytes_['own']:,.0f} at the peak, and {bytes_['rss']:,.0f} with the mapped pages that "
        f"the system may drop. Peak below {AIM_MIB / 1024:g} GiB at {b['n']:,} items: {reached}.",
        "",
        f"On paper, {ON_PAPER:,} items on one core, from the last two sizes:",
        "",
        "| stage | extrapolated | bytes moved or work | bound |",
        "| --- | --- | --- | --- |",
        f"| list and hash | {b['list'] + slope('list') * (ON_PAPER - b['n']):,.0f} s | "
        "every file once | the disk, and one system call or more a file |",
        f"| gather | {b['gather'] + slope('gather') * (ON_PAPER - b['n']):,.0f} s | "
        f"{stored / 1e9:,.0f} GB of shards twice, {2 * stored / 1e9:,.0f} GB of columns written | "
        f"{4 * stored / DISK:,.0f} s at {DISK / 1e9:g} GB/s |",
        f"| measures of a subsample | {subsampled:,.0f} s | 2,000 items a side | constant, but for "
        "reading digests and named columns |",
        f"| privacy, exact | {b['privacy'] * scale**2 / 86400:,.0f} days | {pairs:.1e} pairs of 64 "
        f"numbers | {pairs * 128 / GFLOPS / 1e9 / 86400:,.0f} core-days of products at {GFLOPS} "
        "GFLOP/s |",
        f"| memory | {b['own'] / 1024 + bytes_['own'] * (ON_PAPER - b['n']) / 2**30:,.0f} GiB | | "
        "|",
    ]
    return lines


def privacy_pairs(n: int) -> float:
    """Pairs that the searches of the privacy attacks look at."""
    train, holdout, synthetic = (share * n for share in SHARES.values())
    return (
        2 * synthetic * train + holdout * train + 2 * synthetic * holdout
        + synthetic * (train + holdout)
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--items", type=int, nargs="+", default=ITEMS)
    parser.add_argument("--work", type=Path, help="folder that is kept; a temporary one by default")
    parser.add_argument("--markdown", type=Path, help="page to put the tables into")
    parser.add_argument(
        "--without", nargs="*", default=(), help="characteristics that are left out: privacy"
    )
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run is not None:
        run(options.run, tuple(options.without))
        return
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        rows = []
        for n in options.items:
            rows.append(measured(work / str(n), n, tuple(options.without)))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
        lines = printed(table(rows))
    versions = f"{os.uname().machine}; Python {sys.version.split()[0]}, numpy {np.__version__}."
    if options.markdown is not None:
        replace_measured(options.markdown, [*lines, "", versions], "growth")


if __name__ == "__main__":
    main()
