"""Is the planted cause of a difference named first, and is none named where nothing is planted?

    python benchmarks/bias.py [--data DIR] [--seeds 20] [--quiet 100] [--start 0] [--only NAME ...]
        [--markdown PAGE]

Real or simulated items are described once, dealt out at random to train, holdout and a fresh sample
that stands in for a synthetic cohort, and one thing or two are changed in that sample: the mix of
sexes or classes, or the texture, mains hum or unit of one site. Sites are dealt out at random, so
that they differ in nothing else. `mednist` needs DIR with `mednist64`, `ptbxl` with `ptbxl_afib`;
`ecg` and `table` are simulated. Every figure is a function of the data and the seeds.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markdown import printed, replace_measured

from sdq_core.characteristics.explainability import Explainability
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.describe import describe
from sdq_core.description import Description, DescriptionTable, Item
from sdq_core.measurement import Measurement
from sdq_core.modality import load_modality
from sdq_core.statistics import single_thread_blas
from sdq_core.study import Study
from sdq_core.vocabulary import Role

SITES = ("north", "east", "south")
CHANGED = "east"


@dataclass(frozen=True)
class Pool:
    """Items described as they are and as the changed site would give them."""

    name: str
    study: Study
    items: Sequence[Item]
    clean: Sequence[Description]
    changed: Sequence[Description]
    subjects: np.ndarray
    classes: np.ndarray | None
    attributes: dict[str, np.ndarray]
    mixed: str
    """Attribute whose mix is changed."""
    more: str
    """Its value of which there is more."""
    sizes: tuple[int, int, int]
    change: str

    def column(self, name: str) -> np.ndarray:
        """Return an attribute, or the classes."""
        return self.classes if name == "class" else self.attributes[name]

    def cohorts(self, case: Case, seed: int) -> Cohorts:
        """Deal items out by subject, and change the last part."""
        rng = np.random.default_rng([seed, 77])
        people = rng.permutation(np.unique(self.subjects))
        order = np.argsort(np.argsort(people)[np.searchsorted(np.sort(people), self.subjects)],
                           kind="stable")  # fmt: skip
        train, holdout = order[: self.sizes[0]], order[self.sizes[0] : sum(self.sizes[:2])]
        rest = order[sum(self.sizes[:2]) :]
        chosen = rest[: self.sizes[2]]
        if case.mix:
            column = self.column(self.mixed)
            share = (column == self.more).mean() + case.mix * (column != self.more).mean()
            with_more = rest[column[rest] == self.more]
            without = rest[column[rest] != self.more]
            count = min(round(share * self.sizes[2]), len(with_more))
            chosen = np.concatenate([with_more[:count], without[: self.sizes[2] - count]])
        return Cohorts(
            self.study,
            self._cohort(Role.TRAIN, train, None),
            self._cohort(Role.SYNTHETIC, chosen, case if case.site else None),
            self._cohort(Role.HOLDOUT, holdout, None),
        )

    def _cohort(self, role: Role, rows: np.ndarray, case: Case | None) -> Cohort:
        described = [self.clean[k] for k in rows]
        if case is not None:
            where = self.attributes["site"][rows]
            at = np.ones(len(rows), bool) if case.everywhere else where == CHANGED
            described = [
                self.changed[k] if there else d
                for k, d, there in zip(rows, described, at, strict=True)
            ]
        table = DescriptionTable([self.items[k] for k in rows], described, role=str(role))
        subjects = self.subjects[rows]
        if role is Role.SYNTHETIC:
            subjects = np.char.add("synthetic-", subjects)
        return Cohort(
            role,
            table,
            subjects,
            None if self.classes is None else self.classes[rows],
            {k: v[rows] for k, v in self.attributes.items()},
        )


@dataclass(frozen=True)
class Case:
    """What is planted, and what must be named first."""

    name: str
    mix: float = 0.0
    site: bool = False
    everywhere: bool = False
    first: str = ""


CASES = (
    Case("nothing"),
    Case("mix only", mix=0.6, first="mix"),
    Case("one site only", site=True, first="site"),
    Case("everywhere", site=True, everywhere=True, first="everywhere"),
    Case("both", mix=0.6, site=True, first="both"),
)


def evaluation(modality: str, study: Study) -> Explainability:
    """Return the modality's own measures of explainability."""
    found = load_modality(modality).characteristics(study)
    return next(e for e in found if isinstance(e, Explainability))


def causes(pool: Pool, case: Case, seed: int) -> dict[str, Any]:
    """Return the measured decomposition."""
    cohorts = pool.cohorts(case, seed)
    measure = evaluation(pool.study.modality, pool.study)
    with single_thread_blas():
        found = [m for m in measure.sources(cohorts) if isinstance(m, Measurement)]
    return dict(next(m for m in found if m.variant == "causes").details["decomposition"])


def label(cause: dict[str, Any]) -> str:
    """Return a cause in few words."""
    cause = {k: v["en"] if isinstance(v, dict) else v for k, v in cause.items()}
    if cause["kind"] == "everywhere":
        return "everywhere"
    if cause["kind"] == "mix":
        return f"mix of {cause['attribute']}"
    return f"{cause['kind']} {cause['attribute']} = {cause['level']}"


