"""Several connections at once on a real PostgreSQL: exactly one outcome, no deadlock, no gap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    alerts,
    assignments,
    db,
    duplicates,
    errors,
    incidents,
    states,
    store,
    tables,
    timers,
)
from realtime import log
from tests import factories as f


@pytest.fixture
async def house(database: str) -> AsyncIterator[db.Database]:
    """Give a database of its own with enough connections for a crowd."""
    engine = db.make_engine(database, pool_size=12)
    yield db.Database(engine, None)
    await engine.dispose()


async def _alone(house: db.Database, act: Callable[[AsyncConnection], Awaitable[object]]) -> object:
    """Run one action in a transaction of its own; return what it refused with, if it did."""
    try:
        async with house.transaction() as conn:
            return await act(conn)
    except errors.DispatchError as refused:
        return refused


async def _scene(house: db.Database, now: datetime, **more: int) -> f.Scene:
    async with house.transaction() as conn:
        return await f.make_scene(conn, now=now, **more)


async def _sent(house: db.Database, scene: f.Scene, now: datetime) -> tuple[store.Alert, ...]:
    async with house.transaction() as conn:
        return (await f.send(conn, scene, now=now)).alerts


async def test_ALR_17_eight_taps_at_once_make_one_assignment(
    house: db.Database, now: datetime
) -> None:
    scene = await _scene(house, now)
    alert = (await _sent(house, scene, now))[0]

    async def tap(conn: AsyncConnection) -> store.Assignment:
        return await alerts.accept(conn, alert.id, policy=f.POLICY, by=alert.responder_id, now=now)

    taken = await asyncio.gather(*(_alone(house, tap) for _ in range(8)))
    assert {getattr(item, "id", item) for item in taken} == {taken[0].id}
    async with house.transaction() as conn:
        made = await store.list_assignments(
            conn, tables.assignment.c.incident_id == scene.incident.id
        )
        kinds = [line.kind for line in await store.list_lines(conn, scene.incident.id)]
    assert len(made) == 1
    assert kinds.count("alert_accepted") == 1


@pytest.mark.parametrize("number", range(5))
async def test_ALR_28_accept_against_expiry_has_exactly_one_end(
    house: db.Database, now: datetime, number: int
) -> None:
    scene = await _scene(house, now)
    sent = await _sent(house, scene, now)
    last_moment, over = now + timedelta(seconds=59.9), now + timedelta(seconds=60)

    def tap(alert: store.Alert) -> Callable[[AsyncConnection], Awaitable[object]]:
        return lambda conn: alerts.accept(
            conn, alert.id, policy=f.POLICY, by=alert.responder_id, now=last_moment
        )

    async def expire(conn: AsyncConnection) -> object:
        return await alerts.time_out(conn, scene.incident.id, policy=f.POLICY, now=over)

    acts = [*map(tap, sent[:2]), expire, *map(tap, sent[2:])]
    order = acts[number % len(acts) :] + acts[: number % len(acts)]
    await asyncio.gather(*(_alone(house, act) for act in order))
    async with house.transaction() as conn:
        ends = await store.list_alerts(conn, tables.alert.c.incident_id == scene.incident.id)
        made = await store.list_assignments(
            conn, tables.assignment.c.incident_id == scene.incident.id
        )
    accepted = {a.id for a in ends if a.status is states.Alert.ACCEPTED}
    assert accepted == {assignment.alert_id for assignment in made}
    assert all(a.status is states.Alert.TIMED_OUT for a in ends if a.id not in accepted)


async def test_ALR_10_of_two_waves_at_once_one_goes(house: db.Database, now: datetime) -> None:
    scene = await _scene(house, now)
    async with house.transaction() as conn:
        plan = await f.make_plan(conn, scene.incident.id, now=now)

    async def send(conn: AsyncConnection) -> object:
        return await alerts.send_wave(conn, plan, by=scene.operator, now=now)

    came = await asyncio.gather(*(_alone(house, send) for _ in range(4)))
    assert sum(isinstance(item, alerts.Sent) for item in came) == 1
    assert sum(isinstance(item, errors.PlanOutdated) for item in came) == 3


async def test_ALR_11_two_incidents_at_once_never_ask_the_same_person(
    house: db.Database, now: datetime
) -> None:
    scene = await _scene(house, now, people=6)
    async with house.transaction() as conn:
        others = [await f.make_incident(conn, scene.org_id, now=now) for _ in range(5)]
        plans = [await f.make_plan(conn, item.id, now=now) for item in (scene.incident, *others)]
    assert all(len(plan.chosen) == 6 for plan in plans)
    await asyncio.gather(
        *(
            _alone(house, lambda conn, plan=plan: alerts.send_wave(conn, plan, by=None, now=now))
            for plan in plans
        )
    )
    async with house.transaction() as conn:
        asked = await store.list_alerts(conn)
    assert sorted(a.responder_id for a in asked) == sorted(scene.responders)


async def test_INC_12_eight_writers_leave_no_gap_and_no_deadlock(
    house: db.Database, now: datetime
) -> None:
    scene = await _scene(house, now, people=7)
    sent = await _sent(house, scene, now)
    by = scene.operator

    def receipt(alert: store.Alert) -> list[Callable[[AsyncConnection], Awaitable[object]]]:
        me = alert.responder_id
        return [
            lambda conn: alerts.acknowledge(conn, alert.id, alerts.Level.RECEIVED, by=me, now=now),
            lambda conn: alerts.seen(conn, alert.id, by=me, now=now),
            lambda conn: alerts.accept(conn, alert.id, policy=f.POLICY, by=me, now=now),
            lambda conn: incidents.note(conn, scene.incident.id, "…", by=by, now=now),
            lambda conn: f.make_incident(conn, scene.org_id, now=now),
        ]

    acts = [act for alert in sent for act in receipt(alert)]
    crowd = asyncio.Semaphore(8)

    async def one(act: Callable[[AsyncConnection], Awaitable[object]]) -> object:
        async with crowd:
            return await _alone(house, act)

    came = await asyncio.gather(*(one(act) for act in acts))
    assert not [item for item in came if isinstance(item, Exception)]
    async with house.transaction() as conn:
        topic = f"org:{scene.org_code}"
        mark = (await log.position_of(conn, [topic]))[topic]
        told = await log.read_after(conn, topic, mark.epoch, 0, limit=1_000)
        opened = await store.list_incidents(conn, tables.incident.c.org_id == scene.org_id)
    assert [event.seq for event in told] == list(range(1, mark.seq + 1))
    numbers = sorted(item.number for item in opened)
    assert numbers == [f"2026-{n:06d}" for n in range(1, 9)]


async def test_ASG_9_two_last_steps_at_once_are_one(house: db.Database, now: datetime) -> None:
    scene = await _scene(house, now)
    alert = (await _sent(house, scene, now))[0]
    by = alert.responder_id
    async with house.transaction() as conn:
        work = await alerts.accept(conn, alert.id, policy=f.POLICY, by=by, now=now)

    async def arrive(conn: AsyncConnection) -> object:
        return await assignments.step(
            conn, work.id, states.Assignment.ON_SCENE, policy=f.POLICY, by=by, now=now
        )

    await asyncio.gather(*(_alone(house, arrive) for _ in range(6)))
    async with house.transaction() as conn:
        kinds = [line.kind for line in await store.list_lines(conn, scene.incident.id)]
    assert kinds.count("on_scene") == 1


async def test_TMR_1_a_timer_fires_once_however_many_want_it(
    house: db.Database, now: datetime
) -> None:
    scene = await _scene(house, now)
    async with house.transaction() as conn:
        await timers.arm(conn, scene.incident.id, timers.Kind.WAVE, due_at=now)
        [timer] = await timers.list_due(conn, list(timers.Lane), limit=9, now=now)

    async def fire(conn: AsyncConnection) -> object:
        if not await timers.claim(conn, timer):
            return False
        await incidents.note(conn, scene.incident.id, "fired", by=scene.operator, now=now)
        return True

    came = await asyncio.gather(*(_alone(house, fire) for _ in range(8)))
    assert came.count(True) == 1
    async with house.transaction() as conn:
        left = await conn.scalar(sa.select(sa.func.count()).select_from(tables.timer))
        texts = [line.text for line in await store.list_lines(conn, scene.incident.id)]
    assert (left, texts.count("fired")) == (0, 1)


async def test_TMR_2_a_timer_whose_transaction_fails_is_still_there(
    house: db.Database, now: datetime
) -> None:
    scene = await _scene(house, now)
    async with house.transaction() as conn:
        await timers.arm(conn, scene.incident.id, timers.Kind.WAVE, due_at=now)
        [timer] = await timers.list_due(conn, list(timers.Lane), limit=9, now=now)

    async def fail(conn: AsyncConnection) -> object:
        assert await timers.claim(conn, timer)
        raise errors.Conflict

    assert isinstance(await _alone(house, fail), errors.Conflict)
    async with house.transaction() as conn:
        assert await timers.list_due(conn, list(timers.Lane), limit=9, now=now) == [timer]
        assert await timers.put_off(conn, timer, now=now) == 1
        assert await timers.list_due(conn, list(timers.Lane), limit=9, now=now) == []
        later = now + timedelta(seconds=1)
        assert await timers.next_due(conn, list(timers.Lane), after=now) == later
        [again] = await timers.list_due(conn, list(timers.Lane), limit=9, now=later)
        assert again.attempts == 1
        assert await timers.put_off(conn, timer, now=now) == 0  # it has been moved


async def test_TMR_3_a_held_incident_is_left_alone_and_a_moved_timer_too(
    house: db.Database, now: datetime
) -> None:
    scene = await _scene(house, now)
    async with house.transaction() as conn:
        await timers.arm(conn, scene.incident.id, timers.Kind.WAVE, due_at=now)
        [timer] = await timers.list_due(conn, list(timers.Lane), limit=9, now=now)
    async with house.transaction() as holder:
        await store.lock_incident(holder, scene.incident.id)
        assert await _alone(house, lambda conn: timers.claim(conn, timer)) is False
        await timers.arm(
            holder, scene.incident.id, timers.Kind.WAVE, due_at=now + timedelta(seconds=9)
        )
    assert await _alone(house, lambda conn: timers.claim(conn, timer)) is False


async def test_INC_14_a_call_is_taken_apart_once(house: db.Database, now: datetime) -> None:
    scene = await _scene(house, now)
    by = scene.operator
    async with house.transaction() as conn:
        call = await f.make_incident(conn, scene.org_id, now=now)
        await duplicates.merge(conn, call.id, scene.incident.id, by=by, now=now)

    async def apart(conn: AsyncConnection) -> store.Incident:
        return await duplicates.unmerge(conn, call.id, by=by, now=now)

    opened = await asyncio.gather(*(_alone(house, apart) for _ in range(6)))
    assert [getattr(item, "merged_into", item) for item in opened] == [None] * 6
    async with house.transaction() as conn:
        lines = [await store.list_lines(conn, one) for one in (call.id, scene.incident.id)]
    assert [[line.kind for line in told].count("unmerged") for told in lines] == [1, 1]
