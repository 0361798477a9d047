"""Data in memory: taken apart item by item, refused with a message that names the argument."""

import subprocess
import sys
import textwrap

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sdq_core
from sdq_core.errors import UsageError
from sdq_core.in_memory import spawning
from sdq_core.in_memory.columns import texts
from sdq_core.in_memory.data import InMemory, elements, is_frame
from sdq_core.in_memory.stacks import LABELS, write_stacks

IMAGES = np.arange(24, dtype=np.float32).reshape(4, 2, 3)


def taken(data, **given):
    return list(elements(InMemory("train", data, **given), ("image",)))


def values(data, **given):
    return [e.values.tolist() for e in taken(data, **given)]


def run(code, *options):
    done = subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(code)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


CALLS = """
    import inspect, types
    try:
        sdq_core.evaluate(modality="imaging", synthetic="a")
    except sdq_core.SdqError as error:
        assert "train: is missing" in str(error), error
    else:
        raise AssertionError
    assert isinstance(sdq_core.evaluate, types.ModuleType)
    assert "holdout" in inspect.signature(sdq_core.evaluate).parameters
"""


@pytest.mark.parametrize(
    "order",
    [
        "import sdq_core; from sdq_core import evaluate; assert evaluate is sdq_core.evaluate",
        "import sdq_core; import sdq_core.evaluate; from sdq_core.evaluate import compare",
        "from sdq_core.evaluate import evaluate as engine; import sdq_core",
        "import sdq_core.cli, sdq_core.evaluate as engine; engine.document; import sdq_core",
    ],
)
def test_the_name_is_module_and_function_in_every_order_of_imports(order):
    run(order + textwrap.dedent(CALLS))


def test_importing_the_core_and_recognising_data_loads_nothing_heavy():
    out = run("""
        import sys, numpy, sdq_core
        light = {"torch", "pandas", "polars", "monai", "scipy.stats", "pydantic"} & set(sys.modules)
        from sdq_core.in_memory.data import InMemory, elements
        list(elements(InMemory("train", numpy.zeros((2, 3, 3))), ["image"]))
        heavy = {"torch", "pandas", "polars", "monai"} & set(sys.modules)
        print(light, heavy)
    """)
    assert out.strip() == "set() set()"


def test_arrays_lists_iterators_mappings_and_loaders_give_the_same_items():
    class Lazy:
        """Like many data sets it never raises IndexError."""

        def __len__(self):
            return len(IMAGES)

        def __getitem__(self, k):
            return {"image": IMAGES[k % len(IMAGES)], "more": "x"}

    expected = IMAGES.tolist()
    assert values(IMAGES) == expected
    assert values(list(IMAGES)) == expected
    assert values(image for image in IMAGES) == expected
    assert values({"image": IMAGES}) == expected
    assert values(Lazy()) == expected
    assert values([(image, 0.5) for image in IMAGES], keys={"data": 0}) == expected


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


def test_tensors_data_sets_and_loaders_of_torch(torch):
    tensor = torch.from_numpy(IMAGES)
    expected = IMAGES.tolist()
    assert values(tensor.requires_grad_()) == expected
    tensor = tensor.detach()
    assert values(tensor.to(torch.bfloat16)) == expected  # whole numbers below 256 are exact
    with_labels = torch.utils.data.TensorDataset(tensor, torch.tensor([0, 1, 1, 0]))
    alone = torch.utils.data.TensorDataset(tensor)
    for loaded in (alone, torch.utils.data.DataLoader(alone, batch_size=3)):
        assert values(loaded) == expected
    loader = torch.utils.data.DataLoader(with_labels, batch_size=3)
    found = taken(loader, keys={"data": 0, "label": 1})
    assert [e.values.tolist() for e in found] == expected
    assert [e.stated["class"] for e in found] == ["0", "1", "1", "0"]
    assert all(e.tensor for e in found)


