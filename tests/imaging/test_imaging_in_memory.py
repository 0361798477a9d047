"""Images in memory: the same numbers and verdicts as from files."""

import numpy as np
import pytest
import yaml
from pictures import draw, write

import sdq_core
from sdq_core.errors import UsageError
from sdq_core.in_memory.data import InMemory
from sdq_core.labels import read_labels
from sdq_imaging.reading import list_items, read_image
from sdq_imaging.staging import stage

SETTINGS = {"embeddings": ["radiomic"]}
SIZES = {"train": 18, "holdout": 16, "synthetic": 16}


@pytest.fixture(scope="module")
def images():
    return {role: draw(n, k, side=32) for k, (role, n) in enumerate(SIZES.items())}


@pytest.fixture(scope="module")
def given(images):
    labels = {role: np.arange(n) % 2 for role, n in SIZES.items()}
    subjects = {role: [f"{role}{k // 2}" for k in range(n)] for role, n in SIZES.items()}
    return {"labels": labels, "subjects": subjects}


@pytest.fixture(scope="module")
def in_memory(images, given, tmp_path_factory):
    out = tmp_path_factory.mktemp("memory")
    return out, sdq_core.evaluate(
        modality="imaging", **images, **given, settings=SETTINGS, out=out, engine="serial"
    )


def plain(result):
    return [m.model_dump(mode="json") for m in result.measurements]


def test_the_numbers_are_those_of_the_same_arrays_in_files(
    images, given, in_memory, tmp_path, monkeypatch
):
    for role, stack in images.items():
        own = {"labels": given["labels"][role], "subjects": given["subjects"][role]}
        np.savez(tmp_path / f"{role}.npz", images=stack, **own)
    paths = {role: tmp_path / f"{role}.npz" for role in images}
    files = sdq_core.evaluate(
        modality="imaging", **paths, settings=SETTINGS, out=tmp_path / "out", engine="serial"
    )
    _, memory = in_memory
    assert memory.verdicts == files.verdicts
    assert {r: c.digest for r, c in memory.cohorts.items()} == {
        r: c.digest for r, c in files.cohorts.items()
    }
    assert {r: c.classes for r, c in memory.cohorts.items()} == {
        r: c.classes for r, c in files.cohorts.items()
    }
    differing = []
    for one, two in zip(memory.measurements, files.measurements, strict=True):
        assert one.id == two.id
        if (one.value, one.interval, one.verdict) != (two.value, two.interval, two.verdict):
            differing.append(one.id)
    assert differing == []


def test_verdicts_of_pixels_do_not_depend_on_whether_they_were_pictures(
    images, given, in_memory, tmp_path
):
    for role in ("train", "synthetic"):
        write(tmp_path / role, images[role], labels=False)
        rows = zip(given["subjects"][role], given["labels"][role], strict=True)
        lines = [f"{k:04d}.png,{subject},{label}" for k, (subject, label) in enumerate(rows)]
        (tmp_path / role / "labels.csv").write_text("\n".join(["item,subject,class", *lines]))
    study = {
        "modality": "imaging",
        "cohorts": {
            role: {"path": role, "labels": f"{role}/labels.csv"} for role in ("train", "synthetic")
        },
        "settings": SETTINGS,
        "seed": 5,
    }
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    found = sdq_core.evaluate(
        study=tmp_path / "study.yaml",
        holdout=images["holdout"],
        labels={"holdout": given["labels"]["holdout"]},
        subjects={"holdout": given["subjects"]["holdout"]},
        seed=0,
        engine="serial",
    )
    assert found.study["seed"] == 0
    _, memory = in_memory
    assert found.verdicts == memory.verdicts
    for one in memory.measurements:
        two = found.measurement(one.id, one.variant)
        assert one.verdict == two.verdict, one.id
        assert one.value == pytest.approx(two.value, abs=1e-6), one.id
    assert found.gallery == ()


def test_outputs_name_items_but_hold_neither_data_nor_temporary_paths(in_memory):
    out, result = in_memory
    assert {"result.json", "items.csv", "files.csv", "findings.csv"} <= {
        p.name for p in out.iterdir()
    }
    assert not list(out.rglob("*.npy"))
    items = (out / "items.csv").read_text("utf-8-sig")
    assert "train,from-0000000.npy#17," in items
    for file in ("result.json", "items.csv", "files.csv", "findings.csv"):
        assert "/sdq-" not in (out / file).read_text("utf-8-sig")
    assert "cohorts" not in result.study


