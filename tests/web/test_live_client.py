"""The reference client: what it does by itself when frames are missing, repeated or refused."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, NoReturn

import pytest
from callers import Enrol, Member
from fastapi import FastAPI
from live_wire import append, serving
from waiting import until

from dispatch import db
from realtime import log
from web.drill import live_machine
from web.drill.live_client import LiveClient, Refused
from web.drill.live_steps import Via


class Ear:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    def connected(self) -> None:
        self.heard.append(("connected", None))

    def lost(self, code: int | None) -> None:
        self.heard.append(("lost", code))

    def snapshot(self, topic: str, _body: dict[str, Any]) -> None:
        self.heard.append(("snapshot", topic))

    def event(self, _topic: str, kind: str, body: dict[str, Any]) -> None:
        self.heard.append((kind, body["n"]))


@pytest.fixture
async def url(app: FastAPI) -> AsyncIterator[str]:
    async with serving(app) as host:
        yield f"ws://{host}/api/v1/live"


def _token(member: Member) -> str:
    return member.http.headers["Authorization"].removeprefix("Bearer ")


async def test_it_resumes_after_an_absence(url: str, store: db.Database, enrol: Enrol) -> None:
    ear = Ear()
    member = await enrol("operator")
    client = LiveClient(url, ["org:red"], ear, token=_token(member), back_off_s=(0.01,))
    running = asyncio.create_task(client.run())
    await until(lambda: client.snapshots == 1)
    client.go_offline()
    await until(lambda: not client.is_connected)
    async with store.transaction() as conn:
        items = [log.Item("org:red", "x", {"n": number}) for number in range(3)]
        await log.append_many(conn, items, at=datetime.now(UTC))
    client.go_online()
    await until(lambda: client.events == 3)
    running.cancel()
    assert ear.heard == [
        ("connected", None), ("snapshot", "org:red"), ("lost", None),
        ("connected", None), ("x", 0), ("x", 1), ("x", 2),
    ]  # fmt: skip
    assert client.recovered == {"org:red": True}


async def test_a_final_close_ends_it(url: str) -> None:
    client = LiveClient(url, ["org:red"], Ear(), token="nonsense")
    with pytest.raises(Refused) as refused:
        async with asyncio.timeout(10):
            await client.run()
    assert refused.value.code == 4001


async def test_a_topic_that_is_refused_is_asked_for_no_more(url: str, enrol: Enrol) -> None:
    member = await enrol("operator")
    client = LiveClient(url, ["org:red", "org:blue"], Ear(), token=_token(member))
    running = asyncio.create_task(client.run())
    await until(lambda: client.welcomes == 1)
    running.cancel()
    assert set(client.cursors) == {"org:red"}


async def test_RT_17_without_a_socket_it_polls_and_misses_nothing(
    url: str, store: db.Database, enrol: Enrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cuts at random while events are written, and a proxy that lets no socket through."""
    monkeypatch.setattr(LiveClient, "_connect", _blocked)
    ear, chance = Ear(), random.Random(5)
    member = await enrol("operator")
    client = LiveClient(url, ["org:red"], ear, token=_token(member), rng=chance, back_off_s=(0.01,))
    running = asyncio.create_task(client.run())
    await until(lambda: client.snapshots == 1)
    for number in range(30):
        await append(store, "org:red")
        if chance.random() < 0.3:
            client.go_offline()
            await append(store, "org:red")
            client.go_online()
        heard = number + 1
        await until(lambda heard=heard: client.events >= heard)  # type: ignore[misc]  # a default
    last = await _last(store)
    await until(lambda: client.events == last)
    running.cancel()
    assert (client.gaps, client.repeats, client.snapshots) == (0, 0, 1)
    assert client.cursors["org:red"] is not None
    assert client.cursors["org:red"][1] == last
    assert client.polls > 10


def _blocked(_: LiveClient) -> NoReturn:
    raise OSError("a proxy lets no socket through")


async def _last(store: db.Database) -> int:
    async with store.snapshot() as conn:
        return (await log.position_of(conn, ["org:red"]))["org:red"].seq


async def test_RT_18_polls_end_where_a_socket_gets_through(
    url: str, store: db.Database, enrol: Enrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_machine, "TRIAL_FIRST_MS", 10)
    connect = LiveClient._connect
    monkeypatch.setattr(LiveClient, "_connect", _blocked)
    ear, member = Ear(), await enrol("operator")
    client = LiveClient(url, ["org:red"], ear, token=_token(member), back_off_s=(0.01,))
    running = asyncio.create_task(client.run())
    await until(lambda: client.machine.link is Via.POLL and client.is_connected)
    monkeypatch.setattr(LiveClient, "_connect", connect)
    monkeypatch.setattr(live_machine, "TRIAL_EVERY_MS", 10)
    client.go_offline()
    client.go_online()
    await until(lambda: client.machine.link is Via.SOCKET and client.is_connected)
    await append(store, "org:red", 3)
    await until(lambda: client.events == 3)
    running.cancel()
    assert client.gaps == 0
