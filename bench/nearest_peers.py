"""What a thin Python service costs for the same question: FastAPI without any product feature.

No sign-in, no opening hours, no names; the database is that of the bench, and `tree` loads the
positions once and never looks again. Run by bench/nearest.py, which sets DSN.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from fastapi import FastAPI, Response
from numpy.typing import NDArray
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from scipy.spatial import cKDTree

POOL = 8
RADIUS_M = 6_371_008.8
KNN = """
select id, d from (
  select id, position <-> p as d
  from aed, (select st_setsrid(st_makepoint(%s::float8, %s::float8), 4326)::geography as p) as q
  where is_in_service order by position <-> p limit 10) as t
where d <= 5000
"""
NAIVE = """
select id, st_distance(position, st_setsrid(st_makepoint(%s::float8, %s::float8), 4326)::geography)
from aed where is_in_service order by 2 limit 10
"""


@dataclass
class Held:
    """What the service holds."""

    pool: AsyncConnectionPool
    ids: list[str]
    tree: Any


held: dict[str, Held] = {}


async def _prepared(conn: AsyncConnection) -> None:
    conn.prepare_threshold = 0


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with AsyncConnectionPool(
        os.environ["DSN"], min_size=POOL, max_size=POOL, kwargs={"autocommit": True},
        configure=_prepared,
    ) as pool:  # fmt: skip
        async with pool.connection() as conn:
            rows = await (
                await conn.execute(
                    "select id::text, st_x(position::geometry), st_y(position::geometry)"
                    " from aed where is_in_service"
                )
            ).fetchall()
        places = np.array([row[1:] for row in rows])
        held["it"] = Held(pool, [row[0] for row in rows], cKDTree(_sphere(*places.T)))
        yield


def _sphere(lon: Any, lat: Any) -> NDArray[np.float64]:
    x, y = np.radians(lon), np.radians(lat)
    return np.c_[np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)] * RADIUS_M


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


app = FastAPI(lifespan=_lifespan)


@app.get("/ping")
async def ping() -> Response:
    return _json(b'{"ok":true}')


@app.get("/sql")
async def sql(lat: float, lon: float) -> Response:
    return await _by_sql(KNN, lon, lat)


@app.get("/naive")
async def naive(lat: float, lon: float) -> Response:
    return await _by_sql(NAIVE, lon, lat)


async def _by_sql(statement: str, lon: float, lat: float) -> Response:
    async with held["it"].pool.connection() as conn:
        rows = await (await conn.execute(statement, (lon, lat), binary=True)).fetchall()
    return _json(orjson.dumps([{"id": row[0], "distance_m": round(row[1], 1)} for row in rows]))


@app.get("/tree")
async def tree(lat: float, lon: float) -> Response:
    here = held["it"]
    metres, found = here.tree.query(_sphere(lon, lat)[0], k=10, distance_upper_bound=5000)
    near = np.isfinite(metres)
    return _json(
        orjson.dumps(
            [
                {"id": here.ids[i], "distance_m": round(float(m), 1)}
                for i, m in zip(found[near].tolist(), metres[near].tolist(), strict=True)
            ]
        )
    )
