"""Where invented things may stand: at real buildings of an imported city."""

from dataclasses import dataclass
from random import Random
from statistics import median

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.position import Position, distance_m

#: In a large city the demo plays in this part of it, so that its people can walk to each other.
REACH_M = 2_500.0


@dataclass(frozen=True, slots=True)
class Spot:
    """A building (or a piece of street) and the address nearest to it."""

    position: Position
    address: str | None


# ix_demand_point_dataset_id serves it. In the order of places, not of row numbers, which change
# with every import.
_SPOTS = sa.text("""
select ST_X(cast(position as geometry)) as lon, ST_Y(cast(position as geometry)) as lat
from demand_point where dataset_id = :dataset_id
order by lon, lat
""")


async def read_positions(conn: AsyncConnection, dataset_id: int) -> list[Position]:
    """List the buildings around the middle of a city, in a fixed order."""
    rows = await conn.execute(_SPOTS, {"dataset_id": dataset_id})
    everywhere = [Position(row.lon, row.lat) for row in rows]
    if not everywhere:
        return []
    middle = Position(
        median(place.lon for place in everywhere), median(place.lat for place in everywhere)
    )
    return [place for place in everywhere if distance_m(place, middle) <= REACH_M]


# ix_address_position serves it.
_ADDRESS = sa.text("""
select text from address where dataset_id = :dataset_id and kind in ('address', 'street')
order by position <-> cast(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) as geography), id
limit 1
""")


async def at_address(conn: AsyncConnection, dataset_id: int, position: Position) -> Spot:
    """Name the address nearest to a position."""
    values = {"dataset_id": dataset_id, "lon": position.lon, "lat": position.lat}
    return Spot(position, await conn.scalar(_ADDRESS, values))


def scatter(
    positions: list[Position], count: int, *, apart_m: float, random: Random
) -> list[Position]:
    """Pick some positions at least `apart_m` from each other; fewer where there is no room."""
    picked: list[Position] = []
    for position in random.sample(positions, len(positions)):
        if len(picked) == count:
            break
        if all(distance_m(position, other) >= apart_m for other in picked):
            picked.append(position)
    return picked
