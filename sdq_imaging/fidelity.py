"""Fidelity of images: the shared measures, and spectrum, diversity and pairs of pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.comparison import (
    Comparison,
    compare_scalars,
    fresh_sample_floor,
    shared_scalars,
    spread,
)
from sdq_core.characteristics.conditional import Aspect
from sdq_core.characteristics.drawings import curve
from sdq_core.characteristics.evaluation import Part
from sdq_core.characteristics.fidelity import Fidelity
from sdq_core.characteristics.replicates import Replicates
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import why
from sdq_core.statistics import half_sample_weights, split_indices
from sdq_imaging import region_fidelity
from sdq_imaging.features.spectrum import BANDS
from sdq_imaging.grey import grey_square
from sdq_imaging.paired import MEASURES, paired

__all__ = ["ImagingFidelity"]

DIVERSITY_ITEMS = 64
DIVERSITY_SIDE = 128
LEAST_SUBJECTS = 4
WANG = "Wang et al. 2003, doi:10.1109/ACSSC.2003.1292216; Odena et al. 2017, arXiv:1610.09585"
SPECTRUM = "Durall et al. 2020, arXiv:2003.01826"

Index = NDArray[np.intp]

SPECTRA: Final[dict[str | None, tuple[tuple[str, ...], str]]] = {
    None: (("spectrum.band_",), "radial frequency (1 = Nyquist)"),
    "volume": (("volume.band_",), "radial frequency (1 = Nyquist)"),
    "through-plane": (("volume.through_0",), "frequency across slices (1 = Nyquist)"),
}
"""Variant -> prefixes of the bands' names, and what they run over. Logarithms of power."""
LOG_POWER: Final = "mean log power [dB]"
DECIBELS: Final = 10 / np.log(10)
LEAST_BANDS: Final = 3


