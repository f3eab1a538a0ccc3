"""An alert, as the person who is asked sees and answers it. Everybody else's is 404."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import alerts, mission, orgs
from geo import datum
from web import auth, fields, rights, shapes
from web.dependencies import Caller, Crs, Now, Policy, Tx, View

router = APIRouter(prefix="/alerts", tags=["alerts"])


class Seen(fields.Body):
    """When the phone showed it, by the phone's clock."""

    at: fields.At | None = None


class Answer(fields.Body):
    """When the person tapped, by the phone's clock, and why if it is a no."""

    at: fields.At | None = None
    reason: fields.Word | None = None


class AlertAnswer(shapes.PersonAlertShape):
    """What this responder may see now."""

    crs: str


class Accepted(fields.Shape):
    """The alert, and the mission that it became."""

    alert: shapes.PersonAlertShape
    assignment: shapes.MissionShape
    crs: str


@router.get("/{alert_id}", response_model=AlertAnswer, summary="What I may see of my alert now")
async def show(alert_id: UUID, *, conn: View, caller: Caller, crs: Crs, now: Now) -> Response:
    """Show the alert: a coarse place before the accept, nothing when it is over."""
    await _own(conn, caller, rights.Action.OWN_SEE, alert_id)
    return await _alert(conn, alert_id, crs, now)


@router.post("/{alert_id}/seen", response_model=AlertAnswer, summary="I have seen it")
async def seen(
    alert_id: UUID, body: Seen | None = None, *, conn: Tx, caller: Caller, crs: Crs, now: Now
) -> Response:
    """Note that it was seen, or that its stand-down was read. Repeating changes nothing."""
    await _own(conn, caller, rights.Action.OWN_CHANGE, alert_id)
    at = None if body is None else body.at
    await alerts.seen(conn, alert_id, at=at, by=caller.id, now=now)
    return await _alert(conn, alert_id, crs, now)


@router.post("/{alert_id}/accept", response_model=Accepted, summary="I am going")
async def accept(
    alert_id: UUID,
    body: Answer | None = None,
    *,
    conn: Tx,
    caller: Caller,
    policy: Policy,
    crs: Crs,
    now: Now,
) -> Response:
    """Accept; the answer holds the exact place. Too late is 409 `alert_over`."""
    await _own(conn, caller, rights.Action.OWN_CHANGE, alert_id)
    at = None if body is None else body.at
    await alerts.accept(conn, alert_id, at=at, policy=policy, by=caller.id, now=now)
    ask = await mission.get(conn, alert_id)
    answer = {"alert": mission.alert_out(ask, now=now), "assignment": mission.mission_out(ask)}
    return fields.send(answer, crs)


@router.post("/{alert_id}/decline", response_model=AlertAnswer, summary="I cannot go")
async def decline(
    alert_id: UUID,
    body: Answer | None = None,
    *,
    conn: Tx,
    caller: Caller,
    policy: Policy,
    crs: Crs,
    now: Now,
) -> Response:
    """Decline. Repeating changes nothing."""
    await _own(conn, caller, rights.Action.OWN_CHANGE, alert_id)
    given = body or Answer()
    await alerts.decline(
        conn, alert_id,
        reason=given.reason, at=given.at, policy=policy, by=caller.id, now=now,
    )  # fmt: skip
    return await _alert(conn, alert_id, crs, now)


async def _own(
    conn: AsyncConnection, caller: auth.Caller, action: rights.Action, alert_id: UUID
) -> None:
    await rights.check(conn, caller, action, orgs.Noun.ALERT, alert_id)


async def _alert(conn: AsyncConnection, alert_id: UUID, crs: datum.Crs, now: datetime) -> Response:
    return fields.send(mission.alert_out(await mission.get(conn, alert_id), now=now), crs)
