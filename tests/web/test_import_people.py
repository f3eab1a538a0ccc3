"""Messy sheets of thousands of volunteers and lots: each row is taken or named with its reason."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from datetime import date, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import depots, responder_import, roster, stock_import, store, tables
from dispatch.matching import Reason
from geo.position import Position
from tests import factories as f
from web.imports import mapping, responders, sheet, stock
from web.imports.report import Rejected
from web.imports.sheet import Sheet

TODAY = date(2026, 6, 1)
HEADER = [
    "编号",
    "姓名",
    "手机",
    "出生日期",
    "技能",
    "证书类型",
    "证书编号",
    "发证日期",
    "有效期至",
]
STOCK = ["仓库", "物资", "物资代码", "单位", "数量", "批号", "有效期至", "捐赠方"]


def written(header: list[str], rows: list[list[str]], encoding: str) -> Sheet:
    """Write a sheet as an office would, and read it."""
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return sheet.read(text.getvalue().encode(encoding), "list.csv")


def volunteer(number: int) -> list[str]:
    """Write a sound row in one of the ways that people write."""
    dice = random.Random(number)
    born = dice.choice(["1990-01-31", "1985/3/7", "1979年12月1日", "19910203"])
    phone = dice.choice(["1380000{:04}", "138-0000-{:04}", "＋861390000{:04}"])
    valid = dice.choice(["2028-05-31", "2027/1/1", "2029年3月", "20300101"])
    return [
        f"V-{number:05}", f"志愿者{number}", phone.format(number), born, "心肺复苏、AED",
        dice.choice(["救护员证", "CPR+AED", "护士"]), f"C{number}", "2025-05-31", valid,
    ]  # fmt: skip


def people(count: int) -> tuple[list[list[str]], dict[int, str]]:
    """Write a list with a broken row every 97 rows; give the numbers of these and why."""
    rows = [volunteer(number) for number in range(count)]
    breaks = (
        (1, "", "the name is missing"),
        (2, "无", "no telephone number"),
        (3, "2031-02-30", "no date"),
        (3, "2090-01-01", "date of birth cannot be right"),
        (8, "", "no last day"),
        (8, "2020-01-01", "ends before it begins"),
    )
    broken = {}
    for at in range(96, count, 97):
        column, text, why = breaks[at // 97 % len(breaks)]
        rows[at][column] = text
        broken[at + 2] = why
    return rows, broken


def assert_named(rejected: list[Rejected], broken: dict[int, str]) -> None:
    assert {entry.row for entry in rejected} == set(broken)
    for entry in rejected:
        assert broken[entry.row] in entry.reason.en
        assert entry.reason.zh


async def load(
    conn: AsyncConnection, org: UUID, found: Sheet
) -> tuple[Counter[responder_import.Outcome], list[Rejected], dict[str, int]]:
    """Take a list of volunteers over; count the outcomes and what was warned of."""
    profile = mapping.guess(found, "responders")
    assert profile is not None
    rows, rejected, warnings = responders.facts(found, profile, today=TODAY)
    outcomes = await responder_import.merge(conn, org, rows)
    warned = {warning.code: len(warning.rows) for warning in warnings}
    return Counter(outcomes.values()), [*rejected, *responders.refused(outcomes)], warned


async def test_LST_1_five_thousand_volunteers_each_taken_or_named(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    rows, broken = people(5_000)
    for at in range(10, 5_000, 50):
        if at + 2 not in broken:
            rows[at][7:] = ["2020-01-01", "2023-01-01"]
    # A number given twice to different people, one line pasted twice.
    rows.append([*rows[0][:1], "别人", "13711112222", "", "", "护士", "X1", "", "2029-01-01"])
    rows.append(rows[1])
    broken |= {5_002: "another name", 5_003: "the same as row 3"}
    listed = written(HEADER, rows, "gb18030")
    assert listed.encoding.upper().startswith("GB")
    counts, rejected, warned = await load(conn, org, listed)
    assert_named(rejected, broken)
    assert counts[responder_import.Outcome.ADDED] == 5_002 - len(broken)
    expired = [at for at in range(10, 5_000, 50) if at + 2 not in broken]
    assert warned == {"certificate_expired": len(expired)}
    again, _, _ = await load(conn, org, listed)
    assert again[responder_import.Outcome.UNCHANGED] == 5_002 - len(broken)
    assert await conn.scalar(sa.select(sa.func.count()).select_from(tables.certificate)) == (
        5_002 - len(broken)
    )
    await _nobody_expired_is_asked(conn, org, {f"V-{at:05}" for at in expired}, now)


async def _nobody_expired_is_asked(
    conn: AsyncConnection, org: UUID, expired: set[str], now: datetime
) -> None:
    """Put some hundreds on duty at the patient's side and look whom the plan would ask."""
    responder = tables.responder
    near = sa.select(responder.c.id).where(responder.c.code < "V-00400")
    await conn.execute(sa.update(responder).values(duty="available"))
    there = [
        {"responder_id": person, "position": f.HARBOUR.ewkb(), "accuracy_m": 10, "at": now}
        for person in await conn.scalars(near)
    ]
    await conn.execute(sa.insert(tables.last_position), there)
    incident = await f.make_incident(conn, org, now=now)
    plan = await f.make_plan(conn, incident.id, now=now)
    known = await conn.execute(sa.select(responder.c.id, responder.c.code))
    codes = {row.id: row.code for row in known}
    assert plan.chosen
    assert not {codes[one.person.id] for one in plan.chosen} & expired
    why = {codes[one.person.id]: one.reason for one in plan.excluded}
    assert {why[code] for code in expired if code in why} == {Reason.CERTIFICATE_EXPIRED}


