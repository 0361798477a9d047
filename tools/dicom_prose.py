"""Turn the prose of DICOM PS3.3 into data: conditions of type 1C and 2C, enumerated values.

The standard states a condition as a sentence: "Required if Lossy Image Compression (0028,2110) is
01. May be present otherwise." What these few forms can say becomes an expression that a program
evaluates, what no comparison of attributes can answer becomes a question by name
(`dicom_questions`), and everything else becomes `UNKNOWN`, of which nothing is said:

- ``["has", tag]``: the attribute is present with a value;
- ``["is", tag, n, [values]]``: value n (0: any) of the attribute is one of these;
- ``[">", tag, number]``: its value is greater;
- ``["points", tag, other]``: one of the attribute's values is the tag of the other attribute;
- ``["private", tag]``: one of its values is the tag of a private attribute;
- ``["code", tag, [codes]]``: an item of the code sequence has one of these code values;
- ``["not", e]``, ``["and", e, ...]``, ``["or", e, ...]``;
- ``["ask", name]``: what the file may not hold;
- ``"?"``.

A tag is eight hexadecimal digits; ``^`` before it means that the attribute stands further out than
the attribute that the condition is about, in an enclosing item or in the data set itself.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Container
from html.parser import HTMLParser
from typing import Any

from dicom_questions import QUESTIONS

__all__ = ["UNKNOWN", "condition", "enumerations", "plain"]

Expression = Any
UNKNOWN = "?"

_TAG = r"\(([0-9A-Fa-f]{4})[,.]([0-9A-Fa-f]{4})\)"
_WORD = (
    r"(?:[A-Z0-9][\w/'’\-&]*|[a-z]{1,2}[A-Z]\w*|k-Space|ms|"
    r"of|in|to|for|per|by|the|on|from|with|at|vs)"
)
_NAME = rf"(?:the |a )?(?:Attribute )?(?:value of )?(?:the )?[A-Z][\w/'’\-&]*(?: {_WORD})*?"
_ATTRIBUTE = rf"{_NAME} ?{_TAG}(?: at the image level)?(?:,? [Vv]alue (\d)\b)?(?: of this frame)?"
_VALUE = (
    r'(?:"[^"]+"|(?!SOP\b)[A-Z][A-Z0-9_]*(?: (?:[A-Z][A-Z0-9_]+|[AB]\b))*(?![a-z])'
    r"|\dD\b|\d+(?![.\d]))"
)
_VALUES = rf"({_VALUE}(?:(?:, or |, | or ){_VALUE})*)"
_WITH_VALUE = r"(?: and has a value| with a value)?"
_CODE = r'\((\w+), (?:SCT|DCM|SRT), "[^"]*"\)'
_CODES = rf"((?:or )?{_CODE}(?: or {_CODE})*)"

_SEVERAL = re.compile(
    rf"(either )?((?:{_ATTRIBUTE}(?:, | and |, and | or |, or ))+{_ATTRIBUTE}) "
    rf"(?:is|are) (not )?present"
)
_ABSENT_OR = re.compile(rf"{_ATTRIBUTE} is absent or (has a value of|not) {_VALUES}")
_OTHER = re.compile(
    rf"{_ATTRIBUTE} (?:value )?(?:is not equal to|is not any of|is not|equals other than|"
    rf"is other than|is equal to other than|has a value other than|does not equal|"
    rf"is present with a value other than) {_VALUES}"
)
_EQUAL = re.compile(
    rf"{_ATTRIBUTE},? (?:value )?(?:is equal to|equals|is present and equals|is present and is|"
    rf"is present with (?:a )?value(?: of)?|is present and has a value of|has values? of|"
    rf"has a value of|has the value|has the value of|has value|contains the value|is set to|is) "
    rf"{_VALUES}"
)
_GREATER = re.compile(rf"{_ATTRIBUTE} (?:has a value )?(?:is )?greater than (\d+)")
_NON_ZERO = re.compile(rf"{_ATTRIBUTE} (?:is|has a) non-zero(?: value)?")
_ABSENT = re.compile(rf"{_ATTRIBUTE} (?:is not present|is absent|is not sent|is empty)")
_PRESENT = re.compile(rf"{_ATTRIBUTE} (?:(?:is present|exists){_WITH_VALUE}|is not empty)")
_POINTS = re.compile(
    rf"{_ATTRIBUTE} (?:points to|(?:contains|includes) the Tag for) (?:{_NAME}) ?{_TAG}"
)
_PRIVATE = re.compile(rf"{_ATTRIBUTE} value is the Data Element Tag of a Private Attribute")
_CODED = re.compile(
    rf"{_ATTRIBUTE} (?:contains an Item with the value(?: of)?|equals|Item value is) {_CODES}"
)
_FRAMES = re.compile(
    r"(?:(?:the )?image is a )?[Mm]ulti-frame [Ii]mage|Pixel Data \(7FE0,0010\) contains more than "
    r"one frame|multi-frame pixel data are present"
)

_REQUIRED = re.compile(
    r"(?:Required (?:only )?(?:if|when)|Shall be present (?:only )?(?:if|when)):? (.*)", re.DOTALL
)
_FILLER = re.compile(r"^(?:either|both|if|when|that|the|one)\s+|[,;:]+$")

_SPELLINGS = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (r"\b(?:e\.g|i\.e|etc)\.", ""),
        (r"\bRequired,? (?=Pixel Data)", "Required if "),
        (r"\bRequired, if\b", "Required if"),
        (r"\bRequired if Required if\b", "Required if"),
        (r"\bRequired for (Scan Options \(0018,0022\)) that include heart gating \([^)]*\)",
         r"Required if \1 is CG or PPG"),
        (r" = Bit aligned", " is 0"),
        (r" = Ranges", " is 1"),
        (r" = ", " is "),
        (r", overriding \(.*", "."),
        (r"(?<=Pointer )(?=[0-9A-F]{4},[0-9A-F]{4}\))", "("),
        (r" \(Patient\)(?= \([0-9A-F]{4},)", ""),
        (r"\bis provided and\b", "is present and"),
        (r"(?<=\band )Attributes (?=[A-Z])", ""),
        (r"\bdo not contain a value\b", "are not present"),
        (r"\bthe Palette Color Lookup Table Module is",
         "Red Palette Color Lookup Table Descriptor (0028,1101) is"),
        (r"(?<= is )(\d) \([A-Z][a-z][^)]*\)", r"\1"),
        (r"\bis EQUAL to\b", "is equal to"),
        (r"\bis: ", "is "),
        (r"\bthe (first|third) value of (Image Type \(0008,0008\))",
         lambda m: f"{m[2]} Value {1 if m[1] == 'first' else 3}"),
        (r"(Image Type \(0008,0008\) Value \d is [A-Z]+) and Value 3 is",
         r"\1 and Image Type (0008,0008) Value 3 is"),
        # A class is told by its UID.
        (r'(?<=is )[A-Z][\w \-]+ Storage \((".*?")\)', r"\1"),
        (r'("[\d.]+") \([A-Z][^)]*\)', r"\1"),
        (r'(?<= or )([\d.]{20,}) \([A-Z][^)]*\)', r'"\1"'),
        (r'(?<=") and not (?=")', " or "),
        # "A (Anterior)": the meaning behind a value.
        (r"\b([A-Z_]+) \([A-Z][a-z][A-Za-z ]*\)", r"\1"),
    )
)  # fmt: skip
"""Ways of writing that the forms above need not know."""


class _Text(HTMLParser):
    """The text of a description without its notes, which stand in boxes of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._boxes: list[int] = []
        self._note: int | None = None
        self._heading = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "div":
            self._boxes.append(len(self.parts))
        self._heading = tag == "h3"

    def handle_endtag(self, tag: str) -> None:
        if tag == "div" and self._boxes:
            start = self._boxes.pop()
            if self._note is not None and len(self._boxes) < self._note:
                del self.parts[start:]
                self._note = None

    def handle_data(self, data: str) -> None:
        if self._heading and data.strip().startswith("Note") and self._note is None:
            self._note = len(self._boxes)
        self.parts.append(data)


