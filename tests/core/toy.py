"""Toy cohorts: descriptions drawn from a known law, with subjects, classes and attributes."""

from pathlib import Path

import numpy as np

from sdq_core.cohort import Cohort, Cohorts
from sdq_core.description import Description, DescriptionTable, Item
from sdq_core.study import Study
from sdq_core.vocabulary import Role

NAMES = tuple(f"feature_{k}" for k in range(12))


def draw(n, seed, *, shift=0.0, scale=1.0, per_subject=1, classes=("a", "b"), effect=1.0):
    """Features of n items: a class effect, a subject effect, and noise."""
    rng = np.random.default_rng(seed)
    y = rng.integers(len(classes), size=n)
    subjects = np.arange(n) // per_subject
    person = rng.normal(size=(subjects.max() + 1, len(NAMES)))
    x = 0.8 * person[subjects] + 0.6 * rng.normal(size=(n, len(NAMES)))
    x = x * scale + shift
    x[:, 0] += effect * y
    return x, y, subjects


def cohort(role, n, seed, *, prefix=None, classes=("a", "b"), attributes=None, rows=None, **law):
    """A described cohort drawn from the law of `draw`."""
    x, y, subjects = draw(n, seed, classes=classes, **law)
    if rows is not None:
        x, y, subjects = x[rows], y[rows], subjects[rows]
    prefix = prefix or str(role)
    items = [
        Item(f"{prefix}/{i:04d}", (Path("x"),), digest=f"{seed:04d}{i:08d}") for i in range(len(x))
    ]
    rng = np.random.default_rng(99)
    mix = rng.normal(size=(x.shape[1], 20)) / np.sqrt(x.shape[1])
    descriptions = [
        Description(
            scalars=dict(zip(NAMES, row.tolist(), strict=True)),
            embeddings={"toy": np.tanh(row @ mix).astype(np.float32)},
        )
        for row in x
    ]
    return Cohort(
        Role(role),
        DescriptionTable(items, descriptions, role),
        np.array([f"{prefix}-{s}" for s in subjects], dtype=np.str_),
        np.array([classes[k] for k in y], dtype=np.str_),
        {k: np.asarray(v, dtype=np.str_) for k, v in (attributes or {}).items()},
    )


def study(**values):
    return Study(
        modality="imaging",
        cohorts={"train": {"path": "a"}, "holdout": {"path": "b"}, "synthetic": {"path": "c"}},
        **{"classes": ("a", "b"), **values},
    )


def cohorts(seed=0, *, n=(200, 150, 150), synthetic=None, holdout=True, study_values=None, **law):
    """Train, holdout and synthetic from one law; `synthetic` changes the law of the last."""
    return Cohorts(
        study(**(study_values or {})),
        cohort("train", n[0], 1000 + seed, **law),
        cohort("synthetic", n[2], 3000 + seed, **{**law, **(synthetic or {})}),
        cohort("holdout", n[1], 2000 + seed, **law) if holdout else None,
    )


def by_key(outputs):
    from sdq_core.measurement import Measurement

    return {m.key: m for m in outputs if isinstance(m, Measurement)}
