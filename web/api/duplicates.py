"""Several calls about one emergency: suggestions, merge, and taking apart again."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from dispatch import duplicates, orgs
from web import fields, idempotency, rights, shapes
from web.api import incidents
from web.dependencies import Caller, Crs, Now, Tx, View
from web.rights import Action

router = APIRouter(
    prefix="/incidents/{incident_id}", tags=["incidents"], route_class=idempotency.Route
)


class Suggestions(fields.Shape):
    """Incidents that may be the same emergency."""

    items: list[shapes.IncidentShape]
    crs: str


class Merge(fields.Body):
    """The incident that goes on."""

    into: fields.Id


@router.get("/duplicates", response_model=Suggestions, summary="Perhaps the same emergency")
async def suggest(incident_id: UUID, *, conn: View, caller: Caller, crs: Crs) -> Response:
    """List open incidents less than 200 m and ten minutes away; nothing is merged by itself."""
    await incidents.check(conn, caller, Action.INCIDENT_SEE, incident_id)
    found = [
        incidents.shown(caller, other)
        for other in await duplicates.suggest(conn, incident_id)
        if rights.may(caller, Action.INCIDENT_SEE, rights.Thing(other.org_path))
    ]
    return fields.send({"items": found}, crs)


@router.post("/merge", response_model=incidents.IncidentAnswer, summary="Merge into another")
async def merge(
    incident_id: UUID, body: Merge, *, conn: Tx, caller: Caller, crs: Crs, now: Now
) -> Response:
    """Close this call as a duplicate of the other, which keeps what this caller said differently.

    409 `still_going` while people are on their way for it: merge the other way round.
    """
    await incidents.check(conn, caller, Action.INCIDENT_RUN, incident_id)
    await rights.check(conn, caller, Action.INCIDENT_RUN, orgs.Noun.INCIDENT, body.into)
    incident = await duplicates.merge(conn, incident_id, body.into, by=caller.id, now=now)
    return fields.send(incidents.shown(caller, incident), crs)


@router.post("/unmerge", response_model=incidents.IncidentAnswer, summary="Take apart again")
async def unmerge(incident_id: UUID, *, conn: Tx, caller: Caller, crs: Crs, now: Now) -> Response:
    """Open a merged call again as an incident of its own, with its whole timeline."""
    await incidents.check(conn, caller, Action.INCIDENT_RUN, incident_id)
    incident = await duplicates.unmerge(conn, incident_id, by=caller.id, now=now)
    return fields.send(incidents.shown(caller, incident), crs)
