"""Safe access to the elements of a DICOM header: nothing here raises on bad content.

pydicom converts a value when it is first asked for, and a bad value then raises or warns. The rules
look at the stored form instead: the bytes as they were read, or the text that a program has set.
"""

from __future__ import annotations

import math
import warnings
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.dataelem import DataElement, RawDataElement

__all__ = [
    "CHARACTER_SET_VRS",
    "DEFAULT_REPERTOIRE",
    "TEXT_VRS",
    "attribute_name",
    "character_sets",
    "element_is_empty",
    "element_numbers",
    "element_texts",
    "is_empty",
    "items",
    "named_encodings",
    "number",
    "numbers",
    "parse_date",
    "place_text",
    "stored_element",
    "stored_vr",
    "text",
    "texts",
]

SINGLE_VALUED_VRS = frozenset({"LT", "ST", "UR", "UT"})
"""A backslash in these is a character, not a delimiter (PS3.5 table 6.2-1)."""
CHARACTER_SET_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
"""Written in the Specific Character Set (0008,0005) (PS3.5 section 6.1.2.3)."""
TEXT_VRS = CHARACTER_SET_VRS | {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"}
"""Stored as characters."""

DEFAULT_REPERTOIRE = ("iso8859",)
"""pydicom's name for ISO_IR 6, i.e. ASCII; ISO_IR 100 has another."""

PIXEL_GROUP = 0x7FE0
ITEM_TAGS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
"""(FFFE,E000) in little and big endian (PS3.5 section 7.5)."""
MAX_DEPTH = 32
"""Deepest nesting of sequences that is read."""


def _word(tag: int) -> str:
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def place_text(path: tuple[tuple[int, int], ...], tag: int) -> str:
    """Write an attribute's path in keywords.

    Parameters
    ----------
    path : tuple of (int, int)
        Sequence tag and item number, counted from 0, of each level above.
    tag : int

    Returns
    -------
    str

    Examples
    --------
    >>> place_text(((0x00082112, 0),), 0x00081150)
    'SourceImageSequence[0].ReferencedSOPClassUID'
    """
    above = "".join(f"{_word(sequence)}[{item}]." for sequence, item in path)
    return above + _word(tag)


def attribute_name(tag: int) -> str:
    """Return keyword and tag for a message.

    Parameters
    ----------
    tag : int

    Returns
    -------
    str

    Examples
    --------
    >>> attribute_name(0x00100010)
    'PatientName (0010,0010)'
    """
    from pydicom.datadict import keyword_for_tag

    number_text = f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
    keyword = keyword_for_tag(tag)
    return f"{keyword} {number_text}" if keyword else number_text


def stored_element(dataset: Dataset, tag: int) -> DataElement | RawDataElement | None:
    """Return an element as it is stored, without conversion; None where it is absent."""
    # get_item gives the element as it was read; only a deferred one is converted.
    try:
        return dataset.get_item(tag)
    except Exception:  # a deferred value may fail in any way; absence is what can be said of it
        return None


def _tag(attribute: int | str) -> int:
    if isinstance(attribute, int):
        return attribute
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(attribute)
    if tag is None:
        raise KeyError(f"{attribute} is not a DICOM keyword")
    return tag


def stored_vr(element: DataElement | RawDataElement) -> str:
    """Return the value representation that an element is stored in.

    Parameters
    ----------
    element : DataElement or RawDataElement

    Returns
    -------
    str
        From the data dictionary where the file does not say (implicit VR, UN); ``"UN"`` for an
        element that the dictionary does not know either.
    """
    vr = element.VR
    if vr and vr != "UN":
        return str(vr)
    return _dictionary_vr(int(element.tag))


@lru_cache(maxsize=8192)
def _dictionary_vr(tag: int) -> str:
    from pydicom.datadict import dictionary_VR

    try:
        return str(dictionary_VR(tag))
    except KeyError:
        return "UN"


def is_empty(dataset: Dataset, attribute: int | str) -> bool:
    """Return whether an element that is present has no value.

    Parameters
    ----------
    dataset : pydicom.Dataset
    attribute : int or str
        Tag or keyword; present in `dataset`.

    Returns
    -------
    bool
        True for zero length, only padding, only delimiters, a sequence without items.
    """
    element = stored_element(dataset, _tag(attribute))
    return element is None or element_is_empty(element)


def element_is_empty(element: DataElement | RawDataElement) -> bool:
    """Return whether an element has no value; see `is_empty`."""
    value: Any = element.value
    if value is None:
        return True
    if stored_vr(element) in TEXT_VRS:
        return not any(part.strip(" \0") for part in element_texts(element))
    return hasattr(value, "__len__") and len(value) == 0


def character_sets(
    dataset: Dataset, inherited: tuple[str, ...] = DEFAULT_REPERTOIRE
) -> tuple[str, ...]:
    """Return the Python codecs of a data set's Specific Character Set.

    Parameters
    ----------
    dataset : pydicom.Dataset
    inherited : tuple of str
        Codecs of the data set around, in force when this one does not say.

    Returns
    -------
    tuple of str
        An unknown name falls back to the default repertoire; the rule on the value itself reports
        it.
    """
    return named_encodings(texts(dataset, 0x00080005), inherited)


def named_encodings(names: tuple[str, ...], inherited: tuple[str, ...]) -> tuple[str, ...]:
    """Return the Python codecs of character sets given by name; see `character_sets`."""
    if not any(names):
        return inherited
    from pydicom import charset

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return tuple(charset.convert_encodings(list(names)))
        except (LookupError, ValueError):
            return inherited


def _decode(value: bytes, encodings: tuple[str, ...]) -> str:
    from pydicom import charset

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return charset.decode_bytes(value, list(encodings), set())
        except (LookupError, UnicodeError):
            return value.decode("latin-1")


def texts(
    dataset: Dataset, attribute: int | str, encodings: tuple[str, ...] = DEFAULT_REPERTOIRE
) -> tuple[str, ...]:
    """Return the values of a textual element, without padding.

    Parameters
    ----------
    dataset : pydicom.Dataset
    attribute : int or str
        Tag or keyword.
    encodings : tuple of str
        Python codecs; see `character_sets`.

    Returns
    -------
    tuple of str
        Empty when the element is absent, has no value or is not textual.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset()
    >>> header.ImageType = ["DERIVED", "PRIMARY"]
    >>> texts(header, "ImageType")
    ('DERIVED', 'PRIMARY')
    """
    element = stored_element(dataset, _tag(attribute))
    return () if element is None else element_texts(element, encodings)


def element_texts(
    element: DataElement | RawDataElement, encodings: tuple[str, ...] = DEFAULT_REPERTOIRE
) -> tuple[str, ...]:
    """Return the values of a textual element, without padding; see `texts`."""
    value: Any = element.value
    vr = stored_vr(element)
    if value is None or vr not in TEXT_VRS:
        return ()
    if isinstance(value, bytes):
        if (vr in CHARACTER_SET_VRS and not value.isascii()) or b"\x1b" in value:
            value = _decode(value, encodings)
        else:
            value = value.decode("latin-1")
    elif isinstance(value, list) or (hasattr(value, "__iter__") and not isinstance(value, str)):
        # PersonName is iterable too, character by character.
        if type(value).__name__ != "PersonName":
            return tuple(str("" if part is None else part).rstrip(" \0") for part in value)
        value = str(value)
    value = str(value).rstrip("\0" if vr == "UI" else " \0")
    if not value:
        return ()
    parts = [value] if vr in SINGLE_VALUED_VRS else value.split("\\")
    return tuple(part if vr == "UI" else part.rstrip(" \0") for part in parts)


def text(dataset: Dataset, attribute: int | str) -> str:
    """Return the first value of a textual element without blanks around it, else ``""``.

    Parameters
    ----------
    dataset : pydicom.Dataset
    attribute : int or str

    Returns
    -------
    str
    """
    found = texts(dataset, attribute)
    return found[0].strip() if found else ""


def numbers(dataset: Dataset, attribute: int | str) -> tuple[float, ...]:
    """Return the values of a numerical element (DS, IS, binary numbers).

    Parameters
    ----------
    dataset : pydicom.Dataset
    attribute : int or str

    Returns
    -------
    tuple of float
        Finite values only as a whole: empty when the element is absent, empty, or one value is not
        a finite number; the rule on value representation reports that.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset()
    >>> header.PixelSpacing = [0.5, 0.5]
    >>> numbers(header, "PixelSpacing")
    (0.5, 0.5)
    """
    element = stored_element(dataset, _tag(attribute))
    return () if element is None else element_numbers(dataset, element)


def element_numbers(dataset: Dataset, element: DataElement | RawDataElement) -> tuple[float, ...]:
    """Return the values of a numerical element of a data set; see `numbers`."""
    vr = stored_vr(element)
    if element.value is None or (vr in TEXT_VRS and vr not in ("DS", "IS")):
        return ()
    try:
        if vr in ("DS", "IS"):
            values = [float(part) for part in element_texts(element)]
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value: Any = dataset[element.tag].value
            values = [float(v) for v in (value if hasattr(value, "__iter__") else [value])]
    except Exception:  # pydicom raises many kinds on malformed numbers; none is a number
        return ()
    return tuple(values) if all(math.isfinite(v) for v in values) else ()


def number(dataset: Dataset, attribute: int | str) -> float | None:
    """Return the first value of a numerical element, or None.

    Parameters
    ----------
    dataset : pydicom.Dataset
    attribute : int or str

    Returns
    -------
    float or None
    """
    found = numbers(dataset, attribute)
    return found[0] if found else None


def parse_date(value: str) -> date | None:
    """Return a DICOM date, or None when it is not one.

    Parameters
    ----------
    value : str
        ``YYYYMMDD``.

    Returns
    -------
    datetime.date or None

    Examples
    --------
    >>> parse_date("20240229"), parse_date("20250229")
    (datetime.date(2024, 2, 29), None)
    """
    if len(value) != 8 or not (value.isascii() and value.isdigit()):
        return None
    try:
        return date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        return None


def items(dataset: Dataset, attribute: int | str) -> tuple[Dataset, ...] | None:
    """Return the items of a sequence.

    Parameters
    ----------
    dataset : pydicom.Dataset
    attribute : int or str

    Returns
    -------
    tuple of pydicom.Dataset or None
        Empty when absent; None when it is there and cannot be read as a sequence.
    """
    tag = _tag(attribute)
    if tag not in dataset:
        return ()
    from pydicom.sequence import Sequence

    element = stored_element(dataset, tag)
    stored: Any = None if element is None else element.value
    # pydicom makes an item of whatever bytes it meets; a true one begins with its tag.
    if isinstance(stored, bytes) and stored and not stored.startswith(ITEM_TAGS):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = dataset[tag].value
    except Exception:  # malformed nested bytes raise many kinds; the caller reports one
        return None
    if value is None:
        return ()
    return tuple(value) if isinstance(value, Sequence) else None
