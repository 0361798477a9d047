"""The device of a health-records study: where patients are searched, and nothing else."""

import numpy as np
import pytest

from sdq_core import acceleration
from sdq_core.acceleration import Blocks, recorded
from sdq_core.errors import PluginError, StudyError
from sdq_core.study import Study
from sdq_ehr.attacks.membership import membership_scores
from sdq_ehr.attacks.sides import Sides
from sdq_ehr.preparing import APART, prepared
from sdq_ehr.settings import EhrSettings
from sdq_ehr.simulated_table import mixed_rows, simulate_table

torch = pytest.importorskip("torch")


def test_scores_of_attacks_do_not_depend_on_the_device(monkeypatch):
    (train, holdout, synthetic), levels = mixed_rows(*(simulate_table(60, k) for k in range(3)))
    usual = Sides(train, holdout, synthetic, levels)
    asked = Sides(train, holdout, synthetic, levels, device="cuda")
    assert asked.varying().device == "cuda"
    # torch's cpu stands for the device.
    monkeypatch.setattr(acceleration, "chosen_device", lambda d: d)
    monkeypatch.setattr(acceleration, "Blocks", lambda _: Blocks("cpu"))
    with recorded() as steps:
        expected = membership_scores(usual)
        assert steps == []
        found = membership_scores(asked)
    assert steps == [{"what": "nearest rows", "device": "cuda", "tolerance": 0.0}]
    for name, scores in expected.items():
        np.testing.assert_array_equal(found[name], scores)


def test_a_device_that_is_not_there_is_said_before_anything_is_read(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    absent = {"train": {"path": "absent"}, "synthetic": {"path": "absent"}}
    study = Study(name="x", modality="ehr", cohorts=absent, settings={"device": "cuda:0"})
    with pytest.raises(PluginError, match="finds no CUDA device"):
        prepared(study)


def test_the_setting_has_the_names_of_devices_and_descriptions_do_not_depend_on_it():
    assert EhrSettings.of({"device": "cuda:1"}).device == "cuda:1"
    with pytest.raises(StudyError, match=r"settings\.device"):
        EhrSettings.of({"device": "gpu"})
    assert "device" in APART
