"""Named places to choose from instead of typing: towns and districts that have an AED nearby."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.position import Position

#: A place has an AED when one in service is this near.
_NEAR_M = 1_500.0
_MOST = 300


@dataclass(frozen=True, slots=True)
class District:
    """A town, district or quarter, by the name on the map."""

    name: str
    position: Position


# Served by ix_address_place and ix_aed_position_in_service. Of places of one name in one city the
# first stands for all.
_DISTRICTS = text("""
select distinct on (text, dataset_id)
  text, ST_X(position::geometry) as lon, ST_Y(position::geometry) as lat
from address
where kind = 'place' and exists (
  select from aed where is_in_service and ST_DWithin(aed.position, address.position, :near_m))
order by text, dataset_id, id
limit :most
""")


async def list_districts(conn: AsyncConnection) -> list[District]:
    """List the places with an AED in service nearby, in the order of their names."""
    rows = await conn.execute(_DISTRICTS, {"near_m": _NEAR_M, "most": _MOST})
    return [District(row.text, Position(row.lon, row.lat)) for row in rows]
