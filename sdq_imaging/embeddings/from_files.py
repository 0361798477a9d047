"""Embedders that take a file: published networks, one's own networks, and Python functions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import PluginError
from sdq_core.hashing import hash_file
from sdq_imaging.embeddings.asked import Asked
from sdq_imaging.embeddings.networks import FileNetwork, PlaneNetwork, VolumeNetwork
from sdq_imaging.embeddings.weights import fit, load_state
from sdq_imaging.embeddings.whole import Whole

__all__ = ["FunctionEmbedder", "InceptionEmbedder", "made"]

Values = NDArray[np.float32]

IMAGENET: Final = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF: Final = ((0.5,), (0.5,))
MOST_DIMENSIONS: Final = 4096
FORCE_PLAIN: Final = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
"""torch's own switch: whatever asks for unpickling gets plain tensors or an error."""
OBJECTS: Final = ("custom_obj_", "opaque_obj_")
"""Names under which an exported program keeps what would have to be unpickled."""


def made(asked: Asked, device: str) -> Any:
    """Return the embedder that a study asks for.

    Parameters
    ----------
    asked : Asked
        Of a kind that takes a file or a function, the file being there.
    device : str

    Returns
    -------
    Embedder

    Raises
    ------
    PluginError
        The file does not fit, or what it needs is not installed.
    StudyError
        The file has another hash.
    """
    return MAKERS[asked.kind](asked, device)


class InceptionEmbedder(FileNetwork):
    """The features of the Frechet Inception distance, as torch-fidelity computes them."""

    def prepare(self, grey: Values, whole: Whole | None) -> Values | None:
        """Return 8-bit values 0..255 in three channels, at the size of the image."""
        if whole is not None and whole.colour is not None:
            return np.ascontiguousarray(whole.colour.transpose(2, 0, 1)[None], dtype=np.float32)
        levels = np.round(np.clip(grey, 0, 1) * 255).astype(np.float32)
        return np.repeat(levels[:, None], 3, axis=1)


def _inception(asked: Asked, device: str) -> FileNetwork:
    from sdq_imaging.embeddings.inception import Inception

    found = InceptionEmbedder("inception", "1", asked.found_sha256(), device)
    network = Inception()
    fit(network, load_state(Path(str(asked.weights)), asked.called), asked.called)
    found.hold(network)
    return found


def _torchvision(asked: Asked, device: str) -> FileNetwork:
    from sdq_imaging.embeddings.torchvision_import import torchvision_models

    models, name = torchvision_models(), asked.name.partition(":")[2]
    options: dict[str, Any] = {"weights": None}
    if name in ("inception_v3", "googlenet"):
        # The auxiliary classifiers do not reach the features.
        options |= {"aux_logits": False, "init_weights": False}
    if name not in models.list_models(module=models):
        raise PluginError(
            f"embedder {asked.called}: torchvision has no network {name!r}; "
            "see torchvision.models.list_models()"
        )
    network = models.get_model(name, **options)
    state = load_state(Path(str(asked.weights)), asked.called)
    _without_head(network, ("fc", "classifier", "head", "heads"))
    fit(network, state, asked.called)
    special = name == "inception_v3"
    found = _plane(asked, device, 299 if special else 224, 3, HALF if special else IMAGENET)
    found.hold(network)
    return found


def _monai(asked: Asked, device: str) -> FileNetwork:
    from monai.networks import nets

    name = asked.name.partition(":")[2]
    build = getattr(nets, name, None)
    if not name.startswith(("resnet", "densenet", "senet", "seresnet")) or not callable(build):
        raise PluginError(
            f"embedder {asked.called}: monai.networks.nets has no {name!r} that is a resnet, "
            "densenet or senet of lower-case name; name one, such as resnet18"
        )
    state = load_state(Path(str(asked.weights)), asked.called)
    first = next((v for v in state.values() if v.ndim in (4, 5)), None)
    if first is None:
        raise PluginError(f"embedder {asked.called}: the file holds no convolution of 2 or 3 axes")
    dimensions, channels = first.ndim - 2, int(first.shape[1])
    if channels not in (1, 3):
        raise PluginError(
            f"embedder {asked.called}: the first layer takes {channels} channels; "
            "give a network of 1 or 3"
        )
    options: dict[str, Any] = {"spatial_dims": dimensions}
    if name.startswith("resnet"):
        size = int(first.shape[2])
        shortcuts = [k for k in state if ".downsample." in k]
        options |= {
            "n_input_channels": channels,
            "conv1_t_size": size,
            "conv1_t_stride": 2,
            "feed_forward": False,
            "pretrained": False,
            # What the published MedicalNet files differ in shows in their keys.
            "shortcut_type": "B" if shortcuts else "A",
            "bias_downsample": any(k.endswith("downsample.0.bias") for k in shortcuts),
        }
    elif name.startswith("densenet"):
        options |= {"in_channels": channels, "out_channels": 1, "pretrained": False}
    else:
        options |= {"in_channels": channels, "num_classes": 1, "pretrained": False}
    network = build(**options)
    if hasattr(network, "class_layers"):
        _without_head(network.class_layers, ("out",))
    _without_head(network, ("last_linear",))
    fit(network, state, asked.called)
    if dimensions == 2:
        found: FileNetwork = _plane(asked, device, 224, channels, HALF)
    else:
        found = _volume(asked, device, 64, channels, zscore=True)
    found.hold(network)
    return found


