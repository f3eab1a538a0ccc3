"""Vector tiles of AEDs by their state at a time: one by one near, counted far out."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import usability
from geo.usability import Access, Conditions, Status, Usability, Usable

#: From this zoom every device is drawn; before, whole tiles of them would be megabytes.
SINGLE_FROM_ZOOM = 12
_MOST = 20_000


async def tile(conn: AsyncConnection, z: int, x: int, y: int, *, at: datetime) -> bytes:
    """Draw the devices of a tile as usable at `at`; withdrawn ones never."""
    where = {"z": z, "x": x, "y": y}
    if z < SINGLE_FROM_ZOOM:
        return await _counted(conn, where, at=at)
    return await _single(conn, where, at=at)


# Served by ix_aed_position_plane. The margin is that of ST_AsMVTGeom, so that symbols at an edge
# are whole in both tiles.
_DEVICES = text("""
select id, name, status, access, hours, hours_note, time_zone, is_invented,
       suspect_since is not null as is_suspect,
       ST_X(position::geometry) as lon, ST_Y(position::geometry) as lat
from aed
where status <> 'withdrawn'
  and position::geometry
      && ST_Transform(ST_TileEnvelope(:z, :x, :y, margin => 64.0 / 4096), 4326)
order by id
limit :most
""")

_DRAWN = text("""
select ST_AsMVT(a, 'aeds', 4096, 'geom') from (
  select d.id, d.name, d.usable, d.reason, d.until, d.status, d.access, d.invented,
         ST_AsMVTGeom(ST_Transform(ST_SetSRID(ST_MakePoint(d.lon, d.lat), 4326), 3857),
                      ST_TileEnvelope(:z, :x, :y), 4096, 64) as geom
  from jsonb_to_recordset(cast(:devices as jsonb)) as d(
    id text, name text, usable text, reason text, until text, status text, access text,
    invented boolean, lon float, lat float)
) a
where geom is not null
""")


async def _single(conn: AsyncConnection, where: dict[str, int], *, at: datetime) -> bytes:
    rows = await conn.execute(_DEVICES, {**where, "most": _MOST})
    devices = [_device(row, judged) for row, judged in _judged(rows, at)]
    if not devices:
        return b""
    binds = {**where, "devices": orjson.dumps(devices, option=orjson.OPT_UTC_Z).decode()}
    return bytes((await conn.execute(_DRAWN, binds)).scalar_one())


def _device(row: Row[Any], judged: Usability) -> dict[str, object]:
    return {
        "id": str(row.id),
        "name": row.name,
        "usable": judged.state,
        "reason": judged.reason,
        "until": judged.until and judged.until.astimezone(UTC),
        "status": row.status,
        "access": row.access,
        "invented": True if row.is_invented else None,
        "lon": row.lon,
        "lat": row.lat,
    }


# Devices that share a cell of the tile and their conditions are judged once.
_GROUPS = text("""
with near as (
  select aed.*, ST_Transform(position::geometry, 3857) as spot, frame,
         (ST_XMax(frame) - ST_XMin(frame)) / 16 as step
  from aed, ST_TileEnvelope(:z, :x, :y) as frame
  where status <> 'withdrawn' and position::geometry && ST_Transform(frame, 4326)
)
select floor((ST_X(spot) - ST_XMin(frame)) / step) as col,
       floor((ST_Y(spot) - ST_YMin(frame)) / step) as line,
       sum(ST_X(spot)) as x, sum(ST_Y(spot)) as y, count(*) as devices,
       round(ST_X(position::geometry)::numeric, 1) as lon,
       round(ST_Y(position::geometry)::numeric, 1) as lat,
       status, access, hours, hours_note, time_zone, suspect_since is not null as is_suspect
from near
group by col, line, 6, 7, status, access, hours, hours_note, time_zone, is_suspect
""")

_CLUSTERS = text("""
select ST_AsMVT(a, 'aed_clusters', 4096, 'geom') from (
  select c.count, c.usable, ST_AsMVTGeom(ST_SetSRID(ST_MakePoint(c.x, c.y), 3857),
                                         ST_TileEnvelope(:z, :x, :y), 4096, 64) as geom
  from jsonb_to_recordset(cast(:clusters as jsonb)) as c(count int, usable int, x float, y float)
) a
""")


async def _counted(conn: AsyncConnection, where: dict[str, int], *, at: datetime) -> bytes:
    cells: dict[tuple[int, int], list[float]] = {}
    for row, judged in _judged(await conn.execute(_GROUPS, where), at):
        cell = cells.setdefault((row.col, row.line), [0, 0, 0.0, 0.0])
        cell[0] += row.devices
        cell[1] += row.devices if judged.state is Usable.YES else 0
        cell[2] += row.x
        cell[3] += row.y
    if not cells:
        return b""
    clusters = [
        {"count": count, "usable": usable, "x": x / count, "y": y / count}
        for count, usable, x, y in cells.values()
    ]
    binds = {**where, "clusters": orjson.dumps(clusters).decode()}
    return bytes((await conn.execute(_CLUSTERS, binds)).scalar_one())


def _judged(rows: Iterable[Row[Any]], at: datetime) -> Iterable[tuple[Row[Any], Usability]]:
    """Judge each set of conditions once; a city has thousands of devices and a few dozen hours."""
    known: dict[Conditions, Usability] = {}
    for row in rows:
        conditions = Conditions(
            status=Status(row.status),
            access=Access(row.access),
            hours=row.hours,
            hours_note=row.hours_note,
            time_zone=row.time_zone,
            is_suspect=row.is_suspect,
            lon=round(float(row.lon), 1),
            lat=round(float(row.lat), 1),
        )
        if conditions not in known:
            known[conditions] = usability.judge(conditions, at)
        yield row, known[conditions]
