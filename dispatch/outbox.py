"""What the runners take from the rows of `deliveries`, and what they write back.

A row is taken with a lease and a number that grows (the fencing token): a runner that slept past
its lease writes nothing. A runner that dies leaves its rows due again when the lease is over, so a
message goes out at least once, always under the same key.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    alert_codes,
    deliveries,
    events,
    ladder,
    push_devices,
    states,
    store,
    tables,
    telling,
)
from dispatch.deliveries import Purpose, Status, Why
from dispatch.ladder import Channel

#: Longer than a gateway may take to answer and we to write it down; short enough for an alert.
LEASE = timedelta(seconds=8)
#: Seconds until the next try, by how often it was tried; an alert lives a minute or so.
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0)
#: Distances leave the system in steps of this, so that they name no house.
DISTANCE_STEP_M = 50
#: Channels whose message reaches one person only, so that it may carry a link to answer by.
_PERSONAL = frozenset({Channel.SMS, Channel.WECOM, Channel.WEB_PUSH})


@dataclass(frozen=True, slots=True)
class Due:
    """A row that was taken, with what its message says and to whom."""

    id: UUID
    token: int
    attempts: int
    channel: Channel
    purpose: Purpose
    alert_id: UUID
    incident_id: UUID
    responder_id: UUID
    kind: states.Kind
    exercise: bool
    language: str
    org: str
    phone: str
    account: str
    distance_m: int | None
    expires_at: datetime
    # Until when it waits where the person's phone is connected.
    connected_due_at: datetime | None
    # Why it is not sent after all.
    needless: Why | None
    code: str
    devices: tuple[push_devices.Device, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a row; `retry_at` where it is tried again."""

    due: Due
    status: Status
    why: str | None = None
    provider_id: str | None = None
    retry_at: datetime | None = None
    gone: tuple[UUID, ...] = ()


# Served by ix_delivery_due.
_TAKE = sa.text("""
with due as (
    select id from delivery
    where status = 'queued' and due_at <= :now and channel = any(:channels)
      and expires_at > :now and (leased_until is null or leased_until <= :now)
    order by due_at
    limit :most
    for update skip locked)
update delivery set leased_until = :until, token = token + 1, attempts = attempts + 1
from due where delivery.id = due.id
returning delivery.id
""")

_READ = sa.text("""
select
    delivery.id, delivery.token, delivery.attempts, delivery.channel, delivery.purpose,
    delivery.unless, delivery.connected_due_at, delivery.expires_at,
    alert.id as alert_id, alert.incident_id, alert.responder_id, alert.status as alert_status,
    alert.delivered_at, alert.seen_at, alert.distance_m,
    incident.kind, incident.exercise, person.language, coalesce(person.phone, '') as phone,
    case when person.language = 'en' then org.name_en else org.name_zh end as org,
    coalesce(contact.account, '') as account
from delivery
join alert on alert.id = delivery.alert_id
join incident on incident.id = alert.incident_id
join org on org.id = incident.org_id
join person on person.id = alert.responder_id
left join contact on contact.person_id = person.id and contact.channel = delivery.channel
where delivery.id = any(:ids)
order by delivery.due_at, delivery.id
""")


async def take(
    conn: AsyncConnection, channels: Collection[Channel], *, most: int, now: datetime
) -> list[Due]:
    """Take what is due on some channels, for `LEASE`; commit before sending any of it."""
    values = {
        "now": now, "until": now + LEASE, "most": most,
        "channels": [channel.value for channel in channels],
    }  # fmt: skip
    ids = list((await conn.execute(_TAKE, values)).scalars())
    if not ids:
        return []
    rows = list((await conn.execute(_READ, {"ids": ids})).mappings())
    pushed = [row["responder_id"] for row in rows if row["channel"] == Channel.WEB_PUSH]
    devices = await push_devices.list_live(conn, pushed) if pushed else {}
    codes = await _codes(conn, rows, now)
    return [
        _due(row, codes.get(row["id"], ""), tuple(devices.get(row["responder_id"], ())))
        for row in rows
    ]


