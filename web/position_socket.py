"""uvicorn's WebSocket, with short ways past its queues: in for positions, out for what is ready.

A position costs the process more on its way in than all that is done with it: a frame object, an
entry in the queue, two system calls that stop and start reading, and a switch of tasks. What asks
to `listen` gets short texts at once. Nobody has to be slowed down by their waiting: of each person
only the last counts, and who speaks too often is closed.

A text that goes to thousands is framed once and written to each socket by one system call. What the
kernel does not take waits in the transport; while that is full a text takes the long way, which
waits and notices who does not read.
"""

from __future__ import annotations

import asyncio
import os
from asyncio import BaseTransport
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any, Literal

from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode

_EXTENSION = "golden.live"

#: Takes a text at once and says so, or leaves it to the queue.
Listener = Callable[[str], bool]

#: Sends a text at once and says so, or leaves it to the ordinary way.
Put = Callable[[str], bool]

#: What the transport keeps of a peer that does not read before texts wait in the queue of its
#: connection, where they are one text for all.
_UNSENT_BYTES = 16_384


_NOBODY: deque[asyncio.Future[Any]] = deque()


class _Gate(asyncio.Event):
    """An event for whom hardly ever anybody waits: the deque of those is made when one does."""

    def __init__(self) -> None:
        self._waiters = _NOBODY
        self._value = False

    async def wait(self) -> Literal[True]:
        """Wait until it is set."""
        if self._waiters is _NOBODY:
            self._waiters = deque()
        return await super().wait()


class _Inbox(asyncio.Queue[Any]):
    """A queue for one reader and a few messages, in a tenth of the memory of asyncio's own."""

    def __init__(self) -> None:
        self._messages: list[Any] = []
        self._reader: asyncio.Future[None] | None = None

    def empty(self) -> bool:
        """Say whether nothing waits."""
        return not self._messages

    def put_nowait(self, item: Any) -> None:
        """Add a message."""
        self._messages.append(item)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def get(self) -> Any:
        """Take the next message, as soon as there is one."""
        while not self._messages:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._messages.pop(0)


class PositionSocket(WebSocketsSansIOProtocol):
    """The protocol to serve with; without a listener it is uvicorn's own."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.queue = _Inbox()
        self.writable = _Gate()
        self.writable.set()
        self._listener: Listener | None = None
        #: The number of the open socket, where bytes are sent as they are.
        self._file: int | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """Take up a connection."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(_UNSENT_BYTES)
        socket = transport.get_extra_info("socket")
        if socket is not None and transport.get_extra_info("sslcontext") is None:
            self._file = socket.fileno()

    def listen(self, listener: Listener) -> None:
        """Offer each whole text to a listener first."""
        self._listener = listener

    def settle(self) -> None:
        """Forget what was of use only until it was known who this is: the handshake."""
        del self.request, self.response
        self.scope["headers"].clear()  # type: ignore[attr-defined]  # uvicorn's is a list

    def put(self, text: str) -> bool:
        """Send a text at once if the socket is open and nothing waits before it."""
        if (
            not self.handshake_complete
            or not self.writable.is_set()
            or self.close_sent
            or self.disconnected
            or self.transport.is_closing()
            or self.conn.extensions
        ):
            return False
        frame = _framed(text)
        sent = 0
        if self._file is not None and self.transport.get_write_buffer_size() == 0:
            with suppress(OSError):  # full, or broken, which the transport notices
                sent = os.write(self._file, frame)
        if sent < len(frame):
            self.transport.write(frame[sent:])
        return True

    def hang_up(self, code: int, reason: str) -> bool:
        """Say why the socket is closed behind all that waits, without waiting for room.

        A peer that does not read on has some seconds; then all that waits for it is let go.
        """
        if not self.handshake_complete or self.close_sent or self.transport.is_closing():
            return False
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:  # the answer to the close is still to be heard
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.abort)
        return True

    async def run_asgi(self) -> None:
        """Serve one socket, with the short ways among the extensions of its scope."""
        ways: dict[object, object] = {
            "listen": self.listen, "put": self.put, "hang_up": self.hang_up,
            "settle": self.settle,
        }  # fmt: skip
        self.scope["extensions"] = {**(self.scope.get("extensions") or {}), _EXTENSION: ways}
        await super().run_asgi()

    def handle_text(self, event: Frame) -> None:
        """Offer a text to the listener, else queue it."""
        listener = self._listener
        if listener is not None and event.fin and not self.close_sent:
            data = bytes(event.data)
            # A position is all ASCII; other texts may be malformed, which uvicorn answers.
            if data.isascii() and listener(data.decode()):
                return
        super().handle_text(event)


def listen(socket: WebSocket, listener: Listener) -> None:
    """Have the texts of a socket offered to a listener first, if the server is ours."""
    extension = (socket.scope.get("extensions") or {}).get(_EXTENSION)
    if extension is not None:
        extension["listen"](listener)


def put_of(socket: WebSocket) -> Put:
    """Give the short way out of a socket; on another server than ours nothing takes it."""
    extension = (socket.scope.get("extensions") or {}).get(_EXTENSION)
    return _take_nothing if extension is None else extension["put"]


def settle(socket: WebSocket) -> None:
    """Let go of the handshake of a socket; what its headers said is known."""
    ways = (socket.scope.get("extensions") or {}).get(_EXTENSION) or {}
    if "settle" in ways:
        ways["settle"]()


def hang_up(socket: WebSocket, code: int, reason: str) -> bool:
    """Close a socket whose peer does not read; False if that has to go the ordinary way."""
    ways = (socket.scope.get("extensions") or {}).get(_EXTENSION) or {}
    return "hang_up" in ways and bool(ways["hang_up"](code, reason))


def _take_nothing(_text: str) -> bool:
    return False


# One text for thousands of sockets, one after the other; a few so that others may come between.
@lru_cache(maxsize=8)
def _framed(text: str) -> bytes:
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
