"""Weights files: read without running anything in them, and fitted to a network key by key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sdq_core.errors import PluginError

__all__ = ["fit", "load_state"]

INSIDE: Final = ("state_dict", "model_state_dict", "model", "net", "network")
"""Where a training checkpoint keeps the weights."""
WRAPPERS: Final = ("module", "model", "backbone", "encoder", "net", "network", "_orig_mod")
"""What wrappers of the network put before every key."""
HEADS: Final = re.compile(
    r"(fc|classifier|head|heads|class_layers|conv_seg|AuxLogits|aux[0-9]?|linear)(\.|$)"
    r"|.*num_batches_tracked$"
)
"""Keys that features do not need: classifiers, and the counters of normalisations."""
LEGACY_DENSENET: Final = re.compile(r"(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)")
"""Keys of the first published DenseNet files: ``norm.1.weight`` for ``norm1.weight``."""
SHOWN: Final = 3


def load_state(path: Path, what: str) -> dict[str, Any]:
    """Read the tensors of a weights file.

    Parameters
    ----------
    path : Path
        ``.safetensors``, or a file of ``torch.save`` with a state dict, alone or in a checkpoint.
    what : str
        The embedder, for messages.

    Returns
    -------
    dict of str to torch.Tensor

    Raises
    ------
    PluginError
        The file cannot be read, holds something else, or would have to be unpickled.
    """
    import torch

    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            found: Any = load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
    except ModuleNotFoundError as error:
        raise PluginError(
            f"{what}: reading {path.name} needs safetensors; "
            "install it with: pip install 'sdq[embedders]'"
        ) from error
    except OSError as error:
        raise PluginError(f"{what}: {path.name} cannot be opened ({error.strerror})") from error
    except Exception as error:  # a damaged file or one that holds objects fails in many ways
        raise PluginError(
            f"{what}: {path.name} holds no plain tensors that can be read without running code in "
            f"it ({type(error).__name__}); save the network's state_dict() anew, or as safetensors"
        ) from error
    for key in INSIDE:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping) or not found:
        raise PluginError(f"{what}: {path.name} holds no state dict; save network.state_dict()")
    tensors = {str(k): v for k, v in found.items() if isinstance(v, torch.Tensor)}
    if len(tensors) < len(found):
        raise PluginError(
            f"{what}: {path.name} holds {len(found) - len(tensors)} entries that are no tensors; "
            "save network.state_dict()"
        )
    return _unwrapped(tensors)


def fit(network: Any, state: Mapping[str, Any], what: str) -> None:
    """Put weights into a network; every part that features depend on must be there.

    Parameters
    ----------
    network : torch.nn.Module
    state : mapping of str to torch.Tensor
        Keys as the network's, or with the number of a layer in place of its name, as
        ``Sequential(*network.children())`` writes them (RadImageNet).
    what : str
        The embedder, for messages.

    Raises
    ------
    PluginError
        Keys are missing, too many, or have another shape: the file is of another network.
    """
    wanted = {k: v for k, v in network.state_dict().items() if not HEADS.match(k)}
    named = _by_name(state, [name for name, _ in network.named_children()])
    given = {_modern(k): v for k, v in named.items()}
    given = {k: v for k, v in given.items() if not HEADS.match(k)}
    missing = [k for k in wanted if k not in given]
    unknown = [k for k in given if k not in wanted]
    other = [k for k in wanted if k in given and given[k].shape != wanted[k].shape]
    problems = [
        f"{len(keys)} {said} ({', '.join(keys[:SHOWN])}{' ...' if len(keys) > SHOWN else ''})"
        for keys, said in (
            (missing, "weights are missing"),
            (unknown, "weights have no place in the network"),
            (other, "weights have another shape"),
        )
        if keys
    ]
    if problems:
        raise PluginError(
            f"{what}: the file is of another network: {'; '.join(problems)}; "
            "give the file of this network, or name the network of this file"
        )
    network.load_state_dict({k: given[k] for k in wanted}, strict=False)


def _unwrapped(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Take off what wrappers put before every key."""
    found = dict(tensors)
    while True:
        first = {k.partition(".")[0] for k in found}
        (name,) = first if len(first) == 1 else ("",)
        if name not in WRAPPERS:
            return found
        found = {k.partition(".")[2]: v for k, v in found.items()}


def _by_name(state: Mapping[str, Any], children: Sequence[str]) -> dict[str, Any]:
    """Put the names of layers in the place of their numbers, where all keys begin with one."""
    if not all(k.partition(".")[0].isdecimal() for k in state):
        return dict(state)
    found = {}
    for key, value in state.items():
        number, _, rest = key.partition(".")
        known = int(number) < len(children)
        found[f"{children[int(number)]}.{rest}" if known else key] = value
    return found


def _modern(key: str) -> str:
    legacy = LEGACY_DENSENET.fullmatch(key)
    return f"{legacy[1]}{legacy[2]}" if legacy else key
