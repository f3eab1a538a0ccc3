"""Receive, reserve, release, issue and write off relief stock.

The ledger (`movement`) only grows; a trigger refuses anything else. `balance` holds the sums of
movements and of active reservations, kept by triggers and guarded by checks, so that on hand never
falls below what is reserved, whatever the code above does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import depots, errors, events, fefo, store, tables, telling, timers

#: A claim that nobody issues ends by itself, so that stock is never tied up by a forgotten screen.
RESERVED_FOR = timedelta(hours=24)


async def receive(
    conn: AsyncConnection,
    depot_id: UUID,
    item_id: UUID,
    *,
    quantity: int,
    expires_on: date | None = None,
    donor: str | None = None,
    code: str | None = None,
    by: UUID | None,
    now: datetime,
) -> UUID:
    """Put goods of one item into a depot as a new lot, and return the lot's id."""
    lot_id = store.new_id()
    await conn.execute(
        sa.insert(tables.lot).values(
            id=lot_id, depot_id=depot_id, item_id=item_id, code=code,
            expires_on=expires_on, donor=donor, received_at=now,
        )
    )  # fmt: skip
    await _move(conn, lot_id, "receive", quantity, by=by, now=now)
    return lot_id


async def write_off(
    conn: AsyncConnection, lot_id: UUID, *, quantity: int, note: str, by: UUID, now: datetime
) -> None:
    """Take spoiled or lost goods out of a lot; what is reserved cannot be written off.

    Raises StockShort.
    """
    available = await _lock_available(conn, [lot_id])
    if available.get(lot_id, 0) < quantity:
        raise errors.StockShort(state={"available": available.get(lot_id, 0)})
    await _move(conn, lot_id, "write_off", -quantity, by=by, now=now, note=note)


async def reserve(
    conn: AsyncConnection,
    incident_id: UUID,
    *,
    org_path: str,
    item: str,
    quantity: int,
    depot_id: UUID | None = None,
    by: UUID,
    now: datetime,
) -> list[UUID]:
    """Claim so many units of an item for an incident and return the reservations' ids.

    All or nothing. The nearest depot that has them all serves alone, else the nearest ones
    together; in a depot the first to expire leaves first. Locks the incident, then the lots in id
    order. Raises StockShort with what is available, IncidentClosed, NotFound.
    """
    incident = await store.lock_incident(conn, incident_id)
    shelves = await _shelves(conn, org_path, incident, item, depot_id, today=now.date())
    free = await _lock_available(conn, sorted(shelf.lot_id for shelf in shelves))
    fresh = [_with_available(shelf, free[shelf.lot_id]) for shelf in shelves]
    takes, missing = fefo.pick(fresh, quantity)
    if missing:
        raise errors.StockShort(state={"item": item, "available": quantity - missing})
    ids = [await _claim(conn, incident_id, take, by=by, now=now) for take in takes]
    args = {"item": item, "quantity": quantity}
    await _tell(conn, incident, "stock_reserved", ids, args=args, by=by, now=now)
    return ids


async def issue(conn: AsyncConnection, reservation_id: UUID, *, by: UUID, now: datetime) -> None:
    """Hand out what was reserved. Issuing twice changes nothing the second time.

    Raises Conflict when the reservation was released or has expired.
    """
    incident, reservation = await _lock_reservation(conn, reservation_id)
    if reservation.status == "issued":
        return
    await _end(conn, reservation, "issued", now=now)
    await _move(
        conn, reservation.lot_id, "issue", -reservation.quantity,
        by=by, now=now, incident_id=incident.id, reservation_id=reservation.id,
    )  # fmt: skip
    args = {"item": reservation.item_code, "quantity": reservation.quantity}
    await _tell(conn, incident, "stock_issued", [reservation_id], args=args, by=by, now=now)


async def release(
    conn: AsyncConnection, reservation_id: UUID, *, by: UUID | None, now: datetime
) -> None:
    """Give a claim back, by hand or because its time is over (`by` is then None)."""
    incident, reservation = await _lock_reservation(conn, reservation_id)
    ended = "released" if by is not None else "expired"
    if reservation.status in {"released", "expired"}:
        return
    await _end(conn, reservation, ended, now=now)
    args = {"item": reservation.item_code, "quantity": reservation.quantity}
    await _tell(conn, incident, "stock_released", [reservation_id], args=args, by=by, now=now)


async def release_all(
    conn: AsyncConnection, incident_id: UUID, *, by: UUID | None, now: datetime
) -> tuple[list[store.Reservation], list[store.Line]]:
    """Give back every claim of a locked incident that nothing was handed out for.

    Tells nobody: returns what changed, and the lines that say so, for the caller to tell.
    """
    reservation = tables.reservation.c
    is_open = (reservation.incident_id == incident_id, reservation.status == "active")
    claims = await store.list_reservations(conn, *is_open)
    # In the order of lots, as whoever claims more takes their balances.
    for claim in sorted(claims, key=lambda one: one.lot_id):
        await _end(conn, claim, "released", now=now)
    quantities: dict[str, int] = {}
    for claim in claims:
        quantities[claim.item_code] = quantities.get(claim.item_code, 0) + claim.quantity
    lines = [
        await _line(
            conn, incident_id, "stock_released", args={"item": item, "quantity": quantity}, by=by,
            now=now,
        )
        for item, quantity in quantities.items()
    ]  # fmt: skip
    ids = [claim.id for claim in claims]
    return await store.list_reservations(conn, reservation.id.in_(ids)) if ids else [], lines


