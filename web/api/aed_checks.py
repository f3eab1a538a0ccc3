"""What people found who had the task to look at an AED."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from dispatch import devices, events
from geo import aed_checks
from geo.aed_checks import CheckResult
from web import aed_access, fields, idempotency
from web.dependencies import Caller, Crs, Now, Tx, View
from web.rights import Action

router = APIRouter(prefix="/aeds/{aed_id}", tags=["aeds"], route_class=idempotency.Route)


class NewCheck(fields.Body):
    """Somebody looked at the device."""

    result: Annotated[CheckResult, fields.Lax]
    pads_expire_on: fields.Day | None = None
    child_pads_expire_on: fields.Day | None = None
    battery_expires_on: fields.Day | None = None
    position: fields.Place | None = Field(None, description="Where the person stands.")
    crs: fields.Crs = None
    note: fields.Text | None = None


class CheckShape(fields.Shape):
    """One look at a device; `is_far` when it was made from more than 100 m away."""

    id: str
    aed: str
    result: str
    pads_expire_on: str | None
    child_pads_expire_on: str | None
    battery_expires_on: str | None
    away_m: float | None
    is_far: bool
    note: str | None
    by: dict[str, str] | None
    at: str


class ChecksShape(fields.Shape):
    """The checks of a device, newest first."""

    items: list[CheckShape]
    next_cursor: None


@router.get("/checks", response_model=ChecksShape, summary="What was found")
async def list_checks(aed_id: UUID, *, conn: View, caller: Caller) -> Response:
    """List the last hundred checks, newest first."""
    await aed_access.owner(conn, caller, Action.AED_SEE, aed_id)
    found = await aed_checks.list_checks(conn, aed_id)
    names = await devices.names_of(conn, [check.actor_id for check in found])
    return fields.send({"items": [_out(check, names) for check in found], "next_cursor": None})


@router.post(
    "/checks",
    status_code=201,
    response_model=CheckShape,
    dependencies=[idempotency.REQUIRED],
    summary="Record a check",
)
async def add_check(
    aed_id: UUID, body: NewCheck, *, conn: Tx, caller: Caller, crs: Crs, now: Now
) -> Response:
    """Record a look: `ok` puts the device in service, anything else takes it out.

    The dates that are given become the device's; an open use is over, unless it was missing.
    """
    await aed_access.owner(conn, caller, Action.AED_CHANGE, aed_id)
    place = None if body.position is None else fields.inward(body.position, body.crs, crs)
    look = aed_checks.Look(
        result=body.result,
        pads_expire_on=body.pads_expire_on,
        child_pads_expire_on=body.child_pads_expire_on,
        battery_expires_on=body.battery_expires_on,
        position=place,
        note=body.note,
    )
    check = await aed_checks.add_check(conn, aed_id, look, actor_id=caller.id, now=now)
    await devices.tell(conn, aed_id, now=now)
    names = await devices.names_of(conn, [check.actor_id])
    return fields.send(_out(check, names), status=201)


def _out(check: aed_checks.Check, names: dict[UUID, dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": str(check.id),
        "aed": str(check.aed_id),
        "result": check.result,
        "pads_expire_on": check.pads_expire_on,
        "child_pads_expire_on": check.child_pads_expire_on,
        "battery_expires_on": check.battery_expires_on,
        "away_m": None if check.away_m is None else round(check.away_m, 1),
        "is_far": check.is_far,
        "note": check.note,
        "by": None if check.actor_id is None else names.get(check.actor_id),
        "at": events.time(check.at),
    }
