"""What the fidelity of records says of itself: properties of courses, sources, reasons, words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from sdq_core.cohort import Cohorts
from sdq_core.measurement import Measurement
from sdq_core.reasons import Why, why
from sdq_ehr import trajectories
from sdq_ehr.resampled import Resampled
from sdq_ehr.tables_compared import Compared
from sdq_ehr.trajectories import Courses

LEAST_ASSOCIATION: Final = 0.1
LEAST_MISSING: Final = 0.02
LEAST_SHARE: Final = 0.01
"""Differences that do not matter, however well they are known: what noise is at least."""
MOST_ROWS: Final = 20

BERGSMA: Final = (
    "Spearman 1904; Bergsma 2013, doi:10.1016/j.jkss.2012.10.002; Kelley 1935, "
    "doi:10.1073/pnas.21.9.554"
)
K_MARGINAL: Final = "Bowen & Snoke 2021, doi:10.29012/jpc.748"
RUBIN: Final = "Rubin 1976, doi:10.1093/biomet/63.3.581"
CHOI: Final = "Choi et al. 2017, arXiv:1703.06490"
SHROUT: Final = "Shrout & Fleiss 1979, doi:10.1037/0033-2909.86.2.420"
BOX: Final = "Box & Jenkins 1970, Time Series Analysis"
RAMDAS: Final = "Ramdas et al. 2017, doi:10.3390/e19020047"
LEVIN: Final = "Levin, Peres & Wilmer 2009, Markov Chains and Mixing Times, section 4.1"
KAHN: Final = "Kahn et al. 2016, doi:10.13063/2327-9214.1244 (temporal plausibility)"

NOISE_NOTE: Final = "; 1 is the 97.5 % quantile of real against real"

_WORDS: Final[dict[str, str]] = {
    "column": "列",
    "columns": "列组合",
    "columns: dependence lost": "列组合：丢失的依赖",
    "columns: dependence invented": "列组合：凭空产生的依赖",
    "code": "代码",
    "codes": "代码组合",
    "table or column": "表或列",
    "dates": "日期",
    "of the real ranks": "（真实数据秩）",
    "real": "真实",
    "synthetic": "合成",
    "distance": "距离",
    "margin": "界限",
    "distance over real noise": "距离与真实噪声之比",
    "p after Holm": "Holm 校正 p",
    "consistent": "一致",
    "association, real": "关联，真实",
    "association, synthetic": "关联，合成",
    "difference": "差值",
}

Property = Callable[[Resampled, Sequence[Compared]], Courses | None]

COURSES: Final[tuple[tuple[str, Property, float, str, str], ...]] = (
    (
        "events-per-patient", trajectories.events, LEAST_SHARE,
        "Wasserstein-1 distance, in ranks of the real pool, of the numbers of rows of a patient",
        RAMDAS,
    ),
    (
        "gaps", trajectories.gaps, LEAST_SHARE,
        "Wasserstein-1 distance, in ranks of the real pool, of the times between consecutive rows "
        "of a patient",
        RAMDAS,
    ),
    (
        "order", trajectories.order_of_dates, LEAST_SHARE,
        "absolute difference of the shares of rows in which dates stand in one order, stays "
        "overlap, or events lie outside stays",
        KAHN,
    ),
    (
        "between-patients", trajectories.between_patients, LEAST_ASSOCIATION,
        "absolute difference of the shares of the variance that lie between patients, ICC(1) of "
        "ranks",
        SHROUT,
    ),
    (
        "lag-1", trajectories.lag_one, LEAST_ASSOCIATION,
        "absolute difference of the correlations of a number with the patient's next one",
        BOX,
    ),
    (
        "transitions", trajectories.transitions, LEAST_SHARE,
        "total variation of which code or category follows which within a patient",
        LEVIN,
    ),
)  # fmt: skip
"""Variant, property, least noise, method, source."""

NO_COLUMNS: Final = why(
    "not_applicable",
    why="the tables hold nothing but keys and free text",
    why_zh="各表除键与自由文本外没有其他列",
)
NO_PAIRS: Final = why(
    "not_applicable",
    why="there are not two columns that vary",
    why_zh="没有两个有变化的列",
)
NO_TRIPLES: Final = why(
    "not_applicable",
    why="there are not three columns in one table",
    why_zh="没有包含三个列的表",
)
NO_CODES: Final = why(
    "not_applicable",
    why="the real records hold no codes",
    why_zh="真实记录中没有代码",
)
NO_CODE_PAIRS: Final = why(
    "not_applicable",
    why="there are not two codes that at least 2 % of the real patients have",
    why_zh="没有两个至少 2% 的真实患者所具有的代码",
)
NO_TIME: Final = why(
    "not_applicable",
    why="no real patient has several rows in one table, or dates that could be in order",
    why_zh="没有真实患者在同一表中有多行记录，也没有可排序的日期",
)


def missing(
    id_: str, side: Resampled | None, cohorts: Cohorts, aspect: str, why_not: Why
) -> Measurement:
    """Return a measurement without a value: too few patients, or `why_not` does not apply."""
    if side is None:
        found = min(int(c.table.readable.sum()) for c in cohorts.all)
        few = why("too_few", needed=4, what="items in each cohort", found=found)
        return Measurement(id_, aspect=aspect, **few)
    return Measurement(id_, aspect=aspect, applicable=False, **why_not)


def table_of(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Return a table for the details of a measurement, its heads in both languages."""
    return {"columns": [both(c) for c in columns], "rows": [list(r) for r in rows]}


def both(words: str) -> dict[str, str]:
    """Return words in both languages.

    Examples
    --------
    >>> both("margin")
    {'en': 'margin', 'zh': '界限'}
    """
    return {"en": words, "zh": _WORDS[words]}
