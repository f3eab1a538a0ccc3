"""How many volunteers are about, by coarse cell: all that anybody sees before somebody accepts.

A cell is a hexagon some 900 m across, the same at every zoom, and one with fewer than five people
is left out; so no place of a single person can be read from it, nor from two looks at two zooms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import h3
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import whereabouts

#: H3: edges of 461 to 531 m, so at least 800 m from side to side.
CELL_RESOLUTION = 8
#: Fewer people than this in a cell are not shown.
LEAST = 5
#: How far around a box its outermost cells reach, in degrees of latitude; 1.1 km.
_AROUND = 0.01
_POLAR = 85.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One hexagon with the number of people in it who can be asked."""

    cell: str
    count: int

    def ring(self) -> list[tuple[float, float]]:
        """Give the outline, longitude first, closed."""
        corners = [(lon, lat) for lat, lon in h3.cell_to_boundary(self.cell)]
        return [*corners, corners[0]]


# Served by ix_last_position_position.
_PLACES = sa.text("""
select ST_X(position::geometry) as lon, ST_Y(position::geometry) as lat
from last_position
join responder on responder.id = last_position.responder_id
join org on org.id = responder.org_id
where position && ST_Segmentize(
        ST_MakeEnvelope(:west, :south, :east, :north, 4326)::geography, 50000)
  and ST_X(position::geometry) between :west and :east
  and ST_Y(position::geometry) between :south and :north
  and exists (select from unnest(cast(:paths as text[])) as mine where starts_with(path, mine))
  and duty = 'available' and (duty_until is null or duty_until > :now)
  and (rest_until is null or rest_until <= :now)
  and received_at > :since
""")


async def cells(
    conn: AsyncConnection,
    paths: Sequence[str],
    box: tuple[float, float, float, float],
    *,
    now: datetime,
) -> list[Cell]:
    """Count the people of some organisations' subtrees in the cells that touch a box.

    `box` is west, south, east, north in degrees and does not cross the antimeridian.
    """
    west, south, east, north = box
    wide = _AROUND * 12  # enough at 85 degrees
    binds = {
        "west": max(-180.0, west - wide),
        "south": max(-_POLAR, south - _AROUND),
        "east": min(180.0, east + wide),
        "north": min(_POLAR, north + _AROUND),
        "paths": list(paths),
        "since": now - whereabouts.KEPT_FOR,
        "now": now,
    }
    rows = await conn.execute(_PLACES, binds)
    count = Counter(h3.latlng_to_cell(row.lat, row.lon, CELL_RESOLUTION) for row in rows)
    return [Cell(cell, people) for cell, people in sorted(count.items()) if people >= LEAST]
