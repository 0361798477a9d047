"""Turn the prose of DICOM PS3.3 into data: conditions of type 1C and 2C, enumerated values.

The standard states a condition as a sentence: "Required if Lossy Image Compression (0028,2110) is
01. May be present otherwise." What these few forms can say becomes an expression that a program
evaluates; everything else becomes `UNKNOWN`, which means that a person has to look:

- ``["has", tag]``: the attribute is present with a value;
- ``["is", tag, n, [values]]``: value n (0: any) of the attribute is one of these;
- ``[">", tag, number]``: its value is greater;
- ``["not", e]``, ``["and", e, ...]``, ``["or", e, ...]``;
- ``"?"``.

A tag is eight hexadecimal digits; ``^`` before it means that the attribute stands further out than
the attribute that the condition is about, in an enclosing item or in the data set itself.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Container
from typing import Any

__all__ = ["UNKNOWN", "condition", "enumerations", "plain"]

Expression = Any
UNKNOWN = "?"

_NOTE = re.compile(r"<h3>Note</h3>.*", re.DOTALL)
_TAG = r"\(([0-9A-Fa-f]{4}),([0-9A-Fa-f]{4})\)"
_WORD = (
    r"(?:[A-Z0-9][\w/'’\-&]*|[a-z]{1,2}[A-Z]\w*|k-Space|ms|"
    r"of|in|to|for|per|by|the|on|from|with|at|vs)"
)
_NAME = rf"(?:the |a )?(?:value of )?(?:the )?[A-Z][\w/'’\-&]*(?: {_WORD})*?"
_ATTRIBUTE = rf"{_NAME} ?{_TAG}(?: at the image level)?(?:,? [Vv]alue (\d)\b)?(?: of this frame)?"
_VALUE = r'(?:"[^"]+"|[A-Z][A-Z0-9_]*(?: [A-Z][A-Z0-9_]+)*(?![a-z])|\d+(?![.\d]))'
_VALUES = rf"({_VALUE}(?:(?:, or |, | or ){_VALUE})*)"
_WITH_VALUE = r"(?: and has a value| with a value)?"

_SEVERAL = re.compile(
    rf"(either )?((?:{_ATTRIBUTE}(?:, | and |, and | or |, or ))+{_ATTRIBUTE}) "
    rf"(?:is|are) (not )?present"
)
_OTHER = re.compile(
    rf"{_ATTRIBUTE} (?:value )?(?:is not equal to|is not|equals other than|is other than|"
    rf"is equal to other than|has a value other than|does not equal) {_VALUES}"
)
_EQUAL = re.compile(
    rf"{_ATTRIBUTE},? (?:value )?(?:is equal to|equals|is present and equals|is present and is|"
    rf"is present with a value of|has a value of|has the value|has the value of|is set to|is) "
    rf"{_VALUES}"
)
_GREATER = re.compile(rf"{_ATTRIBUTE} (?:has a value )?(?:is )?greater than (\d+)")
_NON_ZERO = re.compile(rf"{_ATTRIBUTE} (?:is|has a) non-zero(?: value)?")
_ABSENT = re.compile(rf"{_ATTRIBUTE} (?:is not present|is absent|is not sent)")
_PRESENT = re.compile(rf"{_ATTRIBUTE} is present{_WITH_VALUE}")

_REQUIRED = re.compile(
    r"(?:Required (?:only )?(?:if|when)|Shall be present (?:only )?(?:if|when)) (.*)", re.DOTALL
)
_FILLER = re.compile(r"^(?:either|both|if|when|that|the)\s+|[,;:]+$")


def plain(description: str | None) -> str:
    """Return a description as text, without its notes.

    Examples
    --------
    >>> plain("<p>Required if <i>A</i>.</p><h3>Note</h3><p>more</p>")
    'Required if A .'
    """
    text = re.sub(r"<[^>]+>", " ", _NOTE.sub("", description or ""))
    return re.sub(r"\s+", " ", html.unescape(text)).strip()


def condition(text: str, siblings: Container[str] | None = None) -> tuple[Expression, bool]:
    """Return the condition that a text states, and whether presence is allowed otherwise.

    Parameters
    ----------
    text : str
        As `plain` returns it.
    siblings : container of str, optional
        Tags that stand beside the attribute in its module; others are looked for further out.

    Returns
    -------
    expression : list or "?"
    otherwise : bool
        Whether the attribute may be there when the condition does not hold. True where the text
        says nothing that a program understands.

    Examples
    --------
    >>> condition("Required if Window Center (0028,1050) is present.")
    (['has', '00281050'], False)
    >>> condition("Required if Image Type (0008,0008) Value 1 is ORIGINAL or MIXED. "
    ...           "May be present otherwise.")
    (['is', '00080008', 1, ['ORIGINAL', 'MIXED']], True)
    >>> condition("Required if the patient is asleep.")
    ('?', True)
    """
    otherwise = re.search(r"may (?:also )?be present", text, re.IGNORECASE) is not None
    text = re.sub(r"[.;,]? ?\(?[Mm]ay be present (?:otherwise|only if)[^.]*\.?\)?", ".", text)
    found = []
    for sentence in re.split(r"\.(?=\s|$)", text):
        match = _REQUIRED.search(sentence)
        if match is not None:
            found.append(_clause(match[1].strip(), siblings))
    if not found:
        return UNKNOWN, True
    expression = found[0] if len(found) == 1 else ["or", *found]
    return expression, otherwise or _has_unknown(expression)


def _has_unknown(expression: Expression) -> bool:
    if isinstance(expression, str):
        return expression == UNKNOWN
    return any(_has_unknown(e) for e in expression[1:] if isinstance(e, list) or e == UNKNOWN)


def _clause(text: str, siblings: Container[str] | None) -> Expression:
    atoms: list[Expression] = []

    def tag(group: str, element: str) -> str:
        found = (group + element).upper()
        return found if siblings is None or found in siblings else f"^{found}"

    def put(make: Callable[[re.Match[str]], Expression]) -> Callable[[re.Match[str]], str]:
        def replace(match: re.Match[str]) -> str:
            atoms.append(make(match))
            return f"#{len(atoms) - 1}#"

        return replace

    def several(match: re.Match[str]) -> Expression:
        tags = [tag(g, e) for g, e in re.findall(_TAG, match[2])]
        word = "or" if " or " in match[2] else "and"
        parts: list[Expression] = [["has", t] for t in tags]
        if match[match.re.groups]:
            if word == "or" and not match[1]:
                return UNKNOWN  # "A or B are not present" is said of both and of one
            parts = [["not", p] for p in parts]
        return [word, *parts]

    def equal(match: re.Match[str]) -> Expression:
        return ["is", tag(match[1], match[2]), int(match[3] or 0), _values(match[4])]

    text = _SEVERAL.sub(put(several), text)
    text = _OTHER.sub(put(lambda m: ["not", equal(m)]), text)
    text = _EQUAL.sub(put(equal), text)
    text = _GREATER.sub(put(lambda m: [">", tag(m[1], m[2]), int(m[4])]), text)
    text = _NON_ZERO.sub(put(lambda m: [">", tag(m[1], m[2]), 0]), text)
    text = _ABSENT.sub(put(lambda m: ["not", ["has", tag(m[1], m[2])]]), text)
    text = _PRESENT.sub(put(lambda m: ["has", tag(m[1], m[2])]), text)
    return _combined(text, atoms)


def _combined(text: str, atoms: list[Expression]) -> Expression:
    if not atoms:
        return UNKNOWN
    connectors = set(re.findall(r"\b(and|or)\b", text))
    if len(connectors) > 1 or re.search(r"\b(?:unless|except|but|otherwise|nor)\b", text):
        return UNKNOWN
    word = connectors.pop() if connectors else ""
    pieces = re.split(rf",? \b{word}\b ", text) if word else [text]
    parts: list[Expression] = []
    for piece in pieces:
        bare = piece.strip()
        while (shorter := _FILLER.sub("", bare).strip()) != bare:
            bare = shorter
        match = re.fullmatch(r"#(\d+)#", bare)
        parts.append(atoms[int(match[1])] if match else UNKNOWN)
    if all(part == UNKNOWN for part in parts):
        return UNKNOWN
    return parts[0] if len(parts) == 1 else [word, *parts]


def _values(text: str) -> list[str]:
    return [v.strip('"') for v in re.findall(_VALUE, text) if v != "OR"]


_BLOCK = re.compile(
    r"<strong>\s*(Enumerated Values?|Defined Terms?)([^<:]*):?\s*</strong>\s*</p>\s*<dl>(.*?)</dl>",
    re.DOTALL,
)
_TERM = re.compile(r"<dt>\s*(?:<span>)?([^<]*)", re.DOTALL)


def enumerations(description: str | None) -> dict[str, dict[int, list[str]]]:
    """Return the values that a description allows or proposes.

    Parameters
    ----------
    description : str or None
        HTML of the attribute's description.

    Returns
    -------
    dict
        ``"E"`` (enumerated: nothing else is allowed) and ``"D"`` (defined terms: others may be
        used) -> value number (0: each value) -> values. Lists that hold under a condition only
        are left out.

    Examples
    --------
    >>> enumerations("<p><strong>Enumerated Values:</strong></p> <dl><dt><span>YES</span></dt>"
    ...              "<dt><span>NO</span></dt></dl>")
    {'E': {0: ['YES', 'NO']}}
    """
    found: dict[str, dict[int, list[str]]] = {}
    text = _NOTE.sub("", description or "")
    for kind, rest, body in _BLOCK.findall(text):
        words = rest.strip()
        number = re.fullmatch(r"for Value (\d)", words)
        if words and number is None:
            continue
        values = [html.unescape(v).strip() for v in _TERM.findall(body)]
        if not values or any(not re.fullmatch(r"[A-Za-z0-9_ .\-/+]{1,64}", v) for v in values):
            continue
        # "0001H" is a number in hexadecimal.
        if all(re.fullmatch(r"[0-9A-F]{4}H", v) for v in values):
            values = [str(int(v[:4], 16)) for v in values]
        place = int(number[1]) if number else 0
        slot = found.setdefault(kind[0], {})
        # Two lists for one place hold under different conditions, which the prose tells.
        slot[place] = [] if place in slot else values
    return {k: kept for k, v in found.items() if (kept := {n: x for n, x in v.items() if x})}
