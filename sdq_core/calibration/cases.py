"""The cases of a calibration, in the order in which they are worth most."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sdq_core.calibration.defect import Defect
from sdq_core.errors import UsageError
from sdq_core.hashing import canonical_json

__all__ = ["Case", "case_key", "cases_of", "chosen", "seed_of"]


@dataclass(frozen=True, slots=True)
class Case:
    """One evaluation of dealt cohorts.

    Parameters
    ----------
    defect : str or None
        Id of the planted defect; None for the fresh real sample as it is.
    severity : float or None
    seed : int
        Number of the deal.
    """

    defect: str | None
    severity: float | None
    seed: int


def chosen(defects: Sequence[Defect], only: Sequence[str]) -> tuple[Defect, ...]:
    """Return the defects of a catalogue that were asked for, in the catalogue's order.

    Parameters
    ----------
    defects : sequence of Defect
    only : sequence of str
        Their ids; empty for all.

    Raises
    ------
    UsageError
        The catalogue has no such defect.
    """
    unknown = sorted(set(only) - {d.id for d in defects})
    if unknown:
        raise UsageError(
            f"--only {', '.join(unknown)}: no such defect in the catalogue; it has "
            f"{', '.join(d.id for d in defects) or 'none'}"
        )
    return tuple(d for d in defects if not only or d.id in only)


def cases_of(
    defects: Sequence[Defect], seeds: int, *, all_severities: bool = True
) -> tuple[Case, ...]:
    """Return the cases in the order in which they are carried out.

    Parameters
    ----------
    defects : sequence of Defect
    seeds : int
        At least 1.
    all_severities : bool
        Whether severities other than the unacceptable one are planted too.

    Returns
    -------
    tuple of Case
        First the fresh sample and every defect at its unacceptable severity with one seed, so
        that wherever the budget cuts, each defect has been seen about as often as the others; the
        other severities follow one seed behind.

    Examples
    --------
    >>> from sdq_core.vocabulary import Characteristic
    >>> blur = Defect("blur", ("blur", "模糊"), (Characteristic.FIDELITY,), (1.0, 2.0), 2.0,
    ...               ("pixels", "像素"), ("imaging.fidelity.mmd",), "a source")
    >>> [(c.defect, c.severity, c.seed) for c in cases_of([blur], 2)]
    ... # doctest: +NORMALIZE_WHITESPACE
    [(None, None, 0), ('blur', 2.0, 0), (None, None, 1), ('blur', 2.0, 1), ('blur', 1.0, 0),
     ('blur', 1.0, 1)]
    """
    if seeds < 1:
        raise UsageError(f"--runs {seeds}: needs at least 1")
    found: list[Case] = []
    for turn in range(seeds + 1):
        if turn < seeds:
            found.append(Case(None, None, turn))
            found += [Case(d.id, d.unacceptable, turn) for d in defects]
        if turn and all_severities:
            found += [
                Case(d.id, severity, turn - 1)
                for d in defects
                for severity in d.severities
                if severity != d.unacceptable
            ]
    return tuple(found)


def seed_of(*parts: object) -> int:
    """Return a seed that is a function of the parts.

    Examples
    --------
    >>> seed_of(0, "blur", 1) == seed_of(0, "blur", 1) != seed_of(0, "blur", 2)
    True
    """
    text = "/".join(str(p) for p in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def case_key(basis: Mapping[str, Any], case: Case) -> str:
    """Return the name under which the record of a case is kept.

    Parameters
    ----------
    basis : mapping
        All that the records of one calibration depend on, JSON-ready.
    case : Case

    Returns
    -------
    str
        SHA-256 (hex) of both.
    """
    whole = {
        "basis": dict(basis),
        "case": {"defect": case.defect, "severity": case.severity, "seed": case.seed},
    }
    return hashlib.sha256(canonical_json(whole)).hexdigest()
