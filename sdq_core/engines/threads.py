"""One thread for numerical libraries: several would change the last bits with their number."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["single_thread", "start_single_threaded"]

_VARIABLES: Final = (
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def start_single_threaded() -> None:
    """Make libraries that this process loads from now on start with one thread, for good."""
    os.environ.update(dict.fromkeys(_VARIABLES, "1"))


@contextmanager
def single_thread() -> Iterator[None]:
    """Run numerical libraries on one thread inside the block: loaded ones and those loaded in it.

    Afterwards the environment and the libraries that were loaded before are as they were; a
    library that was first loaded inside keeps one thread.

    Examples
    --------
    >>> before = os.environ.get("OMP_NUM_THREADS")
    >>> with single_thread():
    ...     os.environ["OMP_NUM_THREADS"]
    '1'
    >>> os.environ.get("OMP_NUM_THREADS") == before
    True
    """
    from threadpoolctl import threadpool_limits

    with ExitStack() as stack:
        for name in _VARIABLES:
            stack.callback(_restore, name, os.environ.get(name))
        start_single_threaded()
        stack.enter_context(threadpool_limits(1))
        torch = sys.modules.get("torch")
        if torch is not None:
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(1)
        yield


def _restore(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
