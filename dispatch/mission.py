"""What one responder may see: a coarse place before accepting, the exact one after, then none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, errors, events, states, store, tables
from geo import position as positions

#: Distances are told in steps of this, so that they name no house.
DISTANCE_STEP_M = 50


@dataclass(frozen=True, slots=True)
class Ask:
    """An alert with all that decides what its responder may see of it."""

    incident: store.Incident
    alert: store.Alert
    assignment: store.Assignment | None

    @property
    def is_over(self) -> bool:
        """Say whether nothing is asked of the responder any more."""
        if self.assignment is not None:
            return not self.assignment.is_live
        return not self.alert.is_live


def alert_out(ask: Ask, *, now: datetime) -> events.Body:
    """Show an alert to its responder; once it is over, neither place nor AED."""
    alert, incident = ask.alert, ask.incident
    left_s = (alert.expires_at - now).total_seconds()
    return {
        "id": str(alert.id),
        "revision": alert.revision,
        "incident": {
            "id": str(incident.id),
            "number": None,
            "kind": incident.kind.value,
            "severity": incident.severity,
            "exercise": incident.exercise,
            "ambulance": None if ask.is_over else incident.ambulance.value,
            "ambulance_eta_at": None if ask.is_over else events.time(incident.ambulance_eta_at),
        },
        "status": alert.status.value,
        "role": alert.role.value,
        "aed": None if ask.is_over else events.aed_out(alert.aed),
        "place": None if ask.is_over else _coarse_place(incident.position, alert.from_position),
        "travel_s": alert.travel_s,
        "eta_source": alert.eta_source,
        "position_age_s": _age_s(alert),
        "going": 0 if ask.is_over else incident.going,
        "notified_at": events.time(alert.notified_at),
        "expires_at": events.time(alert.expires_at),
        "expires_in_ms": max(0, round(left_s * 1000)) if alert.is_live else 0,
    }


def _coarse_place(patient: positions.Position, responder: positions.Position | None) -> events.Body:
    place = positions.coarse(patient)
    if responder is None:
        return {"position": events.point(place), "distance_m": None, "bearing": None}
    distance_m = positions.distance_m(responder, patient)
    return {
        "position": events.point(place),
        "distance_m": max(DISTANCE_STEP_M, DISTANCE_STEP_M * round(distance_m / DISTANCE_STEP_M)),
        # Towards the middle of the cell: the true bearing with the distance would name the house.
        "bearing": positions.bearing(responder, place),
    }


def _age_s(alert: store.Alert) -> float | None:
    if alert.position_at is None:
        return None
    return max(0.0, round((alert.notified_at - alert.position_at).total_seconds(), 1))


def mission_out(ask: Ask) -> events.Body:
    """Show an assignment to its responder; once it is over, only what it was."""
    assignment = ask.assignment
    if assignment is None:
        raise errors.NotFound
    following = states.next_step(assignment.status, assignment.role)
    return {
        "id": str(assignment.id),
        "alert": str(assignment.alert_id),
        "status": assignment.status.value,
        "role": assignment.role.value,
        "steps": [step.value for step in states.steps_of(assignment.role)],
        "next_step": None if following is None else following.value,
        "incident": _exact(ask.incident) if assignment.is_live else _brief(ask.incident),
        "aed": events.aed_out(assignment.aed) if assignment.is_live else None,
        "times": events.times_out(assignment),
        "eta_at": events.time(assignment.eta_at),
        "call_phone": ask.incident.org_phone,
        # Grows when the place moves, so that a phone knows to fetch the way again.
        "route_version": ask.alert.revision,
    }


def _brief(incident: store.Incident) -> events.Body:
    return {
        "id": str(incident.id),
        "kind": incident.kind.value,
        "exercise": incident.exercise,
    }


def _exact(incident: store.Incident) -> events.Body:
    plain = ("number", "severity", "address", "floor", "entrance", "note")
    return {
        **_brief(incident),
        **{name: getattr(incident, name) for name in plain},
        "position": events.point(incident.position),
        "ambulance": incident.ambulance.value,
        "ambulance_eta_at": events.time(incident.ambulance_eta_at),
    }


def stand_down_out(ask: Ask) -> events.Body:
    """Tell a responder to stop."""
    return {
        "alert": str(ask.alert.id),
        "incident": _brief(ask.incident),
        "at": events.time(ask.alert.stood_down_at),
        "reason": ask.alert.stand_down_reason,
    }


async def get(conn: AsyncConnection, alert_id: UUID) -> Ask:
    """Return an alert with its incident and assignment. Raises NotFound."""
    alert = await store.get_alert(conn, alert_id)
    incident = await store.get_incident(conn, alert.incident_id)
    return Ask(incident, alert, await store.find_assignment_of(conn, alert.id))


async def views(
    conn: AsyncConnection, person_ids: Collection[UUID], *, now: datetime
) -> dict[UUID, events.Body]:
    """Return what each person's phone shows: the alert, the mission, the stand-down, or null.

    The alert is the latest one of an open incident. Call it under `store.lock_responders` when the
    answer is told to anybody.
    """
    asks = await _asks(conn, person_ids)
    return {
        person: _view([ask for ask in asks if ask.alert.responder_id == person], now)
        for person in person_ids
    }


# Served by ix_alert_responder_id.
_UNREAD_OF = sa.text("""
select distinct responder_id from alert
where responder_id = any(cast(:ids as uuid[]))
  and stood_down_at is not null and stand_down_seen_at is null
