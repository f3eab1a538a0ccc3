"""Goods on their way between depots, in two legs: sent by one person, taken in by another.

Between the legs the units are nobody's stock, and nowhere else. What does not arrive stays on the
line as missing, with a reason; what arrives becomes a lot of its own, which remembers the lot that
it came from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, fefo, ledger, store, tables
from dispatch.store import reading


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many units of an item, by its code, that are to be sent."""

    item: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Line:
    """Units of one lot on their way; `arrived` is None until somebody has counted them."""

    id: UUID
    transfer_id: UUID
    lot_id: UUID
    item: str
    quantity: int
    arrived: int | None
    arrived_lot_id: UUID | None


@dataclass(frozen=True, slots=True)
class Transfer:
    """Goods that one depot has sent to another."""

    id: UUID
    from_depot_id: UUID
    from_depot: str
    to_depot_id: UUID
    to_depot: str
    status: str
    sent_at: datetime
    sent_by_id: UUID
    due_at: datetime | None
    arrived_at: datetime | None
    arrived_by_id: UUID | None
    note: str | None
    difference: str | None
    lines: tuple[Line, ...]


async def send(
    conn: AsyncConnection,
    from_depot_id: UUID,
    to_depot_id: UUID,
    wanted: Sequence[Wanted],
    *,
    due_at: datetime | None = None,
    note: str | None = None,
    by: UUID,
    now: datetime,
) -> UUID:
    """Send goods off and return the transfer's id; the first to expire leave first.

    All or nothing. Raises StockShort with what is available, Malformed for one depot twice.
    """
    if from_depot_id == to_depot_id:
        raise errors.Malformed("goods are sent to another depot", state={"field": "to"})
    transfer_id = store.new_id()
    await conn.execute(
        sa.insert(tables.transfer).values(
            id=transfer_id, from_depot_id=from_depot_id, to_depot_id=to_depot_id,
            sent_at=now, sent_by_id=by, due_at=due_at, note=note,
        )
    )  # fmt: skip
    # In the order of codes, so that two who send the same things wait and do not deadlock.
    for one in sorted(wanted, key=lambda one: one.item):
        for take in await _pick(conn, from_depot_id, one, now=now):
            line_id = store.new_id()
            await conn.execute(
                sa.insert(tables.transfer_line).values(
                    id=line_id, transfer_id=transfer_id, lot_id=take.lot_id, quantity=take.quantity
                )
            )
            await ledger.move(
                conn, take.lot_id, "send", -take.quantity, transfer_line_id=line_id, by=by, now=now
            )
    return transfer_id


async def arrive(
    conn: AsyncConnection,
    transfer_id: UUID,
    counted: Mapping[UUID, int],
    *,
    difference: str | None = None,
    by: UUID,
    now: datetime,
) -> None:
    """Take in what was counted of each line; what is less than was sent needs a `difference`.

    Raises NotFound, Conflict when it was taken in before, SecondPerson for who sent it, Malformed
    where a line is left out, holds more than was sent, or a difference is not explained.
    """
    transfer = tables.transfer
    row = (
        await conn.execute(
            sa.select(transfer).where(transfer.c.id == transfer_id).with_for_update()
        )
    ).one_or_none()
    if row is None:
        raise errors.NotFound
    if row.status != "sent":
        raise errors.Conflict(state={"status": row.status})
    if row.sent_by_id == by:
        raise errors.SecondPerson(state={"sent_by": str(by)})
    lines = await _lines(conn, [transfer_id])
    _check(lines, counted, has_difference=bool(difference))
    for line in lines:
        lot_id = await _take_in(conn, line, counted[line.id], row.to_depot_id, by=by, now=now)
        await conn.execute(
            sa.update(tables.transfer_line)
            .where(tables.transfer_line.c.id == line.id)
            .values(arrived=counted[line.id], arrived_lot_id=lot_id)
        )
    await conn.execute(
        sa.update(transfer)
        .where(transfer.c.id == transfer_id)
        .values(status="arrived", arrived_at=now, arrived_by_id=by, difference=difference)
    )


