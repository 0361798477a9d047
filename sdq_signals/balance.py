"""Volume and balance of signals: the shared measures, and the hours that were recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sdq_core.characteristics.balance import Balance
from sdq_core.characteristics.evaluation import Part
from sdq_core.cohort import Cohorts
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import why

__all__ = ["SignalsBalance"]


class SignalsBalance(Balance):
    """Amount in items and in hours, and balance over classes and attributes."""

    def parts(self) -> Sequence[Part]:
        """Return the shared measures, the duration behind the amount."""
        amount, *others = super().parts()
        return (amount, Part(("duration_total",), self.duration), *others)

    def duration(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the total duration of the readable synthetic recordings, in hours."""
        table = cohorts.synthetic.table
        seconds = table.scalar("recording.duration_s")[table.readable]
        known = seconds[np.isfinite(seconds)]
        if len(known) == 0:
            yield Measurement(
                self.id("duration_total"),
                **why("too_few", needed=1, what="synthetic item", found=0),
            )
            return
        yield Measurement(
            self.id("duration_total"),
            value=float(known.sum() / 3600),
            better="higher",
            unit="h",
            n={"synthetic": len(known)},
            method=Method("sum of durations of readable recordings", "ISO/IEC 5259-2:2024"),
        )
