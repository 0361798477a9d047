"""``sdq_baseline``: a result beside the stored one; what got worse beyond its interval fails."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from sdq_core.comparing.changes import Change, Missing, Outcome, compare_two
from sdq_core.comparing.comparable import Entry, mismatches
from sdq_core.result import FindingsModel, Result, load_result, save_result
from sdq_pytest.evaluating import plainly
from sdq_pytest.lines import estimate, line, properties

__all__ = ["Baseline", "reduced", "worse"]

_NAME: Final = re.compile(r"[\w][\w.-]{0,100}", re.ASCII)
_KEPT: Final = ("schema_", "study", "profile", "modality", "cohorts", "measurements", "verdicts")


class Baseline:
    """Compares results with stored ones, in one test.

    Parameters
    ----------
    request : FixtureRequest
        Of the test.
    """

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request

    def __call__(self, result: Result | None = None, *, name: str = "baseline") -> None:
        """Fail the test with one line for each measure that got worse beyond its interval.

        Parameters
        ----------
        result : Result, optional
            That of `sdq_result` by default.
        name : str
            Of the file in the folder ``sdq_baseline_dir``, without ``.json``.
        """
        __tracebackhide__ = True
        if not _NAME.fullmatch(name):
            pytest.fail(
                f"sdq_baseline: the name {name!r} names a file: write letters, digits, '_', '-' "
                "and '.'",
                pytrace=False,
            )
        if result is None:
            result = self._request.getfixturevalue("sdq_result")
        config = self._request.config
        path = config.rootpath / config.getini("sdq_baseline_dir") / f"{name}.json"
        shown = path.relative_to(config.rootpath) if path.is_relative_to(config.rootpath) else path
        update = config.getoption("--sdq-update-baseline")
        with plainly():
            if update or config.getoption("--sdq-accept-baseline"):
                save_result(reduced(result), path)
                if update:
                    pytest.fail(
                        f"sdq_baseline: {shown} was written; look at its difference, commit it, "
                        "and run again without --sdq-update-baseline",
                        pytrace=False,
                    )
                return
            if not path.is_file():
                pytest.fail(
                    f"sdq_baseline: there is no stored result {shown}; run pytest "
                    "--sdq-accept-baseline once, look at the file, and commit it",
                    pytrace=False,
                )
            stored = load_result(path)
        self._compare(stored, result, shown)

    def _compare(self, stored: Result, result: Result, shown: Path) -> None:
        __tracebackhide__ = True
        before, after = Entry(str(shown), stored), Entry("this result", result)
        other = [m for m in mismatches(before, after) if m.blocks]
        if other:
            said = "; ".join(f"{m.key}: {m.first} there, {m.other} here" for m in other)
            pytest.fail(
                f"sdq_baseline: {shown} differs in more than the synthetic data ({said}); if that "
                "is meant, run pytest --sdq-update-baseline",
                pytrace=False,
            )
        self._request.node.user_properties.extend(
            p for m in result.measurements for p in properties(m) if m.value is not None
        )
        lines = [
            f"sdq_baseline: worse than {shown}: {line(was, None)}; now {_now(c)}"
            for c in worse(before, after)
            if (was := c.before) is not None
        ]
        if lines:
            pytest.fail("\n".join(lines), pytrace=False)


def reduced(result: Result) -> Result:
    """Return a result as a repository keeps it: without what changes by itself or names items.

    Parameters
    ----------
    result : Result

    Returns
    -------
    Result
        Numbers, intervals, criteria and verdicts; no time, no machine, no details, no texts.
    """
    measurements = tuple(m.model_copy(update={"details": {}}) for m in result.measurements)
    left_out = {
        name: field.get_default(call_default_factory=True)
        for name, field in Result.model_fields.items()
        if name not in _KEPT and not field.is_required()
    }
    packages = result.environment.get("packages", {})
    return result.model_copy(
        update={
            **left_out,
            "measurements": measurements,
            "findings": FindingsModel(total=result.findings.total),
            "environment": {"packages": {"sdq": packages.get("sdq")}},
        }
    )


def worse(before: Entry, after: Entry) -> list[Change]:
    """Return the measures that got worse beyond their intervals, by the rule of ``sdq compare``.

    Parameters
    ----------
    before, after : Entry

    Returns
    -------
    list of Change
        Among them those with a direction that have no value any more, or one that means something
        else: to lose a number is no gain.
    """
    gone = (Missing.AFTER, Missing.METHOD)
    return [
        c
        for c in compare_two(before, after).changes
        if c.outcome is Outcome.WORSE
        or (c.missing in gone and c.before is not None and c.before.better is not None)
    ]


def _now(change: Change) -> str:
    if change.missing is Missing.METHOD:
        return "measured in another way: run pytest --sdq-update-baseline if that is meant"
    if change.after is None:
        return "not measured"
    if change.after.value is None:
        return f"without a value: {change.after.reason}"
    return estimate(change.after)
