"""Checks that are due: the first custodian is asked, then the second, then the organisation."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

#: How long before the day each stage begins.
FIRST_BEFORE = timedelta(days=7)
SECOND_BEFORE = timedelta(days=4)
#: The rest waits for the next look.
_MOST = 500


class Stage(StrEnum):
    """Who is asked: the first custodian, the second one, or the whole organisation."""

    FIRST = "first"
    SECOND = "second"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Reminder:
    """One device that somebody has to look at."""

    aed_id: UUID
    org_id: UUID
    name: str
    stage: Stage
    due_at: datetime


# Of the schedules there are at most as many as devices; read once an hour.
_NEW = text("""
with due as (
  select id, org_id, name,
         coalesce(verified_at + check_every_days * interval '24 hours', created_at) as due_at
  from aed where is_in_service and check_every_days is not null
), staged as (
  select *, case when due_at <= :now then 'overdue'
                 when due_at <= cast(:now as timestamptz) + :second then 'second'
                 else 'first' end as stage
  from due where due_at <= cast(:now as timestamptz) + :first
), fresh as (
  insert into aed_reminder (aed_id, due_at, stage, at)
  select id, due_at, stage, :now from staged
  where not exists (
    select from aed_reminder as given
    where given.aed_id = id and given.due_at = staged.due_at and given.stage = staged.stage)
  order by due_at, id
  limit :most
  on conflict do nothing
  returning aed_id, due_at, stage
)
select staged.id as aed_id, org_id, name, fresh.stage, fresh.due_at
from fresh join staged on staged.id = fresh.aed_id
order by fresh.due_at, staged.id
""")


async def take_new(conn: AsyncConnection, *, now: datetime) -> list[Reminder]:
    """Give the reminders whose stage has begun, each once; of a stage that passed unseen none."""
    binds = {"now": now, "first": FIRST_BEFORE, "second": SECOND_BEFORE, "most": _MOST}
    rows = await conn.execute(_NEW, binds)
    return [
        Reminder(row.aed_id, row.org_id, row.name, Stage(row.stage), row.due_at) for row in rows
    ]
