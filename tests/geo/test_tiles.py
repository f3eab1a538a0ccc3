"""Tiles carry what the map style draws, in its layers, from its zooms; AEDs in their state."""

from __future__ import annotations

import math
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import bourg
import mvt
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dispatch import db
from geo import aeds, osm_import, tiles
from geo.aed_tiles import AedTiles
from geo.osm_import import Target
from geo.position import Position
from geo.tiles import Cell

if TYPE_CHECKING:
    from conftest import Servers

ORG = UUID(int=7)


def cell_at(place: Position, z: int) -> Cell:
    """Name the tile that holds a place, by the textbook formula."""
    lat = math.radians(place.lat)
    side = 1 << z
    return tiles.cell(
        z, int((place.lon + 180) / 360 * side),
        int((1 - math.asinh(math.tan(lat)) / math.pi) / 2 * side),
    )  # fmt: skip


@pytest.fixture(scope="module")
async def engine(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AsyncEngine]:
    """A database that holds the small town; tests leave it as it was."""
    path = bourg.small_town().write(tmp_path_factory.mktemp("town") / "town.osm")
    with servers.clone() as url:
        await load(url, path, "bourg")
        engine = db.make_engine(url)
        yield engine
        await engine.dispose()


async def load(url: str, path: Path, name: str) -> None:
    target = Target(name, name, name, time_zone="Europe/Paris", org_id=ORG)
    now = datetime.now(UTC)
    osm_import.import_osm(url, path, target, progress=lambda _stage, _share: None, now=now)


async def drawn(conn: AsyncConnection, place: Position, z: int) -> dict[str, list[mvt.Shape]]:
    return mvt.read(await tiles.base(conn, cell_at(place, z)))


async def devices(
    conn: AsyncConnection, place: Position, z: int, now: datetime
) -> dict[str, list[mvt.Shape]]:
    held = AedTiles()
    await held.read(conn)
    drawn = await held.tile(*cell_at(place, z), at=None, now=now)
    return mvt.read(drawn.content)


async def test_layers_appear_from_their_zoom(conn: AsyncConnection) -> None:
    seen = {z: set(await drawn(conn, bourg.at(9, 11), z)) for z in (8, 11, 12, 13, 16)}
    assert seen[8] == {"water", "road", "boundary"}
    assert {"rail", "green", "place"} <= seen[11]
    assert "road_label" in seen[12]
    assert "building" not in seen[13]
    assert seen[16] <= set(tiles.BASE_LAYERS)
    assert {"road", "place"} <= seen[16]


async def test_buildings_show_from_zoom_14(conn: AsyncConnection) -> None:
    for z, expected in ((13, False), (14, True)):
        assert ("building" in await drawn(conn, bourg.at(4.1, 10.3), z)) == expected


async def test_streets_say_their_kind_and_their_names_stand_apart(
    conn: AsyncConnection,
) -> None:
    found = await drawn(conn, bourg.at(5, 12), 15)
    road = {shape.properties["highway"]: shape.properties for shape in found["road"]}
    assert road["residential"] == {
        "kind": "minor", "highway": "residential", "rank": 6, "level": -1, "tunnel": True,
    }  # fmt: skip
    assert "name" not in road["primary"]
    names = {shape.properties["name"]: shape.properties for shape in found["road_label"]}
    assert names["中山大道"]["name_en"] == "Zhongshan Avenue"
    assert "name_zh" not in names["中山大道"]
    assert "Montée" not in names, "footways are named from zoom 16"


async def test_a_street_in_pieces_is_one_label(conn: AsyncConnection) -> None:
    await conn.execute(
        text(
            "insert into base_feature (dataset_id, layer, kind, detail, name, minzoom, geom)"
            " select dataset_id, layer, kind, detail, name, minzoom,"
            " ST_Translate(geom, ST_XMax(geom) - ST_XMin(geom), 0)"
            " from base_feature where name = 'Grande Rue'"
        )
    )
    found = await drawn(conn, bourg.at(17, 10), 14)
    labels = [s for s in found["road_label"] if s.properties["name"] == "Grande Rue"]
    assert len(labels) == 1
    assert len([s for s in found["road"] if s.properties["kind"] == "primary"]) == 2


