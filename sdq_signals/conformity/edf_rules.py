"""The rules of EDF, EDF+ and BDF headers.

Sources: "EDF" is Kemp et al., Electroencephalogr Clin Neurophysiol 82 (1992) 391-393; "EDF+" is
Kemp and Olivan, Clin Neurophysiol 114 (2003) 1755-1761, doi:10.1016/S1388-2457(03)00123-8, by its
section numbers, with the standard texts of the EDF+ specification; "BDF" is BioSemi's description.
"""

from __future__ import annotations

from typing import Final

from sdq_core.vocabulary import Severity

__all__ = ["EDF"]

ERROR, WARNING = Severity.ERROR, Severity.WARNING

EDF: Final[dict[str, tuple[Severity, str, str, str]]] = {
    "conformity.edf_header": (
        ERROR,
        "the header cannot be taken apart: its number of signals or its length is wrong",
        "文件头无法解析: 信号数或长度有误",
        "EDF, header record",
    ),
    "conformity.edf_version": (
        ERROR,
        "the version must be 0 (in BDF: byte 255 and BIOSEMI)",
        "版本字段必须为 0 (BDF 为字节 255 与 BIOSEMI)",
        "EDF, header record; BDF",
    ),
    "conformity.edf_ascii": (
        ERROR,
        "the field holds bytes outside printable US-ASCII (32 to 126); write plain letters",
        "字段含有可打印 US-ASCII (32-126) 之外的字节, 请使用普通字符",
        "EDF+ 2.1.3, item 1",
    ),
    "conformity.edf_left_justified": (
        ERROR,
        "the field does not begin at its first byte; write it without blanks in front",
        "字段未从首字节开始, 请去掉前导空格",
        "EDF, header record",
    ),
    "conformity.edf_number": (
        ERROR,
        "the field is no number in the form that EDF allows (digits, sign, a point)",
        "字段不是 EDF 允许的数字形式 (数字、正负号、小数点)",
        "EDF, header record; EDF+ 2.1.3, item 6",
    ),
    "conformity.edf_patient_subfields": (
        ERROR,
        "the patient field must hold code, sex, birthdate and name, each one word or X",
        "患者字段须依次含编号、性别、出生日期、姓名, 各为一个词或 X",
        "EDF+ 2.1.3, item 3",
    ),
    "conformity.edf_patient_sex": (
        ERROR,
        "the sex in the patient field must be F, M or X",
        "患者字段中的性别必须为 F、M 或 X",
        "EDF+ 2.1.3, item 3",
    ),
    "conformity.edf_birthdate": (
        ERROR,
        "the birthdate must be dd-MMM-yyyy with an English month in capitals, or X, and not after "
        "the recording",
        "出生日期须为 dd-MMM-yyyy (大写英文月份) 或 X, 且不晚于记录日期",
        "EDF+ 2.1.3, item 3",
    ),
    "conformity.edf_recording_subfields": (
        ERROR,
        "the recording field must hold Startdate, date, code, technician and equipment, each one "
        "word or X",
        "记录字段须依次含 Startdate、日期、编号、技术员、设备, 各为一个词或 X",
        "EDF+ 2.1.3, item 4",
    ),
    "conformity.edf_recording_startdate": (
        ERROR,
        "the date in the recording field must be dd-MMM-yyyy with an English month in capitals, "
        "or X",
        "记录字段中的日期须为 dd-MMM-yyyy (大写英文月份) 或 X",
        "EDF+ 2.1.3, item 4",
    ),
    "conformity.edf_startdate_differs": (
        ERROR,
        "the dates of the recording field and of the start field differ",
        "记录字段与起始日期字段的日期不一致",
        "EDF+ 2.1.3, item 4",
    ),
    "conformity.edf_startdate": (
        ERROR,
        "the start date must be a calendar date dd.mm.yy",
        "起始日期必须是 dd.mm.yy 形式的有效日期",
        "EDF, header record; EDF+ 2.1.3, item 2",
    ),
    "conformity.edf_starttime": (
        ERROR,
        "the start time must be a time of day hh.mm.ss",
        "起始时间必须是 hh.mm.ss 形式的有效时间",
        "EDF, header record; EDF+ 2.1.3, item 2",
    ),
    "conformity.edf_header_bytes": (
        ERROR,
        "the stated size of the header is not 256 bytes for the file and 256 for each signal",
        "声明的文件头字节数不等于 256 加每个信号 256",
        "EDF, header record",
    ),
    "conformity.edf_reserved": (
        ERROR,
        "the reserved field must be empty or begin with EDF+C or EDF+D (BDF: 24BIT, BDF+C, BDF+D)",
        "保留字段须为空或以 EDF+C、EDF+D 开头 (BDF 为 24BIT、BDF+C、BDF+D)",
        "EDF+ 2.1.1; BDF",
    ),
    "conformity.edf_not_discontinuous": (
        WARNING,
        "the file is declared discontinuous, but its records follow each other without a gap; "
        "write EDF+C",
        "文件声明为不连续, 但各数据记录之间并无间断, 请改为 EDF+C",
        "EDF+ 2.1.1",
    ),
    "conformity.edf_records": (
        ERROR,
        "the number of data records must be a positive whole number; -1 is for a file that is "
        "being written",
        "数据记录数必须为正整数; -1 仅用于正在写入的文件",
        "EDF, header record; EDF+ 2.1.3, item 10",
    ),
    "conformity.edf_file_size": (
        ERROR,
        "the size of the file is not what the header implies",
        "文件大小与文件头所述不符",
        "EDF, header record",
    ),
    "conformity.edf_record_duration": (
        ERROR,
        "the duration of a data record must be positive where a signal has more than "
        "one sample in it",
        "当信号在数据记录中有多个采样点时, 数据记录的时长必须为正",
        "EDF+ 2.1.2",
    ),
    "conformity.edf_record_size": (
        WARNING,
        "a data record is larger than the recommended 61440 bytes",
        "单个数据记录超过建议的 61440 字节",
        "EDF, data record",
    ),
    "conformity.edf_samples": (
        ERROR,
        "the number of samples in a data record must be a positive whole number",
        "每个数据记录的采样点数必须为正整数",
        "EDF, header record",
    ),
    "conformity.edf_physical_range": (
        ERROR,
        "physical minimum and maximum must differ",
        "物理最小值与最大值必须不同",
        "EDF+ 2.1.3, item 5",
    ),
    "conformity.edf_digital_range": (
        ERROR,
        "the digital minimum must be below the maximum, and both within 16 bits (BDF: 24)",
        "数字最小值必须小于最大值, 且均在 16 位 (BDF 为 24 位) 范围内",
        "EDF+ 2.1.3, item 5; BDF",
    ),
    "conformity.edf_sample_range": (
        ERROR,
        "samples lie outside the declared digital minimum and maximum",
        "有采样值超出所声明的数字最小值与最大值",
        "EDF, header record",
    ),
    "conformity.edf_label": (
        WARNING,
        "the label is no standard text such as 'ECG II' or 'EEG Fpz-Cz'",
        "信号标签不是 'ECG II'、'EEG Fpz-Cz' 等标准文本",
        "EDF+ 2.1.3, item 9: standard texts",
    ),
    "conformity.edf_dimension": (
        WARNING,
        "the physical dimension is no standard text such as uV or mV",
        "物理量纲不是 uV、mV 等标准文本",
        "EDF+ 2.1.3, item 9: standard texts",
    ),
    "conformity.edf_no_annotations": (
        ERROR,
        "an EDF+ file must have a signal 'EDF Annotations', which keeps the time of each record",
        "EDF+ 文件必须含有 'EDF Annotations' 信号以记录各数据记录的时间",
        "EDF+ 2.2.1",
    ),
    "conformity.edf_annotations_in_plain": (
        WARNING,
        "a plain EDF file holds an annotation signal, which its readers take for samples; declare "
        "EDF+C",
        "普通 EDF 文件含有注释信号, 会被误读为采样值, 请声明为 EDF+C",
        "EDF+ 2.1.1",
    ),
    "conformity.edf_annotation_fields": (
        ERROR,
        "an annotation signal must have the digital range of its 16 bits (BDF: 24) and no "
        "transducer, dimension or prefilter",
        "注释信号的数字范围须为 16 位 (BDF 为 24 位) 全范围, 且不得有传感器、量纲或滤波字段",
        "EDF+ 2.2.1",
    ),
    "conformity.edf_timekeeping": (
        ERROR,
        "the first annotation list of a data record must keep the record's time",
        "数据记录的首个注释列表必须记录该数据记录的时间",
        "EDF+ 2.2.4",
    ),
    "conformity.edf_record_times": (
        ERROR,
        "the times of the data records contradict the header: they must start within the first "
        "second, rise, and follow without a gap in EDF+C",
        "数据记录的时间与文件头矛盾: 须始于首秒之内、递增, 且 EDF+C 中不得有间断",
        "EDF+ 2.1.1 and 2.2.4",
    ),
    "conformity.edf_annotation_list": (
        ERROR,
        "an annotation list is damaged: it must be onset, duration and texts between the "
        "separators 20, 21 and 0",
        "注释列表损坏: 须由以 20、21、0 分隔的起始时间、时长与文本组成",
        "EDF+ 2.2.2",
    ),
    "conformity.edf_annotation_utf8": (
        ERROR,
        "annotation texts must be UTF-8",
        "注释文本必须为 UTF-8 编码",
        "EDF+ 2.2.2",
    ),
}  # fmt: skip
"""``area.rule`` -> severity, English and Chinese sentence, source."""
