"""The short way of positions through uvicorn's socket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from live_wire import serving
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from web import position_socket


@pytest.fixture
async def socket() -> AsyncIterator[ClientConnection]:
    """A client that hears what was queued and what was heard at once: all that begins with now."""
    app = FastAPI()

    @app.websocket("/")
    async def serve(socket: WebSocket) -> None:
        await socket.accept()
        heard: list[str] = []

        def hear(text: str) -> bool:
            if text.startswith("now"):
                heard.append(text)
                return True
            return False

        position_socket.listen(socket, hear)
        try:
            while True:
                text = await socket.receive_text()
                await socket.send_json({"queued": text, "heard": heard})
        except WebSocketDisconnect:
            return

    async with serving(app) as host, connect(f"ws://{host}/", compression=None) as client:
        await client.send("begin")
        assert await client.recv() == '{"queued":"begin","heard":[]}'
        yield client


async def test_POS_22_what_is_taken_at_once_never_comes_to_the_queue(
    socket: ClientConnection,
) -> None:
    for text in ("now 1", "now 2", "then"):
        await socket.send(text)
    assert await socket.recv() == '{"queued":"then","heard":["now 1","now 2"]}'


async def test_POS_22_pieces_other_letters_and_bytes_are_left_to_uvicorn(
    socket: ClientConnection,
) -> None:
    await socket.send(["now ", "in ", "pieces"])
    assert await socket.recv() == '{"queued":"now in pieces","heard":[]}'
    await socket.send("now 在此")
    assert await socket.recv() == '{"queued":"now 在此","heard":[]}'
    await socket.send(b"now \xff", text=True)
    with pytest.raises(ConnectionClosed) as closed:
        await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1007


async def test_RT_6_who_does_not_read_is_told_why_behind_what_waits() -> None:
    app = FastAPI()
    sent = 0

    @app.websocket("/")
    async def serve(socket: WebSocket) -> None:
        nonlocal sent
        await socket.accept()
        put = position_socket.put_of(socket)
        while put(f"{sent:06d}" + "x" * 9_000):
            sent += 1
        assert position_socket.hang_up(socket, 4008, "too_slow")
        assert not put("nothing goes behind it")
        assert not position_socket.hang_up(socket, 4001, "the first reason stands")

    async with serving(app) as host, connect(f"ws://{host}/", compression=None) as client:
        heard: list[str] = []
        with pytest.raises(ConnectionClosed) as closed:
            await _hear_all(client, heard)
    assert heard == [f"{number:06d}" for number in range(sent)]
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4008, "too_slow")


async def _hear_all(client: ClientConnection, heard: list[str]) -> None:
    while True:
        heard.append(str(await client.recv())[:6])
