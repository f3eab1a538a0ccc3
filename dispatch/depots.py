"""Depots, items and lots: what there is, where, and how far away. The ledger is in stock.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, tables
from dispatch.store import new_id
from geo import position as positions
from geo import usability

#: Lorries in a town go about 30 km/h, and streets are longer than the straight line.
LORRY_MPS = 8.3
DETOUR = 1.35


def drive_s(distance_m: float) -> float:
    """Estimate a drive in seconds from the straight line in metres."""
    return distance_m * DETOUR / LORRY_MPS


@dataclass(frozen=True, slots=True)
class DepotStock:
    """A depot with what it could give of one item, and how far it is."""

    id: UUID
    code: str
    name: str
    name_en: str | None
    address: str | None
    hours: str | None
    timezone: str
    position: positions.Position
    is_invented: bool
    available: int
    distance_m: float

    @property
    def travel_s(self) -> float:
        """Estimate the drive: straight line x 1.35 at 30 km/h."""
        return drive_s(self.distance_m)

    def usable(self, at: datetime) -> usability.Usability:
        """Say whether somebody is there who gives out goods to who arrives then."""
        place = usability.Conditions(
            usability.Status.IN_SERVICE, usability.Access.PUBLIC, self.hours, None, self.timezone,
            is_suspect=False, lon=round(self.position.lon, 1), lat=round(self.position.lat, 1),
        )  # fmt: skip
        return usability.judge(place, at)


_DEPOTS_NEAR = sa.text("""
select depot.id, depot.code, depot.name, depot.name_en, depot.address, depot.hours,
       org.timezone, depot.is_invented,
       ST_AsBinary(depot.position) as position,
       ST_Distance(depot.position, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)::geography)
           as distance_m,
       coalesce(sum(balance.on_hand - balance.reserved)
           filter (where lot.expires_on is null or lot.expires_on >=
                   (cast(:at as timestamptz) at time zone org.timezone)::date), 0)::int as available
from depot
join org on org.id = depot.org_id and starts_with(org.path, :path)
left join (lot join item on item.id = lot.item_id and (:item ::text is null or item.code = :item)
           join balance on balance.lot_id = lot.id) on lot.depot_id = depot.id
group by depot.id, org.timezone
order by distance_m, depot.id
""")


async def depots_near(
    conn: AsyncConnection,
    org_path: str,
    position: positions.Position,
    *,
    item: str | None = None,
    quantity: int = 0,
    at: datetime,
) -> list[DepotStock]:
    """List the depots of an organisation's subtree that can give so much then, nearest first.

    `item` is an item code; without one every depot is listed.
    """
    rows = await conn.execute(
        _DEPOTS_NEAR,
        {
            "lon": position.lon,
            "lat": position.lat,
            "path": org_path,
            "item": item,
            "at": at,
        },
    )
    found = [
        DepotStock(**{**row, "position": positions.Position.from_wkb(row["position"])})
        for row in rows.mappings()
    ]
    return [depot for depot in found if depot.available >= quantity]


@dataclass(frozen=True, slots=True)
class Depot:
    """A warehouse."""

    id: UUID
    org_code: str
    code: str
    name: str
    name_en: str | None
    address: str | None
    phone: str | None
    hours: str | None
    position: positions.Position
    is_invented: bool
    version: int


_DEPOTS = (
    sa.select(tables.depot, tables.org.c.code.label("org_code"))
    .join(tables.org, tables.org.c.id == tables.depot.c.org_id)
    .order_by(tables.depot.c.code)
)


async def list_depots(conn: AsyncConnection, paths: Sequence[str]) -> list[Depot]:
    """List the depots of some organisations' subtrees."""
    rows = await conn.execute(_DEPOTS.where(_within(paths)))
    return [
        Depot(**{f.name: row[f.name] for f in fields(Depot) if f.name != "position"},
              position=positions.Position.from_wkb(row["position"]))
        for row in rows.mappings()
    ]  # fmt: skip


async def add_depot(
    conn: AsyncConnection,
    org_id: UUID,
    *,
    code: str,
    name: str,
    position: positions.Position,
    name_en: str | None = None,
    address: str | None = None,
    phone: str | None = None,
    hours: str | None = None,
    is_invented: bool = False,
) -> UUID:
    """Add a warehouse and return its id. Raises NameTaken."""
    depot_id = new_id()
    await _insert(
        conn, tables.depot,
        id=depot_id, org_id=org_id, code=code, name=name, name_en=name_en, address=address,
        phone=phone, hours=hours, position=position.ewkb(), is_invented=is_invented,
    )  # fmt: skip
    return depot_id


@dataclass(frozen=True, slots=True)
class Item:
    """A kind of goods with its measure words and what the subtree holds of it."""

    id: UUID
    code: str
    name_zh: str
    name_en: str
    unit_zh: str
    unit_en: str
    on_hand: int
    reserved: int


