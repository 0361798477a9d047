"""The tutorials do what they say: commands and examples run, on a part of the shipped data.

Each tutorial's own commands are run in their order in a folder that holds a part of its fixture;
then its Python examples, which read what the commands wrote. Values in the text are of the whole
data.
"""

import csv
import doctest
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from sdq_core.cli import app

ROOT = Path(__file__).parents[1]
COMMANDS = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
QUICK = {"evaluate": ["--engine", "serial", "--quiet", "--store", "store"]}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def write_rows(path: Path, content: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(content[0]))
        writer.writeheader()
        writer.writerows(content)


def labelled(source: Path, target: Path, count: int) -> None:
    """Copy the first items of each class, with their labels and the files beside them."""
    chosen, taken = [], {}
    for row in rows(source / "labels.csv"):
        taken[row["class"]] = taken.get(row["class"], 0) + 1
        if taken[row["class"]] <= count // 2:
            chosen.append(row)
    write_rows(target / "labels.csv", chosen)
    for row in chosen:
        for file in source.glob(f"{Path(row['item']).stem}.*"):
            shutil.copy(file, target / file.name)


def some_radiographs(source: Path, target: Path) -> None:
    for role in ("train", "holdout", "synthetic"):
        labelled(source / role, target / role, 30)
    study = yaml.safe_load((target / "study.yaml").read_text(encoding="utf-8"))
    study["settings"] = {"embeddings": ["radiomic"]}
    (target / "study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")


def some_recordings(source: Path, target: Path) -> None:
    for role in ("train", "holdout"):
        with np.load(source / f"{role}.npz") as whole:
            kept = np.r_[0:40]
            np.savez(
                target / f"{role}.npz",
                **{
                    k: whole[k][kept] if len(whole[k].shape) and len(whole[k]) == 200 else whole[k]
                    for k in whole
                },
            )
    labelled(source / "synthetic", target / "synthetic", 40)
    shutil.copytree(ROOT / "fixtures/mitdb", target.parent / "mitdb")


def some_patients(source: Path, target: Path) -> None:
    """Take the patients who were copied, and some others."""

    def born(role: str) -> set[tuple[str, str]]:
        return {(r["sex"], r["birth_date"]) for r in rows(source / role / "patients.csv")}

    copied = born("train") & born("synthetic")
    for role in ("train", "holdout", "synthetic"):
        patients = rows(source / role / "patients.csv")
        patients.sort(key=lambda r: (r["sex"], r["birth_date"]) not in copied)
        patients = patients[:80]
        known = {row["patient_id"] for row in patients}
        write_rows(target / role / "patients.csv", patients)
        for table in ("visits", "labs"):
            found = rows(source / role / f"{table}.csv")
            write_rows(
                target / role / f"{table}.csv", [r for r in found if r["patient_id"] in known]
            )
    real = source.parent / "diabetes"
    for role in ("train", "holdout", "synthetic"):
        table = Path("diabetes", role, "patients.csv")
        write_rows(target.parent / table, rows(source.parent / table)[:100])
    for file in real.glob("*.yaml"):
        shutil.copy(file, target.parent / "diabetes")


@pytest.mark.parametrize(
    ("page", "fixture", "reduce"),
    [
        ("tutorial_imaging.md", "cxr", some_radiographs),
        ("tutorial_signals.md", "ecg", some_recordings),
        ("tutorial_ehr.md", "ehr", some_patients),
    ],
)
def test_commands_and_examples_of_a_tutorial_run(page, fixture, reduce, tmp_path, monkeypatch):
    source, target = ROOT / "fixtures" / fixture, tmp_path / "fixtures" / fixture
    target.mkdir(parents=True)
    for file in source.glob("*.yaml"):
        shutil.copy(file, target)
    reduce(source, target)
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    commands = [line[2:] for block in COMMANDS.findall(text) for line in block.splitlines()]
    assert commands, "the tutorial shows no command"
    for command in commands:
        program, verb, *arguments = shlex.split(command)
        assert program == "sdq"
        done = CliRunner().invoke(app, [verb, *arguments, *QUICK.get(verb, [])])
        assert done.exit_code in (0, 1, 3), f"{command}: {done.output} {done.exception!r}"
    found = doctest.testfile(str(ROOT / "docs" / page), module_relative=False)
    assert found.attempted > 0
    assert found.failed == 0
