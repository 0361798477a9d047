"""Cells to values: numbers, dates, truth, missing values; decided on whole columns."""

import datetime as dt
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdq_ehr.cells.columns import Survey, parse_column
from sdq_ehr.cells.texts import clean, safe_cell
from sdq_ehr.schema import MISSING, Column


def read(texts, kind, **more):
    """Return values, rules of the column, rows of each rule."""
    column = Column(type=kind, **more)
    values = texts if isinstance(texts, pa.Array) else pa.array(texts)
    survey = Survey(column)
    survey.add(values)
    manner = survey.conclude()
    parsed = parse_column(values, column, manner)
    rows = {rule: np.flatnonzero(m).tolist() for rule, m in parsed.rows.items()}
    return parsed.values.to_pylist(), manner.rules, rows


@pytest.mark.parametrize(
    ("texts", "values", "rules"),
    [
        (["1.5", "-2", "+3", "1e3", ".5", "5."], [1.5, -2, 3, 1000, 0.5, 5], ()),
        (["1,234.5", "12"], [1234.5, 12], ("thousands",)),
        (["1,234,567", "1,5"], [1234567, None], ("thousands",)),
        (["1.234,5", "7"], [1234.5, 7], ("decimal_comma", "thousands")),
        (["3,75", "1,234"], [3.75, 1.234], ("decimal_comma",)),
        (["0,123"], [0.123], ("decimal_comma",)),
        (["1,234", "5,678"], [1234, 5678], ("decimal_unclear",)),
        (["1.234"], [1.234], ()),
        (["12 345,6", "1 000"], [12345.6, 1000], ("decimal_comma", "thousands")),
        (["12 345.6"], [12345.6], ("thousands",)),
        (["1'234.5"], [1234.5], ("thousands",)),
        (["1234,5,6"], [None], ()),
    ],
)
def test_numbers(texts, values, rules) -> None:
    found, given_rules, _ = read(texts, "number")
    assert found == values
    assert given_rules == rules


def test_declared_decimal_sign_decides() -> None:
    assert read(["1,234"], "number", decimal=",")[0] == [1.234]
    assert read(["1,234"], "number", decimal=".")[0] == [1234]
    assert read(["1,234"], "number", decimal=".")[1] == ("thousands",)


def test_cells_that_are_no_numbers_are_one_finding() -> None:
    values, _, rows = read(["1", "<5", "inf", "nan", "1e999", "0x10", "1_000", "12 3"], "number")
    assert values == [1, *[None] * 7]
    assert rows == {"type": [1, 2, 4, 5, 6, 7]}  # nan is a missing value


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64), min_size=1))
def test_numbers_come_back(numbers) -> None:
    values, _, rows = read([repr(x) for x in numbers], "number")
    assert values == numbers
    assert not rows
    comma, _, _ = read([repr(x).replace(".", ",") for x in numbers], "number", decimal=",")
    assert comma == numbers


@given(st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1), st.booleans())
def test_separated_numbers_come_back(numbers, continental) -> None:
    texts = [f"{x:,.2f}" for x in numbers]
    if continental:
        texts = [t.translate({44: ".", 46: ","}) for t in texts]
    values, _, rows = read(texts, "number")
    assert not rows
    assert all(math.isclose(a, float(b)) for a, b in zip(values, numbers, strict=True))


def test_integers() -> None:
    values, _, rows = read(["7", "8.0", "9.5", "x", "", "999999999999999999999"], "integer")
    assert values == [7, 8, 10, None, None, None]  # a fraction is no missing value
    assert rows == {"type": [3, 5], "fraction": [2]}


def days(texts, **more):
    values, rules, rows = read(texts, "date", **more)
    return [v and v.isoformat() for v in values], rules, rows


def test_five_forms_of_dates() -> None:
    texts = ["2020-01-02", "20200102", "2020年1月2日", "2020/1/2", "2020.01.02"]
    assert days(texts)[0] == ["2020-01-02"] * 5
    assert days(texts)[1] == ("date_forms",)
    assert days(["31/12/2020", "02/01/2020"])[0] == ["2020-12-31", "2020-01-02"]
    assert days(["31/12/2020", "02/01/2020"])[1] == ("date_order_found",)
    assert days(["12/31/2020", "01/02/2020"])[0] == ["2020-12-31", "2020-01-02"]


