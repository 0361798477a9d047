"""Break DICOM files in many ways and see that each ends in a finding or a description.

    python tools/fuzz_dicom.py [FOLDER ...] [--mutants 2000] [--seconds 0] [--seed 0] [--keep DIR]

Every mutant is read and judged in a process of its own, with a limit of time and of memory, as the
describe step would do it. A fault is an error that is no `UnreadableItem`, the end of the process,
a time-out, or memory beyond the limit. Faulty mutants are kept in ``--keep``. The same seed makes
the same mutants. Sources are pydicom's bundled files and those of the folders; ``make fuzz`` runs a
long campaign, the test-suite a short one.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

TIMEOUT = 20
MEMORY = 3 * 2**30
"""Seconds and bytes that one file may take; the bytes are added to what the process has."""

START = 132
"""Where the data set begins: without the mark DICM before it a file is no DICOM at all."""

LARGEST = 200_000
"""Bytes of the largest file that is mutated: larger ones cost time and show nothing new."""

MOST_PIXELS = 2**22
OTHER = {
    ".py", ".pyc", ".json", ".txt", ".md", ".dump", ".icc", ".gz", ".jpeg", ".typed", ".zip",
}  # fmt: skip
SYNTAXES = (
    b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2.2",
    b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.4.50", b"1.2.840.10008.1.2.4.70",
    b"1.2.840.10008.1.2.4.80", b"1.2.840.10008.1.2.4.90", b"1.2.840.10008.1.2.5", b"1.2.3",
)  # fmt: skip
LENGTHS = (0, 1, 0x7FFF, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)

Mutator = Callable[[bytes, random.Random], bytes]


def _place(end: int, rng: random.Random) -> int:
    return rng.randrange(min(START, end - 1), end)


def flip(data: bytes, rng: random.Random) -> bytes:
    """Change a few bytes, most of them in the header."""
    changed = bytearray(data)
    end = len(changed) if rng.random() < 0.3 else min(len(changed), 4096)
    for _ in range(rng.randint(1, 8)):
        changed[_place(end, rng)] = rng.randrange(256)
    return bytes(changed)


def cut(data: bytes, rng: random.Random) -> bytes:
    """End early."""
    return data[: _place(len(data), rng)]


def drop(data: bytes, rng: random.Random) -> bytes:
    """Leave a piece out."""
    start = _place(min(len(data), 8192), rng)
    return data[:start] + data[start + rng.randint(1, 64) :]


def double(data: bytes, rng: random.Random) -> bytes:
    """Write a piece twice."""
    start = _place(min(len(data), 8192), rng)
    return data[: start + rng.randint(1, 512)] + data[start:]


def insert(data: bytes, rng: random.Random) -> bytes:
    """Put random bytes between."""
    start = _place(min(len(data), 8192), rng)
    return data[:start] + rng.randbytes(rng.randint(1, 64)) + data[start:]


def length(data: bytes, rng: random.Random) -> bytes:
    """Overwrite what may be a length."""
    start = 132 + 2 * rng.randrange(max(1, (min(len(data), 8192) - 140) // 2))
    value = rng.choice(LENGTHS)
    field = struct.pack("<I", value) if value > 0xFFFF or rng.random() < 0.5 else b""
    field = field or struct.pack("<H", value)
    return data[:start] + field + data[start + len(field) :]


def syntax(data: bytes, rng: random.Random) -> bytes:
    """Name another transfer syntax than the data are written in."""
    place = data.find(b"1.2.840.10008.1.2", 132, 1024)
    if place < 0:
        return flip(data, rng)
    size = struct.unpack("<H", data[place - 2 : place])[0]
    return data[:place] + rng.choice(SYNTAXES)[:size].ljust(size, b"\0") + data[place + size :]


def element(data: bytes, rng: random.Random) -> bytes:
    """Delete an element, or give it other bytes or another VR."""
    import io

    from pydicom import dcmread
    from pydicom.dataelem import RawDataElement

    try:
        dataset = dcmread(io.BytesIO(data), force=True)
        tag = rng.choice(sorted(dataset.keys()))
        if rng.random() < 0.4:
            del dataset[tag]
        else:
            vr = rng.choice(("DS", "IS", "UI", "SQ", "PN", "US", "FD", "DA", "UN", "CS", "AT"))
            value = rng.choice((b"", b"\\", b"-1", b"1e999", b"nan", b"\xff\xfe", b"9" * 70))
            explicit, little = dataset.original_encoding
            dataset._dict[tag] = RawDataElement(tag, vr, len(value), value, 0, explicit, little)
        buffer = io.BytesIO()
        dataset.save_as(buffer, enforce_file_format=False)
        return buffer.getvalue()
    except Exception:  # what pydicom cannot write is broken in another way
        return flip(data, rng)


MUTATORS: tuple[Mutator, ...] = (flip, cut, drop, double, insert, length, syntax, element)


def nested(depth: int, *, defined: bool) -> bytes:
    """Return a file with sequences in each other.

    Parameters
    ----------
    depth : int
    defined : bool
        Whether lengths are written, or delimiters.
    """
    tag = struct.pack("<HH", 0x0008, 0x1140)
    inner = b""
    for _ in range(depth):
        if defined:
            item = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(inner)) + inner
            inner = tag + b"SQ\0\0" + struct.pack("<I", len(item)) + item
        else:
            item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + inner + b"\xfe\xff\x0d\xe0\0\0\0\0"
            inner = tag + b"SQ\0\0\xff\xff\xff\xff" + item + b"\xfe\xff\xdd\xe0\0\0\0\0"
    sop = b"1.2.840.10008.5.1.4.1.1.7\0"
    header = struct.pack("<HH", 2, 0x10) + b"UI" + struct.pack("<H", 20) + b"1.2.840.10008.1.2.1\0"
    body = struct.pack("<HH", 8, 0x16) + b"UI" + struct.pack("<H", len(sop)) + sop + inner
    return b"\0" * 128 + b"DICM" + header + body


def sources(folders: list[Path]) -> list[Path]:
    """Return the files that are mutated: pydicom's and those of the folders."""
    import pydicom.data

    roots = [Path(pydicom.data.__file__).parent, *folders]
    found = (p for root in roots for p in sorted(root.rglob("*")))
    return [
        p for p in found if p.is_file() and p.suffix not in OTHER and p.stat().st_size <= LARGEST
    ]


