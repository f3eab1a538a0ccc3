"""A crowd of writers on incidents that share their people: no deadlock, and a log that adds up."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import alerts, assignments, board, db, errors, incidents, states, store, tables
from realtime import log
from tests import factories as f
from tests.dispatch.verify import apply_event


@pytest.fixture
async def house(database: str) -> AsyncIterator[db.Database]:
    """Give a database of its own with enough connections for a crowd."""
    engine = db.make_engine(database, pool_size=12)
    yield db.Database(engine, None)
    await engine.dispose()


@dataclass
class Crowd:
    """Does one thing or another to one of the incidents; what is refused is refused."""

    house: db.Database
    scene: f.Scene
    crowd: list[UUID]
    dice: random.Random

    async def act(self, at: datetime) -> None:
        deeds = [
            self.send, self.send, self.answer, self.answer, self.answer, self.move, self.see,
            self.see, self.correct, self.edit, self.edit, self.stop, self.expire,
        ]  # fmt: skip
        deed = self.dice.choice(deeds)
        incident_id = self.dice.choice(self.crowd)
        with contextlib.suppress(errors.DispatchError):
            await deed(incident_id, at)

    async def send(self, incident_id: UUID, at: datetime) -> None:
        async with self.house.snapshot() as conn:
            plan = await f.make_plan(conn, incident_id, now=at)
        async with self.house.transaction() as conn:
            await alerts.send_wave(conn, plan, by=self.scene.operator, now=at)

    async def _one(
        self, incident_id: UUID, act: Callable[[AsyncConnection, Any], Awaitable[object]]
    ) -> None:
        async with self.house.transaction() as conn:
            asked = await store.list_alerts(conn, tables.alert.c.incident_id == incident_id)
            if asked:
                await act(conn, self.dice.choice(asked))

    async def answer(self, incident_id: UUID, at: datetime) -> None:
        say = self.dice.choice([alerts.accept, alerts.decline])
        await self._one(
            incident_id,
            lambda conn, a: say(conn, a.id, policy=f.POLICY, by=a.responder_id, now=at),
        )

    async def see(self, incident_id: UUID, at: datetime) -> None:
        await self._one(
            incident_id, lambda conn, a: alerts.seen(conn, a.id, by=a.responder_id, now=at)
        )

    async def move(self, incident_id: UUID, at: datetime) -> None:
        to = self.dice.choice([states.Assignment.EN_ROUTE, states.Assignment.UNABLE])
        async with self.house.transaction() as conn:
            work = await store.list_assignments(
                conn, tables.assignment.c.incident_id == incident_id
            )
            if work:
                item = self.dice.choice(work)
                await assignments.step(
                    conn, item.id, to, policy=f.POLICY, by=item.responder_id, now=at
                )

    async def correct(self, incident_id: UUID, at: datetime) -> None:
        async with self.house.transaction() as conn:
            await incidents.set_ambulance(
                conn, incident_id, states.Ambulance.DISPATCHED, eta_s=60,
                by=self.scene.operator, now=at,
            )  # fmt: skip

    async def edit(self, incident_id: UUID, at: datetime) -> None:
        async with self.house.transaction() as conn:
            incident = await store.get_incident(conn, incident_id)
            await incidents.edit(
                conn, incident_id, {"floor": f"{self.dice.random()}"}, version=incident.version,
                by=self.scene.operator, now=at,
            )  # fmt: skip

    async def stop(self, incident_id: UUID, at: datetime) -> None:
        async with self.house.transaction() as conn:
            await incidents.stand_down(conn, incident_id, by=self.scene.operator, now=at)

    async def expire(self, incident_id: UUID, at: datetime) -> None:
        async with self.house.transaction() as conn:
            await alerts.time_out(conn, incident_id, policy=f.POLICY, now=at)


@pytest.mark.parametrize("seed", range(3))
async def test_INC_12_a_crowd_with_the_same_people_does_not_deadlock(
    house: db.Database, now: datetime, seed: int
) -> None:
    async with house.transaction() as conn:
        scene = await f.make_scene(conn, people=8, now=now)
        others = [
            await f.make_incident(conn, scene.org_id, by=scene.operator, now=now) for _ in range(2)
        ]
    ids = [scene.incident.id, *(item.id for item in others)]
    crowd = Crowd(house, scene, ids, random.Random(seed))

    async def worker() -> None:
        for turn in range(15):
            await crowd.act(now + timedelta(seconds=3 * turn))

    # A deadlock, or a lock that is waited for too long, ends a worker with an OperationalError.
    await asyncio.gather(*(worker() for _ in range(8)))
    empty = {"incidents": {}, "alerts": {}, "assignments": {}}
    async with house.transaction() as conn:
        topics = [f"org:{scene.org_code}", *(f"person:{p}" for p in scene.responders)]
        for topic in topics:
            after = await board.snapshot(conn, topic, now=now)
            before = after | empty if topic.startswith("org:") else after
            assert _timeless(await _replayed(conn, topic, before)) == _timeless(after)


async def _replayed(conn: AsyncConnection, topic: str, reached: dict[str, Any]) -> dict[str, Any]:
    """Apply the whole log of a topic, whose numbers have no gap."""
    mark = (await log.position_of(conn, [topic]))[topic]
    told = await log.read_after(conn, topic, mark.epoch, 0, limit=10_000)
    assert [event.seq for event in told] == list(range(1, mark.seq + 1))
    for event in told:
        reached = apply_event(topic, reached, event.value())
    return reached


def _timeless(snapshot: dict[str, Any]) -> dict[str, Any]:
    alert = snapshot.get("alert")
    shown = {"alert": alert | {"expires_in_ms": 0}} if alert else {}
    return {**snapshot, **shown, "incidents": snapshot.get("incidents", {})}
