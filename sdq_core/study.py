"""One evaluation: the validated ``study.yaml``, or the same from command-line options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sdq_core.errors import StudyError, UsageError
from sdq_core.generator import Generator, about_key, load_generator, refuse_impossible
from sdq_core.remote.url import address_of
from sdq_core.vocabulary import Role
from sdq_core.yaml_file import YamlFile, problems, read_yaml

__all__ = [
    "CohortSource",
    "Purpose",
    "Study",
    "load_study",
    "study_from_options",
]


PATHS: Final = ("masks", "schema", "code_lists", "rules")
"""Settings of modalities that hold paths: by themselves, in a list or in a mapping."""

INNER_PATHS: Final = ("weights",)
"""Keys of what settings hold whose values are paths."""


class _Strict(BaseModel):
    """Unknown keys are errors: a misspelt key must never be a default that quietly applies."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CohortSource(_Strict):
    """Where one cohort is.

    Parameters
    ----------
    path : Path
        Folder or file. A relative path is resolved beside the study file. Also an archive, or a
        URL of an object store (``docs/remote.md``).
    labels : Path, optional
        CSV or Parquet table with the columns ``item``, ``subject``, ``class`` and any attribute;
        ``item`` is the path relative to the table's folder.
    lineage : Path, optional
        Lineage table of the synthetic items, see `sdq_core.lineage`; taken from the generator's
        description.
    """

    path: Path
    labels: Path | None = None
    lineage: Path | None = None


class Purpose(_Strict):
    """What the synthetic data are for; volume is judged against it.

    Parameters
    ----------
    description : str
    minimum_items : int
        Items that the purpose needs.
    minimum_items_per_class : int
    intended_distribution : mapping of str to float
        Intended share of each class; sums to 1. Medically right data are often unbalanced.
    target_auc : float, optional
        AUC that a model trained on the synthetic data must reach on real data.
    """

    description: str = ""
    minimum_items: int | None = Field(default=None, ge=1)
    minimum_items_per_class: int | None = Field(default=None, ge=1)
    intended_distribution: dict[str, float] | None = None
    target_auc: float | None = Field(default=None, gt=0.5, le=1.0)

    @field_validator("intended_distribution")
    @classmethod
    def _sums_to_one(cls, value: dict[str, float] | None) -> dict[str, float] | None:
        if value is not None:
            if any(share < 0 for share in value.values()):
                raise ValueError("shares must not be negative")
            if abs(sum(value.values()) - 1) > 1e-6:
                raise ValueError(f"shares must sum to 1, they sum to {sum(value.values()):g}")
        return value


