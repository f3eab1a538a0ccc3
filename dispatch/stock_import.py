"""Merge a list of lots into the ledger of one organisation, as a whole or not at all.

The quantity of a row is what was received in all. A lot is known by depot, item and its code; one
without a code by depot, item, expiry and donor. More than was received before is one more receipt;
less is refused, for the ledger only grows: goods that are gone are issued or written off. A second
import of the same list changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import store, tables

#: No other import may run in an organisation meanwhile; the number only has to be ours.
_LOCK_SPACE = 4_712_015
_NOTE = "list import"


class Outcome(StrEnum):
    """What became of a row."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    NO_SUCH_DEPOT = "no_such_depot"
    #: The item is not known, and the row does not say its code, name and unit.
    NO_SUCH_ITEM = "no_such_item"
    #: An earlier row names the same lot.
    TWICE = "twice"
    #: More was received already; the ledger only grows.
    LESS_THAN_RECEIVED = "less_than_received"


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What a row says of its item, for one that is not known yet."""

    code: str
    name_zh: str
    name_en: str
    unit_zh: str
    unit_en: str


@dataclass(frozen=True, slots=True)
class LotRow:
    """One usable row; `depot` and `item` are codes or names."""

    number: int
    depot: str
    item: str
    quantity: int
    code: str | None = None
    expires_on: date | None = None
    donor: str | None = None
    new_item: ItemFacts | None = None


_Key = tuple[UUID, UUID, str | None, date | None, str | None]


@dataclass(slots=True)
class _Lot:
    id: UUID
    received: int
    expires_on: date | None
    donor: str | None


@dataclass(slots=True)
class _Job:
    conn: AsyncConnection
    org_id: UUID
    by: UUID | None
    now: datetime
    depots: Mapping[str, UUID]
    items: dict[str, UUID]
    lots: dict[_Key, _Lot]
    seen: set[_Key]
    new_lots: list[dict[str, Any]]
    movements: list[dict[str, Any]]


async def merge(
    conn: AsyncConnection,
    org_id: UUID,
    rows: Sequence[LotRow],
    *,
    by: UUID | None,
    now: datetime,
) -> dict[int, Outcome]:
    """Bring the ledger up to the list, in the caller's transaction; say what became of each row."""
    lock = sa.func.pg_advisory_xact_lock(_LOCK_SPACE, sa.func.hashtext(str(org_id)))
    await conn.execute(sa.select(lock))
    job = _Job(
        conn, org_id, by, now,
        await _depots(conn, org_id), await _items(conn, org_id), await _lots(conn, org_id),
        set(), [], [],
    )  # fmt: skip
    outcomes = {row.number: await _take(job, row) for row in rows}
    if job.new_lots:
        await conn.execute(sa.insert(tables.lot), job.new_lots)
    if job.movements:
        await conn.execute(sa.insert(tables.movement), job.movements)
    return outcomes


async def _take(job: _Job, row: LotRow) -> Outcome:
    depot = job.depots.get(_fold(row.depot))
    if depot is None:
        return Outcome.NO_SUCH_DEPOT
    item = await _item(job, row)
    if item is None:
        return Outcome.NO_SUCH_ITEM
    key = _key(depot, item, row.code, row.expires_on, row.donor)
    if key in job.seen:
        return Outcome.TWICE
    job.seen.add(key)
    if key in job.lots:
        return await _take_known(job, job.lots[key], row)
    _receive(job, _new_lot(job, depot, item, row), row.quantity)
    return Outcome.ADDED


async def _take_known(job: _Job, lot: _Lot, row: LotRow) -> Outcome:
    if row.quantity < lot.received:
        return Outcome.LESS_THAN_RECEIVED
    is_mended = await _mend(job, lot, row)
    if row.quantity > lot.received:
        _receive(job, lot.id, row.quantity - lot.received)
        return Outcome.CHANGED
    return Outcome.CHANGED if is_mended else Outcome.UNCHANGED


