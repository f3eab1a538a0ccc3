"""The answers about incidents, alerts and missions, as the OpenAPI text shows them.

dispatch/events.py and dispatch/mission.py write them; tests hold these shapes against real answers.
"""

from __future__ import annotations

from typing import Any

from web.fields import PointShape, Shape


class OrgShape(Shape):
    """An organisation."""

    id: str
    code: str
    name_zh: str
    name_en: str
    level: int
    parent: str | None
    phone: str | None
    is_demo: bool


class PersonShape(Shape):
    """A person, as they see themselves."""

    id: str
    name: str
    name_en: str | None
    username: str | None
    language: str
    is_invented: bool


class AedRefShape(Shape):
    """An AED, named."""

    id: str
    name: str
    position: PointShape


class AedShape(Shape):
    """An AED to be fetched."""

    id: str
    name: str
    address: str | None
    floor: str | None
    position: PointShape
    access_note: str | None
    usable_until: str | None
    cabinet: str
    photos: list[str]


class CountsShape(Shape):
    """How many were asked, have accepted, and are at the scene now."""

    alerted: int
    accepted: int
    on_scene: int


class IncidentShape(Shape):
    """An incident, as operators of its organisation see it."""

    id: str
    number: str
    org: str
    kind: str
    severity: int
    status: str
    disposition: str | None
    exercise: bool
    drill_speed: float
    position: PointShape
    address: str | None
    floor: str | None
    entrance: str | None
    note: str | None
    caller_phone: str | None
    patients: int | None
    disaster: str | None
    merged_into: str | None
    ambulance: str
    ambulance_eta_at: str | None
    ambulance_changed_at: str | None
    opened_by: str | None
    created_at: str
    first_alert_at: str | None
    first_accept_at: str | None
    first_on_scene_at: str | None
    with_patient_at: str | None
    handed_over_at: str | None
    closed_at: str | None
    stood_down_at: str | None
    counts: CountsShape
    version: int


class WayShape(Shape):
    """How far an alert has come on one channel, and why no further."""

    channel: str
    status: str
    why: str | None
    at: str | None


class AlertShape(Shape):
    """An alert, as the operator sees it."""

    id: str
    incident: str
    responder: str
    name: str
    name_en: str | None
    skills: list[str]
    team: str | None
    role: str
    aed: AedRefShape | None
    status: str
    delivery: str
    channels: list[WayShape]
    wave: int
    travel_s: float | None
    distance_m: float | None
    eta_source: str | None
    decline_reason: str | None
    notified_at: str
    expires_at: str
    delivered_at: str | None
    seen_at: str | None
    answered_at: str | None
    stood_down_at: str | None
    stand_down_seen_at: str | None
    revision: int
    is_invented: bool


class AssignmentShape(Shape):
    """An assignment, as the operator sees it."""

    id: str
    alert: str
    incident: str
    responder: str
    name: str
    name_en: str | None
    role: str
    aed: AedRefShape | None
    status: str
    times: dict[str, str | None]
    ended_at: str | None
    unable_reason: str | None
    eta_at: str | None
    position: PointShape | None
    position_at: str | None


class ActorShape(Shape):
    """Who did it."""

    id: str
    name: str


class LineShape(Shape):
    """One entry of an incident's timeline."""

    id: str
    incident: str
    at: str
    device_at: str | None
    actor: ActorShape | None
    channel: str
    kind: str
    args: dict[str, Any]
    text: str | None
    struck_at: str | None
    struck_by: str | None


class ReservationShape(Shape):
    """Stock that is reserved for an incident."""

    id: str
    incident: str
    lot: str
    item: str
    item_name: str
    item_name_en: str
    depot: str
    depot_name: str
    depot_name_en: str | None
    quantity: int
    unit: str
    unit_en: str
    status: str
    reserved_at: str
    expires_at: str


class SentenceShape(Shape):
    """One plain sentence in Chinese and in English."""

    zh: str
    en: str


