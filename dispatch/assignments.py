"""An accepting responder's work: set out, collect the AED, arrive, treat, hand over, clear."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    care,
    devices,
    errors,
    events,
    matching,
    mission,
    states,
    store,
    tables,
    telling,
    timers,
    waves,
    whereabouts,
)
from geo import aed_uses, position, walking_guess
from realtime import log


async def step(
    conn: AsyncConnection,
    assignment_id: UUID,
    to: states.Assignment,
    *,
    at: datetime | None = None,
    fix: store.Fix | None = None,
    reason: str | None = None,
    policy: matching.Policy,
    by: UUID,
    now: datetime,
) -> store.Assignment:
    """Take a step of an assignment; `at` is the phone's own time, kept beside the server's.

    Whoever is unable is free at once, and if too few are coming the next wave goes. Repeating a
    done step returns what is. Raises StepOutOfOrder, NotFound.
    """
    incident, assignment = await store.lock_assignment(conn, assignment_id)
    if _is_done(assignment, to):
        return assignment
    states.check_step(assignment.status, assignment.role, to)
    if fix is not None:
        await whereabouts.report(conn, assignment.responder_id, fix, is_stated=True, now=now)
    changed = await _write_step(conn, assignment, to, at=at, reason=reason, now=now)
    after = _incident_after(incident, to, assignment.role, now)
    incident = await store.change_incident(conn, incident.id, **after)
    await timers.disarm(
        conn, incident.id, kinds=[timers.Kind.NO_MOVEMENT], subject_id=assignment.id
    )
    if to in _CHANGES_THE_PLAN:
        await waves.look_again(conn, incident, policy, now=now)
    line = await store.add_line(
        conn, incident.id, channel=events.Channel.PHONE, kind=events.LineKind(to.value),
        args=_args(changed), text=reason, device_at=at, by=by, now=now,
    )  # fmt: skip
    is_taken = to is states.Assignment.AED_COLLECTED and not incident.exercise
    taken = await _take_aed(conn, changed, by=by, now=now) if is_taken else []
    await telling.tell(
        conn, events.Kind.ASSIGNMENT_MOVED, incident, assignments=[changed], lines=[line],
        people=await _whose_view_changes(conn, changed), also=taken, now=now,
    )  # fmt: skip
    await care.after_missions(conn, incident, [changed], now=now)
    return changed


async def _take_aed(
    conn: AsyncConnection,
    assignment: store.Assignment,
    *,
    by: UUID,
    now: datetime,
) -> list[log.Item]:
    """Let the device that was collected count as taken; give what its organisation is told.

    Somebody may have noted that it was taken before: then there is nothing to add. Not called in
    an exercise: nobody would bring back what a drill's phones collect, and it would be missing.
    """
    if assignment.aed is None:
        return []
    try:
        await aed_uses.take(
            conn, assignment.aed.id, incident_id=assignment.incident_id,
            assignment_id=assignment.id, actor_id=by, now=now,
        )  # fmt: skip
    except aed_uses.AlreadyTaken:
        return []
    return await devices.changes_of(conn, [assignment.aed.id], now=now)


def _is_done(assignment: store.Assignment, to: states.Assignment) -> bool:
    if to in {states.Assignment.ACCEPTED, states.Assignment.STOOD_DOWN}:
        raise errors.StepOutOfOrder(state={"status": assignment.status.value})
    if to is states.Assignment.UNABLE:
        return assignment.status is to
    return getattr(assignment, f"{to.value}_at") is not None


async def _write_step(
    conn: AsyncConnection,
    assignment: store.Assignment,
    to: states.Assignment,
    *,
    at: datetime | None,
    reason: str | None,
    now: datetime,
) -> store.Assignment:
    values: dict[str, Any] = {"status": to.value}
    if to is states.Assignment.UNABLE:
        values |= {"unable_reason": reason}
    else:
        values |= {f"{to.value}_at": now}
    if to is states.Assignment.EN_ROUTE and assignment.eta_at is not None:
        # The way starts now, not when the alert was taken.
        values["eta_at"] = now + (assignment.eta_at - assignment.accepted_at)
    if to in states.ASSIGNMENT_OVER:
        values["ended_at"] = now
    if at is not None:
        values["device_at"] = assignment.device_at | {to.value: events.time(at)}
    return await store.change_assignment(conn, assignment.id, **values)


#: Steps after which other people may be wanted, or nobody more: somebody is there, or is not.
_CHANGES_THE_PLAN = frozenset(
    {
        states.Assignment.ON_SCENE,
        states.Assignment.WITH_PATIENT,
        states.Assignment.HANDED_OVER,
        states.Assignment.UNABLE,
    }
)
_INCIDENT_TIMES = {
    states.Assignment.ON_SCENE: ("first_on_scene_at",),
    states.Assignment.WITH_PATIENT: ("first_on_scene_at", "with_patient_at"),
    states.Assignment.HANDED_OVER: ("first_on_scene_at", "handed_over_at"),
}


def _incident_after(
    incident: store.Incident, to: states.Assignment, role: states.Role, now: datetime
) -> dict[str, Any]:
    reached = () if role is states.Role.GUIDE else _INCIDENT_TIMES.get(to, ())
    times = {name: now for name in reached if getattr(incident, name) is None}
    return {"status": states.incident_after_step(incident.status, to, role).value, **times}


def _args(assignment: store.Assignment) -> events.Body:
    return {
        "assignment": str(assignment.id),
        "responder": str(assignment.responder_id),
        "name": assignment.name,
    }


async def _whose_view_changes(
    conn: AsyncConnection, assignment: store.Assignment
) -> Mapping[UUID, events.PersonKind]:
    """Name the person, and when one fewer is going, everyone who is shown how many are."""
    people: dict[UUID, events.PersonKind] = {}
    if not assignment.is_live:
        involved = await mission.list_involved(conn, assignment.incident_id)
        people = dict.fromkeys(involved, events.PersonKind.ALERT_CHANGED)
    return people | {assignment.responder_id: events.PersonKind.MISSION_CHANGED}


async def note_no_movement(
    conn: AsyncConnection, assignment_id: UUID, *, now: datetime
) -> store.Line | None:
    """Tell the operator that somebody accepted and has not moved since; None if that is untrue."""
    incident, assignment = await store.lock_assignment(conn, assignment_id)
    if assignment.status is not states.Assignment.ACCEPTED:
        return None
    line = await store.add_line(
        conn, incident.id, channel=events.Channel.SYSTEM, kind=events.LineKind.NO_MOVEMENT,
        args=_args(assignment), by=None, now=now,
    )  # fmt: skip
    await telling.tell(
        conn, events.Kind.LINE_ADDED, incident, with_incident=False, lines=[line], now=now
    )
    return line


async def note_jump(
    conn: AsyncConnection, assignment_id: UUID, *, now: datetime
) -> store.Assignment:
    """Guess anew when somebody on the way arrives who is elsewhere than expected; plan anew.

    Where an exercise's phones move faster than people do, they are where they should be.
    """
    incident, assignment = await store.lock_assignment(conn, assignment_id)
    if assignment.status not in _ON_THE_WAY or assignment.position is None:
        return assignment
    if incident.drill_speed > 1:
        return assignment
    eta_at = now + _guess(incident, assignment, assignment.position)
    assignment = await store.change_assignment(conn, assignment.id, eta_at=eta_at)
    incident = await store.change_incident(conn, incident.id)
    await waves.change(conn, incident, now=now)
    await telling.tell(
        conn, events.Kind.ASSIGNMENT_MOVED, incident, assignments=[assignment],
        people={assignment.responder_id: events.PersonKind.MISSION_CHANGED}, now=now,
    )  # fmt: skip
    return assignment


_ON_THE_WAY = frozenset(
    {
        states.Assignment.ACCEPTED,
        states.Assignment.EN_ROUTE,
        states.Assignment.AED_COLLECTED,
    }
)
#: On foot, from a place that streets were not asked about: as planner and streets have it.
_WALKS_MPS = 5.1 / 3.6


def _guess(
    incident: store.Incident, assignment: store.Assignment, at: position.Position
) -> timedelta:
    """Estimate the way left; no street is asked for, as the incident is locked."""
    is_fetching = assignment.status is not states.Assignment.AED_COLLECTED
    stops = [assignment.aed.position] if assignment.aed is not None and is_fetching else []
    legs = pairwise([at, *stops, incident.position])
    metres = sum(walking_guess.metres(begin, end) for begin, end in legs)
    return timedelta(seconds=metres / _WALKS_MPS)


async def end_all(
    conn: AsyncConnection, incident: store.Incident, *, is_closing: bool, now: datetime
) -> list[store.Assignment]:
    """End the live assignments of a locked incident, without telling; return those that changed.

    Whoever has handed over has nothing to be told: a closing clears it, a stand-down leaves it.
    """
    column = tables.assignment.c
    live = await store.list_assignments(
        conn, column.incident_id == incident.id, column.ended_at.is_(None)
    )
    ended = []
    for assignment in live:
        is_handed_over = assignment.status is states.Assignment.HANDED_OVER
        if is_handed_over and not is_closing:
            continue
        values: dict[str, Any] = {"status": states.Assignment.STOOD_DOWN.value, "ended_at": now}
        if is_handed_over:
            values |= {"status": states.Assignment.CLEARED.value, "cleared_at": now}
        ended.append(await store.change_assignment(conn, assignment.id, **values))
    return ended


def eta(accepted_at: datetime, travel_s: float | None) -> datetime | None:
    """Return when somebody should arrive who sets out at once."""
    return None if travel_s is None else accepted_at + timedelta(seconds=travel_s)
