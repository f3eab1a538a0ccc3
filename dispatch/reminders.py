"""Certificates that end: their holders are told 90, 30 and 7 days before, and when they have.

An ended certificate needs no switch: `eligibility` compares it with the local day, so nobody is
asked from the local midnight on. Housekeeping calls this once an hour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import events, store, tables, tasks, telling

#: Whoever looks after the list should have spoken to the volunteer by then.
TASK_DUE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Reminder:
    """A certificate that ends in so many days; -1: it has ended."""

    responder_id: UUID
    org_id: UUID
    expires_on: date
    stage: int


# ix_certificate_expires_on. Only the certificate of a person that is valid longest matters, and
# one that ended long before anybody looked is no news.
_DUE = sa.text("""
select id, responder_id, org_id, expires_on, stage from (
    select held.id, held.responder_id, org.id as org_id, held.expires_on, held.reminded,
           case when held.expires_on < local.today then -1
                when held.expires_on - local.today <= 7 then 7
                when held.expires_on - local.today <= 30 then 30
                else 90 end as stage
    from certificate as held
    join responder on responder.id = held.responder_id
    join person on person.id = responder.id and person.disabled_at is null
    join org on org.id = responder.org_id
    cross join lateral (
        select cast(cast(:now as timestamptz) at time zone org.timezone as date) as today) as local
    where held.status = 'verified'
      and held.expires_on between local.today - 7 and local.today + 90
      and held.expires_on between cast(:day as date) - 9 and cast(:day as date) + 92
      and not exists (select from certificate as later
                      where later.responder_id = held.responder_id and later.status = 'verified'
                      and (later.expires_on, later.id) > (held.expires_on, held.id))
) as found
where reminded is null or reminded > stage
order by responder_id
""")


async def remind(conn: AsyncConnection, *, now: datetime) -> list[Reminder]:
    """Tell the holders of certificates that end, each stage once; ended ones become tasks.

    Locks responders and then the topics' clocks.
    """
    rows = (await conn.execute(_DUE, {"now": now, "day": now.date()})).all()
    await store.lock_responders(conn, {row.responder_id for row in rows})
    held = tables.certificate
    taken: list[Reminder] = []
    for row in rows:
        is_news = sa.or_(held.c.reminded.is_(None), held.c.reminded > row.stage)
        marked = await conn.execute(
            sa.update(held)
            .where(held.c.id == row.id, is_news)
            .values(reminded=row.stage, unpushed_since=now)
        )
        if marked.rowcount:
            taken.append(Reminder(row.responder_id, row.org_id, row.expires_on, row.stage))
    await _make_tasks(conn, taken, now=now)
    what = events.Care.CERTIFICATE_ENDS.value
    said: dict[UUID, events.Body] = {
        item.responder_id: {"what": what, "id": None, "on": item.expires_on.isoformat()}
        for item in taken
    }
    await telling.tell_care(conn, said, now=now)
    return taken


@dataclass(frozen=True, slots=True)
class Unpushed:
    """A reminder that web push has not been tried for."""

    id: UUID
    responder_id: UUID
    language: str


# ix_certificate_unpushed. Each is tried once: the app shows it anyway.
_TAKE_UNPUSHED = sa.text("""
update certificate set unpushed_since = null
from person
where person.id = certificate.responder_id and certificate.id in (
    select id from certificate where unpushed_since > :since
    order by unpushed_since limit :most for update skip locked)
returning certificate.id, certificate.responder_id, person.language
""")


async def take_unpushed(conn: AsyncConnection, *, limit: int, since: datetime) -> list[Unpushed]:
    """Take reminders from after a time that web push has not been tried for."""
    rows = await conn.execute(_TAKE_UNPUSHED, {"most": limit, "since": since})
    return [Unpushed(*row) for row in rows]


async def _make_tasks(
    conn: AsyncConnection, reminders: Iterable[Reminder], *, now: datetime
) -> None:
    for reminder in reminders:
        if reminder.stage < 0:
            await tasks.add(
                conn, reminder.org_id, tasks.Kind.CERTIFICATE, subject_id=reminder.responder_id,
                due_at=now + TASK_DUE, body={"expired_on": reminder.expires_on.isoformat()},
                exercise=False, now=now,
            )  # fmt: skip
