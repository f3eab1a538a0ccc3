"""Faults of the clients: they do not read, repeat themselves, talk nonsense, mistake the time."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import orjson

from tests.chaos.field import Field
from tests.chaos.history import NEMESIS, NET
from tests.chaos.system import App


def _upgrade(port: int) -> bytes:
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    return (
        f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def frame(
    payload: bytes, *, opcode: int = 1, first: int = 0x80, announced: int | None = None
) -> bytes:
    """Write a masked frame; `announced` lies about its length."""
    size = len(payload) if announced is None else announced
    head = bytes([first | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65_536:
        head += bytes([0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([0x80 | 127]) + size.to_bytes(8, "big")
    mask = b"\x01\x02\x03\x04"
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


async def _open(
    app: App, *, receive_bytes: int | None = None, segment: int | None = None
) -> socket.socket:
    """Open a socket by hand, past the proxy, with the smallest buffers where asked for.

    On loopback a segment holds 64 kB, and the kernel of the sender keeps ten of them whatever the
    receiver takes; with short segments it keeps as little as over a radio link.
    """
    loop = asyncio.get_running_loop()
    raw = socket.socket()
    if receive_bytes is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    if segment is not None:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment)
    raw.settimeout(0)
    await loop.sock_connect(raw, ("127.0.0.1", app.port))
    await loop.sock_sendall(raw, _upgrade(app.port))
    await loop.sock_recv(raw, 1024)
    return raw


#: With "again", so many more stuck sockets come as often as this, and the oldest go.
AGAIN_EVERY_S = 5.0
GENERATIONS = 3


async def slow_consumers(field: Field, ways: Sequence[str] = ()) -> None:
    """N12: sockets that say hello to the board and never read; every other reads a little.

    The kernel drops a peer that takes nothing for 20 s; one that takes a little it keeps. With
    "again" others come for those that the server has cut off.
    """
    count, again = int(ways[0]) if ways else 20, "again" in ways
    loop = asyncio.get_running_loop()
    until, open_at = loop.time() + field.seconds, loop.time()
    stuck: list[socket.socket] = []
    with field.history.window("N12", clients=count):
        try:
            while loop.time() < until:
                if loop.time() >= open_at:
                    open_at += AGAIN_EVERY_S if again else field.seconds
                    stuck += await _stuck_sockets(field, count)
                    _let_go(field, stuck, len(stuck) - count * GENERATIONS)
                await asyncio.sleep(1)
                for raw in stuck[::2]:
                    with suppress(OSError):
                        raw.recv(300)
        finally:
            _let_go(field, stuck, len(stuck))


async def _stuck_sockets(field: Field, count: int) -> list[socket.socket]:
    tokens = field.world.operators
    found = []
    for number in range(count):
        app = field.system.apps[number % len(field.system.apps)]
        hello = {
            "type": "hello", "token": tokens[number % len(tokens)], "app": "stuck",
            "topics": {f"org:{field.world.org}": None},
        }  # fmt: skip
        with suppress(OSError):
            raw = await _open(app, receive_bytes=2304, segment=536)
            found.append(raw)
            await asyncio.get_running_loop().sock_sendall(raw, frame(orjson.dumps(hello)))
    return found


def _let_go(field: Field, stuck: list[socket.socket], count: int) -> None:
    for _ in range(count):
        raw = stuck.pop(0)
        field.history.note("nemesis", NET, "stuck", None, **_left_in(raw))
        raw.close()


def _left_in(raw: socket.socket) -> dict[str, Any]:
    """Say how many bytes wait unread, and how the connection ended, if it has."""
    waiting, ended = 0, "open"
    try:
        while piece := raw.recv(65_536):
            waiting += len(piece)
        ended = "closed"
    except BlockingIOError:
        pass
    except OSError as error:
        ended = type(error).__name__
    return {"waiting": waiting, "ended": ended}


async def duplicates(field: Field) -> None:
    """N14: every answer, ack and request goes out up to five times, over different processes."""
    usual = [phone.habits for phone in field.phones]
    with field.history.window("N14", clients=len(field.phones)):
        for phone in field.phones:
            phone.habits = replace(phone.habits, repeats=5)
        field.calls.repeats = 5
        await asyncio.sleep(field.seconds)
        field.calls.repeats = 1
        for phone, habits in zip(field.phones, usual, strict=True):
            phone.habits = habits


async def wrong_clocks(field: Field) -> None:
    """N10, of the devices: hours, a day and a year off, both ways."""
    usual = [phone.habits for phone in field.phones]
    with field.history.window("N10", clients=len(field.phones), what="devices"):
        for phone in field.phones:
            off = field.random.choice([-31_536_000, -86_400, -7_200, 7_200, 86_400, 31_536_000])
            phone.habits = replace(phone.habits, skew=timedelta(seconds=off))
        await asyncio.sleep(field.seconds)
        for phone, habits in zip(field.phones, usual, strict=True):
            phone.habits = habits


async def be_away(field: Field) -> None:
    """A third of the phones lose the network; others start anew, some without their marks."""
    phones = list(field.phones)
    field.random.shuffle(phones)
    third = len(phones) // 3
    with field.history.window("away", clients=third):
        for phone in phones[:third]:
            phone.client.go_offline()
        for number, phone in enumerate(phones[third : third + third // 2]):
            await phone.restart(forgets_marks=number % 3 == 0)
        await asyncio.sleep(field.seconds)
        for phone in phones[:third]:
            phone.client.go_online()


async def trim_log(field: Field) -> None:
    """Phones are away for so long that their events are no longer kept when they come back."""
    phones = list(field.phones)
    with field.history.window("trim", clients=len(phones)):
        for phone in phones:
            phone.client.go_offline()
        await asyncio.sleep(field.seconds)
        await field.system.sql("delete from event where topic like 'person:%%'")
        for phone in phones:
            phone.client.go_online()
        await asyncio.sleep(2)


async def revoke(field: Field) -> None:
    """An administrator takes an operator's token away while the board is busy."""
    await field.system.sql(
        "update api_token set revoked_at = now() where name = %s", field.world.revoked_name
    )
    field.history.note("nemesis", NEMESIS, "revoked")
    await asyncio.sleep(field.seconds)


