"""One seed's world: apps, devices, operators, faults; then calm, and what must hold at the end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from realtime import log, protocol
from tests.simulated import edges, faults, operators
from tests.simulated.app import App
from tests.simulated.bus import Bus
from tests.simulated.database import Database, empty
from tests.simulated.device import Device
from tests.simulated.judge import Judge
from tests.simulated.loop import SimulatedLoop
from tests.simulated.wire import KERNEL_S, Wire
from web.drill.live_steps import Phase

#: Everybody is as the log is, so long after the last fault at the most.
HEAL_S = 240.0

#: Operators go on for so long after the last fault, in some worlds.
CALM_S = 25.0

#: Whatever is left when everybody has gone ends by itself within this time.
END_WITHIN_S = 60.0

#: Between two looks of the judge.
WATCH_EVERY_S = 0.5

ORG = "org:demo"
TEAM = f"team:{UUID(int=900)}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a seed."""

    seed: int
    findings: tuple[str, ...]
    trace: tuple[str, ...]
    seen: Mapping[str, int]
    steps: int
    seconds: float


class World:
    """All that a seed draws."""

    def __init__(self, chance: random.Random, loop: SimulatedLoop, *, is_traced: bool) -> None:
        self.chance = chance
        self.loop = loop
        self.database = Database(chance, loop.time)
        self.bus = Bus(chance)
        self.judge = Judge(self.database, loop.time)
        self.judge.later = loop.call_later
        self.judge.on_finding = lambda what: self.trace(f"FOUND {what}")
        self.database.on_commit = self._committed
        self.lines: list[str] = []
        self._is_traced = is_traced
        #: How often an end that leaves is heard of at the other.
        self.told = 1.0
        self.apps: list[App] = []
        self.gone: list[App] = []
        self.has_short_way = chance.random() < 0.5
        self.persons = [UUID(int=number) for number in range(1, chance.randint(2, 4) + 1)]
        self.incidents = [UUID(int=500 + number) for number in range(chance.randint(1, 3))]
        self._errands: set[asyncio.Task[Any]] = set()

    # ---- who is there

    def people(self) -> Iterator[Device]:
        """Make the devices: phones, some with a second one, and consoles."""
        chance = self.chance
        for number, person in enumerate(self.persons):
            for nth in range(chance.choice((1, 1, 2))):
                device = Device(self, f"phone{number}.{nth}", person, (f"person:{person}",))
                device.is_mute = chance.random() < 0.2
                yield device
        for number in range(chance.randint(1, 2)):
            incident = chance.choice(self.incidents)
            topics = (ORG, f"incident:{incident}", TEAM)
            yield Device(self, f"console{number}", UUID(int=800 + number), topics)

    def start_app(self) -> None:
        """Start one more process."""
        app = App(self.database, self.bus, self.judge, has_short_way=self.has_short_way)
        self.apps.append(app)

    def any_app(self) -> App | None:
        """Give what the load balancer finds."""
        up = [app for app in self.apps if app.is_up]
        return self.chance.choice(up) if up else None

    def wires(self) -> list[Wire]:
        """Give every connection that an app holds."""
        return [wire for app in self.apps for wire in app.wires if wire.is_open_above]

    async def poll(self, person: UUID, topics: dict[str, Any], wait_s: int) -> list[str] | None:
        """Answer a device's poll, or lose it on its way."""
        await asyncio.sleep(0.01 * self.chance.random())
        app = self.any_app()
        return None if app is None else await app.poll(person, topics, wait_s)

    async def post_ack(self, person: UUID, frame: dict[str, Any]) -> str | None:
        """Answer an ack by a request."""
        await asyncio.sleep(0.01 * self.chance.random())
        app = self.any_app()
        return None if app is None else await app.acknowledge(person, frame)

    def errand(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Have something done beside."""
        task = asyncio.create_task(work, name="errand")
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)
        return task

    def trace(self, what: str) -> None:
        """Note what happens, where somebody wants to read it."""
        if self._is_traced:
            self.lines.append(f"{self.loop.time():9.3f} {what}")

    def _committed(self, events: Sequence[protocol.Event]) -> None:
        if self._is_traced:
            for event in events:
                self.trace(f"commit {event.topic[:12]} {event.epoch} {event.seq} {event.body}")
        self.judge.committed(events)

    # ---- its course

    async def run(self) -> None:
        """Live through faults, heal, and end."""
        for _ in range(self.chance.randint(1, 3)):
            self.start_app()
        await asyncio.sleep(0.5)
        self.judge.devices = list(self.people())
        for device in self.judge.devices:
            device.start()
        beside = [
            asyncio.create_task(self._watch(), name="watch"),
            asyncio.create_task(operators.work(self), name="operators"),
        ]
        await faults.rage(self)
        if any(task.done() for task in beside):
            self.judge.find("ENDED somebody who works beside has failed")
        self.trace("HEAL")
        faults.mend(self)
        # In some worlds work goes on for a while: what is well again must hear of it soon.
        await asyncio.sleep(self.chance.choice((0, 0, CALM_S)))
        beside.pop().cancel()
        await self._heal()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        self._compare()
        await self._end()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            wires = self.wires()
            self.judge.watch(wires)
            for wire in wires:
                since = wire.down.full_since
                if since is not None and self.loop.time() - since > KERNEL_S:
                    wire.hang_up()

    async def _heal(self) -> None:
        """Wait until all have all."""
        until = self.loop.time() + HEAL_S
        while self.loop.time() < until and not self.judge.findings:
            await asyncio.sleep(1.0)
            if not any(self._lacks(device) for device in self.judge.devices):
                return

    def _lacks(self, device: Device) -> str | None:
        """Say what a device lacks of the log."""
        if device.machine.phase is not Phase.LIVE:
            return f"is {device.machine.phase.value}"
        view = self.database.view
        born = view.clocks[log.BIRTH]
        for topic in device.topics:
            clock = view.clocks.get(topic, born)
            if device.machine.marks.cursors.get(topic) != (clock.epoch, clock.seq):
                return (
                    f"stands at {device.machine.marks.cursors.get(topic)} of {topic}, not {clock}"
                )
            if device.states.get(topic, empty()) != view.states.get(topic, empty()):
                return f"has another {topic}"
        return None

    def _compare(self) -> None:
        """Snapshot and screens at the end: everybody has what the log has, and rang for it once."""
        if self.judge.findings:
            return
        for device in self.judge.devices:
            lack = self._lacks(device)
            if lack:
                self.judge.find(f"END {device.name} {lack}")
            for alert in sorted(device.screen):
                if not any(name == alert for name, _ in device.journal):
                    self.judge.find(f"END {device.name} never rang for {alert}")
            if device.gaps + device.machine.marks.gaps:
                self.judge.find(f"END {device.name} found gaps")
            if device.repeats + device.machine.marks.repeats:
                self.judge.find(f"END {device.name} found repeats")

    async def _end(self) -> None:
        """Stop everybody; nothing may be left."""
        for device in self.judge.devices:
            device.end()
        for app in self.apps:
            await app.stop()
        for app in (*self.apps, *self.gone):
            await app.ended()
        for task in list(self._errands):
            task.cancel()
        await asyncio.gather(*self._errands, return_exceptions=True)
        # What hangs in a database that was lost may take its time, but must end.
        others = {task for task in self.loop.tasks if not task.done()} - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=END_WITHIN_S)


def run(seed: int, *, is_traced: bool = False) -> Outcome:
    """Live through the world of a seed."""
    chance = random.Random(seed)
    loop = SimulatedLoop(chance, is_shuffled=chance.random() < 0.75)
    world = World(chance, loop, is_traced=is_traced)
    findings = world.judge.findings
    with edges.in_place(world):
        try:
            loop.run(world.run())
        except Exception as error:  # noqa: BLE001  # whatever it is, it belongs to this seed
            findings.append(f"{loop.time():.3f} RAISED {error!r}")
    findings += [f"LEFT {name} still runs" for name in loop.unended]
    findings += [f"LEFT {what} was swallowed" for what in loop.swallowed()]
    findings += [f"LEFT asyncio complains: {what}" for what in loop.complaints]
    return Outcome(
        seed,
        tuple(findings),
        tuple(world.lines),
        dict(world.judge.seen),
        loop.steps,
        loop.time(),
    )
