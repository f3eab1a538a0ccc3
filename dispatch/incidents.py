"""One emergency from the call to the end: open, correct, note, stand down, close, open again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    alerts,
    assignments,
    care,
    deliveries,
    errors,
    events,
    mission,
    states,
    stock,
    store,
    tables,
    telling,
    timers,
    waves,
)
from geo.position import Position

#: How bad a kind is until an operator says otherwise.
_SEVERITY = {
    states.Kind.CARDIAC_ARREST: 1,
    states.Kind.DROWNING: 1,
    states.Kind.CHOKING: 1,
    states.Kind.STROKE: 2,
    states.Kind.TRAUMA: 2,
    states.Kind.FIRE: 2,
    states.Kind.FLOOD: 2,
}


async def open_(
    conn: AsyncConnection,
    org_id: UUID,
    *,
    kind: states.Kind,
    position: Position,
    severity: int | None = None,
    address: str | None = None,
    floor: str | None = None,
    entrance: str | None = None,
    note: str | None = None,
    caller_phone: str | None = None,
    ambulance: states.Ambulance = states.Ambulance.UNKNOWN,
    eta_s: float | None = None,
    exercise: bool = False,
    drill_speed: float = 1.0,
    by: UUID | None,
    now: datetime,
) -> store.Incident:
    """Open an incident of an organisation and give it the next number of the year.

    `eta_s` counts from now until the ambulance should be there. Only an exercise has a
    `drill_speed` other than 1. Raises NotFound when there is no such organisation.
    """
    severity = severity or _SEVERITY.get(kind, 3)
    args = {"kind": kind.value, "severity": severity, "ambulance": ambulance.value}
    incident, line = await store.open_incident(
        conn, org_id, told=events.LineKind.OPENED, channel=events.Channel.CONSOLE, args=args,
        kind=kind, position=position, severity=severity, address=address, floor=floor,
        entrance=entrance, note=note, caller_phone=caller_phone, exercise=exercise,
        drill_speed=drill_speed if exercise else 1.0, opened_by=by,
        **_ambulance(ambulance, eta_s, now) | {"ambulance": ambulance}, now=now,
    )  # fmt: skip
    await telling.tell(conn, events.Kind.INCIDENT_OPENED, incident, lines=[line], now=now)
    return incident


def _ambulance(state: states.Ambulance, eta_s: float | None, now: datetime) -> dict[str, Any]:
    return {
        "ambulance": state.value,
        "ambulance_eta_at": None if eta_s is None else now + timedelta(seconds=eta_s),
        "ambulance_changed_at": None if state is states.Ambulance.UNKNOWN else now,
    }


async def _console_line(
    conn: AsyncConnection,
    incident_id: UUID,
    kind: events.LineKind,
    *,
    args: Mapping[str, object] | None = None,
    text: str | None = None,
    by: UUID | None,
    now: datetime,
) -> store.Line:
    return await store.add_line(
        conn, incident_id, channel=events.Channel.CONSOLE, kind=kind, args=dict(args or {}),
        text=text, by=by, now=now,
    )  # fmt: skip


class Correction(TypedDict, total=False):
    """What an operator may correct; what is left out stays."""

    kind: states.Kind
    severity: int
    position: Position
    address: str | None
    floor: str | None
    entrance: str | None
    note: str | None
    caller_phone: str | None
    patients: int | None


async def edit(
    conn: AsyncConnection,
    incident_id: UUID,
    correction: Correction,
    *,
    version: int,
    chosen: Mapping[str, object] | None = None,
    by: UUID | None,
    now: datetime,
) -> store.Incident:
    """Correct what is known of an open incident.

    `chosen` says which source was believed, for the timeline. A corrected place raises the
    revision of the alerts, so that phones show them again. Raises StaleVersion when somebody
    changed the incident since `version`, IncidentClosed, NotFound.
    """
    incident = await store.lock_incident(conn, incident_id)
    if incident.version != version:
        raise errors.StaleVersion(state={"version": incident.version})
    changed = {
        name: value for name, value in correction.items() if value != getattr(incident, name)
    }
    if not changed and chosen is None:
        return incident
    moved = await _raise_revision(conn, incident) if "position" in changed else []
    before, incident = incident, await store.change_incident(conn, incident.id, **changed)
    kind = events.LineKind.CHANGED if chosen is None else events.LineKind.VALUE_CHOSEN
    args = {"fields": sorted(changed)} if chosen is None else chosen
    line = await _console_line(conn, incident.id, kind, args=args, by=by, now=now)
    lines = await waves.note_policy(conn, before, incident, now=now)
    if lines or {"kind", "position"} & changed.keys():
        await waves.change(conn, incident, now=now)
    asked = await mission.list_asked(conn, incident.id)
    await telling.tell(
        conn, events.Kind.INCIDENT_EDITED, incident, alerts=moved, lines=[line, *lines],
        people=dict.fromkeys(asked, events.PersonKind.ALERT_CHANGED), now=now,
    )  # fmt: skip
    return incident


async def _raise_revision(conn: AsyncConnection, incident: store.Incident) -> list[store.Alert]:
    alert = tables.alert.c
    involved = await mission.list_involved(conn, incident.id)
    found = await store.lock_alerts(
        conn, alert.incident_id == incident.id, alert.responder_id.in_(involved),
        store.is_of_now(incident),
    )  # fmt: skip
    return [await store.change_alert(conn, item, revision=item.revision + 1) for item in found]


async def note(
    conn: AsyncConnection,
    incident_id: UUID,
    text: str,
    *,
    channel: events.Channel = events.Channel.CONSOLE,
    at: datetime | None = None,
    by: UUID,
    now: datetime,
) -> store.Line:
    """Add a line to the timeline, also of a closed incident. Raises NotFound."""
    incident = await store.lock_incident(conn, incident_id, even_closed=True)
    line = await store.add_line(
        conn, incident.id, channel=channel, kind=events.LineKind.NOTE, args={}, text=text,
        device_at=at, by=by, now=now,
    )  # fmt: skip
    await telling.tell(
        conn, events.Kind.LINE_ADDED, incident, with_incident=False, lines=[line], now=now
    )
    return line


async def strike(
    conn: AsyncConnection, incident_id: UUID, line_id: UUID, *, by: UUID, now: datetime
) -> store.Line:
    """Mark a line as wrong; it stays readable. Striking twice changes nothing. Raises NotFound."""
    incident = await store.lock_incident(conn, incident_id, even_closed=True)
    line = await store.strike_line(conn, incident.id, line_id, by=by, now=now)
    if line is None:
        return await store.get_line(conn, incident.id, line_id)
    await telling.tell(
        conn, events.Kind.LINE_ADDED, incident, with_incident=False, lines=[line], now=now
    )
    return line


async def set_ambulance(
    conn: AsyncConnection,
    incident_id: UUID,
    state: states.Ambulance,
    *,
    eta_s: float | None = None,
    by: UUID | None,
    now: datetime,
) -> store.Incident:
    """Record what is known of the public ambulance. Raises IncidentClosed, NotFound."""
    incident = await store.lock_incident(conn, incident_id)
    if incident.ambulance is state and eta_s is None:
        return incident
    values = _ambulance(state, eta_s, now) | {"ambulance_changed_at": now}
    before, incident = incident, await store.change_incident(conn, incident.id, **values)
    if _is_other(before, incident):
        await waves.change(conn, incident, now=now)
    args = {"ambulance": state.value, "eta_at": events.time(incident.ambulance_eta_at)}
    line = await store.add_line(
        conn, incident.id, channel=events.Channel.AMBULANCE, kind=events.LineKind.AMBULANCE,
        args=args, by=by, now=now,
    )  # fmt: skip
    involved = await mission.list_involved(conn, incident.id)
    await telling.tell(
        conn, events.Kind.AMBULANCE_CHANGED, incident, lines=[line],
        people=dict.fromkeys(involved, events.PersonKind.ALERT_CHANGED), now=now,
    )  # fmt: skip
    return incident


#: An arrival that moves by less than this does not change whom to ask.
_ETA_MATTERS = timedelta(seconds=60)


def _is_other(before: store.Incident, after: store.Incident) -> bool:
    """Say whether the ambulance changed so much that others may be wanted."""
    was, is_ = before.ambulance_eta_at, after.ambulance_eta_at
    if before.ambulance is not after.ambulance or was is None or is_ is None:
        return True
    return abs(is_ - was) > _ETA_MATTERS


async def stand_down(
    conn: AsyncConnection,
    incident_id: UUID,
    *,
    reason: str | None = None,
    by: UUID | None,
    now: datetime,
) -> store.Incident:
    """Tell everyone who was asked to stop; no wave goes by itself until somebody alerts again.

    Whoever has handed the patient over is not told. Standing down twice changes nothing. Raises
    IncidentClosed, NotFound.
    """
    incident = await store.lock_incident(conn, incident_id)
    stopped, ended = await _stop_everyone(
        conn, incident, reason=reason or "operator", is_closing=False, now=now
    )
    if incident.stood_down_at is not None and not stopped:
        return incident
    incident = await store.change_incident(conn, incident.id, stood_down_at=now)
    line = await _console_line(
        conn, incident.id, events.LineKind.STOOD_DOWN, args=telling.whom(stopped), text=reason,
        by=by, now=now,
    )  # fmt: skip
    await telling.tell(
        conn, events.Kind.INCIDENT_STOOD_DOWN, incident, alerts=stopped, assignments=ended,
        lines=[line], people=await _told_to_stop(conn, incident.id, stopped), now=now,
    )  # fmt: skip
    await care.after_missions(conn, incident, ended, now=now)
    return incident


async def _stop_everyone(
    conn: AsyncConnection,
    incident: store.Incident,
    *,
    reason: str,
    is_closing: bool,
    now: datetime,
) -> tuple[list[store.Alert], list[store.Assignment]]:
    """End what is live, queue a stand-down for each, and return the alerts and assignments."""
    unanswered = await alerts.end_all(conn, incident)
    ended = await assignments.end_all(conn, incident, is_closing=is_closing, now=now)
    told = [item.alert_id for item in ended if item.status is states.Assignment.STOOD_DOWN]
    ids = [*(alert.id for alert in unanswered), *told]
    stopped = await store.lock_alerts(conn, tables.alert.c.id.in_(ids)) if ids else []
    stopped = await store.change_alerts(conn, stopped, stood_down_at=now, stand_down_reason=reason)
    stopped = await deliveries.stand_down(conn, stopped, now=now)
    kinds = set(timers.Kind) - {timers.Kind.RESERVATION_EXPIRY}
    await timers.disarm(conn, incident.id, kinds=kinds)
    return stopped, ended


async def _told_to_stop(
    conn: AsyncConnection, incident_id: UUID, stopped: list[store.Alert]
) -> dict[UUID, events.PersonKind]:
    """Name those who stop, and those who stay and are shown how many are going."""
    staying = await mission.list_involved(conn, incident_id)
    return dict.fromkeys(staying, events.PersonKind.ALERT_CHANGED) | {
        alert.responder_id: events.PersonKind.STOOD_DOWN for alert in stopped
    }


async def close(
    conn: AsyncConnection,
    incident_id: UUID,
    disposition: states.Disposition,
    *,
    by: UUID | None,
    now: datetime,
) -> store.Incident:
    """End an incident, stand down whoever is still bound by it, give back what was not handed out.

    Closing twice the same way returns what is. Raises AmbulanceUnknown, IncidentClosed when it was
    closed another way, NotFound.
    """
    incident = await store.lock_incident(conn, incident_id, even_closed=True)
    if incident.status is states.Incident.CLOSED and incident.disposition is disposition:
        return incident
    states.check_open(incident.status)
    states.check_closable(incident.kind, incident.ambulance, disposition)
    stopped, ended = await _stop_everyone(
        conn, incident, reason=disposition.value, is_closing=True, now=now
    )
    incident = await store.change_incident(
        conn, incident.id, status=states.Incident.CLOSED.value, closed_at=now,
        disposition=disposition.value,
    )  # fmt: skip
    asked = await store.lock_alerts(conn, tables.alert.c.incident_id == incident.id)
    # Where people were when asked is kept no longer than the incident is open.
    asked = await store.change_alerts(conn, asked, from_position=None)
    claims, lines = await stock.release_all(conn, incident.id, by=by, now=now)
    line = await _console_line(
        conn, incident.id, events.LineKind.CLOSED, args={"disposition": disposition.value},
        by=by, now=now,
    )  # fmt: skip
    people = dict.fromkeys(
        (alert.responder_id for alert in asked), events.PersonKind.ALERT_CHANGED
    ) | {alert.responder_id: events.PersonKind.STOOD_DOWN for alert in stopped}
    await telling.tell(
        conn, events.Kind.INCIDENT_CLOSED, incident, alerts=stopped, assignments=ended,
        reservations=claims, lines=[*lines, line], people=people,
        teams_closed={alert.team_id for alert in asked if alert.team_id is not None}, now=now,
    )  # fmt: skip
    await care.after_missions(conn, incident, ended, now=now)
    return incident


async def reopen(
    conn: AsyncConnection, incident_id: UUID, *, by: UUID, now: datetime
) -> store.Incident:
    """Open a closed incident again, as far as it had come; nobody is asked by itself.

    Whoever was asked before may be asked again: it may have been closed by mistake.
    Reopening an open incident changes nothing. Raises NotFound.
    """
    incident = await store.lock_incident(conn, incident_id, even_closed=True)
    if incident.status is not states.Incident.CLOSED:
        return incident
    incident = await store.change_incident(
        conn, incident.id, status=_furthest(incident).value, closed_at=None, disposition=None,
        stood_down_at=now, reopened_at=now,
    )  # fmt: skip
    line = await _console_line(conn, incident.id, events.LineKind.REOPENED, by=by, now=now)
    asked = await store.lock_alerts(conn, tables.alert.c.incident_id == incident.id)
    done = await store.list_assignments(conn, tables.assignment.c.incident_id == incident.id)
    await telling.tell(
        conn, events.Kind.INCIDENT_REOPENED, incident, alerts=asked, assignments=done,
        lines=[line],
        people=dict.fromkeys((a.responder_id for a in asked), events.PersonKind.ALERT_CHANGED),
        now=now,
    )  # fmt: skip
    return incident


def _furthest(incident: store.Incident) -> states.Incident:
    reached = (
        (incident.handed_over_at, states.Incident.HANDED_OVER),
        (incident.first_on_scene_at, states.Incident.ON_SCENE),
        (incident.first_accept_at, states.Incident.RESPONDING),
        (incident.first_alert_at, states.Incident.ALERTING),
    )
    return next((status for at, status in reached if at is not None), states.Incident.RECEIVED)
