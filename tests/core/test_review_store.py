"""The store: nothing is lost, doubled or changed unnoticed, in SQLite and in PostgreSQL."""

import os
import subprocess
import threading
from contextlib import ExitStack
from itertools import count

import pytest
import sqlalchemy as sa
from review_databases import postgres, programs
from review_made import STORES, Browser, close_all, make, read_all

from sdq_core.errors import ReviewError
from sdq_core.review import tables
from sdq_core.review.closing import checked, close_review, revealed, status
from sdq_core.review.desk import Desk
from sdq_core.review.exporting import to_csv, to_imrmc, to_jsonl
from sdq_core.review.refusal import Refused
from sdq_core.review.serving import served_alone
from sdq_core.review.store import Store

NUMBERS = count()


@pytest.fixture(autouse=True)
def _closed():
    yield
    close_all()


@pytest.fixture(scope="module")
def server():
    if programs() is None:
        pytest.skip("no PostgreSQL is installed (apt install postgresql)")
    pytest.importorskip("pg8000", reason="pg8000 is not installed")
    if os.geteuid() == 0:
        try:
            __import__("pwd").getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    with ExitStack() as stack:
        try:
            url = stack.enter_context(postgres())
        except subprocess.CalledProcessError as error:
            pytest.skip(f"PostgreSQL does not start here: {error.stderr[-200:]!r}")
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request):
    """None for SQLite, else the URL of an empty database."""
    if request.param == "sqlite":
        yield None
        return
    url = sa.make_url(request.getfixturevalue("server"))
    name = f"review{next(NUMBERS)}"
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    yield url.set(database=name).render_as_string(hide_password=False)


def answer(reader, slot):
    return {"confidence": 1 + (len(reader) + slot.number) % 6}


def test_a_study_from_opening_to_export(tmp_path, database):
    made = make(tmp_path, database=database, number=8, training=2, repeats=0.5)
    read_all(made, answer)
    key = close_review(made.store, made.key_path)
    entries = checked(made.store)
    assert revealed(entries) == key == made.key
    lines = to_csv(made.store).decode().splitlines()
    assert len(lines) == 1 + 2 * (2 + 8 + 4)
    assert lines[0].startswith("reader,number,revision,session,case,purpose")
    assert to_jsonl(made.store).count(b"\n") == len(entries)
    imrmc = to_imrmc(made.store).decode().splitlines()
    begin = imrmc.index("BEGIN DATA:")
    assert imrmc[1:begin] == ["N0: 4", "N1: 4", "NR: 2", "NM: 1"]
    truth = [line.split(",") for line in imrmc[begin + 1 :] if line.startswith("-1,")]
    assert {c: t == "1" for _, c, _, t in truth} == {
        c: made.truth(c) for c in made.key.cases if c not in made.store.content()["training"]
    }
    scores = [line for line in imrmc[begin + 1 :] if line.startswith("r")]
    assert len(scores) == 16
    assert all(line.split(",")[2] == "synthetic" for line in scores)


def test_rows_cannot_be_changed_or_deleted(tmp_path, database):
    made = make(tmp_path, database=database, training=0)
    read_all(made, answer, readers=["r1"])
    for table in tables.metadata.sorted_tables:
        column = next(iter(table.columns))
        for statement in (
            sa.update(table).values({column.name: column}),
            sa.delete(table),
        ):
            writing = made.store.engine.execution_options(writes=True).begin()
            with (
                pytest.raises(sa.exc.DBAPIError, match="only adds rows"),
                writing as connection,
            ):
                connection.execute(statement)
    assert len(made.store.answers()) == 8
    checked(made.store)


