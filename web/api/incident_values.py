"""What each source said of an incident; an operator chooses which one is believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from dispatch import errors, events, incident_values
from dispatch.incident_values import Field as What
from dispatch.incident_values import Source
from geo import datum
from geo.position import Position
from web import auth, fields, idempotency, rights
from web.api import incidents
from web.dependencies import Caller, Crs, Now, Tx, View
from web.rights import Action

router = APIRouter(
    prefix="/incidents/{incident_id}/values", tags=["incidents"], route_class=idempotency.Route
)

PATIENTS_MOST = 10_000


class NewValue(fields.Body):
    """What a source says of one field: a text, a count, or for a position a point."""

    field: Annotated[What, fields.Lax]
    source: Annotated[Source, fields.Lax]
    value: Annotated[fields.Word | int | fields.Place, Field(union_mode="left_to_right")]
    crs: fields.Crs = None


class ValueShape(fields.Shape):
    """What a source said; a place is a GeoJSON point."""

    id: str
    field: str
    value: Any
    source: str
    told_by: str | None
    actor: str | None
    at: str
    is_chosen: bool
    chosen_at: str | None
    chosen_by: str | None
    withdrawn_at: str | None


class ValueList(fields.Shape):
    """All that was said, the oldest first."""

    items: list[ValueShape]
    crs: str


_KINDS: Mapping[What, tuple[type, str]] = {
    What.POSITION: (Position, "a point: {lon, lat} or GeoJSON"),
    What.PATIENTS: (int, "a number"),
}


def _said(body: NewValue, crs: datum.Crs | None) -> str | int | Position:
    kind, words = _KINDS.get(body.field, (str, "a text"))
    if not isinstance(body.value, kind):
        raise errors.Malformed(f"{body.field.value} needs {words}")
    if isinstance(body.value, int) and not 0 <= body.value <= PATIENTS_MOST:
        raise errors.Malformed(f"patients lies between 0 and {PATIENTS_MOST}")
    if isinstance(body.value, Position):
        return fields.inward(body.value, body.crs, crs)
    return body.value


@router.get("", response_model=ValueList, summary="What was said")
async def list_(incident_id: UUID, *, conn: View, caller: Caller, crs: Crs) -> Response:
    """List what each source said; phone numbers only for those who may call back."""
    whose = await incidents.check(conn, caller, Action.INCIDENT_RUN, incident_id)
    found = await incident_values.list_values(conn, incident_id)
    return fields.send({"items": [_shown(caller, whose, value) for value in found]}, crs)


def _shown(caller: auth.Caller, whose: rights.Thing, value: incident_values.Value) -> events.Body:
    body = incident_values.out(value)
    if value.field == What.CALLER_PHONE and not rights.may(caller, Action.CALLER_PHONE_SEE, whose):
        body["value"] = None
    return body


@router.post(
    "",
    status_code=201,
    response_model=ValueShape,
    dependencies=[idempotency.REQUIRED],
    summary="Say what a source says",
)
async def add(
    incident_id: UUID, body: NewValue, *, conn: Tx, caller: Caller, crs: Crs, now: Now
) -> Response:
    """Keep what a source says beside what others said; the incident changes when one is chosen."""
    await incidents.check(conn, caller, Action.INCIDENT_RUN, incident_id)
    value = await incident_values.add(
        conn, incident_id, body.field, _said(body, crs), body.source, by=caller.id, now=now
    )
    path = f"/incidents/{incident_id}/values"
    return fields.created(incident_values.out(value), path, crs)


@router.post("/{value_id}/choose", response_model=ValueShape, summary="Believe this one")
async def choose(
    incident_id: UUID, value_id: UUID, *, conn: Tx, caller: Caller, crs: Crs, now: Now
) -> Response:
    """Let the incident carry this value; who chose it and when stays on record."""
    whose = await incidents.check(conn, caller, Action.INCIDENT_RUN, incident_id)
    value = await incident_values.choose(conn, incident_id, value_id, by=caller.id, now=now)
    return fields.send(_shown(caller, whose, value), crs)
