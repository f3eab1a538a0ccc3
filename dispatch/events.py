"""What the live log and the API say of things: one wire shape per noun, one list of event kinds.

Every function returns plain JSON values, the same over HTTP and WebSocket. An event carries whole
objects that replace what a screen had, so applying one twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

from dispatch import states, store
from geo import position as positions

#: A JSON object on its way out; nothing reads it back.
Body = dict[str, Any]


class Kind(StrEnum):
    """What an event of an `org:` or `incident:` topic tells; the body is always `changes`."""

    INCIDENT_OPENED = "incident_opened"
    INCIDENT_EDITED = "incident_edited"
    AMBULANCE_CHANGED = "ambulance_changed"
    WAVE_SENT = "wave_sent"
    ALERT_DELIVERED = "alert_delivered"
    ALERT_SEEN = "alert_seen"
    ALERT_ACCEPTED = "alert_accepted"
    ALERT_DECLINED = "alert_declined"
    ALERTS_TIMED_OUT = "alerts_timed_out"
    ALERTS_UNACKNOWLEDGED = "alerts_unacknowledged"
    ALERTS_COVERED = "alerts_covered"
    ALERTS_YIELDED = "alerts_yielded"
    DELIVERY_CHANGED = "delivery_changed"
    CHANNELS_CHANGED = "channels_changed"
    ASSIGNMENT_MOVED = "assignment_moved"
    AED_REPORTED = "aed_reported"
    AED_REPLACED = "aed_replaced"
    INCIDENT_STOOD_DOWN = "incident_stood_down"
    INCIDENT_CLOSED = "incident_closed"
    INCIDENT_REOPENED = "incident_reopened"
    DISASTER_CHANGED = "disaster_changed"
    LINE_ADDED = "line_added"
    STOCK_RESERVED = "stock_reserved"
    STOCK_ISSUED = "stock_issued"
    STOCK_RELEASED = "stock_released"
    AED_CHANGED = "aed_changed"
    AEDS_IMPORTED = "aeds_imported"
    AED_CHECK_DUE = "aed_check_due"
    TASK_OVERDUE = "task_overdue"


class PersonKind(StrEnum):
    """What an event of a `person:` topic tells; the body is always the whole `mission.view`."""

    ALERT_SENT = "alert_sent"
    ALERT_CHANGED = "alert_changed"
    MISSION_CHANGED = "mission_changed"
    STOOD_DOWN = "stood_down"
    DUTY_CHANGED = "duty_changed"
    CARE_CHANGED = "care_changed"


class Care(StrEnum):
    """What `care_changed` is about; the phone asks for the rest."""

    SURVEY_DUE = "survey_due"
    CERTIFICATE_ENDS = "certificate_ends"
    TASK_ADDED = "task_added"
    TASK_OVERDUE = "task_overdue"


#: The one kind of a `team:` topic: alerts of its members that changed, or an incident that ended.
TEAM_ANSWER = "team_answer"

_OF_CARDS = (Kind.LINE_ADDED, Kind.STOCK_RESERVED, Kind.STOCK_ISSUED, Kind.STOCK_RELEASED)
_OF_BOARDS = (Kind.CHANNELS_CHANGED, Kind.DISASTER_CHANGED, Kind.AED_CHANGED, Kind.AEDS_IMPORTED,
              Kind.AED_CHECK_DUE, Kind.TASK_OVERDUE)  # fmt: skip
#: Which topics hear of each kind, by the word before the colon.
HEARD_BY: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(Kind, frozenset({"org", "incident"})),
    **dict.fromkeys(_OF_CARDS, frozenset({"incident"})),
    **dict.fromkeys(_OF_BOARDS, frozenset({"org"})),
    **dict.fromkeys(PersonKind, frozenset({"person"})),
    TEAM_ANSWER: frozenset({"team"}),
}

#: One sentence per kind, for the AsyncAPI page.
MEANINGS: Mapping[str, str] = {
    Kind.INCIDENT_OPENED: "A call became an incident.",
    Kind.INCIDENT_EDITED: "An operator corrected what is known of the incident.",
    Kind.AMBULANCE_CHANGED: "What is known of the public ambulance changed.",
    Kind.WAVE_SENT: "Some responders were asked.",
    Kind.ALERT_DELIVERED: "A phone confirmed that it has the alert.",
    Kind.ALERT_SEEN: "A responder saw the alert, or confirmed having read a stand-down.",
    Kind.ALERT_ACCEPTED: "A responder is going.",
    Kind.ALERT_DECLINED: "A responder cannot go.",
    Kind.ALERTS_TIMED_OUT: "Some alerts ran out unanswered.",
    Kind.ALERTS_UNACKNOWLEDGED: "Some phones have not confirmed their alerts: not reached.",
    Kind.ALERTS_COVERED: "Enough are coming: who had not answered was told so.",
    Kind.ALERTS_YIELDED: "People left an exercise, as a real alarm wants them.",
    Kind.DELIVERY_CHANGED: "An alert came further on a channel, or cannot: sent, failed, silenced.",
    Kind.CHANNELS_CHANGED: "A channel sends and nothing arrives, or all is well again.",
    Kind.ASSIGNMENT_MOVED: "A responder took a step, or gave up.",
    Kind.AED_REPORTED: "A responder found the AED missing, locked or dead.",
    Kind.AED_REPLACED: "Who was to fetch that AED fetches another one, or goes direct.",
    Kind.INCIDENT_STOOD_DOWN: "Everyone who was asked was told to stop.",
    Kind.INCIDENT_CLOSED: "The incident ended; a board drops it with everything of it.",
    Kind.INCIDENT_REOPENED: "A closed incident is open again; carries all of its alerts.",
    Kind.DISASTER_CHANGED: "A disaster was opened, corrected or closed; carries it whole.",
    Kind.LINE_ADDED: "The timeline got a line, or one was struck.",
    Kind.STOCK_RESERVED: "Stock was reserved for the incident.",
    Kind.STOCK_ISSUED: "Reserved stock was handed out.",
    Kind.STOCK_RELEASED: "Reserved stock was given back.",
    Kind.AED_CHANGED: "An AED of the organisation changed, or something was said of it.",
    Kind.AEDS_IMPORTED: "A list changed many AEDs at once: ask for them again.",
    Kind.AED_CHECK_DUE: "Somebody has to look at an AED: soon, very soon, or at once.",
    Kind.TASK_OVERDUE: "Nobody has done a task in time; whom it is about is not said.",
    PersonKind.ALERT_SENT: "You are asked.",
    PersonKind.ALERT_CHANGED: "Your alert, or what you may know of its incident, changed.",
    PersonKind.MISSION_CHANGED: "Your mission began, moved on, ended or changed.",
    PersonKind.STOOD_DOWN: "You are told to stop.",
    PersonKind.DUTY_CHANGED: "Your duty changed.",
    PersonKind.CARE_CHANGED: "Something about you is due; `care` says what, GET /me the rest.",
    TEAM_ANSWER: "Alerts of the team's members changed; `closed` names an incident that ended.",
}


class LineKind(StrEnum):
    """What a line of the timeline tells."""

    OPENED = "opened"
    CHANGED = "changed"
    POLICY_CHANGED = "policy_changed"
    AMBULANCE = "ambulance"
    WAVE_SENT = "wave_sent"
    NO_ONE_LEFT = "no_one_left"
    ALERT_DELIVERED = "alert_delivered"
    ALERT_SEEN = "alert_seen"
    ALERT_ACCEPTED = "alert_accepted"
    ALERT_DECLINED = "alert_declined"
    ALERT_TIMED_OUT = "alert_timed_out"
    ALERT_UNACKNOWLEDGED = "alert_unacknowledged"
    COVERED = "covered"
    # Left an exercise, as a real alarm wanted them.
    YIELDED = "yielded"
    AED_REPORTED = "aed_reported"
    AED_REPLACED = "aed_replaced"
    EN_ROUTE = "en_route"
    AED_COLLECTED = "aed_collected"
    ON_SCENE = "on_scene"
    WITH_PATIENT = "with_patient"
    HANDED_OVER = "handed_over"
    CLEARED = "cleared"
    UNABLE = "unable"
    NO_MOVEMENT = "no_movement"
    STOOD_DOWN = "stood_down"
    STAND_DOWN_SEEN = "stand_down_seen"
    CLOSED = "closed"
    REOPENED = "reopened"
    CODE_RELEASED = "code_released"
    VALUE_TOLD = "value_told"
    VALUE_CHOSEN = "value_chosen"
    MERGED = "merged"
    UNMERGED = "unmerged"
    DISASTER = "disaster"
    ATTACHED = "attached"
    NOTE = "note"
    STOCK_RESERVED = "stock_reserved"
    STOCK_ISSUED = "stock_issued"
    STOCK_RELEASED = "stock_released"
    TIMER_FAILED = "timer_failed"


class Channel(StrEnum):
    """How a line came about."""

    CONSOLE = "console"
    PHONE = "phone"
    SYSTEM = "system"
    AMBULANCE = "ambulance"


@lru_cache(maxsize=512)  # a wave says the same times many times
def time(at: datetime | None) -> str | None:
    """Write a time as RFC 3339 in UTC with milliseconds."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ident(value: UUID | None) -> str | None:
    """Write an id."""
    return None if value is None else str(value)


