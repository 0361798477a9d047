"""The rules of WFDB headers: header(5), signal(5) and annot(5) of the WFDB Applications Guide."""

from __future__ import annotations

from typing import Final

from sdq_core.vocabulary import Severity

__all__ = ["WFDB"]

ERROR, WARNING = Severity.ERROR, Severity.WARNING
_RECORD, _SIGNAL = "header(5), record line", "header(5), signal specification lines"

WFDB: Final[dict[str, tuple[Severity, str, str, str]]] = {
    "conformity.wfdb_header": (
        ERROR,
        "the header has no record line with a name and the number of signals",
        "文件头没有包含记录名与信号数的记录行",
        _RECORD,
    ),
    "conformity.wfdb_line_length": (
        ERROR,
        "the line is longer than 255 characters",
        "该行超过 255 个字符",
        "header(5)",
    ),
    "conformity.wfdb_characters": (
        WARNING,
        "the header holds characters outside ASCII or control characters; write plain letters",
        "文件头含有 ASCII 之外的字符或控制字符, 请使用普通字符",
        "header(5)",
    ),
    "conformity.wfdb_record_name": (
        ERROR,
        "the record name must be letters, digits and underscores only",
        "记录名只能由字母、数字和下划线组成",
        _RECORD,
    ),
    "conformity.wfdb_record_name_differs": (
        ERROR,
        "the record name is not the name of the header file",
        "记录名与文件头的文件名不一致",
        _RECORD,
    ),
    "conformity.wfdb_signal_count": (
        ERROR,
        "the number of signals is no whole number, or not the number of signal lines",
        "信号数不是整数, 或与信号行数不符",
        _RECORD,
    ),
    "conformity.wfdb_sampling_frequency": (
        ERROR,
        "the sampling frequency must be a positive number",
        "采样频率必须为正数",
        _RECORD,
    ),
    "conformity.wfdb_sample_count": (
        ERROR,
        "the number of samples is no whole number, or not what the data file holds",
        "采样点数不是整数, 或与数据文件不符",
        _RECORD,
    ),
    "conformity.wfdb_base_time": (
        ERROR,
        "the base time must be a time of day such as hh:mm:ss",
        "起始时刻必须是 hh:mm:ss 形式的有效时间",
        _RECORD,
    ),
    "conformity.wfdb_base_date": (
        ERROR,
        "the base date must be a calendar date dd/mm/yyyy",
        "起始日期必须是 dd/mm/yyyy 形式的有效日期",
        _RECORD,
    ),
    "conformity.wfdb_record_line": (
        ERROR,
        "the record line has more fields than the format knows",
        "记录行的字段多于格式规定",
        _RECORD,
    ),
    "conformity.wfdb_segments": (
        ERROR,
        "the segments are not as many or as long as the record line says, or a segment is missing",
        "分段数量或长度与记录行不符, 或缺少分段",
        "header(5), segment specification lines",
    ),
    "conformity.wfdb_file_name": (
        ERROR,
        "a signal file lies outside the header's folder",
        "信号文件位于文件头所在文件夹之外",
        _SIGNAL,
    ),
    "conformity.wfdb_file_missing": (
        ERROR,
        "a signal file that the header names is not there",
        "文件头所引用的信号文件不存在",
        _SIGNAL,
    ),
    "conformity.wfdb_format": (
        ERROR,
        "the storage format is none of signal(5), or its samples per frame, skew or offset is no "
        "number",
        "存储格式不属于 signal(5), 或其每帧采样数、偏移不是数字",
        _SIGNAL,
    ),
    "conformity.wfdb_format_differs": (
        ERROR,
        "the signals of one file must share one storage format and lie next to each other",
        "同一文件中的信号必须使用同一存储格式且相邻排列",
        _SIGNAL,
    ),
    "conformity.wfdb_gain": (
        ERROR,
        "the gain field must be gain(baseline)/unit with plain numbers",
        "增益字段必须为 gain(baseline)/unit 形式",
        _SIGNAL,
    ),
    "conformity.wfdb_number": (
        ERROR,
        "the field must be a whole number",
        "该字段必须为整数",
        _SIGNAL,
    ),
    "conformity.wfdb_resolution": (
        ERROR,
        "the resolution does not fit the storage format, or a sample exceeds it",
        "分辨率与存储格式不符, 或采样值超出分辨率",
        _SIGNAL,
    ),
    "conformity.wfdb_initial_value": (
        ERROR,
        "the initial value is not the first sample",
        "初始值与首个采样值不符",
        _SIGNAL,
    ),
    "conformity.wfdb_checksum": (
        ERROR,
        "the checksum is not that of the samples",
        "校验和与采样值不符",
        _SIGNAL,
    ),
    "conformity.wfdb_checksum_range": (
        WARNING,
        "the checksum is no number of 16 bits",
        "校验和不是 16 位数",
        _SIGNAL,
    ),
}  # fmt: skip
"""``area.rule`` -> severity, English and Chinese sentence, source."""
