"""The limits of an assessment, in words."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from sdq_core.limits import limits
from sdq_core.measurement import Measurement, Method
from sdq_core.result import MeasureText

MISSING = Measurement("imaging.fidelity.ssim_paired", reason="no pairs", variant="a")
MEASURED = Measurement("imaging.fidelity.mmd", 0.1, method=Method("m", "s"))
NAMES = {
    "imaging.fidelity.ssim_paired": MeasureText(
        title="Similarity of pairs", title_zh="配对相似度", says="", says_zh=""
    )
}


def cohorts(*, shared=(), holdout=True, known=True, readable=500):
    """What the limits ask of the cohorts."""
    one = SimpleNamespace(table=SimpleNamespace(readable=np.ones(readable, bool)))
    return SimpleNamespace(
        shared_subjects=shared,
        holdout=one if holdout else None,
        subjects_known=known,
        all=(one, one),
    )


def test_names_what_was_not_assessed_once_and_by_its_title():
    found = limits(cohorts(), [MISSING, MISSING, MEASURED], NAMES)
    assert found[0].en == "Not assessed at all or in part: Similarity of pairs."
    assert found[0].zh == "全部或部分未评价：配对相似度。"
    assert limits(cohorts(), [MISSING], {})[0].en.endswith(": imaging.fidelity.ssim_paired.")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shared": ("a", "b")}, "2 subjects are in both"),
        ({"holdout": False}, "no holdout"),
        ({"known": False}, "no subject ids"),
        ({"readable": 60}, "60 readable items"),
    ],
)
def test_says_what_the_cohorts_lack(changes, words):
    plain = limits(cohorts(), [MEASURED], NAMES)
    found = limits(cohorts(**changes), [MEASURED], NAMES)
    assert words in found[0].en
    assert found[1:] == plain
    assert len(plain) == 1  # what no measure over sets can see


def test_says_everything_in_both_languages():
    everything = cohorts(shared=("a",), holdout=False, known=False, readable=20)
    for limit in limits(everything, [MISSING], NAMES):
        assert re.search("[\u4e00-\u9fff]", limit.zh)
        assert not re.search("[,:;] ", limit.zh)
        assert limit.en.endswith(".")
        assert limit.zh.endswith("。")
