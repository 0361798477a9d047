"""What an evaluation ran on: the only part of a result that may differ between equal runs."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any

__all__ = ["PACKAGES", "all_distributions", "environment", "hardware", "package_versions"]

PACKAGES = (
    "sdq", "numpy", "scipy", "scikit-learn", "pyarrow", "pydantic", "threadpoolctl",
    "pydicom", "nibabel", "pillow", "torch", "monai",
    "cryptography", "edfio", "wfdb", "pylibjpeg", "pylibjpeg-openjpeg", "python-gdcm", "pyjpegls",
    "python-docx", "typst",
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


def all_distributions() -> dict[str, str]:
    """Return name and version of every distribution that this interpreter finds.

    Examples
    --------
    >>> "numpy" in all_distributions()
    True
    """
    found: dict[str, str] = {}
    for distribution in distributions():
        # One that is half removed has no name; of two of one name the first is imported.
        name = distribution.metadata["Name"] if distribution.metadata else None
        if name:
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), distribution.version)
    return dict(sorted(found.items()))


def hardware(device: str = "cpu") -> dict[str, Any]:
    """Return processor, cores, memory, and the accelerator where one was used.

    Parameters
    ----------
    device : str
        Where the describer ran its networks.

    Returns
    -------
    dict
        JSON-ready; without what cannot be found out. Holds no host name, serial number or address.
    """
    found: dict[str, Any] = {"processor": _processor(), "cores": os.cpu_count()}
    with contextlib.suppress(AttributeError, ValueError, OSError):  # not on every system
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        found["memory_gib"] = round(pages / 2**30, 1)
    torch = sys.modules.get("torch")
    if torch is not None and not device.startswith("cpu"):
        with contextlib.suppress(Exception):  # a driver may fail in any way; it is only a note
            found["accelerator"] = str(
                torch.cuda.get_device_name(device if ":" in device else None)
            )
    return {key: value for key, value in found.items() if value}


def _processor() -> str:
    """Return the model of the processor; the architecture where the system does not tell it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n"):
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def environment(
    timings: Mapping[str, float],
    store: Mapping[str, Any],
    device: str = "cpu",
    on_device: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return the environment of a run.

    Parameters
    ----------
    timings : mapping of str to float
        Seconds by step.
    store : mapping
        What was described, reused and discarded.
    device : str
        As in `hardware`.
    on_device : sequence of mapping
        What was computed on a device, of `sdq_core.acceleration.recorded`.

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
        "distributions": all_distributions(),
        "hardware": hardware(device),
        "timings": {k: round(v, 3) for k, v in timings.items()},
        "store": dict(store),
        **({"on_device": [dict(step) for step in on_device]} if on_device else {}),
    }
