"""Certificates that end: their holders are told 90, 30 and 7 days before, and when they have.

An ended certificate needs no switch: `eligibility` compares it with the local day, so nobody is
asked from the local midnight on. Housekeeping calls `remind` once an hour; the app is told at once,
the person's other channels (`asking`) by day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
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


#: Between these local times of the organisation a reminder may make a sound.
DAY = (time(9), time(20))


@dataclass(frozen=True, slots=True)
class Untold:
    """A reminder that has gone to the app only, and by what else its holder can be told."""

    id: UUID
    responder_id: UUID
    language: str
    org: str
    phone: str
    wecom: str
    is_invented: bool
    # Some device of theirs answers to the weekly check, as far as is known.
    can_push: bool


# ix_certificate_unpushed. Each is taken once: the app shows it anyway. Nobody is told at night, in
# their quiet hours, or when a newer certificate has come meanwhile.
_TAKE_UNTOLD = sa.text("""
with due as (
    select held.id from certificate as held
    join responder on responder.id = held.responder_id
    join person on person.id = responder.id and person.disabled_at is null
    join org on org.id = responder.org_id
    cross join lateral (
        select cast(cast(:now as timestamptz) at time zone org.timezone as time) as clock) as local
    where held.unpushed_since > :since and held.status = 'verified'
      and local.clock >= :day_begins and local.clock < :day_ends
      and case when responder.quiet_from is null then true
               when responder.quiet_from <= responder.quiet_until
               then local.clock < responder.quiet_from or local.clock >= responder.quiet_until
               else local.clock < responder.quiet_from and local.clock >= responder.quiet_until end
      and not exists (select from certificate as later
                      where later.responder_id = held.responder_id and later.status = 'verified'
                      and (later.expires_on, later.id) > (held.expires_on, held.id))
    order by held.unpushed_since limit :most for update of held skip locked)
update certificate set unpushed_since = null
from due, person
join responder on responder.id = person.id
join org on org.id = responder.org_id
left join contact on contact.person_id = person.id and contact.channel = 'wecom'
where certificate.id = due.id and person.id = certificate.responder_id
returning certificate.id, certificate.responder_id, person.language,
    case when person.language = 'en' then org.name_en else org.name_zh end as org,
    coalesce(person.phone, '') as phone, coalesce(contact.account, '') as wecom, person.is_invented,
    exists (select from push_subscription as device where device.person_id = person.id
            and device.gone_at is null and device.flagged_at is null) as can_push
""")


async def take_untold(
    conn: AsyncConnection, *, limit: int, since: datetime, now: datetime
) -> list[Untold]:
    """Take reminders from after a time that have gone to the app only, where it is day now."""
    begins, ends = DAY
    values = {"most": limit, "since": since, "now": now, "day_begins": begins, "day_ends": ends}
    return [Untold(*row) for row in await conn.execute(_TAKE_UNTOLD, values)]


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
