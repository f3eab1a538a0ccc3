"""One client of the live log: a reader, a writer, and what it may hear."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence, Set
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket, WebSocketDisconnect

from realtime import protocol
from realtime.connection import Connection, Load
from realtime.protocol import Ack, BadMessage, Close, Hello, Mark, Message, Position
from realtime.stream import Stream
from web import (
    auth,
    dependencies,
    live_acks,
    live_readings,
    live_watch,
    position_people,
    position_socket,
    rights,
)

if TYPE_CHECKING:  # the two know each other; only the types go both ways
    from web.live import Live

#: A close frame to a client that does not read is given up after this time.
CLOSE_WITHIN_S = 10.0

#: A load that failed for want of a database is tried again after this time.
PAUSE_S = 0.5

#: More sockets than this of one person, or more messages of one socket, are closed with 4029.
SOCKETS_MOST = 50
MESSAGES_BURST = 120
MESSAGES_PER_S = 20.0

#: Acks of one socket that are being stored.
ACKS_MOST = 32

_numbers = itertools.count()

_DATABASE_FAILS = (SQLAlchemyError, OSError)  # TimeoutError is an OSError


class Session:
    """What goes out waits in the connection's queue; what comes in is taken one at a time."""

    def __init__(self, line: Live, socket: WebSocket) -> None:
        self.line = line
        self.socket = socket
        self.caller: auth.Caller | None = None
        self.credential: live_watch.Credential | None = None
        # The watch's: the state of the rights when last seen, and when to look closely.
        self.secret_hash = b""
        self.standing: bytes | None = None
        self.check_at = 0.0
        self.number = next(_numbers)
        self.connection = Connection(
            socket.send_text, self._load, put=position_socket.put_of(socket)
        )
        # When all that was said will have been earned, at the rate that is allowed.
        self._earned_at = 0.0
        self._reporter: position_people.Person | None = None
        self._acks: dict[Ack, asyncio.Task[None]] = {}
        self._time = asyncio.get_running_loop().time

    async def run(self) -> None:
        """Read, and write in a task beside, until one of them ends; a due close is still said."""
        writer = asyncio.create_task(self._write(), name="live writer")
        is_read = False
        try:
            await self._read_until(writer)
            is_read = True
        finally:
            if not is_read or self.connection.closing is None:
                writer.cancel()
            await asyncio.wait({writer})
            await self._end_acks()
        if not writer.cancelled():
            writer.result()

    async def _read_until(self, writer: asyncio.Task[None]) -> None:
        def stop(_: asyncio.Task[None]) -> None:
            with suppress(RuntimeError):  # it has ended by itself
                reading.reschedule(0.0)

        try:
            async with asyncio.timeout(None) as reading:
                writer.add_done_callback(stop)
                await self._read()
        except TimeoutError:
            if not reading.expired():
                raise

    @property
    def hears_itself_only(self) -> bool:
        """Say whether this is somebody's own phone and nothing else."""
        return self.connection.streams.keys() == {f"person:{self.connection.person}"}

    # ---- out

    async def _write(self) -> None:
        try:
            code = await self.connection.write()
            self.line.hub.closed[code] += 1
            self.line.hub.leave(self.connection)
            reason = code.name.lower()
            if code is Close.TOO_SLOW and position_socket.hang_up(self.socket, code, reason):
                return
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self.socket.close(code, reason)
        except (WebSocketDisconnect, TimeoutError, RuntimeError):
            # Gone, or not reading; Starlette and uvicorn say some of it by RuntimeError.
            self.line.hub.leave(self.connection)

    async def _load(self, connection: Connection, load: Load) -> Sequence[str]:
        """Read topics from the log for the writer: a welcome if asked for, then what is missing."""
        while connection.closing is None:
            streams = [
                connection.streams[topic] for topic in load.topics if topic in connection.streams
            ]
            away = [stream for stream in streams if not stream.is_live]
            try:
                readings = await self.line.look_together(live_readings.read, away) if away else {}
            except _DATABASE_FAILS:
                if load.is_hello:
                    connection.close(Close.TRY_LATER)
                    break
                await asyncio.sleep(PAUSE_S)  # a socket outlives the database's absence
                continue
            frames = self._go_live(away, readings)
            return [self._welcome(streams, readings), *frames] if load.is_hello else frames
        return []

    def _go_live(self, streams: Sequence[Stream], readings: live_readings.Readings) -> list[str]:
        """Join what was read with what came meanwhile; nothing may be awaited in between."""
        frames: list[str] = []
        for stream in streams:
            reading = readings[stream.topic]
            self.line.hub.follow(stream.topic, reading.clock)
            stream.arrive(reading.clock)
            frames += reading.frames
            frames += [protocol.event(event) for event in stream.release()]
            if reading.recovered or reading.is_busy:
                self.connection.stir()
            if not stream.is_live:
                self.connection.push(Load((stream.topic,)))
        return frames

    def _welcome(self, streams: Sequence[Stream], readings: live_readings.Readings) -> str:
        known = {
            stream.topic: (readings[stream.topic].clock, readings[stream.topic].recovered)
            if stream.topic in readings
            else (stream.cursor or Mark("", 0), True)
            for stream in streams
        }
        self.connection.next_beat_at = 0.0
        return protocol.welcome(
            known, heartbeat_s=self.connection.heartbeat_s, server_time=dependencies.clock()
        )

    # ---- in

    async def _read(self) -> None:
        hello = await self._first_hello()
        if hello is None or not await self.sign_in(hello):
            return
        position_socket.settle(self.socket)
        position_socket.listen(self.socket, self._overhear)
        await self.subscribe(hello)
        while (message := await self._next()) is not None:
            match message:
                case Hello():
                    await self.subscribe(message)
                case Ack():
                    self._begin_ack(message)
                case Position():
                    self._locate(message, self._time())

    async def _first_hello(self) -> Hello | None:
        try:
            async with asyncio.timeout(protocol.HELLO_WITHIN_S):
                while (message := await self._next()) is not None:
                    if isinstance(message, Hello):
                        return message
                    self._complain("hello_first", "The first message is a hello.")
        except TimeoutError:
            self.connection.close(Close.TOO_SLOW)
        return None

    async def _next(self) -> Message | None:
        """Wait for the next good message; None when the client is gone or is to go."""
        while self.connection.closing is None:
            frame = await self.socket.receive()
            if frame["type"] == "websocket.disconnect":
                return None
            text = frame.get("text") or ""
            if self.caller is not None and self._overhear(text):
                continue
            if not self._may_speak(self._time()):
                self.connection.close(Close.TOO_MANY)
                return None
            try:
                return protocol.parse(text)
            except BadMessage as bad:
                self._complain(bad.code, bad.detail)
                if bad.close is not None:
                    self.connection.close(bad.close)
        return None

    def _overhear(self, text: str) -> bool:
        """Take a position of who has signed in, unread; leave all else, by False, to `_next`.

        Most positions are replaced by newer ones before anybody looks at them.
        """
        if self.connection.closing is not None or not protocol.is_position(text):
            return False
        heard_at = self._time()
        if self._may_speak(heard_at):
            self._locate(text, heard_at)
        else:
            self.connection.close(Close.TOO_MANY)
        return True

    def _may_speak(self, heard_at: float) -> bool:
        self._earned_at = max(self._earned_at, heard_at) + 1 / MESSAGES_PER_S
        return self._earned_at - heard_at <= MESSAGES_BURST / MESSAGES_PER_S

    def _complain(self, code: str, detail: str, *, topic: str | None = None) -> None:
        self.connection.push(protocol.error(code, detail, topic=topic))

    async def sign_in(self, hello: Hello) -> bool:
        """Find out who this is; False if nobody or if it cannot be known now."""
        credential = live_watch.credential_of(self.socket, hello, self.line.settings)
        try:
            caller = await self.line.look_together(live_watch.find_callers, credential)
        except _DATABASE_FAILS:
            self.connection.close(Close.TRY_LATER)
            return False
        if caller is None:
            self.connection.close(Close.SIGN_IN_AGAIN)
            return False
        self.line.per_person[caller.id] += 1
        self.caller, self.credential = caller, credential
        self.secret_hash = credential.hash
        self.connection.person = str(caller.id)
        if self.line.per_person[caller.id] > SOCKETS_MOST:
            self.connection.close(Close.TOO_MANY)
            return False
        return True

    async def subscribe(self, hello: Hello) -> None:
        """Take the topics of a hello that this caller may hear; leave those no longer named.

        A topic that is already heard and comes with a cursor goes on as it is.
        """
        try:
            allowed = await self._allowed(list(hello.topics))
        except _DATABASE_FAILS:
            self.connection.close(Close.TRY_LATER)
            return
        for topic in [topic for topic in hello.topics if topic not in allowed]:
            self._complain("not_allowed", "There is no such topic for you.", topic=topic)
        if not allowed:
            self.connection.close(Close.NOT_ALLOWED)
            return
        for topic in [topic for topic in self.connection.streams if topic not in allowed]:
            self.line.hub.part(self.connection, topic)
        for topic in [topic for topic in hello.topics if topic in allowed]:
            cursor = hello.topics[topic]
            if cursor is None or topic not in self.connection.streams:
                self.connection.streams[topic] = Stream(topic, cursor)
                self.line.hub.join(self.connection, topic)
        self.connection.is_console = any(not topic.startswith("person:") for topic in allowed)
        self.connection.push(Load(tuple(sorted(allowed)), is_hello=True))

    async def _allowed(self, topics: Sequence[str]) -> set[str]:
        """Say which topics this caller may hear; a phone's own needs no look."""
        caller = self._known()
        if all(rights.is_own(caller, topic) for topic in topics):
            return set(topics)
        return await self.line.look_together(live_watch.audible_all, (caller, topics))

    def renew(self, caller: auth.Caller, refused: Set[str]) -> None:
        """Go on with the caller's rights as they are now; what may not be heard is left."""
        self.caller = caller
        for topic in refused:
            self.line.hub.part(self.connection, topic)
            self._complain("not_allowed", "There is no such topic for you.", topic=topic)
        if not self.connection.streams:
            self.connection.close(Close.NOT_ALLOWED)

    def _begin_ack(self, ack: Ack) -> None:
        """Store it beside: whatever the database does, the socket is read on and pings answered."""
        if ack in self._acks or len(self._acks) >= ACKS_MOST:
            return  # the phone says it again until it is confirmed
        task = asyncio.create_task(self._acknowledge(ack), name="live ack")
        self._acks[ack] = task
        task.add_done_callback(lambda _: self._acks.pop(ack, None))

    async def _end_acks(self) -> None:
        tasks = list(self._acks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _acknowledge(self, ack: Ack) -> None:
        """Store how far an alert has come on the device, then confirm it."""
        self.connection.push(await live_acks.answer(self.line.database, self._known(), ack))

    def _locate(self, said: Position | str, heard_at: float) -> None:
        if self._reporter is None or self._reporter.is_gone:
            self._reporter = self.line.positions.person(self._known().id)
        self.line.positions.hear(self._reporter, said, self._complain, heard_at)

    def _known(self) -> auth.Caller:
        """Return who this is; asked only after the sign-in."""
        if self.caller is None:
            raise RuntimeError("nobody has signed in")
        return self.caller
