"""Tables of `benchmarks/counterparts.py`: verdicts, what decided them, and what the peers say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from counterparts_cases import Case
from validity import SIGNS

from sdq_core.result import MeasurementModel, Result
from sdq_core.vocabulary import Characteristic, Role, Verdict

TITLES = {"ehr": "Tables", "signals": "Signals", "imaging": "Images"}
ROLES = (Role.TRAIN, Role.HOLDOUT, Role.SYNTHETIC)
MOST = 3
"""Figures that are named of one characteristic."""
DECIDED = (Characteristic.FIDELITY, Characteristic.BALANCE, Characteristic.COMPLETENESS,
           Characteristic.UTILITY)  # fmt: skip
PRIVACY = {
    "ehr": ("memorised_share", "membership_auc", "membership_tpr_at_1pct_fpr",
            "singling_out_risk", "linkability_risk", "inference_risk"),
    "signals": ("memorised_share", "membership_auc"),
    "imaging": ("memorised_share", "membership_auc"),
}  # fmt: skip
NEIGHBOURS = ("frechet", "precision", "recall", "density", "coverage")
COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    "forest": (("synthetic", "synthetic and holdout"), ("train", "train and holdout")),
    "sdmetrics": (
        ("quality", "quality"), ("quality_of_holdout", "quality of the holdout"),
        ("worst_column", "worst column"),
        ("new_rows", "new rows"), ("dcr_baseline", "DCR baseline"),
        ("dcr_overfitting", "DCR overfitting"),
    ),
    "syntheval": (
        ("nnaa avg", "adversarial accuracy"), ("nnaa priv_loss", "its loss beside the holdout"),
        ("eps_risk eps_risk", "share of rows at risk"),
        ("eps_risk priv_loss", "its loss beside the holdout"),
        ("mia MIA precision", "membership precision"), ("mia MIA recall", "recall"),
    ),
    "anonymeter": (
        ("single", "singling out, one column"), ("combined", "several columns"),
        ("link", "linkability"), ("infer", "inference of the class"),
    ),
    "neurokit": tuple(
        (f"{figure} {side}", f"{words}, {side}")
        for figure, words in (("rate", "rate [1/min]"), ("rmssd", "RMSSD [ms]"),
                              ("excellent", "excellent"))
        for side in ("train", "synthetic")
    ),
}  # fmt: skip
PEER_TITLES = {
    "forest": "A random forest of scikit-learn: AUC of telling apart",
    "sdmetrics": "SDMetrics", "syntheval": "SynthEval", "anonymeter": "Anonymeter",
    "neurokit": "NeuroKit2, lead II: median (quartiles)",
    "features": "MONAI and prdc on the embedding of sdq, beside train",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One case, judged by sdq and by the peers."""

    case: Case
    result: Result
    peers: Mapping[str, dict[str, Any] | None]
    """None: not run; empty: nothing to say of such data."""

    @property
    def name(self) -> str:
        return f"{self.case.data} | {self.case.generator}"


def lines_of(modality: str, rows: Iterator[Row]) -> Iterator[str]:
    """Yield the tables of one modality."""
    yield f"### {TITLES[modality]}"
    yield ""
    kept = []
    head = ["data", "generator", "train / holdout / synthetic", *map(str, Characteristic)]
    yield from header(head)
    for row in rows:
        kept.append(row)
        held = row.result.cohorts
        sizes = [held[r].items if r in held else "none" for r in ROLES]
        signs = [SIGNS[row.result.verdicts[c]] for c in Characteristic]
        yield f"| {row.name} | {' / '.join(map(str, sizes))} | {' | '.join(signs)} |"
    yield ""
    yield "What decided: worst first, value, interval, and the limit that it meets."
    yield ""
    yield from header(["data", "generator", *map(str, DECIDED)])
    for row in kept:
        yield f"| {row.name} | {' | '.join(decided(row.result, c) for c in DECIDED)} |"
    yield ""
    yield "Copies and membership: value, interval, verdict."
    yield ""
    yield from header(["data", "generator", *(m.replace("_", " ") for m in PRIVACY[modality])])
    for row in kept:
        cells = [judged(row.result, f"{modality}.privacy.{m}") for m in PRIVACY[modality]]
        yield f"| {row.name} | {' | '.join(cells)} |"
    yield ""
    for peer in kept[0].peers if kept else ():
        yield from peer_table(peer, kept)