@pytest.mark.slow
def test_the_same_call_gives_the_same_numbers_in_processes(images, given, in_memory):
    again = sdq_core.evaluate(
        modality="imaging", **images, **given, settings=SETTINGS, engine="processes", workers=1
    )
    assert plain(again) == plain(in_memory[1])


def digests(data, folder, **more):
    folder.mkdir()
    source = stage(InMemory("train", data, **more), folder)
    found = list_items(folder).items
    pixels = [read_image(i).pixels for i in found]
    return source, found, pixels


def test_tensors_loaders_and_monai_give_the_items_of_the_array(images, tmp_path):
    torch = pytest.importorskip("torch")
    monai_data = pytest.importorskip("monai.data")
    stack = images["train"][:6]
    tensor = torch.from_numpy(stack)[:, None]  # channels first
    items = [{"image": i, "label": k % 3, "subject": f"p{k}"} for k, i in enumerate(tensor)]
    forms = {
        "array": stack,
        "channels": stack[:, None],
        "channels last": stack[..., None],
        "tensor": tensor,
        "loader": torch.utils.data.DataLoader(tensor, batch_size=4),
        "monai": monai_data.Dataset(items, transform=lambda d: {**d, "image": d["image"] + 0}),
        "monai loader": monai_data.DataLoader(monai_data.Dataset(items), batch_size=4),
    }
    expected = None
    for name, form in forms.items():
        source, found, pixels = digests(form, tmp_path / name)
        if expected is None:
            expected = [i.digest for i in found]
            assert np.array_equal(np.array(pixels), stack.astype(np.float32))
        assert [i.digest for i in found] == expected, name
        if name.startswith("monai"):
            rows = read_labels(source.labels).rows
            assert [rows[i.id]["class"] for i in found] == ["0", "1", "2"] * 2
            assert rows[found[5].id]["subject"] == "p5"


def test_colours_and_volumes_keep_their_axes(tmp_path):
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (4, 8, 9, 3), np.uint8)
    _, found, _ = digests(colours, tmp_path / "colours")
    assert all(read_image(i).colour.shape == (8, 9, 3) for i in found)
    volumes = rng.random((3, 1, 5, 8, 9)).astype(np.float32)
    _, found, pixels = digests(volumes, tmp_path / "volumes")
    assert np.array_equal(np.array(pixels), volumes[:, 0])
    torch = pytest.importorskip("torch")
    first = torch.from_numpy(np.moveaxis(colours, -1, 1))
    _, found, _ = digests(first, tmp_path / "tensor")
    assert np.array_equal(read_image(found[2]).colour, colours[2])


@pytest.mark.parametrize(
    ("shape", "kind", "said"),
    [
        ((5, 4), np.float32, "train, item 0: has shape (4,); an image is (y, x)"),
        ((5, 2, 3, 4, 6), np.float32, "with one channel"),
        ((5, 3, 8, 8), np.uint8, "which may be channels or slices"),
        ((5, 8, 8, 3), np.float32, "colours as float32; give them as uint8"),
    ],
)
def test_wrong_shapes_are_refused(shape, kind, said, tmp_path):
    with pytest.raises(UsageError) as caught:
        stage(InMemory("train", np.zeros(shape, kind)), tmp_path)
    assert said in str(caught.value)


def test_a_broken_image_is_a_finding_and_the_rest_goes_on(images, tmp_path):
    synthetic = images["synthetic"][:12].astype(np.float32)
    synthetic[3, 0, 0] = np.nan
    result = sdq_core.evaluate(
        modality="imaging", train=images["train"][:14], synthetic=synthetic, out=tmp_path,
        attributes={"synthetic": {"synthetic": ["yes"] * 12}}, settings=SETTINGS, engine="serial",
    )  # fmt: skip
    # What files say in their headers, attributes say of arrays.
    assert result.measurement("imaging.metadata.declared_synthetic_share").value == 1.0
    assert result.cohorts["synthetic"].readable == 11
    assert "from-0000000.npy#3" in (tmp_path / "findings.csv").read_text("utf-8-sig")
