"""The end of a practice alert: by itself, by its timer, or for a real alarm."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import assignments, events, states, store, tables, telling, timers
from dispatch.alerts import answers
from geo.position import Position

#: An ended practice tells nobody where the person was.
_NOWHERE = Position(0.0, 0.0)


async def give_way(
    conn: AsyncConnection, responder_ids: Collection[UUID], *, now: datetime
) -> None:
    """End the practice of people whom something else wants now.

    Locks the practice incidents: call it before responders are locked.
    """
    incident = tables.incident.c
    rows = await conn.execute(
        sa.select(incident.id)
        .where(incident.practice_of.in_(responder_ids), incident.closed_at.is_(None))
        .order_by(incident.id)
    )
    for incident_id in rows.scalars().all():
        await end_practice(conn, incident_id, now=now)


async def end_practice(conn: AsyncConnection, incident_id: UUID, *, now: datetime) -> None:
    """End a practice and take its alert off the phone; one that has ended stays so."""
    incident = await store.lock_incident(conn, incident_id, even_closed=True)
    if incident.practice_of is None or incident.closed_at is not None:
        return
    await answers.end_all(conn, incident)
    ended = await assignments.end_all(conn, incident, is_closing=True, now=now)
    asked = await store.lock_alerts(conn, tables.alert.c.incident_id == incident.id)
    asked = await store.change_alerts(conn, asked, from_position=None)
    await timers.disarm(conn, incident.id)
    incident = await store.change_incident(
        conn, incident.id, status=states.Incident.CLOSED.value, closed_at=now,
        disposition=states.Disposition.COMPLETED.value, position=_NOWHERE,
    )  # fmt: skip
    await telling.tell(
        conn, events.Kind.INCIDENT_CLOSED, incident, alerts=asked, assignments=ended,
        people=dict.fromkeys((a.responder_id for a in asked), events.PersonKind.MISSION_CHANGED),
        now=now,
    )  # fmt: skip