class ExpectedShape(Shape):
    """A modelled survival index, no chance of anybody, and seconds from now to CPR and shock."""

    index: float
    cpr_s: float
    shock_s: float


class FiguresShape(Shape):
    """What is expected with nobody, with everybody going direct, and with this plan."""

    nobody: ExpectedShape
    all_direct: ExpectedShape
    plan: ExpectedShape


class SceneShape(Shape):
    """Seconds from now to the ambulance, until an asked person moves, and from door to patient."""

    ambulance_s: float
    lead_s: float
    vertical_s: float


class CandidateShape(Shape):
    """Somebody in a plan: chosen with a role, or left out for one reason."""

    responder: str
    name: str
    name_en: str | None
    skills: list[str]
    duty: str
    position: PointShape | None
    position_source: str | None
    position_age_s: float | None
    role: str | None
    aed: str | None
    travel_s: float | None
    # Seconds from now to the patient: answering and the way through the building included.
    arrives_s: float | None
    direct_s: float | None
    distance_m: float | None
    eta_source: str | None
    rank: int | None
    reason: str | None
    reason_args: dict[str, Any]
    reason_text: str | None
    accept: float
    marginal: float | None
    sentence: SentenceShape
    is_invented: bool


class AsideShape(Shape):
    """Somebody within reach of thousands, too far down the list to be weighed."""

    responder: str
    reason: str


class PlanAedShape(Shape):
    """An AED near the patient."""

    id: str
    name: str
    position: PointShape
    usable: str
    usable_reason: str
    usable_until: str | None
    walk_s: float | None
    works: float
    chosen: bool


class PlanShape(Shape):
    """Who would be alerted now and why, and who would not and why; nothing is sent."""

    incident: str
    made_at: str
    policy: str
    policy_digest: str
    network: str
    ms: float
    # What the plan had to do without: no_routing, no_ambulance_eta, hours_unknown, deadline,
    # fallback.
    modes: list[str]
    digest: str
    # None where the policy chooses by rule.
    expected: FiguresShape | None
    scene: SceneShape
    chosen: list[CandidateShape]
    excluded: list[CandidateShape | AsideShape]
    aeds: list[PlanAedShape]
    crs: str


class AskedIncidentShape(Shape):
    """What somebody who is asked may know of the incident."""

    id: str
    number: None
    kind: str
    severity: int
    exercise: bool
    ambulance: str | None
    ambulance_eta_at: str | None


class CoarsePlaceShape(Shape):
    """About where it is: the middle of a fixed cell, and how far in steps of 50 m."""

    position: PointShape
    distance_m: float | None
    bearing: str | None


class PersonAlertShape(Shape):
    """An alert, as the person who is asked sees it; over, it has neither place nor AED."""

    id: str
    revision: int
    incident: AskedIncidentShape
    status: str
    role: str
    aed: AedShape | None
    place: CoarsePlaceShape | None
    travel_s: float | None
    eta_source: str | None
    position_age_s: float | None
    going: int
    notified_at: str
    expires_at: str
    expires_in_ms: int


class MissionIncidentShape(Shape):
    """The exact place; once the mission is over, only what kind it was."""

    id: str
    kind: str
    exercise: bool
    number: str | None = None
    severity: int | None = None
    position: PointShape | None = None
    address: str | None = None
    floor: str | None = None
    entrance: str | None = None
    note: str | None = None
    ambulance: str | None = None
    ambulance_eta_at: str | None = None


class MissionShape(Shape):
    """An assignment, as the person who accepted sees it."""

    id: str
    alert: str
    status: str
    role: str
    steps: list[str]
    next_step: str | None
    incident: MissionIncidentShape
    aed: AedShape | None
    times: dict[str, str | None]
    eta_at: str | None
    call_phone: str | None
    route_version: int


class StandDownShape(Shape):
    """You are told to stop."""

    alert: str
    incident: MissionIncidentShape
    at: str
    reason: str | None
