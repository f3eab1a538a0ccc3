"""A TCP proxy in user space whose links can be made slow, silent, torn or dead.

One stands on every edge of the system under test. What it holds back while a link is black it
delivers when the link heals, as TCP would; what it drops it never delivers, and the connection is
reset afterwards, as no TCP stream can go on with a hole in it.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

#: Towards the server, and back.
UP, DOWN = "up", "down"
#: Whether the bytes were passed on yet.
BEFORE, AFTER = False, True
#: Called with the connection, direction, bytes and whether they were passed on yet; False tears it.
Spy = Callable[[object, str, bytes, bool], bool]

_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Toxics:
    """What is wrong with a link; nothing by default."""

    #: Connections are refused, and those that stand are reset.
    down: bool = False
    #: Bytes are taken and held back, both ways, until the link heals.
    black_hole: bool = False
    #: Replies are dropped; the connection is reset when the link heals.
    one_way: bool = False
    latency_s: float = 0.0
    jitter_s: float = 0.0
    #: A connection is reset after so many more bytes of replies, in the middle of whatever it is.
    limit_bytes: int | None = None
    bytes_per_s: float | None = None
    #: Bytes go out in pieces of this size, each in a packet of its own.
    slice_bytes: int | None = None
    #: Replies that hold these bytes are dropped, and nothing else is.
    deaf_to: bytes | None = None


HEALTHY = Toxics()


class _Torn(Exception):
    """The link tears the connection now."""


class Proxy:
    """One edge: it listens on loopback and passes on to `dial`."""

    def __init__(self, name: str, dial: Callable[[], Awaitable[Streams]], *, seed: int = 0) -> None:
        self.name = name
        self.port = 0
        self.toxics = HEALTHY
        self.accepted = 0
        self.spy: Spy | None = None
        self._dial = dial
        self._random = random.Random(f"{seed}/{name}")
        self._healed = asyncio.Event()
        self._healed.set()
        self._links: set[_Link] = set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; the port is the same for as long as the proxy lives."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
        self.reset_peers()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def poison(self, **toxics: object) -> None:
        """Make the link bad in some ways, besides those in which it is bad already."""
        self.toxics = replace(self.toxics, **toxics)  # type: ignore[arg-type]  # checked by replace
        if self.toxics.black_hole:
            self._healed.clear()
        if self.toxics.down:
            self.reset_peers()

    def heal(self) -> None:
        """Make the link good again; connections that have lost bytes are reset."""
        self.toxics = HEALTHY
        self._healed.set()
        for link in list(self._links):
            if link.has_lost:
                link.reset()

    def reset_peers(self) -> None:
        """Reset every connection that stands."""
        for link in list(self._links):
            link.reset()

    @property
    def open_links(self) -> int:
        """Count the connections that stand."""
        return len(self._links)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self.accepted += 1
        client = (reader, writer)
        if self.toxics.down:
            _reset(client)
            return
        await self._healed.wait()
        try:
            server = await self._dial()
        except OSError:
            _reset(client)
            return
        link = _Link(self, client, server)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)

    async def _pass(
        self, link: _Link, direction: str, data: bytes, out: asyncio.StreamWriter
    ) -> None:
        if self.spy is not None and not self.spy(link, direction, data, BEFORE):
            raise _Torn
        await self._healed.wait()
        if direction == DOWN and self._is_dropped(data):
            link.has_lost = link.has_lost or self.toxics.one_way
            return
        await self._delay(len(data))
        for piece in self._pieces(data):
            out.write(link.allowed(piece) if direction == DOWN else piece)
            await out.drain()
            if link.is_spent:
                raise _Torn
        if self.spy is not None and not self.spy(link, direction, data, AFTER):
            raise _Torn

    def _is_dropped(self, data: bytes) -> bool:
        deaf_to = self.toxics.deaf_to
        return self.toxics.one_way or (deaf_to is not None and deaf_to in data)

    async def _delay(self, size: int) -> None:
        toxics = self.toxics
        wait_s = toxics.latency_s + toxics.jitter_s * self._random.uniform(-1, 1)
        if toxics.bytes_per_s is not None:
            wait_s += size / toxics.bytes_per_s
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    def _pieces(self, data: bytes) -> list[bytes]:
        size = self.toxics.slice_bytes
        if size is None:
            return [data]
        return [data[start : start + size] for start in range(0, len(data), size)]


class _Link:
    """One connection through a proxy."""

    def __init__(self, proxy: Proxy, client: Streams, server: Streams) -> None:
        self.has_lost = False
        self.is_spent = False
        self._proxy = proxy
        self._client = client
        self._server = server
        self._sent = 0
        self._limit_from: int | None = None

    async def run(self) -> None:
        (from_client, to_client), (from_server, to_server) = self._client, self._server
        pumps = [
            asyncio.create_task(self._pump(UP, from_client, to_server)),
            asyncio.create_task(self._pump(DOWN, from_server, to_client)),
        ]
        try:
            done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            if all(task.exception() is None for task in done):
                await asyncio.wait(pumps, timeout=1)  # the other half may still say goodbye
        finally:
            for task in pumps:
                task.cancel()
            ends = await asyncio.gather(*pumps, return_exceptions=True)
            for streams in (self._client, self._server):
                if any(isinstance(end, _Torn) for end in ends):
                    _reset(streams)
                else:
                    streams[1].close()

    async def _pump(
        self, direction: str, source: asyncio.StreamReader, out: asyncio.StreamWriter
    ) -> None:
        with suppress(ConnectionError, OSError):
            while data := await source.read(_CHUNK):
                await self._proxy._pass(self, direction, data, out)
            if out.can_write_eof():
                out.write_eof()

    def allowed(self, piece: bytes) -> bytes:
        """Cut a piece of a reply where the limit of bytes is reached."""
        limit = self._proxy.toxics.limit_bytes
        if limit is None:
            self._limit_from = None
        elif self._limit_from is None:
            self._limit_from = self._sent
        if limit is not None and self._limit_from is not None:
            left = self._limit_from + limit - self._sent
            if left <= len(piece):
                self.is_spent = True
                piece = piece[: max(0, left)]
        self._sent += len(piece)
        return piece

    def reset(self) -> None:
        """Send RST to both sides."""
        _reset(self._client)
        _reset(self._server)


def _reset(streams: Streams) -> None:
    """Close without a goodbye: with SO_LINGER 0 the kernel sends RST."""
    writer = streams[1]
    held: socket.socket | None = writer.get_extra_info("socket")
    if held is not None:
        with suppress(OSError):
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def to_port(port: int) -> Callable[[], Awaitable[Streams]]:
    """Dial a port on loopback."""

    async def dial() -> Streams:
        return await asyncio.open_connection("127.0.0.1", port)

    return dial


def to_socket(path: str) -> Callable[[], Awaitable[Streams]]:
    """Dial a socket in the file system."""

    async def dial() -> Streams:
        return await asyncio.open_unix_connection(path)

    return dial
