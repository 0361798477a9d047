"""Is the estimated share of memorised items near the planted one?

    python benchmarks/planted_shares.py [--runs 20] [--only imaging signals ehr]
        [--markdown docs/validity.md]

Cohorts are dealt out and written as `sdq calibrate` does; 0, 1, 5 and 20 % of the fresh items are
replaced by training items, as they are or disguised, and of the whole evaluation only the search
for copies is made. An estimate is near when it lies within 2 percentage points of the planted
share, or its interval holds that; with nothing planted it alarms when the lower limit is above 0.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from calibration import TITLES, studies
from markdown import printed, replace_measured
from threadpoolctl import threadpool_limits

from sdq_core.calibration.cases import seed_of
from sdq_core.calibration.dealing import Pool, deal, read_pool
from sdq_core.calibration.defect import Defect, Planter
from sdq_core.evaluate import load_study_profile, read_and_describe
from sdq_core.judging import judge
from sdq_core.measurement import Measurement
from sdq_core.modality import load_modality
from sdq_core.statistics.attack import binomial_interval
from sdq_core.study import Study
from sdq_core.vocabulary import Characteristic, Role, Verdict

SHARES = (0.0, 0.01, 0.05, 0.2)
NEAR = 0.02
PLANTS = {
    "imaging": ("copies-exact", "copies-mixed"),
    "signals": ("copies-exact", "copies-noised"),
    "ehr": ("exact-copies", "near-copies"),
}
MEASURE = "memorised_share"


@dataclass(frozen=True)
class Bench:
    """One study whose real items are dealt out."""

    study: Study
    pool: Pool
    planter: Planter
    store: Path

    def measured(self, seed: int, defect: Defect, share: float, folder: Path) -> Measurement:
        """Deal, write, plant, describe, and search for copies."""
        dealt, planter = deal(self.pool, seed), self.planter
        made = folder / "synthetic"
        if share:
            rng = np.random.default_rng(seed_of(self.study.seed, seed, defect.id))
            synthetic = planter.plant(defect, share, dealt.fresh, dealt.train, rng, made)
        else:
            synthetic = planter.write(dealt.fresh, made, synthetic=True)
        sources = {
            Role.TRAIN: planter.write(dealt.train, folder / "train", synthetic=False),
            Role.HOLDOUT: planter.write(dealt.holdout, folder / "holdout", synthetic=False),
            Role.SYNTHETIC: synthetic,
        }
        changed = {"cohorts": sources, "seed": seed_of(self.study.seed, "deal", seed)}
        described = read_and_describe(
            self.study.model_copy(update=changed), self.store, engine="serial", keep=False
        )
        privacy = next(
            c
            for c in described.modality.characteristics(described.study)
            if c.characteristic is Characteristic.PRIVACY
        )
        part = next(p for p in privacy.parts() if MEASURE in p.measures)
        return next(
            m
            for m in part.function(described.cohorts)
            if isinstance(m, Measurement) and m.id.endswith(MEASURE) and m.variant is None
        )


def rows(bench: Bench, name: str, runs: int) -> Iterator[str]:
    """Yield a row for each disguise and share."""
    profile = load_study_profile(bench.study)
    criterion = next(c for c in profile.criteria if c.id.endswith(MEASURE) and c.variant is None)
    known = {d.id: d for d in bench.planter.defects}
    for number, plant in enumerate(PLANTS[name]):
        for share in SHARES[bool(number) :]:  # nothing planted is the same for every disguise
            found = []
            for seed in range(runs):
                with tempfile.TemporaryDirectory() as folder:
                    found.append(bench.measured(seed, known[plant], share, Path(folder)))
            yield row(known[plant].title[0] if share else "nothing", share, found, criterion)


def row(title: str, share: float, found: list[Measurement], criterion) -> str:
    """One line of the table."""
    known = [(m.value, m.interval) for m in found if m.value is not None and m.interval]
    if len(known) < len(found):
        title += f" ({len(found) - len(known)} of {len(found)} not assessed)"
    values = np.array([v for v, _ in known])
    near = sum(bool(abs(v - share) <= NEAR or i.low <= share <= i.high) for v, i in known)
    held = sum(bool(i.low <= share <= i.high) for _, i in known)
    alarms = f"{sum(i.low > 0 for _, i in known)} of {len(known)}" if not share else "-"
    limits = binomial_interval(near, len(known))
    verdicts = [judge(m, criterion).verdict for m in found]
    counted = " / ".join(
        str(verdicts.count(v)) for v in (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL)
    )
    return (
        f"| {title} | {share:.0%} | {values.mean():.3f} ({values.min():.3f} to {values.max():.3f}) "
        f"| {near} of {len(known)} ({limits.low:.0%} to {limits.high:.0%}) | {held} | {alarms} "
        f"| {counted} |"
    )


def lines(names: list[str], runs: int, work: Path) -> Iterator[str]:
    """Yield the page's lines."""
    for name, study in studies(work / "data", quick=False):
        if name not in names:
            continue
        modality = load_modality(study.modality)
        study = modality.prepared(study)
        store = work / name / "store"
        pool = read_pool(study, modality, store)
        planter = modality.planter(study)
        assert planter is not None
        yield f"### {TITLES[name]}"
        yield ""
        yield (
            "| planted | share | estimate: mean (least to most) | near | interval holds it "
            "| alarms | pass / open / fail |"
        )
        yield "| --- | --- | --- | --- | --- | --- | --- |"
        yield from rows(Bench(study, pool, planter, store), name, runs)
        yield ""
        dealt = deal(pool, 0)
        yield (
            f"{runs} deals; in the first {len(dealt.train)} train, {len(dealt.holdout)} holdout "
            f"and {len(dealt.fresh)} fresh items."
        )
        yield ""


def main() -> None:
    """Measure, print, and put the tables into a page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=20, help="deals (default: 20)")
    parser.add_argument("--only", nargs="+", choices=list(PLANTS), default=list(PLANTS))
    parser.add_argument("--markdown", type=Path, help="page whose tables are replaced")
    asked = parser.parse_args()
    if asked.markdown and len(asked.only) < len(PLANTS):
        parser.error("--markdown: needs the whole run; leave out --only")
    with tempfile.TemporaryDirectory() as work, threadpool_limits(limits=1):
        found = printed(lines(asked.only, asked.runs, Path(work)))
    if asked.markdown:
        replace_measured(asked.markdown, found, "planted shares")


if __name__ == "__main__":
    main()
