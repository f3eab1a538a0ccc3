"""Positions over the live socket: refused with a code, batched, kept while servers are away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import factories
import pytest
import redis.asyncio
import sqlalchemy as sa
from callers import Enrol, Member
from fastapi import FastAPI
from live_wire import Wire, serving, wire
from sqlalchemy.exc import OperationalError
from waiting import until

from dispatch import db, store, tables
from geo.position import Position
from realtime import presence, protocol
from web.position_ingest import Ingest


@pytest.fixture
async def host(app: FastAPI) -> AsyncIterator[str]:
    async with serving(app) as address:
        yield address


@pytest.fixture
def ingest(app: FastAPI) -> Ingest:
    found: Ingest = app.state.live.positions
    return found


def _soon(seconds: float = 0) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def _tell(phone: Wire, metres: float, **more: Any) -> None:
    place = factories.north_of(factories.HARBOUR, metres)
    said = {"lon": place.lon, "lat": place.lat, "accuracy_m": 5, "at": _soon(), **more}
    await phone.say(type="position", **said)


def _report(metres: float) -> protocol.Position:
    place = factories.north_of(factories.HARBOUR, metres)
    return protocol.Position(place.lon, place.lat, 5.0, _soon(), "wgs84")


async def _stored(base: db.Database, member: Member) -> Position | None:
    async with base.snapshot() as conn:
        fix = (await store.last_fixes(conn, [member.id])).get(member.id)
        return None if fix is None else fix.position


async def test_POS_8_each_refusal_has_its_code_and_the_socket_stays(
    host: str, volunteer: Enrol, enrol: Enrol
) -> None:
    responder, operator = await volunteer(), await enrol()
    async with wire(host, responder) as phone:
        await phone.hello(f"person:{responder.id}")
        for more, metres, code in (
            ({"at": _soon(-400)}, 50, "position_old"),
            ({"at": _soon(3_600)}, 50, "position_future"),
            ({"accuracy_m": 5_000}, 50, "position_vague"),
            ({}, 90_000, "position_too_fast"),
            ({"lat": 95}, 0, "bad_position"),
        ):
            await _tell(phone, metres, **more)
            assert (await phone.next("error"))["code"] == code
        await responder.http.put("/api/v1/me/duty", json={"duty": "off_duty"})
        await _tell(phone, 60)
        assert (await phone.next("error"))["code"] == "off_duty"
    async with wire(host, operator) as console:
        await console.hello("org:red")
        await _tell(console, 10)
        assert (await console.next("error"))["code"] == "not_found"


async def test_POS_21_what_is_no_position_gets_its_error_when_it_is_judged(
    host: str, volunteer: Enrol, ingest: Ingest
) -> None:
    responder = await volunteer()
    begin = '{"type":"position","lon":7.4,"lat":43.7,"accuracy_m":5,"at":'
    async with wire(host, responder) as phone:
        await phone.hello(f"person:{responder.id}")
        for text, code in (
            (begin, "bad_json"),
            (begin + '"yesterday"}', "malformed"),
            (begin + '"2026-01-01T00:00:00Z","type":"ack"}', "malformed"),
            (begin.replace("7.4", "true") + '"2026-01-01T00:00:00Z"}', "bad_position"),
        ):
            await phone.socket.send(text)
            assert (await phone.next("error"))["code"] == code
        for text in (begin, begin, begin):
            await phone.socket.send(text)
        await _tell(phone, 60)
        await until(lambda: ingest.counts.shown)
    assert ingest.counts.failures == 0


async def test_POS_8_over_http_the_reason_stands_beside_the_position_in_use(
    volunteer: Enrol,
) -> None:
    responder = await volunteer()
    far = factories.north_of(factories.HARBOUR, 60_000)
    for said, code in (
        ({"lon": far.lon, "lat": far.lat}, "position_too_fast"),
        ({"lon": far.lon, "lat": far.lat, "accuracy_m": 3_000}, "position_vague"),
    ):
        answer = await responder.http.put("/api/v1/me/position", json=said)
        assert (answer.status_code, answer.json()["refused"]) == (200, code)
        assert answer.json()["position"]["coordinates"][1] < far.lat


async def test_POS_9_only_the_latest_is_passed_on_and_in_batches(
    ingest: Ingest, volunteer: Enrol, redis: redis.asyncio.Redis, store: db.Database
) -> None:
    people = [await volunteer() for _ in range(3)]
    for metres in (60, 70, 80):
        for member in people:
            ingest.take(member.id, _report(metres))
    await until(lambda: ingest.counts.shown)
    found = await presence.latest(redis, [str(member.id) for member in people], now=_soon())
    wanted = factories.north_of(factories.HARBOUR, 80).lat
    assert [place.lat for place in found.values()] == pytest.approx([wanted] * 3)
    assert (ingest.counts.taken, ingest.counts.shown) == (9, 3)


async def test_POS_9_at_the_end_whatever_is_left_is_told(
    app: FastAPI, volunteer: Enrol, redis: redis.asyncio.Redis, store: db.Database
) -> None:
    member = await volunteer()
    own = Ingest(store, redis)
    async with own.running():
        own.take(member.id, _report(77))
    wanted = factories.north_of(factories.HARBOUR, 77).lat
    found = await presence.latest(redis, [str(member.id)], now=_soon())
    assert found[str(member.id)].lat == pytest.approx(wanted)
    kept = await _stored(store, member)
    assert kept is not None
    assert kept.lat == pytest.approx(wanted)


async def test_POS_9_while_redis_is_away_the_latest_waits(
    volunteer: Enrol, redis: redis.asyncio.Redis, store: db.Database, monkeypatch: Any
) -> None:
    member = await volunteer()
    own = Ingest(store, redis, redis_pause_s=0.0)
    put, fails = presence.put_many, asyncio.Event()

    async def away(*_args: Any, **_more: Any) -> bool:
        fails.set()
        return False

    async with own.running():
        monkeypatch.setattr(presence, "put_many", away)
        own.take(member.id, _report(60))
        await fails.wait()
        own.take(member.id, _report(65))
        monkeypatch.setattr(presence, "put_many", put)
        await until(lambda: own.counts.shown)
    found = await presence.latest(redis, [str(member.id)], now=_soon())
    assert found[str(member.id)].lat == pytest.approx(
        factories.north_of(factories.HARBOUR, 65).lat, abs=1e-4
    )


async def test_POS_9_while_the_database_is_away_the_latest_waits(
    volunteer: Enrol, redis: redis.asyncio.Redis, store: db.Database, monkeypatch: Any
) -> None:
    member = await volunteer()
    own = Ingest(store, redis, database_pause_s=0.01)
    whole, failed = store.transaction, asyncio.Event()

    def away() -> Any:
        failed.set()
        raise OperationalError("away", None, Exception())

    async with own.running():
        monkeypatch.setattr(store, "transaction", away)
        own.take(member.id, _report(200))
        await failed.wait()
        assert own.counts.shown == 0
        monkeypatch.setattr(store, "transaction", whole)
        await until(lambda: own.counts.failures)
        own.take(member.id, _report(60))
        await until(lambda: own.counts.shown)


async def test_POS_6_off_duty_nothing_is_left_in_redis_nor_written_again(
    host: str,
    ingest: Ingest,
    volunteer: Enrol,
    redis: redis.asyncio.Redis,
    store: db.Database,
) -> None:
    responder = await volunteer()
    async with wire(host, responder) as phone:
        await phone.hello(f"person:{responder.id}")
        await _tell(phone, 60)
        await until(lambda: ingest.counts.shown)
        await responder.http.put("/api/v1/me/duty", json={"duty": "off_duty"})
        assert await presence.latest(redis, [str(responder.id)], now=_soon()) == {}
        await _tell(phone, 61)
        assert (await phone.next("error"))["code"] == "off_duty"
    async with store.snapshot() as conn:
        assert (await conn.execute(sa.select(tables.last_position))).all() == []
    for name in await redis.keys("golden:latest:*"):
        assert await redis.hkeys(name) == []
    assert await redis.keys("golden:places:*") == []


async def test_POS_8_who_went_on_duty_a_moment_ago_is_taken_at_once(
    ingest: Ingest, volunteer: Enrol, store: db.Database
) -> None:
    member = await volunteer(duty="off_duty")
    said: list[str] = []
    ingest.take(member.id, _report(60), lambda code, _detail: said.append(code))
    await until(lambda: said)
    async with store.transaction() as conn:
        await conn.execute(sa.update(tables.responder).values(duty="available"))
    ingest.take(member.id, _report(60), lambda code, _detail: said.append(code))
    await until(lambda: ingest.counts.shown)
    assert said == ["off_duty"]
