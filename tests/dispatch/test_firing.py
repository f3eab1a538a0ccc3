"""What due timers do, with clocks passed in: waves, silences, failures, housekeeping."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import alerts, db, firing, incidents, states, store, tables, timers
from geo import aeds
from geo.walking import WalkingNetwork
from tests import factories as f

LANES = list(timers.Lane)


@pytest.fixture
async def means(database: str, now: datetime) -> AsyncIterator[firing.Means]:
    """Give the means of a runner whose clock the test moves with `dataclasses.replace`."""
    engine = db.make_engine(database)
    yield firing.Means(db.Database(engine, None), f.POLICY, lambda: f.NETWORK, lambda: now)
    await engine.dispose()


def _at(means: firing.Means, at: datetime) -> firing.Means:
    return replace(means, clock=lambda: at)


async def _fire_due(means: firing.Means) -> list[str]:
    """Fire everything that is due at the clock's time, as a runner would."""
    async with means.database.transaction() as conn:
        due = await timers.list_due(conn, LANES, limit=50, now=means.clock())
    return [timer.kind.value for timer in due if await firing.fire(means, timer)]


async def _scene(means: firing.Means, *, people: int, kind: states.Kind) -> f.Scene:
    now = means.clock()
    async with means.database.transaction() as conn:
        scene = await f.make_scene(conn, people=people, kind=kind, now=now)
        await f.send(conn, scene, now=now)
    return scene


async def _alerts(means: firing.Means, scene: f.Scene) -> list[store.Alert]:
    async with means.database.transaction() as conn:
        return await store.list_alerts(conn, tables.alert.c.incident_id == scene.incident.id)


async def _decline(means: firing.Means, asked: Sequence[store.Alert], at: datetime) -> None:
    async with means.database.transaction() as conn:
        for alert in asked:
            await alerts.decline(conn, alert.id, policy=means.policy, by=alert.responder_id, now=at)


async def _lines(means: firing.Means, scene: f.Scene) -> list[str]:
    async with means.database.transaction() as conn:
        return [line.kind for line in await store.list_lines(conn, scene.incident.id)]


async def test_ESC_3_silences_are_replaced_when_their_time_is_over(
    means: firing.Means, now: datetime
) -> None:
    scene = await _scene(means, people=9, kind=states.Kind.TRAUMA)
    assert len(await _alerts(means, scene)) == 7
    assert await _fire_due(_at(means, now + timedelta(seconds=30))) == ["delivery_check", "wave"]
    assert len(await _alerts(means, scene)) == 7
    over = _at(means, now + timedelta(seconds=60))
    assert {"alert_expiry", "wave"} <= {*await _fire_due(over), *await _fire_due(over)}
    asked = await _alerts(means, scene)
    assert [alert.wave for alert in asked] == [1] * 7 + [2] * 2
    assert {alert.responder_id for alert in asked} == set(scene.responders)


async def test_ESC_12_nobody_left_is_said_once_and_whoever_comes_on_duty_is_asked(
    means: firing.Means, now: datetime
) -> None:
    scene = await _scene(means, people=2, kind=states.Kind.TRAUMA)
    for seconds in (30, 60, 90, 120):
        await _fire_due(_at(means, now + timedelta(seconds=seconds)))
    lines = await _lines(means, scene)
    assert lines.count("no_one_left") == 1
    assert lines.count("alert_timed_out") == 1
    later = now + timedelta(seconds=125)
    async with means.database.transaction() as conn:
        late = await f.make_responder(conn, scene.org_id, position=f.HARBOUR, now=later)
    assert await _fire_due(_at(means, now + timedelta(seconds=150))) == ["wave"]
    asked = await _alerts(means, scene)
    assert [(a.responder_id, a.wave) for a in asked if a.is_live] == [(late, 2)]


