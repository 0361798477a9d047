"""One trial of a plugin in a fresh process: what it imports, whom it calls, what it computes.

Run as ``python -m sdq_core.testing.probe`` with the tasks as JSON on the standard input. Nothing
but the plugin and the core is imported, and no connection to another machine can be made.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sdq_core.testing.conforming import NotConforming

if TYPE_CHECKING:
    from sdq_core.modality import Modality

__all__ = ["HEAVY", "Probe", "Task", "probe"]

HEAVY: Final = (
    "torch",
    "torchvision",
    "monai",
    "tensorflow",
    "jax",
    "pandas",
    "polars",
    "pyarrow",
    "scipy.stats",
    "scipy.signal",
    "sklearn",
    "skimage",
    "pydicom",
    "nibabel",
    "SimpleITK",
    "PIL",
    "cv2",
    "matplotlib",
    "numba",
)
"""Modules whose import takes long; a plugin imports them inside the functions that use them."""

_CALLS: Final = (
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.gethostbyaddr",
    "socket.sendto",
    "socket.sendmsg",
    "socket.bind",
)
_SECONDS: Final = 600


@dataclass(frozen=True)
class Task:
    """What a fresh process does with one plugin.

    Parameters
    ----------
    module, name : str
        Where the class of the modality is.
    studies : sequence of mapping
        Studies as JSON-ready data.
    only : sequence of (sequence of str or None)
        For each study the ids of the measures that are computed; None: all.
    """

    module: str
    name: str
    studies: Sequence[Mapping[str, Any]]
    only: Sequence[Sequence[str] | None]


@dataclass(frozen=True)
class Probe:
    """What a fresh process found.

    Parameters
    ----------
    heavy : tuple of str
        Heavy modules that were loaded by importing the plugin and by asking for its requirements,
        settings and study template.
    calls : tuple of str
        Attempts to reach another machine.
    descriptions : tuple of mapping of str to str
        For each study role and item -> SHA-256 of its description, each cohort by itself from the
        last item to the first.
    measurements : tuple of tuple of str
        For each study the measurements, each as JSON.
    """

    heavy: tuple[str, ...]
    calls: tuple[str, ...]
    descriptions: tuple[Mapping[str, str], ...]
    measurements: tuple[tuple[str, ...], ...]


def probe(tasks: Sequence[Task], hash_seed: int = 77) -> list[Probe]:
    """Try plugins in one fresh process.

    Parameters
    ----------
    tasks : sequence of Task
        More than one share the process, and with it what the earlier ones imported.
    hash_seed : int
        ``PYTHONHASHSEED`` of the process: the order of a set of texts is another there.

    Returns
    -------
    list of Probe

    Raises
    ------
    NotConforming
        The process ended without an answer.
    """
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed), "SDQ_NO_PLUGINS": "1"}
    # What is importable here is so there, the module of a test among it.
    environment["PYTHONPATH"] = os.pathsep.join(p or str(Path.cwd()) for p in sys.path)
    done = subprocess.run(
        [sys.executable, "-m", "sdq_core.testing.probe"],
        input=json.dumps([asdict(task) for task in tasks]),
        capture_output=True,
        text=True,
        env=environment,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise NotConforming(
            f"a fresh process that reads, describes and compares ended with: {last[0]}; the class "
            "of the modality must be importable by module and name, without help from this process"
        )
    # The plugin may print; the answer is the last line.
    answers = json.loads(done.stdout.strip().splitlines()[-1])
    return [
        Probe(
            tuple(a["heavy"]),
            tuple(a["calls"]),
            tuple(a["descriptions"]),
            tuple(tuple(found) for found in a["measurements"]),
        )
        for a in answers
    ]


def main() -> None:
    """Answer the tasks of the standard input on the standard output."""
    tasks = [Task(**task) for task in json.load(sys.stdin)]
    calls: list[str] = []
    sys.addaudithook(_watch(calls))
    answers = []
    for task in tasks:
        del calls[:]
        answers.append(asdict(_tried(task, calls)))
    print(json.dumps(answers))  # noqa: T201 - the parent process reads it


def _watch(calls: list[str]) -> Callable[[str, tuple[Any, ...]], None]:
    """Return an audit hook that notes and refuses every attempt to reach another machine."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _CALLS:
            return
        address = arguments[1] if len(arguments) > 1 else None
        # A path is a socket of this machine.
        if isinstance(address, str | bytes) and not event.startswith("socket.get"):
            return
        calls.append(event)
        raise PermissionError(f"{event}: a modality must not use the network")

    return hook


def _tried(task: Task, calls: list[str]) -> Probe:
    before = set(sys.modules)
    modality = _loaded(task)
    heavy = tuple(name for name in HEAVY if name in sys.modules and name not in before)

    descriptions, measurements = [], []
    for data, only in zip(task.studies, task.only, strict=True):
        prints, outputs = _evaluated(modality, data, only)
        descriptions.append(prints)
        measurements.append(outputs)
    return Probe(heavy, tuple(calls), tuple(descriptions), tuple(measurements))


def _evaluated(
    modality: Modality, data: Mapping[str, Any], only: Sequence[str] | None
) -> tuple[Mapping[str, str], tuple[str, ...]]:
    from sdq_core.describe import describe
    from sdq_core.study import Study
    from sdq_core.testing.trial import as_text, cohorts_of, measured

    study = modality.prepared(Study.model_validate(data))
    describer = modality.describer(study)
    with tempfile.TemporaryDirectory() as store:
        for source in study.cohorts.values():
            items = modality.items(source.path, study.settings).items
            describe(items[::-1], describer, Path(store), engine="serial")
            for item in items[:2]:
                modality.thumbnail(item, study.settings)
        read = cohorts_of(modality, study, Path(store))
    outputs, _ = measured(modality, read.cohorts, only)
    return read.prints, tuple(as_text(m) for m in outputs)


def _loaded(task: Task) -> Modality:
    """Import a plugin and ask it what discovery and the command line ask."""
    found: Any = import_module(task.module)
    for part in task.name.split("."):
        found = getattr(found, part)
    found.check_requirements()
    modality: Modality = found()
    modality.profile_folder()
    modality.study_template()
    modality.settings_schema()
    return modality


if __name__ == "__main__":
    main()
