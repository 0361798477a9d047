"""Patients whose record, keys aside, says the same as a real one's; of train and of the holdout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.completeness import content_key
from sdq_core.characteristics.rates import rate, real_rate
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement
from sdq_core.reasons import why
from sdq_core.statistics import binomial_interval
from sdq_core.vocabulary import Role, Severity
from sdq_ehr.privacy_compared import without_generator
from sdq_ehr.records import dataset_of, records_of

__all__ = [
    "beside_train",
    "contaminated",
    "copies_of_holdout",
    "reused_keys",
    "same_patients",
    "without_relaxation",
]

ALLOWED: Final = 0.01
"""Share of the holdout that may equal train by chance beyond what equals within train."""
UNLIKELY: Final = 1e-3
"""Chance that any two of the real patients agree, below which agreement is identity."""


def contaminated(cohorts: Cohorts) -> bool:
    """Return whether the holdout holds patients of train, under whatever numbers.

    In tables of few coarse columns real patients equal each other too: so many as have a twin
    within train may have one across.

    Parameters
    ----------
    cohorts : Cohorts
    """
    if cohorts.holdout is None:
        return False
    if cohorts.shared_subjects:
        return True
    train, holdout = _readable(cohorts.train), _readable(cohorts.holdout)
    if not len(train) or not len(holdout):
        return False
    across = np.isin(holdout, train)
    _, of, count = np.unique(train, return_inverse=True, return_counts=True)
    twins = binomial_interval(int((count[of] > 1).sum()), len(train)).high
    return binomial_interval(int(across.sum()), len(across)).low > 1.5 * twins + ALLOWED


@lru_cache(maxsize=2)
def same_patients(cohorts: Cohorts) -> tuple[tuple[int, int], ...]:
    """Return the holdout patients who are patients of train under other numbers.

    Equal records are one person's only where records say enough to be nobody else's: what two real
    patients agree on by chance is weighed column by column, with half of the weight since columns
    depend on each other, and no two patients within train may be equal.

    Parameters
    ----------
    cohorts : Cohorts

    Returns
    -------
    tuple of (int, int)
        Rows in the tables of holdout and train.
    """
    if cohorts.holdout is None:
        return ()
    train, holdout = content_key(cohorts.train), content_key(cohorts.holdout)
    readable = cohorts.train.table.readable, cohorts.holdout.table.readable
    first = {key: k for k, key in enumerate(train.tolist()) if readable[0][k]}
    if len(first) < int(readable[0].sum()):
        return ()
    found = tuple(
        (k, first[key]) for k, key in enumerate(holdout.tolist()) if readable[1][k] and key in first
    )
    if not found:
        return ()
    pairs = len(first) * int(readable[1].sum())
    return found if _surprisal(cohorts) / 2 > np.log(pairs / UNLIKELY) else ()


def _surprisal(cohorts: Cohorts) -> float:
    """Nats by which it surprises that two real patients agree in all columns of their rows."""
    from sdq_ehr.patient_rows import fit_layout

    records = records_of(without_generator(cohorts))
    rows = fit_layout(records).rows(records).rows
    real = records.real
    total = 0.0
    for values in (*rows.numbers[real].T, *rows.categories[real].T):
        _, counts = np.unique(values, return_counts=True, equal_nan=True)
        total -= float(np.log(np.square(counts / counts.sum()).sum()))
    return total


def without_relaxation(measurement: Measurement, n: int) -> Measurement:
    """Return a rate of copies beside a real rate of zero: a spoilt holdout is no measure.

    Parameters
    ----------
    measurement : Measurement
    n : int
        Patients of the holdout.
    """
    return replace(measurement, noise_floor=real_rate(np.zeros(max(n, 1), bool)))


def beside_train(measurement: Measurement, cohorts: Cohorts) -> Measurement:
    """Return a rate of copies beside the share of training patients who repeat another one.

    Without a holdout that is what chance gives: a training patient, left out, meets the others as
    a fresh patient would meet all of them.

    Parameters
    ----------
    measurement : Measurement
        Of a study without a holdout, with a value.
    cohorts : Cohorts
    """
    keys = _readable(cohorts.train)
    _, of, count = np.unique(keys, return_inverse=True, return_counts=True)
    method = measurement.method
    name = "share of items whose decoded content equals a training item's; beside it the share of "
    name += "training items that equal another one (no holdout; leave-one-out)"
    return replace(
        measurement,
        noise_floor=real_rate(count[of] > 1),
        n={**measurement.n, "real": len(keys)},
        method=None if method is None else replace(method, name=name),
    )


def copies_of_holdout(
    cohorts: Cohorts, id_: str, *, spoilt: bool
) -> Iterator[Measurement | Finding]:
    """Measure the share of synthetic patients whose record equals a holdout patient's.

    A generator never saw these; whoever releases them releases real records.

    Parameters
    ----------
    cohorts : Cohorts
    id_ : str
        Of the measurement.
    spoilt : bool
        Whether the holdout holds patients of train.

    Yields
    ------
    Measurement or Finding
    """
    if cohorts.holdout is None:
        return
    holdout = set(_readable(cohorts.holdout).tolist())
    table = cohorts.synthetic.table
    flags = np.array([k in holdout for k in content_key(cohorts.synthetic).tolist()], bool)
    real = np.array([k in holdout for k in _readable(cohorts.train).tolist()], bool)
    found = rate(
        id_,
        flags[table.readable],
        real=real,
        better="lower",
        aspect="attack_simulation",
        name="share of patients whose record, keys aside, equals a holdout patient's; beside it "
        "the same share of train",
        source="Part 6 proposal, privacy attack simulation; WP216 singling out",
    )
    found = replace(found, variant="of-holdout")
    yield without_relaxation(found, len(real)) if spoilt and found.value is not None else found
    for row in np.flatnonzero(flags & table.readable):
        yield Finding(
            "ehr.privacy.copy_of_holdout",
            Severity.ERROR,
            "says the same as a real patient of the holdout, which the generator must not have "
            "seen; remove it and check what the generator was given",
            "与留出集中的一名真实患者记录内容相同, 而生成器不应接触留出集; "
            "请删除并核查生成器的输入",
            item=str(table.ids[row]),
            role="synthetic",
        )


def reused_keys(cohorts: Cohorts, id_: str) -> Measurement:
    """Measure the share of synthetic patients whose number is a training patient's.

    Parameters
    ----------
    cohorts : Cohorts
    id_ : str
        Of the measurement.

    Returns
    -------
    Measurement
        Not applicable where patients have no number, or running ones: these meet by chance.
    """
    keys = {c.role: _keys(cohorts, c.role) for c in cohorts.all}
    train = keys[Role.TRAIN]
    if not train or _running(train):
        return Measurement(
            id_,
            variant="keys",
            aspect="privacy_compliance",
            applicable=False,
            **why(
                "not_applicable",
                why="real patients have no number, or running numbers, which meet by chance",
                why_zh="真实患者没有编号, 或为流水号, 可能偶然相同",
            ),
        )
    known = set(train)
    holdout = keys.get(Role.HOLDOUT)
    found = rate(
        id_,
        np.array([k in known for k in keys[Role.SYNTHETIC]], bool),
        real=None if holdout is None else np.array([k in known for k in holdout], bool),
        better="lower",
        aspect="privacy_compliance",
        name="share of patients whose number is a training patient's",
        source="HIPAA 45 CFR 164.514(b)(2)(i)(R); WP216 linkability",
    )
    return replace(found, variant="keys")


def _keys(cohorts: Cohorts, role: Role) -> list[str]:
    return [k for k in dataset_of(cohorts, role).patients().keys.tolist() if k]


def _running(keys: list[str]) -> bool:
    """Whether keys count patients: their digits fill at least a tenth of their range."""
    digits = ["".join(c for c in k if c.isdigit())[-15:] for k in keys]
    if not all(digits):
        return False
    numbers = {int(d) for d in digits}
    return len(numbers) > 0.1 * (max(numbers) - min(numbers) + 1)


def _readable(cohort: Cohort) -> NDArray[np.str_]:
    return content_key(cohort)[cohort.table.readable]
