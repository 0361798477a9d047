"""sdq: the measuring instrument for synthetic medical data.

Public names are imported when they are first used, so that ``import sdq_core`` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdq_core.in_memory.evaluating import evaluate

__all__ = [
    "Characteristic",
    "Description",
    "Finding",
    "Interval",
    "Item",
    "Measurement",
    "Method",
    "Modality",
    "Result",
    "SdqError",
    "Severity",
    "Study",
    "Verdict",
    "evaluate",
    "load_result",
    "load_study",
]

_HOME = {
    "Characteristic": "vocabulary",
    "Description": "description",
    "Finding": "finding",
    "Interval": "measurement",
    "Item": "description",
    "Measurement": "measurement",
    "Method": "measurement",
    "Modality": "modality",
    "Result": "result",
    "SdqError": "errors",
    "Severity": "vocabulary",
    "Study": "study",
    "Verdict": "vocabulary",
    "load_result": "result",
    "load_study": "study",
}


def __getattr__(name: str) -> Any:
    if name == "evaluate":  # a module that can be called, see `sdq_core.in_memory`
        return import_module("sdq_core.evaluate")
    if name in _HOME:
        return getattr(import_module(f"sdq_core.{_HOME[name]}"), name)
    raise AttributeError(f"module 'sdq_core' has no attribute {name!r}")
