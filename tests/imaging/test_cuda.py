"""MS-SSIM and embeddings on a device: the same code on torch's cpu, and CUDA where there is one."""

import numpy as np
import pytest
import torch
from made_cohorts import blobs, cohorts
from scipy import ndimage

from sdq_core import acceleration
from sdq_core.acceleration import Blocks, recorded
from sdq_core.cli import main
from sdq_core.errors import PluginError, StudyError
from sdq_core.study import Study
from sdq_imaging.describing import ImagingDescriber
from sdq_imaging.embeddings import networks
from sdq_imaging.embeddings.random_resnet18 import RandomResNet18
from sdq_imaging.fidelity import ImagingFidelity
from sdq_imaging.preparing import prepared
from sdq_imaging.settings import ImagingSettings
from sdq_imaging.similarity_on_device import pairwise_on_device
from sdq_imaging.structural_similarity import DEVICE_TOLERANCE, pairwise_ms_ssim

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
NEAR = 1e-6  # the same arithmetic in another order


def smooth(n, shape, seed=0):
    grey = ndimage.gaussian_filter(np.random.default_rng(seed).random((n, *shape)), (0, 2, 2))
    return ((grey - grey.min()) / np.ptp(grey)).astype(np.float32)


def all_pairs(n):
    return np.column_stack(np.triu_indices(n))


@pytest.fixture(scope="module")
def network():
    return RandomResNet18()


@pytest.fixture
def pretended(monkeypatch):
    """Let torch's cpu stand for a CUDA device, on which a block of so many rows fits."""

    def pretend(limit):
        class Pretended(Blocks):
            def __init__(self, name):
                super().__init__(name)
                self.pretends, self.device = name.startswith("cuda"), "cpu"

            def over(self, n, step, compute):
                def within(rows):
                    if self.pretends and rows.stop - rows.start > limit:
                        raise torch.OutOfMemoryError("no room")
                    compute(rows)

                super().over(n, step, within)

        monkeypatch.setattr(acceleration, "chosen_device", lambda d: d if d == "cpu" else "cuda:0")
        for module in (acceleration, networks):
            monkeypatch.setattr(module, "Blocks", Pretended)

    return pretend


@pytest.mark.parametrize("shape", [(11, 30), (21, 22), (64, 75), (176, 180)])
@pytest.mark.parametrize("data_range", [1.0, 255.0])
def test_ms_ssim_on_a_device_is_that_of_the_processor(shape, data_range):
    x = smooth(5, shape) * np.float32(data_range)
    x[3] = data_range - x[0]  # structure that is opposite: a contrast below 0
    pairs = all_pairs(len(x))
    expected = pairwise_ms_ssim(x, pairs, data_range)
    assert np.ptp(expected) > 0.2, "the pairs differ"
    found = pairwise_on_device(x, pairs, data_range, Blocks("cpu"))
    np.testing.assert_allclose(found, expected, rtol=0, atol=NEAR)


def test_no_pair_is_no_value():
    x = smooth(2, (16, 16))
    assert pairwise_on_device(x, np.empty((0, 2), np.intp), 1.0, Blocks("cpu")).shape == (0,)


@pytest.mark.parametrize(
    ("limit", "note"), [(100, None), (4, "halved"), (0, "the memory of cuda:0 did not suffice")]
)
def test_short_memory_changes_no_value_and_is_said(pretended, limit, note):
    pretended(limit)
    x = smooth(9, (48, 48))
    pairs = all_pairs(len(x))
    expected = pairwise_ms_ssim(x, pairs, 1.0)
    with recorded() as steps:
        found = pairwise_ms_ssim(x, pairs, 1.0, device="cuda:0")
    np.testing.assert_allclose(found, expected, rtol=0, atol=NEAR)
    assert len(steps) == 1
    assert note in steps[0]["note"] if note else "note" not in steps[0]
    assert steps[0]["device"] == ("cuda:0" if limit else "cpu")
    assert steps[0]["tolerance"] == (DEVICE_TOLERANCE if limit else 0)


