"""Durable "do this at that time": a row that whichever runner is alive fires, once.

Every timer of an incident is armed, moved and disarmed under the incident's lock. A runner takes
that lock first (`claim`) and the timer's row second; the other way round deadlocks with every
action that disarms it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, tables
from dispatch.store import new_id


class Kind(StrEnum):
    """What a timer is for."""

    WAVE = "wave"  # look whether more people have to be asked
    ALERT_EXPIRY = "alert_expiry"  # subject: the wave whose alerts run out
    REROUTE = "reroute"  # subject: the AED that its fetchers cannot use
    DELIVERY_CHECK = "delivery_check"  # subject: the wave whose phones should have confirmed
    NO_MOVEMENT = "no_movement"  # subject: the assignment without a step
    RESERVATION_EXPIRY = "reservation_expiry"  # subject: the reservation
    SURVEY = "survey"  # of no incident; subject: the mission after which somebody is asked
    SURVEY_AGAIN = "survey_again"  # of no incident; subject: the first survey
    TASK_DUE = "task_due"  # of no incident; subject: the task
    PRACTICE_END = "practice_end"  # a practice alert that nobody ended
    HOUSEKEEPING = "housekeeping"  # of no incident: throw away what is old


class Lane(StrEnum):
    """Which runners fire it: those for what cannot wait, or those for what can."""

    DISPATCH = "dispatch"
    PLANNING = "planning"


#: After so many failures the operator is told; the timer goes on being tried.
MANY_ATTEMPTS = 5
#: The longest wait between two tries of a failing timer.
LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True, slots=True)
class Timer:
    """One armed timer."""

    id: UUID
    incident_id: UUID | None
    subject_id: UUID | None
    kind: Kind
    due_at: datetime
    lane: Lane
    attempts: int

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Timer:
        """Read a row of the table."""
        typed: dict[str, Any] = {"kind": Kind(row["kind"]), "lane": Lane(row["lane"])}
        plain = {field.name: row[field.name] for field in fields(cls) if field.name not in typed}
        return cls(**plain, **typed)


async def arm(
    conn: AsyncConnection,
    incident_id: UUID | None,
    kind: Kind,
    *,
    due_at: datetime,
    subject_id: UUID | None = None,
    lane: Lane = Lane.DISPATCH,
) -> None:
    """Set a timer; arming it again moves it and forgets its failures."""
    await arm_all(conn, incident_id, [Due(kind, due_at, subject_id)], lane=lane)


@dataclass(frozen=True, slots=True)
class Due:
    """One timer to be set."""

    kind: Kind
    due_at: datetime
    subject_id: UUID | None = None


# Served by ux_timer_subject.
_ARM = sa.text("""
insert into timer (id, incident_id, lane, kind, due_at, subject_id)
select due.id, cast(:incident_id as uuid), cast(:lane as text), due.kind, due.at, due.subject_id
from unnest(cast(:ids as uuid[]), cast(:kinds as text[]), cast(:times as timestamptz[]),
            cast(:subjects as uuid[])) as due (id, kind, at, subject_id)
on conflict (incident_id, kind, subject_id) do update
set due_at = excluded.due_at, lane = excluded.lane, attempts = 0
""")


async def arm_all(
    conn: AsyncConnection,
    incident_id: UUID | None,
    due: Sequence[Due],
    *,
    lane: Lane = Lane.DISPATCH,
) -> None:
    """Set timers that differ in kind or subject, as `arm` sets each."""
    await db.together(conn, arming(incident_id, due, lane=lane))


def arming(incident_id: UUID | None, due: Sequence[Due], *, lane: Lane = Lane.DISPATCH) -> db.Query:
    """Do as `arm_all` does."""
    return _ARM, {
        "incident_id": incident_id,
        "lane": lane.value,
        "ids": [new_id() for _ in due],
        "kinds": [item.kind.value for item in due],
        "times": [item.due_at for item in due],
        "subjects": [item.subject_id for item in due],
    }


async def ensure(
    conn: AsyncConnection, kind: Kind, *, due_at: datetime, lane: Lane = Lane.PLANNING
) -> None:
    """Set a timer of no incident unless it is set already."""
    await conn.execute(
        pg.insert(tables.timer)
        .values(id=new_id(), kind=kind, due_at=due_at, lane=lane)
        .on_conflict_do_nothing(index_elements=["incident_id", "kind", "subject_id"])
    )


async def disarm(
    conn: AsyncConnection,
    incident_id: UUID,
    *,
    kinds: Collection[Kind] = tuple(Kind),
    subject_id: UUID | None = None,
) -> None:
    """Take away an incident's timers of some kinds, or only the one of a subject."""
    timer = tables.timer.c
    conditions = [timer.incident_id == incident_id, timer.kind.in_(kinds)]
    if subject_id is not None:
        conditions.append(timer.subject_id == subject_id)
    await conn.execute(sa.delete(tables.timer).where(*conditions))


