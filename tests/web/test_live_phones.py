"""Phones on the live socket: alerts and their acks, and positions on the way to a mission."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import factories
import pytest
import redis.asyncio
import sqlalchemy as sa
from callers import Enrol, phone_of
from fastapi import FastAPI
from live_wire import serving, wire

from dispatch import db, states, tables
from realtime import protocol


@pytest.fixture
async def host(app: FastAPI) -> AsyncIterator[str]:
    async with serving(app) as address:
        yield address


async def test_an_alert_reaches_its_phone_and_is_acknowledged(
    host: str, store: db.Database, enrol: Enrol
) -> None:
    now = datetime.now(UTC)
    async with store.transaction() as conn:
        scene = await factories.make_scene(conn, people=2, now=now)
    phone = await phone_of(store, enrol, scene.responders[0])
    async with wire(host, phone) as socket:
        welcome = await socket.hello(f"person:{phone.id}")
        assert welcome["heartbeat_s"] == protocol.IDLE_HEARTBEAT_S
        async with store.transaction() as conn:
            await factories.send(conn, scene, now=datetime.now(UTC))
        event = await socket.next("event")
        assert event["kind"] == "alert_sent"
        alert = event["body"]["alert"]["id"]
        await socket.say(type="ack", alert=alert, level="received")
        assert await socket.next("ack_ok") == {
            "type": "ack_ok", "alert": alert, "level": "received",
        }  # fmt: skip
        assert await _status(store, alert) == states.Alert.DELIVERED
        assert (await socket.next("heartbeat"))["heartbeat_s"] == protocol.HEARTBEAT_S


async def test_the_ack_of_somebody_elses_alert_is_refused(
    host: str, store: db.Database, enrol: Enrol
) -> None:
    async with store.transaction() as conn:
        scene = await factories.make_scene(conn, people=2, now=datetime.now(UTC))
        sent = await factories.send(conn, scene, now=datetime.now(UTC))
    phone = await phone_of(store, enrol, scene.responders[0])
    foreign = next(alert for alert in sent.alerts if alert.responder_id != phone.id)
    async with wire(host, phone) as socket:
        welcome = await socket.hello(f"person:{phone.id}")
        assert welcome["heartbeat_s"] == protocol.HEARTBEAT_S
        for alert in (str(foreign.id), str(uuid4())):
            await socket.say(type="ack", alert=alert, level="shown")
            assert (await socket.next("error"))["code"] == "not_found"


async def _status(store: db.Database, alert_id: str) -> str:
    async with store.snapshot() as conn:
        status = await conn.scalar(
            sa.select(tables.alert.c.status).where(tables.alert.c.id == sa.cast(alert_id, sa.Uuid))
        )
    return str(status)


async def test_RT_10_a_position_is_stored_and_shown_to_the_board_of_the_mission(
    host: str, store: db.Database, enrol: Enrol, redis: redis.asyncio.Redis
) -> None:
    del redis
    async with store.transaction() as conn:
        scene = await factories.make_scene(conn, people=2, now=datetime.now(UTC))
        sent = await factories.send(conn, scene, now=datetime.now(UTC))
    phone = await phone_of(store, enrol, sent.alerts[0].responder_id)
    console = await enrol("operator", scene.org_code)
    answer = await phone.http.post(
        f"/api/v1/alerts/{sent.alerts[0].id}/accept", json={}, headers={"Idempotency-Key": "k-1"}
    )
    assert answer.is_success, answer.text
    async with wire(host, phone) as moving, wire(host, console) as board:
        await board.hello(f"org:{scene.org_code}")
        await moving.hello(f"person:{phone.id}")
        where = {"lon": 7.42461, "lat": 43.73471, "accuracy_m": 9}
        await moving.say(type="position", **where, at=datetime.now(UTC))
        frame = await board.next("positions")
    assert frame["topic"] == f"org:{scene.org_code}"
    assert frame["items"][0]["responder"] == str(phone.id)
    assert frame["items"][0]["position"]["coordinates"] == [7.42461, 43.73471]
