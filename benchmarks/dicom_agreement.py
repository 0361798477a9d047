"""Agreement of the DICOM rules with dciodvfy, by IOD, and under mutation.

    python benchmarks/dicom_agreement.py [FOLDER ...] [--mutate] [--record FILE]

Judges pydicom's bundled files and those in the folders, each content once, and prints the tables
of ``docs/dicom.md``.
``--mutate`` also deletes and empties every element of one file of each kind in turn. ``--record``
writes dciodvfy's answers on pydicom's files and their mutants for ``tests/imaging``.
Needs ``dciodvfy`` (Debian: ``apt-get install dicom3tools``).
"""

from __future__ import annotations

import argparse
import copy
import gzip
import hashlib
import io
import json
import logging
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.sequence import Sequence

from sdq_imaging import dicom_tables
from sdq_imaging.dicom.agreement import Agreement, for_review, ours
from sdq_imaging.dicom.condition_coverage import ASKED, DECIDED, SILENT, condition_coverage
from sdq_imaging.dicom.functional_groups import functional_group_faults
from sdq_imaging.dicom.required_attributes import missing_attributes, open_questions
from sdq_imaging.dicom.second_opinion import PROGRAM, Fault, lines_of, parse, unknown_object
from sdq_imaging.dicom_rules import level_of

OTHER = {
    ".py", ".pyc", ".json", ".txt", ".md", ".dump", ".icc", ".gz", ".jpeg", ".typed", ".zip",
}  # fmt: skip
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
MUTATED = (
    "CT_small.dcm", "MR_small.dcm", "examples_palette.dcm", "examples_rgb_color.dcm",
    "liver_1frame.dcm", "SC_rgb_small_odd.dcm",
)  # fmt: skip
"""Files of pydicom that are mutated: CT, MR, two of ultrasound, segmentation, capture."""
UNTOUCHED = frozenset({0x00080016, 0x00080005, 0x7FE00010})
"""Elements without which the object is another one."""


def bundled() -> list[Path]:
    """Return the DICOM files that pydicom carries."""
    import pydicom.data

    return files(Path(pydicom.data.__file__).parent)


def files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix not in OTHER)


def opened(path: Path) -> Dataset | None:
    """Open an image of an IOD of the tables; None for everything else."""
    try:
        dataset = dcmread(path, force=True)
        list(dataset)
    except Exception:  # files that are broken on purpose
        return None
    return dataset if dicom_tables.iod_of(str(dataset.get("SOPClassUID", ""))) else None


def judged(dataset: Dataset) -> tuple[tuple[Fault, ...], frozenset[str]]:
    """Return our faults, and the places that we give to a person or ask one about."""
    level = level_of(dataset)
    has_pixels = any(keyword in dataset for keyword in PIXELS)
    found = (
        *missing_attributes(level, has_pixels=has_pixels),
        *functional_group_faults(level),
    )
    asked = open_questions(level, has_pixels=has_pixels).values()
    return ours(found), for_review(found).union(*asked)


def mutants(dataset: Dataset) -> Iterator[tuple[str, Dataset]]:
    """Delete and empty each element in turn, three levels down, in first items."""
    for path, tag in list(_elements(dataset)):
        for kind in ("delete", "empty"):
            changed = copy.deepcopy(dataset)
            place = changed
            for step in path:
                place = place[step].value[0]
            if kind == "delete":
                del place[tag]
            elif _has_value(place[tag].value):
                place[tag].value = Sequence() if place[tag].VR == "SQ" else None
            else:
                continue
            name = "/".join(f"{step:08X}" for step in (*path, tag))
            yield f"{kind} {name}", changed


def _has_value(value: object) -> bool:
    return value is not None and value != "" and not (hasattr(value, "__len__") and not len(value))


def _elements(dataset: Dataset, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple, int]]:
    for element in dataset:
        tag = int(element.tag)
        if element.tag.is_private or tag in UNTOUCHED or not element.tag.element:
            continue
        yield path, tag
        if element.VR == "SQ" and element.value and len(path) < 3:
            yield from _elements(element.value[0], (*path, tag))