async def test_a_tile_without_anything_is_empty(conn: AsyncConnection, now: datetime) -> None:
    nowhere = Position(-150, 0)
    assert await tiles.base(conn, cell_at(nowhere, 12)) == b""
    assert await devices(conn, nowhere, 12, now) == {}


async def test_the_sea_reaches_beyond_the_town(conn: AsyncConnection) -> None:
    found = await drawn(conn, bourg.at(30, -10), 14)
    assert [shape.properties["kind"] for shape in found["water"]] == ["sea"]


async def test_corners_lie_where_they_should(conn: AsyncConnection) -> None:
    place = bourg.at(9, 11)
    where = cell_at(place, 14)
    shape = (await drawn(conn, place, 14))["place"][0]
    side = 1 << where.z
    x = ((place.lon + 180) / 360 * side - where.x) * 4096
    row = (1 - math.asinh(math.tan(math.radians(place.lat))) / math.pi) / 2 * side
    assert shape.kind == 1
    assert shape.corners[0] == pytest.approx((x, (row - where.y) * 4096), abs=1)


async def test_devices_show_their_state_at_the_time(conn: AsyncConnection, now: datetime) -> None:
    monday = now + timedelta(days=1)
    for at, usable, reason in ((now, "no", "closed"), (monday, "yes", "open")):
        found = await devices(conn, bourg.at(5, 10.1), 12, at)
        states = {s.properties["access"]: s.properties for s in found["aeds"]}
        assert (states["public"]["usable"], states["public"]["reason"]) == (usable, reason)
        assert states["unknown"]["usable"] == "unknown"
        assert "invented" not in states["public"]
    assert states["public"]["until"] == "2026-11-23T17:00:00Z"


async def test_new_devices_show_at_once_and_withdrawn_ones_vanish(
    conn: AsyncConnection, now: datetime
) -> None:
    place = bourg.at(9, 9)
    facts = {"name": "Quai", "position": place, "access": "public", "hours": "24/7"}
    added = await aeds.add(conn, ORG, facts, is_invented=True, now=now)
    found = await devices(conn, place, 14, now)
    mine = [shape for shape in found["aeds"] if shape.properties["id"] == str(added.id)]
    assert mine[0].properties["invented"] is True
    assert mine[0].properties["usable"] == "yes"
    await aeds.withdraw(conn, added.id, actor_id=None, now=now)
    found = await devices(conn, place, 14, now)
    assert str(added.id) not in {shape.properties["id"] for shape in found["aeds"]}


async def test_far_out_devices_are_counted(conn: AsyncConnection, now: datetime) -> None:
    monday = now + timedelta(days=1)
    found = await devices(conn, bourg.at(5, 10), 9, monday)
    assert set(found) == {"aed_clusters"}
    counted = [shape.properties for shape in found["aed_clusters"]]
    assert sum(cluster["count"] for cluster in counted) == 2
    assert sum(cluster["usable"] for cluster in counted) == 1


@pytest.mark.parametrize(
    ("z", "x", "y"), [(-1, 0, 0), (17, 0, 0), (3, 8, 0), (3, 0, 8), (3, -1, 0), (99, 0, 0)]
)
def test_addresses_that_cannot_be_are_refused(z: int, x: int, y: int) -> None:
    with pytest.raises(tiles.NoSuchTile):
        tiles.cell(z, x, y)


@pytest.mark.real_data
async def test_every_tile_of_monaco_can_be_drawn_and_is_small(database: str, now: datetime) -> None:
    path = Path(os.environ["GOLDEN_TEST_DATA"]) / "osm" / "monaco.osm.pbf"
    await load(database, path, "monaco")
    engine = db.make_engine(database)
    layers: set[str] = set()
    async with engine.connect() as conn:
        for z in range(tiles.MIN_ZOOM, tiles.MAX_ZOOM + 1):
            low, high = (cell_at(Position(*p), z) for p in ((7.409, 43.7517), (7.4487, 43.7233)))
            for x in range(low.x, high.x + 1):
                for y in range(low.y, high.y + 1):
                    content = await tiles.base(conn, Cell(z, x, y))
                    layers |= set(mvt.read(content))
                    assert len(content) < 150_000, (z, x, y)
    await engine.dispose()
    assert layers == set(tiles.BASE_LAYERS)
