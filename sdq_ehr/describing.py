"""Step 2 for health records: a patient becomes a point, findings, and the hash of the record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from sdq_core.description import Description, Item
from sdq_core.errors import SdqError
from sdq_core.finding import Finding
from sdq_core.mapped import Mapped, load_mapped, mapped
from sdq_core.study import Study
from sdq_core.vocabulary import Severity
from sdq_ehr.digests import patient_digests, patient_provenance
from sdq_ehr.patient_rows import Layout
from sdq_ehr.preparing import describer_settings, layout_of
from sdq_ehr.records import records_of_dataset
from sdq_ehr.settings import EhrSettings

if TYPE_CHECKING:
    from sdq_ehr.judged import Judged

__all__ = ["EMBEDDING", "EhrDescriber"]

EMBEDDING = "patient-rows"
"""The patient's row as a point (`sdq_ehr.patient_rows.Layout.points`)."""


@dataclass(frozen=True)
class EhrDescriber:
    """Describes patients, many at a time.

    Parameters
    ----------
    settings : mapping
        JSON-ready: what descriptions depend on.
    options : EhrSettings
        With the schema in it.
    layout : Layout
        Columns of a patient's row.
    laid_out : mapping of Path to Mapped
        Data sets that another process has judged already.
    """

    settings: Mapping[str, Any]
    options: EhrSettings
    layout: Layout
    laid_out: Mapping[Path, Mapped] = field(default_factory=dict)
    name: str = "ehr"
    version: str = "3"
    together: int = 2048

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
        found: dict[int, Description] = {}
        for source in dict.fromkeys(item.paths[0] for item in items):
            places = [k for k, item in enumerate(items) if item.paths[0] == source]
            ids = [items[k].id for k in places]
            found |= zip(places, self._described(source, ids), strict=True)
        return [found[k] for k in range(len(items))]

    @contextmanager
    def shared(self, items: Sequence[Item]) -> Iterator[EhrDescriber]:
        """Judge the data sets here, and lay them out for the worker processes."""
        from sdq_ehr.judged import judged

        places = {}
        with ExitStack() as stack:
            for source in dict.fromkeys(item.paths[0] for item in items):
                # What is wrong is found again, and told, where the patients are described.
                with suppress(Exception):
                    known = judged(source, self.options).for_workers()
                    place = stack.enter_context(mapped(known))
                    if place is not None:
                        places[source] = place
            yield replace(self, laid_out=places)

    def _described(self, source: Path, ids: Sequence[str]) -> list[Description]:
        try:
            known = self._judged(source)
        except SdqError:
            return [_GONE] * len(ids)
        patients = known.patients(ids)
        asked = np.unique([p for p in patients if p >= 0]).astype(np.intp)
        part = known.dataset.of_patients(asked)
        points = self.layout.points(records_of_dataset(part))
        content = patient_digests(part, keys=False)
        stated = patient_provenance(part)
        found = []
        for id_, patient in zip(ids, patients, strict=True):
            if id_ in known.broken:
                found.append(Description(readable=False, findings=(known.broken[id_],)))
                continue
            if patient < 0:
                found.append(_GONE)
                continue
            k = int(np.searchsorted(asked, patient))
            found.append(
                Description(
                    embeddings={EMBEDDING: points[k]} if np.isfinite(points[k]).all() else {},
                    metadata={**stated[k], "content:sha256": content[k]},
                    findings=known.findings(patient),
                )
            )
        return found

    def _judged(self, source: Path) -> Judged:
        from sdq_ehr.judged import judged

        if source in self.laid_out:
            with suppress(OSError):  # a worker that does not see it does the same once more
                return cast("Judged", load_mapped(self.laid_out[source]))
        return judged(source, self.options)


_GONE: Final = Description(
    readable=False,
    findings=(
        Finding(
            "ehr.structure.gone",
            Severity.ERROR,
            "the patient is not in the data any more, or they cannot be read; do not change the "
            "cohort while it is evaluated",
            "该患者已不在数据中, 或数据无法读取; 评价过程中请勿更改数据集",
        ),
    ),
)
