"""What is nearest over HTTP: AEDs for everybody, people and depots for their own organisation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import factories
import httpx
import psycopg
import pytest
import sqlalchemy as sa
from callers import Enrol, key
from fastapi import FastAPI
from starlette.requests import Request

from dispatch import db
from geo import aeds, nearest_index
from geo.position import Position
from web import auth, recent_callers
from web.api import nearest_aeds

HERE = factories.HARBOUR
ASK = {"lon": HERE.lon, "lat": HERE.lat}


async def add(store: db.Database, org_id: UUID, metres: float, **facts: object) -> str:
    place = factories.north_of(HERE, metres)
    said = {"name": f"{metres:.0f} m", "access": "public", "hours": "24/7", "position": place}
    async with store.transaction() as conn:
        return str((await aeds.add(conn, org_id, {**said, **facts}, now=datetime.now(UTC))).id)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for changes before every answer: these tests ask at once for what they wrote."""
    as_it_is = nearest_index.Index.is_fresh

    async def doubting(index: nearest_index.Index) -> bool:
        index.doubt()
        return await as_it_is(index)

    monkeypatch.setattr(nearest_index.Index, "is_fresh", doubting)


async def features(client: httpx.AsyncClient, what: str, **ask: object) -> list[dict[str, Any]]:
    answer = await client.get(f"/api/v1/nearest/{what}", params={**ASK, **ask})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["type"] == "FeatureCollection"
    found: list[dict[str, Any]] = body["features"]
    return found


async def test_aeds_are_public_and_the_quickest_comes_first(
    enrol: Enrol, store: db.Database, stranger: httpx.AsyncClient
) -> None:
    org_id = (await enrol()).org.id
    made = [await add(store, org_id, metres) for metres in (300, 100, 200, 5_000)]
    found = await features(stranger, "aeds")
    assert [feature["id"] for feature in found] == [made[1], made[2], made[0]]
    first = found[0]["properties"]
    assert first["travel_s"] == pytest.approx(100 * 1.35 / 1.4167, abs=0.5)
    assert first["distance_m"] == pytest.approx(135, abs=1)
    assert (first["eta_source"], first["usable"]) == ("estimate", "yes")
    assert first["usable_reason"] == "always_open"
    assert found[0]["geometry"]["type"] == "Point"
    assert {"id", "position", "org", "source_ref"}.isdisjoint(first)


async def test_limits_and_filters(
    enrol: Enrol, store: db.Database, stranger: httpx.AsyncClient
) -> None:
    org_id = (await enrol()).org.id
    await add(store, org_id, 50, hours=None)
    await add(store, org_id, 60, status="out_of_service")
    known = await add(store, org_id, 150)
    assert len(await features(stranger, "aeds")) == 2
    assert len(await features(stranger, "aeds", limit=1)) == 1
    assert [f["id"] for f in await features(stranger, "aeds", usable="yes")] == [known]
    assert len(await features(stranger, "aeds", within_s=60)) == 1


async def test_the_time_of_arrival_decides(
    enrol: Enrol, store: db.Database, stranger: httpx.AsyncClient
) -> None:
    org_id = (await enrol()).org.id
    await add(store, org_id, 200, hours="Mo-Su 10:00-20:00", time_zone="Europe/Monaco")
    for minute, usable in ((58, "yes"), (50, "no")):
        found = await features(stranger, "aeds", at=f"2026-11-22T08:{minute}:00Z")
        assert found[0]["properties"]["usable"] == usable


@pytest.mark.parametrize(("mode", "speed"), [("run", 2.5), ("bike", 15 / 3.6), ("car", 30 / 3.6)])
async def test_other_ways_to_travel(
    enrol: Enrol, store: db.Database, stranger: httpx.AsyncClient, mode: str, speed: float
) -> None:
    await add(store, (await enrol()).org.id, 500)
    found = await features(stranger, "aeds", mode=mode)
    assert found[0]["properties"]["travel_s"] == pytest.approx(500 * 1.35 / speed, abs=1)
    assert found[0]["properties"]["eta_source"] == "estimate"


