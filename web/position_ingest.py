"""All positions that reach this process: only the latest of each person, passed on in batches.

`take` never waits. One task shows what came, five times a second, in one call to Redis; one looks
up what decides about the people, one stores what is due, each in one statement for all. While Redis
or PostgreSQL is away the latest of each person waits. Memory is bounded by the responders.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Annotated, NoReturn, TypeVar
from uuid import UUID

from fastapi import Depends
from redis.asyncio import Redis
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.background import BackgroundTask
from starlette.requests import Request

from dispatch import assignments, db, gates, store, whereabouts
from realtime import deadline, presence, protocol
from web import dependencies, position_people
from web.plain_depends import at_once
from web.position_people import Complain, Person, say_nothing

_logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Positions are searchable and on the consoles after this time at most.
SHOW_EVERY_S = 0.2
#: Those that are due are stored at this pace, so many in one statement.
STORE_EVERY_S = 0.2
STORE_MOST = 200
#: Whether somebody is followed and on a mission is asked again when it is so old.
ASK_EVERY_S = 3.7
#: People asked about in one statement, and the least time between two.
ASK_MOST = 200
ASK_PAUSE_S = 0.05
#: Somebody who has said nothing for so long is forgotten here.
IDLE_S = 600.0
TIDY_EVERY_S = 60.0
#: The loop is lent to others after so many people judged or shown, a millisecond each.
BREATHE_AFTER = 50
SHOW_MOST = 100
#: A database that does not answer is left alone for twice as long after each failure.
WITHIN_S = 3.0
PAUSE_S = 0.5
PAUSE_MOST_S = 5.0
#: How long a stopping process waits for what it still has to tell.
STOP_WITHIN_S = 2.0


class Ingest:
    """This process's positions on their way to Redis and PostgreSQL."""

    def __init__(
        self,
        database: db.Database,
        redis: Redis,
        *,
        redis_pause_s: float = presence.PAUSE_S,
        database_pause_s: float = PAUSE_S,
    ) -> None:
        self.counts = position_people.Counts()
        self._redis_pause_s = redis_pause_s
        self._database_pause_s = database_pause_s
        self._database = database
        self._redis = redis
        self._people: dict[UUID, Person] = {}
        # By the person: the hash of an id takes longer than all else that a report does.
        self._heard: set[Person] = set()
        self._unshown: dict[Person, store.Fix] = {}
        self._unstored: dict[Person, store.Fix] = {}
        self._unknown: dict[Person, None] = {}
        self._tidied_at = self._shown_again_at = 0.0
        self._to_show, self._to_ask, self._to_store = (asyncio.Event() for _ in range(3))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Pass positions on while the app runs; at its end whatever is left."""
        async with asyncio.TaskGroup() as tasks:
            own = [
                tasks.create_task(self._show_all(), name="positions shown"),
                tasks.create_task(self._ask_all(), name="positions asked"),
                tasks.create_task(self._store_all(), name="positions stored"),
            ]
            try:
                yield
            finally:
                for task in own:
                    task.cancel()
                with suppress(TimeoutError, SQLAlchemyError, OSError):
                    await deadline.within(STOP_WITHIN_S, self._finish())

    def person(self, person_id: UUID) -> Person:
        """Give what is known of somebody, to be kept for `hear` until it `is_gone`."""
        person = self._people.get(person_id)
        if person is None:
            person = self._people[person_id] = Person(person_id, str(person_id))
        return person

    def take(
        self, person_id: UUID, said: protocol.Position, complain: Complain = say_nothing
    ) -> None:
        """Note a report; the one before it is forgotten if nobody has looked at it yet."""
        self.hear(self.person(person_id), said, complain, _time())

    def hear(
        self, person: Person, said: protocol.Position | str, complain: Complain, at: float
    ) -> None:
        """Note a report as `take` does, heard `at` by the loop's clock; text is read if judged."""
        person.said, person.complain, person.said_at = said, complain, at
        self._heard.add(person)
        self.counts.taken += 1
        self._to_show.set()

    def drop(self, person_id: UUID) -> None:
        """Forget somebody at once: who goes off duty is not shown a moment later."""
        person = self._people.pop(person_id, None)
        if person is not None:
            person.is_gone, person.said = True, None
            self._heard.discard(person)
            for waiting in (self._unshown, self._unstored, self._unknown):
                waiting.pop(person, None)

    def after_duty(self, person_id: UUID) -> BackgroundTask:
        """Give the task that makes a change of duty true here and in Redis, once committed."""
        self.drop(person_id)
        return BackgroundTask(self._renew, person_id)

    async def _renew(self, person_id: UUID) -> None:
        self.drop(person_id)
        now = dependencies.clock()

        async def read(conn: AsyncConnection) -> dict[UUID, whereabouts.Standing]:
            return await whereabouts.standings(conn, [person_id], now=now)

        with suppress(SQLAlchemyError, OSError):  # the next report, or the sweep, will see to it
            standing = (await self._within(read)).get(person_id)
            if standing is None or not standing.is_followed:
                await presence.forget(self._redis, [str(person_id)], now=now)

    async def _finish(self) -> None:
        """Judge, show and store what is left, whether or not it is due."""
        await self._judge_all()
        await self._ask()
        await self._judge_all()
        self._shown_again_at = 0.0
        for person in self._people.values():
            if person.track is not None and person.track.last is not person.stored:
                self._unstored[person] = person.track.last
        await self._show()
        while self._unstored:
            await self._store()

    # ---- to Redis

    async def _show_all(self) -> NoReturn:
        while True:
            await self._to_show.wait()
            await asyncio.sleep(SHOW_EVERY_S)
            self._to_show.clear()
            await self._judge_all()
            await self._show()
            if self._unshown:
                self._to_show.set()

    async def _judge_all(self) -> None:
        now, time = dependencies.clock(), _time()
        for number in range(1, len(self._heard) + 1):
            if not self._heard:
                return  # somebody was dropped meanwhile
            person = self._heard.pop()
            try:
                self._judge(person, now, time)
            except (ValueError, ArithmeticError):  # one strange report must not stop the others
                self.counts.failures += 1
                person.said = None
                _logger.exception("a position could not be judged")
            if number % BREATHE_AFTER == 0:
                await asyncio.sleep(0)
                now, time = dependencies.clock(), _time()

    async def _show(self) -> None:
        """Show all that wait, some at a time: Redis fails for all of them or for none."""
        for _ in range(0, len(self._unshown), SHOW_MOST):
            if not self._unshown or _time() < self._shown_again_at:
                return
            await self._show_some()

    async def _show_some(self) -> None:
        some = list(islice(self._unshown, SHOW_MOST))
        batch = {person: self._unshown.pop(person) for person in some}
        now = dependencies.clock()
        is_shown = False
        try:
            is_shown = await presence.put_many(
                self._redis,
                [position_people.place(person.name, fix) for person, fix in batch.items()],
                topics=position_people.topics(batch),
                still=position_people.still(batch, presence.span(now)),
                now=now,
            )
        finally:
            if not is_shown:  # it waits, but for who was dropped and who has moved on
                left = {person: fix for person, fix in batch.items() if not person.is_gone}
                self._unshown = left | self._unshown
                self._shown_again_at = _time() + self._redis_pause_s
                for person in batch:
                    person.searched = None
        self.counts.shown += len(batch) if is_shown else 0

    # ---- the gates

    def _judge(self, person: Person, now: datetime, time: float) -> None:
        """Take what a person said last for true, or refuse it, or ask the database first."""
        said = position_people.read(person)
        if said is None:
            return
        fix, refusal = position_people.weigh(person, said, now)
        if refusal in position_people.BY_STANDING and person.asked_at < person.said_at:
            self._inquire(person)  # on duty or in an exercise by now, perhaps
            return
        if person.asked_at < time - ASK_EVERY_S:
            self._inquire(person)
        if refusal is not None:
            self._refuse(person, refusal)
        person.said, person.complain = None, say_nothing
        if refusal is None and fix is not None:
            self._believe(person, fix)

    def _believe(self, person: Person, fix: store.Fix) -> None:
        track = person.track
        person.track = gates.start(fix) if track is None else gates.follow(track, fix)
        person.shown = self._unshown[person] = fix
        if whereabouts.is_due(person.stored, fix):
            self._unstored[person] = fix
            self._to_store.set()

    def _refuse(self, person: Person, code: str) -> None:
        self.counts.refused += 1
        person.complain(code, position_people.DETAILS[code])

    def _inquire(self, person: Person) -> None:
        self._unknown[person] = None
        self._to_ask.set()

    # ---- what the database knows of people

    async def _ask_all(self) -> NoReturn:
        while True:
            await self._to_ask.wait()
            self._to_ask.clear()
            await self._patiently(self._ask)
            await asyncio.sleep(ASK_PAUSE_S)

    async def _ask(self) -> None:
        """Look up who is followed, and judge again what waited for it."""
        batch = list(islice(self._unknown, ASK_MOST))
        if not batch:
            return
        asked_at, now = _time(), dependencies.clock()

        async def read(conn: AsyncConnection) -> dict[UUID, whereabouts.Standing]:
            return await whereabouts.standings(conn, [person.id for person in batch], now=now)

        found = await self._within(read)
        for person in batch:
            self._unknown.pop(person, None)
            self._learn(person, found.get(person.id), asked_at)
        if self._unknown:
            self._to_ask.set()
        await self._forget_gone(batch)
        self._forget_idle(asked_at)

    def _learn(
        self, person: Person, standing: whereabouts.Standing | None, asked_at: float
    ) -> None:
        person.asked_at = asked_at
        if standing is None:
            person.standing = None
            if person.said is not None:
                self._refuse(person, position_people.NOT_FOUND)
            person.said, person.complain = None, say_nothing
            return
        person.standing = standing
        if standing.stored is not None:
            known = person.track
            if known is None or known.last.at < standing.stored.at:
                person.track = gates.start(standing.stored)
            person.stored = standing.stored
        elif person.stored is not None:
            person.stored = person.track = None  # it was forgotten meanwhile
        if person.said is not None:
            self._heard.add(person)
            self._to_show.set()

    async def _forget_gone(self, batch: Sequence[Person]) -> None:
        """Take back what was shown of people who have gone off duty since."""
        gone = [
            person
            for person in batch
            if person.shown is not None
            and person.standing is not None
            and not person.standing.is_followed
        ]
        if not gone:
            return

        async def forget(conn: AsyncConnection) -> None:
            for person in gone:
                await whereabouts.forget(conn, person.id)

        for person in gone:
            self._unshown.pop(person, None)
            self._unstored.pop(person, None)
        await presence.forget(
            self._redis, [person.name for person in gone], now=dependencies.clock()
        )
        await self._within(forget)
        for person in gone:
            person.shown = person.track = person.stored = person.searched = None

    def _forget_idle(self, now: float) -> None:
        if now < self._tidied_at + TIDY_EVERY_S:
            return
        self._tidied_at = now
        idle = [person for person in self._people.values() if person.said_at < now - IDLE_S]
        for person in idle:
            if person not in self._unstored:
                self.drop(person.id)

    # ---- to PostgreSQL

    async def _store_all(self) -> NoReturn:
        while True:
            await self._to_store.wait()
            self._to_store.clear()
            await self._patiently(self._store)
            if self._unstored:
                self._to_store.set()
            await asyncio.sleep(STORE_EVERY_S)

    async def _store(self) -> None:
        batch = dict(islice(self._unstored.items(), STORE_MOST))
        now = dependencies.clock()

        async def write(conn: AsyncConnection) -> list[UUID]:
            return await whereabouts.store_many(conn, {p.id: f for p, f in batch.items()}, now=now)

        jumped = await self._within(write)
        self.counts.stored += len(batch)
        for person, fix in batch.items():
            if self._unstored.get(person) is fix:
                del self._unstored[person]
            if not person.is_gone:
                person.stored = fix
        for one in jumped:
            await self._within(partial(assignments.note_jump, assignment_id=one, now=now))

    async def _within(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async def run() -> T:
            async with self._database.transaction() as conn:
                return await work(conn)

        return await deadline.within(WITHIN_S, run())

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        """Try until it succeeds, at a slackening pace."""
        pause_s = self._database_pause_s
        while True:
            try:
                return await work()
            except (SQLAlchemyError, OSError) as error:  # TimeoutError is an OSError
                self.counts.failures += 1
                _logger.warning("positions wait: %s", type(error).__name__)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_MOST_S)


def of(request: Request) -> Ingest:
    """Give this process's positions."""
    return request.app.state.live.positions  # type: ignore[no-any-return]  # Starlette's state is untyped


Positions = Annotated[Ingest, Depends(at_once(of))]


def _time() -> float:
    return asyncio.get_running_loop().time()
