"""Incidents from the call to the end: open, list, show, correct, 120, stand down, close, reopen."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Self, cast
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Query, Response
from pydantic import Field, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import events, incidents, orgs, review, states, store, tables
from geo.position import BadPosition
from web import auth, fields, idempotency, rights, shapes
from web.dependencies import Caller, Crs, Now, Tx, View
from web.rights import Action

router = APIRouter(prefix="/incidents", tags=["incidents"], route_class=idempotency.Route)

Severity = Annotated[int, Field(ge=1, le=4, description="1 is the worst")]
EtaS = Annotated[float, Field(ge=0, le=86_400, description="seconds from now")]
Kind = Annotated[states.Kind, fields.Lax]


class AmbulanceState(fields.Body):
    """What is known of the public ambulance (120), and when it should be there."""

    state: Annotated[states.Ambulance, fields.Lax]
    eta_s: EtaS | None = None


class NewIncident(fields.Body):
    """A call. `ambulance` is a word, with `eta_s` beside it, or an object with both."""

    kind: Kind
    position: fields.Place
    crs: fields.Crs = None
    severity: Severity | None = None
    address: fields.Word | None = None
    floor: fields.Word | None = None
    entrance: fields.Word | None = None
    note: fields.Text | None = None
    caller_phone: fields.Word | None = None
    ambulance: Annotated[states.Ambulance, fields.Lax] | AmbulanceState = states.Ambulance.UNKNOWN
    eta_s: EtaS | None = None
    exercise: bool = False
    drill_speed: Annotated[float, Field(ge=1, le=100)] = 1.0
    org: fields.Code | None = None


class Correction(fields.Body):
    """What may be corrected; what is left out stays."""

    kind: Kind = states.Kind.OTHER
    severity: Severity = 1
    position: fields.Place | None = None
    crs: fields.Crs = None
    address: fields.Word | None = None
    floor: fields.Word | None = None
    entrance: fields.Word | None = None
    note: fields.Text | None = None
    caller_phone: fields.Word | None = None
    patients: Annotated[int, Field(ge=0, le=10_000)] | None = None

    @model_validator(mode="after")
    def _position_stays_somewhere(self) -> Self:
        if "position" in self.model_fields_set and self.position is None:
            raise BadPosition("position", "position cannot be taken away")
        return self


class StandDown(fields.Body):
    """Why, for the record."""

    reason: fields.Word | None = None


class Closing(fields.Body):
    """How it ended."""

    disposition: Annotated[states.Disposition, fields.Lax] = states.Disposition.COMPLETED


class Which(StrEnum):
    """Which incidents a list holds."""

    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"


class IncidentAnswer(shapes.IncidentShape):
    """One incident."""

    crs: str


class Review(fields.Shape):
    """How an incident went: seconds of each step, and what everybody who was asked did."""

    incident: str
    number: str
    exercise: bool
    disposition: str | None
    intervals: dict[str, float | None]
    counts: dict[str, int]
    responders: list[dict[str, Any]]
    silent: list[dict[str, Any]]
    decisions: list[dict[str, Any]]


class Closed(IncidentAnswer):
    """A closed incident and how it went."""

    review: Review


class IncidentDetail(IncidentAnswer):
    """One incident with everything of it."""

    alerts: list[shapes.AlertShape]
    assignments: list[shapes.AssignmentShape]
    reservations: list[shapes.ReservationShape]
    lines: list[shapes.LineShape]


class IncidentList(fields.Shape):
    """A page of incidents, the newest first."""

    items: list[shapes.IncidentShape]
    next_cursor: str | None
    crs: str


def shown(caller: auth.Caller, incident: store.Incident) -> events.Body:
    """Show an incident; the caller's phone number only to those who may call back."""
    body = events.incident_out(incident)
    if not rights.may(caller, Action.CALLER_PHONE_SEE, rights.Thing(incident.org_path)):
        body["caller_phone"] = None
    return body


@router.get("", response_model=IncidentList, summary="Incidents of your organisations")
async def list_(
    *,
    conn: View,
    caller: Caller,
    crs: Crs,
    page: fields.Paging,
    status: Annotated[Which, Query(description="which ones")] = Which.OPEN,
) -> Response:
    """List incidents, the newest first."""
    incident = tables.incident.c
    conditions: list[sa.ColumnElement[bool]] = [
        sa.or_(
            *(
                sa.func.starts_with(tables.org.c.path, path)
                for path in rights.reach(caller, Action.INCIDENT_SEE)
            )
        ),
        incident.practice_of.is_(None),
    ]
    if status is not Which.ALL:
        is_open = incident.closed_at.is_(None)
        conditions.append(is_open if status is Which.OPEN else sa.not_(is_open))
    if page.after is not None:
        conditions.append(incident.id < fields.id_of(page.after))
    found = await store.list_incidents(conn, *conditions, limit=page.limit + 1)
    items = [shown(caller, item) for item in found]
    return fields.send(fields.paged(items, page, [item.id for item in found]), crs)


