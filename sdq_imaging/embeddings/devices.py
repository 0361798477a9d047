"""Which device networks compute on."""

from __future__ import annotations

from sdq_core.errors import PluginError

__all__ = ["chosen_device"]


def chosen_device(device: str) -> str:
    """Return ``"cpu"`` or ``"cuda"`` for ``settings.device``.

    Raises
    ------
    PluginError
        A CUDA device is asked for and there is none.

    Examples
    --------
    >>> chosen_device("cpu")
    'cpu'
    """
    if device == "cpu":
        return device
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        raise PluginError(
            "settings.device: cuda was asked for, but torch finds no CUDA device; use cpu or auto"
        )
    return "cpu"
