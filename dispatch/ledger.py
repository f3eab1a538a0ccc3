"""The ledger of relief stock: what is on which shelf, and one entry for each time it moves.

The ledger (`movement`) only grows; nobody may change or delete an entry, and a trigger refuses it
besides. `balance` holds the sums of movements and of active reservations, kept by triggers and
guarded by checks, so that on hand never falls below what is reserved, whatever the code above does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, depots, fefo, store, tables
from geo import position

Kind = Literal["receive", "issue", "return", "send", "arrive", "write_off"]

# Locked in the order of lots, as everybody locks them; who had to wait sees what is there then.
_SHELVES = sa.text("""
select lot.id, depot.id as depot_id, lot.expires_on, lot.received_at,
       balance.on_hand - balance.reserved as available,
       coalesce(ST_Distance(depot.position, ST_SetSRID(
           ST_MakePoint(cast(:lon as float8), cast(:lat as float8)), 4326)::geography), 0)
           as distance_m
from lot
join balance on balance.lot_id = lot.id
join depot on depot.id = lot.depot_id
join org on org.id = depot.org_id and starts_with(org.path, :path)
join item on item.id = lot.item_id and item.code = :item
where (cast(:depot as uuid) is null or depot.id = :depot)
  and (lot.expires_on is null
       or lot.expires_on >= cast(cast(:now as timestamptz) at time zone org.timezone as date))
order by lot.id
for no key update of balance
""")


async def shelves(
    conn: AsyncConnection,
    item: str,
    *,
    org_path: str = "",
    near: position.Position | None = None,
    depot_id: UUID | None = None,
    now: datetime,
) -> list[fefo.Shelf]:
    """List what a subtree, or one depot of it, has of an item that is not expired where it lies.

    Without a place to go to, all ways are 0. Locks the balances in the order of lots, so that what
    is available stays so.
    """
    values = {
        "lon": None if near is None else near.lon, "lat": None if near is None else near.lat,
        "path": org_path, "item": item, "depot": depot_id, "now": now,
    }  # fmt: skip
    [rows] = await db.together(conn, (_SHELVES, values))
    return [
        fefo.Shelf(
            lot_id=row["id"], depot_id=row["depot_id"], travel_s=depots.drive_s(row["distance_m"]),
            expires_on=row["expires_on"], received_at=row["received_at"],
            available=row["available"],
        )
        for row in rows
    ]  # fmt: skip


async def lock_available(conn: AsyncConnection, lot_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Lock the balances in lot order and return what each lot can still give."""
    rows = await conn.execute(
        sa.select(tables.balance)
        .where(tables.balance.c.lot_id.in_(lot_ids))
        .order_by(tables.balance.c.lot_id)
        .with_for_update(key_share=True)
    )
    return {row.lot_id: row.on_hand - row.reserved for row in rows}


async def move(
    conn: AsyncConnection,
    lot_id: UUID,
    kind: Kind,
    quantity: int,
    *,
    by: UUID | None,
    now: datetime,
    incident_id: UUID | None = None,
    reservation_id: UUID | None = None,
    transfer_line_id: UUID | None = None,
    note: str | None = None,
) -> None:
    """Write one entry; what leaves a lot is negative."""
    await conn.execute(
        sa.insert(tables.movement).values(
            id=store.new_id(), lot_id=lot_id, kind=kind, quantity=quantity, by_id=by, at=now,
            incident_id=incident_id, reservation_id=reservation_id,
            transfer_line_id=transfer_line_id, note=note,
        )
    )  # fmt: skip