def point(position: positions.Position | None) -> Body | None:
    """Write a position as a GeoJSON Point."""
    return None if position is None else dict(position.geojson())


def incident_out(incident: store.Incident) -> Body:
    """Show an incident to an operator."""
    plain = (
        "number", "severity", "exercise", "address", "floor", "entrance", "note", "caller_phone",
        "patients", "version",
    )  # fmt: skip
    times = (
        "ambulance_eta_at", "ambulance_changed_at", "created_at", "first_alert_at",
        "first_accept_at", "first_on_scene_at", "with_patient_at", "handed_over_at", "closed_at",
        "stood_down_at",
    )  # fmt: skip
    return {
        "id": str(incident.id),
        "org": incident.org_code,
        "kind": incident.kind.value,
        "status": incident.status.value,
        "disposition": None if incident.disposition is None else incident.disposition.value,
        "position": point(incident.position),
        "ambulance": incident.ambulance.value,
        "disaster": ident(incident.disaster_id),
        "merged_into": ident(incident.merged_into),
        "opened_by": ident(incident.opened_by),
        "counts": {
            "alerted": incident.alerted,
            "accepted": incident.accepted,
            "on_scene": incident.on_scene,
        },
        "drill_speed": incident.drill_speed,
        **{name: getattr(incident, name) for name in plain},
        **{name: time(getattr(incident, name)) for name in times},
    }


