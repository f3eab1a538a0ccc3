"""The engine and the only commit in the code base.

Lock order, everywhere: incident → wave → alert → assignment → responder → lot (by id) → timer →
topic clocks (sorted by topic, taken by `realtime.log`). Locks are `FOR NO KEY UPDATE` unless the
row dies. No lock is held across routing, Redis or the network.
"""

from __future__ import annotations

import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import redis.asyncio
import sqlalchemy as sa
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
        json_serializer=_json,
        connect_args={"options": SESSION_OPTIONS, "connect_timeout": 3},
    )
    sa.event.listen(engine.sync_engine, "checkout", _refuse_dropped)
    return engine


def _json(value: object) -> str:
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


@asynccontextmanager
async def savepoint(conn: AsyncConnection) -> AsyncIterator[None]:
    """Undo what is done inside when it raises, and give back the row locks that it took."""
    async with conn.begin_nested():
        yield


class Database:
    """An engine with the Redis client that carries the hints of what moved."""

    def __init__(self, engine: AsyncEngine, hints: redis.asyncio.Redis | None) -> None:
        self.engine = engine
        self._hints = hints
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Run one transaction; after its commit tell Redis which topics moved.

        The hint may be lost: every process looks at the log once a second anyway.
        """
        async with self.engine.connect() as conn:
            log.forget_moved(conn)
            async with conn.begin():
                yield conn
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
