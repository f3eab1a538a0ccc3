"""What the fault harness found and was mended, each again without a kill and without luck."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from datetime import datetime

import pytest
import redis.asyncio
import sqlalchemy as sa
import uvicorn
import uvloop
from fastapi import FastAPI
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch import db
from realtime import away, log
from tests.waiting import until
from web.commands import serve


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    """Give a pool of one connection, as in a process whose others are all held."""
    made = db.make_engine(database, pool_size=1)
    yield made
    await made.dispose()


async def test_a_connection_that_the_server_closed_is_not_handed_out(engine: AsyncEngine) -> None:
    async with engine.connect() as conn:
        first = await conn.scalar(sa.text("select pg_backend_pid()"))
    admin = db.make_engine(engine.url.render_as_string(hide_password=False))
    async with admin.connect() as conn:
        await conn.execute(sa.text("select pg_terminate_backend(:pid, 5000)"), {"pid": first})
    await admin.dispose()
    # No failed request first, and no question to the server before each one.
    async with engine.connect() as conn:
        assert await conn.scalar(sa.text("select pg_backend_pid()")) != first


async def test_the_live_log_is_read_while_requests_hold_every_connection(
    app: FastAPI, store: db.Database, engine: AsyncEngine, now: datetime
) -> None:
    hub = app.state.live.hub
    async with engine.connect() as conn:
        hub.marks["org:a"] = (await log.position_of(conn, ["org:a"]))["org:a"]
    async with contextlib.AsyncExitStack() as requests:
        for _ in range(store.engine.pool.size()):  # type: ignore[attr-defined]  # it is a QueuePool
            await requests.enter_async_context(store.engine.connect())
        async with db.Database(engine, None).transaction() as conn:
            seq = await log.append(conn, "org:a", "x", {}, at=now)
        # Well before a request would give up waiting for a connection.
        await until(lambda: hub.marks["org:a"].seq == seq, within_s=2.5)


def _resets() -> socket.socket:
    """Listen as a proxy before a dead Redis: take each connection and reset it."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)  # noqa: FBT003  # the socket's own argument
    return listener


async def _reset_all(listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while True:
        taken, _ = await loop.sock_accept(listener)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        taken.close()


def test_a_hint_that_redis_resets_under_uvloop_ends_nobody() -> None:
    async def hint() -> None:
        with _resets() as listener:
            resetting = asyncio.create_task(_reset_all(listener))
            url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
            client = redis.asyncio.Redis.from_url(url, retry=Retry(NoBackoff(), 0))
            for seq in range(20):
                await log.publish_moved(client, {"org:a": seq})
            resetting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await resetting
            await client.aclose()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(hint())
    # What uvloop says now and then is no accident of one place.
    assert RuntimeError in away.REDIS_FAILS


async def _answers(scope: object, receive: object, send: object) -> None:
    raise AssertionError


async def test_a_process_without_its_live_log_ends_itself() -> None:
    server = serve._Server(uvicorn.Config(_answers, lifespan="on"))  # its loop is the point
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    assert await server.on_tick(1) is False
    server.lifespan.error_occurred = True
    assert await server.on_tick(2) is True