def test_mappings_carry_their_labels_and_subjects(torch):
    items = [{"image": IMAGES[k], "label": k % 2, "subject": f"s{k}"} for k in range(4)]
    expected = [{"class": str(k % 2), "subject": f"s{k}"} for k in range(4)]
    assert [e.stated for e in taken(items)] == expected
    loader = torch.utils.data.DataLoader(items, batch_size=3)
    assert [e.stated for e in taken(loader)] == expected
    named = taken(loader, keys={"data": "image", "label": "subject"})
    assert [e.stated for e in named] == [{"class": f"s{k}"} for k in range(4)]


@pytest.mark.parametrize(
    ("data", "given", "said"),
    [
        ([], {}, "train: holds no item"),
        (np.zeros((0, 4, 4)), {}, "train: is empty"),
        (np.zeros(()), {}, "train: is a single number"),
        (3.5, {}, "train: a float holds no items"),
        (object(), {}, "cannot be iterated"),
        (np.array([{"a": 1}, None]), {}, "values of type object"),
        (np.array(["a", "b"]), {}, "train: holds values of type <U1"),
        ([np.zeros((2, 2), complex)], {}, "train, item 0: holds values of type complex128"),
        ((IMAGES, [0, 1, 1, 0]), {}, "train: is a tuple of 2; give the array alone"),
        ([(IMAGES[0], 1)], {}, "train, item 0: is a tuple of 2; say which entry is what"),
        ([(IMAGES[0], 1)], {"keys": {"data": 2}}, "has no entry 2"),
        ([{"picture": IMAGES[0]}], {}, "has the keys picture and none of image"),
        ([{"image": IMAGES[0]}], {"keys": {"data": "x"}}, "has no key 'x'"),
        (IMAGES, {"keys": {"mask": "m"}}, "keys: 'mask' is none of data, label, subject"),
        ([{"image": IMAGES[0], "label": IMAGES[0]}], {}, "A mask is no label"),
        ({"image": IMAGES, "label": IMAGES}, {}, "A mask is no label"),
        ({"image": IMAGES, "label": [1]}, {}, "has 4 items and 1 values of class"),
        (IMAGES, {"labels": [0, 1]}, "has more items than the 2 values of class"),
        (IMAGES, {"labels": [0] * 5}, "has 4 items, but labels gives 5 values of class"),
        (IMAGES, {"labels": "abcd"}, "labels['train']: is a str"),
        (IMAGES, {"labels": 7}, "labels['train']: is a int"),
        (IMAGES, {"labels": [0.5, 1, 1, 0]}, "name no class"),
        (IMAGES, {"subjects": [[1], [2, 3], [4], [5]]}, "subjects['train']: holds a list"),
        (IMAGES, {"attributes": {"class": [1] * 4}}, "'class' is no attribute"),
        ([{"image": i, "label": 1} for i in IMAGES], {"labels": [1] * 4}, "give it once"),
        (pa.table({"a": [1]}), {}, "is a table (Table), and this modality takes arrays"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_by_name(data, given, said):
    with pytest.raises(UsageError) as caught:
        taken(data, **given)
    assert said in str(caught.value)
    assert "train" in str(caught.value) or "keys" in str(caught.value)


def test_loaders_of_tuples_and_shuffled_loaders_beside_labels_are_refused(torch):
    pair = torch.utils.data.TensorDataset(torch.from_numpy(IMAGES), torch.zeros(4))
    with pytest.raises(UsageError, match=r"train, batch 0: is a list of 2; say which entry"):
        taken(torch.utils.data.DataLoader(pair))
    shuffled = torch.utils.data.DataLoader(list(IMAGES), shuffle=True)
    with pytest.raises(UsageError, match="shuffle=False"):
        taken(shuffled, labels=[0, 1, 1, 0])
    assert len(taken(shuffled)) == 4  # without labels any order will do

    class Backwards:
        def __iter__(self):
            return iter([[3, 2], [1, 0]])

        def __len__(self):
            return 2

    with pytest.raises(UsageError, match="shuffle=False"):
        taken(
            torch.utils.data.DataLoader(list(IMAGES), batch_sampler=Backwards()),
            subjects=[0, 1, 1, 0],
        )

    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(IMAGES)

    streamed = taken(torch.utils.data.DataLoader(Stream(), batch_size=3), labels=[0, 1, 1, 0])
    assert [e.values.tolist() for e in streamed] == IMAGES.tolist()


def test_missing_labels_are_missing_and_numbers_are_written_plainly():
    found = texts([None, np.nan, np.float64(2.0), np.int8(3), b"x", True, np.str_("y")], "labels")
    assert found == ["", "", "2", "3", "x", "True", "y"]
    assert texts(np.array([[1], [2]]), "labels", classes=True) == ["1", "2"]
    assert texts([41.5], "attributes") == ["41.5"]
    assert is_frame(pa.table({"a": [1]}))
    assert not is_frame(IMAGES)


def test_stacks_hold_every_item_once_in_bounded_parts(tmp_path):
    shapes = [(2, 3)] * 5 + [(4, 4)] + [(2, 3)] * 2
    items = [np.full(shape, k, np.int16) for k, shape in enumerate(shapes)]
    source = InMemory("train", items, labels=list("abcdefgh"))
    found = write_stacks(elements(source, ()), tmp_path, lambda _, element: element.values, size=30)
    names = sorted(p.name for p in tmp_path.glob("*.npy"))
    assert names == [f"from-000000{k}.npy" for k in (0, 2, 4, 5, 6)]
    rows = pq.read_table(tmp_path / LABELS).to_pylist()
    for k, row in enumerate(rows):
        name, _, part = row["item"].partition("#")
        assert np.array_equal(np.load(tmp_path / name)[int(part)], items[k])
        assert row["class"] == "abcdefgh"[k]
    assert found.labels == tmp_path / LABELS


def test_a_generator_that_uses_one_buffer_gives_different_items(tmp_path):
    def reused():
        buffer = np.empty((2, 2))
        for k in range(3):
            buffer[:] = k
            yield buffer

    write_stacks(elements(InMemory("train", reused()), ()), tmp_path, lambda _, e: e.values)
    assert np.load(tmp_path / "from-0000000.npy")[:, 0, 0].tolist() == [0, 1, 2]
    assert not (tmp_path / LABELS).exists()


def test_roles_and_labels_are_checked_before_anything_is_read():
    call = sdq_core.evaluate
    for given, said in (
        ({"train": IMAGES}, "synthetic: is missing"),
        ({"train": IMAGES, "synthetic": IMAGES, "labels": [1]}, "labels: is a list"),
        ({"train": IMAGES, "synthetic": IMAGES, "labels": {"holdout": [1]}}, "'holdout' is no coh"),
        ({"train": "a", "synthetic": "b", "labels": {"train": [1]}}, "give the path of its label"),
        ({"train": "a", "synthetic": "b", "subjects": {"train": [1]}}, "stand in a label table"),
        ({"train": IMAGES, "synthetic": IMAGES, "settings": [1]}, "settings: is a list"),
    ):
        with pytest.raises(UsageError) as caught:
            call(modality="imaging", **given)
        assert said in str(caught.value)
    with pytest.raises(UsageError, match="modality: is missing"):
        call(train=IMAGES, synthetic=IMAGES)


def test_processes_start_only_where_the_main_file_can_be_imported_again(tmp_path, monkeypatch):
    script = tmp_path / "script.py"
    code = "import sys; sys.path[:0] = {!r}\nfrom sdq_core.in_memory.spawning import *\n"
    code = code.format([p for p in sys.path if p])
    guarded = "if __name__ == '__main__':\n    print(default_engine())\n"
    for body, expected in ((guarded, "processes"), ("print(default_engine())\n", "serial")):
        script.write_text(code + body)
        done = subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == expected
    assert run("from sdq_core.in_memory.spawning import *; print(default_engine())") == (
        "processes\n"
    )
    monkeypatch.setattr(spawning.multiprocessing, "parent_process", lambda: object())
    assert spawning.default_engine() == "serial"
