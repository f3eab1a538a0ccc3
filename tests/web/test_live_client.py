"""The reference client: what it does by itself when frames are missing, repeated or refused."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from callers import Enrol, Member
from fastapi import FastAPI
from live_wire import serving
from waiting import until

from dispatch import db
from realtime import log
from web.drill import live_client
from web.drill.live_client import LiveClient, Refused


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


def _frame(**frame: Any) -> dict[str, Any]:
    made: dict[str, Any] = orjson.loads(orjson.dumps(frame))
    return made


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


def test_gaps_and_repeats_are_noticed() -> None:
    client = LiveClient("ws://nowhere", ["a:1"], Ear())
    client._take(_frame(type="snapshot", topic="a:1", epoch="e", seq="4", body={}))
    event = {"type": "event", "topic": "a:1", "epoch": "e", "kind": "x", "body": {"n": 5}}
    client._take(_frame(**event, seq="5"))
    client._take(_frame(**event, seq="5"))
    client._take(_frame(**event, seq="5", redelivered=True))
    with pytest.raises(ConnectionAbortedError):
        client._take(_frame(**event, seq="7"))
    client._take(_frame(type="heartbeat", topics={"a:1": "5", "b:1": "9"}, heartbeat_s=30))
    with pytest.raises(ConnectionAbortedError):
        client._take(_frame(type="heartbeat", topics={"a:1": "6"}))
    assert (client.events, client.repeats, client.gaps) == (1, 1, 2)


async def test_acks_are_kept_until_they_are_confirmed() -> None:
    client = LiveClient("ws://nowhere", ["person:1"], Ear())
    await client.ack("a", "received")
    assert not client.is_confirmed
    client._take(_frame(type="ack_ok", alert="a", level="shown"))
    assert not client.is_confirmed
    client._take(_frame(type="ack_ok", alert="a", level="received"))
    assert client.is_confirmed


def test_the_back_off_grows_and_never_stops() -> None:
    client = LiveClient("ws://nowhere", [], Ear())
    waits = [client._wait_s() for _ in range(8)]
    limits = [*live_client.BACK_OFF_S, 15.0, 15.0, 15.0]
    assert all(limit / 2 <= wait <= limit for wait, limit in zip(waits, limits, strict=True))
