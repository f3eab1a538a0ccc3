"""What a thin Python service costs for the same tiles: FastAPI, a pool, one ST_AsMVT statement.

Run by bench/tiles.py, which sets DSN. `aed_tile` is that bench's table.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Response
from psycopg_pool import AsyncConnectionPool

POOL = 8
MVT = """
select st_asmvt(t, 'aed', 4096, 'g') from (
  select id::text, status,
         st_asmvtgeom(geom, st_tileenvelope(%(z)s, %(x)s, %(y)s), 4096, 64) as g
  from aed_tile
  where geom && st_tileenvelope(%(z)s, %(x)s, %(y)s, margin => 64.0 / 4096)
) t where g is not null
"""

pools: list[AsyncConnectionPool] = []


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with AsyncConnectionPool(
        os.environ["DSN"], min_size=POOL, max_size=POOL, kwargs={"autocommit": True}
    ) as pool:
        pools.append(pool)
        yield


app = FastAPI(lifespan=_lifespan)


@app.get("/ping")
async def ping() -> Response:
    return Response(b'{"ok":true}', media_type="application/json")


@app.get("/tiles/{z}/{x}/{y}.mvt")
async def tile(z: int, x: int, y: int) -> Response:
    async with pools[0].connection() as conn, conn.cursor(binary=True) as cursor:
        await cursor.execute(MVT, {"z": z, "x": x, "y": y}, prepare=True)
        row = await cursor.fetchone()
    return Response(row[0] if row else b"", media_type="application/vnd.mapbox-vector-tile")
