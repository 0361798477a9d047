"""The kind of rule that users write: a comparison that must hold in every row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from sdq_ehr.semantics import language as lang
from sdq_ehr.semantics.context import Context
from sdq_ehr.semantics.rule import Check, Kind, NotApplicable, Parameters

__all__ = ["EXPRESSION"]

_DAY_US = 86_400_000_000


class ExpressionParameters(Parameters):
    """`check` must hold in every row of `table` in which `when` holds.

    Without `table`, in every table that has all the columns. ``table.column`` reads a column of the
    patient table for the row's patient. Unknown (a value is missing) is not a violation.
    """

    check: str
    when: str = ""
    table: str = ""

    @field_validator("check", "when")
    @classmethod
    def _of_the_language(cls, text: str) -> str:
        if text:
            lang.parse(text)
        return text


@dataclass(frozen=True, slots=True, eq=False)
class _Value:
    """An array, or a constant that spreads over all rows, and where it is known."""

    kind: Literal["number", "text", "time", "truth"]
    values: Any
    known: Any
    constant: bool = False


class _Mismatch(Exception):
    """Two kinds of values that cannot be compared."""


def _expression(p: ExpressionParameters, context: Context) -> Iterator[Check]:
    check = lang.parse(p.check)
    when = lang.parse(p.when) if p.when else None
    wanted = list(dict.fromkeys([*lang.names(check), *(lang.names(when) if when else ())]))
    tables = [
        t for t in context.tables()
        if (not p.table or t == p.table) and all(_where(t, n, context) for n in wanted)
    ]  # fmt: skip
    if not tables:
        where = f"table {p.table!r} has" if p.table else "no table has"
        raise NotApplicable(
            f"{where} {'not ' if p.table else ''}all the columns {', '.join(wanted)}; "
            "correct the names, or put names with blanks between backticks",
            f"{p.table or '各表'}中没有全部所需的列: {', '.join(wanted)}; "
            "请更正列名, 含空格的列名请用反引号括起",
        )
    for table in tables:
        try:
            holds = _truth(_evaluate(check, table, context))
            known = holds.known
            if when is not None:
                condition = _truth(_evaluate(when, table, context))
                known = known & condition.known & condition.values
        except _Mismatch as mismatch:
            raise NotApplicable(
                f"in table {table!r}: {mismatch}; compare values of one type",
                f"表 {table} 中参与比较的值类型不同; 请比较同类型的值",
            ) from None
        rows = context.rows(table)
        bad = np.broadcast_to(~np.asarray(holds.values, bool), rows)
        own = [n for n in dict.fromkeys(lang.names(check)) if "." not in n]
        columns = ", ".join(n for n in own if _own(table, n, context))
        yield Check.of(table, columns, bad, np.broadcast_to(np.asarray(known, bool), rows))


def _own(table: str, name: str, context: Context) -> bool:
    return context.array(table, name) is not None


def _where(table: str, name: str, context: Context) -> tuple[str, str] | None:
    """Return table and column that a name means in a table."""
    if _own(table, name, context):
        return table, name
    split = context.schema.split(name)
    if split is not None and split[0] in (table, context.schema.home) and _own(*split, context):
        return split
    return None


def _evaluate(node: lang.Node, table: str, context: Context) -> _Value:
    match node:
        case lang.Constant():
            return _constant(node)
        case lang.Name(name):
            return _column(name, table, context)
        case lang.IsNull(operand):
            value = _evaluate(operand, table, context)
            return _Value("truth", ~np.asarray(value.known), np.True_)
        case lang.IsIn(operand, constants):
            return _in(_evaluate(operand, table, context), constants)
        case lang.Call(function, operand):
            return _call(function, _evaluate(operand, table, context))
        case lang.Unary("not", operand):
            value = _truth(_evaluate(operand, table, context))
            return _Value("truth", ~value.values, value.known)
        case lang.Unary(_, operand):
            value = _evaluate(operand, table, context)
            if value.kind != "number":
                raise _Mismatch(f"'-' before a {value.kind}")
            return _Value("number", -value.values, value.known)
        case lang.Binary():
            # The left side of a chain may be deeper than Python's stack: fold it from below.
            chain = [node]
            while isinstance(chain[-1].left, lang.Binary):
                chain.append(chain[-1].left)
            value = _evaluate(chain[-1].left, table, context)
            for link in reversed(chain):
                value = _binary(link.sign, value, _evaluate(link.right, table, context))
            return value
    raise AssertionError(node)


def _column(name: str, table: str, context: Context) -> _Value:
    found = _where(table, name, context)
    assert found is not None
    numbers = context.numbers(*found)
    value: _Value
    if numbers is not None:
        value = _Value("number", numbers, ~np.isnan(numbers))
    elif (times := context.times(*found)) is not None:
        value = _Value("time", times, ~np.isnat(times))
    else:
        texts = context.texts(*found)
        if texts is None:
            raise _Mismatch(f"the column {name!r} cannot be compared")
        spread = np.array([*texts.values, ""], object)[texts.index]
        value = _Value("text", spread, texts.known)
    if found[0] == table:
        return value
    first = context.dataset.patients().firsts if found[0] == context.schema.home else None
    assert first is not None
    owner = context.owner(table)
    at = np.append(first, 0)[owner]
    if not len(value.values):
        return _Value(value.kind, np.zeros(len(owner)), np.zeros(len(owner), bool))
    return _Value(value.kind, value.values[at], value.known[at] & (owner >= 0))


def _truth(value: _Value) -> _Value:
    if value.kind == "truth":
        return value
    if value.kind == "number":
        return _Value("truth", np.asarray(value.values) != 0, value.known, value.constant)
    raise _Mismatch(f"a {value.kind} stands where a truth value belongs")


def _call(function: str, value: _Value) -> _Value:
    expected = {"abs": "number", "year": "time", "length": "text", "lower": "text"}[function]
    if value.kind != expected:
        raise _Mismatch(f"{function}() of a {value.kind}")
    if function == "abs":
        return _Value("number", np.abs(value.values), value.known)
    if function == "year":
        years = value.values.astype("datetime64[Y]").astype(np.float64) + 1970
        return _Value("number", years, value.known)
    if value.constant:
        text = value.values
        made = float(len(text)) if function == "length" else text.lower()
        return _Value("number" if function == "length" else "text", made, value.known, True)
    if function == "length":
        return _Value("number", np.array([len(v) for v in value.values], float), value.known)
    return _Value("text", np.array([v.lower() for v in value.values], object), value.known)


def _binary(sign: str, left: _Value, right: _Value) -> _Value:
    if sign in ("and", "or"):
        a, b = _truth(left), _truth(right)
        x, y = np.asarray(a.values, bool), np.asarray(b.values, bool)
        if sign == "and":
            known = (a.known & b.known) | (a.known & ~x) | (b.known & ~y)
            return _Value("truth", (x | ~a.known) & (y | ~b.known), known)
        known = (a.known & b.known) | (a.known & x) | (b.known & y)
        return _Value("truth", (x & a.known) | (y & b.known), known)
    left, right = _dated(left, right), _dated(right, left)
    known = left.known & right.known
    if sign in ("+", "-", "*", "/"):
        return _arithmetic(sign, left, right, known)
    a, b = _plain(left), _plain(right)
    if a.kind != b.kind:
        raise _Mismatch(f"a {a.kind} is compared with a {b.kind}")
    x, y = a.values, b.values
    with np.errstate(invalid="ignore"):
        compared = {
            "=": lambda: x == y, "!=": lambda: x != y, "<": lambda: x < y,
            "<=": lambda: x <= y, ">": lambda: x > y, ">=": lambda: x >= y,
        }[sign]()  # fmt: skip
    return _Value("truth", np.asarray(compared, bool), known)


def _plain(value: _Value) -> _Value:
    """Truth values compare as the numbers 0 and 1: that is how many sources write them."""
    if value.kind != "truth":
        return value
    return _Value("number", np.asarray(value.values, np.float64), value.known, value.constant)


def _dated(value: _Value, other: _Value) -> _Value:
    """Read a text constant beside a time as a time."""
    if not (value.kind == "text" and value.constant and other.kind == "time"):
        return value
    try:
        return _Value("time", np.datetime64(value.values, "us"), value.known, True)
    except ValueError:
        raise _Mismatch("a time is compared with a text that is no date (YYYY-MM-DD)") from None


def _arithmetic(sign: str, left: _Value, right: _Value, known: NDArray[np.bool_]) -> _Value:
    if left.kind == "time" and right.kind == "time" and sign == "-":
        days = (left.values - right.values).astype(np.float64) / _DAY_US
        return _Value("number", days, known)
    if left.kind == "time" and right.kind == "number" and sign in "+-":
        days = np.asarray(right.values, np.float64)
        usable = known & (np.abs(days) < 1e6)
        step = (np.where(usable, days, 0.0) * _DAY_US).astype("timedelta64[us]")
        return _Value("time", left.values + step if sign == "+" else left.values - step, usable)
    if left.kind != "number" or right.kind != "number":
        raise _Mismatch(f"{sign!r} between a {left.kind} and a {right.kind}")
    x, y = left.values, right.values
    with np.errstate(all="ignore"):
        out = {
            "+": lambda: x + y, "-": lambda: x - y, "*": lambda: x * y,
            "/": lambda: np.divide(x, y),
        }[sign]()  # fmt: skip
    return _Value("number", out, known & np.isfinite(out))


def _in(value: _Value, constants: tuple[lang.Constant, ...]) -> _Value:
    out: Any = np.False_
    for constant in constants:
        other = _constant(constant)
        if value.kind == "number" and other.kind == "text":
            raise _Mismatch("numbers are compared with a list of texts")
        if value.kind == "text" and other.kind == "number":
            # Codes that look like numbers: 1 and '1' are the same cell.
            number = float(other.values)
            other = _Value("text", f"{number:g}" if number % 1 else f"{number:.0f}", np.True_, True)
        out = out | _binary("=", value, other).values
    return _Value("truth", out, value.known)


def _constant(constant: lang.Constant) -> _Value:
    if isinstance(constant.value, bool):
        return _Value("truth", np.bool_(constant.value), np.True_, True)
    if isinstance(constant.value, str):
        return _Value("text", constant.value, np.True_, True)
    return _Value("number", np.float64(constant.value), np.True_, True)


EXPRESSION = Kind("expression", ExpressionParameters, _expression,
                  "a comparison that must hold in every row", "每一行都须成立的比较式")  # fmt: skip
