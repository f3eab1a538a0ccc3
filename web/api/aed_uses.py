"""From taking an AED to its return, and where one that travels is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from dispatch import devices, errors, events, orgs
from geo import aed_uses, aeds
from geo.position import distance_m
from web import aed_access, aed_record, fields, idempotency, rights
from web.aed_access import found
from web.dependencies import Caller, Crs, Now, Tx, View
from web.rights import Action

router = APIRouter(prefix="/aeds/{aed_id}", tags=["aeds"], route_class=idempotency.Route)
own_router = APIRouter(prefix="/me", tags=["me"])

#: A clock that is further ahead than this is wrong.
AHEAD_MOST = timedelta(seconds=60)
#: Less than this is told to nobody: a parked car's positions dance.
TOLD_FROM_M = 20.0


class NewUse(fields.Body):
    """Somebody took the device."""

    incident: fields.Id | None = None
    note: fields.Text | None = None


class Return(fields.Body):
    """The device hangs at its place again; with used pads it needs a check first."""

    pads_used: bool
    note: fields.Text | None = None


class UseShape(fields.Shape):
    """One time that the device was taken."""

    id: str
    aed: str
    incident: str | None
    by: dict[str, str] | None
    taken_at: str
    returned_at: str | None
    pads_used: bool | None
    note: str | None


class UsesShape(fields.Shape):
    """The uses of a device, newest first."""

    items: list[UseShape]
    next_cursor: None


class CarriedShape(fields.Shape):
    """A device that I took and have not brought back, and where it belongs."""

    id: str
    incident: str | None
    taken_at: str
    aed: CarriedAedShape


class CarriedAedShape(fields.Shape):
    """Where a device belongs, as everybody may know."""

    id: str
    name: str
    address: str | None
    floor: str | None
    entrance: str | None
    location_note: str | None
    position: fields.PointShape


class AllCarriedShape(fields.Shape):
    """What I took and have not brought back, newest first."""

    items: list[CarriedShape]
    next_cursor: None
    crs: str


class NewPlace(fields.Body):
    """Where a device that travels is, and since when."""

    position: fields.Place
    at: fields.At
    accuracy_m: aed_record.Metres | None = None
    crs: fields.Crs = None


class PlaceShape(fields.Shape):
    """Where it is, as far as is known."""

    position: fields.PointShape
    at: str
    crs: str


@router.get("/uses", response_model=UsesShape, summary="When it was taken")
async def list_uses(aed_id: UUID, *, conn: View, caller: Caller) -> Response:
    """List the last hundred uses, newest first."""
    await aed_access.owner(conn, caller, Action.AED_SEE, aed_id)
    uses = await aed_uses.list_uses(conn, aed_id)
    names = await devices.names_of(conn, [use.actor_id for use in uses])
    return fields.send({"items": [_out(use, names) for use in uses], "next_cursor": None})


@router.post(
    "/uses",
    status_code=201,
    response_model=UseShape,
    dependencies=[idempotency.REQUIRED],
    summary="The device was taken",
)
async def take(aed_id: UUID, body: NewUse, *, conn: Tx, caller: Caller, now: Now) -> Response:
    """Record that the device was taken: nobody is sent for it until it is returned.

    The step `aed_collected` of a mission does this by itself.
    """
    await aed_access.owner(conn, caller, Action.AED_CHANGE, aed_id)
    if body.incident is not None:
        await rights.check(conn, caller, Action.INCIDENT_SEE, orgs.Noun.INCIDENT, body.incident)
    try:
        use = await aed_uses.take(
            conn, aed_id, incident_id=body.incident, note=body.note, actor_id=caller.id, now=now
        )
    except aed_uses.AlreadyTaken as taken:
        raise errors.Conflict("it was taken already", state=_out(taken.present, {})) from None
    await devices.tell(conn, aed_id, now=now)
    names = await devices.names_of(conn, [use.actor_id])
    return fields.send(_out(use, names), status=201)


@router.post("/uses/{use_id}/return", response_model=UseShape, summary="The device is back")
async def give_back(
    aed_id: UUID, use_id: UUID, body: Return, *, conn: Tx, caller: Caller, now: Now
) -> Response:
    """Record the return; whoever took it may, and whoever keeps the registry.

    Repeating changes nothing. With used pads the device is out of service until a check.
    """
    with found():
        use = await aed_uses.get(conn, aed_id, use_id)
        if use.actor_id != caller.id:
            await aed_access.owner(conn, caller, Action.AED_CHANGE, aed_id)
        was_out = use.returned_at is None
        use = await aed_uses.give_back(
            conn, aed_id, use_id,
            pads_used=body.pads_used, note=body.note, actor_id=caller.id, now=now,
        )  # fmt: skip
    if was_out:
        await devices.tell(conn, aed_id, now=now)
    names = await devices.names_of(conn, [use.actor_id])
    return fields.send(_out(use, names))


@own_router.get("/aed-uses", response_model=AllCarriedShape, summary="AEDs that I have to return")
async def list_own(*, conn: View, caller: Caller, crs: Crs) -> Response:
    """List the devices that I took and have not brought back."""
    rights.require(caller, Action.OWN_SEE, rights.Thing(person_id=caller.id))
    uses = await aed_uses.list_open_of(conn, caller.id)
    items = [_carried(use, await aeds.get(conn, use.aed_id)) for use in uses]
    return fields.send({"items": items, "next_cursor": None}, crs)


@router.put("/place", response_model=PlaceShape, summary="Where a mobile AED is")
async def move(
    aed_id: UUID, body: NewPlace, *, conn: Tx, caller: Caller, crs: Crs, now: Now
) -> Response:
    """Say where a device with a `carrier` is; after 30 minutes of silence it counts as unknown.

    A time before the one that is known is left out. Neither the version nor the history changes.
    """
    await aed_access.owner(conn, caller, Action.AED_CHANGE, aed_id)
    if body.at > now + AHEAD_MOST:
        raise errors.Malformed("at lies in the future; set the clock of the device")
    sent = fields.Sent(body.position, body.crs or crs)
    before = await aeds.get(conn, aed_id)
    try:
        aed = await aeds.move(
            conn, aed_id, sent.wgs84,
            at=body.at, accuracy_m=body.accuracy_m, source_crs=sent.crs, raw=sent.position, now=now,
        )  # fmt: skip
    except aeds.NotMobile:
        raise errors.Conflict("it has no carrier; change its position by PATCH") from None
    if distance_m(before.position, aed.position) >= TOLD_FROM_M:
        await devices.tell(conn, aed_id, now=now)
    place = {"position": aed.position.geojson(), "at": events.time(aed.moved_at)}
    return fields.send(place, crs)


def _carried(use: aed_uses.Use, aed: aeds.Aed) -> dict[str, Any]:
    plain = ("name", "address", "floor", "entrance", "location_note")
    place = {name: getattr(aed, name) for name in plain}
    return {
        "id": str(use.id),
        "incident": events.ident(use.incident_id),
        "taken_at": events.time(use.taken_at),
        "aed": {"id": str(aed.id), **place, "position": aed.position.geojson()},
    }


def _out(use: aed_uses.Use, names: dict[UUID, dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": str(use.id),
        "aed": str(use.aed_id),
        "incident": events.ident(use.incident_id),
        "by": None if use.actor_id is None else names.get(use.actor_id),
        "taken_at": events.time(use.taken_at),
        "returned_at": events.time(use.returned_at),
        "pads_used": use.pads_used,
        "note": use.note,
    }
