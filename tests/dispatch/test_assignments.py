"""The work of whoever accepted."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import alerts, assignments, errors, incidents, states, store, tables, timers
from geo import aed_uses, aeds
from tests import factories as f

A = states.Assignment


async def _going(conn: AsyncConnection, now: datetime) -> tuple[f.Scene, store.Assignment]:
    scene = await f.make_scene(conn, now=now)
    alert = (await f.send(conn, scene, now=now)).alerts[0]
    going = await alerts.accept(conn, alert.id, policy=f.POLICY, by=alert.responder_id, now=now)
    return scene, going


async def _step(
    conn: AsyncConnection, going: store.Assignment, to: A, *, now: datetime
) -> store.Assignment:
    return await assignments.step(
        conn, going.id, to, at=now, policy=f.POLICY, by=going.responder_id, now=now
    )


async def test_ASG_2_each_step_is_stamped_by_the_server_beside_the_phones_own_time(
    conn: AsyncConnection, now: datetime
) -> None:
    scene, going = await _going(conn, now)
    phone_at = now - timedelta(days=400)
    later = now + timedelta(seconds=40)
    moved = await assignments.step(
        conn, going.id, A.EN_ROUTE, at=phone_at, policy=f.POLICY, by=going.responder_id,
        now=later,
    )  # fmt: skip
    assert moved.en_route_at == later
    assert moved.device_at == {"en_route": "2025-10-18T08:30:00.000Z"}
    assert going.eta_at is not None
    assert moved.eta_at == going.eta_at + timedelta(seconds=40)
    [line] = [
        line for line in await store.list_lines(conn, scene.incident.id) if line.kind == "en_route"
    ]
    assert (line.at, line.device_at) == (later, phone_at)


async def test_ASG_3_repeating_a_done_step_returns_what_is(
    conn: AsyncConnection, now: datetime
) -> None:
    _, going = await _going(conn, now)
    await _step(conn, going, A.EN_ROUTE, now=now)
    there = await _step(conn, going, A.ON_SCENE, now=now)
    again = await _step(conn, going, A.EN_ROUTE, now=now + timedelta(seconds=9))
    assert again == there


async def test_ASG_4_a_step_out_of_order_names_what_may_follow(
    conn: AsyncConnection, now: datetime
) -> None:
    _, going = await _going(conn, now)
    for to in (A.HANDED_OVER, A.CLEARED, A.AED_COLLECTED, A.STOOD_DOWN, A.ACCEPTED):
        with pytest.raises(errors.StepOutOfOrder):
            await _step(conn, going, to, now=now)


async def test_ASG_5_the_incident_goes_along_and_keeps_the_first_times(
    conn: AsyncConnection, now: datetime
) -> None:
    scene, going = await _going(conn, now)
    times = {}
    for number, to in enumerate(states.steps_of(going.role)):
        times[to] = now + timedelta(seconds=10 * number)
        await _step(conn, going, to, now=times[to])
    incident = await store.get_incident(conn, scene.incident.id)
    assert incident.status is states.Incident.HANDED_OVER
    assert incident.first_on_scene_at == times[A.ON_SCENE]
    assert incident.with_patient_at == times[A.WITH_PATIENT]
    assert incident.handed_over_at == times[A.HANDED_OVER]
    assert (incident.accepted, incident.going, incident.on_scene) == (1, 0, 0)


async def test_ASG_6_whoever_gives_up_is_replaced_at_once_and_free_again(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=1, kind=states.Kind.TRAUMA, now=now)
    alert = (await f.send(conn, scene, now=now)).alerts[0]
    going = await alerts.accept(conn, alert.id, policy=f.POLICY, by=alert.responder_id, now=now)
    gone = await assignments.step(
        conn,
        going.id,
        states.Assignment.UNABLE,
        reason="fell",
        policy=f.POLICY,
        by=alert.responder_id,
        now=now,
    )
    assert (gone.status, gone.unable_reason, gone.ended_at) == (A.UNABLE, "fell", now)
    row = tables.timer.c
    due = await conn.scalar(
        sa.select(row.due_at).where(
            row.incident_id == scene.incident.id, row.kind == timers.Kind.WAVE
        )
    )
    assert due == now
    other = await f.make_incident(conn, scene.org_id, now=now)
    plan = await f.make_plan(conn, other.id, now=now)
    assert [item.person.id for item in plan.chosen] == [alert.responder_id]


async def test_ASG_7_no_step_after_the_stand_down_but_done_ones_may_be_repeated(
    conn: AsyncConnection, now: datetime
) -> None:
    scene, going = await _going(conn, now)
    await _step(conn, going, A.EN_ROUTE, now=now)
    await incidents.stand_down(conn, scene.incident.id, by=scene.operator, now=now)
    assert (await _step(conn, going, A.EN_ROUTE, now=now)).status is A.STOOD_DOWN
    with pytest.raises(errors.StepOutOfOrder) as refused:
        await _step(conn, going, A.ON_SCENE, now=now)
    assert refused.value.state == {"status": "stood_down", "next": []}


async def test_ASG_8_the_operator_is_told_of_whoever_does_not_move(
    conn: AsyncConnection, now: datetime
) -> None:
    scene, going = await _going(conn, now)
    line = await assignments.note_no_movement(conn, going.id, now=now)
    assert line is not None
    assert (line.kind, line.actor_id) == ("no_movement", None)
    await _step(conn, going, A.EN_ROUTE, now=now)
    assert await assignments.note_no_movement(conn, going.id, now=now) is None
    row = tables.timer.c
    left = await conn.execute(sa.select(row.kind).where(row.incident_id == scene.incident.id))
    assert timers.Kind.NO_MOVEMENT not in set(left.scalars())


@pytest.mark.parametrize("exercise", [False, True])
async def test_AED_14_collecting_the_aed_takes_it_but_in_an_exercise(
    conn: AsyncConnection, now: datetime, exercise: bool
) -> None:
    scene = await f.make_scene(conn, now=now)
    await conn.execute(sa.update(tables.incident).values(exercise=exercise))
    sent = await f.send(conn, scene, now=now)
    alert = next(item for item in sent.alerts if item.aed is not None)
    going = await alerts.accept(conn, alert.id, policy=f.POLICY, by=alert.responder_id, now=now)
    assert going.aed is not None
    for step in (A.EN_ROUTE, A.AED_COLLECTED, A.AED_COLLECTED):
        await _step(conn, going, step, now=now)
    uses = await aed_uses.list_uses(conn, going.aed.id)
    assert [use.assignment_id for use in uses] == ([] if exercise else [going.id])
    assert ((await aeds.get(conn, going.aed.id)).taken_at is None) == exercise


async def test_AED_14_an_aed_that_was_noted_as_taken_can_be_collected(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    sent = await f.send(conn, scene, now=now)
    alert = next(item for item in sent.alerts if item.aed is not None)
    going = await alerts.accept(conn, alert.id, policy=f.POLICY, by=alert.responder_id, now=now)
    assert going.aed is not None
    await aed_uses.take(conn, going.aed.id, actor_id=scene.operator, now=now)
    await _step(conn, going, A.EN_ROUTE, now=now)
    collected = await _step(conn, going, A.AED_COLLECTED, now=now)
    assert collected.status is A.AED_COLLECTED
    assert len(await aed_uses.list_uses(conn, going.aed.id)) == 1
