"""A toy describer that worker processes can import, and its items. Contents steer its misdeeds."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sdq_core.description import Description, Item
from sdq_core.errors import UnreadableItem
from sdq_core.finding import Finding
from sdq_core.shards import encode_shard
from sdq_core.vocabulary import Severity


@dataclass
class Toy:
    """Describes a file by numbers drawn from its content; logs each call as "<pid> <digest>"."""

    log: Path | None = None
    delay: float = 0.0
    name: str = "toy"
    version: str = "1"
    settings: dict = field(default_factory=lambda: {"size": 8})

    def __call__(self, item: Item) -> Description:
        content = item.paths[0].read_bytes()
        if self.log is not None:
            descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(descriptor, f"{os.getpid()} {item.digest}\n".encode())
            os.close(descriptor)
        time.sleep(self.delay)
        misbehave(content, item)
        rng = np.random.default_rng(list(hashlib.sha256(content).digest()))
        x = rng.normal(size=(64, 300))
        # Large enough for a BLAS to share among threads, and then to round otherwise.
        gram = x @ x.T
        findings = ()
        if content[0] % 3 == 0:
            findings = (
                Finding("toy.semantics.third", Severity.WARNING, "a third", "三分之一", "x"),
            )
        return Description(
            scalars={"z": float(np.linalg.det(gram / 300)), "a": float(gram.sum())},
            embeddings={"v": gram[0].astype(np.float32), "u": x[0, :3].astype(np.float32)},
            signature=x[: self.settings["size"], :8].astype(np.float16),
            metadata={"Modality": "DX", "来源": str(len(content))},
            findings=findings,
        )


def misbehave(content: bytes, item: Item) -> None:
    if content.startswith(b"raise"):
        raise ValueError(f"secret {item.id}")
    if content.startswith(b"unreadable"):
        raise UnreadableItem("toy.structure.truncated", "the file is cut off")
    if content.startswith(b"slow"):
        time.sleep(60)
    if content.startswith(b"exit"):
        os._exit(3)
    if content.startswith(b"segfault"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if content.startswith(b"once"):
        mark = item.paths[0].with_suffix(".mark")
        if not mark.exists():
            mark.touch()
            os._exit(3)


@dataclass
class Unshared(Toy):
    """Fails where it should lay out what it knows for other processes."""

    @contextmanager
    def shared(self, items):
        raise ValueError("something that nobody foresaw")
        yield self


@dataclass
class Many(Toy):
    """Says how many items it takes at a time."""

    together: object = 64


@dataclass
class Rude(Toy):
    """Returns what is no description."""

    answer: object = None

    def __call__(self, item: Item) -> Description:
        return self.answer  # type: ignore[return-value]


class Unloadable(Toy):
    """Pickles well, and does not unpickle."""

    def __reduce__(self):
        return (int, ("not a number",))


def item_of(path: Path) -> Item:
    return Item(path.name, (path,), digest=hashlib.sha256(path.read_bytes()).hexdigest())


def make_items(folder: Path, contents: list[bytes]) -> list[Item]:
    folder.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(contents):
        (folder / f"{number:04d}").write_bytes(content)
    return [item_of(folder / f"{number:04d}") for number in range(len(contents))]


def plain(count: int, first: int = 0) -> list[bytes]:
    return [bytes([i % 251, 65]) + str(i).encode() for i in range(first, first + count)]


def as_bytes(descriptions: tuple[Description, ...]) -> bytes:
    return encode_shard([str(i) for i in range(len(descriptions))], descriptions)


def calls(log: Path) -> list[str]:
    """Digests of the items described, in the order of the calls."""
    return [line.split()[1] for line in log.read_text().splitlines()] if log.exists() else []


def callers(log: Path) -> set[int]:
    return {int(line.split()[0]) for line in log.read_text().splitlines()}
