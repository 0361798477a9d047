"""Opening a review: cases drawn, pictured and tested for leaks, key sealed, orders fixed."""

from __future__ import annotations

import random
import secrets
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sdq_core.errors import ReviewError
from sdq_core.files import atomic_write
from sdq_core.modality import Modality, load_modality
from sdq_core.review.desk import token_hash
from sdq_core.review.display import Displayer, Layout, NeutralDisplayer, fitted, picture
from sdq_core.review.drawing import Drawn, Pool, draw, pool_of
from sdq_core.review.folder import Folder
from sdq_core.review.forms import ReviewItem
from sdq_core.review.key import Key, Truth, new_salt, write_key
from sdq_core.review.leak import Leak, leak_test, name_facts
from sdq_core.review.order import Slot, reading_order
from sdq_core.review.plan import ReviewPlan, load_plan
from sdq_core.review.store import Store
from sdq_core.study import Study, load_study
from sdq_core.vocabulary import Role

__all__ = ["Opened", "displayer_of", "open_review"]

SCHEMA: Final = "sdq.review/1"
TOKENS: Final = "readers.csv"
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Opened:
    """What opening made.

    Parameters
    ----------
    folder : Folder
    key : Path
    seal : str
    tokens : Path
        Table of readers and their access codes, for the coordinator.
    leak : Leak
        The blinding leak test.
    visible : Leak
        The same of what the pictures show beside their content: a warning, since it may be a true
        difference of the data.
    """

    folder: Folder
    key: Path
    seal: str
    tokens: Path
    leak: Leak
    visible: Leak


def displayer_of(modality: Modality, study: Study) -> Displayer:
    """Return the modality's display, or a table of its descriptions."""
    own = modality.displayer(study)
    return own if own is not None else NeutralDisplayer(modality.describer(study))


def open_review(
    plan_path: Path,
    folder: Path,
    key: Path,
    *,
    database: str | None = None,
    allow_leak: bool = False,
    progress: Progress | None = None,
) -> Opened:
    """Open a review.

    Parameters
    ----------
    plan_path : Path
    folder : Path
        Made for pictures and, unless there is another, the database.
    key : Path
        The answer key; it belongs to the owner of the study, not into the folder.
    database : str, optional
        URL of a PostgreSQL database.
    allow_leak : bool
        Go on where the leak test finds something; it then stands in the log and in the result.
    progress : callable, optional

    Returns
    -------
    Opened

    Raises
    ------
    ReviewError
        Too few items, a leak of the blinding, an existing folder or key.
    """
    plan = load_plan(plan_path)
    study = load_study(plan_path.parent / plan.study)
    modality = load_modality(study.modality)
    study = modality.prepared(study)
    displayer = displayer_of(modality, study)
    if key.exists():
        raise ReviewError(f"{key}: exists already; a key is never overwritten, choose another name")
    if key.absolute().is_relative_to(folder.absolute()):
        raise ReviewError(
            f"{key}: lies in the folder of the review, where whoever serves it could read it; "
            f"give it another place with --key"
        )
    pools = (
        pool_of(modality, study, Role(plan.real)),
        pool_of(modality, study, Role.SYNTHETIC),
    )
    real, synthetic = draw(plan, *pools, displayer.facts)
    place = Folder(folder)
    url = place.make(database)
    try:
        return _opened(
            plan, study, displayer, pools, (real, synthetic), place, url, key,
            allow_leak=allow_leak, progress=progress,
        )  # fmt: skip
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # it was empty: nothing but ours is in it
        raise


