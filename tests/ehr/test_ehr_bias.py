"""Causes of a difference in tables: the attribute is a column too, and is still the cause."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from ehr_cohorts import simulated_cohorts

from sdq_ehr.explainability import EhrExplainability
from sdq_ehr.simulated_table import replaced


def more_women(tables):
    """Leave out three of four men, so that nothing but the mix changes."""
    table = tables["stays"]
    men = np.array(pc.equal(table["sex"], "M"))
    kept = ~men | (np.cumsum(men) % 4 == 0)
    return {"stays": table.filter(pa.array(kept))}


def another_unit(tables):
    """Give creatinine in another unit where patients come as emergencies."""
    table = tables["stays"]
    there = pc.equal(table["admission"], "emergency")
    moved = pc.if_else(there, pc.multiply(table["creatinine"], 88.4), table["creatinine"])
    return {"stays": replaced(table, "creatinine", moved)}


@pytest.mark.parametrize(
    ("change", "kind", "attribute", "feature"),
    [
        (more_women, "mix", "sex", "stays.sex = "),
        (another_unit, "inside", "admission", "stays.creatinine"),
    ],
)
def test_the_planted_cause_is_named_first(tmp_path, change, kind, attribute, feature):
    cohorts = simulated_cohorts(tmp_path, "table", n=300, change=change, full=False)
    _, causes = EhrExplainability("ehr").sources(cohorts)
    first = causes.details["decomposition"]["causes"][0]
    assert (first["kind"], first["attribute"]) == (kind, attribute)
    assert first["features"][0]["feature"].startswith(feature)
    assert not first["families"]
    if kind == "inside":
        assert first["level"] == "emergency"
