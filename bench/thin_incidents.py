"""What a thin Python service costs for the same work: FastAPI that stores an incident, no more.

No sign-in, no idempotency, no numbers, no board: one statement writes the incident and its first
event, committed when the answer leaves. Run by bench/durable.py, which sets DATABASE.
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
create table if not exists thin.incident (
  id uuid primary key default gen_random_uuid(), kind text not null,
  status text not null default 'open', position geography(point, 4326) not null,
  payload jsonb not null, created_at timestamptz not null default now());
create index if not exists incident_position on thin.incident using gist (position);
create index if not exists incident_created_at on thin.incident (created_at);
create table if not exists thin.incident_event (
  id bigint generated always as identity primary key,
  incident_id uuid not null references thin.incident, type text not null, payload jsonb not null,
  at timestamptz not null default now());
create index if not exists incident_event_incident_id on thin.incident_event (incident_id);
"""
_OPEN = """
with made as (
  insert into thin.incident (kind, position, payload)
  values (%s, st_setsrid(st_makepoint(%s::float8, %s::float8), 4326)::geography, %s::jsonb)
  returning id)
insert into thin.incident_event (incident_id, type, payload)
select id, 'created', %s::jsonb from made returning incident_id
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


@app.post("/incidents", status_code=201)
async def incident(request: Request) -> Response:
    body = await request.body()
    said = orjson.loads(body)
    place, text = said["position"], body.decode()
    async with pools[0].connection() as conn:
        values = (said["kind"], place["lon"], place["lat"], text, text)
        row = await (await conn.execute(_OPEN, values)).fetchone()
    answer = orjson.dumps({"id": str(row[0]) if row else None})
    return Response(answer, 201, media_type="application/json")
