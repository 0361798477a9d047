"""Words and measures that entries of the catalogue share."""

from __future__ import annotations

from functools import partial
from typing import Final

from sdq_core.vocabulary import Characteristic

__all__ = [
    "BALANCE", "COMPLETENESS", "EXPLAINABILITY", "FIDELITY", "HIPAA", "KAHN", "METADATA",
    "PRIVACY", "SHARES", "SHARE_PATIENTS", "SHARE_ROWS", "UTILITY", "balance", "completeness",
    "fidelity", "metadata", "privacy", "utility",
]  # fmt: skip

FIDELITY, BALANCE, COMPLETENESS, METADATA, PRIVACY, EXPLAINABILITY, UTILITY = (
    Characteristic.FIDELITY, Characteristic.BALANCE, Characteristic.COMPLETENESS,
    Characteristic.METADATA, Characteristic.PRIVACY, Characteristic.EXPLAINABILITY,
    Characteristic.UTILITY,
)  # fmt: skip

KAHN = "Kahn et al. 2016, doi:10.13063/2327-9214.1244"
HIPAA = "45 CFR 164.514(b)(2)(i)"
SHARE_PATIENTS = ("share of patients", "患者占比")
SHARE_ROWS = ("share of rows", "行占比")
SHARES: Final = (0.01, 0.02, 0.05, 0.1, 0.2)


def _of_characteristic(characteristic: str, *measures: str) -> tuple[str, ...]:
    return tuple(f"ehr.{characteristic}.{m}" for m in measures)


fidelity = partial(_of_characteristic, "fidelity")
balance = partial(_of_characteristic, "balance")
completeness = partial(_of_characteristic, "completeness")
metadata = partial(_of_characteristic, "metadata")
privacy = partial(_of_characteristic, "privacy")
utility = partial(_of_characteristic, "utility")
