"""What FHIR resources say of a patient's synthesis: Provenance, and the label AIGC.

A Provenance names its targets; of those that are patients here, the generator is the agent's
display, or name and version of the Device that the agent refers to, and seed, condition, run and
version are ``key=value`` in the text of the activity or the display of an entity.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from sdq_core.aigc import label_in_text
from sdq_ehr.formats.fhir_elements import as_list, as_map, as_text, path, reference_key

__all__ = ["COLUMNS", "device", "label", "origin", "targets"]

COLUMNS: Final = ("generator", "generator_version", "seed", "condition", "run")
"""Columns of the patient table."""

_PAIR = re.compile(
    r"\b(generator[ _]version|version|generator|seed|condition|run)\s*[=:]\s*([^;,\n\r=]{1,64})",
    re.IGNORECASE,
)
_AIGC = re.compile(r"(?:.*[/#:])?AIGC", re.IGNORECASE)


def targets(resource: Mapping[str, Any]) -> list[str]:
    """Return the keys of what a Provenance is about.

    Examples
    --------
    >>> targets({"target": [{"reference": "Patient/7"}, {"reference": "urn:uuid:ab"}]})
    ['7', 'ab']
    """
    references = (as_text(as_map(t).get("reference")) for t in as_list(resource.get("target")))
    return [reference_key(reference) for reference in references if reference]


def origin(resource: Mapping[str, Any], devices: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return what a Provenance says of how its targets were made.

    Parameters
    ----------
    resource : mapping
        A Provenance, of R4 or R5.
    devices : mapping of str to mapping
        Key of a Device -> what `device` returns.

    Returns
    -------
    dict of str to str
        Some of `COLUMNS`.

    Examples
    --------
    >>> origin({"agent": [{"who": {"display": "vae"}}], "activity": {"text": "seed=7; run=2"}}, {})
    {'generator': 'vae', 'seed': '7', 'run': '2'}
    """
    found: dict[str, str] = {}
    contained = {
        as_text(inner.get("id")): device(inner)
        for inner in map(as_map, as_list(resource.get("contained")))
        if inner.get("resourceType") == "Device"
    }
    texts = [as_text(as_map(resource.get("activity")).get("text"))]
    for agent in map(as_map, as_list(resource.get("agent"))):
        who = as_map(agent.get("who"))
        key = reference_key(as_text(who.get("reference"))).removeprefix("#")
        named = contained.get(key) or devices.get(key) or {}
        if not named and as_text(who.get("display")):
            named = {"generator": as_text(who.get("display"))}
        for name, value in named.items():
            found.setdefault(name, value)
    texts += [path(entity, "what", "display") for entity in as_list(resource.get("entity"))]
    for text in texts:
        for name, value in _PAIR.findall(text):
            plain = re.sub(r"\s+", "_", name.strip().lower())
            column = "generator_version" if plain == "version" else plain
            found.setdefault(column, value.strip())
    return {column: found[column] for column in COLUMNS if found.get(column)}


def device(resource: Mapping[str, Any]) -> dict[str, str]:
    """Return name and version of a Device, which may be software.

    Examples
    --------
    >>> device({"deviceName": [{"name": "vae"}], "version": [{"value": "1.2"}]})
    {'generator': 'vae', 'generator_version': '1.2'}
    """
    name = path(resource, "deviceName", "name") or path(resource, "name", "value")
    found = {"generator": name, "generator_version": path(resource, "version", "value")}
    return {column: value for column, value in found.items() if value}


def label(resource: Mapping[str, Any]) -> str:
    """Return the label AIGC (GB 45438-2025) of a resource: an extension of it, or of its meta.

    Examples
    --------
    >>> label({"extension": [{"url": "urn:x:AIGC", "valueString": '{"Label": "1"}'}]})
    '{"Label":"1"}'
    """
    meta = as_map(resource.get("meta"))
    for extension in (*as_list(resource.get("extension")), *as_list(meta.get("extension"))):
        inner = as_map(extension)
        if _AIGC.fullmatch(as_text(inner.get("url"))):
            return label_in_text(f"AIGC: {as_text(inner.get('valueString'))}")
    return ""
