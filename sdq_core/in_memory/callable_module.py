"""``sdq_core.evaluate`` is a module and the function that users call, in any order of imports.

Python puts the module in the package's namespace once it is imported anywhere, over whatever stood
there. So the module itself can be called.
"""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import Any

__all__ = ["make_callable"]


class _Callable(ModuleType):
    """A module that passes calls on to `sdq_core.in_memory.evaluating.evaluate`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from sdq_core.in_memory.evaluating import evaluate

        return evaluate(*args, **kwargs)

    @property
    def __signature__(self) -> inspect.Signature:
        """What editors and notebooks show when the bracket is opened."""
        from sdq_core.in_memory.evaluating import evaluate

        return inspect.signature(evaluate)


def make_callable(name: str) -> None:
    """Let a module be called.

    Parameters
    ----------
    name : str
        Of a module that is being imported: its ``__name__``.
    """
    sys.modules[name].__class__ = _Callable
