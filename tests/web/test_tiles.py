"""Tiles over HTTP: public, cached by what they show, and never for an address that cannot be."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import bourg
import factories
import httpx
import mvt
import pytest
from callers import Enrol, code_of
from fastapi import FastAPI

from dispatch import db, depots
from dispatch.settings import Settings
from geo import aeds, osm_import
from geo.mvt import world
from geo.osm_import import Target
from web.tiles import MEDIA_TYPE, Kept, TileCache

#: The tile of zoom 14 in which most of the small town lies.
TILE = "14/8510/6019"


def harbour(z: int) -> tuple[int, int]:
    """Name the tile in which the factories' things are."""
    x, y = world(factories.HARBOUR.lon, factories.HARBOUR.lat)
    return int(x * (1 << z)), int(y * (1 << z))


def forget(app: FastAPI) -> None:
    """Let the second pass for which a process goes by what it read last."""
    app.state.tiles.aeds._read_at = None
    app.state.tiles._looked_at = -math.inf


def load(settings: Settings, folder: Path, town: bourg.Town) -> None:
    target = Target("bourg", "小镇", "Bourg", time_zone="Europe/Paris", org_id=None)
    osm_import.import_osm(
        settings.database_url, town.write(folder / "town.osm"), target,
        progress=lambda _stage, _share: None, now=datetime.now(UTC),
    )  # fmt: skip


@pytest.fixture
def town(app: FastAPI, settings: Settings, tmp_path: Path) -> None:
    """Import the small town."""
    load(settings, tmp_path, bourg.small_town())


@pytest.mark.usefixtures("town")
async def test_the_description_names_bounds_and_attribution(stranger: httpx.AsyncClient) -> None:
    body = (await stranger.get("/tiles/base.json")).json()
    assert "openstreetmap.org/copyright" in body["attribution"]
    west, south, east, north = body["bounds"]
    assert west < bourg.WEST < east
    assert south < bourg.SOUTH < north
    assert body["datasets"][0]["title_zh"] == "小镇"
    assert (body["minzoom"], body["maxzoom"]) == (8, 16)
    assert body["tiles"][0].startswith("http://testserver/tiles/base/{z}/{x}/{y}.mvt?v=")


async def test_before_any_import_the_map_is_empty_and_there(stranger: httpx.AsyncClient) -> None:
    body = (await stranger.get("/tiles/base.json")).json()
    assert (body["datasets"], body["attribution"]) == ([], "")
    assert (await stranger.get(f"/tiles/base/{TILE}.mvt")).status_code == 204


