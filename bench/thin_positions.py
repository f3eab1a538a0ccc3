"""What a thin Python service costs for the same work: FastAPI without any product feature.

No sign-in, no gates, no time to live, nothing stored: a socket keeps the latest position of each
id, and what is kept goes to Redis in one GEOADD five times a second; the nearest are one GEOSEARCH
there. Run by bench/positions.py, which sets REDIS.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import redis.asyncio
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

FLUSH_EVERY_S = 0.2
KEY = "thin:responders"
WITHIN_M, NEAREST = 1_500, 10

_latest: dict[int, tuple[float, float, int]] = {}
_ages_ms: list[float] = []


async def _flush(bus: redis.asyncio.Redis) -> None:
    while True:
        await asyncio.sleep(FLUSH_EVERY_S)
        batch = dict(_latest)
        _latest.clear()
        if batch:
            await bus.geoadd(
                KEY, [value for key, (x, y, _) in batch.items() for value in (x, y, key)]
            )
            now = time.monotonic_ns()
            _ages_ms.extend((now - sent) / 1e6 for _, _, sent in batch.values())


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with redis.asyncio.Redis.from_url(os.environ["REDIS"]) as bus:
        app.state.bus = bus
        task = asyncio.create_task(_flush(bus))
        yield
        task.cancel()


app = FastAPI(lifespan=_lifespan)


@app.get("/ping")
async def ping() -> dict[str, bool]:
    """Answer."""
    return {"ok": True}


@app.get("/nearest")
async def nearest(lon: float, lat: float) -> list[tuple[str, float]]:
    """Give the ids nearest to a point with their metres."""
    found = await app.state.bus.geosearch(
        KEY, longitude=lon, latitude=lat, radius=WITHIN_M, unit="m", sort="ASC", count=NEAREST,
        withdist=True,
    )  # fmt: skip
    return [(name.decode(), metres) for name, metres in found]


@app.websocket("/pos")
async def positions(socket: WebSocket, id: int) -> None:  # noqa: A002  # the name in the address
    """Keep the latest position of one id."""
    await socket.accept()
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            message = orjson.loads(await socket.receive_text())
            _latest[id] = (message["lon"], message["lat"], message["t"])


@app.get("/ages")
async def ages() -> list[float]:
    """Give the ages of positions when they became searchable, in milliseconds, since last asked."""
    found = list(_ages_ms)
    _ages_ms.clear()
    return found
