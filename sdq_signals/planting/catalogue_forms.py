"""The part of the catalogue that is about form: headers, declarations, identifiers, lineage."""

from __future__ import annotations

from typing import Final

from sdq_core.calibration.defect import Defect
from sdq_core.vocabulary import Characteristic
from sdq_signals.planting import breaks_dicom as dicom
from sdq_signals.planting import breaks_edf as edf
from sdq_signals.planting import breaks_plain as plain
from sdq_signals.planting import breaks_wfdb as wfdb
from sdq_signals.planting import plans, waveforms
from sdq_signals.planting.breaks import Family
from sdq_signals.planting.fitting import Needs
from sdq_signals.planting.planted import Planted, rules_of

__all__ = ["FORMS"]

FIDELITY, BALANCE, COMPLETENESS, METADATA, PRIVACY, EXPLAINABILITY, UTILITY = (
    Characteristic.FIDELITY, Characteristic.BALANCE, Characteristic.COMPLETENESS,
    Characteristic.METADATA, Characteristic.PRIVACY, Characteristic.EXPLAINABILITY,
    Characteristic.UTILITY,
)  # fmt: skip
SHARES: Final = (0.02, 0.05, 0.1, 0.3, 1.0)
RARE: Final = (0.01, 0.02, 0.05, 0.2, 1.0)
OF_RECORDINGS: Final = ("share of the recordings", "占记录的比例")
EDF: Final = ("edf", "bdf")
HEADER5 = "WFDB Applications Guide, header(5) and signal(5)"
KEMP = "Kemp et al. 1992, doi:10.1016/0013-4694(92)90009-7"
KEMP_PLUS = "Kemp & Olivan 2003, doi:10.1016/S1388-2457(03)00123-8"
PS33 = "DICOM PS3.3 A.34, C.10.8 and C.10.9"
SAFE_HARBOR = "45 CFR 164.514(b)(2); GB/T 37964-2019; DICOM PS3.15 Annex E"
CONTENT: Final = (FIDELITY, BALANCE, UTILITY)


def _form(
    name: str,
    title: tuple[str, str],
    source: str,
    families: tuple[Family, ...],
    targets: tuple[Characteristic, ...],
    side: tuple[Characteristic, ...],
    needs: Needs,
    seen: tuple[str, ...],
) -> Planted:
    """Return a defect of form: broken files, their number is the severity."""
    rare = PRIVACY in targets
    return Planted(
        Defect(name, title, targets, RARE if rare else SHARES, 0.05 if rare else 0.1,
               OF_RECORDINGS, (*rules_of(families), *seen), source,
               tuple(c for c in side if c not in targets)),
        plans.broken, needs, families,
    )  # fmt: skip


CONFORMITY, REQUIRED = (
    "signals.metadata.conformity_share",
    "signals.metadata.required_attribute_share",
)
STRUCTURE, READABLE = "signals.completeness.structure_share", "signals.completeness.readable_share"
IDENTIFIERS = "signals.privacy.identifier_share"

