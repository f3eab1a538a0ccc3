"""Each mutant replaces one thing of the program by what looks right and is not.

M4 and M8 are faults of the client, so they are habits of the phones (`devices.Habits`). To put one
function in another's place is the whole purpose here, so the types of the places are not asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa
from starlette.background import BackgroundTask

from dispatch import db, events, mission, store, tables, timers
from realtime import protocol, stream, tailer
from realtime.connection import Load
from realtime.protocol import Event, Mark
from realtime.stream import Step
from web import app, dependencies, idempotency, live_watch


def commit_after_reply() -> None:
    """M1: the reply goes out first, then the commit, as after a plain dependency with yield."""

    async def once(request: Any, claim: Any, handler: Any) -> Any:
        now = dependencies.now_of(request)
        transaction = dependencies.database_of(request).transaction()
        conn = await transaction.__aenter__()
        stored = await idempotency._find(conn, claim, now=now)
        if stored is not None:
            await transaction.__aexit__(None, None, None)
            return stored
        request.state.transaction = conn
        try:
            response = await handler(request)
            await idempotency._store(conn, claim, response, now=now)
        except BaseException as error:
            await transaction.__aexit__(type(error), error, error.__traceback__)
            raise
        response.background = BackgroundTask(transaction.__aexit__, None, None, None)
        return response

    idempotency._once = once


async def _no_check(_self: Any, *_: Any) -> None:
    return None


def hints_only() -> None:
    """M2: Pub/Sub alone; nobody looks by the clock, and nobody checks that topics move."""

    async def next_look(self: Any) -> Mapping[str, int]:
        await self._hint.wait()
        found: Mapping[str, int] = self._take_hints()
        return found

    tailer.Tailer._next_look = next_look  # type: ignore[method-assign]
    live_watch.Watch._check_topics = _no_check  # type: ignore[method-assign,assignment]


_AFTER_LAST = sa.text("""
select topic, epoch, seq, kind, at, cast(body as text) from event
where at > :last and topic = any(cast(:topics as text[])) order by at, topic, seq limit 500
""")


def outbox_by_last() -> None:
    """M3: one mark for everything, taken when a transaction began: who commits late is skipped.

    A number per topic that is locked until the commit makes the fault impossible; so the nearest
    thing reads by the time of the event, which is given at the beginning of its transaction too.
    """

    async def look(self: Any, hinted: object) -> Sequence[Event]:
        topics = list(self._hub.cursors())
        async with self._engine.connect() as conn:
            if not hasattr(self, "last"):
                self.last = await conn.scalar(sa.text("select now()"))
            rows = await conn.execute(_AFTER_LAST, {"last": self.last, "topics": topics})
            found = [Event(*row) for row in rows]
        self.last = max([self.last, *(event.at for event in found)])
        return found

    tailer.Tailer._look = look  # type: ignore[method-assign]
    live_watch.Watch._check_topics = _no_check  # type: ignore[method-assign,assignment]


def send_in_turn() -> None:
    """M5: `for connection in connections: await connection.send(frame)`."""

    async def hand_on(self: Any, found: Sequence[Event]) -> None:
        for event in found:
            mark = self._hub.marks.get(event.topic)
            if mark is None or (mark.epoch == event.epoch and event.seq <= mark.seq):
                continue
            self._hub.marks[event.topic] = Mark(event.epoch, event.seq)
            for connection in list(self._hub._listeners.get(event.topic, ())):
                await _send_one(connection, event)

    async def _send_one(connection: Any, event: Event) -> None:
        held = connection.streams.get(event.topic)
        step = Step.NOTHING if held is None else held.offer(event)
        if step is Step.SEND:
            connection.stir()
            await connection._send(protocol.event(event))
        elif step is Step.LOAD:
            connection.push(Load((event.topic,)))

    tailer.Tailer._hand_on = hand_on  # type: ignore[method-assign,assignment]


def lease_without_fence() -> None:
    """M6: whoever saw the timer fires it, whether or not somebody else has by then."""

    async def claim(conn: Any, timer: timers.Timer) -> bool:
        await conn.execute(sa.delete(tables.timer).where(tables.timer.c.id == timer.id))
        return True

    timers.claim = claim


def asynchronous_commit() -> None:
    """M7: `synchronous_commit=off`."""
    db.SESSION_OPTIONS += " -c synchronous_commit=off"


def recovered_though_trimmed() -> None:
    """M9: says `recovered` though some of the events are not kept any more."""

    def is_whole(self: Any, found: Sequence[Event], clock: Mark) -> bool:
        whole: bool = self.may_replay(clock)
        return whole

    stream.Stream.is_whole = is_whole  # type: ignore[method-assign,assignment]


def exact_place() -> None:
    """M10: one event forgets to make the place coarse."""

    def place(patient: Any, responder: object) -> dict[str, Any]:
        return {"position": events.point(patient), "distance_m": None, "bearing": None}

    mission._coarse_place = place


def key_outside() -> None:
    """M11: the change commits first, the idempotency row after it."""

    async def once(request: Any, claim: Any, handler: Any) -> Any:
        database, now = dependencies.database_of(request), dependencies.now_of(request)
        async with database.transaction() as conn:
            stored = await idempotency._find(conn, claim, now=now)
            if stored is not None:
                return stored
            request.state.transaction = conn
            response = await handler(request)
        async with database.transaction() as conn:
            await idempotency._store(conn, claim, response, now=now)
        return response

    idempotency._once = once


def record_outside() -> None:
    """M12: the record of the decision is written after the commit of what was decided."""
    add_allocation, transaction = store.add_allocation, db.Database.transaction

    async def add_later(conn: Any, **values: Any) -> Any:
        conn.info.setdefault("later", []).append(values)
        return store.new_id()

    @asynccontextmanager
    async def two_steps(self: Any) -> AsyncIterator[Any]:
        async with transaction(self) as conn:
            conn.info.pop("later", None)
            yield conn
            later = conn.info.pop("later", [])
        for values in later:
            async with transaction(self) as conn:
                await add_allocation(conn, **values)

    store.add_allocation = add_later
    db.Database.transaction = two_steps  # type: ignore[method-assign]


def dies_without_database() -> None:
    """M13: a lifespan that asks the database first, and raises."""
    lifespan = app._lifespan

    @asynccontextmanager
    async def strict(served: Any) -> AsyncIterator[None]:
        engine = db.make_engine(served.state.settings.database_url)
        async with asyncio.timeout(5), engine.connect() as conn:
            await conn.execute(sa.text("select 1"))
        await engine.dispose()
        async with lifespan(served):
            yield

    app._lifespan = strict  # type: ignore[assignment]  # its argument has another name


def session_once() -> None:
    """M14: who somebody is is asked when they connect, and never again."""
    live_watch.Watch._check_sessions = _no_check  # type: ignore[method-assign,assignment]


MUTANTS: Mapping[str, Callable[[], None]] = {
    "M1": commit_after_reply,
    "M2": hints_only,
    "M3": outbox_by_last,
    "M5": send_in_turn,
    "M6": lease_without_fence,
    "M7": asynchronous_commit,
    "M9": recovered_though_trimmed,
    "M10": exact_place,
    "M11": key_outside,
    "M12": record_outside,
    "M13": dies_without_database,
    "M14": session_once,
}
