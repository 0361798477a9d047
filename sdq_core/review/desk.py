"""A reader's desk: which case lies on it, and what may be done with it.

All state is in the database: a closed browser or a killed server loses nothing, and any number of
readers work at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import sqlalchemy as sa

from sdq_core.review import tables
from sdq_core.review.forms import COMMENT, ReviewItem, answers_of, form
from sdq_core.review.order import Slot
from sdq_core.review.plan import ReviewPlan
from sdq_core.review.refusal import Refused
from sdq_core.review.store import Store

__all__ = ["EVENTS", "Desk", "Standing", "token_hash"]

EVENTS: Final = frozenset({"focus_lost", "focus_back", "display_checked"})
"""What a page may report besides answers."""
_FACTS: Final = ("milliseconds", "presets", "zoom", "frames", "focus_lost")
_MOST_REFUSED: Final = 500
_MOST_NOTED: Final = 100
"""Refusals of one kind and reader, and events of one kind and case, that are logged: a script that
hammers must not fill the disk."""

Stage = Literal["welcome", "case", "feedback", "washout", "done", "closed"]


def token_hash(token: str) -> str:
    """Return the hash under which an access code is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True)
class Standing:
    """Where a reader stands.

    Parameters
    ----------
    stage : str
    slot : Slot or None
        The case on the desk.
    revision : int
        0 for a first answer; the number of the change else.
    done, total : int
        Readings, training and repeats among them.
    session, sessions : int
    given : mapping
        The last answer to the case, for feedback and changes.
    until : str
        End of the pause.
    may_change : bool
        Whether the case before may be changed.
    """

    stage: Stage
    slot: Slot | None
    revision: int
    done: int
    total: int
    session: int
    sessions: int
    given: Mapping[str, Any] = field(default_factory=dict)
    until: str = ""
    may_change: bool = False


