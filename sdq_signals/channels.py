"""Standard names of channels: ECG leads, the 10-10 system of EEG, pulse and other signals."""

from __future__ import annotations

import re
from typing import Final

from sdq_signals.recording import Kind

__all__ = ["LEADS", "MDC_LEADS", "canonical", "kind_of"]

LEADS: Final = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
"""The twelve leads in the order of a standard electrocardiogram."""

MDC_LEADS: Final = {
    "I": 1, "II": 2, "V1": 3, "V2": 4, "V3": 5, "V4": 6, "V5": 7, "V6": 8, "V7": 9, "V3R": 11,
    "V4R": 12, "V5R": 13, "X": 16, "Y": 17, "Z": 18, "III": 61, "aVR": 62, "aVL": 63, "aVF": 64,
    "V8": 66, "V9": 67,
}  # fmt: skip
"""Lead -> code in partition 2 of ISO/IEEE 11073-10101: ``MDC_ECG_LEAD_II`` is 2:2."""

_LEAD = {
    **{n.lower(): n for n in MDC_LEADS},
    "mlii": "II", "mli": "I", "mliii": "III", "mlaii": "II",
    "vx": "X", "vy": "Y", "vz": "Z", "-avr": "-aVR",
    "mcl1": "MCL1", "mcl6": "MCL6", "v": "V", "cm5": "CM5", "cs5": "CS5", "d3": "D3", "d4": "D4",
}  # fmt: skip
_ECG_PREFIX = re.compile(r"^(?:ecg|ekg|lead|mdc_ecg_lead)[ _:-]+", re.IGNORECASE)

# 10-10 system of the American Clinical Neurophysiology Society guideline 2, and its 10-20 names.
_EEG_SITES = tuple(
    """Nz Fp1 Fpz Fp2 AF9 AF7 AF5 AF3 AF1 AFz AF2 AF4 AF6 AF8 AF10 F9 F7 F5 F3 F1 Fz F2 F4 F6 F8 F10
    FT9 FT7 FC5 FC3 FC1 FCz FC2 FC4 FC6 FT8 FT10 T9 T7 C5 C3 C1 Cz C2 C4 C6 T8 T10 TP9 TP7 CP5
    CP3 CP1 CPz CP2 CP4 CP6 TP8 TP10 P9 P7 P5 P3 P1 Pz P2 P4 P6 P8 P10 PO9 PO7 PO5 PO3 PO1 POz
    PO2 PO4 PO6 PO8 PO10 O1 Oz O2 I1 Iz I2 A1 A2 M1 M2""".split()  # noqa: SIM905
)
_SITE = {**{s.lower(): s for s in _EEG_SITES}, "t3": "T7", "t4": "T8", "t5": "P7", "t6": "P8"}
_EEG_PREFIX = re.compile(r"^eeg[ _:-]*", re.IGNORECASE)
_PPG = re.compile(r"^(?:pleth|ppg|spo2 ?pleth|ir|red|green|infrared)(?:[ _-].*)?$", re.IGNORECASE)
_KINDS: Final[tuple[tuple[str, Kind], ...]] = (("ecg", "ecg"), ("ekg", "ecg"), ("eeg", "eeg"))


def canonical(name: str) -> tuple[str, Kind]:
    """Return a channel's standard name and its kind.

    Parameters
    ----------
    name : str
        As written in a header: ``"ECG II"``, ``"AVR"``, ``"MDC_ECG_LEAD_V1"``, ``"EEG Fp1-Ref"``.

    Returns
    -------
    label : str
        Lead (AHA and IEC names; modified limb leads by the lead that they stand for), 10-10
        electrode with its reference (old names T3, T4, T5, T6 become T7, T8, P7, P8), ``"PLETH"``;
        the name itself where it is in no vocabulary.
    kind : {"ecg", "eeg", "ppg", "other"}

    Examples
    --------
    >>> canonical("AVR"), canonical("ECG lead V1")[0], canonical("EEG T3-Ref"), canonical("ABP")
    (('aVR', 'ecg'), 'V1', ('T7-Ref', 'eeg'), ('ABP', 'other'))
    """
    text = re.sub(r"\s+", " ", name).strip()
    bare = _ECG_PREFIX.sub("", _ECG_PREFIX.sub("", text)).lower()
    if bare in _LEAD:
        return _LEAD[bare], "ecg"
    site, minus, reference = _EEG_PREFIX.sub("", text).rstrip(".").partition("-")
    if site.lower() in _SITE:
        other = _SITE.get(reference.lower(), reference)
        return _SITE[site.lower()] + minus + other, "eeg"
    if _PPG.match(text):
        return "PLETH", "ppg"
    for prefix, kind in _KINDS:
        if text.lower().startswith(prefix):
            return text, kind
    return text, "other"


def kind_of(names: tuple[str, ...] | list[str]) -> Kind:
    """Return the kind of a recording: that of most of its channels, ECG before EEG before PPG.

    Examples
    --------
    >>> kind_of(["II", "V5", "PLETH"]), kind_of(["RESP", "ABP"])
    ('ecg', 'other')
    """
    kinds = [canonical(n)[1] for n in names]
    order: tuple[Kind, ...] = ("ecg", "eeg", "ppg")
    best = max(order, key=lambda k: (kinds.count(k), -order.index(k)))
    return best if kinds.count(best) else "other"