async def test_ESC_7_at_the_cap_nobody_looks_again(means: firing.Means, now: datetime) -> None:
    policy = replace(f.POLICY, alerts_cap=2)
    means = replace(means, policy=policy)
    async with means.database.transaction() as conn:
        scene = await f.make_scene(conn, people=4, kind=states.Kind.TRAUMA, now=now)
        await f.send(conn, scene, policy=policy, now=now)
    for seconds in (30, 60, 90):
        await _fire_due(_at(means, now + timedelta(seconds=seconds)))
    assert len(await _alerts(means, scene)) == 2
    async with means.database.transaction() as conn:
        assert await timers.next_due(conn, LANES, after=now) is None
    assert (await _lines(means, scene)).count("no_one_left") == 1


async def test_ESC_8_no_wave_goes_after_a_stand_down(means: firing.Means, now: datetime) -> None:
    scene = await _scene(means, people=9, kind=states.Kind.TRAUMA)
    async with means.database.transaction() as conn:
        due = await timers.list_due(conn, LANES, limit=9, now=now + timedelta(seconds=30))
        await incidents.stand_down(conn, scene.incident.id, by=scene.operator, now=now)
    # A runner that saw the timers before the stand-down comes too late.
    for timer in due:
        assert not await firing.fire(_at(means, now + timedelta(seconds=30)), timer)
    assert len(await _alerts(means, scene)) == 7


async def test_ESC_13_after_a_stand_down_the_operator_can_ask_others(
    means: firing.Means, now: datetime
) -> None:
    scene = await _scene(means, people=9, kind=states.Kind.TRAUMA)
    async with means.database.transaction() as conn:
        await incidents.stand_down(conn, scene.incident.id, by=scene.operator, now=now)
        sent = await f.send(conn, scene, now=now)
        incident = await store.get_incident(conn, scene.incident.id)
    assert (len(sent.alerts), incident.stood_down_at) == (2, None)


async def test_ALR_29_an_unconfirmed_alert_is_shown_as_not_reached_until_confirmed(
    means: firing.Means, now: datetime
) -> None:
    scene = await _scene(means, people=2, kind=states.Kind.TRAUMA)
    first, second = await _alerts(means, scene)
    async with means.database.transaction() as conn:
        await alerts.acknowledge(
            conn, first.id, alerts.Level.RECEIVED, by=first.responder_id, now=now
        )
    await _fire_due(_at(means, now + timedelta(seconds=8)))
    marks = [alert.delivery for alert in await _alerts(means, scene)]
    assert marks == ["delivered", "unacknowledged"]
    async with means.database.transaction() as conn:
        await alerts.acknowledge(
            conn, second.id, alerts.Level.RECEIVED, by=second.responder_id, now=now
        )
    assert [a.delivery for a in await _alerts(means, scene)] == ["delivered", "delivered"]


async def test_ALR_20_silence_ends_at_the_expiry(means: firing.Means, now: datetime) -> None:
    scene = await _scene(means, people=3, kind=states.Kind.TRAUMA)
    await _fire_due(_at(means, now + timedelta(seconds=60)))
    assert {a.status for a in await _alerts(means, scene)} == {states.Alert.TIMED_OUT}


async def test_ASG_8_no_movement_is_told_by_the_timer(means: firing.Means, now: datetime) -> None:
    scene = await _scene(means, people=1, kind=states.Kind.TRAUMA)
    [alert] = await _alerts(means, scene)
    async with means.database.transaction() as conn:
        await alerts.accept(conn, alert.id, policy=f.POLICY, by=alert.responder_id, now=now)
    await _fire_due(_at(means, now + timedelta(seconds=180)))
    assert (await _lines(means, scene)).count("no_movement") == 1


