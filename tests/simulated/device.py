"""A phone or a console: the client's own machine, a screen, a journal, and a way to the apps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from tests.simulated.database import State, empty, fold
from tests.simulated.judge import Tap
from tests.simulated.wire import Wire
from web.drill.live_machine import Machine
from web.drill.live_steps import Connect, Drop, Frame, Hear, Output, Phase, Poll, Send, Via
from web.drill.live_steps import State as Now

if TYPE_CHECKING:
    from tests.simulated.world import World

#: Somebody counts as well from so long after the connection came up.
STEADY_S = 1.0


class Device:
    """One client, through all its restarts."""

    def __init__(self, world: World, name: str, person: UUID, topics: tuple[str, ...]) -> None:
        self.world = world
        self.name = name
        self.person = person
        self.topics = topics
        self.states: dict[str, State] = {}
        #: Alerts that stand on the screen; and those that ever rang, with their revision.
        self.screen: set[str] = set()
        self.journal: set[tuple[str, int]] = set()
        #: Which life of the journal this is.
        self.life = 0
        #: Counts whatever came between this device and the apps.
        self.stamp = 0
        self.is_mute = False
        self.is_blind = False
        self.wire: Wire | None = None
        self.gaps = self.repeats = 0
        self._is_frozen = False
        self._held: list[Callable[[], list[Output]]] = []
        self._tap = Tap(world.judge, name)
        self._timer: asyncio.TimerHandle | None = None
        self._asking: asyncio.Task[None] | None = None
        self._steady_since = 0.0
        self._loop = asyncio.get_running_loop()
        self.machine = self._make_machine()

    def _make_machine(self) -> Machine:
        return Machine(self.topics, {"token": self.person.hex}, self.world.chance.random)

    # ---- how it is

    @property
    def is_well(self) -> bool:
        """Say whether it must hear everything soon."""
        return self.well_for(self._loop.time()) >= STEADY_S

    def well_for(self, now: float) -> float:
        """Give the seconds that nothing has been in the way of what this device hears."""
        is_live = self.machine.phase is Phase.LIVE and self.machine.link is Via.SOCKET
        is_whole = self.wire is not None and self.wire.is_whole and not self._is_frozen
        if not (is_live and is_whole and self.world.database.is_well and self.has_all):
            return 0.0
        since = max(self._steady_since, self.world.database.settled_at)
        return now - since

    @property
    def has_all(self) -> bool:
        """Say whether it stands somewhere in each topic."""
        return None not in self.machine.marks.cursors.values()

    def disturb(self) -> None:
        """Note that something came, or went, between this device and the apps."""
        self.stamp += 1
        self._steady_since = self._loop.time()

    # ---- what happens to it

    def start(self) -> None:
        """Have the network, and connect."""
        self._happens(lambda: self.machine.start(self._ms()))

    def sleep(self) -> None:
        """Lose the network, and know it."""
        self._happens(self.machine.stop)

    def freeze(self) -> None:
        """Do nothing at all, and not know it."""
        self.disturb()
        self._is_frozen = True
        if self.wire is not None:
            self.wire.was_troubled = True
            self.wire.down.stall()

    def thaw(self) -> None:
        """Go on where it stood."""
        self.disturb()
        self._is_frozen = False
        if self.wire is not None:
            self.wire.down.go_on()
        held, self._held = self._held, []
        for happened in held:
            self._do(happened())
        self._happens(lambda: self.machine.tick(self._ms()))

    def restart(self, *, keeps_states: bool, keeps_journal: bool) -> None:
        """End and begin again, with what was kept."""
        self.end()
        cursors = dict(self.machine.marks.cursors) if keeps_states and keeps_journal else {}
        if not cursors:
            self.states = {}
            self.screen = set()
        if not keeps_journal:
            self.journal = set()
            self.life += 1
        self.machine = self._make_machine()
        self.machine.marks.cursors.update(cursors)
        self.start()

    def end(self) -> None:
        """End without a word, or with one."""
        self.disturb()
        self.gaps += self.machine.marks.gaps
        self.repeats += self.machine.marks.repeats
        self._is_frozen = False
        self._held = []
        self._drop(Via.SOCKET)
        self._drop(Via.POLL)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def listen(self, topics: tuple[str, ...]) -> None:
        """Hear other topics, as a console does that opens another incident."""
        self.disturb()
        self.topics = topics
        for topic in self.states.keys() - set(topics):
            del self.states[topic]
        self._look()
        self._happens(lambda: self.machine.listen(topics, self._ms()))

    # ---- the machine

    def _happens(self, happened: Callable[[], list[Output]]) -> None:
        if self._is_frozen:
            self._held.append(happened)
        else:
            self._do(happened())

    def _do(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Connect():
                    self._connect()
                case Drop(via):
                    self._drop(via)
                case Send(via, frame):
                    self._send(via, frame)
                case Poll(topics, wait_s):
                    self._poll(dict(topics), wait_s)
                case Hear(frame):
                    self._hear(frame)
                case Now(phase):
                    self.disturb()
                    self.world.trace(f"{self.name} is {phase.value}")
        self._wake_later()

    def _wake_later(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        wake_at = self.machine.wake_at
        if wake_at is not None:
            # A little later: milliseconds are not the sum of seconds to the last bit.
            self._timer = self._loop.call_at(wake_at / 1_000 + 1e-6, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._happens(lambda: self.machine.tick(self._ms()))

    def _ms(self) -> float:
        return self._loop.time() * 1_000

    # ---- the socket

    def _connect(self) -> None:
        self._drop(Via.SOCKET)
        wire = Wire(self.world.chance, self._came, self._gone, self.disturb)
        self.wire = wire
        self._tap = Tap(self.world.judge, self.name)
        self._loop.call_later(0.02 * self.world.chance.random(), self._reach, wire)

    def _reach(self, wire: Wire) -> None:
        app = self.world.any_app()
        if wire is not self.wire:
            return
        if app is None or self.is_blind:
            wire.cut()
        else:
            app.take(wire)
            self._happens(lambda: self.machine.opened() if wire is self.wire else [])

    def _drop(self, via: Via) -> None:
        if via is Via.SOCKET and self.wire is not None:
            wire, self.wire = self.wire, None
            wire.leave(is_told=self.world.chance.random() < self.world.told)
        elif via is Via.POLL and self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _came(self, text: str) -> None:
        frame = orjson.loads(text)
        self.world.trace(f"{self.name} < {_short(frame)}")
        self._tap.take(frame)
        wire = self.wire
        self._happens(
            lambda: self.machine.heard(Via.SOCKET, frame, self._ms()) if wire is self.wire else []
        )

    def _gone(self, code: int | None) -> None:
        wire = self.wire
        self.disturb()

        def lost() -> list[Output]:
            if wire is not self.wire:
                return []
            self.wire = None
            return self.machine.closed(Via.SOCKET, code, self._ms())

        self.world.trace(f"{self.name} closed {code}")
        self._happens(lost)

    def _send(self, via: Via, frame: Frame) -> None:
        if frame["type"] == "hello":
            self._tap.hello(frame["topics"])
        self.world.trace(f"{self.name} > {_short(frame)}")
        if via is Via.SOCKET and self.wire is not None:
            self.wire.say(orjson.dumps(frame).decode())
        elif via is Via.POLL and frame["type"] == "ack":
            self.world.errand(self._post(frame))

    # ---- polls

    def _poll(self, topics: dict[str, Any], wait_s: int) -> None:
        self._drop(Via.POLL)
        self._asking = self.world.errand(self._ask(topics, wait_s))

    async def _ask(self, topics: dict[str, Any], wait_s: int) -> None:
        me = asyncio.current_task()
        tap = Tap(self.world.judge, f"{self.name} by poll")
        tap.hello(topics)
        frames = await self.world.poll(self.person, topics, wait_s)
        if frames is None:
            self._happens(lambda: self._unanswered(me))
        else:
            self._happens(lambda: self._answered(me, frames, tap))

    def _unanswered(self, task: Any) -> list[Output]:
        if self._asking is not task:
            return []
        self._asking = None
        return self.machine.closed(Via.POLL, None, self._ms())

    def _answered(self, task: Any, frames: list[str], tap: Tap) -> list[Output]:
        for text in frames:
            frame = orjson.loads(text)
            tap.take(frame)
            if self._asking is task:
                self.world.trace(f"{self.name} <p {_short(frame)}")
                self._do(self.machine.heard(Via.POLL, frame, self._ms()))
        return self.machine.polled(self._ms()) if self._asking is task else []

    async def _post(self, frame: Frame) -> None:
        answer = await self.world.post_ack(self.person, frame)
        if answer is not None:
            frame = orjson.loads(answer)
            self._happens(lambda: self.machine.heard(Via.POLL, frame, self._ms()))

    # ---- the screen

    def _hear(self, frame: Frame) -> None:
        topic = frame.get("topic")
        match frame["type"]:
            case "snapshot":
                body = frame["body"]
                self.states[topic] = {key: body[key] for key in ("alerts", "incidents")}
            case "event":
                self.states[topic] = fold(self.states.get(topic, empty()), frame["body"])
            case "error":
                if frame["code"] != "unavailable":
                    self.world.judge.find(f"ERROR {self.name} is told {frame}")
                return
            case _:
                return
        self.world.judge.holds(self, topic)
        self._look()

    def _look(self) -> None:
        """Show what the states say; ring for what never rang."""
        states = self.states.items()
        alerts = {
            name: alert
            for topic, state in states
            if topic.startswith("person:")
            for name, alert in state["alerts"].items()
        }
        self.screen = set(alerts)
        for name, alert in alerts.items():
            if (name, alert["revision"]) not in self.journal:
                self.journal.add((name, alert["revision"]))
                self.world.judge.show(self, name)
                self._confirm(name)

    def _confirm(self, alert: str) -> None:
        for level in ("received", "shown"):
            if not self.is_mute:
                self._loop.call_soon(self._happens, partial(self._ack, alert, level))

    def _ack(self, alert: str, level: str) -> list[Output]:
        return self.machine.ack(alert, level, self._ms())


def _short(frame: Mapping[str, Any]) -> str:
    kind = frame["type"]
    if kind in {"event", "snapshot"}:
        again = " again" if frame.get("redelivered") else ""
        return f"{kind} {frame['topic'][:12]} {frame['epoch']} {frame['seq']}{again}"
    if kind in {"hello", "welcome", "heartbeat"}:
        return f"{kind} {orjson.dumps(frame['topics']).decode()}"
    return f"{kind} {frame.get('level', '')} {frame.get('alert', frame.get('code', ''))}"