@pytest.mark.usefixtures("town")
async def test_a_tile_is_sent_once(stranger: httpx.AsyncClient) -> None:
    template = (await stranger.get("/tiles/base.json")).json()["tiles"][0]
    named = template.replace("{z}/{x}/{y}", TILE)
    first = await stranger.get(named)
    assert first.headers["Content-Type"] == MEDIA_TYPE
    assert "immutable" in first.headers["Cache-Control"]
    assert "road" in mvt.read(first.content)
    again = await stranger.get(named, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = await stranger.get(f"/tiles/base/{TILE}.mvt")
    assert "immutable" not in plain.headers["Cache-Control"]
    assert plain.content == first.content


@pytest.mark.usefixtures("town")
async def test_an_import_changes_the_tiles(
    app: FastAPI, stranger: httpx.AsyncClient, settings: Settings, tmp_path: Path
) -> None:
    before = await stranger.get(f"/tiles/base/{TILE}.mvt")
    larger = bourg.small_town()
    larger.way([(1, 8), (15, 8)], {"highway": "primary", "name": "Rue Neuve"})
    load(settings, tmp_path, larger)
    forget(app)
    after = await stranger.get(
        f"/tiles/base/{TILE}.mvt", headers={"If-None-Match": before.headers["ETag"]}
    )
    assert after.status_code == 200
    assert after.headers["ETag"] != before.headers["ETag"]
    names = {s.properties["name"] for s in mvt.read(after.content)["road_label"]}
    assert "Rue Neuve" in names


@pytest.mark.usefixtures("town")
async def test_aeds_are_kept_for_seconds_only(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/tiles/aeds/12/2127/1504.mvt?at=2026-11-22T09:00:00Z")
    assert answer.status_code == 204, "the town was imported without its AEDs"
    assert answer.headers["Cache-Control"] == "public, max-age=2"


@pytest.mark.parametrize(
    "path",
    ["base/17/0/0", "base/3/8/0", "base/3/0/-1", "nothing/3/0/0", "aeds/-1/0/0", "base/99/0/0"],
)
async def test_a_tile_that_cannot_be_is_not_found(stranger: httpx.AsyncClient, path: str) -> None:
    answer = await stranger.get(f"/tiles/{path}.mvt")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_the_address_must_be_numbers(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/tiles/base/a/b/c.mvt")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.status_code == 422


def test_the_cache_forgets_what_was_not_asked_for() -> None:
    cache = TileCache(2 * len(Kept(b"1234", "a")) + 1)
    for key in "abc":
        cache.keep(key, Kept(b"1234", key))
        cache.find("a")
    assert [cache.find(key) is not None for key in "abc"] == [True, False, True]
    cache.keep("a", Kept(b"12", "a"))
    found = cache.find("a")
    assert found is not None
    assert found.content == b"12"


async def test_TIL_6_an_edit_is_in_the_next_tile_and_else_nothing_is_sent_twice(
    app: FastAPI, stranger: httpx.AsyncClient, store: db.Database
) -> None:
    now = datetime.now(UTC)
    path = f"/tiles/aeds/14/{'/'.join(map(str, harbour(14)))}.mvt"
    assert (await stranger.get(path)).status_code == 204
    async with store.transaction() as conn:
        org_id = await factories.make_org(conn)
        aed = await factories.make_aed(conn, org_id, now=now)
    forget(app)
    first = await stranger.get(path)
    [shape] = mvt.read(first.content)["aeds"]
    assert (shape.properties["id"], shape.properties["usable"]) == (str(aed.id), "yes")
    seen = {"If-None-Match": first.headers["ETag"]}
    forget(app)
    assert (await stranger.get(path, headers=seen)).status_code == 304
    async with store.transaction() as conn:
        await aeds.withdraw(conn, aed.id, actor_id=None, now=now)
    forget(app)
    assert (await stranger.get(path, headers=seen)).status_code == 204


async def test_TIL_6_large_tiles_travel_compressed(
    app: FastAPI, stranger: httpx.AsyncClient, store: db.Database
) -> None:
    async with store.transaction() as conn:
        org_id = await factories.make_org(conn)
        for _ in range(20):
            await factories.make_aed(conn, org_id, now=datetime.now(UTC))
    forget(app)
    path = f"/tiles/aeds/14/{'/'.join(map(str, harbour(14)))}.mvt"
    packed = await stranger.get(path, headers={"Accept-Encoding": "gzip"})
    plain = await stranger.get(path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["Content-Length"]) < len(plain.content)
    assert packed.headers["ETag"] != plain.headers["ETag"]


@pytest.mark.parametrize("layer", ["responders", "coverage", "depots"])
async def test_TIL_7_what_is_not_public_asks_who_is_looking(
    stranger: httpx.AsyncClient, enrol: Enrol, layer: str
) -> None:
    path = f"/tiles/{layer}/{'/'.join(map(str, (14, *harbour(14))))}.mvt"
    assert code_of(await stranger.get(path)) == (401, "not_signed_in")
    member = await enrol("responder")
    assert code_of(await member.http.get(path)) == (403, "not_allowed")


async def test_TIL_7_volunteers_are_counted_from_five_on_and_only_ones_own(
    enrol: Enrol, volunteer: Enrol
) -> None:
    operator, foreign = await enrol("operator"), await enrol("operator", "blue")
    path = f"/tiles/responders/{'/'.join(map(str, (13, *harbour(13))))}.mvt"
    for _ in range(4):
        await volunteer(metres=10)
    await volunteer(metres=10, duty="off_duty")
    assert (await operator.http.get(path)).status_code == 204
    await volunteer(metres=10)
    answer = await operator.http.get(path)
    [shape] = mvt.read(answer.content)["responders"]
    assert shape.properties.keys() == {"cell", "count"}
    assert shape.properties["count"] == 5
    assert answer.headers["Cache-Control"].startswith("private")
    assert (await foreign.http.get(path)).status_code == 204
    far_out = "/tiles/responders/5/16/11.mvt"
    assert (await operator.http.get(far_out)).status_code == 204


async def test_TIL_7_depots_are_drawn_for_those_who_see_stock(
    enrol: Enrol, store: db.Database
) -> None:
    keeper, foreign = await enrol("keeper"), await enrol("keeper", "blue")
    async with store.transaction() as conn:
        await depots.add_depot(
            conn, keeper.org.id, code="d1", name="库", position=factories.HARBOUR, phone="+377 1"
        )
    path = f"/tiles/depots/{'/'.join(map(str, (10, *harbour(10))))}.mvt"
    [shape] = mvt.read((await keeper.http.get(path)).content)["depots"]
    assert {"code": "d1", "name": "库", "org": "red"}.items() <= shape.properties.items()
    assert "phone" not in shape.properties
    assert (await foreign.http.get(path)).status_code == 204


@pytest.mark.usefixtures("town")
async def test_TIL_7_coverage_is_drawn_for_planners(enrol: Enrol) -> None:
    planner = await enrol("planner")
    answer = await planner.http.get(f"/tiles/coverage/{TILE}.mvt?at=2026-11-23T09:00:00Z")
    shapes = mvt.read(answer.content)["coverage"]
    assert shapes[0].properties.keys() == {"cell", "buildings", "covered", "share"}
    assert (await planner.http.get("/tiles/coverage/12/1/1.mvt")).status_code == 204
    nowhere = await planner.http.get(f"/tiles/coverage/{TILE}.mvt?dataset=atlantis")
    assert code_of(nowhere) == (404, "not_found")