FORMS: Final[tuple[Planted, ...]] = (
    _form("files-unreadable", ("files that cannot be read", "文件无法读取"),
          "Part 6 proposal, data completeness",
          (wfdb.UNREADABLE, edf.UNREADABLE, dicom.UNREADABLE, plain.UNREADABLE,
           {"array": plain.SIDE_CARS["array"], "table": plain.SIDE_CARS["table"]}, plain.AROUND),
          (COMPLETENESS,), (*CONTENT, METADATA, PRIVACY, EXPLAINABILITY),
          Needs(archive=True), (READABLE,)),
    _form("links-in-place-of-files", ("links in place of recordings", "以链接代替记录"),
          "Part 6 proposal, data completeness", (plain.LINKS,), (COMPLETENESS,),
          (*CONTENT, METADATA, PRIVACY, EXPLAINABILITY), Needs(), (READABLE,)),
    _form("wrong-length", ("files shorter or longer than stated", "文件长度与声明不符"),
          f"{HEADER5}; {KEMP}; {PS33}", (wfdb.LENGTH, edf.LENGTH, dicom.LENGTH),
          (COMPLETENESS, METADATA), CONTENT, Needs(formats=("wfdb", *EDF, "dicom")),
          (STRUCTURE, CONFORMITY)),
    _form("table-columns", ("tables: columns that contradict the clock", "表格时间列不规则"),
          "Part 6 proposal, data completeness", (plain.COLUMNS,), (COMPLETENESS,), CONTENT,
          Needs(formats=("table",), archive=True), (STRUCTURE,)),
    _form("nested-sequences", ("sequences that cannot be followed", "序列嵌套无法解析"),
          "DICOM PS3.5 section 7.5", (dicom.ATTRIBUTES,), (COMPLETENESS, METADATA), CONTENT,
          Needs(formats=("dicom",)), (STRUCTURE,)),
    _form("header-fields-missing", ("header fields missing", "文件头字段缺失"),
          f"{HEADER5}; {KEMP}; {PS33}",
          (wfdb.MISSING, edf.MISSING, dicom.MISSING, plain.MISSING),
          (METADATA, COMPLETENESS, FIDELITY), (BALANCE, UTILITY), Needs(),
          (REQUIRED, STRUCTURE)),
    _form("wfdb-record-line", ("WFDB: record line wrong", "WFDB 记录行有误"), HEADER5,
          (wfdb.RECORD,), (METADATA,), (*CONTENT, COMPLETENESS), Needs(formats=("wfdb",)),
          (CONFORMITY,)),
    _form("wfdb-signal-lines", ("WFDB: signal lines wrong", "WFDB 信号行有误"), HEADER5,
          (wfdb.SIGNALS,), (METADATA,), (*CONTENT, COMPLETENESS), Needs(formats=("wfdb",)),
          (CONFORMITY,)),
    _form("edf-fields", ("EDF: fields of the header wrong", "EDF 文件头字段有误"), KEMP,
          (edf.FIELDS,), (METADATA,), (*CONTENT, COMPLETENESS), Needs(formats=EDF), (CONFORMITY,)),
    _form("edf-signals", ("EDF: headers of signals wrong", "EDF 信号头有误"), KEMP_PLUS,
          (edf.SIGNALS,), (METADATA,), (*CONTENT, COMPLETENESS), Needs(formats=EDF),
          (CONFORMITY,)),
    _form("edf-annotations", ("EDF+: subfields and annotations wrong", "EDF+ 子字段与注释有误"),
          KEMP_PLUS, (edf.ANNOTATIONS,), (METADATA,), (*CONTENT, COMPLETENESS),
          Needs(formats=EDF, plus=True), (CONFORMITY,)),
    _form("dicom-values", ("DICOM: values that are not defined", "DICOM 取值不合规"), PS33,
          (dicom.FORM,), (METADATA,), (*CONTENT, COMPLETENESS, PRIVACY),
          Needs(formats=("dicom",)), (CONFORMITY,)),
    _form("dicom-limits", ("DICOM: limits of the class exceeded", "DICOM 超出类的限制"), PS33,
          (dicom.LIMITS,), (METADATA,), (*CONTENT, COMPLETENESS),
          Needs(formats=("dicom",), twelve=True), (CONFORMITY,)),
    Planted(
        Defect("unit-confused", ("mV and uV confused", "毫伏与微伏混淆"), (METADATA, FIDELITY),
               (0.02, 0.05, 0.1, 0.3, 1.0), 0.05, OF_RECORDINGS,
               ("signals.conformity.unit_implausible", CONFORMITY),
               f"Unit of measurement: {KEMP_PLUS}; {HEADER5}", (BALANCE, COMPLETENESS, UTILITY)),
        plans.some(waveforms.wrong_unit), Needs(kinds=("ecg", "eeg"), volts=True),
    ),
    Planted(
        Defect("labels-missing", ("classes missing in the label table", "标签表缺少类别"),
               (METADATA,), SHARES, 0.1, OF_RECORDINGS,
               ("signals.metadata.label_missing", REQUIRED), "ISO/IEC 5259-2:2024",
               (BALANCE, FIDELITY, UTILITY), needs=("classes",)),
        plans.with_class(""),
    ),
    Planted(
        Defect("classes-unknown", ("classes that are not declared", "未声明的类别"), (METADATA,),
               SHARES, 0.1, OF_RECORDINGS,
               ("signals.conformity.class_unknown", CONFORMITY), "ISO/IEC 5259-2:2024",
               (BALANCE, FIDELITY, UTILITY), needs=("classes",)),
        plans.with_class("misspelt"),
    ),
    Planted(
        Defect("not-declared", ("not declared synthetic", "未标明为合成数据"), (METADATA,),
               SHARES, 0.1, OF_RECORDINGS,
               ("signals.metadata.not_declared_synthetic", "signals.metadata.aigc_label",
                "signals.metadata.declared_synthetic_share"),
               "GB 45438-2025; DICOM PS3.3 C.12.1 (0008,001C)", (EXPLAINABILITY, PRIVACY)),
        plans.some(waveforms.undeclared),
    ),
    _form("identifiers-in-headers", ("identifiers in headers and comments", "文件头含标识符"),
          SAFE_HARBOR, (wfdb.IDENTIFYING, edf.IDENTIFYING, dicom.IDENTIFYING), (PRIVACY,),
          (METADATA,), Needs(formats=("wfdb", *EDF, "dicom")), (IDENTIFIERS,)),
    Planted(
        Defect("identifiers-in-paths", ("record numbers in file names", "文件路径含病历号"),
               (PRIVACY,), RARE, 0.05, OF_RECORDINGS,
               ("signals.identifier.file_name", IDENTIFIERS), SAFE_HARBOR),
        plans.some(waveforms.in_named_folder),
    ),
    Planted(
        Defect("not-traced", ("origin not told", "未说明来源"), (EXPLAINABILITY,), SHARES, 0.1,
               OF_RECORDINGS, ("signals.explainability.item_lineage_share",),
               "Part 6 proposal, explainability: key steps traceable"),
        plans.some(waveforms.untraced),
    ),
    Planted(
        Defect("lineage-table-wrong", ("lineage table wrong", "溯源表有误"), (EXPLAINABILITY,),
               SHARES, 0.3, OF_RECORDINGS,
               (*(f"signals.lineage.{rule}" for rule in (
                   "no_row", "no_item", "item_twice", "no_origin", "contradicts_item")),
                "signals.explainability.item_lineage_share"),
               "Part 6 proposal, explainability: key steps traceable"),
        plans.broken, lineage=True,
    ),
)  # fmt: skip
