"""The run: cases in parallel, within a budget, each kept as soon as it is done."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sdq_core.calibration.cases import Case, case_key
from sdq_core.calibration.model import CaseRecord
from sdq_core.calibration.recording import CarryOut, Outcome
from sdq_core.calibration.staging import removed, work_folder
from sdq_core.engines import Crashed, make_engine
from sdq_core.files import atomic_write
from sdq_core.hashing import canonical_json

__all__ = ["Run", "run_cases"]

Progress = Callable[[str, int, int], None]
_CRASHED = "ended the process that carried it out"


@dataclass(frozen=True)
class Run:
    """What became of the cases.

    Parameters
    ----------
    records : mapping of Case to CaseRecord
    left_out : tuple of Case
        For which the budget did not last.
    failed : mapping of Case to str
        With the reason.
    reused : int
        Records of an earlier run.
    """

    records: Mapping[Case, CaseRecord]
    left_out: tuple[Case, ...]
    failed: Mapping[Case, str]
    reused: int


def run_cases(
    cases: Sequence[Case],
    carry_out: CarryOut,
    out: Path,
    basis: Mapping[str, Any],
    *,
    engine: str = "processes",
    workers: int | None = None,
    progress: Progress | None = None,
) -> Run:
    """Carry out cases that no earlier run has carried out.

    Parameters
    ----------
    cases : sequence of Case
        In the order of their worth.
    carry_out : CarryOut
        Its work folder is set here.
    out : Path
        Records are kept in ``out / "records"``; dealt cohorts lie in a private folder in `out`
        and are gone when this returns or raises.
    basis : mapping
        See `case_key`.
    engine, workers
        As in `sdq_core.describe.describe`.
    progress : callable, optional

    Returns
    -------
    Run

    Raises
    ------
    StoreError
        Something cannot be written; what was kept stays usable.
    """
    chosen = make_engine(engine, workers)
    places = {case: out / "records" / f"{case_key(basis, case)}.json" for case in cases}
    records = {case: found for case in cases if (found := _kept(places[case])) is not None}
    reused = len(records)
    pending = [case for case in cases if case not in records]
    open_cases = Counter(case.seed for case in pending)
    left_out: list[Case] = []
    failed: dict[Case, str] = {}
    done = reused
    if progress is not None:
        progress("calibrate", done, len(cases))
    if not pending:
        return Run(records, (), {}, reused)
    with _ended_by_signal(), work_folder(out) as work:
        function = replace(carry_out, work=work)
        shards = [(case,) for case in pending]
        with closing(chosen.map(function, shards)) as mapped:
            for outcome in _outcomes(mapped):
                case = outcome.case
                if outcome.record is not None:
                    data = outcome.record.model_dump(mode="json")
                    atomic_write(places[case], canonical_json(data) + b"\n")
                    records[case] = outcome.record
                elif outcome.reason:
                    failed[case] = outcome.reason
                else:
                    left_out.append(case)
                open_cases[case.seed] -= 1
                if not open_cases[case.seed]:
                    removed(work / f"seed-{case.seed}")
                done += 1
                if progress is not None:
                    progress(f"calibrate: {_named(case)}", done, len(cases))
    order = {case: place for place, case in enumerate(cases)}
    return Run(
        {case: records[case] for case in cases if case in records},
        tuple(sorted(left_out, key=order.__getitem__)),
        {case: failed[case] for case in cases if case in failed},
        reused,
    )


def _outcomes(found: Iterator[list[Outcome] | Crashed[Case]]) -> Iterator[Outcome]:
    for outcome in found:
        if isinstance(outcome, Crashed):
            yield Outcome(outcome.element, None, _CRASHED)
        else:
            yield from outcome


def _kept(path: Path) -> CaseRecord | None:
    """Return the record of an earlier run; None where there is none that can be read."""
    try:
        return CaseRecord.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _named(case: Case) -> str:
    if case.defect is None:
        return f"fresh, seed {case.seed}"
    return f"{case.defect} {case.severity:g}, seed {case.seed}"


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that no copy of real data stays behind."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread only
        return

    def stop(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
