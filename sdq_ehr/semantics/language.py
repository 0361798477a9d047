"""The comparison language of users' own rules: read by a parser of its own, evaluated on arrays.

Grammar, from weak to strong binding; words in any case, names with blanks or of the language's own
words between backticks::

    or      := and ("or" and)*
    and     := not ("and" not)*
    not     := "not" not | compare
    compare := sum ( ("=" | "!=" | "<" | "<=" | ">" | ">=") sum
                   | "is" ["not"] "null"
                   | ["not"] "in" "[" constant ("," constant)* "]"
                   | ["not"] "between" sum "and" sum )?
    sum     := product (("+" | "-") product)*
    product := unary (("*" | "/") unary)*
    unary   := "-" unary | atom
    atom    := number | 'text' | "true" | "false" | name | function "(" or ")" | "(" or ")"

Functions: ``abs``, ``year``, ``length``, ``lower``. The difference of two dates is in days. A
comparison with a missing value is unknown, as in SQL: neither kept nor broken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["Binary", "Call", "Constant", "ExpressionError", "IsIn", "IsNull", "Name", "Node",
           "Unary", "names", "parse"]  # fmt: skip

LONGEST: Final = 4000
"""Characters of an expression."""
DEEPEST: Final = 60
"""Nested parentheses, signs and negations."""
FUNCTIONS: Final = ("abs", "year", "length", "lower")
WORDS: Final = frozenset({"and", "or", "not", "is", "null", "in", "between", "true", "false"})

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?)(?![\w.])
      | '(?P<single>[^']*)' | "(?P<double>[^"]*)" | `(?P<quoted>[^`]+)`
      | (?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)?)
      | (?P<sign><=|>=|!=|<>|==|[-+*/<>=(),\[\]])
    )""",
    re.VERBOSE,
)


class ExpressionError(ValueError):
    """An expression is not of the language."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a text or a truth value."""

    value: float | str | bool


@dataclass(frozen=True, slots=True)
class Name:
    """A column, or ``table.column`` of the patient table."""

    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    """``-x`` or ``not x``."""

    sign: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, a comparison, ``and`` or ``or``."""

    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class IsNull:
    """``x is null``."""

    operand: Node


@dataclass(frozen=True, slots=True)
class IsIn:
    """``x in [...]``."""

    operand: Node
    values: tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function of one argument."""

    function: str
    operand: Node


Node = Constant | Name | Unary | Binary | IsNull | IsIn | Call


