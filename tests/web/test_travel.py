"""Travel over HTTP: lines with what time within a building adds, areas and matrices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import shapely
from callers import Enrol
from fastapi import FastAPI
from shapely.geometry import shape
from town import at, grid

from geo import walking_build
from geo.position import Position
from geo.walking import WalkingNetwork

MPS = 1.0


@pytest.fixture
def streets(app: FastAPI, tmp_path: Path) -> None:
    """Give the app a grid of 5 x 5 crossings, 100 m apart."""
    walking_build.build(grid(5).write(tmp_path / "town.osm"), tmp_path / "w", "town")
    app.state.network = WalkingNetwork.load(tmp_path / "w", speed_mps=MPS)


def point(place: Position) -> dict[str, float]:
    return {"lon": place.lon, "lat": place.lat}


def text(place: Position) -> str:
    return f"{place.lon},{place.lat}"


@pytest.mark.usefixtures("streets")
async def test_WLK_9_time_within_a_building_is_added_and_told_apart(enrol: Enrol) -> None:
    http = (await enrol("responder")).http
    ask = {"from": text(at(0, 0)), "to": text(at(300, 0)), "speed_mps": 2}
    extras = {"building": "flats", "floor": 7, "pickup_s": 60}
    body = (await http.get("/api/v1/routes", params={**ask, **extras})).json()
    assert body["travel_s"] == pytest.approx(150, abs=0.5)
    assert (body["vertical_s"], body["pickup_s"]) == (168 + 20, 60)
    assert body["total_s"] == pytest.approx(150 + 188 + 60, abs=0.5)
    assert (body["source"], body["turns"]) == ("network", [[]])
    plain = (await http.get("/api/v1/routes", params=ask)).json()
    assert plain["total_s"] == plain["travel_s"]
    for wrong in ({"speed_mps": 9}, {"building": "castle"}, {"pickup_s": -1}, {"floor": 999}):
        answer = await http.get("/api/v1/routes", params={**ask, **wrong})
        assert answer.status_code == 422


@pytest.mark.usefixtures("streets")
async def test_WLK_10_an_area_holds_what_is_reached_in_time(
    enrol: Enrol, stranger: httpx.AsyncClient
) -> None:
    http = (await enrol("planner")).http
    here = at(200, 200)
    ask: dict[str, Any] = {**point(here), "minutes": [4, 2]}
    body = (await http.get("/api/v1/isochrone", params=ask)).json()
    four, two = (shape(feature["geometry"]) for feature in body["features"])
    assert [f["properties"]["minutes"] for f in body["features"]] == [4, 2]
    assert {f["properties"]["source"] for f in body["features"]} == {"network"}
    assert all(area.geom_type == "MultiPolygon" and area.is_valid for area in (four, two))
    assert two.difference(four).area < 0.02 * two.area  # but for how outlines are simplified
    # 240 m on a grid of 100 m blocks: two blocks along a street, one round a corner and some.
    for east, north, is_in in ((200, 0, True), (300, 100, True), (0, 0, False), (50, 50, False)):
        place = at(east, north)
        assert four.contains(shapely.Point(place.lon, place.lat)) is is_in, (east, north)
    circle = await http.get("/api/v1/isochrone", params={**ask, "mode": "car"})
    assert {f["properties"]["source"] for f in circle.json()["features"]} == {"estimate"}
    assert (await stranger.get("/api/v1/isochrone", params=ask)).status_code == 401
    for wrong in ({"minutes": 0}, {"minutes": 90}, {"minutes": [1, 2, 3, 4, 5]}, {"lat": 99}):
        answer = await http.get("/api/v1/isochrone", params={**ask, **wrong})
        assert answer.status_code == 422


@pytest.mark.usefixtures("streets")
async def test_WLK_11_a_matrix_is_bounded_and_marks_its_estimates(
    enrol: Enrol, stranger: httpx.AsyncClient
) -> None:
    http = (await enrol()).http
    far = point(at(2000, 0))
    body = {
        "sources": [point(at(0, 0)), point(at(400, 400))],
        "targets": [point(at(100, 0)), point(at(0, 400)), far],
        "within_s": 2000,
    }
    found = (await http.post("/api/v1/matrix", json=body)).json()
    rows = found["travel_s"]
    assert rows[0][:2] == pytest.approx([100, 400], abs=0.5)
    assert rows[0][2] is None
    assert rows[1][:2] == pytest.approx([700, 400], abs=0.5)
    assert found["estimated"][0] == [False, False, False]
    wide = (await http.post("/api/v1/matrix", json={**body, "within_s": 5000})).json()
    assert wide["estimated"] == [[False, False, True]] * 2
    assert wide["travel_s"][0][2] == pytest.approx(2700, abs=2)
    near = (await http.post("/api/v1/matrix", json={**body, "within_s": 150})).json()
    assert near["travel_s"][1] == [None, None, None]
    by_car = (await http.post("/api/v1/matrix", json={**body, "mode": "car"})).json()
    assert all(all(row) for row in by_car["estimated"])
    many = {**body, "sources": [far] * 1001, "targets": [far] * 100}
    refused = await http.post("/api/v1/matrix", json=many)
    assert (refused.status_code, refused.json()["code"]) == (422, "malformed")
    assert "100100" in refused.json()["errors"][0]["message"]
    assert (await http.post("/api/v1/matrix", json={**body, "sources": []})).status_code == 422
    assert (await stranger.post("/api/v1/matrix", json=body)).status_code == 401
