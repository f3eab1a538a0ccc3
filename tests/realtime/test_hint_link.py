"""A link to Redis that is up and brings nothing, behind a proxy that drops what it should bring."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from waiting import until

from realtime import hint_link, log
from realtime.hint_link import HintLink
from tests.chaos import proxies
from tests.chaos.proxies import Proxy


@pytest.fixture
async def proxy(redis_url: str) -> AsyncIterator[Proxy]:
    """Stand before Redis."""
    standing = Proxy("redis", proxies.to_socket(urlsplit(redis_url).path))
    await standing.start()
    yield standing
    await standing.close()


@asynccontextmanager
async def _linked(port: int, *, name: str = "a") -> AsyncIterator[tuple[HintLink, list[str]]]:
    client = redis.asyncio.Redis(port=port, socket_timeout=0.5, retry=Retry(NoBackoff(), 0))
    taken: list[str] = []
    link = HintLink(client, ("other",), lambda _, data: taken.append(data), name=name)
    running = asyncio.create_task(link.run())
    try:
        yield link, taken
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await client.aclose()


async def test_WAT_2_a_link_that_brings_nothing_is_found_and_made_anew(proxy: Proxy) -> None:
    async with _linked(proxy.port) as (link, _):
        await until(lambda: link.is_hearing)
        proxy.poison(deaf_to=b"golden:moved")
        await until(lambda: link.deaf_found, within_s=5)
        assert not link.is_hearing
        assert link.deaf_since is not None
        proxy.heal()
        await until(lambda: link.is_hearing, within_s=5)
        assert link.deaf_since is None


async def test_WAT_2_probes_wake_nobody(redis: redis.asyncio.Redis, proxy: Proxy) -> None:
    async with (
        _linked(proxy.port) as (one, taken),
        _linked(proxy.port, name="b") as (other, also_taken),
    ):
        await until(lambda: one.is_hearing and other.is_hearing)
        await log.publish_moved(redis, {"org:a": 7})
        await until(lambda: taken and also_taken)
        assert taken == also_taken == ["org:a 7"]


async def test_a_redis_that_hangs_is_noticed(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hint_link, "PROBE_EVERY_S", 3_600)  # only the pings are left to tell
    async with _linked(proxy.port) as (link, _):
        await until(lambda: link.is_hearing)
        proxy.poison(black_hole=True)
        await until(lambda: not link.is_hearing, within_s=10)
        proxy.heal()
        await until(lambda: link.is_hearing, within_s=10)
