"""Values of attributes that few real subjects have are counted, never spelled out."""

import numpy as np
import toy

from sdq_core.characteristics.balance import Balance
from sdq_core.cohort import Cohorts
from sdq_core.rare_values import RARE, nameable


def cohorts(real, synthetic, *, per_subject=1):
    """Cohorts whose attribute ``ward`` has these values; train and holdout share them."""
    n = len(real)
    return Cohorts(
        toy.study(),
        toy.cohort("train", n, 1, attributes={"ward": real}, per_subject=per_subject),
        toy.cohort("synthetic", len(synthetic), 2, attributes={"ward": synthetic}),
        toy.cohort("holdout", n, 3, attributes={"ward": ["north"] * n}, per_subject=per_subject),
    )


def test_three_real_subjects_make_a_value_nameable():
    made = cohorts(["two"] * 2 + ["three"] * 3 + ["north"] * 15, ["two"] * 5 + ["new"] * 5)
    # "two" may have been copied: that the synthetic cohort has it does not make it public.
    assert nameable(made, "ward") == {"north", "three", "new"}


def test_items_of_one_subject_count_once():
    made = cohorts(["room 7"] * 10 + ["north"] * 10, ["north"] * 10, per_subject=5)
    assert nameable(made, "ward") == {"north"}


def test_a_column_of_names_is_no_attribute_and_rare_values_share_a_bar():
    names = cohorts([f"Mrs {k}" for k in range(20)], ["north"] * 10)
    assert not any(m.variant == "ward" for m in Balance("imaging").attributes(names))
    mixed = cohorts(["Mrs 1", "Mrs 2"] + ["south"] * 18, ["south"] * 6 + ["north"] * 6)
    (found,) = [m for m in Balance("imaging").attributes(mixed) if m.variant == "ward"]
    bars = {bar["label"]: bar["real"] for bar in found.details["bars"]}
    assert bars.keys() == {"north", "south", RARE}
    np.testing.assert_allclose([bars[RARE], sum(bars.values())], [2 / 40, 1.0])
    assert "Mrs" not in repr(found)
