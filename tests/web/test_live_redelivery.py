"""Alerts without an ack are sent again on the same socket, by whichever process holds the phone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import factories
import pytest
from callers import Enrol, phone_of
from fastapi import FastAPI
from live_wire import Wire, serving, wire

from dispatch import alerts, db
from web.live_redelivery import Redelivery


@dataclass
class Asked:
    """A phone that was sent an alert and keeps silent."""

    socket: Wire
    event: dict[str, Any]
    scene: factories.Scene
    sent_at: datetime

    @property
    def alert(self) -> str:
        return str(self.event["body"]["alert"]["id"])


@pytest.fixture
async def host(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    monkeypatch.setattr(app.state.live.redelivery, "look", _nothing)  # the tests look themselves
    async with serving(app) as address:
        yield address


async def _nothing(*_: object, **__: object) -> None:
    pass


@asynccontextmanager
async def _asked(host: str, store: db.Database, enrol: Enrol) -> AsyncIterator[Asked]:
    async with store.transaction() as conn:
        scene = await factories.make_scene(conn, people=2, now=datetime.now(UTC))
    phone = await phone_of(store, enrol, scene.responders[0])
    async with wire(host, phone) as socket:
        await socket.hello(f"person:{phone.id}")
        await socket.next("snapshot")
        sent_at = datetime.now(UTC)
        async with store.transaction() as conn:
            await factories.send(conn, scene, now=sent_at)
        yield Asked(socket, await socket.next("event"), scene, sent_at)


async def _seconds_of_sends(app: FastAPI, asked: Asked, *, until_s: int) -> list[int]:
    """Look once a second as the process does; give the seconds at which it was sent again."""
    line, found = app.state.live, []
    redelivery = Redelivery(line)
    for second in range(1, until_s + 1):
        before = line.hub.events_repeated
        await redelivery.look(second, now=asked.sent_at + timedelta(seconds=second))
        if line.hub.events_repeated > before:
            found.append(second)
            frame = await asked.socket.next("event")
            assert frame == asked.event | {"redelivered": True}
    return found


async def test_RT_13_an_alert_without_an_ack_is_sent_again_ever_less_often(
    host: str, app: FastAPI, store: db.Database, enrol: Enrol
) -> None:
    async with _asked(host, store, enrol) as asked:
        seconds = await _seconds_of_sends(app, asked, until_s=50)
        assert all(s <= latest for s, latest in zip(seconds, (3, 6, 12, 24, 48), strict=True))


async def test_RT_13_the_ack_ends_it(
    host: str, app: FastAPI, store: db.Database, enrol: Enrol
) -> None:
    async with _asked(host, store, enrol) as asked:
        await asked.socket.say(type="ack", alert=asked.alert, level="received")
        await asked.socket.next("ack_ok")
        assert await _seconds_of_sends(app, asked, until_s=12) == []


async def test_RT_13_the_end_of_the_alert_ends_it(
    host: str, app: FastAPI, store: db.Database, enrol: Enrol
) -> None:
    async with _asked(host, store, enrol) as asked:
        expires_at = datetime.fromisoformat(asked.event["body"]["alert"]["expires_at"])
        ends_s = int((expires_at - asked.sent_at).total_seconds())
        assert max(await _seconds_of_sends(app, asked, until_s=ends_s + 60)) <= ends_s
    async with _asked(host, store, enrol) as asked:
        async with store.transaction() as conn:
            await alerts.cover(conn, asked.scene.incident.id, now=datetime.now(UTC))
        assert await _seconds_of_sends(app, asked, until_s=12) == []


async def test_RT_13_another_process_goes_on_within_five_seconds(
    host: str, app: FastAPI, store: db.Database, enrol: Enrol
) -> None:
    async with _asked(host, store, enrol) as asked:
        line = app.state.live
        for started in (0, 100):
            heir = Redelivery(line)
            before = line.hub.events_repeated
            for second in range(5):
                now = asked.sent_at + timedelta(seconds=20 + second)
                await heir.look(started + second, now=now)
            assert line.hub.events_repeated > before


async def test_RT_13_a_phone_that_has_more_to_read_first_is_left_alone(
    host: str, app: FastAPI, store: db.Database, enrol: Enrol
) -> None:
    async with _asked(host, store, enrol) as asked:
        connection = next(iter(app.state.live.hub.connections))
        connection.reload(next(iter(connection.streams)))
        topic = asked.event["topic"]
        assert not connection.streams[topic].is_live
        redelivery = Redelivery(app.state.live)
        await redelivery.look(0, now=asked.sent_at + timedelta(seconds=9))
        assert app.state.live.hub.events_repeated == 0


async def test_RT_13_without_open_alerts_nothing_is_remembered(
    host: str, app: FastAPI, store: db.Database, enrol: Enrol
) -> None:
    async with _asked(host, store, enrol) as asked:
        redelivery = Redelivery(app.state.live)
        await redelivery.look(0, now=asked.sent_at + timedelta(seconds=1))
        assert redelivery._waiting.keys() == {asked.alert}
        await asked.socket.say(type="ack", alert=asked.alert, level="shown")
        await asked.socket.next("ack_ok")
        await redelivery.look(1, now=asked.sent_at + timedelta(seconds=2))
        assert redelivery._waiting == {}
