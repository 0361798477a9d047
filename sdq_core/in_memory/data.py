"""Arrays, tensors, data sets and loaders, taken apart item by item; nothing is loaded whole.

torch is recognised where the caller has imported it, and never imported here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_core.in_memory.columns import Columns, texts

__all__ = ["KEYS", "Element", "InMemory", "elements", "is_frame"]

KEYS: Final = ("data", "label", "subject")
"""What may be found inside an item that is a mapping or a tuple."""
_STATED: Final = {"label": "class", "subject": "subject"}
_USUAL: Final = {"label": ("label", "labels", "class"), "subject": ("subject", "subjects")}

Array = NDArray[Any]


@dataclass(frozen=True)
class InMemory:
    """One cohort as the caller has it.

    Parameters
    ----------
    argument : str
        Its name for messages: ``"train"``.
    data : object
        Array or tensor with the items along the first axis; list, iterator, data set of items;
        loader of batches; of tables a frame, or a mapping of table names to frames.
    labels, subjects : sequence or None
        One value an item.
    attributes : mapping of str to sequence
        Further columns, one value an item each.
    keys : mapping of str to str or int
        Where items are mappings or tuples: which entry holds ``data``, ``label``, ``subject``.
    """

    argument: str
    data: object
    labels: object = None
    subjects: object = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    keys: Mapping[str, str | int] = field(default_factory=dict)


class Element(NamedTuple):
    """One item."""

    values: Array
    tensor: bool
    """Whether it came as a tensor, whose channels stand first."""
    stated: dict[str, str]
    """What is known of it, ``class`` and ``subject`` among it; ``""`` where missing."""


def elements(source: InMemory, names: Sequence[str]) -> Iterator[Element]:
    """Yield the items of a cohort one after the other.

    Parameters
    ----------
    source : InMemory
    names : sequence of str
        Keys under which the modality looks for the data of items that are mappings.

    Raises
    ------
    UsageError
        There is no item, an item is not what the modality takes, or as many labels as items are
        not there. The message names the argument.

    Examples
    --------
    >>> found = elements(InMemory("train", np.zeros((2, 3)), labels=["a", "b"]), ["image"])
    >>> [e.stated for e in found]
    [{'class': 'a'}, {'class': 'b'}]
    """
    if unknown := set(source.keys) - set(KEYS):
        raise UsageError(
            f"keys: {', '.join(sorted(map(repr, unknown)))} is none of {', '.join(KEYS)}; write "
            "for example keys={'data': 'image', 'label': 'label'}"
        )
    given = Columns.of(source.argument, source.labels, source.subjects, source.attributes)
    if given.names and _shuffles(source.data):
        raise UsageError(
            f"{source.argument}: a loader that shuffles gives its items in another order than "
            f"{given.arguments}; make it with shuffle=False, or let its items carry their labels"
        )
    count = 0
    for values, tensor, stated in _items(source, names):
        if twice := sorted(set(stated) & set(given.names)):
            raise UsageError(
                f"{source.argument}: item {count} carries its {twice[0]} itself, and "
                f"{given.arguments} gives it too; give it once"
            )
        yield Element(values, tensor, {**stated, **given.row(count)})
        count += 1
    if count == 0:
        raise UsageError(f"{source.argument}: holds no item; give at least one")
    given.check_length(count)


def is_frame(value: object) -> bool:
    """Whether an object is a table: a frame of pandas or polars, or an Arrow table."""
    return hasattr(value, "__arrow_c_stream__") or type(value).__module__.startswith(
        ("pandas", "polars", "pyarrow")
    )


def _items(source: InMemory, names: Sequence[str]) -> Iterator[tuple[Array, bool, dict[str, str]]]:
    data, where = source.data, source.argument
    if is_frame(data):
        raise UsageError(
            f"{where}: is a table ({type(data).__name__}), and this modality takes arrays; give "
            "frame.to_numpy(), or modality='ehr'"
        )
    if isinstance(data, tuple):
        raise UsageError(
            f"{where}: is a tuple of {len(data)}; give the array alone, and labels={{{where!r}: "
            "...}}, or a list of items"
        )
    if _is_torch(data, "utils.data", "DataLoader"):
        for number, batch in enumerate(data):  # type: ignore[var-annotated, arg-type]
            yield from _of_batch(batch, source, names, f"{where}, batch {number}")
    elif isinstance(data, Mapping) or _is_array(data):
        yield from _of_batch(data, source, names, where)
    else:
        for number, item in enumerate(_sequence(data, where)):
            place = f"{where}, item {number}"
            found = _parts(item, source, names, place)
            values, tensor = _as_array(found["data"], place)
            stated = {
                _STATED[key]: texts([value], f"{place}, {key}", classes=key == "label")[0]
                for key, value in found.items()
                if key != "data"
            }
            yield values, tensor, stated


def _of_batch(
    batch: object, source: InMemory, names: Sequence[str], place: str
) -> Iterator[tuple[Array, bool, dict[str, str]]]:
    """Yield the items that lie along the first axis of a batch."""
    found = _parts(batch, source, names, place)
    values, tensor = _as_array(found["data"], place)
    if values.ndim == 0:
        raise UsageError(f"{place}: is a single number; give an array with the items along axis 0")
    columns = {
        _STATED[key]: texts(value, f"{place}, {key}", classes=key == "label")
        for key, value in found.items()
        if key != "data"
    }
    for name, column in columns.items():
        if len(column) != len(values):
            raise UsageError(
                f"{place}: has {len(values)} items and {len(column)} values of {name}; "
                "give one for each item"
            )
    for k in range(len(values)):
        yield values[k], tensor, {name: column[k] for name, column in columns.items()}


def _parts(value: object, source: InMemory, names: Sequence[str], place: str) -> dict[str, object]:
    """Find data, label and subject in an item or a batch."""
    if isinstance(value, Mapping):
        if source.keys:
            wanted: dict[str, object] = dict(source.keys)
        else:
            usual = {"data": tuple(names), **_USUAL}
            wanted = {
                key: next(n for n in options if n in value)
                for key, options in usual.items()
                if any(n in value for n in options)
            }
        if "data" not in wanted:
            raise UsageError(
                f"{place}: has the keys {_shown(value)} and none of {', '.join(names)}; name the "
                "one that holds the data: keys={'data': ...}"
            )
        if missing := [k for k in wanted.values() if k not in value]:
            raise UsageError(
                f"{place}: has no key {missing[0]!r} (keys: {_shown(value)}); correct `keys`"
            )
        return {key: value[name] for key, name in wanted.items()}
    if isinstance(value, tuple | list) and not (value and np.isscalar(value[0])):
        if len(value) == 1 and not source.keys:
            return {"data": value[0]}
        if "data" not in source.keys:
            raise UsageError(
                f"{place}: is a {type(value).__name__} of {len(value)}; say which entry is what: "
                "keys={'data': 0, 'label': 1}, or keys={'data': 0} to take the data alone"
            )
        for name in source.keys.values():
            if not isinstance(name, int) or not -len(value) <= name < len(value):
                raise UsageError(
                    f"{place}: is a {type(value).__name__} of {len(value)} and has no entry "
                    f"{name!r}; correct `keys`"
                )
        return {key: value[int(name)] for key, name in source.keys.items()}
    return {"data": value}


def _as_array(value: Any, place: str) -> tuple[Array, bool]:
    """Return numbers as a NumPy array, and whether they were a tensor."""
    tensor = _is_torch(value, "", "Tensor")
    try:
        if tensor:
            value = value.detach().cpu()
            if str(value.dtype) == "torch.bfloat16":  # NumPy has no such type
                value = value.float()
            found = np.asarray(value.numpy())
        else:
            found = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"{place}: a {type(value).__name__} is no array ({type(error).__name__}); give items "
            "of one shape each, as NumPy arrays or dense tensors"
        ) from error
    if found.dtype.hasobject or found.dtype.kind not in "biuf":
        raise UsageError(
            f"{place}: holds values of type {found.dtype}; give integers or floating-point "
            "numbers, for example array.astype('float32')"
        )
    if found.size == 0:
        raise UsageError(f"{place}: is empty, shape {found.shape}; give at least one item")
    return found, tensor


def _sequence(data: object, where: str) -> Iterable[object]:
    """Return what yields the items of a list, an iterator or a data set."""
    if isinstance(data, str | bytes) or data is None or np.isscalar(data):
        raise UsageError(
            f"{where}: a {type(data).__name__} holds no items; give an array, a tensor, a data "
            "set, a loader or a path"
        )
    if isinstance(data, Iterable):
        return data
    if hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        # A data set need not raise IndexError at its end, which iteration would wait for.
        return (data[k] for k in range(len(data)))
    raise UsageError(
        f"{where}: a {type(data).__name__} cannot be iterated; give an array, a tensor, a data "
        "set, a loader or a path"
    )


def _is_array(value: object) -> bool:
    return isinstance(value, np.ndarray) or (
        hasattr(value, "__array__") and hasattr(value, "shape")
    )


def _is_torch(value: object, module: str, name: str) -> bool:
    torch = sys.modules.get(f"torch.{module}" if module else "torch")
    kind = getattr(torch, name, None)
    return kind is not None and isinstance(value, kind)


def _shuffles(data: object) -> bool:
    """Whether a loader may give its items in another order than its data set has them."""
    if not _is_torch(data, "utils.data", "DataLoader"):
        return False
    if _is_torch(getattr(data, "dataset", None), "utils.data", "IterableDataset"):
        return False  # it has no order but its own
    batches = getattr(data, "batch_sampler", None)
    own = batches is not None and type(batches).__name__ != "BatchSampler"
    return own or not _is_torch(getattr(data, "sampler", None), "utils.data", "SequentialSampler")


def _shown(value: Mapping[Any, object]) -> str:
    names = [str(k) for k in list(value)[:8]]
    return ", ".join(names) + (", ..." if len(value) > len(names) else "")
