"""The key to the drawings of measurements."""

from __future__ import annotations

from sdq_core.documents.axis import draw_axis
from sdq_core.result import CriterionModel, IntervalModel, MeasurementModel
from sdq_core.vocabulary import Characteristic

__all__ = ["key_drawing"]


def key_drawing(language: str) -> str:
    """Draw a made-up measurement: the key to all drawings."""
    return draw_axis(
        MeasurementModel(
            id="key.fidelity.drawing",
            characteristic=Characteristic.FIDELITY,
            value=0.55,
            interval=IntervalModel(low=0.44, high=0.68, level=0.95, method=""),
            noise_floor=IntervalModel(low=0.08, high=0.38, level=0.95, method="", centre=0.2),
            criterion=CriterionModel(mandatory=True, rule={}, reason="", source="", high=0.8),
            code="interval_inside",
        ),
        language,
    )
