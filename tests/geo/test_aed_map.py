"""The copy of the registry in memory misses nothing, and what is drawn from it is what is true."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import mvt as reader
import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch import db
from geo import aed_drawing, aed_feed, aed_tiles, aeds, mvt
from geo.aed_tiles import AedTiles
from geo.position import Position
from geo.usability import Usable

ORG = UUID(int=7)
#: In the middle of its tile of zoom 14, so that what lies around it does too.
CENTRE = Position(*mvt.degrees(13392.5 / (1 << 14), 6724.5 / (1 << 14)))
TILES = {8: (209, 105), 14: (13392, 6724)}


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    engine = db.make_engine(database)
    yield engine
    await engine.dispose()


@pytest.fixture
def store(engine: AsyncEngine) -> db.Database:
    return db.Database(engine, None)


async def add(store: db.Database, now: datetime, count: int = 1, **facts: object) -> list[UUID]:
    chance = random.Random(count)
    added = []
    async with store.transaction() as conn:
        for number in range(count):
            place = Position(
                CENTRE.lon + chance.uniform(-1e-3, 1e-3), CENTRE.lat + chance.uniform(-1e-3, 1e-3)
            )
            values = {"name": f"AED {number}", "position": place, "access": "public", **facts}
            values.setdefault("hours", "24/7")
            added.append((await aeds.add(conn, ORG, values, now=now)).id)
    return added


async def read(store: db.Database, held: AedTiles) -> None:
    async with store.snapshot() as conn:
        await held.read(conn)


async def names(held: AedTiles, now: datetime) -> set[str]:
    drawn = await held.tile(14, *TILES[14], at=None, now=now)
    return {shape.properties["name"] for shape in reader.read(drawn.content).get("aeds", [])}


async def test_TIL_1_what_is_new_changed_or_gone_is_taken_in(
    store: db.Database, now: datetime
) -> None:
    held = AedTiles()
    await read(store, held)
    assert await names(held, now) == set()
    first, second = await add(store, now, 2)
    await read(store, held)
    assert await names(held, now) == {"AED 0", "AED 1"}
    async with store.transaction() as conn:
        await aeds.change(conn, first, {"name": "Neu"}, version=1, actor_id=None, now=now)
        await aeds.withdraw(conn, second, actor_id=None, now=now)
    await read(store, held)
    assert await names(held, now) == {"Neu"}
    async with store.transaction() as conn:
        await conn.execute(text("delete from aed"))
    await read(store, held)
    assert await names(held, now) == set()


async def test_TIL_2_a_transaction_that_commits_late_is_not_missed(
    store: db.Database, engine: AsyncEngine, now: datetime
) -> None:
    held = AedTiles()
    await read(store, held)
    async with engine.connect() as slow, slow.begin():
        facts = {"name": "late", "position": CENTRE, "access": "public", "hours": "24/7"}
        await aeds.add(slow, ORG, facts, now=now - timedelta(minutes=5))
        await add(store, now)
        await read(store, held)
        assert await names(held, now) == {"AED 0"}
        before = held.generation
        await read(store, held)
        assert held.generation == before, "what was read already changes nothing"
    await read(store, held)
    assert await names(held, now) == {"AED 0", "late"}


async def test_TIL_2_numbers_of_a_former_life_are_passed_over(
    store: db.Database, now: datetime
) -> None:
    await add(store, now)
    async with store.transaction() as conn:
        await conn.execute(text("update aed_change set xid = xid + 1000000"))
    held = AedTiles()
    await read(store, held)
    before = held.generation
    await read(store, held)
    assert (held.generation, await names(held, now)) == (before, {"AED 0"})


async def test_TIL_2_very_much_news_is_a_fresh_start(
    store: db.Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aed_tiles, "_NEWS_MOST", 3)
    held = AedTiles()
    await read(store, held)
    await add(store, now, 5)
    await read(store, held)
    assert len(held) == 5
    async with store.snapshot() as conn:
        with pytest.raises(aed_feed.TooMuch):
            await aed_feed.news(conn, aed_feed.Mark(1 << 60, "1:1:"), most=9)


async def test_TIL_3_a_door_that_opens_is_open_on_the_map_at_once(
    store: db.Database, now: datetime
) -> None:
    await add(store, now, hours="Mo-Fr 09:00-17:00", time_zone="Asia/Shanghai")
    held = AedTiles()
    await read(store, held)
    opens = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    for at, state in ((now, "no"), (opens - timedelta(seconds=1), "no"), (opens, "yes")):
        drawn = await held.tile(14, *TILES[14], at=None, now=at)
        [shape] = reader.read(drawn.content)["aeds"]
        assert shape.properties["usable"] == state
        assert drawn.until > at.timestamp()
        later = await held.tile(14, *TILES[14], at=opens, now=at)
        [shape] = reader.read(later.content)["aeds"]
        assert shape.properties["usable"] == "yes"


async def test_TIL_4_counts_are_of_all_by_state(store: db.Database, now: datetime) -> None:
    await add(store, now, 30)
    await add(store, now, 20, hours="Mo-Fr 09:00-17:00", time_zone="Asia/Shanghai")
    await add(store, now, 10, hours=None)
    held = AedTiles()
    await read(store, held)
    drawn = await held.tile(8, *TILES[8], at=None, now=now)
    shapes = reader.read(drawn.content)["aed_clusters"]
    sums = [sum(s.properties[key] for s in shapes) for key in ("count", "usable", "unknown")]
    assert sums == [60, 30, 10]
    found = [len(await held.ids(state, now=now)) for state in Usable]
    assert found == [30, 20, 10]
    box = (CENTRE.lon, -90.0, -180.0, 90.0)
    assert 0 < len(await held.ids(Usable.YES, box=box, now=now)) < 30


async def test_TIL_4_too_many_in_one_tile_are_counted_there_too(
    store: db.Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aed_drawing, "SINGLE_MOST", 4)
    await add(store, now, 5)
    held = AedTiles()
    await read(store, held)
    layers = reader.read((await held.tile(14, *TILES[14], at=None, now=now)).content)
    assert sum(shape.properties["count"] for shape in layers["aed_clusters"]) == 5


async def test_TIL_5_a_tile_is_what_postgis_draws(store: db.Database, now: datetime) -> None:
    await add(store, now, 300, name="医院 Σ")
    held = AedTiles()
    await read(store, held)
    for z in (12, 14, 16):
        x, y = (int(v * (1 << z)) for v in mvt.world(CENTRE.lon, CENTRE.lat))
        ours = reader.read((await held.tile(z, x, y, at=None, now=now)).content)["aeds"]
        async with store.snapshot() as conn:
            tile = (await conn.execute(_POSTGIS, {"z": z, "x": x, "y": y})).scalar_one()
        theirs = reader.read(bytes(tile))["aeds"]
        expected = {shape.properties["id"]: shape.corners[0] for shape in theirs}
        assert {shape.properties["id"] for shape in ours} == expected.keys()
        apart = [
            np.abs(np.subtract(shape.corners[0], expected[shape.properties["id"]])).max()
            for shape in ours
        ]
        assert max(apart) <= 1, "rounding only"
        assert {shape.properties["name"] for shape in ours} == {"医院 Σ"}


_POSTGIS = text("""
select ST_AsMVT(a, 'aeds', 4096, 'geom') from (
  select id::text, ST_AsMVTGeom(ST_Transform(position::geometry, 3857),
                                ST_TileEnvelope(:z, :x, :y), 4096, 64) as geom
  from aed
) a where geom is not null
""")


def test_TIL_5_values_and_shapes_are_read_back_as_written() -> None:
    facts = {"yes": True, "one": 1, "less": -3, "half": 0.5, "word": "字", "none": None}
    frame = mvt.Frame(14, *TILES[14])
    ring = [(114.2, 30.5), (114.4, 30.5), (114.4, 30.7), (114.2, 30.7), (114.2, 30.5)]
    shape = mvt.polygon(frame, ring, facts)
    assert shape is not None
    point = mvt.point(frame, CENTRE.lon, CENTRE.lat, facts)
    [area, spot] = reader.read(mvt.layer("x", [shape, point]))["x"]
    assert area.properties == spot.properties == {k: v for k, v in facts.items() if v is not None}
    assert set(area.corners) == {(-64, -64), (-64, 4160), (4160, 4160), (4160, -64)}
    turn = sum(
        a[0] * b[1] - b[0] * a[1]
        for a, b in zip(area.corners, [*area.corners[1:], area.corners[0]], strict=True)
    )
    assert turn > 0, "outer rings run clockwise on the screen"
    assert mvt.polygon(frame, [(0, 0), (1, 0), (1, 1), (0, 0)], {}) is None
    assert mvt.layer("x", []) == b""
