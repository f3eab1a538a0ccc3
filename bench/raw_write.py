"""The least that reaching a phone costs in Python: bytes written to open sockets when told to.

    python bench/raw_write.py PORT [BYTES]

A WebSocket at /N is socket N. A POST whose body is a JSON list of numbers, or "all", has one
prebuilt text frame written to each of these sockets, by one write() each; what they send is read
and forgotten. Run by bench/alert_latency.py and bench/fanout.py.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import sys

import orjson
import uvloop

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#: An alert as long as the product's.
_LONG = int(sys.argv[2]) if len(sys.argv) > 2 else 600
_TEXT = b'{"kind":"alert_sent","pad":"' + b"x" * (_LONG - 30) + b'"}'
_FRAME = b"\x81\x7e" + len(_TEXT).to_bytes(2) + _TEXT
#: The file of each socket. A product would keep what a full one does not take.
_sockets: dict[int, int] = {}


class Peer(asyncio.Protocol):
    """One connection: a socket that listens, or somebody who tells to write."""

    def __init__(self) -> None:
        self._heard = b""
        self._is_socket = False
        self._number = -1
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a transport that writes

    def connection_lost(self, _error: Exception | None) -> None:
        _sockets.pop(self._number, None)

    def data_received(self, data: bytes) -> None:
        if self._transport is None or self._is_socket:
            return
        self._heard += data
        head, end, body = self._heard.partition(b"\r\n\r\n")
        if not end:
            return
        fields = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
        }
        if b"sec-websocket-key" in fields:
            self._open(head, fields[b"sec-websocket-key"])
        elif len(body) >= int(fields.get(b"content-length", b"0")):
            self._heard = b""
            self._tell(body)

    def _open(self, head: bytes, key: bytes) -> None:
        if self._transport is None:
            return
        self._is_socket = True
        self._number = int(head.split(b" ")[1].lstrip(b"/"))
        accept = base64.b64encode(hashlib.sha1(key + _MAGIC, usedforsecurity=False).digest())
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        _sockets[self._number] = self._transport.get_extra_info("socket").fileno()

    def _tell(self, body: bytes) -> None:
        whom = orjson.loads(body) if body else ()
        for number in _sockets if whom == "all" else whom:
            os.write(_sockets[number], _FRAME)
        if self._transport is not None:
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
