"""What runs in a worker process of Dask: the same function as everywhere, one shard at a time."""

from __future__ import annotations

import asyncio
import hashlib
import pickle
import signal
import threading
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

from sdq_core.engines import Prepared
from sdq_core.engines.memory import keep_freed_memory
from sdq_core.engines.threads import single_thread, start_single_threaded
from sdq_core.errors import PluginError, SdqError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Order", "dask_setup", "make_ready", "work"]


class Order(NamedTuple):
    """What a worker needs to know besides the shard.

    Bytes, so that neither Dask nor its scheduler loads what is in them.
    """

    function: bytes
    """Pickled function."""
    sdq: str
    """Version of sdq that sent it."""


_one_at_a_time = threading.Lock()
_loading = threading.Lock()
_loaded: tuple[bytes, Callable[[Any], Any]] | None = None


def dask_setup(worker: object) -> None:
    """Prepare a worker of a cluster of our own when it starts (a *preload* of Dask)."""
    # Ctrl-C reaches the whole process group; the parent decides what it means.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


async def make_ready(order: Order) -> None:
    """Load the function in this worker, and let it look whether it can work here.

    Raises
    ------
    SdqError
        It cannot.
    """
    # In a thread: the worker answers the scheduler while a modality is being imported.
    await asyncio.to_thread(_function, order)


def work(order: Order, shard: bytes) -> Any:
    """Give one shard to the function, on one thread of numerical libraries.

    A worker process may have several threads. The number of threads of numerical libraries belongs
    to the process, and describers need not be safe to run twice at once: so one shard at a time.
    """
    with _one_at_a_time:
        try:
            function = _function(order)
            with single_thread():
                return function(pickle.loads(shard))  # noqa: S301 - from the client
        except SdqError as error:
            from distributed import get_worker

            if len(error.args) == 1:
                error.args = (f"worker {get_worker().address}: {error}",)
            raise


def _function(order: Order) -> Callable[[Any], Any]:
    """Return the function, loaded once in each worker, also in one that joined late."""
    global _loaded
    key = hashlib.sha256(order.function).digest()
    with _loading:
        if _loaded is None or _loaded[0] != key:
            if version("sdq") != order.sdq:
                raise UsageError(
                    f"sdq {version('sdq')} is installed, the run is of sdq {order.sdq}; install "
                    "the same version on all machines"
                )
            start_single_threaded()
            keep_freed_memory()
            function = _unpickled(order.function)
            if isinstance(function, Prepared):
                function.prepare()
            _loaded = (key, function)
        return _loaded[1]


def _unpickled(payload: bytes) -> Callable[[Any], Any]:
    try:
        function: Callable[[Any], Any] = pickle.loads(payload)  # noqa: S301 - from the client
    except ImportError as error:
        missing = f"no module {error.name!r}" if error.name else type(error).__name__
        raise PluginError(
            f"the modality cannot be loaded ({missing}); install the distribution that provides "
            "it, with the extras that this machine has, e.g. pip install 'sdq[imaging,dask]'"
        ) from error
    except Exception as error:  # foreign code
        raise PluginError(
            f"the describer cannot be loaded ({type(error).__name__}); define its class at the top "
            "of an importable module"
        ) from error
    return function
