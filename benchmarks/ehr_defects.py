"""Do fresh patients pass, and does each planted defect fail what should see it?

    python benchmarks/ehr_defects.py [--seeds 5] [--n 500] [--only table cohort] [--cases WORD ...]
        [--workers 1] [--markdown PAGE]

Simulated records (`sdq_ehr.simulated_table`: one table, a row a patient; `simulated_cohort`:
patients, visits, laboratory values), n patients each for train, holdout and a fresh sample that
stands in for a synthetic cohort, as it is or with a defect of `sdq_ehr.defects`. Utility and
explainability are left out. Every figure is a function of the seeds.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
from markdown import printed, replace_measured
from signals_tables import Outcome, case_tables, deciding, short

from sdq_core.evaluate import read_and_describe
from sdq_core.judging import characteristic_verdicts, judge_all
from sdq_core.measurement import Measurement
from sdq_core.modality import load_modality
from sdq_core.profiles import load_profile
from sdq_core.statistics import single_thread_blas
from sdq_core.study import Study
from sdq_core.vocabulary import Characteristic
from sdq_ehr.defects import Sample, defect, memorised_copies
from sdq_ehr.schema import Schema, read_schema
from sdq_ehr.simulated_cohort import simulate_cohort
from sdq_ehr.simulated_table import CATEGORIES, NUMBERS, simulate_table

FIDELITY, BALANCE, COMPLETENESS, METADATA, PRIVACY = (
    Characteristic.FIDELITY, Characteristic.BALANCE, Characteristic.COMPLETENESS,
    Characteristic.METADATA, Characteristic.PRIVACY,
)  # fmt: skip
JUDGED = (FIDELITY, BALANCE, COMPLETENESS, METADATA, PRIVACY)
CHEAP = (BALANCE, COMPLETENESS, METADATA)
ROLES = ("train", "holdout", "synthetic")
TABLE_SCHEMA = Schema.of({
    "patient_table": "stays",
    "tables": {"stays": {"columns": {
        **{name: {"type": "number"} for name in NUMBERS},
        **{name: {"type": "category"} for name in CATEGORIES},
        "age": {"type": "number", "meaning": "age", "quasi_identifier": True},
        "sex": {"meaning": "sex", "values": {"F": "female", "M": "male"}, "quasi_identifier": True},
        "ethnicity": {"meaning": "ethnicity", "quasi_identifier": True},
        "diagnosis": {"type": "code", "system": "icd10cm", "meaning": "diagnosis"},
        "secondary_diagnosis": {"type": "code", "system": "icd10cm"},
        "admitted": {"type": "date", "meaning": "admission"},
        "discharged": {"type": "date", "meaning": "discharge"},
        "died": {"meaning": "class"},
        "synthetic": {"meaning": "provenance"},
    }}},
})  # fmt: skip
COHORT_SCHEMA = read_schema(Path(__file__).parents[1] / "fixtures/ehr/schema.yaml")


@dataclass(frozen=True)
class Case:
    """A defect, its severity, and all that must fail because of it."""

    name: str
    must_fail: tuple[Characteristic, ...] = ()
    planted: str = ""
    severity: float = 0.0


def cases(kind: str) -> list[Case]:
    """Return the cases that can be planted in one kind of records."""
    found = [
        Case("fresh sample"),
        Case("marginal shift of 0.5 deviations", (FIDELITY,), "marginal shift", 0.5),
        Case("marginal shift of one deviation", (FIDELITY,), "marginal shift", 1.0),
        Case("all columns decorrelated", (FIDELITY,), "decorrelation", 1.0),
        Case("invented correlation", (FIDELITY,), "invented correlation", 1.0),
        Case("rare codes dropped", (BALANCE,), "rare codes dropped", 0.01),
        Case("2 % invalid codes", (COMPLETENESS,), "invalid codes", 0.02),
        Case("2 % codes of another system", (COMPLETENESS,), "wrong system", 0.02),
        Case("sex contradicted in 5 %", (COMPLETENESS,), "sex contradicted", 0.05),
        Case("dates reversed in 5 %", (COMPLETENESS,), "dates reversed", 0.05),
        Case("a fifth of a number missing", (FIDELITY,), "values missing", 0.2),
        Case("identifiers in 10 %", (PRIVACY,), "identifiers", 0.1),
        Case("5 % copies of training patients", (PRIVACY,), "copies", 0.05),
    ]
    if kind == "cohort":
        found += [
            Case("laboratory values permuted", (FIDELITY,), "values permuted among patients", 1.0),
            Case("visit dates permuted", (FIDELITY,), "dates permuted", 1.0),
            Case("unit confused in 5 %", (COMPLETENESS,), "unit confused", 0.05),
            Case("orphan keys in 3 %", (COMPLETENESS,), "orphan keys", 0.03),
        ]
    return found


def made(kind: str, n: int, seed: int, role: str) -> dict[str, pa.Table]:
    """Simulate the tables of one role, with keys of their own and their provenance."""
    number = 1000 * seed + 10 * ROLES.index(role)
    if kind == "table":
        table = simulate_table(n, number)
        origin = pa.array(["yes" if role == "synthetic" else "no"] * n)
        return {"stays": table.append_column("synthetic", origin)}
    tables = {}
    for name, table in simulate_cohort(n, number).items():
        for column in table.column_names:
            if column.endswith("_id"):
                keys = pa.array([f"{role[0]}{v}" for v in table[column].to_pylist()])
                table = table.set_column(table.column_names.index(column), column, keys)
        tables[name] = table
    for name, value in (("synthetic", "yes" if role == "synthetic" else "no"),
                        ("generator", "simulator"), ("seed", str(seed))):  # fmt: skip
        tables["patients"] = tables["patients"].append_column(name, pa.array([value] * n))
    return tables


def outcome(study: Study, judged: Sequence[Characteristic]) -> Outcome:
    """Read, describe, measure and judge some characteristics."""
    modality = load_modality("ehr")
    profile = load_profile("default", modality.profile_folder(), "ehr", modality.default_profile)
    described = read_and_describe(study, None, engine="serial")
    found: list[Measurement] = []
    with single_thread_blas():
        for evaluation in modality.characteristics(described.study):
            if evaluation.characteristic not in judged:
                continue
            for part in evaluation.parts():
                if "volume_adequacy" not in part.measures:
                    found += [
                        m for m in part.function(described.cohorts) if isinstance(m, Measurement)
                    ]
    judgements = judge_all(found, profile)
    kept = [j for j in judgements if j.criterion and j.criterion.id.split(".")[1] in judged]
    return Outcome(
        characteristic_verdicts(kept),
        [line for j in kept if (line := deciding(j)) is not None],
        {short(m): float(m.details["p"]) for m in found if "p" in m.details},
    )


def write(tables: Mapping[str, pa.Table], folder: Path) -> None:
    """Write tables as CSV files of a new folder."""
    folder.mkdir(parents=True)
    for name, table in tables.items():
        csv.write_csv(table, folder / f"{name}.csv")


def run(seed: int, kind: str, n: int, words: Sequence[str] | None) -> list[tuple[str, Outcome]]:
    """Evaluate the cases of one seed."""
    schema = TABLE_SCHEMA if kind == "table" else COHORT_SCHEMA
    tables = {role: made(kind, n, seed, role) for role in ROLES}
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        for role in ("train", "holdout"):
            write(tables[role], root / role)
        for k, case in enumerate(cases(kind)):
            if words and not any(w in case.name for w in words):
                continue
            sample = Sample(tables["synthetic"], schema)
            rng = np.random.default_rng([seed, k])
            if case.planted == "copies":
                sample = memorised_copies(sample, Sample(tables["train"], schema), 0.05, rng)
            elif case.planted:
                sample = defect(case.planted).plant(sample, case.severity, rng)
            write(sample.tables, root / f"synthetic{k}")
            plain: dict[str, Any] = schema.model_dump(mode="json", exclude_defaults=True)
            for table in plain["tables"].values():
                table.pop("file", None)
            study = Study.model_validate({
                "modality": "ehr", "seed": seed, "settings": {"schema": plain},
                "cohorts": {
                    "train": {"path": root / "train"}, "holdout": {"path": root / "holdout"},
                    "synthetic": {"path": root / f"synthetic{k}"},
                },
            })  # fmt: skip
            # The dear ones where they must fail, and for the fresh sample.
            judged = JUDGED if not case.must_fail else {*CHEAP, *case.must_fail}
            found.append((case.name, outcome(study, tuple(judged))))
    return found


def main() -> None:
    """Run the cases and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--n", type=int, default=500, help="patients of each cohort")
    parser.add_argument("--only", choices=("table", "cohort"), nargs="+",
                        default=["table", "cohort"])  # fmt: skip
    parser.add_argument("--cases", nargs="+", help="words that a case's name holds")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--markdown", type=Path, help="page whose measured part is replaced")
    args = parser.parse_args()
    lines = printed(chain.from_iterable(parts(args)))
    if args.markdown:
        replace_measured(args.markdown, lines, "ehr")


def parts(args: argparse.Namespace) -> Iterator[Iterator[str]]:
    """Run what was asked for."""
    titles = {"table": "One table of 20 columns", "cohort": "Patients, visits, laboratory values"}
    seeds = range(args.first, args.first + args.seeds)
    for kind in args.only:
        one = partial(run, kind=kind, n=args.n, words=args.cases)
        if args.workers == 1:
            runs = [one(s) for s in seeds]
        else:
            with ProcessPoolExecutor(args.workers) as pool:
                runs = list(pool.map(one, seeds))
        title = f"{titles[kind]}, {args.n} patients a cohort"
        yield case_tables(title, cases(kind), runs)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
