"""Faults of the network: partitions, lost replies, torn frames, deaf ears, no connections left."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import psycopg

from tests.chaos.field import Field


async def partition(field: Field, ways: Sequence[str] = ()) -> None:
    """N8: an app cannot reach PostgreSQL, or only slowly, or one way only; the runners slowly."""
    for way in ways or ("black hole", "one way", "slow", "narrow", "runners"):
        if way == "runners":
            await _slow_runners(field)
            continue
        app = field.app()
        with field.history.window("N8", apps=[app.number], what=way):
            match way:
                case "black hole":
                    app.to_postgres.poison(black_hole=True)
                case "one way":
                    app.to_postgres.poison(one_way=True)
                case "slow":
                    app.to_postgres.poison(latency_s=0.2, jitter_s=0.1)
                case "narrow":
                    app.to_postgres.poison(bytes_per_s=20_000)
            await asyncio.sleep(field.seconds)
            app.to_postgres.heal()
        await asyncio.sleep(1)


async def _slow_runners(field: Field) -> None:
    """Let every runner see long what another has done meanwhile."""
    with field.history.window("N8", apps=[], what="runners"):
        for link in field.system.runner_links:
            link.poison(latency_s=0.15, jitter_s=0.05)
        await asyncio.sleep(field.seconds)
        for link in field.system.runner_links:
            link.heal()
    await asyncio.sleep(1)


async def trouble_clients(field: Field, ways: Sequence[str] = ()) -> None:  # noqa: C901 - a table
    """N9: clients lose replies, get half a frame, are reset, are half open, flap."""
    for way in ways or ("lost reply", "half frame", "reset", "half open", "flap", "slices"):
        app = field.app()
        with field.history.window("N9", apps=[app.number], what=way):
            match way:
                case "lost reply":
                    app.edge.poison(one_way=True)
                    await asyncio.sleep(field.seconds)
                case "half frame":
                    app.edge.poison(limit_bytes=700)
                    await asyncio.sleep(field.seconds)
                case "reset":
                    app.edge.reset_peers()
                case "half open":
                    app.edge.poison(black_hole=True)
                    await asyncio.sleep(field.seconds)
                case "flap":
                    for _ in range(max(1, int(field.seconds / 2))):
                        app.edge.poison(down=True)
                        await asyncio.sleep(0.7)
                        app.edge.heal()
                        await asyncio.sleep(1.3)
                case "slices":
                    app.edge.poison(slice_bytes=7, latency_s=0.002)
                    await asyncio.sleep(field.seconds / 2)
            app.edge.heal()
        await asyncio.sleep(1)


async def deafen(field: Field) -> None:
    """N21: the subscriptions stay up, answer pings, and hear nothing."""
    with field.history.window("N21", redis=True):
        for app in field.system.apps:
            app.to_redis.poison(deaf_to=b"golden:moved")
        await asyncio.sleep(field.seconds)
        for app in field.system.apps:
            app.to_redis.heal()


async def exhaust(field: Field, ways: Sequence[str] = ()) -> None:
    """N7: nearly all connections are taken; a session idles in a transaction; a table is locked."""
    for way in ways or ("connections", "idle", "lock"):
        with field.history.window("N7", postgres=True, what=way):
            held: list[psycopg.AsyncConnection] = []
            try:
                await _hold(field, way, held)
                await asyncio.sleep(field.seconds)
            finally:
                for conn in held:
                    await conn.close()
        await asyncio.sleep(1)


async def _hold(field: Field, way: str, held: list[psycopg.AsyncConnection]) -> None:
    async def connect() -> psycopg.AsyncConnection:
        conn = await psycopg.AsyncConnection.connect(field.system.dsn, connect_timeout=5)
        held.append(conn)
        return conn

    async def reach() -> psycopg.AsyncConnection:
        """Connect, though it may be just coming back from another fault."""
        async with asyncio.timeout(60):
            while True:
                with suppress(psycopg.OperationalError):
                    return await connect()
                await asyncio.sleep(0.2)

    match way:
        case "connections":
            with suppress(psycopg.Error):
                for _ in range(200):
                    await connect()
        case "idle":
            await (await reach()).execute("listen chaos")
            await (await reach()).execute("select 1")
        case "lock":
            await (await reach()).execute("lock table alert in access exclusive mode")
