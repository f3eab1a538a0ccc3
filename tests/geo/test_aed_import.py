"""Lists of AEDs become devices: recognised over later lists, corrected by hand, never by half."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aed_custodians, aed_export, aed_history, aed_import, aeds, tables
from geo.aed_beside import Beside
from geo.aed_bulk import AedRow
from geo.aed_custodians import Custodian
from geo.aed_import import Merge, Outcome
from geo.aeds import Aed
from geo.position import Position

ORG = UUID(int=7)


def row(
    number: int, name: str, *, ref: str | None = None, east: float = 0.0, **more: Any
) -> AedRow:
    """Write a row; `east` in degrees from the square, 0.001 is about 94 m."""
    lon, lat = 115.6 + east, 32.4
    place = {"position": Position(lon, lat), "raw_lon": lon, "raw_lat": lat, "source_crs": "wgs84"}
    return AedRow(number, ref, {"name": name, "address": None, "hours": None, **place, **more})


async def merge(
    conn: AsyncConnection, *rows: AedRow, source: str = "list", now: datetime, org: UUID = ORG
) -> Merge:
    return await aed_import.merge(conn, org, rows, source=source, actor_id=None, now=now)


async def devices(conn: AsyncConnection) -> dict[str, Aed]:
    found = await conn.execute(sa.select(tables.aed).where(tables.aed.c.org_id == ORG))
    return {each.name: Aed.from_row(each) for each in found}


def outcomes(merged: Merge) -> list[str]:
    return [str(merged.outcomes[number]) for number in sorted(merged.outcomes)]


async def test_IMP_5_a_second_import_changes_nothing(conn: AsyncConnection, now: datetime) -> None:
    rows = [
        row(2, "医院", ref="1", address="中山路1号"),
        row(3, "学校", ref="2", east=0.01),
        row(4, "学校", east=0.01, location_note="体育馆"),
        row(5, "车站", east=0.02),
        row(6, "车站", east=0.02, phone="110"),
    ]
    first = await merge(conn, *rows, now=now)
    assert outcomes(first) == ["added"] * 5
    before = await aed_export.rows(conn, ORG)
    again = await merge(conn, *rows, now=now + timedelta(days=1))
    assert outcomes(again) == ["unchanged"] * 5
    assert await aed_export.rows(conn, ORG) == before
    shuffled = await merge(conn, *reversed(rows), now=now + timedelta(days=2))
    assert shuffled.count(Outcome.UNCHANGED) == 5
    assert (await conn.execute(sa.select(sa.func.count(tables.aed_history.c.id)))).scalar() == 0


async def test_IMP_12_a_changed_row_keeps_the_former_one_in_the_history(
    conn: AsyncConnection, now: datetime
) -> None:
    await merge(conn, row(2, "医院", ref="1", phone="1"), now=now)
    later = now + timedelta(days=1)
    changed = row(2, "人民医院", ref="1", phone="2")
    assert outcomes(await merge(conn, changed, now=later)) == ["changed"]
    device = (await devices(conn))["人民医院"]
    assert (device.version, device.phone, device.updated_at) == (2, "2", later)
    (entry,) = [e for e in await aed_history.list_changes(conn, device.id) if e.version == 2]
    assert entry.changed == {"name": ("医院", "人民医院"), "phone": ("1", "2")}
    (former,) = await aed_history.as_of(conn, now, aed_id=device.id)
    assert former.name == "医院"


CASES: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "renumbered": ({"ref": "5"}, {"ref": "9"}),
    "a number now": ({}, {"ref": "9"}),
    "renamed, same number": ({"ref": "5"}, {"ref": "5", "name": "市立人民医院"}),
    "renamed on the spot": ({"address": "路1号"}, {"address": "路1号", "name": "康复中心"}),
    "written otherwise": ({"name": "臺大 醫院（１）"}, {"name": "台大醫院(1)"}),
    "moved across the street": ({"address": "路1号"}, {"address": "路1号", "east": 0.003}),
    "a typing error in the number": ({"ref": "5"}, {"ref": "50", "name": "人民医院 "}),
}


@pytest.mark.parametrize("case", CASES)
async def test_IMP_6_a_later_list_recognises_the_place(
    case: str, conn: AsyncConnection, now: datetime
) -> None:
    old, new = ({"name": "人民医院", **said} for said in CASES[case])
    other = row(9, "体育馆", ref="77", east=0.0005)
    await merge(conn, row(2, **old), other, now=now)
    merged = await merge(conn, row(3, **new), other, now=now + timedelta(days=1))
    assert Outcome.ADDED not in merged.outcomes.values(), outcomes(merged)
    assert merged.missing == 0
    assert len(await devices(conn)) == 2


@pytest.mark.parametrize(
    "other",
    [
        row(3, "图书馆", ref="5", east=2.0),  # the same number in another town's list
        row(3, "人民医院", east=0.5),  # the same name in another town
        row(3, "邮局", ref="6", east=0.0002),  # another house next door
    ],
)
async def test_IMP_6_what_is_another_place_is_added(
    other: AedRow, conn: AsyncConnection, now: datetime
) -> None:
    await merge(conn, row(2, "人民医院", ref="5", address="路1号"), now=now)
    merged = await merge(conn, other, now=now)
    assert (outcomes(merged), merged.missing) == (["added"], 1)


async def test_IMP_6_devices_of_one_house_are_told_apart_and_may_swap_their_numbers(
    conn: AsyncConnection, now: datetime
) -> None:
    floors = [
        row(2, "中心", ref="1", location_note="一楼"),
        row(3, "中心", ref="2", location_note="二楼"),
    ]
    await merge(conn, *floors, now=now)
    swapped = [
        row(2, "中心", ref="2", location_note="一楼"),
        row(3, "中心", ref="1", location_note="二楼"),
    ]
    assert set(outcomes(await merge(conn, *swapped, now=now))) <= {"changed"}
    again = await merge(conn, *swapped, row(4, "中心", ref="3", location_note="三楼"), now=now)
    assert outcomes(again) == ["unchanged", "unchanged", "added"]


async def test_IMP_6_lists_of_two_sources_stay_apart_and_are_compared(
    conn: AsyncConnection, now: datetime
) -> None:
    await merge(conn, row(2, "人民医院"), source="city", now=now)
    near = [row(2, "人民医院", east=0.0001), row(3, "学校", east=0.01)]
    merged = await merge(conn, *near, source="society", now=now)
    assert (outcomes(merged), merged.alike) == (["added", "added"], (2,))


async def test_IMP_6_a_place_that_moved_far_is_warned_of(
    conn: AsyncConnection, now: datetime
) -> None:
    await merge(conn, row(2, "甲", ref="1"), row(3, "乙", ref="2", east=0.1), now=now)
    later = [row(2, "甲", ref="1", east=0.001), row(3, "乙", ref="2", east=0.11)]
    merged = await merge(conn, *later, now=now)
    assert (outcomes(merged), merged.moved) == (["changed", "changed"], (3,))


async def test_IMP_7_corrections_made_here_survive(conn: AsyncConnection, now: datetime) -> None:
    said = row(2, "医院", ref="1", hours="24/7", phone="1", floor=None)
    await merge(conn, said, now=now)
    device = (await devices(conn))["医院"]
    mended = Position(115.6005, 32.4)
    mend = {"position": mended, "hours": "Mo-Fr 08:00-17:00", "floor": "2", "name": "县医院"}
    await aeds.change(conn, device.id, mend, version=1, actor_id=uuid4(), now=now)
    assert outcomes(await merge(conn, said, now=now)) == ["unchanged"]
    newer = row(2, "医院", ref="1", hours="24/7", phone="2", floor=None, address="路1号")
    assert outcomes(await merge(conn, newer, now=now)) == ["changed"]
    kept = (await devices(conn))["县医院"]
    assert (kept.position, kept.hours, kept.floor) == (mended, "Mo-Fr 08:00-17:00", "2")
    assert (kept.phone, kept.address) == ("2", "路1号")


async def test_IMP_7_a_column_that_is_new_in_the_list_fills_only_what_nobody_said(
    conn: AsyncConnection, now: datetime
) -> None:
    await merge(conn, row(2, "医院", ref="1"), row(3, "学校", ref="2", east=0.01), now=now)
    device = (await devices(conn))["医院"]
    await aeds.change(conn, device.id, {"brand": "Mindray"}, version=1, actor_id=None, now=now)
    wider = [
        row(2, "医院", ref="1", brand="X", access="public"),
        row(3, "学校", ref="2", east=0.01, brand="X"),
    ]
    await merge(conn, *wider, now=now)
    found = await devices(conn)
    assert (found["医院"].brand, found["医院"].access, found["学校"].brand) == (
        "Mindray",
        "public",
        "X",
    )


async def test_IMP_7_withdrawn_by_hand_stays_withdrawn(
    conn: AsyncConnection, now: datetime
) -> None:
    said = row(2, "医院", ref="1", status="in_service")
    await merge(conn, said, now=now)
    device = (await devices(conn))["医院"]
    await aeds.withdraw(conn, device.id, actor_id=None, now=now)
    closed = row(2, "医院", ref="1", status="out_of_service")
    for each in (said, closed, said):
        await merge(conn, each, now=now)
    assert (await aeds.get(conn, device.id)).status == "withdrawn"


async def test_IMP_8_raw_numbers_and_datum_are_kept_and_rounding_is_no_move(
    conn: AsyncConnection, now: datetime
) -> None:
    exact = row(2, "医院", ref="1", source_crs="gcj02", raw_lon=115.606123456, raw_lat=32.401)
    await merge(conn, exact, now=now)
    device = (await devices(conn))["医院"]
    assert (device.source_crs, device.raw_lon, device.raw_lat) == ("gcj02", 115.606123456, 32.401)
    rounded = row(2, "医院", ref="1", source_crs="gcj02", raw_lon=115.6061235, raw_lat=32.401)
    assert outcomes(await merge(conn, rounded, now=now)) == ["unchanged"]


async def test_hours_are_meant_in_the_zone_of_the_place(
    conn: AsyncConnection, now: datetime
) -> None:
    kobe = row(2, "神戸", position=Position(135.2, 34.7))
    await merge(conn, kobe, row(3, "武汉", position=Position(114.3, 30.6)), now=now)
    zones = {name: device.time_zone for name, device in (await devices(conn)).items()}
    assert zones == {"神戸": "Asia/Tokyo", "武汉": "Asia/Shanghai"}


async def test_IMP_9_a_row_that_the_database_refuses_leaves_nothing(
    conn: AsyncConnection, now: datetime
) -> None:
    bad = row(3, "坏", check_every_days=-1)
    with pytest.raises(DBAPIError):
        async with conn.begin_nested():
            await merge(conn, row(2, "好"), bad, now=now)
    assert await devices(conn) == {}


async def test_IMP_10_an_export_comes_back_with_its_ids_unless_they_belong_to_others(
    conn: AsyncConnection, now: datetime
) -> None:
    aed_id = uuid4()
    ours = AedRow(2, None, {**row(2, "医院").facts, "hours": "24/7"}, aed_id, "city")
    assert outcomes(await merge(conn, ours, source="golden", now=now)) == ["added"]
    device = (await devices(conn))["医院"]
    assert (device.id, device.source, device.source_ref) == (aed_id, "city", None)
    assert outcomes(await merge(conn, ours, source="golden", now=now)) == ["unchanged"]
    other = UUID(int=8)
    assert outcomes(await merge(conn, ours, source="golden", org=other, now=now)) == ["added"]
    again = await merge(conn, ours, source="golden", org=other, now=now)
    assert outcomes(again) == ["unchanged"]
    assert [each["id"] == aed_id for each in await aed_export.rows(conn, other)] == [False]


ZHANG, LI = (
    Custodian(1, "卫生院", "张三", "1", None),
    Custodian(2, None, "李四", None, "l@example.org"),
)


async def beside(conn: AsyncConnection, aed_id: UUID) -> tuple[list[Custodian], str | None]:
    """Read what is kept beside a record."""
    code = tables.aed_code
    found = await conn.scalar(sa.select(code.c.code).where(code.c.aed_id == aed_id))
    return await aed_custodians.list_of(conn, aed_id), found


def with_beside(*people: Custodian, code: str | None = None) -> AedRow:
    return replace(row(2, "医院", ref="1"), beside=Beside(people, code))


async def test_IMP_14_custodians_and_code_come_in_and_corrections_survive(
    conn: AsyncConnection, now: datetime
) -> None:
    said = with_beside(ZHANG, LI, code="0042")
    assert outcomes(await merge(conn, said, now=now)) == ["added"]
    aed_id = (await devices(conn))["医院"].id
    assert await beside(conn, aed_id) == ([ZHANG, LI], "0042")
    assert outcomes(await merge(conn, said, now=now)) == ["unchanged"]
    assert outcomes(await merge(conn, with_beside(), now=now)) == ["unchanged"]
    assert await beside(conn, aed_id) == ([ZHANG, LI], "0042"), "empty cells say nothing"
    mine = replace(ZHANG, phone="2")
    await aed_custodians.put(conn, aed_id, [mine], now=now)
    await conn.execute(sa.delete(tables.aed_code))
    assert outcomes(await merge(conn, said, now=now)) == ["unchanged"]
    assert await beside(conn, aed_id) == ([mine], None)
    newer = with_beside(replace(ZHANG, phone="3"), LI, code="77")
    assert outcomes(await merge(conn, newer, now=now)) == ["changed"]
    assert await beside(conn, aed_id) == ([replace(ZHANG, phone="3")], "77")
    assert (await devices(conn))["医院"].version == 1


async def test_IMP_14_what_was_known_before_the_list_spoke_of_it_stays(
    conn: AsyncConnection, now: datetime
) -> None:
    await merge(conn, row(2, "医院", ref="1"), now=now)
    aed_id = (await devices(conn))["医院"].id
    await aed_custodians.put(conn, aed_id, [LI], now=now)
    other = replace(LI, name="王五")
    assert outcomes(await merge(conn, with_beside(ZHANG, other), now=now)) == ["changed"]
    assert (await beside(conn, aed_id))[0] == [ZHANG, LI]


async def test_IMP_14_neither_export_nor_history_nor_what_is_remembered_holds_the_code(
    conn: AsyncConnection, now: datetime
) -> None:
    await merge(conn, with_beside(ZHANG, code="S3CRET"), now=now)
    changed = replace(with_beside(ZHANG, code="S3CRET2"), facts=row(2, "医院", phone="1").facts)
    await merge(conn, changed, now=now)
    for table in (tables.aed, tables.aed_history, tables.aed_listed):
        rows = (await conn.execute(sa.select(table))).all()
        assert rows
        assert "S3CRET" not in repr(rows)
        assert "张三" not in repr(rows)
    assert "S3CRET" not in repr(await aed_export.rows(conn, ORG))