async def disarm_own(conn: AsyncConnection, kind: Kind, subject_id: UUID | None) -> None:
    """Take away a timer of no incident."""
    timer = tables.timer.c
    await conn.execute(
        sa.delete(tables.timer).where(
            timer.incident_id.is_(None), timer.kind == kind, timer.subject_id == subject_id
        )
    )


# Served by ux_timer_subject. A runner that fires one of them goes on to lock what we may hold.
_TAKE_BACK = sa.text("""
delete from timer where id in (
    select id from timer
    where incident_id is null and kind = :kind and subject_id = any(cast(:subjects as uuid[]))
    for update skip locked)
""")


async def take_back(conn: AsyncConnection, kind: Kind, subject_ids: Collection[UUID]) -> None:
    """Take away timers of no incident, but for those that somebody is firing at this moment."""
    await conn.execute(_TAKE_BACK, {"kind": kind.value, "subjects": list(subject_ids)})


_DUE = sa.text("""
select * from timer where lane = any(cast(:lanes as text[])) and due_at <= :now
order by due_at limit :most
""")
_NEXT = sa.text("""
select min(due_at) as due_at from timer
where lane = any(cast(:lanes as text[])) and due_at > :now
""")


async def look(
    conn: AsyncConnection, lanes: Collection[Lane], *, limit: int, now: datetime
) -> tuple[list[Timer], datetime | None]:
    """Look at the timers that are due, the longest due first, and when the next will be.

    Locks nothing, and takes one round trip: every runner looks after every commit.
    """
    names = [lane.value for lane in lanes]
    due, [following] = await db.together(
        conn,
        (_DUE, {"lanes": names, "now": now, "most": limit}),
        (_NEXT, {"lanes": names, "now": now}),
    )
    return [Timer.from_row(row) for row in due], following["due_at"]


async def list_due(
    conn: AsyncConnection, lanes: Collection[Lane], *, limit: int, now: datetime
) -> list[Timer]:
    """List the timers that are due, the longest due first; locks nothing."""
    return (await look(conn, lanes, limit=limit, now=now))[0]


async def next_due(
    conn: AsyncConnection, lanes: Collection[Lane], *, after: datetime
) -> datetime | None:
    """Return when the next timer after a time is due; None without one."""
    return (await look(conn, lanes, limit=0, now=after))[1]


async def claim(conn: AsyncConnection, timer: Timer) -> bool:
    """Take a due timer for this transaction: its incident's lock first, then its row.

    False when somebody else holds the incident or has fired, moved or disarmed the timer; look
    again later. The timer is gone when the transaction commits, and there again when it does not.
    """
    row = tables.timer
    if timer.incident_id is not None:
        incident = tables.incident.c
        held = await conn.scalar(
            sa.select(incident.id)
            .where(incident.id == timer.incident_id)
            .with_for_update(key_share=True, skip_locked=True)
        )
        if held is None:
            return False
    mine = sa.select(row.c.id).where(row.c.id == timer.id).with_for_update(skip_locked=True)
    deleted = await conn.scalar(
        sa.delete(row)
        .where(row.c.id.in_(mine.scalar_subquery()), row.c.due_at == timer.due_at)
        .returning(row.c.id)
    )
    return deleted is not None


async def put_off(conn: AsyncConnection, timer: Timer, *, now: datetime) -> int:
    """Note that firing a timer failed, try it again later, and return how often it has failed.

    Waits 1, 2, 4, 8, 16 s and then 30 s. 0 when the timer is gone or was moved meanwhile.
    """
    pause_s = min(LONGEST_PAUSE_S, 2.0**timer.attempts)
    row = tables.timer
    attempts = await conn.scalar(
        sa.update(row)
        .where(row.c.id == timer.id, row.c.due_at == timer.due_at)
        .values(attempts=row.c.attempts + 1, due_at=now + timedelta(seconds=pause_s))
        .returning(row.c.attempts)
    )
    return int(attempts or 0)
