"""The way to Redis: one server, the master that sentinels name, or a cluster.

All three take the same commands. Where messages go differs: a cluster carries them by sharded
pub/sub, each of a few channels by one node, so that a node that dies takes its share of them only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import SlotNotCoveredError

#: The shards of a cluster: their slots lie in the middle of each third. More would spread hints
#: over more nodes; each process sends a probe a second over each, which all processes hear.
SHARDS = ("um", "sm", "pm")
#: The only shard of everything else.
WHOLE = ""
#: A node of a cluster that does not take a connection within this time is left for the next.
_CONNECT_WITHIN_S = 0.2

_PORT, _SENTINEL_PORT = 6379, 26379


class Cluster(RedisCluster):
    """A client of a cluster that knows who carries a channel."""

    def __init__(self, nodes: Sequence[tuple[str, int]], options: dict[str, Any]) -> None:
        super().__init__(
            startup_nodes=[ClusterNode(host, port) for host, port in nodes],
            # Of a cluster that has lost a node, the others are still of use.
            require_full_coverage=False,
            **options,
        )
        self._options = options

    async def carrier_of(self, channel: str) -> Redis:
        """Give a new client of the node that carries a channel now, which may have moved."""
        await self.initialize()
        await self.nodes_manager.initialize()
        node = self.get_node_from_key(channel)
        if node is None:
            raise SlotNotCoveredError(f"no node carries {channel}")
        return Redis(host=node.host, port=int(node.port), **self._options)


class _Master(Redis):
    """A client of whichever server the sentinels call the master."""

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close the connections, and those to the sentinels."""
        pool: Any = self.connection_pool
        await super().aclose(close_connection_pool)
        for sentinel in pool.sentinel_manager.sentinels:
            await sentinel.aclose()


def connect(url: str, *, within_s: float, connect_within_s: float | None = None) -> Redis:
    """Make a client that gives up at once: redis-py by itself retries for tens of seconds.

    `redis://…`, `unix://…`; `redis+cluster://host:port,host:port`;
    `redis+sentinel://host:port,host:port/NAME?db=0`; `rediss+…` with TLS.
    """
    parts = urlsplit(url)
    patience: dict[str, Any] = {
        "socket_timeout": within_s,
        "socket_connect_timeout": connect_within_s or within_s,
        "retry": Retry(NoBackoff(), 0),
    }
    match parts.scheme.partition("+")[2]:
        case "cluster":
            patience["socket_connect_timeout"] = min(_CONNECT_WITHIN_S, within_s)
            # The same commands under another class.
            return cast("Redis", Cluster(_nodes(parts, _PORT), patience | _access(parts)))
        case "sentinel":
            return _of_sentinels(parts, patience)
        case _:
            return Redis.from_url(url, **patience)


def _of_sentinels(parts: SplitResult, patience: dict[str, Any]) -> Redis:
    database = int(parse_qs(parts.query).get("db", ["0"])[0])
    nodes = _nodes(parts, _SENTINEL_PORT)
    sentinels = Sentinel(nodes, sentinel_kwargs=patience)  # type: ignore[no-untyped-call]  # redis-py's
    name = parts.path.strip("/")
    access = patience | _access(parts)
    return cast("Redis", sentinels.master_for(name, _Master, db=database, **access))


def _nodes(parts: SplitResult, port: int) -> list[tuple[str, int]]:
    pairs = (one.rpartition(":") for one in parts.netloc.rpartition("@")[2].split(","))
    return [(host, int(given)) if host else (given, port) for host, _, given in pairs]


def _access(parts: SplitResult) -> dict[str, Any]:
    username, _, password = parts.netloc.rpartition("@")[0].partition(":")
    given = {"username": unquote(username), "password": unquote(password)}
    found: dict[str, Any] = {name: value for name, value in given.items() if value}
    return found | ({"ssl": True} if parts.scheme.startswith("rediss") else {})


def shards(redis: Redis) -> tuple[str, ...]:
    """Name the shards by which this client's messages may go."""
    client: object = redis
    return SHARDS if isinstance(client, Cluster) else (WHOLE,)


def name_in(shard: str, name: str) -> str:
    """Give a key or channel its name in a shard: all names of a shard lie on the same node."""
    return f"{name}:{{{shard}}}" if shard else name


def publishing(name: str, data: str | bytes, *, shard: str = WHOLE) -> tuple[str | bytes, ...]:
    """Give the command that sends a message to all who hear the channel."""
    return ("SPUBLISH" if shard else "PUBLISH", name_in(shard, name), data)


async def publish(redis: Redis, name: str, data: str, *, shard: str = WHOLE) -> None:
    """Send a message to all who hear the channel."""
    if shard:
        await redis.execute_command(*publishing(name, data, shard=shard))  # type: ignore[no-untyped-call]  # redis-py's
    else:
        await redis.publish(name, data)


@asynccontextmanager
async def carrier(redis: Redis, name: str, shard: str) -> AsyncIterator[Redis]:
    """Give the client whose node carries a channel: a new one in a cluster, else the same."""
    whole: object = redis
    if not isinstance(whole, Cluster):
        yield redis
        return
    client = await whole.carrier_of(name_in(shard, name))
    try:
        yield client
    finally:
        await client.aclose()