def plain(description: str | None) -> str:
    """Return a description as text, without its notes.

    Examples
    --------
    >>> plain("<p>Required if <i>A</i>.</p><div><h3>Note</h3><p>more</p></div><p>So.</p>")
    'Required if A . So.'
    """
    reader = _Text()
    reader.feed(description or "")
    reader.close()
    parts = reader.parts
    if reader._note is not None and not reader._boxes:  # a note without a box ends the text
        parts = parts[: next(k for k, p in enumerate(parts) if p.strip().startswith("Note"))]
    return re.sub(r"\s+", " ", " ".join(parts)).strip()


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
        asks or says something that a program does not understand.

    Examples
    --------
    >>> condition("Required if Window Center (0028,1050) is present.")
    (['has', '00281050'], False)
    >>> condition("Required if Image Type (0008,0008) Value 1 is ORIGINAL or MIXED. "
    ...           "May be present otherwise.")
    (['is', '00080008', 1, ['ORIGINAL', 'MIXED']], True)
    >>> condition("Required if the image has been calibrated.")
    (['ask', 'calibrated'], True)
    >>> condition("Required if the patient is asleep.")
    ('?', True)
    """
    for pattern, spelling in _SPELLINGS:
        text = pattern.sub(spelling, text)
    otherwise = re.search(r"may (?:also )?be present", text, re.IGNORECASE) is not None
    text = re.sub(r"[.;,]? ?\(?[Mm]ay be present (?:otherwise|only if|if)[^.]*\.?\)?", ".", text)
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
    if expression[0] == "ask":
        return True
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

    def absent(match: re.Match[str]) -> Expression:
        return ["not", ["has", tag(match[1], match[2])]]

    def absent_or(match: re.Match[str]) -> Expression:
        found = ["is", tag(match[1], match[2]), int(match[3] or 0), _values(match[5])]
        return ["or", absent(match), ["not", found] if match[4] == "not" else found]

    def points(match: re.Match[str]) -> Expression:
        return ["points", tag(match[1], match[2]), (match[4] + match[5]).upper()]

    def coded(match: re.Match[str]) -> Expression:
        return ["code", tag(match[1], match[2]), re.findall(r"\((\w+), ", match[4])]

    for name, question in QUESTIONS:
        text = question.sub(put(lambda m, name=name: ["ask", name]), text)
    text = _FRAMES.sub(put(lambda m: [">", "^00280008", 1]), text)
    text = _POINTS.sub(put(points), text)
    text = _PRIVATE.sub(put(lambda m: ["private", tag(m[1], m[2])]), text)
    text = _CODED.sub(put(coded), text)
    text = _SEVERAL.sub(put(several), text)
    text = _ABSENT_OR.sub(put(absent_or), text)
    text = _OTHER.sub(put(lambda m: ["not", equal(m)]), text)
    text = _EQUAL.sub(put(equal), text)
    text = _GREATER.sub(put(lambda m: [">", tag(m[1], m[2]), int(m[4])]), text)
    text = _NON_ZERO.sub(put(lambda m: [">", tag(m[1], m[2]), 0]), text)
    text = _ABSENT.sub(put(absent), text)
    text = _PRESENT.sub(put(lambda m: ["has", tag(m[1], m[2])]), text)
    return _combined(text, atoms)


def _combined(text: str, atoms: list[Expression]) -> Expression:
    if not atoms or re.search(r"\b(?:unless|except|but|otherwise|nor)\b", text):
        return UNKNOWN
    connectors = set(re.findall(r"\b(and|or)\b", text))
    if len(connectors) > 1:
        # Of two kinds the one behind commas binds less: "A and B, or C and D".
        outer = set(re.findall(r", (and|or)\b", text))
        if len(outer) != 1:
            return UNKNOWN
        word = outer.pop()
        pieces = re.split(rf", {word}\b ", text)
        parts = [_combined(piece, atoms) for piece in pieces]
        return UNKNOWN if UNKNOWN in parts else [word, *parts]
    word = connectors.pop() if connectors else ""
    pieces = re.split(rf",? \b{word}\b ", text) if word else [text]
    parts = []
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


_NOTE = re.compile(r"<h3>Note</h3>.*", re.DOTALL)
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
    for kind, rest, body in _BLOCK.findall(_NOTE.sub("", description or "")):
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
