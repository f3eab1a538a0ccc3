"""One subscription to Redis, kept alive: a link that is up and brings nothing is made anew.

Redis may be gone, hang, or keep a socket open, answer its pings and deliver nothing (a replica that
was cut off does). So each process sends itself a small probe where the hints go, and misses it.
Nothing is lost meanwhile: whoever waits for hints also looks for itself once a second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NoReturn

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from realtime import away, bus, log

_logger = logging.getLogger(__name__)

#: How the name of a probe begins, where the hint of a topic has the topic.
PROBE = "probe:"

#: A probe goes this often, and is missed when it has not come back within that time. Together
#: with a reply's wait and the pause before the next try: less than five seconds.
PROBE_EVERY_S = 1.0
PROBE_WITHIN_S = 2.0

#: Wait before Redis is asked again.
PAUSE_S = 0.5

#: Redis takes a subscription or a ping within this time.
REDIS_WITHIN_S = 1.0

#: Between two looks at what came; a quiet subscription is asked this often whether it is alive.
WAIT_S = 0.5
PING_EVERY_S = 1.0

#: A subscription that has not even answered a ping for this long is taken for dead, as redis-py
#: says nothing of a server that hangs.
DEAF_AFTER_S = 3.0


class HintLink:
    """Hears some channels for as long as `run` runs, through whatever becomes of Redis."""

    def __init__(
        self,
        redis: Redis,
        channels: Sequence[str],
        take: Callable[[str, str], None],
        *,
        name: str,
        shard: str = bus.WHOLE,
    ) -> None:
        """Name the channels and who takes their messages; `name` is this process's."""
        self._redis = redis
        self._channels = {
            bus.name_in(shard, channel): channel for channel in (log.MOVED_CHANNEL, *channels)
        }
        self._shard = shard
        self._take = take
        self._probe = f"{PROBE}{name}"
        self._said = self._heard = 0
        self._missed_at = float("inf")
        #: Called when messages come again: what was said before may have been missed.
        self.on_return: Callable[[], None] = _nothing
        #: Whether messages come; only one that came says so, no answer to a ping.
        self.is_hearing = False
        self.deaf_since: float | None = None
        # For the metrics.
        self.reconnects = 0
        self.deaf_found = 0

    async def run(self) -> NoReturn:
        """Hear until cancelled."""
        self.deaf_since = _time()
        while True:
            try:
                async with self._subscribed() as subscription:
                    await self._hear(subscription)
            except away.REDIS_FAILS as failure:
                self._give_up(failure)
                await asyncio.sleep(PAUSE_S)

    def _give_up(self, failure: BaseException) -> None:
        self._lose(failure)
        self.reconnects += 1

    def _lose(self, failure: BaseException) -> None:
        if self.is_hearing:
            self.is_hearing, self.deaf_since = False, _time()
            _logger.warning("hints have stopped: %s", type(failure).__name__)

    @asynccontextmanager
    async def _subscribed(self) -> AsyncIterator[PubSub]:
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(REDIS_WITHIN_S):
                carrier = bus.carrier(self._redis, log.MOVED_CHANNEL, self._shard)
                client = await stack.enter_async_context(carrier)
                subscription = await stack.enter_async_context(client.pubsub())
                hearing = subscription.ssubscribe if self._shard else subscription.subscribe
                await hearing(*self._channels)
            yield subscription

    async def _hear(self, subscription: PubSub) -> None:
        self._missed_at = float("inf")
        probing = asyncio.create_task(self._probe_often(), name="hint probe")
        try:
            await self._read(subscription)
        finally:
            probing.cancel()
            # It gives its connection back; until then nobody may close the client.
            await asyncio.gather(probing, return_exceptions=True)

    async def _read(self, subscription: PubSub) -> NoReturn:
        heard_at = pinged_at = _time()
        while True:
            async with asyncio.timeout(REDIS_WITHIN_S + WAIT_S):
                message = await subscription.get_message(timeout=WAIT_S)
            away.check_cancelled()
            if message is not None:
                heard_at = _time()
                self._hand_on(message)
            self._check(heard_at)
            if _time() - pinged_at >= PING_EVERY_S:
                pinged_at = _time()
                async with asyncio.timeout(REDIS_WITHIN_S):
                    await subscription.ping()

    def _check(self, heard_at: float) -> None:
        now = _time()
        if now >= self._missed_at:
            self.deaf_found += 1
            failure = TimeoutError("the link is up and brings nothing")
            self._lose(failure)  # at once: to close it takes a moment
            raise failure
        if now - heard_at > DEAF_AFTER_S:
            raise TimeoutError("Redis does not answer")

    async def _probe_often(self) -> NoReturn:
        while True:
            self._said += 1
            if await log.publish_moved(self._redis, {self._probe: self._said}, shard=self._shard):
                is_back = self._heard >= self._said  # it may have overtaken the reply
                if not is_back and self._missed_at == float("inf"):
                    self._missed_at = _time() + PROBE_WITHIN_S
            away.check_cancelled()
            await asyncio.sleep(PROBE_EVERY_S)

    def _hand_on(self, message: Mapping[str, object]) -> None:
        if message.get("type") not in {"message", "smessage"}:
            return
        channel, data = (_words(message.get(name)) for name in ("channel", "data"))
        channel = self._channels.get(channel, channel)
        is_probe = channel == log.MOVED_CHANNEL and data.startswith(PROBE)
        if is_probe and not self._is_mine(data):
            return
        if not self.is_hearing:
            self.is_hearing, self.deaf_since = True, None
            self.on_return()
        if not is_probe:
            self._take(channel, data)

    def _is_mine(self, data: str) -> bool:
        number = log.read_hint(data).get(self._probe)
        if number is None:
            return False
        self._heard = number
        self._missed_at = float("inf")
        return True


class HintLinks:
    """A link for each shard: one to a server, a few to a cluster."""

    def __init__(
        self, redis: Redis, channels: Sequence[str], take: Callable[[str, str], None], *, name: str
    ) -> None:
        """Take what one link takes."""
        self.each = [
            HintLink(redis, channels, take, name=name, shard=shard) for shard in bus.shards(redis)
        ]

    def tell_returns(self, on_return: Callable[[], None]) -> None:
        """Call this whenever messages come again by some link."""
        for link in self.each:
            link.on_return = on_return

    @property
    def is_hearing(self) -> bool:
        """Say whether messages come by every link: a hint may go by any of them."""
        return all(link.is_hearing for link in self.each)

    @property
    def deaf_since(self) -> float | None:
        """Say since when some link has brought nothing."""
        return min((s for link in self.each if (s := link.deaf_since) is not None), default=None)

    @property
    def reconnects(self) -> int:
        """Count the subscriptions made anew."""
        return sum(link.reconnects for link in self.each)

    @property
    def deaf_found(self) -> int:
        """Count the links that were up and brought nothing."""
        return sum(link.deaf_found for link in self.each)

    async def run(self) -> NoReturn:
        """Hear until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for link in self.each:
                tasks.create_task(link.run(), name="hint link")
        raise AssertionError("a link has ended")


def _nothing() -> None:
    pass


def _words(data: object) -> str:
    return data.decode(errors="replace") if isinstance(data, bytes) else str(data)


def _time() -> float:
    return asyncio.get_running_loop().time()
