"""The engine and the only commit in the code base.

Lock order, everywhere: incident → wave → alert → assignment → responder → lot (by id) → timer →
topic clocks (sorted by topic, taken by `realtime.log`). Locks are `FOR NO KEY UPDATE` unless the
row dies. No lock is held across routing, Redis or the network.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
import psycopg
import redis.asyncio
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import psycopg as dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from dispatch import pipeline, servers
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


def make_engine(
    database_url: str, *, pool_size: int = 8, idle_ms: int = IDLE_TIMEOUT_MS
) -> AsyncEngine:
    """Return an engine whose sessions have bounded waits; connects on first use.

    `idle_ms`: a transaction that waits for us longer is ended by the server, with its locks.
    """
    engine = create_async_engine(
        database_url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=3,
        pool_recycle=1_800,
        hide_parameters=True,  # errors are logged, and values are phone numbers and places
        json_serializer=json,
        json_deserializer=orjson.loads,
        connect_args={
            "async_creator_fn": pipeline.Connection.connect,
            "options": f"{SESSION_OPTIONS} -c idle_in_transaction_session_timeout={idle_ms}",
            **servers.options(database_url),
        },
    )
    servers.watch(engine)
    sa.event.listen(engine.sync_engine, "checkout", _refuse_dropped)
    sa.event.listen(engine.sync_engine, "before_cursor_execute", _send_ahead)
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
Rows = list[dict[str, Any]]


async def together(conn: AsyncConnection, *queries: Query) -> list[Rows]:
    """Send statements in one round trip, in this order, and return the rows of each.

    Each sees what those before it wrote and has locked, as if they were sent one by one. The first
    of a transaction take its BEGIN with them. For what an alarm waits for: SQLAlchemy and the wait
    take longer than most statements.
    """
    if not queries and (conn.invalidated or _AHEAD not in conn.info):
        return []
    return await _ask(conn, queries)


async def _ask(
    conn: AsyncConnection, queries: Sequence[Query], *, commit: bool = False
) -> list[Rows]:
    driver = _driver(conn)
    try:
        return await _turn(driver, conn.info, queries, commit=commit)
    except sa.exc.DBAPIError as error:
        if driver.closed:
            await conn.invalidate(error.orig)
        raise


@dataclass(frozen=True, slots=True)
class _Ahead:
    queries: tuple[Query, ...]
    check: Callable[[list[Rows]], None]


_AHEAD, _LAST, _AFTER = "golden_ahead", "golden_last", "golden_after"


def put_ahead(conn: AsyncConnection, *queries: Query, check: Callable[[list[Rows]], None]) -> None:
    """Send these with whatever the transaction sends first, in one round trip, before that.

    `check` is given their rows, and what it raises ends the transaction, whatever the statements
    after them have done or why they failed. `await together(conn)` sends them alone.
    """
    conn.info[_AHEAD] = _Ahead(queries, check)


def put_last(conn: AsyncConnection, query: Query) -> None:
    """Send this with the COMMIT of the transaction, before the events are appended."""
    conn.info[_LAST].append(query)


def after_commit(conn: AsyncConnection, do: Callable[[], None]) -> None:
    """Do this when the transaction is committed, before anybody is told; outside of one, now."""
    waiting = conn.info.get(_AFTER)
    if waiting is None:
        do()
    else:
        waiting.append(do)


async def _turn(
    driver: pipeline.Connection,
    info: MutableMapping[Any, Any],
    queries: Sequence[Query],
    *,
    commit: bool = False,
) -> list[Rows]:
    ahead: _Ahead | None = info.get(_AHEAD)
    before = () if ahead is None else ahead.queries
    try:
        asked = [_asked(query) for query in (*before, *queries)]
        rows, error = await driver.ask(asked, commit=commit)
    except psycopg.Error as failed:
        raise _translated(failed) from failed
    info.pop(_AHEAD, None)
    if ahead is not None and len(rows) >= len(before):
        ahead.check(rows[: len(before)])
    if error is not None:
        raise _translated(error) from error
    return rows[len(before) :]


def _translated(error: psycopg.Error) -> BaseException:
    return sa.exc.DBAPIError.instance(
        None, None, error, psycopg.Error, hide_parameters=True, dialect=_DIALECT
    )


def _driver(conn: AsyncConnection) -> pipeline.Connection:
    checked_out = None if conn.sync_connection is None else conn.sync_connection.connection
    driver = None if checked_out is None else checked_out.driver_connection
    if not isinstance(driver, pipeline.Connection):
        raise TypeError("not a connection of make_engine")
    return driver


def _send_ahead(conn: sa.Connection, *_: object) -> None:
    """Send what goes ahead also where the transaction begins with a statement of SQLAlchemy's."""
    if _AHEAD in conn.info:
        adapted: Any = conn.connection.dbapi_connection
        adapted.run_async(lambda driver: _turn(driver, conn.info, ()))


