"""What an incident has asked so far, and when to look again whether more people are needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import escalation, matching, states, store, tables, timers


@dataclass(frozen=True, slots=True)
class Asked:
    """One alert as escalation sees it, with its AED."""

    ask: escalation.Asked
    aed_id: UUID | None


async def list_asked(conn: AsyncConnection, incident_id: UUID) -> list[Asked]:
    """Return every alert of an incident in brief; served by ix_alert_incident_id."""
    alert, assignment, wave = tables.alert, tables.assignment, tables.wave
    rows = await conn.execute(
        sa.select(
            *alert.c["role", "status", "aed_id"],
            wave.c.number.label("wave"),
            assignment.c.status.label("assignment"),
        )
        .select_from(alert)
        .join(wave, wave.c.id == alert.c.wave_id)
        .outerjoin(assignment, assignment.c.alert_id == alert.c.id)
        .where(alert.c.incident_id == incident_id)
    )
    return [
        Asked(
            escalation.Asked(
                wave=row.wave,
                role=states.Role(row.role),
                status=states.Alert(row.status),
                assignment=None if row.assignment is None else states.Assignment(row.assignment),
            ),
            row.aed_id,
        )
        for row in rows
    ]


async def next_step(
    conn: AsyncConnection, incident: store.Incident, policy: matching.Policy, *, now: datetime
) -> escalation.Step:
    """Decide what comes next in asking for an incident."""
    wave = await store.find_last_wave(conn, incident.id)
    asked = await list_asked(conn, incident.id)
    facts = escalation.Facts(
        kind=incident.kind,
        status=incident.status,
        is_stood_down=incident.stood_down_at is not None,
        asked=[item.ask for item in asked],
        last_wave_at=None if wave is None else wave.sent_at,
    )
    return escalation.next_step(policy, facts, now=now)


async def look_again(
    conn: AsyncConnection, incident: store.Incident, policy: matching.Policy, *, now: datetime
) -> None:
    """Arm the wave timer for the next step of a locked incident, or disarm it when all is done.

    Call it whenever somebody accepted, declined, timed out or gave up.
    """
    match await next_step(conn, incident, policy, now=now):
        case escalation.Wait(until):
            await timers.arm(conn, incident.id, timers.Kind.WAVE, due_at=until)
        case escalation.Send() | escalation.Exhausted():
            await timers.arm(conn, incident.id, timers.Kind.WAVE, due_at=now)
        case escalation.Done():
            await timers.disarm(conn, incident.id, kinds=[timers.Kind.WAVE])
        case never:
            assert_never(never)
