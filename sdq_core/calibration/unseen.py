"""What a study allows, and what it could not have seen, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from sdq_core.calibration.defect import Defect
from sdq_core.calibration.model import (
    Clean,
    DefectSummary,
    Untested,
    Words,
)
from sdq_core.calibration.summary import POWER
from sdq_core.reasons import Why, why
from sdq_core.study import Study
from sdq_core.vocabulary import Role, term

if TYPE_CHECKING:
    from sdq_core.calibration.dealing import Pool

__all__ = ["missing_need", "not_asked", "notes", "unseen"]

_FEW: Final = 100
"""Below this many dealt synthetic items only gross defects can be seen."""
_FALSE_ALARMS: Final = 0.05
_FOUND: Final = 0.95


def missing_need(defect: Defect, study: Study, pool: Pool) -> Why | None:
    """Return what a study lacks for a defect, None when it lacks nothing.

    Parameters
    ----------
    defect : Defect
    study : Study
    pool : Pool
    """
    for need in defect.needs:
        if need == "classes" and len(pool.classes) < 2:
            if not pool.classes:
                return Why(
                    reason="needs class labels of the real data: give a label table with the "
                    "column 'class'",
                    reason_zh="需要真实数据的类别标签：请提供含 class 列的标签表",
                )
            return Why(
                reason="needs at least two classes in the real data, found one",
                reason_zh="真实数据中至少需要两个类别，现仅有一个",
            )
        if need == "subjects" and not pool.subjects_known:
            return Why(
                reason="needs subject ids of the real data: give a label table with the column "
                "'subject'",
                reason_zh="需要真实数据的受试者编号：请提供含 subject 列的标签表",
            )
        if need == "holdout" and Role.HOLDOUT not in pool.sizes:
            return why("no_holdout")
        if need == "subgroup":
            values = {v for m in pool.members if (v := m.row.get(study.subgroup or ""))}
            if len(values) < 2:
                return Why(
                    reason="needs a subgroup with at least two values: declare it in the study "
                    "file and give the column in the label tables",
                    reason_zh="需要至少有两个取值的亚组：请在评价任务文件中声明，并在标签表中给出该列",
                )
    return None


def notes(study: Study, pool: Pool, sizes: Mapping[Role, int]) -> tuple[Words, ...]:
    """Return what a study does and does not allow, before anything is planted.

    Parameters
    ----------
    study : Study
    pool : Pool
    sizes : mapping of Role to int
        Items of the dealt cohorts.
    """
    return tuple(_notes(study, pool, sizes))


def _notes(study: Study, pool: Pool, sizes: Mapping[Role, int]) -> Iterator[Words]:
    dealt, own = _parts(sizes), _parts(pool.sizes)
    yield Words(
        en=f"The real items were dealt out by subject: {dealt.en}; the part in the place of "
        f"synthetic items is a fresh real sample. The study itself has: {own.en}. Power grows with "
        f"the number of items, so that what is found here is found there too.",
        zh=f"真实样本按受试者重新分配：{dealt.zh}；其中代替合成数据者为新的真实样本。"
        f"评价任务自身为：{own.zh}。样本越多，检出能力越强，故此处能发现者在评价任务中也能发现。",
    )
    if Role.HOLDOUT not in pool.sizes:
        yield Words(
            en="The study has no holdout, so none was dealt out: privacy attacks cannot be "
            "calibrated, and whether copies would be found is not known.",
            zh="评价任务没有留出集，故未分配留出集：隐私攻击无法校准，能否发现拷贝不得而知。",
        )
    if not pool.subjects_known:
        yield Words(
            en="The real cohorts carry no subject ids: items were dealt out one by one. If several "
            "belong to one subject, false alarms and detection rates are both too favourable.",
            zh="真实数据未给出受试者编号：按单个样本分配。若同一受试者有多个样本，误报率与检出率均偏于乐观。",
        )
    if pool.shared_subjects:
        yield Words(
            en=f"{pool.shared_subjects} subjects are in both train and holdout of the study; here "
            f"they were dealt out once, so that its privacy measures are calibrated although its "
            f"own privacy verdict is void.",
            zh=f"{pool.shared_subjects} 名受试者同时出现在评价任务的训练集与留出集中；"
            "此处每名只分配一次，故隐私测量得以校准，而评价任务自身的隐私判定无效。",
        )
    if pool.unreadable:
        yield Words(
            en=f"{pool.unreadable} real items could not be read and were left aside.",
            zh=f"{pool.unreadable} 个真实样本无法读取，未参与分配。",
        )
    labelled = sum("class" in m.row for m in pool.members)
    if not labelled:
        yield Words(
            en="The real items have no class labels: defects of classes cannot be planted, and "
            "what needs classes is not assessed.",
            zh="真实样本没有类别标签：无法植入与类别有关的缺陷，依赖类别的项目未评价。",
        )
    else:
        bare = len(pool.members) - labelled
        if bare:
            yield Words(
                en=f"{bare} of {len(pool.members)} real items have no class label; defects of "
                f"classes were planted among the others.",
                zh=f"{len(pool.members)} 个真实样本中有 {bare} 个没有类别标签；"
                "与类别有关的缺陷仅植入其余样本。",
            )
        if len(pool.classes) == 1:
            yield Words(
                en="The real items have one class: defects of classes cannot be planted, and what "
                "needs two classes is not assessed.",
                zh="真实样本只有一个类别：无法植入与类别有关的缺陷，需要两个类别的项目未评价。",
            )
    fresh = sizes.get(Role.SYNTHETIC, 0)
    if fresh < _FEW:
        yield Words(
            en=f"Only {fresh} items stand in for synthetic data: gross defects alone can be seen, "
            f"and criteria that ask for more items are inconclusive.",
            zh=f"代替合成数据的样本仅 {fresh} 个：只能发现严重缺陷，要求更多样本的准则不能判定。",
        )
    purpose = study.purpose
    if (
        purpose.minimum_items
        or purpose.minimum_items_per_class
        or purpose.intended_distribution
        or purpose.target_auc
    ):
        yield Words(
            en="What the study declares of its purpose (amounts, intended shares, AUC to reach) "
            "was not asked of the real items that stand in for synthetic ones.",
            zh="评价任务声明的用途要求（数量、预期分布、须达到的 AUC）"
            "未用于代替合成数据的真实样本。",
        )


def not_asked(
    catalogue: Sequence[Defect], asked: Sequence[Defect], all_severities: bool
) -> Iterator[Words]:
    """Yield what the user chose not to plant.

    Parameters
    ----------
    catalogue, asked : sequence of Defect
        All defects of the modality, and those that were asked for.
    all_severities : bool
        Whether more than the unacceptable severity was planted.
    """
    others = [d.title for d in catalogue if d.id not in {a.id for a in asked}]
    if others:
        yield Words(
            en="Of these defects of the catalogue nothing is known, as they were not asked for: "
            f"{', '.join(t[0] for t in others)}.",
            zh=f"目录中的以下缺陷未要求植入，能否发现不得而知：{'、'.join(t[1] for t in others)}。",
        )
    if not all_severities:
        yield Words(
            en="Each defect was planted at one severity only, the one from which on a study must "
            "not pass: what is smaller may go unseen.",
            zh="各缺陷仅以一个程度植入，即不可接受的起始程度：更轻者可能无法发现。",
        )


def _parts(sizes: Mapping[Role, int]) -> Words:
    named = {
        Role.TRAIN: ("for training", "训练"),
        Role.HOLDOUT: ("held out", "留出"),
        Role.SYNTHETIC: ("synthetic", "合成"),
    }
    return Words(
        en=", ".join(f"{sizes[role]} {named[role][0]}" for role in Role if role in sizes),
        zh="，".join(f"{named[role][1]} {sizes[role]}" for role in Role if role in sizes),
    )


def unseen(
    clean: Clean, defects: Sequence[DefectSummary], untested: Sequence[Untested]
) -> tuple[Words, ...]:
    """Return what the study could not have seen, and what it cries over without cause.

    Parameters
    ----------
    clean : Clean
    defects : sequence of DefectSummary
    untested : sequence of Untested

    Returns
    -------
    tuple of Words
        Gravest first: false alarms, grave defects that are missed, smaller ones, what was not
        tested.
    """
    missed = [s for d in defects if (s := _missed(d)) is not None]
    small = [s for d in defects if (s := _small(d)) is not None]
    return (*_alarms(clean), *missed, *small, *_untested(defects, untested))


def _alarms(clean: Clean) -> Iterator[Words]:
    if clean.study is None:
        yield Words(
            en="The fresh real sample was not evaluated: how often clean data fail is not known.",
            zh="未评价新的真实样本：干净数据的误报率不得而知。",
        )
        return
    if clean.study.share > _FALSE_ALARMS:
        failing = [c for c, t in clean.characteristics.items() if t.fail.count]
        said = clean.study.in_words()
        yield Words(
            en=f"Clean real data fail a mandatory measure in {said.en}, "
            f"by {', '.join(term(c) for c in failing)}: a failure of this study may be a false "
            f"alarm, and what these find of defects is worth accordingly less.",
            zh=f"干净的真实数据在{said.zh}中有必须项不通过，涉及"
            f"{'、'.join(term(c, 'zh') for c in failing)}：本评价任务的不通过可能是误报，"
            "其检出缺陷的意义也相应减小。",
        )


def _missed(defect: DefectSummary) -> Words | None:
    worst = defect.worst_grave
    if worst is None or worst.found.share >= _FOUND:
        return None
    said, at = worst.found.in_words(), defect.at(worst.severity)
    targets = ", ".join(term(t) for t in defect.targets)
    targets_zh = "、".join(term(t, "zh") for t in defect.targets)
    return Words(
        en=f"“{defect.title.en}” at {at.en}, which must not pass: "
        f"found in {said.en} only. A pass of {targets} does not exclude it.",
        zh=f"“{defect.title.zh}”，程度 {at.zh}，属不可接受："
        f"仅在{said.zh}中被发现。{targets_zh}通过并不能排除它。",
    )


def _small(defect: DefectSummary) -> Words | None:
    """Say from which severity on a defect is found, where something smaller was missed."""
    if not defect.severities or _missed(defect) is not None:
        return None
    first = defect.severities[0].severity
    smallest = defect.smallest_found
    if smallest == first or smallest is None:
        return None
    at = defect.at(smallest)
    return Words(
        en=f"“{defect.title.en}” is found from {at.en} on (in {100 * POWER:.0f} % of runs or "
        f"more); below that it may go unseen.",
        zh=f"“{defect.title.zh}”自程度 {at.zh} 起可被发现"
        f"（不少于 {POWER:.0%} 的运行）；低于此程度可能无法发现。",
    )


def _untested(defects: Sequence[DefectSummary], untested: Sequence[Untested]) -> Iterator[Words]:
    for one in untested:
        yield Words(
            en=f"“{one.title.en}” was not tested: {one.reason.en}.",
            zh=f"“{one.title.zh}”未测试：{one.reason.zh}。",
        )
    for defect in defects:
        if not any(s.grave for s in defect.severities):
            yield Words(
                en=f"“{defect.title.en}” was not tested at a severity that must not pass: the "
                f"budget did not last, or every run failed.",
                zh=f"“{defect.title.zh}”未在不可接受的程度上测试：时间预算不足，或各次运行均失败。",
            )
