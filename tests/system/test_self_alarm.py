"""Real processes are killed, hung and put wrong, and every console hears what is broken in time."""

from __future__ import annotations

import asyncio
import ctypes.util
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import psycopg
import pytest
from live_processes import App, Bus, add_operator, add_org, app, bus, runner
from waiting import until_answer
from websockets.asyncio.client import ClientConnection, connect

from dispatch import db

pytestmark = pytest.mark.system

#: Two canaries, what they wait, and the heartbeat that follows.
ALARM_WITHIN_S = 25.0
TWO_HOURS = timedelta(hours=2)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the processes look more often than by default, so that the tests are short."""
    monkeypatch.setenv("GOLDEN_WATCH_EVERY_S", "1")


@pytest.fixture(scope="module")
def redis_server() -> Iterator[Bus]:
    with bus() as running:
        yield running


@asynccontextmanager
async def _console(database_url: str, served: App) -> AsyncIterator[ClientConnection]:
    """Open a console of an organisation that is made for it."""
    engine = db.make_engine(database_url)
    token = await add_operator(engine, await add_org(engine, "red"))
    await engine.dispose()
    async with connect(served.live_url, proxy=None) as socket:
        hello = {"type": "hello", "token": token, "topics": {"org:red": None}}
        await socket.send(orjson.dumps(hello).decode())
        yield socket


async def _until_told(socket: ClientConnection, *kinds: str) -> dict[str, Any]:
    """Wait for a heartbeat whose troubles are exactly these; give it."""
    async with asyncio.timeout(ALARM_WITHIN_S):
        while True:
            frame: dict[str, Any] = orjson.loads(await socket.recv())
            told = [one["kind"] for one in frame.get("troubles", [])]
            if frame["type"] == "heartbeat" and told == list(kinds):
                return frame


async def _until_beating(database_url: str, role: str) -> None:
    async def beats() -> bool:
        async with await psycopg.AsyncConnection.connect(database_url) as conn:
            found = await conn.execute("select from process_beat where role = %s", (role,))
            return await found.fetchone() is not None

    await until_answer(beats, within_s=60)


async def test_WAT_3_a_killed_worker_and_then_redis_are_told_in_time(
    database: str, redis_server: Bus, tmp_path: Path
) -> None:
    with runner(database, redis_server.url, tmp_path) as child:
        await _until_beating(database, "runner")
        async with (
            app(database, redis_server.url, tmp_path) as served,
            _console(database, served) as console,
        ):
            await _until_told(console)
            child.kill()
            await _until_told(console, "worker")
            async with httpx.AsyncClient(base_url=served.url) as client:
                ready = (await client.get("/readyz")).json()
            assert [one["kind"] for one in ready["troubles"]] == ["worker"]
            with runner(database, redis_server.url, tmp_path):
                await _until_told(console)
                redis_server.kill()
                await _until_told(console, "hints")
                redis_server.start()
                await _until_told(console)


def _libfaketime() -> str | None:
    """Find the library that puts clocks wrong, which Debian keeps outside of the search path."""
    places = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    return next(map(str, places), None) or ctypes.util.find_library("faketime")


async def test_WAT_8_a_machine_two_hours_off_judges_by_the_time_of_the_others(
    database: str, redis_server: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = _libfaketime()
    if library is None:
        print("libfaketime is not installed: no clock was put wrong (Debian: apt install faketime)")
        return
    monkeypatch.setenv("LD_PRELOAD", library)
    monkeypatch.setenv("FAKETIME", "+7200")
    monkeypatch.setenv("DONT_FAKE_MONOTONIC", "1")
    async with app(database, redis_server.url, tmp_path) as served:
        monkeypatch.delenv("LD_PRELOAD")
        async with _console(database, served) as console:
            # Its token is taken: nobody is signed out.
            frame = await _until_told(console, "worker", "clock")
            off = abs(datetime.fromisoformat(frame["server_time"]) - datetime.now(UTC))
            assert off < timedelta(seconds=2)
            [clock] = [one for one in frame["troubles"] if one["kind"] == "clock"]
            assert abs(clock["seconds"] - TWO_HOURS.total_seconds()) <= 2
