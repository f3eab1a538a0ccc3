"""Lists of devices by what a person looks for: words, place, owner, state, trust, a check due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import search, trust
from geo.aeds import WORLD, Aed, Box
from geo.trust import Trust
from geo.usability import Status

#: A check is due from a week before its day: the first reminder goes out then.
DUE_AHEAD = timedelta(days=7)
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is narrowed to; without `status` all but the withdrawn ones."""

    box: Box = WORLD
    org_ids: Sequence[UUID] | None = None
    words: str = ""
    status: Status | None = None
    trust: Trust | None = None
    is_due: bool = False


# Served by ix_aed_org_id, ix_aed_position_plane or ix_aed_folded_trgm. Of trust it only leaves out
# what cannot be; trust.py decides.
_ROWS = text("""
select aed.* from aed
where (cast(:after as uuid) is null or id > :after)
  and case when cast(:status as text) is null then status <> 'withdrawn' else status = :status end
  and (cast(:orgs as uuid[]) is null or org_id = any(:orgs))
  and (cast(:like as text) is null or folded like :like)
  and (position::geometry && ST_MakeEnvelope(:west, :south, :east, :north, 4326)
       or position::geometry && ST_MakeEnvelope(:west2, :south, :east2, :north, 4326))
  and case cast(:trust as text)
      when 'suspect' then suspect_since is not null or carrier is not null
                          or check_every_days is not null
      when 'dead' then status <> 'in_service'
                       or least(pads_expire_on, battery_expires_on) <= cast(:at as date) + 1
      when 'verified' then verified_at is not null
      else true end
  and (not :is_due or check_every_days is not null and :due_by >=
       coalesce(verified_at + check_every_days * interval '24 hours', created_at))
order by id
limit :limit
""")


async def page(
    conn: AsyncConnection, wanted: Wanted, *, after: UUID | None, limit: int, at: datetime
) -> list[Aed]:
    """List devices in the order of their ids, as they are to be judged at `at`."""
    found: list[Aed] = []
    binds = _binds(wanted, at)
    most = limit if wanted.trust is None else max(limit, _BATCH)
    while len(found) < limit:
        rows = (await conn.execute(_ROWS, {**binds, "after": after, "limit": most})).all()
        devices = [Aed.from_row(row) for row in rows]
        found += [aed for aed in devices if wanted.trust in {None, trust.of(aed, at)}]
        if len(devices) < most:
            break
        after = devices[-1].id
    return found[:limit]


def _binds(wanted: Wanted, at: datetime) -> dict[str, object]:
    west, south, east, north = wanted.box
    # Across the antimeridian a box is two.
    first, second = ((west, east), (west, east)) if west <= east else ((west, 180), (-180, east))
    # Folded words hold letters, digits and spaces only: nothing that `like` would read as a sign.
    folded = search.fold(wanted.words)
    return {
        "west": first[0], "east": first[1], "west2": second[0], "east2": second[1],
        "south": south, "north": north,
        "orgs": None if wanted.org_ids is None else list(wanted.org_ids),
        "like": f"%{folded}%" if folded else None,
        "status": wanted.status,
        "trust": wanted.trust,
        "is_due": wanted.is_due,
        "due_by": at + DUE_AHEAD,
        "at": at,
    }  # fmt: skip
