"""What verdicts do to a test."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from sdq_core.vocabulary import Verdict

__all__ = ["SdqInconclusive", "Settled", "settle"]


class SdqInconclusive(pytest.PytestWarning):
    """A mandatory criterion is neither met nor broken, and the configuration lets it pass."""

    __module__ = "sdq_pytest"


@dataclass(frozen=True, slots=True)
class Settled:
    """One verdict and the line that says it.

    Parameters
    ----------
    verdict : Verdict or None
        None: the measure does not apply to the data.
    line : str
    mandatory : bool
    """

    verdict: Verdict | None
    line: str
    mandatory: bool = True


def settle(config: pytest.Config, found: Sequence[Settled], *, nothing: str) -> None:
    """Pass, fail or skip the running test, by the same rule as the exit code of ``sdq evaluate``.

    What fails, fails. What is inconclusive or not assessed does what ``sdq_inconclusive`` says
    where it is mandatory; where it is not, the test is skipped, and passes beside others that
    pass.

    Parameters
    ----------
    config : Config
    found : sequence of Settled
    nothing : str
        Why the test is skipped when there is no verdict at all.
    """
    __tracebackhide__ = True
    judged = [s for s in found if s.verdict is not None]
    if not judged:
        pytest.skip(nothing)
    failed = [s.line for s in judged if s.verdict is Verdict.FAIL]
    unclear = [s for s in judged if s.verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_ASSESSED)]
    needed = [s.line for s in unclear if s.mandatory]
    mode = config.getini("sdq_inconclusive")
    if failed or (needed and mode == "fail"):
        pytest.fail("\n".join((*failed, *(needed if mode == "fail" else ()))), pytrace=False)
    if needed and mode == "skip":
        pytest.skip("\n".join(needed))
    if needed:
        warnings.warn(SdqInconclusive("\n".join(needed)), stacklevel=2)
    elif len(unclear) == len(judged):
        pytest.skip("\n".join(s.line for s in unclear))
