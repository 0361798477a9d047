"""Does real data pass, and does each planted defect fail the characteristic that should see it?

    python benchmarks/validity.py --data DIR [--seeds 5] [--only CASES] [--markdown PAGE]

DIR holds `nih_cxr128`, `mednist64` and `mednist32_generated`. Every case is a whole evaluation by
the default profile, as the command line does it: `radiographs` splits the chest radiographs by
patient into train, holdout and a fresh part that stands in for a synthetic cohort, as it is or
with a defect; `phantoms` removes DICOM attributes; `ladder` judges generators of known quality.
Every figure is a function of the data and the seeds.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from markdown import printed, replace_measured
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo

from sdq_core.evaluate import evaluate
from sdq_core.generator import definitions
from sdq_core.result import Result
from sdq_core.study import Study
from sdq_core.vocabulary import Characteristic, Verdict
from sdq_imaging.defects import Sample, blur, drop_class, memorised_copies, mode_collapse
from sdq_imaging.file_defects import remove_tags

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "fixtures/dicom"))

CLASSES = ("no_finding", "pneumonia")
SIGNS = {
    Verdict.PASS: "pass",
    Verdict.FAIL: "**fail**",
    Verdict.INCONCLUSIVE: "open",
    Verdict.NOT_ASSESSED: "-",
}
KNOWN = {
    "dataset.type": "test", "dataset.date": "2026-01-01", "algorithm.family": "other",
    "algorithm.weights_sha256": "none", "privacy.differential_privacy": "none",
    "responsible.date": "2026-01-01", "changes": [{"version": "1", "what": "first"}],
    "algorithm.parameters": {"see": "the case's name"}, "training_data.items": 0,
    "training_data.subjects": 0, "lineage": "none", "training_data.digest": "",
}  # fmt: skip
"""Facts of the generator's description that are no free text."""


def described() -> dict[str, Any]:
    """Return a description that states every fact but the digest: nothing is judged by it here."""
    stated: dict[str, Any] = {}
    for fact in definitions():
        section, _, name = fact.key.rpartition(".")
        place = stated.setdefault(section, {}) if section else stated
        place[name] = KNOWN.get(fact.key, "real items, changed on purpose")
    return stated


GENERATOR = described()

Change = Callable[[Sample, Sample, np.random.Generator], Sample]
DEFECTS: dict[str, tuple[Characteristic | None, Change]] = {
    "fresh real sample": (None, lambda s, t, r: s),
    "blur, 1 pixel": (
        Characteristic.FIDELITY,
        lambda s, t, r: Sample(blur(s.images, 1.0), s.classes),
    ),
    "collapse to a tenth": (
        Characteristic.FIDELITY,
        lambda s, t, r: mode_collapse(s, len(s) // 10, r),
    ),
    "10 % near-copies": (
        Characteristic.PRIVACY,
        lambda s, t, r: memorised_copies(s, t, 0.1, "mixed", r),
    ),
    "class dropped": (Characteristic.BALANCE, lambda s, t, r: drop_class(s, CLASSES[1], r)),
}


def write_pictures(
    folder: Path, sample: Sample, subjects: NDArray[np.str_] | None, declared: bool
) -> None:
    """Write a cohort as PNG files with its label table; declared ones say that they are made."""
    folder.mkdir(parents=True)
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["item", "class"] + ([] if subjects is None else ["subject"]))
        for k, image in enumerate(sample.images):
            texts = PngInfo()
            if declared:
                for key, value in (
                    ("SyntheticData", "YES"), ("Generator", "planted"), ("Seed", str(k)),
                ):  # fmt: skip
                    texts.add_text(key, value)
            Picture.fromarray(image).save(folder / f"{k:04d}.png", pnginfo=texts)
            label = "" if sample.classes is None else str(sample.classes[k])
            table.writerow([f"{k:04d}.png", label, *([] if subjects is None else [subjects[k]])])


