"""What readers see of records: no name, no calendar, codes with names, values with units."""

import csv
from datetime import date, timedelta

import pytest

from sdq_core.review.display import fitted
from sdq_ehr.display import EhrDisplayer
from sdq_ehr.reading import list_items
from sdq_ehr.settings import EhrSettings

SCHEMA = {
    "version": "sdq.ehr-schema/1", "patient_table": "patients",
    "tables": {
        "patients": {"key": ["pid"], "patient": "pid", "columns": {
            "pid": {"type": "identifier"}, "sex": {"type": "category", "meaning": "sex"},
            "name": {"type": "text", "meaning": "name"},
            "born": {"type": "date", "meaning": "birth"},
            "made": {"type": "category", "meaning": "provenance"}}},
        "labs": {"patient": "pid", "time": "day", "columns": {
            "pid": {"type": "identifier"}, "day": {"type": "date"},
            "code": {"type": "code", "system": "loinc"},
            "value": {"type": "number", "meaning": "value", "unit_column": "unit"},
            "unit": {"type": "unit"}}},
        "visits": {"patient": "pid", "time": "came", "columns": {
            "pid": {"type": "identifier"}, "came": {"type": "date"}, "went": {"type": "date"},
            "why": {"type": "code", "system": "icd10"}}},
    },
}  # fmt: skip


def write(folder, shift=0, rows=3):
    def table(name, *lines):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(lines)

    def day(k):
        return (date(2021, 3, 1) + timedelta(days=k + shift)).isoformat()

    table("patients", ("pid", "sex", "name", "born", "made"),
          ("p1", "F", "Jane Roe", "1950-03-01", "gan"))  # fmt: skip
    table("labs", ("pid", "day", "code", "value", "unit"),
          *(("p1", day(7 * k), "4548-4", 6.5 + k % 3, "%") for k in range(rows)))  # fmt: skip
    table("visits", ("pid", "came", "went", "why"), ("p1", day(2), day(5), "I10"))


@pytest.fixture
def written(monkeypatch):
    """The words that are drawn on pages."""
    from sdq_core.review.sheet import Page

    words = []
    draw = Page.write
    monkeypatch.setattr(
        Page, "write", lambda self, x, y, text, *a: words.append(text) or draw(self, x, y, text, *a)
    )
    return words


def test_a_record_says_what_happened_when_and_nothing_of_who(tmp_path, written):
    write(tmp_path)
    settings = EhrSettings.of({"schema": SCHEMA})
    (item,) = list_items(tmp_path, settings).items
    displayer = EhrDisplayer(settings)
    facts = displayer.facts(item)
    assert facts == {"rows": 4, "tables": 2, "days": 14}
    layout = displayer.layout([facts])
    frames = displayer.frames(item, layout)
    assert fitted(frames, layout)
    text = "\n".join(written)
    assert "haemoglobin A1c" in text
    assert "6.5 %" in text
    assert "I10 Essential (primary) hypertension" in text
    assert "went day 5" in text
    for hidden in ("Jane", "Roe", "p1", "gan", "2021", "1950"):
        assert hidden not in text
    assert "age 71 a" in text


def test_the_calendar_is_no_clue(tmp_path):
    settings = EhrSettings.of({"schema": SCHEMA})
    shown = []
    for shift in (0, 400):
        folder = tmp_path / str(shift)
        folder.mkdir()
        write(folder, shift)
        (item,) = list_items(folder, settings).items
        displayer = EhrDisplayer(settings)
        page = displayer.frames(item, displayer.layout([displayer.facts(item)]))[0]
        shown.append(page[60:].tobytes())  # the line above says the age, which moves
    assert shown[0] == shown[1]


def test_long_records_are_pages_up_to_a_limit_that_is_said(tmp_path, written):
    write(tmp_path, rows=400)
    settings = EhrSettings.of({"schema": SCHEMA})
    (item,) = list_items(tmp_path, settings).items
    displayer = EhrDisplayer(settings)
    frames = displayer.frames(item, displayer.layout([displayer.facts(item)]))
    assert len(frames) == 12
    assert any(words.startswith("+ ") for words in written)
    (tmp_path / "labs.csv").unlink()
    assert displayer.facts(item.__class__("other", item.paths)) is None