async def _lock_reservation(
    conn: AsyncConnection, reservation_id: UUID
) -> tuple[store.Incident, store.Reservation]:
    """Lock the incident, and with it every reservation of it; look at the reservation then."""
    incident_id = await conn.scalar(
        sa.select(tables.reservation.c.incident_id).where(tables.reservation.c.id == reservation_id)
    )
    if incident_id is None:
        raise errors.NotFound
    incident = await store.lock_incident(conn, incident_id, even_closed=True)
    found = await store.list_reservations(conn, tables.reservation.c.id == reservation_id)
    return incident, found[0]


async def _end(
    conn: AsyncConnection, reservation: store.Reservation, status: str, *, now: datetime
) -> None:
    if reservation.status != "active":
        raise errors.Conflict(state={"status": reservation.status})
    await conn.execute(
        sa.update(tables.reservation)
        .where(tables.reservation.c.id == reservation.id)
        .values(status=status, ended_at=now)
    )
    await timers.disarm(
        conn,
        reservation.incident_id,
        kinds=[timers.Kind.RESERVATION_EXPIRY],
        subject_id=reservation.id,
    )


_SHELVES = sa.text("""
select lot.id, depot.id as depot_id, lot.expires_on, lot.received_at,
       ST_Distance(depot.position, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)::geography)
           as distance_m
from lot
join depot on depot.id = lot.depot_id
join org on org.id = depot.org_id and starts_with(org.path, :path)
join item on item.id = lot.item_id and item.code = :item
where (lot.expires_on is null or lot.expires_on >= :today)
  and (:depot ::uuid is null or depot.id = :depot)
""")


async def _shelves(
    conn: AsyncConnection,
    org_path: str,
    incident: store.Incident,
    item: str,
    depot_id: UUID | None,
    *,
    today: date,
) -> list[fefo.Shelf]:
    rows = await conn.execute(
        _SHELVES,
        {
            "lon": incident.position.lon,
            "lat": incident.position.lat,
            "path": org_path,
            "item": item,
            "depot": depot_id,
            "today": today,
        },
    )
    return [
        fefo.Shelf(
            lot_id=row.id, depot_id=row.depot_id, travel_s=depots.drive_s(row.distance_m),
            expires_on=row.expires_on, received_at=row.received_at, available=0,
        )
        for row in rows
    ]  # fmt: skip


def _with_available(shelf: fefo.Shelf, available: int) -> fefo.Shelf:
    return fefo.Shelf(
        shelf.lot_id, shelf.depot_id, shelf.travel_s, shelf.expires_on, shelf.received_at, available
    )


async def _lock_available(conn: AsyncConnection, lot_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Lock the balances in lot order and return what each lot can still give."""
    rows = await conn.execute(
        sa.select(tables.balance)
        .where(tables.balance.c.lot_id.in_(lot_ids))
        .order_by(tables.balance.c.lot_id)
        .with_for_update(key_share=True)
    )
    return {row.lot_id: row.on_hand - row.reserved for row in rows}


async def _claim(
    conn: AsyncConnection, incident_id: UUID, take: fefo.Take, *, by: UUID, now: datetime
) -> UUID:
    reservation_id = store.new_id()
    await conn.execute(
        sa.insert(tables.reservation).values(
            id=reservation_id, incident_id=incident_id, lot_id=take.lot_id,
            quantity=take.quantity, reserved_at=now, expires_at=now + RESERVED_FOR, by_id=by,
        )
    )  # fmt: skip
    await timers.arm(
        conn, incident_id, timers.Kind.RESERVATION_EXPIRY,
        subject_id=reservation_id, due_at=now + RESERVED_FOR,
    )  # fmt: skip
    return reservation_id


async def _move(
    conn: AsyncConnection,
    lot_id: UUID,
    kind: str,
    quantity: int,
    *,
    by: UUID | None,
    now: datetime,
    incident_id: UUID | None = None,
    reservation_id: UUID | None = None,
    note: str | None = None,
) -> None:
    await conn.execute(
        sa.insert(tables.movement).values(
            id=store.new_id(), lot_id=lot_id, kind=kind, quantity=quantity, by_id=by, at=now,
            incident_id=incident_id, reservation_id=reservation_id, note=note,
        )
    )  # fmt: skip


async def _tell(
    conn: AsyncConnection,
    incident: store.Incident,
    what: str,
    reservation_ids: Sequence[UUID],
    *,
    args: dict[str, object],
    by: UUID | None,
    now: datetime,
) -> None:
    line = await _line(conn, incident.id, what, args=args, by=by, now=now)
    changed = await store.list_reservations(conn, tables.reservation.c.id.in_(reservation_ids))
    await telling.tell(
        conn,
        events.Kind(what),
        incident,
        with_incident=False,
        reservations=changed,
        lines=[line],
        now=now,
    )


async def _line(
    conn: AsyncConnection,
    incident_id: UUID,
    what: str,
    *,
    args: dict[str, object],
    by: UUID | None,
    now: datetime,
) -> store.Line:
    channel = events.Channel.SYSTEM if by is None else events.Channel.CONSOLE
    return await store.add_line(
        conn, incident_id, channel=channel, kind=events.LineKind(what), args=args, by=by, now=now
    )
