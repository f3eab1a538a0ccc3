"""The engine and the only commit in the code base.

Lock order, everywhere: incident → wave → alert → assignment → responder → lot (by id) → timer →
topic clocks (sorted by topic, taken by `realtime.log`). Locks are `FOR NO KEY UPDATE` unless the
row dies. No lock is held across routing, Redis or the network.
"""

from __future__ import annotations

import select
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import orjson
import psycopg
import redis.asyncio
import sqlalchemy as sa
from psycopg.rows import dict_row
from sqlalchemy.dialects.postgresql import psycopg as dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from realtime import log

#: How long a request waits for a row lock before it gives up with a clear error.
LOCK_TIMEOUT_MS = 3_000
#: No statement of a request or timer may run longer; imports set their own.
STATEMENT_TIMEOUT_MS = 10_000
#: A crashed client inside a transaction must not keep its locks.
IDLE_TIMEOUT_MS = 10_000

SESSION_OPTIONS = (
    f"-c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout={STATEMENT_TIMEOUT_MS} "
    f"-c idle_in_transaction_session_timeout={IDLE_TIMEOUT_MS} -c timezone=UTC -c jit=off"
)


def make_engine(database_url: str, *, pool_size: int = 8) -> AsyncEngine:
    """Return an engine whose sessions have bounded waits; connects on first use."""
    engine = create_async_engine(
        database_url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=3,
        pool_recycle=1_800,
        hide_parameters=True,  # errors are logged, and values are phone numbers and places
        json_serializer=json,
        json_deserializer=orjson.loads,
        connect_args={"options": SESSION_OPTIONS, "connect_timeout": 3},
    )
    sa.event.listen(engine.sync_engine, "checkout", _refuse_dropped)
    return engine


def json(value: object) -> str:
    """Write a value as JSON, as every column of JSON is written."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY).decode()


def _refuse_dropped(_adapted: object, record: sa.pool.ConnectionPoolEntry, _proxy: object) -> None:
    """Make connections anew when the server has closed this one, without asking it.

    A server says nothing to an idle session, so whatever there is to read is its farewell.
    """
    connection = record.driver_connection
    if connection is None or connection.closed:
        raise sa.exc.InvalidatePoolError
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    if poller.poll(0):
        raise sa.exc.InvalidatePoolError


#: A statement that is made once, and its parameters as the driver takes them: JSON as text.
Query = tuple[sa.ClauseElement, Mapping[str, Any]]


async def together(conn: AsyncConnection, *queries: Query) -> list[list[dict[str, Any]]]:
    """Send statements in one round trip, in this order, and return the rows of each.

    Each sees what those before it wrote and has locked, as if they were sent one by one. For what
    an alarm waits for: SQLAlchemy and the wait take longer than most statements.
    """
    driver = _driver(conn)
    try:
        if len(queries) == 1:
            return [await _rows(await _ask(driver, queries[0]))]
        async with driver.pipeline():
            asked = [await _ask(driver, query) for query in queries]
        return [await _rows(cursor) for cursor in asked]
    except psycopg.Error as error:
        if driver.closed:
            await conn.invalidate(error)
        raise sa.exc.DBAPIError.instance(
            None, None, error, psycopg.Error, hide_parameters=True, dialect=_DIALECT
        ) from error


_DIALECT = dialect.PGDialectAsync_psycopg()  # type: ignore[no-untyped-call]  # SQLAlchemy's own


def _driver(conn: AsyncConnection) -> psycopg.AsyncConnection[Any]:
    checked_out = None if conn.sync_connection is None else conn.sync_connection.connection
    driver = None if checked_out is None else checked_out.driver_connection
    if not isinstance(driver, psycopg.AsyncConnection):
        raise TypeError("not a connection of psycopg")
    return driver


async def _ask(
    driver: psycopg.AsyncConnection[Any], query: Query
) -> psycopg.AsyncCursor[dict[str, Any]]:
    statement, values = query
    sql, fixed = _written(statement, tuple(sorted(values)))
    cursor = driver.cursor(row_factory=dict_row)
    return await cursor.execute(sql, {**fixed, **values})


async def _rows(cursor: psycopg.AsyncCursor[dict[str, Any]]) -> list[dict[str, Any]]:
    return [] if cursor.description is None else await cursor.fetchall()


@cache
def _written(statement: sa.ClauseElement, names: tuple[str, ...]) -> tuple[bytes, dict[str, Any]]:
    """Write a statement as the driver takes it; an update writes the columns among the names."""
    compiled: Any = statement.compile(dialect=_DIALECT, column_keys=list(names))
    # Lists that the statement itself holds are written out; those that are given are arrays.
    whole = compiled.construct_expanded_state(dict.fromkeys(names))
    return whole.statement.encode(), dict(whole.parameters)


class Database:
    """An engine with the Redis client that carries the hints of what moved."""

    def __init__(self, engine: AsyncEngine, hints: redis.asyncio.Redis | None) -> None:
        self.engine = engine
        self._hints = hints
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Run one transaction; append what it told at its end, then tell Redis which topics moved.

        The hint may be lost: every process looks at the log once a second anyway.
        """
        async with self.engine.connect() as conn:
            log.hold(conn)
            async with conn.begin():
                yield conn
                await log.release(conn)
            moved = log.moved(conn)
        if moved and self._hints is not None:
            await log.publish_moved(self._hints, moved)

    @asynccontextmanager
    async def single(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for one read, which is an instant by itself: no BEGIN and COMMIT."""
        async with self._single.connect() as conn:
            yield conn

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """Give a read-only view of one instant (repeatable read)."""
        async with self.engine.connect() as conn:
            view = await conn.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            async with view.begin():
                yield view
