"""What is committed, who holds which lock, and what is wrong with the database just now.

Numbers are taken as PostgreSQL would have it: the clocks of a transaction's
topics stay locked until it ends, and what is rolled back leaves no trace.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.exc import OperationalError

from realtime import log
from realtime.protocol import Event, Mark

State = dict[str, dict[str, Any]]

#: When the simulated world began.
BEGAN = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

#: The longest way of a statement, when all is well; and how long a fault is felt afterwards.
LATENCY_S = 0.004
SETTLES_S = 4.0
#: psycopg gives a query to a hung server up so long after it was cancelled.
GIVES_WAY_S = 10.0
#: What waited for a server that has died meanwhile learns of it so much later.
LEARNS_S = 40.0


def empty() -> State:
    """Give the state of a topic that never moved."""
    return {"alerts": {}, "incidents": {}}


def fold(state: State, body: Mapping[str, Any]) -> State:
    """Apply one event; the server's state and each screen's come from this alone."""
    alerts, incidents = state["alerts"], state["incidents"]
    if "alert" in body:
        alerts = {**alerts, body["alert"]["id"]: body["alert"]}
    if "stand_down" in body:
        gone = body["stand_down"]["alert"]
        alerts = {name: alert for name, alert in alerts.items() if name != gone}
    if "incident" in body:
        incidents = {**incidents, body["incident"]["id"]: body["incident"]}
    if "closed" in body:
        incidents = {name: one for name, one in incidents.items() if name != body["closed"]}
    return {"alerts": alerts, "incidents": incidents}


@dataclass(frozen=True, slots=True)
class View:
    """One instant of what is committed."""

    clocks: Mapping[str, Mark]
    events: Mapping[str, tuple[Event, ...]]
    states: Mapping[str, State]
    #: Open alerts without an ack: whom each asks, since when.
    unheard: Mapping[str, tuple[UUID, datetime]]


@dataclass(slots=True)
class Work:
    """A transaction that is under way."""

    events: list[Event] = field(default_factory=list)
    numbers: dict[tuple[str, str, int], int] = field(default_factory=dict)
    locked: list[asyncio.Lock] = field(default_factory=list)


class Database:
    """What is committed, who holds which lock, and what is wrong just now."""

    def __init__(self, chance: random.Random, now: Callable[[], float]) -> None:
        self.chance = chance
        self.now = now
        self.view = View({log.BIRTH: Mark("e1", 0)}, {}, {}, {})
        #: Everything that was ever true: the state of a topic at each of its places.
        self.was: dict[tuple[str, str, int], State] = {}
        #: Earlier instants, to be restored from.
        self.backups: list[View] = [self.view]
        #: The number each event took from one sequence for all, which does not follow commits.
        self.numbers: dict[tuple[str, str, int], int] = {}
        self.on_commit: Callable[[Sequence[Event]], None] = _nothing
        self.commits = 0
        # What is wrong.
        self.is_down = False
        self.hung: asyncio.Event | None = None
        self.error_rate = 0.0
        self.latency_s = LATENCY_S
        self.keeps_events = True
        self.crashes = 0
        #: Counts every disturbance; and when its traces are gone.
        self.disturbances = 0
        self.settled_at = -1_000.0
        self._epochs = 1
        self._sequence = 0
        self._locks: dict[str, asyncio.Lock] = {}

    # ---- faults

    @property
    def is_well(self) -> bool:
        """Say whether every statement is answered soon, and none of a bad time still waits."""
        is_slow = self.latency_s > LATENCY_S
        is_ill = self.is_down or self.hung is not None or self.error_rate > 0 or is_slow
        return not is_ill and self.now() >= self.settled_at

    def disturbed(self, settles_s: float = SETTLES_S) -> None:
        """Note that something went wrong, or right again."""
        self.disturbances += 1
        self.settled_at = max(self.settled_at, self.now() + settles_s)

    def crash(self) -> None:
        """Roll back whatever is under way, as after a stop with `immediate`."""
        self.crashes += 1
        self._locks = {}
        self.disturbed()

    def hang(self) -> None:
        """Answer nothing from now on."""
        self.hung = asyncio.Event()
        self.disturbed()

    def wake(self) -> None:
        """Answer again what is asked from now on, and what hangs."""
        if self.hung is not None:
            self.hung.set()
            self.hung = None
        self.disturbed(SETTLES_S + GIVES_WAY_S)

    def trim(self, part: float) -> None:
        """Keep only the last part of each topic's events."""
        kept = {t: some[int(len(some) * part) :] for t, some in self.view.events.items()}
        self.view = replace(self.view, events=kept)

    def restore(self) -> View:
        """Go back to some earlier instant, as another past; return what was true before."""
        before, past = self.view, self.chance.choice(self.backups)
        self._epochs += 1
        epoch = f"e{self._epochs}"
        clocks = {topic: Mark(epoch, mark.seq) for topic, mark in past.clocks.items()}
        self.view = replace(past, clocks=clocks)
        for topic, mark in clocks.items():
            self.was[topic, epoch, mark.seq] = past.states.get(topic, empty())
        self.backups = [self.view]
        self.crash()
        return before

    # ---- what everybody does

    def state_at(self, topic: str, epoch: str, seq: int) -> State | None:
        """Give what was true of a topic at a place of its log; None if that place never was."""
        return empty() if seq == 0 else self.was.get((topic, epoch, seq))

    async def ask(self, work: Callable[[], Any]) -> Any:
        """Carry one statement out at the server, a way there and a way back."""
        crashes = self.crashes
        await self._travel(crashes)
        if self.chance.random() < self.error_rate:
            raise failure("a statement failed")
        found = work()
        if self.chance.random() < 0.5:
            await self._travel(crashes)
        return found

    async def _travel(self, crashes: int) -> None:
        await asyncio.sleep(self.latency_s * self.chance.random())
        if self.hung is not None:
            await self._hang(self.hung)
        if self.is_down or crashes != self.crashes:
            raise failure("the server has gone away")

    async def _hang(self, hung: asyncio.Event) -> None:
        """Wait for a server that hangs; some never learn that it is back, and none gives way."""
        is_lost = self.chance.random() < 0.5
        try:
            await hung.wait()
            if is_lost:
                await asyncio.sleep(LEARNS_S)
                raise failure("no route")
        except asyncio.CancelledError:
            way = _sleep(GIVES_WAY_S) if is_lost else _either(hung, GIVES_WAY_S)
            await asyncio.wait({asyncio.create_task(way)})
            raise

    async def transact(self, items: Sequence[log.Item], at: datetime) -> dict[str, int]:
        """Append events in one transaction; return the last number of each topic."""
        crashes, work = self.crashes, Work()
        try:
            await self.ask(lambda: None)
            # In the order of their bytes, as `log` has it, so that nobody waits in a circle.
            for topic in sorted({item.topic for item in items}, key=str.encode):
                lock = self._locks.setdefault(topic, asyncio.Lock())
                await lock.acquire()
                work.locked.append(lock)
            await self.ask(lambda: self.append(items, at, work))
            # The later numbers of others may be committed first.
            await asyncio.sleep(self.chance.choice((0, 0, 0.02, 0.3)))
            await self.ask(lambda: self._commit(work, crashes))
        finally:
            for lock in work.locked:
                lock.release()
        return {event.topic: event.seq for event in work.events}

    def _commit(self, work: Work, crashes: int) -> None:
        if crashes != self.crashes:
            raise failure("rolled back")
        self.commit(work)

    def append(self, items: Sequence[log.Item], at: datetime, work: Work) -> None:
        """Give the events of a transaction their numbers; nobody sees them yet."""
        epoch = self.view.clocks[log.BIRTH].epoch
        seqs = {topic: mark.seq for topic, mark in self.view.clocks.items()}
        for item in items:
            topic = item.topic
            seq = seqs[topic] = seqs.get(topic, 0) + 1
            body = orjson.dumps(item.body).decode()
            work.events.append(Event(topic, epoch, seq, item.kind, at, body))
            self._sequence += 1
            work.numbers[topic, epoch, seq] = self._sequence

    def commit(self, work: Work) -> None:
        """Make a transaction true in one instant."""
        view = self.view
        clocks, events, states = dict(view.clocks), dict(view.events), dict(view.states)
        open_alerts = dict(view.unheard)
        for event in work.events:
            body = event.value()
            topic = event.topic
            clocks[topic] = Mark(event.epoch, event.seq)
            events[topic] = (*events.get(topic, ()), event) if self.keeps_events else ()
            states[topic] = fold(states.get(topic, empty()), body)
            self.was[topic, event.epoch, event.seq] = states[topic]
            _note_alert(open_alerts, event, body)
        self.numbers.update(work.numbers)
        self.view = View(clocks, events, states, open_alerts)
        self.commits += 1
        if self.commits % 5 == 0:
            self.backups.append(self.view)
        self.on_commit(work.events)

    def acknowledge(self, alert: str) -> None:
        """Store that a phone has an alert."""
        left = {name: asked for name, asked in self.view.unheard.items() if name != alert}
        self.view = replace(self.view, unheard=left)


def _note_alert(
    open_alerts: dict[str, tuple[UUID, datetime]], event: Event, body: Mapping[str, Any]
) -> None:
    kind, _, name = event.topic.partition(":")
    if kind == "person" and "alert" in body:
        open_alerts[body["alert"]["id"]] = (UUID(name), event.at)
    if "stand_down" in body:
        open_alerts.pop(body["stand_down"]["alert"], None)


def failure(why: str) -> OperationalError:
    """Write what SQLAlchemy raises where the server fails."""
    return OperationalError(why, None, Exception(why))


def wall(seconds: float) -> datetime:
    """Give the time of day at a second of the simulation."""
    return BEGAN + timedelta(seconds=seconds)


async def _sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


async def _either(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def _nothing(_: Sequence[Event]) -> None:
    pass
