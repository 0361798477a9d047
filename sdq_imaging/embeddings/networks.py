"""Networks as embedders: pixels made ready, a batch put through, the pooled features kept."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.acceleration import Blocks, chosen_device, exact_arithmetic
from sdq_imaging.embeddings.whole import Whole
from sdq_imaging.grey import resize

__all__ = ["FileNetwork", "NetworkEmbedder", "PlaneNetwork", "VolumeNetwork"]

Batch = NDArray[np.float32]

ROWS = 16
"""Slices that go through a network at a time: memory stays bounded."""


class NetworkEmbedder(ABC):
    """A network whose input is made from one image.

    Parameters
    ----------
    device : str
    """

    def __init__(self, device: str) -> None:
        self.device = chosen_device(device)
        self._network: Any = None

    def hold(self, network: Any) -> None:
        """Keep the network that `run` uses, without gradients and in evaluation mode."""
        network.eval()
        for parameter in network.parameters():
            parameter.requires_grad_(False)
        self._network = network.to(self.device)

    @abstractmethod
    def prepare(self, grey: Batch, whole: Whole | None) -> Batch | None:
        """Return the network's input, rows first; None where it can make nothing of the image."""

    def run(self, batch: Batch) -> Batch:
        """Return the pooled features of each row of a batch.

        Where a device's memory is short, batches are halved; at last the processor takes over for
        this row and all that follow. Both are warned of: last bits may differ.
        """
        import torch

        blocks = Blocks(self.device)
        try:
            found = self._features(batch, blocks)
        except torch.OutOfMemoryError:
            found = None
        if found is None:
            warnings.warn(
                f"embedding: the memory of {self.device} does not suffice for one row; the "
                "processor computes instead",
                stacklevel=2,
            )
            self.device = "cpu"
            self._network.to("cpu")
            found = self._features(batch, Blocks("cpu"))
        elif blocks.halved:
            warnings.warn(
                f"embedding: the memory of {self.device} was short; batches of {ROWS} rows were "
                f"halved {blocks.halved} times",
                stacklevel=2,
            )
        return found

    def _features(self, batch: Batch, blocks: Blocks) -> Batch:
        parts: dict[int, Batch] = {}

        def put_through(rows: slice) -> None:
            pooled = _pooled(self._network(blocks.tensor(batch[rows])))
            parts[rows.start] = pooled.float().cpu().numpy()

        with exact_arithmetic():
            blocks.over(len(batch), ROWS, put_through)
        return np.concatenate([parts[start] for start in sorted(parts)])

    def together(self, inputs: Sequence[Batch | None]) -> list[Batch | None]:
        """Return the vectors of several images whose slices share batches.

        Batches are filled up with zeros to one size: the rows of a batch of another size may differ
        in their last bits.
        """
        shapes = {i.shape[1:] for i in inputs if i is not None}
        found: list[Batch | None] = [None] * len(inputs)
        for shape in sorted(shapes):
            members = [k for k, i in enumerate(inputs) if i is not None and i.shape[1:] == shape]
            rows = np.concatenate([i for k in members if (i := inputs[k]) is not None])
            empty = np.zeros((-len(rows) % ROWS, *shape), np.float32)
            features = self.run(np.concatenate([rows, empty]))
            start = 0
            for k in members:
                count = len(inputs[k])  # type: ignore[arg-type]  # members are not None
                vector = features[start : start + count].mean(axis=0)
                found[k], start = np.asarray(vector, dtype=np.float32), start + count
        return found

    def __call__(
        self, grey: Batch, scalars: Mapping[str, float], whole: Whole | None = None
    ) -> Batch | None:
        """Return the mean over slices of the pooled features.

        One image a call, so that its vector does not depend on others.
        """
        batch = self.prepare(grey, whole)
        if batch is None:
            return None
        return np.asarray(self.run(batch).mean(axis=0), dtype=np.float32)


class FileNetwork(NetworkEmbedder):
    """A network whose weights come from a file.

    Parameters
    ----------
    name, version, sha256 : str
    device : str
    """

    def __init__(self, name: str, version: str, sha256: str, device: str) -> None:
        super().__init__(device)
        self.name, self.version, self.sha256 = name, version, sha256


class PlaneNetwork(FileNetwork):
    """A network for images: slices of a volume go through it one by one.

    Parameters
    ----------
    side : int
        Pixels that each slice is stretched to by area averaging.
    mean, deviation : tuple of float
        One, or one for each channel.
    channels : {1, 3}
        With three, a colour picture keeps its colours; grey is repeated.
    """

    def __init__(
        self,
        *identity: str,
        side: int,
        mean: tuple[float, ...],
        deviation: tuple[float, ...],
        channels: int,
    ) -> None:
        super().__init__(*identity)
        self.side, self.channels = side, channels
        self._mean = np.asarray(mean, np.float32)[:, None, None]
        self._deviation = np.asarray(deviation, np.float32)[:, None, None]

    def prepare(self, grey: Batch, whole: Whole | None) -> Batch | None:
        """Return the slices, shape (s, channels, side, side)."""
        shape = (self.side, self.side)
        if self.channels == 3 and whole is not None and whole.colour is not None:
            colour = np.asarray(whole.colour, np.float32) / np.float32(255)
            planes = np.stack([resize(colour[..., c], shape) for c in range(3)])[None]
        else:
            planes = np.stack([resize(s, shape) for s in grey])[:, None]
            planes = np.repeat(planes, self.channels, axis=1)
        return np.ascontiguousarray((planes - self._mean) / self._deviation, dtype=np.float32)


class VolumeNetwork(FileNetwork):
    """A network for volumes; an image of two dimensions has no such vector.

    Parameters
    ----------
    side : int
        Voxels a side that the volume is stretched to by area averaging.
    mean, deviation : float
    zscore : bool
        Whether voxels above 0 give mean and deviation instead.
    channels : {1, 3}
    """

    def __init__(
        self,
        *identity: str,
        side: int,
        mean: float,
        deviation: float,
        zscore: bool,
        channels: int,
    ) -> None:
        super().__init__(*identity)
        self.side, self.zscore, self.channels = side, zscore, channels
        self._mean, self._deviation = np.float32(mean), np.float32(deviation)

    def prepare(self, grey: Batch, whole: Whole | None) -> Batch | None:
        """Return the volume, shape (1, channels, side, side, side)."""
        if whole is None or whole.grey.ndim != 3:
            return None
        volume = whole.grey
        mean, deviation = self._mean, self._deviation
        if self.zscore:
            inside = volume[volume > 0]
            if not inside.size or inside.min() == inside.max():
                return None
            mean = np.float32(inside.mean(dtype=np.float64))
            deviation = np.float32(inside.std(dtype=np.float64))
        scaled = np.asarray((volume - mean) / deviation, dtype=np.float32)
        small = resize(scaled, (self.side,) * 3)
        return np.repeat(small[None, None], self.channels, axis=1)


def _pooled(found: Any) -> Any:
    """Return a batch of vectors from whatever a network gives: the mean over space of its maps."""
    while isinstance(found, tuple | list):
        found = found[0]
    if isinstance(found, Mapping):
        found = next(iter(found.values()))
    return found.flatten(2).mean(2) if found.ndim > 2 else found
