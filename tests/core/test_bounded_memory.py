"""Columns from shards: the same whatever the shards, and memory that does not grow with items."""

from __future__ import annotations

import dataclasses
import errno
import io
import tracemalloc
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from toy import study

from sdq_core import column_storage
from sdq_core.characteristics import comparison, learning
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.columns import MOST_SHAPES, DescriptionColumns
from sdq_core.description import Description, DescriptionTable, Item
from sdq_core.errors import StoreError
from sdq_core.finding import Finding
from sdq_core.gathering import gather
from sdq_core.shards import decode_shard, encode_shard
from sdq_core.statistics import arrays
from sdq_core.statistics.attack import attack_by_chance, attack_curve
from sdq_core.statistics.null_tail import NullTail
from sdq_core.vocabulary import Role, Severity


def made(n: int, seed: int = 0, *, regular: bool = False) -> list[Description]:
    """Descriptions of which no two need hold the same; regular ones all hold everything."""
    rng = np.random.default_rng(seed)

    def one(k: int) -> Description:
        def there(share: float) -> bool:
            return regular or bool(rng.random() < share)

        if not there(0.9):
            finding = Finding("toy.structure.cut", Severity.ERROR, "cut off", where=f"{k % 3}")
            return Description(readable=False, findings=(finding,))
        names = [f"s{j}" for j in range(40) if there(0.8)]
        names = names if regular else rng.permutation(names).tolist()
        embeddings = {"b": rng.normal(size=64).astype(np.float32)} if there(0.9) else {}
        if there(0.5):
            embeddings["a"] = rng.normal(size=3).astype(np.float32)
        return Description(
            scalars={str(name): float(rng.normal()) for name in names},
            embeddings=embeddings,
            signature=rng.normal(size=(4, 4)).astype(np.float16) if there(0.8) else None,
            metadata={f"键{j}": f"value {rng.integers(3)}" for j in range(4) if there(0.7)},
            findings=tuple(
                Finding("toy.semantics.odd", Severity.WARNING, "odd", "不符", f"{j}")
                for j in range(int(rng.integers(3)))
            ),
        )

    return [one(k) for k in range(n)]


def written(folder: Path, keys: list[str], descriptions: list[Description], sizes) -> dict:
    """Deal descriptions to shards of these sizes; key -> shard."""
    folder.mkdir(parents=True, exist_ok=True)
    places, start = {}, 0
    for number, size in enumerate(sizes):
        part = slice(start, start + size)
        name = f"{number:03d}.arrow"
        (folder / name).write_bytes(encode_shard(keys[part], descriptions[part]))
        places |= dict.fromkeys(keys[part], name)
        start += size
    assert start == len(keys)
    return places


def table_of(descriptions, role="synthetic") -> DescriptionTable:
    items = [Item(f"{role}/{k}", (), digest=f"{k:064x}") for k in range(len(descriptions))]
    return DescriptionTable(items, descriptions, role)


def as_bytes(descriptions) -> bytes:
    return encode_shard([str(k) for k in range(len(descriptions))], list(descriptions))


def same_table(a: DescriptionTable, b: DescriptionTable) -> None:
    assert a.scalar_names == b.scalar_names
    assert a.embedding_names == b.embedding_names
    for name in (*a.scalar_names, "none"):
        np.testing.assert_array_equal(a.scalar(name), b.scalar(name))
    for name in a.embedding_names:
        for x, y in zip(a.embedding(name), b.embedding(name), strict=True):
            np.testing.assert_array_equal(x, y)
    for x, y in zip(a.signatures(), b.signatures(), strict=True):
        np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(a.readable, b.readable)
    assert a.findings == b.findings
    metadata = [a.metadata(k) for k in range(len(a))]
    assert metadata == [b.metadata(k) for k in range(len(b))]
    for key in ("键0", "键3", "value 1", "none"):
        assert a.metadata_column(key) == [m.get(key) for m in metadata]