class Study(_Strict):
    """One evaluation.

    Parameters
    ----------
    modality : str
        Name of a modality plugin, e.g. ``"imaging"``.
    cohorts : mapping of Role to CohortSource
        ``train`` and ``synthetic`` are needed; without ``holdout`` privacy is not assessed.
    classes : sequence of str
        The declared class list; an absent class counts zero.
    subgroup : str, optional
        Attribute by which fidelity is compared between subgroups.
    generator : Generator, optional
        What the provider states of the synthesis; in a study file also the path of its own file.
    settings : mapping
        Options of the modality; the modality validates them.
    calibration : Path, optional
        A ``calibration.json`` of `sdq calibrate`, against which passes are held.

    Examples
    --------
    >>> study = Study(modality="imaging", cohorts={"train": {"path": "a"},
    ...                                            "synthetic": {"path": "b"}})
    >>> study.seed, study.profile
    (0, 'default')
    """

    # `schema` would shadow a method of pydantic's BaseModel.
    schema_: Literal["sdq.study/1"] = Field(default="sdq.study/1", alias="schema")
    name: str = "study"
    modality: str
    cohorts: dict[Role, CohortSource]
    classes: tuple[str, ...] = ()
    subgroup: str | None = None
    profile: str = "default"
    seed: int = Field(default=0, ge=0, lt=2**63)
    purpose: Purpose = Purpose()
    generator: Generator | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    description: str = ""
    calibration: Path | None = None

    @field_validator("classes", mode="before")
    @classmethod
    def _classes_as_text(cls, value: object) -> object:
        # A YAML list of 0, 1, 2 names classes; labels are compared as text.
        return tuple(str(v) for v in value) if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _consistent(self) -> Study:
        for role in (Role.TRAIN, Role.SYNTHETIC):
            if role not in self.cohorts:
                raise ValueError(f"cohorts.{role} is missing: a study needs train and synthetic")
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("classes: a class is listed twice")
        intended = self.purpose.intended_distribution
        if intended is not None and self.classes and set(intended) != set(self.classes):
            raise ValueError("purpose.intended_distribution must name exactly the declared classes")
        return self

    def located(self, folder: Path) -> Study:
        """Return the study with its relative paths resolved beside a folder.

        Raises
        ------
        StudyError
            A relative path leaves the folder.
        """

        def resolve(path: Path, key: str) -> Path:
            return _beside(folder, path, f"study: {key}", "study folder")

        sources = {}
        for role, source in self.cohorts.items():
            tables = {
                name: None if given is None else resolve(given, f"cohorts.{role}.{name}")
                for name, given in (("labels", source.labels), ("lineage", source.lineage))
            }
            path = resolve(source.path, f"cohorts.{role}.path")
            sources[role] = CohortSource(path=path, **tables)

        def beside(value: Any, key: str) -> Any:
            if isinstance(value, str):
                return str(resolve(Path(value), key))
            if isinstance(value, Mapping) and not key.endswith(".schema"):
                return {k: beside(v, f"{key}.{k}") for k, v in value.items()}
            return [beside(v, key) for v in value] if isinstance(value, list | tuple) else value

        def inside(value: Any, key: str) -> Any:
            """Resolve the paths that stand deeper: the file of one embedding of several."""
            if isinstance(value, Mapping):
                return {
                    k: beside(v, f"{key}.{k}") if k in INNER_PATHS else inside(v, f"{key}.{k}")
                    for k, v in value.items()
                }
            return [inside(v, key) for v in value] if isinstance(value, list | tuple) else value

        settings = {
            key: (beside if key in PATHS else inside)(value, f"settings.{key}")
            for key, value in self.settings.items()
        }
        calibration = None if (own := self.calibration) is None else resolve(own, "calibration")
        return self.model_copy(
            update={"cohorts": sources, "settings": settings, "calibration": calibration}
        )

    def without_folders(self) -> dict[str, Any]:
        """Return the study as JSON-ready data that name files, but not where they lie here.

        Examples
        --------
        >>> study = Study(modality="imaging", settings={"masks": "/home/me/masks"},
        ...               cohorts={"train": {"path": "a"}, "synthetic": {"path": "b"}})
        >>> found = study.without_folders()
        >>> found["settings"], "cohorts" in found
        ({'masks': 'masks'}, False)
        """

        def named(value: Any, *, path: bool) -> Any:
            if isinstance(value, str):
                file = Path(value)
                return file.name if file.is_absolute() and (path or file.exists()) else value
            if isinstance(value, Mapping):
                return {k: named(v, path=path or k in INNER_PATHS) for k, v in value.items()}
            return [named(v, path=path) for v in value] if isinstance(value, list) else value

        found = self.model_dump(mode="json", by_alias=True, exclude={"cohorts", "calibration"})
        found["profile"] = named(found["profile"], path=True)
        for key, value in found["settings"].items():
            # A schema that stands in the settings itself holds no path.
            if not (key == "schema" and isinstance(value, Mapping)):
                found["settings"][key] = named(value, path=key in PATHS)
        return found


def load_study(path: Path) -> Study:
    """Read and validate a study file.

    Parameters
    ----------
    path : Path
        A ``study.yaml``.

    Returns
    -------
    Study
        With paths resolved beside the file.

    Raises
    ------
    StudyError
        The file cannot be read or breaks the schema; the message names the key and the line.
    """
    file = read_yaml(path, "study file", "sdq init imaging")
    return _validated(_with_generator(file, path), file).located(path.parent)


