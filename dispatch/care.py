"""Care for volunteers: rest after a mission, the question how they are, tasks that are overdue."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    events,
    matching,
    policies,
    store,
    surveys,
    tables,
    tasks,
    telling,
    timers,
)
from realtime import log

#: Timers of no incident that `fire` takes.
TIMERS = frozenset({timers.Kind.SURVEY, timers.Kind.SURVEY_AGAIN, timers.Kind.TASK_DUE})


async def after_missions(
    conn: AsyncConnection,
    incident: store.Incident,
    assignments: Iterable[store.Assignment],
    *,
    now: datetime,
) -> None:
    """Let those whose mission has ended rest, and ask them later how they are.

    Whoever never set out needs neither. Call it after `telling.tell`, which holds the locks of the
    responders and of their topics.
    """
    ended = [item for item in assignments if not item.is_live and _has_set_out(item)]
    if ended and incident.practice_of is not None and incident.closed_at is None:
        await timers.arm(conn, incident.id, timers.Kind.PRACTICE_END, due_at=now)
    if not ended or incident.practice_of is not None:
        return
    policy = await policies.effective(conn, incident, base=matching.Policy(), now=now)
    for assignment in ended:
        if policy.survey_after_s > 0:
            if incident.reopened_at is not None:
                await _forget_earlier(conn, assignment)
            await timers.arm(
                conn, None, timers.Kind.SURVEY, subject_id=assignment.id,
                due_at=now + timedelta(seconds=policy.survey_after_s), lane=timers.Lane.PLANNING,
            )  # fmt: skip
        if _has_arrived(assignment) and not incident.exercise:
            until = now + timedelta(hours=policy.rest_after_h)
            await rest(conn, assignment.responder_id, until=until, now=now)


async def _forget_earlier(conn: AsyncConnection, assignment: store.Assignment) -> None:
    """Ask once after the last mission of somebody who went again to the same incident."""
    mine = tables.assignment.c
    missions = await store.list_assignments(
        conn, mine.incident_id == assignment.incident_id,
        mine.responder_id == assignment.responder_id, mine.id != assignment.id,
    )  # fmt: skip
    await timers.take_back(conn, timers.Kind.SURVEY, [one.id for one in missions])


def _has_set_out(assignment: store.Assignment) -> bool:
    began = (assignment.en_route_at, assignment.aed_collected_at)
    return _has_arrived(assignment) or any(at is not None for at in began)


def _has_arrived(assignment: store.Assignment) -> bool:
    there = (assignment.on_scene_at, assignment.with_patient_at, assignment.handed_over_at)
    return any(at is not None for at in there)


async def rest(
    conn: AsyncConnection, responder_id: UUID, *, until: datetime, now: datetime
) -> store.Responder:
    """Leave somebody in peace until a time; going on duty ends it, a longer rest stays."""
    responder = (await store.lock_responders(conn, [responder_id]))[responder_id]
    if until <= now or (responder.rest_until is not None and responder.rest_until >= until):
        return responder
    table = tables.responder
    await conn.execute(
        sa.update(table)
        .where(table.c.id == responder_id)
        .values(rest_until=until, version=table.c.version + 1)
    )
    responder = await store.get_responder(conn, responder_id)
    await telling.tell_duty(conn, responder, now=now)
    return responder


async def answer(
    conn: AsyncConnection,
    survey_id: UUID,
    impact: surveys.Impact,
    *,
    text: str | None = None,
    wants_call: bool = False,
    now: datetime,
) -> surveys.Survey:
    """Take the answer of a volunteer: who is not well is called and left in peace.

    Raises NotFound.
    """
    survey = await surveys.get(conn, survey_id)
    # All that may be told, at once and in order.
    told = [survey.responder_id, *await surveys.carers(conn, survey.org_path)]
    await store.lock_responders(conn, told)
    rest_for = surveys.REST_FOR.get(impact)
    if rest_for is not None and not survey.exercise:
        await rest(conn, survey.responder_id, until=now + rest_for, now=now)
    return await surveys.answer(conn, survey_id, impact, text=text, wants_call=wants_call, now=now)


async def fire(conn: AsyncConnection, timer: timers.Timer, *, now: datetime) -> None:
    """Do what a due timer of care is for."""
    if timer.subject_id is None:
        return
    if timer.kind is timers.Kind.SURVEY:
        await surveys.ask(conn, timer.subject_id, now=now)
    elif timer.kind is timers.Kind.SURVEY_AGAIN:
        await surveys.ask_again(conn, timer.subject_id, now=now)
    elif timer.kind is timers.Kind.TASK_DUE:
        await _overdue(conn, timer.subject_id, now=now)


async def _overdue(conn: AsyncConnection, task_id: UUID, *, now: datetime) -> None:
    """Tell an organisation, and the one above it, that nobody has done a task in time.

    The event names nobody: operators hear it too.
    """
    task = await tasks.note_overdue(conn, task_id, now=now)
    if task is None:
        return
    if task.kind in tasks.FOR_CARERS:
        said = {"what": events.Care.TASK_OVERDUE.value, "id": str(task.id)}
        path = await conn.scalar(sa.select(tables.org.c.path).where(tables.org.c.id == task.org_id))
        people = await surveys.carers(conn, path or "")
        told: dict[UUID, events.Body] = dict.fromkeys(people, said)
        await telling.tell_care(conn, told, now=now)
    body: events.Body = {"task": tasks.brief(task)}
    kind = events.Kind.TASK_OVERDUE
    topics = [
        telling.org_topic(row.code) for row in await conn.execute(_ABOVE, {"id": task.org_id})
    ]
    await log.append_many(conn, [log.Item(topic, kind, body) for topic in topics], at=now)


# The primary key, twice.
_ABOVE = sa.text("""
with own as (select code, parent_id from org where id = :id)
select code from own
union all
select org.code from org join own on org.id = own.parent_id
""")


async def about(conn: AsyncConnection, task: tasks.Task) -> events.Body:
    """Say whom or what a task is about; of aftercare only to carers."""
    if task.kind is tasks.Kind.AFTERCARE:
        return await surveys.about(conn, task.subject_id)
    if task.kind not in tasks.ABOUT_PEOPLE:
        return {}  # an AED and its custodians, or a channel, are in the body
    rows = await conn.execute(_PERSON, {"id": task.subject_id})
    row = rows.mappings().one_or_none()
    return {} if row is None else dict(row)


_PERSON = sa.text("""
select cast(id as text) as person, name, name_en, phone, language from person where id = :id
""")
