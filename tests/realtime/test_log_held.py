"""What an action tells is appended when its transaction ends, so that no clock is locked before."""

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db
from realtime import log

_TOPICS = text("select topic, seq, kind from event order by topic, seq")


async def _told(conn: AsyncConnection) -> list[tuple[str, int, str]]:
    return [(topic, seq, kind) for topic, seq, kind in await conn.execute(_TOPICS)]


async def test_what_is_held_is_appended_at_the_end_in_the_order_told(
    database: str, now: datetime
) -> None:
    engine = db.make_engine(database)
    store = db.Database(engine, None)
    async with store.transaction() as conn:
        await log.tell(conn, [log.Item("org:a", "first", {})], at=now)
        await log.tell(conn, [log.Item("org:a", "second", {}), log.Item("a:b", "x", {})], at=now)
        assert await _told(conn) == []
        assert log.moved(conn) == {}
    async with engine.connect() as conn:
        assert await _told(conn) == [("a:b", 1, "x"), ("org:a", 1, "first"), ("org:a", 2, "second")]
    await engine.dispose()


async def test_the_clock_is_free_until_the_end(database: str, now: datetime) -> None:
    engine = db.make_engine(database)
    store = db.Database(engine, None)
    async with store.transaction() as slow:
        await log.tell(slow, [log.Item("org:a", "slow", {})], at=now)
        async with store.transaction() as quick:
            await log.tell(quick, [log.Item("org:a", "quick", {})], at=now)
    async with engine.connect() as conn:
        assert await _told(conn) == [("org:a", 1, "quick"), ("org:a", 2, "slow")]
    await engine.dispose()


async def _tell_and_fail(store: db.Database, now: datetime) -> None:
    async with store.transaction() as conn:
        await log.tell(conn, [log.Item("org:a", "x", {})], at=now)
        await conn.execute(text("select 1 / 0"))


async def test_a_transaction_that_fails_tells_nothing(database: str, now: datetime) -> None:
    engine = db.make_engine(database, pool_size=1)
    store = db.Database(engine, None)
    with pytest.raises(DataError):
        await _tell_and_fail(store, now)
    async with store.transaction() as conn:
        await log.tell(conn, [log.Item("org:a", "y", {})], at=now)
    async with engine.connect() as conn:
        assert await _told(conn) == [("org:a", 1, "y")]
    await engine.dispose()


async def test_outside_a_transaction_that_holds_it_is_appended_at_once(
    conn: AsyncConnection, now: datetime
) -> None:
    await log.tell(conn, [log.Item("org:held", "x", {})], at=now)
    assert ("org:held", 1, "x") in await _told(conn)
