"""The language of users' rules: against Python on rows, its errors, its limits."""

from __future__ import annotations

import pytest
from clinics_made import dataset_of, one_table
from hypothesis import given
from hypothesis import strategies as st

from sdq_core.vocabulary import Severity
from sdq_ehr.schema import Schema
from sdq_ehr.semantics import Rule, evaluate_rules
from sdq_ehr.semantics.kinds import KINDS
from sdq_ehr.semantics.language import ExpressionError, names, parse


def rule(check, **more):
    made = KINDS["expression"].parameters(check=check, **more)
    return Rule("ehr.semantics.own", "expression", Severity.ERROR, "m; n", "", "s", made)


def broken(dataset, check, **more):
    """Return the broken rows and the number judged; the reason where it does not apply."""
    outcome = evaluate_rules(dataset, [rule(check, **more)])
    if outcome.not_applicable:
        return str(outcome.not_applicable["ehr.semantics.own"])
    rows = outcome.row_findings[0].rows.tolist() if outcome.row_findings else []
    return rows, outcome.counts["ehr.semantics.own"][1]


def table():
    return one_table(
        {
            "a": ({"type": "number"}, [1.0, 2.0, None, 4.0]),
            "b": ({"type": "integer"}, [2, 2, 2, 2]),
            "word": ({}, ["x", "y", "z", None]),
            "between": ({"type": "number"}, [1.0, 5.0, 9.0, None]),
            "Reginol Node Positive": ({"type": "integer"}, [1, 3, 5, 7]),
            "day": ({"type": "date"}, ["2020-01-01", "2020-02-01", "2021-01-01", None]),
            "when": ({"type": "datetime"}, ["2020-01-02T12:00", "2020-01-31", None, None]),
            "yes": ({"type": "boolean"}, [True, False, None, True]),
            "年龄": ({"type": "integer"}, [30, 40, 50, 60]),
        }
    )


@pytest.mark.parametrize(
    ("check", "rows", "judged"),
    [
        ("a <= b", [3], 3),
        ("a + 1 > b * 1", [0], 3),
        ("a is null or a < 4", [3], 4),
        ("not a is not null", [0, 1, 3], 4),
        ("word in ['x', 'y']", [2], 3),
        ("word not in ['x', 'y']", [0, 1], 3),
        ("`between` between 2 and 8", [0, 2], 3),
        ("`between` not between 2 and 8", [1], 3),
        ("`Reginol Node Positive` = 1 OR `Reginol Node Positive` >= 5", [1], 4),
        ("day < '2020-06-01'", [2], 3),
        ("when - day <= 1", [0], 2),
        ("day + 40 > '2020-03-01'", [0], 3),
        ("year(day) = 2020", [2], 3),
        ("yes = true", [1], 3),
        ("yes", [1], 3),
        ("-a < 0", [], 3),
        ("abs(-a) = a", [], 3),
        ("length(word) = 1 and lower(word) = word", [], 3),
        ("年龄 between 35 and 55", [0, 3], 4),
        ("a / (b - 2) > 0", [], 0),
        ("a < 1 and a is null", [0, 1, 3], 3),
        ("b in [-2, 2]", [], 4),
        ("1 < 2", [], 4),
    ],
)
def test_expressions_on_a_table(check, rows, judged):
    assert broken(table(), check) == (rows, judged)


def test_when_narrows_the_rows():
    assert broken(table(), "a < 2", when="word = 'y'") == ([1], 1)


