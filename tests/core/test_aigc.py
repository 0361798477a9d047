"""The label of generated content: what counts as one, and the share of files that carry it."""

import dataclasses
import json

import pytest
from toy import cohorts

from sdq_core.aigc import LabelState, generated, label_in_text, label_state
from sdq_core.characteristics.metadata import Metadata
from sdq_core.description import Description, DescriptionTable
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement

FULL = {"Label": "1", "ContentProducer": "a house", "ProduceID": "7"}


class ToyMetadata(Metadata):
    def declares_synthetic(self, metadata, attributes):
        return False


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (json.dumps(FULL), "valid"),
        (json.dumps({"AIGC": FULL}), "valid"),
        (json.dumps(json.dumps(FULL)), "no_object"),
        ("AIGC: " + json.dumps(json.dumps(FULL)), "valid"),
        (json.dumps({**FULL, "Label": 1}), "valid"),
        (json.dumps({**FULL, "Label": "2"}), "not_generated"),
        (json.dumps({**FULL, "Label": ""}), "not_generated"),
        (json.dumps({**FULL, "ProduceID": " "}), "incomplete"),
        (json.dumps({"Label": "1"}), "incomplete"),
        ("yes", "no_object"),
        ("1", "no_object"),
        ('{"Label": "1"', "no_object"),
        ("[" * 100_000, "no_object"),
        ('{"Label": {"a": "1"}, "ProduceID": "7"}', "not_generated"),
        ("  ", "missing"),
        (None, "missing"),
    ],
)
def test_a_label_is_an_object_that_says_generated_by_whom_and_which(text, state):
    assert label_state(text) == state


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("seed=7; AIGC=" + json.dumps(FULL) + "; run=2", FULL),
        ("AIGC " + json.dumps(FULL), FULL),
        ('{"AIGC": ' + json.dumps(FULL) + "}", FULL),
        ("AIGCX: " + json.dumps(FULL), None),
        ("aigc: yes", {}),
        ("nothing", None),
        ("AIGC: " + json.dumps({**FULL, "Patient": "x", "ReservedCode1": "s" * 500}),
         {**FULL, "ReservedCode1": "s" * 200}),
    ],
)  # fmt: skip
def test_a_label_is_found_in_a_text_with_its_known_fields_only(text, found):
    said = label_in_text(text)
    assert (json.loads(said) if said else None) == found


def test_possibly_generated_is_no_declaration():
    assert generated(json.dumps({"Label": "1"}))
    assert not generated(json.dumps({"Label": "2"}))
    assert not generated("1")


def measured(labels, *, key="text:AIGC"):
    made = cohorts(n=(30, 30, len(labels)))
    descriptions = [Description(metadata={key: t} if t else {}) for t in labels]
    table = DescriptionTable(made.synthetic.table.items, descriptions, "synthetic")
    synthetic = dataclasses.replace(made.synthetic, table=table)
    outputs = list(ToyMetadata("imaging").declared(dataclasses.replace(made, synthetic=synthetic)))
    share = next(o for o in outputs if isinstance(o, Measurement) and o.variant == "aigc")
    found = [o for o in outputs if isinstance(o, Finding) and o.rule.endswith("aigc_label")]
    return share, found


@pytest.mark.parametrize("key", ["text:AIGC", "aigc", "AIGC"])
def test_the_share_is_that_of_all_files_without_an_interval(key):
    share, found = measured([json.dumps(FULL)] * 10, key=key)
    assert (share.value, share.interval, found) == (1.0, None, [])
    assert share.details["labels"]["valid"] == 10


def test_a_cohort_without_any_label_is_measured_and_not_scolded():
    share, found = measured([""] * 10)
    assert (share.value, found) == (0.0, [])


def test_each_file_that_is_left_out_or_wrongly_labelled_is_named():
    good = json.dumps(FULL)
    labels = [good, "", "yes", json.dumps({**FULL, "Label": "3"}), json.dumps({"Label": "1"}), good]
    share, found = measured(labels)
    assert share.value == pytest.approx(2 / 6)
    assert [f.item for f in found] == [f"synthetic/{k:04d}" for k in (1, 2, 3, 4)]
    assert {str(f.severity) for f in found} == {"error"}
    assert all(f.message_zh for f in found)
    assert share.details["labels"] == {
        str(s): 1 if s is not LabelState.VALID else 2 for s in LabelState
    }


def test_the_label_table_is_no_part_of_a_file():
    made = cohorts(n=(30, 30, 5))
    columns = {"AIGC": [json.dumps(FULL)] * 5}
    synthetic = dataclasses.replace(made.synthetic, attributes=columns)
    outputs = ToyMetadata("imaging").declared(dataclasses.replace(made, synthetic=synthetic))
    found = [o for o in outputs if isinstance(o, Measurement) and o.variant == "aigc"]
    assert [m.value for m in found] == [0.0]
