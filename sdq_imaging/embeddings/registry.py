"""The embedders by name; each is imported when it is first used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError

__all__ = ["EMBEDDERS", "Embedder", "embedder", "facts"]


class Embedder(Protocol):
    """Turns the grey slices of one image into a vector."""

    name: str
    version: str
    sha256: str
    """Hash of what the vector depends on: weights, or the list of features."""
    dimension: int

    def __call__(
        self, grey: NDArray[np.float32], scalars: Mapping[str, float]
    ) -> NDArray[np.float32] | None:
        """Embed one image.

        Parameters
        ----------
        grey : ndarray, shape (s, y, x), 0..1
            One slice for an image, up to 16 for a volume.
        scalars : mapping of str to float
            Named features that were computed already.

        Returns
        -------
        ndarray, shape (dimension,), float32, or None
            None where the image has no such vector.
        """
        ...


EMBEDDERS: Final[dict[str, str]] = {
    "radiomic": "sdq_imaging.embeddings.radiomic:Radiomic",
    "random-resnet18": "sdq_imaging.embeddings.random_resnet18:RandomResNet18",
}
"""Name -> module and class."""


def embedder(name: str, device: str = "cpu") -> Embedder:
    """Return an embedder by name.

    Parameters
    ----------
    name : str
        Key of `EMBEDDERS`.
    device : {"auto", "cpu", "cuda"}
        For those that compute on one.

    Raises
    ------
    UsageError
        There is no such embedder.
    """
    found: Embedder = _class(name)(device)
    return found


def facts(name: str) -> dict[str, Any]:
    """Return name, version, hash and dimension without loading weights."""
    cls = _class(name)
    return {"version": cls.version, "sha256": cls.sha256, "dimension": cls.dimension}


def _class(name: str) -> Any:
    if name not in EMBEDDERS:
        raise UsageError(f"embedder {name!r}: there is none; known are {', '.join(EMBEDDERS)}")
    module, _, cls = EMBEDDERS[name].partition(":")
    return getattr(import_module(module), cls)
