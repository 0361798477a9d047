"""The tables of a review, and the guards that let rows be added and nothing else."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = ["answers", "guard", "log", "metadata", "readers", "slots", "study"]

metadata = MetaData()

study = Table(
    "review_study",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False),
)
"""One row: plan, questions, layout, seal, hashes of the pictures."""

readers = Table(
    "review_reader",
    metadata,
    Column("reader", String(40), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
)

slots = Table(
    "review_slot",
    metadata,
    Column("reader", String(40), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("session", Integer, nullable=False),
    Column("case_name", String(40), nullable=False),
    Column("purpose", String(10), nullable=False),
    Column("flipped", Boolean, nullable=False),
)
"""Each reader's order."""

answers = Table(
    "review_answer",
    metadata,
    Column("reader", String(40), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("content", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    UniqueConstraint("seq", name="review_answer_seq"),
)
"""A changed answer is a new row with the next revision."""

log = Table(
    "review_log",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("reader", String(40), nullable=False),
    Column("number", Integer, nullable=False),
    Column("content", Text, nullable=False),
    Column("previous", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False),
)
Index("review_log_of", log.c.reader, log.c.kind, log.c.number)

_SQLITE: Final = """
CREATE TRIGGER {table}_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'the review only adds rows, it changes and deletes none'); END
"""
_POSTGRES: Final = (
    """
    CREATE OR REPLACE FUNCTION review_only_adds() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the review only adds rows, it changes and deletes none'; END $$
    """,
    """
    CREATE TRIGGER {table}_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION review_only_adds()
    """,
)


def guard(connection: Connection) -> None:
    """Set the triggers that refuse to change or delete rows, in every table."""
    dialect = connection.dialect.name
    names = [str(table.name) for table in metadata.sorted_tables]
    statements: list[Any] = []
    if dialect == "sqlite":
        statements = [
            _SQLITE.format(table=name, verb=verb) for name in names for verb in ("UPDATE", "DELETE")
        ]
    elif dialect == "postgresql":
        statements = [_POSTGRES[0], *(_POSTGRES[1].format(table=name) for name in names)]
    for statement in statements:
        connection.exec_driver_sql(statement)
