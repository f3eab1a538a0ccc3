"""The timeline of an incident: only ever longer; what was wrong is struck and stays readable."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import model_validator

from dispatch import events, incidents, store
from web import fields, idempotency, shapes
from web.api.incidents import check
from web.dependencies import Caller, Now, Tx, View
from web.rights import Action

router = APIRouter(prefix="/incidents", tags=["incidents"], route_class=idempotency.Route)


class NewLine(fields.Body):
    """A line to add, or the id of one to strike."""

    text: fields.Text | None = None
    at: fields.At | None = None
    strike: fields.Id | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if bool(self.text) == (self.strike is not None):
            raise ValueError("send text to add a line, or strike with the id of one")
        return self


class Timeline(fields.Shape):
    """The whole timeline in the order it was written."""

    items: list[shapes.LineShape]
    next_cursor: None


@router.get("/{incident_id}/timeline", response_model=Timeline, summary="The timeline")
async def list_(incident_id: UUID, conn: View, caller: Caller) -> Response:
    """Show every line, the struck ones too."""
    await check(conn, caller, Action.INCIDENT_SEE, incident_id)
    lines = await store.list_lines(conn, incident_id)
    return fields.send({"items": [events.line_out(line) for line in lines], "next_cursor": None})


@router.post(
    "/{incident_id}/timeline",
    status_code=201,
    response_model=shapes.LineShape,
    dependencies=[idempotency.REQUIRED],
    summary="Add a line, or strike one",
)
async def add(incident_id: UUID, body: NewLine, *, conn: Tx, caller: Caller, now: Now) -> Response:
    """Add a line, also to a closed incident, or mark one as wrong."""
    await check(conn, caller, Action.INCIDENT_RUN, incident_id)
    if body.strike is not None:
        line = await incidents.strike(conn, incident_id, body.strike, by=caller.id, now=now)
    else:
        line = await incidents.note(
            conn, incident_id, body.text or "", at=body.at, by=caller.id, now=now
        )
    return fields.send(events.line_out(line), status=201)