def _opened(
    plan: ReviewPlan,
    study: Study,
    displayer: Displayer,
    pools: tuple[Pool, Pool],
    drawn: tuple[Sequence[Drawn], Sequence[Drawn]],
    place: Folder,
    url: str,
    key: Path,
    *,
    allow_leak: bool,
    progress: Progress | None,
) -> Opened:
    """Fill the folder and the database."""
    cases, training = _cases(plan, *drawn)
    layout = displayer.layout([d.facts for sides in (cases | training).values() for d in sides])
    pictures = _write_pictures(place, displayer, layout, cases | training, progress)
    orders = {
        reader: reading_order(
            sorted(cases), sorted(training), repeated=plan.repeated, sessions=plan.sessions,
            seed=plan.seed, reader=reader,
        )
        for reader in plan.readers
    }  # fmt: skip
    items = _questions(plan, displayer, cases | training)
    labelled = any(i.needs_label for i in items)
    leak, visible = _leaks(plan, place, layout, pictures, cases, orders, labelled=labelled)
    if leak.found and not allow_leak:
        raise ReviewError(
            f"blinding: what is not a picture tells real from synthetic (AUC {leak.auc:.2f}, "
            f"p = {leak.p_value:.3f}; {', '.join(leak.telling) or 'several facts together'}); "
            f"find out why, or repeat with --allow-leak: it then stands in the result"
        )
    sealed = Key(
        salt=new_salt(),
        study=plan.digest,
        cases={
            case: {side: _truth(d) for side, d in zip("ab", sides, strict=False)}
            for case, sides in (cases | training).items()
        },
    )
    content = {
        "schema": SCHEMA,
        "plan": plan.to_json(),
        "modality": study.modality,
        "cohorts": {str(p.role): p.digest for p in pools},
        "layout": layout.to_json(),
        "items": [
            {"id": i.id, "en": i.en, "zh": i.zh, "needs_label": i.needs_label} for i in items
        ],
        "labels": {c: sides[0].label for c, sides in (cases | training).items()}
        if labelled
        else {},
        "pictures": pictures,
        "training": {c: [str(d.role) for d in sides] for c, sides in training.items()},
        "seal": sealed.seal,
    }
    tokens = {reader: secrets.token_urlsafe(16) for reader in plan.readers}
    write_key(sealed, key)
    store = Store(url)
    try:
        store.create(
            content,
            {r: token_hash(t) for r, t in tokens.items()},
            orders,
            {
                "seal": sealed.seal, "plan": plan.digest, "order_seed": plan.seed,
                "leak": _said(leak), "visible": _said(visible), "allow_leak": allow_leak,
            },
        )  # fmt: skip
    except ReviewError:
        key.unlink(missing_ok=True)
        raise
    finally:
        store.close()
    table = place.path / TOKENS
    lines = ["reader,token", *(f"{r},{t}" for r, t in tokens.items())]
    atomic_write(table, ("\n".join(lines) + "\n").encode())
    table.chmod(0o600)
    return Opened(place, key, sealed.seal, table, leak, visible)


def _truth(drawn: Drawn) -> Truth:
    return Truth(role=drawn.role, item=drawn.item.id, digest=drawn.item.digest)


def _said(leak: Leak) -> dict[str, Any]:
    return {
        "tested": leak.tested, "auc": round(leak.auc, 4), "p_value": leak.p_value,
        "facts": list(leak.facts), "telling": list(leak.telling),
    }  # fmt: skip


Cases = dict[str, tuple[Drawn, ...]]


def _cases(
    plan: ReviewPlan, real: Sequence[Drawn], synthetic: Sequence[Drawn]
) -> tuple[Cases, Cases]:
    """Give every case a name from the operating system's randomness."""
    if plan.type == "pairs":
        # Which side is synthetic must not follow from the recorded seed.
        sides = random.SystemRandom()
        pairs = [
            (a, b) if sides.random() < 0.5 else (b, a)
            for a, b in _alike(list(real), list(synthetic))
        ]
        groups: list[tuple[Drawn, ...]] = list(pairs)
        cut = plan.cases.real
        return _named(groups[:cut]), _named(groups[cut:])
    first = [(d,) for d in (*real[: plan.cases.real], *synthetic[: plan.cases.synthetic])]
    rest = [(d,) for d in (*real[plan.cases.real :], *synthetic[plan.cases.synthetic :])]
    return _named(first), _named(rest)


def _alike(real: list[Drawn], synthetic: list[Drawn]) -> list[tuple[Drawn, Drawn]]:
    """Pair items of one class, while there are such."""
    left = list(synthetic)
    pairs = []
    for one in real:
        other = next((d for d in left if d.label == one.label), left[0])
        left.remove(other)
        pairs.append((one, other))
    return pairs


def _named(groups: Sequence[tuple[Drawn, ...]]) -> Cases:
    names: set[str] = set()
    while len(names) < len(groups):
        names.add(secrets.token_hex(6))
    # A set has no order that could follow the groups, and the names are random.
    return dict(zip(sorted(names, key=lambda n: secrets.token_bytes(8)), groups, strict=True))