async def test_positions_in_the_shifted_system(
    enrol: Enrol, store: db.Database, stranger: httpx.AsyncClient
) -> None:
    org_id = (await enrol()).org.id
    async with store.transaction() as conn:
        facts = {"name": "W", "position": Position(114.3, 30.6)}
        await aeds.add(conn, org_id, facts, now=datetime.now(UTC))
    shifted = {"lon": 114.30546, "lat": 30.59757, "crs": "gcj02"}
    answer = (await stranger.get("/api/v1/nearest/aeds", params=shifted)).json()
    assert answer["crs"] == "gcj02"
    found = answer["features"][0]
    assert found["properties"]["distance_m"] < 60
    assert found["geometry"]["coordinates"] == pytest.approx([114.3055, 30.5976], abs=5e-4)


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        ({"lon": 200, "lat": 10}, "bad_position"),
        ({"lon": 10, "lat": -91}, "bad_position"),
        ({"lon": "nan", "lat": 1}, "bad_position"),
        ({"lon": 10}, "bad_position"),
        ({**ASK, "limit": 0}, "malformed"),
        ({**ASK, "mode": "fly"}, "malformed"),
        ({**ASK, "within_s": -1}, "malformed"),
        ({**ASK, "at": "yesterday"}, "malformed"),
        ({**ASK, "crs": "mars"}, "malformed"),
    ],
)
async def test_what_cannot_be_is_refused(
    stranger: httpx.AsyncClient, ask: dict[str, Any], code: str
) -> None:
    answer = await stranger.get("/api/v1/nearest/aeds", params=ask)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_people_are_for_their_organisation(
    enrol: Enrol, store: db.Database, stranger: httpx.AsyncClient
) -> None:
    now = datetime.now(UTC)
    operator = await enrol()
    async with store.transaction() as conn:
        near, far = [
            await factories.make_responder(
                conn, operator.org.id, position=factories.north_of(HERE, metres), now=now
            )
            for metres in (100, 400)
        ]
    found = await features(operator.http, "responders")
    assert [feature["id"] for feature in found] == [str(near), str(far)]
    first = found[0]["properties"]
    assert (first["usable"], first["usable_reason"]) == ("yes", "available")
    assert first["travel_s"] < found[1]["properties"]["travel_s"]
    assert len(await features(operator.http, "responders", within_s=120)) == 1
    assert await features(operator.http, "responders", skill="juggling") == []
    assert await features((await enrol(org="blue")).http, "responders") == []
    assert (await stranger.get("/api/v1/nearest/responders", params=ASK)).status_code == 401
    keeper = await enrol("keeper")
    refused = await keeper.http.get("/api/v1/nearest/responders", params=ASK)
    assert refused.status_code == 403


async def test_depots_that_can_give_so_much(enrol: Enrol) -> None:
    keeper = await enrol("keeper")

    async def post(path: str, **body: object) -> Any:
        answer = await keeper.http.post(f"/api/v1/{path}", json=body, headers=key())
        assert answer.status_code == 201, answer.text
        return answer.json()

    item = await post(
        "items", code="tent", name_zh="帐篷", name_en="Tent", unit_zh="顶", unit_en="piece"
    )
    for metres, quantity in ((1_000, 5), (3_000, 50)):
        place = factories.north_of(HERE, metres)
        depot = await post(
            "depots", code=f"d{metres}", name=f"仓库{metres}",
            position={"lon": place.lon, "lat": place.lat},
        )  # fmt: skip
        await post("lots", depot=depot["id"], item=item["id"], quantity=quantity)
    every = await features(keeper.http, "depots", item="tent")
    assert [feature["properties"]["available"] for feature in every] == [5, 50]
    assert every[0]["properties"]["travel_s"] == pytest.approx(1350 / (30 / 3.6), abs=2)
    enough = await features(keeper.http, "depots", item="tent", quantity=10)
    assert [feature["properties"]["code"] for feature in enough] == ["d3000"]
    assert await features((await enrol("keeper", org="blue")).http, "depots") == []


