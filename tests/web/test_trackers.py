"""Traccar Client and OwnTracks: secrets that may only write, messages as the apps send them."""

from __future__ import annotations

import base64
import logging
from datetime import UTC, datetime
from typing import Any

import factories
import httpx
import pytest
import redis.asyncio
import sqlalchemy as sa
from callers import Enrol, Member, code_of, key
from fastapi import FastAPI
from waiting import until

from dispatch import db, tables
from realtime import presence
from web import tracker_messages
from web.api import trackers as shapes
from web.commands import logs

TRACCAR, OWNTRACKS = "/api/v1/track/traccar", "/api/v1/track/owntracks"
THERE = factories.north_of(factories.HARBOUR, 90)


async def _made(member: Member, kind: str = "traccar", path: str = "/me/trackers") -> Any:
    answer = await member.http.post(f"/api/v1{path}", json={"kind": kind}, headers=key())
    assert answer.status_code == 201, answer.text
    return shapes.NewTrackerShape.model_validate(answer.json())


def _osmand(secret: str | None, **more: Any) -> dict[str, Any]:
    now = int(datetime.now(UTC).timestamp())
    return {
        "id": secret, "lat": THERE.lat, "lon": THERE.lon, "timestamp": now, "accuracy": 8,
        "speed": 0, "bearing": 10, "altitude": 3, "batt": 80, **more,
    }  # fmt: skip


async def _seen(client: redis.asyncio.Redis, app: FastAPI, member: Member) -> presence.Place:
    taken = app.state.live.positions.counts
    await until(lambda: taken.shown)
    found = await presence.latest(client, [str(member.id)], now=datetime.now(UTC))
    return found[str(member.id)]


@pytest.mark.parametrize("how", ["query", "form", "get", "json"])
async def test_POS_10_traccar_client_reports_in_each_of_its_ways(
    app: FastAPI,
    volunteer: Enrol,
    stranger: httpx.AsyncClient,
    redis: redis.asyncio.Redis,
    how: str,
) -> None:
    responder = await volunteer()
    tracker = await _made(responder)
    sent = _osmand(tracker.secret)
    body = {
        "device_id": tracker.secret,
        "location": {
            "timestamp": datetime.now(UTC).isoformat(), "event": "motionchange",
            "coords": {"latitude": THERE.lat, "longitude": THERE.lon, "accuracy": 8},
        },
    }  # fmt: skip
    answer = await {
        "query": lambda: stranger.post(TRACCAR, params=sent),
        "form": lambda: stranger.post(TRACCAR, data=sent),
        "get": lambda: stranger.get(TRACCAR, params=sent),
        "json": lambda: stranger.post(TRACCAR, json=body),
    }[how]()
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await _seen(redis, app, responder)).lat == pytest.approx(THERE.lat)


async def test_POS_10_owntracks_always_gets_its_array(
    app: FastAPI, volunteer: Enrol, stranger: httpx.AsyncClient, redis: redis.asyncio.Redis
) -> None:
    responder = await volunteer()
    tracker = await _made(responder, "owntracks")
    basic = base64.b64encode(f"{tracker.username}:{tracker.secret}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}"}
    now = int(datetime.now(UTC).timestamp())
    location = {"_type": "location", "lat": THERE.lat, "lon": THERE.lon, "acc": 7, "tst": now}
    for body in (b"", b"{", b'{"_type":"waypoint"}', b'{"_type":"location","lat":200}'):
        answer = await stranger.post(OWNTRACKS, content=body, headers=headers)
        assert (answer.status_code, answer.json()) == (200, [])
    answer = await stranger.post(OWNTRACKS, json=location, headers=headers)
    assert (answer.status_code, answer.json()) == (200, [])
    assert (await _seen(redis, app, responder)).accuracy_m == 7


async def test_POS_11_a_secret_is_shown_once_and_hashed_and_may_only_write(
    volunteer: Enrol, stranger: httpx.AsyncClient, store: db.Database
) -> None:
    responder = await volunteer()
    headers = key()
    first = await responder.http.post(
        "/api/v1/me/trackers", json={"kind": "traccar"}, headers=headers
    )
    again = await responder.http.post(
        "/api/v1/me/trackers", json={"kind": "traccar"}, headers=headers
    )
    secret = first.json()["secret"]
    assert again.json() == first.json() | {"secret": None}
    async with store.snapshot() as conn:
        for table in (tables.tracker, tables.idempotency):
            rows = (await conn.execute(sa.select(table))).all()
            assert rows
            assert secret not in str(rows)
    listed = await responder.http.get("/api/v1/me/trackers")
    assert [item.id for item in shapes.TrackerList.model_validate(listed.json()).items] == [
        first.json()["id"]
    ]
    for path in ("/api/v1/me", "/api/v1/me/trackers"):
        refused = await stranger.get(path, headers={"Authorization": f"Bearer {secret}"})
        assert refused.status_code == 401


