"""How each message gets to its person, and how far it got: one row per alert, channel and purpose.

Actions queue, confirm and silence rows in their own transaction; the runners' `outbox` sends them.
The live log redelivers by itself whenever a phone comes back; its row says whether the phone has
confirmed, so that the console can show who was not reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, events, ladder, states, store, tables, telling
from dispatch.ladder import Channel, Purpose

__all__ = [
    "BELOW",
    "BELOW_FAILED",
    "Channel",
    "Purpose",
    "Status",
    "Why",
    "answer",
    "climbing",
    "confirm",
    "confirm_all",
    "give_up_waiting",
    "patched",
    "queue_mission",
    "silence",
    "stand_down",
]


class Status(StrEnum):
    """How far a message got; `sent` means only that a gateway took it."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    SEEN = "seen"
    ACTED = "acted"
    # The live channel only: the phone has not confirmed in time.
    UNACKNOWLEDGED = "unacknowledged"
    FAILED = "failed"
    # Not sent, as it is not needed any more, or must not go to a live gateway; `why` says which.
    SILENCED = "silenced"
    EXPIRED = "expired"


class Why(StrEnum):
    """Why a message was not sent, beside the words of gateways; the screens hold the words."""

    EXERCISE = "exercise"
    INVENTED = "invented"
    NO_PHONE = "no_phone"
    ANSWERED = "answered"
    ACKNOWLEDGED = "acknowledged"
    SEEN = "seen"
    STOOD_DOWN = "stood_down"
    TOO_LATE = "too_late"


_REACHED = (Status.DELIVERED, Status.SEEN, Status.ACTED)
#: What a receipt may still raise, by what it says: receipts come twice and in any order.
BELOW = {
    status: [other.value for other in Status if other not in _REACHED[place:]]
    for place, status in enumerate(_REACHED)
}
#: A failure that a gateway reports late counts only while nothing better is known.
BELOW_FAILED = [Status.QUEUED.value, Status.SENT.value]
#: A stand-down that did not get out by then would only confuse.
STAND_DOWN_FOR = timedelta(minutes=10)
#: The way to the mission, for who accepted without the app.
MISSION_FOR = timedelta(minutes=30)

# One statement for a whole wave: the live row of each alert, and the rungs whose channels are on
# and where the person can be reached. Whoever is invented has an invented number.
_CLIMB = sa.text("""
insert into delivery (
    id, alert_id, responder_id, channel, purpose, status, why, created_at, changed_at, sent_at,
    due_at, connected_due_at, unless, expires_at)
select
    gen_random_uuid(), alert.id, alert.responder_id, rung.channel, 'alert',
    case when rung.channel = 'live' then 'queued'
         when incident.exercise and not channel.is_test then 'silenced'
         when person.is_invented and rung.channel in ('sms', 'voice') and not channel.is_test
         then 'silenced'
         when rung.channel in ('sms', 'voice') and coalesce(person.phone, '') = '' then 'failed'
         else 'queued' end,
    case when rung.channel = 'live' then null
         when incident.exercise and not channel.is_test then 'exercise'
         when person.is_invented and rung.channel in ('sms', 'voice') and not channel.is_test
         then 'invented'
         when rung.channel in ('sms', 'voice') and coalesce(person.phone, '') = '' then 'no_phone'
         end,
    :now, :now,
    case when rung.channel = 'live' then cast(:now as timestamptz) end,
    case when rung.channel <> 'live' then :now + make_interval(secs => rung.after_s) end,
    case when rung.channel <> 'live' then :now + make_interval(secs => rung.connected_s) end,
    case when rung.channel <> 'live' then rung.unless end,
    case when rung.channel <> 'live' then alert.expires_at end
from alert
join incident on incident.id = alert.incident_id
join person on person.id = alert.responder_id
cross join unnest(
    cast(:channels as text[]), cast(:after as float8[]), cast(:connected as float8[]),
    cast(:unless as text[])) as rung(channel, after_s, connected_s, unless)
left join channel on channel.name = rung.channel and channel.is_on
where alert.id = any(:alerts)
  and case rung.channel
      when 'live' then true
      when 'sms' then channel.name is not null
      when 'voice' then channel.name is not null
      when 'web_push' then channel.name is not null and exists (
          select from push_subscription
          where person_id = alert.responder_id and gone_at is null)
      else channel.name is not null and exists (
          select from contact
          where person_id = alert.responder_id and contact.channel = rung.channel) end
on conflict (alert_id, channel, purpose) do nothing
""")

