"""Relief stock: depots, kinds of goods, lots, the ledger, and claims for incidents."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Query, Response
from pydantic import Field

from dispatch import depots, errors, events, orgs, stock, store, tables, transfers
from web import fields, idempotency, rights
from web.dependencies import Caller, Crs, Now, Tx, View
from web.rights import Action

router = APIRouter(tags=["stock"], route_class=idempotency.Route)

Quantity = Annotated[int, Field(ge=1, le=1_000_000_000)]


class NewDepot(fields.Body):
    """A warehouse, from a province's store to a village point."""

    org: fields.Name | None = None
    code: fields.Code
    name: fields.Name
    name_en: fields.Name | None = None
    address: fields.Word | None = None
    phone: fields.Word | None = None
    hours: fields.Word | None = None
    position: fields.Place
    crs: fields.Crs = None


class NewItem(fields.Body):
    """A kind of goods with its measure word: 顶, 床, 条, 件, 箱."""

    org: fields.Name | None = None
    code: fields.Code
    name_zh: fields.Name
    name_en: fields.Name
    unit_zh: fields.Name
    unit_en: fields.Name


class NewLot(fields.Body):
    """Goods of one item received together."""

    depot: fields.Id
    item: fields.Id
    quantity: Quantity
    code: fields.Word | None = None
    expires_on: fields.Day | None = None
    donor: fields.Word | None = None


class NewReservation(fields.Body):
    """A claim for an incident: so many units of an item, from one depot or from the nearest.

    `lot` takes one lot; where another of its depot expires earlier, `reason` says why.
    """

    incident: fields.Id
    item: fields.Code
    quantity: Quantity
    depot: fields.Id | None = None
    lot: fields.Id | None = None
    reason: fields.Name | None = None


class WriteOff(fields.Body):
    """Goods that are spoiled or gone."""

    lot: fields.Id
    quantity: Quantity
    note: fields.Name


class TakeBack(fields.Body):
    """Goods that were handed out and not needed."""

    quantity: Quantity
    note: fields.Name


class Wanted(fields.Body):
    """So many units of an item."""

    item: fields.Code
    quantity: Quantity


class NewTransfer(fields.Body):
    """Goods that leave one depot for another; `due_at` is when they should be there."""

    from_depot: fields.Id
    to_depot: fields.Id
    items: Annotated[list[Wanted], Field(min_length=1, max_length=200)]
    due_at: fields.At | None = None
    note: fields.Word | None = None


class Counted(fields.Body):
    """What is there of one line."""

    line: fields.Id
    quantity: Annotated[int, Field(ge=0, le=1_000_000_000)]


class Arrival(fields.Body):
    """The count of every line; `difference` says what happened to what is not there."""

    lines: Annotated[list[Counted], Field(min_length=1, max_length=1_000)]
    difference: fields.Name | None = None


@router.get("/depots", summary="Depots")
async def list_depots(conn: View, caller: Caller, crs: Crs) -> Response:
    """List the depots of the caller's organisations."""
    found = await depots.list_depots(conn, rights.reach(caller, Action.STOCK_SEE))
    return fields.send({"items": [_depot_out(depot) for depot in found], "next_cursor": None}, crs)


@router.post("/depots", status_code=201, summary="Add a depot", dependencies=[idempotency.REQUIRED])
async def add_depot(conn: Tx, caller: Caller, body: NewDepot, crs: Crs) -> Response:
    """Add a warehouse to an organisation."""
    org_id, path = await _org(conn, caller, body.org)
    await depots.add_depot(
        conn,
        org_id,
        position=fields.inward(body.position, body.crs, crs),
        **body.model_dump(exclude={"org", "position", "crs"}),
    )
    made = next(d for d in await depots.list_depots(conn, [path]) if d.code == body.code)
    return fields.send(_depot_out(made), crs, status=201)


@router.get("/items", summary="Kinds of goods, with what there is of them")
async def list_items(conn: View, caller: Caller) -> Response:
    """List the kinds of goods; `available` is on hand less reserved."""
    found = await depots.list_items(conn, rights.reach(caller, Action.STOCK_SEE))
    return fields.send({"items": [_item_out(item) for item in found], "next_cursor": None})


@router.post(
    "/items", status_code=201, summary="Add a kind of goods", dependencies=[idempotency.REQUIRED]
)
async def add_item(conn: Tx, caller: Caller, body: NewItem) -> Response:
    """Add a kind of goods to an organisation."""
    org_id, path = await _org(conn, caller, body.org)
    await depots.add_item(conn, org_id, **body.model_dump(exclude={"org"}))
    made = next(i for i in await depots.list_items(conn, [path]) if i.code == body.code)
    return fields.send(_item_out(made), status=201)


@router.get("/lots", summary="Lots with their balances")
async def list_lots(conn: View, caller: Caller, page: fields.Paging) -> Response:
    """List lots in the order in which they were received."""
    found = await depots.list_lots(
        conn,
        rights.reach(caller, Action.STOCK_SEE),
        after=fields.key_of(page, UUID),
        limit=page.limit,
    )
    last = fields.cursor_of(found[-1].id) if len(found) == page.limit else None
    return fields.send({"items": [_lot_out(lot) for lot in found], "next_cursor": last})


