"""Metadata of health records: the data model's fields, and the ways to declare synthetic data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sdq_core.aigc import generated
from sdq_core.characteristics.metadata import Metadata
from sdq_core.cohort import Cohorts
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement, Method
from sdq_core.vocabulary import Role, Severity
from sdq_ehr.judged import semantics_of
from sdq_ehr.records import dataset_of
from sdq_ehr.settings import EhrSettings

__all__ = ["EhrMetadata"]

TAGS = "tags"
"""Column of FHIR's tags and security labels, apart by blanks."""
DECLARING = ("synthetic", "issynthetic", "syntheticdata", "aigc", "datasource", "provenance", TAGS)
"""Columns with the meaning ``provenance`` and keys of the label table, in lower case."""
YES = ("yes", "true", "1", "y", "synthetic", "synthetic data", "是", "合成", "合成数据")


ABSENT = ("ehr.structure.missing_column", "ehr.structure.missing_table")
"""Rules whose place is a column, or a table, that the schema names and the files lack."""


UNKNOWN = ("ehr.structure.extra_column", "ehr.structure.file_passed_over")
"""Rules about what the schema does not name: an identifier may stand there unseen."""


class EhrMetadata(Metadata):
    """Required attributes and conformity, with the ways of records to declare synthetic data."""

    def required(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the shares of patients and of columns that have what is required."""
        yield from super().required(cohorts)
        schema = dataset_of(cohorts, Role.TRAIN).schema
        findings = dataset_of(cohorts, Role.SYNTHETIC).findings
        gone = {f.where for f in findings if f.rule in ABSENT}
        places = [(t, c) for t, c, _ in schema.columns()]
        absent = [f"{t}.{c}" for t, c in places if t in gone or f"{t}.{c}" in gone]
        yield Measurement(
            self.id("required_attribute_share"),
            value=1 - len(absent) / max(len(places), 1),
            better="higher",
            unit="share",
            variant="columns",
            aspect="required_attributes",
            n={"columns": len(places)},
            method=Method(
                "share of the schema's columns that the synthetic cohort has",
                "Part 6 proposal, metadata sufficiency and conformity",
            ),
            details={"absent": absent[:50]},
        )

    def conformity(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the share of patients whose fields have the agreed form; judge the dictionary."""
        yield from super().conformity(cohorts)
        dataset = dataset_of(cohorts, Role.SYNTHETIC)
        unknown = [f.where or f.item for f in dataset.findings if f.rule in UNKNOWN]
        columns = sum(len(t.columns) for t in dataset.schema.tables.values())
        yield Measurement(
            self.id("conformity_share"),
            value=columns / (columns + len(unknown)),
            better="higher",
            unit="share",
            variant="known-columns",
            aspect="attribute_conformity",
            n={"columns": columns + len(unknown)},
            method=Method(
                "share of the synthetic cohort's columns, files that are no table among them, "
                "which the schema names; what it does not name is neither read nor judged",
                "Part 6 proposal, metadata sufficiency and conformity",
            ),
            details={"unknown": unknown[:50]},
        )
        settings = EhrSettings.of(cohorts.study.settings)
        if settings.schema_proposed:
            yield Finding(
                "ehr.conformity.schema_proposed",
                Severity.WARNING,
                "no schema was given: it was proposed from the training cohort, and no person has "
                "looked at it; write one with `sdq init ehr TRAIN -o schema.yaml` and correct it",
                "未提供模式: 系统已由训练集推测且未经人工核对; 请用 `sdq init ehr TRAIN -o "
                "schema.yaml` 生成并更正",
            )
        outcome = semantics_of(dataset, settings)
        yield from (replace(f, role=str(Role.SYNTHETIC)) for f in outcome.findings)

    def declares_synthetic(
        self, metadata: Mapping[str, str], attributes: Mapping[str, str]
    ) -> bool:
        """Return whether the record or the label table says so.

        Examples
        --------
        >>> EhrMetadata("ehr").declares_synthetic({"is_synthetic": "true"}, {})
        True
        >>> EhrMetadata("ehr").declares_synthetic({}, {"synthetic": "no"})
        False
        """
        return any(
            key.replace("_", "").lower() in DECLARING
            and (_says_so(value) or (key == TAGS and any(map(_says_so, value.split()))))
            for key, value in (*metadata.items(), *attributes.items())
        )


def _says_so(value: str) -> bool:
    return value.strip().lower() in YES or generated(value)