def test_many_readers_at_once_lose_and_double_nothing(tmp_path, database):
    readers = tuple(f"r{k}" for k in range(5))
    made = make(tmp_path, database=database, number=10, training=0, readers=readers)
    made.store.clock = lambda: made.clock.now
    desk, errors = made.desk(), []

    def work(reader):
        try:
            desk.begin(reader, 1, "", "yes")
            for number in range(1, 11):
                desk.show(reader, number, 0)
                given = {"confidence": str(1 + number % 6)}
                for _ in range(2):  # every form is sent twice
                    desk.answer(reader, number, 0, given)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(r,)) for r in readers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    rows = [(a["reader"], a["number"]) for a in made.store.answers()]
    assert sorted(rows) == sorted((r, n) for r in readers for n in range(1, 11))
    checked(made.store)


def test_only_one_server_a_database(tmp_path, database):
    made = make(tmp_path, database=database)
    other = Store(made.store.url.render_as_string(hide_password=False))
    STORES.append(other)
    second = served_alone(other)
    with (
        served_alone(made.store),
        pytest.raises(ReviewError, match="another server serves"),
        second,
    ):
        pass
    with served_alone(other):
        pass


def test_a_second_review_in_one_database_is_refused(tmp_path, database):
    made = make(tmp_path, database=database)
    with pytest.raises(ReviewError, match="holds a review already"):
        made.store.create(made.store.content(), {}, {}, {})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("UPDATE review_log SET content = '{}' WHERE kind = 'answered'", "log: entry"),
        ("DELETE FROM review_log WHERE seq = 4", "log: entry"),
        ("UPDATE review_log SET at = '2020-01-01T00:00:00+00:00' WHERE seq = 3", "log: entry 3"),
        ("UPDATE review_answer SET content = replace(content, '3', '6')", "answers: that of log"),
        ("DELETE FROM review_answer WHERE number = 2", "is missing"),
        ("UPDATE review_study SET content = replace(content, '0.6', '0.9')", "seal or plan"),
        ("DELETE FROM review_log", "log: entry 1"),
    ],
)
def test_what_is_changed_behind_the_triggers_is_found(tmp_path, change, message):
    made = make(tmp_path, number=4, training=0)
    read_all(made, lambda r, s: {"confidence": 3}, readers=["r1"])
    checked(made.store)
    with made.store.engine.begin() as connection:
        for name in connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).all():
            connection.exec_driver_sql(f"DROP TRIGGER {name[0]}")
        connection.exec_driver_sql(change)
    with pytest.raises(ReviewError, match=message):
        checked(made.store)


def test_a_full_disk_keeps_the_answer_on_the_page_and_takes_it_later(tmp_path):
    made = make(tmp_path, training=0)
    browser = Browser(made)
    browser.get(f"/enter/{made.tokens['r1']}")
    browser.post("/begin", {"session": "1"})
    browser.get("/read")
    limit = [1]

    def little_room(connection, record):
        connection.execute(f"PRAGMA max_page_count = {limit[0]}")

    sa.event.listen(made.store.engine, "connect", little_room)
    made.store.engine.dispose()
    for number in range(1, 9):  # until the pages that there are hold no more
        form = {"number": str(number), "revision": "0", "confidence": "5", "comment": "y" * 1900}
        reply = browser.post("/answer", form)
        if not reply.is_redirect:
            break
        browser.get("/read")
    assert reply.status_code == 507
    assert "the disk of the server is full" in reply.text
    assert "y" * 1900 in reply.text
    assert 'value="5" required\nchecked' in reply.text
    assert len(made.store.answers()) == number - 1
    limit[0] = 2**30
    made.store.engine.dispose()
    assert browser.post("/answer", form).is_redirect
    assert len(made.store.answers()) == number
    checked(made.store)


def test_a_database_that_is_gone_is_said(tmp_path):
    with pytest.raises(ReviewError, match="cannot be read"):
        Store(f"sqlite:///{tmp_path / 'no' / 'such'}").content()
    with pytest.raises(ReviewError, match="holds no review"):
        Store(f"sqlite:///{tmp_path / 'empty'}").content()
    with pytest.raises(ReviewError, match="cannot be used"):
        Store("klingon://somewhere")


