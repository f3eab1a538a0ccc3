"""The least that reaching a phone costs in Python: bytes written to open sockets when told to.

    python bench/raw_write.py PORT

A WebSocket at /N is socket N. A POST whose body is a JSON list of numbers has one text frame
written to each of these sockets. Run by bench/alert_latency.py.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sys

import orjson
import uvloop

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#: An alert as long as the product's.
_FRAME = b"\x81\x7e" + (600).to_bytes(2) + b'{"kind":"alert_sent","pad":"' + b"x" * 570 + b'"}'
_sockets: dict[int, asyncio.WriteTransport] = {}


class Peer(asyncio.Protocol):
    """One connection: a socket that listens, or somebody who tells to write."""

    def __init__(self) -> None:
        self._heard = b""
        self._is_socket = False
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a transport that writes

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
        number = int(head.split(b" ")[1].lstrip(b"/"))
        accept = base64.b64encode(hashlib.sha1(key + _MAGIC, usedforsecurity=False).digest())
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        _sockets[number] = self._transport

    def _tell(self, body: bytes) -> None:
        for number in orjson.loads(body) if body else ():
            _sockets[number].write(_FRAME)
        if self._transport is not None:
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
