"""Embedders that take a file: equal to their references, refused where the file is wrong."""

import hashlib
import json
import pickle

import numpy as np
import pytest
import torch
from made_cohorts import cohorts as made_cohorts
from pictures import draw, write
from PIL import Image as Picture

from sdq_core.description import Item
from sdq_core.errors import PluginError, StudyError
from sdq_core.measurement import Measurement
from sdq_core.study import Study, load_study
from sdq_imaging.describing import BatchImagingDescriber, ImagingDescriber
from sdq_imaging.embeddings import torchvision_import
from sdq_imaging.embeddings.asked import PUBLISHED, Asked
from sdq_imaging.embeddings.inception import Inception
from sdq_imaging.embeddings.registry import facts_of, make
from sdq_imaging.embeddings.weights import fit, load_state
from sdq_imaging.embeddings.whole import Whole
from sdq_imaging.fidelity import ImagingFidelity
from sdq_imaging.preparing import prepared
from sdq_imaging.settings import ImagingSettings


def planes(n=1, shape=(60, 72), seed=0):
    return np.random.default_rng(seed).random((n, *shape), np.float32)


def randomised(state, seed=0):
    """Weights under which no layer fades: running moments and gains that are not the neutral."""
    generator = torch.Generator().manual_seed(seed)
    found = {}
    for name, value in state.items():
        if name.endswith("running_var"):
            found[name] = 0.5 + torch.rand(value.shape, generator=generator)
        elif value.ndim == 1 and value.is_floating_point():
            found[name] = 0.1 * torch.randn(value.shape, generator=generator) + (
                1.0 if name.endswith("weight") else 0.0
            )
        elif value.is_floating_point():
            scale = (2 / value[0].numel()) ** 0.5
            found[name] = scale * torch.randn(value.shape, generator=generator)
        else:
            found[name] = value
    return found


def saved(path, state):
    torch.save(state, path)
    return str(path)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- the network of the Frechet Inception distance ---


@pytest.fixture(scope="module")
def models():
    return torchvision_import.torchvision_models()


@pytest.fixture(scope="module")
def inception(tmp_path_factory):
    """A file in the layout of the published one, with random weights."""
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    state = randomised(Inception().state_dict())
    head = {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}
    saved(path, {**state, **head})
    return path


def test_inception_equals_torch_fidelity_for_the_same_weights(inception, models):
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    reference = FeatureExtractorInceptionV3(
        "inception", ["2048"], feature_extractor_weights_path=str(inception)
    )
    asked = Asked(name="inception", weights=str(inception), sha256=sha256(inception))
    made = make(asked)
    colour = np.random.default_rng(1).integers(0, 256, (90, 130, 3)).astype(np.uint8)
    grey = np.random.default_rng(2).integers(0, 256, (1, 64, 40)).astype(np.uint8)
    for eight_bit, arguments in (
        (colour.transpose(2, 0, 1)[None], (planes(), {}, Whole(planes()[0], colour))),
        (np.repeat(grey[:, None], 3, axis=1), (grey.astype(np.float32) / 255, {})),
    ):
        with torch.inference_mode():
            expected = reference(torch.from_numpy(np.ascontiguousarray(eight_bit)))[0].numpy()[0]
        found = made(*arguments)
        assert expected.std() > 0.05 * np.abs(expected).mean()
        np.testing.assert_allclose(found, expected, atol=1e-4)
    assert found.shape == (2048,)


def test_the_published_file_is_expected_unless_another_hash_is_stated(inception):
    asked = Asked(name="inception", weights=str(inception))
    assert asked.expected == PUBLISHED["inception"].sha256
    with pytest.raises(StudyError, match=rf"SHA-256 {sha256(inception)}, expected is 6726825d"):
        facts_of(asked)
    with pytest.raises(StudyError, match=r"settings\.embeddings\)"):
        facts_of(Asked(name="inception", weights=str(inception), sha256="0" * 64))


def test_without_its_file_an_embedding_is_not_assessed_and_says_which_is_wanted(tmp_path):
    images = [draw(k, 7 + k, 32) for k in (24, 24, 24)]
    made = made_cohorts(tmp_path, images)
    settings = {"embeddings": ["radiomic", {"name": "inception", "weights": "no/such.pth"}]}
    made = type(made)(
        made.study.model_copy(update={"settings": settings}),
        made.train,
        made.synthetic,
        made.holdout,
    )
    fidelity = ImagingFidelity("imaging")
    found = {m.key: m for m in fidelity.kernels(made) if isinstance(m, Measurement)}
    lacking = found["imaging.fidelity.mmd[inception]"]
    assert lacking.value is None
    for said in (lacking.reason, lacking.reason_zh):
        assert "weights-inception-2015-12-05-6726825d.pth" in said
        assert "github.com/toshas/torch-fidelity" in said
        assert PUBLISHED["inception"].sha256 in said
    assert found["imaging.fidelity.mmd[radiomic]"].value is not None
    assert prepared(made.study) == made.study


