"""The ledger on a real database: nothing is promised twice, nothing goes below zero."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, depots, errors, incidents, states, stock, store, tables, timers
from tests import factories as f
from tests.dispatch.verify import verify_action


@dataclass(frozen=True, slots=True)
class Shelf:
    """An organisation with one depot, one item and one open incident."""

    org_path: str
    org_id: UUID
    keeper: UUID
    depot: UUID
    item: UUID
    incident: UUID


async def make_shelf(conn: AsyncConnection, *, quantity: int = 100, now: datetime) -> Shelf:
    org_id = await f.make_org(conn, code="org-stock")
    keeper = await f.make_person(conn, org_id, name="库管")
    incident = await f.make_incident(conn, org_id, by=keeper, now=now)
    depot = await depots.add_depot(
        conn, org_id, code="d1", name="北仓", position=f.north_of(f.HARBOUR, 800)
    )
    item = await depots.add_item(
        conn, org_id, code="quilt", name_zh="棉被", name_en="Quilt", unit_zh="床", unit_en="pc"
    )
    await stock.receive(conn, depot, item, quantity=quantity, by=keeper, now=now)
    return Shelf(incident.org_path, org_id, keeper, depot, item, incident.id)


async def reserve(
    conn: AsyncConnection, shelf: Shelf, quantity: int, *, now: datetime
) -> list[UUID]:
    return await stock.reserve(
        conn, shelf.incident, org_path=shelf.org_path, item="quilt", quantity=quantity,
        by=shelf.keeper, now=now,
    )  # fmt: skip


async def balance(conn: AsyncConnection, shelf: Shelf) -> tuple[int, int]:
    lots = await depots.list_lots(conn, [shelf.org_path], after=None, limit=100)
    return sum(lot.on_hand for lot in lots), sum(lot.reserved for lot in lots)


async def test_STK_1_reserve_issue_and_release_move_the_sums(
    conn: AsyncConnection, now: datetime
) -> None:
    shelf = await make_shelf(conn, now=now)
    (first,) = await reserve(conn, shelf, 30, now=now)
    (second,) = await reserve(conn, shelf, 20, now=now)
    assert await balance(conn, shelf) == (100, 50)
    await stock.issue(conn, first, by=shelf.keeper, now=now)
    await stock.issue(conn, first, by=shelf.keeper, now=now)
    assert await balance(conn, shelf) == (70, 20)
    await stock.release(conn, second, by=shelf.keeper, now=now)
    assert await balance(conn, shelf) == (70, 0)


async def test_STK_1_too_much_is_refused_with_what_there_is(
    conn: AsyncConnection, now: datetime
) -> None:
    shelf = await make_shelf(conn, now=now)
    await reserve(conn, shelf, 70, now=now)
    with pytest.raises(errors.StockShort) as refused:
        await reserve(conn, shelf, 31, now=now)
    assert refused.value.state == {"item": "quilt", "available": 30}


async def test_STK_1_what_is_reserved_cannot_be_written_off(
    conn: AsyncConnection, now: datetime
) -> None:
    shelf = await make_shelf(conn, now=now)
    await reserve(conn, shelf, 70, now=now)
    lot = (await depots.list_lots(conn, [shelf.org_path], after=None, limit=1))[0]
    with pytest.raises(errors.StockShort):
        await stock.write_off(conn, lot.id, quantity=31, note="wet", by=shelf.keeper, now=now)
    await stock.write_off(conn, lot.id, quantity=30, note="wet", by=shelf.keeper, now=now)
    assert await balance(conn, shelf) == (70, 70)


async def test_STK_2_expired_lots_are_not_promised(conn: AsyncConnection, now: datetime) -> None:
    shelf = await make_shelf(conn, quantity=5, now=now)
    yesterday = now.date() - timedelta(days=1)
    await stock.receive(
        conn, shelf.depot, shelf.item, quantity=50, expires_on=yesterday, by=None, now=now
    )
    with pytest.raises(errors.StockShort):
        await reserve(conn, shelf, 6, now=now)


async def test_STK_4_a_movement_is_never_changed(conn: AsyncConnection, now: datetime) -> None:
    await make_shelf(conn, now=now)
    for statement in (sa.update(tables.movement).values(quantity=1), sa.delete(tables.movement)):
        nested = await conn.begin_nested()
        with pytest.raises(IntegrityError, match="only grows"):
            await conn.execute(statement)
        await nested.rollback()


async def test_STK_5_a_claim_ends_by_its_timer(conn: AsyncConnection, now: datetime) -> None:
    shelf = await make_shelf(conn, now=now)
    (claim,) = await reserve(conn, shelf, 30, now=now)
    later = now + stock.RESERVED_FOR
    due = await timers.list_due(conn, tuple(timers.Lane), limit=10_000, now=later)
    mine = [timer for timer in due if timer.subject_id == claim]
    assert [timer.kind for timer in mine] == [timers.Kind.RESERVATION_EXPIRY]
    await stock.release(conn, claim, by=None, now=later)
    assert await balance(conn, shelf) == (100, 0)
    found = await store.reservations_of(conn, shelf.incident)
    assert [reservation.status for reservation in found] == ["expired"]
    with pytest.raises(errors.Conflict):
        await stock.issue(conn, claim, by=shelf.keeper, now=later)


async def test_STK_5_closing_gives_back_what_was_not_handed_out(
    conn: AsyncConnection, now: datetime
) -> None:
    shelf = await make_shelf(conn, now=now)
    (handed_out,) = await reserve(conn, shelf, 30, now=now)
    await stock.issue(conn, handed_out, by=shelf.keeper, now=now)
    for quantity in (20, 5):
        await reserve(conn, shelf, quantity, now=now)
    topics = [f"incident:{shelf.incident}"]
    async with verify_action(conn, topics, now=now):
        await incidents.close(
            conn, shelf.incident, states.Disposition.CANCELLED, by=shelf.keeper, now=now
        )
    assert await balance(conn, shelf) == (70, 0)
    found = await store.reservations_of(conn, shelf.incident)
    assert [one.status for one in found] == ["issued", "released", "released"]
    lines = await store.list_lines(conn, shelf.incident)
    told = [line.args for line in lines if line.kind == "stock_released"]
    assert told == [{"item": "quilt", "quantity": 25}]
    left = await conn.scalar(
        sa.select(sa.func.count()).where(tables.timer.c.incident_id == shelf.incident)
    )
    assert left == 0
    # Opened again it has nothing; who still needs it reserves it again.
    await incidents.reopen(conn, shelf.incident, by=shelf.keeper, now=now)
    assert await balance(conn, shelf) == (70, 0)


async def test_BRD_1_reservations_are_told(conn: AsyncConnection, now: datetime) -> None:
    shelf = await make_shelf(conn, now=now)
    topics = [f"incident:{shelf.incident}"]
    async with verify_action(conn, topics, golden="stock_reserved", now=now):
        (claim,) = await reserve(conn, shelf, 30, now=now)
    async with verify_action(conn, topics, golden="stock_issued", now=now):
        await stock.issue(conn, claim, by=shelf.keeper, now=now)
    (other,) = await reserve(conn, shelf, 20, now=now)
    async with verify_action(conn, topics, golden="stock_released", now=now):
        await stock.release(conn, other, by=shelf.keeper, now=now)


async def test_only_depots_that_have_enough_are_near(conn: AsyncConnection, now: datetime) -> None:
    shelf = await make_shelf(conn, now=now)
    await depots.add_depot(conn, shelf.org_id, code="d2", name="空仓", position=f.HARBOUR)
    every = await depots.depots_near(conn, shelf.org_path, f.HARBOUR, at=now)
    able = await depots.depots_near(
        conn, shelf.org_path, f.HARBOUR, item="quilt", quantity=100, at=now
    )
    assert [depot.code for depot in every] == ["d2", "d1"]
    assert [(depot.code, depot.available) for depot in able] == [("d1", 100)]


@pytest.fixture
async def store_room(database: str) -> AsyncIterator[db.Database]:
    engine = db.make_engine(database, pool_size=10)
    yield db.Database(engine, None)
    await engine.dispose()


async def test_STK_1_forty_at_once_get_exactly_what_there_is(
    store_room: db.Database, now: datetime
) -> None:
    async with store_room.transaction() as conn:
        shelf = await make_shelf(conn, quantity=25, now=now)

    async def one() -> bool:
        try:
            async with store_room.transaction() as conn:
                await reserve(conn, shelf, 1, now=now)
        except errors.StockShort:
            return False
        return True

    # Ten at a time, as many as the pool gives; the others wait for a connection.
    gate = asyncio.Semaphore(10)

    async def queued() -> bool:
        async with gate:
            return await one()

    got = await asyncio.gather(*(queued() for _ in range(40)))
    assert sum(got) == 25
    async with store_room.snapshot() as conn:
        assert await balance(conn, shelf) == (25, 25)