def parse(text: str) -> Node:
    """Parse an expression.

    Parameters
    ----------
    text : str
        At most `LONGEST` characters.

    Returns
    -------
    Node

    Raises
    ------
    ExpressionError
        Says what was expected and at which character.

    Examples
    --------
    >>> parse("`between` <= 5 and not sex is null").sign
    'and'
    >>> parse("__import__('os')")
    Traceback (most recent call last):
    ...
    sdq_ehr.semantics.language.ExpressionError: at character 10: '__import__' is no function; use \
abs, year, length, lower, or put a column's name between backticks
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"is longer than {LONGEST} characters; split it into several rules")
    return _Parser(text).whole()


def names(node: Node) -> Iterator[str]:
    """Yield the columns that an expression uses, in order, with repeats.

    Parameters
    ----------
    node : Node

    Examples
    --------
    >>> list(names(parse("a + b > 2 * a")))
    ['a', 'b', 'a']
    """
    match node:
        case Name(name):
            yield name
        case Unary(_, operand) | IsNull(operand) | IsIn(operand, _) | Call(_, operand):
            yield from names(operand)
        case Binary(_, left, right):
            # Chains of one operator lean to the left and may be longer than Python's stack.
            stack = [right]
            while isinstance(left, Binary):
                stack.append(left.right)
                left = left.left
            yield from names(left)
            for part in reversed(stack):
                yield from names(part)
        case _:
            return


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def _tokens(text: str) -> Iterator[_Token]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            place = at + len(text[at:]) - len(text[at:].lstrip())
            raise ExpressionError(
                f"at character {place + 1}: {text[place]!r} is not of the language; close quotes, "
                "put names with blanks or signs between backticks"
            )
        kind, value = found.lastgroup, found[found.lastgroup]
        if kind == "name" and value.lower() in WORDS:
            kind, value = "word", value.lower()
        if kind in ("single", "double"):
            kind = "text"
        yield _Token(kind, value, found.start(found.lastgroup))
        at = found.end()
    yield _Token("end", "", end)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._or()
        if self._token.kind != "end":
            raise self._expected("an operator or the end")
        return node

    @property
    def _token(self) -> _Token:
        return self._tokens[self._at]

    def _expected(self, what: str) -> ExpressionError:
        found = repr(self._token.text) if self._token.kind != "end" else "the end"
        return ExpressionError(f"at character {self._token.at + 1}: expected {what}, found {found}")

    def _take(self, *texts: str) -> str | None:
        token = self._token
        if token.kind in ("word", "sign") and token.text in texts:
            self._at += 1
            return token.text
        return None

    def _need(self, text: str) -> None:
        if self._take(text) is None:
            raise self._expected(repr(text))

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(f"is nested deeper than {DEEPEST}; split it into several rules")

    def _or(self) -> Node:
        node = self._and()
        while self._take("or"):
            node = Binary("or", node, self._and())
        return node

    def _and(self) -> Node:
        node = self._not()
        while self._take("and"):
            node = Binary("and", node, self._not())
        return node

    def _not(self) -> Node:
        if self._take("not"):
            self._deeper()
            node: Node = Unary("not", self._not())
            self._depth -= 1
            return node
        return self._compare()

    def _compare(self) -> Node:
        left = self._sum()
        if sign := self._take("=", "==", "!=", "<>", "<", "<=", ">", ">="):
            return Binary({"==": "=", "<>": "!="}.get(sign, sign), left, self._sum())
        if self._take("is"):
            negated = self._take("not")
            self._need("null")
            return Unary("not", IsNull(left)) if negated else IsNull(left)
        negated = self._take("not")
        if self._take("in"):
            node: Node = IsIn(left, self._list())
        elif self._take("between"):
            low = self._sum()
            self._need("and")
            node = Binary("and", Binary(">=", left, low), Binary("<=", left, self._sum()))
        elif negated:
            raise self._expected("'in' or 'between'")
        else:
            return left
        return Unary("not", node) if negated else node

    def _list(self) -> tuple[Constant, ...]:
        self._need("[")
        values = [self._constant()]
        while self._take(","):
            values.append(self._constant())
        self._need("]")
        return tuple(values)

    def _constant(self) -> Constant:
        negative = self._take("-") is not None
        node = self._atom()
        if not isinstance(node, Constant):
            raise self._expected("a number or a text in the list")
        if not negative:
            return node
        if isinstance(node.value, str | bool):
            raise self._expected("a number behind '-'")
        return Constant(-node.value)

    def _sum(self) -> Node:
        node = self._product()
        while sign := self._take("+", "-"):
            node = Binary(sign, node, self._product())
        return node

    def _product(self) -> Node:
        node = self._unary()
        while sign := self._take("*", "/"):
            node = Binary(sign, node, self._unary())
        return node

    def _unary(self) -> Node:
        if self._take("-"):
            self._deeper()
            node: Node = Unary("-", self._unary())
            self._depth -= 1
            return node
        return self._atom()

    def _atom(self) -> Node:
        token = self._token
        if self._take("("):
            self._deeper()
            node = self._or()
            self._need(")")
            self._depth -= 1
            return node
        if word := self._take("true", "false"):
            return Constant(word == "true")
        if token.kind not in ("number", "text", "quoted", "name"):
            raise self._expected("a column, a number or a text")
        self._at += 1
        if token.kind == "number":
            return Constant(float(token.text))
        if token.kind == "text":
            return Constant(token.text)
        if token.kind == "name" and self._take("("):
            if token.text.lower() not in FUNCTIONS:
                raise ExpressionError(
                    f"at character {token.at + len(token.text)}: {token.text!r} is no function; "
                    f"use {', '.join(FUNCTIONS)}, or put a column's name between backticks"
                )
            self._deeper()
            node = Call(token.text.lower(), self._or())
            self._need(")")
            self._depth -= 1
            return node
        return Name(token.text)
