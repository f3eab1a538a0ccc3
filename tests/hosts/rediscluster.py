"""Makes a Redis Cluster of servers that run, as `redis-cli --cluster create` would."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

SLOTS = 16_384


async def join(where: Sequence[tuple[str, int]], *, within_s: float = 30) -> None:
    """Let the servers meet, share the slots out among them, and wait until all agree."""
    clients = [Redis(host=host, port=port, socket_timeout=2) for host, port in where]
    try:
        async with asyncio.timeout(within_s):
            for client in clients:
                await _answers(client)
            share = -(-SLOTS // len(clients))
            for number, client in enumerate(clients):
                first, last = number * share, min(SLOTS, (number + 1) * share) - 1
                await client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
                await client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            for client, (host, port) in zip(clients, where, strict=True):
                bus = (
                    int((await client.config_get("cluster-port"))["cluster-port"]) or port + 10_000
                )
                await clients[0].execute_command("CLUSTER", "MEET", host, port, bus)
            for client in clients:
                await _agrees(client, len(clients))
    finally:
        for client in clients:
            await client.aclose()


async def _answers(client: Redis) -> None:
    while True:
        with suppress(RedisError, OSError):
            await client.ping()
            return
        await asyncio.sleep(0.05)


async def _agrees(client: Redis, many: int) -> None:
    while True:
        told = await client.execute_command("CLUSTER INFO")
        known = (told["cluster_state"], told["cluster_known_nodes"], told["cluster_slots_ok"])
        if known == ("ok", str(many), str(SLOTS)):
            return
        await asyncio.sleep(0.05)
