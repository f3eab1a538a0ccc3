"""By which channels a call reaches me."""

from __future__ import annotations

from fastapi import APIRouter, Response

from dispatch import reach
from web import fields, rights
from web.dependencies import Caller, View

router = APIRouter(prefix="/me/channels", tags=["me"])


class ReachShape(fields.Shape):
    """One channel: `ready`, `off` (not used here), `none` (no number, device or account of mine),
    `dead` (nothing arrives on my devices) or `silent` (its gateway delivers nothing now).

    `heard_at` says when a message last got through for certain.
    """

    channel: str
    state: str
    heard_at: str | None


class ChannelsShape(fields.Shape):
    """All channels, in the order in which they are tried."""

    items: list[ReachShape]
    next_cursor: None


@router.get("", response_model=ChannelsShape, summary="By which channels a call reaches me")
async def show(conn: View, caller: Caller) -> Response:
    """Say how each channel stands for me, and when it was last proved to work."""
    rights.require(caller, rights.Action.OWN_SEE, rights.Thing(person_id=caller.id))
    items = await reach.read(conn, caller.id)
    return fields.send({"items": items, "next_cursor": None})
