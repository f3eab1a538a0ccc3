"""The process that fires due timers; any number of them may run, each timer fires once.

It outlives every failure of PostgreSQL and Redis: it looks again. Redis only says that it is worth
looking at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime
from typing import NoReturn
from uuid import UUID

import redis.asyncio
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from dispatch import db, firing, planning, timers, whereabouts
from dispatch.settings import Settings
from geo import walking, walking_files
from realtime import deadline, log, presence

_log = structlog.get_logger(__name__)

#: Timers that one runner fires at the same time; each holds up to two connections.
AT_ONCE = 4
#: Without a hint the timers are looked at this often.
TICK_S = 1.0
#: A look, and a firing, that take longer are given up; the timer is tried again.
LOOK_WITHIN_S = 3.0
FIRE_WITHIN_S = 15.0
#: A timer that somebody else holds is left alone for so long, and so is a database that fails.
PAUSE_S = 0.2
#: The folder of the streets is looked at this often, since an import replaces it.
STREETS_EVERY_S = 5.0
#: Positions that are too old, or whose owners went off duty, are forgotten this often.
FORGET_EVERY_S = 60.0
#: A look asks for more timers than can be fired, as some may be held by others.
LOOK_MOST = 32


def _now() -> datetime:
    return datetime.now(UTC)


async def run(
    settings: Settings,
    *,
    stop: asyncio.Event,
    lanes: Collection[timers.Lane] = tuple(timers.Lane),
) -> None:
    """Fire due timers until `stop` is set; then let what has begun come to its end."""
    engine = db.make_engine(settings.database_url, pool_size=2 * AT_ONCE + 2)
    hints = _redis(settings.redis_url)
    try:
        await _Runner(settings, db.Database(engine, hints), hints, lanes).run(stop)
    finally:
        await hints.aclose()
        await engine.dispose()


def _redis(url: str) -> redis.asyncio.Redis:
    # The defaults wait for seconds and reconnect in silence (reliability findings 2 and 8).
    return redis.asyncio.Redis.from_url(
        url, socket_timeout=2.0, socket_connect_timeout=1.0, retry=Retry(NoBackoff(), 0)
    )


class _Runner:
    def __init__(
        self,
        settings: Settings,
        database: db.Database,
        hints: redis.asyncio.Redis,
        lanes: Collection[timers.Lane],
    ) -> None:
        self._settings = settings
        self._database = database
        self._hints = hints
        self._lanes = lanes
        self._network = walking.WalkingNetwork([], speed_mps=settings.walk_speed_mps)
        self._means = firing.Means(
            database, planning.policy_of(settings), lambda: self._network, _now
        )
        self._firing: dict[UUID, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        await self._load_streets()
        others = [
            asyncio.create_task(self._listen(), name="hints"),
            asyncio.create_task(self._watch_streets(), name="streets"),
            asyncio.create_task(self._fire_all(), name="timers"),
            asyncio.create_task(self._forget_positions(), name="positions"),
        ]
        try:
            await stop.wait()
        finally:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, *self._firing.values(), return_exceptions=True)

    # ---- timers

    async def _fire_all(self) -> NoReturn:
        has_begun = is_failing = False
        while True:
            try:
                if not has_begun:
                    await deadline.within(LOOK_WITHIN_S, self._begin())
                    has_begun = True
                wait_s = await deadline.within(LOOK_WITHIN_S, self._look())
                is_failing = False
            except Exception as error:  # noqa: BLE001  # this loop outlives anything
                if not is_failing:
                    _log.warning("timers_not_readable", error=type(error).__name__)
                is_failing, wait_s = True, PAUSE_S
            await self._sleep(wait_s)

    async def _begin(self) -> None:
        async with self._database.transaction() as conn:
            await timers.ensure(conn, timers.Kind.HOUSEKEEPING, due_at=_now())

    async def _look(self) -> float:
        """Start firing what is due and return how long to wait before the next look."""
        now = _now()
        async with self._database.snapshot() as conn:
            due = await timers.list_due(conn, self._lanes, limit=LOOK_MOST, now=now)
            next_due = await timers.next_due(conn, self._lanes, after=now)
        for timer in due:
            if len(self._firing) < AT_ONCE and timer.id not in self._firing:
                task = asyncio.create_task(self._fire(timer), name=f"fire {timer.kind}")
                self._firing[timer.id] = task
        if next_due is None:
            return TICK_S
        return min(TICK_S, max(0.0, (next_due - _now()).total_seconds()))

    async def _fire(self, timer: timers.Timer) -> None:
        try:
            is_fired = await deadline.within(FIRE_WITHIN_S, firing.fire(self._means, timer))
            if not is_fired:
                await asyncio.sleep(PAUSE_S)
        except Exception as error:  # noqa: BLE001  # a timer that fails is tried again
            _log.error(
                "timer_failed", kind=timer.kind.value, timer=str(timer.id),
                incident=str(timer.incident_id), error=type(error).__name__, exc_info=True,
            )  # fmt: skip
            await self._note_failure(timer)
        finally:
            del self._firing[timer.id]
            self._wake.set()

    async def _note_failure(self, timer: timers.Timer) -> None:
        try:
            await deadline.within(LOOK_WITHIN_S, firing.note_failure(self._means, timer))
        except Exception as error:  # noqa: BLE001  # the database is away: the timer stays due
            _log.warning("timer_not_put_off", timer=str(timer.id), error=type(error).__name__)
            await asyncio.sleep(PAUSE_S)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    # ---- hints

    async def _listen(self) -> NoReturn:
        while True:
            try:
                async with self._hints.pubsub() as channels:
                    await channels.subscribe(log.MOVED_CHANNEL)
                    await self._hear(channels)
            except (OSError, RedisError):
                await asyncio.sleep(TICK_S)

    async def _hear(self, channels: redis.asyncio.client.PubSub) -> NoReturn:
        while True:
            message = await channels.get_message(ignore_subscribe_messages=True, timeout=TICK_S)
            if message is not None:
                self._wake.set()

    # ---- positions

    async def _forget_positions(self) -> NoReturn:
        while True:
            try:
                swept = forget_positions(self._database, self._hints, now=_now())
                await deadline.within(FIRE_WITHIN_S, swept)
            except Exception as error:  # noqa: BLE001  # this loop outlives anything
                _log.warning("positions_not_swept", error=type(error).__name__)
            await asyncio.sleep(FORGET_EVERY_S)

    # ---- streets

    async def _watch_streets(self) -> NoReturn:
        seen = self._network.generation
        while True:
            await asyncio.sleep(STREETS_EVERY_S)
            there = await asyncio.to_thread(walking.generation_of, self._settings.walking_dir)
            if there != seen:
                seen = there
                await self._load_streets()

    async def _load_streets(self) -> None:
        try:
            self._network = await asyncio.to_thread(_load, self._settings)
        except (walking_files.DamagedNetwork, OSError, ValueError) as error:
            _log.warning("streets_not_loaded", error=str(error))


async def forget_positions(
    database: db.Database, live: redis.asyncio.Redis, *, now: datetime
) -> int:
    """Forget positions that are too old or whose owners are off duty; say of how many people."""
    gone = 0
    while True:
        async with database.transaction() as conn:
            swept = await whereabouts.sweep(conn, now=now)
        await presence.forget(live, [str(person) for person in swept], now=now)
        gone += len(swept)
        if len(swept) < whereabouts.SWEEP_MOST:
            return gone


def _load(settings: Settings) -> walking.WalkingNetwork:
    network = walking.WalkingNetwork.load(settings.walking_dir, speed_mps=settings.walk_speed_mps)
    network.warm_up()
    return network
