"""Import torchvision beside a CPU build of torch.

The public wheel of torchvision is built against CUDA: its extension needs CUDA's libraries, so
beside a CPU build of torch the operators ``nms`` and ``qnms`` are never registered, and the import
stops with "operator torchvision::nms does not exist". Models and their layers do not need them.
With the two schemas defined (and no implementation) the import goes through; where the extension
loads, nothing is changed.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Final

from sdq_core.errors import PluginError

__all__ = ["torchvision_models"]

SCHEMAS: Final = {
    "torchvision::nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "torchvision::qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def torchvision_models() -> ModuleType:
    """Return ``torchvision.models``.

    Raises
    ------
    PluginError
        torchvision is not installed, or does not fit the installed torch.
    """
    try:
        return importlib.import_module("torchvision.models")
    except ModuleNotFoundError as error:
        raise PluginError(
            "embedder torchvision: torchvision is not installed; "
            "install it with: pip install 'sdq[embedders]'"
        ) from error
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise PluginError(f"embedder torchvision: {_unfit(error)}") from error
    for name in [n for n in sys.modules if n.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    _define_missing()
    try:
        return importlib.import_module("torchvision.models")
    except Exception as error:  # the two packages can disagree in many ways
        raise PluginError(f"embedder torchvision: {_unfit(error)}") from error


def _unfit(error: Exception) -> str:
    return (
        f"the installed torchvision does not fit the installed torch ({type(error).__name__}); "
        "install the versions in constraints.txt"
    )


def _define_missing() -> None:
    import torch

    for name, schema in SCHEMAS.items():
        try:
            torch.library.define(name, schema)
        except RuntimeError as error:  # defined by an earlier call
            if "multiple times" not in str(error) and "already" not in str(error):
                raise
