"""Laboratory values and vital signs: their codes, units, and what a value can be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Final

import yaml
from pydantic import Field, model_validator

from sdq_ehr.semantics.rule import Parameters

__all__ = ["Analyte", "Unit", "built_in_analytes", "plain_unit", "plain_word"]


class Unit(Parameters):
    """A unit of an analyte: value in the analyte's first unit = factor * value + offset."""

    factor: float = Field(gt=0)
    offset: float = 0.0


class Analyte(Parameters):
    """One thing that is measured.

    Parameters
    ----------
    name, name_zh : str
    loinc : tuple of str
        LOINC codes that mean it, in its amount or mass concentration.
    codes : dict of str to tuple of str
        Codes of other systems (``local`` for the source's own).
    words : tuple of str
        Names of columns that mean it.
    units : dict of str to Unit
        Allowed units; limits are in the first, whose factor is 1.
    limits : tuple of two float
        Beyond: no living person, or no instrument, gives it.
    usual : tuple of two float
        Nearly all patients of a hospital; tells a mix-up of units.
    source : str
    verified : bool
        Whether the text of the source was read when the limits were written.
    """

    name: str
    name_zh: str
    loinc: tuple[str, ...] = ()
    codes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    words: tuple[str, ...] = ()
    units: dict[str, Unit] = Field(min_length=1)
    limits: tuple[float, float]
    usual: tuple[float, float]
    source: str
    verified: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Analyte:
        low, high = self.limits
        if not low <= self.usual[0] < self.usual[1] <= high:
            raise ValueError("usual: must be two rising numbers inside limits")
        first = next(iter(self.units.values()))
        if first.factor != 1 or first.offset != 0:
            raise ValueError("units: the first unit must have factor 1 and offset 0")
        return self


_UNIT_WORDS: Final[Mapping[str, str]] = {
    "mmhg": "mm[hg]", "mm hg": "mm[hg]", "iu/l": "u/l", "units/l": "u/l", "[iu]/l": "u/l",
    "miu/l": "m[iu]/l", "µiu/ml": "m[iu]/l", "uiu/ml": "m[iu]/l", "u[iu]/ml": "m[iu]/l",
    "mu/l": "m[iu]/l", "uu/ml": "m[iu]/l",
    "cells/ul": "/ul", "#/ul": "/ul", "/mm3": "/ul", "/cumm": "/ul",
    "k/ul": "10*3/ul", "k/mm3": "10*3/ul", "x10e3/ul": "10*3/ul", "10^3/ul": "10*3/ul",
    "thou/ul": "10*3/ul", "thousand/ul": "10*3/ul", "10e3/ul": "10*3/ul", "k/cumm": "10*3/ul",
    "10^9/l": "10*9/l", "x10^9/l": "10*9/l", "x10e9/l": "10*9/l", "10e9/l": "10*9/l",
    "g/l": "g/l", "m/ul": "10*6/ul", "10^6/ul": "10*6/ul", "x10e6/ul": "10*6/ul",
    "10^12/l": "10*12/l", "x10^12/l": "10*12/l", "10e12/l": "10*12/l", "mil/ul": "10*6/ul",
    "degc": "cel", "c": "cel", "°c": "cel", "℃": "cel", "celsius": "cel", "deg. c": "cel",
    "degf": "[degf]", "f": "[degf]", "°f": "[degf]", "℉": "[degf]", "fahrenheit": "[degf]",
    "bpm": "/min", "beats/min": "/min", "次/分": "/min", "breaths/min": "/min", "insp/min": "/min",
    "{beats}/min": "/min", "{breaths}/min": "/min", "1/min": "/min", "{h.b.}/min": "/min",
    "kg/m²": "kg/m2", "kg/m^2": "kg/m2", "inch": "[in_i]", "in": "[in_i]", "inches": "[in_i]",
    "lb": "[lb_av]", "lbs": "[lb_av]", "pounds": "[lb_av]", "公斤": "kg", "千克": "kg",
    "厘米": "cm", "米": "m", "percent": "%", "units": "[ph]", "ph": "[ph]", "g%": "g/dl",
    "mg%": "mg/dl", "ml/min/1.73m2": "ml/min/{1.73_m2}", "ml/min/1.73 m2": "ml/min/{1.73_m2}",
    "ml/min/1.73m^2": "ml/min/{1.73_m2}", "ml/min/{1.73_m2}": "ml/min/{1.73_m2}",
    "sec": "s", "seconds": "s", "秒": "s", "{inr}": "{ratio}", "inr": "{ratio}", "ratio": "{ratio}",
    "1": "{ratio}", "岁": "a", "years": "a", "score": "{score}",
}  # fmt: skip


@lru_cache(maxsize=4096)
def plain_unit(unit: str) -> str:
    """Return a unit in lower case UCUM, with what laboratories write for it understood.

    Parameters
    ----------
    unit : str

    Examples
    --------
    >>> plain_unit("mg/dL"), plain_unit("K/uL"), plain_unit("µmol/L"), plain_unit("mmHg")
    ('mg/dl', '10*3/ul', 'umol/l', 'mm[hg]')
    """
    # Micro and mu are one letter here; compatibility forms would turn "m²" into "m2".
    text = unicodedata.normalize("NFKC", unit).strip().replace("μ", "u").replace("µ", "u").lower()
    text = text.replace("mcg", "ug").replace(" / ", "/")
    return _UNIT_WORDS.get(text, text)


@lru_cache(maxsize=4096)
def plain_word(name: str) -> str:
    """Return the name of a column without capitals, blanks and signs.

    Examples
    --------
    >>> plain_word("Systolic BP (mmHg)"), plain_word("BloodPressure")
    ('systolicbpmmhg', 'bloodpressure')
    """
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).lower())


@lru_cache(maxsize=1)
def built_in_analytes() -> tuple[Analyte, ...]:
    """Return the analytes that come with the package.

    Examples
    --------
    >>> any(a.name == "glucose" for a in built_in_analytes())
    True
    """
    text = resources.files("sdq_ehr.semantics").joinpath("data/analytes.yaml").read_text("utf-8")
    return tuple(Analyte.model_validate(a) for a in yaml.safe_load(text)["analytes"])
