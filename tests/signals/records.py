"""WFDB records with known samples, written byte for byte or by the format's own library."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

LOWEST = {16: -(2**15), 24: -(2**23), 32: -(2**31), 61: -(2**15), 80: -128, 160: -(2**15),
          212: -2048}  # fmt: skip


def library():
    """The package wfdb; its imports warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("wfdb")


def joined(path, **options):
    """What the package wfdb reads, each channel at its own rate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return library().rdrecord(str(path.with_suffix("")), smooth_frames=False, **options)


def encoded(stored, number):
    """Bytes of stored values, shape (frames, samples in a frame), after signal(5)."""
    flat = np.asarray(stored, np.int64).reshape(-1)
    if number in (16, 61):
        return flat.astype("<i2" if number == 16 else ">i2").tobytes()
    if number == 32:
        return flat.astype("<i4").tobytes()
    if number == 80:
        return (flat + 128).astype("u1").tobytes()
    if number == 160:
        return (flat + 32768).astype("<u2").tobytes()
    if number == 24:
        return flat.astype("<i4").view("u1").reshape(-1, 4)[:, :3].tobytes()
    twelve = np.append(flat, np.zeros(len(flat) % 2, np.int64)) & 0xFFF
    a, b = twelve[::2], twelve[1::2]
    triples = np.stack([a & 255, (a >> 8) | ((b >> 8) << 4), b & 255], axis=1).astype("u1")
    return triples.tobytes()[: (3 * len(flat) + 1) // 2]


def record(
    folder,
    stored,
    number=16,
    *,
    name="r",
    rate="250",
    length=None,
    gain="200(0)/mV",
    names=None,
    checksums=None,
    comments=(),
    per_frame=None,
    field="",
    data=None,
):
    """Write a record; `stored` has shape (frames, samples in a frame)."""
    stored = np.asarray(stored)
    folder.mkdir(parents=True, exist_ok=True)
    widths = per_frame or [1] * stored.shape[1]
    gains = [gain] * len(widths) if isinstance(gain, str) else gain
    names = names or ["II", "V1", "V2", "V3", "V4", "V5"][: len(widths)]
    ends = np.cumsum([0, *widths])
    lines = [f"{name} {len(widths)} {rate} {len(stored) if length is None else length}"]
    for k, width in enumerate(widths):
        own = stored[:, ends[k] : ends[k + 1]]
        total = int(own.sum()) & 0xFFFF if checksums is None else checksums[k]
        form = f"{number}" + (f"x{width}" if width > 1 else "") + field
        lines.append(f"{name}.dat {form} {gains[k]} 12 0 {own.flat[0]} {total} 0 {names[k]}")
    lines += [f"# {c}" for c in comments]
    path = folder / f"{name}.hea"
    path.write_text("\n".join(lines) + "\n")
    (folder / f"{name}.dat").write_bytes(encoded(stored, number) if data is None else data)
    return path


def noise(frames=1000, channels=2, number=16, seed=0):
    rng = np.random.default_rng(seed)
    top = min(-LOWEST[number] - 1, 10**6)
    return rng.integers(-top, top + 1, (frames, channels))


def rules(found):
    return sorted(f.rule.removeprefix("signals.structure.") for f in found)


def segmented(folder):
    """Two segments with a pause between them."""
    for name, seed in (("s1", 1), ("s2", 2)):
        record(folder, noise(40, 2, 212, seed), 212, name=name, gain="100(4)/mV")
    (folder / "m.hea").write_text("m/3 2 250 130\ns1 40\n~ 50\ns2 40\n# seed: 3\n")
    return folder / "m.hea"
