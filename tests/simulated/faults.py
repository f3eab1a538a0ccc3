"""What goes wrong: each world draws some kinds, how often, and how bad; `mend` makes all good."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from tests.simulated.bus import Mood
from tests.simulated.database import LATENCY_S

if TYPE_CHECKING:
    from tests.simulated.device import Device
    from tests.simulated.world import World

Fault = Callable[["World"], Awaitable[None]]


async def rage(world: World) -> None:
    """Let things go wrong for a while, several at a time."""
    chance = world.chance
    kinds = [kind for kind in FAULTS if chance.random() < 0.4]
    world.told = chance.choice((0.3, 0.8, 1.0))
    until = world.loop.time() + chance.choice((6.0, 12.0, 25.0))
    pause_s = chance.choice((0.3, 1.0, 2.5))
    under_way: set[asyncio.Task[None]] = set()
    while world.loop.time() < until and not world.judge.findings:
        await asyncio.sleep(chance.expovariate(1 / pause_s))
        if kinds:
            kind = chance.choice(kinds)
            world.trace(f"FAULT {kind.__name__.strip('_')}")
            task = asyncio.create_task(_one(kind, world), name="fault")
            under_way.add(task)
            task.add_done_callback(under_way.discard)
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)


async def _one(kind: Fault, world: World) -> None:
    await kind(world)


def mend(world: World) -> None:
    """Make everything good that can be; what is lost stays lost."""
    database = world.database
    database.is_down, database.error_rate, database.latency_s = False, 0.0, LATENCY_S
    database.keeps_events = True
    database.wake()
    world.bus.mood = Mood.WELL
    world.told = 1.0
    if not any(app.is_up for app in world.apps):
        world.start_app()
    for wire in world.wires():
        wire.mend()
    for device in world.judge.devices:
        device.is_blind = False
        device.thaw()
        device.start()


async def _hold(world: World, *seconds: float) -> None:
    await asyncio.sleep(world.chance.choice(seconds))


# ---- the database


async def _database_down(world: World) -> None:
    world.database.is_down = True
    world.database.crash()
    await _hold(world, 0.2, 2.0, 6.0)
    world.database.is_down = False
    world.database.disturbed()


async def _database_hangs(world: World) -> None:
    if world.database.hung is None:
        world.database.hang()
        await _hold(world, 0.3, 4.0, 9.0)
        world.database.wake()


async def _database_errs(world: World) -> None:
    world.database.error_rate = world.chance.choice((0.05, 0.5))
    world.database.disturbed()
    await _hold(world, 1.0, 5.0)
    world.database.error_rate = 0.0
    world.database.disturbed()


async def _database_slow(world: World) -> None:
    world.database.latency_s = world.chance.choice((0.2, 2.0))
    world.database.disturbed()
    await _hold(world, 1.0, 5.0)
    world.database.latency_s = LATENCY_S
    world.database.disturbed()


async def _trim(world: World) -> None:
    """Events are no longer kept; for a while perhaps not even until somebody has read them."""
    world.database.trim(world.chance.choice((0.3, 0.9, 1.0)))
    if world.chance.random() < 0.5:
        world.database.keeps_events = False
        await _hold(world, 1.0, 3.0)
        world.database.keeps_events = True


async def _restore(world: World) -> None:
    world.database.is_down = True
    world.database.restore()
    world.judge.undone()
    await _hold(world, 0.1, 2.0)
    world.database.is_down = False
    world.database.disturbed()


# ---- Redis


async def _redis(world: World) -> None:
    world.bus.mood = world.chance.choice(list(Mood)[1:])
    await _hold(world, 1.0, 4.0, 10.0)
    world.bus.mood = Mood.WELL


async def _hints_lost(world: World) -> None:
    world.bus.mood = Mood.LOSSY
    await _hold(world, 4.0, 10.0)
    world.bus.mood = Mood.WELL


# ---- the net


async def _reset(world: World) -> None:
    for wire in world.wires():
        if world.chance.random() < 0.3:
            wire.cut(is_told=world.chance.random() < world.told)


async def _reset_all(world: World) -> None:
    for wire in world.wires():
        wire.cut()


async def _stall(world: World) -> None:
    device = world.chance.choice(world.judge.devices)
    if device.wire is not None:
        wire = device.wire
        wire.trouble()
        await _hold(world, 0.5, 3.0, 12.0)
        wire.mend()


async def _slow_reader(world: World) -> None:
    device = world.chance.choice(world.judge.devices)
    if device.wire is not None:
        wire = device.wire
        wire.trouble(pace_s=world.chance.choice((0.05, 0.8)))
        await _hold(world, 3.0, 12.0)
        wire.mend()


async def _blind(world: World) -> None:
    """No socket gets through for a while: polls are what is left."""
    device = world.chance.choice(world.judge.devices)
    device.is_blind = True
    if device.wire is not None:
        device.wire.cut()
    await _hold(world, 3.0, 15.0)
    device.is_blind = False


# ---- devices


async def _sleep(world: World) -> None:
    device = world.chance.choice(world.judge.devices)
    device.sleep()
    await _hold(world, 0.3, 3.0, 10.0)
    device.start()


async def _freeze(world: World) -> None:
    device = world.chance.choice(world.judge.devices)
    device.freeze()
    await _hold(world, 1.0, 8.0)
    device.thaw()


async def _restart(world: World) -> None:
    device = world.chance.choice(world.judge.devices)
    keeps_journal = world.chance.random() < 0.7
    device.restart(keeps_states=world.chance.random() < 0.5, keeps_journal=keeps_journal)


async def _turn_page(world: World) -> None:
    """A console opens another incident's card."""
    consoles = [device for device in world.judge.devices if device.name.startswith("console")]
    device: Device = world.chance.choice(consoles)
    incident = world.chance.choice(world.incidents)
    wanted = {"incident": f"incident:{incident}"}
    topics = tuple(wanted.get(topic.partition(":")[0], topic) for topic in device.topics)
    device.listen(topics)


# ---- apps


async def _kill(world: World) -> None:
    app = world.any_app()
    if app is not None:
        _remove(world, app)
        app.kill(is_told=world.chance.random() < world.told)
        await _hold(world, 0.2, 2.0)
        world.start_app()


async def _stop(world: World) -> None:
    app = world.any_app()
    if app is not None:
        _remove(world, app)
        world.errand(app.stop())
        await _hold(world, 0.0, 1.0)
        world.start_app()


def _remove(world: World, app: object) -> None:
    gone = next(known for known in world.apps if known is app)
    world.apps.remove(gone)
    world.gone.append(gone)


FAULTS: tuple[Fault, ...] = (
    _database_down,
    _database_hangs,
    _database_errs,
    _database_slow,
    _trim,
    _restore,
    _redis,
    _hints_lost,
    _reset,
    _reset_all,
    _stall,
    _slow_reader,
    _blind,
    _sleep,
    _freeze,
    _restart,
    _turn_page,
    _kill,
    _stop,
)
