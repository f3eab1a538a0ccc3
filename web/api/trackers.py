"""Apps that report positions by themselves: whose they are, and the addresses that they send to.

The protocols are theirs, not ours: Traccar Client names itself in the query, OwnTracks by Basic
authentication, and both try again for ever what is refused. So a position that the gates refuse is
answered like one that was taken.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response

from dispatch import db, trackers
from geo import datum
from realtime import protocol
from web import fields, idempotency, problems, rights, tracker_messages
from web.api.responders import check
from web.dependencies import Caller, Database, Now, Settings, Tx, View
from web.position_ingest import Positions
from web.rights import Action

router = APIRouter(tags=["trackers"], route_class=idempotency.Route)

#: OwnTracks wants a user; any will do, the secret says who it is.
USERNAME = "golden"


class NewTracker(fields.Body):
    """Which app: `traccar` (Traccar Client) or `owntracks` (OwnTracks in HTTP mode)."""

    kind: Annotated[trackers.Kind, fields.Lax]


class TrackerShape(fields.Shape):
    """An app that may report where a responder is, and when it last did."""

    id: str
    kind: str
    created_at: str
    seen_at: str | None
    address: str


class NewTrackerShape(TrackerShape):
    """What to type into the app. The secret is shown this once; a repeat has null.

    Traccar Client takes it as device identifier, OwnTracks as password of any user.
    """

    username: str | None
    secret: str | None


class TrackerList(fields.Shape):
    """The apps of one responder."""

    items: list[TrackerShape]
    next_cursor: None


@router.get("/me/trackers", response_model=TrackerList, summary="My tracking apps")
async def list_own(conn: View, caller: Caller, settings: Settings) -> Response:
    """List the apps that may report where I am."""
    _require_own(caller, Action.OWN_SEE)
    return await _listed(conn, caller.id, settings)


@router.post(
    "/me/trackers",
    status_code=201,
    response_model=NewTrackerShape,
    dependencies=[idempotency.REQUIRED],
    summary="Add a tracking app of mine",
)
async def add_own(
    body: NewTracker, *, conn: Tx, caller: Caller, settings: Settings, now: Now
) -> Response:
    """Let an app report where I am; the answer has what to type into it."""
    _require_own(caller, Action.OWN_CHANGE)
    made = await trackers.add(conn, caller.id, kind=body.kind, now=now)
    return _created(*made, settings, "/me/trackers")


@router.delete("/me/trackers/{tracker_id}", status_code=204, summary="Revoke an app of mine")
async def revoke_own(tracker_id: UUID, *, conn: Tx, caller: Caller, now: Now) -> Response:
    """Take the app's right away at once."""
    _require_own(caller, Action.OWN_CHANGE)
    await trackers.revoke(conn, caller.id, tracker_id, now=now)
    return Response(status_code=204)


@router.get(
    "/responders/{responder_id}/trackers",
    response_model=TrackerList,
    summary="A volunteer's tracking apps",
)
async def list_of(
    responder_id: UUID, *, conn: View, caller: Caller, settings: Settings
) -> Response:
    """List the apps that may report where a volunteer is."""
    await check(conn, caller, Action.RESPONDER_SEE, responder_id)
    return await _listed(conn, responder_id, settings)


@router.post(
    "/responders/{responder_id}/trackers",
    status_code=201,
    response_model=NewTrackerShape,
    dependencies=[idempotency.REQUIRED],
    summary="Add a tracking app of a volunteer",
)
async def add(
    responder_id: UUID,
    body: NewTracker,
    *,
    conn: Tx,
    caller: Caller,
    settings: Settings,
    now: Now,
) -> Response:
    """Let an app report where a volunteer is; the answer has what to type into it."""
    await check(conn, caller, Action.RESPONDER_CHANGE, responder_id)
    made = await trackers.add(conn, responder_id, kind=body.kind, now=now)
    return _created(*made, settings, f"/responders/{responder_id}/trackers")


@router.delete(
    "/responders/{responder_id}/trackers/{tracker_id}",
    status_code=204,
    summary="Revoke a volunteer's tracking app",
)
async def revoke(
    responder_id: UUID, tracker_id: UUID, *, conn: Tx, caller: Caller, now: Now
) -> Response:
    """Take the app's right away at once."""
    await check(conn, caller, Action.RESPONDER_CHANGE, responder_id)
    await trackers.revoke(conn, responder_id, tracker_id, now=now)
    return Response(status_code=204)