def header(names: list[str]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield "|---" * len(names) + "|"


def decided(result: Result, characteristic: Characteristic) -> str:
    """Return the mandatory figures that kept a characteristic from passing."""
    bad = {Verdict.FAIL: 0, Verdict.INCONCLUSIVE: 1, Verdict.NOT_ASSESSED: 2}
    found = [
        m for m in result.measurements
        if m.characteristic is characteristic and m.verdict in bad and m.criterion is not None
        and m.criterion.mandatory
    ]  # fmt: skip
    worst = min((bad[m.verdict] for m in found if m.verdict), default=0)
    chosen = sorted(
        (m for m in found if m.verdict and bad[m.verdict] == worst), key=beyond, reverse=True
    )
    more = len(chosen) - MOST
    shown = "; ".join(named(m) for m in chosen[:MOST])
    return (shown or "") + (f"; {more} more" if more > 0 else "")


def beyond(m: MeasurementModel) -> float:
    """How far beyond its limit a value is, in widths of the limit."""
    if m.value is None or m.criterion is None:
        return 0.0
    low, high = m.criterion.low, m.criterion.high
    gaps = [m.value - high if high is not None else 0.0, low - m.value if low is not None else 0.0]
    scale = abs(high if high is not None and gaps[0] >= gaps[1] else low or 1.0) or 1.0
    return max(gaps) / scale


def named(m: MeasurementModel) -> str:
    name = m.id.split(".")[-1].replace("_", " ") + (f" ({m.variant})" if m.variant else "")
    if m.value is None or m.criterion is None:
        return f"{name}: no value"
    if m.code == "too_few_items":
        return f"{name} {m.value:.3g}{interval(m)}, too few items"
    low, high = m.criterion.low, m.criterion.high
    limit = f"above {high:.3g}" if high is not None and m.value > high else None
    limit = limit or (f"below {low:.3g}" if low is not None and m.value < low else "at the limit")
    return f"{name} {m.value:.3g}{interval(m)}, {limit}"


def interval(m: MeasurementModel) -> str:
    return "" if m.interval is None else f" [{m.interval.low:.3g}, {m.interval.high:.3g}]"


def judged(result: Result, identifier: str) -> str:
    """Return the first variant of a measure with its verdict."""
    m = next((m for m in result.measurements if m.id == identifier), None)
    if m is None:
        return "-"
    if m.value is None:
        return "none: " + (m.reason or "").partition(",")[0].partition(";")[0]
    return f"{m.value:.3f}{interval(m)} {SIGNS[m.verdict] if m.verdict else ''}".strip()


def peer_table(peer: str, rows: list[Row]) -> Iterator[str]:
    """Yield what one peer says of the rows, or that it was not run."""
    yield f"**{PEER_TITLES[peer]}**"
    yield ""
    answered = [r for r in rows if r.peers[peer]]
    if not answered:
        yield "Not run."
        yield ""
        return
    if peer == "features":
        yield from header(
            ["data", "generator", *NEIGHBOURS, *(f"holdout: {n}" for n in NEIGHBOURS)]
        )
        for row in answered:
            found = row.peers[peer] or {}
            cells = [
                cell(found.get(side, {}).get(n))
                for side in ("synthetic", "holdout")
                for n in NEIGHBOURS
            ]
            yield f"| {row.name} | {' | '.join(cells)} |"
    else:
        yield from header(["data", "generator", *(words for _, words in COLUMNS[peer])])
        for row in rows:
            found = row.peers[peer]
            if found != {}:
                cells = [
                    "not run" if found is None else cell(found.get(k)) for k, _ in COLUMNS[peer]
                ]
                yield f"| {row.name} | {' | '.join(cells)} |"
    yield ""


def cell(value: Any) -> str:
    """Print a figure, a figure with two others, or the error in its place."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return "refused: " + value.replace("|", "/")[:60]
    if isinstance(value, list):
        return f"{value[0]:.3g} ({value[1]:.3g}, {value[2]:.3g})"
    return f"{value:.3g}"
