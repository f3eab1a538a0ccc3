"""Where some places of a list are known to be already: what betrays a list in another datum."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import search
from geo.aed_bulk import AedRow
from geo.position import Position, distance_m

# Farther away is another place of that name; no datum is off by more than a kilometre.
_SAME_M = 2_000.0

# Exact words only, read once for a list: addresses are some ten thousand rows a city.
_KNOWN = text("""
select folded as words, ST_X(position::geometry) as lon, ST_Y(position::geometry) as lat
from address where kind <> 'street' and folded = any(cast(:folded as text[]))
union all
select name, ST_X(position::geometry), ST_Y(position::geometry)
from facility where name = any(cast(:names as text[]))
union all
select name, ST_X(position::geometry), ST_Y(position::geometry)
from aed
where org_id = :org and source <> :source and status <> 'withdrawn'
  and name = any(cast(:names as text[]))
""")


async def known(
    conn: AsyncConnection, org_id: UUID, rows: Sequence[AedRow], *, source: str
) -> dict[int, Position]:
    """Find rows by their name or address on the map, in WGS-84, by the number of the row.

    Among hospitals, addresses, and devices of other sources; only what is found in one place.
    """
    names = {row.number: str(row.facts["name"]) for row in rows}
    doors = {row.number: str(row.facts.get("address") or "") for row in rows}
    folded = {search.fold(words) for words in (*names.values(), *doors.values()) if words}
    binds = {"org": org_id, "source": source, "names": [*names.values()], "folded": [*folded]}
    places: defaultdict[str, set[Position]] = defaultdict(set)
    for found in await conn.execute(_KNOWN, binds):
        places[found.words].add(Position(found.lon, found.lat))
    known_at = {}
    for row in rows:
        words = (names[row.number], search.fold(names[row.number]), search.fold(doors[row.number]))
        near = {
            place
            for each in words
            for place in places.get(each, ())
            if distance_m(place, row.facts["position"]) <= _SAME_M
        }
        if len(near) == 1:
            known_at[row.number] = near.pop()
    return known_at
