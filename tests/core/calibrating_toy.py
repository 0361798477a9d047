"""A toy modality that can be calibrated, registered as a third party's would be: numbers in files.

An item is a file with a word and numbers. Three defects: all numbers shifted, copies of training
items, a forbidden word. Further ones always break, end their process, or cannot be planted.
"""

from __future__ import annotations

import csv
import hashlib
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from sdq_core.calibration.defect import Defect, Member, Planter
from sdq_core.characteristics.evaluation import CharacteristicEvaluation, Part
from sdq_core.cohort import Cohorts
from sdq_core.description import Description, Item
from sdq_core.finding import Finding
from sdq_core.measurement import Interval, Measurement, Method
from sdq_core.modality import Listing, Modality
from sdq_core.result import MeasureText
from sdq_core.statistics import binomial_interval
from sdq_core.study import CohortSource, Study
from sdq_core.vocabulary import Characteristic, Severity

NAME = "toycal"
PROFILE = f"""\
schema: sdq.profile/1
name: {NAME}-default
version: "1"
modality: {NAME}
criteria:
  - {{id: {NAME}.fidelity.mean_gap, mandatory: true, at_most: 1.0, at_least: -1.0, reason: r,
     source: s}}
  - {{id: {NAME}.privacy.copied_share, mandatory: true, at_most: 0.1, reason: r, source: s}}
  - {{id: {NAME}.completeness.marked_share, mandatory: true, at_most: 0.3, reason: r, source: s}}
"""
EVERYWHERE = "TOYCAL_FOLDER"
"""Environment variable: the folder of profiles, where calls are logged too."""


class ToyDescriber:
    name = NAME
    version = "1"
    settings: ClassVar[Mapping[str, Any]] = {}

    def __call__(self, item: Item) -> Description:
        words = item.paths[0].read_text().split()
        log("described", item.digest)
        if words[0] == "broken":
            raise ValueError("secret")
        findings = ()
        if words[0] == "marked":
            findings = (Finding(f"{NAME}.structure.marked", Severity.ERROR, "marked", "有标记"),)
        values = [float(w) for w in words[1:]]
        return Description(scalars={f"v{k}": v for k, v in enumerate(values)}, findings=findings)


class Whole(CharacteristicEvaluation):
    """All three measures, under the characteristic that they are asked for."""

    def __init__(self, characteristic: Characteristic, measure: str, function: Any) -> None:
        super().__init__(NAME)
        self.characteristic = characteristic  # type: ignore[misc]
        self._measure, self._function = measure, function

    def parts(self) -> Sequence[Part]:
        return (Part((self._measure,), lambda c: self._function(self.id(self._measure), c)),)


def mean_gap(name: str, cohorts: Cohorts) -> Iterable[Measurement]:
    real = np.concatenate([c.table.scalar("v0") for c in cohorts.real])
    made = cohorts.synthetic.table.scalar("v0")
    gap = float(made.mean() - real.mean())
    half = 1.96 * float(np.sqrt(real.var() / len(real) + made.var() / len(made)))
    yield Measurement(
        name, gap, better="closer", interval=Interval(gap - half, gap + half, "normal"),
        n={"synthetic": len(made)}, method=Method("mean", "s"),
    )  # fmt: skip


def copied_share(name: str, cohorts: Cohorts) -> Iterable[Measurement]:
    if cohorts.holdout is None:
        from sdq_core.reasons import why

        yield Measurement(name, **why("no_holdout"))
        return
    known = set(zip(*(cohorts.train.table.scalar(v).tolist() for v in ("v0", "v1")), strict=True))
    made = zip(*(cohorts.synthetic.table.scalar(v).tolist() for v in ("v0", "v1")), strict=True)
    flags = [row in known for row in made]
    found = binomial_interval(sum(flags), len(flags))
    yield Measurement(
        name, sum(flags) / len(flags), better="lower", unit="share",
        interval=Interval(found.low, found.high, "Clopper-Pearson"),
        n={"synthetic": len(flags)}, method=Method("copies", "s"),
    )  # fmt: skip


