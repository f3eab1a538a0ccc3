"""Coverage is the share of buildings within a walk of a usable AED, at each hour of the week."""

from __future__ import annotations

import os
import random
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import h3
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db
from geo import aeds, coverage, dataset, osm_import, walking_build
from geo.dataset import Dataset
from geo.osm_import import Target
from geo.position import Position, distance_m
from geo.usability import Usable
from geo.walking import WalkingNetwork

ORG = UUID(int=7)
#: No streets: every walk is the straight line x 1.35.
NETWORK = WalkingNetwork([], speed_mps=1.4)
WEST, SOUTH = 7.40, 43.70


def reach_m(within_s: float) -> float:
    return within_s * 1.4 / 1.35


async def make_city(
    conn: AsyncConnection, now: datetime, buildings: list[Position], kind: str = "building"
) -> Dataset:
    await conn.execute(
        text(
            "insert into dataset (name, title_zh, title_en, source, sha256, attribution, time_zone,"
            " west, south, east, north, centre, imported_at) values"
            " ('c', 'c', 'c', 's', cast(gen_random_uuid() as text), 'a', 'Europe/Monaco',"
            " 7.40, 43.70, 7.45, 43.75, ST_MakePoint(7.42, 43.72)::geography, :now)"
        ),
        {"now": now},
    )
    city = await dataset.get(conn, "c")
    for place in buildings:
        await conn.execute(
            text(
                "insert into demand_point (dataset_id, kind, cell, weight, position)"
                " values (:id, :kind, :cell, 1, ST_MakePoint(:lon, :lat)::geography)"
            ),
            {
                "id": city.id, "kind": kind, "lon": place.lon, "lat": place.lat,
                "cell": h3.latlng_to_cell(place.lat, place.lon, 10),
            },
        )  # fmt: skip
    return city


async def add(
    conn: AsyncConnection, now: datetime, position: Position, hours: str = "24/7"
) -> aeds.Aed:
    facts = {"name": "AED", "access": "public", "hours": hours, "position": position}
    return await aeds.add(conn, ORG, facts, now=now)


def scattered(count: int, seed: int) -> list[Position]:
    rng = random.Random(seed)
    return [
        Position(WEST + rng.uniform(0, 0.05), SOUTH + rng.uniform(0, 0.05)) for _ in range(count)
    ]


async def test_share_equals_brute_force(conn: AsyncConnection, now: datetime) -> None:
    houses = scattered(300, 1)
    city = await make_city(conn, now, houses)
    devices = [await add(conn, now, place) for place in scattered(12, 2)]
    found = await coverage.hexagons(conn, NETWORK, city, within_s=300, at=now)
    near = [
        min(distance_m(house, device.position) for device in devices) <= reach_m(300)
        for house in houses
    ]
    assert found.covered == sum(near)
    assert found.weight == 300
    assert found.share == pytest.approx(sum(near) / 300)
    assert sum(hexagon.weight for hexagon in found.hexagons) == 300
    assert sum(hexagon.covered for hexagon in found.hexagons) == sum(near)
    for hexagon in found.hexagons:
        inside = [
            is_near
            for house, is_near in zip(houses, near, strict=True)
            if h3.latlng_to_cell(house.lat, house.lon, 10) == hexagon.cell
        ]
        assert (hexagon.weight, hexagon.covered) == (len(inside), sum(inside))


async def test_each_hour_of_the_week_equals_an_evaluation_of_its_own(
    conn: AsyncConnection, now: datetime
) -> None:
    houses = scattered(60, 3)
    city = await make_city(conn, now, houses)
    hours = [
        "24/7",
        "Mo-Fr 08:00-18:00",
        "Sa,Su 09:00-13:00",
        "Mo-Su 22:00-06:00",
        "Fr 10:30-11:15",
    ]
    devices = [
        await add(conn, now, place, hours[n % 5]) for n, place in enumerate(scattered(10, 4))
    ]
    found = await coverage.hexagons(conn, NETWORK, city, within_s=400, with_week=True, at=now)
    assert found.week is not None
    assert len(found.week) == 168
    # `now` is a Sunday: its week began on the Monday before.
    monday = datetime(2026, 11, 16, tzinfo=ZoneInfo("Europe/Monaco"))
    assert coverage.week_begins(city, now) == monday
    for hour, share in enumerate(found.week):
        at = monday + timedelta(hours=hour)
        usable = [d for d in devices if aeds.usable(d, at).state is Usable.YES]
        near = sum(
            any(distance_m(house, d.position) <= reach_m(400) for d in usable) for house in houses
        )
        assert share == pytest.approx(near / 60), at
    assert len(set(found.week)) > 2