def _check(lines: Sequence[Line], counted: Mapping[UUID, int], *, has_difference: bool) -> None:
    if counted.keys() != {line.id for line in lines}:
        raise errors.Malformed(
            "count every line, 0 for what is not there", state={"field": "lines"}
        )
    if any(counted[line.id] > line.quantity for line in lines):
        raise errors.Malformed("more than was sent", state={"field": "lines"})
    if any(counted[line.id] < line.quantity for line in lines) and not has_difference:
        raise errors.Malformed("say what happened to the rest", state={"field": "difference"})


async def _take_in(
    conn: AsyncConnection, line: Line, quantity: int, depot_id: UUID, *, by: UUID, now: datetime
) -> UUID | None:
    """Put units on the shelf as a lot of their own; None where nothing arrived."""
    if quantity == 0:
        return None
    lot, lot_id = tables.lot, store.new_id()
    same = ("item_id", "code", "expires_on", "donor")
    origin = sa.select(
        sa.literal(lot_id), sa.literal(depot_id), sa.literal(now), lot.c.id,
        *(lot.c[name] for name in same),
    ).where(lot.c.id == line.lot_id)  # fmt: skip
    columns = ["id", "depot_id", "received_at", "origin_id", *same]
    await conn.execute(sa.insert(lot).from_select(columns, origin))
    await ledger.move(conn, lot_id, "arrive", quantity, transfer_line_id=line.id, by=by, now=now)
    return lot_id


async def _pick(
    conn: AsyncConnection, depot_id: UUID, wanted: Wanted, *, now: datetime
) -> list[fefo.Take]:
    shelves = await ledger.shelves(conn, wanted.item, depot_id=depot_id, now=now)
    takes, missing = fefo.pick(shelves, wanted.quantity)
    if missing:
        raise errors.StockShort(state={"item": wanted.item, "available": wanted.quantity - missing})
    return takes


# ---- reading

_FROM, _TO = tables.depot.alias("from_depot"), tables.depot.alias("to_depot")
_ORG = tables.org.alias("from_org")
_TO_ORG = tables.org.alias("to_org")
_TRANSFERS = (
    sa.select(tables.transfer, _FROM.c.code.label("from_depot"), _TO.c.code.label("to_depot"))
    .join(_FROM, _FROM.c.id == tables.transfer.c.from_depot_id)
    .join(_TO, _TO.c.id == tables.transfer.c.to_depot_id)
    .join(_ORG, _ORG.c.id == _FROM.c.org_id)
    .join(_TO_ORG, _TO_ORG.c.id == _TO.c.org_id)
)


async def list_transfers(
    conn: AsyncConnection, paths: Sequence[str], *, after: UUID | None, limit: int
) -> list[Transfer]:
    """List what subtrees have sent or are sent, in the order of ids, from after one on."""
    is_theirs = [sa.func.starts_with(org.c.path, path) for path in paths for org in (_ORG, _TO_ORG)]
    query = _TRANSFERS.where(sa.or_(*is_theirs)).order_by(tables.transfer.c.id).limit(limit)
    if after is not None:
        query = query.where(tables.transfer.c.id > after)
    return await _read(conn, query)


async def get_transfer(conn: AsyncConnection, transfer_id: UUID) -> Transfer:
    """Return a transfer with its lines. Raises NotFound."""
    found = await _read(conn, _TRANSFERS.where(tables.transfer.c.id == transfer_id))
    if not found:
        raise errors.NotFound
    return found[0]


async def _read(conn: AsyncConnection, query: sa.Select[tuple[object, ...]]) -> list[Transfer]:
    rows = (await conn.execute(query)).mappings().all()
    lines: dict[UUID, list[Line]] = {row["id"]: [] for row in rows}
    for line in await _lines(conn, list(lines)):
        lines[line.transfer_id].append(line)
    return [reading.value(Transfer, row, lines=tuple(lines[row["id"]])) for row in rows]


async def _lines(conn: AsyncConnection, transfer_ids: Sequence[UUID]) -> list[Line]:
    line = tables.transfer_line
    rows = await conn.execute(
        sa.select(line, tables.item.c.code.label("item"))
        .join(tables.lot, tables.lot.c.id == line.c.lot_id)
        .join(tables.item, tables.item.c.id == tables.lot.c.item_id)
        .where(line.c.transfer_id.in_(transfer_ids))
        .order_by(line.c.id)
    )
    return [reading.value(Line, row) for row in rows.mappings()]