async def test_LST_2_a_later_list_changes_what_it_says_and_nothing_else(
    conn: AsyncConnection,
) -> None:
    org = await f.make_org(conn)
    await load(conn, org, written(HEADER, [volunteer(1), volunteer(2)], "utf-8-sig"))
    later = volunteer(1)
    later[2], later[6], later[8] = "13799998888", "C-new", "2031-01-01"
    # No number, but the same name and phone: the same person. Empty cells say nothing.
    bare = ["", "志愿者2", volunteer(2)[2], "", "", "", "", "", ""]
    counts, rejected, _ = await load(conn, org, written(HEADER, [later, bare], "utf-8"))
    assert (counts, rejected) == (Counter({"changed": 1, "unchanged": 1}), [])
    [one, two] = await store.list_responders(conn, limit=5)
    reached = await roster.contacts(conn, [one.id, two.id])
    assert (one.code, reached[one.id].phone) == ("V-00001", "13799998888")
    assert two.skills == ("cpr", "aed")
    held = await store.list_certificates(conn, [one.id])
    assert [proof.number for proof in held] == ["C-new", "C1"]


async def test_LST_3_a_user_name_of_somebody_else_is_refused(conn: AsyncConnection) -> None:
    mine, other = await f.make_org(conn), await f.make_org(conn)
    rows = [["李雷", "13800001111", "lilei"]]
    listed = written(["姓名", "手机", "用户名"], rows, "utf-8")
    assert (await load(conn, other, listed))[0] == Counter({"added": 1})
    counts, rejected, _ = await load(conn, mine, listed)
    assert counts == Counter({"username_taken": 1})
    assert_named(rejected, {2: "belongs to somebody else"})


# ---- stock


