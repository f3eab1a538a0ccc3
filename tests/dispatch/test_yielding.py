"""A real alarm takes people out of an exercise; nothing else does."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import alerts, assignments, db, errors, mission, states, store, tables, timers
from tests import factories as f
from tests.dispatch.verify import verify_action

TRAUMA = states.Kind.TRAUMA


async def _exercise(conn: AsyncConnection, scene: f.Scene, now: datetime) -> list[store.Alert]:
    """Ask everybody of a scene for an exercise."""
    drill = await f.make_incident(
        conn, scene.org_id, kind=TRAUMA, exercise=True, by=scene.operator, now=now
    )
    plan = await f.make_plan(conn, drill.id, now=now)
    sent = await alerts.send_wave(conn, plan, by=scene.operator, now=now)
    return list(sent.alerts)


@pytest.mark.parametrize("is_going", [False, True], ids=["asked", "going"])
async def test_WAV_14_a_real_alarm_takes_people_out_of_an_exercise(
    conn: AsyncConnection, now: datetime, *, is_going: bool
) -> None:
    scene = await f.make_scene(conn, people=2, kind=TRAUMA, now=now)
    drill = await _exercise(conn, scene, now)
    person = scene.responders[0]
    mine = next(alert for alert in drill if alert.responder_id == person)
    if is_going:
        going = await alerts.accept(conn, mine.id, policy=f.POLICY, by=person, now=now)
        step = states.Assignment.EN_ROUTE
        await assignments.step(conn, going.id, step, policy=f.POLICY, by=person, now=now)
    later = now + timedelta(seconds=20)
    topics = [f"org:{scene.org_code}", f"incident:{mine.incident_id}", f"person:{person}"]
    golden = None if is_going else "alerts_yielded"
    async with verify_action(conn, topics, golden=golden, now=later):
        sent = await f.send(conn, scene, named=[person], now=later)
    assert [alert.responder_id for alert in sent.alerts] == [person]
    left = await store.get_alert(conn, mine.id)
    assert (left.stand_down_reason, left.is_live) == ("real_alarm", False)
    # The phone shows the real alarm at once: there is no end of an exercise to be read first.
    view = (await mission.views(conn, [person], now=later))[person]
    shown = view["alert"]
    assert isinstance(shown, dict)
    assert (shown["id"], view["mission"], view["stand_down"]) == (
        str(sent.alerts[0].id),
        None,
        None,
    )
    # The other one is left to the exercise, which may ask more.
    other = next(alert for alert in drill if alert.responder_id != person)
    assert (await store.get_alert(conn, other.id)).is_live
    said = [line.kind for line in await store.list_lines(conn, mine.incident_id)]
    assert said[-1] == "yielded"
    timer = tables.timer.c
    due = sa.select(timer.due_at).where(
        timer.incident_id == mine.incident_id, timer.kind == timers.Kind.WAVE.value
    )
    assert await conn.scalar(due) == later
    with pytest.raises(errors.AlertOver, match="exercise goes on without you"):
        alerts.check_answerable(left, now=later)


async def test_WAV_14_no_message_says_stop_while_another_says_go(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=1, kind=TRAUMA, now=now)
    [drill] = await _exercise(conn, scene, now)
    await f.send(conn, scene, now=now)
    delivery = tables.delivery.c
    rows = await conn.execute(sa.select(delivery.purpose).where(delivery.alert_id == drill.id))
    assert set(rows.scalars()) == {"alert"}


async def test_WAV_14_an_exercise_takes_nobody_from_a_real_alarm_or_another_exercise(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=2, kind=TRAUMA, now=now)
    await _exercise(conn, scene, now)
    other = await f.make_incident(conn, scene.org_id, kind=TRAUMA, exercise=True, now=now)
    plan = await f.make_plan(conn, other.id, now=now)
    assert [item.reason for item in plan.excluded] == ["busy", "busy"]
    await f.send(conn, scene, now=now)
    plan = await f.make_plan(conn, other.id, now=now)
    assert [item.reason for item in plan.excluded] == ["busy", "busy"]


async def test_WAV_14_alarms_that_empty_the_same_exercises_at_once_do_not_deadlock(
    database: str, now: datetime
) -> None:
    engine = db.make_engine(database, pool_size=6)
    house = db.Database(engine, None)
    async with house.transaction() as conn:
        scene = await f.make_scene(conn, people=6, kind=TRAUMA, now=now)
        people = scene.responders
        for some in (people[:3], people[3:]):
            drill = await f.make_incident(conn, scene.org_id, kind=TRAUMA, exercise=True, now=now)
            plan = await f.make_plan(conn, drill.id, named=some, now=now)
            await alerts.send_wave(conn, plan, by=scene.operator, now=now)
        real = [await f.make_incident(conn, scene.org_id, kind=TRAUMA, now=now) for _ in range(3)]

    async def alarm(incident_id: UUID, named: tuple[UUID, ...]) -> int:
        async with house.transaction() as conn:
            plan = await f.make_plan(conn, incident_id, named=named, now=now)
            sent = await alerts.send_wave(conn, plan, by=scene.operator, now=now)
            return len(sent.alerts)

    # Each wants one person of both exercises, and somebody whom another alarm wants too.
    wishes = [(people[0], people[3], people[1]), (people[4], people[1]), (people[5], people[2])]
    asked = await asyncio.gather(
        *(alarm(incident.id, named) for incident, named in zip(real, wishes, strict=True))
    )
    async with house.transaction() as conn:
        live = [status.value for status in states.ALERT_LIVE]
        left = await store.list_alerts(conn, tables.alert.c.status.in_(live))
    assert sum(asked) == len({alert.responder_id for alert in left}) == 6
    assert {alert.incident_id for alert in left} == {incident.id for incident in real}
    await engine.dispose()
