"""A header read once: every element of every level at hand, without asking pydicom again.

pydicom finds, converts and checks an element each time that it is asked for one. Rules ask for some
hundred of them, and three rules go through all. A `Level` holds the stored elements of a data set
or sequence item in a plain dictionary, with its items as levels; all rules share one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sdq_core.dicom.elements import (
    DEFAULT_REPERTOIRE,
    MAX_DEPTH,
    PIXEL_GROUP,
    TEXT_VRS,
    element_is_empty,
    element_numbers,
    element_texts,
    items,
    named_encodings,
    place_text,
    stored_element,
    stored_vr,
)

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.dataelem import DataElement, RawDataElement

    Element = DataElement | RawDataElement

__all__ = ["Level", "level_of"]

CHARACTER_SET = 0x00080005


@dataclass(slots=True, eq=False)
class Level:
    """A data set or a sequence item, with all that lies inside.

    Parameters
    ----------
    dataset : pydicom.Dataset
    elements : dict of int to DataElement or RawDataElement
        By tag, ascending; as stored. Pixel data and group lengths are left out.
    items : dict of int to tuple of Level, or None
        Of each sequence; None where it cannot be read as one.
    path : tuple of (int, int)
        Sequence tag and item number of each level above.
    encodings : tuple of str
        Python names of the character sets in force here.
    parent : Level or None
    too_deep : bool
        Whether items below were left out because they lie too deep.
    """

    dataset: Dataset
    elements: dict[int, Element]
    items: dict[int, tuple[Level, ...] | None] = field(default_factory=dict)
    path: tuple[tuple[int, int], ...] = ()
    encodings: tuple[str, ...] = DEFAULT_REPERTOIRE
    parent: Level | None = None
    too_deep: bool = False
    _texts: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def __contains__(self, tag: int) -> bool:
        return tag in self.elements

    def is_empty(self, tag: int) -> bool:
        """Return whether an element has no value; True where it is absent.

        Examples
        --------
        >>> from pydicom import Dataset
        >>> header = Dataset()
        >>> header.PatientID = ""
        >>> level_of(header).is_empty(0x00100020)
        True
        """
        element = self.elements.get(tag)
        if element is None:
            return True
        if tag in self.items:
            inside = self.items[tag]
            return inside is not None and not inside
        if stored_vr(element) in TEXT_VRS:
            return not any(part.strip(" \0") for part in self.texts(tag))
        return element_is_empty(element)

    def texts(self, tag: int) -> tuple[str, ...]:
        """Return the values of a textual element, decoded, without padding; else an empty tuple."""
        found = self._texts.get(tag)
        if found is None:
            element = self.elements.get(tag)
            found = () if element is None else element_texts(element, self.encodings)
            self._texts[tag] = found
        return found

    def text(self, tag: int) -> str:
        """Return the first value of a textual element without blanks around it, else ``""``."""
        found = self.texts(tag)
        return found[0].strip() if found else ""

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Return the values of a numerical element, as `sdq_core.dicom.elements.numbers` does."""
        element = self.elements.get(tag)
        return () if element is None else element_numbers(self.dataset, element)

    def where(self, tag: int) -> str:
        """Return the path of an attribute in keywords, from the data set on."""
        return place_text(self.path, tag)

    def walk(self) -> Iterator[tuple[Level, int, Element]]:
        """Go through every element here and below, in the order of tags."""
        for tag, element in self.elements.items():
            yield self, tag, element
            for item in self.items.get(tag) or ():
                yield from item.walk()


def level_of(source: Dataset | Level) -> Level:
    """Return a data set as a level, read whole; a level stays as it is.

    Parameters
    ----------
    source : pydicom.Dataset or Level

    Returns
    -------
    Level

    Examples
    --------
    >>> from pydicom import Dataset
    >>> inner, header = Dataset(), Dataset()
    >>> inner.ReferencedSOPClassUID, header.SourceImageSequence = "1.2", [inner]
    >>> level_of(header).items[0x00082112][0].text(0x00081150)
    '1.2'
    """
    return source if isinstance(source, Level) else _read(source, (), DEFAULT_REPERTOIRE, None)


def _read(
    dataset: Dataset,
    path: tuple[tuple[int, int], ...],
    encodings: tuple[str, ...],
    parent: Level | None,
) -> Level:
    elements: dict[int, Any] = {}
    for tag in sorted(dataset.keys()):
        if tag >> 16 == PIXEL_GROUP or not tag & 0xFFFF:
            continue
        element = stored_element(dataset, tag)
        if element is not None:
            elements[int(tag)] = element
    level = Level(dataset, elements, {}, path, encodings, parent)
    if CHARACTER_SET in elements:
        names = element_texts(elements[CHARACTER_SET], DEFAULT_REPERTOIRE)
        level.encodings = named_encodings(names, encodings)
    for number, element in elements.items():
        if stored_vr(element) != "SQ":
            continue
        found = items(dataset, number)
        if found and len(path) >= MAX_DEPTH:
            level.too_deep = True
            found = ()
        level.items[number] = (
            None
            if found is None
            else tuple(
                _read(item, (*path, (number, index)), level.encodings, level)
                for index, item in enumerate(found)
            )
        )
    return level
