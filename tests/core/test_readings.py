"""Numbers in words and on the axis: never on another side of a limit than the exact ones."""

import re
from decimal import Decimal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sdq_core.documents.axis import draw_axis
from sdq_core.documents.numbers import notation, number, round_notation, unit_suffix
from sdq_core.documents.readings import read
from sdq_core.documents.svg import scale, ticks
from sdq_core.judging import judge
from sdq_core.measurement import Interval, Measurement
from sdq_core.profiles import Criterion
from sdq_core.result import CriterionModel, IntervalModel, MeasurementModel

NUMBER = re.compile(r"(−?[\d,]+(?:\.\d+)?)(?:\s×\xa010([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?")
POWERS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")

finite = st.floats(allow_nan=False, allow_infinity=False)
sizes = st.one_of(st.just(0.0), st.floats(1e-12, 1e12), st.floats(-1e12, -1e-12))
shares = st.floats(0, 1).filter(lambda v: v == 0 or v > 1e-9)
near = st.sampled_from([0, 1, -1, 1e-3, -1e-3, 1e-6, -1e-6, 1e-12, -1e-12])


def seen(words):
    """The numbers that a reader sees, exactly."""
    found = []
    for digits, power in NUMBER.findall(words):
        value = Decimal(digits.replace(",", "").replace("−", "-"))
        found.append(value.scaleb(int(power.translate(POWERS))) if power else value)
    return found


def of(value, ends=None, low=None, high=None, floor=None, unit="1", code="x"):
    """A measurement with a criterion."""
    return MeasurementModel(
        id="a.fidelity.b",
        characteristic="fidelity",
        value=value,
        unit=unit,
        interval=None if ends is None else _interval(ends),
        noise_floor=None if floor is None else _interval(floor),
        criterion=CriterionModel(mandatory=True, rule={}, reason="", source="", low=low, high=high),
        code=code,
    )


def _interval(ends):
    return IntervalModel(low=ends[0], high=ends[1], level=0.95, method="m")


def sign(x):
    return (x > 0) - (x < 0)


@st.composite
def judged(draw, values=sizes):
    """Value, interval and a limit that may lie as near as can be."""
    limit = draw(values)
    three = sorted(
        draw(st.one_of(values, near.map(lambda d: limit + d * max(abs(limit), 1e-3))))
        for _ in range(3)
    )
    return three, limit


def reader_agrees(three, limit, unit):
    low, value, high = three
    for bound in ("low", "high"):
        m = of(value, (low, high), unit=unit, **{bound: limit})
        words = read(m, "en")
        shown = seen(words.estimate)
        # A power of ten stands once, behind all three.
        power = re.search(r"×\xa010(\S+)", words.estimate)
        if power:
            exponent = int(re.match("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", power[1])[0].translate(POWERS))
            digits = re.sub(r"×\xa010\S+", "", words.estimate)
            shown = [v.scaleb(exponent) for v in seen(digits)]
        (bound_shown,) = seen(words.acceptable)
        for exact, found in zip((value, low, high), shown, strict=True):
            assert sign(found - bound_shown) == sign(exact - limit), (words, exact, limit)


@given(judged())
@example(([0.9399, 0.9499, 0.94999999], 0.95))
@example(([-98765.4, -98765.4, 0.0200001], 0.02))
@example(([0.94, 0.95, 0.96], 0.95))
def test_rounding_keeps_every_number_on_its_side_of_the_limit(found):
    reader_agrees(*found, "1")


@given(judged(shares))
@example(([0.3, 0.9499, 0.9499999999], 0.95))
@example(([0.049, 0.0499999, 0.05000001], 0.05))
def test_rounding_keeps_every_share_on_its_side_of_the_limit(found):
    reader_agrees(*found, "share")


@given(value=shares, limit=shares)
@example(value=0.9499, limit=0.95)
@example(value=0.02004, limit=0.02)
def test_a_failing_value_never_reads_as_its_limit(value, limit):
    words = read(of(value, unit="share", low=limit), "zh")
    (left,), (right,) = seen(words.value), seen(words.acceptable)
    assert sign(left - right) == sign(value - limit)


@pytest.mark.parametrize(
    ("value", "ends", "low", "floor", "expected"),
    [
        (0.9499, None, 0.95, None, ("94.99\xa0%", "94.99\xa0%", "", "at least 95\xa0%")),
        (0.972, (0.88, 0.998), 0.8166, (0.922, 1.0),
         ("97\xa0%", "97\xa0% (88\xa0% to 100\xa0%)", "92\xa0% to 100\xa0%",
          "at least 82\xa0%")),
        (0.4118, (0.373, 0.456), 0.9, (0.99971, 1.0),
         ("41.2\xa0%", "41.2\xa0% (37.3\xa0% to 45.6\xa0%)", "100.0\xa0% to 100.0\xa0%",
          "at least 90\xa0%")),
    ],
)  # fmt: skip
def test_shares_in_words(value, ends, low, floor, expected):
    words = read(of(value, ends, low=low, floor=floor, unit="share"), "en")
    assert (words.value, words.estimate, words.floor, words.acceptable) == expected


