"""Small cohorts of real files, listed, described and labelled as the command line does it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pictures import draw, write

from sdq_core.cohort import Cohort, Cohorts
from sdq_core.description import DescriptionTable
from sdq_core.study import Study
from sdq_core.vocabulary import Role
from sdq_imaging.describing import ImagingDescriber
from sdq_imaging.reading import list_items
from sdq_imaging.settings import ImagingSettings

# Without the network: what is tested here does not look at it, and it costs most of the time.
DESCRIBER = ImagingDescriber({**ImagingSettings().model_dump(), "embeddings": {"radiomic": {}}})


def cohort(folder: Path, role: str, *, subjects=None, attributes=None) -> Cohort:
    items = list_items(folder).items
    table = DescriptionTable(items, [DESCRIBER(item) for item in items], role)
    return Cohort(
        Role(role),
        table,
        np.array(subjects if subjects is not None else [f"{role}-{i.id}" for i in items]),
        None,
        {k: np.asarray(v, dtype=np.str_) for k, v in (attributes or {}).items()},
    )


def cohorts(folder: Path, images, *, roles=("train", "holdout", "synthetic"), **synthetic):
    """Write three stacks of pictures and return them as cohorts."""
    made = {}
    for role, stack in zip(roles, images, strict=True):
        write(folder / role, stack, synthetic=role == "synthetic", labels=False)
        made[role] = cohort(folder / role, role, **(synthetic if role == "synthetic" else {}))
    return Cohorts(study(), made["train"], made["synthetic"], made.get("holdout"))


def study(**values) -> Study:
    paths = {"train": {"path": "a"}, "holdout": {"path": "b"}, "synthetic": {"path": "c"}}
    return Study(modality="imaging", cohorts=paths, **values)


def blobs(n=(40, 40, 40), seed=0, side=48):
    return [draw(k, 100 * seed + j, side) for j, k in enumerate(n)]
