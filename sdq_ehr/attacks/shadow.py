"""Shadow models: the generator itself is trained again and again, with and without each patient.

What a generator remembers need not lie near anything: it shows when one knows how the same
generator behaves without the patient. Needs a generator that can be fitted here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import StudyError, UsageError
from sdq_ehr.attacks.membership import WorstAttack, worst_attack

__all__ = ["RUNS", "Generator", "load_generator", "shadow_attack"]

RUNS: Final = 8
"""Shadow models, half of which know each patient."""

Values = NDArray[np.float64]
Index = NDArray[np.intp]
People = TypeVar("People")
Made = TypeVar("Made")


class Generator(Protocol):
    """What the provider hands over: an object that is fitted, then sampled."""

    def fit(self, tables: Any) -> Any:
        """Train anew on a table, or on tables by name (pyarrow)."""
        ...

    def sample(self, n: int) -> Any:
        """Return n synthetic patients in the same form."""
        ...


def load_generator(name: str) -> Generator:
    """Import a generator that the study names explicitly; nothing else imports a user's code.

    Parameters
    ----------
    name : str
        ``module:function``; the function takes nothing and returns an object with the methods
        ``fit(tables)`` and ``sample(n)``.

    Raises
    ------
    StudyError
        It cannot be imported, or what it gives cannot be fitted and sampled.
    """
    module, _, function = name.partition(":")
    if not module or not function:
        raise StudyError("settings.generator: write module:function, such as mymodel:generator")
    try:
        made = getattr(importlib.import_module(module), function)()
    except Exception as error:
        raise StudyError(
            f"settings.generator: {name} cannot be used ({type(error).__name__}); the module must "
            "be importable, and the function must return the generator without arguments"
        ) from error
    if not (callable(getattr(made, "fit", None)) and callable(getattr(made, "sample", None))):
        raise StudyError(
            f"settings.generator: {name} gives an object without fit and sample; give it both"
        )
    found: Generator = made
    return found


def shadow_attack(
    fit: Callable[[Index], Any],
    sample: Callable[[Any, int], Made],
    score: Callable[[Made], Mapping[str, Values]],
    n: int,
    *,
    size: int | None = None,
    runs: int = RUNS,
    level: float = 0.95,
    seed: int = 0,
) -> WorstAttack:
    """Attack membership by models of which one knows who was in.

    Parameters
    ----------
    fit : callable
        Numbers of the real patients that are in -> a model trained on them.
    sample : callable
        Model and a number -> so many synthetic patients.
    score : callable
        Synthetic patients -> name of an attack -> a score of every real patient, shape (n,); high
        means "was in".
    n : int
        Real patients, at least 40.
    size : int, optional
        Synthetic patients of each model; as many as it was trained on by default.
    runs : int
        Models, an even number of at least 4.
    level : float
    seed : int

    Returns
    -------
    WorstAttack
        Of one attempt on each patient.

    Raises
    ------
    UsageError
        Too few patients or runs; scores of another shape, or not finite.

    Notes
    -----
    Runs come in pairs that split the patients at random into halves, so that each patient is in
    half of the runs. A patient is attacked in one run drawn at random: the score there, less the
    mean of the patient's scores in other runs in which he was out. That is the offline likelihood
    ratio attack with one spread for all: Carlini et al. 2022, arXiv:2112.03570; shadow models of
    synthetic data: Stadler et al., USENIX Security 2022, arXiv:2011.07018.

    Examples
    --------
    >>> data = np.random.default_rng(0).normal(size=(100, 3))
    >>> def nearness(made):
    ...     gaps = np.linalg.norm(data[:, None] - made, axis=2)
    ...     return {"distance": -gaps.min(axis=1)}
    >>> found = shadow_attack(
    ...     fit=lambda rows: data[rows],
    ...     sample=lambda model, n: model[:n],
    ...     score=nearness,
    ...     n=100,
    ...     runs=4,
    ... )
    >>> found.auc > 0.9
    True
    """
    if n < 40 or runs < 4 or runs % 2:
        raise UsageError(
            f"n, runs: need at least 40 patients and an even number of at least 4 runs, "
            f"found {n} and {runs}"
        )
    rng = np.random.default_rng(seed)
    inside = np.zeros((runs, n), bool)
    scores: dict[str, Values] = {}
    for r in range(runs):
        if r % 2 == 0:
            inside[r, rng.permutation(n)[: n // 2]] = True
        else:
            inside[r] = ~inside[r - 1]
        rows = np.flatnonzero(inside[r])
        found = score(sample(fit(rows), size or len(rows)))
        for name, values in found.items():
            if np.shape(values) != (n,) or not np.isfinite(values).all():
                raise UsageError(f"score: {name} must be a finite number for each of {n} patients")
            scores.setdefault(name, np.zeros((runs, n)))[r] = values
    attacked = rng.integers(0, runs, n)
    people = np.arange(n)
    out = ~inside
    out[attacked, people] = False
    calibrated = {
        name: v[attacked, people] - (v * out).sum(axis=0) / out.sum(axis=0)
        for name, v in scores.items()
    }
    return worst_attack(calibrated, inside[attacked, people], level=level, seed=seed)