def test_a_clock_that_runs_backwards_loses_nothing_and_shortens_no_pause(tmp_path):
    made = make(tmp_path, number=8, training=0, sessions=2, washout_days=28, readers=("r1",))
    desk = made.desk()
    desk.begin("r1", 1, "", "yes")
    for number in range(1, 5):
        if number == 3:
            made.clock.move(days=-400)
        desk.show("r1", number, 0)
        desk.answer("r1", number, 0, {"confidence": "2"})
    times = [e.at for e in made.store.entries()]
    assert times == sorted(times)
    assert any("clock" in e.content for e in made.store.entries())
    assert desk.standing("r1").stage == "washout"
    made.clock.move(days=28)  # the clock is still a year behind
    assert desk.standing("r1").stage == "washout"
    checked(made.store)


def test_the_pause_between_sessions_is_kept(tmp_path):
    made = make(tmp_path, number=8, training=0, sessions=2, washout_days=28, repeats=0.25,
                readers=("r1",))  # fmt: skip
    desk = made.desk()
    desk.begin("r1", 1, "", "yes")
    for number in range(1, 5):
        desk.show("r1", number, 0)
        desk.answer("r1", number, 0, {"confidence": "2"})
    made.clock.move(days=27)
    standing = desk.standing("r1")
    assert (standing.stage, standing.until[:10]) == ("washout", "2026-05-29")
    with pytest.raises(Refused, match="pause between two sessions"):
        desk.begin("r1", 2, "", "yes")
    with pytest.raises(Refused, match="pause between two sessions"):
        desk.answer("r1", 5, 0, {"confidence": "2"})
    with pytest.raises(Refused):
        desk.standing("r1", back=True)
    made.clock.move(days=2)
    assert desk.standing("r1").stage == "welcome"
    with pytest.raises(Refused, match="has not begun"):
        desk.answer("r1", 5, 0, {"confidence": "2"})
    desk.begin("r1", 2, "", "yes")
    desk.begin("r1", 2, "", "yes")  # a second click
    assert [e.kind for e in made.store.entries()].count("began") == 2
    assert desk.standing("r1").slot.number == 5
    purposes = [s.purpose for s in made.store.slots()["r1"]]
    assert purposes[:4] == ["reading"] * 4
    assert purposes.count("repeat") == 2


def test_closing_needs_the_sealed_key_and_happens_once(tmp_path):
    made = make(tmp_path / "one", number=4)
    other = make(tmp_path / "two", number=4)
    with pytest.raises(ReviewError, match="does not match the seal"):
        close_review(made.store, other.key_path)
    assert status(made.store).refused == {"wrong_key": 1}
    assert not status(made.store).closed
    changed = made.key_path.read_text().replace("holdout", "synthetic")
    (tmp_path / "changed.json").write_text(changed)
    with pytest.raises(ReviewError, match="does not match the seal"):
        close_review(made.store, tmp_path / "changed.json")
    (tmp_path / "broken.json").write_text("{}")
    with pytest.raises(ReviewError, match="is not the answer key"):
        close_review(made.store, tmp_path / "broken.json")
    with pytest.raises(ReviewError, match="the answers are sealed"):
        revealed(made.store.entries())
    close_review(made.store, made.key_path)
    with pytest.raises(ReviewError, match="is closed already"):
        close_review(made.store, made.key_path)
    assert made.key_path.stat().st_mode & 0o077 == 0


def test_before_closing_exports_say_nothing_of_what_is_true(tmp_path):
    made = make(tmp_path, number=4, training=0)
    read_all(made, answer)
    text = to_csv(made.store).decode()
    assert "holdout" not in text
    assert b"holdout" not in to_jsonl(made.store)
    with pytest.raises(ReviewError, match="close it first"):
        to_imrmc(made.store)


def test_a_comment_is_no_formula_in_a_spreadsheet(tmp_path):
    made = make(tmp_path, number=4, training=0, readers=("r1",))
    read_all(made, lambda r, s: {"confidence": 1, "comment": "=cmd|'/c calc'!A1"})
    assert "'=cmd" in to_csv(made.store).decode()
    assert Desk(made.store).standing("r1").stage == "done"
