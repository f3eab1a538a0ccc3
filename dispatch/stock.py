"""Receive, reserve, release, issue, take back and write off relief stock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, errors, events, fefo, ledger, store, tables, telling, timers

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
    await ledger.move(conn, lot_id, "receive", quantity, by=by, now=now)
    return lot_id


async def write_off(
    conn: AsyncConnection, lot_id: UUID, *, quantity: int, note: str, by: UUID, now: datetime
) -> None:
    """Take spoiled or lost goods out of a lot; what is reserved cannot be written off.

    Raises StockShort.
    """
    available = await ledger.lock_available(conn, [lot_id])
    if available.get(lot_id, 0) < quantity:
        raise errors.StockShort(state={"available": available.get(lot_id, 0)})
    await ledger.move(conn, lot_id, "write_off", -quantity, by=by, now=now, note=note)


async def reserve(
    conn: AsyncConnection,
    incident_id: UUID,
    *,
    org_path: str,
    item: str,
    quantity: int,
    depot_id: UUID | None = None,
    lot_id: UUID | None = None,
    reason: str | None = None,
    by: UUID,
    now: datetime,
) -> list[UUID]:
    """Claim so many units of an item for an incident and return the reservations' ids.

    All or nothing. The nearest depot that has them all serves alone, else the nearest ones
    together; in a depot the first to expire leaves first. `lot_id` names one lot instead; where
    another of its depot expires earlier, `reason` must say why. Locks the incident, then the lots
    in id order. Raises StockShort with what is available, NotFirstToExpire, IncidentClosed,
    NotFound.
    """
    incident = await store.lock_incident(conn, incident_id)
    shelves = await ledger.shelves(
        conn, item, org_path=org_path, near=incident.position, depot_id=depot_id, now=now
    )
    takes, missing = (
        fefo.pick(shelves, quantity)
        if lot_id is None
        else _pick_one(shelves, lot_id, quantity, has_reason=bool(reason))
    )
    if missing:
        raise errors.StockShort(state={"item": item, "available": quantity - missing})
    args: dict[str, object] = {"item": item, "quantity": quantity}
    if reason:
        args["reason"] = reason
    claims, line = await _claim(conn, incident_id, takes, args, reason=reason, by=by, now=now)
    await telling.tell(
        conn, events.Kind.STOCK_RESERVED, incident, with_incident=False, reservations=claims,
        lines=[line], now=now,
    )  # fmt: skip
    return [claim.id for claim in claims]


def _pick_one(
    shelves: Sequence[fefo.Shelf], lot_id: UUID, quantity: int, *, has_reason: bool
) -> tuple[list[fefo.Take], int]:
    named = next((shelf for shelf in shelves if shelf.lot_id == lot_id), None)
    if named is None:
        raise errors.NotFound
    first = fefo.first([shelf for shelf in shelves if shelf.depot_id == named.depot_id])
    if first is not None and first.lot_id != lot_id and not has_reason:
        raise errors.NotFirstToExpire(
            state={"lot": str(first.lot_id), "expires_on": first.expires_on, "field": "reason"}
        )
    return fefo.pick([named], quantity)


async def issue(conn: AsyncConnection, reservation_id: UUID, *, by: UUID, now: datetime) -> None:
    """Hand out what was reserved. Issuing twice changes nothing the second time.

    Raises Conflict when the reservation was released or has expired, StockExpired when the goods
    have.
    """
    incident, reservation = await _lock_reservation(conn, reservation_id)
    if reservation.status == "issued":
        return
    expired_on = await conn.scalar(_EXPIRED, {"lot": reservation.lot_id, "now": now})
    if expired_on is not None and reservation.status == "active":
        raise errors.StockExpired(
            state={"lot": str(reservation.lot_id), "expires_on": expired_on.isoformat()}
        )
    await _end(conn, reservation, "issued", now=now)
    await ledger.move(
        conn, reservation.lot_id, "issue", -reservation.quantity,
        by=by, now=now, incident_id=incident.id, reservation_id=reservation.id,
    )  # fmt: skip
    args = {"item": reservation.item_code, "quantity": reservation.quantity}
    await _tell(conn, incident, "stock_issued", [reservation_id], args=args, by=by, now=now)


_EXPIRED = sa.text("""
select lot.expires_on from lot
join depot on depot.id = lot.depot_id
join org on org.id = depot.org_id
where lot.id = :lot
  and lot.expires_on < (cast(:now as timestamptz) at time zone org.timezone)::date
""")


async def take_back(
    conn: AsyncConnection,
    reservation_id: UUID,
    *,
    quantity: int,
    note: str,
    by: UUID,
    now: datetime,
) -> UUID:
    """Put what was handed out and not needed back into its lot, and return the lot's id.

    Raises Conflict with what is still out when that is less.
    """
    incident, reservation = await _lock_reservation(conn, reservation_id)
    moved = await conn.scalar(
        sa.select(sa.func.sum(tables.movement.c.quantity)).where(
            tables.movement.c.reservation_id == reservation_id
        )
    )
    out = -(moved or 0)
    if quantity > out:
        raise errors.Conflict(state={"out": out})
    await ledger.move(
        conn, reservation.lot_id, "return", quantity,
        by=by, now=now, incident_id=incident.id, reservation_id=reservation_id, note=note,
    )  # fmt: skip
    return reservation.lot_id


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


_CLAIM = sa.text("""
insert into reservation (id, incident_id, lot_id, quantity, reserved_at, expires_at, by_id, reason)
select take.id, cast(:incident_id as uuid), take.lot_id, take.quantity, cast(:now as timestamptz),
       cast(:until as timestamptz), cast(:by as uuid), cast(:reason as text)
from unnest(cast(:ids as uuid[]), cast(:lots as uuid[]), cast(:quantities as int[]))
    as take (id, lot_id, quantity)
""")


async def _claim(
    conn: AsyncConnection,
    incident_id: UUID,
    takes: Sequence[fefo.Take],
    args: Mapping[str, object],
    *,
    reason: str | None,
    by: UUID,
    now: datetime,
) -> tuple[list[store.Reservation], store.Line]:
    """Write the claims with their timers and the line that says so, in one round trip."""
    ids, until = [store.new_id() for _ in takes], now + RESERVED_FOR
    values = {
        "incident_id": incident_id, "now": now, "until": until, "by": by, "reason": reason,
        "ids": ids, "lots": [take.lot_id for take in takes],
        "quantities": [take.quantity for take in takes],
    }  # fmt: skip
    due = [timers.Due(timers.Kind.RESERVATION_EXPIRY, until, one) for one in ids]
    line = store.adding_line(
        incident_id, channel=events.Channel.CONSOLE, kind=events.LineKind.STOCK_RESERVED,
        args=args, by=by, now=now,
    )  # fmt: skip
    _, _, [added], made = await db.together(
        conn, (_CLAIM, values), timers.arming(incident_id, due), line,
        store.reading_reservations(ids),
    )  # fmt: skip
    return [store.Reservation.from_row(row) for row in made], store.Line.from_row(added)


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
