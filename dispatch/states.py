"""PURE. The status words and which step may follow which (docs/glossary.md has the meanings)."""

from __future__ import annotations

from enum import StrEnum

from dispatch import errors


class Kind(StrEnum):
    """What kind of emergency an incident is."""

    CARDIAC_ARREST = "cardiac_arrest"
    TRAUMA = "trauma"
    CHOKING = "choking"
    DROWNING = "drowning"
    STROKE = "stroke"
    FIRE = "fire"
    FLOOD = "flood"
    RELIEF = "relief"
    OTHER = "other"


#: A medical incident may not close while nobody knows whether the ambulance was told.
MEDICAL = frozenset({Kind.CARDIAC_ARREST, Kind.TRAUMA, Kind.CHOKING, Kind.DROWNING, Kind.STROKE})
#: Kinds for which somebody is sent by way of an AED.
WANTS_AED = frozenset({Kind.CARDIAC_ARREST, Kind.DROWNING})


class Ambulance(StrEnum):
    """What is known of the public ambulance (120)."""

    UNKNOWN = "unknown"
    NOTIFIED = "notified"
    DISPATCHED = "dispatched"
    ON_SCENE = "on_scene"


class Incident(StrEnum):
    """Where an incident stands."""

    RECEIVED = "received"
    ALERTING = "alerting"
    RESPONDING = "responding"
    ON_SCENE = "on_scene"
    HANDED_OVER = "handed_over"
    CLOSED = "closed"


class Disposition(StrEnum):
    """How an incident ended."""

    COMPLETED = "completed"
    FALSE_ALARM = "false_alarm"
    DUPLICATE = "duplicate"
    CANCELLED = "cancelled"


class Alert(StrEnum):
    """How far one responder's alert has come."""

    PENDING = "pending"
    NOTIFIED = "notified"
    DELIVERED = "delivered"
    SEEN = "seen"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    STOOD_DOWN = "stood_down"


ALERT_LIVE = frozenset({Alert.PENDING, Alert.NOTIFIED, Alert.DELIVERED, Alert.SEEN})


class Assignment(StrEnum):
    """How far an accepting responder has come."""

    ACCEPTED = "accepted"
    EN_ROUTE = "en_route"
    AED_COLLECTED = "aed_collected"
    ON_SCENE = "on_scene"
    WITH_PATIENT = "with_patient"
    HANDED_OVER = "handed_over"
    CLEARED = "cleared"
    STOOD_DOWN = "stood_down"
    UNABLE = "unable"


ASSIGNMENT_OVER = frozenset({Assignment.CLEARED, Assignment.STOOD_DOWN, Assignment.UNABLE})


class Role(StrEnum):
    """What an alert asks of a responder."""

    DIRECT = "direct"
    VIA_AED = "via_aed"
    # Meets the ambulance at the entrance and leads its crew to the patient.
    GUIDE = "guide"


class Duty(StrEnum):
    """Whether a responder may be asked at all."""

    AVAILABLE = "available"
    RESTING = "resting"
    OFF_DUTY = "off_duty"
    SUSPENDED = "suspended"


class OrgRole(StrEnum):
    """What a person may do in an organisation."""

    OPERATOR = "operator"
    RESPONDER = "responder"
    PLANNER = "planner"
    KEEPER = "keeper"
    ADMIN = "admin"
    AUDITOR = "auditor"
    CARER = "carer"


_ORDER = (
    Assignment.ACCEPTED,
    Assignment.EN_ROUTE,
    Assignment.AED_COLLECTED,
    Assignment.ON_SCENE,
    Assignment.WITH_PATIENT,
    Assignment.HANDED_OVER,
    Assignment.CLEARED,
)


def steps_of(role: Role) -> tuple[Assignment, ...]:
    """Return the steps of a role in order, without the accept that begins it.

    A guide arrives at the entrance and has no patient to treat or hand over.
    """
    skipped = _SKIPPED[role]
    return tuple(step for step in _ORDER[1:] if step not in skipped)


_SKIPPED = {
    Role.DIRECT: frozenset({Assignment.AED_COLLECTED}),
    Role.VIA_AED: frozenset[Assignment](),
    Role.GUIDE: frozenset(
        {Assignment.AED_COLLECTED, Assignment.WITH_PATIENT, Assignment.HANDED_OVER}
    ),
}


def next_step(status: Assignment, role: Role) -> Assignment | None:
    """Return the step that comes next, or None when the assignment is over."""
    if status in ASSIGNMENT_OVER:
        return None
    done = _ORDER.index(status)
    return next(step for step in steps_of(role) if _ORDER.index(step) > done)


def check_step(status: Assignment, role: Role, step: Assignment) -> None:
    """Refuse a step that goes back, that the role lacks, or that comes after the end.

    Steps may be skipped forward, because a responder with both hands on a chest taps late; but
    nobody hands over or clears who has not arrived.

    Raises StepOutOfOrder with the present status and the steps that may follow.
    """
    if step is Assignment.UNABLE and status not in ASSIGNMENT_OVER:
        return
    following = following_steps(status, role)
    if step not in following:
        raise errors.StepOutOfOrder(
            f"{step.value} does not follow {status.value}",
            state={"status": status.value, "next": [s.value for s in following]},
        )


def following_steps(status: Assignment, role: Role) -> tuple[Assignment, ...]:
    """Return every step that may come next."""
    if status in ASSIGNMENT_OVER:
        return ()
    done = _ORDER.index(status)
    has_arrived = done >= _ORDER.index(Assignment.ON_SCENE)
    return tuple(
        step
        for step in steps_of(role)
        if _ORDER.index(step) > done and (has_arrived or step not in _AFTER_ARRIVAL)
    )


_AFTER_ARRIVAL = frozenset({Assignment.HANDED_OVER, Assignment.CLEARED})
_INCIDENT_RANK = {status: rank for rank, status in enumerate(Incident)}
_INCIDENT_AFTER = {
    Assignment.ON_SCENE: Incident.ON_SCENE,
    Assignment.WITH_PATIENT: Incident.ON_SCENE,
    Assignment.HANDED_OVER: Incident.HANDED_OVER,
}


def incident_after_step(status: Incident, step: Assignment, role: Role) -> Incident:
    """Return where the incident stands after somebody's step; it never goes back.

    A guide stands at the entrance, which brings nobody to the patient.
    """
    reached = status if role is Role.GUIDE else _INCIDENT_AFTER.get(step, status)
    return max(status, reached, key=_INCIDENT_RANK.__getitem__)


def incident_forward(status: Incident, reached: Incident) -> Incident:
    """Return the further of the two, so that a late first alert never moves an incident back."""
    return max(status, reached, key=_INCIDENT_RANK.__getitem__)


def check_open(status: Incident) -> None:
    """Refuse a step on a closed incident.

    Raises IncidentClosed.
    """
    if status is Incident.CLOSED:
        raise errors.IncidentClosed(state={"status": status.value})


def check_closable(kind: Kind, ambulance: Ambulance, disposition: Disposition) -> None:
    """Refuse to close a medical incident as completed while nobody knows about the ambulance.

    Raises AmbulanceUnknown.
    """
    if kind in MEDICAL and disposition is Disposition.COMPLETED and ambulance is Ambulance.UNKNOWN:
        raise errors.AmbulanceUnknown(state={"ambulance": ambulance.value})
