"""Bugs to be planted, one at a time: each looks right, and each must be found.

To put one function in another's place is the whole purpose, so types are not asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from realtime import connection, deadline, hub, log, stream, tailer
from realtime.protocol import Event, Mark
from realtime.stream import Place
from tests.simulated.database import View
from tests.simulated.loop import replaced
from web import live_poll, live_watch
from web.drill import live_marks

Plant = AbstractContextManager[None]


async def _no_repair(_self: Any, _conn: Any) -> None:
    """Do not load again what stands still: the watch would hide the bug after ten seconds."""


@contextmanager
def hints_only() -> Iterator[None]:
    """Nobody looks by the clock: a lost hint is an event that comes with the next one."""

    async def next_look(self: Any) -> Mapping[str, int]:
        await self._hint.wait()
        found: Mapping[str, int] = self._take_hints()
        return found

    with (
        replaced(tailer.Tailer, _next_look=next_look),
        replaced(live_watch.Watch, _check_topics=_no_repair),
    ):
        yield


@contextmanager
def largest_id() -> Iterator[None]:
    """One sequence for all events, and `id > last`: who commits late is skipped."""

    async def look(self: Any, _hinted: object) -> Sequence[Event]:
        async with self._engine.connect() as conn:
            numbers = conn._database.numbers
            last = getattr(self, "_last_id", None)
            found: list[tuple[int, Event]] = await conn.read(lambda view: _later(view, numbers))
        self._last_id = max((number for number, _ in found), default=last or 0)
        if last is None:
            return []
        new = sorted((pair for pair in found if pair[0] > last), key=lambda pair: pair[0])
        topics = self._hub.cursors()
        return [event for _, event in new if event.topic in topics]

    with (
        replaced(tailer.Tailer, _look=look),
        replaced(live_watch.Watch, _check_topics=_no_repair),
    ):
        yield


def _later(view: View, numbers: Mapping[tuple[str, str, int], int]) -> list[tuple[int, Event]]:
    events = [event for some in view.events.values() for event in some]
    return [(numbers[event.topic, event.epoch, event.seq], event) for event in events]


def sends_what_was_had() -> Plant:
    """The server does not compare numbers with what the client has."""
    place = stream.Stream._place

    def careless(self: Any, event: Event) -> Place:
        found = place(self, event)
        return Place.NEXT if found is Place.HAD else found

    return replaced(stream.Stream, _place=careless)


def applies_what_was_had() -> Plant:
    """The client does not compare numbers with what it has."""

    def careless(self: Any, frame: Mapping[str, Any]) -> live_marks.Verdict:
        if frame["topic"] not in self.cursors:
            return live_marks.Verdict.IGNORE
        self.cursors[frame["topic"]] = (frame["epoch"], int(frame["seq"]))
        return live_marks.Verdict.APPLY

    return replaced(live_marks.Marks, judge=careless)


@contextmanager
def epoch_ignored() -> Iterator[None]:
    """Numbers are compared, whatever past they are of."""

    def may_replay(self: Any, clock: Mark) -> bool:
        return self.cursor is not None and 0 <= clock.seq - self.cursor.seq <= stream.REPLAY_MOST

    def place(self: Any, event: Event) -> Place:
        if self.cursor is None:
            return Place.BEYOND
        if event.seq <= self.cursor.seq:
            return Place.HAD
        return Place.NEXT if event.seq == self.cursor.seq + 1 else Place.BEYOND

    with replaced(stream.Stream, may_replay=may_replay, _place=place):
        yield


def recovered_though_trimmed() -> Plant:
    """`recovered: true`, though some of the events are not kept any more."""

    def is_whole(self: Any, _events: Sequence[Event], clock: Mark) -> bool:
        return bool(self.may_replay(clock))

    return replaced(stream.Stream, is_whole=is_whole)


@contextmanager
def trimmed_unnoticed() -> Iterator[None]:
    """The tailer hands on what it finds; who lost events that are not kept waits for ever."""

    async def catch_up(self: Any, conn: Any, marks: Mapping[str, Mark]) -> Sequence[Event]:
        clocks = await log.away_from(conn, marks)
        behind = {topic: marks[topic] for topic in clocks}
        for topic in [topic for topic in behind if behind[topic].epoch != clocks[topic].epoch]:
            self._hub.turn(topic, clocks[topic])
            del behind[topic]
        return await log.read_after_many(conn, behind, limit=tailer.READ_MOST) if behind else []

    with (
        replaced(tailer.Tailer, _catch_up=catch_up),
        replaced(live_watch.Watch, _check_topics=_no_repair),
    ):
        yield


def _signal(self: Any) -> asyncio.Event:
    found: asyncio.Event = self.__dict__.setdefault("signal", asyncio.Event())
    return found


@contextmanager
def wake_up_lost() -> Iterator[None]:
    """Something is awaited between the last look at the queue and the clearing of its signal."""

    def push(self: Any, frame: Any) -> None:
        if len(self._queue) >= self._queue_most:
            self.close(connection.Close.TOO_SLOW)
        elif self.closing is None:
            self._queue.append(frame)
            _signal(self).set()

    def close(self: Any, code: connection.Close) -> None:
        self.closing = self.closing or code
        _signal(self).set()

    async def write(self: Any) -> Any:
        try:
            while self.closing is None:
                await _signal(self).wait()
                await self._drain()
                await asyncio.sleep(0.005)
                _signal(self).clear()
        except TimeoutError:
            self.close(connection.Close.TOO_SLOW)
        return await self._say_farewell()

    with replaced(connection.Connection, push=push, close=close, write=write):
        yield


def waits_for_the_slowest() -> Plant:
    """`for connection in connections: await connection.send(frame)`."""

    async def hand_on(self: Any, found: Sequence[Event]) -> None:
        self._hub.publish(found)
        for each in list(self._hub.connections):
            while each.backlog and each.closing is None:  # noqa: ASYNC110  # as the bug has it
                await asyncio.sleep(0.05)

    return replaced(tailer.Tailer, _hand_on=hand_on)


def waits_for_ever() -> Plant:
    """A look has no deadline: the statement that a dead server took with it is waited for."""

    async def within(_seconds: float, work: Any) -> Any:
        return await work

    return replaced(deadline, within=within)


def queue_without_bound() -> Plant:
    """Whoever does not read has everything kept for them, and is never closed."""

    push = connection.Connection.push

    def endless(self: Any, frame: Any) -> None:
        self._queue_most = len(self._queue) + 1
        push(self, frame)

    return replaced(connection.Connection, push=endless)


def repeats_unmarked() -> Plant:
    """An alert is sent again like any other event."""

    def repeat(self: Any, event: Event) -> None:
        frame = hub.protocol.event(event)
        for each in self.listeners(event.topic):
            each.repeat(event, frame)

    return replaced(hub.Hub, repeat=repeat)


def poll_forgotten() -> Plant:
    """A poll that is given up leaves behind what it waited for. (It did; a seed found it.)"""

    async def first(wanted: Any, *ends: asyncio.Task[Any], within_s: float) -> bool:
        task = asyncio.ensure_future(wanted)
        await asyncio.wait({task, *ends}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        has_come = task.done()
        task.cancel()
        return has_come

    return replaced(live_poll, _first=first)


MUTANTS: Mapping[str, Callable[[], Plant]] = {
    "hints_only": hints_only,
    "largest_id": largest_id,
    "sends_what_was_had": sends_what_was_had,
    "applies_what_was_had": applies_what_was_had,
    "epoch_ignored": epoch_ignored,
    "recovered_though_trimmed": recovered_though_trimmed,
    "trimmed_unnoticed": trimmed_unnoticed,
    "wake_up_lost": wake_up_lost,
    "waits_for_the_slowest": waits_for_the_slowest,
    "waits_for_ever": waits_for_ever,
    "queue_without_bound": queue_without_bound,
    "repeats_unmarked": repeats_unmarked,
    "poll_forgotten": poll_forgotten,
}


def planted(name: str | None) -> Plant:
    """Run with a bug, or without."""
    return nullcontext() if name is None else MUTANTS[name]()
