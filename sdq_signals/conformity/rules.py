"""The rules of headers, with severity, sentences in both languages, and where each is written.

``conformity``: the format's own demands (errors) and recommendations (warnings). ``metadata``: what
an auditor needs, whether the format demands it or not. ``identifier``: what points to a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from sdq_core.finding import Finding
from sdq_core.identifiers import KIND_WORDS
from sdq_core.vocabulary import Severity
from sdq_signals.conformity.dicom_rules import DICOM
from sdq_signals.conformity.edf_rules import EDF
from sdq_signals.conformity.wfdb_rules import WFDB
from sdq_signals.formats.checks import places

__all__ = ["RULES", "identifier", "merged", "violation"]

ERROR, WARNING = Severity.ERROR, Severity.WARNING
_NUMBERED = re.compile(
    r"(?P<what>signal|channel|comment) (?P<number>\d+)(?:\.(?P<field>.+))?", re.ASCII
)
_SUFFICIENCY = "sdq sufficiency profile"
_SAFE_HARBOR = "45 CFR 164.514(b)(2)(i)"

# rule -> (severity, English, Chinese, source)
_SHARED: Final[dict[str, tuple[Severity, str, str, str]]] = {
    "metadata.sampling_rate_missing": (
        ERROR,
        "the sampling rate is missing or not positive; state it",
        "采样率缺失或不是正数, 请给出",
        _SUFFICIENCY,
    ),
    "metadata.sampling_rate_unusual": (
        WARNING,
        "the sampling rate is none that the data set declares; check that it is no mistaken label",
        "采样率不在数据集声明的取值之内, 请核对是否误标",
        _SUFFICIENCY,
    ),
    "metadata.sample_count_missing": (
        ERROR,
        "the number of samples is not stated; state it, so that a cut file can be told",
        "未说明采样点数, 请给出, 以便识别被截断的文件",
        _SUFFICIENCY,
    ),
    "metadata.gain_missing": (
        ERROR,
        "the scale from stored to physical values is missing or zero; state it",
        "由存储值换算为物理值的增益缺失或为零, 请给出",
        _SUFFICIENCY,
    ),
    "metadata.unit_missing": (
        ERROR,
        "the unit of the samples is missing; state it",
        "采样值的单位缺失, 请给出",
        _SUFFICIENCY,
    ),
    "metadata.unit_unknown": (
        ERROR,
        "the unit is unknown or none of this kind of signal; write a standard unit such as mV",
        "单位未知或与信号类型不符, 请使用 mV 等标准单位",
        _SUFFICIENCY,
    ),
    "metadata.channel_name_missing": (
        ERROR,
        "the channel has no name; give it one",
        "通道没有名称, 请给出",
        _SUFFICIENCY,
    ),
    "metadata.channel_name_repeated": (
        ERROR,
        "several channels have the same name, so none of them is known; give each its own",
        "多个通道同名, 无法区分, 请分别命名",
        _SUFFICIENCY,
    ),
    "conformity.unit_implausible": (
        ERROR,
        "the middle 99 % of the samples span what this kind of signal cannot in the declared unit; "
        "correct unit or gain",
        "按所声明的单位, 中间 99 % 采样值的幅度不可能属于该类信号, 请更正单位或增益",
        "IEC 60601-2-25:2011 (ECG); Niedermeyer, Electroencephalography, 6th ed., 2011 (EEG)",
    ),
    "identifier.date": (
        WARNING,
        "the exact date of the recording is kept; keep the year only, or shift all dates of a "
        "person alike",
        "保留了记录的确切日期, 请仅保留年份, 或对同一人的全部日期做相同平移",
        _SAFE_HARBOR + "(C)",
    ),
    "identifier.birth_date": (
        ERROR,
        "a full date of birth is kept; write X or keep the year only",
        "保留了完整的出生日期, 请写 X 或仅保留年份",
        _SAFE_HARBOR + "(C)",
    ),
    "identifier.name": (
        ERROR,
        "the field seems to hold a person's name; write X or a dummy",
        "该字段疑似含有人名, 请写 X 或虚拟值",
        _SAFE_HARBOR + "(A)",
    ),
    "identifier.staff_name": (
        ERROR,
        "the field seems to hold the name of a member of staff; write X or a dummy",
        "该字段疑似含有医务人员姓名, 请写 X 或虚拟值",
        _SAFE_HARBOR + "(A)",
    ),
    "identifier.record_number": (
        ERROR,
        "the field seems to hold a record number of the hospital; write X or a study code",
        "该字段疑似含有医院病历号, 请写 X 或研究编号",
        _SAFE_HARBOR + "(H)",
    ),
    "identifier.code": (
        WARNING,
        "the field holds a code of a person or an investigation; make sure that no one can trace "
        "it, or write X",
        "该字段含有个人或检查的编号, 请确认其不可追溯, 或写 X",
        _SAFE_HARBOR + "(R)",
    ),
    "identifier.free_text": (
        WARNING,
        "the field holds free text, which no machine can vouch for; write X or inspect it",
        "该字段含有自由文本, 机器无法保证其不含个人信息, 请写 X 或人工检查",
        _SAFE_HARBOR + "(R)",
    ),
    "identifier.age_over_89": (
        WARNING,
        "an age over 89 is told; write 90",
        "给出了 89 岁以上的确切年龄, 请写 90",
        _SAFE_HARBOR + "(C)",
    ),
    "identifier.trailing_bytes": (
        WARNING,
        "text stands behind the last sample, where no reader shows it; inspect and cut it",
        "最后一个采样点之后还有文字, 一般软件不会显示, 请检查并截去",
        "Kemp et al. 1992: nothing follows the last data record",
    ),
}

RULES: Final = {**_SHARED, **EDF, **WFDB, **DICOM}
"""``area.rule`` -> severity, English and Chinese sentence, source."""


def violation(rule: str, where: str = "", severity: Severity | None = None) -> Finding:
    """Return the finding of a rule.

    Parameters
    ----------
    rule : str
        Key of `RULES`.
    where : str
        Field of the header, channel.
    severity : Severity, optional
        Other than the table's.

    Examples
    --------
    >>> found = violation("metadata.unit_missing", "signal 1")
    >>> found.rule, found.severity.value
    ('signals.metadata.unit_missing', 'error')
    """
    usual, english, chinese, _ = RULES[rule]
    return Finding(f"signals.{rule}", severity or usual, english, chinese, where)


def identifier(kind: str, where: str) -> Finding:
    """Return the finding of an identifier that a pattern recognised in a text.

    Parameters
    ----------
    kind : str
        One of `sdq_core.identifiers.IDENTIFIER_KINDS`. Telephone numbers get a warning: any row of
        digits may look like one.
    where : str

    Examples
    --------
    >>> identifier("email", "comment 2").message
    'the text seems to hold an e-mail address; remove it'
    """
    english, chinese = KIND_WORDS[kind]
    return Finding(
        f"signals.identifier.{kind}",
        WARNING if kind == "telephone" else ERROR,
        f"the text seems to hold {english}; remove it",
        f"文本疑似含有{chinese}, 请删除",
        where,
    )


def merged(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Join findings that differ in nothing but the number of the signal or channel.

    Parameters
    ----------
    found : iterable of Finding

    Returns
    -------
    tuple of Finding
        In the order of their first; none twice.

    Examples
    --------
    >>> same = [violation("metadata.unit_missing", f"signal {k}.unit") for k in (1, 2, 3, 7)]
    >>> [f.where for f in merged(same)]
    ['signals 1-3, 7: unit']
    """
    groups: dict[tuple[object, ...], list[tuple[int, Finding]]] = {}
    for one in dict.fromkeys(found):
        match = _NUMBERED.fullmatch(one.where)
        key: tuple[object, ...] = (one.rule, one.severity, one.where)
        if match is not None:
            key = (one.rule, one.severity, match["what"], match["field"])
        groups.setdefault(key, []).append((int(match["number"]) if match else 0, one))
    result = []
    for key, members in groups.items():
        first = members[0][1]
        if len(members) > 1 and len(key) == 4:
            numbers = places(number - 1 for number, _ in members).split(" ", 1)[1]
            field = f": {key[3]}" if key[3] else ""
            first = replace(first, where=f"{key[2]}s {numbers}{field}")
        result.append(first)
    return tuple(result)
