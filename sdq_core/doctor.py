"""What ``sdq doctor`` says: versions, plugins with reasons, fonts."""

from __future__ import annotations

import platform

from sdq_core.environment import package_versions
from sdq_core.errors import FontError, PluginError, UsageError
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
    """Say whether this machine can set Chinese text in PDF and pictures of the documents."""
    try:
        from sdq_core.documents.typesetting import CHINESE, REMEDY, Typesetter

        found = Typesetter.for_language("zh")
    except UsageError:
        return (
            "unknown: the package typst is not installed (documents in PDF and DOCX need it); "
            "pip install 'sdq[report]'"
        )
    except FontError:
        said = "no font with Chinese characters: Chinese documents in PDF and DOCX need one"
        return f"{said}; {REMEDY}"
    families = [f for f in found.families if f in CHINESE]
    return f"Chinese: {', '.join(families[:3])}"
