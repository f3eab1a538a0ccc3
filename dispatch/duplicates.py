"""Two calls about one emergency: suggested, merged by an operator, and taken apart again.

A merged call is closed as a duplicate; nothing is moved or deleted, so both timelines stay whole.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, events, incident_values, incidents, states, store, tables, telling

#: Calls nearer than this in place and time are suggested (product.md I7).
WITHIN_M = 200.0
WITHIN = timedelta(minutes=10)
SUGGESTED_MOST = 10

# ix_incident_position finds them.
_NEAR = sa.text("""
select other.id from incident as mine
join org as my_org on my_org.id = mine.org_id
join incident as other on other.id <> mine.id
     and ST_DWithin(other.position, mine.position, :within_m)
     and other.created_at between mine.created_at - :within and mine.created_at + :within
     and other.exercise = mine.exercise and other.merged_into is null
     and other.closed_at is null and other.practice_of is null
join org as their_org on their_org.id = other.org_id
     and (starts_with(their_org.path, my_org.path) or starts_with(my_org.path, their_org.path))
where mine.id = :id and mine.merged_into is null
order by abs(extract(epoch from other.created_at - mine.created_at)), other.id
limit :most
""")


async def suggest(conn: AsyncConnection, incident_id: UUID) -> list[store.Incident]:
    """Return open incidents that may be the same emergency, the nearest in time first."""
    values = {"id": incident_id, "within_m": WITHIN_M, "within": WITHIN, "most": SUGGESTED_MOST}
    ids = (await conn.execute(_NEAR, values)).scalars().all()
    found = await store.list_incidents(conn, tables.incident.c.id.in_(ids)) if ids else []
    return sorted(found, key=lambda incident: ids.index(incident.id))


async def merge(
    conn: AsyncConnection, incident_id: UUID, into: UUID, *, by: UUID, now: datetime
) -> store.Incident:
    """Close an incident as a duplicate of another, which learns what its caller said.

    Merging twice returns what is. Raises StillGoing while people are on their way for it,
    Conflict for an incident into itself, Malformed for an exercise and a real one, IncidentClosed,
    NotFound.
    """
    # In the order of their ids, so that two operators who merge the other way round do not block.
    for one in sorted({incident_id, into}):
        await store.lock_incident(conn, one, even_closed=True)
    mine, kept = await store.get_incident(conn, incident_id), await store.get_incident(conn, into)
    if mine.merged_into == kept.id:
        return mine
    _check(mine, kept)
    await incident_values.adopt(conn, kept, mine, now=now)
    mine = await incidents.close(conn, mine.id, states.Disposition.DUPLICATE, by=by, now=now)
    mine = await store.change_incident(conn, mine.id, merged_into=kept.id)
    await _note(conn, events.LineKind.MERGED, mine, kept, by=by, now=now)
    return mine


def _check(mine: store.Incident, kept: store.Incident) -> None:
    if mine.id == kept.id:
        raise errors.Conflict("an incident cannot be merged into itself")
    if mine.exercise != kept.exercise:
        raise errors.Malformed("an exercise and a real incident cannot be merged")
    states.check_open(mine.status)
    states.check_open(kept.status)
    if mine.going:
        raise errors.StillGoing(state={"going": mine.going})


async def unmerge(
    conn: AsyncConnection, incident_id: UUID, *, by: UUID, now: datetime
) -> store.Incident:
    """Open a merged call again as an incident of its own; an unmerged one stays as it is.

    Values that an operator has chosen meanwhile stay chosen. Raises NotFound.
    """
    mine = await store.get_incident(conn, incident_id)
    if mine.merged_into is None:
        return mine
    for one in sorted({mine.id, mine.merged_into}):
        await store.lock_incident(conn, one, even_closed=True)
    kept = await store.get_incident(conn, mine.merged_into)
    mine = await store.get_incident(conn, incident_id)
    if mine.merged_into != kept.id:  # somebody else took it apart while this one waited
        return mine
    await incident_values.withdraw(conn, kept.id, mine.id, now=now)
    await store.change_incident(conn, mine.id, merged_into=None)
    mine = await incidents.reopen(conn, mine.id, by=by, now=now)
    await _note(conn, events.LineKind.UNMERGED, mine, kept, by=by, now=now)
    return mine


async def _note(
    conn: AsyncConnection,
    kind: events.LineKind,
    mine: store.Incident,
    kept: store.Incident,
    *,
    by: UUID,
    now: datetime,
) -> None:
    """Write into both timelines which incident the other is.

    After what was told before: both incidents are locked, so nobody else holds their clocks.
    """
    for told, other in sorted(((mine, kept), (kept, mine)), key=lambda pair: pair[0].id):
        args = {"incident": str(other.id), "number": other.number, "is_kept": other is kept}
        line = await store.add_line(
            conn, told.id, channel=events.Channel.CONSOLE, kind=kind, args=args, by=by, now=now
        )
        await telling.tell(
            conn, events.Kind.LINE_ADDED, told, with_incident=False, lines=[line], now=now
        )
