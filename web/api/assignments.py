"""The steps of an assignment, as the person who accepted takes them. Everybody else's is 404."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from fastapi import APIRouter, Response

from dispatch import assignments, mission, orgs, states, store
from web import fields, rights, shapes
from web.dependencies import Caller, Crs, Now, Policy, Tx, View

router = APIRouter(prefix="/assignments", tags=["assignments"])


class Step(StrEnum):
    """The steps, in order; `unable` may be taken at any time before the end."""

    EN_ROUTE = "en_route"
    AED_COLLECTED = "aed_collected"
    ON_SCENE = "on_scene"
    WITH_PATIENT = "with_patient"
    HANDED_OVER = "handed_over"
    CLEARED = "cleared"
    UNABLE = "unable"


class StepTaken(fields.Body):
    """When the person tapped, by the phone's clock, where, and why if it is `unable`."""

    at: fields.At | None = None
    position: fields.Place | None = None
    crs: fields.Crs = None
    reason: fields.Word | None = None


class MissionAnswer(fields.Shape):
    """The mission as it is now."""

    assignment: shapes.MissionShape
    crs: str


@router.get("/{assignment_id}", response_model=MissionAnswer, summary="My mission")
async def show(assignment_id: UUID, conn: View, caller: Caller, crs: Crs) -> Response:
    """Show the mission; once it is over, only what it was."""
    await rights.check(conn, caller, rights.Action.OWN_SEE, orgs.Noun.ASSIGNMENT, assignment_id)
    assignment = await store.get_assignment(conn, assignment_id)
    ask = await mission.get(conn, assignment.alert_id)
    return fields.send({"assignment": mission.mission_out(ask)}, crs)


@router.post("/{assignment_id}/{step}", response_model=MissionAnswer, summary="Take a step")
async def take(
    assignment_id: UUID,
    step: Step,
    body: StepTaken | None = None,
    *,
    conn: Tx,
    caller: Caller,
    policy: Policy,
    crs: Crs,
    now: Now,
) -> Response:
    """Take a step; repeating a done one returns what is, one out of order is 409."""
    await rights.check(conn, caller, rights.Action.OWN_CHANGE, orgs.Noun.ASSIGNMENT, assignment_id)
    given = body or StepTaken()
    fix = None
    if given.position is not None:
        fix = store.Fix(fields.inward(given.position, given.crs, crs), given.at or now)
    assignment = await assignments.step(
        conn, assignment_id, states.Assignment(step.value),
        at=given.at, fix=fix, reason=given.reason, policy=policy, by=caller.id, now=now,
    )  # fmt: skip
    ask = await mission.get(conn, assignment.alert_id)
    return fields.send({"assignment": mission.mission_out(ask)}, crs)
