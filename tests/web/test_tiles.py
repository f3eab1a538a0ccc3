"""Tiles over HTTP: public, cached by what they show, and never for an address that cannot be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import bourg
import httpx
import mvt
import pytest
from fastapi import FastAPI

from dispatch.settings import Settings
from geo import osm_import
from geo.osm_import import Target
from web.tiles import MEDIA_TYPE, TileCache

#: The tile of zoom 14 in which most of the small town lies.
TILE = "14/8510/6019"


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
    stranger: httpx.AsyncClient, settings: Settings, tmp_path: Path
) -> None:
    before = await stranger.get(f"/tiles/base/{TILE}.mvt")
    larger = bourg.small_town()
    larger.way([(1, 8), (15, 8)], {"highway": "primary", "name": "Rue Neuve"})
    load(settings, tmp_path, larger)
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
    assert answer.headers["Cache-Control"] == "public, max-age=5"


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
    cache = TileCache(10)
    for key in "abc":
        cache.keep(key, b"1234")
        cache.find("a")
    assert [cache.find(key) for key in "abc"] == [b"1234", None, b"1234"]
    cache.keep("a", b"12")
    assert cache.find("a") == b"12"
