"""The invented people and things of the demo, in a town of 400 buildings."""

from datetime import datetime
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import depots, orgs, tables
from geo import tables as geo_tables
from geo.position import Position, distance_m
from web import demo as invented
from web.commands import cities, demo
from web.demo import names, people, spots

_TOWN = sa.text("""
with town as (
    insert into dataset (name, title_zh, title_en, source, sha256, attribution, time_zone,
                         west, south, east, north, centre, imported_at)
    values ('town', '镇', 'Town', 'x', 'x', 'x', 'Europe/Monaco', 7.3, 43.7, 7.5, 43.8,
            'POINT(7.42 43.74)', :now)
    returning id
)
insert into demand_point (dataset_id, cell, position)
select town.id, '', ST_SetSRID(ST_MakePoint(7.40 + x * 0.001, 43.73 + y * 0.001), 4326)
from town, generate_series(0, 19) as x, generate_series(0, 19) as y
returning dataset_id
""")


@pytest.fixture
async def town(conn: AsyncConnection, now: datetime) -> int:
    return (await conn.execute(_TOWN, {"now": now})).scalars().first()


@pytest.fixture
async def org_id(conn: AsyncConnection) -> UUID:
    return await demo.add_org(conn, cities.CITIES["monaco"])


async def count(conn: AsyncConnection, table: sa.Table, *conditions: object) -> int:
    return await conn.scalar(sa.select(sa.func.count()).select_from(table).where(*conditions))


@pytest.fixture
async def seeded(conn: AsyncConnection, org_id: UUID, town: int, now: datetime) -> UUID:
    assert await demo.seed(conn, org_id, city="town", now=now)
    return org_id


async def test_everything_of_the_demo_is_marked_as_invented(conn, seeded):
    people_there = await count(conn, tables.person)
    assert people_there == people.RESPONDERS + len(people.STAFF)
    assert await count(conn, tables.person, tables.person.c.is_invented) == people_there
    aed = geo_tables.aed
    assert await count(conn, aed, aed.c.is_invented) == await count(conn, aed) > 15
    assert all(depot.is_invented for depot in await depots.list_depots(conn, ["demo/"]))
    assert (await orgs.find_org(conn, "demo")).is_demo


async def test_nobody_has_a_password(conn, seeded):
    assert await count(conn, tables.person, tables.person.c.password_hash.is_not(None)) == 0


async def test_the_demo_has_the_usual_and_the_unusual(conn, seeded):
    responder, certificate, aed = tables.responder.c, tables.certificate.c, geo_tables.aed.c
    assert await count(conn, tables.responder, responder.duty == "available") > 40
    assert await count(conn, tables.responder, responder.duty != "available") > 2
    today = sa.cast("2026-11-22", sa.Date)
    assert await count(conn, tables.certificate, certificate.expires_on < today) > 0
    assert await count(conn, tables.certificate) < people.RESPONDERS
    assert await count(conn, geo_tables.aed, aed.status != "in_service") > 0
    assert await count(conn, geo_tables.aed, aed.hours.is_(None)) > 0
    items = await depots.list_items(conn, ["demo/"])
    assert len(items) == 8
    assert all(item.on_hand > 0 for item in items)


async def test_a_second_seeding_changes_nothing(conn, seeded, now):
    before = [await count(conn, table) for table in (tables.person, tables.lot, geo_tables.aed)]
    assert not await demo.seed(conn, seeded, city="town", now=now)
    after = [await count(conn, table) for table in (tables.person, tables.lot, geo_tables.aed)]
    assert before == after


async def test_a_large_city_is_played_around_its_middle(conn, town):
    far = sa.text(
        "insert into demand_point (dataset_id, cell, position) "
        "values (:town, '', 'POINT(7.49 43.79)')"
    )
    await conn.execute(far, {"town": town})
    near = await spots.read_positions(conn, town)
    assert len(near) == 400
    assert max(distance_m(near[0], place) for place in near) < 2 * spots.REACH_M


def test_the_same_people_are_invented_every_time(now):
    grid = [Position(7.4 + x / 1000, 43.7 + y / 1000) for x in range(20) for y in range(20)]
    first, again = (people.invent(grid, today=now.date()) for _ in range(2))
    assert first == again
    assert len({who.name for who in first}) == people.RESPONDERS
    usual = first[:10]
    assert all(who.duty == "available" and who.certified_until > now.date() for who in usual)


def test_scattered_places_keep_their_distance():
    grid = [Position(7.4 + x / 1000, 43.7 + y / 1000) for x in range(20) for y in range(20)]
    picked = spots.scatter(grid, 12, apart_m=300, random=invented.random("test"))
    assert len(picked) == 12
    pairs = [(a, b) for a in picked for b in picked if a is not b]
    assert all(distance_m(a, b) >= 300 for a, b in pairs)


def test_names_come_in_both_languages_and_differ():
    made = names.make_names(200, random=invented.random("test"))
    assert len({zh for zh, _en in made}) == 200
    assert all(en.isascii() for _zh, en in made)
