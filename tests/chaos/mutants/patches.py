"""Each mutant replaces one thing of the program by what looks right and is not.

M4 and M8 are faults of the client, so they are habits of the phones (`devices.Habits`). A patch
wraps what it can, so that it outlives changes inside; every place is asked for by name, and every
patch says when it was run. To put one function in another's place is the whole purpose here, so the
types of the places are not asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import sqlalchemy as sa
from starlette.background import BackgroundTask

from dispatch import db, events, mission, store, tables, timers
from realtime import protocol, stream, tailer
from realtime.connection import Load
from realtime.protocol import Event, Mark
from realtime.stream import Step
from tests.chaos.mutants.proof import put, ran
from web import app, dependencies, idempotency, live_watch

#: What a request puts off until its handler is done.
_later: ContextVar[list[Any] | None] = ContextVar("later", default=None)


def commit_after_reply() -> None:
    """M1: the reply goes out first, then the commit, as after a plain dependency with yield."""
    once, transaction = idempotency._once, db.Database.transaction

    @asynccontextmanager
    async def left_open(self: Any) -> AsyncIterator[Any]:
        put_off = _later.get()
        held = transaction(self)
        conn = await held.__aenter__()
        try:
            yield conn
        except BaseException as error:
            await held.__aexit__(type(error), error, error.__traceback__)
            raise
        if put_off is None:
            await held.__aexit__(None, None, None)
        else:
            put_off.append(held)

    async def reply_first(request: Any, *rest: Any) -> Any:
        held: list[Any] = []
        _later.set(held)
        response = await once(request, *rest)
        _later.set(None)
        response.background = BackgroundTask(_commit, held)
        return response

    async def _commit(held: Sequence[Any]) -> None:
        for each in held:
            await each.__aexit__(None, None, None)
            ran("M1")

    put(db.Database, "transaction", left_open)
    put(idempotency, "_once", reply_first)


def hints_only() -> None:
    """M2: Pub/Sub alone; nobody looks by the clock, and nobody checks that topics move."""

    async def next_look(self: Any) -> Mapping[str, int]:
        await self._hint.wait()
        found: Mapping[str, int] = self._take_hints()
        ran("M2")
        return found

    put(tailer.Tailer, "_next_look", next_look)
    put(live_watch.Watch, "_check_topics", _no_check)


async def _no_check(_self: Any, *_: Any) -> None:
    return None


_AFTER_LAST = sa.text("""
select topic, epoch, seq, kind, at, cast(body as text) from event
where at > :last and topic = any(cast(:topics as text[])) order by at, topic, seq limit 500
""")


def outbox_by_last() -> None:
    """M3: one mark for everything, taken when a transaction began: who commits late is skipped.

    A number per topic that is locked until the commit makes the fault impossible; so the nearest
    thing reads by the time of the event, which is given at the beginning of its transaction too.
    """

    async def look(self: Any, *_: object) -> Sequence[Event]:
        topics = list(self._hub.cursors())
        async with self._engine.connect() as conn:
            if not hasattr(self, "last"):
                self.last = await conn.scalar(sa.text("select now()"))
            rows = await conn.execute(_AFTER_LAST, {"last": self.last, "topics": topics})
            found = [Event(*row) for row in rows]
        self.last = max([self.last, *(event.at for event in found)])
        if found:
            ran("M3")
        return found

    put(tailer.Tailer, "_look", look)
    put(live_watch.Watch, "_check_topics", _no_check)


def send_in_turn() -> None:
    """M5: `for connection in connections: await connection.send(frame)`."""

    async def hand_on(self: Any, found: Sequence[Event]) -> None:
        for event in found:
            mark = self._hub.marks.get(event.topic)
            if mark is None or (mark.epoch == event.epoch and event.seq <= mark.seq):
                continue
            self._hub.marks[event.topic] = Mark(event.epoch, event.seq)
            for connection in list(self._hub.listeners(event.topic)):
                await _send_one(connection, event)

    async def _send_one(connection: Any, event: Event) -> None:
        held = connection.streams.get(event.topic)
        step = Step.NOTHING if held is None else held.offer(event)
        if step is Step.SEND:
            connection.stir()
            await connection._send(protocol.event(event))
            ran("M5")
        elif step is Step.LOAD:
            connection.push(Load((event.topic,)))

    put(tailer.Tailer, "_hand_on", hand_on)


def lease_without_fence() -> None:
    """M6: whoever saw the timer fires it, whether or not somebody else has by then."""

    async def claim(conn: Any, timer: timers.Timer) -> bool:
        await conn.execute(sa.delete(tables.timer).where(tables.timer.c.id == timer.id))
        ran("M6")
        return True

    put(timers, "claim", claim)


def asynchronous_commit() -> None:
    """M7: `synchronous_commit=off`."""
    make_engine = db.make_engine
    put(db, "SESSION_OPTIONS", db.SESSION_OPTIONS + " -c synchronous_commit=off")

    def observed(*args: Any, **more: Any) -> Any:
        engine = make_engine(*args, **more)
        sa.event.listen(engine.sync_engine, "connect", _look_whether_off)
        return engine

    def _look_whether_off(driver: Any, _record: object) -> None:
        with driver.cursor() as cursor:
            cursor.execute("show synchronous_commit")
            if cursor.fetchone()[0] == "off":
                ran("M7")
        driver.rollback()

    put(db, "make_engine", observed)


def recovered_though_trimmed() -> None:
    """M9: says `recovered` though some of the events are not kept any more."""

    def is_whole(self: Any, found: Sequence[Event], clock: Mark) -> bool:
        whole: bool = self.may_replay(clock)
        if whole and not sound(self, found, clock):
            ran("M9")
        return whole

    sound = put(stream.Stream, "is_whole", is_whole)


def exact_place() -> None:
    """M10: one event forgets to make the place coarse."""

    def place(patient: Any, _responder: object) -> dict[str, Any]:
        ran("M10")
        return {"position": events.point(patient), "distance_m": None, "bearing": None}

    put(mission, "_coarse_place", place)


def key_outside() -> None:
    """M11: the change commits first, the idempotency row after it."""
    once, store_answer = idempotency._once, idempotency._store

    async def put_off(*args: Any, **more: Any) -> None:
        found = _later.get()
        if found is not None:
            found.append((args[1:], more))

    async def two_steps(request: Any, *rest: Any) -> Any:
        answers: list[Any] = []
        _later.set(answers)
        response = await once(request, *rest)
        _later.set(None)
        for args, more in answers:
            async with dependencies.database_of(request).transaction() as conn:
                await store_answer(conn, *args, **more)
            ran("M11")
        return response

    put(idempotency, "_store", put_off)
    put(idempotency, "_once", two_steps)


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
            ran("M12")

    put(store, "add_allocation", add_later)
    put(db.Database, "transaction", two_steps)


def dies_without_database() -> None:
    """M13: a lifespan that asks the database first, and raises."""
    lifespan = app._lifespan

    @asynccontextmanager
    async def strict(served: Any) -> AsyncIterator[None]:
        ran("M13")
        engine = db.make_engine(served.state.settings.database_url)
        async with asyncio.timeout(5), engine.connect() as conn:
            await conn.execute(sa.text("select 1"))
        await engine.dispose()
        async with lifespan(served):
            yield

    put(app, "_lifespan", strict)


def session_once() -> None:
    """M14: who somebody is is asked when they connect, and never again."""

    async def no_check(_self: Any, *_: Any) -> None:
        ran("M14")

    put(live_watch.Watch, "_check_sessions", no_check)


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
