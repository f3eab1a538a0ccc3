"""A reference client of the live socket: stays connected, resumes, notices every loss.

It speaks only what docs/realtime.md says. Tests and the drill's simulated phones use it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, NoReturn, Protocol

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Origin

#: Waits before each further try; each is shortened by chance to half, so that a thousand phones
#: do not come back in step. The last one is repeated.
BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 15.0)

#: A server that is silent for this many heartbeats is left.
MISSED_HEARTBEATS = 2.5

#: From the start of a try to the welcome.
WELCOME_WITHIN_S = 10.0

#: After these the server wants no further try with the same token.
FINAL_CLOSES = frozenset({4001, 4003})


class Refused(Exception):
    """The server closed with a final code: 4001 sign in again, 4003 not allowed."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class Listener(Protocol):
    """What the owner of a client wants to know; called in order, must not wait."""

    def connected(self) -> None:
        """The server has said welcome."""

    def lost(self, code: int | None) -> None:
        """The connection is gone; with the server's close code, if it said one."""

    def snapshot(self, topic: str, body: dict[str, Any]) -> None:
        """Replace all that was known of a topic."""

    def event(self, topic: str, kind: str, body: dict[str, Any]) -> None:
        """Apply the next event of a topic."""


class LiveClient:
    """One device's connection, kept up for as long as `run` runs."""

    def __init__(
        self,
        url: str,
        topics: Iterable[str],
        listener: Listener,
        *,
        token: str | None = None,
        cookie: str | None = None,
        origin: str | None = None,
        rng: random.Random | None = None,
        back_off_s: tuple[float, ...] = BACK_OFF_S,
    ) -> None:
        """Take the address (`ws://…/api/v1/live`) and either a token or a Cookie header."""
        self.cursors: dict[str, tuple[str, int] | None] = dict.fromkeys(topics)
        self.is_connected = False
        # What the wire did, for tests and verdicts. Gaps and repeats must stay 0.
        self.welcomes = 0
        self.snapshots = 0
        self.events = 0
        self.gaps = 0
        self.repeats = 0
        self.errors: list[dict[str, Any]] = []
        self.recovered: dict[str, bool] = {}
        self._url = url
        self._listener = listener
        self._token = token
        self._headers = {"Cookie": cookie} if cookie else {}
        self._origin = Origin(origin) if origin else None
        self._random = rng or random.Random()  # noqa: S311  # jitter
        self._back_off_s = back_off_s
        self._tries = 0
        self._heartbeat_s = 5.0
        self._socket: ClientConnection | None = None
        self._online = asyncio.Event()
        self._online.set()
        self._unconfirmed: dict[tuple[str, str], None] = {}

    async def run(self) -> NoReturn:
        """Stay connected until cancelled; raise Refused after a final close."""
        while True:
            await self._online.wait()
            code = await self._live_once()
            if code in FINAL_CLOSES:
                raise Refused(code)
            await asyncio.sleep(self._wait_s())

    def go_offline(self) -> None:
        """Lose the network: cut the connection without a word, and do not try again."""
        self._online.clear()
        if self._socket is not None:
            self._socket.transport.abort()

    def go_online(self) -> None:
        """Have the network again; the first try is made at once."""
        self._tries = 0
        self._online.set()

    async def ack(self, alert: str, level: str) -> None:
        """Tell that an alert was `received` or `shown`; repeated until the server confirms."""
        self._unconfirmed[alert, level] = None
        await self._send({"type": "ack", "alert": alert, "level": level})

    async def position(
        self, lon: float, lat: float, *, accuracy_m: float, at: datetime, crs: str = "wgs84"
    ) -> None:
        """Tell where the device is, if it is connected."""
        where = {"lon": lon, "lat": lat, "accuracy_m": accuracy_m, "crs": crs}
        await self._send({"type": "position", **where, "at": at})

    @property
    def is_confirmed(self) -> bool:
        """Say whether the server has stored every ack."""
        return not self._unconfirmed

    def _wait_s(self) -> float:
        longest = self._back_off_s[min(self._tries, len(self._back_off_s) - 1)]
        self._tries += 1
        return longest * self._random.uniform(0.5, 1.0)

    async def _live_once(self) -> int | None:
        """Connect, resume and listen until the connection ends; return its close code."""
        code: int | None = None
        try:
            async with asyncio.timeout(WELCOME_WITHIN_S) as limit, self._connect() as socket:
                self._socket = socket
                await self._say_hello(socket)
                while True:
                    frame = orjson.loads(await socket.recv())
                    self._take(frame)
                    if frame["type"] == "welcome":
                        await self._repeat_acks()
                    if self.is_connected:
                        silence = MISSED_HEARTBEATS * self._heartbeat_s
                        limit.reschedule(asyncio.get_running_loop().time() + silence)
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
        except (OSError, InvalidHandshake, InvalidURI):  # TimeoutError is an OSError
            pass
        finally:
            self._socket = None
            if self.is_connected:
                self.is_connected = False
                self._listener.lost(code)
        return code

    def _connect(self) -> connect:
        return connect(
            self._url,
            origin=self._origin,
            additional_headers=self._headers,
            compression=None,
            proxy=None,
            max_size=None,
            ping_interval=None,  # the heartbeat of the protocol does that
            close_timeout=1,
        )

    async def _say_hello(self, socket: ClientConnection) -> None:
        topics = {
            topic: None if cursor is None else {"epoch": cursor[0], "seq": str(cursor[1])}
            for topic, cursor in self.cursors.items()
        }
        hello = {"type": "hello", "topics": topics, "app": "golden-drill"}
        if self._token is not None:
            hello["token"] = self._token
        await socket.send(orjson.dumps(hello).decode())

    def _take(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "welcome":
                self._welcome(frame)
            case "snapshot":
                self.snapshots += 1
                self.cursors[frame["topic"]] = (frame["epoch"], int(frame["seq"]))
                self._listener.snapshot(frame["topic"], frame["body"])
            case "event":
                self._take_event(frame)
            case "heartbeat":
                self._heartbeat(frame)
            case "ack_ok":
                self._unconfirmed.pop((frame["alert"], frame["level"]), None)
            case "error":
                self.errors.append(frame)
                self.cursors.pop(frame.get("topic", ""), None)

    def _welcome(self, frame: dict[str, Any]) -> None:
        self.welcomes += 1
        self.is_connected = True
        self._tries = 0
        self._heartbeat_s = frame["heartbeat_s"]
        self.recovered = {topic: at["recovered"] for topic, at in frame["topics"].items()}
        self._listener.connected()

    def _take_event(self, frame: dict[str, Any]) -> None:
        topic, epoch, seq = frame["topic"], frame["epoch"], int(frame["seq"])
        cursor = self.cursors.get(topic)
        if cursor is not None and epoch == cursor[0] and seq <= cursor[1]:
            if not frame.get("redelivered"):
                self.repeats += 1
            return
        if cursor is None or (epoch, seq) != (cursor[0], cursor[1] + 1):
            self._lose(topic)
        self.events += 1
        self.cursors[topic] = (epoch, seq)
        self._listener.event(topic, frame["kind"], frame["body"])

    def _heartbeat(self, frame: dict[str, Any]) -> None:
        self._heartbeat_s = frame.get("heartbeat_s", self._heartbeat_s)
        for topic, seq in frame["topics"].items():
            cursor = self.cursors.get(topic)
            if cursor is not None and int(seq) > cursor[1]:
                self._lose(topic)

    def _lose(self, topic: str) -> NoReturn:
        """Leave the connection: events of the topic are missing, a resume will bring them."""
        self.gaps += 1
        raise ConnectionAbortedError(f"a gap in {topic}")

    async def _repeat_acks(self) -> None:
        for alert, level in list(self._unconfirmed):
            await self._send({"type": "ack", "alert": alert, "level": level})

    async def _send(self, message: Mapping[str, object]) -> None:
        if self._socket is None or not self.is_connected:
            return
        with suppress(ConnectionClosed):  # the listener hears of it; acks are repeated
            await self._socket.send(orjson.dumps(message, option=orjson.OPT_UTC_Z).decode())
