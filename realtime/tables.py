"""The tables of the live log: one clock per topic, the numbered events, and who is alive."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

#: The slot of a row that is written now.
DAY = text("CAST(floor(extract(epoch FROM now()) / 86400) AS bigint) % 5")

metadata = MetaData(naming_convention=NAMING_CONVENTION)

# One row per topic, locked only by the UPDATE that takes the next number. The row of "*" is no
# topic: it holds the epoch of all topics, so that all change it together, and for its seq the
# timeline of the server (realtime.lineage).
topic_clock = Table(
    "topic_clock",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
)

# The primary key serves every read: one topic, one epoch, numbers after N. The slot is the day on
# which the row is written, by turns (realtime.retention): each is a partition, event_0 to event_4.
event = Table(
    "event",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("body", JSONB, nullable=False),
    Column("slot", SmallInteger, primary_key=True, autoincrement=False, server_default=DAY),
    Index(None, "at"),
    postgresql_partition_by="LIST (slot)",
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
