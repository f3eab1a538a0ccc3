"""What a person of an organisation has to do by a time: taken by one, done by one, on record.

Tasks of aftercare are for carers alone: who needed help is no business of those who dispatch.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, events, store, tables, timers


class Kind(StrEnum):
    """What is to be done."""

    AFTERCARE = "aftercare"  # subject: a survey; call the volunteer
    AED_PROBLEM = "aed_problem"  # subject: an AED; look at it
    UNREACHABLE = "unreachable"  # subject: a responder whom no message reaches
    CHANNEL = "channel"  # subject: made of both; a gateway delivers nothing
    CERTIFICATE = "certificate"  # subject: a responder whose certificate has ended


#: Whoever may see and do the others may not see these.
FOR_CARERS = frozenset({Kind.AFTERCARE})
#: About people: for those who look after the list of them, and for the leaders of their teams.
ABOUT_PEOPLE = frozenset({Kind.UNREACHABLE, Kind.CERTIFICATE})


@dataclass(frozen=True, slots=True)
class Task:
    """One task."""

    id: UUID
    org_id: UUID
    kind: Kind
    subject_id: UUID
    body: Mapping[str, Any]
    exercise: bool
    created_at: datetime
    due_at: datetime
    taken_at: datetime | None
    taken_by: UUID | None
    done_at: datetime | None
    done_by: UUID | None
    note: str | None
    overdue_at: datetime | None

    @classmethod
    def from_row(cls, row: sa.RowMapping) -> Task:
        """Read a row of the table."""
        plain = {field.name: row[field.name] for field in fields(cls)}
        return cls(**plain | {"kind": Kind(row["kind"])})


def out(task: Task) -> events.Body:
    """Show a task to those for whom it is."""
    times = ("created_at", "due_at", "taken_at", "done_at", "overdue_at")
    return {
        "id": str(task.id),
        "kind": task.kind.value,
        "subject": str(task.subject_id),
        "body": dict(task.body),
        "exercise": task.exercise,
        "taken_by": events.ident(task.taken_by),
        "done_by": events.ident(task.done_by),
        "note": task.note,
        **{name: events.time(getattr(task, name)) for name in times},
    }


async def add(
    conn: AsyncConnection,
    org_id: UUID,
    kind: Kind,
    *,
    subject_id: UUID,
    due_at: datetime,
    body: Mapping[str, Any],
    exercise: bool,
    now: datetime,
) -> Task:
    """Put a task on the list; while one of this kind about this subject is open, it is that one.

    The sooner of both deadlines holds. When it passes, the organisation is told (`care`).
    """
    task = tables.task
    rows = await conn.execute(
        sa.select(task).where(
            task.c.org_id == org_id, task.c.kind == kind.value, task.c.subject_id == subject_id,
            task.c.exercise == exercise, task.c.done_at.is_(None),
        )
    )  # fmt: skip
    known = rows.mappings().first()
    if known is not None:
        return await _hurry(conn, Task.from_row(known), due_at)
    rows = await conn.execute(
        sa.insert(task)
        .values(
            id=store.new_id(), org_id=org_id, kind=kind.value, subject_id=subject_id,
            body=dict(body), exercise=exercise, created_at=now, due_at=due_at,
        )
        .returning(task)
    )  # fmt: skip
    added = Task.from_row(rows.mappings().one())
    await _arm(conn, added.id, due_at)
    return added


async def _hurry(conn: AsyncConnection, task: Task, due_at: datetime) -> Task:
    if due_at >= task.due_at:
        return task
    await _arm(conn, task.id, due_at)
    return await _change(conn, task, due_at=due_at, overdue_at=None)


async def _arm(conn: AsyncConnection, task_id: UUID, due_at: datetime) -> None:
    kind, lane = timers.Kind.TASK_DUE, timers.Lane.PLANNING
    await timers.arm(conn, None, kind, subject_id=task_id, due_at=due_at, lane=lane)


async def list_open(
    conn: AsyncConnection,
    seen: Mapping[Kind, Collection[str]],
    *,
    leader_id: UUID | None = None,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
) -> list[Task]:
    """Return open tasks, the most urgent first.

    `seen` says at and below which organisations each kind is looked for; besides them come those
    about the members of the teams that `leader_id` leads.
    """
    task, path = tables.task.c, tables.org.c.path
    theirs = [
        sa.and_(task.kind == kind.value, sa.func.starts_with(path, above))
        for kind, paths in seen.items()
        for above in paths
    ]
    if leader_id is not None:
        members = _members(leader_id)
        kinds = [kind.value for kind in ABOUT_PEOPLE]
        theirs.append(sa.and_(task.kind.in_(kinds), task.subject_id.in_(members)))
    conditions = [sa.or_(sa.false(), *theirs), task.done_at.is_(None)]
    if after is not None:
        conditions.append(sa.tuple_(task.due_at, task.id) > sa.tuple_(*after))
    rows = await conn.execute(
        sa.select(tables.task)
        .join(tables.org, tables.org.c.id == task.org_id)
        .where(*conditions)
        .order_by(task.due_at, task.id)
        .limit(limit)
    )
    return [Task.from_row(row) for row in rows.mappings()]


def _members(leader_id: UUID) -> sa.Select[tuple[UUID]]:
    team, member = tables.team.c, tables.team_member.c
    return (
        sa.select(member.responder_id)
        .join_from(tables.team_member, tables.team, team.id == member.team_id)
        .where(team.leader_id == leader_id)
    )


async def is_of_leader(conn: AsyncConnection, task: Task, leader_id: UUID) -> bool:
    """Say whether a task is about a member of a team that this person leads."""
    if task.kind not in ABOUT_PEOPLE:
        return False
    is_member = _members(leader_id).where(tables.team_member.c.responder_id == task.subject_id)
    return bool(await conn.scalar(sa.select(is_member.exists())))


async def get(conn: AsyncConnection, task_id: UUID, *, lock: bool = False) -> Task:
    """Return a task. Raises NotFound."""
    query = sa.select(tables.task).where(tables.task.c.id == task_id)
    rows = await conn.execute(query.with_for_update(key_share=True) if lock else query)
    row = rows.mappings().one_or_none()
    if row is None:
        raise errors.NotFound
    return Task.from_row(row)


async def take(conn: AsyncConnection, task_id: UUID, *, by: UUID, now: datetime) -> Task:
    """Say that this person does it. Raises Conflict when another one has it, NotFound."""
    task = await get(conn, task_id, lock=True)
    if task.taken_by == by:
        return task
    if task.taken_by is not None or task.done_at is not None:
        raise errors.Conflict("somebody has it", state=out(task))
    return await _change(conn, task, taken_at=now, taken_by=by)


async def finish(
    conn: AsyncConnection, task_id: UUID, *, note: str | None, by: UUID, now: datetime
) -> Task:
    """Say that it is done, with a note; doing it twice changes nothing. Raises NotFound."""
    # The timer before the task: a runner that fires takes them in this order.
    await timers.disarm_own(conn, timers.Kind.TASK_DUE, task_id)
    task = await get(conn, task_id, lock=True)
    if task.done_at is not None:
        return task
    return await _change(conn, task, done_at=now, done_by=by, note=note)


async def note_overdue(conn: AsyncConnection, task_id: UUID, *, now: datetime) -> Task | None:
    """Note that nobody has done it in time; None when somebody has, or it was noted before."""
    task = await get(conn, task_id, lock=True)
    if task.done_at is not None or task.overdue_at is not None:
        return None
    return await _change(conn, task, overdue_at=now)


def brief(task: Task) -> events.Body:
    """Say of a task what everybody of the organisation may know: neither about whom nor what."""
    return {
        "id": str(task.id),
        "kind": task.kind.value,
        "exercise": task.exercise,
        "due_at": events.time(task.due_at),
        "is_taken": task.taken_at is not None,
    }


async def _change(conn: AsyncConnection, task: Task, **values: Any) -> Task:
    table = tables.task
    rows = await conn.execute(
        sa.update(table).where(table.c.id == task.id).values(**values).returning(table)
    )
    return Task.from_row(rows.mappings().one())
