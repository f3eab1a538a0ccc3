"""Which channels are on, and whether anything arrives: a gateway may take all and deliver none.

The runners write what they were set up with; the consoles and the metrics read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid5

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import events, states, tables, tasks, telling
from dispatch.ladder import GATEWAYS, Channel
from realtime import log

#: Only channels whose gateways report what arrived can be found silent.
REPORTING = (Channel.WEB_PUSH, Channel.SMS, Channel.VOICE)
WINDOW = timedelta(minutes=10)
#: A receipt may take so long; younger messages do not count.
RECEIPT_WITHIN = timedelta(seconds=60)
#: So many messages without one receipt are no chance.
SILENT_AFTER = 5
#: Somebody should have called the gateway by then.
TASK_DUE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Health:
    """How a channel does: counts of the last minutes, and since when nothing arrives."""

    name: str
    is_on: bool
    is_test: bool
    flagged_at: datetime | None
    sent: int
    delivered: int
    failed: int


async def announce(
    conn: AsyncConnection, is_test: Mapping[Channel, bool], *, now: datetime
) -> None:
    """Write which channels are on, and which of them end on this machine."""
    for channel in sorted(GATEWAYS):
        values = {
            "is_on": channel in is_test, "is_test": is_test.get(channel, False), "checked_at": now
        }  # fmt: skip
        await conn.execute(
            pg.insert(tables.channel)
            .values(name=channel.value, **values)
            .on_conflict_do_update(index_elements=["name"], set_=values)
        )


async def list_all(conn: AsyncConnection) -> list[Health]:
    """Return every channel that was ever on or off here."""
    channel = tables.channel.c
    names = ("name", "is_on", "is_test", "flagged_at", "sent", "delivered", "failed")
    rows = await conn.execute(sa.select(*(channel[name] for name in names)).order_by(channel.name))
    return [Health(*row) for row in rows]


def silent_out(channels: Iterable[Health]) -> list[events.Body]:
    """Show to an operator which channels send and deliver nothing, and since when."""
    return [
        {"channel": one.name, "silent_since": events.time(one.flagged_at)}
        for one in channels
        if one.is_on and one.flagged_at is not None
    ]


#: A proof that is older than this proves little.
PROOF_FOR = timedelta(days=7)

# The primary key, and ix_delivery_sent.
_PROOFS = sa.text("""
select channel.name, channel.is_test, channel.flagged_at, proof.at
from channel
cross join lateral (
    select max(delivery.delivered_at) as at from delivery
    where delivery.channel = channel.name and delivery.due_at is not null
      and delivery.sent_at > :after) as proof
where channel.is_on
""")


async def proofs(conn: AsyncConnection, *, now: datetime) -> list[events.Body]:
    """Show the channels that are on, in the usual order, and when something arrived for certain."""
    rows = await conn.execute(_PROOFS, {"after": now - PROOF_FOR})
    places = {channel.value: place for place, channel in enumerate(GATEWAYS)}
    return [
        {
            "channel": row.name,
            "is_test": row.is_test,
            "silent_since": events.time(row.flagged_at),
            "proved_at": events.time(row.at),
        }
        for row in sorted(rows, key=lambda row: places[row.name])
    ]


# Served by ix_delivery_sent.
_COUNT = sa.text("""
select
    channel,
    count(*) filter (where status in ('sent', 'delivered', 'seen', 'acted')) as sent,
    count(*) filter (where delivered_at is not null) as delivered,
    count(*) filter (where status = 'failed') as failed,
    count(*) filter (where status = 'sent' and sent_at <= :old) as unheard,
    min(sent_at) filter (where status = 'sent' and sent_at <= :old) as since
from delivery
where due_at is not null and sent_at > :after and channel = any(:channels)
group by channel
""")


async def check(conn: AsyncConnection, *, now: datetime) -> list[Health]:
    """Count the last minutes, flag channels that went silent, unflag others, and tell.

    Returns the channels whose flag changed. Locks the rows of the channels, then topic clocks.
    """
    await conn.execute(sa.select(tables.channel.c.name).with_for_update().order_by("name"))
    before = {one.name: one for one in await list_all(conn)}
    counted = await conn.execute(
        _COUNT,
        {
            "after": now - WINDOW,
            "old": now - RECEIPT_WITHIN,
            "channels": [channel.value for channel in GATEWAYS],
        },
    )
    counts = {row.channel: row for row in counted}
    for name, known in before.items():
        await conn.execute(
            sa.update(tables.channel)
            .where(tables.channel.c.name == name)
            .values(**_judge(known, counts.get(name), now), checked_at=now)
        )
    after = await list_all(conn)
    changed = [
        one
        for one in after
        if (one.flagged_at is None) is not (before[one.name].flagged_at is None)
    ]
    for one in changed:
        if one.flagged_at is not None:
            await _ask_somebody(conn, one, now=now)
    if changed:
        await _tell(conn, after, now=now)
    return changed


def _judge(
    known: Health, count: sa.Row[tuple[object, ...]] | None, now: datetime
) -> dict[str, object]:
    if count is None:
        # Nothing was sent of late: what was found silent stays so until something arrives.
        return {"sent": 0, "delivered": 0, "failed": 0}
    figures = {name: getattr(count, name) for name in ("sent", "delivered", "failed")}
    if count.delivered > 0 or known.name not in REPORTING:
        return {**figures, "flagged_at": None}
    is_silent = count.unheard >= SILENT_AFTER
    since = known.flagged_at or (count.since or now if is_silent else None)
    return {**figures, "flagged_at": since}


# Served by ix_delivery_sent.
_WHOSE = sa.text("""
select distinct incident.org_id
from delivery
join alert on alert.id = delivery.alert_id
join incident on incident.id = alert.incident_id
where delivery.channel = :channel and delivery.due_at is not null
  and delivery.sent_at > :after and delivery.status = 'sent'
order by incident.org_id
""")


async def _ask_somebody(conn: AsyncConnection, silent: Health, *, now: datetime) -> None:
    """Make a task of a silent channel for the organisations whose messages it took.

    Each channel has its own: one that is silent must not hide another.
    """
    values = {"channel": silent.name, "after": now - WINDOW}
    for org_id in list((await conn.execute(_WHOSE, values)).scalars()):
        await tasks.add(
            conn, org_id, tasks.Kind.CHANNEL, subject_id=uuid5(org_id, silent.name),
            due_at=now + TASK_DUE, body={"channel": silent.name}, exercise=False, now=now,
        )  # fmt: skip


async def _tell(conn: AsyncConnection, channels: list[Health], *, now: datetime) -> None:
    """Tell every organisation that has operators: the channels are everybody's."""
    membership = tables.membership.c
    codes = await conn.execute(
        sa.select(tables.org.c.code)
        .where(
            tables.org.c.id.in_(
                sa.select(membership.org_id).where(membership.role == states.OrgRole.OPERATOR.value)
            )
        )
        .order_by(tables.org.c.code)
    )
    body: events.Body = {"channels": silent_out(channels)}
    items = [
        log.Item(telling.org_topic(code), events.Kind.CHANNELS_CHANGED, body)
        for code in codes.scalars()
    ]
    await log.append_many(conn, items, at=now)