def test_columns_of_the_patient_table_are_read_for_each_row():
    schema = Schema.of({"patient_table": "p", "tables": {
        "p": {"key": "k", "columns": {"k": {"type": "identifier"}, "sex": {},
                                      "born": {"type": "date"}}},
        "v": {"patient": "k", "columns": {"k": {"type": "identifier"},
                                          "psa": {"type": "number"}, "at": {"type": "date"}}},
    }})  # fmt: skip
    data = dataset_of(
        {
            "p": {"k": ["2", "1"], "sex": ["F", "M"], "born": ["1990-01-01", "1960-01-01"]},
            "v": {
                "k": ["1", "2", "2", "9"],
                "psa": [1.0, 2.0, None, 3.0],
                "at": ["2020-01-01"] * 4,
            },
        },
        schema,
    )
    assert broken(data, "p.sex = 'M' or psa is null") == ([1], 3)
    assert broken(data, "at - p.born > 36525 / 2", table="v") == ([1, 2], 3)


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ("nothing > 1", "columns nothing"),
        ("a > 'x'", "a number is compared with a text"),
        ("day > 'x'", "no date"),
        ("word + 1 > 0", "between a text and a number"),
        ("word and a", "truth value"),
        ("year(a) = 1", "year() of a number"),
        ("a in ['x']", "list of texts"),
    ],
)
def test_what_cannot_be_compared_is_a_reason(check, words):
    assert words in broken(table(), check)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected a column"),
        ("a >", "found the end"),
        ("a > 1 b", "an operator or the end"),
        ("a in []", "a column, a number or a text"),
        ("a in [b]", "a number or a text in the list"),
        ("(a > 1", "')'"),
        ("a not 1", "'in' or 'between'"),
        ("a ; b", "not of the language"),
        ("'open", "not of the language"),
        ("__import__('os').system('x')", "not of the language"),
        ("a.__class__.__mro__", "is not of the language"),
        ("open('/etc/passwd')", "is no function"),
        ("eval('1')", "is no function"),
        ("lambda: 1", "not of the language"),
        ("a[0]", "an operator or the end"),
        ("1e999999", "not of the language"),
        ("(" * 200 + "a" + ")" * 200, "nested deeper"),
        ("not " * 200 + "a", "nested deeper"),
        ("a" * 5000, "longer than"),
    ],
)
def test_errors_say_where_and_what(text, words):
    with pytest.raises(ExpressionError) as error:
        parse(text)
    assert words in str(error.value)


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused(text):
    try:
        node = parse(text)
    except ExpressionError:
        return
    list(names(node))


def test_long_chains_need_no_stack():
    chain = " + ".join(["a"] * 900)
    assert broken(table(), f"{chain} < 2000") == ([3], 3)
    assert broken(table(), " and ".join(["b = 2"] * 400)) == ([], 4)


# -- against Python, with missing values as in SQL ---------------------------------------------

numbers = st.one_of(st.none(), st.integers(-3, 3))
leaves = st.sampled_from(["a", "b", "c", "1", "0", "2"])
comparisons = st.builds(
    lambda x, s, y: f"{x} {s} {y}", leaves, st.sampled_from(["<", "<=", "=", "!=", ">"]), leaves
) | st.builds(lambda x: f"{x} is null", st.sampled_from(["a", "b", "c"]))
expressions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds(lambda x, w, y: f"({x}) {w} ({y})", inner, st.sampled_from(["and", "or"]), inner),
        st.builds(lambda x: f"not ({x})", inner),
    ),
    max_leaves=6,
)


def kleene(text, row):
    """Evaluate by hand: None is unknown. Only for what `expressions` makes."""
    node = parse(text)

    def value(n):
        name = type(n).__name__
        if name == "Constant":
            return n.value
        if name == "Name":
            return row[n.name]
        if name == "IsNull":
            return value(n.operand) is None
        if name == "Unary":
            inner = value(n.operand)
            return None if inner is None else not inner
        x, y = value(n.left), value(n.right)
        if n.sign == "and":
            return False if False in (x, y) else None if None in (x, y) else True
        if n.sign == "or":
            return True if True in (x, y) else None if None in (x, y) else False
        if x is None or y is None:
            return None
        return {"<": x < y, "<=": x <= y, "=": x == y, "!=": x != y, ">": x > y}[n.sign]

    return value(node)


@given(expressions, st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=5))
def test_three_valued_logic_equals_that_by_hand(text, rows):
    data = one_table({n: ({"type": "integer"}, [r[i] for r in rows]) for i, n in enumerate("abc")})
    verdicts = [kleene(text, dict(zip("abc", r, strict=True))) for r in rows]
    expected = ([i for i, v in enumerate(verdicts) if v is False],
                sum(v is not None for v in verdicts))  # fmt: skip
    assert broken(data, text) == expected