def marked_share(name: str, cohorts: Cohorts) -> Iterable[Measurement]:
    share = len({f.item for f in cohorts.synthetic.table.findings}) / len(cohorts.synthetic)
    yield Measurement(name, share, better="lower", unit="share", method=Method("marks", "s"))


SHIFT = Defect(
    "shifted", ("shifted numbers", "数值偏移"), (Characteristic.FIDELITY,),
    (0.02, 1.2, 4.0), 4.0, ("units", "单位"), (f"{NAME}.fidelity.mean_gap",), "a source",
)  # fmt: skip
COPIES = Defect(
    "copied", ("copied items", "拷贝样本"), (Characteristic.PRIVACY,),
    (0.05, 0.5), 0.5, ("share", "占比"), (f"{NAME}.privacy.copied_share",), "a source",
    estimated_by=f"{NAME}.privacy.copied_share", needs=("holdout",),
)  # fmt: skip
MARKS = Defect(
    "marked", ("marked items", "有标记的样本"), (Characteristic.COMPLETENESS,),
    (0.1, 0.9), 0.9, ("share", "占比"), (f"{NAME}.structure.marked",), "a source",
)  # fmt: skip
LABELS = Defect(
    "relabelled", ("exchanged labels", "标签互换"), (Characteristic.FIDELITY,), (1.0,), 1.0,
    ("share", "占比"), (f"{NAME}.fidelity.mean_gap",), "a source",
    needs=("classes", "subjects", "subgroup"),
)  # fmt: skip
BREAKS = Defect(
    "breaks", ("breaks", "出错"), (Characteristic.FIDELITY,), (1.0,), 1.0, ("1", "1"),
    (f"{NAME}.fidelity.mean_gap",), "a source",
)  # fmt: skip
DIES = Defect(
    "dies", ("dies", "崩溃"), (Characteristic.FIDELITY,), (1.0,), 1.0, ("1", "1"),
    (f"{NAME}.fidelity.mean_gap",), "a source",
)  # fmt: skip
NEVER = Defect(
    "impossible", ("impossible", "不可能"), (Characteristic.FIDELITY,), (1.0,), 1.0, ("1", "1"),
    (f"{NAME}.fidelity.mean_gap",), "a source",
)  # fmt: skip


class ToyPlanter(Planter):
    @property
    def defects(self) -> Sequence[Defect]:
        named = os.environ.get("TOYCAL_DEFECTS", "shifted,copied,marked").split(",")
        known = (SHIFT, COPIES, MARKS, LABELS, BREAKS, DIES, NEVER)
        return [d for d in known if d.id in named]

    def unavailable(self, defect: Defect, members: Sequence[Member]) -> Any:
        if defect is NEVER or defect.id == NEVER.id:
            return {"reason": "these items have none", "reason_zh": "这些样本没有"}
        return None

    def write(self, members: Sequence[Member], folder: Path, *, synthetic: bool) -> CohortSource:
        texts = [(m.item.paths[0].read_text(), m.row) for m in members]
        return written(texts, folder, "s" if synthetic else "r")

    def plant(
        self, defect: Defect, severity: float, fresh: Sequence[Member], train: Sequence[Member],
        rng: np.random.Generator, folder: Path,
    ) -> CohortSource:  # fmt: skip
        log("planted", f"{defect.id} {severity:g}")
        time.sleep(float(os.environ.get("TOYCAL_DELAY", "0")))
        if defect.id == BREAKS.id:
            raise ValueError(f"secret {fresh[0].item.id}")
        if defect.id == DIES.id:
            os._exit(3)
        texts = [(m.item.paths[0].read_text(), dict(m.row)) for m in fresh]
        chosen = rng.permutation(len(texts))[: round(severity * len(texts))]
        for k in range(len(texts)):
            words, row = texts[k][0].split(), texts[k][1]
            if defect.id == SHIFT.id:
                words[1] = repr(float(words[1]) + severity)
            elif defect.id == COPIES.id and k in chosen:
                words = train[int(rng.integers(len(train)))].item.paths[0].read_text().split()
            elif defect.id == MARKS.id and k in chosen:
                words[0] = "marked"
            texts[k] = (" ".join(words), row)
        return written(texts, folder, "s")


