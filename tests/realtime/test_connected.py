"""Whose phone is connected, as Redis knows it, and nobody's when Redis is away."""

from __future__ import annotations

from datetime import datetime, timedelta

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from realtime import connected


async def test_CHN_4_who_was_named_of_late_is_connected(
    redis: redis.asyncio.Redis, now: datetime
) -> None:
    assert await connected.say(redis, ["a", "b"], now=now)
    later = now + timedelta(seconds=connected.BELIEVED_S - 1)
    assert await connected.say(redis, ["b"], now=later)
    assert await connected.find(redis, ["a", "b", "c"], now=later) == {"a", "b"}
    over = now + timedelta(seconds=connected.BELIEVED_S + 1)
    assert await connected.find(redis, ["a", "b"], now=over) == {"b"}
    # What is over is thrown away with the next word.
    await connected.say(redis, ["b"], now=over)
    assert await redis.zcard("golden:connected") == 1


async def test_CHN_4_without_redis_nobody_is_connected_and_nobody_waits(now: datetime) -> None:
    away = redis.asyncio.Redis(port=1, retry=Retry(NoBackoff(), 0))
    assert not await connected.say(away, ["a"], now=now)
    assert await connected.find(away, ["a"], now=now) == set()
    await away.aclose()
