"""How a volunteer is after a mission: asked once by the phone, and again after four weeks.

Only the volunteer and those who care for volunteers ever read an answer; nothing of it reaches
operators, boards, timelines or logs. What was written freely is forgotten after thirty days.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, events, states, store, tables, tasks, telling, timers

#: The second question, to everybody who was asked the first after a real mission.
AGAIN_AFTER = timedelta(weeks=4)
#: Whoever is on another mission of the same incident is asked when that may be over.
PUT_OFF = timedelta(minutes=30)
#: A question that nobody answered leaves the phone.
SHOWN_FOR = timedelta(days=14)
TEXT_KEPT = timedelta(days=30)


class Impact(StrEnum):
    """How much a mission weighs on somebody, in their own eyes."""

    NONE = "none"
    LOW = "low"
    MODERATE = "moderate"
    SEVERE = "severe"


#: How soon somebody calls, by the answer.
CALL_WITHIN = {Impact.SEVERE: timedelta(hours=2), Impact.MODERATE: timedelta(hours=24)}
#: How long who answered so is left in peace, unless they end it themselves.
REST_FOR = {Impact.SEVERE: timedelta(hours=48)}


@dataclass(frozen=True, slots=True)
class Survey:
    """One question to one person about one mission, answered or not."""

    id: UUID
    responder_id: UUID
    incident_id: UUID
    assignment_id: UUID | None
    round: int
    exercise: bool
    asked_at: datetime
    answered_at: datetime | None
    impact: Impact | None
    text: str | None
    kind: states.Kind
    org_id: UUID
    org_path: str

    @classmethod
    def from_row(cls, row: sa.RowMapping) -> Survey:
        """Read a row of `_SURVEY`."""
        typed: dict[str, Any] = {
            "impact": None if row["impact"] is None else Impact(row["impact"]),
            "kind": states.Kind(row["kind"]),
        }
        plain = {field.name: row[field.name] for field in fields(cls) if field.name not in typed}
        return cls(**plain, **typed)


# The organisation is the volunteer's own, which cares for them wherever the mission was.
_SURVEY = (
    sa.select(
        tables.survey,
        tables.incident.c.kind,
        tables.responder.c.org_id,
        tables.org.c.path.label("org_path"),
    )
    .join_from(tables.survey, tables.incident, tables.incident.c.id == tables.survey.c.incident_id)
    .join(tables.responder, tables.responder.c.id == tables.survey.c.responder_id)
    .join(tables.org, tables.org.c.id == tables.responder.c.org_id)
)


async def get(conn: AsyncConnection, survey_id: UUID, *, lock: bool = False) -> Survey:
    """Return a survey. Raises NotFound."""
    query = _SURVEY.where(tables.survey.c.id == survey_id)
    if lock:
        query = query.with_for_update(key_share=True, of=tables.survey)
    row = (await conn.execute(query)).mappings().one_or_none()
    if row is None:
        raise errors.NotFound
    return Survey.from_row(row)


async def due(conn: AsyncConnection, responder_id: UUID, *, now: datetime) -> Survey | None:
    """Return the question that the person's phone shows: the latest that is not answered."""
    survey = tables.survey.c
    rows = await conn.execute(
        _SURVEY.where(
            survey.responder_id == responder_id,
            survey.answered_at.is_(None),
            survey.asked_at > now - SHOWN_FOR,
        )
        .order_by(survey.asked_at.desc())
        .limit(1)
    )
    row = rows.mappings().one_or_none()
    return None if row is None else Survey.from_row(row)


def out(survey: Survey) -> events.Body:
    """Show a survey to the person whom it asks."""
    return {
        "id": str(survey.id),
        "incident": {
            "id": str(survey.incident_id),
            "kind": survey.kind.value,
            "exercise": survey.exercise,
        },
        "round": survey.round,
        "asked_at": events.time(survey.asked_at),
        "answered_at": events.time(survey.answered_at),
        "impact": None if survey.impact is None else survey.impact.value,
    }


async def ask(conn: AsyncConnection, assignment_id: UUID, *, now: datetime) -> None:
    """Ask whoever was on a mission how they are, once, and mark the day of the second question.

    Whoever has gone again, as the incident was opened again, is asked later.
    """
    row = (await conn.execute(_MISSION, {"id": assignment_id})).one_or_none()
    if row is None:
        return
    if row.is_gone_again:
        await timers.arm(
            conn, None, timers.Kind.SURVEY, subject_id=assignment_id, due_at=now + PUT_OFF,
            lane=timers.Lane.PLANNING,
        )  # fmt: skip
        return
    survey_id = await _add(
        conn, row.responder_id, row.incident_id, assignment_id, number=1, exercise=row.exercise,
        now=now,
    )  # fmt: skip
    if survey_id is None:
        return
    if not row.exercise:
        await timers.arm(
            conn, None, timers.Kind.SURVEY_AGAIN, subject_id=survey_id,
            due_at=now + AGAIN_AFTER, lane=timers.Lane.PLANNING,
        )  # fmt: skip
    await _tell(conn, row.responder_id, survey_id, now=now)


# The primary keys, and the unique index of live assignments.
_MISSION = sa.text("""
select assignment.responder_id, assignment.incident_id, incident.exercise,
       exists (select from assignment as other
               where other.responder_id = assignment.responder_id and other.ended_at is null
                 and other.incident_id = assignment.incident_id and other.id <> assignment.id)
           as is_gone_again
from assignment join incident on incident.id = assignment.incident_id
where assignment.id = :id
""")


