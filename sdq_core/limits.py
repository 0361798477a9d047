"""What an assessment could not see, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sdq_core.cohort import Cohorts
from sdq_core.measurement import Measurement
from sdq_core.result import Limit, MeasureText

__all__ = ["limits"]


def limits(
    cohorts: Cohorts, measurements: Sequence[Measurement], measures: Mapping[str, MeasureText]
) -> tuple[Limit, ...]:
    """Return the limits of one assessment.

    Parameters
    ----------
    cohorts : Cohorts
    measurements : sequence of Measurement
    measures : mapping of str to MeasureText
        What the measures are called.

    Returns
    -------
    tuple of Limit
        Ordered from the gravest.
    """
    found = []
    if cohorts.shared_subjects:
        found.append(
            Limit(
                en=f"{len(cohorts.shared_subjects)} subjects are in both train and holdout: the "
                "privacy verdict is void, and fidelity is judged against data that the generator "
                "may have seen.",
                zh=f"{len(cohorts.shared_subjects)} 名受试者同时出现在训练集与留出集中："
                "隐私判定无效，且真实性的参照可能为生成器所见。",
            )
        )
    if cohorts.holdout is None:
        found.append(
            Limit(
                en="There is no holdout: noise floors come from disjoint parts of the training "
                "data, and privacy attacks cannot be calibrated.",
                zh="没有留出集：本底取自训练数据的不相交部分，隐私攻击无法校准。",
            )
        )
    if not cohorts.subjects_known:
        found.append(
            Limit(
                en="The real cohorts carry no subject ids: items were taken as independent. If "
                "several items belong to one subject, intervals are too narrow.",
                zh="真实数据未给出受试者编号：各样本按独立处理。若同一受试者有多个样本，区间偏窄。",
            )
        )
    smallest = min(int(c.table.readable.sum()) for c in cohorts.all)
    if smallest < 200:
        found.append(
            Limit(
                en=f"The smallest cohort has {smallest} readable items: differences that are small "
                "or concern few items cannot be seen at this size.",
                zh=f"最小的数据集仅有 {smallest} 个可读样本："
                "细小或只涉及少数样本的差异在此样本量下无法发现。",
            )
        )
    missing = list(dict.fromkeys(m.id for m in measurements if m.value is None))
    if missing:
        named = [measures[id_] for id_ in missing if id_ in measures]
        others = [id_ for id_ in missing if id_ not in measures]
        english = ", ".join([*(text.title for text in named), *others])
        chinese = "、".join([*(text.title_zh for text in named), *others])
        found.append(
            Limit(
                en=f"Not assessed at all or in part: {english}.",
                zh=f"全部或部分未评价：{chinese}。",
            )
        )
    found.append(
        Limit(
            en="Measures over whole sets do not see rare or small local defects, such as single "
            "implausible lesions; manual review remains necessary.",
            zh="针对整体的测量无法发现罕见或局部的缺陷（例如个别不合理的病灶），仍需人工审查。",
        )
    )
    return tuple(found)
