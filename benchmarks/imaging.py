"""How fast and how lean are the measures of images, beside the peers, on the same arrays?

    python benchmarks/imaging.py [--quick] [--only NAME] [--pyradiomics PYTHON] [--markdown PAGE]

Prints processor time and peak memory as ratios, the largest relative difference of the values, and
whether the aims are reached. The exit code is 1 where values disagree or a contestant fails, never
because of a time. `docs/performance.md` says how it is measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from contest import ContestError, Run, difference, machine, run, save
from imaging_contestants import ITEMS, features, pictures
from markdown import printed, replace_measured

MODULE = "imaging_contestants"
PACKAGES = ("numpy", "scipy", "torch", "monai", "scikit-image", "prdc", "pyradiomics")


@dataclass(frozen=True)
class Peer:
    """Another way to the same values."""

    name: str
    function: str
    needs: str
    """Import name of what has to be installed."""
    tolerance: float
    """Largest relative difference of values that is agreement."""
    faster: float = 0.0
    """Aim: times our processor time. 0: none."""
    leaner: float = 0.0
    """Aim: times our extra memory. 0: none."""


@dataclass(frozen=True)
class Contest:
    """One measure of ours beside its peers, at the full or the quick size."""

    name: str
    title: str
    full: Callable[[], dict[str, Any]]
    quick: Callable[[], dict[str, Any]]
    function: str
    peers: tuple[Peer, ...]


def _frechet(name: str, n: int, few: int, root: float, eigen: float) -> Contest:
    return Contest(
        name,
        f"Frechet distance, {n:,} x 2,048",
        partial(features, n, 2048),
        partial(features, few, 128),
        "frechet_sdq",
        (
            Peer("matrix square root", "frechet_square_root", "scipy", 1e-6, faster=root),
            Peer("eigenvalues", "frechet_eigenvalues", "numpy", 1e-6, faster=eigen),
        ),
    )


CONTESTS = (
    _frechet("frechet", 2000, 200, root=10, eigen=3),
    _frechet("frechet-few", 300, 60, root=100, eigen=100),
    Contest(
        "prdc",
        "precision, recall, density, coverage, 10,000 x 2,048",
        partial(features, 10_000, 2048, 0.02),
        partial(features, 400, 64, 0.02),
        "prdc_sdq",
        (Peer("prdc", "prdc_prdc", "prdc", 1e-6, leaner=3),),
    ),
    Contest(
        "ssim",
        "SSIM, 32 pairs of 256 x 256",
        partial(pictures, 32, 256),
        partial(pictures, 2, 64),
        "ssim_sdq",
        (
            Peer("scikit-image", "ssim_skimage", "skimage", 1e-5),
            Peer("MONAI", "ssim_monai", "monai", 1e-5),
        ),
    ),
    Contest(
        "ms-ssim",
        "MS-SSIM, 32 pairs of 256 x 256",
        partial(pictures, 32, 256),
        partial(pictures, 2, 192),
        "ms_ssim_sdq",
        (Peer("MONAI", "ms_ssim_monai", "monai", 1e-5, faster=3),),
    ),
    Contest(
        "diversity",
        "MS-SSIM, 200 pairs among 32 of 256 x 256",
        partial(pictures, 32, 256, 200),
        partial(pictures, 4, 192, 5),
        "diversity_sdq",
        # MONAI's values are 4e-5 from those in double precision here, ours 3e-6.
        (Peer("MONAI", "diversity_monai", "monai", 1e-4, faster=3),),
    ),
    Contest(
        "glcm",
        "23 GLCM features, 16 images of 256 x 256, 64 levels",
        partial(pictures, 16, 256),
        partial(pictures, 2, 64),
        "glcm_sdq",
        (
            Peer("pyradiomics, extractor", "glcm_pyradiomics", "radiomics", 1e-9, faster=15),
            Peer("pyradiomics, class alone", "glcm_pyradiomics_class", "radiomics", 1e-9),
        ),
    ),
)

STAGES = {
    "read": "open and decode the PNG file",
    "normalise": "grey values 0..1",
    "features": "85 named features",
    "radiomic": "embedding `radiomic`, features given",
    "random_resnet18": "embedding `random-resnet18`",
    "signature": "signature for copy detection",
    "digest": "digest of the pixels",
    "whole": "**whole describer**",
}
HEAD = (
    "| measure, size | peer | ours | peer's | times faster: best (median) "
    "| extra MiB: ours, peer's | times leaner | largest difference | aim | reached |",
    "| --- " * 10 + "|",
)


class Benchmark:
    """One run over the contests; remembers what went wrong."""

    def __init__(self, quick: bool, radiomics: str | None) -> None:
        self.quick = quick
        self.radiomics = radiomics
        self.rounds, self.budget = (1, 0.0) if quick else (3, 1.5)
        self.wrong: list[str] = []
        self.versions: dict[str, str] = {}

    def contest(self, contest: Contest, folder: Path) -> Iterator[str]:
        """Rows of one contest. Contestants take turns, so that a busy hour meets all of them."""
        save((contest.quick if self.quick else contest.full)(), folder)
        present: dict[Peer, str] = {}
        for peer in contest.peers:
            python = self.radiomics if peer.needs == "radiomics" else None
            if python or find_spec(peer.needs):
                present[peer] = python or sys.executable
        runs: dict[Peer | None, list[Run]] = {None: [], **{peer: [] for peer in present}}
        for _ in range(self.rounds):
            runs[None].append(self._run(contest.function, folder))
            for peer, python in present.items():
                try:
                    runs[peer].append(self._run(peer.function, folder, python))
                except ContestError as error:
                    self.wrong.append(str(error))
        ours = Run.joined(runs.pop(None))
        title = f"{contest.name}, small arrays" if self.quick else contest.title
        for peer in contest.peers:
            found = runs.get(peer)
            if found:
                yield self._row(title, peer, ours, Run.joined(found))
            else:
                yield f"| {title} | {peer.name} | {self._why_not(peer, peer in present)} |"

    def _row(self, title: str, peer: Peer, ours: Run, theirs: Run) -> str:
        faster = theirs.best / ours.best
        leaner = max(theirs.memory, 1) / max(ours.memory, 1)  # below 1 MiB pages decide
        gap = difference(ours.values, theirs.values)
        if not gap <= peer.tolerance:
            self.wrong.append(f"{title}, {peer.name}: values differ by {gap:.1e}")
        aims = [
            (f"{aim:g} times {word}", value >= aim)
            for word, aim, value in (
                ("faster", peer.faster, faster),
                ("leaner", peer.leaner, leaner),
            )
            if aim and not self.quick
        ]
        reached = "yes" if all(met for _, met in aims) else "**no**"
        return (
            f"| {title} | {peer.name} | {_time(ours.best)} | {_time(theirs.best)} "
            f"| {faster:.3g} ({theirs.middle / ours.middle:.3g}) "
            f"| {ours.memory:.0f}, {theirs.memory:.0f} | {leaner:.2g} | {gap:.0e} "
            f"| {', '.join(text for text, _ in aims) or '-'} | {reached if aims else '-'} |"
        )

    def stages(self, folder: Path) -> Iterator[str]:
        """Processor time of describing, by stage."""
        yield "| stage | CPU ms an image |"
        yield "| --- | --- |"
        for stage, says in STAGES.items():
            found = self._run(f"stage_{stage}", folder)
            yield f"| {says} | {found.best / ITEMS * 1000:.2f} |"
        yield ""
        yield (
            f"Starting a worker (imports, the network's weights, a first image) takes "
            f"{found.start:.1f} s of processor time. 1,000 images on 2 cores: "
            f"{found.start + 1000 * found.best / ITEMS / 2:.0f} s."
        )

    def machine(self, folder: Path) -> str:
        """Machine, versions, and the rate of matrix products on one thread."""
        n, d = (200, 200) if self.quick else (2000, 2048)
        save(features(n, d), folder)
        rates = {}
        for kind in ("double", "single"):
            best = self._run(f"product_{kind}", folder).best
            rates[kind] = 2 * n * n * d / max(best, 1e-9) / 1e9
        return (
            f"{machine(self.versions, PACKAGES)}; matrix products on one thread "
            f"{rates['double']:.0f} (float64) and {rates['single']:.0f} (float32) GFLOP/s."
        )

    def _run(self, function: str, folder: Path, python: str = sys.executable) -> Run:
        found = run(f"{MODULE}:{function}", folder, self.budget, python)
        self.versions = {**found.versions, **self.versions}
        return found

    def _why_not(self, peer: Peer, failed: bool) -> str:
        if failed:
            return "failed"
        if peer.needs == "radiomics":
            return (
                "not run: pyradiomics is not installed; give an interpreter that has it by "
                "`--pyradiomics PYTHON`"
            )
        return f"not run: {peer.needs} is not installed; install the extra `test`"


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def measured(args: argparse.Namespace, benchmark: Benchmark) -> Iterator[str]:
    """Lines of the measured part."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        contests = [c for c in CONTESTS if args.only in (None, c.name)]
        if contests:
            yield "### Beside the peers"
            yield ""
            yield from HEAD
            for contest in contests:
                yield from benchmark.contest(contest, folder)
            yield ""
        if args.only in (None, "describe"):
            yield f"### Describing, {ITEMS} radiographs of 128 x 128"
            yield ""
            save({}, folder)
            yield from benchmark.stages(folder)
            yield ""
        yield benchmark.machine(folder)


def main() -> None:
    """Run, print, and put the tables into a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small arrays, once: does it run?")
    parser.add_argument("--only", choices=[*(c.name for c in CONTESTS), "describe"])
    parser.add_argument("--pyradiomics", metavar="PYTHON", help="interpreter with pyradiomics")
    parser.add_argument("--markdown", type=Path, help="page whose measured part is replaced")
    args = parser.parse_args()
    if args.markdown and (args.quick or args.only):
        parser.error("--markdown: needs the whole run; leave out --quick and --only")
    benchmark = Benchmark(args.quick, args.pyradiomics)
    lines = printed(measured(args, benchmark))
    if benchmark.wrong:
        sys.exit("\n".join(dict.fromkeys(benchmark.wrong)))
    if args.markdown:
        replace_measured(args.markdown, lines)


if __name__ == "__main__":
    main()
