"""What is known of items besides their data: one text an item and column."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sdq_core.errors import UsageError

__all__ = ["Columns", "texts"]

_TAKEN = ("item", "class", "subject")


@dataclass(frozen=True)
class Columns:
    """Labels, subjects and attributes as they were given beside the data.

    Parameters
    ----------
    argument : str
        The cohort's.
    values : mapping of str to list of str
    arguments : str
        How they were given, for messages.
    """

    argument: str
    values: Mapping[str, list[str]]
    arguments: str

    @classmethod
    def of(
        cls, argument: str, labels: object, subjects: object, attributes: Mapping[str, object]
    ) -> Columns:
        """Take the arguments for one cohort.

        Raises
        ------
        UsageError
            They are no sequences of single values, or an attribute has a name that is taken.
        """
        found: dict[str, list[str]] = {}
        if labels is not None:
            found["class"] = texts(labels, f"labels[{argument!r}]", classes=True)
        if subjects is not None:
            found["subject"] = texts(subjects, f"subjects[{argument!r}]")
        for name, values in attributes.items():
            if name in _TAKEN:
                raise UsageError(
                    f"attributes[{argument!r}]: {name!r} is no attribute; classes go into labels, "
                    "subjects into subjects"
                )
            found[name] = texts(values, f"attributes[{argument!r}][{name!r}]")
        shown = [n for n, v in (("labels", labels), ("subjects", subjects)) if v is not None]
        shown += ["attributes"] if attributes else []
        return cls(argument, found, " and ".join(shown))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.values)

    def row(self, k: int) -> dict[str, str]:
        """Return what is known of item `k`.

        Raises
        ------
        UsageError
            There are more items than values.
        """
        for name, values in self.values.items():
            if k >= len(values):
                raise UsageError(
                    f"{self.argument}: has more items than the {len(values)} values of {name} "
                    f"that {self.arguments} gives; give one for each item"
                )
        return {name: values[k] for name, values in self.values.items()}

    def check_length(self, count: int) -> None:
        """Make sure that there are no more values than items.

        Raises
        ------
        UsageError
        """
        for name, values in self.values.items():
            if len(values) != count:
                raise UsageError(
                    f"{self.argument}: has {count} items, but {self.arguments} gives "
                    f"{len(values)} values of {name}; give one for each item"
                )


def texts(values: object, place: str, *, classes: bool = False) -> list[str]:
    """Return one text for each item.

    Parameters
    ----------
    values : sequence, array or tensor
        Of texts, numbers or truth values; None and NaN are missing.
    place : str
        For messages.
    classes : bool
        Whether they name classes, which a number with a fraction does not.

    Returns
    -------
    list of str
        ``""`` where missing.

    Raises
    ------
    UsageError
        It is no sequence of single values.

    Examples
    --------
    >>> texts(np.array([0, 2]), "labels"), texts(["a", None], "labels")
    (['0', '2'], ['a', ''])
    """
    if hasattr(values, "detach"):  # a tensor, perhaps on another device
        values = values.detach().cpu().numpy()
    elif hasattr(values, "to_numpy"):  # a column of a frame
        values = values.to_numpy()
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__len__"):
        if hasattr(values, "__iter__") and not isinstance(values, str | bytes | Mapping):
            values = list(values)
        else:
            raise UsageError(
                f"{place}: is a {type(values).__name__}; give a sequence with one value an item"
            )
    if isinstance(values, np.ndarray) and values.ndim != 1:
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        else:
            raise UsageError(
                f"{place}: has shape {values.shape}; give one value an item. A mask is no label: "
                "leave it out, with keys={'data': ...}"
            )
    return [_text(v, place, classes=classes) for v in values]  # type: ignore[attr-defined]


def _text(value: object, place: str, *, classes: bool) -> str:
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        if value.size != 1:
            raise UsageError(
                f"{place}: has a value of shape {value.shape}; give one value an item. A mask is "
                "no label: leave it out, with keys={'data': ...}"
            )
        value = value.reshape(())
    if isinstance(value, np.generic | np.ndarray):
        value = value.item()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, float):
        if value.is_integer():
            return str(int(value))
        if classes:
            raise UsageError(
                f"{place}: holds numbers with a fraction, which name no class; give texts or whole "
                "numbers"
            )
        return repr(value)
    if isinstance(value, str | int):
        return str(value)
    # pandas has values of its own for what is missing.
    if type(value).__name__ in ("NAType", "NaTType"):
        return ""
    raise UsageError(
        f"{place}: holds a {type(value).__name__}; give texts, numbers or truth values"
    )