def _key(
    depot: UUID, item: UUID, code: str | None, expires_on: date | None, donor: str | None
) -> _Key:
    return (depot, item, code, None, None) if code else (depot, item, None, expires_on, donor)


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())


async def _item(job: _Job, row: LotRow) -> UUID | None:
    found = job.items.get(_fold(row.item))
    if found is not None or row.new_item is None:
        return found
    facts = row.new_item
    item_id = store.new_id()
    await job.conn.execute(
        sa.insert(tables.item).values(
            id=item_id, org_id=job.org_id, code=facts.code,
            name_zh=facts.name_zh, name_en=facts.name_en,
            unit_zh=facts.unit_zh, unit_en=facts.unit_en,
        )
    )  # fmt: skip
    job.items |= {_fold(word): item_id for word in (facts.code, facts.name_zh, facts.name_en)}
    return item_id


def _new_lot(job: _Job, depot: UUID, item: UUID, row: LotRow) -> UUID:
    lot_id = store.new_id()
    job.new_lots.append(
        {
            "id": lot_id,
            "depot_id": depot,
            "item_id": item,
            "code": row.code,
            "expires_on": row.expires_on,
            "donor": row.donor,
            "received_at": job.now,
        }
    )
    return lot_id


def _receive(job: _Job, lot_id: UUID, quantity: int) -> None:
    job.movements.append(
        {
            "id": store.new_id(),
            "lot_id": lot_id,
            "kind": "receive",
            "quantity": quantity,
            "by_id": job.by,
            "at": job.now,
            "note": _NOTE,
        }
    )


async def _mend(job: _Job, lot: _Lot, row: LotRow) -> bool:
    """Correct expiry and donor of a lot where the list says something else."""
    said = {"expires_on": row.expires_on, "donor": row.donor}
    more = {key: value for key, value in said.items() if value and getattr(lot, key) != value}
    if more:
        table = tables.lot
        await job.conn.execute(sa.update(table).where(table.c.id == lot.id).values(**more))
    return bool(more)


async def _depots(conn: AsyncConnection, org_id: UUID) -> dict[str, UUID]:
    """Give the depots by code and by names; a code wins over another depot's name."""
    depot = tables.depot.c
    rows = await conn.execute(
        sa.select(depot.id, depot.code, depot.name, depot.name_en).where(depot.org_id == org_id)
    )
    return _by_words([(row.id, row.code, row.name, row.name_en) for row in rows])


async def _items(conn: AsyncConnection, org_id: UUID) -> dict[str, UUID]:
    item = tables.item.c
    rows = await conn.execute(
        sa.select(item.id, item.code, item.name_zh, item.name_en).where(item.org_id == org_id)
    )
    return _by_words([(row.id, row.code, row.name_zh, row.name_en) for row in rows])


def _by_words(rows: Sequence[tuple[UUID, str, str, str | None]]) -> dict[str, UUID]:
    names = {_fold(name): row[0] for row in rows for name in row[2:] if name}
    return {**names, **{_fold(row[1]): row[0] for row in rows}}


# What each lot of the organisation received in all; locked, so that nobody receives meanwhile.
_LOTS = sa.text("""
select lot.id, lot.depot_id, lot.item_id, lot.code, lot.expires_on, lot.donor,
       (select coalesce(sum(quantity), 0) from movement
        where movement.lot_id = lot.id and movement.kind = 'receive') as received
from lot join depot on depot.id = lot.depot_id
where depot.org_id = :org
order by lot.id
for no key update of lot
""")


async def _lots(conn: AsyncConnection, org_id: UUID) -> dict[_Key, _Lot]:
    rows = await conn.execute(_LOTS, {"org": org_id})
    return {
        _key(row.depot_id, row.item_id, row.code, row.expires_on, row.donor): _Lot(
            row.id, row.received, row.expires_on, row.donor
        )
        for row in rows
    }