@router.post(
    "",
    status_code=201,
    response_model=IncidentAnswer,
    dependencies=[idempotency.REQUIRED],
    summary="Open an incident",
)
async def open_(body: NewIncident, *, conn: Tx, caller: Caller, crs: Crs, now: Now) -> Response:
    """Open an incident; nobody is alerted by that. `drill_speed` counts in an exercise only."""
    org = await rights.org_for(conn, caller, Action.INCIDENT_RUN, body.org)
    ambulance = body.ambulance
    if not isinstance(ambulance, AmbulanceState):
        ambulance = AmbulanceState(state=ambulance, eta_s=body.eta_s)
    incident = await incidents.open_(
        conn, org.id,
        kind=body.kind, position=fields.inward(body.position, body.crs, crs),
        severity=body.severity, address=body.address, floor=body.floor, entrance=body.entrance,
        note=body.note, caller_phone=body.caller_phone,
        ambulance=ambulance.state, eta_s=ambulance.eta_s,
        exercise=body.exercise, drill_speed=body.drill_speed, by=caller.id, now=now,
    )  # fmt: skip
    return fields.created(shown(caller, incident), "/incidents", crs)


@router.get("/{incident_id}", response_model=IncidentDetail, summary="One incident, whole")
async def show(incident_id: UUID, conn: View, caller: Caller, crs: Crs) -> Response:
    """Show an incident with its alerts, assignments, reserved stock and timeline."""
    await check(conn, caller, Action.INCIDENT_SEE, incident_id)
    incident = await store.get_incident(conn, incident_id)
    alerts = await store.list_alerts(conn, tables.alert.c.incident_id == incident_id)
    assignments = await store.list_assignments(conn, tables.assignment.c.incident_id == incident_id)
    body = shown(caller, incident) | {
        "alerts": [events.alert_out(alert) for alert in alerts],
        "assignments": [events.assignment_out(assignment) for assignment in assignments],
        "reservations": [
            events.reservation_out(item) for item in await store.reservations_of(conn, incident_id)
        ],
        "lines": [events.line_out(line) for line in await store.list_lines(conn, incident_id)],
    }
    return fields.send(body, crs)


@router.patch("/{incident_id}", response_model=IncidentAnswer, summary="Correct an incident")
async def edit(
    incident_id: UUID,
    body: Correction,
    *,
    conn: Tx,
    caller: Caller,
    version: fields.Version,
    crs: Crs,
    now: Now,
) -> Response:
    """Correct what is known. A corrected place shows the alerts again on the phones."""
    await check(conn, caller, Action.INCIDENT_RUN, incident_id)
    changes = {name: getattr(body, name) for name in body.model_fields_set if name != "crs"}
    if body.position is not None:
        changes["position"] = fields.inward(body.position, body.crs, crs)
    incident = await incidents.edit(
        conn, incident_id, cast("incidents.Correction", changes),
        version=version, by=caller.id, now=now,
    )  # fmt: skip
    return fields.send(shown(caller, incident), crs)


@router.post("/{incident_id}/ambulance", response_model=IncidentAnswer, summary="Record 120")
async def set_ambulance(
    incident_id: UUID, body: AmbulanceState, *, conn: Tx, caller: Caller, crs: Crs, now: Now
) -> Response:
    """Record what is known of the public ambulance. Repeating changes nothing."""
    await check(conn, caller, Action.INCIDENT_RUN, incident_id)
    incident = await incidents.set_ambulance(
        conn, incident_id, body.state, eta_s=body.eta_s, by=caller.id, now=now
    )
    return fields.send(shown(caller, incident), crs)


@router.post("/{incident_id}/stand-down", response_model=IncidentAnswer, summary="Stand down")
async def stand_down(
    incident_id: UUID,
    body: StandDown | None = None,
    *,
    conn: Tx,
    caller: Caller,
    crs: Crs,
    now: Now,
) -> Response:
    """Tell everyone who was asked to stop; the incident stays open. Repeating changes nothing."""
    await check(conn, caller, Action.INCIDENT_RUN, incident_id)
    reason = None if body is None else body.reason
    incident = await incidents.stand_down(conn, incident_id, reason=reason, by=caller.id, now=now)
    return fields.send(shown(caller, incident), crs)


@router.post("/{incident_id}/close", response_model=Closed, summary="Close")
async def close(
    incident_id: UUID,
    body: Closing | None = None,
    *,
    conn: Tx,
    caller: Caller,
    crs: Crs,
    now: Now,
) -> Response:
    """End the incident and stand down whoever is still bound by it.

    A medical one as `completed` needs its ambulance state: else 409 `ambulance_unknown`.
    """
    await check(conn, caller, Action.INCIDENT_RUN, incident_id)
    disposition = (body or Closing()).disposition
    incident = await incidents.close(conn, incident_id, disposition, by=caller.id, now=now)
    reviewed = await review.after_action(conn, incident_id)
    return fields.send(shown(caller, incident) | {"review": reviewed}, crs)


@router.get("/{incident_id}/review", response_model=Review, summary="After-action review")
async def show_review(incident_id: UUID, *, conn: View, caller: Caller) -> Response:
    """Show how long each step took, who answered and who did not, from the record alone."""
    await check(conn, caller, Action.INCIDENT_SEE, incident_id)
    return fields.send(await review.after_action(conn, incident_id))


@router.post("/{incident_id}/reopen", response_model=IncidentAnswer, summary="Reopen")
async def reopen(incident_id: UUID, *, conn: Tx, caller: Caller, crs: Crs, now: Now) -> Response:
    """Open a closed incident again; nobody is asked by itself. An open one stays as it is."""
    await check(conn, caller, Action.INCIDENT_RUN, incident_id)
    incident = await incidents.reopen(conn, incident_id, by=caller.id, now=now)
    return fields.send(shown(caller, incident), crs)


async def check(
    conn: AsyncConnection, caller: auth.Caller, action: Action, incident_id: UUID
) -> rights.Thing:
    """Let the caller do this to that incident, or raise NotFound or NotAllowed."""
    return await rights.check(conn, caller, action, orgs.Noun.INCIDENT, incident_id)
