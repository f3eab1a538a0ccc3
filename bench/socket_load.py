"""Many WebSockets that send at a rate: a client that costs little, for benches on the loopback.

Frames are masked with zeros, which RFC 6455 allows, so that nothing is copied.
"""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from urllib.parse import urlsplit

import http_load

CONNECTING_AT_ONCE = 50
TICK_S = 0.002
PING, PONG = 0x9, 0xA


def text_frame(payload: bytes) -> bytes:
    """Write one text frame as a client sends it."""
    length = len(payload)
    if length < 126:
        head = bytes((0x81, 0x80 | length))
    else:
        head = bytes((0x81, 0xFE, length >> 8, length & 0xFF))
    return head + b"\0\0\0\0" + payload


class Socket(asyncio.Protocol):
    """One socket; it answers pings, keeps the first frame and hands on each further one."""

    def __init__(self, heard: Callable[[bytes], None] | None = None) -> None:
        self._listener = heard
        self.is_open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.is_lost = False
        self._heard = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a transport that writes

    def connection_lost(self, _error: Exception | None) -> None:
        self.is_lost = True

    def data_received(self, data: bytes) -> None:
        self._heard += data
        if not self.is_open.done():
            head, end, rest = self._heard.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head.partition(b"\r\n")[0]:
                self.is_open.set_exception(ConnectionError(head[:200].decode()))
                return
            self._heard = rest
            self.is_open.set_result(None)
        while (frame := self._next_frame()) is not None:
            kind, payload = frame
            if kind == PING:
                self.write(bytes((0x80 | PONG, 0x80 | len(payload))) + b"\0\0\0\0" + payload)
            elif not self.is_answered.done():
                self.is_answered.set_result(payload)
            elif self._listener is not None:
                self._listener(payload)

    def _next_frame(self) -> tuple[int, bytes] | None:
        """Take one whole frame off what was heard; servers do not mask."""
        heard = self._heard
        if len(heard) < 2:
            return None
        length, begin = heard[1] & 0x7F, 2
        if length >= 126:
            begin = 4 if length == 126 else 10
            length = int.from_bytes(heard[2:begin])
        if len(heard) < begin + length:
            return None
        self._heard = heard[begin + length :]
        return heard[0] & 0x0F, heard[begin : begin + length]

    def write(self, data: bytes) -> None:
        """Send raw bytes."""
        if self._transport is not None and not self.is_lost:
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


async def connect(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    hello: bytes | None = None,
    heard: Callable[[bytes], None] | None = None,
) -> Socket:
    """Open a socket; with a hello, wait for the first answer to it."""
    parts = urlsplit(url)
    if parts.hostname not in http_load.LOOPBACK:
        raise SystemExit(f"only this machine is measured, not {parts.hostname}")
    loop = asyncio.get_running_loop()
    _, socket = await loop.create_connection(lambda: Socket(heard), parts.hostname, parts.port)
    key = base64.b64encode(os.urandom(16)).decode()
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = {
        "Host": parts.netloc, "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13", **(headers or {}),
    }  # fmt: skip
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    socket.write(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
    await asyncio.wait_for(socket.is_open, 30)
    if hello is not None:
        socket.write(text_frame(hello))
        await asyncio.wait_for(socket.is_answered, 30)
    return socket


async def connect_all(
    count: int,
    make: Callable[[int], tuple[str, Mapping[str, str], bytes | None]],
    heard: Callable[[int, bytes], None] | None = None,
) -> list[Socket]:
    """Open many sockets, some at a time; `make` gives address, headers and hello of each."""
    turns = asyncio.Semaphore(CONNECTING_AT_ONCE)

    async def one(number: int) -> Socket:
        url, headers, hello = make(number)
        async with turns:
            listener = None if heard is None else partial(heard, number)
            return await connect(url, headers=headers, hello=hello, heard=listener)

    return list(await asyncio.gather(*(one(number) for number in range(count))))


async def send(
    sockets: Sequence[Socket],
    rate: float,
    seconds: float,
    write: Callable[[int], bytes],
) -> int:
    """Send `rate` messages a second of all sockets, evenly by turns; return how many were sent.

    `write` gives the next message of a socket.
    """
    began, sent, total = time.perf_counter(), 0, int(rate * seconds)
    while sent < total:
        passed = time.perf_counter() - began
        due = min(total, int(passed * rate))
        while sent < due:
            number = sent % len(sockets)
            sockets[number].write(text_frame(write(number)))
            sent += 1
        await asyncio.sleep(TICK_S)
    return sent
