"""How often is a fresh real sample failed, and how often is its verdict left open?

    python benchmarks/false_alarms.py --data DIR [--runs 20] [--sizes 50 100 200] [--markdown PAGE]

DIR holds `nih_cxr128` and `mednist64`. Real images are dealt out at random, by patient where
patients are known, to train, holdout and a fresh sample that stands in for a synthetic cohort;
whatever is not `pass` then is the instrument's own doing. Only the compare and judge steps are
repeated: every image is described once. Privacy is in benchmarks/copies.py.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markdown import printed, replace_measured
from numpy.typing import NDArray

from sdq_core.characteristics.balance import Balance
from sdq_core.characteristics.utility import Utility
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.describe import describe
from sdq_core.description import DescriptionTable
from sdq_core.judging import characteristic_verdicts, judge_all
from sdq_core.measurement import Measurement
from sdq_core.modality import load_modality
from sdq_core.profiles import load_profile
from sdq_core.statistics import single_thread_blas
from sdq_core.study import Study
from sdq_core.vocabulary import Characteristic, Role, Verdict
from sdq_imaging.fidelity import ImagingFidelity

JUDGED = (Characteristic.FIDELITY, Characteristic.BALANCE, Characteristic.UTILITY)
VERDICTS = (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.NOT_ASSESSED)


@dataclass(frozen=True, eq=False)
class Pool:
    """Described real images, their classes and their subjects where these are known."""

    name: str
    source: Path
    table: DescriptionTable
    classes: NDArray[np.str_]
    subjects: NDArray[np.str_] | None

    @classmethod
    def load(cls, name: str, source: Path, subjects: Path | None, store: Path) -> Pool:
        """Describe an array file, once."""
        modality = load_modality("imaging")
        listing = modality.items(source, {})
        study = Study.model_validate(
            {"modality": "imaging", "cohorts": {"train": {"path": source},
                                                "synthetic": {"path": source}}}
        )  # fmt: skip
        report = describe(listing.items, modality.describer(study), store)
        known = None
        if subjects is not None:
            with subjects.open() as file:
                known = np.array([row["patient"] for row in csv.DictReader(file)])
        classes = np.array([i.attributes.get("class", "") for i in listing.items])
        return cls(
            name, source, DescriptionTable(listing.items, report.descriptions), classes, known
        )

    def dealt(self, size: int, seed: int, fresh_subjects: bool = False) -> Cohorts:
        """Deal out about `size` items to the holdout and to the fresh sample, 1.5 times to train.

        The fresh sample is taken as one of single items, as generators know no patients. Real
        items are not independent, though: with `fresh_subjects` their patients are told.
        """
        rng = np.random.default_rng([size, seed])
        groups = np.arange(len(self.table)) if self.subjects is None else self.subjects
        parts: dict[str, list[int]] = {"train": [], "holdout": [], "synthetic": []}
        most = {"train": round(1.5 * size), "holdout": size, "synthetic": size}
        for group in rng.permutation(np.unique(groups)):
            part = next((p for p in parts if len(parts[p]) < most[p]), None)
            if part is None:
                break
            parts[part] += np.flatnonzero(groups == group).tolist()
        study = Study.model_validate(
            {
                "modality": "imaging", "seed": seed, "classes": sorted(set(self.classes.tolist())),
                "cohorts": {p: {"path": self.source} for p in parts},
            }
        )  # fmt: skip
        made = {}
        for part, listed in parts.items():
            rows = np.array(listed)
            subjects = None
            if self.subjects is not None and (fresh_subjects or part != "synthetic"):
                subjects = self.subjects[rows]
            made[part] = Cohort(Role(part), self.table.take(rows), subjects, self.classes[rows])
        return Cohorts(study, made["train"], made["synthetic"], made["holdout"])


def measured(cohorts: Cohorts) -> list[Measurement]:
    """Take the measures of whole sets."""
    found: list[Measurement] = []
    with single_thread_blas():
        for evaluation in (ImagingFidelity("imaging"), Balance("imaging"), Utility("imaging")):
            for part in evaluation.parts():
                # These open the images again, and no criterion asks for them.
                if not {"ms_ssim_diversity", "ssim_paired", "volume_adequacy"} & {*part.measures}:
                    found += [m for m in part.function(cohorts) if isinstance(m, Measurement)]
    return found


def table(pools: list[Pool], sizes: list[int], runs: int, fresh_subjects: bool) -> Iterator[str]:
    """Count the verdicts on fresh real samples, and how often tests reject at 5 %."""
    modality = load_modality("imaging")
    profile = load_profile(
        "default", modality.profile_folder(), "imaging", modality.default_profile
    )
    yield "### Verdicts on fresh real samples: pass / inconclusive / fail / not assessed"
    yield ""
    yield f"| data | items | runs | {' | '.join(JUDGED)} | tests with p < 0.05 |"
    yield "| --- " * (4 + len(JUDGED)) + "|"
    for pool in pools:
        for size in sizes:
            counts = {c: Counter[Verdict]() for c in JUDGED}
            rejected = Counter[bool]()
            for seed in range(runs):
                found = measured(pool.dealt(size, seed, fresh_subjects))
                verdicts = characteristic_verdicts(judge_all(found, profile))
                for c in JUDGED:
                    counts[c][verdicts[c]] += 1
                rejected.update(m.details["p"] < 0.05 for m in found if "p" in m.details)
            cells = [" / ".join(str(counts[c][v]) for v in VERDICTS) for c in JUDGED]
            share = rejected[True] / max(rejected.total(), 1)
            yield f"| {pool.name} | {size} | {runs} | {' | '.join(cells)} | {share:.1%} |"
    yield ""


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 100, 200])
    parser.add_argument(
        "--fresh-subjects", action="store_true", help="tell the fresh sample's patients"
    )
    parser.add_argument("--markdown", type=Path, help="page whose measured part is replaced")
    parser.add_argument("--store", type=Path, help="folder to keep; a temporary one by default")
    args = parser.parse_args()
    radiographs, mednist = args.data / "nih_cxr128", args.data / "mednist64"
    with tempfile.TemporaryDirectory() as temporary:
        store = args.store or Path(temporary)
        pools = [
            Pool.load("chest radiographs", radiographs / "images.npz",
                      radiographs / "images.csv", store),
            Pool.load("MedNIST", mednist / "control.npz", None, store),
        ]  # fmt: skip
        lines = printed(table(pools, args.sizes, args.runs, args.fresh_subjects))
    if args.markdown:
        replace_measured(args.markdown, lines)


if __name__ == "__main__":
    main()
