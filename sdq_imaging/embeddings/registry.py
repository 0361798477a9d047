"""The embedders by name; each is imported when it is first used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_imaging.embeddings.asked import Asked
from sdq_imaging.embeddings.whole import Whole

__all__ = ["EMBEDDERS", "Embedder", "embedder", "facts", "facts_of", "make"]


class Embedder(Protocol):
    """Turns the grey slices of one image into a vector."""

    name: str
    version: str
    sha256: str
    """Hash of what the vector depends on: weights, or the list of features."""

    def __call__(
        self,
        grey: NDArray[np.float32],
        scalars: Mapping[str, float],
        whole: Whole | None = None,
    ) -> NDArray[np.float32] | None:
        """Embed one image.

        Parameters
        ----------
        grey : ndarray, shape (s, y, x), 0..1
            One slice for an image, up to 16 for a volume.
        scalars : mapping of str to float
            Named features that were computed already.
        whole : Whole, optional
            The whole volume, and the colours of a picture.

        Returns
        -------
        ndarray, shape (d,), float32, or None
            None where the image has no such vector.
        """
        ...


EMBEDDERS: Final[dict[str, str]] = {
    "radiomic": "sdq_imaging.embeddings.radiomic:Radiomic",
    "random-resnet18": "sdq_imaging.embeddings.random_resnet18:RandomResNet18",
}
"""Name -> module and class of those that need no file."""


def embedder(name: str, device: str = "cpu") -> Embedder:
    """Return an embedder that needs no file, by name.

    Parameters
    ----------
    name : str
        Key of `EMBEDDERS`.
    device : str
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


def make(asked: Asked, device: str = "cpu") -> Embedder:
    """Return the embedder that a study asks for.

    Raises
    ------
    PluginError
        Its file does not fit, or what it needs is not installed.
    StudyError
        Its file has another hash than the stated one.
    """
    if asked.name in EMBEDDERS:
        return embedder(asked.name, device)
    from sdq_imaging.embeddings.from_files import made

    found: Embedder = made(asked, device)
    return found


def facts_of(asked: Asked) -> dict[str, Any]:
    """Return what stands in the result of an embedding that a study asks for.

    Returns
    -------
    dict
        Version, hash, dimension where it is known, and how pixels are prepared where that was
        stated; ``lacking`` alone where a file is not there.
    """
    if asked.name in EMBEDDERS:
        return facts(asked.name)
    if asked.lacking:
        return {"lacking": asked.lacking}
    found: dict[str, Any] = {"version": "1"}
    if asked.label:
        found["embedder"] = asked.name
    if asked.kind == "python":
        # The describer's key must change with the function's source.
        found["sha256"] = make(asked).sha256
    else:
        found["sha256"] = asked.found_sha256()
    if asked.dimension is not None:
        found["dimension"] = asked.dimension
    stated = asked.input.model_dump(exclude_none=True, mode="json")
    return found | ({"input": stated} if stated else {})


def _class(name: str) -> Any:
    if name not in EMBEDDERS:
        raise UsageError(f"embedder {name!r}: there is none; known are {', '.join(EMBEDDERS)}")
    module, _, cls = EMBEDDERS[name].partition(":")
    return getattr(import_module(module), cls)