async def _codes(
    conn: AsyncConnection, rows: Sequence[sa.RowMapping], now: datetime
) -> dict[UUID, str]:
    wanted = [
        row
        for row in rows
        if row["channel"] in _PERSONAL and row["purpose"] != Purpose.STAND_DOWN
        and _needless(row) is None
    ]  # fmt: skip
    codes = [
        alert_codes.Code(row["alert_id"], Channel(row["channel"]), row["expires_at"])
        for row in wanted
    ]
    made = await alert_codes.add(conn, codes, now=now)
    return {row["id"]: text for row, text in zip(wanted, made, strict=True)}


def _needless(row: sa.RowMapping) -> Why | None:
    if row["purpose"] != Purpose.ALERT:
        return None
    if states.Alert(row["alert_status"]) not in states.ALERT_LIVE:
        return Why.ANSWERED
    if row["unless"] != ladder.Unless.ANSWERED and row["seen_at"] is not None:
        return Why.SEEN
    if row["unless"] == ladder.Unless.ACKNOWLEDGED and row["delivered_at"] is not None:
        return Why.ACKNOWLEDGED
    return None


def _due(row: sa.RowMapping, code: str, devices: tuple[push_devices.Device, ...]) -> Due:
    plain = {
        name: row[name]
        for name in (
            "id", "token", "attempts", "alert_id", "incident_id", "responder_id", "exercise",
            "language", "org", "phone", "account", "expires_at", "connected_due_at",
        )
    }  # fmt: skip
    return Due(
        **plain,
        channel=Channel(row["channel"]),
        purpose=Purpose(row["purpose"]),
        kind=states.Kind(row["kind"]),
        distance_m=_coarse(row["distance_m"]),
        needless=_needless(row),
        code=code,
        devices=devices if row["channel"] == Channel.WEB_PUSH else (),
    )


def _coarse(distance_m: float | None) -> int | None:
    if distance_m is None:
        return None
    return max(DISTANCE_STEP_M, DISTANCE_STEP_M * round(float(distance_m) / DISTANCE_STEP_M))


# What somebody else is sending just now does not count.
_NEXT = sa.text("""
select min(greatest(due_at, leased_until)) from delivery
where status = 'queued' and due_at is not null and expires_at > :now
  and channel = any(:channels)
""")


async def next_due(
    conn: AsyncConnection, channels: Collection[Channel], *, now: datetime
) -> datetime | None:
    """Return when the next row is, or was, due; None without one."""
    values = {"now": now, "channels": [channel.value for channel in channels]}
    found: datetime | None = await conn.scalar(_NEXT, values)
    return found


_PUT_OFF = sa.text("""
update delivery
set due_at = connected_due_at, connected_due_at = null, leased_until = null,
    attempts = attempts - 1
where id = :id and token = :token and status = 'queued'
""")


async def put_off(conn: AsyncConnection, dues: Sequence[Due]) -> None:
    """Give the connected phones of some rows their time first."""
    if dues:
        await conn.execute(_PUT_OFF, [{"id": due.id, "token": due.token} for due in dues])


# What a gateway took was sent, also if it became needless on its way.
_RECORD = sa.text("""
update delivery set
    status = :status, why = :why, provider_id = coalesce(:provider_id, provider_id),
    sent_at = case when :status = 'sent' then coalesce(sent_at, :now) else sent_at end,
    due_at = coalesce(:retry_at, due_at), leased_until = null, changed_at = :now
where id = :id and token = :token and status = any(:may_be)
returning alert_id, channel, purpose, status, why, changed_at
""")
_MAY_BE_SENT = [Status.QUEUED.value, Status.SILENCED.value, Status.EXPIRED.value]


async def record(
    conn: AsyncConnection, incident_id: UUID, outcomes: Sequence[Outcome], *, now: datetime
) -> None:
    """Write what came of an incident's messages, and tell those who watch it."""
    incident = await store.share_incident(conn, tables.incident.c.id == incident_id)
    ids = {outcome.due.alert_id for outcome in outcomes}
    alerts = await store.lock_alerts(conn, tables.alert.c.id.in_(ids))
    changed: list[sa.RowMapping] = []
    for outcome in outcomes:
        changed += (await conn.execute(_RECORD, _values(outcome, now))).mappings().all()
    gone = {device for outcome in outcomes for device in outcome.gone}
    await push_devices.mark_gone(conn, gone, now=now)
    await tell_changed(conn, incident, alerts, changed, now=now)


