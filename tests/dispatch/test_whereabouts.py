"""Stored positions: many at once, who is followed, and how they are forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import factories as f
import redis.asyncio
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import alerts, db, responders, runner, states, store, whereabouts
from realtime import presence


async def _known(conn: AsyncConnection, *people: UUID) -> list[bool]:
    found = await store.last_fixes(conn, people)
    return [person in found for person in people]


async def test_POS_4_many_are_stored_at_once_but_no_older_one_and_nobody_off_duty(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    fresh = await f.make_responder(conn, org, position=None, now=now)
    newer = await f.make_responder(conn, org, seen_at=now, now=now)
    off = await f.make_responder(conn, org, position=None, duty=states.Duty.OFF_DUTY, now=now)
    there = f.north_of(f.HARBOUR, 70)
    older = now - timedelta(seconds=30)
    fixes = {person: store.Fix(there, older, 12.0) for person in (fresh, newer, off)}
    await whereabouts.store_many(conn, fixes, now=now)
    found = await store.last_fixes(conn, [fresh, newer, off])
    assert found[fresh] == store.Fix(there, older, 12.0)
    assert found[newer].at == now
    assert off not in found


async def test_POS_5_a_standing_says_who_is_followed_and_who_watches(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=2, now=now)
    sent = await f.send(conn, scene, now=now)
    going, idle = scene.responders
    [alert] = [alert for alert in sent.alerts if alert.responder_id == going]
    await alerts.accept(conn, alert.id, policy=f.POLICY, by=going, now=now)
    await responders.set_duty(conn, going, states.Duty.OFF_DUTY, now=now)
    until = now + timedelta(hours=1)
    await responders.set_duty(conn, idle, states.Duty.AVAILABLE, until=until, now=now)
    found = await whereabouts.standings(conn, [going, idle, store.new_id()], now=now)
    assert found.keys() == {going, idle}
    assert found[going].is_followed  # a mission is followed to its end
    assert found[going].topics == (f"org:{scene.org_code}", f"incident:{scene.incident.id}")
    assert found[idle].is_followed
    assert found[idle].topics == ()
    later = await whereabouts.standings(conn, [idle], now=until)
    assert not later[idle].is_followed


async def test_POS_6_off_duty_is_forgotten_at_once_but_not_on_a_mission(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=2, now=now)
    sent = await f.send(conn, scene, now=now)
    going, idle = scene.responders
    [alert] = [alert for alert in sent.alerts if alert.responder_id == going]
    await alerts.accept(conn, alert.id, policy=f.POLICY, by=going, now=now)
    for person in (going, idle):
        await responders.set_duty(conn, person, states.Duty.OFF_DUTY, now=now)
    assert await _known(conn, going, idle) == [True, False]


async def test_POS_7_half_an_hour_after_the_last_update_nothing_is_left(
    database: str, redis: redis.asyncio.Redis, now: datetime
) -> None:
    engine = db.make_engine(database)
    base = db.Database(engine, None)
    async with base.transaction() as conn:
        org = await f.make_org(conn)
        quiet = await f.make_responder(conn, org, seen_at=now, now=now)
        renewed = await f.make_responder(conn, org, seen_at=now, now=now)
        shift = await f.make_responder(conn, org, seen_at=now, now=now)
        await responders.set_duty(
            conn, shift, states.Duty.AVAILABLE, until=now + timedelta(minutes=1), now=now
        )
        later = now + timedelta(minutes=20)
        await whereabouts.store_many(conn, {renewed: store.Fix(f.HARBOUR, later)}, now=later)
    place = presence.Place(str(shift), 7.4, 43.7, None, now)
    await presence.put(redis, place, topics=(), now=now)
    ten = now + timedelta(minutes=10)
    assert await runner.forget_positions(base, redis, now=ten) == 1  # the shift is over
    assert await presence.latest(redis, [str(shift)], now=now) == {}
    half = now + timedelta(minutes=29)
    assert await runner.forget_positions(base, redis, now=half) == 1
    async with base.transaction() as conn:
        assert await _known(conn, quiet, renewed, shift) == [False, True, False]
    assert await runner.forget_positions(base, redis, now=half) == 0
    await engine.dispose()


async def test_POS_7_redis_forgets_by_itself(redis: redis.asyncio.Redis, now: datetime) -> None:
    place = presence.Place("p", 7.4, 43.7, 5.0, now)
    await presence.put(redis, place, topics=(), now=now)
    assert await presence.latest(redis, ["p"], now=now + timedelta(seconds=599)) == {"p": place}
    assert await presence.latest(redis, ["p"], now=now + timedelta(seconds=601)) == {}
    for name in await redis.keys("*"):
        assert 0 < await redis.ttl(name) <= presence.KEEP_S
