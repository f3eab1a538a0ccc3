"""The log on a real PostgreSQL: numbers follow commits, nothing is lost, trims leave no holes."""

import asyncio
from datetime import datetime, timedelta

import pytest
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db
from realtime import deadline, log, retention
from realtime.protocol import Mark


async def test_append_numbers_from_one_and_keeps_the_body(
    conn: AsyncConnection, now: datetime
) -> None:
    assert await log.append(conn, "org:a", "opened", {"at": now, "zh": "事件"}, at=now) == 1
    assert await log.append(conn, "org:a", "closed", {}, at=now) == 2

    mark = (await log.position_of(conn, ["org:a"]))["org:a"]
    first, second = await log.read_after(conn, "org:a", mark.epoch, 0, limit=10)
    assert (first.seq, first.kind, first.at) == (1, "opened", now)
    assert first.value() == {"at": "2026-11-22T08:30:00Z", "zh": "事件"}
    assert (second.seq, second.epoch) == (2, mark.epoch)


async def test_append_many_gives_each_topic_consecutive_numbers(
    conn: AsyncConnection, now: datetime
) -> None:
    await log.append(conn, "org:b", "first", {}, at=now)
    items = [
        log.Item("team:2", "a", {}),
        log.Item("org:b", "b", {}),
        log.Item("team:2", "c", {}),
        log.Item("incident:1", "d", {}),
    ]
    last = await log.append_many(conn, items, at=now)

    assert last == {"team:2": 2, "org:b": 2, "incident:1": 1}
    mark = (await log.position_of(conn, ["team:2"]))["team:2"]
    events = await log.read_after(conn, "team:2", mark.epoch, 0, limit=10)
    assert [(event.seq, event.kind) for event in events] == [(1, "a"), (2, "c")]


async def test_append_many_of_nothing_does_nothing(conn: AsyncConnection, now: datetime) -> None:
    log.forget_moved(conn)
    assert await log.append_many(conn, [], at=now) == {}
    assert log.moved(conn) == {}


async def test_moved_topics_are_remembered_and_forgotten(
    conn: AsyncConnection, now: datetime
) -> None:
    log.forget_moved(conn)
    await log.append(conn, "org:a", "x", {}, at=now)
    await log.append(conn, "org:a", "y", {}, at=now)
    assert log.moved(conn) == {"org:a": 2}
    log.forget_moved(conn)
    assert log.moved(conn) == {}


async def test_every_migrated_database_has_a_birth_epoch(conn: AsyncConnection) -> None:
    """Without it all works, but the first event of each topic costs its listeners a snapshot."""
    assert (await log.position_of(conn, ["org:unmoved"]))["org:unmoved"].epoch != ""


async def test_a_topic_that_never_moved_stands_at_zero_of_its_birth_epoch(
    conn: AsyncConnection, now: datetime
) -> None:
    born = await log.new_epoch(conn)
    before = (await log.position_of(conn, ["org:new"]))["org:new"]
    await log.append(conn, "org:new", "x", {}, at=now)
    after = (await log.position_of(conn, ["org:new"]))["org:new"]

    assert before == Mark(born, 0)
    assert after == Mark(born, 1)


async def test_without_a_birth_epoch_an_unmoved_topic_has_none(
    conn: AsyncConnection, now: datetime
) -> None:
    await conn.execute(text("DELETE FROM topic_clock"))
    assert (await log.position_of(conn, ["org:a"]))["org:a"] == Mark("", 0)
    await log.append(conn, "org:a", "x", {}, at=now)
    assert (await log.position_of(conn, ["org:a"]))["org:a"].epoch != ""


