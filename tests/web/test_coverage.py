"""Coverage, search and route lines over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import bourg
import httpx
import pytest
from callers import Enrol
from fastapi import FastAPI

from dispatch import db
from dispatch.settings import Settings
from geo import aeds, osm_import
from geo.osm_import import Target


@pytest.fixture
def town(app: FastAPI, settings: Settings, tmp_path: Path) -> None:
    """Import the small town without its AEDs."""
    path = bourg.small_town().write(tmp_path / "town.osm")
    target = Target("bourg", "小镇", "Bourg", time_zone="Europe/Paris")
    osm_import.import_osm(
        settings.database_url, path, target,
        progress=lambda _stage, _share: None, now=datetime.now(UTC),
    )  # fmt: skip


@pytest.mark.usefixtures("town")
async def test_a_planner_sees_the_share_and_its_hexagons(enrol: Enrol, store: db.Database) -> None:
    planner = await enrol("planner")
    async with store.transaction() as conn:
        facts = {
            "name": "A", "position": bourg.at(4, 10.3), "access": "public",
            "hours": "Mo-Fr 08:00-18:00",
        }  # fmt: skip
        await aeds.add(conn, planner.org.id, facts, now=datetime.now(UTC))
    ask = {"at": "2026-11-23T09:00:00Z", "within_s": 240, "week": "true"}
    body = (await planner.http.get("/api/v1/coverage", params=ask)).json()
    assert (body["buildings"], body["covered"], body["share"]) == (4, 3, 0.75)
    assert (body["demand"], body["aeds_used"], body["dataset"]) == ("building", 1, "bourg")
    assert sum(f["properties"]["buildings"] for f in body["hexagons"]["features"]) == 4
    assert len(body["week"]) == 168
    assert (body["week"][9], body["week"][19], body["week"][24 * 6 + 9]) == (0.75, 0, 0)
    assert body["week_begins"] == "2026-11-22T23:00:00.000Z"
    assert body["attribution"] == "© OpenStreetMap contributors"
    sunday = {**ask, "at": "2026-11-22T09:00:00Z"}
    assert (await planner.http.get("/api/v1/coverage", params=sunday)).json()["share"] == 0


@pytest.mark.usefixtures("town")
async def test_who_may_see_it(enrol: Enrol, stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get("/api/v1/coverage")).status_code == 401
    assert (await (await enrol("keeper")).http.get("/api/v1/coverage")).status_code == 403
    planner = await enrol("planner")
    missing = await planner.http.get("/api/v1/coverage?dataset=nowhere")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    wrong = await planner.http.get("/api/v1/coverage?within_s=1")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "malformed")


async def test_without_a_city_there_is_no_coverage(enrol: Enrol) -> None:
    answer = await (await enrol("planner")).http.get("/api/v1/coverage")
    assert answer.status_code == 404


@pytest.mark.usefixtures("town")
async def test_an_address_is_found_while_it_is_typed(
    enrol: Enrol, stranger: httpx.AsyncClient
) -> None:
    operator = await enrol()
    answer = await operator.http.get("/api/v1/search", params={"q": "grande rue 9"})
    first = answer.json()["items"][0]
    assert (first["text"], first["kind"]) == ("9 Grande Rue", "address")
    lon, lat = first["position"]["coordinates"]
    assert (lon, lat) == pytest.approx((7.0031, 43.0103), abs=1e-4)
    near = {"q": "中山", "lon": 7.0, "lat": 43.0, "limit": 1}
    assert len((await operator.http.get("/api/v1/search", params=near)).json()["items"]) == 1
    assert (await operator.http.get("/api/v1/search")).status_code == 422
    assert (await stranger.get("/api/v1/search?q=x")).status_code == 200


async def test_a_line_past_an_aed(enrol: Enrol, stranger: httpx.AsyncClient) -> None:
    responder = await enrol("responder")
    ask = {"from": "7.0,43.0", "via": "7.001,43.0", "to": "7.001,43.001"}
    answer = await responder.http.get("/api/v1/routes", params=ask)
    body = answer.json()
    assert body["line"]["coordinates"] == [[7.0, 43.0], [7.001, 43.0], [7.001, 43.001]]
    assert [len(leg["coordinates"]) for leg in body["legs"]] == [2, 2]
    assert body["source"] == "estimate"
    metres = (81.3 + 111.2) * 1.35
    assert body["distance_m"] == pytest.approx(metres, rel=0.01)
    assert body["travel_s"] == pytest.approx(metres / 1.4167, rel=0.01)
    assert (await stranger.get("/api/v1/routes", params=ask)).status_code == 401


@pytest.mark.parametrize("start", ["7.0", "x,y", "7.0,43.0,1", "190,10", ""])
async def test_a_stop_that_cannot_be_is_refused(enrol: Enrol, start: str) -> None:
    operator = await enrol()
    answer = await operator.http.get("/api/v1/routes", params={"from": start, "to": "7,43"})
    assert answer.status_code == 422
