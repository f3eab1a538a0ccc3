"""Statements that go and come back in one turn: begun, committed, failed, dropped, given up."""

import asyncio
from collections.abc import AsyncIterator, Callable

import psycopg
import pytest
import sqlalchemy as sa

from dispatch import db, pipeline
from dispatch.pipeline import Asked

IDLE, OPEN = psycopg.pq.TransactionStatus.IDLE, psycopg.pq.TransactionStatus.INTRANS
_ADD = b"insert into topic_clock (topic, epoch, seq) values ($1, 'e', $2)"


@pytest.fixture
async def one(database: str) -> AsyncIterator[pipeline.Connection]:
    """Give a connection of a fresh database."""
    conn = await pipeline.Connection.connect(database)
    yield conn
    await conn.close()


async def _topics(conn: pipeline.Connection) -> set[str]:
    rows = await (await conn.execute("select topic from topic_clock")).fetchall()
    await conn.rollback()
    return {row[0] for row in rows} - {"*"}


async def test_it_begins_by_itself_and_commits_with_the_last(one: pipeline.Connection) -> None:
    assert one.info.transaction_status is IDLE
    assert await one.ask([Asked(b"select $1::int as a, $2::text as b", [1, None])]) == (
        [[{"a": 1, "b": None}]], None,
    )  # fmt: skip
    assert one.info.transaction_status is OPEN
    assert await one.ask([Asked(_ADD, ["a", 1]), Asked(_ADD, ["b", 1])], commit=True) == (
        [[], []], None,
    )  # fmt: skip
    assert one.info.transaction_status is IDLE
    assert await _topics(one) == {"a", "b"}


async def test_what_comes_after_a_fault_is_not_run_nor_committed(one: pipeline.Connection) -> None:
    asked = [Asked(_ADD, ["a", 1]), Asked(_ADD, ["a", 1]), Asked(_ADD, ["b", 1])]
    rows, error = await one.ask(asked, commit=True)
    assert rows == [[]]
    assert isinstance(error, psycopg.errors.UniqueViolation)
    await one.rollback()
    assert await _topics(one) == set()


async def test_to_commit_what_has_failed_is_an_error(one: pipeline.Connection) -> None:
    await one.ask([Asked(_ADD, ["a", 1])])
    await one.ask([Asked(b"select 1 / $1::int", [0])])
    assert isinstance((await one.ask([], commit=True))[1], psycopg.errors.InFailedSqlTransaction)
    assert await _topics(one) == set()


async def test_a_value_that_cannot_be_written_sends_nothing(one: pipeline.Connection) -> None:
    with pytest.raises(psycopg.ProgrammingError):
        await one.ask([Asked(_ADD, ["a", 1]), Asked(_ADD, [object(), 1])])
    assert one.info.transaction_status is IDLE


async def test_statements_stay_prepared_over_a_rollback_and_the_oldest_go(
    one: pipeline.Connection,
) -> None:
    count = b"select count(*) as n from pg_prepared_statements where name like 'golden%'"
    for number in range(pipeline.PREPARED_MOST + 20):
        await one.ask([Asked(b"select %d as n" % number, [])])
    await one.ask([Asked(b"select broken from nowhere", [])])
    await one.rollback()
    [[found]], _ = await one.ask([Asked(count, [])])
    assert found["n"] == pipeline.PREPARED_MOST + 1  # the one that counts is just being prepared
    # What was dropped is prepared again.
    assert (await one.ask([Asked(b"select 0 as n", [])]))[0] == [[{"n": 0}]]


async def test_a_table_that_was_changed_under_it_costs_the_connection(
    one: pipeline.Connection, database: str
) -> None:
    await one.ask([Asked(b"create table changed (a int)", [])], commit=True)
    await one.ask([Asked(b"select * from changed", [])], commit=True)
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as other:
        await other.execute("alter table changed alter a type text")
    _, error = await one.ask([Asked(b"select * from changed", [])])
    assert isinstance(error, psycopg.errors.FeatureNotSupported)
    assert one.closed


