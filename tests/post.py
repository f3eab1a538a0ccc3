"""What tests of messages share: a runner's means with real gateways, and a clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from gateways import all_of_them

from dispatch import (
    delivering,
    push_devices,
    store,
    tables,
)
from tests import factories as f

PHONES = ("138 1234 5678", "+86 139-1234-5678", "+377 93 00 00 00")


class Clock:
    """The time, as the test says."""

    def __init__(self, now: datetime) -> None:
        self.start = self.now = now

    def __call__(self) -> datetime:
        return self.now

    def at(self, seconds: float) -> None:
        self.now = self.start + timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Post:
    """A runner's means and the clock, with what a test does most."""

    means: delivering.Means
    clock: Clock

    async def run(self, seconds: float) -> list[str]:
        """Deliver what is due at a second; say by which channels."""
        self.clock.at(seconds)
        gone: list[str] = []
        while dues := (await delivering.take(self.means, tuple(self.means.gateways)))[0]:
            gone += [due.channel.value for due in dues if due.needless is None]
            await delivering.carry(self.means, dues)
        return sorted(gone)

    def transaction(self) -> Any:
        return self.means.database.transaction()

    async def channels(self, alert_id: UUID) -> dict[str, tuple[str, str | None]]:
        """Say how far each channel of an alert has come, as the operator's board shows it."""
        async with self.transaction() as conn:
            alert = await store.get_alert(conn, alert_id)
        return {way.channel: (way.status, way.why) for way in alert.channels}


async def scene_of(post: Post, *, people: int = 1, exercise: bool = False) -> f.Scene:
    """Make an incident with people who have phones, and are no invention."""
    async with post.transaction() as conn:
        scene = await f.make_scene(conn, people=people, now=post.clock())
        if exercise:
            await conn.execute(sa.update(tables.incident).values(exercise=True))
        for number, person in enumerate(scene.responders):
            await conn.execute(
                sa.update(tables.person)
                .where(tables.person.c.id == person)
                .values(phone=PHONES[number % len(PHONES)], is_invented=False)
            )
    return scene


async def subscribe(post: Post, doubles: all_of_them.Doubles, person: UUID) -> str:
    """Let a person's phone be pushed to; give the token of its address."""
    device = doubles.push.subscribe()
    async with post.transaction() as conn:
        await push_devices.add(
            conn, person, endpoint=device["endpoint"], now=post.clock(), **device["keys"]
        )
    token: str = device["endpoint"].rpartition("/")[2]
    return token


async def send(post: Post, scene: f.Scene) -> list[store.Alert]:
    """Ask everybody of the scene."""
    async with post.transaction() as conn:
        sent = await f.send(conn, scene, named=scene.responders, now=post.clock())
    return list(sent.alerts)