class ToyModality(Modality):
    name = NAME
    default_profile = f"{NAME}-default"

    def items(self, source: Path, settings: Mapping[str, Any]) -> Listing:
        return Listing(
            tuple(
                Item(p.name, (p,), digest=hashlib.sha256(p.read_bytes()).hexdigest())
                for p in sorted(source.glob("*.txt"))
            )
        )

    def describer(self, study: Study) -> ToyDescriber:
        return ToyDescriber()

    def characteristics(self, study: Study) -> Sequence[CharacteristicEvaluation]:
        return (
            Whole(Characteristic.FIDELITY, "mean_gap", mean_gap),
            Whole(Characteristic.PRIVACY, "copied_share", copied_share),
            Whole(Characteristic.COMPLETENESS, "marked_share", marked_share),
        )

    def profile_folder(self) -> Path:
        return Path(os.environ[EVERYWHERE])

    def study_template(self) -> str:
        return ""

    def measures(self) -> dict[str, MeasureText]:
        return {
            f"{NAME}.fidelity.mean_gap": MeasureText(
                title="Gap of means", title_zh="均值之差", says="s", says_zh="说"
            )
        }

    def planter(self, study: Study) -> ToyPlanter | None:
        return None if os.environ.get("TOYCAL_DEFECTS") == "none" else ToyPlanter()


def written(
    texts: Sequence[tuple[str, Mapping[str, str]]], folder: Path, mark: str
) -> CohortSource:
    folder.mkdir()
    names = [f"{mark}{k:03d}.txt" for k in range(len(texts))]
    for name, (text, _) in zip(names, texts, strict=True):
        (folder / name).write_text(text)
    columns = sorted({c for _, row in texts for c in row})
    if not columns:
        return CohortSource(path=folder)
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item", *columns])
        for name, (_, row) in zip(names, texts, strict=True):
            writer.writerow([name, *(row.get(c, "") for c in columns)])
    return CohortSource(path=folder, labels=folder / "labels.csv")


def log(what: str, which: str) -> None:
    descriptor = os.open(
        Path(os.environ[EVERYWHERE]) / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT
    )
    os.write(descriptor, f"{what} {which}\n".encode())
    os.close(descriptor)


def logged(what: str) -> list[str]:
    path = Path(os.environ[EVERYWHERE]) / "log"
    lines = path.read_text().splitlines() if path.exists() else []
    return [line.removeprefix(what + " ") for line in lines if line.startswith(what)]


def install(folder: Path, monkeypatch: Any) -> None:
    """Register the modality: a distribution in a folder on the path, as pip leaves one."""
    about = folder / f"{NAME}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n")
    point = f"{NAME} = calibrating_toy:ToyModality\n"
    (about / "entry_points.txt").write_text(f"[sdq.modalities]\n{point}")
    (folder / f"{NAME}-default.yaml").write_text(PROFILE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv(EVERYWHERE, str(folder))


def cohort(folder: Path, n: int, seed: int, *, row: Any = None) -> CohortSource:
    """Write a real cohort: two items a subject, two classes."""
    rng = np.random.default_rng(seed)
    folder.parent.mkdir(parents=True, exist_ok=True)
    texts = []
    for k in range(n):
        words = " ".join(repr(float(v)) for v in rng.normal(size=2))
        said = {"subject": f"{folder.name}-{k // 2}", "class": "ab"[k // 2 % 2]}
        texts.append((f"plain {words}", said if row is None else row(k, said)))
    return written(texts, folder, "patient")


def make_study(
    root: Path, n: Sequence[int] = (60, 60, 60), *, row: Any = None, **values: Any
) -> Study:
    roles = ("train", "holdout", "synthetic")
    return Study(
        modality=NAME,
        cohorts={
            role: cohort(root / role, size, k, row=row)
            for k, (role, size) in enumerate(zip(roles, n, strict=True))
            if size
        },
        **values,
    )
