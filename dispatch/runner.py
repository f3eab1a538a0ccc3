"""The process that fires due timers; any number of them may run, each timer fires once.

It outlives every failure of PostgreSQL and Redis: it looks again. Redis only says that it is worth
looking at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import NoReturn
from uuid import UUID

import redis.asyncio
import structlog

from dispatch import (
    alert_codes,
    asking,
    channel_health,
    channels,
    db,
    delivering,
    firing,
    matching,
    outbox,
    planning,
    probing,
    signs,
    silence,
    timers,
    whereabouts,
)
from dispatch.ladder import Channel
from dispatch.settings import Settings
from dispatch.simulation import working
from geo import walking, walking_files
from realtime import bus, clocks, deadline, presence
from realtime.hint_link import HintLinks

_log = structlog.get_logger(__name__)

#: Timers that one runner fires at the same time; each holds up to two connections.
AT_ONCE = 4
#: Without a hint the timers are looked at this often.
TICK_S = 1.0
#: A look, and a firing, that take longer are given up; the timer is tried again.
LOOK_WITHIN_S = 3.0
FIRE_WITHIN_S = 15.0
#: A runner that hangs in the middle of a timer keeps its locks for so long, then another fires it:
#: one that waits for them, which it does for three seconds, gets them in time.
HANGS_AFTER_MS = 2_500
#: A timer that somebody else holds is left alone for so long, and so is a database that fails.
PAUSE_S = 0.2
#: The folder of the streets is looked at this often, since an import replaces it.
STREETS_EVERY_S = 5.0
#: Redis answers within this time, or is left alone (reliability findings 2 and 8).
REDIS_WITHIN_S = 2.0
REDIS_CONNECTS_WITHIN_S = 1.0
#: Positions that are too old, or whose owners went off duty, are forgotten this often.
FORGET_EVERY_S = 60.0
#: The outbox is looked at no more often than this.
POST_PAUSE_S = 0.03
#: Simulations that were asked for are looked for this often.
SIMULATE_EVERY_S = 5.0
#: The channels are looked at, and the weekly checks of devices begun, this often.
WATCH_EVERY_S = 15.0
PROBE_EVERY_S = 60.0
#: A look asks for more timers than can be fired, as some may be held by others.
LOOK_MOST = 32


def _wall() -> datetime:
    return datetime.now(UTC)


#: This process's time; the machine's clock is read here and nowhere else.
_clock = clocks.Clock(_wall, time.monotonic)


def _now() -> datetime:
    return _clock.now()


async def run(
    settings: Settings,
    *,
    stop: asyncio.Event,
    lanes: Collection[timers.Lane] = tuple(timers.Lane),
) -> None:
    """Fire due timers until `stop` is set; then let what has begun come to its end."""
    engine = db.make_engine(
        settings.database_url, pool_size=2 * AT_ONCE + 10, idle_ms=HANGS_AFTER_MS
    )
    hints = bus.connect(
        settings.redis_url, within_s=REDIS_WITHIN_S, connect_within_s=REDIS_CONNECTS_WITHIN_S
    )
    database = db.Database(engine, hints)
    try:
        async with silence.given_up_on(engine), channels.gateways(settings, _now) as gateways:
            means = delivering.Means(database, gateways, hints, settings.base_url, _now)
            beating = signs.Beating(database, _clock, lanes, means.answers)
            await beating.try_once()  # first of all, so that the clock is right
            await _Runner(settings, database, hints, lanes, _Post(means), beating=beating).run(stop)
    finally:
        await database.settle()
        await hints.aclose()
        await engine.dispose()


class _Runner:
    def __init__(
        self,
        settings: Settings,
        database: db.Database,
        hints: redis.asyncio.Redis,
        lanes: Collection[timers.Lane],
        post: _Post,
        *,
        beating: signs.Beating,
    ) -> None:
        self._post = post
        self._beating = beating
        self._link = HintLinks(hints, (), self._take_hint, name=beating.process)
        self._settings = settings
        self._database = database
        self._hints = hints
        self._lanes = lanes
        self._network = walking.WalkingNetwork([], speed_mps=settings.walk_speed_mps)
        self._means = firing.Means(
            database, planning.policy_of(settings), lambda: self._network, _now, hints
        )
        self._firing: dict[UUID, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        others = [asyncio.create_task(self._beating.run(), name="sign of life")]
        await self._load_streets()
        others += [
            asyncio.create_task(self._link.run(), name="hints"),
            asyncio.create_task(self._watch_streets(), name="streets"),
            asyncio.create_task(self._fire_all(), name="timers"),
            asyncio.create_task(self._forget_positions(), name="positions"),
            *self._simulations(),
            *self._post.start(self._lanes),
        ]
        try:
            await stop.wait()
        finally:
            for task in others:
                task.cancel()
            begun = (*self._firing.values(), *self._post.begun)
            await asyncio.gather(*others, *begun, return_exceptions=True)
            await self._beating.end()

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
        async with self._database.single() as conn:
            due, next_due = await timers.look(conn, self._lanes, limit=LOOK_MOST, now=now)
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

    def _take_hint(self, _channel: str, _data: str) -> None:
        self._wake.set()
        self._post.wake.set()

    # ---- simulations

    def _simulations(self) -> list[asyncio.Task[NoReturn]]:
        """Begin to work off simulations, where that is this runner's lane."""
        if timers.Lane.PLANNING not in self._lanes:
            return []
        return [asyncio.create_task(self._simulate(), name="simulations")]

    async def _simulate(self) -> NoReturn:
        while True:
            done: UUID | None = None
            try:
                done = await working.work_one(self._database, self._settings, now=_now())
            except Exception as error:  # noqa: BLE001  # this loop outlives anything
                _log.warning("simulations_not_readable", error=type(error).__name__)
            if done is None:
                await asyncio.sleep(SIMULATE_EVERY_S)

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


