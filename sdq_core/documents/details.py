"""The agreed forms of what a measurement's details may hold for the reader's eye."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from sdq_core.phrases import in_chinese
from sdq_core.vocabulary import Language

__all__ = ["FORMS", "Bilingual", "Words", "pick", "read_details"]

Number: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]


class _Form(BaseModel):
    # Keys that a later version adds are no reason to drop a figure.
    model_config = ConfigDict(extra="ignore", frozen=True)


class Bilingual(_Form):
    """A text in both languages."""

    en: str
    zh: str


Words: TypeAlias = str | Bilingual


class Histogram(_Form):
    """Densities of one feature, real beside synthetic; real data only as counts per bin."""

    feature: str
    title: Words | None = None
    edges: list[Number] = Field(min_length=2)
    real: list[Number]
    synthetic: list[Number]
    distance: Number | None = None
    distance_unit: Words = ""
    consistent: bool | None = None

    @model_validator(mode="after")
    def _one_density_a_bin(self) -> Histogram:
        if not len(self.real) == len(self.synthetic) == len(self.edges) - 1:
            raise ValueError("needs one density for each bin on both sides")
        if self.edges[0] >= self.edges[-1]:
            raise ValueError("edges must rise")
        return self


class PointMap(_Form):
    """Items as points of a plane."""

    x_label: Words = ""
    y_label: Words = ""
    explained: tuple[Number, Number] | None = None
    real: list[tuple[Number, Number]] = Field(min_length=1)
    synthetic: list[tuple[Number, Number]] = Field(min_length=1)


class _Lines(_Form):
    """Lines over the same x; a band needs both of its sides."""

    x: list[Number] = Field(min_length=2)
    synthetic: list[Number]
    synthetic_low: list[Number] | None = None
    synthetic_high: list[Number] | None = None
    real: list[Number] | None = None
    real_low: list[Number] | None = None
    real_high: list[Number] | None = None

    @model_validator(mode="after")
    def _as_long_as_x(self) -> Self:
        if any(len(line) != len(self.x) for line in self.lines()):
            raise ValueError("every line needs one number for each x")
        return self

    def lines(self) -> list[list[float]]:
        """Return the lines that are there."""
        found = (self.synthetic, self.synthetic_low, self.synthetic_high,
                 self.real, self.real_low, self.real_high)  # fmt: skip
        return [line for line in found if line is not None]


class Curve(_Lines):
    """Lines over one axis, with bands."""

    x_label: Words = ""
    y_label: Words = ""
    bands: Words = ""
    x_log: bool = False

    @model_validator(mode="after")
    def _positive_where_logarithmic(self) -> Self:
        if self.x_log and min(self.x) <= 0:
            raise ValueError("a logarithmic axis needs x above zero")
        return self


class CurvePanel(_Lines):
    """Lines of one small drawing among many."""

    title: Words


class Curves(_Form):
    """Small drawings side by side, in one scale where `shared_y`; what the axes are is said once.

    A panel is some 160 pixels wide: more than about 200 points a line only make the files larger.
    """

    panels: list[CurvePanel] = Field(min_length=1)
    x_label: Words = ""
    y_label: Words = ""
    bands: Words = ""
    shared_y: bool = True


class Bar(_Form):
    """Share of one class or attribute value."""

    label: str
    synthetic: Number = Field(ge=0)
    real: Number | None = Field(default=None, ge=0)
    intended: Number | None = Field(default=None, ge=0)


class Ranked(_Form):
    """One feature of a ranking."""

    feature: str
    value: Number
    low: Number | None = None
    high: Number | None = None
    direction: Words = ""


class Table(_Form):
    """A small table."""

    columns: list[Words] = Field(min_length=1)
    rows: list[list[bool | int | Number | str | Bilingual | None]]

    @model_validator(mode="after")
    def _rectangular(self) -> Table:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("every row needs one cell for each column")
        return self


class Roc(_Form):
    """Curve of an attack."""

    fpr: list[Annotated[float, Field(ge=0, le=1)]] = Field(min_length=2)
    tpr: list[Annotated[float, Field(ge=0, le=1)]]

    @model_validator(mode="after")
    def _pairs(self) -> Roc:
        if len(self.fpr) != len(self.tpr):
            raise ValueError("needs as many true as false positive rates")
        return self


class Heat(_Form):
    """Associations of every two columns, as one matrix a side."""

    labels: list[str] = Field(min_length=2)
    real: list[list[Annotated[float, Field(ge=-1, le=1)]]]
    synthetic: list[list[Annotated[float, Field(ge=-1, le=1)]]]

    @model_validator(mode="after")
    def _square(self) -> Heat:
        size = len(self.labels)
        for side in (self.real, self.synthetic):
            if len(side) != size or any(len(row) != size for row in side):
                raise ValueError("needs one row and one column for each label on both sides")
        return self


class Branch(_Form):
    """One branch of a tree of codes: its depth and the shares of patients of both sides."""

    label: str
    depth: int = Field(ge=0, le=5)
    real: Number = Field(ge=0, le=1)
    synthetic: Number = Field(ge=0, le=1)


class Tree(_Form):
    """Codes from chapters to single ones, each branch below its parent."""

    column: str
    branches: list[Branch] = Field(min_length=1)
    left_out: int = Field(default=0, ge=0)


class LevelShare(_Form):
    """Share of one subgroup on both sides."""

    label: Words
    real: Number = Field(ge=0, le=1)
    synthetic: Number = Field(ge=0, le=1)


class Shown(_Form):
    """A feature in which a cause shows: by how much the shares above a given value differ."""

    feature: str
    gap: Number = Field(ge=0)
    direction: Literal["higher", "lower", "reshaped"]


class Family(_Form):
    """Features of one kind, and their part of a cause."""

    family: str
    share: Number


class Named(_Form):
    """What a cause is: another mix of an attribute, one subgroup, or all of them alike.

    ``opposite``: a subgroup that differs the other way than the rest, so that the whole hides it.
    """

    kind: Literal["mix", "inside", "opposite", "everywhere"]
    attribute: Words = ""
    level: Words = ""


class Part(_Form):
    """Part of the difference, as a share of 1; None where the difference is too small to divide."""

    share: Number | None = None
    low: Number | None = None
    high: Number | None = None
    floor_low: Number | None = None
    floor_high: Number | None = None


class NamedCause(Named, Part):
    """One cause: its part of the difference, and what it shows in.

    `real` and `synthetic` are items in the subgroup; `alike` are explanations that these data
    cannot tell from this one.
    """

    levels: list[LevelShare] = []
    real: int | None = None
    synthetic: int | None = None
    features: list[Shown] = []
    families: list[Family] = []
    alike: list[Named] = []


class Decomposition(_Form):
    """The difference between synthetic and real, split by what causes it.

    `gap` is the size of the whole: by how much the share of items above a given value differs, root
    mean square over features and values.
    """

    differs: bool
    gap: Number = Field(ge=0)
    gap_low: Number = Field(ge=0)
    gap_high: Number = Field(ge=0)
    gap_floor: Number = Field(ge=0)
    causes: list[NamedCause]
    rest: Part | None = None


class Suspect(_Form):
    """A synthetic item that may copy a real one; both by name only."""

    synthetic: str
    real: str | None = None
    score: Number | None = None
    transform: Words = ""


Kind = Literal[
    "histograms", "map", "curve", "curves", "heat", "tree", "bars", "decomposition", "ranking",
    "table", "roc", "suspects", "notes",
]  # fmt: skip

FORMS: Final[dict[Kind, TypeAdapter[Any]]] = {
    "histograms": TypeAdapter(list[Histogram]),
    "map": TypeAdapter(PointMap),
    "curve": TypeAdapter(Curve),
    "curves": TypeAdapter(Curves),
    "heat": TypeAdapter(Heat),
    "tree": TypeAdapter(Tree),
    "bars": TypeAdapter(list[Bar]),
    "decomposition": TypeAdapter(Decomposition),
    "ranking": TypeAdapter(list[Ranked]),
    "table": TypeAdapter(Table),
    "roc": TypeAdapter(Roc),
    "suspects": TypeAdapter(list[Suspect]),
    "notes": TypeAdapter(list[Bilingual]),
}
"""Keys of `Measurement.details` that a document draws; all optional, other keys are free."""


def pick(words: Words, language: Language | str) -> str:
    """Return a text in one language; a plain text stands for both, unless its Chinese is known.

    Examples
    --------
    >>> pick(Bilingual(en="shift", zh="平移"), "zh"), pick("PC 1", "zh"), pick("dB", "zh")
    ('平移', '主成分 1', 'dB')
    """
    if isinstance(words, str):
        return in_chinese(words) if Language(language) is Language.ZH else words
    return words.zh if Language(language) is Language.ZH else words.en


def read_details(details: Mapping[str, Any]) -> tuple[dict[Kind, Any], dict[Kind, str]]:
    """Read what a document can draw of a measurement's details.

    Parameters
    ----------
    details : mapping
        Of a measurement.

    Returns
    -------
    found : dict
        The parts of the agreed form, by kind, empty ones left out.
    broken : dict
        Place of the first error by kind, for those of another form. Holds no value.

    Examples
    --------
    >>> found, broken = read_details({"roc": {"fpr": [0, 1], "tpr": [0, 1]}, "curve": {"x": 1}})
    >>> list(found), broken
    (['roc'], {'curve': 'x'})
    """
    found: dict[Kind, Any] = {}
    broken: dict[Kind, str] = {}
    for kind, form in FORMS.items():
        if kind not in details:
            continue
        try:
            read = form.validate_python(details[kind])
        except ValidationError as error:
            place = error.errors(include_input=False, include_url=False)[0]["loc"]
            broken[kind] = ".".join(str(part) for part in place) or kind
            continue
        if read != []:
            found[kind] = read
    return found, broken
