"""Where a result comes from and how far it reaches, in words that every document shares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from sdq_core.documents.naming import one_of, plain, title
from sdq_core.documents.numbers import number
from sdq_core.documents.texts import text
from sdq_core.result import Limit, Result

__all__ = ["audit", "limits", "made", "references"]


def made(result: Result, language: str) -> str:
    """Return when the evaluation ended."""
    given = result.environment.get("timestamp")
    try:
        when = dt.datetime.fromisoformat(str(given))
    except ValueError:
        return text("not_given", language) if given is None else str(given)
    if when.tzinfo is not None:
        when = when.astimezone(dt.UTC)
    zone = " UTC" if when.tzinfo is not None else ""
    if language == "zh":
        return f"{when.year} 年 {when.month} 月 {when.day} 日 {when:%H:%M}{zone}"
    return f"{when:%Y-%m-%d %H:%M}{zone}"


def limits(result: Result, language: str) -> list[str]:
    """Return the limits of this result, then those of every result."""
    suspects = any(m.details.get("suspects") for m in result.measurements)
    fixed = ["limit_names"] if suspects else []
    return [
        *(_limit(limit, language) for limit in result.limits),
        *(text(key, language) for key in (*fixed, "limit_scope", "limit_standard")),
    ]


def _limit(limit: Limit, language: str) -> str:
    return one_of(limit.en, limit.zh, language)


def audit(result: Result, language: str) -> Iterator[tuple[str, str]]:
    """Facts that let a third party repeat the evaluation."""
    facts = result.environment
    for key in ("python", "system"):
        if facts.get(key):
            yield text(key, language), str(facts[key])
    packages = {k: v for k, v in (facts.get("packages") or {}).items() if v}
    if packages:
        listed = (f"{k} {v}" for k, v in sorted(packages.items()))
        yield text("packages", language), text("comma", language).join(listed)
    if "describer_version" in result.modality:
        described = _settings(result.modality.get("describer", {}), language)
        version = result.modality["describer_version"]
        named = text("versioned", language, name=result.modality.get("name", ""), version=version)
        yield text("describer", language), f"{named}{text('semicolon', language)}{described}"
    store = facts.get("store") or {}
    if "described" in store and "reused" in store:
        numbers = {k: plain(store[k]) for k in ("described", "reused")}
        yield text("store", language), text("store_facts", language, **numbers)
    if store.get("discarded"):
        yield text("discarded", language), plain(store["discarded"])
    timings = facts.get("timings") or {}
    if timings:
        listed = (
            f"{k.removesuffix('_s')} {number(v) if isinstance(v, float) else plain(v)} s"
            for k, v in sorted(timings.items(), reverse=True)
        )
        yield text("timings", language), text("comma", language).join(listed)


def _settings(value: Any, language: str) -> str:
    """Return settings by name; what is nested stands in brackets."""
    if not isinstance(value, Mapping):
        return plain(value)
    said = []
    for key, inner in sorted(value.items()):
        if isinstance(inner, Mapping):
            nested = _settings(inner, language)
            said.append(text("aside", language, words=key, remark=nested))
        else:
            said.append(f"{key} = {plain(inner)}")
    return text("semicolon", language).join(said)


def references(result: Result, language: str) -> list[tuple[str, str]]:
    """Every source that a method or a criterion names, once, with the measures that rest on it."""
    used: dict[str, dict[str, None]] = {}
    for measurement in result.measurements:
        sources = [] if measurement.method is None else measurement.method.source.split(";")
        if measurement.criterion is not None:
            sources += measurement.criterion.source.split(";")
        for source in sources:
            if source.strip():
                named = title(result, measurement, language)
                used.setdefault(" ".join(source.split()), {})[named] = None
    joined = text("list", language).join
    return [
        (source, text("used_by", language, measures=joined(names)))
        for source, names in sorted(used.items(), key=lambda entry: entry[0].casefold())
    ]
