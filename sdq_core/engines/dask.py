"""The Dask engine: worker processes of a Dask cluster, on this machine or on many."""

from __future__ import annotations

import importlib.metadata
import logging
import pickle
import shutil
import tempfile
import time
from collections import deque
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sdq_core.engines import Crashed
from sdq_core.engines.dask_check import check_workers
from sdq_core.engines.dask_worker import Order, work
from sdq_core.engines.processes import pickled, usable_cpus
from sdq_core.errors import PluginError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from distributed import Client, Future, LocalCluster

__all__ = ["DaskEngine"]

T = TypeVar("T")
R = TypeVar("R")

_PATIENCE: Final = 5.0
"""Seconds in which a scheduler must answer."""
_FIRST = 10.0
"""Seconds in which a first worker must be there."""
_LOOK = 5.0
"""Seconds between two looks at the workers while no shard is done."""
_ALONE = 60.0
"""Seconds that a run waits for workers when all have gone."""

_OWN: Final = {
    # What is done about the death of a worker is decided here.
    "distributed.scheduler.allowed-failures": 0,
    # Other users of this machine have no pages to look at.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
"""Configuration of a cluster of our own."""


class DaskEngine:
    """Works on a Dask cluster; each worker process has one shard at a time, on one thread.

    Before the first shard every worker is checked: the versions of sdq and of the packages that
    descriptions come from, and what the function itself asks for (`Prepared`). A worker that
    joins later is checked when it gets its first shard. At most two shards for each worker are on
    their way: that bounds the memory, and a worker has the next one when it has done one.

    When a worker dies, a cluster at an address gives its shards to others as often as its
    scheduler allows (``distributed.scheduler.allowed-failures``, 3), one of our own does not. Then
    they are tried again, one element at a time and nothing beside it; in a cluster of our own
    twice, because a shard that only waited has died with the one that did it.

    Parameters
    ----------
    address : str or None
        ``tcp://host:port`` or ``tls://host:port`` of a scheduler, the latter with the certificates
        of Dask's own configuration; None starts a cluster on this machine, that nobody else can
        use (temporary certificates), and ends it.
    workers : int, optional
        Worker processes of the cluster on this machine; by default one for each CPU that this
        process may use.

    Raises
    ------
    UsageError
        The number of workers was given for a cluster that has its own.
    PluginError
        Dask is not installed.
    """

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        if address is not None and workers is not None:
            raise UsageError(
                f"engine {address}: the cluster has its own workers; leave the number out"
            )
        try:
            import distributed  # noqa: F401
        except ImportError as error:
            raise PluginError(
                "engine 'dask': Dask is not installed; pip install 'sdq[dask]'"
            ) from error
        self._address = address
        self.elsewhere = address is not None
        self._asked = workers or usable_cpus()
        self._cluster: LocalCluster | None = None
        self._folder: Path | None = None
        self._client: Client | None = None

    @property
    def workers(self) -> int:
        """Worker processes that the cluster has now; starts or joins it.

        Raises
        ------
        UsageError
            As in `map`.
        """
        if self._address is None:
            return self._asked
        return len(self._connected().nthreads())

    def map(
        self, function: Callable[[Sequence[T]], R], shards: Sequence[Sequence[T]]
    ) -> Generator[R | Crashed[T], None, None]:
        """Yield the function's results as they finish; see `Engine.map`.

        Closing the iterator cancels what has not begun. Workers of a cluster on this machine are
        killed; those of another cluster finish the shard that they have.

        Raises
        ------
        UsageError
            The scheduler cannot be reached, goes away, or has no workers; or a worker has other
            versions.
        PluginError
            The function cannot travel to a worker, or a worker lacks what it needs.
        SdqError
            What the function finds missing on a worker, with the worker's address.
        """
        order = Order(pickled(function), importlib.metadata.version("sdq"))
        waiting = deque(shards)
        if not waiting:
            self.close()
            return
        with _quiet():
            try:
                client = self._connected()
                check_workers(client, order)
                killed = yield from self._run(client, order, waiting, None)
                # A shard that only waited may have died with another: that proves nothing.
                for _ in range(1 if self._address else 2):
                    singles: deque[Sequence[T]] = deque((e,) for shard in killed for e in shard)
                    killed = yield from self._run(client, order, singles, 1)
                for (element,) in killed:
                    yield Crashed(element)
            finally:
                self.close()

    def close(self) -> None:
        """Leave the cluster; end one of our own. A new `map` starts anew."""
        client, cluster, folder = self._client, self._cluster, self._folder
        self._client = self._cluster = self._folder = None
        with _quiet(), suppress(Exception):  # what fails on leaving harms nobody
            if cluster is not None:
                _kill(cluster)
            if client is not None:
                client.close(timeout=2)
            if cluster is not None:
                cluster.close(timeout=5)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _run(
        self,
        client: Client,
        order: Order,
        waiting: deque[Sequence[T]],
        depth: int | None,
    ) -> Generator[Any, None, list[Sequence[T]]]:
        """Work off the waiting shards, at most `depth` at a time; by default a few a worker.

        Returns
        -------
        list of sequences
            The shards whose workers died.
        """
        from distributed import KilledWorker, wait

        flying: dict[Future[Any], Sequence[T]] = {}
        killed: list[Sequence[T]] = []
        most = depth or 2 * len(client.nthreads())
        looked = alone = time.monotonic()
        try:
            while waiting or flying:
                while waiting and len(flying) < most:
                    shard = waiting.popleft()
                    flying[client.submit(work, order, pickle.dumps(shard), pure=False)] = shard
                try:
                    with client.as_current():
                        done = wait(list(flying), _LOOK, "FIRST_COMPLETED").done
                except TimeoutError:
                    done = ()
                for future in done:
                    shard = flying.pop(future)
                    try:
                        result = future.result()
                    except KilledWorker:
                        killed.append(shard)
                        continue
                    yield result
                now = time.monotonic()
                if now - looked >= _LOOK:
                    looked = now
                    count = len(client.nthreads())
                    if count:
                        alone, most = now, depth or 2 * count
                    elif now - alone > _ALONE:
                        raise UsageError(
                            f"{self._named}: all workers have gone; start workers and run again: "
                            "what was described is kept"
                        )
            return killed
        except (CancelledError, OSError, _closed()) as error:
            raise UsageError(
                f"{self._named}: the scheduler went away during the run ({type(error).__name__}); "
                "when it is back, the same command goes on: what was described is kept"
            ) from error
        finally:
            if flying and client.status == "running":
                with suppress(Exception):
                    client.cancel(list(flying))

    @property
    def _named(self) -> str:
        return f"Dask cluster {self._address or 'on this machine'}"

    def _connected(self) -> Client:
        if self._client is None:
            with _quiet():
                try:
                    self._client = self._start() if self._address is None else self._join()
                    self._client.wait_for_workers(1, timeout=_FIRST)
                except TimeoutError as error:
                    self.close()
                    raise UsageError(
                        f"{self._named}: the scheduler has no workers; start some with "
                        f"`dask worker {self._address}`"
                    ) from error
                except BaseException:
                    self.close()
                    raise
        return self._client

    def _join(self) -> Client:
        from distributed import Client
        from distributed.security import Security

        assert self._address is not None
        security = Security()
        arguments = security.get_connection_args("client")
        if self._address.startswith("tls:") and arguments.get("ssl_context") is None:
            raise UsageError(
                f"{self._named}: no certificates are configured; name them in Dask's configuration "
                "(distributed.comm.tls.ca-file, distributed.comm.tls.client)"
            )
        try:
            # Its own thread: a notebook has a running event loop in this one.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(_greet, self._address, arguments).result()
            return Client(self._address, security=security, timeout=_FIRST, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise UsageError(
                f"{self._named}: no scheduler answers there within {_PATIENCE:g} s "
                f"({type(error).__name__}); check the address, and that `dask scheduler` runs"
            ) from error

    def _start(self) -> Client:
        import dask
        from distributed import Client, LocalCluster
        from distributed.security import Security

        self._folder = Path(tempfile.mkdtemp(prefix="sdq-dask-"))  # private to the owner
        try:
            with dask.config.set(_OWN):
                self._cluster = LocalCluster(
                    n_workers=self._asked,
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                    worker_dashboard_address="127.0.0.1:0",
                    security=Security.temporary(),
                    protocol="tls://",
                    silence_logs=logging.CRITICAL,
                    memory_limit=0,  # an item that needs much memory is no fault
                    local_directory=str(self._folder),
                    preload=["sdq_core.engines.dask_worker"],
                )
            return Client(self._cluster, set_as_default=False)
        except ImportError as error:
            raise PluginError(
                f"engine 'dask': {error.name or error} is missing; pip install 'sdq[dask]'"
            ) from error
        except (OSError, RuntimeError, TimeoutError) as error:
            raise UsageError(
                "worker processes of Dask cannot start: a script that evaluates must do so under "
                "`if __name__ == '__main__':`; or choose the engine 'serial'"
            ) from error


def _greet(address: str, arguments: Mapping[str, Any]) -> None:
    """Shake hands with a scheduler. A `Client` that fails does not go away quietly."""
    import asyncio

    from distributed.comm import connect

    async def greet() -> None:
        comm = await connect(address, timeout=_PATIENCE, **arguments)
        comm.abort()

    asyncio.run(greet())


def _closed() -> type[Exception]:
    from distributed.client import ClosedClientError

    closed: type[Exception] = ClosedClientError
    return closed


def _kill(cluster: LocalCluster) -> None:
    """End the worker processes at once: one may be minutes from a natural end."""
    for nanny in cluster.workers.values():
        nanny.auto_restart = False
        if nanny.process is not None and nanny.process.process is not None:
            with suppress(Exception):
                nanny.process.process._process.kill()


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Dask's loggers: what matters of it becomes an error of ours."""
    loggers = [
        logger
        for name, logger in list(logging.root.manager.loggerDict.items())
        if isinstance(logger, logging.Logger) and name.split(".")[0] in ("distributed", "tornado")
    ]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
