"""What an evaluation ran on: the only part of a result that may differ between equal runs."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

__all__ = ["PACKAGES", "environment", "package_versions"]

PACKAGES = (
    "sdq", "numpy", "scipy", "scikit-learn", "pyarrow", "pydantic", "threadpoolctl",
    "pydicom", "nibabel", "pillow", "torch", "monai",
    "edfio", "wfdb", "pylibjpeg", "pylibjpeg-openjpeg", "python-gdcm", "pyjpegls",
)  # fmt: skip
"""Packages whose versions a result records and ``sdq doctor`` prints."""


def package_versions() -> dict[str, str | None]:
    """Return the version of each package that sdq uses; None where it is not installed."""
    found: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def environment(timings: Mapping[str, float], store: Mapping[str, Any]) -> dict[str, Any]:
    """Return the environment of a run.

    Parameters
    ----------
    timings : mapping of str to float
        Seconds by step.
    store : mapping
        What was described, reused and discarded.

    Returns
    -------
    dict
        JSON-ready; holds no host name and no user name.
    """
    return {
        "timestamp": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": package_versions(),
        "timings": {k: round(v, 3) for k, v in timings.items()},
        "store": dict(store),
    }
