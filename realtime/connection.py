"""One socket's way out: a bounded queue, one writer, and nobody else who waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from realtime import protocol
from realtime.protocol import Close, Event
from realtime.stream import Step, Stream

#: Frames that may wait for one client. A console in a busy hour gets about ten a second.
QUEUE_MOST = 256

#: A send that takes longer is to a client that does not read. uvicorn's own send would wait
#: for ever.
SEND_WITHIN_S = 5.0

#: What is already queued when the server closes, such as the reason, has this long to go out.
FAREWELL_WITHIN_S = 1.0

#: How long after its last event a phone still gets the short heartbeat; a mission can be quiet
#: for a quarter of an hour.
STIRRED_FOR_S = 900.0


@dataclass(frozen=True, slots=True)
class Load:
    """Work for the writer, in its place among the frames: read these topics from the log.

    After a hello the answer begins with a welcome.
    """

    topics: tuple[str, ...]
    is_hello: bool = False


Send = Callable[[str], Awaitable[None]]
#: Takes a frame at once if the socket has room, and says whether it did.
Put = Callable[[str], bool]
Loader = Callable[["Connection", Load], Awaitable[Sequence[str]]]


class Connection:
    """A client's topics and what is on its way to it.

    `push`, `offer`, `move` and `close` never wait, so the hub cannot be held up; only `write`,
    which one task runs for as long as the socket lives, waits for the socket.
    """

    def __init__(
        self,
        send: Send,
        load: Loader,
        *,
        put: Put | None = None,
        person: str = "",
        queue_most: int = QUEUE_MOST,
        send_within_s: float = SEND_WITHIN_S,
    ) -> None:
        self.person = person
        self.streams: dict[str, Stream] = {}
        #: Consoles always get the short heartbeat, phones when something concerns them.
        self.is_console = False
        self.closing: Close | None = None
        self.next_beat_at = 0.0
        self._send = send
        self._put = put
        self._load = load
        # A list, as nearly always it is empty: an empty deque takes 0.7 kB, and so does an Event.
        self._queue: list[str | Load] = []
        self._queue_most = queue_most
        self._send_within_s = send_within_s
        self._moving: dict[str, dict[str, orjson.Fragment]] = {}
        self._is_writing = False
        self._waiter: asyncio.Future[None] | None = None
        self._stirred_until = 0.0

    @property
    def backlog(self) -> int:
        """How many frames wait."""
        return len(self._queue)

    @property
    def heartbeat_s(self) -> int:
        """How often this client is told that all is well."""
        is_busy = self.is_console or self._time() < self._stirred_until
        return protocol.HEARTBEAT_S if is_busy else protocol.IDLE_HEARTBEAT_S

    def stir(self) -> None:
        """Note that something concerns this client now; it gets the short heartbeat for a while."""
        now = self._time()
        if now >= self._stirred_until:
            self.next_beat_at = 0.0  # the short heartbeat begins at once
        self._stirred_until = now + STIRRED_FOR_S

    def push(self, frame: str | Load) -> None:
        """Send a frame at once if nothing is before it and the socket has room; else queue it.

        A client whose queue is full is closed as too slow.
        """
        if self.closing is not None:
            return
        is_idle = not self._queue and not self._is_writing
        if is_idle and self._put is not None and isinstance(frame, str) and self._put(frame):
            return
        if len(self._queue) >= self._queue_most:
            self.close(Close.TOO_SLOW)
            return
        self._queue.append(frame)
        self._wake()

    def offer(self, event: Event, frame: str) -> None:
        """Pass on one event of the log, written once for everybody, if its turn has come."""
        stream = self.streams.get(event.topic)
        if stream is None:
            return
        step = stream.offer(event)  # thousands of times for one event
        if step is Step.SEND:
            self.stir()
            self.push(frame)
        elif step is Step.LOAD:
            self.push(Load((event.topic,)))

    def repeat(self, event: Event, frame: str) -> bool:
        """Send again what was sent and not confirmed; not to who has more to read before it."""
        stream = self.streams.get(event.topic)
        if stream is None or self._queue or not stream.has(event):
            return False
        self.push(frame)
        return self.closing is None

    def reload(self, topic: str) -> None:
        """Have a topic read from the log again, as it went astray."""
        stream = self.streams.get(topic)
        if stream is None:
            return
        was_live = stream.is_live
        stream.reload()
        if was_live:
            self.push(Load((topic,)))

    def move(self, topic: str, items: Mapping[str, orjson.Fragment]) -> None:
        """Note where people are; only the latest of each is kept until there is room to send."""
        if topic in self.streams and self.closing is None:
            self._moving.setdefault(topic, {}).update(items)
            self._wake()

    def beat(self, server_time: datetime, troubles: Sequence[Mapping[str, object]] = ()) -> None:
        """Queue a heartbeat with the last number sent of each topic; consoles hear of troubles."""
        seqs = {
            topic: stream.cursor.seq
            for topic, stream in self.streams.items()
            if stream.is_live and stream.cursor is not None
        }
        told = troubles if self.is_console else ()
        self.push(
            protocol.heartbeat(
                seqs, heartbeat_s=self.heartbeat_s, server_time=server_time, troubles=told
            )
        )

    def close(self, code: Close) -> None:
        """Ask the writer to end with this code; the first reason stands."""
        if self.closing is None:
            self.closing = code
            self._wake()

    async def write(self) -> Close:
        """Send what is queued, in order, until the connection is to be closed; return why.

        Raises what `send` raises when the client is gone.
        """
        try:
            while self.closing is None:
                await self._drain()
                await self._next()
        except TimeoutError:
            self.close(Close.TOO_SLOW)
        return await self._say_farewell()

    async def _next(self) -> None:
        """Wait until there is something to do."""
        if self._queue or self._moving or self.closing is not None:
            return
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _drain(self) -> None:
        while self.closing is None:
            if self._queue:
                await self._put_out(self._queue.pop(0))
            elif self._moving:
                topic, items = self._moving.popitem()
                await self._put_out(protocol.positions(topic, list(items.values())))
            else:
                return

    async def _put_out(self, frame: str | Load) -> None:
        self._is_writing = True
        try:
            frames = [frame] if isinstance(frame, str) else await self._load(self, frame)
            for each in frames:
                if self._put is None or not self._put(each):
                    async with asyncio.timeout(self._send_within_s):
                        await self._send(each)
        finally:
            self._is_writing = False

    async def _say_farewell(self) -> Close:
        code = self.closing or Close.TRY_LATER
        if code is not Close.TOO_SLOW:
            frames = [frame for frame in self._queue if isinstance(frame, str)]
            try:
                async with asyncio.timeout(FAREWELL_WITHIN_S):
                    for frame in frames:
                        await self._send(frame)
            except TimeoutError:
                pass
        self._queue.clear()
        return code

    @staticmethod
    def _time() -> float:
        return asyncio.get_running_loop().time()
