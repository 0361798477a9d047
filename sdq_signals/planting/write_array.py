"""Writes NumPy files: stacks of the recordings of one form, and recordings of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from numpy.typing import NDArray

from sdq_core.files import atomic_write
from sdq_signals.planting.draft import GENERATOR, Draft

__all__ = ["SYNTHETIC_FACTS", "archive", "write"]

SYNTHETIC_FACTS: Final = ("synthetic", "AIGC", "generator", "run")
"""Arrays of a stack with one statement for each recording."""


def write(drafts: Iterable[Draft], folder: Path) -> list[tuple[str, Draft]]:
    """Write recordings that came from arrays.

    Parameters
    ----------
    drafts : iterable of Draft
        From one folder.
    folder : Path
        Is there.

    Returns
    -------
    list of tuple of str and Draft
        Item id below the folder, and what became it. Recordings of one form (channels, units, rate,
        length, storage, declaration) out of stacks become one stack.
    """
    found: list[tuple[str, Draft]] = []
    stacks: dict[tuple[Any, ...], list[Draft]] = {}
    for draft in drafts:
        if draft.part.isdecimal():
            stacks.setdefault(_form(draft), []).append(draft)
        else:
            found.append((_single(draft, folder), draft))
    for number, members in enumerate(stacks.values(), start=1):
        name = f"stack{number:02d}{members[0].path.suffix.lower()}"
        place = f"{members[0].folder}/{name}" if members[0].folder else name
        _stack(members, folder / place)
        found += [(f"{place}#{k}", draft) for k, draft in enumerate(members)]
    return found


def archive(arrays: dict[str, Any]) -> bytes:
    """Return the bytes of an archive of arrays; the same for the same arrays.

    Examples
    --------
    >>> archive({"rate": np.array(100.0)}) == archive({"rate": np.array(100.0)})
    True
    """
    buffer = BytesIO()
    named: dict[str, Any] = {name: np.asarray(values) for name, values in arrays.items()}
    np.savez(buffer, **named)
    return buffer.getvalue()


def _form(draft: Draft) -> tuple[Any, ...]:
    return (
        draft.path.suffix.lower(), draft.names, draft.stated_units, draft.rate,
        draft.samples.shape, draft.declared, draft.traced, draft.folder, draft.apart,
        tuple((c.resolution, c.factor) for c in draft.channels),
    )  # fmt: skip


def _facts(draft: Draft, scales: Sequence[float]) -> dict[str, Any]:
    facts: dict[str, Any] = {"sampling_rate": draft.rate, "channels": list(draft.names)}
    if any(draft.stated_units):
        facts["units"] = list(draft.stated_units)
    if any(s != 1 for s in scales):
        facts["scale"] = list(scales)
    return facts


def _values(drafts: Sequence[Draft]) -> tuple[NDArray[Any], list[float]]:
    """Return the samples of recordings of one form as stored, and each channel's scale."""
    first = drafts[0]
    physical = np.stack([d.physical for d in drafts])
    scales = [
        1.0 if c.resolution is None else c.resolution / (1.0 if c.factor is None else c.factor)
        for c in first.channels
    ]
    if any(c.resolution is None for c in first.channels) or np.isnan(physical).any():
        return physical.astype(np.float32), [1.0] * len(scales)
    stored = np.rint(physical / np.array(scales)[:, None])
    for kind in ("i2", "i4"):
        if np.abs(stored).max(initial=0) <= np.iinfo(kind).max:
            return stored.astype(kind), scales
    return physical.astype(np.float32), [1.0] * len(scales)


def _stack(drafts: Sequence[Draft], path: Path) -> None:
    values, scales = _values(drafts)
    facts = _facts(drafts[0], scales)
    if path.suffix == ".npy":
        _npy(values, path)
        _side_car(path, facts | _statements(drafts[0]))
        return
    said: dict[str, list[str]] = {name: [] for name in SYNTHETIC_FACTS}
    for draft in drafts:
        for name in SYNTHETIC_FACTS:
            said[name].append(draft.statements.get(name, ""))
    arrays = {"signals": values, **facts, **{n: v for n, v in said.items() if any(v)}}
    atomic_write(path, archive(arrays))


def _single(draft: Draft, folder: Path) -> str:
    """Write one recording as a file of its own."""
    values, scales = _values([draft])
    name = f"{draft.name}{draft.path.suffix.lower()}"
    place = f"{draft.folder}/{name}" if draft.folder else name
    path = folder / place
    facts = _facts(draft, scales)
    if path.suffix == ".npy":
        _npy(values[0], path)
        _side_car(path, facts | _statements(draft))
    else:
        atomic_write(path, archive({"signal": values[0], **facts}))
        if said := _statements(draft):
            _side_car(path, said)
    return place


def _statements(draft: Draft) -> dict[str, str]:
    said = dict(draft.statements)
    # One line speaks for a whole stack: the run is that of the stack.
    return said | ({"generator": GENERATOR} if draft.traced else {})


def _npy(values: NDArray[Any], path: Path) -> None:
    buffer = BytesIO()
    np.save(buffer, values)
    atomic_write(path, buffer.getvalue())


def _side_car(path: Path, facts: dict[str, Any]) -> None:
    text = yaml.safe_dump(facts, sort_keys=True, allow_unicode=True)
    atomic_write(path.with_suffix(".yaml"), text.encode())
