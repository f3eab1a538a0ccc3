"""What phones confirm: it is here, it is on the screen, it was seen, the stand-down was read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import deliveries, errors, events, states, store, tables, telling


class Level(StrEnum):
    """What a phone confirms."""

    RECEIVED = "received"  # it is stored on this phone
    SHOWN = "shown"  # it is on the screen


@dataclass(frozen=True, slots=True)
class Receipt:
    """How far an alert has come on the phone of somebody, as they say."""

    alert_id: UUID
    by: UUID
    level: Level


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
    shown = {alert_id} if level is Level.SHOWN else set()
    return (await _take(conn, incident, [alert], shown, via=via, now=now))[0]


async def incidents_of(conn: AsyncConnection, alert_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Say of which incident each alert is; what is no alert is left out."""
    alert = tables.alert.c
    rows = await conn.execute(
        sa.select(alert.id, alert.incident_id).where(alert.id.in_(list(alert_ids)))
    )
    return {row.id: row.incident_id for row in rows}


async def acknowledge_all(
    conn: AsyncConnection, incident_id: UUID, receipts: Collection[Receipt], *, now: datetime
) -> set[Receipt]:
    """Do as `acknowledge` for many phones of one incident, told as one event.

    Returns those that were taken; the others are of alerts that are somebody else's.
    """
    ids = {receipt.alert_id for receipt in receipts}
    incident, found = await store.lock_alerts_shared(conn, incident_id, sorted(ids))
    asked = {alert.id: alert.responder_id for alert in found}
    taken = {receipt for receipt in receipts if asked.get(receipt.alert_id) == receipt.by}
    mine = {receipt.alert_id for receipt in taken}
    shown = {receipt.alert_id for receipt in taken if receipt.level is Level.SHOWN}
    if mine:
        own = [alert for alert in found if alert.id in mine]
        await _take(conn, incident, own, shown, via=deliveries.Channel.LIVE, now=now)
    return taken


async def _take(
    conn: AsyncConnection,
    incident: store.Incident,
    found: Sequence[store.Alert],
    shown: Collection[UUID],
    *,
    via: deliveries.Channel,
    now: datetime,
) -> list[store.Alert]:
    """Note receipts of locked alerts; the first of each stands on the timeline."""
    noted = await _note(conn, found, shown, now)
    noted = await deliveries.confirm_all(conn, noted, deliveries.Purpose.ALERT, via=via, now=now)
    pairs = list(zip(found, noted, strict=True))
    first = [new for old, new in pairs if old.delivered_at is None]
    told = [new for old, new in pairs if old.delivered_at is None or old.channels != new.channels]
    if told:
        lines = await store.add_lines(
            conn, incident.id, [telling.whom([alert]) for alert in first],
            channel=events.Channel.PHONE, kind=events.LineKind.ALERT_DELIVERED, now=now,
        )  # fmt: skip
        kind = events.Kind.ALERT_DELIVERED if first else events.Kind.DELIVERY_CHANGED
        await telling.tell(
            conn, kind, incident, with_incident=False, alerts=told, lines=lines,
            people={a.responder_id: events.PersonKind.ALERT_CHANGED for a in first}, now=now,
        )  # fmt: skip
    return noted


async def _note(
    conn: AsyncConnection, found: Sequence[store.Alert], shown: Collection[UUID], now: datetime
) -> list[store.Alert]:
    """Write what the receipts change; those who change alike in one statement."""
    alike: dict[tuple[tuple[str, Any], ...], list[store.Alert]] = {}
    for alert in found:
        values: dict[str, Any] = {}
        if alert.id in shown and alert.shown_at is None:
            values["shown_at"] = now
        if alert.delivered_at is None:
            values |= _delivered(alert, now)
        alike.setdefault(tuple(values.items()), []).append(alert)
    noted = {alert.id: alert for alert in found}
    for items, some in alike.items():
        if items:
            changed = await store.change_alerts(conn, some, **dict(items))
            noted.update({alert.id: alert for alert in changed})
    return [noted[alert.id] for alert in found]


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
