"""Does the instrument see what it should? `sdq calibrate` on the shipped studies of all modalities.

    python benchmarks/calibration.py --output DIR [--runs 5] [--budget 30min] [--all-severities]
        [--only imaging signals ehr dicom] [--markdown docs/validity.md]

The shipped real data are dealt out anew by subject; a fresh part stands in for a perfect generator,
then each defect of the modality's catalogue is planted in it, at the severity from which on the
profile calls it unacceptable. A run that was ended goes on in the same DIR. `--quick` plants one
defect a modality, once, in a part of the data.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.csv as pq_csv
from markdown import printed, replace_measured

from sdq_core.calibration.calibrating import Options, calibrate
from sdq_core.calibration.model import Calibration, DefectSummary, SeveritySummary, Tally
from sdq_core.commands.calibrate import seconds
from sdq_core.study import Study, load_study
from sdq_core.vocabulary import Characteristic, Role

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "fixtures/dicom"))

TITLES = {
    "imaging": "Chest radiographs (`fixtures/cxr`)",
    "dicom": "DICOM phantoms (`fixtures/dicom`)",
    "signals": "Electrocardiograms (`fixtures/ecg`)",
    "ehr": "Health records (`fixtures/ehr`)",
}
QUICK = {
    "imaging": ("blur",),
    "dicom": ("blur",),
    "signals": ("clipped",),
    "ehr": ("identity-numbers",),
}
"""One defect each that is seen without doubt."""


def studies(work: Path, quick: bool) -> Iterator[tuple[str, Study]]:
    """Return the shipped studies, or small parts of them; phantoms are made on the spot."""
    for name, folder in (("imaging", "cxr"), ("signals", "ecg"), ("ehr", "ehr")):
        study = load_study(ROOT / "fixtures" / folder / "study.yaml")
        if quick and name == "imaging":
            continue  # the phantoms are images too
        if quick:
            study = _part(study, work / name, 100)
        yield name, study
    from make_dicom import CLASSES, write_cohort

    for seed, role in enumerate(("train", "holdout", "synthetic")):
        if not (work / role).exists():
            write_cohort(work / role, 80, seed, declared=role == "synthetic")
    yield "dicom", Study.model_validate(
        {
            "name": "DICOM phantoms", "modality": "imaging", "classes": CLASSES,
            "cohorts": {
                role: {"path": work / role, "labels": work / role / "labels.csv"}
                for role in ("train", "holdout", "synthetic")
            },
        }
    )  # fmt: skip


def _part(study: Study, folder: Path, items: int) -> Study:
    """Return a study of the first items of the real cohorts; all that is known of them is kept."""
    cohorts = dict(study.cohorts)
    for role in (Role.TRAIN, Role.HOLDOUT):
        source = cohorts[role].path
        target = folder / str(role) / source.name
        target.parent.mkdir(parents=True)
        if source.is_file():
            with np.load(source) as whole:
                size = len(whole["signals"])
                kept = {k: v[:items] if v.ndim and len(v) == size else v for k, v in whole.items()}
            np.savez(target, **kept)
        else:
            patients = pq_csv.read_csv(source / "patients.csv")["patient_id"][:items]
            target.mkdir()
            for file in source.glob("*.csv"):
                table = pq_csv.read_csv(file)
                known = pc.is_in(table["patient_id"], patients)
                pq_csv.write_csv(table.filter(known), target / file.name)
        cohorts[role] = cohorts[role].model_copy(update={"path": target})
    return study.model_copy(update={"cohorts": cohorts})


def report(name: str, found: Calibration) -> Iterator[str]:
    """Yield the page's lines about one study."""
    sizes = ", ".join(f"{role} {n}" for role, n in found.sizes.items())
    yield f"### {TITLES[name]}"
    yield ""
    yield (
        f"Profile {found.profile['name']} {found.profile['version']}; items dealt out at most: "
        f"{sizes}; {found.seeds} seeds."
    )
    yield ""
    yield from _clean(found)
    yield from _defects(found)
    yield from _lists(found)


def _clean(found: Calibration) -> Iterator[str]:
    clean = found.clean
    if clean.study is None:
        yield "No fresh sample was judged."
        yield ""
        return
    yield f"Clean data: a mandatory measure failed in {clean.study.in_words().en}."
    yield ""
    yield "| | pass | open | fail | not assessed |"
    yield "| --- | --- | --- | --- | --- |"
    for characteristic in Characteristic:
        tally = clean.characteristics.get(characteristic)
        if tally is not None:
            yield (
                f"| {characteristic} | {_passed(tally)} | {tally.inconclusive} | "
                f"{tally.fail.count} | {tally.not_assessed} |"
            )
    yield ""
    failing = {k: t for k, t in clean.measures.items() if t.fail.count}
    if failing:
        told = ", ".join(f"{_short(k)} {t.fail.count}" for k, t in sorted(failing.items()))
        yield f"Measures that failed clean data, in how many runs: {told}."
        yield ""
    for estimate in clean.estimated:
        if estimate.alarms is not None and estimate.mean is not None:
            yield (
                f"{_short(estimate.measure)} of clean data: mean {estimate.mean:.3g}, "
                f"alarms in {estimate.alarms.count} of {estimate.alarms.n} runs."
            )
            yield ""


