"""The manual review: error and power of its statistics, and its server under twenty readers.

    python benchmarks/review.py statistics    # two minutes: type-I error, power
    python benchmarks/review.py load          # four minutes: 20 readers, 200 answers each

Prints the tables of docs/review.md.
"""

from __future__ import annotations

import asyncio
import csv
import io
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np
from scipy.stats import beta, binomtest

from sdq_core.statistics.reader_power import RatingModel, simulate_ratings, simulate_study
from sdq_core.statistics.readers import reader_auc, reader_mean

STUDY = Path(__file__).parents[1] / "fixtures/cxr/study.yaml"
READERS, ANSWERS = 20, 200


def table(heads: list[str], rows: list[list[object]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def share(k: int, n: int) -> str:
    """A share with its exact 95 % interval."""
    low, high = beta.ppf([0.025, 0.975], [k, k + 1], [n - k + 1, n - k])
    return f"{100 * k / n:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def type_one(studies: int = 1000) -> None:
    """Print how often tests reject when readers cannot tell."""
    rows = []
    shapes = [
        (6, 50, RatingModel()), (3, 20, RatingModel()), (10, 100, RatingModel()),
        (4, 30, RatingModel(readers=0.1)), (6, 50, RatingModel(cases=0.8, readers=0.0)),
        (2, 50, RatingModel()),
    ]  # fmt: skip
    for readers, cases, model in shapes:
        rng = np.random.default_rng(20261130)
        ours = pooled = paired = 0
        for _ in range(studies):
            first, second = simulate_ratings(readers, cases, cases, model=model, rng=rng)
            ours += reader_auc(first, second).p_value() < 0.05
            right = int((first <= 3).sum() + (second > 3).sum())
            pooled += binomtest(right, 2 * readers * cases).pvalue < 0.05
            first, second = simulate_ratings(
                readers, cases, cases, model=model, levels=256, rng=rng
            )
            paired += reader_mean(0.5 + 0.5 * np.sign(second - first)).p_value() < 0.05
        errors = [share(k, studies) for k in (ours, paired, pooled)]
        rows.append([readers, f"{cases} + {cases}", model.cases, model.readers, *errors])
    heads = ["readers", "cases", "shared by cases", "readers' own", "AUC, error at 5 %",
             "pairs, error at 5 %", "pooled binomial test"]  # fmt: skip
    print(table(heads, rows))


def power(studies: int = 500) -> None:
    """Print planned power beside that of fresh studies, and the error at the margin."""
    rows = []
    for readers, cases, margin in ((6, 200, 0.6), (8, 190, 0.6), (12, 150, 0.6), (6, 80, 0.65)):
        half = cases // 2
        planned = simulate_study(readers, half, half, margin, repeats=200, seed=0)
        fresh = simulate_study(readers, half, half, margin, repeats=studies, seed=77)
        wrong = simulate_study(readers, half, half, margin, auc=margin, repeats=studies, seed=78)
        rows.append([readers, cases, margin, f"{100 * planned.equivalent:.0f} %",
                     share(round(fresh.equivalent * studies), studies),
                     share(round(wrong.equivalent * studies), studies)])  # fmt: skip
    heads = ["readers", "cases", "margin", "power by the plan (200 studies)",
             f"power, {studies} fresh studies", "equivalence shown at the margin"]  # fmt: skip
    print(table(heads, rows))


# --- load ----------------------------------------------------------------------------------------


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def load() -> None:
    """Print the times of twenty readers at once, and whether an answer was lost or doubled."""
    from sdq_core.review.closing import checked
    from sdq_core.review.opening import open_review
    from sdq_core.review.plan import ReviewPlan, plan_text

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        plan = ReviewPlan(
            study=os.path.relpath(STUDY, folder), readers=[f"r{k}" for k in range(READERS)],
            cases={"real": ANSWERS // 2, "synthetic": ANSWERS // 2, "training": 0}, repeats=0,
        )  # fmt: skip
        (folder / "review.yaml").write_text(plan_text(plan))
        opened = open_review(folder / "review.yaml", folder / "review", folder / "key.json")
        tokens = list(csv.DictReader(io.StringIO(opened.tokens.read_text())))
        port = free_port()
        command = [sys.executable, "-m", "sdq_core.cli", "review", "serve", str(folder / "review")]
        server = subprocess.Popen([*command, "--port", str(port)])
        try:
            started, times, given = asyncio.run(_readers(port, tokens))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
        store = opened.folder.store()
        checked(store)
        rows = {(a["reader"], a["number"]): a["answers"]["confidence"] for a in store.answers()}
        total = len(store.answers())
        store.close()
    lost = len(given) - len(rows.keys() & given.keys())
    changed = sum(rows[k] != v for k, v in given.items() if k in rows)
    print(
        f"{total} answers in {started:.0f} s; lost {lost}, doubled {total - len(rows)}, "
        f"changed {changed}; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    shown = [[name, len(t), *(f"{1000 * np.percentile(t, q):.0f}" for q in (50, 95, 99))]
             for name, t in times.items()]  # fmt: skip
    print(table(["request", "number", "median [ms]", "p95 [ms]", "p99 [ms]"], shown))


async def _readers(port: int, tokens: list[dict[str, str]]):
    times: dict[str, list[float]] = {"answer and next page": [], "picture": []}
    given: dict[tuple[str, int], int] = {}
    start = time.perf_counter()
    await asyncio.gather(*(_reader(port, t, times, given) for t in tokens))
    return time.perf_counter() - start, times, given


async def _reader(port, token, times, given) -> None:
    base = f"http://127.0.0.1:{port}"
    rng = np.random.default_rng(int(token["reader"][1:]))
    async with httpx.AsyncClient(base_url=base, timeout=60, headers={"Origin": base}) as client:
        for _ in range(300):
            try:
                await client.get(f"/enter/{token['token']}")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.1)
        await client.post("/begin", data={"session": "1"})
        page = (await client.get("/read")).text
        for _ in range(ANSWERS):
            number = int(re.search(r'name="number" value="(\d+)"', page)[1])
            at = time.perf_counter()
            picture = await client.get(f"/frame/{number}/0/0/0")
            assert picture.status_code == 200
            times["picture"].append(time.perf_counter() - at)
            await asyncio.sleep(rng.uniform(0.5, 1.5))  # faster than anybody reads
            answer = int(rng.integers(1, 7))
            form = {"number": number, "revision": 0, "confidence": answer}
            at = time.perf_counter()
            reply = await client.post("/answer", data=form, headers={"HX-Request": "true"})
            assert reply.status_code == 200, reply.text
            times["answer and next page"].append(time.perf_counter() - at)
            given[token["reader"], number] = answer
            page = reply.text


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["statistics", "load"]
    if "statistics" in wanted:
        type_one()
        power()
    if "load" in wanted:
        load()
