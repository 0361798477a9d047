"""Metadata sufficiency and conformity 元数据充分性与规范性."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sdq_core.aigc import LABEL_RULES, LabelState, label_state
from sdq_core.characteristics.evaluation import CharacteristicEvaluation, Part
from sdq_core.characteristics.rates import rate
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement, Method
from sdq_core.vocabulary import Characteristic, Severity

__all__ = ["Metadata"]

SOURCE = "Part 6 proposal, metadata sufficiency and conformity"


class Metadata(CharacteristicEvaluation):
    """Required attributes present, descriptions in the agreed form, declared synthetic."""

    characteristic = Characteristic.METADATA

    def parts(self) -> Sequence[Part]:
        """Return the three shares."""
        return (
            Part(("required_attribute_share",), self.required),
            Part(("conformity_share",), self.conformity),
            Part(("declared_synthetic_share",), self.declared),
        )

    @abstractmethod
    def declares_synthetic(
        self, metadata: Mapping[str, str], attributes: Mapping[str, str]
    ) -> bool:
        """Return whether one item declares itself synthetic.

        Parameters
        ----------
        metadata : mapping of str to str
            Of the description.
        attributes : mapping of str to str
            Of the container and the label table.
        """

    def required(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the share of readable items that have every required attribute.

        Required are the attributes that the format's standard demands (findings of the area
        ``metadata``) and those that the study declares: the class, and the subgroup attribute.
        """
        missing = self._missing_labels(cohorts.synthetic, cohorts)
        for name, rows in missing.items():
            for row in np.flatnonzero(rows):
                yield Finding(
                    f"{self.modality}.metadata.label_missing",
                    Severity.ERROR,
                    f"the declared attribute {name!r} has no value; fill it in the label table",
                    f"声明的属性 {name!r} 没有取值, 请在标签表中补充",
                    item=str(cohorts.synthetic.table.ids[row]),
                    role=str(cohorts.synthetic.role),
                )

        def complete(cohort: Cohort) -> NDArray[np.bool_]:
            flags = ~cohort.table.rows_with("metadata")
            for rows in self._missing_labels(cohort, cohorts).values():
                flags &= ~rows
            return flags[cohort.table.readable]

        yield rate(
            self.id("required_attribute_share"),
            complete(cohorts.synthetic),
            real=np.concatenate([complete(c) for c in cohorts.real]),
            aspect="required_attributes",
            name="share of readable items with all required attributes",
            source=f"{SOURCE}; DICOM PS3.5 section 7.4 for types 1 and 2",
            details={"declared": sorted(missing)},
        )

    def conformity(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the share of readable items whose attributes have the agreed form."""
        wrong = self._unknown_class(cohorts.synthetic, cohorts)
        for row in np.flatnonzero(wrong):
            yield Finding(
                f"{self.modality}.conformity.class_unknown",
                Severity.ERROR,
                "the class is not in the study's declared class list; correct one of the two",
                "类别不在评价任务声明的类别列表中, 请更正",
                item=str(cohorts.synthetic.table.ids[row]),
                role=str(cohorts.synthetic.role),
            )

        def conforms(cohort: Cohort) -> NDArray[np.bool_]:
            flags = ~cohort.table.rows_with("conformity") & ~self._unknown_class(cohort, cohorts)
            return flags[cohort.table.readable]

        yield rate(
            self.id("conformity_share"),
            conforms(cohorts.synthetic),
            real=np.concatenate([conforms(c) for c in cohorts.real]),
            aspect="attribute_conformity",
            name="share of readable items whose attributes have the agreed form",
            source=SOURCE,
        )

    def declared(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the share of readable synthetic items that say that they are synthetic."""
        cohort = cohorts.synthetic
        flags = np.array(
            [
                self.declares_synthetic(cohort.table.metadata(row), cohort.stated(row))
                for row in range(len(cohort))
            ],
            dtype=bool,
        )
        for row in np.flatnonzero(~flags & cohort.table.readable):
            yield Finding(
                f"{self.modality}.metadata.not_declared_synthetic",
                Severity.ERROR,
                "does not declare itself synthetic; mark it in its header or in the label table",
                "未标明为合成数据, 请在文件头或标签表中标注",
                item=str(cohort.table.ids[row]),
                role=str(cohort.role),
            )
        yield rate(
            self.id("declared_synthetic_share"),
            flags[cohort.table.readable],
            aspect="required_attributes",
            name="share of readable synthetic items that declare themselves synthetic",
            source="DICOM PS3.3 C.12.1 (0008,001C) Synthetic Data; GB 45438-2025",
        )
        yield from self.labelled(cohort)

    def labelled(self, cohort: Cohort) -> Iterator[Measurement | Finding]:
        """Measure the share of readable items whose own file carries the label AIGC.

        Every file is looked at and the share is that of these files, so that it has no interval.
        The label table is no part of a file and does not count.
        """
        rows = np.flatnonzero(cohort.table.readable).tolist()
        if not len(rows):
            return
        states = [
            label_state(_label(cohort.table.metadata(row), cohort.table.items[row].attributes))
            for row in rows
        ]
        counts = {str(state): states.count(state) for state in LabelState}
        for row, state in zip(rows, states, strict=True):
            # A cohort without any label does not claim to be labelled: that is no defect.
            if state is LabelState.VALID or counts[LabelState.MISSING] == len(states):
                continue
            english, chinese = LABEL_RULES[state]
            yield Finding(
                f"{self.modality}.metadata.aigc_label",
                Severity.ERROR,
                english,
                chinese,
                item=str(cohort.table.ids[row]),
                role=str(cohort.role),
            )
        yield Measurement(
            self.id("declared_synthetic_share"),
            value=counts[LabelState.VALID] / len(states),
            better="higher",
            unit="share",
            variant="aigc",
            aspect="required_attributes",
            n={str(cohort.role): len(states)},
            method=Method(
                "share of readable synthetic files whose metadata carry the label AIGC: a JSON "
                "object that says generated, by whom and under which number; all files, no sample",
                "GB 45438-2025",
            ),
            details={"labels": counts},
        )

    def _missing_labels(self, cohort: Cohort, cohorts: Cohorts) -> dict[str, NDArray[np.bool_]]:
        n = len(cohort)
        found: dict[str, NDArray[np.bool_]] = {}
        if cohorts.study.classes:
            found["class"] = np.ones(n, bool) if cohort.classes is None else cohort.classes == ""
        subgroup = cohorts.study.subgroup
        if subgroup is not None and subgroup != "class":
            values = cohort.attributes.get(subgroup)
            found[subgroup] = np.ones(n, bool) if values is None else values == ""
        return found

    def _unknown_class(self, cohort: Cohort, cohorts: Cohorts) -> NDArray[np.bool_]:
        if cohort.classes is None or not cohorts.study.classes:
            return np.zeros(len(cohort), bool)
        return ~np.isin(cohort.classes, [*cohorts.study.classes, ""])


def _label(metadata: Mapping[str, str], attributes: Mapping[str, str]) -> str | None:
    """Return what an item's own file holds under the key AIGC."""
    for key, value in (*metadata.items(), *attributes.items()):
        if key.removeprefix("text:").lower() == "aigc" and value.strip():
            return value
    return None