async def test_only_topics_that_are_not_at_their_marks_are_named(
    conn: AsyncConnection, now: datetime
) -> None:
    born = await log.new_epoch(conn)
    await log.append(conn, "org:a", "x", {}, at=now)
    marks = {
        "org:a": Mark(born, 0), "org:still": Mark(born, 0), "org:turned": Mark("other", 0),
        "org:lost": Mark(born, 4),
    }  # fmt: skip
    away = {
        "org:a": Mark(born, 1), "org:turned": Mark(born, 0), "org:lost": Mark(born, 0)
    }  # fmt: skip
    assert await log.away_from(conn, marks) == away
    assert away == {
        topic: clock
        for topic, clock in (await log.position_of(conn, marks)).items()
        if clock != marks[topic]
    }


async def test_a_new_epoch_turns_every_topic(conn: AsyncConnection, now: datetime) -> None:
    await log.append(conn, "org:a", "x", {}, at=now)
    old = (await log.position_of(conn, ["org:a"]))["org:a"]
    new = await log.new_epoch(conn)

    assert (await log.position_of(conn, ["org:a"]))["org:a"] == Mark(new, old.seq)
    assert await log.append(conn, "org:a", "y", {}, at=now) == old.seq + 1
    events = await log.read_after(conn, "org:a", new, old.seq, limit=10)
    assert [event.kind for event in events] == ["y"]


async def test_reading_is_bounded_per_topic(conn: AsyncConnection, now: datetime) -> None:
    items = [log.Item(topic, "x", {}) for topic in ("a:1", "b:1") for _ in range(5)]
    await log.append_many(conn, items, at=now)
    epoch = (await log.position_of(conn, ["a:1"]))["a:1"].epoch
    marks = {"a:1": Mark(epoch, 0), "b:1": Mark(epoch, 3), "c:1": Mark(epoch, 0)}
    events = await log.read_after_many(conn, marks, limit=3)

    assert [(event.topic, event.seq) for event in events] == [
        ("a:1", 1), ("a:1", 2), ("a:1", 3), ("b:1", 4), ("b:1", 5),
    ]  # fmt: skip


async def test_HST_8_a_day_goes_as_a_whole_when_its_newest_event_is_old(
    conn: AsyncConnection, now: datetime
) -> None:
    old, limit = now - timedelta(hours=80), now - timedelta(hours=72)
    for at in (old, old, now, old, now):  # clocks disagree
        await log.append(conn, "org:a", "x", {}, at=at)
    epoch = (await log.position_of(conn, ["org:a"]))["org:a"].epoch
    await _lay(conn, "seq in (1, 2)", days_ago=4)
    await _lay(conn, "seq in (3, 4)", days_ago=3)

    assert await retention.trim(conn, before=limit) == 1
    assert await retention.trim(conn, before=limit) == 0
    kept = await log.read_after(conn, "org:a", epoch, 0, limit=10)
    assert [event.seq for event in kept] == [3, 4, 5]
    assert (await log.position_of(conn, ["org:a"]))["org:a"].seq == 5


async def test_HST_8_what_is_being_read_is_left_for_the_next_time(
    database: str, now: datetime
) -> None:
    engine = db.make_engine(database)
    whole = db.Database(engine, None)
    async with whole.transaction() as conn:
        await log.append(conn, "org:a", "x", {}, at=now - timedelta(hours=80))
    async with whole.snapshot() as reader:
        await log.read_after(reader, "org:a", "", 0, limit=10)
        with pytest.raises(retention.Busy):
            async with whole.transaction() as conn:
                await retention.trim(conn, before=now - timedelta(hours=72))
    async with whole.transaction() as conn:
        assert await retention.trim(conn, before=now - timedelta(hours=72)) == 1
    await engine.dispose()


async def _lay(conn: AsyncConnection, which: str, *, days_ago: int) -> None:
    """Lay events where they would lie had they been written on another day."""
    move = f"UPDATE event SET slot = (slot + 5 - {days_ago}) % 5 WHERE {which}"  # noqa: S608 - our own
    await conn.execute(text(move))


