"""A bare client of the live socket for tests: sends what it is told, hands over every frame."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import uvicorn
from callers import Member
from fastapi import FastAPI
from waiting import until
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from dispatch import db
from realtime import log
from web import live_frames, position_socket

#: The kind of what tests append to fill a topic.
MEANINGLESS = "x"
_SHAPES = {shape.model_fields["type"].annotation.__args__[0]: shape for shape in live_frames.DOWN}  # type: ignore[union-attr]  # a Literal


async def append(store: db.Database, topic: str, count: int = 1) -> None:
    """Append some events of no meaning to a topic, in one transaction."""
    async with store.transaction() as conn:
        items = [log.Item(topic, MEANINGLESS, {"n": number}) for number in range(count)]
        await log.append_many(conn, items, at=datetime.now(UTC))


def check_frame(frame: dict[str, Any]) -> dict[str, Any]:
    """Hold a frame against its description in the AsyncAPI document, and give it back.

    Only what `append` writes tells nothing that is described.
    """
    noun = str(frame.get("topic", "")).partition(":")[0]
    shown = dict(frame)
    if frame["type"] == "event" and frame["kind"] != MEANINGLESS:
        live_frames.EVENT_BODIES[noun].model_validate_json(orjson.dumps(frame["body"]))
    elif frame["type"] == "event":
        shown["body"] = {}
    elif frame["type"] == "snapshot":
        live_frames.SNAPSHOTS[noun].model_validate_json(orjson.dumps(frame["body"]))
    _SHAPES[frame["type"]].model_validate_json(orjson.dumps(shown))
    return frame


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """Serve a started app on a loopback port, as `golden serve` does; give the host and port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            app, lifespan="off", ws=position_socket.PositionSocket, http="httptools",
            ws_max_size=1_000_000, ws_per_message_deflate=False, log_config=None,
            timeout_graceful_shutdown=2,
        )  # fmt: skip
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # older name
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve([listening]))
            await until(lambda: server.started)
            host, port = listening.getsockname()
            yield f"{host}:{port}"
            server.should_exit = True


class Wire:
    """One open socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.kinds: set[str] = set()

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await self.socket.send(orjson.dumps(message, option=orjson.OPT_UTC_Z).decode())

    async def hello(self, *topics: str, **cursors: Any) -> dict[str, Any]:
        """Say hello from now for the topics, and give the welcome."""
        await self.say(type="hello", topics=dict.fromkeys(topics), **cursors)
        return await self.next("welcome")

    async def resume(self, **cursors: tuple[str, str]) -> dict[str, Any]:
        """Say hello with cursors (colons in topics written as `__`), and give the welcome."""
        topics = {
            topic.replace("__", ":"): {"epoch": epoch, "seq": seq}
            for topic, (epoch, seq) in cursors.items()
        }
        await self.say(type="hello", topics=topics)
        return await self.next("welcome")

    async def next(self, kind: str | None = None) -> dict[str, Any]:
        """Give the next frame; of another kind only where none is named."""
        async with asyncio.timeout(30):
            while True:
                frame = check_frame(orjson.loads(await self.socket.recv()))
                self.kinds.add(frame["type"])
                if kind is None or frame["type"] == kind:
                    return frame

    async def end(self) -> int | None:
        """Wait for the close and give its code."""
        async with asyncio.timeout(30):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else None


@asynccontextmanager
async def wire(
    host: str, member: Member | None = None, *, headers: dict[str, str] | None = None
) -> AsyncIterator[Wire]:
    """Open a socket, with a member's token in the handshake's header."""
    sent = dict(headers or {})
    if member is not None:
        sent["Authorization"] = member.http.headers["Authorization"]
    address = f"ws://{host}/api/v1/live"
    async with connect(
        address, additional_headers=sent, compression=None, proxy=None, close_timeout=1
    ) as socket:
        yield Wire(socket)
