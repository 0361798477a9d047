"""Where a review is kept: SQLite by default, PostgreSQL by its URL.

Every writing is one transaction that appends to the log under a lock, so that the chain of hashes
has one end, and an answer is there together with its entry or not at all.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError

from sdq_core.errors import ReviewError
from sdq_core.hashing import canonical_json
from sdq_core.review import tables
from sdq_core.review.chain import GENESIS, Entry, entry_hash
from sdq_core.review.order import Slot
from sdq_core.review.refusal import Refused

__all__ = ["Store", "Writer", "sqlite_url"]

LOCK: Final = 0x5D9_2EF1
"""Number of the advisory locks in PostgreSQL: this one for writing, the next one for serving."""
_FULL: Final = ("disk is full", "no space left", "diskfull", "could not extend file")

Clock = Callable[[], datetime]


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{path.absolute()}"


def _now() -> datetime:
    return datetime.now(UTC)


class Store:
    """An open review database.

    Parameters
    ----------
    url : str
        As SQLAlchemy has it.
    clock : callable
        The time, for tests.
    """

    def __init__(self, url: str, clock: Clock = _now) -> None:
        self.clock = clock
        self._queue = threading.Lock()
        try:
            self.url = sa.make_url(url)
            self.engine = sa.create_engine(self.url, **_options(self.url))
        except (SQLAlchemyError, ImportError) as error:
            raise ReviewError(
                f"database: cannot be used ({type(error).__name__}: {error}); give "
                f"sqlite:///FILE, or postgresql+pg8000://USER@HOST/NAME with "
                f"pip install 'sdq[postgresql]'"
            ) from error
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a SQLite file."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def _shown(self) -> str:
        return self.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    # --- making -----------------------------------------------------------------------------------

    def create(
        self,
        content: dict[str, Any],
        tokens: dict[str, str],
        orders: Mapping[str, Sequence[Slot]],
        opened: dict[str, Any],
    ) -> None:
        """Make the tables and write the first entry of the log.

        Parameters
        ----------
        content : dict
            Of the study, JSON-ready.
        tokens : dict of str to str
            Reader -> hash of the access code.
        orders : mapping of str to sequence of Slot
        opened : dict
            Content of the first entry; holds the seal.

        Raises
        ------
        ReviewError
            There is a review in this database already, or it cannot be made.
        """
        try:
            with self.engine.execution_options(writes=True).begin() as connection:
                if sa.inspect(connection).has_table(tables.study.name):
                    raise ReviewError(
                        f"database {self._shown}: holds a review already; give an empty one"
                    )
                tables.metadata.create_all(connection)
                tables.guard(connection)
                connection.execute(
                    tables.study.insert(), [{"id": 1, "content": canonical_json(content).decode()}]
                )
                connection.execute(
                    tables.readers.insert(),
                    [{"reader": r, "token_hash": h} for r, h in tokens.items()],
                )
                connection.execute(
                    tables.slots.insert(),
                    [
                        {
                            "reader": reader, "number": s.number, "session": s.session,
                            "case_name": s.case, "purpose": s.purpose, "flipped": s.flipped,
                        }
                        for reader, order in orders.items()
                        for s in order
                    ],
                )  # fmt: skip
                Writer(connection, self.clock()).log("opened", content=opened)
        except SQLAlchemyError as error:
            raise ReviewError(
                f"database {self._shown}: the review cannot be made ({_short(error)}); check that "
                f"it runs and that you may make tables in it"
            ) from error

    # --- reading ----------------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection that sees one state of the database."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise _refused(error) from error

    def content(self) -> dict[str, Any]:
        """Return what was sealed at the opening.

        Raises
        ------
        ReviewError
            The database holds no review.
        """
        try:
            with self.engine.begin() as connection:
                if not sa.inspect(connection).has_table(tables.study.name):
                    raise ReviewError(
                        f"database {self._shown}: holds no review; open one with 'sdq review open'"
                    )
                text = connection.execute(sa.select(tables.study.c.content)).scalar_one()
        except SQLAlchemyError as error:
            raise ReviewError(
                f"database {self._shown}: cannot be read ({_short(error)}); check its address"
            ) from error
        found: dict[str, Any] = json.loads(text)
        return found

    def entries(self) -> list[Entry]:
        """Return the log in order."""
        with self.reading() as connection:
            rows = connection.execute(sa.select(tables.log).order_by(tables.log.c.seq)).all()
        return [
            Entry(
                r.seq, r.at, r.kind, r.reader, r.number, json.loads(r.content), r.previous, r.hash
            )
            for r in rows
        ]

    def slots(self) -> dict[str, tuple[Slot, ...]]:
        """Return every reader's order."""
        with self.reading() as connection:
            rows = connection.execute(
                sa.select(tables.slots).order_by(tables.slots.c.reader, tables.slots.c.number)
            ).all()
        found: dict[str, list[Slot]] = {}
        for r in rows:
            slot = Slot(r.number, r.session, r.case_name, r.purpose, bool(r.flipped))
            found.setdefault(r.reader, []).append(slot)
        return {reader: tuple(order) for reader, order in found.items()}

    def answers(self) -> list[dict[str, Any]]:
        """Return all answers, revisions among them, in the order in which they came."""
        with self.reading() as connection:
            rows = connection.execute(
                sa.select(tables.answers).order_by(tables.answers.c.seq)
            ).all()
        return [
            {
                "reader": r.reader, "number": r.number, "revision": r.revision, "at": r.at,
                "seq": r.seq, **json.loads(r.content),
            }
            for r in rows
        ]  # fmt: skip

    # --- writing ----------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """Give a writer that alone appends, until the block ends; an error takes all of it back.

        Raises
        ------
        Refused
            The database takes nothing: the disk is full, or it does not answer.
        """
        try:
            # SQLite makes a second writer sleep and try again; in one process a queue is faster.
            with self._queue, self.engine.execution_options(writes=True).begin() as connection:
                if not self.is_sqlite:
                    connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({LOCK})"))
                yield Writer(connection, self.clock())
        except DBAPIError as error:
            raise _refused(error) from error


class Writer:
    """Appends to the log and to the answers inside one transaction.

    Parameters
    ----------
    connection : Connection
    now : datetime
    """

    def __init__(self, connection: sa.Connection, now: datetime) -> None:
        self.connection = connection
        self._clock = now.astimezone(UTC).isoformat(timespec="microseconds")

    def log(
        self, kind: str, reader: str = "", number: int = 0, content: dict[str, Any] | None = None
    ) -> tuple[int, str]:
        """Append one entry; return its number and time.

        The time never runs backwards: a clock that does is noted, and the entry gets the time of
        the one before, so that no pause between sessions is shortened.
        """
        last = self.connection.execute(
            sa.select(tables.log.c.seq, tables.log.c.at, tables.log.c.hash)
            .order_by(tables.log.c.seq.desc())
            .limit(1)
        ).first()
        seq, at, previous = (1, self._clock, GENESIS)
        body = dict(content or {})
        if last is not None:
            seq, previous = last.seq + 1, last.hash
            at = max(last.at, self._clock)
            if self._clock < last.at:
                body["clock"] = self._clock
        digest = entry_hash(seq, at, kind, reader, number, body, previous)
        self.connection.execute(
            tables.log.insert(),
            [
                {
                    "seq": seq, "at": at, "kind": kind, "reader": reader, "number": number,
                    "content": canonical_json(body).decode(), "previous": previous, "hash": digest,
                }
            ],
        )  # fmt: skip
        return seq, at

    def answer(self, reader: str, number: int, revision: int, content: dict[str, Any]) -> None:
        """Append an answer together with its entry.

        Raises
        ------
        Refused
            The same revision is there already.
        """
        seq, at = self.log("answered", reader, number, {"revision": revision, **content})
        try:
            self.connection.execute(
                tables.answers.insert(),
                [
                    {
                        "reader": reader, "number": number, "revision": revision, "at": at,
                        "content": canonical_json(content).decode(), "seq": seq,
                    }
                ],
            )  # fmt: skip
        except IntegrityError as error:
            raise Refused("repeated") from error


def _options(url: sa.URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": 30, "check_same_thread": False}, "pool_size": 10,
                "max_overflow": 40}  # fmt: skip
    return {"pool_size": 10, "max_overflow": 40, "pool_pre_ping": True}


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # transactions begin below, not where the driver guesses
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _short(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0][:200]


def _refused(error: DBAPIError) -> Refused | ReviewError:
    text = f"{type(error.orig).__name__} {error.orig}".lower()
    if any(words in text for words in _FULL):
        return Refused("disk_full")
    if isinstance(error, OperationalError) or error.connection_invalidated:
        return Refused("database")
    return ReviewError(f"database: refused a statement ({_short(error)}); please report this")
