"""The two embeddings that need no weights: pinned, and the same everywhere."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage

from sdq_core.errors import PluginError, UsageError
from sdq_imaging.describing import named_features
from sdq_imaging.embeddings import EMBEDDERS, embedder
from sdq_imaging.embeddings import random_resnet18 as module
from sdq_imaging.embeddings.radiomic import FEATURES, Radiomic
from sdq_imaging.embeddings.random_resnet18 import RandomResNet18, random_weights
from sdq_imaging.embeddings.registry import facts

PINNED = "95daadb88cd4974bc1f48a4af646876122cb75f4c4f827e1f8ddbf173517eb54"


def planes(n=1, shape=(150, 170), seed=0):
    rng = np.random.default_rng(seed)
    grey = ndimage.gaussian_filter(rng.random((n, *shape)), (0, 2, 2))
    return ((grey - grey.min()) / np.ptp(grey)).astype(np.float32)


@pytest.fixture(scope="module")
def network():
    return RandomResNet18()


def test_names_versions_hashes_and_dimensions_are_stated():
    assert set(EMBEDDERS) == {"radiomic", "random-resnet18"}
    for name in EMBEDDERS:
        made = embedder(name)
        assert made.name == name
        assert facts(name) == {
            "version": made.version,
            "sha256": made.sha256,
            "dimension": made.dimension,
        }
        x = planes()
        vector = made(x, named_features(x))
        assert vector.shape == (made.dimension,)
        assert vector.dtype == np.float32
        assert np.isfinite(vector).all()


def test_an_unknown_embedder_names_the_known_ones():
    with pytest.raises(UsageError, match="radiomic, random-resnet18"):
        embedder("inception")


# --- random-resnet18 ---


def test_the_weights_are_pinned():
    assert RandomResNet18.sha256 == PINNED
    rng = np.random.Generator(np.random.PCG64(20180207))
    drawn = random_weights({"b.weight": (2, 3, 5, 5), "a.weight": (4, 2), "a.bias": (4,)})
    # In the order of the names: first a, then b; a bias takes no number from the stream.
    expected = rng.standard_normal((4, 2)) * np.sqrt(2 / 2)
    np.testing.assert_array_equal(drawn["a.weight"], expected.astype(np.float32))
    expected = rng.standard_normal((2, 3, 5, 5)) * np.sqrt(2 / 75)
    np.testing.assert_array_equal(drawn["b.weight"], expected.astype(np.float32))
    assert not drawn["a.bias"].any()


def test_other_weights_are_refused(monkeypatch):
    monkeypatch.setattr(module, "SEED", 1)
    with pytest.raises(PluginError, match="not the pinned"):
        RandomResNet18()


def test_the_network_holds_the_weights_that_were_hashed(network):
    state = network._network.state_dict()
    digest = hashlib.sha256()
    for name in sorted(state):
        if not name.endswith("num_batches_tracked"):
            digest.update(name.encode() + state[name].numpy().tobytes())
    assert digest.hexdigest() == PINNED
    assert not network._network.training


def test_no_cuda_is_a_clear_error(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(PluginError, match=r"settings\.device"):
        RandomResNet18("cuda")
    assert RandomResNet18("auto").device == "cpu"


def test_the_vector_does_not_depend_on_torch_seed_neighbours_or_order(network):
    import torch

    x = planes(4)
    torch.manual_seed(1)
    first = [network(p[None], {}) for p in x]
    torch.manual_seed(2)
    again = [RandomResNet18()(p[None], {}) for p in x[::-1]][::-1]
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(network(x, {}), np.mean(first, axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(network(x[::-1], {}), network(x, {}), rtol=1e-5, atol=1e-6)


def test_the_vector_is_the_same_on_any_number_of_threads(network):
    import torch

    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            found.append(network(planes(), {}))
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


SCRIPT = """
import hashlib, sys
import numpy as np
import torch
torch.manual_seed(int(sys.argv[1]))
from sdq_imaging.embeddings import embedder
x = np.random.Generator(np.random.PCG64(5)).random((2, 90, 70), np.float32)
print(hashlib.sha256(embedder("random-resnet18")(x, {}).tobytes()).hexdigest())
"""


def test_two_processes_give_the_same_bytes(network):
    x = np.random.Generator(np.random.PCG64(5)).random((2, 90, 70), np.float32)
    here = hashlib.sha256(network(x, {}).tobytes()).hexdigest()
    out = subprocess.run(
        [sys.executable, "-c", SCRIPT, "99"], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == here


def test_it_sees_geometry_and_content(network):
    x = planes()
    here = network(x, {})
    scale = np.linalg.norm(here)
    turned = np.linalg.norm(network(np.ascontiguousarray(np.rot90(x, axes=(1, 2))), {}) - here)
    other = np.linalg.norm(network(planes(seed=9), {}) - here)
    slightly = np.linalg.norm(network(x + np.float32(1e-4), {}) - here)
    assert slightly < 0.02 * min(turned, other)
    assert other > 0.01 * scale
    assert here.std() > 0.01 * np.abs(here).mean(), "the features differ from each other"


# --- radiomic ---


def test_the_features_are_in_their_fixed_order():
    x = planes()
    scalars = named_features(x)
    vector = Radiomic()(x, scalars)
    assert vector.tolist() == [np.float32(scalars[n]) for n in FEATURES]
    assert len(set(FEATURES)) == len(FEATURES) == Radiomic.dimension
    assert set(FEATURES) <= set(scalars)
    assert Radiomic.sha256 == hashlib.sha256("\n".join(FEATURES).encode()).hexdigest()


def test_a_constant_image_has_no_radiomic_vector():
    x = np.full((1, 40, 40), 0.5, np.float32)
    assert Radiomic()(x, named_features(x)) is None
