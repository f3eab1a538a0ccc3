"""One's own profile, duty, position and places; nobody else's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    accounts,
    errors,
    profile,
    responders,
    states,
    store,
    telling,
    whereabouts,
)
from geo import datum
from geo.position import BadPosition, Position
from realtime import presence
from web import auth, fields, rights, shapes
from web.aed_record import Hours
from web.api.care import QuietShape, SurveyShape
from web.api.responders import CertificateShape
from web.api.session import person_out
from web.dependencies import Caller, Crs, Now, Policy, Redis, Tx, View
from web.position_ingest import Positions

router = APIRouter(prefix="/me", tags=["me"])


class Profile(fields.Body):
    """What one may change of oneself; what is left out stays."""

    language: Literal["zh", "en"] = "zh"
    name_en: fields.Name | None = None
    phone: fields.Word | None = None


class DutyWish(fields.Body):
    """On duty, resting, or off; `until` ends duty or rest by itself."""

    duty: Literal["available", "resting", "off_duty"]
    until: fields.At | None = None


class PositionReport(fields.Body):
    """Where I am: `lon` and `lat`, or `position`; `at` is the phone's own time."""

    lon: float | None = None
    lat: float | None = None
    position: fields.Place | None = None
    crs: fields.Crs = None
    accuracy_m: Annotated[float, Field(ge=0, le=100_000)] | None = None
    at: fields.At | None = None

    @model_validator(mode="after")
    def _one_position(self) -> Self:
        if (self.position is None) == (self.lon is None and self.lat is None):
            raise BadPosition("position", "send lon and lat, or position")
        self.where()
        return self

    def where(self) -> Position:
        """Give the position as it was sent."""
        if self.position is not None:
            return self.position
        return Position(self.lon, self.lat)  # type: ignore[arg-type]  # it names what is missing


class NewPlace(fields.Body):
    """Where I usually am, and when (OpenStreetMap opening hours; none means always)."""

    kind: Literal["home", "work", "patrol"]
    label: fields.Name | None = None
    position: fields.Place
    hours: Hours | None = None


class Places(fields.Body):
    """All of my places; they replace the ones before."""

    places: Annotated[list[NewPlace], Field(max_length=20)]
    crs: fields.Crs = None


class DutyShape(fields.Shape):
    """My duty; null for who is no responder."""

    duty: str | None
    duty_until: str | None


class PositionShape(fields.Shape):
    """Where I was last known to be; null if nowhere."""

    position: fields.PointShape | None
    accuracy_m: float | None
    at: str | None


class PositionAnswer(PositionShape):
    """My last known position; `refused` is the code of why the one just sent was not taken."""

    refused: str | None = None
    crs: str


class PlaceShape(fields.Shape):
    """One of my places."""

    id: str
    kind: str
    label: str | None
    position: fields.PointShape
    hours: str | None


class PlacesAnswer(fields.Shape):
    """My places."""

    places: list[PlaceShape]
    crs: str


class ReadyShape(fields.Shape):
    """One thing that has to be right before I can be asked."""

    code: str
    ok: bool
    detail: str | None


class ReasonShape(fields.Shape):
    """Something that keeps me from being asked, or will; `fix` names what mends it, if I can."""

    code: str
    args: dict[str, Any]
    fix: str | None


class AlertableShape(fields.Shape):
    """Whether the next plan may include me, and all that speaks against it; `soon` does not yet."""

    ok: bool
    reasons: list[ReasonShape]
    soon: list[ReasonShape]


class MeShape(DutyShape):
    """Everything my phone shows."""

    person: shapes.PersonShape
    org: shapes.OrgShape
    roles: list[str]
    certificates: list[CertificateShape]
    places: list[PlaceShape]
    position: PositionShape | None
    readiness: list[ReadyShape]
    blocked: list[str]
    alertable: AlertableShape | None
    quiet: QuietShape | None
    survey: SurveyShape | None
    alert: shapes.PersonAlertShape | None
    mission: shapes.MissionShape | None
    stand_down: shapes.StandDownShape | None
    crs: str


_NOWHERE = {"position": None, "accuracy_m": None, "at": None}


@router.get("", response_model=MeShape, summary="My profile and what my phone shows")
async def show(
    *, conn: View, caller: Caller, redis: Redis, policy: Policy, crs: Crs, now: Now
) -> Response:
    """Show me, my duty, certificates and places, what keeps me from being asked, and my alert."""
    _require(caller, rights.Action.OWN_SEE)
    roles = [states.OrgRole(role) for role in caller.roles]
    live = await whereabouts.live_of(redis, [caller.id], now=now)
    body = await profile.me(conn, caller.id, caller.org, roles, policy=policy, live=live, now=now)
    return fields.send(body, crs)