def _values(outcome: Outcome, now: datetime) -> dict[str, Any]:
    is_sent = outcome.status is Status.SENT
    return {
        "id": outcome.due.id,
        "token": outcome.due.token,
        "status": outcome.status.value,
        "why": outcome.why,
        "provider_id": outcome.provider_id,
        "retry_at": outcome.retry_at,
        "may_be": _MAY_BE_SENT if is_sent else [Status.QUEUED.value],
        "now": now,
    }


async def tell_changed(
    conn: AsyncConnection,
    incident: store.Incident,
    alerts: Sequence[store.Alert],
    changed: Sequence[sa.RowMapping],
    *,
    now: datetime,
) -> None:
    """Tell consoles of locked alerts whose channels changed; call it last."""
    ids = {row["alert_id"] for row in changed if row["purpose"] == Purpose.ALERT}
    told = [alert for alert in alerts if alert.id in ids]
    if told:
        await telling.tell(
            conn, events.Kind.DELIVERY_CHANGED, incident,
            with_incident=False, alerts=deliveries.patched(told, changed), now=now,
        )  # fmt: skip


def retry_at(due: Due, after_s: float | None, *, now: datetime) -> datetime | None:
    """Decide when a message is tried again; None where it would come too late."""
    pause_s = PAUSES_S[min(due.attempts, len(PAUSES_S)) - 1]
    at = now + timedelta(seconds=max(pause_s, after_s or 0.0))
    return at if at < due.expires_at else None


_EXPIRE = sa.text("""
update delivery set status = 'expired', why = 'too_late', changed_at = :now
where status = 'queued' and due_at is not null and expires_at <= :before
""")
#: An alert's own timer expires its rows and tells; what it has left behind goes a little later.
_GRACE = timedelta(minutes=2)


async def expire(conn: AsyncConnection, *, now: datetime) -> None:
    """Give up what would come too late; nobody is woken for what is over."""
    await conn.execute(_EXPIRE, {"now": now, "before": now - _GRACE})


_FIND = sa.text("""
select delivery.alert_id, alert.incident_id, alert.responder_id
from delivery join alert on alert.id = delivery.alert_id where delivery.id = :id
""")
_RAISE = sa.text("""
update delivery set
    status = :status, why = :why, changed_at = :now,
    delivered_at = case when :status = 'failed' then delivered_at
                        else coalesce(delivered_at, :now) end
where id = :id and status = any(:below)
returning alert_id, channel, purpose, status, why, changed_at
""")


@dataclass(frozen=True, slots=True)
class Whose:
    """Whom a message was for."""

    alert_id: UUID
    incident_id: UUID
    responder_id: UUID


async def find(conn: AsyncConnection, delivery_id: UUID) -> Whose | None:
    """Say whom a message was for; None for one that is not ours."""
    row = (await conn.execute(_FIND, {"id": delivery_id})).one_or_none()
    return None if row is None else Whose(*row)


async def take_receipt(
    conn: AsyncConnection,
    delivery_id: UUID,
    status: Status,
    *,
    why: str | None = None,
    now: datetime,
) -> bool:
    """Note what a gateway reports of a message; twice, late or in any order does no harm.

    Says whether the message is known.
    """
    whose = await find(conn, delivery_id)
    if whose is None:
        return False
    incident = await store.share_incident(conn, tables.incident.c.id == whose.incident_id)
    alerts = await store.lock_alerts(conn, tables.alert.c.id.in_({whose.alert_id}))
    below = deliveries.BELOW_FAILED if status is Status.FAILED else deliveries.BELOW[status]
    values = {"id": delivery_id, "status": status.value, "why": why, "below": below, "now": now}
    changed = (await conn.execute(_RAISE, values)).mappings().all()
    await tell_changed(conn, incident, alerts, changed, now=now)
    return True
