"""``sdq_check``: one measure of a result, judged by its interval."""

from __future__ import annotations

import difflib
import math
from typing import Literal

import pytest

from sdq_core.evaluate import measurement_model
from sdq_core.judging import judge
from sdq_core.measurement import Interval, Measurement, Method
from sdq_core.profiles import Criterion
from sdq_core.result import IntervalModel, MeasurementModel, Result
from sdq_core.vocabulary import Verdict
from sdq_pytest.evaluating import folder_of, plainly
from sdq_pytest.lines import line, properties
from sdq_pytest.settling import Settled, settle

__all__ = ["Check"]


class Check:
    """Checks measures of a result, in one test.

    Parameters
    ----------
    request : FixtureRequest
        Of the test.
    """

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request

    def __call__(
        self,
        identifier: str,
        *,
        at_most: float | None = None,
        at_least: float | None = None,
        verdict: Literal["pass", "fail", "inconclusive", "not_assessed"] | None = None,
        variant: str | None = None,
        result: Result | None = None,
    ) -> None:
        """Fail the test with one line unless a measure is as asked.

        Parameters
        ----------
        identifier : str
            Measurement id, e.g. ``"imaging.privacy.memorised_share"``.
        at_most, at_least : float, optional
            Limits in the measure's unit. The interval decides, as for the criteria of a profile:
            inside it passes, outside it fails, and one that straddles a limit does what
            ``sdq_inconclusive`` says.
        verdict : str, optional
            What the study's profile must have said. Without a limit, ``"pass"``.
        variant : str, optional
            One variant; without it all of them must be as asked.
        result : Result, optional
            That of `sdq_result` by default.
        """
        __tracebackhide__ = True
        if result is None:
            result = self._request.getfixturevalue("sdq_result")
        for name, limit in (("at_most", at_most), ("at_least", at_least)):
            if limit is not None and not math.isfinite(limit):
                pytest.fail(
                    f"sdq_check: {name}={limit} is not a number to compare with; give one",
                    pytrace=False,
                )
        with plainly():
            found = self._find(result, identifier, variant)
            if at_most is not None or at_least is not None:
                limited = [_judged(m, at_most, at_least) for m in found]
                self._settle(limited, result, identifier)
            if verdict is not None or (at_most is None and at_least is None):
                self._expect(found, result, Verdict(verdict or "pass"))

    def _find(self, result: Result, identifier: str, variant: str | None) -> list[MeasurementModel]:
        __tracebackhide__ = True
        found = [
            m for m in result.measurements if m.id == identifier and variant in (None, m.variant)
        ]
        if found:
            return found
        same = sorted(str(m.variant) for m in result.measurements if m.id == identifier)
        if same:
            pytest.fail(
                f"sdq_check: {identifier} has no variant {variant!r} in this result; it has "
                f"{', '.join(same)}",
                pytrace=False,
            )
        known = sorted({m.id for m in result.measurements})
        near = difflib.get_close_matches(identifier, known, n=3) or known[:3]
        pytest.fail(
            f"sdq_check: the result has no measurement {identifier!r}; near it: {', '.join(near)}",
            pytrace=False,
        )

    def _settle(self, found: list[MeasurementModel], result: Result, identifier: str) -> None:
        __tracebackhide__ = True
        node = self._request.node
        node.user_properties.extend(p for m in found for p in properties(m))
        folder = folder_of(node.config, result)
        settle(
            node.config,
            [Settled(m.verdict, line(m, folder)) for m in found],
            nothing=f"{identifier}: does not apply to this kind of data",
        )

    def _expect(self, found: list[MeasurementModel], result: Result, verdict: Verdict) -> None:
        __tracebackhide__ = True
        if verdict is Verdict.PASS and all(m.criterion is not None for m in found):
            self._settle(found, result, found[0].id)
            return
        node = self._request.node
        node.user_properties.extend(p for m in found for p in properties(m))
        folder = folder_of(node.config, result)
        asked = str(verdict).replace("_", " ")
        wrong = [m for m in found if m.verdict is not verdict]
        if wrong:
            pytest.fail(
                "\n".join(f"{line(m, folder)}; asked: {asked}{_without(m)}" for m in wrong),
                pytrace=False,
            )


def _without(measurement: MeasurementModel) -> str:
    if measurement.verdict is not None:
        return ""
    if measurement.code == "not_applicable":
        return ", and it does not apply to this kind of data"
    return ", and the profile has no criterion for it: give at_most or at_least"


def _judged(
    found: MeasurementModel, at_most: float | None, at_least: float | None
) -> MeasurementModel:
    """Judge a measurement by limits of a test, with the rule that judges by profiles."""
    method = found.method
    measurement = Measurement(
        found.id,
        found.value,
        found.reason,
        found.reason_zh or "",
        found.better,
        found.unit,
        _interval(found.interval),
        _interval(found.noise_floor),
        found.n,
        Method("", "")
        if method is None
        else Method(method.name, method.source, method.parameters, method.seed),
        found.variant,
        found.aspect,
        found.target,
        found.code != "not_applicable",
        found.details,
    )
    criterion = Criterion(
        id=found.id,
        at_most=at_most,
        at_least=at_least,
        mandatory=True,
        reason="A limit that a test asks for.",
        reason_zh="测试所要求的界限。",
        source="sdq_check",
    )
    return measurement_model(judge(measurement, criterion))


def _interval(found: IntervalModel | None) -> Interval | None:
    if found is None:
        return None
    return Interval(found.low, found.high, found.method, found.level, found.centre)
