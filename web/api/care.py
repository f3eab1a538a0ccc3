"""Care for oneself: quiet hours, a practice alert, and how a mission weighs on one."""

from __future__ import annotations

from datetime import time
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from dispatch import (
    alertable,
    alerts,
    care,
    errors,
    events,
    mission,
    responders,
    states,
    store,
    surveys,
    whereabouts,
)
from web import fields, idempotency, rights, shapes
from web.dependencies import Caller, Crs, Network, Now, Policy, Redis, Tx

router = APIRouter(prefix="/me", tags=["me"], route_class=idempotency.Route)


_TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["22:00"])]


class QuietHours(fields.Body):
    """Hours of the day in which only some kinds of incident wake me; both null for none."""

    begins: Annotated[_TimeOfDay | None, Field(alias="from")] = None
    until: _TimeOfDay | None = None
    kinds: Annotated[
        list[Annotated[states.Kind, fields.Lax]], Field(alias="except", max_length=20)
    ] = Field(default_factory=list)


class QuietShape(fields.Shape):
    """My quiet hours, local to my organisation."""

    begins: Annotated[str, Field(alias="from")]
    until: str
    kinds: Annotated[list[str], Field(alias="except")]


class QuietAnswer(fields.Shape):
    """My quiet hours; null without any."""

    quiet: QuietShape | None


class SurveyAnswer(fields.Body):
    """How much the mission weighs on me; `call` asks for a call whatever the rest says."""

    impact: Annotated[surveys.Impact, fields.Lax]
    text: fields.Text | None = None
    call: bool = False


class SurveyIncident(fields.Shape):
    """The mission's incident in brief."""

    id: str
    kind: str
    exercise: bool


class SurveyShape(fields.Shape):
    """A question how I am after a mission; what I wrote is not shown again."""

    id: str
    incident: SurveyIncident
    round: int
    asked_at: str
    answered_at: str | None
    impact: str | None


class Answered(fields.Shape):
    """What follows from an answer: whether somebody calls, and until when I am left in peace."""

    survey: SurveyShape
    call_within_s: float | None
    rest_until: str | None


class PracticeAnswer(fields.Shape):
    """The practice alert, as the phone shows it."""

    alert: shapes.PersonAlertShape
    crs: str


@router.put("/quiet", response_model=QuietAnswer, summary="My quiet hours")
async def set_quiet(body: QuietHours, conn: Tx, caller: Caller) -> Response:
    """Set or take away my quiet hours; they may pass over midnight."""
    rights.require(caller, rights.Action.OWN_CHANGE, rights.Thing(person_id=caller.id))
    if (body.begins is None) != (body.until is None):
        raise errors.Malformed("send both from and until, or neither")
    hours = None
    if body.begins is not None and body.until is not None:
        hours = (time.fromisoformat(body.begins), time.fromisoformat(body.until))
    await responders.set_quiet(conn, caller.id, hours, kinds=body.kinds)
    return fields.send({"quiet": await alertable.quiet_of(conn, caller.id)})


@router.post("/surveys/{survey_id}", response_model=Answered, summary="How I am")
async def answer(
    survey_id: UUID, body: SurveyAnswer, *, conn: Tx, caller: Caller, now: Now
) -> Response:
    """Say how a mission weighs on me; only those who care for volunteers read it."""
    rights.require(caller, rights.Action.OWN_CHANGE, rights.Thing(person_id=caller.id))
    known = await surveys.get(conn, survey_id)
    if known.responder_id != caller.id:
        raise errors.NotFound
    survey = await care.answer(
        conn, survey_id, body.impact, text=body.text, wants_call=body.call, now=now
    )
    within = surveys.call_within(body.impact, wants_call=body.call)
    if survey.exercise:
        within = None
    responder = await store.get_responder(conn, caller.id)
    rest_until = responder.rest_until
    is_over = rest_until is None or rest_until <= now
    return fields.send(
        {
            "survey": surveys.out(survey),
            "call_within_s": None if within is None else within.total_seconds(),
            "rest_until": None if is_over else events.time(rest_until),
        }
    )


@router.post(
    "/practice",
    status_code=201,
    response_model=PracticeAnswer,
    dependencies=[idempotency.REQUIRED],
    summary="Practise an alert",
)
async def practise(
    *,
    conn: Tx,
    bus: Redis,
    caller: Caller,
    policy: Policy,
    network: Network,
    crs: Crs,
    now: Now,
) -> Response:
    """Alert my own phone for practice; nobody else sees it, and it ends by itself.

    409 `nobody_to_alert` says what keeps me from being asked, in practice as in earnest.
    """
    rights.require(caller, rights.Action.OWN_CHANGE, rights.Thing(person_id=caller.id))
    live = await whereabouts.live_of(bus, [caller.id], now=now)
    responder = await store.get_responder(conn, caller.id)
    standing = await alertable.judge(conn, responder, policy, live=live, now=now)
    if standing.position is None:
        raise alerts.nowhere(caller.id)
    alert = await alerts.practise(
        conn, responder, near=standing.position, policy=policy, network=network, live=live, now=now
    )
    ask = await mission.get(conn, alert.id)
    return fields.send({"alert": mission.alert_out(ask, now=now)}, crs, status=201)
