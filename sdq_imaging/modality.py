"""The imaging plugin: what `sdq_core` asks of a modality."""

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
    from sdq_imaging.display import ImagingDisplayer
    from sdq_imaging.planting.planter import ImagingPlanter

__all__ = ["Imaging"]

HERE = Path(__file__).parent

REQUIREMENTS = {
    "PIL": "pillow",
    "gdcm": "python-gdcm",
    "monai": "monai",
    "nibabel": "nibabel",
    "openjpeg": "pylibjpeg-openjpeg",
    "pydicom": "pydicom",
    "torch": "torch",
}
"""Import name -> distribution, of the extra ``imaging``."""


class Imaging(Modality):
    """Images and volumes: DICOM, NIfTI, pictures and array stacks."""

    name: ClassVar[str] = "imaging"
    default_profile: ClassVar[str] = "imaging-default"

    @classmethod
    def check_requirements(cls) -> str | None:
        """Return None, or the distributions of the extra that are missing."""
        missing = [d for module, d in REQUIREMENTS.items() if find_spec(module) is None]
        if not missing:
            return None
        return f"needs {', '.join(sorted(missing))}; install with: pip install 'sdq[imaging]'"

    def prepared(self, study: Study) -> Study:
        """Return the study with the hash and the length of each embedding that takes a file."""
        from sdq_imaging.preparing import prepared

        return prepared(study)

    def items(self, source: Path, settings: Mapping[str, Any]) -> Listing:
        """List the images and volumes of a folder or file."""
        from sdq_imaging.reading import list_items, with_masks
        from sdq_imaging.settings import ImagingSettings

        options = ImagingSettings.of(settings)
        found = list_items(source, max_pixels=options.max_pixels, dimensions=options.dimensions)
        return found if options.masks is None else with_masks(found, Path(options.masks))

    def stage(self, data: InMemory, folder: Path, settings: Mapping[str, Any]) -> CohortSource:
        """Write images that lie in memory into a folder."""
        from sdq_imaging.staging import stage

        return stage(data, folder)

    def describer(self, study: Study) -> Describer:
        """Return the describer with the study's settings."""
        from sdq_imaging.describing import ImagingDescriber
        from sdq_imaging.settings import ImagingSettings

        return ImagingDescriber.of(ImagingSettings.of(study.settings))

    def characteristics(self, study: Study) -> Sequence[CharacteristicEvaluation]:
        """Return the evaluations, in the standard's order."""
        from sdq_core.characteristics.balance import Balance
        from sdq_core.characteristics.explainability import Explainability
        from sdq_core.characteristics.utility import Utility
        from sdq_imaging.completeness import ImagingCompleteness
        from sdq_imaging.fidelity import ImagingFidelity
        from sdq_imaging.metadata import ImagingMetadata
        from sdq_imaging.privacy import ImagingPrivacy

        return tuple(
            evaluation(self.name)
            for evaluation in (
                ImagingFidelity,
                Balance,
                ImagingCompleteness,
                ImagingMetadata,
                ImagingPrivacy,
                Explainability,
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
        """Return a PNG of at most 160 pixels a side, None for an unreadable item."""
        from sdq_imaging.thumbnail import thumbnail

        return thumbnail(item)

    def planter(self, study: Study) -> ImagingPlanter:
        """Return what plants the catalogue's defects in the study's own images."""
        from sdq_imaging.planting.planter import ImagingPlanter

        return ImagingPlanter(study)

    def displayer(self, study: Study) -> ImagingDisplayer:
        """Return what draws images for readers: one canvas, windows, slices."""
        from sdq_imaging.display import ImagingDisplayer
        from sdq_imaging.settings import ImagingSettings

        return ImagingDisplayer(ImagingSettings.of(study.settings).max_pixels)
