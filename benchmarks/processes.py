"""Run a command and tell what it and its children took."""

from __future__ import annotations

import resource
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from contest import ContestError

TICKS = 100
"""A second, in /proc/stat."""


@dataclass(frozen=True)
class Taken:
    """What a command took."""

    wall: float
    cpu: float
    """Processor seconds of it and its children."""
    peaks: tuple[float, ...]
    """MiB: of all its processes together, pages that they share counted once, and of the largest;
    empty where the system does not tell."""
    others: float | None
    """Cores that other processes kept busy meanwhile."""


def watched(command: Sequence[str], expected: Sequence[int] = (0,)) -> Taken:
    """Run a command to its end.

    Raises
    ------
    ContestError
        Its exit code is not an expected one; with the last line of its error output.
    """
    before, busy = resource.getrusage(resource.RUSAGE_CHILDREN), _busy()
    begun = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        watch = _Memory(process.pid)
        watch.start()
        _, said = process.communicate()
    wall = time.perf_counter() - begun
    watch.join()
    if process.returncode not in expected:
        lines = said.strip().splitlines() or [f"exit code {process.returncode}"]
        raise ContestError(f"{' '.join(command[:4])}: {lines[-1]}")
    after, still = resource.getrusage(resource.RUSAGE_CHILDREN), _busy()
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    others = None if busy is None or still is None else max(still - busy - cpu, 0.0) / wall
    return Taken(wall, cpu, tuple(watch.peaks), others)


class _Memory(threading.Thread):
    """Looks ten times a second how much memory a process and its children hold."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.peaks: list[float] = []

    def run(self) -> None:
        while (held := _held(self.pid)) is not None:
            now = [sum(held), max(held)]
            self.peaks = [max(a, b) for a, b in zip(self.peaks or now, now, strict=True)]
            time.sleep(0.1)


def _held(pid: int) -> list[float] | None:
    """Proportional resident MiB of a process and its descendants; None when it is gone."""
    found, waiting = [], [pid]
    while waiting:
        one = Path(f"/proc/{waiting.pop()}")
        with suppress(OSError):
            children = [(task / "children").read_text() for task in (one / "task").iterdir()]
            waiting += [int(child) for text in children for child in text.split()]
            lines = (one / "smaps_rollup").read_text().splitlines()
            found += [int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")]
    return found or None


def _busy() -> float | None:
    """Seconds that all cores together have worked since the start of the machine."""
    with suppress(OSError):
        times = [int(t) for t in Path("/proc/stat").read_text().splitlines()[0].split()[1:8]]
        return (sum(times) - times[3] - times[4]) / TICKS  # without idle and waiting for disks
    return None
