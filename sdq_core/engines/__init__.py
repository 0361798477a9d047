"""Engines: where the shards of work run. Results do not depend on the choice.

Nothing heavy is imported here, so that a worker process can limit its threads before numpy loads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar, runtime_checkable

from sdq_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

__all__ = ["ENGINES", "Crashed", "Engine", "Prepared", "make_engine"]

T = TypeVar("T")
R = TypeVar("R")

ENGINES: Final = ("processes", "serial", "dask", "dask://HOST:PORT")
"""Names of the engines."""

_SCHEMES: Final = {"dask://": "tcp://", "dask+tls://": "tls://"}


@dataclass(frozen=True)
class Crashed(Generic[T]):
    """An element of a shard that ended the process working on it, twice.

    Parameters
    ----------
    element : object
    """

    element: T


class Engine(Protocol):
    """Maps a function over shards."""

    @property
    def workers(self) -> int:
        """Shards worked on at the same time, at least 1."""
        ...

    @property
    def elsewhere(self) -> bool:
        """Whether workers may be on other machines, with other software and other folders."""
        ...

    def map(
        self, function: Callable[[Sequence[T]], R], shards: Sequence[Sequence[T]]
    ) -> Generator[R | Crashed[T], None, None]:
        """Yield the function's results as they finish, in any order.

        Parameters
        ----------
        function : callable
            Picklable; is given one shard. An error that it raises ends the map. It runs on one
            thread: see `sdq_core.engines.threads`.
        shards : sequence of sequences
            Each element of each shard enters exactly one result; a shard whose process died is
            given to the function again, one element at a time.

        Yields
        ------
        object or Crashed
        """
        ...


@runtime_checkable
class Prepared(Protocol):
    """A function for `Engine.map` that looks around before it works in another place."""

    def prepare(self) -> None:
        """Make sure that it can work here; called in each process of other machines, and first.

        Raises
        ------
        SdqError
            It cannot; ends the map.
        """
        ...


def make_engine(name: str, workers: int | None = None) -> Engine:
    """Return an engine by name.

    Parameters
    ----------
    name : {"processes", "serial", "dask", "dask://host:port", "dask+tls://host:port"}
        The last two join a Dask cluster at the address of its scheduler, see
        `sdq_core.engines.dask.DaskEngine`.
    workers : int, optional
        Worker processes, at least 1; by default one for each CPU that this process may use.
        The serial engine always has one; a cluster at an address has its own.

    Returns
    -------
    Engine

    Raises
    ------
    UsageError
        There is no such engine, or `workers` is below 1.
    PluginError
        Dask is not installed.

    Examples
    --------
    >>> list(make_engine("serial").map(sum, [[1, 2], [3]]))
    [3, 3]
    """
    from sdq_core.engines.processes import ProcessEngine
    from sdq_core.engines.serial import SerialEngine

    if workers is not None and workers < 1:
        raise UsageError(f"workers must be at least 1, got {workers}")
    if name == "serial":
        return SerialEngine()
    if name == "processes":
        return ProcessEngine(workers)
    scheme, found, place = name.partition("://")
    if name == "dask" or scheme + found in _SCHEMES:
        from sdq_core.engines.dask import DaskEngine

        return DaskEngine(_SCHEMES[scheme + found] + place if found else None, workers)
    raise UsageError(f"engine {name!r} does not exist; choose one of {', '.join(ENGINES)}")
