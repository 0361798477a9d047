"""One number of one characteristic, with everything needed to defend it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sdq_core.vocabulary import Characteristic

__all__ = ["Better", "Interval", "Measurement", "Method"]

Better = Literal["lower", "higher", "closer"]
"""Direction of a measure; for ``closer`` the noise floor's centre is the ideal on both sides."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval of a measure.

    Parameters
    ----------
    low, high : float
        Finite bounds, ``low <= high``, in the unit of the measure.
    method : str
        How it was got: ``"Clopper-Pearson"``, ``"half-sampling of subjects"`` ...
    level : float
        Coverage, 0.95 by default.
    centre : float, optional
        Median of the distribution behind the interval (noise floors have one).
    """

    low: float
    high: float
    method: str
    level: float = 0.95
    centre: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise ValueError(
                f"Interval({self.method}): needs finite low <= high, got [{self.low}, {self.high}]"
            )


@dataclass(frozen=True, slots=True)
class Method:
    """How a number was made.

    Parameters
    ----------
    name : str
        Name of the method in the field's own words.
    source : str
        Paper (DOI) or clause of a standard.
    parameters : mapping
        JSON-ready settings, among them the embedding with version and hash where one is used.
    seed : int, optional
        Seed of the random part, if there is one.
    """

    name: str
    source: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number of one characteristic: a value or a reason, never neither and never both.

    Parameters
    ----------
    id : str
        ``<modality>.<characteristic>.<measure>``, e.g. ``"imaging.fidelity.mmd"``.
    value : float or None
        Finite, in `unit`.
    reason : str or None
        Why there is no value: what is missing and how to provide it.
    reason_zh : str
        The same in Chinese; see `sdq_core.reasons.why`.
    better : {"lower", "higher", "closer"} or None
        Direction; None for a descriptive number that has none.
    unit : str
        ``"1"`` for pure numbers, ``"share"`` for 0..1.
    interval, noise_floor : Interval or None
    n : mapping of str to int
        Sample sizes that entered, by role: ``{"synthetic": 300, "holdout": 178}``.
    method : Method
    variant : str or None
        Distinguishes measurements with one id: the embedding, the attribute.
    aspect : str
        Key of `vocabulary.TERMS` for the sub-characteristic, e.g. ``"joint_consistency"``.
    target : float or None
        What the study declares for this number, in its unit; a criterion may ask for it.
    applicable : bool
        Whether the measure exists for this kind of real data, as no heart beat does in an EEG.
        Without it there is no value, and no criterion asks for one.
    details : mapping
        JSON-ready extras for the reader and the plots: p-values, per-feature tables, suspects.
        Never holds content of a real item.

    Examples
    --------
    >>> m = Measurement("imaging.balance.items", 300.0, unit="items", better="higher",
    ...                 n={"synthetic": 300}, method=Method("count", "ISO/IEC 5259-2:2024"))
    >>> m.characteristic.value, m.key
    ('balance', 'imaging.balance.items')
    """

    id: str
    value: float | None = None
    reason: str | None = None
    reason_zh: str = ""
    better: Better | None = None
    unit: str = "1"
    interval: Interval | None = None
    noise_floor: Interval | None = None
    n: Mapping[str, int] = field(default_factory=dict)
    method: Method = field(default_factory=lambda: Method("", ""))
    variant: str | None = None
    aspect: str | None = None
    target: float | None = None
    applicable: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.value is None) == (self.reason is None):
            raise ValueError(f"Measurement {self.id}: give exactly one of value and reason")
        if not self.applicable and self.value is not None:
            raise ValueError(f"Measurement {self.id}: what is not applicable has no value")
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(
                f"Measurement {self.id}: value must be finite, got {self.value}; give a reason"
            )
        parts = self.id.split(".")
        if len(parts) != 3 or parts[1] not in set(Characteristic):
            raise ValueError(
                f"Measurement {self.id!r}: id must be <modality>.<characteristic>.<measure>"
            )

    @property
    def characteristic(self) -> Characteristic:
        """The characteristic that the id names."""
        return Characteristic(self.id.split(".")[1])

    @property
    def key(self) -> str:
        """The id, with the variant in brackets where there is one."""
        return self.id if self.variant is None else f"{self.id}[{self.variant}]"
