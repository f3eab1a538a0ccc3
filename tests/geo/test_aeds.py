"""The registry: nearest in the true order, usable only when certain, nothing ever forgotten."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aed_history, aed_list, aeds, nearest
from geo.aed_list import Wanted
from geo.aeds import Aed
from geo.position import Position
from geo.trust import Trust
from geo.usability import Status, Usable
from geo.walking import WalkingNetwork

ORG = UUID(int=7)
HERE = Position(7.42, 43.73)
#: No streets: every walk is the straight line x 1.35.
NETWORK = WalkingNetwork([], speed_mps=1.4)


async def add(
    conn: AsyncConnection, now: datetime, position: Position = HERE, **facts: object
) -> Aed:
    said = {"name": "AED", "access": "public", "hours": "24/7", **facts, "position": position}
    return await aeds.add(conn, ORG, said, now=now)


async def scatter(conn: AsyncConnection, places: list[Position], now: datetime) -> None:
    await conn.execute(
        text(
            "insert into aed"
            " (org_id, name, position, access, hours, source, created_at, updated_at)"
            " select :org, '', ST_MakePoint(lon, lat)::geography, 'public', '24/7', 't', :now, :now"
            " from unnest(cast(:lons as float[]), cast(:lats as float[])) as place(lon, lat)"
        ),
        {
            "org": ORG, "now": now,
            "lons": [place.lon for place in places], "lats": [place.lat for place in places],
        },
    )  # fmt: skip


# ---- nearest


@pytest.mark.parametrize(
    "centre", [HERE, Position(179.999, 10.0), Position(-179.999, -10.0), Position(30.0, 89.99)]
)
async def test_nearest_are_those_of_brute_force(
    conn: AsyncConnection, now: datetime, centre: Position
) -> None:
    rng = random.Random(1)
    places = []
    for _ in range(2_000):
        lat = max(-90.0, min(90.0, centre.lat + rng.uniform(-0.05, 0.05)))
        lon = centre.lon + rng.uniform(-0.05, 0.05) / max(0.01, math.cos(math.radians(lat)))
        places.append(Position((lon + 180) % 360 - 180, lat))
    await scatter(conn, places, now)
    exact = await conn.execute(
        text(
            "select id from aed"
            " where ST_Distance(position, ST_MakePoint(:lon, :lat)::geography) <= 3000"
            " order by ST_Distance(position, ST_MakePoint(:lon, :lat)::geography), id limit 40"
        ),
        {"lon": centre.lon, "lat": centre.lat},
    )
    found = await aeds.near(conn, centre, within_m=3_000, limit=40)
    assert [aed.id for aed in found] == [row.id for row in exact]
    assert len({aed.id for aed in found}) == len(found) > 10


async def test_ties_stand_in_the_order_of_their_ids(conn: AsyncConnection, now: datetime) -> None:
    await scatter(conn, [HERE] * 50, now)
    found = [aed.id for aed in await aeds.near(conn, HERE, within_m=100, limit=10)]
    every = await conn.execute(text("select id from aed order by id limit 10"))
    assert found == [row.id for row in every]
    assert [
        near.aed.id
        for near in await nearest.find(conn, NETWORK, HERE, within_s=900, limit=10, at=now)
    ] == found


async def test_only_devices_in_service_are_near(conn: AsyncConnection, now: datetime) -> None:
    for status in Status:
        await add(conn, now, name=status, status=status)
    found = await aeds.near(conn, HERE, within_m=100, limit=10)
    assert [aed.name for aed in found] == ["in_service"]


async def test_arrival_decides_not_departure(conn: AsyncConnection, now: datetime) -> None:
    # It opens at 10:00; the walk of some six minutes begins at 9:55 and at 9:50 local time.
    away = Position(HERE.lon, HERE.lat + 360 * 1.4 / 1.35 / 111_195)
    await add(conn, now, away, hours="Mo-Su 10:00-20:00", time_zone="Europe/Monaco")
    for minute, expected in ((55, Usable.YES), (50, Usable.NO)):
        at = now.replace(hour=8, minute=minute)
        found = await nearest.find(conn, NETWORK, HERE, within_s=900, limit=5, at=at)
        assert found[0].usable.state is expected
        only = await nearest.find(
            conn, NETWORK, HERE, within_s=900, limit=5, only_usable=True, at=at
        )
        assert len(only) == (expected is Usable.YES)


async def test_a_usable_one_is_found_behind_many_that_are_not(
    conn: AsyncConnection, now: datetime
) -> None:
    for _ in range(80):
        await add(conn, now, hours=None)
    far = await add(conn, now, Position(HERE.lon, HERE.lat + 0.004))
    found = await nearest.find(conn, NETWORK, HERE, within_s=900, limit=2, only_usable=True, at=now)
    assert [near.aed.id for near in found] == [far.id]


async def test_beyond_the_time_nothing_is_near(conn: AsyncConnection, now: datetime) -> None:
    await add(conn, now, Position(HERE.lon, HERE.lat + 0.01))
    assert not await nearest.find(conn, NETWORK, HERE, within_s=600, limit=5, at=now)
    found = await nearest.find(conn, NETWORK, HERE, within_s=1_100, limit=5, at=now)
    assert found[0].travel.travel_s == pytest.approx(0.01 * 111_195 * 1.35 / 1.4, rel=1e-3)
    assert found[0].travel.source == "estimate"


async def test_running_is_quicker(conn: AsyncConnection, now: datetime) -> None:
    await add(conn, now, Position(HERE.lon, HERE.lat + 0.01))
    found = await nearest.find(conn, NETWORK, HERE, within_s=600, limit=5, speed_mps=2.8, at=now)
    assert found[0].travel.travel_s == pytest.approx(0.01 * 111_195 * 1.35 / 2.8, rel=1e-3)


# ---- entering


async def test_hours_are_meant_where_the_device_hangs(conn: AsyncConnection, now: datetime) -> None:
    await conn.execute(
        text(
            "insert into dataset (name, title_zh, title_en, source, sha256, attribution, time_zone,"
            " west, south, east, north, centre, imported_at) values"
            " ('m', 'm', 'm', 's', 'x', 'a', 'Europe/Monaco', 7, 43, 8, 44,"
            " ST_MakePoint(7.5, 43.5)::geography, :now)"
        ),
        {"now": now},
    )
    assert (await add(conn, now)).time_zone == "Europe/Monaco"
    assert (await add(conn, now, Position(114.3, 30.6))).time_zone == "Asia/Shanghai"


# ---- changes


async def test_AED_8_a_change_keeps_the_former_row(conn: AsyncConnection, now: datetime) -> None:
    actor, later = uuid4(), now + timedelta(days=1)
    aed = await add(conn, now, name="Old")
    changed = await aeds.change(conn, aed.id, {"name": "New"}, version=1, actor_id=actor, now=later)
    assert (changed.name, changed.version, changed.updated_at) == ("New", 2, later)
    kept = (await conn.execute(text("select * from aed_history"))).one()
    assert (kept.version, kept.row["name"], kept.actor_id, kept.at) == (1, "Old", actor, later)


async def test_a_stale_change_gets_the_present_state(conn: AsyncConnection, now: datetime) -> None:
    aed = await add(conn, now)
    await aeds.change(conn, aed.id, {"name": "First"}, version=1, actor_id=None, now=now)
    with pytest.raises(aeds.StaleAed) as stale:
        await aeds.change(conn, aed.id, {"name": "Second"}, version=1, actor_id=None, now=now)
    assert stale.value.present.name == "First"
    with pytest.raises(aeds.AedMissing):
        await aeds.change(conn, uuid4(), {"name": "X"}, version=1, actor_id=None, now=now)


async def test_AED_8_the_registry_can_be_read_as_it_was(
    conn: AsyncConnection, now: datetime
) -> None:
    days = [now + timedelta(days=day) for day in range(5)]
    aed = await add(conn, days[1], name="One")
    moved = Position(8.0, 44.0)
    await aeds.change(
        conn, aed.id, {"name": "Two", "position": moved}, version=1, actor_id=None, now=days[2]
    )
    await aeds.withdraw(conn, aed.id, actor_id=None, now=days[3])
    seen = [await aed_history.as_of(conn, day + timedelta(hours=1), aed_id=aed.id) for day in days]
    assert [[(then.name, then.position) for then in found] for found in seen] == [
        [],
        [("One", HERE)],
        [("Two", moved)],
        [],
        [],
    ]


async def test_AED_8_the_history_names_what_changed(conn: AsyncConnection, now: datetime) -> None:
    actor = uuid4()
    aed = await add(conn, now, name="One")
    moved = {"name": "Two", "position": Position(8.0, 44.0)}
    await aeds.change(conn, aed.id, moved, version=1, actor_id=actor, now=now)
    await aeds.change(conn, aed.id, {"brand": "B"}, version=2, actor_id=None, now=now)
    entries = await aed_history.list_changes(conn, aed.id)
    assert [(entry.version, entry.actor_id) for entry in entries] == [(3, None), (2, actor)]
    assert entries[0].changed == {"brand": (None, "B")}
    assert entries[1].changed["name"] == ("One", "Two")
    assert entries[1].changed["position"] == (HERE.geojson(), moved["position"].geojson())  # type: ignore[attr-defined]  # a position
    older = await aed_history.list_changes(conn, aed.id, before=3)
    assert [entry.version for entry in older] == [2]


async def test_withdrawing_again_changes_nothing(conn: AsyncConnection, now: datetime) -> None:
    aed = await add(conn, now)
    first = await aeds.withdraw(conn, aed.id, actor_id=None, now=now)
    again = await aeds.withdraw(conn, aed.id, actor_id=None, now=now + timedelta(days=1))
    assert first == again
    assert first.status is Status.WITHDRAWN
    assert await aeds.list_page(conn) == []


# ---- lists


async def test_boxes_hold_what_lies_in_them(conn: AsyncConnection, now: datetime) -> None:
    west, east = Position(-179.9, 0.5), Position(179.9, 0.5)
    for place in (HERE, west, east):
        await add(conn, now, place)
    found = {
        box: {aed.position for aed in await aeds.list_page(conn, box=box)}
        for box in ((7.0, 43.0, 8.0, 44.0), (179.0, 0.0, -179.0, 1.0), (8.0, 43.0, 9.0, 44.0))
    }
    assert list(found.values()) == [{HERE}, {west, east}, set()]


async def test_pages_cover_everything_once(conn: AsyncConnection, now: datetime) -> None:
    await scatter(conn, [Position(7 + n / 1000, 43.0) for n in range(25)], now)
    seen, after = [], None
    while page := await aeds.list_page(conn, after=after, limit=10):
        seen += [aed.id for aed in page]
        after = page[-1].id
    assert seen == sorted(seen)
    assert len(set(seen)) == 25


async def test_a_list_is_narrowed_by_what_a_person_looks_for(
    conn: AsyncConnection, now: datetime
) -> None:
    day = timedelta(days=1)
    facts: dict[str, dict[str, object]] = {
        "fresh": {"name": "Mairie", "verified_at": now - day},
        "old": {"verified_at": now - 100 * day},
        "due": {"verified_at": now - 25 * day, "check_every_days": 30},
        "overdue": {"verified_at": now - 31 * day, "check_every_days": 30},
        "expired": {"pads_expire_on": (now - day).date()},
        "out": {"status": Status.OUT_OF_SERVICE},
        "gone": {"status": Status.WITHDRAWN},
    }
    ids = {(await add(conn, now, **said)).id: name for name, said in facts.items()}

    async def listed(**wanted: Any) -> set[str]:
        found = await aed_list.page(conn, Wanted(**wanted), after=None, limit=50, at=now)
        return {ids[aed.id] for aed in found}

    assert await listed() == set(facts) - {"gone"}
    assert await listed(words="mair") == {"fresh"}
    assert await listed(words="%") == set(facts) - {"gone"}
    assert await listed(status=Status.WITHDRAWN) == {"gone"}
    assert await listed(is_due=True) == {"due", "overdue"}
    assert await listed(trust=Trust.VERIFIED) == {"fresh", "due"}
    assert await listed(trust=Trust.AGEING) == {"old"}
    assert await listed(trust=Trust.SUSPECT) == {"overdue"}
    assert await listed(trust=Trust.DEAD) == {"expired", "out"}
    assert await listed(org_ids=[uuid4()]) == set()
    assert await listed(box=(8.0, 43.0, 9.0, 44.0)) == set()
    first = await aed_list.page(conn, Wanted(), after=None, limit=4, at=now)
    rest = await aed_list.page(conn, Wanted(), after=first[-1].id, limit=4, at=now)
    assert [len(first), len(rest)] == [4, 2]