def study(name: str, real: Path, synthetic: Path, classes: tuple[str, ...], seed: int) -> Study:
    """Return the study of one case."""
    return Study.model_validate(
        {
            "name": name, "modality": "imaging", "classes": classes, "seed": seed,
            "generator": GENERATOR,
            "cohorts": {
                role: {"path": folder, "labels": folder / "labels.csv"}
                for role, folder in (
                    ("train", real / "train"), ("holdout", real / "holdout"),
                    ("synthetic", synthetic),
                )
            },
        }
    )  # fmt: skip


def radiographs(data: Path, seed: int) -> dict[str, tuple[Sample, NDArray[np.str_]]]:
    """Split the radiographs by patient: about 250 images for train, 200 for holdout, the rest."""
    with np.load(data / "nih_cxr128/images.npz") as stack:
        images, labels = stack["images"], stack["label"]
    with (data / "nih_cxr128/images.csv").open() as file:
        patient = np.array([row["patient"] for row in csv.DictReader(file)])
    parts: dict[str, list[int]] = {"train": [], "holdout": [], "fresh": []}
    for name in np.random.default_rng(seed).permutation(np.unique(patient)):
        part = next(
            p for p, most in (("train", 250), ("holdout", 200), ("fresh", 10**9))
            if len(parts[p]) < most
        )  # fmt: skip
        parts[part] += np.flatnonzero(patient == name).tolist()
    classes = np.array(CLASSES)[labels]
    return {p: (Sample(images[r], classes[r]), patient[r]) for p, r in parts.items()}


def radiograph_cases(data: Path, work: Path, seed: int) -> Iterator[tuple[str, str, Result]]:
    """Evaluate a fresh real sample, and the same with each defect."""
    parts = radiographs(data, seed)
    base = work / f"radiographs-{seed}"
    for role in ("train", "holdout"):
        write_pictures(base / role, *parts[role], declared=False)
    fresh, train = parts["fresh"][0], parts["train"][0]
    for name, (target, change) in DEFECTS.items():
        made = change(fresh, train, np.random.default_rng([seed, 1]))
        folder = base / "".join(c if c.isalnum() else "-" for c in name)
        write_pictures(folder, made, None, declared=True)
        result = evaluate(
            study(name, base, folder, CLASSES, seed), folder / "out", store=work / "store"
        )
        yield name, "" if target is None else str(target), result


def phantom_cases(work: Path, seed: int) -> Iterator[tuple[str, str, Result]]:
    """Evaluate DICOM phantoms, whole and with attributes missing from a fifth of the files."""
    from make_dicom import CLASSES as PHANTOM_CLASSES
    from make_dicom import write_cohort

    base = work / f"phantoms-{seed}"
    for k, role in enumerate(("train", "holdout", "whole")):
        write_cohort(base / role, n=80, seed=3 * seed + k, declared=role == "whole")
    remove_tags(base / "whole", base / "stripped", 0.2, np.random.default_rng(seed))
    for name, target in (("whole", ""), ("stripped", "metadata")):
        result = evaluate(
            study(name, base, base / name, PHANTOM_CLASSES, seed),
            base / f"out-{name}",
            store=work / "store",
        )
        yield "DICOM phantoms" if not target else "attributes missing in 20 %", target, result


def ladder_cases(data: Path, work: Path) -> Iterator[tuple[str, str, Result]]:
    """Evaluate a fresh real sample and the generators of known quality, all beside one holdout."""
    names = ("CXR", "Hand", "HeadCT")
    base = work / "ladder"
    with np.load(data / "mednist32_generated/members.npz") as stack:
        members = Sample(stack["images"], np.array(names)[stack["label"]])
    with np.load(data / "mednist64/control.npz") as stack:
        kept = stack["label"] >= 2
        small = [
            np.asarray(Picture.fromarray(x).resize((32, 32), Picture.Resampling.LANCZOS))
            for x in stack["images"][kept]
        ]
        control = Sample(np.stack(small), np.array(names)[stack["label"][kept] - 2])
    half = np.random.default_rng(0).permutation(len(control))
    write_pictures(base / "train", members, None, declared=False)
    write_pictures(base / "holdout", control.take(half[:375]), None, declared=False)
    cohorts = {"real": control.take(half[375:])}
    for path in sorted((data / "mednist32_generated").glob("*.npz")):
        if path.stem != "members":
            with np.load(path) as stack:
                cohorts[path.stem] = Sample(stack["images"], np.array(names)[stack["label"]])
    for name, sample in cohorts.items():
        write_pictures(base / name, sample, None, declared=True)
        result = evaluate(
            study(name, base, base / name, names, 0), base / f"out-{name}", store=work / "store"
        )
        yield name, "", result