async def test_it_is_computed_anew_when_a_device_changes(
    conn: AsyncConnection, now: datetime
) -> None:
    city = await make_city(conn, now, [Position(7.42, 43.72)])

    async def share() -> float | None:
        return (await coverage.hexagons(conn, NETWORK, city, within_s=240, at=now)).share

    assert await share() == 0
    aed = await add(conn, now, Position(7.42, 43.72))
    assert await share() == 1
    moved = {"position": Position(7.44, 43.74)}
    await aeds.change(conn, aed.id, moved, version=1, actor_id=None, now=now)
    assert await share() == 0
    back = {"position": Position(7.42, 43.72), "hours": "Mo 08:00-09:00"}
    await aeds.change(conn, aed.id, back, version=2, actor_id=None, now=now)
    assert await share() == 0
    await aeds.change(conn, aed.id, {"hours": "24/7"}, version=3, actor_id=None, now=now)
    assert await share() == 1
    await aeds.withdraw(conn, aed.id, actor_id=None, now=now)
    assert await share() == 0


async def test_a_device_outside_the_city_covers_its_edge(
    conn: AsyncConnection, now: datetime
) -> None:
    city = await make_city(conn, now, [Position(7.40, 43.72)])
    await add(conn, now, Position(7.3985, 43.72))
    found = await coverage.hexagons(conn, NETWORK, city, within_s=240, at=now)
    assert (found.share, found.aeds_used) == (1, 1)


async def test_what_is_not_certainly_usable_covers_nothing(
    conn: AsyncConnection, now: datetime
) -> None:
    here = Position(7.42, 43.72)
    city = await make_city(conn, now, [here])
    await aeds.add(conn, ORG, {"name": "A", "position": here, "access": "public"}, now=now)
    found = await coverage.hexagons(conn, NETWORK, city, within_s=240, at=now)
    assert (found.share, found.aeds_used, found.aeds_known) == (0, 0, 1)


async def test_nothing_to_cover_has_no_share(conn: AsyncConnection, now: datetime) -> None:
    city = await make_city(conn, now, [])
    found = await coverage.hexagons(conn, NETWORK, city, within_s=240, with_week=True, at=now)
    assert (found.share, found.week, found.hexagons) == (None, None, [])


async def test_it_says_what_was_counted(conn: AsyncConnection, now: datetime) -> None:
    city = await make_city(conn, now, [Position(7.42, 43.72)], kind="street")
    found = await coverage.hexagons(conn, NETWORK, city, within_s=240, at=now)
    assert found.demand == "street"


def test_outlines_are_closed_rings() -> None:
    cell = h3.latlng_to_cell(43.72, 7.42, 10)
    ring = coverage.Hexagon(cell, 3.0, 1.0).ring()
    assert (len(ring), ring[0]) == (7, ring[-1])
    assert ring[0][0] == pytest.approx(7.42, abs=0.01)


async def test_a_city_that_is_not_there(conn: AsyncConnection) -> None:
    with pytest.raises(dataset.DatasetMissing):
        await dataset.get(conn, "nowhere")


@pytest.mark.real_data
async def test_monaco_along_its_streets(database: str, tmp_path: Path, now: datetime) -> None:
    path = Path(os.environ["GOLDEN_TEST_DATA"]) / "osm" / "monaco.osm.pbf"
    walking_build.build(path, tmp_path, "monaco")
    network = WalkingNetwork.load(tmp_path, speed_mps=1.4167)
    target = Target("monaco", "摩纳哥", "Monaco", org_id=ORG)
    osm_import.import_osm(database, path, target, progress=lambda _stage, _share: None, now=now)
    engine = db.make_engine(database)
    async with engine.connect() as conn:
        city = await dataset.get(conn, None)
        shares = [
            (await coverage.hexagons(conn, network, city, within_s=within_s, at=now)).share
            for within_s in (120, 240, 480)
        ]
        known = await aeds.list_page(conn)
        certain = [aed for aed in known if aeds.usable(aed, now).state is Usable.YES]
        houses = await conn.execute(
            text("select ST_X(position::geometry) as x, ST_Y(position::geometry) as y"
                 " from demand_point order by id")
        )  # fmt: skip
        places = [Position(row.x, row.y) for row in houses]
    await engine.dispose()
    # The other way round, one expansion for each device, is another path through the network.
    reached = set()
    for aed in certain:
        times = network.times(aed.position, places, within_s=240)
        reached |= {n for n, travel in enumerate(times) if travel is not None}
    assert shares[1] == pytest.approx(len(reached) / len(places), abs=1e-9)
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[2] < 1  # two of ten devices in the file say when they are open
