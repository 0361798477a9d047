"""The health-records plugin: what `sdq_core` asks of a modality."""

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
    from sdq_core.calibration.defect import Planter
    from sdq_core.in_memory.data import InMemory
    from sdq_core.modality import Describer
    from sdq_core.study import CohortSource, Study
    from sdq_ehr.display import EhrDisplayer

__all__ = ["Ehr"]

HERE = Path(__file__).parent

REQUIREMENTS = {"PIL": "pillow"}
"""Import name -> distribution, of the extra ``ehr``."""


class Ehr(Modality):
    """Health records: tables, coded values, OMOP and FHIR; an item is a patient."""

    name: ClassVar[str] = "ehr"
    default_profile: ClassVar[str] = "ehr-default"

    def prepared(self, study: Study) -> Study:
        """Return the study with its schema in it."""
        from sdq_ehr.preparing import prepared

        return prepared(study)

    def items(self, source: Path, settings: Mapping[str, Any]) -> Listing:
        """List the patients of a folder of tables, OMOP or FHIR files, or of one file."""
        from sdq_ehr.reading import list_items
        from sdq_ehr.settings import EhrSettings

        return list_items(source, EhrSettings.of(settings))

    def stage(self, data: InMemory, folder: Path, settings: Mapping[str, Any]) -> CohortSource:
        """Write frames that lie in memory into a folder."""
        from sdq_ehr.staging import stage

        return stage(data, folder, settings)

    def describer(self, study: Study) -> Describer:
        """Return the describer with the study's schema and layout."""
        from sdq_ehr.describing import EhrDescriber

        return EhrDescriber.of(study)

    def characteristics(self, study: Study) -> Sequence[CharacteristicEvaluation]:
        """Return the evaluations, in the standard's order."""
        from sdq_ehr.balance import EhrBalance
        from sdq_ehr.completeness import EhrCompleteness
        from sdq_ehr.explainability import EhrExplainability
        from sdq_ehr.fidelity import EhrFidelity
        from sdq_ehr.metadata import EhrMetadata
        from sdq_ehr.privacy import EhrPrivacy
        from sdq_ehr.utility import EhrUtility

        return tuple(
            evaluation(self.name)
            for evaluation in (
                EhrFidelity,
                EhrBalance,
                EhrCompleteness,
                EhrMetadata,
                EhrPrivacy,
                EhrExplainability,
                EhrUtility,
            )
        )

    def profile_folder(self) -> Path:
        """Return the folder of the shipped profiles."""
        return HERE / "profiles"

    def study_template(self) -> str:
        """Return the commented study file."""
        return (HERE / "study_template.yaml").read_text(encoding="utf-8")

    def proposal(self, data: Path) -> str | None:
        """Return a ``schema.yaml`` proposed from the data, with the reason of each guess."""
        from sdq_ehr.proposing import propose_yaml

        return propose_yaml(data)

    def thumbnail(self, item: Item, settings: Mapping[str, Any]) -> bytes | None:
        """Return a PNG: the patient's record along time."""
        from sdq_ehr.settings import EhrSettings
        from sdq_ehr.timeline import timeline

        return timeline(item, EhrSettings.of(settings))

    def planter(self, study: Study) -> Planter:
        """Return what plants defects in the study's real records."""
        from sdq_ehr.planting.planter import EhrPlanter

        return EhrPlanter(study)

    def displayer(self, study: Study) -> EhrDisplayer:
        """Return what draws records for readers: lanes along time, then every row."""
        from sdq_ehr.display import EhrDisplayer
        from sdq_ehr.settings import EhrSettings

        return EhrDisplayer(EhrSettings.of(study.settings))

    @classmethod
    def check_requirements(cls) -> str | None:
        """Return None, or the distributions of the extra that are missing.

        Packages of code lists are not among them: without one, its codes are not decided.
        """
        missing = [d for module, d in REQUIREMENTS.items() if find_spec(module) is None]
        if not missing:
            return None
        return f"needs {', '.join(sorted(missing))}; install with: pip install 'sdq[ehr]'"

    def measures(self) -> dict[str, MeasureText]:
        """Return title, explanation and Chinese method of each measure."""
        return measure_texts(self.name, HERE / "measures.yaml")