_DIALECT = dialect.PGDialectAsync_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]  # SQLAlchemy's own


def _asked(query: Query) -> pipeline.Asked:
    statement, values = query
    sql, places, fixed = _written(statement, tuple(sorted(values)))
    given = {**fixed, **values}
    return pipeline.Asked(sql, [given[name] for name in places])


@cache
def _written(
    statement: sa.ClauseElement, names: tuple[str, ...]
) -> tuple[bytes, tuple[str, ...], dict[str, Any]]:
    """Write a statement as the server takes it; an update writes the columns among the names."""
    compiled: Any = statement.compile(dialect=_DIALECT, column_keys=list(names))
    # Lists that the statement itself holds are written out; those that are given are arrays.
    whole = compiled.construct_expanded_state(dict.fromkeys(names))
    return whole.statement.encode(), tuple(whole.positiontup), dict(whole.parameters)


class Database:
    """An engine with the Redis client that carries the hints of what moved."""

    def __init__(self, engine: AsyncEngine, hints: redis.asyncio.Redis | None) -> None:
        self.engine = engine
        self._hints = hints
        self._moved: dict[str, int] = {}
        self._telling: asyncio.Task[None] | None = None
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Run one transaction; append what it told at its end, then tell Redis which topics moved.

        The hint may be lost: every process looks at the log once a second anyway.
        """
        async with self.engine.connect() as conn:
            info = conn.info
            log.hold(conn)
            info.update({_LAST: [], _AFTER: []})
            try:
                yield conn
                await _commit(conn)
                moved = log.moved(conn)
            finally:
                for name in (_AHEAD, _LAST, _AFTER):
                    info.pop(name, None)
        if moved and self._hints is not None:
            self._tell(self._hints, moved)

    def _tell(self, hints: redis.asyncio.Redis, moved: Mapping[str, int]) -> None:
        """Have Redis told which topics moved: nobody waits for that, as Redis may hang."""
        for topic, seq in moved.items():
            self._moved[topic] = max(seq, self._moved.get(topic, 0))
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_all(hints), name="hints of what moved")

    async def _tell_all(self, hints: redis.asyncio.Redis) -> None:
        """Tell it; what moves meanwhile is told of together."""
        while self._moved:
            told, self._moved = self._moved, {}
            await log.publish_moved(hints, told)

    async def settle(self) -> None:
        """Wait, before Redis is closed, until it was told; that takes half a second at most."""
        if self._telling is not None:
            await asyncio.gather(self._telling, return_exceptions=True)

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


async def _commit(conn: AsyncConnection) -> None:
    """Send what is put last, the events and the COMMIT in one round trip.

    The clocks, and the rows that it locks, are held for hardly longer than the disk takes.
    """
    await together(conn)  # what goes ahead may yet end it
    last, told = conn.info[_LAST], log.take_held(conn)
    if last or told or _driver(conn).info.transaction_status is not _IDLE:
        rows = await _ask(conn, [*last, *told], commit=True)
        appended = (row for each in rows[len(last) :] for row in each)
        log.note(conn, ((row["topic"], row["seq"]) for row in appended))
    for do in conn.info[_AFTER]:
        do()


_IDLE = psycopg.pq.TransactionStatus.IDLE
