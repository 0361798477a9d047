"""Whether every worker of a Dask cluster can do the work, asked before any does."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import TYPE_CHECKING, Final

from sdq_core.engines.dask_worker import Order, make_ready
from sdq_core.environment import package_versions
from sdq_core.errors import PluginError, SdqError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from distributed import Client

__all__ = ["check_workers", "compare"]

_NO_MATTER: Final = frozenset({"sdq", "cryptography", "python-docx", "typst"})
"""Packages that have no part in a description (sdq is checked by itself)."""


def check_workers(client: Client, order: Order) -> None:
    """Find out whether every worker can do the work, before any does.

    Raises
    ------
    SdqError
        One cannot; the message names it.
    """
    for who, version in _sdq_versions(client).items():
        if version is None:
            raise UsageError(
                f"{who}: sdq is not installed; install there what this machine has, "
                f"e.g. pip install 'sdq[imaging,dask]=={order.sdq}'"
            )
        if version != order.sdq:
            raise UsageError(
                f"{who}: has sdq {version}, this machine {order.sdq}; "
                "install the same version on all machines"
            )
    here = _versions()
    for place, versions in client.run(_versions, on_error="return").items():
        if isinstance(versions, Exception):
            raise UsageError(
                f"worker {place}: sdq {order.sdq} is installed but cannot be used "
                f"({type(versions).__name__}); install it again with its dependencies"
            )
        compare(place, here, versions)
    for place, problem in client.run(make_ready, order, on_error="return").items():
        if isinstance(problem, SdqError):
            problem.args = (f"worker {place}: {problem}",)
            raise problem
        if isinstance(problem, Exception):
            raise PluginError(
                f"worker {place}: the describer cannot be prepared "
                f"({type(problem).__name__}); install on it what this machine has"
            )


def _sdq_versions(client: Client) -> dict[str, str | None]:
    """Return the version of sdq at the scheduler and at each worker; None where there is none."""
    # A function of the standard library travels to where sdq is missing, too.
    ask, missing = importlib.metadata.version, importlib.metadata.PackageNotFoundError
    found: dict[str, str | None] = {}
    try:
        # Dask's scheduler loads the names of the functions that it hands on.
        found["scheduler"] = client.run_on_scheduler(ask, "sdq")
    except missing:
        found["scheduler"] = None
    for place, answer in client.run(ask, "sdq", on_error="return").items():
        found[f"worker {place}"] = None if isinstance(answer, missing) else answer
    return found


def _versions() -> dict[str, str | None]:
    """Return the versions that descriptions depend on."""
    found = {k: v for k, v in package_versions().items() if k not in _NO_MATTER}
    return {"python": ".".join(platform.python_version_tuple()[:2]), **found}


def compare(place: str, here: Mapping[str, str | None], there: Mapping[str, str | None]) -> None:
    """Refuse a worker whose packages could describe otherwise.

    Raises
    ------
    UsageError
        Names the packages and both versions.
    """
    # What is missing there may not be needed: the modality itself says what it needs.
    other = [
        f"{name} {there[name]} (here {version})"
        for name, version in here.items()
        if version is not None and there.get(name) not in (None, version)
    ]
    if other:
        raise UsageError(
            f"worker {place}: has {', '.join(other)}; descriptions could differ in their last "
            "digits: install the same versions on all machines"
        )