def test_order_of_day_and_month_is_never_guessed_cell_by_cell() -> None:
    found, rules, rows = days(["03/04/2021", "05/06/2021"])
    assert found == ["2021-04-03", "2021-06-05"]
    assert rules == ("date_order_unclear",)
    assert days(["03/04/2021"], date_order="mdy")[0] == ["2021-03-04"]
    assert days(["03/04/2021"], date_order="mdy")[1] == ()
    found, rules, rows = days(["13/01/2021", "14/01/2021", "01/15/2021"])
    assert found == ["2021-01-13", "2021-01-14", None]
    assert rows == {"type": [2]}


def test_days_that_are_not_in_the_calendar() -> None:
    found, _, rows = days(["2021-02-29", "2020-02-29", "2020-13-01", "00000101", "2021-1-32", "x"])
    assert found == [None, "2020-02-29", None, None, None, None]
    assert rows == {"type": [0, 2, 3, 4, 5]}


def test_times() -> None:
    texts = [
        "2020-01-02T03:04:05.25",
        "2020-01-02 3:04 PM",
        "2020年1月2日 3时4分",
        "20200102030405",
    ]
    values, _, rows = read(texts, "datetime")
    assert not rows
    assert values == [
        dt.datetime(2020, 1, 2, 3, 4, 5, 250000), dt.datetime(2020, 1, 2, 15, 4),
        dt.datetime(2020, 1, 2, 3, 4), dt.datetime(2020, 1, 2, 3, 4, 5),
    ]  # fmt: skip
    assert read(["2020-01-02 25:00", "2020-01-02 10:60"], "datetime")[2] == {"type": [0, 1]}


def test_zones() -> None:
    near = read(["2020-01-02T23:00:00-05:00", "2020-07-02T23:00:00-04:00"], "datetime")
    assert near[0] == [dt.datetime(2020, 1, 2, 23), dt.datetime(2020, 7, 2, 23)]
    assert near[1] == ("zone_dropped",)
    far = read(["2020-01-02T23:00:00-05:00", "2020-01-02T23:00:00+08:00"], "datetime")
    assert far[0] == [dt.datetime(2020, 1, 3, 4), dt.datetime(2020, 1, 2, 15)]
    assert far[1] == ("zones_mixed",)


@given(st.lists(st.datetimes(), min_size=1), st.sampled_from(["T", " "]))
def test_times_come_back(times, sign) -> None:
    values, _, rows = read([t.isoformat(sign) for t in times], "datetime")
    assert values == times
    assert not rows


@given(st.lists(st.dates(), min_size=1))
def test_short_dates_come_back(dates) -> None:
    texts = [d.strftime("%d/%m/") + f"{d.year:04d}" for d in dates]
    assert read(texts, "date", date_order="dmy")[0] == dates


def test_time_of_day_of_a_date_is_told() -> None:
    assert days(["2020-01-02 10:30"])[1] == ("time_of_day_dropped",)
    assert days(["2020-01-02 00:00:00"])[1] == ()
    assert days(["2020-01", "2020"])[0] == ["2020-01-01", "2020-01-01"]
    assert days(["2020-01", "2020"])[1] == ("partial_date",)


def test_booleans() -> None:
    values, _, rows = read(["Yes", "否", "1", "0.0", "TRUE", "maybe", ""], "boolean")
    assert values == [True, False, True, False, True, None, None]
    assert rows == {"type": [5]}


def test_missing_values() -> None:
    texts = ["", " ", "NA", "null", "NONE", "NaN", "n/a", ".", "-", "0"]
    for kind in ("number", "category", "text", "code"):
        assert read(texts, kind)[0][:9] == [None] * 9
    assert clean(pa.array(["NA"]), "category", [""]).values.to_pylist() == ["NA"]


def test_full_width() -> None:
    values, _, rows = read(["１２．５", "３"], "number")
    assert values == [12.5, 3]
    assert rows == {"full_width": [0, 1]}
    assert read(["Ｉ１０．９"], "code")[0] == ["I10.9"]
    assert read(["２０２０－０１－０２"], "date")[0] == [dt.date(2020, 1, 2)]
    kept, _, rows = read(["男（成人）", "类型１"], "category")
    assert kept == ["男（成人）", "类型1"]  # brackets are right in Chinese, digits are not
    assert rows == {"full_width": [1]}
    assert read(["说明：１"], "text")[0] == ["说明：１"]