# Whatever was used to ask is used to tell to stop; a message on its way counts as used.
_QUEUE_STAND_DOWN = sa.text("""
insert into delivery (
    id, alert_id, responder_id, channel, purpose, status, created_at, changed_at, sent_at, due_at,
    expires_at)
select
    gen_random_uuid(), alert.id, alert.responder_id, used.channel, 'stand_down', 'queued',
    :now, :now,
    case when used.channel = 'live' then cast(:now as timestamptz) end,
    case when used.channel <> 'live' then cast(:now as timestamptz) end,
    case when used.channel <> 'live' then cast(:until as timestamptz) end
from alert
cross join lateral (
    select 'live' as channel
    union
    select channel from delivery
    where alert_id = alert.id and purpose in ('alert', 'mission') and channel <> 'live'
      and attempts > 0 and status <> 'failed') as used
where alert.id = any(:alerts)
on conflict (alert_id, channel, purpose) do nothing
""")

_QUEUE_MISSION = sa.text("""
insert into delivery (
    id, alert_id, responder_id, channel, purpose, status, why, created_at, changed_at, due_at,
    expires_at)
select
    gen_random_uuid(), alert.id, alert.responder_id, 'sms', 'mission',
    case when (incident.exercise or person.is_invented) and not channel.is_test
         then 'silenced' else 'queued' end,
    case when incident.exercise and not channel.is_test then 'exercise'
         when person.is_invented and not channel.is_test then 'invented' end,
    :now, :now, :now, cast(:until as timestamptz)
from alert
join incident on incident.id = alert.incident_id
join person on person.id = alert.responder_id and coalesce(person.phone, '') <> ''
join channel on channel.name = 'sms' and channel.is_on
where alert.id = :alert
on conflict (alert_id, channel, purpose) do nothing
""")


def climbing(alert_ids: Sequence[UUID], rungs: Sequence[ladder.Rung], *, now: datetime) -> db.Query:
    """Put alerts on their way up the rungs; doing it again changes nothing."""
    steps = tuple(rungs) or ladder.choose((), states.Kind.OTHER)
    return _CLIMB, {"alerts": list(alert_ids), "now": now, **_columns(steps)}


async def stand_down(
    conn: AsyncConnection, alerts: Sequence[store.Alert], *, now: datetime
) -> list[store.Alert]:
    """Tell to stop at once on every channel that was used, and silence what was not sent yet.

    Returns the alerts with their channels.
    """
    if not alerts:
        return []
    values = {"alerts": [alert.id for alert in alerts], "now": now, "until": now + STAND_DOWN_FOR}
    await conn.execute(_QUEUE_STAND_DOWN, values)
    return await silence(conn, alerts, Why.STOOD_DOWN, now=now)


def _columns(rungs: Sequence[ladder.Rung]) -> dict[str, list[Any]]:
    return {
        "channels": [rung.channel.value for rung in rungs],
        "after": [float(rung.after_s) for rung in rungs],
        "connected": [
            None if rung.connected_after_s is None else float(rung.connected_after_s)
            for rung in rungs
        ],
        "unless": [rung.unless.value for rung in rungs],
    }


async def queue_mission(conn: AsyncConnection, alert_id: UUID, *, now: datetime) -> None:
    """Send the way to the mission to who accepted by a call, if there is SMS."""
    values = {"alert": alert_id, "now": now, "until": now + MISSION_FOR}
    await conn.execute(_QUEUE_MISSION, values)


async def confirm(
    conn: AsyncConnection,
    alert: store.Alert,
    purpose: Purpose,
    *,
    status: Status = Status.DELIVERED,
    via: Channel = Channel.LIVE,
    now: datetime,
) -> store.Alert:
    """Note that a channel's message got so far, never back; return the locked alert with it."""
    return (await confirm_all(conn, [alert], purpose, status=status, via=via, now=now))[0]


