"""Freed memory stays in the process where the C library can do that."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
from sdq_core.engines.memory import keep_freed_memory
taken = keep_freed_memory() if sys.argv[1] == "keep" else True
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
blocks = [bytearray(24 << 20) for _ in range(3)]
del blocks
before = faults()
for _ in range(5):
    blocks = [bytearray(24 << 20) for _ in range(3)]
    del blocks
print(int(taken), faults() - before)
"""


def _run(how: str) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True
    )
    taken, faults = done.stdout.split()
    return int(taken), int(faults)


def test_freed_memory_is_used_again_without_page_faults():
    taken, kept = _run("keep")
    if not taken:
        pytest.skip("this C library has no mallopt")
    _, given_back = _run("leave")
    assert kept < 1_000
    assert given_back > 10 * max(kept, 1_000)
