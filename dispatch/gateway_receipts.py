"""What gateways and phones report of messages: arrived or not, and the key that was pressed.

Reports come late, twice and in any order; none of that changes what is known already.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    alert_codes,
    alerts,
    deliveries,
    errors,
    events,
    matching,
    outbox,
    push_devices,
    store,
    telling,
)
from dispatch.ladder import Channel


async def arrived(
    conn: AsyncConnection, delivery_id: UUID, *, failure: str | None, now: datetime
) -> bool:
    """Take a gateway's word that a message arrived, or why it did not; False for a foreign one."""
    status = deliveries.Status.DELIVERED if failure is None else deliveries.Status.FAILED
    return await outbox.take_receipt(conn, delivery_id, status, why=failure, now=now)


async def pressed(
    conn: AsyncConnection,
    delivery_id: UUID,
    *,
    is_yes: bool,
    policy: matching.Policy,
    now: datetime,
) -> bool:
    """Take the key that was pressed in a call as the answer; too late changes nothing.

    Who said yes is sent the way to the mission. False for a call that is not ours.
    """
    whose = await outbox.find(conn, delivery_id)
    if whose is None:
        return False
    answer = alerts.accept if is_yes else alerts.decline
    try:
        await answer(
            conn, whose.alert_id, via=Channel.VOICE, policy=policy, by=whose.responder_id, now=now
        )
    except errors.AlertOver:
        return True
    if is_yes:
        await deliveries.queue_mission(conn, whose.alert_id, now=now)
    return True


async def opened(conn: AsyncConnection, code: alert_codes.Code, *, now: datetime) -> None:
    """Note that a link was opened.

    A program that looks at links may have done it, so the alert itself does not count as seen.
    """
    incident, alert = await store.lock_alert_shared(conn, code.alert_id)
    seen = await deliveries.confirm(
        conn, alert, deliveries.Purpose.ALERT, status=deliveries.Status.SEEN, via=code.channel,
        now=now,
    )  # fmt: skip
    if seen.channels != alert.channels:
        await telling.tell(
            conn, events.Kind.DELIVERY_CHANGED, incident,
            with_incident=False, alerts=[seen], now=now,
        )  # fmt: skip


async def pushed(conn: AsyncConnection, code: str, *, now: datetime) -> bool:
    """Take a phone's word that a web push arrived, by the code in it.

    Says whether anything is still asked: a message may come when all is over. Raises NotFound for
    a code that is over or never was.
    """
    found = await alert_codes.find(conn, code, now=now)
    if found is None:
        if await push_devices.note_heard(conn, code, now=now):
            return True
        raise errors.NotFound
    alert = await store.get_alert(conn, found.alert_id)
    await alerts.acknowledge(
        conn, alert.id, alerts.Level.RECEIVED, via=found.channel, by=alert.responder_id, now=now
    )
    return alert.is_live
