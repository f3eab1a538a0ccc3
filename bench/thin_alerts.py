"""The least that a durable alert costs in Python: FastAPI that commits the same rows, no more.

No sign-in, no plan, no sockets: a request carries the rows that the product wrote for one wave, and
is answered when they are committed to tables of the same shape. Run by bench/alert_latency.py,
which sets DATABASE.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from psycopg_pool import AsyncConnectionPool

#: In the order in which the product writes them.
TABLES = ("wave", "alert", "delivery", "allocation", "timer", "line", "topic_clock", "event")
_INSERT = {
    # S608: the names are those above.
    name: f"insert into thin.{name} overriding system value "  # noqa: S608
    f"select * from jsonb_populate_recordset(null::thin.{name}, (%s::jsonb)->'{name}') "
    "on conflict do nothing"
    for name in TABLES
}


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncConnectionPool(os.environ["DATABASE"], min_size=8, max_size=8) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=_lifespan)


@app.get("/ping")
async def ping() -> dict[str, bool]:
    """Answer."""
    return {"ok": True}


@app.post("/alert")
async def alert(request: Request) -> dict[str, bool]:
    """Commit the rows of one wave."""
    rows = (await request.body()).decode()
    pool: AsyncConnectionPool = request.app.state.pool
    async with pool.connection() as conn:
        for statement in _INSERT.values():
            await conn.execute(statement, (rows,))
    return {"ok": True}
