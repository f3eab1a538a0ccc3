"""Run migrations on one connection, one transaction each; a second runner waits for the first."""

import os
import re
from typing import Any

import sqlalchemy
from alembic import context
from geoalchemy2 import alembic_helpers

from dispatch import tables as dispatch_tables
from geo import tables as geo_tables
from realtime import tables as realtime_tables

METADATA = [geo_tables.metadata, realtime_tables.metadata, dispatch_tables.metadata]
#: Any number will do, as long as no other program takes an advisory lock of that number.
_LOCK = 1_120_112_002
_PARTITION = re.compile(r"event_\d")


def _is_ours(thing: Any, name: str | None, kind: Any, reflected: bool, other: Any) -> bool:
    """Leave out the partitions of the log: the migration makes them with their table."""
    if kind == "table" and reflected and other is None and _PARTITION.fullmatch(name or ""):
        return False
    return bool(alembic_helpers.include_object(thing, name, kind, reflected, other))


def _url() -> str:
    given = context.config.attributes.get("url") or os.environ["GOLDEN_DATABASE_URL"]
    return given.replace("postgresql://", "postgresql+psycopg://", 1)


def _migrate() -> None:
    engine = sqlalchemy.create_engine(_url(), poolclass=sqlalchemy.NullPool)
    with engine.connect() as conn:
        conn.execute(sqlalchemy.text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        conn.commit()
        context.configure(
            connection=conn,
            target_metadata=METADATA,
            transaction_per_migration=True,
            include_object=_is_ours,
            process_revision_directives=alembic_helpers.writer,
            render_item=alembic_helpers.render_item,
        )
        with context.begin_transaction():
            context.run_migrations()


_migrate()
