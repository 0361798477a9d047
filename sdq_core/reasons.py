"""Why a measurement has no value: the sentences, in both languages, in one place."""

from __future__ import annotations

from typing import Final, TypedDict

from sdq_core.phrases import in_chinese

__all__ = ["REASONS", "Why", "why"]


class Why(TypedDict):
    """Keyword arguments for `Measurement`."""

    reason: str
    reason_zh: str


REASONS: Final[dict[str, tuple[str, str]]] = {
    "no_labels": (
        "needs class labels in {cohorts}: give a label table with the column 'class'",
        "需要{cohorts}的类别标签：请提供含 class 列的标签表",
    ),
    "no_attribute": (
        "needs {what}: declare it in the study file and give the column in the label tables",
        "需要{what}：请在评价任务文件中声明，并在标签表中给出该列",
    ),
    "no_holdout": (
        "needs a holdout cohort of real items that the generator never saw",
        "需要生成器从未见过的真实留出数据集",
    ),
    "shared_subjects": (
        "{count} subjects are in both train and holdout: members and non-members cannot be told "
        "apart; split the real data by subject",
        "{count} 名受试者同时出现在训练集与留出集中，无法区分成员与非成员；请按受试者划分真实数据",
    ),
    "too_few": (
        "not readable at this n: needs at least {needed} {what}, found {found}",
        "样本量不足以读数：至少需要 {needed} 个，现有 {found} 个（{what}）",
    ),
    "no_embedding": (
        "no embedding could be computed for {cohorts}",
        "{cohorts}没有可用的特征嵌入",
    ),
    "no_weights": (
        "needs a file that is not shipped: {what}; name it as weights of the embedding in the "
        "study's settings.embeddings",
        "需要未随软件提供的文件：{what}；请在评价任务的 settings.embeddings 中以 weights 指明",
    ),
    "no_pairs": (
        "no pairs are declared: give the column 'pair' in the synthetic label table",
        "未声明配对：请在合成数据标签表中给出 pair 列",
    ),
    "not_applicable": ("{why}", "{why_zh}"),
    "no_generator": (
        "the study does not describe the generator: write `sdq init generator -o generator.yaml`, "
        "fill it in, and name it in the study file as generator",
        "评价任务未描述生成器：请用 `sdq init generator -o generator.yaml` 生成并填写说明，"
        "再在评价任务文件的 generator 中写明",
    ),
    "failed": (
        "the computation stopped with {error} at {where}; please report this",
        "计算因 {error} 在 {where} 处中止，请反馈此问题",
    ),
    "one_class": (
        "needs at least two classes with {needed} items each in {cohorts}",
        "{cohorts}中至少需要两个类别，每类不少于 {needed} 个样本",
    ),
    "no_variation": (
        "{what} does not vary, so there is nothing to compare",
        "{what}没有变化，无法比较",
    ),
    "class_absent": (
        "infinite: {count} declared classes have no synthetic item",
        "无穷大：有 {count} 个声明的类别没有合成样本",
    ),
}


def why(code: str, **values: object) -> Why:
    """Return the reason for a missing value in both languages.

    Parameters
    ----------
    code : str
        Key of `REASONS`.
    **values
        What the sentence names.

    Returns
    -------
    Why

    Examples
    --------
    >>> why("no_holdout")["reason"]
    'needs a holdout cohort of real items that the generator never saw'
    >>> why("no_embedding", cohorts="one of the cohorts")["reason_zh"]
    '其中一个数据集没有可用的特征嵌入'
    """
    english, chinese = REASONS[code]
    translated = {k: in_chinese(v) if isinstance(v, str) else v for k, v in values.items()}
    return Why(reason=english.format(**values), reason_zh=chinese.format(**translated))