def aed_ref_out(aed: store.Aed | None) -> Body | None:
    """Name an AED to an operator."""
    if aed is None:
        return None
    return {"id": str(aed.id), "name": aed.name, "position": point(aed.position)}


def aed_out(aed: store.Aed | None) -> Body | None:
    """Tell a responder where the AED is and how to get at it."""
    if aed is None:
        return None
    return {
        "id": str(aed.id),
        "name": aed.name,
        "address": aed.address,
        "floor": aed.floor,
        "position": point(aed.position),
        "access_note": aed.access_note,
        "usable_until": time(aed.usable_until),
        "cabinet": aed.cabinet,
        "photos": [str(photo) for photo in aed.photos],
    }


def way_out(way: store.Way) -> Body:
    """Show how far an alert has come on one channel."""
    return {"channel": way.channel, "status": way.status, "why": way.why, "at": time(way.at)}


def alert_out(alert: store.Alert) -> Body:
    """Show an alert to an operator."""
    times = (
        "notified_at", "delivered_at", "seen_at", "answered_at", "expires_at", "stood_down_at",
        "stand_down_seen_at",
    )  # fmt: skip
    return {
        "id": str(alert.id),
        "incident": str(alert.incident_id),
        "responder": str(alert.responder_id),
        "name": alert.name,
        "name_en": alert.name_en,
        "skills": list(alert.skills),
        "team": ident(alert.team_id),
        "role": alert.role.value,
        "aed": aed_ref_out(alert.aed),
        "status": alert.status.value,
        "delivery": alert.delivery,
        "channels": [way_out(way) for way in alert.channels],
        "wave": alert.wave,
        "travel_s": alert.travel_s,
        "distance_m": alert.distance_m,
        "eta_source": alert.eta_source,
        "decline_reason": alert.decline_reason,
        "revision": alert.revision,
        "is_invented": alert.is_invented,
        **{name: time(getattr(alert, name)) for name in times},
    }