async def ask_again(conn: AsyncConnection, survey_id: UUID, *, now: datetime) -> None:
    """Ask a second time, weeks later: some things come late."""
    first = await get(conn, survey_id)
    again = await _add(
        conn, first.responder_id, first.incident_id, first.assignment_id, number=2,
        exercise=first.exercise, now=now,
    )  # fmt: skip
    if again is not None:
        await _tell(conn, first.responder_id, again, now=now)


async def _add(
    conn: AsyncConnection,
    responder_id: UUID,
    incident_id: UUID,
    assignment_id: UUID | None,
    *,
    number: int,
    exercise: bool,
    now: datetime,
) -> UUID | None:
    survey = tables.survey
    added: UUID | None = await conn.scalar(
        pg.insert(survey)
        .values(
            id=store.new_id(), responder_id=responder_id, incident_id=incident_id,
            assignment_id=assignment_id, round=number, exercise=exercise, asked_at=now,
        )
        .on_conflict_do_nothing()
        .returning(survey.c.id)
    )  # fmt: skip
    return added


async def _tell(conn: AsyncConnection, person: UUID, survey_id: UUID, *, now: datetime) -> None:
    said = {"what": events.Care.SURVEY_DUE.value, "id": str(survey_id)}
    await telling.tell_care(conn, {person: said}, now=now)


async def answer(
    conn: AsyncConnection,
    survey_id: UUID,
    impact: Impact,
    *,
    text: str | None = None,
    wants_call: bool = False,
    now: datetime,
) -> Survey:
    """Take an answer; a later one replaces it, and takes back no call that was promised.

    In an exercise nobody is called and nobody rests. Raises NotFound.
    """
    survey = await get(conn, survey_id, lock=True)
    table = tables.survey
    await conn.execute(
        sa.update(table)
        .where(table.c.id == survey.id)
        .values(impact=impact.value, text=text, answered_at=now)
    )
    survey = await get(conn, survey_id)
    if survey.exercise:
        return survey
    within = call_within(impact, wants_call=wants_call)
    if within is not None:
        await _promise_call(conn, survey, now + within, now=now)
    return survey


def call_within(impact: Impact, *, wants_call: bool) -> timedelta | None:
    """Say how soon somebody calls after an answer; None when nobody does."""
    asked_for = CALL_WITHIN[Impact.MODERATE] if wants_call else None
    return CALL_WITHIN.get(impact, asked_for)


async def _promise_call(
    conn: AsyncConnection, survey: Survey, due_at: datetime, *, now: datetime
) -> None:
    """Make a task for those who care; its body says nothing about the person."""
    task = await tasks.add(
        conn, survey.org_id, tasks.Kind.AFTERCARE, subject_id=survey.id, due_at=due_at,
        body={}, exercise=False, now=now,
    )  # fmt: skip
    said: events.Body = {"what": events.Care.TASK_ADDED.value, "id": str(task.id)}
    people = await carers(conn, survey.org_path)
    await telling.tell_care(conn, dict.fromkeys(people, said), now=now)


# ix_membership_org_id.
_CARERS = sa.text("""
select distinct membership.person_id
from membership
join org on org.id = membership.org_id and starts_with(:path, org.path)
join person on person.id = membership.person_id and person.disabled_at is null
where membership.role = 'carer'
""")


async def carers(conn: AsyncConnection, org_path: str) -> list[UUID]:
    """Return those who care for the volunteers of an organisation: its own and of those above."""
    return list((await conn.execute(_CARERS, {"path": org_path})).scalars())


async def about(conn: AsyncConnection, survey_id: UUID) -> events.Body:
    """Say to who calls: whom to call, by what number, about what. Raises NotFound."""
    survey = await get(conn, survey_id)
    person = tables.person.c
    row = (
        await conn.execute(
            sa.select(person.name, person.name_en, person.phone, person.language).where(
                person.id == survey.responder_id
            )
        )
    ).one()
    return {
        "person": str(survey.responder_id),
        "name": row.name,
        "name_en": row.name_en,
        "phone": row.phone,
        "language": row.language,
        "survey": out(survey) | {"text": survey.text},
    }


@dataclass(frozen=True, slots=True)
class Unpushed:
    """A question that has just been asked, for web push; nothing in it says what it is about."""

    id: UUID
    responder_id: UUID
    exercise: bool
    language: str


# ix_survey_unpushed. Each is tried once: the app shows the question anyway.
_TAKE_UNPUSHED = sa.text("""
update survey set pushed_at = :now
from person
where person.id = survey.responder_id and survey.id in (
    select id from survey
    where pushed_at is null and answered_at is null and asked_at > :since
    order by asked_at limit :most for update skip locked)
returning survey.id, survey.responder_id, survey.exercise, person.language
""")


async def take_unpushed(
    conn: AsyncConnection, *, limit: int, since: datetime, now: datetime
) -> list[Unpushed]:
    """Take questions that web push has not been tried for."""
    values = {"most": limit, "since": since, "now": now}
    return [Unpushed(*row) for row in await conn.execute(_TAKE_UNPUSHED, values)]


async def forget_texts(conn: AsyncConnection, *, now: datetime) -> int:
    """Forget what was written freely more than thirty days ago, and say how often."""
    survey = tables.survey
    result = await conn.execute(
        sa.update(survey)
        .where(survey.c.text.is_not(None), survey.c.answered_at < now - TEXT_KEPT)
        .values(text=None)
    )
    return result.rowcount