def wanted(pool: Pool, case: Case) -> set[str]:
    """Return the labels of the planted causes."""
    found = set()
    if case.mix:
        found.add(f"mix of {pool.mixed}")
    if case.site:
        found.add("everywhere" if case.everywhere else f"inside site = {CHANGED}")
    return found


def measured(
    pools: Sequence[Pool], start: int, seeds: int, quiet: int, wrong: list[str]
) -> Iterator[str]:
    """Yield the table."""
    yield (
        "| data | planted | seeds | named first | share of the difference | all planted named "
        "| others named |"
    )
    yield "| --- " * 7 + "|"
    for pool in pools:
        for case in CASES:
            count = seeds if case.first else quiet
            aim = wanted(pool, case)
            first: Counter[str] = Counter()
            others: Counter[str] = Counter()
            complete, shares = 0, []
            for seed in range(start, start + count):
                named = causes(pool, case, seed)["causes"]
                labels = [label(c) for c in named]
                first[labels[0] if labels else "none"] += 1
                complete += aim <= set(labels)
                others.update(set(labels) - aim)
                if named and labels[0] in aim and named[0]["share"] is not None:
                    shares.append(named[0]["share"])
            if case.first:
                right = sum(first[a] for a in aim)
                if right < count:
                    wrong.append(f"{pool.name}, {case.name}: named first in {right} of {count}")
            elif first["none"] < 0.95 * count:
                wrong.append(f"{pool.name}: quiet in {first['none']} of {count}")
            said = "; ".join(f"{k} {v}" for k, v in first.most_common())
            rest = "; ".join(f"{k} {v}" for k, v in others.most_common(4)) or "-"
            share = f"{np.median(shares):.0%}" if shares else "-"
            planted = case.name.replace("mix", f"mix of {pool.mixed}")
            planted = planted.replace("one site", f"{pool.change} at one site")
            done = f"{complete} of {count}" if case.first else "-"
            yield f"| {pool.name} | {planted} | {count} | {said} | {share} | {done} | {rest} |"
    yield ""


def sites(n: int, seed: int) -> np.ndarray:
    """Deal out sites at random."""
    return np.array(SITES)[np.random.default_rng([seed, 5]).integers(3, size=n)]


def mednist(data: Path) -> Pool:
    """Small images of five kinds; blurred at one site."""
    from sdq_imaging.defects import blur

    folder = data / "imaging" / "mednist64"
    with np.load(next(folder.glob("*control*.npz"))) as file:
        images, labels = file["images"], file["label"] if "label" in file else file["labels"]
    described = [images_described(s) for s in (images, blur(images, 0.6))]
    n = len(images)
    return Pool(
        "MedNIST", study("imaging"), described[0][0], described[0][1], described[1][1],
        np.array([f"p{k}" for k in range(n)]),
        np.array([f"kind {k}" for k in labels]),
        {"site": sites(n, 1), "sex": np.array(["F", "M"])[np.arange(n) % 2]},
        "class", "kind 2", (400, 250, 250), "blur (0.6 pixels)",
    )  # fmt: skip


def images_described(images: np.ndarray) -> tuple[list[Item], list[Description]]:
    """Describe a stack of pictures, without the network."""
    from sdq_imaging.describing import ImagingDescriber
    from sdq_imaging.reading import list_items
    from sdq_imaging.settings import ImagingSettings

    settings = {**ImagingSettings().model_dump(), "embeddings": {"radiomic": {}}}
    describer = ImagingDescriber(settings)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npz"
        np.savez(path, images=images)
        items = list(list_items(path).items)
        return items, list(describe(items, describer, None, engine="serial").descriptions)


def ecg() -> Pool:
    """Simulated electrocardiograms: women have faster hearts, narrower QRS; mains at a site."""
    from sdq_signals.degradations import mains_hum
    from sdq_signals.simulated_ecg import simulate

    n = 600
    women = simulate(n, rate=250, seed=1, heart_rate=75).samples
    men = simulate(n, rate=250, seed=2, heart_rate=67, qrs_extra_ms=10).samples
    samples = np.concatenate([women, men])
    sex = np.repeat(["F", "M"], n)
    return signals("simulated ECG", samples, mains_hum(samples, 250.0, 0.02), 250.0, None, sex,
                   np.array([f"p{k}" for k in range(2 * n)]), "mains hum (20 uV)")  # fmt: skip


def ptbxl(data: Path) -> Pool:
    """Real electrocardiograms with the sex that is told; low-passed at one site."""
    from sdq_signals.degradations import low_pass

    folder = data / "signals" / "ptbxl_afib"
    samples, sex, classes = [], [], []
    for part in ("train", "control"):
        with np.load(next(folder.glob(f"*{part}*.npz"))) as file:
            samples.append(file["signals"].astype(np.float32) / 1000)
            classes.append(file["label"] if "label" in file else file["labels"])
        with next(folder.glob(f"*{part}*.csv")).open() as file:
            sex += [r["sex"] for r in csv.DictReader(file)]
    both = np.concatenate(samples)
    named = np.where(np.array(sex) == "1", "F", "M")
    return signals("PTB-XL", both, low_pass(both, 100.0, 15.0), 100.0,
                   np.where(np.concatenate(classes) == 1, "AFIB", "other"), named,
                   np.array([f"p{k}" for k in range(len(both))]), "low-pass (15 Hz)")  # fmt: skip