# ---- N15


def _nonsense() -> dict[str, bytes]:
    deep = b"[" * 15_000
    hello = b'{"type":"hello","topics":{"org:alpha":null}}'
    unmasked = bytes([0x81, len(hello)]) + hello
    return {
        "invalid UTF-8": frame(b"\xff\xfe\xfd"),
        "no mask": unmasked,
        "reserved bits": frame(hello, first=0xF0),
        "fragments": frame(b"{", first=0) + frame(b"x", opcode=0, first=0) * 3_000,
        "ping flood": frame(b"x", opcode=9) * 3_000,
        "1 MB": frame(b'"' + b"x" * 1_000_000 + b'"'),
        "1 GB announced": frame(b"x" * 1_000, announced=1 << 30),
        "deep JSON": frame(deep),
        "NaN": frame(b'{"type":"position","lon":NaN,"lat":1e999,"at":"2026-01-01T00:00:00Z"}'),
        "duplicate keys": frame(b'{"type":"hello","type":"ack","topics":1,"topics":{}}'),
        "binary": frame(os.urandom(500), opcode=2),
        "NUL in a topic": frame(b'{"type":"hello","topics":{"org:al\\u0000pha":null}}'),
        "control frame too long": frame(b"x" * 200, opcode=9),
    }


async def malformed(field: Field) -> None:
    """N15: frames, bodies and headers that no client sends; the others must not notice."""
    with field.history.window("N15", clients=1):
        for name, data in _nonsense().items():
            raw = await _open(field.app())
            began = asyncio.get_running_loop().time()
            with suppress(OSError):
                await asyncio.get_running_loop().sock_sendall(raw, data)
            heard = await _listen(raw)
            took_s = asyncio.get_running_loop().time() - began
            field.history.note("nemesis", NET, "nonsense", name, heard=heard[:80].hex(), s=took_s)
            raw.close()
        await _bad_bodies(field)


async def _listen(raw: socket.socket) -> bytes:
    heard = b""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(1.5):
            while piece := await asyncio.get_running_loop().sock_recv(raw, 4096):
                heard += piece
    return heard


_BODIES: tuple[bytes, ...] = (
    b"", b"{", b"\xff", b"[" * 100_000, b'{"kind":"trauma","position":{"lon":NaN,"lat":0}}',
    b'{"kind":"trauma","position":{"type":"Point","coordinates":[1,91]}}',
    b'{"kind":"trauma","position":{"type":"Point","coordinates":[1e309,1]}}',
    b'{"kind":"\\u0000","position":null}', b'{"a":' * 5_000, b"x" * 3_000_000,
)  # fmt: skip


async def _bad_bodies(field: Field) -> None:
    token = field.world.operators[0]
    async with httpx.AsyncClient(timeout=8) as client:
        for number, body in enumerate(_BODIES):
            app = field.app()
            headers = {
                "Authorization": f"Bearer {token}", "Idempotency-Key": f"nonsense-{number}",
                "Content-Type": "application/json",
            }  # fmt: skip
            said: Any = None
            with suppress(httpx.HTTPError):
                answer = await client.post(
                    f"http://127.0.0.1:{app.port}/api/v1/incidents", content=body, headers=headers
                )
                said = answer.status_code
            field.history.note("nemesis", NET, "bad_body", str(number), status=said)


# ---- N20


async def stall(field: Field) -> None:
    """N20: the dearest requests that one may send, many at once."""
    token = field.world.operators[0]
    headers = {"Authorization": f"Bearer {token}"}
    paths = (
        "/api/v1/incidents?status=all&limit=500", "/api/v1/board", "/api/v1/openapi.json",
        "/api/v1/responders?limit=500", "/api/v1/nearest/responders?lon=10&lat=20&limit=200",
    )  # fmt: skip
    until = asyncio.get_running_loop().time() + field.seconds

    async def ask(client: httpx.AsyncClient, number: int) -> None:
        while asyncio.get_running_loop().time() < until:
            app = field.system.apps[number % len(field.system.apps)]
            with suppress(httpx.HTTPError):
                await client.get(
                    f"http://127.0.0.1:{app.port}{paths[number % len(paths)]}", headers=headers
                )

    with field.history.window("N20", clients=8):
        async with httpx.AsyncClient(timeout=8) as client:
            await asyncio.gather(*(ask(client, number) for number in range(8)))