""")


async def views_of_asked(
    conn: AsyncConnection,
    incident: store.Incident,
    alerts: Sequence[store.Alert],
    *,
    now: datetime,
) -> dict[UUID, events.Body]:
    """Return the same views of people who were free until these alerts: nearly all is known.

    Whoever may have an older stand-down to read is looked up.
    """
    ids = [alert.responder_id for alert in alerts]
    [rows] = await db.together(conn, (_UNREAD_OF, {"ids": ids}))
    unread = [row["responder_id"] for row in rows]
    fresh = {alert.responder_id: _view([Ask(incident, alert, None)], now) for alert in alerts}
    return fresh | (await views(conn, unread, now=now) if unread else {})


def _view(asks: list[Ask], now: datetime) -> events.Body:
    alerts = [ask for ask in asks if ask.incident.closed_at is None]
    missions = [ask for ask in asks if ask.assignment is not None and ask.assignment.is_live]
    ended = [ask for ask in asks if ask.alert.stood_down_at is not None]
    unread = [ask for ask in ended[-1:] if ask.alert.stand_down_seen_at is None]
    return {
        "alert": alert_out(alerts[-1], now=now) if alerts else None,
        "mission": mission_out(missions[-1]) if missions else None,
        "stand_down": stand_down_out(unread[0]) if unread else None,
    }


async def list_involved(conn: AsyncConnection, incident_id: UUID) -> list[UUID]:
    """Return those who are asked, or on their way, at this moment for an incident."""
    alert, assignment = tables.alert.c, tables.assignment.c
    rows = await conn.execute(
        sa.select(alert.responder_id)
        .select_from(tables.alert)
        .outerjoin(tables.assignment, assignment.alert_id == alert.id)
        .where(
            alert.incident_id == incident_id,
            sa.or_(
                alert.status.in_([status.value for status in states.ALERT_LIVE]),
                sa.and_(assignment.id.is_not(None), assignment.ended_at.is_(None)),
            ),
        )
    )
    return list(rows.scalars())


async def list_asked(conn: AsyncConnection, incident_id: UUID) -> list[UUID]:
    """Return everyone who was ever asked for an incident."""
    alert = tables.alert.c
    rows = await conn.execute(sa.select(alert.responder_id).where(alert.incident_id == incident_id))
    return list(rows.scalars())


_later = tables.alert.alias("later")
# Whoever has read a stand-down is not shown an older one again.
_UNREAD = sa.and_(
    tables.alert.c.stood_down_at.is_not(None),
    tables.alert.c.stand_down_seen_at.is_(None),
    ~sa.exists().where(
        _later.c.responder_id == tables.alert.c.responder_id,
        _later.c.id > tables.alert.c.id,
        _later.c.stand_down_seen_at.is_not(None),
    ),
)
_OPEN = sa.select(tables.incident.c.id).where(tables.incident.c.closed_at.is_(None))


async def _asks(conn: AsyncConnection, person_ids: Collection[UUID]) -> list[Ask]:
    column = tables.alert.c
    alerts = await store.list_alerts(
        conn,
        column.responder_id.in_(person_ids),
        sa.or_(column.incident_id.in_(_OPEN), _UNREAD),
    )
    if not alerts:
        return []
    incidents = {
        incident.id: incident
        for incident in await store.list_incidents(
            conn, tables.incident.c.id.in_({alert.incident_id for alert in alerts})
        )
    }
    assignments = {
        assignment.alert_id: assignment
        for assignment in await store.list_assignments(
            conn, tables.assignment.c.alert_id.in_([alert.id for alert in alerts])
        )
    }
    return [Ask(incidents[alert.incident_id], alert, assignments.get(alert.id)) for alert in alerts]
