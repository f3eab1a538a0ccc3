"""Rest, surveys and tasks of aftercare, with clocks passed in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    accounts,
    alerts,
    assignments,
    care,
    db,
    errors,
    firing,
    incidents,
    responders,
    states,
    store,
    surveys,
    tables,
    tasks,
    timers,
)
from tests import factories as f
from tests.dispatch.verify import verify_action

PLANNING = [timers.Lane.PLANNING]
DAY = timedelta(days=1)


@pytest.fixture
async def means(database: str, now: datetime) -> AsyncIterator[firing.Means]:
    """Give the means of a runner whose clock the test moves."""
    engine = db.make_engine(database)
    yield firing.Means(db.Database(engine, None), f.POLICY, lambda: f.NETWORK, lambda: now)
    await engine.dispose()


async def fire_until(means: firing.Means, until: datetime) -> list[tuple[str, datetime]]:
    """Fire every timer of care that is due by a time, each at its own moment."""
    fired = []
    while True:
        async with means.database.snapshot() as conn:
            due = await timers.list_due(conn, PLANNING, limit=1, now=until)
        if not due:
            return fired
        at = due[0].due_at
        assert await firing.fire(replace(means, clock=lambda at=at: at), due[0])
        fired.append((due[0].kind.value, at))


@dataclass(frozen=True, slots=True)
class Done:
    """A mission that has ended."""

    scene: f.Scene
    person: UUID
    ended_at: datetime


async def mission(
    conn: AsyncConnection,
    now: datetime,
    *,
    exercise: bool = False,
    steps: tuple[states.Assignment, ...] = states.steps_of(states.Role.DIRECT),
) -> Done:
    """Let somebody accept, take some steps a minute apart, and end."""
    scene = await f.make_scene(conn, people=2, kind=states.Kind.TRAUMA, now=now)
    if exercise:
        await conn.execute(
            sa.update(tables.incident)
            .where(tables.incident.c.id == scene.incident.id)
            .values(exercise=True)
        )
    sent = await f.send(conn, scene, named=[scene.responders[0]], now=now)
    person = sent.alerts[0].responder_id
    going = await alerts.accept(conn, sent.alerts[0].id, policy=f.POLICY, by=person, now=now)
    at = now
    for to in steps:
        at += timedelta(minutes=1)
        await assignments.step(conn, going.id, to, policy=f.POLICY, by=person, now=at)
    if not steps or steps[-1] is not states.Assignment.CLEARED:
        at += timedelta(minutes=1)
        await incidents.stand_down(conn, scene.incident.id, by=scene.operator, now=at)
    return Done(scene, person, at)


async def _surveys(means: firing.Means) -> list[sa.RowMapping]:
    async with means.database.snapshot() as conn:
        rows = await conn.execute(sa.select(tables.survey).order_by(tables.survey.c.asked_at))
        return list(rows.mappings())


async def test_CARE_1_who_was_at_the_patient_rests_for_a_day_or_until_going_on_duty(
    conn: AsyncConnection, now: datetime
) -> None:
    done = await mission(conn, now)
    resting = await store.get_responder(conn, done.person)
    assert resting.duty_at(done.ended_at) is states.Duty.RESTING
    assert resting.until_at(done.ended_at) == done.ended_at + DAY
    assert resting.duty_at(done.ended_at + DAY) is states.Duty.AVAILABLE
    other = await f.make_incident(conn, done.scene.org_id, now=done.ended_at)
    plan = await f.make_plan(conn, other.id, named=[done.person], now=done.ended_at)
    assert [item.reason for item in plan.excluded] == ["resting"]
    # Going on duty ends it, and the next plan has the person.
    await responders.set_duty(conn, done.person, states.Duty.AVAILABLE, now=done.ended_at)
    plan = await f.make_plan(conn, other.id, named=[done.person], now=done.ended_at)
    assert [item.person.id for item in plan.chosen] == [done.person]


async def test_CARE_1_who_never_arrived_does_not_rest(conn: AsyncConnection, now: datetime) -> None:
    done = await mission(conn, now, steps=(states.Assignment.EN_ROUTE,))
    person = await store.get_responder(conn, done.person)
    assert (person.rest_until, person.duty_at(now)) == (None, states.Duty.AVAILABLE)


async def test_CARE_1_a_rest_does_not_put_anybody_on_duty(
    conn: AsyncConnection, now: datetime
) -> None:
    done = await mission(conn, now)
    until = done.ended_at + timedelta(hours=1)
    table = tables.responder
    await conn.execute(sa.update(table).where(table.c.id == done.person).values(duty_until=until))
    person = await store.get_responder(conn, done.person)
    assert person.duty_at(done.ended_at) is states.Duty.RESTING
    assert person.duty_at(until) is states.Duty.OFF_DUTY


async def test_CARE_2_everybody_who_set_out_is_asked_after_ninety_minutes_and_four_weeks(
    means: firing.Means, now: datetime
) -> None:
    async with means.database.transaction() as conn:
        done = await mission(conn, now)
        gone = await mission(conn, now, steps=(states.Assignment.EN_ROUTE,))
        stayed = await mission(conn, now, steps=())
    fired = await fire_until(means, now + timedelta(weeks=5))
    first = {done.person: done.ended_at, gone.person: gone.ended_at}
    ninety = timedelta(minutes=90)
    assert sorted(at for kind, at in fired if kind == "survey") == sorted(
        at + ninety for at in first.values()
    )
    asked = await _surveys(means)
    assert [(row["round"], row["responder_id"] != stayed.person) for row in asked] == [
        (1, True), (1, True), (2, True), (2, True),
    ]  # fmt: skip
    for row in asked:
        weeks = surveys.AGAIN_AFTER * (row["round"] - 1)
        assert row["asked_at"] == first[row["responder_id"]] + ninety + weeks
    async with means.database.snapshot() as conn:
        shown = await surveys.due(conn, done.person, now=now + timedelta(weeks=5))
    assert shown is not None
    assert shown.round == 2


async def _answered(
    means: firing.Means, now: datetime, impact: surveys.Impact, *, exercise: bool = False
) -> tuple[Done, surveys.Survey, datetime]:
    async with means.database.transaction() as conn:
        done = await mission(conn, now, exercise=exercise)
    at = done.ended_at + timedelta(minutes=90)
    await fire_until(means, at)
    async with means.database.transaction() as conn:
        asked = await surveys.due(conn, done.person, now=at)
        assert asked is not None
        survey = await care.answer(conn, asked.id, impact, text="I cannot sleep", now=at)
    return done, survey, at


async def _open_tasks(means: firing.Means) -> list[tasks.Task]:
    async with means.database.snapshot() as conn:
        return await tasks.list_open(conn, dict.fromkeys(tasks.Kind, ("",)), limit=99)


@pytest.mark.parametrize(
    ("impact", "call_h", "rest_h"),
    [("none", None, 24), ("low", None, 24), ("moderate", 24, 24), ("severe", 2, 48)],
)
async def test_CARE_3_the_answer_decides_about_a_call_and_the_rest(
    means: firing.Means, now: datetime, impact: str, call_h: int | None, rest_h: int
) -> None:
    done, survey, at = await _answered(means, now, surveys.Impact(impact))
    found = await _open_tasks(means)
    due = [] if call_h is None else [(tasks.Kind.AFTERCARE, at + timedelta(hours=call_h))]
    assert [(task.kind, task.due_at) for task in found] == due
    assert [(task.subject_id, task.body) for task in found] == [(survey.id, {})] * len(due)
    async with means.database.snapshot() as conn:
        person = await store.get_responder(conn, done.person)
    began = at if impact == "severe" else done.ended_at
    assert person.rest_until == began + timedelta(hours=rest_h)


async def test_CARE_3_a_worse_answer_brings_the_call_forward(
    means: firing.Means, now: datetime
) -> None:
    _, survey, at = await _answered(means, now, surveys.Impact.MODERATE)
    later = at + timedelta(hours=1)
    async with means.database.transaction() as conn:
        await care.answer(conn, survey.id, surveys.Impact.SEVERE, now=later)
        await care.answer(conn, survey.id, surveys.Impact.LOW, now=later)
    assert [task.due_at for task in await _open_tasks(means)] == [later + timedelta(hours=2)]


async def test_CARE_4_an_exercise_asks_and_makes_no_task_and_no_rest(
    means: firing.Means, now: datetime
) -> None:
    done, survey, _ = await _answered(means, now, surveys.Impact.SEVERE, exercise=True)
    assert survey.exercise
    assert await _open_tasks(means) == []
    async with means.database.snapshot() as conn:
        person = await store.get_responder(conn, done.person)
        assert person.rest_until is None
    fired = await fire_until(means, now + timedelta(weeks=6))
    assert "survey_again" not in [kind for kind, _ in fired]


async def test_CARE_5_what_nobody_does_in_time_is_told_once_without_a_name(
    means: firing.Means, now: datetime
) -> None:
    done, survey, at = await _answered(means, now, surveys.Impact.SEVERE)
    async with means.database.transaction() as conn:
        carer = await f.make_person(conn, done.scene.org_id)
        await accounts.grant(conn, carer, done.scene.org_id, states.OrgRole.CARER)
    due = at + timedelta(hours=2)
    assert ("task_due", due) in await fire_until(means, due)
    async with means.database.snapshot() as conn:
        told = await _told(conn, f"org:{done.scene.org_code}", "task_overdue")
        to_carer = await _told(conn, f"person:{carer}", "care_changed")
    task = (await _open_tasks(means))[0]
    assert task.overdue_at == due
    assert told == [{"task": tasks.brief(task)}]
    assert str(done.person) not in str(told)
    assert str(survey.id) not in str(told)
    assert [body["care"]["what"] for body in to_carer] == ["task_overdue"]


async def test_CARE_5_what_is_done_in_time_is_not_told(means: firing.Means, now: datetime) -> None:
    done, _, at = await _answered(means, now, surveys.Impact.SEVERE)
    task = (await _open_tasks(means))[0]
    async with means.database.transaction() as conn:
        await tasks.take(conn, task.id, by=done.scene.operator, now=at)
        ended = await tasks.finish(conn, task.id, note="called", by=done.scene.operator, now=at)
    assert ended.done_at == at
    fired = await fire_until(means, at + DAY)
    assert "task_due" not in [kind for kind, _ in fired]


async def test_CARE_6_what_was_written_freely_is_forgotten_after_thirty_days(
    means: firing.Means, now: datetime
) -> None:
    _, survey, at = await _answered(means, now, surveys.Impact.LOW)
    async with means.database.transaction() as conn:
        assert await surveys.forget_texts(conn, now=at + timedelta(days=30)) == 0
        assert await surveys.forget_texts(conn, now=at + timedelta(days=30, seconds=1)) == 1
        assert (await surveys.get(conn, survey.id)).text is None
        assert (await surveys.get(conn, survey.id)).impact is surveys.Impact.LOW


async def _told(conn: AsyncConnection, topic: str, kind: str) -> list[dict[str, object]]:
    event = sa.table("event", *map(sa.column, ("topic", "kind", "body", "seq")))
    rows = await conn.execute(
        sa.select(event.c.body)
        .where(event.c.topic == topic, event.c.kind == kind)
        .order_by(event.c.seq)
    )
    return list(rows.scalars())


async def test_BRD_1_what_is_due_is_told(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, people=1, now=now)
    person = f"person:{scene.responders[0]}"
    going = await f.send(conn, scene, now=now)
    accepted = await alerts.accept(
        conn, going.alerts[0].id, policy=f.POLICY, by=scene.responders[0], now=now
    )
    async with verify_action(conn, [person], golden="care_changed", now=now):
        await surveys.ask(conn, accepted.id, now=now)
    task = await tasks.add(
        conn, scene.org_id, tasks.Kind.AFTERCARE, subject_id=accepted.id, due_at=now, body={},
        exercise=False, now=now,
    )  # fmt: skip
    [timer] = [
        one
        for one in await timers.list_due(conn, PLANNING, limit=9, now=now)
        if one.subject_id == task.id
    ]
    topic = f"org:{scene.org_code}"
    async with verify_action(conn, [topic], golden="task_overdue", now=now):
        await care.fire(conn, timer, now=now)
        await care.fire(conn, timer, now=now)


# ---- practice


async def _practise(conn: AsyncConnection, person: UUID, now: datetime) -> store.Alert:
    responder = await store.get_responder(conn, person)
    return await alerts.practise(
        conn, responder, near=f.HARBOUR, policy=f.POLICY, network=f.NETWORK, live={}, now=now
    )


async def test_CARE_9_a_practice_asks_one_person_and_ends_by_itself(
    means: firing.Means, now: datetime
) -> None:
    async with means.database.transaction() as conn:
        scene = await f.make_scene(conn, people=3, kind=states.Kind.TRAUMA, now=now)
        alert = await _practise(conn, scene.responders[0], now)
    runner = [*PLANNING, timers.Lane.DISPATCH]
    at = now
    for _ in range(40):
        at += timedelta(seconds=5)
        async with means.database.snapshot() as conn:
            due = await timers.list_due(conn, runner, limit=9, now=at)
        for timer in due:
            await firing.fire(replace(means, clock=lambda at=at: at), timer)
    async with means.database.snapshot() as conn:
        practice = await store.get_incident(conn, alert.incident_id)
        asked = await store.list_alerts(conn, tables.alert.c.incident_id == practice.id)
        assert practice.exercise
        assert practice.closed_at is not None
        assert practice.position.lat == 0.0
        assert [(a.responder_id, a.status.value) for a in asked] == [
            (scene.responders[0], "timed_out")
        ]
        # Nobody but the person heard of it.
        event = sa.table("event", *map(sa.column, ("topic", "body")))
        heard = await conn.execute(
            sa.select(event.c.topic).where(
                sa.cast(event.c.body, sa.Text).contains(str(practice.id))
            )
        )
        assert set(heard.scalars()) == {f"person:{scene.responders[0]}"}
        left = await timers.next_due(conn, runner, after=now - DAY)
        assert left is None


async def test_CARE_10_a_real_alarm_ends_a_practice(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, people=1, kind=states.Kind.TRAUMA, now=now)
    practice = await _practise(conn, scene.responders[0], now)
    await alerts.accept(conn, practice.id, policy=f.POLICY, by=scene.responders[0], now=now)
    later = now + timedelta(seconds=20)
    sent = await f.send(conn, scene, now=later)
    assert [alert.responder_id for alert in sent.alerts] == [scene.responders[0]]
    ended = await store.get_incident(conn, practice.incident_id)
    assert ended.closed_at == later
    # It leaves no trace in how somebody answers, and asks for no rest.
    person = await store.get_responder(conn, scene.responders[0])
    assert person.rest_until is None


async def test_CARE_9_who_cannot_be_asked_cannot_practise(
    conn: AsyncConnection, now: datetime
) -> None:
    org_id = await f.make_org(conn)
    person = await f.make_responder(conn, org_id, duty=states.Duty.OFF_DUTY, now=now)
    with pytest.raises(errors.NobodyToAlert) as refused:
        await _practise(conn, person, now)
    assert refused.value.state == {"excluded": {str(person): "off_duty"}}
