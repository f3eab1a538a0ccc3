"""Where a plan takes people's places from, and that nothing keeps them after the mission."""

from __future__ import annotations

import socket
import struct
from datetime import datetime, timedelta
from uuid import UUID

import factories as f
import pytest
import redis.asyncio
import sqlalchemy as sa
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    alerts,
    assignments,
    db,
    firing,
    incidents,
    planning,
    states,
    store,
    timers,
    whereabouts,
)
from geo.position import Position
from realtime import deadline, presence


@pytest.fixture(autouse=True)
def _fresh_breakers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "calls", deadline.Breakers(60))
    monkeypatch.setattr(presence, "reads", deadline.Breakers(60))


async def _people(
    conn: AsyncConnection, scene: f.Scene, bus: redis.asyncio.Redis, *, now: datetime
) -> dict[UUID, Position | None]:
    """Plan, and say where each person of the plan is thought to be."""
    live = await planning.live_positions(
        conn, scene.incident.id, bus, policy=f.POLICY, network=f.NETWORK, now=now
    )
    made = await planning.make(
        conn, scene.incident.id, policy=f.POLICY, network=f.NETWORK, live=live, now=now
    )
    return {item.person.id: item.person.position for item in (*made.chosen, *made.excluded)}


async def test_POS_19_a_plan_takes_the_newer_of_the_live_and_the_stored_position(
    conn: AsyncConnection, redis: redis.asyncio.Redis, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=4, now=now)
    gone, stale, moved, unseen = scene.responders
    away = f.north_of(f.HARBOUR, 50_000)
    came = await f.make_responder(conn, scene.org_id, position=away, now=now)
    places = {
        gone: (away, now),
        stale: (away, now - timedelta(minutes=1)),  # the stored one is of 20 s ago
        moved: (f.north_of(f.HARBOUR, 11), now),
        came: (f.north_of(f.HARBOUR, 22), now),
    }
    told = [
        presence.Place(str(who), place.lon, place.lat, 5.0, at)
        for who, (place, at) in places.items()
    ]
    assert await presence.put_many(redis, told, topics={}, now=now)
    found = await _people(conn, scene, redis, now=now)
    assert found == {
        stale: f.north_of(f.HARBOUR, 100),
        moved: places[moved][0],
        came: places[came][0],
        unseen: f.north_of(f.HARBOUR, 200),
    }
    named = await planning.live_positions(
        conn, scene.incident.id, redis, policy=f.POLICY, network=f.NETWORK, named=[gone], now=now
    )
    assert named.live == {gone: store.Fix(away, now, 5.0)}


async def test_POS_19_without_redis_a_plan_takes_the_stored_positions(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=2, now=now)
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        nowhere = redis.asyncio.Redis(port=unheard.getsockname()[1], retry=Retry(NoBackoff(), 0))
        found = await _people(conn, scene, nowhere, now=now)
        await nowhere.aclose()
    assert found == {
        who: f.north_of(f.HARBOUR, 50 * n) for n, who in enumerate(scene.responders, 1)
    }


async def _dump(database: db.Database) -> str:
    """Write down every row of every table."""
    async with database.snapshot() as conn:
        names = await conn.scalars(
            sa.text("select format('%I', tablename) from pg_tables where schemaname = 'public'")
        )
        return "\n".join(
            [
                row
                for name in names.all()
                for row in (await conn.scalars(sa.text(f"select t::text from {name} as t"))).all()  # noqa: S608  # a name of ours
            ]
        )


async def test_POS_20_a_day_after_the_end_nothing_says_where_anybody_was(
    database: str, now: datetime
) -> None:
    engine = db.make_engine(database)
    base = db.Database(engine, None)
    there = Position(7.4281937, 43.7391846)
    async with base.transaction() as conn:
        scene = await f.make_scene(conn, people=1, kind=states.Kind.TRAUMA, now=now)
        await whereabouts.store_many(conn, {scene.responders[0]: store.Fix(there, now)}, now=now)
        sent = await f.send(conn, scene, now=now)
        [alert] = sent.alerts
        going = await alerts.accept(conn, alert.id, policy=f.POLICY, by=alert.responder_id, now=now)
        fix = store.Fix(there, now)
        await assignments.step(
            conn, going.id, states.Assignment.EN_ROUTE, fix=fix, policy=f.POLICY,
            by=alert.responder_id, now=now,
        )  # fmt: skip
        await incidents.close(
            conn, scene.incident.id, states.Disposition.CANCELLED, by=None, now=now
        )
    # As JSON has it, and as PostGIS writes points.
    signs = (str(there.lon), struct.pack("<dd", there.lon, there.lat).hex().upper())
    told = await _dump(base)
    assert [sign in told for sign in signs] == [True, True]
    # The latest that a run of each may be.
    swept, kept = now + timedelta(minutes=30), now + timedelta(hours=24) - timedelta(minutes=1)
    async with base.transaction() as conn:
        await whereabouts.sweep(conn, now=swept)
        await timers.ensure(conn, timers.Kind.HOUSEKEEPING, due_at=now)
        due = await timers.list_due(conn, list(timers.Lane), limit=50, now=kept)
    means = firing.Means(base, f.POLICY, lambda: f.NETWORK, lambda: kept)
    for timer in due:
        assert await firing.fire(means, timer)
    told = await _dump(base)
    assert [sign in told for sign in signs] == [False, False]
    await engine.dispose()