def test_the_study_decides_where_diversity_is_computed(pretended, tmp_path):
    made = cohorts(tmp_path, blobs())
    (expected,) = ImagingFidelity("imaging").diversity(made)
    assert expected.value is not None
    settings = {**made.study.settings, "device": "cuda"}
    asked = type(made)(
        made.study.model_copy(update={"settings": settings}),
        made.train,
        made.synthetic,
        made.holdout,
    )
    pretended(10**6)
    with recorded() as steps:
        (found,) = ImagingFidelity("imaging").diversity(asked)
    assert [(s["what"], s["device"]) for s in steps] == [("MS-SSIM", "cuda:0")]
    assert found.value == pytest.approx(expected.value, abs=NEAR)


def test_embeddings_of_halved_batches_and_of_the_processor_at_last(pretended, network):
    batch = np.random.default_rng(0).random((20, 1, 64, 64), np.float32)
    expected = network.run(batch)
    pretended(5)
    made = RandomResNet18()
    made.device = "cuda:0"
    with pytest.warns(UserWarning, match="halved 2 times"):
        np.testing.assert_allclose(made.run(batch), expected, rtol=1e-5, atol=1e-6)
    assert made.device == "cuda:0"
    pretended(0)
    with pytest.warns(UserWarning, match="the processor computes instead"):
        np.testing.assert_array_equal(made.run(batch), expected)
    assert made.device == "cpu", "for what follows as well"


def test_settings_know_every_name_of_a_device(monkeypatch):
    for name in ("auto", "cpu", "cuda", "cuda:0", "cuda:12"):
        assert ImagingSettings.of({"device": name}).device == name
    for name in ("gpu", "cuda:", "cuda:x", "CUDA", "cuda:0 ", "cuda:0\n", 0):
        with pytest.raises(StudyError, match=r"settings\.device"):
            ImagingSettings.of({"device": name})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    described = ImagingDescriber.of(ImagingSettings.of({"device": "auto"}))
    assert described.settings["device"] == "cpu", "what is, not what was asked for"


def test_a_device_that_is_not_there_is_said_before_anything_is_read(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    absent = {"train": {"path": "absent"}, "synthetic": {"path": "absent"}}
    study = Study(name="x", modality="imaging", cohorts=absent, settings={"device": "cuda:0"})
    with pytest.raises(PluginError, match="finds no CUDA device"):
        prepared(study)
    for device, said in (("cuda:0", "finds no CUDA device"), ("gpu", "must be auto, cpu")):
        arguments = ["evaluate", "--modality", "imaging", "--device", device]
        for role in ("--train", "--synthetic"):
            arguments += [role, str(tmp_path)]
        monkeypatch.setattr("sys.argv", ["sdq", *arguments, "-o", str(tmp_path / "out")])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert stopped.value.code == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@needs_cuda
def test_ms_ssim_on_cuda_is_that_of_the_processor_and_repeats_to_the_bit():
    x = smooth(40, (128, 128))
    pairs = all_pairs(len(x))
    found = [pairwise_ms_ssim(x, pairs, 1.0, device="cuda") for _ in range(2)]
    assert found[0].tobytes() == found[1].tobytes()
    expected = pairwise_ms_ssim(x, pairs, 1.0)
    np.testing.assert_allclose(found[0], expected, rtol=0, atol=DEVICE_TOLERANCE)


@needs_cuda
def test_embeddings_on_cuda_are_those_of_the_processor_and_repeat_to_the_bit(network):
    batch = np.random.default_rng(1).random((20, 1, 64, 64), np.float32)
    made = RandomResNet18("cuda")
    found = [made.run(batch) for _ in range(2)]
    assert found[0].tobytes() == found[1].tobytes()
    np.testing.assert_allclose(found[0], network.run(batch), rtol=1e-3, atol=1e-4)