def _defects(found: Calibration) -> Iterator[str]:
    yield "| planted | at | must fail | found | open | passed | failed besides | estimate |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    missed, passed = [], []
    for defect in found.defects:
        for one in defect.severities:
            targets = " or ".join(map(str, defect.targets))
            share = f"{one.found.count} of {one.found.n}"
            bold = f"**{share}**" if one.grave and one.found.share < 0.95 else share
            at = defect.at(one.severity).en + ("" if one.grave else " (mild)")
            left = _open(defect, one)
            good = max(0, one.found.n - one.found.count - left)
            yield (
                f"| {defect.title.en} | {at} | {targets} | {bold} | {left} | {good} | "
                f"{_besides(defect, one)} | {_estimate(one)} |"
            )
            if one.grave and good:
                passed.append(f"{defect.title.en} ({good} of {one.found.n})")
            elif one.grave and one.found.share < 0.95:
                missed.append(f"{defect.title.en} ({share})")
    yield ""
    yield f"Passed as good: {'; '.join(passed) or 'none'}."
    yield ""
    yield f"Open, found in less than 95 % of runs: {'; '.join(missed) or 'none'}."
    yield ""


def _lists(found: Calibration) -> Iterator[str]:
    if found.untested:
        yield (
            "Cannot be planted in these data: "
            + "; ".join(f"{u.title.en}" for u in found.untested)
            + "."
        )
        yield ""
    for name, entries in (("Left out by the budget", found.left_out), ("Failed", found.failed)):
        if entries:
            yield f"{name}: " + "; ".join(sorted({str(e.defect or "clean") for e in entries})) + "."
            yield ""


def _passed(tally: Tally) -> int:
    return tally.fail.n - tally.fail.count - tally.inconclusive - tally.not_assessed


def _open(defect: DefectSummary, one: SeveritySummary) -> int:
    """Runs in which no target fails and one is not passed, at most: of the one open most often."""
    tallies = [one.characteristics[c] for c in defect.targets if c in one.characteristics]
    most = max((t.inconclusive + t.not_assessed for t in tallies), default=0)
    return min(most, one.found.n - one.found.count)


def _besides(defect: DefectSummary, one: SeveritySummary) -> str:
    others = {
        c: t.fail.count for c, t in one.characteristics.items()
        if t.fail.count and c not in defect.targets
    }  # fmt: skip
    told = [f"{c} {n}{'' if c in defect.side_effects else ' (!)'}" for c, n in others.items()]
    return ", ".join(told) or "-"


def _estimate(one: SeveritySummary) -> str:
    found = one.estimated
    if found is None or found.mean is None or found.near is None:
        return "-"
    return f"{found.mean:.3g} for {found.planted:.3g}; near in {found.near.count} of {found.near.n}"


def _short(identifier: str) -> str:
    return identifier.split(".", 2)[-1]


def main() -> None:
    """Calibrate and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, help="folder for what is done; kept")
    parser.add_argument("--runs", type=int, default=5, help="seeds of each case (default: 5)")
    parser.add_argument("--budget", help="time for each study, e.g. 30min")
    parser.add_argument("--all-severities", action="store_true")
    parser.add_argument("--only", nargs="+", choices=list(TITLES), default=list(TITLES))
    parser.add_argument("--workers", type=int)
    parser.add_argument("--quick", action="store_true", help="one defect a modality, once")
    parser.add_argument("--markdown", type=Path, help="page whose tables are replaced")
    asked = parser.parse_args()
    work = asked.output or Path(tempfile.mkdtemp(prefix="sdq-calibration-"))
    lines: list[str] = []
    try:
        for name, study in studies(work / "data", asked.quick):
            if name not in asked.only:
                continue
            options = Options(
                seeds=1 if asked.quick else asked.runs,
                all_severities=asked.all_severities,
                only=QUICK[name] if asked.quick else (),
                budget=None if asked.budget is None else seconds(asked.budget),
                workers=asked.workers,
            )
            found = calibrate(study, work / name, options)
            lines += printed(report(name, found))
            if asked.quick and not all(s.found.count for d in found.defects for s in d.severities):
                raise SystemExit(f"{name}: {QUICK[name][0]} was not found")
    finally:
        if asked.output is None:
            shutil.rmtree(work, ignore_errors=True)
    if asked.markdown is not None:
        replace_measured(asked.markdown, lines, "calibration")


if __name__ == "__main__":
    main()
