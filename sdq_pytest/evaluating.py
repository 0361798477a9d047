"""Evaluate studies and given data in a run of pytest: once, where all workers can read it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import sdq_core
from sdq_core.errors import SdqError, StudyError
from sdq_core.evaluate import evaluate
from sdq_core.hashing import canonical_json, hash_files
from sdq_core.manifest import files_below
from sdq_core.modality import Modality, load_modality
from sdq_core.profiles import Profile, load_profile
from sdq_core.result import Result, load_result
from sdq_core.study import INNER_PATHS, PATHS, Study, load_study
from sdq_pytest.once import AlreadyFailed, once
from sdq_pytest.real_side import RealSide

__all__ = [
    "default_study",
    "evaluate_given",
    "evaluated",
    "folder_of",
    "opened",
    "plainly",
    "shared_folder",
]

_RESULTS = pytest.StashKey[dict[str, Result]]()
_FOLDERS = pytest.StashKey[list[tuple[Result, Path]]]()


@contextmanager
def plainly() -> Iterator[None]:
    """Turn an error of sdq into a failure of one line, without a traceback."""
    __tracebackhide__ = True
    try:
        yield
    except (SdqError, AlreadyFailed) as error:
        pytest.fail(str(error), pytrace=False)


def opened(config: pytest.Config, path: Path) -> tuple[Study, Modality, Profile]:
    """Read a study file, with its modality and its criteria; evaluates nothing.

    Parameters
    ----------
    config : Config
        Its profile takes the place of the study's own.
    path : Path

    Raises
    ------
    StudyError
        The study or the profile breaks its schema.
    PluginError
        The modality cannot be used here.
    """
    study = load_study(path)
    asked = config.getoption("--sdq-profile") or config.getini("sdq_profile")
    if asked:
        study = study.model_copy(update={"profile": asked})
    modality = load_modality(study.modality)
    # As other paths of a study file: beside it, wherever pytest was started.
    beside = (config.rootpath if asked else path.parent) / study.profile
    if Path(study.profile).suffix and beside.is_file():
        study = study.model_copy(update={"profile": str(beside.resolve())})
    return study, modality, _profile(study, modality)


def default_study(config: pytest.Config) -> Study:
    """Return the study of the fixtures.

    Raises
    ------
    StudyError
        There is none, or it breaks its schema.
    """
    given = config.getoption("--sdq-study")
    if given:
        path = config.invocation_params.dir / given
    else:
        path = config.rootpath / config.getini("sdq_study")
    if not path.is_file():
        raise StudyError(
            f"sdq_study: there is no study file {path}; write one (sdq init imaging), or name it "
            "with --sdq-study or with sdq_study in [tool.pytest.ini_options]"
        )
    return opened(config, path.resolve())[0]


def evaluated(config: pytest.Config, temporary: pytest.TempPathFactory, study: Study) -> Result:
    """Return the result of a study; it is evaluated once in a run, whoever asks.

    The result is found by the content of everything that it depends on: the study, its criteria,
    the files of its cohorts. Workers that make equal data in folders of their own share it.

    Raises
    ------
    SdqError
        The study cannot be evaluated.
    AlreadyFailed
        Another worker has found that, or died of it.
    """
    key = _content_key(study)
    known = config.stash.setdefault(_RESULTS, {})
    if key not in known:

        def fill(folder: Path) -> None:
            real = RealSide.of(config)
            real.lend(folder / "store")
            evaluate(study, folder, engine=_engine(config))
            real.keep(folder)
            _export(config, study, folder)

        folder = once(shared_folder(config, temporary), f"study-{key[:24]}", fill)
        known[key] = load_result(folder / "result.json")
        _remember(config, known[key], folder)
    return known[key]


def evaluate_given(
    config: pytest.Config, temporary: pytest.TempPathFactory, given: Mapping[str, Any]
) -> Result:
    """Evaluate data given as arguments of ``sdq_core.evaluate``.

    Raises
    ------
    SdqError
        An argument cannot be used, or the data cannot be evaluated.
    """
    arguments = {"out": None, **given}
    folder = temporary.mktemp("sdq") if arguments["out"] is None else Path(arguments["out"])
    real = RealSide.of(config)
    real.lend(folder / "store")
    arguments |= {"out": folder}
    arguments.setdefault("engine", _engine(config))
    result: Result = sdq_core.evaluate(**arguments)
    real.keep(folder)
    _remember(config, result, folder)
    return result


def folder_of(config: pytest.Config, result: Result) -> Path | None:
    """Return the folder of a result that this run made, or None."""
    found = config.stash.get(_FOLDERS, [])
    return next((folder for known, folder in found if known is result), None)


def shared_folder(config: pytest.Config, temporary: pytest.TempPathFactory) -> Path:
    """Return a folder of this run that all workers of pytest-xdist share."""
    base = temporary.getbasetemp()
    return (base.parent if hasattr(config, "workerinput") else base) / "sdq"


def _remember(config: pytest.Config, result: Result, folder: Path) -> None:
    config.stash.setdefault(_FOLDERS, []).append((result, folder))


def _engine(config: pytest.Config) -> str:
    asked = str(config.getini("sdq_engine"))
    if asked != "auto":
        return asked
    # The workers of pytest-xdist have the cores already.
    return "serial" if hasattr(config, "workerinput") else "processes"


def _profile(study: Study, modality: Modality) -> Profile:
    return load_profile(
        study.profile, modality.profile_folder(), modality.name, modality.default_profile
    )


def _export(config: pytest.Config, study: Study, folder: Path) -> None:
    """Copy a result to where the user keeps it, with its report; not the descriptions."""
    given = config.getoption("--sdq-output")
    asked = config.getini("sdq_output")
    if not given and not asked:
        return
    from sdq_core.documents.report import write_report

    base = config.invocation_params.dir / given if given else config.rootpath / asked
    # Two studies of one name keep apart by what they hold.
    name = re.sub(r"\W+", "-", study.name).strip("-")[:60] or "study"
    place = base / name
    if (place / "result.json").exists():
        shutil.rmtree(place / "gallery", ignore_errors=True)
    shutil.copytree(folder, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("store"))
    write_report(load_result(place / "result.json"), place, place / "report.html", language="en")


def _content_key(study: Study) -> str:
    """Return a digest of everything that the result of a study depends on."""
    profile = _profile(study, load_modality(study.modality))
    sources: dict[str, list[tuple[str, str]]] = {}
    for role, source in study.cohorts.items():
        for name, path in (
            (f"{role}", source.path),
            (f"{role}/labels", source.labels),
            (f"{role}/lineage", source.lineage),
        ):
            if path is not None:
                sources[name] = _digests(path)
    if study.calibration is not None:
        sources["calibration"] = _digests(study.calibration)
    for name, path in _paths(study.settings, "settings", anywhere=False):
        sources[name] = _digests(path)
    data = {
        "study": study.without_folders(),
        "profile": profile.model_dump(mode="json", by_alias=True),
        "files": sources,
    }
    return sha256(canonical_json(data)).hexdigest()


def _digests(path: Path) -> list[tuple[str, str]]:
    """Return names and digests of what lies below a folder, or of a file and those named alike.

    Of what lies in an archive, the archive's; of a place elsewhere only its address, which stands
    for its content in the time of one run.
    """
    within, archive, location = str(path).rpartition("::")
    if archive:
        return [(within, ""), *_digests(Path(location))]
    if path.is_dir():
        files = files_below(path)
    elif path.exists():
        # Some formats take two files: a header and its samples.
        files = sorted((p.name, p) for p in path.parent.glob(f"{_literal(path.stem)}.*"))
    else:
        return [(str(path), "")]
    return list(zip((n for n, _ in files), hash_files([p for _, p in files]), strict=True))


def _literal(text: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", text)


def _paths(value: Any, name: str, *, anywhere: bool) -> Iterator[tuple[str, Path]]:
    """Yield the paths that a modality's settings name."""
    if isinstance(value, str):
        path = Path(value)
        if (anywhere or path.is_absolute()) and path.exists():
            yield name, path
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            held = anywhere or key in PATHS or key in INNER_PATHS
            yield from _paths(entry, f"{name}/{key}", anywhere=held)
    elif isinstance(value, list | tuple):
        for number, entry in enumerate(value):
            yield from _paths(entry, f"{name}/{number}", anywhere=anywhere)