async def confirm_all(
    conn: AsyncConnection,
    alerts: Sequence[store.Alert],
    purpose: Purpose,
    *,
    status: Status = Status.DELIVERED,
    via: Channel = Channel.LIVE,
    now: datetime,
) -> list[store.Alert]:
    """Do as `confirm` for some locked alerts, in one statement."""
    delivery = tables.delivery.c
    rows = await _change(
        conn, now,
        delivery.alert_id.in_([alert.id for alert in alerts]), delivery.purpose == purpose.value,
        delivery.channel == via.value, delivery.status.in_(BELOW[status]),
        status=status.value, why=None, delivered_at=sa.func.coalesce(delivery.delivered_at, now),
    )  # fmt: skip
    return patched(alerts, rows)


async def answer(
    conn: AsyncConnection, alert: store.Alert, *, via: Channel, now: datetime
) -> store.Alert:
    """Note that the person answered on a channel, which silences the others."""
    alert = await confirm(conn, alert, Purpose.ALERT, status=Status.ACTED, via=via, now=now)
    return (await silence(conn, [alert], Why.ANSWERED, now=now))[0]


async def silence(
    conn: AsyncConnection, alerts: Sequence[store.Alert], why: Why, *, now: datetime
) -> list[store.Alert]:
    """Take back what was not sent yet for some locked alerts, and return them with it."""
    status = Status.EXPIRED if why is Why.TOO_LATE else Status.SILENCED
    delivery = tables.delivery.c
    rows = await _change(
        conn, now,
        delivery.alert_id.in_([alert.id for alert in alerts]),
        delivery.purpose == Purpose.ALERT.value, delivery.channel != Channel.LIVE.value,
        delivery.status == Status.QUEUED.value,
        status=status.value, why=why.value,
    )  # fmt: skip
    return patched(alerts, rows)


async def _change(
    conn: AsyncConnection, now: datetime, *conditions: sa.ColumnElement[bool], **values: Any
) -> list[sa.RowMapping]:
    delivery = tables.delivery.c
    rows = await conn.execute(
        sa.update(tables.delivery)
        .where(*conditions)
        .values(**values, changed_at=now)
        .returning(delivery.alert_id, delivery.channel, delivery.status, delivery.why,
                   delivery.purpose, delivery.changed_at)
    )  # fmt: skip
    return list(rows.mappings())


def patched(alerts: Iterable[store.Alert], rows: Iterable[sa.RowMapping]) -> list[store.Alert]:
    """Put changed rows into the channels of their alerts."""
    changed: dict[UUID, dict[str, store.Way]] = {}
    for row in rows:
        if row["purpose"] == Purpose.ALERT.value:
            way = store.Way(row["channel"], row["status"], row["why"], row["changed_at"])
            changed.setdefault(row["alert_id"], {})[way.channel] = way
    return [
        replace(
            alert,
            channels=tuple(changed.get(alert.id, {}).get(w.channel, w) for w in alert.channels),
        )
        for alert in alerts
    ]


async def give_up_waiting(
    conn: AsyncConnection, incident_id: UUID, wave_id: UUID, *, now: datetime
) -> list[store.Alert]:
    """Mark the alerts of a wave whose phones have not confirmed as not reached, and tell.

    A later confirmation still counts. Returns the alerts that were marked.
    """
    incident = await store.lock_incident(conn, incident_id, even_closed=True)
    delivery = tables.delivery.c
    is_silent = (
        delivery.purpose == Purpose.ALERT.value,
        delivery.channel == Channel.LIVE.value,
        delivery.status == Status.QUEUED.value,
    )
    alert = tables.alert.c
    waiting = [status.value for status in states.ALERT_LIVE]
    alerts = await store.lock_alerts(
        conn, alert.wave_id == wave_id, alert.status.in_(waiting),
        alert.id.in_(sa.select(delivery.alert_id).where(*is_silent)),
    )  # fmt: skip
    if not alerts:
        return []
    ids = [found.id for found in alerts]
    rows = await _change(
        conn, now, delivery.alert_id.in_(ids), *is_silent, status=Status.UNACKNOWLEDGED.value
    )
    marked = patched(alerts, rows)
    line = await store.add_line(
        conn, incident.id, channel=events.Channel.SYSTEM,
        kind=events.LineKind.ALERT_UNACKNOWLEDGED, args=telling.whom(marked), by=None, now=now,
    )  # fmt: skip
    await telling.tell(
        conn, events.Kind.ALERTS_UNACKNOWLEDGED, incident,
        with_incident=False, alerts=marked, lines=[line], now=now,
    )  # fmt: skip
    return marked