async def test_POS_11_a_revoked_secret_is_refused_at_once(
    enrol: Enrol, volunteer: Enrol, stranger: httpx.AsyncClient
) -> None:
    admin, responder = await enrol("admin"), await volunteer()
    path = f"/responders/{responder.id}/trackers"
    tracker = await _made(admin, path=path)
    assert (await stranger.get(TRACCAR, params=_osmand(tracker.secret))).status_code == 200
    [shown] = (await responder.http.get("/api/v1/me/trackers")).json()["items"]
    assert shown["seen_at"] is not None
    gone = await admin.http.delete(f"/api/v1{path}/{tracker.id}")
    assert gone.status_code == 204
    for secret in (tracker.secret, "nobody", None):
        answer = await stranger.get(TRACCAR, params=_osmand(secret))
        assert code_of(answer) == (403, "tracker_unknown")
        assert (await stranger.post(OWNTRACKS, json={})).status_code == 403
    operator = await enrol("operator")
    refused = await operator.http.post(f"/api/v1{path}", json={"kind": "traccar"}, headers=key())
    assert refused.status_code == 403
    foreign = await enrol("admin", org="blue")
    assert (await foreign.http.get(f"/api/v1{path}")).status_code == 404


async def test_POS_11_what_is_no_position_is_400_and_stops_nothing(
    volunteer: Enrol, stranger: httpx.AsyncClient
) -> None:
    tracker = await _made(await volunteer())
    for wrong in ({"lat": "x"}, {"lat": 95}, {"lon": ""}, {"timestamp": "soon"}, {"lat": "nan"}):
        answer = await stranger.get(TRACCAR, params=_osmand(tracker.secret, **wrong))
        assert code_of(answer) == (400, "bad_tracker_message"), wrong
        assert tracker.secret not in answer.text
    for body in (b"", b"[]", b'{"device_id":1}', b"{"):
        headers = {"Content-Type": "application/json"}
        answer = await stranger.post(TRACCAR, content=body, headers=headers)
        assert code_of(answer) == (400, "bad_tracker_message")
    assert (await stranger.get(TRACCAR, params=_osmand(tracker.secret))).status_code == 200


async def test_POS_12_off_duty_the_app_is_thanked_and_nothing_is_kept(
    app: FastAPI,
    volunteer: Enrol,
    stranger: httpx.AsyncClient,
    store: db.Database,
    redis: redis.asyncio.Redis,
) -> None:
    responder = await volunteer()
    tracker = await _made(responder)
    await responder.http.put("/api/v1/me/duty", json={"duty": "off_duty"})
    answer = await stranger.get(TRACCAR, params=_osmand(tracker.secret))
    assert answer.status_code == 200
    await until(lambda: app.state.live.positions.counts.refused)
    assert await presence.latest(redis, [str(responder.id)], now=datetime.now(UTC)) == {}
    async with store.snapshot() as conn:
        assert (await conn.execute(sa.select(tables.last_position))).all() == []


def test_POS_11_the_access_log_never_holds_the_query(caplog: pytest.LogCaptureFixture) -> None:
    record = logging.LogRecord(
        "uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d',
        ("127.0.0.1:1", "GET", f"{TRACCAR}?id=secret&lat=1&lon=2", "1.1", 200), None,
    )  # fmt: skip
    logs._without_query(record)
    assert record.getMessage() == f'127.0.0.1:1 - "GET {TRACCAR} HTTP/1.1" 200'


@pytest.mark.parametrize(
    "said",
    [
        "1795336200", "1795336200.0", "1795336200000", 1795336200, "2026-11-22T08:30:00Z",
        "2026-11-22 08:30:00", "2026-11-22T16:30:00+08:00",
    ],
)  # fmt: skip
def test_POS_10_times_are_read_in_each_spelling(now: datetime, said: Any) -> None:
    found = tracker_messages.osmand({"id": "s", "lat": "1", "lon": "2", "timestamp": said})
    assert found.at == now


def test_POS_10_of_several_positions_the_last_is_taken() -> None:
    places = [{"coords": {"latitude": n, "longitude": n}} for n in (1, 2)]
    found = tracker_messages.traccar({"device_id": "s", "location": places})
    assert (found.position.lat, found.accuracy_m, found.at) == (2.0, None, None)
    both = tracker_messages.osmand({"deviceid": "s", "location": "1.5,2.5", "accuracy": "-1"})
    assert (both.position.lon, both.accuracy_m) == (2.5, None)
