"""A small review made without any modality: grey pictures, plan, key, store, server."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx
import numpy as np

from sdq_core.review.desk import Desk, token_hash
from sdq_core.review.display import Layout, Preset
from sdq_core.review.folder import Folder
from sdq_core.review.key import Key, Truth, new_salt, write_key
from sdq_core.review.order import reading_order
from sdq_core.review.plan import ReviewPlan
from sdq_core.review.server import application

LAYOUT = Layout(24, 16, presets=(Preset("full", "全"), Preset("dark", "暗", 0, 0.5)))
SITE = "http://127.0.0.1"


STORES = []
"""Opened by `make`; a test file closes them after each test with `close_all`."""


def close_all():
    """Close the stores of a test."""
    while STORES:
        STORES.pop().close()


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = dt.datetime(2026, 5, 1, 8, tzinfo=dt.UTC)

    def __call__(self):
        self.now += dt.timedelta(seconds=1)
        return self.now

    def move(self, **delta):
        self.now += dt.timedelta(**delta)


@dataclass
class Made:
    """A review, and what a test must know of it."""

    folder: Folder
    store: object
    key: Key
    key_path: Path
    plan: ReviewPlan
    tokens: dict[str, str]
    clock: Clock

    def desk(self):
        return Desk(self.store)

    def truth(self, case, side="a"):
        return self.key.cases[case][side].synthetic


def make(folder, *, database=None, number=8, readers=("r1", "r2"), training=2, items=(), **plan):
    """Make and open a review of `number` cases, half of them synthetic."""
    plan = ReviewPlan(
        study="study.yaml", readers=readers,
        cases={"real": number // 2, "synthetic": number // 2, "training": training},
        **{"repeats": 0.0, **plan},
    )  # fmt: skip
    place = Folder(folder / "review")
    url = place.make(database)
    pair = plan.type == "pairs"
    names = [f"{k:012x}" for k in np.random.default_rng(5).permutation(5000)[: number + training]]
    if pair:
        names = names[: number // 2 + training]
    roles = ("holdout", "synthetic")

    def truth(role, k):
        return Truth(role=role, item=f"{role}/{k}.png")

    cases = {
        name: {"a": truth(roles[k % 2], k), "b": truth(roles[1 - k % 2], k)}
        if pair
        else {"a": truth(roles[k % 2], k)}
        for k, name in enumerate(names)
    }
    taught = names[len(names) - training :] if training else []
    rest = [n for n in names if n not in taught]
    pictures = {}
    for name, sides in cases.items():
        for side in sides:
            grey = np.full((2, 16, 24), int(name, 16) % 60000, np.uint16)
            digest = place.write_picture(f"{name}-{side}", grey)
            pictures[f"{name}-{side}"] = {"frames": 2, "sha256": digest}
    key = Key(salt=new_salt(), study=plan.digest, cases=cases)
    key_path = folder / "key.json"
    write_key(key, key_path)
    content = {
        "schema": "sdq.review/1", "plan": plan.to_json(), "modality": "imaging",
        "cohorts": {"holdout": "ab" * 32, "synthetic": "ab" * 32}, "layout": LAYOUT.to_json(),
        "items": list(items), "labels": {}, "pictures": pictures,
        "training": {c: [str(t.role) for _, t in sorted(cases[c].items())] for c in taught},
        "seal": key.seal,
    }  # fmt: skip
    tokens = {r: f"token-of-{r}-{'x' * 10}" for r in readers}
    orders = {
        r: reading_order(rest, taught, repeated=plan.repeated, sessions=plan.sessions,
                         seed=plan.seed, reader=r)
        for r in readers
    }  # fmt: skip
    store = place.store(url)
    clock = Clock()
    store.clock = clock
    STORES.append(store)
    leak = {"tested": True, "auc": 0.5, "p_value": 1.0, "facts": [], "telling": []}
    store.create(
        content, {r: token_hash(t) for r, t in tokens.items()}, orders,
        {"seal": key.seal, "plan": plan.digest, "order_seed": plan.seed, "leak": leak,
         "visible": leak, "allow_leak": False},
    )  # fmt: skip
    return Made(place, store, key, key_path, plan, tokens, clock)


def read_all(made, answer, readers=None):
    """Let readers give `answer(reader, slot)` to every case, through the desk."""
    desk = made.desk()
    for reader in readers or made.plan.readers:
        for _ in range(3000):
            standing = desk.standing(reader)
            if standing.stage == "welcome":
                desk.begin(reader, standing.session, "", "yes")
            elif standing.stage == "feedback":
                desk.proceed(reader, standing.slot.number)
            elif standing.stage == "washout":
                made.clock.move(days=made.plan.washout_days + 1)
            elif standing.stage == "case":
                slot = standing.slot
                desk.show(reader, slot.number, 0)
                given = {k: str(v) for k, v in answer(reader, slot).items()}
                desk.answer(reader, slot.number, 0, given)
            else:
                break
    return desk


class Browser:
    """A reader's browser as far as HTTP goes: cookies, origin, no script."""

    def __init__(self, made, **options):
        options = {"hosts": frozenset({"127.0.0.1"}), **options}
        self.app = application(made.folder, made.desk(), **options)
        self.cookies = httpx.Cookies()

    def ask(self, method, path, *, origin=SITE, base=SITE, **more):
        async def run():
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
            async with httpx.AsyncClient(
                transport=transport, base_url=base, cookies=self.cookies
            ) as client:
                headers = {**({"origin": origin} if origin and method == "POST" else {}),
                           **more.pop("headers", {})}  # fmt: skip
                reply = await client.request(method, path, headers=headers, **more)
                self.cookies = client.cookies
                return reply

        return anyio.run(run)

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def post(self, path, data=None, **more):
        return self.ask("POST", path, data=data or {}, **more)
