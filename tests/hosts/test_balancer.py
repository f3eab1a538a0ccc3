"""The balancer of the harness, on loopback; the rest of it needs root."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from live_processes import free_port
from waiting import until

from tests.hosts import balancer


async def _serve(port: int) -> asyncio.Server:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await reader.readline()
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    return await asyncio.start_server(answer, "127.0.0.1", port)


async def test_HST_9_a_host_that_is_not_well_is_left_and_taken_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(balancer, "CHECK_EVERY_S", 0.01)
    port = free_port()
    server = await _serve(port)
    before = balancer.Balancer("app", "127.0.0.1", port)
    await before.start()
    before.watch()
    _, writer = await asyncio.open_connection("127.0.0.1", before.edge.port)
    await until(lambda: before.edge.open_links)

    server.close()
    await until(lambda: before.edge.toxics.down)
    await until(lambda: not before.edge.open_links)
    server = await _serve(port)
    await until(lambda: not before.edge.toxics.down)

    writer.close()
    await before.close()
    server.close()
    await server.wait_closed()
