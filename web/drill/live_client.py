"""A reference client of the live log: stays connected, resumes, notices every loss.

It does what `live_machine` decides, with a socket, or with polls where no socket gets through.
Tests and the drill's simulated phones use it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, NoReturn, Protocol

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Origin

from web.drill import live_poll
from web.drill.live_machine import BACK_OFF_S, Machine
from web.drill.live_marks import Cursor
from web.drill.live_steps import Connect, Drop, Hear, Output, Phase, Poll, Send, State, Via

#: A frame is given to the socket within this time, or the socket is as good as gone.
SEND_WITHIN_S = 10.0


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
        hello = {"app": "golden-drill"} | ({} if token is None else {"token": token})
        chance = rng or random.Random()  # noqa: S311  # jitter
        self.machine = Machine(topics, hello, chance.random, back_off_s=back_off_s)
        # What the wire did, for tests and verdicts.
        self.welcomes = 0
        self.snapshots = 0
        self.events = 0
        self.polls = 0
        self.errors: list[dict[str, Any]] = []
        self.recovered: dict[str, bool] = {}
        self._url = url
        self._listener = listener
        self._headers = {"Cookie": cookie} if cookie else {}
        self._token = token
        self._origin = Origin(origin) if origin else None
        self._inbox: asyncio.Queue[Callable[[], list[Output]]] = asyncio.Queue()
        self._socket: ClientConnection | None = None
        self._at_work: dict[Via, asyncio.Task[None]] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._asking: live_poll.Polls | None = None
        self._heard_by = Via.SOCKET
        self._code: int | None = None
        self._is_online = True

    # ---- what the owner asks and says

    @property
    def cursors(self) -> dict[str, Cursor]:
        """Where the device stands in each topic; may be kept, and set before a run."""
        return self.machine.marks.cursors

    @cursors.setter
    def cursors(self, kept: dict[str, Cursor]) -> None:
        self.machine.marks.cursors = kept

    @property
    def _unconfirmed(self) -> dict[tuple[str, str], None]:
        return self.machine.unconfirmed

    @_unconfirmed.setter
    def _unconfirmed(self, kept: dict[tuple[str, str], None]) -> None:
        self.machine.unconfirmed = kept

    @property
    def is_connected(self) -> bool:
        """Say whether the server has said welcome and is there."""
        return self.machine.phase is Phase.LIVE

    @property
    def gaps(self) -> int:
        """How often something was missing."""
        return self.machine.marks.gaps

    @property
    def repeats(self) -> int:
        """How many events came twice without being marked so."""
        return self.machine.marks.repeats

    def go_offline(self) -> None:
        """Lose the network: cut the connection without a word, and do not try again."""
        self._is_online = False
        self._code = None
        self._do(self.machine.stop())

    def go_online(self) -> None:
        """Have the network again; the first try is made at once."""
        self._is_online = True
        self._tell(lambda: self.machine.start(_now()))

    async def ack(self, alert: str, level: str) -> None:
        """Tell that an alert was `received` or `shown`; repeated until the server confirms."""
        self._do(self.machine.ack(alert, level, _now()))

    async def position(
        self, lon: float, lat: float, *, accuracy_m: float, at: datetime, crs: str = "wgs84"
    ) -> None:
        """Tell where the device is, if it is connected."""
        where = {"lon": lon, "lat": lat, "accuracy_m": accuracy_m, "crs": crs}
        if self.is_connected and self.machine.link is not None:
            self._send(self.machine.link, {"type": "position", **where, "at": at})

    # ---- the loop

    async def run(self) -> NoReturn:
        """Stay connected until cancelled; raise Refused after a final close."""
        try:
            if self._is_online:
                self._do(self.machine.start(_now()))
            while True:
                self._do(await self._next())
                if self.machine.phase in {Phase.SIGN_IN, Phase.REFUSED}:
                    raise Refused(4001 if self.machine.phase is Phase.SIGN_IN else 4003)
        finally:
            await self._end()

    async def _next(self) -> list[Output]:
        """Wait for what happens next, or until it is time to look at the clock."""
        wake_at = self.machine.wake_at
        try:
            async with asyncio.timeout_at(None if wake_at is None else wake_at / 1_000):
                happened = await self._inbox.get()
        except TimeoutError:
            return self.machine.tick(_now())
        return happened()

    async def _end(self) -> None:
        tasks = [*self._at_work.values(), *self._errands]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._asking is not None:
            await self._asking.close()

    def _tell(self, happened: Callable[[], list[Output]]) -> None:
        self._inbox.put_nowait(happened)

    def _do(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Connect():
                    self._work(Via.SOCKET, self._speak())
                case Drop(via):
                    self._drop(via)
                case Send(via, frame):
                    self._send(via, frame)
                case Poll(topics, wait_s):
                    self._work(Via.POLL, self._poll(dict(topics), wait_s))
                case Hear(frame):
                    self._hear(frame)
                case State(phase):
                    self._stand(phase)

    def _work(self, via: Via, work: Coroutine[Any, Any, None]) -> None:
        self._drop(via)
        self._at_work[via] = asyncio.create_task(work)

    def _drop(self, via: Via) -> None:
        task = self._at_work.pop(via, None)
        if via is Via.SOCKET and self._socket is not None:
            self._socket.transport.abort()
            self._socket = None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            self._keep(task)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def _stand(self, phase: Phase) -> None:
        if phase is Phase.LIVE:
            self._listener.connected()
        elif phase is not Phase.CONNECTING:
            self._listener.lost(self._code)

    def _hear(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "snapshot":
                self.snapshots += 1
                self._listener.snapshot(frame["topic"], frame["body"])
            case "event":
                self.events += 1
                self._listener.event(frame["topic"], frame["kind"], frame["body"])
            case "error":
                self.errors.append(frame)

    def _take(self, frame: dict[str, Any]) -> None:
        """Take a frame, of whichever way."""
        if frame["type"] == "welcome":
            self.welcomes += 1
            self.recovered = {topic: at["recovered"] for topic, at in frame["topics"].items()}
        self._code = None
        self._do(self.machine.heard(self._heard_by, frame, _now()))

    def _took(
        self, via: Via, task: asyncio.Task[None] | None, frame: dict[str, Any]
    ) -> list[Output]:
        """Take a frame, unless it came by a way that was left meanwhile."""
        if self._at_work.get(via) is task:
            self._heard_by = via
            self._take(frame)
        return []

    def _gone(self, via: Via, task: asyncio.Task[None] | None, code: int | None) -> list[Output]:
        if self._at_work.get(via) is not task:
            return []
        del self._at_work[via]
        self._code = code
        return self.machine.closed(via, code, _now())

    # ---- the socket

    async def _speak(self) -> None:
        """Open a socket and tell the loop what comes, until it ends."""
        me = asyncio.current_task()
        code: int | None = None
        try:
            async with self._connect() as socket:
                self._socket = socket
                self._tell(lambda: self.machine.opened() if self._socket is socket else [])
                while True:
                    frame = orjson.loads(await socket.recv())
                    self._tell(partial(self._took, Via.SOCKET, me, frame))
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
        except (OSError, InvalidHandshake, InvalidURI):  # TimeoutError is an OSError
            pass
        self._tell(lambda: self._gone(Via.SOCKET, me, code))

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

    def _send(self, via: Via, frame: dict[str, Any]) -> None:
        if via is Via.POLL:
            self._keep(asyncio.create_task(self._post(frame)))
        elif self._socket is not None:
            self._keep(asyncio.create_task(self._say(self._socket, frame)))

    @staticmethod
    async def _say(socket: ClientConnection, frame: dict[str, Any]) -> None:
        with suppress(ConnectionClosed, TimeoutError):  # the reader hears of it; acks are repeated
            async with asyncio.timeout(SEND_WITHIN_S):
                await socket.send(orjson.dumps(frame, option=orjson.OPT_UTC_Z).decode())

    # ---- polls

    async def _poll(self, topics: dict[str, object], wait_s: int) -> None:
        me = asyncio.current_task()
        try:
            frames = await self._requests().poll(topics, wait_s)
        except live_poll.Failed as failed:
            code = failed.code
            self._tell(lambda: self._gone(Via.POLL, me, code))
            return
        self.polls += 1
        self._tell(lambda: self._polled(me, frames))

    def _polled(
        self, task: asyncio.Task[None] | None, frames: list[dict[str, Any]]
    ) -> list[Output]:
        for frame in frames:
            self._took(Via.POLL, task, frame)
        return self.machine.polled(_now()) if self._at_work.get(Via.POLL) is task else []

    async def _post(self, frame: dict[str, Any]) -> None:
        with suppress(live_poll.Failed):  # acks are repeated
            frames = await self._requests().send(frame)
            self._tell(lambda: [out for answer in frames for out in self._answered(answer)])

    def _answered(self, frame: dict[str, Any]) -> list[Output]:
        return self.machine.heard(Via.POLL, frame, _now())

    def _requests(self) -> live_poll.Polls:
        if self._asking is None:
            token = {"Authorization": f"Bearer {self._token}"} if self._token else {}
            self._asking = live_poll.Polls(self._url, self._headers | token)
        return self._asking


def _now() -> float:
    """Give the time that the machine counts by."""
    return asyncio.get_running_loop().time() * 1_000
