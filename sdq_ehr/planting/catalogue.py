"""The catalogue of planted defects of health records, and the recipe of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sdq_core.calibration.defect import Defect
from sdq_core.vocabulary import Characteristic
from sdq_ehr.planting.catalogue_contents import content_defects, patient_defects
from sdq_ehr.planting.catalogue_rules import GROUPS, STROKES, file_defects, rule_defects
from sdq_ehr.planting.contents import CONTENTS
from sdq_ehr.planting.copying import COPIES
from sdq_ehr.planting.groups import GROUPS_OF_PATIENTS
from sdq_ehr.planting.plot import Plot
from sdq_ehr.planting.strokes import Recipe, Stroke, planted_by, strokes_recipe
from sdq_ehr.planting.strokes_files import file_recipes

__all__ = ["CATALOGUE", "UNPLANTED", "planted_rules", "recipe_of", "strokes_of"]

_RECIPES: Final[dict[str, Recipe]] = {
    **CONTENTS,
    **GROUPS_OF_PATIENTS,
    **COPIES,
    **{name: strokes_recipe([STROKES[r] for r in rules]) for name, rules in GROUPS.items()},
    **file_recipes(),
}  # fmt: skip


def _ordered(defects: Iterable[Defect]) -> tuple[Defect, ...]:
    order = list(Characteristic)
    return tuple(sorted(defects, key=lambda d: order.index(d.targets[0])))


CATALOGUE: Final[tuple[Defect, ...]] = _ordered(
    (*content_defects(), *rule_defects(), *file_defects(), *patient_defects())
)
"""All defects, in the order of the characteristics that they shall fail."""

_STUDY = "it judges the study and not the synthetic records"
UNPLANTED: Final[Mapping[str, str]] = {
    "ehr.utility.trtr_auc": "trained and tested on real records: no synthetic one enters",
    "ehr.explainability.process_traceability": f"{_STUDY}: the generator's description",
    "ehr.conformity.schema_proposed": f"{_STUDY}: whether a schema was given",
    "ehr.conformity.column_not_described": f"{_STUDY}: the descriptions in its schema",
    "ehr.structure.path_outside": f"{_STUDY}: the file names in its schema",
    "ehr.roles.same_patient": "it judges the real cohorts, which calibration leaves as they are",
    "ehr.roles.holdout_holds_train": "it judges the real cohorts, which calibration leaves as they "
    "are",
    "ehr.privacy.copy_of_holdout": "copies are taken from the training patients alone",
    "ehr.identifier.key_pseudonymous": "it tells that a key is as it should be",
    "ehr.identifier.file_name": "files keep the names by which the schema finds them",
    "ehr.lineage.*": "they judge the lineage table and the generator's description, which the "
    "study names",
    "ehr.structure.unreadable_file": "needs a file without the right to read it, which not every "
    "system and user have",
    "ehr.structure.unreadable_folder": "needs a folder without the right to read it, which not "
    "every system and user have",
    "ehr.structure.gone": "needs files that change while they are evaluated",
    "ehr.codes.not_active": "needs the user's own list, which tells retired codes",
}
"""Measures and rules that no defect plants, and why; ``*`` stands for the rest of an id."""


def recipe_of(name: str) -> Recipe:
    """Return how a defect is planted.

    Parameters
    ----------
    name : str
        Id of a defect of `CATALOGUE`.
    """
    return _RECIPES[name]


def strokes_of(name: str) -> tuple[Stroke, ...]:
    """Return the strokes of a defect; empty where it is planted as a whole."""
    return tuple(STROKES[r] for r in GROUPS.get(name, ()))


def planted_rules(defect: Defect, plot: Plot) -> frozenset[str]:
    """Return which rules of a defect have a place in some records.

    Parameters
    ----------
    defect : Defect
        Of `CATALOGUE`.
    plot : Plot

    Raises
    ------
    CannotPlant
        None has that would fail a characteristic.
    """
    if strokes := strokes_of(defect.id):
        return planted_by(strokes, plot, defect.unacceptable)
    return frozenset(s for s in defect.sees if s.split(".")[1] not in list(Characteristic))
