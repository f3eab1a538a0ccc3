"""The proxy passes bytes on unchanged, and each toxin does what it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from tests.chaos import proxies
from tests.chaos.proxies import DOWN, UP, Proxy


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """Stand before a server that says everything back."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    standing = Proxy("test", proxies.to_port(server.sockets[0].getsockname()[1]))
    await standing.start()
    yield standing
    await standing.close()
    server.close()


class Client:
    """A client of the proxy."""

    def __init__(self, streams: proxies.Streams) -> None:
        self.reader, self.writer = streams

    @classmethod
    async def of(cls, proxy: Proxy) -> Client:
        return cls(await proxies.to_port(proxy.port)())

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def hear(self, count: int) -> bytes:
        async with asyncio.timeout(10):
            return await self.reader.readexactly(count)

    async def is_reset(self) -> bool:
        async with asyncio.timeout(10):
            try:
                while await self.reader.read(65_536):
                    pass
            except ConnectionResetError:
                return True
        return False


async def test_CHA_4_bytes_pass_unchanged_and_in_pieces(proxy: Proxy) -> None:
    client = await Client.of(proxy)
    data = bytes(range(256)) * 2_000
    client.say(data)
    assert await client.hear(len(data)) == data
    proxy.poison(slice_bytes=7)
    client.say(data[:1_000])
    assert await client.hear(1_000) == data[:1_000]
    assert proxy.open_links == 1


async def test_CHA_4_down_resets_and_refuses(proxy: Proxy) -> None:
    client = await Client.of(proxy)
    client.say(b"x")
    await client.hear(1)
    proxy.poison(down=True)
    assert await client.is_reset()
    refused = await Client.of(proxy)
    assert await refused.is_reset()
    proxy.heal()
    again = await Client.of(proxy)
    again.say(b"y")
    assert await again.hear(1) == b"y"


async def test_CHA_4_a_black_hole_keeps_everything_until_it_heals(proxy: Proxy) -> None:
    client = await Client.of(proxy)
    client.say(b"a")
    await client.hear(1)
    proxy.poison(black_hole=True)
    client.say(b"bcd")
    waiting = asyncio.create_task(client.hear(3))
    late = asyncio.create_task(Client.of(proxy))
    await asyncio.wait({waiting}, timeout=0.05)
    assert not waiting.done()
    proxy.heal()
    assert await waiting == b"bcd"
    (await late).writer.close()


async def test_CHA_4_replies_that_were_dropped_end_the_connection(proxy: Proxy) -> None:
    heard: list[bytes] = []
    dropped = asyncio.Event()

    def spy(_link: object, way: str, data: bytes, was_passed: bool) -> bool:
        if way == DOWN and not was_passed:
            heard.append(data)
            dropped.set()
        return True

    client = await Client.of(proxy)
    proxy.spy = spy
    proxy.poison(one_way=True)
    client.say(b"lost")
    async with asyncio.timeout(10):
        await dropped.wait()
    await asyncio.sleep(0)
    proxy.heal()
    assert await client.is_reset()
    assert heard == [b"lost"]


async def test_CHA_4_a_limit_tears_a_reply_in_half(proxy: Proxy) -> None:
    client = await Client.of(proxy)
    client.say(b"x" * 10)
    await client.hear(10)
    proxy.poison(limit_bytes=5)
    client.say(b"y" * 10)
    assert await client.is_reset()


async def test_CHA_4_deaf_to_some_words_only(proxy: Proxy) -> None:
    client = await Client.of(proxy)
    proxy.poison(deaf_to=b"moved")
    client.say(b"golden:moved")
    client.say(b"")
    await asyncio.sleep(0)
    first = asyncio.create_task(client.hear(4))
    while proxy.open_links == 0:  # noqa: ASYNC110 - the proxy's own state
        await asyncio.sleep(0)
    await asyncio.wait({first}, timeout=0.05)
    assert not first.done()
    client.say(b"pong")
    assert await first == b"pong"


async def test_CHA_4_a_spy_sees_both_ways_and_may_tear(proxy: Proxy) -> None:
    seen: list[tuple[str, bytes, bool]] = []

    def spy(_link: object, way: str, data: bytes, was_passed: bool) -> bool:
        seen.append((way, data, was_passed))
        return data != b"stop"

    proxy.spy = spy
    client = await Client.of(proxy)
    client.say(b"go")
    assert await client.hear(2) == b"go"
    assert seen[0] == (UP, b"go", False)
    assert {(UP, b"go", True), (DOWN, b"go", False)} <= set(seen)
    client.say(b"stop")
    assert await client.is_reset()
