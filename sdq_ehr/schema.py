"""What the columns of health records mean: the `schema.yaml` of a cohort.

Every scalar of the file is read as text and given its type by the model below, so that a column or
a category named ``yes``, ``null`` or ``1e5`` keeps its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from sdq_core.errors import StudyError

__all__ = [
    "CODE_SYSTEMS",
    "COLUMN_TYPES",
    "MEANINGS",
    "MISSING",
    "VERSION",
    "Column",
    "Schema",
    "Table",
    "read_schema",
]

VERSION: Final = "sdq.ehr-schema/1"

ColumnType = Literal[
    "identifier", "category", "code", "number", "integer",
    "boolean", "date", "datetime", "unit", "text",
]  # fmt: skip
Meaning = Literal[
    "", "birth", "death", "sex", "age", "class", "admission", "discharge", "start", "end", "time",
    "code", "value", "unit", "drug", "allergy", "diagnosis", "procedure", "race", "ethnicity",
    "region", "postcode", "name", "phone", "email", "address", "national_id", "record_number",
    "provenance",
]  # fmt: skip
CodeSystemName = Literal[
    "", "icd10", "icd10cm", "icd10cn", "icd10pcs", "icd9cm", "icd9proc", "icd9cn", "loinc",
    "snomed", "atc", "rxnorm", "ndc", "cvx", "ucum", "omop", "local",
]  # fmt: skip
DateOrder = Literal["auto", "dmy", "mdy"]
Decimal = Literal["auto", ".", ","]

COLUMN_TYPES: Final[tuple[str, ...]] = get_args(ColumnType)
MEANINGS: Final[tuple[str, ...]] = get_args(Meaning)[1:]
CODE_SYSTEMS: Final[tuple[str, ...]] = get_args(CodeSystemName)[1:]
MISSING: Final = ("", "NA", "NULL", "None", "nan", "N/A", ".", "-")
"""Cells that stand for a missing value unless the schema says otherwise; capitals do not matter."""


def _or_none(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip().lower() in ("", "null", "~") else value


def _or_empty(value: Any) -> Any:
    """Take a key without a value for an empty list or mapping."""
    return () if value is None or value == "" else value


def _one_or_many(value: Any) -> Any:
    return (value,) if isinstance(value, str) and value else _or_empty(value)


def _mapping(value: Any) -> Any:
    return {} if value is None or value == "" else value


Limit = Annotated[float | None, BeforeValidator(_or_none)]
Count = Annotated[int | None, BeforeValidator(_or_none)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Part):
    """One column.

    Parameters
    ----------
    type : str
        One of `COLUMN_TYPES`.
    meaning : str
        One of `MEANINGS`, or empty.
    system : str
        One of `CODE_SYSTEMS`, for codes; empty when unknown.
    required : bool
        Whether a missing value is a finding.
    values : tuple of str or dict of str to str
        The allowed values, or each with its standard term; empty: any.
    minimum, maximum : float, optional
        Closed range of plausible numbers.
    unit : str
        Unit (UCUM) of all the values.
    unit_column : str
        Column that holds the unit of each value.
    code : str
        Column whose code says what a value is.
    system_column : str
        Column that names the code system of each row (FHIR).
    description : str
        Text for the data dictionary.
    quasi_identifier, sensitive : bool
        For privacy: what an attacker may know, and what must not be inferred.
    date_order, decimal : str
        Instead of the schema's.

    Examples
    --------
    >>> Column(type="number", minimum="0.5", maximum="").minimum
    0.5
    """

    type: ColumnType = "category"
    meaning: Meaning = ""
    system: CodeSystemName = ""
    required: bool = False
    values: Annotated[tuple[str, ...] | dict[str, str], BeforeValidator(_or_empty)] = ()
    minimum: Limit = None
    maximum: Limit = None
    unit: str = ""
    unit_column: str = ""
    code: str = ""
    system_column: str = ""
    description: str = ""
    quasi_identifier: bool = False
    sensitive: bool = False
    date_order: DateOrder | None = None
    decimal: Decimal | None = None


class Table(_Part):
    """One table.

    Parameters
    ----------
    file : str
        Path relative to the cohort's folder; empty: the file named like the table.
    key : tuple of str
        Columns that together are unique; may be empty.
    patient : str
        Column that names the patient; empty: each row is a patient, or the table belongs to no
        patient (a dictionary) where other tables name theirs.
    time : str
        Column that orders the rows of a patient.
    references : dict of str to str
        Column -> ``table.column`` that holds the row it points to.
    rows_minimum, rows_maximum : int, optional
        How many rows a patient has at least and at most.
    columns : dict of str to Column
    """

    file: str = ""
    key: Annotated[tuple[str, ...], BeforeValidator(_one_or_many)] = ()
    patient: str = ""
    time: str = ""
    references: Annotated[dict[str, str], BeforeValidator(_mapping)] = Field(default_factory=dict)
    rows_minimum: Annotated[int, Field(ge=0)] = 0
    rows_maximum: Count = None
    columns: Annotated[dict[str, Column], BeforeValidator(_mapping)] = Field(default_factory=dict)

    def with_meaning(self, meaning: str) -> str | None:
        """Return the first column with a meaning, or None."""
        return next((n for n, c in self.columns.items() if c.meaning == meaning), None)


class Schema(_Part):
    """The schema of a cohort.

    Parameters
    ----------
    version : str
    model : {"table", "omop", "fhir"}
    patient_table : str
        Table with one row a patient; empty: patients are the distinct values of the tables'
        patient columns, or the rows of the only table.
    missing : tuple of str
        Cells that stand for a missing value; compared without regard to capitals.
    date_order : {"auto", "dmy", "mdy"}
        Order of dates such as 03/04/2021; ``auto`` decides on each whole column.
    decimal : {"auto", ".", ","}
        The decimal sign; ``auto`` decides on each whole column.
    extraction : datetime.date, optional
        Day on which the data were taken: no date lies after it.
    tables : dict of str to Table

    Examples
    --------
    >>> schema = Schema(tables={"labs": {"columns": {"yes": {"type": "number"}}}})
    >>> schema.tables["labs"].columns["yes"].type
    'number'
    """

    version: Literal["sdq.ehr-schema/1"] = VERSION
    model: Literal["table", "omop", "fhir"] = "table"
    patient_table: str = ""
    missing: Annotated[tuple[str, ...], BeforeValidator(_one_or_many)] = MISSING
    date_order: DateOrder = "auto"
    decimal: Decimal = "auto"
    extraction: Annotated[date | None, BeforeValidator(_or_none)] = None
    tables: Annotated[dict[str, Table], BeforeValidator(_mapping)] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_exist(self) -> Schema:
        if self.patient_table and self.patient_table not in self.tables:
            raise ValueError(
                f"patient_table: there is no table {self.patient_table!r}; "
                f"name one of {_some(self.tables)}"
            )
        for name, table in self.tables.items():
            for place, column in _named_columns(table):
                if column not in table.columns:
                    raise ValueError(
                        f"tables.{name}.{place}: there is no column {column!r}; name one of "
                        f"{_some(table.columns)}, or add it to columns"
                    )
            for column, target in table.references.items():
                if self.split(target) is None:
                    raise ValueError(
                        f"tables.{name}.references.{column}: {target!r} is no table.column of this "
                        "schema; write the name of a table, a dot, and one of its columns"
                    )
        if not self.patient_table and len(self.tables) > 1 and not self._named_patients:
            raise ValueError(
                "several tables, but none says whose its rows are; give patient_table, or the "
                "column `patient` of the tables"
            )
        return self

    @cached_property
    def _named_patients(self) -> tuple[str, ...]:
        return tuple(n for n, t in self.tables.items() if t.patient)

    @property
    def rows_are_patients(self) -> bool:
        """Whether each row of `home` is a patient of its own, without a key."""
        return not self._named_patients and not self.patient_key

    @property
    def home(self) -> str:
        """Name of the table with one row a patient; empty when only keys name the patients."""
        if self.patient_table:
            return self.patient_table
        return next(iter(self.tables)) if not self._named_patients else ""

    @property
    def patient_key(self) -> str:
        """Column of the patient table that names the patient; empty: its row does."""
        if not self.patient_table:
            return ""
        table = self.tables[self.patient_table]
        if table.patient:
            return table.patient
        return table.key[0] if len(table.key) == 1 else ""

    def patient_column(self, table: str) -> str:
        """Return the column of a table that names the patient; empty when there is none."""
        return self.patient_key if table == self.patient_table else self.tables[table].patient

    def is_dictionary(self, table: str) -> bool:
        """Return whether the rows of a table belong to no patient (a list of codes, of staff)."""
        return (
            table != self.home
            and not self.patient_column(table)
            and self.patients_by_reference(table) is None
        )

    def patients_by_reference(self, table: str) -> tuple[str, str, str] | None:
        """Return column, table and key by which rows without a patient column have one.

        The first reference that leads to a table whose rows belong to patients, perhaps by a
        reference of its own: a laboratory result that names its visit only.
        """
        return self._by_reference(table, frozenset())

    def _by_reference(self, table: str, seen: frozenset[str]) -> tuple[str, str, str] | None:
        if table == self.home or self.patient_column(table):
            return None
        for column, reference in self.tables[table].references.items():
            target = self.split(reference)
            if target is None or target[0] == table or target[0] in seen:
                continue
            other, key = target
            owned = other == self.home or bool(self.patient_column(other))
            if owned or self._by_reference(other, seen | {table}) is not None:
                return column, other, key
        return None

    def split(self, reference: str) -> tuple[str, str] | None:
        """Return table and column of ``"table.column"``; None when there are no such.

        Names may hold dots themselves: every dot is tried.
        """
        parts = reference.split(".")
        for k in range(1, len(parts)):
            table, column = ".".join(parts[:k]), ".".join(parts[k:])
            if table in self.tables and column in self.tables[table].columns:
                return table, column
        return None

    def columns(self) -> Iterator[tuple[str, str, Column]]:
        """Yield table, name and definition of every column."""
        for name, table in self.tables.items():
            for column, definition in table.columns.items():
                yield name, column, definition

    def to_yaml(self) -> str:
        """Return the schema as YAML, without what is as by default."""
        plain = {"version": self.version, "model": self.model}
        plain |= self.model_dump(mode="json", exclude_defaults=True)
        return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)

    @classmethod
    def of(cls, plain: Mapping[str, Any], where: str = "schema") -> Schema:
        """Validate a schema given as plain data.

        Parameters
        ----------
        plain : mapping
        where : str
            Name of the file or setting, for messages.

        Raises
        ------
        StudyError
            An unknown key, a wrong value, a name that does not exist.
        """
        try:
            return cls.model_validate(_strings(plain))
        except ValidationError as error:
            problems = "; ".join(
                ": ".join(filter(None, (".".join(str(p) for p in e["loc"]), e["msg"])))
                for e in error.errors(include_input=False, include_url=False)
            )
            raise StudyError(f"{where}: {problems}") from error

    @classmethod
    def from_yaml(cls, text: str, where: str = "schema") -> Schema:
        """Read a schema from YAML text.

        Raises
        ------
        StudyError
            The text is no YAML, or no schema.

        Examples
        --------
        >>> Schema.from_yaml("tables: {a: {columns: {no: {type: boolean}}}}").home
        'a'
        """
        try:
            plain = yaml.load(text, Loader=_TextLoader)  # noqa: S506 (makes texts only)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f", line {mark.line + 1}" if mark else ""
            raise StudyError(f"{where}{line}: is no valid YAML; correct it") from error
        if not isinstance(plain, Mapping):
            raise StudyError(f"{where}: must be a mapping with the key `tables`")
        return cls.of(plain, where)


class _TextLoader(yaml.BaseLoader):
    """Reads every scalar as text and refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen and isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key stands twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def read_schema(path: Path) -> Schema:
    """Read a `schema.yaml`.

    Parameters
    ----------
    path : Path

    Raises
    ------
    StudyError
        The file cannot be read, is no YAML, or no schema.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(
            f"schema {path}: cannot be read ({type(error).__name__}); give a YAML file in UTF-8, "
            "such as `sdq init ehr DATA` proposes"
        ) from error
    return Schema.from_yaml(text, f"schema {path.name}")


def _named_columns(table: Table) -> Iterator[tuple[str, str]]:
    yield from (("key", k) for k in table.key)
    yield from ((place, v) for place in ("patient", "time") if (v := getattr(table, place)))
    yield from (("references", k) for k in table.references)
    for name, column in table.columns.items():
        for place in ("unit_column", "code", "system_column"):
            if value := getattr(column, place):
                yield f"columns.{name}.{place}", value


def _some(names: Mapping[str, Any]) -> str:
    shown = list(names)[:8]
    return ", ".join(shown) + (", ..." if len(names) > len(shown) else "")


def _strings(value: Any) -> Any:
    """Give plain data from another YAML reader text keys, as ours has."""
    if isinstance(value, Mapping):
        return {_word(k): _strings(v) for k, v in value.items()}
    return [_strings(v) for v in value] if isinstance(value, list | tuple) else value


def _word(key: Any) -> str:
    return "null" if key is None else str({True: "yes", False: "no"}.get(key, key))
