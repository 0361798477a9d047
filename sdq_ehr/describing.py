"""Step 2 for health records: a patient becomes a point, findings, and the hash of the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sdq_core.description import Description, Item
from sdq_core.errors import SdqError
from sdq_core.finding import Finding
from sdq_core.study import Study
from sdq_core.vocabulary import Severity
from sdq_ehr.patient_rows import Layout
from sdq_ehr.preparing import describer_settings, layout_of
from sdq_ehr.settings import EhrSettings

if TYPE_CHECKING:
    from sdq_ehr.judged import Judged

__all__ = ["EMBEDDING", "EhrDescriber"]

EMBEDDING = "patient-rows"
"""The patient's row as a point (`sdq_ehr.patient_rows.Layout.points`)."""


@dataclass(frozen=True)
class EhrDescriber:
    """Describes patients, all of a data set at a time.

    Parameters
    ----------
    settings : mapping
        JSON-ready: what descriptions depend on.
    options : EhrSettings
        With the schema in it.
    layout : Layout
        Columns of a patient's row.
    """

    settings: Mapping[str, Any]
    options: EhrSettings
    layout: Layout
    name: str = "ehr"
    version: str = "2"

    @classmethod
    def of(cls, study: Study) -> EhrDescriber:
        """Return the describer of a prepared study.

        Raises
        ------
        InputError, StudyError
            The training cohort cannot be read, or the settings are wrong.
        """
        options = EhrSettings.of(study.settings)
        layout = layout_of(study, options)
        return cls(describer_settings(options, layout), options, layout)

    def __call__(self, item: Item) -> Description:
        """Describe one patient."""
        return self.describe_many([item])[0]

    def describe_many(self, items: Sequence[Item]) -> list[Description]:
        """Describe some patients of one or several data sets."""
        from sdq_ehr.judged import judged

        sources: dict[Path, Judged | None] = {}
        for source in dict.fromkeys(item.paths[0] for item in items):
            try:
                sources[source] = judged(source, self.options, self.layout)
            except SdqError:
                sources[source] = None
        return [_description(sources[item.paths[0]], item) for item in items]


def _description(known: Judged | None, item: Item) -> Description:
    if known is not None and item.id in known.broken:
        return Description(readable=False, findings=(known.broken[item.id],))
    patient = None if known is None else known.place.get(item.id)
    if known is None or patient is None:
        return Description(
            readable=False,
            findings=(
                Finding(
                    "ehr.structure.gone",
                    Severity.ERROR,
                    "the patient is not in the data any more, or they cannot be read; do not "
                    "change the cohort while it is evaluated",
                    "该患者已不在数据中, 或数据无法读取; 评价过程中请勿更改数据集",
                ),
            ),
        )
    point = known.points[patient]
    return Description(
        embeddings={EMBEDDING: point} if np.isfinite(point).all() else {},
        metadata={**known.metadata[patient], "content:sha256": known.content[patient]},
        findings=known.findings[patient],
    )
