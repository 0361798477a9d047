"""One measurement as one line: value, interval, criterion, verdict, and the worst items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from sdq_core.documents.readings import read
from sdq_core.errors import StoreError
from sdq_core.result import MeasurementModel
from sdq_core.vocabulary import Role, Severity, Verdict

__all__ = ["estimate", "line", "properties", "worst_items"]

_MOST: Final = 5
"""Items named in a line."""
_LONGEST: Final = 80
"""Characters of an item's id in a line."""

_BEHIND: Final = {
    "readable_share": ("structure", None),
    "structure_share": ("structure", None),
    "semantics_share": ("semantics", None),
    "duplicate_share": ("structure", "duplicate"),
    "required_attribute_share": ("metadata", None),
    "declared_synthetic_share": ("metadata", "not_declared_synthetic"),
    "declared_synthetic_share[aigc]": ("metadata", "aigc_label"),
    "conformity_share": ("conformity", None),
    "identifier_share": ("identifier", None),
    "burned_in_text_share": ("identifier", "burned_in_text"),
    "exact_copy_share": ("privacy", "exact_copy"),
}
"""Area and rule of the findings that shares of items count: without a rule, all errors."""
_APART: Final = ("file_name", "not_declared_synthetic", "aigc_label")
"""Rules that no area stands for: the id would be what must not be said, or has a share itself."""


def line(measurement: MeasurementModel, folder: Path | None) -> str:
    """Return what a person must know of one judged measurement.

    Parameters
    ----------
    measurement : MeasurementModel
    folder : Path or None
        Folder of the result, whose list of findings names the items behind a share.
    """
    reading = read(measurement, "en")
    if measurement.reason is not None:
        said = f"{_key(measurement)} has no value: {measurement.reason}"
    else:
        said = f"{_key(measurement)} = {reading.estimate}"
    if reading.acceptable:
        said += f"; required: {reading.acceptable}"
    if measurement.verdict is not None:
        said += f"; {str(measurement.verdict).replace('_', ' ')}"
    said += _why(measurement)
    items = () if measurement.verdict is Verdict.PASS else worst_items(measurement, folder)
    if items:
        more = len(items) - _MOST
        said += f"; worst items: {', '.join(_printable(i) for i in items[:_MOST])}"
        said += f" and {more} more" if more > 0 else ""
    return _plain(said)


def estimate(measurement: MeasurementModel) -> str:
    """Return a value with its interval."""
    return _plain(read(measurement, "en").estimate)


def properties(measurement: MeasurementModel) -> Iterator[tuple[str, str]]:
    """Yield what JUnit XML says of a measurement, as names and texts.

    Numbers have all their digits; an open side of a criterion is empty.

    Yields
    ------
    tuple of str and str
        ``sdq.<measure>.value`` and likewise ``reason``, ``unit``, ``interval``, ``criterion``,
        ``verdict``.
    """
    name = f"sdq.{_key(measurement)}"
    if measurement.value is None:
        yield f"{name}.reason", str(measurement.reason)
    else:
        yield f"{name}.value", repr(measurement.value)
        yield f"{name}.unit", measurement.unit
    interval = measurement.interval
    if interval is not None:
        yield f"{name}.interval", f"[{interval.low!r}, {interval.high!r}]"
    criterion = measurement.criterion
    if criterion is not None:
        low, high = (
            "" if limit is None else repr(limit) for limit in (criterion.low, criterion.high)
        )
        yield f"{name}.criterion", f"[{low}, {high}]"
    if measurement.verdict is not None:
        yield f"{name}.verdict", str(measurement.verdict)


def worst_items(measurement: MeasurementModel, folder: Path | None) -> Sequence[str]:
    """Return ids of the synthetic items behind a measurement, the worst first.

    Suspected copies, or the items with a finding that the share counts. Ids that look like a
    direct identifier are not among them: logs travel far.

    Parameters
    ----------
    measurement : MeasurementModel
    folder : Path or None
        Folder of the result.

    Returns
    -------
    sequence of str
        Empty for a measure of the whole cohort.
    """
    suspects: Any = measurement.details.get("suspects", ())
    named = [str(s["synthetic"]) for s in suspects if isinstance(s, dict) and "synthetic" in s]
    if named:
        return list(dict.fromkeys(named))
    measure = measurement.id.rpartition(".")[2]
    behind = _BEHIND.get(f"{measure}[{measurement.variant}]") or _BEHIND.get(measure)
    if folder is None or behind is None:
        return ()
    return list(dict.fromkeys(_with_finding(folder, *behind)))


def _with_finding(folder: Path, area: str, rule: str | None) -> Iterator[str]:
    import pyarrow.parquet as pq

    columns = ["role", "item", "rule", "severity"]
    try:
        rows = pq.read_table(folder / "findings.parquet", columns=columns).to_pylist()
    except OSError as error:
        raise StoreError(f"{folder / 'findings.parquet'}: cannot be read ({error})") from error
    for row in rows:
        _, of_area, name = (*row["rule"].split(".", 2), "", "")[:3]
        if row["role"] != Role.SYNTHETIC or not row["item"] or of_area != area:
            continue
        counted = row["severity"] == Severity.ERROR and name not in _APART
        if name == rule or (rule is None and counted):
            yield row["item"]


def _why(measurement: MeasurementModel) -> str:
    """Say of an inconclusive measurement what would settle it."""
    if measurement.verdict is not Verdict.INCONCLUSIVE:
        return ""
    if measurement.code == "too_few_items":
        return f" (too few items: {', '.join(f'{k} {v}' for k, v in measurement.n.items())})"
    if measurement.needed_factor is None:
        return " (the interval straddles the limit)"
    return (
        f" (the interval straddles the limit; about {measurement.needed_factor:.1f} times the "
        "items would settle it)"
    )


def _key(measurement: MeasurementModel) -> str:
    variant = measurement.variant
    return measurement.id if variant is None else f"{measurement.id}[{_printable(variant)}]"


def _plain(text: str) -> str:
    """Write what people type when they search a log: a plain blank, a plain minus."""
    return text.replace("\u00a0", " ").replace("\u2212", "-")


def _printable(text: str) -> str:
    """Keep a name that comes from data from steering the terminal."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 3]}..."