class _Post:
    """Carries messages out: one look for all channels, so many hands for each."""

    def __init__(self, means: delivering.Means) -> None:
        self.wake = asyncio.Event()
        self.begun: set[asyncio.Task[None]] = set()
        self._means = means
        self._busy: Counter[Channel] = Counter()

    def start(self, lanes: Collection[timers.Lane]) -> list[asyncio.Task[NoReturn]]:
        """Begin the loops of some lanes."""
        loops = [asyncio.create_task(self._watch(), name="channels")]
        if timers.Lane.DISPATCH in lanes and self._means.gateways:
            loops.append(asyncio.create_task(self._deliver(), name="post"))
        if timers.Lane.PLANNING in lanes and self._means.gateways:
            loops.append(asyncio.create_task(self._probe(), name="probes"))
        return loops

    async def _deliver(self) -> NoReturn:
        is_failing = False
        while True:
            try:
                wait_s = await deadline.within(LOOK_WITHIN_S, self._look())
                is_failing = False
            except Exception as error:  # noqa: BLE001  # this loop outlives anything
                if not is_failing:
                    _log.warning("post_not_readable", error=type(error).__name__)
                is_failing, wait_s = True, PAUSE_S
            # Hints come with every commit; a burst of them is one look.
            await asyncio.sleep(POST_PAUSE_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self.wake.wait()
            self.wake.clear()

    async def _look(self) -> float:
        """Begin to carry what is due and return how long to wait before the next look."""
        free = [one for one in self._means.gateways if self._busy[one] < delivering.HANDS]
        dues, next_due = await delivering.take(self._means, free)
        for channel in {due.channel for due in dues}:
            mine = [due for due in dues if due.channel is channel]
            self._busy[channel] += len(mine)
            task = asyncio.create_task(self._carry(channel, mine), name=f"carry {channel}")
            self.begun.add(task)
            task.add_done_callback(self.begun.discard)
        if len(dues) >= delivering.HANDS:
            return 0.0
        return TICK_S if next_due is None else _until(next_due)

    async def _carry(self, channel: Channel, dues: list[outbox.Due]) -> None:
        try:
            await delivering.carry(self._means, dues)
        except Exception as error:  # noqa: BLE001  # the lease ends, and they are taken again
            _log.error("post_failed", channel=channel.value, error=type(error).__name__)
        finally:
            self._busy[channel] -= len(dues)
            self.wake.set()

    async def _watch(self) -> NoReturn:
        on = {channel: gateway.is_test for channel, gateway in self._means.gateways.items()}
        while True:
            try:
                await deadline.within(LOOK_WITHIN_S, watch_channels(self._means, on))
            except Exception as error:  # noqa: BLE001  # this loop outlives anything
                _log.warning("channels_not_checked", error=type(error).__name__)
            await asyncio.sleep(WATCH_EVERY_S)

    async def _probe(self) -> NoReturn:
        while True:
            try:
                await deadline.within(FIRE_WITHIN_S, probe_devices(self._means))
            except Exception as error:  # noqa: BLE001  # this loop outlives anything
                _log.warning("devices_not_probed", error=type(error).__name__)
            await asyncio.sleep(PROBE_EVERY_S)


def _until(due: datetime) -> float:
    return min(TICK_S, max(0.0, (due - _now()).total_seconds()))


async def watch_channels(means: delivering.Means, on: Mapping[Channel, bool]) -> None:
    """Write which channels are on, find those that went silent, and give up what is too late."""
    now = means.clock()
    async with means.database.transaction() as conn:
        await channel_health.announce(conn, on, now=now)
    async with means.database.transaction() as conn:
        await outbox.expire(conn, now=now)
        await alert_codes.sweep(conn, now=now)
    async with means.database.transaction() as conn:
        await channel_health.check(conn, now=now)


async def probe_devices(means: delivering.Means) -> None:
    """Ask the devices whose weekly check is due, and tell of those that are silent."""
    await asking.push(means)
    await probing.ask(means)
    async with means.database.transaction() as conn:
        await probing.report(conn, now=means.clock())


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
    matching.warm_up()
    return network
