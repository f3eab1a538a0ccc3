"""Where the program meets what is simulated: what asks PostgreSQL, the clock and chance itself.

Whole functions are replaced, by their names in their modules, never a part of what decides. A name
that is gone fails at once; SQL that nobody has put in place says so when it is executed.
"""

from __future__ import annotations

import itertools
import logging
import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dispatch import alerts, board
from realtime import again, connection, deadline, hub, log, protocol, stream, tailer
from realtime.protocol import Ack, Event, Mark
from tests.simulated.database import View, empty, wall
from tests.simulated.judge import Judge
from tests.simulated.loop import replaced
from web import dependencies, live, live_acks, live_poll, live_session, live_watch, rights

if TYPE_CHECKING:
    from tests.simulated.engine import Connection
    from tests.simulated.world import World


@contextmanager
def in_place(world: World) -> Iterator[None]:
    """Put the world in the place of what asks the real one, and give some bounds its size."""
    own = type("Connection", (_Connection,), {"numbers": itertools.count(), "judge": world.judge})
    with ExitStack() as places:
        for place in (
            *_reading(),
            *_people(world),
            replaced(live_session, Connection=own, _numbers=itertools.count()),
            replaced(live, Session=_Session),
            replaced(live_poll, Session=_Session),
            replaced(dependencies, clock=lambda: wall(world.loop.time())),
            replaced(log, hints=deadline.Breaker(log.PUBLISH_PAUSE_S)),
            replaced(hub, TURNS=2),
            replaced(live_watch, random=world.chance, TURNS=2),
            _bounds(world.chance),
            _heard(world.judge),
        ):
            places.enter_context(place)
        yield


# ---- the log, as `realtime.log` reads it from PostgreSQL


def _clock(view: View, topic: str) -> Mark:
    epoch = view.clocks[log.BIRTH].epoch
    known = view.clocks.get(topic)
    return Mark(epoch, 0 if known is None else known.seq)


async def _position_of(conn: Connection, topics: Iterable[str]) -> dict[str, Mark]:
    asked = sorted(topics)
    return await conn.read(lambda view: {topic: _clock(view, topic) for topic in asked})


async def _away_from(conn: Connection, marks: Mapping[str, Mark]) -> dict[str, Mark]:
    def look(view: View) -> dict[str, Mark]:
        clocks = {topic: _clock(view, topic) for topic in marks}
        return {topic: clock for topic, clock in clocks.items() if clock != marks[topic]}

    return await conn.read(look)


def _after(view: View, topic: str, mark: Mark, limit: int) -> list[Event]:
    some = view.events.get(topic, ())
    return [e for e in some if e.epoch == mark.epoch and e.seq > mark.seq][:limit]


async def _read_after_many(
    conn: Connection, marks: Mapping[str, Mark], *, limit: int
) -> list[Event]:
    def look(view: View) -> list[Event]:
        wanted = sorted(marks.items(), key=lambda pair: pair[0])
        return [event for topic, mark in wanted for event in _after(view, topic, mark, limit)]

    return await conn.read(look)


async def _latest(conn: Connection, topics: Sequence[str], kind: str) -> list[Event]:
    def look(view: View) -> list[Event]:
        epoch = view.clocks[log.BIRTH].epoch
        found = []
        for topic in topics:
            some = [e for e in view.events.get(topic, ()) if e.epoch == epoch and e.kind == kind]
            found += some[-1:]
        return found

    return await conn.read(look)


def _body(view: View, topic: str) -> dict[str, Any]:
    state = view.states.get(topic, empty())
    return {**state, "alert": bool(state["alerts"])}


async def _snapshots(conn: Connection, topics: Collection[str], **_: Any) -> dict[str, Any]:
    asked = sorted(topics)
    return await conn.read(lambda view: {topic: _body(view, topic) for topic in asked})


async def _list_unheard(conn: Connection, **_: Any) -> list[alerts.Unheard]:
    return await conn.read(
        lambda view: [alerts.Unheard(UUID(name), *asked) for name, asked in view.unheard.items()]
    )


def _reading() -> Iterator[Any]:
    yield replaced(
        log, position_of=_position_of, away_from=_away_from, read_after_many=_read_after_many
    )
    yield replaced(again, latest=_latest)
    yield replaced(board, snapshots=_snapshots)
    yield replaced(alerts, list_unheard=_list_unheard)


# ---- who people are, and what they confirm


async def _find_callers(conn: Connection, shown: Sequence[live_watch.Credential]) -> list[Any]:
    people = [SimpleNamespace(id=UUID(hex=one.secret)) for one in shown]
    return await conn.read(lambda _: people)


async def _find_caller(self: live_watch.Credential, conn: Connection) -> Any:
    return (await _find_callers(conn, [self]))[0]


async def _audible(conn: Connection, topics: Sequence[str], **_: Any) -> set[str]:
    return await conn.read(lambda _: set(topics))


async def _no_check(_self: object, _conn: object, _sessions: object) -> None:
    """Rights are no part of this world."""


def _people(world: World) -> Iterator[Any]:
    database = world.database

    async def answer(_database: object, _caller: object, ack: Ack) -> str:
        try:
            await database.ask(lambda: database.acknowledge(ack.alert))
        except live_session._DATABASE_FAILS:
            return protocol.error("unavailable", "Not stored.", alert=ack.alert)
        return protocol.ack_ok(ack)

    yield replaced(live_acks, answer=answer)
    yield replaced(rights, is_own=lambda who, topic: topic == f"person:{who.id}")
    yield replaced(live_watch, audible=_audible, find_callers=_find_callers)
    yield replaced(live_watch.Credential, find_caller=_find_caller)
    yield replaced(live_watch.Watch, _check_sessions=_no_check)


# ---- places in sets, bounds, the log of the process


class _Connection(connection.Connection):
    """A connection whose place in a set is no address, and whose queue is watched."""

    numbers = itertools.count()
    judge: Judge

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, queue_most=connection.QUEUE_MOST, **named)
        self.number = next(self.numbers)

    def __hash__(self) -> int:
        return self.number

    def push(self, frame: Any) -> None:
        """Look at the bound after each frame."""
        super().push(frame)
        if self.backlog > connection.QUEUE_MOST:
            self.judge.find(f"BOUND {self.backlog} frames wait")


class _Session(live_session.Session):
    """A session whose place in a set is no address."""

    def __hash__(self) -> int:
        return self.number


@contextmanager
def _bounds(chance: random.Random) -> Iterator[None]:
    """Make bounds so small, in some worlds, that what lies behind them is reached."""
    is_small = chance.random() < 0.5
    with ExitStack() as places:
        places.enter_context(replaced(protocol, IDLE_HEARTBEAT_S=chance.choice((5, 15, 30))))
        if is_small:
            queue, held = chance.choice((12, 32)), chance.choice((1, 4, 256))
            for place in (
                replaced(connection, QUEUE_MOST=queue),
                replaced(hub, QUEUE_MOST=queue),
                replaced(stream, HELD_MOST=held, REPLAY_MOST=chance.choice((3, 30))),
                replaced(tailer, READ_MOST=chance.choice((2, 20)), BURST_MOST=queue // 4),
            ):
                places.enter_context(place)
        yield


@contextmanager
def _heard(judge: Judge) -> Iterator[None]:
    """Let the judge read what the program logs."""
    handler = judge.log_handler()
    loggers = [logging.getLogger(name) for name in ("realtime", "web")]
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
            logger.propagate = True