async def test_NEA_5_plain_and_other_questions_get_the_same_answer(
    enrol: Enrol, store: db.Database, stranger: httpx.AsyncClient, app: FastAPI
) -> None:
    member = await enrol()
    for metres in (100, 250):
        await add(store, member.org.id, metres)
    plain = {**ASK, "usable": "yes", "limit": 5, "within_s": 600.5}
    for client in (stranger, member.http):
        answers = [
            await client.get("/api/v1/nearest/aeds", params={**plain, **more})
            for more in ({}, {"mode": "walk"}, {"crs": "wgs84"}, {"unknown": "x"}, {"lang": "en"})
        ]
        assert {answer.content for answer in answers} == {answers[0].content}
        assert answers[0].headers.keys() == answers[1].headers.keys()
        assert {answer.headers["content-type"] for answer in answers} == {"application/json"}
        nearest_aeds.NearestShape.model_validate(answers[0].json())
    assert len(answers[0].json()["features"]) == 2


async def test_NEA_5_a_revoked_token_is_forgotten_within_a_second(
    enrol: Enrol, store: db.Database, app: FastAPI
) -> None:
    instant = 0.0
    member, callers = await enrol(), recent_callers.RecentCallers(lambda: instant)
    header = member.http.headers["authorization"].encode()

    async def caller() -> auth.Caller | None:
        scope = {
            "type": "http",
            "method": "GET",
            "app": app,
            "headers": [(b"authorization", header)],
        }
        found: auth.Caller | None = await callers.identify(Request(scope))
        return found

    assert await caller() is not None
    async with store.transaction() as conn:
        await conn.execute(sa.text("update api_token set revoked_at = now()"))
    assert await caller() is not None
    assert recent_callers.HOLDS_S < 1
    instant = recent_callers.HOLDS_S
    assert await caller() is None


async def test_NEA_6_without_its_database_nobody_is_told_old_places(
    enrol: Enrol, store: db.Database, stranger: httpx.AsyncClient, app: FastAPI
) -> None:
    await add(store, (await enrol()).org.id, 100)
    assert len(await features(stranger, "aeds")) == 1
    broken = app.state.database.engine.sync_engine.pool
    app.state.database.engine.sync_engine.pool = sa.NullPool(_away)
    try:
        answer = await stranger.get("/api/v1/nearest/aeds", params=ASK)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
    finally:
        app.state.database.engine.sync_engine.pool = broken
    assert len(await features(stranger, "aeds")) == 1


def _away() -> None:
    raise psycopg.OperationalError("away")


async def test_POS_18_a_depot_is_judged_at_the_arrival(enrol: Enrol) -> None:
    keeper = await enrol("keeper")
    for code, hours in (("always", "24/7"), ("day", "Mo-Su 08:00-18:00"), ("unknown", None)):
        place = factories.north_of(HERE, 10_000)
        body = {"code": code, "name": code, "position": {"lon": place.lon, "lat": place.lat}}
        body |= {} if hours is None else {"hours": hours}
        answer = await keeper.http.post("/api/v1/depots", json=body, headers=key())
        assert answer.status_code == 201, answer.text
    # Chinese time: 17:45 and 27 minutes of way are after the closing time.
    for at, day in (("2026-11-25T09:45:00Z", "no"), ("2026-11-25T09:15:00Z", "yes")):
        found = await features(keeper.http, "depots", at=at)
        told = {f["properties"]["code"]: f["properties"]["usable"] for f in found}
        assert told == {"always": "yes", "day": day, "unknown": "unknown"}
    only = await features(keeper.http, "depots", at="2026-11-25T09:45:00Z", usable="yes")
    assert [f["properties"]["code"] for f in only] == ["always"]
    assert only[0]["properties"]["eta_source"] == "estimate"
