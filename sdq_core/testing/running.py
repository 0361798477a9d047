"""The checks as a list, run all together or as one test each."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from sdq_core.errors import UsageError
from sdq_core.testing import (
    describing_checks,
    input_checks,
    interface_checks,
    measuring_checks,
    planting_checks,
)
from sdq_core.testing.conforming import NotConforming
from sdq_core.testing.example import Example
from sdq_core.testing.trial import Trial

if TYPE_CHECKING:
    import pytest

__all__ = ["CHECKS", "BoundCheck", "Outcome", "bound", "check_modality", "parametrize_with_checks"]

Check = Callable[[Trial], None]

_MODULES: Final = (
    interface_checks,
    describing_checks,
    input_checks,
    measuring_checks,
    planting_checks,
)
CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        name: vars(module)[name]
        for module in _MODULES
        for name in sorted(module.__all__, key=list(vars(module)).index)
    }
)
"""Name of each check -> the check, in the order in which they are best read."""


@dataclass(frozen=True)
class Outcome:
    """What became of one check.

    Parameters
    ----------
    check : str
    state : {"passed", "failed", "not applicable", "failed as expected"}
    message : str
        Why; empty where it passed.
    """

    check: str
    state: Literal["passed", "failed", "not applicable", "failed as expected"]
    message: str = ""


class BoundCheck:
    """One check of one example, to be called without arguments.

    Parameters
    ----------
    name : str
        Key of `CHECKS`.
    trial : Trial
        Shared by the checks of one example.
    """

    def __init__(self, name: str, trial: Trial) -> None:
        self.name = name
        self.trial = trial
        self.__doc__ = CHECKS[name].__doc__

    def __repr__(self) -> str:
        return f"<{self.name} of {type(self.trial.example).__name__}>"

    @property
    def expected_failure(self) -> str | None:
        """Why this check is expected to fail, or None."""
        return self.trial.example.expected_failures.get(self.name)

    def __call__(self) -> None:
        """Run the check.

        Raises
        ------
        NotConforming
            The plugin breaks the rule, or raised an error of its own.
        unittest.SkipTest
            The check does not apply to this plugin; pytest skips it.
        """
        __tracebackhide__ = True
        start = f"{self.trial.example.modality.__name__}, {self.name}: "
        try:
            CHECKS[self.name](self.trial)
        except NotConforming as error:
            raise NotConforming(start + " ".join(str(error).split())) from None
        except unittest.SkipTest:
            raise
        except Exception as error:  # a plugin may fail in any way, and is told where
            said = " ".join(str(error).split())
            raise NotConforming(f"{start}the plugin raised {type(error).__name__}: {said}") from (
                error
            )


def bound(example: Example) -> list[BoundCheck]:
    """Return all checks of one example, which share its cohorts and evaluations.

    Raises
    ------
    UsageError
        The example expects a failure of a check that does not exist.
    """
    _known(example.expected_failures, f"{type(example).__name__}.expected_failures")
    trial = Trial(example)
    return [BoundCheck(name, trial) for name in CHECKS]


def check_modality(example: Example, only: Collection[str] | None = None) -> tuple[Outcome, ...]:
    """Run the checks of a modality plugin; none keeps the others from running.

    Parameters
    ----------
    example : Example
        Names the plugin and makes its cohorts.
    only : collection of str, optional
        Names of checks; all by default.

    Returns
    -------
    tuple of Outcome
        One for each check, in their order.

    Raises
    ------
    NotConforming
        At least one check failed that was not expected to, or passed that was expected to fail;
        the message lists all of them.
    UsageError
        There is no such check.
    """
    _known(only or (), "only")
    outcomes = [_outcome(c) for c in bound(example) if only is None or c.name in only]
    failed = [o for o in outcomes if o.state == "failed"]
    if failed:
        raise NotConforming(
            f"{example.modality.__name__} fails {len(failed)} of {len(outcomes)} checks:\n"
            + "\n".join(f"- {o.message}" for o in failed)
        )
    return tuple(outcomes)


def parametrize_with_checks(*examples: Example) -> pytest.MarkDecorator:
    """Return a decorator that makes a test for each check of each example.

    Parameters
    ----------
    *examples : Example

    Returns
    -------
    pytest.MarkDecorator
        Gives the decorated test the argument ``check``, to be called. A check that does not apply
        is skipped; an expected failure is a strict ``xfail`` with its reason.

    Examples
    --------
    In the test module of a plugin::

        @parametrize_with_checks(SpectraExample())
        def test_spectra_conform(check):
            check()
    """
    import pytest

    parameters = []
    for example in examples:
        for check in bound(example):
            reason = check.expected_failure
            marks: Sequence[pytest.MarkDecorator] = (
                ()
                if reason is None
                else (pytest.mark.xfail(reason=reason, raises=NotConforming, strict=True),)
            )
            name = f"{example.modality.__name__}-{check.name.removeprefix('check_')}"
            parameters.append(pytest.param(check, id=name, marks=marks))
    return pytest.mark.parametrize("check", parameters)


def _known(names: Collection[str], where: str) -> None:
    unknown = sorted(set(names) - set(CHECKS))
    if unknown:
        raise UsageError(f"{where}: {', '.join(unknown)} is no check (checks: {', '.join(CHECKS)})")


def _outcome(check: BoundCheck) -> Outcome:
    reason = check.expected_failure
    try:
        check()
    except unittest.SkipTest as error:
        return Outcome(check.name, "not applicable", str(error))
    except NotConforming as error:
        if reason is None:
            return Outcome(check.name, "failed", str(error))
        return Outcome(check.name, "failed as expected", reason)
    if reason is None:
        return Outcome(check.name, "passed")
    return Outcome(
        check.name,
        "failed",
        f"{check.name} passes, but is expected to fail ({reason}); take it out of "
        "expected_failures",
    )
