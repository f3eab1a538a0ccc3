"""Who is on the way with an AED, or was a short time ago; and which AEDs were not to be had."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import states, tables
from geo import tables as geo_tables

#: So long a phone that was away may still bring what was seen at the cabinet.
LATELY = timedelta(hours=24)


# Served by ux_assignment_one_live_per_responder: at most one is live.
async def find_live(conn: AsyncConnection, aed_id: UUID, responder_id: UUID) -> UUID | None:
    """Give the assignment by which this responder fetches this AED now, if there is one."""
    assignment = tables.assignment.c
    found: UUID | None = await conn.scalar(
        sa.select(assignment.id).where(
            assignment.responder_id == responder_id,
            assignment.ended_at.is_(None),
            assignment.role == states.Role.VIA_AED,
            assignment.aed_id == aed_id,
        )
    )
    return found


# Served by ix_line_incident_id.
_REPORTED = sa.text("""
select distinct cast(args ->> 'aed' as uuid) as aed_id from line
where incident_id = :incident_id and kind = 'aed_reported' and struck_at is null
""")


async def reported(conn: AsyncConnection, incident_id: UUID) -> set[UUID]:
    """Name the AEDs that somebody who came to fetch them for an incident could not use."""
    rows = await conn.execute(_REPORTED, {"incident_id": incident_id})
    return set(rows.scalars())


async def has_fetched(
    conn: AsyncConnection, aed_id: UUID, responder_id: UUID, *, now: datetime
) -> bool:
    """Tell whether this responder fetches this AED, or took it within the last day."""
    if await find_live(conn, aed_id, responder_id) is not None:
        return True
    use = geo_tables.aed_use.c
    query = sa.select(sa.literal(1)).where(
        use.aed_id == aed_id, use.actor_id == responder_id, use.taken_at > now - LATELY
    )
    return await conn.scalar(query.limit(1)) is not None
