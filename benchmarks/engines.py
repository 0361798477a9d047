"""What Dask costs beside a pool of processes, when a shard is a second of work.

The work sleeps, so that the two engines share nothing but their own costs, on a busy machine too.

    python benchmarks/engines.py [SHARDS]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

WORKERS = 2


def one_second(shard: Sequence[int]) -> int:
    time.sleep(len(shard) / 64)
    return len(shard)


def measure(name: str, shards: int) -> tuple[float, float]:
    """Return seconds until the first result, and seconds a shard from then on."""
    from engines import one_second as work  # by its name: workers import it

    from sdq_core.engines import make_engine

    engine = make_engine(name, WORKERS)
    began = time.monotonic()
    marks = [time.monotonic() for _ in engine.map(work, [range(64)] * shards)]
    return marks[0] - began, (marks[-1] - marks[WORKERS - 1]) / (shards - WORKERS)


def main() -> None:
    shards = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    found = {name: measure(name, shards) for name in ("processes", "dask")}
    print(f"{'engine':12}{'first result, s':>18}{'each further, s':>18}")
    for name, (first, each) in found.items():
        print(f"{name:12}{first:18.2f}{each:18.3f}")
    print(f"ratio of further shards: {found['dask'][1] / found['processes'][1]:.3f}")


if __name__ == "__main__":
    main()
