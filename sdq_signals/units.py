"""Units of samples, and the ranges in which a kind of signal can lie."""

from __future__ import annotations

from typing import Final

from sdq_signals.recording import Kind

__all__ = ["PLAUSIBLE_MV", "UNITS", "factor"]

_VOLTS: Final = {"V": 1.0, "mV": 1e-3, "uV": 1e-6, "nV": 1e-9}
_OTHERS: Final = (
    "NU", "1", "%", "mmHg", "kPa", "Pa", "bar", "cmH2O", "bpm", "Hz", "L", "mL", "L/s", "L/min",
    "mL/min", "Ohm", "kOhm", "degC", "degF", "K", "degrees", "deg", "g", "m/s2", "m/s^2", "s", "ms",
    "A", "mA", "uA", "nA", "uS", "lx", "T", "fT", "pm", "adu", "counts",
)  # fmt: skip
UNITS: Final = frozenset((*_VOLTS, *_OTHERS))
"""Units that are known: the EDF+ standard texts, those of WFDB databases, and UCUM's forms."""

_TARGET: Final = {"ecg": 1e-3, "eeg": 1e-6}
_SYNONYMS: Final = {
    "µV": "uV", "μV": "uV", "microV": "uV", "UV": "uV", "uv": "uV", "mv": "mV", "v": "V",
    "volt": "V", "nu": "NU", "a.u.": "NU", "au": "NU", "DegC": "degC", "Cel": "degC",
    "mm[Hg]": "mmHg", "cm[H2O]": "cmH2O", "[degF]": "degF", "{beats}/min": "bpm", "/min": "bpm",
}  # fmt: skip

PLAUSIBLE_MV: Final[dict[str, tuple[float, float]]] = {"ecg": (0.05, 20.0), "eeg": (5e-4, 2.0)}
"""Kind -> range in mV inside which the middle 99 % of a recording's samples span.

ECG: electrocardiographs must handle 10 mV peak to peak (IEC 60601-2-25:2011), and a span below
0.05 mV is none that a person can read. EEG: scalp potentials of 10 to 100 uV (Niedermeyer,
Electroencephalography, 6th ed., 2011), artefacts up to 1 mV.
"""


def factor(unit: str, kind: Kind) -> float | None:
    """Return the factor from a unit to the unit of a kind.

    Parameters
    ----------
    unit : str
        As written in a header.
    kind : {"ecg", "eeg", "ppg", "other"}
        Millivolt for ECG, microvolt for EEG; PPG and others keep their own unit.

    Returns
    -------
    float or None
        None for an unknown unit, and for a known one that cannot be the kind's (mmHg of an ECG).

    Examples
    --------
    >>> factor("uV", "ecg"), factor("mV", "eeg"), factor("NU", "ppg"), factor("furlong", "ecg")
    (0.001, 1000.0, 1.0, None)
    """
    plain = _SYNONYMS.get(unit.strip(), unit.strip())
    target = _TARGET.get(kind)
    if target is not None:
        return None if plain not in _VOLTS else round(_VOLTS[plain] / target, 12)
    return 1.0 if plain in UNITS else None
