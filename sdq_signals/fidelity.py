"""Fidelity of signals: the shared measures, and spectrum, mean beat, rhythm and coherence."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from sdq_core.characteristics.comparison import (
    Comparison,
    compare_rows,
    compare_scalars,
    real_scalars,
)
from sdq_core.characteristics.conditional import Aspect
from sdq_core.characteristics.drawings import curve, histogram
from sdq_core.characteristics.evaluation import Part
from sdq_core.characteristics.fidelity import Fidelity
from sdq_core.characteristics.replicates import NEIGHBOURS, Replicates, by_kernel, neighbours
from sdq_core.cohort import Cohorts
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import why
from sdq_signals.atypical import atypical_beats, atypical_share
from sdq_signals.features.spectrum import EDGES
from sdq_signals.morphology import (
    STEP,
    beat_panels,
    beats_of,
    common_slots,
    largest_shift,
    mean_beats,
    rate_spread,
)
from sdq_signals.p_waves import PRESENCE, p_wave_presence, regular_without_p
from sdq_signals.wiring import miswired

__all__ = ["APART", "SignalsFidelity"]

APART: Final = (
    "spectrum.band_", "coherence.", "leads.einthoven_mv", "leads.goldberger_mv",
)  # fmt: skip
"""Prefixes of scalars that do not count one by one: those that one measure reads together, and
residuals of the limb leads below the rounding of the file, which are judged by a rule; their
relative forms, which do not go below it, are compared."""
NAMED: Final = "named-features"
"""The named scalars as one vector, robustly scaled and clipped."""

WELCH = "Welch 1967, doi:10.1109/TAU.1967.1161901"
CARTER = "Carter et al. 1973, doi:10.1109/TAU.1973.1162496"
TASK_FORCE = "Task Force of ESC and NASPE 1996, doi:10.1161/01.CIR.93.5.1043"
GRETTON = "Gretton et al. 2012, JMLR 13:723"


class SignalsFidelity(Fidelity):
    """Marginal and joint consistency of recordings."""

    def scalar_names(self, cohorts: Cohorts) -> Sequence[str]:
        """Return the named features, without the bands and the pairs of channels."""
        return real_scalars(cohorts, without=APART)

    def embedding_facts(self, cohorts: Cohorts) -> dict[str, dict[str, Any]]:
        """Return name, version and hash of the embeddings in use."""
        from sdq_signals.describing import SignalsDescriber
        from sdq_signals.settings import SignalsSettings

        describer = SignalsDescriber.of(SignalsSettings.of(cohorts.study.settings))
        return dict(describer.settings["embeddings"])

    def parts(self) -> Sequence[Part]:
        """Return the measures in the order of the report."""
        return (
            Part(("marginal_share_consistent",), self.marginals),
            Part(("spectrum_distance",), self.spectrum),
            Part(("morphology_distance",), self.morphology),
            Part(("rhythm_distance",), self.rhythm),
            Part(("coherence_distance",), self.coherence),
            Part(("energy_distance",), self.energy),
            Part(("frechet_distance",), self.frechet),
            Part(("kernel_distance",), self.kernels),
            Part(("precision", "recall", "density", "coverage"), self.neighbours),
            Part(("c2st_auc",), self.classifier),
            Part(("conditional_excess",), self.conditional),
        )

    def aspects(self, cohorts: Cohorts) -> Iterator[Aspect]:
        """Return the ways in which each subgroup is compared.

        By the energy distance in place of the cubic kernel and the Frechet distance: their powers
        of unbounded features follow one odd recording among the few of a subgroup. Without
        precision, which among so few hardly varies between real parts.
        """
        for aspect in super().aspects(cohorts):
            if aspect.measures == NEIGHBOURS:
                yield dataclasses.replace(aspect, measures=NEIGHBOURS[1:], read=_but_precision)
            elif not set(aspect.measures) & {"kernel_distance", "frechet_distance"}:
                yield aspect
        for name, _, comparison in self._each(cohorts):
            if comparison is not None:
                yield Aspect(("energy_distance",), name, comparison, _energy)

    def kernels(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the kernel distance (cubic)."""
        yield from self.discrepancies("kernel_distance", list(self._each(cohorts)))

    def energy(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the energy distance between the named features."""
        yield from self.discrepancies("energy_distance", [self._named(cohorts)])

    def spectrum(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the distance between mean power spectra, in decibels."""
        id_ = self.id("spectrum_distance")
        names = [n for n in real_scalars(cohorts) if n.startswith("spectrum.band_")]
        comparison = compare_scalars(cohorts, names, cohorts.seed(id_))
        if comparison is None or len(comparison.names) < 3:
            yield Measurement(
                id_,
                aspect="joint_consistency",
                **why("no_variation", what="the power spectrum of one of the cohorts"),
            )
            return
        decibels = comparison.raw * (10 / np.log(10))  # the bands hold natural logarithms
        value, interval, floor = comparison.mean_difference(decibels)
        bands = [int(n[-2:]) - 1 for n in comparison.names]
        edges = np.array(EDGES)
        middle = np.sqrt(edges[:-1] * edges[1:])[bands]
        yield Measurement(
            id_,
            value=value,
            better="lower",
            unit="dB",
            aspect="joint_consistency",
            interval=interval,
            noise_floor=floor,
            n=comparison.n,
            method=Method(
                "root mean square difference of the mean log power over frequency bands",
                WELCH,
                {"bands": list(comparison.names)},
                comparison.seed,
            ),
            details={
                "curve": curve(
                    comparison,
                    decibels,
                    middle.tolist(),
                    "frequency [Hz]",
                    "mean log power [dB]",
                )
                | {"x_log": True}
            },
        )
        # What is lost in two bands of twenty, by a smoothing, the mean over all bands hides.
        yield largest_shift(cohorts, names, id_, "shift")

    def coherence(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the distance between mean coherences of channel pairs."""
        id_ = self.id("coherence_distance")
        names = [n for n in real_scalars(cohorts) if n.startswith("coherence.")]
        comparison = compare_scalars(cohorts, names, cohorts.seed(id_))
        if comparison is None:
            yield Measurement(
                id_,
                aspect="joint_consistency",
                applicable=False,
                **why(
                    "not_applicable",
                    why="nearly all real recordings would need two channels in common, and four "
                    "seconds or more of them",
                    why_zh="需要绝大多数真实记录有两个共同的通道, 且长度不少于约四秒",
                ),
            )
            return
        value, interval, floor = comparison.mean_difference(comparison.raw)
        means = [comparison.raw[r].mean(axis=0) for r in (comparison.reference,
                                                           comparison.synthetic)]  # fmt: skip
        worst = np.argsort(-np.abs(means[1] - means[0]), kind="stable")[:12]
        yield Measurement(
            id_,
            value=value,
            better="lower",
            aspect="joint_consistency",
            interval=interval,
            noise_floor=floor,
            n=comparison.n,
            method=Method(
                "root mean square difference of the mean coherence over channel pairs",
                CARTER,
                {"pairs": len(comparison.names)},
                comparison.seed,
            ),
            details={
                "table": {
                    "columns": ["channels", "real", "synthetic", "difference"],
                    "rows": [
                        [
                            comparison.names[k].removeprefix("coherence."),
                            *(float(m[k]) for m in means),
                            float(means[1][k] - means[0][k]),
                        ]
                        for k in worst
                    ],
                }
            },
        )

    def morphology(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the distances between mean beats, between intervals, and of P-wave presence."""
        id_ = self.id("morphology_distance")
        beats = compare_rows(cohorts, mean_beats, cohorts.seed(f"{id_}/mean-beat"))
        names = [n for n in real_scalars(cohorts) if n.startswith(SHAPES)]
        if beats is None or not names:
            yield Measurement(id_, aspect="joint_consistency", applicable=False, **NO_BEATS)
            return
        for measurement in self.discrepancies("mmd", [("mean-beat", {}, beats)]):
            yield _as_morphology(measurement, id_, beat_panels(cohorts, beats))
        waves = compare_scalars(
            cohorts,
            [n for n in names if n not in (PRESENCE, *RATES, *VARIABILITY)],
            cohorts.seed(f"{id_}/intervals"),
        )
        for measurement in self.discrepancies("mmd", [("intervals", {}, waves)]):
            yield _as_morphology(measurement, id_, {})
        if waves is not None:
            # Intervals vary less than heights: side by side, the heights' noise would hide them.
            for variant, prefixes in (("shift", HEIGHTS), ("interval-shift", INTERVALS)):
                columns = [n for n in waves.names if n.startswith(prefixes)]
                yield largest_shift(cohorts, columns, id_, variant)
            yield atypical_share(waves, id_, "atypical", FAR)
        yield atypical_beats(beats, id_, FAR_BEATS)
        full = beats_of(cohorts, beats)
        slots = common_slots(full, beats)
        yield miswired(beats, full[:, slots, ::STEP], slots, id_, FAR_WIRING)
        relations = [n for n in real_scalars(cohorts, without=APART) if n.startswith("leads.")]
        leads = compare_scalars(cohorts, relations, cohorts.seed(f"{id_}/leads"))
        if leads is not None:
            yield atypical_share(leads, id_, "atypical-leads", FAR_LEADS)
        else:
            yield Measurement(
                id_,
                variant="atypical-leads",
                aspect="joint_consistency",
                applicable=False,
                **why(
                    "not_applicable",
                    why="nearly all real recordings would need leads in common that are related",
                    why_zh="需要绝大多数真实记录有相互关联的共同导联",
                ),
            )
        if PRESENCE in names:
            yield p_wave_presence(cohorts, id_)
            yield regular_without_p(cohorts, id_)

    def rhythm(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the energy distances between heart rates and between their variabilities."""
        id_ = self.id("rhythm_distance")
        names = real_scalars(cohorts)
        rate = [n for n in names if n in RATES]
        variability = [n for n in names if n in VARIABILITY]
        found = False
        for variant, columns in (("rate", rate), ("variability", variability)):
            comparison = compare_scalars(cohorts, columns, cohorts.seed(f"{id_}/{variant}"))
            if comparison is None:
                continue
            found = True
            more = [n for n in names if n == "rhythm.rr_mean_ms"] if variant == "rate" else []
            drawn = compare_scalars(cohorts, [*columns, *more], comparison.seed) or comparison
            for measurement in self.discrepancies("energy_distance", [(variant, {}, comparison)]):
                if measurement.value is None:
                    yield dataclasses.replace(measurement, id=id_)
                    continue
                yield Measurement(
                    id_,
                    value=measurement.value,
                    better="lower",
                    variant=variant,
                    aspect="joint_consistency",
                    interval=measurement.interval,
                    noise_floor=measurement.noise_floor,
                    n=measurement.n,
                    method=Method(
                        f"unbiased energy distance of {', '.join(comparison.names)}",
                        f"{TASK_FORCE}; Szekely & Rizzo 2013, doi:10.1016/j.jspi.2013.03.018",
                        {"features": list(comparison.names)},
                        comparison.seed,
                    ),
                    details={
                        "p": measurement.details["p"],
                        "histograms": [
                            h
                            for k in range(len(drawn.names))
                            if (h := histogram(drawn, k)) is not None
                        ],
                    },
                )
            if variant == "rate":
                yield rate_spread(comparison, id_, TASK_FORCE)
                yield largest_shift(cohorts, [n for n in names if n in BEATS], id_, "rate-shift")
        if not found:
            yield Measurement(id_, aspect="joint_consistency", applicable=False, **NO_BEATS)

    def _each(self, cohorts: Cohorts) -> Iterator[tuple[str, dict[str, Any], Comparison | None]]:
        yield from super()._each(cohorts)
        yield self._named(cohorts)

    def _named(self, cohorts: Cohorts) -> tuple[str, dict[str, Any], Comparison | None]:
        comparison = compare_scalars(
            cohorts, self.scalar_names(cohorts), cohorts.seed(f"comparison/{NAMED}")
        )
        names = () if comparison is None else comparison.names
        return NAMED, {"name": NAMED, "dimension": len(names)}, comparison


FAR: Final = 0.05
FAR_LEADS: Final = 0.01
FAR_BEATS: Final = 0.02
FAR_WIRING: Final = 0.01
"""Shares of the real recordings beyond the limit of the atypical: the smaller, the fewer false
alarms, where a defect moves its recordings far enough to lie beyond it all the same."""
HEIGHTS: Final = ("wave.", "pulse.")
INTERVALS: Final = ("interval.",)
SHAPES: Final = (*INTERVALS, *HEIGHTS)
VARIABILITY: Final = (
    "rhythm.sdnn_ms", "rhythm.irregularity", "rhythm.regular_share", "pulse.interval_deviation_ms",
    "pulse.interval_rmssd_ms",
)  # fmt: skip
BEATS: Final = ("rhythm.rr_mean_ms", "pulse.rate_bpm")
"""Of these the shift of the mean is known best: intervals vary less than rates."""
RATES: Final = ("rhythm.heart_rate", "pulse.rate_bpm")
NO_BEATS: Final = why(
    "not_applicable",
    why="no heart beats are found in the real recordings",
    why_zh="在真实记录中未检出心搏",
)


def _but_precision(comparison: Comparison) -> Sequence[Replicates]:
    return neighbours(comparison)[1:]


def _energy(comparison: Comparison) -> Sequence[Replicates]:
    return (by_kernel(comparison, "energy"),)


def _as_morphology(found: Measurement, id_: str, details: dict[str, Any]) -> Measurement:
    """Give the discrepancy under the id of the morphology."""
    if found.value is None:
        return Measurement(
            id_,
            variant=found.variant,
            aspect=found.aspect,
            reason=found.reason,
            reason_zh=found.reason_zh,
        )
    return Measurement(
        id_,
        value=found.value,
        better="lower",
        variant=found.variant,
        aspect=found.aspect,
        interval=found.interval,
        noise_floor=found.noise_floor,
        n=found.n,
        method=Method(
            "unbiased MMD^2 of mean beats in all leads"
            if found.variant == "mean-beat"
            else "unbiased MMD^2 of wave amplitudes and intervals of the mean beat",
            f"{GRETTON}; Laguna et al. 1997, doi:10.1109/CIC.1997.648140",
            {},
            found.method.seed,
        ),
        details={"p": found.details["p"], **details},
    )
