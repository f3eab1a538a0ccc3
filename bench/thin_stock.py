"""What a thin Python service costs for the same work: FastAPI that reserves a unit, no more.

No sign-in, no idempotency, no incident, no board: one statement takes the unit if it is there, and
writes the reservation, committed when the answer leaves. Run by bench/stock.py, which sets
DATABASE.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from fastapi import FastAPI, Request, Response
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

POOL = 8
TABLES = """
create schema if not exists thin;
create table if not exists thin.balance (
  lot_id int primary key, on_hand int not null, reserved int not null default 0,
  check (reserved between 0 and on_hand));
create table if not exists thin.reservation (
  id uuid primary key default gen_random_uuid(), lot_id int not null references thin.balance,
  quantity int not null, payload jsonb not null, at timestamptz not null default now());
insert into thin.balance values (1, 1000000000), (2, 1000000000) on conflict do nothing;
"""
_RESERVE = """
with taken as (
  update thin.balance set reserved = reserved + %s
  where lot_id = 1 and on_hand - reserved >= %s returning lot_id)
insert into thin.reservation (lot_id, quantity, payload)
select lot_id, %s, %s::jsonb from taken returning id
"""

pools: list[AsyncConnectionPool] = []


async def _prepared(conn: AsyncConnection) -> None:
    conn.prepare_threshold = 0


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with AsyncConnectionPool(
        os.environ["DATABASE"], min_size=POOL, max_size=POOL, kwargs={"autocommit": True},
        configure=_prepared,
    ) as pool:  # fmt: skip
        pools.append(pool)
        yield


app = FastAPI(lifespan=_lifespan)


@app.get("/ping")
async def ping() -> Response:
    return Response(b'{"ok":true}', media_type="application/json")


@app.post("/reservations", status_code=201)
async def reserve(request: Request) -> Response:
    body = await request.body()
    units = orjson.loads(body)["quantity"]
    async with pools[0].connection() as conn:
        values = (units, units, units, body.decode())
        row = await (await conn.execute(_RESERVE, values)).fetchone()
    if row is None:
        return Response(status_code=409)
    return Response(orjson.dumps({"id": str(row[0])}), 201, media_type="application/json")
