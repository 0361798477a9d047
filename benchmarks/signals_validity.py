"""Do fresh electrocardiograms pass, and does each planted defect fail what should see it?

    python benchmarks/signals_validity.py [--data DIR] [--seeds 5] [--splits 20] [--only PART ...]
        [--workers 1] [--markdown PAGE]

``simulated`` needs no data: 200 simulated recordings each for train, holdout and a fresh sample
that stands in for a synthetic cohort, as it is or with a defect. DIR holds `ptbxl_afib` and
`mitdb_1xx`: ``ptbxl`` plants the same defects in real recordings, ``fresh`` deals 660 records out
anew and counts what is not `pass`, ``segments`` takes 20 segments of each of 22 persons and counts
how often tests reject, with the persons told and without. Utility and explainability are left
out. Every figure is a function of the data and the seeds.
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from markdown import printed, replace_measured
from numpy.typing import NDArray
from signals_tables import (
    BALANCE,
    COMPLETENESS,
    FIDELITY,
    JUDGED,
    METADATA,
    PRIVACY,
    Case,
    Change,
    Outcome,
    case_tables,
    deciding,
    fresh_table,
    segment_table,
    short,
)  # fmt: skip

from sdq_core.cohort import Cohort, Cohorts
from sdq_core.describe import describe
from sdq_core.description import DescriptionTable
from sdq_core.judging import characteristic_verdicts, judge_all
from sdq_core.measurement import Measurement
from sdq_core.modality import load_modality
from sdq_core.profiles import load_profile
from sdq_core.statistics import single_thread_blas
from sdq_core.study import Study
from sdq_core.vocabulary import Characteristic, Role
from sdq_signals.channels import LEADS
from sdq_signals.defects import (
    SIMULATED,
    Sample,
    defect,
    memorised_copies,
    mode_collapse,
)
from sdq_signals.degradations import quantised
from sdq_signals.simulated_ecg import simulate

WITHOUT_CRITERION = {"frechet_distance", "volume_adequacy"}
N = 200
RATE = 500.0
SAME_PERSON = {"202": "201"}


def plant(name: str, severity: float, share: float = 1.0) -> Change:
    """Return the planting of a defect of the catalogue."""
    return lambda s, train, rng: defect(name).plant(s, severity, rng, share=share)


def both(name: str, of: str, must: Sequence[Characteristic], severity: float) -> Iterator[Case]:
    """Yield a defect in all of the recordings and in a fifth of them."""
    seconds = 10.0 / severity if of == "wrong rate" else 10.0
    for words, share in (("", 1.0), (" in 20 %", 0.2)):
        yield Case(name + words, tuple(must), plant(of, severity, share), seconds=seconds)


ARRAY_CASES = (
    *both("mains hum 20 uV", "mains hum", (COMPLETENESS,), 0.02),
    *both("400 Hz labelled 500", "wrong rate", (FIDELITY,), 0.8),
    *both("arm leads swapped", "arm leads swapped", (COMPLETENESS,), 1.0),
    Case("V1 and V3 swapped in 20 %", (FIDELITY,), plant("V1 and V3 swapped", 1.0, 0.2)),
    Case("10 uV noise in each lead", (COMPLETENESS,), plant("lead noise", 0.01)),
    *both("clipped at 0.6 mV", "clipping", (COMPLETENESS,), 0.6),
    Case("uV called mV in 5 %", (METADATA,), plant("wrong unit", 1000.0, 0.05)),
    Case("gain + 10 %", (FIDELITY,), plant("gain", 1.1)),
    Case("low-pass 25 Hz", (FIDELITY,), plant("low-pass", 25.0)),
    Case("flat V2 in 20 %", (COMPLETENESS,), plant("flat lead", 1.0, 0.2)),
    Case("gap of 2 s in 20 %", (COMPLETENESS,), plant("gap", 2.0, 0.2)),
    Case("baseline wander 1 mV", (FIDELITY,), plant("baseline wander", 1.0)),
    Case("upside down", (FIDELITY, COMPLETENESS), plant("inverted", 1.0)),
    Case("collapse to 20", (FIDELITY,), lambda s, t, r: mode_collapse(s, 20, r)),
    Case("10 % noisy copies", (PRIVACY,),
         lambda s, t, r: memorised_copies(s, t, 0.1, "noised", r)),
    Case("50 % noisy copies", (PRIVACY,),
         lambda s, t, r: memorised_copies(s, t, 0.5, "noised", r)),
    Case("10 % disguised copies", (PRIVACY,),
         lambda s, t, r: memorised_copies(s, t, 0.1, "mixed", r)),
)  # fmt: skip
FRESH = Case("fresh sample", ())
SIMULATED_CASES = (
    FRESH,
    *(Case(d.name, d.targets, options=dict(d.options)) for d in SIMULATED),
    *ARRAY_CASES,
)


def described(sample: Sample, role: str, work: Path, leads: Sequence[str] = LEADS) -> Cohort:
    """Describe recordings by way of an array file, as the command line does."""
    folder = Path(tempfile.mkdtemp(dir=work))
    path = folder / f"{role}.npz"
    declared: Any = {"synthetic": np.full(len(sample), "yes")} if role == "synthetic" else {}
    np.savez(path, signals=sample.samples, rate=np.array(sample.rate), units=np.array("mV"),
             channels=np.array(leads), **declared)  # fmt: skip
    modality = load_modality("signals")
    items = modality.items(path, {}).items
    found = describe(items, modality.describer(study(0)), None, engine="serial").descriptions
    path.unlink()
    return Cohort(Role(role), DescriptionTable(items, found, role=role))


def study(seed: int) -> Study:
    """Return the study of one seed; its paths are not read."""
    return Study.model_validate(
        {
            "modality": "signals", "seed": seed,
            "cohorts": {r: {"path": r} for r in ("train", "holdout", "synthetic")},
        }
    )  # fmt: skip


def measured(cohorts: Cohorts, only: Iterable[Characteristic] = JUDGED) -> list[Measurement]:
    """Take the measures of some characteristics."""
    found: list[Measurement] = []
    with single_thread_blas():
        for evaluation in load_modality("signals").characteristics(cohorts.study):
            if evaluation.characteristic in only:
                for part in evaluation.parts():
                    if not WITHOUT_CRITERION & {*part.measures}:
                        outputs = part.function(cohorts)
                        found += [m for m in outputs if isinstance(m, Measurement)]
    return found


def outcome(cohorts: Cohorts, only: Iterable[Characteristic] = JUDGED) -> Outcome:
    """Measure and judge by the default profile."""
    modality = load_modality("signals")
    profile = load_profile("default", modality.profile_folder(), "signals", "signals-default")
    found = measured(cohorts, only)
    judgements = judge_all(found, profile)
    return Outcome(
        characteristic_verdicts(
            # No classes are declared here: their measures have nothing to say.
            [j for j in judgements if not (j.measurement and "class_" in j.measurement.id)]
        ),
        [line for j in judgements if (line := deciding(j)) is not None],
        {short(m): float(m.details["p"]) for m in found if "p" in m.details},
    )


def chosen(words: Sequence[str] | None, cases: Sequence[Case]) -> list[Case]:
    """Return the cases whose name holds one of some words; all of them without words."""
    return [c for c in cases if not words or any(w in c.name for w in words)]


def simulated(
    seed: int, work: Path, words: Sequence[str] | None = None
) -> list[tuple[str, Outcome]]:
    """Evaluate the cases on simulated recordings."""

    def made(part: int, seconds: float = 10.0, **options: float) -> Sample:
        ecg = simulate(N, RATE, seconds, seed=10 * seed + part, **options)
        return Sample(quantised(ecg.samples), RATE)

    train, holdout = made(0), made(1)
    real = described(train, "train", work), described(holdout, "holdout", work)
    found = []
    for case in chosen(words, SIMULATED_CASES):
        sample = made(2, case.seconds, **(case.options or {}))
        found.append((case.name, evaluated(case, sample, train, real, seed, work)))
    return found


def evaluated(
    case: Case, sample: Sample, train: Sample, real: tuple[Cohort, Cohort], seed: int, work: Path
) -> Outcome:
    """Plant the defect of a case in a fresh sample and evaluate."""
    if case.change is not None:
        sample = case.change(sample, train, np.random.default_rng([seed, 1]))
        sample = Sample(quantised(sample.samples), sample.rate)
    synthetic = described(sample, "synthetic", work)
    return outcome(Cohorts(study(seed), real[0], synthetic, real[1]))


def ptbxl(data: Path) -> Sample:
    """Load the 660 records of 660 patients."""
    parts = [np.load(data / f"ptbxl_afib/{p}.npz")["signals"] for p in ("train", "control")]
    return Sample((np.concatenate(parts) / 1000).astype(np.float32), 100.0)


def dealt(n: int, seed: int) -> tuple[NDArray[np.intp], ...]:
    """Deal 660 records out to train (240), holdout (210) and a fresh sample (210)."""
    order = np.random.default_rng([seed, 2]).permutation(n)
    return order[:240], order[240:450], order[450:660]


def real_defects(
    seed: int, data: Path, work: Path, words: Sequence[str] | None = None
) -> list[tuple[str, Outcome]]:
    """Evaluate the defects of arrays, planted in real recordings."""
    pool = ptbxl(data)
    train, holdout, fresh = (pool.take(rows) for rows in dealt(len(pool), seed))

    def told(seconds: float) -> tuple[Cohort, Cohort]:
        count = round(seconds * pool.rate)
        return tuple(  # type: ignore[return-value]
            described(Sample(s.samples[:, :, :count], s.rate), role, work)
            for s, role in ((train, "train"), (holdout, "holdout"))
        )

    whole = told(10.0)
    found = []
    for case in chosen(words, (FRESH, *ARRAY_CASES)):
        if case.name.startswith("mains"):  # 50 Hz is half of this sampling rate
            continue
        # A record read too fast is shorter; the real ones are cut to its length.
        real = whole if case.seconds == 10 else told(100 / case.seconds)
        found.append((case.name, evaluated(case, fresh, train, real, seed, work)))
    return found


def fresh_splits(seeds: Sequence[int], data: Path, work: Path) -> list[Outcome]:
    """Deal real recordings out again and again; each is described once."""
    table = described(ptbxl(data), "train", work).table
    return [
        outcome(split(table, dealt(len(table), 1000 + s), s), (FIDELITY, BALANCE, COMPLETENESS))
        for s in seeds
    ]


def split(
    table: DescriptionTable,
    rows: Sequence[NDArray[np.intp]],
    seed: int,
    subjects: NDArray[np.str_] | None = None,
) -> Cohorts:
    """Make cohorts of rows of one table."""
    train, holdout, synthetic = (
        Cohort(Role(role), table.take(r), None if subjects is None else subjects[r])
        for role, r in zip(("train", "holdout", "synthetic"), rows, strict=True)
    )
    return Cohorts(study(seed), train, synthetic, holdout)


def segments(data: Path, work: Path) -> tuple[DescriptionTable, NDArray[np.str_]]:
    """Describe the MIT-BIH segments, and return their persons."""
    with (data / "mitdb_1xx/segments10s.csv").open() as file:
        rows = list(csv.DictReader(file))
    stored = np.load(data / "mitdb_1xx/segments10s.npz")
    values = next(stored[k] for k in stored if stored[k].ndim == 3)
    x = ((values.astype(np.float32) - 1024) / 200).astype(np.float32)
    person = np.array([SAME_PERSON.get(r["record"], r["record"]) for r in rows])
    # Their leads differ; under two names all of them have the same features.
    table = described(Sample(x, 360.0), "train", work, ("MLII", "V1")).table
    return table, person


def segment_splits(seeds: Sequence[int], data: Path, work: Path) -> list[tuple[Outcome, Outcome]]:
    """Deal persons out, and evaluate with them told and as if each segment were independent."""
    table, person = segments(data, work)
    names = np.unique(person)
    found = []
    for seed in seeds:
        order = np.random.default_rng([seed, 3]).permutation(names)
        parts = (order[:6], order[6:14], order[14:])  # tests need eight a side
        rows = [np.flatnonzero(np.isin(person, p)) for p in parts]
        found.append(
            (
                outcome(split(table, rows, seed, person), (FIDELITY,)),
                outcome(split(table, rows, seed), (FIDELITY,)),
            )
        )
    return found


def spread_out(function: Callable[[int], object], seeds: Sequence[int], workers: int) -> list[Any]:
    """Run a function of the seed, in several processes where asked."""
    if workers == 1:
        return [function(s) for s in seeds]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(function, seeds))


PARTS = ("simulated", "ptbxl", "fresh", "segments")


def main() -> None:
    """Run the parts and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with ptbxl_afib and mitdb_1xx")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--only", choices=PARTS, nargs="+", default=list(PARTS))
    parser.add_argument("--cases", nargs="+", help="words that a case's name holds")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--markdown", type=Path, help="page whose measured part is replaced")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        lines = printed(chain.from_iterable(parts(args, Path(temporary))))
    if args.markdown:
        replace_measured(args.markdown, lines, "signals")


def parts(args: argparse.Namespace, work: Path) -> Iterator[Iterator[str]]:
    """Run what was asked for."""
    seeds, splits = range(args.seeds), range(args.splits)
    if "simulated" in args.only:
        runs = spread_out(partial(simulated, work=work, words=args.cases), seeds, args.workers)
        yield case_tables("Simulated electrocardiograms, 200 / 200 / 200", SIMULATED_CASES, runs)
    if args.data is None:
        return
    if "ptbxl" in args.only:
        runs = spread_out(
            partial(real_defects, data=args.data, work=work, words=args.cases), seeds, args.workers
        )
        yield case_tables("PTB-XL, 240 / 210 / 210", (FRESH, *ARRAY_CASES), runs)
    half = [splits[k :: args.workers] for k in range(args.workers)]
    if "fresh" in args.only:
        found = spread_out(partial(fresh_splits, data=args.data, work=work), half, args.workers)  # type: ignore[arg-type]
        yield fresh_table(list(chain.from_iterable(found)))
    if "segments" in args.only:
        found = spread_out(partial(segment_splits, data=args.data, work=work), half, args.workers)  # type: ignore[arg-type]
        yield segment_table(list(chain.from_iterable(found)))


if __name__ == "__main__":
    main()
