"""Item lineage: a table beside the items, checked item by item."""

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from toy import by_key, cohorts

from sdq_core.characteristics.explainability import Explainability
from sdq_core.description import Item
from sdq_core.errors import StudyError
from sdq_core.finding import Finding
from sdq_core.lineage import join_lineage, read_lineage

HEAD = "item,seed,condition,generator_version,run\n"
STATED = {"algorithm": {"name": "vae", "version": "1.0"}, "lineage": "lineage.csv"}


def write(folder, text, name="lineage.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def items(*names):
    return [Item(name, (Path(name),)) for name in names]


def traced(folder, text, *, stated=STATED, attributes=None):
    """Measure the lineage of 20 items beside a table; return measurement and findings."""
    made = cohorts(n=(30, 30, 20), study_values={"generator": stated})
    table = read_lineage(write(folder, text))
    joined = join_lineage(made.synthetic.table.items, folder, table)
    values = {k: np.array(v, dtype=np.str_) for k, v in (attributes or {}).items()}
    synthetic = dataclasses.replace(made.synthetic, lineage=joined, attributes=values)
    outputs = list(Explainability("imaging").items(dataclasses.replace(made, synthetic=synthetic)))
    found = [o for o in outputs if isinstance(o, Finding)]
    return by_key(outputs)["imaging.explainability.item_lineage_share"], found


def rows(change=lambda k, row: row, count=20):
    made = (change(k, [f"synthetic/{k:04d}", str(k), "a", "1.0", "r1"]) for k in range(count))
    return HEAD + "".join(",".join(row) + "\n" for row in made if row)


def rules(found):
    return sorted({f.rule.removeprefix("imaging.lineage.") for f in found})


def test_a_table_that_covers_every_item_traces_every_item(tmp_path):
    measured, found = traced(tmp_path, rows())
    assert (measured.value, found) == (1.0, [])
    assert measured.details["traced"] == {"themselves": 0, "table": 20, "wrong": 0}


@pytest.mark.parametrize(
    ("change", "rule", "untraced"),
    [
        (lambda k, row: None if k == 3 else row, "no_row", 1),
        (lambda k, row: ["synthetic/none", *row[1:]] if k == 3 else row, "no_item", 1),
        (lambda k, row: ["synthetic/0004", *row[1:]] if k == 3 else row, "item_twice", 2),
        (lambda k, row: [*row[:3], "0.9", row[4]] if k == 3 else row, "other_version", 1),
        (lambda k, row: [row[0], "", "", "1.0", ""] if k == 3 else row, "no_origin", 1),
        (lambda k, row: [*row[:3], "", row[4]], None, 0),
    ],
)
def test_each_defect_of_a_table_is_found_and_costs_its_items(tmp_path, change, rule, untraced):
    measured, found = traced(tmp_path, rows(change))
    assert measured.value == pytest.approx(1 - untraced / 20)
    named = rules(found)
    assert (rule in named) if rule else (named == [])
    assert all(str(f.severity) == "error" and f.role == "synthetic" for f in found)
    if rule not in (None, "no_item"):
        of_rule = [f.item for f in found if f.rule.endswith(rule)]
        assert of_rule in (["synthetic/0003"], ["synthetic/0004"])


def test_a_table_that_contradicts_the_items_is_found(tmp_path):
    seeds = [str(k) for k in range(20)]
    measured, found = traced(tmp_path, rows(), attributes={"seed": seeds})
    assert (measured.value, found) == (1.0, [])
    seeds[5] = "99"
    measured, found = traced(tmp_path, rows(), attributes={"seed": seeds})
    assert measured.value == pytest.approx(19 / 20)
    assert [(f.rule, f.item) for f in found] == [
        ("imaging.lineage.contradicts_item", "synthetic/0005")
    ]


def test_items_may_say_it_themselves_where_the_table_is_silent(tmp_path):
    own = {"generator": ["vae"] * 20, "seed": [str(k) for k in range(20)]}
    few = rows(count=5)
    measured, found = traced(tmp_path, few, attributes=own)
    assert measured.value == 1.0
    assert rules(found) == ["no_row"], "the provider's table is incomplete all the same"
    assert traced(tmp_path, few)[0].value == 5 / 20


def test_a_table_needs_a_generator_to_lead_to(tmp_path):
    measured, _ = traced(tmp_path, rows(), stated={"lineage": "lineage.csv"})
    assert measured.value == 0.0


def test_a_table_that_was_not_read_is_said():
    made = cohorts(n=(30, 30, 20), study_values={"generator": STATED})
    found = [o for o in Explainability("imaging").items(made) if isinstance(o, Finding)]
    assert [(f.rule, str(f.severity)) for f in found] == [
        ("imaging.lineage.table_not_read", "warning")
    ]
    made = cohorts(n=(30, 30, 20), study_values={"generator": {**STATED, "lineage": "none"}})
    assert not [o for o in Explainability("imaging").items(made) if isinstance(o, Finding)]


def test_items_are_found_beside_the_table_beside_the_cohort_and_inside_a_file(tmp_path):
    text = HEAD + "synthetic/a.png,1,,,\nb.png,2,,,\nstack.npz,3,,,\nstack.npz#1,4,,,\n"
    table = read_lineage(write(tmp_path, text))
    found = join_lineage(
        items("a.png", "b.png", "stack.npz#0", "stack.npz#1"), tmp_path / "synthetic", table
    )
    assert {k: v["seed"] for k, v in found.rows.items()} == {
        "a.png": "1", "b.png": "2", "stack.npz#0": "3", "stack.npz#1": "4"
    }  # fmt: skip
    assert found.unknown == ()


def test_parquet_says_the_same_as_csv(tmp_path):
    table = {"item": ["a.png"], "seed": [7], "run": ["r"], "other": [1.5]}
    pq.write_table(pa.table(table), tmp_path / "l.parquet")
    assert read_lineage(tmp_path / "l.parquet").rows == {
        "a.png": {"seed": "7", "condition": "", "run": "r", "generator_version": ""}
    }


@pytest.mark.parametrize("text", ["item\na\n", "seed\n1\n", "", "\x00\xff"])
def test_what_is_no_lineage_table_is_refused(tmp_path, text):
    (tmp_path / "l.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(StudyError, match="lineage table"):
        read_lineage(tmp_path / "l.csv")
    with pytest.raises(StudyError, match="cannot be read"):
        read_lineage(tmp_path / "none.csv")