def test_no_value_no_words():
    words = read(MeasurementModel(id="a.fidelity.b", characteristic="fidelity", code="no_value",
                                  reason="r"), "en")  # fmt: skip
    assert (words.value, words.estimate, words.floor, words.acceptable) == ("", "", "", "")


@given(finite)
def test_every_number_can_be_written(value):
    for unit in ("1", "share", "dB"):
        words = number(value, unit, "en")
        assert re.match(r"−?[\d,]+(\.\d+)?", words)
        assert "inf" not in words
        assert "nan" not in words


@given(st.floats(1e-9, 1e15), st.sampled_from([1, -1]))
def test_one_number_keeps_three_digits(value, side):
    (shown,) = seen(number(side * value))
    assert abs(float(shown) - side * value) <= 0.0051 * value


@given(st.lists(sizes, min_size=2, max_size=4))
def test_numbers_that_are_read_together_keep_their_order(values):
    style = notation(values, "1", "en")
    shown = [style.shown(v) for v in sorted(values)]
    assert shown == sorted(shown)


@given(sizes, sizes)
def test_ticks_are_few_round_and_inside(a, b):
    low, high = sorted((a, b))
    assume(high - low > 1e-9 * max(abs(low), abs(high)) and high - low > 1e-12)
    found = ticks(low, high)
    slack = 1e-6 * (high - low)
    assert 1 <= len(found) <= 7
    assert all(low - slack <= t <= high + slack for t in found)
    style = round_notation(found, "1", "en")
    assert len({style.digits(t) for t in found}) == len(found)


def test_units_are_named_in_both_languages():
    assert unit_suffix("items", "en") == "\xa0items"
    assert unit_suffix("items", "zh") == " 个样本"
    assert unit_suffix("mGy", "zh") == " mGy"
    assert number(-0.0) == "0"
    assert number(-0.001) == "−0.001"


# --- the axis -------------------------------------------------------------------------------------


def drawing(m):
    """Places of the marks: acceptable range, ends of the interval, value."""
    svg = draw_axis(m, "en")
    (ok,) = re.findall(r'<rect class="ok" x="(-?[\d.]+)" y="\S+" width="([\d.]+)"', svg)
    first, width = map(float, ok)
    caps = [tuple(map(float, re.findall(r"(-?[\d.]+),", points)))
            for points in re.findall(r'class="cap" points="([^"]+)"', svg)]  # fmt: skip
    dot = re.search(r'<circle class="dot" cx="(-?[\d.]+)"', svg)
    arrow = re.search(r'<polygon class="dot" points="(-?[\d.]+),\S+ (-?[\d.]+),', svg)
    at = float(dot[1]) if dot else float(arrow[2])
    return first, first + width, caps, at


@given(judged(), st.booleans(), st.one_of(st.none(), st.tuples(sizes, sizes)))
@example(([0.9399, 0.9499, 0.94999999], 0.95), True, None)
@example(([0.0, 0.0, 1e9], 1e9), False, (0.0, 1e-6))
def test_marks_lie_where_the_verdict_says(found, lower, floor):
    (low, value, high), limit = found
    rule = Criterion(
        id="a.fidelity.b", reason="", source="",
        **{"at_least" if lower else "at_most": limit},
    )  # fmt: skip
    verdict = judge(Measurement("a.fidelity.b", value, interval=Interval(low, high, "m")), rule)
    bounds = {"low": limit} if lower else {"high": limit}
    floor = None if floor is None else tuple(sorted(floor))
    first, last, caps, at = drawing(of(value, (low, high), floor=floor, **bounds))
    ends = [x for cap in caps for x in cap] + [at]
    inside = [first - 0.05 <= x <= last + 0.05 for x in ends]
    if verdict.verdict == "pass":
        assert all(inside)
    elif verdict.verdict == "fail":
        assert not any(first < x < last for x in ends)
        assert all(x >= last + 1.9 or x <= first - 1.9 for x in ends)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_number_between_two_limits_lies_between_their_lines(a, b, c):
    low, value, high = sorted((a, b, c))
    assume(low < high)
    first, last, _, at = drawing(of(value, low=low, high=high, unit="share"))
    assert first - 0.15 <= at <= last + 0.15
    if low < value < high:
        assert first + 1.7 <= at <= last - 1.7


def test_a_far_value_is_an_arrow_with_its_number_beside_the_acceptable_range():
    m = of(1234567.8, (1e6, 1.5e6), high=0.0379, floor=(-0.0058, 0.0117))
    first, last, caps, at = drawing(m)
    svg = draw_axis(m, "en")
    assert first == 0
    assert at > last + 50
    assert not caps
    assert ">1,234,568</text>" in svg
    text = float(re.search(r'<text class="t strong halo" x="([\d.]+)"', svg)[1])
    assert text - 7 * len("1,234,568") > last - 3


def test_a_value_alone_needs_no_axis():
    alone = MeasurementModel(id="a.balance.b", characteristic="balance", value=3.0, code="x")
    assert draw_axis(alone, "en") == ""


@given(sizes, sizes, sizes)
def test_scale_stays_inside(a, b, value):
    low, high = sorted((a, b))
    assert 10 <= scale(low, high, 10, 20, value) <= 20