async def test_RT_1_eight_writers_lose_nothing(database: str, now: datetime) -> None:
    """House A11, fact 2: a cursor over a sequence loses rows; a counter row does not."""
    engine = db.make_engine(database, pool_size=10)
    whole = db.Database(engine, None)
    writers, each = 8, 25

    async def write(number: int) -> None:
        for count in range(each):
            async with whole.transaction() as conn:
                await log.append(conn, "org:a", "x", {"by": number, "count": count}, at=now)
                # A transaction that dawdles after it took its number must not be overtaken.
                await conn.execute(text("SELECT pg_sleep(random() * 0.003)"))

    seen: list[int] = []

    async def read(epoch: str) -> None:
        while len(seen) < writers * each:
            async with engine.connect() as conn:
                after = seen[-1] if seen else 0
                events = await log.read_after(conn, "org:a", epoch, after, limit=1_000)
                seen.extend(event.seq for event in events)

    async with whole.transaction() as conn:
        epoch = await log.new_epoch(conn)
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(read(epoch))
        for number in range(writers):
            tasks.create_task(write(number))
    await engine.dispose()

    assert seen == list(range(1, writers * each + 1))


async def test_writers_of_the_same_topics_never_deadlock(database: str, now: datetime) -> None:
    engine = db.make_engine(database, pool_size=8)
    whole = db.Database(engine, None)
    topics = [f"t:{number}" for number in range(6)]

    async def write(shift: int) -> None:
        order = topics[shift:] + topics[:shift]
        for _ in range(20):
            async with whole.transaction() as conn:
                await log.append_many(conn, [log.Item(topic, "x", {}) for topic in order], at=now)

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for shift in range(6):
            tasks.create_task(write(shift))
    async with engine.connect() as conn:
        marks = await log.position_of(conn, topics)
    await engine.dispose()

    assert {mark.seq for mark in marks.values()} == {120}


async def test_RT_2_an_event_is_seen_only_after_its_commit(database: str, now: datetime) -> None:
    engine = db.make_engine(database)
    whole = db.Database(engine, None)
    async with engine.connect() as reader:
        async with whole.transaction() as conn:
            await log.append(conn, "org:a", "x", {}, at=now)
            before = (await log.position_of(reader, ["org:a"]))["org:a"].seq
        await reader.rollback()
        after = (await log.position_of(reader, ["org:a"]))["org:a"].seq
    await engine.dispose()

    assert (before, after) == (0, 1)


async def test_a_rolled_back_transaction_leaves_no_gap(database: str, now: datetime) -> None:
    engine = db.make_engine(database)
    whole = db.Database(engine, None)

    async def fail() -> None:
        async with whole.transaction() as conn:
            await log.append(conn, "org:a", "x", {}, at=now)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await fail()
    async with whole.transaction() as conn:
        assert await log.append(conn, "org:a", "x", {}, at=now) == 1
    await engine.dispose()


async def test_a_hint_names_the_topics_that_moved(
    redis: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What another test's Redis did is not this one's business.
    monkeypatch.setattr(log, "hints", deadline.Breaker(log.PUBLISH_PAUSE_S))
    async with redis.pubsub() as channel:
        await channel.subscribe(log.MOVED_CHANNEL)
        await channel.get_message(timeout=5)
        await log.publish_moved(redis, {"org:a": 7, "person:1 2": 8})
        message = await channel.get_message(timeout=5)
    assert message is not None
    assert log.read_hint(message["data"].decode()) == {"org:a": 7, "person:1 2": 8}


def test_a_strange_hint_is_left_out() -> None:
    assert log.read_hint("nonsense\norg:a x\n 5\norg:b 9") == {"org:b": 9}


async def test_RT_7_a_dead_redis_costs_a_hint_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "hints", deadline.Breaker(60))
    nowhere = redis.asyncio.Redis(
        unix_socket_path="/nonexistent/redis.sock", retry=Retry(NoBackoff(), 0)
    )
    await log.publish_moved(nowhere, {"org:a": 1})
    await log.publish_moved(nowhere, {"org:a": 2})
    await nowhere.aclose()

    assert (log.hints.failed, log.hints.skipped) == (1, 1)