@router.post("/lots", status_code=201, summary="Receive", dependencies=[idempotency.REQUIRED])
async def receive(conn: Tx, caller: Caller, body: NewLot, now: Now) -> Response:
    """Put goods into a depot as a new lot."""
    await rights.check(conn, caller, Action.STOCK_CHANGE, orgs.Noun.DEPOT, body.depot)
    await rights.check(conn, caller, Action.STOCK_CHANGE, orgs.Noun.ITEM, body.item)
    lot_id = await stock.receive(
        conn, body.depot, body.item,
        quantity=body.quantity, expires_on=body.expires_on, donor=body.donor, code=body.code,
        by=caller.id, now=now,
    )  # fmt: skip
    return fields.send(_lot_out(await depots.get_lot(conn, lot_id)), status=201)


@router.get("/movements", summary="The ledger")
async def list_movements(conn: View, caller: Caller, page: fields.Paging) -> Response:
    """List every movement in the order in which it was written; none is ever changed."""
    found = await depots.list_movements(
        conn,
        rights.reach(caller, Action.STOCK_SEE),
        after=fields.key_of(page, int) or 0,
        limit=page.limit,
    )
    last = fields.cursor_of(found[-1].seq) if len(found) == page.limit else None
    return fields.send({"items": [_movement_out(m) for m in found], "next_cursor": last})


@router.post(
    "/movements", status_code=201, summary="Write off", dependencies=[idempotency.REQUIRED]
)
async def write_off(conn: Tx, caller: Caller, body: WriteOff, now: Now) -> Response:
    """Take spoiled or lost goods out of a lot."""
    await rights.check(conn, caller, Action.STOCK_CHANGE, orgs.Noun.LOT, body.lot)
    await stock.write_off(
        conn, body.lot, quantity=body.quantity, note=body.note, by=caller.id, now=now
    )
    return fields.send(_lot_out(await depots.get_lot(conn, body.lot)), status=201)


@router.get("/reservations", summary="Claims on stock")
async def list_reservations(
    conn: View, caller: Caller, incident: Annotated[UUID | None, Query()] = None
) -> Response:
    """List the active claims, or all of one incident."""
    paths = rights.reach(caller, Action.STOCK_SEE)
    org = tables.org.c
    mine = sa.select(tables.incident.c.id).join(tables.org, org.id == tables.incident.c.org_id)
    mine = mine.where(sa.or_(*(sa.func.starts_with(org.path, path) for path in paths)))
    claim = tables.reservation.c
    wanted = claim.status == "active" if incident is None else claim.incident_id == incident
    found = await store.list_reservations(conn, claim.incident_id.in_(mine), wanted)
    return fields.send({"items": list(map(events.reservation_out, found)), "next_cursor": None})


@router.post(
    "/reservations", status_code=201, summary="Reserve", dependencies=[idempotency.REQUIRED]
)
async def reserve(conn: Tx, caller: Caller, body: NewReservation, now: Now) -> Response:
    """Claim units for an incident: all of them or 409 with what is available."""
    owner = await rights.check(
        conn, caller, Action.STOCK_RESERVE, orgs.Noun.INCIDENT, body.incident
    )
    if body.depot is not None:
        await rights.check(conn, caller, Action.STOCK_RESERVE, orgs.Noun.DEPOT, body.depot)
    if body.lot is not None:
        await rights.check(conn, caller, Action.STOCK_RESERVE, orgs.Noun.LOT, body.lot)
    ids = await stock.reserve(
        conn, body.incident,
        org_path=owner.path or "", item=body.item, quantity=body.quantity, depot_id=body.depot,
        lot_id=body.lot, reason=body.reason, by=caller.id, now=now,
    )  # fmt: skip
    made = await store.list_reservations(conn, tables.reservation.c.id.in_(ids))
    return fields.send({"items": list(map(events.reservation_out, made))}, status=201)


@router.post("/reservations/{reservation_id}/issue", summary="Hand out what was reserved")
async def issue(conn: Tx, caller: Caller, reservation_id: UUID, now: Now) -> Response:
    """Hand the goods out; issuing twice changes nothing the second time."""
    await rights.check(conn, caller, Action.STOCK_CHANGE, orgs.Noun.RESERVATION, reservation_id)
    await stock.issue(conn, reservation_id, by=caller.id, now=now)
    return await _reservation(conn, reservation_id)


@router.post("/reservations/{reservation_id}/release", summary="Give a claim back")
async def release(conn: Tx, caller: Caller, reservation_id: UUID, now: Now) -> Response:
    """End a claim without handing anything out."""
    await rights.check(conn, caller, Action.STOCK_RESERVE, orgs.Noun.RESERVATION, reservation_id)
    await stock.release(conn, reservation_id, by=caller.id, now=now)
    return await _reservation(conn, reservation_id)