def written(dataset: Dataset, path: Path) -> Dataset | None:
    """Write a mutant and read it back; None where it cannot be written."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset.save_as(path, enforce_file_format=False)
            return dcmread(path)
    except Exception:
        return None


def compare(paths: list[Path]) -> dict[str, Agreement]:
    """Compare both sides file by file; return the agreement by IOD."""
    found: dict[str, Agreement] = defaultdict(Agreement)
    unknown, aborted, ours_s, theirs_s = Counter(), Counter(), 0.0, 0.0
    seen: set[str] = set()
    for path in paths:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        dataset = None if digest in seen else opened(path)
        seen.add(digest)
        if dataset is None:
            continue
        iod = dicom_tables.iod_of(str(dataset.SOPClassUID))
        start = time.perf_counter()
        lines = lines_of(path)
        theirs_s += time.perf_counter() - start
        if lines is None:
            aborted[iod] += 1
            continue
        if unknown_object(lines):
            unknown[iod] += 1
            continue
        start = time.perf_counter()
        mine, review = judged(dataset)
        ours_s += time.perf_counter() - start
        found[iod].add(mine, parse(lines), review)
    total = sum(a.files for a in found.values())
    mean, other = 1e3 * ours_s / total, 1e3 * theirs_s / total
    print(f"\n{total} files; {mean:.1f} ms a file here, {other:.1f} ms for dciodvfy with its start")
    print(f"unknown to dciodvfy: {dict(unknown)}; it aborts on: {dict(aborted)}\n")
    return dict(sorted(found.items()))


def table(found: dict[str, Agreement]) -> None:
    """Print the agreement by IOD in Markdown."""
    print(
        "| IOD | files | both | only sdq | only dciodvfy | precision | recall | "
        "conditional: both | for review | only dciodvfy | only sdq |"
    )
    print("| --- " * 11 + "|")
    whole = Agreement()
    for iod, a in found.items():
        row(iod, a)
        for name in vars(whole):
            setattr(whole, name, getattr(whole, name) + getattr(a, name))
    row("all", whole)
    for name, counts in (
        ("only sdq", whole.only_ours),
        ("only dciodvfy", whole.only_theirs),
        ("conditional, only sdq", whole.conditional_ours),
        ("conditional, only dciodvfy", whole.conditional_theirs),
    ):
        print(f"\n{name}:")
        for (where, kind), n in counts.most_common():
            print(f"- {n} x {where} {kind}")


def row(name: str, a: Agreement) -> None:
    def share(value: float | None) -> str:
        return "" if value is None else f"{value:.4f}"

    print(f"| {name} | {a.files} | {a.both} | {a.only_ours.total()} | {a.only_theirs.total()} | "
          f"{share(a.precision)} | {share(a.recall)} | {a.conditional_both} | "
          f"{a.conditional_review} | {a.conditional_theirs.total()} | "
          f"{a.conditional_ours.total()} |")  # fmt: skip


def mutate(names: tuple[str, ...]) -> dict[str, dict[str, list]]:
    """Mutate files; print how often both sides change alike; return dciodvfy's changes."""
    answers: dict[str, dict[str, list]] = {}
    total = Counter()
    print("\n| file | mutants | same change | only sdq | only dciodvfy |\n" + "| --- " * 5 + "|")
    differing: Counter = Counter()
    conditional: Counter = Counter()
    for name in names:
        path = Path(get_testdata_file(name, download=False))
        dataset = dcmread(path)
        before_mine, before_theirs = _keys(judged(dataset)[0]), _keys(parse(lines_of(path) or ()))
        counts = Counter()
        answers[name] = {}
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "mutant.dcm"
            for label, mutant in mutants(dataset):
                read = written(mutant, target)
                lines = None if read is None else lines_of(target)
                if read is None or lines is None:
                    continue
                theirs = {f for f in parse(lines) if _key(f) not in before_theirs}
                mine, review = judged(read)
                known = _keys(mine)
                mine = {f for f in mine if _key(f) not in before_mine}
                conditional.update(_conditional(theirs, known, review))
                conditional.update(
                    f"only sdq: {f.where}"
                    for f in mine
                    if "C" in f.type and _key(f) not in _keys(tuple(theirs))
                )
                answers[name][label] = sorted([f.where, f.kind, f.type] for f in theirs)
                counts[verdict(mine, theirs)] += 1
                for side, only in (
                    ("only sdq", _strict(mine, theirs)),
                    ("only dciodvfy", _strict(theirs, mine)),
                ):
                    differing.update((name, label, side, f"{f.where} {f.kind}") for f in only)
        n = counts.total()
        print(f"| {name} | {n} | {counts['same']} | {counts['ours']} | {counts['theirs']} |")
        total += counts
    print(f"| all | {total.total()} | {total['same']} | {total['ours']} | {total['theirs']} |\n")
    for entry in sorted(differing):
        print("-", *entry)
    print(f"\nnew conditional faults of dciodvfy on mutants, and ours: {dict(conditional)}")
    return answers


