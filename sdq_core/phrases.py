"""Fixed English phrases of measurements, and their Chinese.

What a measurement says of itself (how an interval was got, what a sentence counts, the labels of
its drawings) is kept in English in the result. These are the words for the Chinese documents.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["PHRASES", "in_chinese"]

# English -> Chinese; {} stands for any text, which is kept as it is.
PHRASES: Final[dict[str, str]] = {
    # --- how intervals and noise floors were got --------------------------------------------------
    "half-sampling of subjects": "按受试者半抽样",
    "bootstrap of subjects": "按受试者自助法",
    "bootstrap of items": "按样本自助法",
    "bootstrap of test subjects": "按测试受试者自助法",
    "bootstrap of synthetic subjects": "按合成受试者自助法",
    "{} real items after training on {} others, 1.96 standard deviations, at the spread of "
    "fresh samples": ("{} 个真实样本，以另外 {} 个真实样本训练，1.96 倍标准差，按新样本的离散程度"),
    "percentile bootstrap of {}": "按{}百分位自助法",
    "groups": "组",
    "items": "样本",
    "repeated learning curves": "重复拟合学习曲线",
    "Clopper-Pearson": "Clopper-Pearson 精确法",
    "Clopper-Pearson for subjects (Korn-Graubard, worth {} items)": (
        "按受试者的 Clopper-Pearson 法（Korn-Graubard，相当于 {} 个样本）"
    ),
    "Clopper-Pearson of the smaller side": "较小一侧的 Clopper-Pearson 精确法",
    "Clopper-Pearson; null bootstrapped (MOVER), planted copies overlooked": (
        "Clopper-Pearson；零分布自助法（MOVER），计入植入拷贝的漏检"
    ),
    "Clopper-Pearson of the real cohorts' own rate": "真实数据自身比率的 Clopper-Pearson 精确法",
    "normal, items and subjects": "正态近似，兼顾样本与受试者",
    "DeLong": "DeLong 法",
    "train and holdout pooled, re-split by subject": "训练集与留出集合并后按受试者重新划分",
    "real parts of each subgroup, re-split by subject": "各子群的真实数据按受试者重新划分",
    "a class or subgroup of {} items on each side": "两侧均不少于 {} 个样本的类别或子群",
    "disjoint parts of train by subject (no holdout)": "训练集按受试者的不相交部分（无留出集）",
    "{}; items taken as independent (no subject ids)": "{}；样本按独立处理（无受试者编号）",
    "{}; slices of a volume counted as dependent": "{}；同一体数据的切片按相关处理",
    "label permutations of whole subjects": "按整个受试者置换标签",
    "permutation of subjects": "按受试者置换",
    "permutation of whole subjects": "按整个受试者置换",
    "learning curves of up to {} real items": "至多 {} 个真实样本的学习曲线",
    "{} real items added to half of the real training items": (
        "在一半真实训练样本中加入 {} 个真实样本"
    ),
    "exact for these patients; planted copies overlooked": "对这些患者精确；计入植入拷贝的漏检",
    "Clopper-Pearson of attack and control (MOVER)": (
        "攻击与对照各自的 Clopper-Pearson 精确法（MOVER 合并）"
    ),
    "largest of several attacks (Bonferroni)": "多种攻击中的最大者（Bonferroni 校正）",
    "every column": "每一列",
    "readable item": "可读取的样本",
    "a number {} in the patients' rows": "患者行中的数值 {}",
    "exact binomial of discordant rows": "不一致行的精确二项法",
    "random parts of the real pool": "真实数据的随机部分",
    "bootstrap of real subjects at the synthetic cohort's size": (
        "按合成数据规模对真实受试者自助抽样"
    ),
    "multinomial draws of the intended distribution": "按预期分布多项抽样",
    "{}, stretched to the spread of fresh samples": "{}，按新样本的离散程度放宽",
    "trained on {} real items, spread of half samples of subjects": (
        "以 {} 个真实样本训练，离散程度取自受试者半抽样"
    ),
    "U-statistic over readers and cases": "U 统计量法，阅片者与样本均为随机",
    "U-statistic over cases, one reader": "U 统计量法，仅一名阅片者，样本为随机",
    "jackknife over cases": "按样本刀切法",
    # --- what is missing --------------------------------------------------------------------------
    "no P": "无 P 波",
    "train": "训练集",
    "holdout": "留出集",
    "synthetic": "合成数据集",
    "one of the cohorts": "其中一个数据集",
    "every cohort": "每个数据集",
    "holdout items": "留出样本",
    "synthetic item": "合成样本",
    "items in each cohort": "样本（每个数据集）",
    "items with a signature a side": "带特征签名的样本（每侧）",
    "2-D images on each side": "二维图像（每侧）",
    "subjects a side": "受试者（每侧）",
    "subjects with a signature in each real cohort": "带特征签名的受试者（每个真实数据集）",
    "pairs that can be read": "可读取的配对",
    "the class list": "类别列表",
    "the power spectrum of one of the cohorts": "其中一个数据集的功率谱",
    "items with the region in each cohort": "每个数据集中含该区域的样本",
    "the region": "该区域",
    "the radial power spectrum of one of the cohorts": "其中一个数据集的径向功率谱",
    "an attribute with 2 to 50 values in every cohort": "各数据集中均有 2 至 50 个取值的属性",
    "the subgroup attribute {} in every cohort": "各数据集中的亚组属性 {}",
    "an attribute of every cohort with two subgroups of 20 items": (
        "各数据集均有、且至少有两个亚组不少于 20 个样本的属性"
    ),
    "subgroups with {} items on both sides": "亚组（两侧各不少于 {} 个样本）",
    # --- labels of drawings and tables ------------------------------------------------------------
    "radial frequency (1 = Nyquist)": "径向频率（1 = 奈奎斯特频率）",
    "mean log power [dB]": "平均对数功率 [dB]",
    "synthetic training items": "合成训练样本数",
    "AUC on real items": "真实样本上的 AUC",
    "frequency [Hz]": "频率 [Hz]",
    "channels": "通道",
    "real": "真实",
    "difference": "差值",
    "PC 1": "主成分 1",
    "PC 2": "主成分 2",
    "real IQR": "倍真实数据四分位距",
    "Grey: the middle 90 % of real items.": "灰色：中间 90% 的真实样本。",
    "Blue: from the lowest to the highest of repeated draws.": "蓝色：重复抽取的最低值至最高值。",
    "Grey: the middle 90 % of real items; thin lines: of synthetic items.": (
        "灰色：中间 90% 的真实样本；细线：中间 90% 的合成样本。"
    ),
    "time from the systolic peak [ms]": "距收缩峰的时间 [ms]",
    "mean pulse [height]": "平均脉搏波 [高度]",
    "time from the R peak [ms]": "相对 R 峰的时间 [ms]",
    "time from the pulse foot [ms]": "相对脉搏波起点的时间 [ms]",
    "mean beat [mV]": "平均心搏 [mV]",
    "mean pulse": "平均脉搏波",
    "channel {}": "通道 {}",
    "class": "类别",
    "95 % low": "95% 下限",
    "95 % high": "95% 上限",
    "distance over margin (1 = as far as real from real)": "距离与界限之比（1 = 真实数据自身差异）",
    # --- how a copy was disguised -----------------------------------------------------------------
    "none": "无",
    "rotate {} deg": "旋转 {}°",
    "scale {}": "缩放 {}",
    "transpose": "转置",
    "flip {}": "翻转 {}",
    "shift ({})": "平移（{}）",
}

_TEMPLATES: Final = tuple(
    (re.compile(re.escape(english).replace(r"\{\}", "(.+)"), re.DOTALL), chinese)
    for english, chinese in PHRASES.items()
    if "{}" in english
)
_LIST: Final = re.compile(r", (?![^(]*\))")


def in_chinese(words: str) -> str:
    """Return the Chinese of a fixed phrase, or of a list of such; anything else as it is.

    Parameters
    ----------
    words : str
        English.

    Examples
    --------
    >>> in_chinese("half-sampling of subjects"), in_chinese("flip x, shift (0.5, 1.0)")
    ('按受试者半抽样', '翻转 x、平移（0.5, 1.0）')
    >>> in_chinese("a name, another")
    'a name, another'
    """
    if words in PHRASES and "{}" not in words:
        return PHRASES[words]
    parts = _LIST.split(words)
    if len(parts) > 1:
        known = [in_chinese(part) for part in parts]
        if all(a != b for a, b in zip(parts, known, strict=True)):
            return "、".join(known)
    for pattern, chinese in _TEMPLATES:
        found = pattern.fullmatch(words)
        if found is not None:
            return chinese.replace("{}", in_chinese(found[1]))
    return words
