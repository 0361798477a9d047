"""What a CUDA device brings to embeddings, neighbours and MS-SSIM, and whether values agree.

    python benchmarks/gpu.py [--device cuda|cuda:N|cpu] [--quick]

Prints wall time of the processor and of the device, and the largest absolute difference. With
``--device cpu`` torch runs the device's code on the processor (but for mixed rows): that tells
nothing of a device's speed, and shows that it runs. The exit code is 1 where values differ by more
than the stated tolerance.
`docs/gpu.md` says what is computed where.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sdq_core.acceleration import Blocks, chosen_device, exact_arithmetic
from sdq_core.errors import SdqError
from sdq_core.statistics import nearest_neighbours
from sdq_core.statistics.mixed_rows import WIDTH, MixedRows
from sdq_core.statistics.nearest_mixed import nearest_rows
from sdq_core.statistics.neighbours_on_device import nearest_on_device
from sdq_imaging.embeddings.random_resnet18 import RandomResNet18
from sdq_imaging.similarity_on_device import pairwise_on_device
from sdq_imaging.structural_similarity import DEVICE_TOLERANCE, pairwise_ms_ssim

EMBEDDING_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Case:
    """One step, on the processor and on the device."""

    name: str
    tolerance: float
    processor: Callable[[], Any]
    device: Callable[[], Any]


def cases(device: str, *, quick: bool) -> Iterator[Case]:
    """Make the cases one after another, so that only one lies in memory."""
    small = 20 if quick else 1
    rng = np.random.default_rng(0)
    blocks = Blocks(device)

    query, reference = (rng.normal(size=(n // small, 512)) for n in (5_000, 50_000))
    yield Case(
        f"nearest neighbours, {len(query)} x {len(reference)} x 512, k = 5",
        0.0,
        lambda: nearest_neighbours(query, reference, 5)[0],
        lambda: nearest_on_device(query, reference, 5, blocks)[0],
    )
    n = 20_000 // small
    first, second = (
        MixedRows(rng.random((n, 20)) * WIDTH, rng.integers(0, 30, (n, 10))) for _ in range(2)
    )
    yield Case(
        f"nearest mixed rows, {len(first)} x {len(second)} x 30, k = 2",
        0.0,
        lambda: nearest_rows(first, second, 2)[0],
        lambda: nearest_rows(first, second, 2, device=device)[0],
    )
    images = rng.random((max(8, 128 // small), 128, 128), np.float32)
    pairs = np.column_stack(np.triu_indices(len(images), 1))
    yield Case(
        f"MS-SSIM, {len(pairs)} pairs of 128 x 128",
        DEVICE_TOLERANCE,
        lambda: pairwise_ms_ssim(images, pairs, 1.0),
        lambda: pairwise_on_device(images, pairs, 1.0, blocks),
    )
    batch = rng.random((max(16, 256 // small), 1, 224, 224), np.float32)
    ours, theirs = RandomResNet18("cpu"), RandomResNet18(device)
    yield Case(
        f"embedding random-resnet18, {len(batch)} slices of 224 x 224",
        EMBEDDING_TOLERANCE,
        lambda: ours.run(batch),
        lambda: theirs.run(batch),
    )


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the wall time of some work, and what it gives."""
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def main() -> int:
    """Run all cases and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the rows")
    options = parser.parse_args()
    try:
        device = chosen_device(options.device)
    except SdqError as error:
        print(error, file=sys.stderr)
        return 2
    good = True
    print("| step | processor [s] | device [s] | largest difference | tolerance |")
    print("| --- | --- | --- | --- | --- |")
    for case in cases(device, quick=options.quick):
        usual, expected = seconds(case.processor)
        with exact_arithmetic():
            case.device()  # starts CUDA and loads kernels
            fast, found = seconds(case.device)
        difference = float(np.abs(found - expected).max())
        good &= difference <= case.tolerance
        print(
            f"| {case.name} | {usual:.2f} | {fast:.2f} | {difference:.1e} | {case.tolerance:g} |",
            flush=True,
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
