"""Positions in Redis: the latest of each person, and nothing when Redis is away."""

from datetime import datetime

import orjson
import pytest
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from realtime import presence


async def test_the_latest_place_of_each_person_is_kept(
    redis: redis.asyncio.Redis, now: datetime
) -> None:
    for lon in (7.1, 7.2):
        place = presence.Place("p", lon, 43.7, 8.0, now)
        assert await presence.put(redis, place, topics=[], now=now)
    assert await presence.latest(redis, ["p", "q"], now=now) == {
        "p": presence.Place("p", 7.2, 43.7, 8.0, now)
    }
    names = await redis.keys("golden:*")
    assert len(names) == 2
    for name in names:
        assert 0 < await redis.ttl(name) <= presence.KEEP_S


async def test_a_sighting_is_published_to_its_topics(
    redis: redis.asyncio.Redis, now: datetime
) -> None:
    async with redis.pubsub() as channel:
        await channel.subscribe(presence.POSITIONS_CHANNEL)
        await channel.get_message(timeout=5)
        place = presence.Place("p", 7.1, 43.7, None, now)
        await presence.put(redis, place, topics=["org:a", "org:b"], now=now)
        message = await channel.get_message(timeout=5)
    assert message is not None
    [sighting] = presence.read_sightings(message["data"].decode())
    assert (sighting.topics, sighting.person_id) == (("org:a", "org:b"), "p")
    assert orjson.loads(orjson.dumps(sighting.item)) == {
        "responder": "p",
        "position": {"type": "Point", "coordinates": [7.1, 43.7]},
        "accuracy_m": None,
        "at": "2026-11-22T08:30:00Z",
    }


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"topics":"x","person":"p","item":{}}]'])
def test_a_strange_sighting_is_none(text: str) -> None:
    assert presence.read_sightings(text) == []


async def test_RT_7_without_redis_nobody_is_anywhere_and_nothing_fails(now: datetime) -> None:
    nowhere = redis.asyncio.Redis(
        unix_socket_path="/nonexistent/redis.sock", retry=Retry(NoBackoff(), 0)
    )
    writes, reads = presence.calls.of(nowhere), presence.reads.of(nowhere)
    writes.pause_s = reads.pause_s = 60.0
    place = presence.Place("p", 7.1, 43.7, None, now)
    assert not await presence.put(nowhere, place, topics=["org:a"], now=now)
    assert await presence.latest(nowhere, ["p"], now=now) == {}
    assert not await presence.put(nowhere, place, topics=["org:a"], now=now)
    assert await presence.latest(nowhere, ["p"], now=now) == {}
    assert (writes.failed, writes.skipped) == (1, 1)
    assert (reads.failed, reads.skipped) == (1, 1)
    await nowhere.aclose()
