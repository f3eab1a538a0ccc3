"""What phones confirm: it is here, it is on the screen, it was seen, the stand-down was read."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import deliveries, errors, events, states, store, telling


class Level(StrEnum):
    """What a phone confirms."""

    RECEIVED = "received"  # it is stored on this phone
    SHOWN = "shown"  # it is on the screen


async def acknowledge(
    conn: AsyncConnection,
    alert_id: UUID,
    level: Level,
    *,
    via: deliveries.Channel = deliveries.Channel.LIVE,
    by: UUID,
    now: datetime,
) -> store.Alert:
    """Note that the phone of the person asked has the alert, or shows it. Repeating is harmless.

    Raises NotFound, also when the alert is somebody else's.
    """
    incident, alert = await store.lock_alert_shared(conn, alert_id)
    if alert.responder_id != by:
        raise errors.NotFound
    values: dict[str, Any] = {}
    if level is Level.SHOWN and alert.shown_at is None:
        values["shown_at"] = now
    is_first = alert.delivered_at is None
    if is_first:
        values |= _delivered(alert, now)
    if values:
        alert = await store.change_alert(conn, alert, **values)
    before = alert.channels
    alert = await deliveries.confirm(conn, alert, deliveries.Purpose.ALERT, via=via, now=now)
    if is_first:
        await _tell_receipt(
            conn, events.Kind.ALERT_DELIVERED, incident, alert, by=None, at=None, now=now
        )
    elif alert.channels != before:
        await telling.tell(
            conn, events.Kind.DELIVERY_CHANGED, incident,
            with_incident=False, alerts=[alert], now=now,
        )  # fmt: skip
    return alert


def _delivered(alert: store.Alert, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {"delivered_at": now}
    if alert.status in {states.Alert.PENDING, states.Alert.NOTIFIED}:
        values["status"] = states.Alert.DELIVERED
    return values


async def seen(
    conn: AsyncConnection,
    alert_id: UUID,
    *,
    at: datetime | None = None,
    via: deliveries.Channel = deliveries.Channel.LIVE,
    by: UUID,
    now: datetime,
) -> store.Alert:
    """Note that the person has seen the alert; after a stand-down, that it was read.

    Seeing an alert that is over changes nothing.
    """
    incident, alert = await store.lock_alert_shared(conn, alert_id)
    if alert.stood_down_at is not None:
        return await _see_stand_down(conn, incident, alert, at=at, by=by, now=now)
    if alert.status is states.Alert.SEEN or not alert.is_live:
        return alert
    values: dict[str, Any] = {"status": states.Alert.SEEN, "seen_at": now}
    alert = await store.change_alert(conn, alert, delivered_at=alert.delivered_at or now, **values)
    alert = await deliveries.confirm(
        conn, alert, deliveries.Purpose.ALERT, status=deliveries.Status.SEEN, via=via, now=now
    )
    await _tell_receipt(conn, events.Kind.ALERT_SEEN, incident, alert, by=by, at=at, now=now)
    return alert


async def _see_stand_down(
    conn: AsyncConnection,
    incident: store.Incident,
    alert: store.Alert,
    *,
    at: datetime | None,
    by: UUID,
    now: datetime,
) -> store.Alert:
    if alert.stand_down_seen_at is not None:
        return alert
    alert = await store.change_alert(conn, alert, stand_down_seen_at=now)
    await deliveries.confirm(conn, alert, deliveries.Purpose.STAND_DOWN, now=now)
    await _tell_receipt(
        conn, events.Kind.ALERT_SEEN, incident, alert,
        line_kind=events.LineKind.STAND_DOWN_SEEN, by=by, at=at, now=now,
    )  # fmt: skip
    return alert


async def _tell_receipt(
    conn: AsyncConnection,
    kind: events.Kind,
    incident: store.Incident,
    alert: store.Alert,
    *,
    line_kind: events.LineKind | None = None,
    by: UUID | None,
    at: datetime | None,
    now: datetime,
) -> None:
    line = await store.add_line(
        conn, incident.id, channel=events.Channel.PHONE,
        kind=line_kind or events.LineKind(kind.value), args=telling.whom([alert]),
        device_at=at, by=by, now=now,
    )  # fmt: skip
    await telling.tell(
        conn, kind, incident, with_incident=False, alerts=[alert], lines=[line],
        people={alert.responder_id: events.PersonKind.ALERT_CHANGED}, now=now,
    )  # fmt: skip
