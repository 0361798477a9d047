"""What ``sdq doctor`` says: versions, plugins with reasons, fonts."""

from __future__ import annotations

import platform
import shutil
import subprocess

from sdq_core.environment import package_versions
from sdq_core.errors import PluginError
from sdq_core.modality import discover, load_modality

__all__ = ["diagnose"]


def diagnose() -> tuple[list[str], bool]:
    """Look at the installation.

    Returns
    -------
    lines : list of str
        What to print.
    healthy : bool
        Whether at least one modality works.
    """
    lines = [f"python {platform.python_version()} on {platform.system()} {platform.machine()}"]
    lines += [
        f"  {name:20} {found or 'not installed'}" for name, found in package_versions().items()
    ]
    lines += ["modalities"]
    discovery = discover()
    healthy = False
    for name in discovery.available:
        try:
            load_modality(name, discovery)
        except PluginError as error:
            lines.append(f"  {name:20} unavailable: {error}")
        else:
            healthy = True
            lines.append(f"  {name:20} available")
    lines += [f"  {n:20} unavailable: {reason}" for n, reason in discovery.unavailable.items()]
    if not discovery.available and not discovery.unavailable:
        lines.append("  none found: install one, e.g. pip install 'sdq[imaging]'")
    lines += ["fonts", f"  {_chinese_fonts()}"]
    return lines, healthy


def _chinese_fonts() -> str:
    """Say whether this machine can draw Chinese text; reports in HTML use the reader's fonts."""
    tool = shutil.which("fc-list")
    if tool is None:
        return "unknown: the program fc-list (package fontconfig) is not installed"
    found = subprocess.run(  # noqa: S603 - a fixed command, nothing from data
        [tool, ":lang=zh", "family"], capture_output=True, text=True, check=False, timeout=20
    )
    families = sorted({line.split(",")[0].strip() for line in found.stdout.splitlines() if line})
    if not families:
        return (
            "no font with Chinese characters: Chinese reports need one on the reader's machine, "
            "e.g. Noto Sans CJK SC or WenQuanYi Micro Hei"
        )
    return f"Chinese: {', '.join(families[:3])}"