def _with_generator(file: YamlFile, path: Path) -> dict[str, Any]:
    """Return the study's keys, with the generator's description in place of the path of one."""
    data = dict(file.data)
    given = data.get("generator")
    if given is None:
        return data
    folder = path.parent
    if isinstance(given, str):
        own = _beside(folder, Path(given), "study: generator", "study folder")
        generator, folder = load_generator(own), own.parent
        data["generator"] = generator.model_dump(mode="json")
    else:
        try:
            generator = Generator.model_validate(given)
        except ValidationError:
            return data  # said with all other problems of the file
        refuse_impossible(generator, file, ("generator",))
    cohorts = data.get("cohorts")
    if generator.lineage in (None, "none") or not isinstance(cohorts, dict):
        return data
    if isinstance(synthetic := cohorts.get("synthetic"), dict):
        table = _beside(folder, Path(generator.lineage), "generator: lineage", "folder of the file")
        data["cohorts"] = {**cohorts, "synthetic": {"lineage": table.absolute(), **synthetic}}
    return data


def _beside(folder: Path, path: Path, key: str, named: str) -> Path:
    """Resolve a relative path beside a folder that it must not leave."""
    within, archive, location = str(path).rpartition("::")
    if archive:  # a place in an archive: the archive lies beside the folder
        return Path(f"{within}::{_beside(folder, Path(location), key, named)}")
    address = address_of(path)
    if path.is_absolute() or (address is not None and address.remote):
        return path
    base = folder.resolve()
    if not (base / path).resolve().is_relative_to(base):
        raise StudyError(
            f"{key}: the relative path {path} leaves the {named}; "
            f"write an absolute path if that is meant"
        )
    return base / path


def study_from_options(
    base: Study | None,
    options: Mapping[str, Any],
    sources: Mapping[str, Path],
    labels: Sequence[str],
) -> Study:
    """Make a study from command-line options, on top of a study file where there is one.

    Parameters
    ----------
    base : Study or None
    options : mapping
        Top-level keys of the study that were given.
    sources : mapping of str to Path
        Role -> folder or file.
    labels : sequence of str
        ``"ROLE=FILE"`` for one cohort, ``"FILE"`` for all of them.

    Returns
    -------
    Study

    Raises
    ------
    UsageError
        A label option names no cohort of the study.
    StudyError
        The whole breaks the schema.
    """
    data: dict[str, Any] = {}
    if base is not None:
        data = base.model_dump(by_alias=True)
    data |= options
    cohorts: dict[str, dict[str, Any]] = {
        str(role): dict(source) for role, source in data.get("cohorts", {}).items()
    }
    for role, path in sources.items():
        cohorts[role] = {"path": path}
    for text in labels:
        role, equals, file = text.partition("=")
        if not equals:
            chosen, file = list(cohorts), text
        elif role in cohorts:
            chosen = [role]
        else:
            raise UsageError(
                f"--labels {text}: {role!r} is no cohort of this study "
                f"({', '.join(cohorts) or 'none given'}); write ROLE=FILE or FILE"
            )
        for one in chosen:
            cohorts[one]["labels"] = Path(file)
    data["cohorts"] = cohorts
    if "modality" not in data:
        raise UsageError("give a study file, or --modality with --train and --synthetic")
    return _validated(data, YamlFile("command line", data, {}))


def _validated(data: Mapping[str, Any], file: YamlFile) -> Study:
    try:
        return Study.model_validate(data)
    except ValidationError as error:
        raise StudyError(problems(error, file, "study", _say, _about)) from error


def _about(key: str) -> str:
    """Return what asks for a key of the generator's description."""
    return about_key(key.removeprefix("generator.")) if key.startswith("generator.") else ""


def _say(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        example = "generator" if problem["loc"][0] == "generator" else "imaging"
        return f"unknown key; remove it or correct its spelling (allowed keys: sdq init {example})"
    if problem["type"] == "missing":
        return "is missing and has no default"
    return str(problem["msg"]).removeprefix("Value error, ")
