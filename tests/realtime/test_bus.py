"""A Redis Cluster of three and a Redis with sentinels, as the live log uses them."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from live_processes import free_port
from redis.asyncio import Redis
from redis.crc import key_slot
from waiting import until, until_answer

from realtime import bus, connected, deadline, log, presence
from realtime.hint_link import HintLinks
from realtime.presence import Place
from tests.hosts import rediscluster
from web.commands import cluster


@dataclass
class Node:
    """One Redis of a few."""

    port: int
    child: subprocess.Popen[bytes]


@contextmanager
def _servers(
    options: dict[int, tuple[str, ...]], *, called: str = "redis-server"
) -> Iterator[list[Node]]:
    """Run servers by their ports, each with some lines of configuration."""
    binary = cluster.redis_binary()
    assert binary is not None
    with tempfile.TemporaryDirectory(prefix="golden-bus-") as folder:
        nodes = []
        try:
            for port, more in options.items():
                home = Path(folder) / str(port)
                home.mkdir()
                conf = home / "conf"
                own = (f"port {port}", "bind 127.0.0.1", 'save ""', f"dir {home}")
                conf.write_text("\n".join((*own, *more)))
                argv = (called, str(conf))
                child = subprocess.Popen(argv, executable=binary, stdout=subprocess.DEVNULL)
                nodes.append(Node(port, child))
            yield nodes
        finally:
            for node in nodes:
                node.child.kill()
                node.child.wait()


@pytest.fixture
async def ring() -> AsyncIterator[list[Node]]:
    options: dict[int, tuple[str, ...]] = {
        free_port(): (
            "cluster-enabled yes", f"cluster-port {free_port()}", "cluster-node-timeout 2000",
            "cluster-require-full-coverage no",
        )
        for _ in range(3)
    }  # fmt: skip
    with _servers(options) as nodes:
        await rediscluster.join([("127.0.0.1", node.port) for node in nodes])
        yield nodes


@asynccontextmanager
async def _client(nodes: list[Node]) -> AsyncIterator[Redis]:
    url = "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes)
    client = bus.connect(url, within_s=0.5)
    try:
        yield client
    finally:
        await client.aclose()


@asynccontextmanager
async def _linked(client: Redis) -> AsyncIterator[tuple[HintLinks, list[str]]]:
    taken: list[str] = []
    links = HintLinks(client, ("other",), lambda _, data: taken.append(data), name="a")
    running = asyncio.create_task(links.run())
    try:
        await until(lambda: links.is_hearing)
        yield links, taken
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture(autouse=True)
def fresh_breakers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no failure of another test keep a hint back."""
    monkeypatch.setattr(log, "hints", deadline.Breaker(log.PUBLISH_PAUSE_S))
    fresh = {shard: deadline.Breaker(log.PUBLISH_PAUSE_S) for shard in bus.SHARDS}
    monkeypatch.setattr(log, "_shard_hints", fresh)


def test_HST_5_the_shards_lie_on_three_nodes_of_three() -> None:
    slots = [key_slot(bus.name_in(shard, "x").encode()) for shard in bus.SHARDS]
    assert [slot * 3 // rediscluster.SLOTS for slot in slots] == [0, 1, 2]


async def test_HST_5_hints_go_by_every_shard_and_past_a_dead_node(ring: list[Node]) -> None:
    async with _client(ring) as client, _linked(client) as (links, taken):
        for shard in bus.SHARDS:
            assert await log.publish_moved(client, {f"org:{shard}": 1}, shard=shard)
        await until(lambda: len(taken) == 3)

        ring[1].child.kill()
        await until(lambda: not links.is_hearing)
        assert [link.is_hearing for link in links.each] == [True, False, True]
        assert links.deaf_since is not None
        topics = [f"org:{number}" for number in range(12)]
        for topic in topics:
            await until_answer(lambda topic=topic: log.publish_moved(client, {topic: 2}))
        await until(lambda: {f"{topic} 2" for topic in topics} <= set(taken))


async def test_HST_6_positions_and_who_is_connected_live_in_a_cluster(
    ring: list[Node], now: datetime
) -> None:
    async with _client(ring) as client:
        place = Place("7", 114.3, 30.5, 9.0, now)
        assert await presence.put(client, place, topics=["org:a"], now=now)
        assert await presence.latest(client, ["7", "8"], now=now) == {"7": place}
        around = await presence.near(client, 114.3, 30.5, within_m=50, most=9, now=now)
        assert dict(around.places) == {"7": place}
        assert await presence.forget(client, ["7"], now=now)
        assert await presence.latest(client, ["7"], now=now) == {}
        assert await connected.say(client, ["7"], now=now)
        assert await connected.find(client, ["7", "8"], now=now) == {"7"}


async def test_HST_6_positions_are_told_by_their_shard(ring: list[Node], now: datetime) -> None:
    async with _client(ring) as client:
        seen: list[tuple[str, str]] = []
        links = HintLinks(
            client, (presence.POSITIONS_CHANNEL,), lambda *told: seen.append(told), name="a"
        )
        running = asyncio.create_task(links.run())
        await until(lambda: links.is_hearing)
        await presence.put(client, Place("7", 1.0, 2.0, 9.0, now), topics=["org:a"], now=now)
        await until(lambda: seen)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    [(channel, data)] = seen
    assert channel == presence.POSITIONS_CHANNEL
    assert presence.read_sightings(data)[0].person_id == "7"


async def test_HST_7_the_master_that_sentinels_name_and_its_successor() -> None:
    master, replica, sentinel = free_port(), free_port(), free_port()
    with _servers({master: (), replica: (f"replicaof 127.0.0.1 {master}",)}) as servers:
        watching = (
            f"sentinel monitor hints 127.0.0.1 {master} 1",
            "sentinel down-after-milliseconds hints 500",
            "sentinel failover-timeout hints 2000",
        )
        with _servers({sentinel: watching}, called="redis-sentinel"):
            url = f"redis+sentinel://127.0.0.1:{sentinel}/hints?db=0"
            client = bus.connect(url, within_s=0.5)
            async with _linked(client) as (links, taken):
                await until_answer(lambda: _has_replica(sentinel), within_s=30)
                servers[0].child.kill()
                await until(lambda: not links.is_hearing)
                await until(lambda: links.is_hearing, within_s=30)
                await until_answer(lambda: log.publish_moved(client, {"org:a": 5}))
                await until(lambda: "org:a 5" in taken)
            await client.aclose()


async def _has_replica(port: int) -> bool:
    async with Redis(port=port) as client:
        told = await client.execute_command("SENTINEL", "REPLICAS", "hints")
    return bool(told)
