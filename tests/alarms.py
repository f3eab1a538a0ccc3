"""The course of an alarm with real timers and an injected clock, for tests of waves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from dispatch import alerts, firing, matching, store, tables, timers
from tests import factories as f

LANES = list(timers.Lane)
OURS = matching.SHIPPED["expected-survival"]
THREE = matching.SHIPPED["three-and-replace"]
SEVEN = matching.SHIPPED["seven-and-replace"]
#: Enough for our own chooser to send people of a small scene far away from a late ambulance.
EAGER = replace(OURS, price=0.0, collapse_s=60)


def at(means: firing.Means, at: datetime) -> firing.Means:
    """Give the same runner at another time."""
    return replace(means, clock=lambda: at)


async def fire_due(means: firing.Means) -> list[str]:
    """Fire what is due at the clock's time until nothing is, as a runner would."""
    fired: list[str] = []
    while True:
        async with means.database.transaction() as conn:
            due = await timers.list_due(conn, LANES, limit=50, now=means.clock())
        done = [timer.kind.value for timer in due if await firing.fire(means, timer)]
        if not done:
            return fired
        fired += done


async def scene(means: firing.Means, policy: matching.Policy, *, people: int) -> f.Scene:
    """Make a scene and send its first wave."""
    now = means.clock()
    async with means.database.transaction() as conn:
        scene = await f.make_scene(conn, people=people, now=now)
        await f.send(conn, scene, policy=policy, now=now)
    return scene


async def asked(means: firing.Means, scene: f.Scene) -> list[store.Alert]:
    """Return every alert of the incident."""
    async with means.database.transaction() as conn:
        return await store.list_alerts(conn, tables.alert.c.incident_id == scene.incident.id)


async def going(means: firing.Means, scene: f.Scene) -> list[store.Assignment]:
    """Return its assignments."""
    async with means.database.transaction() as conn:
        return await store.list_assignments(
            conn, tables.assignment.c.incident_id == scene.incident.id
        )


async def lines(means: firing.Means, scene: f.Scene) -> list[store.Line]:
    """Return its timeline."""
    async with means.database.transaction() as conn:
        return await store.list_lines(conn, scene.incident.id)


async def accept(means: firing.Means, alert: store.Alert) -> store.Assignment:
    """Take an alert."""
    async with means.database.transaction() as conn:
        return await alerts.accept(
            conn, alert.id, policy=means.policy, by=alert.responder_id, now=means.clock()
        )


async def decline(means: firing.Means, alert: store.Alert) -> None:
    """Refuse an alert."""
    async with means.database.transaction() as conn:
        await alerts.decline(
            conn, alert.id, policy=means.policy, by=alert.responder_id, now=means.clock()
        )
