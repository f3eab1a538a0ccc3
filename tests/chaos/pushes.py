"""A push service that may lie: it decrypts as a browser does, and hands over as it is told to."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import http_ece
import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.chaos.history import NET, History

#: How much later a late message comes: after most of what it tells of is over.
LATE_S = 12.0


class Mood(StrEnum):
    """How the service is."""

    WELL = "well"
    LOST = "lost"  # answers 201 and delivers nothing
    GONE = "gone"  # 410: the device is not subscribed any more
    UNKNOWN = "unknown"  # 404
    BUSY = "busy"  # 429 with Retry-After
    FAILING = "failing"  # 503
    STALLED = "stalled"  # takes the request and says nothing
    TWICE = "twice"
    LATE = "late"


_ANSWERS = {
    Mood.GONE: b"410 Gone",
    Mood.UNKNOWN: b"404 Not Found",
    Mood.BUSY: b"429 Too Many Requests\r\nRetry-After: 2",
    Mood.FAILING: b"503 Service Unavailable",
}
_TIMES = {Mood.WELL: 1, Mood.TWICE: 2, Mood.LATE: 1}

Hand = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription, as a browser gives it."""

    endpoint: str
    p256dh: str
    auth: str


class PushService:
    """RFC 8030 on loopback, for as long as the system runs."""

    def __init__(self, history: History) -> None:
        self.mood = Mood.WELL
        self.port = 0
        self._history = history
        self._keys: dict[str, tuple[ec.EllipticCurvePrivateKey, bytes, Hand]] = {}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def host(self) -> str:
        """Name the service as the setting `push_hosts` wants it."""
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, and forget what is still to be handed over."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def subscribe(self, hand: Hand) -> Subscription:
        """Make a subscription whose messages are handed to `hand`."""
        token, auth = secrets.token_urlsafe(12), secrets.token_bytes(16)
        key = ec.generate_private_key(ec.SECP256R1())
        self._keys[token] = key, auth, hand
        public = key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return Subscription(f"http://{self.host}/push/{token}", _b64(public), _b64(auth))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._keep(asyncio.current_task())
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = _size_in(head)
                body = await reader.readexactly(size)
                token = head.split(b" ", 2)[1].decode().rpartition("/")[2]
                mood = self.mood
                self._history.note("push service", NET, "push", None, mood=mood.value)
                if mood is Mood.STALLED:
                    await asyncio.sleep(30)
                said = _ANSWERS.get(mood, b"201 Created")
                writer.write(b"HTTP/1.1 " + said + b"\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
                if mood in _TIMES and token in self._keys:
                    self._keep(asyncio.create_task(self._hand_over(token, body, mood)))
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    async def _hand_over(self, token: str, body: bytes, mood: Mood) -> None:
        key, auth, hand = self._keys[token]
        plain = http_ece.decrypt(body, private_key=key, auth_secret=auth, version="aes128gcm")
        await asyncio.sleep(LATE_S if mood is Mood.LATE else 0)
        for _ in range(_TIMES[mood]):
            hand(orjson.loads(plain))

    def _keep(self, task: asyncio.Task[None] | None) -> None:
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


def _size_in(head: bytes) -> int:
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    return next((int(value) for name, _, value in lines if name == b"content-length"), 0)


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