def verdict_row(name: str, seed: object, target: str, result: Result) -> str:
    """One line of the table of verdicts."""
    signs = [SIGNS[result.verdicts[c]] for c in Characteristic]
    return f"| {name} | {seed} | {target or 'none'} | " + " | ".join(signs) + " |"


def missed(target: str, result: Result) -> list[str]:
    """Say what a case got wrong: the target not failed, or real data failed."""
    failed = [str(c) for c, v in result.verdicts.items() if v is Verdict.FAIL]
    if not target:
        return failed
    return [] if target in failed else [f"{target} is {result.verdicts[Characteristic(target)]}"]


HEAD = (
    "| case | seed | must fail | " + " | ".join(str(c) for c in Characteristic) + " |",
    "| --- " * (3 + len(Characteristic)) + "|",
)


def verdicts(data: Path, work: Path, seeds: int, only: str | None) -> Iterator[str]:
    """Tables of verdicts over the seeds, with what was missed."""
    plans: dict[str, Callable[[int], Iterator[tuple[str, str, Result]]]] = {
        "radiographs": lambda seed: radiograph_cases(data, work, seed),
        "phantoms": lambda seed: phantom_cases(work, seed),
    }
    for plan, cases in plans.items():
        if only not in (None, plan):
            continue
        yield f"### {plan.capitalize()}"
        yield ""
        yield from HEAD
        wrong = []
        for seed in range(seeds):
            for name, target, result in cases(seed):
                yield verdict_row(name, seed, target, result)
                wrong += [f"{name}, seed {seed}: {m}" for m in missed(target, result)]
        yield ""
        yield f"Missed: {'; '.join(wrong) or 'nothing'}."
        yield ""


def ladder(data: Path, work: Path) -> Iterator[str]:
    """The generators, ordered by the primary joint measure of the image texture."""
    yield "### Ladder of generators (MedNIST, 32 x 32)"
    yield ""
    columns = {
        "mmd radiomic": ("mmd", "radiomic"), "mmd resnet": ("mmd", "random-resnet18"),
        "frechet radiomic": ("frechet_distance", "radiomic"),
        "spectrum [dB]": ("spectrum_distance", None), "coverage": ("coverage", "radiomic"),
        "memorised": ("memorised_share", None), "membership AUC": ("membership_auc", None),
    }  # fmt: skip
    yield f"| cohort | {' | '.join(columns)} | fidelity | privacy | utility |"
    yield "| --- " * (len(columns) + 4) + "|"
    rows = []
    for name, _, result in ladder_cases(data, work):
        found = [result.measurement(f"imaging.{_room(m)}.{m}", v) for m, v in columns.values()]
        cells = ["-" if f.value is None else f"{f.value:.3f}" for f in found]
        signs = [SIGNS[result.verdicts[c]] for c in ("fidelity", "privacy", "utility")]  # type: ignore[index]
        rows.append((found[0].value or 0.0, f"| {name} | {' | '.join([*cells, *signs])} |"))
    yield from (row for _, row in sorted(rows))
    yield ""


def _room(measure: str) -> str:
    return "privacy" if measure.startswith("mem") else "fidelity"


def main() -> None:
    """Run the cases and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", choices=["radiographs", "phantoms", "ladder"])
    parser.add_argument("--markdown", type=Path, help="page whose measured part is replaced")
    parser.add_argument("--work", type=Path, help="folder to keep; a temporary one by default")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = args.work or Path(temporary)
        parts = [verdicts(args.data, work, args.seeds, args.only)]
        if args.only in (None, "ladder"):
            parts.append(ladder(args.data, work))
        lines = printed(chain.from_iterable(parts))
    if args.markdown:
        replace_measured(args.markdown, lines)


if __name__ == "__main__":
    main()
