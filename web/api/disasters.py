"""Disasters: many incidents under one command."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Query, Response
from pydantic import Field

from dispatch import disasters, events, orgs, states, store, tables
from web import auth, fields, idempotency, rights
from web.api import incidents
from web.dependencies import Caller, Crs, Now, Tx, View
from web.rights import Action

router = APIRouter(tags=["disasters"], route_class=idempotency.Route)


class Post(fields.Body):
    """A post of the command structure and who holds it."""

    post: fields.Name
    name: fields.Name
    phone: fields.Word | None = None


Command = Annotated[list[Post], Field(max_length=50)]


class NewDisaster(fields.Body):
    """A disaster."""

    name: fields.Name
    kind: Annotated[states.Kind, fields.Lax]
    note: fields.Text | None = None
    command: Command = Field(default_factory=list)
    exercise: bool = False
    org: fields.Code | None = None


class Changes(fields.Body):
    """What may be corrected; what is left out stays."""

    name: fields.Name = ""
    note: fields.Text | None = None
    command: Command = Field(default_factory=list)


class Under(fields.Body):
    """The disaster that an incident belongs to; null takes it out."""

    disaster: fields.Id | None


class PostShape(fields.Shape):
    """A post."""

    post: str
    name: str
    phone: str | None


class DisasterShape(fields.Shape):
    """A disaster."""

    id: str
    org: str
    name: str
    kind: str
    note: str | None
    exercise: bool
    command: list[PostShape]
    opened_by: str | None
    opened_at: str
    closed_at: str | None
    version: int


class Totals(fields.Shape):
    """Sums over the incidents of a disaster."""

    incidents: int
    by_status: dict[str, int]
    by_severity: dict[str, int]
    patients: int
    alerted: int
    accepted: int
    going: int


class DisasterDetail(DisasterShape):
    """A disaster with its sums."""

    totals: Totals


class DisasterList(fields.Shape):
    """A page of disasters, the newest first."""

    items: list[DisasterShape]
    next_cursor: str | None


@router.get("/disasters", response_model=DisasterList, summary="Disasters")
async def list_(
    *,
    conn: View,
    caller: Caller,
    page: fields.Paging,
    is_open: Annotated[bool, Query(alias="open", description="only open ones")] = True,
) -> Response:
    """List the disasters of your organisations, the newest first."""
    disaster = tables.disaster.c
    conditions = [_within(caller)]
    if is_open:
        conditions.append(disaster.closed_at.is_(None))
    if page.after is not None:
        conditions.append(disaster.id < fields.id_of(page.after))
    found = await disasters.list_disasters(conn, *conditions, limit=page.limit + 1)
    items = [disasters.out(item) for item in found]
    return fields.send(fields.paged(items, page, [item.id for item in found]))


def _within(caller: auth.Caller) -> sa.ColumnElement[bool]:
    paths = rights.reach(caller, Action.INCIDENT_SEE)
    return sa.or_(*(sa.func.starts_with(tables.org.c.path, path) for path in paths))


@router.post(
    "/disasters",
    status_code=201,
    response_model=DisasterShape,
    dependencies=[idempotency.REQUIRED],
    summary="Open a disaster",
)
async def open_(body: NewDisaster, *, conn: Tx, caller: Caller, now: Now) -> Response:
    """Open a disaster; incidents are put under it one by one."""
    org = await rights.org_for(conn, caller, Action.INCIDENT_RUN, body.org)
    disaster = await disasters.open_(
        conn, org.id, name=body.name, kind=body.kind.value, note=body.note,
        exercise=body.exercise, command=[post.model_dump() for post in body.command],
        by=caller.id, now=now,
    )  # fmt: skip
    return fields.created(disasters.out(disaster), "/disasters")


@router.get("/disasters/{disaster_id}", response_model=DisasterDetail, summary="One disaster")
async def show(disaster_id: UUID, *, conn: View, caller: Caller) -> Response:
    """Show a disaster with the sums over its incidents."""
    await rights.check(conn, caller, Action.INCIDENT_SEE, orgs.Noun.DISASTER, disaster_id)
    body = disasters.out(await disasters.get(conn, disaster_id))
    return fields.send(body | {"totals": await disasters.totals(conn, disaster_id)})


@router.get(
    "/disasters/{disaster_id}/incidents",
    response_model=incidents.IncidentList,
    summary="Its incidents",
)
async def list_incidents(
    disaster_id: UUID, *, conn: View, caller: Caller, crs: Crs, page: fields.Paging
) -> Response:
    """List your organisations' incidents under a disaster, open and closed, the newest first."""
    await rights.check(conn, caller, Action.INCIDENT_SEE, orgs.Noun.DISASTER, disaster_id)
    incident = tables.incident.c
    conditions = [incident.disaster_id == disaster_id, _within(caller)]
    if page.after is not None:
        conditions.append(incident.id < fields.id_of(page.after))
    found = await store.list_incidents(conn, *conditions, limit=page.limit + 1)
    items: list[events.Body] = [incidents.shown(caller, item) for item in found]
    return fields.send(fields.paged(items, page, [item.id for item in found]), crs)


@router.patch("/disasters/{disaster_id}", response_model=DisasterShape, summary="Correct it")
async def edit(
    disaster_id: UUID,
    body: Changes,
    *,
    conn: Tx,
    caller: Caller,
    version: fields.Version,
    now: Now,
) -> Response:
    """Correct name, note or command structure."""
    await rights.check(conn, caller, Action.INCIDENT_RUN, orgs.Noun.DISASTER, disaster_id)
    changes = body.model_dump(include=body.model_fields_set)
    disaster = await disasters.edit(conn, disaster_id, changes, version=version, now=now)
    return fields.send(disasters.out(disaster))


@router.post("/disasters/{disaster_id}/close", response_model=DisasterShape, summary="Close it")
async def close(disaster_id: UUID, *, conn: Tx, caller: Caller, now: Now) -> Response:
    """End a disaster; its incidents go on and close one by one."""
    await rights.check(conn, caller, Action.INCIDENT_RUN, orgs.Noun.DISASTER, disaster_id)
    return fields.send(disasters.out(await disasters.close(conn, disaster_id, now=now)))


@router.put(
    "/incidents/{incident_id}/disaster",
    response_model=incidents.IncidentAnswer,
    summary="Put an incident under a disaster",
)
async def place(
    incident_id: UUID, body: Under, *, conn: Tx, caller: Caller, crs: Crs, now: Now
) -> Response:
    """Put an incident under a disaster, or with null take it out."""
    await incidents.check(conn, caller, Action.INCIDENT_RUN, incident_id)
    if body.disaster is not None:
        await rights.check(conn, caller, Action.INCIDENT_RUN, orgs.Noun.DISASTER, body.disaster)
    incident = await disasters.place(conn, incident_id, body.disaster, by=caller.id, now=now)
    return fields.send(incidents.shown(caller, incident), crs)
