"""Objects that the worker processes of this machine map instead of making them anew.

A describer may need a whole table before it can say anything of one patient. Read by each worker
process it would cost time and memory as often as there are workers; laid out once in a file that
has no name, it is read by all of them from the same pages of memory.
"""

from __future__ import annotations

import mmap
import os
import pickle
import secrets
import struct
import tempfile
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Mapped", "load_mapped", "mapped"]

_ALIGNMENT: Final = 64
_HEAD: Final = struct.Struct("<16sQ")
"""Token and number of buffers; offset and size of the pickle and of each buffer follow."""
_PLACE: Final = struct.Struct("<QQ")


class Mapped(NamedTuple):
    """Where an object is laid out.

    Parameters
    ----------
    path : Path
        Of the open file as other processes of the same user see it.
    token : bytes
        By which the file is known again, should its number be given to another one.
    """

    path: Path
    token: bytes


@contextmanager
def mapped(value: object) -> Iterator[Mapped | None]:
    """Lay an object out in an unnamed file for as long as the block lasts.

    The file has no name: it is gone with this process, however that ends. Arrays of numpy and
    Arrow lie in it as they lie in memory (pickle protocol 5, PEP 574).

    Parameters
    ----------
    value : object
        Picklable.

    Yields
    ------
    Mapped or None
        None where this cannot be done: no ``/proc``, or no room.

    Examples
    --------
    >>> with mapped({"a": 1}) as place:
    ...     place is None or load_mapped(place)
    {'a': 1}
    """
    buffers: list[pickle.PickleBuffer] = []
    plain = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    token = secrets.token_bytes(16)
    try:
        file = tempfile.TemporaryFile(prefix="sdq-")  # noqa: SIM115 - closed below
    except OSError:
        yield None
        return
    with file:
        path = Path(f"/proc/{os.getpid()}/fd/{file.fileno()}")
        parts = [memoryview(plain), *(b.raw() for b in buffers)]
        try:
            places = _places([p.nbytes for p in parts])
            file.write(_HEAD.pack(token, len(parts)))
            file.writelines(_PLACE.pack(*place) for place in places)
            for part, (start, _) in zip(parts, places, strict=True):
                file.seek(start)
                file.write(part)
            file.flush()
            seen = path.exists()
        except OSError:
            seen = False
        finally:
            del buffers, plain, parts
        yield Mapped(path, token) if seen else None


@lru_cache(maxsize=8)
def load_mapped(place: Mapped) -> Any:
    """Return an object that another process has laid out; its arrays cannot be written.

    Parameters
    ----------
    place : Mapped

    Raises
    ------
    OSError
        It is not there any more.
    """
    with place.path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < _HEAD.size:
            raise FileNotFoundError(f"{place.path}: is another file now")
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    token, count = _HEAD.unpack_from(data)
    if token != place.token:
        raise FileNotFoundError(f"{place.path}: is another file now")
    places = (_PLACE.unpack_from(data, _HEAD.size + k * _PLACE.size) for k in range(count))
    plain, *buffers = (data[start : start + size] for start, size in places)
    return pickle.loads(plain, buffers=buffers)  # noqa: S301 - of this run's own process


def _places(sizes: list[int]) -> list[tuple[int, int]]:
    """Return offset and size of parts that lie one after the other, each aligned."""
    found = []
    end = _HEAD.size + len(sizes) * _PLACE.size
    for size in sizes:
        start = -(-end // _ALIGNMENT) * _ALIGNMENT
        found.append((start, size))
        end = start + size
    return found
