"""Goods on their way between depots."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import depots, errors, stock, tables, transfers
from tests import factories as f
from tests.dispatch.test_stock import Shelf, balance, make_shelf, reserve


async def other_depot(conn: AsyncConnection, shelf: Shelf, code: str = "d2") -> UUID:
    return await depots.add_depot(
        conn, shelf.org_id, code=code, name="南仓", position=f.north_of(f.HARBOUR, -800)
    )


async def send(
    conn: AsyncConnection, shelf: Shelf, to: UUID, quantity: int, *, now: datetime
) -> transfers.Transfer:
    transfer_id = await transfers.send(
        conn, shelf.depot, to, [transfers.Wanted("quilt", quantity)], by=shelf.keeper, now=now
    )
    return await transfers.get_transfer(conn, transfer_id)


async def on_hand(conn: AsyncConnection, shelf: Shelf) -> dict[str, int]:
    lots = await depots.list_lots(conn, [shelf.org_path], after=None, limit=100)
    found: dict[str, int] = {}
    for lot in lots:
        found[lot.depot] = found.get(lot.depot, 0) + lot.on_hand
    return found


async def test_STK_10_units_on_their_way_are_nobodys_stock(
    conn: AsyncConnection, now: datetime
) -> None:
    shelf = await make_shelf(conn, now=now)
    there, other = await other_depot(conn, shelf), await f.make_person(conn, shelf.org_id)
    sent = await send(conn, shelf, there, 40, now=now)
    assert (sent.status, [line.quantity for line in sent.lines]) == ("sent", [40])
    assert await on_hand(conn, shelf) == {"d1": 60}
    later = now + timedelta(hours=3)
    await transfers.arrive(conn, sent.id, {sent.lines[0].id: 40}, by=other, now=later)
    assert await on_hand(conn, shelf) == {"d1": 60, "d2": 40}
    arrived = await transfers.get_transfer(conn, sent.id)
    assert (arrived.status, arrived.arrived_by_id, arrived.arrived_at) == ("arrived", other, later)
    # What arrived can be reserved where it is now.
    incident = await f.make_incident(conn, shelf.org_id, by=shelf.keeper, now=now)
    await stock.reserve(
        conn, incident.id, org_path=shelf.org_path, item="quilt", quantity=40, depot_id=there,
        by=shelf.keeper, now=later,
    )  # fmt: skip


async def test_STK_10_the_first_to_expire_are_sent_and_stay_what_they_are(
    conn: AsyncConnection, now: datetime
) -> None:
    shelf = await make_shelf(conn, quantity=10, now=now)
    soon = now.date() + timedelta(days=30)
    await stock.receive(
        conn, shelf.depot, shelf.item, quantity=25, expires_on=soon, donor="王女士", code="B7",
        by=shelf.keeper, now=now,
    )  # fmt: skip
    there, other = await other_depot(conn, shelf), await f.make_person(conn, shelf.org_id)
    sent = await send(conn, shelf, there, 30, now=now)
    assert [line.quantity for line in sent.lines] == [25, 5]
    await transfers.arrive(conn, sent.id, {one.id: one.quantity for one in sent.lines}, by=other,
                           now=now)  # fmt: skip
    lots = await depots.list_lots(conn, [shelf.org_path], after=None, limit=100)
    [first] = [lot for lot in lots if lot.depot == "d2" and lot.expires_on == soon]
    assert (first.donor, first.code, first.on_hand) == ("王女士", "B7", 25)
    origin = await conn.scalar(sa.select(tables.lot.c.origin_id).where(tables.lot.c.id == first.id))
    assert origin == sent.lines[0].lot_id


async def test_STK_10_what_is_reserved_is_not_sent(conn: AsyncConnection, now: datetime) -> None:
    shelf = await make_shelf(conn, now=now)
    there = await other_depot(conn, shelf)
    await reserve(conn, shelf, 70, now=now)
    with pytest.raises(errors.StockShort) as refused:
        await send(conn, shelf, there, 31, now=now)
    assert refused.value.state == {"item": "quilt", "available": 30}
    with pytest.raises(errors.Malformed):
        await send(conn, shelf, shelf.depot, 1, now=now)


async def test_STK_11_who_sent_it_does_not_take_it_in(conn: AsyncConnection, now: datetime) -> None:
    shelf = await make_shelf(conn, now=now)
    sent = await send(conn, shelf, await other_depot(conn, shelf), 40, now=now)
    with pytest.raises(errors.SecondPerson):
        await transfers.arrive(conn, sent.id, {sent.lines[0].id: 40}, by=shelf.keeper, now=now)
    # The database would not have it either.
    nested = await conn.begin_nested()
    with pytest.raises(IntegrityError, match="two_people"):
        await conn.execute(
            sa.update(tables.transfer).values(
                status="arrived", arrived_at=now, arrived_by_id=shelf.keeper
            )
        )
    await nested.rollback()


async def test_STK_12_what_does_not_arrive_is_missing_and_explained(
    conn: AsyncConnection, now: datetime
) -> None:
    shelf = await make_shelf(conn, now=now)
    other = await f.make_person(conn, shelf.org_id)
    sent = await send(conn, shelf, await other_depot(conn, shelf), 40, now=now)
    [line] = sent.lines
    for counted in ({}, {line.id: 41}, {line.id: 38}, {line.id: 40, uuid4(): 1}):
        with pytest.raises(errors.Malformed):
            await transfers.arrive(conn, sent.id, counted, by=other, now=now)
    await transfers.arrive(conn, sent.id, {line.id: 38}, difference="2 床受潮", by=other, now=now)
    arrived = await transfers.get_transfer(conn, sent.id)
    assert (arrived.difference, arrived.lines[0].arrived) == ("2 床受潮", 38)
    assert await on_hand(conn, shelf) == {"d1": 60, "d2": 38}
    with pytest.raises(errors.Conflict) as refused:
        await transfers.arrive(conn, sent.id, {line.id: 40}, by=other, now=now)
    assert refused.value.state == {"status": "arrived"}
    with pytest.raises(errors.NotFound):
        await transfers.arrive(conn, uuid4(), {}, by=other, now=now)


async def test_STK_12_where_nothing_arrives_there_is_no_lot(
    conn: AsyncConnection, now: datetime
) -> None:
    shelf = await make_shelf(conn, now=now)
    other = await f.make_person(conn, shelf.org_id)
    sent = await send(conn, shelf, await other_depot(conn, shelf), 40, now=now)
    await transfers.arrive(
        conn, sent.id, {sent.lines[0].id: 0}, difference="桥断", by=other, now=now
    )
    assert await on_hand(conn, shelf) == {"d1": 60}


async def test_STK_13_what_was_not_needed_comes_back(conn: AsyncConnection, now: datetime) -> None:
    shelf = await make_shelf(conn, now=now)
    (claim,) = await reserve(conn, shelf, 30, now=now)
    take_back = partial(stock.take_back, conn, claim, note="多余", by=shelf.keeper, now=now)
    with pytest.raises(errors.Conflict):
        await take_back(quantity=1)
    await stock.issue(conn, claim, by=shelf.keeper, now=now)
    await take_back(quantity=20)
    assert await balance(conn, shelf) == (90, 0)
    with pytest.raises(errors.Conflict) as refused:
        await take_back(quantity=11)
    assert refused.value.state == {"out": 10}


async def test_STK_2_what_expired_since_it_was_reserved_is_not_handed_out(
    conn: AsyncConnection, now: datetime
) -> None:
    shelf = await make_shelf(conn, quantity=5, now=now)
    await stock.receive(
        conn, shelf.depot, shelf.item, quantity=50, expires_on=now.date(), by=None, now=now
    )
    claims = await reserve(conn, shelf, 51, now=now)
    tomorrow = now + timedelta(days=1)
    old, good = claims
    with pytest.raises(errors.StockExpired) as refused:
        await stock.issue(conn, old, by=shelf.keeper, now=tomorrow)
    assert refused.value.state is not None
    assert refused.value.state["expires_on"] == now.date().isoformat()
    await stock.issue(conn, good, by=shelf.keeper, now=tomorrow)
    assert await balance(conn, shelf) == (54, 50)


async def test_STK_14_another_lot_than_the_first_to_expire_needs_a_reason(
    conn: AsyncConnection, now: datetime
) -> None:
    shelf = await make_shelf(conn, quantity=5, now=now)
    first = await stock.receive(
        conn, shelf.depot, shelf.item, quantity=50, expires_on=now.date() + timedelta(days=9),
        by=None, now=now,
    )  # fmt: skip
    later = await stock.receive(
        conn, shelf.depot, shelf.item, quantity=50, expires_on=now.date() + timedelta(days=90),
        by=None, now=now,
    )  # fmt: skip
    claim_of = partial(
        stock.reserve, conn, shelf.incident, org_path=shelf.org_path, item="quilt", quantity=7,
        by=shelf.keeper, now=now,
    )  # fmt: skip
    with pytest.raises(errors.NotFirstToExpire) as refused:
        await claim_of(lot_id=later)
    assert refused.value.state is not None
    assert refused.value.state["lot"] == str(first)
    await claim_of(lot_id=first)
    [claim] = await claim_of(lot_id=later, reason="加厚款")
    told = await conn.scalar(
        sa.select(tables.reservation.c.reason).where(tables.reservation.c.id == claim)
    )
    assert told == "加厚款"
    with pytest.raises(errors.NotFound):
        await claim_of(lot_id=uuid4())


async def test_STK_4_nobody_may_change_the_ledger(conn: AsyncConnection, now: datetime) -> None:
    await make_shelf(conn, now=now)
    may = await conn.execute(
        sa.text("select privilege_type from information_schema.role_table_grants"
                " where table_name = 'movement' and grantee in (current_user, 'PUBLIC')")
    )  # fmt: skip
    assert {one for (one,) in may} & {"UPDATE", "DELETE", "TRUNCATE"} == set()
    nested = await conn.begin_nested()
    with pytest.raises(DBAPIError):
        await conn.execute(sa.text("truncate movement"))
    await nested.rollback()