class Desk:
    """Serves the readers of one study.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.content = store.content()
        self.plan = ReviewPlan.model_validate(self.content["plan"])
        items = [ReviewItem(**item) for item in self.content["items"]]
        self.questions = form(self.plan.type, items)
        self.labels: Mapping[str, str] = self.content.get("labels", {})
        self.training: Mapping[str, Any] = self.content.get("training", {})
        self._refused: dict[tuple[str, str], int] = {}
        self._orders: dict[str, tuple[Slot, ...]] = {}

    # --- who and where ----------------------------------------------------------------------------

    def reader_of(self, token: str) -> str | None:
        """Return whose access code this is; None for an unknown one."""
        with self.store.reading() as connection:
            found = connection.execute(
                sa.select(tables.readers.c.reader).where(
                    tables.readers.c.token_hash == token_hash(token)
                )
            ).scalar_one_or_none()
        return None if found is None else str(found)

    def standing(self, reader: str, *, back: bool = False) -> Standing:
        """Return where a reader stands.

        Parameters
        ----------
        reader : str
        back : bool
            Whether the case before is wanted, to change its answer.

        Raises
        ------
        Refused
            There is no case that may be changed.
        """
        with self.store.reading() as connection:
            return self._standing(connection, reader, back=back)

    def _standing(self, connection: sa.Connection, reader: str, *, back: bool = False) -> Standing:
        order = self._order(connection, reader)
        done = self._done(connection, reader)
        last = order[done - 1] if done else None
        following = order[done] if done < len(order) else None
        session = (following or last or order[0]).session
        may_change = (
            last is not None
            and last.purpose != "training"
            and (following is None or following.session == last.session)
        )

        def stand(stage: Stage, slot: Slot | None = None, **more: Any) -> Standing:
            revision = more.pop("revision", 0)
            return Standing(
                stage, slot, revision, done, len(order), session, self.plan.sessions,
                may_change=may_change and stage in ("case", "done"), **more,
            )  # fmt: skip

        if self._noted(connection, "", "closed"):
            return stand("closed")
        if (
            last is not None
            and last.purpose == "training"
            and not self._noted(connection, reader, "continued", last.number)
        ):
            given = self._latest(connection, reader, last.number)
            return stand("feedback", last, given=given)
        if back:
            if last is None or not may_change:
                raise Refused("revision")
            given = self._latest(connection, reader, last.number)
            return stand("case", last, revision=given["revision"] + 1, given=given)
        if following is None:
            return stand("done")
        if not self._noted(connection, reader, "began", following.session):
            until = self._pause_end(connection, reader, following, last)
            if until is not None and self.store.clock() < until:
                return stand("washout", until=until.isoformat(timespec="minutes"))
            return stand("welcome")
        return stand("case", following)

    # --- what a reader does -----------------------------------------------------------------------

    def begin(self, reader: str, session: int, name: str, statement: str) -> None:
        """Begin a session: who reads, what that means and when stands in the log.

        Raises
        ------
        Refused
            The pause is not over, or the study is closed.
        """
        with self.store.writing() as writer:
            standing = self._standing(writer.connection, reader)
            if standing.stage == "closed":
                raise Refused("closed")
            if standing.stage == "washout":
                raise Refused("washout")
            if standing.stage != "welcome" or standing.session != session:
                return  # begun already, by a second click
            writer.log("began", reader, session, {"name": name[:200], "statement": statement})

    def show(self, reader: str, number: int, revision: int) -> None:
        """Note that a case is shown, once for each revision."""
        kind = "shown" if revision == 0 else "shown_again"
        with self.store.reading() as connection:
            if self._noted(connection, reader, kind, number) and revision == 0:
                return
        with self.store.writing() as writer:
            noted = self._count(writer.connection, reader, kind, number)
            if noted < (_MOST_NOTED if revision else 1):
                writer.log(kind, reader, number)

    def answer(
        self, reader: str, number: int, revision: int, given: Mapping[str, str], facts: Any = None
    ) -> None:
        """Take an answer.

        Parameters
        ----------
        reader : str
        number, revision : int
            As they stand in the form.
        given : mapping of str to str
            Question -> answer, and ``comment``.
        facts : object
            What the page measured; only known numbers are kept.

        Raises
        ------
        Refused
            It is not this case's turn, came twice with other content, or after the end. What was
            given is then in the log.
        """
        answers = answers_of(self.questions, given)
        comment = str(given.get("comment", "")).strip()
        if len(comment) > COMMENT:
            raise Refused("too_large")
        content: dict[str, Any] = {
            "answers": answers or {},
            "comment": comment,
            "facts": _known(facts),
        }
        try:
            if answers is None:
                raise Refused("answers")
            with self.store.writing() as writer:
                if self._take(writer.connection, reader, number, revision, content):
                    shown = self._shown_at(writer.connection, reader, number)
                    passed = (self.store.clock() - shown).total_seconds()
                    content["seconds"] = max(0, int(1000 * passed)) / 1000
                    writer.answer(reader, number, revision, content)
        except Refused as refused:
            if refused.code not in ("disk_full", "database"):
                self.refused(refused.code, reader, number, {"revision": revision, **content})
            raise

    def proceed(self, reader: str, number: int) -> None:
        """Leave the feedback on a training case."""
        with self.store.writing() as writer:
            standing = self._standing(writer.connection, reader)
            slot = standing.slot
            if standing.stage == "feedback" and slot is not None and slot.number == number:
                writer.log("continued", reader, number)

    def event(self, reader: str, kind: str, number: int) -> None:
        """Note something that the page reports.

        Raises
        ------
        Refused
            It is none of `EVENTS`.
        """
        if kind not in EVENTS:
            raise Refused("event")
        with self.store.writing() as writer:
            if self._count(writer.connection, reader, kind, number) < _MOST_NOTED:
                writer.log(kind, reader, number)

    def refused(
        self, code: str, reader: str = "", number: int = 0, content: dict[str, Any] | None = None
    ) -> None:
        """Note that something was refused."""
        key = (code, reader)
        self._refused[key] = self._refused.get(key, 0) + 1
        if self._refused[key] > _MOST_REFUSED:
            return
        try:
            with self.store.writing() as writer:
                writer.log("refused", reader, number, {"code": code, **(content or {})})
        except Refused:
            return  # the database takes nothing; the caller's own message says so

    def side(self, reader: str, number: int, place: int) -> tuple[str, str]:
        """Return case and side of a picture that lies on the reader's desk.

        Parameters
        ----------
        reader : str
        number : int
            Of the case on the desk, or of the one before, which may be changed.
        place : int
            0, or 1 for the right one of a pair.

        Raises
        ------
        Refused
            The case is not on the desk.
        """
        with self.store.reading() as connection:
            standing = self._standing(connection, reader)
            allowed = {standing.slot.number} if standing.slot is not None else set()
            if standing.may_change:
                allowed.add(standing.done)
            pair = self.plan.type == "pairs"
            if number not in allowed or place not in ((0, 1) if pair else (0,)):
                raise Refused("picture")
            slot = self._order(connection, reader)[number - 1]
        return slot.case, "ba"[place] if slot.flipped and pair else "ab"[place]

    # --- inside -----------------------------------------------------------------------------------

    def _take(
        self, connection: sa.Connection, reader: str, number: int, revision: int,
        content: Mapping[str, Any],
    ) -> bool:  # fmt: skip
        """Return whether an answer is new; False for one that came twice with the same content."""
        standing = self._standing(connection, reader)
        if standing.stage == "closed":
            raise Refused("closed")
        if number < 1 or number > standing.total:
            raise Refused("not_shown")
        if number <= standing.done:
            latest = self._latest(connection, reader, number)
            if revision <= latest["revision"]:
                if all(latest[k] == content[k] for k in ("answers", "comment")):
                    return False  # sent twice: a lost reply, a double click
                raise Refused("repeated")
            if not (standing.may_change and number == standing.done):
                raise Refused("revision")
            if revision != latest["revision"] + 1:
                raise Refused("revision")
            return True
        if standing.stage == "washout":
            raise Refused("washout")
        if standing.stage == "welcome":
            raise Refused("session")
        if standing.stage != "case" or number != standing.done + 1 or revision != 0:
            raise Refused("not_shown")
        if not self._noted(connection, reader, "shown", number):
            raise Refused("not_shown")
        return True

    def _order(self, connection: sa.Connection, reader: str) -> tuple[Slot, ...]:
        if reader not in self._orders:  # it never changes
            t = tables.slots
            rows = connection.execute(sa.select(t).where(t.c.reader == reader).order_by(t.c.number))
            self._orders[reader] = tuple(
                Slot(r.number, r.session, r.case_name, r.purpose, bool(r.flipped))
                for r in rows.all()
            )
        return self._orders[reader]

    def _done(self, connection: sa.Connection, reader: str) -> int:
        t = tables.answers
        found = connection.execute(sa.select(sa.func.max(t.c.number)).where(t.c.reader == reader))
        return int(found.scalar_one() or 0)

    def _latest(self, connection: sa.Connection, reader: str, number: int) -> dict[str, Any]:
        t = tables.answers
        row = connection.execute(
            sa.select(t.c.content, t.c.revision, t.c.at)
            .where(t.c.reader == reader, t.c.number == number)
            .order_by(t.c.revision.desc())
            .limit(1)
        ).one()
        return {"revision": row.revision, "at": row.at, **json.loads(row.content)}

    def _noted(
        self, connection: sa.Connection, reader: str, kind: str, number: int | None = None
    ) -> bool:
        t = tables.log
        wanted = sa.select(t.c.seq).where(t.c.reader == reader, t.c.kind == kind)
        if number is not None:
            wanted = wanted.where(t.c.number == number)
        return connection.execute(wanted.limit(1)).first() is not None

    def _count(self, connection: sa.Connection, reader: str, kind: str, number: int) -> int:
        t = tables.log
        wanted = sa.select(sa.func.count()).where(
            t.c.reader == reader, t.c.kind == kind, t.c.number == number
        )
        return int(connection.execute(wanted).scalar_one())

    def _shown_at(self, connection: sa.Connection, reader: str, number: int) -> datetime:
        t = tables.log
        found = connection.execute(
            sa.select(sa.func.max(t.c.at)).where(
                t.c.reader == reader,
                t.c.number == number,
                t.c.kind.in_(("shown", "shown_again")),
            )
        ).scalar_one()
        return datetime.fromisoformat(found)

    def _pause_end(
        self, connection: sa.Connection, reader: str, following: Slot, last: Slot | None
    ) -> datetime | None:
        if following.session == 1 or last is None or not self.plan.washout_days:
            return None
        t = tables.answers
        ended = connection.execute(
            sa.select(sa.func.max(t.c.at)).where(t.c.reader == reader)
        ).scalar_one()
        return datetime.fromisoformat(ended) + timedelta(days=self.plan.washout_days)


def _known(facts: Any) -> dict[str, Any]:
    """Keep what a page may measure, as numbers within bounds."""
    if not isinstance(facts, Mapping):
        return {}
    found: dict[str, Any] = {}
    for name in _FACTS:
        value = facts.get(name)
        if isinstance(value, bool):
            continue
        if isinstance(value, int | float) and 0 <= value < 1e12:
            found[name] = round(float(value), 3)
        elif isinstance(value, list) and len(value) <= 200:
            found[name] = [int(v) for v in value if isinstance(v, int) and 0 <= v < 10_000]
    return found
