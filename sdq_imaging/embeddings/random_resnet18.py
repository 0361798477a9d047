"""A residual network with fixed random weights: sees geometry and content, needs no file.

Random networks as embedding: Naeem et al. 2020, arXiv:2002.09797, section 4. The weights come from
numpy's PCG64, whose stream numpy guarantees; torch promises none across versions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import PluginError
from sdq_imaging.embeddings.networks import NetworkEmbedder
from sdq_imaging.embeddings.whole import Whole
from sdq_imaging.grey import resize

__all__ = ["SIDE", "RandomResNet18", "random_weights"]

SIDE = 128
SEED = 20_180_207


def random_weights(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[np.float32]]:
    """Return the weights of a residual network, drawn in the order of the names.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        State dict of the network: name -> shape.

    Returns
    -------
    dict of str to ndarray, float32
        Convolutions: normal with variance 2 / fan-in (He et al. 2015, arXiv:1502.01852). The last
        normalisation of each block has gain 0.5, so that the sum of both branches neither grows
        nor fades over the depth; all others have gain 1. Running mean 0, variance 1.
    """
    rng = np.random.Generator(np.random.PCG64(SEED))
    found: dict[str, NDArray[np.float32]] = {}
    for name in sorted(shapes):
        shape = shapes[name]
        if len(shape) > 1:
            deviation = np.sqrt(2 / np.prod(shape[1:]))
            found[name] = (rng.standard_normal(shape) * deviation).astype(np.float32)
        elif name.endswith(("weight", "running_var")):
            gain = 0.5 if name.endswith("bn2.weight") else 1.0
            found[name] = np.full(shape, gain, np.float32)
        else:
            found[name] = np.zeros(shape, np.float32)
    return found


class RandomResNet18(NetworkEmbedder):
    """ResNet-18 with fixed random weights; 512 pooled features.

    Parameters
    ----------
    device : str

    Raises
    ------
    PluginError
        No such device, or the weights do not have the pinned hash.
    """

    name: ClassVar[str] = "random-resnet18"
    version: ClassVar[str] = "1"
    dimension: ClassVar[int] = 512
    sha256: ClassVar[str] = "95daadb88cd4974bc1f48a4af646876122cb75f4c4f827e1f8ddbf173517eb54"

    def __init__(self, device: str = "cpu") -> None:
        import torch
        from monai.networks.nets import resnet18

        super().__init__(device)
        network = resnet18(
            spatial_dims=2, n_input_channels=1, num_classes=1, conv1_t_stride=2, pretrained=False
        )
        network.fc = torch.nn.Identity()
        state = network.state_dict()
        counted = [n for n in state if n.endswith("num_batches_tracked")]
        shapes = {n: tuple(v.shape) for n, v in state.items() if n not in counted}
        weights = random_weights(shapes)
        digest = hashlib.sha256()
        for name in sorted(weights):
            digest.update(name.encode() + weights[name].tobytes())
        if digest.hexdigest() != self.sha256:
            raise PluginError(
                f"embedder {self.name}: the weights have SHA-256 {digest.hexdigest()}, not the "
                f"pinned {self.sha256}; the installed monai builds another network than the "
                f"tested one, install the tested versions"
            )
        loaded = {n: torch.from_numpy(w) for n, w in weights.items()}
        network.load_state_dict({**{n: state[n] for n in counted}, **loaded})
        self.hold(network)

    def prepare(self, grey: NDArray[np.float32], whole: Whole | None) -> NDArray[np.float32] | None:
        """Return the slices, each stretched to 128 x 128 by area averaging.

        Scaled to -1..3 as in training with normalised inputs.
        """
        return np.stack([resize(s, (SIDE, SIDE)) for s in grey])[:, None] * 4 - 1