def _conditional(
    theirs: set[Fault], mine: set[tuple[str, str]], review: frozenset[str]
) -> Iterator[str]:
    """Tell of each conditional fault of dciodvfy who else has it."""
    for fault in theirs:
        if "C" not in fault.type:
            continue
        if _key(fault) in mine:
            yield "both"
        else:
            yield "asked" if fault.where in review else f"only dciodvfy: {fault.where}"


def _key(fault: Fault) -> tuple[str, str]:
    return fault.where, fault.kind


def _keys(faults: tuple[Fault, ...]) -> set[tuple[str, str]]:
    return {_key(f) for f in faults}


def _strict(a: set[Fault], b: set[Fault]) -> set[Fault]:
    """Faults of type 1 and 2 that the other side does not have at all."""
    other = {_key(f) for f in b}
    return {f for f in a if f.type in "12" and _key(f) not in other}


def verdict(mine: set[Fault], theirs: set[Fault]) -> str:
    here, there = _strict(mine, theirs), _strict(theirs, mine)
    return "ours" if here else "theirs" if there else "same"


def record(target: Path, answers: dict[str, dict[str, list]]) -> None:
    """Write dciodvfy's answers on pydicom's files, compactly and reproducibly."""
    whole = {}
    for path in bundled():
        dataset = opened(path)
        lines = lines_of(path) if dataset is not None else None
        if lines is not None and not unknown_object(lines):
            key = "/".join(path.parts[path.parts.index("data") + 1 :])
            whole[key] = [[f.where, f.kind, f.type] for f in parse(lines)]
    stored = {
        "program": "dciodvfy of dicom3tools 1.00~20220618",
        "files": whole,
        "mutants": answers,
    }
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", mtime=0) as file:
        file.write(json.dumps(stored, separators=(",", ":")).encode())
    target.write_bytes(buffer.getvalue())
    print(f"{target}: {len(buffer.getvalue())} bytes, {len(whole)} files")


def coverage() -> None:
    """Print who can answer the conditions of the tables."""
    counts, silent = condition_coverage()
    print("\n| conditions | rows | share |\n| --- | --- | --- |")
    for kind in (DECIDED, ASKED, SILENT):
        print(f"| {kind} | {counts[kind]} | {counts[kind] / counts.total():.1%} |")
    print("\nsilent:")
    for module, n in Counter(module for module, _ in silent).most_common():
        print(f"- {n} x {module}")


def main() -> None:
    if shutil.which(PROGRAM) is None:
        raise SystemExit("dciodvfy is not installed: apt-get install dicom3tools")
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--mutate", action="store_true")
    parser.add_argument("--record", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    table(compare([*bundled(), *(p for f in options.folders for p in files(f))]))
    coverage()
    answers = mutate(MUTATED) if options.mutate or options.record else {}
    if options.record:
        record(options.record, answers)


if __name__ == "__main__":
    sys.exit(main())
