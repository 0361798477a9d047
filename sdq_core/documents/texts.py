"""The sentences of the documents, in both languages. Terms come from `sdq_core.vocabulary`."""

from __future__ import annotations

from typing import Final

from sdq_core.documents.labels import CODES
from sdq_core.vocabulary import Language

__all__ = ["TEXTS", "text"]

# key -> (English, Chinese)
TEXTS: Final[dict[str, tuple[str, str]]] = {
    # --- head -------------------------------------------------------------------------------------
    "title": ("Quality assessment of synthetic data", "合成数据质量评价报告"),
    "made": ("Made", "生成时间"),
    "version": ("sdq", "sdq 版本"),
    "modality": ("Modality", "模态"),
    "seed": ("Seed", "随机种子"),
    "versioned": ("{name}, version {version}", "{name}，版本 {version}"),
    "contents": ("Contents", "目录"),
    # --- verdicts ---------------------------------------------------------------------------------
    "verdicts": ("Verdicts", "判定"),
    "verdicts_lead": (
        "Each characteristic is as good as the worst of its mandatory measures. There is no "
        "overall score: an average would hide a failure.",
        "每项特性的判定取其必评测量中最差者。不给出总分：平均值会掩盖不通过项。",
    ),
    "exit_0": (
        "Every mandatory measure passes and no criterion is broken.",
        "全部必评测量通过，无任何准则未满足。",
    ),
    "exit_1": ("At least one criterion is not met.", "至少有一项准则未满足。"),
    "exit_3": (
        "No criterion is broken, but mandatory measures are inconclusive or not assessed.",
        "无准则未满足，但有必评测量不能判定或未评价。",
    ),
    "characteristic": ("Characteristic", "质量特性"),
    "decided_by": ("Decided by", "决定因素"),
    "counts": ("Measures", "测量项数"),
    "all_pass": ("all {count} mandatory measures pass", "全部 {count} 项必评测量通过"),
    "one_passes": ("the one mandatory measure passes", "唯一的必评测量通过"),
    "nothing_mandatory": (
        "the profile makes no measure mandatory here",
        "评价方案未在此设必评测量",
    ),
    "optional": ("not mandatory", "非必评"),
    "against": ("{estimate}; acceptable: {acceptable}", "{estimate}；可接受范围：{acceptable}"),
    "how_to_read": ("How to read this report", "如何阅读本报告"),
    "how_1": (
        "A verdict comes from the interval (bar), not from the value (dot): an interval inside the "
        "acceptable range passes, one outside fails, one across a limit is inconclusive.",
        "判定依据区间（横条），而非单个数值（圆点）：区间在可接受范围内为通过，"
        "在范围外为不通过，跨越界限为不能判定。",
    ),
    "how_2": (
        "The noise floor (grey band) is the same measure between parts of the real data at the "
        "same sample size: what one more real sample would score.",
        "本底（灰带）是同一测量在相同样本量下于真实数据各部分之间的取值，"
        "即另一份真实样本会得到的结果。",
    ),
    "how_3": (
        "“Not assessed” is not a pass: the reason says what is missing. Numbers are rounded here; "
        "exact ones are in the details and in result.json, which prevails.",
        "“未评价”不等于通过，原因栏说明所缺内容。此处数值经修约；"
        "精确值见各项详情与 result.json，并以后者为准。",
    ),
    "how_4": (
        "A measure may have variants, named in monospaced type: by the embedding (the row of "
        "numbers that stands for one item) or the attribute that was used. A mandatory measure "
        "must pass in each of them.",
        "测量名称后的等宽字体标出其变体，即所用的特征嵌入（代表单个样本的一组数值）或属性。"
        "必评测量须在每个变体上均通过。",
    ),
    "legend": ("Key to the drawings", "图例"),
    "legend_value": ("value (synthetic)", "数值（合成数据）"),
    "legend_interval": ("interval", "区间"),
    "legend_floor": ("noise floor, with its centre", "本底及其中心"),
    "legend_acceptable": ("acceptable range", "可接受范围"),
    "legend_far": ("far outside the drawing", "远在图外"),
    # --- cohorts ----------------------------------------------------------------------------------
    "cohorts": ("Cohorts", "数据集"),
    "items": ("Items", "样本数"),
    "readable": ("Readable", "可读"),
    "subjects": ("Subjects", "受试者数"),
    "classes": ("Classes", "类别"),
    "not_given": ("not given", "未提供"),
    "class_count": ("{name} ({count})", "{name}（{count}）"),
    "more": ("and {count} more in result.json", "另有 {count} 项，见 result.json"),
    # --- measurements -----------------------------------------------------------------------------
    "further_measures": ("Further measures", "其他测量"),
    "no_measures": ("Nothing was measured here.", "此处无测量结果。"),
    "value": ("Value", "数值"),
    "bracketed": (" ({remark})", "（{remark}）"),
    "aside": ("{words} ({remark})", "{words}（{remark}）"),
    "estimate": ("{value} ({interval}){unit}", "{value}（{interval}）{unit}"),
    "interval_at": ("{level} interval", "{level} 区间"),
    "floor": ("Noise floor", "本底"),
    "acceptable": ("Acceptable", "可接受范围"),
    "at_least": ("at least {low}", "不小于 {low}"),
    "at_most": ("at most {high}", "不大于 {high}"),
    "to": ("{low} to {high}", "{low} 至 {high}"),
    "target": ("Declared target", "声明目标"),
    "sample": ("Sample", "样本量"),
    "sample_of": ("{role} {count}", "{role} {count}"),
    "n_columns": ("columns", "列"),
    "n_synthetic": ("synthetic", "合成"),
    "n_real": ("real", "真实"),
    "n_train": ("real training", "真实训练"),
    "n_holdout": ("real holdout", "真实留出"),
    "n_pairs": ("pairs", "配对"),
    "n_cases": ("cases", "样本"),
    "p_value": ("p of the test", "检验 p 值"),
    "p_corrected": ("after Holm’s correction {p}", "Holm 校正后 {p}"),
    "none": ("none", "无"),
    "mandatory": ("mandatory", "必评"),
    "informative": ("informative", "供参考"),
    "needed": (
        "About {factor} times the sample would settle it.",
        "约需 {factor} 倍样本量方可判定。",
    ),
    "axis_alt": (
        "Value {value}; noise floor: {floor}; acceptable: {acceptable}",
        "数值 {value}；本底：{floor}；可接受范围：{acceptable}",
    ),
    # --- details of a measurement -----------------------------------------------------------------
    "how_measured": ("How this was measured and judged", "测量与判定方法"),
    "identifier": ("Identifier", "标识"),
    "method": ("Method", "方法"),
    "source": ("Source", "来源"),
    "parameters": ("Parameters", "参数"),
    "interval_method": ("Interval by", "区间方法"),
    "floor_method": ("Noise floor by", "本底方法"),
    "rule": ("Rule", "规则"),
    "rule_reason": ("Reason for the rule", "规则理由"),
    "rule_source": ("Source of the rule", "规则来源"),
    "exact_numbers": ("Exact numbers", "精确值"),
    "further_numbers": ("Further numbers", "其他数值"),
    "limits_of_rule": ("acceptable", "可接受范围"),
    "shares_of_one": ("(as shares of 1)", "（以 1 为全体）"),
    "broken_figure": (
        "The figure “{kind}” is not drawn: its data do not have the agreed form at “{place}”.",
        "图“{kind}”未绘制：其数据在“{place}”处不符合约定格式。",
    ),
    # --- figures ----------------------------------------------------------------------------------
    "histograms": ("Distributions that differ most", "差异最大的分布"),
    "histogram_alt": (
        "Densities of {feature}, real (grey) and synthetic (line)",
        "{feature} 的分布密度：真实（灰色）与合成（折线）",
    ),
    "histograms_note": (
        "Distance: how far the two distributions lie apart (Wasserstein-1), in interquartile "
        "ranges (IQR) of the real data. The outermost bins also hold what lies beyond them.",
        "距离：两分布之间的 Wasserstein-1 距离，以真实数据的四分位距为单位。"
        "最外侧的箱也包含其外的取值。",
    ),
    "distance": ("distance {distance}", "距离 {distance}"),
    "consistent": ("consistent", "一致"),
    "differs": ("differs", "不一致"),
    "map": ("Map of the embedding", "特征嵌入图"),
    "map_alt": (
        "Scatter of {real} real and {synthetic} synthetic items",
        "{real} 个真实样本与 {synthetic} 个合成样本的散点图",
    ),
    "map_note": (
        "Each mark is one item. Where the synthetic set is like the real one, both kinds of marks "
        "fill the same area equally densely; the measure above uses all dimensions, not these two.",
        "每个标记为一个样本。若合成数据与真实数据相似，两种标记在同一区域内疏密相同；"
        "上方的测量使用全部维度，而非仅此二维。",
    ),
    "map_border": (
        "Points farther out, drawn at the border: {count}.",
        "位于图外、绘于边框处的点：{count} 个。",
    ),
    "map_first": (
        "The first {count} items of each side are shown.",
        "每侧仅显示前 {count} 个样本。",
    ),
    "explained": ("{axis} ({share} of variance)", "{axis}（方差占比 {share}）"),
    "curve": ("Curve", "曲线"),
    "curves": ("Curves", "曲线组"),
    "curve_of": ("{y} over {x}", "{y}（横轴：{x}）"),
    "curve_alt": (
        "Lines of real and synthetic data: {label}",
        "真实与合成数据的曲线：{label}",
    ),
    "heat": ("Which columns depend on each other", "各列之间的依赖关系"),
    "heat_alt": (
        "Associations of {count} columns with each other: {side}",
        "{count} 个列两两之间的关联：{side}",
    ),
    "heat_difference": ("lost and invented", "丢失与凭空产生"),
    "heat_number": ("No.", "序号"),
    "heat_column": ("Column", "列"),
    "heat_note": (
        "Each cell is a pair of columns: the darker, the stronger their association. In the last "
        "drawing grey is dependence that the synthetic data lost, blue dependence that they "
        "invented.",
        "每格为一对列：颜色越深，关联越强。最后一图中，灰色为合成数据丢失的依赖，蓝色为其凭空产生的依赖。",
    ),
    "tree": ("Which codes the patients have", "患者具有的编码"),
    "tree_alt": (
        "{count} branches of the codes, with the shares of real and synthetic patients",
        "编码的 {count} 个分支及真实与合成患者的占比",
    ),
    "tree_missing": ("missing (real: {share})", "缺失（真实：{share}）"),
    "tree_note": (
        "Chapters, below them blocks and codes: the share of patients with any code of the branch, "
        "synthetic above real. All chapters are drawn, of the rest what is missing or differs "
        "most; branches of fewer than ten real patients are not shown.",
        "章，其下为节与编码：具有该分支任一编码的患者占比，上为合成，下为真实。章全部绘出，其余仅绘缺失或差异最大者；"
        "真实患者不足十名的分支不显示。",
    ),
    "bars": ("Shares", "占比"),
    "label": ("Class or value", "类别或取值"),
    "drawing": ("Drawing", "图示"),
    "bar_alt": ("Bars of {label}", "{label} 的条形图"),
    "intended": ("intended", "预期"),
    # --- causes of a difference -------------------------------------------------------------------
    "decomposition": ("Where the difference comes from", "差异从何而来"),
    "causes_alt": (
        "Parts of the difference between synthetic and real data: {count} bars with intervals",
        "合成数据与真实数据之间差异的构成：{count} 个条形及其区间",
    ),
    "cause": ("Cause", "原因"),
    "cause_part": ("Part of the difference", "占差异的比例"),
    "cause_shows": ("Shows in", "表现于"),
    "cause_remark": ("Subgroups", "亚组"),
    "cause_mix": ("another mix of {attribute}", "“{attribute}”的构成不同"),
    "cause_inside": (
        "particular to items with {attribute} = {level}",
        "“{attribute}”为“{level}”的样本所特有",
    ),
    "cause_opposite": (
        "in items with {attribute} = {level}, the other way than in the rest",
        "“{attribute}”为“{level}”的样本与其余样本方向相反",
    ),
    "cause_everywhere": ("alike in all subgroups", "各亚组内均有"),
    "cause_rest": ("rest, no more than between real parts", "其余部分，未超出真实数据自身差异"),
    "cause_mostly": ("mostly {families}", "主要为{families}"),
    "cause_feature": (
        "{feature}: {direction}, {points} points",
        "{feature}：{direction}，{points} 个百分点",
    ),
    "cause_higher": ("higher", "偏高"),
    "cause_lower": ("lower", "偏低"),
    "cause_reshaped": ("of another shape", "分布形状不同"),
    "cause_level": (
        "{level}: {synthetic} instead of {real}",
        "{level}：{synthetic}，真实为 {real}",
    ),
    "cause_items": (
        "compared {synthetic} synthetic with {real} real items",
        "合成样本 {synthetic} 个，真实样本 {real} 个",
    ),
    "cause_alike": (
        "these data cannot tell it from: {causes}",
        "仅凭这些数据无法与下列原因区分：{causes}",
    ),
    "causes_none": (
        "The synthetic data do not differ from real ones beyond what real parts differ by from "
        "each other: there is no difference to split.",
        "合成数据与真实数据的差异未超出真实数据各部分之间的差异：没有可供分解的差异。",
    ),
    "causes_size": (
        "Size of the whole difference: the share of items above a given value differs by {gap} "
        "percentage points ({low} to {high}) in the mean over features and values; between real "
        "parts by up to {floor}.",
        "差异的总体大小：高于某一给定值的样本比例相差 {gap} 个百分点（{low} 至 {high}；"
        "对特征和取值平均）；真实数据各部分之间至多 {floor} 个百分点。",
    ),
    "causes_note": (
        "100 % is the whole difference. Bar: the part of it that would go if the cause went; line: "
        "interval; grey: what the same part comes to between real parts. A part below zero hides "
        "some of the others.",
        "100% 为全部差异。条形：消除该原因后随之消失的部分；线段：区间；"
        "灰色：同一部分在真实数据各部分之间的取值。负值表示抵消了其他部分。",
    ),
    "causes_small": (
        "The difference shows in single features and is too small in the whole to be divided.",
        "差异仅见于个别特征，总体过小，无法按比例分解。",
    ),
    "causes_points": (
        "Points: by how many percentage points the share of items above a given value differs, "
        "inside the subgroup where one is named.",
        "百分点：高于某一给定值的样本比例相差多少；列出亚组时为该亚组之内的差异。",
    ),
    "ranking": ("What drives the difference", "差异的主要来源"),
    "feature": ("Feature", "特征"),
    "direction": ("Direction", "方向"),
    "higher": ("higher in synthetic", "合成数据偏高"),
    "lower": ("lower in synthetic", "合成数据偏低"),
    "table": ("In numbers", "数值明细"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    "roc": ("Attack curve", "攻击曲线"),
    "roc_alt": (
        "True against false positive rate of the attack; the diagonal is guessing",
        "攻击的真阳性率与假阳性率；对角线为随机猜测",
    ),
    "roc_note": (
        "Dashed: guessing. A curve above it tells members from non-members.",
        "虚线为随机猜测。曲线高于虚线表示能区分成员与非成员。",
    ),
    "false_positives": ("false positive rate", "假阳性率"),
    "true_positives": ("true positive rate", "真阳性率"),
    "suspects": ("Items to compare by eye", "需人工比对的样本"),
    "suspects_note": (
        "Real items are named here, not shown. The names are those of the files.",
        "此处真实样本仅列名称，不予展示。名称即文件名。",
    ),
    "suspect_synthetic": ("Synthetic item", "合成样本"),
    "suspect_real": ("Real item", "真实样本"),
    "score": ("Similarity", "相似度"),
    "transform": ("Found after", "匹配变换"),
    "notes": ("Notes", "说明"),
    "real": ("real", "真实"),
    "synthetic": ("synthetic", "合成"),
    # --- findings, gallery, limits ----------------------------------------------------------------
    "findings": ("Findings", "发现项"),
    "findings_lead": (
        "In all: {total}. One line for each rule and cohort, with the message of the first; "
        "every finding is in {csv} and {file}.",
        "共 {total} 项发现。每条规则、每个数据集列一行，并附首个发现的说明；"
        "全部发现见 {csv} 与 {file}。",
    ),
    "no_findings": ("There are no findings.", "无发现项。"),
    "finding_rule": ("Rule", "规则"),
    "severity": ("Severity", "严重程度"),
    "finding_count": ("Findings", "发现数"),
    "message": ("Message", "说明"),
    "gallery": ("Gallery of the worst items", "最差样本图例"),
    "gallery_lead": (
        "Synthetic items at the extremes, for the reader’s eye; no sample of the whole set. "
        "Possible copies of real items are not pictured.",
        "极端的合成样本，供目视参考，并非整体的代表。疑似真实样本的拷贝不予展示。",
    ),
    "gallery_lead_real": (
        "Items at the extremes, for the reader’s eye; no sample of the whole set. This report "
        "holds pictures of real items: handle it like the real data.",
        "极端的样本，供目视参考，并非整体的代表。本报告含真实样本图像，须按真实数据保管。",
    ),
    "gallery_withheld": (
        "The pictures were made with real items among them and are withheld here. Evaluate again "
        "without showing real items to get pictures that are free of them.",
        "图像生成时包含真实样本，此处不予展示。请在不展示真实样本的设置下重新评价，以获得不含真实样本的图像。",
    ),
    "gallery_none": ("There are no pictures.", "无图像。"),
    "picture_alt": ("Picture of {role} item {item}: {why}", "{role}样本 {item} 的图像：{why}"),
    "picture_missing": ("The file {file} is missing.", "文件 {file} 缺失。"),
    "picture_left_out": (
        "Not embedded, to keep this file small: see {file}.",
        "为控制文件大小未嵌入，见 {file}。",
    ),
    "limits": ("Limits of this assessment", "本次评价的局限"),
    "limit_scope": (
        "The verdicts hold for these cohorts, this profile and these versions only.",
        "判定仅对本次的数据集、评价方案与软件版本有效。",
    ),
    "limit_standard": (
        "This report is structured after the Part 6 proposal “synthetic data” of the series on "
        "quality requirements and evaluation of artificial-intelligence medical devices; it is no "
        "statement of conformity.",
        "本报告的结构参照《人工智能医疗器械 质量要求和评价》第 6 部分“合成数据”的提案，"
        "不构成符合性声明。",
    ),
    "limit_names": (
        "This report names real items by their file names. Where those can identify a person, "
        "handle it like the real data.",
        "本报告以文件名指称真实样本。若文件名可识别个人，须按真实数据保管。",
    ),
    # --- traceability -----------------------------------------------------------------------------
    "traceability": ("Traceability", "可追溯信息"),
    "declared": ("Declared in the study file", "评价任务文件中的声明"),
    "description": ("Description", "说明"),
    "purpose": ("Purpose", "预期用途"),
    "generator": ("Generator", "生成器"),
    "fact": ("Fact", "项目"),
    "content": ("Content", "内容"),
    "environment": ("Software and run", "软件与运行环境"),
    "digest": ("SHA-256 over the items’ digests", "样本摘要的 SHA-256"),
    "python": ("Python", "Python"),
    "system": ("System", "系统"),
    "packages": ("Packages", "软件包"),
    "timings": ("Time", "耗时"),
    "store": ("Descriptions", "特征描述"),
    "store_facts": (
        "{described} described in this run, {reused} reused",
        "本次计算 {described} 个，复用 {reused} 个",
    ),
    "discarded": ("Discarded", "弃用"),
    "describer": ("Describer", "特征描述器"),
    "references": ("References", "参考文献"),
    "used_by": ("for {measures}", "用于：{measures}"),
    # --- marks between words ----------------------------------------------------------------------
    "comma": (", ", "，"),
    "list": (", ", "、"),
    "semicolon": ("; ", "；"),
    "colon": (": ", "："),
    "stop": (" ", ""),
}


def text(key: str, language: Language | str, **values: object) -> str:
    """Return a sentence of the documents.

    Parameters
    ----------
    key : str
        Key of `TEXTS` or `CODES`.
    language : {"en", "zh"}
    **values
        What the sentence names; put in as they are, so braces in them mean nothing.

    Returns
    -------
    str

    Raises
    ------
    KeyError
        There is no such sentence, or it names something that was not given.

    Examples
    --------
    >>> text("at_most", "en", high="0.1"), text("none", "zh")
    ('at most 0.1', '无')
    """
    english, chinese = TEXTS[key] if key in TEXTS else CODES[key]
    template = chinese if Language(language) is Language.ZH else english
    return template.format(**values)
