"""The settings of a health-records study."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from sdq_core.acceleration import DEVICES
from sdq_core.errors import StudyError
from sdq_ehr.schema import CODE_SYSTEMS, Schema, read_schema

__all__ = ["EhrSettings"]


class EhrSettings(BaseModel):
    """Options in the section ``settings`` of a health-records study.

    Parameters
    ----------
    schema : str or mapping, optional
        Path of a ``schema.yaml``, or the schema itself. Without it one is proposed from the data
        of each cohort, which is only good for a first look.
    schema_proposed : bool
        Whether the schema was proposed by sdq and not looked at by a person; set by the evaluation.
    encoding : str, optional
        Of delimited files; found by default.
    delimiter : str, optional
        One sign that separates cells; found by default.
    date_order : {"dmy", "mdy"}, optional
        Instead of the schema's ``auto``.
    decimal : {".", ","}, optional
        Instead of the schema's ``auto``.
    real_years : mapping of str to (int, int)
        ``table.column`` -> first and last year of the real records; set by the evaluation.
    code_lists : mapping of str to str
        Code system -> path of the user's own licensed list.
    rules : tuple of str
        Paths of the user's own files of semantic rules.
    regression_targets : tuple of str
        Numbers of a patient's row, such as ``patients.stay_days`` or ``labs.value [2160-0]: mean``,
        that a model is trained to predict in the supplementary experiment.
    generator : str, optional
        ``module:function`` that gives an object with ``fit`` and ``sample``: then a shadow-model
        attack runs too. The module is imported and run only when this is given.
    device : str
        Where the nearest patients are searched: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Examples
    --------
    >>> EhrSettings.of({"date_order": "dmy"}).date_order
    'dmy'
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_: str | dict[str, Any] | None = Field(default=None, alias="schema")
    schema_proposed: bool = False
    real_years: dict[str, tuple[int, int]] | None = None
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    date_order: Literal["dmy", "mdy"] | None = None
    decimal: Literal[".", ","] | None = None
    code_lists: dict[str, str] = Field(default_factory=dict)
    rules: tuple[str, ...] = ()
    regression_targets: tuple[str, ...] = ()
    generator: str | None = None
    device: str = Field(default="cpu", pattern=DEVICES)

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                codecs.lookup(value)
            except LookupError as error:
                raise ValueError("is no encoding; write for example utf-8 or gb18030") from error
        return value

    @field_validator("delimiter")
    @classmethod
    def _can_delimit(cls, value: str | None) -> str | None:
        if value is not None and (value in "\"\r\n'" or not value.isascii()):
            raise ValueError("cannot separate cells; write for example ',' ';' '|' or a tabulator")
        return value

    @field_validator("code_lists")
    @classmethod
    def _known_systems(cls, value: dict[str, str]) -> dict[str, str]:
        if unknown := sorted(set(value) - set(CODE_SYSTEMS)):
            raise ValueError(
                f"unknown code system {', '.join(unknown)} (known: {', '.join(CODE_SYSTEMS)})"
            )
        return value

    def schema_of(self, base: Path | None = None) -> Schema | None:
        """Return the study's schema with the settings' date order and decimal sign.

        Parameters
        ----------
        base : Path, optional
            Folder beside which a relative path is looked for.

        Raises
        ------
        StudyError
            The schema cannot be read or is wrong.
        """
        if self.schema_ is None:
            return None
        if isinstance(self.schema_, str):
            path = Path(self.schema_)
            schema = read_schema(path if base is None else base / path)
        else:
            schema = Schema.of(self.schema_, "study: settings.schema")
        return self.applied(schema)

    def applied(self, schema: Schema) -> Schema:
        """Return a schema with the settings' date order and decimal sign."""
        changes = {
            name: value
            for name in ("date_order", "decimal")
            if (value := getattr(self, name)) is not None
        }
        return schema.model_copy(update=changes) if changes else schema

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> EhrSettings:
        """Validate the study's settings.

        Raises
        ------
        StudyError
            An unknown key or a wrong value.
        """
        try:
            return cls.model_validate(dict(settings))
        except ValidationError as error:
            problems = "; ".join(
                f"settings.{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()
            )
            allowed = ", ".join(f.alias or name for name, f in cls.model_fields.items())
            raise StudyError(f"study: {problems} (allowed settings: {allowed})") from error