def _write_pictures(
    folder: Folder,
    displayer: Displayer,
    layout: Layout,
    cases: Cases,
    progress: Progress | None,
) -> dict[str, dict[str, Any]]:
    """Write the pictures of all cases, in an order that says nothing; return what was written."""
    sides = {
        f"{case}-{side}": drawn
        for case, group in cases.items()
        for side, drawn in zip("ab", group, strict=False)
    }
    written: dict[str, dict[str, Any]] = {}
    for done, name in enumerate(sorted(sides)):
        if progress is not None:
            progress("draw cases", done, len(sides))
        frames = displayer.frames(sides[name].item, layout)
        if frames is None or not fitted(frames, layout):
            raise ReviewError(
                f"cohort {sides[name].role}: an item that could be read could not be drawn; "
                f"check that the files have not changed and open again"
            )
        written[name] = {"frames": len(frames), "sha256": folder.write_picture(name, frames)}
    if progress is not None:
        progress("draw cases", len(sides), len(sides))
    return written


def _questions(plan: ReviewPlan, displayer: Displayer, cases: Cases) -> list[ReviewItem]:
    """Return what is asked; a question about the class only where every case has one."""
    if plan.type not in ("rating", "completeness"):
        return []
    known = list(displayer.rating_items if plan.type == "rating" else displayer.check_items)
    labelled = all(d.label for group in cases.values() for d in group)
    usable = [i for i in known if labelled or not i.needs_label]
    if not plan.questions:
        return usable
    by_id = {i.id: i for i in usable}
    unknown = [q for q in plan.questions if q not in by_id]
    if unknown:
        raise ReviewError(
            f"review plan: questions: {', '.join(unknown)} cannot be asked; use some of "
            f"{', '.join(by_id)}" + ("" if labelled else " (not every case has a class)")
        )
    return [by_id[q] for q in plan.questions]


def _leaks(
    plan: ReviewPlan,
    folder: Folder,
    layout: Layout,
    pictures: Mapping[str, Mapping[str, Any]],
    cases: Cases,
    orders: Mapping[str, Sequence[Slot]],
    *,
    labelled: bool,
) -> tuple[Leak, Leak]:
    """Test what can be seen of the cases beside their pictures."""
    if plan.type == "pairs":
        truth = {f"{c}-{s}": d.role is Role.SYNTHETIC for c, g in cases.items()
                 for s, d in zip("ab", g, strict=True)}  # fmt: skip
    else:
        truth = {f"{c}-a": g[0].role is Role.SYNTHETIC for c, g in cases.items()}
    shown = {f"{c}-{s}": d for c, g in cases.items() for s, d in zip("ab", g, strict=False)}
    facts = {
        name: {
            "file bytes for one picture": _stored(folder, name) / pictures[name]["frames"],
            "bytes": 0.0,
            "milliseconds": 0.0,
            **(_label_facts(shown[name].label) if labelled else {}),
            **{f"name {k}": v for k, v in name_facts(name).items()},
            **_places(name, orders),
        }
        for name in truth
    }
    leak = Leak(0.5, 1.0, (), (), False)
    for attempt in range(2):  # a busy machine may slow one side by chance; not twice
        _measure(folder, layout, pictures, facts)
        leak = leak_test(facts, truth, plan.seed + attempt)
        if not leak.found:
            break
    visible = leak_test({n: dict(shown[n].facts) for n in truth}, truth, plan.seed)
    return leak, visible


def _stored(folder: Folder, name: str) -> int:
    """Return the bytes of the pictures, without the head of the file."""
    return (folder.pictures / f"{name}.npy").stat().st_size - 128


def _label_facts(label: str) -> dict[str, float]:
    return {"label length": float(len(label)), "label": float(sum(label.encode()))}


def _places(name: str, orders: Mapping[str, Sequence[Slot]]) -> dict[str, float]:
    """Return where a case stands in the readers' orders, and on which side."""
    case, _, side = name.partition("-")
    own = [s for order in orders.values() for s in order if s.case == case]
    left = sum((side == "a") != s.flipped for s in own)
    return {
        "place in the order": sum(s.number for s in own) / max(len(own), 1),
        "side": left / max(len(own), 1),
    }


def _measure(
    folder: Folder,
    layout: Layout,
    pictures: Mapping[str, Mapping[str, Any]],
    facts: dict[str, dict[str, float]],
) -> None:
    """Serve every case a few times, in changing order, and note length and time."""
    times: dict[str, list[float]] = {name: [] for name in facts}
    mixed = random.Random(0)  # noqa: S311 - the order of a measurement
    names = sorted(facts)
    for _ in range(3):
        mixed.shuffle(names)
        for name in names:
            start = time.perf_counter()
            frames = folder.read_picture(name, pictures[name]["sha256"])
            served = picture(frames[len(frames) // 2], layout, 0)
            times[name].append(time.perf_counter() - start)
            facts[name]["bytes"] = float(len(served))
    for name, measured in times.items():
        facts[name]["milliseconds"] = 1000 * sorted(measured)[1]
