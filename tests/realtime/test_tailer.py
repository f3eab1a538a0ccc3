"""Following the log with a real PostgreSQL and Redis, and with either of them failing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import orjson
import pytest
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from waiting import until

from dispatch import db
from realtime import log, presence, tailer
from realtime.connection import QUEUE_MOST, Connection, Load
from realtime.hub import Hub
from realtime.protocol import Mark
from realtime.stream import Stream


@pytest.fixture
async def own_engine(database: str) -> AsyncIterator[AsyncEngine]:
    engine = db.make_engine(database)
    yield engine
    await engine.dispose()


class Ear:
    """A connection whose frames can be looked at; loads are done by setting the cursor."""

    def __init__(self, hub: Hub, topic: str, mark: Mark) -> None:
        self.connection = Connection(self._send, self._load)
        self.loads: list[Load] = []
        self.frames: list[dict[str, object]] = []
        stream = self.connection.streams[topic] = Stream(topic, mark)
        hub.join(self.connection, topic)
        hub.follow(topic, mark)
        stream.arrive(mark)
        stream.release()

    async def _send(self, text: str) -> None:
        self.frames.append(orjson.loads(text))

    async def _load(self, _: Connection, load: Load) -> Sequence[str]:
        self.loads.append(load)
        return []

    @property
    def seqs(self) -> list[str]:
        return [str(frame["seq"]) for frame in self.frames if frame["type"] == "event"]


@asynccontextmanager
async def _following(
    engine: AsyncEngine, client: redis.asyncio.Redis | None, hub: Hub, *ears: Ear
) -> AsyncIterator[tailer.Tailer]:
    follower = tailer.Tailer(engine, client, hub)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(follower.run())]
        running += [tasks.create_task(ear.connection.write()) for ear in ears]
        yield follower
        for task in running:
            task.cancel()


def _nowhere() -> redis.asyncio.Redis:
    return redis.asyncio.Redis(
        unix_socket_path="/nonexistent/redis.sock", retry=Retry(NoBackoff(), 0)
    )


async def _say(engine: AsyncEngine, client: redis.asyncio.Redis | None, now: datetime) -> None:
    async with db.Database(engine, client).transaction() as conn:
        await log.append(conn, "org:a", "x", {}, at=now)


async def _mark(engine: AsyncEngine) -> Mark:
    async with engine.connect() as conn:
        return (await log.position_of(conn, ["org:a"]))["org:a"]


async def test_a_hint_brings_events_before_the_next_look(
    own_engine: AsyncEngine,
    redis: redis.asyncio.Redis,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tailer, "TICK_S", 3_600)
    hub = Hub()
    ear = Ear(hub, "org:a", await _mark(own_engine))
    async with _following(own_engine, redis, hub, ear) as follower:
        await until(lambda: follower.is_hearing)
        # The first may be found by the one look that is due; the others only by their hints.
        for count in (1, 2, 3, 4):
            await _say(own_engine, redis, now)
            await until(lambda count=count: len(ear.seqs) == count)


async def test_RT_7_lost_hints_cost_one_tick(
    own_engine: AsyncEngine, redis: redis.asyncio.Redis, now: datetime
) -> None:
    hub = Hub()
    ear = Ear(hub, "org:a", await _mark(own_engine))
    async with _following(own_engine, redis, hub, ear) as follower:
        await until(lambda: follower.is_hearing)
        await _say(own_engine, None, now)
        await until(lambda: ear.seqs == ["1"])


@pytest.mark.parametrize("has_redis", [True, False])
async def test_RT_7_events_come_without_redis(
    own_engine: AsyncEngine, now: datetime, has_redis: bool
) -> None:
    client = _nowhere() if has_redis else None
    hub = Hub()
    ear = Ear(hub, "org:a", await _mark(own_engine))
    async with _following(own_engine, client, hub, ear):
        await _say(own_engine, None, now)
        await until(lambda: ear.seqs == ["1"])
        await _say(own_engine, None, now)
        await until(lambda: ear.seqs == ["1", "2"])


async def test_a_killed_subscription_is_made_again(
    own_engine: AsyncEngine, redis: redis.asyncio.Redis, now: datetime
) -> None:
    hub = Hub()
    ear = Ear(hub, "org:a", await _mark(own_engine))
    async with _following(own_engine, redis, hub, ear) as follower:
        await until(lambda: follower.is_hearing)
        await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await _say(own_engine, redis, now)
        await until(lambda: ear.seqs == ["1"])
        heard = follower.hints
        await until(lambda: follower.is_hearing)
        await _say_until_hinted(own_engine, redis, follower, heard, now)


async def _say_until_hinted(
    engine: AsyncEngine,
    client: redis.asyncio.Redis,
    follower: tailer.Tailer,
    heard: int,
    now: datetime,
) -> None:
    async with asyncio.timeout(20):
        while follower.hints == heard:
            await _say(engine, client, now)


async def test_everything_missed_is_read_however_much(
    own_engine: AsyncEngine, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tailer, "READ_MOST", 10)
    hub = Hub()
    ear = Ear(hub, "org:a", await _mark(own_engine))
    items = [log.Item("org:a", "x", {}) for _ in range(95)]
    async with db.Database(own_engine, None).transaction() as conn:
        await log.append_many(conn, items, at=now)
    async with _following(own_engine, None, hub, ear):
        await until(lambda: len(ear.seqs) == 95)
    assert ear.seqs == [str(seq) for seq in range(1, 96)]


async def test_RT_6_a_great_burst_is_no_reason_to_close_who_reads(
    own_engine: AsyncEngine, now: datetime
) -> None:
    hub = Hub()
    ear = Ear(hub, "org:a", await _mark(own_engine))
    items = [log.Item("org:a", "x", {}) for _ in range(QUEUE_MOST * 3)]
    async with db.Database(own_engine, None).transaction() as conn:
        await log.append_many(conn, items, at=now)
    async with _following(own_engine, None, hub, ear):
        await until(lambda: len(ear.seqs) == len(items))
    assert ear.connection.closing is None


async def test_a_new_epoch_is_noticed(own_engine: AsyncEngine, now: datetime) -> None:
    hub = Hub()
    ear = Ear(hub, "org:a", await _mark(own_engine))
    async with _following(own_engine, None, hub, ear):
        async with db.Database(own_engine, None).transaction() as conn:
            epoch = await log.new_epoch(conn)
        await until(lambda: ear.loads == [Load(("org:a",))])
    assert hub.cursors()["org:a"] == Mark(epoch, 0)


async def test_events_that_are_no_longer_kept_make_everybody_load(
    own_engine: AsyncEngine, now: datetime
) -> None:
    hub = Hub()
    ear = Ear(hub, "org:a", await _mark(own_engine))
    await _say(own_engine, None, now)
    async with db.Database(own_engine, None).transaction() as conn:
        await conn.execute(text("DELETE FROM event"))
    async with _following(own_engine, None, hub, ear):
        await until(lambda: ear.loads == [Load(("org:a",))])


async def test_a_failing_database_is_counted_and_outlived(
    own_engine: AsyncEngine, now: datetime
) -> None:
    hub = Hub()
    ear = Ear(hub, "org:a", await _mark(own_engine))
    async with _following(own_engine, None, hub, ear) as follower:
        await _rename(own_engine, "topic_clock", "gone")
        await until(lambda: follower.failures > 0)
        await _rename(own_engine, "gone", "topic_clock")
        await _say(own_engine, None, now)
        await until(lambda: ear.seqs == ["1"])


async def _rename(engine: AsyncEngine, old: str, new: str) -> None:
    async with db.Database(engine, None).transaction() as conn:
        await conn.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))


async def test_RT_10_positions_reach_the_listeners(
    own_engine: AsyncEngine, redis: redis.asyncio.Redis, now: datetime
) -> None:
    hub = Hub()
    ear = Ear(hub, "org:a", await _mark(own_engine))
    async with _following(own_engine, redis, hub, ear) as follower:
        await until(lambda: follower.is_hearing)
        for lon in (7.1, 7.2):
            place = presence.Place("p", lon, 43.7, None, now)
            await presence.put(redis, place, topics=["org:a"], now=now)
        await until(lambda: hub._moving)
        await until(lambda: b"7.2" in bytes(orjson.dumps(hub._moving["org:a"]["p"])))
        hub.tick(0.0, server_time=now)
        await until(lambda: any(frame["type"] == "positions" for frame in ear.frames))
