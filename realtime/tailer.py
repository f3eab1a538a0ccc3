"""One task per process that follows the log: a hint or a tick, then look, then the hub.

A hint from Redis says which topic moved; it saves waiting for the tick and may be lost. So Redis
may die, hang, restart or be emptied, and events are late by one tick at most.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import NoReturn

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from realtime import deadline, log, presence
from realtime.hint_link import HintLinks
from realtime.hub import Hub
from realtime.protocol import Event, Mark

_logger = logging.getLogger(__name__)

#: Without a hint the log is looked at this often; more often while hints are known not to come.
TICK_S = 1.0
DEAF_TICK_S = 0.25

#: A look that takes longer is left behind and another is made.
LOOK_WITHIN_S = 3.0

#: Events read of one topic in one look; more are read in the next, at once.
READ_MOST = 500

#: After a pause of the database there is much to hand on at once. More than this is given out in
#: bursts, with a short wait between them while somebody's queue is half full; so only those who
#: do not read overflow.
BURST_MOST = 64
DRAIN_WITHIN_S = 0.25
DRAIN_LOOK_S = 0.01

#: Wait after a failed look.
PAUSE_S = 0.5


class Tailer:
    """Follows the topics that this process's connections hear."""

    def __init__(
        self, engine: AsyncEngine, redis: Redis | None, hub: Hub, *, name: str | None = None
    ) -> None:
        """Take a `name` of this process, so that it knows its own probes."""
        # Reads only, one statement each: no BEGIN and ROLLBACK around them.
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._hub = hub
        self._hinted: dict[str, int] = {}
        self._hint = asyncio.Event()
        self._full_look_at = 0.0
        #: The links over which hints come, if there is a Redis.
        self.link: HintLinks | None = None
        if redis is not None:
            channels = (presence.POSITIONS_CHANNEL,)
            name = name or secrets.token_hex(8)
            self.link = HintLinks(redis, channels, self._take, name=name)
            self.link.tell_returns(self._hear_again)
        # For the metrics and the watch.
        self.looks = 0
        self.failures = 0
        self.hints = 0
        self.look_began_at = 0.0
        self.looked_at = 0.0

    @property
    def is_hearing(self) -> bool:
        """Say whether hints come; ticks are shorter while they do not."""
        return self.link is not None and self.link.is_hearing

    async def run(self) -> None:
        """Follow the log until cancelled; no failure of database or Redis ends it."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(), name="log tailer")
            if self.link is not None:
                tasks.create_task(self.link.run(), name="log hints")

    # ---- the log

    async def _follow(self) -> NoReturn:
        while True:
            hinted = await self._next_look()
            try:
                is_behind = True
                while is_behind:
                    self.look_began_at = _time()
                    events = await deadline.within(LOOK_WITHIN_S, self._look(hinted))
                    self.looked_at = _time()
                    await self._hand_on(events)
                    is_behind = len(events) >= READ_MOST
            except Exception as error:  # noqa: BLE001  # one of the three loops that outlive anything
                self.failures += 1
                _logger.warning("log tailer failed: %s", type(error).__name__)
                await asyncio.sleep(PAUSE_S)
                self._full_look_at = 0.0
            else:
                self.looks += 1

    async def _next_look(self) -> Mapping[str, int] | None:
        """Wait until there is reason to look; return the hinted topics, or None for all.

        A stream of hints does not put off the look at everything: one among them may be lost.
        """
        try:
            async with asyncio.timeout_at(self._full_look_at):
                await self._hint.wait()
        except TimeoutError:
            self._full_look_at = _time() + (TICK_S if self.is_hearing else DEAF_TICK_S)
            self._take_hints()
            return None
        return self._take_hints()

    def _take_hints(self) -> Mapping[str, int]:
        hinted, self._hinted = self._hinted, {}
        self._hint.clear()
        return hinted

    async def _look(self, hinted: Mapping[str, int] | None) -> Sequence[Event]:
        """Read what is new in the hinted topics, or in all."""
        marks = self._hub.cursors()
        if hinted is not None:
            marks = {
                topic: marks[topic]
                for topic, seq in hinted.items()
                if topic in marks and seq > marks[topic].seq
            }
        if not marks:
            return []
        async with self._engine.connect() as conn:
            if hinted is None:
                return await self._catch_up(conn, marks)
            return await log.read_after_many(conn, marks, limit=READ_MOST)

    async def _catch_up(self, conn: AsyncConnection, marks: Mapping[str, Mark]) -> Sequence[Event]:
        clocks = await log.away_from(conn, marks)
        behind = {}
        for topic, clock in clocks.items():
            mark = marks[topic]
            if clock.epoch != mark.epoch or clock.seq < mark.seq:
                self._hub.turn(topic, clock)
            else:
                behind[topic] = mark
        if not behind:
            return []
        events = await log.read_after_many(conn, behind, limit=READ_MOST)
        told = {event.topic for event in events}
        for topic in [topic for topic in behind if topic not in told]:
            self._hub.turn(topic, clocks[topic])  # no longer kept
        return events

    async def _hand_on(self, events: Sequence[Event]) -> None:
        """Give the events to the hub, in bursts that a client who reads can take."""
        for start in range(0, len(events), BURST_MOST):
            self._hub.publish(events[start : start + BURST_MOST])
            if start + BURST_MOST < len(events):
                await self._let_drain()

    async def _let_drain(self) -> None:
        for _ in range(int(DRAIN_WITHIN_S / DRAIN_LOOK_S)):
            if not self._hub.is_backed_up:
                return
            await asyncio.sleep(DRAIN_LOOK_S)

    # ---- the hints

    def _hear_again(self) -> None:
        # Whatever was said before this may have been missed.
        self._full_look_at = 0.0
        self._hint.set()

    def _take(self, channel: str, data: str) -> None:
        if channel == log.MOVED_CHANNEL:
            self.hints += 1
            self._hinted.update(log.read_hint(data))
            self._hint.set()
        elif channel == presence.POSITIONS_CHANNEL:
            for sighting in presence.read_sightings(data):
                self._hub.move(sighting.topics, sighting.person_id, sighting.item)


def _time() -> float:
    return asyncio.get_running_loop().time()
