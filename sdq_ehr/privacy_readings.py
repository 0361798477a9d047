"""How the outcomes of privacy attacks become measurements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import why
from sdq_ehr.attacks.membership import ATTACKS, WorstAttack
from sdq_ehr.attacks.one_column import OneColumn
from sdq_ehr.attacks.screening import Memorisation
from sdq_ehr.attacks.singling_out import AttackRisk

__all__ = [
    "ATTACK",
    "NO_PROOF",
    "SCREEN",
    "membership_pair",
    "notes_on_copies",
    "risk_measurement",
]

ATTACK: Final = "attack_simulation"
NO_PROOF: Final = "a screen, which can fail a data set and never proves it safe"
SCREEN: Final = {
    "en": "A screen: what lies near, or is guessed right, can fail a data set; that nothing was "
    "found by these attacks is no proof of safety.",
    "zh": "筛查指标: 发现接近或猜中可判定数据集不合格; 这些攻击未发现问题并不证明数据安全。",
}
LEAST_HOLDOUT: Final = 100
"""Non-members that a rate of 1 % needs."""

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


def membership_pair(
    ids: tuple[str, str],
    found: WorstAttack,
    member: Flags | None,
    worst: Values | None,
    seed: int,
    variant: str | None = None,
) -> Iterator[Measurement]:
    """Yield AUC and true positives at 1 % false positives of the worst attack.

    Parameters
    ----------
    ids : tuple of str
        Of the two measures.
    found : WorstAttack
    member : ndarray of bool, optional
        Who was a member; with `worst`, the scores of the worst attack, the curve is drawn.
    seed : int
    variant : str, optional
        Group of patients, or ``shadow``.
    """
    first = found.attacks[0].curve
    n = {}
    if member is not None:
        n = {"train": int(member.sum()), "holdout": int((~member).sum())}
    how = (
        "models trained with and without each patient"
        if variant == "shadow"
        else ("members against non-members")
    )
    method = Method(
        f"worst of {len(found.attacks)} attacks, {how}; {NO_PROOF}",
        "Chen et al. 2020, doi:10.1145/3372297.3417238; van Breugel et al. 2023, "
        "arXiv:2302.12580; Carlini et al. 2022, arXiv:2112.03570",
        {"attacks": [a.name for a in found.attacks], "p": found.p_value, "worst": found.worst},
        seed,
    )
    details: dict[str, Any] = {"table": _table(found), "notes": [SCREEN]}
    if member is not None and worst is not None:
        details["roc"] = _roc(worst[member], worst[~member])
    yield Measurement(
        ids[0],
        value=found.auc,
        better="closer",
        unit="AUC",
        aspect=ATTACK,
        variant=variant,
        interval=found.auc_interval,
        noise_floor=found.auc_null,
        n=n,
        method=method,
        details=details,
    )
    if 0.01 not in first.readable_fpr:
        yield Measurement(
            ids[1],
            aspect=ATTACK,
            variant=variant,
            n=n,
            applicable=variant is None,
            **why("too_few", needed=LEAST_HOLDOUT, what="holdout items", found=n.get("holdout", 0)),
        )
        return
    yield Measurement(
        ids[1],
        value=found.tpr,
        better="lower",
        unit="share",
        aspect=ATTACK,
        variant=variant,
        interval=found.tpr_interval,
        noise_floor=found.tpr_null,
        n=n,
        method=method,
    )


def risk_measurement(
    id_: str,
    found: AttackRisk | OneColumn,
    n: Mapping[str, int],
    name: str,
    source: str,
    seed: int,
    details: Mapping[str, Any] | None = None,
) -> Measurement:
    """Return a risk, or why a low one would mean nothing.

    Parameters
    ----------
    id_ : str
    found : AttackRisk or OneColumn
    n : mapping of str to int
    name, source : str
        Of the method.
    seed : int
    details : mapping, optional
        Beside the success of attack, control and planted copies.
    """
    rates = {
        "attack_success": found.risk.attack.centre,
        "control_success": found.risk.control.centre,
        "planted_copies_noticed": found.planted.centre,
        "notes": [SCREEN],
        **(details or {}),
    }
    method = Method(
        f"{name}; {NO_PROOF}",
        f"{source}; MOVER: Zou & Donner 2008, doi:10.1002/sim.3095",
        {},
        seed,
    )
    # A risk that is shown to be there needs no control of the attack's eyesight.
    if not found.sees_copies and found.risk.interval.low == 0:
        share = found.planted.centre or 0.0
        return Measurement(
            id_,
            aspect=ATTACK,
            n=n,
            method=method,
            details=rates,
            **why(
                "not_applicable",
                why=f"of copies planted for control only {share:.0%} are seen, hardly more than "
                "of other patients: finding nothing would mean nothing; give more columns or "
                "patients",
                why_zh=f"作为对照植入的拷贝仅有 {share:.0%} 被识别, 与其他患者相差无几: "
                "未发现并不说明问题; 请提供更多列或更多患者",
            ),
        )
    return Measurement(
        id_,
        value=found.risk.value,
        better="lower",
        unit="share",
        aspect=ATTACK,
        interval=found.risk.interval,
        noise_floor=None,
        n=n,
        method=method,
        details=rates,
    )


_PLANTED: Final = {
    "whole": (
        "training patients with noise of 0.3 standard deviations and an eighth of the categories "
        "exchanged",
        "训练患者, 数值加 0.3 倍标准差的噪声, 八分之一的类别被替换",
    ),
    "partial": (
        "training patients with a random half of the columns",
        "训练患者, 随机一半列",
    ),
    "text": (
        "free texts of training patients with a tenth of the words exchanged",
        "训练患者的自由文本, 十分之一的词被替换",
    ),
}


def notes_on_copies(
    found: Memorisation, planted: Literal["whole", "partial", "text"]
) -> list[dict[str, str]]:
    """Say how many planted copies are noticed, and what that means.

    Parameters
    ----------
    found : Memorisation
    planted : {"whole", "partial", "text"}
        Which copies were planted for control.
    """
    share = found.noticed.centre or 0.0
    kind = _PLANTED[planted]
    notes = [
        SCREEN,
        {
            "en": f"Of copies planted for control ({kind[0]}) {share:.0%} stand "
            "out; the upper limit allows for as many overlooked copies.",
            "zh": f"作为对照植入的拷贝 ({kind[1]}) 中有 {share:.0%} 被识别; "
            "区间上限已计入同样比例的漏检。",
        },
    ]
    if share < 0.2:
        notes.append(
            {
                "en": "Real patients resemble each other as much as such copies resemble their "
                "originals: little can be said of them in these columns.",
                "zh": "真实患者彼此之间的相似程度与此类拷贝和原件相当: 依据现有列难以判断。",
            }
        )
    return notes


def _table(found: WorstAttack) -> dict[str, Any]:
    """Put the attacks side by side; labels of rows are the same in all languages."""

    def row(label: str, values: Iterable[float | None]) -> list[Any]:
        return [label, *(None if v is None else round(float(v), 4) for v in values)]

    curves = [a.curve for a in found.attacks]
    return {
        "columns": [
            "",
            *({"en": a.name, "zh": ATTACKS.get(a.name, a.name)} for a in found.attacks),
        ],
        "rows": [
            row("AUC", (c.auc for c in curves)),
            row("AUC 2.5 %", (c.auc_interval.low for c in curves)),
            row("AUC 97.5 %", (c.auc_interval.high for c in curves)),
            row("TPR (FPR 1 %)", (c.tpr[0.01] for c in curves)),
            row(
                "TPR (FPR 0.1 %)",
                (c.tpr[0.001] if 0.001 in c.readable_fpr else None for c in curves),
            ),
        ],
    }


def _roc(members: Values, others: Values, points: int = 101) -> dict[str, list[float]]:
    """Return the attack's curve at evenly spaced false positive rates."""
    thresholds = np.quantile(others, np.linspace(1, 0, points))
    tpr = [(members >= t).mean() for t in thresholds]
    fpr = [(others >= t).mean() for t in thresholds]
    return {
        "fpr": [0.0, *(round(float(f), 4) for f in fpr)],
        "tpr": [0.0, *(round(float(t), 4) for t in tpr)],
    }
