"""Tables of `benchmarks/signals_validity.py`: verdicts, what decided them, and p-values."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sdq_core.judging import Judgement
from sdq_core.measurement import Measurement
from sdq_core.vocabulary import Characteristic, Verdict
from sdq_signals.defects import Sample

FIDELITY, BALANCE, COMPLETENESS, METADATA, PRIVACY = (
    Characteristic.FIDELITY, Characteristic.BALANCE, Characteristic.COMPLETENESS,
    Characteristic.METADATA, Characteristic.PRIVACY,
)  # fmt: skip
JUDGED = (FIDELITY, BALANCE, COMPLETENESS, METADATA, PRIVACY)
VERDICTS = (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL)

Change = Callable[[Sample, Sample, np.random.Generator], Sample]


@dataclass(frozen=True)
class Case:
    """A defect, and all that must fail because of it."""

    name: str
    must_fail: tuple[Characteristic, ...]
    change: Change | None = None
    options: dict[str, float] | None = None
    seconds: float = 10.0


@dataclass(frozen=True)
class Outcome:
    """What an evaluation of one case and one seed said."""

    verdicts: dict[Characteristic, Verdict]
    deciding: list[tuple[str, str, str]]
    """Measure, verdict, and value with interval and limit, of all that did not pass."""
    p: dict[str, float]


def short(m: Measurement) -> str:
    """Name of a measure and its variant."""
    name = m.id.split(".")[-1]
    return f"{name} ({m.variant})" if m.variant else name


def deciding(j: Judgement) -> tuple[str, str, str] | None:
    """Return measure, verdict and figures of what did not pass, or None."""
    m = j.measurement
    if m is None or m.value is None or j.verdict in (None, Verdict.PASS):
        return None
    interval = "" if m.interval is None else f" [{m.interval.low:.3g}, {m.interval.high:.3g}]"
    limits = [f"{word} {b:.3g}" for word, b in (("below", j.low), ("above", j.high))
              if b is not None]  # fmt: skip
    return short(m), str(j.verdict), f"{m.value:.3g}{interval}, fails {' or '.join(limits)}"


def case_tables(
    title: str, cases: Sequence[Case], runs: Sequence[list[tuple[str, Outcome]]]
) -> Iterator[str]:
    """Tables of verdicts, of what decided them, and of p-values."""
    collected: dict[str, list[Outcome]] = defaultdict(list)
    for run in runs:
        for name, one in run:
            collected[name].append(one)
    yield f"### {title}"
    yield ""
    yield f"Verdicts over {len(runs)} seeds, as pass / open / fail."
    yield ""
    yield f"| case | must fail | {' | '.join(str(c) for c in JUDGED)} |"
    yield "| --- " * (2 + len(JUDGED)) + "|"
    missed = []
    for case in cases:
        if case.name not in collected:
            continue
        found = collected[case.name]
        cells = []
        for c in JUDGED:
            failed = sum(o.verdicts[c] is Verdict.FAIL for o in found)
            cells.append(counted(found, c))
            if c in case.must_fail and failed < len(found):
                missed.append(f"{case.name}: {c} {failed} of {len(found)}")
            if not case.must_fail and failed:
                missed.append(f"{case.name}: {c} failed in {failed}")
        must = ", ".join(str(c) for c in case.must_fail) or "none"
        yield f"| {case.name} | {must} | {' | '.join(cells)} |"
    yield ""
    yield f"Missed: {'; '.join(missed) or 'nothing'}."
    yield ""
    yield "What did not pass (at most four), in how many seeds, with the figures of the first;"
    yield "tests that reject at 5 % in every seed, or the test of smallest median p."
    yield ""
    yield "| case | not passed | tests |"
    yield "| --- | --- | --- |"
    for case in cases:
        if case.name in collected:
            found = collected[case.name]
            yield f"| {case.name} | {reasons(found, 4)} | {tests(found)} |"
    yield ""


def counted(found: Sequence[Outcome], c: Characteristic) -> str:
    """Count the verdicts of a characteristic."""
    count = Counter(o.verdicts[c] for o in found)
    words = " / ".join(str(count[v]) for v in VERDICTS)
    missing = count[Verdict.NOT_ASSESSED]
    if missing == len(found):
        return "-"
    return f"{words}, {missing} not assessed" if missing else words


def reasons(found: Sequence[Outcome], most: int | None = None) -> str:
    """Say which measures failed how often, and which were left open; at most so many."""
    counts: Counter[tuple[str, str]] = Counter()
    figures: dict[tuple[str, str], str] = {}
    for one in found:
        for measure, verdict, text in one.deciding:
            counts[measure, verdict] += 1
            figures.setdefault((measure, verdict), text)
    order = sorted(counts, key=lambda k: (k[1] != "fail", -counts[k], k))[:most]
    return "; ".join(
        f"{m} {'open ' if v != 'fail' else ''}{counts[m, v]}x ({figures[m, v]})" for m, v in order
    )


def tests(found: Sequence[Outcome]) -> str:
    """Name the tests that reject at 5 % in every seed, or else the smallest median p."""
    names = [k for k in found[0].p if all(k in o.p for o in found)]
    if not names:
        return "-"
    worst = {k: max(o.p[k] for o in found) for k in names}
    always = [k for k in names if worst[k] < 0.05]
    if always:
        return "reject: " + ", ".join(always)
    median = {k: float(np.median([o.p[k] for o in found])) for k in names}
    best = min(median, key=lambda k: median[k])
    return f"median {median[best]:.3f}: {best}"


def fresh_table(found: Sequence[Outcome]) -> Iterator[str]:
    """Verdicts on fresh real samples, and how often tests reject."""
    shown = (FIDELITY, BALANCE, COMPLETENESS)
    yield "### PTB-XL: fresh real samples"
    yield ""
    yield f"Verdicts over {len(found)} splits of 660 records of 660 patients: pass / open / fail."
    yield ""
    yield f"| {' | '.join(str(c) for c in shown)} | tests with p < 0.05 |"
    yield "| --- " * (1 + len(shown)) + "|"
    cells = [counted(found, c) for c in shown]
    yield f"| {' | '.join(cells)} | {rejection(found):.1%} |"
    yield ""
    yield f"Not passed: {reasons(found) or 'nothing'}."
    yield ""


def rejection(found: Sequence[Outcome]) -> float:
    """Share of p-values below 5 %."""
    return float(np.mean([p < 0.05 for o in found for p in o.p.values()]))


def segment_table(found: Sequence[tuple[Outcome, Outcome]]) -> Iterator[str]:
    """How often tests reject at 5 %, with persons told and without."""
    yield "### MIT-BIH: 20 segments a person, 22 persons"
    yield ""
    yield f"Real against real over {len(found)} splits of the persons: share of p-values below 5 %,"
    yield "and verdicts of fidelity (pass / open / fail)."
    yield ""
    yield "| test | persons told | segments taken as independent |"
    yield "| --- | --- | --- |"
    sides = [[pair[k] for pair in found] for k in (0, 1)]
    for name in sides[0][0].p:
        cells = [
            f"{np.mean([o.p[name] < 0.05 for o in side if name in o.p]):.1%}" for side in sides
        ]
        yield f"| {name} | {' | '.join(cells)} |"
    yield f"| **all** | {' | '.join(f'**{rejection(side):.1%}**' for side in sides)} |"
    yield f"| verdict of fidelity | {' | '.join(counted(side, FIDELITY) for side in sides)} |"
    yield ""
    yield f"Not passed with persons told: {reasons(sides[0]) or 'nothing'}."
    yield ""