@router.put("", response_model=shapes.PersonShape, summary="Change my profile")
async def change(body: Profile, conn: Tx, caller: Caller) -> Response:
    """Change my language, English name or phone."""
    _require(caller, rights.Action.OWN_CHANGE)
    changes = body.model_dump(exclude_unset=True)
    await accounts.change_person(conn, caller.id, changes)
    identity = await accounts.find_identity(conn, caller.id)
    if identity is None:
        raise auth.NotSignedIn
    return fields.send(person_out(identity.person))


@router.get("/duty", response_model=DutyShape, summary="My duty")
async def show_duty(conn: View, caller: Caller, now: Now) -> Response:
    """Show whether I may be asked."""
    _require(caller, rights.Action.OWN_SEE)
    return fields.send(telling.duty_out(await store.find_responder(conn, caller.id), now=now))


@router.put("/duty", response_model=DutyShape, summary="Go on or off duty")
async def set_duty(
    body: DutyWish, *, conn: Tx, caller: Caller, places: Positions, now: Now
) -> Response:
    """Set my duty. Who is suspended stays so: 409. Off duty it is forgotten where I was."""
    _require(caller, rights.Action.OWN_CHANGE)
    responder = await store.get_responder(conn, caller.id)
    if responder.duty_at(now) is states.Duty.SUSPENDED:
        raise errors.Conflict(state={"duty": states.Duty.SUSPENDED.value})
    responder = await responders.set_duty(
        conn, caller.id, states.Duty(body.duty), until=body.until, now=now
    )
    answer = fields.send(telling.duty_out(responder, now=now))
    answer.background = places.after_duty(caller.id)
    return answer


@router.get("/position", response_model=PositionAnswer, summary="My last known position")
async def show_position(conn: View, caller: Caller, crs: Crs) -> Response:
    """Show where I was last known to be, as the database has it."""
    _require(caller, rights.Action.OWN_SEE)
    fix = (await store.last_fixes(conn, [caller.id])).get(caller.id)
    return fields.send({**(profile.fix_out(fix) or _NOWHERE), "refused": None}, crs)


@router.put("/position", response_model=PositionAnswer, summary="Report my position")
async def report_position(
    body: PositionReport, *, conn: Tx, caller: Caller, redis: Redis, crs: Crs, now: Now
) -> Response:
    """Take one position of a stream, and show it to the consoles of my mission.

    It is stored every 15 s or 100 m. One that nobody could have reached, that jumps farther than
    its accuracy allows, or that is vaguer than a kilometre is left out, and `refused` says why.
    Either way the answer is the position that is in use now.
    """
    _require(caller, rights.Action.OWN_CHANGE)
    at = min(body.at or now, now)
    fix = store.Fix(fields.inward(body.where(), body.crs, crs), at, body.accuracy_m)
    outcome = await responders.report_position(conn, caller.id, fix, now=now)
    refusal = whereabouts.REFUSALS.get(outcome)
    in_use = fix if refusal is None and outcome is not whereabouts.Outcome.OLD else None
    if in_use is not None:
        await _show_live(conn, redis, caller.id, in_use, now=now)
    else:
        in_use = (await store.last_fixes(conn, [caller.id])).get(caller.id)
    shown = profile.fix_out(in_use) or _NOWHERE
    return fields.send({**shown, "refused": None if refusal is None else refusal.value}, crs)


async def _show_live(
    conn: AsyncConnection, redis: Redis, person_id: UUID, fix: store.Fix, *, now: datetime
) -> None:
    """Show a position, unless I am off duty: then it only waits for me to go on duty."""
    standing = (await whereabouts.standings(conn, [person_id], now=now))[person_id]
    if standing.is_followed:
        place = presence.Place(
            str(person_id), fix.position.lon, fix.position.lat, fix.accuracy_m, fix.at
        )
        await presence.put(redis, place, topics=standing.topics, now=now)


@router.get("/places", response_model=PlacesAnswer, summary="My places")
async def show_places(conn: View, caller: Caller, crs: Crs) -> Response:
    """Show where I usually am."""
    _require(caller, rights.Action.OWN_SEE)
    places = await store.list_places(conn, [caller.id])
    return fields.send({"places": [profile.place_out(place) for place in places]}, crs)


@router.put("/places", response_model=PlacesAnswer, summary="Replace my places")
async def set_places(body: Places, conn: Tx, caller: Caller, crs: Crs) -> Response:
    """Say where I usually am and when; it is used while no fresher position is known."""
    _require(caller, rights.Action.OWN_CHANGE)
    places = await responders.set_places(
        conn, caller.id, [_spot(place, body.crs, crs) for place in body.places]
    )
    return fields.send({"places": [profile.place_out(place) for place in places]}, crs)


def _spot(place: NewPlace, *named: datum.Crs | None) -> responders.Spot:
    return responders.Spot(
        place.kind, fields.inward(place.position, *named), place.label, place.hours
    )


def _require(caller: auth.Caller, action: rights.Action) -> None:
    rights.require(caller, action, rights.Thing(person_id=caller.id))
