"""A whole review in a real browser: forty cases by keyboard, the server killed twice on the way."""

import csv
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from sdq_core.review.closing import checked, close_review
from sdq_core.review.exporting import to_csv
from sdq_core.review.folder import Folder
from sdq_core.review.opening import open_review
from sdq_core.review.plan import ReviewPlan, plan_text

PLAYWRIGHT = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
STUDY = Path(__file__).parents[2] / "fixtures/cxr/study.yaml"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
KILL_AFTER = (11, 27)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """`sdq review serve` as a process of its own."""

    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(), None

    def start(self):
        command = [sys.executable, "-m", "sdq_core.cli", "review", "serve", str(self.folder)]
        self.process = subprocess.Popen([*command, "--port", str(self.port)])
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("the server does not answer")

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    folder = tmp_path_factory.mktemp("review")
    plan = ReviewPlan(
        study=os.path.relpath(STUDY, folder), readers=("r1",), repeats=0.0,
        cases={"real": 20, "synthetic": 20, "training": 2},
    )  # fmt: skip
    (folder / "review.yaml").write_text(plan_text(plan))
    return open_review(folder / "review.yaml", folder / "review", folder / "key.json")


def token(opened):
    return next(csv.DictReader(io.StringIO(opened.tokens.read_text())))["token"]


def test_opening_seals_the_key_hides_the_classes_and_finds_no_leak(opened):
    store = opened.folder.store()
    content = store.content()
    first = store.entries()[0]
    assert first.kind == "opened"
    assert first.content["seal"] == content["seal"] == opened.seal
    assert not opened.leak.found
    assert opened.leak.tested
    assert "name first" in opened.leak.facts
    assert "milliseconds" in opened.leak.facts
    # Nothing in the folder or the database says which case is which, but the training cases.
    taught = set(content["training"])
    names = [p.name for p in opened.folder.pictures.iterdir()]
    assert len(names) == 42
    assert all(re.fullmatch(r"[0-9a-f]{12}-a\.npy", n) for n in names)
    sizes = {p.stat().st_size for p in opened.folder.pictures.iterdir()}
    assert len(sizes) == 1
    text = (opened.folder.path / "review.sqlite").read_bytes()
    assert b"syn_0" not in text
    assert b"cxr_0" not in text
    assert len(taught) == 2
    store.close()


def until(page, condition, seconds=60):
    """Wait until a condition holds; by asking from outside, as the page allows no eval."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(PLAYWRIGHT.Error):  # the page is just being replaced
            if page.evaluate(condition):
                return
        time.sleep(0.02)
    raise AssertionError(f"the page never came to: {condition}")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (apt install chromium)")
def test_forty_cases_by_keyboard_with_the_server_killed_twice(opened):
    server = Server(opened.folder.path)
    server.start()
    given = {}
    try:
        with PLAYWRIGHT.sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.set_default_timeout(60_000)
            problems = []
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.goto(f"http://127.0.0.1:{server.port}/enter/{token(opened)}")
            page.keyboard.press("Enter")  # begin
            page.wait_for_selector("#answer")
            for _ in range(100):
                page.wait_for_selector("#answer, #proceed, .card")
                if page.locator("#proceed").count():
                    page.keyboard.press("Enter")
                    page.wait_for_selector("#answer")
                    continue
                if not page.locator("#answer").count():
                    break
                number = int(page.locator("#answer input[name=number]").input_value())
                if number in (3, 20):
                    until(page, "document.querySelector('.view img').naturalWidth === 512")
                answer = 1 + (5 * number) % 6
                page.keyboard.press(str(1 + answer % 6))  # another one first: the last key counts
                page.keyboard.press(str(answer))
                if number == 8:
                    page.keyboard.press("w")
                    page.keyboard.press("+")
                    page.keyboard.press("c")
                    page.keyboard.type("1 <b>odd</b> rib", delay=0)
                    page.keyboard.press("Escape")
                if number in KILL_AFTER:
                    server.kill()
                    page.keyboard.press("Enter")
                    until(
                        page,
                        "document.querySelector('#message').textContent.includes('cannot be')",
                    )
                    server.start()  # the page sends the answer again by itself
                else:
                    page.keyboard.press("Space" if number % 2 else "Enter")
                given[number] = answer
                until(
                    page,
                    "!document.querySelector('#answer') ||"
                    f" document.querySelector('#answer input[name=number]').value !== '{number}'",
                )
            assert "All cases are read" in page.content()
            browser.close()
        assert problems == []
    finally:
        server.stop()
    folder = Folder(opened.folder.path)
    store = folder.store()
    checked(store)
    key = close_review(store, opened.key)
    rows = list(csv.DictReader(io.StringIO(to_csv(store).decode())))
    assert {int(r["number"]): int(r["confidence"]) for r in rows} == given
    assert len(rows) == len(given) == 42
    assert all(r["revision"] == "0" for r in rows)
    assert [r["comment"] for r in rows if r["comment"]] == ["1 <b>odd</b> rib"]
    truth = {c: s["a"].role for c, s in key.cases.items()}
    assert all(r["truth"] == truth[r["case"]] for r in rows)
    kinds = [e.kind for e in store.entries()]
    assert kinds.count("served") == 3
    facts = store.answers()[7]["facts"]
    assert facts["presets"] == [0, 1]
    assert facts["zoom"] == 1.25
    assert facts["milliseconds"] > 0
    store.close()
