"""What only its organisation knows of an AED: custodians, the code of the lock, the history."""

from __future__ import annotations

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, model_validator

from dispatch import cabinet_codes, devices, events
from geo import aed_custodians, aed_history
from geo.aed_custodians import Custodian
from web import aed_access, fields
from web.dependencies import Caller, Crs, Now, Tx, View
from web.rights import Action

router = APIRouter(prefix="/aeds/{aed_id}", tags=["aeds"])


class CustodianFacts(fields.Body):
    """Somebody who answers for the device; 1 is asked before 2."""

    rank: Annotated[int, Field(ge=1, le=2)]
    unit: fields.Word | None = None
    name: fields.Name
    phone: fields.Word | None = None
    email: fields.Word | None = None


class Custodians(fields.Body):
    """All custodians of a device; whoever is not named is one no longer."""

    items: Annotated[list[CustodianFacts], Field(max_length=2)]

    @model_validator(mode="after")
    def _ranked(self) -> Self:
        if len({one.rank for one in self.items}) < len(self.items):
            raise ValueError("each custodian needs a rank of their own, 1 or 2")
        return self


class CustodianShape(fields.Shape):
    """Somebody who answers for the device."""

    rank: int
    unit: str | None
    name: str
    phone: str | None
    email: str | None


class CustodiansShape(fields.Shape):
    """The custodians of a device, in the order in which they are asked."""

    items: list[CustodianShape]


class Code(fields.Body):
    """The code of the lock; null forgets it."""

    code: Annotated[fields.Name, Field(max_length=40)] | None


class CodeShape(fields.Shape):
    """The code of the lock."""

    code: str


class KeptShape(fields.Shape):
    """Whether a code is kept now."""

    has_code: bool


class ChangeShape(fields.Shape):
    """What one change changed: by each field the value before and after."""

    version: int
    at: str
    reason: str
    actor: dict[str, str] | None
    changed: dict[str, list[Any]]


class HistoryShape(fields.Shape):
    """A page of the changes of a device, newest first."""

    items: list[ChangeShape]
    next_cursor: str | None
    crs: str


@router.get("/custodians", response_model=CustodiansShape, summary="Who answers for it")
async def list_custodians(aed_id: UUID, *, conn: View, caller: Caller) -> Response:
    """List the custodians; never public."""
    await aed_access.owner(conn, caller, Action.AED_SEE, aed_id)
    return fields.send({"items": list(map(_out, await aed_custodians.list_of(conn, aed_id)))})


@router.put("/custodians", response_model=CustodiansShape, summary="Say who answers for it")
async def put_custodians(
    aed_id: UUID, body: Custodians, *, conn: Tx, caller: Caller, now: Now
) -> Response:
    """Replace the custodians of a device."""
    await aed_access.owner(conn, caller, Action.AED_CHANGE, aed_id)
    named = sorted(body.items, key=lambda one: one.rank)
    custodians = [Custodian(**one.model_dump()) for one in named]
    await aed_custodians.put(conn, aed_id, custodians, now=now)
    return fields.send({"items": list(map(_out, custodians))})


def _out(custodian: Custodian) -> dict[str, Any]:
    return {
        "rank": custodian.rank,
        "unit": custodian.unit,
        "name": custodian.name,
        "phone": custodian.phone,
        "email": custodian.email,
    }


@router.put("/code", response_model=KeptShape, summary="Keep the code of the lock")
async def put_code(aed_id: UUID, body: Code, *, conn: Tx, caller: Caller, now: Now) -> Response:
    """Keep the code of a device's lock, or forget it; nobody reads it back here."""
    await aed_access.owner(conn, caller, Action.AED_CHANGE, aed_id)
    await cabinet_codes.put(conn, aed_id, body.code, by=caller.id, now=now)
    return fields.send({"has_code": body.code is not None})


@router.get("/code", response_model=CodeShape, summary="The code of the lock, on a mission")
async def release_code(aed_id: UUID, *, conn: Tx, caller: Caller, now: Now) -> Response:
    """Give the code to whoever accepted to fetch this AED while the incident is open; else 404.

    Each time is on record, and a line of the incident's timeline.
    """
    code = await cabinet_codes.release(conn, aed_id, responder_id=caller.id, now=now)
    return fields.send({"code": code})


@router.get("/history", response_model=HistoryShape, summary="What changed")
async def history(
    aed_id: UUID, *, conn: View, caller: Caller, crs: Crs, page: fields.Paging
) -> Response:
    """List the changes of the record, newest first."""
    await aed_access.owner(conn, caller, Action.AED_SEE, aed_id)
    entries = await aed_history.list_changes(
        conn, aed_id, before=fields.key_of(page, int), limit=page.limit + 1
    )
    names = await devices.names_of(conn, [entry.actor_id for entry in entries])
    items = [
        {
            "version": entry.version,
            "at": events.time(entry.at),
            "reason": entry.reason,
            "actor": None if entry.actor_id is None else names.get(entry.actor_id),
            "changed": entry.changed,
        }
        for entry in entries
    ]
    return fields.send(fields.paged(items, page, [entry.version for entry in entries]), crs)
