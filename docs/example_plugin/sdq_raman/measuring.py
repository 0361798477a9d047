"""What Raman adds to the core's characteristics."""

from sdq_core.characteristics.balance import Balance
from sdq_core.characteristics.comparison import compare_embedding
from sdq_core.characteristics.completeness import Completeness
from sdq_core.characteristics.evaluation import Part
from sdq_core.characteristics.explainability import Explainability
from sdq_core.characteristics.fidelity import Fidelity
from sdq_core.characteristics.metadata import Metadata
from sdq_core.characteristics.privacy import Privacy
from sdq_core.characteristics.utility import Utility
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import why


class RamanFidelity(Fidelity):
    """The shared measures on bands and spectra, and the distance of mean spectra."""

    def embedding_facts(self, cohorts):
        return {"spectrum": {"version": "1", "dimension": 43}}

    def parts(self):
        return (*super().parts(), Part(("mean_spectrum_distance",), self.mean_spectrum))

    def mean_spectrum(self, cohorts):
        """Measure how far the mean synthetic spectrum lies from the mean real one."""
        id_ = self.id("mean_spectrum_distance")
        found = compare_embedding(cohorts, "spectrum")
        if found is None or min(found.sizes) < 4:
            size = 0 if found is None else min(found.sizes)
            yield Measurement(
                id_, **why("too_few", needed=4, what="items in each cohort", found=size)
            )
            return
        value, interval, floor = found.mean_difference(found.raw)
        source = "Barnes et al. 1989 (standard normal variate), doi:10.1366/0003702894202201"
        name = "root mean square difference of the mean standardised spectra"
        yield Measurement(
            id_, value, better="lower", interval=interval, noise_floor=floor, n=found.n,
            aspect="joint_consistency", method=Method(name, source, seed=found.seed),
        )  # fmt: skip


class RamanCompleteness(Completeness):
    """Structure and duplicates; no rule of spectra speaks of semantics."""

    def parts(self):
        return tuple(p for p in super().parts() if p.measures != ("semantics_share",))


class RamanMetadata(Metadata):
    """The shared shares; a header line declares a spectrum synthetic."""

    def declares_synthetic(self, metadata, attributes):
        return metadata.get("synthetic", "").lower() == "yes"


class RamanPrivacy(Privacy):
    """Identifiers and exact copies; near copies need a search (`sdq_core.statistics.matches`)."""

    def parts(self):
        return super().parts()[:2]


EVALUATIONS = (RamanFidelity, Balance, RamanCompleteness, RamanMetadata, RamanPrivacy,
               Explainability, Utility)  # fmt: skip
