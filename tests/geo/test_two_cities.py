"""Two cities made from other data, both numbered from 1, lie side by side and keep their things."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path
from uuid import UUID

import bourg
import mvt
import psycopg

from dispatch import db
from geo import osm_import, tiles
from geo.osm_import import ImportCounts, Target
from geo.position import Position
from geo.tiles import Cell

EAST = 11  # where the second one begins, in thousandths of a degree


def town(street: str, east: float) -> bourg.Town:
    """Lay out one street, one house and one AED."""
    made = bourg.Town()
    made.way([(east + 1, 5), (east + 9, 5)], {"highway": "primary", "name": street})
    made.block(east + 5, 6, {"building": "yes"})
    made.node(east + 5, 5.2, {"emergency": "defibrillator", "access": "yes", "name": street})
    return made


def cell_at(place: Position, z: int) -> Cell:
    side, lat = 1 << z, math.radians(place.lat)
    y = (1 - math.asinh(math.tan(lat)) / math.pi) / 2 * side
    return tiles.cell(z, int((place.lon + 180) / 360 * side), int(y))


async def test_TIL_20_both_cities_keep_their_map_and_their_devices(
    database: str, tmp_path: Path, now: datetime
) -> None:
    def load(street: str, east: float, *, is_derived: bool = True) -> ImportCounts:
        path = town(street, east).write(tmp_path / "town.osm")
        target = Target(
            street, street, street, time_zone="UTC", org_id=UUID(int=7), is_derived=is_derived
        )
        return osm_import.import_osm(
            database, path, target, progress=lambda _stage, _share: None, now=now
        )

    load("ouest", 0, is_derived=False)  # as an earlier import left it, by the bare numbers
    assert load("est", EAST).aeds.added == 1
    for street, east in (("ouest", 0), ("est", EAST)):
        again = load(street, east).aeds
        assert (again.added, again.changed, again.unchanged, again.gone) == (0, 0, 1, 0)
    with psycopg.connect(database) as conn:
        devices = conn.execute("select name, st_x(position::geometry) from aed order by 2")
        assert [name for name, _ in devices] == ["ouest", "est"]
    engine = db.make_engine(database)
    async with engine.connect() as conn:
        for street, east in (("ouest", 0), ("est", EAST)):
            drawn = mvt.read(await tiles.base(conn, cell_at(bourg.at(east + 5, 6), 16)))
            assert {shape.properties["name"] for shape in drawn["road_label"]} == {street}
            assert len(drawn["building"]) == 1
    await engine.dispose()
