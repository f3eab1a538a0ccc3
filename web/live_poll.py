"""The live log for those to whom no socket gets through: a request that waits for news.

Each poll says hello with its cursors and is answered by the frames that a socket would have sent,
read in the same way and heard through the same hub; so any process may answer the next one, and
nothing is kept between two.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.websockets import WebSocket

from dispatch import errors, events
from realtime import protocol
from realtime.protocol import Ack, AckLevel, BadMessage, Close, Hello
from web import auth, dependencies, fields, live_acks, live_frames, live_watch, rights
from web.dependencies import Caller, Database, Settings
from web.live_session import Session

if TYPE_CHECKING:  # the two know each other; only the types go both ways
    from web.live import Live

router = APIRouter(prefix="/live", tags=["live"])

#: The longest wait: proxies cut off what is silent for thirty seconds.
WAIT_MOST_S = 25

#: Where people move is told at this pace.
MOVES_EVERY_S = 1.0

#: From the hello to the welcome.
WELCOME_WITHIN_S = 10.0

#: Acks in one request.
ACKS_MOST = 20


class CursorBody(fields.Body):
    """Where my copy of a topic stands."""

    epoch: Annotated[str, Field(max_length=100)]
    seq: Annotated[str, Field(pattern="^[0-9]{1,19}$", description="decimal text")]


class PollBody(fields.Body):
    """What I want to hear, from where; null is from now, with a snapshot."""

    topics: dict[str, CursorBody | None]
    wait_s: Annotated[int, Field(ge=0, le=WAIT_MOST_S)] = WAIT_MOST_S


class AckBody(fields.Body):
    """An alert that my device has stored, or shows."""

    alert: Annotated[str, Field(max_length=64)]
    level: Literal["received", "shown"]


class AcksBody(fields.Body):
    """How far alerts have come on my device."""

    acks: Annotated[list[AckBody], Field(min_length=1, max_length=ACKS_MOST)]


class FramesAnswer(fields.Shape):
    """The frames that a socket would have sent, in order; they are described in asyncapi.json."""

    frames: list[live_frames.Down]
    server_time: str


@router.post("/poll", response_model=FramesAnswer, summary="News, for who gets no WebSocket")
async def poll(request: Request, body: PollBody, *, settings: Settings) -> Response:
    """Wait up to `wait_s` for news of the topics, and give them as the WebSocket would.

    For networks that let no WebSocket through: the same topics, rights, numbers and frames, a
    little later and dearer; use the socket where there is one. The answer begins with a `welcome`.
    What was missed, or a snapshot, comes at once, else the answer waits; poll again with the
    cursors that you then have. Nothing is kept between two polls, and none is missed. Rights are
    looked at again when the answer goes out. Each counts as a socket of yours while it waits
    (429 above 50). Acks go to `/live/acks`, positions to `/me/position`.
    """
    auth.check_origin(request, settings)
    try:
        hello = protocol.hello({topic: _cursor(at) for topic, at in body.topics.items()})
    except BadMessage as bad:
        raise errors.Malformed(bad.detail) from None
    line: Live = request.app.state.live
    return _answer(await _Poll(line, request).run(hello, body.wait_s))


@router.post("/acks", response_model=FramesAnswer, summary="My device has the alert")
async def acks(body: AcksBody, *, database: Database, caller: Caller) -> Response:
    """Say how far alerts have come on the device: `received` or `shown`, as over the socket.

    Each is answered by an `ack_ok` or an `error` with the alert's id. Repeating changes nothing.
    """
    told = [Ack(ack.alert, AckLevel(ack.level)) for ack in body.acks]
    return _answer([await live_acks.answer(database, caller, ack) for ack in told])


def _cursor(at: CursorBody | None) -> dict[str, str] | None:
    return None if at is None else {"epoch": at.epoch, "seq": at.seq}


def _answer(frames: Sequence[str]) -> Response:
    time = events.time(dependencies.clock())
    body = f'{{"frames":[{",".join(frames)}],"server_time":"{time}"}}'
    return Response(body, media_type="application/json")


class _Basket(WebSocket):
    """In place of a socket: keeps what is sent to it for the answer."""

    def __init__(self, request: Request, line: Live) -> None:
        super().__init__({**request.scope, "type": "websocket"}, request.receive, _send_nothing)
        self.frames: list[str] = []
        self.welcomed = asyncio.Event()
        self.moved = asyncio.Event()
        self.news = asyncio.Event()
        self._line = line
        self._troubles = line.hub.troubles
        self._heartbeat = ""

    async def send_text(self, data: str) -> None:
        """Keep a frame, of heartbeats the last; never waits."""
        kind = data[: data.find('"', 9)].removeprefix('{"type":"')
        if kind == "heartbeat":
            self._heartbeat = data
            if self._line.hub.troubles != self._troubles:
                self.news.set()
            return
        self.frames.append(data)
        wakes = {"welcome": self.welcomed, "positions": self.moved}
        wakes.get(kind, self.news).set()

    def all(self) -> list[str]:
        """Give what was sent."""
        return [*self.frames, self._heartbeat] if self._heartbeat else self.frames


async def _send_nothing(_: object) -> None:
    raise RuntimeError("a poll has no socket")


class _Poll:
    """One waiting request: a client of the hub for as long as it waits."""

    def __init__(self, line: Live, request: Request) -> None:
        self._line = line
        self._request = request
        self._basket = _Basket(request, line)
        self._session = Session(line, self._basket)

    async def run(self, hello: Hello, wait_s: float) -> list[str]:
        """Say hello, wait, and give the frames. Raises what a socket would be closed with."""
        self._line.hold(self._session)
        ends = asyncio.create_task(self._until_gone(), name="poll end")
        try:
            if await self._session.sign_in(hello):
                await self._session.subscribe(hello)
            self._check()
            return await self._wait(ends, wait_s)
        finally:
            ends.cancel()
            self._line.forget(self._session)

    async def _wait(self, ends: asyncio.Task[None], wait_s: float) -> list[str]:
        basket, connection = self._basket, self._session.connection
        writer = asyncio.create_task(connection.write(), name="poll writer")
        try:
            if not await _first(basket.welcomed.wait(), writer, ends, within_s=WELCOME_WITHIN_S):
                connection.close(Close.TRY_LATER)
            elif not basket.news.is_set() and wait_s > 0:
                await self._wait_for_news(writer, ends, wait_s)
            self._check()
        finally:
            if not writer.cancel():
                writer.result()  # it may have failed
        return basket.all()

    async def _wait_for_news(
        self, writer: asyncio.Task[Close], ends: asyncio.Task[None], wait_s: float
    ) -> None:
        basket = self._basket
        either = asyncio.create_task(_any(basket.news, basket.moved))
        await _first(either, writer, ends, within_s=wait_s)
        if basket.moved.is_set() and not basket.news.is_set():
            await _first(basket.news.wait(), writer, ends, within_s=MOVES_EVERY_S)
        self._check()
        await self._line.look(self._look_at_rights)

    async def _look_at_rights(self, conn: AsyncConnection) -> None:
        """Look whether the caller may still hear what has come; leave out what not."""
        session = self._session
        if session.credential is None:
            raise auth.NotSignedIn
        caller = await session.credential.find_caller(conn)
        if caller is None:
            raise auth.NotSignedIn
        asked = list(session.connection.streams)
        refused = set(asked) - await live_watch.audible(conn, caller, asked)
        if refused.issuperset(asked):
            raise rights.NotAllowed
        if refused:
            kept = [frame for frame in self._basket.frames if _topic(frame) not in refused]
            self._basket.frames = kept + [
                protocol.error("not_allowed", "There is no such topic for you.", topic=topic)
                for topic in sorted(refused)
            ]

    async def _until_gone(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass

    def _check(self) -> None:
        """Raise what the session was to be closed with, if it was."""
        match self._session.connection.closing:
            case None:
                return
            case Close.SIGN_IN_AGAIN:
                raise auth.NotSignedIn
            case Close.NOT_ALLOWED:
                raise rights.NotAllowed
            case Close.TOO_MANY:
                raise auth.TooManyTries(int(WAIT_MOST_S))
            case _:
                raise TimeoutError("the live log cannot be read just now")


async def _any(*awaited: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in awaited]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _first(wanted: Awaitable[Any], *ends: asyncio.Task[Any], within_s: float) -> bool:
    """Wait until it comes, or an end, or the time is over; say whether it came."""
    task = asyncio.ensure_future(wanted)
    try:
        await asyncio.wait({task, *ends}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        return task.done()
    finally:
        task.cancel()  # also where the request itself is given up


def _topic(frame: str) -> object:
    topic: object = orjson.loads(frame).get("topic")
    return topic
