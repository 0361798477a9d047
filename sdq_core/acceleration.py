"""CUDA where it is asked for and pays: which device, blocks that fit into its memory, and a record.

What is computed here on a device is computed on the processor where there is none, where it would
not pay, and where the device's memory does not suffice. Values agree within the tolerance that the
step states. torch is imported only where a device is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from numpy.typing import NDArray

from sdq_core.errors import PluginError, UsageError

__all__ = ["DEVICES", "Blocks", "chosen_device", "computed", "exact_arithmetic", "recorded"]

DEVICES: Final = r"^(auto|cpu|cuda(:[0-9]{1,3})?)$"
"""What a device may be called."""

WORTH: Final = 2**32
"""Multiplications and additions from which on ``auto`` uses a device: a second or so of one core,
which is what starting CUDA costs."""

_T = TypeVar("_T")
_STEPS: ContextVar[list[dict[str, Any]] | None] = ContextVar("steps on a device", default=None)


def chosen_device(device: str) -> str:
    """Return the name of the device that a setting stands for.

    Parameters
    ----------
    device : str
        ``auto``, ``cpu``, ``cuda``, or ``cuda:1`` for the second of several.

    Returns
    -------
    str
        ``cpu``, ``cuda`` or ``cuda:N``.

    Raises
    ------
    UsageError
        Another name.
    PluginError
        A CUDA device is asked for and there is none, or none of this number.

    Examples
    --------
    >>> chosen_device("cpu")
    'cpu'
    """
    if not re.fullmatch(DEVICES, device):
        raise UsageError(
            f"settings.device: must be auto, cpu, cuda or cuda:N, found {device!r}; cuda:0 is the "
            "first device"
        )
    if device == "cpu":
        return device
    try:
        import torch
    except ImportError as error:
        if device == "auto":
            return "cpu"
        raise PluginError(
            f"settings.device: {device} needs torch; install sdq[imaging], or use cpu or auto"
        ) from error
    if not torch.cuda.is_available():
        if device == "auto":
            return "cpu"
        raise PluginError(
            f"settings.device: {device} was asked for, but torch finds no CUDA device; use cpu or "
            "auto"
        )
    if device == "auto":
        return "cuda"
    number = int(device.partition(":")[2] or 0)
    if number >= torch.cuda.device_count():
        raise PluginError(
            f"settings.device: {device} was asked for, but torch finds {torch.cuda.device_count()} "
            "CUDA devices, counted from 0; use a lower number"
        )
    return device


def computed(
    device: str,
    work: float,
    what: str,
    tolerance: float,
    on_device: Callable[[Blocks], _T],
    on_processor: Callable[[], _T],
) -> _T:
    """Compute on the device that a setting stands for, and record it.

    Parameters
    ----------
    device : str
        As in `chosen_device`. ``auto`` takes a device from `WORTH` operations on.
    work : float
        Multiplications and additions.
    what : str
        The step, for the record.
    tolerance : float
        Largest absolute difference between the device's values and the processor's.
    on_device : callable
        Gets the device as `Blocks`.
    on_processor : callable
        Also called where the device's memory does not suffice even for the smallest block.

    Examples
    --------
    >>> computed("auto", 10, "a sum", 0.0, lambda blocks: 0, lambda: 1)
    1
    """
    if device == "auto" and work < WORTH:
        return on_processor()
    name = chosen_device(device)
    if name == "cpu":
        return on_processor()
    import torch

    blocks = Blocks(name)
    try:
        with exact_arithmetic():
            found = on_device(blocks)
    except torch.OutOfMemoryError:
        _record(what, "cpu", 0.0, f"the memory of {name} did not suffice")
    else:
        note = f"blocks halved {blocks.halved} times: memory was short" if blocks.halved else ""
        _record(what, name, tolerance, note)
        return found
    # Outside of the handler: its traceback holds what lies on the device.
    torch.cuda.empty_cache()
    return on_processor()


class Blocks:
    """A device that takes work in blocks of rows, and smaller ones where its memory is short.

    Parameters
    ----------
    device : str
        A torch device; ``cpu`` runs the same code on the processor.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self.halved = 0

    def tensor(self, values: NDArray[Any]) -> Any:
        """Return a copy of an array on the device."""
        import torch

        return torch.tensor(values, device=self.device)

    def over(self, n: int, step: int, compute: Callable[[slice], None]) -> None:
        """Call a function for blocks of `step` of `n` rows; halve them where memory is short.

        Parameters
        ----------
        n, step : int
        compute : callable
            Called again with a smaller block where it ran out of memory, so it must only write.

        Raises
        ------
        torch.OutOfMemoryError
            A single row does not fit.

        Examples
        --------
        >>> seen = []
        >>> Blocks("cpu").over(5, 2, lambda rows: seen.append((rows.start, rows.stop)))
        >>> seen
        [(0, 2), (2, 4), (4, 5)]
        """
        import torch

        start, step = 0, max(1, min(n, step))
        while start < n:
            try:
                compute(slice(start, min(n, start + step)))
            except torch.OutOfMemoryError:
                if step == 1:
                    raise
            else:
                start += step
                continue
            step //= 2
            self.halved += 1
            if torch.cuda.is_available():
                torch.cuda.empty_cache()


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """Compute float32 as float32 and in one order, without gradients; restore the flags after.

    By default convolutions on CUDA round their factors to 10 bits (TF32), and cuDNN may take
    whichever algorithm is fastest at the moment.
    """
    import torch

    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    flags: list[tuple[Any, str, Any]] = [
        (cudnn, "deterministic", True),
        (cudnn, "benchmark", False),
    ]
    if hasattr(matmul, "fp32_precision"):  # torch forbids to mix this with the older flags
        flags += [(matmul, "fp32_precision", "ieee"), (cudnn.conv, "fp32_precision", "ieee")]
    else:
        flags += [(matmul, "allow_tf32", False), (cudnn, "allow_tf32", False)]
    before = [getattr(place, name) for place, name, _ in flags]
    for place, name, value in flags:
        setattr(place, name, value)
    try:
        with torch.inference_mode():
            yield
    finally:
        for (place, name, _), value in zip(flags, before, strict=True):
            setattr(place, name, value)


@contextmanager
def recorded() -> Iterator[list[dict[str, Any]]]:
    """Collect what is computed on a device, for the environment of a result.

    Yields
    ------
    list of dict
        ``what``, ``device``, ``tolerance`` (absolute) and, where there is one, ``note`` of each
        kind of step once, in the order of their first occurrence. Empty where everything was
        computed on the processor because nothing else was asked for.
    """
    steps: list[dict[str, Any]] = []
    token = _STEPS.set(steps)
    try:
        yield steps
    finally:
        _STEPS.reset(token)


def _record(what: str, device: str, tolerance: float, note: str) -> None:
    steps = _STEPS.get()
    step = {
        "what": what,
        "device": device,
        "tolerance": tolerance,
        **({"note": note} if note else {}),
    }
    if steps is not None and step not in steps:
        steps.append(step)
