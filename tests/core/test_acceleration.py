"""CUDA where it is asked for: the same code on torch's cpu, and what happens without a device."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdq_core import acceleration
from sdq_core.acceleration import Blocks, chosen_device, computed, exact_arithmetic, recorded
from sdq_core.environment import environment
from sdq_core.errors import PluginError, UsageError
from sdq_core.statistics import nearest_neighbours, squared_distances
from sdq_core.statistics.mixed_rows import WIDTH, MixedRows, rarity_gains
from sdq_core.statistics.nearest_mixed import nearest_rows
from sdq_core.statistics.neighbours_on_device import nearest_on_device

torch = pytest.importorskip("torch")
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


def both(query, reference, k):
    expected = nearest_neighbours(query, reference, k)
    with exact_arithmetic():
        found = nearest_on_device(query, reference, k, Blocks("cpu"))
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == theirs.dtype
        assert ours.tobytes() == theirs.tobytes()
    return found


def short_of_memory(limit):
    """Blocks of a device on which no more than `limit` rows fit."""

    class Short(Blocks):
        def over(self, n, step, compute):
            def within(rows):
                if rows.stop - rows.start > limit:
                    raise torch.OutOfMemoryError("no room")
                compute(rows)

            super().over(n, step, within)

    return Short


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_neighbours_on_a_device_are_those_of_the_processor_to_the_bit(scale, offset):
    rng = np.random.default_rng(0)
    query, reference = rng.normal(size=(60, 24)), rng.normal(size=(300, 24))
    both((query + offset) * scale, (reference + offset) * scale, 5)


def test_equal_and_nearly_equal_rows_are_settled_in_float64():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(80, 6))
    # Forty rows that float32 cannot tell apart, the nearest of them last.
    near = x[:1] + 1e-9 * np.arange(40, 0, -1)[:, None]
    reference = np.concatenate([x, x, near])
    _, indices = both(x, reference, 3)
    assert (indices[:, 0] == np.arange(80)).all()
    assert indices[0].tolist() == [0, 80, 199]
    assert both(np.zeros((3, 2)), np.zeros((50, 2)), 2)[1].tolist() == [[0, 1]] * 3


@given(
    st.integers(1, 12), st.integers(1, 40), st.integers(1, 4), st.integers(0, 3), st.integers(0, 99)
)
@settings(max_examples=40, deadline=None)
def test_neighbours_of_rows_with_many_ties(n, m, width, digits, seed):
    rng = np.random.default_rng(seed)
    query, reference = (rng.normal(size=(s, width)).round(digits) for s in (n, m))
    both(query, reference, int(rng.integers(1, m + 1)))


def test_a_block_that_does_not_fit_is_halved_and_changes_nothing():
    rng = np.random.default_rng(2)
    query, reference = rng.normal(size=(50, 4)), rng.normal(size=(70, 4))
    blocks = short_of_memory(3)("cpu")
    found = nearest_on_device(query, reference, 2, blocks)
    assert blocks.halved == 4, "50, 25, 12, 6, 3"
    for ours, theirs in zip(found, nearest_neighbours(query, reference, 2), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("limit", "device", "note"),
    [
        (9, "cuda", ""),
        (2, "cuda", "blocks halved 2 times: memory was short"),
        (0, "cpu", "the memory of cuda did not suffice"),
    ],
)
def test_what_was_computed_where_stands_in_the_environment(monkeypatch, limit, device, note):
    class Pretended(short_of_memory(limit)):
        def __init__(self, name):
            super().__init__(name)
            self.device = "cpu"  # there is no other here

    monkeypatch.setattr(acceleration, "chosen_device", lambda _: "cuda")
    monkeypatch.setattr(acceleration, "Blocks", Pretended)
    x = np.random.default_rng(3).normal(size=(9, 2))
    with recorded() as steps:
        found = nearest_neighbours(x, x, 2, device="cuda")
        nearest_neighbours(x, x, 2, device="cuda")
        nearest_neighbours(x, x, 2, device="auto")  # too small to pay
    np.testing.assert_array_equal(found[1], nearest_neighbours(x, x, 2)[1])
    expected = {"what": "nearest neighbours", "device": device, "tolerance": 0.0}
    assert steps == [expected | ({"note": note} if note else {})]
    assert environment({}, {}, "cuda", steps)["on_device"] == steps
    assert "on_device" not in environment({}, {})


def test_auto_uses_a_device_only_where_it_pays(monkeypatch):
    monkeypatch.setattr(acceleration, "chosen_device", lambda _: "cuda")

    def asked(work):
        return computed("auto", work, "", 0.0, lambda _: "device", lambda: "processor")

    assert asked(acceleration.WORTH - 1) == "processor"
    assert asked(acceleration.WORTH) == "device"


def test_what_is_no_device_is_a_clear_error(monkeypatch):
    for name in ("gpu", "cuda:", "cuda:-1", "cpu:0", "cuda:0\n", ""):
        with pytest.raises(UsageError, match="must be auto, cpu, cuda or cuda:N"):
            chosen_device(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen_device("auto") == chosen_device("cpu") == "cpu"
    for name in ("cuda", "cuda:0"):
        with pytest.raises(PluginError, match="finds no CUDA device; use cpu or auto"):
            chosen_device(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [chosen_device(n) for n in ("auto", "cuda", "cuda:1")] == ["cuda", "cuda", "cuda:1"]
    with pytest.raises(PluginError, match="finds 2 CUDA devices"):
        chosen_device("cuda:2")


def test_flags_are_set_for_the_step_alone_even_when_it_fails():
    cudnn = torch.backends.cudnn

    def flags():
        precisions = (torch.backends.cuda.matmul.fp32_precision, cudnn.conv.fp32_precision)
        return cudnn.deterministic, cudnn.benchmark, *precisions, torch.is_inference_mode_enabled()

    before = flags()
    during = []

    def fail():
        with exact_arithmetic():
            during.append(flags())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert during == [(True, False, "ieee", "ieee", True)]
    assert flags() == before


def test_distances_within_one_set_are_those_of_two_equal_sets():
    x = np.random.default_rng(4).normal(size=(200, 33))
    found = squared_distances(x, x)
    expected = squared_distances(x, x.copy())
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-12)


def mixed(n, seed, levels=(3, 40, 5)):
    rng = np.random.default_rng(seed)
    numbers = rng.random((n, 4)).round(2) * WIDTH
    numbers[rng.random(numbers.shape) < 0.1] = np.nan
    codes = np.column_stack([rng.integers(0, size, n) for size in levels])
    return MixedRows(numbers, codes)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("rows", [10**6, 40])
def test_nearest_mixed_rows_on_a_device_are_those_of_the_processor(
    monkeypatch, weighted, grouped, rows
):
    query, reference = mixed(530, 6), mixed(700, 7)  # more than one block, the last ones smaller
    gains = rarity_gains(reference.categories, (3, 40, 5)) if weighted else None
    groups = (np.arange(530) % 90, np.arange(700) % 90) if grouped else None
    expected = nearest_rows(query, reference, 4, gains=gains, groups=groups)
    short = short_of_memory(rows)

    class Pretended(short):
        def __init__(self, name):
            super().__init__("cpu")

    monkeypatch.setattr(acceleration, "chosen_device", lambda _: "cuda")
    monkeypatch.setattr(acceleration, "Blocks", Pretended)
    with recorded() as steps:
        found = nearest_rows(query, reference, 4, gains=gains, groups=groups, device="cuda")
    assert [(s["what"], s["device"], "note" in s) for s in steps] == [
        ("nearest rows", "cuda", rows == 40)
    ]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.tobytes() == theirs.tobytes()


@needs_cuda
def test_nearest_mixed_rows_on_cuda_are_those_of_the_processor_to_the_bit():
    query, reference = mixed(3000, 8), mixed(20_000, 9)
    found = nearest_rows(query, reference, 4, device="cuda")
    for ours, theirs in zip(found, nearest_rows(query, reference, 4), strict=True):
        assert ours.tobytes() == theirs.tobytes()


@needs_cuda
@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_neighbours_on_cuda_are_those_of_the_processor_to_the_bit(device):
    rng = np.random.default_rng(5)
    query, reference = rng.normal(size=(500, 512)), rng.normal(size=(4000, 512))
    reference[100:200] = reference[300:400]
    with recorded() as steps:
        found = nearest_neighbours(query, reference, 5, device=device)
    assert [s["device"] for s in steps] == [device]
    for ours, theirs in zip(found, nearest_neighbours(query, reference, 5), strict=True):
        assert ours.tobytes() == theirs.tobytes()
