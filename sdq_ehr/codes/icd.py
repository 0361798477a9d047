"""ICD-10 of the WHO, ICD-10-CM, ICD-10-PCS, and ICD-9-CM diagnoses and procedures.

Forms: ICD-10 Volume 2 (WHO), 2.4; ICD-10-CM and -PCS Official Guidelines (CMS, NCHS), I.A;
ICD-9-CM Official Guidelines. Blocks (A00-A09) and chapters (IX) are headings, never codes.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final

from sdq_ehr.codes.system import ListedSystem
from sdq_ehr.codes.verdict import Alteration

__all__ = ["ICD9", "ICD10PCS", "ICD10Family", "dotted_icd9", "heading"]

_BLOCK: Final = re.compile(r"[A-Z]?[0-9]{2}[0-9A-Z]?(?:\.[0-9]+)?\s*-\s*[A-Z]?[0-9]{2}[0-9A-Z]?")
_CHAPTER: Final = re.compile(r"X{0,2}(?:IX|IV|V?I{0,3})|[0-9]{1,2}")
_WHO: Final = re.compile(r"([A-Z][0-9]{2})(?:(\.?)([0-9]{1,2}))?([+*]?)")
_CM: Final = re.compile(r"([A-Z](?:[0-9][0-9A-Z]|A[0-9]))(?:(\.?)([0-9A-Z]{1,4}))?()")
_DX9: Final = re.compile(r"(?:([0-9]{3}|V[0-9]{2})(\.?)([0-9]{0,2})|(E[0-9]{3})(\.?)([0-9]?))")
_PROC9: Final = re.compile(r"([0-9]{2})(\.?)([0-9]{1,2})?")
_PCS: Final = re.compile(r"[0-9BCDFGHX][0-9A-HJ-NP-Z]{6}")


def heading(text: str) -> str:
    """Return ``block`` or ``chapter`` for a heading of the classification, else ``form``.

    Examples
    --------
    >>> [heading(text) for text in ("A00-A09", "IX", "9", "banana")]
    ['block', 'chapter', 'chapter', 'form']
    """
    if _BLOCK.fullmatch(text):
        return "block"
    return "chapter" if _CHAPTER.fullmatch(text) else "form"


def dotted_icd9(code: str, system: str) -> str:
    """Return an ICD-9-CM code with its dot.

    Parameters
    ----------
    code : str
        Without a dot.
    system : {"icd9cm", "icd9proc"}

    Examples
    --------
    >>> dotted_icd9("25000", "icd9cm"), dotted_icd9("E8120", "icd9cm")
    ('250.00', 'E812.0')
    """
    cut = 2 if system == "icd9proc" else 3 + code.startswith("E")
    return code if len(code) <= cut else f"{code[:cut]}.{code[cut:]}"


class ICD10Family(ListedSystem):
    """ICD-10 of the WHO and its clinical modification.

    ``billable`` is marked for a category with finer codes below it, but does not refuse it: the
    WHO's classification admits three characters, and so does research on categories.
    """

    most: ClassVar[int] = 12
    domains: ClassVar[frozenset[str]] = frozenset(
        {"condition", "observation", "measurement", "procedure"}
    )

    def shape(self, text: str) -> tuple[str, int, str]:
        """Return the dotted form."""
        found = (_WHO if self.id == "icd10" else _CM).fullmatch(text.rstrip("."))
        if found is None:
            return "", 0, heading(text)
        category, dot, rest, mark = found.groups()
        code = f"{category}.{rest}" if rest else category
        altered = bool((rest and not dot) or mark or text.endswith("."))
        return code, Alteration.PUNCTUATION * altered, ""


class ICD9(ListedSystem):
    """ICD-9-CM: diagnoses with three characters before the dot, procedures with two.

    Only billable codes are valid: the headings above them are marked as such and refused.
    """

    most: ClassVar[int] = 12
    domains: ClassVar[frozenset[str]] = frozenset(
        {"condition", "observation", "measurement", "procedure"}
    )

    def shape(self, text: str) -> tuple[str, int, str]:
        """Return the dotted form."""
        found = (_PROC9 if self.id == "icd9proc" else _DX9).fullmatch(text)
        if found is None:
            return "", 0, heading(text)
        code = dotted_icd9(text.replace(".", ""), self.id)
        return code, Alteration.PUNCTUATION * (code != text), ""


class ICD10PCS(ListedSystem):
    """ICD-10-PCS: seven characters without I and O, the first a section that exists."""

    most: ClassVar[int] = 12
    domains: ClassVar[frozenset[str]] = frozenset({"procedure", "measurement", "drug", "device"})

    def shape(self, text: str) -> tuple[str, int, str]:
        """Return the code."""
        return (text, 0, "") if _PCS.fullmatch(text) else ("", 0, heading(text))
