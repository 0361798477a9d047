"""Does copy detection find planted copies, and does it leave clean data alone?

    python benchmarks/copies.py --data DIR [--seeds 5] [--only PART ...] [--markdown PAGE]

DIR holds `nih_cxr128` (images.npz, images.csv), `mednist64` (train.npz, control.npz) and
`mednist32_generated` (members.npz and one .npz for each generator). Every figure but those of
time is a function of the data and the seeds.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from markdown import printed, replace_measured
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit
from scipy.stats import rankdata

from sdq_core.judging import judge
from sdq_core.measurement import Interval, Measurement
from sdq_core.modality import load_modality
from sdq_core.profiles import Criterion, load_profile
from sdq_core.statistics import attack_curve
from sdq_core.statistics.copies import (
    MemorisationResult,
    copy_scores,
    membership_scores,
    memorised,
)
from sdq_core.statistics.nearest_reference import nearest_is_train
from sdq_core.vocabulary import Verdict
from sdq_imaging.copies import REGISTRATION
from sdq_imaging.disguises import Disguise, disguised
from sdq_imaging.registration import best_matches
from sdq_imaging.signature import signature

Array = NDArray[Any]
VERDICTS = (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL)
WEAK = [(d, 1.0) for d in get_args(Disguise)]
STRONG = [(d, 2.0) for d in get_args(Disguise) if d not in ("exact", "flip")]


def signatures(images: Array) -> Array:
    """Signatures of images, none of which is constant."""
    return np.stack([signature(x) for x in images.astype(np.float32)]).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Split:
    """Real images of three roles; the fresh ones stand in for a synthetic cohort."""

    train: Array
    holdout: Array
    fresh: Array
    train_subjects: Array | None = None
    holdout_subjects: Array | None = None

    def planted(self, share: float, disguise: Disguise, seed: int, strength: float = 1) -> Planted:
        """The fresh sample, some of it replaced by disguised training images."""
        rng = np.random.default_rng(seed)
        images = self.fresh.copy()
        n = max(1, round(share * len(images)))
        rows = rng.choice(len(images), n, replace=False)
        sources = rng.choice(len(self.train), n, replace=n > len(self.train))
        for row, source in zip(rows, sources, strict=True):
            images[row] = disguised(self.train[source], disguise, rng, width=255, strength=strength)
        return Planted(signatures(images), dict(zip(rows.tolist(), sources.tolist(), strict=True)))

    def memorised(self, synthetic: Array) -> MemorisationResult:
        return memorised(
            synthetic,
            signatures(self.train),
            signatures(self.holdout),
            search=REGISTRATION,
            train_subjects=self.train_subjects,
            holdout_subjects=self.holdout_subjects,
        )


@dataclass(frozen=True, eq=False)
class Planted:
    """Signatures, and for each planted row the training row that it copies."""

    signatures: Array
    source: dict[int, int]

    @property
    def share(self) -> float:
        return len(self.source) / len(self.signatures)


@dataclass(frozen=True, eq=False)
class Pool:
    """Real images that are dealt out by subject where subjects are known."""

    name: str
    images: Array
    subjects: Array | None
    sizes: tuple[int, int, int]

    def dealt(self, seed: int) -> Split:
        groups = np.arange(len(self.images)) if self.subjects is None else self.subjects
        parts: list[list[int]] = [[], [], []]
        for group in np.random.default_rng(seed).permutation(np.unique(groups)):
            part = next((p for p, n in zip(parts, self.sizes, strict=True) if len(p) < n), None)
            if part is None:
                break
            part += np.flatnonzero(groups == group).tolist()
        rows = [np.array(p) for p in parts]
        known = [None, None] if self.subjects is None else [self.subjects[r] for r in rows[:2]]
        return Split(*(self.images[r] for r in rows), *known)


def pools(data: Path) -> tuple[Pool, Pool, Pool]:
    """Chest radiographs; MedNIST with blocks of file numbers as subjects, and with none known."""
    with (data / "nih_cxr128/images.csv").open() as file:
        patients = np.array([row["patient"] for row in csv.DictReader(file)])
    radiographs = np.load(data / "nih_cxr128/images.npz")["images"]
    parts = [np.load(data / f"mednist64/{n}.npz") for n in ("train", "control")]
    images = np.concatenate([p["images"] for p in parts])
    names = np.concatenate([p["name"] for p in parts])
    blocks = np.array([f"{n.split('/')[0]}/{int(Path(n).stem) // 50}" for n in names])
    varied = images.reshape(len(images), -1).std(1) > 0  # constant images have no signature
    images, blocks = images[varied], blocks[varied]
    return (
        Pool("chest radiographs", radiographs, patients, (250, 160, 300)),
        Pool("MedNIST, blocks of files as subjects", images, blocks, (600, 300, 300)),
        Pool("MedNIST, subjects unknown", images, None, (600, 300, 300)),
    )


def criteria() -> dict[str, Criterion]:
    modality = load_modality("imaging")
    profile = load_profile(
        "default", modality.profile_folder(), "imaging", modality.default_profile
    )
    return {c.id.split(".")[-1]: c for c in profile.criteria if ".privacy." in c.id}


def verdict(
    measure: str, value: float, interval: Interval, n: int, rules: dict[str, Criterion]
) -> Verdict | None:
    """What the default profile says of a value."""
    id_ = f"imaging.privacy.{measure}"
    measurement = Measurement(id_, value, interval=interval, n={"synthetic": n})
    return judge(measurement, rules[measure]).verdict


def tally(found: list[Verdict | None]) -> str:
    counts = Counter(found)
    return " / ".join(str(counts[v]) for v in VERDICTS)


def share_verdict(m: MemorisationResult, rules: dict[str, Criterion]) -> Verdict | None:
    return verdict("memorised_share", m.share, m.interval, len(m.scores), rules)


def auc_verdict(
    split: Split, synthetic: Array, rules: dict[str, Criterion]
) -> tuple[float, Verdict | None]:
    curve = attack_curve(
        membership_scores(signatures(split.train), synthetic, search=REGISTRATION),
        membership_scores(signatures(split.holdout), synthetic, search=REGISTRATION),
        groups_member=split.train_subjects,
        groups_nonmember=split.holdout_subjects,
    )
    n = min(len(split.train), len(split.holdout))
    return curve.auc, verdict("membership_auc", curve.auc, curve.auc_interval, n, rules)


def planted_copies(data: Path, seeds: int) -> Iterator[str]:
    yield "### Planted copies in a fresh real sample"
    yield ""
    yield (
        "x2: the disguise at twice its strength. Detected: share of the planted copies above the "
        "threshold with the right training image named. False: other items above it, mean of a "
        "run. Share: mean estimate. Covered: runs whose interval holds the planted share. Verdict "
        "of `memorised_share`: runs with pass / inconclusive / fail."
    )
    yield ""
    yield "| data | planted | disguise | detected | false | share | covered | p < 0.05 | verdict |"
    yield "|---|---|---|---|---|---|---|---|---|"
    rules = criteria()
    few: list[tuple[Disguise, float]] = [("exact", 1), ("shift", 1), ("rotate", 1), ("mixed", 1)]
    radiographs, blocks, unknown = pools(data)
    plans = [(radiographs, 0.1, c) for c in WEAK + STRONG]
    plans += [(radiographs, 0.01, c) for c in few]
    plans += [(pool, 0.1, c) for pool in (blocks, unknown) for c in few]
    for pool, share, (disguise, strength) in plans:
        hits, false, estimates, inside, small, verdicts = [], [], [], 0, 0, []
        for seed in range(seeds):
            split = pool.dealt(seed)
            made = split.planted(share, disguise, 1000 + seed, strength)
            m = split.memorised(made.signatures)
            right = sum(made.source.get(s.row) == s.train_row for s in m.suspects)
            hits.append(right / len(made.source))
            false.append(sum(s.row not in made.source for s in m.suspects))
            estimates.append(m.share)
            inside += m.interval.low <= made.share <= m.interval.high
            small += m.p_value < 0.05
            verdicts.append(share_verdict(m, rules))
        name = f"{disguise} x{strength:g}" if strength != 1 else disguise
        yield (
            f"| {pool.name} | {share:.0%} | {name} | {np.mean(hits):.0%} | {np.mean(false):.1f} | "
            f"{np.mean(estimates):.3f} | {inside}/{seeds} | {small}/{seeds} | {tally(verdicts)} |"
        )


def clean_samples(data: Path, seeds: int) -> Iterator[str]:
    runs = 4 * seeds
    yield "### Fresh real samples as if they were synthetic"
    yield ""
    yield (
        f"{runs} splits each. Noticed: mean share of the planted control copies above the "
        "threshold. Verdicts: runs with pass / inconclusive / fail. Nearest is train: mean share, "
        "and runs with p < 0.05."
    )
    yield ""
    yield (
        "| data | items above the threshold, expected | p < 0.05 | largest lower limit | noticed "
        "| `memorised_share` | membership AUC, mean | `membership_auc` | nearest is train |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    rules = criteria()
    for pool in pools(data):
        found, aucs, near = [], [], []
        for seed in range(runs):
            split = pool.dealt(100 + seed)
            fresh = signatures(split.fresh)
            found.append(split.memorised(fresh))
            aucs.append(auc_verdict(split, fresh, rules))
            near.append(
                nearest_is_train(
                    fresh,
                    signatures(split.train),
                    signatures(split.holdout),
                    search=REGISTRATION,
                    train_subjects=split.train_subjects,
                    holdout_subjects=split.holdout_subjects,
                )
            )
        yield (
            f"| {pool.name} | {sum(m.flagged for m in found)}, "
            f"{sum(m.expected for m in found):.0f} | "
            f"{sum(m.p_value < 0.05 for m in found)}/{runs} | "
            f"{max(m.interval.low for m in found):.3f} | "
            f"{np.mean([m.sensitivity.centre for m in found]):.0%} | "
            f"{tally([share_verdict(m, rules) for m in found])} | "
            f"{np.mean([a for a, _ in aucs]):.3f} | {tally([v for _, v in aucs])} | "
            f"{np.mean([n.share for n in near]):.3f}, "
            f"{sum(n.p_value < 0.05 for n in near)}/{runs} |"
        )


def membership(data: Path, seeds: int) -> Iterator[str]:
    yield "### Membership attack (chest radiographs, copies in the disguise `mixed`)"
    yield ""
    yield (
        "Copied: mean share of the training images of which there is a copy. 0.5 + half of it is "
        "the AUC of an attack that knows these and nothing else."
    )
    yield ""
    yield "| synthetic items that are copies | copied | AUC | pass / inconclusive / fail |"
    yield "|---|---|---|---|"
    rules, pool = criteria(), pools(data)[0]
    for share in (0.1, 0.3, 1.0):
        aucs, copied = [], []
        for seed in range(seeds):
            split = pool.dealt(seed)
            made = split.planted(share, "mixed", 2000 + seed)
            copied.append(len(set(made.source.values())) / len(split.train))
            aucs.append(auc_verdict(split, made.signatures, rules))
        yield (
            f"| {share:.0%} | {np.mean(copied):.0%} | {np.mean([a for a, _ in aucs]):.3f} | "
            f"{tally([v for _, v in aucs])} |"
        )


def generators(data: Path) -> Iterator[str]:
    yield "### Generators that are not known to memorise (MedNIST, 32 x 32)"
    yield ""
    yield (
        "Verdicts of `memorised_share` and `membership_auc`; in the last row a tenth of the "
        "GAN's images is replaced by training images in the disguise `mixed`."
    )
    yield ""
    yield (
        "| generator | items | flagged | expected | share | interval | p | noticed | verdict "
        "| nearest is train (null) | p | membership AUC | verdict |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    folder, rules = data / "mednist32_generated", criteria()
    members = np.load(folder / "members.npz")["images"]
    control = np.load(data / "mednist64/control.npz")
    outside = control["images"][control["label"] >= 2].reshape(-1, 32, 2, 32, 2).mean((2, 4))
    varied = [x[x.reshape(len(x), -1).std(1) > 0] for x in (members, outside)]
    made = {p.stem: np.load(p)["images"] for p in sorted(folder.glob("*.npz"))}
    del made["members"]
    sets = {n: signatures(x[x.reshape(len(x), -1).std(1) > 0]) for n, x in made.items()}
    leaky = Split(*varied, made["gan_100"])
    sets["gan_100, 10 % copies"] = leaky.planted(0.1, "mixed", 0).signatures
    for name, synthetic in sets.items():
        m = leaky.memorised(synthetic)
        near = nearest_is_train(
            synthetic,
            signatures(leaky.train),
            signatures(leaky.holdout),
            search=REGISTRATION,
        )
        auc, word = auc_verdict(leaky, synthetic, rules)
        yield (
            f"| {name} | {len(synthetic)} | {m.flagged} | {m.expected:.1f} | {m.share:.3f} | "
            f"{m.interval.low:.3f} .. {m.interval.high:.3f} | {m.p_value:.2g} | "
            f"{m.sensitivity.centre:.0%} | {share_verdict(m, rules)} | {near.share:.3f} "
            f"({near.null.low:.3f} .. {near.null.high:.3f}) | {near.p_value:.2g} | {auc:.3f} | "
            f"{word} |"
        )


def phantom(rng: np.random.Generator, side: int = 96) -> Array:
    """A body, two lungs, a heart, vessels and grain, 0..255; no two are alike."""
    y, x = (np.mgrid[:side, :side] + 0.5) / side - 0.5

    def ellipse(cy: float, cx: float, ry: float, rx: float, soft: float = 0.15) -> Array:
        cy, cx = (c + rng.normal(0, 0.015) for c in (cy, cx))
        ry, rx = (r * rng.uniform(0.88, 1.12) for r in (ry, rx))
        return expit((1 - ((y - cy) / ry) ** 2 - ((x - cx) / rx) ** 2) / soft)

    image = 0.75 * ellipse(0, 0, 0.42, 0.44)
    image -= 0.5 * ellipse(0, -0.2, 0.27, 0.13) + 0.5 * ellipse(0, 0.2, 0.27, 0.13)
    image += 0.3 * ellipse(0.08, 0.05, 0.13, 0.11)
    for _ in range(14):
        image += rng.uniform(0.05, 0.25) * ellipse(*rng.uniform(-0.25, 0.25, 2), 0.02, 0.025, 0.5)
    grain = ndimage.gaussian_filter(rng.standard_normal((side, side)), 0.7)
    return 255 * np.clip(image + 0.03 * grain + 0.1, 0, 1)


def phantoms(seeds: int) -> Iterator[str]:
    yield "### Phantoms: a copy against a new image"
    yield ""
    yield (
        "AUC of the score for 60 disguised copies of 60 training phantoms against 60 new ones, "
        "smallest of the seeds; beside it that of the plain correlation of signatures, which "
        "registers nothing."
    )
    yield ""
    yield "| disguise | copy score | correlation without registration |"
    yield "|---|---|---|"
    for disguise, strength in WEAK + STRONG:
        ours, plain = [], []
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            train, new = ([phantom(rng) for _ in range(60)] for _ in range(2))
            copies = [disguised(x, disguise, rng, width=255, strength=strength) for x in train]
            t, n, c = (signatures(np.stack(x)) for x in (train, new, copies))
            ours.append(auc(*(copy_scores(best_matches(x, t), REGISTRATION.floor) for x in (c, n))))
            a, b, r = (x.reshape(len(x), -1) for x in (c, n, t))
            plain.append(auc((a @ r.T).max(1), (b @ r.T).max(1)))
        name = f"{disguise} x{strength:g}" if strength != 1 else disguise
        yield f"| {name} | {min(ours):.3f} | {min(plain):.3f} |"


def auc(positive: Array, negative: Array) -> float:
    ranks = rankdata(np.concatenate([positive, negative]))[: len(positive)]
    wins = ranks.sum() - len(positive) * (len(positive) + 1) / 2
    return float(wins / len(positive) / len(negative))


def speed() -> Iterator[str]:
    yield "### Cost of `best_matches`, CPU seconds"
    yield ""
    yield "| queries | references | side | seconds |"
    yield "|---|---|---|---|"
    rng = np.random.default_rng(0)
    for n, m, shape in (
        (300, 600, (64, 64)),
        (300, 2400, (64, 64)),
        (600, 600, (64, 64)),
        (50, 100, (24,) * 3),
    ):
        query, reference = (rng.standard_normal((k, *shape)).astype(np.float32) for k in (n, m))
        start = time.process_time()
        best_matches(query, reference)
        yield f"| {n} | {m} | {' x '.join(map(str, shape))} | {time.process_time() - start:.1f} |"


def main() -> None:
    """Run the parts, print their tables and put them into a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--markdown", type=Path, help="page whose measured part is replaced")
    names = ["phantoms", "planted", "clean", "membership", "generators", "speed"]
    parser.add_argument("--only", choices=names, nargs="+", default=names)
    args = parser.parse_args()
    parts = {
        "phantoms": lambda: phantoms(args.seeds),
        "planted": lambda: planted_copies(args.data, args.seeds),
        "clean": lambda: clean_samples(args.data, args.seeds),
        "membership": lambda: membership(args.data, args.seeds),
        "generators": lambda: generators(args.data),
        "speed": speed,
    }
    lines: list[str] = []
    for name in args.only:
        lines += [*printed(parts[name]()), ""]
    if args.markdown:
        replace_measured(args.markdown, lines)


if __name__ == "__main__":
    main()
