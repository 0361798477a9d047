"""``sdq_core.evaluate(...)``: stage what lies in memory, then evaluate it as files are."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from sdq_core.errors import StudyError, UsageError
from sdq_core.in_memory.data import InMemory
from sdq_core.in_memory.spawning import default_engine
from sdq_core.result import Result
from sdq_core.study import CohortSource, Study, load_study
from sdq_core.vocabulary import Role

__all__ = ["evaluate"]

_ROLES: Final = tuple(str(role) for role in Role)


def evaluate(
    modality: str | None = None,
    *,
    train: object = None,
    holdout: object = None,
    synthetic: object = None,
    labels: Mapping[str, object] | None = None,
    subjects: Mapping[str, object] | None = None,
    attributes: Mapping[str, Mapping[str, object]] | None = None,
    keys: Mapping[str, str | int] | None = None,
    settings: Mapping[str, Any] | None = None,
    profile: str | os.PathLike[str] | None = None,
    seed: int | None = None,
    classes: Sequence[object] | None = None,
    subgroup: str | None = None,
    purpose: Mapping[str, Any] | None = None,
    name: str | None = None,
    study: Study | str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    store: str | os.PathLike[str] | None = None,
    engine: str | None = None,
    workers: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    show_real: bool = False,
) -> Result:
    """Evaluate cohorts that lie in memory, in files, or partly in each.

    What lies in memory is written to a private temporary folder a part at a time and judged there
    by the engine that judges files; the folder is removed at the end.

    Parameters
    ----------
    modality : str
        ``"imaging"``, ``"signals"``, ``"ehr"`` or another plugin.
    train, holdout, synthetic : object
        Path of a folder or file; or data: for images and signals an array or tensor with the items
        along axis 0, a list, an iterator or a data set of items (torch, MONAI), a loader of
        batches; for records a frame (pandas, polars, Arrow) or a mapping of table names to frames.
        Train and synthetic are needed, here or in `study`.
    labels, subjects : mapping of role to sequence, optional
        ``{"train": y}``: class, and subject, of each item. For a cohort that is a path,
        ``labels`` takes the path of a label table.
    attributes : mapping of role to mapping of str to sequence, optional
        Further columns: ``{"train": {"sex": [...]}}``.
    keys : mapping, optional
        Which entries of items that are mappings or tuples hold ``data``, ``label``, ``subject``:
        ``{"data": 0, "label": 1}``.
    settings : mapping, optional
        Of the modality, as in a study file.
    profile : str or path, optional
        By name, or a YAML file; ``"default"`` by default.
    seed : int, optional
        0 by default.
    classes, subgroup, purpose, name : optional
        As in a study file.
    study : Study or path, optional
        A study that the other arguments are put onto.
    out : path, optional
        Folder for the outputs; without it none is kept but the result that is returned.
    store : path, optional
        Folder of descriptions; give one to describe the real side once for many calls.
    engine : {"processes", "serial"}, optional
        By default processes where they can start, see `sdq_core.in_memory.spawning`.
    workers, progress, show_real : optional
        As in `sdq_core.evaluate.evaluate`.

    Returns
    -------
    Result

    Raises
    ------
    UsageError
        An argument cannot be used; the message names it.
    SdqError
        As `sdq_core.evaluate.evaluate`.
    """
    from sdq_core.evaluate import evaluate as run
    from sdq_core.modality import load_modality

    base = study if study is None or isinstance(study, Study) else load_study(Path(study))
    given = {"train": train, "holdout": holdout, "synthetic": synthetic}
    chosen = modality or (None if base is None else base.modality)
    if chosen is None:
        raise UsageError("modality: is missing; give modality='imaging', 'signals' or 'ehr'")
    plugin = load_modality(chosen)
    sources = {} if base is None else {str(r): s for r, s in base.cohorts.items()}
    _check_roles(given, sources, labels=labels, subjects=subjects, attributes=attributes)
    asked = {**({} if base is None else base.settings), **_plain(settings or {})}
    with tempfile.TemporaryDirectory(prefix="sdq-", ignore_cleanup_errors=True) as scratch:
        for role, data in given.items():
            own = InMemory(
                role,
                data,
                (labels or {}).get(role),
                (subjects or {}).get(role),
                (attributes or {}).get(role, {}),
                keys or {},
            )
            if data is None or isinstance(data, str | os.PathLike):
                located = _located(own, sources.get(role))
                if located is not None:
                    sources[role] = located
            else:
                folder = Path(scratch, role)
                folder.mkdir()
                sources[role] = plugin.stage(own, folder, asked)
        keys_given = {
            "modality": chosen,
            "settings": asked,
            "profile": None if profile is None else str(profile),
            "seed": seed,
            "classes": None if classes is None else [str(c) for c in classes],
            "subgroup": subgroup,
            "purpose": None if purpose is None else dict(purpose),
            "name": name,
        }
        whole = _study(base, keys_given, sources)
        target = Path(scratch, "out") if out is None else Path(out)
        result = run(
            whole,
            target,
            store=None if store is None else Path(store),
            engine=engine or default_engine(),
            workers=workers,
            progress=progress,
            show_real=show_real,
        )
    # Its pictures have gone with the folder.
    return result if out is not None else result.model_copy(update={"gallery": ()})


def _check_roles(
    given: Mapping[str, object],
    known: Mapping[str, CohortSource],
    **arguments: Mapping[str, object] | None,
) -> None:
    """Refuse missing cohorts, and labels of cohorts that are not there."""
    for role in ("train", "synthetic"):
        if given[role] is None and role not in known:
            raise UsageError(f"{role}: is missing; give an array, a data set, frames or a path")
    for name, values in arguments.items():
        if values is None:
            continue
        if not isinstance(values, Mapping):
            raise UsageError(
                f"{name}: is a {type(values).__name__}; say of which cohort: "
                f"{name}={{'train': ..., 'synthetic': ...}}"
            )
        for role in values:
            if role not in _ROLES or (given[role] is None and role not in known):
                raise UsageError(
                    f"{name}: {role!r} is no cohort of this call; its cohorts are "
                    f"{', '.join(r for r in _ROLES if given[r] is not None or r in known)}"
                )


def _located(own: InMemory, before: CohortSource | None) -> CohortSource | None:
    """Return where a cohort of files is; None for one that is not there at all."""
    if own.subjects is not None or own.attributes:
        raise UsageError(
            f"{own.argument}: is a path, whose subjects and attributes stand in a label table; "
            f"give its path: labels={{{own.argument!r}: 'labels.csv'}}"
        )
    if own.labels is not None and not isinstance(own.labels, str | os.PathLike):
        raise UsageError(
            f"labels[{own.argument!r}]: the cohort is a path, so give the path of its label "
            "table, not values"
        )
    labels = None if own.labels is None else Path(own.labels)
    if own.data is None:
        if before is None or labels is None:
            return before
        return before.model_copy(update={"labels": labels})
    return CohortSource(path=Path(own.data), labels=labels)  # type: ignore[arg-type]


def _study(
    base: Study | None, given: Mapping[str, Any], sources: Mapping[str, CohortSource]
) -> Study:
    data: dict[str, Any] = {} if base is None else base.model_dump(by_alias=True)
    data |= {key: value for key, value in given.items() if value is not None}
    data["cohorts"] = {role: source.model_dump() for role, source in sources.items()}
    try:
        return Study.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(
            ": ".join(
                filter(
                    None,
                    (
                        ".".join(str(p) for p in e["loc"]),
                        e["msg"].removeprefix("Value error, "),
                    ),
                )
            )
            for e in error.errors(include_input=False, include_url=False)
        )
        raise StudyError(f"arguments: {problems}") from error


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as a study file would hold them: paths as text, models as mappings."""

    def plain(value: Any) -> Any:
        if isinstance(value, BaseModel):
            return value.model_dump(mode="json", exclude_defaults=True)
        return os.fspath(value) if isinstance(value, os.PathLike) else value

    if not isinstance(settings, Mapping):
        raise UsageError(f"settings: is a {type(settings).__name__}; give a mapping")
    return {str(key): plain(value) for key, value in settings.items()}