# --- state dicts ---


def test_torchvision_networks_and_the_layout_of_radimagenet(tmp_path, models):
    network = models.get_model("resnet18", weights=None)
    state = randomised(network.state_dict())
    own = saved(tmp_path / "own.pth", state)
    # RadImageNet: Sequential(*children()[:9]) under the name "backbone", without the classifier.
    numbers = [name for name, _ in network.named_children()]
    radimagenet = {
        f"backbone.{numbers.index(k.partition('.')[0])}.{k.partition('.')[2]}": v
        for k, v in state.items()
        if not k.startswith("fc")
    }
    other = saved(tmp_path / "ResNet18.pt", radimagenet)
    wrapped = saved(
        tmp_path / "checkpoint.pth",
        {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}},
    )
    network.fc = torch.nn.Identity()
    network.load_state_dict(state, strict=False)
    x = planes(2)
    small = {"input": {"side": 64}}
    embedders = [
        make(Asked(name="torchvision:resnet18", weights=w, **small)) for w in (own, other, wrapped)
    ]
    batch = torch.from_numpy(embedders[0].prepare(x, None))
    assert batch.shape == (2, 3, 64, 64)
    with torch.inference_mode():
        expected = network.eval()(batch).numpy().mean(axis=0)
    for embedder in embedders:
        np.testing.assert_allclose(embedder(x, {}), expected, rtol=1e-4, atol=1e-4)
    mean = (x[0].mean() - np.array([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(batch[0].mean(dim=(1, 2)).numpy(), mean, atol=1e-2)


def test_old_densenet_keys_and_other_networks_files(tmp_path, models):
    network = models.get_model("densenet121", weights=None)
    old = {
        k.replace("norm1.", "norm.1.").replace("conv2.", "conv.2.") if "denselayer" in k else k: v
        for k, v in network.state_dict().items()
    }
    assert old.keys() != network.state_dict().keys()
    fit(network, old, "x")
    resnet = models.get_model("resnet18", weights=None).state_dict()
    with pytest.raises(PluginError, match=r"weights are missing .* have no place in the network"):
        fit(network, resnet, "x")
    with pytest.raises(PluginError, match="no network 'resnet19'"):
        make(Asked(name="torchvision:resnet19", weights=saved(tmp_path / "a.pth", resnet)))


@pytest.mark.parametrize(("depth", "shortcut"), [("10", "B"), ("10", "A")])
def test_monai_networks_and_the_layout_of_medicalnet(tmp_path, depth, shortcut):
    from monai.networks import nets

    network = getattr(nets, f"resnet{depth}")(
        spatial_dims=3, n_input_channels=1, feed_forward=False, pretrained=False,
        conv1_t_stride=2, shortcut_type=shortcut, bias_downsample=False,
    )  # fmt: skip
    state = randomised(network.state_dict())
    published = {
        "state_dict": {
            **{f"module.{k}": v for k, v in state.items()},
            "module.conv_seg.0.weight": torch.zeros(2, 2),
        }
    }
    weights = saved(tmp_path / f"resnet_{depth}_23dataset.pth", published)
    network.load_state_dict(state)
    made = make(
        Asked(name=f"monai:resnet{depth}", weights=weights, input={"side": 16, "scale": "zscore"})
    )
    volume = planes(12, (20, 24))
    batch = made.prepare(volume[:1], Whole(volume))
    assert batch.shape == (1, 1, 16, 16, 16)
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(batch)).numpy()[0]
    np.testing.assert_allclose(made(volume[:1], {}, Whole(volume)), expected, rtol=1e-4, atol=1e-4)
    inside = volume[volume > 0]
    assert batch.mean() == pytest.approx(((volume - inside.mean()) / inside.std()).mean(), abs=0.05)
    assert made(volume[:1], {}, Whole(volume[0])) is None, "an image is no volume"


def test_nothing_in_a_weights_file_is_run(tmp_path):
    marker = tmp_path / "was-run"

    class Evil:
        def __reduce__(self):
            return (open, (str(marker), "w"))

    for name, content in (("a.pth", Evil()), ("b.pth", {"x": Evil()})):
        torch.save(content, tmp_path / name)
        with pytest.raises(PluginError, match="without running code"):
            load_state(tmp_path / name, "x")
    (tmp_path / "c.pth").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(PluginError, match="without running code"):
        load_state(tmp_path / "c.pth", "x")
    assert not marker.exists()
    torch.save({"x": torch.zeros(1), "y": "text"}, tmp_path / "d.pth")
    with pytest.raises(PluginError, match="1 entries that are no tensors"):
        load_state(tmp_path / "d.pth", "x")


def test_safetensors_hold_the_same(tmp_path):
    from safetensors.torch import save_file

    state = {"module.a.weight": torch.arange(4.0)}
    save_file(state, tmp_path / "a.safetensors")
    saved(tmp_path / "a.pth", state)
    one, two = (load_state(tmp_path / n, "x") for n in ("a.safetensors", "a.pth"))
    assert list(one) == list(two) == ["a.weight"]
    assert torch.equal(one["a.weight"], two["a.weight"])


# --- programs and functions ---


class Pool(torch.nn.Module):
    def forward(self, x):
        return torch.nn.functional.adaptive_avg_pool2d(x, 4)[:, 0]


def test_programs_are_run_only_with_their_hash(tmp_path):
    script, export = tmp_path / "a.pt", tmp_path / "a.pt2"
    example = torch.zeros(2, 1, 32, 32)
    torch.jit.trace(Pool(), example).save(str(script))
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(Pool(), (example,), dynamic_shapes=({0: batch},))
    torch.export.save(program, export)
    given = {"side": 32, "channels": 1, "mean": [0.0], "deviation": [1.0]}
    x = planes(3, (64, 64))
    expected = x.reshape(3, 4, 16, 64).mean(2).reshape(3, 4, 4, 16).mean(3).mean(0)
    for name, path in (("torchscript", script), ("export", export)):
        with pytest.raises(ValueError, match="state the sha256"):
            Asked(name=name, weights=str(path))
        asked = Asked(name=name, weights=str(path), sha256=sha256(path), input=given)
        found = make(asked)(x, {})
        np.testing.assert_allclose(found, expected.mean(axis=1), rtol=1e-4)
        other = asked.model_copy(update={"sha256": "1" * 64})
        with pytest.raises(StudyError, match="SHA-256"):
            make(other)


def test_an_exported_program_that_keeps_objects_is_refused(tmp_path):
    import zipfile

    for name, entries in (
        ("objects.pt2", ["a/models/model.json", "a/data/constants/opaque_obj_0"]),
        ("old.pt2", ["serialized_exported_program.json", "version"]),
    ):
        path = tmp_path / name
        with zipfile.ZipFile(path, "w") as archive:
            for entry in entries:
                archive.writestr(entry, "{}")
        asked = Asked(name="export", weights=str(path), sha256=sha256(path))
        with pytest.raises(PluginError, match="would have to be unpickled"):
            make(asked)


def test_a_function_of_an_installed_module(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    module = tmp_path / "own_embedding.py"
    module.write_text(
        "def rows(grey):\n    return grey.mean(axis=(0, 2))[:8]\n"
        "def picky(grey):\n    raise ValueError('no')\n",
        encoding="utf-8",
    )
    asked = Asked(name="python:own_embedding:rows")
    x = planes(2)
    np.testing.assert_allclose(make(asked)(x, {}), x.mean(axis=(0, 2))[:8], rtol=1e-6)
    before = facts_of(asked)["sha256"]
    assert before == sha256(module)
    for name in ("python:own_embedding:nothing", "python:no_such_module:f"):
        with pytest.raises(PluginError, match="cannot be imported"):
            make(Asked(name=name))
    Picture.fromarray(draw(1, 0)[0]).save(tmp_path / "a.png")
    item = Item("a.png", (tmp_path / "a.png",))
    settings = ImagingSettings.of({"embeddings": ["python:own_embedding:picky", "radiomic"]})
    found = ImagingDescriber.of(settings)(item)
    assert [f.rule for f in found.findings] == ["imaging.structure.embedding_failed"]
    assert set(found.embeddings) == {"radiomic"}


# --- in a study ---


def test_a_study_is_prepared_with_hash_and_length_and_described(tmp_path):
    torch.jit.trace(Pool(), torch.zeros(1, 1, 32, 32)).save(str(tmp_path / "own.pt"))
    for role in ("train", "synthetic"):
        write(tmp_path / role, draw(2, 3, 40), labels=False)
    (tmp_path / "study.yaml").write_text(
        json.dumps(
            {
                "schema": "sdq.study/1",
                "modality": "imaging",
                "cohorts": {"train": {"path": "train"}, "synthetic": {"path": "synthetic"}},
                "settings": {
                    "embeddings": [
                        {
                            "name": "torchscript",
                            "label": "own network",
                            "weights": "own.pt",
                            "sha256": sha256(tmp_path / "own.pt"),
                            "input": {"side": 32, "channels": 1},
                        }
                    ]
                },
            }
        ),
        encoding="utf-8",
    )
    study = prepared(load_study(tmp_path / "study.yaml"))
    (asked,) = study.settings["embeddings"]
    assert asked["weights"] == str(tmp_path / "own.pt")
    assert asked["dimension"] == 4
    describer = ImagingDescriber.of(ImagingSettings.of(study.settings))
    assert set(describer.settings["embeddings"]) == {"own network"}
    assert str(tmp_path) not in json.dumps(describer.settings), "no path in what is hashed"
    again = pickle.loads(pickle.dumps(describer))
    item = Item("0000.png", (tmp_path / "train/0000.png",))
    np.testing.assert_array_equal(
        again(item).embeddings["own network"], describer(item).embeddings["own network"]
    )
    (tmp_path / "own.pt").write_bytes(b"changed")
    with pytest.raises(StudyError, match=r"own network: own\.pt has SHA-256"):
        prepared(study)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("resnet", "there is no embedder 'resnet'"),
        ("torchvision", "there is no embedder 'torchvision'"),
        ({"name": "radiomic", "weights": "a"}, "takes no weights file"),
        ({"name": "inception", "label": "<b>"}, "letters, digits"),
        ({"name": "inception", "sha256": "abc"}, "String should match pattern"),
        ({"name": "torchscript", "input": {"deviation": [0]}}, "must be positive"),
        ({"name": "torchscript", "input": {"mean": [0, 1]}}, "one for each of 3 channels"),
        ({"name": "inception", "wights": "a"}, "Extra inputs"),
    ],
)
def test_a_wrong_embedding_is_said_before_anything_is_read(given, said):
    with pytest.raises(StudyError, match=r"settings\.embeddings") as error:
        ImagingSettings.of({"embeddings": [given]})
    assert said in str(error.value)


def test_two_embeddings_of_one_name_need_labels():
    twice = [{"name": "inception"}, {"name": "inception"}]
    with pytest.raises(StudyError, match="stands twice"):
        ImagingSettings.of({"embeddings": twice})
    twice[1]["label"] = "other weights"
    assert len(ImagingSettings.of({"embeddings": twice}).embeddings) == 2


def test_together_and_alone_give_the_same(tmp_path):
    items = []
    for k in range(5):
        Picture.fromarray(draw(1, k, 40 + 8 * (k % 2))[0]).save(tmp_path / f"{k}.png")
        items.append(Item(f"{k}.png", (tmp_path / f"{k}.png",)))
    (tmp_path / "bad.png").write_bytes(b"no image")
    items.insert(2, Item("bad.png", (tmp_path / "bad.png",)))
    alone = ImagingDescriber.of(ImagingSettings())
    together = BatchImagingDescriber(dict(alone.settings), asked=alone.asked)
    for one, two in zip(map(alone, items), together.describe_many(items), strict=True):
        assert one.scalars == two.scalars
        assert one.findings == two.findings
        assert set(one.embeddings) == set(two.embeddings)
        for name in one.embeddings:
            np.testing.assert_allclose(
                one.embeddings[name], two.embeddings[name], rtol=1e-4, atol=1e-5
            )


def test_torchvision_is_named_where_it_is_not_installed(monkeypatch):
    def no_module(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(torchvision_import.importlib, "import_module", no_module)
    with pytest.raises(PluginError, match=r"pip install 'sdq\[embedders\]'"):
        torchvision_import.torchvision_models()


def test_paths_of_weights_stay_beside_the_study(tmp_path):
    study = Study(
        modality="imaging",
        cohorts={"train": {"path": "a"}, "synthetic": {"path": "b"}},
        settings={"embeddings": [{"name": "inception", "weights": "../w.pth"}]},
    )
    with pytest.raises(StudyError, match="leaves the study folder"):
        study.located(tmp_path)