@pytest.mark.parametrize("seed", range(3))
def test_columns_say_what_the_descriptions_say(seed):
    plain = made(40, seed)
    table = table_of(plain)
    assert as_bytes(table._descriptions) == as_bytes(plain)
    assert table.scalar_names == tuple(dict.fromkeys(k for d in plain for k in d.scalars))
    assert table.embedding_names == tuple(dict.fromkeys(k for d in plain for k in d.embeddings))
    for name in table.scalar_names:
        np.testing.assert_array_equal(
            table.scalar(name), [d.scalars.get(name, np.nan) for d in plain]
        )
    values, rows = table.embedding("b")
    assert rows.tolist() == [k for k, d in enumerate(plain) if "b" in d.embeddings]
    np.testing.assert_array_equal(values, [plain[k].embeddings["b"] for k in rows])
    values, rows = table.signatures()
    assert rows.tolist() == [k for k, d in enumerate(plain) if d.signature is not None]
    np.testing.assert_array_equal(values, [np.float32(plain[k].signature) for k in rows])
    assert values.dtype == np.float32
    wanted = [
        any(f.area == "structure" and f.severity == Severity.ERROR for f in d.findings)
        for d in plain
    ]
    assert table.rows_with("structure").tolist() == wanted
    assert any(wanted)
    assert table.findings == tuple(
        dataclasses.replace(f, item=f"synthetic/{k}", role="synthetic")
        for k, d in enumerate(plain)
        for f in d.findings
    )


@pytest.mark.parametrize("rows", [slice(3, 20), [7, 2, 2, 30], np.arange(40) % 3 == 0, slice(5, 5)])
def test_a_part_is_the_table_of_the_part(rows):
    plain = made(40, 1)
    whole = table_of(plain)
    index = np.arange(40)[rows]
    part = whole.take(index)
    same_table(part, DescriptionTable(part.items, [plain[k] for k in index], "synthetic"))


def test_shared_columns_cannot_be_written_to():
    table = table_of(made(10, regular=True))
    for values in (table.scalar("s1"), table.embedding("b")[0], table.signatures()[0]):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 0


@pytest.mark.parametrize("sizes", [(60,), (1,) * 60, (7, 23, 30), (50, 10)])
def test_columns_do_not_depend_on_the_shards(tmp_path, sizes):
    plain = made(60, 2)
    keys = [f"key {k}" for k in range(60)]
    order = np.random.default_rng(len(sizes)).permutation(60)
    places = written(
        tmp_path, [keys[k] for k in order], [plain[k] for k in order], sizes
    )  # fmt: skip
    found = gather(keys, {}, places, tmp_path)
    assert as_bytes(found) == as_bytes(plain)
    same_table(table_of(found), table_of(plain))


def test_rows_of_one_content_and_descriptions_that_are_not_stored(tmp_path):
    plain = made(30, 3)
    keys = [f"key {k}" for k in range(30)]
    stored = written(tmp_path, keys[:20], plain[:20], (20,))
    loose = dict(zip(keys[20:], plain[20:], strict=True))
    asked = [5, 25, 5, 3, 29, 25, 0, 5]
    found = gather([keys[k] for k in asked], loose, stored, tmp_path)
    assert as_bytes(found) == as_bytes([plain[k] for k in asked])


def test_more_shapes_than_columns_stand_alone(tmp_path):
    plain = [
        Description(
            embeddings={"v": np.full(k + 1, k, np.float32)},
            signature=np.full((k % 7 + 1, 2), k, np.float16),
        )
        for k in range(2 * MOST_SHAPES)
    ]
    keys = [f"{k}" for k in range(len(plain))]
    places = written(tmp_path, keys, plain, (len(plain),))
    found = gather([*keys, keys[-1]], {}, places, tmp_path)
    assert as_bytes(found) == as_bytes([*plain, plain[-1]])
    table = table_of(found)
    assert table.take(np.array([50])).embedding("v")[0].tolist() == [[50.0] * 51]
    with pytest.raises(ValueError, match="same shape"):
        table.embedding("v")