@router.post(
    "/reservations/{reservation_id}/return",
    status_code=201,
    summary="Take back what was not needed",
    dependencies=[idempotency.REQUIRED],
)
async def take_back(
    conn: Tx, caller: Caller, reservation_id: UUID, body: TakeBack, now: Now
) -> Response:
    """Put goods that were handed out back into their lot."""
    await rights.check(conn, caller, Action.STOCK_CHANGE, orgs.Noun.RESERVATION, reservation_id)
    lot_id = await stock.take_back(
        conn, reservation_id, quantity=body.quantity, note=body.note, by=caller.id, now=now
    )
    return fields.send(_lot_out(await depots.get_lot(conn, lot_id)), status=201)


@router.get("/transfers", summary="Goods on their way between depots")
async def list_transfers(conn: View, caller: Caller, page: fields.Paging) -> Response:
    """List what the caller's organisations have sent or are sent, in the order of sending."""
    found = await transfers.list_transfers(
        conn,
        rights.reach(caller, Action.STOCK_SEE),
        after=fields.key_of(page, UUID),
        limit=page.limit,
    )
    last = fields.cursor_of(found[-1].id) if len(found) == page.limit else None
    return fields.send({"items": [_transfer_out(one) for one in found], "next_cursor": last})


@router.post(
    "/transfers", status_code=201, summary="Send goods off", dependencies=[idempotency.REQUIRED]
)
async def send(conn: Tx, caller: Caller, body: NewTransfer, now: Now) -> Response:
    """Send goods to another depot: all of them or 409 with what is available."""
    await rights.check(conn, caller, Action.STOCK_CHANGE, orgs.Noun.DEPOT, body.from_depot)
    await rights.check(conn, caller, Action.STOCK_SEE, orgs.Noun.DEPOT, body.to_depot)
    transfer_id = await transfers.send(
        conn, body.from_depot, body.to_depot,
        [transfers.Wanted(one.item, one.quantity) for one in body.items],
        due_at=body.due_at, note=body.note, by=caller.id, now=now,
    )  # fmt: skip
    return fields.send(_transfer_out(await transfers.get_transfer(conn, transfer_id)), status=201)


@router.post("/transfers/{transfer_id}/arrive", summary="Take in what was sent")
async def arrive(conn: Tx, caller: Caller, transfer_id: UUID, body: Arrival, now: Now) -> Response:
    """Count what is there of each line; who sent it may not do this."""
    sent = await transfers.get_transfer(conn, transfer_id)
    await rights.check(conn, caller, Action.STOCK_CHANGE, orgs.Noun.DEPOT, sent.to_depot_id)
    await transfers.arrive(
        conn, transfer_id, {one.line: one.quantity for one in body.lines},
        difference=body.difference, by=caller.id, now=now,
    )  # fmt: skip
    return fields.send(_transfer_out(await transfers.get_transfer(conn, transfer_id)))


async def _reservation(conn: Tx, reservation_id: UUID) -> Response:
    found = await store.list_reservations(conn, tables.reservation.c.id == reservation_id)
    return fields.send(events.reservation_out(found[0]))


async def _org(conn: Tx, caller: Caller, code: str | None) -> tuple[UUID, str]:
    if code is None:
        found = (await orgs.list_orgs(conn, [rights.home(caller, Action.STOCK_CHANGE)]))[0]
    else:
        named = await orgs.find_org(conn, code)
        if named is None:
            raise errors.NotFound
        found = named
    rights.require(caller, Action.STOCK_CHANGE, rights.Thing(path=found.path))
    return found.id, found.path


def _depot_out(depot: depots.Depot) -> dict[str, Any]:
    plain = ("code", "name", "name_en", "address", "phone", "hours", "is_invented", "version")
    return {
        "id": str(depot.id),
        "org": depot.org_code,
        **{name: getattr(depot, name) for name in plain},
        "position": depot.position.geojson(),
    }


def _item_out(item: depots.Item) -> dict[str, Any]:
    return {**asdict(item), "id": str(item.id), "available": item.on_hand - item.reserved}


def _lot_out(lot: depots.Lot) -> dict[str, Any]:
    return {
        **asdict(lot),
        "id": str(lot.id),
        "received_at": events.time(lot.received_at),
        "expires_on": lot.expires_on,
        "available": lot.available,
    }


def _transfer_out(transfer: transfers.Transfer) -> dict[str, Any]:
    plain = {name: _plain(value) for name, value in asdict(transfer).items() if name != "lines"}
    lines = [
        {name: _plain(value) for name, value in asdict(line).items() if name != "transfer_id"}
        for line in transfer.lines
    ]
    return {**plain, "lines": lines}


def _movement_out(movement: depots.Movement) -> dict[str, Any]:
    return {
        **{name: _plain(value) for name, value in asdict(movement).items() if name != "lot_id"},
        "lot": str(movement.lot_id),
    }


def _plain(value: object) -> object:
    if isinstance(value, UUID):
        return str(value)
    return events.time(value) if isinstance(value, datetime) else value