class ImagingFidelity(Fidelity):
    """Marginal and joint consistency of images."""

    def embedding_facts(self, cohorts: Cohorts) -> dict[str, dict[str, Any]]:
        """Return name, version and hash of the embeddings in use."""
        from sdq_imaging.embeddings.registry import facts_of
        from sdq_imaging.settings import ImagingSettings

        settings = ImagingSettings.of(cohorts.study.settings)
        return {asked.called: facts_of(asked) for asked in settings.embeddings}

    def parts(self) -> Sequence[Part]:
        """Return the shared measures and those of pixels."""
        return (
            *super().parts(),
            Part(("spectrum_distance",), self.spectrum),
            Part(("ms_ssim_diversity",), self.diversity),
            Part(("region_mmd",), lambda c: region_fidelity.regions(self.id("region_mmd"), c)),
            Part(
                ("region_count_distance",),
                lambda c: region_fidelity.counts(self.id("region_count_distance"), c),
            ),
            Part(
                ("region_agreement",),
                lambda c: region_fidelity.agreement(self.id("region_agreement"), c),
            ),
            Part(MEASURES, self.pairs),
        )

    def aspects(self, cohorts: Cohorts) -> Iterator[Aspect]:
        """Return the shared aspects and the power spectra."""
        yield from super().aspects(cohorts)
        for variant, names in SPECTRA.items():
            comparison = self._bands(cohorts, names, "conditional")
            if comparison is not None:
                yield Aspect(("spectrum_distance",), variant, comparison, _spectrum)

    def spectrum(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the distance between mean power spectra, in decibels.

        Radial spectra of slices; of volumes also those of three axes and across the slices.
        """
        id_ = self.id("spectrum_distance")
        for variant, (prefixes, label) in SPECTRA.items():
            if variant is not None and not _real_have(cohorts, prefixes):
                continue
            comparison = self._bands(cohorts, (prefixes, label), "spectrum")
            if comparison is None:
                what = "the radial power spectrum of one of the cohorts"
                yield Measurement(
                    id_,
                    variant=variant,
                    aspect="joint_consistency",
                    **why("no_variation", what=what),
                )
                continue
            decibels = comparison.raw * DECIBELS
            value, interval, floor = comparison.mean_difference(decibels)
            details = {}
            if variant is None:
                places = [(int(n[-2:]) - 0.5) / BANDS for n in comparison.names]
                details["curve"] = curve(comparison, decibels, places, label, LOG_POWER)
            yield Measurement(
                id_,
                value=value,
                better="lower",
                unit="dB",
                variant=variant,
                aspect="joint_consistency",
                interval=interval,
                noise_floor=floor,
                n=comparison.n,
                method=Method(
                    "root mean square difference of the mean log power over frequency bands",
                    SPECTRUM,
                    {"bands": list(comparison.names)},
                    comparison.seed,
                ),
                details=details,
            )

    def _bands(
        self, cohorts: Cohorts, spectrum: tuple[tuple[str, ...], str], purpose: str
    ) -> Comparison | None:
        names = [n for n in shared_scalars(cohorts) if n.startswith(spectrum[0])]
        seed = cohorts.seed(f"{self.id('spectrum_distance')}/{purpose}/{spectrum[0][0]}")
        found = compare_scalars(cohorts, names, seed)
        return found if found is not None and len(found.names) >= LEAST_BANDS else None

    def diversity(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the mean MS-SSIM of pairs inside the synthetic set, beside the real set's own."""
        from sdq_imaging.structural_similarity import pairwise_ms_ssim

        id_ = self.id("ms_ssim_diversity")
        device = str(cohorts.study.settings.get("device", "cpu"))
        synthetic, groups = _pictures([cohorts.synthetic], DIVERSITY_ITEMS)
        real, real_groups = _pictures(cohorts.real, 2 * DIVERSITY_ITEMS)
        size = min(len(synthetic), len(real) // 2)
        if size < 16:
            yield Measurement(
                id_, **why("too_few", needed=16, what="2-D images on each side", found=size)
            )
            return
        synthetic, groups = synthetic[:size], groups[:size]
        subjects = min(len(set(groups.tolist())), len(set(real_groups.tolist())))
        if subjects < LEAST_SUBJECTS:  # pairs inside one subject do not count
            yield Measurement(
                id_,
                **why("too_few", needed=LEAST_SUBJECTS, what="subjects a side", found=subjects),
            )
            return

        def matrix(images: NDArray[np.float32]) -> NDArray[np.float64]:
            i, j = np.triu_indices(len(images), 1)
            found = np.full((len(images), len(images)), np.nan)
            pairs = np.column_stack([i, j])
            found[i, j] = pairwise_ms_ssim(images, pairs, 1.0, device=device)
            return found

        def mean(m: NDArray[np.float64], rows: Index, g: NDArray[np.str_]) -> float:
            part = m[np.ix_(rows, rows)]
            different = g[rows][:, None] != g[rows][None]
            return float(part[np.triu(different, 1)].mean())

        own, reference = matrix(synthetic), matrix(real)
        everything = np.arange(size)
        value = mean(own, everything, groups)
        seed = cohorts.seed(id_)
        halves = np.array(
            [mean(own, np.flatnonzero(w), groups) for w in half_sample_weights(groups, 200, seed)]
        )
        rng = np.random.default_rng([seed, 1])
        null = []
        for _ in range(200):
            rows, _ = split_indices(real_groups, (size, len(real) - size), rng)
            null.append(mean(reference, np.sort(rows), real_groups))
        yield Measurement(
            id_,
            value=value,
            better="closer",
            interval=spread(value, halves, 0.0, 1.0),
            noise_floor=fresh_sample_floor(
                np.array(null), size, len(real), "random parts of the real pool"
            ),
            n={"synthetic": size, "real": len(real)},
            method=Method(
                f"mean MS-SSIM of all pairs of {size} images at {DIVERSITY_SIDE} pixels",
                WANG,
                {"side": DIVERSITY_SIDE},
                seed,
            ),
        )

    def pairs(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Compare synthetic items with the real ones that they are declared to stand for."""
        return paired(self.modality, cohorts)


def _pictures(cohorts: Sequence[Cohort], most: int) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Open a uniform sample of the readable items, chosen by content digest, as grey squares."""
    candidates = [
        (c.table.items[r], str(c.groups[r]))
        for c in cohorts
        for r in np.flatnonzero(c.table.readable)
    ]
    candidates.sort(key=lambda pair: (pair[0].digest, pair[0].id))
    images, groups = [], []
    for item, group in candidates:
        picture = grey_square(item, DIVERSITY_SIDE)
        if picture is not None:
            images.append(picture)
            groups.append(group)
        if len(images) == most:
            break
    shape = (0, DIVERSITY_SIDE, DIVERSITY_SIDE)
    stack = np.stack(images) if images else np.empty(shape, np.float32)
    return stack, np.array(groups, dtype=np.str_)


def _real_have(cohorts: Cohorts, prefixes: tuple[str, ...]) -> bool:
    """Whether most real items have the bands: only the real cohorts decide what applies."""
    names = [n for c in cohorts.real for n in c.table.scalar_names if n.startswith(prefixes)]
    return bool(names) and all(
        np.isfinite(c.table.scalar(names[0])[c.table.readable]).mean() > 0.5 for c in cohorts.real
    )


def _spectrum(comparison: Comparison) -> Sequence[Replicates]:
    decibels = comparison.raw * DECIBELS

    def distances(pairs: Sequence[tuple[Index, Index]]) -> NDArray[np.float64]:
        a, b = (w / w.sum(axis=1, keepdims=True) for w in comparison.weights(pairs))
        return np.asarray(np.sqrt((((a - b) @ decibels) ** 2).mean(axis=1)))

    value = float(distances([(comparison.reference, comparison.synthetic)])[0])
    halves, null = distances(comparison.halves), distances(comparison.splits)
    return (Replicates(value, halves, null, "lower", 0.0, np.inf),)