async def list_items(conn: AsyncConnection, paths: Sequence[str]) -> list[Item]:
    """List the kinds of goods with their sums."""
    item, balance = tables.item.c, tables.balance.c
    rows = await conn.execute(
        sa.select(
            *(item[name] for name in ("id", "code", "name_zh", "name_en", "unit_zh", "unit_en")),
            sa.func.coalesce(sa.func.sum(balance.on_hand), 0).label("on_hand"),
            sa.func.coalesce(sa.func.sum(balance.reserved), 0).label("reserved"),
        )
        .select_from(tables.item)
        .join(tables.org, tables.org.c.id == item.org_id)
        .outerjoin(tables.lot, tables.lot.c.item_id == item.id)
        .outerjoin(tables.balance, balance.lot_id == tables.lot.c.id)
        .where(_within(paths))
        .group_by(item.id)
        .order_by(item.code)
    )
    return [Item(**row) for row in rows.mappings()]


async def add_item(
    conn: AsyncConnection,
    org_id: UUID,
    *,
    code: str,
    name_zh: str,
    name_en: str,
    unit_zh: str,
    unit_en: str,
) -> UUID:
    """Add a kind of goods and return its id. Raises NameTaken."""
    item_id = new_id()
    await _insert(
        conn, tables.item,
        id=item_id, org_id=org_id, code=code,
        name_zh=name_zh, name_en=name_en, unit_zh=unit_zh, unit_en=unit_en,
    )  # fmt: skip
    return item_id


@dataclass(frozen=True, slots=True)
class Lot:
    """Goods of one item received together, with the sums of its movements and claims."""

    id: UUID
    depot: str
    item: str
    code: str | None
    expires_on: date | None
    donor: str | None
    received_at: datetime
    on_hand: int
    reserved: int

    @property
    def available(self) -> int:
        """Return what can still be promised."""
        return self.on_hand - self.reserved


_LOTS = (
    sa.select(
        *(tables.lot.c[name] for name in ("id", "code", "expires_on", "donor", "received_at")),
        tables.depot.c.code.label("depot"),
        tables.item.c.code.label("item"),
        *(tables.balance.c[name] for name in ("on_hand", "reserved")),
    )
    .select_from(tables.lot)
    .join(tables.depot, tables.depot.c.id == tables.lot.c.depot_id)
    .join(tables.org, tables.org.c.id == tables.depot.c.org_id)
    .join(tables.item, tables.item.c.id == tables.lot.c.item_id)
    .join(tables.balance, tables.balance.c.lot_id == tables.lot.c.id)
)


async def list_lots(
    conn: AsyncConnection, paths: Sequence[str], *, after: UUID | None, limit: int
) -> list[Lot]:
    """List lots in the order of their ids, from after one on."""
    query = _LOTS.where(_within(paths)).order_by(tables.lot.c.id).limit(limit)
    if after is not None:
        query = query.where(tables.lot.c.id > after)
    return [Lot(**row) for row in (await conn.execute(query)).mappings()]


async def get_lot(conn: AsyncConnection, lot_id: UUID) -> Lot:
    """Return a lot. Raises NotFound."""
    row = (await conn.execute(_LOTS.where(tables.lot.c.id == lot_id))).mappings().one_or_none()
    if row is None:
        raise errors.NotFound
    return Lot(**row)


@dataclass(frozen=True, slots=True)
class Movement:
    """One entry of the ledger."""

    id: UUID
    seq: int
    lot_id: UUID
    kind: str
    quantity: int
    incident_id: UUID | None
    reservation_id: UUID | None
    transfer_line_id: UUID | None
    at: datetime
    by_id: UUID | None
    note: str | None


async def list_movements(
    conn: AsyncConnection, paths: Sequence[str], *, after: int, limit: int
) -> list[Movement]:
    """List the ledger in the order in which it was written, from after a number on."""
    movement = tables.movement
    rows = await conn.execute(
        sa.select(movement)
        .join(tables.lot, tables.lot.c.id == movement.c.lot_id)
        .join(tables.depot, tables.depot.c.id == tables.lot.c.depot_id)
        .join(tables.org, tables.org.c.id == tables.depot.c.org_id)
        .where(_within(paths), movement.c.seq > after)
        .order_by(movement.c.seq)
        .limit(limit)
    )
    return [Movement(**row) for row in rows.mappings()]


def _within(paths: Sequence[str]) -> sa.ColumnElement[bool]:
    return sa.or_(*(sa.func.starts_with(tables.org.c.path, path) for path in paths))


async def _insert(conn: AsyncConnection, table: sa.Table, **values: object) -> None:
    try:
        await conn.execute(sa.insert(table).values(**values))
    except IntegrityError as taken:
        raise errors.NameTaken(state={"code": values["code"]}) from taken