_STEPS = (states.Assignment.ACCEPTED, *states.steps_of(states.Role.VIA_AED))


def times_out(assignment: store.Assignment) -> Body:
    """Write the times of an assignment's steps."""
    return {f"{step.value}_at": time(getattr(assignment, f"{step.value}_at")) for step in _STEPS}


def assignment_out(assignment: store.Assignment) -> Body:
    """Show an assignment to an operator; the position is the last one stored."""
    return {
        "id": str(assignment.id),
        "alert": str(assignment.alert_id),
        "incident": str(assignment.incident_id),
        "responder": str(assignment.responder_id),
        "name": assignment.name,
        "name_en": assignment.name_en,
        "role": assignment.role.value,
        "aed": aed_ref_out(assignment.aed),
        "status": assignment.status.value,
        "times": times_out(assignment),
        "ended_at": time(assignment.ended_at),
        "unable_reason": assignment.unable_reason,
        "eta_at": time(assignment.eta_at),
        "position": point(assignment.position),
        "position_at": time(assignment.position_at),
    }


def line_out(line: store.Line) -> Body:
    """Show a line of the timeline."""
    actor = {"id": ident(line.actor_id), "name": line.actor_name}
    return {
        "id": str(line.id),
        "incident": str(line.incident_id),
        "at": time(line.at),
        "device_at": time(line.device_at),
        "actor": None if line.actor_id is None else actor,
        "channel": line.channel,
        "kind": line.kind,
        "args": line.args,
        "text": line.text,
        "struck_at": time(line.struck_at),
        "struck_by": ident(line.struck_by),
    }


def reservation_out(reservation: store.Reservation) -> Body:
    """Show a reservation on its incident."""
    return {
        "id": str(reservation.id),
        "incident": str(reservation.incident_id),
        "lot": str(reservation.lot_id),
        "item": reservation.item_code,
        "item_name": reservation.item_name_zh,
        "item_name_en": reservation.item_name_en,
        "depot": reservation.depot_code,
        "depot_name": reservation.depot_name,
        "depot_name_en": reservation.depot_name_en,
        "quantity": reservation.quantity,
        "unit": reservation.unit_zh,
        "unit_en": reservation.unit_en,
        "status": reservation.status,
        "reserved_at": time(reservation.reserved_at),
        "expires_at": time(reservation.expires_at),
    }


def wave_out(wave: store.Wave) -> Body:
    """Show a wave."""
    return {
        "id": str(wave.id),
        "number": wave.number,
        "sent_at": time(wave.sent_at),
        "policy": wave.policy,
        "level": wave.level,
    }


def changes(
    incident: store.Incident | None,
    *,
    alerts: Sequence[store.Alert] = (),
    assignments: Sequence[store.Assignment] = (),
    reservations: Sequence[store.Reservation] = (),
    lines: Sequence[store.Line] = (),
) -> Body:
    """Put together the body of an event: only what changed, each as a whole object."""
    parts: Body = {
        "alerts": [alert_out(alert) for alert in alerts],
        "assignments": [assignment_out(assignment) for assignment in assignments],
        "reservations": [reservation_out(reservation) for reservation in reservations],
        "lines": [line_out(line) for line in lines],
    }
    body = {name: part for name, part in parts.items() if part}
    return body if incident is None else {"incident": incident_out(incident), **body}


def by_id(items: Iterable[Body]) -> dict[str, Body]:
    """Key objects by their id, as snapshots hold them."""
    return {item["id"]: item for item in items}
