"""What the readers of a manual review see of a recording: paper and strips in fixed scales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.description import Item
from sdq_core.errors import UnreadableItem
from sdq_core.review.display import Layout
from sdq_core.review.forms import ReviewItem
from sdq_signals.channels import kind_of
from sdq_signals.reading import open_recording
from sdq_signals.recording import Kind, Recording
from sdq_signals.settings import SignalsSettings
from sdq_signals.sheet import Sheet
from sdq_signals.thumbnail import GREY, PINK, SECONDS, SPEED, reach_of, sheet_of

__all__ = ["SignalsDisplayer"]

GAIN: Final = 10.0
"""Millimetres a millivolt, as electrocardiographs are set (AHA/ACC/HRS 2007, part I)."""
MM: Final = 4
"""Pixels a millimetre of paper."""
MOST_PAGES: Final = 12
_KINDS: Final[tuple[Kind, ...]] = ("ecg", "eeg", "ppg", "other")

RATING: Final = (
    ReviewItem("rhythm", "The rhythm is plausible", "节律合理"),
    ReviewItem("morphology", "The shape of waves is plausible", "波形形态合理"),
    ReviewItem("leads", "Leads or channels fit together", "各导联（通道）相互一致"),
    ReviewItem("artefact", "Free of artefacts of generation", "无生成伪影"),
    ReviewItem("label", "It shows what the class says", "内容与类别标签相符", needs_label=True),
)
CHECKS: Final = (
    ReviewItem("complete", "All channels are there, without gaps", "通道齐全且无中断"),
    ReviewItem("scale", "Amplitudes and times can be true", "幅值与时间合乎实际"),
    ReviewItem("names", "Channels are named rightly", "通道名称正确"),
    ReviewItem("meaning", "What it shows does not contradict itself", "内容自身不矛盾"),
)


class SignalsDisplayer:
    """Draws recordings: ECG on millimetre paper at 25 mm/s and 10 mm/mV, strips of other signals.

    Parameters
    ----------
    settings : SignalsSettings

    Examples
    --------
    >>> [item.id for item in SignalsDisplayer(SignalsSettings()).rating_items][:2]
    ['rhythm', 'morphology']
    """

    rating_items: Final = RATING
    check_items: Final = CHECKS

    def __init__(self, settings: SignalsSettings) -> None:
        self._settings = settings

    def facts(self, item: Item) -> Mapping[str, float] | None:
        """Return kind, channels, rate, length, and the reach of an EEG."""
        opened = self._open(item)
        if opened is None:
            return None
        recording, kind, rows = opened
        samples = recording.read(0, min(recording.length, self._window(kind, recording.rate)))
        sheet = self._sheet(samples[rows], recording, kind, rows, {})
        return {
            "kind": float(_KINDS.index(kind)),
            "channels": float(len(rows)),
            "rate": float(recording.rate),
            "seconds": round(recording.duration, 3),
            "calibrated": float(all(recording.channels[k].factor is not None for k in rows)),
            "reach": reach_of(samples[rows]) if kind == "eeg" else 0.0,
            "width": float(sheet.width),
            "height": float(sheet.height),
        }

    def layout(self, facts: Sequence[Mapping[str, float]]) -> Layout:
        """Return paper that holds every recording."""
        kinds = {_KINDS[int(f["kind"])] for f in facts}
        calibrated = all(f["calibrated"] for f in facts)
        reach = float(np.median([f["reach"] for f in facts])) if kinds == {"eeg"} else 0.0
        colours = Sheet(1, 1, *(PINK if kinds == {"ecg"} else GREY)).palette()
        note, note_zh = "", ""
        if kinds == {"ecg"} and calibrated:
            note = (
                f"{SPEED:g} mm/s, {GAIN:g} mm/mV, small square 1 mm, pulse 1 mV and 0.2 s; "
                f"no filter was applied"
            )
            note_zh = (
                f"走纸 {SPEED:g} mm/s，增益 {GAIN:g} mm/mV，小格 1 mm，定标 1 mV、0.2 s；未滤波"
            )
        elif kinds == {"eeg"}:
            note = "One scale for all channels and all cases, negative up; no filter was applied"
            note_zh = "所有通道与样本同一比例，负向朝上；未滤波"
        return Layout(
            width=int(max(f["width"] for f in facts)),
            height=int(max(f["height"] for f in facts)),
            palette=tuple(
                (colours[k], colours[k + 1], colours[k + 2]) for k in range(0, len(colours), 3)
            ),
            frame="page", frame_zh="页", note=note, note_zh=note_zh,
            settings={"calibrated": calibrated, "reach": reach},
        )  # fmt: skip

    def frames(self, item: Item, layout: Layout) -> NDArray[np.uint8] | None:
        """Return pages of ten seconds, from the beginning, evenly spaced where there are many."""
        opened = self._open(item)
        if opened is None:
            return None
        recording, kind, rows = opened
        window = min(recording.length, self._window(kind, recording.rate))
        count = max(1, recording.length // window)
        pages = np.unique(np.linspace(0, count - 1, min(count, MOST_PAGES)).astype(int))
        found = np.zeros((len(pages), layout.height, layout.width), np.uint8)
        for place, page in enumerate(pages.tolist()):
            samples = recording.read(page * window, (page + 1) * window)[rows]
            sheet = self._sheet(samples, recording, kind, rows, layout.settings).pixels()
            high, wide = min(sheet.shape[0], layout.height), min(sheet.shape[1], layout.width)
            found[place, :high, :wide] = sheet[:high, :wide]
        return found

    def _open(self, item: Item) -> tuple[Recording, Kind, list[int]] | None:
        try:
            recording = open_recording(item, self._settings)
            names = [c.name for c in recording.channels]
            kind = kind_of(names) if self._settings.kind == "auto" else self._settings.kind
            own = [k for k, c in enumerate(recording.channels) if c.kind == kind]
            if not recording.length or not names:
                return None
            recording.read(0, 1)
        except UnreadableItem:
            return None
        return recording, kind, own or list(range(len(names)))

    def _window(self, kind: Kind, rate: float) -> int:
        seconds = SECONDS if kind in ("ecg", "eeg") else max(SECONDS, 300 / rate)
        return max(1, round(seconds * rate))

    def _sheet(
        self,
        samples: NDArray[np.float32],
        recording: Recording,
        kind: Kind,
        rows: list[int],
        settings: Mapping[str, float | bool],
    ) -> Sheet:
        calibrated = all(recording.channels[k].factor is not None for k in rows)
        labels = [recording.channels[k].label for k in rows]
        return sheet_of(
            samples, recording.rate, labels, kind,
            calibrated=calibrated and bool(settings.get("calibrated", True)),
            gain=GAIN, mm=MM, common_reach=float(settings.get("reach", 0.0)) or None,
        )  # fmt: skip
