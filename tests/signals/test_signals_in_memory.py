"""Recordings in memory: the same numbers as from files; what arrays cannot say must be said."""

import numpy as np
import pytest
from cohorts_made import RATE

import sdq_core
from sdq_core.errors import UsageError
from sdq_core.in_memory.data import InMemory
from sdq_core.manifest import cohort_digest
from sdq_signals.channels import LEADS
from sdq_signals.reading import list_items, open_recording
from sdq_signals.settings import SignalsSettings
from sdq_signals.simulated_ecg import simulate
from sdq_signals.staging import stage

TOLD = {"sampling_rate": RATE, "channels": list(LEADS), "units": "mV"}


@pytest.fixture(scope="module")
def samples():
    roles = ("train", "holdout", "synthetic")
    return {
        role: simulate(12, rate=RATE, seed=k).samples[:, :, : int(4 * RATE)]
        for k, role in enumerate(roles)
    }


def test_the_engine_judges_the_recordings_that_files_hold(samples, tmp_path):
    labels = {role: np.arange(12) % 2 for role in samples}
    subjects = {role: [f"{role}{k}" for k in range(12)] for role in samples}
    result = sdq_core.evaluate(
        modality="signals", **samples, labels=labels, subjects=subjects, settings=TOLD,
        engine="serial",
    )  # fmt: skip
    for role, values in samples.items():
        # Without rate and unit: a digest holds them where the file does.
        np.savez(tmp_path / f"{role}.npz", signals=values)
        items = list_items(tmp_path / f"{role}.npz", SignalsSettings.of(TOLD)).items
        found = result.cohorts[role]
        # Equal digests, classes and subjects are all that the engine sees of a cohort.
        assert found.digest == cohort_digest(i.digest for i in items)
        assert (found.readable, found.subjects) == (12, 12)
        assert found.classes == {"0": 6, "1": 6}
    assert any(m.value is not None for m in result.measurements if m.characteristic == "fidelity")


def test_tensors_and_lists_are_the_recordings_of_the_array(samples, tmp_path):
    torch = pytest.importorskip("torch")
    values = samples["train"].astype(np.float32)[:4]
    forms = {
        "array": values,
        "list": list(values),
        "loader": torch.utils.data.DataLoader(torch.from_numpy(values), batch_size=3),
        "mappings": [{"signal": v} for v in values],
    }
    digests = set()
    for name, form in forms.items():
        (tmp_path / name).mkdir()
        stage(InMemory("train", form), tmp_path / name, TOLD)
        found = list_items(tmp_path / name, SignalsSettings.of(TOLD)).items
        digests.add(tuple(i.digest for i in found))
        recording = open_recording(found[3], SignalsSettings.of(TOLD))
        assert np.array_equal(recording.read(0, recording.length), values[3])
        assert [c.name for c in recording.channels] == list(LEADS)
        assert recording.rate == RATE
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("shape", "settings", "said"),
    [
        ((3, 2, 50), {}, "an array does not say its sampling_rate, channels, units"),
        ((3, 2, 50), {"sampling_rate": 50, "channels": ["a", "b"]}, "does not say its units"),
        ((3, 50, 2), {"sampling_rate": 5, "channels": ["a", "b"], "units": "mV"}, "so turn it"),
        ((3, 4, 50), {"sampling_rate": 5, "channels": ["a", "b"], "units": "mV"}, "names 2 chan"),
        ((2, 2, 2, 2), {"sampling_rate": 5, "channels": ["a"], "units": "mV"}, "(channels, time)"),
    ],
)
def test_what_arrays_cannot_say_and_wrong_shapes_are_refused(shape, settings, said, tmp_path):
    with pytest.raises(UsageError) as caught:
        stage(InMemory("train", np.zeros(shape, np.float32)), tmp_path, settings)
    assert str(caught.value).startswith("train")
    assert said in str(caught.value)
