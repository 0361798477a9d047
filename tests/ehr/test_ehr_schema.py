"""The schema file: what it accepts, what it refuses, and that names are names."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdq_core.errors import StudyError
from sdq_ehr.finding import RowFinding
from sdq_ehr.rules import RULES, finding, row_finding, rule_id
from sdq_ehr.schema import CODE_SYSTEMS, MISSING, Schema, read_schema
from sdq_ehr.settings import EhrSettings

TWO = """
patient_table: patients
tables:
  patients:
    key: id
    patient: id
    columns:
      id: {type: identifier}
      sex: {meaning: sex, values: {F: female, M: male}}
  labs:
    patient: patient
    time: taken
    references: {patient: patients.id}
    columns:
      patient: {type: identifier}
      taken: {type: datetime, meaning: time}
      value: {type: number, minimum: 0, maximum: "", unit_column: unit}
      unit: {type: unit}
"""


def test_reads_what_the_page_shows() -> None:
    schema = Schema.from_yaml(TWO)
    assert schema.home == "patients"
    assert schema.patient_key == "id"
    assert schema.patient_column("labs") == "patient"
    assert schema.tables["patients"].key == ("id",)
    assert schema.tables["labs"].columns["value"].minimum == 0.0
    assert schema.tables["labs"].columns["value"].maximum is None
    assert schema.tables["patients"].columns["sex"].values == {"F": "female", "M": "male"}
    assert schema.split("patients.id") == ("patients", "id")
    assert not schema.is_dictionary("labs")
    assert schema.missing == MISSING


def test_names_like_words_of_yaml_stay_names() -> None:
    text = (
        "tables: {t: {key: [no], columns: {yes: {}, no: {}, null: {}, type: {}, 1e5: {}, on: {}}}}"
    )
    schema = Schema.from_yaml(text)
    assert list(schema.tables["t"].columns) == ["yes", "no", "null", "type", "1e5", "on"]
    assert schema.tables["t"].key == ("no",)
    # A study's own settings come from a reader that turns yes into True.
    plain = {"tables": {"t": {"columns": {True: {}, None: {}}}}}
    assert list(Schema.of(plain).tables["t"].columns) == ["yes", "null"]


names = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1).filter(
    lambda s: s.strip()
)


@given(st.lists(names, min_size=1, max_size=5, unique=True), st.sampled_from(CODE_SYSTEMS))
def test_yaml_round_trip(columns: list[str], system: str) -> None:
    schema = Schema.of(
        {"tables": {"t": {"columns": {c: {"type": "code", "system": system} for c in columns}}}}
    )
    assert Schema.from_yaml(schema.to_yaml()) == schema


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("patient_table: patients", "patient_table: people"), "no table 'people'"),
        (("key: id", "key: idd"), "no column 'idd'"),
        (("time: taken", "time: takn"), "no column 'takn'"),
        (("patients.id", "patients.idd"), "no table.column"),
        (("unit_column: unit", "unit_column: units"), "no column 'units'"),
        (("{type: unit}", "{type: units}"), "labs.columns.unit.type"),
        (("{type: unit}", "{kind: unit}"), "labs.columns.unit.kind"),
        (("minimum: 0", "minimum: low"), "minimum"),
    ],
)
def test_refuses_with_the_place(change: tuple[str, str], says: str) -> None:
    with pytest.raises(StudyError, match="schema") as caught:
        Schema.from_yaml(TWO.replace(*change))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "a: b: c", "tables: {}", "tables: {a: {}, b: {}}", "tables: {a: {}, a: {}}",
     "version: sdq.ehr-schema/2\ntables: {a: {}}", "a: &x [*x]", "!!python/object:os.system {}"],
)  # fmt: skip
def test_refuses_what_is_no_schema(text: str) -> None:
    with pytest.raises(StudyError):
        Schema.from_yaml(text)


def test_missing_file_and_wrong_encoding(tmp_path) -> None:
    with pytest.raises(StudyError, match="cannot be read"):
        read_schema(tmp_path / "none.yaml")
    (tmp_path / "gb.yaml").write_bytes("tables: {患者: {}}".encode("gb18030"))
    with pytest.raises(StudyError, match="UTF-8"):
        read_schema(tmp_path / "gb.yaml")
    (tmp_path / "bom.yaml").write_text("tables: {患者: {}}", encoding="utf-8-sig")
    assert read_schema(tmp_path / "bom.yaml").home == "患者"


def test_settings() -> None:
    settings = EhrSettings.of({"schema": {"tables": {"t": {}}}, "date_order": "mdy"})
    schema = settings.schema_of()
    assert schema is not None
    assert schema.date_order == "mdy"
    assert EhrSettings.of({}).schema_of() is None
    for wrong in (
        {"shema": "x"}, {"encoding": "utf-9"}, {"delimiter": '"'}, {"delimiter": ",,"},
        {"date_order": "ymd"}, {"code_lists": {"icd11": "x"}},
    ):  # fmt: skip
        with pytest.raises(StudyError, match="settings"):
            EhrSettings.of(wrong)
    with pytest.raises(StudyError, match="cannot be read"):
        EhrSettings.of({"schema": "no/such.yaml"}).schema_of()


def test_every_rule_speaks_both_languages() -> None:
    for rule in RULES:
        made = finding(rule)
        assert made.rule == rule_id(rule)
        assert made.area in ("structure", "conformity")
        assert made.message.isascii()
        assert any("\u4e00" <= c <= "\u9fff" for c in made.message_zh)
        assert made.message[0] in string.ascii_lowercase + string.digits + "A"
        assert not made.message.endswith(".")


def test_row_findings() -> None:
    found = row_finding("t", [5, 2], "orphan", "x")
    assert isinstance(found, RowFinding)
    assert found.rows.tolist() == [2, 5]
    assert found.where == "t.x"
    assert found.rule == "ehr.structure.orphan"
