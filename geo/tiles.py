"""Vector tiles (MVT) of the base map, straight from PostGIS, and which tiles there are at all.

Layer and attribute names are a contract with the map style: see docs/basemap.md.
"""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

#: Deeper tiles are drawn from these by the map itself; one unit of such a tile is 15 cm.
MAX_ZOOM = 16
MIN_ZOOM = 8
BASE_LAYERS = (
    *("land", "green", "water", "waterway", "building", "rail", "road", "boundary"),
    *("road_label", "place", "poi"),
)
_WORLD_M = 40_075_016.685578488
_NO_SIMPLIFYING_FROM = 16
_ALL_AREAS_FROM = 14


class NoSuchTile(LookupError):
    """The zoom, column or row lies outside of what is served; the text says which."""


class Cell(NamedTuple):
    """The address of a tile: zoom, column from the west, row from the north."""

    z: int
    x: int
    y: int


def cell(z: int, x: int, y: int) -> Cell:
    """Check the address of a tile. Raises `NoSuchTile`."""
    if not 0 <= z <= MAX_ZOOM:
        raise NoSuchTile(f"zoom must lie between 0 and {MAX_ZOOM}, not {z}")
    if not (0 <= x < 1 << z and 0 <= y < 1 << z):
        raise NoSuchTile(f"x and y must lie between 0 and {(1 << z) - 1} at zoom {z}")
    return Cell(z, x, y)


# Served by ix_base_feature_geom. One scan for all layers; attributes that are null cost nothing,
# so every layer is built by the same list. Far out, streets of one class are merged to long lines
# before they are simplified: a piece from crossing to crossing has no corner to lose, and a big
# city has thousands. Streets carry their names in a layer of their own, merged to whole lines:
# labels along pieces would repeat or not fit.
_BASE = text("""
with frame as (
  select ST_TileEnvelope(:z, :x, :y) as tile,
         ST_TileEnvelope(:z, :x, :y, margin => 64.0 / 4096) as wide
), found as materialized (
  select layer, kind, detail, name, name_zh, name_en, rank, level, is_tunnel, is_bridge, geom
  from base_feature, frame
  where geom && wide and minzoom <= :z
    and (layer not in ('land', 'green', 'water', 'building')
      or ST_XMax(geom) - ST_XMin(geom) + ST_YMax(geom) - ST_YMin(geom) >= :smallest)
), pieces as (
  select layer, kind, detail, rank, level, is_tunnel, is_bridge, geom,
         case when layer <> 'road' then name end as name,
         case when layer <> 'road' then name_zh end as name_zh,
         case when layer <> 'road' then name_en end as name_en
  from found where layer <> 'road' or :z >= 14
  union all
  select 'road', kind, detail, min(rank), 0, is_tunnel and :z >= 12, is_bridge and :z >= 13,
         ST_LineMerge(ST_Collect(geom)), null, null, null
  from found where layer = 'road' and :z < 14
  group by kind, detail, is_tunnel and :z >= 12, is_bridge and :z >= 13
), drawn as (
  select layer, kind, detail, rank, level, is_tunnel, is_bridge, name, name_zh, name_en,
         ST_AsMVTGeom(ST_Simplify(geom, :tolerance, true), tile, 4096, 64) as geom
  from pieces, frame
  union all
  select 'road_label', kind, null, min(rank), 0, false, false, name, name_zh, name_en,
         ST_AsMVTGeom(ST_Simplify(ST_LineMerge(ST_Collect(geom)), :tolerance, true),
                      tile, 4096, 64)
  from found, frame
  where layer = 'road' and name is not null
    and :z >= case kind when 'primary' then 12 when 'secondary' then 13
                        when 'minor' then 15 else 16 end
  group by kind, name, name_zh, name_en, tile
)
select layer, ST_AsMVT(a, layer, 4096, 'geom' order by drawn.level, drawn.rank desc) as mvt
from drawn cross join lateral (
  select kind, name, name_zh, name_en, geom, nullif(level, 0) as level,
         case when layer in ('road', 'road_label', 'place', 'poi') then rank end as rank,
         nullif(is_tunnel, false) as tunnel, nullif(is_bridge, false) as bridge,
         case when layer = 'road' then detail end as highway,
         case when layer = 'road' and detail like '%\\_link' then true end as link,
         case when layer = 'boundary' then detail end as admin_level
) a
where drawn.geom is not null and not ST_IsEmpty(a.geom)
group by layer
order by layer
""")


async def base(conn: AsyncConnection, place: Cell) -> bytes:
    """Draw one tile of the base map; empty bytes when nothing lies in it."""
    side_m = _WORLD_M / (1 << place.z)
    binds = {
        **place._asdict(),
        "tolerance": 0.0 if place.z >= _NO_SIMPLIFYING_FROM else side_m / 2048,
        "smallest": 0.0 if place.z >= _ALL_AREAS_FROM else side_m / 256,
    }
    rows = await conn.execute(_BASE, binds)
    return b"".join(bytes(row.mvt) for row in rows)
