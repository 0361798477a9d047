"""The rules of reading recordings, with their severity and their sentences in both languages."""

from __future__ import annotations

from typing import Final

from sdq_core.rule_book import RuleBook
from sdq_core.vocabulary import Severity

__all__ = ["RULES", "finding", "finding_for", "unreadable"]

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

# rule -> (severity, English, Chinese). A name without a dot belongs to the area "structure".
RULES: Final[dict[str, tuple[Severity, str, str]]] = {
    "empty_file": (
        ERROR,
        "the file has no bytes; write it again",
        "文件为空, 请重新生成",
    ),
    "truncated": (
        ERROR,
        "the header promises more samples than the data file holds; write the recording again",
        "文件头声明的采样点多于数据文件的实际内容, 请重新生成该记录",
    ),
    "longer_than_declared": (
        WARNING,
        "the data file goes on behind the declared samples; correct the header or cut the file",
        "数据文件在声明的采样点之后仍有内容, 请更正文件头或截去多余部分",
    ),
    "checksum": (
        ERROR,
        "the stored checksum does not match the samples; write the recording again",
        "存储的校验和与采样值不符, 请重新生成该记录",
    ),
    "encrypted": (
        ERROR,
        "the file is encrypted; give it decrypted",
        "文件已加密, 请提供解密后的文件",
    ),
    "header_invalid": (
        ERROR,
        "the header cannot be understood; correct it after the format's specification",
        "文件头无法解析, 请按格式规范更正",
    ),
    "path_outside": (
        ERROR,
        "the header names a data file outside its own folder, which is never opened; put the file "
        "beside the header",
        "文件头引用了所在文件夹之外的数据文件, 系统不会打开; 请将数据文件放在文件头旁",
    ),
    "data_file_missing": (
        ERROR,
        "a data file that the header names is not there; put it beside the header",
        "文件头所引用的数据文件不存在, 请将其放在文件头旁",
    ),
    "annotation_missing": (
        WARNING,
        "the annotation file is not there or cannot be read; give it or do not ask for it",
        "注释文件不存在或无法读取, 请提供该文件或取消引用",
    ),
    "not_a_recording": (
        ERROR,
        "the file is no recording that can be read; remove or replace it",
        "文件不是可读取的信号记录, 请删除或替换",
    ),
    "unsupported": (
        ERROR,
        "the storage format needs an optional library; pip install 'sdq[wfdb]' or convert the file",
        "该存储格式需要可选的软件库, 请执行 pip install 'sdq[wfdb]' 或转换文件",
    ),
    "no_samples": (
        ERROR,
        "the recording has no samples; remove it or give them",
        "记录没有采样点, 请删除或补充",
    ),
    "too_many_samples": (
        ERROR,
        "the recording declares more samples or channels than can be handled; split it",
        "记录声明的采样点或通道数超出可处理范围, 请拆分",
    ),
    "sampling_rate_missing": (
        ERROR,
        "the sampling rate is stated nowhere; give it in a side-car file or in "
        "settings.sampling_rate",
        "未说明采样率, 请在附属说明文件或 settings.sampling_rate 中给出",
    ),
    "sampling_rate_default": (
        WARNING,
        "the header states no sampling rate; 250 Hz was taken, as the format prescribes; state it",
        "文件头未说明采样率, 已按格式规定取 250 Hz, 请补充",
    ),
    "sampling_rate_invalid": (
        ERROR,
        "the sampling rate is not a positive number, or the time column contradicts it; correct it",
        "采样率不是正数, 或与时间列不符, 请更正",
    ),
    "mixed_rates_in_recording": (
        INFO,
        "the channels have different sampling rates and were brought to the highest",
        "各通道采样率不同, 已统一到最高采样率",
    ),
    "time_irregular": (
        ERROR,
        "the time column does not rise in even steps; resample the recording or mark its gaps",
        "时间列不是等间隔递增, 请重采样或标明间断",
    ),
    "gain_zero": (
        WARNING,
        "the gain of the channel is zero or missing, so it is not calibrated; state the gain",
        "通道增益为零或缺失, 因此未定标, 请给出增益",
    ),
    "unit_missing": (
        WARNING,
        "the unit of the channel is missing; state it",
        "通道的单位缺失, 请补充",
    ),
    "unit_unknown": (
        WARNING,
        "the unit of the channel is unknown or none of its kind of signal, so it is not "
        "calibrated; write a standard unit such as mV or uV",
        "通道的单位未知或与信号类型不符, 因此未定标; 请使用 mV、uV 等标准单位",
    ),
    "duplicate_channels": (
        ERROR,
        "two channels have the same name; give each its own",
        "两个通道同名, 请分别命名",
    ),
    "channel_names": (
        ERROR,
        "the given names, units or scales do not fit the number of channels; give one for each",
        "给出的通道名称、单位或比例与通道数不符, 请逐一给出",
    ),
    "names_missing": (
        WARNING,
        "the channels have no names; give them in a side-car file or in settings.channels",
        "通道没有名称, 请在附属说明文件或 settings.channels 中给出",
    ),
    "column_ignored": (
        INFO,
        "the column holds no numbers and was left out",
        "该列不是数值, 已忽略",
    ),
    "table_passed_over": (
        INFO,
        "the table was not taken for a recording: it has no side-car file and the settings give "
        "no sampling rate",
        "该表格没有附属说明文件, 设置中也没有采样率, 因此未作为记录处理",
    ),
    "side_car_invalid": (
        ERROR,
        "the side-car file cannot be read; write it as YAML or JSON with the documented keys",
        "附属说明文件无法读取, 请按文档所列键以 YAML 或 JSON 格式书写",
    ),
    "gap": (
        WARNING,
        "samples are missing inside the recording; mark or fill the gap",
        "记录中有缺失的采样点, 请标明或补全",
    ),
    "samples_missing": (
        ERROR,
        "half a second or 1 % of the samples of the channel are missing; fill them or leave the "
        "recording out",
        "通道缺失半秒以上或 1% 以上的采样点, 请补全或剔除该记录",
    ),
    "missing_channel": (
        ERROR,
        "the channel has no sample; give it or leave the channel out",
        "通道没有任何采样值, 请提供或去除该通道",
    ),
    "zero_channel": (
        ERROR,
        "all samples of the channel are zero; replace or leave out the channel",
        "通道的全部采样值为零, 请替换或去除该通道",
    ),
    "constant_channel": (
        ERROR,
        "all samples of the channel are equal; replace or leave out the channel",
        "通道的全部采样值相同, 请替换或去除该通道",
    ),
    "flat": (
        ERROR,
        "the channel stands still for half a second or more; check the electrode or the generator",
        "通道出现半秒以上的平线, 请检查电极或生成器",
    ),
    "saturated": (
        ERROR,
        "the channel is cut off at the limit of the file's integers; write it with a lower gain",
        "通道在整数量程的极限处被截断, 请降低增益重新写入",
    ),
    "clipped": (
        ERROR,
        "the channel is cut off at its extremes; undo the limit that clips it",
        "通道的峰值被削平, 请去除造成削顶的限幅",
    ),
    "offset": (
        WARNING,
        "the channel lies far from zero; take the offset out",
        "通道存在很大的直流偏置, 请去除偏置",
    ),
    "link_outside": (
        WARNING,
        "the link leads out of the cohort's folder and was not followed",
        "链接指向数据集文件夹之外, 未跟随",
    ),
    "link_loop": (
        WARNING,
        "the link leads back to a folder that holds it, or to nothing, and was not followed",
        "链接指回其所在的上级文件夹或不存在的目标, 未跟随",
    ),
    "unreadable_folder": (
        WARNING,
        "the folder or file cannot be opened; check its permissions",
        "无法打开文件夹或文件, 请检查权限",
    ),
    "unreadable_file": (
        ERROR,
        "the file cannot be opened; check that it is there and that you may read it",
        "无法打开文件, 请检查文件是否存在及读取权限",
    ),
}


_BOOK = RuleBook("signals", RULES)
finding, finding_for, unreadable = _BOOK.finding, _BOOK.finding_for, _BOOK.unreadable