def test_codes_of_a_float_column() -> None:
    values, rules, _ = read(["250.0", "401.0", ""], "code")
    assert values == ["250", "401", None]
    assert rules == ("float_code",)
    # ICD-9 does write 250.0: one code with another digit shows it.
    assert read(["250.0", "401.9"], "code")[0] == ["250.0", "401.9"]
    assert read(pa.array([250.0, None, 401.0]), "code")[0] == ["250", None, "401"]
    assert read(pa.array([250.0, None, 401.0]), "code")[1] == ("float_code",)
    assert read(["1.0", "2.0"], "category")[:2] == (["1", "2"], ("float_code",))
    assert read(pa.array([1.0, 2.0]), "category")[:2] == (["1", "2"], ("float_code",))
    assert read(["1.0", "1.5"], "category")[0] == ["1.0", "1.5"]
    assert read(pa.array([250.5, math.nan]), "code")[0] == ["250.5", None]
    assert read(pa.array([7, None]), "identifier")[0] == ["7", None]


def test_native_values() -> None:
    assert read(pa.array([1, 2]), "number")[0] == [1.0, 2.0]
    values, _, rows = read(pa.array([1.0, math.nan, math.inf]), "number")
    assert values == [1.0, None, None]
    assert rows == {"type": [2]}
    when = pa.array([dt.datetime(2020, 1, 2, 23)]).cast(pa.timestamp("ns", "Asia/Shanghai"))
    assert read(when, "datetime")[0] == [dt.datetime(2020, 1, 3, 7)]
    assert read(when, "date")[0] == [dt.date(2020, 1, 3)]
    assert read(pa.array([True, None]), "boolean")[0] == [True, None]
    values, _, rows = read(pa.array([[1], None]), "category")
    assert values == [None, None]
    assert rows == {"type": [0]}
    assert read(pa.array([20200102]), "date")[0] == [dt.date(2020, 1, 2)]


KINDS = ("number", "integer", "date", "datetime", "boolean", "code", "category", "text")
cells = st.text(max_size=12) | st.sampled_from(
    [*MISSING, "1,5", "1.234,5", "03/04/2021", "2020-01-02T00:00Z", "２", "=1+1", "1" * 70]
)


@settings(max_examples=60)
@given(st.lists(st.none() | cells, max_size=12), st.sampled_from(KINDS), st.data())
def test_nothing_raises_and_blocks_change_nothing(texts, kind, data) -> None:
    column, values = Column(type=kind), pa.array(texts, pa.string())
    cut = data.draw(st.integers(0, len(texts)))
    whole, parts = Survey(column), Survey(column)
    whole.add(values)
    parts.add(values[:cut])
    parts.add(values[cut:])
    manner = whole.conclude()
    assert manner.float_code == parts.conclude().float_code
    assert manner.calendar.order == parts.conclude().calendar.order
    assert manner.style.decimal == parts.conclude().style.decimal
    once = parse_column(values, column, manner)
    pieces = [parse_column(v, column, manner).values for v in (values[:cut], values[cut:])]
    assert once.values.to_pylist() == [x for p in pieces for x in p.to_pylist()]
    # Every cell is read, missing, or a finding; a fraction among whole numbers is rounded.
    bad = once.rows.get("type", np.zeros(len(values), bool))
    absent = np.array([t is None for t in texts], bool) | np.array(
        [v is None for v in clean(values, kind, MISSING).values.to_pylist()], bool
    )
    empty = np.array([v is None for v in once.values.to_pylist()], bool)
    assert (empty == (bad | absent)).all()


@given(st.text())
def test_safe_cells(text) -> None:
    safe = safe_cell(text)
    assert safe.lstrip("'") == text.lstrip("'") or safe == text
    if safe == text and text.strip(" ")[:1] in ("=", "+", "-", "@") and text.strip(" "):
        float(text)
    for formula in ("=1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", " =1", "＝1"):
        assert safe_cell(formula).startswith("'")