def test_a_large_column_lies_in_a_file_and_says_the_same(tmp_path, monkeypatch):
    plain = made(60, 4)
    keys = [f"key {k}" for k in range(60)]
    places = written(tmp_path, keys, plain, (20, 40))
    small = gather(keys, {}, places, tmp_path)
    monkeypatch.setattr(column_storage, "MAPPED", 1)
    before = sorted(p.name for p in tmp_path.iterdir())
    mapped = gather(keys, {}, places, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == before  # nothing with a name
    base = mapped.embeddings("b", mapped.embedded("b")[:1])
    while isinstance(base.base, np.ndarray):
        base = base.base
    assert isinstance(base, np.memmap)
    assert as_bytes(mapped) == as_bytes(small)
    again = [*range(60), 3, 3, 50]
    twice = gather([keys[k] for k in again], {}, places, tmp_path)
    assert as_bytes(twice) == as_bytes([plain[k] for k in again])


def test_a_full_disk_is_an_error_that_names_the_folder(tmp_path, monkeypatch):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(column_storage, "MAPPED", 1)
    monkeypatch.setattr(column_storage.tempfile, "TemporaryFile", lambda **_: Full())
    plain = made(5, regular=True)
    places = written(tmp_path, list("abcde"), plain, (5,))
    with pytest.raises(StoreError, match=r"No space left.*free space"):
        gather(list("abcde"), {}, places, tmp_path)


def test_a_shard_that_changed_or_went_is_an_error(tmp_path):
    plain = made(6, regular=True)
    places = written(tmp_path, list("abcdef"), plain, (3, 3))
    with pytest.raises(StoreError, match="1 descriptions went missing"):
        gather(list("abcx"), {}, {**places, "x": places["a"]}, tmp_path)
    with pytest.raises(StoreError, match="1 descriptions went missing"):
        gather(list("abcy"), {}, places, tmp_path)
    path = tmp_path / places["f"]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert len(gather(list("abc"), {}, places, tmp_path)) == 3
    with pytest.raises(StoreError, match="changed while it was in use"):
        gather(list("abcf"), {}, places, tmp_path)


@pytest.mark.parametrize("seed", range(5))
def test_the_smallest_digests_of_parts_hold_those_of_the_whole(seed):
    rng = np.random.default_rng(seed)
    digests = [rng.bytes(32).hex() for _ in range(80)]
    digests[10] = digests[70]  # equal contents

    def sample(rows: np.ndarray) -> list[str]:
        items = [Item(f"{k}", (), digest=digests[k]) for k in rows]
        table = DescriptionTable(items, [Description()] * len(items), "train")
        found = comparison._smallest_digests(Cohort(Role.TRAIN, table), np.arange(len(items)), 15)
        return [digests[rows[k]] for k in found]

    order = rng.permutation(80)
    cuts = np.sort(rng.integers(0, 81, 3))
    parts = [sample(part) for part in np.split(order, cuts)]
    assert sorted(d for part in parts for d in part)[:15] == sample(order) == sample(np.arange(80))


@pytest.mark.parametrize("has", [0.3, 1.0])
def test_the_sample_is_that_of_the_items_that_have_a_value(has):
    rng = np.random.default_rng(7)
    items = [Item(f"{k}", (), digest=rng.bytes(4).hex()) for k in range(60)]
    cohort = Cohort(Role.TRAIN, DescriptionTable(items, [Description()] * 60, "train"))
    rows = np.flatnonzero(rng.random(60) < has)
    want = sorted(rows.tolist(), key=lambda row: (items[row].digest, row))[:9]
    assert comparison._smallest_digests(cohort, rows, 9).tolist() == want


def stored(folder: Path, n: int) -> tuple[list[str], dict[str, str]]:
    keys = [f"{k:064x}" for k in range(n)]
    return keys, written(folder, keys, made(n, 5, regular=True), [50] * (n // 50))


def kept_and_peak(make) -> tuple[int, int]:
    tracemalloc.start()
    try:
        found = make()
        kept, peak = tracemalloc.get_traced_memory()
        del found
    finally:
        tracemalloc.stop()
    return kept, peak


def test_an_item_costs_its_numbers_and_little_more(tmp_path):
    n = 400
    keys, places = stored(tmp_path, n)
    gather(keys[:1], {}, places, tmp_path)  # imports
    kept, peak = kept_and_peak(lambda: gather(keys, {}, places, tmp_path))
    numbers = 40 * 8 + (64 + 3 + 16) * 4
    assert numbers < kept / n < numbers + 300
    # Beside them one shard at a time, as bytes and as columns.
    largest = max(path.stat().st_size for path in tmp_path.iterdir())
    assert peak < kept + 8 * largest
    shards = sorted({tmp_path / name for name in places.values()})
    objects, _ = kept_and_peak(lambda: [decode_shard(path.read_bytes()) for path in shards])
    assert objects > 3 * kept  # the measuring sees what it is for


def test_mapped_columns_cost_no_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(column_storage, "MAPPED", 1)
    kept = {}
    for n in (200, 800):
        folder = tmp_path / str(n)
        arguments = (*stored(folder, n), folder)
        kept[n], _ = kept_and_peak(lambda a=arguments: gather(a[0], {}, *a[1:]))
    assert (kept[800] - kept[200]) / 600 < 40 * 8 + 150  # the scalars, and no embedding


def cohorts_of(n: int) -> Cohorts:
    rng = np.random.default_rng(n)

    def cohort(role: Role) -> Cohort:
        descriptions = [
            Description(embeddings={"v": v}) for v in rng.normal(size=(n, 200)).astype(np.float32)
        ]
        items = [Item(f"{role}{k}", (), digest=rng.bytes(32).hex()) for k in range(n)]
        classes = np.array(["a", "b"])[rng.integers(2, size=n)]
        return Cohort(role, DescriptionTable(items, descriptions, role), None, classes)

    return Cohorts(study(), cohort(Role.TRAIN), cohort(Role.SYNTHETIC), cohort(Role.HOLDOUT))


@pytest.fixture(scope="module")
def two_sizes() -> tuple[Cohorts, Cohorts]:
    return cohorts_of(500), cohorts_of(2000)


@pytest.mark.parametrize(
    "measure",
    [
        lambda cohorts: comparison.compare_embedding.__wrapped__(cohorts, "v"),
        lambda cohorts: learning.task(cohorts, learning.LOGISTIC),
    ],
)
def test_measures_over_a_subsample_do_not_grow(measure, two_sizes, monkeypatch):
    def growth(most: int) -> float:
        """Bytes of each of 1,500 more items in each of three cohorts."""
        monkeypatch.setattr(comparison, "LARGEST", most)
        monkeypatch.setattr(learning, "MOST_ITEMS", most)
        small, large = (kept_and_peak(lambda c=c: measure(c))[1] for c in two_sizes)
        return (large - small) / 4500

    # An embedding has 800 bytes, 1,600 as float64: of the items outside the sample none is read.
    assert growth(200) < 500
    assert growth(10**6) > 1600


def test_the_sample_of_a_learner_is_said_and_keeps_its_order(two_sizes, monkeypatch):
    monkeypatch.setattr(learning, "MOST_ITEMS", 120)
    cohorts = two_sizes[0]
    found = learning.task(cohorts, learning.LOGISTIC)
    assert isinstance(found, learning.Task)
    assert len(found.train_y) == len(found.synthetic_y) == len(found.test_y) == 120
    items = cohorts.train.table.items
    rows = sorted(sorted(range(500), key=lambda k: items[k].digest)[:120])
    assert found.train_groups.tolist() == [f"train:{items[k].id}" for k in rows]


def test_pairs_are_counted_in_blocks_to_the_same_number(monkeypatch):
    rng = np.random.default_rng(0)
    score, y = np.round(rng.normal(size=(300, 3)), 1), rng.integers(3, size=300)
    weights = rng.integers(3, size=(5, 300)).astype(float)
    want = learning.auc(score, y, weights)
    monkeypatch.setattr(learning, "rows_per_block", lambda width: 7)
    np.testing.assert_allclose(learning.auc(score, y, weights), want, rtol=1e-14)


def test_a_null_tail_is_that_of_the_resamples_it_no_longer_keeps():
    rng = np.random.default_rng(1)
    scores, groups = np.round(rng.exponential(size=200), 2), rng.integers(60, size=200)
    tail = NullTail.fit(scores, groups, repeats=30, seed=3)
    draws = np.random.default_rng(3)
    rows = [np.flatnonzero(groups == g) for g in np.unique(groups)]
    bodies = []
    for _ in range(30):
        drawn = draws.integers(len(rows), size=len(rows))
        bodies.append(np.sort(scores[np.concatenate([rows[g] for g in drawn])]))
    for score in (-1.0, 0.1, 0.5, float(tail.start.min())):
        want = [1 - np.searchsorted(body, score) / len(body) for body in bodies]
        below = score <= tail.start
        np.testing.assert_array_equal(tail.survivals(score)[below], np.array(want)[below])


def test_reading_an_attack_does_not_hold_all_resamples(monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK", 2**14)
    rng = np.random.default_rng(2)
    peaks = []
    for n in (1000, 4000):
        a, b, names = rng.normal(size=n), rng.normal(size=n), np.arange(n).astype(str)
        curve = partial(attack_curve, a, b, groups_member=names, groups_nonmember=names)
        chance = partial(attack_by_chance, a, b, permutations=20)
        peaks.append([kept_and_peak(reading)[1] for reading in (curve, chance)])
    # All 400 resamples of both sides would be 6,400 bytes an item.
    assert max(np.diff(peaks, axis=0)[0]) / 3000 < 1500


def test_columns_behave_as_a_sequence():
    plain = made(12, 6)
    columns = DescriptionColumns.of(plain)
    assert DescriptionColumns.of(columns) is columns
    assert as_bytes(columns[2:9][1:-1]) == as_bytes(plain[2:9][1:-1])
    assert as_bytes(columns[::-2]) == as_bytes(plain[::-2])
    assert as_bytes([columns[-1]]) == as_bytes([plain[-1]])
    assert len(columns[9:3]) == 0
    with pytest.raises(IndexError):
        columns[12]