def lots(count: int) -> tuple[list[list[str]], dict[int, str]]:
    """Write a list of stock with a broken row every 83 rows; give their numbers and why."""
    rows = []
    for number in range(count):
        dice = random.Random(number)
        rows.append(
            [
                dice.choice(["D1", "江北仓库", " d2 "]),
                dice.choice(["毛毯", "blanket", "帐篷"]), "",
                "条", dice.choice(["1,200", "50", "300.0", "８０"]), f"L{number}",
                dice.choice(["", "2029-12", "2028/1/5"]), dice.choice(["", "某公司"]),
            ]
        )  # fmt: skip
    breaks = (
        (0, "没有的库", "no such depot"),
        (1, "火箭", "no such item"),
        (4, "若干", "no whole number"),
        (4, "-5", "no whole number"),
        (6, "不知道", "no date"),
        (5, "L0", "the same lot"),
    )
    broken = {}
    for at in range(82, count, 83):
        column, text, why = breaks[at // 83 % len(breaks)]
        rows[at][column] = text
        if why == "the same lot":
            rows[at][:2] = rows[0][:2]
        broken[at + 2] = why
    return rows, broken


async def receive(
    conn: AsyncConnection, org: UUID, found: Sheet, now: datetime
) -> tuple[Counter[stock_import.Outcome], list[Rejected], list[str]]:
    """Take a list of stock over."""
    profile = mapping.guess(found, "stock")
    assert profile is not None
    rows, rejected, warnings = stock.facts(found, profile, today=TODAY)
    outcomes = await stock_import.merge(conn, org, rows, by=None, now=now)
    codes = [warning.code for warning in warnings]
    return Counter(outcomes.values()), [*rejected, *stock.refused(outcomes)], codes


@pytest.fixture
async def depot_org(conn: AsyncConnection) -> UUID:
    """An organisation with two depots and two items."""
    org = await f.make_org(conn)
    for code, name in (("D1", "江北仓库"), ("D2", "江南仓库")):
        await depots.add_depot(conn, org, code=code, name=name, position=Position(114.3, 30.6))
    for code, zh, en in (("BLK", "毛毯", "Blanket"), ("TNT", "帐篷", "Tent")):
        await depots.add_item(
            conn, org, code=code, name_zh=zh, name_en=en, unit_zh="件", unit_en="piece"
        )
    return org


async def test_LST_4_two_thousand_lots_each_taken_or_named(
    conn: AsyncConnection, depot_org: UUID, now: datetime
) -> None:
    rows, broken = lots(2_000)
    listed = written(STOCK, rows, "gbk")
    counts, rejected, warned = await receive(conn, depot_org, listed, now)
    assert_named(rejected, broken)
    assert counts[stock_import.Outcome.ADDED] == 2_000 - len(broken)
    assert warned == []
    before = await _sums(conn)
    again, _, _ = await receive(conn, depot_org, listed, now)
    assert again[stock_import.Outcome.UNCHANGED] == 2_000 - len(broken)
    assert await _sums(conn) == before


async def test_LST_5_more_is_one_more_receipt_and_less_is_refused(
    conn: AsyncConnection, depot_org: UUID, now: datetime
) -> None:
    row = ["D1", "毛毯", "", "", "100", "L1", "", ""]
    await receive(conn, depot_org, written(STOCK, [row], "utf-8"), now)
    more = [*row[:4], "130", *row[5:]]
    counts, _, _ = await receive(conn, depot_org, written(STOCK, [more], "utf-8"), now)
    assert (counts, await _sums(conn)) == (Counter({"changed": 1}), (130, 2))
    counts, rejected, _ = await receive(conn, depot_org, written(STOCK, [row], "utf-8"), now)
    assert_named(rejected, {2: "received already"})
    assert await _sums(conn) == (130, 2)


async def test_LST_6_an_item_with_code_and_unit_is_entered_and_an_expired_lot_is_warned_of(
    conn: AsyncConnection, depot_org: UUID, now: datetime
) -> None:
    row = ["D2", "净水片", "WPT", "盒", "40", "", "2020-01-01", "某基金会"]
    counts, rejected, warned = await receive(conn, depot_org, written(STOCK, [row], "utf-8"), now)
    assert (counts, rejected, warned) == (Counter({"added": 1}), [], ["lot_expired"])
    item = tables.item.c
    made = (
        await conn.execute(sa.select(item.name_zh, item.unit_zh).where(item.code == "WPT"))
    ).one()
    assert tuple(made) == ("净水片", "盒")


async def _sums(conn: AsyncConnection) -> tuple[int, int]:
    """Give the sum and the number of all movements."""
    quantity = tables.movement.c.quantity
    row = (
        await conn.execute(
            sa.select(sa.func.sum(quantity), sa.func.count()).select_from(tables.movement)
        )
    ).one()
    return int(row[0]), int(row[1])
