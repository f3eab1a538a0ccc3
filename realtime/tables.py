"""The tables of the live log: one clock per topic, the numbered events, and who is alive."""

from sqlalchemy import BigInteger, Column, DateTime, Index, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING_CONVENTION)

# One row per topic, locked only by the UPDATE that takes the next number. The row of "*" is no
# topic: it holds the epoch that topics are born with, so that all change it together.
topic_clock = Table(
    "topic_clock",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
)

# The primary key serves every read: one topic, one epoch, numbers after N. Trimming goes by `at`.
event = Table(
    "event",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("body", JSONB, nullable=False),
    Index(None, "at"),
)

# One row per running process, written every few seconds. `at` is the time that the processes agree
# on, `database_at` what the database's own clock said then.
process_beat = Table(
    "process_beat",
    metadata,
    Column("process", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("database_at", DateTime(timezone=True), nullable=False),
    Column("body", JSONB, nullable=False, server_default="{}"),
)