def _require_own(caller: Caller, action: Action) -> None:
    rights.require(caller, action, rights.Thing(person_id=caller.id))


async def _listed(conn: View, responder_id: UUID, settings: Settings) -> Response:
    found = await trackers.list_of(conn, responder_id)
    items = [_shown(tracker, settings) for tracker in found]
    return fields.send({"items": items, "next_cursor": None})


def _shown(tracker: trackers.Tracker, settings: Settings) -> dict[str, Any]:
    return {
        "id": str(tracker.id),
        "kind": tracker.kind.value,
        "created_at": tracker.created_at,
        "seen_at": tracker.seen_at,
        "address": f"{settings.base_url}/api/v1/track/{tracker.kind.value}",
    }


def _created(
    tracker: trackers.Tracker, secret: str, settings: Settings, path: str
) -> idempotency.ShownOnce:
    is_basic = tracker.kind is trackers.Kind.OWNTRACKS
    body = _shown(tracker, settings) | {"username": USERNAME if is_basic else None, "secret": None}
    shown, kept = (
        orjson.dumps(each, option=orjson.OPT_UTC_Z) for each in (body | {"secret": secret}, body)
    )
    location = f"/api/v1{path}/{tracker.id}"
    return idempotency.ShownOnce(shown, kept, status=201, location=location)


# ---- what the apps send


@router.get("/track/traccar", summary="Report a position from Traccar Client")
@router.post("/track/traccar", summary="Report a position from Traccar Client")
async def track_traccar(
    request: Request, *, database: Database, places: Positions, now: Now
) -> Response:
    """Take a position of Traccar Client: parameters (the OsmAnd protocol), a form, or its JSON.

    `id` or `device_id` is the secret of the tracker; `lat`, `lon`, `timestamp`, `accuracy`. 400 for
    what is no position, 403 for a secret that is unknown or revoked, else 200: also where the
    position is refused, as too old or because the person is off duty, so that the app goes on.
    """
    try:
        message = _of_traccar(request, await request.body())
    except ValueError as bad:
        return problems.answer(request, "bad_tracker_message", detail=str(bad))
    owner = await _owner(database, message.secret, trackers.Kind.TRACCAR, now)
    if owner is None:
        return problems.answer(request, "tracker_unknown")
    _take(places, owner, message, now)
    return Response(status_code=200)


def _of_traccar(request: Request, body: bytes) -> tracker_messages.Message:
    """Read it from the query, a form or JSON. Raises ValueError."""
    if request.headers.get("content-type", "").startswith("application/json"):
        return tracker_messages.traccar(orjson.loads(body))
    form = parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
    return tracker_messages.osmand({**dict(form), **request.query_params})


@router.post("/track/owntracks", summary="Report a position from OwnTracks")
async def track_owntracks(
    request: Request, *, database: Database, places: Positions, now: Now
) -> Response:
    """Take what OwnTracks sends in HTTP mode: any user and the tracker's secret as password.

    Always answers 200 with an empty JSON array, or the app would hold back everything behind what
    was refused; messages that are no positions are left alone. 403 only for a secret that is
    unknown or revoked.
    """
    body = await request.body()
    owner = await _owner(database, _password(request), trackers.Kind.OWNTRACKS, now)
    if owner is None:
        return problems.answer(request, "tracker_unknown")
    try:
        message = tracker_messages.owntracks(orjson.loads(body))
    except ValueError:
        message = None
    if message is not None:
        _take(places, owner, message, now)
    return Response(b"[]", media_type="application/json")


def _password(request: Request) -> str:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    try:
        said = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return said.partition(":")[2] if kind.lower() == "basic" else ""


async def _owner(
    database: db.Database, secret: str, kind: trackers.Kind, now: datetime
) -> UUID | None:
    if not secret:
        return None
    async with database.transaction() as conn:
        return await trackers.find(conn, secret, kind=kind, now=now)


def _take(places: Positions, owner: UUID, message: tracker_messages.Message, now: datetime) -> None:
    where = message.position
    at = message.at or now
    places.take(
        owner, protocol.Position(where.lon, where.lat, message.accuracy_m, at, datum.Crs.WGS84)
    )
