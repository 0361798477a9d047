"""The process engine: a pool of worker processes that outlives the death of a worker."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, TypeVar

from sdq_core.engines import Crashed
from sdq_core.engines.memory import keep_freed_memory
from sdq_core.engines.threads import single_thread, start_single_threaded
from sdq_core.errors import PluginError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

__all__ = ["ProcessEngine", "pickled", "usable_cpus"]

T = TypeVar("T")
R = TypeVar("R")


class ProcessEngine:
    """Works in fresh processes on this machine (start method ``spawn``), one thread each.

    A forked copy of a process with threads may hang (POSIX ``fork``), hence ``spawn``. When a
    worker dies, the pool starts again; what was being worked on is tried once more, one element
    at a time in a pool of one, so that the element that did it is known for certain.

    Parameters
    ----------
    workers : int, optional
        By default one for each CPU that this process may use.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or usable_cpus()
        self.elsewhere = False

    def map(
        self, function: Callable[[Sequence[T]], R], shards: Sequence[Sequence[T]]
    ) -> Generator[R | Crashed[T], None, None]:
        """Yield the function's results as they finish; see `Engine.map`.

        Closing the iterator kills the workers.

        Raises
        ------
        PluginError
            The function cannot travel to another process.
        UsageError
            Worker processes cannot start.
        """
        payload = pickled(function)
        waiting = deque(shards)
        while waiting:
            unfinished = yield from _run(payload, waiting, self.workers)
            singles: deque[Sequence[T]] = deque((e,) for shard in unfinished for e in shard)
            while singles:
                for (element,) in (yield from _run(payload, singles, 1)):
                    yield Crashed(element)


def _run(
    payload: bytes, waiting: deque[Sequence[T]], workers: int
) -> Generator[Any, None, list[Sequence[T]]]:
    """Work off the waiting shards; return early when a worker dies.

    At most `workers` shards are in flight: that bounds the memory, and the shards that have to
    be tried again after a death.

    Returns
    -------
    list of sequences
        The shards that were in flight when a worker died.
    """
    pool = ProcessPoolExecutor(
        min(workers, len(waiting)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(payload,),
    )
    flying: dict[Future[Any], Sequence[T]] = {}
    started: Future[None] | None = None
    finished = False
    try:
        try:
            started = pool.submit(_do_nothing)
            while waiting or flying:
                while waiting and len(flying) < workers:
                    flying[pool.submit(_work, waiting[0])] = waiting[0]
                    waiting.popleft()
                done, _ = wait(flying, return_when=FIRST_COMPLETED)
                for future in done:
                    result = future.result()
                    del flying[future]
                    yield result
            finished = True
        except BrokenProcessPool as error:
            if started is None or not started.done() or started.exception() is not None:
                raise UsageError(
                    "worker processes cannot start: a script that evaluates must do so under "
                    "`if __name__ == '__main__':`; or choose the engine 'serial'"
                ) from error
        # What was done before the death counts as done.
        for future in [f for f in flying if f.done() and f.exception() is None]:
            del flying[future]
            yield future.result()
        return list(flying.values())
    finally:
        _stop(pool, kill=not finished)


def _stop(pool: ProcessPoolExecutor, *, kill: bool) -> None:
    # There is no public way before Python 3.14, and a worker may be minutes from a natural end.
    processes = list((pool._processes or {}).values()) if kill else []
    for process in processes:
        process.kill()
    pool.shutdown(wait=True, cancel_futures=True)


def usable_cpus() -> int:
    """Return the number of CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def pickled(function: object) -> bytes:
    """Return a function as bytes that travel.

    Raises
    ------
    PluginError
        It cannot travel.
    """
    try:
        return pickle.dumps(function)
    except Exception as error:  # pickling calls foreign code
        raise PluginError(
            f"the describer cannot travel to worker processes ({type(error).__name__}); define its "
            "class at the top of an importable module, with picklable attributes, or choose the "
            "engine 'serial'"
        ) from error


# In the worker process ---------------------------------------------------------------------------

_payload = b""
_function: Callable[[Any], Any] | None = None


def _start_worker(payload: bytes) -> None:
    """Prepare a worker before it imports anything numerical."""
    global _payload
    _payload = payload
    start_single_threaded()
    keep_freed_memory()
    # Ctrl-C reaches the whole process group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the parent is gone; by itself it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do_nothing() -> None:
    """Prove that a worker has started."""


def _work(shard: Sequence[Any]) -> Any:
    with single_thread():
        return _loaded()(shard)


def _loaded() -> Callable[[Any], Any]:
    """Return the function, unpickled once for each worker.

    Not in the initializer: an error there would look like the death of the worker.
    """
    global _function
    if _function is None:
        try:
            _function = pickle.loads(_payload)  # noqa: S301 - from the parent process
        except Exception as error:
            raise PluginError(
                f"the describer cannot be loaded in a worker process ({type(error).__name__}); "
                "define its class at the top of an importable module, or choose the engine 'serial'"
            ) from error
    return _function