async def test_a_lost_connection_says_why_and_is_closed(one: pipeline.Connection) -> None:
    end = b"select pg_terminate_backend(pg_backend_pid())"
    _, error = await one.ask([Asked(end, []), Asked(b"select 1", [])])
    assert isinstance(error, psycopg.OperationalError)
    with pytest.raises(psycopg.OperationalError):
        await one.ask([Asked(b"select 1", [])])
    assert one.closed


async def test_who_gives_up_leaves_a_connection_that_can_be_used(one: pipeline.Connection) -> None:
    waiting = asyncio.create_task(one.ask([Asked(b"select pg_sleep(30)", [])]))
    await asyncio.sleep(0)  # it is sent by now
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await one.rollback()
    assert (await one.ask([Asked(b"select 1 as n", [])]))[0] == [[{"n": 1}]]


# ---- ahead and last


class _Found(Exception):
    pass


def _find(rows: list[db.Rows]) -> None:
    if rows[-1]:
        raise _Found


_ONE, _NONE = sa.text("select 1 as n"), sa.text("select 1 as n where false")
_NOTE = sa.text("insert into topic_clock (topic, epoch, seq) values ('a', 'e', 1)")
_BROKEN = sa.text("select 1 / 0")


@pytest.fixture
async def store(database: str) -> AsyncIterator[db.Database]:
    """Give the program's own database."""
    engine = db.make_engine(database, pool_size=2)
    yield db.Database(engine, None)
    await engine.dispose()


async def _count(store: db.Database) -> int:
    async with store.single() as conn:
        found = await conn.scalar(sa.text("select count(*) from topic_clock where topic = 'a'"))
    return int(found or 0)


async def test_a_checkout_gives_way_nowhere_so_that_nobody_is_cancelled_in_it(
    one: pipeline.Connection,
) -> None:
    reading = psycopg.IsolationLevel.REPEATABLE_READ
    for work in (
        one.set_autocommit(True), one.set_isolation_level(reading), one.set_read_only(True)
    ):  # fmt: skip
        with pytest.raises(StopIteration):
            work.send(None)
    assert (one.autocommit, one.isolation_level, one.read_only) == (True, reading, True)
    await one.set_autocommit(False)
    await one.execute("select 1")
    with pytest.raises(psycopg.ProgrammingError, match="transaction"):
        await one.set_autocommit(True)


@pytest.mark.parametrize("statement", [_NOTE, _BROKEN])
@pytest.mark.parametrize("by_sqlalchemy", [False, True])
async def test_what_goes_ahead_ends_it_whatever_comes_after(
    store: db.Database, statement: sa.TextClause, *, by_sqlalchemy: bool
) -> None:
    with pytest.raises(_Found):
        await _with_ahead(store, _ONE, statement, by_sqlalchemy=by_sqlalchemy)
    assert await _count(store) == 0
    if statement is _NOTE:
        await _with_ahead(store, _NONE, statement, by_sqlalchemy=by_sqlalchemy)
        assert await _count(store) == 1


async def _with_ahead(
    store: db.Database, ahead: sa.TextClause, statement: sa.TextClause, *, by_sqlalchemy: bool
) -> None:
    async with store.transaction() as conn:
        db.put_ahead(conn, (_NONE, {}), (ahead, {}), check=_find)
        await (conn.execute(statement) if by_sqlalchemy else db.together(conn, (statement, {})))


async def test_what_goes_ahead_goes_even_alone(store: db.Database) -> None:
    with pytest.raises(_Found):
        await _with_last_only(store, _ONE)
    assert await _count(store) == 0
    await _with_last_only(store, _NONE)
    assert await _count(store) == 1


async def _with_last_only(store: db.Database, ahead: sa.TextClause) -> None:
    async with store.transaction() as conn:
        db.put_ahead(conn, (ahead, {}), check=_find)
        db.put_last(conn, (_NOTE, {}))


async def test_what_is_done_after_the_commit_is_not_done_without_it(store: db.Database) -> None:
    done: list[int] = []
    with pytest.raises(ZeroDivisionError):
        await _do_after(store, lambda: done.append(1), divisor=0)
    assert done == []
    await _do_after(store, lambda: done.append(1), divisor=1)
    assert done == [1]


async def _do_after(store: db.Database, do: Callable[[], None], *, divisor: int) -> None:
    async with store.transaction() as conn:
        db.after_commit(conn, do)
        assert 1 / divisor
