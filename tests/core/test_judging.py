"""Verdicts: the rules, and that they cannot say pass by accident."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdq_core.judging import Code, characteristic_verdicts, exit_code, judge, judge_all
from sdq_core.measurement import Interval, Measurement
from sdq_core.profiles import Criterion, Profile
from sdq_core.reasons import why
from sdq_core.vocabulary import Characteristic, Verdict

ID = "imaging.fidelity.mmd"


def rule(**values):
    return Criterion(id=ID, reason="r", source="s", **values)


def measured(value=0.5, low=None, high=None, **values):
    interval = None if low is None else Interval(low, high, "test")
    return Measurement(ID, value, interval=interval, **values)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 0.9, Verdict.PASS),
        (0.1, 1.0, Verdict.PASS),
        (0.9, 1.1, Verdict.INCONCLUSIVE),
        (1.1, 1.2, Verdict.FAIL),
    ],
)
def test_the_interval_decides_not_the_value(low, high, verdict):
    assert judge(measured((low + high) / 2, low, high), rule(at_most=1.0)).verdict is verdict


def test_a_number_without_interval_is_exact():
    assert judge(measured(1.0), rule(at_most=1.0)).verdict is Verdict.PASS
    assert judge(measured(1.01), rule(at_most=1.0)).verdict is Verdict.FAIL


def test_no_value_is_never_a_pass():
    judgement = judge(Measurement(ID, **why("no_holdout")), rule(at_most=1e9))
    assert judgement.verdict is Verdict.NOT_ASSESSED
    assert judgement.code is Code.NO_VALUE


def test_too_few_items_are_inconclusive_however_good_the_value():
    judgement = judge(
        measured(0.0, 0.0, 0.0, n={"synthetic": 49, "real": 500}), rule(at_most=1.0, minimum_n=50)
    )
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.code is Code.TOO_FEW


@pytest.mark.parametrize(
    ("low", "value", "high", "verdict"),
    [
        (4.0, 5.0, 6.0, Verdict.FAIL),  # stretched twice: 3 to 7
        (1.4, 2.0, 2.6, Verdict.INCONCLUSIVE),  # 0.8 to 3.2
        (-4.0, -3.0, -2.0, Verdict.FAIL),  # -5 to -1, below 0
        (0.4, 0.5, 0.6, Verdict.INCONCLUSIVE),
    ],
)
def test_too_few_items_fail_only_where_they_are_far_outside(low, value, high, verdict):
    few = measured(value, low, high, n={"synthetic": 25, "real": 500})
    judgement = judge(few, rule(at_least=0.0, at_most=1.0, minimum_n=100))
    assert judgement.verdict is verdict
    assert (judgement.code is Code.OUTSIDE) == (verdict is Verdict.FAIL)


def test_a_gross_value_without_interval_of_too_few_items_stays_open():
    few = measured(9.0, n={"synthetic": 25})
    assert judge(few, rule(at_most=1.0, minimum_n=100)).verdict is Verdict.INCONCLUSIVE
    none = measured(9.0, 8.0, 10.0, n={"synthetic": 0, "real": 500})
    assert judge(none, rule(at_most=1.0, minimum_n=100)).verdict is Verdict.INCONCLUSIVE


def test_a_missing_noise_floor_is_not_assessed():
    judgement = judge(measured(0.1, better="lower"), rule(within_noise_floor=2.0))
    assert judgement.verdict is Verdict.NOT_ASSESSED
    assert judgement.code is Code.NO_FLOOR


@pytest.mark.parametrize(
    ("better", "value", "verdict"),
    [
        ("lower", 0.70, Verdict.PASS),  # limit 0.5 + 2 * 0.1
        ("lower", 0.71, Verdict.FAIL),
        ("lower", -9.0, Verdict.PASS),
        ("higher", 0.10, Verdict.PASS),  # limit 0.5 - 2 * 0.2
        ("higher", 0.09, Verdict.FAIL),
        ("higher", 9.0, Verdict.PASS),
        ("closer", 0.10, Verdict.PASS),
        ("closer", 0.70, Verdict.PASS),
        ("closer", 0.09, Verdict.FAIL),
        ("closer", 0.71, Verdict.FAIL),
    ],
)
def test_the_margin_is_measured_from_the_centre_of_the_noise_floor(better, value, verdict):
    floor = Interval(0.3, 0.6, "test", centre=0.5)
    found = judge(measured(value, better=better, noise_floor=floor), rule(within_noise_floor=2.0))
    assert found.verdict is verdict


def test_slack_widens_the_margin():
    floor = Interval(0.5, 0.5, "test", centre=0.5)
    m = measured(0.55, better="lower", noise_floor=floor)
    assert judge(m, rule(within_noise_floor=1.0)).verdict is Verdict.FAIL
    assert judge(m, rule(within_noise_floor=1.0, slack=0.1)).verdict is Verdict.PASS


def test_an_absolute_limit_overrides_the_margin_unless_relative_to_real():
    floor = Interval(0.80, 0.90, "test", centre=0.85)
    m = measured(0.82, better="higher", noise_floor=floor)
    both = {"at_least": 0.95, "within_noise_floor": 1.0}
    assert judge(m, rule(**both)).verdict is Verdict.FAIL
    assert judge(m, rule(**both, relative_to_real=True)).verdict is Verdict.PASS


def test_a_declared_target_takes_the_place_of_the_limit():
    m = measured(100.0, target=300.0)
    criterion = rule(at_least=50, declared_target="at_least")
    assert judge(measured(100.0), criterion).verdict is Verdict.PASS
    assert judge(m, criterion).verdict is Verdict.FAIL


def test_the_sample_that_would_settle_it_is_estimated():
    # Limit 1 between value 0.8 and upper end 1.2: a quarter of the width needs 4 times the items.
    judgement = judge(measured(0.8, 0.4, 1.2), rule(at_most=1.0))
    assert judgement.needed_factor == pytest.approx(4.0)


def test_a_criterion_without_measurement_is_not_assessed_and_named():
    profile = Profile.model_validate(
        {
            "schema": "sdq.profile/1",
            "name": "p",
            "version": "1",
            "modality": "imaging",
            "criteria": [rule(at_most=1.0, mandatory=True).model_dump()],
        }
    )
    (judgement,) = judge_all([], profile)
    assert judgement.code is Code.NOT_PRODUCED
    verdicts = characteristic_verdicts([judgement])
    assert verdicts[Characteristic.FIDELITY] is Verdict.NOT_ASSESSED
    assert list(verdicts) == list(Characteristic), "in the standard's order"


def test_one_criterion_judges_every_variant_and_the_worst_decides():
    profile = Profile.model_validate(
        {
            "schema": "sdq.profile/1",
            "name": "p",
            "version": "1",
            "modality": "imaging",
            "criteria": [rule(at_most=1.0, mandatory=True).model_dump()],
        }
    )
    good = measured(0.1, variant="a")
    bad = measured(2.0, variant="b")
    found = judge_all([good, bad], profile)
    assert [j.verdict for j in found] == [Verdict.PASS, Verdict.FAIL]
    assert characteristic_verdicts(found)[Characteristic.FIDELITY] is Verdict.FAIL


@pytest.mark.parametrize(
    ("mandatory", "value", "code"),
    [(True, 0.5, 0), (True, 2.0, 1), (False, 2.0, 1), (True, None, 3), (False, None, 0)],
)
def test_exit_codes(mandatory, value, code):
    m = Measurement(ID, **why("no_holdout")) if value is None else measured(value)
    assert exit_code([judge(m, rule(at_most=1.0, mandatory=mandatory))]) == code


@given(
    value=st.floats(-10, 10),
    half=st.floats(0, 5),
    limit=st.floats(-10, 10),
    f=st.floats(0.1, 5),
    floor=st.floats(0, 3),
    better=st.sampled_from(["lower", "higher", "closer"]),
)
def test_pass_means_inside_and_fail_means_outside(value, half, limit, f, floor, better):
    m = measured(
        value,
        value - half,
        value + half,
        better=better,
        noise_floor=Interval(limit - floor, limit + floor, "test", centre=limit),
    )
    found = judge(m, rule(within_noise_floor=f))
    low = -math.inf if found.low is None else found.low
    high = math.inf if found.high is None else found.high
    inside = low <= m.interval.low and m.interval.high <= high
    outside = m.interval.high < low or m.interval.low > high
    assert (found.verdict is Verdict.PASS) == inside
    assert (found.verdict is Verdict.FAIL) == outside


def test_a_measurement_has_a_value_or_a_reason():
    with pytest.raises(ValueError, match="exactly one"):
        Measurement(ID)
    with pytest.raises(ValueError, match="exactly one"):
        Measurement(ID, 1.0, reason="also")
    with pytest.raises(ValueError, match="finite"):
        Measurement(ID, math.nan)
    with pytest.raises(ValueError, match="finite"):
        Interval(0.0, math.inf, "test")


def test_what_is_not_applicable_counts_neither_way():
    why_not = Measurement("signals.fidelity.rhythm", reason="an EEG has no beats", applicable=False)
    other = Measurement("signals.fidelity.spectrum", 1.0)
    profile = Profile(
        schema="sdq.profile/1", name="p", version="1", modality="signals",
        criteria=[
            Criterion(id=id_, variant=variant, mandatory=True, at_most=2, reason="", source="")
            for id_, variant in (
                ("signals.fidelity.rhythm", None),
                ("signals.fidelity.rhythm", "rate"),
                ("signals.fidelity.spectrum", None),
            )
        ],
    )  # fmt: skip
    judged = judge_all([why_not, other], profile)
    assert [j.code for j in judged] == [Code.NOT_APPLICABLE, Code.INSIDE]
    assert judged[0].verdict is None
    assert characteristic_verdicts(judged)[Characteristic.FIDELITY] is Verdict.PASS
    with pytest.raises(ValueError, match="not applicable"):
        Measurement("signals.fidelity.rhythm", 1.0, applicable=False)


def test_a_variant_that_is_not_applicable_excuses_no_other():
    id_ = "signals.fidelity.rhythm"
    profile = Profile(
        schema="sdq.profile/1", name="p", version="1", modality="signals",
        criteria=[
            Criterion(id=id_, variant=variant, mandatory=True, at_most=2, reason="", source="")
            for variant in ("rate", "spread")
        ],
    )  # fmt: skip
    missing = Measurement(id_, reason="none", variant="rate", applicable=False)
    judged = judge_all([missing], profile)
    assert [j.code for j in judged] == [Code.NOT_APPLICABLE, Code.NOT_PRODUCED]
