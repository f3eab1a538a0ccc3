"""How each message gets to its person, and how far it got; today over the live connection only.

The live log redelivers by itself whenever a phone comes back; a row here says whether the phone
has confirmed, so that the console can show who was not reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import events, states, store, tables, telling


class Purpose(StrEnum):
    """What the message says."""

    ALERT = "alert"
    STAND_DOWN = "stand_down"


class Status(StrEnum):
    """How far it got: only a confirmation by the phone itself counts as delivered."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    UNACKNOWLEDGED = "unacknowledged"


_LIVE = "live"


async def queue(
    conn: AsyncConnection, alerts: Sequence[store.Alert], purpose: Purpose, *, now: datetime
) -> None:
    """Put a message for each alert on its way; queueing it again changes nothing."""
    if not alerts:
        return
    rows = [
        {
            "id": store.new_id(),
            "alert_id": alert.id,
            "responder_id": alert.responder_id,
            "channel": _LIVE,
            "purpose": purpose.value,
            "created_at": now,
            "sent_at": now,
        }
        for alert in alerts
    ]
    await conn.execute(
        pg.insert(tables.delivery).on_conflict_do_nothing(
            index_elements=["alert_id", "channel", "purpose"]
        ),
        rows,
    )


async def confirm(
    conn: AsyncConnection, alert_id: UUID, purpose: Purpose, *, now: datetime
) -> None:
    """Note that the phone has the message; the first confirmation counts."""
    delivery = tables.delivery.c
    await conn.execute(
        sa.update(tables.delivery)
        .where(
            delivery.alert_id == alert_id, delivery.purpose == purpose.value,
            delivery.delivered_at.is_(None),
        )
        .values(status=Status.DELIVERED.value, delivered_at=now)
    )  # fmt: skip


async def give_up_waiting(
    conn: AsyncConnection, incident_id: UUID, wave_id: UUID, *, now: datetime
) -> list[store.Alert]:
    """Mark the alerts of a wave whose phones have not confirmed as not reached, and tell.

    A later confirmation still counts. Returns the alerts that were marked.
    """
    incident = await store.lock_incident(conn, incident_id, even_closed=True)
    delivery = tables.delivery.c
    silent = sa.select(delivery.alert_id).where(
        delivery.purpose == Purpose.ALERT.value, delivery.status == Status.QUEUED.value
    )
    alert = tables.alert.c
    waiting = [status.value for status in states.ALERT_LIVE]
    alerts = await store.lock_alerts(
        conn, alert.wave_id == wave_id, alert.status.in_(waiting), alert.id.in_(silent)
    )
    if not alerts:
        return []
    await conn.execute(
        sa.update(tables.delivery)
        .where(
            delivery.alert_id.in_([found.id for found in alerts]),
            delivery.purpose == Purpose.ALERT.value,
        )
        .values(status=Status.UNACKNOWLEDGED.value)
    )
    marked = await store.list_alerts(conn, alert.id.in_([found.id for found in alerts]))
    line = await store.add_line(
        conn, incident.id, channel=events.Channel.SYSTEM,
        kind=events.LineKind.ALERT_UNACKNOWLEDGED, args=telling.whom(marked), by=None, now=now,
    )  # fmt: skip
    await telling.tell(
        conn, events.Kind.ALERTS_UNACKNOWLEDGED, incident,
        with_incident=False, alerts=marked, lines=[line], now=now,
    )  # fmt: skip
    return marked
