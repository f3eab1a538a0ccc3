"""Operators: alerts and their ends, incidents that change, over several topics at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from dispatch import events
from realtime import log
from tests.simulated.database import wall

if TYPE_CHECKING:
    from tests.simulated.world import World

Item = log.Item


async def work(world: World) -> None:
    """Do one thing after the other, several operators at once, until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        for number in range(world.chance.randint(1, 3)):
            tasks.create_task(_operate(world, number), name="operator")


async def _operate(world: World, number: int) -> None:
    pause_s = world.chance.choice((0.3, 1.0, 3.0))
    for nth in range(1_000_000):
        await asyncio.sleep(world.chance.expovariate(1 / pause_s))
        items = _some(world, UUID(int=(number + 1) * 1_000_000 + nth))
        redis: Any = world.bus
        try:
            moved = await world.database.transact(items, wall(world.loop.time()))
        except SQLAlchemyError as failed:
            world.trace(f"operator{number} failed: {failed}")
        else:
            await log.publish_moved(redis, moved)


def _some(world: World, name: UUID) -> list[Item]:
    chance = world.chance
    incident = chance.choice(world.incidents)
    open_alerts = sorted(_open(world))
    match chance.choices(("alert", "end", "change", "close", "burst"), (4, 3, 3, 1, 1))[0]:
        case "alert":
            asked = chance.sample(world.persons, chance.randint(1, len(world.persons)))
            told = [_alert(person, name, nth, incident) for nth, person in enumerate(asked)]
            return [*told, *_change(incident, name)]
        case "end" if open_alerts:
            some = chance.sample(open_alerts, chance.randint(1, len(open_alerts)))
            return [_stand_down(topic, alert) for topic, alert in some] + _change(incident, name)
        case "close":
            closed = Item("org:demo", "incident_closed", {"closed": str(incident)})
            return [*_change(incident, name), closed]
        case "burst":
            return [
                item for nth in range(chance.randint(5, 40)) for item in _change(incident, name)
            ]
        case _:
            return _change(incident, name)


def _open(world: World) -> list[tuple[str, str]]:
    return [
        (topic, alert)
        for topic, state in world.database.view.states.items()
        if topic.startswith("person:")
        for alert in state["alerts"]
    ]


def _alert(person: UUID, name: UUID, nth: int, incident: UUID) -> Item:
    alert = {
        "id": str(UUID(int=name.int * 10 + nth)),
        "revision": 1,
        "status": "notified",
        "incident": str(incident),
    }
    return Item(f"person:{person}", events.PersonKind.ALERT_SENT, {"alert": alert})


def _stand_down(topic: str, alert: str) -> Item:
    return Item(topic, "stood_down", {"stand_down": {"alert": alert}})


def _change(incident: UUID, name: UUID) -> list[Item]:
    body: dict[str, Any] = {"incident": {"id": str(incident), "changed": name.int}}
    topics = (f"incident:{incident}", "org:demo", f"team:{UUID(int=900)}")
    return [Item(topic, "incident_changed", body) for topic in topics]