def _torchscript(asked: Asked, device: str) -> FileNetwork:
    import torch

    # Before anything is read from it: the file is a program.
    digest, path = asked.found_sha256(), Path(str(asked.weights))
    try:
        network = torch.jit.load(str(path), map_location="cpu")
    except Exception as error:  # a damaged file fails in many ways
        raise PluginError(
            f"embedder {asked.called}: {path.name} is no TorchScript file that this torch reads "
            f"({type(error).__name__}); save it with torch.jit.save"
        ) from error
    return _program(asked, device, network, digest)


def _export(asked: Asked, device: str) -> FileNetwork:
    import torch

    digest, path = asked.found_sha256(), Path(str(asked.weights))
    try:
        _refuse_objects(path)
        with _plain_tensors_only():
            network = torch.export.load(path).module()
    except PluginError:
        raise
    except Exception as error:  # a damaged file fails in many ways
        raise PluginError(
            f"embedder {asked.called}: {path.name} is no exported program that this torch reads "
            f"without unpickling ({type(error).__name__}); save it with torch.export.save of the "
            "installed version"
        ) from error
    # An exported program has no evaluation mode: it does what was traced.
    network.eval = lambda: network
    return _program(asked, device, network, digest)


def _program(asked: Asked, device: str, network: Any, digest: str) -> FileNetwork:
    channels = asked.input.channels or 3
    if asked.input.dimensions == 3:
        found: FileNetwork = _volume(asked, device, 64, asked.input.channels or 1, zscore=False)
    else:
        found = _plane(asked, device, 224, channels, IMAGENET if channels == 3 else HALF)
    found.hold(network)
    return found


class FunctionEmbedder:
    """A Python function of an installed module: ``python:<module>:<function>``.

    Parameters
    ----------
    name : str
    function : callable
        Takes the grey slices, shape (s, y, x), 0..1, and gives a vector of fixed length.
    sha256 : str
        Of the module's source file, so that another version of it describes anew.
    """

    version = "1"

    def __init__(self, name: str, function: Callable[[Values], Any], sha256: str) -> None:
        self.name, self.sha256 = name, sha256
        self._function = function

    def __call__(
        self, grey: Values, scalars: Mapping[str, float], whole: Whole | None = None
    ) -> Values | None:
        """Return the function's vector; None where it gives none."""
        found = self._function(grey)
        if found is None:
            return None
        vector = np.asarray(found, dtype=np.float32)
        if vector.ndim != 1 or not 1 <= len(vector) <= MOST_DIMENSIONS:
            raise PluginError(
                f"embedder {self.name}: the function gave shape {vector.shape}; "
                f"give one vector of at most {MOST_DIMENSIONS} numbers"
            )
        return vector


def _function(asked: Asked, device: str) -> FunctionEmbedder:
    module_name, _, function_name = asked.name.partition(":")[2].partition(":")
    try:
        module = import_module(module_name)
        function = getattr(module, function_name)
    except Exception as error:  # whatever the module does when it is imported
        raise PluginError(
            f"embedder {asked.called}: {module_name}:{function_name} cannot be imported "
            f"({type(error).__name__}); install the module, and write python:<module>:<function>"
        ) from error
    source = getattr(module, "__file__", None)
    if not callable(function) or source is None:
        raise PluginError(
            f"embedder {asked.called}: {module_name}:{function_name} is no function of a module "
            "with a source file"
        )
    return FunctionEmbedder(asked.name, function, hash_file(Path(source)))


MAKERS: Final[dict[str, Callable[[Asked, str], Any]]] = {
    "inception": _inception,
    "torchvision": _torchvision,
    "monai": _monai,
    "torchscript": _torchscript,
    "export": _export,
    "python": _function,
}


def _plane(
    asked: Asked, device: str, side: int, channels: int, usual: tuple[tuple[float, ...], ...]
) -> PlaneNetwork:
    given = asked.input
    return PlaneNetwork(
        asked.name,
        "1",
        asked.found_sha256(),
        device,
        side=given.side or side,
        channels=channels,
        mean=given.mean or usual[0],
        deviation=given.deviation or usual[1],
    )


def _volume(asked: Asked, device: str, side: int, channels: int, *, zscore: bool) -> VolumeNetwork:
    given = asked.input
    return VolumeNetwork(
        asked.name,
        "1",
        asked.found_sha256(),
        device,
        side=given.side or side,
        channels=channels,
        zscore=zscore if given.scale is None else given.scale == "zscore",
        mean=(given.mean or (0.5,))[0],
        deviation=(given.deviation or (0.5,))[0],
    )


def _without_head(network: Any, names: tuple[str, ...]) -> None:
    import torch

    for name in names:
        if hasattr(network, name):
            setattr(network, name, torch.nn.Identity())


@contextmanager
def _plain_tensors_only() -> Iterator[None]:
    before = os.environ.get(FORCE_PLAIN)
    os.environ[FORCE_PLAIN] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[FORCE_PLAIN]
        else:
            os.environ[FORCE_PLAIN] = before


def _refuse_objects(path: Path) -> None:
    """Refuse an exported program that keeps Python objects: they would be unpickled."""
    import zipfile

    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if not any("/models/" in f"/{name}" for name in names):
            raise PluginError(
                f"{path.name} is an exported program of an older form, which would have to be "
                "unpickled; save it anew with torch.export.save"
            )
        listed = [archive.read(n) for n in names if n.endswith("_config.json")]
    held = any(o.encode() in text for o in OBJECTS for text in listed)
    if held or any(o in name for o in OBJECTS for name in names):
        raise PluginError(
            f"{path.name} keeps Python objects, which would have to be unpickled; "
            "export the network without them"
        )
