"""Run contestants, each in a process of its own, and measure processor time and peak memory.

A contestant is a function of a module beside this file: it takes the input arrays, imports and
prepares what it needs, and returns a function without arguments that does the work and returns
the values found. Only the latter is measured. The process has one thread for linear algebra, and
loads its arrays from files, so that the memory that made them is not in its peak.

The child needs numpy and what its contestant imports, not sdq: it can be another interpreter.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Arrays = Mapping[str, NDArray[Any]]
Work = Callable[[], ArrayLike]
Contestant = Callable[[Arrays], Work]

ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
    ),
    "1",
)
KEEP_FREED = {"MALLOC_TRIM_THRESHOLD_": str(2**28), "MALLOC_MMAP_THRESHOLD_": str(2**25)}
"""As in sdq's worker processes: the GNU C library keeps freed memory. The same for everybody."""
PACKAGES = (
    "numpy", "scipy", "torch", "monai", "scikit-image", "prdc", "pyradiomics",
    "neurokit2", "wfdb", "edfio", "pyedflib",
)  # fmt: skip


class ContestError(Exception):
    """A contestant did not come to its end."""


@dataclass(frozen=True)
class Run:
    """What processes of one contestant took."""

    seconds: tuple[float, ...]
    """Processor time of each repeat, all threads."""
    memory: float
    """Peak beyond what was in memory before the work began, in MiB."""
    start: float
    """Processor time of importing and preparing."""
    values: NDArray[np.float64]
    versions: dict[str, str]

    @property
    def best(self) -> float:
        """Least time: other work on the machine only adds."""
        return min(self.seconds)

    @property
    def middle(self) -> float:
        return median(self.seconds)

    @classmethod
    def joined(cls, runs: Sequence[Run]) -> Run:
        """All repeats of several processes; they all found the same values."""
        first = runs[0]
        if any(not np.array_equal(first.values, r.values, equal_nan=True) for r in runs[1:]):
            raise ContestError("two processes found different values from the same arrays")
        return cls(
            tuple(s for r in runs for s in r.seconds),
            median(r.memory for r in runs),
            min(r.start for r in runs),
            first.values,
            first.versions,
        )


def save(arrays: Arrays, folder: Path) -> None:
    """Write the arrays for the processes to come, in place of what is there."""
    for old in folder.glob("*.npy"):
        old.unlink()
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


def run(contestant: str, folder: Path, budget: float, python: str | Path = sys.executable) -> Run:
    """Run a contestant in a process of its own.

    Parameters
    ----------
    contestant : str
        ``module:function``
    folder : Path
        Holds the arrays, see `save`.
    budget : float
        Repeats go on while they have taken less than this many seconds together.
    python : str or Path
        Interpreter.

    Raises
    ------
    ContestError
        With the last line that the process wrote to its error output.
    """
    command = [str(python), __file__, contestant, str(folder), str(budget)]
    environment = {**os.environ, **ONE_THREAD, **KEEP_FREED}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise ContestError(f"{contestant}: {said[-1]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return Run(
        tuple(found["seconds"]),
        found["memory"],
        found["start"],
        np.array(found["values"], dtype=np.float64),
        found["versions"],
    )


def difference(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """Return the largest relative difference of values; infinite where there are none to match."""
    if ours.shape != theirs.shape or not np.isfinite(ours).all():
        return float("inf")
    return float((np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1e-12)).max(initial=0))


def machine(found: Mapping[str, str], packages: Sequence[str]) -> str:
    """Return processor, Python and the versions of packages as a phrase."""
    info = Path("/proc/cpuinfo")
    wide = info.exists() and "avx512f" in info.read_text()
    listed = ", ".join(f"{p} {found[p]}" for p in packages if p in found)
    return (
        f"{os.cpu_count()} {platform.machine()} cores{' with AVX-512' if wide else ''}; Python "
        f"{platform.python_version()}, {listed}"
    )


def _peak() -> float:
    """Highest resident memory of this process in MiB."""
    with suppress(OSError):
        # Unlike ru_maxrss this is not inherited from the process that started this one.
        found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
        if found:
            return int(found[1]) / 2**10
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (2**20 if sys.platform == "darwin" else 2**10)


def _forget_peak() -> None:
    """Let the peak start again from what is in memory now, where the system can do that."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def versions() -> dict[str, str]:
    """Return the versions of this interpreter and of those of `PACKAGES` that it has."""
    found = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def _child(contestant: str, folder: Path, budget: float) -> None:
    module, _, name = contestant.partition(":")
    start = time.process_time()
    function: Contestant = getattr(importlib.import_module(module), name)
    arrays = {path.stem: np.load(path) for path in sorted(folder.glob("*.npy"))}
    work = function(arrays)
    start = time.process_time() - start
    _forget_peak()
    before = _peak()
    seconds: list[float] = []
    memory = 0.0
    while not seconds or sum(seconds) < budget:
        begun = time.process_time()
        values = np.asarray(work(), dtype=np.float64)
        seconds.append(time.process_time() - begun)
        memory = memory or _peak() - before
    found = {
        "seconds": seconds,
        "memory": memory,
        "start": start,
        "values": values.ravel().tolist(),
        "versions": versions(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    _child(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
