"""A connection between a device and an app: two pipes that stall, slow down, break at either end.

What is put into a pipe comes out in order or not at all, as over TCP. Neither end learns by itself
that the other is gone: it is told, or it is not.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocketDisconnect

#: Frames that the buffers of the two kernels hold together.
ROOM = 12

#: The kernel gives up a peer that takes nothing (TCP_USER_TIMEOUT).
KERNEL_S = 20.0


class Pipe:
    """One direction."""

    def __init__(self, chance: random.Random, deliver: Callable[[Any], None]) -> None:
        self.is_stalled = False
        #: Seconds for each frame, where the reader is slow.
        self.pace_s = 0.0
        self.is_broken = False
        self.full_since: float | None = None
        self._chance = chance
        self._deliver = deliver
        self._frames: deque[Any] = deque()
        self._moving: asyncio.TimerHandle | None = None
        self._has_room = asyncio.Event()
        self._has_room.set()

    @property
    def has_room(self) -> bool:
        """Say whether a frame would be taken at once."""
        return len(self._frames) < ROOM

    def put(self, frame: Any) -> None:
        """Send a frame on its way."""
        self._frames.append(frame)
        if not self.has_room:
            self._has_room.clear()
            self.full_since = asyncio.get_running_loop().time()
        self.move()

    def move(self) -> None:
        """Go on, if anything is on its way and nothing stands in it."""
        if self._frames and self._moving is None and not self.is_stalled and not self.is_broken:
            wait_s = self.pace_s or 0.004 * self._chance.random()
            self._moving = asyncio.get_running_loop().call_later(wait_s, self._arrive)

    async def room(self) -> None:
        """Wait until there is room."""
        await self._has_room.wait()

    def stall(self) -> None:
        """Let nothing through until `go_on`."""
        self.is_stalled = True
        self._stop()

    def go_on(self) -> None:
        """Let everything through again, at its full pace."""
        self.is_stalled, self.pace_s = False, 0.0
        self.move()

    def break_off(self) -> None:
        """Lose what is on its way and whatever comes; whoever waits for room goes on waiting."""
        self.is_broken = True
        self._frames.clear()
        self._stop()

    def _stop(self) -> None:
        if self._moving is not None:
            self._moving.cancel()
            self._moving = None

    def _arrive(self) -> None:
        """Deliver what has come together: one frame, or several."""
        self._moving = None
        many = 1 if self.pace_s else self._chance.randrange(1, 2 * ROOM)
        while self._frames and many and not self.is_broken:
            many -= 1
            frame = self._frames.popleft()
            if self.has_room:
                self._has_room.set()
                self.full_since = None
            self._deliver(frame)
        self.move()


class Wire:
    """Both directions, and what each end has been told."""

    def __init__(
        self,
        chance: random.Random,
        hear: Callable[[str], None],
        gone: Callable[[int | None], None],
        disturbed: Callable[[], None],
    ) -> None:
        """Take what the device does with a frame, and with the end, and who notes each trouble."""
        self.down = Pipe(chance, self._come_down)
        self.up = Pipe(chance, self._come_up)
        #: Whether anything ever stood in its way.
        self.was_troubled = False
        #: Whether each end still holds it for open.
        self.is_open_below = self.is_open_above = True
        self._hear = hear
        self._gone = gone
        self._disturbed = disturbed
        self._inbox: asyncio.Queue[str | None] = asyncio.Queue()
        self.socket = Socket(self)

    @property
    def is_whole(self) -> bool:
        """Say whether both ends are open and nothing stands in the way."""
        pipes = (self.down, self.up)
        is_clear = not any(pipe.is_stalled or pipe.is_broken or pipe.pace_s for pipe in pipes)
        return is_clear and self.is_open_above and self.is_open_below

    def trouble(self, *, pace_s: float = 0.0) -> None:
        """Let nothing through in either direction, or slowly down."""
        self.was_troubled = True
        self._disturbed()
        if pace_s:
            self.down.pace_s = pace_s
        else:
            self.down.stall()
            self.up.stall()

    def mend(self) -> None:
        """Let everything through again."""
        self._disturbed()
        self.down.go_on()
        self.up.go_on()

    def say(self, text: str) -> None:
        """Send a frame from the device."""
        if self.is_open_below:
            self.up.put(text)

    def leave(self, *, is_told: bool = True) -> None:
        """Close at the device; the app hears of it, or does not."""
        self.is_open_below = False
        self.down.break_off()
        if is_told:
            self.hang_up()
        else:
            self.was_troubled = True

    def hang_up(self) -> None:
        """Tell the app that the device is gone."""
        if self.is_open_above:
            self._disturbed()
            self.is_open_above = False
            self.up.break_off()
            self._inbox.put_nowait(None)
            self.down._has_room.set()

    def cut(self, code: int | None = None, *, is_told: bool = True) -> None:
        """Close at the app; the device hears of it, or does not."""
        if is_told and self.is_open_below:
            self.is_open_below = False
            self.down.break_off()
            self._gone(code)
        self.hang_up()

    async def next(self) -> str | None:
        """Give the app the next frame; None at the end."""
        return await self._inbox.get()

    def _come_down(self, frame: str | int) -> None:
        if not self.is_open_below:
            return
        if isinstance(frame, int):
            self.cut(frame)
        else:
            self._hear(frame)

    def _come_up(self, text: str) -> None:
        if self.is_open_above:
            self._inbox.put_nowait(text)


class Socket:
    """The app's end, as Starlette's WebSocket has it."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.headers: dict[str, str] = {}
        #: With uvicorn's protocol of ours there is a short way out.
        self.scope: dict[str, Any] = {}
        self.closed_with: int | None = None
        #: Since when somebody waits for room.
        self.waits_since: float | None = None
        self.on_close: Callable[[int], None] = _nothing

    def offer_short_way(self) -> None:
        """Be served by `web.position_socket`."""
        way = {"put": self.put, "listen": _nothing}
        self.scope = {"extensions": {"golden.live": way}}

    async def accept(self) -> None:
        """Shake hands."""

    async def receive(self) -> dict[str, Any]:
        """Give the next message of the device."""
        text = await self.wire.next()
        if text is None:
            return {"type": "websocket.disconnect", "code": 1006}
        return {"type": "websocket.receive", "text": text}

    async def send_text(self, text: str) -> None:
        """Send a frame, once there is room."""
        if not self.wire.down.has_room:
            self.waits_since = asyncio.get_running_loop().time()
        try:
            await self._wait_for_room()
        finally:
            self.waits_since = None
        self.wire.down.put(text)

    async def close(self, code: int, _reason: str = "") -> None:
        """Say the close code after all else."""
        self.closed_with = int(code)
        self.on_close(int(code))
        await self._wait_for_room()
        self.wire.down.put(int(code))

    def put(self, text: str) -> bool:
        """Send a frame at once if there is room."""
        wire = self.wire
        if self.closed_with is not None or not wire.is_open_above or not wire.down.has_room:
            return False
        wire.down.put(text)
        return True

    async def _wait_for_room(self) -> None:
        while self.wire.is_open_above and not self.wire.down.has_room:
            await self.wire.down.room()
        if not self.wire.is_open_above:
            raise WebSocketDisconnect(1006)


def _nothing(_: Any) -> None:
    pass
