"""The tree of codes: what is missing is marked, and nobody can be seen in it."""

import numpy as np
import pyarrow as pa
import pytest
from ehr_cohorts import cohorts_of

from sdq_core.documents.branches import draw_tree
from sdq_core.documents.details import read_details
from sdq_core.documents.figures import figures
from sdq_core.measurement import Measurement
from sdq_ehr.code_trees import LEAST_PATIENTS, MOST, branches_of
from sdq_ehr.fidelity import EhrFidelity

SCHEMA = {"tables": {"t": {"columns": {"dx": {"type": "code", "system": "icd10"},
                                       "age": {"type": "number"}}}}}  # fmt: skip


def tree_of(folder, lost="I", n=300):
    rng = np.random.default_rng(2)
    codes = ["I10", "I25.1", "I21.9", "E11.9", "E78.0", "J18.9", "N18.9", "C61"]
    p = [0.25, 0.1, 0.05, 0.25, 0.1, 0.15, 0.08, 0.02]
    made = {
        role: {"t": pa.table({
            "dx": rng.choice(codes, n, p=p).tolist(), "age": rng.normal(60, 9, n).round(1)
        })}
        for role in ("train", "holdout", "synthetic")
    }  # fmt: skip
    drawn = ["J18.9" if c.startswith(lost) else c for c in made["synthetic"]["t"]["dx"].to_pylist()]
    made["synthetic"] = {"t": made["synthetic"]["t"].set_column(0, "dx", pa.array(drawn))}
    made["train"]["t"] = made["train"]["t"].set_column(
        0, "dx", pa.array(["Z99.9"] * 3 + made["train"]["t"]["dx"].to_pylist()[3:])
    )
    cohorts = cohorts_of(folder, made, SCHEMA, full=False)
    found = EhrFidelity("ehr").code_frequency(cohorts)
    return next(m for m in found if isinstance(m, Measurement) and m.variant == "all-codes").details


def test_a_missing_chapter_is_marked_and_rare_codes_are_not_shown(tmp_path):
    details = tree_of(tmp_path)
    read, wrong = read_details(details)
    assert not wrong
    branches = {b.label: b for b in read["tree"].branches}
    assert branches["IX I00-I99"].synthetic == 0 < branches["IX I00-I99"].real
    assert branches["IX I00-I99"].depth == 0
    assert branches["I20-I25"].depth == 1
    assert branches["I10"].depth == 2
    chapters = [b.label.split()[-1] for b in read["tree"].branches if b.depth == 0]
    assert chapters == sorted(chapters)
    assert branches["IV E00-E99"].synthetic > 0
    assert not [label for label in branches if label.startswith(("Z", "XXI"))]  # three patients
    svg = draw_tree(read["tree"], "en")
    assert svg.count("missing (real") == sum(
        b.synthetic == 0 < b.real for b in read["tree"].branches
    )
    assert "缺失" in draw_tree(read["tree"], "zh")
    drawn, broken = figures(details, "zh")
    assert not broken
    assert any("缺失" in f.panels[0].svg for f in drawn if f.panels)


@pytest.mark.parametrize(
    ("system", "code", "path"),
    [
        ("icd10", "D50.0", ("III D50-D89", "D50-D53", "D50.0")),
        ("icd10cm", "O9A.111", ("XV O00-O9A", "O9A", "O9A.111")),
        ("icd10cn", "A01.000x005", ("I A00-B99", "A00-A09", "A01.000x005")),
        ("icd9cm", "V30.00", ("V", "V30", "V30.00")),
        ("icd9cm", "E812.0", ("E", "E812", "E812.0")),
        ("atc", "C10AA05", ("C", "C10", "C10AA05")),
        ("icd10", "??", ("?", "??", "??")),
    ],
)
def test_a_code_has_its_chapter_and_block(system, code, path):
    assert branches_of(system)(code) == path


def test_systems_without_a_tree_have_none():
    assert branches_of("snomed") is None
    assert branches_of("") is None
    assert LEAST_PATIENTS >= 10
    assert MOST < 100
