"""The Raman plugin: what `sdq_core` asks of a modality. Nothing heavy is imported at the top."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sdq_core.characteristics import CharacteristicEvaluation
from sdq_core.errors import StudyError
from sdq_core.measures import measure_texts
from sdq_core.modality import Describer, Listing, Modality
from sdq_core.result import MeasureText
from sdq_core.study import Study

HERE = Path(__file__).parent


class Raman(Modality):
    """Raman spectra, one CSV file each: lines ``# key: value``, then wavenumber and counts."""

    name = "raman"
    default_profile = "raman-default"

    def settings_schema(self) -> Mapping[str, Any]:
        return {"first": 600.0, "last": 1800.0}  # range in 1/cm in which spectra are compared

    def items(self, source: Path, settings: Mapping[str, Any]) -> Listing:
        from sdq_raman.spectra import list_spectra

        return list_spectra(source)

    def describer(self, study: Study) -> Describer:
        from sdq_raman.spectra import RamanDescriber

        allowed = self.settings_schema()
        for key, value in study.settings.items():
            if key not in allowed or not isinstance(value, int | float):
                raise StudyError(
                    f"study: settings.{key} is unknown or no number (allowed: {', '.join(allowed)})"
                )
        return RamanDescriber({**allowed, **study.settings})

    def characteristics(self, study: Study) -> Sequence[CharacteristicEvaluation]:
        from sdq_raman import measuring

        return tuple(evaluation(self.name) for evaluation in measuring.EVALUATIONS)

    def profile_folder(self) -> Path:
        return HERE / "profiles"

    def study_template(self) -> str:
        return (HERE / "study_template.yaml").read_text(encoding="utf-8")

    def measures(self) -> dict[str, MeasureText]:
        return measure_texts(self.name, HERE / "measures.yaml")
