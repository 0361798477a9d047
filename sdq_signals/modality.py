"""The signals plugin: what `sdq_core` asks of a modality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sdq_core.characteristics import CharacteristicEvaluation
from sdq_core.description import Item
from sdq_core.measures import measure_texts
from sdq_core.modality import Listing, Modality
from sdq_core.result import MeasureText

if TYPE_CHECKING:
    from sdq_core.in_memory.data import InMemory
    from sdq_core.modality import Describer
    from sdq_core.study import CohortSource, Study
    from sdq_signals.display import SignalsDisplayer
    from sdq_signals.planting.planter import SignalsPlanter

__all__ = ["Signals"]

HERE = Path(__file__).parent

REQUIREMENTS = {"PIL": "pillow", "edfio": "edfio", "pydicom": "pydicom"}
"""Import name -> distribution, of the extra ``signals``."""


class Signals(Modality):
    """Physiological signals: WFDB, EDF and BDF, DICOM waveforms, tables and arrays."""

    name: ClassVar[str] = "signals"
    default_profile: ClassVar[str] = "signals-default"

    @classmethod
    def check_requirements(cls) -> str | None:
        """Return None, or the distributions of the extra that are missing."""
        missing = [d for module, d in REQUIREMENTS.items() if find_spec(module) is None]
        if not missing:
            return None
        return f"needs {', '.join(sorted(missing))}; install with: pip install 'sdq[signals]'"

    def items(self, source: Path, settings: Mapping[str, Any]) -> Listing:
        """List the recordings of a folder or file."""
        from sdq_signals.reading import list_items
        from sdq_signals.settings import SignalsSettings

        return list_items(source, SignalsSettings.of(settings))

    def stage(self, data: InMemory, folder: Path, settings: Mapping[str, Any]) -> CohortSource:
        """Write recordings that lie in memory into a folder."""
        from sdq_signals.staging import stage

        return stage(data, folder, settings)

    def describer(self, study: Study) -> Describer:
        """Return the describer with the study's settings."""
        from sdq_signals.describing import SignalsDescriber
        from sdq_signals.settings import SignalsSettings

        return SignalsDescriber.of(SignalsSettings.of(study.settings))

    def characteristics(self, study: Study) -> Sequence[CharacteristicEvaluation]:
        """Return the evaluations, in the standard's order."""
        from sdq_core.characteristics.utility import Utility
        from sdq_signals.balance import SignalsBalance
        from sdq_signals.completeness import SignalsCompleteness
        from sdq_signals.explainability import SignalsExplainability
        from sdq_signals.fidelity import SignalsFidelity
        from sdq_signals.metadata import SignalsMetadata
        from sdq_signals.privacy import SignalsPrivacy

        return tuple(
            evaluation(self.name)
            for evaluation in (
                SignalsFidelity,
                SignalsBalance,
                SignalsCompleteness,
                SignalsMetadata,
                SignalsPrivacy,
                SignalsExplainability,
                Utility,
            )
        )

    def profile_folder(self) -> Path:
        """Return the folder of the shipped profiles."""
        return HERE / "profiles"

    def study_template(self) -> str:
        """Return the commented study file."""
        return (HERE / "study_template.yaml").read_text(encoding="utf-8")

    def measures(self) -> dict[str, MeasureText]:
        """Return title, explanation and Chinese method of each measure."""
        return measure_texts(self.name, HERE / "measures.yaml")

    def thumbnail(self, item: Item, settings: Mapping[str, Any]) -> bytes | None:
        """Return a PNG: an electrocardiogram on millimetre paper, strips of other signals."""
        from sdq_signals.settings import SignalsSettings
        from sdq_signals.thumbnail import thumbnail

        return thumbnail(item, SignalsSettings.of(settings))

    def planter(self, study: Study) -> SignalsPlanter:
        """Return what plants defects in the study's recordings."""
        from sdq_signals.planting.planter import SignalsPlanter

        return SignalsPlanter(study)

    def displayer(self, study: Study) -> SignalsDisplayer:
        """Return what draws recordings for readers: paper and strips in fixed scales."""
        from sdq_signals.display import SignalsDisplayer
        from sdq_signals.settings import SignalsSettings

        return SignalsDisplayer(SignalsSettings.of(study.settings))
