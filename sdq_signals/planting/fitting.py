"""In which recordings a defect makes sense, and what to say where it makes none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from sdq_core.reasons import Why, why
from sdq_signals.formats.edf_header import read_header
from sdq_signals.planting.draft import Draft
from sdq_signals.planting.waveforms import limb_leads
from sdq_signals.recording import Format, Kind
from sdq_signals.units import factor

__all__ = ["Facts", "Needs", "facts_of", "unfit"]

NAMES: Final = {
    "ecg": ("electrocardiograms", "心电图"), "eeg": ("electroencephalograms", "脑电图"),
    "ppg": ("photoplethysmograms", "光电容积脉搏波"), "other": ("other signals", "其他信号"),
}  # fmt: skip
FORMATS: Final = {
    "wfdb": "WFDB", "edf": "EDF", "bdf": "BDF", "dicom": "DICOM", "table": "CSV", "array": "NumPy",
}  # fmt: skip
_Sentence: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Facts:
    """What matters of one recording.

    Parameters
    ----------
    kind : {"ecg", "eeg", "ppg", "other"}
    format : {"wfdb", "edf", "bdf", "dicom", "table", "array"}
    labels : tuple of str
        Of the channels of the kind.
    channels : int
        Of any kind.
    rate : float
    calibrated : bool
        Whether the unit of all channels of the kind is a voltage that is known.
    whole_numbers : bool
        Whether the file stores them.
    plus : bool
        Whether it is EDF+ or BDF+.
    archive : bool
        Whether it is a NumPy archive or a file of a table in plain text.
    twelve : bool
        Whether it is a DICOM object of the 12-lead class.
    """

    kind: Kind
    format: Format
    labels: tuple[str, ...]
    channels: int
    rate: float
    calibrated: bool
    whole_numbers: bool
    plus: bool
    archive: bool
    twelve: bool


def facts_of(draft: Draft) -> Facts:
    """Return the facts of a recording that was read."""
    head = draft.recording
    used = [draft.channels[k] for k in draft.of_kind]
    name = draft.path.name.lower()
    twelve = False
    if head.format == "dicom":
        from sdq_core.dicom.elements import text
        from sdq_signals.formats.dicom import dataset

        twelve = text(dataset(draft.path), "SOPClassUID") == "1.2.840.10008.5.1.4.1.1.9.1.1"
    return Facts(
        draft.kind,
        head.format,
        tuple(c.label for c in used),
        len(head.channels),
        head.rate,
        bool(used) and all(c.factor is not None and factor(c.unit or "mV", "ecg") for c in used),
        all(c.resolution is not None for c in used),
        head.format in ("edf", "bdf") and read_header(draft.path).plus,
        name.endswith((".npz", ".csv", ".tsv")),
        twelve,
    )


@dataclass(frozen=True, slots=True)
class Needs:
    """What a recording must be for a defect; what is left out is not asked.

    Parameters
    ----------
    kinds : tuple of Kind
    formats : tuple of Format
    channels : int
        Fewest of the kind.
    arms : bool
        Leads I and II, and one that follows from them.
    volts : bool
        A unit of voltage that is known.
    above_hz : float
        Frequency that the sampling rate must be able to show.
    whole_numbers, plus, archive, twelve : bool
        See `Facts`.
    """

    kinds: tuple[Kind, ...] = ()
    formats: tuple[Format, ...] = ()
    channels: int = 1
    arms: bool = False
    volts: bool = False
    above_hz: float = 0.0
    whole_numbers: bool = False
    plus: bool = False
    archive: bool = False
    twelve: bool = False

    def missing(self, facts: Facts) -> _Sentence | None:
        """Return what is missing, in both languages; None where nothing is."""
        if self.formats and facts.format not in self.formats:
            wanted = ", ".join(dict.fromkeys(FORMATS[f] for f in self.formats))
            return f"it needs files of {wanted}", f"需要 {wanted} 文件"
        if self.kinds and facts.kind not in self.kinds:
            wanted = " or ".join(NAMES[k][0] for k in self.kinds)
            chinese = "或".join(NAMES[k][1] for k in self.kinds)
            return f"it has a sense in {wanted} only", f"仅对{chinese}有意义"
        rest: tuple[tuple[bool, _Sentence], ...] = (
            (len(facts.labels) < self.channels,
             (f"it needs {self.channels} channels of one kind",
              f"需要 {self.channels} 个同类通道")),
            (self.arms and not limb_leads(list(facts.labels)),
             ("it needs the limb leads I and II and one that follows from them",
              "需要肢体导联 I、II 及由其推算的导联")),
            (self.volts and not facts.calibrated,
             ("it needs channels in a unit of voltage that is known", "需要电压单位已知的通道")),
            (self.above_hz > 0.45 * facts.rate,
             (f"{self.above_hz:g} Hz lie above what the sampling rate can show",
              f"{self.above_hz:g} Hz 超出采样率可表示的范围")),
            (self.whole_numbers and not facts.whole_numbers,
             ("it needs files that store whole numbers", "需要以整数存储的文件")),
            (self.plus and not facts.plus,
             ("it needs EDF+ or BDF+, which have annotations", "需要带注释的 EDF+ 或 BDF+ 文件")),
            (self.archive and facts.format in ("array", "table") and not facts.archive,
             ("it needs archives (.npz) or tables in plain text", "需要 .npz 归档或纯文本表格")),
            (self.twelve and not facts.twelve,
             ("it needs objects of the 12-lead class, which limits them",
              "需要 12 导联心电类对象，其对内容设有限制")),
        )  # fmt: skip
        return next((sentence for lacks, sentence in rest if lacks), None)


def unfit(needs: Needs, facts: Sequence[Facts]) -> Why | None:
    """Return why a defect cannot be planted in recordings; None where it can in all of them.

    Examples
    --------
    >>> eeg = Facts("eeg", "edf", ("Fp1",), 1, 100.0, True, True, True, False, False)
    >>> unfit(Needs(kinds=("ecg",)), [eeg])["reason"]
    'it has a sense in electrocardiograms only'
    """
    for one in facts:
        sentence = needs.missing(one)
        if sentence is not None:
            return why("not_applicable", why=sentence[0], why_zh=sentence[1])
    return None
