"""The serial engine: one shard after the other in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sdq_core.engines.threads import single_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from sdq_core.engines import Crashed

__all__ = ["SerialEngine"]

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class SerialEngine:
    """Works in this process. What ends a process ends the run; use it to debug a describer.

    Parameters
    ----------
    workers : int
        Always 1.
    elsewhere : bool
        Always false.
    """

    workers: int = 1
    elsewhere: bool = False

    def map(
        self, function: Callable[[Sequence[T]], R], shards: Sequence[Sequence[T]]
    ) -> Generator[R | Crashed[T], None, None]:
        """Yield the function's results in the order of the shards; see `Engine.map`."""
        for shard in shards:
            with single_thread():
                result = function(shard)
            yield result
