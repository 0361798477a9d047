"""Free texts of synthetic patients that were copied from training patients, verbatim or nearly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sdq_core.characteristics.rates import rate
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import Why, why
from sdq_core.vocabulary import Role, Severity
from sdq_ehr.attacks.note_copies import Texts, copied_texts
from sdq_ehr.attacks.shingles import WIDTH, Notes, plain
from sdq_ehr.cells.texts import mask
from sdq_ehr.exact_copies import without_relaxation
from sdq_ehr.privacy_compared import LEAST, too_few
from sdq_ehr.privacy_readings import ATTACK, NO_PROOF, notes_on_copies
from sdq_ehr.records import dataset_of, item_ids

__all__ = ["copied_in_part", "verbatim"]

VARIANT: Final = "text"
NAMING: Final = frozenset({"name", "phone", "email", "address"})
"""Meanings of texts that are identifiers by themselves, and judged as such."""
MOST: Final = 40_000_000
"""Characters of a cohort that are compared; of more, patients are sampled by content digest."""
NOTABLE: Final = 0.05

Index = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Written:
    """The running texts of one cohort's readable patients.

    Parameters
    ----------
    rows : ndarray of int, shape (p,)
        Row in the cohort's table of each patient.
    notes : Notes
        Owners count into `rows`.
    texts : pyarrow array
        What each note says, without case, width and blanks.
    """

    rows: Index
    notes: Notes
    texts: pa.Array


def verbatim(cohorts: Cohorts, id_: str, *, spoilt: bool) -> Iterator[Measurement | Finding]:
    """Measure the share of synthetic patients with a text that one training patient has alone.

    Parameters
    ----------
    cohorts : Cohorts
    id_ : str
        Of the measurement.
    spoilt : bool
        Whether the holdout holds patients of train.

    Yields
    ------
    Measurement or Finding
    """
    missing = _without_texts(cohorts)
    if missing is not None:
        yield Measurement(id_, variant=VARIANT, aspect=ATTACK, applicable=False, **missing)
        return
    written = _written(cohorts)
    train = written[Role.TRAIN]
    single = _of_one_patient(train)

    def copies(of: _Written) -> Flags:
        found = np.zeros(len(of.rows), bool)
        found[of.notes.owner[mask(pc.is_in(of.texts, value_set=single))]] = True
        return found

    made = written[Role.SYNTHETIC]
    flags = copies(made)
    real = copies(written[Role.HOLDOUT]) if Role.HOLDOUT in written else None
    found = rate(
        id_,
        flags,
        real=real,
        better="lower",
        aspect=ATTACK,
        name=f"share of patients with a free text of at least {WIDTH} words that stands, case, "
        "width and blanks aside, with one training patient only; beside it the same share of the "
        "holdout",
        source="Part 6 proposal, privacy attack simulation; WP216 singling out",
    )
    found = replace(found, variant=VARIANT)
    if spoilt and found.value is not None:
        found = without_relaxation(found, 0 if real is None else len(real))
    yield found
    # Where real patients share texts as often, sharing one accuses nobody.
    floor, interval = found.noise_floor, found.interval
    if floor is not None and interval is not None and interval.low <= floor.high:
        return
    for row in made.rows[flags].tolist():
        yield Finding(
            "ehr.privacy.text_copy",
            Severity.ERROR,
            "has a free text that is word for word that of one training patient; remove it",
            "含有与某一训练患者逐字相同的自由文本, 请删除",
            item=str(cohorts.synthetic.table.ids[row]),
            role=str(Role.SYNTHETIC),
        )


def copied_in_part(cohorts: Cohorts, id_: str, void: Why | None) -> Iterator[Measurement | Finding]:
    """Estimate the share of synthetic patients with a text that nearly is a training patient's.

    Parameters
    ----------
    cohorts : Cohorts
    id_ : str
        Of the measurement.
    void : Why or None
        Why no attack can be calibrated.

    Yields
    ------
    Measurement or Finding
    """
    missing = _without_texts(cohorts)
    if missing is not None:
        yield Measurement(id_, variant=VARIANT, aspect=ATTACK, applicable=False, **missing)
        return
    if void is not None:
        yield Measurement(id_, variant=VARIANT, aspect=ATTACK, **void)
        return
    written = _written(cohorts)
    train, holdout, made = (written[r] for r in (Role.TRAIN, Role.HOLDOUT, Role.SYNTHETIC))
    smallest = min(len(w.rows) for w in (train, holdout, made))
    if smallest < LEAST:
        yield Measurement(id_, variant=VARIANT, aspect=ATTACK, **too_few(smallest, LEAST))
        return
    seed = cohorts.seed(id_) % 2**32
    sizes = len(train.rows), len(holdout.rows), len(made.rows)
    found = copied_texts(Texts(train.notes, holdout.notes, made.notes, sizes), seed=seed)
    if found is None:
        reason = why(
            "not_applicable",
            why="hardly any free text of a training patient differs by a dozen words from those "
            "of all other real patients: there is nothing by which a copy could be told",
            why_zh="训练患者的自由文本与其他真实患者的几乎都相差不到十余词, 无从识别拷贝",
        )
        yield Measurement(id_, variant=VARIANT, aspect=ATTACK, applicable=False, **reason)
        return
    ids, real_ids = cohorts.synthetic.table.ids, cohorts.train.table.ids
    flagged = np.flatnonzero(found.flagged)
    flagged = flagged[np.argsort(-found.scores[flagged], kind="stable")]
    suspects = [
        {
            "synthetic": str(ids[made.rows[k]]),
            "real": str(real_ids[train.rows[found.originals[k]]]),
            "score": round(float(found.scores[k]), 2),
        }
        for k in flagged.tolist()
    ]
    yield Measurement(
        id_,
        value=found.share,
        better="lower",
        unit="share",
        aspect=ATTACK,
        variant=VARIANT,
        interval=found.interval,
        noise_floor=found.reverse,
        n=dict(zip(("train", "holdout", "synthetic"), sizes, strict=True)),
        method=Method(
            "share of patients with a free text nearer to a training patient's than to any holdout "
            f"patient's by more than chance, by shared runs of {WIDTH} words weighed by rarity; "
            f"{NO_PROOF}",
            "Broder 1997, doi:10.1109/SEQUEN.1997.666900; McNemar 1947, doi:10.1007/BF02295996; "
            "planted copies: Rogan & Gladen 1978, doi:10.1093/oxfordjournals.aje.a112510",
            {"words": WIDTH},
            seed,
        ),
        details={
            "suspects": suspects,
            "notes": notes_on_copies(found, "text"),
            "planted_copies_noticed": found.noticed.centre,
            "flagged": int(found.flagged.sum()),
            "expected_by_chance": found.expected,
            "p": found.p_value,
        },
    )
    if found.p_value < NOTABLE and found.interval.low > 0:
        for suspect in suspects:
            yield Finding(
                "ehr.privacy.near_text_copy",
                Severity.WARNING,
                f"has a free text conspicuously near that of the training patient "
                f"{suspect['real']}; compare them",
                f"自由文本与训练患者 {suspect['real']} 的异常接近, 请人工比对",
                item=str(suspect["synthetic"]),
                role=str(Role.SYNTHETIC),
            )


def _without_texts(cohorts: Cohorts) -> Why | None:
    """Why there is nothing to compare: only the real cohorts decide."""
    if len(_written(cohorts)[Role.TRAIN].notes):
        return None
    return why(
        "not_applicable",
        why=f"the training patients have no free text of at least {WIDTH} words",
        why_zh=f"训练患者没有至少 {WIDTH} 个词的自由文本",
    )


def _of_one_patient(written: _Written) -> pa.Array:
    """Return the texts that stand with one patient only."""
    seen = pa.table({"text": written.texts, "owner": written.notes.owner})
    found = seen.group_by("text").aggregate([("owner", "count_distinct")])
    return found.filter(pc.equal(found["owner_count_distinct"], 1))["text"].combine_chunks()


@lru_cache(maxsize=2)
def _written(cohorts: Cohorts) -> dict[Role, _Written]:
    return {c.role: _texts_of(cohorts, c) for c in cohorts.all}


def _texts_of(cohorts: Cohorts, cohort: Cohort) -> _Written:
    dataset = dataset_of(cohorts, cohort.role)
    place = {str(i): k for k, i in enumerate(cohort.table.ids)}
    of = np.array([place.get(i, -1) for i in item_ids(dataset)], np.intp)
    readable = np.append(cohort.table.readable, False)
    parts: list[pa.Array] = []
    owners: list[Index] = []
    for name, column, about in dataset.schema.columns():
        if about.type != "text" or about.meaning in NAMING or name not in dataset.tables:
            continue
        rows = dataset.patients().rows[name]
        owner = np.where(rows >= 0, of[rows], -1) if len(of) else rows
        values = dataset.tables[name][column]
        use = mask(pc.is_valid(values)) & readable[owner]
        parts.append(_flat(values.filter(pa.array(use))))
        owners.append(owner[use])
    texts = pa.concat_arrays(parts) if parts else pa.array([], pa.large_string())
    owner = np.concatenate(owners) if owners else np.empty(0, np.intp)
    chosen = _within_budget(cohort, texts, owner)
    position = np.full(len(cohort) + 1, -1, np.intp)
    position[chosen] = np.arange(len(chosen))
    kept = position[owner] >= 0
    texts, owner = texts.filter(pa.array(kept)), position[owner[kept]]
    notes = Notes.of(texts, owner)
    long = notes.counts >= WIDTH
    return _Written(
        chosen, notes.take(np.flatnonzero(long), owner[long]), plain(texts.filter(pa.array(long)))
    )


def _within_budget(cohort: Cohort, texts: pa.Array, owner: Index) -> Index:
    """Choose patients by content digest until their texts fill what is compared at most."""
    readable = np.flatnonzero(cohort.table.readable)
    lengths = np.asarray(pc.utf8_length(texts).to_numpy(zero_copy_only=False), np.float64)
    if lengths.sum() <= MOST:
        return readable
    size = np.bincount(owner, weights=lengths, minlength=len(cohort))
    order = sorted(readable.tolist(), key=lambda i: (cohort.table.items[i].digest, i))
    number = int(np.searchsorted(np.cumsum(size[order]), MOST, side="right"))
    return np.sort(np.array(order[: max(1, number)], np.intp))


def _flat(values: pa.ChunkedArray) -> pa.Array:
    large = values.cast(pa.large_string())
    return large.combine_chunks() if large.num_chunks != 1 else large.chunk(0)
