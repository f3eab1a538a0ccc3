"""Where the places of a list are known to be already: what betrays that a list is shifted.

A place counts only where its name or address, folded as for searching, is known at one spot: by an
address or place of an imported map, or by a device that is registered there.
"""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import search
from geo.position import Position

#: Two spots of one name that are nearer than this are one place.
_SAME_M = 60

_KNOWN = text("""
with wanted as (
  select * from unnest(cast(:words as text[])) as word
), spot as (
  select word, address.position from wanted join address on address.folded = word
  union all
  select word, aed.position from wanted
  join aed on aed.folded like word || '%' and aed.org_id = :org and aed.status <> 'withdrawn'
), known as (
  select word, ST_Centroid(ST_Collect(position::geometry)) as middle,
         ST_Collect(position::geometry)::geography as spots
  from spot group by word
)
select word, ST_X(middle) as lon, ST_Y(middle) as lat from known
where ST_MaxDistance(spots::geometry, middle) * 111000 < :same_m
""")


async def find(
    conn: AsyncConnection, org_id: object, words: Mapping[int, str]
) -> dict[int, Position]:
    """Give the known spots of rows, by number, from their names or addresses (WGS-84)."""
    folded = {row: search.fold(word) for row, word in words.items() if word}
    binds = {"words": sorted(set(folded.values())), "org": org_id, "same_m": _SAME_M}
    known = {row.word: Position(row.lon, row.lat) for row in await conn.execute(_KNOWN, binds)}
    return {row: known[word] for row, word in folded.items() if word in known}
