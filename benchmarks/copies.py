"""Does copy detection find planted copies, and does it leave clean data alone?

    python benchmarks/copies.py --data DIR [--seeds 5] [--markdown docs/copy_detection.md]

DIR holds `nih_cxr128` (images.npz, images.csv), `mednist64` (train.npz, control.npz) and
`mednist32_generated` (members.npz and one .npz for each generator). Splits are by patient where
patients are known. Every figure is a function of the data and the seeds.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import rankdata

from sdq_imaging.copies import membership_scores, memorised, nearest_is_train
from sdq_imaging.registration import best_matches
from sdq_imaging.signature import signature

Array = NDArray[np.float32]
Disguise = Callable[[Array, np.random.Generator], Array]

CLEAN_HEAD = (
    "| data | seed | items | flagged | expected | share | interval | p "
    "| nearest is train (null) | p | membership AUC |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
)
START, END = "<!-- measured: start -->", "<!-- measured: end -->"


def signatures(images: NDArray[np.generic]) -> Array:
    """Signatures of images, none of which is constant."""
    return np.stack([signature(x) for x in images.astype(np.float32)]).astype(np.float32)


def _varied(images: NDArray[np.generic]) -> NDArray[np.generic]:
    """Leave out constant images: they have no signature."""
    return np.asarray(images[images.reshape(len(images), -1).std(1) > 0])


# Disguises of an image with values 0..255. What comes in from outside the image is black.


def exact(x: Array, _: np.random.Generator) -> Array:
    return x


def flip(x: Array, _: np.random.Generator) -> Array:
    return x[:, ::-1]


def shift(x: Array, rng: np.random.Generator, most: float = 0.08) -> Array:
    return np.asarray(ndimage.shift(x, rng.uniform(-most, most, 2) * len(x), order=1))


def rotate(x: Array, rng: np.random.Generator) -> Array:
    return np.asarray(
        ndimage.rotate(x, rng.choice([-1, 1]) * rng.uniform(3, 5), reshape=False, order=1)
    )


def zoom(x: Array, rng: np.random.Generator) -> Array:
    factor, centre = rng.uniform(0.94, 1.06), (len(x) - 1) / 2
    return np.asarray(
        ndimage.affine_transform(x, [1 / factor] * 2, offset=centre - centre / factor, order=1)
    )


def gamma(x: Array, rng: np.random.Generator) -> Array:
    return np.asarray(255 * (np.clip(x, 0, 255) / 255) ** rng.choice([0.6, 0.75, 1.35, 1.7]))


def window(x: Array, rng: np.random.Generator) -> Array:
    low, high = rng.uniform(10, 50), rng.uniform(190, 240)
    return np.asarray(255 * np.clip((x - low) / (high - low), 0, 1))


def blur(x: Array, rng: np.random.Generator) -> Array:
    return np.asarray(ndimage.gaussian_filter(x, len(x) / 64 * rng.uniform(0.7, 1.5)))


def noise(x: Array, rng: np.random.Generator) -> Array:
    return np.asarray(np.clip(x + rng.standard_normal(x.shape) * rng.uniform(8, 20), 0, 255))


def mixed(x: Array, rng: np.random.Generator) -> Array:
    x = flip(x, rng) if rng.random() < 0.5 else x
    x = shift(x, rng, 0.05)
    x = ndimage.rotate(x, rng.uniform(-4, 4), reshape=False, order=1)
    return noise(blur(gamma(x, rng), rng), rng)


DISGUISES: dict[str, Disguise] = {
    f.__name__: f for f in (exact, flip, shift, rotate, zoom, gamma, window, blur, noise, mixed)
}


class Radiographs:
    """Chest radiographs split by patient into train, holdout and a fresh real sample."""

    def __init__(self, data: Path, seed: int, n_train: int = 250, n_holdout: int = 160) -> None:
        with (data / "nih_cxr128/images.csv").open() as file:
            self.patient = np.array([row["patient"] for row in csv.DictReader(file)])
        self.images = np.load(data / "nih_cxr128/images.npz")["images"].astype(np.float32)
        order = np.random.default_rng(seed).permutation(np.unique(self.patient))
        parts: list[list[int]] = [[], [], []]
        for patient in order:
            rows = np.flatnonzero(self.patient == patient).tolist()
            part = 0 if len(parts[0]) < n_train else 1 if len(parts[1]) < n_holdout else 2
            parts[part] += rows
        self.train, self.holdout, self.fresh = (np.array(p) for p in parts)

    def planted(self, share: float, disguise: str, seed: int) -> tuple[Array, NDArray[np.bool_]]:
        """The fresh sample, some of it replaced by disguised training images."""
        rng = np.random.default_rng(seed)
        images = self.images[self.fresh].copy()
        n = max(1, round(share * len(images)))
        places = rng.choice(len(images), n, replace=False)
        for place, source in zip(places, rng.choice(self.train, n, replace=False), strict=True):
            images[place] = DISGUISES[disguise](self.images[source], rng)
        truth = np.zeros(len(images), bool)
        truth[places] = True
        return signatures(images), truth


def auc(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    ranks = rankdata(np.concatenate([positive, negative]))[: len(positive)]
    wins = ranks.sum() - len(positive) * (len(positive) + 1) / 2
    return float(wins / len(positive) / len(negative))


def planted_copies(data: Path, seeds: int) -> Iterator[str]:
    yield "### Planted copies in a fresh real sample (chest radiographs)"
    yield ""
    yield (
        "Detected: share of the planted copies above the threshold with the right training image "
        "named; false: other items above it (mean a run); share: mean estimate; covered: runs in "
        "which the interval holds the planted share; p: median, and runs with p < 0.05."
    )
    yield ""
    yield "| planted | disguise | detected | false | share | covered | p median | p < 0.05 |"
    yield "|---|---|---|---|---|---|---|---|"
    splits = [Radiographs(data, s) for s in range(seeds)]
    real = [signatures(r.images) for r in splits[:1]] * seeds
    cases = [(0.1, d) for d in DISGUISES] + [
        (0.01, d) for d in ("exact", "shift", "rotate", "mixed")
    ]
    for share, disguise in cases:
        rows = []
        for seed, (r, s) in enumerate(zip(splits, real, strict=True)):
            synthetic, truth = r.planted(share, disguise, 1000 + seed)
            result = memorised(
                synthetic,
                s[r.train],
                s[r.holdout],
                train_subjects=r.patient[r.train],
                holdout_subjects=r.patient[r.holdout],
            )
            flagged = np.array([x.row for x in result.suspects], int)
            rng = np.random.default_rng(1000 + seed)
            places = rng.choice(len(truth), int(truth.sum()), replace=False)
            source = dict(zip(places, rng.choice(r.train, len(places), replace=False), strict=True))
            right = sum(
                x.row in source and r.train[x.train_row] == source[x.row] for x in result.suspects
            )
            assert result.interval is not None  # there is a holdout
            inside = result.interval.low <= truth.mean() <= result.interval.high
            rows.append(
                (right / truth.sum(), (~truth[flagged]).sum(), result.share, inside, result.p_value)
            )
        hit, false, estimate, inside, p = np.array(rows).T
        yield (
            f"| {share:.0%} | {disguise} | {hit.mean():.0%} | {false.mean():.1f} | "
            f"{estimate.mean():.3f} | {inside.sum():.0f}/{len(p)} | {np.median(p):.2g} | "
            f"{(p < 0.05).sum()}/{len(p)} |"
        )


def clean_samples(data: Path, seeds: int) -> Iterator[str]:
    yield "### Fresh real samples as if they were synthetic"
    yield ""
    yield from CLEAN_HEAD
    for seed in range(seeds):
        r = Radiographs(data, 100 + seed)
        s = signatures(r.images)
        yield _clean_row(
            "chest radiographs",
            seed,
            s[r.fresh],
            s[r.train],
            s[r.holdout],
            r.patient[r.train],
            r.patient[r.holdout],
        )
    images = [np.load(data / f"mednist64/{n}.npz")["images"] for n in ("train", "control")]
    train, control = (signatures(_varied(x)) for x in images)
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(control))
        part = rng.choice(len(train), 600, replace=False)
        yield _clean_row(
            "MedNIST", seed, control[order[:300]], train[part], control[order[300:600]]
        )


def _clean_row(
    name: str,
    seed: object,
    synthetic: Array,
    train: Array,
    holdout: Array,
    train_subjects: NDArray[np.str_] | None = None,
    holdout_subjects: NDArray[np.str_] | None = None,
) -> str:
    one, two = train_subjects, holdout_subjects
    m = memorised(synthetic, train, holdout, train_subjects=one, holdout_subjects=two)
    assert m.interval is not None  # there is a holdout
    near = nearest_is_train(synthetic, train, holdout, train_subjects=one, holdout_subjects=two)
    attack = auc(membership_scores(train, synthetic), membership_scores(holdout, synthetic))
    return (
        f"| {name} | {seed} | {len(synthetic)} | {m.flagged} | {m.expected:.1f} | {m.share:.3f} | "
        f"{m.interval.low:.3f} .. {m.interval.high:.3f} | {m.p_value:.2g} | {near.share:.3f} "
        f"({near.null.low:.3f} .. {near.null.high:.3f}) | {near.p_value:.2g} | {attack:.3f} |"
    )


def generators(data: Path) -> Iterator[str]:
    yield "### Generators that are not known to memorise (MedNIST, 32 x 32)"
    yield ""
    yield from CLEAN_HEAD
    folder = data / "mednist32_generated"
    members = signatures(_varied(np.load(folder / "members.npz")["images"]))
    control = np.load(data / "mednist64/control.npz")
    outside = control["images"][control["label"] >= 2].reshape(-1, 32, 2, 32, 2).mean((2, 4))
    holdout = signatures(_varied(outside))
    for path in sorted(folder.glob("*.npz")):
        if path.stem != "members":
            yield _clean_row(
                path.stem, "-", signatures(_varied(np.load(path)["images"])), members, holdout
            )


def speed() -> Iterator[str]:
    yield "### Cost of `best_matches`, one thread"
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
        start = time.perf_counter()
        best_matches(query, reference)
        yield f"| {n} | {m} | {' x '.join(map(str, shape))} | {time.perf_counter() - start:.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--markdown", type=Path, help="page whose measured part is replaced")
    parser.add_argument("--only", choices=["planted", "clean", "generators", "speed"])
    args = parser.parse_args()
    parts = {
        "planted": lambda: planted_copies(args.data, args.seeds),
        "clean": lambda: clean_samples(args.data, args.seeds),
        "generators": lambda: generators(args.data),
        "speed": speed,
    }
    lines: list[str] = []
    for name, part in parts.items():
        if args.only in (None, name):
            for line in part():
                print(line, flush=True)
                lines.append(line)
            lines.append("")
    if args.markdown:
        page = args.markdown.read_text()
        head, tail = page.split(START)[0], page.split(END)[1]
        args.markdown.write_text(f"{head}{START}\n\n" + "\n".join(lines) + f"\n{END}{tail}")


if __name__ == "__main__":
    main()