def signals(
    name: str, samples: np.ndarray, changed: np.ndarray, rate: float, classes: np.ndarray | None,
    sex: np.ndarray, subjects: np.ndarray, change: str,
) -> Pool:  # fmt: skip
    """Describe recordings as they are and changed."""
    from sdq_signals.channels import LEADS

    own = study("signals")
    modality = load_modality("signals")
    described = []
    for stack in (samples, changed):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "stack.npz"
            np.savez(path, signals=stack, rate=rate, units="mV", channels=np.array(LEADS))
            items = list(modality.items(path, own.settings).items)
            report = describe(items, modality.describer(own), None, engine="serial")
            described.append((items, list(report.descriptions)))
    n = len(samples)
    return Pool(
        name, own, described[0][0], described[0][1], described[1][1], subjects, classes,
        {"site": sites(n, 2), "sex": sex}, "sex", "F", (n // 4, n // 5, n // 5), change,
    )  # fmt: skip


def table() -> Pool:
    """Simulated hospital tables: sex moves haemoglobin and creatinine; a site has another unit."""
    import pyarrow as pa
    from pyarrow import parquet

    from sdq_core.labels import join
    from sdq_ehr.describing import EMBEDDING
    from sdq_ehr.preparing import layout_of
    from sdq_ehr.reading import list_items, open_dataset
    from sdq_ehr.records import item_ids, records_of_dataset
    from sdq_ehr.settings import EhrSettings
    from sdq_ehr.simulated_table import CATEGORIES, NUMBERS, replaced, simulate_table

    n = 2000
    plain = simulate_table(n, 4).append_column("site", pa.array(sites(n, 3)))
    other = replaced(plain, "creatinine", pa.array(np.round(plain["creatinine"].to_numpy() * 88.4)))
    schema = {
        "patient_table": "stays",
        "tables": {"stays": {"columns": {
            **{c: {"type": "number"} for c in NUMBERS},
            **{c: {"type": "category"} for c in (*CATEGORIES, "site")},
            "died": {"meaning": "class"},
            **{c: {"type": "code", "system": "icd10cm"} for c in ("diagnosis",
                                                                  "secondary_diagnosis")},
        }}},
    }  # fmt: skip
    folder = Path(tempfile.mkdtemp())
    described = []
    for name, rows in (("plain", plain), ("other", other)):
        (folder / name).mkdir()
        parquet.write_table(rows, folder / name / "stays.parquet")
        own = Study.model_validate({
            "modality": "ehr", "settings": {"schema": schema},
            "cohorts": {r: {"path": folder / "plain"} for r in ("train", "synthetic")},
        })  # fmt: skip
        settings = EhrSettings.of(own.settings)
        items = list_items(folder / name, settings).items
        dataset = open_dataset(folder / name, settings)
        points = layout_of(own, settings).points(records_of_dataset(dataset))
        place = {i: k for k, i in enumerate(item_ids(dataset))}
        made = [Description(embeddings={EMBEDDING: points[place[i.id]]}) for i in items]
        described.append((items, made))
    whole = join(DescriptionTable(*described[0], role="train"), Role.TRAIN, folder / "plain", None)
    cohort = whole[0]
    return Pool(
        "simulated table", own, described[0][0], described[0][1], described[1][1],
        np.array([f"p{k}" for k in range(n)]), cohort.classes, dict(cohort.attributes),
        "sex", "M", (600, 400, 400), "unit of creatinine",
    )  # fmt: skip


def study(modality: str) -> Study:
    """Return a study whose cohorts are made in memory."""
    here = {"path": "."}
    return Study.model_validate({
        "modality": modality, "cohorts": {"train": here, "holdout": here, "synthetic": here}
    })  # fmt: skip


def main() -> None:
    """Run, print, and put the table into a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--quiet", type=int, default=100)
    parser.add_argument("--start", type=int, default=0, help="first seed")
    parser.add_argument("--only", nargs="+", default=["table", "ecg", "ptbxl", "mednist"])
    parser.add_argument("--markdown", type=Path, help="page whose part is replaced")
    args = parser.parse_args()
    makers: dict[str, Callable[[], Pool]] = {"table": table, "ecg": ecg}
    if args.data:
        makers |= {"ptbxl": lambda: ptbxl(args.data), "mednist": lambda: mednist(args.data)}
    wrong: list[str] = []
    started = time.perf_counter()
    pools = [makers[name]() for name in args.only if name in makers]
    print(f"described in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    lines = printed(measured(pools, args.start, args.seeds, args.quiet, wrong))
    print(f"all in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    if args.markdown:
        replace_measured(args.markdown, lines, "bias")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
