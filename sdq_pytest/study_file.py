"""A study file as a test file: one test for each criterion of its profile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sdq_core.errors import SdqError
from sdq_core.profiles import Criterion, Profile
from sdq_core.result import MeasurementModel, Result
from sdq_core.study import Study
from sdq_pytest.evaluating import evaluated, folder_of, opened, plainly
from sdq_pytest.lines import line, properties
from sdq_pytest.settling import Settled, settle

__all__ = ["CriterionItem", "StudyFile", "judged_by"]


class StudyFile(pytest.Module):
    """A study file. A module in name only, as pytest's own text files are: fixtures need one."""

    obj = None
    _result: Result | None = None

    def collect(self) -> Iterator[CriterionItem]:
        """Yield one test for each criterion; nothing is evaluated yet."""
        try:
            study, _, profile = opened(self.config, self.path.resolve())
        except SdqError as error:
            raise self.CollectError(str(error)) from None
        for criterion in profile.criteria:
            yield CriterionItem.from_parent(
                self, name=_name(criterion), criterion=criterion, study=study, profile=profile
            )

    def result(self, study: Study, temporary: pytest.TempPathFactory) -> Result:
        """Return the study's result; only the first test asks for it further on."""
        if self._result is None:
            self._result = evaluated(self.config, temporary, study)
        return self._result


class CriterionItem(pytest.Function):
    """One criterion.

    Parameters
    ----------
    criterion : Criterion
    study : Study
    profile : Profile
        That the criterion belongs to.
    """

    def __init__(
        self, *, criterion: Criterion, study: Study, profile: Profile, **given: Any
    ) -> None:
        super().__init__(callobj=_judge, **given)
        self.criterion = criterion
        self.study = study
        self.profile = profile
        self.add_marker("sdq")

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Name the study file, not the function that all criteria share."""
        return self.path, None, self.name


def _judge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    item: CriterionItem = request.node
    file: StudyFile = item.parent  # type: ignore[assignment]
    with plainly():
        result = file.result(item.study, tmp_path_factory)
        found = judged_by(item.criterion, item.profile, result)
        item.user_properties.extend(p for m in found for p in properties(m))
        folder = folder_of(item.config, result)
        settled = [
            Settled(m.verdict, line(m, folder), mandatory=item.criterion.mandatory) for m in found
        ]
    settle(item.config, settled, nothing=f"{item.name}: does not apply to this kind of data")


def judged_by(criterion: Criterion, profile: Profile, result: Result) -> list[MeasurementModel]:
    """Return the measurements of a result that one criterion judges, as `judge_all` deals them.

    Parameters
    ----------
    criterion : Criterion
    profile : Profile
        A criterion of one variant goes before the one of all variants.
    result : Result

    Returns
    -------
    list of MeasurementModel
        Those that do not apply to the data have no verdict.
    """
    if criterion.variant is not None:
        return [
            m for m in result.measurements if (m.id, m.variant) == (criterion.id, criterion.variant)
        ]
    own = {c.variant for c in profile.criteria if c.id == criterion.id and c is not criterion}
    apart = own | set(criterion.except_variants)
    return [
        m
        for m in result.measurements
        if m.id == criterion.id and (m.variant is None or m.variant not in apart)
    ]


def _name(criterion: Criterion) -> str:
    return criterion.id if criterion.variant is None else f"{criterion.id}[{criterion.variant}]"