def mutants(paths: list[Path], seed: int) -> Iterator[tuple[str, bytes]]:
    """Make mutants without end: first the deep nestings, then one to three changes of a file."""
    for depth in (31, 40, 200, 1000, 5000):
        for defined in (True, False):
            yield (
                f"nested-{depth}-{'lengths' if defined else 'delimiters'}",
                nested(depth, defined=defined),
            )
    number = 0
    while True:
        rng = random.Random(f"{seed}/{number}")  # noqa: S311 - no secret
        path = rng.choice(paths)
        data = path.read_bytes()
        names = []
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            mutator = rng.choice(MUTATORS)
            data = mutator(data, rng) or b"\0"
            names.append(mutator.__name__)
        yield f"{number:06d}-{path.stem}-{'-'.join(names)}", data
        number += 1


def judge(path: Path) -> str:
    """Read and judge one file as the describe step does; return how it ended."""
    from sdq_core.description import Item
    from sdq_core.errors import UnreadableItem
    from sdq_imaging.dicom.item import judge_item
    from sdq_imaging.dicom_rules import check, level_of
    from sdq_imaging.formats.dicom import header, slice_facts
    from sdq_imaging.reading import read_image

    slice_facts(path)
    try:
        # The rules judge every header that can be parsed, with an image or without.
        check(level_of(header(path)))
        image = read_image(Item(path.name, (path,)), max_pixels=MOST_PIXELS)
    except UnreadableItem as error:
        return error.rule
    if image.dataset is None:
        return "another format"
    _, found = judge_item(image.dataset)
    return "described, findings" if found else "described"


def isolated(path: Path) -> str:
    """Judge a file in a process of its own; return how it ended, ``"fault: ..."`` for a fault."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        status = 0
        try:
            with Path("/proc/self/statm").open() as file:
                used = int(file.read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.alarm(TIMEOUT)
            os.write(writing, judge(path).encode()[:500])
        except BaseException:
            os.write(writing, b"fault: " + traceback.format_exc().encode()[-2000:])
            status = 1
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read().decode("utf-8", "replace")
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        ended = os.WTERMSIG(status)
        return "fault: timed out" if ended == signal.SIGALRM else f"fault: signal {ended}"
    return told


def campaign(
    paths: list[Path], number: int, seconds: float, seed: int, keep: Path | None
) -> tuple[Counter[str], list[str]]:
    """Judge mutants until there are enough or the time is over.

    Returns
    -------
    outcomes : Counter of str
    faults : list of str
        Name of each faulty mutant and what happened.
    """
    import logging

    import sdq_imaging.dicom.item
    import sdq_imaging.reading  # loaded here once: children begin with it  # noqa: F401

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    judge_once = tempfile.TemporaryDirectory()
    outcomes: Counter[str] = Counter()
    faults = []
    end = time.monotonic() + seconds if seconds else float("inf")
    with judge_once as folder:
        path = Path(folder) / "mutant.dcm"
        for done, (name, data) in enumerate(mutants(paths, seed)):
            if done >= number or time.monotonic() > end:
                break
            path.write_bytes(data)
            outcome = isolated(path)
            if outcome.startswith("fault"):
                faults.append(f"{name}: {outcome}")
                outcomes["fault"] += 1
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{name}.dcm").write_bytes(data)
            else:
                outcomes[outcome] += 1
    return outcomes, faults


def main(arguments: list[str] | None = None) -> int:
    """Run a campaign and print what came of it.

    Returns
    -------
    int
        1 when there was a fault, else 0.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--mutants", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args(arguments)
    outcomes, faults = campaign(
        sources(options.folders), options.mutants, options.seconds, options.seed, options.keep
    )
    for outcome, n in outcomes.most_common():
        print(f"{n:6d} {outcome}")
    for fault in faults:
        print(fault)
    print(f"{outcomes.total()} mutants, {len(faults)} faults")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
