"""The live log with real processes: Redis away, processes killed and hung, slow clients."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from live_processes import (
    IS_LONG,
    App,
    Author,
    Bus,
    Heard,
    add_operator,
    add_org,
    app,
    bus,
    caught_up,
    hints_of,
)
from sqlalchemy.ext.asyncio import AsyncEngine
from waiting import until
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from dispatch import db
from realtime import connection
from realtime.protocol import Close
from web.drill.live_client import LiveClient

pytestmark = [pytest.mark.system, pytest.mark.alone]


class Place:
    """One database, one Redis, two app processes; a new organisation for each test."""

    def __init__(self, database: str, folder: Path, engine: AsyncEngine, redis: Bus) -> None:
        self.engine = engine
        self.bus = redis
        self.apps: list[App] = []
        self.token = ""
        self.author = Author(engine, hints_of(redis.url), "")
        self._database = database
        self._folder = folder
        self._running = AsyncExitStack()
        self._tests = 0

    async def start(self) -> None:
        """Add the operator and start both processes, at the same time."""
        self.token = await add_operator(self.engine, await add_org(self.engine, "red"))
        self.apps = list(await asyncio.gather(self.run_app(), self.run_app()))

    async def stop(self) -> None:
        """Stop everything."""
        await self._running.aclose()
        if self.author.hints is not None:
            await self.author.hints.aclose()

    async def run_app(self, port: int | None = None) -> App:
        """Run a further process, on a port if one is named."""
        running = app(self._database, self.bus.url, self._folder, port=port)
        return await self._running.enter_async_context(running)

    async def begin_test(self) -> None:
        """Begin with a topic that nothing has been said of."""
        self._tests += 1
        code = f"red{self._tests}"
        await add_org(self.engine, code, "red")
        self.author = Author(self.engine, self.author.hints, f"org:{code}")

    @asynccontextmanager
    async def client(self, number: int = 0) -> AsyncIterator[tuple[LiveClient, Heard]]:
        """Keep a console connected to one of the processes."""
        heard = Heard()
        client = LiveClient(
            self.apps[number].live_url, [self.author.topic], heard, token=self.token,
            back_off_s=(0.2, 0.4, 0.8),
        )  # fmt: skip
        running = asyncio.create_task(client.run())
        try:
            await until(lambda: heard.snapshots == 1, within_s=20)
            yield client, heard
        finally:
            running.cancel()
        assert (client.gaps, client.repeats) == (0, 0)


@pytest.fixture(scope="module")
async def whole_place(
    servers: Any, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Place]:
    with servers.clone() as database, bus() as redis:
        engine = db.make_engine(database)
        place = Place(database, tmp_path_factory.mktemp("apps"), engine, redis)
        try:
            await place.start()
            yield place
        finally:
            await place.stop()
            await engine.dispose()


@pytest.fixture
async def place(whole_place: Place) -> Place:
    await whole_place.begin_test()
    return whole_place


async def _away(seconds: float, author: Author) -> None:
    """Let an outage last, with events written all the while."""
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        await author.write()
        await asyncio.sleep(0.2)


# ---- Redis


@pytest.mark.parametrize("fault", ["killed", "hung", "emptied and cut"])
async def test_RT_7_nothing_is_lost_or_reconnects_while_redis_is_away(
    place: Place, fault: str
) -> None:
    away_s = 30 if IS_LONG else 4
    async with place.client(0) as (_, one), place.client(1) as (_, two):
        await place.author.write(5)
        await caught_up(one, place.author)
        if fault == "killed":
            place.bus.kill()
            await _away(away_s, place.author)
            place.bus.start()
        elif fault == "hung":
            place.bus.hang()
            await _away(away_s, place.author)
            place.bus.wake()
        else:
            await _cut_subscriptions(place, times=10)
        # Late by a look or two while it is away, and not for long after it is back.
        for heard in (one, two):
            await caught_up(heard, place.author, within_s=5)
        await place.author.write(20)
        for heard in (one, two):
            await caught_up(heard, place.author, within_s=5)
            assert (heard.welcomes, heard.snapshots, heard.losses) == (1, 1, [])


async def _cut_subscriptions(place: Place, *, times: int) -> None:
    """Stop the fan-out link only: the sockets stay up and would be deaf."""
    for _ in range(times):
        hints = place.author.hints
        assert hints is not None
        await hints.flushall()
        await hints.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await _away(0.3, place.author)


# ---- clients that were away


async def test_RT_3_a_phone_that_was_away_gets_exactly_what_it_missed(place: Place) -> None:
    async with place.client() as (client, heard):
        await place.author.write(3)
        await caught_up(heard, place.author)
        client.go_offline()
        await until(lambda: heard.losses)
        await _away(60 if IS_LONG else 2, place.author)
        await place.author.write(300)
        client.go_online()
        await caught_up(heard, place.author)
        assert client.recovered == {place.author.topic: True}
        assert heard.snapshots == 1


async def test_RT_3_a_killed_process_that_comes_back_without_redis_loses_nothing(
    place: Place,
) -> None:
    async with place.client(0) as (client, heard):
        await place.author.write(3)
        await caught_up(heard, place.author)
        place.apps[0].kill()
        place.bus.kill()
        await place.author.write(10)
        place.apps[0] = await place.run_app(place.apps[0].port)
        await caught_up(heard, place.author, within_s=20)
        await place.author.write(3)
        await caught_up(heard, place.author, within_s=5)
        assert client.recovered == {place.author.topic: True}
        assert (heard.snapshots, heard.losses) == (1, [None])
        place.bus.start()


@pytest.mark.skipif(not IS_LONG, reason="waits for the watchdog: GOLDEN_TEST_LONG=1")
async def test_a_hung_process_is_left_by_its_clients(place: Place) -> None:
    async with place.client(0) as (_, heard):
        place.apps[0].child.send_signal(signal.SIGSTOP)
        await until(lambda: heard.losses, within_s=20)
        await place.author.write(3)
        place.apps[0].child.send_signal(signal.SIGCONT)
        await caught_up(heard, place.author, within_s=30)


# ---- clients that do not read


async def test_RT_6_a_client_that_does_not_read_is_closed_and_harms_nobody(place: Place) -> None:
    many, padding = connection.QUEUE_MOST + 450, 20_000
    headers = {"Authorization": f"Bearer {place.token}"}
    async with place.client() as (_, heard), connect(
        place.apps[0].live_url, additional_headers=headers, compression=None, proxy=None,
        max_queue=1, ping_interval=None, close_timeout=1,
    ) as stuck:  # fmt: skip
        await stuck.send(f'{{"type":"hello","topics":{{"{place.author.topic}":null}}}}')
        await stuck.recv()
        await place.author.write_at_once(many, padding=padding)
        await caught_up(heard, place.author, within_s=60)
        assert heard.losses == []
        code, got = await _read_all(stuck)
        assert code == Close.TOO_SLOW
        assert got < many


@pytest.mark.skipif(not IS_LONG, reason="waits for the kernel: GOLDEN_TEST_LONG=1")
async def test_RT_6_what_a_stuck_client_held_is_given_back(place: Place) -> None:
    served = psutil.Process(place.apps[0].child.pid)
    headers = {"Authorization": f"Bearer {place.token}"}
    async with connect(
        place.apps[0].live_url, additional_headers=headers, compression=None, proxy=None,
        max_queue=1, ping_interval=None, close_timeout=1,
    ) as stuck:  # fmt: skip
        await stuck.send(f'{{"type":"hello","topics":{{"{place.author.topic}":null}}}}')
        await stuck.recv()
        own_port = stuck.local_address[1]

        def is_held() -> bool:
            held = served.net_connections(kind="tcp")
            return any(item.raddr and item.raddr.port == own_port for item in held)

        await place.author.write_at_once(connection.QUEUE_MOST + 450, padding=20_000)
        assert is_held()
        await until(lambda: not is_held(), within_s=60)


async def _read_all(stuck: ClientConnection) -> tuple[int | None, int]:
    got = 0
    async with asyncio.timeout(30):
        try:
            while True:
                await stuck.recv()
                got += 1
        except ConnectionClosed as closed:
            return (closed.rcvd.code if closed.rcvd else None), got


# ---- the end of a process


async def test_a_stopping_process_says_1012_and_another_goes_on(place: Place) -> None:
    async with place.client(0) as (_, leaving), place.client(1) as (_, staying):
        place.apps[0].child.send_signal(signal.SIGTERM)
        await until(lambda: leaving.losses == [Close.RESTARTING])
        await place.author.write(3)
        await caught_up(staying, place.author)
        assert staying.losses == []
        await until(lambda: place.apps[0].child.poll() is not None, within_s=20)