async def test_TMR_4_a_timer_that_keeps_failing_is_told_and_tried_on(
    means: firing.Means, now: datetime
) -> None:
    scene = await _scene(means, people=1, kind=states.Kind.TRAUMA)
    at, waits = now + timedelta(seconds=30), []
    for _ in range(7):
        async with means.database.transaction() as conn:
            [timer] = [
                timer
                for timer in await timers.list_due(conn, LANES, limit=9, now=at)
                if timer.kind is timers.Kind.WAVE
            ]
        await firing.note_failure(_at(means, at), timer)
        async with means.database.transaction() as conn:
            due = await conn.scalar(
                sa.select(tables.timer.c.due_at).where(tables.timer.c.id == timer.id)
            )
        assert due is not None
        waits.append((due - at).total_seconds())
        at = due
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    assert (await _lines(means, scene)).count("timer_failed") == 1


async def test_TMR_5_a_plan_that_is_outdated_when_it_fires_is_made_again(
    means: firing.Means, now: datetime
) -> None:
    scene = await _scene(means, people=9, kind=states.Kind.TRAUMA)
    at = now + timedelta(seconds=5)
    await _decline(means, (await _alerts(means, scene))[:2], at)
    asked_for_streets: list[datetime] = []

    def streets() -> WalkingNetwork:
        asked_for_streets.append(at)
        return f.NETWORK

    async with means.database.transaction() as conn:
        [timer] = await timers.list_due(conn, LANES, limit=9, now=at)
    assert timer.kind is timers.Kind.WAVE
    meddling = _Meddling(means.database, scene, at)
    busy = replace(_at(means, at), database=meddling, network=streets)
    assert await firing.fire(busy, timer)
    assert len(asked_for_streets) == 2
    assert len(await _alerts(means, scene)) == 9


class _Meddling(db.Database):
    """A database in which an operator corrects the incident just after the first plan."""

    def __init__(self, house: db.Database, scene: f.Scene, at: datetime) -> None:
        super().__init__(house.engine, None)
        self._corrections = [(scene, at)]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        while self._corrections:
            scene, at = self._corrections.pop()
            async with super().transaction() as conn:
                incident = await store.get_incident(conn, scene.incident.id)
                await incidents.edit(
                    conn, incident.id, {"floor": "9"}, version=incident.version,
                    by=scene.operator, now=at,
                )  # fmt: skip
        async with super().transaction() as conn:
            yield conn


async def test_TMR_6_housekeeping_throws_away_the_old_and_comes_again(
    means: firing.Means, now: datetime
) -> None:
    async with means.database.transaction() as conn:
        org = await f.make_org(conn)
        await f.make_incident(conn, org, now=now - timedelta(hours=80))
        await f.make_incident(conn, org, now=now)
        await timers.ensure(conn, timers.Kind.HOUSEKEEPING, due_at=now)
        await timers.ensure(conn, timers.Kind.HOUSEKEEPING, due_at=now - timedelta(hours=1))
    async with means.database.transaction() as conn:
        # As if the old one had been written three days before.
        await conn.execute(
            sa.text("update event set slot = (slot + 2) % 5 where at < :old"),
            {"old": now - timedelta(hours=72)},
        )
    assert await _fire_due(means) == ["housekeeping"]
    async with means.database.transaction() as conn:
        kept = await conn.scalar(sa.text("select count(*) from event"))
        assert kept == 2  # one incident, on two topics
        next_due = await timers.next_due(conn, LANES, after=now)
    assert next_due == now + firing.HOUSEKEEPING_EVERY


async def test_AED_16_the_runner_tells_which_checks_are_due(
    means: firing.Means, now: datetime
) -> None:
    async with means.database.transaction() as conn:
        org = await f.make_org(conn, code="keepers")
        aed = await f.make_aed(conn, org, now=now)
        await aeds.change(conn, aed.id, {"check_every_days": 30}, version=1, actor_id=None, now=now)
        await timers.ensure(conn, timers.Kind.HOUSEKEEPING, due_at=now)
    assert await _fire_due(means) == ["housekeeping"]
    async with means.database.snapshot() as conn:
        kinds = (await conn.execute(sa.text("select topic, kind from event"))).all()
    assert [tuple(row) for row in kinds] == [("org:keepers", "aed_check_due")]
