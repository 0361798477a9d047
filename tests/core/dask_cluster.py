"""A Dask cluster as people start one: by its command lines, in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

CORE = Path(__file__).parent
DASK = Path(sys.executable).with_name("dask")


class Cluster:
    """A scheduler, and workers that are added one by one."""

    def __init__(self, folder: Path, path: str = str(CORE)) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.path = path
        self.started: list[subprocess.Popen[bytes]] = []
        file = folder / "scheduler.json"
        options = ("--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0")
        self.scheduler = self._run("scheduler", *options, "--scheduler-file", str(file))
        end = time.monotonic() + 60
        address = None
        while address is None:
            assert time.monotonic() < end, "the scheduler does not start"
            assert self.scheduler.poll() is None
            time.sleep(0.05)
            if file.exists() and file.read_text().endswith("}"):
                address = json.loads(file.read_text())["address"]
        self.address = address

    @property
    def engine(self) -> str:
        return self.address.replace("tcp://", "dask://")

    def work(self, path: str | None = None, threads: int = 1) -> subprocess.Popen[bytes]:
        """Start a worker in a folder of its own, without a nanny: what is killed stays dead."""
        own = self.folder / f"worker{len(self.started)}"
        own.mkdir()
        options = ("--nthreads", str(threads), "--no-nanny", "--no-dashboard")
        folders = ("--local-directory", str(own))
        return self._run("worker", self.address, *options, *folders, path=path, cwd=own)

    def stop(self) -> None:
        for process in reversed(self.started):
            process.kill()
            process.wait()

    def _run(
        self, *command: str, path: str | None = None, cwd: Path | None = None
    ) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": self.path if path is None else path}
        log = (self.folder / f"log{len(self.started)}").open("wb")
        with log:
            process = subprocess.Popen(
                [str(DASK), *command], env=environment, cwd=cwd, stdout=log, stderr=log
            )
        self.started.append(process)
        return process


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
